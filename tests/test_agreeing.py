"""Actions are agreed with an owner, a date and a number; saved whole, and never over what somebody else saved."""

import shutil
from datetime import date

import pandas as pd
import pytest
from conftest import SAMPLE

from aiready.errors import InputError
from aiready.profile import data_check
from aiready.workbook.capture.agreed_actions import Agreement, agree, agreed, as_listed, move
from aiready.workbook.capture.store import ConflictError

TODAY = date(2026, 10, 5)
DUE = date(2026, 12, 1)
MADE = Agreement("trust_governance", "Answer flags", "product owner", DUE, "feedback_closed_30d", "answer-flags")


@pytest.fixture
def folder(tmp_path):
    for name in ("units", "actions"):
        shutil.copy(SAMPLE / f"{name}.csv", tmp_path)
    return tmp_path


def lines(folder) -> list[str]:
    return (folder / "actions.csv").read_text(encoding="utf-8").splitlines()


def test_an_agreed_action_is_one_more_line_and_every_other_stays(folder):
    before = pd.read_csv(folder / "actions.csv", dtype=str)
    after = agree(agreed(folder, "motor-claims"), MADE, TODAY)
    there = pd.read_csv(folder / "actions.csv", dtype=str)
    kept = there.loc[there["action_id"] != "motor-claims-1", before.columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before)
    row = after.rows.iloc[-1]
    assert (row["action_id"], row["status"], row["agreed_on"], row["done_on"]) == (
        "motor-claims-1", "open", "2026-10-05", "")  # fmt: skip
    assert (row["owner"], row["due_on"], row["measure"]) == ("product owner", "2026-12-01", "feedback_closed_30d")


def test_aiready_check_accepts_what_was_saved(folder):
    agree(agreed(folder, "finance"), MADE, TODAY)
    told = data_check.examine(str(folder), None)
    assert told.quarantined == 0
    assert pd.read_csv(folder / "actions.csv")["action_id"].is_unique


def test_a_table_that_is_not_there_yet_is_made(tmp_path):
    shutil.copy(SAMPLE / "units.csv", tmp_path)
    agree(agreed(tmp_path, "finance"), MADE, TODAY)
    assert data_check.examine(str(tmp_path), None).quarantined == 0
    assert len(agreed(tmp_path, "finance").rows) == 1


def test_ids_go_on_from_the_last_of_the_unit(folder):
    first = agree(agreed(folder, "finance"), MADE, TODAY)
    second = agree(first, MADE, TODAY)
    assert list(second.rows["action_id"])[-2:] == ["finance-1", "finance-2"]
    assert agree(agreed(folder, "treasury"), MADE, TODAY).rows["action_id"].iloc[-1] == "treasury-1"


def test_what_is_missing_is_told_all_at_once_and_nothing_is_saved(folder):
    before = lines(folder)
    with pytest.raises(InputError) as told:
        agree(agreed(folder, "finance"), Agreement("measurement", " ", "", None, "luck"), TODAY)
    assert len(str(told.value).splitlines()) == 4
    with pytest.raises(InputError, match="2026-10-01, which is past"):
        agree(agreed(folder, "finance"), Agreement("measurement", "a", "b", date(2026, 10, 1)), TODAY)
    assert lines(folder) == before


def test_the_second_who_saves_is_told_and_nothing_of_the_first_is_lost(folder):
    mine, theirs = agreed(folder, "finance"), agreed(folder, "finance")
    agree(theirs, MADE, TODAY, by="anna")
    with pytest.raises(ConflictError, match="somebody else saved this since you opened it") as told:
        agree(mine, MADE, TODAY, by="ben")
    assert sum("Answer flags" in line for line in lines(folder)) == 1
    agree(told.value.theirs, MADE, TODAY, by="ben")
    assert list(agreed(folder, "finance").rows["action_id"])[-2:] == ["finance-1", "finance-2"]


def test_two_units_do_not_get_in_each_others_way(folder):
    here, there = agreed(folder, "finance"), agreed(folder, "motor-claims")
    agree(here, MADE, TODAY)
    agree(there, MADE, TODAY)
    assert sum("Answer flags" in line for line in lines(folder)) == 2


def test_done_takes_its_day_and_gives_it_back(folder):
    read = agree(agreed(folder, "finance"), MADE, TODAY)
    done = move(read, "finance-1", "done", date(2026, 11, 20))
    assert done.rows.iloc[-1][["status", "done_on"]].tolist() == ["done", "2026-11-20"]
    again = move(done, "finance-1", "open", TODAY)
    assert again.rows.iloc[-1][["status", "done_on"]].tolist() == ["open", ""]
    with pytest.raises(InputError, match="no agreed action"):
        move(again, "finance-9", "done", TODAY)
    with pytest.raises(InputError, match="no state of an action"):
        move(again, "finance-1", "finished", TODAY)


def test_only_open_actions_are_overdue():
    rows = pd.DataFrame(
        {
            "action": ["a", "b", "c", "d"],
            "barrier_id": "measurement",
            "owner": "o",
            "due_on": ["2026-10-04", "2026-10-04", "2026-10-05", ""],
            "status": ["open", "done", "open", "open"],
            "measure": ["adoption", "", "", ""],
        }
    )
    listed = as_listed(rows, {"measurement": "Measurement"}, TODAY)
    assert list(listed["State"]) == ["overdue", "done", "open", "open"]
    assert list(listed["Barrier"].unique()) == ["Measurement"]
