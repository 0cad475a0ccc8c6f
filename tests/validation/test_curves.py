"""Capture curve, P-A point and ROC by ranks, on hand-worked cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from gossan.validation.curves import (
    capture_curve,
    occurrence_shares,
    prediction_area,
    roc_by_ranks,
)

RANKS = np.array([1, 6, 11, 51, 100])


@pytest.fixture
def toy():
    """A 10 x 10 map with scores 100..1 and occurrences at ranks 1, 6, 11, 51, 100."""
    scores = np.arange(100, 0, -1).astype(float)
    is_known = np.isin(np.arange(1, 101), RANKS)
    return scores[is_known], scores[~is_known]


def test_the_toy_map_is_frozen(toy):
    shares = occurrence_shares(*toy)
    assert np.allclose(shares, [0, 4 / 95, 8 / 95, 47 / 95, 1])
    assert np.allclose(np.round(shares, 4), [0, 0.0421, 0.0842, 0.4947, 1])
    curve = capture_curve(shares)
    assert round(curve.auc, 4) == 0.6758
    assert curve.pa_point == pytest.approx((0.6, 0.4))
    assert curve.pa_density == pytest.approx(1.5)


def test_capture_and_density_step_where_an_occurrence_lies(toy):
    curve = capture_curve(occurrence_shares(*toy))
    assert np.allclose(curve.capture([0.0, 0.05, 0.1, 0.5, 1.0]), [0.2, 0.4, 0.6, 0.8, 1.0])
    assert curve.density(0.1) == pytest.approx(6.0)
    low, high = curve.capture_interval(0.1)
    assert (round(low, 3), round(high, 3)) == (0.147, 0.947)
    assert curve.area[0] == 0.0
    assert curve.captured[-1] == 1.0


def test_ties_count_half():
    assert np.allclose(occurrence_shares([5.0], np.full(7, 5.0)), 0.5)


def test_cells_off_the_map_do_not_count():
    assert occurrence_shares([2.0], [1.0, np.nan, 3.0])[0] == 0.5


def test_a_perfect_map_has_infinite_density():
    curve = capture_curve([0.0, 0.0])
    assert curve.pa_point == (1.0, 0.0)
    assert curve.pa_density == float("inf")


def test_the_pa_point_of_a_worthless_map_is_the_middle():
    shares = (np.arange(1000) + 0.5) / 1000
    captured, area = capture_curve(shares).pa_point
    assert captured == pytest.approx(0.5, abs=1e-3)
    assert area == pytest.approx(0.5, abs=1e-3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_pa_point_lies_on_the_falling_line_and_within_the_curve(shares):
    curve = capture_curve(shares)
    captured, area = curve.pa_point
    assert captured + area == pytest.approx(1.0)
    before = (curve.shares < area).mean()
    assert before - 1e-9 <= captured <= curve.capture(area) + 1e-9


@given(st.integers(0, 2**31))
def test_auc_by_shares_by_ranks_and_by_scikit_learn_are_one(seed):
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(0, 8, 40).astype(float), np.arange(40) % 4 == 0
    shares = occurrence_shares(scores[truth], scores[~truth])
    expected = roc_auc_score(truth, scores)
    assert capture_curve(shares).auc == pytest.approx(expected)
    assert roc_by_ranks(scores, truth)[2] == pytest.approx(expected)


def test_roc_by_ranks_runs_from_corner_to_corner():
    false_share, true_share, auc = roc_by_ranks([4, 3, 3, 1], [True, True, False, False])
    assert false_share.tolist() == [0, 0, 0.5, 1]
    assert true_share.tolist() == [0, 0.5, 1, 1]
    assert auc == 0.875


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(ValueError, match="No unlabelled cell has a score"):
        occurrence_shares([1.0], [np.nan])
    with pytest.raises(ValueError, match="Occurrence 1 has no score"):
        occurrence_shares([1.0, np.nan], [1.0])
    with pytest.raises(ValueError, match="Shares must lie between 0 and 1"):
        capture_curve([1.5])
    with pytest.raises(ValueError, match="needs positives and negatives"):
        roc_by_ranks([1.0, 2.0], [True, True])


def test_a_prediction_area_plot_worked_by_hand():
    """Cells 1 to 10, occurrences at 4, 9 and 10.

    At 7 two of three are found in 4 of 10 cells, at 8 in 3 of 10: captured + area goes from 1.067 to
    0.967, so that the curves cross two thirds of the way.
    """
    found = prediction_area([10.0, 9.0, 4.0], range(1, 11))
    at = {score: place for place, score in enumerate(found.thresholds[:-1])}
    assert found.captured[[at[1.0], at[4.0], at[5.0], at[10.0]]] == pytest.approx(
        [1, 1, 2 / 3, 1 / 3]
    )
    assert found.area[[at[1.0], at[4.0], at[5.0], at[10.0]]] == pytest.approx([1, 0.7, 0.6, 0.1])
    assert (found.captured[-1], found.area[-1]) == (0, 0)
    assert found.point == pytest.approx((7 + 2 / 3, 2 / 3, 1 / 3))
    assert found.density == pytest.approx(2.0)


def test_the_crossing_of_a_perfect_and_of_a_worthless_map():
    perfect = prediction_area([20.0, 30.0], range(10))
    assert perfect.point == (20.0, 1.0, 0.0)
    assert perfect.density == np.inf
    assert prediction_area([5.0], [5.0] * 9).point == (5.0, 0.5, 0.5)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=20), st.integers(0, 100))
def test_the_crossing_sums_to_one_and_lies_between_the_scores(scores, seed):
    cells = np.random.default_rng(seed).normal(size=50)
    found = prediction_area(scores, cells)
    threshold, captured, area = found.point
    assert captured + area == pytest.approx(1)
    assert found.thresholds[0] <= threshold <= found.thresholds[-1]
    assert (np.diff(found.captured) <= 0).all()
    assert (np.diff(found.area) <= 0).all()


def test_the_crossing_agrees_with_that_of_the_ranks():
    """Of many occurrences on a smooth map both ways to the P-A point agree."""
    rng = np.random.default_rng(3)
    cells, scores = rng.normal(size=20_000), rng.normal(1.0, 1.0, size=2_000)
    captured, area = capture_curve(occurrence_shares(scores, cells)).pa_point
    assert prediction_area(scores, cells).point[1:] == pytest.approx((captured, area), abs=2e-3)


def test_a_prediction_area_plot_needs_occurrences_with_scores():
    with pytest.raises(ValueError, match="needs occurrences"):
        prediction_area([], [1.0])
    with pytest.raises(ValueError, match="has no score"):
        prediction_area([np.nan], [1.0])
