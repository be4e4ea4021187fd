"""Read a library of task statements that the user supplies, search its jobs, and take the tasks of one."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aiready.errors import InputError, UsageError
from aiready.inputs.files import canonical, read_csv
from aiready.measures.tasks import TASKS_PER_JOB

CODE = "O*NET-SOC Code"
COLUMNS = {
    "Title": "job", "Task": "task", "Task ID": "task_id", "Task Type": "kind", "human_labels": "exposure", CODE: "code",
}  # fmt: skip
"""Column of the file -> column here; the task, and a title or a code, are required."""
TITLES = "Occupation Data"
"""Name of O*NET's file of titles, without its extension; `Task Statements.txt` has only codes."""
TEXTS = (".txt", ".tsv", ".csv")
CORE, OTHER_WEIGHT = "core", 0.5
"""Core tasks weigh 1, all others a half, as in the published occupation scores."""


@dataclass(frozen=True)
class Library:
    """Task statements: one row per job x task (`job`, `task_id`, `task`, `core`, `exposure`: E0, E1, E2 or blank).

    `note` says which file is lacking if jobs have a code instead of a title; else it is empty.
    """

    file: str
    tasks: pd.DataFrame
    note: str = ""


def read_library(path: Path) -> Library:
    """Read a library: a CSV or TSV file with the columns `Title` and `Task`, and optionally the others of `COLUMNS`.

    O*NET's `Task Statements.txt` is read as published: titles come from `Occupation Data.txt` in the same folder;
    without that file, a job's name is its code.

    Raises
    ------
    UsageError
        There is no such file.
    InputError
        The file cannot be read, or lacks a required column.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file. Give the path of a CSV or TSV file of task statements.")
    table = read_csv(path, tuple(COLUMNS), path.name).batches.read_all().to_pandas()
    absent = [name for name in ("Title", "Task") if name not in table and not (name == "Title" and CODE in table)]
    if absent:
        raise InputError(f"{path.name}: the column {' and '.join(absent)} is missing. Add or rename it.")
    rows = table.reindex(columns=list(COLUMNS)).rename(columns=COLUMNS).fillna("")
    rows["job"], note = _jobs(rows, path)
    rows = rows[(rows["job"] != "") & (rows["task"] != "")].reset_index(drop=True)
    numbered = [str(number) for number in range(1, len(rows) + 1)]
    rows["task_id"] = rows["task_id"].str.removesuffix(".0").where(rows["task_id"] != "", numbered)
    rows["core"] = rows["kind"].str.lower().eq(CORE)
    rows["exposure"] = rows["exposure"].where(rows["exposure"].isin(["E0", "E1", "E2"]), "")
    return Library(path.name, rows[["job", "task_id", "task", "core", "exposure"]], note)


def _jobs(rows: pd.DataFrame, path: Path) -> tuple[pd.Series, str]:
    """Title of every row's job, else its code; and a note if titles are lacking."""
    untitled = (rows["job"] == "") & (rows["code"] != "")
    if not untitled.any():
        return rows["job"], ""
    titles = _titles(path.parent)
    jobs = rows["job"].mask(untitled, rows["code"].map(titles).fillna(rows["code"]))
    coded = rows.loc[untitled & (jobs == rows["code"]), "code"].nunique()
    if not coded:
        return jobs, ""
    if titles:
        return jobs, f"{TITLES} beside the file has no title for {coded} of its codes: these jobs bear their code."
    return jobs, f"Jobs bear their {CODE}: for titles, put {TITLES}.txt of the same release beside the file."


def _titles(folder: Path) -> dict[str, str]:
    """Titles by code from O*NET's file of titles in a folder; empty if there is none."""
    files = (path for path in sorted(folder.iterdir()) if path.suffix.lower() in TEXTS)
    path = next((path for path in files if canonical(path.stem) == canonical(TITLES)), None)
    if path is None:
        return {}
    table = read_csv(path, (CODE, "Title"), path.name).batches.read_all().to_pandas()
    if not {CODE, "Title"} <= set(table):
        raise InputError(f"{path.name}: the columns {CODE} and Title must be there. Take the file as O*NET ships it.")
    titled = table.dropna(subset=[CODE, "Title"])
    return dict(zip(titled[CODE].str.strip(), titled["Title"].str.strip(), strict=True))


def search_jobs(library: Library, words: str, limit: int = 30) -> pd.DataFrame:
    """Search jobs: first those with every word in their title, then by the number of tasks with every word.

    Returns
    -------
    pandas.DataFrame
        One row per job: `job`, `tasks`, `found` (number of tasks with every word), at most `limit` rows.
    """
    terms = re.findall(r"\w+", words.lower())
    if not terms:
        return pd.DataFrame(columns=["job", "tasks", "found"])
    rows = library.tasks.assign(hit=_contains_words(library.tasks["task"], terms))
    jobs = rows.groupby("job", sort=False).agg(tasks=("task", "size"), found=("hit", "sum")).reset_index()
    jobs["titled"] = _contains_words(jobs["job"], terms)
    jobs = jobs[jobs["titled"] | jobs["found"].gt(0)]
    return jobs.sort_values(["titled", "found"], ascending=False, kind="stable").head(limit)[["job", "tasks", "found"]]


def _contains_words(texts: pd.Series, words: list[str]) -> pd.Series:
    lower = texts.str.lower()
    matches = pd.Series(True, texts.index)
    for word in words:
        matches &= lower.str.contains(rf"\b{re.escape(word)}", regex=True)
    return matches


def starting_tasks(library: Library, job: str) -> pd.DataFrame:
    """Tasks of a job to start a board with: up to twenty core tasks, filled up to fifteen with others.

    Returns
    -------
    pandas.DataFrame
        Rows of the table `tasks` as text: task_id, task, weight (1 if core, else a half), exposure.

    Raises
    ------
    UsageError
        The library has no job of that title.
    """
    rows = library.tasks[library.tasks["job"] == job]
    if rows.empty:
        raise UsageError(f'{library.file} has no job "{job}". Search for a word of its title.')
    fewest, most = TASKS_PER_JOB
    core, others = rows[rows["core"]].head(most), rows[~rows["core"]]
    chosen = pd.concat([core, others.head(max(fewest - len(core), 0))])
    weight = chosen["core"].map({True: "1", False: f"{OTHER_WEIGHT:g}"})
    return chosen.assign(weight=weight)[["task_id", "task", "weight", "exposure"]].reset_index(drop=True)
