"""A run that repeats the one before reads nothing, and leaves and says what a run that reads everything would."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import _once, answers

import aiready
from aiready import Assessment
from aiready.pages import records_age

HEAVY = ("pandas", "numpy", "pyarrow", "duckdb", "ibis", "altair", "scipy", "nbconvert")
UNITS = ("claims", "cards")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Path:
    """A folder with data, one row of which is quarantined, and the reports of a first run."""

    def make(folder: Path) -> None:
        data = folder / "data"
        data.mkdir()
        answers(24, unit_id=["claims"] * 12 + ["cards"] * 12).to_csv(data / "responses.csv", index=False)
        lines = ["feedback_id,unit_id,flagged_at", "f1,claims,2026-09-01T09:00:00", "f2,claims,soon"]
        (data / "feedback.csv").write_text("\n".join(lines))
        (data / "readme.txt").write_text("as we got it")
        aiready.report(data, folder / "out", jobs=2)

    return _once(tmp_path_factory, "first-run", make)


class ReadingError(Exception):
    """The data are read."""


class Folder:
    """A copy of the first run: its data, and what it left."""

    def __init__(self, path: Path, monkeypatch):
        self.data, self.out, self.monkeypatch = path / "data", path / "out", monkeypatch

    def report(self, **options):
        return aiready.report(self.data, self.out, **options)

    def repeat(self, **options):
        """Report without being able to read data."""
        with self.monkeypatch.context() as patched:
            patched.setattr(Assessment, "open", self._refuse)
            return self.report(**options)

    @staticmethod
    def _refuse(*_, **__):
        raise ReadingError

    def files(self) -> dict[str, bytes]:
        """All that a reader may see, and the manifest without its times."""
        paths = (path for path in self.out.rglob("*") if path.is_file() and path.name not in (".lock", "manifest.json"))
        content = {path.relative_to(self.out).as_posix(): path.read_bytes() for path in paths}
        manifest = self.manifest() | {"started": "", "seconds": 0}
        return content | {"manifest.json": json.dumps(manifest).encode()}

    def manifest(self):
        return json.loads((self.out / "records" / "manifest.json").read_text())

    def forget(self) -> None:
        """Take from the manifest what a repetition is recognised by."""
        content = self.manifest()
        del content["repeatable"]
        (self.out / "records" / "manifest.json").write_text(json.dumps(content))


@pytest.fixture
def folder(first, tmp_path, monkeypatch):
    shutil.copytree(first, tmp_path / "copy")
    return Folder(tmp_path / "copy", monkeypatch)


def test_it_leaves_and_returns_what_a_run_that_reads_everything_would(folder, tmp_path, monkeypatch):
    shutil.copytree(tmp_path / "copy", tmp_path / "other")
    other = Folder(tmp_path / "other", monkeypatch)
    other.forget()
    started: dict[str, list] = {"repeated": [], "read": []}
    repeated = folder.repeat(on_start=lambda *of: started["repeated"].append(of), on_page=started["repeated"].append)
    read = other.report(on_start=lambda *of: started["read"].append(of), on_page=started["read"].append)
    assert [page.change for page in repeated.pages] == ["unchanged"] * 3
    assert repeated.pages == read.pages
    assert started["repeated"][0][0][0]["quarantined"] + started["repeated"][0][0][1]["quarantined"] == 1
    assert len(started["read"]) == 4
    changes = [[page.__dict__ | {"change": ""} if hasattr(page, "change") else page for page in calls]
               for calls in started.values()]  # fmt: skip
    assert changes[0] == changes[1]
    assert folder.files() == other.files()
    assert "nothing it depends on has changed" in (folder.out / "overview" / "index.html").read_text()
    assert folder.repeat().pages == read.pages


def test_the_index_says_how_old_the_newest_record_is_on_the_day_of_the_run(folder):
    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=1000)

    days = (datetime.now(UTC).date() - datetime(2026, 9, 1).date()).days
    folder.repeat()
    assert f"newest record {days}" in (folder.out / "overview" / "index.html").read_text().replace("\u202f", "")
    folder.monkeypatch.setattr(records_age, "datetime", Later)
    folder.repeat()
    repeated = (folder.out / "overview" / "index.html").read_text()
    assert f"newest record {days + 1000}" in repeated.replace("\u202f", "")
    folder.forget()
    folder.report()
    assert (folder.out / "overview" / "index.html").read_text() == repeated


def test_nothing_is_imported_that_could_read_data(folder):
    code = (
        "import sys\nfrom aiready.cli.commands import main\n"
        "try:\n    main(sys.argv[1:])\n"
        f"finally:\n    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "report", str(folder.data), "--out", str(folder.out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
    lines = done.stdout.splitlines()
    assert lines[0] == "responses: 24 read = 24 used + 0 quarantined"
    assert lines[1] == "feedback: 2 read = 1 used + 1 quarantined"
    assert [line.partition("] ")[2] for line in lines[2:5]] == [
        f"{name}.html: unchanged" for name in ("portfolio", "cards", "claims")
    ]
    assert lines[5] == f"3 pages unchanged, 0 failed. Open {folder.out / 'overview' / 'index.html'}"


def append(path: Path, content: bytes = b"\n") -> None:
    path.write_bytes(path.read_bytes() + content)


def flip(path: Path) -> None:
    """Change one byte and leave size and time as they are."""
    content, times = bytearray(path.read_bytes()), path.stat()
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def release_of(folder: Folder) -> Path:
    return next(path for path in (folder.out / "records/history").iterdir() if path.name != "keys")


EDITS = {
    "a byte of a table": lambda folder: flip(folder.data / "responses.csv"),
    "a byte of a file that is no table": lambda folder: flip(folder.data / "readme.txt"),
    "a new file": lambda folder: (folder.data / "units.csv").write_text("unit_id,name\nclaims,Claims\ncards,Cards"),
    "a file that goes": lambda folder: (folder.data / "readme.txt").unlink(),
    "a file of another name": lambda folder: (folder.data / "readme.txt").rename(folder.data / "read me.txt"),
    "an empty folder": lambda folder: (folder.data / "tasks").mkdir(),
    "a link": lambda folder: (folder.data / "tasks.csv").symlink_to(folder.data / "feedback.csv"),
    "an instrument": lambda folder: shutil.copytree(
        aiready.package_files.package_file("data/instrument"), folder.data / "instrument"
    ),
    "a page that somebody edited": lambda folder: append(folder.out / "units/claims.html"),
    "a page that somebody removed": lambda folder: (folder.out / "overview/portfolio.html").unlink(),
    "results that somebody edited": lambda folder: flip(folder.out / "records/results/measures.parquet"),
    "results that somebody removed": lambda folder: (folder.out / "records/results/facts.json").unlink(),
    "quarantine that somebody removed": lambda folder: (folder.out / "records/quarantine/feedback.csv").unlink(),
    "the undated index": lambda folder: append(folder.out / "records/index.html"),
    "a release that somebody edited": lambda folder: append(release_of(folder) / "cells.parquet"),
    "a release that somebody removed": lambda folder: shutil.rmtree(release_of(folder)),
    "a release of another run": lambda folder: shutil.copytree(
        release_of(folder), folder.out / "records/history/2026-01-01-000000000000"
    ),
    "a key that is lost": lambda folder: shutil.rmtree(folder.out / "records/history/keys"),
    "a manifest that does not know": Folder.forget,
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_after_any_change_the_data_are_read(folder, edit):
    folder.repeat()
    edit(folder)
    with pytest.raises(ReadingError):
        folder.repeat()


@pytest.mark.parametrize(
    "options",
    [
        {"units": ["claims"]}, {"wave": "undated"}, {"language": "de"}, {"as_of": "2026-10-01"}, {"children": True},
        {"force": True}, {"keep": 1}, {"pdf": True}, {"figures": True},
    ],
)  # fmt: skip
def test_with_other_options_the_data_are_read(folder, options):
    with pytest.raises(ReadingError):
        folder.repeat(**options)


@pytest.mark.parametrize("options", [{"jobs": 1}, {"timeout": 5}, {"memory": 3}, {"max_failures": 2}])
def test_how_pages_are_made_does_not_matter_where_none_is(folder, options):
    assert folder.repeat(**options).count("unchanged") == 3


@pytest.mark.parametrize("name", ["package_digest", "dependency_digest"])
def test_with_another_package_or_library_the_data_are_read(folder, monkeypatch, name):
    monkeypatch.setattr(f"aiready.batch.repeated_run.{name}", lambda: "another")
    with pytest.raises(ReadingError):
        folder.repeat()


def test_a_run_that_failed_or_changed_something_is_not_repeated_blindly(folder):
    append(folder.data / "readme.txt", b"?")
    (folder.out / "units/claims.html").unlink()
    (folder.out / "units/claims.html").mkdir()
    assert [page.page for page in folder.report().failed] == ["claims.html"]
    with pytest.raises(ReadingError):
        folder.repeat()
    (folder.out / "units/claims.html").rmdir()
    assert folder.report().failed == []
    assert folder.repeat().count("unchanged") == 3


def test_data_that_change_while_they_are_read_are_read_again(folder):
    append(folder.data / "readme.txt", b"?")
    folder.report(on_start=lambda *_: append(folder.data / "readme.txt", b"!"))
    with pytest.raises(ReadingError):
        folder.repeat()


def test_the_release_of_a_repeated_run_is_the_newest_one(folder):
    release = release_of(folder)
    os.utime(release, (0, 0))
    folder.repeat()
    assert release.stat().st_mtime > datetime(2026, 1, 1).timestamp()
    assert len(list((folder.out / "records/history").iterdir())) == 2


def test_what_somebody_made_of_the_index_is_written_over_as_ever(folder):
    index = folder.out / "overview" / "index.html"
    folder.repeat()
    before = index.read_bytes()
    index.write_text("mine")
    folder.repeat()
    assert index.read_bytes() == before


def test_some_units_alone_are_repeated_too(folder):
    folder.report(units="claims")
    before = (folder.out / "overview/index.html").read_text()
    run = folder.repeat(units=["claims"])
    assert [page.page for page in run.pages] == ["portfolio.html", "claims.html"]
    assert (folder.out / "overview/index.html").read_text() == before
