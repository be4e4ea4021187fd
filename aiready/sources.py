"""From a data folder or workbook to checked tables: all that measures look at, and what was left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import ibis.expr.types as ir
import pandas as pd


@dataclass(frozen=True)
class Data:
    """Checked tables of one data folder.

    `tables`: every present table but `decisions`, typed as the schema says: text columns `object` with None,
    numbers `float64` with NaN, dates and timestamps `datetime64[ns]` (UTC, naive) with NaT, flags `boolean`,
    checks `object` ("yes", "no" or None; a date counts as yes); every schema column is there, absent optional
    ones empty. `wave` is filled in every table that has it: blank is `wave` below. `responses` holds one
    float64 column per item: the level 1..L, `schema.DOES_NOT_APPLY`, `schema.DONT_KNOW`, or NaN (no answer).
    `decisions`: Ibis table on DuckDB, never pulled whole into pandas; None when absent. Columns as the schema
    says, all present; plus `wave`, the quarter of `opened_at`.
    `units`: one row per unit (unit_id, name, parent_id, headcount, formerly); made from the other tables when
    absent, with the unit_id as name.
    `membership`: one row per reporting unit x unit whose rows it comprises (unit_id, member_id); `*` has
    all, a parent itself and its descendants.
    `waves`: survey waves, oldest first. `wave`: the newest survey wave; without a survey the quarter of
    `as_of`; without any date `undated`.
    `as_of`: date that ages and freshness are counted to; None when nothing carries a date.
    `quarantine`: per table the rows left out, whole, with file, row, column, value and rule.
    `counts`: one row per table (table, read, used, quarantined, after_as_of). `inputs`: one row per file
    (file, sha256, bytes). `about`: what `about.csv` (key, value) says: organisation, notice, contact.
    `notes`: what the reader should know, a sentence each (extra columns ignored, rows after as_of).
    """

    tables: Mapping[str, pd.DataFrame]
    units: pd.DataFrame
    membership: pd.DataFrame
    waves: tuple[str, ...]
    wave: str
    as_of: date | None
    decisions: ir.Table | None = None
    quarantine: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    counts: pd.DataFrame | None = None
    inputs: pd.DataFrame | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def table(self, name: str) -> pd.DataFrame | None:
        """A checked table by name, or None when it is absent."""
        return self.tables.get(name)
