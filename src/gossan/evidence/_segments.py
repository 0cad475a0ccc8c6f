"""Straight segments through a curve: the best of all, by dynamic programming.

Points of a curve come in; where its segments begin, their lines and where these meet go out.

Sources
-------
Bellman & Roth (1969), Curve fitting by segmented straight lines, Journal of the American
Statistical Association 64, 1079-1084, doi:10.1080/01621459.1969.10501038.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


def best_segments(x: Floats, y: Floats, n_segments: int, min_points: int) -> Places:
    """Return where each of the segments begins that together leave the least squares.

    Parameters
    ----------
    x, y : array of shape (n,)
        Points of the curve, x ascending.
    n_segments, min_points : int
        Number of segments, and the least number of points in one.

    Returns
    -------
    starts : int array of shape (n_segments,)
        The first is 0.
    """
    costs = _costs(x, y, min_points)  # (n, n + 1): of the points from i to before j
    n = len(x)
    least, choices = costs[0], []
    for _ in range(n_segments - 1):
        totals = least[:n, None] + costs  # the last segment begins at row i, ends before column j
        choices.append(totals.argmin(axis=0))
        least = totals.min(axis=0)
    starts, end = [], n
    for choice in reversed(choices):
        end = int(choice[end])
        starts.append(end)
    return np.array([0, *reversed(starts)])


def fit_lines(x: Floats, y: Floats, starts: Places) -> tuple[Floats, Floats, Floats, Floats]:
    """Return slopes, intercepts, fitted values, and R² of the line of each segment."""
    slopes, intercepts = np.empty(len(starts)), np.empty(len(starts))
    fitted, r2 = np.empty(len(x)), np.empty(len(starts))
    for k, (start, end) in enumerate(zip(starts, [*starts[1:], len(x)], strict=True)):
        u, v = x[start:end], y[start:end]
        slopes[k] = ((u - u.mean()) * v).sum() / ((u - u.mean()) ** 2).sum()
        intercepts[k] = v.mean() - slopes[k] * u.mean()
        fitted[start:end] = intercepts[k] + slopes[k] * u
        spread = ((v - v.mean()) ** 2).sum()
        left = ((v - fitted[start:end]) ** 2).sum()
        r2[k] = 1 - left / spread if spread > 0 else 1.0
    return slopes, intercepts, fitted, r2


def meeting_points(x: Floats, y: Floats, starts: Places) -> Floats:
    """Return the x where the lines of neighbouring segments meet, kept near the gap between them.

    Lines of nearly one slope meet anywhere; the break then stays within one step of the gap.
    """
    slopes, intercepts, _, _ = fit_lines(x, y, starts)
    turns = np.diff(slopes)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = -np.diff(intercepts) / turns
    later = starts[1:]
    low, high = x[np.maximum(later - 2, 0)], x[np.minimum(later + 1, len(x) - 1)]
    middle = (x[later - 1] + x[later]) / 2
    return np.where(np.isfinite(crossings), np.clip(crossings, low, high), middle)


def _costs(x: Floats, y: Floats, min_points: int) -> Floats:
    """Return the squares left by a line through points i to j - 1; infinite where too few."""
    n = len(x)
    x, y = x - x.mean(), y - y.mean()
    sums = [np.concatenate([[0.0], np.cumsum(v)]) for v in (x, y, x * x, x * y, y * y)]
    sx, sy, sxx, sxy, syy = (total[None, :] - total[:n, None] for total in sums)
    counts = np.arange(n + 1)[None, :] - np.arange(n)[:, None]
    held = np.maximum(counts, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        vx, vy, cov = sxx - sx**2 / held, syy - sy**2 / held, sxy - sx * sy / held
        left = np.maximum(vy - cov**2 / vx, 0.0)
    return np.where(counts >= min_points, left, np.inf)
