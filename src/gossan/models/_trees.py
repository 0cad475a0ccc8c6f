"""Decision trees as plain arrays: checked, walked by compiled code, and saved without a pickle.

Padded arrays (n_trees, n_nodes) and rows (n, features) come in; mean and spread of the values of the
leaves go out. A leaf is its own left and right; a row goes left where it is at most the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gossan import saving

Floats = NDArray[np.float64]
ROWS_AT_ONCE = 256  # they stay in the cache while all trees pass over them


class Trees(NamedTuple):
    """Trees of at most `n_nodes` nodes, all of shape (n_trees, n_nodes)."""

    feature: NDArray[np.int32]
    threshold: Floats
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Floats

    def summary(self, rows: NDArray) -> Floats:
        """Return mean and standard deviation over the trees, shape (2, n)."""
        out = np.zeros((2, len(rows)))
        _sum_leaves(np.ascontiguousarray(rows, dtype=np.float32), tuple(self), out)
        mean = out[0] / len(self.value)
        return np.stack([mean, np.sqrt(np.maximum(out[1] / len(self.value) - mean**2, 0.0))])

    def values(self, rows: NDArray) -> Floats:
        """Return the value of each tree at each row, shape (n_trees, n)."""
        out = np.empty((len(self.value), len(rows)))
        _leaves(np.ascontiguousarray(rows, dtype=np.float32), tuple(self), out)
        return out

    def to_arrays(self) -> dict[str, NDArray]:
        """Return the arrays by name."""
        return {f"{name}_": getattr(self, name) for name in self._fields}


def trees_of(grown: Sequence[Any], values: Sequence[NDArray]) -> Trees:
    """Return scikit-learn's trees, and the value of each of their nodes, as padded arrays."""
    shape = (len(grown), max(tree.node_count for tree in grown))
    left = np.tile(np.arange(shape[1], dtype=np.int32), (shape[0], 1))
    right, feature = left.copy(), np.zeros(shape, dtype=np.int32)
    threshold, value = np.zeros(shape), np.zeros(shape)
    for i, (tree, of_node) in enumerate(zip(grown, values, strict=True)):
        at = np.arange(tree.node_count)
        is_leaf = tree.children_left < 0
        left[i, at] = np.where(is_leaf, at, tree.children_left)
        right[i, at] = np.where(is_leaf, at, tree.children_right)
        feature[i, at] = np.where(is_leaf, 0, tree.feature)
        threshold[i, at] = np.where(is_leaf, 0.0, tree.threshold)
        value[i, at] = of_node
    return Trees(feature, threshold, left, right, value)


def take_trees(arrays: dict[str, NDArray], n_features: int) -> Trees:
    """Remove and return saved trees; raise ValueError unless every walk through them ends."""
    value = saving.take(arrays, "value_", (None, None))
    whole = partial(saving.take, arrays, shape=value.shape, dtype=np.int32)
    threshold = saving.take(arrays, "threshold_", value.shape)
    trees = Trees(whole("feature_"), threshold, whole("left_"), whole("right_"), value)
    own = np.arange(value.shape[1])
    is_leaf = (trees.left == own) & (trees.right == own)
    is_fork = (trees.left > own) & (trees.right > own)
    is_inside = (trees.left < len(own)) & (trees.right < len(own))
    if not value.size or not ((is_leaf | is_fork) & is_inside).all():
        raise ValueError("a tree has a node whose child is outside the tree or before it")
    if ((trees.feature < 0) | (trees.feature >= n_features)).any():
        raise ValueError(f"a tree asks for a feature beyond the {n_features} there are")
    return trees


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function to run without Python's lock, and keep it on disk if any folder allows."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(nogil=True)(function)


@_compiled
def _leaf(row: Any, feature: Any, threshold: Any, left: Any, right: Any) -> int:
    node = 0
    while left[node] != node:
        node = left[node] if row[feature[node]] <= threshold[node] else right[node]
    return node


@_compiled
def _sum_leaves(rows: Any, trees: Any, out: Any) -> None:
    """Add the values, and their squares, of the leaves that rows reach to `out` (2, n)."""
    feature, threshold, left, right, value = trees
    n = len(rows)
    for start in range(0, n, ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, n)
        for t in range(len(value)):
            for i in range(start, end):
                at = value[t, _leaf(rows[i], feature[t], threshold[t], left[t], right[t])]
                out[0, i] += at
                out[1, i] += at * at


@_compiled
def _leaves(rows: Any, trees: Any, out: Any) -> None:
    """Write the value of the leaf that each row reaches in each tree to `out` (n_trees, n)."""
    feature, threshold, left, right, value = trees
    for t in range(len(value)):
        for i in range(len(rows)):
            out[t, i] = value[t, _leaf(rows[i], feature[t], threshold[t], left[t], right[t])]
