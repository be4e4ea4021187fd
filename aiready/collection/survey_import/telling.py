"""What an import did, in lines to print: what was recognised, what was dropped, and every row accounted for."""

from collections.abc import Iterator

from aiready.collection.survey_import import Imported
from aiready.collection.survey_import.files import SOURCES
from aiready.collection.survey_import.importing import Matched
from aiready.collection.survey_import.matching import Columns, finish_untold
from aiready.collection.survey_import.words import COMMENT
from aiready.instrument.languages import OPENING

_LISTED = 8


def lines(imported: Imported) -> Iterator[str]:
    """Sentences on one import, in the order of its work."""
    yield from _recognised(imported)
    yield from _dropped(imported)
    yield from _respondents(imported)
    yield from _repeats(imported)
    yield from _rows(imported)


def _recognised(imported: Imported) -> Iterator[str]:
    matched = imported.matched
    export, columns = matched.export, matched.columns
    heads = "one heading row" if export.heading_rows == 1 else f"{export.heading_rows} heading rows"
    yield f"{export.file}: {SOURCES[export.source]}, {heads}, {len(export.rows):,} rows."
    items = [name for name in columns.places if name not in (*OPENING, COMMENT)]
    by = [f"{sum(columns.how[name] == way for name in items)} by {way}" for way in ("id", "wording", "map")]
    known = sum(1 for name in matched.words.questions)
    yield f"{len(items)} of {known} questions recognised: {', '.join(part for part in by if part[0] != '0')}."
    absent = [name for name in (*OPENING, *matched.words.questions) if name not in columns.places]
    if absent:
        yield f"Not in the file: {_listed(absent)}."
    yield from _unproven(matched)
    doubled = [name for name, places in columns.places.items() if len(places) > 1 and not _is_by_choice(columns, name)]
    if doubled:
        yield f"Asked in several columns, of which the filled one counts: {_listed(doubled)}."
    ticks = [name for name in columns.places if _is_by_choice(columns, name)]
    if ticks:
        yield f"A column for each choice, of which the ticked one counts: {_listed(ticks)}."
    if matched.idle:
        named = [f'{row.kind} "{row.in_file}"' for row in matched.idle]
        yield f"In the map, but not in the file: {_listed(named)}."
    if finish_untold(export):
        yield "Cannot tell who finished: no column says it, so every row counts as sent. The map can name one."
    yield f"Wave {matched.wave} ({matched.wave_from})."


def _is_by_choice(columns: Columns, name: str) -> bool:
    return any(place in columns.choices for place in columns.places[name])


def _unproven(matched: Matched) -> Iterator[str]:
    """What was read by number: by its place in the questionnaire, which only the one who set the survey up knows."""
    answers, words = matched.answers, matched.words
    if answers.by_place:
        yield (
            f"Numbers beyond the levels are read by their place in the questionnaire: after level "
            f"{words.levels}, does not apply, then don't know."
        )
    if answers.numbered and not answers.proven:
        count = len(answers.numbered)
        many = "1 question is" if count == 1 else f"{count} questions are"
        name = next((name for name in answers.numbered if name in words.questions), answers.numbered[0])
        yield (
            f"Warning: {many} answered by number, and nothing in the file proves what "
            f"the numbers mean: 1 is taken for the first answer, of {name} as of all. Compare a few answers with the "
            "tool, or export the answers in words."
        )


def _dropped(imported: Imported) -> Iterator[str]:
    export = imported.matched.export
    personal = [export.name(place) for place in export.placed("personal", "person")]
    if personal:
        yield f"Names, mails, addresses and places are dropped, and stored nowhere: {_listed(personal)}."
    if imported.matched.columns.unused:
        yield f"Not of the questionnaire, and not stored: {_listed(imported.matched.columns.unused)}."


def _respondents(imported: Imported) -> Iterator[str]:
    for column in imported.rows.shared:
        taken = "as the map says, each code is one person" if imported.matched.persons else "so it names no person"
        what = "one code stands" if column.codes == 1 else f"{column.codes:,} codes stand in several rows each, one"
        yield (
            f"{column.heading}: {what} in {column.rows:,} rows, {taken}. The map can say which column does (person), "
            "or that this one is nothing (ignore)."
        )
    key = imported.request.key_file
    made = f"A key was made in {key}" if imported.key_made else f"The key is {key}"
    if imported.key_made and imported.request.dry_run:
        made = f"A key will be made in {key}"
    yield (
        f"Respondents are pseudonyms, new in each wave. {made}; keep it until the wave is closed, for without it a "
        "second answer of the same person is not found."
    )


def _repeats(imported: Imported) -> Iterator[str]:
    for name, rows in imported.repeated.items():
        yield (
            f"{rows:,} rows answer like rows of {name}, under other codes: the same survey, exported again. "
            "They are there already."
        )
    for name, rows in imported.elsewhere.items():
        yield (
            f"Warning: {rows:,} rows answer like rows of {name}, which is another wave. If it is the same survey, "
            "remove this part and import it with that wave."
        )


def _rows(imported: Imported) -> Iterator[str]:
    counts = imported.counts
    there = f", {imported.there_already:,} there already" if imported.there_already else ""
    yield (
        f"{counts['read']:,} rows = {counts['used']:,} used ({counts['new']:,} new{there}) "
        f"+ {counts['quarantined']:,} quarantined"
    )
    for reason, rows in imported.rows.reasons().items():
        yield f"  {rows:,} {reason}"
    if not counts["used"]:
        yield "No row can be used. See the reasons in the quarantine, and whether this is the right file."
    if imported.request.dry_run:
        yield "Nothing was written (--dry-run)."
    elif not imported.changed:
        yield "Nothing changed: these answers are there already."
    else:
        yield "Written: " + ", ".join(str(path) for path in imported.changed)


def _listed(names: list[str] | tuple[str, ...]) -> str:
    short = [name if len(name) <= 40 else name[:37] + "..." for name in names[:_LISTED]]
    return ", ".join(short) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
