"""The survey's measures against numbers by hand, plain loops, and their own laws."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from effect_sizes import cliffs_delta
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures import survey
from aiready.measures.estimation.inference import welch_difference
from aiready.model import registry
from aiready.model.schema import DOES_NOT_APPLY, DONT_KNOW, ROLES
from aiready.privacy import release_record
from aiready.privacy import releases as history

EVERYBODY = tuple(ROLES)


def questionnaire(*items, **conventions):
    """An instrument from (item_id, barrier_id, roles, reverse_scored) tuples."""
    table = pd.DataFrame(
        [(item, barrier, roles, reverse, "work") for item, barrier, roles, reverse in items],
        columns=["item_id", "barrier_id", "roles", "reverse_scored", "theme"],
    )
    nothing = [pd.DataFrame()] * 6
    barriers = pd.DataFrame({"barrier_id": table["barrier_id"].unique()})
    return Instrument(barriers, table, *nothing, Settings(**conventions), "", "test", "digest")


def scale(barrier="trust", k=5, reverse=(), roles=EVERYBODY):
    return [(f"{barrier}_{place}", barrier, roles, place in reverse) for place in range(1, k + 1)]


TWO_SCALES = questionnaire(*scale("trust", 3), *scale("value", 3))


def folder(responses, parents=None, invitations=None, waves=None):
    """A data folder of `responses` (and `invitations`); `parents` maps unit to parent."""
    for column in ("role", "wave"):
        if column not in responses:
            responses = responses.assign(**{column: None if column == "role" else "2026-Q3"})
    parents = parents or {}
    ids = list(dict.fromkeys([*responses["unit_id"], *parents, *parents.values()]))
    units = pd.DataFrame({"unit_id": ids, "parent_id": [parents.get(unit) for unit in ids]}, dtype=object)
    tables = {"responses": responses.astype({"role": object})}
    if invitations is not None:
        tables["invitations"] = pd.DataFrame(invitations, columns=["unit_id", "wave", "role", "invited"])
    membership = pd.DataFrame(
        [(up, unit) for unit in ids for up in (*lineage(unit, parents), "*")],
        columns=["unit_id", "member_id"],
    )
    waves = waves or tuple(sorted(set(responses["wave"])))
    return Data(tables, units, membership, waves, waves[-1] if waves else "undated", None)


def lineage(unit, parents):
    return [unit, *(lineage(parents[unit], parents) if unit in parents else [])]


def answers(rows, items, unit="claims"):
    """Responses of one unit, one list of answers per person."""
    return pd.DataFrame(rows, columns=list(items), dtype=float).assign(unit_id=unit)


def invented(rules, n=240, seed=0, units=("claims", "cards", "loans"), waves=("2026-Q2", "2026-Q3"), effects=None):
    """Answers of n people with leanings, some blank, some without a level."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({
        "unit_id": rng.choice(np.array(units, dtype=object), n),
        "wave": rng.choice(np.array(waves, dtype=object), n),
        "role": rng.choice(np.array([*ROLES, None], dtype=object), n, p=[0.4, 0.2, 0.2, 0.15, 0.05]),
    })  # fmt: skip
    leaning = rng.normal(0, 0.6, n) + table["unit_id"].map(effects or {}).fillna(0).to_numpy()
    for item in rules.items["item_id"]:
        level = np.clip(np.round(3 + leaning + rng.normal(0, 0.9, n)), 1, rules.settings.scale_points)
        table[item] = rng.choice([1, 0], n, p=[0.85, 0.15])
        other = rng.choice([np.nan, DOES_NOT_APPLY, DONT_KNOW], n)
        table[item] = np.where(table[item] == 1, level, other)
    return table


def pick(made, measure, unit="claims", wave="2026-Q3", barrier="trust", segment="all"):
    rows = made[(made["measure"] == measure) & (made["unit_id"] == unit) & (made["wave"] == wave)]
    rows = rows[(rows["barrier_id"] == barrier) & (rows["segment"] == segment)]
    assert len(rows) == 1, f"{len(rows)} rows of {measure}"
    return rows.iloc[0]


class TestScaleScores:
    rules = questionnaire(*scale(k=5, reverse=(3,)))

    def scores(self, rows, rules=None):
        rules = rules or self.rules
        return survey.scale_scores(folder(answers(rows, list(rules.items["item_id"]))), rules)

    def test_half_rule_and_reversed_item_give_the_reference(self):
        made = self.scores([[4, np.nan, 2, 5, np.nan], [4, np.nan, np.nan, 5, np.nan]])
        assert made["score"].tolist() == pytest.approx([83.3333, np.nan], abs=1e-4, nan_ok=True)
        assert made["n_items"].tolist() == [3, 2]

    def test_does_not_apply_and_dont_know_are_missing(self):
        made = self.scores([[4, DOES_NOT_APPLY, 2, 5, DONT_KNOW]])
        assert made["score"].tolist() == pytest.approx([83.3333], abs=1e-4)

    def test_half_of_an_even_number_is_enough(self):
        made = self.scores([[5, 5, np.nan, np.nan], [5, np.nan, np.nan, np.nan]], questionnaire(*scale(k=4)))
        assert made["score"].tolist() == pytest.approx([100, np.nan], nan_ok=True)

    def test_only_items_the_role_is_asked_count(self):
        """An executive asked two of four items is scored on one; the answer not asked for is left out."""
        rules = questionnaire(*scale("trust", 2), *[(i, "trust", ("frontline",), False) for i in ("a", "b")])
        rows = pd.DataFrame(
            {
                "unit_id": "claims",
                "role": ["executive", "frontline"],
                "trust_1": 5.0,
                "trust_2": np.nan,
                "a": 1.0,
                "b": np.nan,
            }
        )
        made = survey.scale_scores(folder(rows), rules)
        assert made["score"].tolist() == [100, 50]
        assert made["n_items"].tolist() == [1, 2]
        assert made["segment"].tolist() == ["leading", "doing"]

    def test_one_item_on_two_points_spans_the_scale(self):
        made = self.scores([[1], [2]], questionnaire(*scale(k=1), scale_points=2))
        assert made["score"].tolist() == [0, 100]

    def test_without_responses_there_are_columns_and_no_rows(self):
        empty = replace(folder(answers([[1] * 5], list(self.rules.items["item_id"]))), tables={})
        assert "score" in survey.scale_scores(empty, self.rules)

    @pytest.mark.slow
    @examples(60)
    @given(
        st.lists(st.sampled_from([1, 2, 3, 4, 5, np.nan, DOES_NOT_APPLY, DONT_KNOW]), min_size=5, max_size=5),
        st.integers(0, 4),
    )
    def test_a_missing_answer_never_moves_a_score_out_of_range(self, row, gone):
        gap = [np.nan if place == gone else answer for place, answer in enumerate(row)]
        scores = self.scores([row, gap])["score"].dropna()
        assert scores.between(0, 100).all()


class TestPerception:
    def twelve(self, invited=None):
        rows = answers(
            [[x] * 3 + [3] * 3 for x in (1, 2, 3, 4, 5, 4, 3, 4, 5, 4, 2, 5)],
            list(TWO_SCALES.items["item_id"]),
        )
        invitations = None if invited is None else [("claims", "2026-Q3", None, float(invited))]
        return survey.measure(folder(rows, invitations=invitations), TWO_SCALES)

    def expected_half_width(self, correction=1.0):
        scores = (np.array([1, 2, 3, 4, 5, 4, 3, 4, 5, 4, 2, 5]) - 1) * 25
        return stats.t.isf(0.025, 11) * scores.std(ddof=1) / np.sqrt(12) * correction

    def test_mean_with_the_interval_of_a_sample_where_nobody_knows_how_many_were_asked(self):
        row = pick(self.twelve(), "perception")
        assert (row["value"], row["n"], row["people"], row["status"]) == (62.5, 12, 12, "ok")
        assert row["high"] - row["value"] == pytest.approx(self.expected_half_width())

    def test_interval_shrinks_with_the_share_of_people_who_answered(self):
        row = pick(self.twelve(invited=20), "perception")
        assert row["value"] - row["low"] == pytest.approx(self.expected_half_width(np.sqrt(1 - 12 / 20)))
        assert row["note"] == ""

    def test_more_answers_than_invitations_get_a_note_and_no_correction(self):
        row = pick(self.twelve(invited=11), "perception")
        assert row["value"] - row["low"] == pytest.approx(self.expected_half_width())
        assert "more answers than invitations" in row["note"]

    @pytest.mark.slow
    def test_below_thirty_percent_it_says_whom_it_describes(self):
        assert "describes the respondents only" in pick(self.twelve(invited=41), "perception")["note"]
        assert pick(self.twelve(invited=40), "perception")["note"] == ""

    def test_a_scale_nobody_answered_is_insufficient_and_has_nobody_behind_it(self):
        rows = answers([[3, 3, 3, np.nan, np.nan, np.nan]] * 6, list(TWO_SCALES.items["item_id"]))
        row = pick(survey.measure(folder(rows), TWO_SCALES), "perception", barrier="value")
        assert (row["status"], row["people"]) == ("insufficient", 0)
        assert np.isnan(row["value"])
        assert row["note"]

    @pytest.mark.slow
    def test_agrees_with_a_plain_loop_in_every_unit_and_segment(self):
        parents = {"claims": "operations", "cards": "operations"}
        data = folder(invented(TWO_SCALES), parents)
        made = survey.measure(data, TWO_SCALES)
        scores = survey.scale_scores(data, TWO_SCALES).dropna(subset="score")
        for row in made[(made["measure"] == "perception") & (made["status"] == "ok")].itertuples():
            members = data.membership.loc[data.membership["unit_id"] == row.unit_id, "member_id"]
            own = scores[scores["unit_id"].isin(members) & (scores["wave"] == row.wave)]
            own = own[own["barrier_id"] == row.barrier_id]
            if row.segment != "all":
                own = own[(own["segment"] == row.segment) | (own["role"] == row.segment)]
            assert (row.value, row.n) == (pytest.approx(own["score"].mean()), len(own))

    @pytest.mark.slow
    def test_units_have_three_segments_parents_and_the_organisation_also_the_roles(self):
        parents = {"claims": "operations", "cards": "operations"}
        made = survey.measure(folder(invented(TWO_SCALES), parents), TWO_SCALES)
        perception = made[made["measure"] == "perception"]
        by_unit = perception.groupby("unit_id")["segment"].agg(set)
        assert by_unit["claims"] == {"all", "doing", "leading"}
        assert by_unit["operations"] == by_unit["*"] == {"all", "doing", "leading", *ROLES}

    def test_a_segment_without_people_has_a_row_so_that_hiding_does_not_show(self):
        rows = answers([[3] * 6] * 6, list(TWO_SCALES.items["item_id"])).assign(role="frontline")
        row = pick(survey.measure(folder(rows), TWO_SCALES), "perception", segment="leading")
        assert (row["status"], row["people"]) == ("insufficient", 0)

    def test_people_without_a_role_count_in_all(self):
        rows = answers([[3] * 6] * 4 + [[5] * 6], list(TWO_SCALES.items["item_id"]))
        rows["role"] = ["frontline"] * 4 + [None]
        made = survey.measure(folder(rows), TWO_SCALES)
        assert pick(made, "perception")["n"] == 5
        assert pick(made, "perception", segment="doing")["n"] == 4

    def test_without_roles_there_are_no_segments(self):
        rows = answers([[3] * 6] * 6, list(TWO_SCALES.items["item_id"]))
        assert set(survey.measure(folder(rows), TWO_SCALES)["segment"]) == {"all"}

    def test_answers_of_units_a_unit_was_made_from_are_its_own(self):
        data = folder(answers([[3] * 6] * 6, list(TWO_SCALES.items["item_id"]), unit="claims-north"))
        now = pd.DataFrame({"unit_id": ["claims"], "parent_id": [None]})
        members = pd.DataFrame(
            [("claims", "claims"), ("claims", "claims-north"), ("*", "claims-north")],
            columns=["unit_id", "member_id"],
        )
        made = survey.measure(replace(data, units=now, membership=members), TWO_SCALES)
        assert pick(made, "perception")["n"] == 6


class TestCompleteness:
    parents = MappingProxyType({"claims": "operations", "cards": "operations"})

    def test_every_unit_has_every_measure_in_every_wave(self):
        table = invented(TWO_SCALES)
        table = table[(table["unit_id"] != "loans") | (table["wave"] == "2026-Q2")]
        made = survey.measure(folder(table, self.parents), TWO_SCALES)
        have = set(map(tuple, made[["unit_id", "wave", "measure"]].to_numpy()))
        units = ("*", "operations", "claims", "cards", "loans")
        want = {
            (u, w, m) for u in units for w in ("2026-Q2", "2026-Q3") for m in registry.measures_of_table("responses")
        }
        assert have == want

    def test_rows_have_the_shape_of_measures_and_no_duplicate(self):
        made = survey.measure(folder(invented(TWO_SCALES), self.parents), TWO_SCALES)
        assert list(made.columns) == list(registry.UNGATED_COLUMNS)
        assert not made.duplicated(list(registry.KEY)).any()
        assert made.loc[made["status"] != "ok", list(registry.NUMBERS)].isna().all(axis=None)
        assert made.loc[made["status"] == "insufficient", "note"].ne("").all()

    def test_a_unit_without_answers_is_not_measured(self):
        made = survey.measure(folder(invented(TWO_SCALES), {"empty": "operations"}), TWO_SCALES)
        rows = made[made["unit_id"] == "empty"]
        assert set(rows["status"]) == {"not_measured"}
        assert rows["note"].str.contains("collect `responses`").all()

    def test_without_responses_every_unit_says_what_to_collect(self):
        data = replace(folder(invented(TWO_SCALES)), tables={})
        made = survey.measure(data, TWO_SCALES)
        assert set(made["status"]) == {"not_measured"}
        assert len(made) == 4 * len(registry.measures_of_table("responses"))
        for table in (survey.item_distributions, survey.themes, survey.differences, survey.unit_ranks):
            assert table(data, TWO_SCALES).empty
        for table in (survey.barrier_priorities, survey.change_sources):
            assert len(table(data, TWO_SCALES).columns) and table(data, TWO_SCALES).empty

    @pytest.mark.slow
    @examples(5)
    @given(st.integers(0, 99))
    def test_the_order_of_respondents_changes_nothing(self, seed):
        table = invented(TWO_SCALES, n=120)
        shuffled = table.sample(frac=1, random_state=seed).reset_index(drop=True)
        first, second = (survey.measure(folder(t, self.parents), TWO_SCALES) for t in (table, shuffled))
        key = list(registry.KEY)
        first, second = (made.sort_values(key).reset_index(drop=True) for made in (first, second))
        pd.testing.assert_frame_equal(first, second, rtol=1e-6)


class TestResponseRate:
    def rate(self, invitations, roles=("frontline",) * 6 + ("manager",) * 2, **where):
        rows = answers([[3] * 6] * len(roles), list(TWO_SCALES.items["item_id"])).assign(role=list(roles))
        made = survey.measure(folder(rows, invitations=invitations), TWO_SCALES)
        return pick(made, "response_rate", barrier="", **where)

    @pytest.mark.slow
    def test_answers_over_invitations_of_all_roles(self):
        by_role = [("claims", "2026-Q3", "frontline", 10.0), ("claims", "2026-Q3", "manager", 6.0)]
        row = self.rate(by_role)
        assert (row["value"], row["n"], row["people"]) == (0.5, 16, 8)
        assert self.rate(by_role, segment="doing")["value"] == 0.6

    def test_without_invitations_it_says_what_to_collect(self):
        row = self.rate(None)
        assert row["status"] == "not_measured"
        assert "collect `invitations`" in row["note"]

    @pytest.mark.slow
    def test_invitations_without_roles_know_no_segments(self):
        row = [("claims", "2026-Q3", None, 16.0)]
        assert self.rate(row)["value"] == 0.5
        with pytest.raises(AssertionError, match="0 rows"):
            self.rate(row, segment="doing")

    def test_a_parent_is_not_measured_where_one_of_its_units_does_not_know(self):
        table = pd.concat(
            [answers([[3] * 6] * 6, list(TWO_SCALES.items["item_id"]), unit) for unit in ("claims", "cards")]
        )
        invitations = [("claims", "2026-Q3", None, 12.0), ("loans", "2026-Q3", None, 99.0)]
        made = survey.measure(folder(table, {"cards": "sales"}, invitations), TWO_SCALES)
        assert pick(made, "response_rate", barrier="")["value"] == 0.5
        assert pick(made, "response_rate", barrier="", unit="sales")["status"] == "not_measured"
        assert pick(made, "response_rate", barrier="", unit="*")["status"] == "not_measured"

    def test_units_that_were_asked_and_kept_silent_lower_the_rate_of_their_parent(self):
        rows = answers([[3] * 6] * 6, list(TWO_SCALES.items["item_id"]))
        invitations = [("claims", "2026-Q3", None, 12.0), ("cards", "2026-Q3", None, 12.0)]
        made = survey.measure(folder(rows, {"claims": "sales", "cards": "sales"}, invitations), TWO_SCALES)
        assert pick(made, "response_rate", barrier="", unit="sales")["value"] == 0.25

    def test_nobody_invited_is_insufficient(self):
        assert self.rate([("claims", "2026-Q3", None, 0.0)])["status"] == "insufficient"


class TestShares:
    def test_dont_know_and_does_not_apply_are_shares_of_the_answers_given(self):
        rows = [[3, DONT_KNOW, DOES_NOT_APPLY], [3, 4, np.nan], [DONT_KNOW, DONT_KNOW, 3], [5, 5, 5]]
        rules = questionnaire(*scale(k=3))
        made = survey.measure(folder(answers(rows, list(rules.items["item_id"]))), rules)
        assert pick(made, "dont_know_share")["value"] == pytest.approx(3 / 11)
        assert pick(made, "not_applicable_share")["value"] == pytest.approx(1 / 11)
        assert pick(made, "dont_know_share")["n"] == 4

    def test_same_answer_throughout_shows_on_scales_with_a_reversed_item_only(self):
        rules = questionnaire(*scale("trust", 3, reverse=(3,)), *scale("value", 2))
        rows = [[4, 4, 4, 3, 3], [4, 4, 2, 3, 3], [1, np.nan, 1, 3, 3], [1, 1, np.nan, 3, 3]]
        made = survey.measure(folder(answers(rows, list(rules.items["item_id"]))), rules)
        row = pick(made, "straightliner_share")
        assert (row["value"], row["n"]) == (pytest.approx(2 / 3), 3)
        assert pick(made, "straightliner_share", barrier="value")["status"] == "insufficient"


class TestReliability:
    rules = questionnaire(*scale("trust", 3), ("extra", "trust", ("frontline",), False))

    def made(self):
        return survey.measure(folder(invented(self.rules)), self.rules)

    @pytest.mark.slow
    def test_alpha_is_of_the_organisation_on_the_items_common_to_all_roles(self):
        from pingouin import cronbach_alpha

        table = invented(self.rules)
        row = pick(self.made(), "cronbach_alpha", unit="*")
        own = table[table["wave"] == "2026-Q3"][["trust_1", "trust_2", "trust_3"]]
        own = own.where(own > 0).dropna()
        assert row["value"] == pytest.approx(cronbach_alpha(own)[0])
        assert row["n"] == len(own)

    @pytest.mark.slow
    def test_other_units_say_that_it_is_computed_for_the_organisation(self):
        for measure in ("cronbach_alpha", "mcdonald_omega", "icc1", "icc2"):
            row = pick(self.made(), measure, barrier="")
            assert (row["status"], row["note"]) == ("insufficient", "computed for the organisation only")

    @pytest.mark.slow
    def test_omega_is_near_alpha_and_needs_three_items(self):
        made = self.made()
        omega, alpha = (pick(made, name, unit="*")["value"] for name in ("mcdonald_omega", "cronbach_alpha"))
        assert omega == pytest.approx(alpha, abs=0.05)
        two = questionnaire(*scale("trust", 2))
        row = pick(survey.measure(folder(invented(two)), two), "mcdonald_omega", unit="*")
        assert row["status"] == "insufficient"

    def test_a_negative_alpha_says_what_to_do(self):
        rules = questionnaire(*scale(k=2))
        rows = answers([[1, 4], [2, 5], [3, 3], [4, 2], [5, 2]], list(rules.items["item_id"]))
        row = pick(survey.measure(folder(rows), rules), "cronbach_alpha", unit="*")
        assert row["value"] < 0
        assert "reversed" in row["note"]

    def test_agreement_gives_the_reference(self):
        rules = questionnaire(*scale(k=3))
        rows = answers([[4, 4, 5], [4, 5, 4], [5, 4, 4], [4, 4, 4], [3, 4, 4]], list(rules.items["item_id"]))
        assert pick(survey.measure(folder(rows), rules), "rwg_j")["value"] == pytest.approx(0.944444, abs=1e-6)

    def test_agreement_of_one_person_is_insufficient_and_of_opposites_none(self):
        rules = questionnaire(*scale(k=2))
        items = list(rules.items["item_id"])
        alone = pick(survey.measure(folder(answers([[4, 4]], items)), rules), "rwg_j")
        assert alone["status"] == "insufficient"
        opposites = pick(survey.measure(folder(answers([[1, 1], [5, 5]], items)), rules), "rwg_j")
        assert opposites["value"] == 0
        assert "more than by chance" in opposites["note"]


class TestComparisons:
    units = tuple(f"unit-{place}" for place in range(8))
    effects = MappingProxyType(dict(zip(units, np.linspace(-1.2, 1.2, 8), strict=True)))

    def data(self, effects=None, n=400, parents=None, seed=1):
        table = invented(TWO_SCALES, n, seed, self.units, ("2026-Q3",), effects)
        return folder(table, parents)

    def test_difference_is_welch_against_everybody_else(self):
        data = self.data(self.effects)
        found = survey.differences(data, TWO_SCALES).set_index(["unit_id", "barrier_id"])
        scores = survey.scale_scores(data, TWO_SCALES).dropna(subset="score").query("barrier_id == 'trust'")
        mine = scores["unit_id"] == "unit-2"
        theirs = stats.ttest_ind(scores.loc[mine, "score"], scores.loc[~mine, "score"], equal_var=False)
        row = found.loc[("unit-2", "trust")]
        assert row["p"] == pytest.approx(theirs.pvalue)
        assert row["value"] == pytest.approx(scores.loc[mine, "score"].mean() - scores.loc[~mine, "score"].mean())

    def test_p_is_adjusted_over_all_units_and_barriers(self):
        found = survey.differences(self.data(self.effects), TWO_SCALES)
        assert found["p_adjusted"].to_numpy() == pytest.approx(stats.false_discovery_control(found["p"]))

    def test_planted_differences_are_flagged_and_said(self):
        data = self.data(self.effects)
        flags = survey.differences(data, TWO_SCALES).set_index(["unit_id", "barrier_id"])["flag"]
        assert flags["unit-0", "trust"] == "below the rest"
        assert flags["unit-7", "value"] == "above the rest"
        row = pick(survey.measure(data, TWO_SCALES), "difference_from_rest", unit="unit-0")
        assert row["note"].startswith("below the rest, adjusted p 0.0")

    def test_a_sure_difference_of_a_few_points_is_not_flagged(self):
        rules = replace(TWO_SCALES, settings=replace(TWO_SCALES.settings, flag_points=99.0))
        assert set(survey.differences(self.data(self.effects), rules)["flag"]) == {""}

    def test_hidden_units_are_neither_tested_nor_counted(self):
        """One of four people, and the unit that hides beside it so that it cannot be worked out."""
        data = self.data(self.effects)
        few = answers([[1] * 6] * 4, list(TWO_SCALES.items["item_id"]), unit="tiny").assign(wave="2026-Q3", role=None)
        more = folder(pd.concat([data.table("responses"), few], ignore_index=True))
        found = survey.differences(more, TWO_SCALES)
        hidden = set(found.loc[found["p"].isna(), "unit_id"])
        assert "tiny" in hidden
        assert len(hidden) == 2
        rows = data.table("responses")
        without = survey.differences(folder(rows[~rows["unit_id"].isin(hidden)]), TWO_SCALES)
        pd.testing.assert_frame_equal(found[~found["unit_id"].isin(hidden)].reset_index(drop=True), without)

    def test_parents_are_not_compared_and_their_own_people_do_not_count(self):
        data = self.data(self.effects, parents={"unit-1": "unit-0"})
        found = survey.differences(data, TWO_SCALES)
        assert "unit-0" not in set(found["unit_id"])
        made = survey.measure(data, TWO_SCALES)
        row = pick(made, "difference_from_rest", unit="unit-0", barrier="")
        assert row["note"] == "compared between units without children only"

    @pytest.mark.slow
    def test_units_dealt_at_random_are_hardly_ever_flagged(self):
        flagged = [(survey.differences(self.data(seed=seed), TWO_SCALES)["flag"] != "").any() for seed in range(30)]
        assert np.mean(flagged) <= 0.10 + 2 * np.sqrt(0.1 * 0.9 / 30)

    def test_icc_comes_with_the_verdict_on_ranking(self):
        made = survey.measure(self.data(self.effects), TWO_SCALES)
        row = pick(made, "icc1", unit="*")
        scores = survey.scale_scores(self.data(self.effects), TWO_SCALES).dropna(subset="score")
        groups = [g["score"].to_numpy() for _, g in scores[scores["barrier_id"] == "trust"].groupby("unit_id")]
        f = stats.f_oneway(*groups).statistic
        n = np.array([len(g) for g in groups])
        n0 = (n.sum() - (n**2).sum() / n.sum()) / (len(n) - 1)
        assert row["value"] == pytest.approx((f - 1) / (f + n0 - 1))
        assert pick(made, "icc2", unit="*")["value"] == pytest.approx(1 - 1 / f)
        assert row["note"].startswith("units may")

    def test_ranks_only_where_units_agree_within_and_differ_between(self):
        allowed = survey.unit_ranks(self.data(self.effects), replace(TWO_SCALES, settings=Settings(rank_rwg=0.3)))
        assert (allowed["unit_rank_low"] <= allowed["unit_rank_high"]).all()
        best = allowed[(allowed["unit_id"] == "unit-7") & (allowed["barrier_id"] == "trust")].iloc[0]
        assert best["unit_rank_low"] == 1
        refused = survey.unit_ranks(self.data(), TWO_SCALES)
        assert refused["unit_rank_low"].isna().all()
        assert refused["verdict"].str.contains("may not be ranked").all()

    def test_shrunk_scores_lie_between_their_own_and_the_mean_of_all(self):
        made = survey.measure(self.data(self.effects), TWO_SCALES)
        raw, shrunk = (
            made[(made["measure"] == name) & made["unit_id"].isin(self.units) & (made["segment"] == "all")]
            .set_index(["unit_id", "barrier_id"])["value"]
            .sort_index()
            for name in ("perception", "perception_shrunk")
        )
        assert (shrunk.groupby("barrier_id").std() < raw.groupby("barrier_id").std()).all()
        assert (shrunk.groupby("barrier_id").rank() == raw.groupby("barrier_id").rank()).mean() > 0.8

    def test_fewer_than_five_units_are_not_shrunk(self):
        made = survey.measure(folder(invented(TWO_SCALES)), TWO_SCALES)
        row = pick(made, "perception_shrunk")
        assert (row["status"], row["note"]) == (
            "insufficient",
            "fewer than 5 units are large enough to compare",
        )

    def test_units_that_do_not_differ_are_said_not_to(self):
        rows = pd.concat(
            [answers([[1] * 6, [5] * 6] * 5, list(TWO_SCALES.items["item_id"]), unit) for unit in self.units]
        )
        row = pick(survey.measure(folder(rows), TWO_SCALES), "perception_shrunk", unit="unit-3")
        assert (row["value"], row["note"]) == (50, "no detectable differences between units")


class TestPriorities:
    items = tuple(TWO_SCALES.items["item_id"])

    def test_a_barrier_that_everybody_puts_lower_is_the_weakest(self):
        rng = np.random.default_rng(4)
        leaning = rng.integers(2, 5, 30)
        rows = answers([[x - 1] * 3 + [x] * 3 for x in leaning], list(TWO_SCALES.items["item_id"]))
        made = survey.barrier_priorities(folder(rows), TWO_SCALES).query("unit_id == 'claims'").set_index("barrier_id")
        assert made.loc["trust", ["priority_low", "priority_high", "weakest"]].tolist() == [1, 1, True]
        assert made.loc["value", ["priority_low", "priority_high", "weakest"]].tolist() == [2, 2, False]

    def test_barriers_that_are_close_are_among_the_weakest(self):
        rows = answers([[2] * 3 + [3] * 3, [3] * 3 + [2] * 3] * 5 + [[2] * 3 + [3] * 3], self.items)
        made = survey.barrier_priorities(folder(rows), TWO_SCALES)
        assert (made["priority_low"] == 1).all()
        assert not made["weakest"].any()

    def test_below_the_minimum_group_there_is_no_priority(self):
        rows = answers([[1] * 3 + [5] * 3] * 4, list(TWO_SCALES.items["item_id"]))
        made = survey.barrier_priorities(folder(rows), TWO_SCALES)
        assert made["priority_low"].isna().all()
        assert not made["weakest"].any()


class TestRoleGap:
    rules = questionnaire(*scale("trust", 2), ("desk", "trust", ("frontline", "technical"), False))

    def test_units_compare_doing_with_leading_on_the_items_both_are_asked(self):
        table = invented(self.rules)
        row = pick(survey.measure(folder(table), self.rules), "role_gap")
        own = table[(table["unit_id"] == "claims") & (table["wave"] == "2026-Q3")]
        score = own[["trust_1", "trust_2"]].where(lambda level: level > 0).mean(axis=1)
        doing, leading = (
            score[own["role"].isin(roles)] for roles in (("frontline", "technical"), ("manager", "executive"))
        )
        assert (row["value"], row["low"], row["high"]) == pytest.approx(cliffs_delta(doing, leading))
        assert row["people"] == min(doing.count(), leading.count())

    def test_the_organisation_compares_executives_with_frontline(self):
        table = invented(self.rules)
        row = pick(survey.measure(folder(table), self.rules), "role_gap", unit="*")
        own = table[table["wave"] == "2026-Q3"]
        score = own[["trust_1", "trust_2"]].where(lambda level: level > 0).mean(axis=1)
        expected = cliffs_delta(score[own["role"] == "executive"], score[own["role"] == "frontline"])
        assert (row["value"], row["low"], row["high"]) == pytest.approx(expected)
        assert row["note"].startswith("executive against frontline")

    def test_one_common_item_is_not_enough(self):
        rules = questionnaire(("both", "trust", EVERYBODY, False), ("desk", "trust", ("frontline",), False))
        row = pick(survey.measure(folder(invented(rules)), rules), "role_gap")
        assert (row["status"], row["note"]) == (
            "insufficient",
            "fewer than two items are asked of both doing and leading",
        )

    def test_a_side_without_people_hides_the_gap(self):
        rows = answers([[3] * 6] * 9, list(TWO_SCALES.items["item_id"])).assign(role="frontline")
        row = pick(survey.measure(folder(rows), TWO_SCALES), "role_gap")
        assert (row["status"], row["people"]) == ("insufficient", 0)


class TestChange:
    items = tuple(TWO_SCALES.items["item_id"])

    def waves(self, *tables):
        labels = ("2026-Q1", "2026-Q2", "2026-Q3")
        return folder(
            pd.concat(
                [table.assign(wave=label) for table, label in zip(tables, labels, strict=False)],
                ignore_index=True,
            )
        )

    def test_it_is_welch_between_the_two_waves(self):
        table = invented(TWO_SCALES)
        row = pick(survey.measure(folder(table), TWO_SCALES), "change")
        scores = survey.scale_scores(folder(table), TWO_SCALES).dropna(subset="score")
        own = scores[(scores["unit_id"] == "claims") & (scores["barrier_id"] == "trust")].groupby("wave")["score"]
        mean, sd, n = own.mean(), own.std(), own.size()
        expected = welch_difference(mean.iloc[1], sd.iloc[1], n.iloc[1], mean.iloc[0], sd.iloc[0], n.iloc[0])
        assert (row["value"], row["low"], row["high"]) == pytest.approx((expected.value, expected.low, expected.high))
        assert row["people"] == n.min()

    def test_the_first_wave_has_nothing_to_compare_with(self):
        row = pick(survey.measure(folder(invented(TWO_SCALES)), TWO_SCALES), "change", wave="2026-Q2")
        assert (row["status"], row["note"]) == (
            "insufficient",
            "no earlier wave with enough answers to compare with",
        )

    def test_what_cannot_be_shown_is_not_called_no_change(self):
        same = answers([[2] * 6, [3] * 6, [4] * 6] * 4, self.items)
        row = pick(survey.measure(self.waves(same, same), TWO_SCALES), "change", wave="2026-Q2")
        assert row["note"] == "since 2026-Q1: no change demonstrated"

    def test_a_rise_is_said(self):
        low, high = answers([[1] * 6, [2] * 6] * 6, self.items), answers([[4] * 6, [5] * 6] * 6, self.items)
        row = pick(survey.measure(self.waves(low, high), TWO_SCALES), "change", wave="2026-Q2")
        assert (row["value"], row["note"]) == (75, "since 2026-Q1: higher")

    def test_a_wave_with_too_few_answers_is_passed_over(self):
        many, few = answers([[2] * 6, [3] * 6] * 6, self.items), answers([[5] * 6] * 4, self.items)
        row = pick(survey.measure(self.waves(many, few, many), TWO_SCALES), "change")
        assert row["note"].startswith("since 2026-Q1")
        assert row["value"] == 0

    def test_an_item_that_is_new_is_left_out_and_said(self):
        before = answers([[2, 2, np.nan, 3, 3, 3], [4, 4, np.nan, 3, 3, 3]] * 5, self.items)
        after = answers([[2, 2, 5, 3, 3, 3], [4, 4, 5, 3, 3, 3]] * 5, self.items)
        row = pick(survey.measure(self.waves(before, after), TWO_SCALES), "change", wave="2026-Q2")
        assert row["value"] == 0
        assert "on the 2 items used in both waves in the same words" in row["note"]

    def test_without_a_common_item_it_refuses(self):
        rules = questionnaire(*scale(k=2))
        gap = np.nan
        before, after = (answers([row] * 6, ["trust_1", "trust_2"]) for row in ([3, gap], [gap, 3]))
        row = pick(survey.measure(self.waves(before, after), rules), "change", wave="2026-Q2")
        assert (row["status"], row["note"]) == (
            "insufficient",
            "no item was used in both waves: not comparable",
        )


class TestChangeSources:
    items = tuple(TWO_SCALES.items["item_id"])

    def mixed(self, wave, doing, leading, level_doing, level_leading):
        rows = answers([[level_doing] * 6] * doing + [[level_leading] * 6] * leading, self.items)
        return rows.assign(wave=wave, role=["frontline"] * doing + ["executive"] * leading)

    def sources(self, *tables, unit="claims"):
        found = survey.change_sources(folder(pd.concat(tables, ignore_index=True)), TWO_SCALES)
        found = found[(found["unit_id"] == unit) & (found["barrier_id"] == "trust")]
        return found.set_index("source")["points"].to_dict()

    def test_more_leaders_with_the_same_answers_is_role_mix(self):
        found = self.sources(self.mixed("2026-Q1", 9, 3, 2, 4), self.mixed("2026-Q2", 6, 6, 2, 4))
        assert found == pytest.approx({"role_mix": 12.5, "answers": 0})

    def test_the_same_people_with_other_answers_is_answers(self):
        found = self.sources(self.mixed("2026-Q1", 6, 6, 2, 4), self.mixed("2026-Q2", 6, 6, 3, 5))
        assert found == pytest.approx({"role_mix": 0, "answers": 25})

    def test_a_role_that_is_new_counts_as_mix(self):
        found = self.sources(self.mixed("2026-Q1", 6, 0, 2, 4), self.mixed("2026-Q2", 6, 6, 2, 4))
        assert found == pytest.approx({"role_mix": 25, "answers": 0})

    def test_what_the_scores_moved_because_an_item_is_new_is_told_apart(self):
        before = self.mixed("2026-Q1", 6, 6, 2, 4).drop(columns=self.items[0])
        after = self.mixed("2026-Q2", 6, 6, 2, 4).assign(**{self.items[0]: 5})
        found = self.sources(before, after)
        assert found["role_mix"] == pytest.approx(0)
        assert found["answers"] == pytest.approx(0)
        assert found["items"] > 5

    def test_the_parts_add_up_to_the_change_in_every_unit(self):
        data = folder(invented(TWO_SCALES), {"claims": "operations", "cards": "operations"})
        parts = survey.change_sources(data, TWO_SCALES)
        added = parts.groupby(["unit_id", "wave", "barrier_id"])["points"].sum().sort_index()
        made = survey.measure(data, TWO_SCALES)
        change = made[(made["measure"] == "change") & (made["status"] == "ok")]
        change = change.set_index(["unit_id", "wave", "barrier_id"])["value"].sort_index()
        assert added.index.equals(change.index)
        assert added.to_numpy() == pytest.approx(change.to_numpy())

    def test_people_is_the_smallest_role_behind_it(self):
        data = folder(
            pd.concat([self.mixed("2026-Q1", 9, 3, 2, 4), self.mixed("2026-Q2", 6, 6, 2, 4)], ignore_index=True)
        )
        assert set(survey.change_sources(data, TWO_SCALES)["people"]) == {3}


class TestItems:
    rules = questionnaire(*scale("trust", 1), ("desk", "trust", ("frontline",), False))

    def items(self):
        rows = pd.DataFrame({
            "unit_id": "claims",
            "role": ["frontline"] * 6 + ["manager"] * 6,
            "trust_1": [1, 2, 2, 3, DONT_KNOW, DOES_NOT_APPLY, 4, 4, 5, 5, np.nan, DONT_KNOW],
            "desk": [3.0] * 12,
        })  # fmt: skip
        return survey.item_distributions(folder(rows), self.rules)

    def shares(self, item="trust_1", segment="all"):
        made = self.items().query("unit_id == 'claims' and item_id == @item and segment == @segment")
        return made.set_index("level")

    def test_levels_are_shares_of_levels_and_the_others_of_all_answers(self):
        made = self.shares()
        assert made["n"].to_dict() == {"1": 1, "2": 2, "3": 1, "4": 2, "5": 2, "na": 1, "dont_know": 2}
        assert made.loc["2", "share"] == 2 / 8
        assert made.loc["dont_know", "share"] == 2 / 11
        assert made.loc["1":"5", "share"].sum() == pytest.approx(1)
        assert (made.loc["1", "people"], made.loc["dont_know", "people"]) == (8, 11)

    def test_answers_a_role_is_not_asked_for_are_left_out(self):
        assert self.shares("desk").loc["3", "n"] == 6
        leading = self.shares("desk", "leading")
        assert set(leading["status"]) == {"insufficient"}
        assert leading["share"].isna().all()

    def test_level_of_an_item_is_the_lower_median_from_ten_answers_on(self):
        rules = questionnaire(*scale(k=2))
        rows = [[2, 1]] * 4 + [[3, 1]] * 1 + [[4, 1]] * 4 + [[5, np.nan]] * 1
        found = survey.item_levels(survey.item_distributions(folder(answers(rows, ["trust_1", "trust_2"])), rules))
        own = found[found["unit_id"] == "claims"].set_index("item_id")
        assert list(own.index) == ["trust_1"]
        assert own.loc["trust_1", ["level", "share_low", "share_high", "n"]].tolist() == [3, 0.4, 0.5, 10]

    @pytest.mark.slow
    @examples(30)
    @given(st.lists(st.integers(1, 5), min_size=10, max_size=25))
    def test_level_agrees_with_the_lower_median(self, levels):
        import statistics

        rules = questionnaire(*scale(k=1))
        found = survey.item_levels(
            survey.item_distributions(folder(answers([[x] for x in levels], ["trust_1"])), rules)
        )
        assert set(found["level"]) == {statistics.median_low(levels)}

    def test_hidden_items_have_no_level(self):
        items = self.items().assign(status="suppressed", n=np.nan)
        assert survey.item_levels(items).empty


class TestThemes:
    def test_scores_cut_across_barriers(self):
        rules = questionnaire(*scale("trust", 2), *scale("value", 2))
        rules = replace(rules, items=rules.items.assign(theme=["work", "workforce", "work", "workforce"]))
        rows = answers([[1, 5, 3, 5], [1, 3, 1, 5], [2, np.nan, 2, np.nan]], list(rules.items["item_id"]))
        made = survey.themes(folder(rows), rules).query("unit_id == 'claims'").set_index("theme")
        assert made.loc["work", "value"] == pytest.approx(np.mean([25, 0, 25]))
        assert (made.loc["workforce", "value"], made.loc["workforce", "n"]) == (pytest.approx(87.5), 2)
        assert made.loc["work", "low"] < made.loc["work", "value"] < made.loc["work", "high"]


@pytest.mark.slow
def test_one_reading_gives_the_same_tables_as_the_function_of_each_name():
    data = folder(invented(TWO_SCALES))
    read = survey.tables(data, TWO_SCALES)
    for name in ("measure", "item_distributions", "themes", "rankings"):
        pd.testing.assert_frame_equal(getattr(read, name), getattr(survey, name)(data, TWO_SCALES))


WORDS = ("We know what it is for. {}",)


class TestWordings:
    """An item that was asked in other words is another item, whatever its id."""

    def waves(self):
        items = list(TWO_SCALES.items["item_id"])
        levels = (("2026-Q1", 2), ("2026-Q2", 4))
        rows = [
            answers([[level] * 6, [level - 1] * 6] * 12, items).assign(wave=wave, role=None) for wave, level in levels
        ]
        return folder(pd.concat(rows, ignore_index=True))

    def worded(self, text="We know what it is for. {}", *reworded):
        """The two scales with a wording each; `reworded` are the places of those that end otherwise."""
        words = [text.format(item) for item in TWO_SCALES.items["item_id"]]
        words = [f"{word} Really?" if place in reworded else word for place, word in enumerate(words)]
        return replace(TWO_SCALES, items=TWO_SCALES.items.assign(wording=words))

    def change(self, before, barrier="trust"):
        data = self.waves()
        nobody = (release_record.PEOPLE_COLUMNS, ["unit_id", "member_id"], history.CELL)
        empty = [pd.DataFrame(columns=names) for names in nobody]
        earlier = history.Release(*empty, history.wordings([], ["2026-Q1"], before))
        made = survey.tables(data, self.worded(), [earlier]).measure
        return pick(made, "change", wave="2026-Q2", barrier=barrier)

    def test_the_same_words_are_compared(self):
        assert self.change(self.worded())["note"] == "since 2026-Q1: higher"

    def test_case_and_white_space_do_not_matter(self):
        assert self.change(self.worded("  WE know  what it is for. {}"))["note"] == "since 2026-Q1: higher"

    def test_a_reworded_item_is_left_out_and_said(self):
        assert "on the 2 items used in both waves in the same words" in self.change(self.worded(*WORDS, 0))["note"]

    def test_a_scale_that_was_reworded_whole_is_not_compared(self):
        row = self.change(self.worded("Is it? {}"))
        assert np.isnan(row["value"])
        assert "not comparable" in row["note"]

    def test_the_words_first_published_for_a_wave_stay_known(self):
        old = history.wordings([], ["2026-Q1"], self.worded(*WORDS, 0))
        release = history.Release(*[pd.DataFrame()] * 3, old)
        found = history.wordings([release], ["2026-Q1", "2026-Q2"], TWO_SCALES)
        first = found[found["item_id"] == TWO_SCALES.items["item_id"].iloc[0]].set_index("wave")["digest"]
        assert first["2026-Q1"] != first["2026-Q2"]


def test_answers_to_items_a_role_is_not_asked_are_counted_and_not_scored():
    table = invented(TWO_SCALES, 40)
    items = TWO_SCALES.items.copy()
    items.at[0, "roles"] = ("frontline",)
    found = survey.tables(folder(table), replace(TWO_SCALES, items=items))
    others = table["role"].notna() & (table["role"] != "frontline") & table[items["item_id"].iloc[0]].notna()
    assert found.notes == (
        f"responses: {others.sum()} answers to items that the role is not asked were kept and not scored; "
        f"most often {items['item_id'].iloc[0]} ({others.sum()})",
    )


def test_a_few_answers_that_were_not_asked_for_are_told_without_their_number():
    table = invented(TWO_SCALES, 40)
    items = TWO_SCALES.items.copy()
    others = table.index[table["role"] == "executive"][3:]
    table.loc[others, items["item_id"].iloc[0]] = np.nan
    items.at[0, "roles"] = ("frontline", "manager", "technical")
    (said,) = survey.tables(folder(table), replace(TWO_SCALES, items=items)).notes
    assert said == "responses: fewer than 5 answers to items that the role is not asked were kept and not scored"


class TestReplacedItems:
    """An item that `replaces` another counts in the old score as that one, and is compared with it by nobody."""

    OLD = "trust_before"

    def rules(self):
        return replace(TWO_SCALES, items=TWO_SCALES.items.assign(replaces=[self.OLD, *[""] * 5]))

    def waves(self):
        items = list(TWO_SCALES.items["item_id"])
        first = answers([[1, 2, 2, 3, 3, 3], [2, 2, 3, 3, 3, 3]] * 12, items).assign(wave="2026-Q1")
        first = first.rename(columns={items[0]: self.OLD})
        second = answers([[5, 4, 4, 3, 3, 3], [5, 4, 5, 3, 3, 3]] * 12, items).assign(wave="2026-Q2")
        return folder(pd.concat([first, second], ignore_index=True).assign(role=None))

    def test_the_old_score_rests_on_what_was_asked_then(self):
        made = survey.measure(self.waves(), self.rules())
        row = pick(made, "perception", wave="2026-Q1", barrier="trust")
        assert row["value"] == pytest.approx(25 * (np.mean([5 / 3, 7 / 3]) - 1))

    def test_the_change_leaves_it_out_and_says_so(self):
        made = survey.measure(self.waves(), self.rules())
        row = pick(made, "change", wave="2026-Q2", barrier="trust")
        assert row["value"] == pytest.approx(25 * (4.25 - 2.25))
        assert "on the 2 items used in both waves in the same words" in row["note"]
        assert "in the same words" not in pick(made, "change", wave="2026-Q2", barrier="value")["note"]

    def test_what_it_moved_is_told_apart(self):
        parts = survey.change_sources(self.waves(), self.rules()).query("unit_id == 'claims' and barrier_id == 'trust'")
        whole = [
            pick(survey.measure(self.waves(), self.rules()), "perception", wave=wave, barrier="trust")["value"]
            for wave in ("2026-Q1", "2026-Q2")
        ]
        assert set(parts["source"]) == {"role_mix", "answers", "items"}
        assert parts["points"].sum() == pytest.approx(whole[1] - whole[0])

    def test_its_levels_do_not_stand_for_answers_to_other_words(self):
        items = survey.item_distributions(self.waves(), self.rules())
        mine = items[(items["item_id"] == "trust_1") & (items["unit_id"] == "claims") & (items["segment"] == "all")]
        assert set(mine.loc[mine["wave"] == "2026-Q1", "status"]) == {"insufficient"}
        assert mine.loc[mine["wave"] == "2026-Q2", "n"].sum() == 24


def test_replaced_items_are_columns_that_a_data_folder_may_have(tmp_path):
    from aiready.inputs.dataset import read_data
    from aiready.instrument.model import read_instrument

    shipped = read_instrument()
    first = shipped.items["item_id"].iloc[0]
    rules = replace(shipped, items=shipped.items.assign(replaces=["earlier", *[""] * (len(shipped.items) - 1)]))
    table = pd.DataFrame({"unit_id": ["a"] * 6, "wave": ["2025"] * 3 + ["2026"] * 3, "earlier": [1, 2, 9, "", "", ""]})
    table[first] = ["", "", "", 3, 4, 5]
    table.to_csv(tmp_path / "responses.csv", index=False)
    data = read_data(tmp_path, rules)
    assert data.tables["responses"]["earlier"].dropna().tolist() == [1, 2]
    assert len(data.quarantine["responses"]) == 1 and not any("ignored" in note for note in data.notes)
