"""The barrier profile: perception and practice side by side, a score where both are measured, and what explains it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from aiready.instrument.model import Instrument
from aiready.model import waves
from aiready.model.registry import (
    ALL,
    ANY_WAVE,
    BOUNDS,
    INSUFFICIENT,
    NO_RECORDS,
    NOT_MEASURED,
    OK,
    SUPPRESSED,
    stack_nonempty,
)

KEY = ["unit_id", "wave", "barrier_id"]
COLUMNS = (
    "unit_id", "wave", "barrier_id", "basis",
    "perception", "perception_low", "perception_high", "perception_band", "n",
    "practice", "practice_coverage", "practice_band",
    "score", "low", "high", "band", "say_do_gap", "flag",
    "unit_rank_low", "unit_rank_high", "priority_low", "priority_high", "status", "note",
)  # fmt: skip
EXPLAIN_COLUMNS = (
    "unit_id", "wave", "barrier_id", "kind", "id", "facet", "value", "points", "weight", "n", "coverage", "status",
    "points_at_least",
)  # fmt: skip
"""`points_at_least`: the points if every unknown record were a no; equal to `points` where nothing is unknown."""
OF_RECORDS = ("initiatives", "tasks", "workflow_steps")
"""Tables whose shares carry coverage bounds in `low` and `high`; the others have sampling intervals there."""
TOLERANCE = 1e-9
RANKS = ("unit_rank_low", "unit_rank_high", "priority_low", "priority_high")
BANDS = ("perception_band", "practice_band", "band")
"""Empty where the voice is missing, as `flag` is."""
ALSO_OF = {
    "user_changes": ("initiatives",),
    "comparison_trials": ("initiatives", "trials"),
    "scaled_on_evidence": ("initiatives", "trials"),
}
"""Measures that records of other tables than their own could lower."""
BY_QUARTER = ("decisions", "feedback", "probes")
"""Tables whose measures are dated by calendar quarter, not by survey wave."""


def profile_waves(measures: pd.DataFrame, survey_waves: Sequence[str], wave: str) -> tuple[str, ...]:
    """Waves of the profile: those of the survey; without a survey, those of the records; else the given wave."""
    if survey_waves:
        return tuple(survey_waves)
    dated = waves.sort_waves(measures.loc[measures["status"] != NOT_MEASURED, "wave"])
    return dated or (wave,)


def explain_indicators(
    measures: pd.DataFrame, rules: Instrument, in_waves: Sequence[str], unknown: pd.DataFrame = NO_RECORDS
) -> pd.DataFrame:
    """Points of every practice indicator: one row per unit x wave x barrier x indicator.

    Parameters
    ----------
    measures
        Protected measures rows, with `measures.BOUNDS` where there are any; segment `all` is read. State tables are
        matched by wave; decisions, feedback and probes by the quarter that holds the wave's last day.
    unknown
        Records of which nothing is known (`unknown_records`); they enter `points_at_least` and `coverage`.

    Returns
    -------
    pandas.DataFrame
        `EXPLAIN_COLUMNS`; value in the measure's unit, points 0-100, coverage 0-1. `status` is `ok` only where
        the indicator counts: at least `minimum_records` records (probes: `minimum_probes`).

    Notes
    -----
    points = clip(100 (value - value_at_0) / (value_at_100 - value_at_0), 0, 100).
    """
    wave_pairs = rules.indicators.merge(pd.DataFrame({"of_wave": list(in_waves)}), how="cross")
    wave_pairs["quarter"] = wave_pairs["of_wave"].map(waves.quarter_of_wave)
    rows = measures.loc[(measures["segment"] == ALL) & measures["measure"].isin(wave_pairs["measure"])]
    rows = rows.drop(columns=["barrier_id", "segment", "note", "unit"])
    by_wave = wave_pairs.merge(rows, left_on=["measure", "of_wave"], right_on=["measure", "wave"])
    dated = rows.loc[rows["table"].isin(BY_QUARTER)]
    by_quarter = wave_pairs.loc[wave_pairs["quarter"] != wave_pairs["of_wave"]].merge(
        dated, left_on=["measure", "quarter"], right_on=["measure", "wave"]
    )
    indicators = stack_nonempty(by_wave, by_quarter)
    added, affected = _unknown_shares(indicators, unknown, rules)
    indicators = indicators.drop(columns="wave").rename(columns={"of_wave": "wave", "indicator_id": "id"})
    least, most = _widened(indicators["value"], *_bounds(indicators), added, affected)
    worst = least.where(indicators["value_at_100"] > indicators["value_at_0"], most)
    indicators["points"] = _points(indicators, indicators["value"])
    indicators["points_at_least"] = np.fmin(_points(indicators, worst), indicators["points"])
    indicators["coverage"] = (1 - (most - least)).clip(0, 1)
    floor = np.where(indicators["table"] == "probes", rules.settings.minimum_probes, rules.settings.minimum_records)
    indicators["status"] = indicators["status"].mask(
        (indicators["status"] == OK) & (indicators["n"] < floor), INSUFFICIENT
    )
    indicators["kind"] = "indicator"
    return indicators.reindex(columns=EXPLAIN_COLUMNS).sort_values([*KEY, "id"], ignore_index=True)


def _bounds(indicators: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Bounds of every value over unknown records; missing where nothing is unknown, and without a value."""
    has_value = indicators["value"].notna()
    least, most = (indicators.get(name, pd.Series(np.nan, indicators.index)).astype(float) for name in BOUNDS)
    stated = indicators["table"].isin(OF_RECORDS) & indicators["low"].notna() & indicators["high"].notna()
    least = least.where(least.notna(), indicators["low"].where(stated))
    most = most.where(most.notna(), indicators["high"].where(stated))
    return least.where(has_value), most.where(has_value)


def _unknown_shares(indicators: pd.DataFrame, unknown: pd.DataFrame, rules: Instrument) -> tuple[pd.Series, pd.Series]:
    """Share of all records of each indicator that is unknown, and share that unknown ones could turn into a no."""
    own = indicators["table"].map(lambda name: (name,))
    by_table = indicators.assign(place=indicators.index, table=indicators["measure"].map(ALSO_OF).fillna(own)).explode(
        "table"
    )
    records = by_table[["place", "unit_id", "wave", "of_wave", "table"]].merge(
        unknown.rename(columns={"wave": "meant"}), on=["unit_id", "table"]
    )
    in_wave = (
        records["meant"].eq(ANY_WAVE) | records["meant"].eq(records["wave"]) | records["meant"].eq(records["of_wave"])
    )
    sums = records[in_wave].groupby("place")[["added", "touched"]].sum().reindex(indicators.index, fill_value=0.0)
    checks = len(rules.settings.governance_checks_high) / max(1, len(rules.settings.governance_checks_low))
    added = sums["added"].mask(indicators["measure"].eq("governance_complete"), sums["added"] * max(1.0, checks))
    total = indicators["n"] + added
    return (added / total).mask(np.isinf(added), np.inf), (sums["touched"] / total).mask(np.isinf(added), 0.0)


def _widened(
    value: pd.Series, least: pd.Series, most: pd.Series, added: pd.Series, affected: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Bounds with unknown records as a no, and as a yes; infinite where their number is unknown."""
    some = (added > 0) | (affected > 0)
    low, high = least.fillna(value), most.fillna(value)
    least = least.mask(some, low * (1 - added) - affected).mask(np.isinf(added) & value.notna(), -np.inf)
    most = most.mask(some, high * (1 - added) + added + affected).mask(np.isinf(added) & value.notna(), np.inf)
    return least, most


def _points(indicators: pd.DataFrame, value: pd.Series) -> pd.Series:
    span = indicators["value_at_100"] - indicators["value_at_0"]
    return (100 * (value - indicators["value_at_0"]) / span).clip(0, 100)


def explain_items(items: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """Mean level and points of every item: one row per unit x wave x barrier x item, segment `all`.

    Parameters
    ----------
    items
        Item distributions before the privacy gate (unit_id, wave, item_id, segment, level, n).

    Returns
    -------
    pandas.DataFrame
        `EXPLAIN_COLUMNS` plus `people` (answers on a level); value is the mean level, points 0-100, coverage
        the share of answers on a level among all answers given.
    """
    rows = items.loc[items["segment"] == ALL].copy()
    rows["step"] = pd.to_numeric(rows["level"], errors="coerce")
    rows["levelled"] = rows["n"].where(rows["step"].notna(), 0)
    rows["total"] = rows["step"].fillna(0) * rows["n"]
    sums = rows.groupby(["unit_id", "wave", "item_id"], as_index=False)[["n", "levelled", "total"]].sum()
    sums = sums.merge(rules.items[["item_id", "barrier_id", "facet", "reverse_scored"]], on="item_id")
    answered = sums["levelled"].where(sums["levelled"] > 0)
    mean = sums["total"] / answered
    reversed_mean = rules.settings.scale_points + 1 - mean
    sums["value"] = mean
    ascending = reversed_mean.where(sums["reverse_scored"].astype(bool), mean)
    sums["points"] = 100 * (ascending - 1) / (rules.settings.scale_points - 1)
    sums["coverage"] = answered / sums["n"].where(sums["n"] > 0)
    sums["status"] = np.where(answered.notna(), OK, INSUFFICIENT)
    sums["points_at_least"] = sums["points"]
    sums = sums.assign(kind="item", weight=1.0, n=answered, people=sums["levelled"])
    return sums.rename(columns={"item_id": "id"}).reindex(columns=[*EXPLAIN_COLUMNS, "people"])


def practice(explained: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """What records show: one row per unit x wave x barrier (practice, practice_coverage, shown, counted).

    Notes
    -----
    `practice` is the weighted mean of the indicators that count, missing below `minimum_indicators` of them.
    `shown` takes unknown records as a no and indicators that do not count as 0; only bands are read off it, so
    neither a blank nor a missing table can improve a band. No interval: records are a census of what was recorded.
    """
    rows = explained.loc[explained["kind"] == "indicator"]
    counts = rows["status"] == OK
    parts = rows.assign(
        counted=counts.astype(int),
        weighed=rows["weight"].where(counts, 0.0),
        earned=(rows["points"] * rows["weight"]).where(counts, 0.0),
        least=(rows["points_at_least"] * rows["weight"]).where(counts, 0.0),
    )
    sums = parts.groupby(KEY, as_index=False)[["counted", "weighed", "earned", "least"]].sum()
    possible = rules.indicators.groupby("barrier_id")["weight"].agg(["sum", "size"])
    sums["practice"] = (sums["earned"] / sums["weighed"].where(sums["weighed"] > 0)).where(
        sums["counted"] >= rules.settings.minimum_indicators
    )
    sums["practice_coverage"] = sums["counted"] / sums["barrier_id"].map(possible["size"])
    sums["shown"] = (sums["least"] / sums["barrier_id"].map(possible["sum"])).where(sums["practice"].notna())
    return sums[[*KEY, "practice", "practice_coverage", "shown", "counted"]]


def _frame(unit_ids: Sequence[str], in_waves: Sequence[str], rules: Instrument) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([list(unit_ids), list(in_waves), list(rules.barriers["barrier_id"])], names=KEY)
    return index.to_frame(index=False)


def _perception(measures: pd.DataFrame) -> pd.DataFrame:
    rows = measures.loc[(measures["measure"] == "perception") & (measures["segment"] == ALL)]
    columns = {
        "value": "perception",
        "low": "perception_low",
        "high": "perception_high",
        "status": "survey_status",
    }
    return rows.rename(columns=columns)[[*KEY, *columns.values(), "n"]]


def _basis(table: pd.DataFrame) -> np.ndarray:
    perceived, practised = table["perception"].notna(), table["practice"].notna()
    return np.select([perceived & practised, perceived, practised], ["both", "perception", "practice"], "none")


def _note(table: pd.DataFrame, rules: Instrument) -> pd.Series:
    indicator_count = rules.indicators.groupby("barrier_id").size()
    of = table["barrier_id"].map(indicator_count).fillna(0).astype(int).astype(str)
    count = table["counted"].fillna(0).astype(int).astype(str)
    records = "records: " + count + " of " + of + " indicators"
    partial = table["practice"].notna() & (table["shown"] < table["practice"] - TOLERANCE)
    records = records.where(~partial, records + "; in the bands what is not recorded counts as not shown")
    few = table["practice"].isna() & (of != "0")
    records = records.where(~few, records + f", at least {rules.settings.minimum_indicators} needed")
    survey = table["survey_status"].fillna(NOT_MEASURED)
    words = {SUPPRESSED: "survey: hidden, too few people; ", NOT_MEASURED: "survey: not measured; "}
    return survey.map(words).fillna("") + records


def profile(
    measures: pd.DataFrame,
    explained: pd.DataFrame,
    rankings: pd.DataFrame,
    rules: Instrument,
) -> pd.DataFrame:
    """The barrier profile: one row per unit x wave x barrier, `COLUMNS`.

    Parameters
    ----------
    measures
        Protected measures rows of all nouns.
    explained
        Items and indicators (`explain_items`, `explain_indicators`); names the units and waves of the profile.
    rankings
        One row per unit x wave x barrier with `flag`, `unit_rank_low`, `unit_rank_high`, `priority_low`,
        `priority_high`, where the survey allows them.

    Notes
    -----
    score = (perception + practice) / 2, only where both are measured; its interval is half the perception's,
    since records carry none. The band of practice and of the score is read off with what is not recorded
    counted as not shown, so that leaving out a table never improves a band; the numbers themselves never
    count absence as zero.
    """
    in_waves = waves.sort_waves(explained["wave"])
    table = _frame(sorted(measures["unit_id"].unique()), in_waves, rules)
    table = table.merge(_perception(measures), on=KEY, how="left")
    table = table.merge(practice(explained, rules), on=KEY, how="left").merge(rankings, on=KEY, how="left")
    table["practice_coverage"] = table["practice_coverage"].fillna(0.0)
    table["basis"] = _basis(table)
    table["score"] = (table["perception"] + table["practice"]) / 2
    table["low"] = table["score"] - (table["perception"] - table["perception_low"]) / 2
    table["high"] = table["score"] + (table["perception_high"] - table["perception"]) / 2
    table["say_do_gap"] = table["perception"] - table["practice"]
    table["perception_band"] = rules.band_of(table["perception"])
    table["practice_band"] = rules.band_of(table["shown"])
    table["band"] = rules.band_of((table["perception"] + table["shown"]) / 2)
    table[list(BANDS)] = table[list(BANDS)].fillna("")
    survey = table["survey_status"].fillna(NOT_MEASURED)
    table["status"] = survey.where(table["basis"] == "none", OK)
    table["note"] = _note(table, rules)
    unknown = table["perception"].isna()
    table["flag"] = table["flag"].fillna("").mask(unknown, "")
    table[list(RANKS)] = table[list(RANKS)].astype(float).mask(unknown)
    return table[list(COLUMNS)]


def practice_sources(explained: pd.DataFrame) -> pd.DataFrame:
    """Sources of a change of practice: what records show, or which indicators count.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier x source with an earlier wave: source `records` (the weighted mean over
        the indicators that count in both waves) and, where the sets differ, `indicators` (the rest), points.
    """
    rows = explained.loc[(explained["kind"] == "indicator") & (explained["status"] == OK)]
    order = waves.sort_waves(explained["wave"])
    later = dict(pairwise(order))
    before = rows.assign(wave=rows["wave"].map(later).astype(object)).dropna(subset="wave")
    pairs = rows.merge(before, on=[*KEY, "id"], how="outer", suffixes=("", "_before"))
    in_both_waves = pairs["points"].notna() & pairs["points_before"].notna()
    weight = pairs["weight"].fillna(pairs["weight_before"])

    def mean(points: pd.Series, where: pd.Series) -> pd.Series:
        weights = weight.where(where & points.notna())
        parts = pd.DataFrame({"sum": points * weights, "weight": weights}).groupby([pairs[name] for name in KEY]).sum()
        return parts["sum"] / parts["weight"].where(parts["weight"] > 0)

    records_change = mean(pairs["points"], in_both_waves) - mean(pairs["points_before"], in_both_waves)
    total_change = mean(pairs["points"], in_both_waves | True) - mean(pairs["points_before"], in_both_waves | True)
    moved = pd.DataFrame(
        {
            "records": records_change,
            "indicators": (total_change - records_change).where((total_change - records_change).abs() > 1e-9),
        }
    )
    long = moved.rename_axis(columns="source").stack().rename("points").reset_index()
    return long[[*KEY, "source", "points"]]


def weight_sensitivity(explained: pd.DataFrame, profiled: pd.DataFrame, rules: Instrument) -> pd.DataFrame:
    """How often the weakest barrier stays so under other weights, by unit x wave (barrier_id, share, n_barriers).

    Notes
    -----
    Voices (1, 1) and the indicators of each barrier (their weights, scaled to mean 1) are re-weighted
    `sensitivity_draws` times by Dirichlet(c w), c = `sensitivity_concentration`, with a fixed seed; `share` is
    how often the lowest score stays lowest. Only units whose barriers all have both voices.
    """
    draws = rules.settings.sensitivity_draws
    random = np.random.default_rng(rules.settings.seed)
    concentration = rules.settings.sensitivity_concentration
    voices = random.dirichlet([concentration / 2] * 2, size=draws)
    weights = {
        barrier: random.dirichlet(concentration * rows["weight"].to_numpy() / rows["weight"].sum(), size=draws)
        for barrier, rows in rules.indicators.sort_values("indicator_id").groupby("barrier_id")
    }
    counted = explained.loc[(explained["kind"] == "indicator") & (explained["status"] == OK)]
    points = dict(list(counted.groupby(["unit_id", "wave"])))
    firmness = []
    for (unit_id, wave), rows in profiled.groupby(["unit_id", "wave"], sort=False):
        if (rows["basis"] != "both").any() or len(rows) < 2:
            continue
        scores = np.column_stack(
            [
                voices[:, 0] * row.perception
                + voices[:, 1] * _reweighted(points[unit_id, wave], row.barrier_id, weights, rules)
                for row in rows.itertuples()
            ]
        )
        weakest = int(rows["score"].to_numpy().argmin())
        share = float((scores.argmin(axis=1) == weakest).mean())
        firmness.append((unit_id, wave, rows["barrier_id"].iloc[weakest], share, len(rows)))
    return pd.DataFrame(firmness, columns=["unit_id", "wave", "barrier_id", "share", "n_barriers"])


def _reweighted(
    points: pd.DataFrame, barrier_id: str, weights: Mapping[str, np.ndarray], rules: Instrument
) -> np.ndarray:
    order = rules.indicators.loc[rules.indicators["barrier_id"] == barrier_id].sort_values("indicator_id")
    of_barrier = points.loc[points["barrier_id"] == barrier_id].set_index("id")["points"]
    value = of_barrier.reindex(order["indicator_id"]).to_numpy()
    present = ~np.isnan(value)
    drawn_weights = weights[barrier_id][:, present]
    return np.asarray((drawn_weights * value[present]).sum(axis=1) / drawn_weights.sum(axis=1))
