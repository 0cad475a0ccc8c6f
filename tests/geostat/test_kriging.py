"""Kriging: hand-worked systems, a dense reference for every method, laws, and a planted truth."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from gossan import datasets
from gossan._checks import GossanWarning
from gossan.geostat import Kriging, Structure, VariogramModel, kriging_crossval, warm_up
from gossan.geostat._local import block_offsets
from gossan.geostat.covariance import KINDS

METHODS = ["ordinary", "simple", "universal", "quadratic", "external"]
MODEL = VariogramModel(0.1, Structure("spherical", 0.9, 300.0))
NESTED = VariogramModel(
    0.05,
    (
        Structure("exponential", 0.5, (200.0, 100.0, 50.0), (30.0, -20.0, 10.0)),
        Structure("matern", 0.4, (500.0, 400.0, 90.0), (80.0, 5.0, 0.0), 1.2),
    ),
)


def samples(n=60, n_dims=2, seed=0, n_variables=None):
    rng = np.random.default_rng(seed)
    shape = n if n_variables is None else (n, n_variables)
    return rng.uniform(0, 1000, (n, n_dims)), rng.normal(10, 2, shape)


def test_two_samples_are_weighted_by_hand():
    # C(50) = 1 - 0.75 + 0.0625 = 0.3125 between them, C(25) = 0.6328125 and C(75) = 0.0859375
    # with the target: weights 0.5 +- (0.6328125 - 0.0859375) / (2 (1 - 0.3125))
    model = VariogramModel(0.0, Structure("spherical", 1.0, 100.0))
    kriging = Kriging(model).fit([[0.0, 0.0], [50.0, 0.0]], [1.0, 3.0])
    rows, weights = kriging.weights([[-25.0, 0.0]])
    assert rows.tolist() == [[0, 1]]
    share = (0.6328125 - 0.0859375) / (2 * 0.6875)
    np.testing.assert_allclose(weights, [[0.5 + share, 0.5 - share]], atol=1e-14)
    estimate, std = kriging.predict([[-25.0, 0.0]], return_std=True)
    w, c = weights[0], np.array([0.6328125, 0.0859375])
    variance = 1 - 2 * w @ c + w @ [[1, 0.3125], [0.3125, 1]] @ w
    assert estimate[0] == pytest.approx(w @ [1.0, 3.0])
    assert std[0] ** 2 == pytest.approx(variance)


@pytest.mark.parametrize(
    ("kind", "method"),
    [pair for pair in product(KINDS, METHODS) if pair != ("power", "simple")],
)
@pytest.mark.parametrize("n_dims", [2, 3])
def test_every_method_equals_the_dense_reference(dense, kind, method, n_dims):
    nugget = 0.2 if kind in ("gaussian", "hole_effect") else 0.0
    ranges = (400.0, 250.0, 120.0)[:n_dims]
    model = VariogramModel(nugget, Structure(kind, 1.3, ranges, (35.0, 0.0, 0.0), 1.4))
    coords, values = samples(40, n_dims)
    targets = samples(9, n_dims, seed=1)[0]
    order = {"universal": 1, "quadratic": 2}.get(method, 0)
    settings = {"method": "universal" if method == "quadratic" else method, "drift": max(order, 1)}
    more, drift, target_drift = {}, None, None
    reference = _Centred(model, kind)
    if method == "simple":
        settings["mean"], more = 9.5, {"mean": 9.5}
    if method == "external":
        settings["n_dims"] = n_dims
        drift, target_drift = np.sin(coords[:, 0]), np.sin(targets[:, 0])
    k = 25
    X = coords if drift is None else np.column_stack([coords, drift])
    T = targets if drift is None else np.column_stack([targets, target_drift])
    kriging = Kriging(model, n_neighbours=k, **settings).fit(X, values)
    estimate, std = kriging.predict(T, return_std=True)
    rows, weights = kriging.weights(T)
    for t in range(len(targets)):
        near = rows[t]
        if drift is not None:
            more = {"drift": drift[near], "target_drift": target_drift[t]}
        expected = dense(reference, coords[near], values[near], targets[t], order=order, **more)
        assert estimate[t] == pytest.approx(expected[0], rel=1e-8)
        assert std[t] ** 2 == pytest.approx(expected[1], rel=1e-7)
        np.testing.assert_allclose(weights[t], expected[2], atol=1e-8)


class _Centred:
    """A model whose covariance is a constant less its variogram, where it has none of its own."""

    def __init__(self, model, kind):
        self.nugget, self._model, self._has = model.nugget, model, kind != "power"

    def covariance(self, offsets):
        if self._has:
            return self._model.covariance(offsets)
        return 5.0 - self._model.variogram(offsets)


def test_nested_anisotropic_model_in_3d_equals_the_dense_reference(dense):
    coords, values = samples(50, 3, n_variables=3)
    kriging = Kriging(NESTED, n_neighbours=20).fit(coords, values)
    targets = samples(20, 3, seed=5)[0]
    estimate, std = kriging.predict(targets, return_std=True)
    rows, _ = kriging.weights(targets)
    for t, near in enumerate(rows):
        for v in range(3):
            expected = dense(NESTED, coords[near], values[near, v], targets[t])
            assert estimate[t, v] == pytest.approx(expected[0], rel=1e-9)
            assert std[t, v] ** 2 == pytest.approx(expected[1], rel=1e-8)


def test_neighbours_follow_the_anisotropy_of_the_model():
    model = VariogramModel(0.0, Structure("spherical", 1.0, (400.0, 100.0), (90.0, 0.0, 0.0)))
    coords = np.array([[30.0, 0.0], [0.0, 10.0], [-50.0, 0.0]])
    kriging = Kriging(model, n_neighbours=2).fit(coords, [1.0, 2.0, 3.0])
    assert kriging.weights([[0.0, 0.0]])[0].tolist() == [[0, 1]]
    round_search = clone(kriging).set_params(search_ranges=(1.0,)).fit(coords, [1.0, 2.0, 3.0])
    assert round_search.weights([[0.0, 0.0]])[0].tolist() == [[1, 0]]


@pytest.mark.parametrize("order", [0, 1, 2])
def test_block_equals_the_mean_of_its_points(dense, order):
    coords, values = samples(40)
    targets = samples(7, seed=2)[0]
    settings = {"method": "universal", "drift": order} if order else {}
    kriging = Kriging(MODEL, n_neighbours=15, block=(80.0, 40.0), block_points=(3, 2), **settings)
    estimate, std = kriging.fit(coords, values).predict(targets, return_std=True)
    block = block_offsets((80.0, 40.0), (3, 2))[:, :2]
    rows, _ = kriging.weights(targets)
    for t, near in enumerate(rows):
        expected = dense(MODEL, coords[near], values[near], targets[t], order=order, block=block)
        assert estimate[t] == pytest.approx(expected[0], rel=1e-9)
        assert std[t] ** 2 == pytest.approx(expected[1], rel=1e-8)


def test_block_variance_is_below_that_of_points_and_a_tiny_block_is_a_filtered_point():
    coords, values = samples(40)
    targets = samples(9, seed=2)[0]
    point = Kriging(MODEL, exact=False).fit(coords, values).krige(targets)
    block = Kriging(MODEL, block=100.0).fit(coords, values).krige(targets)
    tiny = Kriging(MODEL, block=1e-6).fit(coords, values).krige(targets)
    assert (block.variance < point.variance).all()
    np.testing.assert_allclose(tiny.variance, point.variance, atol=1e-6)
    np.testing.assert_allclose(tiny.estimate, point.estimate, atol=1e-6)


def test_the_centres_that_discretise_a_block_are_spread_evenly():
    assert block_offsets((8.0, 4.0), (2, 1)).tolist() == [[-2.0, 0.0, 0.0], [2.0, 0.0, 0.0]]


def test_exact_returns_the_data_at_the_data_points_and_filtered_does_not(dense):
    coords, values = samples(50)
    exact = Kriging(MODEL).fit(coords, values)
    estimate, std = exact.predict(coords, return_std=True)
    np.testing.assert_allclose(estimate, values, atol=1e-9)
    np.testing.assert_allclose(std, 0, atol=1e-6)
    filtered = Kriging(MODEL, exact=False, n_neighbours=50).fit(coords, values)
    estimate, std = filtered.predict(coords[:5], return_std=True)
    for t in range(5):
        expected = dense(MODEL, coords, values, coords[t], exact=False)
        assert estimate[t] == pytest.approx(expected[0], rel=1e-9)
        assert std[t] ** 2 == pytest.approx(expected[1], rel=1e-8)
    assert np.abs(estimate - values[:5]).max() > 1e-3


def test_measurement_errors_are_filtered_out_sample_by_sample(dense):
    coords, values = samples(30)
    noise = np.linspace(0, 3, 30)
    kriging = Kriging(MODEL, n_neighbours=30).fit(coords, values, error_variance=noise)
    estimate, std = kriging.predict([[500.0, 500.0]], return_std=True)
    expected = dense(MODEL, coords, values, [500.0, 500.0], noise=noise)
    assert estimate[0] == pytest.approx(expected[0], rel=1e-9)
    assert std[0] ** 2 == pytest.approx(expected[1], rel=1e-8)
    at_samples = kriging.predict(coords)
    assert at_samples[0] == pytest.approx(values[0])  # measured without error
    assert abs(at_samples[-1] - values[-1]) > 0.01


def test_slope_and_efficiency_are_those_of_their_definitions():
    coords, values = samples(60)
    targets = samples(9, seed=3)[0]
    kriging = Kriging(MODEL, n_neighbours=12).fit(coords, values)
    result, (rows, weights) = kriging.krige(targets), kriging.weights(targets)
    for t, near in enumerate(rows):
        w = weights[t]
        own = w @ MODEL.covariance(coords[near][:, None] - coords[near][None]) @ w
        aimed = w @ MODEL.covariance(coords[near] - targets[t])
        assert result.slope[t] == pytest.approx(aimed / own, rel=1e-9)
        assert result.efficiency[t] == pytest.approx(1 - result.variance[t] / MODEL.sill)
    assert result.n_used.tolist() == [12] * 9
    assert result.n_unestimated == 0


def test_simple_kriging_has_slope_one():
    coords, values = samples(40)
    kriging = Kriging(MODEL, "simple", mean=10.0).fit(coords, values)
    np.testing.assert_allclose(kriging.krige(samples(9, seed=4)[0]).slope, 1.0, rtol=1e-9)


def test_missing_values_make_systems_of_their_own(dense):
    coords, values = samples(40, n_variables=4)
    values[3, 0] = values[7, 1] = values[9, 1] = np.nan
    kriging = Kriging(MODEL, n_neighbours=40).fit(coords, values)
    targets = samples(5, seed=6)[0]
    estimate, std = kriging.predict(targets, return_std=True)
    for v in range(4):
        known = ~np.isnan(values[:, v])
        alone = Kriging(MODEL, n_neighbours=40).fit(coords[known], values[known, v])
        expected = alone.predict(targets, return_std=True)
        np.testing.assert_allclose(estimate[:, v], expected[0], rtol=1e-12)
        np.testing.assert_allclose(std[:, v], expected[1], rtol=1e-12)
    with pytest.raises(ValueError, match="3 systems"):
        kriging.weights(targets)


def test_one_model_a_variable():
    coords, values = samples(30, n_variables=2)
    other = VariogramModel(0.0, Structure("gaussian", 4.0, 200.0))
    both = Kriging([MODEL, other]).fit(coords, values)
    targets = samples(4, seed=7)[0]
    estimate, std = both.predict(targets, return_std=True)
    for v, model in enumerate([MODEL, other]):
        alone = Kriging(model).fit(coords, values[:, v]).predict(targets, return_std=True)
        np.testing.assert_allclose(estimate[:, v], alone[0])
        np.testing.assert_allclose(std[:, v], alone[1])


def test_rows_without_any_value_are_left_out_with_a_count():
    coords, values = samples(20)
    values[4] = np.nan
    with pytest.warns(GossanWarning, match=r"1 of 20 rows .* first row 4"):
        kriging = Kriging(MODEL).fit(coords, values)
    assert kriging.n_samples_ == 19
    assert 4 not in kriging.weights(coords[4:5])[0]


def test_far_targets_are_nan_and_counted_never_zero():
    coords, values = samples(30)
    kriging = Kriging(MODEL, max_distance=200.0, min_neighbours=3).fit(coords, values)
    targets = np.vstack([coords[:2], [[5000.0, 5000.0], [-900.0, 0.0]]])
    result = kriging.krige(targets)
    assert np.isnan(result.estimate[2:]).all()
    assert np.isnan(result.variance[2:]).all()
    assert np.isnan(result.slope[2:]).all()
    assert (result.n_used[2:] == 0).all()
    assert result.n_unestimated == kriging.n_unestimated_ >= 2
    kriging.predict(coords[:1])
    assert np.isfinite(kriging.predict(coords)).sum() == 30 - kriging.n_unestimated_


def test_duplicates_are_averaged_with_a_warning_that_names_rows():
    coords, values = samples(20)
    twice = np.vstack([coords, coords[3:4], coords[3:4]])
    y = np.append(values, [values[3] + 3, values[3] + 6])
    with pytest.warns(GossanWarning, match=r"3 samples lie at 1 places .*rows 3/20/21"):
        kriging = Kriging(MODEL).fit(twice, y)
    mean = np.where(np.arange(20) == 3, values + 3, values)
    plain = Kriging(MODEL).fit(coords, mean)
    targets = samples(6, seed=8)[0]
    np.testing.assert_allclose(kriging.predict(targets), plain.predict(targets), rtol=1e-12)
    assert kriging.predict(coords[3:4])[0] == pytest.approx(values[3] + 3)


def test_replicates_share_the_field_and_not_the_nugget(dense):
    coords, values = samples(10)
    twice, y = np.vstack([coords, coords[:1]]), np.append(values, values[0] + 2)
    with pytest.warns(GossanWarning, match="kept as replicates"):
        kriging = Kriging(MODEL, duplicates="replicates").fit(twice, y)
    offsets = twice[:, None] - twice[None]
    own = 0.9 * (MODEL.structures[0].covariance(offsets) / 0.9) + 0.1 * np.eye(11)
    aimed = MODEL.structures[0].covariance(twice - [500.0, 500.0])
    system = np.block([[own, np.ones((11, 1))], [np.ones((1, 11)), np.zeros((1, 1))]])
    weights = np.linalg.solve(system, np.append(aimed, 1.0))[:11]
    assert kriging.predict([[500.0, 500.0]])[0] == pytest.approx(weights @ y, rel=1e-9)
    with pytest.raises(ValueError, match="needs a nugget above zero"):
        Kriging(VariogramModel(0.0, MODEL.structures), duplicates="replicates").fit(coords, values)


def down_hole(n_holes=12, n=40, seed=0):
    rng = np.random.default_rng(seed)
    collars = rng.uniform(0, 300, (n_holes, 2))
    coords = np.column_stack(
        [np.repeat(collars, n, axis=0), np.tile(-np.arange(n, dtype=float), n_holes)]
    )
    return coords, rng.normal(size=len(coords)), np.repeat(np.arange(n_holes), n)


def test_holes_are_capped_by_default():
    coords, values, holes = down_hole()
    targets = coords[[20, 60]] + [3.0, 2.0, 0.2]
    kriging = Kriging(MODEL, n_neighbours=16).fit(coords, values, holes)
    for rows in kriging.weights(targets)[0]:
        assert np.bincount(holes[rows]).max() == 4
    free = Kriging(MODEL, n_neighbours=16, n_per_group=None).fit(coords, values)
    assert np.bincount(holes[free.weights(targets)[0][0]]).max() == 16


def test_vertical_lines_without_groups_are_taken_for_holes_with_a_warning():
    coords, values, holes = down_hole()
    with pytest.warns(GossanWarning, match="vertical lines and no groups"):
        guessed = Kriging(MODEL, n_neighbours=16).fit(coords, values)
    given = Kriging(MODEL, n_neighbours=16).fit(coords, values, holes)
    targets = coords[::50] + 1.5
    np.testing.assert_array_equal(guessed.weights(targets)[0], given.weights(targets)[0])


def test_threads_change_nothing():
    coords, values = samples(500, 3)
    targets = samples(9000, 3, seed=9)[0]
    one = Kriging(MODEL).fit(coords, values).predict(targets, return_std=True)
    two = Kriging(MODEL, n_jobs=2).fit(coords, values).predict(targets, return_std=True)
    np.testing.assert_array_equal(one, two)


def test_planted_field_is_recovered_and_errors_are_as_large_as_told():
    rng = np.random.default_rng(3)
    coords = rng.uniform(0, 1000, (400, 2))
    model = VariogramModel(0.05, Structure("exponential", 0.95, 400.0))
    own = model.covariance(coords[:, None] - coords[None])
    field = np.linalg.cholesky(own) @ rng.normal(size=(400, 40)) + 50
    kriging = Kriging(model).fit(coords[:300], field[:300])
    estimate, std = kriging.predict(coords[300:], return_std=True)
    standardised = (estimate - field[300:]) / std
    assert abs(standardised.mean()) < 0.05
    assert standardised.std() == pytest.approx(1.0, abs=0.05)


def test_score_clone_and_cross_validation_are_those_of_scikit_learn():
    coords, _ = samples(80)
    values = np.sin(coords[:, 0] / 200)
    kriging = Kriging(VariogramModel(0.0, Structure("gaussian", 1.0, 500.0)), n_neighbours=16)
    assert clone(kriging).get_params() == kriging.get_params()
    assert cross_val_score(kriging, coords, values, cv=4).mean() > 0.9
    assert kriging.fit(coords, values).score(coords, values) == pytest.approx(1.0)


@pytest.mark.parametrize("n_neighbours", [None, 12, 500])
def test_crossval_equals_kriging_without_each_sample(n_neighbours):
    coords, values = samples(60, n_variables=2)
    values[5, 1] = np.nan
    kriging = Kriging(MODEL, n_neighbours=n_neighbours)
    found = kriging_crossval(kriging, coords, values)
    for i in (0, 17, 59):
        rest = np.arange(60) != i
        again = Kriging(MODEL, n_neighbours=n_neighbours or 100).fit(coords[rest], values[rest])
        estimate, std = again.predict(coords[i : i + 1], return_std=True)
        np.testing.assert_allclose(found.estimate[i], estimate[0], rtol=1e-8)
        np.testing.assert_allclose(found.std[i], std[0], rtol=1e-7)
    assert np.isnan(found.estimate[5, 1])
    assert found.rmse.shape == found.r2.shape == found.mean_error.shape == (2,)


@pytest.mark.parametrize("n_neighbours", [None, 16])
def test_crossval_by_holes_never_sees_the_hole(n_neighbours):
    coords, values, holes = down_hole(8, 10)
    kriging = Kriging(MODEL, n_neighbours=n_neighbours)
    found = kriging_crossval(kriging, coords, values, holes)
    for hole in (0, 5):
        rest = holes != hole
        again = clone(kriging).fit(coords[rest], values[rest], holes[rest])
        np.testing.assert_allclose(found.estimate[~rest], again.predict(coords[~rest]), rtol=1e-7)
    np.testing.assert_array_equal(found.folds, holes)
    assert kriging.get_params()["n_neighbours"] == n_neighbours


def test_crossval_standardised_errors_are_near_one_and_twins_do_not_tell_of_each_other():
    rng = np.random.default_rng(4)
    coords = rng.uniform(0, 1000, (300, 2))
    own = MODEL.covariance(coords[:, None] - coords[None])
    field = np.linalg.cholesky(own) @ rng.normal(size=300)
    found = kriging_crossval(Kriging(MODEL, n_neighbours=None), coords, field)
    assert found.mean_squared_standardised_error == pytest.approx(1.0, abs=0.25)
    twice, y = np.vstack([coords, coords[:1]]), np.append(field, field[0] + 50)
    for k in (None, 16):
        with pytest.warns(GossanWarning, match="averaged"):
            twins = kriging_crossval(Kriging(MODEL, n_neighbours=k), twice, y)
        assert twins.estimate[0] == pytest.approx(twins.estimate[300])
        assert abs(twins.estimate[0]) < 5


def test_crossval_with_folds_of_labels_and_numbers():
    coords, values = samples(30)
    labels = np.arange(30) // 10
    found = kriging_crossval(Kriging(MODEL), coords, values, folds=labels)
    np.testing.assert_array_equal(found.folds, labels)
    drawn = kriging_crossval(Kriging(MODEL), coords, values, folds=5, random_state=0)
    assert np.bincount(drawn.folds).tolist() == [6] * 5
    with pytest.raises(ValueError, match="no groups"):
        kriging_crossval(Kriging(MODEL), coords, values, folds="groups")
    with pytest.raises(ValueError, match="at least two folds"):
        kriging_crossval(Kriging(MODEL), coords, values, folds=1)


SIMPLE = {"method": "simple", "mean": 0.0}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "ordinarry"}, "Did you mean 'ordinary'"),
        ({"method": "simple"}, "needs the mean"),
        ({**SIMPLE, "mean": [1.0, 2.0]}, "mean must be one number"),
        ({"method": "universal", "drift": 3}, "drift must be one of 1, 2"),
        ({"method": "external"}, "external drift set n_dims"),
        ({"n_neighbours": 0}, "n_neighbours must be a whole number"),
        ({"n_neighbours": 5000}, "at most 1000"),
        ({"min_neighbours": 50}, "must not exceed"),
        ({"min_neighbours": 1.5}, "whole number"),
        ({"max_distance": -5.0}, "max_distance must be positive"),
        ({"sectors": 5}, "sectors must be one of"),
        ({"n_per_group": 3}, "was given no groups"),
        ({"n_per_group": "all"}, "n_per_group must be one of auto"),
        ({"block": -5.0}, "block must be sizes above zero"),
        ({"block": (1.0, 2.0, 3.0)}, "one or 2 sides"),
        ({"block": 5.0, "block_points": 0}, "block_points must be a whole number"),
        ({"duplicates": "drop"}, "duplicates must be one of"),
        ({"search_ranges": (-1.0,)}, "Ranges must be positive"),
        ({"search_ranges": (1.0, 2.0, 3.0)}, "does not suit"),
        ({"n_dims": 3}, "must begin with 2 or 3 columns"),
        ({"model": [MODEL, MODEL]}, "2 models were given for 1 variables"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    coords, values = samples(10)
    with pytest.raises(ValueError, match=message):
        Kriging(**{"model": MODEL, **settings}).fit(coords, values)


def test_models_and_values_that_cannot_be_are_refused():
    coords, values = samples(10)
    with pytest.raises(TypeError, match="must be a VariogramModel"):
        Kriging(["spherical"]).fit(coords, values)
    power = VariogramModel(0.0, Structure("power", 1.0, 100.0))
    with pytest.raises(ValueError, match="needs a covariance"):
        Kriging(power, **SIMPLE).fit(coords, values)
    with pytest.raises(ValueError, match="does not suit"):
        Kriging(NESTED).fit(coords, values)
    with pytest.raises(ValueError, match="Variable 1 of y has no value"):
        Kriging(MODEL).fit(coords, np.column_stack([values, np.full(10, np.nan)]))
    with pytest.raises(ValueError, match="error_variance must be 10 numbers"):
        Kriging(MODEL).fit(coords, values, error_variance=[-1.0] * 10)
    with pytest.raises(ValueError, match="groups has 3 labels"):
        Kriging(MODEL).fit(coords, values, [1, 2, 3])
    with pytest.raises(ValueError, match="NaN"):
        Kriging(MODEL).fit(np.where(coords > 900, np.nan, coords), values)
    with pytest.raises(ValueError, match="2 or 3 columns"):
        Kriging(MODEL).fit(coords[:, :1], values)
    fitted = Kriging(MODEL).fit(coords, values)
    with pytest.raises(ValueError, match="NaN"):
        fitted.predict([[np.nan, 1.0]])
    with pytest.raises(ValueError, match="features"):
        fitted.predict([[1.0, 1.0, 1.0]])


@pytest.mark.filterwarnings("ignore:The variogram")
def test_a_model_is_fitted_if_none_is_given():
    pytest.importorskip("gossan.geostat.fitting")
    rng = np.random.default_rng(5)
    coords = rng.uniform(0, 1000, (300, 2))
    own = MODEL.covariance(coords[:, None] - coords[None])
    field = np.linalg.cholesky(own) @ rng.normal(size=300)
    kriging = Kriging().fit(coords[:250], field[:250])
    assert isinstance(kriging.models_[0], VariogramModel)
    best = Kriging(MODEL).fit(coords[:250], field[:250])
    test = coords[250:], field[250:]
    assert kriging.score(*test) == pytest.approx(best.score(*test), abs=0.1)


def test_warming_up_tells_what_it_took():
    first, again = warm_up(), warm_up()
    assert 0 < again <= max(first, 5.0)


def test_jura_cadmium_equals_another_toolkit_with_the_published_range():
    peer = pytest.importorskip("pykrige.ok")
    try:
        prediction, validation = (
            pd.read_csv(datasets.find("jura", f"{part}.csv", download=False))
            for part in ("prediction", "validation")
        )
    except FileNotFoundError as error:
        pytest.skip(str(error))
    # Goovaerts (1997): Cd of the Jura soils has a long spherical structure of 1.3 km
    coords = 1000 * prediction[["Xloc", "Yloc"]].to_numpy()
    targets = 1000 * validation[["Xloc", "Yloc"]].to_numpy()
    model = VariogramModel(0.3, (Structure("spherical", 0.56, (1300.0,)),))
    found = Kriging(model, n_neighbours=None).fit(coords, prediction.Cd).predict(targets)
    every = Kriging(model, n_neighbours=259).fit(coords, prediction.Cd)
    estimate, std = every.predict(targets, return_std=True)
    parameters = {"psill": 0.56, "range": 1300.0, "nugget": 0.3}
    theirs = peer.OrdinaryKriging(
        *coords.T, prediction.Cd.to_numpy(), "spherical", variogram_parameters=parameters
    ).execute("points", *targets.T)
    np.testing.assert_allclose(found, theirs[0], rtol=1e-8)
    np.testing.assert_allclose(estimate, theirs[0], rtol=1e-8)
    np.testing.assert_allclose(std**2, theirs[1], rtol=1e-8)
