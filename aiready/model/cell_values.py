"""Words that cells of tables hold whoever made them: nothing is there, yes and no, answers that are no level."""

import unicodedata

FAILED = (
    "#ref!", "#div/0!", "#value!", "#name?", "#num!", "#bezug!", "#wert!", "#zahl!", "#¡ref!", "#¡valor!", "#¡div/0!",
)  # fmt: skip
"""What spreadsheets show where a formula failed: no label and no name, nor a blank where a number was wanted."""
NOTHING = (
    "", "null", "(null)", "[null]", "<null>", "#null!", "\\n", "none", "<none>", "(none)", "nil", "<nil>", "nan",
    "-nan", "nat", "<na>", "n/a", "<n/a>", "#n/a", "#na", "#nv", "#n/d", "#n/b", "<missing>", "(blank)", "(leer)",
    "undefined", "-", "--", "---", "–", "—", "?", "??", "???", ".", "..", "...", "…", "k.a.", "k. a.",
    "keine angabe", "n. v.", "n/d", "s/d",
    *FAILED,
)  # fmt: skip
"""What databases, data frames, spreadsheets and people write where nothing is: in lower case."""
NOTHING_BUT_IN_NAMES = ("na", "n.a.", "n. a.")
"""The same, but an id or a name may read so: `NA` is North America to some, and a blank to R."""
NO_ANSWER = (*(word for word in NOTHING if word != "n/a"), "-9", "-9.0")
"""What stands in an item where nobody answered; `n/a` is an answer there."""

SAYS_DOES_NOT_APPLY = (
    "does not apply", "doesn't apply", "not applicable", "n/a", "na", "trifft nicht zu", "no procede", "no aplica",
)  # fmt: skip
SAYS_DONT_KNOW: tuple[str, ...] = (
    "don't know", "i don't know", "do not know", "dont know", "dk", "weiß ich nicht", "weiss ich nicht", "weiß nicht",
    "weiss nicht", "ich weiß nicht", "ich weiss nicht", "no lo sé", "no lo se", "no sé", "no se", "ns",
)  # fmt: skip

YES: tuple[str, ...] = (
    "yes", "y", "true", "t", "1", "1.0", "ja", "j", "wahr", "sí", "si", "verdadero", "oui", "vrai", "sì", "vero",
    "sim", "verdadeiro", "waar", "tak", "prawda", "sand", "sant", "kyllä", "tosi", "ano", "pravda", "igen", "igaz",
)  # fmt: skip
NO: tuple[str, ...] = (
    "no", "n", "false", "f", "0", "0.0", "nein", "falsch", "falso", "non", "faux", "não", "nao", "nee", "onwaar", "nie",
    "fałsz", "nej", "falsk", "falskt", "ei", "epätosi", "ne", "nepravda", "nem", "hamis",
)  # fmt: skip
"""Yes and no of the shipped languages, and what spreadsheets and databases of other countries write for them."""


def _both_forms(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words as composed letters, and as letters with separate accents."""
    return tuple(dict.fromkeys([*words, *(unicodedata.normalize("NFD", word) for word in words)]))


SAYS_DONT_KNOW, YES, NO = map(_both_forms, (SAYS_DONT_KNOW, YES, NO))


def plain(text: str) -> str:
    """Text as people compare it: normal form, case and spaces say nothing.

    Examples
    --------
    >>> plain("  Pay  Back ") == plain("pay back"), plain("ku\\u0308che") == plain("K\\u00fcche")
    (True, True)
    """
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())
