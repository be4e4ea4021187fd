"""An initiative on one page: its problem statement part by part, its trials, their verdicts, the next small step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from aiready.inputs.entry_checks import typed_rows
from aiready.measures.initiatives.problem_statements import MEND, PARTS, problem_parts
from aiready.measures.trials.verdicts import verdict_table
from aiready.model.schema import TABLES

INITIATIVES, TRIALS = TABLES["initiatives"], TABLES["trials"]
STATES = ("absent", "vague", "checkable")
ARMS = ("control", "treatment")
_SHOULD = {
    "metric": "Name the figure with its unit: “letters sent without correction, %”.",
    "baseline": "Where does it stand before the initiative? Give the number.",
    "target": "Give the number aimed for, and which way is better.",
    "deadline": "Give the date the target is due, as 2026-12-31.",
    "guardrail": "Name what must not get worse, and its limit: “complaints stay below 2 %”.",
    "owner": "Name a role or a person, not a body.",
}


@dataclass(frozen=True)
class Part:
    """One part of a problem statement: absent, vague or checkable, and what would make it better."""

    name: str
    state: str
    hint: str = ""


@dataclass(frozen=True)
class Statement:
    """A problem statement judged: its parts, quality 0-100, READY, VAGUE or NOT READY, and what does not fit.

    `business` says in a sentence whether the metric is one of the business; blank where it is.
    """

    parts: tuple[Part, ...]
    quality: float
    verdict: str
    inconsistency: str
    business: str


def statement(initiative: Mapping[str, str]) -> Statement:
    """Judge the problem statement of one initiative, as it stands in the form."""
    row = problem_parts(typed_rows(INITIATIVES, pd.DataFrame([dict(initiative)]))).iloc[0]
    parts = []
    for name in PARTS:
        state = int(row[f"{name}_part"])
        why = ("", MEND[name][1], "")[state]
        parts.append(Part(name, STATES[state], " ".join(filter(None, [_sentence(why), _SHOULD[name] * (state < 2)]))))
    return Statement(tuple(parts), float(row["quality"]), row["verdict"], row["inconsistency"], _business(initiative))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _business(initiative: Mapping[str, str]) -> str:
    kind = initiative.get("metric_kind", "")
    said = {
        "model": "A model's figure is no business problem: say which figure of the work it should move.",
        "activity": "Activity shows that something was done, not that it helped: name a figure of the work.",
        "": "Say what the metric measures: the business, its users, the model, or activity.",
    }
    return said.get(kind, "")


# Trials ---------------------------------------------------------------------------------------------------------


def next_trial(numbers: Iterable[str]) -> int:
    """Number of the next trial; a blank number is 1.

    Examples
    --------
    >>> next_trial([]), next_trial(["1", "2.0", ""])
    (1, 3)
    """
    return max((int(float(number or 1)) for number in numbers), default=0) + 1


@dataclass(frozen=True)
class Results:
    """What one measure of a trial gave: per arm `n` and `successes`, or `n`, `mean` and `sd`, as text."""

    plan: Mapping[str, str]
    arms: Mapping[str, Mapping[str, str]]


def trial_rows(results: Sequence[Results], dates: Mapping[str, str], learned: str) -> pd.DataFrame:
    """Rows of `trials`: one per measure x arm, with the rule's date from its plan.

    Parameters
    ----------
    results
        The measures; those without any number are left out.
    dates
        `started_on`, `ended_on`.
    """
    copied = ("measure", "kind", "direction", "target_effect", "margin", "assignment", "declared_on")
    rows = [
        {name: found.plan.get(name, "") for name in copied} | dict(found.arms[arm]) | {"arm": arm, "learned": learned}
        for found in results
        if any(any(numbers.values()) for numbers in found.arms.values())
        for arm in ARMS
    ]
    columns = [*copied, "arm", "n", "mean", "sd", "successes", "learned"]
    return pd.DataFrame(rows, columns=columns).fillna("").assign(**dates)


@dataclass(frozen=True)
class Verdict:
    """What a trial showed by its rule: the word, why, its guardrails, and the cases per arm that are still needed."""

    word: str
    reason: str
    guardrails: str
    n_needed: float


def verdict_of(rows: pd.DataFrame) -> Verdict | None:
    """Verdict on the rows of one trial; None while an arm has no cases."""
    typed = typed_rows(TRIALS, rows.assign(initiative_id="this", trial_no="1"))
    if typed.empty or typed["n"].isna().any():
        return None
    row = verdict_table(typed).iloc[0]
    guardrails = row["guardrails"] if isinstance(row["guardrails"], str) else ""
    return Verdict(row["verdict"], row["reason"], guardrails, float(row["n_needed"]))


def result_problems(rows: pd.DataFrame) -> list[str]:
    """Rows that `aiready check` would set aside, a sentence each, besides single cells."""
    typed, found = typed_rows(TRIALS, rows), []
    for said, row in zip(rows.to_dict("records"), typed.to_dict("records"), strict=True):
        where = f"{said['measure']}, {said['arm']}"
        counted, measured = pd.notna(row["successes"]), pd.notna(row["mean"]) and pd.notna(row["sd"])
        if not (counted or measured):
            found.append(f"{where}: give the cases that met it, or mean and standard deviation.")
        if counted and row["successes"] > row["n"]:
            found.append(f"{where}: {said['successes']} cases met it, more than the {said['n']} there were.")
    late = typed["ended_on"] < typed["started_on"]
    return found + ["The trial ends before it starts."] * bool(late.any())
