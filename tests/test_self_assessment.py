"""A workshop's answers: routed by role, counted, changed, withdrawn, shown only where nobody can be told."""

from dataclasses import replace

import pandas as pd
import pytest

from aiready.collection.questionnaire import build_questionnaire
from aiready.errors import UsageError
from aiready.instrument.model import read_instrument
from aiready.profile import data_check
from aiready.workbook.capture.self_assessment import (
    Person,
    check_person,
    new_code,
    person_from_row,
    progress,
    questions_for,
    response_row,
    responses_table,
    unfinished_codes,
    with_answer,
)
from aiready.workbook.capture.store import read_rows, read_slice, save_slice
from aiready.workbook.capture.team_summary import summarise_team, typed_answers

RULES = read_instrument()
PAPER = build_questionnaire(RULES)
ANN = Person("w-ann", "claims", "2026-Q3", "frontline")


def team(levels: list[int | str], role: str = "frontline", **items: list[str]) -> pd.DataFrame:
    """One row per level: everybody gives that level to every item, but for `items`."""
    answers = {item: [str(level) for level in levels] for item in RULES.items["item_id"]}
    return pd.DataFrame({"role": [role] * len(levels)} | answers | items)


def test_a_role_is_asked_its_own_questions_in_the_order_of_a_working_day():
    ids = [question.id for question in questions_for(PAPER, "frontline")]
    assert ids == RULES.items_for("frontline")["item_id"].tolist()
    assert "idea_origin" not in ids
    assert "idea_origin" in [question.id for question in questions_for(PAPER, "manager")]


def test_a_question_offers_its_levels_then_the_two_answers_that_are_no_level():
    values = [choice.value for choice in questions_for(PAPER, "frontline")[0].choices]
    assert values == ["1", "2", "3", "4", "5", "does not apply", "don't know"]


def test_answers_are_given_changed_and_withdrawn_and_progress_counts_them():
    first, second = questions_for(PAPER, "frontline")[:2]
    person = with_answer(with_answer(ANN, first, "3"), second, "don't know")
    assert progress(person, PAPER).answered == 2
    assert progress(person, PAPER).next_open == questions_for(PAPER, "frontline")[2].id
    assert with_answer(person, first, "4").answers[first.id] == "4"
    assert progress(with_answer(person, first, ""), PAPER).next_open == first.id
    assert (
        progress(with_answer(person, first, ""), PAPER, after=second.id).next_open
        == questions_for(PAPER, "frontline")[2].id
    )


def test_what_is_no_answer_is_refused():
    with pytest.raises(UsageError, match='Unknown answer "6"'):
        with_answer(ANN, questions_for(PAPER, "frontline")[0], "6")


def test_a_person_of_an_unknown_unit_or_role_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match='Did you mean "claims"'):
        check_person(Person("w-1", "clams", "2026-Q3", "frontline"), {"claims": "Claims", "cards": "Cards"})
    with pytest.raises(UsageError, match="Unknown role"):
        check_person(Person("w-1", "claims", "2026-Q3", "clerk"), {"claims": "Claims"})


def test_codes_are_never_the_same():
    assert len({new_code() for _ in range(500)}) == 500


@pytest.mark.slow
def test_a_person_saved_is_found_again_checked_clean_and_gone_when_withdrawn(tmp_path):
    table = responses_table(RULES)
    person = ANN
    for place, question in enumerate(questions_for(PAPER, "frontline")):
        person = with_answer(person, question, question.choices[place % 7].value)
        save_slice(read_slice(tmp_path, table, ANN.key), response_row(person, RULES))
    assert person_from_row(read_slice(tmp_path, table, ANN.key), RULES) == person
    found = data_check.check(str(tmp_path))
    assert found.counts[["read", "used", "quarantined"]].to_numpy().tolist() == [[1, 1, 0]]
    read = read_slice(tmp_path, table, ANN.key)
    save_slice(read, read.rows.iloc[:0])
    assert not [path for path in tmp_path.rglob("*") if "w-ann" in path.name or (
        path.is_file() and b"w-ann" in path.read_bytes())]  # fmt: skip
    with pytest.raises(UsageError, match='No answers under the code "w-ann"'):
        person_from_row(read_slice(tmp_path, table, ANN.key), RULES)


def test_answers_that_came_another_way_stay_as_they_are(tmp_path):
    given = "Respondent_ID;unit_id;wave;role;Team_Goal;purpose_told;Remark\r\n17;claims;2026-Q3;frontline;4;n/a;x\r\n"
    (tmp_path / "responses.csv").write_text(given, newline="")
    person = with_answer(ANN, questions_for(PAPER, "frontline")[1], "2")
    save_slice(read_slice(tmp_path, responses_table(RULES), ANN.key), response_row(person, RULES))
    assert (tmp_path / "responses.csv").read_text() == given.replace("\r\n", "\n")
    rows = read_rows(tmp_path, responses_table(RULES), {"unit_id": "claims"})
    assert rows[["respondent_id", "team_goal", "purpose_told"]].to_numpy().tolist() == [
        ["17", "4", "n/a"], ["w-ann", "", "2"]]  # fmt: skip


def test_who_has_not_finished_is_listed_by_code_only_from_the_workshop():
    rows = team([3, 3]).assign(respondent_id=["w-one", "r-17"])
    assert unfinished_codes(rows, PAPER) == []
    rows["reported_errors"] = ""
    assert unfinished_codes(rows, PAPER) == ["w-one"]


@pytest.mark.parametrize(
    ("people", "means", "distributions"), [(0, 0, 0), (4, 0, 0), (5, 5, 0), (9, 5, 0), (10, 10, 25)]
)
def test_nothing_is_shown_below_the_minimum_groups(people, means, distributions):
    told = summarise_team(team([1 + person % 5 for person in range(people)]), RULES)
    assert told.barriers["value"].notna().sum() == (5 if means else 0)
    assert told.items["item_id"].nunique() == (21 if distributions else 0) or distributions == 25
    assert told.items.empty == (distributions == 0)
    assert bool(told.notes) == (people != 10)


def test_below_the_minimum_it_says_why():
    notes = " ".join(summarise_team(team([3] * 4), RULES).notes)
    assert "4 people answered" in notes
    assert "from 5 people on" in notes
    assert "from 10 people on" in notes


def test_mean_scores_are_those_of_the_scales():
    told = summarise_team(team([1, 2, 3, 4, 5]), RULES)
    assert told.barriers["value"].tolist() == pytest.approx([50.0] * 5)
    assert told.barriers["n"].tolist() == [5.0] * 5


def test_two_looks_at_a_team_never_differ_by_fewer_than_the_minimum_group():
    """The picture of 10 people stays as it is until 15 have answered, whatever the next four say."""
    first = summarise_team(team([1, 2, 3, 4, 5] * 2), RULES)
    for more in range(1, 5):
        then = summarise_team(team([1, 2, 3, 4, 5] * 2 + [5] * more), RULES)
        pd.testing.assert_frame_equal(first.items, then.items)
        pd.testing.assert_frame_equal(first.barriers, then.barriers)
    assert summarise_team(team([1, 2, 3, 4, 5] * 3), RULES).items["n"].iloc[0] == 15


def test_an_item_that_fewer_than_ten_gave_a_level_to_is_left_out():
    rows = team([3] * 10, reported_errors=["don't know"] * 3 + ["3"] * 7)
    assert "reported_errors" not in set(summarise_team(rows, RULES).items["item_id"])


def test_an_answer_of_all_is_not_shown_as_such():
    items = summarise_team(team([4] * 10), RULES).items
    assert items["share"].max() == 0.95
    assert items["high"].max() == 0.95


def test_talk_begins_with_what_is_seen_differently_then_unknown_then_missing():
    rows = team([3] * 20, reported_errors=["1"] * 10 + ["5"] * 10, who_answers=["don't know"] * 8 + ["3"] * 12,
                team_goal=["1"] * 20)  # fmt: skip
    talk = summarise_team(rows, RULES).talk
    assert talk["item_id"].tolist() == ["reported_errors", "who_answers", "team_goal"]
    assert talk["why"].str.replace("\u00a0", " ").tolist() == [
        "seen differently: 50 % at the two lowest levels, 50 % at the two highest", "40 % do not know",
        "95 % at the two lowest levels"]  # fmt: skip
    told = RULES.items.set_index("item_id").loc["team_goal"]
    assert talk[["now", "next"]].iloc[2].tolist() == [told["level_1"], told["level_2"]]


def test_where_to_talk_goes_by_the_settings_of_the_instrument():
    rows = team([3] * 20, reported_errors=["1"] * 5 + ["5"] * 15, team_goal=["1"] * 12 + ["3"] * 8)
    assert summarise_team(rows, RULES).talk["item_id"].tolist() == ["reported_errors", "team_goal"]
    stricter = replace(RULES, settings=replace(RULES.settings, talk_apart=0.3))
    assert summarise_team(rows, stricter).talk["item_id"].tolist() == ["team_goal"]
    strictest = replace(RULES, settings=replace(RULES.settings, talk_apart=0.3, talk_missing=0.65))
    assert summarise_team(rows, strictest).talk.empty


def test_answers_are_read_as_the_data_folder_reads_them():
    rows = team([3, 3, 3, 3, 3, 3], team_goal=["4", "4,0", "n/a", "I don’t know", "", "7"])
    assert typed_answers(rows, RULES)["team_goal"].fillna(0).tolist() == [4.0, 4.0, -1.0, -2.0, 0.0, 0.0]
