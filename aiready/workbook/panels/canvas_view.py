"""Form fields of an initiative and its trials, and HTML of what is said about them: statement, plan, verdict."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import ipywidgets as w
import pandas as pd

from aiready.charts import theme
from aiready.errors import UsageError
from aiready.model.cell_values import parse_number
from aiready.model.schema import INVOLVED_FROM, STAGES
from aiready.workbook.capture.canvas import ARMS, Statement, TrialVerdict
from aiready.workbook.capture.pilot_plan import MeasurePlan, cases_needed, decision_rule
from aiready.workbook.panels import controls
from aiready.workbook.panels.frame import message_html

Options = tuple[tuple[str, str], ...]


def _options(values: Iterable[str]) -> Options:
    return (("Not said", ""), *((value.replace("_", " "), value) for value in values))


_INVOLVED = {
    "idea": "from the idea on", "design": "while it was designed", "pilot": "in the pilot",
    "rollout": "when it was rolled out", "never": "never",
}  # fmt: skip
FIELDS: Mapping[str, tuple[str, Options]] = {
    "name": ("Name of the initiative", ()),
    "problem_statement": ("The business problem in a sentence", ()),
    "outcome_metric": ("Outcome metric, with its unit", ()),
    "metric_kind": ("What it measures", _options(("business", "user", "model", "activity"))),
    "direction": ("Which way is better", _options(("increase", "decrease"))),
    "baseline": ("Baseline: where it stands", ()),
    "target": ("Target", ()),
    "deadline": ("Deadline, as 2026-12-31", ()),
    "guardrail": ("Guardrail: what must not get worse, and its limit", ()),
    "owner": ("Owner: a role or a person", ()),
    "users_involved": ("Users take part", (("Not said", ""), *((_INVOLVED[value], value) for value in INVOLVED_FROM))),
    "generation": ("Kind of AI", _options(("rules", "machine_learning", "generative"))),
    "stakes": ("Stakes for people", _options(("low", "high"))),
    "stage": ("Stage", tuple((stage, stage) for stage in STAGES)),
    **{f"{stage}_on": (f"In stage “{stage}” since", ()) for stage in STAGES},
    "stopped_in": ("How far it had come when it was stopped", _options(STAGES[:-1])),
    "stop_reason": ("Why it was stopped", ()),
}  # fmt: skip
"""Column of `initiatives` -> (label, options); no options: free text."""
STATEMENT = ("outcome_metric", "metric_kind", "direction", "baseline", "target", "deadline", "guardrail", "owner")
_STAGED = ("stage", *(f"{stage}_on" for stage in STAGES), "stopped_in", "stop_reason")
PEOPLE = ("users_involved", "generation", "stakes", *_STAGED)
ASSIGNMENTS = (("Drawn by lot (random)", "random"), ("Matched pairs", "matched"),
               ("Before and after", "before_after"), ("Volunteers", "volunteers"))  # fmt: skip
DATES = (("started_on", "First case on"), ("ended_on", "Last case on"))
_SCALES = (("Counted: a share of cases", "share"), ("Measured: a mean", "mean"))
_NUMBERS = ("today", "sd", "effect", "expected")


def plan_fields(name: str) -> dict[str, w.Widget]:
    """Fields of the plan for one measure of a pilot; labels include the measure's name, so that each is unique."""
    effect = "Target effect" if name == "outcome" else "Margin: harm tolerated"
    fields: dict[str, w.Widget] = {
        "measure": controls.line(f"What is measured ({name})", live=True),
        "scale": controls.choice(f"How it is measured ({name})", _SCALES),
        "direction": controls.choice(f"Better is ({name})", _options(("increase", "decrease"))[1:]),
    }
    labels = {"today": "Without AI: share 0–1, or mean", "sd": "Standard deviation (mean)", "effect": effect}
    labels |= {"expected": "Effect really expected"} if name == "outcome" else {}
    numbers = {key: controls.line(f"{words} ({name})", width="230px", live=True) for key, words in labels.items()}
    return fields | numbers


def measure_plan(name: str, values: Mapping[str, str]) -> MeasurePlan:
    """The plan for one measure, from the values of its fields; text that is not a number counts as blank."""
    numbers = {key: parse_number(values.get(key, "")) for key in _NUMBERS}
    effect = numbers.pop("effect") or 0.0
    kind = "outcome" if name == "outcome" else "guardrail"
    return MeasurePlan(values["measure"], kind, values["direction"], values["scale"], effect, **numbers)


def plan_row(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """The plan for one measure as a row of the table of plans."""
    outcome = name == "outcome"
    return {
        "measure": values["measure"], "kind": "outcome" if outcome else "guardrail", "direction": values["direction"],
        "scale": values["scale"], "today": values["today"], "sd": values["sd"],
        "target_effect": values["effect"] if outcome else "", "expected_effect": values.get("expected", ""),
        "margin": "" if outcome else values["effect"],
    }  # fmt: skip


def result_fields(name: str) -> dict[str, w.Widget]:
    """Fields of the results of one measure, arm by arm."""
    words = {"n": "cases", "successes": "cases that met it", "mean": "mean", "sd": "standard deviation"}
    arms = {"control": "Without AI", "treatment": "With AI"}
    return {
        f"{arm} {key}": controls.line(f"{arm_label}: {text} ({name})", width="230px", live=True)
        for arm, arm_label in arms.items()
        for key, text in words.items()
    }


def arm_numbers(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Results of one measure by arm, from the values of its fields."""
    return {arm: {key: values[f"{arm} {key}"] for key in ("n", "successes", "mean", "sd")} for arm in ARMS}


def trial_state(plans: pd.DataFrame, trials: pd.DataFrame, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Values of all fields of a trial, by group of fields: from its plan, else from its rows in `trials`."""
    rows = plans if len(plans) else trials.drop_duplicates("measure")
    records = rows.to_dict("records")
    ordered = [*(row for row in records if row["kind"] == "outcome")][:1] or [{}]
    ordered += [row for row in records if row["kind"] == "guardrail"]
    first = trials.iloc[0] if len(trials) else pd.Series(dtype=object)
    about = {name: first.get(name, "") for name in ("assignment", "started_on", "ended_on", "learned")}
    about |= {
        name: ordered[0].get(name, "") or about.get(name, "") for name in ("assignment", "power", "cases_per_arm")
    }
    state = {"about": about | {"power": about.get("power") or "0.8"}}
    for name, row in zip(names, ordered, strict=False):
        effect = row.get("target_effect" if name == "outcome" else "margin", "")
        counted = trials.loc[trials["measure"] == row.get("measure"), "successes"].ne("").any() or not len(trials)
        scale = row.get("scale") or ("share" if counted else "mean")
        state[f"plan {name}"] = {**row, "scale": scale, "effect": effect, "expected": row.get("expected_effect", "")}
        arm_rows = trials[trials["measure"] == row.get("measure")].to_dict("records")
        state[f"result {name}"] = {
            f"{arm_row['arm']} {key}": arm_row[key] for arm_row in arm_rows for key in ("n", "successes", "mean", "sd")
        }
    return state


# HTML -----------------------------------------------------------------------------------------------------------

_MARKS = {"absent": "○", "vague": "◐", "checkable": "●"}


def statement_html(statement: Statement) -> str:
    """The parts of a problem statement, each absent, vague or checkable, and what would make it better."""
    rows = "".join(
        f"<tr><th scope='row' style='width:90px'>{part.name}</th>"
        f"<td style='white-space:nowrap;width:110px'>{_MARKS[part.state]} {part.state}</td>"
        f"<td>{escape(part.hint)}</td></tr>"
        for part in statement.parts
    )
    kind = {"READY": "note"}.get(statement.verdict, "warning")
    head = message_html(f"{statement.verdict}: {theme.number(statement.quality)} of 100.", kind)
    notes = message_html(statement.metric_hint, "warning") + message_html(
        statement.inconsistency and f"{statement.inconsistency}.", "error"
    )
    live = f"<div role='status' aria-live='polite'>{head}{notes}</div>"
    return f"{live}<table><caption>The problem statement, part by part</caption>{rows}</table>"


def plan_html(plans: Sequence[MeasurePlan], power: str, assignment: str, written: pd.DataFrame) -> str:
    """Cases per arm for every measure, and the decision rule; `written` holds the rows of a plan saved before."""
    chance = parse_number(power) or 0.0
    lines = [_needed_html(plan, chance) for plan in plans]
    declared = next(iter(written["declared_on"]), "") if len(written) else ""
    dated = message_html(f"Written down on {declared}: {written['rule'].iloc[0]}") if declared else ""
    if not plans:
        return dated + message_html("Name what is measured, and the effect that would be worth it.", "note")
    rule = f"<p><b>The rule as it stands in the form:</b> {escape(decision_rule(plans, assignment))}</p>"
    return "".join(lines) + rule + dated


def _needed_html(plan: MeasurePlan, power: float) -> str:
    try:
        cases = cases_needed(plan, power)
    except UsageError as problem:
        return message_html(str(problem).replace("\n", " "), "warning")
    name = escape(plan.measure)
    if plan.kind == "guardrail":
        return f"<p>{name}: {_cases(cases.works)} to show that harm stays within {plan.effect:g}, if there is none.</p>"
    expected = plan.expected if plan.expected is not None else plan.effect
    reach = (
        f"{_cases(cases.scale)} to show that it reaches {plan.effect:g}"
        if cases.scale
        else f"no number of cases shows that it reaches {plan.effect:g}: that takes an effect larger than the target"
    )
    return f"<p>{name}, if the true effect is {expected:g}: {_cases(cases.works)} to show that it works; {reach}.</p>"


def _cases(number: int | None) -> str:
    return f"<b>{theme.number(number)} cases per arm</b>" if number else "no number of cases is enough"


def verdict_html(verdict: TrialVerdict | None, problems: Sequence[str]) -> str:
    """The verdict by the decision rule and its reason, or the problems of the results."""
    if problems:
        return "".join(message_html(text, "warning") for text in problems)
    if verdict is None:
        return message_html("The verdict stands here as soon as both arms have their numbers.")
    guardrails = f"<p>Guardrails: {escape(verdict.guardrails)}.</p>" if verdict.guardrails else ""
    reason = f"<p>{escape(verdict.reason)}.</p>"
    return f"<div role='status' aria-live='polite'><h2>{verdict.word}</h2>{reason}{guardrails}</div>"
