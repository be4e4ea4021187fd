"""The decision log of a database server: checked where it lies, by reading alone."""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from aiready.errors import InputError, all_at_once
from aiready.inputs.column_types import shown
from aiready.inputs.database import answering
from aiready.inputs.decision_log import Log, judged, stored_as_wanted
from aiready.inputs.files import FILE, ROW
from aiready.inputs.parse import GIVEN, complete, is_native, read_cells
from aiready.inputs.validate import evidence, rules_of, told
from aiready.model.schema import Table

_STORED = "stored "
_TURN = "turn"
_WANTED = {"integer": "a whole number", "number": "a number", "share": "a number", "date": "a date",
           "timestamp": "a time"}  # fmt: skip


@answering("decisions")
def read(table: Table, raw: ir.Table, known: Mapping[str, Sequence[str]]) -> Log:
    """Type, count and quarantine a log that nothing may be written beside; rows left out are fetched whole.

    Of several rows with one id the first by time counts. Rows have no number there, and none is told.

    Raises
    ------
    InputError
        Times or numbers are stored as text: every such column, and how to mend it.
    """
    all_at_once(InputError, _not_typed(table, raw))
    names = [name for name in table.names if name in raw.columns]
    cells = read_cells(table, raw, stored_as_wanted(table, raw))
    rows = raw.select(FILE, **{_STORED + name: shown(raw[name]) for name in names}, **cells)
    rules = rules_of(table, rows, levels={}, known=known)
    masks, broken, facts = judged(table, rows, rules)
    left_out = []
    if facts["broken"]:
        left_out.append(told(_whole(rows.filter(broken), masks), names, rules))
        rows = rows.filter(~broken)
    ids = rows.group_by("decision_id").aggregate(n=rows.count())
    if ids.filter(ids["n"] > 1).count().execute():
        turns = rows.mutate(**{_TURN: _turn(table, rows)})
        left_out.append(_again(_whole(turns.filter(turns[_TURN] > 0), {}), names))
        rows = turns.filter(turns[_TURN] == 0)
    quarantine = pd.concat(left_out, ignore_index=True) if left_out else pd.DataFrame()
    return Log(complete(table, rows), int(facts["read"]), quarantine, facts)


def _not_typed(table: Table, raw: ir.Table) -> list[str]:
    """One sentence that names every column whose times or numbers are stored as something else."""
    wrong = [
        f"{column.name} is {raw[column.name].type()}, wanted is {_WANTED[column.kind]}"
        for column in table.columns
        if column.name in raw.columns and column.kind in _WANTED and not is_native(column, raw[column.name])
    ]
    if not wrong:
        return []
    file = raw.select(FILE).limit(1).to_pandas()[FILE].iloc[0]
    return [
        f"{file}: {'; '.join(wrong)}. A log is counted where it lies, and nothing is written there: make a view that "
        "casts them (CREATE VIEW ... AS SELECT CAST(... AS timestamp) ...), and name it in the map (--map)."
    ]


def _turn(table: Table, rows: ir.Table) -> ir.IntegerColumn:
    """Which of the rows with its id a row is, from 0, by time and then by all else that it says."""
    said = [name for name in table.names if name in rows.columns and name != "decision_id"]
    first = sorted(said, key=lambda name: name != "opened_at")
    return ibis.row_number().over(ibis.window(group_by="decision_id", order_by=first))


def _whole(rows: ir.Table, masks: Mapping[str, ir.BooleanValue]) -> pd.DataFrame:
    """Rows as they are stored, fetched, in the order of what they say."""
    names = {name: GIVEN + name.removeprefix(_STORED) for name in rows.columns if name.startswith(_STORED)}
    found = rows.select(FILE, *names, **masks).to_pandas().astype(object).rename(columns=names)
    in_order = found[list(names.values())].astype(str).sort_values(list(names.values())).index
    return found.loc[in_order].reset_index(drop=True).assign(**{ROW: ""})


def _again(found: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    said = {"column": "decision_id", "value": found[GIVEN + "decision_id"], "rule": "same decision_id as another row"}
    return evidence(found, columns, pd.DataFrame(said, index=found.index))
