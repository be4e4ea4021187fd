"""Write the questionnaire as plain text: a CSV table, and a sheet to paste from into form tools."""

import csv
import io
from collections.abc import Iterator

from aiready.collection.questionnaire.questions import Question, Questionnaire

RULE = "-" * 72


def as_csv(questionnaire: Questionnaire) -> str:
    """CSV of one row per question: id, roles asked, wording, then its answers in order; units are in `units.csv`."""
    answers = {question.id: [choice.text for choice in question.choices] for question in questionnaire.questions}
    answers["unit_id"] = []
    width = max(map(len, answers.values()))
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["id", "roles", "question", *(f"answer_{k}" for k in range(1, width + 1))])
    for question in questionnaire.questions:
        row = [question.id, ";".join(question.roles), question.wording, *answers[question.id]]
        writer.writerow(row + [""] * (width + 3 - len(row)))
    return file.getvalue()


def paste_sheet(questionnaire: Questionnaire) -> str:
    """Blocks to copy into Microsoft Forms or Google Forms, question by question, each under a heading.

    Both tools turn each pasted line into an option, and neither can skip a single question by the role. A question
    that not every role is asked therefore says so, and the answers of other roles are ignored after import.
    """
    return "\n".join([questionnaire.title, "", *paragraphs(questionnaire.intro), "", *_blocks(questionnaire)]) + "\n"


def paragraphs(markdown: str) -> list[str]:
    """Paragraphs of a Markdown text, a line each, without emphasis.

    Examples
    --------
    >>> paragraphs("**One** of\\ntwo.\\n\\nThree.")
    ['One of two.', 'Three.']
    """
    return [" ".join(part.replace("*", "").split()) for part in markdown.split("\n\n")]


def _blocks(questionnaire: Questionnaire) -> Iterator[str]:
    for number, question in enumerate(questionnaire.questions, start=1):
        kind = "single choice" if question.choices else "text"
        yield from (RULE, f"{number} · {question.id} · {kind}", RULE, question.wording)
        hint = role_hint(questionnaire, question)
        yield from ([hint] if hint else [])
        yield ""
        yield from (" ".join(choice.text.split()) for choice in question.choices)  # each line is an option
        yield from ([""] if question.choices else [])


def role_hint(questionnaire: Questionnaire, question: Question) -> str:
    """Sentence that names the roles a question is asked of; empty when every role is asked."""
    return (
        ""
        if question.for_all
        else questionnaire.words["page.only_for"].format(roles=questionnaire.roles_asked(question))
    )
