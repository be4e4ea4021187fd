"""The exceptions of this package; every message says where, what, which, and how to repair it."""

import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class AireadyError(Exception):
    """Anything this package raises on purpose; the command line prints it without a traceback."""

    exit_code = 2


class InputError(AireadyError):
    """The data folder cannot be used as it is: a file, a column or a setting must be repaired first."""


class InstrumentError(InputError):
    """The questionnaire, its indicators or its settings contradict themselves."""


class UsageError(AireadyError):
    """A command, parameter or unit that does not exist was named."""


class InfrastructureError(AireadyError):
    """Disk, lock or template: the run cannot publish, whatever the data say."""

    exit_code = 3


class PrivacyError(InfrastructureError):
    """Publishing would let somebody work out a hidden number, and nothing is left to hide."""


def raise_all(error: type[AireadyError], problems: Sequence[str]) -> None:
    """Raise one error that lists every problem; do nothing when there are none."""
    if problems:
        raise error("\n".join(problems))


def unknown_name(kind: str, name: str, existing: Iterable[str]) -> UsageError:
    """The error for a name that does not exist: it lists those that do, and the nearest match.

    Examples
    --------
    >>> print(unknown_name("unit", "clams", ["claims", "cards"]))
    Unknown unit "clams". Known units: cards, claims. Did you mean "claims"?
    """
    names = sorted(existing)
    name_list = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    near = get_close_matches(name, names, n=1)
    quoted, nearest = quote_distinctly([name, *near])[:2] if near else (f'"{name}"', "")
    hint = f" Did you mean {nearest}?" if near else ""
    return UsageError(f"Unknown {kind} {quoted}. Known {kind}s: {name_list}.{hint}")


def quote_distinctly(texts: Sequence[str]) -> list[str]:
    """Texts in quotes; those that look the same on a screen are followed by their non-ASCII characters.

    Examples
    --------
    _distinctly(["claims", "claims\\u200b"])
    (['"claims"', '"Claims"'], ['"claims" (plain letters)', '"claims\\u200b" (with U+200B)'])
    """
    looks = [_visible_form(text) for text in texts]
    return [
        f'"{text}"' + (f" ({_code_points(text)})" if looks.count(look) > 1 else "")
        for text, look in zip(texts, looks, strict=True)
    ]


def _visible_form(text: str) -> str:
    """The text as it looks: compatibility forms unified, invisible characters and repeated blanks left out."""
    characters = (
        character for character in unicodedata.normalize("NFKC", text) if unicodedata.category(character) != "Cf"
    )
    return " ".join("".join(characters).split())


def _code_points(text: str) -> str:
    code_points = [f"U+{ord(character):04X}" for character in text if not character.isascii()]
    return f"with {', '.join(code_points)}" if code_points else "plain letters"
