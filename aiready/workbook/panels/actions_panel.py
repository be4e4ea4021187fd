"""The panel of `06_actions`: agree on recommended actions, set the state of agreed ones, follow their measures."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from aiready.errors import AireadyError
from aiready.model.registry import MEASURES, ORGANISATION
from aiready.model.schema import TABLES
from aiready.pages import views
from aiready.pages.views import View
from aiready.profile.assessment import Assessment, data_location
from aiready.workbook.capture import agreed_actions
from aiready.workbook.capture.agreed_actions import Agreement
from aiready.workbook.capture.editor import Editor
from aiready.workbook.capture.store import ConflictError, Slice, read_slice, writable_folder
from aiready.workbook.panels import selectors
from aiready.workbook.panels.controls import WIDE, button, day, line, row
from aiready.workbook.panels.frame import WRITING, frame_panel
from aiready.workbook.panels.panel import Panel, accepts

OWN_ACTION = ("an action of your own", "")
NO_ACTION = ("nothing agreed yet", "")
NO_MEASURE = ("none", "")


class ActionsPanel(widgets.VBox):
    """Recommended actions, below them the form to agree on one, and below it the agreed actions with their measure."""

    def __init__(
        self, assessment: Assessment, folder: str | Path = "", by: str = "", today: Callable[[], date] = date.today
    ):
        self.assessment, self.today = assessment, today
        self.unit_at = selectors.unit_lookup(assessment)
        self.location, self.by = data_location(folder or assessment.location), by
        self.editor: Editor | None = None  # none where nothing can be saved
        self.filling, self.has_draft = False, False
        units = selectors.unit(assessment)
        units.options = [option for option in units.options if option[1] != ORGANISATION]
        self.form = {
            "action": line("What will be done", width=WIDE),
            "owner": line("Who answers for it"),
            "due_on": day("Due on"),
            "measure": selectors.choice("Should move", [NO_MEASURE, *_measures()]),
        }
        self.agree_button = button(
            "Agree", self._agree, primary=True, hint="Save it among the agreed actions of this unit"
        )
        recommended = selectors.choice("Recommended", [OWN_ACTION])
        controls = {
            "unit": units,
            "wave": selectors.wave(assessment),
            "barrier": selectors.barrier(assessment),
            "recommended": recommended,
        }
        self.recommended = Panel("offered", controls, self._recommended_view)
        form = widgets.VBox()
        details = row(self.form["owner"], self.form["due_on"], self.form["measure"])
        heading = widgets.HTML("<h3>Agree on it, in your words</h3>")
        frame_panel(form, heading, self.form["action"], details, row(self.agree_button), left=WRITING)
        action, state = selectors.choice("Agreed action", [NO_ACTION]), selectors.choice("State", _states())
        self.state_button = button("Save state", self._save_state, hint="Save where the chosen action stands")
        self.agreed = Panel("followed", {"agreed": action, "state": state}, self._agreed_view, [self.state_button])
        self.recommended.controls["unit"].observe(self._unit_changed, "value")
        for name in ("unit", "wave", "barrier"):
            self.recommended.controls[name].observe(self._list_recommended, "value")
        recommended.observe(self._fill, "value")
        action.observe(self._show_state, "value")
        for control in self.form.values():
            control.observe(self._form_changed, "value")
        self._list_recommended()
        self._unit_changed()
        self._resume()
        super().__init__([self.recommended, form, self.agreed])

    # Recommended actions ---------------------------------------------------------------------------------------------

    def _unit(self) -> Assessment:
        return self.unit_at(self.recommended.controls["unit"].value, self.recommended.controls["wave"].value)

    def _recommended_view(self, unit: str, wave: str, barrier: str, recommended: str) -> View:
        return views.recommended(self.unit_at(unit, wave), barrier, recommended)

    def _list_recommended(self, _: object = None) -> None:
        rows = views.offered(self._unit(), self.recommended.controls["barrier"].value)
        options = [*((row.action, row.template_id) for row in rows.itertuples()), OWN_ACTION]
        control = self.recommended.controls["recommended"]
        if tuple(options) != tuple(control.options):
            control.options = options
        if not self.has_draft:
            self._fill({"new": control.value})

    def _fill(self, change: Mapping[str, Any]) -> None:
        """Fill the form with the recommended action; choosing an action of one's own leaves the form as it is."""
        rows = views.offered(self._unit(), self.recommended.controls["barrier"].value)
        chosen = rows.loc[rows["template_id"] == change["new"]]
        if len(chosen):
            self.filling = True
            self.form["action"].value = str(chosen["action"].iloc[0])
            self.form["owner"].value = str(chosen["owner_role"].iloc[0])
            self.form["measure"].value = str(chosen["measure"].iloc[0] or "")
            self.filling = False
        if self.has_draft:
            self._save_draft()

    # The draft: what is typed and not agreed yet ---------------------------------------------------------------------

    def _form_changed(self, _: object) -> None:
        if not self.filling:
            self.has_draft = True
            self._save_draft()

    def _save_draft(self) -> None:
        """Save the form as it stands, so that a dead kernel or a closed tab loses nothing."""
        due = self.form["due_on"].value
        state = {name: control.value for name, control in (self.recommended.controls | self.form).items()}
        state["due_on"] = due.isoformat() if due else ""
        try:
            if self.editor:
                self.editor.draft({}).save(state)
        except AireadyError as error:
            self.recommended.show_message(str(error))

    def _resume(self) -> None:
        """Restore the draft after the kernel died, the tab was closed or the cell ran again."""
        draft = self.editor.draft({}).read() if self.editor else None
        if draft is None:
            return
        when, state = draft
        self.has_draft = True
        due = state.get("due_on")
        state["due_on"] = date.fromisoformat(due) if due else None
        for name, control in (self.recommended.controls | self.form).items():
            if name in state and accepts(control, state[name]):
                control.value = state[name]
        self.recommended.show_message(f"What you typed at {when} is not agreed yet; it is shown here.", "warning")

    def _agree(self) -> None:
        agreement = Agreement(
            self.recommended.controls["barrier"].value,
            self.form["action"].value,
            self.form["owner"].value,
            self.form["due_on"].value,
            self.form["measure"].value,
            self.recommended.controls["recommended"].value,
        )

        success = f"Agreed and saved: {agreement.action.strip()}."
        add: Callable[[Slice], Any] = lambda base: agreed_actions.with_action(base, agreement, self.today())  # noqa: E731
        if self._write(add, self.recommended, success) and self.editor:
            self.editor.draft({}).delete()
            self.has_draft = False

    # Agreed actions --------------------------------------------------------------------------------------------------

    def _unit_changed(self, _: object = None) -> None:
        self.recommended.show_message("")
        key = {"unit_id": self.recommended.controls["unit"].value}
        try:
            self.editor = Editor(writable_folder(self.location), "agreement", self.by)
            self.editor.open(key, [read_slice(self.editor.folder, TABLES["actions"], key)])
        except AireadyError as error:
            self.editor = None
            self.recommended.show_message(str(error))
        self._list_agreed()

    @property
    def _records(self) -> list[dict[str, str]]:
        """Agreed actions of the unit; none where they cannot be read."""
        return self.editor.slices["actions"].rows.to_dict("records") if self.editor else []

    def _list_agreed(self) -> None:
        control = self.agreed.controls["agreed"]
        options = [(record["action"], record["action_id"]) for record in self._records]
        selected = control.value
        control.options = options or [NO_ACTION]
        if selected in [action_id for _, action_id in options]:
            control.value = selected
        self._show_state()
        self.agreed.update()

    def _chosen(self) -> Mapping[str, str]:
        """Cells of the chosen agreed action; empty if there is none."""
        action_id = self.agreed.controls["agreed"].value
        return next((record for record in self._records if record["action_id"] == action_id), {})

    def _show_state(self, _: object = None) -> None:
        self.agreed.controls["state"].value = self._chosen().get("status") or "open"

    def _agreed_view(self, **_: str) -> View:
        barriers = self.assessment.rules.barriers
        names = dict(zip(barriers["barrier_id"], barriers["name"], strict=True))
        if self.editor is None or not self._records:
            return View("agreed", "Agreed actions", words=("Nothing is agreed in this unit yet.",))
        table = agreed_actions.display_table(self.editor.slices["actions"].rows, names, self.today())
        return views.agreed(self._unit(), self._chosen(), table)

    def _save_state(self) -> None:
        action_id, state = (self.agreed.controls[name].value for name in ("agreed", "state"))

        self._write(
            lambda base: agreed_actions.with_status(base, action_id, state, self.today()),
            self.agreed,
            f"Saved: {state}.",
        )

    def _write(self, change: Callable[[Slice], Any], panel: Panel, success: str) -> bool:
        """Save and show `success`; if others saved meanwhile, show that and their rows, for another try."""
        if self.editor is None:
            self._unit_changed()  # says again why nothing can be saved here
            return False
        try:
            saved = self.editor.save("actions", change(self.editor.slices["actions"]))
        except ConflictError as conflict:
            chosen_state = self.agreed.controls["state"].value
            self.editor.take_theirs()
            self._list_agreed()
            self.agreed.controls["state"].value = chosen_state
            panel.show_message(f"{conflict} Theirs is shown now; save again to add yours.")
            return False
        except AireadyError as error:
            panel.show_message(str(error))
            return False
        self._list_agreed()
        panel.show_message(f"{success} It stands in {saved.path}.", "note")
        return True


def _measures() -> list[tuple[str, str]]:
    return sorted((measure.label, name) for name, measure in MEASURES.items())


def _states() -> list[tuple[str, str]]:
    return [(state, state) for state in agreed_actions.STATES]


def actions(assessment: Assessment, folder: str | Path = "", by: str = "") -> ActionsPanel:
    """Agree on actions, set their state, follow what should move; saved in the `actions` table.

    `folder` is the data folder to save in (default: the one the assessment was opened from), `by` who saves (default:
    the user).
    """
    return ActionsPanel(assessment, folder, by)
