"""List the deciders behind each figure of the decision log, for the privacy gate."""

import pandas as pd

from aiready.inputs.dataset import Data
from aiready.instrument.model import Settings
from aiready.measures.decisions.counts import LEVELS, add_derived_counts
from aiready.measures.decisions.ratios import BOUNDS, COMPLEMENTARITY, RATIOS
from aiready.model.waves import quarter
from aiready.privacy.segments import flat_segments
from aiready.privacy.suppressed_cells import UNPUBLISHED, RecordContributors

NO_LEVEL = "no level"


def deciders(counted: pd.DataFrame | None, data: Data, settings: Settings) -> RecordContributors:
    """The deciders behind the log's figures: one row per own unit x quarter x level x decider, for the privacy gate.

    Notes
    -----
    Only outcomes are published by level; all other figures have the part `NO_LEVEL`. Unknown deciders count in
    proportion to the headcount: those of a unit of `minimum_headcount_unknown_deciders` people as `minimum_group`
    people, those of a unit of unknown headcount as nobody. Decisions without human review have no decider.
    """
    figures = tuple(dict.fromkeys(["decisions", *(ratio.among for ratio in (*RATIOS, *BOUNDS, *COMPLEMENTARITY))]))
    figures = tuple(name for name in figures if not name.startswith("scored_"))
    parts = [*(f"level {level}" for level in LEVELS), NO_LEVEL]
    columns = ["unit_id", "wave", "part", "person", *figures]
    if counted is None or counted.empty:
        return RecordContributors(pd.DataFrame(columns=columns), figures, flat_segments(parts))
    counts = add_derived_counts(counted)
    counts = counts.loc[counts["decider_id"].notna() | counts["attended"].gt(0)]
    labels = {day: quarter(day) for day in counts["quarter"].unique()}
    rows = counts.assign(wave=counts["quarter"].map(labels), person=counts["decider_id"])
    levelled = [rows[["unit_id", "wave", "person"]].assign(part=f"level {level}", scored=rows[f"scored_{level}"])
                for level in LEVELS]  # fmt: skip
    rest = rows["scored"] - sum(rows[f"scored_{level}"] for level in LEVELS)
    people = pd.concat([rows.assign(part=NO_LEVEL, scored=rest), *levelled], ignore_index=True)[columns]
    people = people.fillna(dict.fromkeys(figures, 0))
    people = people.loc[people[list(figures)].ne(0).any(axis=1)]
    cuts = {NO_LEVEL: (UNPUBLISHED, NO_LEVEL)}
    return RecordContributors(people, figures, flat_segments(parts), cuts, _people_for_unknown_deciders(data, settings))


def _people_for_unknown_deciders(data: Data, settings: Settings) -> dict[str, float]:
    """As how many people the unknown deciders of each unit count; a parent's headcount excludes its children's."""
    own = data.units.set_index("unit_id")["headcount"].astype(float)
    children = data.units.groupby("parent_id")["headcount"].agg(lambda people: people.sum(skipna=False))
    own_people = own - children.reindex(own.index).where(own.index.isin(children.index), 0.0)
    people_per_head = settings.minimum_group / settings.minimum_headcount_unknown_deciders
    return dict((own_people.clip(lower=0) * people_per_head).dropna())
