"""From differences of pairs to semivariances: the mean of squares and its robust relatives.

Sums over pairs, or the differences themselves, come in; semivariances go out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._pairs import (
    ABSOLUTE,
    ROOT,
    SQUARE,
    Walk,
    count_within,
    pair_differences,
    pair_sums,
)

Floats = NDArray[np.float64]

MOST_LISTED = 4_000_000  # pairs whose differences dowd and genton keep in memory
SUMMED = {"matheron": SQUARE, "cressie": ROOT, "madogram": ABSOLUTE}


def semivariances(
    walk: Walk, values: Floats, estimator: str
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Counts, summed distances and semivariances (n_lags, n_variables) of the pairs of a walk."""
    if estimator not in SUMMED:
        return _from_differences(walk, values, estimator)
    counts, distances, sums = pair_sums(walk, values, SUMMED[estimator])
    return counts, distances, semivariance_of_sums(sums, counts, estimator)


def semivariance_of_sums(sums: Floats, counts: NDArray[np.int64], estimator: str) -> Floats:
    """Return the semivariance from sums of the `estimator`'s power of the differences."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means, n = sums / counts, counts.astype(float)
        if estimator == "cressie":  # their eq. 11, with the second-order term
            return 0.5 * means**4 / (0.457 + 0.494 / n + 0.045 / n**2)
        return 0.5 * means


def _from_differences(
    walk: Walk, values: Floats, estimator: str
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Counts, summed distances and semivariances of the estimators that need each difference."""
    n_lags = len(walk.edges) - 1
    columns = []
    for column in values.T:
        lags, distances, differences = pair_differences(walk, column, MOST_LISTED)
        order = np.argsort(lags, kind="stable")
        pieces = np.split(differences[order], np.searchsorted(lags[order], np.arange(1, n_lags)))
        scale = dowd_semivariance if estimator == "dowd" else genton_semivariance
        columns.append(
            (
                np.bincount(lags, minlength=n_lags),
                np.bincount(lags, weights=distances, minlength=n_lags),
                np.array([scale(piece) for piece in pieces]),
            )
        )
    counts, sums, gammas = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    return counts.astype(np.int64), sums, gammas


def dowd_semivariance(differences: Floats) -> float:
    """Semivariance from the median absolute difference (Dowd 1984): 1.099 times its square."""
    if not len(differences):
        return math.nan
    return 2.198 * float(np.median(np.abs(differences))) ** 2 / 2


def genton_semivariance(differences: Floats) -> float:
    """Semivariance from the scale estimator Qn of the differences (Genton 1998); NaN below two.

    Qn is 2.2191 times the k-th smallest distance of two differences, k = C(n // 2 + 1, 2).

    Examples
    --------
    >>> round(genton_semivariance(np.array([0.0, 1.0, 3.0, 7.0])), 3)  # third of 1 2 3 4 6 7 is 3
    22.16
    """
    n = len(differences)
    if n < 2:
        return math.nan
    ordered, k = np.sort(differences), math.comb(n // 2 + 1, 2)
    low, high = 0.0, float(ordered[-1] - ordered[0])
    if count_within(ordered, 0.0) >= k:
        return 0.0
    while high - low > 1e-13 * high:  # the distance at which the count of pairs reaches k
        middle = 0.5 * (low + high)
        low, high = (low, middle) if count_within(ordered, middle) >= k else (middle, high)
    return (2.2191 * high) ** 2 / 2
