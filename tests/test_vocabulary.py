"""Names say what a thing is: a noun of the field, not a participle that could be anything."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAYS_NOTHING = frozenset({
    "alike", "apart", "asked", "begun", "both", "called", "done", "drawn", "ended", "every", "found", "given",
    "gone", "held", "here", "kept", "known", "listed", "made", "mend", "mine", "named", "nought", "odd", "ours",
    "place", "placed", "places", "said", "seen", "several", "shown", "sign", "signs", "spoken", "strange",
    "taken", "theirs", "there", "told", "wanted", "whole",
})  # fmt: skip
"""Words that are no name of a module, function, class, field, parameter or variable: they leave out the noun."""
EXCEPTIONS: dict[str, str] = {}
"""`path::name` -> why the word is the right one there."""
FILES = sorted(path for folder in ("aiready", "tools") for path in (ROOT / folder).rglob("*.py"))


def names(path: Path) -> set[str]:
    """Every name that a module gives: its own, and those of what it defines, assigns, takes or renames."""
    found = {path.parent.name if path.stem == "__init__" else path.stem}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                found.add(name)
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                found.add(name)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_says_what_the_thing_is(path):
    bare = {name.strip("_").lower(): name for name in names(path)}
    here = str(path.relative_to(ROOT))
    assert [bare[word] for word in sorted(SAYS_NOTHING & set(bare)) if f"{here}::{bare[word]}" not in EXCEPTIONS] == []


def test_every_exception_is_needed():
    needed = {f"{path.relative_to(ROOT)}::{name}" for path in FILES for name in names(path)}
    assert set(EXCEPTIONS) <= needed
    assert all(EXCEPTIONS.values())
