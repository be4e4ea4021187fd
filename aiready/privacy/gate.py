"""Nobody identifiable: the one gate that every table passes before it is written, drawn or worded.

`hidden_cells` decides once which cells are hidden (primary, secondary, audited); `protect_*` blank them and whatever is
made of them. Hidden cells keep no n, interval, rank or note but why they are hidden.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiready.instrument.model import Settings
from aiready.model.registry import ALL, BOUNDS, COLUMNS, NOT_MEASURED, NUMBERS, OK, PEOPLE, SUPPRESSED
from aiready.model.schema import ROLES
from aiready.model.waves import in_order
from aiready.privacy.segments import SIDES
from aiready.privacy.suppressed_cells import (
    CELL,
    NO_CELLS,
    OWN,
    Behind,
    cells_within,
    item_cells,
    record_cells,
    scale_cells,
)

ALMOST_NONE = 0.05
ROLE_SIDES = (SIDES, ("frontline", "executive"))
"""Sides that a role gap compares: at units, and above them."""
FEW = "fewer people than may be shown"
PROTECTS = "hidden to protect another group"
NO_INTERVAL = "no interval: it would tell single answers of so few people"
SPREAD = ("rwg_j",)
"""Measures of the survey that tell how far answers are apart, and so as much as a distribution does."""
WITHIN = {"not_applicable_share": "shares", "dont_know_share": "shares", "straightliner_share": "straightliners"}
"""Measures of the survey that rest on other people than the scales do."""
BLOCKERS, BLOCKER = "gap_by_blocker", "blocker"
"""The measure whose segments are blockers, and what that kind of segment is called."""


@dataclass(frozen=True)
class Survey:
    """Who stands behind the figures of a survey, before anything is hidden.

    `pattern`: which cells of the scales are hidden (`hidden_cells.survey_cells`). The others have one row per own unit
    x wave x role, and people figure by figure: `answered` by scale, of any answer; `straightliners` by scale, of
    people who could be one; `themes` by theme; `scales` and `items` by those asked of the same roles (`items`).
    """

    pattern: pd.DataFrame
    scales: pd.DataFrame
    answered: pd.DataFrame
    straightliners: pd.DataFrame
    themes: pd.DataFrame
    items: pd.DataFrame


@dataclass(frozen=True)
class Hidden:
    """Which cells are hidden, table by table (unit_id, wave, segment, n, hidden, own; of items `item_id` too).

    `survey`: whatever comes from answers; `scales`: besides, by scale (`barrier_id`), those that not every role is
    asked. `records`: by table (`decisions`, `usage`, `tasks`), with `cut`, the kind of segment.
    """

    survey: pd.DataFrame
    scales: pd.DataFrame
    shares: pd.DataFrame
    straightliners: pd.DataFrame
    themes: pd.DataFrame
    item_means: pd.DataFrame
    distributions: pd.DataFrame
    records: Mapping[str, pd.DataFrame]


def hidden_cells(survey: Survey, records: Mapping[str, Behind], units: pd.DataFrame, settings: Settings) -> Hidden:
    """Decide once which cells of the survey and of the other tables are hidden.

    Raises
    ------
    PrivacyError
        A small group could be worked out and nothing is left to hide.
    """
    shown = survey.pattern.loc[~survey.pattern["hidden"].astype(bool)]
    wholes = shown.loc[shown["segment"] == ALL]
    means, distributions = item_cells(survey.items, units, settings, shown)
    return Hidden(
        survey=survey.pattern,
        scales=scale_cells(survey.scales, units, settings, shown),
        shares=cells_within(survey.answered, units, settings, shown),
        straightliners=cells_within(survey.straightliners, units, settings, shown),
        themes=cells_within(survey.themes, units, settings, wholes),
        item_means=means,
        distributions=distributions,
        records={name: record_cells(behind, units, settings) for name, behind in records.items()},
    )


def protect_measures(made: pd.DataFrame, hidden: Hidden, settings: Settings) -> pd.DataFrame:
    """Suppress measures rows; returns the same grain with `COLUMNS`, and `BOUNDS` for the profile to read.

    A row is hidden where too few people stand behind it, its cell is hidden, or it compares with a hidden cell
    (the other role group, the wave before). Shares of the survey that are 0 or 1 are softened, and intervals of fewer
    people than a distribution may show are left out.
    """
    from_survey = made["table"] == "responses"
    spread = from_survey & made["measure"].isin(SPREAD)
    few = made[PEOPLE].lt(settings.minimum_group) | (spread & made[PEOPLE].lt(settings.minimum_distribution))
    gone = few.copy()
    own = few.copy()
    for rows, cells in _cells_of(made, hidden):
        by_cell = _states(made, cells, [name for name in ("barrier_id", *CELL) if name in cells])
        gone |= rows & by_cell["hidden"]
        own |= rows & by_cell["own"]
    gone |= _gap_hidden(made, hidden.survey) | _change_hidden(made, hidden.survey)
    gone &= made["status"] != NOT_MEASURED
    blanked = _blank(made, gone, own, [*NUMBERS, *BOUNDS])
    apart = from_survey & blanked[PEOPLE].lt(settings.minimum_distribution)
    return softened(_without_interval(blanked, apart), from_survey)[[*COLUMNS, *BOUNDS]]


def _cells_of(made: pd.DataFrame, hidden: Hidden) -> list[tuple[pd.Series, pd.DataFrame]]:
    """Rows of measures, and the cells that decide on them; what is about nobody is decided by none."""
    of_survey = made["table"] == "responses"
    pairs = [(of_survey, hidden.survey), (of_survey, hidden.scales)]
    pairs += [(of_survey & made["measure"].eq(name), getattr(hidden, cells)) for name, cells in WITHIN.items()]
    # decisions of people who are not known have no number of people, and are about them all the same
    about_people = ~of_survey & (made[PEOPLE].notna() | made["table"].eq("decisions"))
    by_blocker = made["measure"].eq(BLOCKERS) & made["segment"].ne(ALL)
    for name, cells in hidden.records.items():
        rows, blockers, own = about_people & made["table"].eq(name), cells["cut"].eq(BLOCKER), cells["cut"].eq(OWN)
        pairs += [(rows & ~by_blocker, cells.loc[~blockers & ~own]), (rows & by_blocker, cells.loc[blockers])]
    return pairs


def _states(table: pd.DataFrame, cells: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Whether the cell of each row is hidden, and whether it is so for itself; not, where there is no such cell."""
    flags = cells.assign(hidden=cells["hidden"].astype(bool), own=cells["own"].astype(bool))
    states = {}
    for name in ("hidden", "own"):
        listed = pd.MultiIndex.from_frame(flags.loc[flags[name], key])
        states[name] = pd.MultiIndex.from_frame(table[key]).isin(listed)
    return pd.DataFrame(states, index=table.index)


def _is_hidden(table: pd.DataFrame, cells: pd.DataFrame, key: list[str]) -> pd.Series:
    return _states(table, cells, key)["hidden"]


def _without_interval(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Take away intervals, and p values in words, that with the mean would tell single answers."""
    plain = table.copy()
    rows = rows & table["status"].eq(OK) & table["low"].notna()
    plain.loc[rows, ["low", "high"]] = np.nan
    tested = table["note"].str.replace(r",? ?adjusted p [\d.]+", "", regex=True)
    plain["note"] = table["note"].mask(rows, tested.where(tested.eq(""), tested + "; ") + NO_INTERVAL)
    return plain


def _gap_hidden(made: pd.DataFrame, survey: pd.DataFrame) -> pd.Series:
    """Role gaps either side of which is hidden."""
    gap = pd.Series(False, index=made.index)
    roles_shown = made["unit_id"].isin(set(survey.loc[survey["segment"] == ROLES[0], "unit_id"]))
    for sides, rows in zip(ROLE_SIDES, (~roles_shown, roles_shown), strict=True):
        for side in sides:
            gap |= rows & _is_hidden(made.assign(segment=side), survey, CELL)
    return gap & (made["measure"] == "role_gap")


def _change_hidden(made: pd.DataFrame, survey: pd.DataFrame) -> pd.Series:
    """Changes whose earlier wave is hidden: the sum of the two would give it back."""
    return _is_hidden(_earlier(made, survey), survey, CELL) & (made["measure"] == "change")


def _earlier(table: pd.DataFrame, survey: pd.DataFrame) -> pd.DataFrame:
    """The rows with the wave before theirs."""
    order: Sequence[str] = in_order(survey["wave"].unique())
    before = dict(zip(order[1:], order[:-1], strict=True))
    return table.assign(wave=table["wave"].map(before))


def softened(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Blur survey shares of exactly 0 or 1: the value goes, bounds and a note stay."""
    ends = rows & (table["unit"] == "share") & (table["status"] == OK) & table["value"].isin([0.0, 1.0])
    none, everyone = ends & (table["value"] == 0), ends & (table["value"] == 1)
    soft = table.copy()
    soft.loc[none, ["low", "high"]] = [0.0, ALMOST_NONE]
    soft.loc[everyone, ["low", "high"]] = [1 - ALMOST_NONE, 1.0]
    soft.loc[none, "note"], soft.loc[everyone, "note"] = "<= 5 %", ">= 95 %"
    soft.loc[ends, "value"] = np.nan
    return soft


def protect_survey(table: pd.DataFrame, cells: pd.DataFrame, minimum: int, numbers: list[str]) -> pd.DataFrame:
    """Blank `numbers` of a survey table (items, explain, themes) in hidden cells or below `minimum` people.

    `table` has unit_id, wave, segment, people and status, and `item_id` where the cells have it; `people` is dropped.
    """
    key = [*(["item_id"] if "item_id" in cells else []), *CELL]
    few, state = table[PEOPLE].lt(minimum), _states(table, cells, key)
    gone = (few | state["hidden"]) & (table["status"] != NOT_MEASURED)
    return _blank(table, gone, few | state["own"], numbers).drop(columns=PEOPLE)


def protect_themes(themes: pd.DataFrame, hidden: Hidden, settings: Settings) -> pd.DataFrame:
    """Scores by theme fit to publish, of few people without interval."""
    based = themes.assign(segment=ALL, note="")
    apart = based[PEOPLE].lt(settings.minimum_distribution)
    cells = pd.concat([hidden.survey, hidden.themes], ignore_index=True)
    shown = protect_survey(based, cells, settings.minimum_group, list(NUMBERS))
    return _without_interval(shown, apart).drop(columns="note")


def protect_sources(sources: pd.DataFrame, hidden: Hidden, settings: Settings) -> pd.DataFrame:
    """Where changes of the survey came from, fit to publish: hidden where any role's cell of either wave is.

    Role mix and answers are two sums over the roles, so that of all roles but one the one follows.
    """
    table = sources.assign(measure="change", segment=ALL, status=OK)
    table[PEOPLE] = table[PEOPLE].mask(_role_hidden(table, hidden.survey) | _change_hidden(table, hidden.survey), 0)
    shown = protect_survey(table, hidden.survey, settings.minimum_group, ["points"])
    return shown.drop(columns=["measure", "segment"])


def _role_hidden(table: pd.DataFrame, survey: pd.DataFrame) -> pd.Series:
    """Whether any part of a unit in which somebody is, is hidden in the row's wave or the one before."""
    small = survey["segment"].ne(ALL) & survey["hidden"].astype(bool) & survey["n"].gt(0)
    listed = pd.MultiIndex.from_frame(survey.loc[small, ["unit_id", "wave"]].drop_duplicates())
    earlier = _earlier(table, survey)
    return pd.Series(
        pd.MultiIndex.from_frame(table[["unit_id", "wave"]]).isin(listed)
        | pd.MultiIndex.from_frame(earlier[["unit_id", "wave"]]).isin(listed),
        index=table.index,
    )


def protect_items(answers: pd.DataFrame, hidden: Hidden, settings: Settings) -> pd.DataFrame:
    """Item distributions fit to publish: `n` is the answers a share is among, exact 0 and 1 are blurred.

    Adds `note`: `<= 5 %` or `>= 95 %` where a share was blurred.
    """
    based = answers.assign(n=answers[PEOPLE], note="")
    shown = protect_survey(based, hidden.distributions, settings.minimum_distribution, ["n", "share"])
    shown["note"] = (
        shown["share"].map({0.0: "<= 5 %", 1.0: ">= 95 %"}).fillna("").where(shown["status"] == OK, shown["note"])
    )
    shown["share"] = shown["share"].where(~shown["share"].isin([0.0, 1.0]))
    return shown


def protect_tasks(table: pd.DataFrame, hidden: Hidden) -> pd.DataFrame:
    """Blank the hours of tasks whose job has too few holders or whose cell is hidden; adds `status`, drops `part`."""
    cells = hidden.records.get("tasks", NO_CELLS.assign(cut=""))
    gone = pd.Series(False, index=table.index)
    for kind, column in ((OWN, "part"), ("job", "job")):
        of_kind = cells.loc[cells["cut"] == kind]
        gone |= _is_hidden(table.assign(segment=table[column]), of_kind, CELL)
    hours = list(table.select_dtypes("number").columns)
    return _blank(table.assign(status=OK), gone, gone, hours).drop(columns="part")


def _blank(table: pd.DataFrame, hidden: pd.Series, own: pd.Series, numbers: list[str]) -> pd.DataFrame:
    """Without the numbers of hidden rows; a note says whether they are hidden for themselves."""
    shown = table.copy()
    shown[numbers] = shown[numbers].mask(hidden, np.nan)
    shown["status"] = shown["status"].mask(hidden, SUPPRESSED)
    if "note" in shown:
        shown["note"] = shown["note"].mask(hidden & own, FEW).mask(hidden & ~own, PROTECTS)
    return shown
