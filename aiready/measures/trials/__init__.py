"""Trials of initiatives: what each showed, by the rule agreed before it."""

from aiready.measures.trials.measures import (
    OF_INITIATIVES,
    measure,
)
from aiready.measures.trials.verdicts import verdict_table

__all__ = ["OF_INITIATIVES", "measure", "verdict_table"]
