"""Write the questionnaire as a workbook, with a sheet to type answers into that is read as `responses`."""

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
"""Rows of the answer sheet that have drop-downs."""
ANSWER_SHEET = "responses"
"""Name of the answer sheet: the table it is read as."""
_LONGEST_PROMPT = 255  # what Excel shows beside a cell
_LISTS = "lists"
_NOT_IN_A_FORMULA = frozenset(',"\n\r\t')
"""Characters that end a choice, or the list of choices, in the formula of a drop-down."""
_LEADING = ("respondent_id", "wave")
_HEAD, _WRAPPED = Font(bold=True), Alignment(wrap_text=True, vertical="top")
_GREY = PatternFill(bgColor="B9C2C9", fill_type="solid")


def questionnaire_workbook(questionnaire: Questionnaire) -> bytes:
    """Write three sheets: the introduction; one row per question with its answers; one row per respondent.

    The answer sheet takes the values of `responses` (a level's number, `does not apply`, `don't know`, an id); the
    note on a header and the prompt of a cell explain them. Items that the row's role is not asked turn grey.
    """
    book = Workbook()
    _write_introduction(book.active, questionnaire)
    _write_questions(book.create_sheet("questionnaire"), questionnaire)
    _write_answer_sheet(book, book.create_sheet(ANSWER_SHEET), questionnaire)
    book.active = 0
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _write_introduction(sheet: Worksheet, questionnaire: Questionnaire) -> None:
    sheet.title = "introduction"
    sheet.column_dimensions["A"].width = 100
    lines = [questionnaire.title, *paragraphs(questionnaire.intro), questionnaire.words["sheet.greyed"]]
    for row, line in enumerate(lines, start=1):
        cell = sheet.cell(row, 1, escape_formula(line))
        cell.alignment, cell.font = _WRAPPED, Font(bold=row == 1, size=16 if row == 1 else 11)


def _write_questions(sheet: Worksheet, questionnaire: Questionnaire) -> None:
    """One row per question: id, wording, roles asked, answers in order."""
    questions = [question for question in questionnaire.questions if question.id != "unit_id"]
    width = max(len(question.choices) for question in questions)
    words = questionnaire.words
    answers = [words["sheet.level"].format(level=k) for k in range(1, width + 1)]
    sheet.append(["id", words["sheet.question"], words["sheet.asked_of"], *answers])
    for question in questions:
        texts = [question.wording, questionnaire.roles_asked(question), *(choice.text for choice in question.choices)]
        sheet.append([question.id, *map(escape_formula, texts)])
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


def _write_answer_sheet(book: Workbook, sheet: Worksheet, questionnaire: Questionnaire) -> None:
    """One row per respondent: the columns of `responses`, a drop-down in each that has choices."""
    for column, name in enumerate(_LEADING, start=1):
        sheet.cell(1, column, name).font = _HEAD
    for column, question in enumerate(questionnaire.questions, start=len(_LEADING) + 1):
        head = sheet.cell(1, column, question.id)
        head.font = _HEAD
        head.comment = _note(question)
        sheet.column_dimensions[head.column_letter].width = max(14, len(question.id) + 3)
        if question.choices:
            sheet.add_data_validation(_drop_down(book, question, head.column_letter))
        if not question.for_all:
            _grey_out_other_roles(sheet, question, head.column_letter, get_column_letter(len(_LEADING) + 2))
    sheet.freeze_panes = sheet.cell(2, len(_LEADING) + 3)


def _note(question: Question) -> Comment:
    choices = "".join(f"\n{choice.value}: {choice.text}" for choice in question.choices)
    return Comment(question.wording + choices, "aiready", width=420, height=60 + 26 * len(question.choices))


def _drop_down(book: Workbook, question: Question, letter: str) -> DataValidation:
    """Drop-down of the values of a column; those that its formula cannot hold are put on a hidden sheet."""
    values = [choice.value for choice in question.choices]
    formula = f'"{",".join(values)}"'
    if len(formula) > _LONGEST_PROMPT or any(set(value) & _NOT_IN_A_FORMULA for value in values):
        formula = hidden_list(book, values)
    validation = DataValidation("list", formula1=formula, allow_blank=True, showErrorMessage=True)
    validation.promptTitle, validation.prompt = question.id[:32], question.wording[:_LONGEST_PROMPT]
    validation.showInputMessage = True
    validation.add(f"{letter}2:{letter}{ROWS + 1}")
    return validation


def hidden_list(book: Workbook, values: Sequence[str]) -> str:
    """Write values into the next free column of the hidden sheet `lists`; return the formula of that range."""
    lists = book[_LISTS] if _LISTS in book.sheetnames else book.create_sheet(_LISTS)
    lists.sheet_state = "hidden"
    column = lists.max_column + 1 if lists["A1"].value is not None else 1
    for row, value in enumerate(values, start=1):
        cell = lists.cell(row, column, value)
        cell.data_type, cell.quotePrefix = "s", True  # text, also where it begins as a formula does
    letter = get_column_letter(column)
    return f"{_LISTS}!${letter}$1:${letter}${len(values)}"


def _grey_out_other_roles(sheet: Worksheet, question: Question, letter: str, role: str) -> None:
    """Turn cells grey where the role in the row is not asked the question."""
    not_asked = ", ".join(f'${role}2<>"{asked_role}"' for asked_role in question.roles)
    rule = FormulaRule(formula=[f'AND(${role}2<>"", {not_asked})'], fill=_GREY)
    sheet.conditional_formatting.add(f"{letter}2:{letter}{ROWS + 1}", rule)


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula.

    Examples
    --------
    >>> escape_formula("=1+1"), escape_formula("as it is")
    ("'=1+1", 'as it is')
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
