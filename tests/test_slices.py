"""Files of slices: one takes the place of its rows in every other file of the table, and every row is accounted for."""

from pathlib import Path

import pandas as pd
import pytest

from aiready.errors import InputError
from aiready.inputs.dataset import read_data
from aiready.inputs.slices import slice_name
from aiready.instrument.model import read_instrument
from aiready.model.schema import TABLES
from aiready.profile import data_check

RULES = read_instrument()
TASKS = (
    "unit_id,job,task_id,task,hours_per_year,wave\n"
    "claims,Clerk,reply,Answer letters,120,\nclaims,Clerk,sort,Sort,often,\ncards,Clerk,reply,Answer letters,99,\n"
    "claims,Clerk,reply,Answer letters,130,2026-Q3\n"
)


def name_of(*cells: str, table: str = "tasks") -> str:
    return slice_name(TABLES[table], cells)


def save(folder: Path, name: str, content: str, table: str = "tasks") -> None:
    (folder / table).mkdir(exist_ok=True)
    (folder / table / f"{name}.csv").write_text(content)


def test_a_file_of_a_slice_supersedes_its_rows_whole_and_no_others(tmp_path):
    (tmp_path / "tasks.csv").write_text(TASKS)
    save(tmp_path, name_of("claims", "Clerk", ""), "unit_id,job,task_id,task\nclaims,Clerk,call,Call back\n")
    data = read_data(tmp_path, RULES)
    assert sorted(zip(data.table("tasks")["unit_id"], data.table("tasks")["task_id"], strict=True)) == [
        ("cards", "reply"), ("claims", "call"), ("claims", "reply")]  # fmt: skip
    assert data.counts[["read", "used", "quarantined", "superseded"]].to_numpy().tolist() == [[5, 3, 0, 2]]
    left_out = data.quarantine["tasks"]
    assert left_out["row"].tolist() == [2, 3]
    assert set(left_out["rule"]) == {f"superseded by tasks/{name_of('claims', 'Clerk', '')}.csv, saved in a notebook"}
    assert "_superseded_by" not in left_out
    assert "tasks: 2 rows superseded by a later file, set aside in quarantine." in data.notes


def test_a_file_without_rows_removes_its_slice(tmp_path):
    (tmp_path / "tasks.csv").write_text(TASKS)
    save(tmp_path, name_of("claims", "Clerk", "2026-q3"), "unit_id,job,task_id,task,wave\n")
    save(tmp_path, name_of("claims", "Clerk", ""), "unit_id,job,task_id,task\n")
    assert read_data(tmp_path, RULES).table("tasks")["unit_id"].tolist() == ["cards"]


def test_superseded_rows_break_no_rule_and_others_are_judged_as_ever(tmp_path):
    (tmp_path / "tasks.csv").write_text(TASKS)
    before = data_check.check(str(tmp_path))
    assert before.quarantined == 1
    assert "superseded" not in before.counts
    save(tmp_path, name_of("cards", "Clerk", ""), "unit_id,job,task_id,task\ncards,Clerk,call,Call back\n")
    assert data_check.check(str(tmp_path)).quarantined == 1
    save(tmp_path, name_of("claims", "Clerk", ""), "unit_id,job,task_id,task\nclaims,Clerk,call,Call back\n")
    told = data_check.check(str(tmp_path))
    assert told.quarantined == 0
    assert told.counts["superseded"].tolist() == [3]
    assert "Rows read = used + quarantined + superseded by what notebooks saved" in told.as_text()


@pytest.mark.parametrize("home", ["parquet", "xlsx", "folder"])
def test_files_of_slices_lie_beside_a_table_of_any_kind(tmp_path, home):
    rows = pd.DataFrame({"unit_id": ["claims", "cards"], "job": "Clerk", "task_id": "reply", "task": ["old", "stays"]})
    save(tmp_path, name_of("claims", "Clerk", ""), "unit_id,job,task_id,task\nclaims,Clerk,reply,new\n")
    if home == "parquet":
        rows.to_parquet(tmp_path / "tasks.parquet")
    elif home == "xlsx":
        rows.to_excel(tmp_path / "all.xlsx", sheet_name="tasks", index=False)
    else:
        rows.to_csv(tmp_path / "tasks" / "sent-2026-09-02.csv", index=False)
    data = read_data(tmp_path, RULES)
    assert sorted(data.table("tasks")["task"]) == ["new", "stays"]
    assert data.counts[["read", "used", "quarantined", "superseded"]].to_numpy().tolist() == [[3, 2, 0, 1]]


def test_ids_are_compared_as_spreadsheets_write_them(tmp_path):
    (tmp_path / "initiatives.csv").write_text("initiative_id,unit_id,name,stage\n11.0,claims,old,pilot\n")
    header = "initiative_id,unit_id,name,stage"
    save(tmp_path, name_of("11", table="initiatives"), f"{header}\n11,claims,new,pilot\n", "initiatives")
    assert read_data(tmp_path, RULES).table("initiatives")["name"].tolist() == ["new"]


def test_other_files_beside_a_table_are_still_one_too_many(tmp_path):
    (tmp_path / "tasks.csv").write_text(TASKS)
    save(tmp_path, "claims", TASKS)
    with pytest.raises(InputError, match=r"tasks is there more than once \(tasks/, tasks\.csv\)"):
        read_data(tmp_path, RULES)


def test_names_of_slices_differ_wherever_their_cells_do():
    cells = ["", "a", "b", "a-b", "A", "a b", "a--b", "ä", "x" * 300, "x" * 301]
    keys = [(unit, job, wave) for unit in cells[1:] for job in cells[1:] for wave in ("", "2026", "2026-Q3")]
    names = {name_of(*key) for key in keys}
    assert len(names) == len(keys)
    assert max(map(len, names)) < 200
    assert all("--" in name for name in names)
