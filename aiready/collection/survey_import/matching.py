"""Match the headings of an export to columns of `responses`, by id, wording or the map; ask about the others."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from aiready.collection.survey_import.files import Export, Heading
from aiready.collection.survey_import.lexicon import folded_form, loose_form, parse_integer, strip_question_number
from aiready.collection.survey_import.map_file import (
    COLUMN,
    FINISH_UNKNOWN,
    IGNORE,
    OWN_COLUMNS,
    ImportMap,
    MapRow,
)
from aiready.collection.survey_import.vocabulary import COMMENT, Vocabulary
from aiready.instrument.languages import OPENING

_ID_AT_AN_END = re.compile(r"^\s*([A-Za-z][A-Za-z0-9_]*)\s*[.:]\s|[\[(]\s*([A-Za-z][A-Za-z0-9_]*)\s*[\])]\s*$")
_CHOICE_CODE = re.compile(r"(.+?)(?:_|\[)(?:SQ|A)?0*(\d{1,2})\]?", re.IGNORECASE)
"""`team_goal_3`, `teamgoal[SQ003]`: a column for the third choice of a question."""
_REPEATED = re.compile(r"(?<=\D)(?:\s*\(\d\)|[._]?\d)$")
"""What tools and programs append to a repeated heading."""
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:\D|$)|^[2-7]\d{4}(?:\.\d+)?$")
FINISHED_BY: Mapping[str, tuple[str, ...]] = {
    "qualtrics": ("finished", "progress"),
    "limesurvey": ("submitted",),
}
"""Tools that also export unfinished answers -> meanings of the columns that mark them."""
_NEVER_MARKED = ("surveymonkey",)
_SIMILAR = 0.6


@dataclass(frozen=True)
class MatchedColumns:
    """Columns of `responses` matched to columns of the export.

    `positions`: column -> its positions, several where it is asked in several columns or each choice has its own.
    `choices`: position of a column of ticks -> the choice. `how`: column -> matched by id, wording or map. `unused`:
    labels of filled columns that are not in the questionnaire. `open_questions`: columns to ask about first.
    """

    positions: Mapping[str, tuple[int, ...]]
    choices: Mapping[int, str]
    how: Mapping[str, str]
    unused: tuple[str, ...] = ()
    open_questions: tuple[MapRow, ...] = ()


@dataclass(frozen=True)
class _Match:
    """A heading matched to a column of `responses` (`name`): by what, and the choice it may stand for."""

    heading: Heading
    name: str
    how: str
    choice: str = ""


@dataclass
class _HeadingGroups:
    """Headings that match a question, that the map ignores, and that are left."""

    matches: list[_Match] = field(default_factory=list)
    ignored: list[Heading] = field(default_factory=list)
    left: list[Heading] = field(default_factory=list)


def with_mapped_columns(export: Export, import_map: ImportMap) -> Export:
    """The export with the meanings that the map gives to the tool's columns, or takes from them.

    Where the map names the column of the person, no other column identifies people.
    """
    tool_columns = dict(export.tool_columns)
    for heading in export.headings:
        means = _meaning_by_map(heading, import_map)
        if means in OWN_COLUMNS:
            tool_columns[heading.position] = f"{OWN_COLUMNS[means]} by map"
        elif means:
            tool_columns.pop(heading.position, None)
    if "person by map" in tool_columns.values():
        tool_columns = {
            position: "personal" if meaning == "person" else meaning for position, meaning in tool_columns.items()
        }
    return replace(
        export, tool_columns={position: meaning.removesuffix(" by map") for position, meaning in tool_columns.items()}
    )


def match_columns(export: Export, vocabulary: Vocabulary, import_map: ImportMap) -> MatchedColumns:
    """Find the questions among the headings; columns that the tool added are questions only if the map says so."""
    groups = _HeadingGroups()
    for heading in export.headings:
        _group_heading(heading, export, vocabulary, import_map, groups)
    positions, choices, how, unassigned = _assign_columns(groups.matches, vocabulary)
    left = sorted((*groups.left, *unassigned), key=lambda heading: heading.position)
    filled = [heading for heading in left if export.rows[str(heading.position)].ne("").any()]
    missing = {name: text for name, text in _expected_questions(vocabulary).items() if name not in positions}
    unsure = lacks_finish_column(export)
    questions = _questions_about(export, filled, missing, vocabulary, unsure=unsure) if missing or unsure else ()
    unused = [heading.label for heading in (*groups.ignored, *filled)]
    return MatchedColumns(positions, choices, how, tuple(unused), questions)


def may_include_unfinished(export: Export) -> bool:
    """Whether the file may hold unfinished answers that are not marked; SurveyMonkey never marks them."""
    marked = bool(export.positions_of("submitted", "finished"))
    return lacks_finish_column(export) or (export.source in _NEVER_MARKED and not marked)


def lacks_finish_column(export: Export) -> bool:
    """Whether the tool exports unfinished answers too, and this file has no filled column that marks them."""
    meanings = FINISHED_BY.get(export.source)
    if meanings is None:
        return False
    return not any(
        export.rows[str(position)].ne("").any() for position in export.positions_of("submitted", "finished", *meanings)
    )


def _expected_questions(vocabulary: Vocabulary) -> dict[str, str]:
    return {**{name: name for name in OPENING}, **vocabulary.questions}


def _group_heading(
    heading: Heading, export: Export, vocabulary: Vocabulary, import_map: ImportMap, groups: _HeadingGroups
) -> None:
    means = _meaning_by_map(heading, import_map)
    if means == IGNORE:
        groups.ignored.append(heading)
    elif means and means not in OWN_COLUMNS:
        groups.matches.append(_by_map(heading, means, import_map, vocabulary))
    elif not means and heading.position not in export.tool_columns:
        match = _by_id(heading, vocabulary) or _by_wording(heading, vocabulary)
        if match:
            groups.matches.append(match)
        else:
            groups.left.append(heading)


def _meaning_by_map(heading: Heading, import_map: ImportMap) -> str:
    """Meaning of a column according to the map, by its label, code or question; blank for none."""
    texts = (heading.label, heading.code, heading.text)
    return next((means for text in texts if text and (means := import_map.means(COLUMN, "", text))), "")


def _by_map(heading: Heading, name: str, import_map: ImportMap, vocabulary: Vocabulary) -> _Match:
    """Match by the map; the heading stands for a choice if its part is an answer, or only its question is mapped."""
    match = _Match(heading, name, "map", heading.part)
    own = any(text and import_map.means(COLUMN, "", text) == name for text in (heading.label, heading.code))
    return match if not own or (heading.part and _is_answer(match, vocabulary)) else replace(match, choice="")


def _choice_of(heading: Heading) -> str:
    """The choice that a column may stand for: its part, else the number at the end of its code."""
    by_code = _CHOICE_CODE.fullmatch(heading.code)
    return heading.part or (by_code[2] if by_code else "")


def _by_id(heading: Heading, vocabulary: Vocabulary) -> _Match | None:
    """`team_goal`, `TeamGoal`, `grid[teamgoal]`, `team_goal: Think of ...`, `Think ... [team_goal]`, `team_goal_3`."""
    for text in (heading.code, heading.part, heading.text):
        ends = _ID_AT_AN_END.search(text)
        for candidate in (text, (ends[1] or ends[2]) if ends else ""):
            if candidate and (name := vocabulary.column(candidate)):
                return _Match(heading, name, "id", heading.part if text == heading.text else "")
    by_code = _CHOICE_CODE.fullmatch(heading.code)
    name = vocabulary.column(by_code[1]) if by_code else ""
    return _Match(heading, name, "id", _choice_of(heading)) if name else None


def _by_wording(heading: Heading, vocabulary: Vocabulary) -> _Match | None:
    """Match by the question or by a row of a grid, also without the numbers that tools and authors add."""
    for text, choice in ((heading.part, ""), (heading.text, heading.part), (f"{heading.text} - {heading.part}", "")):
        for candidate in (
            text,
            strip_question_number(text),
            _REPEATED.sub("", text),
            _REPEATED.sub("", strip_question_number(text)),
        ):
            if candidate and (name := vocabulary.wordings.meaning(candidate)):
                return _Match(heading, name, "wording", choice)
    return None


def _assign_columns(
    matches: Sequence[_Match], vocabulary: Vocabulary
) -> tuple[dict[str, tuple[int, ...]], dict[int, str], dict[str, str], list[Heading]]:
    """Positions, choices and `how` of every question, and headings that do not belong to one after all.

    A column holds ticks when its part is an answer of the question, or when other columns of the question have other
    parts.
    """
    positions: dict[str, tuple[int, ...]] = {}
    choices: dict[int, str] = {}
    how: dict[str, str] = {}
    unassigned: list[Heading] = []
    for match in matches:
        same_question = [other for other in matches if other.name == match.name]
        parts = {other.choice for other in same_question if other.choice}
        ticks = bool(match.choice) and (len(parts) > 1 or _is_answer(match, vocabulary))
        if match.choice and not ticks and any(not other.choice for other in same_question):
            unassigned.append(match.heading)  # `Question - Other - Text` beside the question itself
            continue
        positions[match.name] = (*positions.get(match.name, ()), match.heading.position)
        how.setdefault(match.name, match.how)
        if ticks:
            choices[match.heading.position] = match.choice
    return positions, choices, how, unassigned


def _is_answer(match: _Match, vocabulary: Vocabulary) -> bool:
    choices, position = vocabulary.answers.get(match.name), parse_integer(match.choice)
    if position is not None:
        return 0 < position <= len(vocabulary.ordered_values.get(match.name, ()))
    return choices is not None and bool(choices.meanings(match.choice))


# Open questions ---------------------------------------------------------------------------------------------


def _questions_about(
    export: Export, headings: Sequence[Heading], missing: Mapping[str, str], vocabulary: Vocabulary, *, unsure: bool
) -> tuple[MapRow, ...]:
    """Ask what unmatched columns mean, suggesting each missing question once, else `ignore`.

    Where no column shows who finished, a column of dates is suggested for that.
    """
    suggestions = _suggest(headings, missing, vocabulary)
    dates = [heading for heading in headings if heading.position not in suggestions and _is_dated(export, heading)]
    blank = [heading for heading in dates if export.rows[str(heading.position)].eq("").any()]
    sent = (blank or dates)[:1] if len(blank) == 1 or len(dates) == 1 else []
    note = "a column of responses, respondent, or ignore"
    if unsure:
        note = (
            f"{FINISH_UNKNOWN}: call its column submitted (blank: not sent) or finished (yes or no); ignore all others"
        )
    return tuple(
        MapRow(
            COLUMN,
            "",
            heading.label,
            "submitted" if unsure and heading in sent else suggestions.get(heading.position, IGNORE),
            note,
        )
        for heading in headings
    )


def _suggest(headings: Sequence[Heading], missing: Mapping[str, str], vocabulary: Vocabulary) -> dict[int, str]:
    """Position of a heading -> the missing question it resembles most; best pairs first, each used once."""
    candidates = [(loose_form(text), name) for name, text in missing.items()]
    candidates += [(text, name) for text, name in vocabulary.wordings.unambiguous.items() if name in missing]
    pairs = []
    for heading in headings:
        for text in map(loose_form, _texts(heading)):
            matcher = SequenceMatcher(b=text)
            for wording, name in candidates:
                matcher.set_seq1(wording)
                if min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= _SIMILAR and matcher.ratio() >= _SIMILAR:
                    pairs.append((-matcher.ratio(), heading.position, name))
    suggestions: dict[int, str] = {}
    for _, position, name in sorted(pairs):
        if position not in suggestions and name not in suggestions.values():
            suggestions[position] = name
    return suggestions


def _is_dated(export: Export, heading: Heading) -> bool:
    cells = export.rows[str(heading.position)]
    filled = cells[cells.ne("")]
    return len(filled) > 0 and bool(filled.str.match(_DATE).mean() > 0.9)


def _texts(heading: Heading) -> Iterator[str]:
    yield from filter(None, (heading.part, heading.text, heading.code))


def in_questionnaire_order(columns: MatchedColumns, vocabulary: Vocabulary) -> list[str]:
    """Names of the matched columns, in the order of the questionnaire."""
    return [name for name in (*OPENING, *vocabulary.questions, COMMENT) if name in columns.positions]


def is_ticked(cell: str) -> bool:
    """Whether a cell in the column of a choice is ticked: anything but a blank, a no and a number below one.

    Examples
    --------
    >>> [text for text in ("1", "Yes", "x", "", "0", "No", "-99", "Nein", "They were not asked.") if is_ticked(text)]
    ['1', 'Yes', 'x', 'They were not asked.']
    """
    position = parse_integer(cell)
    return bool(cell) and folded_form(cell) not in _NOT_TICKED and (position is None or position > 0)


_NOT_TICKED = (
    "n", "no", "nein", "non", "nee", "não", "false", "falsch", "falso", "faux", "n/a", "nan", "null", "none",
    "not selected", "not chosen", "unchecked", "nicht gewählt", "nicht ausgewählt", "no seleccionado",
)  # fmt: skip
