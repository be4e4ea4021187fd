import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures import workflows
from aiready.model import registry

RULES = Instrument(
    *[pd.DataFrame()] * 8, settings=Settings(), intro="", version="test", digest=""
)  # workflows look at the settings alone
BEFORE = "Open:human, Read:human, Check:human, Decide:human, Write:human"


def version(
    steps: str, version: str | None = "now", workflow: str = "Motor claim", unit_id: str = "claims"
) -> list[dict]:
    """`Name:actor:ai_use:work:wait, ...` as rows; what is left out is blank."""
    rows = []
    for number, step in enumerate(steps.split(","), start=1):
        name, actor, ai_use, work, wait = (step.strip().split(":") + [""] * 4)[:5]
        rows.append(
            {
                "unit_id": unit_id,
                "workflow": workflow,
                "version": version,
                "step_no": float(number),
                "step": name,
                "actor": actor or "human",
                "ai_use": ai_use or None,
                "work_minutes": float(work or np.nan),
                "wait_minutes": float(wait or np.nan),
                "initiative_id": None,
            }
        )
    return rows


def data_of(rows: list[dict]) -> Data:
    table = pd.DataFrame(rows)
    units = list(dict.fromkeys(table["unit_id"]))
    pairs = [*((unit, unit) for unit in units), *(("*", unit) for unit in units)]
    return Data(
        tables={"workflow_steps": table.astype({"version": object, "ai_use": object})},
        units=pd.DataFrame({"unit_id": units}),
        membership=pd.DataFrame(pairs, columns=["unit_id", "member_id"]),
        waves=("2026-Q3",),
        wave="2026-Q3",
        as_of=None,
    )


def cell(rows: list[dict], measure: str, segment: str = "all", unit_id: str = "claims") -> pd.Series:
    made = workflows.measure(data_of(rows), RULES)
    chosen = made[(made["measure"] == measure) & (made["segment"] == segment) & (made["unit_id"] == unit_id)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def changes(now: str, before: str = BEFORE) -> list[tuple[str, str, str]]:
    table = workflows.step_changes(data_of(version(before, "before") + version(now)))
    return list(table[["version", "step", "change"]].itertuples(index=False, name=None))


def now_changes(now: str, before: str = BEFORE) -> list[str]:
    return [change for when, _, change in changes(now, before) if when == "now"]


def test_nothing_changed_is_the_same_whatever_the_spelling() -> None:
    made = changes(
        " open :human, READ:human, check!:human, De-cide:human, write:human",
        BEFORE.replace("Decide", "De cide"),
    )
    assert {change for *_, change in made} == {"same", "kept"}


def test_another_actor_is_a_change() -> None:
    assert now_changes("Open, Read:ai, Check, Decide:human_ai, Write") == [
        "same",
        "actor",
        "same",
        "actor",
        "same",
    ]


def test_only_the_step_that_moved_is_reordered() -> None:
    assert now_changes("Write, Open, Read, Check, Decide") == ["reordered", "same", "same", "same", "same"]


def test_of_two_steps_that_changed_places_both_are_reordered() -> None:
    assert now_changes("Open, Check, Read, Decide, Write") == [
        "same",
        "reordered",
        "reordered",
        "same",
        "same",
    ]


def test_a_step_taken_out_changes_its_neighbours() -> None:
    assert ("before", "Check", "removed") in changes("Open, Read, Decide, Write")
    assert now_changes("Open, Read, Decide, Write") == ["same", "merged", "merged", "same"]


def test_a_new_step_in_place_of_old_ones_replaces_them_and_leaves_the_neighbours_alone() -> None:
    assert now_changes("Open, Read and check:ai, Decide, Write") == ["same", "replaces", "same", "same"]


def test_a_step_laid_on_top_is_added_and_no_redesign() -> None:
    steps = version(BEFORE, "before") + version("Open, Read, Draft:ai, Check, Decide, Write")
    made = workflows.step_changes(data_of(steps))
    assert made.loc[made["step"] == "Draft", ["change", "changed"]].to_numpy().tolist() == [["added", False]]
    assert not made["changed"].any()
    assert made["ai"].sum() == 1


def test_steps_of_one_name_meet_in_order() -> None:
    assert now_changes("Check, Read, Check", "Check, Read, Check") == ["same", "same", "same"]
    assert now_changes("Check, Read", "Check, Read, Check") == ["same", "merged"]


def test_without_a_version_before_nothing_is_known_to_have_changed() -> None:
    made = workflows.step_changes(data_of(version("Open, Read:ai") + version("Read:ai", "target")))
    assert made["change"].tolist() == ["unknown", "unknown", "planned"]
    assert not made[["changed", "compared"]].any(axis=None)


def test_everything_new_replaces_everything_old() -> None:
    assert now_changes("Receive:ai, Settle:human_ai") == ["replaces", "replaces"]


CLAIMS = "Open:human:none, Read:ai:redesigned, Check:human:redesigned, Decide:human_ai:layered, Write:human:layered"


def test_redesign_counts_only_with_a_changed_step() -> None:
    rows = version(BEFORE, "before") + version(CLAIMS)
    share = cell(rows, "operating_system_share")
    assert share["value"] == pytest.approx(1 / 4)  # Read changed its actor; Check claims and shows nothing
    assert share["n"] == 4
    assert np.isnan(share["low"])
    assert cell(rows, "redesign_claimed_share")["value"] == pytest.approx(1 / 4)


def test_a_claim_without_a_before_is_unknown_and_shown_as_a_claim() -> None:
    rows = version(BEFORE, "before") + version(CLAIMS) + version("Draft:ai:redesigned", workflow="Letters")
    share = cell(rows, "operating_system_share")
    assert share["value"] == pytest.approx(1 / 4)
    assert (share["low"], share["high"]) == pytest.approx((1 / 5, 2 / 5))
    assert "4 of 5 AI steps" in share["note"]
    assert cell(rows, "redesign_claimed_share")["value"] == pytest.approx(2 / 5)


def test_too_few_known_steps_are_insufficient() -> None:
    rows = version(BEFORE, "before") + version("Open:ai, Read:ai, Check:ai:layered, Decide, Write")
    assert cell(rows, "operating_system_share")["status"] == registry.INSUFFICIENT
    assert cell(rows, "redesign_claimed_share")["status"] == registry.INSUFFICIENT


def test_no_ai_step_is_insufficient_and_says_so() -> None:
    share = cell(version(BEFORE, "before") + version("Open, Read"), "operating_system_share")
    assert share["status"] == registry.INSUFFICIENT
    assert share["note"] == "no step uses AI now"


@pytest.mark.slow
def test_versions_are_segments_and_all_is_now() -> None:
    rows = version(BEFORE, "before") + version(CLAIMS, None) + version("Read:ai, Decide:human", "target")
    values = {name: cell(rows, "ai_step_share", name)["value"] for name in ("all", "now", "before", "target")}
    assert values == pytest.approx({"all": 0.8, "now": 0.8, "before": 0, "target": 0.5})


@pytest.mark.slow
def test_waiting_is_a_share_of_all_minutes() -> None:
    rows = version("Open:human::10:30, Read:human::20:0, Check:human::15:25")
    assert cell(rows, "wait_share")["value"] == pytest.approx(0.55)
    partly = cell(version("Open:human::10:30, Read:human::20:0, Check:human::15"), "wait_share")
    assert partly["value"] == pytest.approx(0.5)
    assert partly["note"] == "2 of 3 steps have work_minutes and wait_minutes"
    for unknown in ("Open:human::10:30, Read:human::20", "Open:human::0:0"):
        assert cell(version(unknown), "wait_share")["status"] == registry.INSUFFICIENT


@pytest.mark.slow
def test_handoffs_are_changes_of_actor_averaged_over_workflows() -> None:
    rows = version("Open:human, Read:ai, Check:ai, Decide:human, File:system")
    assert cell(rows, "handoffs")["value"] == 3
    both = [*rows, *version("Open:human, Read:human", workflow="Letters")]
    assert cell(both, "handoffs")["value"] == pytest.approx(1.5)
    assert cell(both, "handoffs")["n"] == 2
    elsewhere = [*rows, *version("Open:human, Read:ai", unit_id="cards")]
    assert cell(elsewhere, "handoffs", unit_id="*")["value"] == pytest.approx(2)


@pytest.mark.slow
def test_a_workflow_described_only_before_has_an_insufficient_now() -> None:
    rows = version(BEFORE, "before")
    for name in registry.measures_of_table("workflow_steps"):
        row = cell(rows, name)
        assert row["status"] == registry.INSUFFICIENT
        assert row["note"]
    assert cell(rows, "handoffs", "before")["value"] == 0


def test_every_reporting_unit_has_every_measure_and_no_people() -> None:
    data = data_of(version(CLAIMS) + version(CLAIMS, unit_id="cards"))
    rows = data.tables["workflow_steps"]
    one = Data(**{**vars(data), "tables": {"workflow_steps": rows[rows["unit_id"] == "claims"]}})
    made = workflows.measure(one, RULES)
    assert list(made.columns) == list(registry.UNGATED_COLUMNS)
    assert not made.duplicated(list(registry.KEY)).any()
    assert made["people"].isna().all()
    for unit_id in ("claims", "cards", "*"):
        assert set(made.loc[made["unit_id"] == unit_id, "measure"]) == set(registry.measures_of_table("workflow_steps"))
    assert set(made.loc[made["unit_id"] == "cards", "status"]) == {registry.NOT_MEASURED}
    absent = workflows.measure(Data(**{**vars(data), "tables": {}}), RULES)
    assert set(absent["status"]) == {registry.NOT_MEASURED}


@examples(50)
@given(st.permutations(range(7)))
def test_taking_out_reordered_steps_leaves_an_order_kept(places: list[int]) -> None:
    order = np.array(places)
    moved = workflows._out_of_order(order)
    assert (np.diff(order[~moved]) > 0).all()
    assert moved.any() == (np.diff(order) < 0).any()


@pytest.mark.slow
@examples(10)
@given(st.lists(st.sampled_from(["human", "ai", "human_ai"]), min_size=1, max_size=6), st.integers(0, 6))
def test_blanking_a_claim_never_improves_the_lower_bound(actors: list[str], blank: int) -> None:
    now = version(", ".join(f"Step {place}:{actor}:redesigned" for place, actor in enumerate(actors)))
    before = version(", ".join(f"Step {place}" for place in range(len(actors))), "before")
    full = cell(before + now, "operating_system_share")
    now[blank % len(now)]["ai_use"] = None
    less = cell(before + now, "operating_system_share")
    if less["status"] == full["status"] == registry.OK and not np.isnan(less["low"]):
        assert less["low"] <= full["value"] + 1e-12
