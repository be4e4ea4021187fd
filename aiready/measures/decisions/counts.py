"""Count the decision log per decider, as one Ibis expression for DuckDB, PostgreSQL and Spark.

The result is small enough for pandas.
"""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.instrument.model import Settings

LEVELS = (0, 1, 2, 3, 4)
UNKNOWN_LEVEL = 5
AUTOMATIC = (3, 4)
"""Autonomy levels at which the AI acts and a person samples or takes exceptions."""
_YOUNG_COUNTS = ("young", "young_automatic")


def _flags(log: ir.Table, as_of: date | None, settings: Settings) -> ir.Table:
    """The conditions to count, as boolean columns of the log; missing where one side is missing."""
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
    """Whether a decision's outcome is not expected yet."""
    if as_of is None or not settings.label_days:
        return ibis.literal(False)
    return log.opened_at >= str(as_of - timedelta(days=settings.label_days - 1))


def _coded(flags: ir.Table) -> ir.Table:
    """Encode conditions that are counted together as one small integer, which is fastest to count.

    `trio`: three digits to base 3 (initial, advice, final): 0 missing, 1 wrong, 2 right. `outcome`: four times the
    level, plus 1 decided with unknown outcome, 2 wrong, 3 right.
    """
    initial, advice, final = (
        ibis.cases((truth, 2 * digit), (~truth, digit), else_=0)
        for truth, digit in ((flags.initial_right, 9), (flags.advice_right, 3), (flags.final_right, 1))
    )
    outcome = ibis.cases(
        (~flags.decided, 0), (flags.young, 1), (flags.final_right, 3), (~flags.final_right, 2), else_=1
    )
    distance = ibis.cases((flags.advice_right, 1.0), (~flags.advice_right, 0.0)) - flags.advice_confidence
    return flags.mutate(
        trio=(initial + advice + final).cast("int8"),
        outcome=(flags.level * 4 + outcome).cast("int8"),
        miss=distance * distance,
    )


def _conditions(t: ir.Table) -> dict[str, ir.BooleanValue]:
    """The condition of each count, by its name; rows where it is missing are not counted."""
    automatic = t.level.isin(AUTOMATIC)
    trios = {
        f"trio_{first}{a:d}{f:d}": t.trio == 9 * code + 3 * (a + 1) + f + 1
        for code, first in enumerate("x01") for a in (0, 1) for f in (0, 1)
    }  # fmt: skip
    outcomes = {
        f"{state}_{level}": t.outcome == 4 * level + code
        for level in (*LEVELS, UNKNOWN_LEVEL) for code, state in enumerate(("open", "wrong", "right"), start=1)
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
    """Counts behind all measures of the log except speed, as one expression.

    Grain: one row per unit x quarter (its first moment) x decider; `decider_id` missing: decider unknown.
    `trio_iaf`: initial (x: unknown), advice and final right (1) or wrong (0). `open_l`, `wrong_l`, `right_l`:
    decided at level l (5: unknown), with outcome unknown, wrong and right.
    """
    coded = _coded(_flags(decisions, as_of, settings))
    present = {
        "initial_there": coded.initial_decision, "human_judged": coded.initial_right,
        "advice_judged": coded.advice_right, "advised_final": coded.follows, "timed": coded.in_time,
        "context_known": coded.context_complete, "brier_n": coded.miss,
    }  # fmt: skip
    counts = {name: column.count() for name, column in present.items()}
    # Without a waiting time for outcomes no decision is young: counts that are always 0 are not computed.
    zeros = {} if as_of is not None and settings.label_days else dict.fromkeys(_YOUNG_COUNTS, ibis.literal(0, "int64"))
    counted = {name: true for name, true in _conditions(coded).items() if name not in zeros}
    counts |= {name: ibis.ifelse(true, 1, None).count() for name, true in counted.items()}
    # Exact decimals: sums of floats would depend on the order in which threads finish.
    brier = coded.miss.cast("decimal(18, 12)").sum().cast("float64")
    by_decider = coded.group_by("unit_id", "quarter", "decider_id")
    return by_decider.aggregate(decisions=coded.count(), **counts, brier_sum=brier).mutate(**zeros)


def add_derived_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Add the counts that are sums and differences of others."""
    all_levels = (*LEVELS, UNKNOWN_LEVEL)
    scored = {level: counts[f"wrong_{level}"] + counts[f"right_{level}"] for level in all_levels}
    decided = {level: counts[f"open_{level}"] + scored[level] for level in all_levels}
    pair = {digits: counts[[f"trio_{i}{digits}" for i in "x01"]].sum(axis=1) for digits in ("00", "01", "10", "11")}
    trio = {name: counts[f"trio_{name}"] for name in ("001", "010", "011", "100", "101", "110")}
    levelled, automatic = sum(decided[level] for level in LEVELS), sum(decided[level] for level in AUTOMATIC)
    sums = {
        "attended": counts["decisions"] - counts["unattended"],
        "decided": sum(decided.values()),
        "eligible": sum(decided.values()) - counts["young"],
        "eligible_automatic": automatic - counts["young_automatic"],
        "scored": sum(scored.values()),
        "right": sum(counts[f"right_{level}"] for level in all_levels),
        "judged": sum(pair.values()),
        "right_advice": pair["10"] + pair["11"],
        "wrong_advice": pair["00"] + pair["01"],
        "wrong_followed": pair["00"] + pair["01"] - counts["wrong_overridden"],
        "fixed": pair["01"], "broken": pair["10"],
        "net": pair["01"] - pair["10"], "net_sq": pair["01"] + pair["10"],
        "overridden_judged": counts["wrong_overridden"] + pair["10"],
        "ira": trio["010"] + trio["011"], "ira_taken": trio["011"],
        "raw": trio["100"] + trio["101"], "raw_kept": trio["101"],
        "trio": counts.filter(regex="trio_[01]").sum(axis=1),
        "team_human": trio["001"] + trio["011"] - trio["100"] - trio["110"],
        "team_human_sq": trio["001"] + trio["011"] + trio["100"] + trio["110"],
        "team_advice": trio["001"] + trio["101"] - trio["010"] - trio["110"],
        "team_advice_sq": trio["001"] + trio["101"] + trio["010"] + trio["110"],
        "levelled": levelled, "automatic": automatic, "lasting": automatic - counts["taken_back"],
        "level_sum": sum(level / 4 * decided[level] for level in LEVELS),
        "level_sq": sum((level / 4) ** 2 * decided[level] for level in LEVELS),
        "automatic_possible": automatic + decided[UNKNOWN_LEVEL],
        "lasting_possible": automatic - counts["taken_back"] + decided[UNKNOWN_LEVEL],
        "incomplete": counts["context_known"] - counts["context_complete"],
        "context_possible": counts["decisions"] - counts["context_known"] + counts["context_complete"],
        "unsafe_possible": counts["unsafe"] + counts["unknown_advised"],
        "incomplete_advised_unknown": counts["context_known"] - counts["context_complete"] + counts["unknown_advised"],
        "incomplete_unadvised_unknown": counts["decisions"] - counts["context_complete"] - counts["unknown_advised"],
        "in_time_possible": counts["in_time"] + counts["advised_decided"] - counts["timed"],
        "scored_automatic": sum(scored[level] for level in AUTOMATIC),
        "right_automatic": sum(counts[f"right_{level}"] for level in AUTOMATIC),
        **{f"scored_{level}": scored[level] for level in LEVELS},
    }  # fmt: skip
    return pd.concat([counts, pd.DataFrame(sums)], axis=1)
