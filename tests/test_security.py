"""What lies about is data: it is neither run, nor obeyed, nor replaced, nor waited for."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from conftest import ROOT, answers
from jupyter_client import BlockingKernelClient
from laboratory import START_SECONDS
from test_lab import new_kernel, opened
from test_reports import SHOWN, Organisation, book, three_units

from aiready import Assessment, result_cache
from aiready.atomic_files import MAX_STEM_LENGTH, BlockedError, file_stem, write_file
from aiready.batch import report_run
from aiready.batch.output_folder import OwnFiles
from aiready.batch.page_job import PageJob
from aiready.batch.runner import SPAWNED, PageRunner
from aiready.batch.schedule import RunOptions
from aiready.cli.terminal import visible
from aiready.errors import InfrastructureError, InputError, InstrumentError, UsageError

__all__ = ["three_units"]
AIREADY = "from aiready.cli.start import main; main()"
NAMES = {*sys.stdlib_module_names, *packages_distributions(), "usercustomize", "sitecustomize"} - {"aiready"}
"""Every module that a process of ours may import, ours aside."""


def command(*given: object) -> list[str]:
    """The command as its script runs it: the folder it is called from is not where modules are looked for."""
    return [sys.executable, "-P", "-c", AIREADY, *map(str, given)]


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Path:
    """A data folder with a module of every name beside the tables; whichever is imported leaves a file in `ran/`."""
    folder = tmp_path_factory.mktemp("planted")
    data, ran = folder / "data", folder / "ran"
    data.mkdir()
    ran.mkdir()
    answers(25).to_csv(data / "responses.csv", index=False)
    for name in NAMES:
        (data / f"{name}.py").write_text(f"open({str(ran / name)!r}, 'w').close()\nraise ImportError('planted')\n")
    for name in ("jupyter_config", "jupyter_server_config", "jupyter_lab_config", "ipython_config", "startup"):
        (data / f"{name}.py").write_text(f"open({str(ran / name)!r}, 'w').close()\n")
    startup = data / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text(f"open({str(ran / 'startup')!r}, 'w').close()\n")
    for name in ("handout", "lab", "base"):  # nbconvert looks for templates in the working directory
        (data / name).mkdir()
        (data / name / "conf.json").write_text('{"base_template": "base"}')
        (data / name / "index.html.j2").write_text("planted")
    return folder


def ran(planted: Path) -> list[str]:
    return sorted(path.name for path in (planted / "ran").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [["check", "."], ["score", ".", "--out", "{out}"], ["report", ".", "--out", "{out}", "--jobs", "1"],
     ["report", ".", "--out", "{out}", "--jobs", "1", "--engine", "nbclient"],
     ["questionnaire", ".", "--out", "{out}/q.xlsx"], ["new", "{out}/new"]],
    ids=lambda asked: " ".join(asked[:1] + asked[-1:]),
)  # fmt: skip
def test_no_command_runs_a_module_of_the_folder_it_is_called_from(planted, tmp_path, asked):
    given = [part.format(out=tmp_path) for part in asked]
    done = subprocess.run(command(*given), cwd=planted / "data", capture_output=True, text=True, check=False)
    assert (done.returncode, ran(planted)) == (0, []), done.stderr
    assert "planted" not in "".join(path.read_text() for path in tmp_path.rglob("*.html"))


@pytest.mark.slow
def test_a_process_that_is_started_anew_runs_no_module_of_the_working_directory(planted, tmp_path, monkeypatch):
    monkeypatch.chdir(planted / "data")
    code = "import os, sys\nassert not {'', os.getcwd()} & set(sys.path), sys.path"
    order = PageJob("claims", book(tmp_path, code, SHOWN).read_bytes(), {})
    with PageRunner(1, start_method=SPAWNED) as press:
        assert press.submit(order).result(120).status == "ok"
    assert ran(planted) == []


@pytest.mark.slow
@pytest.mark.browser  # a Lab
def test_neither_the_lab_nor_its_kernels_run_what_lies_in_the_folder_it_is_called_from(planted, tmp_path):
    with opened(tmp_path, command("lab", "."), planted / "data") as server:
        kernel = new_kernel(server)
        client = BlockingKernelClient(connection_file=str(tmp_path / "runtime" / f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels()
        client.wait_for_ready(timeout=START_SECONDS)
        said = []
        client.execute_interactive(
            "import os, sys, papermill\nprint('' in sys.path or os.getcwd() in sys.path, os.environ['AIREADY_DATA'])",
            timeout=60,
            output_hook=lambda message: said.append(message["content"].get("text", message["content"])),
        )
        client.stop_channels()
    assert f"False {planted / 'data'}\n" in said
    assert ran(planted) == []


@pytest.fixture
def questioned(tmp_path) -> Path:
    """A data folder with a questionnaire of its own, under a name outside it as well."""
    data = tmp_path / "data"
    data.mkdir()
    answers(25).to_csv(data / "responses.csv", index=False)
    shutil.copytree(ROOT / "data" / "instrument", tmp_path / "elsewhere")
    return data


def test_a_link_that_leads_an_instrument_out_of_the_data_folder_is_not_followed(questioned):
    (questioned / "instrument").symlink_to(questioned.parent / "elsewhere")
    with pytest.raises(InstrumentError, match=r"data/instrument: is a link to a place outside the data folder"):
        Assessment.open(questioned)


def test_nor_is_a_link_of_one_of_its_files_and_a_pipe_is_not_waited_for(questioned):
    shutil.copytree(questioned.parent / "elsewhere", questioned / "instrument")
    (questioned / "instrument" / "bands.csv").unlink()
    (questioned / "instrument" / "bands.csv").symlink_to(questioned.parent / "elsewhere" / "bands.csv")
    os.mkfifo(questioned / "instrument" / "words.fr.csv")
    with pytest.raises(InstrumentError) as refused:
        Assessment.open(questioned)
    first, second = str(refused.value).splitlines()
    assert "instrument/bands.csv: is a link to a place outside" in first
    assert "instrument/words.fr.csv: is no file" in second


@pytest.mark.slow
def test_a_link_that_stays_in_the_data_folder_is_followed_and_so_is_one_to_all_of_it(questioned):
    shutil.copytree(questioned.parent / "elsewhere", questioned / "versions" / "2026")
    (questioned / "instrument").symlink_to("versions/2026")
    (questioned.parent / "linked").symlink_to(questioned)
    assert len(Assessment.open(questioned.parent / "linked").units) == 1


# Whose files these are --------------------------------------------------------------------------------------------


@pytest.fixture
def organisation(tmp_path, three_units, press, monkeypatch):
    return Organisation(tmp_path, three_units, press, monkeypatch)


FOREIGN = ("units/mine.html", "units/mine.pdf", "figures/my-thesis/chapter-1.pdf", "overview/notes.html",
           "records/quarantine/old.csv", "records/results/mine.csv", "records/failed/mine.txt", "units/.htaccess",
           "units/.mine.part", "records/mine/notes.txt")  # fmt: skip


def lay(out: Path, *names: str) -> dict[str, bytes]:
    for name in names:
        write_file(out / name, f"mine: {name}".encode())
    return {name: (out / name).read_bytes() for name in names}


@pytest.mark.slow
class TestForeignFiles:
    @pytest.mark.parametrize("name", [name for name in FOREIGN if "/." not in name])
    def test_a_folder_that_no_run_has_written_to_is_refused_with_the_names_of_what_is_there(self, organisation, name):
        before = lay(organisation.out, name, "notes.txt")
        shown = name if not name.startswith("figures") else "figures/my-thesis"
        with pytest.raises(UsageError, match=re.escape(f"there is {shown}. Nothing was changed.")):
            organisation.report()
        there = {path.relative_to(organisation.out).as_posix() for path in organisation.out.rglob("*")
                 if path.is_file()}  # fmt: skip
        assert there == set(before)

    def test_beside_ours_they_stay_as_they_are_run_after_run(self, organisation):
        organisation.report()
        before = lay(organisation.out, *FOREIGN)
        organisation.report("if unit_id == 'cards':\n    raise ValueError", SHOWN, force=True)
        organisation.report(units=("claims",), figures=True, force=True)
        organisation.report(units=("claims",), force=True)
        assert {name: (organisation.out / name).read_bytes() for name in FOREIGN} == before
        assert not set(FOREIGN) & set(organisation.manifest()["files"])

    def test_results_of_an_earlier_run_that_this_one_has_not_are_taken_away(self, organisation):
        organisation.report()
        organisation.owns("records/quarantine/tasks.csv", "records/results/of_earlier.csv")
        organisation.report()
        assert not list((organisation.out / "records").rglob("tasks.csv"))[1:]
        assert not (organisation.out / "records" / "quarantine" / "tasks.csv").exists()
        assert not (organisation.out / "records" / "results" / "of_earlier.csv").exists()

    def test_releases_that_were_brought_along_are_no_strangers(self, organisation):
        lay(organisation.out, "records/history/.keep")
        assert {outcome.status for outcome in organisation.report().values()} == {"ok"}

    @pytest.mark.parametrize("make", ["folder", "file", "pipe", "link"])
    def test_a_page_whose_name_is_taken_has_failed_and_no_other(self, organisation, make):
        organisation.report(units=())
        page = organisation.out / "units" / "claims.html"
        page.parent.mkdir(exist_ok=True)
        elsewhere = organisation.folder / "elsewhere.html"
        elsewhere.write_text("theirs")
        {"folder": page.mkdir, "file": lambda: page.write_text("theirs"), "pipe": lambda: os.mkfifo(page),
         "link": lambda: page.symlink_to(elsewhere)}[make]()  # fmt: skip
        for _ in range(2):  # a second run meets it as well
            outcomes = organisation.report()
            assert {name: outcome.status for name, outcome in outcomes.items()} == {
                "*": "ok", "claims": "publish", "cards": "ok", "=1+1": "ok"}  # fmt: skip
            assert "claims.html: is there already, and no run of aiready has written it" in outcomes["claims"].reason
        assert page.is_dir() or page.is_fifo() or page.read_text() == "theirs"
        assert "is there already" in (organisation.out / "overview" / "index.html").read_text()

    def test_a_page_of_ours_that_became_a_folder_has_failed_and_no_other(self, organisation):
        organisation.report()
        page = organisation.out / "units" / "claims.html"
        page.unlink()
        page.mkdir()
        outcomes = organisation.report()
        assert outcomes["claims"].status == "publish"
        assert "Is a directory" in outcomes["claims"].reason
        assert {outcome.status for name, outcome in outcomes.items() if name != "claims"} == {"ok"}

    def test_a_file_where_a_folder_belongs_is_named_before_anything_is_written(self, organisation):
        lay(organisation.out, "units")
        with pytest.raises(InfrastructureError, match=r"out/units: is a file where a folder belongs"):
            organisation.report()
        assert not (organisation.out / "records").exists()

    def test_a_lock_that_holds_somebodys_words_is_not_emptied(self, organisation):
        lay(organisation.out, ".lock")
        with pytest.raises(InfrastructureError, match=r"\.lock: is not a lock of aiready"):
            organisation.report()
        assert (organisation.out / ".lock").read_bytes() == b"mine: .lock"

    def test_the_manifest_names_every_file_before_it_is_written(self, organisation, monkeypatch):
        seen = []
        put = OwnFiles.write

        def looked_at(owned, path, content):
            put(owned, path, content)
            seen.append(path.relative_to(organisation.out).as_posix())
            assert seen[-1] in organisation.manifest()["files"]

        monkeypatch.setattr(OwnFiles, "write", looked_at)
        organisation.report("if unit_id == 'cards':\n    raise ValueError", SHOWN, figures=True)
        folders = {name.rpartition("/")[0] for name in seen}
        assert folders == {"units", "overview", "records/results", "records/failed"}


@pytest.mark.slow
def test_score_keeps_to_its_own_files_too(run, tmp_path):
    (tmp_path / "data").mkdir()
    answers(25).to_csv(tmp_path / "data" / "responses.csv", index=False)
    out = tmp_path / "out"
    lay(out, "records/results/mine.csv", "units/mine.html")
    refused = run("score", tmp_path / "data", "--out", out)
    assert (refused.code, "records/results/mine.csv" in refused.err, "units" in refused.err) == (2, True, False)
    assert not (out / ".lock").exists()
    (out / "records" / "results" / "mine.csv").unlink()
    assert run("score", tmp_path / "data", "--out", out).code == 0
    lay(out, "records/results/mine.csv", "records/quarantine/old.csv")
    assert run("score", tmp_path / "data", "--out", out).code == 0
    assert (out / "records" / "results" / "mine.csv").exists()
    assert (out / "records" / "quarantine" / "old.csv").exists()
    files = json.loads((out / "records" / "manifest.json").read_text())["files"]
    assert "records/results/measures.csv" in files


def test_of_two_claims_the_second_must_wait_for_the_file_to_go(tmp_path):
    notes = []
    owned = OwnFiles(tmp_path, (), lambda names: notes.append(set(names)))
    write_file(tmp_path / "theirs.html", b"theirs")
    with pytest.raises(BlockedError, match=r"theirs\.html: is there already"):
        owned.write(tmp_path / "theirs.html", b"ours")
    owned.write(tmp_path / "ours.html", b"ours")
    assert notes == [{"ours.html"}]
    assert owned.remove(tmp_path / "theirs.html", tmp_path / "ours.html") == [tmp_path / "ours.html"]
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.html"]


# Names ------------------------------------------------------------------------------------------------------------


def test_a_name_of_any_length_fits_a_disk_and_ordinary_ones_are_as_they_were():
    for unit_id in ("a" * MAX_STEM_LENGTH, "claims", "unit-7"):
        assert file_stem(unit_id) == unit_id
    long = ["a" * 255, "a" * 254 + "b", "ä" * 255, "Claims " * 1000, "a-" * 127 + "a"]
    made = [file_stem(unit_id) for unit_id in long]
    assert len(set(made)) == len(long)
    assert max(map(len, made)) <= MAX_STEM_LENGTH
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in made)


@pytest.mark.slow
def test_a_unit_with_a_name_of_255_letters_has_its_page_like_any_other(tmp_path, press, monkeypatch):
    names = ["a" * 255, "b" * 255]
    (tmp_path / "data").mkdir()
    answers(24, unit_id=[names[0]] * 12 + [names[1]] * 12).to_csv(tmp_path / "data" / "responses.csv", index=False)
    path = book(tmp_path, "if unit_id[:1] == 'b':\n    raise ValueError", SHOWN)
    monkeypatch.setattr(report_run, "_notebook", lambda _: path)
    request = report_run.ReportRequest(
        "", tmp_path / "out", tuple(names), RunOptions(figures=True), submit=press.submit
    )
    outcomes = report_run.run_report(Assessment.open(tmp_path / "data"), request).pages
    assert sorted(outcome.status for outcome in outcomes) == ["cell error", "ok", "ok"]
    assert [path.name for path in (tmp_path / "out" / "units").iterdir()] == [f"{file_stem(names[0])}.html"]
    failed = tmp_path / "out" / "records" / "failed"
    assert {path.name for path in failed.iterdir()} == {f"{file_stem(names[1])}.txt", f"{file_stem(names[1])}.ipynb"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("claims\x1b[2J", r"claims\x1b[2J"),
        ("a\rb\x07\x08\x7f\x9b31m", r"a\rb\x07\x08\x7f\x9b31m"),
        ("a\u202eb\u2066c\ufeff", r"a\u202eb\u2066c\ufeff"),
        ("two\nlines\t", r"two\nlines\t"),
        ("a\u2028b\udc80", r"a\u2028b\udc80"),
        ("Küche 信任 नमस्ते \U0001f468\u200d\U0001f469 m²", "Küche 信任 नमस्ते \U0001f468\u200d\U0001f469 m²"),
    ],
)
def test_control_characters_are_seen_not_obeyed(text, shown):
    assert visible(text) == shown


@pytest.mark.slow
def test_nothing_that_is_printed_moves_the_cursor_or_clears_the_screen(run, tmp_path, monkeypatch):
    evil = "claims\x1b[2J\x9b1A"
    data = tmp_path / "data"
    data.mkdir()
    answers(25, unit_id=[evil] * 25).to_csv(data / "responses.csv", index=False)
    path = book(tmp_path, "raise ValueError('\\x1b[31mred\\r' + unit_id)")
    monkeypatch.setattr(report_run, "_notebook", lambda _: path)
    said = [run("check", data), run("report", data, "--out", tmp_path / "out"), run("check", f"{data}\x1b[2J"),
            run("report", data, "--out", tmp_path / "out", "--unit", "claim\x1b[2J"), run("check", data, "--json"),
            run("report", data, "--out", tmp_path / "out", "--json")]  # fmt: skip
    for done in said:
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", done.out + done.err)
    assert r"claims\x1b[2J\x9b1A" in said[1].err
    json.loads(said[-2].out)
    json.loads(said[-1].out)


# What this package wrote, and cannot read any more -------------------------------------------------------------------


BROKEN = {"facts.json": b"{", "measures.parquet": b"PAR1 no more PAR1", "units.parquet": b""}


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_results_that_are_broken_are_named_file_by_file(small_results, tmp_path, name):
    results = shutil.copytree(small_results / "results", tmp_path / "results")
    (results / name).write_bytes(BROKEN[name])
    with pytest.raises(InputError, match=rf"results/{re.escape(name)}: cannot be read \(.*aiready score DATA"):
        Assessment.open(small_results / "data", results=results)


@pytest.mark.slow
def test_results_kept_in_memory_that_are_broken_are_made_again(small_results, tmp_path, monkeypatch):
    monkeypatch.setenv(result_cache.FOLDER_VARIABLE, str(tmp_path))
    Assessment.recall(small_results / "data")
    (kept,) = tmp_path.glob("results-*")
    for name, content in BROKEN.items():
        before = (kept / name).read_bytes()
        (kept / name).write_bytes(content)
        assert len(Assessment.recall(small_results / "data").units) == 1
        assert (kept / name).read_bytes() == before


# Told to stop -----------------------------------------------------------------------------------------------------


WHOLE = "every file that was written is whole. Run the command again to go on."


def listens(pid: int) -> bool:
    """Whether a process catches SIGTERM: before that the system ends it, and no program has a say."""
    with suppress(OSError):
        caught = re.search(r"^SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)
    return False


def stopped(asked: list[object], after: float, sign: signal.Signals, scratch: Path) -> tuple[int, str, float]:
    """Exit code and last words of a command that is told to stop so many seconds after it began to listen."""
    process = subprocess.Popen(
        command(*asked), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"TMPDIR": str(scratch)},
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGTERM)],
    )  # fmt: skip
    while process.poll() is None and not listens(process.pid):
        time.sleep(0.001)
    began = time.monotonic()
    with suppress(subprocess.TimeoutExpired):
        process.wait(after)
    process.send_signal(sign)
    _, said = process.communicate(timeout=120)
    return process.returncode, said, time.monotonic() - began


def staggered(tmp_path: Path, number: int, *, commands: list[list[object]]) -> None:
    """Commands told to stop at moments spread over their length; each ends with one line and the signal's code."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    for place, asked in enumerate(commands):
        code, said, length = stopped(asked, 600, signal.SIGTERM, scratch)
        assert code == 0, said
        for step in range(number // len(commands)):
            sign = (signal.SIGINT, signal.SIGTERM)[(step + place) % 2]
            after, code, said = length * step / (number / len(commands)), 0, ""
            while (code, said) == (0, ""):  # on a machine that others use, it may be done by then
                code, said, _ = stopped([*asked, "--force"] if asked[0] == "report" else asked, after, sign, scratch)
                after *= 0.8
            told = f"{asked[0]}, {sign.name} after {after:.2f} of {length:.2f} s: exit code {code}, {said!r}"
            assert code == 128 + sign, told
            assert said.splitlines() == [f"Stopped by {sign.name}: {WHOLE}"], told
        assert list(scratch.iterdir()) == []


STOPS = {
    "lost in a destructor": """
class Gone:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass
def examine(*_):
    Gone()
    time.sleep(30)
""",
    "turned into an error": """
def examine(*_):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    except BaseException:
        raise RuntimeError("Query interrupted") from None
""",
    "swallowed": """
def examine(*_):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    except BaseException:
        return None
""",
    "raised while a module is imported": """
planted = tempfile.mkdtemp()
with open(planted + "/slow_to_import.py", "w") as file:
    file.write("import os, signal, time\\nos.kill(os.getpid(), signal.SIGTERM)\\ntime.sleep(0.2)\\ndone = True\\n")
def examine(*_):
    sys.path.append(planted)
    import slow_to_import
    assert slow_to_import.done
    time.sleep(30)
""",
    "told twice": """
def examine(*_):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
""",
}
"""What may become of a stop before the command line hears of it."""


@pytest.mark.slow
@pytest.mark.parametrize("what", STOPS)
def test_a_stop_that_gets_lost_on_the_way_is_a_stop_all_the_same(what):
    head = "import os, signal, sys, tempfile, time\nfrom aiready.cli import commands\n"
    head += "from aiready.profile import data_check\n"
    code = f"{head}{STOPS[what]}\ndata_check.check = examine\ncommands.main(['check', 'anywhere'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=25)
    assert (done.returncode, done.stdout) == (143, "")
    assert done.stderr.splitlines() == [f"Stopped by SIGTERM: {WHOLE}"]


@pytest.fixture
def database(tmp_path) -> str:
    """A database whose table takes seconds to read."""
    import duckdb

    with duckdb.connect(tmp_path / "slow.duckdb") as made:
        made.register("people", answers(25))
        made.execute("CREATE TABLE responses AS SELECT * FROM people")
        made.execute(
            "CREATE TABLE decisions AS SELECT 'claims' AS unit_id, 'd' || range AS decision_id, 'p' || range % 40 AS "
            "decider_id, TIMESTAMP '2026-03-01' + range % 200_000 * INTERVAL 1 MINUTE AS opened_at, opened_at + "
            "range % 5000 * INTERVAL 1 MINUTE AS decided_at, 'pay' AS advice, 'pay' AS final_decision "
            "FROM range(600_000)"
        )
    return f"duckdb://{tmp_path / 'slow.duckdb'}"


def asked_of(tmp_path: Path, database: str) -> list[list[object]]:
    data = tmp_path / "data"
    data.mkdir()
    answers(25).to_csv(data / "responses.csv", index=False)
    return [["check", database], ["report", data, "--out", tmp_path / "out", "--jobs", 1]]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_told_to_stop_at_any_moment_a_command_says_so_in_one_line(tmp_path, database):
    staggered(tmp_path, 4, commands=asked_of(tmp_path, database))


@pytest.mark.acceptance
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_told_to_stop_at_24_moments_a_command_says_so_in_one_line(tmp_path, database):
    staggered(tmp_path, 24, commands=asked_of(tmp_path, database))
