from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from aiready.privacy.contributors import Persons, Respondents
from aiready.privacy.feasibility_intervals import FeasibilityIntervals
from aiready.privacy.suppression import System, suppress

MINIMUM = 5


def system_of(cells, sums, people, published=None, withheld=None):
    """Cells by name as the parts they hold; sums as (total, child, by); people of each part (or part x figure)."""
    parts = sorted({part for held in cells.values() for part in held})
    place = {name: at for at, name in enumerate(cells)}
    matrix = np.array([[float(part in held) for part in parts] for held in cells.values()])
    n = np.array([np.atleast_1d(people[part]) for part in parts], dtype=float)
    table = pd.DataFrame([(place[t], place[c], by) for t, c, by in sums], columns=["total", "child", "by"])
    flags = [name in (published or cells) for name in cells]
    gone = [name in (withheld or ()) for name in cells]
    return System(csr_array(matrix), Respondents(n), np.array(flags), table, np.array(gone), list(cells))


def hidden_of(system, minimum=MINIMUM):
    outcome = suppress(system, minimum)
    return {name for name, gone in zip(system.names, outcome.hidden, strict=True) if gone}


def two_way(counts):
    """A table with its margins: cells named (row, column), with `*` for a total."""
    counts = np.asarray(counts)
    lines = [(r, c) for r in range(counts.shape[0]) for c in range(counts.shape[1])]
    cells = {cell: {cell} for cell in lines}
    cells |= {(r, "*"): {(r, c) for c in range(counts.shape[1])} for r in range(counts.shape[0])}
    cells |= {("*", c): {(r, c) for r in range(counts.shape[0])} for c in range(counts.shape[1])}
    cells[("*", "*")] = set(lines)
    sums = [((r, "*"), (r, c), "row") for r, c in lines] + [(("*", c), (r, c), "column") for r, c in lines]
    sums += [(("*", "*"), (r, "*"), "row") for r in range(counts.shape[0])]
    sums += [(("*", "*"), ("*", c), "column") for c in range(counts.shape[1])]
    return system_of(cells, sums, {cell: counts[cell] for cell in lines})


REFERENCE = [[20, 8, 6, 2], [15, 6, 9, 5], [12, 3, 7, 6]]
A2, A4, C2, C4 = (0, 1), (0, 3), (2, 1), (2, 3)


def intervals(system, hidden, of):
    shown = [at for at, name in enumerate(system.names) if name not in hidden]
    groups = system.parts[[system.names.index(name) for name in of]]
    found = FeasibilityIntervals(
        csr_array(system.parts[shown]), system.contributors.n[:, 0], csr_array(groups), minimum_width=10_000
    )
    found.too_narrow()
    return {name: (round(low, 6), round(high, 6)) for name, low, high in zip(of, found.low, found.high, strict=True)}


def test_primary_suppression_alone_leaves_the_hidden_counts_exact():
    assert intervals(two_way(REFERENCE), {A4, C2}, [A4, C2]) == {A4: (2, 2), C2: (3, 3)}


def test_hiding_two_more_cells_widens_every_interval_to_the_published_reference():
    hidden = [A2, A4, C2, C4]
    expected = {A2: (2, 10), A4: (0, 8), C2: (1, 9), C4: (0, 8)}
    assert intervals(two_way(REFERENCE), set(hidden), hidden) == expected


def test_the_reference_table_is_made_safe_by_the_two_cells_of_the_reference():
    assert hidden_of(two_way(REFERENCE)) == {A2, A4, C2, C4}


def test_a_single_hidden_child_takes_the_next_smallest_with_it():
    cells = {"a": {"a"}, "b": {"b"}, "c": {"c"}, "t": {"a", "b", "c"}}
    system = system_of(cells, [("t", child, "unit") for child in "abc"], {"a": 20, "b": 16, "c": 4})
    assert hidden_of(system) == {"b", "c"}


def test_where_every_child_is_hidden_and_too_few_the_total_hides_too():
    cells = {"a": {"a"}, "b": {"b"}, "t": {"a", "b"}}
    assert hidden_of(system_of(cells, [("t", "a", "unit"), ("t", "b", "unit")], {"a": 2, "b": 2})) == {"a", "b", "t"}


def test_cells_never_printed_are_protected_and_count_as_hidden_children():
    cells = {"a": {"a"}, "own": {"own"}, "t": {"a", "own"}}
    system = system_of(cells, [("t", "a", "role"), ("t", "own", "role")], {"a": 30, "own": 2}, published=["a", "t"])
    assert hidden_of(system) == {"a", "own"}


def test_a_part_in_which_nobody_is_hides_nobody_and_needs_nobody():
    cells = {"a": {"a"}, "b": {"b"}, "c": {"c"}, "t": {"a", "b", "c"}}
    system = system_of(cells, [("t", child, "unit") for child in "abc"], {"a": 20, "b": 16, "c": 0})
    assert hidden_of(system) == {"c"}


def test_an_empty_part_is_no_cover_for_a_small_one():
    # x has managers alone, so the parent's doing is y's, and y's leading would be all less doing
    people = {"x lead": 10, "y do": 6, "y lead": 4}
    ends = {"all": ("do", "lead"), "do": "do", "lead": "lead"}
    cells = {f"{unit}/{segment}": {part for part in people if unit in ("p", part[0]) and part.endswith(ends[segment])}
             for unit in ("x", "y", "p") for segment in ends}  # fmt: skip
    sums = [("p/" + s, f"{u}/{s}", "unit") for u in "xy" for s in ("all", "do", "lead")]
    sums += [(f"{u}/all", f"{u}/{s}", "segment") for u in "pxy" for s in ("do", "lead")]
    hidden = hidden_of(system_of(cells, sums, people))
    assert {"y/lead", "x/do"} <= hidden
    assert not {"p/all", "p/do", "y/all"} <= set(cells) - hidden
    assert not {"y/all", "y/do"} <= set(cells) - hidden


def test_who_left_out_one_figure_is_one_person_in_the_others():
    cells = {"child": {"child"}, "own": {"own"}, "parent": {"child", "own"}}
    sums = [("parent", "child", "unit"), ("parent", "own", "unit")]
    system = system_of(cells, sums, {"child": [18, 18], "own": [1, 0]}, published=["child", "parent"])
    assert hidden_of(system) & {"child", "parent"}


def test_the_only_member_of_a_part_learns_nothing_of_the_others_beside_it():
    # all five leaders are one executive and four managers: the executive would know the managers' mean
    people = {"exec": 1, "manager": 4, "front": 30}
    cells = {"lead": {"exec", "manager"}, "do": {"front"}, "all": set(people)}
    system = system_of(cells, [("all", "lead", "segment"), ("all", "do", "segment")], people)
    assert len(hidden_of(system)) >= 2
    more = system_of(cells, [("all", "lead", "segment"), ("all", "do", "segment")], people | {"manager": 5})
    assert hidden_of(more) == set()


def test_two_groups_that_are_few_together_are_protected_together():
    # two totals, each of a visible part and of two hidden ones: the two are three people
    cells = {"a": {"a"}, "b": {"b"}, "c": {"c"}, "d": {"d"}, "t": {"a", "b", "c", "d"}}
    system = system_of(cells, [("t", child, "unit") for child in "abcd"], {"a": 20, "b": 2, "c": 1, "d": 6})
    assert hidden_of(system) == {"b", "c", "d"}


def test_a_withheld_cell_is_hidden_and_does_not_follow_from_the_others():
    cells = {"a": {"a"}, "b": {"b"}, "c": {"c"}, "t": {"a", "b", "c"}}
    sums = [("t", child, "unit") for child in "abc"]
    system = system_of(cells, sums, dict.fromkeys("abc", 20), withheld=["a"])
    assert "a" in (hidden := hidden_of(system))
    assert len(hidden) == 2


def test_a_hidden_total_that_is_withheld_hides_one_of_its_children_at_least():
    cells = {"a": {"a"}, "b": {"b"}, "t": {"a", "b"}}
    hidden = hidden_of(system_of(cells, [("t", "a", "unit"), ("t", "b", "unit")], {"a": 20, "b": 20}, withheld=["t"]))
    assert "t" in hidden
    assert hidden & {"a", "b"}


def test_what_is_hidden_for_itself_is_told_from_what_protects_it():
    cells = {"a": {"a"}, "b": {"b"}, "c": {"c"}, "t": {"a", "b", "c"}}
    system = system_of(cells, [("t", child, "unit") for child in "abc"], {"a": 20, "b": 16, "c": 4})
    outcome = suppress(system, MINIMUM)
    assert [system.names[at] for at in np.flatnonzero(outcome.primary)] == ["c"]


# People counted one by one ---------------------------------------------------------------------------------


def log_of(decisions, published=("x", "y", "p"), dominance=0.1, vouched=None):
    """Units x and y under p, from decisions by unit and decider; None: nobody is named."""
    parts = sorted({unit for unit, _ in decisions})
    persons = sorted({who for _, who in decisions if who})
    shares, unnamed = np.zeros((len(parts), max(len(persons), 1))), np.zeros((len(parts), len(parts)))
    for (unit, who), count in decisions.items():
        if who:
            shares[parts.index(unit), persons.index(who)] = count
        else:
            unnamed[parts.index(unit), parts.index(unit)] = count
    counted = (shares.sum(1) + unnamed.sum(1) > 0)[:, None]
    by_unit = np.array([(vouched or {}).get(unit, 0.0) for unit in parts])
    behind = Persons(csr_array(shares), counted, dominance, csr_array(unnamed), by_unit)
    names = ["x", "y", "p"]
    rows = np.array([[float(name in (part, "p")) if name == "p" else float(name == part) for part in parts]
                     for name in names])  # fmt: skip
    rows[names.index("p")] = 1.0
    sums = pd.DataFrame({"total": [2, 2], "child": [0, 1], "by": "unit"})
    return System(csr_array(rows), behind, np.array([name in published for name in names]), sums, names=names)


def even(unit, number, each=20):
    return {(unit, f"{unit}{at}"): each for at in range(number)}


def test_one_decider_is_one_person_however_many_decisions_were_made():
    assert hidden_of(log_of({("x", "anna"): 400} | even("y", 7))) == {"x", "y"}


def test_deciders_who_work_in_both_units_are_counted_once_in_the_parent():
    both = {("x", f"d{at}"): 20 for at in range(4)} | {("y", f"d{at}"): 20 for at in range(4)}
    assert hidden_of(log_of(both)) == {"x", "y", "p"}


@pytest.mark.parametrize(("busiest", "hidden"), [(360, True), (20, False)])
def test_a_unit_whose_figure_is_one_persons_is_hidden(busiest, hidden):
    # p % rule, p = 10: all but the two busiest (3 x 10) against a tenth of the busiest
    log = {("x", "anna"): busiest} | {("x", f"d{at}"): 10 for at in range(4)} | even("y", 9)
    assert ("x" in hidden_of(log_of(log))) == hidden


def test_decisions_of_nobody_known_count_as_few_unless_a_headcount_vouches_for_them():
    log = {("x", None): 40} | even("y", 9)
    assert hidden_of(log_of(log)) == {"x", "y"}
    assert hidden_of(log_of(log, vouched={"x": 5.0})) == set()


# From outside, with programmes and by exhaustion --------------------------------------------------------------


def derivable(system, hidden):
    """Cells of 1 to 4 people that are hidden, and whose people's sum is fixed by those shown (least squares)."""
    there = system.contributors.n[:, 0] > 0
    rows = system.parts.toarray()[:, there]
    shown = rows[[name not in hidden for name in system.names]]
    n = system.parts @ system.contributors.n[:, 0]
    return [
        name
        for name, row, people in zip(system.names, rows, n, strict=True)
        if 0 < people < MINIMUM and np.allclose(shown.T @ np.linalg.lstsq(shown.T, row, rcond=None)[0], row)
    ]


def width(system, hidden, name):
    shown = [name not in hidden for name in system.names]
    rows, n = system.parts.toarray(), system.contributors.n[:, 0]
    bounds = [(0, 0) if people == 0 else (0, None) for people in n]
    ends = [linprog(sign * rows[system.names.index(name)], A_eq=rows[shown], b_eq=rows[shown] @ n, bounds=bounds)
            for sign in (1, -1)]  # fmt: skip
    return np.inf if ends[1].status == 3 else -ends[1].fun - ends[0].fun


tables = st.integers(2, 4).flatmap(
    lambda columns: st.lists(st.lists(st.integers(0, 12), min_size=columns, max_size=columns), min_size=2, max_size=5)
)


@pytest.mark.slow
@examples(40)
@given(tables)
def test_no_hidden_cell_with_people_can_be_placed_within_less_than_the_minimum(counts):
    system = two_way(counts)
    hidden = hidden_of(system)
    n = system.parts @ system.contributors.n[:, 0]
    assert {name for name, people in zip(system.names, n, strict=True) if people < MINIMUM} <= hidden
    assert derivable(system, hidden) == []
    for name, people in zip(system.names, n, strict=True):
        if name in hidden and people > 0:
            assert width(system, hidden, name) >= MINIMUM - 1e-6, name


def test_the_attack_from_outside_works_where_only_small_cells_are_hidden():
    assert derivable(two_way(REFERENCE), {A4, C2}) == [A4, C2]


@pytest.mark.slow
def test_hides_no_more_than_an_exhaustive_search_finds_necessary():
    random, more, least = np.random.default_rng(4), 0, 0
    for _ in range(25):
        system = two_way(random.poisson(7, (3, 3)))
        hidden = hidden_of(system)
        n = system.parts @ system.contributors.n[:, 0]
        own = {name for name, people in zip(system.names, n, strict=True) if people < MINIMUM}
        if len(hidden - own) > 3:
            continue
        more += len(hidden - own)
        least += next(
            size for size in range(len(hidden - own) + 1)
            for extra in combinations(sorted(set(system.names) - own, key=str), size)
            if safe(system, own | set(extra), own)
        )  # fmt: skip
    assert 0 < least <= more <= 1.1 * least


def safe(system, hidden, own):
    """Whether nothing small follows, and all small cells with people stay placed widely."""
    if derivable(system, hidden):
        return False
    return all(width(system, hidden, name) >= MINIMUM - 1e-6 for name in own
               if (system.parts @ system.contributors.n[:, 0])[system.names.index(name)] > 0)  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_parts_changes_nothing(seed):
    random = np.random.default_rng(seed)
    system = two_way(random.poisson(6, (4, 4)))
    order = random.permutation(system.parts.shape[1])
    turned = System(csr_array(system.parts[:, order]), Respondents(system.contributors.n[order]), system.published,
                    system.sums.sample(frac=1, random_state=seed), system.withheld, system.names)  # fmt: skip
    assert hidden_of(turned) == hidden_of(system)
