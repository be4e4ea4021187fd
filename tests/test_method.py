"""Sentences of docs/method.md, "Nobody identifiable", that no other test holds to their word."""

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, answers
from scipy.sparse import csr_array
from test_decisions import data_of as log_data
from test_decisions import log_of
from test_decisions import rules as rules_of
from test_harmless import everything
from test_history import cut, people_of
from test_suppression import hidden_of, two_way
from test_suppression import log_of as units_under_p
from typed_tables import data_of

from aiready import Assessment
from aiready.inputs.dataset import read_data, write_quarantine
from aiready.instrument.model import Settings, read_instrument
from aiready.measures import decisions, feedback, initiatives, workflows
from aiready.measures.decisions.deciders import deciders
from aiready.model.registry import MEASURES, OK, SUPPRESSED
from aiready.pages import handout
from aiready.privacy import (
    derivability,
    gate,
    release_groups,
    release_keys,
    release_record,
    sensitivity,
    suppression,
)
from aiready.privacy import (
    releases as history,
)
from aiready.privacy.contributors import Persons, Respondents
from aiready.privacy.derivability import Moves
from aiready.privacy.suppressed_cells import record_cells, survey_cells
from aiready.privacy.suppression import System, suppress
from aiready.profile import data_check

UNITS = pd.DataFrame({"unit_id": ["top", "a", "b"], "parent_id": [None, "top", "top"]})


def hidden_units(behind, units):
    cells = record_cells(behind, units, Settings())
    return set(cells.loc[cells["hidden"].astype(bool) & cells["segment"].eq("all"), "unit_id"])


# Minimum groups --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("second", "hidden"), [(4, {"a", "*"}), (5, set())])
def test_users_of_a_unit_are_those_of_its_largest_initiative(second, hidden):
    rows = [{"unit_id": "a", "initiative_id": name, "intended_users": n} for name, n in (("x", 4), ("y", second))]
    data = data_of({"usage": rows}, {"a": None})
    assert hidden_units(initiatives.users(data, Settings()), data.units) == hidden


@pytest.mark.parametrize(
    ("named", "level", "headcount", "hidden"),
    [(0, 1, 20, False), (0, 1, 19, True), (0, 1, None, True), (4, 1, 100, True), (5, 1, 100, False), (0, 4, 3, False)],
)
def test_decisions_count_whom_they_name_else_the_headcount_and_what_ai_decided_alone_nobody(
    named, level, headcount, hidden
):
    who = [f"p{place % named}" if named and place < 40 else None for place in range(80)]
    log = log_of(decider_id=who, autonomy_level=[level] * 80, final_decision=["x"] * 80, correct_decision=["x"] * 80)
    data, rules = log_data(log, pd.DataFrame({"unit_id": ["claims"], "headcount": [headcount]})), rules_of()
    behind = deciders(decisions.count_log(data, rules), data, rules.settings)
    assert ("claims" in hidden_units(behind, data.units)) == hidden


# Nothing small follows -------------------------------------------------------------------------------------------


def test_single_roles_are_shown_of_units_above_others_only():
    roles = ("frontline", "technical", "manager", "executive")
    rows = [(unit, "2026-Q3", role, 20) for unit in "ab" for role in roles]
    cells = survey_cells(pd.DataFrame(rows, columns=["unit_id", "wave", "role", "n"]), UNITS, Settings())
    shown = cells[~cells["hidden"].astype(bool) & cells["segment"].isin(roles)]
    assert shown.groupby("unit_id")["segment"].nunique().to_dict() == {"*": 4, "top": 4}


def test_small_parts_of_records_are_taken_together_each_person_once():
    """Shown are a + b + c, c + d and d, so a + b follows: four people, who may be the same in both."""
    cells = csr_array([[1.0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1]])
    sums = pd.DataFrame({"total": [1], "child": [2], "by": ["unit"]})

    def hidden(contributors):
        return suppress(System(cells, contributors, np.ones(3, dtype=bool), sums), 5).hidden.any()

    def persons(a, b):
        shares = np.zeros((4, 28))
        for part, those in enumerate((a, b, slice(8, 18), slice(18, 28))):
            shares[part, those] = 1
        return Persons(csr_array(shares), np.ones((4, 1), dtype=bool), 0.1, csr_array((4, 1)), np.zeros(1))

    assert hidden(Respondents(np.array([[2.0], [2], [10], [10]])))
    assert hidden(persons(slice(0, 2), slice(2, 4)))
    assert hidden(persons(slice(0, 4), slice(0, 4)))
    assert not hidden(persons(slice(0, 3), slice(3, 6)))


def test_in_a_table_of_very_many_small_parts_unions_of_two_are_looked_for_only(monkeypatch):
    """Parts 0 to 2 follow together, and so do 3 and 4; the limit counts the parts of the whole table."""
    moves = Moves.under(csr_array([[1.0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0]]))
    parts, people = np.arange(6), np.ones(6)
    assert moves.unions(parts, people, 5) == [(0, 1, 2), (3, 4)]
    monkeypatch.setattr(derivability, "UNION_LIMIT", 5)
    assert moves.unions(parts, people, 5) == [(3, 4)]


def test_between_runs_unions_of_very_many_small_parts_are_looked_for_two_at_a_time():
    """As above: parts 0 to 2 follow together, and so do 3 and 4."""
    published, nothing = csr_array([[1.0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0]]), csr_array((0, 6))
    figure = release_groups.Figure("scale", [], np.ones(6), [published], csr_array((6, 6)), np.arange(6))

    def unions(several):
        rows = release_groups.derivable_sums(published, figure, nothing, 5, several).toarray()
        return sorted(tuple(np.flatnonzero(row)) for row in rows)

    assert unions(several=6) == [(0, 1, 2), (3, 4)]
    assert unions(several=5) == [(3, 4)]


def test_what_totals_hold_beyond_parts_is_looked_at_as_far_as_the_limit_goes(monkeypatch):
    """Unit p holds x of nine people and y of four: what p holds beyond x is too few."""
    log = {(unit, f"{unit}{at}"): 20 for unit, people in (("x", 9), ("y", 4)) for at in range(people)}
    system = units_under_p(log)
    beyond = sensitivity.CellAnalysis(system, 5).nested
    assert list(zip(*beyond[:2], beyond[2].any(axis=1), strict=True)) == [(2, 0, True), (2, 1, False)]
    monkeypatch.setattr(sensitivity, "COMPARISON_LIMIT", 0)
    assert [part.size for part in sensitivity.CellAnalysis(system, 5).nested] == [0, 0, 0]


@pytest.mark.slow
def test_a_median_is_hidden_where_a_sum_over_the_same_decisions_would_be(tmp_path):
    """Units of 9 and 4 deciders: the 4 are hidden, and of the 9, which would give them away, median and share alike."""
    people = [(unit, at) for unit, number in (("a", 9), ("b", 4), ("c", 9), ("d", 9)) for at in range(number)]
    rows = [
        f"{unit},{unit}{at}-{day},{unit}{at},2026-08-0{day}T08:00,2026-08-0{day + at % 3}T09:00,yes,no,no"
        for unit, at in people
        for day in range(1, 6)
    ]
    header = "unit_id,decision_id,decider_id,opened_at,decided_at,advice,final_decision,correct_decision\n"
    (tmp_path / "decisions.csv").write_text(header + "\n".join(rows), encoding="utf-8")
    rows = Assessment.open(tmp_path).measures
    rows = rows[rows["wave"].eq("2026-Q3") & rows["segment"].eq("all")].set_index(["measure", "unit_id"])["status"]
    median, share = rows["decision_speed_p50"], rows["override_rate"]
    assert median.eq(SUPPRESSED).sum() == 2
    assert median.to_dict() == share.to_dict()


# No more than needed ---------------------------------------------------------------------------------------------


def test_what_was_hidden_for_others_is_tried_again_unless_there_are_very_many(monkeypatch):
    random = np.random.default_rng(3)
    systems = [two_way(random.poisson(6, (4, 4))) for _ in range(12)]
    tried = [hidden_of(system) for system in systems]
    monkeypatch.setattr(suppression, "DENSE_LIMIT", 0)
    assert [hidden_of(system) for system in systems] == tried
    monkeypatch.setattr(suppression, "REVEAL_LIMIT", 0)
    never = [hidden_of(system) for system in systems]
    assert sum(map(len, never)) > sum(map(len, tried))


# Why, softened, codes --------------------------------------------------------------------------------------------


def test_items_say_why_they_are_hidden():
    about = {"wave": "2026-Q3", "item_id": "x", "segment": "all", "level": "1", "share": 0.5, "status": "ok"}
    answers = pd.DataFrame([about | {"unit_id": unit, "people": n} for unit, n in (("a", 9), ("b", 12), ("c", 30))])
    few = [("a", True, True), ("b", True, False), ("c", False, False)]
    cells = pd.DataFrame(few, columns=["unit_id", "hidden", "primary"])
    cells = cells.assign(wave="2026-Q3", item_id="x", segment="all")
    shown = gate.protect_items(answers, gate.SuppressionPattern(*[cells] * 7, records={}), Settings())
    assert shown["note"].tolist() == [gate.FEW, gate.PROTECTS, ""]
    assert shown["n"].isna().tolist() == [True, True, False]


@pytest.mark.parametrize(("share", "kept"), [(0.0, False), (0.01, True), (0.99, True), (1.0, False)])
def test_no_share_but_none_and_all_is_softened(share, kept):
    row = {"unit": "share", "status": "ok", "value": share, "low": 0.0, "high": 1.0, "note": ""}
    (soft,) = gate.blur_extremes(pd.DataFrame([row]), pd.Series([True])).to_dict("records")
    assert (soft == row) == kept
    assert np.isnan(soft["value"]) != kept


def test_rows_set_aside_keep_code_answers_and_comment(tmp_path):
    text = "respondent_id,unit_id,team_goal,comment\nann,claims,9,not like this\nbob,claims,3,\n"
    (tmp_path / "responses.csv").write_text(text, encoding="utf-8")
    data = read_data(tmp_path, read_instrument())
    (path,) = write_quarantine(data, tmp_path / "quarantine")
    (row,) = pd.read_csv(path, dtype=str).to_dict("records")
    assert (row["respondent_id"], row["team_goal"], row["comment"]) == ("ann", "9", "not like this")
    assert "bob" not in set(data.table("responses")["respondent_id"])


# Run beside run --------------------------------------------------------------------------------------------------


def test_a_history_tells_units_and_roles_plainly_and_who_counts_in_what_with_its_key_only():
    people = people_of({"claims": 7, "cards": 3})
    people["skips"] = ["scale:first", *[""] * 9]
    release = cut(people, [("claims", "2026", "all")])
    rows, key = release.people, release.keys["2026"]
    assert rows.groupby(["unit_id", "role"]).size().to_dict() == {("claims", "frontline"): 7, ("cards", "frontline"): 3}
    assert rows["person"].iloc[0] == release_keys.digest(key, "person", b"claims-0")
    guesses = {release_keys.digest(key[::-1], "person", code.encode()) for code in people["code"]}
    assert not set(rows["person"]) & guesses
    assert rows["figures"].nunique() > 2  # of two patterns
    assert len(set(release_record.encrypted_figures(rows, release.figures, key))) == 2
    assert len(set(release_record.encrypted_figures(rows, release.figures, key[::-1]))) > 2


def test_usage_is_not_compared_run_by_run(tmp_path):
    for users in (20, 21):
        table = f"unit_id,initiative_id,wave,intended_users,active_users\nclaims,x,2026-Q3,{users},10\n"
        (tmp_path / "usage.csv").write_text(table, encoding="utf-8")
        seen = Assessment.open(tmp_path, published=tmp_path / "history")
        history.save(tmp_path / "history", seen.release, "")
        adoption = seen.cell("adoption", unit_id="claims")
        assert (adoption.status, adoption.n) == (OK, users)
    assert all(release.people.empty for release in history.read(tmp_path / "history"))


@pytest.mark.slow
def test_check_does_not_look_at_earlier_runs(tmp_path):
    for number in (12, 13):
        answers(number, role="frontline").to_csv(tmp_path / "responses.csv", index=False)
        seen = Assessment.open(tmp_path, published=tmp_path / "history")
        history.save(tmp_path / "history", seen.release, "")
    hidden = seen.cell("perception", barrier_id="measurement", unit_id="claims")
    assert (hidden.status, hidden.note) == (SUPPRESSED, gate.PROTECTS)
    assert data_check.check(str(tmp_path)).suppressed.empty


# Not about people ------------------------------------------------------------------------------------------------


def test_flags_test_questions_and_steps_are_counted_without_people(tmp_path):
    tables = {
        "feedback": "unit_id,initiative_id,feedback_id,flagged_at\na,x,f,2026-08-03\n",
        "probes": "unit_id,asked_at,question_id,correct\na,2026-08-03,q,yes\n",
        "workflow_steps": "unit_id,workflow,version,step_no,step,actor,ai_use\na,w,now,1,Read,human_ai,redesigned\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    rules = read_instrument()
    data = read_data(tmp_path, rules)
    made = pd.concat([feedback.measure(data, rules), workflows.measure(data, rules)])
    counted = made[made["n"].ge(1)]
    assert set(counted["table"]) == set(tables)
    assert counted["people"].isna().all()


# What is not claimed ---------------------------------------------------------------------------------------------


def test_speed_autonomy_reliance_hours_and_counts_are_part_of_no_score():
    scored = set(read_instrument().indicators["measure"])
    assert {MEASURES[name].unit for name in scored} <= {"share", "score"}
    words = ("speed", "autonom", "relian", "overrid", "days", "hours", "count", "exposure")
    assert [name for name in scored if any(word in name for word in words)] == []


def test_every_handout_says_that_used_for_targets_bonus_or_appraisal_it_stops_measuring(tmp_path):
    answers(12, role="frontline").to_csv(tmp_path / "responses.csv", index=False)
    unit = Assessment.open(tmp_path).unit("claims")
    words = everything([handout.method(unit)])
    assert "targets, bonus or appraisal, people answer to the target and it stops measuring" in words
    assert "handout.method(" in (ROOT / "notebooks" / "unit_report.ipynb").read_text(encoding="utf-8")
