"""What can go wrong, as one small tree: every message says where, what, which, and how to mend it."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class AireadyError(Exception):
    """Anything this package raises on purpose; the command line prints it without a traceback."""

    exit_code = 2


class InputError(AireadyError):
    """The data folder cannot be used as it is: a file, a column or a setting must be mended first."""


class InstrumentError(InputError):
    """The questionnaire, its indicators or its settings contradict themselves."""


class UsageError(AireadyError):
    """A command, parameter or unit was asked for that does not exist."""


class InfrastructureError(AireadyError):
    """Disk, lock or template: the run cannot publish, whatever the data say."""

    exit_code = 3


class PrivacyError(InfrastructureError):
    """Publishing would let somebody work out a hidden number, and nothing is left to hide."""


def all_at_once(error: type[AireadyError], problems: Sequence[str]) -> None:
    """Raise one error that lists every problem, or nothing when there are none."""
    if problems:
        raise error("\n".join(problems))


def unknown(kind: str, asked: str, known: Iterable[str]) -> UsageError:
    """Name what was asked for, what exists, and the nearest match.

    Examples
    --------
    >>> print(unknown("unit", "clams", ["claims", "cards"]))
    Unknown unit "clams". Known units: cards, claims. Did you mean "claims"?
    """
    names = sorted(known)
    listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    near = get_close_matches(asked, names, n=1)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    return UsageError(f'Unknown {kind} "{asked}". Known {kind}s: {listed}.{hint}')
