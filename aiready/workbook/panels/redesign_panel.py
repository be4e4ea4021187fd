"""The redesign panel: edit a job's tasks, who does them today and who should, and see the resulting hours."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import ipywidgets as w
import pandas as pd

from aiready.errors import UsageError
from aiready.inputs.discover import instrument_folder
from aiready.instrument.model import read_instrument
from aiready.model.schema import BLOCKERS, MODES
from aiready.workbook.capture.store import read_rows, read_slice
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
from aiready.workbook.panels.editing import WritingPanel, show_errors


def task_redesign(data: str = "", by: str = "") -> w.VBox:
    """The panel, on a data folder (default: the one the notebooks open); `by` is who saves (default: the user)."""
    return editing.open_panel(data, lambda folder: RedesignPanel(folder, by).box)


class RedesignPanel(WritingPanel):
    """The open job: the state of its editor are the rows of its tasks."""

    def __init__(self, location: str, by: str):
        super().__init__(location, "tasks", by)
        self.rules = read_instrument(instrument_folder(self.folder))
        self.blockers = dict(zip(self.rules.blockers["blocker"], self.rules.blockers["label"], strict=True))
        self.library: Library | None = None
        self._build()
        self._list_jobs()
        last = self.position.read()
        if last is not None:
            self._reopen(last[1])

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
        self.open_part = self._open_part()
        controls.set_visible(self.open_part, visible=False)
        self.box = editing.form(
            w.HTML(
                f'<p class="aiready-muted">Saved in {self.folder / "tasks"}, a file per job, when you say so. Until '
                "then your edits are kept beside it, for you alone.</p>"
            ),
            controls.row(self.unit, self.job, self.new_job, controls.button("Open the job", self._open, primary=True)),
            self.status,
            self.conflict_buttons,
            self.open_part,
        )
        self.unit.observe(lambda _: self._list_jobs(), "value")
        self.task_list.observe(lambda _: self._task_chosen(), "value")
        self.action.observe(lambda _: self._show_form(), "value")

    def _open_part(self) -> w.VBox:
        save = controls.row(
            controls.button("Save the job", self._save, primary=True),
            controls.button("Undo", self._undo),
            controls.button("Redo", self._redo),
            self.version,
            controls.button("Bring this version back", self._bring_back),
        )
        editor = w.VBox([self.action, self.form_box], layout=w.Layout(flex="1 1 480px", min_width="0"))
        layout = w.Layout(display="flex", flex_flow="row wrap", grid_gap="6px 22px")
        return w.VBox([save, self.totals, w.Box([self.task_list, editor], layout=layout), self.table])

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
            fields[name].observe(self._edit_handler(name), "value")
        fields["task"].layout.width = controls.WIDE
        return fields

    def _edit_handler(self, name: str) -> Callable[[dict[str, str]], None]:
        """What to do when the control of a column changes: nothing while the controls are being filled."""
        return lambda change: None if self.filling else self._edit(name, change["new"])

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
        button, row = controls.button, controls.row
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

    def _draw(self) -> None:
        """Show the board (task list, fields, totals, table) without recording an edit."""
        self.filling = True
        try:
            self._show_board(self.board)
        finally:
            self.filling = False

    def _show_board(self, board: Board) -> None:
        chosen = self.task_list.value
        rows = board.tasks.to_dict("records")
        options = [(f"{row['task']} · {_moves(row)}", row["task_id"]) for row in rows]
        self.task_list.options = options
        self.task_list.value = chosen if chosen in board.ids else next(iter(board.ids), None)
        self.others.options = [(label, task) for label, task in options if task != self.task_list.value]
        task = board.task(self.task_list.value) if self.task_list.value else {}
        for name, field in self.fields.items():
            field.value = _selectable(field, task.get(name, ""))
        self.about_pattern.value = board_view.pattern_html(self.rules.patterns, task.get("pattern", ""))
        job_totals = totals(board, self.rules.settings.minimum_group)
        self.totals.value = board_view.totals_html(job_totals, board_warnings(board))
        self.table.value = board_view.board_html(
            board, self.task_list.value or "", self.blockers, hidden=bool(job_totals.hidden)
        )

    @show_errors
    def _task_chosen(self) -> None:
        if not self.filling:
            self._draw()

    # Opening ----------------------------------------------------------------------------------------------------

    @show_errors
    def _list_jobs(self) -> None:
        rows = read_rows(self.folder, TASKS, {"unit_id": self.unit.value or ""})
        jobs = dict.fromkeys(zip(rows["job"], rows["wave"], strict=True))
        options = [(f"{job}, {wave}" if wave else job, (job, wave)) for job, wave in jobs]
        self.job.options = options or [("No job yet", ("", ""))]

    @show_errors
    def _open(self) -> None:
        job, wave = (self.new_job.value.strip(), "") if self.new_job.value.strip() else self.job.value
        unit = (self.unit.value or "").strip()
        if not (unit and job):
            raise UsageError("Choose a unit and a job, or name a new one.")
        self._load({"unit_id": unit, "job": job, "wave": wave})

    def _reopen(self, key: dict[str, str]) -> None:
        if not isinstance(self.unit, w.Dropdown) or key["unit_id"] in [unit for _, unit in self.unit.options]:
            self.unit.value = key["unit_id"]
        job = (key["job"], key["wave"])
        if job in [value for _, value in self.job.options]:
            self.job.value = job
        else:
            self.new_job.value = key["job"]
        self._load(key)

    @show_errors
    def _load(self, key: Mapping[str, str]) -> None:
        saved = read_slice(self.folder, TASKS, key)
        drafted_at = self.editor.open(key, [saved], saved.rows.to_dict("records"))
        self.position.save(key)
        n_tasks = len(self.board.tasks)
        message = f": {n_tasks} tasks." if n_tasks else " has no tasks yet: add them, or begin from a task library."
        self.status.show_message(f"{key['job']}{message}")
        if drafted_at:
            self.status.show_message(
                f"Your edits of {drafted_at} are not saved yet; they are shown here. Save them, or undo them.",
                "warning",
            )
        controls.set_visible(self.open_part, visible=True)
        controls.set_visible(self.conflict_buttons, visible=False)
        self._list_versions()
        self._show_form()
        self._draw()

    # Editing ----------------------------------------------------------------------------------------------------

    def _apply(self, board: Board, message: str = "") -> None:
        """Show an edited board; it can be undone, and is a draft until it is saved."""
        self.editor.edit(board.tasks.to_dict("records"))
        self._draw()
        self.status.show_message(f"{message} Not saved yet.".strip())

    @show_errors
    def _edit(self, name: str, text: str) -> None:
        board = self.board
        if self.task_list.value is None:
            raise UsageError("Add a task first.")
        self._apply(with_cell(board, self.task_list.value, name, text))

    @show_errors
    def _add(self) -> None:
        if not self.name.value.strip():
            raise UsageError("Name the task: a verb and its object.")
        board = with_tasks(self.board, pd.DataFrame([{"task": self.name.value.strip()}]))
        self._apply(board)
        self.name.value, self.task_list.value = "", board.ids[-1]
        self.status.show_message("Added. Not saved yet.")

    @show_errors
    def _split(self) -> None:
        try:
            share = float(self.share.value.replace(",", "."))
        except ValueError:
            raise UsageError(f'"{self.share.value}" is no share. Write 0.5 for a half.') from None
        names = (self.first.value, self.second.value)
        self._apply(split_task(self.board, self.task_list.value, names, share), "Split.")
        self.first.value = self.second.value = ""

    @show_errors
    def _merge(self) -> None:
        merged = merge_tasks(self.board, (self.task_list.value, *self.others.value), self.merged_name.value)
        self._apply(merged.board, " ".join(("Merged.", *merged.notes)))
        self.merged_name.value = ""

    @show_errors
    def _remove(self) -> None:
        self._apply(without_task(self.board, self.task_list.value), "Removed.")

    @show_errors
    def _search(self) -> None:
        self.library = read_library(Path(self.file.value.strip()).expanduser())
        jobs = search_jobs(self.library, self.words.value)
        options = [(f"{row.job} ({row.tasks} tasks)", row.job) for row in jobs.itertuples()]
        self.library_jobs.options = options or [("Nothing found", "")]
        self.status.show_message(f"{len(options)} jobs found in {self.library.file}. {self.library.note}".rstrip())

    @show_errors
    def _add_library_tasks(self) -> None:
        if self.library is None or not self.library_jobs.value:
            raise UsageError("Search the task library first, and choose a job.")
        job = self.library_jobs.value
        rows = starting_tasks(self.library, job)
        self._apply(with_tasks(self.board, rows), f"{len(rows)} tasks of {job} added: make them your own.")

    @show_errors
    def _undo(self) -> None:
        self._show_step("Not saved yet." if self.editor.undo() else "Nothing to undo.")

    @show_errors
    def _redo(self) -> None:
        self._show_step("Not saved yet." if self.editor.redo() else "Nothing to redo.")

    def _show_step(self, message: str) -> None:
        self._draw()
        self.status.show_message(message)

    # Saving -----------------------------------------------------------------------------------------------------

    @show_errors
    def _save(self) -> None:
        board = self.board
        problems = invalid_cells(board)
        if problems:
            raise UsageError(f"Not saved; mend first: {' '.join(problems)}")
        if not self.save_rows("tasks", board.tasks):
            return
        self.editor.delete_draft()
        self._list_jobs()
        self.new_job.value = ""
        job = (board.job, board.wave)
        self.job.value = job if job in [value for _, value in self.job.options] else self.job.value
        self._list_versions()
        self._draw()
        self.status.show_message(f"Saved: {len(board.tasks)} tasks.")

    def show_joined(self, rows: Mapping[str, pd.DataFrame]) -> None:
        """Show the joined tasks."""
        self.editor.edit(rows["tasks"].to_dict("records"))
        self._draw()

    def show_saved(self) -> None:
        """Show the job as it is saved."""
        self._load(self.board.key)

    def _list_versions(self) -> None:
        options = [(version.label, version) for version in self.editor.versions("tasks")]
        self.version.options = options or [("None", "")]

    @show_errors
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


def _selectable(field: w.Widget, text: str) -> str:
    """A cell as its control can show it: blank if it is not an option of the control."""
    return text if not isinstance(field, w.Dropdown) or text in [value for _, value in field.options] else ""
