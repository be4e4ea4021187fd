"""Decision measures at size: seconds, ratio to one plain DuckDB group-by (of processor time), and peak memory.

Each measure group is timed alone, counting no more than it needs; then all together, as a run does: the counts of all
groups in one pass, and the speeds in another.

    python benchmarks/decisions.py --rows 50_000_000

500 units x 5 quarters x 40 deciders a unit, whole-second stamps, one Parquet file in a temporary folder. At
2 million rows also against a good pandas implementation of the same shares and medians.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures import decisions
from aiready.measures.decisions.counts import decider_counts
from aiready.measures.decisions.times import decision_times

UNITS, DECIDERS, AS_OF = 500, 40, date(2026, 9, 30)
GROUP_LIMIT, TOTAL_LIMIT, PANDAS_ROWS = 8, 15, 2_000_000
COLUMNS = (
    "decider_id", "opened_at", "advice_at", "decided_at", "advice", "advice_confidence", "initial_decision",
    "final_decision", "autonomy_level", "correct_decision", "context_complete", "reversed_at",
)  # fmt: skip
_TRIOS = [f"trio_{first}{a}{f}" for first in "x01" for a in "01" for f in "01"]
_OUTCOMES = [f"{state}_{level}" for state in ("open", "wrong", "right") for level in range(6)]
COUNTED = {
    "accuracy": ["labels", "human_right", "human_judged", "advice_right", "advice_judged", *_OUTCOMES],
    "collaboration": ["initial_there", "advised_final", "overridden", "wrong_overridden", *_TRIOS],
    "autonomy": ["unattended", "taken_back", *_OUTCOMES],
    "context": [
        "advised", "timed", "in_time", "advised_decided", "context_known", "context_complete", "unsafe",
        "unknown_advised",
    ],
    "calibration": ["brier_n", "brier_sum"],
}  # fmt: skip
"""Counts per decider that the measures of a group are made of."""
_ROWS = """
copy (
  with raw as (select i, {draws} from range({rows}) t(i)),
  cases as (
    select *, (r0 * {units})::int % {units} as unit, (r1 * {deciders})::int % {deciders} as person,
      timestamp '2025-07-01' + to_seconds((r2 * 456 * 86400)::bigint) as opened_at,
      greatest(1, exp(8 + 1.2 * sqrt(-2 * ln(r3 + 1e-12)) * cos(2 * pi() * r4)))::bigint as seconds,
      case when r5 < .5 then 'pay' else 'reject' end as truth, r6 > .03 as closed from raw)
  select 'd' || i as decision_id, 'unit-' || lpad(unit::varchar, 3, '0') as unit_id,
    null::varchar as initiative_id, 'p' || unit || '-' || person as decider_id, opened_at,
    opened_at + to_seconds((r7 * 120)::bigint) as advice_at,
    case when closed then opened_at + to_seconds(seconds) end as decided_at,
    case when (r7 < .75) = (truth = 'pay') then 'pay' else 'reject' end as advice,
    .5 + r7 / 2 as advice_confidence,
    case when (r8 < .65) = (truth = 'pay') then 'pay' else 'reject' end as initial_decision,
    case when closed then case when (r9 < .78) = (truth = 'pay') then 'pay' else 'reject' end end
      as final_decision,
    (r10 * 5)::int % 5 as autonomy_level, case when r11 < .7 then truth end as correct_decision,
    null::timestamp as outcome_at, r12 < .8 as context_complete,
    case when closed and r13 < .03 then opened_at + to_seconds(seconds + (r12 * 5e6)::bigint) end
      as reversed_at
  from cases) to '{file}' (format parquet)
"""


def make_log(engine: ibis.backends.duckdb.Backend, rows: int, file: Path) -> None:
    draws = ", ".join(f"random() as r{i}" for i in range(14))
    engine.raw_sql("select setseed(.42)")
    engine.raw_sql(_ROWS.format(draws=draws, rows=rows, units=UNITS, deciders=DECIDERS, file=file))


def data_of(engine: ibis.backends.duckdb.Backend, file: Path) -> Data:
    units = pd.DataFrame({"unit_id": [f"unit-{i:03}" for i in range(UNITS)]}).reindex(
        columns=["unit_id", "name", "parent_id", "headcount", "formerly"]
    )
    pairs = [(above, unit) for unit in units["unit_id"] for above in ("*", unit)]
    membership = pd.DataFrame(pairs, columns=["unit_id", "member_id"])
    log = engine.read_parquet(file)
    log = log.mutate(wave=log.opened_at.year().cast("string") + "-Q" + log.opened_at.quarter().cast("string"))
    return Data({}, units, membership, (), "2026-Q3", AS_OF, decisions=log)


@dataclass(frozen=True)
class Took:
    """Seconds by the clock and of processor; ratios are of the latter, which other work does not stretch."""

    clock: float
    processor: float


def took(run: Callable[[], object]) -> Took:
    clock, processor = time.perf_counter(), time.process_time()
    run()
    return Took(time.perf_counter() - clock, time.process_time() - processor)


def quickest(run: Callable[[], object]) -> Took:
    return min((took(run) for _ in range(3)), key=lambda one: one.processor)


def plain(data: Data, columns: tuple[str, ...]) -> Callable[[], object]:
    """One group-by of unit x quarter over the same columns."""
    log = data.decisions
    grouped = log.group_by(log.unit_id, quarter=log.opened_at.truncate("Q"))
    counts = {f"n_{name}": log[name].count() for name in columns}
    return lambda: grouped.aggregate(n=log.count(), **counts).to_pandas()


def in_pandas(file: Path) -> pd.DataFrame:
    """The shares and both speed quantiles, as one would write them well in pandas."""
    log = pd.read_parquet(file)
    text = ["unit_id", "decider_id", "advice", "initial_decision", "final_decision", "correct_decision"]
    log[text] = log[text].astype("category")
    both = pd.CategoricalDtype(["pay", "reject"])
    right = {
        name: log[name].astype(both).cat.codes == log["correct_decision"].astype(both).cat.codes
        for name in ("advice", "initial_decision", "final_decision")
    }
    known = log["correct_decision"].notna()
    final, closed = known & log["final_decision"].notna(), log["decided_at"].notna()
    advice, initial, team = (flag & known for flag in right.values())
    follows = log["final_decision"].astype(both).cat.codes == log["advice"].astype(both).cat.codes
    level = log["autonomy_level"]
    window = log["reversed_at"] <= log["decided_at"] + pd.Timedelta(days=30)
    flags = {
        "closed": closed, "labels": closed & known, "final": final, "team": team & final, "advice": advice,
        "initial": initial, "ira": final & ~initial & advice, "ira_taken": final & ~initial & advice & team,
        "raw": final & initial & ~advice, "raw_kept": final & initial & ~advice & team,
        "followed_wrong": final & ~advice & follows, "wrong": final & ~advice,
        "broken": final & advice & ~team,
        "overridden": closed & ~follows, "fixed": final & ~advice & team, "automatic": closed & (level >= 3),
        "back": closed & (level >= 3) & window, "context": log["context_complete"],
        "unsafe": ~log["context_complete"] & log["advice"].notna(),
        "in_time": log["advice_at"] <= log["decided_at"],
        **{f"wrong_{one}": final & ~team & (level == one) for one in range(5)},
        **{f"scored_{one}": final & (level == one) for one in range(5)},
        **{f"decided_{one}": closed & (level == one) for one in range(5)},
    }  # fmt: skip
    keys = log[["unit_id", "decider_id"]].assign(quarter=log["opened_at"].dt.to_period("Q"))
    miss = (advice - log["advice_confidence"]).where(known) ** 2
    table = keys.assign(**flags, miss=miss).groupby(["unit_id", "quarter", "decider_id"], observed=True).sum()
    end = log["decided_at"].fillna(pd.Timestamp(AS_OF) + pd.Timedelta(days=1))
    times = keys.assign(t=(end - log["opened_at"]).dt.total_seconds(), closed=closed)
    for group in (["unit_id", "quarter"], ["quarter"]):
        curve = times.groupby([*group, "t"], observed=True)["closed"].agg(["size", "sum"]).reset_index()
        by = curve.groupby(group, observed=True)
        at_risk = by["size"].transform("sum") - by["size"].cumsum() + curve["size"]
        curve["step"] = np.log1p(-curve["sum"] / at_risk.where(at_risk > curve["sum"]))
        curve["variance"] = curve["sum"] / (at_risk * (at_risk - curve["sum"]).where(at_risk > curve["sum"]))
        sums = curve.groupby(group, observed=True)[["step", "variance"]].cumsum()
        curve["S"], curve["V"] = np.exp(sums["step"]), sums["variance"]
        curve["spread"] = 1.96 * np.sqrt(curve["V"]) / -np.log(curve["S"])
        bands = (curve["S"] ** np.exp(curve["spread"]), curve["S"] ** np.exp(-curve["spread"]))
        for p in (0.5, 0.1):
            for band in (curve["S"], *bands):
                curve[band <= p].groupby(group, observed=True)["t"].min()
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=PANDAS_ROWS)
    parser.add_argument("--memory", default="3GB", help="DuckDB's memory limit")
    rows, memory = (vars(parser.parse_args())[name] for name in ("rows", "memory"))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "decisions.parquet"
        engine = ibis.duckdb.connect(threads=2, memory_limit=memory, temp_directory=folder)
        engine.raw_sql("set preserve_insertion_order = false")
        make_log(engine, rows, file)
        print(f"{rows:,} decisions, {file.stat().st_size / 1e9:.2f} GB Parquet, {UNITS} units x 5 quarters")
        report(data_of(engine, file), file, rows)


def report(data: Data, file: Path, rows: int) -> None:
    rules = Instrument(*[pd.DataFrame()] * 8, settings=Settings(), intro="", version="", digest="")
    base, base_times = quickest(plain(data, COLUMNS)), quickest(plain(data, ("opened_at", "decided_at")))
    print(
        f"one group-by: {base.clock:.2f} s, {base.processor:.2f} s of processor; "
        f"over the two stamps alone: {base_times.clock:.2f} s, {base_times.processor:.2f} s"
    )
    counted: list[pd.DataFrame] = []
    every = decider_counts(data.decisions, AS_OF, rules.settings)
    counting = took(lambda: counted.append(every.to_pandas()))
    alone = {
        f"counts: {group}": took(every.select("unit_id", "quarter", "decider_id", "decisions", *names).to_pandas)
        for group, names in COUNTED.items()
    }
    log = decisions.roll_up(counted[0], data, rules.settings)
    shares = took(lambda: decisions.share_rows(log, rules.settings))
    times = took(lambda: decision_times(data.decisions, data.membership, AS_OF))
    whole = took(lambda: decisions.measure(data, rules))
    for name, spent, against, limit in (
        *((group, spent, base, GROUP_LIMIT) for group, spent in alone.items()),
        ("shares and bootstrap", shares, base, GROUP_LIMIT),
        ("speed, Kaplan-Meier", times, base_times, GROUP_LIMIT),
        ("counts of all groups", counting, base, TOTAL_LIMIT),
        ("all together", whole, base, TOTAL_LIMIT),
    ):
        ratio = spent.processor / against.processor
        print(f"{name:22} {spent.clock:7.2f} s, {spent.processor:7.2f} s of processor", end=" ")
        print(f"{ratio:6.1f} x one group-by (at most {limit})")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak:.2f} GB")
    if rows <= PANDAS_ROWS:
        by_hand, ours = took(lambda: in_pandas(file)).processor, counting.processor + times.processor
        print(f"pandas, same counts and quantiles {by_hand:.2f} s; these {ours:.2f} s: {by_hand / ours:.1f} x")


if __name__ == "__main__":
    main()
