"""The 3D view as a file: what is packed comes out again, words stay words, limits are kept."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import numpy as np
import pandas as pd
import pytest

from gossan.data.grids.grid import add_layer, from_axes, make_grid, own_corners
from gossan.plot.volumes import isosurface
from gossan.prospectivity.targets import find_targets
from gossan.report import (
    Boxes,
    Points,
    Report,
    Scene,
    SceneLink,
    Section,
    Slices,
    Surface,
    Traces,
    grade_traces,
    grid_slices,
    render_report,
    render_scene,
    score_shells,
    target_boxes,
    write_scene,
)

HOSTILE = "</script><script>window.taken=1</script><img src=x onerror='window.taken=1'>"
PLACE = np.array([500_000.0, 3_838_000.0, 2500.0])
SQUARE = PLACE + np.array([[0, 0, 0], [100, 0, 0], [100, 100, 0], [0, 100, 0]])
HALVES = np.array([[0, 1, 2], [0, 2, 3]])


def line(n=5, hole="ZK1", step=10.0, **values):
    """Return a vertical hole of n points."""
    points = PLACE - np.outer(np.arange(n) * step, [0, 0, 1])
    return Traces("Holes", [hole] * n, points, **values)


def opened(html):
    """Return the header of a page and its unpacked arrays, by a reader of our own."""
    header = json.loads(re.search(r'id="header">(.*?)</script>', html, re.S)[1])
    payload = re.search(r'id="payload">(.*?)</script>', html, re.S)[1]
    store = gzip.decompress(base64.b64decode(payload))

    def read(place):
        at, n, kind, columns, is_delta = place
        kind = np.dtype(f"<{kind}")
        raw = np.frombuffer(store, np.uint8, n * kind.itemsize, at)
        array = np.ascontiguousarray(raw.reshape(kind.itemsize, n).T).view(kind).ravel()
        if is_delta:
            table = array.reshape(-1, columns).astype(np.int64)
            array = (np.cumsum(table, axis=0) % 256**kind.itemsize).astype(kind).ravel()
        return array.reshape(-1, columns) if columns > 1 else array

    def places(layer):
        own = np.array(layer["low"]) + read(layer["places"]) / 65535 * layer["size"]
        return own + header["origin"]

    return header, read, places


def test_places_triangles_and_grades_come_out_as_they_went_in():
    rng = np.random.default_rng(3)
    vertices = PLACE + rng.uniform(0, [1400, 1200, 900], (500, 3))
    triangles = rng.integers(0, 500, (900, 3))
    grades = rng.lognormal(0, 1, 5)
    scene = Scene("A", [Surface("S", vertices, triangles), line(values=grades)])
    header, read, places = opened(render_scene(scene))
    surface, traces = header["layers"]
    assert np.abs(places(surface) - vertices).max() <= 1400 / 65535 / 2 + 1e-5
    assert np.array_equal(read(surface["triangles"]).reshape(-1, 3), triangles)
    assert read(traces["values"]) == pytest.approx(grades[:-1], rel=1e-6)
    assert places(traces)[read(traces["starts"]), 2] == pytest.approx(2500 - np.arange(4) * 10.0)


def test_lines_break_at_missing_points_and_between_holes():
    points = PLACE + np.arange(6)[:, None]
    points[2] = np.nan
    scene = Scene("A", [Traces("Holes", ["a", "a", "a", "a", "b", "b"], points)])
    header, read, places = opened(render_scene(scene))
    layer = header["layers"][0]
    begins, ends = (places(layer)[read(layer[key])][:, 0] - PLACE[0] for key in ("starts", "ends"))
    assert [*zip(begins.round(3), ends.round(3), strict=True)] == [(0, 1), (4, 5)]
    assert [layer["holes"][code] for code in read(layer["codes"])] == ["a", "b"]


def test_a_missing_grade_is_byte_zero_and_the_scale_keeps_its_ends():
    layer = line(6, values=[1.0, np.nan, 10.0, 100.0, 1000.0, 7.0], scale="log", limits=(1, 100))
    header, read, _ = opened(render_scene(Scene("A", [layer])))
    packed = header["layers"][0]
    assert read(packed["shades"]).tolist() == [1, 0, 128, 255, 255]
    scale = packed["scale"]
    assert (scale["low"], scale["high"], scale["log"]) == (1.0, 100.0, True)
    assert (scale["above"], scale["below"], scale["missing"]) == (True, False, True)


def test_the_same_scene_gives_the_same_bytes():
    scene = Scene("A", [line(values=np.arange(5.0)), Surface("S", SQUARE, HALVES)])
    assert render_scene(scene) == render_scene(scene)


def test_hostile_words_stay_words():
    scene = Scene(
        HOSTILE,
        [
            Traces(HOSTILE, [HOSTILE] * 2, SQUARE[:2], [1.0, 2.0], quantity=HOSTILE, unit=HOSTILE),
            Boxes(HOSTILE, SQUARE[:1], SQUARE[2:3], [HOSTILE], [{HOSTILE: HOSTILE}]),
            Points(HOSTILE, SQUARE[:1], [HOSTILE]),
            Surface(HOSTILE, SQUARE, HALVES, note=HOSTILE),
        ],
        note=HOSTILE,
        crs=HOSTILE,
    )
    html = render_scene(scene, report="javascript:alert(1).html")
    assert html.count("<script") == html.count("</script>") == 3
    assert "<img" not in html
    assert 'href="javascript%3Aalert' in html
    assert opened(html)[0]["layers"][0]["name"] == HOSTILE


def test_the_page_loads_nothing_and_runs_only_its_own_script():
    html = render_scene(Scene("A", [line()]))
    script = re.findall(r"<script>(.*?)</script>", html, re.S)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in html  # noqa: E501  # fmt: skip
    assert not re.search(r"<(?:link|img|iframe|script)[^>]*(?:src|href)=\"(?!data:)", html)
    assert "@import" not in html
    assert set(re.findall(r"https?://[^\s\"']+", html)) == {"http://www.w3.org/2000/svg"}
    assert "innerHTML" not in html


def test_targets_are_also_listed_as_text_for_those_who_do_not_see_the_picture():
    boxes = Boxes("Targets", [PLACE], [PLACE + 50], ["Target 1"], [{"Score": 0.8125}])
    html = render_scene(Scene("A", [boxes]))
    assert "easting 500,000 to 500,050, northing 3,838,000 to 3,838,050" in html
    assert "Score 0.812" in html


def test_too_many_triangles_are_thinned_and_the_page_says_so():
    grid = make_grid((0, 200, 0, 200), 5, elevations=(0, 200))
    axes = np.meshgrid(*(grid[a].to_numpy() for a in ("elevation", "northing", "easting")),
                       indexing="ij")  # fmt: skip
    ball = 80 - np.sqrt(sum((axis - 100) ** 2 for axis in axes))
    mesh = isosurface(add_layer(grid, "depth", ball), "depth", 0.0)
    scene = Scene(
        "A", [Surface("Ball", mesh.vertices, mesh.triangles), Surface("S", SQUARE, HALVES)]
    )
    header, read, _ = opened(render_scene(scene, most_triangles=2000))
    n = sum(len(read(layer["triangles"])) // 3 for layer in header["layers"])
    assert 1000 < n <= 2000
    assert re.match(rf"Surfaces are simplified from {len(mesh) + 2:,} to {n:,} triangles; no point",
                    header["notes"][0])  # fmt: skip


def test_too_many_pieces_are_joined_and_keep_length_times_grade():
    rng = np.random.default_rng(0)
    traces = line(1001, values=rng.lognormal(0, 1, 1001), depths=np.arange(1001) * 10.0)
    header, read, places = opened(render_scene(Scene("A", [traces]), most_segments=300))
    layer = header["layers"][0]
    begins, ends = (places(layer)[read(layer[key])][:, 2] for key in ("starts", "ends"))
    assert len(begins) == 250
    assert ((begins - ends) * read(layer["values"])).sum() == pytest.approx(
        10 * traces.values[:-1].sum(), rel=1e-3
    )
    assert read(layer["depths"])[:2].tolist() == [[0, 40], [40, 80]]
    assert "250 pieces instead of 1,000: up to 4 neighbours" in header["notes"][0]


def test_short_holes_keep_to_the_limit_too():
    holes = np.repeat(np.arange(100), 3)
    points = PLACE + np.arange(300)[:, None]
    header, read, _ = opened(
        render_scene(Scene("A", [Traces("Holes", holes, points)]), most_segments=120)
    )
    assert len(read(header["layers"][0]["starts"])) == 100


def test_a_large_block_model_shows_every_second_cell():
    axes = [np.arange(20) * 10.0] * 3
    layer = Slices("Model", np.arange(8000.0).reshape(20, 20, 20), *axes)
    header, read, _ = opened(render_scene(Scene("A", [layer]), most_cells=2000))
    packed = header["layers"][0]
    assert packed["shape"] == [10, 10, 10]
    assert packed["starts"][0] == [0.0, 20.0]
    assert len(read(packed["shades"])) == 1000
    assert header["notes"] == ["Of the block model Model, every 2nd cell each way is drawn."]


@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_slices_lie_where_the_turned_grid_lies(rotation):
    grid = make_grid((0, 100, 0, 60), 10, elevations=(0, 30), rotation=rotation, origin=(20, 10))
    grid = add_layer(grid, "score", np.ones((3, 6, 10)))
    header, _, _ = opened(render_scene(Scene("A", [grid_slices(grid, "score")])))
    packed = header["layers"][0]
    corner = np.array(packed["corner"]) + header["origin"]
    east, north = (corner + packed["edges"][i] for i in (0, 1))
    true = from_axes(grid, own_corners(grid))  # south-west, south-east, north-west, north-east
    assert np.allclose([corner[:2], east[:2], north[:2]], true[:3], atol=1e-5)
    assert packed["edges"][2] == [0, 0, 30]


def test_an_assayed_interval_starts_and_ends_where_it_was_assayed():
    traces = pd.DataFrame({"hole": "a", "depth": [0.0, 50.0, 100.0], "easting": 0.0,
                           "northing": [0.0, 0.0, 30.0], "elevation": [0.0, -50.0, -90.0]})  # fmt: skip
    intervals = pd.DataFrame({"hole": "a", "from": [10.0, 40.0], "to": [20.0, 60.0], "Au": [5, 7]})
    layer = grade_traces(traces, intervals, "Au", unit="ppm")
    assert layer.depths.tolist() == [0, 10, 20, 40, 50, 60, 100]
    assert layer.values[:-1] == pytest.approx([np.nan, 5, np.nan, 7, 7, np.nan], nan_ok=True)
    assert layer.points[5] == pytest.approx([0, 6, -58])
    assert (layer.quantity, layer.unit) == ("Au", "ppm")


def test_holes_without_assays_are_drawn_plain():
    traces = pd.DataFrame({"hole": ["a", "a"], "depth": [0.0, 9.0], "easting": 0.0,
                           "northing": 0.0, "elevation": [0.0, -9.0]})  # fmt: skip
    assert grade_traces(traces).values is None
    empty = pd.DataFrame({"hole": [], "from": [], "to": [], "Au": []})
    assert np.isnan(grade_traces(traces, empty, "Au").values).all()


def test_shells_and_boxes_are_made_of_targets():
    grid = make_grid((0, 90, 0, 90), 10, elevations=(0, 90))
    score = np.zeros((9, 9, 9))
    score[3:6, 3:6, 3:6] = 0.6
    score[4, 4, 4] = 0.95
    grid = add_layer(grid, "score", score)
    shells = score_shells(grid, "score", [0.5, 0.9, 2.0])
    assert [shell.name for shell in shells] == ["score ≥ 0.9", "score ≥ 0.5"]
    assert [shell.opacity for shell in shells] == [1.0, 0.35]
    boxes = target_boxes(find_targets(grid, medium=0.5, high=0.9).table)
    assert boxes.lows.tolist() == [[30, 30, 30]]
    assert boxes.highs.tolist() == [[60, 60, 60]]
    assert boxes.labels == ["Target 1"]
    assert boxes.facts[0]["Level"] == "high"
    assert boxes.facts[0]["Volume [m³]"] == 27_000


def test_the_report_links_to_its_3d_view():
    report = Report("A", sections=[Section("Model", blocks=[SceneLink(note="<b>Shells</b>")])])
    html = render_report(report)
    assert '<a href="view3d.html">Open the 3D view</a> <span>&lt;b&gt;Shells' in html
    with pytest.raises(ValueError, match="a file beside the report, got 'javascript:alert"):
        SceneLink("javascript:alert(1)")


def test_the_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = write_scene(tmp_path / "view3d.html", Scene("A", [line()]))
    assert path.read_text("utf-8").endswith("</html>")
    monkeypatch.setattr("gossan.report.scene.render_scene", lambda *_, **__: "\ud800")
    with pytest.raises(UnicodeEncodeError):
        write_scene(path, Scene("A", [line()]))
    assert [file.name for file in tmp_path.iterdir()] == ["view3d.html"]
    assert path.read_text("utf-8").endswith("</html>")
    with pytest.raises(FileNotFoundError, match=r"to write the 3D view 'v\.html' into\. Create it"):
        write_scene(tmp_path / "none" / "v.html", Scene("A", [line()]))


BAD = {
    "needs a layer, got none. Give": lambda: Scene("A", []),
    "must be one of Surface, .* got dict": lambda: Scene("A", [{}]),
    "vertices of 'S' must have shape": lambda: Surface("S", [[0, 0]], HALVES),
    "missing or infinite in 1 of 4 rows, first row 2. Drop": lambda: Surface(
        "S", np.where(np.arange(4)[:, None] == 2, np.nan, SQUARE), HALVES
    ),
    "must have shape .m, 3., got .2, 2.": lambda: Surface("S", SQUARE, HALVES[:, :2]),
    "names vertex 4 or 1, but there are 4": lambda: Surface("S", SQUARE, HALVES + 1),
    "must be whole numbers, got float64": lambda: Surface("S", SQUARE, HALVES * 1.0),
    "must be a code like #0072B2, got 'red'": lambda: Surface("S", SQUARE, HALVES, colour="red"),
    "between 0 and 1, got 2. 1 hides": lambda: Surface("S", SQUARE, HALVES, opacity=2),
    "has 3 hole names for 4 places. Take": lambda: Traces("T", ["a"] * 3, SQUARE),
    "has 2 values for 4 places": lambda: Traces("T", ["a"] * 4, SQUARE, [1.0, 2.0]),
    "has 1 labels for 4 places": lambda: Points("P", SQUARE, ["a"]),
    "Box 0 of 'B' is inside out": lambda: Boxes("B", [PLACE], [PLACE - 1], ["1"]),
    "Transpose the values": lambda: Slices("M", np.ones((2, 3, 4)), [0], [0, 1, 2], range(4)),
    "eastings of 'M' are not evenly": lambda: Slices("M", np.ones((1, 1, 3)), [0], [0], [0, 1, 3]),
    "shown must be one of elevation": lambda: Slices(
        "M", np.ones((1, 1, 1)), [0], [0], [0], shown=["level"]
    ),
    "most_triangles must be positive, got 0": lambda: render_scene(
        Scene("A", [line()]), most_triangles=0
    ),
    "lacks the column 'depth'": lambda: grade_traces(pd.DataFrame({"hole": []})),
    "lacks the column 'west'": lambda: target_boxes(pd.DataFrame({"target": []})),
    "no layer 'scor', only score. .*'score'": lambda: grid_slices(
        add_layer(make_grid((0, 9, 0, 9), 3, elevations=(0, 9)), "score", np.ones((3, 3, 3))),
        "scor",
    ),
    "need a grid with elevations, got a map": lambda: grid_slices(make_grid((0, 9, 0, 9), 3), "s"),
}


@pytest.mark.parametrize("words", BAD)
def test_wrong_input_is_answered_in_three_parts(words):
    with pytest.raises((ValueError, TypeError, KeyError), match=words):
        BAD[words]()


def test_a_scene_of_empty_layers_is_a_page():
    nothing = np.zeros((0, 3))
    scene = Scene("A", [Surface("S", nothing, nothing.astype(int)), Traces("T", [], nothing, [])])
    header, _, _ = opened(render_scene(scene))
    assert [layer["content"] for layer in header["layers"]] == ["0 triangles", "0 holes, 0 pieces"]
