"""The 3D view in a real browser without a network: drawn, turned, pointed at, without complaint."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from gossan.report import Boxes, Points, Scene, Slices, Surface, Traces, write_scene

HOSTILE = "<script>window.taken=1</script><img src=x onerror='window.taken=1'>"
ORIGIN = np.array([500_000.0, 3_838_000.0, 2000.0])
GROUND = "[241, 243, 245]"  # --ground of the light theme
COUNT_DRAWN = f"""(() => {{
  const g = scene3d.gl, n = g.drawingBufferWidth * g.drawingBufferHeight;
  scene3d.draw();
  const pixels = new Uint8Array(4 * n);
  g.readPixels(0, 0, g.drawingBufferWidth, g.drawingBufferHeight, g.RGBA, g.UNSIGNED_BYTE, pixels);
  let drawn = 0; const ground = {GROUND};
  for (let i = 0; i < 4 * n; i += 4) {{
    drawn += Math.abs(pixels[i] - ground[0]) + Math.abs(pixels[i + 1] - ground[1])
      + Math.abs(pixels[i + 2] - ground[2]) > 6;
  }}
  return drawn / n;
}})()"""


def at(east, north, up):
    """Return a place [m] by its distances from the corner of the scene."""
    return ORIGIN + np.array([east, north, up])


def chromium():
    """Return the driver of the browser, a module beside this one."""
    path = Path(__file__).with_name("chromium.py")
    spec = importlib.util.spec_from_file_location("chromium", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scene():
    """Return a scene with each kind of layer, in a box of 1000 m, and hostile names."""
    corners = ORIGIN + np.array([[0, 0, 500], [1000, 0, 500], [1000, 1000, 0], [0, 1000, 0]])
    depths = np.arange(0, 1001, 100.0)
    hole = ORIGIN + np.stack([250 + 0 * depths, 250 + 0 * depths, 1000 - depths], axis=1)
    cells = np.full((10, 10, 10), 5.0)
    cells[:, 7, :] = 9.0
    cells[9] = np.nan
    centres = np.arange(50, 1000, 100.0)
    return Scene(
        HOSTILE,
        [
            Boxes("Targets", [ORIGIN + 600], [ORIGIN + 900], [HOSTILE], [{"Why": HOSTILE}]),
            Traces(HOSTILE, [HOSTILE] * 11, hole, 10.0 * np.arange(1, 12), depths, "Au", "ppm"),
            Surface("Fault", corners, [[0, 1, 2], [0, 2, 3]], opacity=0.5, note="interpreted"),
            Slices("Model", cells, *(ORIGIN[[2, 1, 0], None] + centres), quantity="Score"),
            Points("Old pits", [at(900, 100, 1000)], [HOSTILE]),
        ],
        note=HOSTILE,
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    driver = chromium()
    try:
        window = driver.Chromium(folder, (1200, 800))
    except FileNotFoundError as error:
        pytest.skip(f"{error} to open the view with")
    except (OSError, RuntimeError, TimeoutError) as error:
        pytest.skip(f"the browser does not start here: {error}")
    window.folder = folder
    window.page = write_scene(folder / "view3d.html", scene(), report="report.html")
    window.open(window.page)
    yield window
    window.close()


@pytest.fixture
def view(browser):
    """Return the browser with the view as it was at first."""
    browser.run("""for (const box of document.querySelectorAll('#panel .head input'))
                     if (!box.checked) box.click();""")
    browser.run("document.querySelector('[data-view=reset]').click()")
    browser.key("Escape")
    browser.frame()
    return browser


def place_on_window(view, point):
    """Return where a true place [m] stands in the window [px]."""
    own = (np.asarray(point) - (ORIGIN + 500)).tolist()
    return view.run(f"""(() => {{
      const p = scene3d.project({own}), r = document.getElementById('view').getBoundingClientRect();
      return [p[0] + r.left, p[1] + r.top];
    }})()""")


def test_the_first_frame_is_drawn_without_a_complaint_or_a_request(browser):
    assert browser.run("document.documentElement.dataset.drawn") == "yes"
    assert browser.complaints() == []
    assert browser.requests() == [browser.page.as_uri()]


def test_the_picture_is_not_blank(view):
    assert 0.05 < view.run(COUNT_DRAWN) < 0.95
    assert len(view.picture()) > 30_000


def test_hostile_words_are_shown_and_do_not_run(view):
    assert view.run("window.taken") is None
    assert view.run("document.title") == HOSTILE
    assert view.run("document.querySelector('.tag').textContent") == HOSTILE
    assert view.run("document.querySelectorAll('img').length") == 0


def test_the_plan_is_in_scale_with_north_up(view):
    view.key("1")
    west, east, north = (
        place_on_window(view, at(*offset)) for offset in ([0, 0, 500], [1000, 0, 500], [0, 1000, 0])
    )
    assert east[0] - west[0] == pytest.approx(west[1] - north[1], rel=1e-6)
    assert north[0] == pytest.approx(west[0])
    assert view.run("scene3d.camera.parallel") is True


def test_a_section_looking_north_has_east_on_the_right_and_stretches_heights(view):
    view.key("2")
    low, high = (place_on_window(view, at(1000, 0, z)) for z in (0, 1000))
    middle = place_on_window(view, ORIGIN + 500)
    assert low[0] > middle[0]
    view.run("""(() => { const tall = document.getElementById('tall'); tall.value = 3;
                 tall.dispatchEvent(new Event('input')); })()""")
    view.frame()
    tall_low, tall_high = (place_on_window(view, at(1000, 0, z)) for z in (0, 1000))
    assert tall_low[1] - tall_high[1] == pytest.approx(3 * (low[1] - high[1]))
    view.run("""(() => { const tall = document.getElementById('tall'); tall.value = 1;
                 tall.dispatchEvent(new Event('input')); })()""")


def test_a_piece_that_is_pointed_at_tells_its_hole_grade_and_depth(view):
    view.mouse("Moved", *place_on_window(view, at(250, 250, 950)))
    view.frame()
    view.frame()
    assert view.run("document.getElementById('hint').hidden") is False
    told = view.run("document.getElementById('hint').textContent")
    assert told == f"{HOSTILE}Au: 10 ppmDepth: 0 to 100 m"


def test_a_click_pins_a_card_with_true_coordinates(view):
    view.click(*place_on_window(view, at(250, 250, 950)))
    told = view.run("[...document.querySelectorAll('#picked dd')].map(d => d.textContent)")
    assert told[:2] == ["10 ppm", "0 to 100 m"]
    easting, northing, elevation = (float(text[:-2].replace(",", "")) for text in told[-3:])
    assert [easting, northing] == pytest.approx([500_250, 3_838_250], abs=0.2)
    assert elevation == pytest.approx(2950, abs=5)
    view.key("Escape")
    assert view.run("document.getElementById('picked').hidden") is True


def test_a_target_tells_its_facts(view):
    view.run("document.querySelector('.tag').click()")
    assert view.run("document.querySelector('#picked dd').textContent") == HOSTILE


def test_a_slice_tells_the_score_of_the_cell_and_moves(view):
    view.key("1")
    for layer in (1, 2):  # traces and fault off
        view.run(f"document.querySelectorAll('#panel .head input')[{layer}].click()")
    place = at(520, 750, 550)
    view.click(*place_on_window(view, place))
    assert view.run("document.querySelector('#picked dd').textContent") == "9"
    view.click(*place_on_window(view, at(520, 450, 550)))
    assert view.run("document.querySelector('#picked dd').textContent") == "5"
    view.run("""(() => { const level = document.querySelector('[aria-label="Level of the slice"]');
                 level.value = 9; level.dispatchEvent(new Event('input')); })()""")
    view.click(*place_on_window(view, place))  # nothing is known on the topmost level
    assert view.run("document.getElementById('picked').hidden") is True
    assert (
        view.run("""document.querySelector('[aria-label="Level of the slice"]')
                       .getAttribute('aria-valuetext')""")
        == "2,950 m"
    )
    view.run("""(() => { const level = document.querySelector('[aria-label="Level of the slice"]');
                 level.value = 5; level.dispatchEvent(new Event('input')); })()""")


def test_a_click_on_a_surface_tells_what_it_is_and_where(view):
    view.key("1")
    view.run("document.querySelectorAll('#panel .head input')[3].click()")  # slices off
    view.click(*place_on_window(view, at(400, 500, 250)))
    assert view.run("document.querySelector('#picked h2').textContent") == "Fault"
    told = view.run("document.querySelector('#picked dl').lastChild.textContent")
    assert float(told[:-2].replace(",", "")) == pytest.approx(2250, abs=1)


def test_the_lowest_grade_has_the_first_colour_and_not_that_of_a_missing_one(view):
    x, y = place_on_window(view, at(250, 250, 950))
    red, green, blue = view.run(f"""(() => {{
      const g = scene3d.gl, r = document.getElementById('view').getBoundingClientRect();
      const pixel = new Uint8Array(4), from = [{x} - r.left, r.bottom - {y}].map(Math.round);
      scene3d.draw();
      g.readPixels(...from, 1, 1, g.RGBA, g.UNSIGNED_BYTE, pixel);
      return [...pixel].slice(0, 3);
    }})()""")
    assert red < 100 > blue > green < 30  # the dark violet of viridis, shaded


def test_layers_can_be_switched_off(view):
    whole = view.run(COUNT_DRAWN)
    for layer in range(5):
        view.run(f"document.querySelectorAll('#panel .head input')[{layer}].click()")
    assert view.run(COUNT_DRAWN) < 0.5 * whole  # axes are left
    assert view.run("document.getElementById('legend').childElementCount") == 0


def test_dragging_turns_shift_moves_and_the_wheel_zooms(view):
    before = view.run("({...scene3d.camera})")
    view.drag(500, 400, 100, 40)
    turned = view.run("({...scene3d.camera})")
    assert turned["azimuth"] != before["azimuth"]
    assert turned["tilt"] > before["tilt"]
    assert turned["target"] == before["target"]
    view.mouse("Wheel", 500, 400, deltaX=0, deltaY=-120)
    view.frame()
    assert view.run("scene3d.camera.distance") < turned["distance"]
    view.key("ArrowLeft")
    assert view.run("scene3d.camera.azimuth") == (turned["azimuth"] - 5) % 360
    view.key("0")
    assert view.run("scene3d.camera.azimuth") == before["azimuth"]


def test_zooming_keeps_the_place_under_the_pointer(view):
    view.key("1")
    place = at(800, 300, 500)
    x, y = place_on_window(view, place)
    view.mouse("Wheel", x, y, deltaX=0, deltaY=-100)
    view.frame()
    assert place_on_window(view, place) == pytest.approx([x, y], abs=0.6)


def test_a_slow_machine_turns_coarse_surfaces_and_ends_with_fine_ones(view):
    view.run("scene3d.pace.late = 2")
    view.drag(500, 400, 30, 10)
    assert view.run("scene3d.pace.hurried") is True
    assert view.run("scene3d.layers.find(own => own.kind === 'surface').coarse.n") == 6
    view.wait("!scene3d.pace.hurried")
    view.frame()
    assert view.run("scene3d.gl.drawingBufferWidth") == view.run(
        "document.getElementById('stage').clientWidth"
    )
    view.run("scene3d.pace.late = 0")


def test_the_picture_follows_the_window(view):
    view.resize(500, 700, dense=2)
    view.wait("scene3d.gl.drawingBufferWidth === 2 * document.getElementById('stage').clientWidth")
    assert view.run("document.documentElement.scrollWidth") <= 500
    view.resize(1200, 800)
    view.wait("scene3d.gl.drawingBufferWidth === document.getElementById('stage').clientWidth")


def test_the_ground_can_be_dark(view):
    view.key("d")
    assert view.run("document.documentElement.dataset.theme") == "dark"
    assert view.run(COUNT_DRAWN) > 0.98  # measured against the light ground
    view.key("d")


def test_controls_have_names_for_those_who_do_not_see_them(view):
    assert (
        view.run("""[...document.querySelectorAll('button, input')].filter(own =>
      !(own.textContent.trim() || own.getAttribute('aria-label') || own.closest('label'))).length""")
        == 0
    )
    assert view.run("document.querySelector('.scale').getAttribute('aria-label')") == (
        "Au from 12.7 ppm to 98 ppm"
    ) or view.run("document.querySelector('.scale').getAttribute('aria-label')").startswith(
        "Au from"
    )


def test_nothing_was_complained_of_in_all_this(browser):
    assert browser.complaints() == []
    assert browser.run("window.taken") is None


def test_a_browser_without_the_newest_functions_draws_it_too(browser):
    older = browser.send(
        "Page.addScriptToEvaluateOnNewDocument", source="delete Uint8Array.fromBase64;"
    )
    browser.open(write_scene(browser.folder / "older.html", scene()))
    assert browser.run("document.documentElement.dataset.drawn") == "yes"
    assert browser.run(COUNT_DRAWN) > 0.05
    browser.send("Page.removeScriptToEvaluateOnNewDocument", identifier=older["identifier"])


def test_without_webgl_the_page_says_so_and_lists_what_it_holds(browser):
    blind = browser.send(
        "Page.addScriptToEvaluateOnNewDocument",
        source="HTMLCanvasElement.prototype.getContext = () => null;",
    )
    page = write_scene(browser.folder / "blind.html", scene())
    browser.open(page)
    assert browser.run("document.documentElement.dataset.drawn") == "never"
    assert "lacks WebGL 2" in browser.run("document.getElementById('message').innerText")
    listed = browser.run("document.getElementById('listing').innerText")
    assert "easting 500,600 to 500,900" in listed
    assert browser.complaints() == []
    browser.send("Page.removeScriptToEvaluateOnNewDocument", identifier=blind["identifier"])
