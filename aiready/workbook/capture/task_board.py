"""A unit's job as a board of its tasks: every edit gives a new board; hours come from `task_hours` alone."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from aiready.errors import UsageError, all_at_once, unknown
from aiready.inputs.entry_checks import refusal, refusals, typed_rows
from aiready.measures.tasks import FULL_TIME_HOURS, TASKS_PER_JOB, WEEKS
from aiready.measures.tasks.hours import GAP_PARTS, with_hours
from aiready.model.schema import MODES, TABLES
from aiready.workbook.capture.slices import Slice, as_text

TASKS = TABLES["tasks"]
SHARED = ("hours_per_year", "weight", "oversight_hours")
"""What two parts of a task share between them, and what tasks that are joined add up."""
_SUMS = ("hours", "potential", "realised", "gap", *GAP_PARTS, "unfollowed", "saved")


@dataclass(frozen=True)
class Board:
    """The tasks of one job of one unit in one wave: `tasks` holds one text row per task, with all their columns."""

    unit_id: str
    job: str
    wave: str
    tasks: pd.DataFrame

    @property
    def scope(self) -> dict[str, str]:
        """Which rows of `tasks` these are."""
        return {"unit_id": self.unit_id, "job": self.job, "wave": self.wave}

    @property
    def ids(self) -> list[str]:
        """Ids of the tasks, in order."""
        return self.tasks["task_id"].tolist()

    @cached_property
    def typed(self) -> pd.DataFrame:
        """The tasks as measures take them."""
        return typed_rows(TASKS, self.tasks).assign(**{**self.scope, "wave": self.wave or "now"})

    @cached_property
    def hours(self) -> pd.DataFrame:
        """Hours of every task, as `task_hours.with_hours` gives them: one row per task, in order."""
        return with_hours(self.typed)

    def task(self, task_id: str) -> Mapping[str, str]:
        """Cells of one task.

        Raises
        ------
        UsageError
            The board has no such task.
        """
        if task_id not in self.ids:
            raise unknown("task", task_id, self.ids)
        return dict(self.tasks.loc[self.tasks["task_id"] == task_id].iloc[0])


def board_of(read: Slice) -> Board:
    """The board of the rows that were read."""
    return Board(read.scope["unit_id"], read.scope["job"], read.scope["wave"], read.rows)


# Edits ----------------------------------------------------------------------------------------------------------


def changed(board: Board, task_id: str, column: str, text: str) -> Board:
    """The board with one cell of one task changed.

    Raises
    ------
    UsageError
        The cell would be set aside by `aiready check`; the message says why.
    """
    board.task(task_id)
    said = text.strip()
    why = refusal(TASKS.column(column), said)
    if why:
        raise UsageError(why)
    tasks = board.tasks.copy()
    at = tasks["task_id"] == task_id
    tasks.loc[at if column != "headcount" else at | True, column] = said  # people hold the job, not a task of it
    return replace(board, tasks=tasks)


def added(board: Board, rows: pd.DataFrame) -> Board:
    """The board with tasks added at its end; ids that are taken already are numbered on."""
    ids = list(board.ids)
    named = []
    for row in rows.to_dict("records"):
        ids.append(free_id(row.get("task_id") or row["task"], ids))
        named.append({**_held_by_all(board), **row, "task_id": ids[-1]})
    tasks = pd.concat([board.tasks, pd.DataFrame(named, dtype=object)], ignore_index=True).fillna("")
    return replace(board, tasks=tasks[[*board.tasks]])


def _held_by_all(board: Board) -> dict[str, str]:
    shared = {"unit_id": board.unit_id, "job": board.job, "wave": board.wave}
    heads = [cell for cell in board.tasks["headcount"] if cell]
    return shared | {"headcount": heads[0] if heads else ""}


def free_id(text: str, taken: Sequence[str]) -> str:
    """A short id from words, not among those taken.

    Examples
    --------
    >>> free_id("Answer the customer's letters today", ["answer-the-customer-s"])
    'answer-the-customer-s-2'
    """
    words = re.sub(r"[^\w]+", "-", text.lower()).strip("-").split("-")
    plain = "-".join(words[:4]) or "task"
    number = next(count for count in range(1, len(taken) + 2) if _numbered(plain, count) not in taken)
    return _numbered(plain, number)


def _numbered(plain: str, count: int) -> str:
    return plain if count == 1 else f"{plain}-{count}"


def removed(board: Board, task_id: str) -> Board:
    """The board without one task."""
    board.task(task_id)
    return replace(board, tasks=board.tasks[board.tasks["task_id"] != task_id].reset_index(drop=True))


def split(board: Board, task_id: str, names: tuple[str, str], share: float = 0.5) -> Board:
    """The board with one task in two: they share its hours, weight and checking; all else is the same in both.

    Parameters
    ----------
    share
        What the first part takes of them, above 0 and below 1.

    Raises
    ------
    UsageError
        A name is blank, or the share is none.
    """
    whole = dict(board.task(task_id))
    first, second = (name.strip() for name in names)
    problems = [] if first and second else ["Name both parts: each as a verb and its object."]
    problems += [] if 0 < share < 1 else ["Give the first part more than nothing and less than all of the hours."]
    all_at_once(UsageError, problems)
    number = board.typed.loc[board.tasks["task_id"] == task_id, list(SHARED)].iloc[0]
    parts = {name: round(number[name] * share, 2) for name in SHARED if pd.notna(number[name])}
    one = whole | {"task": first} | {name: as_text(part) for name, part in parts.items()}
    rest = {name: as_text(number[name] - part) for name, part in parts.items()}
    two = whole | {"task": second, "task_id": free_id(second, board.ids)} | rest
    at = board.ids.index(task_id)
    rows = board.tasks.to_dict("records")
    return replace(board, tasks=pd.DataFrame([*rows[:at], one, two, *rows[at + 1 :]], columns=list(board.tasks)))


@dataclass(frozen=True)
class Joined:
    """A board on which tasks were joined, and what was decided on the way, a sentence each."""

    board: Board
    notes: tuple[str, ...]


def merged(board: Board, task_ids: Sequence[str], name: str) -> Joined:
    """The board with several tasks as one: hours, weight and checking are summed, shares weighted.

    Shares are weighted so that potential, realised hours, and each part of the gap stay what they were: saving by
    hours, adoption by potential, observed saving by adopted hours, rework by saved hours. Where one of the tasks lacks
    what that needs, the share is left blank. What differs in words is taken from the task with most hours, before it
    one that AI has a part in.

    Raises
    ------
    UsageError
        Fewer than two tasks, or no name.
    """
    chosen = [board.task(task_id) for task_id in dict.fromkeys(task_ids)]
    problems = [] if len(chosen) > 1 else ["Choose at least two tasks."]
    problems += [] if name.strip() else ["Name the task: a verb and its object."]
    all_at_once(UsageError, problems)
    rows = board.hours
    rows = rows[rows["task_id"].isin(task_ids)]
    human_only = rows["mode"].fillna("human").eq("human") & rows["target_mode"].fillna("human").eq("human")
    order = rows.assign(ai=~human_only).sort_values(["ai", "hours"], ascending=False, kind="stable")
    lead = dict(board.task(order["task_id"].iloc[0]))
    words = [column.name for column in TASKS.columns if column.allowed or column.name in ("pattern", "freed_for")]
    differ = [column for column in words if len({task[column] for task in chosen}) > 1]
    notes = [f"{column} differed: {lead[column] or 'blank'}, as in {lead['task']}." for column in differ]
    shares, blank = _weighted(rows)
    notes += [f"{', '.join(blank)}: left blank, because not all of the tasks have it."] if blank else []
    sums = {column: as_text(board.typed.loc[rows.index, column].sum(skipna=False)) for column in SHARED}
    one = lead | {"task": name.strip()} | sums | shares | dict.fromkeys(_RANGE, "")
    at = board.ids.index(chosen[0]["task_id"])
    kept = [row for row in board.tasks.to_dict("records") if row["task_id"] not in task_ids]
    tasks = pd.DataFrame([*kept[:at], one, *kept[at:]], columns=list(board.tasks))
    return Joined(replace(board, tasks=tasks), tuple(notes))


_RANGE = ("expected_saving_low", "expected_saving_high")


def _weighted(rows: pd.DataFrame) -> tuple[dict[str, str], list[str]]:
    """Shares of tasks joined, from their hours; and which are not known."""
    total = {name: rows[name].sum(skipna=False) for name in ("hours", "potential", *GAP_PARTS, "saved")}
    saving = _ratio(total["potential"], total["hours"])
    adoption = 1 - _ratio(total["gap_not_adopted"], total["potential"])
    observed = _ratio(total["saved"], total["hours"] * adoption)
    rework = _ratio(total["gap_rework"], total["saved"])
    shares = {"expected_saving": saving, "adoption": adoption, "observed_saving": observed, "rework": rework}
    given = {name: rows[name].notna().any() for name in shares}
    texts = {name: as_text(round(value, 9)) if pd.notna(value) else "" for name, value in shares.items()}
    return texts, [name for name, text in texts.items() if not text and given[name]]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


# What it comes to -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Totals:
    """What a job comes to, hours per year of all its holders, and per holder and week.

    `hidden` says why nothing is shown; the numbers are then missing. `modes` (mode, today, target, today_share,
    target_share): hours of a year by who does them, and their shares.
    """

    tasks: int
    hours: Mapping[str, float]
    per_week: Mapping[str, float]
    modes: pd.DataFrame
    holders: float
    hidden: str = ""


def totals(board: Board, minimum: int) -> Totals:
    """Sums over the tasks of a job; hidden where fewer people than the minimum group hold it.

    A task that lacks an answer counts with what is known of it, as in the measures.
    """
    rows = board.hours
    holders = float(rows["holders"].max()) if len(rows) else float("nan")
    few = holders == holders and holders < minimum
    sums = {name: float("nan") if few else float(rows[name].sum()) for name in _SUMS}
    persons = holders if holders == holders and holders else 1.0
    weekly = {name: value / WEEKS / persons for name, value in sums.items()}
    reason = f"Fewer than {minimum} people hold this job: its hours are shown nowhere." if few else ""
    return Totals(len(rows), sums, weekly, _modes(rows.iloc[:0] if few else rows), holders, reason)


def _modes(rows: pd.DataFrame) -> pd.DataFrame:
    target = rows["target_mode"].fillna(rows["mode"])
    sums = {"today": rows["hours"].groupby(rows["mode"]).sum(), "target": rows["hours"].groupby(target).sum()}
    hours = pd.DataFrame(sums).reindex(list(MODES)).fillna(0.0)
    shares = hours.div(hours.sum().replace(0.0, 1.0)).add_suffix("_share")
    return hours.join(shares).rename_axis("mode").reset_index()


def warnings(board: Board) -> list[str]:
    """What a reader of the board should know or mend, a sentence each."""
    fewest, most = TASKS_PER_JOB
    count, wanted = len(board.tasks), f"{fewest} to {most} core tasks are wanted"
    year = board.typed["hours_per_year"].sum()
    found = {
        f"{count} tasks: too coarse to redesign, {wanted}. Split or add some.": count < fewest,
        f"{count} tasks: too fine to oversee, {wanted}. Merge or drop some.": count > most,
        f"One person's tasks add up to {year:,.0f} hours a year, more than full time.": year > FULL_TIME_HOURS,
    }
    return [text for text, holds in found.items() if holds] + _lacking(board)


def _lacking(board: Board) -> list[str]:
    """What is still open on the board, with the tasks it is open for."""
    tasks, rows = board.tasks, board.hours
    with_ai = tasks["target_mode"].isin(["augment", "automate"]).to_numpy()
    lacking = {
        "No collaboration pattern": with_ai & tasks["pattern"].eq("").to_numpy(),
        "No expected saving": with_ai & tasks["expected_saving"].eq("").to_numpy(),
        "Not said what the open hours wait on": rows["gap"].gt(0).to_numpy() & tasks["blocker"].eq("").to_numpy(),
        "Not decided what freed time is for": rows["realised"].gt(0).to_numpy() & tasks["freed_for"].eq("").to_numpy(),
    }
    return [
        f"{words}, for {where.sum()} of {len(tasks)} tasks: {_listed(tasks.loc[where, 'task'])}."
        for words, where in lacking.items()
        if where.any()
    ]


def _listed(texts: pd.Series) -> str:
    return "; ".join(texts.head(3)) + (" and others" if len(texts) > 3 else "")


def mistakes(board: Board) -> list[str]:
    """Cells that `aiready check` would set aside, a sentence each: to be mended before saving."""
    return refusals(TASKS, board.tasks, "task")
