"""Where the cells of a grid are: spacing, corners, and the turn between own axes and true places.

A checked grid comes in; numbers in metres go out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan.data.grids._checks import AXES


def axes_of(grid: xr.Dataset) -> tuple[str, ...]:
    """Return the dims in their order."""
    return AXES if "elevation" in grid.sizes else AXES[1:]


def grid_shape(grid: xr.Dataset) -> tuple[int, ...]:
    """Return the number of cells along each axis."""
    return tuple(int(grid.sizes[axis]) for axis in axes_of(grid))


def spacing_of(grid: xr.Dataset) -> tuple[float, ...]:
    """Return the size of a cell [m] along each axis, in the order of the dims.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> spacing_of(make_grid((0, 100, 0, 50), (5, 10)))
    (5.0, 10.0)
    """
    steps = []
    for axis in axes_of(grid):
        values = grid[axis].to_numpy()
        n = len(values)
        step = (values[-1] - values[0]) / (n - 1) if n > 1 else grid[axis].attrs["spacing"]
        steps.append(float(step))
    return tuple(steps)


def own_corners(grid: xr.Dataset) -> NDArray[np.float64]:
    """Return the outer corners along the own axes: south-west, south-east, north-west, north-east."""
    steps = dict(zip(axes_of(grid), spacing_of(grid), strict=True))
    (west, east), (south, north) = (
        (float(grid[a][0]) - steps[a] / 2, float(grid[a][-1]) + steps[a] / 2)
        for a in ("easting", "northing")
    )
    return np.array([(west, south), (east, south), (west, north), (east, north)])


def south_west(grid: xr.Dataset) -> tuple[float, ...]:
    """Return the true place of the lowest south-west outer corner [m]; `grid_at` takes it."""
    easting, northing = from_axes(grid, own_corners(grid))[0]
    if "elevation" not in grid.sizes:
        return float(easting), float(northing)
    return float(easting), float(northing), float(grid["elevation"][0]) - spacing_of(grid)[0] / 2


def from_axes(grid: xr.Dataset, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the true places of points given along the grid's own axes, shape (n, 2 or 3)."""
    return turn(points, rotation_of(grid), grid.attrs.get("origin", (0.0, 0.0)))


def to_axes(grid: xr.Dataset, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return true points along the grid's own axes, shape (n, 2 or 3)."""
    return turn(points, -rotation_of(grid), grid.attrs.get("origin", (0.0, 0.0)))


def rotation_of(grid: xr.Dataset) -> float:
    """Return the clockwise turn of the grid [°], 0 where nothing is said."""
    return float(grid.attrs.get("rotation", 0.0))


def turn(points: NDArray[np.float64], angle: float, pivot: Sequence[float]) -> NDArray[np.float64]:
    """Return points turned clockwise by `angle` [°] about a pivot; elevations stay.

    Examples
    --------
    >>> turn(np.array([[0.0, 1.0]]), 90.0, (0.0, 0.0)).round(6)
    array([[1., 0.]])
    """
    if angle % 360 == 0:
        return points
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turned = points.copy()
    east, north = points[:, 0] - pivot[0], points[:, 1] - pivot[1]
    turned[:, 0] = pivot[0] + cosine * east + sine * north
    turned[:, 1] = pivot[1] - sine * east + cosine * north
    return turned
