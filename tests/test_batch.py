"""Orders to pages: true causes, fallbacks, other executors, and a disk, a home and file handles that are short."""

import errno
import json
import os
import pickle
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import CancelledError, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import answers
from filelock import FileLock
from test_reports import SHOWN, book

from aiready.atomic_files import file_stem
from aiready.batch import job_folders, report_run
from aiready.batch.page_job import GIGABYTE, PageJob
from aiready.batch.runner import FORKED, SPAWNED, PageRunner
from aiready.batch.schedule import RunOptions, submit_to
from aiready.errors import InfrastructureError

pytestmark = pytest.mark.slow
EVIL = {
    "unit-03": "import os; os._exit(9)",
    "unit-05": "while True: pass",
    "unit-07": "held = [bytearray(100_000_000) for _ in range(1000)]",
    "unit-09": "import ctypes; ctypes.string_at(0)",
}
CAUSES = {"unit-03": "killed", "unit-05": "time-out", "unit-07": "out of memory", "unit-09": "killed"}


@pytest.fixture
def order(tmp_path):
    def make(*sources: str, unit_id: str = "claims", **options: object) -> PageJob:
        content = book(tmp_path, *sources).read_bytes()
        return PageJob(unit_id, content, {"unit_id": unit_id}, {"note.txt": b"slice"}, **options)

    return make


@pytest.mark.parametrize(
    ("source", "status", "reason"),
    [
        ("1 / 0", "cell error", "ZeroDivisionError: division by zero"),
        ("import nothing_of_that_name", "cell error", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("import os; os._exit(9)", "killed", "its process ended itself with exit code 9 in cell 3"),
        ("import os; os._exit(0)", "killed", "its process ended itself with exit code 0 in cell 3"),
        ("import os; os._exit(72)", "killed", "its process ended itself with exit code 72 in cell 3"),
        ("import ctypes; ctypes.string_at(0)", "killed", "killed by SIGSEGV in cell 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed", "killed by SIGKILL in cell 3"),
        ("while True: pass", "time-out", "stopped after 2 s in cell 3"),
        ("raise ValueError('no memory of it')", "cell error", "ValueError: no memory of it"),
    ],
)
def test_a_failure_is_told_by_its_true_cause(press, order, source, status, reason):
    made = press.submit(order(source, timeout=2 if "while" in source else 60, memory=2 * GIGABYTE)).result(60)
    assert (made.status, made.reason) == (status, reason)
    assert made.page == b""
    assert made.notebook
    assert "Segmentation fault" in made.traceback if "SIGSEGV" in reason else True


@pytest.mark.parametrize(
    "source",
    [
        "held = bytearray(40 * 10**9)",
        "import numpy; numpy.ones(5 * 10**9)",
        "raise OSError(12, 'Cannot allocate memory')",
        'raise RuntimeError("can\'t start new thread")',
        "held = []\nwhile True: held.append(bytearray(10**6))",
    ],
)
def test_a_limit_of_memory_that_was_reached_is_told_with_the_option_that_moves_it(press, order, source):
    made = press.submit(order(source, memory=GIGABYTE)).result(60)
    assert made.status == "out of memory"
    assert made.reason.endswith("a handout may hold 1 GB, and this one needs more (--memory GB sets the limit, or "
                                "fewer --jobs)")  # fmt: skip


@pytest.mark.parametrize("gigabytes", [0.01, 0.15])
def test_a_limit_below_what_any_page_needs_is_no_error_of_a_cell(press, data, tmp_path, gigabytes):
    from aiready import Assessment

    options = RunOptions(jobs=1, memory=gigabytes)
    request = report_run.ReportRequest(str(data), tmp_path / "out", ("claims",), options, submit=press.submit)
    run = report_run.run_report(Assessment.open(data), request)
    assert {outcome.status for outcome in run.pages} == {"out of memory"}
    assert all("--memory" in outcome.reason for outcome in run.pages)


@pytest.fixture
def confined():
    """A control group whose processes together may hold 400 MB: the path of the file that takes them in."""
    group = Path("/sys/fs/cgroup") / ("" if Path("/sys/fs/cgroup/memory.max").exists() else "memory") / "aiready-test"
    try:
        group.mkdir()
        limit = next(path for path in (group / "memory.max", group / "memory.limit_in_bytes") if path.exists())
        limit.write_text("400000000")
    except (OSError, StopIteration):
        pytest.skip("this machine does not let us limit the memory of a group of processes")
    yield group / "cgroup.procs"
    group.rmdir()


def test_ended_by_the_system_for_want_of_memory_is_told_from_any_other_kill(press, order, confined):
    join = f"import os; open({str(confined)!r}, 'w').write(str(os.getpid()))"
    made = press.submit(order(join, "held = bytearray(10**9)")).result(60)
    assert made.status == "out of memory"
    words = r"ended by the system for want of memory \(fewer --jobs leave more to each\); it held 0\.\d GB in cell 4"
    assert re.fullmatch(words, made.reason), made.reason
    assert press.submit(order(SHOWN)).result(60).status == "ok"


SLOW_PAGE = f"""
import time
from aiready.pages.markup import exporter
exporter.handout_resources = lambda _: time.sleep(60)
{SHOWN}"""
TORN_PAGE = f"""
from aiready.pages.markup import exporter
exporter.HandoutExporter.from_notebook_node = lambda *_: ("<h1>Claims</h1>", {{}})
{SHOWN}"""


def test_a_page_that_is_drawn_for_ever_is_stopped_in_time(press, order):
    stopped = press.submit(order(SLOW_PAGE, timeout=2)).result(60)
    assert (stopped.status, stopped.reason) == ("time-out", "stopped after 2 s while its page was drawn")
    assert stopped.notebook
    assert press.submit(order(SHOWN)).result(60).status == "ok"


def test_a_torn_page_is_no_page(press, order):
    torn = press.submit(order(TORN_PAGE)).result(60)
    assert (torn.status, torn.page) == ("render", b"")
    assert torn.reason == "the page was not published: it is cut short"
    assert torn.notebook
    assert "FaultyPageError" in torn.traceback


def test_what_a_notebook_started_ends_with_its_page(press, order, tmp_path):
    pid_file = tmp_path / "pid"
    start = f"import subprocess; open({str(pid_file)!r}, 'w').write(str(subprocess.Popen(['sleep', '300']).pid))"
    assert press.submit(order(start, SHOWN)).result(60).status == "ok"
    assert not Path(f"/proc/{pid_file.read_text()}/exe").exists()


def test_a_thread_that_never_ends_does_not_hold_a_page_up(press, order):
    code = "import threading, time; threading.Thread(target=time.sleep, args=(300,)).start()"
    assert press.submit(order(code, SHOWN)).result(30).status == "ok"


def test_what_was_not_started_is_cancelled_when_the_block_ends(order):
    with PageRunner(1) as runner:
        started, waiting = runner.submit(order("import time; time.sleep(60)")), runner.submit(order(SHOWN))
        while not started.running():
            time.sleep(0.01)
    assert waiting.cancelled()
    with pytest.raises(CancelledError):
        started.result()


def test_a_script_without_a_main_guard_can_make_pages(tmp_path, order):
    pickled = tmp_path / "job.pickle"
    pickled.write_bytes(pickle.dumps(order(SHOWN)))
    script = tmp_path / "script.py"
    script.write_text(f"""
import pathlib, pickle
from aiready.batch.runner import PageRunner
print("started")
for method in ("forked", "spawned"):
    with PageRunner(1, start_method=method) as runner:
        print(runner.submit(pickle.loads(pathlib.Path({str(pickled)!r}).read_bytes())).result().status)
""")
    printed = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert printed.stdout.split() == ["started", "ok", "ok"], printed.stderr


def test_folders_of_runs_that_were_killed_with_all_their_processes_are_removed(tmp_path):
    for name in ("locked", "job"):
        (tmp_path / f"aiready.{name}").mkdir()
        (tmp_path / f"aiready.{name}" / "held").touch()
    (tmp_path / "aiready.job" / "job-1").mkdir()
    empty, new = tmp_path / "aiready.empty", tmp_path / "aiready.new"
    empty.mkdir()
    new.mkdir()
    os.utime(empty, (time.time() - 100,) * 2)
    with FileLock(tmp_path / "aiready.locked" / "held"):
        job_folders.remove_abandoned(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {"aiready.locked", "aiready.new"}


def test_what_only_has_the_name_of_a_folder_of_orders_is_not_opened_nor_taken_away(tmp_path, monkeypatch):
    """A pipe would be waited for; a link may lead to anybody's folder; some folders cannot be listed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "held").touch()
    (tmp_path / "aiready.linked").symlink_to(elsewhere)
    (tmp_path / "aiready.nowhere").symlink_to(tmp_path / "nowhere")
    (tmp_path / "aiready.file").touch()
    os.mkfifo(tmp_path / "aiready.pipe")
    for name, make in {"pipe": os.mkfifo, "link": lambda path: path.symlink_to(elsewhere / "held")}.items():
        folder = tmp_path / f"aiready.with-{name}"
        folder.mkdir()
        make(folder / "held")
    unreadable = tmp_path / "aiready.unreadable"
    unreadable.mkdir(mode=0o000)
    with socket.socket(socket.AF_UNIX) as listener:
        (tmp_path / "aiready.with-socket").mkdir()
        listener.bind(str(tmp_path / "aiready.with-socket" / "held"))
        before = set(tmp_path.iterdir())
        signal.alarm(20)
        try:
            job_folders.remove_abandoned(tmp_path)
        finally:
            signal.alarm(0)
        assert set(tmp_path.iterdir()) == before
    assert (elsewhere / "held").exists()


def test_a_folder_of_orders_of_another_user_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "aiready.theirs").mkdir()
    (tmp_path / "aiready.theirs" / "held").touch()
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    job_folders.remove_abandoned(tmp_path)
    assert (tmp_path / "aiready.theirs" / "held").exists()


def test_an_error_of_the_runner_itself_reaches_whoever_waits_for_a_page(order, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(job_folders.JobFolder, "write_inputs", broken)
    with PageRunner(1) as runner, pytest.raises(ZeroDivisionError):
        runner.submit(order(SHOWN)).result(60)


def test_where_no_process_can_be_started_the_run_ends_with_the_reason(order, monkeypatch):
    def broken(*_):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", broken)
    with PageRunner(1) as runner, pytest.raises(InfrastructureError, match="Resource temporarily unavailable"):
        runner.submit(order(SHOWN)).result(60)


def test_imports_leave_out_a_grammar_nobody_asks_for_and_leave_all_as_it_was():
    code = """
import gc, sys
from aiready.package_files import fast_imports
with fast_imports():
    import altair, nbformat, papermill
    assert not gc.isenabled()
assert gc.isenabled()
assert "rfc3987_syntax" not in sys.modules and "lark" not in sys.modules
nbformat.validate(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]))
altair.Chart({"values": [{"x": 1}]}).mark_point().encode(x="x:Q").to_dict(validate=True)
import rfc3987_syntax
assert rfc3987_syntax.is_valid_syntax("iri", "https://example.org/")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_notebook_that_is_none_does_not_start(press):
    made = press.submit(PageJob("claims", b"{", {})).result(60)
    assert made.status == "start"
    assert made.traceback


def test_a_unit_that_ends_the_template_process_has_failed_and_no_other(press, order):
    bad = press.submit(order("import os, signal; os.kill(os.getppid(), signal.SIGKILL)"))
    good = [press.submit(order(SHOWN)) for _ in range(2)]
    assert bad.result(120).status == "start"
    assert [made.result(120).status for made in good] == ["ok", "ok"]


def test_a_unit_that_exits_as_if_the_template_process_had_ended_is_told_from_it(press, order):
    exited = press.submit(order("import os; os._exit(255)")).result(60)
    assert (exited.status, exited.reason) == ("killed", "its process ended itself with exit code 255 in cell 3")


def test_every_run_is_a_fresh_fork_of_a_process_with_one_thread(press, order):
    press.submit(order("import builtins; builtins.leaked = unit_id", SHOWN)).result(60)
    again = press.submit(order("import builtins", "assert not hasattr(builtins, 'leaked')", SHOWN)).result(60)
    assert (again.status, again.start_method) == ("ok", FORKED)


def test_a_fork_server_in_which_a_library_started_a_thread_is_not_forked(order, tmp_path):
    """Another process, since one process has one fork server: NumPy's threads are those that a machine's own settings
    may start."""
    pickled = tmp_path / "job.pickle"
    pickled.write_bytes(pickle.dumps(order(SHOWN)))
    code = f"""
import pathlib, pickle
from aiready.batch import preload
from aiready.batch.runner import PageRunner
preload.ENVIRONMENT.update(OPENBLAS_NUM_THREADS="2", OMP_NUM_THREADS="2")
with PageRunner(1) as runner:
    result = runner.submit(pickle.loads(pathlib.Path({str(pickled)!r}).read_bytes())).result()
    print(result.status, result.start_method, runner.remark)
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    reason = "Notebooks ran spawned, not forked: a library started threads in the fork server."
    assert printed.stdout.strip() == f"ok spawned {reason}", printed.stderr


def test_without_forks_the_page_is_the_same_byte_for_byte(press, order):
    forked = press.submit(order(SHOWN)).result(60)
    with PageRunner(1, start_method=SPAWNED) as other:
        spawned = other.submit(order(SHOWN)).result(120)
        died = other.submit(order("import os; os._exit(9)")).result(120)
        assert (other.start_method, other.remark) == (SPAWNED, "")
    assert (spawned.status, spawned.page) == ("ok", forked.page)
    assert (forked.start_method, spawned.start_method) == (FORKED, SPAWNED)
    assert (died.status, died.reason) == ("killed", "its process ended itself with exit code 9 in cell 3")


WITHOUT_UNIX = """
import os, signal, sys
import IPython, filelock, ipykernel.kernelapp, jupyter_client.manager, nbclient, papermill, psutil, tornado.ioloop

for name in ("fcntl", "resource"):
    sys.modules[name] = None
for name in ("fork", "posix_spawn", "geteuid", "sysconf", "wait4", "setpgid", "killpg"):
    delattr(os, name)
from aiready.cli.commands import main

sys.argv[1:] = ["report", *sys.argv[1:]]
main()
"""
"""Stands in for a system that is no Unix: what the package could use of Unix is taken from it."""


def test_a_run_where_nothing_can_be_forked_makes_the_pages_and_says_how(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    answers().to_csv(data / "responses.csv", index=False)
    command = [sys.executable, "-c", WITHOUT_UNIX, str(data), "--as-of", "2026-09-30", "--out", str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.strip().splitlines()[-1] == "Notebooks ran spawned, not forked: this system cannot fork."
    assert {path.name for path in out.rglob("*.html")} == {"claims.html", "portfolio.html", "index.html"}
    assert json.loads((out / "records" / "manifest.json").read_text())["notebooks"] == [SPAWNED]


def test_a_kernel_for_each_notebook_gives_the_same_page(press, order):
    ours = press.submit(order(SHOWN)).result(60)
    theirs = press.submit(order(SHOWN, engine=None)).result(120)
    assert (theirs.status, theirs.page) == ("ok", ours.page)


def test_any_executor_makes_the_same_page(press, order):
    wanted = order(SHOWN)
    ours = press.submit(wanted).result(60)
    for kind in (ThreadPoolExecutor, ProcessPoolExecutor):
        with kind(1) as executor:
            assert submit_to(executor)(wanted).result(120).page == ours.page


def units(number: int, folder: Path):
    from aiready import Assessment

    names = [f"unit-{place:02}" for place in range(number) for _ in range(6)]
    folder.mkdir()
    answers(len(names), unit_id=names).to_csv(folder / "responses.csv", index=False)
    return Assessment.open(folder)


def among(number: int, press: PageRunner, tmp_path: Path, monkeypatch, timeout: float) -> None:
    """Four units that exit, loop, eat memory and crash, among others: each has its cause, the others their pages."""
    assessment = units(number, tmp_path / "data")
    code = "\n".join(f"if unit_id == '{name}':\n    {source}" for name, source in EVIL.items())
    monkeypatch.setattr(report_run, "_notebook", lambda _: book(tmp_path, code, SHOWN))
    names = tuple(assessment.units["unit_id"])
    options = RunOptions(jobs=2, timeout=timeout, memory=2)
    run = report_run.run_report(
        assessment, report_run.ReportRequest("", tmp_path / "out", names, options, submit=press.submit)
    )
    failed = {outcome.unit_id: outcome for outcome in run.failed}
    assert {name: outcome.status for name, outcome in failed.items()} == CAUSES
    assert "exit code 9" in failed["unit-03"].reason
    assert "SIGSEGV" in failed["unit-09"].reason
    there = {path.stem for path in (tmp_path / "out" / "units").glob("*.html")}
    assert there == {file_stem(name) for name in names} - set(EVIL)
    assert {path.stem for path in (tmp_path / "out" / "records" / "failed").iterdir()} == set(EVIL)


def test_four_units_that_break_among_twelve_are_told_apart(press, tmp_path, monkeypatch):
    among(12, press, tmp_path, monkeypatch, timeout=16)


@pytest.mark.acceptance
def test_four_units_that_break_among_a_hundred_are_told_apart(press, tmp_path, monkeypatch):
    among(100, press, tmp_path, monkeypatch, timeout=60)


def command(*given: object) -> list[str]:
    return [sys.executable, "-c", "from aiready.cli.commands import main; main()", *map(str, given)]


@pytest.fixture
def data(tmp_path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    answers(25).to_csv(folder / "responses.csv", index=False)
    return folder


def test_a_home_that_cannot_be_written_and_256_file_handles_are_enough(data, tmp_path):
    def short() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    done = subprocess.run(
        command("report", data, "--out", tmp_path / "out", "--jobs", 2),
        env=os.environ | {"HOME": "/dev/null/home"}, preexec_fn=short, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "units" / "claims.html").exists()


@pytest.fixture
def full(tmp_path):
    """A disk of its own with 8 MB of room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs rights that this machine does not give")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_leaves_what_was_there_and_says_so(data, full):
    first = subprocess.run(command("report", data, "--out", full / "out"), capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    page = full / "out" / "units" / "claims.html"
    before = page.read_bytes()
    with (full / "filler").open("wb") as filler:
        filler.write(b"0" * shutil.disk_usage(full).free)
    told = subprocess.run(
        command("report", data, "--out", full / "out", "--force"), capture_output=True, text=True, check=False
    )
    assert told.returncode == 3
    assert "No space left on device" in told.stderr
    assert len(told.stderr.strip().splitlines()) <= 5
    assert page.read_bytes() == before


def test_a_scratch_disk_that_is_full_is_told_too(data, full, tmp_path):
    with (full / "filler").open("wb") as filler:
        filler.write(b"0" * (shutil.disk_usage(full).free - 20_000))
    told = subprocess.run(
        command("report", data, "--out", tmp_path / "out"),
        env=os.environ | {"TMPDIR": str(full)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 3
    assert "set TMPDIR to another disk" in told.stderr


def test_two_runs_at_once_the_second_refuses(data, tmp_path):
    out = tmp_path / "out"
    with subprocess.Popen(command("report", data, "--out", out), stdout=subprocess.PIPE, text=True) as first:
        for line in first.stdout:
            if "responses:" in line:
                break
        while not (out / ".lock").exists() and first.poll() is None:
            time.sleep(0.05)
        os.kill(first.pid, signal.SIGSTOP)
        try:
            second = subprocess.run(command("report", data, "--out", out), capture_output=True, text=True, check=False)
        finally:
            os.kill(first.pid, signal.SIGCONT)
        first.communicate()
    assert first.returncode == 0
    assert second.returncode == 3
    assert "another run is writing here" in second.stderr


def test_nothing_is_left_on_disk(data, tmp_path):
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {"TMPDIR": scratch}
        done = subprocess.run(
            command("report", data, "--out", tmp_path / "out", "--quiet"),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert list(Path(scratch).iterdir()) == []


def test_a_temporary_folder_with_a_path_too_long_for_a_socket_costs_only_time(data, tmp_path):
    scratch = tmp_path / ("long" * 20)
    scratch.mkdir()
    done = subprocess.run(
        command("report", data, "--out", tmp_path / "out", "--quiet"),
        env=os.environ | {"TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "Notebooks ran spawned, not forked: AF_UNIX path too long.\n")
    assert list(scratch.iterdir()) == []
