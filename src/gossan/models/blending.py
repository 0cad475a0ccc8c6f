"""Several predictive distributions as one, weighted by how well each did on held-out rows.

Quantiles of any methods (kriging, forests, networks) at common levels come in; weights and blended
quantiles go out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import softmax

from gossan.models.spatial import check_levels

__all__ = ["blend_quantiles", "blend_weights"]


def blend_weights(
    quantiles: ArrayLike,
    y: ArrayLike,
    levels: ArrayLike,
    *,
    penalty: float = 0.02,
) -> NDArray[np.float64]:
    """Weights of several predictive distributions whose blend scored best on held-out rows.

    Give held-out predictions of inner folds, never of rows that trained a method. All elements
    share the weights, each element counting alike.

    Parameters
    ----------
    quantiles : array of shape (n_methods, n, n_levels) or (n_methods, n, n_levels, n_elements)
        Held-out quantiles of each method.
    y : array of shape (n,) or (n, n_elements)
        Measured values.
    levels : array of shape (n_levels,)
        Probabilities of the quantiles.
    penalty : float
        Pull towards equal weights, in shares of the score for each unit of squared distance; small
        data choose methods by chance without it.

    Returns
    -------
    weights : float64 array of shape (n_methods,)
        Zero or more, sum 1.

    Raises
    ------
    ValueError
        If shapes do not fit or a value is missing.

    Examples
    --------
    >>> y = np.linspace(-1.0, 1.0, 50)
    >>> good, poor = y[:, None] + [-0.1, 0.0, 0.1], y[:, None] + [2.0, 3.0, 4.0]
    >>> blend_weights([good, poor], y, [0.25, 0.5, 0.75]).round(1)
    array([1., 0.])
    """
    table, truth, probabilities = _check_blend(quantiles, y, levels)
    scale = np.maximum(truth.std(axis=0), 1e-12)
    table, truth = table / scale, (truth / scale)[:, None]  # (methods, n, levels, elements)
    shares = probabilities[:, None]
    alone = np.array([_pinball(each - truth, shares) for each in table])
    n_methods = len(table)
    best = float(alone.min())

    def loss(theta: NDArray) -> tuple[float, NDArray]:
        weights = softmax(theta)
        errors = np.tensordot(weights, table, axes=1) - truth
        slopes = np.where(errors >= 0, 1.0 - shares, -shares) / errors.size
        grad = np.tensordot(table, slopes, axes=errors.ndim)
        away = weights - 1.0 / n_methods
        value = _pinball(errors, shares) + penalty * best * float(away @ away)
        grad = grad + 2.0 * penalty * best * away
        return value / best, weights * (grad - weights @ grad) / best

    start = -np.log(alone / best) * 5.0
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-8.0, 8.0)] * n_methods)
    weights = softmax(found.x)
    weights[weights < 1e-3] = 0.0
    return weights / weights.sum()


def blend_quantiles(quantiles: ArrayLike, weights: ArrayLike) -> NDArray[np.float64]:
    """Quantiles of a blend: the weighted mean of the methods' quantiles, level by level.

    Parameters
    ----------
    quantiles : array of shape (n_methods, n, ...)
        Quantiles of each method, all at the same levels.
    weights : array of shape (n_methods,)
        Zero or more, sum 1.

    Returns
    -------
    blended : float64 array of shape (n, ...)

    Raises
    ------
    ValueError
        If the weights do not fit, are negative or do not sum to 1.

    Examples
    --------
    >>> blend_quantiles([[[1.0, 2.0]], [[3.0, 6.0]]], [0.5, 0.5])
    array([[2., 4.]])
    """
    table, shares = np.asarray(quantiles, dtype=float), np.asarray(weights, dtype=float)
    if shares.shape != table.shape[:1] or (shares < 0).any() or abs(shares.sum() - 1.0) > 1e-6:
        raise ValueError(
            f"weights must be {table.shape[0] if table.ndim else 0} shares that sum to 1, got"
            f" {shares}. Take them from blend_weights."
        )
    return np.tensordot(shares, table, axes=1)


def _pinball(errors: NDArray, shares: NDArray) -> float:
    """Return the mean pinball loss of predicted minus measured, `shares` along the levels."""
    return float(np.maximum((1.0 - shares) * errors, -shares * errors).mean())


def _check_blend(
    quantiles: ArrayLike, y: ArrayLike, levels: ArrayLike
) -> tuple[NDArray, NDArray, NDArray]:
    table, truth = np.asarray(quantiles, dtype=float), np.asarray(y, dtype=float)
    probabilities = check_levels(levels)
    if table.ndim == 3:
        table = table[..., None]
    truth = truth.reshape(len(truth), -1)
    wanted = (len(truth), len(probabilities), truth.shape[1])
    if table.ndim != 4 or table.shape[1:] != wanted or not len(table):
        raise ValueError(
            f"Quantiles must have shape (n_methods, {', '.join(map(str, wanted))}), got"
            f" {np.shape(quantiles)}. Stack those of each method for the rows of y."
        )
    if not (np.isfinite(table).all() and np.isfinite(truth).all()):
        raise ValueError("Quantiles or y are missing in some rows. Pass the rows tested by all.")
    return table, truth, probabilities
