"""Outlines of bodies of cells: closed rings along the edges of cells that bear the same number.

A grid with a layer of numbers comes in; for each number its rings [m] go out, turned as the grid is.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan.plot._planes import cut_plane

_Edges = NDArray[np.int64]


def outlines_of(grid: xr.Dataset, layer: str) -> dict[int, list[NDArray[np.float64]]]:
    """Return the rings round the cells of each number of a layer; 0 and missing cells have none.

    Parameters
    ----------
    grid : Dataset
        2D grid.
    layer : str
        Layer of whole numbers.

    Returns
    -------
    rings : dict of int to list of array of shape (n, 2)
        Easting, northing [m] of the corners, not repeated at the end; ground lies to the left, so
        that outer rings run counter-clockwise and holes clockwise.
    """
    plane = cut_plane(grid)
    held = np.nan_to_num(plane.cells(layer)).astype(np.int64)
    left, right, bottom, top = plane.own_extent
    size = np.array([(right - left) / held.shape[1], (top - bottom) / held.shape[0]])
    corner = np.array([left, bottom])
    rings = {}
    for number in np.unique(held[held > 0]):
        found = _chain(_border(held == number))
        rings[int(number)] = [_turned(grid, corner + ring * size) for ring in found]
    return rings


def _border(inside: NDArray[np.bool_]) -> _Edges:
    """Return the edges (x0, y0, x1, y1) between cells inside and outside, the inside to the left."""
    framed = np.pad(inside, 1)
    here = framed[1:-1, 1:-1]
    edges = []
    for (down, across), ends in (
        ((-1, 0), (0, 0, 1, 0)),  # below: eastwards along the lower edge
        ((0, 1), (1, 0, 1, 1)),
        ((1, 0), (1, 1, 0, 1)),
        ((0, -1), (0, 1, 0, 0)),
    ):
        other = framed[
            1 + down : framed.shape[0] - 1 + down, 1 + across : framed.shape[1] - 1 + across
        ]
        rows, columns = np.nonzero(here & ~other)
        x0, y0, x1, y1 = ends
        edges.append(np.stack([columns + x0, rows + y0, columns + x1, rows + y1], axis=1))
    return np.concatenate(edges)


def _chain(edges: _Edges) -> list[NDArray[np.float64]]:
    """Join edges into closed rings and leave out corners on a straight line."""
    after: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for x0, y0, x1, y1 in edges.tolist():
        after.setdefault((x0, y0), []).append((x1, y1))
    rings = []
    while after:
        start = here = next(iter(after))
        ring, way = [], (0, 0)
        while True:
            ring.append(here)
            there = _next(after, here, way)
            way, here = (there[0] - here[0], there[1] - here[1]), there
            if here == start:
                break
        rings.append(_corners(np.array(ring, dtype=float)))
    return rings


def _next(
    after: dict[tuple[int, int], list[tuple[int, int]]], here: tuple[int, int], way: tuple[int, int]
) -> tuple[int, int]:
    """Take the edge onwards; where two cells touch at a corner, the one that turns left."""
    ways = after[here]
    turns = [(x - here[0]) * -way[1] + (y - here[1]) * way[0] for x, y in ways]
    there = ways.pop(turns.index(max(turns)))
    if not ways:
        del after[here]
    return there


def _corners(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    return ring[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]]


def _turned(grid: xr.Dataset, places: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = math.radians(float(grid.attrs.get("rotation", 0.0)))
    if not angle:
        return places
    pivot = np.asarray(grid.attrs.get("origin", (0.0, 0.0)), dtype=float)
    x, y = (places - pivot).T
    turned = [
        x * math.cos(angle) + y * math.sin(angle),
        y * math.cos(angle) - x * math.sin(angle),
    ]
    return np.stack(turned, axis=1) + pivot
