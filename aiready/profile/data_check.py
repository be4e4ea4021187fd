"""What `aiready check` says: rows by table, the as-of date, values, answers, and who would be suppressed today."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from aiready.inputs import distinct_values
from aiready.inputs.dataset import Data, read_data
from aiready.inputs.location import instrument_folder
from aiready.instrument.model import read_instrument
from aiready.measures.survey import respondents, scales
from aiready.model.registry import ORGANISATION
from aiready.model.schema import ROLES
from aiready.privacy.suppressed_cells import survey_cells
from aiready.profile.parameters import parse_day

TOO_FEW, PROTECTS = "too few people", "to protect another group"
REASONS = 5
"""Reasons for quarantine shown per table; all stand in the quarantine files."""
VALUES_PER_REASON = 8
"""Values shown per reason."""


@dataclass(frozen=True)
class DataCheck:
    """The rows, values and answers of a data folder, and who would be suppressed today.

    `counts`: one row per table (table, read, used, quarantined, after_as_of). `reasons`: one row per table x rule
    (table, rule, rows, file and row of the first, every distinct value). `answers`: one row per unit of the newest wave
    (unit_id, a column per role, all). `suppressed`: one row per unit x segment that would be hidden today, and why.
    `values`: one row per table x column of few values x value (table, column, value, rows). `as_of`: the day that ages
    are counted to, and what sets it.
    """

    counts: pd.DataFrame
    reasons: pd.DataFrame
    answers: pd.DataFrame
    suppressed: pd.DataFrame
    notes: tuple[str, ...]
    wave: str
    values: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=distinct_values.COLUMNS))
    as_of: str = ""

    @property
    def quarantined(self) -> int:
        """Rows left out because they break a rule."""
        return int(self.counts["quarantined"].sum())

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        tables = {name: getattr(self, name) for name in ("counts", "reasons", "values", "answers", "suppressed")}
        plain_tables = {name: table.astype(object).where(table.notna(), None) for name, table in tables.items()}
        return {name: table.to_dict("records") for name, table in plain_tables.items()} | {
            "as_of": self.as_of, "notes": list(self.notes),
        }  # fmt: skip

    def as_text(self) -> str:
        """Everything, for a terminal."""
        anew = " + superseded by what notebooks saved" if "superseded" in self.counts else ""
        parts = [f"Rows read = used + quarantined{anew} (+ after the as-of date)", _aligned(self.counts)]
        parts += [f"Ages are counted to {self.as_of}"] if self.as_of else []
        if len(self.reasons):
            parts += ["Quarantined, by rule", _aligned(self.reasons)]
        if len(self.values):
            parts += ["\n".join(["What columns of few values say", *distinct_values.as_lines(self.values)])]
        if len(self.answers):
            parts += [f"Answers by unit and role, wave {self.wave}", _aligned(self.answers)]
            parts += [self._hidden()]
        return "\n\n".join([*parts, *self.notes])

    def _hidden(self) -> str:
        if self.suppressed.empty:
            return "Nobody would be suppressed today."
        lines = []
        for why, cells in self.suppressed.groupby("why", sort=False):
            of_unit = cells.groupby("unit_id", sort=False)["segment"].agg(", ".join)
            lines += [
                f"Would be suppressed today ({why}):",
                *(f"  {unit_id}: {of_unit[unit_id]}" for unit_id in of_unit.index),
            ]
        return "\n".join(lines)


def check(data: str | Path, as_of: date | str | None = None, *, today: date | None = None) -> DataCheck:
    """Read and check a data folder, workbook or database, without writing anything.

    Parameters
    ----------
    as_of
        Date ages are counted to; default: the newest record.
    today
        Default: the clock's day. No result depends on it, only the remark that the as-of date is in the future.

    Raises
    ------
    InputError
        The data cannot be used; every problem at once.
    UsageError
        `as_of` is no date.
    """
    location = str(data)
    rules = read_instrument(instrument_folder(location))
    dataset = read_data(location, rules, as_of=parse_day(as_of))
    responses = dataset.table("responses")
    none = pd.DataFrame(columns=["unit_id", "segment", "why"])
    answers, hidden, notes = pd.DataFrame(), none, dataset.notes
    if responses is not None and len(responses):
        wave = dataset.waves[-1] if dataset.waves else dataset.wave
        answers = _answers(responses.loc[responses["wave"] == wave])
        survey = scales.read_survey(dataset, rules)
        notes += scales.answer_notes(survey)
        pattern = survey_cells(respondents.scored_people(survey), dataset.units, rules.settings)
        hidden = _hidden_now(pattern.loc[pattern["wave"] == wave])
    reasons = _reasons(dataset.quarantine)
    notes += _more_reasons(dataset.quarantine)
    return DataCheck(
        dataset.counts, reasons, answers, hidden, notes, dataset.waves[-1] if dataset.waves else dataset.wave,
        distinct_values.count_values(dataset.tables, dataset.decisions), _as_of_line(dataset, today or date.today()),
    )  # fmt: skip


def _as_of_line(data: Data, today: date) -> str:
    """The as-of date and what sets it; blank where nothing is dated."""
    if data.as_of is None:
        return ""
    ahead = f" This day is still to come (today is {today})." if data.as_of > today else ""
    return f"{data.as_of}, set by {data.as_of_from}.{ahead}"


def _hidden_now(pattern: pd.DataFrame) -> pd.DataFrame:
    """Cells with answers that are hidden, those that are so for themselves first, and why."""
    cells = pattern.loc[pattern["hidden"].astype(bool) & pattern["n"].gt(0)]
    why = cells["primary"].astype(bool).map({True: TOO_FEW, False: PROTECTS})
    return cells.assign(why=why).sort_values("why", key=lambda words: words.ne(TOO_FEW), kind="stable")[
        ["unit_id", "segment", "why"]
    ]


def _answers(responses: pd.DataFrame) -> pd.DataFrame:
    by_role = pd.crosstab(responses["unit_id"], responses["role"].fillna("no role"))
    by_role = by_role[[role for role in (*ROLES, "no role") if role in by_role]]
    by_role["all"] = by_role.sum(axis=1)
    by_role.loc[ORGANISATION] = by_role.sum()
    return by_role.reset_index()


def _reasons(quarantine: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    columns = ["table", "rule", "rows", "file", "row", "value"]
    reasons = [
        rows.groupby("rule", sort=False)
        .agg(rows=("row", "size"), file=("file", "first"), row=("row", "first"), value=("value", _distinct))
        .reset_index()
        .assign(table=name)
        .head(REASONS)
        for name, rows in quarantine.items()
        if len(rows)
    ]
    return pd.concat(reasons)[columns].reset_index(drop=True) if reasons else pd.DataFrame(columns=columns)


def _more_reasons(quarantine: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """A line on each table that breaks more rules than are listed."""
    more = {name: rows["rule"].nunique() - REASONS for name, rows in quarantine.items() if len(rows)}
    return tuple(
        f"{name}: rows break {count} more {'rule' if count == 1 else 'rules'} than are listed; each row stands in the "
        "quarantine files of a run with its rule."
        for name, count in more.items()
        if count > 0
    )


def _distinct(values: pd.Series) -> str:
    """Every distinct value, most frequent first, with how often where there are several."""
    counts = values.value_counts()
    words = [f"{value} ({n})" for value, n in counts.items()] if len(counts) > 1 else list(counts.index)
    return distinct_values.abbreviated_list(words, VALUES_PER_REASON)


def _aligned(table: pd.DataFrame) -> str:
    return table.to_string(index=False, max_colwidth=160) if len(table) else "(none)"
