"""An analysis judged in the company of the others of its deposit.

Class probabilities of analyses and their deposits come in; sharper, steadier ones go out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from gossan._checks import check_labels, check_probabilities
from gossan.validation.verdicts import pool_by_group

FLOOR = 1e-3  # as in pooling: one analysis cannot rule a class out


def share_context(
    probabilities: ArrayLike, groups: ArrayLike, *, share: float = 0.5
) -> NDArray[np.float64]:
    """Class probabilities of each analysis, given what the analyses of its deposit say together.

    Use it where the deposit of the analyses is known and is one deposit, as it is for drill core
    or a hand specimen; not for heavy minerals of a stream, whose grains come from many places.

    Parameters
    ----------
    probabilities : array of shape (n, n_classes)
        From a model that looks at one analysis at a time; NaN rows stay NaN.
    groups : array of shape (n,)
        Deposit of each analysis.
    share : float
        Weight of the deposit's pooled opinion against the analysis's own, in [0, 1]. Half, the
        default, lets the two count the same; it was not tuned.

    Returns
    -------
    probabilities : float64 array of shape (n, n_classes)
        Weighted geometric means.

    Raises
    ------
    ValueError
        If `share` lies outside [0, 1] or shapes do not fit.

    Examples
    --------
    >>> own = [[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]]
    >>> share_context(own, ["a", "a", "a"]).round(2)
    array([[0.83, 0.17],
           [0.83, 0.17],
           [0.45, 0.55]])
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share must lie in [0, 1], got {share}. Pass 0.5 to weigh both the same.")
    table = check_probabilities(probabilities)
    labels = check_labels("groups", groups, len(table))
    pooled = pool_by_group(table, labels, method="log_mean")
    tested = ~np.isnan(table).any(axis=1)
    place = np.searchsorted(pooled.names, labels[tested])
    own = np.log(np.maximum(table[tested], FLOOR))
    others = np.log(np.maximum(pooled.probabilities[place], FLOOR))
    out = np.full_like(table, np.nan)
    out[tested] = softmax((1.0 - share) * own + share * others, axis=1)
    return out
