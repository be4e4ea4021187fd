"""Reliability on pages: the organisation's on its own page alone, a unit's agreement on its own, hidden as hidden."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_handout import FIT, TRUST, assessed, barrier, measured, rules, text_of

from aiready.messages import NBSP
from aiready.pages import handout, tables

NAMES = dict(rules().barriers[["barrier_id", "name"]].itertuples(index=False))


def shown(unit):
    return tables.reliability(unit).set_index("Barrier").replace(NBSP, " ", regex=True)


def organisation(*rows, ranked=()):
    ranks = [barrier(name, unit_rank_low=1.0) for name in ranked]
    return assessed([row | {"unit_id": "*"} for row in rows], ranks, unit_id="*")


def test_alpha_stands_with_its_interval_and_n_and_omega_with_a_dash_where_it_cannot_be_computed():
    table = shown(organisation(
        measured("cronbach_alpha", 0.8017, 0.533, 0.9472, n=9.0, barrier_id=FIT),
        measured("mcdonald_omega", 0.7449, n=9.0, barrier_id=TRUST),
        measured("mcdonald_omega", np.nan, n=np.nan, barrier_id=FIT, status="insufficient"),
    ))  # fmt: skip
    assert table.loc[NAMES[FIT]].tolist() == ["0.80 (0.53 to 0.95, n 9)", "–"]
    assert table.loc[NAMES[TRUST], "McDonald's omega"] == "0.74 (n 9)"


@pytest.mark.parametrize(("ranked", "told"), [((FIT,), "yes"), ((), "no")])
def test_units_may_be_ranked_only_on_a_barrier_on_which_results_rank_them(ranked, told):
    rows = [
        measured(name, 0.9, n=90.0, barrier_id=barrier_id) for name in ("icc1", "icc2") for barrier_id in (FIT, TRUST)
    ]
    table = shown(organisation(*rows, ranked=ranked))["May units be ranked?"]
    assert (table[NAMES[FIT]], table[NAMES[TRUST]]) == (told, "no")


def test_whether_units_may_be_ranked_is_left_open_where_it_was_not_measured():
    table = shown(organisation(measured("icc2", 0.9, n=90.0, barrier_id=TRUST), ranked=(TRUST,)))
    assert table["May units be ranked?"][[NAMES[FIT], NAMES[TRUST]]].tolist() == ["–", "yes"]


def test_a_hidden_figure_is_said_to_be_hidden_and_a_unit_without_any_has_no_table():
    hidden = measured("rwg_j", np.nan, n=np.nan, barrier_id=FIT, status="suppressed")
    table = shown(assessed([hidden, measured("rwg_j", 0.78, n=12.0, barrier_id=TRUST)]))
    assert table["Agreement within the unit"][[NAMES[FIT], NAMES[TRUST]]].tolist() == ["hidden", "0.78 (n 12)"]
    assert tables.reliability(assessed([hidden])).empty
    assert "rwg(j)" not in text_of(handout.method(assessed([hidden])))


def test_the_same_answer_throughout_is_shown_where_it_is_measured():
    assert list(shown(assessed([measured("straightliner_share", 0.1, 0.05, 0.2, n=40.0, barrier_id=FIT)]))) == [
        "Same answer throughout"
    ]


def test_every_number_of_the_sample_is_the_one_in_the_results(sample):
    for unit in (sample, sample.unit("motor-claims")):
        rows = unit.measures
        rows = rows[(rows["unit_id"] == unit.unit_id) & (rows["wave"] == unit.facts.wave) & (rows["segment"] == "all")]
        table = shown(unit)
        for column, measure in (("Cronbach's alpha", "cronbach_alpha"), ("ICC(2)", "icc2"),
                                ("Agreement within the unit", "rwg_j")):  # fmt: skip
            for row in rows[rows["measure"] == measure].itertuples():
                if column in table and row.barrier_id:
                    told = table.loc[NAMES[row.barrier_id], column]
                    assert float(told.split(" ")[0]) == pytest.approx(row.value, abs=0.005)
                    assert told.endswith(f"n {row.n:.0f})")
    assert list(shown(sample))[:4] == ["Cronbach's alpha", "McDonald's omega", "ICC(1)", "ICC(2)"]


def test_a_hidden_unit_shows_nothing_and_no_unit_shows_the_organisation_s(sample):
    assert tables.reliability(sample.unit("treasury")).empty
    told = [list(tables.reliability(sample.unit(unit_id))) for unit_id in sample.units["unit_id"]]
    assert {name for names in told for name in names} == {"Barrier", "Agreement within the unit"}


def test_the_limits_of_ranking_are_those_of_the_settings():
    limits = replace(rules().settings, rank_rwg=0.61, rank_icc2=0.62, rank_p=0.03)
    unit = organisation(measured("icc2", 0.9, n=90.0, barrier_id=FIT))
    counted = {**unit.tables, "counts": pd.DataFrame({"quarantined": [0]})}
    words = text_of(handout.method(replace(unit, rules=replace(unit.rules, settings=limits), tables=counted)))
    assert "at least 0.61 and ICC(2) at least 0.62, and the F test over units has a p below 0.03" in words
