"""Write the questionnaire in Qualtrics' advanced text format, for "Import survey".

The format holds ids, blocks and choices, but no display logic. Questions asked of the same roles therefore form a
block whose name lists the roles, so that one branch per block in the survey flow routes respondents.

References
----------
Qualtrics support, "Import & Export Surveys", section "Preparing an Advanced Format TXT File".
"""

from collections.abc import Iterator
from itertools import groupby

from aiready.collection.questionnaire.page import html_of
from aiready.collection.questionnaire.questions import Question, Questionnaire

DROP_DOWN_FROM = 12
"""Number of choices from which a question is a drop-down."""


def qualtrics_text(questionnaire: Questionnaire) -> str:
    """Blocks and questions in the advanced format; choices count from 1 in the order of the questionnaire."""
    return "\n".join(_lines(questionnaire)) + "\n"


def _lines(questionnaire: Questionnaire) -> Iterator[str]:
    yield from ("[[AdvancedFormat]]", "", f"[[Block:{questionnaire.words['page.about_you']}]]", "")
    intro = f"<h2>{html_of(questionnaire.title, inline=True)}</h2> {' '.join(html_of(questionnaire.intro).split())}"
    yield from ("[[Question:DB]]", "[[ID:intro]]", _plain(intro), "", "[[PageBreak]]", "")
    for question in questionnaire.opening:
        yield from _question(question)
    for number, (roles, questions) in enumerate(groupby(questionnaire.items, key=lambda item: item.roles), start=1):
        shared = list(questions)
        name = questionnaire.words["page.questions"] if shared[0].for_all else questionnaire.roles_asked(shared[0])
        yield from (f"[[Block:{number} · {_plain(name)} · {';'.join(roles)}]]", "")
        for question in shared:
            yield from _question(question)
    yield from (f"[[Block:{_plain(questionnaire.words['page.end'])}]]", "")
    for question in questionnaire.closing:
        yield from _question(question)


def _question(question: Question) -> Iterator[str]:
    yield from (f"[[Question:{_kind(question)}]]", f"[[ID:{question.id}]]", _literal(question.wording))
    if question.choices:
        yield "[[Choices]]"
        yield from (_literal(choice.text) for choice in question.choices)
    yield ""


def _kind(question: Question) -> str:
    if not question.choices:
        return "TE:Essay" if question.id == "comment" else "TE:SingleLine"
    return "MC:Dropdown" if len(question.choices) >= DROP_DOWN_FROM else "MC:SingleAnswer:Vertical"


def _literal(text: str) -> str:
    """Text on one line in which Qualtrics finds no HTML tag and no piped text."""
    return _plain(text.replace("<", "&lt;").replace(">", "&gt;").replace("${", "$&#123;"))


def _plain(text: str) -> str:
    """Text on one line that holds no tag of the format."""
    return " ".join(text.replace("[[", "[ [").replace("]]", "] ]").split())
