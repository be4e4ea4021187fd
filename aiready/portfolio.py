"""The sections of the portfolio: decisions asked of the meeting first, then every unit in organisation order."""

import pandas as pd

from aiready import charts, handout, narrative, theme, views
from aiready.assessment import Assessment
from aiready.html.blocks import Page, keys, lead, notes, paragraphs, section, table
from aiready.key_figures import key_figures
from aiready.measures import ALL, OK, ORGANISATION, SUPPRESSED
from aiready.overview import in_order
from aiready.schema import LIVE_STAGES, STAGES
from aiready.sections import Section, figure

HELP_FIRST = 3


def front(whole: Assessment) -> Section:
    """Title, the organisation's finding, and the decisions asked of this meeting."""
    page = Page(
        title=f"{whole.name}: portfolio",
        eyebrow="AI last-mile assessment · for the sponsors",
        meta=narrative.meta(whole),
        notice=whole.facts.about.get("notice", ""),
        footer="Made to find what to mend; units stand in the order of the organisation, not by score.",
        running=f"{whole.name} · AI last-mile portfolio · {narrative.wave_words(whole.facts.wave)}",
    )
    asked = decisions_asked(whole)
    words = paragraphs("No decision is asked for by what has been measured.")
    if len(asked):
        words = table(asked, "Decisions asked of this meeting")
    return Section(
        [
            page,
            lead(narrative.lead(whole))
            + section("Decisions asked of this meeting", short="Decisions", ident="decisions")
            + words
            + keys(key_figures(whole)),
        ]
    )


def decisions_asked(whole: Assessment) -> pd.DataFrame:
    """What the meeting should decide: one row per decision (Decision, About, Why)."""
    rows = [*_pilots_asked(whole), *_owners_asked(whole), *_help_asked(whole)]
    return pd.DataFrame(rows, columns=["Decision", "About", "Why"])


def _pilots_asked(whole: Assessment) -> list[tuple[str, str, str]]:
    judged = whole.verdicts.sort_values("trial_no").drop_duplicates("initiative_id", keep="last")
    words = {"SCALE": "Let it grow", "STOP": "Stop it"}
    asked = judged.loc[judged["verdict"].isin(list(words))].sort_values(["verdict", "initiative_id"])
    return [
        (words[row["verdict"]], narrative.initiative_name(whole, row["initiative_id"]), narrative.trial_words(row))
        for _, row in asked.iterrows()
    ]


def _owners_asked(whole: Assessment) -> list[tuple[str, str, str]]:
    register = whole.initiatives
    if register.empty:
        return []
    live = register.loc[register["stage"].isin(LIVE_STAGES) & register["owner"].isna()]
    if live.empty:
        return []
    why = f"{narrative.counted(len(live), 'live initiative')} on record without an owner, or the register is incomplete"
    return [("Name an owner", narrative.listed(live["name"].head(6)), why)]


def _help_asked(whole: Assessment) -> list[tuple[str, str, str]]:
    """Where help is asked first: cells flagged below the rest, most flagged barriers first."""
    rows = whole.barriers.loc[whole.barriers["wave"] == whole.facts.wave]
    flagged = rows.loc[rows["flag"].str.startswith("below")]
    named = whole.units.set_index("unit_id")["name"]
    most = flagged.groupby("unit_id").size().sort_values(ascending=False, kind="stable").head(HELP_FIRST)
    found = []
    for unit_id in most.index:
        low = flagged.loc[flagged["unit_id"] == unit_id].sort_values("perception")
        names = narrative.listed(narrative.barrier_name(whole, name).lower() for name in low["barrier_id"])
        found.append(("Offer help first", str(named[unit_id]), f"people put {names} clearly below the rest"))
    return found


def barriers(whole: Assessment) -> Section:
    """Barriers x units in organisation order, both voices."""
    rows = unit_profile(whole)
    head = section(narrative.barriers_heading(whole), short="Barriers by unit")
    if rows[["perception", "practice"]].isna().all(axis=None):
        return Section([head + paragraphs(narrative.why_no_profile(whole))])
    numbers = rows.assign(
        both=[f"{theme.score(row.perception)} / {theme.score(row.practice)}" for row in rows.itertuples()]
    )
    wide = numbers.pivot(index="unit", columns="barrier", values="both")
    wide = wide.loc[list(dict.fromkeys(rows["unit"])), list(dict.fromkeys(rows["barrier"]))]
    shown = figure(
        charts.barriers_units_chart,
        rows,
        "units",
        "Barriers by unit, people say / records show",
        "0 to 100, high is overcome · units in the order of the organisation",
        wide.rename_axis("Unit").rename_axis(columns=None).reset_index(),
    )
    caution = "Units differ in work, data and in who answered. – means hidden, too few records, or not measured."
    return Section([head, shown, notes(caution)])


def unit_profile(whole: Assessment) -> pd.DataFrame:
    """Both voices of every unit and barrier of the wave shown: one row per unit x barrier, in order."""
    order = in_order(whole.units)[["unit_id", "name", "depth"]]
    rows = whole.barriers.loc[whole.barriers["wave"] == whole.facts.wave]
    merged = order.merge(rows, on="unit_id").drop(columns="status")
    merged["barrier"] = [narrative.barrier_name(whole, name) for name in merged["barrier_id"]]
    return merged.rename(columns={"name": "unit"})


def initiatives(whole: Assessment) -> Section:
    """Adoption against the way to the target, per initiative, in four named corners; and the stages."""
    register = whole.initiatives
    if register.empty:
        return Section()
    stages = register["stage"].value_counts()
    counts = pd.DataFrame({"stage": list(STAGES), "value": [int(stages.get(stage, 0)) for stage in STAGES]})
    counts["count"] = counts["value"].astype(str)
    funnel = figure(
        charts.funnel_chart,
        counts,
        "stages",
        "Where the initiatives stand",
        f"{len(register)} initiatives on record",
        counts[["stage", "count"]].rename(columns={"stage": "Stage", "count": "Initiatives"}),
    )
    parts = Section([section(_initiatives_heading(whole), short="Initiatives"), funnel])
    rows = adoption_progress(whole)
    if len(rows):
        numbers = rows.assign(adoption=rows["adoption"].map(theme.share), progress=rows["progress"].map(theme.share))
        parts.append(
            figure(
                charts.adoption_progress_chart,
                rows,
                "corners",
                "Used, and moving its figure",
                f"{len(rows)} initiatives with use and a fresh outcome on record",
                numbers.rename(
                    columns={"initiative": "Initiative", "adoption": "Adoption", "progress": "Way to target"}
                ),
            )
        )
    return parts


def _initiatives_heading(whole: Assessment) -> str:
    cell = whole.cell("scaled_on_evidence")
    if cell.ok:
        return f"{theme.share(cell.value)} of the scaled initiatives had shown their effect first"
    return f"{narrative.counted(len(whole.initiatives), 'initiative')} on record"


def adoption_progress(whole: Assessment) -> pd.DataFrame:
    """Adoption and way to the target per initiative that has both (initiative, adoption, progress)."""
    rows = whole.measures
    mine = rows.loc[(rows["unit_id"] == ORGANISATION) & (rows["wave"] == whole.facts.wave) & (rows["segment"] != ALL)]
    mine = mine.loc[(mine["status"] == OK) & mine["measure"].isin(["adoption", "target_progress"])]
    turned = mine.pivot_table(index="segment", columns="measure", values="value")
    if not {"adoption", "target_progress"} <= set(turned):
        return pd.DataFrame(columns=["initiative", "adoption", "progress"])
    both = turned.dropna().reset_index()
    named = whole.initiatives.set_index("initiative_id")["name"]
    both["initiative"] = both["segment"].map(named)
    return both.rename(columns={"target_progress": "progress"})[["initiative", "adoption", "progress"]]


def work(whole: Assessment) -> Section:
    """Hours and what they wait on, unit by unit."""
    head = section(narrative.hours_heading(whole), *narrative.hours_sentences(whole), short="Hours")
    rows = unit_hours(whole)
    if rows.empty:
        return Section([head])
    numbers = views.wide(rows, "unit", "part", "hours", theme.hours, "Unit")
    return Section(
        [
            head,
            figure(
                charts.portfolio_hours_chart,
                rows,
                "unit-hours",
                "Where the possible hours go, by unit",
                "Hours a year, in the order of the organisation",
                numbers,
            ),
        ]
    )


def unit_hours(whole: Assessment) -> pd.DataFrame:
    """Hours realised, waiting and below plan, unit by unit: one row per unit x part."""
    parts = {
        "realised_hours": ("realised", "realised"),
        "gap_not_adopted": ("not adopted", "waits"),
        "gap_saving_below_plan": ("saving below plan", "plan"),
        "gap_rework": ("rework", "plan"),
        "gap_oversight": ("oversight", "plan"),
    }
    rows = whole.measures.loc[(whole.measures["wave"] == whole.facts.wave) & (whole.measures["segment"] == ALL)]
    rows = rows.loc[rows["measure"].isin(list(parts)) & (rows["status"] == OK)].copy()
    rows["part"] = rows["measure"].map({name: words for name, (words, _) in parts.items()})
    rows["kind"] = rows["measure"].map({name: kind for name, (_, kind) in parts.items()})
    rows["place"] = rows["measure"].map({name: place for place, name in enumerate(parts)})
    leaves = whole.units.loc[~whole.units["unit_id"].isin(whole.units["parent_id"])]
    order = in_order(whole.units)
    order = order.loc[order["unit_id"].isin(leaves["unit_id"]), ["unit_id", "name"]].reset_index(names="row")
    merged = order.merge(rows.drop(columns="unit"), on="unit_id").sort_values(["row", "place"])
    return merged.rename(columns={"name": "unit", "value": "hours"})[["unit", "part", "kind", "hours"]].reset_index(
        drop=True
    )


def pilots(whole: Assessment) -> Section:
    """Every pilot's verdict."""
    return handout.pilots(whole)


def metrics(whole: Assessment) -> Section:
    """The six metrics of the organisation."""
    return handout.metrics(whole)


def absent(whole: Assessment) -> Section:
    """What has not been measured anywhere, and which units are hidden."""
    parts = handout.absent(whole)
    rows = whole.barriers.loc[(whole.barriers["wave"] == whole.facts.wave) & (whole.barriers["status"] == SUPPRESSED)]
    hidden = whole.units.loc[whole.units["unit_id"].isin(rows["unit_id"]), "name"]
    if len(hidden):
        why = "Hidden, because too few people answered or it would give such a group away"
        parts.append(notes(f"{why}: {narrative.listed(hidden)}."))
    return parts


def method(whole: Assessment) -> Section:
    """How this was measured."""
    return handout.method(whole)
