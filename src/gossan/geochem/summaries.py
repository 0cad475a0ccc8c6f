"""Statistics of elements with values below detection, without putting numbers in their place.

Concentrations and a mask come in, a masked value being its limit; one row an element goes out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option, check_random_state
from gossan.geochem._masks import can_fit, check_pair
from gossan.geochem._order_statistics import (
    fit_lognormal,
    kaplan_meier,
    regress_order_statistics,
)
from gossan.geochem._parts import names_of

_SUMMARIES = ("kaplan_meier", "ros", "mle")


def censored_summary(
    values: ArrayLike | pd.DataFrame,
    censored: ArrayLike | pd.DataFrame,
    *,
    method: str = "kaplan_meier",
    random_state: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Mean, median and spread of each element, values below detection taken for what they are.

    Parameters
    ----------
    values, censored : arrays or DataFrames of shape (n_samples, n_parts)
        As for `impute_censored`.
    method : {"kaplan_meier", "ros", "mle"}, default "kaplan_meier"
        - "kaplan_meier": no distribution assumed; for several limits and up to half censored.
          With one limit below all that is observed it counts every censored value as the limit,
          so its mean is too high [1]_: take "ros" there.
        - "ros": statistics of the values completed by regression on order statistics.
        - "mle": lognormal by maximum likelihood; mean exp(μ + σ²/2), median exp(μ).
    random_state : None, int or Generator, default 0
        Deals out the ranks of tied limits under "ros"; the estimates do not depend on it, save
        where a value is read above its limit.

    Returns
    -------
    summary : DataFrame, one row a column of `values`
        n (not missing), n_missing, n_censored, censored_share, lowest_limit, highest_limit, mean,
        median, sd (unit of the column), mean_log, sd_log (natural log). A median that lies below
        the lowest limit is NaN under "kaplan_meier"; all are NaN where fewer than three different
        values were observed.

    Raises
    ------
    ValueError
        If shapes differ, or a limit or an observed value is not positive (the cells are named).

    References
    ----------
    .. [1] Helsel (2012), chapter 6, doi:10.1002/9781118162729

    Examples
    --------
    >>> ppm, is_below = [[1.0], [0.5], [4.0], [2.0]], [[False], [True], [False], [False]]
    >>> summary = censored_summary(ppm, is_below)
    >>> summary[["n", "censored_share", "mean", "median"]]
        n  censored_share   mean  median
    x0  4            0.25  1.875     1.0
    """
    check_option("method", method, _SUMMARIES)
    numbers, mask = check_pair(values, censored, positive=True)
    rng = check_random_state(random_state)
    is_fit = can_fit(numbers, mask)
    rows = []
    for column in range(numbers.shape[1]):
        known = ~np.isnan(numbers[:, column])
        rows.append(_counts(numbers[:, column], mask[:, column]))
        if is_fit[column]:
            rows[-1] |= _estimates(numbers[known, column], mask[known, column], method, rng)
    names = [getattr(values, "name", None) or "x0"] if np.ndim(values) == 1 else names_of(values)
    columns = ["n", "n_missing", "n_censored", "censored_share", "lowest_limit", "highest_limit"]
    columns += ["mean", "median", "sd", "mean_log", "sd_log"]
    return pd.DataFrame(rows, index=names, columns=columns)


def _counts(values: NDArray[np.float64], mask: NDArray[np.bool_]) -> dict[str, float]:
    n = int((~np.isnan(values)).sum())
    limits = values[mask]
    return {
        "n": n,
        "n_missing": len(values) - n,
        "n_censored": int(mask.sum()),
        "censored_share": mask.sum() / n if n else np.nan,
        "lowest_limit": limits.min() if len(limits) else np.nan,
        "highest_limit": limits.max() if len(limits) else np.nan,
    }


def _estimates(
    values: NDArray[np.float64], mask: NDArray[np.bool_], method: str, rng: np.random.Generator
) -> dict[str, float]:
    """Mean, median and sd of one column, in its unit and in natural logs."""
    if method == "mle":
        mean_log, sd_log = fit_lognormal(values, mask)
        mean = np.exp(mean_log + sd_log**2 / 2)
        sd = mean * np.sqrt(np.expm1(sd_log**2))
        return {
            "mean": mean,
            "median": np.exp(mean_log),
            "sd": sd,
            "mean_log": mean_log,
            "sd_log": sd_log,
        }
    if method == "ros":
        points = regress_order_statistics(values, mask, rng)
        masses = np.full(len(points), 1 / len(points))
        median = float(np.median(points))
    else:
        points, masses = kaplan_meier(values, mask)
        at = int(np.searchsorted(np.cumsum(masses), 0.5 - 1e-12))
        median = np.nan if at == 0 else float(points[at])
    mean, sd = _moments(points, masses, len(values))
    mean_log, sd_log = _moments(np.log(points), masses, len(values))
    return {"mean": mean, "median": median, "sd": sd, "mean_log": mean_log, "sd_log": sd_log}


def _moments(
    points: NDArray[np.float64], masses: NDArray[np.float64], n: int
) -> tuple[float, float]:
    mean = float(masses @ points)
    return mean, float(np.sqrt(masses @ (points - mean) ** 2 * n / (n - 1)))
