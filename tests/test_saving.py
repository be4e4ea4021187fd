"""Rows are written back whole or not at all, never over what somebody else saved, and the rest of a file stays."""

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiready.errors import InfrastructureError, InputError
from aiready.inputs import text_edits
from aiready.workbook.capture import journal
from aiready.workbook.capture.scoped_rows import merge, read_rows, versions, writable_folder
from aiready.workbook.capture.store import ConflictError, save_rows

JOB = {"unit_id": "claims", "job": "Handler"}
TASKS = (
    "unit_id,job,task_id,task,hours_per_year,Our note\n"
    "claims,Handler,reply,Answer letters,120,ask Ann\n"
    '\nclaims,Handler,sort,"Sort\nthe post",80.0,\n'
    "cards,Clerk,reply,Answer letters,99.50,kept as it is\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tasks.csv").write_text(TASKS)
    return tmp_path


def hours(read, **changed: str) -> pd.DataFrame:
    return read.rows.assign(hours_per_year=[changed.get(task, held) for task, held in zip(
        read.rows["task_id"], read.rows["hours_per_year"], strict=True)])  # fmt: skip


def test_only_the_changed_row_of_the_file_changes(folder):
    read = read_rows(folder, "tasks", JOB)
    save_rows(read, hours(read, reply="140"))
    expected = TASKS.replace("claims,Handler,reply,Answer letters,120", "claims,Handler,reply,Answer letters,140")
    assert (folder / "tasks.csv").read_text() == expected


def test_encoding_delimiter_line_ends_and_odd_rows_stay(tmp_path):
    text = "unit_id;job;task_id;task\r\nclaims;Händler;a;Prüfen\r\n;;;\r\nshort;row\r\nclaims;Händler;b;Öffnen"
    (tmp_path / "tasks.csv").write_bytes(text.encode("cp1252"))
    read = read_rows(tmp_path, "tasks", {"unit_id": "claims", "job": "Händler"})
    save_rows(read, read.rows.assign(task=["Prüfen", "Schließen"]))
    assert (tmp_path / "tasks.csv").read_bytes() == text.replace("Öffnen", "Schließen\r\n").encode("cp1252")


def test_a_mark_at_the_start_stays_and_text_beyond_the_encoding_makes_it_utf8(tmp_path):
    (tmp_path / "tasks.csv").write_bytes(b"\xef\xbb\xbfunit_id,job,task_id,task\nu,j,a,old\n")
    read = read_rows(tmp_path, "tasks", {"unit_id": "u"})
    save_rows(read, read.rows.assign(task="new"))
    assert (tmp_path / "tasks.csv").read_bytes() == b"\xef\xbb\xbfunit_id,job,task_id,task\nu,j,a,new\n"
    (tmp_path / "tasks.csv").write_bytes("unit_id,job,task_id,task\nu,j,a,é\n".encode("cp1252"))
    read = read_rows(tmp_path, "tasks", {"unit_id": "u"})
    save_rows(read, read.rows.assign(task="é → ž"))
    assert read_rows(tmp_path, "tasks", {"unit_id": "u"}).rows["task"].item() == "é → ž"


def test_a_column_that_the_file_lacks_is_added_at_the_right(folder):
    read = read_rows(folder, "tasks", JOB)
    save_rows(read, read.rows.assign(adoption=["0.4", ""]))
    lines = (folder / "tasks.csv").read_text().splitlines()
    assert lines[0] == "unit_id,job,task_id,task,hours_per_year,Our note,adoption"
    assert lines[1] == "claims,Handler,reply,Answer letters,120,ask Ann,0.4"
    assert lines[-1] == "cards,Clerk,reply,Answer letters,99.50,kept as it is,"


def test_rows_are_added_after_their_own_and_left_out_rows_are_removed(folder):
    read = read_rows(folder, "tasks", JOB)
    new = pd.DataFrame([{"task_id": "reply"}, {"task_id": "call", "task": "Call back", "hours_per_year": 12.5}])
    saved = save_rows(read, new)
    assert saved.rows["task_id"].tolist() == ["reply", "call"]
    assert saved.rows["Our note"].tolist() == ["ask Ann", ""]
    lines = (folder / "tasks.csv").read_text().splitlines()
    assert lines[2:] == [
        "claims,Handler,call,Call back,12.5,",
        "",
        "cards,Clerk,reply,Answer letters,99.50,kept as it is",
    ]


def test_a_row_added_between_others_stands_between_them(folder):
    read = read_rows(folder, "tasks", JOB)
    new = pd.DataFrame([{"task_id": "open", "task": "Open"}, {"task_id": "reply"}, {"task_id": "call", "task": "Call"},
                        {"task_id": "sort"}])  # fmt: skip
    assert save_rows(read, new).rows["task_id"].tolist() == ["open", "reply", "call", "sort"]
    others = pd.read_csv(folder / "tasks.csv", dtype=str)
    assert others["task_id"].tolist() == ["open", "reply", "call", "sort", "reply"]


def test_a_table_that_is_not_there_yet_is_begun(tmp_path):
    saved = save_rows(read_rows(tmp_path, "actions", {"action_id": "a-1"}), pd.DataFrame([{"unit_id": "claims"}]))
    assert saved.rows[["action_id", "unit_id"]].to_numpy().tolist() == [["a-1", "claims"]]
    assert (tmp_path / "actions.csv").read_text().startswith("action_id,unit_id,barrier_id")


def test_nothing_changed_writes_nothing(folder):
    read = read_rows(folder, "tasks", JOB)
    before = (folder / "tasks.csv").stat().st_mtime_ns
    save_rows(read, read.rows)
    assert (folder / "tasks.csv").stat().st_mtime_ns == before
    assert journal.entries(folder, "tasks", JOB) == []


def test_the_second_who_saves_the_same_rows_is_told_who_what_and_when_and_keeps_both(folder):
    first, second = read_rows(folder, "tasks", JOB), read_rows(folder, "tasks", JOB)
    save_rows(first, hours(first, reply="140"), by="anna")
    theirs = (folder / "tasks.csv").read_bytes()
    with pytest.raises(ConflictError, match=r"anna, .*reply: hours_per_year 120 → 140") as told:
        save_rows(second, hours(second, reply="150", sort="70"), by="ben")
    assert (folder / "tasks.csv").read_bytes() == theirs
    assert pd.read_csv(told.value.rejected_path)["hours_per_year"].tolist() == [150, 70]
    merged = merge(second, hours(second, reply="150", sort="70"), told.value.current)
    assert merged.rows["hours_per_year"].tolist() == ["140", "70"]
    assert merged.conflicts.to_numpy().tolist() == [["reply", "hours_per_year", "120", "140", "150"]]
    save_rows(told.value.current, merged.rows, by="ben")
    assert [entry.by for entry in journal.entries(folder, "tasks", JOB)] == ["anna", "ben"]


def test_a_change_with_another_program_is_noticed_too(folder):
    read = read_rows(folder, "tasks", JOB)
    (folder / "tasks.csv").write_text(TASKS.replace("120", "121"))
    with pytest.raises(ConflictError, match="outside this workbook"):
        save_rows(read, hours(read, reply="140"))


def test_others_may_save_other_rows_of_the_file_meanwhile(folder):
    mine, others = read_rows(folder, "tasks", JOB), read_rows(folder, "tasks", {"unit_id": "cards", "job": "Clerk"})
    save_rows(others, others.rows.assign(hours_per_year="100"))
    save_rows(mine, hours(mine, reply="140"))
    assert pd.read_csv(folder / "tasks.csv")["hours_per_year"].tolist() == [140, 80, 100]


def _save_own(folder: Path, unit: int) -> None:
    for hours_per_year in range(5):
        read = read_rows(folder, "tasks", {"unit_id": f"u{unit}"})
        save_rows(read, pd.DataFrame([{"job": "j", "task_id": "t", "task": "x", "hours_per_year": hours_per_year}]))


def test_saves_at_the_same_time_lose_nothing(tmp_path):
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_save_own, [tmp_path] * 4, range(4)))
    saved = pd.read_csv(tmp_path / "tasks.csv")
    assert sorted(saved["unit_id"]) == ["u0", "u1", "u2", "u3"]
    assert set(saved["hours_per_year"]) == {4}
    assert len((tmp_path / ".aiready" / "journal.jsonl").read_text().splitlines()) == 20


def test_a_row_that_one_removed_and_the_other_changed_stays(folder):
    read = read_rows(folder, "tasks", JOB)
    theirs = save_rows(read, hours(read, reply="140"))
    merged = merge(read, read.rows[read.rows["task_id"] != "reply"], theirs)
    assert merged.rows["task_id"].tolist() == ["reply", "sort"]
    assert merged.conflicts["column"].tolist() == ["the row"]
    unchanged = merge(read, read.rows[read.rows["task_id"] != "sort"], theirs)
    assert unchanged.rows["task_id"].tolist() == ["reply"]
    assert unchanged.conflicts.empty


def test_earlier_versions_can_be_had_back(folder):
    read = read_rows(folder, "tasks", JOB)
    saved = save_rows(read, hours(read, reply="140"), by="anna")
    saved = save_rows(saved, hours(saved, reply="160"), by="ben")
    assert [said.split(",")[0] for said, _ in versions(saved)] == ["ben", "anna", "before anna"]
    assert [rows["hours_per_year"].iloc[0] for _, rows in versions(saved)] == ["160", "140", "120"]
    save_rows(saved, versions(saved)[-1][1])
    assert (folder / "tasks.csv").read_text() == TASKS.replace("80.0", "80.0")


def test_the_journal_keeps_no_contents_about_people(tmp_path):
    scope = {"respondent_id": "w-1", "unit_id": "claims", "wave": "2026-Q3"}
    saved = save_rows(
        read_rows(tmp_path, "responses", scope), pd.DataFrame([{"role": "frontline", "comment": "secret"}])
    )
    save_rows(saved, saved.rows.iloc[:0])
    told = (tmp_path / ".aiready" / "journal.jsonl").read_text()
    assert len(told.splitlines()) == 2
    for word in ("secret", "w-1", "claims", "frontline"):
        assert word not in told
    assert "secret" not in (tmp_path / "responses.csv").read_text()
    assert versions(saved) == []


def test_what_a_spreadsheet_would_run_is_written_harmless_and_read_as_typed(tmp_path):
    saved = save_rows(read_rows(tmp_path, "actions", {"action_id": "a-1"}), pd.DataFrame([{"action": "=1+1"}]))
    assert "'=1+1" in (tmp_path / "actions.csv").read_text()
    assert saved.rows["action"].item() == "=1+1"


def test_a_table_that_is_no_text_file_says_what_to_do(tmp_path):
    pd.DataFrame({"unit_id": ["u"]}).to_parquet(tmp_path / "tasks.parquet")
    with pytest.raises(InputError, match=r"tasks lies in tasks\.parquet.*Save it as tasks\.csv"):
        read_rows(tmp_path, "tasks", JOB)


def test_the_same_key_twice_is_refused(folder):
    read = read_rows(folder, "tasks", JOB)
    with pytest.raises(InputError, match=r"task_id, wave may not occur twice \(reply\)"):
        save_rows(read, read.rows.assign(task_id="reply"))


def test_a_folder_that_cannot_be_written_keeps_what_was_there(folder, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    read = read_rows(folder, "tasks", JOB)
    monkeypatch.setattr("aiready.atomic_files.os.fsync", full)
    with pytest.raises(InfrastructureError, match="No space left"):
        save_rows(read, hours(read, reply="140"))
    assert (folder / "tasks.csv").read_text() == TASKS
    assert not list(folder.glob(".tasks*"))


def test_the_shipped_sample_is_never_written_but_a_copy_of_ones_own(tmp_path, monkeypatch):
    from aiready.package_files import package_file

    monkeypatch.setenv("HOME", str(tmp_path))
    own = writable_folder(package_file("data/sample"))
    assert own.is_relative_to(tmp_path)
    (own / "actions.csv").write_text("mine")
    assert (writable_folder(package_file("data/sample")) / "actions.csv").read_text() == "mine"


def test_an_unsaved_edit_is_kept_per_user_until_it_is_dropped(tmp_path):
    assert journal.read_draft(tmp_path, "tasks", JOB) is None
    journal.save_draft(tmp_path, "tasks", JOB, {"hours": 3})
    assert journal.read_draft(tmp_path, "tasks", JOB)[1] == {"hours": 3}
    assert journal.read_draft(tmp_path, "tasks", {"unit_id": "other"}) is None
    journal.delete_draft(tmp_path, "tasks", JOB)
    assert journal.read_draft(tmp_path, "tasks", JOB) is None


CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff"), max_size=8)


@given(
    st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"])
)
def test_a_file_read_and_written_is_the_same_whatever_stands_in_it(tmp_path_factory, cells, delimiter, newline):
    path = tmp_path_factory.mktemp("round") / "tasks.csv"
    rows = [["unit_id", "job"], *cells]
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    path.write_bytes((newline.join(quoted) + newline).encode())
    assert text_edits.read_table(path, ("unit_id", "job"), "tasks.csv").content == path.read_bytes()


def test_a_journal_line_cut_short_by_a_crash_is_passed_over(folder):
    read = read_rows(folder, "tasks", JOB)
    save_rows(read, hours(read, reply="140"))
    path = folder / ".aiready" / "journal.jsonl"
    path.write_text(path.read_text() + json.dumps({"at": "x"})[:5])
    assert len(journal.entries(folder, "tasks", JOB)) == 1


def test_who_may_read_a_file_and_the_journal_stays_as_it_is(folder):
    folder.chmod(0o770)
    (folder / "tasks.csv").chmod(0o640)
    read = read_rows(folder, "tasks", JOB)
    save_rows(read, hours(read, reply="140"))
    journal.save_draft(folder, "tasks", JOB, {})
    modes = {
        path.name: path.stat().st_mode & 0o777 for path in [folder / "tasks.csv", *(folder / ".aiready").iterdir()]
    }
    assert modes == {"tasks.csv": 0o640, "lock": 0o660, "journal.jsonl": 0o660, "drafts": 0o770}
