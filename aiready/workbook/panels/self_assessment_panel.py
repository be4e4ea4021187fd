"""The self-assessment panel: a facilitator enters a team's answers one by one; each is saved at once."""

import html
from dataclasses import replace
from datetime import date

import ipywidgets as w
import pandas as pd

from aiready.charts import items_chart, theme
from aiready.collection.questionnaire import Question, build_questionnaire
from aiready.errors import UsageError
from aiready.inputs.location import instrument_folder
from aiready.instrument.model import read_instrument
from aiready.model.schema import AI_USE, ROLES
from aiready.model.waves import is_wave, quarter, sort_waves
from aiready.workbook.capture.self_assessment import (
    Person,
    check_person,
    new_code,
    person_from_row,
    progress,
    questions_for,
    response_row,
    responses_table,
    unfinished_codes,
    with_answer,
)
from aiready.workbook.capture.store import ConflictError, read_rows, read_slice
from aiready.workbook.capture.team_summary import TeamSummary, summarise_team
from aiready.workbook.panels import controls, editing, frame
from aiready.workbook.panels.editing import FormPanel
from aiready.workbook.panels.panel import accepts
from aiready.workbook.panels.picture import Picture


def self_assessment(data: str = "", language: str = "") -> w.VBox:
    """The panel, on a data folder (default: the one the notebooks open) and in a language of the questionnaire."""
    return editing.open_panel(data, lambda folder: SelfAssessmentPanel(folder, language).box)


class SelfAssessmentPanel(FormPanel):
    """The person who answers, the question shown, and the team's summary."""

    def __init__(self, location: str, language: str):
        super().__init__(location, "self-assessment", "")
        self.rules = read_instrument(instrument_folder(self.folder))
        self.questionnaire = build_questionnaire(self.rules, language, units=self.units)
        self.table = responses_table(self.rules)
        self._open_person: Person | None = None
        self.item = ""
        self._build()
        self._resume()

    @property
    def person(self) -> Person:
        """The person who answers.

        Raises
        ------
        UsageError
            Nobody was chosen yet.
        """
        if self._open_person is None:
            raise UsageError("Begin with a person, or continue with a code.")
        return self._open_person

    # What is on the page ----------------------------------------------------------------------------------------

    def _build(self) -> None:
        words = self.questionnaire.words
        waves = sort_waves(read_rows(self.folder, self.table)["wave"])
        self.unit = self.unit_control("Unit")
        self.wave = controls.line("Wave", waves[-1] if waves else quarter(date.today()), "2026-Q3", controls.SHORT)
        self.role = controls.choice("Role", [(words[f"role.{name}"], name) for name in ROLES])
        self.ai_use = controls.choice(
            "Use of AI", [("Not asked", ""), *((words[f"ai_use.{name}"], name) for name in AI_USE)]
        )
        self.code = controls.line("Code of a person", "", "w-…", controls.SHORT)
        self.unfinished = controls.choice("Not finished", [("Nobody", "")], width=controls.SHORT)
        self.heading, self.wording = w.HTML(), w.HTML()
        self.choices: dict[str, w.RadioButtons] = {}
        self.choice_box = w.VBox()
        self.comment = controls.area(words["question.comment"])
        self.confirm_button = self.button("Yes, withdraw everything", self._withdraw_all)
        steps = controls.row(
            self.button("Back", lambda: self._go(-1)),
            self.button("Next question", lambda: self._go(1), primary=True),
            self.button("Next open question", self._go_open),
            self.button("Withdraw this answer", self._withdraw_answer),
        )
        withdraw = self.button("Withdraw all answers of this person", self._confirm_withdrawal)
        withdrawal = controls.row(withdraw, self.confirm_button)
        self.question_box = w.VBox([self.heading, self.wording, self.choice_box, steps, self.comment, withdrawal])
        self.team, self.picture = w.HTML(), Picture()
        begin = self.button("Begin with a person", self._begin, primary=True)
        again = self.button("Continue or change", self._continue)
        show = self.button("Show what the team said", self._summarise)
        where = html.escape(str(self.folder / "responses"))
        self.box = editing.form(
            w.HTML(
                f'<p class="aiready-muted">Every answer is saved as it is given, in {where}, a file per person.</p>'
            ),
            controls.row(self.unit, self.wave, self.role, self.ai_use, begin),
            controls.row(self.code, self.unfinished, again),
            self.status,
            self.question_box,
            controls.row(show),
            self.team,
            self.picture,
        )
        self.on_change(self.comment, self._save_comment)
        for control in (self.unit, self.wave):
            self.on_change(control, self._list_unfinished)
        self.unfinished.observe(lambda change: setattr(self.code, "value", change["new"] or self.code.value), "value")
        self._draw()

    def _draw(self) -> None:
        """Show the question, or nothing before a person is chosen."""
        self.question_box.layout.display = "none" if self._open_person is None else ""
        self.confirm_button.layout.display = "none"
        if self._open_person is None:
            return
        question = self._question()
        counts = progress(self.person, self.questionnaire)
        number = [item.id for item in questions_for(self.questionnaire, self.person.role)].index(question.id) + 1
        code = html.escape(self.person.code)
        self.heading.value = (
            f"<h2>Question {number} of {counts.total}</h2>"
            f"<p class='aiready-muted'>{counts.answered} of {counts.total} answered. "
            f"Code <b>{code}</b>: whoever keeps it can change or withdraw these answers.</p>"
        )
        self.wording.value = f"<p><b>{html.escape(question.wording)}</b></p>"
        choices = self._choices_of(question)
        choices.value = self.person.answers.get(question.id)
        self.choice_box.children = [choices]
        self.comment.value = self.person.comment

    def _choices_of(self, question: Question) -> w.RadioButtons:
        """The choices of a question, a widget of its own: a click made while the kernel was busy arrives when the next
        question is already shown."""
        if question.id not in self.choices:
            options = [(choice.text, choice.value) for choice in question.choices]
            choices = w.RadioButtons(options=options, value=None, layout=w.Layout(width="100%"))
            choices.add_class("aiready-answers")
            choices.observe(lambda change: self.run(self._save_answer, question, change["new"]), "value")
            self.choices[question.id] = choices
        return self.choices[question.id]

    def _clear_choices(self) -> None:
        """Remove the previous person's choices, so that a click that arrives late does not count for the next one."""
        self.choice_box.children = []
        for choices in self.choices.values():
            choices.unobserve_all()
            choices.close()
        self.choices = {}

    def _question(self) -> Question:
        questions = questions_for(self.questionnaire, self.person.role)
        return next((question for question in questions if question.id == self.item), questions[0])

    # The person who answers -------------------------------------------------------------------------------------

    def _begin(self) -> None:
        wave = self.wave.value.strip().upper()
        if not is_wave(wave):
            raise UsageError(f'"{self.wave.value}" is no wave. Write 2026-Q3, 2026-09 or 2026.')
        unit = self.unit.value.strip() if self.unit.value else ""
        person = Person(new_code(), unit, wave, self.role.value, self.ai_use.value)
        check_person(person, self.units or {unit: unit} if unit else {"": ""})
        self._show_person(person, f"A new person, code {person.code}. Nothing is saved before the first answer.")

    def _continue(self) -> None:
        code, unit, wave = self.code.value.strip(), self.unit.value, self.wave.value.strip().upper()
        self._reopen(code, unit, wave, "")

    def _reopen(self, code: str, unit: str, wave: str, item: str) -> None:
        saved = read_slice(self.folder, self.table, {"respondent_id": code, "unit_id": unit, "wave": wave})
        person = person_from_row(saved, self.rules)
        self._show_person(person, f"Answers of {code}: go on, or change them.", item)

    def _show_person(self, person: Person, message: str, item: str = "") -> None:
        self._clear_choices()
        self._open_person = person
        self.editor.open(person.key, [read_slice(self.folder, self.table, person.key)])
        self.item = (
            item
            or progress(person, self.questionnaire).next_open
            or questions_for(self.questionnaire, person.role)[0].id
        )
        self._show_team(None)
        self.status.show_message(message)
        self._save_position()
        self._list_unfinished()
        self._draw()

    def _save_position(self) -> None:
        """Save which person and question are shown; the answers themselves are in the data folder."""
        self.position.save({**self.person.key, "role": self.person.role, "item": self.item})

    def _resume(self) -> None:
        """Return to the person and question shown before the kernel died or the tab was closed."""
        last = self.position.read()
        if last is None:
            self._list_unfinished()
            return
        when, state = last
        for control, name in ((self.unit, "unit_id"), (self.wave, "wave"), (self.role, "role")):
            if accepts(control, state[name]):
                control.value = state[name]
        try:
            self._reopen(state["respondent_id"], state["unit_id"], state["wave"], state["item"])
        except UsageError:  # nothing was answered yet
            self._list_unfinished()
            return
        self.status.show_message(f"You were here at {when}; every answer given until then is saved.")

    def _team_rows(self) -> pd.DataFrame:
        """Answers of everybody in the unit and wave."""
        return read_rows(
            self.folder, self.table, {"unit_id": self.unit.value or "", "wave": self.wave.value.strip().upper()}
        )

    def _list_unfinished(self) -> None:
        codes = unfinished_codes(self._team_rows(), self.questionnaire)
        self.unfinished.options = [("Nobody" if not codes else "Choose", ""), *((code, code) for code in codes)]

    # Answers ----------------------------------------------------------------------------------------------------

    def _save_answer(self, question: Question, chosen: str | None) -> None:
        if chosen and chosen != self.person.answers.get(question.id):
            self._save(with_answer(self.person, question, chosen))

    def _withdraw_answer(self) -> None:
        self._save(with_answer(self.person, self._question(), ""))

    def _save_comment(self) -> None:
        if (comment := self.comment.value.strip()) != self.person.comment:
            self._save(replace(self.person, comment=comment))

    def _save(self, person: Person) -> None:
        try:
            self.editor.save("responses", response_row(person, self.rules))
            counts = progress(person, self.questionnaire)
            message, kind = f"Saved. {counts.answered} of {counts.total} answered.", "note"
        except ConflictError as conflict:  # where both answered, theirs stays
            _, joined = self.editor.join()
            person = person_from_row(self.editor.save("responses", joined.rows), self.rules)
            clash = " Where both answered, theirs stands: answer again to change it." if len(joined.conflicts) else ""
            message, kind = f"{conflict} Both were joined.{clash}".replace("Nothing was written. ", ""), "warning"
        self._open_person = person
        self.status.show_message(message, kind)
        self._save_position()
        self._draw()

    def _confirm_withdrawal(self) -> None:
        self.confirm_button.layout.display = ""
        self.status.show_message(f"Withdraw everything that {self.person.code} said? It cannot be had back.", "warning")

    def _withdraw_all(self) -> None:
        code = self.person.code
        withdrawn = self.editor.save("responses", self.editor.slices["responses"].rows.iloc[:0])
        self.position.delete()
        self._clear_choices()
        self._open_person = None
        self._list_unfinished()
        self._draw()
        elsewhere = "it counts no more. It came another way: delete their row in the file it came in, too."
        self.status.show_message(
            f"Everything that {code} said is withdrawn; {elsewhere if withdrawn.path.exists() else 'no copy is kept.'}"
        )

    # Going on ---------------------------------------------------------------------------------------------------

    def _go(self, step: int) -> None:
        ids = [question.id for question in questions_for(self.questionnaire, self.person.role)]
        position = ids.index(self._question().id) + step
        self.item = ids[min(max(position, 0), len(ids) - 1)]
        self._save_position()
        if position >= len(ids):
            counts = progress(self.person, self.questionnaire)
            n_open = counts.total - counts.answered
            rest = f"{n_open} questions are open." if counts.next_open else "Every question is answered."
            self.status.show_message(
                f"That was the last question. {rest} Begin with the next person, or look at the team."
            )
        self._draw()

    def _go_open(self) -> None:
        self.item = progress(self.person, self.questionnaire, self._question().id).next_open or self._question().id
        self._save_position()
        self._draw()

    # The team ---------------------------------------------------------------------------------------------------

    def _summarise(self) -> None:
        self._show_team(summarise_team(self._team_rows(), self.rules))

    def _show_team(self, summary: TeamSummary | None) -> None:
        """Show the team's summary, or nothing."""
        self.team.value = team_html(summary) if summary else ""
        chart = items_chart(summary.items, width=self.picture.width) if summary and len(summary.items) else None
        self.picture.show(chart, "How the team answered each question")


def team_html(summary: TeamSummary) -> str:
    """The summary of a team's answers as HTML, without its chart: notes, mean scores, questions to discuss."""
    parts = [frame.message_html(note) for note in summary.notes]
    means = summary.barriers.dropna(subset="value")
    if len(means):
        rows = "".join(
            f"<tr><th scope='row'>{html.escape(row.barrier)}</th><td class='number'>{theme.number(row.value)}</td>"
            f"<td class='number'>{theme.number(row.n)}</td></tr>"
            for row in means.itertuples()
        )
        head = "<tr><th scope='col'>Barrier</th><th scope='col' class='number'>Mean, 0–100</th>"
        head += "<th scope='col' class='number'>People</th></tr>"
        parts.append(f"<table><caption>What the team says: high is overcome</caption>{head}{rows}</table>")
    if len(summary.talk):
        parts.append("<h2>Where to talk</h2>" + "".join(_talk(row) for row in summary.talk.itertuples()))
    if len(summary.items):
        parts.append("<h2>How answers spread</h2>")
    return "".join(parts)


def _talk(row: object) -> str:
    """One question to discuss: why, the level reached now, and the words of the next level as advice."""
    why, wording, now, better = (html.escape(getattr(row, name)) for name in ("why", "wording", "now", "next"))
    onward = f" The next level: <i>{better}</i>" if better else ""
    return f"<p><b>{wording}</b> <span class='aiready-muted'>{why}</span><br>Half say at most: <i>{now}</i>{onward}</p>"
