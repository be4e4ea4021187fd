"""Write to the output folder, and replace or remove only files that the manifest names as written by aiready.

A folder with a manifest may hold other people's files, too; one without may hold nothing where reports are written.
Every file is named in the manifest before it is written, so that a killed run leaves no unnamed files.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from aiready.atomic_files import BlockedError, write_file
from aiready.errors import InfrastructureError, UsageError

RECORDS = ("records/*", "records/*/*")
PAGES = ("units/*.html", "units/*.pdf", "overview/*.html", "overview/*.pdf", "figures/*")
OUTPUT_PATTERNS = (*RECORDS, *PAGES)
"""Where results, pages, or both are written: nothing may be there before the first run."""
INDEX = Path("overview/index.html")
"""The page that links all others."""
HISTORY = Path("records/history")
"""What each run published; earlier releases may be copied there before the first run."""
MAX_LISTED = 5
"""Files named in an error."""


def refuse_foreign_files(out: Path, patterns: Iterable[str]) -> None:
    """Refuse a folder that no run has written to and that holds files where a run would write.

    Raises
    ------
    UsageError
        There are such files; the first few are named.
    InfrastructureError
        There is a file where a folder should be.
    """
    for folder in ("records", "records/results", "units", "overview", "figures"):
        if (out / folder).exists() and not (out / folder).is_dir():
            raise InfrastructureError(f"{out / folder}: is a file where a folder belongs. Move it away.")
    foreign = sorted({str(path.relative_to(out)) for path in _foreign_files(out, patterns)})
    if foreign:
        more = f" and {len(foreign) - MAX_LISTED} more" if len(foreign) > MAX_LISTED else ""
        raise UsageError(
            f"{out}: no run of aiready has written here, but there is {', '.join(foreign[:MAX_LISTED])}{more}. "
            "Nothing was changed. Choose a new folder with --out, or move these away."
        )


def _foreign_files(out: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        for path in out.glob(pattern):
            inside = path.relative_to(out).parts
            is_hidden, is_history = path.name.startswith("."), inside[:2] == HISTORY.parts
            if not (is_hidden or is_history or (pattern in RECORDS and path.is_dir())):
                yield path


class OwnFiles:
    """The files in an output folder that aiready wrote.

    Parameters
    ----------
    names
        Paths below the folder, as earlier runs listed them.
    save_names
        Writes the list to the manifest.
    """

    def __init__(self, out: Path, names: Iterable[str], save_names: Callable[[set[str]], None]):
        self.out, self.names, self._save_names = out, set(names), save_names

    def claim(self, *paths: Path, strict: bool = True) -> None:
        """List files before they are written.

        Parameters
        ----------
        strict
            Whether to refuse files that exist and are not ours; otherwise they are skipped here, and refused when
            written.

        Raises
        ------
        BlockedError
            A file exists and is not ours; none is listed.
        """
        new = [path for path in paths if self._name(path) not in self.names]
        blocked = [path for path in new if path.is_symlink() or path.exists()]
        if blocked and strict:
            raise BlockedError(
                f"{blocked[0]}: is there already, and no run of aiready has written it. Move it away, or choose "
                "another folder with --out."
            )
        free = {self._name(path) for path in new if path not in blocked}
        if free:
            self.names |= free
            self._save_names(self.names)

    def write(self, path: Path, content: bytes) -> None:
        """Replace a file of ours, or write a new one.

        Raises
        ------
        BlockedError
            A folder or somebody else's file is there: only this path cannot be written.
        InfrastructureError
            Nothing can be written.
        """
        self.claim(path)
        write_file(path, content)

    def remove(self, *paths: Path) -> list[Path]:
        """Remove those of these files that are ours, and return those that existed."""
        own = [path for path in paths if self._name(path) in self.names]
        existing = [path for path in own if path.is_symlink() or path.is_file()]
        for path in existing:
            with suppress(FileNotFoundError):
                _unlink(path)
        self.names -= {self._name(path) for path in own}
        return existing

    def inside(self, folder: Path) -> list[Path]:
        """Our files in a folder, at any depth."""
        prefix = f"{self._name(folder)}/"
        return [self.out / name for name in sorted(self.names) if name.startswith(prefix)]

    def remove_folder(self, folder: Path) -> None:
        """Remove our files in a folder, and the folder itself if that leaves it empty."""
        self.remove(*self.inside(folder))
        with suppress(OSError):  # other people's files are in it
            folder.rmdir()

    def _name(self, path: Path) -> str:
        return path.relative_to(self.out).as_posix()


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InfrastructureError(f"{path}: cannot be taken away ({error.strerror}).") from error
