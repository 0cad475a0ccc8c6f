"""Background for learning from known occurrences alone: cells drawn again and again, by stated rules.

Candidate cells, their places and the cells of known occurrences come in; draws of background cells go
out. Background is not barren: it is unlabelled, which is why one draw says little and many are taken.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan._checks import GossanWarning
from gossan.sampling.cells import draw_cells

__all__ = ["BackgroundDraws", "draw_background"]

Rows = NDArray[np.int64]

OCCURRENCE, BACKGROUND, LEFT_OUT = 1, 0, -1  # as draw_cells has them


@dataclass(frozen=True, eq=False)
class BackgroundDraws:
    """Draws of background cells, and the rule they follow.

    Attributes
    ----------
    draws : tuple of int64 arrays
        Sorted numbers of cells; the sure negatives are in each.
    sure : int64 array
        Cells known to be barren.
    pool : int64 array
        Cells that could be drawn.
    rule : str
        In words, to be printed with every score.
    """

    draws: tuple[Rows, ...]
    sure: Rows
    pool: Rows
    rule: str

    def __iter__(self) -> Iterator[Rows]:
        return iter(self.draws)

    def __len__(self) -> int:
        return len(self.draws)

    def __str__(self) -> str:
        return f"{len(self.draws)} draws from {len(self.pool):,} cells. {self.rule}"


def draw_background(
    candidates: ArrayLike,
    n: int,
    *,
    places: ArrayLike,
    occurrences: ArrayLike,
    buffer: float = 0.0,
    sure_negatives: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    n_draws: int = 10,
    random_state: int | np.random.Generator | None = None,
) -> BackgroundDraws:
    """Draws of background cells, none of them an occurrence or within a buffer of one.

    Parameters
    ----------
    candidates : bool array of shape (n_cells,) or of the grid's shape
        Cells that may be drawn: supported, with data, and of the rocks that a rule allows
        (``supported & ~is_lake``). Drawing only from rocks that can host the ore makes the task
        honest; drawing everywhere makes it easy.
    n : int
        Cells of a draw, besides the sure negatives.
    places : array of shape (n_cells, 2)
        Centres of all cells, as `cell_centres` gives them [m].
    occurrences : int array
        Numbers of the cells with known occurrences (`PlacedOccurrences.cells`).
    buffer : float, default 0
        Cells whose centre lies this near to that of an occurrence are not drawn [m]. The wider, the
        easier the task and the higher every score: state it.
    sure_negatives : int array, optional
        Cells known to be barren, by drilling say: in every draw, within the buffer too.
    strata : array of shape (n_cells,), optional
        Label of each cell (lithology, map sheet): all strata are then drawn from alike.
    n_draws : int, default 10
    random_state : int, Generator or None

    Returns
    -------
    background : BackgroundDraws
        Iterating over it gives the draws.

    Raises
    ------
    ValueError
        If shapes do not fit, a cell is both an occurrence and a sure negative, a number names no
        cell, or no cell is left to draw from.

    Examples
    --------
    >>> places = [[0, 0], [10, 0], [20, 0], [30, 0], [40, 0]]
    >>> background = draw_background(np.ones(5, dtype=bool), 2, places=places, occurrences=[0],
    ...                              buffer=15.0, n_draws=3, random_state=0)
    >>> background.pool, [len(draw) for draw in background]
    (array([2, 3, 4]), [2, 2, 2])
    """
    allowed = np.asarray(candidates)
    centres = np.asarray(places, dtype=float)
    if allowed.dtype != bool or centres.ndim != 2 or allowed.size != len(centres):
        raise ValueError(
            f"candidates must be Boolean with one value for each of the places, got"
            f" {allowed.dtype} of {allowed.shape} for {centres.shape}. Pass a mask and"
            " cell_centres(grid)."
        )
    if not (n >= 1 and n_draws >= 1 and 0 <= buffer < np.inf):
        raise ValueError(
            f"n and n_draws must be 1 or more and buffer 0 or more, got {n}, {n_draws} and {buffer}."
            " Draw at least one cell."
        )
    ore = _cells("occurrences", occurrences, len(centres))
    sure = _cells("sure_negatives", [] if sure_negatives is None else sure_negatives, len(centres))
    both = np.intersect1d(ore, sure)
    if not len(ore) or len(both):
        raise ValueError(
            f"Occurrences must be there and none a sure negative, got {len(ore)} occurrences and"
            f" {len(both)} cells in both{f', first {both[0]}' if len(both) else ''}. Check the"
            " numbers of the cells."
        )
    labels = _labels(allowed.ravel(), centres, ore, sure, buffer)
    pool = np.flatnonzero(labels == BACKGROUND)
    _check_pool(pool, n, int(allowed.sum()), buffer)
    spread = "random" if strata is None else "even"
    drawn = draw_cells(
        labels, None, n, groups=strata, spread=spread, n_draws=n_draws, random_state=random_state
    )
    draws = tuple(np.union1d(rows[labels[rows] == BACKGROUND], sure) for rows in drawn)
    return BackgroundDraws(draws, sure, pool, _rule(n, len(ore), buffer, len(sure), spread))


def _labels(
    allowed: NDArray[np.bool_],
    centres: NDArray[np.float64],
    ore: Rows,
    sure: Rows,
    buffer: float,
) -> Rows:
    labels = np.where(allowed & np.isfinite(centres).all(axis=1), BACKGROUND, LEFT_OUT)
    free = np.flatnonzero(labels == BACKGROUND)
    if buffer > 0 and len(free):
        near, _ = cKDTree(centres[ore]).query(centres[free])
        labels[free[near <= buffer]] = LEFT_OUT
    labels[sure] = LEFT_OUT  # they are added, not drawn
    labels[ore] = OCCURRENCE
    return labels


def _check_pool(pool: Rows, n: int, n_allowed: int, buffer: float) -> None:
    if not len(pool):
        raise ValueError(
            f"No cell is left to draw from: {n_allowed} are allowed, and none of them is farther"
            f" than {buffer:g} m from an occurrence and not known yet. Take a smaller buffer or a"
            " wider mask."
        )
    if len(pool) < n:
        warnings.warn(
            f"Only {len(pool)} cells can be drawn, {n} were asked for: all draws are the same. Take"
            " a smaller n or buffer.",
            GossanWarning,
            stacklevel=3,
        )


def _cells(name: str, numbers: ArrayLike, n_cells: int) -> Rows:
    """Return numbers of cells, sorted and each once."""
    read = np.asarray(numbers)
    if read.ndim != 1 or (read.size and read.dtype.kind not in "iu"):
        raise ValueError(
            f"{name} must be numbers of cells, got {read.dtype} of {read.shape}. Pass the cells of"
            " place_occurrences, or np.flatnonzero of a mask."
        )
    cells = np.unique(read.astype(np.int64))
    if len(cells) and not 0 <= cells[0] <= cells[-1] < n_cells:
        raise ValueError(
            f"{name} must lie between 0 and {n_cells - 1}, got {cells[0]} to {cells[-1]}. Take them"
            " from the same grid."
        )
    return cells


def _rule(n: int, n_ore: int, buffer: float, n_sure: int, spread: str) -> str:
    near = f" and none within {buffer:g} m of one" if buffer else ""
    even = ", all strata alike" if spread == "even" else ""
    known = f" {n_sure} cells known to be barren are in each draw." if n_sure else ""
    return (
        f"Background: {n} cells a draw{even}, none of the {n_ore} with an occurrence{near};"
        f" unlabelled, not known to be barren.{known}"
    )
