"""What pages say, in every language: whole sentences with named blanks, `<lang>.csv` beside this file; and formats."""

from aiready.messages.catalogue import codes, problems
from aiready.messages.formats import MINUS, NBSP, NOTHING, THIN
from aiready.messages.language import ENGLISH, FEW, PROTECTS, Language, reason_of, warm

__all__ = [
    "ENGLISH", "FEW", "MINUS", "NBSP", "NOTHING", "PROTECTS", "THIN", "Language", "codes", "problems", "reason_of",
    "warm",
]  # fmt: skip
