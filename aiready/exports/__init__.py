"""Survey-tool exports -> `responses`: what `aiready import` reads, and adds to a data folder as a part of its own."""

from dataclasses import dataclass
from pathlib import Path

from aiready.errors import InputError, UsageError
from aiready.exports import folder, mapping, respondents
from aiready.exports.files import AUTO, SOURCES, Export, read_export
from aiready.exports.importing import Matched, Sorted, sort_rows, understand
from aiready.exports.words import words_of
from aiready.instrument import read_instrument
from aiready.places import instrument_folder

__all__ = ["AUTO", "SOURCES", "Imported", "Request", "import_file"]


@dataclass(frozen=True)
class Request:
    """What `aiready import` was asked: a file, the data folder it goes to, and the choices an analyst makes."""

    file: Path
    data: Path
    wave: str = ""
    source: str = AUTO
    map: Path | None = None
    key: Path | None = None
    dry_run: bool = False

    @property
    def key_file(self) -> Path:
        """Where the key of the pseudonyms lies."""
        return self.key or respondents.default_key()


@dataclass(frozen=True)
class Imported:
    """What became of a file: `there_already` were in the data folder word for word; `changed` are the files written."""

    request: Request
    matched: Matched
    rows: Sorted
    there_already: int
    key_made: bool
    changed: tuple[Path, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows of the file: read = used + quarantined, and of the used how many are new."""
        out = len(self.rows.left_out)
        used = len(self.matched.export.rows) - out
        return {"read": used + out, "used": used, "new": used - self.there_already, "quarantined": out}


def import_file(request: Request) -> Imported:
    """Read an export and add its answers to a data folder; the same file a second time changes nothing.

    Raises
    ------
    InputError
        The file cannot be read; or something in it must be named first: a map file is written for that.
    UsageError
        The wave, source, map or key cannot be used, or the file was imported under another wave.
    """
    rules = read_instrument(instrument_folder(request.data))
    export = read_export(request.file, request.source)
    into = folder.open_folder(request.data, rules)
    words = words_of(rules, into.units)
    mapped = mapping.read_map(request.map)
    matched = understand(export, words, mapped, request.wave)
    if matched.open:
        raise _ask(request, matched, mapped)
    key, made = _key(request)
    if request.dry_run:
        rows, there = _sorted(into, matched, key)
        return Imported(request, matched, rows, there, made, ())
    with folder.writing(into):
        rows, there = _sorted(into, matched, key)
        if made:
            respondents.keep_key(request.key_file, key)
        name = folder.part_name(export, matched.wave)
        changed = folder.write_part(into, rows, name)
    return Imported(request, matched, rows, there, made, tuple(changed))


def _sorted(into: folder.DataFolder, matched: Matched, key: bytes) -> tuple[Sorted, int]:
    name = folder.part_name(matched.export, matched.wave)
    _refuse_other_wave(into, matched.export, name)
    rows, there = folder.without_known(into, sort_rows(matched, key), matched.wave, name)
    return rows, there + (len(rows.used) if folder.is_there(into, rows, name) else 0)


def _ask(request: Request, matched: Matched, mapped: mapping.Map) -> InputError:
    path = request.map or request.file.with_name(f"{request.file.stem}.map.csv")
    if request.dry_run:
        return InputError(f"{mapping.listed(matched.open, matched.export.file)}\nWithout --dry-run a map is written.")
    return mapping.ask(matched.open, path, matched.export.file, keep=bool(mapped))


def _key(request: Request) -> tuple[bytes, bool]:
    key = respondents.read_key(request.key_file, request.data)
    return (respondents.new_key(), True) if key is None else (key, False)


def _refuse_other_wave(into: folder.DataFolder, export: Export, name: str) -> None:
    others = [part for part in folder.imported_as(into, export) if part != name]
    if others:
        raise UsageError(
            f"{export.file}: imported before as {folder.RESPONSES}/{others[0]}. "
            "Remove that part first, or give its wave."
        )
