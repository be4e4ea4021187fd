"""Group respondents by reporting unit, wave and segment, and sum over the groups.

Every measure of the survey is a sum over the respondents of a cell (unit x wave x role), rolled up to reporting units
and segments by one sparse matrix: parents, the organisation and segments share the same code, and the cost is linear
in the rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from aiready.inputs.dataset import Data
from aiready.instrument.model import Settings
from aiready.model.registry import ALL, ORGANISATION
from aiready.model.schema import ROLES
from aiready.model.waves import sort_waves
from aiready.privacy.segments import DOING, LEADING, segment_of_role

Floats = NDArray[np.float64]
SEGMENTS = (ALL, DOING, LEADING, *ROLES)
GROUP = ["unit_id", "wave", "segment"]


@dataclass(frozen=True)
class Moments:
    """n, sum and sum of squares per group (row) and variable (column) of values less `shift` (for precision)."""

    n: Floats
    total: Floats
    square: Floats
    shift: Floats

    @property
    def mean(self) -> Floats:
        """Means; `nan` where n is 0."""
        with np.errstate(invalid="ignore"):
            return self.shift + self.total / np.where(self.n > 0, self.n, np.nan)

    @property
    def sd(self) -> Floats:
        """Sample standard deviations (ddof 1); `nan` where n is below 2."""
        n = np.where(self.n > 1, self.n, np.nan)
        variance = (self.square - self.total**2 / n) / (n - 1)
        return np.sqrt(np.where(variance < 1e-9, np.where(np.isnan(variance), np.nan, 0.0), variance))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> "Moments":
        """Moments of some of the groups."""
        return Moments(self.n[rows], self.total[rows], self.square[rows], self.shift)

    def only(self, column: int) -> "Moments":
        """Moments of one of the variables, as one column."""
        one = slice(column, column + 1)
        return Moments(self.n[:, one], self.total[:, one], self.square[:, one], self.shift[one])

    def rest(self) -> "Moments":
        """For each group, the moments of all other groups taken together."""
        n, total, square = (values.sum(axis=0) - values for values in (self.n, self.total, self.square))
        return Moments(n, total, square, self.shift)


@dataclass(frozen=True)
class Groups:
    """Groups of respondents who are reported together.

    `table`: one row per group (unit_id, wave, segment, leaf); every unit and wave with respondents has all its
    segments in consecutive rows, empty ones too, in the order of `SEGMENTS`. `cell`: each respondent's cell.
    `roll_up`: groups x cells, 1 where the cell belongs to the group.
    """

    table: pd.DataFrame
    cell: NDArray[np.intp]
    roll_up: csr_array

    def sums(self, values: NDArray[np.generic]) -> Floats:
        """Sums per group of one variable (respondents,) or several (respondents, variables)."""
        columns = values.reshape(len(values), -1)
        cells = self.roll_up.shape[1]
        added = [np.bincount(self.cell, weights=column, minlength=cells) for column in columns.T]
        return np.asarray(self.roll_up @ np.column_stack(added)).reshape(-1, *values.shape[1:])

    def counts(self, codes: NDArray[np.integer], size: int) -> Floats:
        """Respondents per group and code 0 ... size - 1; negative codes are ignored."""
        cells = self.roll_up.shape[1]
        bins = self.cell[codes >= 0] * size + codes[codes >= 0]
        return np.asarray(self.roll_up @ np.bincount(bins, minlength=cells * size).reshape(cells, size))

    def moments(self, values: Floats) -> Moments:
        """Moments per group of (respondents, variables); missing values are ignored."""
        present = ~np.isnan(values)
        n = present.sum(axis=0)
        shift = np.where(present, values, 0.0).sum(axis=0) / np.maximum(n, 1)
        centred = np.where(present, values - shift, 0.0)
        return Moments(self.sums(present), self.sums(centred), self.sums(centred**2), shift)

    @property
    def is_all(self) -> NDArray[np.bool_]:
        """Which groups are a unit's `all`."""
        return np.asarray(self.table["segment"] == ALL)

    def where(self, selected: NDArray[np.bool_]) -> "Groups":
        """The selected groups only."""
        return Groups(self.table[selected].reset_index(drop=True), self.cell, self.roll_up[np.flatnonzero(selected)])


def groups_of(respondents: pd.DataFrame, data: Data, settings: Settings) -> Groups:
    """Group respondents (unit_id, wave, role); segments by role only where somebody has a role."""
    cell, cells = _cells(respondents)
    spread = spread_rows(cells, data, settings)
    segments = SEGMENTS if respondents["role"].notna().any() else (ALL,)
    table = _group_table(spread, data, segments)
    group = pd.MultiIndex.from_frame(table[GROUP]).get_indexer(pd.MultiIndex.from_frame(spread[GROUP]))
    ones = np.ones(len(spread))
    roll_up = csr_array((ones, (group, spread["row"].to_numpy())), shape=(len(table), len(cells)))
    return Groups(table, cell, roll_up)


def invitation_counts(data: Data, groups: Groups, respondents: pd.DataFrame, settings: Settings) -> Floats:
    """Number of people invited in each group; `nan` where it is not known for the whole group.

    It is known for a reporting unit when every unit in it with answers in that wave has invitations, and for a role
    segment when all of these name the role.
    """
    unknown = np.full(len(groups.table), np.nan)
    invitations = data.table("invitations")
    if invitations is None or invitations.empty:
        return unknown
    spread = spread_rows(invitations[["unit_id", "wave", "role"]], data, settings)
    spread["invited"] = invitations["invited"].to_numpy(float)[spread["row"]]
    invitation_sums = spread.groupby(GROUP)["invited"].sum()
    number = invitation_sums.reindex(pd.MultiIndex.from_frame(groups.table[GROUP])).to_numpy(float)
    unit_wave = pd.MultiIndex.from_frame(groups.table[["unit_id", "wave"]])
    roleless = _reporting_units(invitations[invitations["role"].isna()], data)
    answered = respondents[["unit_id", "wave"]].drop_duplicates()
    with_invitations = pd.MultiIndex.from_frame(invitations[["unit_id", "wave"]])
    silent = _reporting_units(answered[~pd.MultiIndex.from_frame(answered).isin(with_invitations)], data)
    parts = (groups.table["segment"] != ALL).to_numpy()
    return np.where(unit_wave.isin(silent) | (unit_wave.isin(roleless) & parts), np.nan, number)


def _reporting_units(rows: pd.DataFrame, data: Data) -> pd.MultiIndex:
    """Reporting units x waves that contain any of these rows of units."""
    joined = rows[["unit_id", "wave"]].merge(
        data.membership, left_on="unit_id", right_on="member_id", suffixes=("_own", "")
    )
    return pd.MultiIndex.from_frame(joined[["unit_id", "wave"]].drop_duplicates())


def leaf_units(data: Data) -> frozenset[str]:
    """Units without children."""
    return frozenset(data.units["unit_id"]) - frozenset(data.units["parent_id"].dropna())


def spread_rows(rows: pd.DataFrame, data: Data, settings: Settings) -> pd.DataFrame:
    """Repeat each row (unit_id, wave, role) for every reporting unit and segment that it counts in.

    Returns
    -------
    pandas.DataFrame
        unit_id (reporting), wave, segment, row (position in `rows`). `all` includes people without a role; the four
        roles are segments of parents and the organisation only.
    """
    own = rows.reset_index(drop=True).rename_axis("row").reset_index()
    by_unit = own.merge(data.membership, left_on="unit_id", right_on="member_id", suffixes=("_own", ""))
    doing_or_leading = by_unit["role"].map(segment_of_role(settings))
    is_parent = ~by_unit["unit_id"].isin(leaf_units(data))
    segments = (pd.Series(ALL, index=by_unit.index), doing_or_leading, by_unit["role"].where(is_parent))
    parts = [by_unit[["unit_id", "wave", "row"]].assign(segment=segment) for segment in segments]
    return pd.concat(parts, ignore_index=True).dropna(subset="segment")


def _cells(respondents: pd.DataFrame) -> tuple[NDArray[np.intp], pd.DataFrame]:
    """The cell number of each respondent, and the cells: one row per unit x wave x role that occurs."""
    unit, _ = pd.factorize(respondents["unit_id"])
    wave, waves = pd.factorize(respondents["wave"])
    role, _ = pd.factorize(pd.Categorical(respondents["role"], categories=ROLES))
    cell, _ = pd.factorize((unit * len(waves) + wave) * (len(ROLES) + 1) + role)
    first = np.empty(cell.max() + 1, dtype=np.intp)
    first[cell[::-1]] = np.arange(len(cell))[::-1]
    return cell.astype(np.intp), respondents.iloc[first].reset_index(drop=True)


def _group_table(spread: pd.DataFrame, data: Data, segments: tuple[str, ...]) -> pd.DataFrame:
    """Every reporting unit x wave with respondents, with all of its segments."""
    order = {unit: position for position, unit in enumerate([ORGANISATION, *data.units["unit_id"]])}
    waves = {wave: position for position, wave in enumerate(sort_waves(spread["wave"]))}
    units = spread[["unit_id", "wave"]].drop_duplicates()
    units = units.iloc[np.lexsort((units["unit_id"].map(order), units["wave"].map(waves)))]
    units = units.assign(leaf=units["unit_id"].isin(leaf_units(data)))
    table = units.merge(pd.DataFrame({"segment": list(segments)}), how="cross")
    return table[~(table["leaf"] & table["segment"].isin(ROLES))].reset_index(drop=True)


def by_barrier(table: pd.DataFrame, barriers: tuple[str, ...], **values: NDArray[Any]) -> pd.DataFrame:
    """Arrays (groups, barriers) as columns: one row per group x barrier."""
    long = table.loc[np.repeat(table.index.to_numpy(), len(barriers))].reset_index(drop=True)
    long["barrier_id"] = np.tile(np.array(barriers, dtype=object), len(table))
    return long.assign(**{name: np.asarray(array).ravel() for name, array in values.items()})
