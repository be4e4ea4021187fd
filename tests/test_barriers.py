import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from aiready.inputs.dataset import read_data
from aiready.instrument.model import Instrument, read_instrument
from aiready.measures import survey, unknown_records
from aiready.model.registry import INSUFFICIENT, MEASURES, NOT_MEASURED, SUPPRESSED
from aiready.profile import barriers

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
TABLES = sorted(path.name for path in SAMPLE.iterdir() if path.stem != "about")
BANDS = ["blocking", "slowing", "workable", "clear"]
FIT, TRUST = "context_fit", "trust_governance"
INDICATORS = pd.DataFrame(
    [
        (FIT, "operating_system_share", 0.0, 1.0),
        (FIT, "context_coverage", 0.0, 1.0),
        (FIT, "rework_oversight_rate", 0.4, 0.0),
        (FIT, "probe_accuracy", 0.0, 1.0),
        (TRUST, "governance_complete", 0.0, 1.0),
        (TRUST, "monitoring_fresh", 0.0, 0.5),
    ],
    columns=["barrier_id", "measure", "value_at_0", "value_at_100"],
).assign(weight=1.0, facet="", label=lambda rows: rows["measure"], indicator_id=lambda rows: rows["measure"])
NO_RANKS = pd.DataFrame(columns=[*barriers.KEY, "flag", *barriers.RANKS])


@cache
def rules() -> Instrument:
    shipped = read_instrument()
    two = shipped.barriers["barrier_id"].isin([FIT, TRUST])
    return replace(shipped, barriers=shipped.barriers[two], indicators=INDICATORS)


def row(measure, value, low=np.nan, high=np.nan, n=10, **other):
    about = {"unit_id": "a", "wave": "2026-Q3", "barrier_id": "", "segment": "all", "status": "ok", "note": ""}
    known = MEASURES[measure]
    numbers = {"value": value, "low": low, "high": high, "n": n}
    return about | {"table": known.table, "measure": measure, "unit": known.unit} | numbers | other


def said(value, barrier_id=FIT, half=4.0, **other):
    return row("perception", value, value - half, value + half, barrier_id=barrier_id, **other)


def explained(*rows, in_waves=("2026-Q3",), unknown=unknown_records.NO_RECORDS):
    return barriers.explain_indicators(pd.DataFrame(rows), rules(), in_waves, unknown)


def drawn(*rows, rankings=NO_RANKS, barrier_id=FIT):
    measures = pd.DataFrame([*rows, said(50.0, TRUST)])
    parts = barriers.explain_indicators(measures, rules(), ["2026-Q3"])
    items = pd.DataFrame([{"unit_id": "a", "wave": "2026-Q3", "barrier_id": FIT, "kind": "item", "status": "ok"}])
    parts = pd.concat([items.reindex(columns=barriers.EXPLAIN_COLUMNS), parts], ignore_index=True)
    profile = barriers.profile(measures, parts, rankings, rules())
    return profile[(profile["barrier_id"] == barrier_id) & (profile["unit_id"] == "a")].iloc[0]


def test_an_indicator_is_clipped_to_0_and_100_and_lower_may_be_better():
    found = explained(
        row("operating_system_share", 0.3), row("rework_oversight_rate", 0.1), row("monitoring_fresh", 0.8)
    )
    points = found.set_index("id")["points"]
    assert points["operating_system_share"] == pytest.approx(30)
    assert points["rework_oversight_rate"] == pytest.approx(75)
    assert points["monitoring_fresh"] == 100


def test_unknown_records_count_as_a_no_in_points_at_least_only():
    found = explained(
        row("governance_complete", 0.9, low=0.54, high=0.94),
        row("rework_oversight_rate", 0.1, low=0.1, high=0.3),
    ).set_index("id")
    assert found.loc["governance_complete", ["points", "points_at_least"]].tolist() == pytest.approx([90, 54])
    assert found.loc["governance_complete", "coverage"] == pytest.approx(0.6)
    assert found.loc["rework_oversight_rate", ["points", "points_at_least"]].tolist() == pytest.approx([75, 25])


def test_sampling_intervals_are_no_coverage_bounds():
    found = explained(row("context_coverage", 0.6, low=0.4, high=0.8)).iloc[0]
    assert found["points_at_least"] == found["points"] == pytest.approx(60)
    assert np.isnan(found["coverage"])


def test_an_indicator_counts_from_three_records_and_probes_from_thirty():
    few = explained(row("operating_system_share", 0.3, n=2), row("probe_accuracy", 0.9, n=29)).set_index("id")
    assert (few["status"] == INSUFFICIENT).all()
    enough = explained(row("operating_system_share", 0.3, n=3), row("probe_accuracy", 0.9, n=30))
    assert (enough["status"] == "ok").all()


def test_a_hidden_or_absent_indicator_stays_so_and_does_not_count():
    found = explained(
        row("operating_system_share", np.nan, n=np.nan, status=SUPPRESSED),
        row("context_coverage", np.nan, n=np.nan, status=NOT_MEASURED),
    ).set_index("id")
    assert found["status"].to_dict() == {"operating_system_share": SUPPRESSED, "context_coverage": NOT_MEASURED}
    assert drawn(said(60.0))["practice_coverage"] == 0


@pytest.mark.parametrize(
    ("wave", "of_decisions", "of_states"),
    [("2026-Q3", "2026-Q3", "2026-Q3"), ("2026-08", "2026-Q3", "2026-08"), ("2026", "2026-Q4", "2026")],
)
def test_decisions_are_matched_by_the_quarter_of_the_wave_and_states_by_the_wave(wave, of_decisions, of_states):
    rows = [
        row("context_coverage", 0.1, wave="2026-Q1"),
        row("context_coverage", 0.6, wave=of_decisions),
        row("operating_system_share", 0.2, wave="2025"),
        row("operating_system_share", 0.3, wave=of_states),
    ]
    found = explained(*rows, in_waves=[wave]).set_index("id")
    assert found["points"].to_dict() == pytest.approx({"context_coverage": 60, "operating_system_share": 30})
    assert (found["wave"] == wave).all()


def test_only_the_segment_all_enters_an_indicator():
    assert explained(row("context_coverage", 0.1, segment="level 1")).empty


def test_a_profile_is_drawn_for_the_waves_of_the_survey_else_of_the_records_else_for_the_wave():
    dated = pd.DataFrame([row("context_coverage", 0.1, wave="2026-Q2"), row("adoption", np.nan, status=NOT_MEASURED)])
    assert barriers.profile_waves(dated, ["2026"], "2026") == ("2026",)
    assert barriers.profile_waves(dated, [], "undated") == ("2026-Q2",)
    assert barriers.profile_waves(dated.iloc[1:], [], "undated") == ("undated",)


def test_the_score_is_the_mean_of_both_voices_with_half_the_interval_of_what_people_say():
    found = drawn(said(60.0, half=8.0), row("operating_system_share", 0.3), row("context_coverage", 0.5))
    assert found["practice"] == pytest.approx(40)
    assert found[["score", "low", "high"]].tolist() == pytest.approx([50, 46, 54])
    assert found["say_do_gap"] == pytest.approx(20)
    assert found["basis"] == "both"
    assert found["practice_coverage"] == pytest.approx(0.5)


def test_without_records_there_is_no_score_and_no_band_but_of_what_people_say():
    found = drawn(said(60.0))
    assert found["basis"] == "perception"
    assert found[["practice", "score", "low", "high", "say_do_gap"]].isna().all()
    assert found[["perception_band", "practice_band", "band"]].tolist() == ["workable", "", ""]


def test_without_answers_there_is_no_score_and_no_band_but_of_what_records_show():
    found = drawn(row("operating_system_share", 1.0), row("context_coverage", 1.0), row("probe_accuracy", 1.0, n=50))
    assert found["basis"] == "practice"
    assert np.isnan(found["score"])
    assert found[["perception_band", "practice_band", "band"]].tolist() == ["", "workable", ""]


def test_one_indicator_is_no_practice():
    found = drawn(said(60.0), row("operating_system_share", 0.3))
    assert np.isnan(found["practice"])
    assert found["practice_band"] == ""
    assert found["note"] == "records: 1 of 4 indicators, at least 2 needed"


def test_what_is_hidden_gives_no_basis_and_says_so():
    found = drawn(said(np.nan, n=np.nan, status=SUPPRESSED))
    assert found[["basis", "status"]].tolist() == ["none", SUPPRESSED]
    assert found["note"].startswith("survey: hidden, too few people")
    assert np.isnan(found["n"])


def test_flags_and_ranks_need_what_people_say():
    ranked = pd.DataFrame([{"unit_id": "a", "wave": "2026-Q3", "barrier_id": FIT, "flag": "below the rest"}])
    ranked = ranked.assign(unit_rank_low=1, unit_rank_high=3, priority_low=1, priority_high=2)
    shown = drawn(said(60.0), rankings=ranked)
    assert shown[["flag", "unit_rank_high", "priority_high"]].tolist() == ["below the rest", 3, 2]
    gone = drawn(said(np.nan, n=np.nan, status=SUPPRESSED), rankings=ranked)
    assert gone["flag"] == ""
    assert gone[list(barriers.RANKS)].isna().all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "band"),
    [
        (0, BANDS[0]),
        (39.999, BANDS[0]),
        (40, BANDS[1]),
        (60, BANDS[2]),
        (79.9, BANDS[2]),
        (80, BANDS[3]),
        (100, BANDS[3]),
    ],
)
def test_bands_begin_at_their_bound(value, band):
    assert drawn(said(float(value)))["perception_band"] == band


def test_what_is_not_recorded_lowers_the_band_and_never_the_number():
    full = [row("operating_system_share", 0.9), row("context_coverage", 0.9)]
    rest = [row("rework_oversight_rate", 0.04), row("probe_accuracy", 0.9, n=40)]
    every, half = drawn(said(90.0), *full, *rest), drawn(said(90.0), *full)
    assert every["practice"] == half["practice"] == pytest.approx(90)
    assert [every["practice_band"], every["band"]] == ["clear", "clear"]
    assert [half["practice_band"], half["band"]] == ["slowing", "workable"]
    assert "counts as not shown" in half["note"]
    assert "counts as not shown" not in every["note"]


def place(band: str) -> int:
    return BANDS.index(band) if band else -1


indicator_rows = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(1, 60)), min_size=4, max_size=4
)


@pytest.mark.slow
@examples(12)
@given(indicator_rows, st.floats(0, 100), st.sets(st.integers(0, 3)))
def test_dropping_records_never_improves_a_band(numbers, perception, dropped):
    rows = [
        row(measure, value, low=value * low, high=value + (1 - value) * high, n=n)
        for measure, (value, low, high, n) in zip(INDICATORS["measure"][:4], numbers, strict=True)
    ]
    whole = drawn(said(perception), *rows)
    left = drawn(said(perception), *(part for number, part in enumerate(rows) if number not in dropped))
    for name in ("perception_band", "practice_band", "band"):
        assert place(left[name]) <= place(whole[name])


class TestPracticeSources:
    def sources(self, before, after):
        def wave(label, points):
            about = {"unit_id": "claims", "wave": label, "barrier_id": FIT, "kind": "indicator", "status": "ok"}
            return pd.DataFrame({"id": list(points), "points": list(points.values()), "weight": 1.0}).assign(**about)

        parts = pd.concat([wave("2026-Q2", before), wave("2026-Q3", after)])
        return barriers.practice_sources(parts).set_index("source")["points"].to_dict()

    def test_the_same_indicators_show_what_the_records_moved(self):
        assert self.sources({"a": 40.0, "b": 60.0}, {"a": 50.0, "b": 60.0}) == {"records": 5.0}

    def test_another_set_of_indicators_is_told_apart(self):
        found = self.sources({"a": 40.0, "b": 60.0}, {"a": 50.0, "b": 60.0, "c": 10.0})
        assert found == {"records": 5.0, "indicators": 40.0 - 50.0 - 5.0}

    def test_the_first_wave_has_none(self):
        assert self.sources({}, {"a": 50.0}) == {}


class TestWeightSensitivity:
    def found(self, fit, trust, **other):
        rows = [
            *(said(score, barrier_id) for barrier_id, (score, _) in {FIT: fit, TRUST: trust}.items()),
            *(row(name, fit[1]) for name in ("operating_system_share", "context_coverage")),
            *(row(name, trust[1] / 2 if name == "monitoring_fresh" else trust[1])
              for name in ("governance_complete", "monitoring_fresh")),
        ]  # fmt: skip
        measures = pd.DataFrame(rows)
        parts = barriers.explain_indicators(measures, rules(), ["2026-Q3"])
        profile = barriers.profile(measures, parts, NO_RANKS, rules())
        return barriers.weight_sensitivity(parts, profile, rules())

    def test_a_barrier_far_below_the_other_is_the_weakest_under_every_weighting(self):
        found = self.found((20.0, 0.2), (80.0, 0.8))
        assert found[["barrier_id", "share", "n_barriers"]].values.tolist() == [[FIT, 1.0, 2]]

    def test_two_that_differ_by_a_hair_in_opposite_voices_are_weakest_by_the_weights(self):
        share = self.found((40.0, 0.6), (61.0, 0.4))["share"].iloc[0]
        assert 0.3 < share < 0.9

    def test_the_seed_is_fixed(self):
        assert self.found((40.0, 0.6), (61.0, 0.4)).equals(self.found((40.0, 0.6), (61.0, 0.4)))

    def test_units_that_lack_a_voice_are_left_out(self):
        measures = pd.DataFrame([said(40.0), said(50.0, TRUST)])
        parts = explained(row("operating_system_share", 0.3), row("context_coverage", 0.4))
        profile = barriers.profile(measures, parts, NO_RANKS, rules())
        assert barriers.weight_sensitivity(parts, profile, rules()).empty


def flag_place(flag: str) -> int:
    return {"below": -1, "": 0, "above": 1}[flag.split(" ")[0]]


LATEST = ["2026-Q2", "2026-Q3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The sample with its last two waves, and one in ten of its decisions: as many kinds of records, sooner read."""
    made = tmp_path_factory.mktemp("latest")
    for path in SAMPLE.iterdir():
        shutil.copy(path, made)
    answered = pd.read_csv(made / "responses.csv", dtype=str, keep_default_na=False)
    answered[answered["wave"].isin(LATEST)].to_csv(made / "responses.csv", index=False)
    pd.read_parquet(made / "decisions.parquet").iloc[::10].to_parquet(made / "decisions.parquet", index=False)
    return made


@pytest.fixture(scope="module")
def latest(folder):
    from aiready import Assessment

    return Assessment.open(folder)


@pytest.fixture(scope="module")
def whole(latest):
    made = latest.barriers
    assert set(LATEST) <= set(made["wave"]) and (made["flag"] != "").sum() > 5
    assert (made["practice_band"].isin(BANDS)).sum() > 50
    return made.set_index(barriers.KEY)


@pytest.fixture(scope="module")
def said_by_all(folder, latest):
    """What people say in every unit before anything is hidden."""
    rows = survey.measure(read_data(folder, latest.rules), latest.rules)
    rows = rows[(rows["measure"] == "perception") & (rows["segment"] == "all")]
    return rows.set_index(barriers.KEY)["value"]


def hidden_of(assessment):
    """Where what people say is hidden: True by unit x wave x barrier."""
    rows = assessment.measures
    said = rows[(rows["measure"] == "perception") & (rows["segment"] == "all") & (rows["status"] == "suppressed")]
    return pd.Series(True, index=pd.MultiIndex.from_frame(said[barriers.KEY]))


def records_hidden_of(assessment, cells):
    """Whether any figure of records is hidden in a cell's unit and wave: without the hierarchy another one may be."""
    rows = assessment.measures
    hidden = rows[(rows["table"] != "responses") & (rows["segment"] == "all") & (rows["status"] == "suppressed")]
    listed = set(hidden[["unit_id", "wave"]].itertuples(index=False, name=None))
    return np.array([(unit_id, wave) in listed for unit_id, wave, _ in cells])


@pytest.mark.slow
@pytest.mark.xdist_group("tables left out")
@pytest.mark.parametrize("left_out", TABLES)
def test_leaving_out_a_table_of_the_sample_never_improves_a_rank_a_band_or_a_flag(
    left_out, whole, said_by_all, folder, latest, tmp_path
):
    from aiready import Assessment

    for path in folder.iterdir():
        if path.name != left_out:
            shutil.copy(path, tmp_path)
    poorer = Assessment.open(tmp_path, as_of=latest.facts.as_of).barriers.set_index(barriers.KEY)
    both = whole.index.intersection(poorer.index)
    assert len(both) or left_out == "responses.csv"
    before, after = whole.loc[both], poorer.loc[both]
    revealed = hidden_of(latest).reindex(both, fill_value=False) & after["perception"].notna()
    assert left_out == "units.csv" or not revealed.any()  # without the hierarchy another cell hides a small one
    assert after["perception"][revealed].to_dict() == pytest.approx(said_by_all.reindex(both)[revealed].to_dict())
    of_records = records_hidden_of(latest, both)
    for band in ("perception_band", "practice_band", "band"):
        better = after[band].map(place) > before[band].map(place)
        better &= ~revealed if band != "practice_band" else True
        better &= ~(of_records & (left_out == "units.csv") & (band != "perception_band"))
        assert not better.any(), pd.concat([before[band], after[band]], axis=1)[better]
    # without the hierarchy another unit hides beside a small one, and is not compared then: see the test below
    compared = left_out != "units.csv"
    judged = after["perception"].notna() & ~revealed & compared
    flagged = after["flag"].map(flag_place) > before["flag"].map(flag_place)
    assert not (flagged & judged).any(), pd.concat([before["flag"], after["flag"]], axis=1)[flagged & judged]
    for rank in barriers.RANKS:
        # 1 is the highest perception of a unit and the most urgent barrier: either may vanish, neither may rise
        sign = 1 if rank.startswith("priority") else -1
        moved = (sign * (after[rank] - before[rank]) > 0) & (compared or rank.startswith("priority"))
        assert not moved.any(), pd.concat([before[rank], after[rank]], axis=1)[moved]


@pytest.mark.slow
def test_leaving_out_the_hierarchy_moves_no_flag_and_no_rank_where_nobody_is_hidden(tmp_path):
    from aiready import Assessment

    shutil.copy(SAMPLE / "units.csv", tmp_path)
    answered = pd.read_csv(SAMPLE / "responses.csv", dtype=str, keep_default_na=False)
    lent = answered[answered["unit_id"] == "contact-centre"].groupby("wave").head(40).index
    answered.loc[lent, "unit_id"] = "treasury"
    answered.to_csv(tmp_path / "responses.csv", index=False)
    whole = Assessment.open(tmp_path).barriers.set_index(barriers.KEY)
    (tmp_path / "units.csv").unlink()
    poorer = Assessment.open(tmp_path).barriers.set_index(barriers.KEY)
    columns = ["flag", "unit_rank_low", "unit_rank_high", "priority_low", "priority_high"]
    both = whole.index.intersection(poorer.index)
    both = both[whole.loc[both, "perception"].notna()]
    assert (whole.loc[both, "flag"] != "").sum() > 5
    pd.testing.assert_frame_equal(whole.loc[both, columns], poorer.loc[both, columns])
