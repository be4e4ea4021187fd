"""Sentences on barriers: what people say, groups apart, the next level, themes and trend."""

from dataclasses import dataclass

import pandas as pd

from aiready import theme
from aiready.assessment import Assessment
from aiready.measures import ALL, OK, SUPPRESSED
from aiready.narrative.words import capital, counted, in_words, listed


def barrier_name(unit: Assessment, barrier_id: str) -> str:
    """A barrier's name as readers know it."""
    named = unit.rules.barriers.set_index("barrier_id")["name"]
    return str(named.get(barrier_id, barrier_id))


def survey_hidden(unit: Assessment) -> bool:
    """Whether what people of the unit say in the wave shown is hidden."""
    rows = unit.measures
    mine = rows.loc[(rows["unit_id"] == unit.unit_id) & (rows["measure"] == "perception")]
    mine = mine.loc[(mine["segment"] == ALL) & (mine["wave"] == unit.facts.wave)]
    return bool((mine["status"] == SUPPRESSED).any())


def _barrier_row(unit: Assessment, barrier_id: str) -> pd.Series | None:
    rows = unit.rows("barriers")
    found = rows.loc[rows["barrier_id"] == barrier_id]
    return found.iloc[0] if len(found) else None


def ranked_barriers(unit: Assessment) -> pd.DataFrame:
    """Barriers of the wave shown, the lowest first, on the richest basis that any of them has."""
    rows = unit.rows("barriers")
    for basis, value in (("both", "score"), ("perception", "perception"), ("practice", "practice")):
        same = rows.loc[rows["basis"].isin([basis, "both"]) & rows[value].notna()]
        if len(same):
            return same.assign(on=value).sort_values([value, "barrier_id"], ignore_index=True)
    return rows.iloc[:0].assign(on="")


def against_rest(flag: str) -> str:
    """A flag as the tail of a sentence; empty for none."""
    return {"below": ", clearly below the rest of the organisation",
            "above": ", clearly above the rest of the organisation"}.get(flag.split(" ")[0], "")  # fmt: skip


def widest_twin(unit: Assessment, barrier_id: str) -> str:
    """Say and do on the facet of a barrier where they lie furthest apart; empty where nothing is paired."""
    facets = unit.rows("facets")
    known = facets.loc[(facets["barrier_id"] == barrier_id) & facets["record_yes"].notna() & facets["says"].notna()]
    if known.empty:
        return ""
    widest = known.assign(distance=known["says"] - known["record"]).sort_values("distance", ascending=False)
    return say_do(widest.iloc[0])


def say_do(facet: pd.Series) -> str:
    """What people say beside what the records show on one facet, in natural units."""
    return f"{said_words(facet)}; the records show {shown_words(facet)}, or they are incomplete."


COUNTED_UP_TO = 20
"""Up to here records are told as counts (3 of 9), beyond as a share of their number."""


def said_words(facet: pd.Series) -> str:
    """What people say on one facet, as a share of the answers."""
    return f"{theme.share(facet['says'])} {facet['says_label']}"


def shown_words(facet: pd.Series) -> str:
    """What the records show on one facet: counted where they are few, else as a share, or in their own unit."""
    label, n = facet["record_label"], facet["record_n"]
    if pd.isna(facet["record_yes"]):
        decimals = int(facet["unit"] == "count" and facet["record"] != round(facet["record"]))
        plain = theme.number(facet["record"], decimals)
        return f"{plain} {label}" if facet["unit"] == "count" else f"{theme.share(facet['record'])} ({label})"
    if n > COUNTED_UP_TO:
        return f"{theme.share(facet['record'])} ({label}, n {theme.number(n)})"
    return f"{theme.number(facet['record_yes']) if facet['record_yes'] else 'none'} of {theme.number(n)} {label}"


def barriers_heading(unit: Assessment) -> str:
    """How many barriers stand below workable, and whether records show less than people say."""
    rows = ranked_barriers(unit)
    if rows.empty:
        return "The barriers cannot be judged yet"
    value = rows["on"].iloc[0]
    if value == "practice":
        name, shown = barrier_name(unit, rows["barrier_id"].iloc[0]), theme.score(rows["practice"].iloc[0])
        where = f"is lowest of {counted(len(rows), 'barrier')}, at" if len(rows) > 1 else "stands at"
        return f"By the records alone, {name.lower()} {where} {shown} of 100"
    low = int(rows["band" if value == "score" else "perception_band"].isin(below_workable(unit)).sum())
    workable = unit.rules.bands.sort_values("at_least")["name"].iloc[-2]
    if value == "score" and len(rows) < len(measured_barriers(unit)):
        some = f"{in_words(low) if low else 'none'} {'stand' if low > 1 else 'stands'}"
        return f"Of {counted(len(rows), 'barrier')} with both voices, {some} below {workable}"
    head = capital(f"{_some(low, len(rows))} below {workable}")
    if value == "perception":
        return f"{head}, judged on what people say alone"
    less = int((rows["practice"] < rows["perception_low"].fillna(rows["perception"])).sum())
    return f"{head}; on {counted(less, 'barrier')} the records show less than people say" if less else head


def below_workable(unit: Assessment) -> set[str]:
    """The bands below the last but one."""
    return set(unit.rules.bands.sort_values("at_least")["band"].iloc[:-2])


def measured_barriers(unit: Assessment) -> list[str]:
    """Barriers of which either voice is known."""
    rows = unit.rows("barriers")
    return list(rows.loc[rows[["perception", "practice"]].notna().any(axis=1), "barrier_id"])


def unknown_sentence(unit: Assessment) -> str:
    """Barriers of which nothing at all is known; empty where there is none."""
    shown = unit.rows("explain")
    some = set(shown.loc[shown["status"] == OK, "barrier_id"]) | set(measured_barriers(unit))
    names = [barrier_name(unit, name).lower() for name in unit.rules.barriers["barrier_id"] if name not in some]
    return f"Nothing can be said yet of {listed(names)}." if names else ""


def _some(number: int, total: int) -> str:
    """How many of the barriers stand somewhere, as the start of a sentence."""
    if number == total:
        return f"all {counted(total, 'barrier')} stand" if total > 1 else "the barrier stands"
    some = f"{in_words(number)} of {counted(total, 'barrier')}" if number else "no barrier"
    return f"{some} {'stand' if number > 1 else 'stands'}"


def barrier_heading(unit: Assessment, barrier_id: str) -> str:
    """One barrier's finding: leaders and doers apart, else its place against the rest, else its band and voices."""
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
    said, shown = f"people put it at {theme.score(row['perception'])} of 100", theme.score(row["practice"])
    partial, named = _coverage_words(unit, row), unit.rules.bands.set_index("band")["name"]
    for value, band, words in (
        ("score", "band", f"{said}, the records at {shown}{partial}"),
        ("perception", "perception_band", f"{said}, too few records count yet"),
    ):
        if pd.notna(row[value]) and row[band]:
            return f"{name}, {named[row[band]]}: {words}"
    if pd.notna(row["practice"]):
        return f"{name}: the records put it at {shown} of 100{partial}"
    return f"{name}: hidden, too few people" if row["status"] == SUPPRESSED else f"{name}: too few records to judge"


def _coverage_words(unit: Assessment, row: pd.Series) -> str:
    """On how many of its indicators practice rests, where that is not all."""
    total = int(_indicators(unit).get(row["barrier_id"], 0))
    known = round(row["practice_coverage"] * total) if pd.notna(row["practice_coverage"]) else total
    return f" on {in_words(known)} of {counted(total, 'indicator')}" if known < total else ""


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
        return "No change demonstrated since the survey before."
    moved = "up" if change.value > 0 else "down"
    said = (
        f"What people say went {moved} by {theme.score(abs(change.value))} points since the survey before "
        f"({theme.interval(change.low, change.high, 'points')})."
    )
    return " ".join(filter(None, [said, _role_mix(unit, barrier_id)]))


WORTH_SAYING = 1.0
"""Points from which on it is said where a change came from."""


def _role_mix(unit: Assessment, barrier_id: str) -> str:
    rows = unit.rows("change_sources")
    points = rows.loc[(rows["barrier_id"] == barrier_id) & (rows["source"] == "role_mix"), "points"].dropna()
    if points.empty or abs(points.iloc[0]) < WORTH_SAYING:
        return ""
    moved = "raised" if points.iloc[0] > 0 else "lowered"
    return f"That other roles answered {moved} it by {theme.score(abs(points.iloc[0]))} points."


def other_indicators_sentence(unit: Assessment) -> str:
    """Barriers whose records rest on other indicators than in the wave before, and so cannot be compared."""
    rows = unit.rows("change_sources")
    rows = rows.loc[(rows["source"] == "indicators") & (rows["points"].abs() >= WORTH_SAYING)]
    if rows.empty:
        return ""
    names = listed(barrier_name(unit, barrier_id) for barrier_id in rows["barrier_id"])
    return (
        f"On {names} the records rest on other indicators than in the wave before, which alone moves them by "
        f"{theme.score(rows['points'].abs().min())} to {theme.score(rows['points'].abs().max())} points: they are not "
        "compared."
    )


def sensitivity_sentence(unit: Assessment) -> str:
    """How firmly the lowest barrier stays lowest when voices and indicators are weighted otherwise."""
    rows = unit.rows("sensitivity")
    if rows.empty:
        return ""
    row = rows.iloc[0]
    return (
        f"{barrier_name(unit, row['barrier_id'])} has the lowest score; it stays the lowest in "
        f"{theme.share(row['share'])} of {theme.number(unit.rules.settings.sensitivity_draws)} other ways to weigh "
        "voices and indicators."
    )


@dataclass(frozen=True)
class Level:
    """Where an item stands: what was asked, its lower median level, the words of it, and the words of the next."""

    label: str
    wording: str
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
    return Level(str(item["facet_label"]), str(item["wording"]), level, str(item[f"level_{level}"]), following)


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
    if survey_hidden(unit):
        return (
            "What people answered is hidden, because too few did or it would give a small group away; and the records "
            "do not reach two indicators of any barrier."
        )
    return (
        "Nobody has been asked here, and the records do not reach two indicators of any barrier. Each barrier needs "
        "both voices before it is scored: the questionnaire, and the records listed under what to collect."
    )


def groups_heading(unit: Assessment) -> str:
    """On how many barriers leaders and doers stand apart."""
    gaps = [unit.cell("role_gap", barrier_id=name) for name in unit.rules.barriers["barrier_id"]]
    known = [gap for gap in gaps if gap.ok]
    apart = sum(gap.low * gap.high > 0 for gap in known)
    if not known:
        return "Those doing the work and those leading it"
    if apart == 0:
        return "No difference demonstrated between those doing the work and those leading it"
    return f"On {counted(apart, 'barrier')} those who lead and those who do the work see it differently"


GROUPS_JUDGED = (
    "The intervals describe the people of this unit on this date. Whether two groups differ at all is judged more "
    "strictly, by how often an answer of one lies above an answer of the other (Cliff's delta, 95 %)."
)
"""Why two groups may look apart and yet no difference is demonstrated."""


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
    if not any(cell.ok for cell in cells.values()):
        return "What the records show, wave by wave"
    return f"Since the survey before, {text}" if text else "No change demonstrated since the survey before"
