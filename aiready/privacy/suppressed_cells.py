"""Which cells are hidden: of the survey, of item means and distributions, and of records about people.

Each function turns counts of people into a `suppression.System` per wave and suppresses it. The result has one row per
cell: unit_id, wave, segment, n (contributors to the figure that has the fewest), `hidden`, and `primary`: hidden for
its own sake (nobody, too few, or one person dominates), not only to protect another group.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from aiready.instrument.model import Settings
from aiready.model.registry import ALL
from aiready.model.schema import ROLES
from aiready.privacy.cell_tree import CellTree, current_ids, parents_of
from aiready.privacy.contributors import Persons, Respondents
from aiready.privacy.segments import NO_ROLE, SIDES, Segments, role_segments
from aiready.privacy.suppression import System, suppress

UNPUBLISHED, OWN = "unpublished", "own"
"""Kinds of segments: those never published, and those published of each unit's own people only."""
CELL = ["unit_id", "wave", "segment"]
PART = ["unit_id", "wave", "role"]
ENOUGH_PEOPLE = 40
"""Where only the number of people in a part matters, more than these are not distinguished."""
COLUMNS = [*CELL, "n", "hidden", "primary"]
NO_CELLS = pd.DataFrame(columns=COLUMNS).astype({"hidden": bool, "primary": bool, "n": float})


PrintRule = Callable[[pd.DataFrame, np.ndarray], np.ndarray]
"""Which cells would be printed, given cells of a tree with `wave` and the fewest contributors to each."""


@dataclass(frozen=True)
class RecordContributors:
    """The contributors to a table of records.

    `rows`: one row per own unit x wave x part x person: unit_id, wave, part, person (missing: not identified), and one
    column per figure in `figures`: the person's contribution, 1 where not identified. `segments`: how parts add up to
    segments. `cuts`: in a table with several kinds of segments, kind and segment of each name. `assumed_people`: by
    unit, how many people those who are not identified count as.
    """

    rows: pd.DataFrame
    figures: Sequence[str]
    segments: Segments
    cuts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    assumed_people: Mapping[str, float] = field(default_factory=dict)

    def kind(self, segments: pd.Series) -> pd.Series:
        """Kind of each segment; blank where there is one kind only."""
        return segments.map({name: kind for name, (kind, _) in self.cuts.items()}).fillna("")


def survey_cells(
    counts: pd.DataFrame,
    units: pd.DataFrame,
    settings: Settings,
    roles: Sequence[str] = ROLES,
    withheld: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Which survey cells are hidden: every unit, parent and the organisation, in `all`, `doing`, `leading`, and roles.

    Parameters
    ----------
    counts
        One row per own unit x wave x role (missing: respondents without a role), and one column per figure: its
        contributors. Columns that are 0 throughout a wave are ignored there.
    roles
        Roles that are asked at all; only they and their sides are cells.
    withheld
        Cells to hide whatever their size (unit_id, wave, segment).

    Notes
    -----
    One pattern per wave for all figures. People without a role, a parent's own people, and the roles of a leaf are
    never published, and are protected like the others.
    """
    withheld_cells = pd.MultiIndex.from_frame(NO_CELLS[CELL] if withheld is None else withheld[CELL])

    def published(cells: pd.DataFrame, _: np.ndarray) -> np.ndarray:
        return np.asarray(~(cells["leaf"] & cells["segment"].isin(ROLES)))

    return _survey_pattern(counts, units, settings, roles, published, withheld_cells)


def cells_within(
    counts: pd.DataFrame, units: pd.DataFrame, settings: Settings, visible: pd.DataFrame, roles: Sequence[str] = ROLES
) -> pd.DataFrame:
    """As `survey_cells`, for figures that are published at most in the cells `visible` (unit_id, wave, segment)."""
    open_cells = pd.MultiIndex.from_frame(visible[CELL])

    def published(cells: pd.DataFrame, _: np.ndarray) -> np.ndarray:
        return np.asarray(pd.MultiIndex.from_frame(cells[CELL]).isin(open_cells))

    return _survey_pattern(counts, units, settings, roles, published, open_cells[:0])


def scale_cells(scored: pd.DataFrame, units: pd.DataFrame, settings: Settings, visible: pd.DataFrame) -> pd.DataFrame:
    """Which cells hide scales that not every role is asked: as `cells_within`, by `barrier_id`.

    `scored` has the columns of `answered` in `item_cells`.
    """
    tables = [NO_CELLS.assign(barrier_id="")]
    everybody = set(scored["role"].dropna())
    for scales, rows in scored.groupby("items", sort=False):
        roles = [role for role in ROLES if role in set(rows["role"])]
        if set(roles) != everybody:
            ids = str(scales).split(";")
            cells = cells_within(rows[[*PART, *ids]], units, settings, visible, roles)
            tables.append(cells.merge(pd.DataFrame({"barrier_id": ids}), how="cross"))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def item_cells(
    answered: pd.DataFrame, units: pd.DataFrame, settings: Settings, visible: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which cells hide item means, and which hide distributions: two tables as of `cells_within`, by `item_id`.

    Parameters
    ----------
    answered
        One row per `items` (ids joined by `;`, asked of the same roles) x own unit x wave x role; one column per item:
        people who answered it on a level.
    shown
        Cells whose scales are shown; no item is shown in others (unit_id, wave, segment).

    Notes
    -----
    One pattern for all items asked of the same roles. A distribution discloses the mean, so the means of doing and
    leading are protected as soon as their distributions may be shown.
    """
    means, distributions = [NO_CELLS.assign(item_id="")], [NO_CELLS.assign(item_id="")]
    larger = replace(settings, minimum_group=max(settings.minimum_distribution, settings.minimum_group))
    for items, rows in answered.groupby("items", sort=False):
        ids = str(items).split(";")
        roles = [role for role in ROLES if role in set(rows["role"])]
        counts = rows[[*PART, *ids]]
        open_cells = pd.MultiIndex.from_frame(visible[CELL])

        def published(cells: pd.DataFrame, least: np.ndarray, allowed: pd.MultiIndex = open_cells) -> np.ndarray:
            spread = cells["segment"].isin(SIDES) & (least >= larger.minimum_group)
            printed = (cells["segment"] == ALL) | spread
            return np.asarray(printed & pd.MultiIndex.from_frame(cells[CELL]).isin(allowed))

        of_means = _survey_pattern(counts, units, settings, roles, published, open_cells[:0])
        means_shown = of_means.loc[~of_means["hidden"]]
        of_levels = cells_within(counts, units, larger, means_shown, roles)
        for tables, cells in ((means, of_means), (distributions, of_levels)):
            tables.append(cells.merge(pd.DataFrame({"item_id": ids}), how="cross"))
    stacked = [pd.concat(tables[1:] or tables, ignore_index=True) for tables in (means, distributions)]
    return stacked[0], stacked[1]


def _survey_pattern(  # noqa: PLR0913 - everything that a pattern depends on
    counts: pd.DataFrame, units: pd.DataFrame, settings: Settings, roles: Sequence[str], published: PrintRule,
    withheld: pd.MultiIndex,
) -> pd.DataFrame:  # fmt: skip
    figures = [name for name in counts if name not in PART]
    bottom = counts.assign(unit_id=current_ids(counts["unit_id"], units))
    bottom["segment"] = bottom["role"].astype(object).where(bottom["role"].notna() & bottom["role"].ne(""), NO_ROLE)
    bottom = bottom.groupby(["wave", "unit_id", "segment"], as_index=False)[figures].sum()
    tables, trees = [NO_CELLS], dict[tuple[str, ...], CellTree]()
    for wave, rows in bottom.groupby("wave", sort=False):
        people = rows[figures].to_numpy(float)
        rows, people = rows[people.any(axis=1)], people[people.any(axis=1)]
        if rows.empty:
            continue
        segments = role_segments(roles, settings, rows["segment"])
        parents = parents_of(units, rows["unit_id"])
        used = (*segments.names, "", *sorted(parents.index))
        tree = trees[used] = trees.get(used) or CellTree(parents, segments)
        cells, parts = tree.cells.assign(wave=wave), tree.parts(rows)
        contributors = Respondents(people[:, people.any(axis=0)])
        least = _fewest_people(contributors.count(parts))
        printed = published(cells, least) & ~(cells["own_people"] | (cells["segment"] == NO_ROLE)).to_numpy()
        is_withheld = pd.MultiIndex.from_frame(cells[CELL]).isin(withheld) & ~cells["own_people"].to_numpy()
        system = System(parts, contributors, printed, tree.sums, np.asarray(is_withheld), _cell_names(cells))
        outcome = suppress(system, settings.minimum_group)
        printable = ~((cells["segment"] == NO_ROLE) | (cells["leaf"] & cells["segment"].isin(ROLES)))
        printable &= ~cells["own_people"]
        tables.append(cells.assign(n=least, hidden=outcome.hidden, primary=outcome.primary).loc[printable, COLUMNS])
    return pd.concat(tables[1:] or tables, ignore_index=True)


def record_cells(records: RecordContributors, units: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Which cells of a table of records are hidden: every reporting unit x segment, with its kind (`cut`)."""
    tables = [NO_CELLS.assign(cut="")]
    rows = records.rows.assign(unit_id=current_ids(records.rows["unit_id"], units))
    for wave, of_wave in rows.groupby("wave", sort=False):
        parents = parents_of(units, of_wave["unit_id"])
        tree = CellTree(parents, records.segments)
        bottom = of_wave[["unit_id", "part"]].drop_duplicates().sort_values(["unit_id", "part"], ignore_index=True)
        parts = tree.parts(bottom.rename(columns={"part": "segment"}))
        contributors = _persons(of_wave, bottom, records, settings)
        cells = tree.cells.assign(wave=wave)
        kind, own = records.kind(cells["segment"]), cells["own_people"] | cells["leaf"]
        printed = np.where(kind == OWN, own, ~cells["own_people"] & (kind != UNPUBLISHED))
        system = System(parts, contributors, printed, tree.sums, names=_cell_names(cells))
        outcome = suppress(system, settings.minimum_group)
        exists = np.asarray(parts @ contributors.nonempty.astype(float)).any(axis=1)
        hidden, few = outcome.hidden & exists, outcome.primary & exists
        tables.append(
            cells.assign(n=_fewest_people(contributors.count(parts)), hidden=hidden, primary=few).loc[printed, COLUMNS]
        )
    all_cells = pd.concat(tables[1:] or tables, ignore_index=True)
    names = {name: segment for name, (_, segment) in records.cuts.items()}
    return all_cells.assign(
        cut=records.kind(all_cells["segment"]), segment=all_cells["segment"].map(names).fillna(all_cells["segment"])
    )


def _persons(rows: pd.DataFrame, bottom: pd.DataFrame, behind: RecordContributors, settings: Settings) -> Persons:
    """Contributions of each person to each figure, part by part."""
    part = pd.MultiIndex.from_frame(bottom).get_indexer(pd.MultiIndex.from_frame(rows[["unit_id", "part"]]))
    person, persons = pd.factorize(rows["person"])
    present = person >= 0
    values = rows[list(behind.figures)].to_numpy(float)
    counted = np.zeros((len(bottom), values.shape[1]), dtype=bool)
    np.logical_or.at(counted, part, values != 0)
    unit, unit_ids = pd.factorize(rows["unit_id"])
    assumed_people = pd.Series(behind.assumed_people, dtype=float).reindex(unit_ids).fillna(0.0).to_numpy()
    shares = _contribution_matrix(values * present[:, None], part, person, (len(bottom), len(persons)))
    unidentified = _contribution_matrix(values * ~present[:, None], part, unit, (len(bottom), len(unit_ids)))
    return Persons(shares, counted, settings.dominance_share, unidentified, assumed_people)


def _contribution_matrix(values: np.ndarray, part: np.ndarray, who: np.ndarray, shape: tuple[int, int]) -> csr_array:
    """Contributions (rows x figures) as a matrix of parts x (figures x who)."""
    row, figure = np.nonzero(values)
    size = max(shape[1], 1)
    positions = part[row], figure * size + who[row]
    return csr_array((np.abs(values[row, figure]), positions), shape=(shape[0], values.shape[1] * size))


def _fewest_people(people: np.ndarray) -> np.ndarray:
    least = np.where(people > 0, people, np.inf).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(least), least, 0.0)


def _cell_names(cells: pd.DataFrame) -> list[str]:
    return list("unit " + cells["unit_id"] + ", wave " + cells["wave"] + ", " + cells["segment"])
