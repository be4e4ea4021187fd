"""Compare versions of the same rows, and merge them cell by cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from aiready.inputs.slices import comparable

_COLUMNS = ["row", "column", "before", "theirs", "yours"]
_ROW_ITSELF = "the row"


def differences(before: pd.DataFrame, after: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Cells that differ between two versions of the same rows: one row per cell (row, column, before, theirs)."""
    old, new = by_key(before, key), by_key(after, key)
    cells = []
    for identity in dict.fromkeys([*old, *new]):
        row_name = ", ".join(filter(None, identity))
        if identity not in old or identity not in new:
            states = ("there" if identity in old else "", "there" if identity in new else "removed")
            cells.append((row_name, _ROW_ITSELF, *states))
            continue
        columns = dict.fromkeys([*old[identity], *new[identity]])
        pairs = ((name, old[identity].get(name, ""), new[identity].get(name, "")) for name in columns)
        cells += [(row_name, name, old_cell, new_cell) for name, old_cell, new_cell in pairs if old_cell != new_cell]
    return pd.DataFrame(cells, columns=_COLUMNS[:4])


def row_key(row: Mapping[str, str], names: Sequence[str]) -> tuple[str, ...]:
    """The cells that identify a row, as compared."""
    return tuple(comparable(row.get(name, "")) for name in names)


def by_key(rows: pd.DataFrame, names: Sequence[str]) -> dict[tuple[str, ...], dict[str, str]]:
    """Rows by the cells that identify them."""
    return {row_key(row, names): row for row in rows.to_dict("records")}


@dataclass(frozen=True)
class MergeResult:
    """Merged `rows`, and `conflicts`: one row per cell that both sides changed (row, column, before, theirs, yours)."""

    rows: pd.DataFrame
    conflicts: pd.DataFrame

    @property
    def message(self) -> str:
        """What was joined, and where both sides changed a cell, for display."""
        cells = [f"{row.row}: {row.column} {row.theirs or '–'} (yours: {row.yours or '–'})"
                 for row in self.conflicts.itertuples()]  # fmt: skip
        both_changed = f" Both changed, theirs is shown: {'; '.join(cells)}." if cells else ""
        return f"Both versions are joined.{both_changed} Look at it, then save."


def merge(base: pd.DataFrame, edited: pd.DataFrame, current: pd.DataFrame, key: Sequence[str]) -> MergeResult:
    """Three-way merge, cell by cell: what was read (`base`), one's own edit, and what others saved since (`current`).

    If both sides changed a cell, the saved value stays and the conflict is listed; a row that one side removed and the
    other changed stays.
    """
    old, own, current_rows = (by_key(rows, key) for rows in (base, edited, current))
    rows: list[Mapping[str, str]] = []
    conflicts: list[tuple[str, ...]] = []
    for identity in dict.fromkeys([*current_rows, *own]):
        row_name, before = ", ".join(filter(None, identity)), old.get(identity, {})
        if identity in own and identity in current_rows:
            row = dict(current_rows[identity])
            for name, cell in own[identity].items():
                old_cell, current_cell = before.get(name, ""), row.get(name, "")
                if current_cell == old_cell:
                    row[name] = cell
                elif cell not in (old_cell, current_cell):
                    conflicts.append((row_name, name, old_cell, current_cell, cell))
            rows.append(row)
            continue
        remaining = own.get(identity) or current_rows[identity]
        changed = before and any(before.get(name, "") != cell for name, cell in remaining.items())
        rows += [remaining] if changed or not before else []
        states = ("removed", "changed") if identity in own else ("changed", "removed")
        conflicts += [(row_name, _ROW_ITSELF, "there", *states)] if changed else []
    columns = list(dict.fromkeys([*current, *edited]))
    return MergeResult(
        pd.DataFrame(rows, columns=columns, dtype=object).fillna(""), pd.DataFrame(conflicts, columns=_COLUMNS)
    )
