"""The catalogue of messages in every language, `<lang>.csv`, and the formats of numbers, dates and lists."""

from aiready.messages.catalogue import language_codes, translation_problems
from aiready.messages.formats import MINUS, MISSING, NBSP, THIN
from aiready.messages.language import ENGLISH, FEW, PROTECTS, Language, suppression_reason, warm_up

__all__ = [
    "ENGLISH",
    "FEW",
    "MINUS",
    "MISSING",
    "NBSP",
    "PROTECTS",
    "THIN",
    "Language",
    "language_codes",
    "suppression_reason",
    "translation_problems",
    "warm_up",
]  # fmt: skip
