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

from aiready.inputs.dataset import read_data
from aiready.instrument.model import read_instrument
from aiready.measures import survey
from aiready.model.schema import ROLES

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


def test_the_outsider_does_work_out_cells_where_only_the_small_ones_are_hidden(raw_survey):
    rows = raw_survey.copy()
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


LEVELS = 5
CLOSE, CLOSELY_PLACED = 2, 12
"""No distribution is placed within so few people, and fewer than so many within the minimum group: parts of a total
in which few chose a level are bounded by it, whatever is hidden."""


class Reader(Outsider):
    """What follows from everything published about one item and wave: its distributions and its mean levels.

    Unknown are the answers on each level of every unit's own people by role. An outsider knows that a blurred share
    was exactly 0 or 1, and counts the answers that a share is among.
    """

    def __init__(self, distributions, means, parents):
        self.parents = parents
        self.places = {place: at for at, place in enumerate(product(parents, (*ROLES, "none")))}
        facts = [*self.of_levels(distributions), *self.of_means(means)]
        self.sums, self.known = np.vstack([sums for sums, _ in facts]), np.array([total for _, total in facts])

    def answers_of(self, unit_id, segment, weights):
        return np.kron(weights, self.people_of(unit_id, segment))

    def of_levels(self, shown):
        for row in shown.itertuples():
            share = row.share if row.share == row.share else float(row.note.startswith(">="))
            yield self.answers_of(row.unit_id, row.segment, np.eye(LEVELS)[int(row.level) - 1]), share * row.n
            yield self.answers_of(row.unit_id, row.segment, np.ones(LEVELS)), row.n

    def of_means(self, shown):
        for row in shown.itertuples():
            yield self.answers_of(row.unit_id, "all", np.ones(LEVELS)), row.n
            yield self.answers_of(row.unit_id, "all", np.arange(1, LEVELS + 1)), row.n * row.value

    def room(self, unit_id, segment, within):
        """How far apart the ends are of the answers on the level that is least known, or on one not `within`."""
        widths = []
        for level in np.eye(LEVELS)[::-1]:
            widths.append(self.width(self.answers_of(unit_id, segment, level)))
            if widths[-1] >= within:
                break
        return max(widths)

    def width(self, aim):
        ends = [linprog(sign * aim, A_eq=self.sums, b_eq=self.known) for sign in (1, -1)]
        assert {found.status for found in ends} <= {0, 3}
        return -sum(found.fun for found in ends) if all(found.status == 0 for found in ends) else np.inf


def read_out(items, means, some, within=MINIMUM - 1e-4):
    """Hidden distributions of some items, every level of which an outsider places within fewer people than `within`."""
    found, hidden = [], 0
    for (wave, item), cells in items.groupby(["wave", "item_id"]):
        if item not in some:
            continue
        mine = means[(means["wave"] == wave) & (means["id"] == item) & means["value"].notna()]
        outsider = Reader(cells[cells["status"] == "ok"], mine, parents_of())
        for cell in cells.loc[cells["status"] == "suppressed", ["unit_id", "segment"]].drop_duplicates().itertuples():
            hidden += 1
            room = outsider.room(cell.unit_id, cell.segment, within)
            if room < within:
                found.append((wave, item, cell.unit_id, cell.segment, room))
    assert hidden
    return found


def answers_published(folder):
    """Distributions over levels and mean levels of the two newest waves, as the files have them."""
    items, explained = (pd.read_csv(folder / f"{name}.csv") for name in ("items", "explain"))
    newest = sorted(items["wave"].unique())[-2:]
    on_levels = items["wave"].isin(newest) & ~items["level"].isin(["na", "dont_know"])
    return items[on_levels], explained[(explained["kind"] == "item") & explained["wave"].isin(newest)]


SOME_ITEMS = ("team_goal", "reported_errors", "results_returned")


def test_no_hidden_distribution_can_be_worked_out_from_the_visible_ones_and_the_means(sample_results):
    assert read_out(*answers_published(sample_results), SOME_ITEMS) == []


def test_the_outsider_does_work_out_distributions_where_only_the_small_ones_are_hidden(sample_results):
    items, means = answers_published(sample_results)
    rules = read_instrument()
    raw = survey.item_distributions(read_data(SAMPLE, rules), rules).merge(items[["wave", "item_id"]].drop_duplicates())
    raw = raw[~raw["level"].isin(["na", "dont_know"])].assign(note="")
    raw["n"], few = raw["people"], raw["people"] < rules.settings.minimum_distribution
    hidden = raw.assign(status=raw["status"].mask(few, "suppressed"))
    assert read_out(hidden, means, SOME_ITEMS[:1])


@pytest.mark.acceptance
def test_no_hidden_distribution_of_any_item_can_be_worked_out(sample_results):
    items, means = answers_published(sample_results)
    close = read_out(items, means, set(items["item_id"]))
    assert len(close) < CLOSELY_PLACED
    assert all(room >= CLOSE for *_, room in close), close


OF_PERCEPTION = {
    "measures": ["value", "low", "high", "n"], "items": ["n", "share"], "themes": ["value", "low", "high", "n"],
    "explain": ["value", "points", "points_at_least", "n", "coverage"], "change_sources": ["points"],
    "barriers": ["perception", "perception_low", "perception_high", "n", "score", "low", "high", "say_do_gap",
                 "unit_rank_low", "unit_rank_high", "priority_low", "priority_high"],
    "facets": ["says", "says_n"], "sensitivity": ["share"],
}  # fmt: skip
"""Tables that hold something made of answers, and the columns it stands in."""


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_no_file_has_a_number_made_of_the_answers_of_a_hidden_cell(sample_results, kind):
    def read(name):
        path = sample_results / f"{name}.{kind}"
        return pd.read_csv(path) if kind == "csv" else pd.read_parquet(path)

    cell = ["unit_id", "wave", "segment"]
    rows = read("measures")
    said = rows[(rows["measure"] == "perception") & (rows["status"] == "suppressed")]
    hidden = said[cell].drop_duplicates()
    assert hidden["wave"].nunique() > 1
    for name, columns in OF_PERCEPTION.items():
        table = read(name)
        table = table.assign(segment="all") if "segment" not in table else table
        for column, wanted in (("table", "responses"), ("kind", "item")):
            table = table[table[column] == wanted] if column in table else table
        if name == "change_sources":
            table = table[table["source"].isin(["role_mix", "answers", "items"])]
        if name == "measures":  # how many were asked and answered is no answer, and is hidden by its own number
            table = table[~table["measure"].isin(["response_rate"])]
        mine = table.merge(hidden, on=cell)
        assert len(mine) or name in {"change_sources", "facets", "sensitivity"}, name
        assert mine[columns].isna().all(axis=None), (name, mine[mine[columns].notna().any(axis=1)].head())


def test_every_table_that_names_units_and_waves_was_looked_at(sample_results):
    """A new table has to be added above, or to those that hold nothing made of answers."""
    of_records = {"initiatives", "tasks", "recommended"}
    named = {
        path.stem
        for path in sample_results.glob("*.csv")
        if {"unit_id", "wave"} <= set(pd.read_csv(path, nrows=0).columns)
    }
    assert named == set(OF_PERCEPTION) | of_records
