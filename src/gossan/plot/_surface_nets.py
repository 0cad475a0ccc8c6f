"""Surface nets: one vertex in each cube of cell centres that a level cuts, one quad an edge.

An array of values and a level come in; places in steps of the array and triangles go out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FULL = 8  # corners of a cube


def surface_nets(
    values: NDArray, level: float, *, closed: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return vertices, in steps along the three axes from the first cell, and triangles.

    Values of at least `level` are inside. The axes are (elevation, northing, easting); triangles
    are anticlockwise seen from outside once the axes are put in the order (easting, northing,
    elevation).
    """
    heights = np.asarray(values, dtype=float)
    if closed:
        # Unknown is outside: NaN behind a face puts the face half way, on the cell's own side.
        heights = np.pad(heights, 1, constant_values=np.nan)
    is_inside = heights >= level
    is_usable = np.ones(heights.shape, bool) if closed else np.isfinite(heights)
    edges = [_crossings(heights, is_inside, is_usable, axis, level) for axis in range(3)]
    cubes = np.array([max(n - 1, 0) for n in heights.shape])
    if not cubes.all() or not sum(len(at) for at, _, _ in edges):
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    around = [_cubes_around(at, axis, cubes) for axis, (at, _, _) in enumerate(edges)]
    vertices, names = _vertices(edges, around)
    quads = _quads(edges, around, names, _is_whole(is_usable))
    vertices, quads = _used(vertices, quads)
    return vertices - (1.0 if closed else 0.0), _halved(quads, vertices)


def _crossings(
    heights: NDArray, is_inside: NDArray, is_usable: NDArray, axis: int, level: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return lower ends of the edges along an axis that the level cuts, where, and if they leave."""
    lower = tuple(slice(None, -1) if i == axis else slice(None) for i in range(3))
    upper = tuple(slice(1, None) if i == axis else slice(None) for i in range(3))
    is_cut = (is_inside[lower] != is_inside[upper]) & is_usable[lower] & is_usable[upper]
    at = np.argwhere(is_cut)
    first, second = heights[lower][is_cut], heights[upper][is_cut]
    with np.errstate(invalid="ignore", over="ignore"):
        share = (level - first) / (second - first)
    share = np.where(np.isfinite(share), share, 0.5)
    return at, share, is_inside[lower][is_cut]


def _cubes_around(at: NDArray[np.int64], axis: int, cubes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the four cubes round each edge, in turn about it; -1 beyond the array."""
    one, two = (axis + 1) % 3, (axis + 2) % 3
    found = np.empty((len(at), 4), np.int64)
    for column, (back_one, back_two) in enumerate(((1, 1), (0, 1), (0, 0), (1, 0))):
        cube = at.copy()
        cube[:, one] -= back_one
        cube[:, two] -= back_two
        is_there = ((cube >= 0) & (cube < cubes)).all(axis=1)
        code = (cube[:, 0] * cubes[1] + cube[:, 1]) * cubes[2] + cube[:, 2]
        found[:, column] = np.where(is_there, code, -1)
    return found


def _vertices(
    edges: list, around: list[NDArray[np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the mean of the crossings of each cut cube, and the cubes' codes in order."""
    codes, places = [], []
    for axis, ((at, share, _), cubes_there) in enumerate(zip(edges, around, strict=True)):
        crossing = at.astype(float)
        crossing[:, axis] += share
        codes.append(cubes_there.ravel())
        places.append(np.repeat(crossing, 4, axis=0))
    code, place = np.concatenate(codes), np.concatenate(places)
    place, code = place[code >= 0], code[code >= 0]
    names, homes, counts = np.unique(code, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(homes, column, len(names)) for column in place.T], axis=1)
    return sums / counts[:, None], names


def _is_whole(is_usable: NDArray) -> NDArray[np.bool_]:
    """Tell which cubes have eight usable corners."""
    whole = is_usable.astype(np.int8)
    for axis in range(3):
        lower = tuple(slice(None, -1) if i == axis else slice(None) for i in range(3))
        upper = tuple(slice(1, None) if i == axis else slice(None) for i in range(3))
        whole = whole[lower] + whole[upper]
    return (whole == _FULL).ravel()


def _quads(
    edges: list,
    around: list[NDArray[np.int64]],
    names: NDArray[np.int64],
    is_whole: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return one quad for each cut edge whose four cubes are whole."""
    quads = []
    for (_, _, leaves), cubes_there in zip(edges, around, strict=True):
        is_kept = (cubes_there >= 0).all(axis=1) & is_whole[cubes_there].all(axis=1)
        corners = np.searchsorted(names, cubes_there[is_kept])
        # (elevation, northing, easting) is left-handed: turn those whose inside lies below.
        is_turned = leaves[is_kept]
        corners[is_turned] = corners[is_turned][:, ::-1]
        quads.append(corners)
    return np.concatenate(quads)


def _used(
    vertices: NDArray[np.float64], quads: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    used, renamed = np.unique(quads, return_inverse=True)
    return vertices[used], renamed.reshape(-1, 4)


def _halved(quads: NDArray[np.int64], vertices: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cut each quad along its shorter diagonal."""
    a, b, c, d = quads.T
    is_first = np.linalg.norm(vertices[a] - vertices[c], axis=1) <= np.linalg.norm(
        vertices[b] - vertices[d], axis=1
    )
    along = np.where(is_first[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    other = np.where(is_first[:, None], np.stack([a, c, d], 1), np.stack([b, c, d], 1))
    return np.stack([along, other], axis=1).reshape(-1, 3)
