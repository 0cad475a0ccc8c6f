"""Grids: their cells, their checks, tables, masks and resampling."""

import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.data.grids._axes import south_west, spacing_of, to_axes
from gossan.data.grids.grid import (
    add_layer,
    cell_centres,
    cell_volume,
    check_grid,
    check_same_grid,
    grid_at,
    make_grid,
    region_of,
    same_grid,
)
from gossan.data.grids.masking import grid_mask, mask_grid
from gossan.data.grids.resampling import align_grids, crop, rotate_grid
from gossan.data.grids.tables import grid_to_table, table_to_grid


def plane(points):
    """Return a value that grows by 1 a metre east, 10 north and 100 up."""
    weights = np.array([1.0, 10.0, 100.0])[: points.shape[1]]
    return points @ weights


def planted(n_dims=2, rotation=0.0, region=(0, 70, 0, 40), spacing=10.0, **more):
    """Return a grid whose layer is a plane in true coordinates."""
    elevations = (100, 130) if n_dims == 3 else None
    grid = make_grid(region, spacing, elevations=elevations, rotation=rotation, **more)
    return add_layer(grid, "plane", plane(cell_centres(grid)), units="ppm")


# Cells


def test_centres_lie_half_a_cell_inside_the_edges():
    grid = make_grid((100, 130, 0, 20), (10, 20, 10), elevations=(0, 0.5), crs=32650)
    assert grid.attrs == {"crs": "EPSG:32650"}
    assert grid["easting"].values.tolist() == [105, 115, 125]
    assert grid["northing"].values.tolist() == [10]
    assert grid["elevation"].values.tolist() == [5]
    assert region_of(grid) == (100, 130, 0, 20)


def test_spacing_is_in_the_order_of_the_axes():
    grid = make_grid((0, 60, 0, 60), (2, 3, 4), elevations=(0, 20))
    assert spacing_of(grid) == (2, 3, 4)
    assert dict(grid.sizes) == {"elevation": 10, "northing": 20, "easting": 15}
    assert cell_volume(grid) == 24
    assert cell_volume(make_grid((0, 60, 0, 60), (3, 4))) == 12


def test_the_last_cell_may_reach_beyond_so_that_each_is_whole():
    assert region_of(make_grid((0, 95, 0, 31), 10)) == (0, 100, 0, 40)
    assert make_grid((0, 0.3, 0, 0.3), 0.1).sizes["easting"] == 3  # 0.3 / 0.1 is 2.9999...


def test_a_turn_moves_own_north_to_its_azimuth():
    grid = make_grid((0, 10, 0, 100), 10, rotation=30)
    centres = cell_centres(grid)
    step = centres[-1] - centres[0]
    azimuth = math.degrees(math.atan2(step[0], step[1]))
    assert azimuth == pytest.approx(30)
    assert np.hypot(*step) == pytest.approx(90)
    assert south_west(grid) == pytest.approx((0, 0))


def test_a_turn_leaves_its_origin_where_it_is():
    grid = make_grid((0, 20, 0, 20), 10, rotation=77, origin=(5, 5))
    np.testing.assert_allclose(cell_centres(grid)[0], (5, 5), atol=1e-12)


def test_true_places_go_back_to_the_own_axes():
    grid = planted(3, rotation=123.0)
    own = to_axes(grid, cell_centres(grid))
    np.testing.assert_allclose(own[0], (5, 5, 105), atol=1e-9)
    np.testing.assert_allclose(own[-1], (65, 35, 125), atol=1e-9)


def test_grid_at_rebuilds_a_grid_from_its_corner():
    grid = planted(3, rotation=200.0, origin=(12.0, 7.0))
    again = grid_at(
        south_west(grid), spacing_of(grid), (3, 4, 7), rotation=200.0, origin=(12.0, 7.0)
    )
    check_same_grid(grid, again)


def test_rotation_is_kept_between_0_and_360():
    assert make_grid((0, 10, 0, 10), 5, rotation=-90).attrs["rotation"] == 270
    assert "rotation" not in make_grid((0, 10, 0, 10), 5, rotation=360).attrs


def test_values_of_a_layer_run_east_then_north_then_up():
    grid = planted(3)
    assert float(grid["plane"].sel(easting=65, northing=5, elevation=105)) == 65 + 50 + 10500
    assert float(grid["plane"].sel(easting=5, northing=35, elevation=125)) == 5 + 350 + 12500


def test_layers_keep_type_and_attrs_and_the_input_is_not_changed():
    grid = make_grid((0, 20, 0, 10), 10)
    filled = add_layer(grid, "Au", np.array([1, 2], np.int16), units="ppb", long_name="Gold")
    assert not grid.data_vars
    assert filled["Au"].dtype == np.int16
    assert filled["Au"].attrs == {"units": "ppb", "long_name": "Gold"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"region": (10, 0, 0, 10)}, "Region .* must run upwards"),
        ({"region": (0, 10, 0)}, "Region .* must be 4 finite numbers"),
        ({"region": (0, math.nan, 0, 10)}, "Region .* must be 4 finite numbers"),
        ({"spacing": 0}, "Spacing .* must be positive"),
        ({"spacing": (1, 2, 3)}, r"Spacing \(northing, easting\) must be 2 finite numbers"),
        ({"spacing": 1e-9}, "would have .* cells"),
        ({"elevations": (10, 10)}, "Elevations .* must run upwards"),
        ({"rotation": math.inf}, "Rotation must be a finite angle"),
        ({"rotation": "north"}, "Rotation must be a finite angle"),
        ({"rotation": 5, "origin": (0,)}, "Origin must be 2 finite numbers"),
        ({"crs": "EPSG:4326"}, "counts degrees"),
        ({"crs": "EPSG:99999999"}, "must be one that pyproj knows"),
    ],
)
def test_a_grid_that_cannot_be_made_says_why(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_grid(**{"region": (0, 100, 0, 100), "spacing": 10} | arguments)


def test_a_crs_of_another_kind_is_a_type_error():
    with pytest.raises(TypeError, match="must be a text such as"):
        make_grid((0, 10, 0, 10), 5, crs=3.5)


def test_a_crs_object_becomes_text():
    pyproj = pytest.importorskip("pyproj")
    grid = make_grid((0, 10, 0, 10), 5, crs=pyproj.CRS("EPSG:32719"))
    assert grid.attrs["crs"] == "EPSG:32719"


# Checks


def test_swapped_dims_and_descending_axes_are_put_right():
    grid = planted(3)
    messy = grid.isel(northing=slice(None, None, -1)).transpose("easting", "elevation", "northing")
    before = messy.copy(deep=True)
    put_right = check_grid(messy)
    xr.testing.assert_identical(put_right, grid)
    assert put_right["plane"].dims == ("elevation", "northing", "easting")
    xr.testing.assert_identical(messy, before)


def test_scalar_coordinates_of_a_chosen_level_are_dropped():
    level = check_grid(planted(3).isel(elevation=1))
    assert set(level.coords) == {"northing", "easting"}


def broken_grids():
    grid = planted(3)
    flat = planted(2)
    east = grid["easting"].values.copy()
    crooked = east.copy()
    crooked[3] += 1.0
    holed = np.where(np.arange(7) == 2, np.nan, east)
    yield grid.drop_vars("easting"), "has no coordinates along easting"
    yield grid.assign_coords(easting=crooked), "irregular along easting: 36 at place 3"
    yield grid.assign_coords(easting=holed), "finite coordinates along easting"
    yield grid.assign_coords(easting=np.full(7, 5.0)), "irregular along easting"
    yield grid.assign_coords(easting=list("abcdefg")), "of type <U1"
    yield grid.rename(easting="x", northing="y"), r"Rename them: grid.rename\({'y': 'northing'"
    yield flat.expand_dims(band=[1]), "select one place of every other dim"
    yield flat.isel(northing=0), "must have the dims"
    yield grid.assign(flat=flat["plane"]), "layer 'flat' with dims"
    yield grid.assign(rock=grid["plane"].astype(str)), "layers hold numbers"
    yield grid.assign_attrs(rotation="askew"), "Rotation must be a finite angle"
    yield grid.assign_attrs(rotation=3.0, origin=[1.0]), "Origin .* must be 2 finite numbers"
    yield grid.assign_attrs(crs="EPSG:4326"), "counts degrees"
    yield grid.isel(easting=slice(0, 0)), "finite coordinates along easting, got 0"


@pytest.mark.parametrize(("grid", "message"), list(broken_grids()))
def test_what_is_no_grid_says_why(grid, message):
    with pytest.raises(ValueError, match=message):
        check_grid(grid)


def test_one_cell_needs_its_size_noted():
    grid = planted(2).isel(easting=slice(0, 1))
    assert spacing_of(check_grid(grid)) == (10, 10)
    bare = grid.assign_coords(easting=("easting", [5.0]))
    with pytest.raises(ValueError, match="one cell along easting and its size is None"):
        check_grid(bare)


def test_single_precision_coordinates_are_regular_enough():
    grid = planted(2, region=(500_000, 500_700, 6_000_000, 6_000_400))
    single = grid.assign_coords({a: grid[a].astype(np.float32) for a in ("easting", "northing")})
    check_grid(single)
    shifted = grid.assign_coords(
        easting=grid["easting"] + np.array([0, 0.05, 0, 0, 0, 0] * 11 + [0] * 4)
    )
    with pytest.raises(ValueError, match="irregular"):
        check_grid(shifted)


def test_arrays_and_numbers_of_dims_are_refused():
    grid = planted(2)
    with pytest.raises(TypeError, match="two brackets"):
        check_grid(grid["plane"])
    with pytest.raises(TypeError, match="got ndarray"):
        check_grid(grid["plane"].values)
    with pytest.raises(ValueError, match="must be 3D, got 2D"):
        check_grid(grid, n_dims=3)
    with pytest.raises(ValueError, match=r"must be 2D, got 3D .*Select a level"):
        check_grid(planted(3), n_dims=2)


def test_a_layer_of_another_shape_is_refused():
    grid = make_grid((0, 20, 0, 10), 10)
    with pytest.raises(ValueError, match=r"shape \(3,\) for a grid of \(1, 2\)"):
        add_layer(grid, "Au", [1, 2, 3])
    with pytest.raises(ValueError, match="layers hold numbers"):
        add_layer(grid, "rock", ["a", "b"])


def test_a_layer_of_xarray_goes_to_its_own_cells():
    grid = planted(2, region=(0, 40, 0, 40))
    layer = grid["plane"]
    for messy in (layer.transpose(), layer[::-1], layer[:, ::-1].transpose()):
        np.testing.assert_array_equal(add_layer(grid, "again", messy)["again"], layer)
    with pytest.raises(ValueError, match="lies on other cells than the grid along easting"):
        add_layer(grid, "again", layer.assign_coords(easting=layer["easting"] + 10))
    with pytest.raises(ValueError, match="lies on other cells"):
        add_layer(grid, "again", layer[:3])


def test_differences_between_grids_are_named():
    grid = planted(2)
    for other, message in (
        (planted(2, spacing=5), r"shape \(4, 7\) against \(8, 14\)"),
        (planted(2, rotation=10), "rotation 0° against 10°"),
        (planted(2, region=(1, 71, 0, 40)), "corners 1 m apart"),
        (planted(2, crs="EPSG:32650"), None),
    ):
        assert same_grid(grid, other) is (message is None)
        if message:
            with pytest.raises(ValueError, match=message):
                check_same_grid(grid, other)
    with pytest.raises(ValueError, match="CRS EPSG:32651 against EPSG:32650"):
        check_same_grid(planted(2, crs=32651), planted(2, crs=32650))
    one = planted(2, rotation=30, origin=(0, 0))
    moved = grid_at(south_west(one), spacing_of(one), (4, 7), rotation=30, origin=(50, 50))
    with pytest.raises(ValueError, match=r"coordinates along northing .* apart"):
        check_same_grid(one, moved)


# Tables


@given(
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    rotation=st.sampled_from([0.0, 17.5, 90.0, 301.0]),
    seed=st.integers(0, 2**31),
    n_dims=st.sampled_from([2, 3]),
)
@settings(max_examples=40, deadline=None)
def test_a_grid_survives_a_shuffled_table(shape, rotation, seed, n_dims):
    shape = shape[-n_dims:]
    spacing = (2.5, 10.0, 20.0)[-n_dims:]
    corner = (400_000.0, 5_000_000.0, -55.0)[:n_dims]
    grid = grid_at(corner, spacing, shape, rotation=rotation)
    grid = add_layer(grid, "plane", plane(cell_centres(grid)))
    table = grid_to_table(grid).sample(frac=1, random_state=seed)
    again = table_to_grid(
        table, spacing=spacing, rotation=rotation, origin=grid.attrs.get("origin"), n_dims=n_dims
    )
    check_same_grid(grid, again)
    np.testing.assert_allclose(again["plane"], grid["plane"])


def test_spacing_is_found_from_rounded_coordinates():
    grid = planted(2, region=(0, 100, 0, 50), spacing=10 / 3)
    table = grid_to_table(grid).round({"easting": 3, "northing": 3})
    again = table_to_grid(table.rename(columns={"easting": "UTM_E", "northing": "UTM_N (m)"}))
    assert spacing_of(again) == pytest.approx((10 / 3, 10 / 3), rel=1e-4)
    np.testing.assert_array_equal(again["plane"], grid["plane"])


def test_words_become_codes_and_words_again():
    table = pd.DataFrame({"x": [5, 15, 25], "y": [5, 5, 5], "rock": ["tuff", None, "shale"]})
    grid = table_to_grid(table, spacing=10)
    assert grid["rock"].attrs["categories"] == ["shale", "tuff"]
    np.testing.assert_array_equal(grid["rock"].values, [[1, np.nan, 0]])
    words = grid_to_table(grid)["rock"]
    assert words.isna().tolist() == [False, True, False]
    assert words.dropna().tolist() == ["tuff", "shale"]


def test_the_height_of_a_surface_is_a_layer():
    points = pd.DataFrame({"X": [5, 15, 5, 15], "Y": [5, 5, 15, 15], "Z": [1.0, 2, 3, 4]})
    surface = table_to_grid(points)
    np.testing.assert_array_equal(surface["Z"].values, [[1, 2], [3, 4]])
    assert not table_to_grid(points.assign(Z=7.0)).data_vars  # a plane at one elevation


def test_missing_and_duplicate_cells_are_named():
    table = grid_to_table(planted(2)).astype({"plane": int})
    with pytest.raises(ValueError, match=r"misses 1 of 28 cells, first at \[\(25.0, 5.0\)\]"):
        table_to_grid(table.drop(index=2))
    filled = table_to_grid(table.drop(index=2), missing="nan")
    assert np.isnan(filled["plane"].sel(easting=25, northing=5))
    assert int(np.isnan(filled["plane"]).sum()) == 1
    with pytest.raises(ValueError, match=r"fills 1 cells more than once, first by row 4, 30"):
        table_to_grid(pd.concat([table, table.iloc[[2]]]))


def test_points_that_are_no_grid_are_refused():
    rng = np.random.default_rng(1)
    points = pd.DataFrame(rng.uniform(0, 100, (50, 2)), columns=["x", "y"])
    with pytest.raises(ValueError, match="holds no regular grid"):
        table_to_grid(points)
    turned = grid_to_table(planted(2, rotation=20))
    with pytest.raises(ValueError, match=r"no regular grid.*rotation="):
        table_to_grid(turned)
    moved = grid_to_table(planted(2))
    moved.loc[9, "easting"] += 2
    with pytest.raises(ValueError, match=r"1 rows lie off .* the worst row 11 at 27"):
        table_to_grid(moved, spacing=10)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ({"x": [], "y": []}, {}, "has no rows"),
        ({"a": [1], "y": [1]}, {}, "no column for easting; it has a, y"),
        ({"x": [1, "b"], "y": [1, 2]}, {}, "no coordinate in column 'x' in 1 rows, first row 3"),
        ({"x": [1, 2], "y": [1, 1]}, {}, "one coordinate only along northing"),
        ({"x": [1, 2], "y": [1, 2]}, {"layers": ["Au"]}, "no column 'Au'"),
        ({"x": [1, 2], "y": [1, 2]}, {"easting": "E"}, "no column 'E' for easting"),
        ({"x": [1, 2], "y": [1, 2]}, {"n_dims": 3}, "no column of elevations"),
        ({"x": [1, 2], "y": [1, 2]}, {"missing": "zero"}, "missing must be one of"),
    ],
)
def test_a_table_that_is_no_grid_says_why(table, options, message):
    with pytest.raises(ValueError, match=message):
        table_to_grid(pd.DataFrame(table), **options)


def test_empty_cells_can_be_left_out_and_unknown_layers_are_named():
    grid = add_layer(make_grid((0, 30, 0, 10), 10), "Au", [1.0, np.nan, 3.0])
    assert grid_to_table(grid, drop_empty=True)["easting"].tolist() == [5, 25]
    with pytest.raises(ValueError, match=r"no layer 'Ag'; it has Au"):
        grid_to_table(grid, ["Ag"])


# Resampling


@pytest.mark.parametrize("n_dims", [2, 3])
@pytest.mark.parametrize("turns", [(0, 0), (0, 35), (35, 0), (35, 80)])
def test_linear_alignment_is_exact_for_a_plane(n_dims, turns):
    source = planted(n_dims, rotation=turns[0], region=(0, 300, 0, 300), origin=(150, 150))
    target = make_grid(
        (100, 200, 100, 200), 7, elevations=(105, 125) if n_dims == 3 else None,
        rotation=turns[1], origin=(150, 150),
    )  # fmt: skip
    aligned = align_grids(source, target)
    np.testing.assert_allclose(aligned["plane"].values.ravel(), plane(cell_centres(target)))
    assert aligned["plane"].attrs == {"units": "ppm"}
    assert same_grid(aligned, target)


def test_nothing_is_extrapolated():
    source = planted(2)
    target = make_grid((-20, 90, 0, 40), 10)
    for method in ("linear", "nearest", "mean"):
        aligned = align_grids(source, target, method=method)["plane"]
        assert np.isnan(aligned.values[:, [0, 1, -2, -1]]).all()
        np.testing.assert_allclose(aligned.values[:, 2:-2], source["plane"].values)


def test_a_missing_neighbour_makes_linear_values_missing_but_not_on_the_centre():
    values = np.arange(28.0).reshape(4, 7)
    values[1, 3] = np.nan
    source = add_layer(make_grid((0, 70, 0, 40), 10), "v", values)
    shifted = align_grids(source, make_grid((5, 65, 0, 40), 10))["v"].values
    assert np.isnan(shifted[1, 2:4]).all()
    assert np.isfinite(np.delete(shifted[1], [2, 3])).all()
    onto = align_grids(source, make_grid((10, 60, 0, 40), 10))["v"].values
    np.testing.assert_array_equal(onto, values[:, 1:6])


def test_mean_over_larger_cells_is_the_mean_of_the_small_ones():
    rng = np.random.default_rng(0)
    fine = add_layer(make_grid((0, 80, 0, 40), 10), "v", rng.normal(size=(4, 8)))
    coarse = align_grids(fine, make_grid((0, 80, 0, 40), 20), method="mean")["v"].values
    np.testing.assert_allclose(coarse, fine["v"].values.reshape(2, 2, 4, 2).mean(axis=(1, 3)))


def test_codes_and_flags_are_taken_by_the_nearest_cell():
    grid = make_grid((0, 40, 0, 10), 10)
    grid = add_layer(grid, "rock", [0, 1, 1, 0])
    grid["rock"].attrs["categories"] = ["a", "b"]
    grid = add_layer(grid, "flag", [True, False, False, True])
    aligned = align_grids(grid, make_grid((0, 40, 0, 10), 4))
    assert set(np.unique(aligned["rock"])) == {0, 1}
    assert aligned["flag"].dtype == bool


def test_the_same_cells_come_back_untouched():
    grid = planted(3)
    xr.testing.assert_identical(align_grids(grid, grid), grid)


def test_alignment_refuses_other_crs_and_dims():
    with pytest.raises(ValueError, match="grid is in EPSG:32650, the target in EPSG:32651"):
        align_grids(planted(2, crs=32650), planted(2, crs=32651))
    with pytest.raises(ValueError, match="A 2D grid cannot be aligned with a 3D one"):
        align_grids(planted(2), planted(3))
    with pytest.raises(ValueError, match="method must be one of"):
        align_grids(planted(2), planted(2), method="cubic")
    assert align_grids(planted(2, crs=32650), planted(2)).attrs["crs"] == "EPSG:32650"


@pytest.mark.parametrize("n_dims", [2, 3])
def test_turned_axes_cover_the_same_ground(n_dims):
    grid = planted(n_dims, region=(0, 200, 0, 100))
    turned = rotate_grid(grid, 40)
    assert turned.attrs["rotation"] == 40
    values = turned["plane"].values.ravel()
    truth = plane(cell_centres(turned))
    inner = np.isfinite(values)
    centres = cell_centres(turned)
    deep = ((centres[:, :2] >= 5) & (centres[:, :2] <= (195, 95))).all(axis=1)
    np.testing.assert_allclose(values[deep], truth[deep])
    assert inner.sum() * cell_volume(turned) == pytest.approx(
        grid["plane"].size * cell_volume(grid), rel=0.06
    )
    back = rotate_grid(turned, 0)
    assert "rotation" not in back.attrs
    assert region_of(back)[0] <= 0
    assert region_of(back)[1] >= 200


def test_crop_keeps_the_cells_whose_centres_lie_inside():
    grid = planted(3)
    part = crop(grid, (10, 40, 0, 20), elevations=(110, 130))
    assert region_of(part) == (10, 40, 0, 20)
    assert part["elevation"].values.tolist() == [115, 125]
    one = crop(planted(2), (10, 20, 10, 20))
    assert spacing_of(one) == (10, 10)
    with pytest.raises(
        ValueError, match=r"No cell centre lies in region .* \(0.0, 70.0, 0.0, 40.0\)"
    ):
        crop(grid, (500, 600, 0, 10))
    with pytest.raises(ValueError, match="must be 3D"):
        crop(planted(2), elevations=(0, 10))


def test_crop_of_a_turned_grid_holds_all_cells_inside():
    grid = planted(2, rotation=30, region=(0, 300, 0, 300))
    part = crop(grid, (100, 150, 50, 120))
    centres = cell_centres(grid)
    inside = ((centres >= (100, 50)) & (centres <= (150, 120))).all(axis=1)
    kept = {tuple(p) for p in cell_centres(part).round(6)}
    assert {tuple(p) for p in centres[inside].round(6)} <= kept
    assert part["plane"].size < grid["plane"].size


# Masks


def test_masks_by_distance_in_plan_and_in_space():
    grid = planted(3)
    in_space = grid_mask(grid, points=[(5, 5, 105)], distance=10)
    assert int(in_space.sum()) == 4  # itself and one neighbour along each axis
    in_plan = grid_mask(grid, points=[(5, 5)], distance=10)
    assert int(in_plan.sum()) == 9


def test_mask_below_the_topography():
    grid = planted(3)
    ground = make_grid((0, 70, 0, 40), 5)
    ground = add_layer(ground, "z", 100 + cell_centres(ground)[:, 0] * 30 / 70)
    keep = grid_mask(grid, topography=ground).values
    centres = cell_centres(grid)
    expected = centres[:, 2] <= 100 + centres[:, 0] * 30 / 70
    np.testing.assert_array_equal(keep.ravel(), expected)
    half = mask_grid(ground, ground["z"].values > 115)
    with pytest.warns(GossanWarning, match="unknown over 16 of 28 columns of cells"):
        keep = grid_mask(grid, topography=half).values
    assert not keep[:, :, :3].any()
    with pytest.warns(GossanWarning, match="unknown over 12 of 28 columns of cells"):
        keep = grid_mask(grid, topography=crop(ground, (0, 40, 0, 40))).values
    np.testing.assert_array_equal(
        keep[:, :, :4].ravel(), expected.reshape(-1, 4, 7)[..., :4].ravel()
    )
    assert not keep[:, :, 4:].any()
    with pytest.raises(ValueError, match="Topography must have one layer"):
        grid_mask(grid, topography=add_layer(ground, "other", ground["z"]))
    with pytest.raises(ValueError, match="must be 3D"):
        grid_mask(planted(2), topography=ground)


def test_mask_inside_a_polygon_in_true_coordinates():
    shapely = pytest.importorskip("shapely")
    triangle = shapely.Polygon([(0, 0), (70, 0), (0, 40)])
    for rotation in (0, 25):
        grid = planted(3, rotation=rotation)
        keep = grid_mask(grid, polygon=triangle).values.ravel()
        x, y, _ = cell_centres(grid).T
        np.testing.assert_array_equal(keep, (x > 0) & (y > 0) & (x / 70 + y / 40 < 1))
    with pytest.raises(ValueError, match="needs polygons, got Point"):
        grid_mask(grid, polygon=shapely.Point(1, 1))
    bowtie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.raises(ValueError, match="1 polygons of the mask are invalid, first number 0"):
        grid_mask(grid, polygon=bowtie)


def test_a_polygon_of_another_crs_is_refused():
    geopandas = pytest.importorskip("geopandas")
    shapely = pytest.importorskip("shapely")
    area = geopandas.GeoSeries([shapely.box(0, 0, 30, 30)], crs=32651)
    with pytest.raises(ValueError, match="polygon is in EPSG:32651, the grid in EPSG:32650"):
        grid_mask(planted(2, crs=32650), polygon=area)
    assert int(grid_mask(planted(2, crs=32651), polygon=area).sum()) == 9


def test_masked_cells_are_missing_in_every_layer():
    grid = add_layer(planted(2), "code", np.arange(28))
    grid = add_layer(grid, "flag", np.arange(28) > 3)
    masked = mask_grid(grid, points=[(5, 5)], distance=1)
    for name in ("plane", "code", "flag"):
        assert masked[name].dtype.kind == "f"
        assert int(np.isfinite(masked[name]).sum()) == 1
    assert masked["plane"].attrs == {"units": "ppm"}
    assert grid["code"].dtype.kind == "i"


def test_masks_say_what_is_wrong():
    grid = planted(2)
    with pytest.raises(ValueError, match="needs a condition"):
        grid_mask(grid)
    with pytest.raises(ValueError, match="needs a condition"):
        mask_grid(grid)
    with pytest.raises(ValueError, match="no points"):
        grid_mask(grid, distance=5)
    with pytest.raises(ValueError, match="distance=None"):
        grid_mask(grid, points=[(1, 1)])
    with pytest.raises(ValueError, match=r"distance=-1"):
        grid_mask(grid, points=[(1, 1)], distance=-1)
    with pytest.raises(ValueError, match=r"got shape \(2,\)"):
        grid_mask(grid, points=[1, 1], distance=1)
    with pytest.raises(ValueError, match="at least one"):
        grid_mask(grid, points=np.empty((0, 2)), distance=1)
    with pytest.raises(ValueError, match=r"must be Boolean of shape \(4, 7\)"):
        mask_grid(grid, np.ones((4, 7)))
    with pytest.warns(GossanWarning, match="No cell of the grid meets"):
        grid_mask(grid, points=[(1e6, 1e6)], distance=1)
