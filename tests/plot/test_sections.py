from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.plot._section_lines import SectionLine, check_line, ground_along, slice_grid
from gossan.plot.sections import plot_section, section_line
from gossan.plot.style import new_axes

EAST = ((0.0, 0.0), (100.0, 0.0))


def by_gid(ax: Axes, gid: str) -> list:
    return [own for own in (*ax.collections, *ax.lines, *ax.images) if own.get_gid() == gid]


def texts(ax: Axes, gid: str) -> list[str]:
    return [own.get_text() for own in ax.texts if own.get_gid() == gid]


def legend_of(ax: Axes) -> list[str]:
    return [own.get_text() for own in ax.get_legend().get_texts()]


def placed(rows: list[tuple[float, float, float, float, float]], **columns) -> pd.DataFrame:
    """Return upright intervals of (easting, northing, top, bottom, grade)."""
    east, north, top, end, grade = np.array(rows, dtype=float).T
    table = {"easting": east, "northing": north, "elevation": (top + end) / 2, "Au": grade}
    for ending, height in (("from", top), ("to", end)):
        table |= {f"easting_{ending}": east, f"northing_{ending}": north}
        table |= {f"elevation_{ending}": height}
    return pd.DataFrame(table | columns)


def hole(*points: tuple[float, float, float], name: str = "A") -> pd.DataFrame:
    table = pd.DataFrame(points, columns=["easting", "northing", "elevation"], dtype=float)
    return table.assign(hole=name)


def test_a_section_along_the_azimuth_about_a_place():
    start, end = section_line((10.0, 20.0), 30.0, 100.0)
    line = SectionLine(start, end, 1.0)
    assert line.azimuth == pytest.approx(30)
    assert line.length == pytest.approx(100)
    np.testing.assert_allclose(np.mean([start, end], axis=0), (10, 20))


@pytest.mark.parametrize(
    ("azimuth", "sides"), [(90, ("W", "E")), (0, ("S", "N")), (45, ("SW", "NE")), (290, ("E", "W"))]
)
def test_the_ends_bear_their_side(azimuth, sides):
    ax = plot_section(None, line=section_line((0, 0), azimuth, 10), width=5,
                      traces=hole((0, 0, 0), (0, 0, -9)), ax=new_axes()[0])  # fmt: skip
    assert texts(ax, "side") == list(sides)
    assert texts(ax, "section")[0].startswith(f"Section {azimuth:03d}°, corridor ± 2.5 m")


@given(st.floats(0, 359), st.floats(-50, 50), st.floats(-50, 50))
def test_distances_are_kept_along_and_across_the_line(azimuth, along, off):
    """A place built from its distances is found at them."""
    line = SectionLine(*section_line((500.0, 900.0), azimuth, 200.0), 10.0)
    angle = np.radians(line.azimuth)
    step = along * np.array([np.sin(angle), np.cos(angle)])
    step += off * np.array([np.cos(angle), -np.sin(angle)])  # to the right of the line
    found = line.place(*(np.array([value]) for value in np.add(line.start, step)))
    np.testing.assert_allclose(np.ravel(found), (along, off), atol=1e-6)


def test_a_trace_is_cut_at_the_walls_of_the_corridor():
    """A hole that crosses the corridor of 20 m at right angles, falling 1 m a metre."""
    line = SectionLine(*EAST, width=20.0)
    (piece,) = line.cut(np.array([(50.0, -30.0, 30.0), (50.0, 30.0, -30.0)]))
    np.testing.assert_allclose(piece, [(50, 10), (50, -10)])


def test_a_trace_that_leaves_and_returns_is_drawn_in_two_pieces():
    line = SectionLine(*EAST, width=20.0)
    points = np.array([(10, 0, 0), (20, 40, -10), (30, 0, -20), (200, 0, -20)], dtype=float)
    first, second = line.cut(points)
    np.testing.assert_allclose(first, [(10, 0), (12.5, -2.5)])
    np.testing.assert_allclose(second, [(27.5, -17.5), (30, -20), (100, -20)])  # ends with the line
    assert line.cut(points + np.array([0, 100, 0])) == []


def test_a_trace_of_unknown_places_is_not_drawn():
    line = SectionLine(*EAST, width=20.0)
    assert line.cut(np.array([(10, 0, 0), (np.nan, 0, -10)], dtype=float)) == []


def test_only_samples_of_the_corridor_are_drawn_where_they_fall():
    table = placed([(20, 4, 10, 0, 1.0), (60, -5, 0, -10, 2.0), (60, 9, 0, -10, 3.0),
                    (120, 0, 0, -10, 4.0), (70, 0, 0, -10, np.nan)])  # fmt: skip
    ax = plot_section(table, "Au", line=EAST, width=10, ax=new_axes()[0])
    (lines,) = by_gid(ax, "grades")
    np.testing.assert_allclose(lines.get_segments(), [[(20, 10), (20, 0)], [(60, 0), (60, -10)]])


def test_samples_below_their_limit_are_open():
    table = placed([(20, 0, 10, 0, 1.0), (60, 0, 0, -10, 2.0)])
    flags = pd.Series([False, True])
    ax = plot_section(table, "Au", line=EAST, width=10, censored=flags, ax=new_axes()[0])
    (core,) = by_gid(ax, "censored")
    np.testing.assert_allclose(core.get_segments(), [[(60, 0), (60, -10)]])
    assert to_hex(core.get_color()[0]) == "#ffffff"
    bars = plot_section(table, "Au", line=EAST, width=10, censored=flags, draw="bars",
                        ax=new_axes()[0])  # fmt: skip
    (polygons,) = by_gid(bars, "bars")
    assert [to_hex(face) == "#ffffff" for face in polygons.get_facecolor()] == [False, True]
    assert "open: below the limit" in legend_of(bars)


def test_bars_stand_across_the_hole_and_are_as_long_as_the_grade_is_high():
    table = placed([(20, 0, 10, 0, 0.0), (20, 0, 0, -10, 5.0), (20, 0, -10, -20, 10.0)])
    from matplotlib.colors import Normalize

    ax = plot_section(table, "Au", line=EAST, width=10, draw="bars", norm=Normalize(0, 10),
                      unit="g/t", ax=new_axes()[0])  # fmt: skip
    (bars,) = by_gid(ax, "bars")
    wide = [np.ptp(path.vertices[:, 0]) for path in bars.get_paths()]
    assert wide == pytest.approx([0.1, 2.5, 5.0])  # 5 % of 100 m; the least shows as a sliver
    tall = [np.ptp(path.vertices[:, 1]) for path in bars.get_paths()]
    assert tall == pytest.approx([10] * 3)
    assert all(path.vertices[:, 0].min() == 20 for path in bars.get_paths())
    assert "Au: bars from 0 to 10 g/t" in legend_of(ax)


def test_bars_are_square_to_a_slanting_hole_as_drawn():
    """On a section stretched twice, run and bar are at right angles once stretched."""
    table = placed([(20, 0, 10, 0, 1.0), (40, 0, 10, 0, 2.0)])
    table["easting_to"] += 8.0
    table["easting"] += 4.0
    ax = plot_section(table, "Au", line=EAST, width=10, draw="bars", exaggeration=2.0,
                      ax=new_axes()[0])  # fmt: skip
    for path in by_gid(ax, "bars")[0].get_paths():
        run, bar = (path.vertices[1] - path.vertices[0]), (path.vertices[2] - path.vertices[1])
        assert np.dot(run * [1, 2], bar * [1, 2]) == pytest.approx(0, abs=1e-9)
        assert bar[0] > 0


def test_exaggeration_is_drawn_and_said():
    trace = hole((20, 0, 0), (20, 0, -50))
    ax = plot_section(None, line=EAST, width=10, traces=trace, exaggeration=2, ax=new_axes()[0])
    assert ax.get_aspect() == 2.0
    assert texts(ax, "section") == ["Section 090°, corridor ± 5 m, vertical exaggeration × 2"]
    assert ax.get_ylabel() == "Elevation [m, drawn × 2]"
    assert plot_section(None, line=EAST, width=10, traces=trace, ax=new_axes()[0]).get_aspect() == 1


def test_ends_bear_their_coordinates_and_holes_their_names():
    traces = pd.concat([hole((20, 0, 0), (20, 0, -50), name="A"),
                        hole((70, 99, 0), (70, 99, -50), name="far")])  # fmt: skip
    line = ((500_000.0, 0.0), (500_100.0, 0.0))
    traces["easting"] += 500_000
    ax = plot_section(None, line=line, width=10, traces=traces, ax=new_axes()[0])
    assert texts(ax, "end") == ["500,000 E\n0 N", "500,100 E\n0 N"]
    assert texts(ax, "name") == ["A"]
    assert ax.get_xlim() == (0, 100)
    bare = plot_section(None, line=line, width=10, traces=traces, names=False, ax=new_axes()[0])
    assert texts(bare, "name") == []


def test_planned_holes_are_dashed_and_named_in_the_legend():
    ax = plot_section(None, line=EAST, width=10, traces=hole((20, 0, 0), (20, 0, -50)),
                      planned=hole((40, 0, 0), (60, 0, -30), name="P"), ax=new_axes()[0])  # fmt: skip
    (planned,) = by_gid(ax, "planned")
    np.testing.assert_allclose(planned.get_segments(), [[(40, 0), (60, -30)]])
    assert legend_of(ax) == ["planned hole"]


def test_rocks_are_drawn_along_the_holes_those_of_this_section_in_the_legend():
    rocks = placed([(20, 0, 10, 0, 0), (20, 0, 0, -10, 0), (20, 99, 0, -9, 0)],
                   lithology=["slate", "dyke", "marble"])  # fmt: skip
    ax = plot_section(None, line=EAST, width=10, traces=hole((20, 0, 10), (20, 0, -10)),
                      lithology=rocks, colours={"dyke": "#112233"}, ax=new_axes()[0])  # fmt: skip
    lines = by_gid(ax, "rocks")[-1]
    np.testing.assert_allclose(lines.get_segments(), [[(20, 10), (20, 0)], [(20, 0), (20, -10)]])
    assert to_hex(lines.get_color()[1]) == "#112233"
    assert legend_of(ax) == ["dyke", "slate"]


def block_model(rotation: float = 0.0):
    grid = make_grid((0, 100, -40, 40), (10, 20, 20), elevations=(-50, 0), rotation=rotation)
    places = cell_centres(grid)
    for name, column in (("east", 0), ("north", 1), ("up", 2)):
        grid = add_layer(grid, name, places[:, column])
    return grid


@pytest.mark.parametrize("rotation", [0.0, 25.0])
@pytest.mark.parametrize("azimuth", [0.0, 62.0, 90.0, 200.0])
def test_the_slice_shows_the_cell_under_each_place(rotation, azimuth):
    """The cell's own centre is never farther from the place than half its diagonal."""
    line = SectionLine(*section_line((40.0, 5.0), azimuth, 60.0), 1.0)
    cut = slice_grid(line, block_model(rotation), most=50)
    n = cut.cells("east").shape[1]
    where = line.at((np.arange(n) + 0.5) * line.length / n)
    away = np.hypot(cut.cells("east")[0] - where[:, 0], cut.cells("north")[0] - where[:, 1])
    known = np.isfinite(away)
    assert known.sum() >= 3
    assert away[known].max() <= np.hypot(10, 10) + 1e-9
    np.testing.assert_allclose(cut.cells("up")[:, known][:, 0], [-45, -35, -25, -15, -5])


def test_beside_the_grid_nothing_is_drawn():
    line = SectionLine((-50.0, 0.0), (50.0, 0.0), 1.0)
    cut = slice_grid(line, block_model(), most=100)
    middle = cut.cells("east").shape[1] // 2
    assert np.isnan(cut.cells("east")[:, :middle]).all()
    assert np.isfinite(cut.cells("east")[:, middle:]).all()
    assert cut.extent == (0.0, 100.0, -50.0, 0.0)


def test_cells_and_targets_of_a_block_model_are_drawn():
    grid = block_model()
    numbers = (cell_centres(grid)[:, 0] > 60) & (cell_centres(grid)[:, 2] > -10)
    grid = add_layer(grid, "target", numbers.astype(int))
    ax = plot_section(None, "east", line=EAST, width=10, grid=grid, unit="m", ax=new_axes()[0])
    (image,) = by_gid(ax, "cells")
    assert image.get_extent() == [0, 100, -50, 0]
    assert float(image.get_array()[0, 0]) == 10.0
    assert texts(ax, "target") == ["1"]
    rim = np.vstack(by_gid(ax, "outline")[0].get_segments())
    np.testing.assert_allclose([rim.min(axis=0), rim.max(axis=0)], [(60, -10), (100, 0)])
    assert legend_of(ax) == ["target"]


def test_grades_over_another_layer_are_bars_in_ink():
    table = placed([(20, 0, -10, -20, 1.0), (20, 0, -20, -30, 2.0)])
    ax = plot_section(table, "Au", line=EAST, width=10, grid=block_model(), layer="east",
                      label="Easting [m]", ax=new_axes()[0])  # fmt: skip
    (bars,) = by_gid(ax, "bars")
    assert len({to_hex(face) for face in bars.get_facecolor()}) == 1
    assert ax.child_axes[0].get_ylabel() == "Easting [m]"


def test_the_ground_runs_between_the_cell_centres_of_its_grid():
    ground = make_grid((0, 100, -20, 20), 20)
    ground = add_layer(ground, "elevation", 0.5 * cell_centres(ground)[:, 0])
    along, height = ground_along(SectionLine((-10.0, 0.0), (90.0, 0.0), 1.0), ground, n=11)
    np.testing.assert_allclose(height, [np.nan, 5, 5, 10, 15, 20, 25, 30, 35, 40, 45])
    assert along[-1] == 100
    ax = plot_section(None, line=EAST, width=10, traces=hole((20, 0, 0), (20, 0, -9)),
                      ground=ground, ax=new_axes()[0])  # fmt: skip
    assert len(by_gid(ax, "ground")) == 1
    assert ax.get_ylim()[1] > 45


def test_the_frame_may_be_given():
    ax = plot_section(None, line=EAST, width=10, traces=hole((20, 0, 0), (20, 0, -9)),
                      elevations=(-100, 50), ax=new_axes()[0])  # fmt: skip
    assert ax.get_ylim() == (-100, 50)


def test_an_empty_corridor_is_still_a_section():
    ax = plot_section(placed([(20, 99, 0, -9, 1.0)]), "Au", line=EAST, width=10,
                      traces=hole((20, 99, 0), (20, 99, -9)), ax=new_axes()[0])  # fmt: skip
    assert ax.get_xlim() == (0, 100)
    assert not by_gid(ax, "grades")[0].get_segments()


def test_what_cannot_be_drawn_is_refused():
    trace = hole((20, 0, 0), (20, 0, -9))
    with pytest.raises(ValueError, match="needs something to draw"):
        plot_section(None, line=EAST, width=10, ax=new_axes()[0])
    with pytest.raises(ValueError, match="runs between two places"):
        check_line(((0, 0), (0, 0)), 10)
    with pytest.raises(ValueError, match="must have a width"):
        plot_section(None, line=EAST, width=0, traces=trace, ax=new_axes()[0])
    with pytest.raises(ValueError, match="cuts a 3D grid"):
        plot_section(None, line=EAST, width=5, grid=make_grid((0, 9, 0, 9), 3), ax=new_axes()[0])
    with pytest.raises(KeyError, match="no layer 'Cu'"):
        plot_section(None, "Cu", line=EAST, width=5, grid=block_model(), ax=new_axes()[0])
    with pytest.raises(KeyError, match="no layer 'elevation'"):
        plot_section(None, line=EAST, width=5, traces=trace, ground=make_grid((0, 9, 0, 9), 3),
                     ax=new_axes()[0])  # fmt: skip
    with pytest.raises(KeyError, match="no column 'easting_from'"):
        plot_section(trace.assign(Au=1.0), "Au", line=EAST, width=5, ax=new_axes()[0])
    with pytest.raises(KeyError, match="no column 'hole'"):
        plot_section(None, line=EAST, width=5, traces=trace.drop(columns="hole"), ax=new_axes()[0])
