"""One person's answers in a workshop, and the row of `responses` that they are: nothing here touches a file."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from aiready.collection.questionnaire import Question, Questionnaire
from aiready.errors import UsageError, unknown
from aiready.instrument.model import Instrument
from aiready.model.schema import AI_USE, ROLES, TABLES, Column, Table
from aiready.workbook.capture.slices import Slice

CODE = "w-"
"""Codes of people who answered in a workshop begin so."""
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_ABOUT = ("role", "ai_use", "comment")


@dataclass(frozen=True)
class Person:
    """What one person said: `answers` holds, by item, a level, `does not apply` or `don't know`; no answer: absent."""

    code: str
    unit_id: str
    wave: str
    role: str
    ai_use: str = ""
    comment: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> dict[str, str]:
        """Which row of `responses` is theirs."""
        return {"respondent_id": self.code, "unit_id": self.unit_id, "wave": self.wave}


@dataclass(frozen=True)
class Progress:
    """How far a person is: questions answered, questions asked of the role, and the next one that is open."""

    done: int
    asked: int
    next_open: str | None


def new_code() -> str:
    """A code by which a person finds their answers again: six signs that are not mistaken for each other."""
    return CODE + "".join(secrets.choice(_SIGNS) for _ in range(6))


def responses_table(rules: Instrument) -> Table:
    """The table `responses` with the items of the questionnaire as columns."""
    table = TABLES["responses"]
    items = tuple(Column(item, "integer", "answer") for item in rules.items["item_id"])
    return replace(table, columns=(*table.columns, *items))


def asked(paper: Questionnaire, role: str) -> tuple[Question, ...]:
    """Questions that a role is asked, in the order of a working day."""
    return tuple(question for question in paper.items if question.asked(role))


def answered(person: Person, question: Question, said: str) -> Person:
    """The person with one answer given, changed or, where `said` is blank, withdrawn.

    Raises
    ------
    UsageError
        What was said is no answer to this question.
    """
    known = [choice.value for choice in question.choices]
    if said and said not in known:
        raise unknown("answer", said, known)
    kept = {item: answer for item, answer in person.answers.items() if item != question.id}
    return replace(person, answers=kept | ({question.id: said} if said else {}))


def progress(person: Person, paper: Questionnaire, after: str = "") -> Progress:
    """How far a person is; the next open question is looked for from `after` on, then from the start."""
    ids = [question.id for question in asked(paper, person.role)]
    start = ids.index(after) + 1 if after in ids else 0
    still = [item for item in [*ids[start:], *ids[:start]] if item not in person.answers]
    return Progress(len(ids) - len(still), len(ids), still[0] if still else None)


def row_of(person: Person, rules: Instrument) -> pd.DataFrame:
    """The row of `responses`: one row; items without an answer are blank."""
    answers = {item: person.answers.get(item, "") for item in rules.items["item_id"]}
    return pd.DataFrame([{name: getattr(person, name) for name in _ABOUT} | answers])


def person_of(read: Slice, rules: Instrument) -> Person:
    """The person whose row was read.

    Raises
    ------
    UsageError
        No row has this code in this unit and wave.
    """
    if read.rows.empty:
        raise UsageError(
            f'No answers under the code "{read.scope["respondent_id"]}" in {read.scope["unit_id"]}, '
            f"{read.scope['wave']}. Look at the code again, and at unit and wave."
        )
    row = read.rows.iloc[0]
    given = {item: row[item] for item in rules.items["item_id"] if row.get(item)}
    about = {name: row[name] for name in _ABOUT}
    return Person(read.scope["respondent_id"], read.scope["unit_id"], read.scope["wave"], answers=given, **about)


def check_person(person: Person, units: Mapping[str, str]) -> None:
    """Refuse what `aiready check` would set aside: an unknown unit, role or use of AI.

    Raises
    ------
    UsageError
        Names what is known.
    """
    if units and person.unit_id not in units:
        raise unknown("unit", person.unit_id, units)
    if person.role not in ROLES:
        raise unknown("role", person.role, ROLES)
    if person.ai_use and person.ai_use not in AI_USE:
        raise unknown("use of AI", person.ai_use, AI_USE)


def unfinished(rows: pd.DataFrame, paper: Questionnaire) -> list[str]:
    """Codes of people of a workshop who have questions open, in the order they began."""
    here = rows[rows["respondent_id"].str.startswith(CODE)]
    found = []
    for row in here.to_dict("records"):
        ids = [question.id for question in asked(paper, row["role"])]
        found += [row["respondent_id"]] if any(not row.get(item) for item in ids) else []
    return found
