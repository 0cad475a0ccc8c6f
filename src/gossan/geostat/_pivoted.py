"""The careful way for the few systems that a Cholesky factorisation cannot solve.

A model, samples and the neighbours of one target come in; its weights, variance and moments go out,
or nothing where the drift cannot be known there (collinear samples, fewer samples than functions).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._lane_systems import Aim, Data
from gossan.geostat._packed import PackedModel, structural_covariances

_LEAST_SHARE = 1e-12  # of the largest singular value
_MOST_MISFIT = 1e-6  # of the goals of the drift

Floats = NDArray[np.float64]


def solve_carefully(  # noqa: PLR0917
    model: PackedModel, data: Data, aim: Aim, target: Floats, drift: Floats, rows: NDArray[np.int64]
) -> tuple[Floats, float, Floats] | None:
    """Return weights (k,), variance and moments (2,) of the least-squares solution, or None.

    The system is cut into what the neighbours can tell apart (singular values above 1e-12 of the
    largest) and the rest, which gets no weight.
    """
    points = data.points[rows]
    own = structural_covariances(model, points, points)
    own[np.diag_indices_from(own)] += data.micro[rows] + data.noise[rows]
    offsets = points - target
    aimed = structural_covariances(model, offsets, aim.block).mean(axis=1)
    if aim.is_exact:
        aimed += np.where((offsets**2).sum(axis=1) <= aim.tolerance2, data.micro[rows], 0.0)
    functions, goals = _drift(aim, offsets, data.drift[rows] - drift)
    scale = own.diagonal().max()
    n, p = functions.shape
    system = np.zeros((n + p, n + p))
    system[:n, :n], system[:n, n:], system[n:, :n] = own / scale, functions, functions.T
    right = np.concatenate([aimed / scale, goals])
    weights = np.linalg.lstsq(system, right, rcond=_LEAST_SHARE)[0][:n]
    if p and np.abs(functions.T @ weights - goals).max() > _MOST_MISFIT:
        return None
    with_truth, spread = float(weights @ aimed), float(weights @ own @ weights)
    variance = max(aim.variance - 2.0 * with_truth + spread, 0.0)
    return weights, variance, np.array([with_truth, spread])


def _drift(aim: Aim, offsets: Floats, steps: Floats) -> tuple[Floats, Floats]:
    """Return the drift functions at the neighbours (n, p) and their goals (p,) at the target."""
    if aim.is_simple:
        return np.zeros((len(offsets), 0)), np.zeros(0)
    scale = np.abs(offsets).max() or 1.0
    columns = monomials(offsets[:, : aim.n_dims] / scale, aim.order)
    goals = monomials(aim.block[:, : aim.n_dims] / scale, aim.order).mean(axis=0)
    largest = np.abs(steps).max(axis=0, initial=0.0)
    external = steps / np.where(largest > 0, largest, 1.0)
    return np.hstack([columns, external]), np.concatenate([goals, np.zeros(steps.shape[1])])


def monomials(points: Floats, order: int) -> Floats:
    """Return the monomials up to `order` (0, 1, 2) of points (n, n_dims), the constant first."""
    n, n_dims = points.shape
    columns = [np.ones(n)]
    if order > 0:
        columns += list(points.T)
    if order > 1:
        columns += [points[:, i] * points[:, j] for i in range(n_dims) for j in range(i, n_dims)]
    return np.column_stack(columns)
