"""End a run on a signal, with the signal's exit code and one line, whatever it was doing.

A signal raises `Stopped` in the main thread. Where that exception is lost (raised in a destructor, or turned into
another error by a C library, as DuckDB does during a query), it is raised again, or `proceed` raises it at the next
step. Imports are not interrupted.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
AGAIN = 0.01
"""Seconds until a lost stop is raised again."""
_received: list[signal.Signals] = []


class Stopped(SystemExit):
    """A signal stopped the run."""


def end_at_once() -> None:
    """Let signals end the process with their exit code and one line; ignored signals stay ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


@contextmanager
def listening(*, last: bool) -> Iterator[None]:
    """Handle signals while the block runs; ignored signals (`nohup`) stay ignored.

    `last`: the process ends after the block, so signals are ignored from then on; otherwise handlers are restored.
    """
    _received.clear()
    if threading.current_thread() is not threading.main_thread():  # only the main thread can handle signals
        yield
        return
    hook, before = sys.unraisablehook, {number: signal.getsignal(number) for number in SIGNALS}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    try:
        if hasattr(signal, "SIGALRM"):
            before[signal.SIGALRM] = signal.signal(signal.SIGALRM, _again)
            sys.unraisablehook = _lost
        for number in SIGNALS:
            if number in before:
                signal.signal(number, _stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if last else handler)
        sys.unraisablehook = hook


def received() -> signal.Signals | None:
    """The signal that stopped this run, if any."""
    return _received[0] if _received else None


def proceed() -> None:
    """Raise the stop again if a signal was received and its exception was lost."""
    if _received:
        raise Stopped(code())


def code() -> int:
    """The exit code for the received signal, as a shell gives it."""
    return 128 + _received[0]


def line() -> str:
    """The last line of a stopped run."""
    return f"Stopped by {_received[0].name}: every file that was written is whole. Run the command again to go on."


def _stop(number: int, frame: FrameType | None) -> None:
    """Signal handler: raise the stop; a second signal ends the process at once."""
    if _received:
        _end(number, None)
    _received.append(signal.Signals(number))
    _raise(frame)


def _raise(frame: FrameType | None) -> None:
    """Raise the stop, but only after any import in progress: interrupting one can abort a C++ library.

    DuckDB's does, while it defines its enumerations.
    """
    while frame is not None and hasattr(signal, "SIGALRM"):
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
            return
        frame = frame.f_back
    raise Stopped(code())


def _end(number: int, _: Any) -> None:
    _received.append(signal.Signals(number))
    os.write(2, f"{line()}\n".encode())
    os._exit(code())


def _again(_: int, frame: FrameType | None) -> None:
    if _received:
        _raise(frame)


def _lost(unraisable: Any) -> None:
    """Unraisable hook: raise a lost stop again in a moment, and print any other exception as usual."""
    if isinstance(unraisable.exc_value, Stopped):
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    else:
        sys.__unraisablehook__(unraisable)
