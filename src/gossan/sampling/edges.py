"""Cells near the edge of the data: filled so that their windows are whole, and told how much.

A volume of layers with gaps comes in; the volume with a rim of nearest values, and the share of each
cell's field that had no data, go out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MOST_EDGE", "edge_fraction", "fill_edges"]

MOST_EDGE = 0.5  # share of a field without data above which a cell is nodata


def fill_edges(volume: ArrayLike, field: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return layers filled a little beyond their edge, and the share of each field without data.

    Windows of `field` cells about a cell near the edge of the data, or about a small hole in it, are
    whole afterwards, and the second map says how much of each was made up. A cell whose share is
    above one half (`MOST_EDGE`) is to be taken for nodata whatever it scores; a few more, in the
    corners of large holes, still lack part of their window and stay NaN in the score. Not a way to
    fill gaps of data: for those, interpolate.

    Parameters
    ----------
    volume : array of shape (channels, ny, nx)
        Layers as a model reads them; NaN is no data. A cell is without data if one layer lacks it.
    field : int
        Cells along a side that the model reads, odd.

    Returns
    -------
    filled : float32 array of shape (channels, ny, nx)
        Layers that a cell lacks are those of the nearest cell with data, if one lies in the square
        of field // 2 + 1 cells about it; of several as near, the first in order of rows and columns.
    edge_fraction : float32 array of shape (ny, nx)
        Share of the cells of each field that had no data; beyond the map there is none.

    Raises
    ------
    ValueError
        If the volume has no three axes, or the field is even or below one.

    Notes
    -----
    Both are exact for a part of a map that is given with `field` cells more on each side.

    Examples
    --------
    >>> filled, share = fill_edges([[[1.0, 2.0, np.nan, np.nan, np.nan]] * 3], 3)
    >>> filled[0, 1]
    array([ 1.,  2.,  2.,  2., nan], dtype=float32)
    >>> share[1].round(2)
    array([0.33, 0.33, 0.67, 1.  , 1.  ], dtype=float32)
    """
    layers = np.asarray(volume, dtype=np.float32)
    half = _half_of(field)
    if layers.ndim != 3:
        raise ValueError(
            f"A volume has shape (channels, ny, nx), got {layers.shape}. Stack the layers of a map."
        )
    has_data = np.asarray(~np.isnan(layers).any(axis=0))
    share = edge_fraction(has_data, field)
    if half == 0 or has_data.all():
        return layers.copy(), share
    rows, columns, from_rows, from_columns = _nearest(has_data, half + 1)
    filled = layers.copy()
    own = filled[:, rows, columns]
    filled[:, rows, columns] = np.where(np.isnan(own), layers[:, from_rows, from_columns], own)
    return filled, share


def edge_fraction(has_data: ArrayLike, field: int) -> NDArray[np.float32]:
    """Return the share of each cell's field that has no data.

    Parameters
    ----------
    has_data : bool array of shape (ny, nx)
        Beyond the map there is no data.
    field : int
        Cells along a side, odd.

    Returns
    -------
    share : float32 array of shape (ny, nx)

    Raises
    ------
    ValueError
        If the field is even or below one.

    Examples
    --------
    >>> edge_fraction(np.ones((3, 3), dtype=bool), 3).round(2)[0]
    array([0.56, 0.33, 0.56], dtype=float32)
    """
    counts = _box_counts(np.asarray(has_data, dtype=bool), _half_of(field))
    return (1.0 - counts / float(field**2)).astype(np.float32)


def _half_of(field: int) -> int:
    if field < 1 or field % 2 == 0:
        raise ValueError(
            f"A field is an odd number of cells, got {field}. Pass the model's field_."
        )
    return int(field) // 2


def _box_counts(has_data: NDArray[np.bool_], half: int) -> NDArray[np.int64]:
    """Return how many cells with data lie in the square of `half` cells about each cell."""
    ny, nx = has_data.shape
    sums = np.zeros((ny + 2 * half + 1, nx + 2 * half + 1), dtype=np.int64)
    sums[half + 1 : half + 1 + ny, half + 1 : half + 1 + nx] = has_data
    sums = sums.cumsum(axis=0).cumsum(axis=1)
    side = 2 * half + 1
    return sums[side:, side:] - sums[:ny, side:] - sums[side:, :nx] + sums[:ny, :nx]


def _nearest(has_data: NDArray[np.bool_], reach: int) -> tuple[NDArray[np.intp], ...]:
    """Return rows and columns of the cells to fill, and of the cells that they are filled from."""
    # Steps in the order of their length, so that the first hit is the nearest, wherever a tile ends.
    steps = sorted(
        ((y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)),
        key=lambda step: (step[0] ** 2 + step[1] ** 2, step),
    )
    padded = np.pad(has_data, reach)
    rows, columns = np.nonzero(~has_data & (_box_counts(has_data, reach) > 0))
    found = []
    for y, x in steps[1:]:
        hits = padded[rows + (y + reach), columns + (x + reach)]
        if hits.any():
            found.append((rows[hits], columns[hits], rows[hits] + y, columns[hits] + x))
            rows, columns = rows[~hits], columns[~hits]
    none = np.empty(0, dtype=np.intp)
    return tuple(np.concatenate(part) for part in zip(*found, strict=True)) or (none,) * 4
