"""What is kept on this machine so that a notebook opens in a blink: protected results, for the user alone."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from aiready.atomic_files import private
from aiready.errors import InfrastructureError

FOLDER = "AIREADY_MEMORY"
"""Environment variable: where it is kept; default: the user's cache folder."""
KEPT = 4
"""Results kept; the oldest go first."""


def folder() -> Path:
    """The private folder (mode 0700) of what is kept; made when absent.

    Raises
    ------
    InfrastructureError
        It cannot be made.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return private(Path(os.environ.get(FOLDER) or Path(cache) / "aiready"))


def place(location: str | Path, instrument: Path, as_of: str) -> Path | None:
    """Where the results of these inputs are kept, be they there or not; nowhere for what is no file or folder.

    Inputs are known by their content, the package by its files, so that neither an edit nor an upgrade is missed.
    """
    data = Path(location)
    if not data.exists():
        return None
    known = hashlib.sha256(as_of.encode())
    for path in (*_files(data), *_files(instrument)):
        with path.open("rb") as content:
            known.update(path.name.encode() + hashlib.file_digest(content, "sha256").digest())
    for path in _files(Path(__file__).parent):
        if "__pycache__" not in path.parts:
            stamp = path.stat()
            known.update(f"{path} {stamp.st_mtime_ns} {stamp.st_size}".encode())
    try:
        return folder() / f"results-{known.hexdigest()[:20]}"
    except InfrastructureError:
        return None


def keep(made: Path, at: Path) -> None:
    """Put a finished folder in its place, and forget the oldest; what another notebook put there meanwhile stays."""
    try:
        made.rename(at)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
    results = sorted(at.parent.glob("results-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in results[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def forget(at: Path) -> None:
    """Take away results that cannot be read any more."""
    shutil.rmtree(at, ignore_errors=True)


def _files(location: Path) -> Iterator[Path]:
    if location.is_file():
        yield location
        return
    for path in sorted(location.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(location).parts):
            yield path
