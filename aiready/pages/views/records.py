"""Views of records: indicators and their records, initiatives, pilots, hours, decisions, measures of agreed actions."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pandas as pd

from aiready import charts
from aiready.messages import ENGLISH, Language
from aiready.messages.catalogue import SOURCE_LANGUAGE, phrases
from aiready.model.registry import ALL, OK
from aiready.model.schema import STAGES
from aiready.pages import sentences, tables
from aiready.pages.parts import labelled_columns
from aiready.pages.tables.cells import value_cell
from aiready.pages.views.survey import unit_and_wave
from aiready.pages.views.view import View
from aiready.profile.assessment import Assessment
from aiready.profile.run_info import Cell

RESTS_ON = {
    "problem_quality": ("outcome_metric", "baseline", "target", "deadline", "guardrail", "owner", "mend"),
    "ready_before_pilot": ("defined_on", "pilot_on", "ready", "mend"),
    "problem_ready_share": ("ready", "mend"),
    "business_metric_share": ("outcome_metric", "metric_kind"),
    "target_known_fresh": ("baseline", "target", "outcome_now", "outcome_on"),
    "involved_from_start": ("users_involved",),
    "governance_complete": ("stakes", "impact_assessed", "privacy_reviewed", "bias_tested", "explainable",
                            "human_oversight", "feedback_channel"),
    "monitoring_fresh": ("monitored_on",),
    "baseline_before_pilot": ("baseline", "pilot_on"),
    "comparison_trials": ("verdict",),
    "scaled_on_evidence": ("scaled_on", "verdict"),
    "limits_reviewed": ("limit_kind", "limit_reviewed_on"),
}  # fmt: skip
"""Measure -> columns of the initiatives it is computed from; measures of people's acts are shown only as counts."""
TASK_HOURS = {
    "not_adopted_rate": "gap_not_adopted",
    "rework_oversight_rate": "gap_rework",
    "measured_share": "realised_hours",
}
"""Measure -> the measure of hours that is shown task by task."""
LEVELS = range(5)
"""Levels of autonomy, from people alone to AI alone."""
SHARES = ("decision_accuracy", "human_accuracy", "advice_accuracy", "over_reliance", "under_reliance", "override_rate",
          "override_correct", "effective_autonomy", "context_coverage", "unsafe_answer_rate", "advice_in_time_share",
          "label_coverage", "brier")  # fmt: skip
_HINT_KEYS = {text: key for key, text in phrases(SOURCE_LANGUAGE).items() if key.startswith("register.mend_")}
"""What results say of a problem statement, in English -> the key of its phrase."""


def indicators(unit: Assessment, barrier_id: str) -> View:
    """What do the records show of a barrier?"""
    language, rows = unit.language, tables.indicators(unit, barrier_id)
    phrase_of = {"indicator": "indicator", "points": "points", "value_text": "value", "detail": "records"}
    return View(
        f"records-{barrier_id}",
        language.say("barrier.records_title", name=sentences.barrier_name(unit, barrier_id)),
        language.say("barrier.records_subtitle", n=str(unit.rules.settings.minimum_records)),
        unit_and_wave(unit),
        chart=charts.indicators_chart,
        rows=rows,
        numbers=labelled_columns(unit, rows, phrase_of),
        caution=language.say("barrier.records_note"),
        choosable=True,
        language=language,
    )


def records(unit: Assessment, indicator_id: str) -> View:
    """Which records does an indicator rest on? Initiatives and tasks by name; acts of people only as a count."""
    language, rule = unit.language, unit.rules.indicators.set_index("indicator_id").loc[indicator_id]
    label, measure = language.capitalize(str(rule["label"])), str(rule["measure"])
    cell = unit.cell(measure)
    value = value_cell(cell, language) or language.say(f"status.{cell.status}")
    view = View(
        f"register-{indicator_id}",
        language.say("register.title", name=label),
        scope=unit_and_wave(unit),
        words=tuple(filter(None, (f"{label}: {value}.", _note(cell, language)))),
        language=language,
    )
    if measure in RESTS_ON:
        return replace(view, numbers=_initiatives(unit, ("name", "stage", *RESTS_ON[measure])))
    if measure in TASK_HOURS:
        return replace(view, numbers=_tasks(unit, TASK_HOURS[measure]))
    return replace(view, caution=language.say("register.caution"))


def _note(cell: Cell, language: Language) -> str:
    """The note of a cell; empty in other languages, because notes are written in English."""
    return cell.note if language == ENGLISH else ""


def _initiatives(unit: Assessment, columns: tuple[str, ...]) -> pd.DataFrame:
    own = unit.initiatives.loc[unit.initiatives["unit_id"].notna()] if len(unit.initiatives) else unit.initiatives
    latest = sentences.latest_trials(unit).set_index("initiative_id")["verdict"]
    table = own.reindex(columns=["initiative_id", *columns]).assign(
        verdict=lambda own: own["initiative_id"].map(latest)
    )
    language = unit.language
    return pd.DataFrame(
        {
            language.say(f"register.{column}"): [_register_text(column, cell, language) for cell in table[column]]
            for column in columns
        }
    )


def _register_text(column: str, cell: object, language: Language) -> object:
    """A cell of the register in words; numbers stay."""
    if pd.isna(cell):
        return language.say("register.unknown")
    if isinstance(cell, pd.Timestamp):
        return language.short_day(cell)
    if isinstance(cell, bool) or cell in ("yes", "no"):
        return language.say("register.yes" if cell in (True, "yes") else "register.no")
    if not isinstance(cell, str):
        return cell
    if column == "mend":
        hints = filter(None, cell.split("; "))
        return "; ".join(language.say(_HINT_KEYS.get(hint, "register.mend_inconsistent")) for hint in hints)
    key = f"{column}.{cell}" if column in ("stage", "verdict") else f"register.{column}_{cell}"
    return language.label(key, cell)


def _tasks(unit: Assessment, part: str) -> pd.DataFrame:
    language, rows = unit.language, unit.rows("tasks")
    rows = rows.loc[rows["status"] == OK].sort_values("potential", ascending=False).head(tables.EXPOSED_SHOWN)
    evidence = [language.label(f"register.evidence_{kind}", "") for kind in rows["evidence"].fillna("")]
    table = {language.say("column.task"): rows["task"], language.say("column.job"): rows["job"]}
    table |= {
        sentences.measure_name(unit, name): rows[name.removesuffix("_hours")].map(language.hours)
        for name in ("potential_hours", part)
    }
    return pd.DataFrame({**table, language.say("column.evidence"): evidence})


def funnel(unit: Assessment) -> View:
    """How far did the initiatives come, and how many moved on?"""
    language, rows = unit.language, unit.rows("measures")
    counts = rows.loc[(rows["measure"] == "initiatives_count") & (rows["status"] == OK)].set_index("segment")["value"]
    onward = (unit.cell("stage_conversion", ">".join(stages)) for stages in pairwise(STAGES[:-1]))
    moved_on = pd.Series([value_cell(cell, language) for cell in onward]).reindex(range(len(STAGES)), fill_value="")
    detail = [language.say("initiatives.moved_on", value=text) if text else "" for text in moved_on]
    stages = tables.initiatives_by_stage(counts, language).assign(moved_on=moved_on, detail=detail)
    if counts.empty:
        stages = stages.head(0)
    facts = {"stalled_share": "initiatives.stalled", "stopped_with_reason_share": "initiatives.stopped"}
    return View(
        "stages",
        language.say("initiatives.title"),
        language.say("initiatives.subtitle", counts[ALL]) if len(stages) else "",
        unit_and_wave(unit),
        (sentences.initiatives_heading(unit), *_facts(unit, facts)) if len(stages) else (),
        charts.funnel_chart,
        stages,
        labelled_columns(unit, stages, {"stage": "stage", "count": "initiatives", "moved_on": "moved_on"}),
        language.say("initiatives.caution"),
        language=language,
    )


def _facts(unit: Assessment, phrase_of: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence per measure (measure -> key of its phrase) with a value."""
    language, cells = unit.language, {measure: unit.cell(measure) for measure in phrase_of}
    return tuple(
        language.say(phrase_of[measure], share=language.share(cell.value), n=language.number(cell.n))
        for measure, cell in cells.items()
        if cell.ok
    )


def pilots(unit: Assessment, trials: pd.DataFrame | None = None) -> View:
    """Did it work? Each trial (`trials`: only these) against its comparison and the target agreed before."""
    language, rows = unit.language, tables.trials(unit) if trials is None else trials
    columns = {"trial": "pilot", "detail": "measure_n", "verdict": "verdict", "why": "why"}
    return View(
        "pilots",
        language.say("pilots.title"),
        language.say("pilots.subtitle"),
        unit.name,
        (sentences.pilots_heading(unit) if len(rows) else language.say("evolution.no_trials"),),
        charts.forest_chart,
        rows,
        labelled_columns(unit, rows, columns),
        options={"unit": tables.one_unit(rows, language)},
        language=language,
    )


def hours(unit: Assessment, job: str = "") -> View:
    """Where do the possible hours go, task by task, in one job or all?"""
    language, rows = unit.language, unit.rows("tasks")
    if job:
        unit = replace(unit, tables={**unit.tables, "tasks": rows.loc[rows["job"] == job]})
    bars, first = tables.blocks_of_hours(unit), language.say("column.task")
    return View(
        "hours",
        language.say("hours.title"),
        " · ".join([language.say("hours.subtitle"), *tables.tasks_drawn(unit)]),
        f"{unit_and_wave(unit)}{f' · {job}' if job else ''}",
        () if job else (sentences.hours_heading(unit), *sentences.hours_sentences(unit)),
        charts.hours_chart,
        bars.loc[~bars["rest"].astype(bool)],
        tables.wide(bars, "task", "part", "hours", language.hours, first).fillna(""),
        language.say("hours.caution"),
        language=language,
    )


def blockers(unit: Assessment) -> View:
    """What do the open hours wait on?"""
    language, rows = unit.language, sentences.blockers(unit)
    barrier_ids = unit.rules.blockers.set_index("blocker")["barrier_id"].reindex(rows["segment"]).fillna("")
    bars = pd.DataFrame(
        {
            "task": rows["label"].map(language.capitalize),
            "part": language.say("hours.waiting"),
            "kind": "waits",
            "hours": rows["value"],
            "detail": [sentences.barrier_name(unit, name) if name else "" for name in barrier_ids],
        }
    )
    numbers = {
        language.say("column.waits_on"): bars["task"],
        language.capitalize(language.say("hours.scale")): rows["value"].map(language.hours),
        language.say("column.barrier"): bars["detail"],
    }
    return View(
        "waits",
        language.say("hours.waits_title"),
        language.say("hours.waits_subtitle"),
        unit_and_wave(unit),
        chart=charts.hours_chart,
        rows=bars,
        numbers=pd.DataFrame(numbers),
        caution=language.say("hours.waits_caution"),
        language=language,
    )


def modes(unit: Assessment) -> View:
    """Who does the tasks, today and in the target?"""
    language, rows = unit.language, tables.modes(unit)
    in_words = rows.assign(mode=[language.say(f"modes.{mode}") for mode in rows["mode"]])
    return View(
        "modes",
        language.say("modes.title"),
        language.say("modes.subtitle"),
        unit_and_wave(unit),
        chart=charts.modes_chart,
        rows=rows,
        numbers=tables.wide(in_words, "row", "mode", "count", language.number, language.say("column.when")),
        language=language,
    )


def metrics(unit: Assessment) -> View:
    """How did the six metrics move, quarter by quarter?"""
    language, rows = unit.language, tables.metrics(unit)
    return View(
        "metrics",
        language.say("metrics.title"),
        language.say("metrics.subtitle", wave=language.wave(unit.facts.wave)),
        unit.name,
        (sentences.metrics_heading(unit),) if len(rows) else (),
        charts.metrics_chart,
        rows,
        tables.metric_numbers(unit) if len(rows) else pd.DataFrame(),
        language.say("metrics.caution"),
        language=language,
    )


def _intervals(cells: Mapping[str, Cell], language: Language) -> pd.DataFrame:
    """Cells for the chart of intervals and the table below it: one row per name."""
    return pd.DataFrame(
        {
            "name": name,
            "value": cell.value,
            "low": cell.low,
            "high": cell.high,
            "status": cell.status,
            "shown": language.value(cell.value, cell.unit) if cell.ok else language.say(f"status.{cell.status}"),
            "interval": language.interval(cell.low, cell.high, cell.unit) if cell.ok else "",
            "n": language.number(cell.n) if cell.ok else "",
            "note": _note(cell, language),
        }
        for name, cell in cells.items()
    )


def levels(unit: Assessment) -> View:
    """How often are decisions wrong at each level of autonomy?"""
    language = unit.language
    cells = {language.say(f"metrics.level_{level}"): unit.cell("error_rate", f"level {level}") for level in LEVELS}
    rows = _intervals(cells, language).drop(columns="note")
    rows["detail"] = [language.say("chart.n", n=n) if n else "" for n in rows["n"]]
    return View(
        "levels",
        language.say("metrics.levels_title"),
        language.say("metrics.levels_subtitle"),
        unit_and_wave(unit),
        _facts(unit, {"effective_autonomy": "metrics.levels_free"}),
        charts.intervals_chart,
        rows,
        labelled_columns(unit, rows, {"name": "autonomy", "shown": "wrong", "detail": "outcome"}),
        language.say("metrics.levels_caution"),
        language=language,
    )


def confidence(unit: Assessment) -> View:
    """How certain is each decision measure: value, interval, n and what it rests on?"""
    language = unit.language
    rows = _intervals({sentences.measure_name(unit, name): unit.cell(name) for name in SHARES}, language)
    columns = {"name": "measure", "shown": "value", "interval": "interval", "n": "n"}
    rests_on = {"note": "rests_on"} if rows["note"].any() else {}
    return View(
        "confidence",
        language.say("metrics.confidence_title"),
        language.say("metrics.confidence_subtitle"),
        unit_and_wave(unit),
        chart=charts.intervals_chart,
        rows=rows.drop(columns="note"),
        numbers=labelled_columns(unit, rows, columns | rests_on),
        caution=language.say("metrics.caution"),
        language=language,
    )


def followed(unit: Assessment, measure: str, agreed_on: str = "", due_on: str = "") -> View:
    """How did the measure that an agreed action should move develop, wave by wave? Says nothing about causes."""
    language, rows, name = unit.language, unit.measures, sentences.measure_name(unit, measure)
    rows = rows.loc[(rows["unit_id"] == unit.unit_id) & (rows["measure"] == measure) & (rows["segment"] == ALL)]
    rows = rows.loc[rows["status"] == OK].sort_values("wave")
    points = rows.assign(
        metric=name,
        quarter=rows["wave"],
        shown=[language.value(row.value, row.unit) for row in rows.itertuples()],
        interval=[language.interval(row.low, row.high, row.unit) for row in rows.itertuples()],
    )
    numbers = points.assign(n=points["n"].map(language.number))
    days = {"followed.agreed_on": agreed_on, "followed.due_on": due_on}
    return View(
        f"followed-{measure}",
        language.say("followed.title", measure=name),
        language.join_names(language.say(key, day=language.day(day)) for key, day in days.items() if day),
        unit.name,
        () if len(rows) > 1 else (language.say("followed.few"),),
        charts.metrics_chart,
        points,
        labelled_columns(unit, numbers, {"quarter": "wave", "shown": "value", "interval": "interval", "n": "n"}),
        language.say("followed.caution"),
        language=language,
    )
