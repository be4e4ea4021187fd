"""What `aiready check` says: rows by table, answers by unit and role, and who would be suppressed today."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from aiready import scales
from aiready.instrument import read_instrument
from aiready.measures import ORGANISATION
from aiready.privacy import survey_cells
from aiready.schema import ROLES
from aiready.sources import instrument_folder, read_data

REASONS = 5
"""Reasons for quarantine shown per table; all stand in the quarantine files."""


@dataclass(frozen=True)
class Checkup:
    """What was found in a data folder.

    `counts`: one row per table (table, read, used, quarantined, after_as_of). `reasons`: one row per table x
    rule (table, rule, rows, example). `answers`: one row per unit of the newest wave (unit_id, a column per
    role, all). `suppressed`: one row per unit x segment that would be hidden today.
    """

    counts: pd.DataFrame
    reasons: pd.DataFrame
    answers: pd.DataFrame
    suppressed: pd.DataFrame
    notes: tuple[str, ...]
    wave: str

    @property
    def quarantined(self) -> int:
        """Rows left out because they break a rule."""
        return int(self.counts["quarantined"].sum())

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        tables = {name: getattr(self, name) for name in ("counts", "reasons", "answers", "suppressed")}
        shown = {name: table.astype(object).where(table.notna(), None) for name, table in tables.items()}
        return {name: table.to_dict("records") for name, table in shown.items()} | {"notes": list(self.notes)}

    def as_text(self) -> str:
        """Everything, for a terminal."""
        parts = ["Rows read = used + quarantined (+ after the as-of date)", _aligned(self.counts)]
        if len(self.reasons):
            parts += ["Quarantined, by rule", _aligned(self.reasons)]
        if len(self.answers):
            parts += [f"Answers by unit and role, wave {self.wave}", _aligned(self.answers)]
            parts += [self._hidden()]
        return "\n\n".join([*parts, *self.notes])

    def _hidden(self) -> str:
        if self.suppressed.empty:
            return "Nobody would be suppressed today."
        cells = self.suppressed.groupby("unit_id", sort=False)["segment"].agg(", ".join)
        lines = [f"  {unit_id}: {segments}" for unit_id, segments in cells.items()]
        return "\n".join(["Would be suppressed today (too few people):", *lines])


def examine(location: str, as_of: date | None = None) -> Checkup:
    """Read and check a data folder without writing anything.

    Raises
    ------
    InputError
        The folder cannot be used; every problem at once.
    """
    rules = read_instrument(instrument_folder(location))
    data = read_data(location, rules, as_of=as_of)
    responses = data.table("responses")
    none = pd.DataFrame(columns=["unit_id", "segment"])
    answers, hidden, notes = pd.DataFrame(), none, data.notes
    if responses is not None and len(responses):
        wave = data.waves[-1] if data.waves else data.wave
        answers = _answers(responses.loc[responses["wave"] == wave])
        survey = scales.read_survey(data, rules)
        notes += scales.said_of_answers(survey)
        pattern = survey_cells(scales.people_scored(survey), data.units, rules.settings)
        hidden = pattern.loc[pattern["hidden"].astype(bool) & (pattern["wave"] == wave), ["unit_id", "segment"]]
    reasons = _reasons(data.quarantine)
    return Checkup(data.counts, reasons, answers, hidden, notes, data.waves[-1] if data.waves else data.wave)


def _answers(responses: pd.DataFrame) -> pd.DataFrame:
    by_role = pd.crosstab(responses["unit_id"], responses["role"].fillna("no role"))
    by_role = by_role[[role for role in (*ROLES, "no role") if role in by_role]]
    by_role["all"] = by_role.sum(axis=1)
    by_role.loc[ORGANISATION] = by_role.sum()
    return by_role.reset_index()


def _reasons(quarantine: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    found = [
        rows.groupby("rule", sort=False)
        .agg(rows=("row", "size"), file=("file", "first"), row=("row", "first"), value=("value", "first"))
        .reset_index()
        .assign(table=name)
        .head(REASONS)
        for name, rows in quarantine.items()
        if len(rows)
    ]
    columns = ["table", "rule", "rows", "file", "row", "value"]
    return pd.concat(found)[columns].reset_index(drop=True) if found else pd.DataFrame(columns=columns)


def _aligned(table: pd.DataFrame) -> str:
    return table.to_string(index=False, max_colwidth=60) if len(table) else "(none)"
