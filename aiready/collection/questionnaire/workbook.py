"""The questionnaire as a workbook: what is asked, and a sheet to type answers into that is read as it is."""

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from aiready.collection.questionnaire.questions import Question, Questionnaire
from aiready.collection.questionnaire.tables import paragraphs

ROWS = 500
"""Respondents that the answer sheet has drop-downs for."""
ANSWERS = "responses"
"""Sheet of answers: named like the table it is read as."""
_PROMPT = 255  # what Excel shows beside a cell
_LISTS = "lists"
_NOT_IN_A_FORMULA = frozenset(',"\n\r\t')
"""Signs that end an entry, or the list, where the choices of a drop-down stand in its formula."""
_LEADING = ("respondent_id", "wave")
_HEAD, _WRAPPED = Font(bold=True), Alignment(wrap_text=True, vertical="top")
_GREY = PatternFill(bgColor="B9C2C9", fill_type="solid")


def workbook(asked: Questionnaire) -> bytes:
    """Three sheets: the introduction, one row per question with its answers, one row per respondent.

    In the answer sheet a cell takes what `responses` holds (a level's number, `does not apply`, `don't know`, an
    id); the note on its header and the prompt beside it say what that means. A role's unasked items turn grey.
    """
    book = Workbook()
    _introduce(book.active, asked)
    _list_questions(book.create_sheet("questionnaire"), asked)
    _prepare_answers(book, book.create_sheet(ANSWERS), asked)
    book.active = 0
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _introduce(sheet: Worksheet, asked: Questionnaire) -> None:
    sheet.title = "introduction"
    sheet.column_dimensions["A"].width = 100
    lines = [asked.title, *paragraphs(asked.intro), asked.words["sheet.greyed"]]
    for row, line in enumerate(lines, start=1):
        cell = sheet.cell(row, 1, harmless(line))
        cell.alignment, cell.font = _WRAPPED, Font(bold=row == 1, size=16 if row == 1 else 11)


def _list_questions(sheet: Worksheet, asked: Questionnaire) -> None:
    """One row per question: id, wording, roles asked, answers in order."""
    listed = [question for question in asked.questions if question.id != "unit_id"]
    width = max(len(question.choices) for question in listed)
    words = asked.words
    answers = [words["sheet.level"].format(level=k) for k in range(1, width + 1)]
    sheet.append(["id", words["sheet.question"], words["sheet.asked_of"], *answers])
    for question in listed:
        texts = [question.wording, asked.roles_asked(question), *(choice.text for choice in question.choices)]
        sheet.append([question.id, *map(harmless, texts)])
    widths = {"A": 20, "B": 48, "C": 26} | {get_column_letter(4 + k): 30 for k in range(width)}
    for letter, characters in widths.items():
        sheet.column_dimensions[letter].width = characters
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = _WRAPPED
    for cell in sheet[1]:
        cell.font = _HEAD
    sheet.freeze_panes = "C2"
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _prepare_answers(book: Workbook, sheet: Worksheet, asked: Questionnaire) -> None:
    """One row per respondent: the columns of `responses`, a drop-down in each that has choices."""
    for column, name in enumerate(_LEADING, start=1):
        sheet.cell(1, column, name).font = _HEAD
    for column, question in enumerate(asked.questions, start=len(_LEADING) + 1):
        head = sheet.cell(1, column, question.id)
        head.font = _HEAD
        head.comment = _note(question)
        sheet.column_dimensions[head.column_letter].width = max(14, len(question.id) + 3)
        if question.choices:
            sheet.add_data_validation(_drop_down(book, question, head.column_letter))
        if not question.for_all:
            _grey(sheet, question, head.column_letter, get_column_letter(len(_LEADING) + 2))
    sheet.freeze_panes = sheet.cell(2, len(_LEADING) + 3)


def _note(question: Question) -> Comment:
    choices = "".join(f"\n{choice.value}: {choice.text}" for choice in question.choices)
    return Comment(question.wording + choices, "aiready", width=420, height=60 + 26 * len(question.choices))


def _drop_down(book: Workbook, question: Question, letter: str) -> DataValidation:
    """A list of what the column may hold; a long one stands on a sheet of its own."""
    values = [choice.value for choice in question.choices]
    listed = f'"{",".join(values)}"'
    if len(listed) > _PROMPT or any(set(value) & _NOT_IN_A_FORMULA for value in values):
        listed = _list_apart(book, values)
    choice = DataValidation("list", formula1=listed, allow_blank=True, showErrorMessage=True)
    choice.promptTitle, choice.prompt, choice.showInputMessage = question.id[:32], question.wording[:_PROMPT], True
    choice.add(f"{letter}2:{letter}{ROWS + 1}")
    return choice


def _list_apart(book: Workbook, values: Sequence[str]) -> str:
    """Where a list stands that a formula cannot hold: a column of a hidden sheet, each cell plain text."""
    lists = book[_LISTS] if _LISTS in book.sheetnames else book.create_sheet(_LISTS)
    lists.sheet_state = "hidden"
    column = lists.max_column + 1 if lists["A1"].value is not None else 1
    for row, value in enumerate(values, start=1):
        cell = lists.cell(row, column, value)
        cell.data_type, cell.quotePrefix = "s", True  # text, whatever it begins with: what is chosen is the id itself
    letter = get_column_letter(column)
    return f"{_LISTS}!${letter}$1:${letter}${len(values)}"


def _grey(sheet: Worksheet, question: Question, letter: str, role: str) -> None:
    """Colour the cells of respondents whose role is not asked."""
    asked = ", ".join(f'${role}2<>"{one}"' for one in question.roles)
    rule = FormulaRule(formula=[f'AND(${role}2<>"", {asked})'], fill=_GREY)
    sheet.conditional_formatting.add(f"{letter}2:{letter}{ROWS + 1}", rule)


def harmless(text: str) -> str:
    """A text cell that a spreadsheet will not run as a formula.

    Examples
    --------
    >>> harmless("=1+1"), harmless("as it is")
    ("'=1+1", 'as it is')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
