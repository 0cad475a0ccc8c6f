"""The baselines: each learns, each follows its seed, each is named."""

import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from gossan._weights import row_weights
from gossan.models import BASELINES, WeightedClassifier, make_baseline


@pytest.fixture
def world(plant):
    return plant(0, n_deposits=8, n_per_deposit=(3, 9), apart=3.0)


@pytest.mark.parametrize("name", BASELINES)
def test_each_baseline_learns_and_repeats_itself(world, name):
    if name == "lightgbm":
        pytest.importorskip("lightgbm")
    first, second = (
        make_baseline(name, random_state=3).fit(world.X, world.y, groups=world.groups)
        for _ in range(2)
    )
    probabilities = first.predict_proba(world.X)
    np.testing.assert_array_equal(second.predict_proba(world.X), probabilities)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-9)
    assert (first.predict(world.X) == world.y).mean() > 0.85


def test_weights_reach_the_classifier(world):
    ours = WeightedClassifier(LogisticRegression()).fit(world.X, world.y, groups=world.groups)
    weights = row_weights(world.y, world.groups)
    values = np.log10(world.X)
    center = np.average(values, axis=0, weights=weights)
    scale = np.sqrt(np.average((values - center) ** 2, axis=0, weights=weights))
    scaled = (values - center) / scale
    theirs = LogisticRegression().fit(scaled, world.y, sample_weight=weights)
    np.testing.assert_allclose(ours.predict_proba(world.X), theirs.predict_proba(scaled), atol=1e-8)


def test_a_classifier_without_weights_is_fitted_without(world):
    model = WeightedClassifier(KNeighborsClassifier(1)).fit(world.X, world.y, groups=world.groups)
    assert (model.predict(world.X) == world.y).all()


def test_decision_values_of_two_classes_become_two_columns(world):
    two = world.y != "VMS"
    model = WeightedClassifier(SVC()).fit(world.X[two], world.y[two], groups=world.groups[two])
    probabilities = model.predict_proba(world.X[two])
    assert probabilities.shape == (two.sum(), 2)
    assert (model.predict(world.X[two]) == world.y[two]).mean() > 0.9


def test_an_unknown_baseline_is_told_with_the_nearest():
    with pytest.raises(ValueError, match=r"name must be one of logistic.*Did you mean 'forest'"):
        make_baseline("forrest")
    with pytest.raises(ValueError, match="weights must be one of"):
        make_baseline("lda", weights="all")


def test_a_missing_lightgbm_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ImportError, match=r"Install it with: pip install .gossan\[boosting\]"):
        make_baseline("lightgbm")
