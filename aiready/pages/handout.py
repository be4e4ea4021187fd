"""Make the sections of the handout, in reading order: sentences and figures, or an empty section."""

from dataclasses import replace

import pandas as pd

from aiready import charts
from aiready.charts.figures import Figure
from aiready.model import waves
from aiready.model.registry import OK, SUPPRESSED
from aiready.pages import sentences, tables, views
from aiready.pages.key_figures import key_figures
from aiready.pages.markup.blocks import (
    Action,
    Block,
    Page,
    actions,
    key_figure_list,
    lead,
    level_advice,
    notes,
    paragraphs,
    section,
    standing,
    table,
    works,
)
from aiready.pages.parts import Section, chunked, labelled_columns, section_heading
from aiready.pages.unit_comparison import children
from aiready.profile.assessment import Assessment

__all__ = [
    "absent", "agreed", "barrier", "barriers", "children", "each_barrier", "evolution", "front", "groups", "method",
    "metrics", "pilots", "themes", "trend", "work", "workflow",
]  # fmt: skip

MAX_ACTIONS = 3
TRIALS_PER_FIGURE = 12
"""Trials in one picture, half as many with names longer than `LONG_NAME`: more would not fit a printed page."""
LONG_NAME = 40
"""Characters."""


def front(unit: Assessment) -> Section:
    """The first page: the finding, what works, up to three actions, key figures."""
    language = unit.language
    page = Page(
        title=unit.name,
        eyebrow=sentences.scope(unit),
        meta=sentences.meta(unit),
        lang=language.code,
        notice=unit.facts.about.get("notice", ""),
        footer=_footer(unit),
        running=sentences.running_head(unit),
    )
    works_here = works(sentences.what_works(unit), language.say("works.heading"))
    return Section([page, lead(sentences.lead(unit)) + works_here + _todo(unit) + key_figure_list(key_figures(unit))])


def _footer(unit: Assessment) -> str:
    contact = unit.facts.about.get("contact", "")
    ask = unit.language.say("scope.contact", contact=contact) if contact else ""
    return f"{ask} {unit.facts.about.get('notice', '')}".strip()


def _todo(unit: Assessment) -> Block:
    """Up to three recommended actions; if there is none, what to collect first."""
    say = unit.language.say
    recommended = [
        Action(
            row.action,
            row.reason,
            sentences.first_step(row, unit.language),
        )
        for row in unit.rows("recommended").sort_values("rank").head(MAX_ACTIONS).itertuples()
    ]
    to_collect = [
        Action(row.what, say("todo.collect", what=row.collect))
        for row in sentences.not_measured(unit).head(MAX_ACTIONS).itertuples()
    ]
    if recommended:
        head = unit.language.capitalize(say("todo.heading", len(recommended)))
    else:
        head = say("todo.collect_first" if to_collect else "todo.nothing")
    return section_heading(unit, "todo", head) + actions(recommended or to_collect)


def barriers(unit: Assessment) -> Section:
    """All barriers: both voices, the organisation's, the score in words."""
    view = views.profile(unit)
    heading, *remarks = view.words
    head = section_heading(unit, "barriers", heading)
    if view.rows[["perception", "practice"]].isna().all(axis=None):
        return Section([head + paragraphs(*remarks)])
    return Section([head, view.figure(), paragraphs(*remarks), notes(view.caution)])


def barrier(unit: Assessment, barrier_id: str) -> Section:
    """One barrier: groups, change, answers, next level, facets, indicators; empty if there is only a heading."""
    remarks = [sentences.groups_sentence(unit, barrier_id), sentences.change_sentence(unit, barrier_id)]
    head = section(
        sentences.barrier_heading(unit, barrier_id),
        " ".join(filter(None, remarks)),
        short=sentences.barrier_name(unit, barrier_id),
        ident=barrier_id,
    )
    answers, records = views.answers(unit, barrier_id), views.indicators(unit, barrier_id)
    parts = Section([head])
    if len(answers.rows):
        parts += [answers.figure(), _next_level(unit, barrier_id)]
    facets = tables.facets(unit, barrier_id).loc[lambda rows: rows["is_pair"]]
    if len(facets):
        caption = unit.language.say("barrier.facets", name=sentences.barrier_name(unit, barrier_id))
        pairs = labelled_columns(unit, facets, {"people": "people_say", "records": "records_show"})
        parts.append(table(pairs, caption, unit.language))
    if records.rows["points"].notna().any():
        parts.append(records.figure())
    return parts if len(parts) > 1 else Section()


def each_barrier(unit: Assessment) -> Section:
    """A section per barrier, in the order of the instrument; empty if no barrier has a value."""
    if unit.rows("barriers")["basis"].eq("none").all():
        return Section()
    return Section(part for name in unit.rules.barriers["barrier_id"] for part in barrier(unit, name))


def _next_level(unit: Assessment, barrier_id: str) -> Block:
    say, weakest = unit.language.say, unit.cached(sentences.weakest_item, barrier_id)
    if weakest is None:
        return Block("")
    return level_advice(
        weakest.wording,
        say("level.lowest", level=str(weakest.level), item=weakest.label),
        weakest.words,
        say("level.next" if weakest.next_words else "level.highest"),
        weakest.next_words,
    )


def groups(unit: Assessment) -> Section:
    """Those doing the work and those leading it, per barrier."""
    view = views.groups(unit)
    if view.numbers.empty:
        return Section()
    return Section([section_heading(unit, "groups", *view.words), view.figure(), notes(view.caution)])


def work(unit: Assessment) -> Section:
    """The work: hours and what they wait on, tasks by mode, or exposure alone."""
    hours, modes = views.hours(unit), views.modes(unit)
    figures = [view.figure() for view in (hours, modes) if len(view.rows)]
    exposure = _exposure(unit) if hours.rows.empty else Section()
    parts = Section([section_heading(unit, "work", *hours.words), *figures, *exposure])
    return parts if len(parts) > 1 or sentences.why_hours_hidden(unit) else Section()


def _exposure(unit: Assessment) -> Section:
    """What AI could do; or empty."""
    language, exposed = unit.language, tables.exposure(unit)
    if exposed.empty:
        return Section()
    rated = tables.exposed_tasks(unit)
    tasks = table(rated, language.say("exposure.tasks"), language) if len(rated) else Block("")
    shares = table(exposed, language.say("exposure.caption"), language)
    return Section([shares + tasks + notes(language.say("exposure.note"))])


def pilots(unit: Assessment) -> Section:
    """Pilots: improvement against target, and the verdict with the bound that decided."""
    view = views.pilots(unit)
    if view.rows.empty:
        return Section()
    parts = Section([section_heading(unit, "pilots", *view.words)])
    by_verdict = [trials for _, trials in view.rows.groupby("verdict_id", sort=False)]
    groups_of_trials = [view.rows] if len(view.rows) <= TRIALS_PER_FIGURE else by_verdict
    for trials in groups_of_trials:
        verdict = trials["verdict_id"].iloc[0] if len(groups_of_trials) > 1 else ""
        has_long_names = trials["trial"].str.len().max() > LONG_NAME
        split = list(chunked(trials, TRIALS_PER_FIGURE // 2 if has_long_names else TRIALS_PER_FIGURE))
        parts.extend(_pilots(unit, part, verdict, is_split=len(split) > 1) for part in split)
    return parts


def _pilots(unit: Assessment, rows: pd.DataFrame, verdict: str, *, is_split: bool) -> Figure:
    """Pilots in one picture; its title names the `verdict` they share, and first and last of them if `is_split`."""
    language, key = unit.language, "pilots.title"
    blanks = {"first": rows["trial"].iloc[0], "last": rows["trial"].iloc[-1]} if is_split else {}
    if verdict:
        key, words = "pilots.title_of", language.capitalize(language.label(f"verdict_words.{verdict}"))
        blanks["verdict"] = words
    title = language.say(f"{key}_span" if is_split else key, **blanks)
    view = views.pilots(unit, rows)
    return replace(view, name=f"pilots-{verdict}" if verdict else view.name, title=title).figure()


def evolution(unit: Assessment) -> Section:
    """Exploration and evolution: generations of AI, pace of trials, what was learned, stages; or empty."""
    language, rows, stages = unit.language, tables.evolution(unit), tables.stages(unit)
    if rows.empty:
        return Section()
    head = section_heading(unit, "evolution", sentences.evolution_heading(unit), sentences.generations_sentence(unit))
    pace = table(rows, language.say("evolution.caption"), language)
    steps = table(stages, language.say("evolution.stages"), language) if len(stages) else Block("")
    return Section([head + pace + steps + notes(language.say("evolution.note"))])


def metrics(unit: Assessment) -> Section:
    """Six human-AI metrics by quarter, and every number behind them."""
    language, view = unit.language, views.metrics(unit)
    if view.rows.empty:
        return Section()
    quarter = language.wave(waves.quarter_of_wave(unit.facts.wave))
    summary = table(tables.metric_summary(unit), language.say("metrics.caption", wave=quarter), language)
    return Section([section_heading(unit, "metrics", *view.words), summary, view.figure()])


def workflow(unit: Assessment) -> Section:
    """Workflows before, now and as targeted, with who takes each step."""
    language, maps = unit.language, tables.workflows(unit)
    if not maps:
        return Section()
    parts = Section([section_heading(unit, "workflows", sentences.workflow_heading(unit))])
    phrase_of = {"version": "version", "step": "step", "actor": "actor", "note": "change"}
    for name, steps in maps.items():
        in_words = steps.assign(actor=[language.label(f"workflow.by_{actor}") for actor in steps["actor"]])
        view = views.View(
            f"workflow-{name}",
            name,
            language.say("workflow.subtitle"),
            chart=charts.workflow_chart,
            rows=steps,
            numbers=labelled_columns(unit, in_words, phrase_of),
            language=language,
        )
        parts.append(view.figure())
    return parts


def themes(unit: Assessment) -> Section:
    """Work, workforce, workplace: three scores."""
    view = views.themes(unit)
    if view.rows.empty or not (view.rows["status"] == OK).any():
        return Section()
    return Section([section_heading(unit, "themes", *view.words), view.figure()])


def trend(unit: Assessment) -> Section:
    """Both voices over the waves."""
    view = views.trend(unit)
    if view.rows["wave"].nunique() < 2:
        return Section()
    return Section([section_heading(unit, "trend", *view.words), view.figure(), notes(view.caution)])


def agreed(unit: Assessment) -> Section:
    """Agreed actions with their state."""
    rows = tables.agreed(unit)
    if rows.empty:
        return Section()
    actions_table = table(rows, unit.language.say("agreed.caption"), unit.language)
    return Section([section_heading(unit, "agreed", sentences.agreed_heading(unit)) + actions_table])


def absent(unit: Assessment) -> Section:
    """What has not been measured, and what to collect."""
    rows = sentences.not_measured(unit)
    if rows.empty:
        return Section()
    words = labelled_columns(unit, rows, {"what": "not_measured", "collect": "collect"})
    collect_table = table(words, unit.language.say("absent.caption"), unit.language)
    return Section([section_heading(unit, "absent", sentences.absent_heading(unit)) + collect_table])


def method(unit: Assessment) -> Section:
    """How this was measured, and the sentences that end every handout."""
    hidden = unit.measures.loc[unit.measures["unit_id"] == unit.unit_id, "status"].eq(SUPPRESSED).sum()
    facts = table(sentences.method_facts(unit, int(hidden)), unit.language.say("method.caption"), unit.language)
    head = section_heading(unit, "method", unit.language.say("method.heading"))
    rest = notes(sentences.formulas(unit)) + standing(*sentences.standing_sentences(unit))
    return Section([head + facts + _reliability(unit) + rest])


def _reliability(unit: Assessment) -> Block:
    """Reliability and agreement of the answers, and what they mean; or empty."""
    rows = tables.reliability(unit)
    if rows.empty:
        return Block("")
    reliability_table = table(rows, unit.language.say("reliability.caption"), unit.language)
    return reliability_table + notes(*sentences.reliability_notes(unit))
