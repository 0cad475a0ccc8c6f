"""Scores of any estimator point the same way, row by row and cell by cell."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from region_rasters import NorthMinusSouth
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression

from gossan.data.grids.grid import add_layer, make_grid
from gossan.prospectivity import favourability, score_grid
from gossan.sampling import layer_volume

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


# Estimators of maps


def map_grid(shape=(12, 15)):
    values = RNG.normal(size=(2, *shape))
    values[:, 4, 5] = np.nan
    grid = make_grid((0, 10 * shape[1], 0, 10 * shape[0]), 10)
    return add_layer(add_layer(grid, "a", values[0]), "b", values[1])


@pytest.mark.parametrize("edges", ["nan", "reflect"])
def test_a_map_estimator_is_given_the_volume_and_its_sign_is_kept(edges):
    model, grid = NorthMinusSouth(3, names=("a", "b")), map_grid()
    scored = score_grid(model, grid, ["a", "b"], spread="sd", edges=edges)
    score, std = model.score_map(layer_volume(grid, ["a", "b"]), edges=edges, return_std=True)
    assert_array_equal(scored["score"], score)
    assert_array_equal(scored["sd"], std)
    assert scored["score"].dtype == np.float32
    assert "edge_fraction" not in scored
    assert scored["score"].attrs["n_unscored"] == np.isnan(score).sum() > 0


def test_filled_edges_are_scored_and_told():
    scored = score_grid(
        NorthMinusSouth(3, names=("a", "b")), map_grid(), ["a", "b"], edges="nearest"
    )
    share, score = scored["edge_fraction"].to_numpy(), scored["score"].to_numpy()
    assert share[0, 7] == pytest.approx(3 / 9)
    assert share[0, 0] == pytest.approx(5 / 9)  # more than half is made up
    assert share[4, 5] == pytest.approx(1 / 9)
    assert np.isnan(score).sum() == 4  # the corners
    plain = score_grid(NorthMinusSouth(3, names=("a", "b")), map_grid(), ["a", "b"])
    whole = share == 0
    assert_allclose(share[1:-1, 1:-1].sum(), 1.0, rtol=1e-5)
    assert whole.sum() == (12 - 2) * (15 - 2) - 9
    assert np.isfinite(plain["score"].to_numpy()).sum() == whole.sum()


def test_a_map_estimator_scores_no_volume_in_3d():
    with pytest.raises(ValueError, match="Grid must be 2D, got 3D"):
        score_grid(NorthMinusSouth(3, names=("a", "b")), grid_of(np.zeros(24)), ["a", "b"])


@pytest.mark.parametrize("options", [{"spread": "sd"}, {"edges": "nearest"}])
def test_a_model_of_rows_has_no_spread_and_no_edges(options):
    model = LinearRegression().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="A LinearRegression has no score_map"):
        score_grid(model, grid_of(np.zeros(24)), ["a", "b"], **options)
