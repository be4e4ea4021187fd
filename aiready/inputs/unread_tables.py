"""Write notes on files and folders that are named like a table and not read: a sentence each, with what to do."""

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path

from aiready.inputs.file_signatures import suffix_of
from aiready.inputs.files import canonical
from aiready.model.schema import TABLES

_COPY = re.compile(
    r"^(?:copy|kopie|copie|copia)[ _-]+(?:\(\d+\)[ _-]+)?(?:of|von|de|di)[ _-]+|^[#~]+|^conflicted[ _-]+"
    r"|(?:[ _-]*(?:\(\d+\)|\d+|v\d+|copy|kopie|copie|copia|old|new|backup|bak|final|orig|export|[#~]))+$",
    re.IGNORECASE,
)
_PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz", ".lz4", ".sz")
_DATABASES = (".duckdb", ".ddb", ".db", ".sqlite", ".sqlite3", ".accdb", ".mdb")
_LEFT_OVER = (
    ".bak", ".old", ".orig", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".swp", ".save",
)  # fmt: skip
_SPREADSHEETS = (".xlsb", ".numbers", ".xlt", ".xltx", ".fods", ".et", ".gsheet", ".xml")
_OWN = ("instrument", "languages", "plans", "quarantine", "records", "reports", "results", "notebooks")
"""Folders that this program reads or writes for other purposes."""
_LAKES = (
    ("_delta_log", "a Delta table"),
    (".hoodie", "a Hudi table"),
    ("metadata/*.metadata.json", "an Iceberg table"),
)


def display_name(path: Path) -> str:
    """Name of a file for messages; bytes that are no UTF-8 are replaced."""
    return path.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def did_you_mean(name: str) -> str:
    """The table with the most similar name, as a question; blank if no name is similar."""
    near = get_close_matches(name, TABLES, n=1, cutoff=0.8)
    return f" (did you mean {near[0]}?)" if near else ""


def table_like(name: str, tables: Iterable[str]) -> str | None:
    """The table that a file name stands for, ignoring suffixes, numbers and marks of a copy; None for other names.

    Examples
    --------
    >>> [table_like(name, TABLES) for name in ("Decisions (1).csv", "decisions.csv~", "copy of tasks.json", "my.csv")]
    ['decisions', 'decisions', 'tasks', None]
    """
    bare = name.strip("#~ ").split(".")[0]
    while (shorter := _COPY.sub("", bare)) not in (bare, ""):
        bare = shorter
    plain = canonical(bare)
    return plain if plain in set(tables) else None


def file_note(path: Path, table: str) -> str:
    """Note on a file that is named like a table and of a kind that is not read."""
    name, suffix = display_name(path), suffix_of(path)
    if suffix in _DATABASES:
        advice = f"Give a DuckDB file by its address (duckdb:///...), or save the table as {table}.csv."
    elif suffix in _PACKED:
        advice = f"Unpack it to {table}.csv or {table}.parquet; of packed files, {table}.csv.gz is read."
    elif suffix in _LEFT_OVER or name.endswith(("~", "#")):
        advice = f"It looks like a copy or an unfinished one: if it counts, name it {table}.csv; else move it away."
    elif suffix in _SPREADSHEETS:
        advice = f"Save it as {table}.xlsx or {table}.csv."
    elif not suffix:
        advice = f"Its name has no ending: call it {table}.csv or {table}.parquet, whichever it is."
    else:
        advice = f"Save it as {table}.csv or {table}.parquet, or call it by another name if it is no table."
    return f"{name} is named like the table {table} and was not read. {advice}"


def copy_note(path: Path, table: str) -> str:
    """Note on a readable file that is named like the copy of a table."""
    right = f"{table}{suffix_of(path)}"
    return (
        f"{display_name(path)} is named like a copy of the table {table} and was not read (did you mean {table}?). "
        f"Call it {right} if it is the one that counts, or move it away."
    )


def folder_note(folder: Path, table: str) -> str:
    """Note on a folder whose name resembles that of a table."""
    if folder.suffix.lower() in _SPREADSHEETS:
        return file_note(folder, table)
    return (
        f"{display_name(folder)}/ is a folder named like the table {table} and was not read. Call it {table} if its "
        "files are parts of the table, or move it away."
    )


def lake_note(folder: Path) -> str:
    """Note on a folder that is a Delta, Hudi or Iceberg table; blank for any other.

    Their Parquet files also hold rows that have since been changed or deleted.
    """
    kind = next((kind for inside, kind in _LAKES if _contains(folder, inside)), "")
    if not kind:
        return ""
    return (
        f"{display_name(folder)}/ is {kind} and was not read: beside the rows that count, its files hold changed and "
        "deleted ones. Write the table as plain Parquet, or give the database it belongs to."
    )


def _contains(folder: Path, pattern: str) -> bool:
    try:
        return any(folder.glob(pattern))
    except OSError:
        return False  # listing the folder reports it


def part_notes(folder: str, paths: Sequence[Path]) -> list[str]:
    """Notes on the files in a table folder that were not read: one per kind."""
    notes = []
    by_kind: Callable[[Path], str] = lambda path: "/" if path.is_dir() else suffix_of(path)  # noqa: E731
    for kind, same_kind in groupby(sorted(paths, key=lambda path: (by_kind(path), path.name)), key=by_kind):
        files = list(same_kind)
        names = display_name(files[0]) + (f" and {len(files) - 1} more" if len(files) > 1 else "")
        if kind == "/":
            notes.append(f"{folder}/{names}: folders inside are not read. Move their files up if they are parts.")
        else:
            notes.append(
                f"{folder}/{names}: {'this is' if len(files) == 1 else 'these are'} of a kind that is not read. "
                "Save as CSV, Parquet or .xlsx what is a part of the table."
            )
    return notes


def nested_tables_note(folder: Path, readable: Sequence[str], tables: Iterable[str]) -> str:
    """Note on a subfolder that holds files named like tables; blank for any other."""
    if canonical(folder.name) in _OWN or folder.name.startswith("."):
        return ""
    table_names = set(tables)
    try:
        paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    except OSError:
        return ""
    lookalikes = [
        path for path in paths if suffix_of(path) in readable and canonical(path.name.split(".")[0]) in table_names
    ]
    if not lookalikes:
        return ""
    first = f"{display_name(folder)}/{display_name(lookalikes[0])}"
    if len(lookalikes) == 1:
        files = f"{first} is named like a table and lies"
    else:
        files = f"{first} and {len(lookalikes) - 1} more are named like tables and lie"
    return f"{files} a folder too deep: not read. Move what counts up, or give that folder."
