"""Read the units and earlier imports of a data folder, and write a new part of its `responses`.

Every import is a file of its own, `responses/<wave>-<source>-<digest>.csv`; other files there are never rewritten. A
single file `responses.csv` (.parquet, .xlsx) is moved into that folder, unchanged, as the first part.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from aiready.atomic_files import folder_lock, make_private_folder, write_file
from aiready.collection.survey_import.files import Export
from aiready.collection.survey_import.import_rows import DUPLICATE, MatchedExport, SplitRows
from aiready.collection.survey_import.lexicon import strip_zero_decimals
from aiready.collection.survey_import.repeats import Repeats, find_repeats, repeats_of_other_waves, split_by_wave
from aiready.collection.survey_import.vocabulary import COMMENT
from aiready.errors import InfrastructureError, InputError, UsageError, raise_all
from aiready.inputs import duckdb_engine, load
from aiready.inputs.discover import Discovery, TablePart, find_tables
from aiready.inputs.file_signatures import stem_of
from aiready.inputs.files import ROW
from aiready.inputs.safe_text import safe_cells
from aiready.inputs.slices import is_slice_file
from aiready.instrument.model import Instrument
from aiready.model.schema import TABLES
from aiready.package_files import read_rows

RESPONSES, QUARANTINE = "responses", "quarantine"
_DIGEST_DIGITS = 8


@dataclass(frozen=True)
class DataFolder:
    """A data folder before an import.

    `units`, `parents`: name, and id of the parent, by unit_id. `single`: the file that holds all responses, if there
    is one.
    """

    path: Path
    units: Mapping[str, str]
    single: Path | None
    parents: Mapping[str, str] = field(default_factory=dict)


def open_folder(path: Path, instrument: Instrument) -> DataFolder:
    """Read a data folder; one that does not exist yet is empty.

    Raises
    ------
    UsageError
        It is a file, or its responses are a sheet of a workbook, so that no part can be added.
    """
    if path.is_file():
        raise UsageError(f"{path}: give a folder; to import beside a workbook, put the workbook into a folder first.")
    if not path.exists():
        return DataFolder(path, {}, None)
    parts = find_tables(path).parts
    units = tuple(part for part in parts if part.table == "units")
    single = None
    for part in parts:
        if part.table == RESPONSES and part.folder is not None and part.folder.name != RESPONSES:
            raise UsageError(
                f"{part.folder.name}/: the responses lie in a folder of another name. Call it {RESPONSES}; each "
                "import is a file in it."
            )
        if part.table == RESPONSES and part.path.parent == path:
            if stem_of(part.path).casefold() != RESPONSES:
                raise UsageError(
                    f"{part.file}: the responses are a sheet of a workbook. Save it as {path / 'responses.csv'} and "
                    " remove it from the workbook; each import is a file beside it."
                )
            single = part.path
    return DataFolder(path, *_units(units, instrument, single))


def _units(
    parts: tuple[TablePart, ...], instrument: Instrument, single: Path | None
) -> tuple[dict[str, str], Path | None, dict[str, str]]:
    """Names of the units by id in the order of their table, `single`, and their parents; empty without a table.

    Raises
    ------
    InputError
        Two units have the same id, so that their answers could not be distinguished.
    """
    raw = load.load(duckdb_engine.connect(), Discovery(parts), instrument)[0] if parts else {}
    if "units" not in raw:
        return {}, single, {}
    units = raw["units"]
    columns = [name for name in ("unit_id", "name", "parent_id") if name in units.columns]
    table = units.select(*columns).to_pandas().reindex(columns=["unit_id", "name", "parent_id"]).fillna("").astype(str)
    # a spreadsheet writes the id 11 as 11.0
    table = table.map(lambda cell: strip_zero_decimals(" ".join(cell.split())))
    table = table[table["unit_id"].ne("")].drop_duplicates()
    duplicate_ids = table.loc[table["unit_id"].duplicated(), "unit_id"].unique()
    raise_all(InputError, [f'units: the id "{unit}" names two units. Give each its own.' for unit in duplicate_ids])
    names = dict(zip(table["unit_id"], table["name"], strict=True))
    return names, single, dict(zip(table["unit_id"], table["parent_id"], strict=True))


def part_name(export: Export, wave: str) -> str:
    """File name of an import: wave, tool and digest of the export."""
    return f"{wave}-{export.source}-{export.digest[:_DIGEST_DIGITS]}.csv"


def parts_of_export(folder: DataFolder, export: Export) -> list[str]:
    """Parts that were imported from the same file, in any wave."""
    ending = f"-{export.source}-{export.digest[:_DIGEST_DIGITS]}.csv"
    return [path.name for path in _parts(folder) if path.name.endswith(ending)]


def _parts(folder: DataFolder) -> list[Path]:
    """Files of imports; what a notebook saved of one person is none."""
    paths = sorted((folder.path / RESPONSES).glob("*-*.csv"))
    return [path for path in paths if not is_slice_file(TABLES[RESPONSES], path)]


@dataclass(frozen=True)
class NewRows:
    """New rows of an import. `n_present`: number of rows that an earlier import holds under the same code.

    `repeats`: rows that an earlier import holds under other codes. `other_waves`: part of another wave with the same
    answers -> number of rows.
    """

    rows: SplitRows
    n_present: int
    repeats: Repeats
    other_waves: Mapping[str, int]


def drop_imported(folder: DataFolder, split: SplitRows, matched: MatchedExport, name: str) -> NewRows:
    """Drop rows of earlier imports: equal ones are counted, ones whose answers changed are quarantined."""
    export, wave = matched.export, matched.wave
    others = [path.name for path in _parts(folder) if path.name != name]
    parts = {other: _read_part(folder, other) for other in others}
    of_wave, of_others = split_by_wave(others, wave)
    used = split.used
    imported = pd.concat([parts[other] for other in of_wave], ignore_index=True) if of_wave else used.iloc[:0]
    earlier = imported.drop_duplicates("respondent_id").set_index("respondent_id").reindex(columns=used.columns[1:])
    is_present = used["respondent_id"].isin(earlier.index)
    counterparts = earlier.reindex(used.loc[is_present, "respondent_id"]).fillna("")
    safe = _safe_comments(used)
    same = pd.Series(False, used.index)
    same[is_present] = (counterparts.to_numpy() == safe.loc[is_present].iloc[:, 1:].to_numpy()).all(axis=1)
    changed = used[is_present & ~same]
    changed = changed.assign(
        file=export.file, row=export.rows.loc[changed.index, ROW], column="", value="",
        rule=DUPLICATE + ": the same respondent answered otherwise in an earlier import",
    )  # fmt: skip
    left_out = pd.concat([split.left_out, changed], ignore_index=True)
    new, codes = used[~is_present], set(used["respondent_id"])
    unmatched = {other: parts[other][~parts[other]["respondent_id"].isin(codes)] for other in of_wave}
    own = _read_part(folder, name) if name in {path.name for path in _parts(folder)} else None
    repeats = find_repeats(new, unmatched, matched.import_map, own)
    other_waves = repeats_of_other_waves(new, {other: parts[other] for other in of_others})
    rows = SplitRows(new.drop(index=repeats.rows), left_out, split.shared)
    return NewRows(rows, int(same.sum()), repeats, other_waves)


def _read_part(folder: DataFolder, name: str) -> pd.DataFrame:
    (_, columns), *rows = read_rows(folder.path / RESPONSES / name)
    return pd.DataFrame([cells for _, cells in rows], columns=columns, dtype=object)


def is_imported(folder: DataFolder, split: SplitRows, name: str) -> bool:
    """Whether the folder holds the same part already, byte for byte."""
    path = folder.path / RESPONSES / name
    return path.exists() and path.read_bytes() == _bytes(_safe_comments(split.used))


@contextmanager
def locked_for_writing(folder: DataFolder) -> Iterator[None]:
    """Lock the data folder against a second import, making it if it does not exist."""
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder.path):
            yield
    except OSError as error:
        raise InfrastructureError(f"{folder.path}: cannot be written ({error.strerror}).") from error


def write_part(folder: DataFolder, split: SplitRows, name: str) -> list[Path]:
    """Write the quarantined rows, then the new part, each atomically; return the files that changed."""
    changed = []
    quarantine_file = folder.path / QUARANTINE / name
    if len(split.left_out):
        changed += _write(make_private_folder(quarantine_file.parent) / name, safe_cells(split.left_out))
    else:
        quarantine_file.unlink(missing_ok=True)
    if len(split.used):
        if folder.single is not None:
            (folder.path / RESPONSES).mkdir(exist_ok=True)
            changed.append(folder.single.rename(folder.path / RESPONSES / folder.single.name))
        changed += _write(folder.path / RESPONSES / name, _safe_comments(split.used))
    else:
        (folder.path / RESPONSES / name).unlink(missing_ok=True)
    return changed


def _safe_comments(used: pd.DataFrame) -> pd.DataFrame:
    """Rows with comments escaped for spreadsheets; ids stay as they are."""
    return used.assign(**safe_cells(used[[COMMENT]])) if COMMENT in used else used


def _bytes(table: pd.DataFrame) -> bytes:
    content: bytes = table.to_csv(index=False).encode()
    return content


def _write(path: Path, table: pd.DataFrame) -> list[Path]:
    content = _bytes(table)
    if path.exists() and path.read_bytes() == content:
        return []
    write_file(path, content)
    return [path]
