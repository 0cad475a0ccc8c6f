"""Places of messy tables: unusual headers, degrees, gaps, words, rasters of ones."""

import numpy as np
import pandas as pd
import pytest

from gossan.data.grids.files import write_grid
from gossan.data.grids.grid import add_layer, make_grid
from gossan.studies.places import place_points, place_table


def test_usual_headers_are_found_and_rows_without_a_place_are_told():
    table = pd.DataFrame({"UTM_E": [1.0, None, 3.0], "UTM_N": [5.0, 6.0, "x"], "Cu": [1, 2, 3]})
    placed = place_table(table, source="pits.csv")
    assert placed.coords.tolist() == [[1.0, 5.0]]
    assert placed.rows.tolist() == [0]
    assert "2 rows without coordinates are left out, row 3, 4" in placed.notes[0]


def test_degrees_without_a_crs_go_to_their_utm_zone_and_that_is_told():
    pytest.importorskip("pyproj")
    table = pd.DataFrame({"Longitude": [-135.0, -135.1], "Latitude": [57.0, 57.1]})
    placed = place_table(table, source="ak.csv")
    assert placed.crs == "EPSG:32608"
    assert placed.coords[0] == pytest.approx([500_000.0, 6_317_433.6], abs=300)
    assert any("taken for WGS 84" in note for note in placed.notes)
    assert any("brought to EPSG:32608" in note for note in placed.notes)


def test_a_wish_for_another_crs_needs_the_own_one():
    table = pd.DataFrame({"x": [1.0], "y": [2.0]})
    with pytest.raises(ValueError, match="names no CRS"):
        place_table(table, source="pits.csv", to_crs="EPSG:32608")


def test_a_geographic_target_is_refused():
    pytest.importorskip("pyproj")
    table = pd.DataFrame({"x": [500_000.0], "y": [6_000_000.0]})
    with pytest.raises(ValueError, match="counts degrees"):
        place_table(table, source="pits.csv", crs="EPSG:32608", to_crs="EPSG:4326")


def test_a_table_without_any_place_is_refused():
    table = pd.DataFrame({"x": ["a"], "y": ["b"]})
    with pytest.raises(ValueError, match="no row has numbers"):
        place_table(table, source="pits.csv")


def test_decimal_commas_are_read_and_thousands_are_not_taken_for_them():
    text = {"x": ["276,1", "1653,125", None], "y": ["0,0", "987,5", "7,0"]}
    placed = place_table(pd.DataFrame(text), source="pits.csv")
    assert placed.coords.tolist() == [[276.1, 0.0], [1653.125, 987.5]]
    for thousands in ("512,345", "1,512,345"):
        table = pd.DataFrame({"x": [thousands], "y": ["1,000"]})
        with pytest.raises(ValueError, match=f"where the first cells are '{thousands}' and"):
            place_table(table, source="pits.csv")


def test_small_numbers_are_doubted():
    placed = place_table(pd.DataFrame({"x": [12.0], "y": [48.0]}), source="pits.csv")
    assert "If they are degrees" in placed.notes[0]


def test_rows_are_chosen_by_words_in_a_list(tmp_path):
    table = pd.DataFrame(
        {"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0], "metals": ["Cu, Au", None, "cu"]}
    )
    table.to_csv(tmp_path / "known.csv", index=False)
    told = {"crs": None, "to_crs": None}
    placed = place_points(tmp_path / "known.csv", **told, column="metals", words=["Cu"])
    assert placed.coords[:, 0].tolist() == [1.0, 3.0]
    assert "2 of 3 rows hold Cu" in placed.notes[0]
    with pytest.raises(ValueError, match="no row of column 'metals' holds 'Li'"):
        place_points(tmp_path / "known.csv", **told, column="metals", words=["Li"])
    with pytest.raises(ValueError, match="Did you mean 'metals'"):
        place_points(tmp_path / "known.csv", **told, column="metal", words=["Li"])


def test_a_raster_of_ones_gives_the_middles_of_its_cells(tmp_path):
    pytest.importorskip("rasterio")
    values = np.zeros((2, 3))
    values[1, 2] = 1.0
    grid = add_layer(make_grid((0, 30, 0, 20), 10, crs="EPSG:32650"), "ore", values)
    write_grid(grid, tmp_path / "ore.tif")
    placed = place_points(tmp_path / "ore.tif", crs=None, to_crs=None)
    assert placed.coords.tolist() == [[25.0, 15.0]]
    write_grid(add_layer(grid, "ore", np.zeros((2, 3))), tmp_path / "none.tif")
    with pytest.raises(ValueError, match="no cell holds 1"):
        place_points(tmp_path / "none.tif", crs=None, to_crs=None)


def test_a_place_beyond_the_projection_is_named():
    pytest.importorskip("pyproj")
    table = pd.DataFrame({"lon": [-135.0, 57.0], "lat": [57.0, -135.0]})
    with pytest.raises(ValueError, match="row 3"):
        place_table(table, source="ak.csv", to_crs="EPSG:26908")
