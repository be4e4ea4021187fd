"""What users report and what becomes of it (`feedback`), and what the AI knows of its place (`probes`)."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures.estimation.inference import wilson
from aiready.measures.estimation.survival import Quantile, kaplan_meier_quantile
from aiready.model.registry import NOT_MEASURED, collect, fill_not_measured, rows
from aiready.model.schema import LIVE_STAGES
from aiready.model.waves import quarter, quarter_of_wave

_CELL = ["unit_id", "wave"]
_IDEAS = ("idea", "insight")


def measure(data: Data, rules: Instrument) -> pd.DataFrame:
    """All measures of `feedback` and `probes`.

    Grain: one row per reporting unit x quarter of `flagged_at` or `asked_at` x measure. Shares 0-1, times in
    days. No person stands behind a row: neither table says who.

    Notes
    -----
    No flags is no evidence, so a unit without any is not measured. `user_changes` is a state of today: its
    wave is that of the data.
    """
    units = data.membership["unit_id"].drop_duplicates()
    return collect([_feedback(data, rules.settings, units), _probes(data, rules.settings, units)])


def _feedback(data: Data, settings: Settings, units: Iterable[str]) -> pd.DataFrame:
    now = quarter_of_wave(data.wave)
    flags = data.table("feedback")
    if flags is None or flags.empty:
        return fill_not_measured(collect([]), "feedback", units, now)
    end = _end(data, flags["flagged_at"])
    reported = _reported(flags, "flagged_at", data.membership)
    made = collect([
        _loop(reported, end), *_shares(reported, end, settings), _user_changes(data, flags, end, settings),
    ])  # fmt: skip
    return _every_wave(made, "feedback", units, now)


def _end(data: Data, stamps: pd.Series) -> pd.Timestamp:
    """End of the day that open flags are counted to."""
    return pd.Timestamp(data.as_of or stamps.max().date()) + pd.Timedelta(days=1)


def _reported(table: pd.DataFrame, stamp: str, membership: pd.DataFrame) -> pd.DataFrame:
    """One row per reporting unit x row, with the quarter of `stamp` as wave."""
    members = table.assign(wave=table[stamp].map(quarter)).rename(columns={"unit_id": "member_id"})
    return membership.merge(members, on="member_id")


def _every_wave(made: pd.DataFrame, table: str, units: Iterable[str], now: str) -> pd.DataFrame:
    present = sorted({*made["wave"], now})
    return collect(fill_not_measured(made[made["wave"] == one], table, units, one) for one in present)


def _loop(flags: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Median days from flag to deployed change: Kaplan-Meier, open flags censored at the end of `as_of`.

    Declined flags will never end in a change; they are left out here and counted by
    `feedback_declined_share`.
    """
    wanted = flags[flags["declined_at"].isna() | flags["deployed_at"].notna()]
    last = wanted["deployed_at"].fillna(end)
    days = (last - wanted["flagged_at"]) / pd.Timedelta(days=1)
    timed = wanted[_CELL].assign(days=days, deployed=wanted["deployed_at"].notna())
    found = timed.groupby(_CELL).apply(lambda cell: _median(cell["days"], cell["deployed"]), include_groups=False)
    every = flags[_CELL].drop_duplicates().set_index(_CELL).index
    cells = pd.DataFrame(list(found), index=found.index) if len(found) else pd.DataFrame(index=every)
    cells = cells.reindex(every).reindex(columns=["value", "low", "high", "n", "note"])
    cells["note"] = cells["note"].fillna("all flags were declined")
    return rows("feedback_loop_p50", cells.reset_index())


def _median(days: pd.Series, deployed: pd.Series) -> dict[str, object]:
    found: Quantile = kaplan_meier_quantile(days, deployed, 0.5)
    unreached = f"not reached: the longest follow-up is {found.follow_up:.1f} days"
    note = unreached if np.isnan(found.value) else ""
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n, "note": note}


def _shares(flags: pd.DataFrame, end: pd.Timestamp, settings: Settings) -> list[pd.DataFrame]:
    """Closed in time, declined, and ideas used, as shares with Wilson intervals.

    A flag counts for `feedback_closed_30d` once it is that old, however it ended; it is closed when a change
    is in use or when it was declined with a reason. An answer alone closes nothing.
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


def _share(name: str, table: pd.DataFrame, true: pd.Series, among: pd.Series, empty: str) -> pd.DataFrame:
    """Share of rows for which `true` holds, among some, per reporting unit and wave."""
    counted = table[_CELL].assign(hits=(true & among).astype(int), n=among.astype(int))
    return rows(name, _proportion(counted.groupby(_CELL, as_index=False).sum(), empty))


def _proportion(cells: pd.DataFrame, empty: str) -> pd.DataFrame:
    """Value and Wilson interval of `hits` among `n`; the reason where `n` is 0."""
    low, high = wilson(cells["hits"], cells["n"])
    value = cells["hits"] / cells["n"].where(cells["n"] > 0)
    return cells.assign(value=value, low=low, high=high, note=np.where(cells["n"] > 0, "", empty))


def _user_changes(data: Data, flags: pd.DataFrame, end: pd.Timestamp, settings: Settings) -> pd.DataFrame:
    """Live initiatives with a change deployed from a user's flag lately, among live ones, per owning unit.

    Only units with a flag of their own or on an initiative of theirs have a row: no flags is no evidence.
    """
    now = quarter_of_wave(data.wave)
    initiatives = data.table("initiatives")
    owned = pd.DataFrame(columns=["initiative_id", "unit_id", "stage"]) if initiatives is None else initiatives
    owners = owned.set_index("initiative_id")["unit_id"]
    touched = pd.concat([flags["unit_id"], flags["initiative_id"].map(owners).dropna()]).unique()
    heard = data.membership.loc[data.membership["member_id"].isin(touched), "unit_id"].drop_duplicates()
    recent = flags["deployed_at"] >= end - pd.Timedelta(days=settings.user_changes_days)
    live = owned[owned["stage"].isin(LIVE_STAGES)].rename(columns={"unit_id": "member_id"})
    changed = live["initiative_id"].isin(flags.loc[recent, "initiative_id"].dropna())
    counted = data.membership.merge(live.assign(hits=changed.astype(int), n=1), on="member_id")
    sums = counted.groupby("unit_id")[["hits", "n"]].sum().reindex(heard, fill_value=0)
    cells = _proportion(sums.rename_axis("unit_id").reset_index(), "no live initiative").assign(wave=now)
    if initiatives is None:
        cells = cells.assign(status=NOT_MEASURED, note="collect `initiatives`: which are live")
    elif flags["initiative_id"].isna().all():
        cells = cells.assign(value=np.nan, note="no flag names its initiative")
    return rows("user_changes", cells)


def _probes(data: Data, settings: Settings, units: Iterable[str]) -> pd.DataFrame:
    """Questions about the organisation that the AI answered right: a proxy of understanding, Wilson."""
    now = quarter_of_wave(data.wave)
    probes = data.table("probes")
    if probes is None or probes.empty:
        return fill_not_measured(collect([]), "probes", units, now)
    asked = _reported(probes, "asked_at", data.membership)
    judged = asked["correct"].notna()
    counted = asked[_CELL].assign(hits=asked["correct"].fillna(value=False).astype(int), n=judged.astype(int))
    cells = _proportion(counted.groupby(_CELL, as_index=False).sum(), "no answer was judged")
    few = f"a proxy, and fewer than {settings.minimum_probes} questions"
    cells["note"] = cells["note"].where(cells["n"] == 0, "a proxy of understanding")
    cells["note"] = cells["note"].mask(cells["n"].between(1, settings.minimum_probes - 1), few)
    return _every_wave(rows("probe_accuracy", cells), "probes", units, now)
