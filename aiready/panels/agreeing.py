"""The panel of `06_actions`: agree on a recommended action, say where agreed ones stand, follow what should move."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from aiready import agreeing, explore
from aiready.agreeing import Agreement
from aiready.assessment import Assessment, located
from aiready.errors import AireadyError
from aiready.explore import View
from aiready.measures import MEASURES, ORGANISATION
from aiready.panels import choosing
from aiready.panels.controls import WIDE, button, day, line, row
from aiready.panels.frame import framed
from aiready.panels.panel import Panel, remember
from aiready.slices import Slice, writable

OWN = ("an action of your own", "")
NOTHING = ("nothing agreed yet", "")
NO_MEASURE = ("none", "")


class Agreeing(widgets.VBox):
    """Above what is recommended and the form to agree; below what is agreed, where it stands, and its measure."""

    def __init__(self, assessment: Assessment, folder: str | Path = "", today: Callable[[], date] = date.today):
        self.assessment, self.today = assessment, today
        self.narrowed = choosing.Narrowed(assessment)
        self.folder = writable(located(folder))
        self.read: Slice | None = None
        units = choosing.unit(assessment)
        units.options = [option for option in units.options if option[1] != ORGANISATION]
        self.form = {
            "action": line("What will be done", width=WIDE),
            "owner": line("Who answers for it"),
            "due_on": day("Due on"),
            "measure": choosing.choice("Should move", [NO_MEASURE, *_measures()]),
        }
        self.save = button("Agree", self._agree, hint="Save it among the agreed actions of this unit")
        recommended = choosing.choice("Recommended", [OWN])
        self.offered = Panel(
            "offered",
            {"unit": units, "wave": choosing.wave(assessment), "barrier": choosing.barrier(assessment),
             "recommended": recommended},
            self._offer,
        )  # fmt: skip
        form = widgets.VBox()
        framed(form, self.form["action"], row(self.form["owner"], self.form["due_on"]), self.form["measure"],
               row(self.save))  # fmt: skip
        action, state = choosing.choice("Agreed action", [NOTHING]), choosing.choice("State", _states())
        self.move = button("Save state", self._move, hint="Save where the chosen action stands")
        self.followed = Panel("followed", {"agreed": action, "state": state}, self._follow, [self.move])
        self.offered.controls["unit"].observe(self._unit_changed, "value")
        for name in ("unit", "wave", "barrier"):
            self.offered.controls[name].observe(self._list, "value")
        recommended.observe(self._fill, "value")
        action.observe(self._show_state, "value")
        self._list()
        for name, control in self.form.items():
            remember(("agree", name), control)
        self._unit_changed()
        super().__init__([self.offered, form, self.followed])

    # What is recommended ---------------------------------------------------------------------------------------------

    def _unit(self) -> Assessment:
        return self.narrowed(self.offered.controls["unit"].value, self.offered.controls["wave"].value)

    def _offer(self, unit: str, wave: str, barrier: str, recommended: str) -> View:
        return explore.recommended(self.narrowed(unit, wave), barrier, recommended)

    def _list(self, _: object = None) -> None:
        rows = explore.offered(self._unit(), self.offered.controls["barrier"].value)
        options = [*((row.action, row.template_id) for row in rows.itertuples()), OWN]
        control = self.offered.controls["recommended"]
        if tuple(options) != tuple(control.options):
            control.options = options
        self._fill({"new": control.value})

    def _fill(self, change: Mapping[str, Any]) -> None:
        """Put what is recommended into the form; an action of one's own leaves it as it is."""
        rows = explore.offered(self._unit(), self.offered.controls["barrier"].value)
        chosen = rows.loc[rows["template_id"] == change["new"]]
        if len(chosen):
            self.form["action"].value = str(chosen["action"].iloc[0])
            self.form["owner"].value = str(chosen["owner_role"].iloc[0])
            self.form["measure"].value = str(chosen["measure"].iloc[0] or "")

    def _agree(self) -> None:
        made = Agreement(
            self.offered.controls["barrier"].value,
            self.form["action"].value,
            self.form["owner"].value,
            self.form["due_on"].value,
            self.form["measure"].value,
            self.offered.controls["recommended"].value,
        )
        self._write(lambda read: agreeing.agree(read, made, self.today()), self.offered,
                    f"Agreed and saved: {made.action.strip()}.")  # fmt: skip

    # What is agreed --------------------------------------------------------------------------------------------------

    def _unit_changed(self, _: object = None) -> None:
        self.offered.tell("")
        try:
            self.read = agreeing.agreed(self.folder, self.offered.controls["unit"].value)
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
        listed = agreeing.as_listed(self.read.rows, names, self.today())
        return explore.agreed(self._unit(), self._chosen(), listed)

    def _move(self) -> None:
        chosen, state = self.followed.controls["agreed"].value, self.followed.controls["state"].value
        self._write(lambda read: agreeing.move(read, chosen, state, self.today()), self.followed, f"Saved: {state}.")

    def _write(self, save: Callable[[Slice], Slice], panel: Panel, told: str) -> None:
        """Save and say so; where others saved meanwhile, say that and show theirs before one tries again."""
        try:
            if self.read is None:
                return
            self.read = save(self.read)
        except AireadyError as error:
            theirs = getattr(error, "theirs", None)
            if theirs is not None:
                wanted, self.read = self.followed.controls["state"].value, theirs
                self._agreed_listed()
                self.followed.controls["state"].value = wanted
            again = " Theirs is shown now; save again to add yours." if theirs is not None else ""
            panel.tell(f"{error}{again}")
            return
        self._agreed_listed()
        panel.tell(told, "note")


def _measures() -> list[tuple[str, str]]:
    return sorted((measure.label, name) for name, measure in MEASURES.items())


def _states() -> list[tuple[str, str]]:
    return [(state, state) for state in agreeing.STATES]


def actions(assessment: Assessment, folder: str | Path = "") -> Agreeing:
    """Agree on actions, say where they stand, follow what should move; saved to the data folder's `actions` table."""
    return Agreeing(assessment, folder)
