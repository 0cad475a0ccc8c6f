"""Whole maps in tiles of bounded memory, for every model that scores windows of layers.

Layers (channels, ny, nx), in memory or on disk, come in; places and the cells that a model needs to
score them go out. Shared by models and nets.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option

EDGES = ("nan", "reflect")
TILE = (128, 512)  # cells scored at once: some tens of MB whatever the map


def check_layers(volume: ArrayLike, n_channels: int, edges: str) -> NDArray:
    """Return a map (channels, ny, nx) as it is, be it an array in memory or on disk."""
    check_option("edges", edges, EDGES)
    layers = volume if isinstance(volume, np.ndarray) else np.asarray(volume)
    if layers.ndim != 3 or len(layers) != n_channels:
        raise ValueError(
            f"volume must have the shape ({n_channels} channels, ny, nx), got {layers.shape}. Stack"
            " the layers used in training, in their order."
        )
    return layers


def map_tiles(
    volume: NDArray, margin: int, *, edges: str, tile: tuple[int, int]
) -> Iterator[tuple[tuple[slice, slice], NDArray[np.float32]]]:
    """Yield each place of a map (channels, ny, nx) that is scored, and its cells with their margin.

    The cells have shape (1, y + 2 margin, x + 2 margin, channels). With edges "nan" places keep the
    margin off the edge; with "reflect" the map is mirrored at its outermost cells.
    """
    mirrored = edges == "reflect"
    reach = [
        np.pad(np.arange(n), margin, mode="reflect") if mirrored else np.arange(n)
        for n in volume.shape[1:]
    ]
    first, counts = 0 if mirrored else margin, [len(each) - 2 * margin for each in reach]
    for y in range(0, counts[0], tile[0]):
        for x in range(0, counts[1], tile[1]):
            height, width = min(tile[0], counts[0] - y), min(tile[1], counts[1] - x)
            rows = reach[0][y : y + height + 2 * margin]
            columns = reach[1][x : x + width + 2 * margin]
            place = (
                slice(first + y, first + y + height),
                slice(first + x, first + x + width),
            )
            yield place, np.moveaxis(_cut(volume, rows, columns), 0, 2)[None]  # a view


def _cut(volume: NDArray, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the cells of some rows and columns, float32, none infinite; read in one piece."""
    top, left = rows.min(), columns.min()
    near = np.array(volume[:, top : rows.max() + 1, left : columns.max() + 1], dtype=np.float32)
    if np.isinf(near).any():
        raise ValueError(
            f"The map is infinite somewhere in rows {top} to {rows.max()}, columns {left} to"
            f" {columns.max()}. Mark it missing (NaN) or mend it."
        )
    if near.shape[1:] == (len(rows), len(columns)):
        return near
    return np.ascontiguousarray(near[:, rows - top][:, :, columns - left])
