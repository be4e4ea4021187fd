"""Make the sections of the portfolio: first the decisions asked of the meeting, then units in organisation order."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from aiready import charts
from aiready.charts.figures import Figure
from aiready.messages import Language
from aiready.model.registry import ALL, OK, ORGANISATION
from aiready.model.schema import LIVE_STAGES
from aiready.pages import handout, sentences, tables, views
from aiready.pages.key_figures import key_figures
from aiready.pages.markup.blocks import Block, Page, div, key_figure_list, lead, notes, paragraphs, table
from aiready.pages.parts import Section, chunked, labelled_columns, section_heading
from aiready.pages.unit_comparison import (
    UNITS_PER_FIGURE,
    Span,
    figures_by_unit,
    named_units,
    profile_figures,
    title_with_span,
    unit_profile,
)
from aiready.pages.views import View
from aiready.profile.assessment import Assessment

HELP_FIRST = 3
MAX_NAME_LENGTH, INITIATIVES_PER_FIGURE = 30, 36
"""Characters of a name beside a picture, and initiatives in one picture: more would not fit a printed page."""
HALF = 0.5
"""The share of adoption, and of progress to the target, where the corners meet."""
BLOCKERS_IN_CHART = 4
UNKNOWN = "unknown"
GROW, STOP, OWNER, HELP = "grow", "stop", "owner", "help"
"""Kinds of decisions: let a pilot grow, stop one, name an owner, offer help first."""


def front(organisation: Assessment) -> Section:
    """Title, the organisation's finding, and the decisions asked of this meeting."""
    language, say = organisation.language, organisation.language.say
    page = Page(
        title=say("portfolio.title", name=organisation.name),
        eyebrow=say("portfolio.scope"),
        meta=sentences.meta(organisation),
        lang=language.code,
        notice=organisation.facts.about.get("notice", ""),
        footer=say("portfolio.footer"),
        running=say("portfolio.running", name=organisation.name, wave=language.wave(organisation.facts.wave)),
    )
    decisions = decisions_asked(organisation)
    lists = [
        div(
            table(
                labelled_columns(organisation, rows, {"about": "about", "why": "why"}),
                say(f"asked.{kind}_caption"),
                language,
            ),
            kind="asked",
        )
        for kind, rows in decisions.groupby("decision", sort=False)
    ]
    why = "" if len(decisions) else say("asked.why_none")
    heading = section_heading(organisation, "decisions", _decisions_heading(decisions, language), why)
    finding = (lead(sentences.lead(organisation)), heading, *lists, key_figure_list(key_figures(organisation)))
    return Section([page, Block().join(finding)])


def _decisions_heading(decisions: pd.DataFrame, language: Language) -> str:
    """How many decisions of each kind are asked."""
    if decisions.empty:
        return language.say("asked.none")
    counts = decisions["decision"].value_counts(sort=False)
    kinds = language.join_names(language.say(f"asked.{kind}", number) for kind, number in counts.items())
    return language.say("asked.heading", decisions=kinds)


def decisions_asked(organisation: Assessment) -> pd.DataFrame:
    """What the meeting should decide: one row per decision (decision, about, why)."""
    rows = [*_pilot_decisions(organisation), *_owner_decisions(organisation), *_help_decisions(organisation)]
    return pd.DataFrame(rows, columns=["decision", "about", "why"])


def _pilot_decisions(organisation: Assessment) -> Iterator[tuple[str, str, str]]:
    """Pilots to grow and to stop, by their last verdict, unless that has happened already."""
    trials = sentences.latest_trials(organisation).merge(
        organisation.initiatives[["initiative_id", "stage"]], on="initiative_id"
    )
    grow = trials.loc[(trials["verdict"] == "SCALE") & ~trials["stage"].isin(["scaled", "stopped"])]
    stop = trials.loc[(trials["verdict"] == "STOP") & (trials["stage"] != "stopped")]
    for decision, rows in ((GROW, grow), (STOP, stop)):
        for _, row in rows.sort_values("initiative_id").iterrows():
            yield (
                decision,
                _initiative_of_unit(organisation, row["initiative_id"]),
                sentences.trial_words(row, organisation.language),
            )


def _initiative_of_unit(organisation: Assessment, initiative_id: str) -> str:
    """An initiative's name with its unit's."""
    owner = organisation.initiatives.set_index("initiative_id")["unit_id"].get(initiative_id)
    unit = organisation.units.set_index("unit_id")["name"].get(owner)
    name = sentences.initiative_name(organisation, initiative_id)
    return organisation.language.say("asked.of_unit", initiative=name, unit=unit) if isinstance(unit, str) else name


def _owner_decisions(organisation: Assessment) -> Iterator[tuple[str, str, str]]:
    register = organisation.initiatives
    live = register.loc[register["stage"].isin(LIVE_STAGES) & register["owner"].isna()] if len(register) else register
    for row in live.itertuples():
        stage = organisation.language.label(f"stage.{row.stage}")
        yield (
            OWNER,
            _initiative_of_unit(organisation, row.initiative_id),
            organisation.language.say("asked.in_use", stage=stage),
        )


def _help_decisions(organisation: Assessment) -> Iterator[tuple[str, str, str]]:
    """Units to help first: those with most barriers flagged below the rest, with these barriers."""
    language, rows = (
        organisation.language,
        organisation.barriers.loc[organisation.barriers["wave"] == organisation.facts.wave],
    )
    flagged = rows.loc[rows["flag"].str.startswith("below")]
    unit_names = organisation.units.set_index("unit_id")["name"]
    most = flagged.groupby("unit_id").size().sort_values(ascending=False, kind="stable").head(HELP_FIRST)
    for unit_id in most.index:
        low = flagged.loc[flagged["unit_id"] == unit_id].sort_values("perception")
        names = [language.mid_sentence(sentences.barrier_name(organisation, name)) for name in low["barrier_id"]]
        scores = low["perception"].map(language.score)
        low_barriers = language.join_names(
            language.say("asked.barrier", barrier=name, said=score) for name, score in zip(names, scores, strict=True)
        )
        why = language.say("asked.barriers", barriers=low_barriers)
        yield HELP, str(unit_names[unit_id]), language.capitalize(why)


def barriers(organisation: Assessment) -> Section:
    """Barriers x units in organisation order, both voices."""
    rows = unit_profile(organisation)
    language = organisation.language
    head = section_heading(organisation, "units", sentences.barriers_heading(organisation))
    if rows[["perception", "practice"]].isna().all(axis=None):
        has_profile = organisation.rows("barriers")[["perception", "practice"]].notna().any(axis=None)
        why = language.say("units.none_shown") if has_profile else sentences.why_no_profile(organisation)
        return Section([head + paragraphs(why)])
    return Section([head, *profile_figures(rows, language, "units.order"), notes(language.say("units.caution"))])


def initiatives(organisation: Assessment) -> Section:
    """Initiatives by adoption and progress to the target, and how many are at each stage."""
    if organisation.initiatives.empty:
        return Section()
    rows = adoption_progress(organisation)
    head = section_heading(
        organisation,
        "initiatives",
        sentences.initiatives_heading(organisation),
        corners_sentence(rows, organisation.language),
    )
    parts = list(chunked(rows, INITIATIVES_PER_FIGURE)) if len(rows) else []
    spans = [(str(part["name"].iloc[0]), str(part["name"].iloc[-1])) for part in parts]
    titles = [
        title_with_span(organisation.language, "initiatives.corners_title", span if len(spans) > 1 else None)
        for span in spans
    ]
    subtitle = organisation.language.say("initiatives.corners_subtitle", len(rows))
    corners = [_corners(organisation, part, title, subtitle) for part, title in zip(parts, titles, strict=True)]
    return Section([head, _stages(organisation), *corners])


def _stages(organisation: Assessment) -> Figure:
    """How many initiatives are at each stage of the register."""
    language, register = organisation.language, organisation.initiatives
    stages = tables.initiatives_by_stage(register["stage"].value_counts(), language)
    numbers = labelled_columns(organisation, stages, {"stage": "stage", "count": "initiatives"})
    subtitle = language.say("initiatives.subtitle", len(register))
    return replace(views.funnel(organisation), subtitle=subtitle, rows=stages, numbers=numbers).figure()


def _corners(organisation: Assessment, rows: pd.DataFrame, title: str, subtitle: str) -> Figure:
    """Initiatives by adoption and progress to the target."""
    language = organisation.language
    numbers = rows.assign(adoption=rows["adoption"].map(language.share), progress=rows["progress"].map(language.share))
    phrase_of = {"name": "initiative", "adoption": "adoption", "progress": "progress"}
    return View(
        "corners",
        title,
        subtitle,
        chart=charts.adoption_progress_chart,
        rows=rows,
        numbers=labelled_columns(organisation, numbers, phrase_of),
        language=language,
    ).figure()


def corners_sentence(rows: pd.DataFrame, language: Language) -> str:
    """How many initiatives are in each corner of adoption and progress; empty without any."""
    if rows.empty:
        return ""
    used, moved = rows["adoption"] >= HALF, rows["progress"] >= HALF
    corners = {"used_moved": used & moved, "used": used & ~moved, "moved": ~used & moved, "neither": ~used & ~moved}
    counts = language.join_names(
        language.say(f"initiatives.corner_{corner}", int(hit.sum())) for corner, hit in corners.items() if hit.any()
    )
    return language.say("initiatives.corners", len(rows), corners=counts)


def adoption_progress(organisation: Assessment) -> pd.DataFrame:
    """Adoption and progress to the target: one row per initiative with both (initiative, name, adoption, progress).

    `initiative` is the name, shortened for the picture. Adoption is the organisation's if several units use the
    initiative, else that of the one unit that does.
    """
    rows = organisation.measures
    rows = rows.loc[(rows["wave"] == organisation.facts.wave) & (rows["segment"] != ALL)]
    used = rows.loc[rows["measure"] == "adoption"]
    shared = used["segment"].isin(used.loc[used["unit_id"] == ORGANISATION, "segment"])
    adoption = used.loc[(used["unit_id"] == ORGANISATION) | (~shared & ~used["segment"].duplicated(keep=False))]
    progress = rows.loc[(rows["measure"] == "target_progress") & (rows["status"] == OK)]
    paired = adoption.loc[adoption["status"] == OK].merge(progress, on="segment", suffixes=("_used", "_moved"))
    name_of = organisation.initiatives.drop_duplicates("initiative_id").set_index("initiative_id")["name"]
    names = paired["segment"].map(name_of)
    table = pd.DataFrame(
        {
            "initiative": sentences.short_names(names, MAX_NAME_LENGTH),
            "name": names,
            "adoption": paired["value_used"],
            "progress": paired["value_moved"],
        }
    )
    return table.sort_values(["progress", "adoption"], ascending=False, ignore_index=True)


def work(organisation: Assessment) -> Section:
    """Hours and what they wait on, per unit."""
    rows = unit_hours(organisation)
    if rows.empty:
        return Section()
    language, heading = organisation.language, sentences.hours_heading(organisation)
    head = section_heading(organisation, "hours", heading, *sentences.hours_sentences(organisation))

    def draw(part: pd.DataFrame, span: Span, suffix: str) -> Figure:
        return View(
            f"unit-hours{suffix}",
            title_with_span(language, "unit_hours.title", span),
            language.say("unit_hours.subtitle"),
            chart=charts.portfolio_hours_chart,
            rows=part,
            numbers=tables.wide(part, "unit", "part", "hours", language.hours, language.say("column.unit")).fillna(""),
            language=language,
        ).figure()

    return Section([head, *figures_by_unit(rows, UNITS_PER_FIGURE, draw), notes(language.say("unit_hours.note"))])


def unit_hours(organisation: Assessment) -> pd.DataFrame:
    """Hours realised, and open by what they wait on: one row per unit without children x part."""
    rows = organisation.measures
    rows = rows.loc[(rows["wave"] == organisation.facts.wave) & (rows["status"] == OK)]
    realised = rows.loc[(rows["measure"] == "realised_hours") & (rows["segment"] == ALL)]
    waiting = rows.loc[(rows["measure"] == "gap_by_blocker") & (rows["segment"] != ALL)]
    largest = sentences.blockers(organisation)["segment"].head(BLOCKERS_IN_CHART)
    realised_label, other_label, unrecorded_label = (
        organisation.language.say(f"hours.part_{part}") for part in ("realised", "another", "unrecorded")
    )
    labels = organisation.rules.blockers.set_index("blocker")["label"].reindex(largest)
    parts = waiting["segment"].map(labels).fillna(other_label).mask(waiting["segment"] == UNKNOWN, unrecorded_label)
    realised = realised.assign(part=realised_label, kind="realised")
    stacked = pd.concat([realised, waiting.assign(part=parts, kind="waits")])
    stacked["kind"] = stacked["kind"].mask(stacked["part"] == unrecorded_label, "plan")
    order = {part: position for position, part in enumerate([realised_label, *labels, other_label, unrecorded_label])}
    leaves = named_units(organisation).reset_index(names="row")
    leaves = leaves.loc[~leaves["unit_id"].isin(organisation.units["parent_id"])]
    merged = leaves.merge(stacked.drop(columns="unit"), on="unit_id")
    summed = merged.groupby(["row", "unit", "part", "kind"], as_index=False)["value"].sum()
    ordered = summed.assign(place=summed["part"].map(order)).sort_values(["row", "place"], ignore_index=True)
    return ordered.rename(columns={"value": "hours"})[["unit", "part", "kind", "hours"]]


def pilots(organisation: Assessment) -> Section:
    """Every pilot's verdict."""
    return handout.pilots(organisation)


def evolution(organisation: Assessment) -> Section:
    """Exploration and evolution, all initiatives together."""
    return handout.evolution(organisation)


def metrics(organisation: Assessment) -> Section:
    """The six metrics of the organisation."""
    return handout.metrics(organisation)


def absent(organisation: Assessment) -> Section:
    """What has not been measured anywhere, and which units are hidden."""
    parts = handout.absent(organisation)
    names = dict(organisation.units[["unit_id", "name"]].itertuples(index=False))
    hidden = {unit_id: reason for unit_id in names if (reason := sentences.why_voice_hidden(organisation, unit_id))}
    if hidden:
        heading = organisation.language.say("hidden.heading", len(hidden))
        parts.append(section_heading(organisation, "hidden", heading, *_hidden_units(organisation, hidden)))
    return parts


def _hidden_units(organisation: Assessment, hidden: Mapping[str, str]) -> Iterator[str]:
    """Which units are hidden: a sentence per reason."""
    names = dict(organisation.units[["unit_id", "name"]].itertuples(index=False))
    for reason in dict.fromkeys(hidden.values()):
        unit_names = organisation.language.join_names(
            names[unit_id] for unit_id, why in hidden.items() if why == reason
        )
        yield sentences.say_hidden(organisation, "hidden.why", reason, names=unit_names)


def method(organisation: Assessment) -> Section:
    """How this was measured."""
    return handout.method(organisation)
