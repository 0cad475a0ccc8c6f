"""Blends of predictive distributions: the better method gets the weight, chance gets none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from gossan.models.blending import blend_quantiles, blend_weights
from gossan.validation.intervals import crps_quantiles

LEVELS = (np.arange(20) + 0.5) / 20


def normal(mean, std):
    """Return quantiles of normal distributions, shape (n, levels)."""
    return np.asarray(mean)[:, None] + std * ndtri(LEVELS)


def test_two_estimates_with_independent_errors_share_the_weight_and_beat_both():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=2000)
    methods = [normal(truth + rng.normal(0, 1, 2000), 0.8) for _ in range(2)]
    weights = blend_weights(methods, truth, LEVELS)
    np.testing.assert_allclose(weights, 0.5, atol=0.05)
    scores = [crps_quantiles(truth, each, LEVELS).mean() for each in methods]
    assert (
        crps_quantiles(truth, blend_quantiles(methods, weights), LEVELS).mean() < min(scores) - 0.1
    )


def test_weights_follow_the_variances_as_in_least_squares():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(4000, 2))
    errors = [rng.normal(0, spread, (4000, 2)) for spread in (1.0, 2.0)]
    methods = [
        np.stack([normal(truth[:, e] + error[:, e], 0.9) for e in range(2)], axis=2)
        for error in errors
    ]
    weights = blend_weights(methods, truth, LEVELS, penalty=0.0)
    np.testing.assert_allclose(weights, [0.8, 0.2], atol=0.05)  # 1/1 to 1/4


def test_elements_in_other_units_count_alike():
    rng = np.random.default_rng(2)
    truth = rng.normal(size=(500, 2))
    methods = np.stack(
        [
            np.stack([normal(truth[:, e] + rng.normal(0, s, 500), 0.5) for e in range(2)], axis=2)
            for s in (0.5, 1.0, 1.5)
        ]
    )
    units = np.array([1.0, 1e4])
    expected = blend_weights(methods, truth, LEVELS)
    found = blend_weights(methods * units, truth * units, LEVELS)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_method_that_is_no_help_gets_no_weight_and_the_penalty_levels():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=300)
    methods = [normal(truth + rng.normal(0, 0.3, 300), 0.3), normal(np.full(300, 5.0), 0.1)]
    assert blend_weights(methods, truth, LEVELS)[1] < 0.02
    twins = [methods[0], methods[0] + rng.normal(0, 0.05, (300, 1))]
    far = blend_weights(twins, truth, LEVELS, penalty=10.0)
    np.testing.assert_allclose(far, 0.5, atol=0.02)


@given(st.integers(0, 1000), st.integers(1, 5))
def test_weights_are_shares_whatever_comes(seed, n_methods):
    rng = np.random.default_rng(seed)
    table = np.sort(rng.normal(0, 10.0 ** rng.integers(-3, 4), (n_methods, 12, 5)), axis=2)
    weights = blend_weights(table, rng.normal(size=12), (np.arange(5) + 0.5) / 5)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0)
    blended = blend_quantiles(table, weights)
    assert (np.diff(blended, axis=1) >= -1e-9).all()


@pytest.mark.parametrize(
    ("quantiles", "y", "levels", "match"),
    [
        (np.ones((2, 4, 3)), np.ones(4), [0.1, 0.5], r"shape \(n_methods, 4, 2, 1\)"),
        (np.ones((2, 4, 2)), np.ones(5), [0.1, 0.5], r"shape \(n_methods, 5, 2, 1\)"),
        (np.full((2, 4, 2), np.nan), np.ones(4), [0.1, 0.5], "missing in some rows"),
        (np.ones((2, 4, 2)), np.ones(4), [0.1, 1.5], "levels must lie between"),
    ],
)
def test_what_does_not_fit_is_told(quantiles, y, levels, match):
    with pytest.raises(ValueError, match=match):
        blend_weights(quantiles, y, levels)


@pytest.mark.parametrize("weights", [[0.5], [0.7, 0.7], [1.5, -0.5]])
def test_weights_that_are_no_shares_are_told(weights):
    with pytest.raises(ValueError, match="weights must be 2 shares that sum to 1"):
        blend_quantiles(np.ones((2, 3, 4)), weights)
