"""Occurrences: known deposits laid onto the cells of a grid.

A grid and places [m] come in; the number of places in each cell goes out.
"""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gossan._checks import GossanWarning
from gossan.data.grids.grid import axes_of, check_grid, grid_shape, spacing_of, to_axes

__all__ = ["count_in_cells"]


def count_in_cells(grid: xr.Dataset, points: ArrayLike) -> NDArray[np.float64]:
    """Number of points in each cell of a grid.

    Parameters
    ----------
    grid : Dataset
        2D or 3D.
    points : array of shape (n, 2) or (n, 3)
        Easting, northing (and elevation in 3D) [m].

    Returns
    -------
    counts : array of the grid's shape
        Points outside are left out with a warning; two in one cell count twice.

    Raises
    ------
    ValueError
        If the points have not the dimension of the grid.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> count_in_cells(make_grid((0, 20, 0, 10), 10), [[3, 3], [12, 9], [19, 0]])
    array([[1., 2.]])
    """
    grid = check_grid(grid)
    shape, steps = grid_shape(grid), np.array(spacing_of(grid)[::-1])
    places = np.asarray(points, dtype=float)
    if places.ndim != 2 or places.shape[1] != len(shape):
        raise ValueError(
            f"Points must have shape (n, {len(shape)}), got {places.shape}. Give coordinates of the"
            " grid's dimension [m]."
        )
    low = np.array([float(grid[axis][0]) for axis in axes_of(grid)[::-1]]) - steps / 2
    with np.errstate(invalid="ignore"):
        steps_in = np.floor((to_axes(grid, places) - low) / steps)
    inside = ((steps_in >= 0) & (steps_in < shape[::-1])).all(axis=1)
    if not inside.all():
        warnings.warn(
            f"{(~inside).sum()} of {len(places)} points lie outside the grid and were left out.",
            GossanWarning,
            stacklevel=2,
        )
    cells = steps_in[inside].astype(np.int64).T[::-1]
    flat = np.ravel_multi_index(tuple(cells), shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(float)
