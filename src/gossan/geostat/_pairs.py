"""Compiled loops over pairs of points: what variograms are counted from.

A `Walk` over the pairs of some points and the values at these points come in; sums over the pairs
of each lag go out. A pair lies in lag k when edges[k] < distance <= edges[k + 1]; points in one
place make no pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._compile import compiled
from gossan.geostat._packed import in_three_dimensions

SQUARE, ROOT, ABSOLUTE = 0, 1, 2  # what is summed: difference², |difference|^½, |difference|
_N_STEPS = 512  # of distance, in the table that finds a lag without searching


class Walk(NamedTuple):
    """Which pairs are visited: those that start at an origin, in one group, within the lags.

    Points are sorted by group, then along the column `side`, where the loops stop early. A cosine
    below zero takes every direction.
    """

    points: NDArray[np.float64]  # (n, 3)
    groups: NDArray[np.int64]
    origins: NDArray[np.int64]
    edges: NDArray[np.float64]
    side: int
    direction: NDArray[np.float64]  # unit vector (3,)
    cosine: float  # of the tolerance about the direction
    bandwidth: float  # most distance from the line through the origin


def plan_walk(
    coords: NDArray[np.float64],
    edges: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    groups: NDArray[np.int64] | None = None,
    max_pairs: float = np.inf,
) -> tuple[NDArray[np.int64], Walk]:
    """Return an order of the points, and a walk over their pairs in every direction.

    Where there are more than `max_pairs` pairs to look at, random origins keep about that many:
    each of their pairs is kept, so that short lags lose no more than long ones.
    """
    points = in_three_dimensions(coords)
    labels = np.zeros(len(points), np.int64) if groups is None else groups
    side = int(np.ptp(points, axis=0).argmax())
    order = np.lexsort((points[:, side], labels))
    points, labels = points[order], labels[order]
    origins = np.arange(len(points))
    n_looked_at = _count_candidates(points[:, side], labels, edges[-1])
    if n_looked_at > max_pairs:
        n_origins = max(1, int(len(points) * max_pairs / n_looked_at))
        origins = np.sort(rng.choice(len(points), n_origins, replace=False))
    return order, Walk(points, labels, origins, edges, side, np.zeros(3), -1.0, np.inf)


def _count_candidates(
    positions: NDArray[np.float64], labels: NDArray[np.int64], reach: float
) -> float:
    """Count the pairs of one group that lie within reach along the sorted positions."""
    ends = np.append(np.flatnonzero(np.diff(labels)) + 1, len(labels))
    starts = np.concatenate([[0], ends[:-1]])
    total = 0.0
    for start, end in zip(starts, ends, strict=True):
        own = positions[start:end]
        total += float((np.searchsorted(own, own + reach, "right") - np.arange(len(own)) - 1).sum())
    return total


@compiled
def pair_sums(
    walk: Walk, values: NDArray[np.float64], what: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Counts, summed distances and summed differences (n_lags, n_variables) of all pairs.

    A missing value leaves out its own variable alone.
    """
    shape = (len(walk.edges) - 1, values.shape[1])
    counts, distances, sums = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
    lookup, found = _lookup(walk.edges), np.empty((len(values), 2), np.int64)
    for i in walk.origins:
        for row in range(_partners(walk, lookup, i, found)):
            j, lag = found[row, 0], found[row, 1]
            distance = _distance(walk.points, i, j)
            for k in range(shape[1]):
                difference = abs(values[j, k] - values[i, k])
                if np.isnan(difference):
                    continue
                if what == SQUARE:
                    difference *= difference
                elif what == ROOT:
                    difference = np.sqrt(difference)
                counts[lag, k] += 1
                distances[lag, k] += distance
                sums[lag, k] += difference
    return counts, distances, sums


@compiled
def cross_sums(
    walk: Walk, values: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Counts, summed distances and products of differences (n_lags, n_variables, n_variables)."""
    n_variables = values.shape[1]
    shape = (len(walk.edges) - 1, n_variables, n_variables)
    counts, distances, sums = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
    lookup, found = _lookup(walk.edges), np.empty((len(values), 2), np.int64)
    for i in walk.origins:
        for row in range(_partners(walk, lookup, i, found)):
            j, lag = found[row, 0], found[row, 1]
            distance = _distance(walk.points, i, j)
            for k in range(n_variables):
                for m in range(n_variables):
                    product = (values[j, k] - values[i, k]) * (values[j, m] - values[i, m])
                    if not np.isnan(product):
                        counts[lag, k, m] += 1
                        distances[lag, k, m] += distance
                        sums[lag, k, m] += product
    return counts, distances, sums


@compiled
def pair_differences(
    walk: Walk, values: NDArray[np.float64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Lag, distance and difference of one variable (n,), for the first `size` pairs."""
    lags, distances, differences = np.empty(size, np.int64), np.empty(size), np.empty(size)
    lookup, found = _lookup(walk.edges), np.empty((len(values), 2), np.int64)
    n = 0
    for i in walk.origins:
        for row in range(_partners(walk, lookup, i, found)):
            j, lag = found[row, 0], found[row, 1]
            difference = values[j] - values[i]
            if n < size and not np.isnan(difference):
                lags[n], differences[n] = lag, difference
                distances[n] = _distance(walk.points, i, j)
                n += 1
    return lags[:n], distances[:n], differences[:n]


@compiled
def sector_sums(
    walk: Walk, values: NDArray[np.float64], axes: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Counts, summed offsets and squared differences of the pairs, by nearest axis and lag.

    `axes` are unit vectors (n_axes, 3); shapes are (n_axes, n_lags), (..., 3) for the offsets,
    which are turned to point along their axis.
    """
    shape = (len(axes), len(walk.edges) - 1)
    counts, sums, offsets = np.zeros(shape, np.int64), np.zeros(shape), np.zeros((*shape, 3))
    lookup, found = _lookup(walk.edges), np.empty((len(values), 2), np.int64)
    for i in walk.origins:
        for row in range(_partners(walk, lookup, i, found)):
            j, lag = found[row, 0], found[row, 1]
            x, y, z = _offset(walk.points, i, j)
            best, along = 0, 0.0
            for a in range(len(axes)):
                projection = axes[a, 0] * x + axes[a, 1] * y + axes[a, 2] * z
                if abs(projection) > abs(along):
                    best, along = a, projection
            sign = 1.0 if along >= 0 else -1.0
            counts[best, lag] += 1
            sums[best, lag] += (values[j] - values[i]) ** 2
            offsets[best, lag, 0] += sign * x
            offsets[best, lag, 1] += sign * y
            offsets[best, lag, 2] += sign * z
    return counts, offsets, sums


@compiled
def map_sums(
    walk: Walk,
    values: NDArray[np.float64],
    columns: tuple[int, int, int],
    width: float,
    half: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts and squared differences by offset, (2 half + 1, 2 half + 1), of pairs in a plane.

    `columns` are those of the points along the map's x, its y, and across it; a pair may be half a
    cell apart across the plane.
    """
    shape = (2 * half + 1, 2 * half + 1)
    counts, sums, points = np.zeros(shape, np.int64), np.zeros(shape), walk.points
    lookup, found = _lookup(walk.edges), np.empty((len(values), 2), np.int64)
    for i in walk.origins:
        for row in range(_partners(walk, lookup, i, found)):
            j = found[row, 0]
            if abs(points[j, columns[2]] - points[i, columns[2]]) > width / 2:
                continue
            x = int(np.floor((points[j, columns[0]] - points[i, columns[0]]) / width + 0.5))
            y = int(np.floor((points[j, columns[1]] - points[i, columns[1]]) / width + 0.5))
            square = (values[j] - values[i]) ** 2
            if abs(x) > half or abs(y) > half or np.isnan(square):
                continue
            # γ(h) = γ(-h): each pair stands twice, on either side of the centre
            counts[half + y, half + x] += 1
            counts[half - y, half - x] += 1
            sums[half + y, half + x] += square
            sums[half - y, half - x] += square
    return counts, sums


@compiled
def count_within(ordered: NDArray[np.float64], distance: float) -> int:
    """Count the pairs of the sorted numbers `ordered` that are at most `distance` apart."""
    total, last = 0, 0
    for first in range(len(ordered)):
        while last + 1 < len(ordered) and ordered[last + 1] - ordered[first] <= distance:
            last += 1
        total += last - first
    return total


@compiled
def _partners(walk: Walk, lookup: NDArray[np.int64], i: int, found: NDArray[np.int64]) -> int:
    """Write (partner, lag) of the pairs that start at point i into `found`; return their number.

    A buffer, not a generator, which numba would make twice as slow.
    """
    points, groups, edges, direction = walk.points, walk.groups, walk.edges, walk.direction
    # a hair of tolerance: a pair exactly on the edge of the cone belongs to it
    least = walk.cosine * abs(walk.cosine) * (1.0 - 1e-12)
    widest = walk.bandwidth * walk.bandwidth * (1.0 + 1e-12)
    nearest, farthest = edges[0] * edges[0], edges[-1] * edges[-1]
    fine = _N_STEPS / edges[-1]
    n = 0
    for j in range(i + 1, len(points)):
        if groups[j] != groups[i] or points[j, walk.side] - points[i, walk.side] > edges[-1]:
            break
        x, y, z = _offset(points, i, j)
        square = x * x + y * y + z * z
        if square > farthest or square <= nearest:
            continue
        if least >= 0:
            along = direction[0] * x + direction[1] * y + direction[2] * z
            if along * along < least * square or square - along * along > widest:
                continue
        lag = lookup[int(np.sqrt(square) * fine)]
        while square > edges[lag + 1] * edges[lag + 1]:
            lag += 1
        found[n, 0], found[n, 1] = j, lag
        n += 1
    return n


@compiled
def _lookup(edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return, for each small step of distance, a lag at or just before the right one."""
    table = np.zeros(_N_STEPS + 2, np.int64)
    for step in range(1, len(table)):
        lag = table[step - 1]
        while lag < len(edges) - 2 and edges[lag + 1] < (step - 0.001) * edges[-1] / _N_STEPS:
            lag += 1
        table[step] = lag
    return table


@compiled
def _offset(points: NDArray[np.float64], i: int, j: int) -> tuple[float, float, float]:
    return (
        points[j, 0] - points[i, 0],
        points[j, 1] - points[i, 1],
        points[j, 2] - points[i, 2],
    )


@compiled
def _distance(points: NDArray[np.float64], i: int, j: int) -> float:
    x, y, z = _offset(points, i, j)
    return np.sqrt(x * x + y * y + z * z)
