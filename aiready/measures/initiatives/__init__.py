"""The register of initiatives: problem statements, checks, stages and adoption."""

from aiready.measures.initiatives.measures import (
    BY_TRIALS,
    measure,
    register,
    users,
)
from aiready.measures.initiatives.problem_statements import problem_parts

__all__ = ["BY_TRIALS", "measure", "problem_parts", "register", "users"]
