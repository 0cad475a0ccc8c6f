"""Which cells are ore, which are barren, by a rule that is stated with every score.

Places of cells and composites with grades come in; labels with the rule that made them, and draws of
them, go out. The rule decides the score as much as the model does: negatives far from ore are easy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan._checks import check_labels, check_option, check_positive, check_random_state

__all__ = ["CellLabels", "draw_cells", "label_cells"]

UNKNOWN, BARREN, ORE = -1, 0, 1
SPREADS = ("random", "even")


@dataclass(frozen=True, eq=False)
class CellLabels:
    """Labels of cells, and how they came about.

    Attributes
    ----------
    labels : int64 array of shape (n,)
        1 ore, 0 barren, -1 unknown.
    groups : array of shape (n,)
        Hole of the composite nearest to each cell.
    distance : float64 array of shape (n,)
        To that composite [m].
    rule : str
        In words, to be printed with every score.
    """

    labels: NDArray[np.int64]
    groups: NDArray
    distance: NDArray[np.float64]
    rule: str

    @property
    def prevalence(self) -> float:
        """Share of ore among the cells that are known."""
        known = self.labels >= 0
        return float((self.labels[known] == ORE).mean()) if known.any() else float("nan")

    def __str__(self) -> str:
        counts = [int((self.labels == each).sum()) for each in (ORE, BARREN, UNKNOWN)]
        told = "{:,} ore, {:,} barren, {:,} unknown cells".format(*counts)
        return f"{told}. {self.rule}"


def label_cells(
    places: ArrayLike,
    coords: ArrayLike,
    grades: ArrayLike,
    holes: ArrayLike,
    *,
    cutoff: float,
    reach: float = 15.0,
    buffer: float = 0.0,
) -> CellLabels:
    """Label cells by the drill holes: ore near rich composites, barren near poor ones only.

    A cell is ore if its nearest composite within `reach` holds `cutoff` or more. It is barren if
    that composite holds less and no rich one lies within `buffer`. All else is unknown: what no
    hole has met is neither.

    Parameters
    ----------
    places : array of shape (n, 3) or (n, 2)
        Centres of the cells [m].
    coords : array of shape (n_composites, 3) or (n_composites, 2)
        Centres of the composites [m].
    grades : array of shape (n_composites,)
        Grade; NaN where missing, which says nothing.
    holes : array of shape (n_composites,)
        Hole of each composite.
    cutoff : float
        Least grade of ore, in the unit of the grades.
    reach : float
        How far a composite speaks for its surroundings [m].
    buffer : float
        Least distance of a barren cell from a rich composite [m]. The wider, the easier the task
        and the higher every score: state it.

    Returns
    -------
    labels : CellLabels

    Raises
    ------
    ValueError
        If lengths or dimensions differ, no grade is known, or a distance is not positive.

    Examples
    --------
    >>> labels = label_cells([[0, 0], [20, 0], [90, 0]], [[0, 5], [20, 5]], [3.0, 0.1], ["A", "B"],
    ...                      cutoff=1.0)
    >>> labels.labels, labels.groups.tolist()
    (array([ 1,  0, -1]), ['A', 'B', 'B'])
    """
    cells, samples = _points("places", places), _points("coords", coords)
    values = np.asarray(grades, dtype=float)
    names = check_labels("holes", holes, len(samples))
    if cells.shape[1] != samples.shape[1] or len(values) != len(samples):
        raise ValueError(
            f"places {cells.shape}, coords {samples.shape} and grades {values.shape} do not fit one"
            " another. Pass a grade for each composite, and as many coordinates."
        )
    check_positive("reach", reach, unit="m")
    known = np.isfinite(values) & np.isfinite(samples).all(axis=1)
    if not known.any() or buffer < 0:
        raise ValueError(
            f"Labels need a known grade and a buffer of 0 or more, got {int(known.sum())} grades and"
            f" {buffer:g} m. Check the column of grades."
        )
    samples, values, names = samples[known], values[known], names[known]
    distance, nearest = cKDTree(samples).query(cells)
    is_rich = values >= cutoff
    labels = np.where(distance > reach, UNKNOWN, np.where(is_rich[nearest], ORE, BARREN))
    if buffer and is_rich.any():
        to_rich, _ = cKDTree(samples[is_rich]).query(cells)
        labels[(labels == BARREN) & (to_rich < buffer)] = UNKNOWN
    rule = (
        f"Ore: the nearest composite, within {reach:g} m, holds {cutoff:g} or more. Barren: it holds"
        f" less{f', and none that holds more lies within {buffer:g} m' if buffer else ''}."
    )
    return CellLabels(labels.astype(np.int64), names[nearest], distance, rule)


def draw_cells(
    labels: ArrayLike,
    n_ore: int | None,
    n_barren: int | None,
    *,
    groups: ArrayLike | None = None,
    spread: str = "random",
    n_draws: int = 1,
    random_state: int | np.random.Generator | None = None,
) -> list[NDArray[np.int64]]:
    """Rows of some ore and barren cells, drawn again and again without replacement.

    Parameters
    ----------
    labels : array of shape (n,)
        1 ore, 0 barren, anything else is not drawn.
    n_ore, n_barren : int or None
        How many of each; None or more than there are: all.
    groups : array of shape (n,), optional
        Hole of each cell, for "even".
    spread : {"random", "even"}
        "even": barren cells are drawn from all holes alike, so that a long hole does not speak for
        the field.
    n_draws : int
        Draws; the spread of scores over them is part of a result.
    random_state : int, Generator or None

    Returns
    -------
    draws : list of int64 array
        Sorted row numbers, one array a draw.

    Raises
    ------
    ValueError
        If there is no cell of a class, or "even" has no groups.

    Examples
    --------
    >>> (rows,) = draw_cells([1, 0, 0, -1, 0], None, 2, random_state=0)
    >>> rows.tolist()
    [0, 2, 4]
    """
    given = np.asarray(labels)
    check_option("spread", spread, SPREADS)
    if spread == "even" and groups is None:
        raise ValueError('spread="even" needs groups, got None. Pass the hole of each cell.')
    names = None if groups is None else check_labels("groups", groups, len(given))
    rng = check_random_state(random_state)
    pools = {each: np.flatnonzero(given == each) for each in (ORE, BARREN)}
    if not all(len(pool) for pool in pools.values()):
        told = {("ore" if each else "barren"): len(pool) for each, pool in pools.items()}
        raise ValueError(f"Both classes need a cell, got {told}. Change the cutoff or the reach.")
    draws = []
    for _ in range(n_draws):
        ore = _some(pools[ORE], n_ore, rng)
        if spread == "even" and names is not None:
            barren = _evenly(pools[BARREN], n_barren, names[pools[BARREN]], rng)
        else:
            barren = _some(pools[BARREN], n_barren, rng)
        draws.append(np.sort(np.concatenate([ore, barren])))
    return draws


def _points(name: str, points: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(points, dtype=float)
    if array.ndim != 2 or array.shape[1] not in (2, 3) or not len(array):
        raise ValueError(
            f"{name} must have shape (n, 2) or (n, 3), got {array.shape}. Pass easting, northing"
            " and, in 3D, elevation."
        )
    return array


def _some(
    pool: NDArray[np.int64], count: int | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    if count is None or count >= len(pool):
        return pool
    return rng.choice(pool, count, replace=False)


def _evenly(
    pool: NDArray[np.int64], count: int | None, names: NDArray, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw in rounds, one cell of each hole a round."""
    if count is None or count >= len(pool):
        return pool
    order = rng.permutation(len(pool))
    codes = np.unique(names, return_inverse=True)[1].reshape(-1)[order]
    rounds = np.empty(len(pool), dtype=np.int64)
    by_hole = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[by_hole], prepend=-1))
    sizes = np.diff(np.append(starts, len(pool)))
    rounds[by_hole] = np.arange(len(pool)) - np.repeat(starts, sizes)
    return pool[order[np.argsort(rounds, kind="stable")[:count]]]
