"""Whose files lie in the folder of reports: only what the manifest names is ever replaced or taken away.

A folder with a manifest of ours may hold files of others beside ours; one without may hold nothing in our places.
Every file is named in the manifest before it is written, so that a run that is killed leaves nothing unclaimed.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from aiready.atomic_files import BlockedError, write
from aiready.errors import InfrastructureError, UsageError

RECORDS = ("records/*", "records/*/*")
PAGES = ("units/*.html", "units/*.pdf", "overview/*.html", "overview/*.pdf", "figures/*")
"""Where results and pages lie: nothing may, before a first run."""
HISTORY = "history"
"""Below `records`: releases may be brought along to guard the next."""
NAMED = 5
"""Files that a refusal names."""


def refuse_strangers(out: Path, places: Iterable[str]) -> None:
    """Refuse a folder that no run has written to, and that holds something where ours would lie.

    Raises
    ------
    UsageError
        Something is there; its names, as many as can be read.
    InfrastructureError
        A file stands where a folder should be.
    """
    for folder in ("records", "records/results", "units", "overview", "figures"):
        if (out / folder).exists() and not (out / folder).is_dir():
            raise InfrastructureError(f"{out / folder}: is a file where a folder belongs. Move it away.")
    there = sorted({str(path.relative_to(out)) for path in _strangers(out, places)})
    if there:
        more = f" and {len(there) - NAMED} more" if len(there) > NAMED else ""
        raise UsageError(
            f"{out}: no run of aiready has written here, but there is {', '.join(there[:NAMED])}{more}. "
            "Nothing was changed. Choose a new folder with --out, or move these away."
        )


def _strangers(out: Path, places: Iterable[str]) -> Iterator[Path]:
    for place in places:
        for path in out.glob(place):
            inside = path.relative_to(out).parts
            hidden, brought = path.name.startswith("."), inside[:2] == ("records", HISTORY)
            if not (hidden or brought or (place in RECORDS and path.is_dir())):
                yield path


class Owned:
    """The files of ours in a folder of reports.

    Parameters
    ----------
    names
        Paths below the folder that earlier runs wrote down.
    note
        Writes the names down.
    """

    def __init__(self, out: Path, names: Iterable[str], note: Callable[[set[str]], None]):
        self.out, self.names, self._note = out, set(names), note

    def claim(self, *paths: Path, strict: bool = True) -> None:
        """Write down that these files are about to be written.

        Parameters
        ----------
        strict
            Whether to refuse what is there already and not ours; otherwise it is left out, and refused when written.

        Raises
        ------
        BlockedError
            One of them is there and not ours; none is claimed.
        """
        fresh = [path for path in paths if self._name(path) not in self.names]
        blocked = [path for path in fresh if path.is_symlink() or path.exists()]
        if blocked and strict:
            raise BlockedError(
                f"{blocked[0]}: is there already, and no run of aiready has written it. Move it away, or choose "
                "another folder with --out."
            )
        free = {self._name(path) for path in fresh if path not in blocked}
        if free:
            self.names |= free
            self._note(self.names)

    def write(self, path: Path, content: bytes) -> None:
        """Replace a file of ours, or make one where there is none.

        Raises
        ------
        BlockedError
            Somebody else's file is there, or a folder: only this name is out of reach.
        InfrastructureError
            Nothing can be written.
        """
        self.claim(path)
        write(path, content)

    def remove(self, *paths: Path) -> list[Path]:
        """Take away those that are ours; gives those that were there."""
        ours = [path for path in paths if self._name(path) in self.names]
        gone = [path for path in ours if path.is_symlink() or path.is_file()]
        for path in gone:
            with suppress(FileNotFoundError):
                _unlink(path)
        self.names -= {self._name(path) for path in ours}
        return gone

    def inside(self, folder: Path) -> list[Path]:
        """Files of ours in a folder, at any depth."""
        within = f"{self._name(folder)}/"
        return [self.out / name for name in sorted(self.names) if name.startswith(within)]

    def remove_folder(self, folder: Path) -> None:
        """Take away our files in a folder, and the folder where nothing is left in it."""
        self.remove(*self.inside(folder))
        with suppress(OSError):  # somebody else's files are in it
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
