"""The panel of `06_actions`: agree on a recommended action, say where agreed ones stand, follow what should move."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from aiready.errors import AireadyError
from aiready.model.registry import MEASURES, ORGANISATION
from aiready.profile.assessment import Assessment, located
from aiready.workbook import views
from aiready.workbook.capture import agreed_actions, journal
from aiready.workbook.capture.agreed_actions import Agreement
from aiready.workbook.capture.slices import Slice, writable
from aiready.workbook.panels import choosing
from aiready.workbook.panels.controls import WIDE, button, day, line, row
from aiready.workbook.panels.frame import WRITING, framed
from aiready.workbook.panels.panel import Panel, can_be
from aiready.workbook.views import View

OWN = ("an action of your own", "")
NOTHING = ("nothing agreed yet", "")
NO_MEASURE = ("none", "")


class Agreeing(widgets.VBox):
    """Above what is recommended and the form to agree; below what is agreed, where it stands, and its measure."""

    def __init__(
        self, assessment: Assessment, folder: str | Path = "", by: str = "", today: Callable[[], date] = date.today
    ):
        self.assessment, self.by, self.today = assessment, by, today
        self.narrowed = choosing.Narrowed(assessment)
        self.location, self.draft = located(folder or assessment.location), f"agreement {by}".strip()
        self.read: Slice | None = None
        self.filling, self.typed = False, False
        units = choosing.unit(assessment)
        units.options = [option for option in units.options if option[1] != ORGANISATION]
        self.form = {
            "action": line("What will be done", width=WIDE),
            "owner": line("Who answers for it"),
            "due_on": day("Due on"),
            "measure": choosing.choice("Should move", [NO_MEASURE, *_measures()]),
        }
        self.save = button("Agree", self._agree, primary=True, hint="Save it among the agreed actions of this unit")
        recommended = choosing.choice("Recommended", [OWN])
        self.offered = Panel(
            "offered",
            {"unit": units, "wave": choosing.wave(assessment), "barrier": choosing.barrier(assessment),
             "recommended": recommended},
            self._offer,
        )  # fmt: skip
        form = widgets.VBox()
        beside = row(self.form["owner"], self.form["due_on"], self.form["measure"])
        heading = widgets.HTML("<h3>Agree on it, in your words</h3>")
        framed(form, heading, self.form["action"], beside, row(self.save), left=WRITING)
        action, state = choosing.choice("Agreed action", [NOTHING]), choosing.choice("State", _states())
        self.move = button("Save state", self._move, hint="Save where the chosen action stands")
        self.followed = Panel("followed", {"agreed": action, "state": state}, self._follow, [self.move])
        self.offered.controls["unit"].observe(self._unit_changed, "value")
        for name in ("unit", "wave", "barrier"):
            self.offered.controls[name].observe(self._list, "value")
        recommended.observe(self._fill, "value")
        action.observe(self._show_state, "value")
        for control in self.form.values():
            control.observe(self._typed, "value")
        self._list()
        self._unit_changed()
        self._resume()
        super().__init__([self.offered, form, self.followed])

    # What is recommended ---------------------------------------------------------------------------------------------

    def _unit(self) -> Assessment:
        return self.narrowed(self.offered.controls["unit"].value, self.offered.controls["wave"].value)

    def _offer(self, unit: str, wave: str, barrier: str, recommended: str) -> View:
        return views.recommended(self.narrowed(unit, wave), barrier, recommended)

    def _list(self, _: object = None) -> None:
        rows = views.offered(self._unit(), self.offered.controls["barrier"].value)
        options = [*((row.action, row.template_id) for row in rows.itertuples()), OWN]
        control = self.offered.controls["recommended"]
        if tuple(options) != tuple(control.options):
            control.options = options
        if not self.typed:
            self._fill({"new": control.value})

    def _fill(self, change: Mapping[str, Any]) -> None:
        """Put what is recommended into the form; an action of one's own leaves it as it is."""
        rows = views.offered(self._unit(), self.offered.controls["barrier"].value)
        chosen = rows.loc[rows["template_id"] == change["new"]]
        if len(chosen):
            self.filling = True
            self.form["action"].value = str(chosen["action"].iloc[0])
            self.form["owner"].value = str(chosen["owner_role"].iloc[0])
            self.form["measure"].value = str(chosen["measure"].iloc[0] or "")
            self.filling = False
        if self.typed:
            self._keep()

    # What is typed and not agreed yet --------------------------------------------------------------------------------

    def _typed(self, _: object) -> None:
        if not self.filling:
            self.typed = True
            self._keep()

    def _keep(self) -> None:
        """Keep the form as it stands, so that a dead kernel or a closed tab loses nothing."""
        due = self.form["due_on"].value
        chosen = {name: control.value for name, control in (self.offered.controls | self.form).items()}
        try:
            journal.keep_draft(writable(self.location), self.draft, {},
                               chosen | {"due_on": due.isoformat() if due else ""})  # fmt: skip
        except AireadyError as error:
            self.offered.tell(str(error))

    def _resume(self) -> None:
        """Show what was typed and not agreed before the kernel died, the tab was closed or the cell ran again."""
        try:
            kept = journal.draft(writable(self.location), self.draft, {})
        except AireadyError:  # it was told already: nothing can be agreed here
            return
        if kept is None:
            return
        when, state = kept
        self.typed = True
        due = state.get("due_on")
        state["due_on"] = date.fromisoformat(due) if due else None
        for name, control in (self.offered.controls | self.form).items():
            if name in state and can_be(control, state[name]):
                control.value = state[name]
        self.offered.tell(f"What you typed at {when} is not agreed yet; it is shown here.", "warning")

    def _agree(self) -> None:
        made = Agreement(
            self.offered.controls["barrier"].value,
            self.form["action"].value,
            self.form["owner"].value,
            self.form["due_on"].value,
            self.form["measure"].value,
            self.offered.controls["recommended"].value,
        )
        if self._write(lambda read: agreed_actions.agree(read, made, self.today(), self.by), self.offered,
                       f"Agreed and saved: {made.action.strip()}.") and self.read:  # fmt: skip
            journal.drop_draft(self.read.folder, self.draft, {})
            self.typed = False

    # What is agreed --------------------------------------------------------------------------------------------------

    def _unit_changed(self, _: object = None) -> None:
        self.offered.tell("")
        try:
            self.read = agreed_actions.agreed(writable(self.location), self.offered.controls["unit"].value)
        except AireadyError as error:
            self.read = None
            self.offered.tell(str(error))
        self._agreed_listed()

    def _agreed_listed(self) -> None:
        control = self.followed.controls["agreed"]
        listed = (
            [] if self.read is None else list(zip(self.read.rows["action"], self.read.rows["action_id"], strict=True))
        )
        kept = control.value
        control.options = listed or [NOTHING]
        if kept in [action_id for _, action_id in listed]:
            control.value = kept
        self._show_state()
        self.followed.answer()

    def _chosen(self) -> Mapping[str, str]:
        if self.read is None:
            return {}
        rows = self.read.rows.loc[self.read.rows["action_id"] == self.followed.controls["agreed"].value]
        return {} if rows.empty else {str(name): str(value) for name, value in rows.iloc[0].items()}

    def _show_state(self, _: object = None) -> None:
        self.followed.controls["state"].value = self._chosen().get("status") or "open"

    def _follow(self, **_: str) -> View:
        names = dict(
            zip(self.assessment.rules.barriers["barrier_id"], self.assessment.rules.barriers["name"], strict=True)
        )
        if self.read is None or not len(self.read.rows):
            return View("Agreed actions", words=("Nothing is agreed in this unit yet.",))
        listed = agreed_actions.as_listed(self.read.rows, names, self.today())
        return views.agreed(self._unit(), self._chosen(), listed)

    def _move(self) -> None:
        chosen, state = self.followed.controls["agreed"].value, self.followed.controls["state"].value
        self._write(lambda read: agreed_actions.move(read, chosen, state, self.today(), self.by), self.followed,
                    f"Saved: {state}.")  # fmt: skip

    def _write(self, save: Callable[[Slice], Slice], panel: Panel, told: str) -> bool:
        """Save and say so; where others saved meanwhile, say that and show theirs before one tries again."""
        if self.read is None:
            self._unit_changed()  # says again why nothing can be saved here
            return False
        try:
            self.read = save(self.read)
        except AireadyError as error:
            theirs = getattr(error, "theirs", None)
            if theirs is not None:
                wanted, self.read = self.followed.controls["state"].value, theirs
                self._agreed_listed()
                self.followed.controls["state"].value = wanted
            again = " Theirs is shown now; save again to add yours." if theirs is not None else ""
            panel.tell(f"{error}{again}")
            return False
        self._agreed_listed()
        panel.tell(f"{told} It stands in {self.read.folder / 'actions.csv'}.", "note")
        return True


def _measures() -> list[tuple[str, str]]:
    return sorted((measure.label, name) for name, measure in MEASURES.items())


def _states() -> list[tuple[str, str]]:
    return [(state, state) for state in agreed_actions.STATES]


def actions(assessment: Assessment, folder: str | Path = "", by: str = "") -> Agreeing:
    """Agree on actions, say where they stand, follow what should move; saved in the `actions` table.

    `folder` is the data folder to save in (default: the one the assessment was opened from), `by` who saves (default:
    the user).
    """
    return Agreeing(assessment, folder, by)
