"""Views of barriers and survey answers: profile, answers, groups, facets, themes, trend, and why a number moved."""

import pandas as pd

from aiready import charts
from aiready.model.registry import ALL, OK, SUPPRESSED
from aiready.pages import sentences, tables
from aiready.pages.parts import labelled_columns
from aiready.pages.views.view import View
from aiready.profile.assessment import Assessment

SEGMENTS = (ALL, *tables.GROUPS)
"""Segments whose answers can be shown; `group.<segment>` is the label."""


def profile(unit: Assessment) -> View:
    """How far is each barrier overcome: people and records, the organisation, the score?"""
    language, rows = unit.language, tables.profile(unit)
    if rows[["perception", "practice"]].isna().all(axis=None):
        remarks = [sentences.why_no_profile(unit)]
    else:
        gaps = (*sentences.hidden_sentences(unit), sentences.unknown_sentence(unit))
        remarks = [sentences.sensitivity_sentence(unit), *gaps]
    return View(
        "barriers",
        language.say("barriers.title"),
        language.say("barriers.subtitle", basis=sentences.basis_words(unit)),
        unit_and_wave(unit),
        _nonblank(sentences.barriers_heading(unit), *remarks),
        charts.say_do_chart,
        rows,
        tables.profile_numbers(rows, language),
        language.say("barriers.note"),
        choosable=True,
        options={"bands": unit.rules.bands},
        language=language,
    )


def answers(unit: Assessment, barrier_id: str, segment: str = ALL) -> View:
    """How was each item of a barrier answered, by everybody or by one group?"""
    language, rows = unit.language, tables.answers(unit, barrier_id, segment)
    has_shares = rows["share"].notna().any()
    group = f" · {language.say(f'group.{segment}')}" if segment != ALL else ""
    return View(
        f"answers-{barrier_id}",
        language.say("barrier.answers_title", name=sentences.barrier_name(unit, barrier_id)),
        language.say("barrier.answers_subtitle", n=language.number(rows["n"].max())) if has_shares else "",
        f"{unit_and_wave(unit)}{group}",
        _level(unit, barrier_id) if segment == ALL else (),
        charts.items_chart,
        rows if has_shares else rows.head(0),
        tables.answers_numbers(rows, language) if has_shares else pd.DataFrame(),
        "" if has_shares else _why_no_answers(unit, segment),
        language=language,
    )


def _level(unit: Assessment, barrier_id: str) -> tuple[str, ...]:
    say, weakest = unit.language.say, unit.cached(sentences.weakest_item, barrier_id)
    if weakest is None:
        return ()
    lowest = say("level.lowest", level=str(weakest.level), item=weakest.label)
    pairs = ((lowest, weakest.words), (say("level.next"), weakest.next_words))
    return tuple(say("level.quoted", heading=heading, text=text) for heading, text in pairs if text)


def _why_no_answers(unit: Assessment, segment: str) -> str:
    rows = unit.rows("items")
    if rows.loc[rows["segment"] == segment, "status"].eq(SUPPRESSED).any():
        return unit.language.say("barrier.answers_hidden", n=str(unit.rules.settings.minimum_distribution))
    return unit.language.say("barrier.answers_none")


def groups(unit: Assessment) -> View:
    """Do those doing the work and those leading it say the same?"""
    language, rows = unit.language, tables.groups(unit)
    has_values = (rows["status"] == OK).any()
    first = language.say("column.barrier")
    numbers = tables.wide(rows.dropna(subset=["value"]), "barrier", "group", "value", language.score, first)
    return View(
        "groups",
        language.say("groups.title"),
        language.say("groups.subtitle", n=str(unit.rules.settings.minimum_group)),
        unit_and_wave(unit),
        (sentences.groups_heading(unit),) if has_values else (),
        charts.groups_chart,
        rows,
        numbers if has_values else pd.DataFrame(),
        language.say("groups.judged"),
        language=language,
    )


def facets(unit: Assessment, barrier_id: str) -> View:
    """Where do people and records disagree on the same thing, facet by facet?"""
    language, rows = unit.language, tables.facets(unit, barrier_id)
    pairs = rows.loc[rows["is_pair"]].head(3)
    return View(
        f"facets-{barrier_id}",
        language.say("barrier.facets", name=sentences.barrier_name(unit, barrier_id)),
        language.say("barrier.facets_subtitle"),
        unit_and_wave(unit),
        tuple(sentences.facet_sentence(row, language) for _, row in pairs.iterrows()),
        charts.facets_chart,
        rows.loc[rows["unit"].eq("share") | rows["unit"].isna()],
        labelled_columns(unit, rows, {"people": "people_say", "n": "n", "records": "records_show"}),
        language=language,
    )


def themes(unit: Assessment) -> View:
    """How high are work, workforce and workplace?"""
    language, rows = unit.language, tables.themes(unit)
    numbers = rows.assign(
        said=rows["value"].map(language.score),
        interval=[language.interval(row.low, row.high, "score") for row in rows.itertuples()],
        n=rows["n"].map(language.number),
    )
    phrase_of = {"theme": "theme", "said": "people_say", "interval": "interval", "n": "n"}
    return View(
        "themes",
        language.say("themes.title"),
        language.say("themes.subtitle"),
        unit_and_wave(unit),
        (sentences.themes_heading(unit),),
        charts.themes_chart,
        rows,
        labelled_columns(unit, numbers, phrase_of),
        language=language,
    )


def trend(unit: Assessment) -> View:
    """How did both voices develop over the waves?"""
    language, rows = unit.language, tables.trend(unit)
    keys_of = {"perception": "trend.people", "practice": "trend.of_records"}
    labels = [language.say(keys_of[row.voice], name=row.barrier) for row in rows.itertuples()]
    labelled, first = rows.assign(label=labels), language.say("column.voice")
    return View(
        "trend",
        language.say("trend.title"),
        language.say("trend.subtitle"),
        unit_and_wave(unit),
        (sentences.trend_heading(unit),),
        charts.trend_chart,
        rows,
        tables.wide(labelled, "label", "wave", "value", language.score, first).fillna(""),
        sentences.other_indicators_sentence(unit),
        language=language,
    )


def moved(unit: Assessment) -> View:
    """Why did a number move: who answered, what they answered, which items, records and indicators."""
    language, rows = unit.language, unit.rows("change_sources")
    title = language.say("change.title")
    if rows.empty:
        return _nothing_before(unit, "change", title)
    order = {name: position for position, name in enumerate(unit.rules.barriers["barrier_id"])}
    voices = rows["source"].isin(["records", "indicators"]).map({True: "of_records", False: "people"})
    barriers = [sentences.barrier_name(unit, name) for name in rows["barrier_id"]]
    names = [language.say(f"trend.{voice}", name=name) for voice, name in zip(voices, barriers, strict=True)]
    rows = rows.assign(name=names, place=rows["barrier_id"].map(order), is_people=voices == "people")
    rows = rows.sort_values(["place", "is_people"], ascending=[True, False], kind="stable", ignore_index=True)
    hidden = language.say(f"status.{SUPPRESSED}")
    numbers = rows.assign(
        came_from=[language.say(f"chart.source_{source}") for source in rows["source"]],
        points=[language.number(points, 1) if pd.notna(points) else hidden for points in rows["points"]],
    )
    return View(
        "change",
        title,
        language.say("change.subtitle"),
        unit_and_wave(unit),
        _changes(unit),
        charts.sources_chart,
        rows.loc[rows["points"].isna() | rows["points"].abs().ge(0.05)],
        labelled_columns(unit, numbers, {"name": "voice", "came_from": "came_from", "points": "points"}),
        language.say("change.caution"),
        language=language,
    )


def _nothing_before(unit: Assessment, name: str, title: str) -> View:
    first_wave = unit.language.say("change.first_wave")
    return View(name, title, scope=unit_and_wave(unit), words=(first_wave,), language=unit.language)


def _changes(unit: Assessment) -> tuple[str, ...]:
    """Sentences on demonstrable changes, one per barrier; a single one if all barriers have the same."""
    texts = {name: sentences.change_sentence(unit, name) for name in unit.rules.barriers["barrier_id"]}
    if len(set(texts.values())) == 1:
        return _nonblank(*set(texts.values()))
    return tuple(f"{sentences.barrier_name(unit, name)}: {text}" for name, text in texts.items() if text)


def shifts(unit: Assessment, barrier_id: str) -> View:
    """Which items and indicators of a barrier moved since the wave before?"""
    language, before, wave = unit.language, _wave_before(unit), unit.facts.wave
    name = f"items-{barrier_id}"
    title = language.say("change.items_title", name=sentences.barrier_name(unit, barrier_id))
    if not before:
        return _nothing_before(unit, name, title)
    now, then = (_points(assessment, barrier_id) for assessment in (unit, unit.at(before)))
    points = now.merge(
        then[["id", "after", "n"]].rename(columns={"after": "before", "n": "n_before"}), on="id", how="left"
    )
    points = points.assign(distance=(points["after"] - points["before"]).abs()).sort_values(
        ["voice", "distance"], ascending=[True, False], kind="stable", ignore_index=True
    )
    numbers = pd.DataFrame(
        {
            language.say("column.item"): points["name"],
            before: points["before"].map(language.score),
            language.say("chart.n", n=before): points["n_before"].map(language.number),
            wave: points["after"].map(language.score),
            language.say("chart.n", n=wave): points["n"].map(language.number),
        }
    )
    return View(
        name,
        title,
        language.say("change.items_subtitle", before=language.wave(before), now=language.wave(wave)),
        unit_and_wave(unit),
        _nonblank(sentences.change_sentence(unit, barrier_id)),
        charts.shift_chart,
        points,
        numbers,
        language.say("change.items_caution"),
        options={"moments": (before, wave)},
        language=language,
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
            "name": rows["id"].map(labels).fillna(rows["id"]).map(unit.language.capitalize),
            "voice": rows["kind"].map({"item": "perception", "indicator": "practice"}),
            "after": rows["points"],
            "n": rows["n"],
        }
    )


def unit_and_wave(unit: Assessment) -> str:
    """Unit and wave, the scope of a view: `Claims, third quarter 2026`."""
    return f"{unit.name}, {unit.language.wave(unit.facts.wave)}"


def _nonblank(*texts: str | None) -> tuple[str, ...]:
    return tuple(text for text in texts if text)
