"""One stack from rasters on many cells: names, units, validity, what is refused, and Nanling."""

import numpy as np
import pytest
import xarray as xr

from gossan import datasets
from gossan.data import (
    add_layer,
    cell_centres,
    grid_differences,
    make_grid,
    read_marked_cells,
    same_grid,
    stack_layers,
    write_grid,
)
from gossan.sampling import place_occurrences

COARSE = make_grid((0, 80, 0, 60), 20, crs="EPSG:32650")


def with_plane(grid, name, slope=(1.0, 10.0), **more):
    """Return the grid with a layer that rises to the east and, ten times as fast, to the north."""
    return add_layer(grid, name, cell_centres(grid) @ np.array(slope), **more)


def test_layers_on_one_grid_are_put_together_as_they_are():
    one = with_plane(COARSE, "Li", units="ppm")
    two = add_layer(COARSE, "unit", np.arange(12))
    stack = stack_layers([one, two])
    assert list(stack.data_vars) == ["Li", "unit", "valid"]
    assert stack["Li"].attrs == {"units": "ppm", "source": "grid"}
    assert stack["unit"].dtype == two["unit"].dtype
    assert stack["valid"].all()
    xr.testing.assert_equal(stack["Li"], one["Li"])


def test_a_layer_on_other_cells_is_refused_with_all_that_differs():
    fine = with_plane(make_grid((5, 75, 0, 60), 10, crs="EPSG:32650"), "granite")
    other = with_plane(make_grid((0, 80, 0, 60), 20, crs="EPSG:32651"), "faults")
    message = (
        r"2 of 3 layers lie on other cells than Li, the first. granite: cells of 10 x 10 m against 20 x"
        r" 20 m; south-west corner 5 m east and 0 m north; 6 x 7 rows and columns against 3 x 4;"
        r" extent \(5, 75, 0, 60\) against \(0, 80, 0, 60\). faults: CRS EPSG:32651 against"
        r" EPSG:32650. Bring them over with resample = "
    )
    with pytest.raises(ValueError, match=message):
        stack_layers([with_plane(COARSE, "Li"), fine, other])
    with pytest.raises(ValueError, match="faults: CRS"):
        stack_layers([with_plane(COARSE, "Li"), fine, other], resample={"granite": "linear"})


@pytest.mark.parametrize("way", ["linear", "mean"])
def test_a_plane_is_brought_over_and_not_upside_down(way):
    fine = with_plane(make_grid((-20, 100, -20, 80), 5, crs="EPSG:32650"), "dem")
    stack = stack_layers([fine], COARSE, resample=way)
    np.testing.assert_allclose(stack["dem"], with_plane(COARSE, "dem")["dem"], atol=1e-9)
    assert stack["dem"].attrs["resampled"] == f"{way}, from cells of 5 x 5 m"
    assert same_grid(stack, COARSE)


@pytest.mark.parametrize("way", ["linear", "nearest", "mean"])
def test_another_crs_is_reprojected_at_the_true_places(way):
    """Zone 51 beside zone 50: the same ground, its layer told by the true longitude."""
    pyproj = pytest.importorskip("pyproj")
    target = make_grid((720_000, 740_000, 3_000_000, 3_020_000), 4000, crs="EPSG:32650")
    move = pyproj.Transformer.from_crs("EPSG:32650", "EPSG:32651", always_xy=True)
    east, north = move.transform(*cell_centres(target).T)
    source = make_grid(
        (east.min() - 9000, east.max() + 9000, north.min() - 9000, north.max() + 9000), 500,
        crs="EPSG:32651",
    )  # fmt: skip
    back = pyproj.Transformer.from_crs("EPSG:32651", "EPSG:32650", always_xy=True)
    true_east, true_north = back.transform(*cell_centres(source).T)
    source = add_layer(source, "dem", true_east - 700_000 + 2 * (true_north - 3_000_000))
    stack = stack_layers([source], target, resample=way)
    truth = cell_centres(target) @ np.array([1.0, 2.0]) - 700_000 - 6_000_000
    tolerance = {"linear": 1.0, "nearest": 800.0, "mean": 200.0}[way]
    assert np.abs(stack["dem"].values.ravel() - truth).max() < tolerance
    assert stack.attrs["crs"] == "EPSG:32650"


def test_codes_and_masks_are_taken_by_nearest():
    fine = make_grid((0, 80, 0, 60), 10, crs="EPSG:32650")
    fine = add_layer(fine, "inside", cell_centres(fine)[:, 0] > 40)
    fine["unit"] = fine["inside"].astype(float).assign_attrs(categories=["slate", "granite"])
    stack = stack_layers([fine], COARSE, resample="linear")
    assert stack["inside"].dtype == bool
    assert set(np.unique(stack["unit"])) == {0.0, 1.0}
    assert stack["unit"].attrs["resampled"].startswith("nearest")


def test_validity_is_where_every_layer_has_data():
    one = with_plane(COARSE, "Li")
    one["Li"].values[0, 0] = np.nan
    half = with_plane(make_grid((0, 40, 0, 60), 20, crs="EPSG:32650"), "Sn")
    valid = stack_layers([one, half], resample="nearest")["valid"].values
    assert valid.tolist() == [[False, True, False, False]] + [[True, True, False, False]] * 2


def test_nodata_names_and_units_are_set(tmp_path):
    pytest.importorskip("rasterio")
    raw = add_layer(COARSE, "Idw_Li", np.r_[-1.0, np.arange(11.0)])
    write_grid(raw, tmp_path / "Idw_Li.tif")
    stack = stack_layers(
        [tmp_path / "Idw_Li.tif"],
        names=lambda name: name.removeprefix("Idw_"),
        nodata={"Li": -1},
        units="ppm",
    )
    assert np.isnan(stack["Li"].values[0, 0])
    assert not stack["valid"].values[0, 0]
    assert stack["Li"].attrs == {"source": "Idw_Li.tif", "units": "ppm"}
    named = stack_layers({"lithium": raw}, names=None)
    assert list(named.data_vars) == ["lithium", "valid"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: stack_layers([]), "must be a list of rasters"),
        (stack_layers, "must be a list of rasters"),
        (lambda g: stack_layers([g, g]), "'Li' of grid has the name of one of grid"),
        (lambda g: stack_layers([g.rename(Li="valid")]), "the validity of the stack"),
        (lambda g: stack_layers([g], resample="cubic"), "resample must be one of"),
        (
            lambda g: stack_layers([g], resample={"li": "mean"}),
            "There is no layer 'li'.*Did you mean",
        ),
        (lambda g: stack_layers({"a": add_layer(g, "b", np.ones(12))}), "must have one layer"),
        (lambda g: stack_layers([COARSE]), "hold no layer"),
        (
            lambda g: stack_layers([g], make_grid((0, 80, 0, 60), 10), resample="mean"),
            "cannot be averaged from cells of 20 x 20 m to smaller ones",
        ),
    ],
)
def test_what_cannot_be_stacked_is_said(call, message):
    with pytest.raises(ValueError, match=message):
        call(with_plane(COARSE, "Li"))


def test_no_difference_is_no_words():
    assert grid_differences(COARSE, COARSE) == ""
    turned = make_grid((0, 80, 0, 60), 20, crs="EPSG:32650", rotation=10)
    assert "turned by 10° against 0°" in grid_differences(COARSE, turned)


def test_marked_cells_are_points_at_their_centres():
    pytest.importorskip("geopandas")
    points = read_marked_cells(add_layer(COARSE, "ore", [0] * 5 + [1] + [0] * 5 + [1]))
    assert [p.coords[0] for p in points.geometry] == [(30.0, 30.0), (70.0, 50.0)]
    assert points.crs.to_epsg() == 32650
    zeros = read_marked_cells(add_layer(COARSE, "barren", [1] * 11 + [0]), value=0)
    assert len(zeros) == 1
    with pytest.raises(ValueError, match="No cell of The raster holds 7; it holds 0, 1"):
        read_marked_cells(add_layer(COARSE, "ore", [0] * 11 + [1]), value=7)
    with pytest.raises(ValueError, match="Name one: layer="):
        read_marked_cells(add_layer(with_plane(COARSE, "Li"), "ore", np.ones(12)))


@pytest.fixture(scope="module")
def nanling():
    pytest.importorskip("rasterio")
    try:
        return datasets.find("nanling_lithium", download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_nanling_misaligned_in_three_ways_becomes_one_stack(nanling):
    elements = sorted(p for p in nanling.glob("Idw_*.tif") if p.stem not in ("Idw_xx", "Idw_yy"))
    layers = [nanling / f"{name}.tif" for name in ("Faults", "Granite", "Strata")]
    with pytest.raises(
        ValueError, match=r"3 of 4 layers.*645 x 556 rows and columns against 163 x 141"
    ):
        stack_layers([elements[0], *layers])
    stack = stack_layers(
        [*elements, *layers],
        resample=dict.fromkeys(("Faults", "Granite", "Strata"), "mean"),
        names=lambda name: name.removeprefix("Idw_"),
    )
    assert len(stack.data_vars) == 39 + 3 + 1
    assert stack["Li"].shape == (163, 141)
    assert int(stack["valid"].sum()) == 20_460
    pytest.importorskip("geopandas")
    deposits = read_marked_cells(nanling / "Li_deposits0.tif")
    placed = place_occurrences(stack, deposits, mask=stack["valid"])
    assert (len(deposits), len(placed.cells), placed.counts.sum()) == (23, 21, 23)
    assert not len(placed.outside)
    assert not len(placed.masked)
    # The rows are the right way up: lithium is high at the deposits.
    lithium = stack["Li"].values
    assert np.median(lithium.ravel()[placed.cells]) == pytest.approx(143.5, abs=0.1)
    assert np.nanmedian(lithium) == pytest.approx(40.9, abs=0.1)
    assert np.nanmedian(lithium[::-1].ravel()[placed.cells]) < 100
    assert np.median(stack["Granite"].values.ravel()[placed.cells]) > 0.4
