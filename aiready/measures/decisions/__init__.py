"""The decision log: how fast, how right, who relied on whom."""

from aiready.measures.decisions.measures import (
    counted_log,
    measure,
    rolled_up,
    share_rows,
)

__all__ = ["counted_log", "measure", "rolled_up", "share_rows"]
