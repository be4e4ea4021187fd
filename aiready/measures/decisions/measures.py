"""Decision logs: how fast, how right, who relied on whom, and how far the AI decides by itself.

One pass over the log counts per unit, quarter and decider (Ibis: DuckDB, PostgreSQL, Spark); everything else
is sums of those counts in pandas. Decision times need a second pass, by windows. The log itself is never
pulled into memory.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from aiready.inputs.database import answering
from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures.decisions.counts import decider_counts, derived
from aiready.measures.decisions.ratios import BOUNDING, RATIOS, TOGETHER, Ratio
from aiready.measures.decisions.times import SPEEDS, decision_times
from aiready.measures.estimation.bootstrap import Loose, ratio_quantiles
from aiready.measures.estimation.inference import coverage_bounds, mean_interval, wilson
from aiready.model.registry import NOT_MEASURED, OK, ORGANISATION, collect, fill_not_measured, rows
from aiready.model.waves import quarter, quarter_of_wave

CASE_LEVEL = "case-level: decisions of one person are taken as independent"
_BY_PEOPLE = "interval over deciders: whole people were drawn, not decisions"
_WIDENED = "; widened to all unknown ones no, and all yes"
_NO_INITIAL = "collect `initial_decision`: what the person would have decided before the advice"
_Z = float(stats.norm.isf(0.025))


@answering("decisions")
def counted_log(data: Data, rules: Instrument) -> pd.DataFrame | None:
    """Counts of the log per own unit x quarter x decider (see `decision_counts`); None where there is no log."""
    if data.decisions is None:
        return None
    return decider_counts(data.decisions, data.as_of, rules.settings).to_pandas()


@answering("decisions")
def measure(data: Data, rules: Instrument, counted: pd.DataFrame | None = None) -> pd.DataFrame:
    """All measures of the decision log.

    Grain: one row per reporting unit x quarter of `opened_at` x measure x segment. Shares 0-1, speeds in
    seconds. Deciders are the people behind a row.

    Notes
    -----
    What is not known is left out of a ratio, never counted as no. Context, advice in time and autonomy: where less
    than the coverage floor of the cases is known the share is insufficient, else its interval begins where all that
    is unknown were no and ends where it were yes. Intervals: people drawn (bootstrap) where enough deciders are
    known, else case by case (Wilson, t), and the note says `case-level`.
    """
    units, wave = data.membership["unit_id"].drop_duplicates(), quarter_of_wave(data.wave)
    settings = rules.settings
    counted = counted_log(data, rules) if counted is None else counted
    if counted is None or counted.empty or data.decisions is None:
        return fill_not_measured(collect([]), "decisions", units, wave)
    log = rolled_up(counted, data, settings)
    made = share_rows(log, settings)
    speeds = _speed_rows(decision_times(data.decisions, data.membership, data.as_of), log)
    return _every_wave(collect([made, *speeds]), units, wave)


def _every_wave(made: pd.DataFrame, units: Iterable[str], wave: str) -> pd.DataFrame:
    """Add `not_measured` rows for units without a row in a quarter, in every quarter there is."""
    present = sorted({*made["wave"], wave})
    return collect(fill_not_measured(made[made["wave"] == one], "decisions", units, one) for one in present)


# Rolling up: units to their parents and the organisation, deciders kept


@dataclass(frozen=True)
class Log:
    """Counts of a decision log per cell (reporting unit x quarter).

    `cells`: one row per cell with unit_id, wave and all counts, `deciders` (distinct known ones) and `nobody`
    (people behind a row without known deciders: 0 hides it, missing where that need not be). `clusters`: one
    row per cell x known decider, cell by cell; `starts` as in `ratio_quantiles`. `loose`: one row per cell,
    counts of decisions without a known decider.
    """

    cells: pd.DataFrame
    clusters: pd.DataFrame
    starts: np.ndarray
    loose: pd.DataFrame

    def people(self, count: str) -> pd.Series:
        """Distinct people behind a count per cell; all deciders of the cell where the count is zero."""
        part = np.concatenate([[0], (self.clusters[count] > 0).cumsum()])
        known = pd.Series(part[self.starts[1:]] - part[self.starts[:-1]], index=self.cells.index, dtype=float)
        known = known.where(self.cells[count] > 0, self.cells["deciders"].astype(float))
        return known.where(known > 0, self.cells["nobody"])


def rolled_up(counted: pd.DataFrame, data: Data, settings: Settings) -> Log:
    """Sum counts per decider up to reporting units x quarters; a decider of several members is one person."""
    labels = {day: quarter(day) for day in counted["quarter"].unique()}
    members = counted.assign(wave=counted["quarter"].map(labels)).rename(columns={"unit_id": "member_id"})
    several = data.membership.merge(members, on="member_id").drop(columns=["member_id", "quarter"])
    keys = ["unit_id", "wave"]
    by_decider = several.groupby([*keys, "decider_id"], dropna=False, as_index=False).sum()
    numbers = list(by_decider.columns.drop([*keys, "decider_id"]))
    # people stand in the order of what they did, so that no figure depends on what they are called
    by_decider = by_decider.sort_values([*keys, *numbers], ignore_index=True)
    in_cells = by_decider.groupby(keys)
    cells = derived(in_cells[numbers].sum().reset_index())
    known, place = by_decider["decider_id"].notna(), in_cells.ngroup()
    sizes = np.bincount(place[known], minlength=len(cells))
    loose = by_decider[~known].set_index(place[~known])[numbers].reindex(cells.index, fill_value=0)
    small = ~(cells["unit_id"].map(_headcounts(data)) >= settings.minimum_headcount_unknown_deciders)
    cells["deciders"] = sizes
    loose = derived(loose)
    cells["nobody"] = np.where((loose["attended"] > 0) & small, 0.0, np.nan)
    return Log(cells, derived(by_decider[known]), np.concatenate([[0], sizes.cumsum()]), loose)


def _headcounts(data: Data) -> pd.Series:
    """People per reporting unit: its own figure, else the sum of its units'; missing where that is not known."""
    own = data.units.set_index("unit_id")["headcount"].astype(float)
    parent = data.units.set_index("unit_id")["parent_id"].replace("", None)
    known = own.copy()
    for _ in range(len(own)):  # a level at a time, from below
        below = known.groupby(parent).agg(lambda people: people.sum(skipna=False))
        filled = own.fillna(below.reindex(own.index))
        if filled.equals(known):
            break
        known = filled
    top = known[parent.isna()].sum(skipna=False)
    return pd.concat([known, pd.Series({ORGANISATION: top})])


# Rows


def share_rows(log: Log, settings: Settings) -> pd.DataFrame:
    """Rows of every measure that counts suffice for: all but speed."""
    every = (*RATIOS, *BOUNDING, *TOGETHER)
    drawn = dict(zip(every, np.moveaxis(_bootstrap(log, every, settings), 1, 0), strict=True))
    together = _complementarity_rows(log, np.stack([drawn[ratio] for ratio in TOGETHER], axis=1))
    return collect([*_ratio_rows(log, drawn, settings), _bounds_rows(log), together])


def _ratio_rows(log: Log, drawn: Mapping[Ratio, np.ndarray], settings: Settings) -> list[pd.DataFrame]:
    made = []
    ends = {least.measure: (least, most) for least, most in zip(BOUNDING[::2], BOUNDING[1::2], strict=True)}
    for ratio in RATIOS:
        cells = _ratio_cells(log, ratio, drawn[ratio], settings)
        if ratio.measure in ends:
            least, most = (_ratio_cells(log, end, drawn[end], settings) for end in ends[ratio.measure])
            cells = cells.assign(low=least["low"], high=most["high"], at_least=least["value"], at_most=most["value"])
        special = _SPECIAL.get(ratio.measure)
        made.append(rows(ratio.measure, special(log, cells) if special else cells))
    return made


def _bootstrap(log: Log, ratios: tuple[Ratio, ...], settings: Settings) -> np.ndarray:
    """2.5, 5 and 97.5 % points per cell and ratio; `nan` where too few deciders are known."""
    of, among = [ratio.of for ratio in ratios], [ratio.among for ratio in ratios]
    squares = [ratio.squares or ratio.of for ratio in ratios]
    loose = Loose(*(log.loose[names].to_numpy(float) for names in (of, squares, among)))
    points = ratio_quantiles(
        log.starts, log.clusters[of].to_numpy(float), log.clusters[among].to_numpy(float), loose,
        (0.025, 0.05, 0.975), draws=settings.bootstrap_draws, seed=settings.seed,
        minimum=settings.minimum_deciders_bootstrap,
    )  # fmt: skip
    people = np.column_stack([log.people(name) for name in among])
    usable = (people >= settings.minimum_deciders_bootstrap) & (points[..., 0] < points[..., 2])
    return np.where(usable[..., None], points, np.nan)


def _ratio_cells(log: Log, ratio: Ratio, points: np.ndarray, settings: Settings) -> pd.DataFrame:
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
    if ratio.known is None:
        return cells
    known, whole = (counts[name] for name in ratio.known)
    thin = (known < settings.minimum_coverage * whole) & (n > 0)
    partly = (known < whole) & (n > 0) & (ratio.least is not None)
    note = f"known for less than {settings.minimum_coverage:.0%} of the decisions"
    widened = cells["note"].mask(partly, cells["note"] + _WIDENED)
    return cells.assign(value=value.mask(thin), note=widened.mask(thin, note))


def _case_interval(counts: pd.DataFrame, ratio: Ratio, value: pd.Series, n: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    if not ratio.squares:
        return wilson(counts[ratio.of], n)
    return mean_interval(value, _sd(counts[ratio.squares], value, n), n)


def _sd(squares: pd.Series, mean: pd.Series, n: pd.Series) -> pd.Series:
    return np.sqrt(((squares - n * mean**2) / (n - 1).where(n > 1)).clip(lower=0))


def _needs_initial(log: Log, cells: pd.DataFrame) -> pd.DataFrame:
    without = log.cells["initial_there"] == 0
    status = np.where(without, NOT_MEASURED, OK)
    return cells.assign(status=status, note=cells["note"].mask(without, _NO_INITIAL))


def _levels_noted(log: Log, cells: pd.DataFrame) -> pd.DataFrame:
    """Say where a missing level leaves decisions out: it is unknown, not `no AI`."""
    partly = (log.cells["levelled"] > 0) & (log.cells["levelled"] < log.cells["decided"])
    note = "; decisions without a recorded autonomy level are left out"
    return cells.assign(note=cells["note"] + pd.Series(np.where(partly, note, ""), index=cells.index))


def _needs_advice(log: Log, cells: pd.DataFrame) -> pd.DataFrame:
    """No advice recorded at all says nothing about advice given without the context."""
    without = log.cells["advised"] == 0
    return cells.assign(value=cells["value"].mask(without), note=cells["note"].mask(without, "no advice is recorded"))


def _weighted(log: Log, cells: pd.DataFrame) -> pd.DataFrame:
    """Weight automatic and other decisions by their number where they were reviewed at different rates.

    value = sum W_h p_h, se^2 = sum W_h^2 p_h(1-p_h)/(n_h-1) (1-n_h/N_h); not measured where one of the two
    was never reviewed: the reviewed cases do not stand for all.
    """
    c = log.cells
    whole = np.column_stack([c["eligible_automatic"], c["eligible"] - c["eligible_automatic"]]).astype(float)
    seen = np.column_stack([c["scored_automatic"], c["scored"] - c["scored_automatic"]]).astype(float)
    right = np.column_stack([c["right_automatic"], c["right"] - c["right_automatic"]]).astype(float)
    apart = (seen[:, 0] * whole[:, 1] != seen[:, 1] * whole[:, 0]) & (whole > 0).all(axis=1)
    blind = apart & (seen == 0).any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, weight = right / seen, whole / whole.sum(axis=1, keepdims=True)
        errors = weight**2 * share * (1 - share) / np.where(seen > 1, seen - 1, np.nan) * (1 - seen / whole)
    value, se = (weight * share).sum(axis=1), np.sqrt(np.where(seen >= whole, 0, errors).sum(axis=1))
    note = f"automatic and other decisions weighted by their number; {CASE_LEVEL}"
    unseen = "collect outcomes of automatic and of other decisions: one kind was never reviewed"
    return cells.assign(
        value=np.where(apart, value, cells["value"]),
        low=np.where(apart, value - _Z * se, cells["low"]),
        high=np.where(apart, value + _Z * se, cells["high"]),
        status=np.where(blind, NOT_MEASURED, OK),
        note=cells["note"].mask(apart, note).mask(blind, unseen),
    )


_SPECIAL: dict[str, Callable[[Log, pd.DataFrame], pd.DataFrame]] = {
    "human_accuracy": _needs_initial,
    "reliance_on_right_advice": _needs_initial,
    "self_reliance": _needs_initial,
    "autonomy_share": _levels_noted,
    "effective_autonomy": _levels_noted,
    "autonomy_index": _levels_noted,
    "unsafe_answer_rate": _needs_advice,
    "decision_accuracy": _weighted,
}


def _bounds_rows(log: Log) -> pd.DataFrame:
    """Accuracy of the labelled decisions, between all unlabelled ones being wrong and all being right."""
    c = log.cells
    n, eligible = c["scored"].astype(float), c["eligible"].astype(float)
    value = c["right"] / n.where(n > 0)
    low, high = coverage_bounds(value, n / eligible.where(eligible > 0))
    cells = c[["unit_id", "wave"]].assign(value=value, low=low, high=high, n=n, people=log.people("scored"))
    note = "bounds, not an interval: all decisions without a known outcome wrong, or all right"
    return rows("accuracy_bounds", cells.assign(note=np.where(n > 0, note, "no outcome is known yet")))


def _complementarity_rows(log: Log, drawn: np.ndarray) -> pd.DataFrame:
    """Accuracy together minus that of the better one alone, on decisions where all three are known.

    Demonstrated only when both one-sided 95 % lower bounds, over people alone and over advice alone, are
    above 0 (intersection-union test). The interval holds both two-sided intervals' lower and upper ends.
    """
    c = log.cells
    n = c["trio"].astype(float)
    sides = [_difference(c, ratio, n, drawn[:, place]) for place, ratio in enumerate(TOGETHER)]
    value, low, bound, high = (np.minimum(*pair) for pair in zip(*sides, strict=True))
    verdict = np.where(bound > 0, "demonstrated", "not demonstrated")
    how = np.where(np.isnan(drawn[..., 0]).any(axis=1), CASE_LEVEL, _BY_PEOPLE)
    note = pd.Series(verdict, index=c.index) + ": one-sided 95 % bounds against both; " + how
    cells = c[["unit_id", "wave"]].assign(
        value=value, low=low, high=high, n=n, people=log.people("trio"),
        note=note.where(n > 0, "no decision has first answer, advice, final answer and outcome"),
    )  # fmt: skip
    return rows("complementarity", _needs_initial(log, cells))


def _difference(
    counts: pd.DataFrame, ratio: Ratio, n: pd.Series, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean difference, its two-sided low, one-sided low and two-sided high bound."""
    mean = counts[ratio.of] / n.where(n > 0)
    sd = _sd(counts[ratio.squares], mean, n)
    low, high = mean_interval(mean, sd, n)
    bound, _ = mean_interval(mean, sd, n, level=0.90)
    case_level = np.column_stack([low, bound, high])
    found = np.where(np.isnan(points), case_level, points)
    return mean.to_numpy(), found[:, 0], found[:, 1], found[:, 2]


def _speed_rows(found: pd.DataFrame, log: Log) -> list[pd.DataFrame]:
    found["wave"] = [quarter(day) for day in found["quarter"]]
    cells = log.cells[["unit_id", "wave", "decisions"]].merge(found, on=["unit_id", "wave"], how="left")
    people = log.people("decisions")
    days = cells["follow_up"].map(lambda micro: f"{micro / 86_400e6:.1f}")
    made = []
    for measure_name, p in SPEEDS:
        seconds = {
            out: cells[f"{at}_{p * 100:.0f}"] / 1e6 for out, at in (("value", "at"), ("low", "low"), ("high", "high"))
        }
        unreached = "not reached: the longest follow-up is " + days + " days"
        row = cells[["unit_id", "wave"]].assign(**seconds, n=cells["decisions"], people=people)
        row["note"] = unreached.where(row["value"].isna(), CASE_LEVEL)
        made.append(rows(measure_name, row))
    return made
