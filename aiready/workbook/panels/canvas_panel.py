"""The canvas panel: edit an initiative's problem statement, people, pilot plan, results and lessons learned."""

from collections.abc import Mapping
from datetime import date

import ipywidgets as w
import pandas as pd

from aiready.errors import UsageError, raise_all
from aiready.inputs.entry_checks import number_of, row_problems
from aiready.model.schema import Table
from aiready.workbook.capture import canvas, journal, pilot_plan
from aiready.workbook.capture.pilot_plan import PLANS, MeasurePlan, cases_needed, decision_rule
from aiready.workbook.capture.scoped_rows import ScopedRows, as_text, merge, read_columns, read_rows, writable_folder
from aiready.workbook.capture.store import ConflictError, save_rows
from aiready.workbook.capture.task_board import free_id
from aiready.workbook.panels import canvas_view, controls, editing
from aiready.workbook.panels.editing import show_errors

_STEPS = (("1 Problem", "problem"), ("2 People and stage", "people"), ("3 Plan the pilot", "plan"),
          ("4 Results and verdict", "results"), ("5 Learned, next step", "next"))  # fmt: skip
_MEASURES = ("outcome", "guardrail", "second guardrail")


def initiative_canvas(data: str = "", by: str = "") -> w.VBox:
    """The panel, on a data folder (default: the one the notebooks open); `by` is who saves (default: the user)."""
    return editing.open_panel(data, lambda folder: CanvasPanel(folder, by).box)


class CanvasPanel:
    """The open initiative and one of its trials; `base` holds the rows of each table as they were read."""

    def __init__(self, location: str, by: str):
        self.folder, self.by, self.draft_kind = writable_folder(location), by, f"canvas {by}".strip()
        self.units = dict(zip(*read_columns(self.folder, "units", "unit_id", "name"), strict=True))
        self.base: dict[str, ScopedRows] = {}
        self.loaded_measures: set[str] = set()
        self.filling = False
        self.conflict: tuple[str, ScopedRows, pd.DataFrame] | None = None
        self._build()
        self._list_initiatives()
        saved = journal.read_draft(self.folder, f"last {self.draft_kind}", {})
        if saved is not None:
            self._reopen(saved[1]["initiative_id"])

    # What is on the page ----------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.status = editing.Status()
        units = [(f"{name} ({unit})", unit) for unit, name in self.units.items()]
        owner = next(iter(read_columns(self.folder, "initiatives", "unit_id")[0]), None)
        label = "Unit that owns it"
        self.unit = controls.choice(label, units, owner) if units else controls.line(label)
        self.initiative = controls.choice("Initiative", [("None yet", "")])
        self.new = controls.line("Or a new one, by name", "", "Letter drafting")
        self.fields = {name: self._field(name) for name in canvas_view.FIELDS}
        self.evaluation, self.advice, self.verdict = w.HTML(), w.HTML(), w.HTML()
        self.trial = controls.choice("Trial", [("1", "1")], width=controls.SHORT)
        self.plans = {name: canvas_view.plan_fields(name) for name in _MEASURES}
        self.assignment = controls.choice("How cases come to their arm", canvas_view.ASSIGNMENTS)
        self.power = controls.line("Chance to see it if it is there", "0.8", width="200px")
        self.cases = controls.line("Cases planned in each arm", width="200px")
        self.results = {name: canvas_view.result_fields(name) for name in _MEASURES}
        self.dates = {name: controls.line(words, "", "2026-05-11", "200px") for name, words in canvas_view.DATES}
        self.learned = controls.area("What the trial taught", rows=3)
        self.step = w.ToggleButtons(options=list(_STEPS), description="Step", style={"button_width": "auto"})
        self.merge_buttons = controls.row(
            controls.button("Join both versions", self._merge_versions, primary=True),
            controls.button("Take theirs, drop mine", self._discard_edits),
        )
        self.form_box = w.VBox([])
        self.parts = {
            kind: {
                name: w.VBox([w.HTML(f"<h2>{name.capitalize()}</h2>"), controls.row(*group.values())])
                for name, group in groups.items()
            }
            for kind, groups in (("plan", self.plans), ("result", self.results))
        }
        self.forms = self._forms()
        self.open_part = w.VBox([self.step, self.form_box])
        self.open_part.layout.display = self.merge_buttons.layout.display = "none"
        self.box = editing.form(
            w.HTML(
                f'<p class="aiready-muted">Saved in {self.folder} (initiatives, plans/pilots, trials) when you say '
                "so. Until then your edits are kept beside them, for you alone.</p>"
            ),
            controls.row(self.unit, self.initiative, self.new, controls.button("Open it", self._open, primary=True)),
            self.status,
            self.merge_buttons,
            self.open_part,
        )
        self._listen()

    def _listen(self) -> None:
        self.unit.observe(lambda _: self._list_initiatives(), "value")
        self.step.observe(lambda _: self._show_step(), "value")
        self.trial.observe(lambda _: None if self.filling else self._read_trial(), "value")
        fields = [*self.fields.values(), self.assignment, self.power, self.cases, *self.dates.values(), self.learned]
        fields += [field for group in (*self.plans.values(), *self.results.values()) for field in group.values()]
        for field in fields:
            field.observe(lambda _: None if self.filling else self._changed(), "value")

    def _field(self, name: str) -> w.Widget:
        words, options = canvas_view.FIELDS[name]
        column = canvas.INITIATIVES.column(name)
        if options:
            return controls.choice(words, options)
        if name == "problem_statement":
            return controls.area(words, "", column.example, live=True)
        wide = "200px" if column.kind in ("number", "date") else controls.HALF
        return controls.line(words, "", column.example, wide, live=True)

    def _forms(self) -> dict[str, w.Widget]:
        """The form of each step."""
        field, button, row = self.fields, controls.button, controls.row
        save = [row(button("Save the initiative", self._save, primary=True)) for _ in range(2)]
        declare = row(button("Write the rule down, dated today", self._declare, primary=True))
        save_results = row(button("Save the results", self._save_results, primary=True))
        save_lessons = button("Save what was learned", self._save_results, primary=True)
        plans, results = self.parts["plan"].values(), self.parts["result"].values()
        statement = row(*(field[name] for name in canvas_view.STATEMENT))
        return {
            "problem": w.VBox([field["name"], field["problem_statement"], statement, self.evaluation, save[0]]),
            "people": w.VBox([row(*(field[name] for name in canvas_view.PEOPLE)), save[1]]),
            "plan": w.VBox([self.trial, *plans, row(self.assignment, self.power, self.cases), self.advice, declare]),
            "results": w.VBox([row(*self.dates.values()), *results, self.verdict, save_results]),
            "next": w.VBox([self.learned, row(save_lessons, button("Plan the next small step", self._next))]),
        }

    def _show_step(self) -> None:
        self.form_box.children = [self.forms[self.step.value]]

    # Opening ----------------------------------------------------------------------------------------------------

    @show_errors
    def _list_initiatives(self) -> None:
        cells = zip(*read_columns(self.folder, "initiatives", "initiative_id", "name", "unit_id"), strict=True)
        own = [(name or initiative_id, initiative_id) for initiative_id, name, unit in cells if unit == self.unit.value]
        self.initiative.options = own or [("None yet", "")]

    @show_errors
    def _open(self) -> None:
        name = self.new.value.strip()
        used_ids = read_columns(self.folder, "initiatives", "initiative_id")[0]
        initiative_id = free_id(name, used_ids) if name else self.initiative.value
        if not (initiative_id and (self.unit.value or "").strip()):
            raise UsageError("Choose a unit and an initiative, or name a new one.")
        self._reopen(initiative_id)
        if name:
            self.filling = True
            self.fields["name"].value, self.fields["stage"].value, self.new.value = name, "idea", ""
            self.filling = False
            self._changed()

    def _reopen(self, initiative_id: str) -> None:
        """Show an initiative with its draft, if there is one."""
        saved = journal.read_draft(self.folder, self.draft_kind, {"initiative_id": initiative_id})
        self._load(initiative_id, saved[1] if saved else {})
        if saved:
            self.status.show_message(f"Your edits of {saved[0]} are not saved yet; they are shown here.", "warning")

    @show_errors
    def _load(self, initiative_id: str, edits: Mapping[str, object]) -> None:
        """Show an initiative as it is saved, and on top of it the edits of a draft (empty: none)."""
        self.id = initiative_id
        journal.save_draft(self.folder, f"last {self.draft_kind}", {}, {"initiative_id": initiative_id})
        base = read_rows(self.folder, "initiatives", {"initiative_id": initiative_id})
        self.base["initiatives"] = base
        row = dict(base.rows.iloc[0]) if len(base.rows) else {}
        state = edits.get("fields", {})
        self._fill(self.fields, {**row, **(state if isinstance(state, dict) else {})})
        unit = str(edits.get("unit") or row.get("unit_id") or self.unit.value)
        if isinstance(self.unit, w.Text) or unit in [value for _, value in self.unit.options]:
            self.unit.value = unit
        trials = self._trials()
        self.filling = True
        chosen = str(edits.get("trial") or "")
        self.trial.options = [*trials, chosen] if chosen and chosen not in trials else trials or ["1"]
        self.trial.value = chosen or self.trial.options[-1]
        self.filling = False
        self._read_trial()
        self._fill_trial(edits.get("trial_fields"))
        self._restore_base(edits.get("read"))
        self.open_part.layout.display, self.merge_buttons.layout.display = "", "none"
        self._show_step()
        self._evaluate()
        self.status.show_message(f"{self.fields['name'].value or initiative_id} is open.")

    def _measure_names(self) -> set[str]:
        """Names of the measures that the page has fields for."""
        return {group["measure"].value.strip() for group in self.plans.values()}

    def _restore_base(self, states: object) -> None:
        """Take as base what was read when the draft was made, so that what others saved since is noticed."""
        for name, state in (states if isinstance(states, dict) else {}).items():
            current = self.base[name]
            rows = pd.DataFrame(state["rows"], columns=list(current.rows), dtype=object).fillna("")
            if state["scope"] == current.scope:
                self.base[name] = ScopedRows(self.folder, current.table, current.scope, rows, state["digest"])

    def _trials(self) -> list[str]:
        """Numbers of the trials planned or done, in order."""
        plans = read_rows(self.folder, PLANS, {"initiative_id": self.id}).rows["trial_no"]
        measured = read_rows(self.folder, "trials", {"initiative_id": self.id}).rows["trial_no"]
        return sorted({str(int(number_of(cell) or 1)) for cell in [*plans, *measured]}, key=int)

    @show_errors
    def _read_trial(self) -> None:
        """Show the plan and the results of the chosen trial."""
        number = self.trial.value
        measured = read_rows(self.folder, "trials", {"initiative_id": self.id}).rows
        scope = {"initiative_id": self.id, "trial_no": number}
        self.base["pilots"] = read_rows(self.folder, PLANS, scope)
        unnumbered = number == "1" and measured["trial_no"].eq("").any()
        self.base["trials"] = read_rows(self.folder, "trials", scope | ({"trial_no": ""} if unnumbered else {}))
        state = canvas_view.trial_state(self.base["pilots"].rows, self.base["trials"].rows, _MEASURES)
        self._fill_trial(state)
        self.loaded_measures = self._measure_names()
        self._evaluate()

    def _fill_trial(self, state: object) -> None:
        if not isinstance(state, dict):
            return
        for group_name, group in self._field_groups().items():
            self._fill(group, state.get(group_name, {}))

    def _field_groups(self) -> dict[str, Mapping[str, w.Widget]]:
        about = {
            "assignment": self.assignment,
            "power": self.power,
            "cases_per_arm": self.cases,
            **self.dates,
            "learned": self.learned,
        }
        plans = {f"plan {name}": group for name, group in self.plans.items()}
        return {"about": about, **plans, **{f"result {name}": group for name, group in self.results.items()}}

    def _fill(self, fields: Mapping[str, w.Widget], values: Mapping[str, str]) -> None:
        """Set fields without recording an edit; a value that is no option becomes the first one."""
        self.filling = True
        try:
            for name, field in fields.items():
                text = str(values.get(name, ""))
                allowed = [value for _, value in field.options] if isinstance(field, w.Dropdown) else None
                field.value = text if allowed is None or text in allowed else allowed[0]
        finally:
            self.filling = False

    # Editing ----------------------------------------------------------------------------------------------------

    @show_errors
    def _changed(self) -> None:
        """After an edit: save the draft and evaluate it."""
        base_states = {
            name: {"scope": base.scope, "digest": base.digest, "rows": base.rows.to_dict("records")}
            for name, base in self.base.items()
        }
        state = {
            "read": base_states,
            "unit": self.unit.value,
            "fields": controls.values(self.fields),
            "trial": self.trial.value,
            "trial_fields": {name: controls.values(group) for name, group in self._field_groups().items()},
        }
        journal.save_draft(self.folder, self.draft_kind, {"initiative_id": self.id}, state)
        self._evaluate()

    def _update_visibility(self) -> None:
        """Show the fields that a measure needs: those for its scale, and results only of planned measures."""
        planned = {name: bool(self.plans[name]["measure"].value.strip()) for name in _MEASURES}
        for name in _MEASURES:
            measured = self.plans[name]["scale"].value == "mean"
            controls.set_visible(self.plans[name]["sd"], visible=measured)
            controls.set_visible(self.parts["result"][name], visible=planned[name])
            for key, field in self.results[name].items():
                controls.set_visible(field, visible=key.endswith(" n") or key.endswith("successes") != measured)
        controls.set_visible(
            self.parts["plan"]["second guardrail"], visible=planned["guardrail"] or planned["second guardrail"]
        )

    def _evaluate(self) -> None:
        self._update_visibility()
        self.evaluation.value = canvas_view.statement_html(canvas.evaluate_statement(controls.values(self.fields)))
        self.advice.value = canvas_view.plan_html(
            self._measure_plans(), self.power.value, self.assignment.value, self.base["pilots"].rows
        )
        rows = self._result_rows()
        problems = canvas.result_problems(rows) if len(rows) else []
        self.verdict.value = canvas_view.verdict_html(None if problems else canvas.trial_verdict(rows), problems)

    def _plan_values(self) -> dict[str, dict[str, str]]:
        """Values of the plan's fields, for each measure that has a name."""
        return {name: controls.values(group) for name, group in self.plans.items() if group["measure"].value.strip()}

    def _measure_plans(self) -> list[MeasurePlan]:
        return [canvas_view.measure_plan(name, values) for name, values in self._plan_values().items()]

    def _result_rows(self) -> pd.DataFrame:
        declared = [*self.base["pilots"].rows["declared_on"], *self.base["trials"].rows["declared_on"]]
        about = {"assignment": self.assignment.value, "declared_on": next(filter(None, declared), "")}
        results = [
            canvas.MeasureResults(
                canvas_view.plan_row(name, values) | about,
                canvas_view.arm_numbers(controls.values(self.results[name])),
            )
            for name, values in self._plan_values().items()
        ]
        return canvas.trial_rows(results, controls.values(self.dates), self.learned.value.strip())

    # Saving -----------------------------------------------------------------------------------------------------

    @show_errors
    def _save(self) -> None:
        rows = pd.DataFrame([{**controls.values(self.fields), "unit_id": self.unit.value}])
        self._store("initiatives", canvas.INITIATIVES, rows, "name", "Saved.")
        self._list_initiatives()
        if self.id in [value for _, value in self.initiative.options]:
            self.initiative.value = self.id

    @show_errors
    def _declare(self) -> None:
        """Save the plan with its decision rule, dated today."""
        plans, power = self._measure_plans(), number_of(self.power.value) or 0.0
        problems = [text for plan in plans for text in pilot_plan.plan_problems(plan, power)]
        problems += [] if any(plan.kind == "outcome" for plan in plans) else ["Plan an outcome that should improve."]
        raise_all(UsageError, [" ".join(dict.fromkeys(problems))] if problems else [])
        least = max((cases_needed(plan, power).works or 0 for plan in plans), default=0)
        about = {
            "power": self.power.value,
            "cases_per_arm": self.cases.value.strip() or as_text(least or None),
            "assignment": self.assignment.value,
            "declared_on": date.today().isoformat(),
            "rule": decision_rule(plans, self.assignment.value),
        }
        rows = [canvas_view.plan_row(name, values) | about for name, values in self._plan_values().items()]
        if pilot_plan.same_rule(self.base["pilots"].rows, rows):
            self.status.show_message("This rule is written down already; its date stays.")
            return
        late = " There are results already: the verdict will say that the rule came after the start."
        message = f"The rule is written down, dated today.{late if len(self.base['trials'].rows) else ''}"
        self._store("pilots", PLANS, pd.DataFrame(rows), "measure", message)

    @show_errors
    def _save_results(self) -> None:
        rows = self._result_rows()
        if rows.empty:
            raise UsageError("Plan the pilot first (step 3), then enter what each arm gave.")
        if not rows["declared_on"].any():
            raise UsageError("Write the decision rule down first (step 3): a rule made after the data proves nothing.")
        problems = canvas.result_problems(rows)
        raise_all(UsageError, [" ".join(problems)] if problems else [])
        self._store("trials", canvas.TRIALS, rows, "measure", "Results saved.")

    def _store(self, name: str, table: Table, rows: pd.DataFrame, name_column: str, message: str) -> None:
        """Save rows of one table; on a conflict, offer to merge. `name_column` names a row in messages."""
        base = self.base[name]
        texts = rows.map(as_text).assign(**base.scope)
        if name != "initiatives":  # measures that this page has no fields for stay as they are
            on_page = base.rows["measure"].isin(self.loaded_measures | self._measure_names())
            texts = pd.concat([texts, base.rows[~on_page]]).fillna("")
        problems = row_problems(table, texts, name_column)
        raise_all(UsageError, [f"Not saved; mend first: {' '.join(problems)}"] if problems else [])
        try:
            self.base[name] = save_rows(base, texts, self.by)
        except ConflictError as conflict:
            self.conflict = name, conflict.current, texts
            self.merge_buttons.layout.display = ""
            self.status.show_message(str(conflict), "error")
            return
        self.loaded_measures = self._measure_names()
        if self._all_saved():
            journal.delete_draft(self.folder, self.draft_kind, {"initiative_id": self.id})
            self._evaluate()
        else:
            self._changed()
        self.status.show_message(message)

    def _all_saved(self) -> bool:
        """Whether all text typed on the page is saved in the files."""
        rows = self.base["initiatives"].rows
        saved = canvas_view.trial_state(self.base["pilots"].rows, self.base["trials"].rows, _MEASURES)
        saved["initiative"] = dict(rows.iloc[0]) if len(rows) else {}
        groups = {"initiative": self.fields, **self._field_groups()}
        return all(
            str(saved.get(group_name, {}).get(name, "")) == field.value.strip()
            for group_name, group in groups.items()
            for name, field in group.items()
            if not isinstance(field, w.Dropdown)
        )

    @show_errors
    def _merge_versions(self) -> None:
        if self.conflict is None:
            return
        name, current, edited = self.conflict
        merged = merge(self.base[name], edited, current)
        self.base[name] = current
        if name == "initiatives":
            self._fill(self.fields, dict(merged.rows.iloc[0]))
        else:
            sides = {"pilots": self.base["pilots"].rows, "trials": self.base["trials"].rows, name: merged.rows}
            self._fill_trial(canvas_view.trial_state(sides["pilots"], sides["trials"], _MEASURES))
        cells = merged.conflicts.itertuples()
        conflicts = "; ".join(f"{row.column}: {row.theirs or '–'} (yours: {row.yours or '–'})" for row in cells)
        self.merge_buttons.layout.display = "none"
        self._changed()
        more = f" Both changed, theirs is shown: {conflicts}." if conflicts else ""
        self.status.show_message(f"Both versions are joined.{more} Look at it, then save.", "warning")

    @show_errors
    def _discard_edits(self) -> None:
        journal.delete_draft(self.folder, self.draft_kind, {"initiative_id": self.id})
        self._load(self.id, {})

    @show_errors
    def _next(self) -> None:
        """Start the plan of the next trial with the measures of this one."""
        plans = {name: controls.values(group) for name, group in self.plans.items()}
        number = str(canvas.next_trial_number(self._trials()))
        self.filling = True
        self.trial.options = [*self._trials(), number]
        self.trial.value = number
        self.filling = False
        self._read_trial()
        for name, values in plans.items():
            self._fill(self.plans[name], values)
        self.step.value = "plan"
        self._changed()
        self.status.show_message(
            f"Trial {number}: the measures are those of the trial before. Change what you learned, "
            "then write its rule down."
        )
