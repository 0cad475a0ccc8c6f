"""Linear model of coregionalization and cokriging: hand-worked systems, theorems, planted truth."""

import numpy as np
import pandas as pd
import pytest

from gossan import datasets
from gossan._checks import GossanWarning
from gossan.geostat.cokriging import Cokriging
from gossan.geostat.coregionalization import (
    Coregionalization,
    fit_coregionalization,
    goulard_voltz,
    nearest_semidefinite,
)
from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.kriging import Kriging

SHORT = Structure("spherical", 1.0, (150.0,))
LONG = Structure("spherical", 1.0, (500.0,))
NUGGET = np.array([[0.2, 0.0], [0.0, 0.1]])
SILLS = np.array([[[0.8, -0.3], [-0.3, 0.5]], [[1.0, 0.9], [0.9, 1.2]]])
MODEL = Coregionalization(NUGGET, (SHORT, LONG), SILLS)
STRONG = Coregionalization(np.diag([0.05, 0.05]), (LONG,), [[[1.0, 0.9], [0.9, 1.0]]])


def simulate(places, rng, model=MODEL):
    """Draw two variables that follow the model at `places`."""
    offsets = places[:, None] - places
    n = len(places)
    covariance = model.covariance(offsets).transpose(0, 2, 1, 3).reshape(2 * n, 2 * n)
    factor = np.linalg.cholesky(covariance + 1e-10 * np.eye(2 * n))
    return (factor @ rng.normal(size=2 * n)).reshape(n, 2)


def ordinary_kriging(places, values, targets, model):
    """Krige with the engine, from all samples."""
    kriging = Kriging(model, n_neighbours=len(places)).fit(places, values)
    return kriging.predict(targets, return_std=True)


# The model


def test_the_nearest_semidefinite_matrix_has_no_negative_eigenvalue():
    rng = np.random.default_rng(0)
    for _ in range(20):
        matrix = rng.normal(size=(4, 4))
        matrix = matrix + matrix.T
        fitted = nearest_semidefinite(matrix)
        assert np.linalg.eigvalsh(fitted)[0] > -1e-10
        other = nearest_semidefinite(rng.normal(size=(4, 4)))
        assert np.linalg.norm(matrix - fitted) <= np.linalg.norm(matrix - other) + 1e-12


def test_goulard_and_voltz_return_the_sills_of_exact_variograms():
    lags = np.column_stack([np.linspace(10, 700, 30), np.zeros(30)])
    shapes = np.array([np.ones(30), SHORT.variogram(lags), LONG.variogram(lags)])
    error, sills = goulard_voltz(MODEL.variogram(lags), shapes, np.ones(30))
    assert error < 1e-3
    np.testing.assert_allclose(sills, [NUGGET, *SILLS], atol=0.02)


def test_goulard_and_voltz_never_give_an_impossible_matrix():
    rng = np.random.default_rng(1)
    shapes = np.array([np.ones(10), np.linspace(0.1, 1, 10)])
    products = rng.normal(size=(10, 3, 3))
    products = products + products.transpose(0, 2, 1)
    for matrix in goulard_voltz(products, shapes, np.ones(10))[1]:
        assert np.linalg.eigvalsh(matrix)[0] > -1e-10


def test_planted_sills_are_recovered_on_average():
    rng = np.random.default_rng(3)
    fits = []
    for _ in range(6):
        places = rng.uniform(0, 1000, (400, 2))
        fitted = fit_coregionalization(places, simulate(places, rng), structures=(SHORT, LONG))
        fits.append([fitted.nugget, *fitted.sills])
    np.testing.assert_allclose(np.mean(fits, axis=0), [NUGGET, *SILLS], atol=0.3)


def test_the_fit_does_not_depend_on_the_units():
    rng = np.random.default_rng(4)
    places = rng.uniform(0, 1000, (150, 2))
    values = simulate(places, rng)
    plain = fit_coregionalization(places, values)
    scaled = fit_coregionalization(places, values * [1000.0, 0.01])
    assert plain.structures == scaled.structures
    factor = np.outer([1000.0, 0.01], [1000.0, 0.01])
    np.testing.assert_allclose(scaled.sill, plain.sill * factor, rtol=1e-6)


def test_a_variogram_model_gives_the_shapes_and_missing_values_are_passed_over():
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 1000, (120, 3))
    values = rng.normal(size=(120, 2))
    values[:20, 0] = np.nan
    model = VariogramModel(0.5, (SHORT,))
    fitted = fit_coregionalization(places, values, structures=model, max_pairs=1000)
    assert fitted.structures == (SHORT,)
    assert fitted.n_variables == 2
    alone = fitted.model(1)
    np.testing.assert_allclose(alone.sill, fitted.sill[1, 1])
    np.testing.assert_allclose(np.diag(fitted.correlation), 1.0)


def test_variogram_and_covariance_add_up_to_the_sill():
    offsets = np.random.default_rng(0).uniform(-400, 400, (20, 2))
    np.testing.assert_allclose(
        MODEL.variogram(offsets) + MODEL.covariance(offsets),
        np.broadcast_to(MODEL.sill, (20, 2, 2)),
    )


def test_impossible_models_are_refused():
    with pytest.raises(ValueError, match="not positive semi-definite: smallest eigenvalue -1"):
        Coregionalization(np.zeros((2, 2)), (SHORT,), [[[1.0, 2.0], [2.0, 1.0]]])
    with pytest.raises(ValueError, match="must be a symmetric matrix"):
        Coregionalization(np.zeros((2, 2)), (SHORT,), [[[1.0, 0.2], [0.3, 1.0]]])
    with pytest.raises(ValueError, match=r"Sills must have shape \(1, 2, 2\)"):
        Coregionalization(np.zeros((2, 2)), (SHORT,), np.ones((2, 2, 2)))


def test_samples_that_tell_nothing_are_refused():
    places = np.random.default_rng(0).uniform(0, 10, (20, 2))
    with pytest.raises(ValueError, match="Variable 1 is constant"):
        fit_coregionalization(places, np.column_stack([np.arange(20.0), np.ones(20)]))
    few = np.full((20, 2), np.nan)
    few[:5] = 1.0
    with pytest.raises(ValueError, match="Only 5 of 20 rows have all 2 values"):
        fit_coregionalization(places, few)
    with pytest.raises(ValueError, match="No two samples lie within"):
        fit_coregionalization(places, np.arange(40.0).reshape(20, 2), max_distance=1e-6)
    with pytest.raises(ValueError, match="coords must be finite"):
        fit_coregionalization(places[:, :1], np.arange(20.0))


# Cokriging


def test_without_secondary_variables_it_is_ordinary_kriging():
    rng = np.random.default_rng(0)
    places, targets = rng.uniform(0, 500, (15, 2)), rng.uniform(0, 500, (8, 2))
    values = rng.normal(size=15)
    single = Coregionalization([[0.3]], (LONG,), [[[0.7]]])
    expected, spread = ordinary_kriging(places, values, targets, single.model(0))
    for method in ("ordinary", "standardised"):
        cokriging = Cokriging(single, method=method).fit(places, values)
        estimate, std = cokriging.predict(targets, return_std=True)
        np.testing.assert_allclose(estimate, expected, atol=1e-7)
        np.testing.assert_allclose(std, spread, atol=1e-7)


def test_a_collocated_system_worked_by_hand():
    # One primary sample at covariance c = C(50) and one secondary value s at the target, simple
    # cokriging: [[1, 0.6 c], [0.6 c, 1]] w = [c, 0.6].
    model = Coregionalization(
        np.zeros((2, 2)), (Structure("spherical", 1.0, (100.0,)),), [[[1.0, 0.6], [0.6, 1.0]]]
    )
    X = [[0.0, 0.0, 2.0], [900.0, 0.0, -2.0]]  # means 0 and 0; the second lies out of reach
    cokriging = Cokriging(model, method="simple", secondary="collocated", max_distance=200.0).fit(
        X, [1.0, -1.0]
    )
    estimate, std = cokriging.predict([[50.0, 0.0, 3.0]], return_std=True)
    c = 1 - 1.5 * 0.5 + 0.5 * 0.5**3
    weights = np.linalg.solve([[1.0, 0.6 * c], [0.6 * c, 1.0]], [c, 0.6])
    assert estimate[0] == pytest.approx(weights @ [1.0, 3.0], abs=1e-8)
    assert std[0] == pytest.approx(np.sqrt(1 - weights @ [c, 0.6]), abs=1e-8)


def test_with_one_structure_and_all_known_at_the_samples_it_is_kriging():
    # Autokrigeability: Wackernagel (2003), chapter 24.
    rng = np.random.default_rng(1)
    places, targets = rng.uniform(0, 500, (20, 2)), rng.uniform(0, 500, (10, 2))
    shape = Structure("exponential", 1.0, (300.0,))
    model = Coregionalization(np.zeros((2, 2)), (shape,), [[[2.0, 0.9], [0.9, 1.0]]])
    values = rng.normal(size=(20, 2))
    expected, spread = ordinary_kriging(places, values[:, 0], targets, model.model(0))
    cokriging = Cokriging(model, method="ordinary").fit(
        np.column_stack([places, values[:, 1]]), values[:, 0]
    )
    nothing = np.column_stack([targets, np.full(10, np.nan)])
    estimate, std = cokriging.predict(nothing, return_std=True)
    np.testing.assert_allclose(estimate, expected, atol=1e-6)
    np.testing.assert_allclose(std, spread, atol=1e-6)


@pytest.mark.parametrize("method", ["ordinary", "standardised", "simple"])
def test_samples_are_returned_at_their_places_without_error(method):
    rng = np.random.default_rng(2)
    places = rng.uniform(0, 1000, (40, 2))
    values = simulate(places, rng)
    X = np.column_stack([places, values[:, 1]])
    estimate, std = Cokriging(MODEL, method=method).fit(X, values[:, 0]).predict(X, return_std=True)
    np.testing.assert_allclose(estimate, values[:, 0], atol=1e-6)
    np.testing.assert_allclose(std, 0.0, atol=1e-4)


def test_a_secondary_variable_known_at_the_targets_lowers_the_error_as_promised():
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 1000, (500, 2))
    values = simulate(places, rng, STRONG)
    X, y = np.column_stack([places, values[:, 1]]), values[:, 0]
    train, test = np.arange(60), np.arange(60, 500)
    blind = X.copy()
    blind[:, 2] = np.nan
    errors = {}
    for name, targets in (("known", X), ("not known", blind)):
        model = Cokriging(STRONG).fit(X[train], y[train])
        estimate, std = model.predict(targets[test], return_std=True)
        errors[name] = np.sqrt(np.mean((estimate - y[test]) ** 2))
        scaled = (estimate - y[test]) / std
        assert 0.8 < np.sqrt(np.mean(scaled**2)) < 1.25, name
    assert errors["known"] < 0.75 * errors["not known"]


def test_rows_with_the_secondary_variable_alone_are_used():
    rng = np.random.default_rng(6)
    places = rng.uniform(0, 1000, (300, 2))
    values = simulate(places, rng, STRONG)
    X, y = np.column_stack([places, values[:, 1]]), values[:, 0].copy()
    y[40:] = np.nan
    targets = np.column_stack([rng.uniform(0, 1000, (50, 2)), np.full(50, np.nan)])
    with_all = Cokriging(STRONG).fit(X, y).predict(targets, return_std=True)[1]
    with_few = Cokriging(STRONG).fit(X[:40], y[:40]).predict(targets, return_std=True)[1]
    assert (with_all <= with_few + 1e-9).all()
    assert with_all.mean() < 0.9 * with_few.mean()


def test_a_target_out_of_reach_is_missing():
    X = [[0.0, 0.0, 1.0], [10.0, 0.0, 2.0], [20.0, 5.0, 1.5]]
    cokriging = Cokriging(MODEL, max_distance=100.0).fit(X, [1.0, 2.0, 3.0])
    estimate, std = cokriging.predict([[5.0, 0.0, 1.0], [5000.0, 0.0, 1.0]], return_std=True)
    assert np.isfinite([estimate[0], std[0]]).all()
    assert np.isnan([estimate[1], std[1]]).all()


def test_a_hole_gives_no_more_rows_than_its_cap():
    rng = np.random.default_rng(8)
    hole = np.column_stack([np.zeros(30), np.zeros(30), -5.0 * np.arange(30)])
    others = rng.uniform([200, -50, -150], [300, 50, 0], (10, 3))
    X, y = np.vstack([hole, others]), rng.normal(size=40)
    X = np.column_stack([X, rng.normal(size=40)])
    groups = np.r_[np.zeros(30), 1 + np.arange(10)]
    target = [[20.0, 0.0, -70.0, np.nan]]
    settings = {"n_dims": 3, "n_neighbours": 6}
    alone = Cokriging(MODEL, n_per_group=None, **settings).fit(X[:30], y[:30])
    free = Cokriging(MODEL, n_per_group=None, **settings).fit(X, y)
    capped = Cokriging(MODEL, n_per_group=2, **settings).fit(X, y, groups)
    spreads = [each.predict(target, return_std=True)[1][0] for each in (alone, free, capped)]
    assert spreads[0] == pytest.approx(spreads[1])  # six of the same hole
    assert spreads[2] != pytest.approx(spreads[1])


def test_rows_at_one_place_are_averaged_with_a_warning():
    X = [[0.0, 0.0, 1.0], [0.0, 0.0, 3.0], [9.0, 0.0, np.nan]]
    with pytest.warns(GossanWarning, match="1 of 3 rows lie at the place of another"):
        cokriging = Cokriging(MODEL).fit(X, [1.0, 2.0, 3.0])
    np.testing.assert_allclose(cokriging.predict([[0.0, 0.0, 2.0]]), [1.5], atol=1e-7)


def test_bad_settings_and_samples_are_refused():
    X, y = [[0.0, 0.0, 1.0], [1.0, 0.0, 2.0]], [1.0, 2.0]
    with pytest.raises(ValueError, match="method must be one of"):
        Cokriging(MODEL, method="ordinari").fit(X, y)
    with pytest.raises(ValueError, match="weight of zero"):
        Cokriging(MODEL, method="ordinary", secondary="collocated").fit(X, y)
    with pytest.raises(ValueError, match="n_neighbours must be above zero, got 0"):
        Cokriging(MODEL, n_neighbours=0).fit(X, y)
    with pytest.raises(ValueError, match="The model has 2 variables, X and y have 3"):
        Cokriging(MODEL).fit(np.ones((2, 4)) * [[1], [2]], y)
    with pytest.raises(ValueError, match="primary variable alone"):
        Cokriging(MODEL).fit(X, np.ones((2, 2)))
    with pytest.raises(ValueError, match="coordinate is missing"):
        Cokriging(MODEL).fit([[np.nan, 0.0, 1.0], [1.0, 0.0, 2.0]], y)
    with pytest.raises(ValueError, match="secondary variable 1 is missing"):
        Cokriging(MODEL).fit([[0.0, 0.0, np.nan], [1.0, 0.0, np.nan]], y)
    with pytest.raises(ValueError, match="y is missing"):
        Cokriging(MODEL).fit(X, [np.nan, np.nan])
    flat = Coregionalization(np.diag([1.0, 0.0]), (), np.zeros((0, 2, 2)))
    with pytest.raises(ValueError, match="Variable 1 of the model has no variance"):
        Cokriging(flat).fit(X, y)


@pytest.fixture
def jura():
    try:
        folder = datasets.find("jura", download=False)
    except FileNotFoundError:
        pytest.skip("the Jura data are not here")
    return [pd.read_csv(folder / name) for name in ("prediction.csv", "validation.csv")]


@pytest.mark.parametrize(("primary", "secondary"), [("Cd", ["Ni", "Zn"]), ("Cu", ["Pb"])])
def test_jura_metals_gain_from_others_known_at_the_validation_places(jura, primary, secondary):
    # Goovaerts (1997), section 6.2: cadmium from nickel and zinc, copper from lead.
    train, test = jura
    X, targets = (
        np.column_stack([table[["Xloc", "Yloc"]], np.log(table[secondary])]) for table in jura
    )
    y, truth = np.log(train[primary].to_numpy()), np.log(test[primary].to_numpy())
    blind = targets.copy()
    blind[:, 2:] = np.nan
    model = Cokriging().fit(X, y)
    skill = [
        1 - np.mean((model.predict(each) - truth) ** 2) / truth.var() for each in (targets, blind)
    ]
    assert skill[0] > 0.35
    assert skill[0] > skill[1] + 0.2
