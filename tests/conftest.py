"""What several test files share: the sample computed once, and its handouts made once."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import generated
import pytest
from filelock import FileLock
from laboratory import chromium, laboratory, remembered
from opened import open_pages, pages

__all__ = ["chromium", "laboratory", "open_pages", "pages", "remembered"]
ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"
MARKED = {
    "slow": {"sample", "sample_results", "reports_folder", "small_results", "press", "raw_survey"},
    "browser": {"chromium", "laboratory", "print_page"},
    "server": {"postgres"},
    "acceptance": {"spark"},
}
"""What a test is that asks for a fixture, by itself or through another one: nobody has to think of the marker."""
REPORTED = ("motor-claims", "treasury", "finance", "customer-operations")
"""Units of the shared run: one with everything, one hidden, one without records, one parent."""

SLOW = Path(__file__).with_name("slow.txt")
"""Tests that took long when somebody last measured: `pytest -n 2 --dist loadgroup --note-slow 0.1`."""
TOOK: dict[str, float] = {}

generated.register()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--note-slow", type=float, metavar="SECONDS", help=f"write tests that take longer to {SLOW.name}")


def _function(nodeid: str) -> str:
    """A test without its parameters and its group: `tests/test_x.py::TestY::test_z`."""
    return nodeid.partition("[")[0].partition("@")[0]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Seconds of the longest case of every test; what its fixtures took belongs to all that share them."""
    if report.when == "call":
        name = _function(report.nodeid)
        TOOK[name] = max(report.duration, TOOK.get(name, 0))


def pytest_sessionfinish(session: pytest.Session) -> None:
    limit = session.config.getoption("--note-slow")
    if limit is not None and not hasattr(session.config, "workerinput"):
        kept = [name for name in SLOW.read_text().split() if name not in TOOK] if SLOW.exists() else []
        SLOW.write_text("\n".join(sorted({*kept, *(name for name, took in TOOK.items() if took > limit)})) + "\n")


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = set(SLOW.read_text().split())
    for item in items:
        if _function(item.nodeid) in slow:
            item.add_marker("slow")
        for marker, fixtures in MARKED.items():
            if fixtures & set(getattr(item, "fixturenames", ())):
                item.add_marker(marker)
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("generated")


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder made by the first worker that asks, and found by the others."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "popen-gw" in base.name else base
    folder = shared / name
    with FileLock(shared / f"{name}.lock"):
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder


def answers(people: int = 25, **columns: object) -> "object":
    """Responses of the shipped questionnaire without a wave: one row per person, levels 1-5 by turns."""
    import pandas as pd

    from aiready.instrument.model import read_instrument

    items = read_instrument().items["item_id"]
    given = {item: [1 + (person + place) % 5 for person in range(people)] for place, item in enumerate(items)}
    return pd.DataFrame({"unit_id": ["claims"] * people} | columns | given)


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs a command in this process; never a traceback."""
    from aiready.cli import commands

    def call(*arguments: object) -> Done:
        with pytest.raises(SystemExit) as ended:
            commands.main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return call


@pytest.fixture(scope="session")
def sample_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of the sample organisation, as `aiready score` writes them."""
    from aiready import Assessment

    return _once(tmp_path_factory, "sample-results", lambda folder: Assessment.open(SAMPLE).save(folder))


@pytest.fixture(scope="session")
def sample(sample_results: Path):
    """The sample organisation, assessed."""
    from aiready import Assessment

    return Assessment.open(SAMPLE, results=sample_results)


@pytest.fixture(scope="session")
def raw_survey(tmp_path_factory: pytest.TempPathFactory) -> "object":
    """What people of the sample said, before anything is hidden: measures as the survey's own module makes them."""
    import pandas as pd

    def make(folder: Path) -> None:
        from aiready.inputs.dataset import read_data
        from aiready.instrument.model import read_instrument
        from aiready.measures import survey

        survey.measure(read_data(SAMPLE, read_instrument()), read_instrument()).to_pickle(folder / "measures")

    return pd.read_pickle(_once(tmp_path_factory, "raw-survey", make) / "measures")


@pytest.fixture(scope="session")
def small_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `data` with 25 answers of one unit, and its `results`."""
    from aiready import Assessment

    def make(folder: Path) -> None:
        data = folder / "data"
        data.mkdir()
        answers().to_csv(data / "responses.csv", index=False)
        Assessment.open(data).save(folder / "results")

    return _once(tmp_path_factory, "small", make)


@pytest.fixture
def small(small_results: Path) -> Iterator:
    """One unit, 25 answers, nothing else."""
    from aiready import Assessment

    return Assessment.open(small_results / "data", results=small_results / "results")


@pytest.fixture(scope="session")
def press() -> Iterator:
    """Who makes the pages of tests: one template process, and its renderers, for all of them."""
    from aiready.batch.runner import PageRunner

    with PageRunner(2) as made:
        yield made


@pytest.fixture(scope="session")
def reports_folder(tmp_path_factory: pytest.TempPathFactory, sample, press) -> Path:
    """A finished run of the sample: `REPORTED` units, the portfolio, the index, the records."""
    from aiready.batch.report_run import ReportRequest, run_report
    from aiready.batch.schedule import RunOptions

    def make(folder: Path) -> None:
        request = ReportRequest(str(SAMPLE), folder, REPORTED, RunOptions(jobs=2), submit=press.submit)
        outcomes = run_report(sample, request).pages
        assert [outcome.status for outcome in outcomes] == ["ok"] * len(outcomes), outcomes

    return _once(tmp_path_factory, "reports", make)
