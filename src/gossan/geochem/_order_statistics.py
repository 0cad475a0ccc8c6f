"""One element with values below detection: order statistics, Kaplan-Meier and maximum likelihood.

A 1-D array of concentrations and its mask come in (a masked value is its limit, none missing);
plotting positions, imputed values or estimates go out. The checks are done by `censoring`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtri

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)


def plotting_positions(values: Floats, censored: Mask, rng: np.random.Generator) -> Floats:
    """Return the chance of a lower value for each analysis, several limits allowed.

    Hirsch & Stedinger (1987), doi:10.1029/WR023i004p00715, as in Helsel (2012), Statistics for
    Censored Environmental Data, Wiley, doi:10.1002/9781118162729, chapter 6. Analyses below the
    same limit cannot be ordered: `rng` deals out their ranks.
    """
    limits = np.unique(values[censored])
    observed, below = np.sort(values[~censored]), np.sort(values[censored])
    # Group 0 lies under the lowest limit; group j starts at limit j.
    starts = np.searchsorted(observed, limits, side="left")
    n_between = np.diff(np.r_[0, starts, len(observed)])
    n_below = starts + np.searchsorted(below, limits, side="right")
    exceedance = np.zeros(len(limits) + 2)
    for j in range(len(limits), 0, -1):
        above = exceedance[j + 1]
        share = n_between[j] / (n_between[j] + n_below[j - 1])
        exceedance[j] = above + share * (1 - above)
    exceedance[0] = 1.0

    positions = np.empty(len(values))
    group = np.searchsorted(limits, values[~censored], side="right")
    rank = _rank_within(group, values[~censored])
    step = exceedance[group] - exceedance[group + 1]
    positions[~censored] = 1 - exceedance[group] + step * rank / (n_between[group] + 1)
    group = np.searchsorted(limits, values[censored], side="right")
    rank = _rank_within(group, rng.random(len(group)))
    counts = np.bincount(group, minlength=len(limits) + 1)
    positions[censored] = (1 - exceedance[group]) * rank / (counts[group] + 1)
    return positions


def regress_order_statistics(values: Floats, censored: Mask, rng: np.random.Generator) -> Floats:
    """Return `values` with those below detection read off the lognormal line through the others.

    Helsel & Cohn (1988), doi:10.1029/WR024i012p01997. A value read above its limit is set to it.
    """
    if not censored.any():
        return values.copy()
    scores = ndtri(plotting_positions(values, censored, rng))
    slope, intercept = np.polyfit(scores[~censored], np.log(values[~censored]), 1)
    imputed = np.exp(intercept + slope * scores[censored])
    answer = values.copy()
    answer[censored] = np.minimum(imputed, values[censored])
    return answer


def kaplan_meier(values: Floats, censored: Mask) -> tuple[Floats, Floats]:
    """Return the support and the masses of the Kaplan-Meier distribution of left-censored values.

    Mass that is left below the lowest observed value is put on the lowest limit (Efron's rule);
    it is the first point of the support then, else its mass is zero.
    """
    observed, counts = np.unique(values[~censored], return_counts=True)
    # An analysis is at risk at x if it is known to be x or lower: "<5" is at risk at 5 and above.
    n_at_risk = np.searchsorted(np.sort(values), observed, side="right")
    survival = np.cumprod((1 - counts / n_at_risk)[::-1])[::-1]  # F just below each value
    upper = np.r_[survival[1:], 1.0]  # F at each value
    lowest = values[censored].min() if censored.any() else observed[0]
    return np.r_[lowest, observed], np.r_[survival[0], upper - survival]


def fit_lognormal(values: Floats, censored: Mask) -> tuple[float, float]:
    """Return the maximum-likelihood mean and sd of ln(value), each limit with its own weight.

    Cohen (1959), doi:10.1080/00401706.1959.10489859, for several limits.
    """
    logs = np.log(values[~censored])
    limits, counts = np.unique(np.log(values[censored]), return_counts=True)
    n, centre, spread = len(logs), logs.mean(), logs.var()
    start = np.array([centre, 0.5 * np.log(max(spread, 1e-6))])
    if not len(limits):
        return float(centre), float(np.exp(start[1]))

    def loss(point: Floats) -> tuple[float, Floats]:
        mean, log_sd = point
        sd = np.exp(log_sd)
        scores = (limits - mean) / sd
        log_share = log_ndtr(scores)
        squares = n * (spread + (centre - mean) ** 2) / sd**2
        value = n * log_sd + 0.5 * squares - counts @ log_share
        hazard = counts * np.exp(-0.5 * scores**2 - _LOG_ROOT_2PI - log_share)
        slope = np.array([n * (mean - centre) / sd**2 + hazard.sum() / sd, n - squares])
        slope[1] += hazard @ scores
        return float(value / n), slope / n

    bounds = [(None, None), (start[1] - 7, start[1] + 7)]
    fit = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(fit.x[0]), float(np.exp(fit.x[1]))


def _rank_within(group: NDArray[np.int64], key: Floats) -> NDArray[np.int64]:
    """Rank from 1 of each item within its group, by `key`."""
    order = np.lexsort((key, group))
    sizes = np.bincount(group)
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    ranks = np.empty(len(group), dtype=np.int64)
    ranks[order] = np.arange(len(group)) - first + 1
    return ranks
