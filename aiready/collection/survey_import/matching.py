"""Headings of an export -> columns of `responses`: by id, by exact wording, by the map; what is left is asked."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from aiready.collection.survey_import.files import Export, Heading
from aiready.collection.survey_import.lexicon import folded, number, plain, unnumbered
from aiready.collection.survey_import.mapping import COLUMN, IGNORE, OWN_COLUMNS, UNSURE, Map, Open
from aiready.collection.survey_import.words import COMMENT, Words
from aiready.instrument.languages import OPENING

_ID_AT_AN_END = re.compile(r"^\s*([A-Za-z][A-Za-z0-9_]*)\s*[.:]\s|[\[(]\s*([A-Za-z][A-Za-z0-9_]*)\s*[\])]\s*$")
_CHOICE_CODE = re.compile(r"(.+?)(?:_|\[)(?:SQ|A)?0*(\d{1,2})\]?", re.IGNORECASE)
"""`team_goal_3`, `teamgoal[SQ003]`: a column for the third choice of a question."""
_REPEATED = re.compile(r"(?<=\D)(?:\s*\(\d\)|[._]?\d)$")
"""What tools and programs add to a heading that stands there twice."""
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:\D|$)|^[2-7]\d{4}(?:\.\d+)?$")
FINISHED_BY: Mapping[str, tuple[str, ...]] = {
    "qualtrics": ("finished", "progress"),
    "limesurvey": ("submitted",),
}
"""Meanings by which tools that also export unfinished answers tell them apart."""
_NEVER_MARKED = ("surveymonkey",)
_NEAR = 0.6


@dataclass(frozen=True)
class Columns:
    """Where each column of `responses` stands in the export.

    `places`: column -> its places, several where it is asked in several columns or every choice has one. `choices`:
    places that hold ticks -> the choice that is ticked. `how`: column -> id, wording or map. `unused`: labels of
    filled columns that are nothing of the questionnaire. `open`: what must be named first.
    """

    places: Mapping[str, tuple[int, ...]]
    choices: Mapping[int, str]
    how: Mapping[str, str]
    unused: tuple[str, ...] = ()
    open: tuple[Open, ...] = ()


@dataclass(frozen=True)
class _Match:
    """What a heading may be: a column of `responses`, told how, and the choice where it may be one of several."""

    heading: Heading
    name: str
    how: str
    choice: str = ""


@dataclass
class _Sorted:
    matches: list[_Match] = field(default_factory=list)
    ignored: list[Heading] = field(default_factory=list)
    left: list[Heading] = field(default_factory=list)


def with_own(export: Export, mapped: Map) -> Export:
    """The export with what the map says of the tool's own columns: their meaning, or that they have none.

    Where it names the person, no other column identifies one.
    """
    own = dict(export.own)
    for heading in export.headings:
        means = _mapped(heading, mapped)
        if means in OWN_COLUMNS:
            own[heading.place] = f"{OWN_COLUMNS[means]} by map"
        elif means:
            own.pop(heading.place, None)
    if "person by map" in own.values():
        own = {place: "personal" if meaning == "person" else meaning for place, meaning in own.items()}
    return replace(export, own={place: meaning.removesuffix(" by map") for place, meaning in own.items()})


def match_columns(export: Export, words: Words, mapped: Map) -> Columns:
    """Find every question among the headings; the tool's own columns are taken only when the map names them."""
    headings = _Sorted()
    for heading in export.headings:
        _sort(heading, export, words, mapped, headings)
    places, choices, how, odd = _settled(headings.matches, words)
    left = sorted((*headings.left, *odd), key=lambda heading: heading.place)
    filled = [heading for heading in left if export.rows[str(heading.place)].ne("").any()]
    missing = {name: text for name, text in _asked(words).items() if name not in places}
    unsure = finish_unknown(export)
    questions = _open(export, filled, missing, words, unsure=unsure) if missing or unsure else ()
    unused = [heading.label for heading in (*headings.ignored, *filled)]
    return Columns(places, choices, how, tuple(unused), questions)


def finish_untold(export: Export) -> bool:
    """Whether rows that were never finished may stand in the file unmarked; SurveyMonkey marks them nowhere."""
    marked = bool(export.placed("submitted", "finished"))
    return finish_unknown(export) or (export.source in _NEVER_MARKED and not marked)


def finish_unknown(export: Export) -> bool:
    """Whether a tool that exports unfinished answers too wrote no column here that tells them apart."""
    meanings = FINISHED_BY.get(export.source)
    if meanings is None:
        return False
    return not any(export.rows[str(place)].ne("").any() for place in export.placed("submitted", "finished", *meanings))


def _asked(words: Words) -> dict[str, str]:
    return {**{name: name for name in OPENING}, **words.questions}


def _sort(heading: Heading, export: Export, words: Words, mapped: Map, headings: _Sorted) -> None:
    means = _mapped(heading, mapped)
    if means == IGNORE:
        headings.ignored.append(heading)
    elif means and means not in OWN_COLUMNS:
        headings.matches.append(_by_map(heading, means, mapped, words))
    elif not means and heading.place not in export.own:
        match = _by_id(heading, words) or _by_wording(heading, words)
        if match:
            headings.matches.append(match)
        else:
            headings.left.append(heading)


def _mapped(heading: Heading, mapped: Map) -> str:
    """What the map says of a column, by its whole label, its code or its question."""
    texts = (heading.label, heading.code, heading.text)
    return next((means for text in texts if text and (means := mapped.means(COLUMN, "", text))), "")


def _by_map(heading: Heading, name: str, mapped: Map, words: Words) -> _Match:
    """What the map names: a column of its own, unless it adds an answer or the map speaks of the whole question."""
    match = _Match(heading, name, "map", heading.part)
    own = any(text and mapped.means(COLUMN, "", text) == name for text in (heading.label, heading.code))
    return match if not own or (heading.part and _is_answer(match, words)) else replace(match, choice="")


def _choice_of(heading: Heading) -> str:
    """The choice that a column may stand for: in words below the question, else by the number at the code's end."""
    by_code = _CHOICE_CODE.fullmatch(heading.code)
    return heading.part or (by_code[2] if by_code else "")


def _by_id(heading: Heading, words: Words) -> _Match | None:
    """`team_goal`, `TeamGoal`, `grid[teamgoal]`, `team_goal: Think of ...`, `Think ... [team_goal]`, `team_goal_3`."""
    for text in (heading.code, heading.part, heading.text):
        ends = _ID_AT_AN_END.search(text)
        for candidate in (text, (ends[1] or ends[2]) if ends else ""):
            if candidate and (name := words.column(candidate)):
                return _Match(heading, name, "id", heading.part if text == heading.text else "")
    by_code = _CHOICE_CODE.fullmatch(heading.code)
    name = words.column(by_code[1]) if by_code else ""
    return _Match(heading, name, "id", _choice_of(heading)) if name else None


def _by_wording(heading: Heading, words: Words) -> _Match | None:
    """The question, or a row of a grid; tools number a heading that repeats, and their authors every question."""
    for text, choice in ((heading.part, ""), (heading.text, heading.part), (f"{heading.text} - {heading.part}", "")):
        for candidate in (text, unnumbered(text), _REPEATED.sub("", text), _REPEATED.sub("", unnumbered(text))):
            if candidate and (name := words.wordings.meaning(candidate)):
                return _Match(heading, name, "wording", choice)
    return None


def _settled(
    matches: Sequence[_Match], words: Words
) -> tuple[dict[str, tuple[int, ...]], dict[int, str], dict[str, str], list[Heading]]:
    """Places, choices and how of every question, and headings that only look like a part of one.

    A column holds ticks when what it adds to the question is one of its answers, or when it is one of several
    that add something.
    """
    places: dict[str, tuple[int, ...]] = {}
    choices: dict[int, str] = {}
    how: dict[str, str] = {}
    odd: list[Heading] = []
    for match in matches:
        alike = [other for other in matches if other.name == match.name]
        parts = {other.choice for other in alike if other.choice}
        ticks = bool(match.choice) and (len(parts) > 1 or _is_answer(match, words))
        if match.choice and not ticks and any(not other.choice for other in alike):
            odd.append(match.heading)  # `Question - Other - Text` beside the question itself
            continue
        places[match.name] = (*places.get(match.name, ()), match.heading.place)
        how.setdefault(match.name, match.how)
        if ticks:
            choices[match.heading.place] = match.choice
    return places, choices, how, odd


def _is_answer(match: _Match, words: Words) -> bool:
    choices, position = words.answers.get(match.name), number(match.choice)
    if position is not None:
        return 0 < position <= len(words.numbered.get(match.name, ()))
    return choices is not None and bool(choices.meanings(match.choice))


# What is asked ----------------------------------------------------------------------------------------------


def _open(
    export: Export, headings: Sequence[Heading], missing: Mapping[str, str], words: Words, *, unsure: bool
) -> tuple[Open, ...]:
    """Columns that may be one of the missing questions, each question suggested once; else likely none.

    Where nothing says who finished, a column of dates may be the one that does.
    """
    suggestions = _suggested(headings, missing, words)
    dates = [heading for heading in headings if heading.place not in suggestions and _is_dated(export, heading)]
    blank = [heading for heading in dates if export.rows[str(heading.place)].eq("").any()]
    sent = (blank or dates)[:1] if len(blank) == 1 or len(dates) == 1 else []
    note = "a column of responses, respondent, or ignore"
    if unsure:
        note = f"{UNSURE}: call its column submitted (blank: not sent) or finished (yes or no); ignore all others"
    return tuple(
        Open(
            COLUMN,
            "",
            heading.label,
            "submitted" if unsure and heading in sent else suggestions.get(heading.place, IGNORE),
            note,
        )
        for heading in headings
    )


def _suggested(headings: Sequence[Heading], missing: Mapping[str, str], words: Words) -> dict[int, str]:
    """The most similar heading of each missing question, the best pairs first, none twice."""
    near = [(plain(text), name) for name, text in missing.items()]
    near += [(text, name) for text, name in words.wordings.readings.items() if name in missing]
    pairs = []
    for heading in headings:
        for text in map(plain, _texts(heading)):
            matcher = SequenceMatcher(b=text)
            for wording, name in near:
                matcher.set_seq1(wording)
                if min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= _NEAR and matcher.ratio() >= _NEAR:
                    pairs.append((-matcher.ratio(), heading.place, name))
    suggestions: dict[int, str] = {}
    for _, place, name in sorted(pairs):
        if place not in suggestions and name not in suggestions.values():
            suggestions[place] = name
    return suggestions


def _is_dated(export: Export, heading: Heading) -> bool:
    cells = export.rows[str(heading.place)]
    filled = cells[cells.ne("")]
    return len(filled) > 0 and bool(filled.str.match(_DATE).mean() > 0.9)


def _texts(heading: Heading) -> Iterator[str]:
    yield from filter(None, (heading.part, heading.text, heading.code))


def order(columns: Columns, words: Words) -> list[str]:
    """Columns headings, in the order of the questionnaire."""
    return [name for name in (*OPENING, *words.questions, COMMENT) if name in columns.places]


def is_ticked(cell: str) -> bool:
    """Whether a cell below a choice says that it was chosen: anything but a blank, a no and a number below one.

    Examples
    --------
    >>> [text for text in ("1", "Yes", "x", "", "0", "No", "-99", "Nein", "They were not asked.") if is_ticked(text)]
    ['1', 'Yes', 'x', 'They were not asked.']
    """
    position = number(cell)
    return bool(cell) and folded(cell) not in _UNTICKED and (position is None or position > 0)


_UNTICKED = (
    "n", "no", "nein", "non", "nee", "não", "false", "falsch", "falso", "faux", "n/a", "nan", "null", "none",
    "not selected", "not chosen", "unchecked", "nicht gewählt", "nicht ausgewählt", "no seleccionado",
)  # fmt: skip
