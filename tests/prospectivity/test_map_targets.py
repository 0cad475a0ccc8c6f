"""Targets of a map are areas above a share of the supported area, measured, explained and drawn."""

import sqlite3
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from gossan.data import read_vectors, write_grid
from gossan.data.grids.grid import add_layer, make_grid
from gossan.prospectivity import find_map_targets, write_map_targets, write_raster_targets

gpd = pytest.importorskip("geopandas")
GRID = make_grid((500_000, 540_000, 4_000_000, 4_025_000), 1000, crs="EPSG:32650")  # 25 x 40 cells
SHAPE = (25, 40)


def scored(score, **layers):
    grid = add_layer(GRID, "score", score)
    for name, values in layers.items():
        grid = add_layer(grid, name, values)
    return grid


def two_areas():
    """Return scores: a ramp of background, an area of 12 cells at 5 and one of 8 with a peak."""
    score = np.linspace(0, 1, 1000).reshape(SHAPE)
    score[3:6, 4:8] = 5.0
    score[15:17, 20:24] = 4.0
    score[16, 22] = 9.0
    return score


def test_areas_are_measured_in_km2_and_ranked_by_mean():
    found = find_map_targets(scored(two_areas()), share=0.02)
    assert found["rank"].tolist() == [1, 2]
    assert found["area"].tolist() == [12.0, 8.0]
    assert found["score"].tolist() == [5.0, (9 + 7 * 4) / 8]
    second = found.iloc[1]
    assert (second["easting"], second["northing"]) == (522_500.0, 4_016_500.0)
    assert second["percentile"] == pytest.approx(99.95)
    assert_allclose(found.geometry.area / 1e6, found["area"])
    assert tuple(found.geometry[0].bounds) == (504_000, 4_003_000, 508_000, 4_006_000)
    assert found.attrs["supported_area"] == 1000.0
    assert found.attrs["share"] == pytest.approx(0.02)
    assert found.attrs["area"] == 20.0
    assert 1.0 < found.attrs["threshold"] <= 4.0  # between the ramp and the areas


def test_the_best_peak_or_the_largest_area_can_come_first():
    score = two_areas()
    peak = find_map_targets(scored(score), share=0.02, rank_by="max")
    assert peak["score_max"].tolist() == [9.0, 5.0]
    score[16, 22] = 6.0  # means 5 and 4.25
    score[15:19, 20:30] = 6.0
    assert find_map_targets(scored(score), share=0.052, rank_by="sum")["n_cells"].tolist() == [
        40,
        12,
    ]


def test_extrapolated_cells_count_in_no_share_and_are_no_target():
    support = np.ones(SHAPE)
    support[15:17] = 0.0
    support[0, 0] = np.nan
    found = find_map_targets(scored(two_areas(), support=support), share=0.013, support="support")
    assert found["area"].tolist() == [12.0]
    assert found.attrs["supported_area"] == 919.0
    assert found.attrs["share"] == pytest.approx(12 / 919)


def test_small_areas_are_left_out_and_counted():
    found = find_map_targets(scored(two_areas()), share=0.02, least=10.0)
    assert found["area"].tolist() == [12.0]
    assert found.attrs["n_small"] == 1


def test_a_plateau_of_one_score_is_left_out_as_in_3d():
    score = np.zeros(SHAPE)
    score[:, :20] = 1.0  # half the map
    score[3, 3] = 2.0
    found = find_map_targets(scored(score), share=0.05)
    assert found["n_cells"].tolist() == [1]


def test_spread_stability_and_edges_are_means_inside():
    spread, stability = np.full(SHAPE, 0.5), np.zeros(SHAPE)
    spread[3:6, 4:8], stability[15:17, 20:24] = 0.1, 1.0
    spread[3, 4] = np.nan
    edge = np.zeros(SHAPE)
    edge[3, 4:8] = 0.3
    grid = scored(two_areas(), sd=spread, stable=stability, edge_fraction=edge)
    found = find_map_targets(grid, share=0.02, spread="sd", stability="stable")
    assert_allclose(found["spread"], [0.1, 0.5])
    assert_allclose(found["stability"], [0.0, 1.0])
    assert_allclose(found["edge_fraction"], [0.1, 0.0])


def test_known_occurrences_are_inside_or_so_far():
    known = np.array([[505_000.0, 4_004_000.0], [524_000.0 + 3000, 4_016_000.0]])
    found = find_map_targets(scored(two_areas()), share=0.02, known=known)
    assert found["contains_known"].tolist() == [True, False]
    assert_allclose(found["known_distance"], [0.0, 3000.0])
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*known.T), crs="EPSG:32650")
    again = find_map_targets(scored(two_areas()), share=0.02, known=points)
    assert again["known_distance"].tolist() == found["known_distance"].tolist()


def test_the_five_elements_that_add_most_are_named_with_their_sign():
    names = ["Li", "Cs", "K", "Sn", "W", "Cu", "Pb"]
    weights = [0.3, 0.25, -0.5, 0.02, 0.04, -0.03, 0.0]
    inside = np.zeros(SHAPE)
    inside[3:6, 4:8] = 1.0
    attribution = {name: w * inside for name, w in zip(names, weights, strict=True)}
    found = find_map_targets(scored(two_areas()), share=0.02, attribution=attribution)
    assert found["elements"].tolist() == ["-K 0.5, +Li 0.3, +Cs 0.25, +W 0.04, -Cu 0.03", ""]
    layers = GRID
    for name, values in attribution.items():
        layers = add_layer(layers, name, values)
    same = find_map_targets(scored(two_areas()), share=0.02, attribution=layers)
    assert same["elements"].tolist() == found["elements"].tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 1.0}, "share must lie between 0 and 1, got 1.0"),
        ({"rank_by": "luck"}, "rank_by must be one of"),
        ({"spread": "sd"}, "no layer 'sd'"),
        ({"score": "scor"}, "no layer 'scor'.*Did you mean 'score'"),
        ({"known": [[1.0, 2.0, 3.0]]}, r"known must have shape \(n, 2\)"),
        ({"attribution": {"Li": np.zeros((2, 2))}}, "Layer 'Li' has the shape"),
        ({"support": "none"}, "No supported cell of 'score' has a score"),
    ],
)
def test_faults_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        find_map_targets(scored(two_areas(), none=np.zeros(SHAPE)), **options)


def test_targets_open_in_a_gis_with_their_style(tmp_path):
    targets = find_map_targets(scored(two_areas()), share=0.02)
    path = write_map_targets(targets, tmp_path / "targets.gpkg")
    back = read_vectors(path, "polygons")
    assert back["rank"].tolist() == [1, 2]
    assert_allclose(back["area"], [12.0, 8.0])
    file = sqlite3.connect(path)
    ((style,),) = file.execute("SELECT styleQML FROM layer_styles").fetchall()
    file.close()
    root = ET.fromstring(style)  # noqa: S314 - our own
    assert root.find("renderer-v2").get("attr") == "rank"


def test_from_a_raster_to_a_geopackage(tmp_path):
    raster = write_grid(scored(two_areas()), tmp_path / "score.tif")
    (tmp_path / "known.csv").write_text(
        "name,easting,northing\nA,505000,4004000\nB,530000,4020000\n", encoding="utf-8"
    )
    found = write_raster_targets(
        raster, tmp_path / "t.gpkg", share=0.02, known=tmp_path / "known.csv"
    )
    assert str(found) == (
        "2 targets, 1 of them with known occurrences in the best 2.0% of 1,000 km²"
    )
    assert len(read_vectors(tmp_path / "t.gpkg")) == 2


@pytest.mark.parametrize("headers", [("Longitude", "Latitude"), ("lon", "LAT")])
def test_known_occurrences_in_degrees_are_brought_to_the_map(tmp_path, headers):
    pyproj = pytest.importorskip("pyproj")
    turn = pyproj.Transformer.from_crs("EPSG:32650", "EPSG:4326", always_xy=True)
    table = pd.DataFrame([turn.transform(505_000, 4_004_000)] * 2, columns=list(headers))
    table.loc[2] = [np.nan, np.nan]  # a row without a place
    table.iloc[[0, 2]].to_csv(tmp_path / "known.csv", index=False)
    raster = write_grid(scored(two_areas()), tmp_path / "score.tif")
    found = write_raster_targets(
        raster, tmp_path / "t.gpkg", share=0.02, known=tmp_path / "known.csv"
    )
    assert (found.n_targets, found.n_with_known) == (2, 1)


def test_known_occurrences_may_be_a_raster_of_ones(tmp_path):
    grid = scored(two_areas())
    marks = np.zeros(grid["score"].shape)
    marks[tuple(np.argwhere(grid["score"].to_numpy() == grid["score"].to_numpy().max())[0])] = 1
    blank = grid.drop_vars(list(grid.data_vars))
    write_grid(add_layer(blank, "ore", marks), tmp_path / "ore.tif")
    raster = write_grid(grid, tmp_path / "score.tif")
    found = write_raster_targets(
        raster, tmp_path / "t.gpkg", share=0.02, known=tmp_path / "ore.tif"
    )
    assert found.n_with_known == 1


def test_known_occurrences_of_a_local_grid_come_from_a_plain_table(tmp_path):
    pytest.importorskip("rasterio")
    grid = make_grid((0, 5000, 0, 2000), 1000)
    scores = [[0.1, 0.2, 0.3, 0.1, 0.9], [0.2, 0.1, 0.2, 0.8, 0.0]]
    write_grid(add_layer(grid, "score", scores), tmp_path / "map.tif")
    (tmp_path / "known.csv").write_text("X,Y,name\n4500,500,Old pit\n", encoding="utf-8")
    found = write_raster_targets(
        tmp_path / "map.tif", tmp_path / "t.gpkg", share=0.2, known=tmp_path / "known.csv"
    )
    assert (found.n_targets, found.n_with_known) == (1, 1)
