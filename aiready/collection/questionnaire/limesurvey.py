"""Write the questionnaire as LimeSurvey's tab-separated survey structure: all languages in one file, routed by role.

References
----------
LimeSurvey manual, "Tab Separated Value survey structure": classes S, SL, G, Q and A, one row each and one per
language; groups and questions of further languages follow in the same order. LimeSurvey manual, "ExpressionScript":
relevance equations. Question codes hold letters and digits, at most 20; answer codes at most five.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from aiready.collection.questionnaire.page import html_of
from aiready.collection.questionnaire.questions import Question, Questionnaire
from aiready.errors import InstrumentError
from aiready.instrument.languages import OPENING

COLUMNS = (
    "class", "type/scale", "name", "relevance", "text", "help", "language", "validation", "mandatory", "other",
    "default", "same_default",
)  # fmt: skip
Row = dict[str, str]
_SETTINGS = {
    "anonymized": "Y", "datestamp": "N", "savetimings": "N", "ipaddr": "N", "ipanonymize": "Y", "refurl": "N",
    "format": "G", "allowprev": "Y", "allowsave": "N", "usecookie": "N", "showwelcome": "Y", "showprogress": "Y",
    "showgroupinfo": "N", "showqnumcode": "N", "shownoanswer": "Y", "questionindex": "0", "publicstatistics": "N",
}  # fmt: skip
"""Survey settings: anonymous, no addresses, no times; one page per group; no question is mandatory."""
_DROP_DOWN_FROM = 12


def limesurvey_structure(languages: Sequence[Questionnaire]) -> str:
    """Tab-separated rows of one survey in several languages, the first being its base language.

    The introduction is written in ASCII with character entities, because LimeSurvey guesses the encoding from the
    first thousand bytes, which may end within a letter.

    Raises
    ------
    InstrumentError
        Two questions would have the same code, because their ids differ in punctuation only.
    """
    _refuse_equal_codes(languages[0])
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS, restval="", delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_survey(languages))
    for questionnaire in languages:
        writer.writerows(_texts(questionnaire))
    for questionnaire in languages:
        writer.writerows(_questions(questionnaire, languages[0]))
    return file.getvalue()


def _refuse_equal_codes(questionnaire: Questionnaire) -> None:
    code_counts = Counter(question.code for question in questionnaire.questions)
    question_ids = [question.id for question in questionnaire.questions if code_counts[question.code] > 1]
    if question_ids:
        raise InstrumentError(
            f"items.csv: LimeSurvey takes letters and digits alone, and {', '.join(question_ids)} read alike then. "
            "Rename one."
        )


def _survey(languages: Sequence[Questionnaire]) -> Iterator[Row]:
    codes = [_code(questionnaire) for questionnaire in languages]
    settings = {"language": codes[0], "additional_languages": " ".join(codes[1:])} | _SETTINGS
    for name, value in settings.items():
        yield {"class": "S", "name": name, "text": value}


def _texts(questionnaire: Questionnaire) -> Iterator[Row]:
    texts = {
        "surveyls_welcometext": html_of(questionnaire.intro).replace("\n", " ").strip(),
        "surveyls_title": questionnaire.title,
        "surveyls_endtext": questionnaire.words["page.end"],
    }
    for name, text in texts.items():
        escaped = text.encode("ascii", "xmlcharrefreplace").decode()
        yield {"class": "SL", "name": name, "text": escaped, "language": _code(questionnaire)}


def _questions(questionnaire: Questionnaire, first: Questionnaire) -> Iterator[Row]:
    language = {"language": _code(questionnaire)}
    groups = (
        ("G1", questionnaire.words["page.about_you"], questionnaire.opening),
        ("G2", questionnaire.words["page.questions"], (*questionnaire.items, *questionnaire.closing)),
    )
    roles = {choice.value: choice.code for choice in first.opening[OPENING.index("role")].choices}
    for group, name, questions in groups:
        yield {"class": "G", "type/scale": group, "name": name, "relevance": "1"} | language
        for question in questions:
            yield {
                "class": "Q", "type/scale": _kind(question), "name": question.code, "text": _literal(question.wording),
                "relevance": _relevance(question, roles), "mandatory": "N", "other": "N",
            } | language  # fmt: skip
            for choice in question.choices:
                yield {"class": "A", "type/scale": "0", "name": choice.code, "text": _literal(choice.text)} | language


def _literal(text: str) -> str:
    """Escape what LimeSurvey would interpret: tags, expressions in braces, backslashes.

    Examples
    --------
    >>> _literal("Claims <North> {A} & co")
    'Claims &lt;North&gt; &#123;A&#125; & co'
    """
    return "".join(_ENTITIES.get(character, character) for character in text)


_ENTITIES = {"<": "&lt;", ">": "&gt;", "{": "&#123;", "}": "&#125;", "\\": "&#92;"}


def _relevance(question: Question, codes: dict[str, str]) -> str:
    """Condition under which a question is asked: the role is one of its roles, or was not given."""
    if question.for_all:
        return "1"
    roles = " or ".join(f'role.NAOK == "{codes[role]}"' for role in question.roles)
    return f"is_empty(role.NAOK) or {roles}"


def _kind(question: Question) -> str:
    if not question.choices:
        return "T" if question.id == "comment" else "S"
    return "!" if len(question.choices) >= _DROP_DOWN_FROM else "L"


def _code(questionnaire: Questionnaire) -> str:
    """Language code as LimeSurvey writes it: `de`, `pt-BR`."""
    language, _, region = questionnaire.language.partition("-")
    return f"{language}-{region.upper()}" if region else language
