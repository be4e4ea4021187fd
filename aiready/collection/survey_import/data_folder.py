"""The data folder an export goes to: its units, the parts of `responses` it holds, and a new part beside them.

Every import is a file of its own, `responses/<wave>-<source>-<digest>.csv`; what lies there is never rewritten. A
single file `responses.csv` (.parquet, .xlsx) becomes the first part, unchanged: it moves into the folder.
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
from aiready.inputs.dataset import safe_cells
from aiready.inputs.discover import Discovery, TablePart, find_tables
from aiready.inputs.file_signatures import stem_of
from aiready.inputs.files import ROW
from aiready.instrument.model import Instrument

RESPONSES, QUARANTINE = "responses", "quarantine"
_DIGEST_DIGITS = 8


@dataclass(frozen=True)
class DataFolder:
    """A data folder as an import meets it.

    `units`, `parents`: name, and id of the unit above, by unit_id. `single`: the one file that holds all responses, if
    there is one.
    """

    path: Path
    units: Mapping[str, str]
    single: Path | None
    parents: Mapping[str, str] = field(default_factory=dict)


def open_folder(path: Path, instrument: Instrument) -> DataFolder:
    """Look at a data folder; one that is not there yet is empty.

    Raises
    ------
    UsageError
        It is a file, or its responses are a sheet among others, where a part cannot be put beside it.
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
    """Names of the units by id, in the order of their table, and the units above them; none without one.

    Raises
    ------
    InputError
        One id names two units: answers to either could not be told apart.
    """
    raw = load.load(duckdb_engine.connect(), Discovery(parts), instrument)[0] if parts else {}
    if "units" not in raw:
        return {}, single, {}
    units = raw["units"]
    columns = [name for name in ("unit_id", "name", "parent_id") if name in units.columns]
    table = units.select(*columns).to_pandas().reindex(columns=["unit_id", "name", "parent_id"]).fillna("").astype(str)
    table = table.map(
        lambda cell: strip_zero_decimals(" ".join(cell.split()))
    )  # a spreadsheet writes the id 11 as 11.0
    table = table[table["unit_id"].ne("")].drop_duplicates()
    duplicate_ids = table.loc[table["unit_id"].duplicated(), "unit_id"].unique()
    raise_all(InputError, [f'units: the id "{unit}" names two units. Give each its own.' for unit in duplicate_ids])
    names = dict(zip(table["unit_id"], table["name"], strict=True))
    return names, single, dict(zip(table["unit_id"], table["parent_id"], strict=True))


def part_name(export: Export, wave: str) -> str:
    """File name of an import: the wave, the tool, and which file it was."""
    return f"{wave}-{export.source}-{export.digest[:_DIGEST_DIGITS]}.csv"


def parts_of_export(folder: DataFolder, export: Export) -> list[str]:
    """Parts that the very same file made before, whatever the wave."""
    ending = f"-{export.source}-{export.digest[:_DIGEST_DIGITS]}.csv"
    return [path.name for path in _parts(folder) if path.name.endswith(ending)]


def _parts(folder: DataFolder) -> list[Path]:
    return sorted((folder.path / RESPONSES).glob("*-*.csv"))


@dataclass(frozen=True)
class NewRows:
    """What is new of an import: `rows`; `there` came before word for word under the same code, `repeats` under others.

    `elsewhere`: parts of other waves whose answers this import holds too, and how many.
    """

    rows: SplitRows
    n_present: int
    repeats: Repeats
    other_waves: Mapping[str, int]


def drop_imported(folder: DataFolder, split_rows: SplitRows, matched: MatchedExport, name: str) -> NewRows:
    """Leave out answer sheets that other imports brought: the same ones counted, changed ones set aside."""
    export, wave = matched.export, matched.wave
    others = [path.name for path in _parts(folder) if path.name != name]
    parts = {other: _read_part(folder, other) for other in others}
    of_wave, of_others = split_by_wave(others, wave)
    used = split_rows.used
    imported = pd.concat([parts[other] for other in of_wave], ignore_index=True) if of_wave else used.iloc[:0]
    earlier = imported.drop_duplicates("respondent_id").set_index("respondent_id").reindex(columns=used.columns[1:])
    is_imported_code = used["respondent_id"].isin(earlier.index)
    counterparts = earlier.reindex(used.loc[is_imported_code, "respondent_id"]).fillna("")
    safe = _safe_comments(used)
    same = pd.Series(False, used.index)
    same[is_imported_code] = (counterparts.to_numpy() == safe.loc[is_imported_code].iloc[:, 1:].to_numpy()).all(axis=1)
    changed = used[is_imported_code & ~same]
    changed = changed.assign(
        file=export.file, row=export.rows.loc[changed.index, ROW], column="", value="",
        rule=DUPLICATE + ": the same respondent answered otherwise in an earlier import",
    )  # fmt: skip
    left_out = pd.concat([split_rows.left_out, changed], ignore_index=True)
    new, codes = used[~is_imported_code], set(used["respondent_id"])
    unmatched = {other: parts[other][~parts[other]["respondent_id"].isin(codes)] for other in of_wave}
    own = _read_part(folder, name) if name in {path.name for path in _parts(folder)} else None
    repeats = find_repeats(new, unmatched, matched.import_map, own)
    elsewhere = repeats_of_other_waves(new, {other: parts[other] for other in of_others})
    rows = SplitRows(new.drop(index=repeats.rows), left_out, split_rows.shared)
    return NewRows(rows, int(same.sum()), repeats, elsewhere)


def _read_part(folder: DataFolder, name: str) -> pd.DataFrame:
    return pd.read_csv(folder.path / RESPONSES / name, dtype=str, keep_default_na=False)


def is_imported(folder: DataFolder, split_rows: SplitRows, name: str) -> bool:
    """Whether the part stands in the folder already, byte for byte."""
    path = folder.path / RESPONSES / name
    return path.exists() and path.read_bytes() == _bytes(_safe_comments(split_rows.used))


@contextmanager
def locked_for_writing(folder: DataFolder) -> Iterator[None]:
    """Hold the data folder, made where it is absent, against a second import."""
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder.path):
            yield
    except OSError as error:
        raise InfrastructureError(f"{folder.path}: cannot be written ({error.strerror}).") from error


def write_part(folder: DataFolder, split_rows: SplitRows, name: str) -> list[Path]:
    """Write what was set aside, then the new part; each whole or not at all. Returns the files that changed."""
    changed = []
    quarantine_file = folder.path / QUARANTINE / name
    if len(split_rows.left_out):
        changed += _write(make_private_folder(quarantine_file.parent) / name, safe_cells(split_rows.left_out))
    else:
        quarantine_file.unlink(missing_ok=True)
    if len(split_rows.used):
        if folder.single is not None:
            (folder.path / RESPONSES).mkdir(exist_ok=True)
            changed.append(folder.single.rename(folder.path / RESPONSES / folder.single.name))
        changed += _write(folder.path / RESPONSES / name, _safe_comments(split_rows.used))
    else:
        (folder.path / RESPONSES / name).unlink(missing_ok=True)
    return changed


def _safe_comments(used: pd.DataFrame) -> pd.DataFrame:
    """What people wrote, harmless in a spreadsheet; ids stay as they are."""
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
