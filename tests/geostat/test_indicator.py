"""Indicator kriging: order relations, local distributions, and what they say of planted fields."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gossan._checks import GossanWarning
from gossan.geostat.covariance import VariogramModel
from gossan.geostat.idw import InverseDistance
from gossan.geostat.indicator import IndicatorKriging
from gossan.geostat.kriging import Kriging
from gossan.geostat.local_distribution import LocalDistributions, correct_order_relations

numbers = st.floats(-0.5, 1.5, allow_nan=False)


# Order relations


def test_order_relations_are_the_mean_of_upward_and_downward_corrections():
    # Upward: 0.2 0.6 0.6 0.9; downward: 0.2 0.4 0.4 0.9.
    corrected = correct_order_relations([[0.2, 0.6, 0.4, 0.9]])
    np.testing.assert_allclose(corrected, [[0.2, 0.5, 0.5, 0.9]])


@given(arrays(float, (3, 6), elements=numbers))
def test_corrected_probabilities_rise_within_zero_and_one(raw):
    corrected = correct_order_relations(raw)
    assert (np.diff(corrected, axis=1) >= 0).all()
    assert ((corrected >= 0) & (corrected <= 1)).all()
    np.testing.assert_allclose(correct_order_relations(corrected), corrected)


def test_a_distribution_in_order_stays_and_a_missing_one_stays_missing():
    given = [[0.0, 0.3, 1.0], [np.nan, np.nan, np.nan]]
    np.testing.assert_array_equal(correct_order_relations(given), given)


# Local distributions


def local(probabilities=((0.25, 0.75),), class_means=(0.5, 2.0, 6.0)):
    edges = np.array([0.0, 1.0, 3.0, 11.0])
    return LocalDistributions(edges, np.array(class_means), np.array(probabilities))


def test_the_mean_is_that_of_the_classes():
    # 0.25 x 0.5 + 0.5 x 2 + 0.25 x 6
    np.testing.assert_allclose(local().mean(), [2.625])


def test_the_spread_of_one_flat_class_is_that_of_a_uniform_variable():
    flat = LocalDistributions(np.array([0.0, 1.0, 13.0]), np.array([0.5, 7.0]), np.array([[0.0]]))
    np.testing.assert_allclose(flat.mean(), [7.0])
    np.testing.assert_allclose(flat.std(), [12 / np.sqrt(12)])


def test_a_skewed_class_keeps_the_mean_of_its_samples():
    skewed = local(class_means=(0.5, 2.0, 4.0))  # most of the highest class lies low
    assert skewed.powers[2] == pytest.approx((1 / 8) / (7 / 8))
    np.testing.assert_allclose(skewed.mean(), [0.25 * 0.5 + 0.5 * 2 + 0.25 * 4])
    assert skewed.exceedance(7.0)[0] < local().exceedance(7.0)[0]


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.05, 0.95))
def test_quantiles_and_exceedances_are_inverse(first, second, asked):
    low, high = sorted((first, second))
    distribution = local([(low, high)])
    value = distribution.quantile(asked)
    assert 0 <= value[0] <= 11
    # Where a class is empty or a step is tall, the quantile is where the probability is passed.
    assert distribution.exceedance(value[0] + 1e-6)[0] <= 1 - asked + 1e-3
    assert distribution.exceedance(value[0] - 1e-6)[0] >= 1 - asked - 1e-3


@given(arrays(float, (1, 2), elements=st.floats(0, 1)))
def test_exceedance_falls_from_one_to_zero(raw):
    distribution = local(correct_order_relations(raw))
    falls = [distribution.exceedance(cut)[0] for cut in np.linspace(-1, 12, 40)]
    assert falls[0] == 1.0
    assert falls[-1] == 0.0
    assert (np.diff(falls) <= 1e-12).all()


def test_the_mean_above_a_cutoff_weighs_with_its_share():
    distribution = local()
    cut = 2.0
    share, above = distribution.exceedance(cut), distribution.mean_above(cut)
    draws = np.array([distribution.quantile(p)[0] for p in (np.arange(4000) + 0.5) / 4000])
    assert above[0] == pytest.approx(draws[draws > cut].mean(), rel=1e-2)
    assert share[0] == pytest.approx((draws > cut).mean(), abs=1e-3)
    assert np.isnan(distribution.mean_above(20.0)[0])


def test_a_missing_distribution_has_nothing_but_missing_values():
    missing = local([(np.nan, np.nan)])
    for each in (missing.mean(), missing.std(), missing.exceedance(2.0), missing.quantile(0.5)):
        assert np.isnan(each).all()


def test_a_probability_beyond_one_is_refused():
    with pytest.raises(ValueError, match=r"lies in \[0, 1\], got 90"):
        local().quantile(90)


# The estimator


def samples(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(0, 100, (n, 2))
    return X, np.exp(np.sin(X[:, 0] / 15) + 0.3 * rng.normal(size=n))


def test_the_distribution_at_a_sample_is_its_class():
    X, y = samples()
    model = IndicatorKriging(InverseDistance(), thresholds=[1.0, 2.0]).fit(X, y)
    found = model.predict_distribution(X).probabilities
    np.testing.assert_array_equal(found, y[:, None] <= [1.0, 2.0])


def test_estimators_by_threshold_are_fitted_each_to_its_own():
    X, y = samples()
    near, far = InverseDistance(n_neighbours=4), InverseDistance(n_neighbours=20)
    both = IndicatorKriging([near, far], thresholds=[1.0, 2.0]).fit(X, y)
    targets = samples(20, 1)[0]
    found = both.predict_distribution(targets).probabilities
    alone = [
        IndicatorKriging(each, thresholds=[cut]).fit(X, y).predict_distribution(targets)
        for each, cut in ((near, 1.0), (far, 2.0))
    ]
    raw = np.column_stack([each.probabilities for each in alone])
    np.testing.assert_allclose(found, correct_order_relations(raw))


def test_probabilities_above_a_cutoff_are_frequencies():
    X, y = samples(600)
    train, test = np.arange(300), np.arange(300, 600)
    model = IndicatorKriging(InverseDistance(n_neighbours=12)).fit(X[train], y[train])
    probability = model.predict_exceedance(X[test], 1.5)
    is_above = y[test] > 1.5
    for low, high in ((0.0, 0.3), (0.7, 1.01)):
        some = (probability >= low) & (probability < high)
        assert some.sum() > 30
        assert abs(is_above[some].mean() - probability[some].mean()) < 0.12
    estimate = model.predict(X[test])
    assert 1 - np.mean((estimate - y[test]) ** 2) / y[test].var() > 0.6


def test_quantiles_are_in_order_and_cover_what_they_say():
    X, y = samples(600)
    model = IndicatorKriging(InverseDistance(n_neighbours=30, power=1)).fit(X[:300], y[:300])
    low, middle, high = model.predict_quantiles(X[300:], [0.05, 0.5, 0.95]).T
    assert (low <= middle).all()
    assert (middle <= high).all()
    assert np.mean((y[300:] >= low) & (y[300:] <= high)) > 0.8


@pytest.mark.filterwarnings("ignore:The variogram .* is not to be trusted")
def test_by_default_all_indicators_are_kriged_with_the_variogram_of_the_middle_one():
    X, y = samples(500)
    model = IndicatorKriging().fit(X[:300], y[:300])
    (kriging,) = model.krigings_
    assert isinstance(kriging, Kriging)
    probability = model.predict_exceedance(X[300:], 1.5)
    brier = np.mean((probability - (y[300:] > 1.5)) ** 2)
    share = np.mean(y[:300] > 1.5)
    assert brier < 0.5 * share * (1 - share)


def test_indicators_of_a_planted_field_give_its_distribution_on_average():
    # Without a sample in reach, the kriged indicator is the frequency among the samples: the sum
    # of ordinary kriging weights is one.
    X, y = samples(200)
    nugget = Kriging(VariogramModel(1.0), n_neighbours=200)
    model = IndicatorKriging(nugget, thresholds=[0.5, 1.0, 2.0]).fit(X, y)
    local = model.predict_distribution([[500.0, 500.0]])
    np.testing.assert_allclose(local.probabilities[0], (y[:, None] <= [0.5, 1, 2]).mean(axis=0))
    np.testing.assert_allclose(local.mean(), y.mean(), rtol=1e-6)


def test_a_target_without_samples_is_missing():
    X, y = samples()
    model = IndicatorKriging(InverseDistance(max_distance=20.0)).fit(X, y)
    assert np.isnan(model.predict([[900.0, 900.0]])).all()


def test_many_samples_at_the_detection_limit_are_a_class_of_their_own():
    X, y = samples()
    y = np.where(y < 1.0, 0.5, y)
    model = IndicatorKriging(InverseDistance()).fit(X, y)
    assert model.thresholds_[0] == 0.5
    assert (np.diff(model.edges_) > 0).all()
    at_limit = model.predict(X[y == 0.5])
    np.testing.assert_allclose(at_limit, 0.5, atol=1e-6)


def test_rows_without_a_value_are_left_out():
    X, y = samples(30)
    y[3] = np.nan
    with pytest.warns(GossanWarning, match="1 of 30 rows"):
        IndicatorKriging(InverseDistance()).fit(X, y, groups=np.arange(30))


def test_bad_thresholds_are_refused():
    X, y = samples(30)
    for thresholds in ([2.0, 1.0], [100.0], [[1.0]], []):
        with pytest.raises(ValueError, match="thresholds must rise"):
            IndicatorKriging(InverseDistance(), thresholds=thresholds).fit(X, y)
    with pytest.raises(ValueError, match="must hold all values"):
        IndicatorKriging(InverseDistance(), thresholds=[1.0], maximum=1.5).fit(X, y)
    with pytest.raises(ValueError, match="2 estimators were given for 1 thresholds"):
        IndicatorKriging([InverseDistance()] * 2, thresholds=[1.0]).fit(X, y)
    with pytest.raises(ValueError, match="All 30 values are 1"):
        IndicatorKriging(InverseDistance()).fit(X, np.ones(30))
    with pytest.raises(ValueError, match="must be one variable"):
        IndicatorKriging(InverseDistance()).fit(X, np.ones((30, 2)))
