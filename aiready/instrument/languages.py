"""The questionnaire in other languages as data: `items.<lang>.csv`, `words.<lang>.csv`, `intro.<lang>.md`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pandas as pd

from aiready.errors import unknown
from aiready.instrument.files import File, Problem, read_table, read_text, repeated, sentence
from aiready.model.schema import AI_USE, ROLES
from aiready.package_files import shipped

OPENING = ("unit_id", "role", "ai_use")
"""Columns of `responses` that are asked before the items, in this order."""
CLOSING = ("comment",)
"""... and after them."""
EXTRA_ANSWERS = ("does_not_apply", "dont_know")
"""Answers that are no level: apart, last, always in the same place."""
PAGE_WORDS = ("choose", "write", "only_for", "about_you", "questions", "end")
SHEET_WORDS = ("question", "asked_of", "level", "greyed")

WORDS = (
    *(f"question.{name}" for name in (*OPENING, *CLOSING)),
    *(f"role.{role}" for role in ROLES),
    *(f"role_name.{role}" for role in ROLES),
    *(f"ai_use.{use}" for use in AI_USE),
    *(f"answer.{answer}" for answer in EXTRA_ANSWERS),
    *(f"page.{word}" for word in PAGE_WORDS),
    *(f"sheet.{word}" for word in SHEET_WORDS),
)
"""What `words.<lang>.csv` says besides items: one row per word_id."""

INTRO_BLANKS = ("organisation", "ai_examples", "minimum_group", "retention", "contact")
"""What the introduction leaves open: filled from `about.csv` and `settings.csv`."""
_WORD_BLANKS = {"page.only_for": ("roles",), "sheet.level": ("level",)}
_WORDS_FILE = File(("word_id", "text"), {}, ("word_id",))
_CODE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


@dataclass(frozen=True)
class Wording:
    """What respondents read in one language.

    `items` (item_id, facet_label, wording, level_1 ... level_L): one row per item in the order asked.
    `words`: text of every word_id of `WORDS`. `intro`: Markdown with {placeholders}. `code` is what HTML's
    `lang` takes: `de`, `es`, `pt-br`.
    """

    code: str
    items: pd.DataFrame
    words: Mapping[str, str]
    intro: str


def read_languages(
    own: Path, items: pd.DataFrame, levels: tuple[str, ...], first: str
) -> tuple[dict[str, Wording], list[str]]:
    """Every language of an instrument folder, the first one first, and every problem as a sentence.

    Parameters
    ----------
    own
        The folder. Its words may leave out what the shipped words of the language say; its items and
        introduction may not, since they say what this instrument says.
    items
        The items as `items.csv` words them, in the first language.
    levels
        Columns of the levels.
    first
        Code of the language of `items.csv` and `intro.md`.
    """
    columns = ["item_id", "facet_label", "wording", *levels]
    languages: dict[str, Wording] = {}
    problems: list[str] = []
    for code in (first, *_codes(own)):
        translated = items[columns].reset_index(drop=True)
        found: list[str] = []
        if _CODE.fullmatch(code) is None:
            problems.append(f'Language "{code}" is no code. Write de, es or pt-br in settings.csv or the file name.')
            continue
        if code == first and languages:
            found.append(f"items.{code}.csv: items.csv is in this language already. Remove one of them.")
        elif languages:
            translated, found = _items(own / f"items.{code}.csv", items, levels)
        words, wrong = _words(own, code)
        intro, strange = _intro(own, "" if code == first else f".{code}")
        problems += [*found, *wrong, *strange]
        languages.setdefault(code, Wording(code, translated, words, intro))
    return languages, problems


def shipped_words() -> dict[str, dict[str, str]]:
    """Words of every shipped language, whatever languages an instrument has: code -> word_id -> text."""
    paths = sorted(shipped("data/instrument").glob("words.*.csv"))
    tables = {path.name.split(".")[1]: read_table(path, _WORDS_FILE)[0] for path in paths}
    return {code: dict(zip(table["word_id"], table["text"], strict=True)) for code, table in tables.items()}


def _codes(own: Path) -> list[str]:
    return sorted(path.name.split(".")[1] for path in own.glob("items.*.csv"))


def _items(path: Path, items: pd.DataFrame, levels: tuple[str, ...]) -> tuple[pd.DataFrame, list[str]]:
    """Items of one language in the order of `items.csv`, and what is missing or strange."""
    file = File(("item_id", "wording"), {"facet_label": ""}, ("item_id",))
    table, problems = read_table(path, file, levels)
    if problems:
        return pd.DataFrame(), problems
    problems = [sentence(path.name, problem) for problem in _item_problems(table, items["item_id"], levels)]
    labels = dict(zip(items["item_id"], items["facet_label"], strict=True))
    blank = table["facet_label"] == ""
    table["facet_label"] = table["facet_label"].mask(blank, table["item_id"].map(labels))
    ordered = table.drop_duplicates("item_id").set_index("item_id").reindex(items["item_id"])
    return ordered.reset_index()[["item_id", "facet_label", "wording", *levels]], problems


def _item_problems(table: pd.DataFrame, known: Iterable[str], levels: tuple[str, ...]) -> Iterator[Problem]:
    for column in ("item_id", "wording", *levels):
        for row in table.index[table[column] == ""]:
            yield row, column, "is empty. Fill it in."
    yield from repeated(table, ("item_id",))
    for item in known:
        if item not in set(table["item_id"]):
            yield 0, "item_id", f'item "{item}" is missing. Add its row, or remove the file.'


def _words(own: Path, code: str) -> tuple[dict[str, str], list[str]]:
    """Words of one language: the folder's, then the shipped ones where it says nothing."""
    words: dict[str, str] = {}
    problems: list[str] = []
    name = f"words.{code}.csv"
    paths = list(dict.fromkeys(folder / name for folder in (shipped("data/instrument"), own)))
    for path in (path for path in paths if path.exists()):
        table, wrong = read_table(path, _WORDS_FILE)
        problems += wrong
        if wrong:
            continue
        problems += [sentence(name, problem) for problem in _word_problems(table)]
        words |= {row.word_id: row.text for row in table.itertuples()}
    lacking = [] if problems else [word for word in WORDS if word not in words]
    if lacking:
        named = ", ".join(lacking)
        problems.append(f"{name}: {len(lacking)} words are missing ({named}). Copy words.en.csv; translate.")
    return words, problems


def _word_problems(table: pd.DataFrame) -> Iterator[Problem]:
    yield from repeated(table, ("word_id",))
    for row, word, text in table[["word_id", "text"]].itertuples():
        if word not in WORDS:
            yield row, "word_id", str(unknown("word", word, WORDS))
        elif not text:
            yield row, "text", "is empty. Fill it in."
        else:
            yield from ((row, "text", said) for said in _strange_blanks(text, _WORD_BLANKS.get(word, ())))


def _intro(own: Path, ending: str) -> tuple[str, list[str]]:
    """Introduction of one language; the shipped one where the folder brings none of its own in any language."""
    base = shipped("data/instrument")
    folder = own if (ending and (own / "intro.md").exists()) or (own / f"intro{ending}.md").exists() else base
    path = folder / f"intro{ending}.md"
    if not path.exists():
        return "", [f"{path.name}: missing from {own}. Translate intro.md."]
    text = read_text(path)
    return text, [f"{path.name}: {said}" for said in _strange_blanks(text, INTRO_BLANKS)]


def _strange_blanks(text: str, known: tuple[str, ...]) -> Iterator[str]:
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        yield "a brace lacks its partner. Close it, or remove it."
        return
    yield from (
        str(unknown("placeholder", name, known)) if known else f"{{{name}}} is not filled here. Remove it."
        for name in names
        if name not in known
    )
