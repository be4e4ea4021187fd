"""Measure trials: verdicts, the pace of learning, and the evidence behind the register of initiatives."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument
from aiready.measures import stages
from aiready.measures.estimation.survival import kaplan_meier_quantile
from aiready.measures.record_shares import CELL, by_reporting_unit
from aiready.measures.trials.verdicts import TRIAL, verdict_table
from aiready.messages.verdict_reasons import NOT_ASSESSABLE, SCALE
from aiready.model import registry, waves
from aiready.model.registry import NOT_MEASURED, ORGANISATION
from aiready.model.schema import TABLES

__all__ = ["measure", "verdict_table"]

OF_INITIATIVES = ("comparison_trials", "scaled_on_evidence")
"""Measures of the register that depend on trials, and are therefore computed here."""
PACE_DAYS, PACE_QUARTERS = 365, 4


def measure(data: Data, rules: Instrument) -> pd.DataFrame:
    """All measures of `trials`, and the two of `initiatives` that depend on them.

    Returns
    -------
    pandas.DataFrame
        Measures rows: one per reporting unit x wave x measure x segment. A trial belongs to the unit that
        owns its initiative; trials of an initiative that is not in the register count for the organisation only.

    Notes
    -----
    `verdict`: segment = initiative_id, its latest trial, for the owning unit only: value is the improvement in the
    measure's unit (positive is better), low and high its two-sided 95 % interval, `note` begins with the verdict. The
    row `all` is insufficient: verdicts are not averaged.
    `trials_per_quarter` = trials started in the 365 days up to `as_of`, / 4; per calendar quarter in the
    segments. A trial without a date is not counted.
    `days_to_first_verdict` = Kaplan-Meier median over initiatives, from the start of their first trial to the
    end of the first one that could be assessed; without one, open at `as_of`.
    `learning_recorded` = trials with `learned` filled / trials; blank is no.
    `comparison_trials` = piloted initiatives with a trial that compares random or matched arms / piloted.
    `scaled_on_evidence` = initiatives ever scaled whose latest trial says SCALE / ever scaled. Blanks count as no in
    both; for the band, initiatives stopped at an unknown stage count, too.
    """
    unit_ids = [*data.units["unit_id"], ORGANISATION]
    verdicts = verdict_table(data.table("trials"), rules.settings.minimum_group)
    measures = _trial_rows(_with_owner(verdicts, data), data) if len(verdicts) else []
    own = registry.fill_not_measured(registry.stack_measures(measures), "trials", unit_ids, data.wave)
    return registry.stack_measures([own, _evidence(data, verdicts, unit_ids)])


def _with_owner(verdicts: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Add to each trial the unit that owns its initiative; the organisation where it is not in the register."""
    register = data.table("initiatives")
    owner = pd.Series(dtype=object) if register is None else register.set_index("initiative_id")["unit_id"]
    return verdicts.assign(unit_id=verdicts["initiative_id"].map(owner).fillna(ORGANISATION), wave=data.wave)


def _with_organisation(membership: pd.DataFrame) -> pd.DataFrame:
    """Membership, with the organisation as a unit of its own for trials that no unit owns."""
    unowned = pd.DataFrame({"unit_id": [ORGANISATION], "member_id": [ORGANISATION]})
    return pd.concat([membership[["unit_id", "member_id"]], unowned]).drop_duplicates()


def _trial_rows(trials: pd.DataFrame, data: Data) -> Iterable[pd.DataFrame]:
    as_of, membership = pd.Timestamp(data.as_of), _with_organisation(data.membership)
    by_unit = by_reporting_unit(trials, membership)
    yield _verdict_rows(trials, by_unit)
    yield from _pace_rows(by_unit, as_of)
    yield _first_verdict_rows(by_reporting_unit(_first_verdicts(trials, as_of), membership))
    yield _share_rows("learning_recorded", by_unit, by_unit["learned"].notna().astype(float))


def _verdict_rows(trials: pd.DataFrame, by_unit: pd.DataFrame) -> pd.DataFrame:
    latest = trials.sort_values(TRIAL).drop_duplicates("initiative_id", keep="last")
    each = latest.assign(
        segment=latest["initiative_id"], value=latest["improvement"],
        n=latest["n_control"] + latest["n_treatment"], note=latest["verdict"] + ": " + latest["reason"],
    )  # fmt: skip
    unit_cells = by_unit[CELL].drop_duplicates().assign(value=np.nan, n=np.nan, note="stated per initiative")
    return registry.stack_measures([registry.measure_rows("verdict", cells) for cells in (unit_cells, each)])


def _pace_rows(by_unit: pd.DataFrame, as_of: pd.Timestamp) -> Iterable[pd.DataFrame]:
    """`trials_per_quarter`: over the last year, and for each calendar quarter."""
    started = by_unit["started_on"]
    recent = (as_of - started).dt.days.between(0, PACE_DAYS - 1)
    grouped = by_unit.assign(dated=started.notna(), recent=recent).groupby(CELL, as_index=False)
    cells = grouped.agg(n=("dated", "sum"), trials=("dated", "size"), recent=("recent", "sum"))
    cells["value"] = (cells["recent"] / PACE_QUARTERS).where((cells["n"] > 0) & pd.notna(as_of))
    undated = cells["trials"] - cells["n"]
    note = undated.astype(str) + " of " + cells["trials"].astype(str) + " without a date, not counted"
    yield registry.measure_rows("trials_per_quarter", cells.assign(note=note.where(undated > 0, "")))
    dated = by_unit[started.notna()]
    quarters = dated.assign(segment=dated["started_on"].map(waves.quarter))
    counted = quarters.groupby([*CELL, "segment"], as_index=False).agg(n=("trial_no", "size"))
    yield registry.measure_rows("trials_per_quarter", counted.assign(value=counted["n"]))


def _first_verdicts(trials: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Days from the start of the first trial to the end of the first assessable one: one row per initiative."""
    assessed_on = trials["ended_on"].where(trials["verdict"] != NOT_ASSESSABLE)
    grouped = trials.assign(assessed_on=assessed_on).groupby(["initiative_id", "unit_id", "wave"], as_index=False)
    spans = grouped.agg(start=("started_on", "min"), end=("assessed_on", "min"))
    days = (spans["end"].fillna(as_of) - spans["start"]).dt.days
    spans = spans.assign(days=days.where(days >= 0), reached=spans["end"].notna())
    return spans.drop(columns=["start", "end"])


def _first_verdict_rows(spans: pd.DataFrame) -> pd.DataFrame:
    medians = []
    for (unit_id, wave), rows in spans.groupby(CELL, sort=False):
        median = kaplan_meier_quantile(rows["days"], rows["reached"], 0.5)
        missed = f"not reached within {median.follow_up:.0f} days" if median.n else "no trial carries dates"
        note = missed if np.isnan(median.value) else ""
        medians.append((unit_id, wave, median.value, median.low, median.high, median.n, note))
    cells = pd.DataFrame(medians, columns=[*CELL, "value", "low", "high", "n", "note"])
    return registry.measure_rows("days_to_first_verdict", cells)


def _share_rows(
    name: str, by_unit: pd.DataFrame, yes: pd.Series, nothing: str = "", doubted: pd.Series | float = 0.0
) -> pd.DataFrame:
    """Share of yes among the rows that apply; `yes` is missing where one does not, or may (`doubted`)."""
    grouped = by_unit.assign(yes=yes, doubted=doubted).groupby(CELL, as_index=False)
    cells = grouped.agg(value=("yes", "mean"), n=("yes", "count"), hits=("yes", "sum"), doubted=("doubted", "sum"))
    note = np.where(cells["value"].isna(), nothing, "")
    at_least = (cells["hits"] / (cells["n"] + cells["doubted"])).where(cells["doubted"] > 0)
    cells = cells.assign(low=cells["value"], high=cells["value"], at_least=at_least, note=note)
    return registry.measure_rows(name, cells)


def _evidence(data: Data, verdicts: pd.DataFrame, unit_ids: list[str]) -> pd.DataFrame:
    """`comparison_trials` and `scaled_on_evidence`: the evidence behind the register's initiatives."""
    register, measures = data.table("initiatives"), registry.stack_measures([])
    if register is not None and len(register):
        measures = _evidence_rows(register, verdicts, data.membership)
    filled = registry.fill_not_measured(measures, "initiatives", unit_ids, data.wave)
    filled = filled[filled["measure"].isin(OF_INITIATIVES)]
    return filled if data.table("trials") is not None else _without_trials(filled)


def _evidence_rows(register: pd.DataFrame, verdicts: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    latest = verdicts.sort_values(TRIAL).drop_duplicates("initiative_id", keep="last")
    initiative_ids = register["initiative_id"]
    compared = initiative_ids.isin(verdicts.loc[verdicts["compared"].eq(True), "initiative_id"]).astype(float)
    proven = initiative_ids.isin(latest.loc[latest["verdict"].eq(SCALE), "initiative_id"]).astype(float)
    by_unit = by_reporting_unit(register.assign(
        compared=compared.where(stages.ever_piloted(register)), proven=proven.where(stages.ever_scaled(register)),
        piloted=stages.possibly_piloted(register), scaled=stages.possibly_scaled(register),
    ), membership)  # fmt: skip
    return registry.stack_measures([
        _share_rows("comparison_trials", by_unit, by_unit["compared"], "none is as far as a pilot", by_unit["piloted"]),
        _share_rows("scaled_on_evidence", by_unit, by_unit["proven"], "none is scaled", by_unit["scaled"]),
    ])  # fmt: skip


def _without_trials(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the table `trials` comparisons are unknown, which is not the same as none: not measured."""
    unknown = rows.assign(status=NOT_MEASURED, note=f"collect `trials`: {TABLES['trials'].collect}")
    unknown[list(registry.NUMBERS)] = np.nan
    return unknown
