"""What an import did, in lines to print: what was recognised, what was dropped, and every row accounted for."""

from collections.abc import Iterator

from aiready.exports import Imported
from aiready.exports.files import SOURCES
from aiready.exports.words import COMMENT
from aiready.languages import OPENING

_LISTED = 8


def lines(imported: Imported) -> Iterator[str]:
    """Sentences on one import, in the order of its work."""
    yield from _recognised(imported)
    yield from _dropped(imported)
    yield _respondents(imported)
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
    if matched.answers.by_place:
        yield (
            f"Numbers beyond the levels are read by their place in the questionnaire: after level "
            f"{matched.words.levels}, does not apply, then don't know."
        )
    yield f"Wave {matched.wave} ({matched.wave_from})."


def _dropped(imported: Imported) -> Iterator[str]:
    export = imported.matched.export
    personal = [export.name(place) for place in export.placed("personal", "person")]
    if personal:
        yield f"Names, mails, addresses and places are dropped, and stored nowhere: {_listed(personal)}."
    if imported.matched.columns.unused:
        yield f"Not of the questionnaire, and not stored: {_listed(imported.matched.columns.unused)}."


def _respondents(imported: Imported) -> str:
    key = imported.request.key_file
    made = f"A key was made in {key}" if imported.key_made else f"The key is {key}"
    if imported.key_made and imported.request.dry_run:
        made = f"A key will be made in {key}"
    return (
        f"Respondents are pseudonyms, new in each wave. {made}; keep it until the wave is closed, for without it a "
        "second answer of the same person is not found."
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
    if imported.request.dry_run:
        yield "Nothing was written (--dry-run)."
    elif not imported.changed:
        yield "Nothing changed: these answers are there already."
    else:
        yield "Written: " + ", ".join(str(path) for path in imported.changed)


def _listed(names: list[str] | tuple[str, ...]) -> str:
    short = [name if len(name) <= 40 else name[:37] + "..." for name in names[:_LISTED]]
    return ", ".join(short) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
