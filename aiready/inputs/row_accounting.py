"""Every row read is used, set aside, or later than the as-of date: counted apart, and proven."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from aiready.errors import InfrastructureError, all_at_once
from aiready.inputs.database import answering
from aiready.inputs.decision_log import Log
from aiready.inputs.memory_tables import Part
from aiready.inputs.validate import SUPERSEDED
from aiready.model.schema import TABLES


@answering("decisions")
def counts_of(parts: Mapping[str, Part], log: Log | None) -> pd.DataFrame:
    """One row per table (table, read, used, quarantined, after_as_of), each counted by itself."""
    rows = {name: (part.read, len(part.used), len(part.quarantine), part.after_as_of) for name, part in parts.items()}
    if log:
        rows["decisions"] = (log.read, int(log.rows.count().execute()), len(log.quarantine), log.after_as_of)
    ordered = [(name, *rows[name]) for name in TABLES if name in rows]
    return pd.DataFrame(ordered, columns=["table", "read", "used", "quarantined", "after_as_of"])


def accounted(counts: pd.DataFrame) -> pd.DataFrame:
    """The same counts, proven: rows read = used + quarantined + after the as-of date, in every table.

    Raises
    ------
    InfrastructureError
        A row is lost or counted twice; every such table is named.
    """
    sums = counts["used"] + counts["quarantined"] + counts["after_as_of"]
    all_at_once(
        InfrastructureError,
        [
            f"{row.table}: {row.read} rows were read, but {row.used} are used, {row.quarantined} set aside and "
            f"{row.after_as_of} later than the as-of date. Rows may not be lost: nothing is published. Run it again if "
            "the table was being written to; otherwise report this as a fault."
            for row in counts[sums != counts["read"]].itertuples()
        ],
    )
    return counts


def placed(used: Mapping[str, pd.DataFrame], membership: pd.DataFrame, decisions: pd.DataFrame | None) -> None:
    """Prove that every row used counts for a unit and for the organisation: measured there, or hidden.

    Parameters
    ----------
    used
        Rows used, by table; of those with `unit_id`.
    decisions
        Counts of the decision log by own unit (unit_id, decisions), or None.

    Raises
    ------
    InfrastructureError
        Rows name a unit that no figure comprises; every such table is named.
    """
    members = set(membership["member_id"])
    tables = {name: rows for name, rows in used.items() if "unit_id" in rows}
    tables |= {} if decisions is None else {"decisions": decisions}
    lost = {name: rows.loc[~rows["unit_id"].isin(members), "unit_id"] for name, rows in tables.items()}
    all_at_once(
        InfrastructureError,
        [
            f"{name}: rows are used that no unit counts ({', '.join(sorted(set(unit_ids))[:6])}). "
            "People may not be lost: nothing is published. Report this as a fault."
            for name, unit_ids in lost.items()
            if len(unit_ids)
        ],
    )


def notes(counts: pd.DataFrame, parts: Mapping[str, Part], as_of: date | None) -> list[str]:
    """A line on each table with rows after the as-of date, and on rows that a later form took the place of."""
    late = counts[counts["after_as_of"] > 0]
    after = [
        f"{row.table}: {row.after_as_of} rows happened after {as_of} and are left out." for row in late.itertuples()
    ]
    rules = {name: part.quarantine.get("rule", pd.Series(dtype=str)) for name, part in parts.items()}
    superseded = {name: int(rule.str.startswith(SUPERSEDED).sum()) for name, rule in rules.items()}
    return after + [
        f"{name}: {count} {'row' if count == 1 else 'rows'} superseded by a later form, set aside in quarantine."
        for name, count in superseded.items()
        if count
    ]
