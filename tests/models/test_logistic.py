"""Logistic regression on the values of a cell."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gossan.models import PointLogistic
from gossan.models._ridge import balanced_weights, fit_ridge


@pytest.fixture
def world():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(600, 5)).astype(np.float32)
    chance = 1.0 / (1.0 + np.exp(3.0 - 2.0 * X[:, 0] + X[:, 1]))
    return X, (rng.random(600) < chance).astype(int)


def test_it_is_the_ridge_regression_of_scikit_learn_on_the_same_scale(world):
    X, y = world
    model = PointLogistic(C=0.3).fit(X, y)
    scaled = (X - model.center_) / model.scale_
    weight = np.where(y == 1, 1.0, y.sum() / (y == 0).sum())
    peer = LogisticRegression(C=0.3, tol=1e-10, max_iter=2000)
    peer.fit(scaled, y, sample_weight=weight)
    np.testing.assert_allclose(model.coef_, peer.coef_[0], atol=1e-5)
    assert model.intercept_ == pytest.approx(peer.intercept_[0], abs=1e-5)


def test_the_scale_is_that_of_the_background(world):
    X, y = world
    model = PointLogistic().fit(X, y)
    np.testing.assert_allclose(model.center_, X[y == 0].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(model.scale_, X[y == 0].std(axis=0), atol=1e-6)


def test_background_given_twice_changes_nothing(world):
    X, y = world
    once = PointLogistic().fit(X, y)
    twice = PointLogistic().fit(np.vstack([X, X[y == 0]]), np.append(y, y[y == 0]))
    np.testing.assert_allclose(twice.coef_, once.coef_, atol=1e-7)


def test_weight_two_is_a_row_given_twice_inside_its_class(world):
    X, y = world
    weight = np.where((y == 0) & (X[:, 2] > 0), 2.0, 1.0)
    again = weight == 2.0
    weighted = PointLogistic().fit(X, y, sample_weight=weight)
    repeated = PointLogistic().fit(np.vstack([X, X[again]]), np.append(y, y[again]))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-7)


def test_the_planted_elements_are_found_with_their_signs(world):
    coef = PointLogistic(C=10.0).fit(*world).coef_
    assert coef[0] > 1.0
    assert coef[1] < -0.5
    assert np.abs(coef[2:]).max() < 0.4


def test_separable_classes_and_constant_channels_have_an_answer():
    X = np.column_stack([np.arange(20.0), np.full(20, 7.0)])
    model = PointLogistic(C=1e4).fit(X, np.arange(20) > 9)
    assert np.isfinite(model.coef_).all()
    assert model.coef_[1] == 0.0
    assert (model.predict(X) == (np.arange(20) > 9)).all()


def test_the_slope_of_the_loss_is_zero_with_a_penalty_for_each_coefficient(world):
    X, y = world
    weight = balanced_weights(y, np.ones(600))
    penalty = np.array([0.1, 1.0, 10.0, 100.0, 1e6])
    a, beta = fit_ridge(X.astype(float), y, weight, penalty)
    error = weight * (1.0 / (1.0 + np.exp(-(a + X @ beta))) - y)
    np.testing.assert_allclose(X.T @ error + penalty * beta, 0.0, atol=1e-4)
    assert abs(error.sum()) < 1e-4
    assert abs(beta[4]) < 1e-4


def test_each_class_weighs_as_the_rows_of_the_rarer():
    weight = balanced_weights(np.array([0, 0, 0, 1, 1, 0]), np.array([1.0, 1, 2, 1, 3, 0]))
    np.testing.assert_allclose(weight, [0.5, 0.5, 1.0, 0.5, 1.5, 0.0])


def test_a_penalty_that_is_none_is_told(world):
    with pytest.raises(ValueError, match="C must be a number above 0"):
        PointLogistic(C=0.0).fit(*world)
