import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st

from aiready.instrument.model import Instrument, Settings
from aiready.model.registry import INSUFFICIENT, OK, SUPPRESSED
from aiready.profile import actions

BARRIERS = ("problem", "users", "context", "trust")
WAVE = "2026-Q3"


def instrument() -> Instrument:
    """Three facets with an item and an indicator each, a band action and a blocker action per barrier."""
    facets = [(barrier, f"{barrier}_{number}") for barrier in BARRIERS for number in (1, 2, 3)]
    rules = []
    for barrier in BARRIERS:
        rules.append((f"{barrier}-band", barrier, "band", "blocking", "Stands at {value} of 100.", "medium"))
        rules.append((f"{barrier}-blocked", barrier, "blocker", f"no_{barrier}", "{value} hours wait.", "small"))
    for barrier, facet in facets:
        rules.append((f"{facet}-ask", barrier, "facet", facet, "{value} of {n} answers.", "small"))
        rules.append((f"{facet}-mend", barrier, "indicator", f"{facet}_share", "{value} of {n}.", "medium"))
    columns = ["template_id", "barrier_id", "trigger", "trigger_value", "reason", "effort"]
    blank = dict.fromkeys(["action", "first_step", "owner_role", "strategy", "measure", "pattern_id"], "")
    items = pd.DataFrame(
        [(f"{facet}_item", barrier, facet, False) for barrier, facet in facets],
        columns=["item_id", "barrier_id", "facet", "reverse_scored"],
    )
    indicators = pd.DataFrame(
        [(f"{facet}_share", barrier, facet, "trained_share", 1.0) for barrier, facet in facets],
        columns=["indicator_id", "barrier_id", "facet", "measure", "weight"],
    )
    empty = pd.DataFrame()
    return Instrument(
        barriers=pd.DataFrame({"barrier_id": BARRIERS}),
        items=items,
        indicators=indicators,
        bands=pd.DataFrame({"band": ["blocking", "slowing", "workable", "clear"], "at_least": [0, 40, 60, 80]}),
        actions=pd.DataFrame(rules, columns=columns).assign(**blank),
        patterns=empty,
        sources=empty,
        blockers=pd.DataFrame({"blocker": [f"no_{barrier}" for barrier in BARRIERS], "barrier_id": BARRIERS}),
        settings=Settings(),
        intro="",
        version="test",
        digest="",
    )


RULES = instrument()


def profile(unit_id: str = "claims", **perception: float) -> pd.DataFrame:
    values = [perception.get(barrier, np.nan) for barrier in BARRIERS]
    return pd.DataFrame(
        {"unit_id": unit_id, "wave": WAVE, "barrier_id": BARRIERS, "perception": values, "practice": np.nan,
         "score": np.nan, "n": 40.0}
    )  # fmt: skip


def explained(*rows: tuple[str, str, float], unit_id: str = "claims", status: str = OK) -> pd.DataFrame:
    """`(kind, facet, points)` as explain rows; the value of an indicator is its points as a share."""
    made = [
        {
            "unit_id": unit_id, "wave": WAVE, "barrier_id": facet.split("_")[0], "kind": kind,
            "id": f"{facet}_item" if kind == "item" else f"{facet}_share", "facet": facet,
            "value": points / 100, "points": points, "n": 30.0, "status": status,
        }
        for kind, facet, points in rows
    ]  # fmt: skip
    columns = ["unit_id", "wave", "barrier_id", "kind", "id", "facet", "value", "points", "n", "status"]
    return pd.DataFrame(made, columns=columns)


def answered(facet: str, counts: tuple[float, ...], status: str = OK, unit_id: str = "claims") -> pd.DataFrame:
    """Answers on levels 1-5, `does not apply` and `don't know`, as the privacy gate leaves them."""
    on_level = sum(counts[:5])
    base = np.array([on_level] * 5 + [sum(counts)] * 2, dtype=float)
    share = pd.Series(np.array(counts) / base)
    note = share.map({0.0: "<= 5 %", 1.0: ">= 95 %"}).fillna("")
    return pd.DataFrame(
        {"unit_id": unit_id, "wave": WAVE, "item_id": f"{facet}_item", "segment": "all",
         "level": ["1", "2", "3", "4", "5", "na", "dont_know"], "n": base,
         "share": share.where(note.eq("")), "status": status, "note": note}
    )  # fmt: skip


def gap(status: str = OK, **hours: float) -> pd.DataFrame:
    segments = [name if name in ("all", "unknown") else f"no_{name}" for name in hours]
    return pd.DataFrame(
        {"unit_id": "claims", "wave": WAVE, "table": "tasks", "barrier_id": "", "measure": "gap_by_blocker",
         "segment": segments, "value": list(hours.values()), "n": 4.0, "status": status}
    )  # fmt: skip


def recommended(
    barriers: pd.DataFrame,
    explain: pd.DataFrame | None = None,
    items: pd.DataFrame | None = None,
    measures: pd.DataFrame | None = None,
) -> pd.DataFrame:
    return actions.recommend(
        barriers,
        gap() if measures is None else measures,
        answered("problem_1", (1,) * 7).iloc[:0] if items is None else items,
        explained() if explain is None else explain,
        RULES,
    )


def test_without_evidence_nothing_is_recommended() -> None:
    made = recommended(profile())
    assert made.empty
    assert tuple(made.columns) == actions.COLUMNS


def test_a_band_calls_by_its_lower_voice() -> None:
    barriers = profile(problem=55, users=39.6).assign(practice=[20, 70, np.nan, np.nan])
    made = recommended(barriers).set_index("template_id")
    assert set(made.index) == {"problem-band", "users-band"}
    assert made.loc["users-band", "reason"] == "Stands at 40 of 100."
    assert made.loc["problem-band", "evidence_value"] == 20
    assert np.isnan(made.loc["problem-band", "evidence_n"])  # no answers stand behind a record
    assert made.loc["users-band", "evidence_n"] == 40


def test_a_facet_calls_with_the_share_of_answers_on_its_lowest_levels() -> None:
    items = answered("users_2", (30, 33, 20, 10, 7, 50, 25))
    made = recommended(profile(users=45), explained(("item", "users_2", 41)), items).iloc[0]
    assert made["template_id"] == "users_2-ask"
    assert made["reason"] == "63\u00a0% of 100 answers."
    assert (made["evidence_value"], made["evidence_n"]) == pytest.approx((0.63, 100))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((60, 0, 0, 20, 20), "60\u00a0%"),
        ((0, 40, 0, 0, 0), "95\u00a0% or more"),
        ((10, 30, 0, 0, 0), "95\u00a0% or more"),
    ],
)
def test_a_share_blurred_for_privacy_stays_blurred(counts: tuple[int, ...], words: str) -> None:
    items = answered("users_2", (*counts, 0, 0))
    made = recommended(profile(users=45), explained(("item", "users_2", 41)), items).iloc[0]
    assert made["reason"].startswith(f"{words} of ")
    assert made["evidence_value"] <= 0.95


def test_a_facet_nobody_puts_on_its_lowest_levels_does_not_call() -> None:
    items = answered("users_2", (0, 0, 40, 0, 0, 0, 0))
    assert recommended(profile(users=45), explained(("item", "users_2", 50)), items).empty


def test_a_reversed_item_counts_its_highest_levels() -> None:
    rules = RULES.items.assign(reverse_scored=True)
    items = answered("users_2", (30, 33, 20, 10, 7, 0, 0))
    turned = Instrument(**{**vars(RULES), "items": rules})
    made = actions.recommend(profile(users=45), gap(), items, explained(("item", "users_2", 41)), turned)
    assert made.iloc[0]["evidence_value"] == pytest.approx(0.17)


def test_an_indicator_calls_below_the_points_only() -> None:
    explain = explained(("indicator", "trust_1", 59.9), ("indicator", "trust_2", 60))
    made = recommended(profile(trust=70), explain)
    assert made["template_id"].tolist() == ["trust_1-mend"]
    assert made["reason"].tolist() == ["60\u00a0% of 30."]


@pytest.mark.parametrize("status", [SUPPRESSED, INSUFFICIENT])
def test_evidence_that_is_not_ok_never_calls(status: str) -> None:
    explain = explained(("indicator", "trust_1", 10), ("item", "users_1", 10), status=status)
    items = answered("users_1", (10,) * 7, status)
    assert recommended(profile(), explain, items, gap(status, context=100)).empty
    hidden_answers = recommended(profile(), explained(("item", "users_1", 10)), items)
    assert hidden_answers.empty


def test_the_two_blockers_that_hold_most_of_the_gap_call() -> None:
    hours = gap(all=5000, problem=100, users=1234.4, context=900, unknown=2765.6)
    made = recommended(profile(), measures=hours)
    assert made["template_id"].tolist() == ["users-blocked", "context-blocked"]
    assert made["reason"].tolist() == ["1\u202f234 hours wait.", "900 hours wait."]


def test_the_weakest_barrier_comes_first_then_the_worst_evidence_then_the_least_effort() -> None:
    explain = explained(
        ("indicator", "users_1", 30), ("indicator", "users_2", 20), ("indicator", "trust_1", 0),
        ("item", "users_3", 20),
    )  # fmt: skip
    items = answered("users_3", (10,) * 7)
    made = recommended(profile(users=41, trust=50), explain, items)
    assert made["template_id"].tolist() == ["users_3-ask", "users_2-mend", "trust_1-mend", "users_1-mend"]
    assert made["rank"].tolist() == [1, 2, 3, 4]


def test_a_facet_has_one_action_among_the_first() -> None:
    explain = explained(
        ("item", "users_1", 10), ("indicator", "users_1", 12), ("indicator", "users_2", 50),
        ("indicator", "trust_1", 50),
    )  # fmt: skip
    made = recommended(profile(users=41, trust=55), explain, answered("users_1", (10,) * 7))
    assert made["template_id"].tolist() == ["users_1-ask", "users_2-mend", "trust_1-mend", "users_1-mend"]


def test_a_barrier_that_alone_is_weak_may_take_all_three() -> None:
    explain = explained(
        *(("indicator", f"users_{number}", 10 * number) for number in (1, 2, 3)), ("indicator", "trust_1", 50)
    )
    alone = recommended(profile(users=41, trust=75), explain)
    assert alone["barrier_id"].tolist() == ["users", "users", "users", "trust"]
    spread = recommended(profile(users=41, trust=59), explain)
    assert spread["barrier_id"].tolist() == ["users", "users", "trust", "users"]


def test_a_waveless_blocker_of_another_wave_calls_for_nothing() -> None:
    assert recommended(profile(), measures=gap(users=10).assign(wave="2025")).empty


def test_units_are_ranked_apart() -> None:
    barriers = pd.concat([profile("claims", users=20), profile("cards", trust=30)])
    made = recommended(barriers)
    assert made[["unit_id", "rank", "template_id"]].to_numpy().tolist() == [
        ["cards", 1, "trust-band"],
        ["claims", 1, "users-band"],
    ]


weak = st.tuples(st.sampled_from(BARRIERS), st.integers(1, 3), st.floats(0, 100))


@pytest.mark.slow
@examples(25)
@given(
    st.lists(weak, min_size=1, max_size=12, unique_by=lambda row: row[:2]),
    st.lists(st.floats(0, 100), min_size=4, max_size=4),
    st.randoms(),
)
def test_ranks_are_complete_spread_and_the_same_whatever_the_row_order(rows, voices, chance) -> None:
    explain = explained(*(("indicator", f"{barrier}_{number}", points) for barrier, number, points in rows))
    barriers = profile(**dict(zip(BARRIERS, voices, strict=True)))
    made = recommended(barriers, explain)
    assert made["rank"].tolist() == list(range(1, len(made) + 1))
    assert not made.duplicated("template_id").any()
    order = chance.sample(range(len(explain)), len(explain))
    pd.testing.assert_frame_equal(made, recommended(barriers, explain.iloc[order]))
    first = made["barrier_id"].head(3)
    called = {barrier for barrier in made["barrier_id"] if voices[BARRIERS.index(barrier)] < 60}
    if len(first) == 3 and len(called) > 1:
        assert first.nunique() > 1
