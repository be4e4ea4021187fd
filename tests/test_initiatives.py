from datetime import date
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import Phase, given
from hypothesis import strategies as st
from typed_tables import RULES, cell, data_of, typed

from aiready.measures import initiatives
from aiready.measures.initiatives import problem_parts
from aiready.measures.initiatives.problem_statements import PARTS
from aiready.model import registry

CHECKABLE = {
    "problem_statement": "cut query resolution time by 40 % while quality holds",
    "outcome_metric": "hours until a query is resolved, median", "metric_kind": "business",
    "direction": "decrease", "baseline": 10, "target": 6, "deadline": date(2026, 12, 31),
    "guardrail": "complaints stay below 2 %", "owner": "head of queries",
}  # fmt: skip


def parts_of(**fields):
    return problem_parts(typed("initiatives", [fields])).iloc[0]


def points(found):
    return [int(found[f"{part}_part"]) for part in PARTS]


def test_a_guardrail_without_limit_is_ready_but_not_whole():
    found = parts_of(**CHECKABLE | {"guardrail": "quality holds"})
    assert points(found) == [2, 2, 2, 2, 1, 2]
    assert found["quality"] == pytest.approx(91.667, abs=5e-4)
    assert (found["verdict"], found["ready"], found["mend"]) == ("READY", True, "the guardrail has no limit")


def test_without_a_baseline_nothing_is_ready():
    found = parts_of(**CHECKABLE | {"baseline": None})
    assert points(found) == [2, 0, 2, 2, 2, 2]
    assert (found["verdict"], found["ready"], found["mend"]) == ("NOT READY", False, "no baseline")


def test_the_three_sentences():
    assert parts_of(problem_statement="implement generative AI")["verdict"] == "NOT READY"
    vague = parts_of(problem_statement="improve forecast accuracy in supply planning")
    assert (vague["verdict"], points(vague)[0]) == ("VAGUE", 1)
    assert parts_of(**CHECKABLE)["verdict"] == "READY"
    said = CHECKABLE | {"outcome_metric": "query resolution time", "guardrail": "quality holds"}
    assert parts_of(**said)["verdict"] == "READY"


@pytest.mark.parametrize("kind", ["model", "activity"])
def test_a_models_figure_is_no_business_problem(kind):
    found = parts_of(**CHECKABLE | {"outcome_metric": "accuracy, %", "metric_kind": kind})
    assert (points(found)[0], found["verdict"]) == (1, "NOT READY")


def test_a_models_figure_of_no_stated_kind_is_vague():
    found = parts_of(**CHECKABLE | {"outcome_metric": "accuracy, %", "metric_kind": None})
    assert (points(found)[0], found["verdict"]) == (1, "VAGUE")


@pytest.mark.parametrize(("direction", "target"), [("increase", 6), ("decrease", 14), ("decrease", 10)])
def test_a_target_that_is_no_improvement_is_an_inconsistency(direction, target):
    found = parts_of(**CHECKABLE | {"direction": direction, "target": target})
    assert (found["verdict"], found["ready"], found["quality"]) == ("NOT READY", False, 100)
    assert found["inconsistency"] == f"target {target} is no {direction} on baseline 10"
    assert found["inconsistency"] in found["mend"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [("outcome_metric", "tbd", 0), ("outcome_metric", "satisfaction", 1),
     ("outcome_metric", "claims per day", 2), ("outcome_metric", "weight of parcels (kg)", 2),
     ("owner", "n/a", 0), ("owner", "the project team", 1), ("owner", "head of contact centre", 2),
     ("guardrail", "?", 0), ("guardrail", "costs hold", 1)],
)  # fmt: skip
def test_words_are_read_by_small_rules(field, text, expected):
    part = {"outcome_metric": "metric"}.get(field, field)
    stated = CHECKABLE | {"problem_statement": "Letters go back for correction"}
    assert parts_of(**stated | {field: text})[f"{part}_part"] == expected


IN_GERMAN = {
    "outcome_metric": "mediane Bearbeitungszeit einer Anfrage, Stunden", "guardrail": "Beschwerden unter 2 %",
    "owner": "Leiterin Kundendienst",
}  # fmt: skip
IN_SPANISH = {
    "outcome_metric": "tiempo mediano de resolución de una consulta, horas", "guardrail": "quejas por debajo del 2 %",
    "owner": "jefa de atención al cliente",
}  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "vague", "ready"),
    [
        ("Generative KI einführen", "Prognosen in der Absatzplanung verbessern", IN_GERMAN),
        ("implantar IA generativa", "mejorar las previsiones de la cadena de suministro", IN_SPANISH),
    ],
)
def test_the_three_sentences_are_judged_alike_in_german_and_spanish(tool, vague, ready):
    assert parts_of(problem_statement=tool)["verdict"] == "NOT READY"
    assert parts_of(problem_statement=vague)["verdict"] == "VAGUE"
    assert parts_of(**CHECKABLE | ready)["verdict"] == "READY"


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [("outcome_metric", "Fehlerquote der Bescheide", 2), ("outcome_metric", "Briefe je Woche", 2),
     ("outcome_metric", "Zufriedenheit", 1), ("outcome_metric", "noch offen", 0), ("outcome_metric", "folgt", 0),
     ("outcome_metric", "porcentaje de cartas sin corrección", 2), ("outcome_metric", "expedientes por semana", 2),
     ("outcome_metric", "satisfacción", 1), ("outcome_metric", "por definir", 0),
     ("owner", "Abteilung Schaden", 1), ("owner", "das Projektteam", 1), ("owner", "Abteilungsleiter Schaden", 2),
     ("owner", "Leitung des Teams Schaden", 2), ("owner", "el equipo de proyecto", 1), ("owner", "Marta Ruiz", 2),
     ("owner", "responsable del departamento de siniestros", 2), ("owner", "pendiente", 0),
     # English words that only look like those of another language
     ("outcome_metric", "accurate quotes", 1), ("outcome_metric", "duplicate letters", 1),
     ("owner", "personal lines underwriter", 2)],
)  # fmt: skip
def test_words_of_other_languages_are_read_by_the_same_rules(field, text, expected):
    part = {"outcome_metric": "metric"}.get(field, field)
    stated = CHECKABLE | {"problem_statement": "Briefe kommen zur Korrektur zurück"}
    assert parts_of(**stated | {field: text})[f"{part}_part"] == expected


@pytest.mark.parametrize("text", ["Genauigkeit, %", "precisión, %"])
def test_a_models_figure_is_known_in_each_language(text):
    assert parts_of(**CHECKABLE | {"outcome_metric": text, "metric_kind": None})["metric_part"] == 1


def test_a_target_needs_number_and_direction():
    assert parts_of(**CHECKABLE | {"direction": None})["target_part"] == 1
    assert parts_of(**CHECKABLE | {"target": None})["target_part"] == 1


def test_blanking_a_statement_never_improves_it():
    fields = sorted(set(CHECKABLE) - {"metric_kind"})
    blanks = [set(blank) for size in range(len(fields) + 1) for blank in combinations(fields, size)]
    found = problem_parts(typed("initiatives", [CHECKABLE | dict.fromkeys(blank) for blank in blanks]))
    quality = {frozenset(blank): value for blank, value in zip(blanks, found["quality"], strict=True)}
    assert all(quality[key] <= quality[key - {field}] for key in quality for field in key)
    assert found["ready"].tolist() == [blank <= {"problem_statement"} for blank in blanks]


def test_the_parts_take_a_table_with_few_columns_and_keep_its_index():
    found = problem_parts(pd.DataFrame({"owner": ["head of queries", None]}, index=[7, 3]))
    assert found["owner_part"].to_dict() == {7: 2, 3: 0}


PARENTS = {"top": None, "a": "top", "b": "top", "c": None}


def initiative(name, unit_id="a", stage="pilot", **fields):
    return {"initiative_id": name, "unit_id": unit_id, "name": name, "stage": stage, **fields}


def measured(*rows, as_of=date(2026, 9, 30), **tables):
    return initiatives.measure(data_of({"initiatives": list(rows), **tables}, PARENTS, as_of), RULES)


@pytest.mark.slow
def test_governance_divides_yes_by_known_and_bounds_what_is_not():
    low = {"stakes": "low", "impact_assessed": "no"}
    rows = measured(
        initiative("x", **low, privacy_reviewed="yes", human_oversight="yes", feedback_channel="no"),
        initiative("y", **low, privacy_reviewed="yes", human_oversight=None, feedback_channel="no"),
    )
    found = cell(rows, "governance_complete")
    assert (found["value"], found["n"]) == (pytest.approx(3 / 5), 2)
    assert (found["low"], found["high"]) == pytest.approx((3 / 6, 4 / 6))
    assert found["note"] == "known for 5 of 6"
    assert cell(rows, "governance_complete", "a", "x")["value"] == pytest.approx(2 / 3)
    assert cell(rows, "governance_complete", "top")["value"] == pytest.approx(3 / 5)
    assert rows[(rows["unit_id"] == "top") & (rows["segment"] == "x")].empty, "stated where it is owned"


@pytest.mark.slow
def test_high_or_unknown_stakes_ask_for_every_check():
    checks = {"privacy_reviewed": "yes", "human_oversight": "yes", "feedback_channel": "yes"}
    for stakes in ("high", None):
        found = cell(measured(initiative("x", stakes=stakes, **checks)), "governance_complete")
        assert (found["status"], found["note"]) == ("insufficient", "known for 3 of 6, at least 60% needed")


@pytest.mark.slow
def test_below_the_floor_a_share_is_insufficient():
    involved = [initiative(f"i{k}", users_involved="idea" if k < 5 else None) for k in range(10)]
    found = cell(measured(*involved), "involved_from_start")
    assert (found["status"], np.isnan(found["value"])) == ("insufficient", True)
    assert found["note"] == "known for 5 of 10, at least 60% needed"
    involved[5]["users_involved"] = "rollout"
    found = cell(measured(*involved), "involved_from_start")
    assert (found["value"], found["low"], found["high"]) == pytest.approx((5 / 6, 0.5, 0.9))


@pytest.mark.slow
def test_freshness_is_counted_to_as_of():
    limited = {"limit_kind": "data"}
    rows = measured(
        initiative("x", stage="limited", monitored_on="2026-07-02", limit_reviewed_on="2026-01-01", **limited),
        initiative("y", stage="scaled", monitored_on="2026-07-01", limit_reviewed_on="2026-09-01", **limited),
        initiative("z", stage="idea", limit_reviewed_on="2026-09-01", **limited),
    )  # fmt: skip
    assert cell(rows, "monitoring_fresh")["value"] == 0.5
    assert cell(rows, "limits_reviewed")["value"] == pytest.approx(2 / 3)


def test_without_a_date_to_count_to_freshness_is_insufficient():
    rows = measured(initiative("x", stage="scaled"), as_of=None)
    for name in ("monitoring_fresh", "target_known_fresh", "limits_reviewed"):
        assert cell(rows, name)["status"] == "insufficient"
        assert cell(rows, name)["note"] == "no date to count to"


def test_progress_is_the_share_of_the_way_where_fresh():
    way = {"baseline": 10, "target": 6, "direction": "decrease"}
    rows = measured(
        initiative("x", outcome_now=7, outcome_on="2026-09-01", **way),
        initiative("y", outcome_now=9, outcome_on="2026-09-01", **way),
        initiative("old", outcome_now=6, outcome_on="2026-01-01", **way),
        initiative("blank", **way),
    )
    assert cell(rows, "target_progress", "a", "x")["value"] == 0.75
    assert cell(rows, "target_progress", "a", "old")["status"] == "insufficient"
    assert cell(rows, "target_progress")["value"] == 0.5
    assert cell(rows, "target_progress")["note"] == "known and fresh for 2 of 4"
    fresh = cell(rows, "target_known_fresh")
    assert (fresh["value"], fresh["low"], fresh["n"]) == (0.5, 0.5, 4), "a blank outcome is not known"


@pytest.mark.slow
def test_a_metric_is_a_business_metric_only_when_it_is_named():
    rows = measured(
        initiative("x", metric_kind="business", outcome_metric="hours"),
        initiative("y", metric_kind="user", outcome_metric="hours"),
        initiative("z", metric_kind="business"),
    )
    found = cell(rows, "business_metric_share")
    assert (found["value"], found["low"], found["high"]) == pytest.approx((1 / 2, 1 / 3, 2 / 3))


@pytest.mark.slow
def test_ready_and_baseline_before_the_pilot():
    before = {"defined_on": "2026-01-01", "pilot_on": "2026-03-01"}
    after = {"defined_on": "2026-04-01", "pilot_on": "2026-03-01"}
    rows = measured(
        initiative("ready", **CHECKABLE, **before),
        initiative("late", **CHECKABLE, **after),
        initiative("only-baseline", baseline=3, **before),
        initiative("undated", **CHECKABLE, pilot_on="2026-03-01"),
        initiative("neither"),
        initiative("not-yet", stage="defined", **CHECKABLE),
    )
    ready, baseline = cell(rows, "ready_before_pilot"), cell(rows, "baseline_before_pilot")
    assert (ready["value"], ready["n"], ready["high"]) == pytest.approx((1 / 4, 4, 2 / 5))
    assert (baseline["value"], baseline["n"]) == (pytest.approx(2 / 4), 4)


@pytest.mark.slow
def test_stopped_with_a_reason_and_big_bang():
    rows = measured(
        initiative("x", stage="stopped", stop_reason="no effect in two trials"),
        initiative("y", stage="stopped", stop_reason="n/a"),
        initiative("z", stage="scaled", scaled_on="2026-03-01"),
        initiative("w", stage="scaled", scaled_on="2026-03-01", pilot_on="2026-01-01"),
        initiative("v", stage="scaled"),
    )
    assert cell(rows, "stopped_with_reason_share")["value"] == 0.5
    bang = cell(rows, "big_bang_share")
    assert (bang["value"], bang["low"], bang["high"]) == pytest.approx((1 / 2, 1 / 3, 2 / 3))


@pytest.mark.slow
def test_stalled_needs_one_sign_and_its_absence_needs_both():
    recent = {"pilot_on": "2026-08-01"}
    rows = measured(
        initiative("long", pilot_on="2026-01-01", last_activity_on="2026-09-29"),
        initiative("idle", last_activity_on="2026-08-01"),
        initiative("going", **recent, last_activity_on="2026-09-29"),
        initiative("half-known", **recent),
        initiative("done", stage="scaled", scaled_on="2020-01-01"),
    )
    found = cell(rows, "stalled_share")
    assert (found["value"], found["n"], found["high"]) == pytest.approx((2 / 3, 3, 3 / 4))


@pytest.mark.slow
def test_conversion_counts_those_that_came_further_with_wilson():
    from statsmodels.stats.proportion import proportion_confint

    rows = measured(
        *(initiative(f"p{k}") for k in range(4)), *(initiative(f"l{k}", stage="limited") for k in range(3)),
        initiative("s", stage="scaled"), initiative("i", stage="idea"),
        initiative("x", stage="stopped", pilot_on="2026-01-01"),
    )  # fmt: skip
    found = cell(rows, "stage_conversion", "a", "pilot>limited")
    assert (found["value"], found["n"], found["note"]) == (pytest.approx(4 / 9), 9, "4 still there")
    assert (found["low"], found["high"]) == pytest.approx(proportion_confint(4, 9, method="wilson"))
    assert cell(rows, "stage_conversion", "a", "idea>defined")["value"] == pytest.approx(9 / 10)


@pytest.mark.slow
def test_no_one_in_a_stage_is_insufficient_not_zero():
    found = cell(measured(initiative("i", stage="idea")), "stage_conversion", "a", "limited>scaled")
    assert (found["status"], found["note"]) == ("insufficient", "none came to this stage")


@pytest.mark.slow
def test_time_in_stage_equals_lifelines():
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    rng = np.random.default_rng(3)
    starts = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, 40), unit="D")
    lasting, left = rng.integers(5, 120, 40), rng.random(40) < 0.7
    rows = [
        initiative(f"i{k}", stage="limited" if gone else "pilot", pilot_on=start,
                   limited_on=start + pd.Timedelta(int(days), "D") if gone else None)
        for k, (start, days, gone) in enumerate(zip(starts, lasting, left, strict=True))
    ]  # fmt: skip
    follow_up = (pd.Timestamp("2026-09-30") - starts).days
    km = KaplanMeierFitter().fit(np.where(left, lasting, follow_up), left)
    found = cell(measured(*rows), "time_in_stage_p50", "a", "pilot")
    assert (found["value"], found["n"]) == (km.median_survival_time_, 40)
    theirs = median_survival_times(km.confidence_interval_).replace(np.inf, np.nan)
    assert (found["low"], found["high"]) == pytest.approx(tuple(theirs.to_numpy().ravel()), nan_ok=True)


@pytest.mark.slow
def test_a_median_that_is_not_reached_is_no_number():
    found = cell(measured(initiative("x", pilot_on="2026-06-22")), "time_in_stage_p50", "a", "pilot")
    assert (found["status"], found["note"]) == ("insufficient", "not reached within 100 days")


def test_counts_by_stage_and_generation_add_up_over_units():
    rows = measured(
        initiative("x", generation="rules"), initiative("y", "b", generation="generative"),
        initiative("z", "c", stage="idea"),
    )  # fmt: skip
    assert cell(rows, "initiatives_count", "*")["value"] == 3
    assert cell(rows, "initiatives_count", "top")["value"] == 2
    assert cell(rows, "initiatives_count", "*", "pilot")["value"] == 2
    assert cell(rows, "initiatives_count", "*", "rules")["value"] == 1


@pytest.mark.slow
def test_workflows_are_mapped_when_a_step_names_the_initiative():
    steps = [
        {
            "unit_id": "a",
            "workflow": "claim",
            "step_no": 1,
            "step": "read",
            "actor": "ai",
            "initiative_id": "x",
        }
    ]
    register = [initiative("x"), initiative("y", stage="limited"), initiative("z", stage="idea")]
    assert cell(measured(*register, workflow_steps=steps), "workflow_mapped_share")["value"] == 0.5
    missing = cell(measured(*register), "workflow_mapped_share")
    assert (missing["status"], missing["note"][:24]) == ("not_measured", "collect `workflow_steps`")


def use(name, unit_id, intended, active, trained=None, **fields):
    users = {"intended_users": intended, "active_users": active, "trained_users": trained}
    return {"initiative_id": name, "unit_id": unit_id, **users, **fields}


USAGE = [
    use("x", "a", 60, 38, 45, main_reason_not_used="does_not_fit"),
    use("x", "b", 40, 10, None, main_reason_not_used="not_trusted"),
    use("y", "b", 20, 15, 20, main_reason_not_used="not_trusted"),
]


def used(*rows):
    return initiatives.measure(data_of({"usage": list(rows)}, PARENTS), RULES)


def test_adoption_sums_users_and_people_are_those_of_the_largest_initiative():
    from statsmodels.stats.proportion import proportion_confint

    found = cell(used(*USAGE), "adoption", "top")
    assert (found["value"], found["n"], found["people"]) == (pytest.approx(63 / 120), 120, 100)
    assert (found["low"], found["high"]) == pytest.approx(proportion_confint(63, 120, method="wilson"))
    assert found["note"] == "main reasons why not: not trusted (2), does not fit (1)"


def test_adoption_per_initiative_stands_where_it_is_used_and_totals_hide_nobody_behind_one_unit():
    rows = used(*USAGE)
    assert cell(rows, "adoption", "b", "x")["value"] == 0.25
    assert cell(rows, "adoption", "*", "x")["value"] == pytest.approx(48 / 100)
    assert rows[(rows["unit_id"] == "*") & (rows["segment"] == "y")].empty


def test_unknown_training_widens_the_interval_and_too_much_of_it_is_insufficient():
    from statsmodels.stats.proportion import proportion_confint

    rows = used(*USAGE)
    found = cell(rows, "trained_share", "top")
    assert (found["value"], found["n"], found["note"]) == (65 / 80, 80, "known for 80 of 120 intended users")
    assert found["low"] == pytest.approx(proportion_confint(65, 120, method="wilson")[0])
    assert found["high"] == pytest.approx(proportion_confint(105, 120, method="wilson")[1])
    assert cell(rows, "trained_share", "b")["status"] == "insufficient"


def test_odd_numbers_of_users_are_said():
    rows = used(use("x", "a", 0, 0, 0), use("y", "b", 10, 12, 12))
    assert cell(rows, "adoption", "a")["note"] == "no intended users"
    assert cell(rows, "adoption", "a")["status"] == "insufficient"
    assert cell(rows, "adoption", "b")["note"] == "more active than intended users"
    assert np.isnan(cell(rows, "adoption", "b")["low"])


@pytest.mark.slow
def test_every_unit_and_measure_has_a_row_whatever_is_there():
    wanted = {*registry.measures_of_table("initiatives"), *registry.measures_of_table("usage")} - set(
        initiatives.BY_TRIALS
    )
    for tables in ({}, {"initiatives": [initiative("x")]}, {"usage": USAGE}):
        made = initiatives.measure(data_of(tables, PARENTS), RULES)
        assert set(zip(made["unit_id"], made["measure"], strict=True)) == {
            (unit, measure) for unit in (*PARENTS, "*") for measure in wanted
        }
        assert not made.duplicated(list(registry.KEY)).any()
        assert set(made.loc[made["unit_id"] == "c", "status"]) == {"not_measured"}
        assert made.loc[made["status"].ne("ok"), "note"].ne("").all()


def test_the_register_keeps_its_rows_and_adds_what_was_judged():
    data = data_of({"initiatives": [initiative("x", **CHECKABLE), initiative("y", "b")]}, PARENTS)
    register = initiatives.register(data, RULES)
    assert register["initiative_id"].tolist() == ["x", "y"]
    assert register["verdict"].tolist() == ["READY", "NOT READY"]
    empty = initiatives.register(data_of({}, PARENTS), RULES)
    assert empty.empty and list(empty.columns) == list(register.columns)


HIGHER_IS_BETTER = (
    "problem_ready_share", "business_metric_share", "target_known_fresh", "involved_from_start",
    "governance_complete", "monitoring_fresh", "limits_reviewed", "ready_before_pilot", "baseline_before_pilot",
    "stopped_with_reason_share",
)  # fmt: skip
DATED = ("outcome_on", "defined_on", "pilot_on", "last_activity_on", "monitored_on", "limit_reviewed_on")
CHECKS = ("privacy_reviewed", "human_oversight", "feedback_channel")
BLANKABLE = (
    "outcome_metric", "direction", "baseline", "target", "deadline", "guardrail", "owner", "outcome_now",
    "users_involved", "stop_reason", "limit_kind", *DATED, *CHECKS,
)  # fmt: skip
drawn_row = st.fixed_dictionaries({
    "stage": st.sampled_from(["idea", "pilot", "scaled", "stopped"]), "stakes": st.sampled_from(["low", "high"]),
    "users_involved": st.sampled_from(["idea", "rollout"]), "target": st.sampled_from([6, 14]),
    "metric_kind": st.sampled_from(["business", "model"]), "outcome_now": st.just(8.0),
    "limit_kind": st.just("data"), "stop_reason": st.just("no effect"),
    **dict.fromkeys(DATED, st.dates(date(2026, 1, 1), date(2026, 9, 30))),
    **dict.fromkeys(CHECKS, st.sampled_from(["yes", "no"])),
})  # fmt: skip


def with_a_hole(row, column):
    # An initiative that has no date of a pilot and stands elsewhere is not known to have come to one at all.
    return row if column == "pilot_on" and row["stage"] in ("idea", "stopped") else row | {column: None}


@pytest.mark.slow
@examples(5, phases=[Phase.generate])
@given(st.lists(st.tuples(drawn_row, st.sampled_from(BLANKABLE)), min_size=40, max_size=40))
def test_a_blank_is_never_better_than_a_no(drawn):
    units = {f"u{k}": None for k in range(10)}
    full = [initiative(f"i{k}", f"u{k % 10}", **{**CHECKABLE, **row}) for k, (row, _) in enumerate(drawn)]
    holed = [with_a_hole(row, column) for row, (_, column) in zip(full, drawn, strict=True)]
    holed = holed[:20] + full[20:]
    before, after = (
        initiatives.measure(data_of({"initiatives": rows}, units), RULES).query("segment == 'all'")
        for rows in (full, holed)
    )
    both = before.merge(after, on=["unit_id", "measure"], suffixes=("", "_after"))
    better = both[both["measure"].isin(HIGHER_IS_BETTER)]
    assert len(better) == 11 * len(HIGHER_IS_BETTER)
    assert not (better["low_after"] > better["low"] + 1e-12).any()
    bang = both[both["measure"] == "big_bang_share"]
    assert not (bang["high_after"] < bang["high"] - 1e-12).any()
