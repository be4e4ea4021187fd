"""The schedules of docs/scheduling.md run as they are printed, as far as a machine without their servers allows."""

import os
import pty
import re
import shutil
import subprocess
import sys
import types
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from conftest import answers

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")
PLACE = "/srv/aiready"
pytestmark = pytest.mark.slow


def block(heading: str, language: str, number: int = 0) -> str:
    """A code block of the page, by the section it stands in."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)[number]


@pytest.fixture
def place(tmp_path) -> Path:
    """What the page calls /srv/aiready: a virtual environment, data of one unit, notebooks."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    command = tmp_path / ".venv" / "bin" / "aiready"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from aiready.cli.commands import main; main()" "$@"\n')
    command.chmod(0o755)
    (tmp_path / "my-data").mkdir()
    answers(25).to_csv(tmp_path / "my-data" / "responses.csv", index=False)
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    return tmp_path


def shell(command: str, place: Path) -> subprocess.CompletedProcess:
    path = f"{place / '.venv' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(place)}
    done = subprocess.run(
        ["/bin/sh", "-ec", command], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_a_terminal_shows_a_bar_with_the_time_left(place):
    command = [str(place / ".venv" / "bin" / "aiready"), "report", "my-data", "--out", "my-reports", "--force"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=place, env=environment, stdout=theirs, stderr=theirs) as running:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # how a terminal says that its other end is gone
            while piece := os.read(ours, 4096):
                shown += piece
    os.close(ours)
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.decode())
    assert running.returncode == 0, text
    assert re.search(r"handouts .*2/2 .*\d:\d\d:\d\d left", text), text
    assert "[1/2]" not in text
    last = "2 pages new, 0 failed. Open my-reports/overview/index.html"
    assert text.strip().splitlines()[-1] == last


def made(place: Path) -> bool:
    return (place / "my-reports" / "units" / "claims.html").exists()


def test_the_cron_line_is_five_fields_and_a_command_that_runs(place):
    setting, line = block("cron", "cron").strip().splitlines()
    assert re.fullmatch(r"MAILTO=\S+@\S+", setting)
    *fields, command = line.split(maxsplit=5)
    assert all(re.fullmatch(r"[\d*,/-]+", part) for part in fields)
    assert len(fields) == 5
    assert "%" not in command, "cron would end the line there"
    done = shell(command.replace(PLACE, str(place)), place)
    assert done.stdout.strip().splitlines() == ["2 pages new, 0 failed. Open my-reports/overview/index.html"]
    assert made(place)


def test_the_systemd_units_are_valid_and_their_command_runs(place):
    units = {}
    for number in (0, 1):
        text = block("systemd", "ini", number)
        name = re.search(r"/etc/systemd/system/(\S+)", text)[1]
        units[name] = place / name
        units[name].write_text(text.replace(PLACE, str(place)).replace("User=aiready", "User=root"))
    if shutil.which("systemd-analyze"):
        checked = subprocess.run(
            ["systemd-analyze", "verify", "--recursive-errors=no", *units.values()],
            capture_output=True, text=True, check=False, env=os.environ | {"SYSTEMD_UNIT_PATH": f"{place}:"},
        )  # fmt: skip
        complaints = [line for line in checked.stderr.splitlines() if "aiready" in line]
        assert complaints == [], checked.stderr
        calendar = re.search(r"OnCalendar=(.*)", units["aiready.timer"].read_text())[1]
        subprocess.run(["systemd-analyze", "calendar", calendar], check=True, capture_output=True)
    command = re.search(r"ExecStart=(.*)", units["aiready.service"].read_text())[1]
    shell(command, place)
    assert made(place)


def test_the_airflow_task_runs_and_fails_when_the_command_does(place, monkeypatch):
    tasks, dags = {}, {}
    sdk = types.ModuleType("airflow.sdk")

    def task(function):
        tasks[function.__name__] = function
        return lambda *given: dags.setdefault("called", (function.__name__, given))

    sdk.task = task
    sdk.dag = lambda **settings: dags.update(settings) or (lambda function: function)
    monkeypatch.setitem(sys.modules, "airflow", types.ModuleType("airflow"))
    monkeypatch.setitem(sys.modules, "airflow.sdk", sdk)
    exec(compile(block("Airflow", "python"), "dag.py", "exec"), {})
    name, (data, out) = dags["called"]
    assert (dags["schedule"], dags["catchup"]) == ("15 6 * * 1", False)
    tasks[name](data.replace(PLACE, str(place)), out.replace(PLACE, str(place)))
    assert made(place)
    with pytest.raises(RuntimeError, match="exit code 2"):
        tasks[name](str(place / "nowhere"), str(place / "out"))


def test_the_call_that_papermills_operator_makes_works(place, monkeypatch):
    monkeypatch.chdir(place)
    code = block("Airflow", "python", 1).replace("treasury", "claims")
    exec(compile(code, "operator.py", "exec"), {})
    assert '"application/vnd.aiready.figure+json"' in (place / "out.ipynb").read_text()


def test_the_workflow_of_github_actions_is_valid_and_its_command_runs_and_shows_lines(place):
    workflow = yaml.safe_load(block("GitHub Actions", "yaml"))
    assert workflow[True]["schedule"][0]["cron"] == "15 6 * * 1"  # `on` is a boolean to YAML 1.1
    steps = workflow["jobs"]["report"]["steps"]
    (command,) = (step["run"] for step in steps if "aiready report" in step.get("run", ""))
    log = shell(command, place).stdout.splitlines()
    assert made(place)
    pages = sorted(("portfolio.html", "claims.html"), key=lambda page: page not in log[1])
    for number, (page, line) in enumerate(zip(pages, log[1:3], strict=True), 1):
        assert re.fullmatch(rf"\[{number}/2\] {page}: new \(\d+\.\d s\)", line), line
    kept = next(step for step in steps if "upload" in step.get("uses", ""))["with"]["path"].split()
    assert all((place / path).is_dir() for path in kept)
    assert not any("records" in path for path in kept)


def test_the_plain_papermill_loop_makes_the_page_that_the_batch_makes(place):
    loop = block("Plain papermill", "sh").replace("treasury finance", "claims")
    shell(loop, place)
    shell("aiready report my-data --out my-reports --quiet", place)
    pages = [(folder / "claims.html").read_text() for folder in (place, place / "my-reports" / "units")]
    alone, ours = (re.sub(r"digest [0-9a-f]{12}", "digest", page) for page in pages)
    assert alone == ours, "all but the digest of what it was made from: all results, or the unit's slice of them"
