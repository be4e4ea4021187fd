"""The redesign panel: edit a job's tasks, who does them today and who should, and see the resulting hours."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import ipywidgets as w
import pandas as pd

from aiready.errors import UsageError
from aiready.inputs.location import instrument_folder
from aiready.instrument.model import read_instrument
from aiready.model.cell_values import parse_number
from aiready.model.schema import BLOCKERS, MODES
from aiready.workbook.capture.store import read_rows, versions
from aiready.workbook.capture.task_board import (
    TASKS,
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
from aiready.workbook.capture.task_library import Library, read_library, search_jobs, starting_tasks
from aiready.workbook.panels import board_view, controls, editing
from aiready.workbook.panels.editing import WritingPanel
from aiready.workbook.panels.panel import accepts


def task_redesign(data: str = "", by: str = "") -> w.VBox:
    """The panel, on a data folder (default: the one the notebooks open); `by` is who saves (default: the user)."""
    return editing.open_panel(data, lambda folder: RedesignPanel(folder, by).box)


class RedesignPanel(WritingPanel):
    """The open job: the state of its editor are the rows of its tasks."""

    tables = (TASKS,)

    def __init__(self, location: str, by: str):
        super().__init__(location, "tasks", by)
        self.rules = read_instrument(instrument_folder(self.folder))
        self.blockers = dict(zip(self.rules.blockers["blocker"], self.rules.blockers["label"], strict=True))
        self.library: Library | None = None
        self._build()
        self._list_jobs()
        last = self.position.read()
        if last is not None:
            self.run(self._reopen, last[1])

    @property
    def board(self) -> Board:
        """The board of the open job.

        Raises
        ------
        UsageError
            No job is open.
        """
        if not self.editor.slices:
            raise UsageError("Open a job first.")
        base = self.editor.slices["tasks"]
        tasks = pd.DataFrame(self.editor.state, columns=list(base.rows), dtype=object).fillna("")
        return Board(**base.key, tasks=tasks)

    # What is on the page ----------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.unit = self.unit_control("Unit", list(read_rows(self.folder, TASKS)["unit_id"]))
        self.job = controls.choice("Job", [("No job yet", ("", ""))])
        self.new_job = controls.line("Or a new job", "", "Claims handler", controls.SHORT)
        self.task_list = controls.labelled(w.Select(options=[], rows=18, description="Tasks"), "460px")
        self.fields = self._fields()
        self.about_pattern, self.totals, self.table = w.HTML(), w.HTML(), w.HTML()
        self.action = controls.choice("What to do", board_view.DO)
        self.form_box = w.VBox([])
        self.forms = self._forms()
        self.version = controls.choice("Earlier versions", [("None", "")])
        self.on_change(self.unit, self._list_jobs)
        self.on_change(self.task_list, self.show_state)
        self.on_change(self.action, self._show_form)
        save = controls.row(
            self.button("Save the job", self._save, primary=True),
            self.button("Undo", self._undo),
            self.button("Redo", self._redo),
            self.version,
            self.button("Bring this version back", self._bring_back),
        )
        tasks = w.VBox([self.action, self.form_box], layout=w.Layout(flex="1 1 480px", min_width="0"))
        layout = w.Layout(display="flex", flex_flow="row wrap", grid_gap="6px 22px")
        note = f"Saved in {self.folder / 'tasks'}, a file per job, when you say so. Until then your edits are kept "
        opening = (self.unit, self.job, self.new_job, self.button("Open the job", self._open, primary=True))
        board = w.Box([self.task_list, tasks], layout=layout)
        self.compose(note + "beside it, for you alone.", opening, save, self.totals, board, self.table)
        self._show_form()

    def _fields(self) -> dict[str, w.Widget]:
        """One control per column of a task."""

        def plain(values: tuple[str, ...]) -> list[tuple[str, str]]:
            return [("Not said", ""), *((value, value) for value in values)]

        patterns = self.rules.patterns[["name", "pattern_id"]].itertuples(index=False, name=None)
        options = {
            "mode": plain(MODES),
            "target_mode": plain(MODES),
            "pattern": [("None", ""), *patterns],
            "exposure": list(board_view.EXPOSURE),
            "evidence": plain(("reported", "measured")),
            "blocker": [("Not said", ""), *((self.blockers.get(name, name), name) for name in BLOCKERS)],
        }
        fields = {}
        for name, label in board_view.WORDS.items():
            if name in options:
                fields[name] = controls.choice(label, options[name])
            else:
                fields[name] = controls.line(label, width=controls.HALF if name in ("task", "freed_for") else "200px")
            self.on_change(fields[name], self._edit, name)
        fields["task"].layout.width = controls.WIDE
        return fields

    def _forms(self) -> dict[str, w.Widget]:
        """The form of each choice of `What to do`."""
        self.name = controls.line("New task: a verb and its object", width=controls.WIDE)
        self.first, self.second = controls.line("First part"), controls.line("Second part")
        self.share = controls.line("Share of the hours of the first part, 0–1", "0.5")
        self.others = controls.labelled(w.SelectMultiple(options=[], rows=6, description="Merge with"), controls.WIDE)
        self.merged_name = controls.line("Name of the merged task", width=controls.WIDE)
        self.file = controls.line("Task library: a CSV or TSV file", "", "/path/to/task_statements.tsv", controls.WIDE)
        self.words = controls.line("Words to look for", "", "claims")
        self.library_jobs = controls.choice("Jobs found", [("Search first", "")], width=controls.WIDE)
        button, row = self.button, controls.row
        split = row(button("Split", self._split, primary=True))
        merge = row(button("Merge", self._merge, primary=True))
        search = row(self.words, button("Search", self._search))
        add_library = row(button("Add its tasks", self._add_library_tasks, primary=True))
        return {
            "change": w.VBox([row(*self.fields.values()), self.about_pattern]),
            "add": w.VBox([self.name, row(button("Add", self._add, primary=True))]),
            "split": w.VBox([row(self.first, self.second), self.share, split]),
            "merge": w.VBox([self.others, self.merged_name, merge]),
            "remove": row(button("Remove the chosen task", self._remove)),
            "library": w.VBox([self.file, search, self.library_jobs, add_library]),
        }

    def _show_form(self) -> None:
        self.form_box.children = [self.forms[self.action.value]]

    def show_state(self) -> None:
        """Show the board: task list, fields, totals, table."""
        with self.filled():
            self._show_board(self.board)

    def _show_board(self, board: Board) -> None:
        chosen = self.task_list.value
        rows = board.tasks.to_dict("records")
        options = [(f"{row['task']} · {_moves(row)}", row["task_id"]) for row in rows]
        self.task_list.options = options
        self.task_list.value = chosen if chosen in board.ids else next(iter(board.ids), None)
        self.others.options = [(label, task) for label, task in options if task != self.task_list.value]
        task = board.task(self.task_list.value) if self.task_list.value else {}
        self.fill(self.fields, task)
        self.about_pattern.value = board_view.pattern_html(self.rules.patterns, task.get("pattern", ""))
        job_totals = totals(board, self.rules.settings.minimum_group)
        self.totals.value = board_view.totals_html(job_totals, board_warnings(board))
        self.table.value = board_view.board_html(
            board, self.task_list.value or "", self.blockers, hidden=bool(job_totals.hidden)
        )

    # Opening ----------------------------------------------------------------------------------------------------

    def _list_jobs(self) -> None:
        rows = read_rows(self.folder, TASKS, {"unit_id": self.unit.value or ""})
        jobs = dict.fromkeys(zip(rows["job"], rows["wave"], strict=True))
        options = [(f"{job}, {wave}" if wave else job, (job, wave)) for job, wave in jobs]
        self.job.options = options or [("No job yet", ("", ""))]

    def _open(self) -> None:
        job, wave = (self.new_job.value.strip(), "") if self.new_job.value.strip() else self.job.value
        unit = (self.unit.value or "").strip()
        if not (unit and job):
            raise UsageError("Choose a unit and a job, or name a new one.")
        self.load({"unit_id": unit, "job": job, "wave": wave})

    def _reopen(self, key: dict[str, str]) -> None:
        if accepts(self.unit, key["unit_id"]):
            self.unit.value = key["unit_id"]
        job = (key["job"], key["wave"])
        if accepts(self.job, job):
            self.job.value = job
        else:
            self.new_job.value = key["job"]
        self.load(key)

    def load(self, key: Mapping[str, str]) -> None:
        """Show a job as it is saved, and on top of it the draft."""
        super().load(key)
        self._list_versions()
        if self.board.tasks.empty:
            self.status.show_message(f"{key['job']} has no tasks yet: add them, or begin from a task library.")

    def saved_state(self) -> list[dict[str, str]]:
        """The tasks as they were read."""
        return list(self.editor.slices["tasks"].rows.to_dict("records"))

    def joined_state(self, rows: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
        """The joined tasks."""
        return list(rows["tasks"].to_dict("records"))

    # Editing ----------------------------------------------------------------------------------------------------

    def _apply(self, board: Board, message: str = "") -> None:
        """Show an edited board; it can be undone, and is a draft until it is saved."""
        self.editor.edit(board.tasks.to_dict("records"))
        self.show_state()
        self.status.show_message(f"{message} Not saved yet.".strip())

    def _edit(self, name: str) -> None:
        board = self.board
        if self.task_list.value is None:
            raise UsageError("Add a task first.")
        self._apply(with_cell(board, self.task_list.value, name, self.fields[name].value))

    def _add(self) -> None:
        if not self.name.value.strip():
            raise UsageError("Name the task: a verb and its object.")
        board = with_tasks(self.board, pd.DataFrame([{"task": self.name.value.strip()}]))
        self._apply(board)
        self.name.value, self.task_list.value = "", board.ids[-1]
        self.status.show_message("Added. Not saved yet.")

    def _split(self) -> None:
        share = parse_number(self.share.value)
        if share is None:
            raise UsageError(f'"{self.share.value}" is no share. Write 0.5 for a half.')
        names = (self.first.value, self.second.value)
        self._apply(split_task(self.board, self.task_list.value, names, share), "Split.")
        self.first.value = self.second.value = ""

    def _merge(self) -> None:
        merged = merge_tasks(self.board, (self.task_list.value, *self.others.value), self.merged_name.value)
        self._apply(merged.board, " ".join(("Merged.", *merged.notes)))
        self.merged_name.value = ""

    def _remove(self) -> None:
        self._apply(without_task(self.board, self.task_list.value), "Removed.")

    def _search(self) -> None:
        self.library = read_library(Path(self.file.value.strip()).expanduser())
        jobs = search_jobs(self.library, self.words.value)
        options = [(f"{row.job} ({row.tasks} tasks)", row.job) for row in jobs.itertuples()]
        self.library_jobs.options = options or [("Nothing found", "")]
        self.status.show_message(f"{len(options)} jobs found in {self.library.file}. {self.library.note}".rstrip())

    def _add_library_tasks(self) -> None:
        if self.library is None or not self.library_jobs.value:
            raise UsageError("Search the task library first, and choose a job.")
        job = self.library_jobs.value
        rows = starting_tasks(self.library, job)
        self._apply(with_tasks(self.board, rows), f"{len(rows)} tasks of {job} added: make them your own.")

    def _undo(self) -> None:
        self._show_step("Not saved yet." if self.editor.undo() else "Nothing to undo.")

    def _redo(self) -> None:
        self._show_step("Not saved yet." if self.editor.redo() else "Nothing to redo.")

    def _show_step(self, message: str) -> None:
        self.show_state()
        self.status.show_message(message)

    # Saving -----------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        board = self.board
        problems = invalid_cells(board)
        if problems:
            raise UsageError(f"Not saved; mend first: {' '.join(problems)}")
        if not self.save("tasks", board.tasks):
            return
        self.editor.delete_draft()
        self._list_jobs()
        self.new_job.value = ""
        job = (board.job, board.wave)
        self.job.value = job if accepts(self.job, job) else self.job.value
        self._list_versions()
        self.show_state()
        self.status.show_message(f"Saved: {len(board.tasks)} tasks.")

    def _list_versions(self) -> None:
        options = [(version.label, version) for version in versions(self.editor.slices["tasks"])]
        self.version.options = options or [("None", "")]

    def _bring_back(self) -> None:
        if not self.version.value:
            raise UsageError("There is no earlier version of this job.")
        board, version = self.board, self.version.value
        tasks = version.rows.reindex(columns=list(board.tasks), fill_value="")
        self._apply(replace(board, tasks=tasks), f"The version {version.label} is shown.")


def _moves(task: Mapping[str, str]) -> str:
    """Who does a task today and who should, in short: `human → augment`."""
    today, target = task["mode"] or "?", task["target_mode"] or task["mode"] or "?"
    return today if today == target else f"{today} → {target}"
