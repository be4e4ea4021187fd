"""Measure tasks: exposure to AI, hours it could save, hours it does save, and the gap between them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument
from aiready.measures.estimation.inference import coverage_bounds
from aiready.measures.record_shares import by_reporting_unit
from aiready.measures.tasks.hours import GAP_PARTS, HOURS, JOB, job_headcounts, potential_range, with_hours
from aiready.measures.tasks.job_holders import UNKNOWN, part_of
from aiready.model import registry
from aiready.model.registry import ALL, PEOPLE

TABLE = "tasks"
CELL = ["unit_id", "wave", "segment"]
TASKS_PER_JOB = (15, 20)
WEEKS = 52
FULL_TIME_HOURS = 40 * WEEKS

FOLLOWED_HOURS = {"realised_hours": "realised", "last_mile_gap_hours": "gap"} | {part: part for part in GAP_PARTS}
BOUNDED = ("realised_hours", "last_mile_gap_hours", "gap_not_adopted")
EXPOSURE = {
    "exposure_alpha": {"E0": 0.0, "E1": 1.0, "E2": 0.0},
    "exposure_beta": {"E0": 0.0, "E1": 1.0, "E2": 0.5},
    "exposure_zeta": {"E0": 0.0, "E1": 1.0, "E2": 1.0},
}
POTENTIAL_NEEDS = "hours and an expected saving"
FOLLOW_NEEDS = "adoption, observed saving, rework and oversight"
EVIDENCE = ("measured", "reported")
TALLIES = (
    "tasks", "known", "followed", "adopted", "stated", "followed_potential", "adopted_potential",
    "stated_potential", "checked", "gain", "stated_gain", "open", *EVIDENCE,
    "potential_most", "open_most", "gain_most", "silent",
)  # fmt: skip
ATTRIBUTES = ("task", "mode", "target_mode", "pattern", "exposure", "blocker", "evidence", "freed_for")


@dataclass(frozen=True)
class Rate:
    """One share of hours: the columns to divide, and those with the coverage of hours and tasks."""

    numerator: str
    denominator: str
    covered: str
    counted: str
    needs: str
    bounded: bool = True


RATES = {
    "realised_rate": Rate("realised", "followed_potential", "followed_potential", "followed", FOLLOW_NEEDS),
    "not_adopted_rate": Rate("open", "adopted_potential", "adopted_potential", "adopted", "adoption"),
    "rework_oversight_rate": Rate("checked", "saved", "followed_potential", "followed", FOLLOW_NEEDS, bounded=False),
    "measured_share": Rate("measured", "stated_gain", "stated_potential", "stated", f"{FOLLOW_NEEDS}, evidence stated"),
}


def measure(data: Data, rules: Instrument) -> pd.DataFrame:
    """All measures of `tasks`: one row per reporting unit x wave x measure x segment (`all`, job, blocker).

    Returns
    -------
    pandas.DataFrame
        Measures rows with `people`: holders of the jobs behind hours and rates (0 where no headcount is given; missing
        for exposure and counts, which describe the job). `n` is the number of tasks counted.

    Notes
    -----
    *Exposure* (0-1): E1, E1 + .5 E2, E1 + E2, weighted by `weight`, else hours x headcount, else equally. All rows
    of a cell use the same kind of weight: one that all of them have.

    *Hours* per person-year x headcount, with h hours, s and o expected and observed saving, a adoption, w
    rework: potential h s; realised h a o (1 - w) - oversight; gap = potential - realised = not adopted
    h s (1 - a) + saving below plan h a (s - o) + rework h a o w + oversight. A task that is done without AI (`mode`
    human) and is to stay so (`target_mode` human or blank) has no saving; `mode` human alone means adoption 0;
    with adoption 0, blank observed saving, rework and oversight are 0.

    Where `expected_saving_low` and `_high` are given, low and high of the potential are quantiles of its sum over
    simulated savings (see `potential_range`).

    *Missing data.* Potential counts the tasks whose h and s are known. Realised hours, the gap and its parts count
    those of them of which all of this is known, so the parts always add up; low and high take the others as not
    realised at all and as fully realised. Rates divide known hours by known hours, with bounds [r c, r c + 1 - c], c
    the share of the potential covered. Below `minimum_coverage` a value is insufficient. For bands each blank is taken
    at its worst (`at_least`, `at_most`): a task whose hours are unknown could outweigh all others.

    *Rates.* `realised_rate` = realised / potential; `not_adopted_rate` = not adopted / potential of the tasks
    whose adoption is known; `rework_oversight_rate` = (rework + oversight) / h a o, may pass 1, no bounds;
    `measured_share` = measured / all hours of the tasks that save any, blank `evidence` being unknown.

    Exposure is not adoption, hours are not posts, and a saving assumes that checking is done.

    References
    ----------
    Eloundou, Manning, Mishkin and Rock (2023), GPTs are GPTs.
    """
    tasks = data.table(TABLE)
    unit_ids = data.membership["unit_id"].unique()
    if tasks is None or tasks.empty:
        return registry.fill_not_measured(registry.stack_measures([]), TABLE, unit_ids, data.wave)
    reported = by_reporting_unit(with_hours(tasks).assign(row=np.arange(len(tasks))), data.membership)
    settings = rules.settings
    cells = _cells(reported, by_reporting_unit(job_headcounts(tasks), data.membership))
    cells = cells.join(_ranges(reported, settings.bootstrap_draws, settings.seed))
    floor = settings.minimum_coverage
    measures = [
        *_exposure(_by_segment(reported), floor),
        *_hour_rows(cells, floor),
        *_rate_rows(cells, floor),
        _blocker_rows(reported, cells, floor),
        _count_rows(reported),
    ]
    return registry.fill_not_measured(registry.stack_measures(measures), TABLE, unit_ids, data.wave)


def task_table(data: Data, rules: Instrument) -> pd.DataFrame:
    """Hours of every task, for charts: one row per unit x wave x job x task, at the unit that recorded it.

    Returns
    -------
    pandas.DataFrame
        `unit_id`, `wave`, `job`, `task_id`, `task`, `mode`, `target_mode`, `pattern`, `exposure`, `blocker`,
        `evidence`, `freed_for`; `barrier_id` that the blocker belongs to; hours `hours`, `potential`,
        `realised`, `gap`, its four parts, `unfollowed`; `people`, the holders of the job (missing without a
        headcount); `part`, its name in the privacy gate. Potential = realised + gap + unfollowed, and the gap is the
        sum of its parts.
    """
    columns = [*JOB, "task_id", *ATTRIBUTES, "barrier_id", *HOURS, PEOPLE]
    tasks = data.table(TABLE)
    if tasks is None or tasks.empty:
        return pd.DataFrame(columns=[*columns, "part"])
    barrier = rules.blockers.set_index("blocker")["barrier_id"]
    rows = with_hours(tasks).rename(columns={"holders": PEOPLE})
    rows = rows.assign(barrier_id=rows["blocker"].map(barrier), part=part_of(rows))
    return rows[[*columns, "part"]].reset_index(drop=True)


def _by_segment(reported: pd.DataFrame) -> pd.DataFrame:
    """Each row in the segments `all` and of its job."""
    jobs = reported[reported["job"] != ALL]  # a job of that name would count twice in `all`
    return pd.concat([reported.assign(segment=ALL), jobs.assign(segment=jobs["job"])], ignore_index=True)


def _exposure(rows: pd.DataFrame, floor: float) -> Iterable[pd.DataFrame]:
    """Weighted exposure of every cell, with bounds for tasks whose exposure is unknown."""
    weight, basis = _weights(rows)
    is_known = rows["exposure"].notna()
    keys = [rows[key] for key in CELL]
    total, covered = weight.groupby(keys).sum(), weight.where(is_known, 0.0).groupby(keys).sum()
    cells = pd.DataFrame({"n": is_known.groupby(keys).sum(), "tasks": is_known.groupby(keys).size()})
    coverage = covered / total
    notes = _join(
        "weighted " + basis.groupby(keys).first(),
        _counted(cells["n"], cells["tasks"], "exposure"),
        "not adoption",
    )
    for name, points in EXPOSURE.items():
        value = (weight * rows["exposure"].map(points)).groupby(keys).sum() / covered.where(covered > 0)
        low, high = _bounds(value, coverage)
        exposures = cells.assign(value=value.where(coverage >= floor), low=low, high=high, note=notes)
        yield registry.measure_rows(name, exposures.reset_index())


def _weights(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Weight of every row within its cell, and the kind of weight."""
    weight, basis = pd.Series(1.0, index=rows.index), pd.Series("equally", index=rows.index)
    for words, column in (("by hours", rows["hours"]), ("by weight", rows["weight"])):
        grouped = column.groupby([rows[key] for key in CELL])
        usable = grouped.transform("count").eq(grouped.transform("size")) & grouped.transform("sum").gt(0)
        weight, basis = weight.mask(usable, column), basis.mask(usable, words)
    return weight, basis


def _cells(reported: pd.DataFrame, holders: pd.DataFrame) -> pd.DataFrame:
    """Sums of every cell: hours, tasks and potential covered, jobs and holders."""
    rows = _by_segment(_tallies(reported))
    sums = ["potential", "saved", "realised", "gap", *GAP_PARTS, *TALLIES, "hours", "unfollowed"]
    people = _by_segment(holders).groupby(CELL)
    cells = rows.groupby(CELL)[sums].sum().join(people[["jobs", "persons", "uncounted"]].sum())
    return cells.assign(people=people["holders"].sum()).reset_index()


def _ranges(reported: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """Low and high potential of every cell, in the order of `_cells`; missing where no saving is a range."""
    rows = _by_segment(reported)
    ranges = potential_range(rows, rows.groupby(CELL).ngroup(), draws, seed)
    return ranges.rename(columns={"low": "potential_low", "high": "potential_high"})


def _tallies(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that are summed besides hours: tasks counted, potential covered, hours by evidence."""
    gain = rows["realised"].clip(lower=0)
    has_potential, adopted = rows["potential"].notna(), rows["open"].notna()
    stated = rows["whole"] & (rows["evidence"].notna() | gain.eq(0))
    tallies = {
        "tasks": 1,
        "known": has_potential,
        "followed": rows["whole"],
        "adopted": adopted,
        "stated": stated,
        "followed_potential": rows["potential"].where(rows["whole"]),
        "adopted_potential": rows["potential"].where(adopted),
        "stated_potential": rows["potential"].where(stated),
        "checked": rows["gap_rework"] + rows["gap_oversight"],
        "gain": gain,
        "stated_gain": gain.where(stated),
        "open": rows["open"],
        **{evidence: gain.where(rows["evidence"].eq(evidence)) for evidence in EVIDENCE},
    }
    return rows.assign(**tallies)


def _hour_rows(cells: pd.DataFrame, floor: float) -> Iterable[pd.DataFrame]:
    """Potential, realised, the gap and its parts, in hours."""
    enough = _enough(cells, floor)
    potential, ends = cells["potential"].where(enough), cells[["potential_low", "potential_high"]]
    ranged = ends["potential_low"].notna().map({True: "range: savings drawn as stated, from least to most", False: ""})
    notes = _join(_potential_notes(cells, potential), ranged)
    yield registry.measure_rows(
        "potential_hours",
        cells[[*CELL, PEOPLE]].assign(
            value=potential, low=ends["potential_low"], high=ends["potential_high"], n=cells["known"], note=notes
        ),
    )
    enough &= _coverage(cells, "followed_potential", "followed") >= floor
    partial = enough & cells["unfollowed"].gt(0)
    for name, column in FOLLOWED_HOURS.items():
        value = cells[column].where(enough)
        bounds = {"low": value, "high": value + cells["unfollowed"]} if name in BOUNDED else {}
        hours = cells[[*CELL, PEOPLE]].assign(value=value, n=cells["followed"], note=_hour_notes(cells, value))
        yield registry.measure_rows(name, hours.assign(**{end: bound.where(partial) for end, bound in bounds.items()}))


def _rate_rows(cells: pd.DataFrame, floor: float) -> Iterable[pd.DataFrame]:
    """Shares of hours, with bounds for the unknown ones."""
    for name, rate in RATES.items():
        coverage = _coverage(cells, rate.covered, rate.counted)
        enough = _enough(cells, floor) & (coverage >= floor)
        value = cells[rate.numerator] / cells[rate.denominator].where(cells[rate.denominator] > 0)
        low, high = _bounds(value, coverage if rate.bounded else coverage * np.nan)
        notes = _join(
            value.isna().map({True: "no hours to divide by", False: ""}),
            value.gt(1).map({True: "above 1: more than was expected", False: ""}),
            _counted(cells["known"], cells["tasks"], POTENTIAL_NEEDS),
            _counted(cells[rate.counted], cells["known"], rate.needs),
            _evidence_notes(cells) if name == "realised_rate" else "",
        )
        rates = cells[[*CELL, PEOPLE]].assign(value=value.where(enough), n=cells[rate.counted], low=low, high=high)
        yield registry.measure_rows(name, rates.assign(note=notes, **_worst(name, cells)))


def _worst(name: str, cells: pd.DataFrame) -> dict[str, pd.Series]:
    """The rate with every blank at its worst, for bands, so that no blank improves one.

    Potential is at most the hours; unknown hours may be any number, and so may unknown oversight.
    """
    if name == "not_adopted_rate":
        share = cells["open_most"] / cells["potential_most"].where(cells["potential_most"] > 0)
        return {"at_most": share.mask(np.isinf(cells["potential_most"]), 1.0)}
    if name == "measured_share":
        return {"at_least": cells["measured"] / cells["gain_most"].where(cells["gain_most"] > 0)}
    if name == "rework_oversight_rate":
        rate = cells["checked"] / cells["saved"].where(cells["saved"] > 0)
        return {"at_most": rate.mask((cells["followed"] < cells["tasks"]) | (cells["silent"] > 0), np.inf)}
    return {}


def _blocker_rows(reported: pd.DataFrame, cells: pd.DataFrame, floor: float) -> pd.DataFrame:
    """The gap by blocker; `all` is the whole gap, `unknown` that of tasks without a blocker."""
    waiting = reported[reported["whole"] & reported["gap"].ne(0)]
    waiting = waiting.assign(segment=waiting["blocker"].fillna(UNKNOWN))
    jobs = waiting.drop_duplicates([*CELL, "member_id", "job"])
    parts = waiting.groupby(CELL).agg(value=("gap", "sum"), n=("gap", "size"))
    parts[PEOPLE] = jobs.groupby(CELL)["holders"].sum()
    unit_cells = cells[cells["segment"] == ALL]
    total = unit_cells[[*CELL, PEOPLE]].assign(value=unit_cells["gap"], n=unit_cells["followed"])
    blockers = pd.concat([total, parts.reset_index()], ignore_index=True)
    coverage = blockers[["unit_id", "wave"]].merge(unit_cells.drop(columns=["segment", PEOPLE]), on=["unit_id", "wave"])
    enough = _enough(coverage, floor) & (_coverage(coverage, "followed_potential", "followed") >= floor)
    notes = _join(*_completeness(coverage))
    return registry.measure_rows("gap_by_blocker", blockers.assign(value=blockers["value"].where(enough), note=notes))


def _count_rows(reported: pd.DataFrame) -> pd.DataFrame:
    """Tasks per job, each task of a job once even if several units have the job; `all` is their total."""
    each = reported.drop_duplicates([*JOB, "task_id"])
    jobs = each.groupby(JOB).size().rename("value").reset_index().rename(columns={"job": "segment"})
    few, many = TASKS_PER_JOB
    words = np.select(
        [jobs["value"] < few, jobs["value"] > many],
        [f"too coarse: fewer than {few} core tasks", f"too fine: more than {many} core tasks"],
        "",
    )
    jobs = jobs.assign(n=jobs["value"], note=words, outside=words != "")
    totals = jobs.groupby(["unit_id", "wave"]).agg(
        value=("value", "sum"), outside=("outside", "sum"), jobs=("n", "size")
    )
    totals = totals.reset_index().assign(segment=ALL, n=lambda total: total["value"])
    totals["note"] = _counted(totals["jobs"] - totals["outside"], totals["jobs"], f"{few}-{many} core tasks", "jobs")
    return registry.measure_rows("task_count", pd.concat([totals, jobs[jobs["segment"] != ALL]], ignore_index=True))


def _enough(cells: pd.DataFrame, floor: float) -> pd.Series:
    """Whether the potential of enough tasks is known."""
    return cells["known"] / cells["tasks"] >= floor


def _coverage(cells: pd.DataFrame, covered: str, counted: str) -> pd.Series:
    """Share of the potential that is covered; where there is none, share of the tasks."""
    tasks = cells[counted] / cells["known"].where(cells["known"] > 0)
    return (cells[covered] / cells["potential"]).where(cells["potential"] > 0, tasks)


def _bounds(share: pd.Series, coverage: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Bounds of a share with the unknown part taken as none and as all; missing at full coverage.

    A share below none or above all is its own bound: the unknown part may be like the known one.
    """
    partial = coverage < 1
    low, high = coverage_bounds(share, coverage)
    return np.minimum(low, share).where(partial), np.maximum(high, share).where(partial)


def _potential_notes(cells: pd.DataFrame, value: pd.Series) -> list[str]:
    """Notes on potential hours: completeness, holders, and whether a job's tasks fit into a year."""
    long = cells["hours"] / cells["persons"]
    return _join(
        _counted(cells["known"], cells["tasks"], POTENTIAL_NEEDS),
        _holder_notes(cells, value),
        [f"tasks add up to {year:,.0f} hours a year for one person" if year > FULL_TIME_HOURS else "" for year in long],
    )


def _hour_notes(cells: pd.DataFrame, value: pd.Series) -> list[str]:
    """Notes on realised and open hours: completeness, evidence, holders."""
    return _join(*_completeness(cells), _evidence_notes(cells), _holder_notes(cells, value))


def _completeness(cells: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Notes on how many tasks have the values that hours need."""
    return (
        _counted(cells["known"], cells["tasks"], POTENTIAL_NEEDS),
        _counted(cells["followed"], cells["known"], FOLLOW_NEEDS),
    )


def _holder_notes(cells: pd.DataFrame, value: pd.Series) -> list[str]:
    """Notes on hours per holder and week, or that hours are one person's because headcounts are missing."""
    return [
        f"headcount absent for {uncounted:.0f} of {jobs:.0f} jobs: hours of one person each"
        if uncounted
        else (f"{hours / persons / WEEKS:.1f} hours per holder and week" if hours == hours and persons else "")
        for uncounted, jobs, persons, hours in zip(
            cells["uncounted"], cells["jobs"], cells["persons"], value, strict=True
        )
    ]


def _evidence_notes(cells: pd.DataFrame) -> list[str]:
    """Notes on how much of the saving was measured and how much is only reported."""
    shares = [(cells[evidence] / cells["gain"].where(cells["gain"] > 0)) for evidence in EVIDENCE]
    return [
        f"{100 * measured:.0f} % of the saving measured, {100 * reported:.0f} % reported"
        if measured == measured
        else ""
        for measured, reported in zip(*shares, strict=True)
    ]


def _counted(counted: pd.Series, of: pd.Series, needs: str, what: str = "tasks") -> list[str]:
    """Notes such as `12 of 17 tasks have ...`, where not all have."""
    return [
        f"{some:.0f} of {all_tasks:.0f} {what} have {needs}" if some < all_tasks else ""
        for some, all_tasks in zip(counted, of, strict=True)
    ]


def _join(*notes: Iterable[str] | str) -> list[str]:
    """Join the notes of every row; a single text is added to every row."""
    length = max(len(list(note)) for note in notes if not isinstance(note, str))
    columns = [[note] * length if isinstance(note, str) else list(note) for note in notes]
    return ["; ".join(filter(None, row)) for row in zip(*columns, strict=True)]
