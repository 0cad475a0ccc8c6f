"""Patches of a grid round some of its cells, for networks that read a neighbourhood.

A grid of layers and cells come in; arrays of shape (n, channels, *window) go out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from gossan.data.grids.grid import (
    check_grid,
    grid_shape,
    layer_of,
    own_corners,
    spacing_of,
    to_axes,
)

__all__ = ["cells_of", "layer_volume", "patches_at"]


def layer_volume(grid: xr.Dataset, layers: Sequence[str]) -> NDArray[np.float32]:
    """Layers of a grid as one array (channels, [elevation,] northing, easting).

    Parameters
    ----------
    grid : Dataset
    layers : sequence of str

    Returns
    -------
    volume : float32 array

    Raises
    ------
    ValueError
        If a layer is not there.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> grid = add_layer(make_grid((0, 30, 0, 20), 10), "Au", np.ones((2, 3)))
    >>> layer_volume(grid, ["Au"]).shape
    (1, 2, 3)
    """
    checked = check_grid(grid)
    return np.stack([np.asarray(layer_of(checked, each), dtype=np.float32) for each in layers])


def cells_of(grid: xr.Dataset, points: ArrayLike) -> NDArray[np.int64]:
    """Cell that each point lies in: its place along the axes of the grid; -1 outside.

    Parameters
    ----------
    grid : Dataset
        In 2D or 3D, turned or not.
    points : array of shape (n, n_dims)
        Easting, northing(, elevation) [m].

    Returns
    -------
    cells : int64 array of shape (n, n_dims)
        In the order of the axes, ([elevation,] northing, easting); all -1 for a point outside.

    Raises
    ------
    ValueError
        If points have another number of coordinates than the grid.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> cells_of(make_grid((0, 30, 0, 20), 10), [[25.0, 5.0], [99.0, 5.0]])
    array([[ 0,  2],
           [-1, -1]])
    """
    checked, given = check_grid(grid), np.asarray(points, dtype=float)
    shape = grid_shape(checked)
    if given.ndim != 2 or given.shape[1] != len(shape):
        raise ValueError(
            f"points must have shape (n, {len(shape)}) as the grid has, got {given.shape}. Pass"
            " easting, northing" + (" and elevation." if len(shape) == 3 else ".")
        )
    own = given.copy()
    own[:, :2] = to_axes(checked, given[:, :2])
    steps = np.array(spacing_of(checked))[::-1]
    corner = own_corners(checked)[0]
    if len(shape) == 3:
        corner = np.append(corner, float(checked["elevation"][0]) - steps[2] / 2)
    places = np.floor((own - corner) / steps)[:, ::-1]
    inside = (np.isfinite(places) & (places >= 0) & (places < shape)).all(axis=1)
    return np.where(inside[:, None], np.nan_to_num(places, nan=-1.0), -1).astype(np.int64)


def patches_at(
    volume: ArrayLike, cells: ArrayLike, size: int | Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Patches round cells, and which of them lie inside the volume with nothing missing.

    Parameters
    ----------
    volume : array of shape (channels, *shape)
        See `layer_volume`.
    cells : array of shape (n, n_dims)
        Places along the axes, see `cells_of`.
    size : int or sequence of int
        Edge of a patch in cells, odd, so that the cell is its middle.

    Returns
    -------
    patches : float32 array of shape (n_whole, channels, *size)
    is_whole : bool array of shape (n,)
        Which cells have one.

    Raises
    ------
    ValueError
        If the size is even, or shapes do not fit.

    Examples
    --------
    >>> volume = np.arange(25.0).reshape(1, 5, 5)
    >>> patches, is_whole = patches_at(volume, [[2, 2], [0, 0]], 3)
    >>> patches[0, 0, 1], is_whole
    (array([11., 12., 13.], dtype=float32), array([ True, False]))
    """
    given, places = np.asarray(volume, dtype=np.float32), np.asarray(cells, dtype=np.int64)
    n_dims = given.ndim - 1
    edges = (size,) * n_dims if isinstance(size, int) else tuple(size)
    if any(edge < 1 or edge % 2 == 0 for edge in edges) or len(edges) != n_dims:
        raise ValueError(
            f"A patch needs an odd size along each of {n_dims} axes, got {size}. Take 7."
        )
    if places.ndim != 2 or places.shape[1] != n_dims:
        raise ValueError(f"cells must have shape (n, {n_dims}), got {places.shape}. Use cells_of.")
    halves = np.array(edges) // 2
    shape = np.array(given.shape[1:])
    inside = ((places >= halves) & (places < shape - halves)).all(axis=1)
    if (shape < np.array(edges)).any() or not inside.any():
        return np.empty((0, len(given), *edges), np.float32), np.zeros(len(places), bool)
    windows = sliding_window_view(given, edges, axis=tuple(range(1, n_dims + 1)))
    starts = places[inside] - halves
    found = windows[(slice(None), *starts.T)].swapaxes(0, 1)
    is_known = np.isfinite(found).reshape(len(found), -1).all(axis=1)
    inside[np.flatnonzero(inside)[~is_known]] = False
    return np.ascontiguousarray(found[is_known]), inside
