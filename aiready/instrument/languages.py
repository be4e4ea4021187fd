"""Read the questionnaire in each language: `items.<lang>.csv`, `words.<lang>.csv`, `intro.<lang>.md`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pandas as pd

from aiready.errors import unknown_name
from aiready.instrument.files import FileSpec, Problem, duplicate_keys, problem_line, read_table
from aiready.model.schema import AI_USE, ROLES
from aiready.package_files import package_file, read_text

OPENING = ("unit_id", "role", "ai_use")
"""Columns of `responses` asked before the items, in this order."""
CLOSING = ("comment",)
"""Columns of `responses` asked after the items."""
EXTRA_ANSWERS = ("does_not_apply", "dont_know")
"""Answers that are not a level: listed last, set apart from the levels, always in this order."""
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
"""Every word_id of `words.<lang>.csv`, which holds one row per word_id: all wording but that of the items."""

INTRO_BLANKS = ("organisation", "ai_examples", "minimum_group", "retention", "contact")
"""Placeholders of the introduction, filled from `about.csv` and `settings.csv`."""
_WORD_BLANKS = {"page.only_for": ("roles",), "sheet.level": ("level",)}
_WORDS_FILE = FileSpec(("word_id", "text"), {}, ("word_id",))
_CODE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


@dataclass(frozen=True)
class Wording:
    """Everything that respondents read, in one language.

    `items` (item_id, facet_label, wording, level_1 ... level_L): one row per item in the order asked.
    `words`: text of every word_id of `WORDS`. `intro`: Markdown with {placeholders}. `code`: a value of HTML's
    `lang`, such as `de`, `es`, `pt-br`.
    """

    code: str
    items: pd.DataFrame
    words: Mapping[str, str]
    intro: str


def read_languages(
    folder: Path, items: pd.DataFrame, levels: tuple[str, ...], first: str
) -> tuple[dict[str, Wording], list[str]]:
    """Read every language of an instrument folder, `first` in front; the second result is its problems, a line each.

    Parameters
    ----------
    folder
        The instrument folder. Words that it leaves out are taken from the shipped words of the language; items and
        introduction must be complete, since they belong to this instrument alone.
    items
        The items of `items.csv`, in the first language.
    levels
        Columns of the levels.
    first
        Code of the language of `items.csv` and `intro.md`.
    """
    columns = ["item_id", "facet_label", "wording", *levels]
    languages: dict[str, Wording] = {}
    problems: list[str] = []
    for code in (first, *_codes(folder)):
        translated = items[columns].reset_index(drop=True)
        item_problems: list[str] = []
        if _CODE.fullmatch(code) is None:
            problems.append(f'Language "{code}" is no code. Write de, es or pt-br in settings.csv or the file name.')
            continue
        if code == first and languages:
            item_problems.append(f"items.{code}.csv: items.csv is in this language already. Remove one of them.")
        elif languages:
            translated, item_problems = _items(folder / f"items.{code}.csv", items, levels)
        words, word_problems = _words(folder, code)
        intro, intro_problems = _intro(folder, "" if code == first else f".{code}")
        problems += [*item_problems, *word_problems, *intro_problems]
        languages.setdefault(code, Wording(code, translated, words, intro))
    return languages, problems


def shipped_words() -> dict[str, dict[str, str]]:
    """Read the words of every shipped language: code -> word_id -> text."""
    paths = sorted(package_file("data/instrument").glob("words.*.csv"))
    tables = {path.name.split(".")[1]: read_table(path, _WORDS_FILE)[0] for path in paths}
    return {code: dict(zip(table["word_id"], table["text"], strict=True)) for code, table in tables.items()}


def _codes(folder: Path) -> list[str]:
    return sorted(path.name.split(".")[1] for path in folder.glob("items.*.csv"))


def _items(path: Path, items: pd.DataFrame, levels: tuple[str, ...]) -> tuple[pd.DataFrame, list[str]]:
    """Items of one language in the order of `items.csv`, and problems."""
    file = FileSpec(("item_id", "wording"), {"facet_label": ""}, ("item_id",))
    table, problems = read_table(path, file, levels)
    if problems:
        return pd.DataFrame(), problems
    problems = [problem_line(path.name, problem) for problem in _item_problems(table, items["item_id"], levels)]
    labels = dict(zip(items["item_id"], items["facet_label"], strict=True))
    blank = table["facet_label"] == ""
    table["facet_label"] = table["facet_label"].mask(blank, table["item_id"].map(labels))
    ordered = table.drop_duplicates("item_id").set_index("item_id").reindex(items["item_id"])
    return ordered.reset_index()[["item_id", "facet_label", "wording", *levels]], problems


def _item_problems(table: pd.DataFrame, item_ids: Iterable[str], levels: tuple[str, ...]) -> Iterator[Problem]:
    for column in ("item_id", "wording", *levels):
        for row in table.index[table[column] == ""]:
            yield row, column, "is empty. Fill it in."
    yield from duplicate_keys(table, ("item_id",))
    for item in item_ids:
        if item not in set(table["item_id"]):
            yield 0, "item_id", f'item "{item}" is missing. Add its row, or remove the file.'


def _words(folder: Path, code: str) -> tuple[dict[str, str], list[str]]:
    """Words of one language, those of the instrument folder before the shipped ones, and problems."""
    words: dict[str, str] = {}
    problems: list[str] = []
    name = f"words.{code}.csv"
    paths = list(dict.fromkeys((package_file("data/instrument") / name, folder / name)))
    for path in (path for path in paths if path.exists()):
        table, table_problems = read_table(path, _WORDS_FILE)
        problems += table_problems
        if table_problems:
            continue
        problems += [problem_line(name, problem) for problem in _word_problems(table)]
        words |= {row.word_id: row.text for row in table.itertuples()}
    missing = [] if problems else [word for word in WORDS if word not in words]
    if missing:
        missing_ids = ", ".join(missing)
        problems.append(f"{name}: {len(missing)} words are missing ({missing_ids}). Copy words.en.csv; translate.")
    return words, problems


def _word_problems(table: pd.DataFrame) -> Iterator[Problem]:
    yield from duplicate_keys(table, ("word_id",))
    for row, word, text in table[["word_id", "text"]].itertuples():
        if word not in WORDS:
            yield row, "word_id", str(unknown_name("word", word, WORDS))
        elif not text:
            yield row, "text", "is empty. Fill it in."
        else:
            yield from ((row, "text", problem) for problem in _blank_problems(text, _WORD_BLANKS.get(word, ())))


def _intro(folder: Path, ending: str) -> tuple[str, list[str]]:
    """Introduction of one language, and problems; the shipped one where the instrument folder holds none at all."""
    name = f"intro{ending}.md"
    has_intro = (folder / name).exists() or (bool(ending) and (folder / "intro.md").exists())
    path = (folder if has_intro else package_file("data/instrument")) / name
    if not path.exists():
        return "", [f"{path.name}: missing from {folder}. Translate intro.md."]
    text = read_text(path)
    return text, [f"{path.name}: {problem}" for problem in _blank_problems(text, INTRO_BLANKS)]


def _blank_problems(text: str, allowed: tuple[str, ...]) -> Iterator[str]:
    """Placeholders of a text that are not allowed in it, and unpaired braces."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        yield "a brace lacks its partner. Close it, or remove it."
        return
    yield from (
        str(unknown_name("placeholder", name, allowed)) if allowed else f"{{{name}}} is not filled here. Remove it."
        for name in names
        if name not in allowed
    )
