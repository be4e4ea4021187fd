"""An analyst redesigns a job: its tasks, who does them today and who should, and the hours that follow."""

from collections.abc import Callable, Mapping
from pathlib import Path

import ipywidgets as w
import pandas as pd

from aiready.errors import UsageError
from aiready.inputs.discover import instrument_folder
from aiready.instrument.model import read_instrument
from aiready.model.schema import BLOCKERS, MODES
from aiready.workbook.capture import journal
from aiready.workbook.capture.slices import Slice, column_of, merge, read_slice, versions, writable
from aiready.workbook.capture.store import ConflictError, save_slice
from aiready.workbook.capture.task_board import (
    TASKS,
    Board,
    added,
    board_of,
    changed,
    merged,
    mistakes,
    removed,
    split,
    totals,
    warnings,
)  # fmt: skip
from aiready.workbook.capture.task_library import Library, first_tasks, read_library, search
from aiready.workbook.panels import board_view, controls, writing
from aiready.workbook.panels.writing import guarded


def task_redesign(data: str = "", by: str = "") -> w.VBox:
    """The panel, on a data folder (default: the one the notebooks open); `by` is who saves (default: the user)."""
    return writing.opened(data, lambda folder: _Panel(folder, by).box)


class _Panel:
    """The job that is open, its edits, and what they come to."""

    def __init__(self, location: str, by: str):
        self.folder, self.by, self.own = writable(location), by, f"tasks {by}".strip()
        self.rules = read_instrument(instrument_folder(self.folder))
        self.blockers = dict(zip(self.rules.blockers["blocker"], self.rules.blockers["label"], strict=True))
        self.units = dict(zip(*column_of(self.folder, "units", "unit_id", "name"), strict=True))
        self.read: Slice | None = None
        self.theirs: Slice | None = None
        self.board: Board | None = None
        self.past: list[Board] = []
        self.future: list[Board] = []
        self.library: Library | None = None
        self.quiet = False
        self._build()
        self._jobs()
        kept = journal.draft(self.folder, "last job", {})
        if kept is not None:
            self._reopen(kept[1])

    # What is on the page ----------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.status = writing.Status()
        (held,) = column_of(self.folder, "tasks", "unit_id")
        named = self.units or dict.fromkeys(held, "")
        units = [(f"{name} ({unit})" if name else unit, unit) for unit, name in named.items()]
        self.unit = controls.choice("Unit", units, next(iter(held), None)) if units else controls.line("Unit")
        self.job = controls.choice("Job", [("No job yet", ("", ""))])
        self.new_job = controls.line("Or a new job", "", "Claims handler", controls.SHORT)
        self.list = controls.labelled(w.Select(options=[], rows=18, description="Tasks"), "460px")
        self.fields = self._fields()
        self.about_pattern, self.sums, self.table = w.HTML(), w.HTML(), w.HTML()
        self.do = controls.choice("What to do", board_view.DO)
        self.work = w.VBox([])
        self.forms = self._forms()
        self.version = controls.choice("Earlier versions", [("None", -1)])
        self.join = controls.row(
            controls.button("Join both versions", self._join, primary=True),
            controls.button("Take theirs, drop mine", self._take_theirs),
        )
        self.open_part = self._open_part()
        self.open_part.layout.display = self.join.layout.display = "none"
        self.box = writing.form(
            w.HTML(f'<p class="aiready-muted">Saved in {self.folder / "tasks.csv"}, when you say so. Until then your '
                   "edits are kept beside it, for you alone.</p>"),
            controls.row(self.unit, self.job, self.new_job, controls.button("Open the job", self._open, primary=True)),
            self.status, self.join, self.open_part)  # fmt: skip
        self.unit.observe(lambda _: self._jobs(), "value")
        self.list.observe(lambda _: self._choose(), "value")
        self.do.observe(lambda _: self._form(), "value")

    def _open_part(self) -> w.VBox:
        save = controls.row(
            controls.button("Save the job", self._save, primary=True), controls.button("Undo", self._undo),
            controls.button("Redo", self._redo), self.version,
            controls.button("Bring this version back", self._bring_back),
        )  # fmt: skip
        beside = w.VBox([self.do, self.work], layout=w.Layout(flex="1 1 480px", min_width="0"))
        sides = w.Box([self.list, beside], layout=w.Layout(display="flex", flex_flow="row wrap", grid_gap="6px 22px"))
        return w.VBox([save, self.sums, sides, self.table])

    def _fields(self) -> dict[str, w.Widget]:
        """One control per column of a task."""

        def plain(values: tuple[str, ...]) -> list[tuple[str, str]]:
            return [("Not said", ""), *((value, value) for value in values)]

        patterns = self.rules.patterns[["name", "pattern_id"]].itertuples(index=False, name=None)
        options = {
            "mode": plain(MODES), "target_mode": plain(MODES), "pattern": [("None", ""), *patterns],
            "exposure": list(board_view.EXPOSURE), "evidence": plain(("reported", "measured")),
            "blocker": [("Not said", ""), *((self.blockers.get(name, name), name) for name in BLOCKERS)],
        }  # fmt: skip
        fields = {}
        for name, words in board_view.WORDS.items():
            wide = controls.HALF if name in options or name in ("task", "freed_for") else "200px"
            fields[name] = (
                controls.choice(words, options[name]) if name in options else controls.line(words, width=wide)
            )
            fields[name].observe(self._edited(name), "value")
        fields["task"].layout.width = controls.WIDE
        return fields

    def _edited(self, name: str) -> Callable[[dict], None]:
        return lambda change: None if self.quiet else self._edit(name, change["new"])

    def _forms(self) -> dict[str, w.Widget]:
        """What each choice of `What to do` shows."""
        self.name = controls.line("New task: a verb and its object", width=controls.WIDE)
        self.first, self.second = controls.line("First part"), controls.line("Second part")
        self.share = controls.line("Share of the hours of the first part, 0–1", "0.5")
        self.others = controls.labelled(w.SelectMultiple(options=[], rows=6, description="Merge with"), controls.WIDE)
        self.together = controls.line("Name of the merged task", width=controls.WIDE)
        self.file = controls.line("Task library: a CSV or TSV file", "", "/path/to/task_statements.tsv", controls.WIDE)
        self.words = controls.line("Words to look for", "", "claims")
        self.found = controls.choice("Jobs found", [("Search first", "")], width=controls.WIDE)
        return {
            "change": w.VBox([controls.row(*self.fields.values()), self.about_pattern]),
            "add": w.VBox([self.name, controls.row(controls.button("Add", self._add, primary=True))]),
            "split": w.VBox([controls.row(self.first, self.second), self.share,
                             controls.row(controls.button("Split", self._split, primary=True))]),
            "merge": w.VBox([self.others, self.together,
                             controls.row(controls.button("Merge", self._merge, primary=True))]),
            "remove": controls.row(controls.button("Remove the chosen task", self._remove)),
            "library": w.VBox([self.file, controls.row(self.words, controls.button("Search", self._search)), self.found,
                               controls.row(controls.button("Add its tasks", self._begin_from, primary=True))]),
        }  # fmt: skip

    def _form(self) -> None:
        self.work.children = [self.forms[self.do.value]]

    def _draw(self) -> None:
        """Show the board as it stands: list, fields, hours, table."""
        if self.board is None:
            return
        self.quiet = True
        try:
            self._show(self.board)
        finally:
            self.quiet = False

    def _show(self, board: Board) -> None:
        chosen = self.list.value
        rows = board.tasks.to_dict("records")
        options = [(f"{row['task']} · {_moves(row)}", row["task_id"]) for row in rows]
        self.list.options = options
        self.list.value = chosen if chosen in board.ids else next(iter(board.ids), None)
        self.others.options = [(label, task) for label, task in options if task != self.list.value]
        task = board.task(self.list.value) if self.list.value else {}
        for name, field in self.fields.items():
            field.value = _shown(field, task.get(name, ""))
        self.about_pattern.value = board_view.pattern_html(self.rules.patterns, task.get("pattern", ""))
        found = totals(board, self.rules.settings.minimum_group)
        self.sums.value = board_view.totals_html(found, warnings(board))
        self.table.value = board_view.board_html(board, self.list.value or "", self.blockers, hidden=bool(found.hidden))

    @guarded
    def _choose(self) -> None:
        if not self.quiet:
            self._draw()

    # Opening ----------------------------------------------------------------------------------------------------

    @guarded
    def _jobs(self) -> None:
        cells = zip(*column_of(self.folder, "tasks", "unit_id", "job", "wave"), strict=True)
        own = dict.fromkeys((job, wave) for unit, job, wave in cells if unit == self.unit.value)
        listed = [(f"{job}, {wave}" if wave else job, (job, wave)) for job, wave in own]
        self.job.options = listed or [("No job yet", ("", ""))]

    @guarded
    def _open(self) -> None:
        job, wave = (self.new_job.value.strip(), "") if self.new_job.value.strip() else self.job.value
        unit = (self.unit.value or "").strip()
        if not (unit and job):
            raise UsageError("Choose a unit and a job, or name a new one.")
        self._take({"unit_id": unit, "job": job, "wave": wave})

    def _reopen(self, scope: dict[str, str]) -> None:
        if not isinstance(self.unit, w.Dropdown) or scope["unit_id"] in [unit for _, unit in self.unit.options]:
            self.unit.value = scope["unit_id"]
        place = (scope["job"], scope["wave"])
        if place in [value for _, value in self.job.options]:
            self.job.value = place
        else:
            self.new_job.value = scope["job"]
        self._take(scope)

    @guarded
    def _take(self, scope: dict[str, str]) -> None:
        self.read, self.past, self.future = read_slice(self.folder, "tasks", scope), [], []
        self.board = board_of(self.read)
        journal.keep_draft(self.folder, "last job", {}, scope)
        kept = journal.draft(self.folder, self.own, scope)
        if kept is None:
            self.status.say(f"{scope['job']}: {len(self.board.tasks)} tasks." if len(self.board.tasks) else
                            f"{scope['job']} has no tasks yet: add them, or begin from a task library.")  # fmt: skip
        else:
            when, state = kept
            columns = list(self.board.tasks)
            base = pd.DataFrame(state["base"], columns=columns, dtype=object).fillna("")
            self.read = Slice(self.folder, TASKS, scope, base, state["digest"])
            self.board = board_of(Slice(self.folder, TASKS, scope, _rows(state["rows"], columns), ""))
            self.status.say(
                f"Your edits of {when} are not saved yet; they are shown here. Save them, or undo them.", "warning"
            )
            self.past = [board_of(read_slice(self.folder, "tasks", scope))]
        self.open_part.layout.display, self.join.layout.display = "", "none"
        self._versions()
        self._form()
        self._draw()

    # Editing ----------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> tuple[Board, Slice]:
        if self.board is None or self.read is None:
            raise UsageError("Open a job first.")
        return self.board, self.read

    def _became(self, board: Board, said: str = "") -> None:
        """Take an edit: it can be undone, and is kept until it is saved."""
        before, read = self._now
        self.past.append(before)
        self.future.clear()
        self._hold(board, read)
        self.status.say(f"{said} Not saved yet.".strip())

    def _hold(self, board: Board, read: Slice) -> None:
        self.board = board
        state = {"base": read.rows.to_dict("records"), "digest": read.digest, "rows": board.tasks.to_dict("records")}
        journal.keep_draft(self.folder, self.own, board.scope, state)
        self._draw()

    @guarded
    def _edit(self, name: str, text: str) -> None:
        board, _ = self._now
        if self.list.value is None:
            raise UsageError("Add a task first.")
        self._became(changed(board, self.list.value, name, text))

    @guarded
    def _add(self) -> None:
        if not self.name.value.strip():
            raise UsageError("Name the task: a verb and its object.")
        board = added(self._now[0], pd.DataFrame([{"task": self.name.value.strip()}]))
        self._became(board, "Added.")
        self.name.value, self.list.value = "", board.ids[-1]

    @guarded
    def _split(self) -> None:
        try:
            share = float(self.share.value.replace(",", "."))
        except ValueError:
            raise UsageError(f'"{self.share.value}" is no share. Write 0.5 for a half.') from None
        self._became(split(self._now[0], self.list.value, (self.first.value, self.second.value), share), "Split.")
        self.first.value = self.second.value = ""

    @guarded
    def _merge(self) -> None:
        told = merged(self._now[0], (self.list.value, *self.others.value), self.together.value)
        self._became(told.board, " ".join(("Merged.", *told.notes)))
        self.together.value = ""

    @guarded
    def _remove(self) -> None:
        self._became(removed(self._now[0], self.list.value), "Removed.")

    @guarded
    def _search(self) -> None:
        self.library = read_library(Path(self.file.value.strip()).expanduser())
        jobs = search(self.library, self.words.value)
        listed = [(f"{row.job} ({row.tasks} tasks)", row.job) for row in jobs.itertuples()]
        self.found.options = listed or [("Nothing found", "")]
        self.status.say(f"{len(listed)} jobs found in {self.library.file}. {self.library.note}".rstrip())

    @guarded
    def _begin_from(self) -> None:
        if self.library is None or not self.found.value:
            raise UsageError("Search the task library first, and choose a job.")
        rows = first_tasks(self.library, self.found.value)
        self._became(added(self._now[0], rows), f"{len(rows)} tasks of {self.found.value} added: make them your own.")

    @guarded
    def _undo(self) -> None:
        self._step(self.past, self.future, "Nothing to undo.")

    @guarded
    def _redo(self) -> None:
        self._step(self.future, self.past, "Nothing to redo.")

    def _step(self, taken: list[Board], given: list[Board], otherwise: str) -> None:
        board, read = self._now
        if not taken:
            self.status.say(otherwise)
            return
        given.append(board)
        self._hold(taken.pop(), read)
        self.status.say("Not saved yet.")

    # Saving -----------------------------------------------------------------------------------------------------

    @guarded
    def _save(self) -> None:
        board, read = self._now
        wrong = mistakes(board)
        if wrong:
            raise UsageError(f"Not saved; mend first: {' '.join(wrong)}")
        try:
            self.read = save_slice(read, board.tasks, self.by)
        except ConflictError as conflict:
            self.theirs = conflict.theirs
            self.join.layout.display = ""
            self.status.say(str(conflict), "error")
            return
        self._saved(f"Saved: {len(board.tasks)} tasks.")

    def _saved(self, said: str) -> None:
        board, read = self._now
        journal.drop_draft(self.folder, self.own, board.scope)
        self.board = board_of(read)
        self.join.layout.display = "none"
        job = (board.job, board.wave)
        self._jobs()
        self.new_job.value = ""
        self.job.value = job if job in [value for _, value in self.job.options] else self.job.value
        self._versions()
        self._draw()
        self.status.say(said)

    @guarded
    def _join(self) -> None:
        board, read = self._now
        if self.theirs is None:
            return
        told = merge(read, board.tasks, self.theirs)
        clashes = "; ".join(f"{row.row}: {row.column} {row.theirs or '–'} (yours: {row.yours or '–'})"
                            for row in told.clashes.itertuples())  # fmt: skip
        self.past.append(board)
        self.read = self.theirs
        self.join.layout.display = "none"
        self._hold(Board(board.unit_id, board.job, board.wave, told.rows[[*board.tasks]].astype(object)), self.theirs)
        more = f" Both changed, theirs is shown: {clashes}." if clashes else ""
        self.status.say(f"Both versions are joined.{more} Look at it, then save.", "warning")

    @guarded
    def _take_theirs(self) -> None:
        board, _ = self._now
        journal.drop_draft(self.folder, self.own, board.scope)
        self._take(board.scope)

    def _versions(self) -> None:
        _, read = self._now
        self.earlier = versions(read)
        listed = [(said, place) for place, (said, _) in enumerate(self.earlier)]
        self.version.options = listed or [("None", -1)]

    @guarded
    def _bring_back(self) -> None:
        board, _ = self._now
        if self.version.value < 0:
            raise UsageError("There is no earlier version of this job.")
        said, rows = self.earlier[self.version.value]
        tasks = rows.reindex(columns=list(board.tasks), fill_value="").astype(object)
        self._became(Board(board.unit_id, board.job, board.wave, tasks), f"The version {said} is shown.")


def _rows(records: list[dict[str, str]], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(records, columns=columns, dtype=object).fillna("")


def _moves(task: Mapping[str, str]) -> str:
    """Who does a task today and who should, in short."""
    today, target = task["mode"] or "?", task["target_mode"] or task["mode"] or "?"
    return today if today == target else f"{today} → {target}"


def _shown(field: w.Widget, text: str) -> str:
    """A cell as its control can show it: what is no choice is shown as not said."""
    return text if not isinstance(field, w.Dropdown) or text in [value for _, value in field.options] else ""
