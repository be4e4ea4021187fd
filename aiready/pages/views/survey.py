"""Views of barriers and survey answers: profile, answers, groups, facets, and why a number moved."""

import pandas as pd

from aiready import charts
from aiready.charts import theme
from aiready.messages import ENGLISH
from aiready.model.registry import ALL, OK, SUPPRESSED
from aiready.pages import sentences, tables
from aiready.pages.views.view import View
from aiready.profile.assessment import Assessment

SEGMENTS = {ALL: "everybody", "doing": "those doing the work", "leading": "those leading it"}
"""Segment -> its label, for segments whose answers can be shown."""
FIRST_WAVE = "There is no earlier wave to compare with."


def profile(unit: Assessment) -> View:
    """How far is each barrier overcome: people and records, the organisation, the score?"""
    rows = tables.profile(unit)
    reason = sentences.why_no_profile(unit) if rows[["perception", "practice"]].isna().all(axis=None) else ""
    return View(
        "How far each barrier is overcome",
        f"{unit_and_wave(unit)} · 0 to 100, high is overcome · {sentences.basis_words(unit)}",
        _nonblank(sentences.barriers_heading(unit), sentences.sensitivity_sentence(unit), reason),
        charts.say_do_chart,
        rows,
        tables.profile_numbers(rows, ENGLISH),
        "No interval is claimed for records: they tell what was written down, not what is.",
        choosable=True,
    )


def answers(unit: Assessment, barrier_id: str, segment: str = ALL) -> View:
    """How was each item of a barrier answered, by everybody or by one group?"""
    rows = tables.answers(unit, barrier_id, segment)
    has_shares = rows["share"].notna().any()
    most = f" · up to {rows['n'].max():.0f} answers" if has_shares else ""
    return View(
        f"{sentences.barrier_name(unit, barrier_id)}: what people answered",
        f"{unit_and_wave(unit)} · {SEGMENTS[segment]} · share of answers on each level, don't know apart{most}",
        _level(unit, barrier_id) if segment == ALL else (),
        charts.items_chart,
        rows if has_shares else rows.head(0),
        tables.answers_numbers(rows, ENGLISH) if has_shares else pd.DataFrame(),
        "" if has_shares else _hidden_answers(unit, segment),
    )


def _level(unit: Assessment, barrier_id: str) -> tuple[str, ...]:
    weakest = sentences.weakest_item(unit, barrier_id)
    if weakest is None:
        return ()
    following = f" The next level: “{weakest.next_words}”" if weakest.next_words else ""
    return (f"Lowest item, {weakest.label.lower()}: level {weakest.level}, “{weakest.words}”{following}",)


def _hidden_answers(unit: Assessment, segment: str) -> str:
    rows = unit.rows("items")
    hidden = rows.loc[rows["segment"] == segment, "status"].eq(SUPPRESSED).any()
    fewest = unit.rules.settings.minimum_distribution
    return f"Hidden: distributions need at least {fewest} people." if hidden else "No answers in this wave."


def groups(unit: Assessment) -> View:
    """Do those doing the work and those leading it say the same?"""
    rows = tables.groups(unit)
    has_values = rows["value"].notna().any() if len(rows) else False
    numbers = tables.wide(rows.dropna(subset=["value"]), "barrier", "group", "value", theme.score, "Barrier")
    fewest = unit.rules.settings.minimum_group
    return View(
        "What each group says",
        f"{unit_and_wave(unit)} · 0 to 100 with 95 % interval · fewer than {fewest} people: hidden",
        _nonblank(sentences.groups_heading(unit)) if has_values else (),
        charts.groups_chart,
        rows,
        numbers if has_values else pd.DataFrame(),
    )


def facets(unit: Assessment, barrier_id: str) -> View:
    """Where do people and records disagree on the same thing, facet by facet?"""
    rows = unit.rows("facets")
    rows = rows.loc[rows["barrier_id"] == barrier_id]
    rows = rows.loc[rows["says"].notna() | rows["record"].notna()]
    comparable = rows.loc[rows["unit"].eq("share") | rows["unit"].isna()]
    labelled = comparable.assign(
        facet=sentence_case(comparable["says_label"].str.removeprefix("say ")),
        detail="records: " + comparable["record_label"],
    )
    pairs = rows.dropna(subset=["says", "record"])
    numbers = pd.DataFrame(
        {
            "People": [f"{theme.share(row.says)} {row.says_label}" for row in rows.itertuples()],
            "n": [theme.number(row.says_n) for row in rows.itertuples()],
            "Records": [_record(row) for row in rows.itertuples()],
        }
    )
    return View(
        f"{sentences.barrier_name(unit, barrier_id)}: said and recorded",
        f"{unit_and_wave(unit)} · share of answers / share of records, side by side where both tell of the same thing",
        tuple(sentences.facet_sentence(row, ENGLISH) for _, row in pairs.head(3).iterrows()),
        charts.facets_chart,
        labelled,
        numbers,
        "Records may be incomplete; answers are those of people who answered.",
    )


def _record(row: object) -> str:
    value, label = getattr(row, "record", float("nan")), getattr(row, "record_label", "")
    if pd.isna(value):
        return f"not known: {label}"
    yes, of = getattr(row, "record_yes", float("nan")), getattr(row, "record_n", float("nan"))
    if pd.notna(yes):
        return f"{yes:.0f} of {of:.0f} {label}"
    return f"{theme.value_text(value, str(getattr(row, 'unit', '')))} ({label})"


def moved(unit: Assessment) -> View:
    """Why did a number move: who answered, what they answered, which items, records and indicators."""
    rows = unit.rows("change_sources")
    if rows.empty:
        return View("Where the change since the wave before came from", unit_and_wave(unit), (FIRST_WAVE,))
    order = {name: position for position, name in enumerate(unit.rules.barriers["barrier_id"])}
    rows = rows.assign(
        name=[sentences.barrier_name(unit, name) for name in rows["barrier_id"]],
        voice=rows["source"].isin(["records", "indicators"]).map({True: "records", False: "people"}),
    )
    rows = rows.assign(name=rows["name"] + " · " + rows["voice"], place=rows["barrier_id"].map(order))
    rows = rows.sort_values(["place", "voice"], kind="stable", ignore_index=True)
    numbers = pd.DataFrame(
        {
            "Barrier and voice": rows["name"],
            "Came from": [ENGLISH.say(f"chart.source_{source}") for source in rows["source"]],
            "Points": [theme.number(points, 1) if pd.notna(points) else "hidden" for points in rows["points"]],
        }
    )
    visible = rows.loc[rows["points"].isna() | rows["points"].abs().ge(0.05)]
    return View(
        "Where the change since the wave before came from",
        f"{unit_and_wave(unit)} · points of 100, people and records apart",
        _changes(unit),
        charts.sources_chart,
        visible,
        numbers,
        "People answer anonymously and cannot be matched; other items or indicators are no change in the work.",
    )


def _changes(unit: Assessment) -> tuple[str, ...]:
    """Sentences on demonstrable changes, one per barrier; a single one if all barriers have the same."""
    texts = {name: sentences.change_sentence(unit, name) for name in unit.rules.barriers["barrier_id"]}
    if len(set(texts.values())) == 1:
        return _nonblank(*set(texts.values()))
    return tuple(f"{sentences.barrier_name(unit, name)}: {text}" for name, text in texts.items() if text)


def shifts(unit: Assessment, barrier_id: str) -> View:
    """Which items and indicators of a barrier moved since the wave before?"""
    before = _wave_before(unit)
    if not before:
        return View(f"{sentences.barrier_name(unit, barrier_id)}: item by item", unit_and_wave(unit), (FIRST_WAVE,))
    now, then = (_points(assessment, barrier_id) for assessment in (unit, unit.at(before)))
    points = now.merge(
        then[["id", "after", "n"]].rename(columns={"after": "before", "n": "n_before"}), on="id", how="left"
    )
    points = points.assign(distance=(points["after"] - points["before"]).abs()).sort_values(
        ["voice", "distance"], ascending=[True, False], kind="stable", ignore_index=True
    )
    numbers = pd.DataFrame(
        {
            "Item or indicator": points["name"],
            before: points["before"].map(theme.score),
            f"n {before}": points["n_before"].map(theme.number),
            unit.facts.wave: points["after"].map(theme.score),
            "n": points["n"].map(theme.number),
        }
    )
    return View(
        f"{sentences.barrier_name(unit, barrier_id)}: item by item, indicator by indicator",
        f"{unit_and_wave(unit)} · points of 100 · {ENGLISH.wave(before)} and {ENGLISH.wave(unit.facts.wave)}",
        _nonblank(sentences.change_sentence(unit, barrier_id)),
        charts.shift_chart,
        points,
        numbers,
        "A single item moves by chance more than a barrier does.",
        options={"moments": (before, unit.facts.wave)},
    )


def _wave_before(unit: Assessment) -> str:
    position = unit.facts.waves.index(unit.facts.wave)
    return unit.facts.waves[position - 1] if position else ""


def _points(unit: Assessment, barrier_id: str) -> pd.DataFrame:
    """Points of the items and indicators that count towards a barrier: one row per id."""
    rows = unit.rows("explain")
    rows = rows.loc[(rows["barrier_id"] == barrier_id) & (rows["status"] == OK)]
    labels = dict(zip(unit.rules.items["item_id"], unit.rules.items["facet_label"], strict=True))
    labels |= dict(zip(unit.rules.indicators["indicator_id"], unit.rules.indicators["label"], strict=True))
    return pd.DataFrame(
        {
            "id": rows["id"],
            "name": sentence_case(rows["id"].map(labels).fillna(rows["id"])),
            "voice": rows["kind"].map({"item": "perception", "indicator": "practice"}),
            "after": rows["points"],
            "n": rows["n"],
        }
    )


def sentence_case(texts: pd.Series) -> pd.Series:
    """Texts with their first character in upper case, the others unchanged (AI stays AI)."""
    return texts.str[:1].str.upper() + texts.str[1:]


def unit_and_wave(unit: Assessment) -> str:
    """Unit and wave, as every subtitle begins: `Claims, third quarter 2026`."""
    return f"{unit.name}, {ENGLISH.wave(unit.facts.wave)}"


def _nonblank(*texts: str | None) -> tuple[str, ...]:
    return tuple(text for text in texts if text)
