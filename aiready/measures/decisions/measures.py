"""Measure the decision log: speed, accuracy, reliance on advice, and how far the AI decides by itself.

One pass over the log counts per unit, quarter and decider (Ibis: DuckDB, PostgreSQL, Spark); everything else is sums
of those counts in pandas. Decision times need a second pass. The log itself is never loaded into memory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from aiready.inputs.database import database_errors
from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures.decisions.counts import add_derived_counts, decider_counts
from aiready.measures.decisions.ratios import BOUNDS, COMPLEMENTARITY, RATIOS, Ratio
from aiready.measures.decisions.times import SPEEDS, decision_times
from aiready.measures.estimation.bootstrap import Unclustered, ratio_quantiles
from aiready.measures.estimation.inference import coverage_bounds, mean_interval, wilson
from aiready.model.registry import (
    NOT_MEASURED,
    OK,
    ORGANISATION,
    fill_not_measured,
    fill_quarters,
    measure_rows,
    stack_measures,
)
from aiready.model.waves import quarter, quarter_of_wave

CASE_LEVEL = "case-level: decisions of one person are taken as independent"
_BY_PEOPLE = "interval over deciders: whole people were drawn, not decisions"
_WIDENED = "; widened to all unknown ones no, and all yes"
_NO_INITIAL = "collect `initial_decision`: what the person would have decided before the advice"
_Z = float(stats.norm.isf(0.025))


@database_errors("decisions")
def count_log(data: Data, rules: Instrument) -> pd.DataFrame | None:
    """Count the log per own unit x quarter x decider (see `decider_counts`); None where there is no log."""
    if data.decisions is None:
        return None
    return decider_counts(data.decisions, data.as_of, rules.settings).to_pandas()


@database_errors("decisions")
def measure(data: Data, rules: Instrument, counted: pd.DataFrame | None = None) -> pd.DataFrame:
    """All measures of the decision log.

    Grain: one row per reporting unit x quarter of `opened_at` x measure x segment. Shares 0-1, speeds in
    seconds. `people` counts deciders.

    Notes
    -----
    Unknown cases are left out of a ratio, never counted as no. Context, advice in time and autonomy: the share is
    insufficient where less than the coverage floor of the cases is known; else its interval extends from all unknown
    cases being no to all being yes. Intervals: bootstrap over deciders where enough are known, else case by case
    (Wilson, t), and the note says `case-level`.
    """
    units, wave = data.membership["unit_id"].drop_duplicates(), quarter_of_wave(data.wave)
    settings = rules.settings
    counted = count_log(data, rules) if counted is None else counted
    if counted is None or counted.empty or data.decisions is None:
        return fill_not_measured(stack_measures([]), "decisions", units, wave)
    log = roll_up(counted, data, settings)
    shares = share_rows(log, settings)
    speeds = _speed_rows(decision_times(data.decisions, data.membership, data.as_of), log)
    return fill_quarters(stack_measures([shares, *speeds]), "decisions", units, wave)


# Rolling up: units to their parents and the organisation, deciders kept


@dataclass(frozen=True)
class LogCounts:
    """Counts of a decision log per cell (reporting unit x quarter).

    `cells`: one row per cell with unit_id, wave, all counts, `deciders` (distinct known ones) and `fallback_people`
    (the people behind a count without known deciders: 0 hides it, missing does not). `clusters`: one row per
    cell x known decider, cell by cell; `starts` as in `ratio_quantiles`. `unclustered`: one row per cell, counts of
    decisions without a known decider.
    """

    cells: pd.DataFrame
    clusters: pd.DataFrame
    starts: np.ndarray
    unclustered: pd.DataFrame

    def people(self, count: str) -> pd.Series:
        """Distinct people behind a count per cell; all deciders of the cell where the count is zero."""
        part = np.concatenate([[0], (self.clusters[count] > 0).cumsum()])
        n_people = pd.Series(part[self.starts[1:]] - part[self.starts[:-1]], index=self.cells.index, dtype=float)
        n_people = n_people.where(self.cells[count] > 0, self.cells["deciders"].astype(float))
        return n_people.where(n_people > 0, self.cells["fallback_people"])


def roll_up(counted: pd.DataFrame, data: Data, settings: Settings) -> LogCounts:
    """Sum counts per decider to reporting units x quarters; a decider in several of its units is one person."""
    labels = {day: quarter(day) for day in counted["quarter"].unique()}
    members = counted.assign(wave=counted["quarter"].map(labels)).rename(columns={"unit_id": "member_id"})
    of_members = data.membership.merge(members, on="member_id").drop(columns=["member_id", "quarter"])
    keys = ["unit_id", "wave"]
    by_decider = of_members.groupby([*keys, "decider_id"], dropna=False, as_index=False).sum()
    numbers = list(by_decider.columns.drop([*keys, "decider_id"]))
    # Deciders are sorted by their counts, so that no figure of the bootstrap depends on their ids.
    by_decider = by_decider.sort_values([*keys, *numbers], ignore_index=True)
    in_cells = by_decider.groupby(keys)
    cells = add_derived_counts(in_cells[numbers].sum().reset_index())
    has_decider, cell_no = by_decider["decider_id"].notna(), in_cells.ngroup()
    sizes = np.bincount(cell_no[has_decider], minlength=len(cells))
    unclustered = by_decider[~has_decider].set_index(cell_no[~has_decider])[numbers].reindex(cells.index, fill_value=0)
    is_small = ~(cells["unit_id"].map(_headcounts(data)) >= settings.minimum_headcount_unknown_deciders)
    cells["deciders"] = sizes
    unclustered = add_derived_counts(unclustered)
    cells["fallback_people"] = np.where((unclustered["attended"] > 0) & is_small, 0.0, np.nan)
    return LogCounts(
        cells, add_derived_counts(by_decider[has_decider]), np.concatenate([[0], sizes.cumsum()]), unclustered
    )


def _headcounts(data: Data) -> pd.Series:
    """People per reporting unit: its own headcount, else the sum of its children's; missing where unknown."""
    own = data.units.set_index("unit_id")["headcount"].astype(float)
    parent = data.units.set_index("unit_id")["parent_id"].replace("", None)
    headcounts = own.copy()
    for _ in range(len(own)):  # one level at a time, bottom up
        below = headcounts.groupby(parent).agg(lambda people: people.sum(skipna=False))
        filled = own.fillna(below.reindex(own.index))
        if filled.equals(headcounts):
            break
        headcounts = filled
    top = headcounts[parent.isna()].sum(skipna=False)
    return pd.concat([headcounts, pd.Series({ORGANISATION: top})])


# Rows


def share_rows(log: LogCounts, settings: Settings) -> pd.DataFrame:
    """Rows of every measure that is computed from counts: all except speed."""
    ratios = (*RATIOS, *BOUNDS, *COMPLEMENTARITY)
    points = dict(zip(ratios, np.moveaxis(_bootstrap(log, ratios, settings), 1, 0), strict=True))
    together = _complementarity_rows(log, np.stack([points[ratio] for ratio in COMPLEMENTARITY], axis=1))
    return stack_measures([*_ratio_rows(log, points, settings), _accuracy_bounds_rows(log), together])


def _ratio_rows(log: LogCounts, points: Mapping[Ratio, np.ndarray], settings: Settings) -> list[pd.DataFrame]:
    measures = []
    ends = {least.measure: (least, most) for least, most in zip(BOUNDS[::2], BOUNDS[1::2], strict=True)}
    for ratio in RATIOS:
        cells = _ratio_cells(log, ratio, points[ratio], settings)
        if ratio.measure in ends:
            least, most = (_ratio_cells(log, end, points[end], settings) for end in ends[ratio.measure])
            cells = cells.assign(low=least["low"], high=most["high"], at_least=least["value"], at_most=most["value"])
        adjust = _ADJUSTMENTS.get(ratio.measure)
        measures.append(measure_rows(ratio.measure, adjust(log, cells) if adjust else cells))
    return measures


def _bootstrap(log: LogCounts, ratios: tuple[Ratio, ...], settings: Settings) -> np.ndarray:
    """Bootstrap quantiles (2.5, 5 and 97.5 %) per cell and ratio; `nan` where too few deciders are known."""
    of, among = [ratio.of for ratio in ratios], [ratio.among for ratio in ratios]
    squares = [ratio.squares or ratio.of for ratio in ratios]
    unclustered = Unclustered(*(log.unclustered[names].to_numpy(float) for names in (of, squares, among)))
    points = ratio_quantiles(
        log.starts, log.clusters[of].to_numpy(float), log.clusters[among].to_numpy(float), unclustered,
        (0.025, 0.05, 0.975), draws=settings.bootstrap_draws, seed=settings.seed,
        minimum=settings.minimum_deciders_bootstrap,
    )  # fmt: skip
    people = np.column_stack([log.people(name) for name in among])
    usable = (people >= settings.minimum_deciders_bootstrap) & (points[..., 0] < points[..., 2])
    return np.where(usable[..., None], points, np.nan)


def _ratio_cells(log: LogCounts, ratio: Ratio, points: np.ndarray, settings: Settings) -> pd.DataFrame:
    """Value, interval, n, people and note of one ratio per cell."""
    counts = log.cells
    n = counts[ratio.among].astype(float)
    value = counts[ratio.of] / n.where(n > 0)
    low, high = _case_interval(counts, ratio, value, n)
    by_people = ~np.isnan(points[:, 0])
    cells = counts[["unit_id", "wave"]].assign(
        segment=ratio.segment, value=value, n=n, people=log.people(ratio.among),
        low=np.where(by_people, points[:, 0], low), high=np.where(by_people, points[:, 2], high),
        note=np.where(n > 0, np.where(by_people, _BY_PEOPLE, CASE_LEVEL), ratio.empty),
    )  # fmt: skip
    if ratio.coverage is None:
        return cells
    n_known, n_all = (counts[name] for name in ratio.coverage)
    thin = (n_known < settings.minimum_coverage * n_all) & (n > 0)
    partly = (n_known < n_all) & (n > 0) & (ratio.least is not None)
    note = f"known for less than {settings.minimum_coverage:.0%} of the decisions"
    widened = cells["note"].mask(partly, cells["note"] + _WIDENED)
    return cells.assign(value=value.mask(thin), note=widened.mask(thin, note))


def _case_interval(counts: pd.DataFrame, ratio: Ratio, value: pd.Series, n: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    if not ratio.squares:
        return wilson(counts[ratio.of], n)
    return mean_interval(value, _sd(counts[ratio.squares], value, n), n)


def _sd(squares: pd.Series, mean: pd.Series, n: pd.Series) -> pd.Series:
    """Sample standard deviation from the sum of squares."""
    return np.sqrt(((squares - n * mean**2) / (n - 1).where(n > 1)).clip(lower=0))


def _require_initial(log: LogCounts, cells: pd.DataFrame) -> pd.DataFrame:
    """Not measured where no initial decision is recorded."""
    without = log.cells["initial_there"] == 0
    status = np.where(without, NOT_MEASURED, OK)
    return cells.assign(status=status, note=cells["note"].mask(without, _NO_INITIAL))


def _note_missing_levels(log: LogCounts, cells: pd.DataFrame) -> pd.DataFrame:
    """Add to the note where decisions without a level are left out: a missing level is unknown, not `no AI`."""
    partly = (log.cells["levelled"] > 0) & (log.cells["levelled"] < log.cells["decided"])
    note = "; decisions without a recorded autonomy level are left out"
    return cells.assign(note=cells["note"] + pd.Series(np.where(partly, note, ""), index=cells.index))


def _require_advice(log: LogCounts, cells: pd.DataFrame) -> pd.DataFrame:
    """Drop the value where no advice is recorded at all: nothing is known of advice without context then."""
    without = log.cells["advised"] == 0
    return cells.assign(value=cells["value"].mask(without), note=cells["note"].mask(without, "no advice is recorded"))


def _weight_by_review_rate(log: LogCounts, cells: pd.DataFrame) -> pd.DataFrame:
    """Weight automatic and other decisions by their number where they were reviewed at different rates.

    Stratified estimate: value = sum W_h p_h, se^2 = sum W_h^2 p_h(1-p_h)/(n_h-1) (1-n_h/N_h). Not measured where one
    stratum was never reviewed: the reviewed cases do not represent all.
    """
    c = log.cells
    population = np.column_stack([c["eligible_automatic"], c["eligible"] - c["eligible_automatic"]]).astype(float)
    reviewed = np.column_stack([c["scored_automatic"], c["scored"] - c["scored_automatic"]]).astype(float)
    right = np.column_stack([c["right_automatic"], c["right"] - c["right_automatic"]]).astype(float)
    rates_differ = reviewed[:, 0] * population[:, 1] != reviewed[:, 1] * population[:, 0]
    rates_differ &= (population > 0).all(axis=1)
    never_reviewed = rates_differ & (reviewed == 0).any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, weight = right / reviewed, population / population.sum(axis=1, keepdims=True)
        variances = weight**2 * share * (1 - share) / np.where(reviewed > 1, reviewed - 1, np.nan)
        errors = variances * (1 - reviewed / population)  # finite-population correction
    value, se = (weight * share).sum(axis=1), np.sqrt(np.where(reviewed >= population, 0, errors).sum(axis=1))
    note = f"automatic and other decisions weighted by their number; {CASE_LEVEL}"
    unseen = "collect outcomes of automatic and of other decisions: one kind was never reviewed"
    return cells.assign(
        value=np.where(rates_differ, value, cells["value"]),
        low=np.where(rates_differ, value - _Z * se, cells["low"]),
        high=np.where(rates_differ, value + _Z * se, cells["high"]),
        status=np.where(never_reviewed, NOT_MEASURED, OK),
        note=cells["note"].mask(rates_differ, note).mask(never_reviewed, unseen),
    )


_ADJUSTMENTS: dict[str, Callable[[LogCounts, pd.DataFrame], pd.DataFrame]] = {
    "human_accuracy": _require_initial,
    "reliance_on_right_advice": _require_initial,
    "self_reliance": _require_initial,
    "autonomy_share": _note_missing_levels,
    "effective_autonomy": _note_missing_levels,
    "autonomy_index": _note_missing_levels,
    "unsafe_answer_rate": _require_advice,
    "decision_accuracy": _weight_by_review_rate,
}


def _accuracy_bounds_rows(log: LogCounts) -> pd.DataFrame:
    """Accuracy of the labelled decisions, with bounds: all unlabelled ones wrong, and all right."""
    c = log.cells
    n, eligible = c["scored"].astype(float), c["eligible"].astype(float)
    value = c["right"] / n.where(n > 0)
    low, high = coverage_bounds(value, n / eligible.where(eligible > 0))
    cells = c[["unit_id", "wave"]].assign(value=value, low=low, high=high, n=n, people=log.people("scored"))
    note = "bounds, not an interval: all decisions without a known outcome wrong, or all right"
    return measure_rows("accuracy_bounds", cells.assign(note=np.where(n > 0, note, "no outcome is known yet")))


def _complementarity_rows(log: LogCounts, points: np.ndarray) -> pd.DataFrame:
    """Accuracy of people with advice minus that of the better one alone, on decisions where all three are known.

    Demonstrated only when both one-sided 95 % lower bounds, over people alone and over advice alone, are above 0
    (intersection-union test). The ends of the interval are the lower ones of the two two-sided intervals.
    """
    c = log.cells
    n = c["trio"].astype(float)
    sides = [_difference(c, ratio, n, points[:, side]) for side, ratio in enumerate(COMPLEMENTARITY)]
    value, low, bound, high = (np.minimum(*pair) for pair in zip(*sides, strict=True))
    demonstrated = np.where(bound > 0, "demonstrated", "not demonstrated")
    interval_note = np.where(np.isnan(points[..., 0]).any(axis=1), CASE_LEVEL, _BY_PEOPLE)
    note = pd.Series(demonstrated, index=c.index) + ": one-sided 95 % bounds against both; " + interval_note
    cells = c[["unit_id", "wave"]].assign(
        value=value, low=low, high=high, n=n, people=log.people("trio"),
        note=note.where(n > 0, "no decision has first answer, advice, final answer and outcome"),
    )  # fmt: skip
    return measure_rows("complementarity", _require_initial(log, cells))


def _difference(
    counts: pd.DataFrame, ratio: Ratio, n: pd.Series, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean difference and its bounds: two-sided low, one-sided low, two-sided high."""
    mean = counts[ratio.of] / n.where(n > 0)
    sd = _sd(counts[ratio.squares], mean, n)
    low, high = mean_interval(mean, sd, n)
    bound, _ = mean_interval(mean, sd, n, level=0.90)
    case_level = np.column_stack([low, bound, high])
    bounds = np.where(np.isnan(points), case_level, points)
    return mean.to_numpy(), bounds[:, 0], bounds[:, 1], bounds[:, 2]


def _speed_rows(times: pd.DataFrame, log: LogCounts) -> list[pd.DataFrame]:
    """Rows of the speed measures from `decision_times`, in seconds."""
    times["wave"] = [quarter(day) for day in times["quarter"]]
    cells = log.cells[["unit_id", "wave", "decisions"]].merge(times, on=["unit_id", "wave"], how="left")
    people = log.people("decisions")
    days = cells["follow_up"].map(lambda micro: f"{micro / 86_400e6:.1f}")
    measures = []
    for measure_name, p in SPEEDS:
        seconds = {
            out: cells[f"{at}_{p * 100:.0f}"] / 1e6 for out, at in (("value", "at"), ("low", "low"), ("high", "high"))
        }
        unreached = "not reached: the longest follow-up is " + days + " days"
        row = cells[["unit_id", "wave"]].assign(**seconds, n=cells["decisions"], people=people)
        row["note"] = unreached.where(row["value"].isna(), CASE_LEVEL)
        measures.append(measure_rows(measure_name, row))
    return measures
