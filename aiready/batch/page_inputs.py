"""What one page is made from: a unit's slice of the results as files, with a digest of every part of it.

A page is a function of its slice, the questionnaire, the notebook and the package, so a slice holds no more than
pages show: of the organisation the total of `TOTALS` and of its barriers in the wave shown, rounded as pages show
them; of measures that set a unit beside the others, whole points; and nothing of files and rows read but how many
were left out. Then equal digests mean equal pages, and a reader never meets a total that is not today's.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather

from aiready.model.registry import ALL, NUMBERS, OK, ORGANISATION, SUPPRESSED
from aiready.package_files import shipped
from aiready.profile.assessment import FACTS, OWN_AND_TOTAL, TOTALS, Assessment

PARTS = {
    "items": "responses",
    "themes": "responses",
    "change_sources": "responses",
    "sensitivity": "responses",
    "initiatives": "initiatives",
    "verdicts": "trials",
    "tasks": "tasks",
    "step_changes": "workflow_steps",
    "actions": "actions",
}
"""From which input table a table of results mainly comes; the others come from several."""
SEVERAL, TOTAL, FACTS_PART = "profile", "organisation", "facts"
SHOWN = ("perception", "practice")
"""Columns of the organisation's barriers that a unit's page shows."""
RELATIVE = ("difference_from_rest", "perception_shrunk", "icc1", "icc2")
"""Measures of a unit that every answer of every other unit moves a little; pages show what follows from them."""
DIGITS = 9
"""Significant digits of a number in a slice: sums differ in the last ones with what else was summed beside them."""


@dataclass(frozen=True)
class Slice:
    """Files by name, digests by part, and whether what people of the unit say is hidden: too few answered."""

    files: Mapping[str, bytes]
    parts: Mapping[str, str]
    too_small: bool


class Slicer:
    """Cuts the slices of one assessment, one after the other.

    Parameters
    ----------
    questionnaire
        The files of the instrument, by name.
    children
        Whether a parent's slice holds the profiles of its children.
    """

    def __init__(self, whole: Assessment, questionnaire: Mapping[str, bytes], *, children: bool = False):
        self.whole = replace(whole, tables={name: _steady(table) for name, table in whole.tables.items()})
        self.questionnaire, self.children = questionnaire, children

    def slice_of(self, unit_id: str) -> Slice:
        """Cut the slice of one unit, or of the organisation: all of it."""
        whole = self.whole
        own = whole if unit_id == ORGANISATION else _as_shown(whole.unit(unit_id, children=self.children))
        tables = {name: _arrow(table) for name, table in own.tables.items()}
        contents = {name: _feather(table) for name, table in tables.items()}
        parts = _parts(own, tables["measures"], contents)
        stamped = replace(own, facts=replace(own.facts, input_digest=digest(*parts.values())))
        files = {f"{name}.feather": content for name, content in contents.items()}
        files |= {f"instrument/{name}": text for name, text in self.questionnaire.items()}
        return Slice(files | {FACTS: stamped.facts_json()}, parts, too_small(own, unit_id))


def save_slice(whole: Assessment, unit_id: str, folder: Path) -> None:
    """Write a slice to a folder that a notebook can read as its `results`."""
    questionnaire = instrument_files(shipped("data/instrument"))
    for name, content in Slicer(whole, questionnaire).slice_of(unit_id).files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def instrument_files(folder: Path) -> dict[str, bytes]:
    """The files of an instrument folder by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def digest(*parts: bytes | str) -> str:
    """Twelve hex digits that tell the parts from others."""
    found = hashlib.sha256()
    for part in parts:
        found.update(hashlib.sha256(part.encode() if isinstance(part, str) else part).digest())
    return found.hexdigest()[:12]


def _as_shown(own: Assessment) -> Assessment:
    tables = dict(own.tables)
    for name in OWN_AND_TOTAL:
        total = tables[name]["unit_id"] == ORGANISATION
        kept = _total(name, tables[name].loc[total], own.facts.wave)
        tables[name] = pd.concat([tables[name].loc[~total], kept], ignore_index=True) if len(kept) else (
            tables[name].loc[~total].reset_index(drop=True))  # fmt: skip
    tables["measures"] = _relative_rounded(tables["measures"])
    tables["counts"] = tables["counts"][["table", "quarantined"]]
    tables["inputs"] = tables["inputs"].iloc[:0]
    return replace(own, tables=tables)


def _relative_rounded(measures: pd.DataFrame) -> pd.DataFrame:
    """Measures that set the unit beside the others, without what stands on no page."""
    relative = measures["measure"].isin(RELATIVE)
    said = relative & measures["status"].eq(OK)
    numbers = measures[list(NUMBERS)].astype(float)
    rounded = {name: numbers[name].mask(relative, numbers[name].round()) for name in NUMBERS}
    return measures.assign(**rounded, note=measures["note"].mask(said, ""))


def _steady(table: pd.DataFrame) -> pd.DataFrame:
    """A table with numbers of `DIGITS` significant digits."""
    floats = table.select_dtypes("float")
    return table.assign(**{name: _significant(floats[name].to_numpy()) for name in floats}) if len(table) else table


def _significant(numbers: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        places = DIGITS - 1 - np.floor(np.log10(np.abs(numbers)))
        scale = 10.0 ** np.where(np.isfinite(places), np.clip(places, -300, 300), 0)
        return np.where(np.isfinite(numbers), np.round(numbers * scale) / scale, numbers)


def _total(name: str, rows: pd.DataFrame, wave: str) -> pd.DataFrame:
    """The organisation's rows that a unit's page may show, at the precision in which it shows them."""
    if name == "measures":
        rows = rows.loc[rows["measure"].isin(TOTALS) & (rows["segment"] == ALL)].copy()
        shares = rows["unit"] == "share"
        rounded = np.where(shares, _percent(rows["value"]), rows["value"].astype(float).round())
        blank: dict[str, object] = dict.fromkeys(NUMBERS, np.nan)
        return rows.assign(**blank | {"value": rounded, "note": ""})
    if name == "barriers":
        rows = rows.loc[rows["wave"] == wave]
        numbers = rows.select_dtypes("number").columns
        shown = {column: rows[column].astype(float).round() for column in SHOWN}
        return rows.assign(**dict.fromkeys(numbers, np.nan) | shown)
    return rows.iloc[:0]


def _percent(shares: pd.Series) -> np.ndarray:
    """Shares in whole per cent; what is not quite nothing or everything stays so."""
    exact = shares.to_numpy(dtype=float)
    return np.where((exact > 0) & (exact < 1), np.clip(exact.round(2), 0.004, 0.996), exact)


def _arrow(table: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(table, preserve_index=False, nthreads=1)


def _feather(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    feather.write_feather(table, buffer, compression="uncompressed")
    return buffer.getvalue()


def _parts(own: Assessment, measures: pa.Table, contents: Mapping[str, bytes]) -> dict[str, str]:
    """Digest of each part of a slice: by input table, the rest together; `contents` by table."""
    by_part: dict[str, list[bytes]] = {}
    total = (own.measures["unit_id"].eq(ORGANISATION) & (own.unit_id != ORGANISATION)).to_numpy()
    for part, places in own.measures.loc[~total].groupby("table", sort=True).indices.items():
        by_part[str(part)] = [_feather(measures.take(np.flatnonzero(~total)[places]))]
    if own.unit_id != ORGANISATION:
        whole = own.barriers.loc[own.barriers["unit_id"] == ORGANISATION]
        by_part[TOTAL] = [_feather(measures.filter(total)), _feather(_arrow(whole))]
    for name, content in sorted(contents.items()):
        if name != "measures":
            by_part.setdefault(PARTS.get(name, SEVERAL), []).append(content)
    facts = json.loads(own.facts_json())
    del facts["input_digest"]
    by_part[FACTS_PART] = [json.dumps(facts, sort_keys=True).encode()]
    return {part: digest(*contents) for part, contents in by_part.items()}


def too_small(whole: Assessment, unit_id: str) -> bool:
    """Whether what people of a unit say is hidden in the wave shown."""
    said = whole.cells(unit_id, "perception")
    shown = said.loc[said["segment"].eq(ALL) & said["wave"].eq(whole.facts.wave), "status"]
    return bool(len(shown)) and bool((shown == SUPPRESSED).all())
