"""The decision log: how fast, how right, who relied on whom."""

from aiready.measures.decisions.measures import (
    count_log,
    measure,
    roll_up,
    share_rows,
)

__all__ = ["count_log", "measure", "roll_up", "share_rows"]
