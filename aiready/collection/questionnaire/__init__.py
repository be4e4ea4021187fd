"""The questionnaire out: one statement of what is asked, and how people and survey tools take it."""

from collections.abc import Callable, Mapping, Sequence

from aiready.collection.questionnaire.limesurvey import limesurvey_structure
from aiready.collection.questionnaire.page import printable_page
from aiready.collection.questionnaire.qualtrics import qualtrics_text
from aiready.collection.questionnaire.questions import Choice, Question, Questionnaire, questionnaire
from aiready.collection.questionnaire.tables import as_csv, paste_sheet
from aiready.collection.questionnaire.workbook import workbook
from aiready.errors import unknown

__all__ = ["FORMATS", "Choice", "Question", "Questionnaire", "questionnaire", "to_do", "written"]

Asked = Sequence[Questionnaire]
FORMATS: Mapping[str, tuple[str, Callable[[Asked], bytes]]] = {
    "xlsx": ("xlsx", lambda asked: workbook(asked[0])),
    "csv": ("csv", lambda asked: as_csv(asked[0]).encode("utf-8-sig")),
    "html": ("html", lambda asked: printable_page(asked[0]).encode()),
    "qualtrics-txt": ("qualtrics.txt", lambda asked: qualtrics_text(asked[0]).encode()),
    "limesurvey-tsv": ("limesurvey.txt", lambda asked: limesurvey_structure(asked).encode()),
    "paste": ("paste.txt", lambda asked: paste_sheet(asked[0]).encode()),
}
"""Ending of the file, each its own, and writer by format; LimeSurvey alone takes several languages in one file."""


def written(name: str, asked: Asked) -> bytes:
    """The questionnaire in a format, in the first of the languages given (LimeSurvey: in all of them).

    Examples
    --------
    >>> from aiready.instrument.model import read_instrument
    >>> written("qualtrics-txt", [questionnaire(read_instrument())])[:18]
    b'[[AdvancedFormat]]'
    """
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    return FORMATS[name][1](asked)


def to_do(name: str, asked: Questionnaire) -> list[str]:
    """What somebody still does by hand after a questionnaire is written, a sentence each."""
    said = []
    if asked.blanks:
        blanks = ", ".join(f"[{blank}]" for blank in asked.blanks)
        said.append(f"The introduction still says {blanks}: add rows of that key to about.csv, or edit the file.")
    if not asked.opening[0].choices:
        said.append("No units to choose from: name a data folder with units.csv, or people write theirs down.")
    if name == "qualtrics-txt":
        said.append(
            "The format carries no display logic: in the survey flow, branch to each block whose name lists roles."
        )
    return said
