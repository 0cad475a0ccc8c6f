"""The map as a file: cells come out as they went in, words stay words, limits and notes are kept."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossan.data.grids.grid import add_layer, from_axes, make_grid
from gossan.prospectivity.targets import find_targets
from gossan.report import (
    MapLayer,
    MapLines,
    MapPoints,
    MapPolygons,
    MapView,
    Report,
    Section,
    Text,
    map_view,
    render_map,
    render_report,
    write_map,
)
from gossan.report._map_degrees import degree_formula
from gossan.report._map_layers import guess_group
from gossan.report._map_outlines import outlines_of
from gossan.report._map_rasters import ByteStore, block_step, code_values, thin_blocks

HOSTILE = "</script><script>window.taken=1</script><img src=x onerror='window.taken=1'>"


def grid_of(values, spacing=100.0, name="score", **place):
    """Return a grid with its south-west corner at 500,000, 4,000,000 and a layer."""
    values = np.asarray(values, dtype=float)
    n_rows, n_columns = values.shape
    region = (5e5, 5e5 + spacing * n_columns, 4e6, 4e6 + spacing * n_rows)
    return add_layer(make_grid(region, spacing, **place), name, values)


def opened(html):
    """Return the header of a page and what its codes stand for, by a reader of our own."""
    header = json.loads(re.search(r'class="gm-header">(.*?)</script>', html, re.S)[1])
    payload = re.search(r'class="gm-payload">(.*?)</script>', html, re.S)[1]
    store = np.frombuffer(gzip.decompress(base64.b64decode(payload)), np.uint8)
    n_rows, n_columns = header["frame"]["shape"]
    n = n_rows * n_columns

    def mask(place):
        bits = np.unpackbits(store[place : place + -(-n // 8)], bitorder="little")
        return bits[:n].reshape(n_rows, n_columns).astype(bool)

    def values(layer):
        at, is_smooth, n_bytes = layer["codes"]
        codes = store[at : at + n].astype(np.int64)
        if n_bytes == 2:
            codes += store[at + n : at + 2 * n].astype(np.int64) << 8
        steps = ((codes >> 1) ^ -(codes & 1)).reshape(n_rows, n_columns)
        steps = np.cumsum(steps, axis=1)
        codes = (np.cumsum(steps, axis=0) if is_smooth else steps) % 65536
        found = layer["low"] + layer["step"] * codes
        if layer["log"]:
            found = layer["low"] * np.exp(layer["step"] * codes)
        return np.where(mask(layer["missing"]), np.nan, found)

    def floats(place):
        at, n_values = place
        planes = store[at : at + 4 * n_values].reshape(4, n_values)
        return np.ascontiguousarray(planes.T).view("<f4").ravel().astype(float)

    return header, values, mask, floats


def known_points(**columns):
    return pd.DataFrame({"easting": [500_150.0], "northing": [4_000_050.0], **columns})


# ---- cells ---------------------------------------------------------------------------------------


def test_cells_come_out_at_their_place_to_the_precision_that_is_said():
    rng = np.random.default_rng(5)
    cells = rng.uniform(-3, 7, (30, 40))
    cells[:4, :9] = np.nan
    header, values, _, _ = opened(map_view(grid_of(cells)))
    layer = header["layers"][0]
    half = 0.5 * np.ptp(cells[np.isfinite(cells)]) / 65535  # a score has 16 bits
    np.testing.assert_allclose(values(layer), cells, atol=half * 1.001)
    assert layer["precision"].startswith("± 7.6e")
    assert layer["n_missing"] == 36


def test_grades_over_decades_keep_their_small_values():
    cells = np.geomspace(0.01, 5000, 600).reshape(20, 30)
    header, values, _, _ = opened(map_view(grid_of(cells, name="Au")))
    layer = header["layers"][0]
    assert layer["group"] == "Elements"
    assert layer["log"]
    found = values(layer)
    np.testing.assert_allclose(found, cells, rtol=0.5 * np.log(5e5) / 4095 * 1.01)  # 12 bits
    assert layer["precision"] == "± 0.16 %"


def test_whole_numbers_are_exact():
    cells = np.arange(12.0).reshape(3, 4) * 7
    header, values, _, _ = opened(map_view(grid_of(cells, name="codes")))
    np.testing.assert_array_equal(values(header["layers"][0]), cells)
    assert header["layers"][0]["precision"] == "exact"


@given(st.integers(0, 2**32 - 1), st.sampled_from([12, 16]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_codes_survive_packing(seed, bits, is_rough):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 12, 2))
    values = rng.choice([0.0, 1.0], shape) if is_rough else rng.normal(size=shape)
    values[rng.random(shape) < 0.3] = np.nan
    coded = code_values(values, bits)
    known = np.isfinite(values)
    worst = np.abs(coded.values - values)[known]
    assert worst.size == 0 or worst.max() <= coded.step / 2 * (1 + 1e-9)
    place, is_smooth, n_bytes = (store := ByteStore()).add_codes(coded.codes)
    raw = np.frombuffer(gzip.decompress(base64.b64decode(store.payload())), np.uint8)
    codes = raw[place : place + coded.codes.size].astype(np.int64)
    if n_bytes == 2:
        codes += raw[place + codes.size :][: codes.size].astype(np.int64) << 8
    steps = np.cumsum(((codes >> 1) ^ -(codes & 1)).reshape(shape), axis=1)
    found = (np.cumsum(steps, axis=0) if is_smooth else steps) % 65536
    np.testing.assert_array_equal(found, coded.codes)


def test_a_layer_without_any_value_is_shown_as_such():
    header, values, _, _ = opened(map_view(grid_of(np.full((3, 4), np.nan))))
    assert np.isnan(values(header["layers"][0])).all()
    assert "ends" not in header["layers"][0]


def test_large_maps_become_means_of_blocks_and_say_so():
    cells = np.arange(24.0).reshape(4, 6)
    cells[0, 0] = np.nan
    html = render_map(MapView(grid_of(cells), most_cells=6))
    header, values, _, _ = opened(html)
    np.testing.assert_allclose(
        values(header["layers"][0]),
        [[14 / 3, 5.5, 7.5], [15.5, 17.5, 19.5]],  # (1 + 6 + 7) / 3: the missing one is left out
        atol=1e-3,
    )
    assert "Of 4 x 6 cells, means of blocks of 2 x 2 are shown" in header["notes"][0]
    assert header["frame"]["size"] == [200.0, 200.0]


def test_blocks_at_the_rim_take_what_there_is():
    cells = np.arange(15.0).reshape(3, 5)
    assert block_step((3, 5), 6) == 2
    np.testing.assert_array_equal(
        thin_blocks(cells, 2, is_class=False), [[3, 5, 6.5], [10.5, 12.5, 14]]
    )
    np.testing.assert_array_equal(thin_blocks(cells, 2, is_class=True), [[0, 2, 4], [10, 12, 14]])


def test_fifty_layers_of_300_x_300_cells_stay_below_ten_megabytes():
    rng = np.random.default_rng(0)
    grid = make_grid((0, 3e4, 0, 3e4), 100)
    for name in ["score", "percentile", "spread", *(f"Cu_{i}" for i in range(47))]:
        # white noise is the worst case: no map compresses less
        grid = add_layer(grid, name, rng.lognormal(size=(300, 300)))
    assert len(map_view(grid)) < 10e6


# ---- layers --------------------------------------------------------------------------------------


def test_layers_are_grouped_and_the_first_named_is_shown_first():
    grid = grid_of(np.eye(3), name="As_ppm")
    for name in ("attribution_As", "spread", "score", "fault_distance"):
        grid = add_layer(grid, name, np.arange(9.0))
    header, *_ = opened(map_view(grid, ["As_ppm", "attribution_As", "spread", "score"]))
    assert [layer["key"] for layer in header["layers"]] == [
        "score",
        "spread",
        "As_ppm",
        "attribution_As",
    ]
    assert header["first"] == 2
    assert [layer["ramp"] for layer in header["layers"]] == [
        "grade",
        "spread",
        "grade",
        "departure",
    ]
    assert guess_group("clr_Al2O3") == "Elements"


def test_colours_end_where_those_of_the_figures_do():
    from gossan.plot.scales import departure_norm, grade_norm

    rng = np.random.default_rng(2)
    grid = grid_of(rng.lognormal(size=(20, 20)), name="Cu")
    grid = add_layer(grid, "attribution_Cu", rng.normal(size=(20, 20)))
    header, *_ = opened(map_view(grid))
    element, reason = header["layers"]
    log, plain = (grade_norm(grid["Cu"], scale=scale) for scale in ("log", "linear"))
    assert element["scales"] == {
        "linear": [pytest.approx(plain.vmin), pytest.approx(plain.vmax)],
        "log": [pytest.approx(log.vmin), pytest.approx(log.vmax)],
    }
    assert element["stretch"] == "log"
    norm = departure_norm(grid["attribution_Cu"])
    assert reason["scales"] == {"linear": [pytest.approx(norm.vmin), pytest.approx(norm.vmax)]}
    assert header["ramps"]["grade"][0] == "#440154"
    assert len(header["ramps"]["grade"]) == 256


def test_units_names_and_classes_are_read_from_the_layer():
    grid = grid_of([[0, 1], [1, 2]], name="geology")
    grid["geology"].attrs.update(categories=["shale", HOSTILE, "granite"], long_name="Rocks")
    grid = add_layer(grid, "Cu", [1.0, 2.0, 3.0, 4.0], units="ppm")
    header, values, _, _ = opened(map_view(grid, units={"Cu": "wt%"}))
    element, rocks = header["layers"]
    assert (element["unit"], rocks["name"]) == ("wt%", "Rocks")
    assert [own[:2] for own in rocks["classes"]] == [[0, "shale"], [1, HOSTILE], [2, "granite"]]
    assert len({own[2] for own in rocks["classes"]}) == 3
    np.testing.assert_array_equal(values(rocks), [[0, 1], [1, 2]])


def test_layers_of_one_name_are_told_apart_by_their_group():
    grid = add_layer(grid_of(np.eye(2), name="Cu"), "attribution_Cu", np.eye(2))
    grid["attribution_Cu"].attrs["long_name"] = "Cu"
    header, *_ = opened(map_view(add_layer(grid, "score", np.eye(2))))
    assert [own["title"] for own in header["layers"]] == [
        "score",
        "Elements: Cu",
        "Attribution: Cu",
    ]
    assert [own["name"] for own in header["layers"]] == ["score", "Cu", "Cu"]


def test_support_is_kept_as_a_mask():
    grid = add_layer(grid_of(np.ones((2, 3))), "supported", [[1, 1, 0], [0, 1, 1]])
    header, _, mask, _ = opened(map_view(grid, ["score"], support="supported"))
    np.testing.assert_array_equal(mask(header["support"]), [[0, 0, 1], [1, 0, 0]])


# ---- shapes --------------------------------------------------------------------------------------


def test_outlines_run_along_the_cells_holes_and_all():
    ring = np.ones((3, 3))
    ring[1, 1] = 0
    rings = outlines_of(grid_of(ring, name="target"), "target")[1]
    areas = sorted(_area(own) for own in rings)
    assert areas == [-10_000.0, 90_000.0]  # the hole runs the other way round
    assert sorted(len(own) for own in rings) == [4, 4]


def test_cells_that_touch_at_a_corner_are_outlined_apart():
    rings = outlines_of(grid_of(np.eye(2), name="target"), "target")[1]
    assert [_area(own) for own in rings] == [10_000.0, 10_000.0]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_rings_hold_all_cells_and_run_along_all_borders(seed):
    rng = np.random.default_rng(seed)
    held = (rng.random(rng.integers(1, 9, 2)) < 0.6) * 1.0
    rings = outlines_of(grid_of(held, name="target"), "target").get(1, [])
    assert sum(_area(ring) for ring in rings) == pytest.approx(1e4 * held.sum())
    framed = np.pad(held, 1)
    n_borders = sum(int((np.diff(framed, axis=axis) != 0).sum()) for axis in (0, 1))
    lengths = [np.abs(ring - np.roll(ring, 1, axis=0)).sum() for ring in rings]
    assert sum(lengths) == pytest.approx(100 * n_borders)


def test_outlines_of_a_turned_grid_are_turned():
    grid = grid_of([[0, 0], [0, 1]], name="target", rotation=30.0)
    corners = outlines_of(grid, "target")[1][0]
    own = np.array([5e5, 4e6]) + np.array([[100.0, 100], [200, 100], [200, 200], [100, 200]])
    expected = from_axes(grid, own)
    assert {tuple(row) for row in corners.round(6)} == {tuple(row) for row in expected.round(6)}


def _area(ring):
    x, y = (ring - ring.mean(axis=0)).T
    return round(0.5 * float(x @ np.roll(y, -1) - np.roll(x, -1) @ y), 3)


def test_targets_bring_their_outlines_facts_and_reasons():
    cells = np.zeros((6, 6))
    cells[1:3, 1:5] = 0.9
    cells[5, 5] = 0.8
    found = find_targets(grid_of(cells), medium=0.5, high=0.85)
    table = found.table.assign(why=[{"As": 0.2, "Cu": -0.7}, "nothing alone"])
    html = map_view(found.grid, ["score"], polygons={"Targets": table})
    header, _, _, floats = opened(html)
    targets = header["polygons"][0]
    assert targets["labels"] == ["Target 1", "Target 2"]
    assert targets["lengths"] == [[4], [4]]
    places = floats(targets["places"]).reshape(-1, 2) + header["origin"]
    np.testing.assert_allclose(places[:4].min(axis=0), [500_100, 4_000_100])
    np.testing.assert_allclose(places[:4].max(axis=0), [500_500, 4_000_300])
    facts = dict(targets["facts"])
    assert facts["Area [km²]"] == ["0.08", "0.01"]
    assert "west" not in facts
    assert targets["why"] == [[["Cu", -0.7], ["As", 0.2]], "nothing alone"]
    middles = floats(targets["middles"]).reshape(-1, 2) + header["origin"]
    np.testing.assert_allclose(middles[:, 0], [500_300, 500_550])  # inside each


def test_map_targets_keep_their_square_kilometres_and_show_elements_as_bars():
    pytest.importorskip("geopandas")
    pytest.importorskip("rasterio")
    from gossan.prospectivity.map_targets import find_map_targets

    grid = grid_of([[0.1, 0.2, 0.3, 0.1, 0.9], [0.2, 0.1, 0.2, 0.8, 0.0]], spacing=1000.0)
    adds = {"Li": np.full((2, 5), 0.31), "K": np.full((2, 5), -0.4)}
    targets = find_map_targets(grid, share=0.2, attribution=adds, known=[[500_000, 4_000_500]])
    header, *_ = opened(map_view(grid, polygons={"Targets": targets}))
    own = header["polygons"][0]
    facts = dict(own["facts"])
    assert facts["Area [km²]"] == ["2"]
    assert facts["Distance to known [km]"] == ["3.04"]  # (0, 500) to (3000, 1000)
    assert facts["Holds a known occurrence"] == ["no"]
    assert own["labels"] == ["Target 1"]
    assert own["why"] == [[["K", -0.4], ["Li", 0.31]]]
    assert "elements" not in facts


def test_geometries_of_geopandas_are_taken_as_they_are():
    gpd = pytest.importorskip("geopandas")
    from shapely.geometry import LineString, MultiPolygon, Point, Polygon

    grid = grid_of(np.ones((4, 4)), crs="EPSG:32650")
    square = Polygon([(500_000, 4_000_000), (500_200, 4_000_000), (500_200, 4_000_200)])
    moved = Polygon([(500_300, 4_000_300), (500_350, 4_000_300), (500_350, 4_000_350)])

    def frame(name, *shapes):
        return gpd.GeoDataFrame({"name": [name]}, geometry=list(shapes), crs="EPSG:32650")

    header, _, _, floats = opened(
        map_view(
            grid,
            points={"Pits": frame("Old pit", Point(500_100, 4_000_300))},
            lines={"Faults": frame("F1", LineString([(500_000, 4_000_000), (500_400, 4_000_400)]))},
            polygons={"Licences": frame("EL 12", MultiPolygon([square, moved]))},
        )
    )
    assert (floats(header["points"][0]["places"]) + header["origin"]).tolist() == [500100, 4000300]
    assert header["lines"][0]["lengths"] == [2]
    assert header["polygons"][0]["lengths"] == [[4, 4]]
    assert header["polygons"][0]["labels"] == ["EL 12"]
    with pytest.raises(ValueError, match="'Pits' must hold points, got LineString"):
        map_view(grid, points={"Pits": frame("F1", LineString([(0, 0), (1, 1)]))})
    far = frame("Old pit", Point(500_100, 4_000_300)).to_crs("EPSG:32651")
    with pytest.raises(ValueError, match="'Pits' is in WGS 84 / UTM zone 51N, but the grid in"):
        map_view(grid, points={"Pits": far})
    with pytest.raises(ValueError, match="'Faults' must hold lines, got a Point"):
        map_view(grid, lines={"Faults": frame("F1", Point(0, 0))})


def test_faults_are_read_vertex_by_vertex():
    table = pd.DataFrame(
        {
            "fault": ["F1", "F1", "F2", "F2", "F2", "F3"],
            "vertex": [1, 0, 0, 1, 2, 0],
            "easting": [500_100.0, 500_000, 500_000, 500_200, np.nan, 500_000],
            "northing": [4_000_100.0, 4_000_000, 4_000_200, 4_000_000, 4_000_000, 4_000_000],
        }
    )
    header, _, _, floats = opened(map_view(grid_of(np.ones((2, 2))), lines={"Faults": table}))
    faults = header["lines"][0]
    assert faults["labels"] == ["F1", "F2"]  # F3 is but a point
    places = floats(faults["places"]).reshape(-1, 2) + header["origin"]
    np.testing.assert_array_equal(places[0], [500_000, 4_000_000])  # ordered by vertex
    assert faults["lengths"] == [2, 2]


def test_points_without_a_place_are_left_out_and_symbols_differ():
    table = pd.DataFrame(
        {"easting": [500_050.0, np.nan], "northing": [4_000_050.0] * 2, "name": ["a", "b"]}
    )
    sets = {"One": table, "Two": MapPoints(table, is_filled=False), "Three": table}
    header, *_ = opened(map_view(grid_of(np.ones((2, 2))), points=sets))
    assert [own["labels"] for own in header["points"]] == [["a"]] * 3
    assert len({own["symbol"] for own in header["points"]}) == 3
    assert [own["filled"] for own in header["points"]] == [True, False, True]


# ---- words and files -----------------------------------------------------------------------------


def test_words_of_tables_never_become_markup():
    grid = add_layer(grid_of(np.ones((2, 2))), "target", [0, 1, 0, 0])
    targets = pd.DataFrame({"target": [1], HOSTILE: [HOSTILE], "why": [{HOSTILE: 1.0}]})
    lines = pd.DataFrame({"name": [HOSTILE] * 2, "easting": [0.0, 1], "northing": [0.0, 1]})
    html = map_view(
        grid,
        [MapLayer("score", name=HOSTILE, unit=HOSTILE, note=HOSTILE, group=HOSTILE)],
        points={HOSTILE: known_points(name=[HOSTILE])},
        lines={HOSTILE: lines},
        polygons={HOSTILE: targets},
        title=HOSTILE,
        note=HOSTILE,
        report=HOSTILE,
    )
    assert "window.taken=1</script>" not in html
    assert "<img" not in html
    assert html.count("<script") == 3  # header, payload, our own


def test_the_page_loads_nothing_and_runs_only_its_own_script():
    html = map_view(grid_of(np.ones((2, 2))))
    assert "default-src 'none'" in html
    script = re.search(r"<script>(.*?)</script>", html, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert not re.search(r"https?://", html)


def test_a_report_holds_maps_and_their_script_once():
    shown = MapView(grid_of(np.ones((2, 2))), title="District")
    plain = render_report(Report("R", sections=[Section("A", blocks=[Text("t")])]))
    assert "gm-payload" not in plain
    page = render_report(Report("R", sections=[Section("A", blocks=[shown, shown])]))
    assert page.count('class="gm-payload"') == 2
    assert page.count('class="gmap inset" id="map-') == 2
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(scripts) == 2
    policy = re.search(r"script-src ([^;]*);", page)[1]
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_layers_and_targets_are_also_listed_as_text():
    grid = add_layer(grid_of([[1.0, 2.0], [3.0, np.nan]]), "target", [0, 1, 0, 0])
    html = map_view(
        grid,
        ["score"],
        polygons={"Targets": pd.DataFrame({"target": [1], "score": [0.77]})},
        units={"score": "points"},
    )
    row = re.search(r"<tr><td>score</td>(.*?)</tr>", html)[1]
    assert re.findall("<td>(.*?)</td>", row) == [
        "Prospectivity", "points", "1", "2", "3", "exact", "75 %",
    ]  # fmt: skip
    assert '<th scope="row">Target 1</th><td>0.77</td>' in html


def test_the_same_map_gives_the_same_bytes(tmp_path):
    shown = MapView(grid_of(np.arange(6.0).reshape(2, 3)), points={"A": known_points()})
    first = write_map(tmp_path / "map.html", shown, report="report.html")
    assert (
        first.read_bytes()
        == write_map(tmp_path / "b.html", shown, report="report.html").read_bytes()
    )
    assert 'href="report.html"' in first.read_text()
    with pytest.raises(FileNotFoundError, match=r"No folder .* to write the map"):
        write_map(tmp_path / "none" / "map.html", shown)


def test_degrees_are_right_to_a_metre():
    pyproj = pytest.importorskip("pyproj")
    west, east, south, north = 350_000, 650_000, 3_800_000, 4_100_000
    formula = degree_formula("EPSG:32650", (west, east, south, north))
    rng = np.random.default_rng(1)
    places = rng.uniform([west, south], [east, north], (50, 2))
    u, v = ((places - formula["middle"]) / formula["half"]).T
    terms = np.stack([u**i * v**j for i, j in formula["powers"]], axis=1)
    to_degrees = pyproj.Transformer.from_crs("EPSG:32650", "EPSG:4326", always_xy=True)
    expected = np.array(to_degrees.transform(*places.T))
    for key, degrees in zip(("lon", "lat"), expected, strict=True):
        np.testing.assert_allclose(terms @ formula[key], degrees, atol=1e-5)
    assert degree_formula(None, (west, east, south, north)) is None


# ---- errors --------------------------------------------------------------------------------------


def test_what_cannot_be_shown_is_refused():
    grid = grid_of(np.ones((2, 2)))
    with pytest.raises(KeyError, match=r"no layer 'scor' to show.*Did you mean 'score'"):
        map_view(grid, ["scor"])
    with pytest.raises(ValueError, match="named twice"):
        map_view(grid, ["score", "score"])
    with pytest.raises(ValueError, match="A map needs a 2D grid, got one with 2 elevations"):
        map_view(make_grid((0, 10, 0, 10), 5, elevations=(0, 10)))
    with pytest.raises(ValueError, match="A map needs a layer, but the grid has none"):
        map_view(make_grid((0, 10, 0, 10), 5))
    with pytest.raises(ValueError, match="no layer 'mask' to tell supported ground"):
        MapView(grid, support="mask")
    with pytest.raises(ValueError, match="most_cells must be positive, got 0"):
        MapView(grid, most_cells=0)
    with pytest.raises(TypeError, match="Points must be a DataFrame"):
        MapPoints([1, 2])
    with pytest.raises(ValueError, match="A colour must be a code like #0072B2, got 'red'"):
        MapLines(pd.DataFrame(), colour="red")
    with pytest.raises(ValueError, match="symbol"):
        MapPoints(known_points(), symbol="hexagon")
    with pytest.raises(ValueError, match="dash"):
        MapPolygons(known_points(), dash="wavy")
    with pytest.raises(ValueError, match="Limits of 'score' must be"):
        MapLayer("score", limits=(2.0, 1.0))
    with pytest.raises(ValueError, match="scale"):
        MapLayer("score", scale="cubic")


def test_tables_that_lack_a_column_are_refused():
    grid = grid_of(np.ones((2, 2)))
    with pytest.raises(KeyError, match="'Pits' has no column 'easting'"):
        map_view(grid, points={"Pits": pd.DataFrame({"x": [1.0]})})
    with pytest.raises(KeyError, match=r"'Pits' has no column 'nam' of names.*Did you mean 'name'"):
        map_view(grid, points={"Pits": MapPoints(known_points(name=["a"]), label="nam")})
    with pytest.raises(KeyError, match="no column 'grade' to tell"):
        map_view(grid, points={"Pits": MapPoints(known_points(), told={"grade": "Grade [ppm]"})})
    with pytest.raises(ValueError, match="'Targets' has no geometries, and the grid no layer"):
        map_view(grid, polygons={"Targets": known_points()})


def test_codes_without_a_class_are_refused():
    with pytest.raises(ValueError, match="holds the code 2, which has no class"):
        map_view(grid_of([[0, 2]], name="rock"), [MapLayer("rock", classes=["a", "b"])])
    with pytest.raises(ValueError, match="has 50 classes, more than the 40"):
        map_view(
            grid_of(np.arange(50.0)[None], name="rock"),
            [MapLayer("rock", classes=[str(i) for i in range(50)])],
        )
