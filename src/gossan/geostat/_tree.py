"""A compiled k-d tree: the nearest samples of a target, with ties in a fixed order.

Points in 3D come in, as arrays a compiled search can walk; sorted squared distances and row numbers
go out.
"""
# ruff: noqa: C901, PLR0912, PLR0917, PLW3301 - kernels are long loops over flat arrays

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._compile import compiled

STACK = 128  # nodes that wait: far more than a balanced tree of any size has levels


class Tree(NamedTuple):
    """A balanced k-d tree of points in 3D; node i has the children 2 i + 1 and 2 i + 2."""

    points: NDArray[np.float64]  # (n, 3) in the search frame, leaf after leaf
    rows: NDArray[np.int64]  # (n,) row number of each
    places: NDArray[np.int64]  # (n,) and back: place of each row
    groups: NDArray[np.int64]  # (n,) hole of each row; -1: none
    folds: NDArray[np.int64]  # (n,) fold of each row; -1: none
    starts: NDArray[np.int64]  # (nodes,)
    stops: NDArray[np.int64]  # (nodes,)
    boxes: NDArray[np.float64]  # (nodes, 2, 3) least and most of the points
    n_levels: int


@compiled
def build(
    points: NDArray, n_levels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray]:
    """Order the points leaf by leaf: each node is cut at the median of its longest side."""
    n = points.shape[0]
    n_nodes = 2 ** (n_levels + 1) - 1
    order = np.arange(n)
    starts, stops = np.zeros(n_nodes, np.int64), np.zeros(n_nodes, np.int64)
    boxes = np.zeros((n_nodes, 2, 3))
    stops[0] = n
    for node in range(n_nodes):
        start, stop = starts[node], stops[node]
        for d in range(3):
            boxes[node, 0, d], boxes[node, 1, d] = np.inf, -np.inf
            for i in range(start, stop):
                boxes[node, 0, d] = min(boxes[node, 0, d], points[order[i], d])
                boxes[node, 1, d] = max(boxes[node, 1, d], points[order[i], d])
        if 2 * node + 2 < n_nodes:
            side = 0
            for d in range(1, 3):
                length = boxes[node, 1, d] - boxes[node, 0, d]
                if length > boxes[node, 1, side] - boxes[node, 0, side]:
                    side = d
            middle = (start + stop) // 2
            _select(points, order, side, start, stop, middle)
            starts[2 * node + 1], stops[2 * node + 1] = start, middle
            starts[2 * node + 2], stops[2 * node + 2] = middle, stop
    return order, starts, stops, boxes


@compiled
def _select(
    points: NDArray, order: NDArray[np.int64], side: int, start: int, stop: int, middle: int
) -> None:
    """Put the smaller points along `side` before `middle` and the others after (Hoare's select)."""
    low, high = start, stop - 1
    while low < high:
        pivot = points[order[(low + high) // 2], side]
        i, j = low, high
        while i <= j:
            while points[order[i], side] < pivot:
                i += 1
            while points[order[j], side] > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


@compiled
def least_square(tree: Tree, node: int, x: float, y: float, z: float) -> float:
    """Return the squared distance from a target to the box of a node."""
    box = tree.boxes[node]
    dx = max(max(box[0, 0] - x, x - box[1, 0]), 0.0)
    dy = max(max(box[0, 1] - y, y - box[1, 1]), 0.0)
    dz = max(max(box[0, 2] - z, z - box[1, 2]), 0.0)
    return dx * dx + dy * dy + dz * dz


@compiled
def most_square(tree: Tree, node: int, x: float, y: float, z: float) -> float:
    """Return the squared distance from a target to the far corner of the box of a node."""
    box = tree.boxes[node]
    dx = max(abs(box[0, 0] - x), abs(x - box[1, 0]))
    dy = max(abs(box[0, 1] - y), abs(y - box[1, 1]))
    dz = max(abs(box[0, 2] - z), abs(z - box[1, 2]))
    return dx * dx + dy * dy + dz * dz


@compiled
def _is_before(square: float, row: int, other_square: float, other_row: int) -> bool:
    return square < other_square or (square == other_square and row < other_row)


@compiled
def sift(squares: NDArray, rows: NDArray, root: int, size: int) -> None:
    """Restore the heap, farthest on top, below `root`."""
    square, row = squares[root], rows[root]
    while True:
        child = 2 * root + 1
        if child >= size:
            break
        if child + 1 < size and _is_before(
            squares[child], rows[child], squares[child + 1], rows[child + 1]
        ):
            child += 1
        if not _is_before(square, row, squares[child], rows[child]):
            break
        squares[root], rows[root] = squares[child], rows[child]
        root = child
    squares[root], rows[root] = square, row


@compiled
def heapify(squares: NDArray, rows: NDArray, size: int) -> None:
    """Make the first `size` a heap, farthest on top."""
    for root in range(size // 2 - 1, -1, -1):
        sift(squares, rows, root, size)


@compiled
def sort_heap(squares: NDArray, rows: NDArray, size: int) -> None:
    """Sort a heap of `size` by distance, then row."""
    for last in range(size - 1, 0, -1):
        squares[0], squares[last] = squares[last], squares[0]
        rows[0], rows[last] = rows[last], rows[0]
        sift(squares, rows, 0, last)


@compiled
def nearest(
    tree: Tree, x: float, y: float, z: float, fold: int, radius2: float, squares: NDArray,
    rows: NDArray[np.int64], stack: NDArray[np.int64], bounds: NDArray,
) -> int:  # fmt: skip
    """Fill `squares` and `rows` with the nearest samples within the radius, sorted; return how many.

    The nearer child is looked into first; a node is passed over when its box lies farther than the
    farthest of a full heap. Equally far samples come in the order of their rows.
    """
    k, size, top = rows.size, 0, 1
    worst = radius2
    stack[0], bounds[0] = 0, least_square(tree, 0, x, y, z)
    n_inner = 2**tree.n_levels - 1
    while top > 0:
        top -= 1
        node = stack[top]
        if bounds[top] > worst:
            continue
        while node < n_inner:
            left, right = 2 * node + 1, 2 * node + 2
            near, far = least_square(tree, left, x, y, z), least_square(tree, right, x, y, z)
            if far < near:
                left, right, near, far = right, left, far, near
            if far <= worst:
                stack[top], bounds[top] = right, far
                top += 1
            if near > worst:
                node = -1
                break
            node = left
        if node < 0:
            continue
        for i in range(tree.starts[node], tree.stops[node]):
            dx, dy, dz = tree.points[i, 0] - x, tree.points[i, 1] - y, tree.points[i, 2] - z
            square = dx * dx + dy * dy + dz * dz
            if square > worst or (fold >= 0 and tree.folds[tree.rows[i]] == fold):
                continue
            if size < k:
                squares[size], rows[size] = square, tree.rows[i]
                size += 1
                if size == k:
                    heapify(squares, rows, k)
                    worst = squares[0]
            elif _is_before(square, tree.rows[i], squares[0], rows[0]):
                squares[0], rows[0] = square, tree.rows[i]
                sift(squares, rows, 0, k)
                worst = squares[0]
    if size < k:
        heapify(squares, rows, size)
    sort_heap(squares, rows, size)
    return size
