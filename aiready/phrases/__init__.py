"""What pages say, in every language: whole sentences with named blanks, `<lang>.csv` beside this file; and formats."""

from aiready.phrases.formats import MINUS, NBSP, NOTHING, THIN
from aiready.phrases.language import ENGLISH, Language, warm
from aiready.phrases.reading import codes, problems

__all__ = ["ENGLISH", "MINUS", "NBSP", "NOTHING", "THIN", "Language", "codes", "problems", "warm"]
