"""Scores without labels: an index, a distance and an isolation forest against what they should be."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import spearmanr
from sklearn.ensemble import IsolationForest

from gossan.models import IsolationIndex, MahalanobisIndex, PathfinderIndex


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return rng.multivariate_normal([0, 0, 0], [[1, 0.8, 0], [0.8, 1, 0], [0, 0, 4.0]], 800)


# Index of pathfinders


def test_the_index_is_the_mean_of_signed_channels():
    X = [[1.0, 2.0, 3.0, 4.0], [0.0, -1.0, 2.0, 9.0]]
    index = PathfinderIndex([0, 2], [1]).fit(X)
    np.testing.assert_allclose(index.decision_function(X), [(1 + 3 - 2) / 3, (0 + 2 + 1) / 3])
    np.testing.assert_allclose(index.predict_proba(X)[:, 1], expit([2 / 3, 1.0]))
    all_of_them = PathfinderIndex(negative=["x3"]).fit(X)
    np.testing.assert_allclose(all_of_them.weights_, [0.25, 0.25, 0.25, -0.25])


def test_one_channel_is_a_single_element_map():
    volume = np.random.default_rng(0).normal(size=(2, 4, 5)).astype(np.float32)
    index = PathfinderIndex(["Li"], names=["K", "Li"]).fit(np.zeros((3, 2)))
    np.testing.assert_allclose(index.logit_map(volume), volume[1], atol=1e-6)


def test_labels_change_nothing_but_the_names_of_the_classes(table):
    without, other = PathfinderIndex().fit(table), np.arange(800) % 2
    with_labels = PathfinderIndex().fit(table, np.where(other, "ore", "barren"))
    np.testing.assert_array_equal(with_labels.predict_proba(table), without.predict_proba(table))
    assert (without.classes_.tolist(), with_labels.classes_.tolist()) == ([0, 1], ["barren", "ore"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positive": ["Au"]}, "no channel 'Au' among x0, x1, x2"),
        ({"positive": [3]}, "no channel 3"),
        ({"positive": [True]}, "no channel True"),
        ({"positive": [-1]}, "no channel -1"),
        ({"positive": [0], "negative": ["x0"]}, "once in positive or negative"),
        ({"positive": []}, "there must be one"),
        ({"names": ["Au"]}, "names has 1 names for 3 channels"),
    ],
)
def test_channels_that_are_not_there_are_told(settings, message, table):
    with pytest.raises(ValueError, match=message):
        PathfinderIndex(**settings).fit(table)


# Distance from the background


def test_the_distance_is_that_of_mean_and_covariance(table):
    model = MahalanobisIndex().fit(table)
    np.testing.assert_allclose(model.location_, 0.0, atol=0.2)  # four standard errors at most
    shape = np.linalg.inv(model.precision_)
    scale = np.sqrt(np.diag(shape))
    np.testing.assert_allclose((shape / np.outer(scale, scale))[0, 1], 0.8, atol=0.06)
    assert scale[2] / scale[0] == pytest.approx(2.0, rel=0.1)
    away = np.array([[3.0, -1.0, 2.0]]) - model.location_
    wanted = (0.5 * np.log(away @ model.precision_ @ away.T).item() - model.level_) / model.spread_
    np.testing.assert_allclose(model.decision_function([[3.0, -1.0, 2.0]]), wanted, rtol=1e-5)


def test_a_tenth_of_the_background_lies_beyond_the_level(table):
    for model in (MahalanobisIndex(), IsolationIndex(50, random_state=0)):
        assert model.fit(table).predict(table).mean() == pytest.approx(0.1, abs=0.002)


def test_the_unusual_few_do_not_spoil_mean_and_covariance(table):
    spoiled = table.copy()
    spoiled[:60] = [30.0, -30.0, 0.0]
    clean, model = MahalanobisIndex().fit(table[60:]), MahalanobisIndex().fit(spoiled)
    np.testing.assert_allclose(model.location_, clean.location_, atol=0.1)
    assert spearmanr(*(m.decision_function(table[60:]) for m in (clean, model)))[0] > 0.99


def test_the_distance_does_not_depend_on_the_units(table):
    factors = np.array([1e-3, 1.0, 1e4])
    first = MahalanobisIndex().fit(table).decision_function(table)
    second = MahalanobisIndex().fit(table * factors).decision_function(table * factors)
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-4)


def test_more_channels_than_rows_still_give_distances():
    X = np.random.default_rng(0).normal(size=(20, 40))
    assert np.isfinite(MahalanobisIndex().fit(X).decision_function(X)).all()


def test_labelled_occurrences_are_left_out_of_the_background(table):
    X, y = np.concatenate([table, np.full((300, 3), 9.0)]), np.repeat([0, 1], [800, 300])
    for model in (MahalanobisIndex(), IsolationIndex(50, random_state=0)):
        scores = model.fit(X, y).decision_function(X)
        assert scores[y == 1].min() > np.quantile(scores[y == 0], 0.97)


# Isolation forest


def test_scores_are_those_of_scikit_learn(table):
    model = IsolationIndex(40, max_samples=200, random_state=3).fit(table)
    seed = int(np.random.default_rng(3).integers(2**31))
    peer = IsolationForest(n_estimators=40, max_samples=200, random_state=seed)
    wanted = -peer.fit(table.astype(np.float32)).score_samples(table.astype(np.float32))
    found = model.decision_function(table) * model.spread_ + model.level_
    np.testing.assert_allclose(found, wanted, atol=1e-9)
