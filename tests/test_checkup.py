import json

import pandas as pd
import pytest
from conftest import answers

from aiready.profile import data_check

pytestmark = pytest.mark.slow  # each reads a folder


def test_a_clean_folder_says_who_answered_and_that_nobody_would_be_hidden(tmp_path):
    roles = ["frontline"] * 12 + ["manager"] * 6 + ["technical"] * 6 + ["executive"] * 6
    answers(30, role=roles, wave="2026-Q3").to_csv(tmp_path / "responses.csv", index=False)
    found = data_check.check(str(tmp_path))
    assert found.quarantined == 0
    assert found.answers.set_index("unit_id").loc["claims"].to_dict() == {
        "frontline": 12, "manager": 6, "technical": 6, "executive": 6, "all": 30}  # fmt: skip
    assert found.suppressed.empty
    assert "Nobody would be suppressed today." in found.as_text()
    assert "wave 2026-Q3" in found.as_text()


def test_small_groups_are_named_before_anything_is_published(tmp_path):
    units = ["claims"] * 20 + ["cards"] * 8 + ["treasury"] * 3
    answers(31, unit_id=units, role="frontline").to_csv(tmp_path / "responses.csv", index=False)
    found = data_check.check(str(tmp_path))
    hidden = set(found.suppressed.loc[found.suppressed["segment"] == "all", "unit_id"])
    assert hidden == {"treasury", "cards"}
    why = found.suppressed.set_index(["unit_id", "segment"])["why"]
    assert (why["treasury", "all"], why["cards", "all"]) == ("too few people", "to protect another group")
    told = "Would be suppressed today (too few people):\n  treasury: all"
    assert told in found.as_text()


def test_only_the_newest_wave_is_asked_about(tmp_path):
    waves = ["2026-Q2"] * 20 + ["2026-Q3"] * 11
    answers(31, role="frontline", wave=waves).to_csv(tmp_path / "responses.csv", index=False)
    found = data_check.check(str(tmp_path))
    assert found.wave == "2026-Q3"
    assert found.answers.set_index("unit_id").loc["*", "all"] == 11


def test_rows_that_break_a_rule_are_counted_by_rule_with_an_example(tmp_path):
    given = answers(25)
    given.loc[3:5, "team_goal"] = 9
    given.loc[7:8, "unit_id"] = None
    given.to_csv(tmp_path / "responses.csv", index=False)
    found = data_check.check(str(tmp_path))
    assert found.quarantined == 5
    assert sorted(found.reasons["rows"]) == [2, 3]
    worst = found.reasons.sort_values("rows").iloc[-1]
    assert worst[["file", "row", "value"]].astype(str).tolist() == ["responses.csv", "5", "9"]
    counts = found.counts.set_index("table").loc["responses"]
    assert counts["read"] == counts["used"] + counts["quarantined"] == 25


def test_people_without_a_role_are_shown_as_such(tmp_path):
    answers(12).to_csv(tmp_path / "responses.csv", index=False)
    shown = data_check.check(str(tmp_path)).answers.set_index("unit_id")
    assert shown.loc["claims"].to_dict() == {"no role": 12, "all": 12}


def test_records_alone_have_nobody_to_hide(tmp_path):
    pd.DataFrame({"unit_id": ["claims"], "job": ["clerk"], "task_id": ["t1"], "task": ["Reply"]}).to_csv(
        tmp_path / "tasks.csv", index=False
    )
    found = data_check.check(str(tmp_path))
    assert found.answers.empty
    assert "suppressed" not in found.as_text()


def test_the_json_says_the_same_and_has_no_missing_numbers(tmp_path):
    answers(12, role="frontline").to_csv(tmp_path / "responses.csv", index=False)
    text = json.dumps(data_check.check(str(tmp_path)).as_json())
    assert "NaN" not in text
    assert set(json.loads(text)) == {"counts", "reasons", "values", "answers", "suppressed", "as_of", "notes"}
    assert json.loads(text)["counts"][0]["read"] == 12
