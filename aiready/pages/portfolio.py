"""The sections of the portfolio: decisions asked of the meeting first, then every unit in organisation order."""

from collections.abc import Iterator, Mapping

import pandas as pd

from aiready import charts
from aiready.charts.figures import Figure
from aiready.messages import Language
from aiready.model.registry import ALL, OK, ORGANISATION
from aiready.model.schema import LIVE_STAGES, STAGES
from aiready.pages import handout, sentences
from aiready.pages import tables as views
from aiready.pages.key_figures import key_figures
from aiready.pages.markup.blocks import Page, contained, keys, lead, notes, paragraphs, table
from aiready.pages.parts import Section, chunked, columns, figure, headed
from aiready.pages.unit_comparison import TOGETHER, Span, by_units, named_units, profile_figures, spanned, unit_profile
from aiready.profile.assessment import Assessment

HELP_FIRST = 3
ONE_LINE, INITIATIVES_TOGETHER = 30, 36
"""Characters of a name on one line beside a picture, and initiatives in one picture: more would not stay on paper."""
HALF = 0.5
"""Where the corners of adoption and way to the target meet."""
REASONS_TOLD = 4
UNKNOWN = "unknown"
GROW, STOP, OWNER, HELP = "grow", "stop", "owner", "help"
"""Kinds of decisions: let a pilot grow, stop one, name an owner, offer help first."""


def front(whole: Assessment) -> Section:
    """Title, the organisation's finding, and the decisions asked of this meeting."""
    language, say = whole.language, whole.language.say
    page = Page(
        title=say("portfolio.title", name=whole.name),
        eyebrow=say("portfolio.scope"),
        meta=sentences.meta(whole),
        lang=language.code,
        notice=whole.facts.about.get("notice", ""),
        footer=say("portfolio.footer"),
        running=say("portfolio.running", name=whole.name, wave=language.wave(whole.facts.wave)),
    )
    asked = decisions_asked(whole)
    tables = [
        contained(
            table(columns(whole, rows, {"about": "about", "why": "why"}), say(f"asked.{kind}_caption"), language),
            kind="asked",
        )
        for kind, rows in asked.groupby("decision", sort=False)
    ]
    why = "" if len(asked) else say("asked.why_none")
    decisions = headed(whole, "decisions", _asked_heading(asked, language), why)
    return Section([page, sum(tables, lead(sentences.lead(whole)) + decisions) + keys(key_figures(whole))])


def _asked_heading(asked: pd.DataFrame, language: Language) -> str:
    """How many decisions of each kind the meeting is asked for."""
    if asked.empty:
        return language.say("asked.none")
    counts = asked["decision"].value_counts(sort=False)
    told = language.listed(language.say(f"asked.{kind}", number) for kind, number in counts.items())
    return language.say("asked.heading", decisions=told)


def decisions_asked(whole: Assessment) -> pd.DataFrame:
    """What the meeting should decide: one row per decision (decision, about, why)."""
    rows = [*_pilots_asked(whole), *_owners_asked(whole), *_help_asked(whole)]
    return pd.DataFrame(rows, columns=["decision", "about", "why"])


def _pilots_asked(whole: Assessment) -> Iterator[tuple[str, str, str]]:
    """Pilots to grow and to stop by their last verdict, where that has not happened yet."""
    judged = sentences.latest_trials(whole).merge(whole.initiatives[["initiative_id", "stage"]], on="initiative_id")
    grow = judged.loc[(judged["verdict"] == "SCALE") & ~judged["stage"].isin(["scaled", "stopped"])]
    stop = judged.loc[(judged["verdict"] == "STOP") & (judged["stage"] != "stopped")]
    for decision, rows in ((GROW, grow), (STOP, stop)):
        for _, row in rows.sort_values("initiative_id").iterrows():
            yield decision, _of_unit(whole, row["initiative_id"]), sentences.trial_words(row, whole.language)


def _of_unit(whole: Assessment, initiative_id: str) -> str:
    """An initiative's name, and whose it is."""
    owner = whole.initiatives.set_index("initiative_id")["unit_id"].get(initiative_id)
    unit = whole.units.set_index("unit_id")["name"].get(owner)
    name = sentences.initiative_name(whole, initiative_id)
    return whole.language.say("asked.of_unit", initiative=name, unit=unit) if isinstance(unit, str) else name


def _owners_asked(whole: Assessment) -> Iterator[tuple[str, str, str]]:
    register = whole.initiatives
    live = register.loc[register["stage"].isin(LIVE_STAGES) & register["owner"].isna()] if len(register) else register
    for row in live.itertuples():
        stage = whole.language.known(f"stage.{row.stage}")
        yield OWNER, _of_unit(whole, row.initiative_id), whole.language.say("asked.in_use", stage=stage)


def _help_asked(whole: Assessment) -> Iterator[tuple[str, str, str]]:
    """Where help is asked first: units with barriers flagged below the rest, most flagged barriers first."""
    language, rows = whole.language, whole.barriers.loc[whole.barriers["wave"] == whole.facts.wave]
    flagged = rows.loc[rows["flag"].str.startswith("below")]
    named = whole.units.set_index("unit_id")["name"]
    most = flagged.groupby("unit_id").size().sort_values(ascending=False, kind="stable").head(HELP_FIRST)
    for unit_id in most.index:
        low = flagged.loc[flagged["unit_id"] == unit_id].sort_values("perception")
        told = [(sentences.barrier_name(whole, row.barrier_id), row.perception) for row in low.itertuples()]
        names = language.listed(
            language.say("asked.barrier", barrier=language.inside(name), said=language.score(said))
            for name, said in told
        )
        yield HELP, str(named[unit_id]), language.capital(language.say("asked.barriers", barriers=names))


def barriers(whole: Assessment) -> Section:
    """Barriers x units in organisation order, both voices."""
    rows = unit_profile(whole)
    language, head = whole.language, headed(whole, "units", sentences.barriers_heading(whole))
    if rows[["perception", "practice"]].isna().all(axis=None):
        one = whole.rows("barriers")[["perception", "practice"]].notna().any(axis=None)
        why = whole.language.say("units.none_shown") if one else sentences.why_no_profile(whole)
        return Section([head + paragraphs(why)])
    return Section([head, *profile_figures(rows, language, "units.order"), notes(language.say("units.caution"))])


def initiatives(whole: Assessment) -> Section:
    """Adoption against the way to the target, per initiative, in four named corners; and the stages."""
    if whole.initiatives.empty:
        return Section()
    rows = adoption_progress(whole)
    head = headed(whole, "initiatives", initiatives_heading(whole), corners_sentence(rows, whole.language))
    together = list(chunked(rows, INITIATIVES_TOGETHER)) if len(rows) else []
    spans = [(str(shown["name"].iloc[0]), str(shown["name"].iloc[-1])) for shown in together]
    shown_in = [
        spanned(whole.language, "initiatives.corners_title", span if len(spans) > 1 else None) for span in spans
    ]
    known = whole.language.say("initiatives.corners_subtitle", len(rows))
    corners = [_corners(whole, shown, title, known) for shown, title in zip(together, shown_in, strict=True)]
    return Section([head, _stages(whole), *corners])


def _stages(whole: Assessment) -> Figure:
    """How many initiatives stand at each stage."""
    language, stages = whole.language, whole.initiatives["stage"].value_counts()
    counts = pd.DataFrame(
        {
            "stage": [language.known(f"stage.{stage}") for stage in STAGES],
            "value": [int(stages.get(stage, 0)) for stage in STAGES],
        }
    )
    counts["count"] = counts["value"].map(language.number)
    return figure(
        charts.funnel_chart,
        counts,
        "stages",
        language.say("initiatives.title"),
        language.say("initiatives.subtitle", len(whole.initiatives)),
        columns(whole, counts, {"stage": "stage", "count": "initiatives"}),
        language,
    )


def _corners(whole: Assessment, rows: pd.DataFrame, title: str, subtitle: str) -> Figure:
    """Initiatives between adoption and the way to the target."""
    language = whole.language
    numbers = rows.assign(adoption=rows["adoption"].map(language.share), progress=rows["progress"].map(language.share))
    return figure(
        charts.adoption_progress_chart,
        rows,
        "corners",
        title,
        subtitle,
        columns(whole, numbers, {"name": "initiative", "adoption": "adoption", "progress": "progress"}),
        language,
    )


def initiatives_heading(whole: Assessment) -> str:
    """How many scaled initiatives had shown their effect first, else how many there are."""
    language, cell = whole.language, whole.cell("scaled_on_evidence")
    if cell.ok:
        return language.say("initiatives.evidence", cell.n, share=language.share(cell.value))
    return language.capital(language.say("initiatives.on_record", len(whole.initiatives)))


def corners_sentence(rows: pd.DataFrame, language: Language) -> str:
    """How many initiatives lie in each corner of adoption and way to the target; empty without any."""
    if rows.empty:
        return ""
    used, moved = rows["adoption"] >= HALF, rows["progress"] >= HALF
    corners = {"used_moved": used & moved, "used": used & ~moved, "moved": ~used & moved, "neither": ~used & ~moved}
    told = language.listed(
        language.say(f"initiatives.corner_{corner}", int(hit.sum())) for corner, hit in corners.items() if hit.any()
    )
    return language.say("initiatives.corners", len(rows), corners=told)


def adoption_progress(whole: Assessment) -> pd.DataFrame:
    """Adoption and way to the target per initiative that has both (initiative, name, adoption, progress).

    `initiative` is short enough for a line beside the picture.

    Adoption is the organisation's where several units use it, else that of the one unit that does.
    """
    rows = whole.measures
    rows = rows.loc[(rows["wave"] == whole.facts.wave) & (rows["segment"] != ALL)]
    used = rows.loc[rows["measure"] == "adoption"]
    shared = used["segment"].isin(used.loc[used["unit_id"] == ORGANISATION, "segment"])
    adoption = used.loc[(used["unit_id"] == ORGANISATION) | (~shared & ~used["segment"].duplicated(keep=False))]
    progress = rows.loc[(rows["measure"] == "target_progress") & (rows["status"] == OK)]
    both = adoption.loc[adoption["status"] == OK].merge(progress, on="segment", suffixes=("_used", "_moved"))
    named = whole.initiatives.drop_duplicates("initiative_id").set_index("initiative_id")["name"]
    names = both["segment"].map(named)
    table = pd.DataFrame(
        {
            "initiative": sentences.short_names(names, ONE_LINE),
            "name": names,
            "adoption": both["value_used"],
            "progress": both["value_moved"],
        }
    )
    return table.sort_values(["progress", "adoption"], ascending=False, ignore_index=True)


def work(whole: Assessment) -> Section:
    """Hours and what they wait on, unit by unit."""
    rows = unit_hours(whole)
    if rows.empty:
        return Section()
    language, head = (
        whole.language,
        headed(whole, "hours", sentences.hours_heading(whole), *sentences.hours_sentences(whole)),
    )

    def draw(part: pd.DataFrame, span: Span, mark: str) -> Figure:
        return figure(
            charts.portfolio_hours_chart,
            part,
            f"unit-hours{mark}",
            spanned(language, "unit_hours.title", span),
            language.say("unit_hours.subtitle"),
            views.wide(part, "unit", "part", "hours", language.hours, language.say("column.unit")).fillna(""),
            language,
        )

    return Section([head, *by_units(rows, TOGETHER, draw), notes(language.say("unit_hours.note"))])


def unit_hours(whole: Assessment) -> pd.DataFrame:
    """Hours realised and open by what they wait on, unit by unit: one row per unit x part, units without children."""
    rows = whole.measures.loc[(whole.measures["wave"] == whole.facts.wave) & (whole.measures["status"] == OK)]
    realised = rows.loc[(rows["measure"] == "realised_hours") & (rows["segment"] == ALL)]
    waiting = rows.loc[(rows["measure"] == "gap_by_blocker") & (rows["segment"] != ALL)]
    most = sentences.blockers(whole)["segment"].head(REASONS_TOLD)
    done, other, unrecorded = (
        whole.language.say(f"hours.part_{part}") for part in ("realised", "another", "unrecorded")
    )
    words = whole.rules.blockers.set_index("blocker")["label"].reindex(most)
    parts = waiting["segment"].map(words).fillna(other).mask(waiting["segment"] == UNKNOWN, unrecorded)
    stacked = pd.concat([realised.assign(part=done, kind="realised"), waiting.assign(part=parts, kind="waits")])
    stacked["kind"] = stacked["kind"].mask(stacked["part"] == unrecorded, "plan")
    order = {part: place for place, part in enumerate([done, *words, other, unrecorded])}
    leaves = named_units(whole).reset_index(names="row")
    leaves = leaves.loc[~leaves["unit_id"].isin(whole.units["parent_id"])]
    merged = leaves.merge(stacked.drop(columns="unit"), on="unit_id")
    summed = merged.groupby(["row", "unit", "part", "kind"], as_index=False)["value"].sum()
    placed = summed.assign(place=summed["part"].map(order)).sort_values(["row", "place"], ignore_index=True)
    return placed.rename(columns={"value": "hours"})[["unit", "part", "kind", "hours"]]


def pilots(whole: Assessment) -> Section:
    """Every pilot's verdict."""
    return handout.pilots(whole)


def evolution(whole: Assessment) -> Section:
    """Exploration and evolution, all initiatives together."""
    return handout.evolution(whole)


def metrics(whole: Assessment) -> Section:
    """The six metrics of the organisation."""
    return handout.metrics(whole)


def absent(whole: Assessment) -> Section:
    """What has not been measured anywhere, and which units are hidden."""
    parts = handout.absent(whole)
    names = dict(whole.units[["unit_id", "name"]].itertuples(index=False))
    hidden = {unit_id: reason for unit_id in names if (reason := sentences.hidden_voice(whole, unit_id))}
    if hidden:
        heading = whole.language.say("hidden.heading", len(hidden))
        parts.append(headed(whole, "hidden", heading, *_hidden_units(whole, hidden)))
    return parts


def _hidden_units(whole: Assessment, hidden: Mapping[str, str]) -> Iterator[str]:
    """Which units are hidden, a sentence for each reason."""
    names = dict(whole.units[["unit_id", "name"]].itertuples(index=False))
    for reason in dict.fromkeys(hidden.values()):
        listed = whole.language.listed(names[unit_id] for unit_id, why in hidden.items() if why == reason)
        yield sentences.say_hidden(whole, "hidden.why", reason, names=listed)


def method(whole: Assessment) -> Section:
    """How this was measured."""
    return handout.method(whole)
