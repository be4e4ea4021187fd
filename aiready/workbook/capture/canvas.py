"""Evaluate an initiative on one page: its problem statement part by part, its trials and their verdicts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from aiready.inputs.entry_checks import typed_rows
from aiready.measures.initiatives.problem_statements import PARTS, REPAIR_HINTS, problem_parts
from aiready.measures.trials.verdicts import verdict_table
from aiready.model.cell_values import parse_number
from aiready.model.schema import TABLES

INITIATIVES, TRIALS = TABLES["initiatives"], TABLES["trials"]
STATES = ("absent", "vague", "checkable")
ARMS = ("control", "treatment")
_HINTS = {
    "metric": "Name the figure with its unit: “letters sent without correction, %”.",
    "baseline": "Where does it stand before the initiative? Give the number.",
    "target": "Give the number aimed for, and which way is better.",
    "deadline": "Give the date the target is due, as 2026-12-31.",
    "guardrail": "Name what must not get worse, and its limit: “complaints stay below 2 %”.",
    "owner": "Name a role or a person, not a body.",
}


@dataclass(frozen=True)
class StatementPart:
    """One part of a problem statement: its state (one of `STATES`) and what would make it better."""

    name: str
    state: str
    hint: str = ""


@dataclass(frozen=True)
class Statement:
    """Evaluation of a problem statement: its parts, quality 0-100, verdict (READY, VAGUE or NOT READY), contradictions.

    `metric_hint` asks for a business metric; blank if the metric is one.
    """

    parts: tuple[StatementPart, ...]
    quality: float
    verdict: str
    inconsistency: str
    metric_hint: str


def evaluate_statement(initiative: Mapping[str, str]) -> Statement:
    """Evaluate the problem statement of one initiative, given as the text of its form."""
    row = problem_parts(typed_rows(INITIATIVES, pd.DataFrame([dict(initiative)]))).iloc[0]
    parts = []
    for name in PARTS:
        state = int(row[f"{name}_part"])
        why = ("", REPAIR_HINTS[name][1], "")[state]
        parts.append(
            StatementPart(name, STATES[state], " ".join(filter(None, [_sentence(why), _HINTS[name] * (state < 2)])))
        )
    return Statement(
        tuple(parts), float(row["quality"]), row["verdict"], row["inconsistency"], _metric_hint(initiative)
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _metric_hint(initiative: Mapping[str, str]) -> str:
    kind = initiative.get("metric_kind", "")
    hints = {
        "model": "A model's figure is no business problem: say which figure of the work it should move.",
        "activity": "Activity shows that something was done, not that it helped: name a figure of the work.",
        "": "Say what the metric measures: the business, its users, the model, or activity.",
    }
    return hints.get(kind, "")


# Trials ---------------------------------------------------------------------------------------------------------


def of_trial(rows: pd.DataFrame, number: str) -> pd.DataFrame:
    """The rows of one trial; a blank number counts as 1."""
    return rows[rows["trial_no"].map(lambda cell: int(parse_number(cell) or 1)).eq(int(number))]


def next_trial_number(numbers: Iterable[str]) -> int:
    """Number of the next trial; a blank number counts as 1.

    Examples
    --------
    >>> next_trial_number([]), next_trial_number(["1", "2.0", ""])
    (1, 3)
    """
    return max((int(parse_number(number) or 1) for number in numbers), default=0) + 1


@dataclass(frozen=True)
class MeasureResults:
    """Results of one measure of a trial: per arm `n` and `successes`, or `n`, `mean` and `sd`, as text."""

    plan: Mapping[str, str]
    arms: Mapping[str, Mapping[str, str]]


def trial_rows(results: Sequence[MeasureResults], dates: Mapping[str, str], learned: str) -> pd.DataFrame:
    """Rows of `trials`: one per measure x arm, with the date its decision rule was declared.

    Parameters
    ----------
    results
        One per measure; those without any number are left out.
    dates
        `started_on`, `ended_on`.
    """
    copied = ("measure", "kind", "direction", "target_effect", "margin", "assignment", "declared_on")
    rows = [
        {name: result.plan.get(name, "") for name in copied} | dict(result.arms[arm]) | {"arm": arm, "learned": learned}
        for result in results
        if any(any(numbers.values()) for numbers in result.arms.values())
        for arm in ARMS
    ]
    columns = [*copied, "arm", "n", "mean", "sd", "successes", "learned"]
    return pd.DataFrame(rows, columns=columns).fillna("").assign(**dates)


@dataclass(frozen=True)
class TrialVerdict:
    """Verdict on a trial by its decision rule: the word, the reason, its guardrails, cases per arm still needed."""

    word: str
    reason: str
    guardrails: str
    n_needed: float


def trial_verdict(rows: pd.DataFrame) -> TrialVerdict | None:
    """Verdict on the rows of one trial; None while an arm lacks its number of cases."""
    typed = typed_rows(TRIALS, rows.assign(initiative_id="this", trial_no="1"))
    if typed.empty or typed["n"].isna().any():
        return None
    row = verdict_table(typed).iloc[0]
    guardrails = row["guardrails"] if isinstance(row["guardrails"], str) else ""
    return TrialVerdict(row["verdict"], row["reason"], guardrails, float(row["n_needed"]))


def result_problems(rows: pd.DataFrame) -> list[str]:
    """Rows that `aiready check` would set aside although each cell is valid, a sentence each."""
    typed, problems = typed_rows(TRIALS, rows), []
    for entered, row in zip(rows.to_dict("records"), typed.to_dict("records"), strict=True):
        where = f"{entered['measure']}, {entered['arm']}"
        counted, measured = pd.notna(row["successes"]), pd.notna(row["mean"]) and pd.notna(row["sd"])
        if not (counted or measured):
            problems.append(f"{where}: give the cases that met it, or mean and standard deviation.")
        if counted and row["successes"] > row["n"]:
            problems.append(f"{where}: {entered['successes']} cases met it, more than the {entered['n']} there were.")
    late = typed["ended_on"] < typed["started_on"]
    return problems + ["The trial ends before it starts."] * bool(late.any())
