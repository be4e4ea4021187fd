"""Killed at any moment, the batch leaves whole pages and nobody behind, and the next run completes it.

Every process of a run carries a mark in its environment, by which it is found in `/proc` whoever its parent is.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import answers
from test_reports import SHOWN, book

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

DRIVER = Path(__file__).with_name("batch_driver.py")
MARK = "AIREADY_TEST_RUN"
UNITS = 12
TARGETS = ("template", "child", "tracker", "runner")
"""What is killed in one run, each at a moment of its own; the runner last, since that ends the run."""


class Marked:
    """A run in its own process, and every process that belongs to it."""

    def __init__(self, *arguments: object, scratch: Path):
        self.mark, self.scratch = uuid.uuid4().hex, scratch
        self.process = subprocess.Popen(
            [sys.executable, DRIVER, *map(str, arguments)],
            env=os.environ | {MARK: self.mark, "TMPDIR": str(scratch)},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def living(self) -> dict[int, str]:
        """Processes of the run by id, with what each is."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = self._role(folder)
        return {pid: role for pid, role in found.items() if role}

    def _role(self, folder: Path) -> str:
        state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        command = (folder / "cmdline").read_text()
        if state == "Z" or not command:
            return ""
        if "resource_tracker" in command:
            return "tracker"
        if "multiprocessing.forkserver" in command:
            return "template" if int(parent) == self.process.pid else "child"
        return "runner"

    def kill(self, role: str, sign: signal.Signals = signal.SIGKILL) -> bool:
        """Kill one process of a role, if there is one."""
        pids = [pid for pid, found in self.living().items() if found == role]
        with suppress(ProcessLookupError):
            for pid in pids[:1]:
                os.kill(pid, sign)
        return bool(pids)

    def ended(self) -> int:
        """Exit code of the run."""
        _, self.said = self.process.communicate(timeout=120)
        return self.process.returncode

    def left_over(self) -> dict[int, str]:
        """What still lives a while after the run has ended."""
        for _ in range(50):
            if not (living := self.living()):
                break
            time.sleep(0.1)
        return living


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> tuple[Path, Path]:
    """Results of twelve units, and a notebook that shows its unit."""
    from aiready import Assessment

    folder = tmp_path_factory.mktemp("kills")
    names = [f"unit-{place}" for place in range(UNITS) for _ in range(6)]
    (folder / "data").mkdir()
    answers(len(names), unit_id=names).to_csv(folder / "data" / "responses.csv", index=False)
    Assessment.open(folder / "data").save(folder / "results")
    return folder / "results", book(folder, "import time; time.sleep(0.1)", SHOWN)


@pytest.fixture
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def pages(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for folder in ("units", "overview") for path in (out / folder).glob("*.html")}


def whole(found: dict[str, bytes]) -> bool:
    return all(page.rstrip().endswith(b"</html>") for page in found.values())


def run_killed(given, out: Path, scratch: Path, moments: dict[str, float]) -> tuple[int, list[str]]:
    """One run in which processes are killed, each after a while; what readers see is looked at all the time.

    A target that is not there at its moment is killed as soon as it is. Gives the exit code and what was killed.
    """
    before = set(pages(out))
    run = Marked(*given, out, "--force", scratch=scratch)
    start, killed = time.monotonic(), []
    while run.process.poll() is None:
        due = [target for target in TARGETS if target not in killed and time.monotonic() - start > moments[target]]
        killed += [target for target in due if run.kill(target)]
        seen = pages(out)
        assert whole(seen), "a reader met half a page"
        assert before <= set(seen), "a reader missed a page that there had been"
        time.sleep(0.02)
    code = run.ended()
    assert run.left_over() == {}, "orphans"
    return code, killed


def loop(given, out: Path, scratch: Path, kills: int, seed: int) -> None:
    """Runs until so many processes were killed; after each the next run makes it complete."""
    first = Marked(*given, out, scratch=scratch)
    start = time.monotonic()
    assert first.ended() == 0, first.said
    length, reference, chance = time.monotonic() - start, pages(out), random.Random(seed)
    assert len(reference) == UNITS + 2
    counts: Counter[str] = Counter()
    while counts.total() < kills:
        moments = {target: chance.uniform(0, length) for target in TARGETS}
        moments["runner"] = chance.uniform(length / 2, length * 1.5)
        code, killed = run_killed(given, out, scratch, moments)
        counts.update(killed)
        told = f"{killed} of {moments}: exit code {code}"
        assert code in ((-9,) if "runner" in killed else (0, 1) if "child" in killed else (0,)), told
        again = Marked(*given, out, scratch=scratch)
        assert again.ended() == 0, again.said
        assert again.left_over() == {}, told
        assert list(scratch.iterdir()) == [], "scratch left behind"
        found = pages(out)
        assert {name: page for name, page in found.items() if name != "index.html"} == {
            name: page for name, page in reference.items() if name != "index.html"}, told  # fmt: skip
        assert not list(out.rglob("*.part")), told
        assert (out / "records").stat().st_mode & 0o777 == 0o700
    print(f"killed: {dict(counts)}; never half a page, complete after the next run, no orphan")  # noqa: T201  figures


def test_killed_at_random_moments_it_leaves_whole_pages_and_nobody_behind(given, tmp_path, scratch):
    loop(given, tmp_path / "out", scratch, 4, seed=1)


@pytest.mark.acceptance
@pytest.mark.parametrize("seed", [2, 3])
def test_killed_at_two_hundred_random_moments(given, tmp_path, scratch, seed):
    loop(given, tmp_path / "out", scratch, 100, seed)


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_told_to_stop_it_ends_with_the_signals_exit_code_and_takes_its_processes_with_it(
    given, tmp_path, scratch, sign, code
):
    data = given[0].parent / "data"
    out, mark = tmp_path / "out", uuid.uuid4().hex
    command = [sys.executable, "-c", "from aiready.cli.commands import main; main()", "report", data, "--out", out]
    process = subprocess.Popen(
        [str(part) for part in command],
        env=os.environ | {MARK: mark, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where a shell runs these behind
    )
    for line in process.stdout:
        if line.startswith("[1/"):
            break
    process.send_signal(sign)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert "Traceback" not in said
    run = Marked.__new__(Marked)
    run.mark, run.process = mark, process
    assert run.left_over() == {}
    assert list(scratch.iterdir()) == []
    assert whole(pages(out))
    assert (out / "overview" / "index.html").exists()
