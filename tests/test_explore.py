"""Views answer questions from published tables alone: nothing new is computed but what is asked for by name."""

import re

import numpy as np
import pandas as pd
import pytest

from aiready import Assessment
from aiready.charts import theme
from aiready.charts.figures import specification
from aiready.charts.marks import layered_specification
from aiready.errors import UsageError
from aiready.measures.initiatives.problem_statements import REPAIR_HINTS
from aiready.messages import Language, language_codes
from aiready.messages.catalogue import phrases
from aiready.model.registry import ORGANISATION
from aiready.model.schema import TABLES
from aiready.pages import views

OTHERS = [code for code in language_codes() if code != "en"]
HIDDEN = "treasury"
"""A unit of the sample with too few people for any number of theirs."""


@pytest.fixture(scope="module")
def unit(sample):
    return sample.unit("motor-claims")


def everything(unit: Assessment) -> dict[str, views.View]:
    barriers, indicators = unit.rules.barriers["barrier_id"], unit.rules.indicators["indicator_id"]
    plain = (views.profile, views.groups, views.moved, views.funnel, views.pilots, views.hours,
             views.blockers, views.modes, views.metrics, views.levels, views.confidence, views.themes,
             views.trend)  # fmt: skip
    shown = {ask.__name__: ask(unit) for ask in plain}
    for ask in (views.answers, views.facets, views.indicators, views.shifts):
        shown |= {f"{ask.__name__} {name}": ask(unit, name) for name in barriers}
    shown |= {f"answers {group}": views.answers(unit, barriers[0], group) for group in views.SEGMENTS}
    shown |= {f"records {name}": views.records(unit, name) for name in indicators}
    shown |= {f"recommended {row.template_id}": views.recommended(unit, row.barrier_id, row.template_id)
              for row in unit.rows("recommended").head(3).itertuples()}  # fmt: skip
    return shown | {"followed": views.followed(unit, "adoption", "2026-04-22", "2026-06-30"),
                    "what if": views.what_if(unit, {}), "agreed": views.agreed(unit, {}, pd.DataFrame()),
                    "recommended": views.recommended(unit, barriers[0], "")}  # fmt: skip


@pytest.mark.parametrize("unit_id", ["motor-claims", HIDDEN, "finance", "customer-operations", ORGANISATION])
def test_every_question_is_answered_for_every_kind_of_unit_in_any_width(sample, unit_id):
    for name, view in everything(sample.unit(unit_id)).items():
        assert view.title, name
        for width in (theme.WIDE, theme.NARROW):
            chart = view.draw(width)
            if chart is not None:
                spec = specification(chart)
                assert spec["description"], name
                assert spec["width"] + spec["padding"]["left"] + spec["padding"]["right"] == width, name


def words_of(view: views.View) -> set[str]:
    """Words of everything that a view says itself, in lower case; names in the data stand in scope and cells."""
    texts = (view.title, view.subtitle, *view.words, view.caution, *map(str, view.numbers.columns))
    return set(re.findall(r"\w+", " ".join(texts).lower()))


@pytest.mark.parametrize("unit_id", ["motor-claims", HIDDEN, ORGANISATION])
@pytest.mark.parametrize("code", OTHERS)
def test_every_question_is_answered_in_the_language_of_the_assessment(sample, code, unit_id):
    english = {
        "the",
        "of",
        "and",
        "what",
        "are",
        "is",
        "with",
        "by",
        "people",
        "who",
        "wave",
        "not",
        "records",
        "level",
    }
    translated = sample.translated(Language(code))
    for wave in (sample.facts.waves[0], sample.facts.wave):
        before, after = (everything(one.unit(unit_id).at(wave)) for one in (sample, translated))
        for name, view in after.items():
            assert not words_of(view) & english, (name, words_of(view) & english)
            assert view.title != before[name].title, name
            assert len(view.words) <= len(before[name].words), name
            assert bool(view.caution) == bool(before[name].caution), name
            assert view.numbers.shape[0] == before[name].numbers.shape[0], name
        assert words_of(before["profile"]) & english, "the search finds English"


def test_cells_of_the_register_are_worded_in_every_language(sample):
    """Every value that the schema allows in a listed column, and every hint on a problem statement, has a phrase."""
    schema = {column.name: column for column in TABLES["initiatives"].columns}
    for column in ("stakes", "metric_kind", "users_involved", "limit_kind"):
        assert schema[column].allowed
        for code in ("en", *OTHERS):
            assert all(f"register.{column}_{value}" in phrases(code) for value in schema[column].allowed)
    hints = {phrases("en")[key] for key in phrases("en") if key.startswith("register.mend_")}
    assert {hint for pair in REPAIR_HINTS.values() for hint in pair if hint} < hints


def test_a_report_shows_the_same_picture_as_the_panel(unit):
    view = views.facets(unit, "trust_governance")
    (figure,) = [part for part in view.section() if hasattr(part, "wide")]
    assert specification(figure.wide) == specification(layered_specification(view.draw(theme.WIDE)))
    assert figure.table.equals(view.numbers)


def test_nothing_of_hidden_people_is_in_any_view(sample):
    """What people said is not in a single row of a unit whose survey is hidden."""
    for name, view in everything(sample.unit(HIDDEN)).items():
        said = [column for column in ("perception", "says", "share") if column in view.rows]
        own = view.rows if "voice" not in view.rows else view.rows.loc[view.rows["voice"] == "perception"]
        said += [column for column in ("before", "after") if column in own]
        assert own[said].isna().all(axis=None), name
    (why,) = [views.answers(sample.unit(HIDDEN), "measurement").caution]
    assert why.startswith("Hidden: distributions need at least")


def test_records_lists_initiatives_and_tasks_but_acts_of_people_only_as_a_count(unit):
    assert len(views.records(unit, "involved_from_start").numbers) == unit.initiatives["unit_id"].notna().sum()
    assert len(views.records(unit, "measured_share").numbers)
    for indicator in ("context_coverage", "advice_in_time_share", "label_coverage", "feedback_closed_30d", "adoption"):
        view = views.records(unit, indicator)
        assert view.numbers.empty
        assert "never one by one" in view.caution
        assert "n\u00a0" in view.words[0]


def test_the_points_of_a_change_are_those_of_the_published_table(unit):
    rows = views.moved(unit).rows
    published = unit.rows("change_sources")
    assert rows["points"].sum() == pytest.approx(published["points"].sum(), abs=0.05 * len(published))
    assert set(rows["source"]) <= {"role_mix", "answers", "items", "records", "indicators"}


def test_an_item_stands_beside_itself_in_the_wave_before(sample, unit):
    rows = views.shifts(unit, "measurement").rows.set_index("id")
    before = sample.unit("motor-claims").at("2026-Q2").rows("explain").set_index("id")["points"]
    both = rows.dropna(subset=["before"])
    assert len(both)
    assert both["before"].to_dict() == pytest.approx(before[both.index].to_dict())


def test_the_first_wave_has_nothing_to_be_compared_with(unit):
    first = unit.at(unit.facts.waves[0])
    assert views.moved(first).words == ("There is no earlier wave to compare with.",)
    assert views.shifts(first, "measurement").words == ("There is no earlier wave to compare with.",)


class TestWhatIf:
    @pytest.mark.parametrize("unit_id", ["motor-claims", "finance", HIDDEN, ORGANISATION])
    def test_without_a_change_everything_is_as_published(self, sample, unit_id):
        rows = views.recomputed(sample.unit(unit_id), {})
        np.testing.assert_allclose(rows["practice_after"], rows["practice"])
        np.testing.assert_allclose(rows["score_after"], rows["score"])

    def test_a_weight_of_nought_leaves_the_indicator_out(self, unit):
        """By hand: the mean of the other indicators' published points."""
        points = unit.rows("explain").loc[lambda table: table["kind"].eq("indicator") & table["status"].eq("ok")]
        rest = points.loc[
            points["barrier_id"].eq("user_involvement") & points["id"].ne("involved_from_start"), "points"
        ]
        rows = views.recomputed(unit, {"involved_from_start": {"weight": 0}}).set_index("barrier_id")
        assert rows.loc["user_involvement", "practice_after"] == pytest.approx(rest.mean())
        others = rows.drop(index="user_involvement")
        np.testing.assert_allclose(others["practice_after"], others["practice"])

    def test_an_anchor_moved_to_the_value_makes_it_worth_all(self, unit):
        value = unit.cell("adoption").value
        before = unit.rows("explain").set_index("id").loc["adoption", "points"]
        rows = views.recomputed(unit, {"adoption": {"value_at_100": value}}).set_index("barrier_id")
        counted = unit.rows("explain").loc[
            lambda table: (
                table["kind"].eq("indicator") & table["status"].eq("ok") & table["barrier_id"].eq("user_involvement")
            )
        ]
        raised = (100 - before) / len(counted)
        assert rows.loc["user_involvement", "practice_after"] - rows.loc["user_involvement", "practice"] == (
            pytest.approx(raised)
        )

    def test_the_score_follows_the_weight_of_each_voice(self, unit):
        published = unit.rows("barriers").set_index("barrier_id")
        for weight, voice in ((1.0, "perception"), (0.0, "practice")):
            rows = views.recomputed(unit, {}, weight).set_index("barrier_id")
            np.testing.assert_allclose(rows["score_after"], published[voice])

    def test_where_people_are_hidden_no_weight_gives_them_back(self, sample):
        for weight in (0.0, 0.5, 1.0):
            rows = views.recomputed(sample.unit(HIDDEN), {"adoption": {"weight": 3}}, weight)
            assert rows["score_after"].isna().all()

    def test_what_makes_no_sense_is_refused_in_plain_words(self, unit):
        with pytest.raises(UsageError, match="worth 0 and worth 100 must differ"):
            views.recomputed(unit, {"adoption": {"value_at_0": 0.7}})
        with pytest.raises(UsageError, match="weight is 0 or more"):
            views.recomputed(unit, {"adoption": {"weight": -1}})
        with pytest.raises(UsageError, match="between 0 and 1"):
            views.recomputed(unit, {}, 1.2)

    def test_the_instrument_itself_stays_as_it_is(self, unit):
        before = unit.rules.indicators.copy()
        views.what_if(unit, {"adoption": {"weight": 4, "value_at_100": 0.3}})
        pd.testing.assert_frame_equal(unit.rules.indicators, before)


def test_following_a_measure_never_claims_that_an_action_moved_it(unit):
    view = views.followed(unit, "user_changes", "2026-04-22", "2026-06-30")
    assert "agreed on 22 April 2026 and due on 30 June 2026" in view.subtitle
    assert "not moving because of it" in view.caution
    assert list(view.rows["value"]) == list(
        unit.measures.loc[lambda t: t["unit_id"].eq("motor-claims") & t["measure"].eq("user_changes")
                          & t["segment"].eq("all") & t["status"].eq("ok")].sort_values("wave")["value"]
    )  # fmt: skip
