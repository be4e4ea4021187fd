"""Views of records: indicators and their records, initiatives, pilots, hours, decisions, measures of agreed actions."""

from dataclasses import replace

import pandas as pd

from aiready import charts
from aiready.charts import theme
from aiready.messages import ENGLISH, NBSP
from aiready.model.registry import ALL, MEASURES, OK
from aiready.model.schema import STAGES
from aiready.pages import sentences, tables
from aiready.pages.views.survey import sentence_case, unit_and_wave
from aiready.pages.views.view import View
from aiready.profile.assessment import Assessment

RESTS_ON = {
    "problem_quality": ("outcome_metric", "baseline", "target", "deadline", "guardrail", "owner", "mend"),
    "ready_before_pilot": ("defined_on", "pilot_on", "ready", "mend"),
    "problem_ready_share": ("ready", "mend"),
    "business_metric_share": ("outcome_metric", "metric_kind"),
    "target_known_fresh": ("baseline", "target", "outcome_now", "outcome_on"),
    "involved_from_start": ("users_involved",),
    "governance_complete": ("stakes", "impact_assessed", "privacy_reviewed", "bias_tested", "explainable",
                            "human_oversight", "feedback_channel"),
    "monitoring_fresh": ("stage", "monitored_on"),
    "baseline_before_pilot": ("baseline", "pilot_on"),
    "comparison_trials": ("stage", "verdict"),
    "scaled_on_evidence": ("stage", "scaled_on", "verdict"),
    "limits_reviewed": ("limit_kind", "limit_reviewed_on"),
}  # fmt: skip
"""Measure -> columns of the initiatives it is computed from; measures of people's acts are shown only as counts."""
TASK_HOURS = {
    "not_adopted_rate": "gap_not_adopted",
    "rework_oversight_rate": "gap_rework",
    "measured_share": "realised",
}
LEVELS = {
    "level 0": "people alone",
    "level 1": "AI informs",
    "level 2": "AI proposes, a person decides",
    "level 3": "AI decides, a person can stop it",
    "level 4": "AI decides alone",
}
"""Segment of an autonomy level -> its label."""
SHARES = ("decision_accuracy", "human_accuracy", "advice_accuracy", "over_reliance", "under_reliance", "override_rate",
          "override_correct", "effective_autonomy", "context_coverage", "unsafe_answer_rate", "advice_in_time_share",
          "label_coverage", "brier")  # fmt: skip
NOT_ABOUT_PEOPLE = "Speed, overrides and autonomy describe how work is set up, not how well a person works."


def indicators(unit: Assessment, barrier_id: str) -> View:
    """What do the records show of a barrier?"""
    rows = tables.indicators(unit, barrier_id)
    names = {"indicator": "Indicator", "points": "Points", "value_text": "Value", "detail": "Records"}
    return View(
        f"{sentences.barrier_name(unit, barrier_id)}: what the records show",
        f"{unit_and_wave(unit)} · points 0 to 100 and the value behind them; counts from "
        f"{unit.rules.settings.minimum_records} records",
        chart=charts.indicators_chart,
        rows=rows,
        numbers=rows.rename(columns=names),
        caution="Records are a census of what was written down, not of what is.",
        choosable=True,
    )


def records(unit: Assessment, indicator_id: str) -> View:
    """Which records does an indicator rest on? Initiatives and tasks by name; acts of people only as a count."""
    rule = unit.rules.indicators.set_index("indicator_id").loc[indicator_id]
    label = str(rule["label"])
    label = label[:1].upper() + label[1:]
    title = f"{label}: the records"
    cell = unit.cell(str(rule["measure"]))
    value = theme.value_text(cell.value, cell.unit) if cell.ok else ENGLISH.say(f"status.{cell.status}")
    counted = f", n {theme.number(cell.n)}" if cell.ok else ""
    texts = (f"{label}: {value}{counted}.", cell.note)
    words = tuple(text for text in texts if text)
    if rule["measure"] in RESTS_ON:
        return View(title, unit_and_wave(unit), words, numbers=_initiatives(unit, RESTS_ON[str(rule["measure"])]))
    if rule["measure"] in TASK_HOURS:
        return View(title, unit_and_wave(unit), words, numbers=_tasks(unit, TASK_HOURS[str(rule["measure"])]))
    why = "These records are acts of people, or few: they are shown as the count above and never one by one."
    return View(title, unit_and_wave(unit), words, caution=why)


def _initiatives(unit: Assessment, columns: tuple[str, ...]) -> pd.DataFrame:
    own = unit.initiatives.loc[unit.initiatives["unit_id"].notna()] if len(unit.initiatives) else unit.initiatives
    table = own.reindex(columns=["name", "stage", *(name for name in columns if name != "stage")])
    return _text(table).rename(columns=lambda name: name.replace("_", " ").capitalize())


def _tasks(unit: Assessment, part: str) -> pd.DataFrame:
    rows = unit.rows("tasks")
    rows = rows.loc[rows["status"] == OK].sort_values("potential", ascending=False).head(tables.EXPOSED_SHOWN)
    table = rows[["task", "job"]].assign(
        potential=rows["potential"].map(theme.hours),
        part=rows[part].map(theme.hours),
        evidence=rows["evidence"].fillna(""),
    )
    labels = {"task": "Task", "job": "Job", "potential": "Possible", "evidence": "Evidence"}
    return table.rename(columns=labels | {"part": part.removeprefix("gap_").replace("_", " ").capitalize()})


def _text(table: pd.DataFrame) -> pd.DataFrame:
    """Cells as text: dates as days, truth values as yes and no, missing ones as "not recorded"."""
    dates = table.apply(lambda column: column.dt.strftime("%Y-%m-%d") if column.dtype.kind == "M" else column)
    words = dates.astype(object).where(dates.notna(), "not recorded")
    return words.map(lambda cell: {True: "yes", False: "no"}[cell] if isinstance(cell, bool) else cell)


def funnel(unit: Assessment) -> View:
    """How far did the initiatives come, and how many moved on?"""
    rows = unit.rows("measures")
    rows = rows.loc[rows["status"] == OK]
    counts = rows.loc[rows["measure"] == "initiatives_count"].set_index("segment")["value"]
    onward = rows.loc[rows["measure"] == "stage_conversion"]
    words = {
        row.segment.split(">")[0]: f"{theme.share(row.value)} of {theme.number(row.n)} went on "
        f"({theme.interval(row.low, row.high, 'share')}{NBSP}%)"
        for row in onward.itertuples()
    }
    stages = pd.DataFrame({"stage": list(STAGES), "value": [float(counts.get(stage, 0)) for stage in STAGES]})
    stages["detail"] = stages["stage"].map(words).fillna("")
    stages["count"] = stages["value"].map(theme.number)
    numbers = stages.rename(columns={"stage": "Stage", "count": "Now here", "detail": "Ever reached it"})
    present = "initiatives_count" in set(rows["measure"])
    return View(
        "Where the initiatives stand",
        f"{unit_and_wave(unit)} · initiatives at each stage, and how many that reached it went on, with 95 % interval",
        _facts(
            unit,
            {
                "stalled_share": "are stuck",
                "stopped_with_reason_share": "of the stopped give a reason",
                "scaled_on_evidence": "of the scaled had shown their effect first",
            },
        ),
        charts.funnel_chart,
        stages if present else stages.head(0),
        numbers[["Stage", "Now here", "Ever reached it"]] if present else pd.DataFrame(),
        "A stop with a reason is a good exit.",
    )


def _facts(unit: Assessment, phrases: dict[str, str]) -> tuple[str, ...]:
    cells = {measure: unit.cell(measure) for measure in phrases}
    return tuple(
        f"{theme.share(cell.value)} {phrases[measure]} (n {theme.number(cell.n)})."
        for measure, cell in cells.items()
        if cell.ok
    )


def pilots(unit: Assessment) -> View:
    """Did it work? Each trial against its comparison and the target agreed before."""
    rows = tables.trials(unit)
    numbers = pd.DataFrame(
        {"Pilot": rows["trial"], "Measure and n": rows["detail"], "Verdict": rows["verdict"], "Why": rows["why"]}
    )
    return View(
        "Did it work?",
        f"{unit.name} · difference to the comparison, 95 % and 90 % interval; orange: target agreed before",
        (sentences.pilots_heading(unit),) if len(rows) else ("No trial is on record yet.",),
        charts.forest_chart,
        rows,
        numbers,
    )


def hours(unit: Assessment, job: str = "") -> View:
    """Where do the possible hours go, task by task, in one job or all?"""
    rows = unit.rows("tasks")
    one = unit.rows("tasks").loc[rows["job"] == job] if job else rows
    bars = tables.blocks_of_hours(_with_tasks(unit, one))
    numbers = (
        tables.wide(bars, "task", "part", "hours", theme.hours, "Task").fillna("") if len(bars) else pd.DataFrame()
    )
    return View(
        "Where the possible hours go",
        f"{unit_and_wave(unit)}{f' · {job}' if job else ''} · "
        "hours a year: realised, what the rest waits on, what is lost",
        tuple(sentences.hours_sentences(unit)) if not job else (),
        charts.hours_chart,
        bars,
        numbers,
        "Hours are minutes spread over many people and tasks, not positions, and assume that checking is done.",
    )


def _with_tasks(unit: Assessment, tasks: pd.DataFrame) -> Assessment:
    return replace(unit, tables={**unit.tables, "tasks": tasks})


def blockers(unit: Assessment) -> View:
    """What do the open hours wait on?"""
    rows = sentences.blockers(unit)
    bars = pd.DataFrame(
        {
            "task": sentence_case(rows["label"]),
            "part": "waiting",
            "kind": "waits",
            "hours": rows["value"],
            "detail": [sentences.barrier_name(unit, name) if name else "" for name in _barriers_of(unit, rows)],
        }
    )
    numbers = pd.DataFrame(
        {"Waits on": bars["task"], "Hours a year": rows["value"].map(theme.hours), "Barrier": bars["detail"]}
    )
    return View(
        "What the open hours wait on",
        f"{unit_and_wave(unit)} · hours a year that AI could save and does not, by the reason recorded",
        chart=charts.hours_chart,
        rows=bars,
        numbers=numbers,
        caution="Each task counts under the one reason that its people named first.",
    )


def _barriers_of(unit: Assessment, rows: pd.DataFrame) -> list[str]:
    barrier_ids = unit.rules.blockers.set_index("blocker")["barrier_id"]
    return [str(barrier_ids.get(blocker) or "") for blocker in rows["segment"]]


def modes(unit: Assessment) -> View:
    """Who does the tasks, today and in the target?"""
    rows = tables.modes(unit)
    numbers = (
        tables.wide(
            rows.assign(mode=[ENGLISH.say(f"modes.{mode}") for mode in rows["mode"]]),
            "row",
            "mode",
            "count",
            theme.number,
            "",
        )
        if len(rows)
        else rows
    )
    return View("Who does the tasks", f"{unit_and_wave(unit)} · number of tasks", (), charts.modes_chart, rows, numbers)


def metrics(unit: Assessment) -> View:
    """How did the six metrics move, quarter by quarter?"""
    rows = tables.metrics(unit)
    words = (sentences.metrics_heading(unit),) if len(rows) else ()
    return View(
        "Six metrics by quarter",
        f"{unit.name}, up to {ENGLISH.wave(unit.facts.wave)} · band: 95 % interval",
        words,
        charts.metrics_chart,
        rows,
        tables.metric_numbers(unit) if len(rows) else pd.DataFrame(),
        NOT_ABOUT_PEOPLE,
    )


def levels(unit: Assessment) -> View:
    """How often are decisions wrong at each level of autonomy?"""
    cells = [(name, unit.cell("error_rate", level)) for level, name in LEVELS.items()]
    rows = pd.DataFrame(
        {
            "name": [f"{number}: {name}" for number, (name, _) in enumerate(cells)],
            "value": [cell.value for _, cell in cells],
            "low": [cell.low for _, cell in cells],
            "high": [cell.high for _, cell in cells],
            "shown": [
                theme.share(cell.value) if cell.ok else ENGLISH.say(f"status.{cell.status}") for _, cell in cells
            ],
            "detail": [f"n {theme.number(cell.n)}" if cell.ok else "" for _, cell in cells],
            "status": [cell.status for _, cell in cells],
        }
    )
    numbers = rows[["name", "shown", "detail"]].rename(
        columns={"name": "Autonomy", "shown": "Wrong decisions", "detail": "Outcome known"}
    )
    return View(
        "Wrong decisions by level of autonomy",
        f"{unit_and_wave(unit)} · share of decisions whose outcome is known, with 95 % interval",
        _facts(unit, {"effective_autonomy": "of the decisions were taken at level 3 or 4 and not reversed"}),
        charts.intervals_chart,
        rows,
        numbers,
        "Cases differ between levels: easy ones are automated first.",
    )


def confidence(unit: Assessment) -> View:
    """How certain is each decision measure: value, interval, n and what it rests on?"""
    cells = [(name, unit.cell(name)) for name in SHARES]
    rows = pd.DataFrame(
        {
            "name": [MEASURES[name].label.capitalize() for name, _ in cells],
            "value": [cell.value for _, cell in cells],
            "low": [cell.low for _, cell in cells],
            "high": [cell.high for _, cell in cells],
            "shown": [
                theme.value_text(cell.value, cell.unit) if cell.ok else ENGLISH.say(f"status.{cell.status}")
                for _, cell in cells
            ],
            "status": [cell.status for _, cell in cells],
        }
    )
    numbers = rows[["name", "shown"]].assign(
        interval=[theme.interval(cell.low, cell.high, cell.unit) if cell.ok else "" for _, cell in cells],
        n=[theme.number(cell.n) if cell.ok else "" for _, cell in cells],
        note=[cell.note for _, cell in cells],
    )
    names = {"name": "Measure", "shown": "Value", "interval": "95 % interval", "n": "n", "note": "Rests on"}
    return View(
        "Decision measures with their confidence",
        f"{unit_and_wave(unit)} · shares with 95 % interval, over people where they are known",
        (),
        charts.intervals_chart,
        rows,
        numbers.rename(columns=names),
        NOT_ABOUT_PEOPLE,
    )


def followed(unit: Assessment, measure: str, agreed_on: str = "", due_on: str = "") -> View:
    """How did the measure that an agreed action should move develop, wave by wave? Says nothing about causes."""
    about = MEASURES[measure]
    rows = unit.measures
    rows = rows.loc[(rows["unit_id"] == unit.unit_id) & (rows["measure"] == measure) & (rows["segment"] == ALL)]
    rows = rows.loc[rows["status"] == OK].sort_values("wave")
    points = rows.assign(
        metric=about.label.capitalize(),
        quarter=rows["wave"],
        shown=[theme.value_text(row.value, row.unit) for row in rows.itertuples()],
    )
    dates = ENGLISH.join_names(
        [*([f"agreed on {agreed_on}"] if agreed_on else []), *([f"due on {due_on}"] if due_on else [])]
    )
    numbers = pd.DataFrame(
        {
            "Wave": points["quarter"],
            "Value": points["shown"],
            "95 % interval": [theme.interval(row.low, row.high, row.unit) for row in points.itertuples()],
            "n": points["n"].map(theme.number),
        }
    )
    return View(
        f"{about.label.capitalize()}, wave by wave",
        f"{unit.name}{f' · {dates}' if dates else ''}",
        () if len(rows) > 1 else ("Too few waves yet to follow it.",),
        charts.metrics_chart,
        points,
        numbers,
        "Moving after an action is not moving because of it: other things changed too, and only a comparison can tell.",
    )
