"""The survey: from `responses` (and `invitations`) to what people say about each barrier.

`measure` makes the measures rows. The other functions make the tables that need more columns than a measure
has: item distributions, themes, ranks, priorities, differences and where a change came from. All take the
data and the instrument, and none hides anything: small cells carry `people` for the privacy gate.
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
from aiready.measures.survey.groups import GROUP, Floats, by_barrier, invited
from aiready.measures.survey.respondents import answers_given, behind, scored_people, straightliners
from aiready.measures.survey.scales import Survey, people, read_survey, said_of_answers, scale_scores  # fmt: skip
from aiready.model.registry import INSUFFICIENT, NOT_MEASURED, OK, ORGANISATION, collect, fill_not_measured, rows
from aiready.model.schema import DOES_NOT_APPLY, DONT_KNOW, TABLES
from aiready.privacy.gate import Survey as Behind
from aiready.privacy.release_record import People
from aiready.privacy.releases import Comparison, Release, compare, wordings
from aiready.privacy.suppressed_cells import survey_cells

__all__ = [
    "barrier_priorities",
    "change_sources",
    "differences",
    "item_distributions",
    "item_levels",
    "measure",
    "rankings",
    "scale_scores",
    "tables",
    "themes",
    "unit_ranks",
]

TABLE = "responses"
ORGANISATION_ONLY = "computed for the organisation only"
RELIABILITY = {"cronbach_alpha": cronbach_alpha, "mcdonald_omega": mcdonald_omega}
LEAVES_ONLY = "compared between units without children only"


def measure(data: Data, rules: Instrument) -> pd.DataFrame:
    """All measures of the survey.

    Perception is the mean over a unit's respondents with a scored scale; its interval is corrected for the
    finite number of people invited, where that is known. `all` takes every respondent, those without a role
    too; `doing` and `leading` are segments of every unit, the four roles of parents and the organisation.

    Returns
    -------
    pandas.DataFrame
        Measures rows and `people`: respondents with a score on the scale (`role_gap` and `change`: on the
        smaller side; `response_rate`: respondents). Every unit has every measure in every wave of the survey.
    """
    return _measures(data, _read(data, rules)[0])


@dataclass(frozen=True)
class Tables:
    """Every table of the survey that the assessment needs; each field is what the function of its name returns.

    `people` is that of `scales`, `compared` of `history`, which withholds `withheld` (unit_id, wave, segment); `behind`
    says who stands behind the figures and which cells of the scales are hidden; `wordings` in which words each wave was
    asked (`history.wordings`).
    """

    measure: pd.DataFrame
    item_distributions: pd.DataFrame
    themes: pd.DataFrame
    rankings: pd.DataFrame
    people: People
    compared: Comparison
    withheld: pd.DataFrame
    behind: Behind
    change_sources: pd.DataFrame
    wordings: pd.DataFrame
    notes: tuple[str, ...]


def tables(data: Data, rules: Instrument, earlier: Sequence[Release] = ()) -> Tables:
    """All of them from one reading of the answers; `earlier` is what runs before this one published."""
    survey, compared, pattern, withheld = _read_beside(data, rules, earlier)
    return Tables(
        _measures(data, survey), _distributions(survey), _themes(data, survey), _rankings(survey),
        people(survey), compared, withheld, behind(survey, pattern),
        _table(survey, changes.change_sources, changes.SOURCES), wordings(earlier, data.waves, rules),
        (*said_of_answers(survey), *compared.notes),
    )  # fmt: skip


def _read(data: Data, rules: Instrument) -> tuple[Survey | None, pd.DataFrame]:
    """The survey that knows what may be shown, and the pattern, where nothing was published before."""
    survey, _, pattern, _ = _read_beside(data, rules, ())
    return survey, pattern


def _read_beside(
    data: Data, rules: Instrument, earlier: Sequence[Release]
) -> tuple[Survey | None, Comparison, pd.DataFrame, pd.DataFrame]:
    """The survey that knows what may be shown: who is hidden is compared with nobody, and counts for nothing."""
    survey, settings = read_survey(data, rules), rules.settings
    compared = compare(people(survey), data.membership, earlier, settings)
    kept_back, more = compared.withheld(), True
    while more:
        pattern = survey_cells(scored_people(survey), data.units, settings, withheld=kept_back)
        shown = pattern.loc[~pattern["hidden"].astype(bool), GROUP]
        besides = compared.given_away(shown)
        kept_back, more = pd.concat([kept_back, besides], ignore_index=True), not besides.empty
    if survey is None:
        return None, compared, pattern, kept_back
    seen = pd.MultiIndex.from_frame(pattern.loc[~pattern["hidden"].astype(bool), GROUP])
    shown = pd.MultiIndex.from_frame(survey.groups.table[GROUP]).isin(seen)
    words = wordings(earlier, data.waves, rules).pivot(index="item_id", columns="wave", values="digest")
    asked = {wave: column.reindex(rules.items["item_id"]).to_numpy() for wave, column in words.items()}
    return replace(survey, shown=np.asarray(shown), wordings=asked), compared, pattern, kept_back


def _measures(data: Data, survey: Survey | None) -> pd.DataFrame:
    reporting = data.membership["unit_id"].unique()
    if survey is None:
        return fill_not_measured(collect([]), TABLE, reporting, data.wave)
    made = collect(_rows(data, survey))
    waves = (fill_not_measured(made[made["wave"] == wave], TABLE, reporting, wave) for wave in survey.waves)
    return collect(waves)


def _rows(data: Data, survey: Survey) -> Iterator[pd.DataFrame]:
    population = invited(data, survey.groups, survey.respondents, survey.rules.settings)
    anovas = comparisons.unit_anovas(survey)
    yield rows("perception", _perception(survey, population))
    yield rows("response_rate", _response_rate(survey, population))
    yield rows("straightliner_share", _straightliners(survey))
    yield rows("not_applicable_share", _answer_share(survey, DOES_NOT_APPLY))
    yield rows("dont_know_share", _answer_share(survey, DONT_KNOW))
    yield rows("cronbach_alpha", _reliability(survey, "cronbach_alpha"))
    yield rows("mcdonald_omega", _reliability(survey, "mcdonald_omega"))
    yield rows("rwg_j", _agreement(survey))
    yield from (rows(name, _icc(survey, anovas, name)) for name in ("icc1", "icc2"))
    yield rows("perception_shrunk", _for_leaves(survey, comparisons.shrunk_means(survey, anovas)))
    yield rows("difference_from_rest", _for_leaves(survey, _read_differences(comparisons.differences(survey))))
    yield rows("role_gap", comparisons.role_gaps(survey))
    yield rows("change", changes.changes(survey))


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
    """The sentences that hold for each cell, joined."""
    made = np.full(sentences[0][0].shape, "", dtype=object)
    for holds, sentence in sentences:
        made[holds] += np.where(made[holds] == "", sentence, "; " + sentence).astype(object)
    return made


def _response_rate(survey: Survey, population: Floats) -> pd.DataFrame:
    """Respondents over invitations: a count of everybody asked, so no interval. Segments where known."""
    people, known = _respondents(survey), ~np.isnan(population)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(population > 0, people / population, np.nan)
    cells = survey.groups.table.assign(value=value, n=population, people=people)
    cells["status"] = np.where(known, np.where(population > 0, OK, INSUFFICIENT), NOT_MEASURED)
    cells["note"] = _notes(
        (~known, f"collect `invitations`: {TABLES['invitations'].collect}"),
        (population == 0, "nobody was invited"),
        (people > population, "more answers than invitations"),
    )
    return cells[known | survey.groups.whole]


def _straightliners(survey: Survey) -> pd.DataFrame:
    """Respondents who ticked one level throughout, on scales with reversed items, among those who could."""
    flagged, able = straightliners(survey)
    return _shares(survey, flagged, able, "no respondent answered both plain and reversed items of this scale")


def _answer_share(survey: Survey, code: float) -> pd.DataFrame:
    """Share of one answer that is no level, among all answers given on a scale."""
    such = np.column_stack([
        (survey.answers.codes[:, survey.answers.items_of(barrier)] == code).sum(axis=1) for barrier in survey.barriers
    ])  # fmt: skip
    return _shares(survey, such, answers_given(survey), "no answer on this scale")


def _shares(survey: Survey, hits: NDArray[Any], trials: NDArray[Any], empty: str) -> pd.DataFrame:
    """Sum of hits over sum of trials; n and the interval (Wilson) count people, since answers go together."""
    n = survey.groups.sums(trials > 0)
    with np.errstate(invalid="ignore"):
        value = survey.groups.sums(hits) / survey.groups.sums(trials)
    low, high = wilson(value * n, n)
    cells = {"value": value, "low": low, "high": high, "n": n, "people": np.where(n > 0, n, survey.moments.n)}
    return by_barrier(survey.groups.table, survey.barriers, **cells, note=_notes((n == 0, empty)))


def _reliability(survey: Survey, name: str) -> pd.DataFrame:
    """Alpha or omega of each scale over the whole organisation, on the items common to the roles present."""
    made = []
    for wave in survey.waves:
        here = survey.answers.take((survey.respondents["wave"] == wave).to_numpy())
        common = here.common(here.roles)
        for barrier in survey.barriers:
            keyed = here.keyed(here.items_of(barrier) & common).astype(float)
            found = RELIABILITY[name](np.where(keyed > 0, keyed, np.nan))
            made.append((ORGANISATION, wave, barrier, found.value, found.low, found.high, found.n, _reading(found)))
    columns = ["unit_id", "wave", "barrier_id", "value", "low", "high", "n", "note"]
    cells = pd.DataFrame(made, columns=columns)
    return _and_others(survey, cells.assign(people=cells["n"]), {ORGANISATION}, ORGANISATION_ONLY)


def _reading(found: Reliability) -> str:
    about = f"{found.items} items common to all roles"
    if found.value < 0:
        return f"{about}; negative: an item should probably be reversed"
    if np.isnan(found.value):
        return f"{about}: too few items or complete answers, no variance, or no proper solution with one factor"
    return about


def _agreement(survey: Survey) -> pd.DataFrame:
    whole = survey.groups.whole
    value, n = comparisons.agreement(survey), survey.moments.n[whole]
    note = _notes(
        (np.isnan(value), "fewer than two answers to the items common to all roles"),
        (value == 0, "people differ more than by chance"),
    )
    table = survey.groups.table[whole]
    return by_barrier(table, survey.barriers, value=value, n=n, people=n, note=note)


def _icc(survey: Survey, anovas: pd.DataFrame, name: str) -> pd.DataFrame:
    found = [getattr(table, name) for table in anovas["anova"]]
    n = [table.n for table in anovas["anova"]]
    cells = anovas[["wave", "barrier_id"]].assign(unit_id=ORGANISATION, value=found, n=n, people=n)
    return _and_others(survey, cells.assign(note=anovas["verdict"]), {ORGANISATION}, ORGANISATION_ONLY)


def _read_differences(found: pd.DataFrame) -> pd.DataFrame:
    """Differences with their test in words."""
    tested = found["p_adjusted"].notna()
    p = found["p_adjusted"].map("adjusted p {:.3f}".format)
    words = np.where(found["flag"] == "", "no difference demonstrated, " + p, found["flag"] + ", " + p)
    untested = "not tested: too few respondents here or in the rest, or no variance"
    return found.assign(note=np.where(tested, words, untested))


def _for_leaves(survey: Survey, cells: pd.DataFrame) -> pd.DataFrame:
    return _and_others(survey, cells, set(cells["unit_id"]), LEAVES_ONLY)


def _and_others(survey: Survey, cells: pd.DataFrame, done: set[str], why: str) -> pd.DataFrame:
    """Cells, and one empty cell for each other unit and wave, saying why."""
    others = survey.groups.table[survey.groups.whole & ~survey.groups.table["unit_id"].isin(done)]
    empty = others[["unit_id", "wave"]].assign(barrier_id="", value=np.nan, n=np.nan, note=why)
    return pd.concat([cells, empty], ignore_index=True) if len(empty) else cells


def item_distributions(data: Data, rules: Instrument) -> pd.DataFrame:
    """How each item was answered (`results/items.csv`); see `distributions.distributions`."""
    return _distributions(_read(data, rules)[0])


def item_levels(items: pd.DataFrame, *, minimum: int = 10) -> pd.DataFrame:
    """The level each item stands at; see `distributions.levels_of`."""
    return distributions.levels_of(items, minimum=minimum)


def themes(data: Data, rules: Instrument) -> pd.DataFrame:
    """Scores by theme across the barriers; see `distributions.theme_scores`."""
    return _themes(data, _read(data, rules)[0])


def differences(data: Data, rules: Instrument) -> pd.DataFrame:
    """Each unit against the rest of the organisation, tested; see `comparisons.differences`."""
    return _differences(_read(data, rules)[0])


def unit_ranks(data: Data, rules: Instrument) -> pd.DataFrame:
    """Ranks each unit may hold, where ranking is allowed; see `comparisons.unit_ranks`."""
    return _unit_ranks(_read(data, rules)[0])


def barrier_priorities(data: Data, rules: Instrument) -> pd.DataFrame:
    """Ranks each barrier may hold within a unit, lowest first; see `comparisons.barrier_priorities`."""
    return _priorities(_read(data, rules)[0])


def change_sources(data: Data, rules: Instrument) -> pd.DataFrame:
    """Where a change came from, role mix or answers; see `changes.change_sources`."""
    return _table(_read(data, rules)[0], changes.change_sources, changes.SOURCES)


def rankings(data: Data, rules: Instrument) -> pd.DataFrame:
    """Flag, unit ranks and barrier priorities side by side, before the privacy gate.

    Returns
    -------
    pandas.DataFrame
        One row per unit x wave x barrier: unit_id, wave, barrier_id, flag, unit_rank_low, unit_rank_high,
        priority_low, priority_high; missing where the survey does not allow them.
    """
    return _rankings(_read(data, rules)[0])


def _table(survey: Survey | None, make: Callable[[Survey], pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=columns) if survey is None else make(survey)[columns]


def _distributions(survey: Survey | None) -> pd.DataFrame:
    return _table(survey, distributions.distributions, distributions.COLUMNS)


def _themes(data: Data, survey: Survey | None) -> pd.DataFrame:
    def with_population(found: Survey) -> pd.DataFrame:
        population = invited(data, found.groups, found.respondents, found.rules.settings)
        return distributions.theme_scores(found, population)

    return _table(survey, with_population, distributions.THEMES)


def _differences(survey: Survey | None) -> pd.DataFrame:
    return _table(survey, comparisons.differences, comparisons.DIFFERENCES)


def _unit_ranks(survey: Survey | None) -> pd.DataFrame:
    def ranked(found: Survey) -> pd.DataFrame:
        return comparisons.unit_ranks(found, comparisons.unit_anovas(found))

    return _table(survey, ranked, comparisons.UNIT_RANKS)


def _priorities(survey: Survey | None) -> pd.DataFrame:
    return _table(survey, comparisons.barrier_priorities, comparisons.PRIORITIES)


def _rankings(survey: Survey | None) -> pd.DataFrame:
    key = ["unit_id", "wave", "barrier_id"]
    flags = _differences(survey)[[*key, "flag"]]
    ranks = _unit_ranks(survey).drop(columns="verdict")
    places = _priorities(survey).drop(columns="weakest")
    return places.merge(ranks, on=key, how="left").merge(flags, on=key, how="left")
