"""Does one set of deposits outrank another: AUC, Cliff's delta and adjusted p-values.

Group medians of one feature inside and outside a class come in; numbers with intervals go out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gossan.validation._groups import expanded_percentiles, group_draws


def dominance(
    inside: NDArray, rest: NDArray, bootstrap: tuple[int, float, np.random.Generator]
) -> dict[str, Any]:
    """Return AUC, Cliff's delta with interval and p-value of two sets of group medians."""
    n_resamples, coverage, rng = bootstrap
    inside, rest = inside[~np.isnan(inside)], rest[~np.isnan(rest)]
    found: dict[str, Any] = dict.fromkeys(
        ("auc", "delta", "low", "high", "p", "median", "rest_median"), np.nan
    )
    found |= {"direction": "unclear", "n_groups": len(inside)}
    if not len(inside) or not len(rest):
        return found
    sign = np.sign(inside[:, None] - rest[None, :])  # (n_inside, n_rest)
    delta = float(sign.mean())
    found |= {"auc": 0.5 * (delta + 1.0), "delta": delta}
    found |= {"median": float(np.median(inside)), "rest_median": float(np.median(rest))}
    found["p"] = float(stats.mannwhitneyu(inside, rest).pvalue)
    if min(len(inside), len(rest)) < 2:
        return found
    drawn_in = group_draws(len(inside), n_resamples, rng) / len(inside)
    drawn_rest = group_draws(len(rest), n_resamples, rng) / len(rest)
    draws = ((drawn_in @ sign) * drawn_rest).sum(axis=1)
    low, high = expanded_percentiles(draws, min(len(inside), len(rest)), coverage=coverage)
    direction = "high" if low > 0 else "low" if high < 0 else "unclear"
    return found | {"low": float(low), "high": float(high), "direction": direction}


def holm(p_values: NDArray) -> NDArray[np.float64]:
    """Return p-values after Holm's step-down adjustment; NaN stays NaN and does not count."""
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * factors))
    return adjusted
