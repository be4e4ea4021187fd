"""Survey-tool exports -> `responses`: what `aiready import` reads, and adds to a data folder as a part of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiready.collection.survey_import import folder, mapping, respondents
from aiready.collection.survey_import.files import AUTO, SOURCES, Export, read_export
from aiready.collection.survey_import.importing import Matched, Sorted, sort_rows, understand
from aiready.collection.survey_import.words import words_of
from aiready.errors import InfrastructureError, InputError, UsageError
from aiready.inputs.discover import instrument_folder
from aiready.instrument.model import read_instrument

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
    """What became of a file: `there_already` were in the data folder word for word; `changed` are the files written.

    `repeated`: earlier parts -> rows of theirs that came again under other codes, counted as there already too.
    `elsewhere`: parts of other waves that hold the same answers.
    """

    request: Request
    matched: Matched
    rows: Sorted
    there_already: int
    key_made: bool
    changed: tuple[Path, ...]
    repeated: Mapping[str, int] = field(default_factory=dict)
    elsewhere: Mapping[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Rows of the file: read = used + quarantined, and of the used how many are new."""
        out, read = len(self.rows.left_out), len(self.matched.export.rows)
        return {"read": read, "used": read - out, "new": read - out - self.there_already, "quarantined": out}

    @property
    def exit_code(self) -> int:
        """0: every row is used; 1: some are set aside, or none is used."""
        return 1 if self.counts["quarantined"] or not self.counts["used"] else 0


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
    words = words_of(rules, into.units, into.parents)
    mapped = mapping.read_map(request.map)
    matched = understand(export, words, mapped, request.wave)
    if matched.open:
        raise _ask(request, matched.open)
    key = _key(request)
    if request.dry_run:
        return _sorted(request, into, matched, key)
    with folder.writing(into):
        done = _sorted(request, into, matched, key)
        if done.key_made:
            respondents.keep_key(request.key_file, key[0])
        name = folder.part_name(matched.export, matched.wave)
        return replace(done, changed=tuple(folder.write_part(into, done.rows, name)))


def _sorted(request: Request, into: folder.DataFolder, matched: Matched, key: tuple[bytes, bool]) -> Imported:
    """What becomes of every row, with nothing written yet."""
    name = folder.part_name(matched.export, matched.wave)
    _refuse_other_wave(into, matched.export, name)
    left = folder.without_known(into, sort_rows(matched, key[0]), matched, name)
    if left.repeats.open:
        raise _ask(request, left.repeats.open)
    again = sum(left.repeats.parts.values())
    there = left.there + again + (len(left.rows.used) if folder.is_there(into, left.rows, name) else 0)
    done = Imported(request, matched, left.rows, there, key[1], (), left.repeats.parts, left.elsewhere)
    accounted = len(left.rows.used) + left.there + again + len(left.rows.left_out)
    if accounted != done.counts["read"]:
        raise InfrastructureError(
            f"{request.file.name}: {done.counts['read']} rows were read and {accounted} accounted for. Nothing was "
            "written. Please report it."
        )
    return done


def _ask(request: Request, questions: Sequence[mapping.Open]) -> InputError:
    path = request.map or request.file.with_name(f"{request.file.stem}.map.csv")
    if request.dry_run:
        return InputError(f"{mapping.listed(questions, request.file.name)}\nWithout --dry-run a map is written.")
    return mapping.ask(questions, path, request.file.name)


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
