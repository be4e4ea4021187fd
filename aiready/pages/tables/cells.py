"""Write a value with its bounds and n into one cell of a table."""

import numpy as np
import pandas as pd

from aiready.messages import Language
from aiready.profile.run_info import Cell


def value_cell(cell: Cell, language: Language) -> str:
    """A value with its bounds and n as text; empty without a value."""
    if not cell.ok:
        return ""
    value = language.brief(cell.value) if cell.unit == "count" else language.value(cell.value, cell.unit)
    bounds, n = _bounds(cell, language), language.number(cell.n)
    key = "cell.value" if bounds else "cell.alone"
    return language.say(key, value=value, bounds=bounds, n=n)


def _bounds(cell: Cell, language: Language) -> str:
    """Lower to upper bound, or only the lower where there is no upper; empty where both equal the value."""
    if np.isclose(cell.low, cell.high) or pd.isna(cell.low):
        return ""
    spread = language.interval(cell.low, cell.high, cell.unit)
    return spread or language.say("cell.at_least", low=language.brief(cell.low))
