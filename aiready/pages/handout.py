"""Make the sections of the handout, in reading order: sentences and figures, or an empty section."""

import pandas as pd

from aiready import charts
from aiready.charts.figures import Figure
from aiready.model import waves
from aiready.model.registry import OK, SUPPRESSED
from aiready.pages import sentences, tables
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
from aiready.pages.parts import Section, chunked, figure, labelled_columns, section_heading
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
PILOT_COLUMNS = {"trial": "pilot", "detail": "measure_n", "verdict": "verdict", "why": "why"}


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
            say("todo.step", step=row.first_step.rstrip("."), owner=row.owner_role, effort=say(f"effort.{row.effort}")),
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
    language, rows = unit.language, tables.profile(unit)
    head = section_heading(unit, "barriers", sentences.barriers_heading(unit))
    if rows[["perception", "practice"]].isna().all(axis=None):
        return Section([head + paragraphs(sentences.why_no_profile(unit))])
    chart = figure(
        charts.say_do_chart,
        rows,
        "barriers",
        language.say("barriers.title"),
        language.say("barriers.subtitle", basis=sentences.basis_words(unit)),
        tables.profile_numbers(rows, language),
        language,
        bands=unit.rules.bands,
    )
    gaps = (*sentences.hidden_sentences(unit), sentences.unknown_sentence(unit))
    remarks = paragraphs(sentences.sensitivity_sentence(unit), *gaps)
    return Section([head, chart, remarks, notes(language.say("barriers.note"))])


def barrier(unit: Assessment, barrier_id: str) -> Section:
    """One barrier: groups, change, answers, next level, facets, indicators; empty if there is only a heading."""
    remarks = [sentences.groups_sentence(unit, barrier_id), sentences.change_sentence(unit, barrier_id)]
    head = section(
        sentences.barrier_heading(unit, barrier_id),
        " ".join(filter(None, remarks)),
        short=sentences.barrier_name(unit, barrier_id),
        ident=barrier_id,
    )
    parts = Section([head, *_answers(unit, barrier_id)])
    facets = _facets(unit, barrier_id)
    if facets:
        parts.append(facets)
    parts.extend(_records(unit, barrier_id))
    return parts if len(parts) > 1 else Section()


def _answers(unit: Assessment, barrier_id: str) -> Section:
    """How the items of a barrier were answered, and the level after that of its weakest item; or empty."""
    language, rows = unit.language, tables.answers(unit, barrier_id)
    if not rows["share"].notna().any():
        return Section()
    chart = figure(
        charts.items_chart,
        rows,
        f"answers-{barrier_id}",
        language.say("barrier.answers_title", name=sentences.barrier_name(unit, barrier_id)),
        language.say("barrier.answers_subtitle", n=language.number(rows["n"].max())),
        tables.answers_numbers(rows, language),
        language,
    )
    return Section([chart, _next_level(unit, barrier_id)])


def _records(unit: Assessment, barrier_id: str) -> Section:
    """The indicators of a barrier; or empty."""
    language, rows = unit.language, tables.indicators(unit, barrier_id)
    if not rows["points"].notna().any():
        return Section()
    phrase_of = {"indicator": "indicator", "points": "points", "value_text": "value", "detail": "records"}
    return Section(
        [
            figure(
                charts.indicators_chart,
                rows,
                f"records-{barrier_id}",
                language.say("barrier.records_title", name=sentences.barrier_name(unit, barrier_id)),
                language.say("barrier.records_subtitle", n=str(unit.rules.settings.minimum_records)),
                labelled_columns(unit, rows, phrase_of),
                language,
            )
        ]
    )


def each_barrier(unit: Assessment) -> Section:
    """A section per barrier, in the order of the instrument; empty if no barrier has a value."""
    if unit.rows("barriers")["basis"].eq("none").all():
        return Section()
    return Section(part for name in unit.rules.barriers["barrier_id"] for part in barrier(unit, name))


def _next_level(unit: Assessment, barrier_id: str) -> Block:
    say, weakest = unit.language.say, sentences.weakest_item(unit, barrier_id)
    if weakest is None:
        return Block("")
    return level_advice(
        weakest.wording,
        say("level.lowest", level=str(weakest.level), item=weakest.label),
        weakest.words,
        say("level.next" if weakest.next_words else "level.highest"),
        weakest.next_words,
    )


def _facets(unit: Assessment, barrier_id: str) -> Block:
    rows = tables.twins(unit, barrier_id)
    caption = unit.language.say("barrier.facets", name=sentences.barrier_name(unit, barrier_id))
    return table(rows, caption, unit.language) if len(rows) else Block("")


def groups(unit: Assessment) -> Section:
    """Those doing the work and those leading it, per barrier."""
    language, rows = unit.language, tables.groups(unit)
    if rows.empty or not (rows["status"] == OK).any():
        return Section()
    first = language.say("column.barrier")
    chart = figure(
        charts.groups_chart,
        rows,
        "groups",
        language.say("groups.title"),
        language.say("groups.subtitle", n=str(unit.rules.settings.minimum_group)),
        tables.wide(rows.dropna(subset=["value"]), "barrier", "group", "value", language.score, first),
        language,
    )
    head = section_heading(unit, "groups", sentences.groups_heading(unit))
    return Section([head, chart, notes(language.say("groups.judged"))])


def work(unit: Assessment) -> Section:
    """The work: hours and what they wait on, tasks by mode, or exposure alone."""
    parts = Section([section_heading(unit, "work", sentences.hours_heading(unit), *sentences.hours_sentences(unit))])
    sections = (_hours(unit), _modes(unit), _exposure(unit))
    parts.extend(part for parts_of_section in sections for part in parts_of_section)
    return parts if len(parts) > 1 or sentences.why_hours_hidden(unit) else Section()


def _hours(unit: Assessment) -> Section:
    """Where the possible hours go, per task; or empty."""
    language, rows = unit.language, tables.blocks_of_hours(unit)
    if rows.empty:
        return Section()
    numbers = tables.wide(rows, "task", "part", "hours", language.hours, language.say("column.task")).fillna("")
    title, charted = language.say("hours.title"), rows.loc[~rows["rest"]]
    subtitle = " · ".join([language.say("hours.subtitle"), *tables.tasks_drawn(unit)])
    return Section([figure(charts.hours_chart, charted, "hours", title, subtitle, numbers, language)])


def _modes(unit: Assessment) -> Section:
    """Tasks by who does them; or empty."""
    language, rows = unit.language, tables.modes(unit)
    if rows.empty:
        return Section()
    in_words = rows.assign(mode=[language.say(f"modes.{mode}") for mode in rows["mode"]])
    numbers = tables.wide(in_words, "row", "mode", "count", language.number, language.say("column.when"))
    title, subtitle = language.say("modes.title"), language.say("modes.subtitle")
    return Section([figure(charts.modes_chart, rows, "modes", title, subtitle, numbers, language)])


def _exposure(unit: Assessment) -> Section:
    """What AI could do, if no hours are known; or empty."""
    language, exposed = unit.language, tables.exposure(unit)
    if exposed.empty or len(tables.blocks_of_hours(unit)):
        return Section()
    rated = tables.exposed_tasks(unit)
    tasks = table(rated, language.say("exposure.tasks"), language) if len(rated) else Block("")
    shares = table(exposed, language.say("exposure.caption"), language)
    return Section([shares + tasks + notes(language.say("exposure.note"))])


def pilots(unit: Assessment) -> Section:
    """Pilots: improvement against target, and the verdict with the bound that decided."""
    rows = tables.trials(unit)
    if rows.empty:
        return Section()
    parts = Section([section_heading(unit, "pilots", sentences.pilots_heading(unit))])
    by_verdict = [trials for _, trials in rows.groupby("verdict_id", sort=False)]
    groups_of_trials = [rows] if len(rows) <= TRIALS_PER_FIGURE else by_verdict
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
    return figure(
        charts.forest_chart,
        rows,
        f"pilots-{verdict}" if verdict else "pilots",
        title,
        language.say("pilots.subtitle"),
        labelled_columns(unit, rows, PILOT_COLUMNS),
        language,
        unit=tables.one_unit(rows, language),
    )


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
    language, rows = unit.language, tables.metrics(unit)
    if rows.empty:
        return Section()
    quarter = language.wave(waves.quarter_of_wave(unit.facts.wave))
    chart = figure(
        charts.metrics_chart,
        rows,
        "metrics",
        language.say("metrics.title"),
        language.say("metrics.subtitle", wave=language.wave(unit.facts.wave)),
        tables.metric_numbers(unit),
        language,
    )
    summary = table(tables.metric_summary(unit), language.say("metrics.caption", wave=quarter), language)
    return Section([section_heading(unit, "metrics", sentences.metrics_heading(unit)), summary, chart])


def workflow(unit: Assessment) -> Section:
    """Workflows before, now and as targeted, with who takes each step."""
    language, maps = unit.language, tables.workflows(unit)
    if not maps:
        return Section()
    parts = Section([section_heading(unit, "workflows", sentences.workflow_heading(unit))])
    phrase_of = {"version": "version", "step": "step", "actor": "actor", "note": "change"}
    for name, steps in maps.items():
        in_words = steps.assign(actor=[language.label(f"workflow.by_{actor}") for actor in steps["actor"]])
        numbers, subtitle = labelled_columns(unit, in_words, phrase_of), language.say("workflow.subtitle")
        parts.append(figure(charts.workflow_chart, steps, f"workflow-{name}", name, subtitle, numbers, language))
    return parts


def themes(unit: Assessment) -> Section:
    """Work, workforce, workplace: three scores."""
    language, rows = unit.language, tables.themes(unit)
    if rows.empty or not (rows["status"] == OK).any():
        return Section()
    numbers = rows.assign(
        said=rows["value"].map(language.score),
        interval=[language.interval(row.low, row.high, "score") for row in rows.itertuples()],
        n=rows["n"].map(language.number),
    )
    phrase_of = {"theme": "theme", "said": "people_say", "interval": "interval", "n": "n"}
    chart = figure(
        charts.themes_chart,
        rows,
        "themes",
        language.say("themes.title"),
        language.say("themes.subtitle"),
        labelled_columns(unit, numbers, phrase_of),
        language,
    )
    return Section([section_heading(unit, "themes", sentences.themes_heading(unit)), chart])


def trend(unit: Assessment) -> Section:
    """Both voices over the waves."""
    language, rows = unit.language, tables.trend(unit)
    if rows.empty or rows["wave"].nunique() < 2:
        return Section()
    keys_of = {"perception": "trend.people", "practice": "trend.of_records"}
    labels = [language.say(keys_of[row.voice], name=row.barrier) for row in rows.itertuples()]
    first = language.say("column.voice")
    chart = figure(
        charts.trend_chart,
        rows,
        "trend",
        language.say("trend.title"),
        language.say("trend.subtitle"),
        tables.wide(rows.assign(label=labels), "label", "wave", "value", language.score, first).fillna(""),
        language,
    )
    head = section_heading(unit, "trend", sentences.trend_heading(unit))
    return Section([head, chart, notes(sentences.other_indicators_sentence(unit))])


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
