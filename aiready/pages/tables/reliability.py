"""How far the answers bear what is made of them: reliability and agreement, barrier by barrier."""

import pandas as pd

from aiready.messages import MISSING
from aiready.model.registry import ORGANISATION, SUPPRESSED
from aiready.pages import sentences
from aiready.pages.tables.words import value_cell
from aiready.profile.assessment import Assessment

OF_ORGANISATION = ("cronbach_alpha", "mcdonald_omega", "icc1", "icc2", "straightliner_share")
OF_UNIT = ("rwg_j", "straightliner_share")
"""What the organisation's page shows, and a unit's, which holds no figure of others and so none over all answers."""


def reliability(unit: Assessment) -> pd.DataFrame:
    """Reliability and agreement: one row per barrier, those measures that have a number on any of them.

    Of the organisation also whether its units may be ranked.
    """
    say, barriers = unit.language.say, list(unit.rules.barriers["barrier_id"])
    measures = OF_ORGANISATION if unit.unit_id == ORGANISATION else OF_UNIT
    cells = {name: [unit.cell(name, barrier_id=barrier) for barrier in barriers] for name in measures}
    with_numbers = {name: row for name, row in cells.items() if any(cell.ok for cell in row)}
    hidden = say(f"status.{SUPPRESSED}")
    table = {say("column.barrier"): [sentences.barrier_name(unit, barrier) for barrier in barriers]}
    for name, row in with_numbers.items():
        absent = [hidden if cell.status == SUPPRESSED else MISSING for cell in row]
        texts = [value_cell(cell, unit.language) or otherwise for cell, otherwise in zip(row, absent, strict=True)]
        table[sentences.measure_name(unit, name)] = texts
    if "icc2" in with_numbers:
        verdicts = [say("reliability.may" if may else "reliability.may_not") for may in _ranked(unit)]
        rankings = zip(verdicts, cells["icc2"], strict=True)
        table[say("column.ranked")] = [verdict if cell.ok else MISSING for verdict, cell in rankings]
    return pd.DataFrame(table) if with_numbers else pd.DataFrame()


def _ranked(unit: Assessment) -> list[bool]:
    """Of each barrier whether any unit has a rank in the wave shown: none has one where units may not be ranked."""
    rows = unit.barriers.loc[(unit.barriers["wave"] == unit.facts.wave) & unit.barriers["unit_rank_low"].notna()]
    return unit.rules.barriers["barrier_id"].isin(rows["barrier_id"]).tolist()
