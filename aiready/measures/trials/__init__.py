"""Trials of initiatives: their verdicts, by the rule agreed before the trial."""

from aiready.measures.trials.measures import (
    OF_INITIATIVES,
    measure,
)
from aiready.measures.trials.verdicts import verdict_table

__all__ = ["OF_INITIATIVES", "measure", "verdict_table"]
