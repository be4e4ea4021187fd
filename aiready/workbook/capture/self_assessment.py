"""One person's answers in a workshop, and the row of `responses` that holds them; no files are read or written."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from aiready.collection.questionnaire import Question, Questionnaire
from aiready.errors import UsageError, unknown_name
from aiready.instrument.model import Instrument
from aiready.model.schema import AI_USE, ROLES, TABLES, Column, Table
from aiready.workbook.capture.store import Slice

CODE = "w-"
"""Prefix of the codes of people who answered in a workshop."""
_CODE_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_ABOUT = ("role", "ai_use", "comment")


@dataclass(frozen=True)
class Person:
    """One person's answers: item -> level, `does not apply` or `don't know`; unanswered items are absent."""

    code: str
    unit_id: str
    wave: str
    role: str
    ai_use: str = ""
    comment: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> dict[str, str]:
        """Key of this person's row in `responses`."""
        return {"respondent_id": self.code, "unit_id": self.unit_id, "wave": self.wave}


@dataclass(frozen=True)
class Progress:
    """How far a person is: questions answered, all questions for the role, and the next one without an answer."""

    answered: int
    total: int
    next_open: str | None


def new_code() -> str:
    """A new code by which a person finds their answers again; its six characters are not easily confused."""
    return CODE + "".join(secrets.choice(_CODE_CHARACTERS) for _ in range(6))


def responses_table(rules: Instrument) -> Table:
    """The table `responses` with a column per item of the instrument."""
    table = TABLES["responses"]
    items = tuple(Column(item, "integer", "answer") for item in rules.items["item_id"])
    return replace(table, columns=(*table.columns, *items))


def questions_for(questionnaire: Questionnaire, role: str) -> tuple[Question, ...]:
    """Questions for people in a role, in the order of a working day."""
    return tuple(question for question in questionnaire.items if question.is_asked_of(role))


def with_answer(person: Person, question: Question, value: str) -> Person:
    """The person with one answer given, changed or, if `value` is blank, withdrawn.

    Raises
    ------
    UsageError
        The value is not an answer to this question.
    """
    allowed = [choice.value for choice in question.choices]
    if value and value not in allowed:
        raise unknown_name("answer", value, allowed)
    others = {item: answer for item, answer in person.answers.items() if item != question.id}
    return replace(person, answers=others | ({question.id: value} if value else {}))


def progress(person: Person, questionnaire: Questionnaire, after: str = "") -> Progress:
    """How far a person is; the next open question is the first one after item `after`, else the first of all."""
    ids = [question.id for question in questions_for(questionnaire, person.role)]
    start = ids.index(after) + 1 if after in ids else 0
    open_ids = [item for item in [*ids[start:], *ids[:start]] if item not in person.answers]
    return Progress(len(ids) - len(open_ids), len(ids), open_ids[0] if open_ids else None)


def response_row(person: Person, rules: Instrument) -> pd.DataFrame:
    """The person's row of `responses` (one row); items without an answer are blank."""
    answers = {item: person.answers.get(item, "") for item in rules.items["item_id"]}
    return pd.DataFrame([{name: getattr(person, name) for name in _ABOUT} | answers])


def person_from_row(saved: Slice, rules: Instrument) -> Person:
    """The person of a saved row.

    Raises
    ------
    UsageError
        There is no row with this code in this unit and wave.
    """
    if saved.rows.empty:
        raise UsageError(
            f'No answers under the code "{saved.key["respondent_id"]}" in {saved.key["unit_id"]}, '
            f"{saved.key['wave']}. Look at the code again, and at unit and wave."
        )
    row = saved.rows.iloc[0]
    answers = {item: row[item] for item in rules.items["item_id"] if row.get(item)}
    about = {name: row[name] for name in _ABOUT}
    return Person(saved.key["respondent_id"], saved.key["unit_id"], saved.key["wave"], answers=answers, **about)


def check_person(person: Person, units: Mapping[str, str]) -> None:
    """Check what `aiready check` would check: unit, role and use of AI.

    Raises
    ------
    UsageError
        One of them is unknown; the message lists the known ones.
    """
    if units and person.unit_id not in units:
        raise unknown_name("unit", person.unit_id, units)
    if person.role not in ROLES:
        raise unknown_name("role", person.role, ROLES)
    if person.ai_use and person.ai_use not in AI_USE:
        raise unknown_name("use of AI", person.ai_use, AI_USE)


def unfinished_codes(rows: pd.DataFrame, questionnaire: Questionnaire) -> list[str]:
    """Codes of people in a workshop who have open questions, in the order they began."""
    workshop_rows = rows[rows["respondent_id"].str.startswith(CODE)]
    codes = []
    for row in workshop_rows.to_dict("records"):
        ids = [question.id for question in questions_for(questionnaire, row["role"])]
        codes += [row["respondent_id"]] if any(not row.get(item) for item in ids) else []
    return codes
