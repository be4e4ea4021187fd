"""An outsider with the published scores of the sample tries to work out the hidden ones, from the single people up.

`test_privacy` attacks the printed counts, cell by cell; here the unknowns are the people of every unit's own by
role, and the sums of their scores.
"""

from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
from conftest import SAMPLE
from scipy.optimize import linprog

from aiready import survey
from aiready.instrument import read_instrument
from aiready.schema import ROLES
from aiready.sources import read_data

pytestmark = pytest.mark.slow

GROUPS = {"doing": {"frontline", "technical"}, "leading": {"executive", "manager"}}
MINIMUM = 5


class Outsider:
    """What follows from the published cells of one wave and barrier.

    Unknown are the people x and the sum of scores y (0 to 100 each) of every unit's own people by role; each
    published cell says what a sum of them is. The place of a hidden cell is what all of that still allows.
    """

    def __init__(self, cells, parents):
        self.parents = parents
        self.places = {place: at for at, place in enumerate(product(parents, (*ROLES, "none")))}
        shown = cells.dropna(subset=["n", "value"])
        people = np.array([self.people_of(*cell) for cell in zip(shown["unit_id"], shown["segment"], strict=True)])
        nothing = np.zeros_like(people)
        self.sums = np.vstack([np.hstack([people, nothing]), np.hstack([nothing, people])])
        self.known = np.concatenate([shown["n"], shown["n"] * shown["value"]])
        one = np.eye(len(self.places))
        self.at_most = np.hstack([-100 * one, one])  # y <= 100 x

    def below(self, unit_id):
        return {unit_id}.union(*(self.below(child) for child, parent in self.parents.items() if parent == unit_id))

    def people_of(self, unit_id, segment):
        units = set(self.parents) if unit_id == "*" else self.below(unit_id)
        roles = GROUPS.get(segment, {*ROLES, "none"} if segment == "all" else {segment})
        return np.array([float(unit in units and role in roles) for unit, role in self.places])

    def widths(self, unit_id, segment):
        """How far apart the ends are, by all that is known, of a cell's people and of the sum of their scores."""
        people = self.people_of(unit_id, segment)
        nothing = np.zeros_like(people)
        return self.width(np.concatenate([people, nothing])), self.width(np.concatenate([nothing, people]))

    def width(self, aim):
        ends = []
        for sign in (1, -1):
            found = linprog(sign * aim, self.at_most, np.zeros(len(self.places)), self.sums, self.known)
            assert found.status in (0, 3), found.message
            ends.append(np.inf if found.status == 3 else found.fun)
        return -sum(ends) if np.isfinite(ends).all() else np.inf


def parents_of():
    units = pd.read_csv(SAMPLE / "units.csv")
    return dict(zip(units["unit_id"], units["parent_id"].where(units["parent_id"].notna(), None), strict=True))


def recovered(rows):
    """Hidden cells whose people or scores can be placed within less than the minimum group would differ by."""
    rows = rows[rows["measure"] == "perception"]
    assert set(rows["segment"]) == {"all", *GROUPS, *ROLES}
    parents, found, hidden = parents_of(), [], 0
    for (wave, barrier), cells in rows.groupby(["wave", "barrier_id"]):
        outsider = Outsider(cells, parents)
        for cell in cells[cells["status"] == "suppressed"].itertuples():
            hidden += 1
            people, scores = outsider.widths(cell.unit_id, cell.segment)
            if people < MINIMUM - 1e-4 or scores < 100 * (MINIMUM - 1):
                found.append((wave, barrier, cell.unit_id, cell.segment, people, scores))
    assert hidden
    return found


def test_no_hidden_score_can_be_worked_out_from_what_is_published(sample_results):
    assert recovered(pd.read_csv(sample_results / "measures.csv")) == []


def test_the_outsider_does_work_out_cells_where_only_the_small_ones_are_hidden():
    rows = survey.measure(read_data(SAMPLE, read_instrument()), read_instrument())
    few = rows["people"] < MINIMUM
    rows.loc[few, ["value", "n"]] = np.nan
    assert recovered(rows.assign(status=np.where(few, "suppressed", rows["status"])))


def test_a_hidden_wave_is_not_given_back_by_the_change_after_it(sample_results):
    rows = pd.read_csv(sample_results / "measures.csv")
    waves = sorted(rows.loc[rows["measure"] == "perception", "wave"].unique())
    after = dict(pairwise(waves))
    hidden = rows[(rows["measure"] == "perception") & (rows["status"] == "suppressed")]
    key = ["unit_id", "wave", "barrier_id", "segment"]
    later = hidden.assign(wave=hidden["wave"].map(after)).dropna(subset="wave")
    changes = later[key].merge(rows[rows["measure"] == "change"], on=key)
    assert len(changes)
    assert changes["value"].isna().all()


@pytest.mark.parametrize("measure", ["perception_shrunk", "difference_from_rest", "cronbach_alpha", "rwg_j"])
def test_nothing_made_from_a_hidden_score_is_published(sample_results, measure):
    rows = pd.read_csv(sample_results / "measures.csv")
    key = ["unit_id", "wave", "barrier_id", "segment"]
    hidden = rows.loc[(rows["measure"] == "perception") & (rows["status"] == "suppressed"), key]
    made = hidden.merge(rows[rows["measure"] == measure], on=key)
    assert made[["value", "low", "high", "n"]].isna().all(axis=None)
