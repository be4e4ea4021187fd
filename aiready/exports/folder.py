"""The data folder an export goes to: its units, the parts of `responses` it holds, and a new part beside them.

Every import is a file of its own, `responses/<wave>-<source>-<digest>.csv`; what lies there is never rewritten. A
single file `responses.csv` (.parquet, .xlsx) becomes the first part, unchanged: it moves into the folder.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aiready import loading
from aiready.errors import InfrastructureError, UsageError
from aiready.exports.files import Export
from aiready.exports.importing import AGAIN, Sorted
from aiready.exports.words import COMMENT
from aiready.instrument import Instrument
from aiready.places import Found, Place, find_tables
from aiready.publication import locked, private, write
from aiready.sources import safe_cells

RESPONSES, QUARANTINE = "responses", "quarantine"
_DIGEST_DIGITS = 8


@dataclass(frozen=True)
class DataFolder:
    """A data folder as an import meets it.

    `units`: names of its units by id. `single`: the one file that holds all responses, if there is one.
    """

    path: Path
    units: Mapping[str, str]
    single: Path | None


def open_folder(path: Path, rules: Instrument) -> DataFolder:
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
    places = find_tables(path).places
    units = tuple(place for place in places if place.table == "units")
    single = None
    for place in places:
        if place.table == RESPONSES and place.path.parent == path:
            if place.path.stem.casefold() != RESPONSES:
                raise UsageError(
                    f"{place.file}: the responses are a sheet of a workbook. Save it as {path / 'responses.csv'} and "
                    " remove it from the workbook; each import is a file beside it."
                )
            single = place.path
    return DataFolder(path, _units(units, rules), single)


def _units(places: tuple[Place, ...], rules: Instrument) -> dict[str, str]:
    """Names of the units by id, in the order of their table; none without one."""
    raw = loading.load(loading.connect(), Found(places), rules)[0] if places else {}
    if "units" not in raw:
        return {}
    table = raw["units"].select("unit_id", "name").to_pandas()
    return dict(zip(table["unit_id"], table["name"], strict=True))


def part_name(export: Export, wave: str) -> str:
    """File name of an import: the wave, the tool, and which file it was."""
    return f"{wave}-{export.source}-{export.digest[:_DIGEST_DIGITS]}.csv"


def imported_as(folder: DataFolder, export: Export) -> list[str]:
    """Parts that the very same file made before, whatever the wave."""
    ending = f"-{export.source}-{export.digest[:_DIGEST_DIGITS]}.csv"
    return [path.name for path in _parts(folder) if path.name.endswith(ending)]


def _parts(folder: DataFolder) -> list[Path]:
    return sorted((folder.path / RESPONSES).glob("*-*.csv"))


def without_known(folder: DataFolder, sorted_rows: Sorted, wave: str, name: str) -> tuple[Sorted, int]:
    """Leave out answer sheets that other imports of the wave brought: the same ones silently, changed ones visibly.

    Returns
    -------
    tuple of Sorted and int
        What remains, and how many were there already, word for word.
    """
    others = [path for path in _parts(folder) if path.name.startswith(f"{wave}-") and path.name != name]
    if not others:
        return sorted_rows, 0
    known = pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in others], ignore_index=True)
    used = sorted_rows.used
    before = known.drop_duplicates("respondent_id").set_index("respondent_id").reindex(columns=used.columns[1:])
    there = used["respondent_id"].isin(before.index)
    beside = before.reindex(used.loc[there, "respondent_id"]).fillna("")
    same = pd.Series(False, used.index)
    same[there] = (beside.to_numpy() == used.loc[there].iloc[:, 1:].to_numpy()).all(axis=1)
    changed = used[there & ~same].assign(
        column="", value="", rule=AGAIN + ": the same respondent answered otherwise in an earlier import"
    )
    left_out = pd.concat([sorted_rows.left_out, changed], ignore_index=True)
    return Sorted(used[~there], left_out), int(same.sum())


def is_there(folder: DataFolder, sorted_rows: Sorted, name: str) -> bool:
    """Whether the part stands in the folder already, byte for byte."""
    path = folder.path / RESPONSES / name
    return path.exists() and path.read_bytes() == _bytes(_safe_comments(sorted_rows.used))


@contextmanager
def writing(folder: DataFolder) -> Iterator[None]:
    """Hold the data folder, made where it is absent, against a second import."""
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        with locked(folder.path):
            yield
    except OSError as error:
        raise InfrastructureError(f"{folder.path}: cannot be written ({error.strerror}).") from error


def write_part(folder: DataFolder, sorted_rows: Sorted, name: str) -> list[Path]:
    """Write what was set aside, then the new part; each whole or not at all. Returns the files that changed."""
    changed = []
    aside = folder.path / QUARANTINE / name
    if len(sorted_rows.left_out):
        changed += _write(private(aside.parent) / name, safe_cells(sorted_rows.left_out))
    else:
        aside.unlink(missing_ok=True)
    if len(sorted_rows.used):
        if folder.single is not None:
            (folder.path / RESPONSES).mkdir(exist_ok=True)
            changed.append(folder.single.rename(folder.path / RESPONSES / folder.single.name))
        changed += _write(folder.path / RESPONSES / name, _safe_comments(sorted_rows.used))
    else:
        (folder.path / RESPONSES / name).unlink(missing_ok=True)
    return changed


def _safe_comments(used: pd.DataFrame) -> pd.DataFrame:
    """What people wrote, harmless in a spreadsheet; ids stay as they are."""
    return used.assign(**safe_cells(used[[COMMENT]])) if COMMENT in used else used


def _bytes(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def _write(path: Path, table: pd.DataFrame) -> list[Path]:
    content = _bytes(table)
    if path.exists() and path.read_bytes() == content:
        return []
    write(path, content)
    return [path]
