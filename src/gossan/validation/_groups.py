"""Statistics in which whole groups, not rows, are drawn or ranked.

Group counts, bootstrapped statistics or scores per row come in; draws, interval ends and
quantiles go out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


def group_draws(n_groups: int, n_resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw groups with replacement: a bootstrap of ratios of sums is one matrix product with it.

    Parameters
    ----------
    n_groups, n_resamples : int
        Groups drawn from, and bootstrap samples.
    rng : Generator
        Source of the draws.

    Returns
    -------
    draws : float64 array of shape (n_resamples, n_groups)
        How often each group is in each sample; rows sum to `n_groups`.
    """
    return rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), n_resamples).astype(float)


def expanded_percentiles(
    draws: ArrayLike, n_groups: int, *, coverage: float = 0.95
) -> NDArray[np.float64]:
    """Return the ends of a bootstrap interval, widened for few groups (Hesterberg 2015).

    Parameters
    ----------
    draws : array of shape (n_resamples, ...)
        Bootstrapped statistics; NaN is left out.
    n_groups : int
        Number of groups drawn.
    coverage : float
        Nominal coverage.

    Returns
    -------
    ends : float64 array of shape (2, ...)
        Lower and upper end.

    Raises
    ------
    ValueError
        If there are fewer than two groups, or coverage is not between 0 and 1.
    """
    check_coverage(coverage)
    if n_groups < 2:
        raise ValueError(
            f"An interval needs at least two groups, got {n_groups}. Pass the deposit of each row."
        )
    t = stats.t.ppf(0.5 - coverage / 2.0, n_groups - 1)
    tail = stats.norm.cdf(t * np.sqrt(n_groups / (n_groups - 1.0)))
    values = np.asarray(draws, float)
    if np.isnan(values).all():
        return np.full((2, *values.shape[1:]), np.nan)
    return np.nanquantile(values, [tail, 1.0 - tail], axis=0)


def group_quantile(scores: ArrayLike, codes: ArrayLike, coverage: float) -> float:
    """Score that a row of a new group exceeds with probability 1 − coverage at most.

    Each of G groups shares the weight 1 / (G + 1) out to its rows, and the new group's own
    1 / (G + 1) stands at infinity (Lee et al. 2023). With one row per group this is the
    ceil((G + 1) coverage)-th smallest score.

    Parameters
    ----------
    scores : array of shape (n,)
        Nonconformity scores.
    codes : int array of shape (n,)
        Group of each row.
    coverage : float
        Wished coverage.

    Returns
    -------
    threshold : float
        Infinite when the groups are too few for the coverage.

    Raises
    ------
    ValueError
        If coverage is not between 0 and 1.

    Examples
    --------
    >>> group_quantile([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3], 0.8)
    4.0
    >>> group_quantile([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 3], 0.9)
    inf
    """
    check_coverage(coverage)
    values = np.asarray(scores, float)
    of_group, counts = np.unique(codes, return_inverse=True, return_counts=True)[1:]
    order = np.argsort(values, kind="stable")
    gathered = np.cumsum(1.0 / counts[of_group][order]) / (len(counts) + 1.0)
    place = int(np.searchsorted(gathered, coverage - 1e-9))
    return float(values[order][place]) if place < len(values) else float("inf")


def check_coverage(coverage: float) -> None:
    """Raise unless `coverage` is a share between 0 and 1."""
    if not 0.0 < coverage < 1.0:
        raise ValueError(f"coverage must lie between 0 and 1, got {coverage}. Use 0.9 for 90 %.")
