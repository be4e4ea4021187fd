"""A facilitator captures a team's answers, one question at a time; every answer is saved as it is given."""

import html
from dataclasses import replace
from datetime import date

import ipywidgets as w
import pandas as pd

from aiready.charts import items_chart, theme
from aiready.collection.questionnaire import Question, questionnaire
from aiready.errors import UsageError
from aiready.inputs.discover import instrument_folder
from aiready.instrument.model import read_instrument
from aiready.model.schema import AI_USE, ROLES
from aiready.model.waves import in_order, is_wave, quarter
from aiready.workbook.capture import journal
from aiready.workbook.capture.self_assessment import (
    Person,
    answered,
    asked,
    check_person,
    new_code,
    person_of,
    progress,
    responses_table,
    row_of,
    unfinished,
)  # fmt: skip
from aiready.workbook.capture.slices import Slice, column_of, merge, read_slice, writable
from aiready.workbook.capture.store import ConflictError, save_slice
from aiready.workbook.capture.team_spread import Spread, spread
from aiready.workbook.panels import controls, frame, writing
from aiready.workbook.panels.picture import Picture
from aiready.workbook.panels.writing import guarded

_PLACE = "self-assessment"


def self_assessment(data: str = "", language: str = "") -> w.VBox:
    """The panel, on a data folder (default: the one the notebooks open) and in a language of the questionnaire."""
    return writing.opened(data, lambda folder: _Panel(folder, language).box)


class _Panel:
    """Who is asked, the question shown, and the team's spread."""

    def __init__(self, location: str, language: str):
        self.folder = writable(location)
        self.rules = read_instrument(instrument_folder(self.folder))
        self.units = dict(zip(*column_of(self.folder, "units", "unit_id", "name"), strict=True))
        self.paper = questionnaire(self.rules, language, units=self.units)
        self.table = responses_table(self.rules)
        self._asked: tuple[Person, Slice] | None = None
        self.item = ""
        self._build()
        self._resume()

    @property
    def person(self) -> Person:
        """Who is asked."""
        return self._now[0]

    @property
    def read(self) -> Slice:
        """Their row, as it was read or saved last."""
        return self._now[1]

    @property
    def _now(self) -> tuple[Person, Slice]:
        if self._asked is None:
            raise UsageError("Begin with a person, or continue with a code.")
        return self._asked

    # What is on the page ----------------------------------------------------------------------------------------

    def _build(self) -> None:
        words = self.paper.words
        self.status = writing.Status()
        waves = in_order(column_of(self.folder, "responses", "wave")[0])
        units = [(f"{name} ({unit})", unit) for unit, name in self.units.items()]
        self.unit = controls.choice("Unit", units) if units else controls.line("Unit")
        self.wave = controls.line("Wave", waves[-1] if waves else quarter(date.today()), "2026-Q3", controls.SHORT)
        self.role = controls.choice("Role", [(words[f"role.{name}"], name) for name in ROLES])
        self.ai_use = controls.choice(
            "Use of AI", [("Not asked", ""), *((words[f"ai_use.{name}"], name) for name in AI_USE)]
        )
        self.code = controls.line("Code of a person", "", "w-…", controls.SHORT)
        self.open_ones = controls.choice("Not finished", [("Nobody", "")], width=controls.SHORT)
        self.heading, self.wording = w.HTML(), w.HTML()
        self.choices: dict[str, w.RadioButtons] = {}
        self.shown = w.VBox()
        self.comment = controls.area(words["question.comment"])
        self.sure = controls.button("Yes, withdraw everything", self._withdraw_all)
        self.asking = w.VBox([self.heading, self.wording, self.shown, controls.row(
            controls.button("Back", lambda: self._go(-1)),
            controls.button("Next question", lambda: self._go(1), primary=True),
            controls.button("Next open question", self._go_open),
            controls.button("Withdraw this answer", self._withdraw_answer)), self.comment, controls.row(
            controls.button("Withdraw all answers of this person", self._ask_first), self.sure)])  # fmt: skip
        self.team, self.picture = w.HTML(), Picture()
        begin = controls.button("Begin with a person", self._begin, primary=True)
        again = controls.button("Continue or change", self._continue)
        show = controls.button("Show what the team said", self._show)
        where = html.escape(str(self.folder / "responses.csv"))
        self.box = writing.form(
            w.HTML(f'<p class="aiready-muted">Every answer is saved as it is given, in {where}.</p>'),
            controls.row(self.unit, self.wave, self.role, self.ai_use, begin),
            controls.row(self.code, self.open_ones, again), self.status, self.asking, controls.row(show),
            self.team, self.picture)  # fmt: skip
        self.comment.observe(self._comment, "value")
        for control in (self.unit, self.wave):
            control.observe(lambda _: self._list_open(), "value")
        self.open_ones.observe(lambda change: setattr(self.code, "value", change["new"] or self.code.value), "value")
        self._draw()

    def _draw(self) -> None:
        """Show the question, or nothing where nobody is asked."""
        self.asking.layout.display = "none" if self._asked is None else ""
        self.sure.layout.display = "none"
        if self._asked is None:
            return
        question = self._question()
        done = progress(self.person, self.paper)
        place = [asked_.id for asked_ in asked(self.paper, self.person.role)].index(question.id) + 1
        code = html.escape(self.person.code)
        self.heading.value = (
            f"<h2>Question {place} of {done.asked}</h2><p class='aiready-muted'>{done.done} of {done.asked} answered. "
            f"Code <b>{code}</b>: whoever keeps it can change or withdraw these answers.</p>"
        )
        self.wording.value = f"<p><b>{html.escape(question.wording)}</b></p>"
        choices = self._choices_of(question)
        choices.value = self.person.answers.get(question.id)
        self.shown.children = [choices]
        self.comment.value = self.person.comment

    def _choices_of(self, question: Question) -> w.RadioButtons:
        """A question's own choices: a choice made while the kernel was busy arrives when the next is already shown."""
        if question.id not in self.choices:
            options = [(choice.text, choice.value) for choice in question.choices]
            choices = w.RadioButtons(options=options, value=None, layout=w.Layout(width="100%"))
            choices.add_class("aiready-answers")
            choices.observe(lambda change: self._answer(question, change["new"]), "value")
            self.choices[question.id] = choices
        return self.choices[question.id]

    def _forget(self) -> None:
        """Take the choices of the person before off the page: what arrives late belongs to nobody else."""
        self.shown.children = []
        for choices in self.choices.values():
            choices.unobserve_all()
            choices.close()
        self.choices = {}

    def _question(self) -> Question:
        listed = asked(self.paper, self.person.role)
        return next((question for question in listed if question.id == self.item), listed[0])

    # Who is asked -----------------------------------------------------------------------------------------------

    @guarded
    def _begin(self) -> None:
        wave = self.wave.value.strip().upper()
        if not is_wave(wave):
            raise UsageError(f'"{self.wave.value}" is no wave. Write 2026-Q3, 2026-09 or 2026.')
        unit = self.unit.value.strip() if self.unit.value else ""
        person = Person(new_code(), unit, wave, self.role.value, self.ai_use.value)
        check_person(person, self.units or {unit: unit} if unit else {"": ""})
        self._take(person, f"A new person, code {person.code}. Nothing is saved before the first answer.")

    @guarded
    def _continue(self) -> None:
        code, unit, wave = self.code.value.strip(), self.unit.value, self.wave.value.strip().upper()
        self._open(code, unit, wave, "")

    def _open(self, code: str, unit: str, wave: str, item: str) -> None:
        read = read_slice(self.folder, self.table, {"respondent_id": code, "unit_id": unit, "wave": wave})
        person = person_of(read, self.rules)
        self._take(person, f"Answers of {code}: go on, or change them.", item)

    def _take(self, person: Person, said: str, item: str = "") -> None:
        self._forget()
        self._asked = person, read_slice(self.folder, self.table, person.scope)
        self.item = item or progress(person, self.paper).next_open or asked(self.paper, person.role)[0].id
        self._show_team(None)
        self.status.say(said)
        self._remember()
        self._list_open()
        self._draw()

    def _remember(self) -> None:
        """Where the facilitator is, for after a new start; the answers themselves lie in the data folder."""
        kept = {**self.person.scope, "role": self.person.role, "item": self.item}
        journal.keep_draft(self.folder, _PLACE, {}, kept)

    def _resume(self) -> None:
        """Go on where the facilitator was when the kernel died or the tab was closed."""
        kept = journal.draft(self.folder, _PLACE, {})
        if kept is None:
            self._list_open()
            return
        when, place = kept
        for control, name in ((self.unit, "unit_id"), (self.wave, "wave"), (self.role, "role")):
            if not isinstance(control, w.Dropdown) or place[name] in [value for _, value in control.options]:
                control.value = place[name]
        try:
            self._open(place["respondent_id"], place["unit_id"], place["wave"], place["item"])
        except UsageError:  # nothing was answered yet
            self._list_open()
            return
        self.status.say(f"You were here at {when}; every answer given until then is saved.")

    @guarded
    def _list_open(self) -> None:
        scope = {"unit_id": self.unit.value or "", "wave": self.wave.value.strip().upper()}
        rows = read_slice(self.folder, self.table, scope).rows
        codes = unfinished(rows, self.paper)
        self.open_ones.options = [("Nobody" if not codes else "Choose", ""), *((code, code) for code in codes)]

    # Answers ----------------------------------------------------------------------------------------------------

    @guarded
    def _answer(self, question: Question, chosen: str | None) -> None:
        if chosen and chosen != self.person.answers.get(question.id):
            self._save(answered(self.person, question, chosen))

    @guarded
    def _withdraw_answer(self) -> None:
        self._save(answered(self.person, self._question(), ""))

    @guarded
    def _comment(self, change: dict[str, str]) -> None:
        if (said := change["new"].strip()) != self.person.comment:
            self._save(replace(self.person, comment=said))

    def _save(self, person: Person) -> None:
        rows = row_of(person, self.rules)
        try:
            self._asked = person, save_slice(self.read, rows)
            done = progress(person, self.paper)
            self.status.say(f"Saved. {done.done} of {done.asked} answered.")
        except ConflictError as conflict:
            self._join(rows, conflict)
        self._remember()
        self._draw()

    def _join(self, rows: pd.DataFrame, conflict: ConflictError) -> None:
        """Somebody else has the same person open: join both, theirs where both answered, and say so."""
        merged = merge(self.read, rows.assign(**self.read.scope), conflict.theirs)
        saved = save_slice(conflict.theirs, merged.rows)
        self._asked = person_of(saved, self.rules), saved
        clash = " Where both answered, theirs stands: answer again to change it." if len(merged.clashes) else ""
        self.status.say(f"{conflict} Both were joined.{clash}".replace("Nothing was written. ", ""), "warning")

    def _ask_first(self) -> None:
        self.sure.layout.display = ""
        self.status.say(f"Withdraw everything that {self.person.code} said? It cannot be had back.", "warning")

    @guarded
    def _withdraw_all(self) -> None:
        code = self.person.code
        save_slice(self.read, self.read.rows.iloc[:0])
        journal.drop_draft(self.folder, _PLACE, {})
        self._forget()
        self._asked = None
        self._list_open()
        self._draw()
        self.status.say(f"Everything that {code} said is withdrawn; no copy is kept.")

    # Going on ---------------------------------------------------------------------------------------------------

    @guarded
    def _go(self, step: int) -> None:
        ids = [question.id for question in asked(self.paper, self.person.role)]
        at = ids.index(self._question().id) + step
        self.item = ids[min(max(at, 0), len(ids) - 1)]
        self._remember()
        if at >= len(ids):
            done = progress(self.person, self.paper)
            left = f"{done.asked - done.done} questions are open." if done.next_open else "Every question is answered."
            self.status.say(f"That was the last question. {left} Begin with the next person, or look at the team.")
        self._draw()

    @guarded
    def _go_open(self) -> None:
        self.item = progress(self.person, self.paper, self._question().id).next_open or self._question().id
        self._remember()
        self._draw()

    # The team ---------------------------------------------------------------------------------------------------

    @guarded
    def _show(self) -> None:
        scope = {"unit_id": self.unit.value or "", "wave": self.wave.value.strip().upper()}
        rows = read_slice(self.folder, self.table, scope).rows
        self._show_team(spread(rows, self.rules))

    def _show_team(self, told: Spread | None) -> None:
        """Show what the team said, or nothing."""
        self.team.value = spread_html(told) if told else ""
        drawn = items_chart(told.items, width=self.picture.width) if told and len(told.items) else None
        self.picture.show(drawn, "How the team answered each question")


def spread_html(told: Spread) -> str:
    """What a team said, as HTML: mean scores, where to talk, how answers spread."""
    parts = [frame.told(note) for note in told.notes]
    known = told.barriers.dropna(subset="value")
    if len(known):
        rows = "".join(
            f"<tr><th scope='row'>{html.escape(row.barrier)}</th><td class='number'>{theme.number(row.value)}</td>"
            f"<td class='number'>{theme.number(row.n)}</td></tr>"
            for row in known.itertuples()
        )
        head = "<tr><th scope='col'>Barrier</th><th scope='col' class='number'>Mean, 0–100</th>"
        head += "<th scope='col' class='number'>People</th></tr>"
        parts.append(f"<table><caption>What the team says: high is overcome</caption>{head}{rows}</table>")
    if len(told.talk):
        parts.append("<h2>Where to talk</h2>" + "".join(_talk(row) for row in told.talk.itertuples()))
    if len(told.items):
        parts.append("<h2>How answers spread</h2>")
    return "".join(parts)


def _talk(row: object) -> str:
    """One question to talk about: why, what stands now, and the words of the next level as advice."""
    why, wording, now, better = (html.escape(getattr(row, name)) for name in ("why", "wording", "now", "next"))
    onward = f" The next level: <i>{better}</i>" if better else ""
    return f"<p><b>{wording}</b> <span class='aiready-muted'>{why}</span><br>Half say at most: <i>{now}</i>{onward}</p>"
