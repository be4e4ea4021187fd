"""A real Dask cluster of two workers on this machine: a worker killed half-way costs nothing but time."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import answers
from test_reports import SHOWN, book

from aiready.batch import report_run
from aiready.batch.dask_runner import cluster
from aiready.batch.runner import PageRunner
from aiready.batch.schedule import RunOptions
from aiready.errors import InfrastructureError, UsageError

UNITS = 8


def test_an_address_of_no_known_kind_is_refused():
    with pytest.raises(UsageError, match="Write it as dask:tcp://host:8786"), cluster("tcp://here:1"):
        pass


pytest.importorskip("distributed", reason="dask.distributed is not installed")


@pytest.fixture(scope="module", params=["--no-nanny", pytest.param("--nanny", marks=pytest.mark.acceptance)])
def address(request, tmp_path_factory) -> Iterator[str]:
    """Where a scheduler answers that has two workers: by themselves, or each with a nanny that starts it again."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    given = ["--scheduler-file", str(file), "--no-dashboard"]
    started = [
        subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", *given], **quiet)
    ]
    worker = ["-m", "distributed.cli.dask_worker", "--nthreads", "1", request.param, *given]
    started += [subprocess.Popen([sys.executable, *worker], **quiet) for _ in range(2)]
    for _ in range(600):
        if file.exists() and (found := re.search(r'"address": "(tcp://[^"]+)"', file.read_text())):
            break
        time.sleep(0.1)
    yield f"dask:{found[1]}"
    for process in reversed(started):
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_a_worker_killed_half_way_costs_only_time_and_pages_are_those_of_this_machine(address, tmp_path, monkeypatch):
    from distributed import Client

    from aiready import Assessment

    with Client(address.removeprefix("dask:"), set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        workers = list(client.run(os.getpid).values())
    names = [f"unit-{place}" for place in range(UNITS) for _ in range(6)]
    (tmp_path / "data").mkdir()
    answers(len(names), unit_id=names).to_csv(tmp_path / "data" / "responses.csv", index=False)
    assessment = Assessment.open(tmp_path / "data")
    monkeypatch.setattr(report_run, "_notebook", lambda _: book(tmp_path, "import time; time.sleep(0.2)", SHOWN))
    asked = tuple(assessment.units["unit_id"])
    done = 0

    def kill_one(_) -> None:
        nonlocal done
        done += 1
        if done == UNITS // 2:
            os.kill(workers[0], signal.SIGKILL)

    def pages(out: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (out / "units").glob("*.html")}

    with cluster(address) as (make, jobs):
        assert jobs == 2
        request = report_run.ReportRequest("", tmp_path / "far", asked, RunOptions(jobs=jobs), kill_one, submit=make)
        assert report_run.run_report(assessment, request).failed == []
    with PageRunner(2) as press:
        report_run.run_report(
            assessment, report_run.ReportRequest("", tmp_path / "near", asked, RunOptions(jobs=2), submit=press.submit)
        )
    assert not Path(f"/proc/{workers[0]}/exe").exists()
    assert len(pages(tmp_path / "near")) == UNITS
    assert pages(tmp_path / "far") == pages(tmp_path / "near")


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr("aiready.batch.dask_runner.CONNECT_TIMEOUT", 1)
    with (
        pytest.raises(InfrastructureError, match="no Dask scheduler with workers answers"),
        cluster("dask:tcp://127.0.0.1:9"),
    ):
        pass
