"""The kriging systems of eight targets side by side: what stands in them.

Samples, a packed model and the neighbours of eight targets come in; the rows of covariances and of
drift functions go out, as one array whose last axis is the lane.
"""
# ruff: noqa: PLR0917 - kernels are long loops over flat arrays

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._compile import LANES, compiled
from gossan.geostat._packed import PackedModel, add_covariances


class Data(NamedTuple):
    """What is known of the samples."""

    points: NDArray[np.float64]  # (n, 3) centred [m]
    values: NDArray[np.float64]  # (n, variables), less their means in simple kriging
    micro: NDArray[np.float64]  # (n,) variance that a target at the very place shares (nugget)
    noise: NDArray[np.float64]  # (n,) variance of the measurement
    drift: NDArray[np.float64]  # (n, external drift functions)


class Aim(NamedTuple):
    """What is asked of the targets."""

    block: NDArray[np.float64]  # (points, 3) offsets that discretise a block; one row of 0: point
    variance: float  # of a target, before it is estimated
    is_exact: bool  # whether a target at a sample is its value: the nugget counts as signal
    tolerance2: float  # squared distance [m²] within which two places are one
    is_simple: bool  # no drift functions, not even a constant
    order: int  # of the polynomial drift: 0, 1 or 2
    n_dims: int


class Work(NamedTuple):
    """Scratch arrays; all but the first four end in the lane."""

    matrix: NDArray[np.float64]  # flat (rows, k, LANES)
    squares: NDArray[np.float64]  # flat (k, LANES)
    turned: NDArray[np.float64]  # (3, flat (k, LANES)) offsets in the axes of a structure
    aimed: NDArray[np.float64]  # flat (k, LANES) covariances with one point of the block
    offsets: NDArray[np.float64]  # (3, k, LANES) from target to sample
    there: NDArray[np.bool_]  # (k, LANES)
    gram: NDArray[np.float64]  # (p, p, LANES)
    pull: NDArray[np.float64]  # (p, LANES): B'a - f₀, then m
    goal: NDArray[np.float64]  # (p, LANES): f₀
    total: NDArray[np.float64]  # (LANES,)
    scale: NDArray[np.float64]  # (LANES,)
    is_bad: NDArray[np.bool_]  # (LANES,)


@compiled
def n_drifts(aim: Aim, n_external: int) -> int:
    """Return the number of drift functions, the constant among them."""
    if aim.is_simple:
        return 0
    d = aim.n_dims
    polynomial = 0 if aim.order == 0 else d if aim.order == 1 else d + d * (d + 1) // 2
    return 1 + polynomial + n_external


@compiled
def new_work(k: int, p: int) -> Work:
    rows, flat = (k + p + 4) // 4 * 4 + 4, k * LANES
    return Work(
        np.zeros(rows * flat),
        np.zeros(flat),
        np.zeros((3, flat)),
        np.zeros(flat),
        np.zeros((3, k, LANES)),
        np.zeros((k, LANES), np.bool_),
        np.zeros((p, p, LANES)),
        np.zeros((p, LANES)),
        np.zeros((p, LANES)),
        np.zeros(LANES),
        np.zeros(LANES),
        np.zeros(LANES, np.bool_),
    )


@compiled
def gather(
    data: Data, targets: NDArray, neighbours: NDArray, first: int, n_lanes: int, work: Work
) -> int:
    """Take the offsets of the neighbours from each target; return the most that a target has."""
    k, most = neighbours.shape[1], 0
    work.there[:] = False
    work.offsets[:] = 0.0
    work.is_bad[:] = False
    for lane in range(n_lanes):
        t = first + lane
        for i in range(k):
            row = neighbours[t, i]
            if row < 0:
                break
            work.there[i, lane] = True
            for d in range(3):
                work.offsets[d, i, lane] = data.points[row, d] - targets[t, d]
            most = max(most, i + 1)
    return most


@compiled
def _turn(offsets: NDArray, transform: NDArray, turned: NDArray, most: int) -> None:
    """Turn offsets (3, k, LANES) into the axes of a structure, over its ranges."""
    for d in range(3):
        a, b, c = transform[d, 0], transform[d, 1], transform[d, 2]
        for i in range(most):
            for lane in range(LANES):
                turned[d, i * LANES + lane] = (
                    a * offsets[0, i, lane] + b * offsets[1, i, lane] + c * offsets[2, i, lane]
                )


@compiled
def fill_matrix(
    model: PackedModel, data: Data, aim: Aim, neighbours: NDArray[np.int64], first: int,
    n_lanes: int, most: int, k: int, work: Work,
) -> None:  # fmt: skip
    """Fill the rows of covariances between neighbours (lower triangle) and with the target."""
    matrix, stride, flat = work.matrix, k * LANES, most * LANES
    for i in range(most + 1):
        matrix[i * stride : i * stride + flat] = 0.0
    target_row = matrix[most * stride : most * stride + flat]
    x, y, z = work.turned[0], work.turned[1], work.turned[2]
    for s in range(model.codes.size):
        _turn(work.offsets, model.transforms[s], work.turned, most)
        for i in range(1, most):
            here = i * LANES
            for j in range(i):
                there = j * LANES
                for lane in range(LANES):
                    dx = x[there + lane] - x[here + lane]
                    dy = y[there + lane] - y[here + lane]
                    dz = z[there + lane] - z[here + lane]
                    work.squares[there + lane] = dx * dx + dy * dy + dz * dz
            row = matrix[i * stride : i * stride + here]
            add_covariances(model, s, work.squares, row, here)
        _aim(model, s, aim, work, target_row, flat)
    for i in range(most):
        for lane in range(n_lanes):
            if work.there[i, lane]:
                at = neighbours[first + lane, i]
                own = model.structural + data.micro[at] + data.noise[at]
                matrix[i * stride + i * LANES + lane] = own
                dx, dy = work.offsets[0, i, lane], work.offsets[1, i, lane]
                dz = work.offsets[2, i, lane]
                if aim.is_exact and dx * dx + dy * dy + dz * dz <= aim.tolerance2:
                    target_row[i * LANES + lane] += data.micro[at]
    _blank(model, work, most, k)


@compiled
def _aim(model: PackedModel, s: int, aim: Aim, work: Work, target_row: NDArray, flat: int) -> None:
    """Add the covariances of structure `s` with the target, averaged over the points of a block."""
    x, y, z, matrix = work.turned[0], work.turned[1], work.turned[2], model.transforms[s]
    n = aim.block.shape[0]
    for q in range(n):
        here = aim.block[q]
        a = matrix[0, 0] * here[0] + matrix[0, 1] * here[1] + matrix[0, 2] * here[2]
        b = matrix[1, 0] * here[0] + matrix[1, 1] * here[1] + matrix[1, 2] * here[2]
        c = matrix[2, 0] * here[0] + matrix[2, 1] * here[1] + matrix[2, 2] * here[2]
        for i in range(flat):
            dx, dy, dz = x[i] - a, y[i] - b, z[i] - c
            work.squares[i] = dx * dx + dy * dy + dz * dz
            work.aimed[i] = 0.0
        add_covariances(model, s, work.squares, work.aimed, flat)
        for i in range(flat):
            target_row[i] += work.aimed[i] / n


@compiled
def _blank(model: PackedModel, work: Work, most: int, k: int) -> None:
    """Turn the rows and columns of neighbours that are not there into those of a unit matrix."""
    stride, filler = k * LANES, model.structural + model.nugget
    for i in range(most):
        for lane in range(LANES):
            if not work.there[i, lane]:
                for j in range(i):
                    work.matrix[i * stride + j * LANES + lane] = 0.0
                for j in range(i + 1, most + 1):
                    work.matrix[j * stride + i * LANES + lane] = 0.0
                work.matrix[i * stride + i * LANES + lane] = filler


@compiled
def fill_drift(
    data: Data, aim: Aim, target_drift: NDArray, neighbours: NDArray[np.int64], first: int,
    n_lanes: int, most: int, k: int, p: int, work: Work,
) -> None:  # fmt: skip
    """Fill the rows of drift functions and their goals at the target.

    External drifts are less their value at the target, over their largest difference: the estimate
    is the same, and the numbers are near one.
    """
    stride, n_external = k * LANES, data.drift.shape[1]
    rows = work.matrix[(most + 1) * stride : (most + 1 + p) * stride].reshape(p, k, LANES)
    work.goal[:] = 0.0
    work.goal[0] = 1.0
    for i in range(most):
        for lane in range(LANES):
            rows[0, i, lane] = 1.0 if work.there[i, lane] else 0.0
    if aim.order > 0:
        _fill_polynomials(aim, most, rows, work)
    for f in range(n_external):
        row = rows[p - n_external + f]
        for lane in range(n_lanes):
            there, largest = target_drift[first + lane, f], 0.0
            for i in range(most):
                row[i, lane] = 0.0
                if work.there[i, lane]:
                    row[i, lane] = data.drift[neighbours[first + lane, i], f] - there
                    largest = max(largest, abs(row[i, lane]))
            if largest > 0.0:
                for i in range(most):
                    row[i, lane] /= largest


@compiled
def _fill_polynomials(aim: Aim, most: int, rows: NDArray, work: Work) -> None:
    """Fill the rows of monomials, in offsets from the target over the radius of its neighbours."""
    n_block = aim.block.shape[0]
    for lane in range(LANES):
        largest = 0.0
        for i in range(most):
            for d in range(3):
                largest = max(largest, abs(work.offsets[d, i, lane]))
        scale = 1.0 / largest if largest > 0 else 1.0
        for i in range(most):
            rows[:, i, lane] = 0.0
            if work.there[i, lane]:
                x, y = work.offsets[0, i, lane] * scale, work.offsets[1, i, lane] * scale
                z = work.offsets[2, i, lane] * scale
                _polynomials(aim, x, y, z, 1.0, rows[:, i, lane])
        work.goal[:, lane] = 0.0
        for q in range(n_block):
            x, y, z = aim.block[q, 0] * scale, aim.block[q, 1] * scale, aim.block[q, 2] * scale
            _polynomials(aim, x, y, z, 1.0 / n_block, work.goal[:, lane])


@compiled
def _polynomials(aim: Aim, x: float, y: float, z: float, share: float, out: NDArray) -> None:
    """Add `share` of each monomial up to the order of the drift to `out`."""
    out[0] += share
    if aim.order == 0:
        return
    out[1] += share * x
    out[2] += share * y
    if aim.n_dims == 3:
        out[3] += share * z
    if aim.order == 1:
        return
    n = aim.n_dims + 1
    out[n] += share * x * x
    out[n + 1] += share * x * y
    out[n + 2] += share * y * y
    if aim.n_dims == 3:
        out[n + 3] += share * x * z
        out[n + 4] += share * y * z
        out[n + 5] += share * z * z
