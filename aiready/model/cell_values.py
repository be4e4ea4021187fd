"""Words that cells hold for blank, formula error, yes, no and the like in any language, and numbers typed by people."""

import math
import re
import unicodedata

FORMULA_ERRORS = (
    "#ref!", "#div/0!", "#value!", "#name?", "#num!", "#bezug!", "#wert!", "#zahl!", "#¡ref!", "#¡valor!", "#¡div/0!",
)  # fmt: skip
"""What spreadsheets show where a formula failed: neither a label nor a name, and no blank in a number column."""
BLANK_WORDS = (
    "", "null", "(null)", "[null]", "<null>", "#null!", "\\n", "none", "<none>", "(none)", "nil", "<nil>", "nan",
    "-nan", "nat", "<na>", "n/a", "<n/a>", "#n/a", "#na", "#nv", "#n/d", "#n/b", "<missing>", "(blank)", "(leer)",
    "undefined", "-", "--", "---", "–", "—", "?", "??", "???", ".", "..", "...", "…", "k.a.", "k. a.",
    "keine angabe", "n. v.", "n/d", "s/d",
    *FORMULA_ERRORS,
)  # fmt: skip
"""What databases, data frames, spreadsheets and people write for a blank, in lower case."""
BLANK_WORDS_EXCEPT_IN_NAMES = ("na", "n.a.", "n. a.")
"""Blanks too, except in ids and names: `NA` is a blank to R, and may be North America."""
NO_ANSWER_WORDS = (*(word for word in BLANK_WORDS if word != "n/a"), "-9", "-9.0")
"""Blanks in an item of the questionnaire, where `n/a` is an answer."""

DOES_NOT_APPLY_WORDS = (
    "does not apply", "doesn't apply", "not applicable", "n/a", "na", "trifft nicht zu", "no procede", "no aplica",
)  # fmt: skip
DONT_KNOW_WORDS: tuple[str, ...] = (
    "don't know", "i don't know", "do not know", "dont know", "dk", "weiß ich nicht", "weiss ich nicht", "weiß nicht",
    "weiss nicht", "ich weiß nicht", "ich weiss nicht", "no lo sé", "no lo se", "no sé", "no se", "ns",
)  # fmt: skip

YES_WORDS: tuple[str, ...] = (
    "yes", "y", "true", "t", "1", "1.0", "ja", "j", "wahr", "sí", "si", "verdadero", "oui", "vrai", "sì", "vero",
    "sim", "verdadeiro", "waar", "tak", "prawda", "sand", "sant", "kyllä", "tosi", "ano", "pravda", "igen", "igaz",
)  # fmt: skip
NO_WORDS: tuple[str, ...] = (
    "no", "n", "false", "f", "0", "0.0", "nein", "falsch", "falso", "non", "faux", "não", "nao", "nee", "onwaar", "nie",
    "fałsz", "nej", "falsk", "falskt", "ei", "epätosi", "ne", "nepravda", "nem", "hamis",
)  # fmt: skip
"""Yes and no in the shipped languages, and as spreadsheets and databases of other countries write them."""


def _composed_and_decomposed(words: tuple[str, ...]) -> tuple[str, ...]:
    """Each word in Unicode's composed form (one code point per letter) and its decomposed form (separate accents)."""
    return tuple(dict.fromkeys([*words, *(unicodedata.normalize("NFD", word) for word in words)]))


DONT_KNOW_WORDS, YES_WORDS, NO_WORDS = map(_composed_and_decomposed, (DONT_KNOW_WORDS, YES_WORDS, NO_WORDS))


def fold_text(text: str) -> str:
    """Text for comparison: Unicode form (NFC), case and runs of spaces do not matter.

    Examples
    --------
    >>> fold_text("  Pay  Back ") == fold_text("pay back"), fold_text("ku\\u0308che") == fold_text("K\\u00fcche")
    (True, True)
    """
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


DECIMAL_COMMAS = (r"^([+-]?[0-9]*),([0-9]{1,2}|[0-9]{4,})$", r"^([+-]?(?:0[0-9]*|[0-9]{4,})?),([0-9]{3})$")
"""Numbers whose comma stands before decimals; that of 12,500 could stand between thousands."""


def parse_number(text: str) -> float | None:
    """Finite number in a cell, with decimal point or comma; None for no number and for possible thousands (12,500).

    Examples
    --------
    >>> parse_number("0,5"), parse_number("1e3"), parse_number("12,500"), parse_number("many")
    (0.5, 1000.0, None, None)
    """
    cell = text.strip()
    for pattern in DECIMAL_COMMAS:
        cell = re.sub(pattern, r"\1.\2", cell)
    try:
        value = float(cell) if cell.isascii() and "_" not in cell else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
