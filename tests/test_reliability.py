"""Reliability and agreement against the numbers of the method, and against other software."""

import numpy as np
import pandas as pd
import pytest
from generated import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aiready.measures.estimation import reliability


def wide(name):
    import pingouin

    return pingouin.read_dataset(name).pivot(index="Subj", columns="Items", values="Scores")


def one_factor_answers(seed=0, n=300, loadings=(0.8, 0.7, 0.6, 0.9)):
    rng = np.random.default_rng(seed)
    spread = np.arange(1, len(loadings) + 1)
    common = rng.normal(size=(n, 1)) * np.array(loadings)
    return (common + rng.normal(size=(n, len(loadings))) * 0.6) * spread


class TestAlpha:
    def test_reference_with_missing_answers_left_out(self):
        import pingouin

        found = reliability.cronbach_alpha(pingouin.read_dataset("cronbach_wide_missing"))
        assert (found.n, found.items) == (9, 11)
        assert (found.value, found.low, found.high) == pytest.approx((0.801695, 0.533003, 0.947208), abs=1e-6)

    def test_reference_complete(self):
        found = reliability.cronbach_alpha(wide("cronbach_alpha"))
        assert (found.n, found.items) == (15, 10)
        assert (found.value, found.low, found.high) == pytest.approx((0.591719, 0.194921, 0.839821), abs=1e-6)

    def test_agrees_with_pingouin_on_complete_answers(self):
        import pingouin

        answers = one_factor_answers()
        value, interval = pingouin.cronbach_alpha(pd.DataFrame(answers))
        found = reliability.cronbach_alpha(answers)
        assert found.value == pytest.approx(value)
        assert [found.low, found.high] == pytest.approx(interval, abs=1e-3)

    def test_an_item_that_should_be_reversed_makes_it_negative(self):
        x = np.array([1.0, 2, 3, 4, 4])
        assert reliability.cronbach_alpha(np.column_stack([x, [5.0, 4, 3, 2, 1]])).value < 0

    @pytest.mark.parametrize("answers", [np.ones((6, 3)), np.ones((6, 1)), np.ones((1, 3)), np.ones((0, 3))])
    def test_without_variance_items_or_people_it_is_missing(self, answers):
        assert np.isnan(reliability.cronbach_alpha(answers).value)

    @examples(30)
    @given(st.integers(0, 1000))
    def test_it_does_not_depend_on_the_order_of_people_or_items(self, seed):
        rng = np.random.default_rng(seed)
        answers = rng.integers(1, 6, (12, 4)).astype(float)
        shuffled = rng.permutation(rng.permutation(answers), axis=1)
        assert reliability.cronbach_alpha(shuffled).value == pytest.approx(
            reliability.cronbach_alpha(answers).value, nan_ok=True
        )


class TestOmega:
    def test_agrees_with_the_ml_fit_of_statsmodels(self):
        from statsmodels.multivariate.factor import Factor

        answers = one_factor_answers()
        fit = Factor(corr=np.corrcoef(answers.T), n_factor=1, method="ml").fit()
        assert reliability.mcdonald_omega(answers).value == pytest.approx(
            omega(answers, fit.loadings[:, 0], fit.uniqueness), abs=1e-6
        )

    def test_agrees_with_factor_analyzer(self, monkeypatch):
        import factor_analyzer.factor_analyzer as factor_analyzer

        check = factor_analyzer.check_array  # renamed its argument since
        monkeypatch.setattr(
            factor_analyzer,
            "check_array",
            lambda x, force_all_finite=True, **k: check(x, **k | {"ensure_all_finite": force_all_finite}),
        )
        answers = one_factor_answers(seed=4)
        fit = factor_analyzer.FactorAnalyzer(n_factors=1, method="ml", rotation=None).fit(answers)
        assert reliability.mcdonald_omega(answers).value == pytest.approx(
            omega(answers, fit.loadings_[:, 0], fit.get_uniquenesses()), abs=1e-4
        )

    def test_it_equals_alpha_where_items_are_interchangeable(self):
        x = np.random.default_rng(2).normal(size=(4000, 1)) + np.random.default_rng(3).normal(size=(4000, 4))
        assert reliability.mcdonald_omega(x).value == pytest.approx(reliability.cronbach_alpha(x).value, abs=5e-3)

    def test_a_heywood_case_is_missing(self):
        rng = np.random.default_rng(1)
        first = rng.normal(size=400)
        answers = np.column_stack(
            [first, 0.9 * first + 0.44 * rng.normal(size=400), 0.6 * first + 0.8 * rng.normal(size=400)]
        )
        assert np.isnan(reliability.mcdonald_omega(answers).value)

    @pytest.mark.parametrize("answers", [one_factor_answers()[:, :2], one_factor_answers()[:4], np.ones((20, 4))])
    def test_two_items_few_people_or_no_variance_are_missing(self, answers):
        assert np.isnan(reliability.mcdonald_omega(answers).value)


def omega(answers, loadings, unique):
    spread = answers.std(axis=0, ddof=1)
    common = (spread * loadings).sum() ** 2
    return common / (common + (spread**2 * unique).sum())


class TestAgreement:
    def test_reference(self):
        people = np.array([[4, 4, 5], [4, 5, 4], [5, 4, 4], [4, 4, 4], [3, 4, 4]])
        found = reliability.rwg_j(people.var(axis=0, ddof=1)[None], points=5)
        assert found == pytest.approx([0.944444], abs=1e-6)

    def test_more_disagreement_than_by_chance_is_none(self):
        assert reliability.rwg_j([[4.0, 4.0]], points=5).tolist() == [0]

    def test_full_agreement_is_one_and_no_answers_are_missing(self):
        found = reliability.rwg_j([[0.0, 0.0], [np.nan, np.nan]], points=5)
        assert found[0] == 1
        assert np.isnan(found[1])

    def test_an_item_without_two_answers_is_left_out(self):
        with_gap, without = (
            reliability.rwg_j([[0.5, 0.3, np.nan]], points=5),
            reliability.rwg_j([[0.5, 0.3]], points=5),
        )
        assert with_gap == pytest.approx(without)


class TestAnova:
    def groups(self, seed=0):
        rng = np.random.default_rng(seed)
        return [rng.normal(mean, 10, n) for mean, n in ((50, 4), (58, 9), (47, 15), (55, 6))]

    def table(self, groups, shift=50.0):
        shifted = [values - shift for values in groups]
        return reliability.anova(*zip(*((len(v), v.sum(), (v**2).sum()) for v in shifted), strict=True))

    def test_f_test_agrees_with_scipy(self):
        groups = self.groups()
        found, theirs = self.table(groups), stats.f_oneway(*groups)
        assert found.p == pytest.approx(theirs.pvalue)
        assert found.between / found.within == pytest.approx(theirs.statistic)

    def test_icc_agrees_with_pingouin_where_groups_are_of_one_size(self):
        import pingouin

        values = np.random.default_rng(6).normal(50, 10, (8, 6)) + np.random.default_rng(7).normal(0, 6, (8, 1))
        long = pd.DataFrame(values).melt(ignore_index=False).reset_index(names="unit")
        theirs = pingouin.intraclass_corr(long, targets="unit", raters="variable", ratings="value")["ICC"]
        found = self.table(list(values))
        assert (found.icc1, found.icc2) == pytest.approx((theirs.iloc[0], theirs.iloc[3]), abs=1e-6)

    def test_unequal_groups_are_worth_their_average_size(self):
        n = np.array([4, 9, 15, 6])
        assert self.table(self.groups()).size == pytest.approx((34 - (n**2).sum() / 34) / 3)

    def test_the_shift_changes_nothing(self):
        assert self.table(self.groups(), 0.0).icc1 == pytest.approx(self.table(self.groups(), 57.0).icc1)

    def test_units_that_differ_less_than_people_have_no_variance_between(self):
        same = [np.array([10.0, 90]), np.array([11.0, 89]), np.array([12.0, 88])]
        assert self.table(same).between_variance == 0
        assert self.table(same).icc1 < 0

    def test_one_group_or_groups_of_one_are_missing(self):
        assert np.isnan(self.table(self.groups()[:1]).icc1)
        assert np.isnan(self.table([np.array([1.0]), np.array([2.0])]).p)

    def test_empty_groups_do_not_count(self):
        assert reliability.anova([2, 0, 2], [4, 0, 14], [10, 0, 100]).groups == 2
