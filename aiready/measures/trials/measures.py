"""Trials: verdicts, the pace of learning, and what the register has to show for itself."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument
from aiready.measures import stages
from aiready.measures.estimation.survival import kaplan_meier_quantile
from aiready.measures.record_shares import CELL, reported
from aiready.measures.trials.verdicts import NOT_ASSESSABLE, SCALE, TRIAL, verdict_table
from aiready.model import registry, waves
from aiready.model.registry import NOT_MEASURED, ORGANISATION
from aiready.model.schema import TABLES

__all__ = ["measure", "verdict_table"]

OF_INITIATIVES = ("comparison_trials", "scaled_on_evidence")
"""Measures of the register that rest on trials, and are therefore stated here."""
PACE_DAYS, PACE_QUARTERS = 365, 4


def measure(data: Data, rules: Instrument) -> pd.DataFrame:
    """All measures of `trials`, and the two of `initiatives` that rest on them.

    Returns
    -------
    pandas.DataFrame
        Measures rows: one per reporting unit x wave x measure x segment. A trial belongs to the unit that
        owns its initiative; trials of an initiative that the register lacks count for the organisation only.

    Notes
    -----
    `verdict`: segment = initiative_id, its latest trial, stated at the owning unit only: value is the
    improvement in the measure's unit (positive is better), low and high its two-sided 95 % interval, `note`
    begins with the word. The row `all` is insufficient: verdicts are not averaged.
    `trials_per_quarter` = trials started in the 365 days up to `as_of`, / 4; per calendar quarter in the
    segments. A trial without a date is not counted.
    `days_to_first_verdict` = Kaplan-Meier median over initiatives, from the start of their first trial to the
    end of the first one that could be assessed; without one, open at `as_of`.
    `learning_recorded` = trials with `learned` filled / trials; blank is no.
    `comparison_trials` = piloted initiatives with a trial that compares random or matched arms / piloted.
    `scaled_on_evidence` = initiatives ever scaled whose latest trial says SCALE / ever scaled. What is blank
    counts as no in both; in the band, what was stopped without a word or date of how far it had come counts too.
    """
    unit_ids = [*data.units["unit_id"], ORGANISATION]
    judged = verdict_table(data.table("trials"), rules.settings.minimum_group)
    stated = _trial_rows(_placed(judged, data), data) if len(judged) else []
    own = registry.fill_not_measured(registry.collect(stated), "trials", unit_ids, data.wave)
    return registry.collect([own, _evidence(data, judged, unit_ids)])


def _placed(judged: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Give every trial the unit that owns its initiative; the organisation, where the register lacks it."""
    register = data.table("initiatives")
    owner = pd.Series(dtype=object) if register is None else register.set_index("initiative_id")["unit_id"]
    return judged.assign(unit_id=judged["initiative_id"].map(owner).fillna(ORGANISATION), wave=data.wave)


def _reached(membership: pd.DataFrame) -> pd.DataFrame:
    """Membership, and the organisation as the unit of trials that no unit owns."""
    unowned = pd.DataFrame({"unit_id": [ORGANISATION], "member_id": [ORGANISATION]})
    return pd.concat([membership[["unit_id", "member_id"]], unowned]).drop_duplicates()


def _trial_rows(placed: pd.DataFrame, data: Data) -> Iterable[pd.DataFrame]:
    as_of, reach = pd.Timestamp(data.as_of), _reached(data.membership)
    every = reported(placed, reach)
    yield _verdict_rows(placed, every)
    yield from _pace_rows(every, as_of)
    yield _first_verdict_rows(reported(_first_verdicts(placed, as_of), reach))
    yield _share_rows("learning_recorded", every, every["learned"].notna().astype(float))


def _verdict_rows(placed: pd.DataFrame, every: pd.DataFrame) -> pd.DataFrame:
    latest = placed.sort_values(TRIAL).drop_duplicates("initiative_id", keep="last")
    each = latest.assign(
        segment=latest["initiative_id"], value=latest["improvement"],
        n=latest["n_control"] + latest["n_treatment"], note=latest["verdict"] + ": " + latest["reason"],
    )  # fmt: skip
    whole = every[CELL].drop_duplicates().assign(value=np.nan, n=np.nan, note="stated per initiative")
    return registry.collect([registry.rows("verdict", cells) for cells in (whole, each)])


def _pace_rows(every: pd.DataFrame, as_of: pd.Timestamp) -> Iterable[pd.DataFrame]:
    """Trials a quarter, over the last year and quarter by quarter."""
    started = every["started_on"]
    recent = (as_of - started).dt.days.between(0, PACE_DAYS - 1)
    grouped = every.assign(dated=started.notna(), recent=recent).groupby(CELL, as_index=False)
    cells = grouped.agg(n=("dated", "sum"), trials=("dated", "size"), recent=("recent", "sum"))
    cells["value"] = (cells["recent"] / PACE_QUARTERS).where((cells["n"] > 0) & pd.notna(as_of))
    undated = cells["trials"] - cells["n"]
    note = undated.astype(str) + " of " + cells["trials"].astype(str) + " without a date, not counted"
    yield registry.rows("trials_per_quarter", cells.assign(note=note.where(undated > 0, "")))
    dated = every[started.notna()]
    quarters = dated.assign(segment=dated["started_on"].map(waves.quarter))
    counted = quarters.groupby([*CELL, "segment"], as_index=False).agg(n=("trial_no", "size"))
    yield registry.rows("trials_per_quarter", counted.assign(value=counted["n"]))


def _first_verdicts(placed: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Days from the first start to the first assessable end: one row per initiative."""
    ended = placed["ended_on"].where(placed["verdict"] != NOT_ASSESSABLE)
    grouped = placed.assign(ended=ended).groupby(["initiative_id", "unit_id", "wave"], as_index=False)
    spans = grouped.agg(start=("started_on", "min"), end=("ended", "min"))
    days = (spans["end"].fillna(as_of) - spans["start"]).dt.days
    spans = spans.assign(days=days.where(days >= 0), reached=spans["end"].notna())
    return spans.drop(columns=["start", "end"])


def _first_verdict_rows(spans: pd.DataFrame) -> pd.DataFrame:
    made = []
    for (unit_id, wave), rows in spans.groupby(CELL, sort=False):
        median = kaplan_meier_quantile(rows["days"], rows["reached"], 0.5)
        missed = f"not reached within {median.follow_up:.0f} days" if median.n else "no trial carries dates"
        note = missed if np.isnan(median.value) else ""
        made.append((unit_id, wave, median.value, median.low, median.high, median.n, note))
    cells = pd.DataFrame(made, columns=[*CELL, "value", "low", "high", "n", "note"])
    return registry.rows("days_to_first_verdict", cells)


def _share_rows(
    name: str, every: pd.DataFrame, yes: pd.Series, nothing: str = "", doubted: pd.Series | float = 0.0
) -> pd.DataFrame:
    """Share of yes among the rows that apply; `yes` is missing where one does not apply, or where that is `doubted`."""
    grouped = every.assign(yes=yes, doubted=doubted).groupby(CELL, as_index=False)
    cells = grouped.agg(value=("yes", "mean"), n=("yes", "count"), hits=("yes", "sum"), doubted=("doubted", "sum"))
    note = np.where(cells["value"].isna(), nothing, "")
    at_least = (cells["hits"] / (cells["n"] + cells["doubted"])).where(cells["doubted"] > 0)
    cells = cells.assign(low=cells["value"], high=cells["value"], at_least=at_least, note=note)
    return registry.rows(name, cells)


def _evidence(data: Data, judged: pd.DataFrame, unit_ids: list[str]) -> pd.DataFrame:
    """`comparison_trials` and `scaled_on_evidence`: what the register's initiatives have to show."""
    register, made = data.table("initiatives"), registry.collect([])
    if register is not None and len(register):
        made = _evidence_rows(register, judged, data.membership)
    filled = registry.fill_not_measured(made, "initiatives", unit_ids, data.wave)
    filled = filled[filled["measure"].isin(OF_INITIATIVES)]
    return filled if data.table("trials") is not None else _without_trials(filled)


def _evidence_rows(register: pd.DataFrame, judged: pd.DataFrame, membership: pd.DataFrame) -> pd.DataFrame:
    latest = judged.sort_values(TRIAL).drop_duplicates("initiative_id", keep="last")
    known = register["initiative_id"]
    compared = known.isin(judged.loc[judged["compared"].eq(True), "initiative_id"]).astype(float)
    proven = known.isin(latest.loc[latest["verdict"].eq(SCALE), "initiative_id"]).astype(float)
    every = reported(register.assign(
        compared=compared.where(stages.piloted(register)), proven=proven.where(stages.ever_scaled(register)),
        piloted=stages.perhaps_piloted(register), scaled=stages.perhaps_scaled(register),
    ), membership)  # fmt: skip
    return registry.collect([
        _share_rows("comparison_trials", every, every["compared"], "none is as far as a pilot", every["piloted"]),
        _share_rows("scaled_on_evidence", every, every["proven"], "none is scaled", every["scaled"]),
    ])  # fmt: skip


def _without_trials(rows: pd.DataFrame) -> pd.DataFrame:
    """No table `trials`: nothing is known of comparisons, which is not the same as none."""
    unknown = rows.assign(status=NOT_MEASURED, note=f"collect `trials`: {TABLES['trials'].collect}")
    unknown[list(registry.NUMBERS)] = np.nan
    return unknown
