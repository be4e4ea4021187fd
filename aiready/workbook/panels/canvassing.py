"""An initiative from its problem to its next small step: statement, people, pilot, verdict, what was learned."""

from collections.abc import Mapping
from datetime import date

import ipywidgets as w
import pandas as pd

from aiready.errors import UsageError, all_at_once
from aiready.inputs.entry_checks import number_of, refusals
from aiready.model.schema import Table
from aiready.workbook.capture import canvas, journal, pilot_plan
from aiready.workbook.capture.pilot_plan import PLANS, Planned, decision_rule, needed
from aiready.workbook.capture.slices import Slice, as_text, column_of, merge, read_slice, writable
from aiready.workbook.capture.store import ConflictError, save_slice
from aiready.workbook.capture.task_board import free_id
from aiready.workbook.panels import canvas_view, controls, writing
from aiready.workbook.panels.writing import guarded

_STEPS = (("1 Problem", "problem"), ("2 People and stage", "people"), ("3 Plan the pilot", "plan"),
          ("4 Results and verdict", "results"), ("5 Learned, next step", "next"))  # fmt: skip
_MEASURES = ("outcome", "guardrail", "second guardrail")


def initiative_canvas(data: str = "", by: str = "") -> w.VBox:
    """The panel, on a data folder (default: the one the notebooks open); `by` is who saves (default: the user)."""
    return writing.opened(data, lambda folder: _Panel(folder, by).box)


class _Panel:
    """The initiative that is open, and the trial that is planned or was done."""

    def __init__(self, location: str, by: str):
        self.folder, self.by, self.own = writable(location), by, f"canvas {by}".strip()
        self.units = dict(zip(*column_of(self.folder, "units", "unit_id", "name"), strict=True))
        self.slices: dict[str, Slice] = {}
        self.shown: set[str] = set()
        self.quiet = False
        self.theirs: tuple[str, Slice, pd.DataFrame] | None = None
        self._build()
        self._list()
        kept = journal.draft(self.folder, f"last {self.own}", {})
        if kept is not None:
            self._reopen(kept[1]["initiative_id"])

    # What is on the page ----------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.status = writing.Status()
        units = [(f"{name} ({unit})", unit) for unit, name in self.units.items()]
        owner = next(iter(column_of(self.folder, "initiatives", "unit_id")[0]), None)
        named = "Unit that owns it"
        self.unit = controls.choice(named, units, owner) if units else controls.line(named)
        self.pick = controls.choice("Initiative", [("None yet", "")])
        self.new = controls.line("Or a new one, by name", "", "Letter drafting")
        self.fields = {name: self._field(name) for name in canvas_view.FIELDS}
        self.judged, self.advice, self.verdict = w.HTML(), w.HTML(), w.HTML()
        self.trial = controls.choice("Trial", [("1", "1")], width=controls.SHORT)
        self.plans = {name: canvas_view.plan_fields(name) for name in _MEASURES}
        self.assignment = controls.choice("How cases come to their arm", canvas_view.ASSIGNMENTS)
        self.power = controls.line("Chance to see it if it is there", "0.8", width="200px")
        self.cases = controls.line("Cases planned in each arm", width="200px")
        self.results = {name: canvas_view.result_fields(name) for name in _MEASURES}
        self.dates = {name: controls.line(words, "", "2026-05-11", "200px") for name, words in canvas_view.DATES}
        self.learned = controls.area("What the trial taught", rows=3)
        self.step = w.ToggleButtons(options=list(_STEPS), description="Step", style={"button_width": "auto"})
        self.join = controls.row(controls.button("Join both versions", self._join, primary=True),
                                controls.button("Take theirs, drop mine", self._drop))  # fmt: skip
        self.work = w.VBox([])
        self.parts = {kind: {name: w.VBox([w.HTML(f"<h2>{name.capitalize()}</h2>"), controls.row(*group.values())])
                             for name, group in groups.items()}
                      for kind, groups in (("plan", self.plans), ("result", self.results))}  # fmt: skip
        self.forms = self._forms()
        self.open_part = w.VBox([self.step, self.work])
        self.open_part.layout.display = self.join.layout.display = "none"
        self.box = writing.form(
            w.HTML(f'<p class="aiready-muted">Saved in {self.folder} (initiatives, plans/pilots, trials) when you say '
                   "so. Until then your edits are kept beside them, for you alone.</p>"),
            controls.row(self.unit, self.pick, self.new, controls.button("Open it", self._open, primary=True)),
            self.status, self.join, self.open_part)  # fmt: skip
        self._listen()

    def _listen(self) -> None:
        self.unit.observe(lambda _: self._list(), "value")
        self.step.observe(lambda _: self._show(), "value")
        self.trial.observe(lambda _: None if self.quiet else self._read_trial(), "value")
        every = [*self.fields.values(), self.assignment, self.power, self.cases, *self.dates.values(), self.learned]
        every += [field for group in (*self.plans.values(), *self.results.values()) for field in group.values()]
        for field in every:
            field.observe(lambda _: None if self.quiet else self._changed(), "value")

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
        """What each step shows."""
        field, button = self.fields, controls.button
        save = [controls.row(button("Save the initiative", self._save, primary=True)) for _ in range(2)]
        plans, results = self.parts["plan"].values(), self.parts["result"].values()
        return {
            "problem": w.VBox([field["name"], field["problem_statement"],
                               controls.row(*(field[name] for name in canvas_view.STATEMENT)), self.judged, save[0]]),
            "people": w.VBox([controls.row(*(field[name] for name in canvas_view.PEOPLE)), save[1]]),
            "plan": w.VBox([self.trial, *plans, controls.row(self.assignment, self.power, self.cases), self.advice,
                            controls.row(button("Write the rule down, dated today", self._declare, primary=True))]),
            "results": w.VBox([controls.row(*self.dates.values()), *results, self.verdict,
                               controls.row(button("Save the results", self._save_results, primary=True))]),
            "next": w.VBox([self.learned, controls.row(
                button("Save what was learned", self._save_results, primary=True),
                button("Plan the next small step", self._next))]),
        }  # fmt: skip

    def _show(self) -> None:
        self.work.children = [self.forms[self.step.value]]

    # Opening ----------------------------------------------------------------------------------------------------

    @guarded
    def _list(self) -> None:
        cells = zip(*column_of(self.folder, "initiatives", "initiative_id", "name", "unit_id"), strict=True)
        own = [(name or found, found) for found, name, unit in cells if unit == self.unit.value]
        self.pick.options = own or [("None yet", "")]

    @guarded
    def _open(self) -> None:
        name = self.new.value.strip()
        taken = column_of(self.folder, "initiatives", "initiative_id")[0]
        initiative_id = free_id(name, taken) if name else self.pick.value
        if not (initiative_id and (self.unit.value or "").strip()):
            raise UsageError("Choose a unit and an initiative, or name a new one.")
        self._reopen(initiative_id)
        if name:
            self.quiet = True
            self.fields["name"].value, self.fields["stage"].value, self.new.value = name, "idea", ""
            self.quiet = False
            self._changed()

    def _reopen(self, initiative_id: str) -> None:
        """Show an initiative, with the edits that were kept unsaved."""
        kept = journal.draft(self.folder, self.own, {"initiative_id": initiative_id})
        self._take(initiative_id, kept[1] if kept else {})
        if kept:
            self.status.say(f"Your edits of {kept[0]} are not saved yet; they are shown here.", "warning")

    @guarded
    def _take(self, initiative_id: str, kept: Mapping[str, object]) -> None:
        """Show an initiative as it is saved, with the edits that were kept on top."""
        self.id = initiative_id
        journal.keep_draft(self.folder, f"last {self.own}", {}, {"initiative_id": initiative_id})
        read = read_slice(self.folder, "initiatives", {"initiative_id": initiative_id})
        self.slices["initiatives"] = read
        row = dict(read.rows.iloc[0]) if len(read.rows) else {}
        state = kept.get("fields", {})
        self._quietly(self.fields, {**row, **(state if isinstance(state, dict) else {})})
        unit = str(kept.get("unit") or row.get("unit_id") or self.unit.value)
        if isinstance(self.unit, w.Text) or unit in [known for _, known in self.unit.options]:
            self.unit.value = unit
        trials = self._trials()
        self.quiet = True
        chosen = str(kept.get("trial") or "")
        self.trial.options = [*trials, chosen] if chosen and chosen not in trials else trials or ["1"]
        self.trial.value = chosen or self.trial.options[-1]
        self.quiet = False
        self._read_trial()
        self._put(kept.get("trial_fields"))
        self._as_read(kept.get("read"))
        self.open_part.layout.display, self.join.layout.display = "", "none"
        self._show()
        self._judge()
        self.status.say(f"{self.fields['name'].value or initiative_id} is open.")

    def _measures(self) -> set[str]:
        """Measures that the page has fields for, as named there."""
        return {group["measure"].value.strip() for group in self.plans.values()}

    def _as_read(self, kept: object) -> None:
        """Compare with what was read when the edits were made, so that what others saved since is noticed."""
        for name, told in (kept if isinstance(kept, dict) else {}).items():
            now = self.slices[name]
            rows = pd.DataFrame(told["rows"], columns=list(now.rows), dtype=object).fillna("")
            if told["scope"] == now.scope:
                self.slices[name] = Slice(self.folder, now.table, now.scope, rows, told["digest"])

    def _trials(self) -> list[str]:
        """Numbers of the trials planned or done, in order."""
        plans = read_slice(self.folder, PLANS, {"initiative_id": self.id}).rows["trial_no"]
        done = read_slice(self.folder, "trials", {"initiative_id": self.id}).rows["trial_no"]
        return sorted({str(int(number_of(cell) or 1)) for cell in [*plans, *done]}, key=int)

    @guarded
    def _read_trial(self) -> None:
        """Show the plan and the results of the chosen trial."""
        number = self.trial.value
        done = read_slice(self.folder, "trials", {"initiative_id": self.id}).rows
        scope = {"initiative_id": self.id, "trial_no": number}
        self.slices["pilots"] = read_slice(self.folder, PLANS, scope)
        unnumbered = number == "1" and done["trial_no"].eq("").any()
        self.slices["trials"] = read_slice(self.folder, "trials", scope | ({"trial_no": ""} if unnumbered else {}))
        shown = canvas_view.trial_state(self.slices["pilots"].rows, self.slices["trials"].rows, _MEASURES)
        self._put(shown)
        self.shown = self._measures()
        self._judge()

    def _put(self, state: object) -> None:
        if not isinstance(state, dict):
            return
        for place, group in self._groups().items():
            self._quietly(group, state.get(place, {}))

    def _groups(self) -> dict[str, Mapping[str, w.Widget]]:
        about = {"assignment": self.assignment, "power": self.power, "cases_per_arm": self.cases, **self.dates,
                 "learned": self.learned}  # fmt: skip
        plans = {f"plan {name}": group for name, group in self.plans.items()}
        return {"about": about, **plans, **{f"result {name}": group for name, group in self.results.items()}}

    def _quietly(self, fields: Mapping[str, w.Widget], values: Mapping[str, str]) -> None:
        self.quiet = True
        try:
            for name, field in fields.items():
                text = str(values.get(name, ""))
                known = [value for _, value in field.options] if isinstance(field, w.Dropdown) else None
                field.value = text if known is None or text in known else known[0]
        finally:
            self.quiet = False

    # Editing ----------------------------------------------------------------------------------------------------

    @guarded
    def _changed(self) -> None:
        """An edit: it is judged at once, and kept until it is saved."""
        scope = {"initiative_id": self.id}
        read = {name: {"scope": found.scope, "digest": found.digest, "rows": found.rows.to_dict("records")}
                for name, found in self.slices.items()}  # fmt: skip
        trial = {place: controls.values(group) for place, group in self._groups().items()}
        state = {"read": read, "unit": self.unit.value, "fields": controls.values(self.fields),
                 "trial": self.trial.value, "trial_fields": trial}  # fmt: skip
        journal.keep_draft(self.folder, self.own, scope, state)
        self._judge()

    def _fit(self) -> None:
        """Show the fields that a measure needs: counted or measured, and results only of what is planned."""
        named = {name: bool(self.plans[name]["measure"].value.strip()) for name in _MEASURES}
        for name in _MEASURES:
            measured = self.plans[name]["scale"].value == "mean"
            controls.seen(self.plans[name]["sd"], when=measured)
            controls.seen(self.parts["result"][name], when=named[name])
            for key, field in self.results[name].items():
                controls.seen(field, when=key.endswith(" n") or key.endswith("successes") != measured)
        controls.seen(self.parts["plan"]["second guardrail"], when=named["guardrail"] or named["second guardrail"])

    def _judge(self) -> None:
        self._fit()
        self.judged.value = canvas_view.statement_html(canvas.statement(controls.values(self.fields)))
        self.advice.value = canvas_view.plan_html(self._planned(), self.power.value, self.assignment.value,
                                                  self.slices["pilots"].rows)  # fmt: skip
        rows = self._result_rows()
        wrong = canvas.result_problems(rows) if len(rows) else []
        self.verdict.value = canvas_view.verdict_html(None if wrong else canvas.verdict_of(rows), wrong)

    def _planned(self) -> list[Planned]:
        return [canvas_view.planned(name, controls.values(self.plans[name])) for name in _MEASURES
                if self.plans[name]["measure"].value.strip()]  # fmt: skip

    def _result_rows(self) -> pd.DataFrame:
        declared = (
            self.slices["pilots"].rows["declared_on"].tolist() + self.slices["trials"].rows["declared_on"].tolist()
        )
        about = {"assignment": self.assignment.value, "declared_on": next(filter(None, declared), "")}
        found = [canvas.Results({**canvas_view.plan_row(name, controls.values(self.plans[name])), **about},
                                canvas_view.arms(controls.values(self.results[name])))
                 for name in _MEASURES if self.plans[name]["measure"].value.strip()]  # fmt: skip
        return canvas.trial_rows(found, controls.values(self.dates), self.learned.value.strip())

    # Saving -----------------------------------------------------------------------------------------------------

    @guarded
    def _save(self) -> None:
        rows = pd.DataFrame([{**controls.values(self.fields), "unit_id": self.unit.value}])
        self._store("initiatives", canvas.INITIATIVES, rows, "name", "Saved.")
        self._list()
        if self.id in [found for _, found in self.pick.options]:
            self.pick.value = self.id

    @guarded
    def _declare(self) -> None:
        plans, power = self._planned(), number_of(self.power.value) or 0.0
        wrong = [text for plan in plans for text in pilot_plan.problems_of(plan, power)]
        wrong += [] if any(plan.kind == "outcome" for plan in plans) else ["Plan an outcome that should improve."]
        all_at_once(UsageError, [" ".join(dict.fromkeys(wrong))] if wrong else [])
        least = max((needed(plan, power).works or 0 for plan in plans), default=0)
        about = {"power": self.power.value, "cases_per_arm": self.cases.value.strip() or as_text(least or None),
                 "assignment": self.assignment.value, "declared_on": date.today().isoformat(),
                 "rule": decision_rule(plans, self.assignment.value)}  # fmt: skip
        rows = [canvas_view.plan_row(name, controls.values(self.plans[name])) | about for name in _MEASURES
                if self.plans[name]["measure"].value.strip()]  # fmt: skip
        if pilot_plan.same_rule(self.slices["pilots"].rows, rows):
            self.status.say("This rule is written down already; its date stays.")
            return
        late = " There are results already: the verdict will say that the rule came after the start." if len(
            self.slices["trials"].rows) else ""  # fmt: skip
        self._store("pilots", PLANS, pd.DataFrame(rows), "measure", f"The rule is written down, dated today.{late}")

    @guarded
    def _save_results(self) -> None:
        rows = self._result_rows()
        if rows.empty:
            raise UsageError("Plan the pilot first (step 3), then enter what each arm gave.")
        if not rows["declared_on"].any():
            raise UsageError("Write the decision rule down first (step 3): a rule made after the data proves nothing.")
        wrong = canvas.result_problems(rows)
        all_at_once(UsageError, [" ".join(wrong)] if wrong else [])
        self._store("trials", canvas.TRIALS, rows, "measure", "Results saved.")

    def _store(self, name: str, table: Table, rows: pd.DataFrame, named: str, said: str) -> None:
        read = self.slices[name]
        texts = rows.map(as_text).assign(**read.scope)
        if name != "initiatives":  # measures that this page has no fields for stay as they are
            texts = pd.concat([texts, read.rows[~read.rows["measure"].isin(self.shown | self._measures())]]).fillna("")
        wrong = refusals(table, texts, named)
        all_at_once(UsageError, [f"Not saved; mend first: {' '.join(wrong)}"] if wrong else [])
        try:
            self.slices[name] = save_slice(read, texts, self.by)
        except ConflictError as conflict:
            self.theirs = name, conflict.theirs, texts
            self.join.layout.display = ""
            self.status.say(str(conflict), "error")
            return
        self.shown = self._measures()
        if self._all_saved():
            journal.drop_draft(self.folder, self.own, {"initiative_id": self.id})
            self._judge()
        else:
            self._changed()
        self.status.say(said)

    def _all_saved(self) -> bool:
        """Whether what is typed on the page stands in the files."""
        rows = self.slices["initiatives"].rows
        saved = canvas_view.trial_state(self.slices["pilots"].rows, self.slices["trials"].rows, _MEASURES)
        saved["initiative"] = dict(rows.iloc[0]) if len(rows) else {}
        groups = {"initiative": self.fields, **self._groups()}
        typed = [(place, name, field) for place, group in groups.items() for name, field in group.items()
                 if not isinstance(field, w.Dropdown)]  # fmt: skip
        return all(str(saved.get(place, {}).get(name, "")) == field.value.strip() for place, name, field in typed)

    @guarded
    def _join(self) -> None:
        if self.theirs is None:
            return
        name, theirs, mine = self.theirs
        told = merge(self.slices[name], mine, theirs)
        self.slices[name] = theirs
        if name == "initiatives":
            self._quietly(self.fields, dict(told.rows.iloc[0]))
        else:
            sides = {"pilots": self.slices["pilots"].rows, "trials": self.slices["trials"].rows, name: told.rows}
            self._put(canvas_view.trial_state(sides["pilots"], sides["trials"], _MEASURES))
        met = told.clashes.itertuples()
        clashes = "; ".join(f"{row.column}: {row.theirs or '–'} (yours: {row.yours or '–'})" for row in met)
        self.join.layout.display = "none"
        self._changed()
        more = f" Both changed, theirs is shown: {clashes}." if clashes else ""
        self.status.say(f"Both versions are joined.{more} Look at it, then save.", "warning")

    @guarded
    def _drop(self) -> None:
        journal.drop_draft(self.folder, self.own, {"initiative_id": self.id})
        self._take(self.id, {})

    @guarded
    def _next(self) -> None:
        """The next trial begins with the measures of this one; its own rule has to be written down."""
        plans = {name: controls.values(group) for name, group in self.plans.items()}
        number = str(canvas.next_trial(self._trials()))
        self.quiet = True
        self.trial.options = [*self._trials(), number]
        self.trial.value = number
        self.quiet = False
        self._read_trial()
        for name, values in plans.items():
            self._quietly(self.plans[name], values)
        self.step.value = "plan"
        self._changed()
        self.status.say(f"Trial {number}: the measures are those of the trial before. Change what you learned, "
                        "then write its rule down.")  # fmt: skip
