"""Verify that every row read is used, set aside or later than the as-of date, and that none is lost."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from aiready.errors import InfrastructureError, raise_all
from aiready.inputs.database import database_errors
from aiready.inputs.decision_log import DecisionLog
from aiready.inputs.memory_tables import CheckedTable
from aiready.inputs.validate import SUPERSEDED
from aiready.model.schema import TABLES


@database_errors("decisions")
def count_rows(checked_tables: Mapping[str, CheckedTable], log: DecisionLog | None) -> pd.DataFrame:
    """One row per table (table, read, used, quarantined, after_as_of), each counted independently.

    Where notebooks saved slices anew, `superseded` rows are a column of their own.
    """
    rows = {
        name: (
            table.n_read,
            len(table.used),
            len(table.quarantine) - table.superseded,
            table.superseded,
            table.after_as_of,
        )
        for name, table in checked_tables.items()
    }
    if log:
        rows["decisions"] = (log.n_read, int(log.rows.count().execute()), len(log.quarantine), 0, log.after_as_of)
    ordered = [(name, *rows[name]) for name in TABLES if name in rows]
    counts = pd.DataFrame(ordered, columns=["table", "read", "used", "quarantined", "superseded", "after_as_of"])
    return counts if counts["superseded"].any() else counts.drop(columns="superseded")


def verify_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts after verifying that read = used + quarantined (+ superseded) + after_as_of in every table.

    Raises
    ------
    InfrastructureError
        A row is lost or counted twice; every such table is named.
    """
    sums = counts.drop(columns=["table", "read"]).sum(axis=1)
    raise_all(
        InfrastructureError,
        [
            f"{row.table}: {row.read} rows were read, but {row.used} are used, {row.quarantined} set aside and "
            f"{row.after_as_of} later than the as-of date. Rows may not be lost: nothing is published. Run it again if "
            "the table was being written to; otherwise report this as a fault."
            for row in counts[sums != counts["read"]].itertuples()
        ],
    )
    return counts


def verify_unit_coverage(
    used: Mapping[str, pd.DataFrame], membership: pd.DataFrame, decisions: pd.DataFrame | None
) -> None:
    """Verify that every row used belongs to a reporting unit, so that it counts there and in the organisation.

    Parameters
    ----------
    used
        Rows used, by table; tables without `unit_id` are ignored.
    decisions
        Counts of the decision log by unit (unit_id, decisions), or None.

    Raises
    ------
    InfrastructureError
        Rows name a unit that no reporting unit comprises; every such table is named.
    """
    members = set(membership["member_id"])
    tables = {name: rows for name, rows in used.items() if "unit_id" in rows}
    tables |= {} if decisions is None else {"decisions": decisions}
    lost = {name: rows.loc[~rows["unit_id"].isin(members), "unit_id"] for name, rows in tables.items()}
    raise_all(
        InfrastructureError,
        [
            f"{name}: rows are used that no unit counts ({', '.join(sorted(set(unit_ids))[:6])}). "
            "People may not be lost: nothing is published. Report this as a fault."
            for name, unit_ids in lost.items()
            if len(unit_ids)
        ],
    )


def notes(counts: pd.DataFrame, checked_tables: Mapping[str, CheckedTable], as_of: date | None) -> list[str]:
    """Notes on tables with rows after the as-of date, and on rows superseded by a later file."""
    late = counts[counts["after_as_of"] > 0]
    after = [
        f"{row.table}: {row.after_as_of} rows happened after {as_of} and are left out." for row in late.itertuples()
    ]
    rules = {name: table.quarantine.get("rule", pd.Series(dtype=str)) for name, table in checked_tables.items()}
    superseded = {name: int(rule.str.startswith(SUPERSEDED).sum()) for name, rule in rules.items()}
    return after + [
        f"{name}: {count} {'row' if count == 1 else 'rows'} superseded by a later file, set aside in quarantine."
        for name, count in superseded.items()
        if count
    ]
