"""What pages say, in every language: whole sentences with named blanks, `<lang>.csv` beside this file; and formats."""

from aiready.phrases.formats import MINUS, NBSP, NOTHING, THIN
from aiready.phrases.language import ENGLISH, FEW, PROTECTS, Language, reason_of, warm
from aiready.phrases.reading import codes, problems

__all__ = [
    "ENGLISH", "FEW", "MINUS", "NBSP", "NOTHING", "PROTECTS", "THIN", "Language", "codes", "problems", "reason_of",
    "warm",
]  # fmt: skip
