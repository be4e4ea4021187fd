"""Organisations attacked by an outsider: random ones, and one by one those that were once given away.

See `attackers`: nothing may be recovered from what is published (K0), with the empty unit x roles known besides (K1),
or by somebody who is alone in one (K1S).
"""

from pathlib import Path

import attack_least
import attack_single
import attackers
import numpy as np
import pandas as pd
import pytest
from attack_figures import SurveyFigures, published
from attack_organisations import (
    ITEMS,
    Organisation,
    arm,
    decision,
    drawn,
    initiative,
    levels_of,
    person,
    staff,
    task,
    unit,
    used,
)
from attackers import attacked, run, table, weakened

pytestmark = pytest.mark.slow

SURVEY = {
    "scale",
    "item",
    "coverage",
    "distribution",
    "theme",
    "straightliners",
    "dont_know_share",
    "not_applicable_share",
}


def recovered(organisation: Organisation, folder: Path, kinds: set[str]) -> list[str]:
    """What an attacker says and is right about, in words."""
    tally = attacked(organisation, attackers.assessed(organisation, folder), kinds=kinds)
    assert tally.hidden
    return [str(one) for one in tally.recoveries]


def weakly(organisation: Organisation, folder: Path, kinds: set[str]) -> list[attackers.Recovery]:
    """The same attack where nothing but the small cells is hidden."""
    results = attackers.assessed(organisation, folder)
    figures = attackers.figures_of(organisation, results, kinds)
    return [one for figure in figures for one in attackers.attack(weakened(figure))[1]]


def folded(units: dict[str, dict[str, int]], parents: dict[str, str], **options: float) -> Organisation:
    """An organisation of units with so many people by role."""
    names = [unit(name, parents.get(name, "")) for name in dict.fromkeys([*parents.values(), *units])]
    return Organisation(units=names, responses=staff(units, **options))


# At random -------------------------------------------------------------------------------------------------------


def test_nothing_is_recovered_from_random_organisations():
    tally = run(range(3))
    assert tally.hidden > 2500
    assert not tally.recoveries, table(tally)
    assert not tally.mistaken


def test_the_same_attack_recovers_where_only_small_groups_are_hidden(tmp_path):
    organisation = drawn(1)
    found = weakly(organisation, tmp_path, {"scale", "item", "decision"})
    kinds = {(one.kind, one.knowledge) for one in found}
    assert {("scale", "K0"), ("scale", "K1"), ("item", "K0"), ("decision", "K0")} <= kinds


# One by one: the survey ------------------------------------------------------------------------------------------

EMPTY = {"x": {"manager": 10}, "y": {"frontline": 6, "manager": 4}}


def test_units_without_a_role_do_not_cover_for_those_with_few_of_it(tmp_path):
    """p/doing is y/doing, for x has nobody who does the work: y/leading (4 people) is y/all - p/doing."""
    organisation = folded(EMPTY, {"x": "p", "y": "p"})
    assert recovered(organisation, tmp_path, SURVEY) == []


def test_units_without_a_role_are_covers_that_the_attack_sees_through(tmp_path):
    found = weakly(folded(EMPTY, {"x": "p", "y": "p"}), tmp_path, {"scale"})
    assert {one.group for one in found} >= {"2026-Q3 y/leading"}


def test_units_without_a_role_show_no_whole_point_that_places_the_few(tmp_path):
    organisation = folded(EMPTY, {"x": "p", "y": "p"})
    results = attackers.assessed(organisation, tmp_path)
    scales = SurveyFigures(organisation, results).figures({"scale"})
    assert [str(one) for figure in scales for one in attackers.placed(figure)] == []


def test_who_skipped_one_scale_is_somebody(tmp_path):
    """A parent with one person of its own and a child of 18; that person left out one of five scales."""
    organisation = folded({"child": {"frontline": 12, "manager": 6}}, {"child": "parent"})
    answers = levels_of(np.random.default_rng(5), "manager", leaves_out=["measurement"])
    organisation.responses.append(person("head", "parent", "manager", "2026-Q3", answers))
    assert recovered(organisation, tmp_path, SURVEY) == []


def test_an_item_that_managers_alone_are_asked_hides_where_managers_are_few(tmp_path):
    """x: 20 frontline, 2 managers; y: 10 and 10. `idea_origin` is not asked of the frontline: p - y is x's managers."""
    units = {"x": {"frontline": 20, "manager": 2}, "y": {"frontline": 10, "manager": 10}}
    assert recovered(folded(units, {"x": "p", "y": "p"}), tmp_path, {"item", "coverage", "distribution", "theme"}) == []


def test_the_only_member_of_a_role_learns_nothing_of_the_others(tmp_path):
    units = {"x": {"frontline": 6, "manager": 4, "executive": 1}, "y": {"frontline": 12, "technical": 1, "manager": 6}}
    assert recovered(folded(units, {"x": "p", "y": "p"}), tmp_path, SURVEY) == []


def test_sources_of_a_change_give_no_mean_of_a_small_role(tmp_path):
    """Both waves have 12 who do the work; those who lead it are 6, then 4: two equations for their two means."""
    units = {"x": {"frontline": 12, "manager": 6}, "y": {"frontline": 9, "manager": 8}}
    organisation = folded(units, {"x": "p", "y": "p"})
    organisation.responses = staff(units, "2026-Q2", 1)
    organisation.responses += staff({"x": {"frontline": 12, "manager": 4}, "y": {"frontline": 9, "manager": 8}}, seed=2)
    assert recovered(organisation, tmp_path, {"scale"}) == []
    sources, rows = (published(tmp_path / "results", name) for name in ("change_sources", "measures"))
    hidden = rows[
        (rows["measure"] == "perception")
        & (rows["status"] == "suppressed")
        & rows["segment"].isin(["doing", "leading"])
    ]
    gone = set(hidden.loc[hidden["unit_id"].isin(["x", "y"]), "unit_id"])
    assert "x" in gone
    assert (
        sources.loc[sources["unit_id"].isin(gone) & sources["source"].isin(["role_mix", "answers"]), "points"]
        .isna()
        .all()
    )


def test_the_share_of_the_same_answer_throughout_hides_below_the_minimum(tmp_path):
    """Of six people two answered both plain and reversed items of the scale."""
    organisation = folded({"x": {"manager": 6}, "y": {"manager": 9}}, {})
    organisation.reversed_items = ("compared_with",)
    for place, row in enumerate(organisation.responses):
        if row["unit_id"] == "x" and place >= 2:
            row["compared_with"] = ""
    assert recovered(organisation, tmp_path, {"straightliners"}) == []
    rows = published(tmp_path / "results", "measures")
    rows = rows[(rows["measure"] == "straightliner_share") & (rows["barrier_id"] == "measurement")]
    shown = rows[rows["n"].notna() | rows["value"].notna()]
    assert (shown["n"] >= 5).all()


def test_a_softened_share_is_tact_and_follows_from_the_other_levels_as_the_method_says(tmp_path):
    """Of 40 one ticked the lowest level and nobody the second: what is printed as "<= 5 %" is what the others leave."""
    organisation = folded({"x": {"frontline": 40}}, {})
    for place, row in enumerate(organisation.responses):
        row["purpose_told"] = 1 if place == 0 else 3 + place % 3
    results = attackers.assessed(organisation, tmp_path)
    items = published(results, "items")
    cell = items[(items["unit_id"] == "x") & (items["item_id"] == "purpose_told") & (items["segment"] == "all")]
    levels = cell[cell["level"].isin(list("12345"))].set_index("level")
    assert (levels.loc["1", "share"], levels.loc["2", "note"]) == (1 / 40, "<= 5 %")
    assert levels["share"].isna().to_dict() == {"1": False, "2": True, "3": False, "4": False, "5": False}
    assert levels["share"].sum() == pytest.approx(1)


def _hidden(organisation: Organisation, folder: Path) -> set[tuple[str, str]]:
    rows = published(attackers.assessed(organisation, folder), "measures")
    cells = rows[(rows["measure"] == "perception") & (rows["barrier_id"] == "measurement") & rows["value"].isna()]
    return set(zip(cells["unit_id"], cells["segment"], strict=True))


@pytest.mark.parametrize(
    "units",
    [
        {"works-a": (13, 4, 3, 2), "paint": (10, 0, 1, 1), "hr": (5, 3, 1, 0), "it": (13, 1, 0, 0)},
    ],
)
def test_the_order_of_units_decides_nothing(tmp_path, units):
    roles = ("frontline", "manager", "technical", "executive")
    parents = {"works-a": "works", "paint": "works", "hr": "admin", "it": "admin"}
    organisation = folded({name: dict(zip(roles, counts, strict=True)) for name, counts in units.items()}, parents)
    hidden = []
    for order in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [0, 1, 3, 2, 5, 4], [3, 0, 4, 1, 5, 2], [1, 0, 4, 5, 2, 3]):
        names = [organisation.units[place] for place in order]
        again = Organisation(units=names, responses=organisation.responses)
        hidden.append(_hidden(again, tmp_path / "".join(map(str, order))))
    assert [cells ^ hidden[0] for cells in hidden] == [set()] * len(hidden)


# One by one: records ---------------------------------------------------------------------------------------------


def _log(people: dict[str, int], each: int, unit_id: str, *, named: bool = True) -> list[dict]:
    """Decisions of so many people (`each` times their number), right in two of three."""
    rows = []
    for number, (who, times) in enumerate(people.items()):
        for place in range(each * times):
            answers = {
                "final": "pay" if place % 7 else "reject",
                "correct": "pay" if (place + number) % 3 else "reject",
            }
            rows.append(decision(f"{unit_id}-{who}-{place}", unit_id, who if named else "", **answers))
    return rows


def _three(**headcounts: int | str) -> list[dict]:
    return [unit("p", headcount=headcounts.get("p", "")), *(unit(name, "p", headcounts.get(name, "")) for name in "xy")]


def test_one_decider_is_not_what_a_parent_holds_beyond_her_sister_unit(tmp_path):
    organisation = Organisation(units=_three(p=60, x=30, y=30))
    organisation.decisions = _log({"a": 1}, 40, "x") + _log({f"y{place}": 1 for place in range(7)}, 20, "y")
    assert recovered(organisation, tmp_path, {"decision"}) == []


def test_one_decider_is_not_five_because_there_are_five_levels(tmp_path):
    organisation = Organisation(units=_three(p=60, x=30, y=30))
    organisation.decisions = _log({"a": 1}, 40, "x") + _log({f"y{place}": 1 for place in range(7)}, 20, "y")
    for place, row in enumerate(organisation.decisions):
        row["autonomy_level"] = place % 5
    assert recovered(organisation, tmp_path, {"decision"}) == []


@pytest.mark.parametrize("headcounts", [{"p": 36, "x": 6, "y": 30}, {"p": 36, "y": 30}, {}])
def test_a_small_unit_whose_deciders_nobody_knows_stays_hidden(tmp_path, headcounts):
    """x has 6 people, or nobody says how many."""
    organisation = Organisation(units=_three(**headcounts))
    organisation.decisions = _log({"a": 1}, 40, "x", named=False)
    organisation.decisions += _log({f"y{place}": 1 for place in range(7)}, 20, "y")
    assert recovered(organisation, tmp_path, {"decision"}) == []


def test_a_unit_whose_decisions_are_one_persons_hides_them(tmp_path):
    """Five deciders, one with 90 % of the decisions."""
    organisation = Organisation(units=_three(p=60, x=30, y=30))
    organisation.decisions = _log({"a": 36, "b": 1, "c": 1, "d": 1, "e": 1}, 5, "x")
    organisation.decisions += _log({f"y{place}": 1 for place in range(9)}, 20, "y")
    results = attackers.assessed(organisation, tmp_path)
    rows = published(results, "measures")
    of = rows[(rows["table"] == "decisions") & (rows["unit_id"] == "x") & (rows["wave"] == "2026-Q3")]
    assert of.loc[of["status"] == "ok", "measure"].tolist() == []
    assert attackers.dominated(organisation, results) == []


def test_a_unit_with_five_even_deciders_is_shown(tmp_path):
    organisation = Organisation(units=_three(p=60, x=30, y=30))
    organisation.decisions = _log(dict.fromkeys("abcde", 1), 20, "x") + _log(
        {f"y{place}": 1 for place in range(9)}, 20, "y"
    )
    rows = published(attackers.assessed(organisation, tmp_path), "measures")
    of = rows[(rows["measure"] == "accuracy_bounds") & (rows["unit_id"] == "x")]
    assert of["status"].tolist() == ["ok"]


def test_users_of_a_small_unit_are_not_a_parents_less_its_sisters(tmp_path):
    organisation = Organisation(units=_three(), initiatives=[initiative("ai", "p")])
    organisation.usage = [used("ai", "x", 3, 1, 2), used("ai", "y", 20, 9, 11)]
    assert recovered(organisation, tmp_path, {"adoption", "trained_share"}) == []


def test_a_job_without_headcount_is_not_shown(tmp_path):
    organisation = Organisation(units=_three(x=30, y=30))
    organisation.tasks = [
        task("x", "clerk", "a", "", 100),
        task("x", "clerk", "b", "", 60),
        task("y", "clerk", "a", 12, 80),
    ]
    assert recovered(organisation, tmp_path, {"hours"}) == []


def test_a_job_of_two_does_not_follow_from_jobs_and_blockers(tmp_path):
    organisation = Organisation(units=_three(x=30, y=30))
    organisation.tasks = [
        task("x", "clerk", "a", 2, 100, blocker="no_access"), task("x", "planner", "a", 9, 70),
        task("y", "clerk", "a", 12, 80), task("y", "planner", "a", 7, 50, blocker="no_access"),
    ]  # fmt: skip
    assert recovered(organisation, tmp_path, {"hours"}) == []


def test_a_trial_of_one_case_per_arm_shows_no_result(tmp_path):
    organisation = Organisation(units=_three(), initiatives=[initiative("ai", "x")])
    organisation.trials = [arm("ai", "control", 1, 0), arm("ai", "treatment", 1, 1)]
    results = attackers.assessed(organisation, tmp_path)
    verdicts = published(results, "verdicts")
    numbers = ["improvement", "low", "high", "lower", "upper", "deciding_improvement"]
    numbers += ["deciding_lower", "deciding_upper", "deciding_bound"]
    assert len(verdicts) == 1
    assert verdicts[numbers].isna().all(axis=None)


# Single people in small cells ------------------------------------------------------------------------------------


def test_no_published_digits_of_five_to_nine_people_fit_one_set_of_scores_only(tmp_path):
    """Mean and interval at full precision give all five scores of a group of five; nothing published may."""
    organisation = folded({name: {"frontline": 5} for name in "abcdefgh"}, {})
    rng = np.random.default_rng(3)
    for row in organisation.responses:  # they agree, as people of one team do
        row |= {item: int(rng.integers(3, 5)) for item in ITEMS["item_id"] if row[item] != ""}
    results = attackers.assessed(organisation, tmp_path)
    assert attack_single.read_back(organisation, results) == []


def test_nothing_tells_the_spread_of_five_to_nine_people(tmp_path):
    """No interval, no agreement, no p value: each is one more equation for their answers."""
    units = {name: {"frontline": 5, "manager": 3} for name in "abcdef"}
    organisation = folded(units, {})
    organisation.responses += staff(units, "2026-Q2", seed=3)
    results = attackers.assessed(organisation, tmp_path)
    rows = published(results, "measures")
    few = rows[
        (rows["table"] == "responses")
        & rows["n"].between(5, 9)
        & rows["unit"].isin(["score", "points", "delta", "index"])
    ]
    assert set(few["measure"]) >= {"perception", "change"}
    assert few[["low", "high"]].isna().all(axis=None)
    assert not few["measure"].isin(["rwg_j", "role_gap"]).any()
    assert not few["note"].astype(str).str.contains("p 0").any()
    for name, columns in (
        ("themes", ["low", "high"]),
        ("barriers", ["perception_low", "perception_high", "low", "high"]),
    ):
        table = published(results, name)
        table = table[table["n"].between(5, 9)]
        assert len(table)
        assert table[columns].isna().all(axis=None)


def test_the_sets_of_scores_are_few_where_mean_and_interval_are_printed_in_full():
    """Scores 0, 0, 25, 100, 100 of one item: mean 45 and its interval leave one set of five, the mean alone more."""
    scores = np.array([0.0, 0.0, 25.0, 100.0, 100.0])
    assert attack_single.sets_of(5, {"mean": scores.mean()}, grid=np.arange(0, 101, 25)) == 11
    assert attack_single.sets_of(5, {"mean": scores.mean(), "sd": scores.std(ddof=1)}, grid=np.arange(0, 101, 25)) == 1


# The least possible ----------------------------------------------------------------------------------------------


def test_the_least_that_protects_four_managers_are_three_cells(tmp_path):
    """Of x 10 managers, y 6 and 4: y/leading is y - y/doing, and p/leading - x. Without x and y it is neither."""
    organisation = folded(EMPTY, {"x": "p", "y": "p"})
    found = attack_least.least_hidden(organisation, attackers.assessed(organisation, tmp_path))
    assert found.cells == ("2026-Q3 x/all", "2026-Q3 x/leading", "2026-Q3 y/all")


# Acceptance ------------------------------------------------------------------------------------------------------


@pytest.mark.acceptance
def test_nothing_is_recovered_from_140_random_organisations():
    tally = run(range(140), bounds=range(140))
    print("\n" + table(tally))  # noqa: T201 - what `make acceptance` is read for
    assert not tally.recoveries
    assert not tally.mistaken


__all__ = ["ITEMS", "pd"]


@pytest.mark.acceptance
def test_the_gate_hides_little_more_than_the_least_possible(tmp_path):
    """Beside it: what exact sums of the scales alone would need; the gate also guards items, whole points and runs."""
    lines, gate, least = [], 0, 0
    for seed in range(24):
        organisation = attack_least.small(seed)
        found = attack_least.least_hidden(organisation, attackers.assessed(organisation, tmp_path / str(seed)))
        if found is not None:
            lines.append(f"{seed:>4}{found.printed:>16}{len(found.gate):>18}{len(found.cells):>8}")
            gate, least = gate + len(found.gate), least + len(found.cells)
    head = f"{'seed':>4}{'large cells':>16}{'hidden by gate':>18}{'least':>8}"
    print("\n".join(["", head, *lines, f"{'all':>4}{'':>16}{gate:>18}{least:>8}"]))  # noqa: T201
    assert least <= gate


@pytest.mark.acceptance
def test_cells_hidden_of_the_sample_are_counted(sample_results):
    """Printed to be read: how many large cells of the sample are hidden for the sake of small ones."""
    rows = published(sample_results, "measures")
    hidden = rows.assign(hidden=rows["status"] == "suppressed").groupby("table")["hidden"].agg(["sum", "size"])
    print("\n" + hidden.to_string())  # noqa: T201
    assert hidden["sum"].gt(0).any()
