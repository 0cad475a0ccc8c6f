"""The map in a real browser without a network: read, pointed at, compared, without complaint."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gossan.data.grids.grid import add_layer, from_axes, make_grid
from gossan.plot.scales import colour_ramp
from gossan.report import (
    MapLayer,
    MapPoints,
    MapView,
    Report,
    Section,
    write_map,
    write_report,
)

HOSTILE = "<script>window.taken=1;alert(1)</script><img src=x onerror='window.taken=1'>"
WEST, SOUTH, CELL = 500_000.0, 4_000_000.0, 1000.0
MAP = "document.querySelector('.gmap').map"
LOW, HIGH = [68, 1, 84, 255], [253, 231, 37, 255]  # the ends of viridis
COMPLETE = "document.documentElement.dataset.drawn"
# Holds once the page has not scrolled for a dozen frames: it may glide after a wheel.
SCROLLED = """new Promise(done => {
  let last = window.scrollY, still = 0;
  const look = () => {
    still = window.scrollY === last ? still + 1 : 0;
    last = window.scrollY;
    if (still > 12) { done(); } else { requestAnimationFrame(look); }
  };
  look();
})"""


def middle(row, column):
    """Return the place of a cell, rows counted from the south."""
    return WEST + CELL * (column + 0.5), SOUTH + CELL * (row + 0.5)


def chromium():
    """Return the driver of the browser, a module beside this one."""
    path = Path(__file__).with_name("chromium.py")
    spec = importlib.util.spec_from_file_location("chromium", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def view():
    """Return a map of 20 x 30 cells: score rises northwards, but for planted cells."""
    region = (WEST, WEST + 30 * CELL, SOUTH, SOUTH + 20 * CELL)
    rows, columns = np.mgrid[:20, :30]
    score = rows / 19.0
    score[2, 3], score[18, 27] = 5.0, np.nan
    grid = add_layer(make_grid(region, CELL, crs="EPSG:32650"), "score", score)
    grid = add_layer(grid, "spread", columns / 29.0, long_name=HOSTILE)
    grid = add_layer(grid, "Au", np.exp(columns / 3.0), units="ppb")
    grid = add_layer(grid, "attribution_Au", np.where(columns > 14, 0.5, -0.25), long_name="Au ")
    grid = add_layer(grid, "target", (rows > 14) & (columns > 20) & (columns < 25))
    grid = add_layer(grid, "supported", columns < 28)
    easting, northing = middle(10, 10)
    known = pd.DataFrame(
        {"easting": [easting], "northing": [northing], "name": [HOSTILE], "grade": [HOSTILE]}
    )
    targets = pd.DataFrame({"target": [1], "area": [20e6], "score": [0.9], "why": [{"Au": -0.5}]})
    fault = pd.DataFrame(
        {"fault": "F1", "easting": [WEST, WEST + 3e4], "northing": [SOUTH, SOUTH + 2e4]}
    )
    return MapView(
        grid,
        [MapLayer("score", limits=(0.0, 1.0)), "spread", "Au", "attribution_Au"],
        points={"Known": known, "Hidden": MapPoints(known, is_visible=False)},
        lines={"Faults": fault},
        polygons={"Targets": targets},
        title=HOSTILE,
        support="supported",
        note=HOSTILE,
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    try:
        window = chromium().Chromium(folder, (1200, 800))
    except FileNotFoundError as error:
        pytest.skip(f"{error} to open the map with")
    except (OSError, RuntimeError, TimeoutError) as error:
        pytest.skip(f"the browser does not start here: {error}")
    window.folder = folder
    window.page = write_map(folder / "map.html", view(), report="report.html")
    window.open(window.page)
    yield window
    window.close()


@pytest.fixture
def page(browser):
    """Return the window with the whole map as it was opened, nothing picked."""
    if not browser.run(f"location.href.endsWith('map.html') && {COMPLETE} === 'yes'"):
        browser.open(browser.page)
    browser.run(f"{MAP}.compare(null); {MAP}.show('score'); {MAP}.choose(null)")
    browser.run("document.querySelector('[data-do=fit]').click()")
    browser.frame()
    return browser


def place(page, row, column, inside=(0.5, 0.5)):
    """Return where a cell is in the window [px]."""
    easting = WEST + CELL * (column + inside[0])
    northing = SOUTH + CELL * (row + inside[1])
    return page.run(
        f"(() => {{ const p = {MAP}.place({easting}, {northing}), r = "
        "document.querySelector('.gm-stage').getBoundingClientRect();"
        "return [p[0] + r.left, p[1] + r.top]; })()"
    )


def colour(page, row, column):
    """Return the colour in the north-west of a cell, off its middle."""
    easting, northing = WEST + CELL * (column + 0.2), SOUTH + CELL * (row + 0.8)
    return page.run(f"(() => {{ const p = {MAP}.place({easting}, {northing});"
                    f"return {MAP}.pixel(p[0], p[1]); }})()")  # fmt: skip


def text(page, selector):
    """Return what an element says."""
    return page.run(f"document.querySelector({selector!r}).innerText")


def test_planted_values_are_read_at_their_place(page):
    def read(key, row, column):
        easting, northing = middle(row, column)
        return page.run(f"{MAP}.read('{key}', {easting}, {northing})")

    assert read("score", 2, 3) == pytest.approx(5.0, abs=1e-4)
    assert read("score", 18, 26) == pytest.approx(18 / 19, abs=1e-4)
    assert page.run(f"Number.isNaN({MAP}.read('score', {middle(18, 27)[0]}, {middle(18, 27)[1]}))")
    assert read("Au", 7, 20) == pytest.approx(np.exp(20 / 3), rel=2e-3)
    assert page.run(f"Number.isNaN({MAP}.read('score', {WEST - 1}, {SOUTH + 1}))")


def test_north_is_up_and_east_to_the_right(page):
    south, north = place(page, 0, 5), place(page, 19, 5)
    assert north[1] < south[1]
    assert place(page, 5, 20)[0] > place(page, 5, 5)[0]
    assert colour(page, 0, 4) == LOW
    assert colour(page, 19, 4) == HIGH
    assert colour(page, 2, 3) == HIGH  # the planted cell among low ones
    assert colour(page, 2, 6) != HIGH


def test_cells_without_data_are_hatched_not_coloured(page):
    red, green, blue, _ = colour(page, 18, 27)
    assert abs(red - green) < 14
    assert abs(green - blue) < 14
    assert red > 180
    assert "no data" in text(page, ".gm-legends")
    assert "not supported by samples" in text(page, ".gm-legends")


def test_pointing_tells_the_value_and_the_coordinates(page):
    page.mouse("Moved", *place(page, 2, 3))
    page.frame()
    page.frame()
    assert text(page, ".gm-hint").split() == [
        "score", "5", *HOSTILE.split(), "0.103",
    ]  # fmt: skip
    where = text(page, ".gm-where")
    assert "E 503,5" in where
    assert "N 4,002,5" in where
    assert "° N" in where
    assert "° E" in where


def test_degrees_are_those_of_pyproj(page):
    pyproj = pytest.importorskip("pyproj")
    easting, northing = middle(3, 25)
    expected = pyproj.Transformer.from_crs(32650, 4326, always_xy=True).transform(easting, northing)
    told = page.run(f"{MAP}.degreesAt({easting} - {MAP}.header.origin[0], "
                    f"{northing} - {MAP}.header.origin[1])")  # fmt: skip
    assert told == pytest.approx(expected, abs=1e-5)


def test_a_clicked_cell_tells_scores_reasons_and_support(page):
    page.click(*place(page, 5, 29))
    card = text(page, ".gm-picked")
    assert card.startswith("×\n") or "Cell" in card
    assert "+0.5" in card
    assert "Not supported by samples" in card
    assert "Au" in card
    page.key("Escape")
    assert page.run("document.querySelector('.gm-picked').hidden")


def test_a_clicked_target_shows_its_card_and_the_list_zooms_there(page):
    before = page.run(f"{MAP}.view.scale")
    page.click(*place(page, 17, 22, (0.1, 0.9)))
    card = text(page, ".gm-picked")
    assert "Target 1" in card
    assert "Area [km²]" in card
    assert "20" in card
    assert "−0.5" in card
    assert page.run(f"{MAP}.view.scale") == before
    page.run("document.querySelector('.gm-list button').click()")
    page.frame()
    assert page.run(f"{MAP}.view.scale") < before / 2
    middle_of_view = page.run(
        f"[{MAP}.view.x + {MAP}.header.origin[0], {MAP}.view.y + {MAP}.header.origin[1]]"
    )
    assert middle_of_view == pytest.approx([WEST + 23 * CELL, SOUTH + 17.5 * CELL], abs=1)


def test_a_clicked_occurrence_shows_its_facts_as_words(page):
    page.click(*place(page, 10, 10))
    assert HOSTILE in text(page, ".gm-picked")
    assert page.run("document.querySelectorAll('.gmap img, .gm-panel script').length") == 0
    assert page.run("window.taken") is None


def test_sets_can_be_hidden(page):
    boxes = page.run(
        "[...document.querySelectorAll('.gm-toggle')].map(own => "
        "[own.innerText.trim().split('\\n')[0], own.querySelector('input').checked])"
    )
    assert [own[0] for own in boxes[:4]] == ["Known", "Hidden", "Targets", "Faults"]
    assert [own[1] for own in boxes[:4]] == [True, False, True, True]
    picked = f"Boolean({MAP}.pick(...{MAP}.place({middle(10, 10)[0]}, {middle(10, 10)[1]}), 9).set)"
    assert page.run(picked)
    page.run("document.querySelector('.gm-toggle input').click()")
    assert not page.run(picked)
    page.run("document.querySelector('.gm-toggle input').click()")


def test_stretches_change_colours_and_legend(page):
    page.run(f"{MAP}.show('Au')")
    page.frame()
    assert "log colours" in text(page, ".gm-title")
    log = colour(page, 3, 15)
    page.run("document.querySelector('.gm-group input[value=linear]').click()")
    page.frame()
    linear = colour(page, 3, 15)
    assert linear != log
    page.run("document.querySelector('.gm-group input[value=percentile]').click()")
    page.frame()
    assert "as much ground each colour" in text(page, ".gm-title")
    # 14 of 30 columns lie lower, and half of its own: the colour of the figures at that share
    expected = colour_ramp("grade", 256)[int(14.5 / 30 * 256)]
    assert "#" + bytes(colour(page, 3, 14)[:3]).hex() == expected
    page.run("document.querySelector('.gm-group input[value=log]').click()")


def test_only_the_highest_stay_coloured(page):
    page.run("""(() => { const own = document.querySelector('.gm-line input[type=range]');
      own.value = 2; own.dispatchEvent(new Event('input')); })()""")
    page.frame()
    assert "below the highest 50 %" in text(page, ".gm-legends")
    assert min(colour(page, 2, 6)[:3]) > 215
    assert colour(page, 19, 4) == HIGH
    page.run("""(() => { const own = document.querySelector('.gm-line input[type=range]');
      own.value = 0; own.dispatchEvent(new Event('input')); })()""")


def test_two_layers_are_swiped(page):
    page.run(f"{MAP}.compare('spread')")
    page.frame()
    assert page.run("document.querySelectorAll('.gm-legend').length") == 2
    assert colour(page, 19, 4) == HIGH  # score, left of the border
    assert colour(page, 0, 28) != LOW  # spread, right of it: high in the east
    left, top, width, height = page.run(
        "(() => { const r = document.querySelector('.gm-divider').getBoundingClientRect();"
        "return [r.left, r.top, r.width, r.height]; })()"
    )
    page.drag(left + width / 2, top + height / 2, 5000, 0)
    assert page.run("document.querySelector('.gm-divider').getAttribute('aria-valuenow')") == "100"
    assert colour(page, 0, 24) == LOW
    page.run("document.querySelector('.gm-divider').focus()")
    page.key("Home")
    assert page.run(f"{MAP}.state.share") == 0
    assert colour(page, 19, 1) != HIGH
    page.run(f"{MAP}.state.share = 0.5")


def test_a_layer_lies_beneath_another(page):
    page.run(f"{MAP}.compare('spread')")
    page.run("document.querySelector('.gm-group input[value=under]').click()")
    page.run(f"{MAP}.state.opacity = 0; {MAP}.draw()")
    sure, unsure = colour(page, 10, 1), colour(page, 10, 27)
    assert sum(sure[:3]) > sum(unsure[:3]) + 200  # spread alone: pale to dark
    page.run(f"{MAP}.state.opacity = 1")
    page.run("document.querySelector('.gm-group input[value=swipe]').click()")


def test_mouse_wheel_and_touch_move_the_map(page):
    x, y = place(page, 10, 12)
    under = page.run(f"{MAP}.view.scale")
    page.send("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-200)
    page.frame()
    assert page.run(f"{MAP}.view.scale") < under
    assert place(page, 10, 12) == pytest.approx([x, y], abs=0.5)  # what is under the pointer stays
    page.drag(x, y, 60, 40)
    assert place(page, 10, 12) == pytest.approx([x + 60, y + 40], abs=0.5)
    before = page.run(f"{MAP}.view.scale")
    touch = [{"x": x - 40, "y": y, "id": 1}, {"x": x + 40, "y": y, "id": 2}]
    page.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=touch)
    for far in (60, 80):
        moved = [{"x": x - far, "y": y, "id": 1}, {"x": x + far, "y": y, "id": 2}]
        page.send("Input.dispatchTouchEvent", type="touchMove", touchPoints=moved)
    page.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.frame()
    assert page.run(f"{MAP}.view.scale") == pytest.approx(before / 2, rel=0.2)


def test_keys_move_zoom_read_and_change_the_layer(page):
    page.run("document.querySelector('.gm-stage canvas').focus()")
    before = page.run(f"[{MAP}.view.x, {MAP}.view.scale]")
    page.key("ArrowRight")
    assert page.run(f"{MAP}.view.x") == pytest.approx(before[0] + 60 * before[1])
    assert "score" in text(page, ".gm-said")
    page.key("+")
    assert page.run(f"{MAP}.view.scale") == pytest.approx(before[1] / 1.4)
    page.key("Enter")
    assert not page.run("document.querySelector('.gm-picked').hidden")
    page.key("]")
    assert page.run("document.querySelector('.gm-choose select').value") == "1"
    page.key("[")
    assert page.run("document.querySelector('.gm-choose select').value") == "0"
    page.key("0")
    assert page.run(f"{MAP}.view.scale") == pytest.approx(before[1])


def test_layers_are_grouped_in_the_list(page):
    groups = page.run("[...document.querySelectorAll('.gm-choose optgroup')].map(own => own.label)")
    assert groups == ["Prospectivity", "Trust", "Elements", "Attribution"]


def test_the_picture_is_a_png_with_its_legend(page):
    address = page.run(f"{MAP}.savePicture()")
    assert address.startswith("data:image/png;base64,")
    assert len(address) > 10_000


def test_controls_have_names_for_those_who_do_not_see_them(page):
    nameless = page.run("""[...document.querySelectorAll('button, input, select')].filter(own =>
      !(own.textContent.trim() || own.getAttribute('aria-label') || own.closest('label'))).length""")
    assert nameless == 0
    label = page.run("document.querySelector('.gm-stage canvas').getAttribute('aria-label')")
    assert label.startswith("Map of score, one of 4 layers of 20 x 30 cells")


def test_the_map_follows_the_window(page):
    page.resize(500, 900, dense=2)
    page.wait(
        "document.querySelector('.gm-stage canvas').width"
        " === 2 * document.querySelector('.gm-stage').clientWidth"
    )
    assert page.run("document.documentElement.scrollWidth") <= 500
    page.frame()
    assert colour(page, 19, 4) == HIGH
    page.resize(1200, 800)
    page.wait(
        "document.querySelector('.gm-stage canvas').width"
        " === document.querySelector('.gm-stage').clientWidth"
    )
    assert page.run("document.documentElement.scrollWidth") <= 1200


def test_nothing_was_loaded_or_complained_of(page):
    assert page.complaints() == []
    assert page.requests() == [page.page.as_uri()]
    assert page.run("window.taken") is None


def test_a_turned_grid_is_drawn_and_read_turned(browser):
    grid = make_grid((WEST, WEST + 1e4, SOUTH, SOUTH + 8e3), CELL, rotation=30.0)
    cells = np.zeros((8, 10))
    cells[6, 2] = 1.0
    page = write_map(browser.folder / "turned.html", MapView(add_layer(grid, "score", cells)))
    browser.open(page)
    own = np.array([[WEST + 2.5 * CELL, SOUTH + 6.5 * CELL]])
    ((easting, northing),) = from_axes(grid, own)
    assert browser.run(f"{MAP}.read('score', {easting}, {northing})") == 1.0
    at = f"{MAP}.pixel(...{MAP}.place({easting}, {northing}))"
    assert browser.run(at) == HIGH
    assert browser.run(at.replace(str(easting), str(easting + 2 * CELL))) == LOW


def test_a_browser_without_the_newest_functions_draws_it_too(browser):
    older = browser.send(
        "Page.addScriptToEvaluateOnNewDocument",
        source="delete Uint8Array.fromBase64; delete window.DecompressionStream;",
    )
    browser.open(write_map(browser.folder / "older.html", view()))
    browser.send("Page.removeScriptToEvaluateOnNewDocument", identifier=older["identifier"])
    assert browser.run(COMPLETE) == "yes"
    easting, northing = middle(2, 3)
    assert browser.run(f"{MAP}.read('score', {easting}, {northing})") == pytest.approx(5, abs=1e-4)
    easting, northing = middle(7, 20)
    assert browser.run(f"{MAP}.read('Au', {easting}, {northing})") == pytest.approx(
        np.exp(20 / 3), rel=2e-3
    )


def test_without_a_canvas_the_page_says_so_and_lists_what_it_holds(browser):
    blind = browser.send(
        "Page.addScriptToEvaluateOnNewDocument",
        source="HTMLCanvasElement.prototype.getContext = () => null;",
    )
    browser.open(write_map(browser.folder / "blind.html", view()))
    browser.send("Page.removeScriptToEvaluateOnNewDocument", identifier=blind["identifier"])
    assert browser.run(COMPLETE) == "never"
    assert "cannot draw" in text(browser, ".gm-message")
    assert "Target 1" in text(browser, ".gm-listing")


def test_a_report_holds_a_map_that_works_and_lets_the_page_scroll(browser):
    report = Report("R", sections=[Section("Map", blocks=[view()])])
    browser.open(write_report(browser.folder / "report.html", report))
    assert browser.run(COMPLETE) == "yes"
    assert colour(browser, 19, 4) == HIGH
    browser.run("document.querySelector('.gm-stage').scrollIntoView()")
    scale = browser.run(f"{MAP}.view.scale")
    x, y = place(browser, 10, 20)
    wheel = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -100}
    browser.send("Input.dispatchMouseEvent", **wheel)
    browser.run(SCROLLED)
    assert browser.run(f"{MAP}.view.scale") == scale
    browser.run("document.querySelector('.gm-stage').scrollIntoView({behavior: 'instant'})")
    browser.run(SCROLLED)
    x, y = place(browser, 10, 20)
    browser.click(x, y)
    browser.wait("document.querySelector('.gmap').classList.contains('active')")
    browser.send("Input.dispatchMouseEvent", **(wheel | {"x": x, "y": y}))
    browser.wait(f"{MAP}.view.scale < {scale}")
    assert browser.complaints() == []
