"""How far the members of an ensemble agree on the best ground.

Score maps of the members come in; the share of members that choose each cell, and the overlap of
their choices, go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["stability_of", "top_overlap"]


def stability_of(scores: Sequence[ArrayLike], *, share: float = 0.1) -> NDArray[np.float32]:
    """Share of score maps that put a cell into their own best ground.

    Use it beside any map of an ensemble: ground that only some members choose is a guess.

    Parameters
    ----------
    scores : sequence of arrays of shape (ny, nx)
        Scores of the members, higher is better; NaN is no score, in the same cells of each.
    share : float
        Of the cells with a score that is best ground, in (0, 1).

    Returns
    -------
    stability : float32 array of shape (ny, nx)
        From 0 to 1; NaN where there is no score.

    Raises
    ------
    ValueError
        If there is no map, shapes or missing cells differ, or the share is not in (0, 1).

    Examples
    --------
    >>> stability_of([[[0.1, 0.9, 0.2, 0.3]], [[0.8, 0.7, 0.2, 0.3]]], share=0.25)
    array([[0.5, 0.5, 0. , 0. ]], dtype=float32)
    """
    best = _best_ground(scores, share)
    out = best.mean(axis=0).astype(np.float32)
    out[np.isnan(np.asarray(scores[0], dtype=float))] = np.nan
    return out


def top_overlap(scores: Sequence[ArrayLike], *, share: float = 0.1) -> float:
    """Mean Jaccard index of the best ground of any two score maps: 1 if all choose the same.

    Parameters
    ----------
    scores : sequence of arrays of shape (ny, nx)
        Two or more maps; NaN is no score, in the same cells of each.
    share : float
        Of the cells with a score that is best ground, in (0, 1).

    Returns
    -------
    overlap : float
        Cells that both chose over cells that either chose, the mean over all pairs.

    Raises
    ------
    ValueError
        If there are fewer than two maps, shapes or missing cells differ, or the share is not in
        (0, 1).

    Examples
    --------
    >>> top_overlap([[4.0, 3.0, 2.0, 1.0], [4.0, 1.0, 3.0, 2.0]], share=0.5)
    0.3333333333333333
    """
    best = _best_ground(scores, share)
    if len(best) < 2:
        raise ValueError("One map overlaps with nothing, got 1. Pass the maps of two members.")
    pairs = combinations(best, 2)
    return float(np.mean([(a & b).sum() / (a | b).sum() for a, b in pairs]))


def _best_ground(scores: Sequence[ArrayLike], share: float) -> NDArray[np.bool_]:
    """Return which cells are the best `share` of each map, as many in each."""
    maps = [np.asarray(each, dtype=float) for each in scores]
    missing = [np.isnan(each) for each in maps]
    if not maps or any(not np.array_equal(missing[0], each) for each in missing):
        raise ValueError(
            f"Score maps must be of one shape and miss the same cells, got {len(maps)} maps. Score"
            " the same volume with each member."
        )
    if not 0.0 < share < 1.0 or missing[0].all():
        raise ValueError(
            f"share must lie in (0, 1) and some cell have a score, got {share} and"
            f" {(~missing[0]).sum()} cells. Take 0.1 for the best tenth."
        )
    n = max(1, round(share * int((~missing[0]).sum())))
    best = np.zeros((len(maps), maps[0].size), dtype=bool)
    for i, each in enumerate(maps):
        order = np.argsort(-each.ravel(), kind="stable")  # missing cells come last
        best[i, order[:n]] = True
    return best.reshape(len(maps), *maps[0].shape)
