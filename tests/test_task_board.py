"""A job's board: edits, hours that stay what they were when tasks are split or joined, warnings, the library."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from aiready.errors import InputError, UsageError
from aiready.inputs.entry_checks import cell_problem
from aiready.measures.tasks.hours import GAP_PARTS
from aiready.model.schema import TABLES
from aiready.profile import data_check
from aiready.workbook.capture.store import read_slice, save_slice
from aiready.workbook.capture.task_board import (
    Board,
    board_warnings,
    invalid_cells,
    merge_tasks,
    split_task,
    totals,
    with_cell,
    with_tasks,
    without_task,
)
from aiready.workbook.capture.task_library import read_library, search_jobs, starting_tasks

COLUMNS = list(TABLES["tasks"].names)
PUBLIC = Path(__file__).parents[2] / "shared" / "data" / "onet_tasks" / "full_labelset.tsv"
GIVEN = (
    ("reply", "Answer letters", "augment", 120, 0.5, 0.6, 0.4, 0.05, 0),
    ("classify", "Sort the post", "augment", 80, 0.9, 0.5, 0.8, 0, 4),
    ("summary", "Sum up files", "augment", 60, 0.25, 0.2, 0.3, 0.1, 0),
)
"""Three of the four tasks whose hours the method gives as a check."""


def board(*tasks: tuple, headcount: str = "") -> Board:
    names = ["task_id", "task", "mode", "hours_per_year", "expected_saving", "adoption", "observed_saving", "rework",
             "oversight_hours"]  # fmt: skip
    rows = pd.DataFrame(list(tasks), columns=names).astype(str)
    rows = rows.assign(unit_id="claims", job="Handler", headcount=headcount).reindex(columns=COLUMNS, fill_value="")
    return Board("claims", "Handler", "", rows.fillna("").replace("nan", "").astype(object))


CALL = ("call", "Call back", "human", 140, "", "", "", "", "")
METHOD = board(*GIVEN, CALL)


def test_totals_are_those_the_method_gives():
    told = totals(METHOD, 5)
    assert told.hours["potential"] == pytest.approx(147)
    assert told.hours["realised"] == pytest.approx(58.6)
    assert told.hours["gap"] == pytest.approx(88.4)
    assert told.per_week["gap"] == pytest.approx(88.4 / 52)


def test_the_gap_follows_an_edit():
    then = with_cell(METHOD, "reply", "adoption", "1")
    assert totals(then, 5).hours["gap"] == pytest.approx(88.4 - 24 + 120 * 0.4 * (0.5 - 0.4) + 120 * 0.4 * 0.4 * 0.05)
    assert totals(METHOD, 5).hours["gap"] == pytest.approx(88.4)


def test_the_holders_of_a_job_are_changed_for_all_its_tasks():
    then = with_cell(METHOD, "reply", "headcount", "10")
    assert then.tasks["headcount"].tolist() == ["10"] * 4
    assert totals(then, 5).hours["potential"] == pytest.approx(1470)


@pytest.mark.parametrize(
    ("column", "text", "why"),
    [
        ("adoption", "60", "above 1"),
        ("adoption", "often", "no number"),
        ("mode", "robot", "none of human, augment, automate"),
        ("headcount", "2.5", "no whole number"),
        ("task", " ", "missing"),
        ("hours_per_year", "-1", "below 0"),
    ],
)
def test_a_cell_that_check_would_set_aside_is_refused_in_plain_words(column, text, why):
    with pytest.raises(UsageError, match=why):
        with_cell(METHOD, "reply", column, text)


CELLS = [
    "",
    "0",
    "1",
    "0.5",
    "0,5",
    "1.5",
    "-0.1",
    "60",
    "x",
    "12,500",
    "1e3",
    "E1",
    "e1",
    "human",
    "2.0",
    "nan",
    "inf",
]


@pytest.mark.slow
def test_cells_are_judged_as_check_judges_them(tmp_path):
    """An independent reading: the same cell in a file of its own, put before `aiready check`."""
    for name in ("adoption", "headcount", "hours_per_year", "exposure", "mode", "observed_saving"):
        rows = [
            {"unit_id": "u", "job": "j", "task_id": f"t{n}", "task": "t", name: cell} for n, cell in enumerate(CELLS)
        ]
        pd.DataFrame(rows).to_csv(tmp_path / "tasks.csv", index=False)
        out = data_check.read_data(str(tmp_path), data_check.read_instrument()).quarantine.get(
            "tasks", pd.DataFrame({"task_id": []})
        )
        column = TABLES["tasks"].column(name)
        refused = {f"t{n}" for n, cell in enumerate(CELLS) if cell_problem(column, cell)}
        strict = {"t11", "t12", "t13"} if column.allowed else set()  # spelled otherwise: check is more lenient here
        assert set(out["task_id"]) - strict == refused - strict, name


def test_a_split_task_shares_its_hours_and_changes_no_total():
    then = split_task(METHOD, "reply", ("Draft letters", "Check letters"), 0.25)
    assert then.tasks["hours_per_year"].tolist()[:2] == ["30", "90"]
    assert then.tasks["task"].tolist()[:2] == ["Draft letters", "Check letters"]
    assert then.ids == ["reply", "check-letters", "classify", "summary", "call"]
    for name, value in totals(METHOD, 5).hours.items():
        assert totals(then, 5).hours[name] == pytest.approx(value), name


@pytest.mark.parametrize(("names", "share"), [(("a", ""), 0.5), (("a", "b"), 0), (("a", "b"), 1)])
def test_a_split_needs_two_names_and_a_part(names, share):
    with pytest.raises(UsageError):
        split_task(METHOD, "reply", names, share)


SHARE = st.floats(0.05, 0.95)
TASK = st.tuples(
    st.floats(1, 400), SHARE, SHARE, st.floats(-0.5, 0.9).filter(lambda x: abs(x) > 0.01), SHARE, st.floats(0, 20)
)


@pytest.mark.slow
@examples(60)
@given(st.lists(TASK, min_size=2, max_size=4))
def test_joining_tasks_changes_no_hours_and_no_part_of_the_gap(numbers):
    tasks = [
        (f"t{n}", f"Task {n}", "augment", *(repr(round(value, 6)) for value in row)) for n, row in enumerate(numbers)
    ]
    start = board(*tasks, GIVEN[0], headcount="7")
    saved = start.hours.loc[: len(tasks) - 1, "saved"].sum()
    if abs(saved) < 0.5:
        return  # savings and losses cancel: no share of nothing can be stated
    then = merge_tasks(start, [task[0] for task in tasks], "All of it").board
    assert len(then.tasks) == 2
    for name in ("hours", "potential", "realised", "gap", *GAP_PARTS):
        assert totals(then, 5).hours[name] == pytest.approx(totals(start, 5).hours[name], rel=1e-5, abs=1e-3), name


def test_joining_says_what_it_decided_and_leaves_unknown_shares_blank():
    told = merge_tasks(METHOD, ["reply", "call"], "Letters and calls")
    assert told.board.task("reply")["hours_per_year"] == "260"
    assert told.board.task("reply")["mode"] == "augment"
    assert any("mode differed: augment, as in Answer letters" in note for note in told.notes)
    without = with_cell(METHOD, "classify", "adoption", "")
    told = merge_tasks(without, ["reply", "classify"], "Letters and post")
    assert told.board.task("reply")["adoption"] == ""
    assert any("adoption" in note and "left blank" in note for note in told.notes)


def test_added_tasks_get_ids_of_their_own_and_the_holders_of_the_job():
    then = with_tasks(
        with_cell(METHOD, "reply", "headcount", "9"), pd.DataFrame([{"task": "Reply"}, {"task": "Reply"}])
    )
    assert then.ids[-2:] == ["reply-2", "reply-3"]
    assert then.tasks["headcount"].tolist()[-1] == "9"
    assert without_task(then, "reply-3").ids == then.ids[:-1]


@pytest.mark.parametrize(("count", "word"), [(14, "too coarse"), (15, ""), (20, ""), (21, "too fine")])
def test_a_job_outside_fifteen_to_twenty_tasks_is_warned_of(count, word):
    told = " ".join(board_warnings(board(*[(f"t{n}", "x", "human", 1, *[""] * 5) for n in range(count)])))
    assert (word in told) if word else ("too" not in told)


def test_what_is_open_on_the_board_is_named():
    told = " ".join(board_warnings(with_cell(METHOD, "reply", "target_mode", "augment")))
    assert "No collaboration pattern, for 1 of 4 tasks: Answer letters." in told
    assert "Not said what the open hours wait on, for 3 of 4 tasks" in told
    assert "Not decided what freed time is for" in told


def test_hours_of_a_job_that_fewer_than_five_hold_are_shown_nowhere():
    told = totals(board(*GIVEN, headcount="4"), 5)
    assert "Fewer than 5 people" in told.hidden
    assert np.isnan(list(told.hours.values())).all()
    assert told.modes[["today", "target"]].to_numpy().sum() == 0
    assert not totals(board(*GIVEN, headcount="5"), 5).hidden


def test_hours_by_mode_today_and_as_target():
    then = with_cell(with_cell(METHOD, "call", "target_mode", "augment"), "reply", "target_mode", "automate")
    told = totals(then, 5).modes.set_index("mode")
    assert told["today"].to_dict() == {"human": 140, "augment": 260, "automate": 0}
    assert told["target"].to_dict() == {"human": 0, "augment": 280, "automate": 120}
    assert told["target_share"].to_dict() == pytest.approx({"human": 0, "augment": 0.7, "automate": 0.3})


def test_a_board_read_edited_and_saved_is_clean_and_other_cells_stay(tmp_path):
    (tmp_path / "tasks.csv").write_text(
        "unit_id,job,task_id,task,adoption,Remark\nclaims,Handler,reply,Answer letters,often,keep me\n"
        "claims,Handler,sort,Sort,0.50,\n"
    )
    read = read_slice(tmp_path, TABLES["tasks"], {"unit_id": "claims", "job": "Handler", "wave": ""})
    start = Board(**read.key, tasks=read.rows)
    assert invalid_cells(start) == ['Answer letters: adoption: "often" is no number. Write it as 0.6.']
    then = with_cell(with_cell(start, "reply", "adoption", "0.8"), "sort", "target_mode", "automate")
    assert invalid_cells(then) == []
    saved = save_slice(read, then.tasks)
    columns = ["task", "adoption", "target_mode", "Remark"]
    assert pd.read_csv(saved.path, dtype=str)[columns].fillna("").to_numpy().tolist() == [
        ["Answer letters", "0.8", "", "keep me"], ["Sort", "0.50", "automate", ""]]  # fmt: skip
    assert data_check.check(str(tmp_path)).quarantined == 0


# A task library ---------------------------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path: Path) -> Path:
    rows = [
        f"{n}\t11-1\t{n}.0\tDo thing {n}\t{'Core' if n < 18 else 'Supplemental'}\tOffice Clerks\tE1" for n in range(25)
    ]
    rows += [
        "30\t11-2\t30.0\tSort the post\tCore\tMail Sorters\tE0",
        "31\t11-2\t31.0\tWeigh parcels\t\tMail Sorters\tE9",
    ]
    path = tmp_path / "library.tsv"
    path.write_text("\n".join(["\tCode\tTask ID\tTask\tTask Type\tTitle\thuman_labels", *rows]) + "\n")
    return path


def test_a_library_is_searched_by_title_and_by_task(library):
    read = read_library(library)
    assert search_jobs(read, "clerk")["job"].tolist() == ["Office Clerks"]
    assert search_jobs(read, "weigh parc").to_numpy().tolist() == [["Mail Sorters", 2, 1]]
    assert search_jobs(read, "nothing").empty
    assert search_jobs(read, " ").empty


def test_a_job_begins_with_its_core_tasks_up_to_twenty_and_others_only_up_to_fifteen(library):
    chosen = starting_tasks(read_library(library), "Office Clerks")
    assert len(chosen) == 18
    assert set(chosen["weight"]) == {"1"}
    few = starting_tasks(read_library(library), "Mail Sorters")
    assert few.to_numpy().tolist() == [["30", "Sort the post", "1", "E0"], ["31", "Weigh parcels", "0.5", ""]]


def test_a_library_without_its_columns_or_without_the_job_says_what_to_do(library, tmp_path):
    with pytest.raises(UsageError, match='no job "Kings"'):
        starting_tasks(read_library(library), "Kings")
    with pytest.raises(UsageError, match="there is no such file"):
        read_library(tmp_path / "absent.tsv")
    (tmp_path / "other.csv").write_text("Title,What\nA,b\n")
    with pytest.raises(InputError, match="column Task is missing"):
        read_library(tmp_path / "other.csv")


STATEMENTS = """O*NET-SOC Code\tTask ID\tTask\tTask Type\tIncumbents Responding\tDate\tDomain Source
11-1011.00\t8823\tDirect an organization's "financial" activities, to fund operations.\tCore\t95\t08/2023\tIncumbent
11-1011.00\t8824\tConfer with board members.\tSupplemental\tn/a\t08/2023\tIncumbent
43-9051.00\t3001\tSort incoming mail.\tCore\t60\t08/2023\tIncumbent
"""
TITLES = """O*NET-SOC Code\tTitle\tDescription
11-1011.00\tChief Executives\tDetermine and formulate policies, and "lead".
43-9051.00\tMail Clerks\tPrepare incoming and outgoing mail.
"""


def test_task_statements_as_onet_ships_them_name_jobs_by_code_and_say_where_titles_are(tmp_path):
    (tmp_path / "Task Statements.txt").write_text(STATEMENTS)
    read = read_library(tmp_path / "Task Statements.txt")
    assert "put Occupation Data.txt of the same release beside the file" in read.note
    assert search_jobs(read, "11-1011")["job"].tolist() == ["11-1011.00"]
    assert starting_tasks(read, "11-1011.00")[["task_id", "weight"]].to_numpy().tolist() == [
        ["8823", "1"],
        ["8824", "0.5"],
    ]


def test_task_statements_as_onet_ships_them_take_titles_from_the_file_beside_them(tmp_path):
    (tmp_path / "Task Statements.txt").write_text(STATEMENTS)
    (tmp_path / "Occupation Data.txt").write_text(TITLES)
    read = read_library(tmp_path / "Task Statements.txt")
    assert read.note == ""
    assert search_jobs(read, "mail clerk").to_numpy().tolist() == [["Mail Clerks", 1, 0]]
    assert starting_tasks(read, "Chief Executives")["task"].tolist() == [
        'Direct an organization\'s "financial" activities, to fund operations.',
        "Confer with board members.",
    ]


def test_titles_of_another_release_leave_codes_and_are_refused_without_their_columns(tmp_path):
    (tmp_path / "Task Statements.txt").write_text(STATEMENTS)
    (tmp_path / "Occupation Data.txt").write_text(TITLES.replace("43-9051.00", "43-9051.01"))
    read = read_library(tmp_path / "Task Statements.txt")
    assert read.tasks["job"].unique().tolist() == ["Chief Executives", "43-9051.00"]
    assert "no title for 1 of its codes" in read.note
    (tmp_path / "Occupation Data.txt").write_text("Code\tName\n1\tb\n")
    with pytest.raises(InputError, match=r"Occupation Data\.txt: the columns"):
        read_library(tmp_path / "Task Statements.txt")


@pytest.mark.skipif(not PUBLIC.exists(), reason="the public task statements are not here")
def test_public_task_statements_in_onets_own_layout_are_the_same_library(tmp_path):
    rows = pd.read_csv(PUBLIC, sep="\t", dtype=str)
    code = "O*NET-SOC Code"
    rows[[code, "Task ID", "Task", "Task Type"]].to_csv(tmp_path / "Task Statements.txt", sep="\t", index=False)
    rows[[code, "Title"]].drop_duplicates().to_csv(tmp_path / "Occupation Data.txt", sep="\t", index=False)
    read, titled = read_library(tmp_path / "Task Statements.txt"), read_library(PUBLIC)
    pd.testing.assert_frame_equal(read.tasks.drop(columns="exposure"), titled.tasks.drop(columns="exposure"))


@pytest.mark.skipif(not PUBLIC.exists(), reason="the public task statements are not here")
def test_public_task_statements_begin_a_job():
    read = read_library(PUBLIC)
    assert read.tasks["job"].nunique() == 923
    assert "Insurance Appraisers, Auto Damage" in search_jobs(read, "insurance")["job"].tolist()
    chosen = starting_tasks(read, "Chief Executives")
    assert 15 <= len(chosen) <= 20
    assert set(chosen["exposure"]) <= {"E0", "E1", "E2"}
