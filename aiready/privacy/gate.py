"""The privacy gate: every table passes it before it is written, drawn or put into words.

`suppression_pattern` decides once which cells are hidden (primary and secondary suppression, audited); `protect_*`
blank these cells in a table, and all that is computed from them. A hidden cell keeps no number, only a note with the
reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiready.instrument.model import Settings
from aiready.model.registry import ALL, BOUNDS, COLUMNS, NOT_MEASURED, NUMBERS, OK, PEOPLE, SUPPRESSED
from aiready.model.schema import ROLES
from aiready.model.waves import sort_waves
from aiready.privacy.segments import SIDES
from aiready.privacy.suppressed_cells import (
    CELL,
    NO_CELLS,
    OWN,
    RecordContributors,
    cells_within,
    item_cells,
    record_cells,
    scale_cells,
)

ALMOST_NONE = 0.05
ROLE_SIDES = (SIDES, ("frontline", "executive"))
"""Segments that a role gap compares: in units without rows by role, and in those with them."""
FEW = "fewer people than may be shown"
PROTECTS = "hidden to protect another group"
NO_INTERVAL = "no interval: it would tell single answers of so few people"
SPREAD_MEASURES = ("rwg_j",)
"""Survey measures of the spread of answers, which disclose as much as a distribution does."""
SHARE_CELLS = {"not_applicable_share": "shares", "dont_know_share": "shares", "straightliner_share": "straightliners"}
"""Survey measures with other contributors than the scales: the field of `SuppressionPattern` that decides."""
BLOCKERS, BLOCKER = "gap_by_blocker", "blocker"
"""The measure whose segments are blockers, and the name of that kind of segment."""


@dataclass(frozen=True)
class SurveyContributors:
    """Head counts of the survey before suppression.

    `pattern`: which cells of the scales are hidden (`suppressed_cells.survey_cells`). The others have one row per own
    unit x wave x role and people figure by figure: `answered` with any answer, by scale; `straightliners`: people who
    could be one, by scale; `themes` by theme; `scales` and `items` grouped by what the same roles are asked (`items`).
    """

    pattern: pd.DataFrame
    scales: pd.DataFrame
    answered: pd.DataFrame
    straightliners: pd.DataFrame
    themes: pd.DataFrame
    items: pd.DataFrame


@dataclass(frozen=True)
class SuppressionPattern:
    """Which cells are hidden, table by table (unit_id, wave, segment, n, hidden, primary; of items `item_id` too).

    `survey`: everything computed from answers. `scales`: further cells by scale (`barrier_id`), for scales that not
    every role is asked. `records`: by table (`decisions`, `usage`, `tasks`), with `cut`, the kind of segment.
    """

    survey: pd.DataFrame
    scales: pd.DataFrame
    shares: pd.DataFrame
    straightliners: pd.DataFrame
    themes: pd.DataFrame
    item_means: pd.DataFrame
    distributions: pd.DataFrame
    records: Mapping[str, pd.DataFrame]


def suppression_pattern(
    survey: SurveyContributors, records: Mapping[str, RecordContributors], units: pd.DataFrame, settings: Settings
) -> SuppressionPattern:
    """Decide once which cells of the survey and of the other tables are hidden.

    Raises
    ------
    PrivacyError
        The figure of a small group can be derived and nothing is left to hide.
    """
    visible = survey.pattern.loc[~survey.pattern["hidden"].astype(bool)]
    visible_wholes = visible.loc[visible["segment"] == ALL]
    means, distributions = item_cells(survey.items, units, settings, visible)
    return SuppressionPattern(
        survey=survey.pattern,
        scales=scale_cells(survey.scales, units, settings, visible),
        shares=cells_within(survey.answered, units, settings, visible),
        straightliners=cells_within(survey.straightliners, units, settings, visible),
        themes=cells_within(survey.themes, units, settings, visible_wholes),
        item_means=means,
        distributions=distributions,
        records={name: record_cells(behind, units, settings) for name, behind in records.items()},
    )


def hidden_records(cells: Mapping[str, pd.DataFrame]) -> SuppressionPattern:
    """A pattern of tables of records alone, for tables without a row of the survey."""
    items = NO_CELLS.assign(item_id="")
    by_scale = NO_CELLS.assign(barrier_id="")
    return SuppressionPattern(NO_CELLS, by_scale, NO_CELLS, NO_CELLS, NO_CELLS, items, items, cells)


def protect_measures(measures: pd.DataFrame, hidden: SuppressionPattern, settings: Settings) -> pd.DataFrame:
    """Suppress rows of measures; returns the same grain with `COLUMNS`, and `BOUNDS` for the profile to read.

    A row is hidden where it has too few contributors, its cell is hidden, or it compares with a hidden cell (the other
    role group, the wave before). Survey shares of 0 or 1 are blurred, and intervals of fewer people than a
    distribution may show are dropped.
    """
    from_survey = measures["table"] == "responses"
    is_spread = from_survey & measures["measure"].isin(SPREAD_MEASURES)
    few = measures[PEOPLE].lt(settings.minimum_group) | (is_spread & measures[PEOPLE].lt(settings.minimum_distribution))
    hide = few.copy()
    primary = few.copy()
    for rows, cells in _deciding_cells(measures, hidden):
        by_cell = _cell_flags(measures, cells, [name for name in ("barrier_id", *CELL) if name in cells])
        hide |= rows & by_cell["hidden"]
        primary |= rows & by_cell["primary"]
    hide |= _role_gap_hidden(measures, hidden.survey) | _change_hidden(measures, hidden.survey)
    hide &= measures["status"] != NOT_MEASURED
    blanked = _blank(measures, hide, primary, [*NUMBERS, *BOUNDS])
    no_interval = from_survey & blanked[PEOPLE].lt(settings.minimum_distribution)
    return blur_extremes(_drop_intervals(blanked, no_interval), from_survey)[[*COLUMNS, *BOUNDS]]


def _deciding_cells(measures: pd.DataFrame, hidden: SuppressionPattern) -> list[tuple[pd.Series, pd.DataFrame]]:
    """Flags of rows of measures, each with the table of cells that decides on them; rows without people have none."""
    of_survey = measures["table"] == "responses"
    pairs = [(of_survey, hidden.survey), (of_survey, hidden.scales)]
    pairs += [(of_survey & measures["measure"].eq(name), getattr(hidden, cells)) for name, cells in SHARE_CELLS.items()]
    # decisions by people who are not identified have no number of people, but are about people
    about_people = ~of_survey & (measures[PEOPLE].notna() | measures["table"].eq("decisions"))
    by_blocker = measures["measure"].eq(BLOCKERS) & measures["segment"].ne(ALL)
    for name, cells in hidden.records.items():
        rows, blockers, own = about_people & measures["table"].eq(name), cells["cut"].eq(BLOCKER), cells["cut"].eq(OWN)
        pairs += [(rows & ~by_blocker, cells.loc[~blockers & ~own]), (rows & by_blocker, cells.loc[blockers])]
    return pairs


def _cell_flags(table: pd.DataFrame, cells: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Whether the cell of each row is hidden, and whether by primary suppression; False where there is no such cell."""
    flags = cells.assign(hidden=cells["hidden"].astype(bool), primary=cells["primary"].astype(bool))
    states = {}
    for name in ("hidden", "primary"):
        flagged_cells = pd.MultiIndex.from_frame(flags.loc[flags[name], key])
        states[name] = pd.MultiIndex.from_frame(table[key]).isin(flagged_cells)
    return pd.DataFrame(states, index=table.index)


def _is_hidden(table: pd.DataFrame, cells: pd.DataFrame, key: list[str]) -> pd.Series:
    return _cell_flags(table, cells, key)["hidden"]


def _drop_intervals(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Drop intervals and p values that, with the mean, would disclose single answers."""
    plain = table.copy()
    rows = rows & table["status"].eq(OK) & table["low"].notna()
    plain.loc[rows, ["low", "high"]] = np.nan
    tested = table["note"].str.replace(r",? ?adjusted p [\d.]+", "", regex=True)
    plain["note"] = table["note"].mask(rows, tested.where(tested.eq(""), tested + "; ") + NO_INTERVAL)
    return plain


def _role_gap_hidden(measures: pd.DataFrame, survey: pd.DataFrame) -> pd.Series:
    """Role gaps of which either side is hidden."""
    hidden = pd.Series(False, index=measures.index)
    roles_shown = measures["unit_id"].isin(set(survey.loc[survey["segment"] == ROLES[0], "unit_id"]))
    for sides, rows in zip(ROLE_SIDES, (~roles_shown, roles_shown), strict=True):
        for side in sides:
            hidden |= rows & _is_hidden(measures.assign(segment=side), survey, CELL)
    return hidden & (measures["measure"] == "role_gap")


def _change_hidden(measures: pd.DataFrame, survey: pd.DataFrame) -> pd.Series:
    """Changes whose earlier wave is hidden: it could be derived from the change and the later wave."""
    return _is_hidden(_in_previous_wave(measures, survey), survey, CELL) & (measures["measure"] == "change")


def _in_previous_wave(table: pd.DataFrame, survey: pd.DataFrame) -> pd.DataFrame:
    """The same rows with the wave before theirs."""
    order: Sequence[str] = sort_waves(survey["wave"].unique())
    before = dict(zip(order[1:], order[:-1], strict=True))
    return table.assign(wave=table["wave"].map(before))


def blur_extremes(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    """Blur survey shares of exactly 0 or 1: drop the value, give bounds and a note."""
    extreme = rows & (table["unit"] == "share") & (table["status"] == OK) & table["value"].isin([0.0, 1.0])
    none, everyone = extreme & (table["value"] == 0), extreme & (table["value"] == 1)
    blurred = table.copy()
    blurred.loc[none, ["low", "high"]] = [0.0, ALMOST_NONE]
    blurred.loc[everyone, ["low", "high"]] = [1 - ALMOST_NONE, 1.0]
    blurred.loc[none, "note"], blurred.loc[everyone, "note"] = "<= 5 %", ">= 95 %"
    blurred.loc[extreme, "value"] = np.nan
    return blurred


def protect_survey(table: pd.DataFrame, cells: pd.DataFrame, minimum: int, numbers: list[str]) -> pd.DataFrame:
    """Blank `numbers` of a survey table (items, explain, themes) in hidden cells or below `minimum` people.

    `table` has unit_id, wave, segment, people and status, and `item_id` where the cells have it; `people` is dropped.
    """
    key = [*(["item_id"] if "item_id" in cells else []), *CELL]
    few, flags = table[PEOPLE].lt(minimum), _cell_flags(table, cells, key)
    hide = (few | flags["hidden"]) & (table["status"] != NOT_MEASURED)
    return _blank(table, hide, few | flags["primary"], numbers).drop(columns=PEOPLE)


def protect_themes(themes: pd.DataFrame, hidden: SuppressionPattern, settings: Settings) -> pd.DataFrame:
    """Suppress scores by theme, and intervals of scores of few people."""
    counted = themes.assign(segment=ALL, note="")
    no_interval = counted[PEOPLE].lt(settings.minimum_distribution)
    cells = pd.concat([hidden.survey, hidden.themes], ignore_index=True)
    protected = protect_survey(counted, cells, settings.minimum_group, list(NUMBERS))
    return _drop_intervals(protected, no_interval).drop(columns="note")


def protect_sources(sources: pd.DataFrame, hidden: SuppressionPattern, settings: Settings) -> pd.DataFrame:
    """Suppress the sources of survey changes: hidden where any role's cell of either wave is.

    Role mix and answers are sums over roles, so a single hidden role would follow from the others.
    """
    table = sources.assign(measure="change", segment=ALL, status=OK)
    table[PEOPLE] = table[PEOPLE].mask(_role_hidden(table, hidden.survey) | _change_hidden(table, hidden.survey), 0)
    protected = protect_survey(table, hidden.survey, settings.minimum_group, ["points"])
    return protected.drop(columns=["measure", "segment"])


def _role_hidden(table: pd.DataFrame, survey: pd.DataFrame) -> pd.Series:
    """Whether any non-empty segment of the unit is hidden in the row's wave or the one before."""
    hidden_roles = survey["segment"].ne(ALL) & survey["hidden"].astype(bool) & survey["n"].gt(0)
    cells = pd.MultiIndex.from_frame(survey.loc[hidden_roles, ["unit_id", "wave"]].drop_duplicates())
    earlier = _in_previous_wave(table, survey)
    return pd.Series(
        pd.MultiIndex.from_frame(table[["unit_id", "wave"]]).isin(cells)
        | pd.MultiIndex.from_frame(earlier[["unit_id", "wave"]]).isin(cells),
        index=table.index,
    )


def protect_items(answers: pd.DataFrame, hidden: SuppressionPattern, settings: Settings) -> pd.DataFrame:
    """Suppress item distributions: `n` is the answers a share is among, exact 0 and 1 are blurred.

    Adds `note`: `<= 5 %` or `>= 95 %` where a share was blurred.
    """
    counted = answers.assign(n=answers[PEOPLE], note="")
    protected = protect_survey(counted, hidden.distributions, settings.minimum_distribution, ["n", "share"])
    protected["note"] = (
        protected["share"]
        .map({0.0: "<= 5 %", 1.0: ">= 95 %"})
        .fillna("")
        .where(protected["status"] == OK, protected["note"])
    )
    protected["share"] = protected["share"].where(~protected["share"].isin([0.0, 1.0]))
    return protected


def protect_tasks(table: pd.DataFrame, hidden: SuppressionPattern) -> pd.DataFrame:
    """Blank the hours of tasks whose job has too few holders or whose cell is hidden; adds `status`, drops `part`."""
    cells = hidden.records.get("tasks", NO_CELLS.assign(cut=""))
    hide = pd.Series(False, index=table.index)
    for kind, column in ((OWN, "part"), ("job", "job")):
        of_kind = cells.loc[cells["cut"] == kind]
        hide |= _is_hidden(table.assign(segment=table[column]), of_kind, CELL)
    hours = list(table.select_dtypes("number").columns)
    return _blank(table.assign(status=OK), hide, hide, hours).drop(columns="part")


def _blank(table: pd.DataFrame, hidden: pd.Series, primary: pd.Series, numbers: list[str]) -> pd.DataFrame:
    """Blank the numbers of hidden rows; a note says whether by primary or secondary suppression."""
    blanked = table.copy()
    blanked[numbers] = blanked[numbers].mask(hidden, np.nan)
    blanked["status"] = blanked["status"].mask(hidden, SUPPRESSED)
    if "note" in blanked:
        blanked["note"] = blanked["note"].mask(hidden & primary, FEW).mask(hidden & ~primary, PROTECTS)
    return blanked
