"""Compute an assessment: read and measure the data, pass the privacy gate, and make the profile of barriers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

from aiready.inputs import row_accounting
from aiready.inputs.dataset import Data, read_data
from aiready.instrument.model import Instrument
from aiready.measures import decisions, feedback, initiatives, survey, tasks, trials, unknown_records, workflows
from aiready.measures.decisions.deciders import deciders
from aiready.measures.tasks.job_holders import holders
from aiready.model import waves
from aiready.model.registry import ALL, COLUMNS, OK, stack_measures, stack_nonempty
from aiready.model.schema import TABLES
from aiready.privacy import gate, published_figures, releases
from aiready.privacy.suppressed_cells import RecordContributors, record_cells
from aiready.profile import actions, barriers, facets
from aiready.profile.assessment import Assessment
from aiready.profile.run_info import facts_of
from aiready.result_cache import CachedParts

RECORDS = (initiatives, trials, tasks, workflows)
SURVEY_TABLES = ("responses", "invitations")
"""Input tables of the survey."""


def open_data(
    location: str | Path,
    rules: Instrument,
    as_of: date | None,
    published: str | Path = "",
    parts: CachedParts | None = None,
) -> Assessment:
    """Read and compute the assessment of a location; `published` as in `Assessment.open`, `parts` as in `compute`."""
    earlier = releases.read(Path(published)) if published else None
    return compute(read_data(location, rules, as_of=as_of), rules, earlier, parts)


@dataclass(frozen=True)
class SurveyPart:
    """What the survey alone determines: protected tables, notes, and what publishing them would disclose.

    `tables`: `measures`, `items`, `item_means` (rows of `explain`), `themes`, `change_sources`, `rankings` of the cells
    that are shown. `release`: None where the tables were recalled, not computed.
    """

    tables: Mapping[str, pd.DataFrame]
    notes: tuple[str, ...]
    release: releases.Draft | None = None


def compute(
    data: Data,
    rules: Instrument,
    earlier: Sequence[releases.Release] | None = None,
    parts: CachedParts | None = None,
) -> Assessment:
    """Compute all measures, pass them through the privacy gate, and make the barrier profile and other tables.

    Parameters
    ----------
    earlier
        Releases of earlier runs, to compare the survey with; None: it is not compared.
    parts
        Where what one table determines is recalled from and stored, if anywhere; a survey that is compared never is.
    """
    settings = rules.settings
    survey_part = _survey_part(data, rules, earlier, parts if earlier is None else None)
    counted = decisions.count_log(data, rules)
    of_records = [noun.measure(data, rules) for noun in RECORDS]
    unprotected = stack_measures([*of_records, decisions.measure(data, rules, counted), feedback.measure(data, rules)])
    contributors = {
        "usage": initiatives.users(data, settings),
        "tasks": holders(data, settings),
        "decisions": deciders(counted, data, settings),
    }
    row_accounting.verify_unit_coverage(data.tables, data.membership, counted)
    hidden = {name: _record_cells(name, behind, data, rules, parts) for name, behind in contributors.items()}
    of_survey, by_table = survey_part.tables, gate.hidden_records(hidden)
    protected = stack_nonempty(of_survey["measures"], gate.protect_measures(unprotected, by_table, settings))
    measures = protected[list(COLUMNS)]
    items = of_survey["items"]
    in_waves, unknown = barriers.profile_waves(measures, data.waves, data.wave), unknown_records.unknown_records(data)
    indicators = barriers.explain_indicators(protected, rules, in_waves, unknown)
    explain = stack_nonempty(of_survey["item_means"], indicators)
    profile = barriers.profile(measures, explain, of_survey["rankings"], rules)
    register = initiatives.register(data, rules)
    tables = {
        "units": data.units,
        "membership": data.membership,
        "measures": measures,
        "barriers": profile,
        "items": items,
        "explain": explain,
        "themes": of_survey["themes"],
        "change_sources": stack_nonempty(
            of_survey["change_sources"], barriers.practice_sources(explain).assign(status=OK)
        ),
        "sensitivity": barriers.weight_sensitivity(explain, profile, rules),
        "recommended": actions.recommend(profile, measures, items, explain, rules),
        "facets": facets.say_do(items, measures, register, data.membership, rules),
        "initiatives": register,
        "verdicts": trials.verdict_table(data.table("trials"), settings.minimum_group).merge(
            register[["initiative_id", "unit_id"]].drop_duplicates("initiative_id"), on="initiative_id", how="left"
        ),
        "tasks": gate.protect_tasks(tasks.task_table(data, rules), by_table),
        "step_changes": workflows.step_changes(data),
        "actions": data.tables.get("actions", pd.DataFrame(columns=list(TABLES["actions"].names))),
        "counts": data.counts,
        "inputs": data.inputs,
    }
    facts = facts_of(data, rules, waves.sort_waves(profile["wave"]), survey_part.notes)
    return Assessment(tables, rules, facts, quarantine=data.quarantine, release=survey_part.release)


def _record_cells(
    name: str, behind: RecordContributors, data: Data, rules: Instrument, parts: CachedParts | None
) -> pd.DataFrame:
    """Which cells of a table of records are hidden, without the number of people in them."""
    rows = behind.rows.sort_values(["wave", "unit_id", "part", "person"], ignore_index=True)  # a log has no order

    def compute_cells() -> dict[str, pd.DataFrame]:
        cells = record_cells(replace(behind, rows=rows), data.units, rules.settings)
        return {"cells": cells.drop(columns="n")}

    if parts is None:
        return compute_cells()["cells"]
    texts = (behind.figures, behind.segments, sorted(behind.cuts.items()), sorted(behind.assumed_people.items()))
    return parts.recall(name, [rows, data.units], repr(texts), compute_cells)["cells"]


def _survey_part(
    data: Data, rules: Instrument, earlier: Sequence[releases.Release] | None, parts: CachedParts | None
) -> SurveyPart:
    """The survey's part of an assessment; it sees no other table, so that these cannot change it."""
    own_tables = {name: table for name, table in data.tables.items() if name in SURVEY_TABLES}
    own = Data(own_tables, data.units, data.membership, data.waves, data.wave, as_of=None)
    if parts is None:
        return _compute_survey(own, rules, earlier)
    computed = []

    def compute_tables() -> dict[str, pd.DataFrame]:
        computed.append(_compute_survey(own, rules, earlier))
        notes = pd.DataFrame({"note": list(computed[0].notes)}, dtype=object)
        return {**computed[0].tables, "notes": notes}

    inputs = [*own_tables.values(), own.units, own.membership]
    texts = repr((list(own_tables), own.waves, own.wave))
    tables = dict(parts.recall("survey", inputs, texts, compute_tables))
    return computed[0] if computed else SurveyPart(tables, tuple(tables.pop("notes")["note"]))


def _compute_survey(data: Data, rules: Instrument, earlier: Sequence[releases.Release] | None) -> SurveyPart:
    answered, settings = survey.tables(data, rules, earlier or ()), rules.settings
    hidden = gate.suppression_pattern(answered.contributors, {}, data.units, settings)
    hidden, published_cells = published_figures.compare_releases(
        answered.compared, hidden, answered.people.figures["figure"]
    )
    measures, distributions = gate.protect_measures(answered.measure, hidden, settings), answered.item_distributions
    tables = {
        "measures": measures,
        "items": gate.protect_items(distributions, hidden, settings),
        "item_means": _item_means(distributions, hidden, rules),
        "themes": gate.protect_themes(answered.themes, hidden, settings),
        "change_sources": gate.protect_sources(answered.change_sources, hidden, settings),
        "rankings": _rankings_shown(answered.rankings, measures),
    }
    release = releases.Draft(
        people=answered.people,
        membership=data.membership,
        cells=published_cells,
        wordings=answered.wordings,
        settings=settings,
        keys=answered.compared.keys,
        compared_with=answered.compared.release_names if earlier is not None else None,
        withheld=answered.withheld,
    )
    return SurveyPart(tables, answered.notes, release)


def _item_means(answers: pd.DataFrame, hidden: gate.SuppressionPattern, rules: Instrument) -> pd.DataFrame:
    """Items that explain the barriers, with protected means."""
    item_rows = barriers.explain_items(answers, rules).assign(segment=ALL)
    numbers = ["value", "points", "points_at_least", "n", "coverage"]
    means = item_rows.rename(columns={"id": "item_id"})
    means = gate.protect_survey(means, hidden.item_means, rules.settings.minimum_group, numbers)
    return means.rename(columns={"item_id": "id"}).drop(columns="segment")


def _rankings_shown(rankings: pd.DataFrame, measures: pd.DataFrame) -> pd.DataFrame:
    """Rankings of the cells whose perception is shown."""
    is_shown = measures["measure"].eq("perception") & measures["segment"].eq(ALL) & measures["status"].eq(OK)
    key = ["unit_id", "wave", "barrier_id"]
    shown_cells = pd.MultiIndex.from_frame(measures.loc[is_shown, key])
    return rankings.loc[pd.MultiIndex.from_frame(rankings[key]).isin(shown_cells)].reset_index(drop=True)
