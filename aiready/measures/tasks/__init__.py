"""Tasks of jobs: what AI could touch, and the hours between potential and reality."""

from aiready.measures.tasks.hours import GAP_PARTS
from aiready.measures.tasks.measures import (
    EXPOSURE,
    FOLLOWED_HOURS,
    FULL_TIME_HOURS,
    TASKS_PER_JOB,
    WEEKS,
    measure,
    task_table,
)

__all__ = [
    "EXPOSURE",
    "FOLLOWED_HOURS",
    "FULL_TIME_HOURS",
    "GAP_PARTS",
    "TASKS_PER_JOB",
    "WEEKS",
    "measure",
    "task_table",
]
