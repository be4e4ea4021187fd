"""Who reaches the JupyterLab that `aiready lab` starts: its user alone, on this machine, with its token."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from conftest import answers
from laboratory import START_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.browser]  # each asks a Lab of its own


class _AsTold(HTTPRedirectHandler):
    """Follows nothing: where a visitor would be sent is an answer too."""

    def redirect_request(self, *_: object) -> None:
        return None


def status(address: str, method: str = "GET", **headers: str) -> int:
    """The status a server gives to a visitor without cookies."""
    request = Request(address, method=method, headers=headers, data=b"{}" if method == "POST" else None)
    try:
        return build_opener(_AsTold).open(request, timeout=10).status
    except HTTPError as refused:
        return refused.code


@contextmanager
def opened(folder: Path, asked: list[str], cwd: Path | None = None) -> Iterator[dict]:
    """What the Lab that a command starts tells of its server: `url`, `token`, `port`, `password`.

    Its settings, and what it says of kernels (`runtime`), lie in `folder`.
    """
    (folder / "config").mkdir()
    (folder / "config" / "jupyter_server_config.json").write_text('{"ExtensionApp": {"open_browser": false}}')
    own = {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config"),
           "JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "AIREADY_MEMORY": str(folder / "memory")}  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "JUPYTER_TOKEN"} | own
    with (folder / "log").open("w") as log:
        started = subprocess.Popen(asked, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=cwd)
    deadline = time.monotonic() + START_SECONDS
    try:
        while not (told := list(folder.glob("runtime/jpserver-*.json"))):
            assert started.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
            time.sleep(0.2)
        server = json.loads(told[0].read_text())
        while status(f"{server['url']}api/status?token={server['token']}") != 200:
            assert time.monotonic() < deadline
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGTERM)
        started.wait(30)


def new_kernel(server: dict) -> str:
    """The id of a kernel that the server was asked to start."""
    address, token = f"{server['url']}api/kernels", {"Authorization": f"token {server['token']}"}
    request = Request(address, method="POST", headers=token, data=b'{"name": "python3"}')
    return json.load(build_opener().open(request, timeout=START_SECONDS))["id"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A Lab on a folder with 25 answers."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "data").mkdir()
    answers(25).to_csv(folder / "data" / "responses.csv", index=False)
    asked = [sys.executable, "-c", "from aiready.cli.commands import main; main()", "lab", str(folder / "data")]
    with opened(folder, asked) as server:
        yield server


def test_the_command_makes_a_token_of_its_own(served):
    assert len(served["token"]) >= 32
    assert urlsplit(served["url"]).hostname == "127.0.0.1"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "api/contents"), ("GET", "files/00_start_here.ipynb"), ("GET", "api/kernels"), ("POST", "api/kernels"),
     ("POST", "api/terminals")],
)  # fmt: skip
def test_without_its_token_nothing_is_answered(served, method, path):
    assert status(f"{served['url']}{path}", method) in (302, 403)
    assert status(f"{served['url']}{path}?token={'0' * len(served['token'])}", method) in (302, 403)


def test_with_its_token_it_answers(served):
    assert status(f"{served['url']}api/contents", Authorization=f"token {served['token']}") == 200


def test_a_page_of_another_site_that_was_given_this_address_is_refused(served):
    assert status(f"{served['url']}api/contents?token={served['token']}", Host="elsewhere.example") == 403


def test_it_listens_at_this_machine_alone(served):
    """127.0.0.2 is this machine too: who listens at every address answers there."""
    at = served["port"]
    with socket.create_connection(("127.0.0.1", at), timeout=5):
        pass
    others = {place[4][0] for place in socket.getaddrinfo(socket.gethostname(), at, socket.AF_INET)}
    for other in {"127.0.0.2", *others} - {"127.0.0.1"}:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((other, at), timeout=5)
