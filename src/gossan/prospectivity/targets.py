"""Targets: connected bodies of high score, ranked, each with how far to trust it and why.

A grid with a layer of scores comes in, with layers of evidence, spread and samples if there are any; a
ranked table of targets and a layer of their numbers go out.

Sources
-------
Carranza (2009), Geochemical Anomaly and Mineral Prospectivity Mapping in GIS, Elsevier (ranking by
score within connected areas).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from gossan._checks import check_option
from gossan.data.grids.grid import (
    add_layer,
    axes_of,
    cell_centres,
    cell_volume,
    check_grid,
    layer_of,
)

__all__ = ["Targets", "find_targets"]

RANKS = ("mean", "p90", "sum")
MOST_REASONS = 3
MOST_TIES = 2.0  # times the share asked for, that cells of one score may make of it


@dataclass(frozen=True, eq=False)
class Targets:
    """Ranked targets.

    Attributes
    ----------
    table : DataFrame
        One row a target, the best first: `target` (1, 2, ...), `level` ("high" or "medium"),
        `n_cells`, `volume` [m³] or `area` [m²], `easting`, `northing`(, `elevation`) of its middle
        weighted by score [m], its extent (`west`, `east`, `south`, `north`, `bottom`, `top`) [m],
        `score` (mean), `score_p10`, `score_p90`, `score_max`, and where it was given: `spread`
        (mean), `agreement` (share of the other scores that call it high), `sample_distance` (median
        distance of its cells to the nearest sample [m]), `is_extrapolated`, `why`.
    grid : Dataset
        The grid with a layer "target": number of the target of each cell, 0 outside.
    medium, high : float
        Thresholds of the score.
    n_small : int
        Bodies left out as smaller than the least size.
    """

    table: pd.DataFrame
    grid: xr.Dataset
    medium: float
    high: float
    n_small: int

    def __len__(self) -> int:
        return len(self.table)

    def __str__(self) -> str:
        small = f"; {self.n_small} smaller ones left out" if self.n_small else ""
        if not len(self):
            return f"No target scores {self.medium:.3g} or more{small}"
        n_high = int((self.table["level"] == "high").sum())
        return f"{len(self)} targets, {n_high} of them high (score {self.high:.3g} or more){small}"

    def cells(self, target: int) -> NDArray[np.bool_]:
        """Return which cells belong to a target."""
        return np.asarray(self.grid["target"] == target)


def find_targets(
    grid: xr.Dataset,
    score: str = "score",
    *,
    medium: float | None = None,
    high: float | None = None,
    shares: tuple[float, float] = (0.05, 0.01),
    least: float = 0.0,
    rank_by: str = "mean",
    spread: str | None = None,
    others: Sequence[str] = (),
    reasons: Mapping[str, int] | Sequence[str] = (),
    samples: ArrayLike | None = None,
    reach: float | None = None,
) -> Targets:
    """Connected bodies of cells that score at least `medium`, ranked.

    Cells belong together if they share a face, an edge or a corner (26 neighbours in 3D, 8 in 2D). A
    body is "high" if one of its cells reaches `high`.

    Parameters
    ----------
    grid : Dataset
        In 2D or 3D.
    score : str
        Layer of favourability, higher = more prospective.
    medium, high : float, optional
        Thresholds of the score. Default: those that the shares `shares` of the scored cells reach,
        as scores of different methods share no scale.
    shares : (medium, high)
        Shares of the scored cells.
    least : float
        Least volume [m³], or area in 2D [m²]; smaller bodies are left out and counted.
    rank_by : {"mean", "p90", "sum"}
        By the mean score, its 90 % quantile, or the sum of the score above `medium` (a large body
        with a fair score before a small one with a high one).
    spread : str, optional
        Layer of the score's spread (over seeds, folds).
    others : sequence of str
        Layers of scores of other methods; `agreement` is the share of them whose mean inside the
        target lies in the best share `shares[0]` of their own cells.
    reasons : sequence of str, or mapping of str to 1 or -1
        Layers of evidence; `why` names those that stand out most inside the target. -1: low values
        speak for ore (a distance).
    samples : array of shape (n, 2 or 3), optional
        Places that were sampled [m].
    reach : float, optional
        Distance to a sample beyond which a target is an extrapolation [m].

    Returns
    -------
    targets : Targets

    Raises
    ------
    ValueError
        If a layer is not there, no cell has a score, thresholds or shares are out of order, or
        samples have another number of coordinates than the grid.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> grid = make_grid((0, 50, 0, 10), 10)
    >>> grid = add_layer(grid, "score", [[0.9, 0.8, 0.1, 0.2, 0.7]])
    >>> found = find_targets(grid, medium=0.6, high=0.85)
    >>> found.table[["target", "level", "n_cells", "score"]]
       target   level  n_cells  score
    0       1    high        2   0.85
    1       2  medium        1   0.70
    """
    checked = check_grid(grid)
    check_option("rank_by", rank_by, RANKS)
    values = _layer(checked, score)
    known = values[np.isfinite(values)]
    if not len(known):
        raise ValueError(f"No cell of {score!r} has a score. Score the grid first.")
    low, top = _thresholds(known, medium, high, shares)
    facts = _Facts(
        places=cell_centres(checked),
        spread=_layer(checked, spread) if spread else None,
        others=[_layer(checked, name) for name in others],
        reasons={name: _layer(checked, name) for name in reasons},
        signs=dict(reasons) if isinstance(reasons, Mapping) else dict.fromkeys(reasons, 1),
        share=shares[0],
        tree=None if samples is None else cKDTree(_check_samples(samples, values.ndim)),
        reach=np.inf if reach is None else reach,
    )
    is_high = np.nan_to_num(values, nan=-np.inf) >= low
    bodies, n_bodies = ndimage.label(is_high, structure=np.ones((3,) * values.ndim))
    size = cell_volume(checked)
    rows = {}
    for number, count in enumerate(np.bincount(bodies.ravel())[1:], start=1):
        if count * size >= least:
            inside = bodies == number
            row = _describe(checked, values, inside, places=facts.places, medium=low, size=size)
            level = "high" if values[inside].max() >= top else "medium"
            rows[number] = {"level": level, **row, **_judge(facts, inside)}
    table, numbers = _ranked(rows, rank_by, n_bodies)
    marked = add_layer(checked, "target", numbers[bodies])
    return Targets(table, marked, low, top, n_bodies - len(rows))


@dataclass(frozen=True, eq=False)
class _Facts:
    """What targets are judged by besides their score."""

    places: NDArray[np.float64]
    spread: NDArray[np.float64] | None
    others: list[NDArray[np.float64]]
    reasons: dict[str, NDArray[np.float64]]
    signs: dict[str, int]
    share: float
    tree: cKDTree | None
    reach: float


def _judge(facts: _Facts, inside: NDArray[np.bool_]) -> dict[str, object]:
    """Return spread, agreement, distance to samples and reasons of one body, as far as given."""
    told: dict[str, object] = {}
    if facts.spread is not None:
        told["spread"] = float(np.nanmean(facts.spread[inside]))
    if facts.others:
        told["agreement"] = _agreement(facts.others, inside, facts.share)
    if facts.tree is not None:
        distance = float(np.median(facts.tree.query(facts.places[inside.ravel()])[0]))
        told |= {"sample_distance": distance, "is_extrapolated": distance > facts.reach}
    if facts.reasons:
        told["why"] = _why(facts.reasons, facts.signs, inside)
    return told


def _layer(grid: xr.Dataset, name: str) -> NDArray[np.float64]:
    return np.asarray(layer_of(grid, name), dtype=float)


def _thresholds(
    known: NDArray[np.float64],
    medium: float | None,
    high: float | None,
    shares: tuple[float, float],
) -> tuple[float, float]:
    if not 0 < shares[1] <= shares[0] < 1:
        raise ValueError(
            f"shares must be (medium, high) with 0 < high <= medium < 1, got {shares}. (0.05, 0.01)"
            " takes the best twentieth, and hundredth, of the cells."
        )
    low = share_threshold(known, shares[0]) if medium is None else float(medium)
    top = float(np.quantile(known, 1.0 - shares[1])) if high is None else float(high)
    if high is None:
        top = max(top, low)
    if low > top:
        raise ValueError(f"medium ({low:g}) must not exceed high ({top:g}). Swap them.")
    return low, top


def share_threshold(known: NDArray[np.float64], share: float) -> float:
    """Return the score that a share of the cells reach; of a plateau that is far larger, none."""
    low = float(np.quantile(known, 1.0 - share))
    above = known[known > low]
    is_plateau = float((known >= low).mean()) > MOST_TIES * share
    return float(above.min()) if is_plateau and len(above) else low


def _check_samples(samples: ArrayLike, n_dims: int) -> NDArray[np.float64]:
    points = np.asarray(samples, dtype=float)
    if points.ndim != 2 or points.shape[1] != n_dims or not len(points):
        raise ValueError(
            f"samples must have shape (n, {n_dims}) as the grid has, got {points.shape}. Pass their"
            " easting, northing" + (" and elevation." if n_dims == 3 else ".")
        )
    return points[np.isfinite(points).all(axis=1)]


def _describe(
    grid: xr.Dataset,
    values: NDArray[np.float64],
    inside: NDArray[np.bool_],
    *,
    places: NDArray[np.float64],
    medium: float,
    size: float,
) -> dict[str, object]:
    """Return size, place, extent and score of one body."""
    own, scores = places[inside.ravel()], values[inside]
    weights = np.maximum(scores - medium, 0.0) + 1e-9 + 1e-3 * np.ptp(scores)
    middle = np.average(own, axis=0, weights=weights)
    halves = _half_cells(grid)
    low, top = own.min(axis=0) - halves, own.max(axis=0) + halves
    row: dict[str, object] = {"n_cells": int(inside.sum())}
    row["volume" if own.shape[1] == 3 else "area"] = float(inside.sum() * size)
    row |= dict(zip(("easting", "northing", "elevation"), map(float, middle), strict=False))
    row |= {"west": low[0], "east": top[0], "south": low[1], "north": top[1]}
    if own.shape[1] == 3:
        row |= {"bottom": low[2], "top": top[2]}
    p10, p90 = np.quantile(scores, [0.1, 0.9])
    return row | {
        "score": float(scores.mean()),
        "score_p10": float(p10),
        "score_p90": float(p90),
        "score_max": float(scores.max()),
        "score_sum": float((scores - medium).sum()),
    }


def _half_cells(grid: xr.Dataset) -> NDArray[np.float64]:
    """Return half the size of a cell along easting, northing(, elevation) [m]."""
    halves = []
    for axis in reversed(axes_of(grid)):
        centres = grid[axis].to_numpy()
        halves.append(0.5 * float(centres[1] - centres[0]) if len(centres) > 1 else 0.0)
    return np.array(halves)


def _agreement(
    others: Sequence[NDArray[np.float64]], inside: NDArray[np.bool_], share: float
) -> float:
    """Return the share of other scores that are in their best `share` inside the body."""
    votes = []
    for values in others:
        known = values[np.isfinite(values)]
        own = values[inside & np.isfinite(values)]
        votes.append(bool(len(own)) and float((known < own.mean()).mean()) >= 1.0 - share)
    return float(np.mean(votes))


def _why(
    layers: Mapping[str, NDArray[np.float64]],
    signs: Mapping[str, int],
    inside: NDArray[np.bool_],
) -> str:
    """Name the layers whose median inside ranks highest among all cells, in percent."""
    told = []
    for name, values in layers.items():
        known = values[np.isfinite(values)]
        own = values[inside & np.isfinite(values)]
        if not len(own):
            continue
        middle = np.median(own)
        is_behind = known < middle if signs[name] > 0 else known > middle
        told.append((float(is_behind.mean()), name))
    best = sorted(told, reverse=True)[:MOST_REASONS]
    words = [
        f"{name} {'above' if signs[name] > 0 else 'below'} {min(rank, 0.999):.1%} of cells"
        for rank, name in best
        if rank > 0.5
    ]
    return ", ".join(words) or "nothing alone"


def _ranked(
    rows: Mapping[int, Mapping[str, object]], rank_by: str, n_bodies: int
) -> tuple[pd.DataFrame, NDArray[np.int32]]:
    """Return the targets in order, and the rank of each body (0: left out)."""
    numbers = np.zeros(n_bodies + 1, dtype=np.int32)
    if not rows:
        return pd.DataFrame(
            {"target": pd.Series(dtype=int), "level": pd.Series(dtype=str)}
        ), numbers
    by = {"mean": "score", "p90": "score_p90", "sum": "score_sum"}[rank_by]
    table = pd.DataFrame(list(rows.values()))
    order = np.lexsort((-table["n_cells"], -table[by]))
    numbers[np.array(list(rows))[order]] = np.arange(1, len(rows) + 1)
    table = table.iloc[order].reset_index(drop=True)
    table.insert(0, "target", np.arange(1, len(table) + 1))
    return table, numbers
