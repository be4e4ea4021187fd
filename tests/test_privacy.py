import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from typed_tables import data_of

from aiready.errors import InfrastructureError
from aiready.inputs import row_accounting
from aiready.instrument.model import Settings, read_instrument
from aiready.measures.survey import respondents, scales
from aiready.model.registry import BOUNDS, COLUMNS, MEASURES, ORGANISATION, UNGATED_COLUMNS
from aiready.privacy import gate
from aiready.privacy.segments import flat_segments
from aiready.privacy.suppressed_cells import RecordContributors, survey_cells

MINIMUM = 5
PARTS = {"all": ["doing", "leading"], "doing": ["frontline", "technical"], "leading": ["manager", "executive"]}
FLAT = pd.DataFrame({"unit_id": ["A", "B", "C"], "parent_id": [None, None, None]})
NESTED = pd.DataFrame({"unit_id": ["T", "A", "B", "C"], "parent_id": [None, "T", "T", "T"]})


def people(**counts):
    """Scored people of each unit, as frontline; a dict gives them by role."""
    rows = [
        (unit_id, "2026-Q3", role, n)
        for unit_id, given_counts in counts.items()
        for role, n in (given_counts if isinstance(given_counts, dict) else {"frontline": given_counts}).items()
    ]
    return pd.DataFrame(rows, columns=["unit_id", "wave", "role", "n"])


def hidden_in(scored, units=FLAT, segment="all", **given_settings):
    cells = survey_cells(scored, units, Settings(**given_settings))
    rows = cells[(cells["segment"] == segment) & cells["hidden"].astype(bool)]
    return set(rows["unit_id"])


def row(measure, value, n, unit_id="A", segment="all", barrier_id="", behind=None, **other):
    known = MEASURES[measure]
    about = {"unit_id": unit_id, "wave": "2026-Q3", "table": known.table, "barrier_id": barrier_id, "unit": known.unit}
    numbers = {"value": value, "low": value - 1, "high": value + 1, "n": n, "people": n if behind is None else behind}
    return about | {"measure": measure, "segment": segment, "status": "ok", "note": "why"} | numbers | other


def behind(scored, units):
    """Who stands behind a survey in which everybody answered everything."""
    every = scored.rename(columns={"n": "x"}).assign(items="x")
    pattern = survey_cells(scored, units, Settings())
    return gate.SurveyContributors(pattern, every, scored, scored, scored, every)


def people_of(table, **sizes):
    """As many people behind each unit's records (or unit and segment), none of them in two."""
    rows = [(unit, "2026-Q3", segment, f"{unit} {segment} {at}", 1.0)
            for unit, by in sizes.items() for segment, n in (by if isinstance(by, dict) else {"x": by}).items()
            for at in range(n)]  # fmt: skip
    table_rows = pd.DataFrame(rows, columns=["unit_id", "wave", "part", "person", "n"])
    return {table: RecordContributors(table_rows, ("n",), flat_segments(sorted(table_rows["part"].unique())))}


def protected(rows, scored, units=FLAT, records=None):
    made = pd.DataFrame(rows).reindex(columns=UNGATED_COLUMNS)
    hidden = gate.suppression_pattern(behind(scored, units), records or {}, units, Settings())
    found = gate.protect_measures(made, hidden, Settings())
    assert list(found.columns) == [*COLUMNS, *BOUNDS]
    return found


ENOUGH = people(A=20, B=20, C=20)


class TestMeans:
    """Organisation n 40 mean 60; A 20/65, B 16/58, C 4: without B hidden C would be 43.0 exactly."""

    scored = people(A=20, B=16, C=4)

    def test_the_visible_means_would_give_the_hidden_one_away(self):
        assert (40 * 60 - 20 * 65 - 16 * 58) / 4 == 43.0

    def test_so_the_next_smallest_unit_is_hidden_too(self):
        assert hidden_in(self.scored) == {"B", "C"}

    def test_and_no_number_of_either_is_left(self):
        rows = [
            row("perception", mean, n, unit_id, barrier_id="context_fit")
            for unit_id, mean, n in (("*", 60.0, 40), ("A", 65.0, 20), ("B", 58.0, 16), ("C", 43.0, 4))
        ]
        found = protected(rows, self.scored).set_index("unit_id")
        assert found["status"].to_dict() == {"*": "ok", "A": "ok", "B": "suppressed", "C": "suppressed"}
        assert found.loc[["B", "C"], ["value", "low", "high", "n"]].isna().all(axis=None)
        assert not found.loc[["B", "C"], "note"].str.contains(r"\d").any()

    def test_a_single_unit_above_the_minimum_hides_nothing(self):
        assert hidden_in(people(A=20, B=16, C=5)) == set()

    def test_two_hidden_units_that_together_are_too_few_take_a_third_with_them(self):
        assert hidden_in(people(A=20, B=2, C=2)) == {"A", "B", "C"}

    def test_zero_people_are_hidden_as_well(self):
        assert {"C"} <= hidden_in(people(A=20, B=16, C=0))

    def test_a_larger_minimum_hides_more(self):
        assert hidden_in(self.scored, minimum_group=18) >= {"B", "C"}


def test_a_parent_that_shows_its_total_needs_two_hidden_children():
    assert hidden_in(people(A=20, B=16, C=4), NESTED) == {"B", "C"}


@pytest.mark.slow
def test_a_role_group_that_is_too_small_hides_the_other_side_but_not_the_whole():
    scored = people(
        A={"frontline": 20, "manager": 3}, B={"frontline": 20, "manager": 9}, C={"frontline": 20, "manager": 9}
    )
    assert hidden_in(scored, segment="leading") >= {"A"}
    assert hidden_in(scored, segment="doing") >= {"A"}
    assert hidden_in(scored, segment="all") == set()


def test_people_without_a_role_are_a_child_that_is_never_published():
    scored = people(A={"frontline": 20, "manager": 9, None: 2}, B={"frontline": 30, "manager": 9, None: 8})
    cells = survey_cells(scored, FLAT.head(2), Settings())
    assert "no role" not in set(cells["segment"])
    shown = cells[(cells["unit_id"] == "A") & ~cells["hidden"].astype(bool)].set_index("segment")["n"]
    assert not {"doing", "leading"} <= set(shown.index)  # all - doing - leading would be the two without a role


def test_shares_of_nobody_and_of_everybody_are_blurred_in_the_survey():
    rows = [row("dont_know_share", value, 20, "A", segment) for value, segment in ((0.0, "all"), (1.0, "doing"))]
    rows += [row("adoption", 0.0, 20), row("dont_know_share", 0.5, 20, "B"), row("perception", 0.0, 20, "B")]
    sides = {"frontline": 20, "manager": 20}
    found = protected(rows, people(A=sides, B=sides, C=sides))
    assert found["status"].eq("ok").all()
    nobody, everybody, *rest = found[["value", "low", "high", "note"]].itertuples(index=False)
    assert np.isnan(nobody.value)
    assert (nobody.low, nobody.high, nobody.note) == (0.0, 0.05, "<= 5 %")
    assert np.isnan(everybody.value)
    assert (everybody.low, everybody.high, everybody.note) == (0.95, 1.0, ">= 95 %")
    assert [kept.value for kept in rest] == [0.0, 0.5, 0.0]


def test_a_role_gap_with_a_hidden_side_is_hidden():
    sides = {"frontline": 20, "manager": 9}
    scored = people(A={"frontline": 20, "manager": 3}, B=sides, C=sides)
    rows = [row("role_gap", -0.25, 23, unit_id, barrier_id="context_fit") for unit_id in "ABC"]
    found = protected(rows, scored).set_index("unit_id")["status"]
    assert found["A"] == "suppressed"
    assert (found == "suppressed").sum() < 3


def test_a_change_with_a_hidden_earlier_wave_is_hidden():
    now, before = people(A=20, B=16, C=9), people(A=20, B=16, C=4).assign(wave="2026-Q2")
    rows = [row("change", 3.0, n, unit_id, barrier_id="context_fit") for unit_id, n in (("A", 20), ("B", 16), ("C", 9))]
    rows += [row("perception", 60.0, 9, "C", barrier_id="context_fit")]
    found = protected(rows, pd.concat([now, before]))
    assert found["status"].tolist() == ["ok", "suppressed", "suppressed", "ok"]


def test_shrunk_values_and_differences_inherit_the_status_of_the_raw_cell():
    names = ("perception", "perception_shrunk", "difference_from_rest", "rwg_j")
    rows = [row(name, 43.0, 4, "C", barrier_id="context_fit") for name in names]
    assert protected(rows, people(A=20, B=16, C=4))["status"].eq("suppressed").all()


def test_what_was_never_measured_is_not_called_hidden():
    rows = [row("perception", np.nan, np.nan, "C", status="not_measured"), row("perception", 60.0, 20, "A")]
    assert protected(rows, people(A=20, B=16, C=4))["status"].tolist() == ["not_measured", "ok"]


@pytest.mark.slow
def test_hours_of_a_job_with_four_holders_are_hidden_and_so_is_one_that_would_give_them_away():
    jobs = {"clerk": (900.0, 12), "agent": (700.0, 9), "expert": (300.0, 4)}
    rows = [row("potential_hours", hours, n, "A", job) for job, (hours, n) in jobs.items()]
    rows += [row("potential_hours", 1900.0, 25, "A"), row("potential_hours", 1900.0, 25, "*")]
    holders = people_of("tasks", A={job: n for job, (_, n) in jobs.items()})
    found = protected(rows, people(A=20), FLAT.head(1), holders).set_index(["unit_id", "segment"])["status"]
    assert found["A", "expert"] == found["A", "agent"] == "suppressed"
    assert found["A", "all"] == found["A", "clerk"] == "ok"


def test_exposure_describes_the_work_and_is_shown_whoever_does_it():
    rows = [row("exposure_beta", 0.4, 12, "A", behind=np.nan)]
    assert protected(rows, people(A=20))["status"].tolist() == ["ok"]


def test_decisions_of_four_people_are_hidden():
    rows = [
        row("over_reliance", 0.5, 400, unit_id, behind=n) for unit_id, n in (("A", 4), ("B", 30), ("C", 12), ("*", 46))
    ]
    deciders = people_of("decisions", A=4, B=30, C=12)
    found = protected(rows, people(A=20, B=20, C=20), records=deciders).set_index("unit_id")
    assert found["status"].to_dict() == {"A": "suppressed", "B": "ok", "C": "suppressed", "*": "ok"}
    assert found.loc[["A", "C"], "note"].tolist() == [gate.FEW, gate.PROTECTS]


class TestDistributions:
    def answers(self, n, shares=(0.0, 0.2, 0.3, 0.5, 0.0), unit_id="A"):
        levels = [*map(str, range(1, 6))]
        about = {"unit_id": unit_id, "wave": "2026-Q3", "item_id": "x", "segment": "all", "status": "ok", "people": n}
        return pd.DataFrame({"level": levels, "share": shares, "n": [round(share * n) for share in shares]}).assign(
            **about
        )

    def shown(self, table, scored=ENOUGH):
        hidden = gate.suppression_pattern(behind(scored, FLAT), {}, FLAT, Settings())
        return gate.protect_items(table, hidden, Settings())

    @pytest.mark.slow
    @pytest.mark.parametrize(("n", "status"), [(9, "suppressed"), (10, "ok")])
    def test_are_shown_from_ten_people(self, n, status):
        found = self.shown(self.answers(n))
        assert found["status"].eq(status).all()
        assert found["share"].isna().all() == (status == "suppressed")

    def test_blur_levels_that_nobody_or_everybody_chose(self):
        found = self.shown(self.answers(20)).set_index("level")
        assert found["share"].notna().to_dict() == {"1": False, "2": True, "3": True, "4": True, "5": False}
        assert found["note"].to_dict() == {"1": "<= 5 %", "2": "", "3": "", "4": "", "5": "<= 5 %"}

    def test_give_the_answers_a_share_is_among_and_not_those_on_the_level(self):
        assert self.shown(self.answers(20))["n"].eq(20).all()

    def test_are_hidden_where_the_cell_is(self):
        assert self.shown(self.answers(16, unit_id="B"), people(A=20, B=16, C=4))["status"].eq("suppressed").all()


@cache
def many_units(count=6):
    return pd.DataFrame({"unit_id": [f"u{i}" for i in range(count)], "parent_id": [None, None, "u0", "u0", "u1", "u1"]})


roles = st.fixed_dictionaries({"frontline": st.integers(0, 12), "manager": st.integers(0, 7)})


@pytest.mark.slow
@examples(15)
@given(st.lists(roles, min_size=4, max_size=4))
def test_no_hidden_cell_of_any_survey_can_be_placed_within_less_than_five(counts):
    scored = people(**{f"u{i + 2}": given_counts for i, given_counts in enumerate(counts)})
    cells = survey_cells(scored, many_units(), Settings()).set_index(["unit_id", "segment"])
    printed = cells["n"].where(~cells["hidden"].astype(bool))
    assert not (printed < MINIMUM).any()
    assert narrowly_placed(printed, many_units(), set(cells.index[cells["n"] == 0])) == []


def narrowly_placed(printed, units, empty=frozenset()):
    """Hidden cells that an outsider can place within less than `MINIMUM`: (cell, low, high).

    `printed`: n by unit x segment, missing where hidden. The outsider knows the hierarchy, that units make up
    their parent and parts their whole (`PARTS`), that no count is negative, and in which cells (`empty`) nobody is.
    """
    parent = units.set_index("unit_id")["parent_id"].fillna(ORGANISATION).replace("", ORGANISATION)
    segments = set(printed.index.get_level_values(1))
    sums = [((unit, whole), [(unit, part) for part in parts]) for unit in [*parent.index, ORGANISATION]
            for whole, parts in PARTS.items() if {whole, *parts} <= segments]  # fmt: skip
    sums += [((total, segment), [(child, segment) for child in children])
             for total, children in parent.groupby(parent).groups.items() for segment in segments]  # fmt: skip
    cells = dict.fromkeys([*printed.index, *(cell for total, parts in sums for cell in (total, *parts))])
    place = {cell: number for number, cell in enumerate(cells)}
    equal = np.zeros((len(sums), len(place)))
    for number, (total, parts) in enumerate(sums):
        equal[number, place[total]] = -1
        equal[number, [place[part] for part in parts]] = 1
    known = printed.to_dict()
    bounds = [(0, 0) if cell in empty else (0, None) if np.isnan(known.get(cell, np.nan)) else (known[cell],) * 2
              for cell in place]  # fmt: skip
    ends = [
        (cell, *(reached(place[cell], sign, equal, bounds) for sign in (1, -1)))
        for cell in printed.index[printed.isna()]
        if cell not in empty
    ]
    return [(cell, low, high) for cell, low, high in ends if high - low < MINIMUM - 1e-6]


def reached(place, sign, equal, bounds):
    """Least (sign 1) or greatest (sign -1) value of one cell."""
    aim = np.zeros(equal.shape[1])
    aim[place] = sign
    solved = linprog(aim, A_eq=equal, b_eq=np.zeros(len(equal)), bounds=bounds, method="highs")
    return np.inf if solved.status == 3 else float(solved.x[place])


def test_the_attack_works_where_only_small_cells_are_hidden():
    printed = pd.Series({("A", "all"): 20, ("B", "all"): 16, ("C", "all"): np.nan, ("*", "all"): 40}, dtype=float)
    assert narrowly_placed(printed, FLAT) == [(("C", "all"), 4.0, 4.0)]


class TestSample:
    """What was published of the sample, attacked from outside."""

    def waves(self, sample):
        return sorted(sample.barriers["wave"].unique())

    def test_no_visible_cell_of_the_survey_stands_for_fewer_than_five(self, sample):
        rows = sample.measures[sample.measures["table"] == "responses"]
        assert rows["n"].dropna().ge(MINIMUM).all()
        assert sample.items["n"].dropna().ge(10).all()
        assert sample.explain.loc[sample.explain["kind"] == "item", "n"].dropna().ge(MINIMUM).all()
        assert sample.barriers["n"].dropna().ge(MINIMUM).all()
        assert sample.facets["says_n"].dropna().ge(10).all()

    def test_treasury_has_no_number_from_the_survey_in_any_table(self, sample):
        mine = {name: rows[rows["unit_id"] == "treasury"] for name, rows in sample.tables.items() if "unit_id" in rows}
        said = mine["measures"][mine["measures"]["table"] == "responses"]
        assert set(said["status"]) <= {"suppressed", "not_measured"}
        assert said[["value", "low", "high", "n"]].isna().all(axis=None)
        hidden = ["perception", "perception_low", "perception_high", "n", "score", "low", "high", "say_do_gap"]
        ranks = ["unit_rank_low", "unit_rank_high", "priority_low", "priority_high"]
        assert mine["barriers"][[*hidden, *ranks]].isna().all(axis=None)
        assert mine["barriers"]["flag"].eq("").all()
        assert mine["items"][["n", "share"]].isna().all(axis=None)
        assert mine["themes"][["value", "low", "high", "n"]].isna().all(axis=None)
        of_items = mine["explain"][mine["explain"]["kind"] == "item"]
        assert of_items[["value", "points", "points_at_least", "n", "coverage"]].isna().all(axis=None)
        assert mine["facets"]["says"].isna().all()

    def test_at_most_a_quarter_of_the_segment_cells_is_hidden(self, sample):
        rows = sample.measures[(sample.measures["measure"] == "perception") & (sample.measures["segment"] != "all")]
        assert 0 < rows["status"].eq("suppressed").mean() <= 0.25

    @pytest.mark.parametrize("number", range(4))
    def test_no_hidden_cell_can_be_placed_within_less_than_five_by_printed_counts(self, sample, number):
        wave = self.waves(sample)[number]
        rows = sample.measures[(sample.measures["measure"] == "perception") & (sample.measures["wave"] == wave)]
        assert rows["status"].eq("suppressed").any()
        for _, of_barrier in rows.groupby("barrier_id"):
            printed = of_barrier.set_index(["unit_id", "segment"])["n"]
            assert narrowly_placed(printed, sample.units) == []

    def test_no_hidden_rate_of_answers_can_be_placed_by_printed_rates(self, sample):
        """A response rate with its n is a count of people."""
        rows = sample.measures[(sample.measures["measure"] == "response_rate") & (sample.measures["segment"] == "all")]
        for _, of_wave in rows.groupby("wave"):
            printed = (of_wave["value"] * of_wave["n"]).set_axis(of_wave.set_index(["unit_id", "segment"]).index)
            assert printed.isna().any()
            assert narrowly_placed(printed, sample.units) == []

    def test_no_hidden_distribution_is_the_difference_of_visible_ones(self, sample):
        """Where a total is visible, no single one of its parts is hidden: it would be what the others leave."""
        asked = sample.rules.items.set_index("item_id")["roles"]
        groups = {"doing": {"frontline", "technical"}, "leading": {"manager", "executive"}}
        parent = sample.units.set_index("unit_id")["parent_id"].fillna(ORGANISATION)
        rows = sample.items[sample.items["level"] == "1"]
        table = rows.pivot(index=["wave", "item_id", "unit_id"], columns="segment", values="n").reset_index()
        both = pd.Series(
            [
                bool(groups["doing"] & set(asked[item])) and bool(groups["leading"] & set(asked[item]))
                for item in table["item_id"]
            ]
        )
        sides = table[["doing", "leading"]].isna().sum(axis=1)
        assert table[both & table["all"].notna() & (sides == 1)].empty
        assert table[both & table["all"].notna() & (sides == 0)].size
        for segment in ("all", "doing", "leading"):
            hidden = (
                table[segment].isna().groupby([table["wave"], table["item_id"], table["unit_id"].map(parent)]).sum()
            )
            total = table.set_index(["wave", "item_id", "unit_id"])[segment].reindex(hidden.index)
            assert hidden[total.notna() & (hidden == 1)].empty


def test_the_handout_of_treasury_shows_no_number_about_its_people(reports_folder):
    page = (reports_folder / "units" / "treasury.html").read_text()
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "What people answered here is not shown" in words
    assert "fewer than 5 gave answers that count" in words
    words = words.replace("fewer than 5 people", "")
    assert not re.search(r"\d+ (of \d+ )?(people|respondents|answers)\b(?!; distributions)", words)
    assert not re.search(r"(People say|put it at|answered) \(?\d", words)
    for figure in (": what people answered", "What each group says", "How far each barrier is overcome", "Both voices"):
        assert figure not in words


def test_the_handout_of_a_unit_names_no_other_unit(reports_folder, sample):
    others = sample.units.loc[sample.units["unit_id"] != "treasury", ["unit_id", "name"]]
    page = (reports_folder / "units" / "treasury.html").read_text()
    for unit in others.itertuples():
        assert unit.name not in page
        assert unit.unit_id not in page


def test_a_scale_that_nobody_was_asked_hides_nobody():
    """A survey of one barrier is a survey: the other scales have no respondents to protect."""
    rules = read_instrument()
    data = data_of({"responses": [{"unit_id": "a", "role": "frontline"}] * 12}, {"a": None})
    data.table("responses")["team_goal"] = [3.0] * 12
    data.table("responses")["purpose_told"] = [4.0] * 12
    data.table("responses")["target_figure"] = [2.0] * 12
    cells = survey_cells(respondents.scored_people(scales.read_survey(data, rules)), data.units, rules.settings)
    assert cells.loc[~cells["hidden"], "segment"].unique().tolist() == ["all", "doing", "frontline"]
    assert set(cells.loc[~cells["hidden"], "n"]) == {12}


def test_a_smaller_minimum_is_a_choice_and_zero_is_the_default():
    assert Settings().minimum_group == MINIMUM
    assert replace(Settings(), minimum_group=3).minimum_group == 3


class TestSpread:
    """Mean and spread together give every score of a few people away."""

    def rows(self, measure, people_behind, **other):
        return protected(
            [row(measure, 60.0, people_behind, barrier_id="context_fit", **other)], people(A=30, B=30, C=30)
        )

    @pytest.mark.parametrize(("n", "interval"), [(9, False), (10, True)])
    @pytest.mark.parametrize("measure", ["perception", "change", "difference_from_rest"])
    def test_survey_figures_of_fewer_than_ten_people_carry_no_interval(self, measure, n, interval):
        found = self.rows(measure, n).iloc[0]
        assert (found["status"], found["value"], found["n"]) == ("ok", 60.0, n)
        assert found[["low", "high"]].notna().all() == interval

    def test_nor_a_p_value_in_words(self):
        noted = self.rows("difference_from_rest", 9, note="below the rest, adjusted p 0.034")["note"].iloc[0]
        assert noted == f"below the rest; {gate.NO_INTERVAL}"

    @pytest.mark.parametrize(("n", "status"), [(9, "suppressed"), (10, "ok")])
    def test_agreement_is_shown_from_ten_people(self, n, status):
        assert self.rows("rwg_j", n)["status"].tolist() == [status]

    def test_figures_of_records_keep_theirs(self):
        found = protected([row("adoption", 0.5, 6)], people(A=30, B=30, C=30)).iloc[0]
        assert found[["low", "high"]].notna().all()


def test_where_a_change_came_from_is_hidden_where_a_role_of_either_wave_is():
    sides = {"frontline": 20, "manager": 9}
    now = people(A=sides, B=sides, C=sides)
    before = people(A={"frontline": 20, "manager": 3}, B=sides, C=sides).assign(wave="2026-Q2")
    every = pd.concat([now, before])
    hidden = gate.suppression_pattern(behind(every, FLAT), {}, FLAT, Settings())
    rows = [(unit, "2026-Q3", "context_fit", source, 2.0, 9) for unit in "ABC" for source in ("role_mix", "answers")]
    sources = pd.DataFrame(rows, columns=["unit_id", "wave", "barrier_id", "source", "points", "people"])
    shown = gate.protect_sources(sources, hidden, Settings()).groupby("unit_id")["points"].count()
    assert shown["A"] == 0
    assert shown.max() == 2


def test_the_order_of_units_changes_nothing():
    """Two hierarchies in which the order of rows once decided whose numbers were hidden."""
    names = ("frontline", "manager", "technical", "executive")
    staff = {"works-a": (13, 4, 3, 2), "paint": (10, 0, 1, 1), "hr": (5, 3, 1, 0), "it": (13, 1, 0, 0)}
    parents = {"works": None, "works-a": "works", "paint": "works", "admin": None, "hr": "admin", "it": "admin"}
    scored = people(**{unit: dict(zip(names, sizes, strict=True)) for unit, sizes in staff.items()})
    outcomes = []
    for seed in range(6):
        order = list(np.random.default_rng(seed).permutation(list(parents)))
        units = pd.DataFrame({"unit_id": order, "parent_id": [parents[unit] for unit in order]})
        cells = survey_cells(scored.sample(frac=1, random_state=seed), units, Settings())
        outcomes.append(
            frozenset(cells.loc[cells["hidden"], ["unit_id", "segment"]].itertuples(index=False, name=None))
        )
    assert len(set(outcomes)) == 1


def test_siblings_without_answers_hide_nobody_else():
    quiet = pd.concat([FLAT, pd.DataFrame({"unit_id": ["D", "E"], "parent_id": [None, None]})])
    assert hidden_in(people(A=20, B=16, C=12, D=0), quiet) == {"D", "E"}
    assert hidden_in(people(A=20, B=16, C=4, D=0), quiet) == {"B", "C", "D", "E"}


def test_a_used_row_that_no_unit_counts_stops_the_run():
    rows = pd.DataFrame({"unit_id": ["a", "IT", "IT"]})
    membership = pd.DataFrame({"unit_id": ["a", "it"], "member_id": ["a", "it"]})
    row_accounting.verify_unit_coverage({"responses": rows.iloc[:1]}, membership, None)
    with pytest.raises(InfrastructureError, match=r"responses: rows are used that no unit counts \(IT\)"):
        row_accounting.verify_unit_coverage({"responses": rows}, membership, None)
