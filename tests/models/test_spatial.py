"""The forest on distances and the Gaussian process: planted truth, and what their quantiles say."""

import numpy as np
import pytest

from gossan.models.spatial import SpatialForest, SpatialProcess

LEVELS = (np.arange(20) + 0.5) / 20
MODELS = [
    SpatialForest(random_state=0, n_estimators=60),
    SpatialProcess(),
    SpatialProcess(anisotropic=True, smoothness=1.5),
]


@pytest.fixture(scope="module")
def field():
    """Return coordinates and a covariate (200, 3), and two elements (200, 2) that need both."""
    rng = np.random.default_rng(0)
    coords = rng.uniform(0, 1000, (200, 2))
    covariate = rng.normal(size=200)
    wave = np.sin(coords[:, 0] / 150.0)
    values = np.column_stack([wave + covariate, wave - covariate]) + rng.normal(0, 0.2, (200, 2))
    return np.column_stack([coords, covariate]), values


@pytest.mark.parametrize("model", MODELS, ids=["forest", "process", "anisotropic"])
def test_it_finds_a_pattern_in_space_and_in_a_covariate(model, field):
    X, y = field
    model.fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.5
    without = type(model)(**model.get_params()).fit(X[:150, :2], y[:150])
    assert without.score(X[150:, :2], y[150:]) < model.score(X[150:], y[150:]) - 0.2


@pytest.mark.parametrize("model", MODELS[:2], ids=["forest", "process"])
def test_quantiles_increase_cover_and_have_the_mean_of_the_estimate(model, field):
    X, y = field
    model.fit(X[:150], y[:150])
    quantiles = model.predict_quantiles(X[150:], LEVELS)
    assert quantiles.shape == (50, 20, 2)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    inside = (y[150:] >= quantiles[:, 0]) & (y[150:] <= quantiles[:, 19])
    assert inside.mean() > 0.8
    np.testing.assert_allclose(quantiles.mean(axis=1), model.predict(X[150:]), atol=0.12)


@pytest.mark.parametrize("model", MODELS[:2], ids=["forest", "process"])
def test_one_element_comes_back_as_a_column(model, field):
    X, y = field
    model.fit(X[:60], y[:60, 0])
    assert model.predict(X[60:70]).shape == (10,)
    assert model.predict_quantiles(X[60:70], [0.1, 0.9]).shape == (10, 2)


def test_weights_of_the_forest_sum_to_one_and_give_its_estimate(field):
    X, y = field
    forest = SpatialForest(random_state=0, n_estimators=30).fit(X[:80], y[:80])
    weights = forest.weights(X[80:90])
    assert weights.shape == (10, 80)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    np.testing.assert_allclose(weights @ y[:80], forest.predict(X[80:90]))


def test_a_forest_of_whole_trees_on_all_rows_returns_the_sample():
    X = np.array([[0.0, 0.0], [0.0, 10.0], [10.0, 0.0], [10.0, 10.0]])
    y = np.array([1.0, 2.0, 3.0, 4.0])
    forest = SpatialForest(
        trees="extra", min_samples_leaf=1, n_estimators=5, max_features=1.0, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(forest.predict_quantiles(X, [0.05, 0.95]), np.stack([y, y], axis=1))


@pytest.mark.parametrize(("distances", "count"), [("samples", 7), ("corners", 5), ("none", 0)])
def test_distances_are_taken_to_the_centres_asked_for(distances, count):
    X = np.random.default_rng(0).uniform(0, 9, (40, 2))
    forest = SpatialForest(distances=distances, n_centres=7, n_estimators=3, random_state=0)
    forest.fit(X, X[:, 0])
    assert len(forest.centres_) == count
    assert forest.forest_.n_features_in_ == 2 + count
    if distances == "corners":
        np.testing.assert_allclose(forest.centres_[0], X.min(axis=0))
        np.testing.assert_allclose(forest.centres_[3], X.max(axis=0))


def test_the_process_returns_the_data_where_there_is_no_noise_and_doubts_far_away():
    x = np.linspace(0.0, 100.0, 30)
    X = np.column_stack([x, 0.0 * x])
    process = SpatialProcess(smoothness=2.5).fit(X, np.sin(x / 15.0))
    estimate, std = process.predict([[x[7], 0.0], [5000.0, 0.0]], return_std=True)
    assert estimate[0] == pytest.approx(np.sin(x[7] / 15.0), abs=0.03)
    assert std[1] > 5 * std[0]
    assert estimate[1] == pytest.approx(np.sin(x / 15.0).mean(), abs=0.1)


def test_the_process_finds_the_direction_in_which_values_vary():
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 100, (120, 2))
    y = np.sin(X[:, 0] / 8.0) + rng.normal(0, 0.05, 120)
    matern = SpatialProcess(anisotropic=True, smoothness=1.5).fit(X, y).processes_[0].kernel_.k1.k2
    easting, northing = matern.length_scale
    assert northing > 5 * easting


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (SpatialForest(distances="rivers"), "distances must be one of"),
        (SpatialForest(trees="oak"), "trees must be one of"),
        (SpatialProcess(smoothness=1.0), "smoothness must be one of"),
        (SpatialForest(n_coordinates=4), "X has 3 columns, fewer than n_coordinates=4"),
        (SpatialProcess(n_coordinates=0), "n_coordinates must be positive"),
    ],
)
def test_a_wrong_setting_is_told(model, match, field):
    X, y = field
    with pytest.raises(ValueError, match=match):
        model.fit(X, y)


def test_levels_outside_of_zero_to_one_are_told(field):
    X, y = field
    forest = SpatialForest(n_estimators=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="levels must lie between 0 and 1"):
        forest.predict_quantiles(X, [0.0, 0.5])
