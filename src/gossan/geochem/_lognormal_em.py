"""Multivariate lognormal with values below detection: its fit, and what it says of a hidden cell.

Logs with an upper bound for each hidden cell come in; mean and covariance of the logs, conditional
means or draws go out. The E-step needs the moments of a normal truncated to a box for each row.
They have no closed form beyond one hidden cell a row, and treating the cells one by one is what
biases simpler codes. Here they are drawn by Gibbs sampling, one column at a time over all rows, and
averaged over the sweeps with decreasing steps: a stochastic-approximation EM, whose fixed point is
the maximum of the likelihood itself.

Sources
-------
Delyon, Lavielle & Moulines (1999), Convergence of a stochastic approximation version of the EM
algorithm, Annals of Statistics 27, 94-128, doi:10.1214/aos/1018031103.
Geweke (1991), Efficient simulation from the multivariate normal and Student-t distributions subject
to linear constraints, Computing Science and Statistics 23, 571-578 (the Gibbs step).
Palarea-Albaladejo & Martin-Fernandez (2008), A modified EM alr-algorithm for replacing rounded
zeros in compositional data sets, Computers & Geosciences 34, 902-917,
doi:10.1016/j.cageo.2007.09.015 (the model in log-ratio coordinates).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp

from gossan.geochem._order_statistics import fit_lognormal
from gossan.geochem.bases import pivot_basis

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)
_N_MEAN = 40  # sweeps averaged for a conditional mean
_N_DRAW = 25  # sweeps before a draw is taken


@dataclass(frozen=True)
class CensoredLognormal:
    """A lognormal distribution fitted to a table with values below detection.

    Attributes
    ----------
    names : tuple
        Columns it was fitted to.
    mean : array of shape (n_parts,)
        Mean of ln(value); for "logratio" of the centred log-ratios.
    covariance : array of shape (n_parts, n_parts)
        Covariance of ln(value); for "logratio" of the centred log-ratios (singular).
    coordinates : {"log", "logratio"}
        Space in which the distribution is normal.
    n_rows : int
        Rows it was fitted to.
    between : array of shape (n_parts, n_parts), optional
        The part of `covariance` that lies between groups, if it was fitted with groups; `mean` is
        then the mean of the groups.
    """

    names: tuple[Hashable, ...]
    mean: Floats
    covariance: Floats
    coordinates: str
    n_rows: int
    between: Floats | None = None


def fit(
    logs: Floats,
    hidden: Mask,
    *,
    names: tuple[Hashable, ...],
    coordinates: str,
    n_sweeps: int,
    rng: np.random.Generator,
) -> tuple[CensoredLognormal, Floats]:
    """Return the fitted distribution and the last completed table of logs.

    `logs` holds the log of the limit where `hidden` and a value is below it, +inf where the value
    is missing. Half the sweeps settle the estimate, half average it.
    """
    state, mean, covariance = _start(logs, hidden, coordinates)
    cells = _hidden_cells(logs, hidden)
    n_rows = len(state)
    n_settle = n_sweeps // 2 if hidden.any() else 0
    first, second = mean, covariance + np.outer(mean, mean)
    for sweep in range(n_sweeps if hidden.any() else 0):
        _sweep(state, cells, mean, _precision(covariance, coordinates), rng)
        points = _model_space(state, coordinates)
        step = 1.0 / max(1, sweep - n_settle + 1)
        first = first + step * (points.mean(axis=0) - first)
        second = second + step * (points.T @ points / n_rows - second)
        mean, covariance = first, _steady(second - np.outer(first, first), n_rows)
    model = CensoredLognormal(names, mean, covariance, coordinates, n_rows)
    return model, state


def fit_grouped(
    logs: Floats,
    hidden: Mask,
    groups: NDArray[np.int64],
    *,
    names: tuple[Hashable, ...],
    n_sweeps: int,
    rng: np.random.Generator,
) -> tuple[CensoredLognormal, Floats]:
    """Return the fit of x = level of its group + scatter, both normal, and the completed logs.

    `groups` numbers the group of each row from 0. The levels are drawn along with the hidden cells
    and centred on the mean of the groups, which mixes well where groups are large.
    """
    pooled, state = fit(
        logs, hidden, names=names, coordinates="log", n_sweeps=n_sweeps // 4, rng=rng
    )
    cells, mean = _hidden_cells(logs, hidden), pooled.mean
    within, between = 0.5 * pooled.covariance, 0.5 * pooled.covariance
    n_groups, n_settle = groups.max() + 1, n_sweeps // 2
    for sweep in range(n_sweeps):
        levels = _draw_levels(state, groups, mean, between=between, within=within, rng=rng)
        _sweep(state, cells, levels[groups], _precision(within, "log"), rng)
        scatter = state - levels[groups]
        step = 1.0 / max(1, sweep - n_settle + 1)
        mean = mean + step * (levels.mean(axis=0) - mean)
        apart = levels - mean
        between = between + step * (_steady(apart.T @ apart / n_groups, n_groups) - between)
        within = within + step * (_steady(scatter.T @ scatter / len(state), len(state)) - within)
    total = within + between
    return CensoredLognormal(names, mean, total, "log", len(logs), between), state


def complete(
    model: CensoredLognormal,
    logs: Floats,
    hidden: Mask,
    *,
    rng: np.random.Generator,
    draw: bool,
    state: Floats | None = None,
    groups: NDArray[np.int64] | None = None,
) -> Floats:
    """Return `logs` with each hidden cell at its conditional mean, or drawn if `draw`.

    `state` is the completed table that `fit` ended with, if the rows are the same; `groups` numbers
    the group of each row, for a model fitted with groups.
    """
    cells = _hidden_cells(logs, hidden)
    n_burn = _N_DRAW
    if state is None:
        # A first guess below the limit; the sweeps forget it.
        state = np.where(hidden, np.minimum(logs - 0.4, _level(model, logs, hidden)), logs)
    elif not draw:
        n_burn = 0
    n_mean = 0 if draw else _N_MEAN
    total = np.zeros_like(state)
    within = model.covariance
    if groups is not None and model.between is not None:
        within = model.covariance - model.between
    precision, centre = _precision(within, model.coordinates), model.mean
    for sweep in range(n_burn + n_mean):
        if groups is not None and model.between is not None:
            centre = _draw_levels(
                state, groups, model.mean, between=model.between, within=within, rng=rng
            )[groups]
        for column, expected in _sweep(state, cells, centre, precision, rng):
            if sweep >= n_burn:
                total[cells[column][0], column] += expected
    return state if draw else np.where(hidden, total / _N_MEAN, logs)


def _sweep(
    state: Floats,
    cells: list[tuple[NDArray[np.int64], Floats]],
    mean: Floats,
    precision: Floats,
    rng: np.random.Generator,
) -> list[tuple[int, Floats]]:
    """Redraw every hidden cell of `state` in place; return its mean given the rest of its row.

    Given the rest of its row, a cell is normal with mean m and sd s, cut off at its limit; m and s
    are read off a column of the precision matrix. `mean` is one row for all, or a row for each.
    """
    expected = []
    for column, (rows, upper) in enumerate(cells):
        if not len(rows):
            continue
        weights = precision[:, column] / precision[column, column]
        sd = 1 / np.sqrt(precision[column, column])
        apart = state[rows] - (mean[rows] if mean.ndim == 2 else mean)
        centre = state[rows, column] - apart @ weights
        score = (upper - centre) / sd
        log_share = log_ndtr(score)
        hazard = np.exp(-0.5 * score**2 - _LOG_ROOT_2PI - log_share)
        expected.append((column, centre - sd * hazard))
        uniform = 1 - rng.random(len(rows))  # in (0, 1]: its log is finite
        state[rows, column] = centre + sd * ndtri_exp(log_share + np.log(uniform))
    return expected


def _draw_levels(
    state: Floats,
    groups: NDArray[np.int64],
    mean: Floats,
    *,
    between: Floats,
    within: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Draw the level of each group given its completed rows; shape (n_groups, n_parts)."""
    counts = np.bincount(groups)
    sums = np.stack([np.bincount(groups, weights=column) for column in state.T], axis=1)
    prior, precision = np.linalg.inv(between), np.linalg.inv(within)
    covariance = np.linalg.inv(prior + counts[:, None, None] * precision)
    centre = np.einsum("gij,gj->gi", covariance, prior @ mean + sums @ precision)
    noise = rng.standard_normal(centre.shape)
    return centre + np.einsum("gij,gj->gi", np.linalg.cholesky(covariance), noise)


def _hidden_cells(logs: Floats, hidden: Mask) -> list[tuple[NDArray[np.int64], Floats]]:
    """Rows and upper bounds of the hidden cells of each column."""
    rows = [np.flatnonzero(hidden[:, column]) for column in range(logs.shape[1])]
    return [(found, logs[found, column]) for column, found in enumerate(rows)]


def _start(logs: Floats, hidden: Mask, coordinates: str) -> tuple[Floats, Floats, Floats]:
    """First completed table, mean and covariance: each column by itself, correlations rough."""
    state = logs.copy()
    fits = []
    for column, is_hidden in enumerate(hidden.T):
        known = np.isfinite(logs[:, column])
        values = np.exp(logs[known, column])
        mean, sd = fit_lognormal(values, is_hidden[known])
        state[is_hidden, column] = np.minimum(logs[is_hidden, column] - 0.4 * sd, mean)
        fits.append((mean, sd))
    means, sds = np.array(fits).T
    points = _model_space(state, coordinates)
    covariance = np.atleast_2d(np.cov(points, rowvar=False, bias=True))
    if coordinates == "logratio":
        return state, points.mean(axis=0), _steady(covariance, len(state))
    scale = sds / np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    return state, means, _steady(covariance * np.outer(scale, scale), len(state))


def _model_space(state: Floats, coordinates: str) -> Floats:
    """Return logs, or logs less the mean of their row (alr, ilr and clr are the same model)."""
    return state - state.mean(axis=1, keepdims=True) if coordinates == "logratio" else state


def _steady(covariance: Floats, n_rows: int) -> Floats:
    """Covariance drawn towards its diagonal where rows are few, so that it can be inverted."""
    share = max(1e-6, 1 - n_rows / (3 * len(covariance)))
    return (1 - share) * covariance + share * np.diag(np.maximum(np.diag(covariance), 1e-8))


def _precision(covariance: Floats, coordinates: str) -> Floats:
    """Inverse covariance; for log-ratios that on the plane of zero sum, blind to the amount."""
    if coordinates == "log":
        return np.asarray(np.linalg.inv(covariance))
    basis = pivot_basis(len(covariance))
    return basis.T @ np.linalg.inv(basis @ covariance @ basis.T) @ basis


def _level(model: CensoredLognormal, logs: Floats, hidden: Mask) -> Floats:
    """Mean of the model for each cell, at the amount of the row's known cells for log-ratios."""
    if model.coordinates == "log":
        return np.broadcast_to(model.mean, logs.shape)
    known = np.where(hidden, 0.0, logs - model.mean).sum(axis=1) / (~hidden).sum(axis=1)
    return model.mean + known[:, None]
