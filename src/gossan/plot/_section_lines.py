"""A vertical plane through the ground along a line of any azimuth, and what falls onto it.

The ends of the line come in; places become distances along it and off it, traces are cut at the walls
of the corridor, and grids are sampled cell by cell.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan.data.grids.grid import axes_of, check_grid, spacing_of
from gossan.data.grids.grid import to_axes as onto_axes

Floats = NDArray[np.float64]
_COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
AXES = ("easting", "northing", "elevation")


@dataclass(frozen=True)
class SectionLine:
    """A line on the map on which a section stands.

    Attributes
    ----------
    start, end : (easting, northing)
        Left and right end of the section [m].
    width : float
        Width of the corridor whose holes are shown, half of it on each side [m].
    """

    start: tuple[float, float]
    end: tuple[float, float]
    width: float

    @property
    def length(self) -> float:
        """Length of the line [m]."""
        return math.dist(self.start, self.end)

    @property
    def azimuth(self) -> float:
        """Direction from start to end, clockwise from north [degrees]."""
        east, north = (b - a for a, b in zip(self.start, self.end, strict=True))
        return math.degrees(math.atan2(east, north)) % 360

    @property
    def sides(self) -> tuple[str, str]:
        """Points of the compass that the left and right ends look to."""
        eighth = round(self.azimuth / 45) % 8
        return _COMPASS[(eighth + 4) % 8], _COMPASS[eighth]

    def place(self, easting: Floats, northing: Floats) -> tuple[Floats, Floats]:
        """Distance along the line from its start, and to the right of it [m]."""
        right, up = ((b - a) / self.length for a, b in zip(self.start, self.end, strict=True))
        east, north = easting - self.start[0], northing - self.start[1]
        return east * right + north * up, east * up - north * right

    def holds(self, along: Floats, off: Floats) -> NDArray[np.bool_]:
        """Whether places lie in the corridor."""
        return (np.abs(off) <= self.width / 2) & (along >= 0) & (along <= self.length)

    def at(self, along: Floats) -> Floats:
        """Easting and northing of places on the line, shape (n, 2)."""
        share = np.asarray(along)[:, None] / self.length
        return np.asarray(self.start) + share * (np.asarray(self.end) - np.asarray(self.start))

    def cut(self, points: Floats) -> list[Floats]:
        """Pieces of a trace of shape (n, 3) within the corridor, as (along, elevation)."""
        along, off = self.place(points[:, 0], points[:, 1])
        path = np.column_stack([along, off, points[:, 2]])
        pieces: list[list[Floats]] = []
        for first, second in itertools.pairwise(path):
            part = self._part_within(first, second)
            if part is None:
                continue
            ends = [first + share * (second - first) for share in part]
            if pieces and np.allclose(pieces[-1][-1], ends[0]):
                pieces[-1].append(ends[1])
            else:
                pieces.append(ends)
        return [np.array(piece)[:, [0, 2]] for piece in pieces]

    def _part_within(self, first: Floats, second: Floats) -> tuple[float, float] | None:
        """Shares of a straight piece between which it lies in the corridor (Liang & Barsky 1984)."""
        low, high = 0.0, 1.0
        walls = ((0, 0.0, self.length), (1, -self.width / 2, self.width / 2))
        for axis, least, most in walls:
            step = second[axis] - first[axis]
            if not np.isfinite(step):
                return None
            if step == 0:
                if not least <= first[axis] <= most:
                    return None
                continue
            near, far = sorted(((least - first[axis]) / step, (most - first[axis]) / step))
            low, high = max(low, near), min(high, far)
        return (low, high) if low < high else None


def section_line(
    centre: Sequence[float], azimuth: float, length: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ends of a section of a given azimuth and length about a place, for `plot_section`.

    Parameters
    ----------
    centre : (easting, northing)
        Middle of the section [m].
    azimuth : float
        Direction from its left to its right end, clockwise from north [degrees].
    length : float
        [m]

    Returns
    -------
    start, end : (easting, northing)
        [m]

    Examples
    --------
    >>> section_line((500.0, 200.0), 90.0, 400.0)
    ((300.0, 200.0), (700.0, 200.0))
    """
    angle = math.radians(azimuth)
    east, north = (round(length / 2 * turn(angle), 9) for turn in (math.sin, math.cos))
    return (centre[0] - east, centre[1] - north), (centre[0] + east, centre[1] + north)


def check_line(line: Sequence[Sequence[float]], width: float) -> SectionLine:
    """Return the section, or say what is wrong with its line or width."""
    ends = np.asarray(line, dtype=float)
    if ends.shape != (2, 2) or not np.isfinite(ends).all() or (ends[0] == ends[1]).all():
        raise ValueError(
            f"A section runs between two places, got line={line!r}. Give ((easting, northing),"
            " (easting, northing)) [m], or section_line(centre, azimuth, length)."
        )
    if not width > 0:
        raise ValueError(
            f"The corridor must have a width, got {width} m. Give the whole width [m], half of which"
            " lies on each side of the section."
        )
    start, end = ((float(east), float(north)) for east, north in ends)
    return SectionLine(start, end, float(width))


def need(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Raise if a table lacks a column."""
    missing = [name for name in columns if name not in table]
    if missing:
        raise KeyError(
            f"{what} has no column {missing[0]!r}, only {', '.join(map(str, table)) or 'none'}. Take"
            " the tables of DrillHoles.points() and DrillHoles.traces()."
        )


@dataclass(frozen=True)
class Slice:
    """Cells of a 3D grid under a line: values (up, across) and their frame [m]."""

    grid: xr.Dataset
    own: tuple[NDArray[np.int64], NDArray[np.int64]]
    is_within: NDArray[np.bool_]
    extent: tuple[float, float, float, float]

    def cells(self, name: str) -> Floats:
        """Values of a layer, the lowest row first; NaN beside the grid."""
        if name not in self.grid:
            known = ", ".join(map(str, self.grid.data_vars)) or "none"
            raise KeyError(f"The grid has no layer {name!r} to draw, only {known}. Choose one.")
        values = self.grid[name].transpose(*AXES[::-1]).to_numpy()
        shown = values[:, self.own[0], self.own[1]].astype(float)
        return np.where(self.is_within, shown, np.nan)


def slice_grid(line: SectionLine, grid: xr.Dataset, *, most: int) -> Slice:
    """Find the cell under each of many places along a line, at most `most` of them.

    Raises
    ------
    ValueError
        If the grid is 2D.
    """
    grid = check_grid(grid)
    if "elevation" not in grid.sizes:
        raise ValueError(
            f"A section cuts a 3D grid, got one with the dims {', '.join(map(str, grid.sizes))}. Pass"
            " the block model; a 2D grid of heights goes into `ground`."
        )
    steps = dict(zip(axes_of(grid), spacing_of(grid), strict=True))
    # Half a cell and less, so that the border of a cell cut askew is off by a quarter at most.
    n = int(np.clip(np.ceil(2 * line.length / min(steps["easting"], steps["northing"])), 2, most))
    along = (np.arange(n) + 0.5) * line.length / n
    own = onto_axes(grid, np.column_stack([line.at(along), np.zeros(n)]))
    index, is_within = [], np.ones(n, bool)
    for column, axis in ((1, "northing"), (0, "easting")):
        place = np.floor((own[:, column] - float(grid[axis][0])) / steps[axis] + 0.5).astype(int)
        is_within &= (place >= 0) & (place < grid.sizes[axis])
        index.append(np.clip(place, 0, grid.sizes[axis] - 1))
    heights = grid["elevation"].to_numpy()[[0, -1]].astype(float)
    half = steps["elevation"] / 2
    frame = (0.0, line.length, float(heights[0]) - half, float(heights[1]) + half)
    return Slice(grid, (index[0], index[1]), is_within, frame)


def ground_along(line: SectionLine, ground: xr.Dataset, *, n: int = 400) -> tuple[Floats, Floats]:
    """Distance along a line and the height of the ground there, straight between cell centres."""
    ground = check_grid(ground)
    if "elevation" not in ground:
        raise KeyError(
            "The ground has no layer 'elevation', only"
            f" {', '.join(map(str, ground.data_vars)) or 'none'}. Pass the grid of `read_ground`."
        )
    along = np.linspace(0, line.length, n)
    own = onto_axes(ground, line.at(along))
    values = ground["elevation"].transpose("northing", "easting").to_numpy().astype(float)
    parts = []
    for column, axis in ((1, "northing"), (0, "easting")):
        step = dict(zip(axes_of(ground), spacing_of(ground), strict=True))[axis]
        place = (own[:, column] - float(ground[axis][0])) / step
        # Half a cell at the rim has a centre on one side only: it is level there.
        parts.append(np.where((place < -0.5) | (place > len(ground[axis]) - 0.5), np.nan, place))
    heights = _bilinear(values, *parts)
    return along, heights


def _bilinear(values: Floats, rows: Floats, columns: Floats) -> Floats:
    known = np.isfinite(rows) & np.isfinite(columns)
    row, column = (np.where(known, part, 0.0) for part in (rows, columns))
    row = np.clip(row, 0, values.shape[0] - 1)
    column = np.clip(column, 0, values.shape[1] - 1)
    low, left = (np.floor(part).astype(int) for part in (row, column))
    high, right = (
        np.minimum(low + 1, values.shape[0] - 1),
        np.minimum(left + 1, values.shape[1] - 1),
    )
    up, across = row - low, column - left
    found = (1 - up) * ((1 - across) * values[low, left] + across * values[low, right]) + up * (
        (1 - across) * values[high, left] + across * values[high, right]
    )
    return np.where(known, found, np.nan)
