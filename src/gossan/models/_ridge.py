"""Logistic regression with a ridge penalty of its own for each coefficient, by Newton's method.

Standardised features (n, p), codes and weights of the rows come in; intercept and coefficients go
out. The loss is convex and the solution unique: there is no seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.special import expit

Floats = NDArray[np.float64]
MOST_STEPS = 60
TOLERANCE = 1e-10  # of the fall in loss, as a share of the loss


def balanced_weights(codes: NDArray[np.int64], weight: Floats) -> Floats:
    """Return weights by which each class weighs as much as there are rows of the rarer one.

    The penalty then means the same whatever the number of background rows: ten thousand cells that
    nobody labelled do not make ten deposits certain.
    """
    sums = np.bincount(codes, weights=weight, minlength=2)
    counts = [np.count_nonzero(weight[codes == code]) for code in (0, 1)]
    return weight * (min(counts) / sums)[codes]


def fit_ridge(
    Z: Floats, codes: NDArray[np.int64], weight: Floats, penalty: NDArray | float
) -> tuple[float, Floats]:
    """Return intercept and coefficients that minimise loss + ½ Σ penalty β², none missing."""
    design = np.column_stack([np.ones(len(Z)), Z])
    ridge = np.append(0.0, np.broadcast_to(np.asarray(penalty, dtype=float), Z.shape[1:]))
    beta = np.zeros(design.shape[1])
    loss = _loss(design, codes, weight, ridge, beta)
    for _ in range(MOST_STEPS):
        chance = expit(design @ beta)
        slope = design.T @ (weight * (chance - codes)) + ridge * beta
        curve = design.T @ (design * (weight * chance * (1.0 - chance))[:, None])
        curve[np.diag_indices_from(curve)] += np.maximum(ridge, 1e-9)
        step = solve(curve, slope, assume_a="pos")
        share, trial = 1.0, np.inf
        while share > 1e-8:
            trial = _loss(design, codes, weight, ridge, beta - share * step)
            if trial <= loss:
                break
            share /= 2.0
        else:
            break
        beta, before, loss = beta - share * step, loss, trial
        if before - loss <= TOLERANCE * max(before, 1.0):
            break
    return float(beta[0]), beta[1:]


def _loss(
    design: Floats, codes: NDArray[np.int64], weight: Floats, ridge: Floats, beta: Floats
) -> float:
    score = design @ beta
    each = np.logaddexp(0.0, score) - codes * score
    return float(weight @ each + 0.5 * ridge @ beta**2)


def spread_of_columns(rows: NDArray, weight: Floats) -> tuple[Floats, Floats]:
    """Return the weighted mean and standard deviation of columns; 1 for one that does not vary."""
    table = rows.astype(np.float64)
    center = np.average(table, axis=0, weights=weight)
    scale = np.sqrt(np.average((table - center) ** 2, axis=0, weights=weight))
    return center, np.where(scale > 1e-9 * (1.0 + np.abs(center)), scale, 1.0)
