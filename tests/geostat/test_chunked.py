"""Grids block by block: in memory, into Zarr, on a cluster, broken off and resumed."""

import sys
import tracemalloc

import numpy as np
import pytest
import xarray as xr

from gossan._checks import GossanWarning
from gossan.geostat.chunked import krige_grid
from gossan.geostat.cokriging import Cokriging
from gossan.geostat.coregionalization import Coregionalization
from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.idw import InverseDistance
from gossan.geostat.kriging import Kriging
from gossan.geostat.regression_kriging import RegressionKriging


class Linear:
    """Estimator whose value is the easting plus 1,000 northings (plus 1e6 elevations)."""

    def predict(self, X, return_std=False):
        value = X @ np.array([1.0, 1e3, 1e6])[: X.shape[1]]
        return (value, np.abs(value)) if return_std else value


class Broken:
    """Estimator that fails after some calls."""

    def __init__(self, inner, n_calls):
        self.inner, self.n_calls = inner, n_calls

    def __getstate__(self):  # the same grid, however often it fails
        return self.inner.__dict__

    def predict(self, X):
        self.n_calls -= 1
        if self.n_calls < 0:
            raise RuntimeError("power cut")
        return self.inner.predict(X)


def make(n_north=7, n_east=11, n_up=0, **attrs):
    coords = {
        "northing": 105.0 + 10 * np.arange(n_north),
        "easting": 5.0 + 10 * np.arange(n_east),
    }
    if n_up:
        coords = {"elevation": -50.0 + 5 * np.arange(n_up), **coords}
    return xr.Dataset(coords=coords, attrs=attrs)


def some_idw(max_distance=None, seed=0, n_dims=2):
    rng = np.random.default_rng(seed)
    X = rng.uniform([0, 100, -60][:n_dims], [110, 170, 0][:n_dims], (30, n_dims))
    return InverseDistance(max_distance=max_distance).fit(X, rng.normal(size=30))


def some_kriging():
    rng = np.random.default_rng(0)
    X = rng.uniform([0, 100, -60], [110, 170, 0], (80, 3))
    model = VariogramModel(0.1, Structure("spherical", 0.9, 60.0))
    return Kriging(model, n_neighbours=12).fit(X, rng.normal(size=(80, 2)))


def points_of(grid):
    mesh = np.meshgrid(*(grid[axis] for axis in grid.dims), indexing="ij")
    return np.column_stack([axis.ravel() for axis in mesh[::-1]])


@pytest.mark.parametrize("block_cells", [1, 10, 77, 1_000_000])
def test_a_planted_gradient_lies_where_it_should_in_2d(block_cells):
    grid = make()
    found = krige_grid(Linear(), grid, block_cells=block_cells, dtype="float64").estimate
    assert found.dims == ("northing", "easting")
    expected = grid.easting + 1e3 * grid.northing
    xr.testing.assert_allclose(found, expected.transpose("northing", "easting"))


@pytest.mark.parametrize("block_cells", [7, 50, 1_000_000])
def test_a_planted_gradient_lies_where_it_should_in_3d(block_cells):
    grid = make(4, 5, 3)
    found = krige_grid(Linear(), grid, block_cells=block_cells, dtype="float64").estimate
    expected = (grid.easting + 1e3 * grid.northing + 1e6 * grid.elevation).transpose(*found.dims)
    assert found.dims == ("elevation", "northing", "easting")
    xr.testing.assert_allclose(found, expected)


def test_a_grid_whose_northings_fall_keeps_them():
    grid = make().isel(northing=slice(None, None, -1))
    found = krige_grid(Linear(), grid, dtype="float64").estimate
    np.testing.assert_array_equal(found.northing, grid.northing)
    xr.testing.assert_allclose(found, (grid.easting + 1e3 * grid.northing).transpose(*found.dims))


def test_a_turned_grid_is_estimated_at_its_true_places():
    # Turned clockwise by 90 degrees about the origin: own east is south, own north is east.
    grid = xr.Dataset(
        coords={"northing": [5.0, 15.0], "easting": [5.0, 15.0]},
        attrs={"rotation": 90.0, "origin": (0.0, 0.0), "crs": "EPSG:32650"},
    )
    found = krige_grid(Linear(), grid, dtype="float64")
    np.testing.assert_allclose(found.estimate, [[5 - 5e3, 5 - 15e3], [15 - 5e3, 15 - 15e3]])
    assert found.attrs["rotation"] == 90.0
    assert found.attrs["crs"] == "EPSG:32650"


def test_blocks_are_what_one_call_of_the_estimator_gives():
    grid, idw = make(9, 8, 5), some_idw(n_dims=3)
    found = krige_grid(idw, grid, block_cells=30, dtype="float64").estimate
    expected = idw.predict(points_of(found)).reshape(found.shape)
    np.testing.assert_allclose(found, expected)


def test_cells_without_samples_are_missing_and_counted_once():
    idw = some_idw(max_distance=15.0)
    with pytest.warns(GossanWarning, match="cells were not estimated") as caught:
        found = krige_grid(idw, make(), block_cells=20)
    assert len(caught) == 1
    n_missing = int(np.isnan(found.estimate).sum())
    assert found.attrs["n_unestimated"] == n_missing > 0
    assert not (found.estimate == 0).any()


def test_only_cells_of_a_mask_are_estimated_and_the_others_are_not_counted():
    grid = make()
    inside = (grid.easting > 50) & (grid.northing > 120)
    grid = grid.assign(inside=inside.transpose("easting", "northing"))
    found = krige_grid(Linear(), grid, where="inside", block_cells=9)
    np.testing.assert_array_equal(
        ~np.isnan(found.estimate), inside.transpose("northing", "easting")
    )
    assert found.attrs["n_unestimated"] == 0


def test_layers_of_the_grid_explain_the_values():
    grid = make()
    grid = grid.assign(
        depth=(grid.easting * 2 + grid.northing * 0).transpose("northing", "easting")
    )
    X = np.column_stack([points_of(grid)[:40], 2 * points_of(grid)[:40, 0]])
    model = RegressionKriging(kriging=InverseDistance()).fit(X, 7 * X[:, 2])
    found = krige_grid(model, grid, features=["depth"], dtype="float64", block_cells=10)
    np.testing.assert_allclose(found.estimate, 7 * grid.depth)
    holed = grid.assign(depth=grid.depth.where(grid.easting > 30))
    with pytest.warns(GossanWarning, match="21 of 77 cells"):
        found = krige_grid(model, holed, features=["depth"])
    assert np.isnan(found.estimate.sel(easting=[5, 15, 25])).all()


def test_cokriging_takes_a_secondary_layer_with_holes():
    rng = np.random.default_rng(0)
    shape = Structure("spherical", 1.0, 50.0)
    model = Coregionalization(np.zeros((2, 2)), (shape,), [[[1.0, 0.8], [0.8, 1.0]]])
    X = np.column_stack([rng.uniform([0, 100], [110, 170], (30, 2)), rng.normal(size=30)])
    cokriging = Cokriging(model).fit(X, rng.normal(size=30))
    grid = make()
    second = xr.where(grid.easting > 50, 0.01 * grid.northing, np.nan)
    grid = grid.assign(second=second.transpose("northing", "easting"))
    found = krige_grid(cokriging, grid, features=["second"], block_cells=20, dtype="float64")
    rows = np.column_stack([points_of(found), grid.second.values.ravel()])
    np.testing.assert_allclose(found.estimate.values.ravel(), cokriging.predict(rows))


def test_names_and_spreads_become_layers():
    rng = np.random.default_rng(0)
    two = InverseDistance().fit(rng.uniform(0, 100, (9, 2)), rng.normal(size=(9, 2)))
    assert list(krige_grid(two, make(), names=["Cu", "Zn"])) == ["Cu", "Zn"]
    assert list(krige_grid(two, make())) == ["estimate_0", "estimate_1"]
    found = krige_grid(Linear(), make(), names=["Cu"], return_std=True)
    assert list(found) == ["Cu", "Cu_std"]
    assert found.Cu.dtype == np.float32
    xr.testing.assert_allclose(found.Cu_std, abs(found.Cu))


def test_progress_tells_the_cells_done():
    told = []
    krige_grid(Linear(), make(), block_cells=20, progress=lambda done, n: told.append((done, n)))
    assert told[-1] == (77, 77)
    assert (np.diff([done for done, _ in told]) > 0).all()


def test_kriging_with_two_variables_and_their_errors():
    kriging, grid = some_kriging(), make(6, 9, 4)
    found = krige_grid(
        kriging, grid, names=["Cu", "Zn"], return_std=True, block_cells=50, dtype="float64"
    )
    estimate, std = kriging.predict(points_of(found), return_std=True)
    assert list(found) == ["Cu", "Zn", "Cu_std", "Zn_std"]
    for i, name in enumerate(("Cu", "Zn")):
        np.testing.assert_allclose(found[name].values.ravel(), estimate[:, i])
        np.testing.assert_allclose(found[f"{name}_std"].values.ravel(), std[:, i])


# Into Zarr


def test_a_zarr_grid_equals_that_in_memory_and_is_read_lazily(tmp_path):
    idw = some_idw(max_distance=15.0)
    with pytest.warns(GossanWarning, match="not estimated"):
        expected = krige_grid(idw, make(rotation=0.0), block_cells=20)
    with pytest.warns(GossanWarning, match="not estimated"):
        found = krige_grid(idw, make(rotation=0.0), block_cells=20, out=tmp_path / "grid.zarr")
    assert found.estimate.chunks is not None
    xr.testing.assert_identical(found.compute(), expected)
    again = xr.open_zarr(tmp_path / "grid.zarr", consolidated=False)
    xr.testing.assert_equal(again.compute(), expected)
    assert again.attrs["n_unestimated"] == expected.attrs["n_unestimated"]


def test_a_run_broken_off_goes_on_where_it_was(tmp_path):
    idw, grid, out = some_idw(), make(), tmp_path / "grid.zarr"
    with pytest.raises(RuntimeError, match="power cut"):
        krige_grid(Broken(idw, 3), grid, block_cells=10, out=out)
    told = []
    resumed = Broken(idw, 1000)
    found = krige_grid(
        resumed, grid, block_cells=10, out=out, progress=lambda done, n: told.append(done)
    )
    xr.testing.assert_equal(found.compute(), krige_grid(idw, grid))
    assert told[0] == 18  # after the first block of nine cells that was not done yet
    assert 1000 - resumed.n_calls == len(told) + 1  # one call counts the variables


def test_a_finished_grid_is_not_done_again(tmp_path):
    idw, grid, out = some_idw(), make(), tmp_path / "grid.zarr"
    krige_grid(Broken(idw, 1000), grid, block_cells=10, out=out)
    found = krige_grid(Broken(idw, 1), grid, block_cells=10, out=out)
    assert not np.isnan(found.estimate).any()


@pytest.mark.parametrize("make_model", [some_idw, some_kriging])
def test_the_same_model_fitted_anew_is_the_same_grid(tmp_path, make_model):
    grid = make(n_up=0 if make_model is some_idw else 3)
    krige_grid(make_model(), grid, out=tmp_path / "grid.zarr")
    used = make_model()
    used.predict(points_of(grid)[:3] + 1e7)
    used.n_jobs = 2  # how many threads does not change what is estimated
    krige_grid(used, grid, out=tmp_path / "grid.zarr")


def test_the_grid_is_never_in_memory_as_a_whole(tmp_path):
    grid = make(1000, 1500)
    tracemalloc.start()
    found = krige_grid(Linear(), grid, out=tmp_path / "grid.zarr", block_cells=40_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.estimate.nbytes == 6_000_000
    assert peak < 4_500_000
    corner = found.estimate.isel(northing=-1, easting=-1)
    assert float(corner) == pytest.approx(float(corner.easting + 1e3 * corner.northing))


@pytest.mark.parametrize(
    "change",
    [
        {"kriging": some_idw(seed=1)},
        {"kriging": some_idw(max_distance=80.0)},
        {"grid": make(8)},
        {"dtype": "float64"},
        {"names": ["Cu"]},
    ],
)
def test_another_grid_is_never_mixed_with_what_is_there(tmp_path, change):
    first = {"kriging": some_idw(), "grid": make(), "out": tmp_path / "grid.zarr"}
    krige_grid(**first)
    with pytest.raises(ValueError, match="holds another grid"):
        krige_grid(**{**first, **change})
    found = krige_grid(**{**first, **change}, overwrite=True).compute()
    xr.testing.assert_equal(found, krige_grid(**{**first, **change, "out": None}))


def test_a_layer_that_changed_makes_another_grid(tmp_path):
    grid = make()
    grid = grid.assign(inside=(("northing", "easting"), np.ones((7, 11), dtype=bool)))
    krige_grid(Linear(), grid, where="inside", out=tmp_path / "grid.zarr")
    krige_grid(Linear(), grid.copy(deep=True), where="inside", out=tmp_path / "grid.zarr")
    with pytest.raises(ValueError, match="holds another grid"):
        krige_grid(
            Linear(), grid.assign(inside=~grid.inside), where="inside", out=tmp_path / "grid.zarr"
        )


def test_a_foreign_folder_is_never_replaced(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "important.txt").write_text("x")
    for overwrite in (False, True):
        with pytest.raises(ValueError, match="is no grid written by krige_grid"):
            krige_grid(Linear(), make(), out=tmp_path / "notes", overwrite=overwrite)
    (tmp_path / "file.zarr").write_text("x")
    with pytest.raises(ValueError, match="is no grid written by krige_grid"):
        krige_grid(Linear(), make(), out=tmp_path / "file.zarr", overwrite=True)
    assert (tmp_path / "notes" / "important.txt").exists()


def test_without_zarr_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ImportError, match=r'pip install "gossan\[large\]"'):
        krige_grid(Linear(), make(), out=tmp_path / "grid.zarr")


# On a cluster


@pytest.fixture
def cluster():
    distributed = pytest.importorskip("dask.distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp"
    ) as running:
        yield running


def test_a_cluster_by_its_address_gives_the_same_grid(cluster, tmp_path):
    idw = some_idw(max_distance=15.0)
    with pytest.warns(GossanWarning, match="not estimated"):
        expected = krige_grid(idw, make(), block_cells=10)
    for out in (None, tmp_path / "grid.zarr"):
        with pytest.warns(GossanWarning, match="not estimated"):
            found = krige_grid(
                idw, make(), block_cells=10, client=cluster.scheduler_address, out=out
            )
        xr.testing.assert_equal(found.compute(), expected)


def test_kriging_travels_to_the_workers(cluster):
    kriging, grid = some_kriging(), make(6, 9, 4)
    with cluster.get_client() as client:
        found = krige_grid(kriging, grid, block_cells=50, client=client, return_std=True)
    xr.testing.assert_equal(found, krige_grid(kriging, grid, block_cells=50, return_std=True))


def test_without_dask_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(ImportError, match=r'pip install "gossan\[large\]"'):
        krige_grid(Linear(), make(), client="tcp://127.0.0.1:1")


# What is refused


def test_grids_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"got \('y', 'x'\)"):
        krige_grid(Linear(), xr.Dataset(coords={"y": [1.0], "x": [1.0]}))
    bare = xr.Dataset({"a": (("northing", "easting"), np.ones((2, 2)))})
    with pytest.raises(ValueError, match="no coordinates along northing"):
        krige_grid(Linear(), bare)
    with pytest.raises(ValueError, match="easting are not all finite"):
        krige_grid(Linear(), make().assign_coords(easting=[np.nan] * 11))


def test_layers_and_names_that_do_not_suit_are_refused():
    grid = make().assign(rock=("easting", np.ones(11)))
    with pytest.raises(ValueError, match="Layer must be one of"):
        krige_grid(Linear(), grid, features=["roc"])
    with pytest.raises(ValueError, match="Layer 'rock' has dims"):
        krige_grid(Linear(), grid, features=["rock"])
    with pytest.raises(ValueError, match="has 1 variables, got names"):
        krige_grid(Linear(), make(), names=["Cu", "Zn"])
    with pytest.raises(ValueError, match="dtype must be one of"):
        krige_grid(Linear(), make(), dtype="int8")
    with pytest.raises(ValueError, match="block_cells must be positive"):
        krige_grid(Linear(), make(), block_cells=0)
