"""Digests of files, of this package and of the libraries it uses: what is equal need not be read or made again."""

import hashlib
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

LIBRARIES = ("altair", "nbconvert", "numpy", "pandas", "papermill", "pyarrow", "vl-convert-python")
"""Packages whose version can change the bytes of a page."""
_PACKAGE = Path(__file__).parent


def digest(*parts: bytes | str) -> str:
    """Digest of several parts: twelve hex digits."""
    combined = hashlib.sha256()
    for part in parts:
        combined.update(hashlib.sha256(part.encode() if isinstance(part, str) else part).digest())
    return combined.hexdigest()[:12]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def folder_digest(location: Path) -> str:
    """SHA-256, in hex, of a file, or of the names and contents of all in a folder; of nothing where it is absent.

    Raises
    ------
    OSError
        A file cannot be read, or is a link: what that leads to may lie anywhere.
    """
    combined = hashlib.sha256()
    for path in (location, *sorted(location.rglob("*"))):
        if path.is_symlink() and path != location:
            raise OSError(f"{path} is a link")
        content = file_digest(path) if path.is_file() else str(path.is_dir())
        combined.update(f"{path.relative_to(location).as_posix()}\n{content}\n".encode("utf-8", "surrogateescape"))
    return combined.hexdigest()


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
