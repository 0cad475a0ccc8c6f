"""Scores of any estimator point the same way, row by row and cell by cell."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression

from gossan.data.grids.grid import add_layer, make_grid
from gossan.prospectivity import favourability, score_grid

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 2))


def grid_of(values):
    grid = make_grid((0, 40, 0, 30), 10, elevations=(0, 20))
    return add_layer(add_layer(grid, "a", values), "b", np.zeros(24))


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression().fit(X, X[:, 0] > 0),
        IsolationForest(random_state=0).fit(X * [0.1, 1.0]),
        LinearRegression().fit(X, X[:, 0]),
    ],
)
def test_higher_is_more_prospective_for_every_kind(estimator):
    low, high = favourability(estimator, [[0.0, 0.0], [6.0, 0.0]])
    assert high > low


def test_the_positive_class_is_the_last_or_the_one_named():
    model = LogisticRegression().fit(X, np.where(X[:, 0] > 0, "barren", "ore"))
    assert_allclose(favourability(model, X), model.predict_proba(X)[:, 1])
    assert_allclose(favourability(model, X, positive="barren"), model.predict_proba(X)[:, 0])
    with pytest.raises(ValueError, match="positive must be one of"):
        favourability(model, X, positive="gold")
    three = LogisticRegression().fit(X, np.arange(200) % 3)
    with pytest.raises(ValueError, match="Which of 3 classes"):
        favourability(three, X)


def test_what_cannot_score_is_refused():
    with pytest.raises(ValueError, match="neither predict_proba"):
        favourability(object(), X)
    two = LinearRegression().fit(X, X)
    with pytest.raises(ValueError, match="one number a row"):
        favourability(two, X)


def test_cells_are_scored_as_rows_are_whatever_the_tiles():
    values = RNG.normal(size=24)
    model = LinearRegression().fit(X, X[:, 0] - X[:, 1])
    grid = grid_of(values)
    scored = score_grid(model, grid, ["a", "b"], cells_at_once=7)
    expected = favourability(model, np.column_stack([values, np.zeros(24)]))
    assert_allclose(scored["score"].to_numpy().ravel(), expected, rtol=1e-6)
    assert scored["score"].dims == ("elevation", "northing", "easting")
    assert "score" not in grid


def test_cells_without_a_layer_stay_empty_and_are_counted():
    values = RNG.normal(size=24)
    values[3] = np.nan
    scored = score_grid(LinearRegression().fit(X, X[:, 0]), grid_of(values), ["a", "b"])
    assert np.isnan(scored["score"].to_numpy().ravel()[3])
    assert scored["score"].attrs["n_unscored"] == 1


def test_a_detector_of_volumes_is_given_the_volume():
    class Windows:
        def score_volume(self, volume):
            assert volume.shape == (2, 2, 3, 4)
            return -volume[0]

    values = RNG.normal(size=24)
    scored = score_grid(Windows(), grid_of(values), ["a", "b"])
    assert_allclose(scored["score"].to_numpy().ravel(), values, rtol=1e-6)


def test_layers_that_are_not_there_are_named():
    model = LinearRegression().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="no layer 'aa'"):
        score_grid(model, grid_of(np.zeros(24)), ["aa"])
    with pytest.raises(ValueError, match="No layer was named"):
        score_grid(model, grid_of(np.zeros(24)), [])
