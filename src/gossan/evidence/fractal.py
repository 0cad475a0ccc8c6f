"""Fractal thresholds: where the volume above a concentration begins to fall at another rate.

Concentrations of voxels, cells or samples come in, with their volumes, areas or lengths; thresholds
with their spread, and classes from background to inner anomaly, go out.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gossan._checks import GossanWarning, check_labels, check_random_state
from gossan.data.grids.grid import add_layer, cell_volume, check_grid
from gossan.evidence._segments import best_segments, fit_lines, meeting_points

__all__ = ["FractalModel", "add_fractal_classes", "fractal_thresholds"]

Floats = NDArray[np.float64]

NAMES = {
    2: ("background", "anomaly"),
    3: ("background", "outer", "inner"),
    4: ("background", "outer", "middle", "inner"),
}
_LEAST_ABOVE = 1e-12  # share of the whole that stands for nothing left above a value


@dataclass(frozen=True, eq=False)
class FractalModel:
    """Thresholds of a concentration-size model, and how sure they are.

    Attributes
    ----------
    thresholds : array of shape (n_segments - 1,)
        Concentrations, ascending, in the unit of the values.
    slopes : array of shape (n_segments,)
        Of log size against log concentration, from low to high; the fractal exponents are minus
        these.
    r2 : float
        Share of the variance of log size that the segments explain.
    segment_r2 : array of shape (n_segments,)
        The same within each segment.
    intervals : array of shape (n_segments - 1, 2)
        Bounds that hold a threshold with the probability `level`; NaN where not asked for.
    level : float
        Of the intervals.
    names : tuple of str
        Of the classes, from low to high.
    curve : DataFrame
        Columns `value`, `size` (share of the whole at or above the value), `fitted` and `segment`.
    n, n_missing, n_not_positive : int
        Values used, and of those given how many were missing (left out) and how many were zero or
        negative (kept, as background).
    """

    thresholds: Floats
    slopes: Floats
    r2: float
    segment_r2: Floats
    intervals: Floats
    level: float
    names: tuple[str, ...]
    curve: pd.DataFrame
    n: int
    n_missing: int
    n_not_positive: int

    def classify(self, values: ArrayLike) -> Floats:
        """Number of the class of each value: 0 is background, the last is inner; NaN stays NaN.

        Parameters
        ----------
        values : array of any shape
            Concentrations in the unit of the fit; one equal to a threshold is above it.

        Returns
        -------
        classes : array of the shape of `values`
        """
        numbers = np.asarray(values, dtype=float)
        classes = np.searchsorted(self.thresholds, numbers, side="right").astype(float)
        return np.where(np.isnan(numbers), np.nan, classes)

    def summary(self) -> pd.DataFrame:
        """Table of the classes: name, bounds, spread of the lower bound, slope and share.

        Returns
        -------
        summary : DataFrame
            One row a class. `share` is that of the size (volume, area, length) in the class.
        """
        logs = np.log(self.curve[["value", "size"]].to_numpy())
        shares = np.exp(np.interp(np.log(self.thresholds), *logs.T))
        above = np.concatenate([[1.0], shares, [0.0]])
        gap = np.full((1, 2), np.nan)
        bounds = np.vstack([gap, self.intervals])
        return pd.DataFrame(
            {
                "from": np.concatenate([[-np.inf], self.thresholds]),
                "to": np.concatenate([self.thresholds, [np.inf]]),
                "from_low": bounds[:, 0],
                "from_high": bounds[:, 1],
                "slope": self.slopes,
                "r2": self.segment_r2,
                "share": above[:-1] - above[1:],
            },
            index=pd.Index(self.names, name="class"),
        )


def fractal_thresholds(
    values: ArrayLike,
    sizes: ArrayLike | None = None,
    *,
    n_segments: int = 4,
    n_values: int = 120,
    low_quantile: float = 0.02,
    n_largest: int = 50,
    min_points: int = 6,
    n_bootstrap: int = 200,
    groups: ArrayLike | None = None,
    level: float = 0.9,
    random_state: int | np.random.Generator | None = 0,
) -> FractalModel:
    """Thresholds by the concentration-volume, concentration-area or number-size fractal model.

    The size V(c) of what has a concentration of c or more follows c to a power within a population;
    where straight segments of log V against log c meet, one population gives way to the next.
    With voxels this is the C-V model [Afzal2011]_, with cells the C-A model [ChengAgterberg1994]_,
    with samples of equal size the number-size model. Kriging smooths: thresholds of voxels lie
    lower than those of samples, so compare them, and never carry one over to the other.

    The segments are the best of all that there are (dynamic programming [BellmanRoth1969]_), not a
    choice by eye. Their number is yours: points of a cumulative curve are not independent, so
    information criteria always ask for more.

    Parameters
    ----------
    values : array of any shape
        Concentrations; NaN is missing.
    sizes : float or array of the shape of `values`, optional
        Volume, area or length of each. Default: all the same.
    n_segments : int, default 4
        2 to 6; 4 gives background, outer, middle and inner anomaly.
    n_values : int, default 120
        Concentrations, spaced evenly in their logarithm, at which the curve is taken.
    low_quantile : float, default 0.02
        Share of the size below the first of them.
    n_largest : int, default 50
        The last of them is the n-th largest value: beyond, the curve is but a few values.
    min_points : int, default 6
        Points in a segment.
    n_bootstrap : int, default 200
        Resamplings for the intervals; 0 leaves them NaN.
    groups : array of shape (n,), optional
        Labels of what is resampled together, such as holes or blocks of the ground. Without them
        each value counts as independent, which voxels never are: the intervals are then too narrow.
    level : float, default 0.9
        Probability of the intervals.
    random_state : int, Generator or None, default 0
        Seed of the bootstrap.

    Returns
    -------
    model : FractalModel

    Raises
    ------
    ValueError
        If a size is not positive, there are too few different positive values, or an option is out
        of range.

    Examples
    --------
    >>> share = (np.arange(20000) + 0.5) / 20000  # a Pareto tail of exponent 1 below 10, 3 above
    >>> grades = np.where(share > 0.1, 1 / share, 10 * (0.1 / share) ** (1 / 3))
    >>> model = fractal_thresholds(grades, n_segments=2)
    >>> model.thresholds.round(1), model.slopes.round(2), model.names
    (array([10.]), array([-1., -3.]), ('background', 'anomaly'))
    """
    _check_settings(n_segments, n_values, min_points, level)
    numbers = np.asarray(values, dtype=float)
    weights = _check_sizes(sizes, numbers)
    keep = ~np.isnan(numbers)
    if not np.isfinite(numbers[keep]).all():
        raise ValueError(
            f"Values must be finite or NaN, got {np.isinf(numbers).sum()} infinite ones. Mark them"
            " missing."
        )
    labels = None
    if groups is not None:
        labels = check_labels("groups", np.asarray(groups).ravel(), numbers.size)[keep.ravel()]
    n_missing = int((~keep).sum())
    numbers, weights = numbers[keep], weights[keep]
    edges = _edges(numbers, weights, n_values, low_quantile, n_largest)
    places = np.searchsorted(edges, numbers, side="right")
    x = np.log10(edges)
    y = _log_above(np.bincount(places, weights, n_values + 1).astype(float))
    starts = best_segments(x, y, n_segments, min_points)
    slopes, _, fitted, segment_r2 = fit_lines(x, y, starts)
    thresholds = 10 ** meeting_points(x, y, starts)
    bounds = np.full((n_segments - 1, 2), np.nan)
    if n_bootstrap:
        rng = check_random_state(random_state)
        curves = _resampled(places, weights, labels, n_bootstrap, rng=rng, n_bins=n_values + 1)
        breaks = [
            meeting_points(x, again, best_segments(x, again, n_segments, min_points))
            for again in map(_log_above, curves)
        ]
        tail = (1 - level) / 2
        bounds = 10 ** np.quantile(breaks, [tail, 1 - tail], axis=0).T
    segment = np.repeat(np.arange(n_segments), np.diff(np.append(starts, n_values)))
    return FractalModel(
        thresholds=thresholds,
        slopes=slopes,
        r2=float(1 - ((y - fitted) ** 2).sum() / ((y - y.mean()) ** 2).sum()),
        segment_r2=segment_r2,
        intervals=bounds,
        level=level,
        names=NAMES.get(n_segments, tuple(f"class {i}" for i in range(n_segments))),
        curve=pd.DataFrame(
            {"value": edges, "size": 10**y, "fitted": 10**fitted, "segment": segment}
        ),
        n=len(numbers),
        n_missing=n_missing,
        n_not_positive=int((numbers <= 0).sum()),
    )


def add_fractal_classes(
    grid: xr.Dataset, layer: str, *, name: str | None = None, **settings: Any
) -> tuple[xr.Dataset, FractalModel]:
    """Grid with the fractal class of each cell, by volume in 3D (C-V) and by area in 2D (C-A).

    Parameters
    ----------
    grid : Dataset
        2D or 3D; cells outside the mask are NaN.
    layer : str
        Of concentrations.
    name : str, optional
        Of the new layer; default "<layer>_class".
    **settings
        As for `fractal_thresholds`, but `sizes`.

    Returns
    -------
    grid : Dataset
        With a float32 layer: 0 is background, NaN stays NaN.
    model : FractalModel

    Raises
    ------
    ValueError
        If there is no such layer, or as `fractal_thresholds`.
    """
    grid = check_grid(grid)
    if layer not in grid:
        raise ValueError(
            f"The grid has no layer {layer!r}, only {', '.join(map(str, grid.data_vars)) or 'none'}."
            " Name one of them."
        )
    values = grid[layer].to_numpy()
    model = fractal_thresholds(values, cell_volume(grid), **settings)
    classes = model.classify(values).astype(np.float32)
    words = ", ".join(f"{i} {word}" for i, word in enumerate(model.names))
    return add_layer(grid, name or f"{layer}_class", classes, long_name=words), model


def _check_settings(n_segments: int, n_values: int, min_points: int, level: float) -> None:
    if not 2 <= n_segments <= 6:
        raise ValueError(f"n_segments must be 2 to 6, got {n_segments}. 3 or 4 are usual.")
    if min_points < 3 or n_segments * min_points > n_values:
        raise ValueError(
            f"{n_segments} segments of {min_points} points or more do not fit {n_values} values."
            " Take 3 points or more a segment, and more values or fewer segments."
        )
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}. 0.9 is usual.")


def _check_sizes(sizes: ArrayLike | None, values: NDArray) -> Floats:
    """Return a size for each value, or raise if one is not positive."""
    weights = np.asarray(1.0 if sizes is None else sizes, dtype=float)
    if weights.ndim == 0:
        weights = np.full(values.shape, float(weights))
    if weights.shape != values.shape:
        raise ValueError(
            f"Sizes have shape {weights.shape} for values of {values.shape}. Give one size each."
        )
    known = weights[~np.isnan(values)]
    if not (np.isfinite(known) & (known > 0)).all():
        raise ValueError(
            f"Sizes must be positive, got {(~(known > 0)).sum()} that are not. Drop values without"
            " a length, area or volume."
        )
    return weights


def _edges(values: Floats, sizes: Floats, n_values: int, quantile: float, n_largest: int) -> Floats:
    """Return concentrations spaced evenly in their logarithm, between the low and the high end."""
    positive = values > 0
    n_positive = int(positive.sum())
    if n_positive <= n_largest:
        raise ValueError(
            f"Fractal thresholds need more than {n_largest} positive values, got {n_positive} of"
            f" {len(values)}. Give more, or a smaller n_largest."
        )
    if n_positive < len(values):
        warnings.warn(
            f"{len(values) - n_positive} of {len(values)} values are zero or negative; they count"
            " as background.",
            GossanWarning,
            stacklevel=3,
        )
    order = np.argsort(values[positive])
    ascending = values[positive][order]
    reached = np.cumsum(sizes[positive][order])
    low = ascending[np.searchsorted(reached, quantile * reached[-1] * (1 - 1e-12))]
    high = ascending[-n_largest]
    if not low < high:
        raise ValueError(
            f"The {quantile:.0%} quantile and the {n_largest}th largest value are both {low:g}:"
            " nothing lies between. Give more values, a smaller n_largest, or impute what is below"
            " detection."
        )
    edges = np.geomspace(low, high, n_values)
    edges[0], edges[-1] = low, high
    return edges


def _log_above(sizes: Floats) -> Floats:
    """Return log10 of the share at or above each edge, of the sizes between edges."""
    above = np.cumsum(sizes[::-1])[::-1]
    return np.log10(np.maximum(above[1:] / above[0], _LEAST_ABOVE))


def _resampled(
    places: NDArray[np.int64],
    sizes: Floats,
    labels: NDArray | None,
    n_times: int,
    *,
    rng: np.random.Generator,
    n_bins: int,
) -> Floats:
    """Return sizes between edges (n_times, n_bins) of data drawn again, value by value or group."""
    if labels is not None:
        names, group = np.unique(labels, return_inverse=True)
        held = np.bincount(group * n_bins + places, sizes, len(names) * n_bins)
        draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), n_times)
        return draws.astype(float) @ held.reshape(len(names), n_bins)
    if np.ptp(sizes) == 0:  # equal sizes: only how many fall between two edges matters
        counts = np.bincount(places, minlength=n_bins)
        return rng.multinomial(len(places), counts / len(places), n_times).astype(float)
    answer = np.empty((n_times, n_bins))
    for i in range(n_times):
        drawn = rng.integers(len(places), size=len(places))
        answer[i] = np.bincount(places[drawn], sizes[drawn], n_bins)
    return answer
