"""Models of a deposit study by name: all take patches and labels alike."""

import importlib.util

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from gossan.models import DETECTORS, NormalsOnly, PatchTable, make_detector


@pytest.fixture(scope="module")
def patches():
    """Return 200 barren patches and 60 of ore that is richer in the second channel."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(260, 3, 3, 3, 3))
    X[200:, 1] += 3.0
    return X, np.repeat([0, 1], [200, 60])


@pytest.mark.parametrize("name", DETECTORS)
def test_every_model_finds_ore_in_patches_and_in_tables(name, patches):
    if name == "lightgbm" and not importlib.util.find_spec("lightgbm"):
        pytest.skip("lightgbm is an extra")
    X, y = patches
    for rows in (X, X[:, :, 1, 1, 1]):
        model = make_detector(name, random_state=0).fit(rows, y)
        if hasattr(model, "predict_proba"):
            scores = model.predict_proba(rows)[:, 1]
        else:
            scores = -model.score_samples(rows)
        assert roc_auc_score(y, scores) > 0.9


def test_statistics_stand_together():
    X = np.zeros((1, 2, 3, 3, 3))
    X[0, 0, 1, 1, 1] = 27.0
    X[0, 1] = 2.0
    table = PatchTable(["centre", "mean", "std", "max"]).fit_transform(X)
    std = np.sqrt(26 / 27 + 26**2 / 27)
    np.testing.assert_allclose(table, [[27, 2, 1, 2, std, 0, 27, 2]])


def test_tables_pass_as_they_are():
    X = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(PatchTable().fit_transform(X), X)


def test_the_forest_learns_from_normals_only(patches):
    X, y = patches
    table = X[:, :, 1, 1, 1]
    model = NormalsOnly(IsolationForest(n_estimators=20, random_state=0)).fit(table, y)
    alone = IsolationForest(n_estimators=20, random_state=0).fit(table[y == 0])
    np.testing.assert_array_equal(model.score_samples(table), alone.score_samples(table))
    np.testing.assert_array_equal(model.predict(table), alone.predict(table))
    np.testing.assert_array_equal(model.decision_function(table), alone.decision_function(table))


def test_wrong_arguments_are_told(patches):
    X, y = patches
    with pytest.raises(ValueError, match="Did you mean 'maxent'"):
        make_detector("maxnet")
    with pytest.raises(ValueError, match="statistics must be one of"):
        PatchTable(["median"]).fit(X)
    with pytest.raises(ValueError, match="channels"):
        PatchTable().fit(X).transform(X[:, :2])
    with pytest.raises(ValueError, match="is normal"):
        NormalsOnly(IsolationForest()).fit(X[:, :, 1, 1, 1], y + 1)
