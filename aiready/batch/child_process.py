"""A process started beside this one, and the line by which both speak."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

SAFE = {"PYTHONSAFEPATH": "1"}
"""Environment of what is started from here: Python, and every kernel it starts, imports nothing that lies in the
folder it is called from, where data of others may lie."""


def python(*arguments: str) -> list[str]:
    """The command that runs this Python, which imports what is installed and nothing beside it (`-P`)."""
    return [sys.executable, "-P", *arguments]


class Worker:
    """A process started beside this one, and the line to it: it ends when the line is closed.

    `further`: lines that it is given beside its own, after its other arguments.
    """

    def __init__(
        self, entry: str, *arguments: str, environment: dict[str, str], errors: Path, further: Sequence[socket.socket]
    ):
        self.line, theirs = pair()
        given = [str(line.fileno()) for line in further]
        with theirs, errors.open("ab") as complaints:
            self.process = subprocess.Popen(
                python("-c", f"from {entry} import main; main()", str(theirs.fileno()), *arguments, *given),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                env=environment | SAFE,
                pass_fds=[theirs.fileno(), *(line.fileno() for line in further)],
                start_new_session=True,
            )

    def end(self) -> None:
        """Close the line, and end the process if it does not end by itself."""
        self.line.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.wait()


def pair() -> tuple[Connection, socket.socket]:
    """Both ends of a new line: ours, and that of a process to be started."""
    ours, theirs = socket.socketpair()
    return Connection(ours.detach()), theirs
