"""The sections of the portfolio: decisions asked of the meeting first, then every unit in organisation order."""

from collections.abc import Iterator

import pandas as pd

from aiready import charts, handout, narrative, theme, views
from aiready.assessment import Assessment
from aiready.figures import Figure
from aiready.html.blocks import Page, contained, keys, lead, notes, paragraphs, section, table
from aiready.key_figures import key_figures
from aiready.measures import ALL, OK, ORGANISATION, SUPPRESSED
from aiready.schema import LIVE_STAGES, STAGES
from aiready.sections import Section, chunked, figure
from aiready.side_by_side import CAUTION, TOGETHER, by_units, named_units, profile_figures, unit_profile

HELP_FIRST = 3
ONE_LINE, INITIATIVES_TOGETHER = 30, 36
"""Characters of a name on one line beside a picture, and initiatives in one picture: more would not stay on paper."""
HALF = 0.5
"""Where the corners of adoption and way to the target meet."""
REASONS_TOLD = 4
OTHER_REASON, NO_REASON, UNKNOWN = "another reason", "reason not recorded", "unknown"
GROW, STOP, OWNER, HELP = "Let it grow", "Stop it", "Name an owner", "Offer help first"
ASKED = {GROW: "let {} grow", STOP: "stop {}", OWNER: "name {}", HELP: "help {} first"}
CAPTIONS = {
    GROW: "Let grow: even the smallest likely improvement reaches the target",
    STOP: "Stop: no improvement is shown and the target is out of reach, or harm is shown",
    OWNER: "Name an owner: the register names none, or is incomplete",
    HELP: "Offer help first, on what people put clearly below the rest of the organisation",
}
NOUNS = {GROW: "pilot", STOP: "pilot", OWNER: "owner", HELP: "unit"}


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
    tables = [
        contained(table(rows[["About", "Why"]], CAPTIONS[kind]), kind="asked")
        for kind, rows in asked.groupby("Decision", sort=False)
    ]
    why = (
        ""
        if len(asked)
        else "Decisions follow from pilots, from owners on record and from what people say of their units."
    )
    decisions = section(_asked_heading(asked), why, short="Decisions", ident="decisions")
    return Section([page, sum(tables, lead(narrative.lead(whole)) + decisions) + keys(key_figures(whole))])


def _asked_heading(asked: pd.DataFrame) -> str:
    """How many decisions of each kind the meeting is asked for."""
    if asked.empty:
        return "No decision is asked for by what has been measured"
    counts = asked["Decision"].value_counts(sort=False)
    told = [ASKED[kind].format(narrative.counted(number, NOUNS[kind])) for kind, number in counts.items()]
    return f"Asked of this meeting: {narrative.listed(told)}"


def decisions_asked(whole: Assessment) -> pd.DataFrame:
    """What the meeting should decide: one row per decision (Decision, About, Why)."""
    rows = [*_pilots_asked(whole), *_owners_asked(whole), *_help_asked(whole)]
    return pd.DataFrame(rows, columns=["Decision", "About", "Why"])


def _pilots_asked(whole: Assessment) -> Iterator[tuple[str, str, str]]:
    """Pilots to grow and to stop by their last verdict, where that has not happened yet."""
    judged = narrative.latest_trials(whole).merge(whole.initiatives[["initiative_id", "stage"]], on="initiative_id")
    grow = judged.loc[(judged["verdict"] == "SCALE") & ~judged["stage"].isin(["scaled", "stopped"])]
    stop = judged.loc[(judged["verdict"] == "STOP") & (judged["stage"] != "stopped")]
    for decision, rows in ((GROW, grow), (STOP, stop)):
        for _, row in rows.sort_values("initiative_id").iterrows():
            yield decision, _of_unit(whole, row["initiative_id"]), narrative.trial_words(row)


def _of_unit(whole: Assessment, initiative_id: str) -> str:
    """An initiative's name, and whose it is."""
    owner = whole.initiatives.set_index("initiative_id")["unit_id"].get(initiative_id)
    unit = whole.units.set_index("unit_id")["name"].get(owner)
    name = narrative.initiative_name(whole, initiative_id)
    return f"{name} ({unit})" if isinstance(unit, str) else name


def _owners_asked(whole: Assessment) -> Iterator[tuple[str, str, str]]:
    register = whole.initiatives
    live = register.loc[register["stage"].isin(LIVE_STAGES) & register["owner"].isna()] if len(register) else register
    for row in live.itertuples():
        yield OWNER, _of_unit(whole, row.initiative_id), f"In use, at stage {row.stage}"


def _help_asked(whole: Assessment) -> Iterator[tuple[str, str, str]]:
    """Where help is asked first: units with barriers flagged below the rest, most flagged barriers first."""
    rows = whole.barriers.loc[whole.barriers["wave"] == whole.facts.wave]
    flagged = rows.loc[rows["flag"].str.startswith("below")]
    named = whole.units.set_index("unit_id")["name"]
    most = flagged.groupby("unit_id").size().sort_values(ascending=False, kind="stable").head(HELP_FIRST)
    for unit_id in most.index:
        low = flagged.loc[flagged["unit_id"] == unit_id].sort_values("perception")
        told = narrative.listed(
            f"{narrative.barrier_name(whole, row.barrier_id).lower()} {theme.score(row.perception)}"
            for row in low.itertuples()
        )
        yield HELP, str(named[unit_id]), narrative.capital(f"{told} of 100")


def barriers(whole: Assessment) -> Section:
    """Barriers x units in organisation order, both voices."""
    rows = unit_profile(whole)
    head = section(narrative.barriers_heading(whole), short="Barriers by unit")
    if rows[["perception", "practice"]].isna().all(axis=None):
        return Section([head + paragraphs(narrative.why_no_profile(whole))])
    return Section([head, *profile_figures(rows, "units in the order of the organisation"), notes(CAUTION)])


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
    rows = adoption_progress(whole)
    parts = Section([section(initiatives_heading(whole), corners_sentence(rows), short="Initiatives"), funnel])
    if len(rows):
        known = f"{narrative.counted(len(rows), 'initiative')} with use and a fresh outcome on record"
        together = list(chunked(rows, INITIATIVES_TOGETHER))
        for shown in together:
            span = f": {shown['name'].iloc[0]} to {shown['name'].iloc[-1]}" if len(together) > 1 else ""
            parts.append(_corners_figure(shown, f"Used, and moving its figure{span}", known))
    return parts


def _corners_figure(rows: pd.DataFrame, title: str, known: str) -> Figure:
    subtitle = f"{known} · share of intended users, share of the way to the target"
    shares = rows.assign(adoption=rows["adoption"].map(theme.share), progress=rows["progress"].map(theme.share))
    heads = {"name": "Initiative", "adoption": "Adoption", "progress": "Way to target"}
    numbers = shares[list(heads)].rename(columns=heads)
    return figure(charts.adoption_progress_chart, rows, "corners", title, subtitle, numbers)


def initiatives_heading(whole: Assessment) -> str:
    """How many scaled initiatives had shown their effect first, else how many there are."""
    cell = whole.cell("scaled_on_evidence")
    if cell.ok:
        scaled = narrative.counted(cell.n, "scaled initiative")
        return f"{theme.share(cell.value)} of {scaled} had shown their effect first"
    return narrative.capital(f"{narrative.counted(len(whole.initiatives), 'initiative')} on record")


def corners_sentence(rows: pd.DataFrame) -> str:
    """How many initiatives lie in each corner of adoption and way to the target; empty without any."""
    if rows.empty:
        return ""
    used, moved = rows["adoption"] >= HALF, rows["progress"] >= HALF
    corners = {"used and moving its figure": used & moved, "used without moving it": used & ~moved,
               "moving it with few users": ~used & moved, "neither": ~used & ~moved}  # fmt: skip
    told = narrative.listed(f"{narrative.in_words(hit.sum())} {words}" for words, hit in corners.items() if hit.any())
    known = narrative.counted(len(rows), "initiative")
    return f"Of {known} with both on record, by half of the intended users and half of the way: {told}."


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
            "initiative": narrative.short_names(names, ONE_LINE),
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
    head = section(narrative.hours_heading(whole), *narrative.hours_sentences(whole), short="Hours")
    note = "Where a reason would stand for too few people, its hours are not drawn."
    return Section([head, *by_units(rows, TOGETHER, _hours_figure), notes(note)])


def _hours_figure(rows: pd.DataFrame, span: str, mark: str) -> Figure:
    return figure(
        charts.portfolio_hours_chart,
        rows,
        f"unit-hours{mark}",
        f"Where the possible hours go, by unit{span}",
        "Hours a year: realised, and the rest by the reason on record · units in the order of the organisation",
        views.wide(rows, "unit", "part", "hours", theme.hours, "Unit").fillna(""),
    )


def unit_hours(whole: Assessment) -> pd.DataFrame:
    """Hours realised and open by what they wait on, unit by unit: one row per unit x part, units without children."""
    rows = whole.measures.loc[(whole.measures["wave"] == whole.facts.wave) & (whole.measures["status"] == OK)]
    realised = rows.loc[(rows["measure"] == "realised_hours") & (rows["segment"] == ALL)]
    waiting = rows.loc[(rows["measure"] == "gap_by_blocker") & (rows["segment"] != ALL)]
    most = narrative.blockers(whole)["segment"].head(REASONS_TOLD)
    words = whole.rules.blockers.set_index("blocker")["label"].reindex(most)
    parts = waiting["segment"].map(words).fillna(OTHER_REASON).mask(waiting["segment"] == UNKNOWN, NO_REASON)
    stacked = pd.concat([realised.assign(part="realised", kind="realised"), waiting.assign(part=parts, kind="waits")])
    stacked["kind"] = stacked["kind"].mask(stacked["part"] == NO_REASON, "plan")
    order = {part: place for place, part in enumerate(["realised", *words, OTHER_REASON, NO_REASON])}
    leaves = named_units(whole).reset_index(names="row")
    leaves = leaves.loc[~leaves["unit_id"].isin(whole.units["parent_id"])]
    merged = leaves.merge(stacked.drop(columns="unit"), on="unit_id")
    summed = merged.groupby(["row", "unit", "part", "kind"], as_index=False)["value"].sum()
    placed = summed.assign(place=summed["part"].map(order)).sort_values(["row", "place"], ignore_index=True)
    return placed.rename(columns={"value": "hours"})[["unit", "part", "kind", "hours"]]


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
        head = f"What people say is hidden in {narrative.counted(len(hidden), 'unit')}"
        why = f"Too few people answered, or it would give such a group away: {narrative.listed(hidden)}."
        parts.append(section(head, why, short="Hidden"))
    return parts


def method(whole: Assessment) -> Section:
    """How this was measured."""
    return handout.method(whole)
