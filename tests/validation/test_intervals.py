"""Scores of predictive distributions against integrals and published forms; conformal coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import ndtr, ndtri

from gossan._checks import GossanWarning
from gossan.validation.intervals import (
    conformal_intervals,
    crps_ensemble,
    crps_gaussian,
    crps_quantiles,
    interval_coverage,
    interval_score,
)


def by_integral(y, cumulative):
    """Return the score by its definition: the integral of (F(x) - 1{x >= y})²."""
    left = integrate.quad(lambda x: cumulative(x) ** 2, -60, y, limit=400)[0]
    right = integrate.quad(lambda x: (1 - cumulative(x)) ** 2, y, 60, limit=400)[0]
    return left + right


@pytest.mark.parametrize(
    ("y", "mean", "std"), [(0.0, 0.0, 1.0), (2.0, -1.0, 0.7), (-3.0, 1.0, 4.0)]
)
def test_the_gaussian_score_is_its_integral(y, mean, std):
    expected = by_integral(y, lambda x: ndtr((x - mean) / std))
    assert crps_gaussian([y], [mean], [std])[0] == pytest.approx(expected, rel=1e-6)


def test_the_ensemble_score_is_its_integral_and_that_of_a_sample_of_a_gaussian():
    members = np.array([[-1.0, 0.5, 0.5, 2.0, 7.0]])
    expected = by_integral(1.3, lambda x: (members <= x).mean())
    assert crps_ensemble([1.3], members)[0] == pytest.approx(expected, rel=1e-3)
    many = ndtri((np.arange(4000) + 0.5) / 4000)[None]
    assert crps_ensemble([0.4], many)[0] == pytest.approx(
        crps_gaussian([0.4], [0.0], [1.0])[0], rel=1e-3
    )


@pytest.mark.parametrize(("n_levels", "tolerance"), [(20, 0.01), (99, 0.002)])
def test_the_quantile_score_is_near_the_gaussian_one(n_levels, tolerance):
    levels = (np.arange(n_levels) + 0.5) / n_levels
    y = np.random.default_rng(0).normal(size=500)
    quantiles = np.tile(ndtri(levels), (500, 1))
    exact = crps_gaussian(y, np.zeros(500), np.ones(500)).mean()
    assert crps_quantiles(y, quantiles, levels).mean() == pytest.approx(exact, rel=tolerance)


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.01, 100), st.floats(0.1, 10))
def test_the_score_has_the_unit_of_the_values(y, mean, std, factor):
    once = crps_gaussian([y], [mean], [std])[0]
    scaled = crps_gaussian([y * factor + 3], [mean * factor + 3], [std * factor])[0]
    assert scaled == pytest.approx(once * factor, rel=1e-6, abs=1e-9)
    assert 0 <= once <= abs(y - mean) + std


def test_the_truth_scores_best():
    y = np.random.default_rng(1).normal(0, 2, 20_000)
    scores = {s: crps_gaussian(y, np.zeros(20_000), np.full(20_000, s)).mean() for s in (1, 2, 4)}
    assert min(scores, key=scores.get) == 2


def test_missing_values_stay_missing():
    assert np.isnan(crps_gaussian([np.nan, 1.0], [0.0, 0.0], [1.0, 1.0])).tolist() == [True, False]
    assert np.isnan(crps_ensemble([np.nan], [[1.0, 2.0]])).all()
    assert interval_coverage([np.nan, 1.0], [0.0, 0.0], [2.0, 0.5]) == 0.0
    assert np.isnan(interval_coverage([np.nan], [0.0], [2.0]))


def test_coverage_counts_the_ends_and_groups_alike():
    assert interval_coverage([0.0, 1.0, 3.0], [0.0] * 3, [1.0] * 3) == pytest.approx(2 / 3)
    y, groups = [0.5, 0.5, 0.5, 9.0], ["a", "a", "a", "b"]
    assert interval_coverage(y, [0.0] * 4, [1.0] * 4, groups) == 0.5


def test_the_interval_score_by_hand():
    scores = interval_score([5.0, -1.0, 12.0], [0.0] * 3, [10.0] * 3, coverage=0.8)
    np.testing.assert_allclose(scores, [10.0, 20.0, 30.0])


def test_conformal_intervals_by_hand():
    # widths of 2; what was needed, in widths: 19 values 0.05, 0.10 ... 0.95 outside the high end
    needed = np.arange(1, 20) / 20
    known = {"held_out_low": np.full(19, -1.0), "held_out_high": np.ones(19)}
    found = conformal_intervals([0.0], [4.0], held_out_y=1.0 + 2 * needed, coverage=0.9, **known)
    np.testing.assert_allclose(found, [[-0.9 * 4, 4 + 0.9 * 4]])  # the 18th of 19


def test_conformal_intervals_narrow_what_is_too_wide():
    rng = np.random.default_rng(0)
    y = rng.normal(size=2000)
    wide = {"held_out_low": np.full(2000, -10.0), "held_out_high": np.full(2000, 10.0)}
    found = conformal_intervals([-10.0], [10.0], held_out_y=y, **wide)[0]
    np.testing.assert_allclose(found, [-1.645, 1.645], atol=0.12)


def test_conformal_intervals_cover_new_groups_as_promised():
    rng = np.random.default_rng(4)
    coverages = []
    for _ in range(40):
        shift = np.repeat(rng.normal(size=60), 5)  # rows of a group miss together
        y = shift + rng.normal(0, 0.3, 300)
        low, high = np.full(300, -0.5), np.full(300, 0.5)
        groups = np.repeat(np.arange(60), 5)
        known = slice(0, 200)
        found = conformal_intervals(
            low[200:],
            high[200:],
            held_out_low=low[known],
            held_out_high=high[known],
            held_out_y=y[known],
            groups=groups[known],
        )
        coverages.append(interval_coverage(y[200:], found[:, 0], found[:, 1], groups[200:]))
    assert 0.88 < np.mean(coverages) < 0.95


def test_too_few_groups_are_told():
    known = {"held_out_low": [0.0] * 4, "held_out_high": [1.0] * 4, "held_out_y": [0.5] * 4}
    with pytest.warns(GossanWarning, match="4 groups are too few for 90% coverage"):
        found = conformal_intervals([0.0], [1.0], **known)
    assert np.isinf(found).all()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: crps_gaussian([0.0], [0.0], [-1.0]), "std must be zero or more, got -1"),
        (lambda: crps_gaussian([0.0], [0.0, 1.0], [1.0]), "must have one shape"),
        (lambda: crps_ensemble([0.0], [1.0]), "members must have shape"),
        (lambda: crps_quantiles([0.0], [[1.0, 2.0]], [0.5]), "2 increasing probabilities"),
        (lambda: crps_quantiles([0.0], [[1.0, 2.0]], [0.5, 0.5]), "increasing probabilities"),
        (lambda: crps_quantiles([0.0], [[1.0, 2.0]], [0.5, 1.0]), "increasing probabilities"),
        (lambda: interval_score([0.0], [0.0], [1.0], coverage=1.0), "coverage must lie between"),
        (lambda: interval_coverage([0.0], [0.0], [1.0, 2.0]), "must have one shape"),
        (
            lambda: conformal_intervals(
                [2.0], [1.0], held_out_low=[0.0], held_out_high=[1.0], held_out_y=[0.5]
            ),
            "low must not exceed high",
        ),
        (
            lambda: conformal_intervals(
                [0.0], [1.0], held_out_low=[0.0], held_out_high=[1.0], held_out_y=[np.nan]
            ),
            "must be finite columns",
        ),
    ],
)
def test_what_does_not_fit_is_told(call, match):
    with pytest.raises(ValueError, match=match):
        call()
