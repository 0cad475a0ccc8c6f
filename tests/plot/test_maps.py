from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize
from numpy.typing import NDArray

from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.plot._cells import colours_of
from gossan.plot._planes import cut_plane, thin
from gossan.plot.furniture import round_length
from gossan.plot.maps import (
    map_extent,
    plot_departure,
    plot_map,
    plot_samples,
    plot_spread,
    spread_of,
)
from gossan.plot.scales import departure_norm, grade_norm, is_skewed
from gossan.plot.style import new_axes, to_svg

REGION = (512_000.0, 512_400.0, 4_510_000.0, 4_510_300.0)


def make(rotation: float = 0.0, *, is_3d: bool = False) -> xr.Dataset:
    """Return a grid whose layer "north" is the northing of each cell, and so on."""
    elevations = (200.0, 260.0) if is_3d else None
    grid = make_grid(REGION, 20, elevations=elevations, rotation=rotation)
    places = cell_centres(grid)
    for column, name in enumerate(("east", "north", "up")[: places.shape[1]]):
        grid = add_layer(grid, name, places[:, column])
    grid = add_layer(grid, "north_low", places[:, 1] - 10)
    grid = add_layer(grid, "north_high", places[:, 1] + places[:, 0] / 1e4)
    return add_layer(grid, "north_departure", places[:, 0] - 512_200)


def colour_at(ax: Axes, x: float, y: float) -> NDArray[np.float64]:
    """Return the colour that is seen at a place of the drawn figure."""
    canvas = FigureCanvasAgg(ax.get_figure(root=True))
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())
    column, row = ax.transData.transform((x, y))
    return picture[round(picture.shape[0] - row), round(column), :3] / 255


def seen_value(ax: Axes, x: float, y: float, norm: Normalize, kind: str = "grade") -> float:
    """Return the value whose colour is seen at a place."""
    steps = np.linspace(norm.vmin, norm.vmax, 512)
    colours = colours_of(kind)(norm(steps))[:, :3]
    return float(steps[np.abs(colours - colour_at(ax, x, y)).sum(axis=1).argmin()])


def by_gid(ax: Axes, gid: str) -> Any:
    return next(c for c in ax.collections if c.get_gid() == gid)


def samples_of(grid: xr.Dataset) -> pd.DataFrame:
    names = ["easting", "northing", "elevation"]
    places = cell_centres(grid)
    table = pd.DataFrame(places, columns=names[: places.shape[1]])
    return table.assign(north=places[:, 1])


@pytest.mark.parametrize("rotation", [0.0, 30.0, 90.0, -45.0])
@pytest.mark.parametrize("name", ["east", "north"])
def test_what_is_seen_at_a_place_is_the_cell_of_that_place(rotation: float, name: str) -> None:
    grid = make(rotation)
    norm = grade_norm(grid[name], limits=(float(grid[name].min()), float(grid[name].max())))
    ax = plot_map(grid, name, norm=norm, colour_bar=False, ax=new_axes(6, 5)[0])
    for east, north in cell_centres(grid)[[25, 147, 260]]:
        expected = east if name == "east" else north
        span = norm.vmax - norm.vmin
        assert abs(seen_value(ax, east, north, norm) - expected) < 0.02 * span


def test_north_is_up_and_a_metre_is_as_long_both_ways() -> None:
    ax = plot_map(make(), "north", ax=new_axes()[0])
    assert ax.get_xlim() == REGION[:2]
    assert ax.get_ylim() == REGION[2:]
    assert ax.get_aspect() == 1.0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Easting [m]", "Northing [m]")


@pytest.mark.parametrize(
    ("at", "across", "up"),
    [({"northing": 4_510_110.0}, "Easting", "up"), ({"easting": 512_110.0}, "Northing", "up")],
)
def test_a_section_stands_upright(at: dict, across: str, up: str) -> None:
    grid = make(is_3d=True)
    norm = Normalize(200, 260)
    ax = plot_map(grid, up, at=at, norm=norm, exaggeration=3, colour_bar=False, ax=new_axes()[0])
    middle = np.mean(ax.get_xlim())
    assert seen_value(ax, middle, 210, norm) == pytest.approx(210, abs=2)
    assert seen_value(ax, middle, 250, norm) == pytest.approx(250, abs=2)
    assert ax.get_aspect() == 3.0
    assert across in ax.get_xlabel()
    assert ax.get_ylabel() == "Elevation [m, drawn × 3]"


def test_a_section_of_a_turned_grid_runs_along_the_grid() -> None:
    grid = make(30.0, is_3d=True)
    plane = cut_plane(grid, {"northing": 4_510_110.0})
    assert plane.labels[0] == "W ← Easting along the grid [m] → E"
    x, y, is_near = plane.near(samples_of(grid))
    own = np.meshgrid(grid["elevation"], grid["northing"], grid["easting"], indexing="ij")
    np.testing.assert_allclose(x, own[2].ravel())
    np.testing.assert_allclose(y, own[0].ravel())
    np.testing.assert_array_equal(is_near, (own[1] == 4_510_110.0).ravel())


def test_a_level_shows_the_samples_inside_it() -> None:
    grid = make(is_3d=True)
    ax = plot_map(grid, "north", at={"elevation": 230.0}, samples=samples_of(grid),
                  ax=new_axes()[0])  # fmt: skip
    assert len(by_gid(ax, "measured").get_offsets()) == 20 * 15


def test_reach_brings_in_samples_from_farther_away() -> None:
    grid = make(is_3d=True)
    plane = cut_plane(grid, {"elevation": 230.0}, reach=21.0)
    assert plane.near(samples_of(grid))[2].sum() == 3 * 20 * 15
    assert plane.title == "Level 230 m"


def test_a_sample_wears_the_colour_of_the_cell_it_equals() -> None:
    grid, table = make(), samples_of(make()).iloc[[47]]
    ax = plot_map(grid, "north", samples=table, norm=Normalize(*REGION[2:]), ax=new_axes()[0])
    expected = colours_of("grade")(Normalize(*REGION[2:])(table["north"].to_numpy()))
    np.testing.assert_allclose(by_gid(ax, "measured").get_facecolors(), expected)


def test_censored_samples_are_open_and_missing_ones_are_not_drawn() -> None:
    table = pd.DataFrame(
        {"easting": [1.0, 2, 3, 4], "northing": [1.0, 2, 3, 4], "Cu": [0.5, 2, 3, np.nan]}
    )
    flags = pd.DataFrame({"Cu": [True, False, False, False]})
    ax = plot_samples(table, "Cu", censored=flags, ax=new_axes()[0])
    assert len(by_gid(ax, "measured").get_offsets()) == 2
    np.testing.assert_allclose(by_gid(ax, "censored").get_facecolors(), [[1, 1, 1, 1]])
    assert ax.get_legend().get_texts()[0].get_text() == "open: below the limit"
    bare = plot_samples(table, "Cu", censored=flags, legend=False, ax=new_axes()[0])
    assert bare.get_legend() is None


def test_cells_without_an_estimate_show_the_hatched_ground() -> None:
    grid = make()
    grid["north"] = grid["north"].where(grid["easting"] < 512_200)
    ax = plot_map(grid, "north", colour_bar=False, ax=new_axes()[0])
    assert colour_at(ax, 512_300, 4_510_150).min() > 0.75
    assert ax.patch.get_hatch() == "////"


def test_a_spread_is_high_minus_low_or_percent_of_the_estimate() -> None:
    grid = make_grid((0, 20, 0, 10), 10)
    for name, values in (("Cu", [2.0, 0.0]), ("Cu_low", [1.0, 0.0]), ("Cu_high", [4.0, 3.0])):
        grid = add_layer(grid, name, values)
    np.testing.assert_allclose(spread_of(grid, "Cu"), [[3, 3]])
    np.testing.assert_allclose(spread_of(grid, "Cu", relative=True), [[150, np.nan]])
    ax = plot_spread(grid, "Cu", relative=True, ax=new_axes()[0])
    assert ax.child_axes[0].get_ylabel() == "Width of the 90 % interval\n[% of the estimate]"


def test_departures_are_white_at_zero_and_reach_equally_far() -> None:
    norm = departure_norm([-3.0, 1.0, np.nan])
    assert norm.vmin == -norm.vmax
    assert min(colours_of("departure")(norm(0.0))[:3]) > 0.95
    ax = plot_departure(make(), "north", label="Network − kriging", ax=new_axes()[0])
    assert ax.child_axes[0].get_ylabel() == "Network − kriging [ppm]"
    assert departure_norm().vmax == departure_norm([0.0]).vmax == 1.0


def test_skewed_grades_get_a_log_scale_that_says_so() -> None:
    rng = np.random.default_rng(0)
    grid = make_grid((0, 400, 0, 400), 10)
    grid = add_layer(grid, "Cu", np.exp(rng.normal(3, 1, 1600)))
    ax = plot_map(grid, "Cu", ax=new_axes()[0])
    assert isinstance(ax.images[0].norm, LogNorm)
    assert ax.child_axes[0].get_ylabel() == "Cu [ppm, log scale]"
    linear = plot_map(grid, "Cu", scale="linear", unit="g/t", ax=new_axes()[0])
    assert linear.child_axes[0].get_ylabel() == "Cu [g/t]"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_any_values_get_a_scale_that_rises(values: list[float]) -> None:
    norm = grade_norm(values)
    assert norm.vmax > norm.vmin
    assert np.isfinite(norm([norm.vmin, norm.vmax])).all()


def test_the_scale_is_decided_by_the_first_values_and_spans_all() -> None:
    skewed, even = np.exp(np.arange(8.0)), np.arange(2000.0, 2010.0)
    norm = grade_norm(skewed, even)
    assert isinstance(norm, LogNorm)
    assert norm.vmax > 2000
    assert not isinstance(grade_norm(even, skewed), LogNorm)
    assert (grade_norm().vmin, grade_norm([np.nan]).vmax) == (0.0, 1.0)
    assert not is_skewed([-1.0, 2.0, 500.0])


def test_the_scale_bar_is_a_round_length_on_the_map() -> None:
    ax = plot_map(make(), "north", coordinates=False, ax=new_axes()[0])
    bar = next(line for line in ax.lines if line.get_gid() == "scale bar")
    share = float(np.ptp(bar.get_xdata()))
    assert share * 400 == pytest.approx(100)
    assert [text.get_text() for text in ax.texts] == ["100 m", "N"]
    assert list(ax.get_xticks()) == []


def test_north_and_the_scale_bar_may_be_left_out() -> None:
    def drawn(**options: bool) -> set[str]:
        ax = plot_map(make(), "north", ax=new_axes()[0], **options)
        return {line.get_gid() for line in ax.lines} & {"scale bar", "north"}

    assert drawn() == {"scale bar", "north"}
    assert drawn(north=False) == {"scale bar"}
    assert drawn(scale_bar=False) == {"north"}
    assert drawn(north=False, scale_bar=False) == set()


@pytest.mark.parametrize("plot", [plot_map, plot_spread, plot_departure])
def test_every_map_of_a_grid_bears_north_and_a_scale(plot: Any) -> None:
    for wanted in (True, False):
        ax = plot(make(), "north", north=wanted, scale_bar=wanted, ax=new_axes()[0])
        drawn = {line.get_gid() for line in ax.lines} & {"scale bar", "north"}
        assert drawn == ({"scale bar", "north"} if wanted else set())


def test_a_section_bears_no_north() -> None:
    ax = plot_map(make(is_3d=True), "up", at={"northing": 4_510_110.0}, ax=new_axes()[0])
    assert not any(line.get_gid() in ("north", "scale bar") for line in ax.lines)


@given(st.floats(1e-3, 1e7))
def test_a_round_length_fills_two_fifths_of_the_room_or_more(room: float) -> None:
    assert 0.399 * room <= round_length(room) <= room * 1.001


def test_a_large_map_is_thinned_and_keeps_its_frame() -> None:
    grid = make_grid((0, 1005, 0, 1005), 5)
    grid = add_layer(grid, "east", cell_centres(grid)[:, 0])
    ax = plot_map(grid, "east", most_cells=2000, norm=Normalize(0, 1000), ax=new_axes()[0])
    assert ax.images[0].get_array().size <= 2000
    assert seen_value(ax, 500, 500, Normalize(0, 1000)) == pytest.approx(500, abs=15)
    assert thin(np.zeros((4, 4)), 100)[1] == 1


def test_cells_are_a_small_picture_inside_the_svg() -> None:
    svg = to_svg(plot_map(make(), "north", ax=new_axes()[0]))
    ET.fromstring(svg)  # noqa: S314 - drawn a line above
    pictures = re.findall(r"data:image/png;base64,\s*([^\"]+)", svg)
    assert max(len(picture) for picture in pictures) < 20_000
    assert len(svg) < 60_000
    assert svg == to_svg(plot_map(make(), "north", ax=new_axes()[0]))


def test_a_map_without_samples_or_values_is_drawn() -> None:
    grid = make()
    grid["north"] = grid["north"] * np.nan
    to_svg(plot_map(grid, "north", samples=samples_of(make()).iloc[:0], ax=new_axes()[0]))
    to_svg(plot_samples(samples_of(make()).iloc[:0], "north", ax=new_axes()[0]))


def test_the_inputs_stay_as_they_were() -> None:
    grid, table = make(), samples_of(make())
    copies = grid.copy(deep=True), table.copy()
    plot_map(grid, "north", samples=table, ax=new_axes()[0])
    plot_spread(grid, "north", samples=table, ax=new_axes()[0])
    xr.testing.assert_identical(grid, copies[0])
    pd.testing.assert_frame_equal(table, copies[1])


def test_the_frame_of_a_turned_grid_is_its_bounding_box() -> None:
    west, east, south, north = map_extent(make_grid((0, 100, 0, 50), 10, rotation=90))
    np.testing.assert_allclose([west, east, south, north], [0, 50, -100, 0], atol=1e-9)


@pytest.mark.parametrize(
    ("is_3d", "at", "message"),
    [
        (True, None, "A 3D grid is drawn at one place, got at=None"),
        (True, {"elevation": 210.0, "easting": 1.0}, "A 3D grid is drawn at one place"),
        (True, {"level": 210.0}, "A 3D grid is drawn at one place"),
        (True, {"elevation": 900.0}, "The cut at elevation 900 m lies outside the grid"),
        (False, {"elevation": 210.0}, "A 2D grid has nothing to cut"),
    ],
)
def test_a_wrong_cut_is_refused(is_3d: bool, at: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot_map(make(is_3d=is_3d), "north", at=at, ax=new_axes()[0])


def test_unknown_names_are_refused() -> None:
    grid, table = make(), samples_of(make())
    with pytest.raises(KeyError, match="no layer 'nort' to draw"):
        plot_map(grid, "nort", ax=new_axes()[0])
    with pytest.raises(KeyError, match="no column 'Cu' to draw"):
        plot_samples(table, "Cu", ax=new_axes()[0])
    with pytest.raises(KeyError, match="no column 'northing'"):
        plot_samples(table.drop(columns="northing"), "north", ax=new_axes()[0])
    with pytest.raises(KeyError, match="no column 'easting'"):
        plot_map(grid, "north", samples=table.drop(columns="easting"), ax=new_axes()[0])
    with pytest.raises(ValueError, match="Flags of censored samples have length 2"):
        plot_samples(table, "north", censored=pd.Series([True, False]), ax=new_axes()[0])
    with pytest.raises(ValueError, match="A log scale needs values above zero"):
        grade_norm([-1.0], scale="log")
    with pytest.raises(ValueError, match="scale"):
        grade_norm([1.0], scale="cubic")
