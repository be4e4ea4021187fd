"""Sentences, tables and sections of the handout and the portfolio: true of their numbers, silent without."""

import re
from dataclasses import asdict, replace
from functools import cache
from html import unescape
from itertools import chain

import numpy as np
import pandas as pd
import pytest

from aiready.charts.figures import Figure
from aiready.instrument.model import read_instrument
from aiready.measures.trials.verdicts import COLUMNS as VERDICTS
from aiready.messages import ENGLISH
from aiready.model.registry import COLUMNS, MEASURES, ORGANISATION
from aiready.model.schema import TABLES
from aiready.pages import handout, portfolio, sentences, unit_comparison
from aiready.pages import tables as views
from aiready.pages.markup.blocks import Block
from aiready.profile.assessment import Assessment, Facts
from aiready.profile.barriers import COLUMNS as PROFILE
from aiready.profile.barriers import EXPLAIN_COLUMNS
from aiready.profile.facets import COLUMNS as FACETS

FIT, TRUST = "context_fit", "trust_governance"
ITEMS = ["unit_id", "wave", "item_id", "segment", "level", "n", "share", "status", "note"]
EMPTY = {
    "membership": ["unit_id", "member_id"], "items": ITEMS, "explain": list(EXPLAIN_COLUMNS),
    "themes": ["unit_id", "wave", "theme", "value", "low", "high", "n", "status"],
    "change_sources": ["unit_id", "wave", "barrier_id", "source", "points", "status"],
    "sensitivity": ["unit_id", "wave", "barrier_id", "share", "n_barriers"],
    "recommended": ["unit_id", "wave", "rank"], "facets": list(FACETS), "verdicts": [*VERDICTS, "unit_id"],
    "initiatives": ["unit_id", "initiative_id", "name", "stage", "owner"],
    "tasks": ["unit_id", "job", "people", "status", "potential", "gap", "mode", "target_mode"],
    "step_changes": ["unit_id", "workflow"], "actions": list(TABLES["actions"].names),
    "counts": ["table", "read", "used", "quarantined", "after_as_of"],
}  # fmt: skip


@cache
def rules():
    return read_instrument()


def measured(measure, value, low=np.nan, high=np.nan, n=50.0, **other):
    known = MEASURES[measure]
    row = {"unit_id": "claims", "wave": "2026-Q3", "table": known.table, "barrier_id": "", "measure": measure}
    row |= {"segment": "all", "value": value, "low": low, "high": high, "n": n, "unit": known.unit}
    return row | {"status": "ok", "note": ""} | other


def barrier(barrier_id, **columns):
    voices = {name: columns.get(name, np.nan) for name in ("perception", "practice")}
    score = np.mean(list(voices.values()))
    basis = {(True, True): "both", (True, False): "perception", (False, True): "practice"}.get(
        tuple(pd.notna(value) for value in voices.values()), "none"
    )
    row = dict.fromkeys(PROFILE, np.nan) | {"unit_id": "claims", "wave": "2026-Q3", "barrier_id": barrier_id}
    row |= {"score": score, "basis": basis, "flag": "", "band": "", "perception_band": "", "practice_band": ""}
    for band, value in {"band": score, "perception_band": voices["perception"]}.items():
        row[band] = rules().band_of(pd.Series([value]))[0]
    return row | {"practice_coverage": 1.0, "n": 50.0, "status": "ok", "note": ""} | columns


def assessed(measures=(), barriers=(), unit_id="claims", **tables):
    made = {name: pd.DataFrame(columns=columns) for name, columns in EMPTY.items()}
    made["units"] = pd.DataFrame({"unit_id": ["claims"], "name": ["Claims"], "parent_id": [None]})
    made["measures"] = pd.DataFrame(list(measures), columns=list(COLUMNS))
    made["barriers"] = pd.DataFrame(list(barriers), columns=list(PROFILE))
    facts = Facts("2026-Q3", ("2026-Q2", "2026-Q3"), "2026-09-30", "1.0", "d", {"organisation": "Varnholt"}, (), "i")
    return Assessment({**made, **tables}, rules(), facts, unit_id)


class TestLead:
    def test_names_the_lowest_barrier_with_both_voices(self):
        rows = [barrier(FIT, perception=62.0, practice=40.0), barrier(TRUST, perception=70.0, practice=70.0)]
        lead = sentences.lead(assessed(barriers=rows))
        assert lead.startswith(
            "Fit with the work holds Claims back most: people put it at 62 of 100, and the records show 40."
        )

    def test_says_among_where_the_ranks_overlap(self):
        rows = [barrier(FIT, perception=62.0, practice=40.0, priority_low=1, priority_high=3)]
        assert "is among what holds Claims back:" in sentences.lead(assessed(barriers=rows))

    def test_says_that_no_records_speak_where_only_people_do(self):
        lead = sentences.lead(assessed(barriers=[barrier(FIT, perception=62.0, flag="below the rest")]))
        assert "clearly below the rest of the organisation" in lead
        assert lead.endswith("No records say yet what is done.")

    def test_says_that_nobody_was_asked_where_only_records_speak(self):
        rows = [barrier(FIT, practice=30.0), barrier(TRUST, practice=50.0)]
        lead = sentences.lead(assessed(barriers=rows))
        least = "The records show least for fit with the work: 30 of 100."
        assert lead == f"{least} No answers to the questionnaire are on record."

    def test_says_that_nothing_holds_back_where_every_barrier_is_workable(self):
        rows = [barrier(FIT, perception=62.0, practice=90.0), barrier(TRUST, perception=70.0, practice=90.0)]
        lead = sentences.lead(assessed(barriers=rows))
        assert lead.startswith("No barrier holds Claims back; fit with the work has the lowest score: people put it")

    def test_does_not_speak_for_barriers_that_lack_a_voice(self):
        rows = [barrier(FIT, perception=80.0, practice=90.0), barrier(TRUST, perception=20.0)]
        unit = assessed(barriers=rows)
        assert sentences.lead(unit).startswith("Of one barrier with both voices, fit with the work has the lowest")
        assert sentences.barriers_heading(unit) == "Of one barrier with both voices, none stands below workable"

    def test_names_on_how_many_indicators_the_records_rest(self):
        rows = [barrier(FIT, perception=50.0, practice=85.0, practice_coverage=0.4)]
        heading = sentences.barrier_heading(assessed(barriers=rows), FIT)
        assert heading.endswith("people put it at 50 of 100, the records at 85 on two of five indicators")

    def test_says_that_answers_are_hidden_and_gives_no_number_of_them(self):
        hidden = measured("perception", np.nan, n=np.nan, barrier_id=FIT, status="suppressed")
        lead = sentences.lead(assessed([hidden], [barrier(FIT, n=np.nan)]))
        assert lead.startswith("What people answered here is not shown")
        assert not re.search(r"\d", lead)

    def test_falls_back_on_decisions_hours_and_exposure(self):
        decisions = [measured("decision_accuracy", 0.684, n=1938.0), measured("over_reliance", 0.6746)]
        assert "right in 68 % of 1 938 cases" in re.sub(r"\s", " ", sentences.lead(assessed(decisions)))
        hours = [measured("potential_hours", 147.0), measured("realised_rate", 0.3986)]
        assert "40" in sentences.lead(assessed(hours))
        exposure = [measured("exposure_alpha", 0.15), measured("exposure_zeta", 0.47)]
        assert "not what is" in sentences.lead(assessed(exposure))

    def test_says_so_when_there_is_nothing(self):
        assert "Nothing that can be judged has been measured" in sentences.lead(assessed())


class TestHeadings:
    def test_count_barriers_below_workable_on_the_basis_they_have(self):
        low, high = barrier(FIT, perception=40.0, practice=30.0), barrier(TRUST, perception=90.0, practice=95.0)
        assert sentences.barriers_heading(assessed(barriers=[low, high])) == (
            "One of two barriers stands below workable; on one barrier the records show less than people say"
        )
        people = [barrier(FIT, perception=40.0), barrier(TRUST, perception=90.0)]
        assert sentences.barriers_heading(assessed(barriers=people)).endswith("judged on what people say alone")
        assert sentences.barriers_heading(assessed(barriers=[high])) == "No barrier stands below workable"
        assert sentences.barriers_heading(assessed()) == "The barriers cannot be judged yet"

    @pytest.mark.parametrize(("low", "high", "apart"), [(-0.6, -0.2, True), (-0.3, 0.1, False)])
    def test_leaders_and_doers_stand_apart_only_where_the_interval_says_so(self, low, high, apart):
        rows = [measured("role_gap", -0.3, low, high, barrier_id=FIT)]
        rows += [
            measured("perception", value, barrier_id=FIT, segment=side)
            for side, value in (("doing", 40.0), ("leading", 70.0))
        ]
        unit = assessed(rows, [barrier(FIT, perception=50.0, perception_band="slowing")])
        assert ("those who lead see more of it" in sentences.barrier_heading(unit, FIT)) == apart
        assert ("see it differently" in sentences.groups_heading(unit)) == apart

    def test_a_barrier_nobody_measured_is_said_to_be(self):
        assert sentences.barrier_heading(assessed(), FIT).endswith("not measured yet")

    @pytest.mark.parametrize(
        ("value", "low", "high", "words"),
        [
            (6.0, -2.0, 14.0, "No change demonstrated"),
            (6.0, 2.0, 10.0, "went up by 6"),
            (-6.0, -10.0, -2.0, "went down by 6"),
        ],
    )
    def test_a_change_is_worded_as_its_interval_allows(self, value, low, high, words):
        text = sentences.change_sentence(assessed([measured("change", value, low, high, barrier_id=FIT)]), FIT)
        assert words in text
        assert "no change" not in text.lower() or "demonstrated" in text

    def test_groups_are_silent_where_one_is_hidden(self):
        rows = [measured("perception", 40.0, barrier_id=FIT, segment="doing")]
        rows += [measured("perception", np.nan, barrier_id=FIT, segment="leading", status="suppressed")]
        assert sentences.groups_sentence(assessed(rows), FIT) == ""


def test_say_and_do_allow_that_the_records_are_incomplete():
    facet = {"says": 0.58, "says_label": "say somebody answers for it", "record_yes": 5.0, "record_n": 9.0}
    facet |= {"record_label": "live initiatives with an owner on record", "record": 5 / 9, "unit": "share"}
    text = sentences.facet_sentence(pd.Series(facet), ENGLISH)
    assert re.sub(r"\s", " ", text) == (
        "58 % say somebody answers for it; the records show 5 of 9 live initiatives with an owner on record, "
        "or they are incomplete."
    )


def test_what_is_absent_says_what_to_collect():
    rows = [measured(name, np.nan, n=np.nan, status="not_measured") for name in ("exposure_alpha", "decision_accuracy")]
    rows += [measured("perception", 60.0, barrier_id=FIT)]
    absent = sentences.not_measured(assessed(rows)).set_index("table")["collect"]
    assert {"tasks", "decisions"} <= set(absent.index)
    assert "responses" not in absent.index
    assert absent.str.len().gt(10).all()


def text_of(section):
    """Everything a reader of a section sees in words: markup without tags, and the words of its figures."""
    words = []
    for part in section:
        if isinstance(part, Figure):
            shown = part.payload()
            words += [
                shown["title"],
                shown["subtitle"],
                shown["description"],
                *shown["columns"],
                *chain(*shown["rows"]),
            ]
        else:
            markup = str(part) if isinstance(part, Block) else " ".join(asdict(part).values())
            words.append(unescape(re.sub(r"<[^>]+>", " ", markup)))
    return re.sub(r"\s+", " ", " ".join(words))


OF_UNIT = "front barriers each_barrier groups work pilots evolution metrics workflow themes trend agreed absent method"
SECTIONS = [getattr(handout, name) for name in OF_UNIT.split()]
OF_ALL = "front barriers initiatives work pilots evolution metrics absent method"
PORTFOLIO = [getattr(portfolio, name) for name in OF_ALL.split()]


def test_an_empty_assessment_still_makes_every_section():
    rows = [measured(name, np.nan, n=np.nan, status="not_measured") for name in MEASURES]
    unit = assessed(
        rows, counts=pd.DataFrame([{"table": "tasks", "read": 1, "used": 1, "quarantined": 0, "after_as_of": 0}])
    )
    words = " ".join(text_of(make(unit)) for make in SECTIONS)
    assert "What to collect" in words
    assert not re.search(r"\bnan\b|\bNone\b|\bNaT\b", words)


class TestSample:
    @pytest.mark.parametrize(
        "unit_id", ["motor-claims", "contact-centre", "treasury", "finance", "corporate-services", "*"]
    )
    def test_no_section_shows_a_hole_where_a_word_should_be(self, sample, unit_id):
        unit = sample.unit(unit_id)
        for make in SECTIONS:
            words = text_of(make(unit))
            assert not re.search(r"\bnan\b|\bNone\b|\bNaT\b|<NA>|\{\w*\}|  \.|\(\)", words), (
                make.__name__,
                words[:2000],
            )

    def test_every_unit_has_a_finding_of_its_own(self, sample):
        leads = {unit_id: sentences.lead(sample.unit(unit_id)) for unit_id in sample.units["unit_id"]}
        shown = {unit_id: lead for unit_id, lead in leads.items() if "is not shown" not in lead}
        assert len(set(shown.values())) == len(shown) >= 14
        for unit_id, lead in shown.items():
            assert re.search(r"\d", lead), unit_id

    def test_a_handout_names_no_other_unit(self, sample):
        names = sample.units.set_index("unit_id")["name"]
        for unit_id in ("motor-claims", "treasury", "finance"):
            words = " ".join(text_of(make(sample.unit(unit_id))) for make in SECTIONS)
            others = [name for other, name in names.items() if other != unit_id and name in words]
            assert others == [], unit_id

    def test_no_rank_of_units_stands_in_a_handout(self, sample):
        words = " ".join(text_of(make(sample.unit("property-claims"))) for make in SECTIONS).lower()
        assert not re.search(r"\branked \d|\brank \d|\brank of\b|\bplace \d|\d(st|nd|rd|th) of \d|\bunit_rank", words)

    def test_what_it_is_for_and_what_not_stands_on_every_page(self, sample):
        for unit_id in ("motor-claims", "treasury", "*"):
            words = text_of(handout.method(sample.unit(unit_id)))
            for sentence in sentences.standing_sentences(sample):
                assert sentence in words
            assert "not yet validated" in words
        front = text_of(handout.front(sample.unit("treasury")))
        assert "Synthetic sample" in front

    def test_every_figure_has_words_numbers_and_both_widths(self, sample):
        sections = chain((make(sample.unit("motor-claims")) for make in SECTIONS), (make(sample) for make in PORTFOLIO))
        figures = [part for section in sections for part in section if isinstance(part, Figure)]
        assert len(figures) >= 15
        for shown in figures:
            payload = shown.payload()
            assert payload["title"]
            assert payload["subtitle"]
            assert len(payload["description"]) > 20, shown.name
            assert payload["rows"], shown.name
            assert payload["wide"] != payload["narrow"]

    def test_up_to_three_actions_with_reason_first_step_and_owner(self, sample):
        front = text_of(handout.front(sample.unit("motor-claims")))
        assert front.count("First step:") == 3

    def test_up_to_four_key_figures(self, sample):
        from aiready.pages.key_figures import key_figures

        for unit_id in sample.units["unit_id"]:
            assert len(key_figures(sample.unit(unit_id))) <= 4

    def test_numbers_in_the_profile_are_those_of_the_measures(self, sample):
        unit = sample.unit("motor-claims")
        rows = views.profile(unit).set_index("barrier_id")
        for barrier_id in unit.rules.barriers["barrier_id"]:
            assert rows.loc[barrier_id, "perception"] == unit.cell("perception", barrier_id=barrier_id).value
            whole = unit.cell("perception", barrier_id=barrier_id, unit_id=ORGANISATION).value
            assert rows.loc[barrier_id, "organisation_perception"] == whole

    def test_answers_to_an_item_add_up(self, sample):
        for unit_id in ("motor-claims", "*"):
            rows = views.answers(sample.unit(unit_id), FIT)
            total = rows.groupby("item_id")["share"].sum()
            assert total.between(0.85, 1.0 + 1e-9).all()

    def test_answers_to_a_barrier_are_those_to_its_own_items(self, sample):
        unit = sample.unit("motor-claims")
        asked = unit.rules.items.groupby("barrier_id")["item_id"].agg(set)
        for barrier_id, items in asked.items():
            assert set(views.answers(unit, barrier_id)["item_id"]) == items
        other = replace(unit, tables={**unit.tables, "items": unit.items[~unit.items["item_id"].isin(asked[FIT])]})
        nothing = views.answers(other, FIT)
        assert nothing.empty and list(nothing) == list(views.answers(unit, FIT))
        nobody = views.answers(replace(unit, tables={**unit.tables, "items": unit.items.iloc[:0]}), FIT)
        assert nobody.empty and set(nobody) <= set(nothing)

    def test_a_trend_draws_records_only_where_the_same_indicators_count(self, sample):
        rows = views.trend(sample.unit("motor-claims"))
        assert set(rows["voice"]) <= {"perception", "practice"}
        assert rows.loc[rows["voice"] == "practice", ["low", "high"]].isna().all(axis=None)

    def test_an_earlier_wave_shows_nothing_later(self, sample):
        rows = views.trend(sample.unit("motor-claims").at("2026-Q1"))
        assert set(rows["wave"]) <= {"2025-Q4", "2026-Q1"}


class TestPortfolio:
    def test_asks_for_decisions_first(self, sample):
        asked = portfolio.decisions_asked(sample)
        assert list(asked.columns) == ["decision", "about", "why"]
        assert list(dict.fromkeys(asked["decision"])) == ["grow", "stop", "owner", "help"]
        front = text_of(portfolio.front(sample))
        assert front.index("Asked of this meeting: let two pilots grow") < front.index("Possible hours realised")

    def test_asks_to_grow_and_to_stop_only_what_has_not_grown_or_stopped(self, sample):
        asked = portfolio.decisions_asked(sample).set_index("decision")["about"]
        stage = sample.initiatives.set_index("name")["stage"]
        grow, stop = ([name.split(" (")[0] for name in asked.loc[[kind]]] for kind in ("grow", "stop"))
        assert not {"scaled", "stopped"} & set(stage[grow])
        assert "stopped" not in set(stage[stop])

    def test_places_every_initiative_whose_use_and_way_to_the_target_are_known(self, sample):
        rows = portfolio.adoption_progress(sample).set_index("initiative")
        register = sample.initiatives.set_index("name")
        assert len(rows) > 30
        for name, row in rows.iterrows():
            assert row["progress"] == pytest.approx(register.loc[name, "progress"])
        assert rows.loc["Knowledge search", "adoption"] == sample.cell("adoption", "knowledge-search").value

    def test_units_of_one_name_are_told_apart(self, sample):
        units = sample.units.assign(name=["Claims"] * 2 + list(sample.units["name"][2:]))
        twins = Assessment({**sample.tables, "units": units}, sample.rules, sample.facts)
        rows = unit_comparison.unit_profile(twins)
        assert rows["unit"].nunique() == len(units)
        assert text_of(portfolio.barriers(twins))

    def test_many_units_stand_in_several_pictures_in_order(self, sample):
        count = 60
        units = pd.DataFrame({"unit_id": [f"u{i}" for i in range(count)], "name": [f"Unit {i}" for i in range(count)]})
        one = sample.barriers.loc[sample.barriers["unit_id"] == "motor-claims"]
        rows = pd.concat([one.assign(unit_id=unit_id) for unit_id in units["unit_id"]])
        many = Assessment({**sample.tables, "units": units.assign(parent_id=None), "barriers": rows}, sample.rules,
                          sample.facts)  # fmt: skip
        figures = [part for part in portfolio.barriers(many) if isinstance(part, Figure)]
        assert len(figures) == 3
        assert [row[0] for shown in figures for row in shown.payload()["rows"]] == list(units["name"])

    def test_hours_of_a_unit_add_up_to_what_is_possible(self, sample):
        rows = portfolio.unit_hours(sample)
        for unit in ("Motor claims", "Contact centre"):
            unit_id = sample.units.set_index("name")["unit_id"][unit]
            possible = sample.cell("potential_hours", unit_id=unit_id).value
            assert rows.loc[rows["unit"] == unit, "hours"].sum() == pytest.approx(possible)

    def test_units_stand_in_the_order_of_the_organisation(self, sample):
        rows = unit_comparison.unit_profile(sample)
        order = list(dict.fromkeys(rows["unit_id"]))
        parent = sample.units.set_index("unit_id")["parent_id"].dropna()
        assert sorted(order) == sorted(sample.units["unit_id"])
        for child, above in parent.items():
            assert order.index(above) < order.index(child)

    def test_every_section_can_be_read(self, sample):
        for make in PORTFOLIO:
            words = text_of(make(sample))
            assert not re.search(r"\bnan\b|\bNone\b|\bNaT\b", words), make.__name__

    def test_a_hidden_unit_is_named_as_hidden_and_shows_no_number(self, sample):
        assert "Treasury" in text_of(portfolio.absent(sample))
        rows = unit_comparison.unit_profile(sample).set_index("unit_id").loc["treasury"]
        assert rows[["perception", "score"]].isna().all(axis=None)
