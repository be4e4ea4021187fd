"""Find what comes with the package: instrument, sample, notebooks, small tables; and import its libraries quickly."""

import csv
import gc
import io
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from aiready.atomic_files import digest
from aiready.errors import InfrastructureError, InputError, UsageError

LIBRARIES = ("altair", "nbconvert", "numpy", "pandas", "papermill", "pyarrow", "vl-convert-python")
"""Packages whose version can change the bytes of a page."""
_PACKAGE = Path(__file__).parent
_ADDRESS_GRAMMAR = "rfc3987_syntax"


def package_file(name: str) -> Path:
    """Path of a file or folder that comes with the package: inside it when installed, beside it in a checkout.

    Parameters
    ----------
    name
        `data/instrument`, `data/sample`, `notebooks`, or a file in one of them.

    Raises
    ------
    InfrastructureError
        It is in neither: the installation is broken.

    Examples
    --------
    >>> package_file("data/instrument").joinpath("items.csv").exists()
    True
    """
    # `_shipped` is where pyproject.toml puts them in the wheel.
    candidates = (_PACKAGE / "_shipped" / name, _PACKAGE.parent / name)
    for candidate in candidates:
        if candidate.exists():
            return candidate
    searched = " or ".join(str(candidate) for candidate in candidates)
    raise InfrastructureError(f'"{name}" is not installed: looked for {searched}. Install aiready again.')


def read_text(path: Path) -> str:
    """Read a text file in UTF-8, with or without BOM, or else in cp1252."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of cells with the number of their last line; commas, semicolons or tabs, whichever the first line has most.

    Raises
    ------
    InputError
        A quotation mark is never closed, or something follows a closed one.
    """
    text = read_text(path)
    first = text.lstrip().split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        yield from ((reader.line_num, cells) for cells in reader if cells)
    except csv.Error as error:
        raise InputError(f"{path.name}, row {reader.line_num}: {error}. Mend the quotation marks.") from error


def read_records(path: Path) -> list[dict[str, str]]:
    """Rows of a table as text, by column.

    Examples
    --------
    >>> read_records(package_file("data/instrument/bands.csv"))[0]["at_least"]
    '0'
    """
    (_, columns), *rows = read_rows(path)
    return [dict(zip(columns, cells, strict=True)) for _, cells in rows]


def copy_sample(folder: Path) -> None:
    """Copy the sample organisation into a new or empty folder, or over an older copy of it.

    Raises
    ------
    UsageError
        The folder holds something else: the sample never overwrites anybody's data.
    """
    files = sorted(package_file("data/sample").iterdir())
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or _is_sample(folder))):
        raise UsageError(f'"{folder}" holds something other than the sample. Name a new or empty folder.')
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


def _is_sample(folder: Path) -> bool:
    """Whether a folder has the sample's `about.csv`."""
    about = folder / "about.csv"
    return about.is_file() and about.read_bytes() == package_file("data/sample/about.csv").read_bytes()


@cache
def package_digest() -> str:
    """Digest of the package's source, templates, style sheets and tables."""
    suffixes = (".py", ".csv", ".css", ".j2", ".json", ".html")
    files = sorted(path for path in _PACKAGE.rglob("*") if path.suffix in suffixes and "_shipped" not in path.parts)
    return digest(*(str(path.relative_to(_PACKAGE)) + digest(path.read_bytes()) for path in files))


@cache
def library_digest() -> str:
    """Digest of the versions of `LIBRARIES`."""
    return digest(*(f"{name} {version_of(name)}" for name in LIBRARIES))


@cache
def dependency_digest() -> str:
    """Digest of the versions of every package that this one asks for."""
    names = {re.split(r"[^\w.-]", requirement)[0] for requirement in requires("aiready") or ()}
    return digest(*(f"{name} {version_of(name)}" for name in sorted(names)))


def version_of(name: str) -> str:
    """Version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


@contextmanager
def fast_imports() -> Iterator[None]:
    """Halve the time of imports in this block: no garbage collection, and no `rfc3987_syntax`.

    jsonschema takes a second to load that grammar of addresses, for a format check that no schema of a notebook or
    chart uses. It can be imported as usual after the block.
    """
    was_imported, gc_was_enabled = _ADDRESS_GRAMMAR in sys.modules, gc.isenabled()
    gc.disable()
    if not was_imported:
        sys.modules[_ADDRESS_GRAMMAR] = None  # type: ignore[assignment]  # Python's mark for "cannot be imported"
    try:
        yield
    finally:
        if not was_imported:
            sys.modules.pop(_ADDRESS_GRAMMAR, None)
        if gc_was_enabled:
            gc.enable()
