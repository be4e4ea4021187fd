"""Why a trial has its verdict, in the words of one language: from a row of the table of verdicts."""

from typing import Any

import pandas as pd

from aiready.messages.language import Language

STOP, FIX, NOT_ASSESSABLE, EXTEND, SCALE = "STOP", "FIX", "NOT ASSESSABLE", "EXTEND", "SCALE"
"""Verdicts."""


def verdict_reason(row: Any, language: Language) -> str:
    """The reason for the verdict of a trial, without a final full stop."""
    key, blanks = _guardrail_reason(row) if row.deciding_kind == "guardrail" else _outcome_reason(row, language)
    numbers = {name: language.brief(value) if isinstance(value, float) else value for name, value in blanks.items()}
    clauses = [language.say(f"reason.{key}", measure=row.deciding_measure, **numbers)]
    if pd.notna(row.n_needed):
        aim = "needed_target" if row.deciding_lower > 0 else "needed_works"
        aim = "needed_harm" if row.deciding_kind == "guardrail" else aim
        cases = {"n": row.n_needed, "control": row.deciding_n_control, "treatment": row.deciding_n_treatment}
        clauses.append(language.say(f"reason.{aim}", **{name: language.number(int(n)) for name, n in cases.items()}))
    return "; ".join([*clauses, language.say("reason.late")] if row.declared_before_start is False else clauses)


def _outcome_reason(row: Any, language: Language) -> tuple[str, dict[str, Any]]:
    """The key of the phrase for an outcome that decided, and its numbers."""
    low, high, target = float(row.deciding_lower), float(row.deciding_upper), float(row.deciding_target)
    if pd.isna(low):
        return ("few_cases" if row.deciding_too_few else "no_comparison"), {}
    if pd.isna(target):
        return "no_target", {}
    if row.verdict == EXTEND and low >= target:
        assignments = ", ".join(language.label(f"assignment.{word}") for word in row.assignment.split(", "))
        return "unfair", {"target": target, "assignment": assignments}
    if row.verdict == SCALE:
        return "scale", {"low": low, "target": target}
    unclear = "extend" if low > 0 else "inconclusive"
    return {FIX: "fix", EXTEND: unclear, STOP: "stop"}[row.verdict], {"low": low, "high": high, "target": target}


def _guardrail_reason(row: Any) -> tuple[str, dict[str, Any]]:
    """The key of the phrase for a guardrail that decided, and its numbers."""
    if row.verdict == NOT_ASSESSABLE:
        return ("guardrail_uncompared" if pd.isna(row.deciding_lower) else "guardrail_only"), {}
    name, harm = {
        STOP: ("low", row.deciding_upper),
        FIX: ("point", row.deciding_improvement),
        EXTEND: ("high", row.deciding_lower),
    }[row.verdict]
    stated: dict[str, Any] = {} if pd.isna(row.deciding_margin) else {"margin": float(row.deciding_margin)}
    return f"guardrail_{row.verdict.lower()}{'' if stated else '_unstated'}", {name: -float(harm), **stated}
