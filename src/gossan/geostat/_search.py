"""Which samples speak for which place: nearest neighbours in an ellipsoid, with sectors and caps.

Coordinates, a search ellipsoid and limits come in; the row numbers of the neighbours of each
target, nearest first and padded with -1, go out. Compiled: a k-d tree, and for sectors, caps per
hole or left-out folds, shells around the target that grow until enough samples are taken.
"""
# ruff: noqa: PLR0917 - kernels take what they change one by one

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._compile import compiled
from gossan.geostat._packed import in_three_dimensions
from gossan.geostat._tree import (
    STACK,
    Tree,
    build,
    heapify,
    least_square,
    most_square,
    nearest,
    sort_heap,
)

LEAF = 12  # samples in a leaf of the tree, at most
CHUNK = 4096  # targets that a thread takes at a time
_GROWTH = 2.25  # of the squared radius from shell to shell


class Limits(NamedTuple):
    """What the search may take, as the kernels see it; a number of samples that does not bind is n."""

    n_neighbours: int
    min_neighbours: int
    n_per_group: int
    sectors: int  # 1, 4 or 8
    max_per_sector: int
    radius2: float  # squared max_distance
    n_dims: int


@dataclass(frozen=True)
class Search:
    """How far, in which directions and how many samples to look for.

    Attributes
    ----------
    n_neighbours, min_neighbours : int
        Most samples of a target, and fewest: with fewer it has none at all.
    max_distance : float
        Along the major axis of the ellipsoid [m].
    sectors : int
        1 (none), 4 (quadrants of the major and semi axis) or 8 (octants; in 2D eight wedges).
    max_per_sector, n_per_group : int or None
        Most samples of one sector and of one hole.
    """

    n_neighbours: int = 32
    min_neighbours: int = 1
    max_distance: float = np.inf
    sectors: int = 1
    max_per_sector: int | None = None
    n_per_group: int | None = None


@dataclass(frozen=True)
class SearchTree:
    """Samples in the frame of the search ellipsoid, ready to be asked."""

    tree: Tree
    frame: NDArray[np.float64]  # (3, 3): offsets to the frame, metres along the major axis
    n_dims: int
    n_samples: int
    n_groups: int


def build_tree(
    coords: NDArray[np.float64],
    frame: NDArray[np.float64] | None = None,
    *,
    groups: NDArray[np.int64] | None = None,
    folds: NDArray[np.int64] | None = None,
) -> SearchTree:
    """Return the tree of samples at `coords` (n, 2 or 3) [m].

    Parameters
    ----------
    coords : array of shape (n, 2) or (n, 3)
        Centred coordinates.
    frame : array of shape (n_dims, n_dims), optional
        Matrix whose rows are the axes of the ellipsoid, each times the major over its own range;
        see `search_frame`. None: a sphere.
    groups, folds : int64 arrays of shape (n,), optional
        Hole of each sample (0 to n_groups - 1, -1: none), and fold, for targets that must not
        see their own.
    """
    n, n_dims = coords.shape
    whole = np.eye(3)
    if frame is not None:
        whole[:n_dims, :n_dims] = frame
    none = np.full(n, -1, dtype=np.int64)
    points = in_three_dimensions(coords) @ whole.T
    n_levels = max(0, int(np.ceil(np.log2(max(n, 1) / LEAF))))
    order, starts, stops, boxes = build(points, n_levels)
    tree = Tree(
        points[order],
        order,
        np.argsort(order),
        none if groups is None else np.ascontiguousarray(groups, dtype=np.int64),
        none if folds is None else np.ascontiguousarray(folds, dtype=np.int64),
        starts,
        stops,
        boxes,
        n_levels,
    )
    n_groups = 0 if groups is None or not n else int(groups.max()) + 1
    return SearchTree(tree, whole, n_dims, n, n_groups)


def search_frame(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the frame of a structure's `transform`: distances in metres along its major axis."""
    longest = 1.0 / np.sqrt((transform**2).sum(axis=1)).min()
    return np.asarray(transform * longest)


def find_neighbours(
    tree: SearchTree,
    targets: NDArray[np.float64],
    search: Search,
    *,
    target_folds: NDArray[np.int64] | None = None,
    n_jobs: int = 1,
) -> NDArray[np.int64]:
    """Return the row numbers (n_targets, k) of the samples of each target, nearest first.

    Walking away from the target, a sample is taken if neither its sector nor its hole is full, to
    `n_neighbours`; equally far samples are taken in the order of their rows. Unused places are -1.

    Parameters
    ----------
    tree : SearchTree
    targets : array of shape (n_targets, 2) or (n_targets, 3)
        In the coordinates of the tree [m].
    search : Search
    target_folds : int64 array of shape (n_targets,), optional
        Samples of the same fold are left out; -1: none.
    n_jobs : int, default 1
        Threads.
    """
    n = len(targets)
    k = min(search.n_neighbours, max(tree.n_samples, 1))
    found = np.empty((n, k), dtype=np.int64)
    limits = _limits(tree, search, k)
    folds = np.full(n, -1, dtype=np.int64) if target_folds is None else target_folds

    def work(start: int) -> None:
        part = slice(start, start + CHUNK)
        there = in_three_dimensions(targets[part]) @ tree.frame.T
        _find(tree.tree, there, folds[part], limits, tree.n_groups, found[part])

    run_chunks(work, n, CHUNK, n_jobs)
    return found


def run_chunks(work: Callable[[int], None], n: int, size: int, n_jobs: int) -> None:
    """Call `work(start)` for each chunk of `size` of `n` targets, in `n_jobs` threads."""
    starts = range(0, n, size)
    if n_jobs == 1 or len(starts) < 2:
        for start in starts:
            work(start)
        return
    with ThreadPoolExecutor(n_jobs) as pool:
        list(pool.map(work, starts))


def _limits(tree: SearchTree, search: Search, k: int) -> Limits:
    n = tree.n_samples + 1
    cap = n if search.n_per_group is None or not tree.n_groups else search.n_per_group
    fair = -(-k // search.sectors)
    most = fair if search.max_per_sector is None else search.max_per_sector
    return Limits(
        k,
        search.min_neighbours,
        cap,
        search.sectors,
        n if search.sectors == 1 else most,
        float(search.max_distance) ** 2,
        tree.n_dims,
    )


@compiled
def _find(
    tree: Tree,
    targets: NDArray,
    folds: NDArray[np.int64],
    limits: Limits,
    n_groups: int,
    found: NDArray[np.int64],
) -> None:
    """Fill `found` (targets, k), target by target; the scratch arrays live as long as the chunk."""
    n, k = tree.rows.size, limits.n_neighbours
    stack, bounds = np.empty(STACK, np.int64), np.empty(STACK)
    squares, rows = np.empty(k), np.empty(k, np.int64)
    is_plain = limits.sectors == 1 and limits.n_per_group >= n
    size = 0 if is_plain else n
    shell, shell_rows = np.empty(size), np.empty(size, np.int64)
    in_group, in_sector = np.zeros(n_groups + 1, np.int64), np.zeros(8, np.int64)
    for t in range(targets.shape[0]):
        x, y, z = targets[t, 0], targets[t, 1], targets[t, 2]
        found[t] = -1
        if n == 0:
            continue
        count = nearest(tree, x, y, z, folds[t], limits.radius2, squares, rows, stack, bounds)
        if is_plain:
            found[t, :count] = rows[:count]
        else:
            in_sector[:] = 0
            taken = _take(tree, x, y, z, limits, rows, count, found[t], 0, in_group, in_sector)
            if count == k and taken < k:
                taken = _widen(
                    tree, x, y, z, folds[t], limits, squares[k - 1], rows[k - 1], found[t], taken,
                    in_group, in_sector, shell, shell_rows, stack,
                )  # fmt: skip
            for i in range(taken):
                if tree.groups[found[t, i]] >= 0:
                    in_group[tree.groups[found[t, i]]] = 0
            count = taken
        if count < limits.min_neighbours:
            found[t] = -1


@compiled
def _sector(dx: float, dy: float, dz: float, limits: Limits) -> int:
    """Return the sector of an offset in the search frame."""
    if limits.sectors == 1:
        return 0
    quadrant = (1 if dx >= 0 else 0) + (2 if dy >= 0 else 0)
    if limits.sectors == 4:
        return quadrant
    if limits.n_dims == 2:
        return quadrant + (4 if abs(dx) > abs(dy) else 0)
    return quadrant + (4 if dz >= 0 else 0)


@compiled
def _take(
    tree: Tree, x: float, y: float, z: float, limits: Limits, rows: NDArray[np.int64], count: int,
    out: NDArray[np.int64], taken: int, in_group: NDArray[np.int64], in_sector: NDArray[np.int64],
) -> int:  # fmt: skip
    """Take from `count` sorted samples those whose sector and hole have room; return the total."""
    for i in range(count):
        row = rows[i]
        point, group = tree.points[tree.places[row]], tree.groups[row]
        sector = _sector(point[0] - x, point[1] - y, point[2] - z, limits)
        if in_sector[sector] >= limits.max_per_sector:
            continue
        if group >= 0:
            if in_group[group] >= limits.n_per_group:
                continue
            in_group[group] += 1
        in_sector[sector] += 1
        out[taken] = row
        taken += 1
        if taken == limits.n_neighbours:
            break
    return taken


@compiled
def _widen(
    tree: Tree, x: float, y: float, z: float, fold: int, limits: Limits, low2: float, low_row: int,
    out: NDArray[np.int64], taken: int, in_group: NDArray[np.int64],
    in_sector: NDArray[np.int64], shell: NDArray, shell_rows: NDArray[np.int64],
    stack: NDArray[np.int64],
) -> int:  # fmt: skip
    """Take from wider and wider shells until enough samples are taken or all were seen."""
    last2 = min(limits.radius2, most_square(tree, 0, x, y, z))
    # A shell at distance 0 (all twins) starts from the spacing of the samples.
    high2 = max(low2, last2 * 1e-9)
    while taken < limits.n_neighbours and low2 <= last2:
        high2 = min(high2 * _GROWTH, last2)
        count = _shell(
            tree, x, y, z, fold, limits, low2, low_row, high2, in_group, in_sector, shell,
            shell_rows, stack,
        )  # fmt: skip
        heapify(shell, shell_rows, count)
        sort_heap(shell, shell_rows, count)
        taken = _take(tree, x, y, z, limits, shell_rows, count, out, taken, in_group, in_sector)
        if high2 >= last2:
            break
        low2, low_row = high2, tree.rows.size
    return taken


@compiled
def _shell(
    tree: Tree, x: float, y: float, z: float, fold: int, limits: Limits, low2: float, low_row: int,
    high2: float, in_group: NDArray[np.int64], in_sector: NDArray[np.int64], shell: NDArray,
    shell_rows: NDArray[np.int64], stack: NDArray[np.int64],
) -> int:  # fmt: skip
    """Collect the samples after (low2, low_row) and up to high2 whose sector and hole have room."""
    count, top, n_inner = 0, 1, 2**tree.n_levels - 1
    stack[0] = 0
    while top > 0:
        top -= 1
        node = stack[top]
        if least_square(tree, node, x, y, z) > high2 or most_square(tree, node, x, y, z) < low2:
            continue
        if limits.sectors > 1 and _lies_in_full_sectors(tree, node, x, y, z, limits, in_sector):
            continue
        if node < n_inner:
            stack[top], stack[top + 1] = 2 * node + 1, 2 * node + 2
            top += 2
            continue
        for i in range(tree.starts[node], tree.stops[node]):
            dx, dy, dz = tree.points[i, 0] - x, tree.points[i, 1] - y, tree.points[i, 2] - z
            square, row = dx * dx + dy * dy + dz * dz, tree.rows[i]
            if square > high2 or square < low2 or (square == low2 and row <= low_row):
                continue
            group = tree.groups[row]
            if group >= 0 and in_group[group] >= limits.n_per_group:
                continue
            if fold >= 0 and tree.folds[row] == fold:
                continue
            if in_sector[_sector(dx, dy, dz, limits)] >= limits.max_per_sector:
                continue
            shell[count], shell_rows[count] = square, row
            count += 1
    return count


@compiled
def _lies_in_full_sectors(
    tree: Tree, node: int, x: float, y: float, z: float, limits: Limits,
    in_sector: NDArray[np.int64],
) -> bool:  # fmt: skip
    """Tell whether no sector that the box of a node touches has room."""
    has_wedges = limits.sectors == 8 and limits.n_dims == 2  # two in each quadrant
    box = tree.boxes[node]
    for corner in range(8):
        dx = box[corner & 1, 0] - x
        dy = box[(corner >> 1) & 1, 1] - y
        dz = box[(corner >> 2) & 1, 2] - z
        sector = _sector(dx, dy, dz, limits)
        if in_sector[sector] < limits.max_per_sector:
            return False
        if has_wedges and in_sector[(sector + 4) % 8] < limits.max_per_sector:
            return False
    return True
