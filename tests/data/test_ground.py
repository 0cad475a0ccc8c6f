"""The ground from rasters, points, triangles and collars, as grids of elevations."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import Delaunay

from gossan._checks import GossanWarning
from gossan.data.grids.files import write_grid
from gossan.data.grids.grid import add_layer, cell_centres, make_grid, region_of
from gossan.data.grids.masking import grid_mask
from gossan.data.ground import ground_of_collars, read_ground
from gossan.data.surfaces.files import write_surfaces
from gossan.data.surfaces.record import Surface
from gossan.evidence.surfaces import extrude_trace
from gossan.simulate import simulate_deposit

WEST, SOUTH = 500_000.0, 4_000_000.0


def height(places):
    """Return the height of a tilted plane [m]."""
    return 1000 + 0.1 * (places[:, 0] - WEST) - 0.2 * (places[:, 1] - SOUTH)


def plane_points(n=300, seed=0):
    places = np.random.default_rng(seed).uniform(0, 1000, (n, 2)) + np.array([WEST, SOUTH])
    places = places.round(2)
    return pd.DataFrame({"X": places[:, 0], "Y": places[:, 1], "RL": height(places)})


def lattice(step=10.0):
    grid = make_grid((WEST, WEST + 120, SOUTH, SOUTH + 60), step, crs="EPSG:32650")
    return add_layer(grid, "dtm", height(cell_centres(grid)))


# Rasters


def test_a_geotiff_is_the_ground_whatever_its_band_is_called(tmp_path):
    pytest.importorskip("rasterio")
    path = write_grid(lattice(), tmp_path / "dtm.tif")
    ground = read_ground(path)
    assert list(ground.data_vars) == ["elevation"]
    assert ground["elevation"].attrs["units"] == "m"
    assert ground.attrs["crs"] == "EPSG:32650"
    np.testing.assert_allclose(ground["elevation"].values, lattice()["dtm"].values)
    moved = read_ground(path, to_crs="EPSG:32651")
    assert moved.attrs["crs"] == "EPSG:32651"


def test_of_several_layers_that_of_elevations_is_taken(tmp_path):
    grid = lattice()
    grid = add_layer(grid, "elevation", grid["dtm"] + 7)
    with pytest.warns(GossanWarning, match="2 layers, dtm, elevation; 'elevation' is taken"):
        ground = read_ground(write_grid(grid, tmp_path / "a.vti"))
    np.testing.assert_array_equal(ground["elevation"], grid["elevation"])


def test_numbers_that_mean_missing_are_empty(tmp_path):
    values = lattice()["dtm"].values.copy()
    values[0, :3] = -9999, -32768, 1e20
    path = write_grid(add_layer(lattice(), "dtm", values), tmp_path / "a.vti")
    with pytest.warns(GossanWarning, match=r"a.vti: 3 of 72 heights are no heights but mean"):
        ground = read_ground(path)
    assert np.isnan(ground["elevation"].values).sum() == 3


def test_a_raster_without_heights_or_with_levels_is_refused(tmp_path):
    empty = add_layer(lattice(), "dtm", np.full((6, 12), np.nan))
    with pytest.raises(ValueError, match=r"a.vti holds no height, got 72 missing"):
        read_ground(write_grid(empty, tmp_path / "a.vti"))
    blocks = make_grid((0, 20, 0, 20), 10, elevations=(0, 20))
    with pytest.raises(ValueError, match="must be 2D"):
        read_ground(write_grid(add_layer(blocks, "Au", np.ones(8)), tmp_path / "b.vti"))


# Points


@pytest.mark.parametrize("ending", [".csv", ".txt", ".xlsx", ".parquet"])
def test_points_of_a_regular_grid_are_taken_exactly(tmp_path, ending):
    grid = lattice()
    table = pd.DataFrame(cell_centres(grid), columns=["Easting", "Northing"])
    table["Elevation_m"] = grid["dtm"].values.ravel()
    table = table.drop(index=[5, 40]).sample(frac=1, random_state=0)
    path = tmp_path / f"topo{ending}"
    write = {".xlsx": table.to_excel, ".parquet": table.to_parquet}.get(ending, table.to_csv)
    write(path, index=False)
    ground = read_ground(path, crs="EPSG:32650")
    assert region_of(ground) == region_of(grid)
    assert ground.attrs["crs"] == "EPSG:32650"
    values = ground["elevation"].values.ravel()
    assert np.flatnonzero(np.isnan(values)).tolist() == [5, 40]
    known = np.isfinite(values)
    np.testing.assert_array_equal(values[known], grid["dtm"].values.ravel()[known])


def test_a_level_lattice_of_points_is_regular_too(tmp_path):
    table = pd.DataFrame(cell_centres(lattice()), columns=["x", "y"]).assign(z=10)
    table.to_csv(tmp_path / "topo.csv", index=False)
    ground = read_ground(tmp_path / "topo.csv")
    assert ground.sizes == {"northing": 6, "easting": 12}
    assert (ground["elevation"] == 10).all()


def test_scattered_points_give_the_plane_on_which_they_lie(tmp_path):
    table = plane_points()
    table.to_csv(tmp_path / "topo.csv", index=False)
    ground = read_ground(tmp_path / "topo.csv")
    values = ground["elevation"].values.ravel()
    known = np.isfinite(values)
    np.testing.assert_allclose(values[known], height(cell_centres(ground))[known], atol=1e-6)
    assert 0.85 < known.mean() < 1  # the hull of the points, no more
    step = float(np.diff(ground["easting"])[0])
    assert 20 < step < 40  # the median distance of 300 points on a km² is 29 m
    fine = read_ground(tmp_path / "topo.csv", spacing=10)
    assert float(np.diff(fine["easting"])[0]) == 10


def test_scattered_points_in_whole_metres_are_not_taken_for_a_grid(tmp_path):
    table = plane_points().round(0)
    table.to_csv(tmp_path / "topo.csv", index=False)
    ground = read_ground(tmp_path / "topo.csv")
    assert float(np.diff(ground["easting"])[0]) > 20


def test_points_along_contours_do_not_make_tiny_cells(tmp_path):
    along = np.arange(0, 2000, 0.5)
    table = pd.concat(
        [pd.DataFrame({"x": along + 0.1 * i, "y": 100.0 * i, "z": 10.0 * i}) for i in range(10)]
    )
    table["x"] += np.random.default_rng(0).uniform(-0.2, 0.2, len(table))
    table.to_csv(tmp_path / "topo.csv", index=False)
    ground = read_ground(tmp_path / "topo.csv")
    assert ground["elevation"].size < 20 * len(table)


def test_blank_heights_are_left_out_and_repeated_places_averaged(tmp_path):
    text = "x,y,z\n0,0,1\n10,0,\n10,0,nan\n100,0,1\n0,99,1\n97,95,3\n97,95,5\n"
    (tmp_path / "a.csv").write_text(text)
    with pytest.warns(GossanWarning, match=r"a.csv: 1 places have several heights, up to 1.00 m"):
        ground = read_ground(tmp_path / "a.csv", spacing=1)
    value = float(ground["elevation"].sel(easting=96, northing=94, method="nearest"))
    assert value == pytest.approx(4, abs=0.1)


def test_the_ground_of_a_made_up_deposit_comes_back(tmp_path):
    made = simulate_deposit("small", random_state=0)
    ground = read_ground(made.write(tmp_path)["ground"])
    np.testing.assert_allclose(ground["elevation"], made.ground["elevation"], atol=0.005001)
    np.testing.assert_array_equal(ground["easting"], made.ground["easting"])


# Triangles and numbers


def test_a_triangulated_surface_is_the_ground(tmp_path):
    places = plane_points(50)[["X", "Y", "RL"]].to_numpy()
    topo = Surface(places, Delaunay(places[:, :2]).simplices.astype(np.int64), "topo")
    fault = extrude_trace(places[:2], 60, depth=100, name="F1")
    ground = read_ground(write_surfaces(topo, tmp_path / "topo.ts"))
    values = ground["elevation"].values.ravel()
    known = np.isfinite(values)
    np.testing.assert_allclose(values[known], height(cell_centres(ground))[known], atol=1e-6)
    both = write_surfaces([fault, topo], tmp_path / "all.ts")
    np.testing.assert_array_equal(
        read_ground(both, surface="topo")["elevation"], ground["elevation"]
    )
    with pytest.raises(ValueError, match=r"all.ts holds 2 surfaces, F1, topo. Tell which"):
        read_ground(both)
    with pytest.raises(ValueError, match=r"no surface 'tpo'; it has F1, topo.*mean 'topo'"):
        read_ground(both, surface="tpo")


def test_one_number_is_level_ground_everywhere():
    blocks = make_grid((WEST, WEST + 30, SOUTH, SOUTH + 20), 10, elevations=(100, 140))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keep = grid_mask(blocks, topography=read_ground(120, crs="EPSG:32650"))
    assert keep.values[:2].all()
    assert not keep.values[2:].any()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", "", r"must end in one of .tif, .* got 'a.png'"),
        ("a.csv", "lon,lat,z\n1,2,3\n", r"a.csv has longitudes and latitudes \(lon, lat\)"),
        ("a.csv", "x,y,z\n1,2,3\n1,b,3\n", r"a.csv, row 3: column 'y' holds no number .* is 'b'"),
        ("a.csv", "x,y,z\n1,2,3\n1,3,b\n", r"a.csv, row 3: column 'z' holds no number"),
        ("a.csv", "x,y,au\n1,2,3\n", "a.csv has no column of elevation; it has x, y, au. Call"),
        ("a.csv", "x,y,z\n1,2,3\n2,3,4\n", "a.csv spans no area: 2 places, fewer than three"),
        ("a.csv", "x,y,z\n1,2,3\n2,3,4\n3,4,5\n", "a.csv spans no area: 3 places"),
        ("a.csv", "x,y,z\n1,2,\n2,3,\n", "a.csv holds no height, got 2 missing"),
        ("a.csv", "x,y,z\n1,2,3\n2,3e30,4\n7,4,5\n", r"a.csv has coordinates up to 3e\+30 m"),
        ("a.csv", "x,y,z\n0,0,3\n9e9,1,4\n7,8e9,5\n0,1,4\n", "which no 50,000,000 cells of"),
    ],
)
def test_what_makes_no_ground_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        read_ground(path, spacing=1)


def test_only_a_geotiff_is_reprojected(tmp_path):
    with pytest.raises(ValueError, match="cannot be reprojected, got to_crs='EPSG:32650'"):
        read_ground(tmp_path / "a.csv", to_crs="EPSG:32650")
    with pytest.raises(ValueError, match="height of the ground must be finite, got nan"):
        read_ground(float("nan"))
    with pytest.raises(FileNotFoundError, match=r"There is no file a.csv"):
        read_ground(tmp_path / "a.csv")


def test_damaged_points_are_read_or_named(tmp_path):
    data = plane_points(30).to_csv(index=False).encode()
    rng = np.random.default_rng(0)
    path = tmp_path / "topo.csv"
    for _ in range(100):
        spoilt = bytearray(data[: int(rng.integers(1, len(data) + 1))])
        for at in rng.integers(0, len(spoilt), 3):
            spoilt[at] = int(rng.integers(256))
        path.write_bytes(bytes(spoilt))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GossanWarning)
                ground = read_ground(path)
        except ValueError as error:
            assert str(error).startswith("topo.csv"), error  # noqa: PT017
        else:
            assert ground["elevation"].size < 1_000_000


# Collars


def test_the_ground_of_collars_is_linear_between_and_nearest_outside():
    collars = pd.DataFrame(
        {"hole": list("abcd"), "x": [0, 100, 0, 100], "y": [0, 0, 100, 100], "z": [10, 20, 10, 20]}
    )
    ground = ground_of_collars(collars, (-100, 200, 0, 100), (20, 20), crs="EPSG:32650")
    values = ground["elevation"]
    inside = values.sel(easting=slice(0, 100))
    expected = np.broadcast_to(10 + inside["easting"].values / 10, inside.shape)
    np.testing.assert_allclose(inside.values, expected)
    assert (values.sel(easting=slice(-100, 0)) == 10).all()
    assert (values.sel(easting=slice(100, 200)) == 20).all()
    assert ground.attrs["crs"] == "EPSG:32650"
    assert "sketch" in values.attrs["long_name"]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_collars_or_a_line_of_them_are_taken_by_the_nearest(n):
    collars = np.array([[0, 0, 10], [50, 50, 20], [100, 100, 30]], dtype=float)[:n]
    ground = ground_of_collars(collars, (0, 100, 0, 100), 50)
    assert np.isfinite(ground["elevation"]).all()
    assert set(ground["elevation"].values.ravel().tolist()) <= {10.0, 20.0, 30.0}


def test_collars_without_a_place_are_left_out_and_none_is_refused():
    collars = np.array([[0, 0, 10], [50, 50, np.nan]])
    with pytest.warns(GossanWarning, match="1 of 2 collars have no place or elevation"):
        ground = ground_of_collars(collars, (0, 100, 0, 100), 50)
    assert (ground["elevation"] == 10).all()
    with pytest.raises(ValueError, match="No collar has a place and an elevation, got 1 without"):
        ground_of_collars(collars[1:], (0, 100, 0, 100), 50)
    with pytest.raises(ValueError, match=r"shape \(n, 3\), got shape \(2, 2\)"):
        ground_of_collars(collars[:, :2], (0, 100, 0, 100), 50)
