"""Regression kriging: exactness, honest residuals, planted trends, and the river Meuse."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from gossan import datasets
from gossan._checks import GossanWarning
from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.idw import InverseDistance
from gossan.geostat.kriging import Kriging
from gossan.geostat.regression_kriging import RegressionKriging


def planted(n=120, seed=0):
    """Return rows whose values are a trend in one feature and a smooth field."""
    rng = np.random.default_rng(seed)
    places, feature = rng.uniform(0, 100, (n, 2)), rng.normal(size=n)
    field = np.sin(places[:, 0] / 12) + np.cos(places[:, 1] / 12)
    return np.column_stack([places, feature]), 3 * feature + field


def test_a_linear_trend_without_residuals_is_returned_anywhere():
    X, _ = planted()
    y = 2.0 + 5.0 * X[:, 2]
    model = RegressionKriging(kriging=InverseDistance()).fit(X[:80], y[:80])
    np.testing.assert_allclose(model.predict(X[80:]), y[80:], atol=1e-9)
    assert model.explained_ == pytest.approx(1.0)


def test_in_sample_residuals_return_the_samples():
    X, y = planted()
    model = RegressionKriging(kriging=InverseDistance(), residuals="in_sample").fit(X, y)
    np.testing.assert_allclose(model.predict(X), y)
    np.testing.assert_allclose(
        model.residuals_, y - LinearRegression().fit(X[:, 2:], y).predict(X[:, 2:])
    )


def test_trend_and_residual_together_beat_either():
    X, y = planted(300)
    train, test = np.arange(200), np.arange(200, 300)
    fitted = {
        "both": RegressionKriging(kriging=InverseDistance())
        .fit(X[train], y[train])
        .predict(X[test]),
        "trend": LinearRegression().fit(X[train, 2:], y[train]).predict(X[test, 2:]),
        "field": InverseDistance().fit(X[train, :2], y[train]).predict(X[test, :2]),
    }
    errors = {name: np.sqrt(np.mean((each - y[test]) ** 2)) for name, each in fitted.items()}
    assert errors["both"] < 0.5 * min(errors["trend"], errors["field"])


def test_out_of_fold_residuals_of_a_forest_are_those_of_unseen_rows():
    X, y = planted()
    forest = RandomForestRegressor(20, random_state=0)
    settings = {"regressor": forest, "kriging": InverseDistance()}
    honest = RegressionKriging(**settings).fit(X, y)
    flattering = RegressionKriging(residuals="in_sample", **settings).fit(X, y)
    assert np.std(honest.residuals_) > 1.5 * np.std(flattering.residuals_)
    assert honest.explained_ < flattering.explained_


def test_groups_are_held_out_together_and_handed_to_the_kriging():
    X, y = planted(60)
    groups = np.repeat(["a", "b", "c", "d", "e", "f"], 10)
    seen = {}

    class Kriging(InverseDistance):
        def fit(self, X, y, groups=None):
            seen["groups"] = groups
            return super().fit(X, y, groups)

    model = RegressionKriging(kriging=Kriging(), n_folds=3).fit(X, y, groups)
    folds = GroupKFold(3)
    expected = cross_val_predict(LinearRegression(), X[:, 2:], y, cv=folds, groups=groups)
    np.testing.assert_allclose(model.residuals_, y - expected)
    np.testing.assert_array_equal(seen["groups"], groups)


def test_several_variables_are_those_of_each_alone():
    X, y = planted()
    both = np.column_stack([y, y**2])
    together = RegressionKriging(kriging=InverseDistance()).fit(X, both).predict(X)
    alone = [
        RegressionKriging(kriging=InverseDistance()).fit(X, each).predict(X) for each in both.T
    ]
    np.testing.assert_allclose(together, np.column_stack(alone))


def test_the_coordinates_can_be_given_to_the_regressor():
    X, _ = planted()
    y = X[:, 0] + X[:, 1]
    model = RegressionKriging(kriging=InverseDistance(), use_coordinates=True).fit(X[:, :2], y)
    assert model.regressor_.n_features_in_ == 2
    assert model.explained_ == pytest.approx(1.0)


def test_kriging_of_the_residuals_tells_its_error():
    X, y = planted(300)
    model = VariogramModel(0.0, Structure("gaussian", 1.0, 40.0))
    fitted = RegressionKriging(kriging=Kriging(model)).fit(X[:200], y[:200])
    estimate, std = fitted.predict(X[200:], return_std=True)
    np.testing.assert_allclose(estimate, fitted.predict(X[200:]))
    residual, own = fitted.kriging_.predict(X[200:, :2], return_std=True)
    np.testing.assert_allclose(estimate, fitted.regressor_.predict(X[200:, 2:]) + residual)
    np.testing.assert_allclose(std, own)


@pytest.mark.filterwarnings("ignore:The variogram .* is not to be trusted")
def test_by_default_the_residuals_are_kriged_with_a_fitted_variogram():
    X, y = planted(200)
    fitted = RegressionKriging().fit(X[:150], y[:150])
    assert isinstance(fitted.kriging_, Kriging)
    assert 1 - np.mean((fitted.predict(X[150:]) - y[150:]) ** 2) / y.var() > 0.95


def test_rows_without_a_value_are_left_out_with_a_warning():
    X, y = planted()
    y[5] = np.nan
    with pytest.warns(GossanWarning, match="1 of 120 rows have no value"):
        model = RegressionKriging(kriging=InverseDistance()).fit(X, y)
    assert len(model.residuals_) == 119


def test_bad_settings_are_refused():
    X, y = planted(30)
    with pytest.raises(ValueError, match="nothing explains the values"):
        RegressionKriging(kriging=InverseDistance()).fit(X[:, :2], y)
    with pytest.raises(ValueError, match="n_folds must lie between 2 and the 30 rows, got 31"):
        RegressionKriging(kriging=InverseDistance(), n_folds=31).fit(X, y)
    with pytest.raises(ValueError, match="the 2 groups, got 5"):
        RegressionKriging(kriging=InverseDistance()).fit(X, y, np.repeat(["a", "b"], 15))
    with pytest.raises(ValueError, match="residuals must be one of"):
        RegressionKriging(residuals="out of fold").fit(X, y)
    with pytest.raises(ValueError, match="n_dims must be one of"):
        RegressionKriging(n_dims=4).fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        RegressionKriging(kriging=InverseDistance()).fit(
            np.where(X > 99, np.nan, X * 0 + np.nan), y
        )


@pytest.fixture
def meuse():
    try:
        return pd.read_csv(datasets.find("meuse", "meuse.csv", download=False))
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_the_distance_to_the_river_meuse_explains_zinc_in_blocks_never_seen(meuse):
    X = np.column_stack([meuse[["x", "y"]], np.sqrt(meuse["dist"])])
    y = np.log(meuse["zinc"].to_numpy())
    blocks = (X[:, :2] // 600).astype(int) @ [1, 1000]
    folds = GroupKFold(5)
    errors = {
        name: np.sqrt(
            np.mean((cross_val_predict(model, rows, y, cv=folds, groups=blocks) - y) ** 2)
        )
        for name, model, rows in (
            ("both", RegressionKriging(kriging=InverseDistance()), X),
            ("kriged alone", InverseDistance(), X[:, :2]),
        )
    }
    assert errors["both"] < 0.8 * errors["kriged alone"]
