"""The decision log itself: counts and decision times as Ibis expressions, for DuckDB, PostgreSQL and Spark.

The one big table is read here and only here; what comes out is small enough for pandas.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import stats

from aiready.instrument import Settings

LEVELS = (0, 1, 2, 3, 4)
UNKNOWN_LEVEL = 5
AUTOMATIC = (3, 4)
"""Autonomy levels at which the AI acts and a person samples or takes exceptions."""

SPEEDS = (("decision_speed_p50", 0.5), ("decision_speed_p90", 0.9))
_Z = float(stats.norm.isf(0.025))
_TOLERANCE = 1e-12


def _flags(log: ir.Table, as_of: date | None, settings: Settings) -> ir.Table:
    """The log with the truth values that counts are made of; missing where one side is missing."""
    first_too_young = None if as_of is None else as_of - timedelta(days=settings.label_days - 1)
    decided = log.decided_at.notnull() | log.final_decision.notnull()
    old_enough = ibis.literal(True) if first_too_young is None else log.opened_at < str(first_too_young)
    return log.select(
        "unit_id", "decider_id", "autonomy_level", "context_complete", "initial_decision", "advice_confidence",
        quarter=log.opened_at.truncate("Q"),
        decided=decided,
        eligible=decided & old_enough,
        labelled=log.correct_decision.notnull(),
        initial_right=log.initial_decision == log.correct_decision,
        advice_right=log.advice == log.correct_decision,
        final_right=log.final_decision == log.correct_decision,
        follows=log.final_decision == log.advice,
        advised=log.advice.notnull() | log.advice_at.notnull(),
        closed=log.decided_at.notnull(),
        in_time=log.advice_at <= log.decided_at,
        taken_back=log.reversed_at <= log.decided_at + ibis.interval(days=settings.reversal_days),
    )  # fmt: skip


def _coded(flags: ir.Table) -> ir.Table:
    """Truth values that are counted together as one small number: equal numbers are counted fastest.

    `trio`: digits to base 3 of initial, advice and final right: 0 missing, 1 wrong, 2 right. `outcome`: four
    times the level (5: missing), plus 1 decided, 2 decided and known to be wrong, 3 known to be right.
    """
    initial, advice, final = (
        ibis.cases((truth, 2), (~truth, 1), else_=0)
        for truth in (flags.initial_right, flags.advice_right, flags.final_right)
    )
    state = ibis.ifelse(flags.decided, ibis.ifelse(flags.eligible & (final > 0), final + 1, 1), 0)
    distance = ibis.cases((flags.advice_right, 1.0), (~flags.advice_right, 0.0)) - flags.advice_confidence
    return flags.mutate(
        trio=(initial * 9 + advice * 3 + final).cast("int8"),
        outcome=(flags.autonomy_level.fill_null(UNKNOWN_LEVEL) * 4 + state).cast("int8"),
        miss=distance * distance,
    )


def _conditions(t: ir.Table) -> dict[str, ir.BooleanValue]:
    """What is counted, by name of the count; a missing truth value is not counted."""
    automatic = t.autonomy_level.isin(AUTOMATIC)
    trios = {
        f"trio_{first}{a:d}{f:d}": t.trio == 9 * place + 3 * (a + 1) + f + 1
        for place, first in enumerate(("x", 0, 1)) for a in (0, 1) for f in (0, 1)
    }  # fmt: skip
    outcomes = {
        f"{state}_{level}": t.outcome == 4 * level + place
        for level in (*LEVELS, UNKNOWN_LEVEL) for place, state in enumerate(("open", "wrong", "right"), start=1)
    }  # fmt: skip
    return {
        "unattended": t.autonomy_level == max(LEVELS),
        "eligible": t.eligible,
        "labels": t.eligible & t.labelled,
        "eligible_automatic": t.eligible & automatic,
        "taken_back": t.decided & automatic & t.taken_back,
        "overridden": ~t.follows,
        "wrong_overridden": ~t.advice_right & ~t.follows,
        "advice_right": t.advice_right,
        "human_right": t.initial_right,
        "advised": t.advised,
        "context_complete": t.context_complete,
        "unsafe": ~t.context_complete & t.advised,
        "advised_decided": t.advised & t.closed,
        "in_time": t.in_time,
        **trios,
        **outcomes,
    }


def decider_counts(decisions: ir.Table, as_of: date | None, settings: Settings) -> ir.Table:
    """Counts behind all measures of the log but speed, as one expression.

    Grain: one row per unit x quarter (its first moment) x decider; `decider_id` missing: nobody known.
    `trio_iaf`: initial (x: unknown), advice and final right (1) or wrong (0). `open_l`, `wrong_l`, `right_l`:
    decided at level l (5: unknown), without a known outcome, wrong and right.
    """
    coded = _coded(_flags(decisions, as_of, settings))
    present = {
        "initial_there": coded.initial_decision, "human_judged": coded.initial_right,
        "advice_judged": coded.advice_right, "advised_final": coded.follows, "timed": coded.in_time,
        "context_known": coded.context_complete, "brier_n": coded.miss,
    }  # fmt: skip
    counts = {name: column.count() for name, column in present.items()}
    counts |= {name: ibis.ifelse(true, 1, None).count() for name, true in _conditions(coded).items()}
    # Exact decimals: sums of floats would differ with the order in which threads finish.
    misses = {"brier_sum": coded.miss, "brier_sq": coded.miss * coded.miss}
    sums = {name: miss.cast("decimal(18, 12)").sum().cast("float64") for name, miss in misses.items()}
    return coded.group_by("unit_id", "quarter", "decider_id").aggregate(decisions=coded.count(), **counts, **sums)


def decision_times(decisions: ir.Table, membership: pd.DataFrame, as_of: date | None) -> ir.Table:
    """Kaplan-Meier quantiles of the time from opening to decision, as one expression.

    Grain: one row per reporting unit x quarter (its first moment): `follow_up` and, per quantile p, `at_p`,
    `low_p`, `high_p` in microseconds, missing where not reached. S(t) = product of (1 - d/n); a quantile is
    the smallest t with S(t) <= 1 - p; interval where the log-log bounds of S(t) reach 1 - p (Brookmeyer and
    Crowley 1982). Decisions still open count until the end of `as_of`.
    """
    curve = _curve(_duration_counts(decisions, membership, as_of))
    found: dict[str, ir.Value] = {}
    for _, p in SPEEDS:
        target, name = 1 - p + _TOLERANCE, f"{p * 100:.0f}"
        needed = -float(np.log(target))
        factor = (curve.spread * _Z).exp()
        inside = curve.hazard > 0
        reached = curve.gone | (curve.hazard >= needed)
        found |= {
            f"at_{name}": ibis.ifelse(reached, curve.micro, None).min(),
            f"low_{name}": ibis.ifelse(
                inside & ~curve.gone & (curve.hazard * factor >= needed), curve.micro, None
            ).min(),
            f"high_{name}": ibis.ifelse(
                inside & ~curve.gone & (curve.hazard >= needed * factor), curve.micro, None
            ).min(),
        }
    return curve.group_by("unit_id", "quarter").aggregate(follow_up=curve.micro.max(), **found)


def _duration_counts(decisions: ir.Table, membership: pd.DataFrame, as_of: date | None) -> ir.Table:
    """Decisions and closed ones per reporting unit x quarter x time in microseconds."""
    end = decisions.opened_at if as_of is None else ibis.timestamp(str(as_of + timedelta(days=1)))
    times = decisions.select(
        "unit_id",
        quarter=decisions.opened_at.truncate("Q"),
        micro=decisions.decided_at.coalesce(end).delta(decisions.opened_at, unit="microsecond"),
        closed=decisions.decided_at,
    )
    own = times.group_by("unit_id", "quarter", "micro").aggregate(n=times.count(), closed=times.closed.count())
    # Most units have no children: their own counts stand as they are, and only totals are counted again.
    alone = membership.groupby("unit_id")["member_id"].transform("size") == 1
    alone &= membership["unit_id"] == membership["member_id"]
    single, total = ibis.memtable(membership[alone]), ibis.memtable(membership[~alone])
    rolled = own.rename(member_id="unit_id").inner_join(total, "member_id")
    rolled = rolled.group_by("unit_id", "quarter", "micro").aggregate(n=rolled.n.sum(), closed=rolled.closed.sum())
    single_rows = own.semi_join(single, "unit_id")
    return single_rows.union(rolled.cast({"n": "int64", "closed": "int64"}))


def _curve(counts: ir.Table) -> ir.Table:
    """Cumulative hazard -ln S(t) of each time, `gone` where S(t) = 0, and the log-log standard error."""
    keys = ["unit_id", "quarter"]
    later = ibis.window(group_by=keys, order_by="micro", preceding=0, following=None)
    so_far = ibis.window(group_by=keys, order_by="micro", preceding=None, following=0)
    at_risk = counts.mutate(at_risk=counts.n.sum().over(later).cast("float64"))
    left = at_risk.at_risk - at_risk.closed
    gone = left <= 0
    steps = at_risk.select(
        *keys, "micro", gone=gone,
        hazard=ibis.ifelse(gone, 0.0, -(left / at_risk.at_risk).ln()),
        variance=ibis.ifelse(gone, 0.0, at_risk.closed / (at_risk.at_risk * left)),
    )  # fmt: skip
    summed = steps.mutate(hazard=steps.hazard.sum().over(so_far), variance=steps.variance.sum().over(so_far))
    spread = ibis.ifelse(summed.hazard > 0, summed.variance.sqrt() / summed.hazard, 0.0)
    return summed.mutate(spread=spread)
