"""Figures of 3D targets: planes through the score with targets and holes.

A grid of scores and targets with tables of drill holes come in; everything that lies near the plane is
drawn on it, and nothing is computed but where it falls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.patheffects import Normal, Stroke
from matplotlib.transforms import Transform
from numpy.typing import NDArray

from gossan._checks import check_option
from gossan.plot._cells import add_colour_bar, data_of, draw_cells, frame_plane
from gossan.plot._planes import Plane, cut_plane
from gossan.plot.maps import MOST_CELLS
from gossan.plot.scales import grade_norm
from gossan.plot.style import INK, axes_or_new, plain

ORE = "#D55E00"
_FAULT = "#2b2f36"
_PLATE: dict[str, Any] = {"fc": "white", "ec": "none", "alpha": 0.8}  # under words on a map
_NUMBERED = 12  # targets of a plane that bear their number
_NAMED = 10  # holes of a section that bear their name
_APART = 0.07  # of the frame, between two names


def plot_targets(
    grid: xr.Dataset,
    name: str = "score",
    *,
    at: Mapping[str, float] | None = None,
    targets: str = "target",
    traces: pd.DataFrame | None = None,
    planned: pd.DataFrame | None = None,
    ore: pd.DataFrame | None = None,
    faults: str = "",
    cuts: Mapping[str, float] | None = None,
    reach: float | None = None,
    kind: str = "grade",
    norm: Normalize | None = None,
    label: str = "Score",
    coordinates: bool = True,
    north: bool = True,
    scale_bar: bool = True,
    colour_bar: bool = True,
    names: bool = False,
    most_cells: int = MOST_CELLS,
    ax: Axes | None = None,
) -> Axes:
    """Plan, level or section of a score with targets outlined and the drill holes near it.

    Parameters
    ----------
    grid : Dataset
        Dims (northing, easting) for a plan, or (elevation, northing, easting) to be cut.
    name : str
        Layer to colour.
    at : mapping, optional
        Where a 3D grid is cut: one of "elevation", "northing", "easting" to its coordinate [m].
    targets : str
        Layer of target numbers, 0 for none: outlined and numbered; empty or missing: none are.
    traces : DataFrame, optional
        Drilled holes: `hole`, `easting`, `northing`, `elevation` [m], down each hole; on a cut, the
        pieces near it.
    planned : DataFrame, optional
        Holes that are suggested, in the same columns: drawn dashed.
    ore : DataFrame, optional
        Samples that are ore: `easting`, `northing`, `elevation` [m]; those near the cut are dots.
    faults : str
        Layer with the distance to the nearest fault [m]: cells that a fault passes are shaded.
    cuts : mapping, optional
        Other planes to mark with a dashed line, as `at`.
    reach : float, optional
        Distance from the cut within which holes and samples are shown [m]; half a cell by default.
    kind : {"grade", "spread"}
        Colours: of scores and grades, or pale where it is sure and dark where it is not.
    norm : Normalize, optional
        Colour scale of several panels; by default that of this plane.
    label : str
        Of the colours, with the unit.
    coordinates, north, scale_bar, colour_bar, most_cells
        As of `gossan.plot.plot_map`.
    names : bool
        Name the holes at the upper end of what is shown of them.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, of equal aspect.

    Raises
    ------
    KeyError
        If the grid lacks the layer, or a table a coordinate.
    ValueError
        If a 3D grid is not cut within it, or the kind is unknown.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> from gossan.plot.style import new_axes
    >>> grid = add_layer(make_grid((0, 20, 0, 10), 10), "score", [0.2, 0.9])
    >>> ax = plot_targets(add_layer(grid, "target", [0, 1]), ax=new_axes()[0])
    >>> [text.get_text() for text in ax.texts if text.get_gid() == "target"]
    ['1']
    """
    check_option("kind", kind, ("grade", "spread"))
    ax = axes_or_new(ax, (5.4, 4.6))
    plane = cut_plane(grid, at, reach=reach)
    cells = plane.cells(name)
    norm = grade_norm(cells, scale="linear") if norm is None else norm
    draw_cells(ax, plane, cells, norm, kind=kind, most_cells=most_cells)
    if faults and faults in grid:
        _shade_faults(ax, plane, np.where(np.isfinite(cells), plane.cells(faults), np.nan))
    if traces is not None and len(traces):
        _draw_holes(ax, plane, traces, names=names)
    if ore is not None and len(ore):
        _draw_ore(ax, plane, ore)
    if planned is not None and len(planned):
        _draw_planned(ax, plane, planned)
    if targets and targets in grid:
        draw_outlines(ax, plane, plane.cells(targets))
    frame_plane(ax, plane.extent, plane.labels, is_map=plane.is_map, coordinates=coordinates,
                north=north, scale_bar=scale_bar)  # fmt: skip
    for axis, place in (cuts or {}).items():
        _mark_cut(ax, plane, axis, place)
    if colour_bar:
        add_colour_bar(ax, norm, kind, label, cells)
    return ax


def _edges(plane: Plane, shape: tuple[int, int]) -> tuple[NDArray, NDArray]:
    left, right, bottom, top = plane.own_extent
    return np.linspace(left, right, shape[1] + 1), np.linspace(bottom, top, shape[0] + 1)


def draw_outlines(
    ax: Axes, plane: Plane, numbers: NDArray[np.float64], *, first: Sequence[int] = ()
) -> None:
    """Draw lines along the edges of cells where one target ends, and write each number once.

    Of many targets, those named as `first` are numbered before the others.
    """
    outline_cells(
        ax, numbers, *_edges(plane, numbers.shape), transform=data_of(ax, plane), first=first
    )


def outline_cells(
    ax: Axes,
    numbers: NDArray[np.float64],
    x: NDArray,
    y: NDArray,
    *,
    transform: Transform,
    first: Sequence[int] = (),
) -> None:
    """Draw the outlines of numbered cells between the edges `x` and `y`, each number once."""
    held = np.nan_to_num(numbers).astype(int)
    framed = np.pad(held, 1)
    rows, columns = np.nonzero(framed[1:-1, 1:] != framed[1:-1, :-1])
    upright = np.stack([np.stack([x[columns], y[rows]], 1), np.stack([x[columns], y[rows + 1]], 1)])
    rows, columns = np.nonzero(framed[1:, 1:-1] != framed[:-1, 1:-1])
    level = np.stack([np.stack([x[columns], y[rows]], 1), np.stack([x[columns + 1], y[rows]], 1)])
    segments = np.concatenate([upright, level], axis=1).transpose(1, 0, 2)
    for colour, width in (("white", 1.9), (INK, 0.9)):
        lines = LineCollection(list(segments), colors=colour, linewidths=width, capstyle="round",
                               transform=transform, zorder=5, gid="outline")  # fmt: skip
        ax.add_collection(lines, autolim=False)
    there = [int(number) for number in np.unique(held) if number > 0]
    ranked = [number for number in first if number in there]
    shown = list(dict.fromkeys([*ranked, *there]))[:_NUMBERED]
    for number in shown:
        up, across = np.nonzero(held == number)
        middle = np.argmin((up - up.mean()) ** 2 + (across - across.mean()) ** 2)
        place = (
            (x[across[middle]] + x[across[middle] + 1]) / 2,
            (y[up[middle]] + y[up[middle] + 1]) / 2,
        )
        ax.text(*place, f"{number}", transform=transform, ha="center", va="center", fontsize=8,
                fontweight="bold", color=INK, zorder=8, clip_on=True, gid="target",
                bbox=_PLATE | {"boxstyle": "round,pad=0.12"})  # fmt: skip


def _pieces(
    plane: Plane, traces: pd.DataFrame
) -> list[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Return the name of each hole that comes near the plane, and its path, broken where it does not."""
    x, y, is_near = plane.near(traces)
    pieces = []
    for hole, rows in traces.groupby(traces["hole"].astype(str), sort=False).indices.items():
        if is_near[rows].any():
            shown = np.where(is_near[rows], 1.0, np.nan)
            pieces.append((str(hole), x[rows] * shown, y[rows] * shown))
    return pieces


def _joined(pieces: Sequence[tuple[str, NDArray, NDArray]]) -> tuple[NDArray, NDArray]:
    """Return all paths as one, a gap between each two."""
    across = [np.append(x, np.nan) for _, x, _ in pieces]
    up = [np.append(y, np.nan) for _, _, y in pieces]
    return np.concatenate(across), np.concatenate(up)


def _draw_holes(ax: Axes, plane: Plane, traces: pd.DataFrame, *, names: bool) -> None:
    pieces = _pieces(plane, traces)
    if not pieces:
        return
    ax.plot(*_joined(pieces), color="white", linewidth=0.9, zorder=3, gid="holes",
            path_effects=[Stroke(linewidth=1.9, foreground=INK, alpha=0.55), Normal()],
            solid_capstyle="round")  # fmt: skip
    firsts = [_first(x, y) for _, x, y in pieces]
    if plane.is_map:  # a steep hole is but a point from above
        ax.scatter([x for x, _ in firsts], [y for _, y in firsts], s=7, c="white", edgecolors=INK,
                   linewidths=0.6, zorder=4, gid="collars")  # fmt: skip
    if names:
        name_holes(ax, plane.extent, [hole for hole, *_ in pieces], firsts)


def _first(x: NDArray, y: NDArray) -> tuple[float, float]:
    place = int(np.argmax(np.isfinite(x)))
    return float(x[place]), float(y[place])


def name_holes(
    ax: Axes,
    extent: tuple[float, float, float, float],
    holes: Sequence[str],
    places: Sequence[tuple[float, float]],
) -> None:
    """Write the names of holes that have room, from the highest down."""
    left, right, bottom, top = extent
    taken: list[tuple[float, float]] = []
    for hole, (x, y) in sorted(zip(holes, places, strict=True), key=lambda each: -each[1][1]):
        own = (x - left) / (right - left), (y - bottom) / (top - bottom)
        is_free = all(abs(own[0] - a) > 2 * _APART or abs(own[1] - b) > _APART for a, b in taken)
        if is_free and len(taken) < _NAMED:
            taken.append(own)
            near_top = own[1] > 0.93  # there the name would run into the title
            ax.annotate(plain(hole, longest=14), (x, y), xytext=(0, -3 if near_top else 3),
                        ha="center", va="top" if near_top else "bottom",
                        textcoords="offset points", fontsize=6.2, color=INK, zorder=7, gid="name",
                        bbox=_PLATE | {"boxstyle": "square,pad=0.08"})  # fmt: skip


def _draw_planned(ax: Axes, plane: Plane, planned: pd.DataFrame) -> None:
    pieces = _pieces(plane, planned)
    if not pieces:
        return
    x, y = _joined(pieces)
    ax.plot(x, y, color="white", linewidth=2.2, zorder=6)
    ax.plot(x, y, color=ORE, linewidth=1.3, linestyle=(0, (3, 1.2)), zorder=6, gid="planned")
    starts = [
        (x[0], y[0]) for _, x, y in pieces if np.isfinite(x[0])
    ]  # else it comes from elsewhere
    ax.scatter([x for x, _ in starts], [y for _, y in starts], marker="v", s=26, c=ORE,
               edgecolors="white", linewidths=0.6, zorder=7, gid="planned collars")  # fmt: skip


def _draw_ore(ax: Axes, plane: Plane, ore: pd.DataFrame) -> None:
    x, y, is_near = plane.near(ore)
    ax.scatter(x[is_near], y[is_near], s=13, c=ORE, edgecolors="white", linewidths=0.5, zorder=4,
               gid="ore")  # fmt: skip


def _shade_faults(ax: Axes, plane: Plane, distances: NDArray[np.float64]) -> None:
    """Shade what a fault passes: its surface is hardly farther from the middle than half a cell."""
    x, y = _edges(plane, distances.shape)
    least = 0.6 * max(float(x[1] - x[0]), float(y[1] - y[0]))
    known = np.ma.masked_invalid(distances)
    if not (known <= least).any():
        return
    shaded = ax.contourf((x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2, known, levels=[-1.0, least],
                         colors=[_FAULT], alpha=0.45, zorder=2)  # fmt: skip
    shaded.set_gid("faults")
    shaded.set_transform(data_of(ax, plane))


def _mark_cut(ax: Axes, plane: Plane, axis: str, place: float) -> None:
    draw = {plane.across: ax.axvline, plane.up: ax.axhline}.get(axis)
    if draw is not None:
        draw(place, color="white", linewidth=1.8, alpha=0.75, zorder=3)
        draw(place, color=INK, linewidth=1.0, linestyle=(0, (6, 3)), zorder=3, gid="cut")
