"""Forests: what scikit-learn grew, walked by own code."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from gossan.models import Forest


@pytest.fixture
def world():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(500, 4)).astype(np.float32)
    return X, ((X[:, 0] * X[:, 1] > 0.8) | (rng.random(500) < 0.02)).astype(int)


@pytest.mark.parametrize(
    ("trees", "peer", "balance"),
    [
        ("random", RandomForestClassifier, "balanced_subsample"),
        ("extra", ExtraTreesClassifier, "balanced"),
    ],
)
def test_it_says_what_the_forest_of_scikit_learn_says(trees, peer, balance, world):
    X, y = world
    model = Forest(trees, n_estimators=30, random_state=5).fit(X, y)
    seed = int(np.random.default_rng(5).integers(2**31))
    other = peer(30, min_samples_leaf=3, class_weight=balance, random_state=seed).fit(X, y)
    new = np.random.default_rng(2).normal(size=(1000, 4)).astype(np.float32)
    new[:100] = X[:100]  # on the thresholds' sides exactly as in training
    np.testing.assert_allclose(model.predict_proba(new), other.predict_proba(new), atol=1e-12)
    of_trees = [tree.predict_proba(new)[:, 1] for tree in other.estimators_]
    np.testing.assert_allclose(model.member_probabilities(new), of_trees, atol=1e-12)


def test_few_occurrences_weigh_as_much_as_much_background():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1010, 2)), np.repeat([1, 0], [10, 1000])
    X[y == 1, 0] += 2.5
    scores = Forest(n_estimators=100, random_state=0).fit(X, y).predict_proba([[2.5, 0.0]])
    assert scores[0, 1] > 0.3  # of the rows about that place, one in ten is an occurrence


def test_an_unknown_kind_of_trees_is_told(world):
    with pytest.raises(ValueError, match="trees must be one of random, extra"):
        Forest("oak").fit(*world)
