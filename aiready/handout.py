"""The sections of the handout, in reading order: each a block of sentences, its figures, or nothing."""

import pandas as pd

from aiready import charts, narrative, theme, views, waves
from aiready.assessment import Assessment
from aiready.html.blocks import (
    Action,
    Block,
    Page,
    actions,
    keys,
    lead,
    levels,
    notes,
    paragraphs,
    section,
    standing,
    table,
    works,
)
from aiready.key_figures import key_figures
from aiready.measures import OK, SUPPRESSED
from aiready.sections import Section, chunked, figure

SHOWN_ACTIONS = 3
TOGETHER = 12
"""Trials in one picture: more would not stay whole on paper, nor half as many with names longer than `LONG`."""
LONG = 40
PILOT_NUMBERS = {"trial": "Pilot", "detail": "Measure and n", "verdict": "Verdict", "why": "Why"}


def front(unit: Assessment) -> Section:
    """The first page: the finding, what works, three things to do, figures in context."""
    page = Page(
        title=unit.name,
        eyebrow=narrative.scope(unit),
        meta=narrative.meta(unit),
        notice=unit.facts.about.get("notice", ""),
        footer=_footer(unit),
        running=f"{unit.name} · AI last-mile assessment · {narrative.wave_words(unit.facts.wave)}",
    )
    doing = _todo(unit)
    return Section(
        [
            page,
            lead(narrative.lead(unit)) + works(narrative.what_works(unit)) + doing + keys(key_figures(unit)),
        ]
    )


def _footer(unit: Assessment) -> str:
    contact = unit.facts.about.get("contact", "")
    ask = f"Questions: {contact}. " if contact else ""
    return f"{ask}{unit.facts.about.get('notice', '')}".strip()


def _todo(unit: Assessment) -> Block:
    """Up to three things to do; where nothing measured calls for one, what to collect first."""
    called = [
        Action(
            row.action,
            row.reason,
            f"First step: {row.first_step.rstrip('.')} · {row.owner_role} · {row.effort} effort",
        )
        for row in unit.rows("recommended").sort_values("rank").head(SHOWN_ACTIONS).itertuples()
    ]
    missing = [
        Action(narrative.TABLE_WORDS[row.table], f"Collect {row.collect}.")
        for row in narrative.not_measured(unit).head(SHOWN_ACTIONS).itertuples()
    ]
    if called:
        head = narrative.capital(f"{narrative.counted(len(called), 'thing')} to do next")
    else:
        head = "Nothing measured so far calls for an action" + ("; collect this first" if missing else "")
    return section(head, short="To do", ident="to-do") + actions(called or missing)


def barriers(unit: Assessment) -> Section:
    """All barriers at a glance: both voices, the organisation, the score in words."""
    rows = views.profile(unit)
    head = section(narrative.barriers_heading(unit), short="Barriers")
    if rows[["perception", "practice"]].isna().all(axis=None):
        return Section([head + paragraphs(narrative.why_no_profile(unit))])
    subtitle = (
        "0 to 100, high is overcome · "
        + narrative.basis_words(unit)
        + " · score: mean of both, only where both are measured"
    )
    shown = figure(
        charts.say_do_chart,
        rows,
        "barriers",
        "How far each barrier is overcome",
        subtitle,
        views.profile_numbers(rows),
    )
    note = (
        "Records are all that was written down, not all that is: no interval is claimed for them, and the words "
        "blocking to clear take what nobody recorded as not done."
    )
    return Section(
        [head, shown, paragraphs(narrative.sensitivity_sentence(unit), narrative.unknown_sentence(unit)), notes(note)]
    )


def barrier(unit: Assessment, barrier_id: str) -> Section:
    """One barrier: what people answered, groups side by side, say and do, the records, the next level; or nothing."""
    name = narrative.barrier_name(unit, barrier_id)
    head = section(
        narrative.barrier_heading(unit, barrier_id),
        " ".join(
            filter(None, [narrative.groups_sentence(unit, barrier_id), narrative.change_sentence(unit, barrier_id)])
        ),
        short=name,
    )
    parts = Section([head])
    rows = views.answers(unit, barrier_id)
    if rows["share"].notna().any():
        most = rows["n"].max()
        parts.append(
            figure(
                charts.items_chart,
                rows,
                f"answers-{barrier_id}",
                f"{name}: what people answered",
                f"Share of answers on each level; don't know apart · up to {most:.0f} answers",
                views.answers_numbers(rows),
            )
        )
        parts.append(_next_level(unit, barrier_id))
    facets = _facets(unit, barrier_id)
    if facets.markup:
        parts.append(facets)
    shown = views.indicators(unit, barrier_id)
    if shown["points"].notna().any():
        numbers = shown.rename(
            columns={"indicator": "Indicator", "points": "Points", "value_text": "Value", "detail": "Records"}
        )
        parts.append(
            figure(
                charts.indicators_chart,
                shown,
                f"records-{barrier_id}",
                f"{name}: what the records show",
                "Points 0 to 100 and the value behind them; an indicator counts from "
                f"{unit.rules.settings.minimum_records} records",
                numbers,
            )
        )
    return parts if len(parts) > 1 else Section()


def each_barrier(unit: Assessment) -> Section:
    """A section per barrier, in the order of the instrument; none where nothing can be said of any."""
    if unit.rows("barriers")["basis"].eq("none").all():
        return Section()
    return Section(part for name in unit.rules.barriers["barrier_id"] for part in barrier(unit, name))


def _next_level(unit: Assessment, barrier_id: str) -> Block:
    weakest = narrative.weakest_item(unit, barrier_id)
    if weakest is None:
        return Block("")
    return levels(
        weakest.wording,
        f"Lowest item, level {weakest.level} today · {weakest.label}",
        weakest.words,
        "The next level looks like this" if weakest.next_words else "The highest level",
        weakest.next_words,
    )


def _facets(unit: Assessment, barrier_id: str) -> Block:
    rows, name = views.twins(unit, barrier_id), narrative.barrier_name(unit, barrier_id)
    caption = f"{name}, say and do: where the records show less, it is not done, or the records are incomplete"
    return table(rows, caption) if len(rows) else Block("")


def groups(unit: Assessment) -> Section:
    """Those doing the work and those leading it, barrier by barrier."""
    rows = views.groups(unit)
    if rows.empty or not (rows["status"] == OK).any():
        return Section()
    numbers = views.wide(rows.dropna(subset=["value"]), "barrier", "group", "value", theme.score, "Barrier")
    head = section(narrative.groups_heading(unit), short="Doing and leading")
    return Section(
        [
            head,
            figure(
                charts.groups_chart,
                rows,
                "groups",
                "What each group says",
                "0 to 100 with 95 % interval · groups of fewer than "
                f"{unit.rules.settings.minimum_group} people are hidden",
                numbers,
            ),
            notes(narrative.GROUPS_JUDGED),
        ]
    )


def work(unit: Assessment) -> Section:
    """The work: hours and what they wait on, tasks by mode, or exposure alone."""
    head = section(narrative.hours_heading(unit), *narrative.hours_sentences(unit), short="The work")
    parts = Section([head])
    hours = views.blocks_of_hours(unit)
    if len(hours):
        numbers = views.wide(hours, "task", "part", "hours", theme.hours, "Task").fillna("")
        parts.append(
            figure(
                charts.hours_chart,
                hours.loc[~hours["rest"]],
                "hours",
                "Where the possible hours go",
                "Hours a year that AI could save: realised, what the rest waits on, what is lost"
                + views.tasks_drawn(unit),
                numbers,
            )
        )
    modes = views.modes(unit)
    if len(modes):
        numbers = views.wide(modes.replace({"mode": views.MODES}), "row", "mode", "count", theme.number, "When")
        parts.append(
            figure(
                charts.modes_chart,
                modes,
                "modes",
                "Who does the tasks",
                "Number of tasks, today and as aimed at",
                numbers,
            )
        )
    exposed = views.exposure(unit)
    if len(exposed) and hours.empty:
        rated = views.exposed_tasks(unit)
        parts.append(
            table(exposed, "Share of the work whose time could be halved at equal quality")
            + (table(rated, "Task by task, as rated from its description") if len(rated) else Block(""))
            + notes("Exposure is rated from descriptions (Eloundou et al. 2023). It is not adoption, and no forecast.")
        )
    return parts if len(parts) > 1 or unit.cell("potential_hours").status == SUPPRESSED else Section()


def pilots(unit: Assessment) -> Section:
    """Pilots: improvement against target, and the verdict with the bound that decided."""
    rows = views.trials(unit)
    if rows.empty:
        return Section()
    parts = Section([section(narrative.pilots_heading(unit), short="Pilots")])
    chunks = [rows] if len(rows) <= TOGETHER else [chunk for _, chunk in rows.groupby("verdict", sort=False)]
    for chunk in chunks:
        together = list(chunked(chunk, TOGETHER // 2 if chunk["trial"].str.len().max() > LONG else TOGETHER))
        which = f" {narrative.capital(narrative.VERDICTS[chunk['verdict'].iloc[0]])}" if len(chunks) > 1 else ""
        for shown in together:
            span = f": {shown['trial'].iloc[0]} to {shown['trial'].iloc[-1]}" if len(together) > 1 else ""
            parts.append(
                figure(
                    charts.forest_chart,
                    shown,
                    "pilots" if len(chunks) == 1 else f"pilots-{chunk['verdict'].iloc[0]}",
                    f"Did it work?{which}{span}",
                    "Difference to the comparison, 95 % and 90 % interval; orange: the target",
                    shown[list(PILOT_NUMBERS)].rename(columns=PILOT_NUMBERS),
                    unit=views.one_unit(shown),
                )
            )
    return parts


def metrics(unit: Assessment) -> Section:
    """Six human-AI metrics by quarter, and every number behind them."""
    rows = views.metrics(unit)
    if rows.empty:
        return Section()
    quarter = waves.quarter_of_wave(unit.facts.wave)
    head = section(narrative.metrics_heading(unit), short="Six metrics")
    numbers = views.metric_numbers(unit)
    return Section(
        [
            head,
            table(views.metric_summary(unit), f"Six metrics, {narrative.wave_words(quarter)}"),
            figure(
                charts.metrics_chart,
                rows,
                "metrics",
                "Six metrics by quarter",
                f"{narrative.wave_words(unit.facts.wave)} and before · bars: 95 % interval · each on its own scale",
                numbers,
            ),
        ]
    )


def workflow(unit: Assessment) -> Section:
    """Workflows before, now and as aimed at, with who takes each step."""
    maps = views.workflows(unit)
    if not maps:
        return Section()
    parts = Section([section(narrative.workflow_heading(unit), short="Workflows")])
    for name, steps in maps.items():
        numbers = steps.rename(columns={"version": "Version", "step": "Step", "actor": "Actor", "note": "Change"})
        parts.append(
            figure(
                charts.workflow_chart,
                steps,
                f"workflow-{name}",
                name,
                "Steps before AI, now, and as aimed at",
                numbers.drop(columns="handoffs"),
            )
        )
    return parts


def themes(unit: Assessment) -> Section:
    """Work, workforce, workplace: three scores."""
    rows = views.themes(unit)
    if rows.empty or not (rows["status"] == OK).any():
        return Section()
    numbers = pd.DataFrame(
        {
            "Theme": rows["theme"],
            "People say": rows["value"].map(theme.score),
            "95 % interval": [theme.interval(row.low, row.high, "score") for row in rows.itertuples()],
            "n": rows["n"].map(theme.number),
        }
    )
    return Section(
        [
            section(narrative.themes_heading(unit), short="Work, workforce, workplace"),
            figure(
                charts.themes_chart,
                rows,
                "themes",
                "The same answers, cut by theme",
                "0 to 100 with 95 % interval",
                numbers,
            ),
        ]
    )


def trend(unit: Assessment) -> Section:
    """Both voices over the waves."""
    rows = views.trend(unit)
    if rows.empty or rows["wave"].nunique() < 2:
        return Section()
    named = rows.assign(
        label=rows["barrier"] + " · " + rows["voice"].map({"perception": "people", "practice": "records"})
    )
    numbers = views.wide(named, "label", "wave", "value", theme.score, "Barrier and voice").fillna("")
    return Section(
        [
            section(narrative.trend_heading(unit), short="Trend"),
            figure(
                charts.trend_chart,
                rows,
                "trend",
                "Both voices over the waves",
                "0 to 100 · people with 95 % interval · records where the same indicators count",
                numbers,
            ),
            notes(narrative.other_indicators_sentence(unit)),
        ]
    )


def agreed(unit: Assessment) -> Section:
    """Agreed actions and their state."""
    rows = views.agreed(unit)
    if rows.empty:
        return Section()
    return Section([section(narrative.agreed_heading(unit), short="Agreed actions") + table(rows, "Agreed actions")])


def absent(unit: Assessment) -> Section:
    """What has not been measured, and what to collect."""
    rows = narrative.not_measured(unit)
    if rows.empty:
        return Section()
    words = pd.DataFrame({"Not measured": rows["table"].map(narrative.TABLE_WORDS), "What to collect": rows["collect"]})
    return Section(
        [section(narrative.absent_heading(unit), short="Not measured") + table(words, "What to collect next")]
    )


def method(unit: Assessment) -> Section:
    """How this was measured, and the sentences that stand on every handout."""
    hidden = unit.measures.loc[unit.measures["unit_id"] == unit.unit_id, "status"].eq(SUPPRESSED).sum()
    facts = narrative.method_facts(unit, int(hidden))
    return Section(
        [
            section("How this was measured", short="Method")
            + table(facts, "What stands behind the numbers")
            + notes(narrative.formulas(unit))
            + standing(*narrative.STANDING)
        ]
    )
