"""Many elements on one grid: hand-worked cells, planted surfaces, gaps, twins, and which way is up."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.data import cell_centres, make_grid
from gossan.geostat import (
    GriddedPoints,
    InverseDistance,
    Kriging,
    Structure,
    VariogramModel,
    grid_points,
)

MODEL = VariogramModel(0.05, Structure("exponential", 1.0, 300.0))
METHODS = ("idw", "kriging", "minimum_curvature")
ERRORS = {"idw": 0.2, "kriging": 0.1, "minimum_curvature": 0.04}  # of the spread of the truth


def surface(coords):
    """Return a planted element that rises to the north-east, with a hill in the south-west."""
    east, north = np.asarray(coords).T
    hill = 3.0 * np.exp(-((east - 250.0) ** 2 + (north - 200.0) ** 2) / 2e4)
    return north / 500.0 + east / 2000.0 + hill


def some_samples(n=400, seed=0):
    coords = np.random.default_rng(seed).uniform(0, 1000, (n, 2))
    return coords, surface(coords)


def gridded(coords, values, method="idw", **more):
    if method == "kriging":
        more.setdefault("model", MODEL)
    return grid_points(
        coords, values, grid=make_grid((0, 1000, 0, 1000), 50), method=method, **more
    )


def test_two_samples_weigh_by_their_squared_distances():
    # The cell centre at 10 lies 10 from the first and 20 from the second: (4 x 1 + 1 x 6) / 5.
    grid = xr.Dataset(coords={"northing": [0.0], "easting": [0.0, 10.0, 30.0]})
    coords = [[0.0, 0.0], [30.0, 0.0], [1e9, 0.0]]
    found = grid_points(coords, [[1.0], [6.0], [0.0]], grid=grid, names=["Zn"], n_neighbours=2)
    np.testing.assert_allclose(found.grid["Zn"].values, [[1.0, 2.0, 6.0]], rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_planted_truth_is_found_and_not_upside_down(method):
    coords, values = some_samples()
    found = gridded(coords, values[:, None], method, names=["Cu"]).grid
    truth = surface(cell_centres(found)).reshape(20, 20)
    assert (np.diff(found["northing"]) > 0).all()
    layer = found["Cu"].values
    error = np.sqrt(np.mean((layer - truth) ** 2))
    assert error < ERRORS[method] * truth.std()
    assert np.sqrt(np.mean((layer[::-1] - truth) ** 2)) > 5 * error
    assert np.sqrt(np.mean((layer.T - truth) ** 2)) > 5 * error
    assert float(found["Cu"].sel(northing=975, easting=25)) > 1.5  # the north-west is high


@pytest.mark.parametrize("method", METHODS)
def test_a_turned_grid_is_read_at_its_true_places(method):
    coords, values = some_samples()
    grid = make_grid((300, 700, 300, 700), 50, rotation=30.0, origin=(500.0, 500.0))
    more = {"model": MODEL} if method == "kriging" else {}
    found = grid_points(coords, values[:, None], grid=grid, names=["Cu"], method=method, **more)
    truth = surface(cell_centres(grid)).reshape(8, 8)
    assert np.abs(found.grid["Cu"].values - truth).max() < 0.35
    assert found.grid.attrs["rotation"] == 30.0


@pytest.mark.parametrize("method", METHODS)
def test_a_gap_in_one_element_changes_no_other(method):
    coords, values = some_samples(80)
    table = np.column_stack([values, values**2, -values])
    broken = table.copy()
    broken[[3, 10, 11, 40], 1] = np.nan
    whole, part = gridded(coords, table, method).grid, gridded(coords, broken, method).grid
    for name in ("element_0", "element_2"):
        np.testing.assert_allclose(part[name], whole[name], rtol=1e-5, atol=1e-6)
    assert np.abs(part["element_1"] - whole["element_1"]).max() > 1e-3


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 20), power=st.sampled_from([1.0, 2.0, 5.5]))
def test_each_element_is_what_it_would_be_alone(seed, k, power):
    """Common and rare elements, clustered gaps and more neighbours than samples."""
    rng = np.random.default_rng(seed)
    coords = rng.uniform(0, 1000, (60, 2))
    table = rng.normal(size=(60, 5))
    table[rng.random((60, 5)) < rng.uniform(0, 0.7, 5)] = np.nan
    table[coords[:, 0] < 300, 0] = np.nan  # a survey that did not measure it
    table[:3] = 1.0
    found = gridded(coords, table, n_neighbours=k, power=power).grid
    for i in range(5):
        known = ~np.isnan(table[:, i])
        alone = InverseDistance(power, n_neighbours=k).fit(coords[known], table[known, i])
        expected = alone.predict(cell_centres(found)).reshape(20, 20)
        np.testing.assert_allclose(found[f"element_{i}"], expected, rtol=1e-5, atol=1e-6)


def test_too_few_samples_or_none_within_reach_leave_a_cell_empty():
    coords, values = some_samples(50)
    table = np.column_stack([values, values])
    table[coords[:, 1] > 500, 1] = np.nan
    found = gridded(coords, table, max_distance=150.0, min_neighbours=2)
    near = ((cell_centres(found.grid)[:, None] - coords) ** 2).sum(axis=2) <= 150.0**2
    for i, known in enumerate((~np.isnan(table)).T):
        enough = (near[:, known].sum(axis=1) >= 2).reshape(20, 20)
        np.testing.assert_array_equal(np.isfinite(found.grid[f"element_{i}"]), enough)
        assert found.elements["empty"].iloc[i] == (~enough).sum()


def test_samples_at_one_place_are_averaged_element_by_element_and_told():
    coords = [[5.0, 5.0]] * 3 + [[25.0, 5.0], [45.0, 5.0], [np.nan, 5.0], [60.0, 5.0]]
    table = np.array(
        [[1.0, 9.0], [3.0, np.nan], [5.0, 11.0], [7.0, 7.0], [8.0, 1.0], [1.0, 1.0], [np.nan] * 2]
    )
    grid = make_grid((0, 50, 0, 10), 10)
    found = grid_points(coords, table, grid=grid, names=["Cu", "Zn"])
    assert found.grid["Cu"].values[0, 0] == 3.0
    assert found.grid["Zn"].values[0, 0] == 10.0
    assert (found.n_samples, found.n_places, found.n_left_out, found.most_at_one_place) == (
        5,
        3,
        2,
        3,
    )
    assert "5 samples lie at 3 places, up to 3 at one" in str(found)
    assert "2 rows without coordinates or values are left out" in str(found)


def test_kriging_is_that_of_the_estimator_and_keeps_its_deviation():
    coords, values = some_samples(120)
    table = np.column_stack([values, 100.0 * values])
    found = gridded(coords, table, "kriging", names=["a", "b"]).grid
    scores = (values - values.mean()) / values.std()
    expected, std = (
        Kriging(MODEL, n_neighbours=16)
        .fit(coords, scores)
        .predict(cell_centres(found), return_std=True)
    )
    np.testing.assert_allclose(
        found["a"].values.ravel(), expected * values.std() + values.mean(), rtol=1e-4
    )
    np.testing.assert_allclose(found["a_std"].values.ravel(), std * values.std(), rtol=1e-4)
    np.testing.assert_allclose(found["b_std"], 100.0 * found["a_std"], rtol=1e-4)


def test_one_variogram_is_fitted_for_all_elements_and_kept():
    coords, values = some_samples(300, seed=2)
    noise = np.random.default_rng(5).normal(0, 0.3, 300)
    table = pd.DataFrame({"Cu": values + noise, "Zn": 3 * values - noise})
    found = gridded(coords, table, "kriging", model=None)
    assert isinstance(found, GriddedPoints)
    assert found.models["Cu"] is found.models["Zn"]
    assert 0.5 < found.models["Cu"].sill < 2.0  # of values of unit variance
    truth = surface(cell_centres(found.grid)).reshape(20, 20)
    assert np.corrcoef(found.grid["Cu"].values.ravel(), truth.ravel())[0, 1] > 0.95


def test_least_curvature_returns_a_plane_and_meets_the_samples():
    coords, values = some_samples(150)
    plane = 5.0 + 0.01 * coords[:, 0] - 0.02 * coords[:, 1]
    grid = make_grid((0, 1000, 0, 1000), 10)
    table = np.column_stack([plane, values])
    found = grid_points(coords, table, grid=grid, method="minimum_curvature", tension=0.0).grid
    east, north = cell_centres(grid).T
    np.testing.assert_allclose(
        found["element_0"].values.ravel(), 5.0 + 0.01 * east - 0.02 * north, atol=1e-4
    )
    at = {
        axis: xr.DataArray(each, dims="s")
        for axis, each in zip(("easting", "northing"), coords.T, strict=True)
    }
    inside = ((coords > 10) & (coords < 990)).all(axis=1)
    read = found["element_1"].interp(at).values[inside]
    assert np.abs(read - values[inside]).max() < 0.05 * values.std()


def test_least_curvature_bends_less_than_inverse_distances_and_tension_overshoots_less():
    coords, values = some_samples(150)
    step = np.where(coords[:, [0]] > 500, 1.0, 0.0)
    layers = {
        t: gridded(coords, step, "minimum_curvature", tension=t).grid.element_0.values
        for t in (0.0, 0.9)
    }
    assert layers[0.0].max() > layers[0.9].max() > 0.95
    bends = [
        (np.diff(gridded(coords, values[:, None], m).grid.element_0.values, 2, axis=0) ** 2).sum()
        for m in ("minimum_curvature", "idw")
    ]
    assert bends[0] < 0.7 * bends[1]


def test_least_curvature_of_an_element_alone_is_the_same_and_threads_change_nothing():
    coords, values = some_samples(120)
    table = np.column_stack([values, np.where(np.arange(120) % 3, values, np.nan)])
    both = gridded(coords, table, "minimum_curvature").grid
    alone = gridded(coords, table[:, :1], "minimum_curvature").grid
    np.testing.assert_allclose(both["element_0"], alone["element_0"], atol=1e-5)
    one, two = (gridded(coords, table, n_jobs=n).grid for n in (1, 2))
    xr.testing.assert_identical(one, two)


@pytest.mark.parametrize("method", METHODS)
def test_shifting_all_coordinates_shifts_the_map(method):
    coords, values = some_samples(100)
    shift = np.array([500_000.0, 4_000_000.0])
    more = {"model": MODEL} if method == "kriging" else {}
    here = gridded(coords, values[:, None], method).grid.element_0.values
    grid = make_grid((500_000, 501_000, 4_000_000, 4_001_000), 50)
    there = grid_points(coords + shift, values[:, None], grid=grid, method=method, **more)
    np.testing.assert_allclose(there.grid.element_0.values, here, rtol=1e-4, atol=1e-4)


def test_inputs_are_not_changed_and_layers_of_the_grid_are_not_taken_over():
    coords, values = some_samples(30)
    table = pd.DataFrame({"Cu": values})
    grid = make_grid((0, 100, 0, 100), 50).assign(old=(("northing", "easting"), np.ones((2, 2))))
    before = table.copy()
    found = grid_points(coords, table, grid=grid).grid
    assert list(found.data_vars) == ["Cu"]
    assert "old" in grid
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "krigging"}, "Did you mean 'kriging'"),
        ({"power": 0.0}, "power must be above zero"),
        ({"tension": 1.5}, "tension must lie between 0 and 1"),
        ({"names": ["a", "a"]}, "a name each, all different"),
        ({"values": np.ones(30)}, r"values \(n, n_elements\)"),
        ({"values": np.full((30, 2), np.inf)}, "infinite at row 0, column 0"),
        ({"values": np.full((30, 2), np.nan)}, "fewer for element_0"),
        ({"grid": make_grid((0, 9, 0, 9), 3, elevations=(0, 3))}, "dims .northing, easting."),
        ({"method": "kriging", "values": np.ones((30, 2))}, "one value throughout"),
    ],
)
def test_what_cannot_be_gridded_is_said(change, message):
    coords, values = some_samples(30)
    given_ = {
        "values": np.column_stack([values, values]),
        "grid": make_grid((0, 1000, 0, 1000), 100),
    } | change
    with pytest.raises(ValueError, match=message):
        grid_points(coords, given_.pop("values"), **given_)


def test_an_untrustworthy_variogram_is_warned_of():
    coords = some_samples(60)[0]
    with pytest.warns(GossanWarning, match="not to be trusted"):
        gridded(coords, np.sin(coords[:, [0]] / 400), "kriging", model=None)
