"""A variogram model as the compiled kernels see it, and its covariances between two sets of points.

A `VariogramModel` comes in; flat arrays and matrices of covariances go out. A power structure, which
has no covariance, is given the generalised covariance constant - variogram: the constant drops out
of every estimate whose weights sum to one.
"""
# ruff: noqa: C901, PLR0912, PLR0917 - kernels are long loops over flat arrays

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._compile import compiled, exp_of_negative
from gossan.geostat.covariance import (
    KINDS,
    Structure,
    VariogramModel,
    matern_correlation,
    matern_scale,
)

_SPHERICAL, _EXPONENTIAL, _GAUSSIAN, _MATERN, _CUBIC, _POWER, _HOLE_EFFECT = range(len(KINDS))
_MATERN_3_2, _MATERN_5_2 = len(KINDS), len(KINDS) + 1  # these have a short formula
_LEAST_OCTAVE, _MOST_OCTAVE, _N_TERMS = -120, 9, 11
_SHORT_MATERN = {1.5: _MATERN_3_2, 2.5: _MATERN_5_2}
_POWER_MARGIN = 2.0  # constant of a power structure over its variogram across the field


class PackedModel(NamedTuple):
    """Arrays of a model with s structures; the coordinates of the kernels are always in 3D."""

    codes: NDArray[np.int64]  # (s,) formula: place in KINDS, or a short one
    sills: NDArray[np.float64]  # (s,)
    transforms: NDArray[np.float64]  # (s, 3, 3) offsets to distances over the range
    shapes: NDArray[np.float64]  # (s,) power: exponent; matern: scale
    constants: NDArray[np.float64]  # (s,) power: constant over the sill; others 1
    tables: NDArray[np.float64]  # (s, quarters of octaves, terms) matern: Chebyshev coefficients
    nugget: float
    structural: float  # covariance at no offset, without the nugget
    is_intrinsic: bool  # has no covariance of its own: weights must sum to one


def pack_model(model: VariogramModel, n_dims: int, extent: float) -> PackedModel:
    """Return the arrays of `model` for points in `n_dims` that lie up to `extent` [m] apart."""
    structures = model.structures
    n = len(structures)
    transforms = np.zeros((n, 3, 3))
    shapes, constants = np.ones(n), np.ones(n)
    is_matern = any(each.kind == "matern" for each in structures)
    n_rows = 4 * (_MOST_OCTAVE - _LEAST_OCTAVE) if is_matern else 1
    tables = np.zeros((n, n_rows, _N_TERMS))
    for s, each in enumerate(structures):
        transforms[s, :n_dims, :n_dims] = each.transform(n_dims)
        shapes[s] = matern_scale(each.shape) if each.kind == "matern" else each.shape
        if each.kind == "matern":
            tables[s] = _matern_table(each.shape)
        if each.kind == "power":
            reach = max(extent, 1.0) / min(each.ranges)
            constants[s] = _POWER_MARGIN * reach**each.shape
    sills = np.array([each.sill for each in structures], dtype=float)
    return PackedModel(
        np.array([_code(each) for each in structures], dtype=np.int64),
        sills,
        transforms,
        shapes,
        constants,
        tables,
        float(model.nugget),
        float((sills * constants).sum()),
        not model.is_stationary,
    )


def _code(structure: Structure) -> int:
    if structure.kind == "matern" and structure.shape in _SHORT_MATERN:
        return _SHORT_MATERN[structure.shape]
    return KINDS.index(structure.kind)


def _matern_table(smoothness: float) -> NDArray[np.float64]:
    """Chebyshev coefficients of the Matern correlation in each quarter of each octave.

    Octave e reaches from 2^(e - 1) to 2^e. The nearest singularity, at 0, lies so far from each
    quarter that 11 terms give 13 digits.
    """
    angles = np.pi * (np.arange(_N_TERMS) + 0.5) / _N_TERMS
    quarters = (np.cos(angles) + 1.0 + 2.0 * np.arange(4)[:, None]) / 16.0 + 0.5
    exponents = np.arange(_LEAST_OCTAVE, _MOST_OCTAVE)
    x = np.ldexp(quarters, exponents[:, None, None]).reshape(-1, _N_TERMS)
    cosines = np.cos(np.arange(_N_TERMS)[:, None] * angles)
    coefficients = 2.0 / _N_TERMS * matern_correlation(x, smoothness) @ cosines.T
    coefficients[:, 0] /= 2.0
    return coefficients


@compiled
def _matern(x: float, table: NDArray[np.float64]) -> float:
    """Return the Matern correlation at distance over scale `x` from its table (Clenshaw's sum)."""
    if x <= 0.0:
        return 1.0
    mantissa, exponent = math.frexp(x)
    place = (mantissa - 0.5) * 8.0
    quarter = int(place)
    row = 4 * (exponent - _LEAST_OCTAVE) + quarter
    if row < 0:
        return 1.0
    if row >= table.shape[0]:
        return 0.0
    t = 2.0 * (place - quarter) - 1.0
    last, before = 0.0, 0.0
    for term in range(_N_TERMS - 1, 0, -1):
        last, before = 2.0 * t * last - before + table[row, term], last
    return t * last - before + table[row, 0]


@compiled
def add_covariances(model: PackedModel, s: int, squares: NDArray, out: NDArray, n: int) -> None:
    """Add to the first `n` of `out` the covariances of structure `s` at squared distances.

    `squares` are squared distances over the range. Each loop has one formula and no branch, so that
    it runs in vector registers.
    """
    code, sill = model.codes[s], model.sills[s]
    if code == _SPHERICAL:
        for i in range(n):
            h = min(np.sqrt(squares[i]), 1.0)
            out[i] += sill * (1.0 - h * (1.5 - 0.5 * h * h))
    elif code == _EXPONENTIAL:
        for i in range(n):
            out[i] += sill * exp_of_negative(-3.0 * np.sqrt(squares[i]))
    elif code == _GAUSSIAN:
        for i in range(n):
            out[i] += sill * exp_of_negative(-3.0 * squares[i])
    elif code == _MATERN:
        for i in range(n):
            out[i] += sill * _matern(model.shapes[s] * np.sqrt(squares[i]), model.tables[s])
    elif code == _MATERN_3_2:
        for i in range(n):
            x = model.shapes[s] * np.sqrt(squares[i])
            out[i] += sill * (1.0 + x) * exp_of_negative(-x)
    elif code == _MATERN_5_2:
        for i in range(n):
            x = model.shapes[s] * np.sqrt(squares[i])
            out[i] += sill * (1.0 + x + x * x / 3.0) * exp_of_negative(-x)
    elif code == _CUBIC:
        for i in range(n):
            h = min(np.sqrt(squares[i]), 1.0)
            g = h * h
            out[i] += sill * (1.0 - g * (7.0 - h * (8.75 - g * (3.5 - 0.75 * g))))
    elif code == _POWER:
        half = 0.5 * model.shapes[s]
        for i in range(n):
            out[i] += sill * (model.constants[s] - squares[i] ** half)
    else:
        for i in range(n):
            x = np.pi * np.sqrt(squares[i])
            out[i] += sill * (np.sin(x) / x if x > 1e-9 else 1.0)


@compiled
def turn(points: NDArray, transform: NDArray, out: NDArray) -> None:
    """Fill `out` (3, n) with `points` (n, 3) in the axes of a structure, over its ranges."""
    for i in range(points.shape[0]):
        for d in range(3):
            out[d, i] = (
                transform[d, 0] * points[i, 0]
                + transform[d, 1] * points[i, 1]
                + transform[d, 2] * points[i, 2]
            )


@compiled
def fill_covariances(
    model: PackedModel, left: NDArray, right: NDArray, first: int, last: int, out: NDArray
) -> None:
    """Fill rows first to last - 1 of `out` (n_left, n_right) with covariances, without nugget."""
    n = right.shape[0]
    squares, here = np.empty(n), np.empty((3, left.shape[0]))
    turned = np.empty((3, n))
    out[first:last] = 0.0
    for s in range(model.codes.size):
        turn(left, model.transforms[s], here)
        turn(right, model.transforms[s], turned)
        for i in range(first, last):
            for j in range(n):
                x = turned[0, j] - here[0, i]
                y = turned[1, j] - here[1, i]
                z = turned[2, j] - here[2, i]
                squares[j] = x * x + y * y + z * z
            add_covariances(model, s, squares, out[i], n)


def structural_covariances(
    model: PackedModel, left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the covariances (n_left, n_right), without the nugget, of two sets of points in 3D."""
    out = np.empty((len(left), len(right)))
    fill_covariances(model, left, right, 0, len(left), out)
    return out


def in_three_dimensions(coords: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coordinates (n, 2 or 3) as a contiguous (n, 3), with zero elevation in 2D."""
    points = np.zeros((len(coords), 3))
    points[:, : coords.shape[1]] = coords
    return points
