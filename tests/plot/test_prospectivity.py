from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.axes import Axes

from gossan.data.grids.grid import add_layer, make_grid
from gossan.plot.prospectivity import name_holes, plot_targets
from gossan.plot.style import new_axes, to_svg


def block_model(*, rotation: float = 0.0) -> xr.Dataset:
    """Return 4 x 5 x 6 cells of 10 m with one target of two levels and one of a single cell."""
    grid = make_grid((0, 60, 0, 50), 10, elevations=(100, 140))
    if rotation:
        grid.attrs |= {"rotation": rotation, "origin": (0.0, 0.0)}
    score = np.linspace(0, 1, 120).reshape(4, 5, 6)
    target = np.zeros((4, 5, 6))
    target[1:3, 2, 1:4] = 1
    target[1, 4, 5] = 2
    distance = np.full((4, 5, 6), 40.0)
    distance[:, :, 4] = 2.0
    for name, values in (("score", score), ("target", target), ("fault", distance)):
        grid = add_layer(grid, name, values)
    return grid


def trace(hole: str, *places: tuple[float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(places, columns=["easting", "northing", "elevation"]).assign(hole=hole)


HOLES = pd.concat(
    [
        trace("A", (25.0, 25.0, 138.0), (25.0, 25.0, 120.0), (25.0, 25.0, 104.0)),
        trace("B", (5.0, 5.0, 138.0), (5.0, 5.0, 104.0)),
    ]
)


def texts(ax: Axes, gid: str) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_gid() == gid]


def lines(ax: Axes, gid: str) -> list[Any]:
    return [line for line in ax.lines if line.get_gid() == gid]


def marks(ax: Axes, gid: str) -> np.ndarray:
    found = [np.asarray(c.get_offsets()) for c in ax.collections if c.get_gid() == gid]
    return np.concatenate(found) if found else np.zeros((0, 2))


def outline(ax: Axes) -> set[tuple[tuple[float, float], ...]]:
    (first, *_) = [c for c in ax.collections if c.get_gid() == "outline"]
    return {tuple(sorted(map(tuple, part.tolist()))) for part in first.get_segments()}  # type: ignore[attr-defined]


def test_a_level_has_its_axes_in_metres_and_an_equal_scale() -> None:
    ax = new_axes()[0]
    drawn = plot_targets(block_model(), at={"elevation": 115.0}, ax=ax)
    assert drawn is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Easting [m]", "Northing [m]")
    assert ax.get_aspect() == 1.0
    assert ax.get_xlim() == (0.0, 60.0)


def test_targets_are_outlined_along_the_edges_of_their_cells_and_numbered() -> None:
    ax = plot_targets(block_model(), at={"elevation": 115.0}, ax=new_axes()[0])
    assert texts(ax, "target") == ["1", "2"]
    edges = outline(ax)
    assert len(edges) == 8 + 4  # round 3 x 1 cells, and round one at the corner of the grid
    assert ((10.0, 20.0), (10.0, 30.0)) in edges
    assert ((60.0, 40.0), (60.0, 50.0)) in edges
    assert not any(x == 20.0 and z == 20.0 for (x, _), (z, _) in edges)


def test_sections_say_which_way_they_look() -> None:
    grid = block_model()
    across = plot_targets(grid, at={"northing": 25.0}, ax=new_axes()[0])
    assert across.get_xlabel() == "W ← Easting [m] → E"
    assert across.get_ylabel() == "Elevation [m]"
    along = plot_targets(grid, at={"easting": 25.0}, ax=new_axes()[0])
    assert along.get_xlabel() == "S ← Northing [m] → N"


def test_a_section_shows_the_holes_near_it_and_names_them() -> None:
    ax = plot_targets(
        block_model(), at={"northing": 25.0}, traces=HOLES, names=True, ax=new_axes()[0]
    )
    (line,) = lines(ax, "holes")
    np.testing.assert_array_equal(line.get_xdata()[:3], [25.0, 25.0, 25.0])
    assert len(line.get_xdata()) == 4
    assert texts(ax, "name") == ["A"]
    both = plot_targets(
        block_model(), at={"northing": 25.0}, traces=HOLES, reach=30, ax=new_axes()[0]
    )
    assert len(lines(both, "holes")[0].get_xdata()) == 7


def test_a_plan_shows_all_holes_with_their_collars() -> None:
    plan = block_model().max("elevation", keep_attrs=True)
    ax = plot_targets(plan, traces=HOLES, ax=new_axes()[0])
    np.testing.assert_array_equal(marks(ax, "collars"), [[25, 25], [5, 5]])


def test_a_planned_hole_has_a_triangle_only_where_its_collar_is_shown() -> None:
    planned = trace("to 1", (5.0, 5.0, 138.0), (15.0, 15.0, 125.0), (25.0, 25.0, 112.0))
    near = plot_targets(block_model(), at={"northing": 5.0}, planned=planned, ax=new_axes()[0])
    np.testing.assert_array_equal(marks(near, "planned collars"), [[5, 138]])
    below = plot_targets(block_model(), at={"northing": 25.0}, planned=planned, ax=new_axes()[0])
    assert len(marks(below, "planned collars")) == 0
    assert len(lines(below, "planned")) == 1
    far = plot_targets(block_model(), at={"northing": 45.0}, planned=planned, ax=new_axes()[0])
    assert lines(far, "planned") == []


def test_samples_of_ore_near_the_plane_are_dots() -> None:
    ore = pd.DataFrame(
        {"easting": [5.0, 15.0], "northing": [25.0, 45.0], "elevation": [110.0, 120.0]}
    )
    ax = plot_targets(block_model(), at={"northing": 25.0}, ore=ore, ax=new_axes()[0])
    np.testing.assert_array_equal(marks(ax, "ore"), [[5, 110]])


def test_faults_are_shaded_only_in_rock_and_where_they_are_near() -> None:
    grid = block_model()
    shown = plot_targets(grid, at={"northing": 25.0}, faults="fault", ax=new_axes()[0])
    assert any(c.get_gid() == "faults" for c in shown.collections)
    grid["fault"] = grid["fault"] + 50.0
    none = plot_targets(grid, at={"northing": 25.0}, faults="fault", ax=new_axes()[0])
    assert not any(c.get_gid() == "faults" for c in none.collections)
    grid["fault"], grid["score"] = grid["fault"] * 0, grid["score"] * np.nan
    air = plot_targets(grid, at={"northing": 25.0}, faults="fault", ax=new_axes()[0])
    assert not any(c.get_gid() == "faults" for c in air.collections)


def test_cuts_are_marked_where_they_cross_the_plane() -> None:
    cuts = {"easting": 15.0, "northing": 35.0, "elevation": 115.0}
    ax = plot_targets(block_model(), at={"elevation": 115.0}, cuts=cuts, ax=new_axes()[0])
    assert sorted(float(line.get_xdata()[0]) for line in lines(ax, "cut")) == [0.0, 15.0]


def test_a_grid_without_targets_and_empty_tables_is_drawn_plain() -> None:
    grid = block_model().drop_vars("target")
    ax = plot_targets(grid, at={"elevation": 115.0}, traces=HOLES[:0], ore=HOLES[:0],
                      planned=HOLES[:0], faults="none", colour_bar=False, ax=new_axes()[0])  # fmt: skip
    assert not any(c.get_gid() == "outline" for c in ax.collections)
    assert lines(ax, "holes") == []


def test_a_turned_map_turns_its_outlines() -> None:
    grid = block_model(rotation=30.0)
    ax = plot_targets(grid, at={"elevation": 115.0}, ax=new_axes()[0])
    lines_of = next(c for c in ax.collections if c.get_gid() == "outline")
    corner = lines_of.get_transform().transform([60.0, 0.0]) - ax.transData.transform([0.0, 0.0])
    plain = ax.transData.transform([60 * np.cos(np.pi / 6), -60 * 0.5]) - ax.transData.transform(
        [0, 0]
    )
    np.testing.assert_allclose(corner, plain)


def test_names_from_tables_are_no_formula() -> None:
    holes = HOLES.assign(hole="$x^2 <b>")
    ax = plot_targets(
        block_model(), at={"northing": 25.0}, traces=holes, names=True, ax=new_axes()[0]
    )
    assert "&lt;b&gt;" in to_svg(ax)


def test_what_is_missing_is_named() -> None:
    grid = block_model()
    with pytest.raises(KeyError, match="no layer 'scores'"):
        plot_targets(grid, "scores", at={"elevation": 115.0}, ax=new_axes()[0])
    with pytest.raises(KeyError, match="no column 'elevation'"):
        plot_targets(grid, at={"northing": 25.0}, traces=HOLES.drop(columns="elevation"),
                     ax=new_axes()[0])  # fmt: skip
    with pytest.raises(ValueError, match="drawn at one place"):
        plot_targets(grid, ax=new_axes()[0])
    with pytest.raises(ValueError, match="kind"):
        plot_targets(grid, at={"elevation": 115.0}, kind="colour", ax=new_axes()[0])


def test_the_name_of_a_hole_at_the_top_stays_within_the_panel() -> None:
    ax = new_axes()[0]
    name_holes(ax, (0.0, 100.0, 0.0, 100.0), ["high", "low"], [(20.0, 100.0), (80.0, 40.0)])
    sides = {text.get_text(): (text.get_va(), text.xyann[1]) for text in ax.texts}
    assert sides == {"high": ("top", -3), "low": ("bottom", 3)}
