"""Compute an assessment: read and measure the data, pass the privacy gate, and make the profile of barriers."""

from collections.abc import Sequence
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
from aiready.profile import actions, barriers, facets
from aiready.profile.assessment import Assessment
from aiready.profile.run_info import facts_of

RECORDS = (initiatives, trials, tasks, workflows)


def open_data(location: str | Path, rules: Instrument, as_of: date | None, published: str | Path = "") -> Assessment:
    """Read and compute the assessment of a location; `published` as in `Assessment.open`."""
    earlier = releases.read(Path(published)) if published else None
    return compute(read_data(location, rules, as_of=as_of), rules, earlier)


def compute(data: Data, rules: Instrument, earlier: Sequence[releases.Release] | None = None) -> Assessment:
    """Compute all measures, pass them through the privacy gate, and make the barrier profile and other tables."""
    settings = rules.settings
    answered, counted = survey.tables(data, rules, earlier or ()), decisions.count_log(data, rules)
    of_records = [noun.measure(data, rules) for noun in RECORDS]
    unprotected = stack_measures(
        [answered.measure, *of_records, decisions.measure(data, rules, counted), feedback.measure(data, rules)]
    )
    contributors = {
        "usage": initiatives.users(data, settings),
        "tasks": holders(data, settings),
        "decisions": deciders(counted, data, settings),
    }
    row_accounting.verify_unit_coverage(data.tables, data.membership, counted)
    hidden = gate.suppression_pattern(answered.contributors, contributors, data.units, settings)
    hidden, published_cells = published_figures.compare_releases(
        answered.compared, hidden, answered.people.figures["figure"]
    )
    protected = gate.protect_measures(unprotected, hidden, settings)
    measures = protected[list(COLUMNS)]
    distributions = answered.item_distributions
    explain = _explain(protected, distributions, hidden, data, rules)
    profile = barriers.profile(measures, explain, answered.rankings, rules)
    items = gate.protect_items(distributions, hidden, settings)
    register = initiatives.register(data, rules)
    tables = {
        "units": data.units,
        "membership": data.membership,
        "measures": measures,
        "barriers": profile,
        "items": items,
        "explain": explain,
        "themes": gate.protect_themes(answered.themes, hidden, settings),
        "change_sources": stack_nonempty(
            gate.protect_sources(answered.change_sources, hidden, settings),
            barriers.practice_sources(explain).assign(status=OK),
        ),
        "sensitivity": barriers.weight_sensitivity(explain, profile, rules),
        "recommended": actions.recommend(profile, measures, items, explain, rules),
        "facets": facets.say_do(items, measures, register, data.membership, rules),
        "initiatives": register,
        "verdicts": trials.verdict_table(data.table("trials"), settings.minimum_group).merge(
            register[["initiative_id", "unit_id"]].drop_duplicates("initiative_id"), on="initiative_id", how="left"
        ),
        "tasks": gate.protect_tasks(tasks.task_table(data, rules), hidden),
        "step_changes": workflows.step_changes(data),
        "actions": data.tables.get("actions", pd.DataFrame(columns=list(TABLES["actions"].names))),
        "counts": data.counts,
        "inputs": data.inputs,
    }
    facts = facts_of(data, rules, waves.sort_waves(profile["wave"]), answered.notes)
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
    return Assessment(tables, rules, facts, quarantine=data.quarantine, release=release)


def _explain(
    measures: pd.DataFrame, answers: pd.DataFrame, hidden: gate.SuppressionPattern, data: Data, rules: Instrument
) -> pd.DataFrame:
    """Items and indicators that explain the barriers, with protected item means."""
    in_waves, unknown = barriers.profile_waves(measures, data.waves, data.wave), unknown_records.unknown_records(data)
    item_rows = barriers.explain_items(answers, rules).assign(segment=ALL)
    numbers = ["value", "points", "points_at_least", "n", "coverage"]
    means = item_rows.rename(columns={"id": "item_id"})
    means = gate.protect_survey(means, hidden.item_means, rules.settings.minimum_group, numbers)
    item_rows = means.rename(columns={"item_id": "id"}).drop(columns="segment")
    return stack_nonempty(item_rows, barriers.explain_indicators(measures, rules, in_waves, unknown))
