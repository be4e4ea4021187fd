"""A process started beside this one, and the line by which both speak."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path


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
                [sys.executable, "-c", f"from {entry} import main; main()", str(theirs.fileno()), *arguments, *given],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                env=environment,
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
