"""Whether a page must be made again, and why: what it depends on now, beside what it was made from."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from aiready.batch.page_inputs import FACTS_PART, SEVERAL, TOTAL, digest

WORDS = {
    "responses": "answers",
    "invitations": "invitations",
    "initiatives": "initiatives",
    "usage": "usage",
    "trials": "trials",
    "tasks": "tasks",
    "workflow_steps": "workflow steps",
    "decisions": "decisions",
    "feedback": "feedback",
    "probes": "probes",
    "actions": "agreed actions",
    "units": "units",
    TOTAL: "the organisation's total",
    "notebook": "notebook",
    "parameters": "parameters",
    "language": "language",
    "questionnaire": "questionnaire",
    "package": "package",
    "libraries": "libraries",
}
"""What a page depends on, as the log names it."""
CALCULATED = {SEVERAL: "results", FACTS_PART: "dates and notes"}
"""Parts that follow from others: named only where nothing else changed."""
NEW, FORCED = "new", "asked for by --force"
LIBRARIES = ("altair", "nbconvert", "numpy", "pandas", "papermill", "pyarrow", "vl-convert-python")
"""Packages whose version can change the bytes of a page."""


def why(now: Mapping[str, str], before: Mapping[str, str]) -> str:
    """Why a page must be made: which inputs differ from those of the page there is; empty where none does.

    Examples
    --------
    >>> why({"responses": "b", "profile": "d"}, {"responses": "a", "profile": "c"})
    'answers changed'
    >>> why({"tasks": "a"}, {"tasks": "a"})
    ''
    """
    if not before:
        return NEW
    differ = [part for part in {**now, **before} if now.get(part) != before.get(part)]
    named = [WORDS[part] for part in WORDS if part in differ]
    calculated = [CALCULATED.get(part, part) for part in differ if part not in WORDS]
    told = named or calculated
    return f"{', '.join(told)} changed" if told else ""


@cache
def package_digest() -> str:
    """Digest of the package's source, templates, style sheets and tables."""
    top = Path(__file__).parents[1]
    kept = (".py", ".csv", ".css", ".j2", ".json", ".html")
    files = sorted(path for path in top.rglob("*") if path.suffix in kept and "_shipped" not in path.parts)
    return digest(*(str(path.relative_to(top)) + digest(path.read_bytes()) for path in files))


@cache
def library_digest() -> str:
    """Digest of the versions of the libraries that pages are made with."""
    return digest(*map(_version, LIBRARIES))


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name
