"""Vectors: CRS, metres, invalid rows, and what lies in the cells of a grid."""

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan._checks import GossanWarning
from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.data.grids.rasterising import match_crs, rasterise
from gossan.data.vectors import read_occurrences, read_vectors

geopandas = pytest.importorskip("geopandas")
shapely = pytest.importorskip("shapely")

UTM = "EPSG:32650"
BOWTIE = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])


def frame(shapes, crs=UTM, **columns):
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def faults():
    lines = [shapely.LineString([(0, 0), (100, 100)]), shapely.LineString([(0, 50), (100, 50)])]
    return frame(lines, name=["A", "B"])


def occurrences():
    return pd.DataFrame({"name": ["a", "b"], "UTM_E": [500_010.0, 500_050], "UTM_N": [10.0, 90]})


# Reading


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".shp", ".parquet"])
def test_lines_come_back_from_each_format(tmp_path, ending):
    path = tmp_path / f"faults{ending}"
    if ending == ".parquet":
        faults().to_parquet(path)
    elif ending == ".geojson":
        # GeoJSON counts degrees by its standard; it is written and read so.
        faults().to_crs(4326).to_file(path)
        with pytest.raises(ValueError, match=r"faults.geojson is in EPSG:4326.*to_crs='EPSG:32"):
            read_vectors(path)
    else:
        faults().to_file(path)
    found = read_vectors(path, "lines", to_crs=UTM)
    assert found.crs.to_epsg() == 32650
    assert found["name"].tolist() == ["A", "B"]
    ends = np.array(found.geometry.iloc[0].coords)
    np.testing.assert_allclose(ends, [(0, 0), (100, 100)], atol=0.05)


def test_degrees_are_refused_with_the_zone_to_take():
    places = frame([shapely.Point(116.9, -30.0)], crs=4326)
    with pytest.raises(ValueError, match=r"degrees; distances need metres.*to_crs='EPSG:32750'"):
        read_vectors(places)
    found = read_vectors(places, to_crs="EPSG:32750")
    point = found.geometry.iloc[0]
    assert point.x == pytest.approx(490_355, abs=2000)
    assert point.y == pytest.approx(6_681_000, abs=2000)


def test_a_missing_crs_is_named_and_another_one_refused():
    bare = frame([shapely.Point(1, 1)], crs=None)
    with pytest.raises(ValueError, match=r"names no CRS. Name it: crs="):
        read_vectors(bare)
    assert read_vectors(bare, crs=32650).crs.to_epsg() == 32650
    assert bare.crs is None
    with pytest.raises(ValueError, match="is in EPSG:32650, but crs=EPSG:32651 is given"):
        read_vectors(faults(), crs=32651)
    with pytest.raises(ValueError, match="must be one that pyproj knows"):
        read_vectors(bare, crs="UTM fifty")


def test_the_grids_crs_is_compared_and_met_when_asked():
    grid = make_grid((0, 100, 0, 100), 10, crs=32651)
    with pytest.raises(ValueError, match="vectors are in EPSG:32650, the grid in EPSG:32651"):
        read_vectors(faults(), grid=grid)
    found = read_vectors(faults(), grid=grid, to_crs=32651)
    assert found.crs.to_epsg() == 32651
    local = make_grid((0, 100, 0, 100), 10)
    assert read_vectors(faults(), grid=local).crs.to_epsg() == 32650


def test_match_crs_reprojects_only_when_asked():
    grid = make_grid((0, 100, 0, 100), 10, crs=32651)
    assert match_crs(faults(), grid, reproject=True).crs.to_epsg() == 32651
    same = faults().to_crs(32651)
    assert match_crs(same, grid) is same
    with pytest.raises(ValueError, match="no CRS to reproject from"):
        match_crs(frame([shapely.Point(0, 0)], crs=None), grid, reproject=True)


def test_another_kind_of_geometry_is_named_by_row():
    mixed = frame([shapely.Point(0, 0), shapely.LineString([(0, 0), (1, 1)])])
    with pytest.raises(ValueError, match="must hold lines, got Point at row 2"):
        read_vectors(mixed, "lines")
    with pytest.raises(ValueError, match="kind must be one of"):
        read_vectors(mixed, "faults")
    assert len(read_vectors(mixed)) == 2


def test_invalid_polygons_are_named_repaired_or_dropped():
    areas = frame([shapely.box(20, 0, 30, 10), BOWTIE])
    with pytest.raises(ValueError, match=r"1 invalid geometries, first at row 3 \(Self-intersect"):
        read_vectors(areas, "polygons")
    with pytest.warns(GossanWarning, match="1 invalid geometries are repaired, first at row 3"):
        mended = read_vectors(areas, "polygons", invalid="repair")
    assert mended.is_valid.all()
    assert mended.area.tolist() == [100, 50]
    with pytest.warns(
        GossanWarning, match="1 rows have invalid geometries and are left out, row 3"
    ):
        assert len(read_vectors(areas, invalid="drop")) == 1
    with pytest.raises(ValueError, match="invalid must be one of"):
        read_vectors(areas, invalid="ignore")


def test_empty_and_missing_geometries_are_named_or_dropped():
    rows = frame([shapely.Point(0, 0), None, shapely.Point()])
    with pytest.raises(ValueError, match="2 missing or empty geometries, first at row 3, 4"):
        read_vectors(rows)
    with pytest.warns(GossanWarning, match="2 rows have missing or empty geometries"):
        assert len(read_vectors(rows, invalid="drop")) == 1
    with (
        pytest.warns(GossanWarning, match="missing or empty"),
        pytest.raises(ValueError, match="no valid geometry left"),
    ):
        read_vectors(frame([None, None]), invalid="drop")
    with pytest.raises(ValueError, match="has no rows"):
        read_vectors(faults().iloc[:0])


def test_duplicates_are_kept_and_warned_of():
    twice = frame([shapely.Point(0, 0), shapely.Point(1, 0), shapely.Point(0, 0)])
    with pytest.warns(
        GossanWarning, match="1 geometries that repeat an earlier one, first at row 4"
    ):
        assert len(read_vectors(twice)) == 3


def test_files_that_are_none_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*faults.gpkg"):
        read_vectors(tmp_path / "faults.gpkg")
    (tmp_path / "faults.gpkg").write_bytes(b"no such thing")
    with pytest.raises(ValueError, match=r"faults.gpkg cannot be read as a vector file"):
        read_vectors(tmp_path / "faults.gpkg")
    with pytest.raises(TypeError, match="path or a GeoDataFrame, got int"):
        read_vectors(3)
    occurrences().to_parquet(tmp_path / "table.parquet")
    with pytest.raises(ValueError, match=r"table.parquet cannot be read as a vector file"):
        read_vectors(tmp_path / "table.parquet")


def test_of_several_layers_one_must_be_named(tmp_path):
    path = tmp_path / "map.gpkg"
    faults().to_file(path, layer="faults")
    frame([shapely.box(0, 0, 1, 1)]).to_file(path, layer="units")
    with pytest.raises(ValueError, match=r"layers are faults, units. Name one"):
        read_vectors(path)
    with pytest.raises(ValueError, match="Did you mean 'faults'"):
        read_vectors(path, layer="fault")
    assert len(read_vectors(path, "lines", layer="faults")) == 2


def test_a_truncated_file_is_read_or_named(tmp_path):
    path = tmp_path / "faults.gpkg"
    faults().to_file(path)
    data = path.read_bytes()
    for length in (0, 10, 100, len(data) // 2, len(data) - 3000):
        path.write_bytes(data[:length])
        try:
            read_vectors(path)
        except ValueError as error:
            assert "faults.gpkg" in str(error)  # noqa: PT017, either answer is right


# Occurrences


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet", "frame"])
def test_points_of_a_table_need_their_crs_named(tmp_path, ending):
    table = occurrences()
    path = table if ending == "frame" else tmp_path / f"points{ending}"
    if ending == ".csv":
        table.to_csv(path, index=False, sep=";")
    elif ending == ".xlsx":
        table.to_excel(path, index=False)
    elif ending == ".parquet":
        table.to_parquet(path)
    with pytest.raises(ValueError, match="names no CRS"):
        read_occurrences(path)
    found = read_occurrences(path, crs=UTM)
    assert [(p.x, p.y) for p in found.geometry] == [(500_010, 10), (500_050, 90)]
    assert found["name"].tolist() == ["a", "b"]


def test_longitudes_and_latitudes_are_brought_to_metres():
    table = pd.DataFrame({"Longitude": [116.9, 117.0], "Latitude": [-30.0, -30.1]})
    with pytest.raises(
        ValueError, match=r"longitudes and latitudes but no CRS.*to_crs='EPSG:32750'"
    ):
        read_occurrences(table)
    with pytest.raises(ValueError, match="degrees"):
        read_occurrences(table, crs=4326)
    found = read_occurrences(table, crs=4326, to_crs=32750)
    assert found.geometry.y.between(6.6e6, 6.7e6).all()


def test_rows_without_coordinates_are_named_or_dropped():
    table = occurrences().astype(object)
    table.loc[1, "UTM_N"] = "n.a."
    with pytest.raises(ValueError, match=r"no coordinate in column 'UTM_N' in 1 rows, first row 3"):
        read_occurrences(table, crs=UTM)
    with pytest.warns(GossanWarning, match="1 rows have no coordinates and are left out, row 3"):
        assert len(read_occurrences(table, crs=UTM, invalid="drop")) == 1
    with pytest.raises(ValueError, match="no column for easting"):
        read_occurrences(pd.DataFrame({"a": [1], "b": [2]}), crs=UTM)
    named = read_occurrences(pd.DataFrame({"a": [1], "b": [2]}), crs=UTM, easting="a", northing="b")
    assert named.geometry.iloc[0].x == 1


def test_a_vector_file_of_points_is_read_and_multipoints_are_parted(tmp_path):
    points = frame([shapely.MultiPoint([(0, 0), (5, 5)]), shapely.Point(9, 9)], name=["m", "p"])
    points.to_file(tmp_path / "points.gpkg")
    found = read_occurrences(tmp_path / "points.gpkg")
    assert found["name"].tolist() == ["m", "m", "p"]
    assert set(found.geom_type) == {"Point"}
    with pytest.raises(ValueError, match="must hold points, got LineString at row 2, 3"):
        read_occurrences(faults())
    with pytest.raises(FileNotFoundError, match="no file"):
        read_occurrences(tmp_path / "points.csv")


def test_the_table_is_not_changed():
    table = occurrences()
    before = table.copy()
    read_occurrences(table, crs=UTM)
    pd.testing.assert_frame_equal(table, before)


# On a grid


@pytest.mark.parametrize("rotation", [0, 30, 135])
@pytest.mark.parametrize("elevations", [None, (0, 20)])
def test_polygons_fill_the_cells_whose_centres_lie_inside(rotation, elevations):
    pytest.importorskip("rasterio")
    grid = make_grid((0, 200, 0, 150), 10, rotation=rotation, crs=UTM, elevations=elevations)
    area = shapely.Polygon([(3, 1), (101, -52), (152, 101), (41, 144)])
    layer = rasterise(frame([area]), grid)
    assert layer.dims == ("northing", "easting")
    assert layer.dtype == bool
    plan = cell_centres(make_grid((0, 200, 0, 150), 10, rotation=rotation))
    np.testing.assert_array_equal(layer.values.ravel(), shapely.contains_xy(area, plan))


def test_columns_are_burnt_as_numbers_or_codes():
    pytest.importorskip("rasterio")
    grid = make_grid((0, 40, 0, 10), 10, crs=UTM)
    units = frame(
        [shapely.box(0, 0, 20, 10), shapely.box(10, 0, 30, 10)], age=[1.5, 2.5], rock=["b", "a"]
    )
    np.testing.assert_array_equal(rasterise(units, grid, column="age"), [[1.5, 2.5, 2.5, np.nan]])
    codes = rasterise(units, grid, column="rock")
    np.testing.assert_array_equal(codes, [[1, 0, 0, np.nan]])
    assert codes.attrs["categories"] == ["a", "b"]
    assert add_layer(grid, "rock", codes)["rock"].shape == (1, 4)
    units["age"] = np.nan
    assert np.isnan(rasterise(units, grid, column="age")).all()
    with pytest.raises(ValueError, match=r"no column 'ages'; they have age, rock.*'age'"):
        rasterise(units, grid, column="ages")


def test_lines_and_points_mark_every_cell_that_they_touch():
    pytest.importorskip("rasterio")
    grid = make_grid((0, 40, 0, 30), 10, crs=UTM)
    line = frame([shapely.LineString([(2, 2), (38, 4)])])
    np.testing.assert_array_equal(
        rasterise(line, grid).values, [[True] * 4, [False] * 4, [False] * 4]
    )
    point = rasterise(frame([shapely.Point(31, 25)]), grid).values
    assert np.argwhere(point).tolist() == [[2, 3]]


def test_rasterising_refuses_another_crs_and_nothing():
    pytest.importorskip("rasterio")
    grid = make_grid((0, 40, 0, 30), 10, crs=32651)
    with pytest.raises(ValueError, match="vectors are in EPSG:32650, the grid in EPSG:32651"):
        rasterise(faults(), grid)
    assert not rasterise(faults(), grid, reproject=True).any()
    with pytest.raises(ValueError, match="GeoDataFrame with rows"):
        rasterise(faults().iloc[:0], grid)


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(ImportError, match=r'pip install "gossan\[gis\]"'):
        read_vectors("faults.gpkg")
    with pytest.raises(ImportError, match=r'pip install "gossan\[gis\]"'):
        read_occurrences(occurrences(), crs=UTM)


CELLS = st.one_of(
    st.floats(), st.sampled_from(["", "x", "500 010", "12,5", None, "1e400", "-99999999999999"])
)


@given(east=st.lists(CELLS, min_size=2, max_size=2), north=st.lists(CELLS, min_size=2, max_size=2))
@settings(max_examples=60, deadline=None)
def test_any_table_gives_finite_points_or_says_why(east, north):
    table = pd.DataFrame({"X": pd.Series(east, dtype=object), "Y": pd.Series(north, dtype=object)})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GossanWarning)  # two points in one place
            found = read_occurrences(table, crs=UTM)
    except ValueError as error:
        assert "occurrences" in str(error)  # noqa: PT017, either answer is right
        return
    assert len(found) == 2
    assert np.isfinite(found.total_bounds).all()
