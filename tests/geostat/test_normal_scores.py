import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtri

from gossan.geostat.normal_scores import NormalScores


def test_scores_by_hand():
    found = NormalScores().fit_transform([[5.0], [1.0], [9.0], [3.0]])
    assert_allclose(found.ravel(), ndtri([0.625, 0.125, 0.875, 0.375]))


def test_weights_move_the_scores():
    # shares 1/2, 1/4, 1/4: their middles are 0.25, 0.625, 0.875
    scores = NormalScores().fit([[1.0], [2.0], [3.0]], sample_weight=[2, 1, 1])
    assert_allclose(scores.transform([[1.0], [2.0], [3.0]]).ravel(), ndtri([0.25, 0.625, 0.875]))


@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=2, max_size=40),
    st.integers(0, 3),
)
def test_the_round_trip_is_exact_at_the_data(values, seed):
    column = np.array(values)[:, None]
    transformer = NormalScores(random_state=seed).fit(column)
    assert_array_equal(transformer.inverse_transform(transformer.transform(column)), column)
    assert_array_equal(transformer.inverse_transform(transformer.scores_), column)


def test_scores_of_many_values_are_normal():
    values = np.random.default_rng(0).lognormal(size=(5000, 2))
    scores = NormalScores().fit_transform(values)
    assert_allclose(scores.mean(axis=0), 0, atol=1e-6)
    assert_allclose(scores.std(axis=0), 1, atol=2e-3)


def test_ties_share_a_score_and_are_spread_reproducibly():
    column = np.array([1.0, 1.0, 1.0, 2.0, 5.0])[:, None]
    one, again = (NormalScores(random_state=3).fit(column) for _ in range(2))
    assert len(np.unique(one.transform(column)[:3])) == 1
    assert len(np.unique(one.scores_)) == 5
    assert_array_equal(one.scores_, again.scores_)
    assert_allclose(one.transform([[1.0]])[0, 0], 0.5 * (ndtri(0.1) + ndtri(0.5)))


def test_tails_reach_their_limits():
    transformer = NormalScores(lower=0.0, upper=100.0, upper_power=2.0).fit([[10.0], [20.0]])
    # the least value holds the probability 0.25: half of the way to the limit, half of it
    assert_allclose(transformer.inverse_transform([[ndtri(0.125)]]), 5.0)
    assert_allclose(transformer.inverse_transform([[ndtri(1 - 0.25 / 4)]]), 100 - 80 / 2)
    assert_allclose(transformer.inverse_transform([[-9.0], [99.0]]).ravel(), [0, 100], atol=1e-6)
    back = transformer.inverse_transform(transformer.transform([[3.0], [70.0]]))
    assert_allclose(back.ravel(), [3.0, 70.0])


def test_without_limits_the_tails_end_at_the_data():
    transformer = NormalScores().fit([[10.0], [20.0]])
    assert_allclose(transformer.inverse_transform([[-9.0], [9.0]]).ravel(), [10, 20])
    assert_allclose(transformer.transform([[-5.0]]), transformer.transform([[10.0]]))


def test_missing_stays_missing():
    column = np.array([[1.0], [np.nan], [3.0], [2.0]])
    transformer = NormalScores().fit(column)
    assert np.isnan(transformer.transform(column)).ravel().tolist() == [False, True, False, False]
    assert np.isnan(transformer.inverse_transform([[np.nan]])).all()


@given(st.integers(0, 20))
def test_scores_rise_with_values(seed):
    rng = np.random.default_rng(seed)
    transformer = NormalScores(lower=-10, upper=10).fit(rng.uniform(-5, 5, (20, 1)))
    new = np.sort(rng.uniform(-9, 9, 50))[:, None]
    assert (np.diff(transformer.transform(new).ravel()) >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "X", "weights", "message"),
    [
        ({"lower": 2.0}, [[1.0], [3.0]], None, "Limits of column 0"),
        ({"upper_power": 0.0}, [[1.0], [3.0]], None, "Powers of the tails"),
        ({}, [[1.0], [np.nan]], None, "1 known values"),
        ({}, [[1.0], [3.0]], [1, -1], "sample_weight must be 2"),
        ({}, [[1.0], [3.0]], [1], "sample_weight must be 2"),
    ],
)
def test_what_cannot_be_fitted(arguments, X, weights, message):
    with pytest.raises(ValueError, match=message):
        NormalScores(**arguments).fit(X, sample_weight=weights)


def test_another_number_of_columns_is_refused():
    with pytest.raises(ValueError, match="Scores must have 1 columns"):
        NormalScores().fit([[1.0], [3.0]]).inverse_transform([[1.0, 2.0]])
