from datetime import date, timedelta

import numpy as np
import pytest
from generated import examples
from hypothesis import Phase, given
from hypothesis import strategies as st
from scipy.stats import ttest_ind_from_stats
from typed_tables import RULES, cell, data_of, typed

from aiready.measures import trials
from aiready.measures.trials.verdicts import CAUTION, COLUMNS
from aiready.model import registry

OUTCOME = {"measure": "right letters", "kind": "outcome", "direction": "increase", "target_effect": 0.03}
GUARDRAIL = {"measure": "complaints", "kind": "guardrail", "direction": "decrease", "margin": 0.02}
ABOUT = {"initiative_id": "letters", "trial_no": 1, "assignment": "random"}


def arms(control, treatment, **about):
    return [
        {**ABOUT, **about, "arm": arm, **numbers} for arm, numbers in (("control", control), ("treatment", treatment))
    ]


def counted(control, treatment, **about):
    (s0, n0), (s1, n1) = control, treatment
    return arms({"successes": s0, "n": n0}, {"successes": s1, "n": n1}, **about)


def averaged(control, treatment, **about):
    names = ("mean", "sd", "n")
    return arms(dict(zip(names, control, strict=True)), dict(zip(names, treatment, strict=True)), **about)


def judge(*rows):
    found = trials.verdict_table(typed("trials", [row for group in rows for row in group]))
    assert len(found) == 1
    return found.iloc[0]


REFERENCE = counted((320, 400), (352, 400), **OUTCOME)


def test_shares_reproduce_the_reference_bounds_and_meet_their_target():
    found = judge(REFERENCE)
    assert found["improvement"] == pytest.approx(0.08)
    assert (found["low"], found["high"]) == pytest.approx((0.029243, 0.130612), abs=5e-7)
    assert found["lower"] == pytest.approx(0.037458, abs=5e-7)
    assert found["verdict"] == "SCALE"
    assert found["deciding_bound"] == found["lower"]
    assert "0.03746" in found["reason"] and "0.03" in found["reason"]


def test_a_target_between_the_bounds_extends():
    found = judge(counted((320, 400), (352, 400), **OUTCOME | {"target_effect": 0.05}))
    assert found["verdict"] == "EXTEND"
    assert "lies between the bounds" in found["reason"]
    assert found["n_needed"] > 400
    assert "0.05 lies between the bounds 0.03746 and" in found["reason"]


def test_an_inconclusive_guardrail_prevents_scale():
    found = judge(REFERENCE, counted((12, 400), (14, 400), **GUARDRAIL))
    assert found["verdict"] == "EXTEND"
    assert (found["deciding_measure"], found["deciding_kind"]) == ("complaints", "guardrail")
    assert found["deciding_bound"] == pytest.approx(0.026621, abs=5e-7)
    assert found["guardrails"] == "complaints: harm not ruled out"
    assert found["improvement"] == pytest.approx(0.08), "the outcome's improvement stays the one shown"


def test_means_reproduce_the_reference_where_lower_is_better():
    found = judge(averaged((30, 10, 110), (24, 9, 120), **OUTCOME | {"direction": "decrease", "target_effect": 3}))
    assert found["improvement"] == pytest.approx(6)
    assert (found["low"], found["high"]) == pytest.approx((3.519525, 8.480475), abs=5e-7)
    assert found["verdict"] == "SCALE"


@pytest.mark.parametrize(
    ("control", "treatment", "word"),
    [((50, 400), (80, 400), "FIX"), ((200, 400), (204, 400), "EXTEND"), ((80, 400), (50, 400), "STOP"),
     ((2000, 4000), (2010, 4000), "STOP"), ((80, 400), (200, 400), "SCALE")],
)  # fmt: skip
@pytest.mark.slow
def test_the_bounds_decide_the_word(control, treatment, word):
    target = 0.2 if word == "FIX" else 0.06
    assert judge(counted(control, treatment, **OUTCOME | {"target_effect": target}))["verdict"] == word


@pytest.mark.parametrize(
    ("control", "treatment", "word", "finding"),
    [((12, 4000), (12, 4000), "SCALE", "holds"), ((12, 400), (80, 400), "STOP", "harmed"),
     ((12, 400), (22, 400), "FIX", "harm seen"), ((12, 400), (14, 400), "EXTEND", "harm not ruled out")],
)  # fmt: skip
@pytest.mark.slow
def test_guardrails_hold_a_trial_back(control, treatment, word, finding):
    found = judge(REFERENCE, counted(control, treatment, **GUARDRAIL))
    assert (found["verdict"], found["guardrails"]) == (word, f"complaints: {finding}")


@pytest.mark.parametrize("assignment", ["before_after", "volunteers", None])
def test_only_random_or_matched_arms_may_scale(assignment):
    found = judge(counted((320, 400), (352, 400), **OUTCOME | {"assignment": assignment}))
    assert found["verdict"] == "EXTEND"
    assert "only random or matched" in found["reason"]
    assert not found["compared"]


def test_without_comparison_or_target_effect_nothing_can_be_assessed():
    alone = judge(REFERENCE[1:])
    assert (alone["verdict"], alone["compared"]) == ("NOT ASSESSABLE", False)
    aimless = judge(counted((320, 400), (352, 400), **OUTCOME | {"target_effect": None}))
    assert aimless["verdict"] == "NOT ASSESSABLE"
    assert "no target effect" in aimless["reason"]
    assert judge(counted((12, 4000), (12, 4000), **GUARDRAIL))["verdict"] == "NOT ASSESSABLE"


def test_of_several_outcomes_the_most_cautious_holds():
    second = counted((200, 400), (150, 400), **OUTCOME | {"measure": "first contact"})
    found = judge(REFERENCE, second)
    assert (found["verdict"], found["outcome"]) == ("STOP", "first contact")


def test_a_rule_written_down_after_the_start_is_said_so():
    late = judge(counted((320, 400), (352, 400), declared_on="2026-05-01", started_on="2026-04-01", **OUTCOME))
    assert late["declared_before_start"] is False
    assert late["reason"].endswith("the rule was written down after the start")
    early = judge(counted((320, 400), (352, 400), declared_on="2026-03-01", started_on="2026-04-01", **OUTCOME))
    assert early["declared_before_start"] is True
    assert judge(REFERENCE)["declared_before_start"] is None


@pytest.mark.parametrize("column", ["successes", "n"])
def test_impossible_numbers_cannot_be_assessed(column):
    broken = counted((320, 400), (352, 400), **OUTCOME)
    broken[1][column] = 500 if column == "successes" else 100
    assert judge(broken)["verdict"] == "NOT ASSESSABLE"


def test_no_trials_give_an_empty_table():
    assert list(trials.verdict_table(None).columns) == list(COLUMNS)
    assert trials.verdict_table(typed("trials", REFERENCE).iloc[:0]).empty


def judge_all(groups):
    rows = [{**row, "initiative_id": f"i{k:03}"} for k, group in enumerate(groups) for row in group]
    return trials.verdict_table(typed("trials", rows))


counts = st.tuples(st.integers(0, 60), st.integers(60, 200))
samples = st.tuples(st.floats(-50, 50), st.floats(0.5, 20), st.integers(5, 300))
few = examples(5, phases=[Phase.generate])


@pytest.mark.slow
@few
@given(st.lists(st.tuples(counts, counts), min_size=20))
def test_bounds_of_shares_equal_statsmodels(drawn):
    from statsmodels.stats.proportion import confint_proportions_2indep

    found = judge_all(counted(control, treatment, **OUTCOME) for control, treatment in drawn)
    for low, high, alpha in (("low", "high", 0.05), ("lower", "upper", 0.10)):
        theirs = [
            confint_proportions_2indep(*treatment, *control, method="newcomb", alpha=alpha)
            for control, treatment in drawn
        ]
        np.testing.assert_allclose(found[[low, high]].to_numpy(), theirs, atol=1e-9)


@few
@given(st.lists(st.tuples(samples, samples), min_size=20))
@pytest.mark.slow
def test_the_lower_bound_of_means_agrees_with_a_one_sided_test_of_scipy(drawn):
    found = judge_all(averaged(control, treatment, **OUTCOME) for control, treatment in drawn)
    p = [
        ttest_ind_from_stats(*treatment, *control, equal_var=False, alternative="greater").pvalue
        for control, treatment in drawn
    ]
    assert ((found["lower"] > 0) == (np.array(p) < 0.05)).all()


def test_with_the_n_needed_the_bound_is_reached():
    about = OUTCOME | {"direction": "decrease", "target_effect": 2.0}
    found = judge(averaged((30, 5, 40), (27, 5, 40), **about))
    assert found["verdict"] == "EXTEND"
    assert "to show the target effect takes about 136 cases per arm" in found["reason"]
    n = found["n_needed"]
    assert judge(averaged((30, 5, n + 3), (27, 5, n + 3), **about))["verdict"] == "SCALE"
    assert judge(averaged((30, 5, n - 5), (27, 5, n - 5), **about))["verdict"] == "EXTEND"


def test_an_inconclusive_trial_says_what_would_show_an_effect():
    about = OUTCOME | {"direction": "decrease", "target_effect": 2.0}
    found = judge(averaged((30, 10, 40), (27, 10, 40), **about))
    assert "inconclusive" in found["reason"] and "to show that it works at all takes about 61" in found["reason"]
    assert judge(averaged((30, 10, 64), (27, 10, 64), **about))["lower"] > 0


def test_an_effect_of_next_to_nothing_has_no_n_that_would_show_it():
    found = judge(averaged((0, 1, 30), (1e-300, 1, 30), **OUTCOME | {"target_effect": 0.3}))
    assert (found["verdict"], np.isnan(found["n_needed"])) == ("EXTEND", True)


BLANKABLE = ("trial_no", "target_effect", "margin", "n", "successes", "assignment", "declared_on")


trial = st.tuples(counts, counts, counts, counts, st.sampled_from(["random", "volunteers"]))
hole = st.tuples(st.integers(0, 3), st.sampled_from([*BLANKABLE, "row"]))


def whole(outcome0, outcome1, guardrail0, guardrail1, assignment):
    shared = {"assignment": assignment}
    return [
        *counted(outcome0, outcome1, **OUTCOME | shared),
        *counted(guardrail0, guardrail1, **GUARDRAIL | shared),
    ]


def holed(rows, place, what):
    if what == "row":
        return rows[:place] + rows[place + 1 :]
    return [row | ({what: None} if k == place else {}) for k, row in enumerate(rows)]


@pytest.mark.slow
@few
@given(st.lists(st.tuples(trial, hole), min_size=60))
def test_leaving_out_a_cell_or_a_row_never_lets_a_trial_go_on(drawn):
    before = judge_all(whole(*numbers) for numbers, _ in drawn)["verdict"].map(CAUTION.index)
    after = judge_all(holed(whole(*numbers), *left_out) for numbers, left_out in drawn)["verdict"]
    assert (after.map(CAUTION.index) <= before.clip(lower=CAUTION.index("NOT ASSESSABLE"))).all()


REGISTER = [
    {"initiative_id": "letters", "unit_id": "a", "stage": "scaled"},
    {"initiative_id": "mails", "unit_id": "a", "stage": "pilot"},
    {"initiative_id": "calls", "unit_id": "b", "stage": "scaled"},
    {"initiative_id": "notes", "unit_id": "b", "stage": "idea"},
]
PARENTS = {"top": None, "a": "top", "b": "top", "c": None}


def dated(rows, start, days, **about):
    started = date.fromisoformat(start)
    return [{**row, **about, "started_on": started, "ended_on": started + timedelta(days)} for row in rows]


TRIALS = [
    *dated(REFERENCE, "2026-03-01", 40, learned="short letters gain most"),
    *dated(counted((320, 400), (352, 400), **OUTCOME | {"assignment": "volunteers"}), "2026-05-01", 60,
           initiative_id="mails"),
    *dated(REFERENCE[1:], "2025-02-01", 20, initiative_id="calls"),
    *dated(REFERENCE, "2026-06-01", 20, initiative_id="unheard-of"),
]  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return trials.measure(data_of({"initiatives": REGISTER, "trials": TRIALS}, PARENTS), RULES)


def test_the_verdict_stands_at_the_owning_unit_and_its_word_comes_first(rows):
    letters = cell(rows, "verdict", "a", "letters")
    assert letters["note"].startswith("SCALE: ") and letters["n"] == 800
    assert (letters["value"], letters["low"]) == pytest.approx((0.08, 0.029243), abs=5e-7)
    assert cell(rows, "verdict", "b", "calls")["status"] == "insufficient"
    assert cell(rows, "verdict", "b", "calls")["note"].startswith("NOT ASSESSABLE: ")
    assert cell(rows, "verdict", "a")["note"] == "stated per initiative"
    assert rows[(rows["measure"] == "verdict") & (rows["unit_id"] == "top")]["segment"].tolist() == ["all"]
    assert cell(rows, "verdict", "*", "unheard-of")["status"] == "ok", "no unit owns it"


def test_the_latest_trial_is_the_one_stated():
    again = [{**row, "trial_no": 2, "successes": 300} for row in REFERENCE]
    made = trials.measure(data_of({"initiatives": REGISTER, "trials": REFERENCE + again}, PARENTS), RULES)
    assert cell(made, "verdict", "a", "letters")["note"].startswith(("STOP", "EXTEND"))
    assert cell(made, "scaled_on_evidence", "a")["value"] == 0


def test_evidence_counts_what_is_not_there_as_no(rows):
    assert cell(rows, "comparison_trials", "a")["value"] == 0.5
    assert cell(rows, "comparison_trials", "b")["value"] == 0
    assert cell(rows, "scaled_on_evidence", "a")["value"] == 1
    top = cell(rows, "scaled_on_evidence", "top")
    assert (top["value"], top["n"], top["table"]) == (0.5, 2, "initiatives")
    assert cell(rows, "scaled_on_evidence", "c")["status"] == "not_measured"


def test_pace_counts_trials_of_the_last_year_and_by_quarter(rows):
    assert cell(rows, "trials_per_quarter", "a")["value"] == 0.5
    assert cell(rows, "trials_per_quarter", "b")["value"] == 0
    assert cell(rows, "trials_per_quarter", "*")["value"] == 0.75
    assert cell(rows, "trials_per_quarter", "top", "2026-Q1")["value"] == 1


def test_days_to_a_first_verdict_wait_for_one_that_can_be_assessed(rows):
    assert cell(rows, "days_to_first_verdict", "a")["value"] == 40
    waiting = cell(rows, "days_to_first_verdict", "b")
    assert (waiting["status"], waiting["note"]) == ("insufficient", "not reached within 606 days")


def test_learning_is_recorded_or_not(rows):
    learned = cell(rows, "learning_recorded", "top")
    assert (learned["value"], learned["n"]) == (pytest.approx(1 / 3), 3)


@pytest.mark.slow
def test_every_unit_and_measure_has_a_row_whatever_is_there():
    wanted = {*registry.measures_of_table("trials"), *trials.OF_INITIATIVES}
    for tables in (
        {},
        {"initiatives": REGISTER},
        {"trials": TRIALS},
        {"initiatives": REGISTER, "trials": TRIALS},
    ):
        made = trials.measure(data_of(tables, PARENTS), RULES)
        assert set(zip(made["unit_id"], made["measure"], strict=True)) == {
            (unit, measure) for unit in (*PARENTS, "*") for measure in wanted
        }
        assert not made.duplicated(list(registry.KEY)).any()


def test_without_the_table_comparisons_are_not_measured_rather_than_none():
    made = trials.measure(data_of({"initiatives": REGISTER}, PARENTS), RULES)
    found = cell(made, "comparison_trials", "a")
    assert (found["status"], np.isnan(found["value"])) == ("not_measured", True)
    assert found["note"].startswith("collect `trials`")


def test_without_any_date_pace_is_insufficient():
    made = trials.measure(data_of({"initiatives": REGISTER, "trials": REFERENCE}, PARENTS, None), RULES)
    for name in ("trials_per_quarter", "days_to_first_verdict"):
        assert cell(made, name, "a")["status"] == "insufficient"
        assert cell(made, name, "a")["note"]


@pytest.mark.slow
def test_many_trials_are_judged_as_one_by_one():
    groups = [counted((320 - 20 * k, 400), (352, 400 + k), **OUTCOME) for k in range(5)]
    together = judge_all(groups)
    assert together["reason"].tolist() == [judge(group)["reason"] for group in groups]


@pytest.mark.parametrize(("n", "verdict"), [(4, "NOT ASSESSABLE"), (5, "SCALE")])
def test_a_trial_with_very_few_cases_in_an_arm_is_not_compared(n, verdict):
    found = judge(averaged((30, 0.5, 40), (40, 0.5, n), **OUTCOME))
    assert found["verdict"] == verdict
    assert np.isnan(found["improvement"]) == np.isnan(found["lower"]) == (verdict != "SCALE")
    assert ("an arm has too few cases" in found["reason"]) == (verdict != "SCALE")
