"""What can go wrong, as one small tree: every message says where, what, which, and how to mend it."""

import unicodedata
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
    wanted, nearest = told_apart([asked, *near])[:2] if near else (f'"{asked}"', "")
    hint = f" Did you mean {nearest}?" if near else ""
    return UsageError(f"Unknown {kind} {wanted}. Known {kind}s: {listed}.{hint}")


def told_apart(texts: Sequence[str]) -> list[str]:
    """Texts in quotes; those that look the same on a screen with the signs that are not plain letters.

    Examples
    --------
    >>> told_apart(["claims", "Claims"]), told_apart(["claims", "claims\\u200b"])
    (['"claims"', '"Claims"'], ['"claims" (plain letters)', '"claims\\u200b" (with U+200B)'])
    """
    looks = [_look(text) for text in texts]
    return [
        f'"{text}"' + (f" ({_signs(text)})" if looks.count(look) > 1 else "")
        for text, look in zip(texts, looks, strict=True)
    ]


def _look(text: str) -> str:
    visible = (sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    return " ".join("".join(visible).split())


def _signs(text: str) -> str:
    odd = [f"U+{ord(sign):04X}" for sign in text if not sign.isascii()]
    return f"with {', '.join(odd)}" if odd else "plain letters"
