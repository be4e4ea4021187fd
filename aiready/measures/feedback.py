"""Measure users' feedback and what became of it (`feedback`), and what the AI knows about the company (`probes`)."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures.estimation.inference import wilson
from aiready.measures.estimation.survival import Quantile, kaplan_meier_quantile
from aiready.measures.record_shares import by_reporting_unit
from aiready.model.registry import NOT_MEASURED, fill_not_measured, fill_quarters, measure_rows, stack_measures
from aiready.model.schema import LIVE_STAGES
from aiready.model.waves import quarter, quarter_of_wave

_CELL = ["unit_id", "wave"]
_IDEAS = ("idea", "insight")


def measure(data: Data, rules: Instrument) -> pd.DataFrame:
    """All measures of `feedback` and `probes`.

    Grain: one row per reporting unit x quarter of `flagged_at` or `asked_at` x measure. Shares 0-1, times in
    days. The rows carry no number of people: neither table says who flagged or asked.

    Notes
    -----
    A unit without flags is not measured: their absence is no evidence. `user_changes` describes the present, so
    its wave is that of the data.
    """
    units = data.membership["unit_id"].drop_duplicates()
    return stack_measures([_feedback(data, rules.settings, units), _probes(data, rules.settings, units)])


def _feedback(data: Data, settings: Settings, units: Iterable[str]) -> pd.DataFrame:
    now = quarter_of_wave(data.wave)
    flags = data.table("feedback")
    if flags is None or flags.empty:
        return fill_not_measured(stack_measures([]), "feedback", units, now)
    end = _end(data, flags["flagged_at"])
    reported = _in_quarters(flags, "flagged_at", data.membership)
    measures = stack_measures([
        _loop_time(reported, end), *_shares(reported, end, settings), _user_changes(data, flags, end, settings),
    ])  # fmt: skip
    return fill_quarters(measures, "feedback", units, now)


def _end(data: Data, stamps: pd.Series) -> pd.Timestamp:
    """End of the day up to which open flags are followed."""
    return pd.Timestamp(data.as_of or stamps.max().date()) + pd.Timedelta(days=1)


def _in_quarters(table: pd.DataFrame, time_column: str, membership: pd.DataFrame) -> pd.DataFrame:
    """One row per record and reporting unit that its unit belongs to; its wave is the quarter of `time_column`."""
    return by_reporting_unit(table.assign(wave=table[time_column].map(quarter)), membership)


def _loop_time(flags: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Median days from flag to deployed change: Kaplan-Meier, open flags censored at the end of `as_of`.

    Declined flags never end in a change: they are left out here, and `feedback_declined_share` counts them.
    """
    not_declined = flags[flags["declined_at"].isna() | flags["deployed_at"].notna()]
    last = not_declined["deployed_at"].fillna(end)
    days = (last - not_declined["flagged_at"]) / pd.Timedelta(days=1)
    timed = not_declined[_CELL].assign(days=days, deployed=not_declined["deployed_at"].notna())
    medians = timed.groupby(_CELL).apply(lambda cell: _median(cell["days"], cell["deployed"]), include_groups=False)
    all_cells = flags[_CELL].drop_duplicates().set_index(_CELL).index
    cells = pd.DataFrame(list(medians), index=medians.index) if len(medians) else pd.DataFrame(index=all_cells)
    cells = cells.reindex(all_cells).reindex(columns=["value", "low", "high", "n", "note"])
    cells["note"] = cells["note"].fillna("all flags were declined")
    return measure_rows("feedback_loop_p50", cells.reset_index())


def _median(days: pd.Series, deployed: pd.Series) -> dict[str, object]:
    median: Quantile = kaplan_meier_quantile(days, deployed, 0.5)
    unreached = f"not reached: the longest follow-up is {median.follow_up:.1f} days"
    note = unreached if np.isnan(median.value) else ""
    return {"value": median.value, "low": median.low, "high": median.high, "n": median.n, "note": note}


def _shares(flags: pd.DataFrame, end: pd.Timestamp, settings: Settings) -> list[pd.DataFrame]:
    """Shares of flags closed in time and declined, and of ideas used, with Wilson intervals.

    A flag counts for `feedback_closed_30d` once it is that old, however it ended. It is closed when a change is in
    use or when it was declined with a reason; an answer alone does not close it.
    """
    limit = pd.Timedelta(days=settings.feedback_closed_days)
    closed_at = flags[["deployed_at", "declined_at"]].min(axis=1)
    in_time = closed_at - flags["flagged_at"] <= limit
    return [
        _share("feedback_closed_30d", flags, in_time, end - flags["flagged_at"] > limit,
               f"no flag is {settings.feedback_closed_days} days old yet"),
        _share("feedback_declined_share", flags, flags["declined_at"].notna(), flags["flagged_at"].notna(),
               "no flag"),
        _share("insight_used_share", flags, flags["deployed_at"].notna(), flags["category"].isin(_IDEAS),
               "no idea or insight was raised"),
    ]  # fmt: skip


def _share(name: str, table: pd.DataFrame, condition: pd.Series, eligible: pd.Series, empty_note: str) -> pd.DataFrame:
    """Share of the eligible rows for which the condition holds, per reporting unit and wave."""
    counted = table[_CELL].assign(hits=(condition & eligible).astype(int), n=eligible.astype(int))
    return measure_rows(name, _proportion(counted.groupby(_CELL, as_index=False).sum(), empty_note))


def _proportion(cells: pd.DataFrame, empty_note: str) -> pd.DataFrame:
    """Add value and Wilson interval of `hits` among `n`, and a note where `n` is 0."""
    low, high = wilson(cells["hits"], cells["n"])
    value = cells["hits"] / cells["n"].where(cells["n"] > 0)
    return cells.assign(value=value, low=low, high=high, note=np.where(cells["n"] > 0, "", empty_note))


def _user_changes(data: Data, flags: pd.DataFrame, end: pd.Timestamp, settings: Settings) -> pd.DataFrame:
    """Share of a unit's live initiatives that recently deployed a change from a user's flag.

    Only units that raised a flag, or own an initiative that was flagged, have a row: without flags, no evidence.
    """
    now = quarter_of_wave(data.wave)
    initiatives = data.table("initiatives")
    register = pd.DataFrame(columns=["initiative_id", "unit_id", "stage"]) if initiatives is None else initiatives
    owners = register.set_index("initiative_id")["unit_id"]
    members = pd.concat([flags["unit_id"], flags["initiative_id"].map(owners).dropna()]).unique()
    flagged_units = data.membership.loc[data.membership["member_id"].isin(members), "unit_id"].drop_duplicates()
    recent = flags["deployed_at"] >= end - pd.Timedelta(days=settings.user_changes_days)
    live = register[register["stage"].isin(LIVE_STAGES)].rename(columns={"unit_id": "member_id"})
    changed = live["initiative_id"].isin(flags.loc[recent, "initiative_id"].dropna())
    counted = data.membership.merge(live.assign(hits=changed.astype(int), n=1), on="member_id")
    sums = counted.groupby("unit_id")[["hits", "n"]].sum().reindex(flagged_units, fill_value=0)
    cells = _proportion(sums.rename_axis("unit_id").reset_index(), "no live initiative").assign(wave=now)
    if initiatives is None:
        cells = cells.assign(status=NOT_MEASURED, note="collect `initiatives`: which are live")
    elif flags["initiative_id"].isna().all():
        cells = cells.assign(value=np.nan, note="no flag names its initiative")
    return measure_rows("user_changes", cells)


def _probes(data: Data, settings: Settings, units: Iterable[str]) -> pd.DataFrame:
    """Share of questions about the organisation that the AI answered correctly, with a Wilson interval."""
    now = quarter_of_wave(data.wave)
    probes = data.table("probes")
    if probes is None or probes.empty:
        return fill_not_measured(stack_measures([]), "probes", units, now)
    questions = _in_quarters(probes, "asked_at", data.membership)
    graded = questions["correct"].notna()
    counted = questions[_CELL].assign(hits=questions["correct"].fillna(value=False).astype(int), n=graded.astype(int))
    cells = _proportion(counted.groupby(_CELL, as_index=False).sum(), "no answer was judged")
    few = f"a proxy, and fewer than {settings.minimum_probes} questions"
    cells["note"] = cells["note"].where(cells["n"] == 0, "a proxy of understanding")
    cells["note"] = cells["note"].mask(cells["n"].between(1, settings.minimum_probes - 1), few)
    return fill_quarters(measure_rows("probe_accuracy", cells), "probes", units, now)
