"""An initiative on one page: statements judged, pilots planned by published numbers, verdicts by the rule stated."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from aiready.errors import UsageError
from aiready.inputs.entry_checks import row_problems
from aiready.profile import data_check
from aiready.workbook.capture.canvas import (
    TRIALS,
    MeasureResults,
    evaluate_statement,
    next_trial_number,
    of_trial,
    result_problems,
    trial_rows,
    trial_verdict,
)
from aiready.workbook.capture.pilot_plan import (
    PLANS,
    MeasurePlan,
    cases_for_means,
    cases_for_shares,
    cases_needed,
    decision_rule,
)
from aiready.workbook.capture.store import read_slice, save_slice

OUTCOME = MeasurePlan("paid in 5 days", "outcome", "increase", "share", 0.05, today=0.8, expected=0.08)
GUARDRAIL = MeasurePlan("reopened", "guardrail", "decrease", "share", 0.02, today=0.03)
SOUND = {
    "problem_statement": "Letters go back for correction", "outcome_metric": "letters sent without correction, %",
    "metric_kind": "business", "direction": "increase", "baseline": "52", "target": "75", "deadline": "2027-02-28",
    "guardrail": "complaints stay below 2 %", "owner": "head of letters",
}  # fmt: skip


def states(**changed: str) -> dict[str, str]:
    return {part.name: part.state for part in evaluate_statement(SOUND | changed).parts}


def test_a_sound_statement_is_ready_and_each_part_is_checkable():
    found = evaluate_statement(SOUND)
    assert (found.verdict, found.quality, found.metric_hint, found.inconsistency) == ("READY", 100.0, "", "")
    assert set(states().values()) == {"checkable"}
    assert not any(part.hint for part in found.parts)


@pytest.mark.parametrize(
    ("column", "text", "part", "state"),
    [
        ("outcome_metric", "", "metric", "absent"),
        ("outcome_metric", "quality", "metric", "vague"),
        ("baseline", "", "baseline", "absent"),
        ("target", "", "target", "vague"),
        ("deadline", "", "deadline", "absent"),
        ("guardrail", "complaints", "guardrail", "vague"),
        ("owner", "the team", "owner", "vague"),
        ("owner", "tbd", "owner", "absent"),
    ],
)
def test_each_part_says_when_it_is_absent_or_vague_and_what_would_mend_it(column, text, part, state):
    assert states(**{column: text})[part] == state
    (hint,) = [found.hint for found in evaluate_statement(SOUND | {column: text}).parts if found.name == part]
    assert len(hint.split()) > 4


def test_a_models_figure_and_activity_are_no_business_metric():
    assert "no business problem" in evaluate_statement(SOUND | {"metric_kind": "model"}).metric_hint
    assert states(metric_kind="activity")["metric"] == "vague"
    assert evaluate_statement(SOUND | {"target": "40"}).inconsistency == "target 40 is no increase on baseline 52"


# How many cases ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aim", "cases"), [(-0.10, 25), (0.05, 98)], ids=["non-inferiority, margin .10", "superiority, margin .05"]
)
def test_cases_for_shares_are_those_of_chow_shao_and_wang(aim, cases):
    """Sample Size Calculations in Clinical Research, 2nd ed., 4.2: .65 against .85, one-sided .05, power .80."""
    assert cases_for_shares(0.65, 0.85, aim=aim) == cases


@pytest.mark.parametrize(("effect", "cases"), [(0.2, 310), (0.5, 50), (0.8, 20)])
def test_cases_for_means_are_those_of_cohen(effect, cases):
    """Statistical Power Analysis, 2nd ed., table 2.4.1, one-sided .05, power .80; the table rounds to the nearest."""
    assert cases <= cases_for_means(effect, 1.0) <= cases + 1


@pytest.mark.parametrize(
    ("power", "cases"), [(0.8, (310, 138, 78, 51, 36, 27, 21, 17, 14)), (0.9, (428, 191, 108, 70, 49, 36, 28))]
)
def test_cases_for_means_are_those_of_a_published_table(power, cases):
    """Cognition and Brain Sciences Unit, Cambridge, StatsWiki: unpaired t test, one-tailed, d = .2, .3, ..."""
    found = [cases_for_means(0.2 + 0.1 * step, 1.0, power=power) for step in range(len(cases))]
    assert np.abs(np.array(found) - cases).max() <= 1


@pytest.mark.parametrize("power", [0.8, 0.9])
@pytest.mark.parametrize(
    ("control", "treatment", "aim"), [(0.65, 0.85, -0.1), (0.65, 0.85, 0.05), (0.8, 0.88, 0.0), (0.03, 0.02, -0.02)]
)
def test_cases_for_shares_are_the_fewest_by_the_normal_power_of_statsmodels(control, treatment, aim, power):
    from statsmodels.stats.power import normal_power_het

    spread = np.sqrt(control * (1 - control) + treatment * (1 - treatment))

    def reached(cases: int) -> float:
        given = {"std_null": spread, "std_alternative": spread, "alternative": "larger"}
        return normal_power_het(treatment - control - aim, cases, 0.05, **given)

    cases = cases_for_shares(control, treatment, aim, power)
    assert reached(cases) >= power > reached(cases - 1)


@pytest.mark.parametrize(("control", "treatment"), [(0.65, 0.85), (0.8, 0.88), (0.03, 0.06)])
def test_a_pooled_test_of_two_shares_needs_nearly_as_many_cases(control, treatment):
    """statsmodels pools the variance where no difference is assumed; verdicts and plans do not."""
    from statsmodels.stats.proportion import power_proportions_2indep

    given = {"alpha": 0.05, "alternative": "larger", "return_results": False}
    cases = cases_for_shares(control, treatment)
    reached = power_proportions_2indep(treatment - control, control, cases, **given)
    assert reached == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("power", [0.8, 0.9])
@pytest.mark.parametrize(("effect", "aim"), [(0.3, 0.0), (0.5, 0.0), (0.8, 0.3), (0.0, -0.25)])
def test_cases_for_means_are_the_fewest_by_the_noncentral_t_of_scipy(effect, aim, power):
    def reached(cases: int) -> float:
        freedom = 2 * cases - 2
        return stats.nct.sf(stats.t.ppf(0.95, freedom), freedom, (effect - aim) * np.sqrt(cases / 2))

    cases = cases_for_means(effect, 1.0, aim, power)
    assert reached(cases) >= power > reached(cases - 1)


def test_an_effect_that_is_no_larger_than_what_it_must_pass_needs_more_cases_than_there_are():
    assert cases_for_means(5, 10, aim=5) is None
    assert cases_needed(MeasurePlan("m", "outcome", "increase", "share", 0.05, today=0.8)).scale is None


def test_the_target_is_reached_only_by_an_effect_beyond_it_and_takes_more_cases():
    found = cases_needed(OUTCOME)
    assert found.works == cases_for_shares(0.8, 0.88)
    assert found.scale == cases_for_shares(0.8, 0.88, aim=0.05)
    assert found.scale > found.works


def test_fewer_is_better_needs_as_many_cases_as_its_mirror():
    down = MeasurePlan("errors", "outcome", "decrease", "share", 0.05, today=0.2, expected=0.08)
    assert cases_needed(down) == cases_needed(OUTCOME)


def test_a_guardrail_needs_cases_to_rule_its_margin_out():
    assert cases_needed(GUARDRAIL).works == cases_for_shares(0.03, 0.03, aim=-0.02)


def test_a_plan_says_what_it_lacks():
    with pytest.raises(UsageError) as told:
        cases_needed(MeasurePlan("", "outcome", "increase", "mean", 0.0))
    assert len(str(told.value).splitlines()) == 3
    with pytest.raises(UsageError, match=r"a share of 1.05 cannot be"):
        cases_needed(MeasurePlan("m", "outcome", "increase", "share", 0.1, today=0.95))


@pytest.mark.slow
def test_planned_cases_give_the_planned_chance_to_see_that_it_works():
    """Drawn anew 1,500 times with the planned effect: the verdicts' own bounds show it in about 80 %."""
    from aiready.measures.estimation.inference import newcombe_difference

    n = cases_needed(OUTCOME).works
    rng = np.random.default_rng(1)
    control, treated = rng.binomial(n, 0.80, 1500), rng.binomial(n, 0.88, 1500)
    low, _ = newcombe_difference(treated, n, control, n, 0.90)
    assert 0.76 <= (low > 0).mean() <= 0.84


# The rule, and the verdict ------------------------------------------------------------------------------------------


def test_the_rule_names_every_measure_and_its_limit():
    rule = decision_rule([OUTCOME, GUARDRAIL], "volunteers")
    for words in ("paid in 5 days should rise", "reaches 0.05", "reopened must not get worse by more than 0.02",
                  "EXTEND at most"):  # fmt: skip
        assert words in rule
    assert "EXTEND at most" not in decision_rule([OUTCOME], "random")


def rows(treated: str = "352", **changed: str) -> pd.DataFrame:
    plan = {"measure": "letters", "kind": "outcome", "direction": "increase", "target_effect": "0.03",
            "assignment": "random", "declared_on": "2026-05-01"} | changed  # fmt: skip
    arms = {"control": {"n": "400", "successes": "320"}, "treatment": {"n": "400", "successes": treated}}
    return trial_rows(
        [MeasureResults(plan, arms)], {"started_on": "2026-05-02", "ended_on": "2026-06-01"}, "short ones gain"
    )


def test_results_give_the_verdict_of_the_method():
    assert trial_verdict(rows()).word == "SCALE"
    assert trial_verdict(rows(target_effect="0.05")).word == "EXTEND"
    assert trial_verdict(rows(declared_on="2026-05-10")).reason.endswith("the rule was written down after the start")
    assert trial_verdict(rows(treated="")) is not None
    assert trial_verdict(rows().assign(n="")) is None


def test_results_that_contradict_themselves_are_named():
    assert result_problems(rows()) == []
    assert result_problems(rows(treated="500")) == [
        "letters, treatment: 500 cases met it, more than the 400 there were."
    ]
    assert "mean and standard deviation" in result_problems(rows(treated=""))[0]
    late = rows().assign(ended_on="2026-01-01")
    assert result_problems(late) == ["The trial ends before it starts."]


def test_results_saved_are_clean_and_the_next_trial_has_the_next_number(tmp_path):
    read = read_slice(tmp_path, TRIALS, {"initiative_id": "letters"})
    saved = save_slice(read, rows().assign(trial_no="1"))
    (tmp_path / "initiatives.csv").write_text("initiative_id,unit_id,name,stage\nletters,claims,Letters,pilot\n")
    found = data_check.check(str(tmp_path))
    assert found.counts.set_index("table").loc["trials", ["read", "used"]].tolist() == [2, 2]
    assert next_trial_number(saved.rows["trial_no"]) == 2
    assert next_trial_number(["", "3.0"]) == 4


def test_a_trial_without_a_number_is_the_first():
    trials = pd.DataFrame({"trial_no": ["", "1.0", "2"], "measure": ["a", "b", "c"]})
    assert [of_trial(trials, number)["measure"].tolist() for number in ("1", "2", "3")] == [["a", "b"], ["c"], []]


def test_a_plan_lies_beside_the_tables_and_check_does_not_take_it_for_one(tmp_path):
    plan = {"measure": "letters", "kind": "outcome", "direction": "increase", "scale": "share", "target_effect": "0.05"}
    key = {"initiative_id": "letters"}
    assert row_problems(PLANS, pd.DataFrame([plan | key]), "measure") == []
    save_slice(read_slice(tmp_path, PLANS, key), pd.DataFrame([plan | {"trial_no": "1"}]))
    (tmp_path / "initiatives.csv").write_text("initiative_id,unit_id,name,stage\nletters,claims,Letters,pilot\n")
    found = data_check.check(str(tmp_path))
    assert found.notes == ()
    assert read_slice(tmp_path, PLANS, key).rows["target_effect"].tolist() == ["0.05"]
