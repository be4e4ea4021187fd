"""Import the export of a survey tool into a data folder, as a part of `responses` (`aiready import`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiready.collection.survey_import import data_folder, map_file, respondents
from aiready.collection.survey_import.files import AUTO, SOURCES, Export, read_export
from aiready.collection.survey_import.import_rows import MatchedExport, SplitRows, match_export, split_rows
from aiready.collection.survey_import.vocabulary import build_vocabulary
from aiready.errors import InfrastructureError, InputError, UsageError
from aiready.inputs.location import instrument_folder
from aiready.instrument.model import read_instrument

__all__ = ["AUTO", "SOURCES", "ImportRequest", "ImportResult", "import_file"]


@dataclass(frozen=True)
class ImportRequest:
    """Arguments of `aiready import`: the file, the data folder it goes to, and the analyst's options."""

    file: Path
    data: Path
    wave: str = ""
    source: str = AUTO
    map: Path | None = None
    key: Path | None = None
    dry_run: bool = False

    @property
    def key_file(self) -> Path:
        """Path of the key for pseudonyms."""
        return self.key or respondents.default_key()


@dataclass(frozen=True)
class ImportResult:
    """Result of importing one file.

    `already_present`: number of rows that the data folder held before, including those in `repeated`: earlier part ->
    number of its rows that the file repeats under other codes. `other_waves`: part of another wave with the same
    answers -> number of rows.
    """

    request: ImportRequest
    matched: MatchedExport
    rows: SplitRows
    already_present: int
    key_created: bool
    written_files: tuple[Path, ...]
    repeated: Mapping[str, int] = field(default_factory=dict)
    other_waves: Mapping[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of rows: read = used + quarantined; `new` is the part of `used` that was not present before."""
        out, read = len(self.rows.left_out), len(self.matched.export.rows)
        return {"read": read, "used": read - out, "new": read - out - self.already_present, "quarantined": out}

    @property
    def exit_code(self) -> int:
        """0: every row is used; 1: some are quarantined, or none is used."""
        return 1 if self.counts["quarantined"] or not self.counts["used"] else 0


def import_file(request: ImportRequest) -> ImportResult:
    """Read an export and add its answers to a data folder; importing the same file again changes nothing.

    Raises
    ------
    InputError
        The file cannot be read, or something in it must be explained in a map file first, which is then written.
    UsageError
        The wave, source, map or key is invalid, or the file was imported under another wave.
    """
    instrument = read_instrument(instrument_folder(request.data))
    export = read_export(request.file, request.source)
    folder = data_folder.open_folder(request.data, instrument)
    vocabulary = build_vocabulary(instrument, folder.units, folder.parents)
    import_map = map_file.read_map(request.map)
    matched = match_export(export, vocabulary, import_map, request.wave)
    if matched.open_questions:
        raise _questions_error(request, matched.open_questions)
    key = _read_or_make_key(request)
    if request.dry_run:
        return _plan_import(request, folder, matched, key)
    with data_folder.locked_for_writing(folder):
        result = _plan_import(request, folder, matched, key)
        if result.key_created:
            respondents.write_key(request.key_file, key[0])
        name = data_folder.part_name(matched.export, matched.wave)
        return replace(result, written_files=tuple(data_folder.write_part(folder, result.rows, name)))


def _plan_import(
    request: ImportRequest, folder: data_folder.DataFolder, matched: MatchedExport, key: tuple[bytes, bool]
) -> ImportResult:
    """Decide what happens to every row; nothing is written."""
    name = data_folder.part_name(matched.export, matched.wave)
    _refuse_other_wave(folder, matched.export, name)
    new = data_folder.drop_imported(folder, split_rows(matched, key[0]), matched, name)
    if new.repeats.open_questions:
        raise _questions_error(request, new.repeats.open_questions)
    n_repeated = sum(new.repeats.parts.values())
    n_unchanged = len(new.rows.used) if data_folder.is_imported(folder, new.rows, name) else 0
    already_present = new.n_present + n_repeated + n_unchanged
    result = ImportResult(request, matched, new.rows, already_present, key[1], (), new.repeats.parts, new.other_waves)
    accounted = len(new.rows.used) + new.n_present + n_repeated + len(new.rows.left_out)
    if accounted != result.counts["read"]:
        raise InfrastructureError(
            f"{request.file.name}: {result.counts['read']} rows were read and {accounted} accounted for. Nothing was "
            "written. Please report it."
        )
    return result


def _questions_error(request: ImportRequest, questions: Sequence[map_file.MapRow]) -> InputError:
    """Error that lists open questions; unless it is a dry run, they are also written into the map file."""
    path = request.map or request.file.with_name(f"{request.file.stem}.map.csv")
    if request.dry_run:
        return InputError(
            f"{map_file.describe_questions(questions, request.file.name)}\nWithout --dry-run a map is written."
        )
    return map_file.write_questions(questions, path, request.file.name)


def _read_or_make_key(request: ImportRequest) -> tuple[bytes, bool]:
    """The key for pseudonyms, and whether it is new."""
    key = respondents.read_key(request.key_file, request.data)
    return (respondents.new_key(), True) if key is None else (key, False)


def _refuse_other_wave(folder: data_folder.DataFolder, export: Export, name: str) -> None:
    others = [part for part in data_folder.parts_of_export(folder, export) if part != name]
    if others:
        raise UsageError(
            f"{export.file}: imported before as {data_folder.RESPONSES}/{others[0]}. "
            "Remove that part first, or give its wave."
        )
