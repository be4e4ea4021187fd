"""Cache protected results in a private folder of the user, so that notebooks open at once."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from aiready.atomic_files import make_private_folder
from aiready.errors import InfrastructureError

FOLDER_VARIABLE = "AIREADY_MEMORY"
"""Environment variable with the folder of the cache; default: the user's cache folder."""
MAX_RESULTS = 4
"""Results in the cache; the oldest are removed first."""


def cache_folder() -> Path:
    """The private folder of the cache (mode 0700); made when absent.

    Raises
    ------
    InfrastructureError
        It cannot be made.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return make_private_folder(Path(os.environ.get(FOLDER_VARIABLE) or Path(cache) / "aiready"))


def entry_path(location: str | Path, instrument: Path, as_of: str) -> Path | None:
    """Where results of these inputs are cached, present or not; None for data that are no file or folder.

    The key is made of the content of the inputs and of the size and time of the package's files, so that it changes
    with every edit and every upgrade.
    """
    data = Path(location)
    if not data.exists():
        return None
    key = hashlib.sha256(as_of.encode())
    for path in (*_files(data), *_files(instrument)):
        with path.open("rb") as content:
            key.update(path.name.encode() + hashlib.file_digest(content, "sha256").digest())
    for path in _files(Path(__file__).parent):
        if "__pycache__" not in path.parts:
            stamp = path.stat()
            key.update(f"{path} {stamp.st_mtime_ns} {stamp.st_size}".encode())
    try:
        return cache_folder() / f"results-{key.hexdigest()[:20]}"
    except InfrastructureError:
        return None


def store(folder: Path, entry: Path) -> None:
    """Move a finished folder into the cache and remove the oldest entries; an entry that is there already stays."""
    try:
        folder.rename(entry)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
    results = sorted(entry.parent.glob("results-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in results[MAX_RESULTS:]:
        shutil.rmtree(old, ignore_errors=True)


def remove(entry: Path) -> None:
    """Remove results that cannot be read any more."""
    shutil.rmtree(entry, ignore_errors=True)


def _files(location: Path) -> Iterator[Path]:
    if location.is_file():
        yield location
        return
    for path in sorted(location.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(location).parts):
            yield path
