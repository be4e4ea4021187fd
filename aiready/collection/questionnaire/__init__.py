"""Write the questionnaire in the formats that people and survey tools take."""

from collections.abc import Callable, Mapping, Sequence

from aiready.collection.questionnaire.limesurvey import limesurvey_structure
from aiready.collection.questionnaire.page import printable_page
from aiready.collection.questionnaire.qualtrics import qualtrics_text
from aiready.collection.questionnaire.questions import Choice, Question, Questionnaire, build_questionnaire
from aiready.collection.questionnaire.tables import as_csv, paste_sheet
from aiready.collection.questionnaire.workbook import questionnaire_workbook
from aiready.errors import unknown_name

__all__ = ["FORMATS", "Choice", "Question", "Questionnaire", "build_questionnaire", "manual_steps", "render"]

Questionnaires = Sequence[Questionnaire]
FORMATS: Mapping[str, tuple[str, Callable[[Questionnaires], bytes]]] = {
    "xlsx": ("xlsx", lambda languages: questionnaire_workbook(languages[0])),
    "csv": ("csv", lambda languages: as_csv(languages[0]).encode("utf-8-sig")),
    "html": ("html", lambda languages: printable_page(languages[0]).encode()),
    "qualtrics-txt": ("qualtrics.txt", lambda languages: qualtrics_text(languages[0]).encode()),
    "limesurvey-tsv": ("limesurvey.txt", lambda languages: limesurvey_structure(languages).encode()),
    "paste": ("paste.txt", lambda languages: paste_sheet(languages[0]).encode()),
}
"""File ending and writer of each format; only LimeSurvey takes several languages in one file."""


def render(format_name: str, questionnaires: Questionnaires) -> bytes:
    """Render a questionnaire in a format, in the first of the given languages (LimeSurvey: in all of them).

    Examples
    --------
    >>> from aiready.instrument.model import read_instrument
    >>> render("qualtrics-txt", [build_questionnaire(read_instrument())])[:18]
    b'[[AdvancedFormat]]'
    """
    if format_name not in FORMATS:
        raise unknown_name("format", format_name, FORMATS)
    return FORMATS[format_name][1](questionnaires)


def manual_steps(format_name: str, questionnaire: Questionnaire) -> list[str]:
    """What remains to be done by hand after a questionnaire is written, a sentence each."""
    steps = []
    if questionnaire.blanks:
        blanks = ", ".join(f"[{blank}]" for blank in questionnaire.blanks)
        steps.append(f"The introduction still says {blanks}: add rows of that key to about.csv, or edit the file.")
    if not questionnaire.opening[0].choices:
        steps.append("No units to choose from: name a data folder with units.csv, or people write theirs down.")
    if format_name == "qualtrics-txt":
        steps.append(
            "The format carries no display logic: in the survey flow, branch to each block whose name lists roles."
        )
    return steps
