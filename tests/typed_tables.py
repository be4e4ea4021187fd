"""Small checked tables and data folders in memory, typed as `sources` types them."""

from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Settings
from aiready.model import units as hierarchy
from aiready.model.schema import TABLES

RULES: Any = SimpleNamespace(settings=Settings())
DATES, NUMBERS = ("date", "timestamp"), ("number", "integer", "share")


def typed(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    given = pd.DataFrame(rows)
    table = pd.DataFrame(index=given.index)
    for column in TABLES[name].columns:
        cells = given[column.name] if column.name in given else pd.Series(None, given.index, dtype=object)
        if column.kind in DATES:
            table[column.name] = pd.to_datetime(cells)
        elif column.kind in NUMBERS:
            table[column.name] = cells.astype(float)
        else:
            table[column.name] = cells.astype(object).where(cells.notna(), None)
    if "wave" in table:
        table["wave"] = table["wave"].fillna("2026-Q3")
    return table


def data_of(
    tables: Mapping[str, list[dict[str, Any]]],
    parents: Mapping[str, str | None],
    as_of: date | None = date(2026, 9, 30),
) -> Data:
    units = pd.DataFrame({"unit_id": list(parents), "parent_id": list(parents.values())})
    units = units.assign(name=units["unit_id"], headcount=np.nan, formerly=None)
    filled = {name: typed(name, rows) for name, rows in tables.items()}
    return Data(filled, units, hierarchy.membership(units), ("2026-Q3",), "2026-Q3", as_of)


def cell(rows: pd.DataFrame, measure: str, unit_id: str = "a", segment: str = "all") -> pd.Series:
    found = rows[(rows["measure"] == measure) & (rows["unit_id"] == unit_id) & (rows["segment"] == segment)]
    (index,) = found.index
    return found.loc[index]
