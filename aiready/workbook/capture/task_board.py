"""Edit the tasks of a job on a board; every edit returns a new board, and hours come from `measures.tasks.hours`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from aiready.errors import UsageError, raise_all, unknown_name
from aiready.inputs.entry_checks import cell_problem, row_problems, typed_rows
from aiready.measures.tasks import FULL_TIME_HOURS, TASKS_PER_JOB, WEEKS
from aiready.measures.tasks.hours import GAP_PARTS, with_hours
from aiready.model.schema import MODES, TABLES
from aiready.workbook.capture.store import as_text

TASKS = TABLES["tasks"]
ADDITIVE = ("hours_per_year", "weight", "oversight_hours")
"""Columns that are divided when a task is split, and added up when tasks are merged."""
_SUMS = ("hours", "potential", "realised", "gap", *GAP_PARTS, "unfollowed", "saved")


@dataclass(frozen=True)
class Board:
    """The tasks of one job of one unit in one wave: `tasks` has one row per task and all columns, as text."""

    unit_id: str
    job: str
    wave: str
    tasks: pd.DataFrame

    @property
    def key(self) -> dict[str, str]:
        """Cells that all rows of this board have in the table `tasks`."""
        return {"unit_id": self.unit_id, "job": self.job, "wave": self.wave}

    @property
    def ids(self) -> list[str]:
        """Ids of the tasks, in order."""
        return list(self.tasks["task_id"])

    @cached_property
    def typed(self) -> pd.DataFrame:
        """The tasks with typed cells, as measures take them."""
        return typed_rows(TASKS, self.tasks).assign(**{**self.key, "wave": self.wave or "now"})

    @cached_property
    def hours(self) -> pd.DataFrame:
        """The tasks with the columns that `with_hours` adds: one row per task, in order."""
        return with_hours(self.typed)

    def task(self, task_id: str) -> Mapping[str, str]:
        """Cells of one task by column.

        Raises
        ------
        UsageError
            The board has no such task.
        """
        if task_id not in self.ids:
            raise unknown_name("task", task_id, self.ids)
        return dict(self.tasks.loc[self.tasks["task_id"] == task_id].iloc[0])


# Edits ----------------------------------------------------------------------------------------------------------


def with_cell(board: Board, task_id: str, column: str, text: str) -> Board:
    """The board with one cell of one task changed; the headcount changes for all tasks.

    Raises
    ------
    UsageError
        `aiready check` would set the cell aside; the message says why.
    """
    board.task(task_id)
    value = text.strip()
    problem = cell_problem(TASKS.column(column), value)
    if problem:
        raise UsageError(problem)
    tasks = board.tasks.copy()
    if column == "headcount":  # people hold the job, not a task of it
        tasks[column] = value
    else:
        tasks.loc[tasks["task_id"] == task_id, column] = value
    return replace(board, tasks=tasks)


def with_tasks(board: Board, rows: pd.DataFrame) -> Board:
    """The board with tasks added at its end; a number is appended to ids that are in use."""
    ids = list(board.ids)
    new_rows = []
    for row in rows.to_dict("records"):
        ids.append(free_id(row.get("task_id") or row["task"], ids))
        new_rows.append({**_job_cells(board), **row, "task_id": ids[-1]})
    tasks = pd.concat([board.tasks, pd.DataFrame(new_rows, dtype=object)], ignore_index=True).fillna("")
    return replace(board, tasks=tasks[[*board.tasks]])


def _job_cells(board: Board) -> dict[str, str]:
    headcounts = [cell for cell in board.tasks["headcount"] if cell]
    return board.key | {"headcount": headcounts[0] if headcounts else ""}


def free_id(text: str, used_ids: Sequence[str]) -> str:
    """A short id made from words that is not in use yet.

    Examples
    --------
    >>> free_id("Answer the customer's letters today", ["answer-the-customer-s"])
    'answer-the-customer-s-2'
    """
    words = re.sub(r"[^\w]+", "-", text.lower()).strip("-").split("-")
    stem = "-".join(words[:4]) or "task"
    number = next(count for count in range(1, len(used_ids) + 2) if _id_with_number(stem, count) not in used_ids)
    return _id_with_number(stem, number)


def _id_with_number(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


def without_task(board: Board, task_id: str) -> Board:
    """The board without one task."""
    board.task(task_id)
    return replace(board, tasks=board.tasks[board.tasks["task_id"] != task_id].reset_index(drop=True))


def split_task(board: Board, task_id: str, names: tuple[str, str], share: float = 0.5) -> Board:
    """The board with one task split in two: hours, weight and oversight are divided, all other cells copied.

    Parameters
    ----------
    share
        Share of the first part, above 0 and below 1.

    Raises
    ------
    UsageError
        A name is blank, or the share is out of range.
    """
    task = dict(board.task(task_id))
    first, second = (name.strip() for name in names)
    problems = [] if first and second else ["Name both parts: each as a verb and its object."]
    problems += [] if 0 < share < 1 else ["Give the first part more than nothing and less than all of the hours."]
    raise_all(UsageError, problems)
    totals = board.typed.loc[board.tasks["task_id"] == task_id, list(ADDITIVE)].iloc[0]
    first_parts = {name: round(totals[name] * share, 2) for name in ADDITIVE if pd.notna(totals[name])}
    first_row = task | {"task": first} | {name: as_text(part) for name, part in first_parts.items()}
    rest = {name: as_text(totals[name] - part) for name, part in first_parts.items()}
    second_row = task | {"task": second, "task_id": free_id(second, board.ids)} | rest
    position = board.ids.index(task_id)
    rows = board.tasks.to_dict("records")
    rows = [*rows[:position], first_row, second_row, *rows[position + 1 :]]
    return replace(board, tasks=pd.DataFrame(rows, columns=list(board.tasks)))


@dataclass(frozen=True)
class MergedTasks:
    """The board with the merged task, and the choices that merging made, a sentence each."""

    board: Board
    notes: tuple[str, ...]


def merge_tasks(board: Board, task_ids: Sequence[str], name: str) -> MergedTasks:
    """The board with several tasks merged into one: hours, weight and oversight are summed, shares averaged.

    Shares are weighted so that potential, realised hours and each part of the gap keep their totals: saving by hours,
    adoption by potential, observed saving by adopted hours, rework by saved hours. A share is blank if a task lacks
    what its weighting needs. Other cells that differ are taken from the task with most hours among those that AI has
    a part in, else among all.

    Raises
    ------
    UsageError
        Fewer than two tasks, or no name.
    """
    chosen = [board.task(task_id) for task_id in dict.fromkeys(task_ids)]
    problems = [] if len(chosen) > 1 else ["Choose at least two tasks."]
    problems += [] if name.strip() else ["Name the task: a verb and its object."]
    raise_all(UsageError, problems)
    rows = board.hours
    rows = rows[rows["task_id"].isin(task_ids)]
    human_only = rows["mode"].fillna("human").eq("human") & rows["target_mode"].fillna("human").eq("human")
    order = rows.assign(ai=~human_only).sort_values(["ai", "hours"], ascending=False, kind="stable")
    lead = dict(board.task(order["task_id"].iloc[0]))
    choices = [column.name for column in TASKS.columns if column.allowed or column.name in ("pattern", "freed_for")]
    differ = [column for column in choices if len({task[column] for task in chosen}) > 1]
    notes = [f"{column} differed: {lead[column] or 'blank'}, as in {lead['task']}." for column in differ]
    shares, blank = _weighted_shares(rows)
    notes += [f"{', '.join(blank)}: left blank, because not all of the tasks have it."] if blank else []
    sums = {column: as_text(board.typed.loc[rows.index, column].sum(skipna=False)) for column in ADDITIVE}
    merged_row = lead | {"task": name.strip()} | sums | shares | dict.fromkeys(_RANGE, "")
    position = board.ids.index(chosen[0]["task_id"])
    others = [row for row in board.tasks.to_dict("records") if row["task_id"] not in task_ids]
    tasks = pd.DataFrame([*others[:position], merged_row, *others[position:]], columns=list(board.tasks))
    return MergedTasks(replace(board, tasks=tasks), tuple(notes))


_RANGE = ("expected_saving_low", "expected_saving_high")


def _weighted_shares(rows: pd.DataFrame) -> tuple[dict[str, str], list[str]]:
    """Shares of the merged task, weighted as `merge_tasks` says; and the names of those that had to be left blank."""
    total = {name: rows[name].sum(skipna=False) for name in ("hours", "potential", *GAP_PARTS, "saved")}
    saving = _ratio(total["potential"], total["hours"])
    adoption = 1 - _ratio(total["gap_not_adopted"], total["potential"])
    observed = _ratio(total["saved"], total["hours"] * adoption)
    rework = _ratio(total["gap_rework"], total["saved"])
    shares = {"expected_saving": saving, "adoption": adoption, "observed_saving": observed, "rework": rework}
    reported = {name: rows[name].notna().any() for name in shares}
    texts = {name: as_text(round(value, 9)) if pd.notna(value) else "" for name, value in shares.items()}
    return texts, [name for name, text in texts.items() if not text and reported[name]]


def _ratio(part: float, total: float) -> float:
    return part / total if total else float("nan")


# Totals and warnings --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Totals:
    """Totals of a job: `hours` per year of all its holders, `per_week` per holder and week.

    `hidden` is the reason if nothing may be shown; the numbers are then missing. `modes` (mode, today, target,
    today_share, target_share): hours per year by who does the tasks, and their shares.
    """

    tasks: int
    hours: Mapping[str, float]
    per_week: Mapping[str, float]
    modes: pd.DataFrame
    holders: float
    hidden: str = ""


def totals(board: Board, minimum: int) -> Totals:
    """Sums over the tasks of a job; hidden if fewer people than the minimum group hold it.

    A task with blank cells counts as far as it is known, as in the measures.
    """
    rows = board.hours
    holders = float(rows["holders"].max()) if len(rows) else float("nan")
    few = holders < minimum  # False if the number of holders is not known
    sums = {name: float("nan") if few else float(rows[name].sum()) for name in _SUMS}
    persons = holders if holders > 0 else 1.0
    weekly = {name: value / WEEKS / persons for name, value in sums.items()}
    reason = f"Fewer than {minimum} people hold this job: its hours are shown nowhere." if few else ""
    return Totals(len(rows), sums, weekly, _modes(rows.iloc[:0] if few else rows), holders, reason)


def _modes(rows: pd.DataFrame) -> pd.DataFrame:
    target = rows["target_mode"].fillna(rows["mode"])
    sums = {"today": rows["hours"].groupby(rows["mode"]).sum(), "target": rows["hours"].groupby(target).sum()}
    hours = pd.DataFrame(sums).reindex(list(MODES)).fillna(0.0)
    shares = hours.div(hours.sum().replace(0.0, 1.0)).add_suffix("_share")
    return hours.join(shares).rename_axis("mode").reset_index()


def board_warnings(board: Board) -> list[str]:
    """What is odd or still open on the board, a sentence each."""
    fewest, most = TASKS_PER_JOB
    count, advice = len(board.tasks), f"{fewest} to {most} core tasks are wanted"
    year = board.typed["hours_per_year"].sum()
    checks = {
        f"{count} tasks: too coarse to redesign, {advice}. Split or add some.": count < fewest,
        f"{count} tasks: too fine to oversee, {advice}. Merge or drop some.": count > most,
        f"One person's tasks add up to {year:,.0f} hours a year, more than full time.": year > FULL_TIME_HOURS,
    }
    return [text for text, holds in checks.items() if holds] + _open_points(board)


def _open_points(board: Board) -> list[str]:
    """Decisions that are still open, a sentence each with the tasks concerned."""
    tasks, rows = board.tasks, board.hours
    with_ai = tasks["target_mode"].isin(["augment", "automate"]).to_numpy()
    lacking = {
        "No collaboration pattern": with_ai & tasks["pattern"].eq("").to_numpy(),
        "No expected saving": with_ai & tasks["expected_saving"].eq("").to_numpy(),
        "Not said what the open hours wait on": rows["gap"].gt(0).to_numpy() & tasks["blocker"].eq("").to_numpy(),
        "Not decided what freed time is for": rows["realised"].gt(0).to_numpy() & tasks["freed_for"].eq("").to_numpy(),
    }
    return [
        f"{words}, for {where.sum()} of {len(tasks)} tasks: {_first_texts(tasks.loc[where, 'task'])}."
        for words, where in lacking.items()
        if where.any()
    ]


def _first_texts(texts: pd.Series) -> str:
    return "; ".join(texts.head(3)) + (" and others" if len(texts) > 3 else "")


def invalid_cells(board: Board) -> list[str]:
    """Cells that `aiready check` would set aside, a sentence each; to be corrected before saving."""
    return row_problems(TASKS, board.tasks, "task")
