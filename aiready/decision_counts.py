"""Counts of the decision log per decider, as one Ibis expression for DuckDB, PostgreSQL and Spark.

What comes out is small enough for pandas.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from aiready.instrument import Settings

LEVELS = (0, 1, 2, 3, 4)
UNKNOWN_LEVEL = 5
AUTOMATIC = (3, 4)
"""Autonomy levels at which the AI acts and a person samples or takes exceptions."""
_YOUNG = ("young", "young_automatic")


def _flags(log: ir.Table, as_of: date | None, settings: Settings) -> ir.Table:
    """The log with the truth values that counts are made of; missing where one side is missing."""
    decided = log.decided_at.notnull() | log.final_decision.notnull()
    undone = log.reversed_at.delta(log.decided_at, unit="microsecond")
    return log.select(
        "unit_id", "decider_id", "context_complete", "initial_decision", "advice_confidence",
        quarter=log.opened_at.truncate("Q"),
        level=log.autonomy_level.fill_null(UNKNOWN_LEVEL).cast("int8"),
        decided=decided,
        young=decided & _too_young(log, as_of, settings),
        labelled=log.correct_decision.notnull(),
        initial_right=log.initial_decision == log.correct_decision,
        advice_right=log.advice == log.correct_decision,
        final_right=log.final_decision == log.correct_decision,
        follows=log.final_decision == log.advice,
        advised=log.advice.notnull() | log.advice_at.notnull(),
        in_time=log.advice_at <= log.decided_at,
        taken_back=undone <= settings.reversal_days * 86_400_000_000,
    )  # fmt: skip


def _too_young(log: ir.Table, as_of: date | None, settings: Settings) -> ir.BooleanValue:
    """Decisions whose outcome is not expected yet."""
    if as_of is None or not settings.label_days:
        return ibis.literal(False)
    return log.opened_at >= str(as_of - timedelta(days=settings.label_days - 1))


def _coded(flags: ir.Table) -> ir.Table:
    """Truth values that are counted together as one small number: equal numbers are counted fastest.

    `trio`: digits to base 3 of initial, advice and final right: 0 missing, 1 wrong, 2 right. `outcome`: four
    times the level, plus 1 decided, 2 decided and known to be wrong, 3 known to be right.
    """
    initial, advice, final = (
        ibis.cases((truth, 2 * digit), (~truth, digit), else_=0)
        for truth, digit in ((flags.initial_right, 9), (flags.advice_right, 3), (flags.final_right, 1))
    )
    known = ibis.cases((~flags.decided, 0), (flags.young, 1), (flags.final_right, 3), (~flags.final_right, 2), else_=1)
    distance = ibis.cases((flags.advice_right, 1.0), (~flags.advice_right, 0.0)) - flags.advice_confidence
    return flags.mutate(
        trio=(initial + advice + final).cast("int8"),
        outcome=(flags.level * 4 + known).cast("int8"),
        miss=distance * distance,
    )


def _conditions(t: ir.Table) -> dict[str, ir.BooleanValue]:
    """What is counted, by name of the count; a missing truth value is not counted."""
    automatic = t.level.isin(AUTOMATIC)
    trios = {
        f"trio_{first}{a:d}{f:d}": t.trio == 9 * place + 3 * (a + 1) + f + 1
        for place, first in enumerate("x01") for a in (0, 1) for f in (0, 1)
    }  # fmt: skip
    outcomes = {
        f"{state}_{level}": t.outcome == 4 * level + place
        for level in (*LEVELS, UNKNOWN_LEVEL) for place, state in enumerate(("open", "wrong", "right"), start=1)
    }  # fmt: skip
    return {
        "unattended": t.level == max(LEVELS),
        "young": t.young,
        "young_automatic": t.young & automatic,
        "labels": t.decided & ~t.young & t.labelled,
        "taken_back": t.taken_back & automatic,
        "overridden": ~t.follows,
        "wrong_overridden": ~t.follows & ~t.advice_right,
        "advice_right": t.advice_right,
        "human_right": t.initial_right,
        "advised": t.advised,
        "context_complete": t.context_complete,
        "unsafe": ~t.context_complete & t.advised,
        "unknown_advised": t.context_complete.isnull() & t.advised,
        "advised_decided": t.decided & t.advised,
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
    # without a waiting time nothing is young: what is always zero need not be counted
    none = {} if as_of is not None and settings.label_days else dict.fromkeys(_YOUNG, ibis.literal(0, "int64"))
    wanted = {name: true for name, true in _conditions(coded).items() if name not in none}
    counts |= {name: ibis.ifelse(true, 1, None).count() for name, true in wanted.items()}
    # Exact decimals: sums of floats would differ with the order in which threads finish.
    brier = coded.miss.cast("decimal(18, 12)").sum().cast("float64")
    by_decider = coded.group_by("unit_id", "quarter", "decider_id")
    return by_decider.aggregate(decisions=coded.count(), **counts, brier_sum=brier).mutate(**none)
