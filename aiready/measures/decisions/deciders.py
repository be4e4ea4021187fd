"""Who stands behind the figures of the decision log, for the privacy gate."""

import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Settings
from aiready.measures.decisions.counts import LEVELS, derived
from aiready.measures.decisions.ratios import BOUNDING, RATIOS, TOGETHER
from aiready.model.waves import quarter
from aiready.privacy.segments import flat_segments
from aiready.privacy.suppressed_cells import UNPUBLISHED, Behind

NO_LEVEL = "no level"


def deciders(counted: pd.DataFrame | None, data: Data, settings: Settings) -> Behind:
    """Who stands behind the log's figures: one row per own unit x quarter x level x decider, for the privacy gate.

    Notes
    -----
    Only outcomes are told level by level; all other figures rest on decisions whose level does not matter. Deciders who
    are not known count by headcount: as many people work in a unit of `minimum_headcount_unknown_deciders` as a figure
    must stand for, and nobody where the headcount is not known. Decisions that nobody attends to are nobody's.
    """
    figures = tuple(dict.fromkeys(["decisions", *(ratio.among for ratio in (*RATIOS, *BOUNDING, *TOGETHER))]))
    figures = tuple(name for name in figures if not name.startswith("scored_"))
    parts = [*(f"level {level}" for level in LEVELS), NO_LEVEL]
    columns = ["unit_id", "wave", "part", "person", *figures]
    if counted is None or counted.empty:
        return Behind(pd.DataFrame(columns=columns), figures, flat_segments(parts))
    counts = derived(counted)
    counts = counts.loc[counts["decider_id"].notna() | counts["attended"].gt(0)]
    labels = {day: quarter(day) for day in counts["quarter"].unique()}
    rows = counts.assign(wave=counts["quarter"].map(labels), person=counts["decider_id"])
    levelled = [rows[["unit_id", "wave", "person"]].assign(part=f"level {level}", scored=rows[f"scored_{level}"])
                for level in LEVELS]  # fmt: skip
    rest = rows["scored"] - sum(rows[f"scored_{level}"] for level in LEVELS)
    every = pd.concat([rows.assign(part=NO_LEVEL, scored=rest), *levelled], ignore_index=True)[columns]
    every = every.fillna(dict.fromkeys(figures, 0))
    every = every.loc[every[list(figures)].ne(0).any(axis=1)]
    cuts = {NO_LEVEL: (UNPUBLISHED, NO_LEVEL)}
    return Behind(every, figures, flat_segments(parts), cuts, _vouched(data, settings))


def _vouched(data: Data, settings: Settings) -> dict[str, float]:
    """As how many people those who are not known count, by unit: of a parent, its own people besides its children's."""
    own = data.units.set_index("unit_id")["headcount"].astype(float)
    children = data.units.groupby("parent_id")["headcount"].agg(lambda people: people.sum(skipna=False))
    apart = own - children.reindex(own.index).where(own.index.isin(children.index), 0.0)
    each = settings.minimum_group / settings.minimum_headcount_unknown_deciders
    return (apart.clip(lower=0) * each).dropna().to_dict()
