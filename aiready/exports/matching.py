"""Headings of an export -> columns of `responses`: by id, by exact wording, by the map; what is left is asked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aiready.exports.files import Export, Heading
from aiready.exports.mapping import IGNORE, RESPONDENT, Map, Open, nearest
from aiready.exports.words import COMMENT, Words, plain, plain_id, unnumbered
from aiready.languages import OPENING

_ID_AT_AN_END = re.compile(r"^\s*([A-Za-z][A-Za-z0-9_]*)\s*[.:]\s|[\[(]\s*([A-Za-z][A-Za-z0-9_]*)\s*[\])]\s*$")


@dataclass(frozen=True)
class Columns:
    """Where each column of `responses` stands in the export.

    `places`: column -> its places, several where every answer choice has a column of its own. `how`: column ->
    id, wording or map. `respondent`: a place that identifies who answered, named in the map. `unused`: labels of
    filled columns that are nothing of the questionnaire. `open`: what must be named first.
    """

    places: Mapping[str, tuple[int, ...]]
    how: Mapping[str, str]
    respondent: int | None = None
    unused: tuple[str, ...] = ()
    open: tuple[Open, ...] = ()


@dataclass
class _Found:
    places: dict[str, list[int]] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    respondent: int | None = None
    ignored: list[Heading] = field(default_factory=list)
    left: list[Heading] = field(default_factory=list)


def match_columns(export: Export, words: Words, mapped: Map) -> Columns:
    """Find every question among the headings; the tool's own columns are taken only when the map names them."""
    found = _Found()
    for heading in export.headings:
        _place(heading, export, words, mapped, found)
    filled = [heading for heading in found.left if export.rows[str(heading.place)].ne("").any()]
    missing = {name: text for name, text in _asked(words).items() if name not in found.places}
    asked = tuple(_open(heading, missing, words) for heading in filled) if missing else ()
    unused = [heading.label for heading in (*found.ignored, *filled)]
    places = {name: tuple(at) for name, at in found.places.items()}
    return Columns(places, found.how, found.respondent, tuple(unused), asked)


def _asked(words: Words) -> dict[str, str]:
    return {**{name: name for name in OPENING}, **words.questions}


def _place(heading: Heading, export: Export, words: Words, mapped: Map, found: _Found) -> None:
    named = _mapped(heading, mapped)
    if named == IGNORE:
        found.ignored.append(heading)
    elif named == RESPONDENT:
        found.respondent = heading.place
    elif named:
        found.places.setdefault(named, []).append(heading.place)
        found.how[named] = "map"
    elif heading.place not in export.own:
        name, how = _by_id(heading, words), "id"
        if not name:
            name, how = _by_wording(heading, words), "wording"
        if name and (name not in found.places or _is_choice(heading, name, export, found)):
            found.places.setdefault(name, []).append(heading.place)
            found.how.setdefault(name, how)
        else:
            found.left.append(heading)


def _mapped(heading: Heading, mapped: Map) -> str:
    """What the map says of a column, by its whole label, its code or its question."""
    for text in (heading.label, heading.code, heading.text):
        if text and (means := mapped.get(("column", "", plain(text)))):
            return means
    return ""


def _by_id(heading: Heading, words: Words) -> str:
    """`team_goal`, `TeamGoal`, `grid[teamgoal]`, `team_goal: Think of ...`, `Think of ... [team_goal]`."""
    for text in (heading.code, heading.part, heading.text):
        ends = _ID_AT_AN_END.search(text)
        for candidate in (text, (ends[1] or ends[2]) if ends else ""):
            if name := words.ids.get(plain_id(candidate)):
                return name
    return ""


def _by_wording(heading: Heading, words: Words) -> str:
    """The question, or a row of a grid; Microsoft Forms numbers a heading that repeats."""
    for text in (heading.part, heading.text, f"{heading.text} - {heading.part}"):
        for candidate in (plain(text), unnumbered(text), re.sub(r"(?<=[^\W\d])\d$", "", plain(text))):
            if candidate and (name := words.wordings.get(candidate)):
                return name
    return ""


def _is_choice(heading: Heading, name: str, export: Export, found: _Found) -> bool:
    """Whether a further column of a question is another of its answer choices: expanded columns of SurveyMonkey."""
    first = export.headings[found.places[name][0]]
    return export.source == "surveymonkey" and bool(heading.part and first.part) and heading.text == first.text


def _open(heading: Heading, missing: Mapping[str, str], words: Words) -> Open:
    """A column that may be one of the missing questions; without anything near it is likely none."""
    near = {plain(text): name for name, text in missing.items()}
    near |= {wording: name for wording, name in words.wordings.items() if name in missing}
    means = next((name for text in _texts(heading) if (name := nearest(text, near))), IGNORE)
    return Open("column", "", heading.label, means, "a column of responses, respondent, or ignore")


def _texts(heading: Heading) -> Iterator[str]:
    yield from filter(None, (heading.part, heading.text, heading.code))


def order(columns: Columns, words: Words) -> list[str]:
    """Columns found, in the order of the questionnaire."""
    return [name for name in (*OPENING, *words.questions, COMMENT) if name in columns.places]
