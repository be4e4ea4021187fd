"""Several runs into one folder: what they publish together gives nobody away, whatever changed between them."""

import shutil
from collections.abc import Callable

import numpy as np
import pytest
from attack_organisations import ITEMS, WAVES, Organisation, drawn, levels_of, person, staff, unit
from attack_runs import Runs

pytestmark = pytest.mark.slow

PEOPLE = {"x": {"frontline": 14, "technical": 2, "manager": 6}, "y": {"frontline": 12, "technical": 6, "manager": 7}}
THREE = {"x": "p", "y": "p"}


def first(**settings: str) -> Organisation:
    names = [unit("p"), unit("x", "p"), unit("y", "p")]
    return Organisation(units=names, responses=staff(PEOPLE), settings=settings)


def late(organisation: Organisation, *whom: tuple[str, str]) -> Organisation:
    """The organisation with so many answers more, of (unit, role)."""
    rng = np.random.default_rng(11)
    for number, (unit_id, role) in enumerate(whom):
        organisation.responses.append(person(f"late-{number}", unit_id, role, WAVES[-1], levels_of(rng, role)))
    return organisation


@pytest.fixture(scope="module")
def reported(tmp_path_factory) -> Runs:
    """The first run, with which every story begins."""
    runs = Runs(tmp_path_factory.mktemp("reported"))
    runs.report(first())
    return runs


@pytest.fixture
def runs(reported: Runs, tmp_path) -> Runs:
    """A copy of the folder after its first run."""
    return Runs(shutil.copytree(reported.folder, tmp_path, dirs_exist_ok=True), made=[*reported.made])


ONE_LATE = (("x", "frontline"),)
MIXED = (*[("x", "frontline")] * 4, ("x", "manager"))


def one_late(runs: Runs) -> None:
    runs.report(late(first(), *ONE_LATE))


def mixed_roles(runs: Runs) -> None:
    """Five late answers, one of a manager: an item that the four others are not asked changed by hers alone."""
    runs.report(late(first(), *MIXED))


def codes_anew(runs: Runs) -> None:
    runs.report(late(first(), *ONE_LATE), codes_anew=True)


def wave_relabelled(runs: Runs) -> None:
    runs.report(late(first(), *ONE_LATE), waves={"2026-Q3": "2026-09"})


def roles_cut_anew(runs: Runs) -> None:
    """The two technical people of x count to those who lead from the second run on."""
    runs.report(first(roles_doing="frontline", roles_leading="technical;manager;executive"))


def score_after(runs: Runs) -> None:
    runs.score(late(first(), *ONE_LATE))


def moved_people(runs: Runs) -> None:
    """Two move from x to y."""
    moved = first()
    for row in moved.responses[:2]:
        row["unit_id"] = "y"
    runs.report(moved)


def edited_answers(runs: Runs) -> None:
    """One person's answers are corrected."""
    edited = first()
    edited.responses[3] |= {item: 1 for item in ITEMS["item_id"] if edited.responses[3][item] != ""}
    runs.report(edited)


def unit_split(runs: Runs) -> None:
    """Three people of x stand in a unit of their own from the second run on."""
    split = first()
    split.units.append(unit("z", "p"))
    for row in split.responses[:3]:
        row["unit_id"] = "z"
    runs.report(split)


def four_runs(runs: Runs) -> None:
    """One more each time, and everything else at once."""
    runs.score(late(first(), ("x", "frontline")), codes_anew=True)
    runs.report(late(first(), ("x", "frontline"), ("y", "manager")), waves={"2026-Q3": "2026-09"})
    runs.report(late(first(), *MIXED, ("y", "manager")), codes_anew=True)


STORIES = (one_late, mixed_roles, codes_anew, wave_relabelled, roles_cut_anew, score_after, moved_people,
           edited_answers, unit_split, four_runs)  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_runs_together_give_nobody_away(runs, story: Callable[[Runs], None]):
    story(runs)
    assert runs.recoveries() == []


def test_a_report_after_a_score_gives_nobody_away(tmp_path):
    runs = Runs(tmp_path)
    runs.score(first())
    one_late(runs)
    assert runs.recoveries() == []


@pytest.mark.parametrize("story", [one_late, mixed_roles], ids=lambda story: story.__name__)
def test_the_same_runs_do_where_none_knows_of_the_others(runs, story: Callable[[Runs], None]):
    runs.apart = True
    story(runs)
    assert runs.recoveries()


def test_the_second_run_still_shows_what_five_and_more_changed(runs):
    """Ten more answers of one role: nothing has to be hidden for the sake of the first run."""
    runs.report(late(first(), *[("y", "frontline")] * 10))
    figures = [one for one in runs._figures(("scale",)) if one.name == "measurement"]
    assert any(row.name == "run 2: 2026-Q3 y/all" for figure in figures for row in figure.sums)


@pytest.mark.acceptance
@pytest.mark.parametrize("seed", range(12))
def test_four_runs_of_a_random_organisation_give_nobody_away(tmp_path, seed):
    rng, runs = np.random.default_rng(seed), Runs(tmp_path)
    organisation = drawn(seed)
    rows = organisation.responses
    here = rng.permutation(len(rows))
    for number, missing in enumerate((7, 3, 1, 0)):
        organisation.responses = [rows[place] for place in sorted(here[missing:])]
        anew, label = bool(rng.random() < 0.5), {"2026-Q3": "2026-09"} if number == 2 else None
        (runs.score if number == 1 else runs.report)(organisation, codes_anew=anew, waves=label)
    assert runs.recoveries() == []
