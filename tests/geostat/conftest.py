"""A slow, plain kriging to compare with: one dense bordered system a target, by numpy alone."""

from itertools import combinations_with_replacement

import numpy as np
import pytest


def drift_functions(points, order):
    """Monomials of points (n, d) up to an order, the constant first."""
    columns = [np.ones(len(points))]
    for degree in range(1, order + 1):
        chosen = combinations_with_replacement(range(points.shape[1]), degree)
        columns.extend(points[:, list(axes)].prod(axis=1) for axes in chosen)
    return np.column_stack(columns)


def dense_kriging(
    model, coords, values, target, *, order=0, mean=None, drift=None, target_drift=None,
    block=None, exact=True, noise=None,
):  # fmt: skip
    """Return estimate, variance and weights at one target from all samples given."""
    coords, target = np.asarray(coords, dtype=float), np.asarray(target, dtype=float)
    n = len(coords)
    points = target[None] if block is None else target + block
    own = model.covariance(coords[:, None] - coords[None])
    own = own + np.diag(np.zeros(n) if noise is None else noise)
    aimed = model.covariance(coords[:, None] - points[None])
    prior = model.covariance(points[:, None] - points[None])
    if block is not None or not exact:  # nothing shares the nugget of a sample
        aimed = aimed - model.nugget * (coords[:, None] == points[None]).all(axis=-1)
        prior = prior - model.nugget * np.eye(len(points))
    aimed, prior = aimed.mean(axis=1), prior.mean()
    if mean is not None:
        weights = np.linalg.solve(own, aimed)
        estimate = mean + weights @ (values - mean)
    else:
        functions = drift_functions(coords - target, order)
        goals = drift_functions(points - target, order).mean(axis=0)
        if drift is not None:
            functions = np.column_stack([functions, drift])
            goals = np.append(goals, target_drift)
        p = functions.shape[1]
        system = np.block([[own, functions], [functions.T, np.zeros((p, p))]])
        weights = np.linalg.solve(system, np.append(aimed, goals))[:n]
        estimate = weights @ values
    return estimate, prior - 2 * weights @ aimed + weights @ own @ weights, weights


@pytest.fixture(scope="session")
def dense():
    return dense_kriging
