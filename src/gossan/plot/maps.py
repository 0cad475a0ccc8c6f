"""Maps and sections of what was estimated: grades, their uncertainty, departures, samples.

A 2D grid, or a 3D one with the level or section to cut, comes in; north is up, a metre is as long
both ways (or a section says how it is stretched), cells without an estimate are hatched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from gossan.plot._cells import (
    add_colour_bar,
    draw_cells,
    draw_places,
    draw_samples,
    frame_plane,
    name_panel,
    read_samples,
)
from gossan.plot._planes import Plane, cut_plane
from gossan.plot.scales import departure_norm, grade_label, grade_norm, spread_label
from gossan.plot.style import QUIET, axes_or_new, plain

MOST_CELLS = 40_000  # of one map, more than a screen tells apart

__all__ = [
    "map_extent",
    "name_panel",
    "plot_departure",
    "plot_map",
    "plot_samples",
    "plot_spread",
    "spread_of",
]


def plot_map(
    grid: xr.Dataset,
    name: str,
    *,
    at: Mapping[str, float] | None = None,
    samples: pd.DataFrame | None = None,
    censored: pd.DataFrame | pd.Series | None = None,
    reach: float | None = None,
    unit: str = "ppm",
    norm: Normalize | None = None,
    scale: str = "auto",
    exaggeration: float = 1.0,
    coordinates: bool = True,
    north: bool = True,
    scale_bar: bool = True,
    colour_bar: bool = True,
    most_cells: int = MOST_CELLS,
    ax: Axes | None = None,
) -> Axes:
    """Estimate of an element as a map, a level or a vertical section, with samples in its colours.

    A sample whose colour differs from the cells around it is one that the estimate smooths.

    Parameters
    ----------
    grid : Dataset
        Dims (northing, easting) or (elevation, northing, easting), as of `gossan.data.make_grid`;
        one that is turned is drawn turned.
    name : str
        Layer to draw, and column of `samples`.
    at : mapping, optional
        Where a 3D grid is cut: {"elevation": 105.0} for a level, {"northing": 620.0} or
        {"easting": 310.0} for a section [m].
    samples : DataFrame, optional
        Columns `easting`, `northing` (and `elevation`) [m] and `name`.
    censored : Boolean DataFrame or Series, optional
        True where a sample is a detection limit: drawn open.
    reach : float, optional
        Distance from the cut within which samples are shown [m]; half a cell by default.
    unit : str
        Unit of the layer.
    norm : Normalize, optional
        Colour scale of several panels (`grade_norm`); by default that of this plane and its
        samples.
    scale : {"auto", "linear", "log"}
        Without `norm`: see `grade_norm`.
    exaggeration : float
        How many times a section is stretched upwards; stands on its axis.
    coordinates : bool
        Number the axes of a map. False leaves a scale bar, for small panels.
    north, scale_bar : bool
        Draw a north arrow and a scale bar beside a map, in m or km.
    colour_bar : bool
        Draw the colours beside the map.
    most_cells : int
        Cells drawn at most; of a larger plane every second, third ... cell is.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If the grid has no such layer or the samples no such column.
    ValueError
        If a 3D grid is not cut within it, or flags and samples differ in length.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> from gossan.plot.style import new_axes
    >>> grid = add_layer(make_grid((0, 20, 0, 10), 10), "Cu", [3.0, 4.0])
    >>> ax = plot_map(grid, "Cu", ax=new_axes()[0])
    >>> ax.get_xlim(), ax.get_ylim()
    ((np.float64(0.0), np.float64(20.0)), (np.float64(0.0), np.float64(10.0)))
    """
    ax = axes_or_new(ax, (5.4, 4.6))
    plane = cut_plane(grid, at, reach=reach)
    cells = plane.cells(name)
    marks: dict[str, NDArray] = {}
    if samples is not None:
        values, is_open = read_samples(samples, name, censored)
        x, y, is_near = plane.near(samples)
        marks = {"x": x, "y": y, "values": values, "is_open": is_open}
        marks = {key: column[is_near] for key, column in marks.items()}
    drawn = [*([marks["values"]] if marks else []), cells]
    norm = grade_norm(*drawn, scale=scale) if norm is None else norm
    draw_cells(ax, plane, cells, norm, kind="grade", most_cells=most_cells)
    if marks:
        draw_samples(ax, norm=norm, **marks)
    frame_plane(ax, plane.extent, plane.labels, is_map=plane.is_map, coordinates=coordinates,
                north=north, scale_bar=scale_bar, exaggeration=exaggeration)  # fmt: skip
    if colour_bar:
        add_colour_bar(ax, norm, "grade", grade_label(name, unit, norm), *drawn)
    return ax


def plot_spread(
    grid: xr.Dataset,
    name: str,
    *,
    at: Mapping[str, float] | None = None,
    samples: pd.DataFrame | None = None,
    reach: float | None = None,
    level: float = 0.9,
    relative: bool = False,
    unit: str = "ppm",
    norm: Normalize | None = None,
    label: str = "",
    exaggeration: float = 1.0,
    coordinates: bool = True,
    north: bool = True,
    scale_bar: bool = True,
    colour_bar: bool = True,
    most_cells: int = MOST_CELLS,
    ax: Axes | None = None,
) -> Axes:
    """How unsure the estimate is: width of its interval, pale where it is narrow.

    Parameters
    ----------
    grid : Dataset
        As of `plot_map`, with the layers `name`_low and `name`_high.
    name : str
        Element.
    at, samples, reach, unit, norm, exaggeration, coordinates, north, scale_bar, colour_bar, most_cells
        As of `plot_map`; of samples only the places are drawn.
    level : float
        Coverage that the interval promises.
    relative : bool
        Draw the width in percent of the estimate: of skewed grades the plain width mostly repeats
        the map of grades.
    label : str
        Of the colours, for panels too small for the written one.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If a layer is missing.
    ValueError
        As `plot_map`.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> from gossan.plot.style import new_axes
    >>> grid = make_grid((0, 20, 0, 10), 10)
    >>> for layer, values in (("Cu_low", [1.0, 2.0]), ("Cu_high", [4.0, 3.0])):
    ...     grid = add_layer(grid, layer, values)
    >>> spread_of(grid, "Cu")
    array([[3., 1.]])
    """
    ax = axes_or_new(ax, (5.4, 4.6))
    cells = spread_of(grid, name, at=at, relative=relative)
    norm = grade_norm(cells, scale="linear") if norm is None else norm
    plane = cut_plane(grid, at, reach=reach)
    _draw_layer(ax, plane, cells, norm, kind="spread", most_cells=most_cells, samples=samples,
                coordinates=coordinates, north=north, scale_bar=scale_bar,
                exaggeration=exaggeration)  # fmt: skip
    if colour_bar:
        written = label or spread_label(level, unit, relative=relative)
        add_colour_bar(ax, norm, "spread", written, cells)
    return ax


def map_extent(grid: xr.Dataset) -> tuple[float, float, float, float]:
    """Frame of the grid seen from above: outer edges (west, east, south, north) [m].

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> map_extent(make_grid((0, 100, 0, 50), 10, elevations=(0, 20)))
    (0.0, 100.0, 0.0, 50.0)
    """
    is_3d = "elevation" in grid.sizes
    at = {"elevation": float(grid["elevation"][0])} if is_3d else None
    return cut_plane(grid, at).extent


def spread_of(
    grid: xr.Dataset,
    name: str,
    *,
    at: Mapping[str, float] | None = None,
    relative: bool = False,
) -> NDArray[np.float64]:
    """Width of the interval on a plane, in the unit of the layer or in percent of the estimate.

    Parameters
    ----------
    grid : Dataset
        With the layers `name`_low and `name`_high, and `name` where `relative`.
    name : str
        Element.
    at : mapping, optional
        Where a 3D grid is cut.
    relative : bool
        In percent of the estimate; NaN where that is not positive.

    Returns
    -------
    widths : array of shape (up, across)
    """
    plane = cut_plane(grid, at)
    widths = plane.cells(f"{name}_high") - plane.cells(f"{name}_low")
    if not relative:
        return widths
    estimate = plane.cells(name)
    return 100 * widths / np.where(estimate > 0, estimate, np.nan)


def plot_departure(
    grid: xr.Dataset,
    name: str,
    *,
    at: Mapping[str, float] | None = None,
    unit: str = "ppm",
    label: str = "Network − kriging",
    norm: Normalize | None = None,
    exaggeration: float = 1.0,
    coordinates: bool = True,
    north: bool = True,
    scale_bar: bool = True,
    colour_bar: bool = True,
    most_cells: int = MOST_CELLS,
    ax: Axes | None = None,
) -> Axes:
    """Where one estimate departs from another: purple lower, white equal, orange higher.

    Parameters
    ----------
    grid : Dataset
        As of `plot_map`, with the layer `name`_departure.
    name : str
        Element.
    at, unit, norm, exaggeration, coordinates, north, scale_bar, colour_bar, most_cells
        As of `plot_map`; without `norm` the colours reach equally far both ways, to the 98th
        percentile of the departures.
    label : str
        What was taken from what.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If the layer is missing.
    ValueError
        As `plot_map`.
    """
    ax = axes_or_new(ax, (5.4, 4.6))
    plane = cut_plane(grid, at)
    cells = plane.cells(f"{name}_departure")
    norm = departure_norm(cells) if norm is None else norm
    _draw_layer(ax, plane, cells, norm, kind="departure", most_cells=most_cells, coordinates=coordinates,
                north=north, scale_bar=scale_bar, exaggeration=exaggeration)  # fmt: skip
    if colour_bar:
        add_colour_bar(ax, norm, "departure", f"{label} [{unit}]", cells)
    return ax


def _draw_layer(
    ax: Axes,
    plane: Plane,
    cells: NDArray,
    norm: Normalize,
    *,
    kind: str,
    most_cells: int,
    samples: pd.DataFrame | None = None,
    **frame: Any,
) -> None:
    draw_cells(ax, plane, cells, norm, kind=kind, most_cells=most_cells)
    if samples is not None:
        x, y, is_near = plane.near(samples)
        draw_places(ax, x[is_near], y[is_near])
    frame_plane(ax, plane.extent, plane.labels, is_map=plane.is_map, **frame)


def plot_samples(
    samples: pd.DataFrame,
    name: str,
    *,
    censored: pd.DataFrame | pd.Series | None = None,
    region: tuple[float, float, float, float] | None = None,
    unit: str = "ppm",
    norm: Normalize | None = None,
    scale: str = "auto",
    coordinates: bool = True,
    north: bool = True,
    scale_bar: bool = True,
    colour_bar: bool = True,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Samples where they lie, seen from above, in the colours of their grade.

    Parameters
    ----------
    samples : DataFrame
        Columns `easting`, `northing` [m] and `name`; the highest grades are drawn last.
    name : str
        Element.
    censored : Boolean DataFrame or Series, optional
        True where a sample is a detection limit: drawn open, and said in a legend.
    region : (west, east, south, north), optional
        Frame [m], such as that of the map beside; by default the samples with some room.
    unit, norm, scale, coordinates, north, scale_bar, colour_bar
        As of `plot_map`.
    legend : bool
        Say what open marks mean.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If flags and samples differ in length.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> samples = pd.DataFrame({"easting": [0.0, 9.0], "northing": [0.0, 5.0], "Cu": [1.0, 2.0]})
    >>> ax = plot_samples(samples, "Cu", ax=new_axes()[0])
    >>> ax.get_xlabel()
    'Easting [m]'
    """
    ax = axes_or_new(ax, (5.4, 4.6))
    values, is_open = read_samples(samples, name, censored)
    missing = [axis for axis in ("easting", "northing") if axis not in samples]
    if missing:
        raise KeyError(
            f"The samples have no column {missing[0]!r}, only {', '.join(map(str, samples))}. Give"
            " their places as easting and northing [m]."
        )
    order = np.argsort(values, kind="stable")
    x, y = (samples[axis].to_numpy(float)[order] for axis in ("easting", "northing"))
    norm = grade_norm(values, scale=scale) if norm is None else norm
    draw_samples(ax, x, y, values=values[order], is_open=is_open[order], norm=norm)
    frame_plane(ax, _room_around(x, y) if region is None else region,
                ("Easting [m]", "Northing [m]"), is_map=True, coordinates=coordinates,
                north=north, scale_bar=scale_bar)  # fmt: skip
    ax.patch.set(hatch=None, facecolor="white")
    if colour_bar:
        add_colour_bar(ax, norm, "grade", grade_label(plain(name), unit, norm), values)
    if legend and is_open.any():
        _legend_open(ax)
    return ax


def _room_around(x: NDArray, y: NDArray) -> tuple[float, float, float, float]:
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return 0.0, 1.0, 0.0, 1.0
    ends = [x[known].min(), x[known].max(), y[known].min(), y[known].max()]
    room = 0.04 * max(ends[1] - ends[0], ends[3] - ends[2]) or 1.0
    west, east, south, north = map(float, ends)
    return west - room, east + room, south - room, north + room


def _legend_open(ax: Axes) -> None:
    from matplotlib.lines import Line2D

    handle = Line2D([], [], ls="", marker="o", mfc="white", color=QUIET, ms=4)
    ax.legend([handle], ["open: below the limit"], loc="upper right", bbox_to_anchor=(1.02, -0.045),
              fontsize=6.8, frameon=False, handletextpad=0.1, borderaxespad=0.2)  # fmt: skip
