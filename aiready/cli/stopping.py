"""A run that is told to stop: it ends with the signal's exit code and one line, whatever it was doing just then.

A signal raises `Stopped` in the main thread. Where that is lost on the way (raised in a destructor, or turned into an
error of its own by a library written in C, as DuckDB does within a query), it is raised again, or the run remembers
that it was told to stop. No import is broken off.
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
"""Seconds until a stop that was lost is raised again."""
_received: list[signal.Signals] = []


class Stopped(SystemExit):
    """The run was told to stop by a signal."""


def end_at_once() -> None:
    """Have signals end the process, with their exit code and one line; one that is ignored stays so."""
    for sign in SIGNALS:
        if signal.getsignal(sign) is not signal.SIG_IGN:
            signal.signal(sign, _end)


@contextmanager
def listening(*, last: bool) -> Iterator[None]:
    """Take signals while the block runs; one that is ignored (`nohup`) stays so.

    `last`: the process ends with the block, and is told nothing more; otherwise all is as it was before.
    """
    _received.clear()
    if threading.current_thread() is not threading.main_thread():  # signals are another thread's
        yield
        return
    hook, before = sys.unraisablehook, {sign: signal.getsignal(sign) for sign in SIGNALS}
    before = {sign: handler for sign, handler in before.items() if handler is not signal.SIG_IGN}
    try:
        if hasattr(signal, "SIGALRM"):
            before[signal.SIGALRM] = signal.signal(signal.SIGALRM, _again)
            sys.unraisablehook = _lost
        for sign in SIGNALS:
            if sign in before:
                signal.signal(sign, _stop)
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, signal.SIG_IGN if last else handler)
        sys.unraisablehook = hook


def received() -> signal.Signals | None:
    """The signal by which this run was told to stop."""
    return _received[0] if _received else None


def proceed() -> None:
    """Go on, unless the run was told to stop and what did it was lost."""
    if _received:
        raise Stopped(code())


def code() -> int:
    """The exit code of the signal that was received, as a shell gives it."""
    return 128 + _received[0]


def line() -> str:
    """What is said last."""
    return f"Stopped by {_received[0].name}: every file that was written is whole. Run the command again to go on."


def _stop(number: int, frame: FrameType | None) -> None:
    """Raise the stop; whoever tells the run a second time waits for nothing any more."""
    if _received:
        _end(number, None)
    _received.append(signal.Signals(number))
    _raise(frame)


def _raise(frame: FrameType | None) -> None:
    """Raise the stop, after what is being imported: a library written in C++ may abort where its import is broken off.

    So does DuckDB's, while it makes its enumerations.
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
    """What Python does with an exception that nobody can catch: say it, or raise the stop again in a moment."""
    if isinstance(unraisable.exc_value, Stopped):
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    else:
        sys.__unraisablehook__(unraisable)
