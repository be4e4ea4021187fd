"""Write the questionnaire as one printable A4 page in HTML, with form controls, without scripts or requests."""

from html import escape
from pathlib import Path

import mistune

from aiready.collection.questionnaire.questions import EXTRA_ANSWER_VALUES, Choice, Question, Questionnaire
from aiready.collection.questionnaire.tables import role_hint

STYLE = Path(__file__).with_name("page.css")
TWO_COLUMNS_FROM = 12
"""Number of answers from which their list has two columns."""
_markdown = mistune.create_markdown(escape=True)


def html_of(text: str, *, inline: bool = False) -> str:
    """Convert Markdown to HTML, escaping any HTML in it.

    Examples
    --------
    >>> html_of("**Yes** <b>", inline=True)
    '<strong>Yes</strong> &lt;b&gt;'
    """
    html = str(_markdown(text)).strip()
    return html.removeprefix("<p>").removesuffix("</p>") if inline else html


def printable_page(questionnaire: Questionnaire) -> str:
    """The whole questionnaire as HTML; each level shows its number, for typing in answers from paper."""
    words = questionnaire.words
    closing = "".join(
        _question(questionnaire, question, number) for number, question in _numbered(questionnaire, "closing")
    )
    about = "".join(
        _question(questionnaire, question, number) for number, question in _numbered(questionnaire, "opening")
    )
    items = "".join(
        _question(questionnaire, question, number) for number, question in _numbered(questionnaire, "items")
    )
    return f"""<!DOCTYPE html>
<html lang="{escape(questionnaire.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(questionnaire.title)}</title>
<style>{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
<h1>{escape(questionnaire.title)}</h1>
<div class="intro">{html_of(questionnaire.intro)}</div>
<form>
<h2>{escape(words["page.about_you"])}</h2>
{about}<h2>{escape(words["page.questions"])}</h2>
{items}{closing}</form>
<p class="end">{escape(words["page.end"])}</p>
</main>
</body>
</html>
"""


def _numbered(questionnaire: Questionnaire, part: str) -> list[tuple[int, Question]]:
    """Questions of one part (opening, items, closing) with their numbers in the whole questionnaire."""
    numbers = {question.id: number for number, question in enumerate(questionnaire.questions, start=1)}
    return [(numbers[question.id], question) for question in getattr(questionnaire, part)]


def _question(questionnaire: Questionnaire, question: Question, number: int) -> str:
    hint, name = role_hint(questionnaire, question), escape(question.id)
    note = f'<p class="only">{escape(hint)}</p>\n' if hint else ""
    wording = f"<b>{number} </b>{escape(question.wording)}"
    if not question.choices:
        label = f'<label class="wording" for="{name}">{wording}</label>\n{note}'
        field = f'<textarea id="{name}" name="{name}" rows="{_lines(question)}"></textarea>'
        return f'<div class="question">{label}{field}\n</div>\n'
    answers = "".join(_answer(name, choice) for choice in question.choices)
    kind = ' class="many"' if len(question.choices) >= TWO_COLUMNS_FROM else ""
    legend = f'<legend class="wording">{wording}</legend>\n{note}'
    return f'<fieldset class="question">{legend}<ul{kind}>\n{answers}</ul>\n</fieldset>\n'


def _answer(name: str, choice: Choice) -> str:
    """One answer: a level with its number, or one of the two extra answers, set apart."""
    control = f'<input type="radio" name="{name}" value="{escape(choice.value)}">'
    number = f'<span class="code" aria-hidden="true">{choice.value}</span>' if choice.value.isdigit() else "<i></i>"
    kind = ' class="apart"' if choice.value in EXTRA_ANSWER_VALUES.values() else ""
    return f"<li{kind}><label>{control}{number}<span>{escape(choice.text)}</span></label></li>\n"


def _lines(question: Question) -> int:
    return 5 if question.id == "comment" else 1
