"""Fake occurrences that keep the clustering of the real ones, to see what a score finds in nothing.

Places of occurrences and of the cells of a map come in; cells of turned and shifted patterns go out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan._checks import check_random_state

__all__ = ["moved_patterns"]

N_TRIES = 60  # turns and shifts of which the one with the most points on the map is taken


def moved_patterns(
    occurrences: ArrayLike,
    cells: ArrayLike,
    *,
    n_patterns: int = 20,
    random_state: int | np.random.Generator | None = 0,
) -> NDArray[np.int64]:
    """Cells of fake occurrences: the real pattern turned, shifted and laid on the map anew.

    A map scored against them shows what clustering alone earns: real deposits come in camps, and
    under random cross-validation any camp is found again by its neighbours. The pattern keeps its
    shape; points that fall off the map go to the nearest free cell.

    Parameters
    ----------
    occurrences : array of shape (n, 2)
        Easting and northing of the real occurrences [m].
    cells : array of shape (m, 2)
        Centres of the cells that a pattern may use [m], such as the supported ones.
    n_patterns : int
        At least 20; the smallest possible p-value is 1 / (1 + n_patterns).
    random_state : int, Generator or None
        Seed of turns, mirrors and shifts.

    Returns
    -------
    patterns : int64 array of shape (n_patterns, n)
        Rows of `cells`, all different within a pattern.

    Raises
    ------
    ValueError
        If no pattern is asked for, or there are not more cells than occurrences.

    Examples
    --------
    >>> cells = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), axis=-1).reshape(-1, 2)
    >>> moved = moved_patterns([[1.0, 1.0], [2.0, 1.0]], cells, n_patterns=3)
    >>> np.linalg.norm(cells[moved[:, 0]] - cells[moved[:, 1]], axis=1).round(1)
    array([1., 1., 1.])
    """
    points, places = _check(occurrences, "occurrences"), _check(cells, "cells")
    if n_patterns < 1:
        raise ValueError(f"n_patterns must be at least 1, got {n_patterns}. Use 20 or more.")
    if len(places) <= len(points):
        raise ValueError(
            f"{len(points)} occurrences cannot be moved among {len(places)} cells. Use a finer grid,"
            " or a wider support."
        )
    rng = check_random_state(random_state)
    tree = cKDTree(places)
    reach = float(np.median(tree.query(places[:: max(1, len(places) // 2000)], k=2)[0][:, 1]))
    found = [_free_cells(_lay(points, places, tree, reach, rng), tree) for _ in range(n_patterns)]
    return np.stack(found)


def _check(points: ArrayLike, name: str) -> NDArray[np.float64]:
    given = np.asarray(points, dtype=float)
    if given.ndim != 2 or given.shape[1] != 2 or not len(given) or not np.isfinite(given).all():
        raise ValueError(
            f"{name} must be finite, one row a place with easting and northing [m], got shape"
            f" {given.shape}. Drop what has no position."
        )
    return given


def _lay(
    points: NDArray[np.float64],
    places: NDArray[np.float64],
    tree: cKDTree,
    reach: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the pattern turned and shifted so that as much of it as possible lies on the map."""
    centred = points - points.mean(axis=0)
    best, most = centred, -1.0
    for _ in range(N_TRIES):
        angle = rng.uniform(0.0, 2.0 * np.pi)
        mirror = rng.choice([-1.0, 1.0])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved = centred @ (turn * [mirror, 1.0]).T + places[rng.integers(len(places))]
        share = float((tree.query(moved, distance_upper_bound=reach)[0] <= reach).mean())
        if share > most:
            best, most = moved, share
        if share == 1.0:
            break
    return best


def _free_cells(moved: NDArray[np.float64], tree: cKDTree) -> NDArray[np.int64]:
    """Return the nearest cell of each point that no earlier point has taken."""
    near = min(len(moved) + 1, tree.n)
    ranked = tree.query(moved, k=near)[1].reshape(len(moved), near)
    taken: dict[int, None] = {}  # in the order of the points
    for row in ranked:
        taken[next(int(cell) for cell in row if int(cell) not in taken)] = None
    return np.fromiter(taken, dtype=np.int64, count=len(moved))
