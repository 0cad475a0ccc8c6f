"""How good a predictive distribution is, and intervals that hold what they promise.

Measured values with quantiles, members or means and standard deviations come in; scores in the unit
of the values, measured coverage and conformal intervals go out.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from gossan._checks import GossanWarning, check_labels
from gossan.validation._groups import check_coverage, group_quantile

__all__ = [
    "conformal_intervals",
    "crps_ensemble",
    "crps_gaussian",
    "crps_quantiles",
    "interval_coverage",
    "interval_score",
]


def crps_gaussian(y: ArrayLike, mean: ArrayLike, std: ArrayLike) -> NDArray[np.float64]:
    """Continuous ranked probability score of normal distributions; lower is better.

    The score is the distance between a predictive distribution and the measured value: the absolute
    error of a forecast without spread, and rewarded for a spread that tells the error.

    Parameters
    ----------
    y, mean : arrays of one shape
        Measured values and means.
    std : array of that shape
        Standard deviations, zero or more, in the same unit.

    Returns
    -------
    scores : float64 array of that shape
        In the unit of `y`; NaN where something is missing.

    Raises
    ------
    ValueError
        If a standard deviation is negative or shapes do not fit.

    References
    ----------
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437, Eq. 21.

    Examples
    --------
    >>> crps_gaussian([0.0, 3.0], [0.0, 0.0], [1.0, 0.0]).round(4)
    array([0.2337, 3.    ])
    """
    truth, guess, spread = _broadcast(y, mean, std)
    if (spread < 0).any():
        raise ValueError(
            f"std must be zero or more, got {np.nanmin(spread):g}. Pass standard deviations, not"
            " variances or errors."
        )
    error = truth - guess
    safe = np.where(spread > 0, spread, 1.0)
    z = error / safe
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    scores = safe * (z * (2.0 * ndtr(z) - 1.0) + 2.0 * density - 1.0 / np.sqrt(np.pi))
    return np.where(spread == 0, np.abs(error), scores)


def crps_ensemble(y: ArrayLike, members: ArrayLike) -> NDArray[np.float64]:
    """Continuous ranked probability score of equally likely members (simulations).

    Parameters
    ----------
    y : array of shape (n,)
        Measured values.
    members : array of shape (n, n_members)
        Simulated values of each row.

    Returns
    -------
    scores : float64 array of shape (n,)
        In the unit of `y`; NaN where something is missing.

    Raises
    ------
    ValueError
        If shapes do not fit.

    References
    ----------
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437, Eq. 20.

    Examples
    --------
    >>> crps_ensemble([1.0], [[0.0, 2.0]])
    array([0.5])
    """
    truth, table = _rows(y, members, "members")
    m = table.shape[1]
    ordered = np.sort(table, axis=1)
    # The mean distance of all pairs, from the ranks alone
    pairs = 2.0 * (ordered @ (2.0 * np.arange(m) - m + 1.0)) / m**2
    return np.abs(table - truth[:, None]).mean(axis=1) - 0.5 * pairs


def crps_quantiles(y: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> NDArray[np.float64]:
    """Continuous ranked probability score of distributions told by quantiles.

    Twice the pinball loss, summed over the levels with the share of probability that each stands
    for: with 20 levels evenly spread as (i + 0.5) / 20 it is within 1 % of the exact score of a
    normal distribution.

    Parameters
    ----------
    y : array of shape (n,)
        Measured values.
    quantiles : array of shape (n, n_levels)
        Predicted quantiles.
    levels : array of shape (n_levels,)
        Their probabilities, increasing in (0, 1).

    Returns
    -------
    scores : float64 array of shape (n,)
        In the unit of `y`; NaN where something is missing.

    Raises
    ------
    ValueError
        If shapes do not fit, or the levels do not increase between 0 and 1.

    References
    ----------
    Gneiting & Ranjan (2011), doi:10.1198/jbes.2010.08110.

    Examples
    --------
    >>> crps_quantiles([2.0], [[0.0, 2.0]], [0.25, 0.75])
    array([0.5])
    """
    truth, table = _rows(y, quantiles, "quantiles")
    shares = np.asarray(levels, dtype=float)
    inside = shares.ndim == 1 and ((shares > 0) & (shares < 1)).all()
    if shares.shape != table.shape[1:] or not inside or (np.diff(shares) <= 0).any():
        raise ValueError(
            f"levels must be {table.shape[1]} increasing probabilities between 0 and 1, got"
            f" {np.shape(levels)}. Pass those of the columns of quantiles."
        )
    error = truth[:, None] - table
    losses = np.maximum(shares * error, (shares - 1.0) * error)
    edges = np.concatenate([[0.0], 0.5 * (shares[1:] + shares[:-1]), [1.0]])
    return 2.0 * losses @ np.diff(edges)


def interval_coverage(
    y: ArrayLike, low: ArrayLike, high: ArrayLike, groups: ArrayLike | None = None
) -> float:
    """Share of measured values inside their intervals, ends included; groups count alike.

    Parameters
    ----------
    y, low, high : arrays of shape (n,)
        Measured values and ends of the intervals; rows with a missing value are left out.
    groups : array of shape (n,), optional
        Hole or block of each row: each then has the same say. None: each row has.

    Returns
    -------
    coverage : float
        NaN if no row is complete.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> interval_coverage([1.0, 2.0, 9.0], [0.0, 0.0, 0.0], [3.0, 3.0, 3.0], ["a", "a", "b"])
    0.5
    """
    truth, bottom, top = _broadcast(y, low, high)
    names = np.zeros(len(truth)) if groups is None else check_labels("groups", groups, len(truth))
    known = np.isfinite(truth) & ~np.isnan(bottom) & ~np.isnan(top)
    if not known.any():
        return float("nan")
    hit = ((truth >= bottom) & (truth <= top))[known].astype(float)
    codes = np.unique(names[known], return_inverse=True)[1]
    return float((np.bincount(codes, hit) / np.bincount(codes)).mean())


def interval_score(
    y: ArrayLike, low: ArrayLike, high: ArrayLike, *, coverage: float = 0.9
) -> NDArray[np.float64]:
    """Width of each interval plus a fine for a value outside; lower is better.

    Parameters
    ----------
    y, low, high : arrays of one shape
        Measured values and ends of the intervals.
    coverage : float
        Coverage that the intervals promise.

    Returns
    -------
    scores : float64 array of that shape
        In the unit of `y`; NaN where something is missing.

    Raises
    ------
    ValueError
        If shapes do not fit or the coverage is not between 0 and 1.

    References
    ----------
    Gneiting & Raftery (2007), doi:10.1198/016214506000001437, Eq. 43.

    Examples
    --------
    >>> interval_score([1.0, 4.0], [0.0, 0.0], [3.0, 3.0], coverage=0.9).round(6)
    array([ 3., 23.])
    """
    check_coverage(coverage)
    truth, bottom, top = _broadcast(y, low, high)
    outside = np.maximum(bottom - truth, 0.0) + np.maximum(truth - top, 0.0)
    return (top - bottom) + 2.0 / (1.0 - coverage) * outside


def conformal_intervals(
    low: ArrayLike,
    high: ArrayLike,
    *,
    held_out_low: ArrayLike,
    held_out_high: ArrayLike,
    held_out_y: ArrayLike,
    groups: ArrayLike | None = None,
    coverage: float = 0.9,
) -> NDArray[np.float64]:
    """Intervals widened, or narrowed, by what held-out blocks or holes showed to be needed.

    The predicted quantiles of a model are moved outwards by one factor of their own width
    (conformalised quantile regression): places that the model holds for uncertain stay so. For
    intervals of equal width round an estimate see `ConformalIntervals`.

    Parameters
    ----------
    low, high : arrays of shape (n,)
        Predicted ends of the intervals, such as the 5 % and 95 % quantiles.
    held_out_low, held_out_high, held_out_y : arrays of shape (n_held_out,)
        The same for rows that the model has not seen, and their measured values.
    groups : array of shape (n_held_out,), optional
        Block or hole of the held-out rows; each counts once. None: each row is a group.
    coverage : float
        Share of values of new groups that fall inside.

    Returns
    -------
    intervals : float64 array of shape (n, 2)
        Lower and upper ends; an interval narrowed past its middle has no width.

    Raises
    ------
    ValueError
        If shapes do not fit, ends are crossed, or held-out values are missing.

    References
    ----------
    Romano, Patterson & Candes (2019), Conformalized quantile regression, arXiv:1905.03222; groups:
    Lee, Barber & Willett (2023), arXiv:2306.06342.

    Examples
    --------
    >>> measured = np.linspace(-2.0, 2.0, 21)
    >>> known = dict(held_out_low=[-1.0] * 21, held_out_high=[1.0] * 21, held_out_y=measured)
    >>> conformal_intervals([-1.0, 4.0], [1.0, 8.0], **known)
    array([[-2.,  2.],
           [ 2., 10.]])
    """
    bottom, top = _broadcast(low, high)
    known_low, known_high, truth = _broadcast(held_out_low, held_out_high, held_out_y)
    finite = np.isfinite(known_low + known_high + truth).all()
    if truth.ndim != 1 or not len(truth) or not finite:
        raise ValueError(
            f"Held-out ends and values must be finite columns, got shape {truth.shape}. Drop the"
            " rows without a measurement."
        )
    if (known_low > known_high).any() or (bottom > top).any():
        raise ValueError("low must not exceed high. Pass the lower quantile first.")
    names = np.arange(len(truth)) if groups is None else check_labels("groups", groups, len(truth))
    codes = np.unique(names, return_inverse=True)[1]
    width = known_high - known_low
    safe = np.maximum(width, 1e-9 * max(float(np.median(width)), 1e-300))
    needed = np.maximum(known_low - truth, truth - known_high) / safe
    factor = group_quantile(needed, codes, coverage)
    if np.isinf(factor):
        warnings.warn(
            f"{codes.max() + 1} groups are too few for {coverage:.0%} coverage: the intervals are"
            " infinite. Take a lower coverage or more groups.",
            GossanWarning,
            stacklevel=2,
        )
    middle, half = 0.5 * (bottom + top), np.maximum(0.5 + factor, 0.0) * (top - bottom)
    return np.stack([middle - half, middle + half], axis=-1)


def _broadcast(*arrays: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    """Return arrays of numbers of one shape."""
    numbers = [np.asarray(each, dtype=float) for each in arrays]
    if len({each.shape for each in numbers}) > 1:
        shapes = ", ".join(str(each.shape) for each in numbers)
        raise ValueError(f"Arrays must have one shape, got {shapes}. Pass one value a row in each.")
    return tuple(numbers)


def _rows(
    y: ArrayLike, table: ArrayLike, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    truth, values = np.asarray(y, dtype=float), np.asarray(table, dtype=float)
    if truth.ndim != 1 or values.ndim != 2 or len(values) != len(truth) or not values.shape[1]:
        raise ValueError(
            f"{name} must have shape ({truth.size}, n) for {truth.shape} values, got"
            f" {values.shape}. Pass one row a value, one element at a time."
        )
    return truth, values
