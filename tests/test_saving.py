"""A slice is saved in a file of its own, whole or not at all, never over what somebody else saved; other files stay."""

import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from aiready.errors import InfrastructureError, InputError
from aiready.inputs.dataset import read_data
from aiready.instrument.model import read_instrument
from aiready.model.schema import TABLES
from aiready.profile import data_check
from aiready.workbook.capture.editor import Editor
from aiready.workbook.capture.merging import merge
from aiready.workbook.capture.store import (
    ConflictError,
    Slice,
    as_text,
    read_rows,
    read_slice,
    save_slice,
    versions,
    writable_folder,
)

ACTIONS, RESPONSES, TABLE = TABLES["actions"], TABLES["responses"], TABLES["tasks"]
JOB = {"unit_id": "claims", "job": "handler", "wave": ""}
TASKS = (
    "unit_id,job,task_id,task,hours_per_year,Our note\n"
    "claims,handler,reply,Answer letters,120,ask Ann\n"
    '\nclaims,handler,sort,"Sort\nthe post",80.0,\n'
    "cards,clerk,reply,Answer letters,99.50,kept as it is\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tasks.csv").write_text(TASKS)
    return tmp_path


def job(folder: Path) -> Slice:
    return read_slice(folder, TABLE, JOB)


def saved_file(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "tasks" / "claims--handler.csv", dtype=str).fillna("")


def hours(read: Slice, **changed: str) -> pd.DataFrame:
    return read.rows.assign(hours_per_year=[changed.get(task, held) for task, held in zip(
        read.rows["task_id"], read.rows["hours_per_year"], strict=True)])  # fmt: skip


def test_a_slice_is_saved_in_its_own_file_and_no_other_file_changes(folder):
    saved = save_slice(job(folder), hours(job(folder), reply="140"))
    assert (folder / "tasks.csv").read_text() == TASKS
    assert [path.name for path in (folder / "tasks").iterdir()] == ["claims--handler.csv"]
    assert saved_file(folder)[["task", "hours_per_year", "Our note"]].to_numpy().tolist() == [
        ["Answer letters", "140", "ask Ann"], ["Sort\nthe post", "80.0", ""]]  # fmt: skip
    pd.testing.assert_frame_equal(saved.rows, job(folder).rows)
    assert read_rows(folder, TABLE)["hours_per_year"].tolist() == ["99.50", "140", "80.0"]


def test_what_was_saved_is_what_the_report_reads(folder):
    save_slice(job(folder), hours(job(folder), reply="140"))
    data = read_data(folder, read_instrument())
    assert sorted(data.table("tasks")["hours_per_year"]) == [80, 99.5, 140]
    assert data_check.check(str(folder)).quarantined == 0


def test_rows_may_be_added_between_others_and_removed(folder):
    new = pd.DataFrame([{"task_id": "open", "task": "Open"}, {"task_id": "reply"},
                        {"task_id": "call", "task": "Call"}]).assign(oversight_hours=[12.5, None, 1.0])  # fmt: skip
    saved = save_slice(job(folder), new)
    assert saved.rows["task_id"].tolist() == saved_file(folder)["task_id"].tolist() == ["open", "reply", "call"]
    assert saved.rows["Our note"].tolist() == ["", "ask Ann", ""]
    assert saved_file(folder)[["task", "hours_per_year", "oversight_hours"]].to_numpy().tolist() == [
        ["Open", "", "12.5"], ["", "120", ""], ["Call", "", "1"]]  # fmt: skip


def test_a_table_that_is_not_there_yet_is_begun(tmp_path):
    row = {"action_id": "a-1", "barrier_id": "measurement", "owner": "Ann", "action": "Ask", "due_on": "2026-12-01",
           "status": "open"}  # fmt: skip
    saved = save_slice(read_slice(tmp_path, ACTIONS, {"unit_id": "claims"}), pd.DataFrame([row]))
    assert saved.rows[["action_id", "unit_id"]].to_numpy().tolist() == [["a-1", "claims"]]
    assert data_check.check(str(tmp_path)).counts["used"].tolist() == [1]


def test_a_slice_may_be_emptied(folder):
    saved = save_slice(job(folder), job(folder).rows.iloc[:0])
    assert saved.rows.empty
    assert read_rows(folder, TABLE)["unit_id"].tolist() == ["cards"]
    assert read_data(folder, read_instrument()).table("tasks")["unit_id"].tolist() == ["cards"]
    again = save_slice(job(folder), pd.DataFrame([{"task_id": "call", "task": "Call"}]))
    assert again.rows["task_id"].tolist() == ["call"]


def test_a_slice_that_is_in_no_other_file_is_gone_when_it_is_emptied(folder):
    key = {"unit_id": "claims", "job": "new", "wave": ""}
    saved = save_slice(read_slice(folder, TABLE, key), pd.DataFrame([{"task_id": "call", "task": "Call"}]))
    assert saved.path.exists()
    save_slice(saved, saved.rows.iloc[:0])
    assert not saved.path.exists()


def test_nothing_changed_writes_nothing(folder):
    save_slice(job(folder), job(folder).rows)
    assert not (folder / "tasks").exists()
    assert versions(job(folder)) == []


def test_the_second_who_saves_the_same_rows_is_told_who_what_and_when_and_keeps_both(folder):
    first, second = job(folder), job(folder)
    save_slice(first, hours(first, reply="140"), by="anna")
    mine = hours(second, reply="150", sort="70")
    with pytest.raises(ConflictError, match=r"anna, .*reply: hours_per_year 120 → 140") as told:
        save_slice(second, mine, by="ben")
    assert saved_file(folder)["hours_per_year"].tolist() == ["140", "80.0"]
    assert pd.read_csv(told.value.rejected_path)["hours_per_year"].tolist() == [150, 70]
    merged = merge(second.rows, mine, told.value.current.rows, second.row_key)
    assert merged.rows["hours_per_year"].tolist() == ["140", "70"]
    assert merged.conflicts.to_numpy().tolist() == [["reply", "hours_per_year", "120", "140", "150"]]
    saved = save_slice(told.value.current, merged.rows, by="ben")
    assert [version.label.rpartition(",")[0].rpartition(",")[0] for version in versions(saved)] == [
        "ben", "not saved, ben", "anna", "before anna"]  # fmt: skip


def test_a_change_with_another_program_is_noticed_too(folder):
    read = job(folder)
    (folder / "tasks.csv").write_text(TASKS.replace("120", "121"))
    with pytest.raises(ConflictError, match="outside this workbook"):
        save_slice(read, hours(read, reply="140"))
    read = save_slice(job(folder), hours(job(folder), reply="140"))
    read.path.write_text(read.path.read_text().replace("140", "141"))
    with pytest.raises(ConflictError, match=r"outside this workbook.* 140 → 141"):
        save_slice(read, hours(read, reply="150"))


def test_others_may_save_other_rows_of_the_table_meanwhile(folder):
    mine, others = job(folder), read_slice(folder, TABLE, {"unit_id": "cards", "job": "clerk", "wave": ""})
    save_slice(others, others.rows.assign(hours_per_year="100"))
    save_slice(mine, hours(mine, reply="140"))
    assert sorted(read_rows(folder, TABLE)["hours_per_year"]) == ["100", "140", "80.0"]


def _save_own(folder: Path, unit: int) -> None:
    for hours_per_year in range(5):
        read = read_slice(folder, TABLE, {"unit_id": f"u{unit}", "job": "j", "wave": ""})
        save_slice(read, pd.DataFrame([{"task_id": "t", "task": "x", "hours_per_year": hours_per_year}]))


def test_saves_at_the_same_time_lose_nothing(tmp_path):
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_save_own, [tmp_path] * 4, range(4)))
    saved = read_rows(tmp_path, TABLE)
    assert sorted(saved["unit_id"]) == ["u0", "u1", "u2", "u3"]
    assert set(saved["hours_per_year"]) == {"4"}


def _add_one(folder: Path, number: int) -> bool:
    read = read_slice(folder, TABLE, {"unit_id": "u", "job": "j", "wave": ""})
    try:
        save_slice(read, pd.concat([read.rows, pd.DataFrame([{"task_id": f"t{number}", "task": "x"}])]))
    except ConflictError:
        return False
    return True


def test_of_saves_of_the_same_slice_at_the_same_time_none_is_lost_unnoticed(tmp_path):
    with ProcessPoolExecutor(2) as pool:
        saved = list(pool.map(_add_one, [tmp_path] * 12, range(12)))
    assert len(read_rows(tmp_path, TABLE)) == sum(saved) >= 1


SAVING = """
import sys
from itertools import count
from pathlib import Path
from aiready.model.schema import TABLES
from aiready.workbook.capture.store import read_slice, save_slice

read = read_slice(Path(sys.argv[1]), TABLES["tasks"], {"unit_id": "claims", "job": "handler", "wave": ""})
for hours in count(1000):
    read = save_slice(read, read.rows.assign(hours_per_year=hours))
    print(hours, flush=True)
"""


@pytest.mark.slow
def test_a_save_that_is_killed_leaves_the_rows_before_or_after_it_and_hinders_nobody(folder):
    for milliseconds in (1, 5, 9, 20):
        saving = subprocess.Popen([sys.executable, "-c", SAVING, str(folder)], stdout=subprocess.PIPE, text=True)
        last = int(saving.stdout.readline())
        time.sleep(milliseconds / 1000)
        saving.kill()
        printed = saving.communicate()[0].split()
        last = int(printed[-1]) if printed else last
        read = job(folder)
        assert read.rows["hours_per_year"].tolist() in ([str(last)] * 2, [str(last + 1)] * 2)
        assert [rows for version in versions(read) if len(rows := version.rows) != 2] == []
        save_slice(read, hours(read, reply="120", sort="80"))
    assert data_check.check(str(folder)).quarantined == 0


def test_a_row_that_one_removed_and_the_other_changed_stays(folder):
    read = job(folder)
    theirs = hours(read, reply="140")
    merged = merge(read.rows, read.rows[read.rows["task_id"] != "reply"], theirs, read.row_key)
    assert merged.rows["task_id"].tolist() == ["reply", "sort"]
    assert merged.conflicts["column"].tolist() == ["the row"]
    unchanged = merge(read.rows, read.rows[read.rows["task_id"] != "sort"], theirs, read.row_key)
    assert unchanged.rows["task_id"].tolist() == ["reply"]
    assert unchanged.conflicts.empty


def test_earlier_versions_can_be_had_back(folder):
    saved = save_slice(job(folder), hours(job(folder), reply="140"), by="Anna -- Ä/ö")
    saved = save_slice(saved, hours(saved, reply="160"), by="ben")
    assert [version.label.split(",")[0] for version in versions(saved)] == ["ben", "Anna -- Ä/ö", "before Anna -- Ä/ö"]
    assert [version.rows["hours_per_year"].iloc[0] for version in versions(saved)] == ["160", "140", "120"]
    back = save_slice(saved, versions(saved)[-1].rows)
    assert back.rows["hours_per_year"].tolist() == ["120", "80.0"]


def test_of_people_no_version_is_kept_and_nothing_of_those_who_withdrew(tmp_path):
    key = {"respondent_id": "w-1", "unit_id": "claims", "wave": "2026-Q3"}
    read = read_slice(tmp_path, RESPONSES, key)
    saved = save_slice(read, pd.DataFrame([{"role": "frontline", "comment": "secret"}]), "anna")
    with pytest.raises(ConflictError, match="somebody, ") as told:
        save_slice(read, pd.DataFrame([{"role": "frontline", "comment": "other"}]), "ben")
    names = " ".join(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert "somebody" in names
    assert "anna" not in names, "a login beside a code says whose answers these are"
    assert told.value.rejected_path is None
    saved = save_slice(saved, saved.rows.assign(comment="changed"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files if b"secret" in path.read_bytes() or b"other" in path.read_bytes()] == []
    assert [path for path in files if b"changed" in path.read_bytes()] == [saved.path]
    assert versions(saved) == []
    save_slice(saved, saved.rows.iloc[:0])
    assert not [path for path in tmp_path.rglob("*") if "w-1" in path.name]


def test_what_a_spreadsheet_would_run_is_written_harmless_and_read_as_typed(tmp_path):
    saved = save_slice(
        read_slice(tmp_path, ACTIONS, {"unit_id": "u"}), pd.DataFrame([{"action_id": "a", "action": "=1+1"}])
    )
    assert "'=1+1" in saved.path.read_text()
    assert read_slice(tmp_path, ACTIONS, {"unit_id": "u"}).rows["action"].item() == "=1+1"


@pytest.mark.parametrize("home", ["tasks.parquet", "all.xlsx", "tasks/sent.csv", "tasks.txt"])
def test_rows_of_a_table_of_any_kind_are_saved_beside_it(tmp_path, home):
    rows = pd.DataFrame({"unit_id": "claims", "job": "handler", "task_id": ["a", "b"], "task": "x", "headcount": 12.0})
    (tmp_path / home).parent.mkdir(exist_ok=True)
    if home.endswith("parquet"):
        rows.to_parquet(tmp_path / home)
    elif home.endswith("xlsx"):
        rows.to_excel(tmp_path / home, sheet_name="tasks", index=False)
    else:
        rows.to_csv(tmp_path / home, index=False)
    before = (tmp_path / home).read_bytes()
    assert job(tmp_path).rows["headcount"].str.removesuffix(".0").tolist() == ["12", "12"]
    save_slice(job(tmp_path), pd.DataFrame([{"task_id": "b", "task": "y"}]))
    assert (tmp_path / home).read_bytes() == before
    assert read_data(tmp_path, read_instrument()).table("tasks")["task"].tolist() == ["y"]


def test_of_forms_sent_twice_the_later_is_edited(tmp_path):
    (tmp_path / "initiatives").mkdir()
    for name, stage in (("a 20260801", "idea"), ("b 20260902", "pilot"), ("c", "scaled")):
        text = f"initiative_id,unit_id,name,stage\nletters,claims,Letters,{stage}\n"
        (tmp_path / "initiatives" / f"{name}.csv").write_text(text)
    read = read_slice(tmp_path, TABLES["initiatives"], {"initiative_id": "letters"})
    assert read.rows["stage"].tolist() == ["pilot"]
    save_slice(read, read.rows.assign(stage="limited"))
    assert read_data(tmp_path, read_instrument()).table("initiatives")["stage"].tolist() == ["limited"]


def test_people_without_a_code_are_never_the_same(tmp_path):
    (tmp_path / "responses").mkdir()
    for name in ("a-2026-08-01", "b-2026-09-02"):
        text = "respondent_id,unit_id,wave,role\n,claims,2026-Q3,frontline\nr-1,claims,2026-Q3,frontline\n"
        (tmp_path / "responses" / f"{name}.csv").write_text(text)
    assert sorted(read_rows(tmp_path, RESPONSES)["respondent_id"]) == ["", "", "r-1"]


def test_a_row_of_another_slice_in_the_file_of_one_is_told(folder):
    saved = save_slice(job(folder), hours(job(folder), reply="140"))
    saved.path.write_text(saved.path.read_text().replace("claims,handler,sort", "claims,clerk,sort"))
    with pytest.raises(InputError, match=r"claims--handler\.csv: a row is not of claims, handler"):
        job(folder)


def test_the_same_key_twice_is_refused(folder):
    with pytest.raises(InputError, match=r"task_id may not occur twice \(reply\)"):
        save_slice(job(folder), job(folder).rows.assign(task_id="reply"))


def test_a_folder_that_cannot_be_written_keeps_what_was_there(folder, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    read = save_slice(job(folder), hours(job(folder), reply="130"))
    before = read.path.read_bytes()
    monkeypatch.setattr("aiready.atomic_files.os.fsync", full)
    with pytest.raises(InfrastructureError, match="No space left"):
        save_slice(read, hours(read, reply="140"))
    assert read.path.read_bytes() == before
    assert [path.name for path in read.path.parent.iterdir()] == ["claims--handler.csv"]


def test_the_shipped_sample_is_never_written_but_a_copy_of_ones_own(tmp_path, monkeypatch):
    from aiready.package_files import package_file

    monkeypatch.setenv("HOME", str(tmp_path))
    own = writable_folder(package_file("data/sample"))
    assert own.is_relative_to(tmp_path)
    (own / "actions.csv").write_text("mine")
    assert (writable_folder(package_file("data/sample")) / "actions.csv").read_text() == "mine"


CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=8)


@examples(30)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6))
def test_what_is_typed_is_read_again_whatever_it_is(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("round")
    rows = pd.DataFrame(cells, columns=["task", "freed_for"]).assign(task_id=[f"t{n}" for n in range(len(cells))])
    saved = save_slice(read_slice(folder, TABLE, JOB), rows)
    read = read_slice(folder, TABLE, JOB)
    assert read.digest == saved.digest
    assert [[as_text(cell) for cell in row] for row in cells] == read.rows[["task", "freed_for"]].to_numpy().tolist()


def test_who_may_read_a_table_may_read_its_slices_and_nobody_else(folder):
    folder.chmod(0o770)
    (folder / "tasks.csv").chmod(0o640)
    save_slice(job(folder), hours(job(folder), reply="140"))
    Editor(folder, "tasks").draft({}).save({})
    modes = {path.name: path.stat().st_mode & 0o777 for path in [*folder.iterdir(), *(folder / ".aiready").iterdir()]}
    assert modes == {".aiready": 0o770, "tasks.csv": 0o640, "tasks": 0o770, "lock": 0o660, "drafts": 0o770,
                     "versions": 0o770}  # fmt: skip
    assert (folder / "tasks" / "claims--handler.csv").stat().st_mode & 0o777 == 0o640


class TestEditor:
    @staticmethod
    def opened(folder: Path, by: str = "") -> Editor:
        editor = Editor(folder, "tasks", by)
        read = job(folder)
        editor.open(JOB, [read])
        editor.resume(read.rows.to_dict("records"))
        return editor

    @staticmethod
    def with_hours(editor: Editor, hours_per_year: str) -> list[dict[str, str]]:
        return [{**row, "hours_per_year": hours_per_year} for row in editor.state]

    def test_edits_are_undone_and_taken_up_again(self, folder):
        editor = self.opened(folder)
        for typed in ("1", "2"):
            editor.edit(self.with_hours(editor, typed))
        assert [editor.undo(), editor.state[0]["hours_per_year"]] == [True, "1"]
        assert [editor.undo(), editor.state[0]["hours_per_year"]] == [True, "120"]
        assert not editor.undo()
        assert [editor.redo(), editor.state[0]["hours_per_year"]] == [True, "1"]
        editor.edit(self.with_hours(editor, "3"))
        assert not editor.redo()

    def test_a_draft_is_there_again_for_who_made_it_and_no_one_else(self, folder):
        self.opened(folder, "ann").edit([{"task_id": "reply", "hours_per_year": "7"}])
        editor = Editor(folder, "tasks", "ann")
        editor.open(JOB, [job(folder)])
        assert editor.resume("as saved")
        assert editor.state == [{"task_id": "reply", "hours_per_year": "7"}]
        assert [editor.undo(), editor.state] == [True, "as saved"]
        for by, key in (("ben", JOB), ("ann", {"unit_id": "cards"})):
            other = Editor(folder, "tasks", by)
            other.open(key, [job(folder)])
            assert [other.resume("as saved"), other.state] == ["", "as saved"]
        editor.delete_draft()
        editor.open(JOB, [job(folder)])
        assert editor.resume("as saved") == ""

    def test_a_draft_cut_short_counts_as_none(self, folder):
        editor = self.opened(folder)
        editor.edit([])
        draft = editor.draft(JOB)
        draft.path.write_text(draft.path.read_text()[:-5])
        assert draft.read() is None
        draft.save({"base": [], "digest": "", "rows": []})
        assert editor.resume("as saved") == ""

    def test_a_draft_made_before_somebody_elses_save_conflicts_and_is_joined(self, folder):
        ann, ben = self.opened(folder, "ann"), self.opened(folder, "ben")
        ben.edit([{**row, "adoption": "0.9"} for row in ben.state])
        ann.save("tasks", pd.DataFrame(self.with_hours(ann, "7")))
        again = self.opened(folder, "ben")
        with pytest.raises(ConflictError, match="ann, "):
            again.save("tasks", pd.DataFrame(again.state))
        table, merged = again.join()
        assert table == "tasks"
        assert merged.conflicts.empty
        assert merged.rows[["hours_per_year", "adoption"]].to_numpy().tolist() == [["7", "0.9"]] * 2
        assert again.save("tasks", merged.rows).rows["adoption"].tolist() == ["0.9", "0.9"]
        assert [version.label.split(",")[0] for version in versions(again.slices["tasks"])] == [
            "ben", "not saved", "ann", "before ann"]  # fmt: skip
