"""Files as survey tools write them, made from answers after the tools' own documentation and published examples.

Qualtrics: "Understanding Your Dataset" (qualtrics.com/support): in CSV and TSV three heading rows (id, question,
import id), in a workbook two; Status, Progress, Finished as words or as numbers. Microsoft Forms: "Check and share
your form results" (support.microsoft.com): one sheet with ID, Start time, Completion time, Email, Name, Last modified
time; each choice ends in a semicolon where several may be chosen; a statement of a Likert question stands alone.
Google Forms: "View & manage form responses" (support.google.com/docs): Timestamp, then the questions; `Question [row]`
in grids. SurveyMonkey: "Exporting data: file formats" (help.surveymonkey.com): two heading rows, `Response` below a
question with one answer; expanded: a column per choice. LimeSurvey manual, "Export responses": headings as code,
code and text, or text; answers as codes or in full; `submitdate` blank for what was not sent.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from openpyxl import Workbook

from aiready.collection.questionnaire import build_questionnaire, render
from aiready.instrument.model import Instrument, read_instrument

OPENING = ("unit_id", "role", "ai_use")
DAY = pd.Timestamp("2026-10-12 09:00:00")


class Asked:
    """A questionnaire as people saw it in one language: headings, and the words of every answer."""

    def __init__(self, language: str = "en", rules: Instrument | None = None):
        rules = rules or read_instrument()
        self.language = rules.languages[language]
        self.items = list(rules.items["item_id"])
        self.levels = rules.settings.scale_points
        self.columns = [*OPENING, *self.items, "comment"]
        self.units = {"motor-claims": "Motor claims", "contact-centre": "Contact centre"}
        self.known: dict[str, dict[str, str]] = {}

    def question(self, name: str) -> str:
        items = dict(zip(self.items, self.language.items["wording"], strict=True))
        return items.get(name) or self.language.words[f"question.{name}"]

    def choices(self, name: str) -> dict[str, str]:
        """Value in `responses` -> what stands in the form, in the order shown."""
        if name == "unit_id":
            return self.units
        if name not in self.known:
            self.known[name] = self._choices(name)
        return self.known[name]

    def _choices(self, name: str) -> dict[str, str]:
        words = self.language.words
        if name in ("role", "ai_use"):
            return {key.split(".")[1]: text for key, text in words.items() if key.startswith(f"{name}.")}
        row = self.language.items.iloc[self.items.index(name)]
        levels = {str(level): row[f"level_{level}"] for level in range(1, self.levels + 1)}
        return levels | {"does not apply": words["answer.does_not_apply"], "don't know": words["answer.dont_know"]}

    def said(self, name: str, value: str) -> str:
        return value if name == "comment" or not value else self.choices(name)[value]

    def number(self, name: str, value: str) -> str:
        """How a choice stands in an export of numbers or codes."""
        if name in ("comment", "unit_id") or not value:
            return self.said(name, value)
        return str(list(self.choices(name)).index(value) + 1)


class Written(Asked):
    """A questionnaire as a tool has it that was given the file which `aiready questionnaire` wrote.

    Nothing is taken from the instrument but the values that answers stand for, by their order.
    """

    def __init__(self, form: str, language: str, units: dict[str, str]):
        super().__init__(language)
        self.units = units
        codes = sorted(read_instrument().languages, key=lambda code: code != language)
        asked = [build_questionnaire(read_instrument(), code, units=units) for code in codes]
        text = render(form, asked).decode("utf-8-sig")
        self.values = {question.id: [choice.value for choice in question.choices] for question in asked[0].questions}
        self.form = {"limesurvey-tsv": self._limesurvey, "qualtrics-txt": self._qualtrics, "paste": self._paste}[form](
            text
        )

    def _limesurvey(self, text: str) -> dict[str, tuple[str, list[tuple[str, str]]]]:
        """Question code -> its text, and code and text of every answer, in one language."""
        form: dict[str, tuple[str, list[tuple[str, str]]]] = {}
        for row in csv.DictReader(text.splitlines(), delimiter="\t"):
            if row["class"] == "Q" and row["language"] == self.language.code:
                form[row["name"]] = (row["text"], [])
            elif row["class"] == "A" and row["language"] == self.language.code:
                list(form.values())[-1][1].append((row["name"], row["text"]))
        return form

    def _qualtrics(self, text: str) -> dict[str, tuple[str, list[tuple[str, str]]]]:
        form = {}
        for block in text.split("[[Question:")[1:]:
            lines = [line for line in block.splitlines() if line.strip()]
            name = lines[1].removeprefix("[[ID:").removesuffix("]]")
            choices = lines[lines.index("[[Choices]]") + 1 :] if "[[Choices]]" in lines else []
            choices = [line for line in choices if not line.startswith("[[")]
            form[name] = (lines[2], [(str(number), choice) for number, choice in enumerate(choices, start=1)])
        return form

    def _paste(self, text: str) -> dict[str, tuple[str, list[tuple[str, str]]]]:
        rule = "-" * 72
        form = {}
        parts = text.split(rule)[1:]
        for head, body in zip(parts[::2], parts[1::2], strict=True):
            lines = [line for line in body.splitlines() if line.strip()]
            name = head.split("·")[1].strip()
            count = len(self.values[name])
            form[name] = (lines[0], [(str(n), line) for n, line in enumerate(lines[len(lines) - count :], start=1)])
        return form

    def code(self, name: str) -> str:
        return name if name in self.form else name.replace("_", "")

    def question(self, name: str) -> str:
        return self.form[self.code(name)][0]

    def choices(self, name: str) -> dict[str, str]:
        return dict(zip(self.values[name], (text for _, text in self.form[self.code(name)][1]), strict=True))

    def number(self, name: str, value: str) -> str:
        codes = dict(zip(self.values[name], (code for code, _ in self.form[self.code(name)][1]), strict=True))
        return codes.get(value, value)


def people(asked: Asked, n: int = 24, start: int = 0) -> pd.DataFrame:
    """Answers in the words of `responses`: every level, both other answers, blanks; two units, four roles."""
    kinds = [*(str(level) for level in range(1, asked.levels + 1)), "does not apply", "don't know", ""]
    roles, uses = list(asked.choices("role")), list(asked.choices("ai_use"))
    rows = []
    for person in range(start, start + n):
        row = {
            "unit_id": list(asked.units)[person % 2],
            "role": roles[person % len(roles)],
            "ai_use": uses[person % len(uses)],
        }
        row |= {item: kinds[(person * 3 + place) % len(kinds)] for place, item in enumerate(asked.items)}
        rows.append(row | {"comment": f"remark {person}" if person % 5 == 0 else ""})
    return pd.DataFrame(rows)


def _write_csv(path: Path, rows: Sequence[Sequence[str]], *, delimiter: str = ",", encoding: str = "utf-8-sig") -> Path:
    with path.open("w", newline="", encoding=encoding) as stream:
        csv.writer(stream, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return path


def _write_xlsx(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


_QUALTRICS = {
    "StartDate": ("Start Date", "startDate"), "EndDate": ("End Date", "endDate"), "Status": ("Response Type", "status"),
    "IPAddress": ("IP Address", "ipAddress"), "Progress": ("Progress", "progress"),
    "Duration (in seconds)": ("Duration (in seconds)", "duration"), "Finished": ("Finished", "finished"),
    "RecordedDate": ("Recorded Date", "recordedDate"), "ResponseId": ("Response ID", "_recordId"),
    "RecipientLastName": ("Recipient Last Name", "recipientLastName"),
    "RecipientFirstName": ("Recipient First Name", "recipientFirstName"),
    "RecipientEmail": ("Recipient Email", "recipientEmail"),
    "ExternalReference": ("External Data Reference", "externalDataReference"),
    "LocationLatitude": ("Location Latitude", "locationLatitude"),
    "LocationLongitude": ("Location Longitude", "locationLongitude"),
    "DistributionChannel": ("Distribution Channel", "distributionChannel"),
    "UserLanguage": ("User Language", "userLanguage"),
}  # fmt: skip


def qualtrics(path: Path, asked: Asked, rows: pd.DataFrame, *, numeric: bool = False, first: int = 0) -> Path:
    """Choice text or numeric values; `status`, `finished` and `email` columns of `rows` are used where present."""
    first_row = [*_QUALTRICS, *asked.columns]
    second = [text for text, _ in _QUALTRICS.values()] + [asked.question(name) for name in asked.columns]
    third = [f'{{"ImportId":"{own}","timeZone":"Europe/Berlin"}}' for _, own in _QUALTRICS.values()]
    third += [f'{{"ImportId":"QID{number}"}}' for number, _ in enumerate(asked.columns, start=1)]
    says = asked.number if numeric else asked.said
    body = []
    for place, row in enumerate(rows.to_dict("records")):
        at = str(DAY + pd.Timedelta(minutes=place))
        done = row.get("finished", True)
        status = row.get("status", "0" if numeric else "IP Address")
        own = [at, at, status, "203.0.113.7", "100" if done else "40", "540",
               ("1" if done else "0") if numeric else str(done), at, f"R_{first + place:015d}", "Doe", "Jane",
               row.get("email", ""), "", "52.5", "13.4", "email", "EN"]  # fmt: skip
        body.append(own + [says(name, row[name]) for name in asked.columns])
    if path.suffix == ".xlsx":
        return _write_xlsx(path, [first_row, second, *body])
    return _write_csv(path, [first_row, second, third, *body], delimiter="\t" if path.suffix == ".tsv" else ",")


def microsoft_forms(path: Path, asked: Asked, rows: pd.DataFrame, *, own: Sequence[str] = ()) -> Path:
    """A workbook; questions come in another order than asked, choices end in a semicolon."""
    own = own or ("ID", "Start time", "Completion time", "Email", "Name", "Last modified time")
    columns = [*reversed(asked.columns)]
    body = []
    for place, row in enumerate(rows.to_dict("records"), start=1):
        at = DAY + pd.Timedelta(minutes=place)
        said = [asked.said(name, row[name]) for name in columns]
        texts = [
            f"{text};" if text and name not in ("comment",) else text for name, text in zip(columns, said, strict=True)
        ]
        body.append([place, at.to_pydatetime(), at.to_pydatetime(), "anonymous", None, None, *texts])
    return _write_xlsx(path, [[*own, *(asked.question(name) + "\xa0" for name in columns)], *body])


def google_forms(path: Path, asked: Asked, rows: pd.DataFrame, *, stamp: str = "Timestamp", grid: str = "") -> Path:
    """Question text as heading; with `grid`, every item is a row of one grid under that title."""
    heads = [f"{grid} [{asked.question(n)}]" if grid and n in asked.items else asked.question(n) for n in asked.columns]
    body = []
    for place, row in enumerate(rows.to_dict("records")):
        at = (DAY + pd.Timedelta(seconds=31 * place)).strftime("%Y/%m/%d %I:%M:%S %p GMT+2")
        body.append([at, *(asked.said(name, row[name]) for name in asked.columns)])
    return _write_csv(path, [[stamp, *heads], *body], encoding="utf-8")


_SURVEYMONKEY = ("Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address", "First Name",
                 "Last Name", "Custom Data 1")  # fmt: skip


def surveymonkey(
    path: Path, asked: Asked, rows: pd.DataFrame, *, expanded: bool = False, numeric: bool = False
) -> Path:
    """Condensed: a column per question; expanded: a column per choice."""
    first, second = list(_SURVEYMONKEY), [""] * len(_SURVEYMONKEY)
    for name in asked.columns:
        if name == "comment" or not expanded:
            first.append(asked.question(name))
            second.append("Open-Ended Response" if name == "comment" else "Response")
        else:
            choices = list(asked.choices(name).values())
            first += [asked.question(name), *[""] * (len(choices) - 1)]
            second += choices
    says = asked.number if numeric else asked.said
    body = []
    for place, row in enumerate(rows.to_dict("records")):
        at = (DAY + pd.Timedelta(minutes=place)).strftime("%m/%d/%Y %I:%M:%S %p")
        cells = [str(118_000_000_000 + place), "451233", at, at, "203.0.113.7", "", "", "", ""]
        for name in asked.columns:
            if name == "comment" or not expanded:
                cells.append(says(name, row[name]))
            else:
                cells += [says(name, value) if value == row[name] else "" for value in asked.choices(name)]
        body.append(cells)
    write = _write_xlsx if path.suffix == ".xlsx" else _write_csv
    return write(path, [first, second, *body])


_LIMESURVEY = {
    "id": "Response ID", "submitdate": "Date submitted", "lastpage": "Last page", "startlanguage": "Start language",
    "seed": "Seed", "startdate": "Date started", "datestamp": "Date last action", "ipaddr": "IP address",
}  # fmt: skip
_LIMESURVEY_DE = {
    "id": "Antwort ID", "submitdate": "Datum Abgeschickt", "lastpage": "Letzte Seite",
    "startlanguage": "Start-Sprache", "seed": "Zufallsstartwert", "startdate": "Datum gestartet",
    "datestamp": "Datum letzte Aktivität", "ipaddr": "IP-Adresse",
}  # fmt: skip


def limesurvey(path: Path, asked: Asked, rows: pd.DataFrame, *, headings: str = "code", codes: bool = True) -> Path:
    """`headings`: code, both, text; answers as codes or in full. Codes hold letters and digits only."""
    plain = {name: name.replace("_", "") for name in asked.columns}
    own = _LIMESURVEY_DE if asked.language.code == "de" and headings == "text" else _LIMESURVEY
    heads = {
        "code": [*own, *plain.values()],
        "both": [f"{code}. {text}" for code, text in own.items()]
        + [f"{plain[name]}. {asked.question(name)}" for name in asked.columns],
        "text": [*own.values(), *(asked.question(name) for name in asked.columns)],
    }[headings]
    body = []
    for place, row in enumerate(rows.to_dict("records"), start=1):
        at = str(DAY + pd.Timedelta(minutes=place))
        sent = at if row.get("finished", True) else ""
        said = []
        for name in asked.columns:
            number = asked.number(name, row[name])
            coded = f"AO{int(number):02d}" if number.isdigit() and not isinstance(asked, Written) else number
            said.append(coded if codes else asked.said(name, row[name]))
        body.append([str(place), sent, "7", asked.language.code, f"{10**9 + place}", at, at, "203.0.113.7", *said])
    if path.suffix == ".xlsx":
        return _write_xlsx(path, [heads, *body])
    return _write_csv(path, [heads, *body])
