"""Numbers to the sentences that state findings: every number comes from a cell, and none where there is none."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pandas as pd

from aiready import theme, waves
from aiready.assessment import Assessment, Cell
from aiready.measures import ALL, MEASURES, NOT_MEASURED, OK, ORGANISATION, SUPPRESSED
from aiready.schema import LIVE_STAGES, TABLES

MANY = 10
"""Up to here numbers are written as words where they count things."""
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SECTION_TABLES = ("responses", "initiatives", "usage", "trials", "tasks", "workflow_steps", "decisions",
                   "feedback", "probes")  # fmt: skip


def counted(number: float, one: str, many: str = "") -> str:
    """A count with its noun.

    Examples
    --------
    >>> counted(1, "pilot"), counted(0, "pilot"), counted(12, "person", "people")
    ('one pilot', 'no pilots', '12 people')
    """
    return f"{in_words(number)} {one if int(number) == 1 else many or one + 's'}"


def in_words(number: float) -> str:
    """A count as a word up to ten, as a number beyond.

    Examples
    --------
    >>> in_words(3), in_words(12)
    ('three', '12')
    """
    return _WORDS[int(number)] if number <= MANY else theme.number(int(number))


def sentence(*parts: str) -> str:
    """Parts joined and ended as a sentence, with a capital.

    Examples
    --------
    >>> sentence("one pilot may grow", "", "two may not")
    'One pilot may grow, two may not.'
    """
    text = ", ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def listed(names: Iterable[str], last: str = "and") -> str:
    """Names in a row.

    Examples
    --------
    >>> listed(["trust", "fit", "measurement"])
    'trust, fit and measurement'
    """
    known = list(names)
    return f" {last} ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))


def wave_words(label: str) -> str:
    """A wave as a reader says it.

    Examples
    --------
    >>> wave_words("2026-Q3"), wave_words("2026-09"), wave_words("undated")
    ('third quarter 2026', 'September 2026', 'undated')
    """
    if "Q" in label:
        ordinal = ("first", "second", "third", "fourth")[int(label[-1]) - 1]
        return f"{ordinal} quarter {label[:4]}"
    return f"{waves.last_day(label):%B %Y}" if "-" in label else label


def day_words(iso: str) -> str:
    """An ISO date as a reader says it; empty for none.

    Examples
    --------
    >>> day_words("2026-09-03")
    '3 September 2026'
    """
    if not iso:
        return ""
    day = date.fromisoformat(iso[:10])
    return f"{day.day} {day:%B %Y}"


def short_day(day: pd.Timestamp) -> str:
    """A date for a table cell, which must not break: 3 Sep 2026.

    Examples
    --------
    >>> short_day(pd.Timestamp("2026-09-03")).replace(theme.NBSP, " ")
    '3 Sep 2026'
    """
    return "" if pd.isna(day) else f"{day.day}{theme.NBSP}{day:%b}{theme.NBSP}{day:%Y}"


def barrier_name(unit: Assessment, barrier_id: str) -> str:
    """A barrier's name as readers know it."""
    named = unit.rules.barriers.set_index("barrier_id")["name"]
    return str(named.get(barrier_id, barrier_id))


def meta(unit: Assessment) -> str:
    """Under the title: whose, when, who answered, how many initiatives, records up to when."""
    organisation = unit.facts.about.get("organisation", "")
    live = int(unit.initiatives["stage"].isin(LIVE_STAGES).sum()) if len(unit.initiatives) else 0
    facts = [
        organisation if organisation != unit.name else "",
        wave_words(unit.facts.wave) if unit.facts.wave != waves.UNDATED else "",
        answered(unit),
        counted(live, "live initiative") if live else "",
        f"records up to {day_words(unit.facts.as_of)}" if unit.facts.as_of else "",
    ]
    return " · ".join(fact for fact in facts if fact)


def answered(unit: Assessment) -> str:
    """How many people answered, of how many where that is known."""
    rows = unit.rows("barriers")
    n = rows["n"].max()
    if pd.isna(n):
        return ""
    rate = unit.cell("response_rate")
    if rate.ok and rate.n:
        people = rate.value * rate.n
        return f"{people:.0f} of {rate.n:.0f} people answered ({theme.share(rate.value)})"
    return f"{n:.0f} people answered"


def lead(unit: Assessment) -> str:
    """The finding in a sentence or two, from the richest evidence there is."""
    hidden = ""
    if _suppressed(unit):
        hidden = (
            "What people answered here is not shown: the group is too small, or it would give a small one away. "
            "Nobody should be recognisable in a number. "
        )
    for finding in (_lead_barrier, _lead_decisions, _lead_hours, _lead_exposure):
        text = finding(unit)
        if text:
            return hidden + text
    if hidden:
        return hidden.strip()
    return "Nothing that can be judged has been measured here yet. Below it says what to collect first."


def _suppressed(unit: Assessment) -> bool:
    rows = unit.measures
    mine = rows.loc[(rows["unit_id"] == unit.unit_id) & (rows["measure"] == "perception")]
    mine = mine.loc[(mine["segment"] == ALL) & (mine["wave"] == unit.facts.wave)]
    return bool((mine["status"] == SUPPRESSED).any())


def ranked_barriers(unit: Assessment) -> pd.DataFrame:
    """Barriers of the wave shown, the lowest first, on the richest basis that any of them has."""
    rows = unit.rows("barriers")
    for basis, value in (("both", "score"), ("perception", "perception"), ("practice", "practice")):
        same = rows.loc[rows["basis"].isin([basis, "both"]) & rows[value].notna()]
        if len(same):
            return same.assign(on=value).sort_values([value, "barrier_id"], ignore_index=True)
    return rows.iloc[:0].assign(on="")


def _lead_barrier(unit: Assessment) -> str:
    rows = ranked_barriers(unit)
    if rows.empty:
        return ""
    lowest, name = rows.iloc[0], barrier_name(unit, rows.iloc[0]["barrier_id"])
    alone = pd.isna(lowest["priority_high"]) or lowest["priority_high"] == 1
    if lowest["on"] == "practice":
        return f"The records show least for {name.lower()}: {theme.score(lowest['practice'])} of 100. " + (
            "What people say is hidden: too few answered." if _suppressed(unit) else "Nobody has been asked yet."
        )
    said = f"people put it at {theme.score(lowest['perception'])} of 100{_against_rest(lowest['flag'])}"
    if lowest["on"] == "perception":
        rank = "is what people rate lowest" if alone else "is among what people rate lowest"
        return f"{name} {rank}: {said}. No records say yet what is done."
    holds = "holds" if alone else "is among what holds"
    tail = "back most" if alone else "back"
    return (
        f"{name} {holds} {unit.name} {tail}: {said}, and the records show "
        f"{theme.score(lowest['practice'])}. {_twin(unit, lowest['barrier_id'])}"
    ).strip()


def _against_rest(flag: str) -> str:
    return {"below": ", clearly below the rest of the organisation",
            "above": ", clearly above the rest of the organisation"}.get(flag.split(" ")[0], "")  # fmt: skip


def _twin(unit: Assessment, barrier_id: str) -> str:
    facets = unit.rows("facets")
    known = facets.loc[(facets["barrier_id"] == barrier_id) & facets["record_n"].notna() & facets["says"].notna()]
    if known.empty:
        return ""
    widest = known.assign(distance=known["says"] - known["record"]).sort_values("distance", ascending=False)
    return say_do(widest.iloc[0])


def say_do(facet: pd.Series) -> str:
    """What people say beside what the records show on one facet, in natural units."""
    said = f"{theme.share(facet['says'])} {facet['says_label']}"
    shown = (
        f"{facet['record_yes']:.0f} of {facet['record_n']:.0f} {facet['record_label']}"
        if pd.notna(facet["record_yes"])
        else f"{theme.value_text(facet['record'], facet['unit'])} ({facet['record_label']})"
    )
    return f"{said}; the records show {shown}, or they are incomplete."


def _lead_decisions(unit: Assessment) -> str:
    team, advice = unit.cell("decision_accuracy"), unit.cell("advice_accuracy")
    if not team.ok:
        speed = unit.cell("decision_speed_p50")
        return f"Half of the decisions are taken within {theme.duration(speed.value)}." if speed.ok else ""
    known = f"{theme.number(team.n)} cases whose outcome is known"
    text = f"Final decisions were right in {theme.share(team.value)} of {known}"
    if advice.ok:
        text += f"; the advice alone was right in {theme.share(advice.value)}"
    over = unit.cell("over_reliance")
    if over.ok:
        text += f". Where the advice was wrong, it was followed in {theme.share(over.value)} of cases"
    return text + "."


def _lead_hours(unit: Assessment) -> str:
    potential, rate = unit.cell("potential_hours"), unit.cell("realised_rate")
    if not potential.ok or not rate.ok:
        return ""
    return (
        f"Of {theme.hours(potential.value)} a year that AI could take over here, {theme.share(rate.value)} are "
        "realised; the rest is the last mile."
    )


def _lead_exposure(unit: Assessment) -> str:
    alone, software = unit.cell("exposure_alpha"), unit.cell("exposure_zeta")
    if not alone.ok:
        return ""
    if software.value == 0:
        return "No task here is rated as one that a language model could do in half the time, even with added software."
    return (
        f"A language model alone could halve the time of {theme.share(alone.value)} of this work at equal quality; "
        f"with added software around it, of {theme.share(software.value)}. That is what could be, not what is: how "
        "much is really used has not been recorded."
    )


def what_works(unit: Assessment) -> str:
    """What works, from the firmest evidence: a pilot that may grow, else a barrier that is clear, else nothing."""
    grown = unit.verdicts.loc[unit.verdicts["verdict"] == "SCALE"] if len(unit.verdicts) else unit.verdicts
    if len(grown):
        best = grown.assign(ratio=grown["lower"] / grown["target_effect"]).sort_values("ratio").iloc[-1]
        return f"{initiative_name(unit, best['initiative_id'])} did what it promised. {trial_words(best)} It may grow."
    rows = unit.rows("barriers")
    above = rows.loc[rows["flag"].str.startswith("above")].sort_values("perception", ascending=False)
    if len(above):
        best = above.iloc[0]
        return (
            f"{barrier_name(unit, best['barrier_id'])}: people put it at {theme.score(best['perception'])} of 100"
            f"{_against_rest(best['flag'])}."
        )
    shown = unit.rows("explain")
    strong = shown.loc[(shown["kind"] == "indicator") & (shown["status"] == OK) & (shown["points"] >= 80)]
    if strong.empty:
        return ""
    best = strong.sort_values(["points", "n"], ascending=False).iloc[0]
    label = unit.rules.indicators.set_index("indicator_id")["label"][best["id"]]
    unit_of = MEASURES[unit.rules.indicators.set_index("indicator_id")["measure"][best["id"]]].unit
    return (
        f"The records show {theme.value_text(best['value'], unit_of)} for {label} ({theme.number(best['n'])} records)."
    )


def effect(value: float, unit: str) -> str:
    """An improvement in its unit: shares as points of a hundred.

    Examples
    --------
    >>> effect(0.3085, "share"), effect(5.069, "")
    ('31 in 100', '5.1')
    """
    if unit == "share":
        return f"{theme.number(100 * value, int(abs(value) < 0.1))} in 100"
    return theme.number(value, 0 if abs(value) >= 100 else 1 if abs(value) >= 1 else 2)


def trial_words(trial: pd.Series) -> str:
    """What a trial showed: the improvement, its bounds and the target, in the measure's unit."""
    if pd.isna(trial["improvement"]):
        return f"{str(trial['reason'])[:1].upper()}{str(trial['reason'])[1:]}."
    point, low, high = (effect(trial[name], trial["unit"]) for name in ("improvement", "lower", "upper"))
    target = (
        f"; the target was {effect(trial['target_effect'], trial['unit'])}" if pd.notna(trial["target_effect"]) else ""
    )
    late = ", written down after the start" if target and trial["declared_before_start"] is False else ""
    outcome = str(trial["outcome"])
    return f"{outcome[:1].upper()}{outcome[1:]}: {point} better (at least {low}, at most {high}{target}{late})."


def initiative_name(unit: Assessment, initiative_id: str) -> str:
    """An initiative's name as readers know it."""
    named = unit.initiatives.set_index("initiative_id")["name"] if len(unit.initiatives) else {}
    return str(named.get(initiative_id, initiative_id))


def barriers_heading(unit: Assessment) -> str:
    """How many barriers stand below workable, and whether records show less than people say."""
    rows = ranked_barriers(unit)
    if rows.empty:
        return "The barriers cannot be judged yet"
    value = rows["on"].iloc[0]
    workable = unit.rules.bands["at_least"].sort_values().iloc[-2]
    low = int((rows[value] < workable).sum())
    some = (
        f"{in_words(low)} of {counted(len(rows), 'barrier')} {'stands' if low == 1 else 'stand'} below {workable:.0f}"
    )
    head = f"{some[:1].upper()}{some[1:]}" if low else f"No barrier stands below {workable:.0f}"
    if value != "score":
        return f"{head}, judged on what {'people say' if value == 'perception' else 'records show'} alone"
    less = int((rows["practice"] < rows["perception"]).sum())
    if not less:
        return head
    where = "all" if less == len(rows) else in_words(less)
    return f"{head}; on {where} of them the records show less than people say"


def barrier_heading(unit: Assessment, barrier_id: str) -> str:
    """One barrier's finding: leaders and doers apart, else its place against the rest, else its level."""
    name = barrier_name(unit, barrier_id)
    doing, leading = (unit.cell("perception", side, barrier_id=barrier_id) for side in ("doing", "leading"))
    gap = unit.cell("role_gap", barrier_id=barrier_id)
    if gap.ok and doing.ok and leading.ok and gap.low * gap.high > 0:
        more = "more" if leading.value > doing.value else "less"
        return f"{name}: those who lead see {more} of it than those who do the work"
    row = _barrier_row(unit, barrier_id)
    if row is None:
        return f"{name}: not measured yet"
    if row["flag"]:
        return f"{name}: people put it clearly {row['flag'].split(' ')[0]} the rest of the organisation"
    for value, band, words in (
        ("score", "band", ""),
        ("perception", "perception_band", ", by what people say"),
        ("practice", "practice_band", ", by what records show"),
    ):
        if pd.notna(row[value]) and row[band]:
            return f"{name} is {row[band]}{words}"
    return f"{name}: hidden, too few people" if row["status"] == SUPPRESSED else f"{name}: not measured yet"


def _barrier_row(unit: Assessment, barrier_id: str) -> pd.Series | None:
    rows = unit.rows("barriers")
    found = rows.loc[rows["barrier_id"] == barrier_id]
    return found.iloc[0] if len(found) else None


def groups_sentence(unit: Assessment, barrier_id: str) -> str:
    """Those doing the work beside those leading it, with their numbers."""
    doing, leading = (unit.cell("perception", side, barrier_id=barrier_id) for side in ("doing", "leading"))
    if not (doing.ok and leading.ok):
        return ""
    return (
        f"People doing the work put it at {theme.score(doing.value)} ({doing.n:.0f} answers), those leading it at "
        f"{theme.score(leading.value)} ({leading.n:.0f} answers)."
    )


def change_sentence(unit: Assessment, barrier_id: str) -> str:
    """What moved since the wave before, worded as the interval allows."""
    change = unit.cell("change", barrier_id=barrier_id)
    if not change.ok:
        return ""
    if change.low <= 0 <= change.high:
        return "No change demonstrated since the wave before."
    moved = "up" if change.value > 0 else "down"
    return (
        f"What people say went {moved} by {theme.score(abs(change.value))} points since the wave before "
        f"({theme.interval(change.low, change.high, 'points')})."
    )


def hours_heading(unit: Assessment) -> str:
    """Where the possible hours stand, or what is known of the tasks without hours."""
    rate, gap = unit.cell("realised_rate"), unit.cell("last_mile_gap_hours")
    if rate.ok and gap.ok and gap.value > 0:
        waits = blockers(unit)
        tail = f"; most of the rest waits because {waits['label'].iloc[0]}" if len(waits) else ""
        return f"{theme.share(rate.value)} of the possible hours are realised{tail}"
    potential = unit.cell("potential_hours")
    if potential.status == SUPPRESSED:
        return "The hours are hidden: too few people hold the jobs"
    alone = unit.cell("exposure_alpha")
    if alone.ok:
        return f"A model alone could speed up {theme.share(alone.value)} of the work; what is used is not recorded"
    return "The work has not been broken into tasks yet"


def blockers(unit: Assessment) -> pd.DataFrame:
    """Open hours by what they wait on, largest first: blocker, label, value (hours a year)."""
    rows = unit.rows("measures")
    rows = rows.loc[(rows["measure"] == "gap_by_blocker") & (rows["status"] == OK) & (rows["value"] > 0)]
    named = unit.rules.blockers.rename(columns={"blocker": "segment"})
    return rows.merge(named[["segment", "label"]], on="segment").sort_values(
        "value", ascending=False, ignore_index=True
    )


def pilots_heading(unit: Assessment) -> str:
    """How many pilots have shown enough to grow."""
    judged = unit.verdicts
    if judged.empty:
        return "No pilot has been tried with a comparison yet"
    words = judged["verdict"].value_counts()
    grow, stop = int(words.get("SCALE", 0)), int(words.get("STOP", 0))
    head = "No pilot has shown enough to grow"
    if grow:
        head = f"{counted(grow, 'pilot has', 'pilots have')} shown enough to grow"
    text = f"{head}, {counted(stop, 'should stop', 'should stop')}" if stop else head
    return text[:1].upper() + text[1:]


def metrics_heading(unit: Assessment) -> str:
    """What the decision log shows first: over-reliance, accuracy against the advice, else speed."""
    over, team, advice = (unit.cell(name) for name in ("over_reliance", "decision_accuracy", "advice_accuracy"))
    if over.ok and over.low > 0.5:
        return f"Wrong advice is followed in {theme.share(over.value)} of cases: help is taken, not weighed"
    if team.ok and advice.ok:
        return (
            f"Final decisions are right in {theme.share(team.value)}, the advice alone in {theme.share(advice.value)}"
        )
    speed = unit.cell("decision_speed_p50")
    return f"Half of the decisions are taken within {theme.duration(speed.value)}" if speed.ok else ""


def workflow_heading(unit: Assessment) -> str:
    """Whether work was re-cut around AI or AI was laid over it."""
    redesigned, claimed = unit.cell("operating_system_share"), unit.cell("redesign_claimed_share")
    if not redesigned.ok:
        return "No workflow with AI has been mapped yet"
    text = f"{theme.share(redesigned.value)} of the steps with AI were re-cut"
    if claimed.ok and claimed.value > 0:
        text += f"; for {theme.share(claimed.value)} more it is claimed, with no changed step"
    return text


def not_measured(unit: Assessment) -> pd.DataFrame:
    """What is absent and what to collect: one row per input table the unit has nothing of (what, collect)."""
    rows = unit.measures.loc[unit.measures["unit_id"] == unit.unit_id]
    absent = [
        (name, TABLES[name].collect)
        for name in _SECTION_TABLES
        if (rows.loc[rows["table"] == name, "status"] == NOT_MEASURED).all()
    ]
    return pd.DataFrame(absent, columns=["table", "collect"])


def collect_first(unit: Assessment) -> str:
    """What to collect first, where nothing measured calls for an action."""
    absent = not_measured(unit)
    if absent.empty:
        return "Nothing that has been measured calls for an action."
    first = listed(absent["collect"].head(2))
    return f"Nothing measured so far calls for an action. The next step is to collect {first}."


def per_week(unit: Assessment, total: Cell) -> float:
    """Hours a year as hours per person and week; NaN where the holders of the jobs are not known."""
    held = unit.tasks.drop_duplicates(["unit_id", "job"])["people"] if len(unit.tasks) else pd.Series(dtype=float)
    return (
        total.value / held.sum() / 52 if total.ok and len(held) and held.notna().all() and held.sum() else float("nan")
    )


def scope(unit: Assessment) -> str:
    """Whom the page is for."""
    whom = "the whole organisation" if unit.unit_id == ORGANISATION else f"{unit.name} only"
    return f"AI last-mile assessment · for {whom}"


STANDING: tuple[str, ...] = (
    "This page was made to find what to mend. Once it is used for targets, bonus or appraisal, people answer to the "
    "target and it stops measuring.",
    "There is no outside comparison: compare with your own organisation and your own past.",
    "Hours are minutes spread over many people and tasks. They are not positions, and they assume that the "
    "checking is done.",
    "Speed and overrides describe how the work is set up, not how well a person works.",
    "Units differ in their work, their data and in who answered.",
    "The questionnaire has not been validated yet.",
)
"""Sentences that stand on every handout."""


VERDICTS = {
    "SCALE": "may grow",
    "EXTEND": "to extend",
    "FIX": "to mend",
    "STOP": "to stop",
    "NOT ASSESSABLE": "not assessable",
}
TABLE_WORDS = {
    "responses": "What people say",
    "initiatives": "AI initiatives",
    "usage": "Use and training",
    "trials": "Pilots",
    "tasks": "Tasks and hours",
    "workflow_steps": "Workflows",
    "decisions": "Decisions",
    "feedback": "Users' feedback",
    "probes": "What the AI knows of the organisation",
}


@dataclass(frozen=True)
class Level:
    """Where an item stands: its lower median level, the words of it, and the words of the next."""

    label: str
    level: int
    words: str
    next_words: str


def weakest_item(unit: Assessment, barrier_id: str) -> Level | None:
    """The item of a barrier with the lowest points among those whose distribution may be shown."""
    explained = unit.rows("explain")
    rows = explained.loc[
        (explained["kind"] == "item") & (explained["barrier_id"] == barrier_id) & (explained["status"] == OK)
    ]
    levels = item_levels(unit)
    rows = rows.loc[rows["id"].isin(levels.index)].sort_values(["points", "id"])
    if rows.empty:
        return None
    item = unit.rules.items.set_index("item_id").loc[rows.iloc[0]["id"]]
    level = int(levels[rows.iloc[0]["id"]])
    following = str(item.get(f"level_{level + 1}", "") or "")
    return Level(str(item["facet_label"]), level, str(item[f"level_{level}"]), following)


def item_levels(unit: Assessment) -> pd.Series:
    """Lower median level of every item that may be shown: item_id -> level."""
    rows = unit.rows("items")
    rows = rows.loc[(rows["segment"] == "all") & (rows["status"] == OK)]
    rows = rows.assign(step=pd.to_numeric(rows["level"], errors="coerce")).dropna(subset=["step", "n"])
    rows = rows.sort_values(["item_id", "step"])
    running = rows["share"].fillna(rows["note"].eq(">= 95 %").astype(float)).groupby(rows["item_id"]).cumsum()
    return rows.loc[running >= 0.5 - 1e-9].groupby("item_id")["step"].first()


def basis_words(unit: Assessment) -> str:
    """What the two voices rest on."""
    rows = unit.rows("barriers")
    said = f"people: {rows['n'].max():.0f} respondents, 95 % interval" if rows["n"].notna().any() else "people: none"
    counted_indicators = int(
        (rows["practice_coverage"] * _indicators(unit).reindex(rows["barrier_id"]).to_numpy()).sum()
    )
    return f"{said} · records: {counted(counted_indicators, 'indicator')} of {int(_indicators(unit).sum())}"


def _indicators(unit: Assessment) -> pd.Series:
    return unit.rules.indicators.groupby("barrier_id").size()


def why_no_profile(unit: Assessment) -> str:
    """Why there is no barrier to show."""
    if _suppressed(unit):
        return (
            "Too few people answered for any figure about them to be shown, and the records do not reach two "
            "indicators of a barrier."
        )
    return (
        "Nobody has been asked here, and the records do not reach two indicators of any barrier. Each barrier needs "
        "both voices before it is scored: the questionnaire, and the records listed under what to collect."
    )


def absent_barrier(unit: Assessment, barrier_id: str) -> str:
    """What one barrier lacks."""
    row = _barrier_row(unit, barrier_id)
    return sentence(str(row["note"]).replace("; ", ", ")) if row is not None else ""


def groups_heading(unit: Assessment) -> str:
    """On how many barriers leaders and doers stand apart."""
    gaps = [unit.cell("role_gap", barrier_id=name) for name in unit.rules.barriers["barrier_id"]]
    known = [gap for gap in gaps if gap.ok]
    apart = sum(gap.low * gap.high > 0 for gap in known)
    if not known:
        return "Those doing the work and those leading it"
    if apart == 0:
        return "No difference demonstrated between those doing the work and those leading it"
    return f"On {counted(apart, 'barrier')} those who lead and those who do the work see different worlds"


def hours_sentences(unit: Assessment) -> list[str]:
    """Potential, realised and open hours in sentences."""
    potential, realised, gap = (
        unit.cell(name) for name in ("potential_hours", "realised_hours", "last_mile_gap_hours")
    )
    if not (potential.ok and realised.ok and gap.ok):
        return []
    week = per_week(unit, gap)
    text = (
        f"AI could save {theme.hours(potential.value)} a year here; {theme.hours(realised.value)} are realised, "
        f"{theme.hours(gap.value)} are open"
    )
    spread = f" ({theme.hours(week)} per person and week)" if pd.notna(week) else ""
    sentences = [f"{text}{spread}."]
    measured = unit.cell("measured_share")
    if measured.ok:
        sentences.append(f"{theme.share(measured.value)} of the realised hours were measured; the rest is reported.")
    return sentences


def no_pilots() -> str:
    """What a pilot needs before it can be judged."""
    return TABLES["trials"].collect.capitalize() + "; at best with cases dealt to the arms at random."


def themes_heading(unit: Assessment) -> str:
    """Which of work, workforce, workplace stands lowest, where the intervals say so."""
    rows = unit.rows("themes")
    rows = rows.loc[rows["status"] == OK].sort_values("value")
    if len(rows) > 1 and rows.iloc[0]["high"] < rows.iloc[1]["low"]:
        return f"{str(rows.iloc[0]['theme']).capitalize()} stands lowest of work, workforce and workplace"
    return "Work, workforce and workplace: no one of them clearly lowest"


def trend_heading(unit: Assessment) -> str:
    """On which barriers a change since the wave before is demonstrated."""
    cells = {name: unit.cell("change", barrier_id=name) for name in unit.rules.barriers["barrier_id"]}
    up = [barrier_name(unit, name) for name, cell in cells.items() if cell.ok and cell.low > 0]
    down = [barrier_name(unit, name) for name, cell in cells.items() if cell.ok and cell.high < 0]
    told = [f"{listed(up)} went up" if up else "", f"{listed(down)} went down" if down else ""]
    text = "; ".join(part for part in told if part)
    return f"Since the wave before, {text}" if text else "No change demonstrated since the wave before"


def agreed_heading(unit: Assessment) -> str:
    """How many agreed actions are done and overdue."""
    rows = unit.actions
    kept = rows.loc[rows["status"] != "dropped"]
    done = int((kept["status"] == "done").sum())
    return f"{done} of {len(kept)} agreed action{'' if len(kept) == 1 else 's'} done"


def absent_heading(unit: Assessment) -> str:
    """How many kinds of evidence are missing."""
    return f"Not measured yet: {counted(len(not_measured(unit)), 'kind', 'kinds')} of evidence"


def method_facts(unit: Assessment, hidden: int) -> pd.DataFrame:
    """What stands behind the numbers: one row per fact (About, Stated)."""
    facts = unit.facts
    left_out = int(unit.counts["quarantined"].sum())
    settings = unit.rules.settings
    return pd.DataFrame(
        [
            ("Wave shown", wave_words(facts.wave) if facts.wave != waves.UNDATED else "not dated"),
            ("Records up to", day_words(facts.as_of) or "the records carry no date"),
            (
                "Who answered",
                answered(unit) or ("hidden: too few" if _suppressed(unit) else "nobody was asked"),
            ),
            (
                "Groups shown from",
                f"{settings.minimum_group} people; distributions from {settings.minimum_distribution}",
            ),
            ("Figures hidden here", theme.number(hidden)),
            ("Rows left out as faulty, whole organisation", theme.number(left_out)),
            (
                "Questionnaire",
                f"version {facts.instrument_version}, digest {facts.instrument_digest}; not yet validated",
            ),
            ("Data", f"digest {facts.input_digest}"),
            (
                "Intervals",
                "95 %: t for means of answers, Wilson for shares of decisions, Welch and Newcombe for pilots",
            ),
            ("Formulas", "named by measure in docs/measures.md of the project aiready"),
        ],
        columns=["About", "Stated"],
    )
