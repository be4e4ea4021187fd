"""Measure the survey: from `responses` (and `invitations`) to scores of each barrier.

`measure` returns the measures rows. The other functions return the tables that need more columns than a measure has:
item distributions, themes, ranks, priorities, differences and sources of change. All take the data and the
instrument, and none hides anything: rows carry `people` for the privacy gate.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument
from aiready.measures.estimation.inference import mean_interval, wilson
from aiready.measures.estimation.reliability import Reliability, cronbach_alpha, mcdonald_omega
from aiready.measures.survey import changes, comparisons, distributions
from aiready.measures.survey.groups import GROUP, Floats, by_barrier, invitation_counts
from aiready.measures.survey.respondents import answers_given, contributors, scored_people, straightliners
from aiready.measures.survey.scales import Survey, answer_notes, people_by_figure, read_survey
from aiready.model.registry import (
    INSUFFICIENT,
    NOT_MEASURED,
    OK,
    ORGANISATION,
    fill_not_measured,
    measure_rows,
    stack_measures,
)
from aiready.model.schema import DOES_NOT_APPLY, DONT_KNOW, TABLES
from aiready.privacy.gate import SurveyContributors
from aiready.privacy.release_record import People
from aiready.privacy.releases import Comparison, Release, compare, wordings
from aiready.privacy.suppressed_cells import survey_cells

TABLE = "responses"
ORGANISATION_ONLY = "computed for the organisation only"
RELIABILITY = {"cronbach_alpha": cronbach_alpha, "mcdonald_omega": mcdonald_omega}
LEAVES_ONLY = "compared between units without children only"


def measure(data: Data, rules: Instrument) -> pd.DataFrame:
    """All measures of the survey.

    Perception is the mean over a unit's respondents with a scored scale; its interval is corrected for the finite
    number of people invited, where that is known. `all` includes respondents without a role; `doing` and `leading`
    are segments of every unit, the four roles of parents and the organisation.

    Returns
    -------
    pandas.DataFrame
        Measures rows and `people`: respondents with a score on the scale (`role_gap` and `change`: on the
        smaller side; `response_rate`: respondents). Every unit has every measure in every wave of the survey.
    """
    return _measures(data, _read_visible(data, rules)[0])


@dataclass(frozen=True)
class SurveyTables:
    """Every table of the survey that the assessment needs; most fields are what the function of that name returns.

    `people`: from `scales.people_by_figure`. `compared`: these people compared with earlier releases. `withheld`: cells
    (unit_id, wave, segment) withheld because of that. `contributors`: the people behind each figure, and which cells of
    the scales are hidden. `wordings`: the wording of the items in each wave (`releases.wordings`).
    """

    measure: pd.DataFrame
    item_distributions: pd.DataFrame
    themes: pd.DataFrame
    rankings: pd.DataFrame
    people: People
    compared: Comparison
    withheld: pd.DataFrame
    contributors: SurveyContributors
    change_sources: pd.DataFrame
    wordings: pd.DataFrame
    notes: tuple[str, ...]


def tables(data: Data, rules: Instrument, earlier: Sequence[Release] = ()) -> SurveyTables:
    """All tables of the survey, reading the answers once; `earlier` are the releases of earlier runs."""
    survey, compared, pattern, withheld = _read_compared(data, rules, earlier)
    return SurveyTables(
        _measures(data, survey), _distributions(survey), _themes(data, survey), _rankings(survey),
        people_by_figure(survey), compared, withheld, contributors(survey, pattern),
        _table(survey, changes.change_sources, changes.SOURCES), wordings(earlier, data.waves, rules),
        (*answer_notes(survey), *compared.notes),
    )  # fmt: skip


def _read_visible(data: Data, rules: Instrument) -> tuple[Survey | None, pd.DataFrame]:
    """The survey with its visible groups, and the suppression pattern, without regard to earlier releases."""
    survey, _, pattern, _ = _read_compared(data, rules, ())
    return survey, pattern


def _read_compared(
    data: Data, rules: Instrument, earlier: Sequence[Release]
) -> tuple[Survey | None, Comparison, pd.DataFrame, pd.DataFrame]:
    """The survey with its visible groups (hidden ones are not compared), and what earlier releases withhold.

    Cells are withheld until none of the visible ones could be derived from earlier releases.
    """
    survey, settings = read_survey(data, rules), rules.settings
    compared = compare(people_by_figure(survey), data.membership, earlier, settings)
    withheld, has_derivable = compared.differencing_risks(), True
    while has_derivable:
        pattern = survey_cells(scored_people(survey), data.units, settings, withheld=withheld)
        visible = pattern.loc[~pattern["hidden"].astype(bool), GROUP]
        derivable = compared.derivable_cells(visible)
        withheld, has_derivable = pd.concat([withheld, derivable], ignore_index=True), not derivable.empty
    if survey is None:
        return None, compared, pattern, withheld
    is_visible = pd.MultiIndex.from_frame(survey.groups.table[GROUP]).isin(pd.MultiIndex.from_frame(visible))
    words = wordings(earlier, data.waves, rules).pivot(index="item_id", columns="wave", values="digest")
    wordings_by_wave = {wave: column.reindex(rules.items["item_id"]).to_numpy() for wave, column in words.items()}
    return replace(survey, visible=np.asarray(is_visible), wordings=wordings_by_wave), compared, pattern, withheld


def _measures(data: Data, survey: Survey | None) -> pd.DataFrame:
    """Rows of every measure, with `not_measured` ones where a unit has none in a wave."""
    reporting = data.membership["unit_id"].unique()
    if survey is None:
        return fill_not_measured(stack_measures([]), TABLE, reporting, data.wave)
    measures = stack_measures(_rows(data, survey))
    waves = (fill_not_measured(measures[measures["wave"] == wave], TABLE, reporting, wave) for wave in survey.waves)
    return stack_measures(waves)


def _rows(data: Data, survey: Survey) -> Iterator[pd.DataFrame]:
    population = invitation_counts(data, survey.groups, survey.respondents, survey.rules.settings)
    anovas = comparisons.unit_anovas(survey)
    yield measure_rows("perception", _perception(survey, population))
    yield measure_rows("response_rate", _response_rate(survey, population))
    yield measure_rows("straightliner_share", _straightliners(survey))
    yield measure_rows("not_applicable_share", _answer_share(survey, DOES_NOT_APPLY))
    yield measure_rows("dont_know_share", _answer_share(survey, DONT_KNOW))
    yield measure_rows("cronbach_alpha", _reliability(survey, "cronbach_alpha"))
    yield measure_rows("mcdonald_omega", _reliability(survey, "mcdonald_omega"))
    yield measure_rows("rwg_j", _agreement(survey))
    yield from (measure_rows(name, _icc(survey, anovas, name)) for name in ("icc1", "icc2"))
    yield measure_rows("perception_shrunk", _for_leaves(survey, comparisons.shrunk_means(survey, anovas)))
    yield measure_rows("difference_from_rest", _for_leaves(survey, _note_differences(comparisons.differences(survey))))
    yield measure_rows("role_gap", comparisons.role_gaps(survey))
    yield measure_rows("change", changes.changes(survey))


def _perception(survey: Survey, population: Floats) -> pd.DataFrame:
    n, invitations = survey.moments.n, np.broadcast_to(population[:, None], survey.moments.n.shape)
    low, high = mean_interval(survey.moments.mean, survey.moments.sd, n, invitations)
    rate = np.broadcast_to((_respondents(survey) / population)[:, None], n.shape)
    floor = survey.rules.settings.response_rate_floor
    note = _notes(
        (n == 0, "nobody answered half of the items of this scale"),
        (n == 1, "one respondent, so no interval"),
        (n > invitations, "more answers than invitations: no correction for the number of people"),
        (rate < floor, f"response rate below {floor:.0%}: describes the respondents only"),
    )
    cells = {"value": survey.moments.mean, "low": low, "high": high, "n": n, "people": n, "note": note}
    return by_barrier(survey.groups.table, survey.barriers, **cells)


def _respondents(survey: Survey) -> Floats:
    return survey.groups.sums(np.ones(len(survey.respondents)))


def _notes(*sentences: tuple[NDArray[np.bool_], str]) -> NDArray[np.object_]:
    """The sentences whose condition holds for each cell, joined."""
    notes = np.full(sentences[0][0].shape, "", dtype=object)
    for holds, sentence in sentences:
        notes[holds] += np.where(notes[holds] == "", sentence, "; " + sentence).astype(object)
    return notes


def _response_rate(survey: Survey, population: Floats) -> pd.DataFrame:
    """Respondents / invitations; without an interval, since everybody invited is counted. Segments where known."""
    respondents, is_known = _respondents(survey), ~np.isnan(population)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(population > 0, respondents / population, np.nan)
    cells = survey.groups.table.assign(value=value, n=population, people=respondents)
    cells["status"] = np.where(is_known, np.where(population > 0, OK, INSUFFICIENT), NOT_MEASURED)
    cells["note"] = _notes(
        (~is_known, f"collect `invitations`: {TABLES['invitations'].collect}"),
        (population == 0, "nobody was invited"),
        (respondents > population, "more answers than invitations"),
    )
    return cells[is_known | survey.groups.is_all]


def _straightliners(survey: Survey) -> pd.DataFrame:
    """Respondents who ticked one level throughout, on scales with reversed items, among those who could."""
    flagged, able = straightliners(survey)
    return _shares(survey, flagged, able, "no respondent answered both plain and reversed items of this scale")


def _answer_share(survey: Survey, code: float) -> pd.DataFrame:
    """Share of one kind of answer without a level among all answers given on a scale."""
    hits = np.column_stack([
        (survey.answers.codes[:, survey.answers.items_of(barrier)] == code).sum(axis=1) for barrier in survey.barriers
    ])  # fmt: skip
    return _shares(survey, hits, answers_given(survey), "no answer on this scale")


def _shares(survey: Survey, hits: NDArray[Any], trials: NDArray[Any], empty: str) -> pd.DataFrame:
    """Sum of hits / sum of trials; n and the Wilson interval count people, since a person's answers are dependent."""
    n = survey.groups.sums(trials > 0)
    with np.errstate(invalid="ignore"):
        value = survey.groups.sums(hits) / survey.groups.sums(trials)
    low, high = wilson(value * n, n)
    cells = {"value": value, "low": low, "high": high, "n": n, "people": np.where(n > 0, n, survey.moments.n)}
    return by_barrier(survey.groups.table, survey.barriers, **cells, note=_notes((n == 0, empty)))


def _reliability(survey: Survey, name: str) -> pd.DataFrame:
    """Alpha or omega of each scale over the organisation, on the items that all roles present are asked."""
    records = []
    for wave in survey.waves:
        answers = survey.answers.take((survey.respondents["wave"] == wave).to_numpy())
        common = answers.common(answers.roles)
        for barrier in survey.barriers:
            keyed = answers.keyed(answers.items_of(barrier) & common).astype(float)
            coefficient = RELIABILITY[name](np.where(keyed > 0, keyed, np.nan))
            records.append(
                (
                    ORGANISATION,
                    wave,
                    barrier,
                    coefficient.value,
                    coefficient.low,
                    coefficient.high,
                    coefficient.n,
                    _reliability_note(coefficient),
                )
            )
    columns = ["unit_id", "wave", "barrier_id", "value", "low", "high", "n", "note"]
    cells = pd.DataFrame(records, columns=columns)
    return _with_other_units(survey, cells.assign(people=cells["n"]), {ORGANISATION}, ORGANISATION_ONLY)


def _reliability_note(coefficient: Reliability) -> str:
    about = f"{coefficient.items} items common to all roles"
    if coefficient.value < 0:
        return f"{about}; negative: an item should probably be reversed"
    if np.isnan(coefficient.value):
        return f"{about}: too few items or complete answers, no variance, or no proper solution with one factor"
    return about


def _agreement(survey: Survey) -> pd.DataFrame:
    is_all = survey.groups.is_all
    value, n = comparisons.agreement(survey), survey.moments.n[is_all]
    note = _notes(
        (np.isnan(value), "fewer than two answers to the items common to all roles"),
        (value == 0, "people differ more than by chance"),
    )
    table = survey.groups.table[is_all]
    return by_barrier(table, survey.barriers, value=value, n=n, people=n, note=note)


def _icc(survey: Survey, anovas: pd.DataFrame, name: str) -> pd.DataFrame:
    values = [getattr(table, name) for table in anovas["anova"]]
    n = [table.n for table in anovas["anova"]]
    cells = anovas[["wave", "barrier_id"]].assign(unit_id=ORGANISATION, value=values, n=n, people=n)
    return _with_other_units(survey, cells.assign(note=anovas["verdict"]), {ORGANISATION}, ORGANISATION_ONLY)


def _note_differences(cells: pd.DataFrame) -> pd.DataFrame:
    """Add a note on the test of each difference."""
    tested = cells["p_adjusted"].notna()
    p = cells["p_adjusted"].map("adjusted p {:.3f}".format)
    words = np.where(cells["flag"] == "", "no difference demonstrated, " + p, cells["flag"] + ", " + p)
    untested = "not tested: too few respondents here or in the rest, or no variance"
    return cells.assign(note=np.where(tested, words, untested))


def _for_leaves(survey: Survey, cells: pd.DataFrame) -> pd.DataFrame:
    """Add empty cells for units with children, which are not compared."""
    return _with_other_units(survey, cells, set(cells["unit_id"]), LEAVES_ONLY)


def _with_other_units(survey: Survey, cells: pd.DataFrame, covered: set[str], why: str) -> pd.DataFrame:
    """Add an empty cell with the reason for each unit and wave that is not covered."""
    others = survey.groups.table[survey.groups.is_all & ~survey.groups.table["unit_id"].isin(covered)]
    empty = others[["unit_id", "wave"]].assign(barrier_id="", value=np.nan, n=np.nan, note=why)
    return pd.concat([cells, empty], ignore_index=True) if len(empty) else cells


def item_distributions(data: Data, rules: Instrument) -> pd.DataFrame:
    """How each item was answered (`results/items.csv`); see `distributions.distributions`."""
    return _distributions(_read_visible(data, rules)[0])


def item_levels(items: pd.DataFrame, *, minimum: int = 10) -> pd.DataFrame:
    """The level each item stands at; see `distributions.levels_of`."""
    return distributions.levels_of(items, minimum=minimum)


def themes(data: Data, rules: Instrument) -> pd.DataFrame:
    """Scores by theme across the barriers; see `distributions.theme_scores`."""
    return _themes(data, _read_visible(data, rules)[0])


def differences(data: Data, rules: Instrument) -> pd.DataFrame:
    """Each unit against the rest of the organisation, tested; see `comparisons.differences`."""
    return _differences(_read_visible(data, rules)[0])


def unit_ranks(data: Data, rules: Instrument) -> pd.DataFrame:
    """Ranks each unit may hold, where ranking is allowed; see `comparisons.unit_ranks`."""
    return _unit_ranks(_read_visible(data, rules)[0])


def barrier_priorities(data: Data, rules: Instrument) -> pd.DataFrame:
    """Ranks each barrier may hold within a unit, lowest first; see `comparisons.barrier_priorities`."""
    return _priorities(_read_visible(data, rules)[0])


def change_sources(data: Data, rules: Instrument) -> pd.DataFrame:
    """Sources of change: role mix, answers, items; see `changes.change_sources`."""
    return _table(_read_visible(data, rules)[0], changes.change_sources, changes.SOURCES)


def rankings(data: Data, rules: Instrument) -> pd.DataFrame:
    """Flags, unit ranks and barrier priorities in one table, before the privacy gate.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier: unit_id, wave, barrier_id, flag, unit_rank_low, unit_rank_high,
        priority_low, priority_high; missing where the survey does not allow them.
    """
    return _rankings(_read_visible(data, rules)[0])


def _table(survey: Survey | None, make: Callable[[Survey], pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """The columns of a table of the survey; empty without a survey."""
    return pd.DataFrame(columns=columns) if survey is None else make(survey)[columns]


def _distributions(survey: Survey | None) -> pd.DataFrame:
    return _table(survey, distributions.distributions, distributions.COLUMNS)


def _themes(data: Data, survey: Survey | None) -> pd.DataFrame:
    def theme_scores(answered: Survey) -> pd.DataFrame:
        population = invitation_counts(data, answered.groups, answered.respondents, answered.rules.settings)
        return distributions.theme_scores(answered, population)

    return _table(survey, theme_scores, distributions.THEMES)


def _differences(survey: Survey | None) -> pd.DataFrame:
    return _table(survey, comparisons.differences, comparisons.DIFFERENCES)


def _unit_ranks(survey: Survey | None) -> pd.DataFrame:
    def ranks(answered: Survey) -> pd.DataFrame:
        return comparisons.unit_ranks(answered, comparisons.unit_anovas(answered))

    return _table(survey, ranks, comparisons.UNIT_RANKS)


def _priorities(survey: Survey | None) -> pd.DataFrame:
    return _table(survey, comparisons.barrier_priorities, comparisons.PRIORITIES)


def _rankings(survey: Survey | None) -> pd.DataFrame:
    key = ["unit_id", "wave", "barrier_id"]
    flags = _differences(survey)[[*key, "flag"]]
    ranks = _unit_ranks(survey).drop(columns="verdict")
    priorities = _priorities(survey).drop(columns="weakest")
    return priorities.merge(ranks, on=key, how="left").merge(flags, on=key, how="left")
