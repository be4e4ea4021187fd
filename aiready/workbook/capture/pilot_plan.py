"""Plan a pilot before its data: cases per arm, and the decision rule in words. Verdicts follow the same rule."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from statsmodels.stats.power import NormalIndPower, TTestIndPower

from aiready.errors import UsageError, raise_all
from aiready.measures.trials.verdicts import COMPARISONS
from aiready.model.schema import Column, Table

ALPHA = 0.05
"""Level of the one-sided test: verdicts use one-sided 95 % bounds."""
POWER = 0.8
MAX_CASES = 10_000_000
"""Largest number of cases per arm that is reported."""
PLANS = Table(
    "pilots", "initiative, trial and measure", "pilots planned before their data, with the rule that decides",
    (
        Column("initiative_id", "id", "initiative", "letter-drafting", required=True),
        Column("trial_no", "integer", "number of the trial", "1", at_least=1),
        Column("measure", "text", "what is measured", "letters needing no correction", required=True),
        Column("kind", "text", "outcome or guardrail", "outcome", required=True, allowed=("outcome", "guardrail")),
        Column("direction", "text", "which way is better", "increase", required=True, allowed=("increase", "decrease")),
        Column("scale", "text", "counted (a share) or measured (a mean)", "share", required=True,
               allowed=("share", "mean")),
        Column("today", "number", "share without the AI, 0-1 (of a mean: its value)", "0.80"),
        Column("sd", "number", "standard deviation of a mean", "9", at_least=0),
        Column("target_effect", "number", "improvement agreed", "0.05", at_least=0),
        Column("expected_effect", "number", "improvement really expected; blank: the target effect", "0.08"),
        Column("margin", "number", "harm tolerated on a guardrail", "0.02", at_least=0),
        Column("power", "share", "chance to see it if it is there", "0.8", at_least=0, at_most=1),
        Column("cases_per_arm", "integer", "cases planned in each arm", "400", at_least=1),
        Column("assignment", "text", "how cases come to their arm", "random",
               allowed=("random", "matched", "before_after", "volunteers")),
        Column("declared_on", "date", "date the rule was written down", "2026-05-11"),
        Column("rule", "text", "the rule in words"),
    ),
    key=("initiative_id", "trial_no", "measure"),
    slices=("initiative_id",),
)  # fmt: skip
"""The table of plans, in `plans/` of the data folder; the table `trials` holds only what was measured."""


@dataclass(frozen=True)
class MeasurePlan:
    """One measure of a pilot: `effect` is the target effect of an outcome, the margin of a guardrail.

    `today` is the share without the AI (0-1) or the mean, `sd` the standard deviation of a case, `expected` the
    improvement really expected (None: the target effect; for a guardrail: no harm).
    """

    measure: str
    kind: str
    direction: str
    scale: str
    effect: float
    today: float | None = None
    sd: float | None = None
    expected: float | None = None


@dataclass(frozen=True)
class CasesNeeded:
    """Cases per arm: `works` to show any effect (for a guardrail: that harm stays within its margin), `scale` to show
    that the target effect is reached; None if no number of cases is enough."""

    works: int | None
    scale: int | None = None


def cases_for_shares(control: float, treatment: float, aim: float = 0.0, power: float = POWER) -> int | None:
    """Cases per arm for the lower bound of a difference of shares to exceed `aim`; None if no number is enough.

    Notes
    -----
    One-sided, unpooled: n = (z_a + z_b)^2 (p1 q1 + p0 q0)/(p1 - p0 - aim)^2, as in Chow, Shao and Wang.

    Examples
    --------
    >>> cases_for_shares(0.65, 0.85, aim=-0.10), cases_for_shares(0.65, 0.85, aim=0.05)
    (25, 98)
    """
    spread = math.sqrt((control * (1 - control) + treatment * (1 - treatment)) / 2)
    return _cases(treatment - control - aim, spread, power, NormalIndPower())


def cases_for_means(difference: float, sd: float, aim: float = 0.0, power: float = POWER) -> int | None:
    """Cases per arm for the lower bound of a difference of means to exceed `aim`; None if no number is enough.

    Notes
    -----
    One-sided t test of two groups of equal size and spread.

    Examples
    --------
    >>> cases_for_means(5, 10), cases_for_means(5, 10, aim=5)
    (51, None)
    """
    return _cases(difference - aim, sd, power, TTestIndPower())


def _cases(distance: float, spread: float, power: float, test: NormalIndPower | TTestIndPower) -> int | None:
    if distance <= 1e-12 or spread <= 0:
        return None
    cases = float(test.solve_power(distance / spread, alpha=ALPHA, power=power, ratio=1.0, alternative="larger"))
    return max(2, math.ceil(cases - 1e-6)) if cases <= MAX_CASES else None


def cases_needed(plan: MeasurePlan, power: float = POWER) -> CasesNeeded:
    """Cases per arm that a measure needs.

    Raises
    ------
    UsageError
        Something is missing or impossible; lists every problem.
    """
    raise_all(UsageError, plan_problems(plan, power))
    guardrail = plan.kind == "guardrail"
    gain = plan.expected if plan.expected is not None else 0.0 if guardrail else plan.effect
    if guardrail:
        return CasesNeeded(_cases_for_gain(plan, gain, -plan.effect, power))
    return CasesNeeded(_cases_for_gain(plan, gain, 0.0, power), _cases_for_gain(plan, gain, plan.effect, power))


def _cases_for_gain(plan: MeasurePlan, gain: float, aim: float, power: float) -> int | None:
    """Cases per arm for the lower bound of a true improvement `gain` to exceed `aim`; positive is better for both."""
    if plan.scale == "mean":
        return cases_for_means(gain, plan.sd or 0.0, aim, power)
    today = plan.today or 0.0
    if plan.direction == "increase":
        return cases_for_shares(today, today + gain, aim, power)
    return cases_for_shares(today - gain, today, aim, power)


def plan_problems(plan: MeasurePlan, power: float = POWER) -> list[str]:
    """What is missing or impossible in a plan, a sentence each."""
    name = plan.measure or f"the {plan.kind}"
    target = "margin" if plan.kind == "guardrail" else "target effect"
    gain = plan.effect if plan.expected is None else plan.expected
    gain = 0.0 if plan.kind == "guardrail" and plan.expected is None else gain
    treated = (plan.today or 0.0) + (gain if plan.direction == "increase" else -gain)
    checks = {
        f"Name what is measured ({plan.kind}).": not plan.measure.strip(),
        f"{name}: give a {target} above 0.": not plan.effect > 0,
        f"{name}: give the share without the AI, between 0 and 1.": plan.scale == "share"
        and not (plan.today is not None and 0 < plan.today < 1),
        f"{name}: a share of {treated:g} cannot be; shares lie between 0 and 1.": plan.scale == "share"
        and plan.today is not None
        and not 0 <= treated <= 1,
        f"{name}: give the standard deviation of a case.": plan.scale == "mean" and not (plan.sd and plan.sd > 0),
        "Power is a chance between 0.5 and 0.99.": not 0.5 <= power <= 0.99,
    }
    return [text for text, holds in checks.items() if holds]


def decision_rule(plans: Sequence[MeasurePlan], assignment: str) -> str:
    """The rule by which `verdicts` will decide, in words, to be written down before there is any data."""
    lines = []
    for plan in plans:
        effect = f"{plan.effect:g}"
        if plan.kind == "outcome":
            better = "rise" if plan.direction == "increase" else "fall"
            lines.append(
                f"{plan.measure} should {better}: SCALE if the lower 95 % bound of the improvement reaches {effect}; "
                f"EXTEND while {effect} lies within the bounds; FIX if it works but stays below {effect}; STOP if no "
                f"effect is shown and {effect} lies above the upper bound."
            )
        else:
            lines.append(
                f"{plan.measure} must not get worse by more than {effect}: STOP if harm above it is shown, FIX if harm "
                "above it is seen, EXTEND while it is not ruled out."
            )
    lines.append("The most cautious of these holds (STOP, FIX, EXTEND, SCALE).")
    if assignment not in COMPARISONS:
        lines.append("Without random or matched arms it can be EXTEND at most.")
    return " ".join(lines)


def same_rule(written: pd.DataFrame, rows: Sequence[Mapping[str, str]]) -> bool:
    """Whether a plan equals the one written down before, apart from its date: an unchanged rule keeps its date."""
    new_rows = [{name: row[name] for name in row if name != "declared_on"} for row in rows]
    return bool(new_rows) and written.reindex(columns=list(new_rows[0])).to_dict("records") == new_rows
