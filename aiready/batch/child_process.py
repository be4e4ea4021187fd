"""Start a child process, and keep a connection to it."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""Environment of every child: neither it nor the kernels it starts import from the current folder, where other people's
files may lie."""


def python_command(*arguments: str) -> list[str]:
    """The command that runs this Python with installed packages only (`-P`)."""
    return [sys.executable, "-P", *arguments]


class ChildProcess:
    """A child process and a connection to it; the child exits when the connection is closed.

    Parameters
    ----------
    module
        Its `main()` is run, with the connection's file descriptor as first argument, then `arguments`.
    stderr
        File its stderr is appended to.
    extra_sockets
        Further sockets to inherit; their file descriptors are the last arguments.
    """

    def __init__(
        self,
        module: str,
        *arguments: str,
        environment: dict[str, str],
        stderr: Path,
        extra_sockets: Sequence[socket.socket] = (),
    ):
        self.connection, child_end = connection_pair()
        descriptors = [str(extra.fileno()) for extra in extra_sockets]
        code = f"from {module} import main; main()"
        with child_end, stderr.open("ab") as stderr_file:
            self.process = subprocess.Popen(
                python_command("-c", code, str(child_end.fileno()), *arguments, *descriptors),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr_file,
                env=environment | SAFE_PATH,
                pass_fds=[child_end.fileno(), *(extra.fileno() for extra in extra_sockets)],
                start_new_session=True,
            )

    def end(self) -> None:
        """Close the connection; kill the process if it has not exited after 5 s."""
        self.connection.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the process and wait for it."""
        self.process.kill()
        self.process.wait()


def connection_pair() -> tuple[Connection, socket.socket]:
    """Both ends of a new connection: this process's, and the socket that a child inherits."""
    own_end, child_end = socket.socketpair()
    return Connection(own_end.detach()), child_end
