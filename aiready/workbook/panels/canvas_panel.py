"""The canvas panel: edit an initiative's problem statement, people, pilot plan, results and lessons learned."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import ipywidgets as w
import pandas as pd

from aiready.errors import UsageError, raise_all
from aiready.inputs.entry_checks import row_problems
from aiready.model.cell_values import parse_number
from aiready.model.schema import Table
from aiready.workbook.capture import canvas, pilot_plan
from aiready.workbook.capture.canvas import INITIATIVES, TRIALS
from aiready.workbook.capture.pilot_plan import PLANS, MeasurePlan, cases_needed, decision_rule
from aiready.workbook.capture.store import as_text, read_rows
from aiready.workbook.capture.task_board import free_id
from aiready.workbook.panels import canvas_view, controls, editing
from aiready.workbook.panels.editing import WritingPanel
from aiready.workbook.panels.panel import accepts

_STEPS = (("1 Problem", "problem"), ("2 People and stage", "people"), ("3 Plan the pilot", "plan"),
          ("4 Results and verdict", "results"), ("5 Learned, next step", "next"))  # fmt: skip
_NONE_YET = [("None yet", "")]
_MEASURES = ("outcome", "guardrail", "second guardrail")


def initiative_canvas(data: str = "", by: str = "") -> w.VBox:
    """The panel, on a data folder (default: the one the notebooks open); `by` is who saves (default: the user)."""
    return editing.open_panel(data, lambda folder: CanvasPanel(folder, by).box)


class CanvasPanel(WritingPanel):
    """The open initiative and one of its trials: the state of its editor are the values of all fields."""

    tables = (INITIATIVES, PLANS, TRIALS)

    def __init__(self, location: str, by: str):
        super().__init__(location, "canvas", by)
        self.loaded_measures: set[str] = set()
        self._build()
        self._list_initiatives()
        last = self.position.read()
        if last is not None:
            self.run(self.load, last[1])

    # What is on the page ----------------------------------------------------------------------------------------

    def _build(self) -> None:
        owners = list(read_rows(self.folder, INITIATIVES)["unit_id"]) if self.units else []
        self.unit = self.unit_control("Unit that owns it", owners)
        self.initiative = controls.choice("Initiative", _NONE_YET)
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
        self.form_box = w.VBox([])
        self.parts = {
            kind: {
                name: w.VBox([w.HTML(f"<h2>{name.capitalize()}</h2>"), controls.row(*group.values())])
                for name, group in groups.items()
            }
            for kind, groups in (("plan", self.plans), ("result", self.results))
        }
        self.forms = self._forms()
        note = (
            f"Saved in {self.folder} (initiatives, plans/pilots, trials; a file per initiative) when you say so. Until "
        )
        opening = (self.unit, self.initiative, self.new, self.button("Open it", self._open, primary=True))
        note += "then your edits are kept beside them, for you alone."
        self.compose(note, opening, self.step, self.form_box)
        self._show_step()
        self.on_change(self.unit, self._list_initiatives)
        self.on_change(self.step, self._show_step)
        self.on_change(self.trial, self._trial_chosen)
        for field in [
            *self.fields.values(),
            *(field for group in self._field_groups().values() for field in group.values()),
        ]:
            self.on_change(field, self._changed)

    def _field(self, name: str) -> w.Widget:
        words, options = canvas_view.FIELDS[name]
        column = INITIATIVES.column(name)
        if options:
            return controls.choice(words, options)
        if name == "problem_statement":
            return controls.area(words, "", column.example, live=True)
        wide = "200px" if column.kind in ("number", "date") else controls.HALF
        return controls.line(words, "", column.example, wide, live=True)

    def _forms(self) -> dict[str, w.Widget]:
        """The form of each step."""
        field, button, row = self.fields, self.button, controls.row
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

    def _list_initiatives(self) -> None:
        rows = read_rows(self.folder, INITIATIVES, {"unit_id": self.unit.value or ""})
        ids = rows["initiative_id"]
        self.initiative.options = list(zip(rows["name"].where(rows["name"] != "", ids), ids, strict=True)) or _NONE_YET

    def _open(self) -> None:
        name = self.new.value.strip()
        used_ids = list(read_rows(self.folder, INITIATIVES)["initiative_id"])
        initiative_id = free_id(name, used_ids) if name else self.initiative.value
        if not (initiative_id and (self.unit.value or "").strip()):
            raise UsageError("Choose a unit and an initiative, or name a new one.")
        self.load({"initiative_id": initiative_id})
        if name:
            self.fill(self.fields, controls.values(self.fields) | {"name": name, "stage": "idea"})
            self.new.value = ""
            self._changed()

    def saved_state(self, trial: str = "", joined: Mapping[str, pd.DataFrame] | None = None) -> dict[str, Any]:
        """Values of all fields as they were read, or joined; of a trial, or of the last."""
        rows = {name: part.rows for name, part in self.editor.slices.items()} | dict(joined or {})
        row = dict(rows["initiatives"].iloc[0]) if len(rows["initiatives"]) else {}
        number = trial or next(reversed(self._trials()), "1")
        plans, results = (canvas.of_trial(rows[name], number) for name in ("pilots", "trials"))
        trial_fields = canvas_view.trial_state(plans, results, _MEASURES)
        return {"unit": row.get("unit_id", ""), "fields": row, "trial": number, "trial_fields": trial_fields}

    def joined_state(self, rows: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
        """The joined values of one table's fields; what was typed in the others stays."""
        part = "fields" if "initiatives" in rows else "trial_fields"
        return self._typed_state() | {part: self.saved_state(self.trial.value, rows)[part]}

    def show_state(self) -> None:
        """Show the values of all fields."""
        state = self.editor.state
        self.fill({"unit": self.unit}, {"unit": state["unit"] or self.unit.value})
        self._list_initiatives()
        self.fill(self.fields, state["fields"])
        with self.filled():
            self.trial.options = list(dict.fromkeys([*self._trials(), state["trial"]]))
            self.trial.value = state["trial"]
        self._show_trial(state["trial_fields"])

    def _show_trial(self, trial_fields: Mapping[str, Mapping[str, str]]) -> None:
        for name, group in self._field_groups().items():
            self.fill(group, trial_fields.get(name, {}))
        saved = self.saved_state(self.trial.value)["trial_fields"].values()
        self.loaded_measures = {values["measure"] for values in saved if "measure" in values}
        self._evaluate()

    def _trials(self) -> list[str]:
        """Numbers of the trials planned or done, in order."""
        cells = [cell for name in ("pilots", "trials") for cell in self.editor.slices[name].rows["trial_no"]]
        return sorted({str(int(parse_number(cell) or 1)) for cell in cells}, key=int)

    def _rows(self, table: str) -> pd.DataFrame:
        """Rows of the chosen trial, as they were read."""
        return canvas.of_trial(self.editor.slices[table].rows, self.trial.value)

    def _trial_chosen(self) -> None:
        self._show_trial(self.saved_state(self.trial.value)["trial_fields"])

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

    # Editing ----------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        """After an edit: save the draft and evaluate it."""
        self.editor.save_draft(self._typed_state())
        self._evaluate()

    def _typed_state(self) -> dict[str, Any]:
        return {
            "unit": self.unit.value,
            "fields": controls.values(self.fields),
            "trial": self.trial.value,
            "trial_fields": {name: controls.values(group) for name, group in self._field_groups().items()},
        }

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
            self._measure_plans(), self.power.value, self.assignment.value, self._rows("pilots")
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
        declared = [*self._rows("pilots")["declared_on"], *self._rows("trials")["declared_on"]]
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

    def _save(self) -> None:
        rows = pd.DataFrame([{**controls.values(self.fields), "unit_id": self.unit.value}])
        if not self._store(INITIATIVES, rows, "name", "Saved."):
            return
        self._list_initiatives()
        initiative_id = self.editor.key["initiative_id"]
        if accepts(self.initiative, initiative_id):
            self.initiative.value = initiative_id

    def _declare(self) -> None:
        """Save the plan with its decision rule, dated today."""
        plans, power = self._measure_plans(), parse_number(self.power.value) or 0.0
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
        if pilot_plan.same_rule(self._rows("pilots"), rows):
            self.status.show_message("This rule is written down already; its date stays.")
            return
        late = " There are results already: the verdict will say that the rule came after the start."
        message = f"The rule is written down, dated today.{late if len(self._rows('trials')) else ''}"
        self._store(PLANS, self._with_other_rows("pilots", pd.DataFrame(rows)), "measure", message)

    def _save_results(self) -> None:
        rows = self._result_rows()
        if rows.empty:
            raise UsageError("Plan the pilot first (step 3), then enter what each arm gave.")
        if not rows["declared_on"].any():
            raise UsageError("Write the decision rule down first (step 3): a rule made after the data proves nothing.")
        problems = canvas.result_problems(rows)
        raise_all(UsageError, [" ".join(problems)] if problems else [])
        self._store(TRIALS, self._with_other_rows("trials", rows), "measure", "Results saved.")

    def _with_other_rows(self, table: str, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows of the trial on the page, with other trials and the measures that the page has no fields for."""
        read, own = self.editor.slices[table].rows, self._rows(table)
        on_page = self.loaded_measures | {group["measure"].value.strip() for group in self.plans.values()}
        others = read.drop(index=own.index[own["measure"].isin(on_page)])
        return pd.concat([rows.assign(trial_no=next(iter(own["trial_no"]), self.trial.value)), others]).fillna("")

    def _store(self, table: Table, rows: pd.DataFrame, name_column: str, message: str) -> bool:
        """Save the rows of one table, and end the draft once all is saved. `name_column` names a row in messages."""
        texts = rows.map(as_text).assign(**self.editor.slices[table.name].key)
        problems = row_problems(table, texts, name_column)
        raise_all(UsageError, [f"Not saved; mend first: {' '.join(problems)}"] if problems else [])
        if not self.save(table.name, texts):
            return False
        self._show_trial(self._typed_state()["trial_fields"])
        self._changed()
        if self._all_saved():
            self.editor.delete_draft()
        self.status.show_message(message)
        return True

    def _all_saved(self) -> bool:
        """Whether all text typed on the page is saved in the files."""
        saved = self.saved_state(self.trial.value)
        states = {"initiative": saved["fields"], **saved["trial_fields"]}
        groups = {"initiative": self.fields, **self._field_groups()}
        return all(
            str(states.get(group_name, {}).get(name, "")) == field.value.strip()
            for group_name, group in groups.items()
            for name, field in group.items()
            if not isinstance(field, w.Dropdown)
        )

    def _next(self) -> None:
        """Start the plan of the next trial with the measures of this one."""
        typed, number = self._typed_state(), str(canvas.next_trial_number(self._trials()))
        plans = {name: values for name, values in typed["trial_fields"].items() if name.startswith("plan ")}
        fresh = self.saved_state(number)["trial_fields"]
        self.editor.save_draft(typed | {"trial": number, "trial_fields": fresh | plans})
        self.show_state()
        self.step.value = "plan"
        self.status.show_message(
            f"Trial {number}: the measures are those of the trial before. Change what you learned, "
            "then write its rule down."
        )
