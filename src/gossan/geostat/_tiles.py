"""Sums of covariances over many samples at many targets, tile by tile: the dual form of kriging.

Samples with one coefficient a variable, and targets, come in; the sum over samples of coefficient
times covariance goes out. Targets that lie together share one list of the samples within reach, so
that compact models (spherical, cubic) look at few of them.
"""
# ruff: noqa: PLR0917 - kernels are long loops over flat arrays

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._compile import compiled
from gossan.geostat._packed import PackedModel, add_covariances
from gossan.geostat._search import run_chunks

TILE = 256  # targets, at most: their sums of a dozen variables stay in the first cache
_TILES_A_TASK = 32
_SIDE_BY_SIDE = 4  # samples added at a time: the sums are loaded and stored once for four

Floats = NDArray[np.float64]


class Sources(NamedTuple):
    """What is summed over."""

    points: NDArray[np.float64]  # (n, 3) [m]
    coefficients: NDArray[np.float64]  # (n, variables)
    micro: NDArray[np.float64]  # (n,) more covariance at the very place
    block: NDArray[np.float64]  # (points, 3) offsets over which the covariance is averaged
    reach: NDArray[np.float64]  # (s,) distance over range beyond which a structure is nothing
    tolerance2: float  # squared distance [m²] within which two places are one


def sum_covariances(
    model: PackedModel, sources: Sources, targets: Floats, *, n_jobs: int = 1
) -> Floats:
    """Return the sums (m, variables) at `targets` (m, 3)."""
    m, n_variables = len(targets), sources.coefficients.shape[1]
    out = np.zeros((m, n_variables))
    if not m or not len(sources.points):
        return out
    order, starts = _tiles(targets)
    ordered = np.ascontiguousarray(targets[order])
    sums = np.empty((m, n_variables))
    n_tiles = len(starts) - 1

    def work(first: int) -> None:
        last = min(first + _TILES_A_TASK, n_tiles)
        _sum_tiles(model, sources, ordered, starts, first, last, sums)

    run_chunks(work, n_tiles, _TILES_A_TASK, n_jobs)
    out[order] = sums
    return out


def _tiles(targets: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return an order in which targets of one cell follow each other, and where each tile starts."""
    m = len(targets)
    least, size = targets.min(axis=0), np.ptp(targets, axis=0)
    wide = size > 0
    if not wide.any() or m <= TILE:
        return np.arange(m), np.append(np.arange(0, m, TILE), m)
    # Cells as high as wide, of TILE targets if these were spread evenly.
    edge = np.exp((np.log(size[wide]).sum() + np.log(TILE / m)) / wide.sum())
    edge = max(edge, size.max() / 2.0**20)
    cells = np.floor((targets - least) / edge).astype(np.int64)
    counts = cells.max(axis=0) + 1
    codes = (cells[:, 2] * counts[1] + cells[:, 1]) * counts[0] + cells[:, 0]
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    lengths = np.diff(np.append(first, m))
    place = np.arange(m) - np.repeat(first, lengths)
    return order, np.append(np.flatnonzero(place % TILE == 0), m)


@compiled
def _sum_tiles(
    model: PackedModel,
    sources: Sources,
    targets: NDArray,
    starts: NDArray[np.int64],
    first: int,
    last: int,
    out: NDArray,
) -> None:
    """Fill the rows of the tiles from first to last - 1."""
    n, n_variables = sources.coefficients.shape
    n_structures = model.codes.size
    there = np.empty(n, np.int64)
    turned = np.empty((n_structures, 3, TILE))
    sums = np.empty((n_variables, TILE))
    parts, squares = np.empty((_SIDE_BY_SIDE, TILE)), np.empty(TILE)
    for tile in range(first, last):
        start, stop = starts[tile], starts[tile + 1]
        size = stop - start
        sums[:] = 0.0
        _turn_tile(model, targets, start, size, turned)
        count = _within_reach(model, sources, targets, start, size, turned, there)
        for at in range(0, count, _SIDE_BY_SIDE):
            n_parts = min(_SIDE_BY_SIDE, count - at)
            for part in range(_SIDE_BY_SIDE):
                parts[part, :size] = 0.0
            for part in range(n_parts):
                _add_sample(model, sources, there[at + part], turned, size, squares, parts[part])
            a, b = there[at], there[min(at + 1, count - 1)]
            c, d = there[min(at + 2, count - 1)], there[min(at + 3, count - 1)]
            for v in range(n_variables):
                wa, wb = sources.coefficients[a, v], sources.coefficients[b, v]
                wc, wd = sources.coefficients[c, v], sources.coefficients[d, v]
                for t in range(size):
                    sums[v, t] += (
                        wa * parts[0, t] + wb * parts[1, t] + wc * parts[2, t] + wd * parts[3, t]
                    )
        _add_micro(sources, targets, start, size, sums)
        for t in range(size):
            for v in range(n_variables):
                out[start + t, v] = sums[v, t]


@compiled
def _turn_tile(
    model: PackedModel, targets: NDArray, start: int, size: int, turned: NDArray
) -> None:
    """Fill (s, 3, size) with the targets in the axes of each structure, over its ranges."""
    for s in range(model.codes.size):
        for d in range(3):
            a, b, c = (
                model.transforms[s, d, 0],
                model.transforms[s, d, 1],
                model.transforms[s, d, 2],
            )
            for t in range(size):
                here = targets[start + t]
                turned[s, d, t] = a * here[0] + b * here[1] + c * here[2]


@compiled
def _turned(model: PackedModel, s: int, point: NDArray) -> tuple[float, float, float]:
    matrix = model.transforms[s]
    return (
        matrix[0, 0] * point[0] + matrix[0, 1] * point[1] + matrix[0, 2] * point[2],
        matrix[1, 0] * point[0] + matrix[1, 1] * point[1] + matrix[1, 2] * point[2],
        matrix[2, 0] * point[0] + matrix[2, 1] * point[1] + matrix[2, 2] * point[2],
    )


@compiled
def _within_reach(
    model: PackedModel,
    sources: Sources,
    targets: NDArray,
    start: int,
    size: int,
    turned: NDArray,
    there: NDArray[np.int64],
) -> int:
    """Collect the samples that any structure brings to any target of the tile; return how many.

    The tile is taken as a ball around its middle in the axes of each structure, grown by the block.
    """
    n_structures = model.codes.size
    middle = np.zeros(3)
    for t in range(size):
        for d in range(3):
            middle[d] += targets[start + t, d] / size
    centres, radii = np.empty((n_structures, 3)), np.zeros(n_structures)
    for s in range(n_structures):
        x, y, z = _turned(model, s, middle)
        centres[s, 0], centres[s, 1], centres[s, 2] = x, y, z
        for t in range(size):
            dx, dy, dz = turned[s, 0, t] - x, turned[s, 1, t] - y, turned[s, 2, t] - z
            radii[s] = max(radii[s], dx * dx + dy * dy + dz * dz)
        grown = 0.0
        for q in range(sources.block.shape[0]):
            x, y, z = _turned(model, s, sources.block[q])
            grown = max(grown, x * x + y * y + z * z)
        radii[s] = np.sqrt(radii[s]) + np.sqrt(grown) + sources.reach[s]
    count = 0
    for i in range(sources.points.shape[0]):
        for s in range(n_structures):
            x, y, z = _turned(model, s, sources.points[i])
            dx, dy, dz = x - centres[s, 0], y - centres[s, 1], z - centres[s, 2]
            if dx * dx + dy * dy + dz * dz <= radii[s] * radii[s]:
                there[count] = i
                count += 1
                break
    return count


@compiled
def _add_sample(
    model: PackedModel,
    sources: Sources,
    i: int,
    turned: NDArray,
    size: int,
    squares: NDArray,
    out: NDArray,
) -> None:
    """Add the covariances of sample i with the targets of a tile, averaged over the block."""
    n_points = sources.block.shape[0]
    for s in range(model.codes.size):
        x, y, z = _turned(model, s, sources.points[i])
        for q in range(n_points):
            a, b, c = _turned(model, s, sources.block[q])
            for t in range(size):
                dx, dy, dz = (
                    turned[s, 0, t] + a - x,
                    turned[s, 1, t] + b - y,
                    turned[s, 2, t] + c - z,
                )
                squares[t] = dx * dx + dy * dy + dz * dz
            add_covariances(model, s, squares, out, size)
    if n_points > 1:
        for t in range(size):
            out[t] /= n_points


@compiled
def _add_micro(sources: Sources, targets: NDArray, start: int, size: int, sums: NDArray) -> None:
    """Add the nugget of the samples at whose very place a target lies."""
    margin = np.sqrt(sources.tolerance2)
    least, most = np.empty(3), np.empty(3)
    for d in range(3):
        least[d], most[d] = targets[start, d] - margin, targets[start, d] + margin
        for t in range(1, size):
            least[d] = min(least[d], targets[start + t, d] - margin)
            most[d] = max(most[d], targets[start + t, d] + margin)
    for i in range(sources.points.shape[0]):
        x, y, z = sources.points[i, 0], sources.points[i, 1], sources.points[i, 2]
        if sources.micro[i] == 0.0 or not (least[0] <= x <= most[0] and least[1] <= y <= most[1]):
            continue
        if not least[2] <= z <= most[2]:
            continue
        for t in range(size):
            dx, dy = targets[start + t, 0] - x, targets[start + t, 1] - y
            dz = targets[start + t, 2] - z
            if dx * dx + dy * dy + dz * dz <= sources.tolerance2:
                for v in range(sums.shape[0]):
                    sums[v, t] += sources.micro[i] * sources.coefficients[i, v]
