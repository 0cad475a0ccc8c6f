"""Likelihood of a variogram model, each sample being conditioned on some of those before it.

Points in a random order, values and a model come in; the restricted log-likelihood with the best
variance goes out. A trend is not part of it: the mean is one unknown constant.

Sources
-------
Vecchia (1988), Estimation and model identification for continuous spatial processes, Journal of the
Royal Statistical Society B 50, 297-312, doi:10.1111/j.2517-6161.1988.tb01729.x.
Guinness (2018), Permutation and grouping methods for sharpening Gaussian process approximations,
Technometrics 60, 415-429, doi:10.1080/00401706.2018.1437476 (random orders).
Patterson & Thompson (1971), Recovery of inter-block information when block sizes are unequal,
Biometrika 58, 545-554, doi:10.1093/biomet/58.3.545 (restricted likelihood).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._compile import compiled
from gossan.geostat._packed import PackedModel, add_covariances, turn

Floats = NDArray[np.float64]


@compiled
def nearest_before(points: Floats, n_neighbours: int) -> NDArray[np.int64]:
    """Nearest `n_neighbours` of the points before each one (n, n_neighbours); -1 where too few."""
    n = len(points)
    found = np.full((n, n_neighbours), -1, np.int64)
    squares = np.empty(n)
    for i in range(1, n):
        for j in range(i):
            x = points[j, 0] - points[i, 0]
            y = points[j, 1] - points[i, 1]
            z = points[j, 2] - points[i, 2]
            squares[j] = x * x + y * y + z * z
        if i <= n_neighbours:
            found[i, :i] = np.arange(i)
        else:
            bound = np.partition(squares[:i], n_neighbours - 1)[n_neighbours - 1]
            k = 0
            for j in range(i):
                if squares[j] <= bound and k < n_neighbours:
                    found[i, k] = j
                    k += 1
    return found


@compiled
def _fill_row(
    model: PackedModel,
    turned: Floats,
    members: NDArray[np.int64],
    a: int,
    work: Floats,
) -> None:
    """Fill the first row of `work` with the covariances of member `a` and those up to it."""
    out, squares = work[0], work[1]
    out[: a + 1] = 0.0
    for s in range(model.codes.size):
        for b in range(a + 1):
            x = turned[s, 0, members[a]] - turned[s, 0, members[b]]
            y = turned[s, 1, members[a]] - turned[s, 1, members[b]]
            z = turned[s, 2, members[a]] - turned[s, 2, members[b]]
            squares[b] = x * x + y * y + z * z
        add_covariances(model, s, squares, out, a + 1)
    out[a] += model.nugget


@compiled
def _sums(
    model: PackedModel, points: Floats, values: Floats, before: NDArray[np.int64]
) -> tuple[float, float, float, float]:
    """Log-determinant, and products of whitened values and of a whitened constant."""
    n, most = before.shape
    turned = np.empty((model.codes.size, 3, n))
    for s in range(model.codes.size):
        turn(points, model.transforms[s], turned[s])
    factor, work = np.empty((most + 1, most + 1)), np.empty((2, most + 1))
    white, one = np.empty(most + 1), np.empty(most + 1)
    members = np.empty(most + 1, np.int64)
    log_determinant, vv, vo, oo = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        size = 0
        for j in before[i]:
            if j >= 0:
                members[size] = j
                size += 1
        members[size] = i
        for a in range(size + 1):
            _fill_row(model, turned, members, a, work)
            left, right = values[members[a]], 1.0
            for b in range(a):
                total = work[0, b]
                for c in range(b):
                    total -= factor[a, c] * factor[b, c]
                factor[a, b] = total / factor[b, b]
                left -= factor[a, b] * white[b]
                right -= factor[a, b] * one[b]
            total = work[0, a]
            for c in range(a):
                total -= factor[a, c] ** 2
            factor[a, a] = np.sqrt(max(total, 1e-10))
            white[a], one[a] = left / factor[a, a], right / factor[a, a]
        log_determinant += 2.0 * np.log(factor[size, size])
        vv += white[size] ** 2
        vo += white[size] * one[size]
        oo += one[size] ** 2
    return log_determinant, vv, vo, oo


def restricted_likelihood(
    model: PackedModel, points: Floats, values: Floats, before: NDArray[np.int64]
) -> tuple[float, float]:
    """Restricted log-likelihood of a model times its best variance, and that variance.

    `points` (n, 3) and `values` (n,) stand in one order; `before` is `nearest_before` of them.
    """
    log_determinant, vv, vo, oo = _sums(model, points, values, before)
    n = len(values)
    variance = (vv - vo**2 / oo) / (n - 1)
    deviance = (n - 1) * (math.log(2 * math.pi * variance) + 1) + log_determinant + math.log(oo / n)
    return -0.5 * deviance, variance
