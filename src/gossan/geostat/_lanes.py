"""The compiled heart of local kriging: the systems of eight targets at a time, side by side.

Samples, a packed model and the neighbours of each target come in; estimates, variances and weights
go out. The systems stand as one array whose last axis is the lane, so that every step of the
factorisation is one instruction for eight targets.

Each matrix has the rows: the covariances of the k neighbours, then those with the target, then the
drift functions. A Cholesky factorisation C = L L' of the first k that runs on through the other
rows leaves a = L⁻¹ c₀ and B = L⁻¹ F in them, from which
    m = (B'B)⁻¹ (B'a - f₀),  u = a - B m,  weights = L⁻ᵀ u,  variance = C₀₀ - 2 u'a + u'u.
"""
# ruff: noqa: C901, PLR0917 - kernels are long loops over flat arrays

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._compile import LANES, compiled, eliminate_four, eliminate_one
from gossan.geostat._lane_systems import (
    Aim,
    Data,
    Work,
    fill_drift,
    fill_matrix,
    gather,
    n_drifts,
    new_work,
)
from gossan.geostat._packed import PackedModel

FINE, NO_NEIGHBOUR, SINGULAR = 0, 1, 2
_LEAST_PIVOT = 1e-12  # of the variance: below, the system goes to the pivoted solver
_LEAST_DRIFT = 1e-10  # of the square of a drift function: below, it depends on the others


class Answer(NamedTuple):
    """What is filled."""

    estimates: NDArray[np.float64]  # (targets, variables)
    variances: NDArray[np.float64]  # (targets,)
    weights: NDArray[np.float64]  # (targets, k), or (0, 0) if not asked for
    moments: NDArray[np.float64]  # (targets, 2): covariance with the truth, variance of estimate
    status: NDArray[np.int8]  # (targets,)


@compiled
def solve_lanes(
    model: PackedModel,
    data: Data,
    aim: Aim,
    targets: NDArray,
    target_drift: NDArray,
    neighbours: NDArray[np.int64],
    answer: Answer,
) -> None:
    """Solve the systems of all targets (m, 3), eight at a time; the last eight may have empty lanes."""
    k, p = neighbours.shape[1], n_drifts(aim, data.drift.shape[1])
    work = new_work(k, p)
    for first in range(0, targets.shape[0], LANES):
        n_lanes = min(LANES, targets.shape[0] - first)
        most = gather(data, targets, neighbours, first, n_lanes, work)
        if most > 0:
            fill_matrix(model, data, aim, neighbours, first, n_lanes, most, k, work)
            if p > 0:
                fill_drift(data, aim, target_drift, neighbours, first, n_lanes, most, k, p, work)
            filler = model.structural + model.nugget
            _factorise(work, most, most + 1 + p, k, _LEAST_PIVOT * filler, filler)
            _meet_drift(work, most, k, p)
            _moments(work, most, k, aim, first, n_lanes, answer)
            _back(work, most, k)
        _hand_out(data, neighbours, first, n_lanes, most, k, work, answer)


@compiled
def _factorise(work: Work, most: int, n_rows: int, k: int, least: float, filler: float) -> None:
    """Turn the matrix into its Cholesky factor, with 1 / L[i, i] on the diagonal.

    Four rows at a time go through the columns left of them, then one by one through the triangle
    that the four share. Pivots below `least` mark the lane and go on as if they were `filler`.
    """
    matrix, stride = work.matrix, k * LANES
    padded = (n_rows + 3) // 4 * 4
    matrix[n_rows * stride : padded * stride] = 0.0
    for i in range(0, padded, 4):
        for j in range(min(i, most)):
            eliminate_four(matrix, i, j, k)
        for row in range(i, min(i + 4, n_rows)):
            for j in range(i, min(row, most)):
                eliminate_one(matrix, row, j, k)
            if row < most:
                here = row * stride
                total = work.total
                for lane in range(LANES):
                    total[lane] = matrix[here + row * LANES + lane]
                for j in range(row):
                    at = here + j * LANES
                    for lane in range(LANES):
                        total[lane] -= matrix[at + lane] * matrix[at + lane]
                for lane in range(LANES):
                    pivot = total[lane]
                    if not pivot > least:
                        work.is_bad[lane] = True
                        pivot = filler
                    matrix[here + row * LANES + lane] = 1.0 / np.sqrt(pivot)


@compiled
def _meet_drift(work: Work, most: int, k: int, p: int) -> None:
    """Turn a (the row of the target) into u, which meets the goals of the drift functions."""
    stride = k * LANES
    a = work.matrix[most * stride : (most + 1) * stride]
    for f in range(p):
        left = work.matrix[(most + 1 + f) * stride : (most + 2 + f) * stride]
        _dot(left, a, most, work.pull[f])
        for lane in range(LANES):
            work.pull[f, lane] -= work.goal[f, lane]
        for g in range(f + 1):
            right = work.matrix[(most + 1 + g) * stride : (most + 2 + g) * stride]
            _dot(left, right, most, work.gram[f, g])
    _solve_gram(work, p)
    work.squares[:] = a  # the moments need both a and u
    for f in range(p):
        left = work.matrix[(most + 1 + f) * stride : (most + 2 + f) * stride]
        for i in range(most):
            for lane in range(LANES):
                a[i * LANES + lane] -= work.pull[f, lane] * left[i * LANES + lane]


@compiled
def _dot(left: NDArray, right: NDArray, most: int, out: NDArray) -> None:
    """Fill `out` (LANES) with the products of two flat rows, summed over the neighbours."""
    out[:] = 0.0
    for i in range(most):
        for lane in range(LANES):
            out[lane] += left[i * LANES + lane] * right[i * LANES + lane]


@compiled
def _solve_gram(work: Work, p: int) -> None:
    """Solve (B'B) m = pull for each lane by Cholesky, in place."""
    gram, pull = work.gram, work.pull
    for lane in range(LANES):
        for f in range(p):
            own = gram[f, f, lane]
            for g in range(f):
                total = gram[f, g, lane]
                for q in range(g):
                    total -= gram[f, q, lane] * gram[g, q, lane]
                gram[f, g, lane] = total / gram[g, g, lane]
            pivot = own
            for q in range(f):
                pivot -= gram[f, q, lane] * gram[f, q, lane]
            if not pivot > _LEAST_DRIFT * own:
                work.is_bad[lane] = True
                pivot = 1.0
            gram[f, f, lane] = np.sqrt(pivot)
            for q in range(f):
                pull[f, lane] -= gram[f, q, lane] * pull[q, lane]
            pull[f, lane] /= gram[f, f, lane]
        for f in range(p - 1, -1, -1):
            for q in range(f + 1, p):
                pull[f, lane] -= gram[q, f, lane] * pull[q, lane]
            pull[f, lane] /= gram[f, f, lane]


@compiled
def _moments(
    work: Work, most: int, k: int, aim: Aim, first: int, n_lanes: int, answer: Answer
) -> None:
    """Fill the variances, and the covariance of estimate and truth: u'a and u'u."""
    u = work.matrix[most * k * LANES : (most + 1) * k * LANES]
    with_truth, own = work.scale, work.total
    _dot(u, work.squares, most, with_truth)
    _dot(u, u, most, own)
    for lane in range(n_lanes):
        variance = aim.variance - 2.0 * with_truth[lane] + own[lane]
        answer.variances[first + lane] = max(variance, 0.0)
        answer.moments[first + lane, 0] = with_truth[lane]
        answer.moments[first + lane, 1] = own[lane]


@compiled
def _back(work: Work, most: int, k: int) -> None:
    """Turn u into the weights L⁻ᵀ u, row by row from the last."""
    stride = k * LANES
    u = work.matrix[most * stride : (most + 1) * stride]
    for i in range(most - 1, -1, -1):
        row = work.matrix[i * stride : (i + 1) * stride]
        for lane in range(LANES):
            work.total[lane] = u[i * LANES + lane] * row[i * LANES + lane]
            u[i * LANES + lane] = work.total[lane]
        for j in range(i):
            for lane in range(LANES):
                u[j * LANES + lane] -= row[j * LANES + lane] * work.total[lane]


@compiled
def _hand_out(
    data: Data, neighbours: NDArray[np.int64], first: int, n_lanes: int, most: int, k: int,
    work: Work, answer: Answer,
) -> None:  # fmt: skip
    """Fill estimates, weights and status; a target without neighbours stays missing."""
    u = work.matrix[most * k * LANES : (most + 1) * k * LANES]
    for lane in range(n_lanes):
        t = first + lane
        if neighbours[t, 0] < 0:
            answer.status[t] = NO_NEIGHBOUR
            answer.estimates[t], answer.variances[t] = np.nan, np.nan
            answer.moments[t] = np.nan
            if answer.weights.size:
                answer.weights[t] = 0.0
            continue
        answer.status[t] = SINGULAR if work.is_bad[lane] else FINE
        answer.estimates[t] = 0.0
        for i in range(k):
            row = neighbours[t, i]
            weight = u[i * LANES + lane] if row >= 0 else 0.0
            if answer.weights.size:
                answer.weights[t, i] = weight
            if row >= 0:
                for v in range(data.values.shape[1]):
                    answer.estimates[t, v] += weight * data.values[row, v]
