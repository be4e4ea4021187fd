"""Actions are agreed with an owner, a date and a number; saved whole, and never over what somebody else saved."""

import shutil
from datetime import date

import pandas as pd
import pytest
from conftest import SAMPLE

from aiready.errors import InputError
from aiready.model.schema import TABLES
from aiready.profile import data_check
from aiready.workbook.capture.agreed_actions import Agreement, display_table, with_action, with_status
from aiready.workbook.capture.store import ConflictError, Slice, read_rows, read_slice, save_slice

TODAY = date(2026, 10, 5)
DUE = date(2026, 12, 1)
MADE = Agreement("trust_governance", "Answer flags", "product owner", DUE, "feedback_closed_30d", "answer-flags")


@pytest.fixture
def folder(tmp_path):
    for name in ("units", "actions"):
        shutil.copy(SAMPLE / f"{name}.csv", tmp_path)
    return tmp_path


def actions(folder) -> pd.DataFrame:
    """Agreed actions of all units, as panels and reports read them."""
    return read_rows(folder, TABLES["actions"])


def read_actions(folder, unit_id: str) -> Slice:
    return read_slice(folder, TABLES["actions"], {"unit_id": unit_id})


def add_action(base: Slice, agreement: Agreement, today: date, by: str = "") -> Slice:
    return save_slice(base, with_action(base, agreement, today), by)


def set_status(base: Slice, action_id: str, status: str, today: date) -> Slice:
    return save_slice(base, with_status(base, action_id, status, today))


def test_an_agreed_action_is_one_more_line_and_every_other_stays(folder):
    before = actions(folder).sort_values("action_id", ignore_index=True)
    after = add_action(read_actions(folder, "motor-claims"), MADE, TODAY)
    there = actions(folder).sort_values("action_id", ignore_index=True)
    kept = there.loc[there["action_id"] != "motor-claims-1", before.columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before)
    row = after.rows.iloc[-1]
    assert (row["action_id"], row["status"], row["agreed_on"], row["done_on"]) == (
        "motor-claims-1", "open", "2026-10-05", "")  # fmt: skip
    assert (row["owner"], row["due_on"], row["measure"]) == ("product owner", "2026-12-01", "feedback_closed_30d")


def test_aiready_check_accepts_what_was_saved(folder):
    add_action(read_actions(folder, "finance"), MADE, TODAY)
    told = data_check.check(str(folder), None)
    assert told.quarantined == 0
    assert actions(folder)["action_id"].is_unique


def test_a_table_that_is_not_there_yet_is_made(tmp_path):
    shutil.copy(SAMPLE / "units.csv", tmp_path)
    add_action(read_actions(tmp_path, "finance"), MADE, TODAY)
    assert data_check.check(str(tmp_path), None).quarantined == 0
    assert len(read_actions(tmp_path, "finance").rows) == 1


def test_ids_go_on_from_the_last_of_the_unit(folder):
    first = add_action(read_actions(folder, "finance"), MADE, TODAY)
    second = add_action(first, MADE, TODAY)
    assert list(second.rows["action_id"])[-2:] == ["finance-1", "finance-2"]
    assert add_action(read_actions(folder, "treasury"), MADE, TODAY).rows["action_id"].iloc[-1] == "treasury-1"


def test_what_is_missing_is_told_all_at_once_and_nothing_is_saved(folder):
    before = actions(folder)
    with pytest.raises(InputError) as told:
        add_action(read_actions(folder, "finance"), Agreement("measurement", " ", "", None, "luck"), TODAY)
    assert len(str(told.value).splitlines()) == 4
    with pytest.raises(InputError, match="2026-10-01, which is past"):
        add_action(read_actions(folder, "finance"), Agreement("measurement", "a", "b", date(2026, 10, 1)), TODAY)
    pd.testing.assert_frame_equal(actions(folder), before)


def test_the_second_who_saves_is_told_and_nothing_of_the_first_is_lost(folder):
    mine, theirs = read_actions(folder, "finance"), read_actions(folder, "finance")
    add_action(theirs, MADE, TODAY, by="anna")
    with pytest.raises(ConflictError, match="somebody else saved this since you opened it") as told:
        add_action(mine, MADE, TODAY, by="ben")
    assert actions(folder)["action"].eq("Answer flags").sum() == 1
    add_action(told.value.current, MADE, TODAY, by="ben")
    assert list(read_actions(folder, "finance").rows["action_id"])[-2:] == ["finance-1", "finance-2"]


def test_two_units_do_not_get_in_each_others_way(folder):
    here, there = read_actions(folder, "finance"), read_actions(folder, "motor-claims")
    add_action(here, MADE, TODAY)
    add_action(there, MADE, TODAY)
    assert actions(folder)["action"].eq("Answer flags").sum() == 2


def test_done_takes_its_day_and_gives_it_back(folder):
    read = add_action(read_actions(folder, "finance"), MADE, TODAY)
    done = set_status(read, "finance-1", "done", date(2026, 11, 20))
    assert done.rows.iloc[-1][["status", "done_on"]].tolist() == ["done", "2026-11-20"]
    again = set_status(done, "finance-1", "open", TODAY)
    assert again.rows.iloc[-1][["status", "done_on"]].tolist() == ["open", ""]
    with pytest.raises(InputError, match="no agreed action"):
        set_status(again, "finance-9", "done", TODAY)
    with pytest.raises(InputError, match="no state of an action"):
        set_status(again, "finance-1", "finished", TODAY)


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
    listed = display_table(rows, {"measurement": "Measurement"}, TODAY)
    assert list(listed["State"]) == ["overdue", "done", "open", "open"]
    assert list(listed["Barrier"].unique()) == ["Measurement"]
