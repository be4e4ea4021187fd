"""Feedback and probes: definitions by hand, Kaplan-Meier against lifelines, absence is no evidence."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from aiready.inputs.dataset import Data
from aiready.instrument.model import Instrument, Settings
from aiready.measures import feedback
from aiready.model.registry import UNGATED_COLUMNS, measures_of_table
from aiready.model.schema import TABLES

AS_OF = date(2026, 9, 30)
STAMPS = ("flagged_at", "answered_at", "deployed_at", "declined_at", "asked_at")


def rules(**settings) -> Instrument:
    empty = pd.DataFrame()
    return Instrument(*[empty] * 8, settings=Settings(**settings), intro="", version="", digest="")


def data_of(unit_ids=("claims", "cards"), **tables) -> Data:
    units = pd.DataFrame({"unit_id": unit_ids})
    pairs = [(unit, unit) for unit in unit_ids] + [("*", unit) for unit in unit_ids]
    whole = {name: table.reindex(columns=TABLES[name].names) for name, table in tables.items()}
    for table in whole.values():
        for stamp in table.columns.intersection(STAMPS):
            table[stamp] = pd.to_datetime(table[stamp], format="ISO8601")
        if "correct" in table:
            table["correct"] = table["correct"].astype("boolean")
    membership = pd.DataFrame(pairs, columns=["unit_id", "member_id"])
    return Data(whole, units, membership, (), "2026-Q3", AS_OF)


def flags_of(*flags: tuple[str, str | None, str | None], **more) -> pd.DataFrame:
    table = pd.DataFrame(flags, columns=["flagged_at", "deployed_at", "declined_at"])
    return table.assign(unit_id="claims", **more)


def row(made: pd.DataFrame, measure: str, unit="claims", wave="2026-Q3") -> pd.Series:
    found = made.query("measure == @measure and unit_id == @unit and wave == @wave")
    assert len(found) == 1
    return found.iloc[0]


def test_every_unit_has_every_measure_once_in_the_current_quarter():
    made = feedback.measure(data_of(feedback=flags_of(("2026-07-01", None, None))), rules())
    assert list(made.columns) == list(UNGATED_COLUMNS)
    now = made[made["wave"] == "2026-Q3"]
    expected = {
        (u, m) for u in ("claims", "cards", "*") for m in measures_of_table("feedback") + measures_of_table("probes")
    }
    assert set(zip(now["unit_id"], now["measure"], strict=True)) == expected
    assert not now.duplicated(["unit_id", "measure"]).any()


def test_no_flags_is_no_evidence():
    made = feedback.measure(data_of(feedback=flags_of(("2026-07-01", None, None))), rules())
    assert set(made.query("unit_id == 'cards'")["status"]) == {"not_measured"}
    assert set(feedback.measure(data_of(), rules())["status"]) == {"not_measured"}


def test_closed_means_changed_or_declined_within_the_limit_among_flags_old_enough():
    flags = flags_of(
        ("2026-07-01", "2026-07-20", None),  # closed by a change
        ("2026-07-01", None, "2026-07-31"),  # declined on the last day
        ("2026-07-01", "2026-08-15", None),  # too late
        ("2026-07-01", None, None),  # open
        ("2026-09-20", "2026-09-21", None),  # too young to count
    )
    made = feedback.measure(data_of(feedback=flags), rules())
    closed = row(made, "feedback_closed_30d")
    assert (closed["value"], closed["n"]) == (0.5, 4)
    assert row(made, "feedback_declined_share")["value"] == 0.2


def test_young_flags_alone_are_insufficient():
    made = feedback.measure(data_of(feedback=flags_of(("2026-09-20", "2026-09-21", None))), rules())
    assert row(made, "feedback_closed_30d")["status"] == "insufficient"


def test_loop_is_the_kaplan_meier_median_of_flags_not_declined():
    from lifelines import KaplanMeierFitter

    random = np.random.default_rng(3)
    flagged = pd.Timestamp("2026-07-01") + pd.to_timedelta(random.integers(0, 60, 80), "D")
    deployed = pd.Series(flagged + pd.to_timedelta(random.exponential(40, 80), "D"))
    end = pd.Timestamp("2026-10-01")
    deployed = deployed.where(deployed < end)
    declined = pd.Series([flagged[i] + pd.Timedelta(days=1) if i % 8 == 0 else pd.NaT for i in range(80)])
    deployed = deployed.mask(declined.notna())
    flags = pd.DataFrame({"unit_id": "claims", "flagged_at": flagged, "deployed_at": deployed, "declined_at": declined})
    kept = declined.isna().to_numpy()
    days = ((deployed.fillna(end) - flagged) / pd.Timedelta(days=1))[kept]
    expected = KaplanMeierFitter().fit(days, deployed.notna()[kept]).median_survival_time_
    loop = row(feedback.measure(data_of(feedback=flags), rules()), "feedback_loop_p50")
    assert loop["value"] == pytest.approx(expected, rel=1e-12)
    assert loop["n"] == kept.sum() and loop["low"] < loop["value"] < loop["high"]


def test_loop_not_reached_is_no_number():
    flags = flags_of(*[("2026-09-01", None, None)] * 3)
    loop = row(feedback.measure(data_of(feedback=flags), rules()), "feedback_loop_p50")
    assert loop["status"] == "insufficient" and "30.0 days" in loop["note"]


def test_only_declined_flags_have_no_loop():
    flags = flags_of(("2026-07-01", None, "2026-07-02"))
    loop = row(feedback.measure(data_of(feedback=flags), rules()), "feedback_loop_p50")
    assert loop["status"] == "insufficient" and "declined" in loop["note"]


def test_a_quarter_of_declined_flags_beside_one_of_open_flags_has_no_loop_either():
    flags = flags_of(("2026-07-01", None, "2026-07-02"), ("2026-04-01", "2026-04-03", None))
    made = feedback.measure(data_of(feedback=flags), rules())
    assert row(made, "feedback_loop_p50")["note"] == "all flags were declined"
    assert row(made, "feedback_loop_p50", wave="2026-Q2")["value"] == 2


def test_insights_used_counts_ideas_and_insights_only():
    flags = flags_of(
        ("2026-07-01", "2026-07-20", None), ("2026-07-01", None, None), ("2026-07-01", "2026-07-20", None),
        category=["idea", "insight", "fault"],
    )  # fmt: skip
    used = row(feedback.measure(data_of(feedback=flags), rules()), "insight_used_share")
    assert (used["value"], used["n"]) == (0.5, 2)


def test_user_changes_counts_live_initiatives_changed_lately():
    initiatives = pd.DataFrame({
        "initiative_id": list("abcde"), "unit_id": ["claims"] * 4 + ["cards"],
        "stage": ["pilot", "limited", "scaled", "stopped", "pilot"],
    })  # fmt: skip
    flags = flags_of(
        ("2026-07-01", "2026-09-01", None),  # a: lately
        ("2026-02-01", "2026-03-01", None),  # b: long ago
        ("2026-07-01", None, None),  # c: open
        ("2026-07-01", "2026-09-01", None),  # d: stopped, not live
        initiative_id=list("abcd"),
    )
    made = feedback.measure(data_of(feedback=flags, initiatives=initiatives), rules())
    assert row(made, "user_changes")["value"] == pytest.approx(1 / 3)
    assert row(made, "user_changes", "*")["value"] == pytest.approx(1 / 4)
    assert row(made, "user_changes", "cards")["status"] == "not_measured"


def test_user_changes_needs_the_register():
    flags = flags_of(("2026-07-01", "2026-09-01", None), initiative_id="a")
    changes = row(feedback.measure(data_of(feedback=flags), rules()), "user_changes")
    assert changes["status"] == "not_measured" and "initiatives" in changes["note"]


def test_probes_six_of_ten():
    probes = pd.DataFrame({"unit_id": "claims", "asked_at": "2026-08-01", "correct": [True] * 6 + [False] * 4})
    found = row(feedback.measure(data_of(probes=probes), rules()), "probe_accuracy")
    assert [found["value"], found["low"], found["high"]] == pytest.approx([0.6, 0.312674, 0.831820], abs=5e-7)
    assert "fewer than 30" in found["note"]


def test_waves_are_quarters_of_the_flag():
    flags = flags_of(("2026-06-30 23:59", None, None), ("2026-07-01", None, None))
    made = feedback.measure(data_of(feedback=flags), rules())
    assert row(made, "feedback_declined_share", wave="2026-Q2")["n"] == 1
    assert row(made, "feedback_declined_share", wave="2026-Q3")["n"] == 1
