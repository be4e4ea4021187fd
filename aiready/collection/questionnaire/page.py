"""Write the questionnaire as one printable A4 page in HTML, with form controls, without scripts or requests."""

from pathlib import Path

import mistune

from aiready.collection.questionnaire.questions import EXTRA_ANSWER_VALUES, Choice, Question, Questionnaire
from aiready.collection.questionnaire.tables import role_hint
from aiready.messages.markup import Block

STYLE = Path(__file__).with_name("page.css")
TWO_COLUMNS_FROM = 12
"""Number of answers from which their list has two columns."""
_markdown = mistune.create_markdown(escape=True)


def html_of(text: str, *, inline: bool = False) -> Block:
    """Convert Markdown to HTML, escaping any HTML in it.

    Examples
    --------
    >>> html_of("**Yes** <b>", inline=True)
    Block('<strong>Yes</strong> &lt;b&gt;')
    """
    html = Block(str(_markdown(text)).strip())
    return html.removeprefix("<p>").removesuffix("</p>") if inline else html


_PAGE = Block("""<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div class="intro">{intro}</div>
<form>
<h2>{words[page.about_you]}</h2>
{opening}<h2>{words[page.questions]}</h2>
{items}{closing}</form>
<p class="end">{words[page.end]}</p>
</main>
</body>
</html>
""")


def printable_page(questionnaire: Questionnaire) -> str:
    """The whole questionnaire as HTML; each level shows its number, for typing in answers from paper."""
    numbers = {question.id: number for number, question in enumerate(questionnaire.questions, start=1)}
    parts = {
        part: Block().join(_question(questionnaire, question, numbers[question.id]) for question in questions)
        for part, questions in (
            ("opening", questionnaire.opening), ("items", questionnaire.items), ("closing", questionnaire.closing)
        )
    }  # fmt: skip
    page = _PAGE.format(
        lang=questionnaire.language,
        title=questionnaire.title,
        style=Block(STYLE.read_text(encoding="utf-8")),
        intro=html_of(questionnaire.intro),
        words=questionnaire.words,
        **parts,
    )
    return str(page)


def _question(questionnaire: Questionnaire, question: Question, number: int) -> Block:
    hint = role_hint(questionnaire, question)
    note = Block('<p class="only">{}</p>\n' if hint else "").format(hint)
    wording = Block("<b>{} </b>{}").format(number, question.wording)
    if not question.choices:
        return Block(
            '<div class="question"><label class="wording" for="{name}">{wording}</label>\n{note}'
            '<textarea id="{name}" name="{name}" rows="{rows}"></textarea>\n</div>\n'
        ).format(name=question.id, wording=wording, note=note, rows=_lines(question))
    return Block(
        '<fieldset class="question"><legend class="wording">{wording}</legend>\n{note}<ul{kind}>\n{answers}</ul>\n'
        "</fieldset>\n"
    ).format(
        wording=wording,
        note=note,
        kind=Block(' class="many"' if len(question.choices) >= TWO_COLUMNS_FROM else ""),
        answers=Block().join(_answer(question.id, choice) for choice in question.choices),
    )


def _answer(name: str, choice: Choice) -> Block:
    """One answer: a level with its number, or one of the two extra answers, set apart."""
    is_level = choice.value.isdigit()
    number = Block('<span class="code" aria-hidden="true">{}</span>' if is_level else "<i></i>").format(choice.value)
    kind = Block(' class="apart"' if choice.value in EXTRA_ANSWER_VALUES.values() else "")
    return Block(
        '<li{kind}><label><input type="radio" name="{name}" value="{choice.value}">{number}'
        "<span>{choice.text}</span></label></li>\n"
    ).format(kind=kind, name=name, choice=choice, number=number)


def _lines(question: Question) -> int:
    return 5 if question.id == "comment" else 1
