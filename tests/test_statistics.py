"""Statistics against the numbers of the method, other software, and their own laws."""

import numpy as np
import pytest
from effect_sizes import cliffs_delta
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aiready.measures.estimation import inference, survival
from aiready.measures.estimation.bootstrap import Unclustered, ratio_quantiles

numbers = st.floats(0, 100, allow_nan=False).map(lambda x: round(x, 3))


def test_wilson_gives_the_reference_intervals():
    low, high = inference.wilson([0, 54, 600, 570, 6], [10, 60, 1000, 1000, 10])
    assert low == pytest.approx([0, 0.798505, 0.569309, 0.539105, 0.312674], abs=1e-6)
    assert high == pytest.approx([0.277533, 0.953357, 0.629925, 0.600359, 0.831820], abs=1e-6)


def test_wilson_of_nothing_is_missing_and_does_not_hurt_its_neighbours():
    from statsmodels.stats.proportion import proportion_confint

    low, high = inference.wilson([0, 5], [0, 10])
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[1]) == pytest.approx(proportion_confint(5, 10, method="wilson"))


def test_newcombe_gives_the_reference_interval_and_the_one_sided_bound():
    low, high = inference.newcombe_difference(352, 400, 320, 400)
    assert (low, high) == pytest.approx((0.029243, 0.130612), abs=1e-6)
    assert inference.newcombe_difference(352, 400, 320, 400, level=0.90)[0] == pytest.approx(0.037458, abs=1e-6)
    assert inference.newcombe_difference(14, 400, 12, 400, level=0.90)[1] == pytest.approx(0.026621, abs=1e-6)


@pytest.mark.parametrize(("s1", "n1", "s0", "n0"), [(3, 10, 9, 12), (0, 7, 7, 7), (50, 90, 1, 4)])
def test_newcombe_agrees_with_statsmodels(s1, n1, s0, n0):
    from statsmodels.stats.proportion import confint_proportions_2indep

    ours = inference.newcombe_difference(s1, n1, s0, n0)
    assert ours == pytest.approx(confint_proportions_2indep(s1, n1, s0, n0, method="newcomb"), abs=1e-12)


def test_welch_gives_the_reference_differences():
    change = inference.welch_difference(64, 17, 36, 58, 18, 40)
    assert (change.se, change.p) == pytest.approx((4.015940, 0.139426), abs=1e-6)
    assert (change.low, change.high) == pytest.approx((-2.002264, 14.002264), abs=1e-6)
    trial = inference.welch_difference(24, 9, 120, 30, 10, 110)
    assert (trial.value, trial.low, trial.high) == pytest.approx((-6, -8.480475, -3.519525), abs=1e-6)


def test_welch_agrees_with_scipy_pair_by_pair():
    rng = np.random.default_rng(3)
    first, second = rng.normal(50, 10, (4, 12)), rng.normal(55, 25, (4, 30))
    ours = inference.welch_difference(
        first.mean(1), first.std(1, ddof=1), 12, second.mean(1), second.std(1, ddof=1), 30
    )
    theirs = stats.ttest_ind(first, second, axis=1, equal_var=False)
    interval = theirs.confidence_interval(0.95)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.low == pytest.approx(interval.low)
    assert ours.high == pytest.approx(interval.high)


def test_welch_of_one_person_or_of_no_variation_is_missing():
    alone = inference.welch_difference([60, 60], [np.nan, 0], [1, 9], [50, 50], [8, 0], [20, 9])
    assert np.isnan(alone.p).all()
    assert alone.value.tolist() == [10, 10]


def test_mean_interval_uses_the_number_of_people_where_it_is_known():
    low, high = inference.mean_interval([62, 62], 15, 12, [20, np.nan])
    assert low == pytest.approx([55.972354, 62 - 9.530546], abs=1e-6)
    assert high == pytest.approx([68.027646, 62 + 9.530546], abs=1e-6)


def test_mean_interval_without_correction_when_more_answered_than_were_asked():
    assert inference.mean_interval(62, 15, 12, 11) == inference.mean_interval(62, 15, 12)


def test_mean_interval_of_everybody_has_no_width_and_of_one_person_none():
    assert inference.mean_interval(62, 15, 12, 12) == (62, 62)
    assert np.isnan(inference.mean_interval(62, 15, 1)).all()


def test_mean_interval_agrees_with_scipy():
    values = np.array([50.0, 75, 25, 100, 62.5])
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert inference.mean_interval(values.mean(), values.std(ddof=1), 5) == pytest.approx(tuple(theirs))


def test_coverage_bounds_take_the_unknown_as_none_or_all():
    assert inference.coverage_bounds(0.9, 0.6) == pytest.approx((0.54, 0.94))


def bootstrap(hits, cases, *, draws, seed):
    """Bootstrap interval of sum(hits) / sum(cases) over whole clusters, all of one cell."""
    numerators, denominators = (np.asarray(values, float)[:, None] for values in (hits, cases))
    none, starts = Unclustered(*np.zeros((3, 1, 1))), np.array([0, len(numerators)])
    options = {"draws": draws, "seed": seed, "minimum": 1}
    return ratio_quantiles(starts, numerators, denominators, none, (0.025, 0.975), **options)[0, 0]


def test_bootstrap_of_people_is_wider_than_one_of_cases_when_people_differ():
    low, high = bootstrap([20] * 10 + [0] * 10, [20] * 20, draws=500, seed=1)
    plain_low, plain_high = inference.wilson(200, 400)
    assert high - low > 2 * (plain_high - plain_low)
    assert (bootstrap([20, 0], [20, 20], draws=50, seed=7) == bootstrap([20, 0], [20, 20], draws=50, seed=7)).all()


def test_bootstrap_agrees_with_scipy_on_clusters_of_one_size():
    hits = np.array([3, 7, 5, 9, 1, 4, 6, 8, 2, 5.0])
    ours = bootstrap(hits, np.full(10, 10), draws=4000, seed=2)
    theirs = stats.bootstrap((hits / 10,), np.mean, n_resamples=4000, method="percentile", rng=2)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.02)


def test_bootstrap_of_nothing_is_missing():
    assert np.isnan(bootstrap([], [], draws=10, seed=1)).all()


class TestKaplanMeier:
    times = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10, 12.0])
    ended = np.array([1, 1, 0, 1, 1, 0, 1, 0, 1, 0])

    def test_median_counts_the_open_ones_and_the_ninth_decile_is_not_reached(self):
        median = survival.kaplan_meier_quantile(self.times, self.ended, 0.5)
        late = survival.kaplan_meier_quantile(self.times, self.ended, 0.9)
        assert (median.value, median.n, median.follow_up) == (7, 10, 12)
        assert np.isnan(late.value)
        assert late.follow_up == 12

    @pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.75, 0.9])
    def test_value_and_interval_agree_with_lifelines(self, p):
        import lifelines
        from lifelines.utils import qth_survival_times

        rng = np.random.default_rng(5)
        times, ended = rng.exponential(10, 80).round(1) + 0.1, rng.random(80) < 0.7
        ended[times.argmax()] = False  # at S = 0 the log-log bounds do not exist
        curve = lifelines.KaplanMeierFitter().fit(times, ended)
        bounds = qth_survival_times([1 - p], curve.confidence_interval_)
        ours = survival.kaplan_meier_quantile(times, ended, p)
        theirs = [float(curve.percentile(1 - p)), *bounds.iloc[0]]
        assert [ours.value, ours.low, ours.high] == pytest.approx(
            [np.nan if np.isinf(number) else number for number in theirs], nan_ok=True
        )

    def test_a_step_that_meets_the_share_exactly_counts_as_reached(self):
        assert survival.kaplan_meier_quantile(np.arange(1, 11), np.ones(10), 0.9).value == 9
        assert survival.kaplan_meier_quantile(np.arange(1, 11), np.ones(10), 0.3).value == 3

    def test_nothing_ended_or_nothing_there_is_missing(self):
        assert np.isnan(survival.kaplan_meier_quantile([3, 4], [0, 0], 0.5).value)
        empty = survival.kaplan_meier_quantile([], [], 0.5)
        assert np.isnan([empty.value, empty.follow_up]).all()

    def test_missing_durations_are_left_out(self):
        assert survival.kaplan_meier_quantile([1, np.nan, 2, 3], [1, 1, 1, 1], 0.5).n == 3


def test_benjamini_hochberg_gives_the_reference_values_and_skips_missing_ones():
    p = [0.001, 0.008, 0.039, np.nan, 0.041, 0.042, 0.06, 0.074, 0.205]
    adjusted = [0.008, 0.032, 0.0672, np.nan, 0.0672, 0.0672, 0.08, 0.084571, 0.205]
    assert inference.benjamini_hochberg(p) == pytest.approx(adjusted, abs=1e-6, nan_ok=True)
    assert inference.benjamini_hochberg(np.full((2, 2), np.nan)).shape == (2, 2)


class TestCliffsDelta:
    x, y = [10, 10, 20, 20, 20, 30, 30, 30, 40, 50], [10, 20, 30, 40, 40, 50]

    def test_reference_value_and_interval(self):
        expected = (-0.25, -0.7265846, 0.3890062)
        assert cliffs_delta(self.x, self.y) == pytest.approx(expected, abs=1e-7)

    def test_it_is_twice_u_over_pairs_minus_one(self):
        u = stats.mannwhitneyu(self.x, self.y).statistic
        assert cliffs_delta(self.x, self.y)[0] == pytest.approx(2 * u / 60 - 1)

    def test_no_overlap_has_no_interval(self):
        delta, low, high = cliffs_delta([1, 2, 3], [4, 5, 6])
        assert delta == -1
        assert np.isnan([low, high]).all()

    def test_one_person_on_a_side_has_no_interval(self):
        delta, low, _ = cliffs_delta([2], [1, 2, 3])
        assert delta == 0
        assert np.isnan(low)

    def test_many_pairs_at_once_give_what_each_gives_alone(self):
        first, second = (
            np.array([[2, 3, 3, 1, 1], [1, 0, 4, 0, 0]]),
            np.array([[1, 1, 1, 2, 1], [0, 6, 1, 0, 2]]),
        )
        together = inference.cliffs_delta(first, second)
        for row in (0, 1):
            alone = cliffs_delta(*(np.repeat(np.arange(5), side[row]) for side in (first, second)))
            assert [part[row] for part in together] == pytest.approx(alone)

    @examples(40)
    @given(st.lists(numbers, min_size=2, max_size=12), st.lists(numbers, min_size=2, max_size=12))
    def test_swapping_sides_turns_the_sign_and_the_interval(self, x, y):
        delta, low, high = cliffs_delta(x, y)
        turned = cliffs_delta(y, x)
        assert -1 <= delta <= 1
        assert turned == pytest.approx((-delta, -high, -low), abs=1e-9, nan_ok=True)
        assert np.isnan(low) or low - 1e-9 <= delta <= high + 1e-9


class TestShrinkage:
    def test_reference_values(self):
        drawn = inference.shrink([70, 60, 50], [4, 16, 40], within=400, between=100)
        assert drawn.centre == pytest.approx(58.148148, abs=1e-6)
        assert drawn.values == pytest.approx([64.074074, 59.629630, 50.740741], abs=1e-6)

    def test_without_differences_every_group_gets_the_mean_of_all(self):
        drawn = inference.shrink([70, 50], [10, 30], within=400, between=0)
        assert drawn.values == pytest.approx([55, 55])

    def test_without_any_variance_means_stay(self):
        assert inference.shrink([50, 50], [3, 4], within=0, between=0).values.tolist() == [50, 50]

    @examples(40)
    @given(st.lists(st.tuples(numbers, st.integers(1, 50)), min_size=2, max_size=9), numbers)
    def test_a_shrunk_mean_lies_between_its_own_and_the_centre(self, groups, between):
        means, n = zip(*groups, strict=True)
        drawn = inference.shrink(means, n, within=300, between=between)
        ends = np.sort([means, np.full(len(means), drawn.centre)], axis=0)
        assert (drawn.values >= ends[0] - 1e-9).all()
        assert (drawn.values <= ends[1] + 1e-9).all()


class TestRanks:
    def test_reference_ranks(self):
        low, high = inference.rank_interval([72, 68, 65, 60, 50], [3, 2.5, 4, 2, 3])
        assert list(zip(low, high, strict=True)) == [(1, 3), (1, 4), (1, 4), (2, 5), (4, 5)]

    def test_one_unit_is_first_and_last(self):
        assert [int(end[0]) for end in inference.rank_interval([60], [2])] == [1, 1]

    @examples(40)
    @given(st.lists(st.tuples(numbers, st.floats(0.1, 20)), min_size=1, max_size=8), st.randoms())
    def test_ranks_hold_the_place_by_mean_whatever_the_order(self, groups, random):
        random.shuffle(groups)
        means, se = (np.array(part) for part in zip(*groups, strict=True))
        low, high = inference.rank_interval(means, se)
        place = 1 + (means > means[:, None]).sum(axis=1)
        assert (low <= place).all()
        assert (place <= high).all()

    def test_paired_ranks_use_what_people_share(self):
        """Two scales that everybody rates 5 apart differ surely, however much people differ."""
        people = np.random.default_rng(1).normal(50, 20, 12)
        low, high = inference.paired_rank_interval(*paired(np.column_stack([people, people + 5, people + 5])))
        assert low.tolist() == [[1, 2, 2]]
        assert high.tolist() == [[1, 3, 3]]

    def test_paired_ranks_agree_with_a_paired_t_test(self):
        scores = np.random.default_rng(8).normal([50, 55, 64], 9, (15, 3))
        low, _ = inference.paired_rank_interval(*paired(scores))
        surely_below = [
            sum(stats.ttest_rel(scores[:, j], scores[:, i], alternative="less").pvalue < 0.025 / 3 for j in range(3))
            for i in range(3)
        ]
        assert low[0].tolist() == [1 + count for count in surely_below]
        assert max(surely_below) > 0

    def test_a_scale_nobody_has_is_not_counted(self):
        lead, se, n = paired(np.random.default_rng(1).normal(50, 9, (9, 2)))
        wider = [np.pad(part, ((0, 0), (0, 1), (0, 1)), constant_values=np.nan) for part in (lead, se, n)]
        low, high = inference.paired_rank_interval(*wider)
        assert np.isnan([low[0, 2], high[0, 2]]).all()
        assert high[0, :2].max() <= 2


def paired(scores):
    gaps = scores[:, :, None] - scores[:, None, :]
    n = np.full(gaps.shape[1:], float(len(scores)))
    return gaps.mean(0)[None], (gaps.std(0, ddof=1) / np.sqrt(n))[None], n[None]
