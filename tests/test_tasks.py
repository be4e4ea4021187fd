from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures import tasks
from aiready.model import registry, schema

ONET = Path(__file__).parents[1].parent / "shared" / "data" / "onet_tasks"
RULES = Instrument(
    *[pd.DataFrame()] * 8, settings=Settings(), intro="", version="test", digest=""
)  # tasks look at the settings alone


def data_of(rows: list[dict] | pd.DataFrame, members: list[tuple[str, str]] | None = None) -> Data:
    """A data folder of one table, typed as `sources` would."""
    table = pd.DataFrame(rows)
    for column in schema.TABLES["tasks"].columns:
        text = column.kind in ("text", "id", "wave")
        if column.name not in table:
            table[column.name] = None if text else np.nan
        table[column.name] = table[column.name].astype(object if text else float)
    table["wave"] = table["wave"].where(table["wave"].notna(), "2026-Q3")
    units = list(dict.fromkeys(table["unit_id"]))
    pairs = members or [*((unit, unit) for unit in units), *(("*", unit) for unit in units)]
    return Data(
        tables={"tasks": table},
        units=pd.DataFrame({"unit_id": units}),
        membership=pd.DataFrame(pairs, columns=["unit_id", "member_id"]),
        waves=("2026-Q3",),
        wave="2026-Q3",
        as_of=None,
    )


def task(task_id: str, hours: float, s: float, a: float, s_obs: float, rw: float, oversight: float, **more) -> dict:
    return {
        "unit_id": "claims", "job": "Handler", "task_id": task_id, "task": task_id, "hours_per_year": hours,
        "expected_saving": s, "adoption": a, "observed_saving": s_obs, "rework": rw,
        "oversight_hours": oversight,
    } | more  # fmt: skip


REPLY = task("reply", 120, 0.5, 0.6, 0.4, 0.05, 0, blocker="not_trusted", evidence="measured", mode="augment")
CLASSIFY = task("classify", 80, 0.9, 0.5, 0.8, 0, 4, blocker="does_not_fit", evidence="reported", mode="automate")
SUMMARY = task("summary", 60, 0.25, 0.2, 0.3, 0.1, 0, mode="augment")
CALL = {
    "unit_id": "claims",
    "job": "Handler",
    "task_id": "call",
    "task": "call",
    "hours_per_year": 140,
    "mode": "human",
}
FOUR = [REPLY, CLASSIFY, SUMMARY, CALL]


def cell(made: pd.DataFrame, measure: str, segment: str = "all", unit_id: str = "claims") -> pd.Series:
    chosen = made[(made["measure"] == measure) & (made["segment"] == segment) & (made["unit_id"] == unit_id)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def value(made: pd.DataFrame, measure: str, segment: str = "all", unit_id: str = "claims") -> float:
    return float(cell(made, measure, segment, unit_id)["value"])


def test_four_tasks_give_the_reference_hours() -> None:
    made = tasks.measure(data_of(FOUR), RULES)
    assert value(made, "potential_hours") == pytest.approx(147)
    assert value(made, "realised_hours") == pytest.approx(58.6)
    assert value(made, "last_mile_gap_hours") == pytest.approx(88.4)
    assert value(made, "realised_rate") == pytest.approx(0.398639, abs=5e-7)
    assert cell(made, "realised_rate")["n"] == 4


def test_the_reply_s_gap_has_its_four_parts() -> None:
    made = tasks.measure(data_of([REPLY]), RULES)
    assert [value(made, part) for part in tasks.GAP_PARTS] == pytest.approx([24, 7.2, 1.44, 0])


@pytest.mark.slow
def test_hours_grow_with_headcount_and_say_so_when_it_is_absent() -> None:
    alone = tasks.measure(data_of(FOUR), RULES)
    many = tasks.measure(data_of([row | {"headcount": 10} for row in FOUR]), RULES)
    for name in ("potential_hours", *tasks.FOLLOWED_HOURS):
        assert value(many, name) == pytest.approx(10 * value(alone, name))
    assert "headcount absent" in cell(alone, "potential_hours")["note"]
    assert cell(alone, "potential_hours")["people"] == 0  # how many hold the job is not known: that counts as few
    assert cell(many, "potential_hours")["people"] == 10
    assert "2.8 hours per holder and week" in cell(many, "potential_hours")["note"]


def test_people_are_the_holders_of_the_job_counted_once_per_job_and_unit() -> None:
    rows = [row | {"headcount": 4} for row in FOUR] + [row | {"job": "Clerk", "headcount": 7} for row in FOUR]
    rows += [row | {"unit_id": "cards", "headcount": 3} for row in FOUR]
    made = tasks.measure(data_of(rows), RULES)
    assert cell(made, "realised_rate", "Handler")["people"] == 4
    assert cell(made, "realised_rate")["people"] == 11
    assert cell(made, "gap_rework", "Handler", "*")["people"] == 7
    assert cell(made, "potential_hours", "all", "*")["people"] == 14
    assert np.isnan(cell(made, "exposure_beta", "Handler")["people"])
    assert np.isnan(cell(made, "task_count", "Handler")["people"])


def test_a_parent_adds_up_its_members_rows() -> None:
    rows = [row | {"headcount": 10} for row in FOUR] + [row | {"unit_id": "cards", "headcount": 30} for row in FOUR]
    members = [
        ("claims", "claims"),
        ("cards", "cards"),
        ("insurance", "claims"),
        ("insurance", "cards"),
        ("*", "claims"),
    ]
    made = tasks.measure(data_of(rows, [*members, ("*", "cards")]), RULES)
    for unit_id in ("insurance", "*"):
        assert value(made, "last_mile_gap_hours", unit_id=unit_id) == pytest.approx(88.4 * 40)
        assert value(made, "task_count", unit_id=unit_id) == 4


@pytest.mark.slow
def test_a_person_s_task_has_no_saving_unless_ai_is_meant_to_join() -> None:
    planned = task("call", 140, 0.5, np.nan, np.nan, np.nan, np.nan, mode="human")
    only = tasks.measure(data_of([planned]), RULES)
    assert value(only, "potential_hours") == 0
    assert value(only, "last_mile_gap_hours") == 0
    assert cell(only, "realised_rate")["status"] == registry.INSUFFICIENT
    meant = tasks.measure(data_of([planned | {"target_mode": "augment"}]), RULES)
    assert value(meant, "last_mile_gap_hours") == pytest.approx(70)
    assert value(meant, "gap_not_adopted") == pytest.approx(70)


@pytest.mark.slow
def test_realised_hours_may_be_negative_and_rates_above_one_are_flagged() -> None:
    costly = tasks.measure(data_of([task("check", 100, 0.2, 1, -0.1, 0, 5)]), RULES)
    assert value(costly, "realised_hours") == pytest.approx(-15)
    assert cell(costly, "rework_oversight_rate")["status"] == registry.INSUFFICIENT
    better = tasks.measure(data_of([task("check", 100, 0.2, 1, 0.4, 0, 0)]), RULES)
    assert value(better, "realised_rate") == pytest.approx(2)
    assert "above 1" in cell(better, "realised_rate")["note"]


@pytest.mark.slow
def test_a_task_without_hours_or_saving_is_left_out_and_counted() -> None:
    unknown = task("other", np.nan, 0.5, 0.5, 0.5, 0, 0)
    made = tasks.measure(data_of([*FOUR, unknown]), RULES)
    assert value(made, "potential_hours") == pytest.approx(147)
    assert "4 of 5 tasks have hours and an expected saving" in cell(made, "potential_hours")["note"]
    little = tasks.measure(data_of([REPLY, unknown, unknown | {"task_id": "third"}]), RULES)
    assert cell(little, "potential_hours")["status"] == registry.INSUFFICIENT


@pytest.mark.slow
@pytest.mark.parametrize("blank", ["adoption", "observed_saving", "rework", "oversight_hours"])
def test_a_blank_bounds_the_gap_by_all_and_nothing(blank: str) -> None:
    made = tasks.measure(data_of([REPLY, CLASSIFY, SUMMARY | {blank: np.nan}, CALL]), RULES)
    gap, realised = cell(made, "last_mile_gap_hours"), cell(made, "realised_hours")
    whole = tasks.measure(data_of(FOUR), RULES)
    assert gap["low"] <= value(whole, "last_mile_gap_hours") <= gap["high"]
    assert realised["low"] <= value(whole, "realised_hours") <= realised["high"]
    assert gap["high"] == pytest.approx(value(made, "potential_hours") - realised["value"])
    assert gap["value"] == pytest.approx(sum(value(made, part) for part in tasks.GAP_PARTS))
    rate = cell(made, "realised_rate")
    assert rate["low"] == pytest.approx(realised["low"] / 147)
    assert rate["high"] == pytest.approx(realised["high"] / 147)
    assert "3 of 4 tasks" in gap["note"]


@pytest.mark.slow
@pytest.mark.parametrize(("observed", "rate"), [(-0.1, -0.5), (0.4, 2)])
def test_the_bounds_of_a_rate_below_nothing_or_above_all_hold_it(observed: float, rate: float) -> None:
    known = [task(name, 100, 0.2, 1, observed, 0, 0) for name in ("first", "second", "third")]
    partly = cell(tasks.measure(data_of([*known, task("fourth", 100, 0.2, 1, np.nan, 0, 0)]), RULES), "realised_rate")
    assert partly["value"] == pytest.approx(rate)
    assert (partly["low"], partly["high"]) == pytest.approx((min(rate, 0.75 * rate), max(rate, 0.75 * rate + 0.25)))


def test_below_the_coverage_floor_hours_are_insufficient_but_a_known_adoption_still_counts() -> None:
    made = tasks.measure(data_of([REPLY | {"observed_saving": np.nan}, CLASSIFY, SUMMARY, CALL]), RULES)
    assert cell(made, "realised_rate")["status"] == registry.INSUFFICIENT
    assert cell(made, "last_mile_gap_hours")["status"] == registry.INSUFFICIENT
    assert value(made, "not_adopted_rate") == pytest.approx((24 + 36 + 12) / 147)


def test_no_adoption_needs_no_further_record() -> None:
    unused = task("reply", 120, 0.5, 0, np.nan, np.nan, np.nan)
    assert value(tasks.measure(data_of([unused]), RULES), "gap_not_adopted") == pytest.approx(60)


def test_rework_and_oversight_are_a_share_of_the_hours_saved() -> None:
    made = tasks.measure(data_of(FOUR), RULES)
    saved = 120 * 0.6 * 0.4 + 80 * 0.5 * 0.8 + 60 * 0.2 * 0.3
    assert value(made, "rework_oversight_rate") == pytest.approx((1.44 + 0.36 + 4) / saved)


@pytest.mark.slow
def test_measured_and_reported_savings_are_told_apart() -> None:
    made = tasks.measure(data_of([REPLY, CLASSIFY, CALL]), RULES)
    assert value(made, "measured_share") == pytest.approx(27.36 / (27.36 + 28))
    assert "49 % of the saving measured, 51 % reported" in cell(made, "realised_hours")["note"]
    partly = cell(tasks.measure(data_of(FOUR), RULES), "measured_share")
    assert partly["low"] < partly["value"] < partly["high"]


def test_the_gap_by_blocker_adds_up_and_keeps_the_unknown_apart() -> None:
    made = tasks.measure(data_of([row | {"headcount": 8} for row in FOUR]), RULES)
    rows = made[(made["measure"] == "gap_by_blocker") & (made["unit_id"] == "claims")]
    parts = rows[rows["segment"] != "all"].set_index("segment")["value"]
    assert parts.to_dict() == pytest.approx({"does_not_fit": 352, "not_trusted": 261.12, "unknown": 94.08})
    assert parts.sum() == pytest.approx(value(made, "last_mile_gap_hours"))
    assert (rows["people"] == 8).all()


@pytest.mark.slow
@pytest.mark.parametrize(("count", "words"), [(14, "too coarse"), (15, ""), (20, ""), (21, "too fine")])
def test_task_counts_outside_15_to_20_are_said_to_be_coarse_or_fine(count: int, words: str) -> None:
    made = tasks.measure(data_of([REPLY | {"task_id": str(number)} for number in range(count)]), RULES)
    note = cell(made, "task_count", "Handler")["note"]
    assert words in note
    assert bool(words) == bool(note)
    assert value(made, "task_count") == count


def test_tasks_that_fill_more_than_a_working_year_are_noted() -> None:
    made = tasks.measure(data_of([REPLY | {"hours_per_year": 2500, "headcount": 6}]), RULES)
    assert "2,500 hours a year for one person" in cell(made, "potential_hours", "Handler")["note"]


@pytest.mark.slow
def test_exposure_is_weighted_by_weight_else_by_hours_else_equally() -> None:
    rows = [REPLY | {"exposure": "E1"}, CLASSIFY | {"exposure": "E2"}, SUMMARY | {"exposure": "E0"}]
    weighted = [row | {"weight": weight} for row, weight in zip(rows, (1, 0.5, 0.5), strict=True)]
    bare = [row | {"hours_per_year": np.nan} for row in rows]
    for given_rows, expected, words in (
        (weighted, (0.5, 0.625, 0.75), "by weight"),
        (rows, (120 / 260, 160 / 260, 200 / 260), "by hours"),
        (bare, (1 / 3, 0.5, 2 / 3), "equally"),
    ):
        made = tasks.measure(data_of(given_rows), RULES)
        assert [value(made, name) for name in tasks.EXPOSURE] == pytest.approx(expected)
        assert words in cell(made, "exposure_alpha")["note"]


@pytest.mark.slow
def test_unlabelled_tasks_bound_exposure_and_too_many_hide_it() -> None:
    rows = [task(str(number), 10, *[np.nan] * 5, exposure="E1" if number < 3 else "E0") for number in range(4)]
    made = tasks.measure(data_of([*rows[:3], rows[3] | {"exposure": None}]), RULES)
    assert (cell(made, "exposure_alpha")[["value", "low", "high"]] == [1, 0.75, 1]).all()
    few = tasks.measure(data_of([rows[0], *(row | {"exposure": None} for row in rows[1:])]), RULES)
    assert cell(few, "exposure_alpha")["status"] == registry.INSUFFICIENT


def test_every_reporting_unit_has_every_measure_whatever_is_missing() -> None:
    members = [("claims", "claims"), ("cards", "cards"), ("*", "claims"), ("*", "cards")]
    bare = {"unit_id": "claims", "job": "Handler", "task_id": "reply", "task": "Reply"}
    made = tasks.measure(data_of([bare], members), RULES)
    assert list(made.columns) == list(registry.UNGATED_COLUMNS)
    assert not made.duplicated(list(registry.KEY)).any()
    for unit_id, status in (("claims", {"insufficient", "ok"}), ("cards", {"not_measured"})):
        rows = made[made["unit_id"] == unit_id]
        assert set(rows["measure"]) == set(registry.measures_of_table("tasks"))
        assert set(rows["status"]) == status
    assert (made.loc[made["status"] == "insufficient", "note"] != "").all()


def test_an_absent_table_says_what_to_collect() -> None:
    empty = replace(data_of(FOUR), tables={})
    made = tasks.measure(empty, RULES)
    assert len(made) == 2 * len(registry.measures_of_table("tasks"))
    assert made["note"].str.startswith("collect `tasks`").all()


def test_waves_are_kept_apart() -> None:
    rows = FOUR + [row | {"wave": "2026-Q2", "adoption": 0} for row in FOUR]
    made = tasks.measure(data_of(rows), RULES).query("measure == 'realised_hours' and segment == 'all'")
    by_wave = made[made["unit_id"] == "claims"].set_index("wave")["value"]
    assert by_wave["2026-Q3"] == pytest.approx(58.6)
    assert by_wave["2026-Q2"] == pytest.approx(-4)  # what is spent on checking is spent


def test_the_task_table_has_every_task_with_its_hours_and_holders() -> None:
    rows = [row | {"headcount": 10} for row in FOUR] + [row | {"unit_id": "cards", "adoption": np.nan} for row in FOUR]
    blockers = pd.DataFrame({"blocker": ["not_trusted"], "barrier_id": ["trust_governance"]})
    table = tasks.task_table(data_of(rows), replace(RULES, blockers=blockers)).set_index(["unit_id", "task_id"])
    assert len(table) == 8
    reply = table.loc[("claims", "reply")]
    assert (reply["people"], reply["potential"], reply["gap"]) == pytest.approx((10, 600, 326.4))
    assert reply["barrier_id"] == "trust_governance"
    assert np.isnan(table.loc[("cards", "reply"), "people"])
    assert np.isnan(table.loc[("cards", "reply"), "gap"])
    known = table[["realised", "gap", "unfollowed"]].fillna(0).sum(axis=1)
    assert known.to_numpy() == pytest.approx(table["potential"].to_numpy())


def test_without_tasks_the_task_table_is_empty() -> None:
    table = tasks.task_table(replace(data_of(FOUR), tables={}), RULES)
    assert table.empty
    assert "gap" in table


share = st.floats(0, 1)
hours = st.floats(0, 8784)


@pytest.mark.slow
@examples(12)
@given(
    st.lists(
        st.tuples(hours, share, share, st.floats(-1, 1), share, hours, st.integers(1, 500)),
        min_size=1,
        max_size=6,
    )
)
def test_the_gap_splits_exactly_into_its_parts(numbers: list[tuple[float, ...]]) -> None:
    rows = [task(str(place), *row[:6], headcount=row[6]) for place, row in enumerate(numbers)]
    made = tasks.measure(data_of(rows), RULES)
    gap = value(made, "last_mile_gap_hours")
    potential, realised = value(made, "potential_hours"), value(made, "realised_hours")
    parts = sum(value(made, part) for part in tasks.GAP_PARTS)
    scale = max(1.0, sum(row[0] * row[6] + row[5] * row[6] for row in numbers))
    assert abs(gap - (potential - realised)) <= 1e-9 * scale
    assert abs(gap - parts) <= 1e-9 * scale


@pytest.mark.slow
@examples(12)
@given(st.lists(st.sampled_from(["E0", "E1", "E2"]), min_size=1, max_size=8), st.randoms())
def test_exposure_lies_between_0_and_1_in_order_whatever_the_sequence(labels: list[str], chance: Random) -> None:
    turned = chance.sample(labels, len(labels))
    rows = [
        {"unit_id": unit_id, "job": "Handler", "task_id": str(place), "exposure": label}
        for unit_id, order in (("claims", labels), ("cards", turned))
        for place, label in enumerate(order)
    ]
    made = tasks.measure(data_of(rows), RULES)
    alpha, beta, zeta = (value(made, name) for name in tasks.EXPOSURE)
    assert 0 <= alpha <= beta <= zeta <= 1
    assert value(made, "exposure_beta", unit_id="cards") == pytest.approx(beta)


@pytest.fixture(scope="module")
def onet() -> pd.DataFrame:
    if not ONET.exists():
        pytest.skip(f"public task data absent: {ONET}")
    return pd.read_csv(ONET / "full_labelset.tsv", sep="\t", index_col=0)


def onet_rows(statements: pd.DataFrame, labels: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unit_id": statements["O*NET-SOC Code"],
            "job": statements["Title"],
            "task_id": statements["Task ID"].astype(str),
            "task": statements["Task"],
            "weight": np.where(statements["Task Type"] == "Core", 1, 0.5),
            "exposure": statements[labels],
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize(("labels", "prefix"), [("human_labels", "human_rating"), ("gpt4_exposure", "dv_rating")])
def test_published_occupation_scores_are_reproduced(onet: pd.DataFrame, labels: str, prefix: str) -> None:
    published = pd.read_csv(ONET / "occ_level.csv").set_index("O*NET-SOC Code")
    made = tasks.measure(data_of(onet_rows(onet, labels)), RULES)
    made = made[(made["segment"] == "all") & (made["unit_id"] != "*")]
    wide = made.pivot(index="unit_id", columns="measure", values="value").reindex(published.index)
    for ours, theirs in (("alpha", "alpha"), ("beta", "beta"), ("zeta", "gamma")):
        assert np.abs(wide[f"exposure_{ours}"] - published[f"{prefix}_{theirs}"]).max() < 1e-12
    assert len(wide) == 923


@pytest.mark.slow
def test_published_task_means_are_reproduced(onet: pd.DataFrame) -> None:
    made = tasks.measure(data_of(onet_rows(onet, "human_labels").drop(columns="weight")), RULES)
    means = [value(made, name, unit_id="*") for name in tasks.EXPOSURE]
    assert means == pytest.approx([0.148560, 0.3081, 0.4676], abs=5e-5)
    assert means[0] == pytest.approx(0.148560, abs=5e-7)


class TestRanges:
    """Savings stated as least, expected and most."""

    def made(self, *rows):
        return cell(tasks.measure(data_of(list(rows)), RULES), "potential_hours")

    def test_one_task_has_the_quantiles_of_its_triangle(self):
        row = self.made(REPLY | {"expected_saving_low": 0.3, "expected_saving_high": 0.6})
        exact = stats.triang(2 / 3, 0.3, 0.3).ppf([0.025, 0.975]) * 120
        assert (row["low"], row["high"]) == pytest.approx(tuple(exact), rel=0.02)
        assert row["value"] == 60
        assert "drawn" in row["note"]

    def test_a_sum_of_many_is_surer_than_its_parts(self):
        several = [REPLY | {"task_id": f"t{place}", "expected_saving_low": 0.3, "expected_saving_high": 0.6}
                   for place in range(16)]  # fmt: skip
        one, many = self.made(several[0]), self.made(*several)
        assert (many["high"] - many["low"]) / many["value"] < 0.4 * (one["high"] - one["low"]) / one["value"]

    def test_tasks_without_a_range_are_taken_as_stated(self):
        ranged = REPLY | {"expected_saving_low": 0.3, "expected_saving_high": 0.6}
        alone, beside = self.made(ranged), self.made(ranged, SUMMARY)
        assert beside["low"] - alone["low"] == pytest.approx(15)

    def test_without_ranges_there_is_no_interval(self):
        row = self.made(REPLY)
        assert np.isnan(row["low"])
        assert "drawn" not in row["note"]

    def test_the_same_data_give_the_same_range(self):
        ranged = REPLY | {"expected_saving_low": 0.3, "expected_saving_high": 0.6}
        assert self.made(ranged).equals(self.made(ranged))
