"""Folds that keep what belongs together on one side, so that a score measures the next deposit.

Labels of deposits, holes, references or spatial blocks come in; lists of (train, test) row
numbers, or scikit-learn splitters, go out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from sklearn.model_selection import BaseCrossValidator

from gossan._checks import check_labels, check_positive, check_random_state

Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


def block_labels(
    coords: ArrayLike,
    size: ArrayLike,
    *,
    random_state: int | np.random.Generator | None = None,
) -> NDArray[np.int64]:
    """Label each point with the square (or cubic) block it lies in, for grouped validation.

    Blocks should be at least as long as the variogram range and twice the window of a
    convolutional model; the grid is shifted at random, so that no block edge is favoured.

    Parameters
    ----------
    coords : array of shape (n, 2) or (n, 3)
        Easting, northing and, if given, elevation [m].
    size : float or array of shape (n_dims,)
        Edge of a block [m], one for all axes or one per axis.
    random_state : int, Generator or None
        Seed of the random offset.

    Returns
    -------
    labels : int64 array of shape (n,)
        0, 1, ... for the blocks that hold a point.

    Raises
    ------
    ValueError
        If the coordinates are not finite with two or three columns, or a size is not positive.

    Examples
    --------
    >>> block_labels([[0, 0], [5, 5], [900, 5]], 100.0, random_state=0)
    array([0, 0, 1])
    """
    points = _check_points(coords)
    edges = np.broadcast_to(check_positive("size", size, unit="m"), points.shape[1])
    offset = check_random_state(random_state).uniform(0.0, edges)
    cells = np.floor((points - points.min(axis=0) + offset) / edges).astype(np.int64)
    return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


class BufferedGroupKFold(BaseCrossValidator):
    """Grouped k-fold with a dead zone: training points too near a test point are left out.

    Groups are dealt to the folds greedily, so that every fold gets its share of every class.
    Use it where neighbours share information (windows, kriged layers); the dead zone should be
    the window minus one cell plus the radius of interpolation.

    Parameters
    ----------
    coords : array of shape (n, 2) or (n, 3)
        Coordinates of the rows of `X` [m].
    n_splits : int or None
        Number of folds; None holds out each group in turn.
    buffer : float
        Width of the dead zone [m]; 0 leaves none.

    Examples
    --------
    >>> splitter = BufferedGroupKFold([[0, 0], [1, 0], [2, 0], [9, 0]], n_splits=2, buffer=1.5)
    >>> for train, test in splitter.split(range(4), groups=[0, 0, 1, 1]):
    ...     print(train, test)
    [3] [0 1]
    [0] [2 3]
    """

    def __init__(self, coords: ArrayLike, n_splits: int | None = 5, *, buffer: float = 0.0) -> None:
        self.coords = coords
        self.n_splits = n_splits
        self.buffer = buffer

    def split(
        self, X: Any, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield the row numbers of the training and the test part of each fold.

        Parameters
        ----------
        X : sequence of length n
            Only its length is used.
        y : array of shape (n,), optional
            Classes to balance over the folds.
        groups : array of shape (n,)
            What must stay together.

        Yields
        ------
        train, test : int64 arrays
            Row numbers.

        Raises
        ------
        ValueError
            If groups are missing, the lengths differ, or the dead zone empties a training part.
        """
        points = _check_points(self.coords)
        labels = _check_groups(groups, len(points))
        if _length(X) != len(points):
            raise ValueError(
                f"coords has {len(points)} points for {_length(X)} rows."
                " Give the splitter the coordinates of this very table."
            )
        fold_of = _deal_groups(labels, y, self.n_splits)
        for train, test in _folds_from_labels(fold_of):
            kept = train[~_is_near(points[train], points[test], self.buffer)]
            if not len(kept):
                raise ValueError(
                    f"The dead zone of {self.buffer:g} m leaves no training point for the fold of"
                    f" {_some(np.unique(labels[test]))}. Take a narrower buffer or more folds."
                )
            yield kept, test

    def get_n_splits(
        self, X: Any = None, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> int:
        """Return the number of folds (the number of groups when each is held out in turn)."""
        del X, y
        return self.n_splits or len(np.unique(_check_groups(groups, None)))


def group_folds(
    groups: ArrayLike,
    y: ArrayLike | None = None,
    *,
    n_splits: int | None = None,
    min_groups: int = 3,
    positive: Any = None,
    coords: ArrayLike | None = None,
    buffer: float = 0.0,
) -> Folds:
    """Folds that hold out whole groups, checked to be able to teach every class.

    Parameters
    ----------
    groups : array of shape (n,)
        Deposit, hole, catchment, reference or block of each row.
    y : array of shape (n,), optional
        Classes; they are balanced over the folds and checked. Leave out for regression.
    n_splits : int or None
        Number of folds; None holds out each group in turn (leave-one-deposit-out).
    min_groups : int
        Fewest training groups per class. With fewer than 3 a class is learnt from one or two
        deposits, and its score says little.
    positive : label, optional
        The class of the occurrences: then each test part must hold one, and each training part 3.
    coords : array of shape (n, 2) or (n, 3), optional
        Coordinates [m], needed for a dead zone.
    buffer : float
        Width of the dead zone round the test points [m].

    Returns
    -------
    folds : list of (train, test)
        int64 row numbers; each row is tested once.

    Raises
    ------
    ValueError
        If there are fewer groups than folds, if a class keeps fewer than `min_groups` training
        groups, if a fold has no positive to test or fewer than 3 to learn from, or if a dead zone
        is asked for without coordinates.

    Examples
    --------
    >>> group_folds(["a", "a", "b", "c"], n_splits=3)
    [(array([2, 3]), array([0, 1])), (array([0, 1, 3]), array([2])), (array([0, 1, 2]), array([3]))]
    """
    labels = _check_groups(groups, None)
    classes = None if y is None else check_labels("y", y, len(labels))
    if buffer > 0 and coords is None:
        raise ValueError(f"A dead zone of {buffer:g} m needs coordinates, got none. Pass coords.")
    if coords is None:
        folds = _folds_from_labels(_deal_groups(labels, classes, n_splits))
    else:
        splitter = BufferedGroupKFold(coords, n_splits, buffer=buffer)
        folds = list(splitter.split(labels, classes, labels))
    if classes is not None:
        _check_training_groups(folds, labels, classes, min_groups)
    if positive is not None:
        _check_positives(folds, labels, classes, positive)
    return folds


def random_folds(
    y: ArrayLike,
    n_splits: int = 5,
    *,
    random_state: int | np.random.Generator | None = None,
) -> Folds:
    """Folds of single rows drawn at random within each class: the protocol of most papers.

    Only for comparison with grouped folds: analyses of one deposit fall on both sides, so that
    the score measures memory of the deposit.

    Parameters
    ----------
    y : array of shape (n,)
        Classes, dealt evenly to the folds.
    n_splits : int
        Number of folds.
    random_state : int, Generator or None
        Seed of the draw.

    Returns
    -------
    folds : list of (train, test)
        int64 row numbers; each row is tested once.

    Raises
    ------
    ValueError
        If there are fewer rows than folds, or fewer than two folds.
    """
    classes = check_labels("y", y)
    if not 2 <= n_splits <= len(classes):
        raise ValueError(
            f"n_splits must lie between 2 and the {len(classes)} rows, got {n_splits}. Change it."
        )
    order = check_random_state(random_state).permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    fold_of = np.empty(len(classes), dtype=np.int64)
    fold_of[order] = np.arange(len(classes)) % n_splits
    return _folds_from_labels(fold_of)


def block_partitions(
    coords: ArrayLike,
    y: ArrayLike,
    *,
    size: float,
    n_partitions: int = 5,
    n_splits: int = 5,
    same: ArrayLike | None = None,
    positive: Any = 1,
    random_state: int = 0,
) -> list[Folds]:
    """Folds of whole blocks, several times over with the grid of blocks at other offsets.

    One partition is one throw: with tens of occurrences its score moves by a few hundredths. Take
    five or more, and compare methods partition by partition.

    Parameters
    ----------
    coords : array of shape (n, 2)
        Easting and northing [m].
    y : array of shape (n,)
        Two classes.
    size : float
        Edge of a block [m].
    n_partitions, n_splits : int
        Offsets of the grid, and folds of each.
    same : array of shape (n,), optional
        Labels of rows that are one place, such as duplicates by value: they share a fold.
    positive : label
        The class of the occurrences; each fold must test one and learn from three.
    random_state : int
        Seed of the first offset; the next ones follow it.

    Returns
    -------
    partitions : list of list of (train, test)
        Row numbers.

    Raises
    ------
    ValueError
        If a fold has too few occurrences (see `group_folds`) or lengths differ.

    Examples
    --------
    >>> places = np.random.default_rng(0).uniform(0, 90e3, (60, 2))
    >>> partitions = block_partitions(places, [0, 0, 1] * 20, size=20e3, n_partitions=2, n_splits=3)
    >>> len(partitions), len(partitions[0])
    (2, 3)
    """
    labels = check_labels("y", y)
    partitions = []
    for i in range(n_partitions):
        blocks = block_labels(coords, size, random_state=random_state + i)
        if same is not None:
            blocks = _joined(blocks, check_labels("same", same, len(blocks)))
        options: dict[str, Any] = {"n_splits": n_splits, "min_groups": 2, "positive": positive}
        partitions.append(group_folds(blocks, labels, **options))
    return partitions


def _check_points(coords: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(coords, dtype=float)
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not np.isfinite(points).all():
        raise ValueError(
            "coords must be finite, with two or three columns (easting, northing, elevation [m]),"
            f" got shape {points.shape}. Drop the rows without a position."
        )
    return points


def _check_groups(groups: ArrayLike | None, n: int | None) -> NDArray:
    if groups is None:
        raise ValueError(
            "Grouped folds need groups, got none. Pass the deposit, hole or block of each row."
        )
    return check_labels("groups", groups, n)


def _length(X: Any) -> int:
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _deal_groups(labels: NDArray, y: ArrayLike | None, n_splits: int | None) -> NDArray[np.int64]:
    """Fold of each row: the group with the largest share of a class goes first."""
    names, codes = np.unique(labels, return_inverse=True)
    if n_splits is None:
        n_splits = len(names)
    if not 2 <= n_splits <= len(names):
        raise ValueError(
            f"{n_splits} folds cannot be dealt from {len(names)} groups ({_some(names)})."
            " Use between 2 folds and one per group, or finer groups."
        )
    if n_splits == len(names):
        return codes.astype(np.int64)
    kinds = np.zeros(len(labels), int) if y is None else np.unique(y, return_inverse=True)[1]
    counts = np.zeros((len(names), kinds.max() + 1))
    np.add.at(counts, (codes, kinds), 1)
    share = counts / counts.sum(axis=0)
    fold_of_group = np.empty(len(names), dtype=np.int64)
    load = np.zeros((n_splits, share.shape[1]))
    n_given = np.zeros(n_splits)
    for group in np.argsort(-share.max(axis=1), kind="stable"):
        # Adding s to a fold raises the summed squared load by 2 s.load + s.s; the least is taken.
        cost = load @ share[group]
        fold = np.lexsort((n_given, load.sum(axis=1), np.round(cost, 12)))[0]
        fold_of_group[group] = fold
        load[fold] += share[group]
        n_given[fold] += 1
    return fold_of_group[codes]


def _joined(blocks: NDArray, same: NDArray) -> NDArray[np.int64]:
    """Return labels of blocks, those that share a place taken as one."""
    n_blocks, of_row = blocks.max() + 1, np.unique(same, return_inverse=True)[1]
    links = coo_array(
        (np.ones(len(blocks)), (blocks, n_blocks + of_row)),
        shape=(n_blocks + of_row.max() + 1,) * 2,
    )
    return connected_components(links, directed=False)[1][blocks].astype(np.int64)


def _folds_from_labels(fold_of: NDArray[np.int64]) -> Folds:
    order = np.argsort(fold_of, kind="stable")
    starts = np.searchsorted(fold_of[order], np.arange(fold_of.max() + 2))
    folds = []
    for first, last in pairwise(starts):
        test = np.sort(order[first:last])
        is_train = np.ones(len(fold_of), dtype=bool)
        is_train[test] = False
        folds.append((np.flatnonzero(is_train), test))
    return folds


def _is_near(points: NDArray, others: NDArray, distance: float) -> NDArray[np.bool_]:
    if distance <= 0:
        return np.zeros(len(points), dtype=bool)
    return cKDTree(others).query(points)[0] <= distance


def _check_training_groups(folds: Folds, labels: NDArray, y: NDArray, min_groups: int) -> None:
    names, codes = np.unique(labels, return_inverse=True)
    kinds, class_codes = np.unique(y, return_inverse=True)
    for train, test in folds:
        present = np.zeros((len(names), len(kinds)), dtype=bool)
        present[codes[train], class_codes[train]] = True
        n_left = present.sum(axis=0)
        if (n_left < min_groups).any():
            worst = int(np.argmin(n_left))
            raise ValueError(
                f"Class {kinds[worst]} keeps {n_left[worst]} training groups (fewer than"
                f" {min_groups}) when {_some(np.unique(labels[test]))} is held out. Use more folds,"
                f" merge or drop this class, or pass min_groups={n_left[worst]} to go on."
            )


def _check_positives(folds: Folds, labels: NDArray, y: NDArray | None, positive: Any) -> None:
    if y is None or not (y == positive).any():
        raise ValueError(
            f"No row has the positive label {positive!r}. Pass y with that label, or positive=None."
        )
    for train, test in folds:
        n_train, n_test = int((y[train] == positive).sum()), int((y[test] == positive).sum())
        if n_test and n_train >= 3:
            continue
        raise ValueError(
            f"The fold of {_some(np.unique(labels[test]))} has {n_test} positives to test and"
            f" {n_train} to learn from (at least 1 and 3 are needed). Use fewer folds, larger"
            " blocks or a narrower dead zone."
        )


def _some(names: Sequence[Any] | NDArray) -> str:
    shown = ", ".join(str(name) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
