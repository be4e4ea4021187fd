"""Cut from the results what one page is made from, as files, with a digest of every part.

A page is a function of these files, the questionnaire, the notebook and the package. So they hold only what pages
show: of the organisation the measures in `TOTALS` and its barriers in the wave shown, rounded as on pages; measures
that compare a unit with the others in whole points; of the rows read only how many were left out. Then equal digests
mean equal pages, and no page shows an outdated total.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather

from aiready.atomic_files import digest
from aiready.model.registry import ALL, NUMBERS, OK, ORGANISATION, SUPPRESSED
from aiready.package_files import package_file
from aiready.profile.assessment import FACTS, OWN_AND_TOTAL, TOTALS, Assessment

INPUT_TABLES = {
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
"""The input table that a table of results mainly comes from; tables not named here come from several."""
MIXED_PART, TOTAL_PART, FACTS_PART = "profile", "organisation", "facts"
ORGANISATION_COLUMNS = ("perception", "practice")
"""Columns of the organisation's barriers that a unit's page shows."""
RELATIVE = ("difference_from_rest", "perception_shrunk", "icc1", "icc2")
"""Measures of a unit that change a little with every answer in other units; pages show only what follows from them."""
DIGITS = 9
"""Significant digits of a number: the last digits of a sum vary with what is summed in the same query."""


@dataclass(frozen=True)
class PageInputs:
    """Files by name, digests by part, and whether the unit's answers are hidden because too few people answered."""

    files: Mapping[str, bytes]
    parts: Mapping[str, str]
    too_small: bool


class PageInputsBuilder:
    """Cut the inputs of pages from one assessment.

    Parameters
    ----------
    questionnaire
        The files of the instrument, by name.
    children
        Whether a parent's inputs hold the profiles of its children.
    """

    def __init__(self, assessment: Assessment, questionnaire: Mapping[str, bytes], *, children: bool = False):
        tables = {name: _rounded(table) for name, table in assessment.tables.items()}
        self.assessment = replace(assessment, tables=tables)
        self.questionnaire, self.children = questionnaire, children

    def page_inputs(self, unit_id: str) -> PageInputs:
        """The inputs of one unit's page, or of the organisation's: everything."""
        assessment = self.assessment
        own = assessment if unit_id == ORGANISATION else _as_on_pages(assessment.unit(unit_id, children=self.children))
        tables = {name: _arrow(table) for name, table in own.tables.items()}
        contents = {name: _feather(table) for name, table in tables.items()}
        parts = _parts(own, tables["measures"], contents)
        stamped = replace(own, facts=replace(own.facts, input_digest=digest(*parts.values())))
        files = {f"{name}.feather": content for name, content in contents.items()}
        files |= {f"instrument/{name}": text for name, text in self.questionnaire.items()}
        return PageInputs(files | {FACTS: stamped.facts_json()}, parts, too_small(own, unit_id))


def save_page_inputs(assessment: Assessment, unit_id: str, folder: Path) -> None:
    """Write the inputs of a page to a folder that a notebook can read as its `results`."""
    questionnaire = instrument_files(package_file("data/instrument"))
    for name, content in PageInputsBuilder(assessment, questionnaire).page_inputs(unit_id).files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def instrument_files(folder: Path) -> dict[str, bytes]:
    """The files of an instrument folder by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _as_on_pages(own: Assessment) -> Assessment:
    """A unit's assessment, reduced to what its page shows."""
    tables = dict(own.tables)
    for name in OWN_AND_TOTAL:
        total = tables[name]["unit_id"] == ORGANISATION
        total_rows = _total_on_pages(name, tables[name].loc[total], own.facts.wave)
        tables[name] = pd.concat([tables[name].loc[~total], total_rows], ignore_index=True) if len(total_rows) else (
            tables[name].loc[~total].reset_index(drop=True))  # fmt: skip
    tables["measures"] = _whole_points(tables["measures"])
    tables["counts"] = tables["counts"][["table", "quarantined"]]
    tables["inputs"] = tables["inputs"].iloc[:0]
    return replace(own, tables=tables)


def _whole_points(measures: pd.DataFrame) -> pd.DataFrame:
    """The measures, those that compare the unit with others in whole points and without their notes."""
    relative = measures["measure"].isin(RELATIVE)
    with_value = relative & measures["status"].eq(OK)
    numbers = measures[list(NUMBERS)].astype(float)
    rounded = {name: numbers[name].mask(relative, numbers[name].round()) for name in NUMBERS}
    return measures.assign(**rounded, note=measures["note"].mask(with_value, ""))


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its numbers rounded to `DIGITS` significant digits."""
    floats = table.select_dtypes("float")
    return table.assign(**{name: _significant(floats[name].to_numpy()) for name in floats}) if len(table) else table


def _significant(numbers: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        decimals = DIGITS - 1 - np.floor(np.log10(np.abs(numbers)))
        scale = 10.0 ** np.where(np.isfinite(decimals), np.clip(decimals, -300, 300), 0)
        rounded: np.ndarray = np.where(np.isfinite(numbers), np.round(numbers * scale) / scale, numbers)
    return rounded


def _total_on_pages(name: str, rows: pd.DataFrame, wave: str) -> pd.DataFrame:
    """The organisation's rows that a unit's page may show, rounded as the page shows them."""
    if name == "measures":
        rows = rows.loc[rows["measure"].isin(TOTALS) & (rows["segment"] == ALL)].copy()
        shares = rows["unit"] == "share"
        rounded = np.where(shares, _percent(rows["value"]), rows["value"].astype(float).round())
        blank: dict[str, object] = dict.fromkeys(NUMBERS, np.nan)
        return rows.assign(**blank | {"value": rounded, "note": ""})
    if name == "barriers":
        rows = rows.loc[rows["wave"] == wave]
        numbers = rows.select_dtypes("number").columns
        rounded_columns = {column: rows[column].astype(float).round() for column in ORGANISATION_COLUMNS}
        return rows.assign(**dict.fromkeys(numbers, np.nan) | rounded_columns)
    return rows.iloc[:0]


def _percent(shares: pd.Series) -> np.ndarray:
    """Shares in whole per cent, but never 0 or 1 for a share that is neither."""
    exact = shares.to_numpy(dtype=float)
    percent: np.ndarray = np.where((exact > 0) & (exact < 1), np.clip(exact.round(2), 0.004, 0.996), exact)
    return percent


def _arrow(table: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(table, preserve_index=False, nthreads=1)


def _feather(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    feather.write_feather(table, buffer, compression="uncompressed")
    return buffer.getvalue()


def _parts(own: Assessment, measures: pa.Table, contents: Mapping[str, bytes]) -> dict[str, str]:
    """Digest of each part of the inputs: one per input table, one for the rest.

    `contents`: the files' content by table of results.
    """
    by_part: dict[str, list[bytes]] = {}
    total = (own.measures["unit_id"].eq(ORGANISATION) & (own.unit_id != ORGANISATION)).to_numpy()
    for part, positions in own.measures.loc[~total].groupby("table", sort=True).indices.items():
        by_part[str(part)] = [_feather(measures.take(np.flatnonzero(~total)[positions]))]
    if own.unit_id != ORGANISATION:
        barriers = own.barriers.loc[own.barriers["unit_id"] == ORGANISATION]
        by_part[TOTAL_PART] = [_feather(measures.filter(total)), _feather(_arrow(barriers))]
    for name, content in sorted(contents.items()):
        if name != "measures":
            by_part.setdefault(INPUT_TABLES.get(name, MIXED_PART), []).append(content)
    facts = json.loads(own.facts_json())
    del facts["input_digest"]
    by_part[FACTS_PART] = [json.dumps(facts, sort_keys=True).encode()]
    return {part: digest(*contents) for part, contents in by_part.items()}


def too_small(assessment: Assessment, unit_id: str) -> bool:
    """Whether a unit's answers are hidden in the wave shown."""
    cells = assessment.cells(unit_id, "perception")
    statuses = cells.loc[cells["segment"].eq(ALL) & cells["wave"].eq(assessment.facts.wave), "status"]
    return bool(len(statuses)) and bool((statuses == SUPPRESSED).all())
