"""The search for the best variogram model: by weighted least squares, or by likelihood.

Cells or samples and the `Shape` of a model come in; the fitted model and its misfit go out.

Sources
-------
Cressie (1985), Fitting variogram models by weighted least squares, Mathematical Geology 17,
563-586, doi:10.1007/BF01032109 (weights n / γ²).
Golub & Pereyra (1973), The differentiation of pseudo-inverses and nonlinear least squares problems
whose variables separate, SIAM Journal on Numerical Analysis 10, 413-432, doi:10.1137/0710036
(nugget and sills are solved for, so that only ranges and angles are searched).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize, nnls

from gossan.geostat._fit_cells import Cells
from gossan.geostat._fit_shape import Shape
from gossan.geostat._packed import in_three_dimensions, pack_model
from gossan.geostat._vecchia import nearest_before, restricted_likelihood
from gossan.geostat.covariance import Structure, VariogramModel

Floats = NDArray[np.float64]

WEIGHTS = ("cressie", "pairs_over_distance", "pairs")
N_NEIGHBOURS = 30  # of each sample in the likelihood; with more, fits hardly move
_N_ROUNDS = 3  # of Cressie's weights, which need the model that they fit
_LEAST_SHARE = 1e-6  # of the sill, in the likelihood


@dataclass(frozen=True)
class Found:
    """A model, its vector, and how badly it fits: smaller is better among fits of one method."""

    model: VariogramModel
    theta: Floats
    loss: float


@dataclass(frozen=True, eq=False)
class _Problem:
    """What stays the same while least squares searches."""

    cells: Cells
    shape: Shape
    bounds: tuple[Floats, Floats]
    nugget: float | None


def fit_cells(cells: Cells, shape: Shape, weights: str, nugget: float | None) -> Found:
    """Return the model of a shape that fits the cells best by weighted least squares."""
    # a range far beyond the last lag stands for zonal anisotropy
    beyond = 3 if shape.anisotropy == "none" else 10
    shortest, longest = cells.distances.min() / 2, cells.distances.max() * beyond
    bounds = shape.bounds(shortest, longest)
    problem = _Problem(cells, shape, bounds, nugget)
    known = first_weights(cells, weights)
    tried = [_improve(problem, known, start) for start in shape.starts(shortest, longest)]
    best = min(tried, key=lambda found: found.loss)
    for _ in range(_N_ROUNDS if weights == "cressie" else 0):
        known = cells.n_pairs / _guarded(best.model.variogram(cells.offsets), cells) ** 2
        best = _improve(problem, known, best.theta)
    return best


def first_weights(cells: Cells, weights: str) -> Floats:
    """Weights of the cells that need no model."""
    if weights == "pairs":
        return cells.n_pairs
    return cells.n_pairs / cells.distances**2


def relative_misfit(cells: Cells, model: VariogramModel) -> float:
    """Root mean square of experimental over modelled semivariance minus one, weighted by pairs."""
    ratios = cells.gammas / _guarded(model.variogram(cells.offsets), cells) - 1.0
    return float(np.sqrt(np.average(ratios**2, weights=cells.n_pairs)))


def _guarded(gammas: Floats, cells: Cells) -> Floats:
    """Keep modelled semivariances off zero, where Cressie's weights would have no bound."""
    return np.maximum(gammas, 0.02 * cells.variance + 1e-300)


def _improve(problem: _Problem, weights: Floats, start: Floats) -> Found:
    """Search ranges and angles near `start`; nugget and sills follow from them."""
    shape, (low, high) = problem.shape, problem.bounds
    roots = np.sqrt(weights / weights.sum())

    def solve(theta: Floats) -> tuple[Floats, Floats]:
        units = shape.structures(theta, np.ones(len(shape.kinds)))
        return _solve_sills(problem.cells, units, roots, problem.nugget)

    inside = np.clip(start, low + 1e-9, high - 1e-9)
    theta = least_squares(
        lambda theta: solve(theta)[1],
        inside,
        bounds=(low, high),
        max_nfev=60,
        x_scale=0.3,
        xtol=1e-5,
    ).x
    sills, left = solve(theta)
    model = VariogramModel(float(sills[0]), shape.structures(theta, sills[1:]))
    return Found(model, theta, float(left @ left))


def _solve_sills(
    cells: Cells, units: tuple[Structure, ...], roots: Floats, nugget: float | None
) -> tuple[Floats, Floats]:
    """Nugget and sills, none negative, that fit best, and the weighted residuals."""
    design = np.stack([np.ones(len(roots)), *[each.variogram(cells.offsets) for each in units]], 1)
    if nugget is None:
        sills, _ = nnls(design * roots[:, None], cells.gammas * roots)
    else:
        others, _ = nnls(design[:, 1:] * roots[:, None], (cells.gammas - nugget) * roots)
        sills = np.concatenate([[nugget], others])
    if sills.sum() <= 0:
        sills[-1] = 1e-12 * max(cells.variance, 1e-300)
    return sills, (cells.gammas - design @ sills) * roots


def fit_likelihood(
    points: Floats, values: Floats, shape: Shape, start: Found, rng: np.random.Generator
) -> Found:
    """Return the model of a shape with the highest restricted likelihood, from a first fit."""
    order = rng.permutation(len(points))
    places, numbers = in_three_dimensions(points[order]), values[order] - values.mean()
    before = nearest_before(places, min(N_NEIGHBOURS, len(points) - 1))
    extent = float(np.linalg.norm(np.ptp(points, axis=0)))
    n_dims, n_kinds = points.shape[1], len(shape.kinds)

    def unit_model(vector: Floats) -> VariogramModel:
        shares = _shares(vector[-n_kinds:])
        theta = vector[:-n_kinds].copy()
        theta[:n_kinds] = np.clip(theta[:n_kinds], np.log(extent * 1e-4), np.log(extent * 10))
        return VariogramModel(float(shares[0]), shape.structures(theta, shares[1:]))

    def evaluate(vector: Floats) -> tuple[float, float]:
        packed = pack_model(unit_model(vector), n_dims, extent)
        return restricted_likelihood(packed, places, numbers, before)

    first = np.concatenate([start.theta, _logits(start.model)])
    steps = np.concatenate(
        [np.full(n_kinds, 0.3), np.full(shape.size - n_kinds, 0.2), np.full(n_kinds, 0.5)]
    )
    simplex = np.vstack([first, first + np.diag(steps)])
    options = {"initial_simplex": simplex, "xatol": 3e-3, "fatol": 1e-2, "maxfev": 150 * len(first)}
    answer = minimize(lambda v: -evaluate(v)[0], first, method="Nelder-Mead", options=options)
    loss, variance = evaluate(answer.x)
    return Found(unit_model(answer.x).scaled(variance), answer.x[:-n_kinds], -loss)


def _shares(logits: Floats) -> Floats:
    """Shares of nugget and structures, from logs of sill over nugget."""
    powers = np.exp(np.clip(np.concatenate([[0.0], logits]), -14.0, 14.0))
    return powers / powers.sum()


def _logits(model: VariogramModel) -> Floats:
    """Return where to begin: logs of sill over nugget, both kept off zero."""
    least = 0.05 * model.sill
    nugget = max(model.nugget, least)
    return np.array([np.log(max(each.sill, least) / nugget) for each in model.structures])
