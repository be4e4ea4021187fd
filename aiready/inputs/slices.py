"""Files of slices: the rows of one job, initiative, unit or person, which supersede those in every other file.

A notebook saves the tasks of one job in `tasks/claims--handler.csv`. Which rows a file supersedes is told by its name,
so that a file without rows removes them all.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from aiready.atomic_files import DIGEST, file_stem, sha256
from aiready.inputs.files import FILE, SUPERSEDED_BY
from aiready.model.schema import Table

_SEPARATOR = "--"
_MAX_LENGTH = 150


def comparable(cell: str) -> str:
    """A cell in the form in which ids are compared: spreadsheets write 11 as 11.0."""
    text = cell.strip()
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def slice_name(table: Table, cells: Sequence[str]) -> str:
    """Name of a slice's file without suffix, from its cells in the columns `table.slices`; never that of another slice.

    Examples
    --------
    >>> from aiready.model.schema import TABLES
    >>> slice_name(TABLES["tasks"], ["claims", "claims-handler", ""]), slice_name(TABLES["actions"], ["claims"])
    ('claims--claims-handler', 'actions--claims')
    """
    kinds = [table.column(name).kind for name in table.slices]
    texts = [comparable(cell).lower() if kind == "wave" else comparable(cell)
             for kind, cell in zip(kinds, cells, strict=True)]  # fmt: skip
    stems = [file_stem(text) for text in texts]
    while len(stems) > 1 and not stems[-1]:
        stems.pop()
    name = _SEPARATOR.join(stems if len(stems) > 1 else [table.name, *stems])
    if len(name) <= _MAX_LENGTH:
        return name
    return f"{name[:_MAX_LENGTH]}-{sha256(name)[:DIGEST]}"


def is_slice_file(table: Table | None, path: Path) -> bool:
    """Whether a file in the folder of a table is named as that of a slice."""
    return table is not None and bool(table.slices) and _SEPARATOR in path.stem and path.suffix == ".csv"


def mark_superseded(table: Table, rows: pa.Table, files: Sequence[str]) -> pa.Table:
    """Rows of several files of a table, with `SUPERSEDED_BY`: the one of the slices' `files` that takes a row's place.

    Without files of slices the rows are returned as they are.
    """
    if not files:
        return rows
    file_of_slice = {Path(file).stem: file for file in files}
    blank = pa.array([""] * len(rows), pa.string())
    columns = [pc.fill_null(rows[name], "") if name in rows.column_names else blank for name in table.slices]
    keys = list(zip(*(column.to_pylist() for column in columns), strict=True))
    file_of_key = {key: file_of_slice.get(slice_name(table, key)) for key in set(keys)}
    superseding = [file_of_key[key] for key in keys]
    marks = [None if new == file else new for new, file in zip(superseding, rows[FILE].to_pylist(), strict=True)]
    return rows.append_column(SUPERSEDED_BY, pa.array(marks, pa.string()))
