"""Nobody identifiable: the one gate that every table passes before it is written, drawn or worded.

`survey_cells` and `people_cells` decide once which cells are hidden (primary, secondary, audited); `protect_*`
blank them. Hidden cells keep no n, interval, rank or note.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from aiready.hierarchy import former_ids
from aiready.instrument import Settings
from aiready.measures import ALL, BOUNDS, COLUMNS, NOT_MEASURED, NUMBERS, OK, ORGANISATION, PEOPLE, SUPPRESSED
from aiready.schema import ROLES
from aiready.suppression import System, suppress
from aiready.waves import in_order

CELL = ["unit_id", "wave", "segment"]
DOING, LEADING, NO_ROLE = "doing", "leading", "no role"
ALMOST_NONE = 0.05
PARTS_OF_ALL = ("tasks", "usage", "decisions")
"""Tables whose segments (job, initiative, level) add up to `all`."""
SIDES = ((DOING, LEADING), ("frontline", "executive"))


@dataclass(frozen=True)
class Hidden:
    """Which cells are hidden: `survey` (unit_id, wave, segment, n, hidden) and `people` (with `table` too).

    `distributions` is a pattern like `survey` with its own larger minimum, item by item (`item_id` too).
    """

    survey: pd.DataFrame
    people: pd.DataFrame
    distributions: pd.DataFrame


@dataclass(frozen=True)
class Asked:
    """What is known of a survey's people before anything is hidden.

    `pattern`: which cells are hidden (see `survey_cells`). `answered`: people with a level on items (see
    `distribution_cells`). `withheld`: cells to hide whatever their size (unit_id, wave, segment; `history.withheld`).
    """

    pattern: pd.DataFrame
    answered: pd.DataFrame
    withheld: pd.DataFrame | None = None


def hidden_cells(made: pd.DataFrame, asked: Asked, units: pd.DataFrame, settings: Settings) -> Hidden:
    """Decide once which cells of the survey and of the other tables are hidden.

    Parameters
    ----------
    made
        Measures rows with `people`.

    Raises
    ------
    PrivacyError
        A hidden cell could be worked out and nothing is left to hide.
    """
    return Hidden(
        asked.pattern,
        people_cells(made, units, settings),
        distribution_cells(asked.answered, units, settings, asked.withheld),
    )


def distribution_cells(
    answered: pd.DataFrame, units: pd.DataFrame, settings: Settings, withheld: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Which cells hide how items were answered: one row per item x unit x wave x segment (n, hidden).

    Parameters
    ----------
    answered
        One row per `items` (ids joined by `;`, asked of the same roles) x own unit x wave x role: n.
    """
    larger = replace(settings, minimum_group=settings.minimum_distribution)
    found = [pd.DataFrame(columns=["item_id", *CELL, "n", "hidden"])]
    for items, rows in answered.groupby("items", sort=False):
        roles = [role for role in ROLES if role in set(rows["role"])]
        cells = survey_cells(rows, units, larger, roles, withheld)
        found.append(cells.merge(pd.DataFrame({"item_id": str(items).split(";")}), how="cross"))
    return pd.concat(found[1:] or found, ignore_index=True)


def survey_cells(
    scored: pd.DataFrame,
    units: pd.DataFrame,
    settings: Settings,
    roles: Sequence[str] = ROLES,
    withheld: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Which survey cells are hidden: one row per unit x wave x segment (n, hidden).

    Parameters
    ----------
    scored
        One row per own unit x wave x role: n, the smallest number of respondents with a score over the
        barriers the role is asked. Role missing: a respondent without a role.
    roles
        Roles that are asked at all; only they and their groups are cells.
    withheld
        Cells to hide whatever their size (unit_id, wave, segment).

    Notes
    -----
    One pattern per wave for everything that comes from `responses`. Cells are every unit, parent and the
    organisation, in `all`, `doing`, `leading` and, above the leaves, the four roles. People without a role, a
    parent's own people, and the roles of a leaf are children that are never published.
    """
    segment_of = dict.fromkeys(settings.roles_doing, DOING) | dict.fromkeys(settings.roles_leading, LEADING)
    above = {**segment_of, DOING: ALL, LEADING: ALL, NO_ROLE: ALL}
    present = former_ids(units).set_index("member_id")["unit_id"]
    own = scored["unit_id"].map(present).fillna(scored["unit_id"])
    bottom = scored.assign(unit_id=own, segment=scored["role"].fillna(NO_ROLE).replace("", NO_ROLE))
    gone = pd.MultiIndex.from_frame(pd.DataFrame(columns=CELL) if withheld is None else withheld[CELL])
    found, trees = [], dict[tuple[str, ...], _Tree]()
    for wave, rows in bottom.groupby("wave", sort=False):
        groups = [side for side in (DOING, LEADING) if side in {segment_of.get(role) for role in roles}]
        used = [*roles, *groups, ALL, *([NO_ROLE] if (rows["segment"] == NO_ROLE).any() else [])]
        parents = _parents(units, rows["unit_id"])
        asked = (*used, *parents.index)
        tree = trees[asked] = trees.get(asked) or _Tree(parents, above, used)
        cells, system = tree.system(rows)
        leaf_role = cells["leaf"] & cells["segment"].isin(ROLES)
        printed = system.published & ~(leaf_role | (cells["segment"] == NO_ROLE)).to_numpy()
        cells["wave"] = wave
        kept_back = pd.MultiIndex.from_frame(cells[CELL]).isin(gone)
        found.append((cells, replace(system, published=printed, withheld=kept_back)))
    return _hidden(found, settings.minimum_group)


def people_cells(made: pd.DataFrame, units: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Which cells of the other tables are hidden: one row per table x unit x wave x segment (n, hidden).

    Parameters
    ----------
    made
        Measures rows with `people`: deciders, intended users or job holders behind each.
    """
    rows = made.loc[(made["table"] != "responses") & made[PEOPLE].notna()]
    # blockers cut the hours of all jobs another way: the same total, other children
    cut = rows["measure"].eq("gap_by_blocker")
    totals = rows.loc[(rows["table"] == "tasks") & (rows["segment"] == ALL)]
    rows = pd.concat([rows.assign(cut=cut), totals.assign(cut=True)])
    found = []
    for (table, wave, _), of_table in rows.groupby(["table", "wave", "cut"], sort=False):
        counts = of_table.groupby(["unit_id", "segment"], as_index=False)[PEOPLE].min().rename(columns={PEOPLE: "n"})
        above = dict.fromkeys(set(counts["segment"]) - {ALL}, ALL)
        cells, system = _given_system(counts, units, above if table in PARTS_OF_ALL else {})
        # what a total holds beyond its children can be subtracted by anybody: it is as good as printed, if large
        open_rest = cells["own"].to_numpy(bool) & (system.n >= settings.minimum_group)
        found.append((cells.assign(wave=wave, table=table), replace(system, published=system.published | open_rest)))
    return _hidden(found, settings.minimum_group)


def _hidden(found: list[tuple[pd.DataFrame, System]], minimum: int) -> pd.DataFrame:
    """Cells that would be printed, each with whether it is hidden.

    Each system is settled on its own. Where two hold the same total, hidden in either is hidden, and hiding more
    only widens what the other leaves open.
    """
    kept = [pd.DataFrame(columns=["table", *CELL, "n", "hidden"])]
    for cells, system in found:
        shown = system.published & ~cells["own"].to_numpy(bool)
        names = ("unit " + cells["unit_id"] + ", wave " + cells["wave"] + ", " + cells["segment"]).to_list()
        decided = cells.assign(hidden=suppress(replace(system, names=names), minimum)).loc[shown]
        kept.append(decided.drop(columns=["leaf", "own"]))
    return pd.concat(kept[1:] or kept, ignore_index=True)


class _Tree:
    """Cells of every unit x segment and the sums that bind them, whoever stands in them."""

    def __init__(self, parents: pd.Series, above: Mapping[str, str], segments: Sequence[str]):
        self.own, self.above, self.segments = parents.index, above, segments
        nodes = pd.Index([*parents.index, ORGANISATION])
        self.cells = pd.DataFrame(
            {"unit_id": np.repeat(nodes, len(segments)), "segment": np.tile(segments, len(nodes))}
        )
        self.sums = _sums(self.cells, parents, above)
        self.cells["leaf"] = _leaves(self.cells, parents)
        lineage = _lineage(parents)
        held = nodes.get_indexer(lineage["ancestor"]), parents.index.get_indexer(lineage["unit_id"])
        self.holds = csr_array((np.ones(len(lineage)), held), shape=(len(nodes), len(parents)))

    def system(self, bottom: pd.DataFrame) -> tuple[pd.DataFrame, System]:
        """The cells with their people, from those of each own unit and finest segment."""
        finest = pd.Index(bottom["segment"].unique())
        people = np.zeros((len(self.own), len(finest)))
        np.add.at(people, (self.own.get_indexer(bottom["unit_id"]), finest.get_indexer(bottom["segment"])), bottom["n"])
        within = [[segment in self._upward(part) for segment in self.segments] for part in finest]
        return _opened(self.cells.assign(n=(self.holds @ people @ np.array(within, float)).ravel()), self.sums)

    def _upward(self, segment: str) -> list[str]:
        """A segment and those that hold it."""
        held_by = self.above.get(segment)
        return [segment, *(self._upward(held_by) if held_by else ())]


def _given_system(counts: pd.DataFrame, units: pd.DataFrame, above: Mapping[str, str]) -> tuple[pd.DataFrame, System]:
    """Cells as they were measured: totals keep their own count where it is larger than their children's."""
    parents = _parents(units, counts["unit_id"])
    return _opened(counts.assign(leaf=_leaves(counts, parents)), _sums(counts, parents, above))


def _leaves(cells: pd.DataFrame, parents: pd.Series) -> pd.Series:
    """Whether no unit stands below."""
    return ~cells["unit_id"].isin({*parents.dropna(), ORGANISATION})


def _sums(cells: pd.DataFrame, parents: pd.Series, above: Mapping[str, str]) -> pd.DataFrame:
    """The sums by unit and by segment that bind cells, as in `System`."""
    up = parents.where(parents.notna(), ORGANISATION)
    place = pd.Series(range(len(cells)), index=pd.MultiIndex.from_frame(cells[["unit_id", "segment"]]))
    by_unit = _bind(place, cells["unit_id"].map(up), cells["segment"], "unit")
    by_segment = _bind(place, cells["unit_id"], cells["segment"].map(above), "segment")
    return pd.concat([by_unit, by_segment], ignore_index=True)


def _bind(place: pd.Series, units: pd.Series, segments: pd.Series, by: str) -> pd.DataFrame:
    total = place.reindex(pd.MultiIndex.from_arrays([units, segments])).to_numpy()
    bound = pd.DataFrame({"total": total, "child": range(len(place)), "by": by}).dropna()
    return bound.astype({"total": int, "child": int})


def _opened(cells: pd.DataFrame, sums: pd.DataFrame) -> tuple[pd.DataFrame, System]:
    """Cells bound by sums; what a total holds beyond its children is an unpublished child (`own`)."""
    group = sums.groupby(["total", "by"]).ngroup().to_numpy()
    child, first = sums["child"].to_numpy(), np.unique(group, return_index=True)[1]
    totals = sums.iloc[first].reset_index(drop=True)
    n = _additive(cells["n"].to_numpy(float), child, group, totals["total"].to_numpy())
    beyond = n[totals["total"]] - np.bincount(group, n[child], len(totals))
    more = totals.loc[beyond > 0].reset_index(drop=True)
    rest = cells[["unit_id", "segment"]].iloc[more["total"]].assign(n=beyond[beyond > 0], leaf=False, own=True)
    every = pd.concat([cells.assign(n=n, own=False), rest], ignore_index=True)
    elsewhere = more.assign(child=more.index + len(cells))
    bound = pd.concat([sums, elsewhere], ignore_index=True)
    return every, System(every["n"].to_numpy(float), ~every["own"].to_numpy(bool), bound)


def _additive(n: np.ndarray, child: np.ndarray, group: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Counts in which every total is at least the sum of its children: people may stand in several of them."""
    counts = n.copy()
    for _ in range(8):
        before = counts.copy()
        np.maximum.at(counts, total, np.bincount(group, counts[child], len(total)))
        if (counts == before).all():
            break
    return counts


def _parents(units: pd.DataFrame, used: pd.Series) -> pd.Series:
    """Parent of every unit, missing at the top; units that only the tables name stand at the top."""
    known = units.set_index("unit_id")["parent_id"]
    known = known.where(known.notna() & (known != ""), None)
    extra = [unit_id for unit_id in used.unique() if unit_id not in known.index and unit_id != ORGANISATION]
    return pd.concat([known, pd.Series(None, index=extra, dtype=object)])


def _lineage(parents: pd.Series) -> pd.DataFrame:
    """Every unit with each of its ancestors, itself and the organisation (unit_id, ancestor)."""
    step = pd.Series(parents.index, index=parents.index, dtype=object)
    found = [step]
    while step.notna().any():
        step = step.map(parents)
        found.append(step.dropna())
    found.append(pd.Series(ORGANISATION, index=parents.index))
    lineage = pd.concat(found).rename("ancestor").rename_axis("unit_id").reset_index()
    return lineage.dropna()


def protect_measures(made: pd.DataFrame, hidden: Hidden, settings: Settings) -> pd.DataFrame:
    """Suppress measures rows; returns the same grain with `COLUMNS`, and `BOUNDS` for the profile to read.

    A row is hidden where too few people stand behind it, its cell is hidden, or it compares with a hidden cell
    (the other role group, the wave before). Shares of the survey that are 0 or 1 are softened.
    """
    from_survey = made["table"] == "responses"
    few = made[PEOPLE].lt(settings.minimum_group)
    cell = _is_hidden(made, hidden.survey, CELL) & from_survey
    other = _is_hidden(made, hidden.people, ["table", *CELL]) & made[PEOPLE].notna()
    compared = _gap_hidden(made, hidden.survey) | _change_hidden(made, hidden.survey)
    gone = (few | cell | other | compared) & (made["status"] != NOT_MEASURED)
    return softened(_blank(made, gone, [*NUMBERS, *BOUNDS]), from_survey)[[*COLUMNS, *BOUNDS]]


def _is_hidden(table: pd.DataFrame, cells: pd.DataFrame, key: list[str]) -> pd.Series:
    hidden = pd.MultiIndex.from_frame(cells.loc[cells["hidden"].astype(bool), key])
    return pd.Series(pd.MultiIndex.from_frame(table[key]).isin(hidden), index=table.index)


def _gap_hidden(made: pd.DataFrame, survey: pd.DataFrame) -> pd.Series:
    """Role gaps either side of which is hidden."""
    found = pd.Series(False, index=made.index)
    roles_shown = set(survey.loc[survey["segment"] == ROLES[0], "unit_id"])
    for sides, of in (
        (SIDES[0], ~made["unit_id"].isin(roles_shown)),
        (SIDES[1], made["unit_id"].isin(roles_shown)),
    ):
        for side in sides:
            found |= of & _is_hidden(made.assign(segment=side), survey, CELL)
    return found & (made["measure"] == "role_gap")


def _change_hidden(made: pd.DataFrame, survey: pd.DataFrame) -> pd.Series:
    """Changes whose earlier wave is hidden: the sum of the two would give it back."""
    order = in_order(survey["wave"].unique())
    before = dict(zip(order[1:], order[:-1], strict=True))
    earlier = made.assign(wave=made["wave"].map(before))
    return _is_hidden(earlier, survey, CELL) & (made["measure"] == "change")


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


def protect_survey(table: pd.DataFrame, hidden: Hidden, minimum: int, numbers: list[str]) -> pd.DataFrame:
    """Blank `numbers` of a survey table (items, explain, themes) in hidden cells or below `minimum` people.

    `table` has unit_id, wave, segment, people and status; `people` is dropped.
    """
    few = table[PEOPLE].lt(minimum)
    gone = (few | _is_hidden(table, hidden.survey, CELL)) & (table["status"] != NOT_MEASURED)
    return _blank(table, gone, numbers).drop(columns=PEOPLE)


def protect_sources(sources: pd.DataFrame, hidden: Hidden, settings: Settings) -> pd.DataFrame:
    """Where changes of the survey came from, fit to publish: hidden where the change is, or a role is too small."""
    table = sources.assign(measure="change", segment=ALL, status=OK)
    before = _change_hidden(table, hidden.survey)
    table[PEOPLE] = table[PEOPLE].mask(before, 0)
    shown = protect_survey(table, hidden, settings.minimum_group, ["points"])
    return shown.drop(columns=["measure", "segment"])


def protect_items(answers: pd.DataFrame, hidden: Hidden, settings: Settings) -> pd.DataFrame:
    """Item distributions fit to publish: `n` is the answers a share is among, exact 0 and 1 are blurred.

    Adds `note`: `<= 5 %` or `>= 95 %` where a share was blurred.
    """
    based = answers.assign(n=answers[PEOPLE], note="")
    shown = protect_survey(based, hidden, settings.minimum_distribution, ["n", "share"])
    shown = _blank(shown, _is_hidden(shown, hidden.distributions, ["item_id", *CELL]), ["n", "share"])
    shown["note"] = (
        shown["share"].map({0.0: "<= 5 %", 1.0: ">= 95 %"}).fillna("").where(shown["status"] == OK, shown["note"])
    )
    shown["share"] = shown["share"].where(~shown["share"].isin([0.0, 1.0]))
    return shown


def protect_tasks(table: pd.DataFrame, hidden: Hidden) -> pd.DataFrame:
    """Blank the hours of tasks whose job has too few holders or whose cell is hidden; adds `status`."""
    cells = hidden.people.loc[hidden.people["table"] == "tasks"]
    gone = _is_hidden(table.rename(columns={"job": "segment"}), cells, CELL) & table[PEOPLE].notna()
    hours = list(table.select_dtypes("number").columns)
    return _blank(table.assign(status=OK), gone, hours)


def _blank(table: pd.DataFrame, hidden: pd.Series, numbers: list[str]) -> pd.DataFrame:
    shown = table.copy()
    shown[numbers] = shown[numbers].mask(hidden, np.nan)
    shown["status"] = shown["status"].mask(hidden, SUPPRESSED)
    if "note" in shown:
        shown["note"] = shown["note"].mask(
            hidden, "fewer people than may be shown, or a cell that would give them away"
        )
    return shown
