"""Summarise an import in lines to print: what was recognised, what was dropped, what became of every row."""

from collections.abc import Iterator

from aiready.collection.survey_import import ImportResult
from aiready.collection.survey_import.files import SOURCES
from aiready.collection.survey_import.import_rows import MatchedExport
from aiready.collection.survey_import.matching import MatchedColumns, may_include_unfinished
from aiready.collection.survey_import.vocabulary import COMMENT
from aiready.instrument.languages import OPENING

_MOST_NAMES = 8


def summary_lines(imported: ImportResult) -> Iterator[str]:
    """Lines of the summary, in the order of the work."""
    yield from _recognised(imported)
    yield from _dropped(imported)
    yield from _respondents(imported)
    yield from _repeats(imported)
    yield from _rows(imported)


def _recognised(imported: ImportResult) -> Iterator[str]:
    matched = imported.matched
    export, columns = matched.export, matched.columns
    heads = "one heading row" if export.heading_rows == 1 else f"{export.heading_rows} heading rows"
    yield f"{export.file}: {SOURCES[export.source]}, {heads}, {len(export.rows):,} rows."
    items = [name for name in columns.positions if name not in (*OPENING, COMMENT)]
    by = [f"{sum(columns.how[name] == way for name in items)} by {way}" for way in ("id", "wording", "map")]
    n_questions = sum(1 for name in matched.vocabulary.questions)
    yield f"{len(items)} of {n_questions} questions recognised: {', '.join(part for part in by if part[0] != '0')}."
    absent = [name for name in (*OPENING, *matched.vocabulary.questions) if name not in columns.positions]
    if absent:
        yield f"Not in the file: {_join_names(absent)}."
    yield from _unproven(matched)
    doubled = [
        name for name, positions in columns.positions.items() if len(positions) > 1 and not _is_by_choice(columns, name)
    ]
    if doubled:
        yield f"Asked in several columns, of which the filled one counts: {_join_names(doubled)}."
    ticks = [name for name in columns.positions if _is_by_choice(columns, name)]
    if ticks:
        yield f"A column for each choice, of which the ticked one counts: {_join_names(ticks)}."
    if matched.unused_map_rows:
        map_rows = [f'{row.kind} "{row.in_file}"' for row in matched.unused_map_rows]
        yield f"In the map, but not in the file: {_join_names(map_rows)}."
    if may_include_unfinished(export):
        yield "Cannot tell who finished: no column says it, so every row counts as sent. The map can name one."
    yield f"Wave {matched.wave} ({matched.wave_from})."


def _is_by_choice(columns: MatchedColumns, name: str) -> bool:
    return any(position in columns.choices for position in columns.positions[name])


def _unproven(matched: MatchedExport) -> Iterator[str]:
    """Lines on answers read as positions in the questionnaire, which only the author of the survey can confirm."""
    answers, vocabulary = matched.answers, matched.vocabulary
    if answers.beyond_levels:
        yield (
            f"Numbers beyond the levels are read by their place in the questionnaire: after level "
            f"{vocabulary.levels}, does not apply, then don't know."
        )
    if answers.numbered and not answers.proven:
        count = len(answers.numbered)
        many = "1 question is" if count == 1 else f"{count} questions are"
        name = next((name for name in answers.numbered if name in vocabulary.questions), answers.numbered[0])
        yield (
            f"Warning: {many} answered by number, and nothing in the file proves what "
            f"the numbers mean: 1 is taken for the first answer, of {name} as of all. Compare a few answers with the "
            "tool, or export the answers in words."
        )


def _dropped(imported: ImportResult) -> Iterator[str]:
    export = imported.matched.export
    personal = [export.name(position) for position in export.positions_of("personal", "person")]
    if personal:
        yield f"Names, mails, addresses and places are dropped, and stored nowhere: {_join_names(personal)}."
    if imported.matched.columns.unused:
        yield f"Not of the questionnaire, and not stored: {_join_names(imported.matched.columns.unused)}."


def _respondents(imported: ImportResult) -> Iterator[str]:
    for column in imported.rows.shared:
        consequence = (
            "as the map says, each code is one person" if imported.matched.person_positions else "so it names no person"
        )
        what = "one code stands" if column.codes == 1 else f"{column.codes:,} codes stand in several rows each, one"
        yield (
            f"{column.heading}: {what} in {column.rows:,} rows, {consequence}. "
            "The map can say which column does (person), or that this one is nothing (ignore)."
        )
    key = imported.request.key_file
    key_sentence = f"A key was made in {key}" if imported.key_created else f"The key is {key}"
    if imported.key_created and imported.request.dry_run:
        key_sentence = f"A key will be made in {key}"
    yield (
        f"Respondents are pseudonyms, new in each wave. {key_sentence}; "
        "keep it until the wave is closed, for without it a second answer of the same person is not found."
    )


def _repeats(imported: ImportResult) -> Iterator[str]:
    for name, rows in imported.repeated.items():
        yield (
            f"{rows:,} rows answer like rows of {name}, under other codes: the same survey, exported again. "
            "They are there already."
        )
    for name, rows in imported.other_waves.items():
        yield (
            f"Warning: {rows:,} rows answer like rows of {name}, which is another wave. If it is the same survey, "
            "remove this part and import it with that wave."
        )


def _rows(imported: ImportResult) -> Iterator[str]:
    counts = imported.counts
    already_present = f", {imported.already_present:,} there already" if imported.already_present else ""
    yield (
        f"{counts['read']:,} rows = {counts['used']:,} used ({counts['new']:,} new{already_present}) "
        f"+ {counts['quarantined']:,} quarantined"
    )
    for reason, rows in imported.rows.reasons().items():
        yield f"  {rows:,} {reason}"
    if not counts["used"]:
        yield "No row can be used. See the reasons in the quarantine, and whether this is the right file."
    if imported.request.dry_run:
        yield "Nothing was written (--dry-run)."
    elif not imported.written_files:
        yield "Nothing changed: these answers are there already."
    else:
        yield "Written: " + ", ".join(str(path) for path in imported.written_files)


def _join_names(names: list[str] | tuple[str, ...]) -> str:
    short = [name if len(name) <= 40 else name[:37] + "..." for name in names[:_MOST_NAMES]]
    return ", ".join(short) + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")
