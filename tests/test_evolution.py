"""Exploration and evolution on a page: every measure with n and bounds, or the reason why there is none."""

import numpy as np
import pandas as pd
import pytest
from test_handout import assessed, measured, text_of

from aiready.messages import NBSP
from aiready.pages import handout, sentences, tables

NOTHING = {"value": np.nan, "n": np.nan}


def cells(*rows):
    """What is told of each measure, by the measure's name as readers know it."""
    table = tables.evolution(assessed(rows))
    return table.set_index("Measure").replace(NBSP, " ", regex=True).squeeze(axis=1).to_dict()


def test_counts_of_trials_keep_their_quarters_and_days_their_interval():
    told = cells(
        measured("trials_per_quarter", 6.75, n=35.0), measured("days_to_first_verdict", 42.0, 38.0, 45.0, n=33.0)
    )
    assert told["Trials per quarter"] == "6.75 (n 35)"
    assert told["Days to a first verdict"] == "42 days (38 to 45, n 33)"


def test_an_upper_bound_that_is_not_reached_is_said_to_lie_beyond():
    told = cells(measured("days_to_first_verdict", 42.0, 38.0, n=3.0))
    assert told["Days to a first verdict"] == "42 days (38 or more, n 3)"


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.25, 0.5, "33 % (25 to 50, n 3)"), (1 / 3, 0.1 + 0.2 + 0.1 / 3, "33 % (n 3)"), (np.nan, np.nan, "33 % (n 3)")],
)
def test_a_share_has_bounds_only_where_something_is_unknown(low, high, told):
    found = cells(measured("big_bang_share", 1 / 3, low, high, n=3.0))
    assert found["Scaled without pilot or limited use"] == told


def test_what_is_absent_says_why():
    told = cells(
        measured("initiatives_count", 2.0, n=2.0),
        measured("stopped_with_reason_share", **NOTHING, status="insufficient"),
        measured("learning_recorded", **NOTHING, status="not_measured"),
    )
    assert told["Stopped with a reason"] == "none was stopped"
    assert told["Trials with what was learned"] == "not measured"


def test_there_is_no_section_without_initiatives_and_trials():
    rows = [measured(name, **NOTHING, status="not_measured") for name in ("initiatives_count", *tables.EVOLUTION)]
    assert handout.evolution(assessed(rows)) == []


def test_initiatives_without_a_trial_are_shown_and_it_is_said():
    rows = [measured("initiatives_count", 2.0, n=2.0), measured("initiatives_count", 1.0, n=1.0, segment="generative")]
    words = text_of(handout.evolution(assessed(rows)))
    assert "No trial is on record yet" in words
    assert "Two initiatives on record: one generative and one of a generation not recorded." in words


@pytest.mark.parametrize(
    ("share", "n", "heading"),
    [(0.0, 4.0, "What was learned is on record for none of four trials"),
     (0.25, 4.0, "What was learned is on record for one of four trials"),
     (0.4, 35.0, "What was learned is on record for 14 of 35 trials"),
     (1.0, 1.0, "What was learned from the one trial is on record"),
     (0.0, 1.0, "What was learned from the one trial is not on record")],
)  # fmt: skip
def test_the_heading_counts_trials_with_what_was_learned(share, n, heading):
    assert sentences.evolution_heading(assessed([measured("learning_recorded", share, n=n)])) == heading


def test_stages_nobody_came_to_are_left_out_and_time_not_reached_is_said():
    rows = [
        measured("stage_conversion", 0.75, 0.30, 0.95, n=4.0, segment="idea>defined"),
        measured("stage_conversion", 0.5, 0.1, 0.9, n=2.0, segment="defined>pilot"),
        measured("stage_conversion", **NOTHING, segment="pilot>limited", status="insufficient"),
        measured("time_in_stage_p50", 75.0, 48.0, 119.0, n=4.0, segment="idea"),
        measured("time_in_stage_p50", **NOTHING, segment="defined", status="insufficient"),
    ]
    table = tables.stages(assessed(rows)).replace(NBSP, " ", regex=True)
    assert table.to_numpy().tolist() == [
        ["Idea", "75 % (30 to 95, n 4)", "75 days (48 to 119, n 4)"],
        ["Defined", "50 % (10 to 90, n 2)", "not reached by half of them, or no dates"],
    ]


@pytest.mark.parametrize("unit_id", ["*", "motor-claims", "customer-operations", "underwriting-products"])
def test_every_number_of_the_sample_is_the_one_in_the_results(sample, unit_id):
    unit = sample.unit(unit_id)
    table = tables.evolution(unit).set_index("Measure").squeeze(axis=1)
    rows = unit.measures[(unit.measures["unit_id"] == unit_id) & (unit.measures["wave"] == unit.facts.wave)]
    shown = rows[rows["measure"].isin(tables.EVOLUTION) & (rows["segment"] == "all")].set_index("measure")
    assert len(shown) == len(table) == len(tables.EVOLUTION)
    assert (shown["status"] == "ok").sum() > 3
    for measure, row in shown.iterrows():
        told = table[sentences.measure_name(unit, measure)]
        if row["status"] != "ok":
            assert not any(sign.isdigit() for sign in told)
            continue
        scale = 100 if row["unit"] == "share" else 1
        assert float(told.split(NBSP)[0].split(" ")[0]) == pytest.approx(scale * row["value"], abs=0.5 * (scale > 1))
        assert told.endswith(f"n{NBSP}{row['n']:.0f})")


def test_no_unit_without_a_trial_or_initiative_of_its_own_has_the_section(sample):
    owners = {*sample.initiatives["unit_id"]}
    above = sample.membership[sample.membership["member_id"].isin(owners)]["unit_id"]
    with_section = {unit_id for unit_id in sample.units["unit_id"] if handout.evolution(sample.unit(unit_id))}
    assert with_section == {*above} - {"*"}
    assert "treasury" not in with_section


def test_there_is_no_section_where_results_hold_nothing_of_it():
    assert handout.evolution(assessed([])) == []
    assert tables.stages(assessed([])).empty
    assert isinstance(tables.evolution(assessed([])), pd.DataFrame)
