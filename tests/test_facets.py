from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from aiready.instrument.model import Instrument, read_instrument
from aiready.model.registry import MEASURES
from aiready.model.schema import LIVE_STAGES
from aiready.profile import facets

TWINS = pd.DataFrame(
    [
        ("trust_governance", "answerable", "", "owner", "live initiatives with an owner", "say somebody answers", 4),
        ("trust_governance", "rules", "", "privacy_reviewed;bias_tested", "reviewed and tested", "know the rules", 3),
        (
            "trust_governance",
            "errors",
            "feedback_closed_30d",
            "",
            "flags closed within 30 days",
            "say it was answered",
            4,
        ),
    ],
    columns=["barrier_id", "facet", "measure", "register_column", "label", "says", "says_from"],
)
MEMBERSHIP = pd.DataFrame({"unit_id": ["a", "b", "top", "top"], "member_id": ["a", "b", "a", "b"]})
NO_MEASURES = pd.DataFrame(columns=["unit_id", "wave", "table", "measure", "segment", "value", "n", "status"])


@cache
def rules() -> Instrument:
    return replace(read_instrument(), twins=TWINS)


def item(facet: str) -> str:
    items = rules().items
    return items.loc[(items["facet"] == facet) & (items["barrier_id"] == "trust_governance"), "item_id"].iloc[0]


def answered(facet, shares, n=50.0, unit_id="a"):
    """Shares of answers on levels 1-5, and of people who do not know beside them."""
    levels = [*map(str, range(1, len(shares) + 1)), "dont_know"]
    return pd.DataFrame({"level": levels, "share": [*shares, 0.1], "n": [n] * len(levels)}).assign(
        unit_id=unit_id, wave="2026-Q3", item_id=item(facet), segment="all", status="ok"
    )


def initiatives(**columns):
    size = len(next(iter(columns.values())))
    about = {"unit_id": ["a"] * size, "wave": ["2026-Q3"] * size, "stage": ["pilot"] * size}
    empty = {"owner": [None] * size, "privacy_reviewed": [None] * size, "bias_tested": [None] * size}
    return pd.DataFrame(about | empty | columns)


def paired(answers, register=None, measures=NO_MEASURES):
    register = initiatives(owner=["x"]) if register is None else register
    return facets.say_do(answers, measures, register, MEMBERSHIP, rules()).set_index(["unit_id", "facet"])


def test_says_is_the_share_at_the_level_and_above_among_answers_on_a_level():
    found = paired(answered("answerable", [0.1, 0.2, 0.3, 0.25, 0.15])).loc[("a", "answerable")]
    assert found["says"] == pytest.approx(0.40)
    assert found[["says_n", "says_label"]].tolist() == [50, "say somebody answers"]


def test_the_register_counts_live_initiatives_with_every_column_filled_and_not_no():
    register = initiatives(
        stage=["pilot", "limited", "scaled", "pilot", "stopped", "idea"],
        privacy_reviewed=["yes", "yes", "no", None, "yes", "yes"],
        bias_tested=["yes", "no", "yes", "yes", "yes", "yes"],
    )
    found = paired(answered("rules", [0.2] * 5), register).loc[("a", "rules")]
    live = register["stage"].isin(LIVE_STAGES).sum()
    assert found[["record_yes", "record_n"]].tolist() == [1, live]
    assert found["record"] == pytest.approx(1 / live)


def test_a_stopped_initiative_is_not_counted():
    register = initiatives(stage=["pilot", "stopped"], owner=["x", "y"])
    found = paired(answered("answerable", [0.2] * 5), register).loc[("a", "answerable")]
    assert found[["record_yes", "record_n"]].tolist() == [1, 1]


def test_a_parent_has_the_initiatives_of_its_members():
    register = initiatives(unit_id=["a", "b", "b"], owner=["x", None, "y"])
    found = paired(answered("answerable", [0.2] * 5, unit_id="top"), register).loc[("top", "answerable")]
    assert found[["record_yes", "record_n"]].tolist() == [2, 3]


def test_a_measure_stands_in_its_own_unit_and_by_the_quarter_of_the_wave():
    rows = pd.DataFrame(
        [
            {"unit_id": "a", "wave": wave, "table": "feedback", "measure": "feedback_closed_30d", "segment": "all",
             "value": value, "n": 20.0, "status": "ok"} for wave, value in (("2026-Q2", 0.1), ("2026-Q3", 0.3))
        ]
    )  # fmt: skip
    found = paired(answered("errors", [0.2] * 5), measures=rows).loc[("a", "errors")]
    assert found["record"] == pytest.approx(0.3)
    assert found[["record_n", "record_yes", "unit"]].tolist() == [20, 6, MEASURES["feedback_closed_30d"].unit]


def test_a_share_of_hours_counts_no_records():
    row = {"unit_id": "a", "wave": "2026-Q3", "table": "tasks", "measure": "feedback_closed_30d", "segment": "all"}
    rows = pd.DataFrame([row | {"value": 0.25, "n": 8.0, "status": "ok"}])
    found = paired(answered("errors", [0.2] * 5), measures=rows).loc[("a", "errors")]
    assert np.isnan(found["record_yes"])


@pytest.mark.parametrize("status", ["suppressed", "insufficient", "not_measured"])
def test_a_measure_that_is_not_ok_is_no_record(status):
    hidden = pd.DataFrame(
        [{"unit_id": "a", "wave": "2026-Q3", "table": "feedback", "measure": "feedback_closed_30d", "segment": "all",
          "value": np.nan, "n": np.nan, "status": status}]
    )  # fmt: skip
    assert np.isnan(paired(answered("errors", [0.2] * 5), measures=hidden).loc[("a", "errors")]["record"])


def test_a_hidden_distribution_says_nothing():
    assert np.isnan(paired(answered("answerable", [np.nan] * 5, n=np.nan)).loc[("a", "answerable")]["says"])


@pytest.mark.parametrize("shares", [[0.5, 0.5, 0, 0, 0], [0, 0, 0, 0.5, 0.5]])
def test_nobody_and_everybody_are_never_stated(shares):
    """A share of exactly 0 or 1 says what each single person answered."""
    assert np.isnan(paired(answered("answerable", shares)).loc[("a", "answerable")]["says"])


def test_a_unit_without_initiatives_has_what_people_say_alone():
    found = paired(answered("answerable", [0.2] * 5), initiatives(unit_id=["b"], owner=["x"])).loc[("a", "answerable")]
    assert found["says"] == pytest.approx(0.4)
    assert found[["record", "record_yes", "record_n"]].isna().all()


def test_records_whose_labels_read_alike_stay_apart():
    alike = TWINS.assign(label="live initiatives in order", says="say it is in order")
    register = initiatives(owner=["x", "y"], privacy_reviewed=["yes", None], bias_tested=["yes", "yes"])
    answers = pd.concat([answered("answerable", [0.2] * 5), answered("rules", [0.1, 0.1, 0.2, 0.3, 0.3])])
    found = facets.say_do(answers, NO_MEASURES, register, MEMBERSHIP, replace(rules(), twins=alike))
    told = found.set_index("facet")[["record_id", "record_yes", "record_n"]]
    assert told.loc["answerable"].tolist() == ["owner", 2, 2]
    assert told.loc["rules"].tolist() == ["privacy_reviewed;bias_tested", 1, 2]


def test_of_two_items_of_a_facet_the_first_is_the_one_that_is_set_beside_the_records():
    items = rules().items
    second = items.loc[items["item_id"] == item("answerable")].assign(item_id="answerable_again")
    both = replace(rules(), items=pd.concat([items, second], ignore_index=True))
    answers = answered("answerable", [0.1, 0.2, 0.3, 0.25, 0.15])
    more = answered("answerable", [0.0, 0.0, 0.5, 0.25, 0.25]).assign(item_id="answerable_again")
    found = facets.say_do(pd.concat([more, answers]), NO_MEASURES, initiatives(owner=["x"]), MEMBERSHIP, both)
    assert found["says"].tolist() == [pytest.approx(0.40)]


def test_the_planted_gap_of_say_and_do_can_be_read_in_the_sample(sample):
    """One row per unit, wave, barrier, facet and record; shares within 0 and 1; treasury says nothing."""
    rows = sample.facets
    assert not rows.duplicated(["unit_id", "wave", "barrier_id", "facet", "record_id"]).any()
    assert rows["says"].dropna().between(0, 1, inclusive="neither").all()
    assert rows.loc[rows["unit_id"] == "treasury", "says"].isna().all()
    finance = rows.loc[(rows["unit_id"] == "finance") & (rows["wave"] == "2026-Q3")]
    assert finance["says"].notna().any()
    assert finance["record"].isna().all()
