"""Vectors written are read back the same; styles are where QGIS looks for them."""

import sqlite3

import numpy as np
import pandas as pd
import pytest

from gossan.data import read_vectors, write_vectors
from gossan.data.grids.grid import make_grid
from gossan.data.grids.outlines import outline_cells

gpd = pytest.importorskip("geopandas")


@pytest.fixture
def frame():
    grid = make_grid((500_000, 500_300, 4_000_000, 4_000_200), 10, crs="EPSG:32650")
    numbers = np.zeros((20, 30), dtype=int)
    numbers[2:6, 3:9], numbers[10:12, 10] = 1, 2
    return outline_cells(grid, numbers).assign(name=["ä", None], score=[0.5, np.nan])


@pytest.mark.parametrize("ending", [".gpkg", ".geojson"])
def test_what_is_written_is_read_back(tmp_path, frame, ending):
    path = write_vectors(frame, tmp_path / f"targets{ending}")
    back = read_vectors(path, to_crs="EPSG:32650")
    assert back["number"].tolist() == [1, 2]
    assert back["name"][0] == "ä"
    assert pd.isna(back["score"][1])
    assert back.geometry.geom_equals_exact(frame.geometry, 1e-3).all()


def test_geojson_is_in_degrees(tmp_path, frame):
    back = gpd.read_file(write_vectors(frame, tmp_path / "t.geojson"))
    assert back.crs.to_epsg() == 4326
    assert back.total_bounds[0] == pytest.approx(117.0, abs=0.01)


def test_the_style_is_the_default_of_the_layer_in_a_geopackage(tmp_path, frame):
    path = write_vectors(frame, tmp_path / "t.gpkg", layer="targets", style="<qgis/>")
    with sqlite3.connect(path) as file:
        rows = file.execute(
            "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles"
        ).fetchall()
        known = file.execute("SELECT table_name, data_type FROM gpkg_contents").fetchall()
    file.close()
    assert rows == [("targets", "geom", "<qgis/>", 1)]
    assert set(known) == {("targets", "features"), ("layer_styles", "attributes")}
    assert len(read_vectors(path)) == 2  # styles are no layer that must be chosen from


def test_the_style_of_a_geojson_is_beside_it(tmp_path, frame):
    write_vectors(frame, tmp_path / "t.geojson", style="<qgis/>")
    assert (tmp_path / "t.qml").read_text(encoding="utf-8") == "<qgis/>"


def test_an_old_file_stays_whole_when_writing_fails(tmp_path, frame, monkeypatch):
    path = write_vectors(frame, tmp_path / "t.gpkg")
    before = path.read_bytes()

    def full(*args, **more):
        raise OSError("No space left")

    monkeypatch.setattr("gossan.data.vector_writing._keep_style", full)
    with pytest.raises(OSError, match="No space left"):
        write_vectors(frame.iloc[:1], path, style="<qgis/>")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["t.gpkg"]
    monkeypatch.undo()
    write_vectors(frame.iloc[:1], path)
    assert len(read_vectors(path)) == 1


def test_faults_are_named(tmp_path, frame):
    with pytest.raises(ValueError, match=r"must be one of .gpkg, .geojson, got '.shp'"):
        write_vectors(frame, tmp_path / "t.shp")
    with pytest.raises(TypeError, match="must be a GeoDataFrame, got DataFrame"):
        write_vectors(pd.DataFrame({"a": [1]}), tmp_path / "t.gpkg")
    with pytest.raises(ValueError, match=r"no rows to write to t.gpkg"):
        write_vectors(frame.iloc[:0], tmp_path / "t.gpkg")
    with pytest.raises(ValueError, match="names no CRS"):
        write_vectors(frame.set_crs(None, allow_override=True), tmp_path / "t.geojson")
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        write_vectors(frame, tmp_path / "none" / "t.gpkg")
