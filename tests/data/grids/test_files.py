"""Grids through files: nothing is turned over, nothing is lost, in any format, 2D and 3D."""

import json
import re
import struct
import sys
import warnings
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gossan._checks import GossanWarning
from gossan.data.grids._axes import rotation_of
from gossan.data.grids.files import read_grid, write_grid
from gossan.data.grids.grid import (
    add_layer,
    cell_centres,
    check_grid,
    check_same_grid,
    grid_difference,
    make_grid,
    region_of,
)
from gossan.data.grids.polydata import read_points, write_points

NEEDS = {".tif": "rasterio", ".omf": "omf", ".zarr": "zarr"}
FORMATS = [".tif", ".vti", ".csv", ".omf", ".parquet", ".zarr"]
ROTATIONS = [0.0, 30.0, 200.0]
EVERY = pytest.mark.parametrize("ending", FORMATS)
EVERY_SHAPE = pytest.mark.parametrize("n_dims", [2, 3])
EVERY_TURN = pytest.mark.parametrize("rotation", ROTATIONS)
EAST, NORTH, UP = 1.0, 1e3, 1e6  # what the planted value grows by, a metre each way
ORIGIN = np.array([500_000.0, 6_000_000.0, 0.0])


def need(ending):
    if ending in NEEDS:
        pytest.importorskip(NEEDS[ending])


def gradient(points):
    """Return the planted value at true places, shape (n, 2 or 3)."""
    n_dims = points.shape[1]
    return (points - ORIGIN[:n_dims]) @ np.array([EAST, NORTH, UP])[:n_dims]


def planted(n_dims=2, rotation=0.0):
    """Return a grid with a gradient, missing values, words, flags, units and a long name."""
    grid = make_grid(
        (500_000, 500_070, 6_000_000, 6_000_040), (5, 10, 10)[-n_dims:],
        elevations=(100, 115) if n_dims == 3 else None, crs="EPSG:32650", rotation=rotation,
        origin=(500_020, 6_000_010),
    )  # fmt: skip
    values = gradient(cell_centres(grid))
    n = len(values)
    grid = add_layer(grid, "gradient", values, units="ppm", long_name="Gradient of place")
    holed = np.arange(n, dtype=np.float32)
    holed[[0, 3]] = np.nan
    grid = add_layer(grid, "Au, of a name longer than 24", holed, units="ppb")
    grid = add_layer(grid, "rock", np.arange(n) % 3)
    grid["rock"].attrs["categories"] = ["shale", "granite", "tuff"]
    return add_layer(grid.assign_attrs(title="planted"), "flag", np.arange(n) % 2 == 0)


def round_trip(grid, path, **options):
    assert write_grid(grid, path, **options) == path
    return read_grid(path)


# Both ways


@EVERY
@EVERY_SHAPE
@EVERY_TURN
def test_a_grid_comes_back_as_it_was(tmp_path, ending, n_dims, rotation):
    need(ending)
    grid = planted(n_dims, rotation)
    before = grid.copy(deep=True)
    again = round_trip(grid, tmp_path / f"grid{ending}")
    assert grid_difference(grid, again) == ""
    assert again.attrs == grid.attrs
    for axis in grid.sizes:  # bit by bit, so that layers of both can be joined
        np.testing.assert_array_equal(again[axis].values, grid[axis].values)
    assert list(again.data_vars) == list(grid.data_vars)
    for name, layer in grid.data_vars.items():
        assert again[name].dtype == layer.dtype, name
        assert again[name].attrs == layer.attrs, name
        np.testing.assert_array_equal(again[name].values, layer.values)
    xr.testing.assert_identical(grid, before)
    assert not list(tmp_path.glob(".*"))


@EVERY
@EVERY_SHAPE
@EVERY_TURN
def test_the_value_is_right_at_each_true_place(tmp_path, ending, n_dims, rotation):
    need(ending)
    again = round_trip(planted(n_dims, rotation), tmp_path / f"grid{ending}")
    expected = gradient(cell_centres(again))
    np.testing.assert_allclose(again["gradient"].values.ravel(), expected, atol=1e-2)
    assert rotation_of(again) == pytest.approx(rotation)


@EVERY
def test_a_grid_of_one_cell_and_no_crs_comes_back(tmp_path, ending):
    need(ending)
    grid = make_grid((-30, -20, -5, 15), (3, 20, 10), elevations=(-9, -6))
    grid = add_layer(grid, "Au", [1.5])
    again = round_trip(grid, tmp_path / f"one{ending}")
    check_same_grid(grid, again)
    assert "crs" not in again.attrs
    assert float(again["Au"].squeeze()) == 1.5


@EVERY
def test_a_lazy_and_messy_grid_is_written_too(tmp_path, ending):
    need(ending)
    pytest.importorskip("dask")
    grid = planted(3)
    lazy = grid.isel(northing=slice(None, None, -1)).transpose("easting", ...).chunk(easting=3)
    again = round_trip(lazy, tmp_path / f"lazy{ending}")
    xr.testing.assert_equal(again["gradient"], grid["gradient"])


@EVERY
def test_layers_are_chosen_and_an_old_file_is_replaced(tmp_path, ending):
    need(ending)
    path = tmp_path / f"grid{ending}"
    write_grid(planted(2), path)
    write_grid(planted(3), path)
    chosen = read_grid(path, layers=["rock"])
    assert list(chosen.data_vars) == ["rock"]
    assert len(chosen.sizes) == 3
    with pytest.raises(ValueError, match="no layer 'Ag'"):
        read_grid(path, layers=["Ag"])


# Against the formats' own readers


@EVERY_SHAPE
@EVERY_TURN
@pytest.mark.parametrize("cog", [False, True])
def test_rasterio_samples_the_right_value_at_a_place(tmp_path, n_dims, rotation, cog):
    rasterio = pytest.importorskip("rasterio")
    grid = planted(n_dims, rotation)
    path = write_grid(grid, tmp_path / "grid.tif", cog=cog)
    centres = cell_centres(grid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of affine, inside rasterio
        with rasterio.open(path) as file:
            assert file.crs.to_epsg() == 32650
            assert file.units[0] == "ppm"
            sampled = np.array(list(file.sample(centres[:, :2])))
            titles = file.descriptions
            if rotation == 0:
                assert file.transform.e < 0
                assert tuple(file.bounds) == (500_000, 6_000_000, 500_070, 6_000_040)
    if n_dims == 2:
        assert titles[0] == "gradient"
        np.testing.assert_allclose(sampled[:, 0], gradient(centres), atol=1e-6)
        return
    assert titles[:3] == ("gradient @ 102.5 m", "gradient @ 107.5 m", "gradient @ 112.5 m")
    level = ((centres[:, 2] - 102.5) / 5).astype(int)
    value = sampled[np.arange(len(centres)), level]
    np.testing.assert_allclose(value, gradient(centres), atol=1e-6)


def parse_vti(path):
    """Read image data by the letter of the format: XML by ElementTree, raw arrays by struct."""
    data = path.read_bytes()
    start = data.index(b"_", data.index(b"<AppendedData")) + 1
    root = ET.fromstring(data[: data.index(b"<AppendedData")] + b"</VTKFile>")  # noqa: S314
    image = root.find("ImageData")
    numbers = {key: [float(x) for x in image.get(key).split()] for key in
               ("WholeExtent", "Origin", "Spacing", "Direction")}  # fmt: skip
    arrays = {}
    for element in image.find("Piece/CellData"):
        place = start + int(element.get("offset"))
        (length,) = struct.unpack("=Q", data[place : place + 8])
        kind = {"Float64": "f8", "Float32": "f4", "Int64": "i8", "UInt8": "u1"}[element.get("type")]
        arrays[element.get("Name")] = np.frombuffer(data[place + 8 : place + 8 + length], kind)
    return root, numbers, arrays


@EVERY_SHAPE
@EVERY_TURN
def test_a_vti_holds_each_value_at_its_place(tmp_path, n_dims, rotation):
    path = write_grid(planted(n_dims, rotation), tmp_path / "grid.vti")
    root, numbers, arrays = parse_vti(path)
    assert root.attrib["type"] == "ImageData"
    assert (
        root.attrib["byte_order"] == {"little": "LittleEndian", "big": "BigEndian"}[sys.byteorder]
    )
    extent = np.array(numbers["WholeExtent"]).reshape(3, 2)
    counts = np.maximum(extent[:, 1] - extent[:, 0], 1).astype(int)  # cells along x, y, z
    values = arrays["gradient"]
    assert len(values) == counts.prod()
    direction = np.array(numbers["Direction"]).reshape(3, 3)
    for place, value in enumerate(values):
        i = place % counts[0]
        j = place // counts[0] % counts[1]
        k = place // (counts[0] * counts[1])
        steps = (np.array([i, j, k]) + 0.5) * numbers["Spacing"]
        point = np.array(numbers["Origin"]) + direction @ steps
        assert value == pytest.approx(gradient(point[None, :n_dims])[0], abs=1e-3)


@EVERY_SHAPE
def test_omf_holds_each_value_at_its_place(tmp_path, n_dims):
    omf = pytest.importorskip("omf")
    path = write_grid(planted(n_dims, 30.0), tmp_path / "model.omf")
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore", DeprecationWarning)
        element = omf.OMFReader(file).get_project().elements[0]
        body = element.geometry
        sides = [np.array(body.tensor_u), np.array(body.tensor_v)]
        axes = [np.array(body.axis_u), np.array(body.axis_v)]
        if n_dims == 3:
            sides.append(np.array(body.tensor_w))
            axes.append(np.array(body.axis_w))
        values = np.array(element.data[0].array.array)
        origin = np.array(body.origin, dtype=float)
    assert element.name == "model"
    shape = [len(side) for side in sides]
    # Volumes run along w fastest, grid surfaces along u fastest.
    cube = values.reshape(shape, order="C" if n_dims == 3 else "F")
    for place in np.ndindex(*shape):
        steps = [side[:p].sum() + side[p] / 2 for side, p in zip(sides, place, strict=True)]
        point = origin + sum(step * axis for step, axis in zip(steps, axes, strict=True))
        assert cube[place] == pytest.approx(gradient(point[None, :n_dims])[0], abs=1e-3)


@EVERY_SHAPE
@EVERY_TURN
def test_a_block_model_is_a_plain_table(tmp_path, n_dims, rotation):
    path = write_grid(planted(n_dims, rotation), tmp_path / "model.csv")
    lines = path.read_text().splitlines()
    assert lines[0] == "XC,YC,ZC,XINC,YINC,ZINC,gradient,Au_of_a_name_longer_than,rock,flag"
    assert all(len(name) <= 24 for name in lines[0].split(","))
    table = pd.read_csv(path)
    points = table[["XC", "YC", "ZC"][:n_dims]].to_numpy()
    np.testing.assert_allclose(table["gradient"], gradient(points), atol=1.0)
    assert (table[["XINC", "YINC", "ZINC"]] == [10, 10, 5 if n_dims == 3 else 0]).all(axis=None)
    assert table["rock"].tolist()[:4] == ["shale", "granite", "tuff", "shale"]
    assert lines[1].split(",")[7] == ""  # missing is an empty cell


@EVERY_SHAPE
def test_parquet_is_a_plain_table(tmp_path, n_dims):
    path = write_grid(planted(n_dims, 30.0), tmp_path / "grid.parquet")
    table = pd.read_parquet(path)
    points = table[["easting", "northing", "elevation"][:n_dims]].to_numpy()
    np.testing.assert_allclose(table["gradient"], gradient(points), atol=1e-3)


def test_a_zarr_store_opens_in_xarray_and_stays_lazy(tmp_path):
    pytest.importorskip("zarr")
    pytest.importorskip("dask")
    grid = planted(3)
    path = write_grid(grid, tmp_path / "grid.zarr", chunks={"elevation": 1, "easting": 4})
    found = xr.open_zarr(path, consolidated=False)
    assert found["gradient"].chunks == ((1, 1, 1), (4,), (4, 3))
    value = found["gradient"].sel(easting=500_065, northing=6_000_005, elevation=102.5)
    assert float(value) == 65 * EAST + 5 * NORTH + 102.5 * UP
    lazy = read_grid(path, chunks={"elevation": 1})
    assert lazy["gradient"].chunks is not None
    write_grid(lazy, path)  # onto itself
    xr.testing.assert_equal(read_grid(path)["gradient"], grid["gradient"])


# Files of others


def write_tiff(path, bands, **profile):
    rasterio = pytest.importorskip("rasterio")
    count, height, width = bands.shape
    settings = {"driver": "GTiff", "dtype": bands.dtype, "count": count, "height": height}
    with rasterio.open(path, "w", **settings, width=width, **profile) as file:
        file.write(bands)
    return path


def test_nodata_of_a_foreign_geotiff_is_missing(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    bands = np.array([[[1, 2], [3, -9999]], [[5, 6], [7, 8]]], dtype=np.int16)
    transform = rasterio.Affine(10, 0, 500_000, 0, -10, 6_000_020)
    path = write_tiff(
        tmp_path / "a.tif", bands, nodata=-9999, transform=transform, crs="EPSG:32650"
    )
    grid = read_grid(path)
    assert list(grid.data_vars) == ["band_1", "band_2"]
    np.testing.assert_array_equal(grid["band_1"], [[3, np.nan], [1, 2]])  # south first
    np.testing.assert_array_equal(grid["band_2"], [[7, 8], [5, 6]])
    assert grid.attrs["crs"] == "EPSG:32650"


def test_a_raster_that_starts_in_the_south_is_read_right_way_up(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    bands = np.arange(6.0).reshape(1, 2, 3)
    path = write_tiff(tmp_path / "a.tif", bands, transform=rasterio.Affine(10, 0, 0, 0, 10, 100))
    grid = read_grid(path, crs=32650)
    assert region_of(grid) == (0, 30, 100, 120)
    np.testing.assert_array_equal(grid["a"], bands[0])  # one band is called as its file
    assert grid.attrs["crs"] == "EPSG:32650"


def test_degrees_are_refused_and_reprojected_when_asked(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    bands = np.zeros((1, 40, 40), dtype=np.float32)
    bands[0] += np.arange(40)[::-1, None]  # grows northwards
    transform = rasterio.Affine(0.01, 0, 116.8, 0, -0.01, -29.8)
    path = write_tiff(tmp_path / "a.tif", bands, transform=transform, crs="EPSG:4326")
    with pytest.raises(ValueError, match=r"a.tif cannot be read.*degrees.*to_crs='EPSG:32750'"):
        read_grid(path)
    grid = read_grid(path, to_crs="EPSG:32750")
    assert grid.attrs["crs"] == "EPSG:32750"
    column = grid["a"].values[:, grid.sizes["easting"] // 2]
    assert (np.diff(column[np.isfinite(column)]) >= 0).all()
    with pytest.raises(ValueError, match="degrees"):
        read_grid(path, crs="EPSG:32750")


def test_reprojection_fills_no_corner_with_zeros(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    bands = np.full((1, 40, 40), 7, dtype=np.uint8)
    transform = rasterio.Affine(0.05, 0, 111.0, 0, -0.05, -29.8)
    path = write_tiff(tmp_path / "a.tif", bands, transform=transform, crs="EPSG:4326")
    values = read_grid(path, to_crs="EPSG:32750")["a"].values
    assert set(values[np.isfinite(values)]) == {7}
    assert np.isnan(values).any()
    write_grid(planted(3), tmp_path / "model.tif")
    with pytest.raises(ValueError, match="block model, which is not reprojected"):
        read_grid(tmp_path / "model.tif", to_crs=32651)


def test_rasters_without_a_place_or_with_shear_are_refused(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    bands = np.zeros((1, 3, 3), dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        path = write_tiff(tmp_path / "a.tif", bands)
    with pytest.raises(
        ValueError, match=r"a.tif cannot be read as GeoTIFF: it has no georeference"
    ):
        read_grid(path)
    sheared = rasterio.Affine(10, 5, 0, 0, -10, 0)
    with pytest.raises(ValueError, match="sheared"):
        read_grid(write_tiff(tmp_path / "b.tif", bands, transform=sheared))
    plain = write_tiff(tmp_path / "c.tif", bands, transform=rasterio.Affine(10, 0, 9, 0, -10, 0))
    with pytest.raises(ValueError, match="names no CRS to reproject from"):
        read_grid(plain, to_crs=32650)


def test_a_crs_named_against_the_files_is_refused(tmp_path):
    path = write_grid(planted(2), tmp_path / "grid.vti")
    with pytest.raises(ValueError, match="the file is in EPSG:32650, but crs=EPSG:32651"):
        read_grid(path, crs=32651)
    assert read_grid(path, crs=32650).attrs["crs"] == "EPSG:32650"


# Written by VTK 9.7.2 itself: 3 x 2 x 2 cells with the values 0 ... 11, zlib, inline base64.
VTK_BINARY = """<VTKFile type="ImageData" version="0.1" byte_order="LittleEndian" header_type="UInt32"
 compressor="vtkZLibDataCompressor">
  <ImageData WholeExtent="0 3 0 2 0 2" Origin="1000 2000 50" Spacing="10 20 5"
   Direction="1 0 0 0 1 0 0 0 1">
  <Piece Extent="0 3 0 2 0 2">
    <PointData>
    </PointData>
    <CellData>
      <DataArray type="Float32" Name="v" format="binary" RangeMin="0" RangeMax="11">
        AQAAAAAEAAAwAAAAKAAAAA==eF5jYACBBnsg4QBEQNwAxAuA+AAQPwBiBkcGBgEgVgBiA0cAmKMGpA==
      </DataArray>
    </CellData>
  </Piece>
  </ImageData>
</VTKFile>
"""


def test_a_file_that_vtk_wrote_is_read(tmp_path):
    path = tmp_path / "vtk.vti"
    path.write_text(VTK_BINARY)
    grid = read_grid(path)
    assert region_of(grid) == (1000, 1030, 2000, 2040)
    assert grid["elevation"].values.tolist() == [52.5, 57.5]
    np.testing.assert_array_equal(grid["v"], np.arange(12).reshape(2, 2, 3))


@pytest.mark.parametrize("where", ["PointData", "CellData"])
def test_ascii_image_data_of_points_or_cells_is_read(tmp_path, where):
    values = " ".join(str(i) for i in range(12))
    extent = "0 2 0 1 1 2" if where == "PointData" else "0 3 0 2 1 3"
    path = tmp_path / "a.vti"
    path.write_text(
        f'<VTKFile type="ImageData"><ImageData WholeExtent="{extent}" Origin="100 200 0"'
        f' Spacing="10 10 5"><Piece Extent="{extent}"><{where}><DataArray type="Int32" Name="v"'
        f' format="ascii">{values}</DataArray></{where}></Piece></ImageData></VTKFile>'
    )
    grid = read_grid(path)
    shift = 0 if where == "PointData" else 5
    assert grid["easting"].values.tolist() == [100 + shift, 110 + shift, 120 + shift]
    assert grid["elevation"].values.tolist() == ([5, 10] if where == "PointData" else [7.5, 12.5])
    np.testing.assert_array_equal(grid["v"].values.ravel(), np.arange(12))


def block_table(**more):
    table = pd.DataFrame({"X": [5, 15, 5, 15], "Y": [5, 5, 15, 15], "Z": [2.5] * 4})
    return table.assign(dx=10, dy=10, dz=5, Au=[1.0, -99, 3, 4], **more)


def test_a_block_model_of_other_software_is_read(tmp_path):
    path = tmp_path / "blocks.csv"
    block_table(rock=["a", "b", "b", "a"]).sample(frac=1, random_state=0).to_csv(path, index=False)
    grid = read_grid(path, crs="EPSG:32650")
    assert dict(grid.sizes) == {"elevation": 1, "northing": 2, "easting": 2}
    np.testing.assert_array_equal(grid["Au"].values, [[[1, np.nan], [3, 4]]])
    assert grid["rock"].attrs["categories"] == ["a", "b"]
    kept = read_grid(path, missing_values=[])
    assert kept["Au"].values.min() == -99
    block_table().drop(columns=["Z", "dz", "dx", "dy"]).to_csv(path, index=False)
    assert dict(read_grid(path).sizes) == {"northing": 2, "easting": 2}


def test_blocks_that_are_not_there_are_named_or_left_missing(tmp_path):
    path = tmp_path / "blocks.csv"
    block_table().iloc[:3].to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"blocks.csv cannot be read.*misses 1 of 4 cells"):
        read_grid(path)
    assert np.isnan(read_grid(path, missing="nan")["Au"].values[0, 1, 1])
    block_table(other=1).assign(dx=[10, 5, 5, 10]).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"blocks of 2 sizes in column 'dx' \(10, 5\)"):
        read_grid(path)


def test_a_turned_model_without_its_note_needs_the_turn(tmp_path):
    grid = planted(3, 30.0)
    path = write_grid(grid, tmp_path / "model.csv")
    (tmp_path / "model.csv.json").unlink()
    with pytest.raises(ValueError, match=r"no regular grid.*rotation="):
        read_grid(path)
    again = read_grid(path, rotation=30)
    np.testing.assert_allclose(
        again["gradient"].values.ravel(), gradient(cell_centres(again)), atol=1.0
    )


def test_a_note_of_another_table_is_not_used(tmp_path):
    path = write_grid(planted(2), tmp_path / "blocks.csv")
    block_table().to_csv(path, index=False)  # other software writes over it
    with pytest.warns(GossanWarning, match=r"blocks.csv.json describes another table"):
        grid = read_grid(path)
    assert "crs" not in grid.attrs
    assert list(grid.data_vars) == ["Au"]


def test_cells_spoilt_in_a_spreadsheet_are_found(tmp_path):
    path = write_grid(planted(2)[["gradient", "flag"]], tmp_path / "blocks.csv")
    text = path.read_text()
    for old, new, message in (
        (",5025,", ",none,", "text among the numbers of column 'gradient', row 4"),
        ("500025", "500O25", "no coordinate in column 'XC' in 4 rows"),
        ("500065,6000035,0,10,10,0,", '500065,6000035,0,10,10,0,"', "never closed"),
        ("500065,6000035,", "500065,", "Expected 8 columns, got 7"),
    ):
        assert old in text
        path.write_text(text.replace(old, new))
        with pytest.raises(ValueError, match=f"blocks.csv cannot be read.*{message}"):
            read_grid(path)
    path.write_text(text[:-4])
    with pytest.raises(ValueError, match="cut short in its last row"):
        read_grid(path)


def test_whole_numbers_that_were_edited_into_fractions_stay_so(tmp_path):
    grid = add_layer(make_grid((0, 20, 0, 10), 10), "n", [1, 2])
    path = write_grid(grid, tmp_path / "blocks.csv")
    path.write_text(path.read_text().replace(",2\n", ",2.5\n"))
    assert read_grid(path)["n"].values.tolist() == [[1, 2.5]]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_large_grids_are_written_slab_by_slab(tmp_path, monkeypatch, ending):
    monkeypatch.setattr("gossan.data.grids.blockmodel._CELLS_AT_ONCE", 5)
    grid = planted(3, 30.0)
    rock = grid["rock"].where(grid["elevation"] > 105)  # a level without any word
    grid["rock"] = rock.astype(float).assign_attrs(grid["rock"].attrs)
    again = round_trip(grid, tmp_path / f"grid{ending}")
    for name in grid.data_vars:
        np.testing.assert_array_equal(again[name], grid[name])


def test_empty_blocks_are_left_out_and_come_back_empty(tmp_path):
    grid = planted(3)[["gradient"]]
    grid["gradient"] = grid["gradient"].where(grid["easting"] > 500_020)
    path = write_grid(grid, tmp_path / "model.csv", drop_empty=True)
    assert len(pd.read_csv(path)) == 5 * 4 * 3
    again = read_grid(path)
    check_same_grid(grid, again)
    xr.testing.assert_allclose(again["gradient"], grid["gradient"])


def test_an_omf_project_of_several_grids_needs_a_name(tmp_path):
    omf = pytest.importorskip("omf")
    path = tmp_path / "project.omf"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        elements = [
            omf.VolumeElement(
                name=name,
                geometry=omf.VolumeGridGeometry(
                    tensor_u=np.full(2, 10.0), tensor_v=np.full(3, 10.0),
                    tensor_w=np.full(4, size), origin=[10.0, 20.0, 30.0],
                ),
                data=[omf.ScalarData(name="Au", location="cells", array=np.arange(24.0))],
            )
            for name, size in (("fine", 5.0), ("coarse", 50.0))
        ]  # fmt: skip
        points = omf.PointSetElement(
            name="samples", geometry=omf.PointSetGeometry(vertices=np.zeros((2, 3)))
        )
        project = omf.Project(name="p", elements=[*elements, points], origin=[1000.0, 0.0, 0.0])
        omf.OMFWriter(project, str(path))
    with pytest.raises(ValueError, match="several grids, fine, coarse"):
        read_grid(path)
    with pytest.raises(ValueError, match=r"no grid 'fin'.*Did you mean 'fine'"):
        read_grid(path, element="fin")
    grid = read_grid(path, element="coarse")
    assert region_of(grid) == (1010, 1030, 20, 50)
    assert float(grid["Au"].sel(easting=1015, northing=25, elevation=105)) == 1.0  # up first


# What is refused


@EVERY
def test_a_missing_or_damaged_file_is_named(tmp_path, ending):
    need(ending)
    path = tmp_path / f"grid{ending}"
    with pytest.raises(FileNotFoundError, match=f"no file .*grid{ending}"):
        read_grid(path)
    path.write_bytes(b"this is no grid at all\n")
    with pytest.raises(ValueError, match=re.escape(f"grid{ending} cannot be read as")):
        read_grid(path)


def test_other_endings_options_and_places_are_refused(tmp_path):
    grid = planted(2)
    with pytest.raises(ValueError, match=r"must end in one of .*'a.tiv'.*Did you mean '.vti'"):
        write_grid(grid, tmp_path / "a.tiv")
    with pytest.raises(ValueError, match="must end in one of"):
        read_grid(tmp_path)
    with pytest.raises(TypeError, match="takes cog, got 'chunks'"):
        write_grid(grid, tmp_path / "a.tif", chunks={})
    with pytest.raises(TypeError, match="takes no options, got 'cog'"):
        write_grid(grid, tmp_path / "a.vti", cog=True)
    with pytest.raises(FileNotFoundError, match="no folder"):
        write_grid(grid, tmp_path / "nowhere" / "a.vti")
    with pytest.raises(ValueError, match="no layer to write"):
        write_grid(make_grid((0, 10, 0, 10), 5), tmp_path / "a.vti")
    with pytest.raises(TypeError, match=r"must be an xarray\.Dataset"):
        write_grid(grid["rock"], tmp_path / "a.vti")
    (tmp_path / "b.vti").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        write_grid(grid, tmp_path / "b.vti")
    (tmp_path / "b.zarr").mkdir()
    with pytest.raises(ValueError, match="not one to replace"):
        write_grid(grid, tmp_path / "b.zarr")
    (tmp_path / "c.zarr").touch()
    with pytest.raises(ValueError, match="a Zarr store is a folder"):
        write_grid(grid, tmp_path / "c.zarr")


def test_a_failed_write_leaves_the_old_file_whole(tmp_path):
    path = write_grid(planted(2), tmp_path / "a.vti")
    before = path.read_bytes()
    grid = planted(2)
    grid["bad"] = grid["gradient"].astype(np.longdouble)
    with pytest.raises(ValueError, match=r"a.vti cannot be written: VTK holds no numbers"):
        write_grid(grid, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.vti"]


def test_a_geotiff_holds_so_many_bands_only(tmp_path):
    pytest.importorskip("rasterio")
    grid = make_grid((0, 1, 0, 1), 1, elevations=(0, 65_536))
    with pytest.raises(ValueError, match=r"1 to 65535 bands, got 65536.*vti"):
        write_grid(add_layer(grid, "v", np.zeros(65_536, np.int8)), tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("ending", "module"), [(".tif", "rasterio"), (".omf", "omf"), (".zarr", "zarr")]
)
def test_a_missing_package_is_named(tmp_path, monkeypatch, ending, module):
    for name in [name for name in sys.modules if name.startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, name)  # a part that is loaded would hide what is missing
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install "gossan\['):
        write_grid(planted(2), tmp_path / f"a{ending}")
    path = tmp_path / f"a{ending}"
    path.mkdir() if ending == ".zarr" else path.touch()
    with pytest.raises(ImportError, match=r'pip install "gossan\['):
        read_grid(path)


def test_the_note_beside_a_block_model_may_be_damaged_but_not_silently(tmp_path):
    path = write_grid(planted(2), tmp_path / "model.csv")
    note = tmp_path / "model.csv.json"
    told = json.loads(note.read_text())
    assert told["attrs"]["crs"] == "EPSG:32650"
    note.write_text(note.read_text()[:50])
    with pytest.raises(ValueError, match=r"model.csv cannot be read.*is damaged"):
        read_grid(path)


# Points and lines


def parse_vtp(path):
    """Return the raw arrays of a .vtp by name, texts as bytes."""
    data = path.read_bytes()
    start = data.index(b"_", data.index(b"<AppendedData")) + 1
    root = ET.fromstring(data[: data.index(b"<AppendedData")] + b"</VTKFile>")  # noqa: S314
    arrays = {}
    for element in root.iter():
        if element.tag in ("DataArray", "Array"):
            place = start + int(element.get("offset"))
            (length,) = struct.unpack("=Q", data[place : place + 8])
            arrays[element.get("Name")] = data[place + 8 : place + 8 + length]
    return root.find("PolyData/Piece"), arrays


def traces():
    return pd.DataFrame(
        {
            "hole": ["B", "A", "B", "A", "A"],
            "X": [1.0, 2, 3, 4, 5],
            "Y": [10.0, 20, 30, 40, 50],
            "RL": [0.0, -1, -2, -3, -4],
            "Au": [0.1, np.nan, 0.3, 0.4, 0.5],
            "rock": ["schist", "é", None, "s", "t"],
            "n": [1, 2, 3, 4, 5],
        }
    )


def test_drill_traces_are_lines_through_their_points(tmp_path):
    path = write_points(traces(), tmp_path / "holes.vtp", line="hole", crs=32650)
    piece, arrays = parse_vtp(path)
    assert (piece.get("NumberOfPoints"), piece.get("NumberOfLines")) == ("5", "2")
    points = np.frombuffer(arrays["Points"]).reshape(5, 3)
    np.testing.assert_array_equal(points[:, 0], [1, 3, 2, 4, 5])
    assert np.frombuffer(arrays["offsets"], np.int64).tolist() == [2, 5]
    again = read_points(path)
    assert again["hole"].tolist() == ["B", "B", "A", "A", "A"]
    assert again["elevation"].tolist() == [0, -2, -1, -3, -4]
    assert again["rock"].tolist()[3:] == ["s", "t"]
    assert again["rock"].isna().tolist() == [False, True, False, False, False]
    assert again.attrs["crs"] == "EPSG:32650"


def test_points_come_back_as_they_were(tmp_path):
    table = traces().drop(columns="RL")
    again = read_points(write_points(table, tmp_path / "points.vtp"))
    assert list(again.columns) == ["easting", "northing", "hole", "Au", "rock", "n"]
    np.testing.assert_array_equal(again["Au"], table["Au"])
    assert again["n"].dtype == np.int64
    assert again["hole"].tolist() == table["hole"].tolist()


def test_points_that_cannot_be_written_or_read_say_why(tmp_path):
    with pytest.raises(ValueError, match=r"kept in a .vtp file, got 'a.csv'"):
        write_points(traces(), tmp_path / "a.csv")
    with pytest.raises(ValueError, match="no column 'bore'"):
        write_points(traces(), tmp_path / "a.vtp", line="bore")
    with pytest.raises(ValueError, match="has no rows"):
        write_points(traces().iloc[:0], tmp_path / "a.vtp")
    blank = traces()
    blank.loc[2, "hole"] = None
    with pytest.raises(ValueError, match="names no line in column 'hole' at row 4"):
        write_points(blank, tmp_path / "a.vtp", line="hole")
    with pytest.raises(FileNotFoundError, match="no file"):
        read_points(tmp_path / "a.vtp")
    (tmp_path / "a.vtp").write_bytes(b"<VTKFile")
    with pytest.raises(ValueError, match=r"a.vtp cannot be read as VTK poly data: its XML"):
        read_points(tmp_path / "a.vtp")


def test_grids_read_are_grids(tmp_path):
    again = round_trip(planted(3), tmp_path / "grid.vti")
    xr.testing.assert_identical(check_grid(again), again)
