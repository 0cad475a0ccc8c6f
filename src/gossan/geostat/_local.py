"""Local kriging: the neighbours of each target, then its system, chunk by chunk over threads.

Samples, a model and a search come in; estimates, variances and, when asked for, neighbours and
weights of any targets go out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gossan.geostat._lane_systems import Aim, Data
from gossan.geostat._lanes import SINGULAR, Answer, solve_lanes
from gossan.geostat._packed import (
    PackedModel,
    in_three_dimensions,
    pack_model,
    structural_covariances,
)
from gossan.geostat._pivoted import solve_carefully
from gossan.geostat._samples import Floats, Samples, Whole
from gossan.geostat._search import (
    CHUNK,
    Search,
    SearchTree,
    build_tree,
    find_neighbours,
    run_chunks,
)
from gossan.geostat.covariance import VariogramModel

_POINT = np.zeros((1, 3))


@dataclass(frozen=True)
class Support:
    """What is estimated at a target.

    Attributes
    ----------
    is_exact : bool
        The value itself, nugget and all, or the value without the nugget.
    block : array of shape (n_points, 3) or None
        Offsets that discretise a block [m]; None is a point.
    """

    is_exact: bool = True
    block: Floats | None = None


@dataclass(frozen=True)
class Trend:
    """What the mean is made of.

    Attributes
    ----------
    is_simple : bool
        The mean is known: no drift functions.
    order : int
        Of the polynomial, 0 (a constant), 1 or 2.
    means : array of shape (n_variables,) or None
        Of simple kriging.
    """

    is_simple: bool = False
    order: int = 0
    means: Floats | None = None


@dataclass(frozen=True)
class LocalSystem:
    """Samples with a model, a search and a question, ready to be solved at any targets."""

    samples: Samples
    packed: PackedModel
    tree: SearchTree
    search: Search
    data: Data
    aim: Aim
    means: Floats  # (n_variables,)


@dataclass(frozen=True)
class Solution:
    """What the systems of m targets gave; a target that is not estimated is NaN.

    Attributes
    ----------
    estimates : array of shape (m, n_variables)
    variances : array of shape (m,)
        Kriging variance, in the units of the model.
    moments : array of shape (m, 2)
        Covariance of estimate and truth, variance of the estimate (without drift in both).
    n_used : int64 array of shape (m,)
        Neighbours of each.
    neighbours : int64 array of shape (m, k)
        Places in `Samples`, nearest first, padded with -1. Of shape (0, k), like the weights, if
        they were not kept.
    weights : array of shape (m, k)
    """

    estimates: Floats
    variances: Floats
    moments: Floats
    n_used: Whole
    neighbours: Whole
    weights: Floats


def local_system(
    samples: Samples,
    model: VariogramModel,
    search: Search,
    *,
    frame: Floats | None = None,
    trend: Trend | None = None,
    support: Support | None = None,
    folds: Whole | None = None,
) -> LocalSystem:
    """Return the system of `samples`; `frame` is that of the search ellipsoid (None: a sphere)."""
    trend, support = trend or Trend(), support or Support()
    packed = pack_model(model, samples.n_dims, samples.extent)
    n_variables = samples.values.shape[1]
    means = np.zeros(n_variables) if trend.means is None else trend.means
    data = Data(samples.points, samples.values - means, samples.micro, samples.noise, samples.drift)
    tree = build_tree(samples.coords, frame, groups=samples.groups, folds=folds)
    return LocalSystem(
        samples, packed, tree, search, data, _aim(samples, packed, trend, support), means
    )


def _aim(samples: Samples, packed: PackedModel, trend: Trend, support: Support) -> Aim:
    """Return the question, with the variance of a target: of a block, its mean covariance."""
    block = _POINT if support.block is None else np.ascontiguousarray(support.block)
    is_point = support.block is None
    is_exact = support.is_exact and is_point
    variance = float(structural_covariances(packed, block, block).mean())
    if is_exact:
        variance += packed.nugget
    return Aim(
        block,
        variance,
        is_exact,
        samples.tolerance**2,
        trend.is_simple,
        trend.order,
        samples.n_dims,
    )


def solve(
    system: LocalSystem,
    targets: Floats,
    *,
    target_drift: Floats | None = None,
    target_folds: Whole | None = None,
    keep_weights: bool = False,
    n_jobs: int = 1,
) -> Solution:
    """Return the solution at `targets` (m, n_dims), in the centred coordinates of the samples.

    Parameters
    ----------
    system : LocalSystem
    targets : array of shape (m, n_dims)
    target_drift : array of shape (m, n_drifts), optional
        External drift.
    target_folds : int64 array of shape (m,), optional
        Samples of the same fold are left out (see `local_system`); -1: none.
    keep_weights : bool
        Keep neighbours and weights: m x k of each.
    n_jobs : int
        Threads.
    """
    m, n_variables = len(targets), system.data.values.shape[1]
    k = min(system.search.n_neighbours, max(len(system.samples.rows), 1))
    drift = np.zeros((m, 0)) if target_drift is None else np.ascontiguousarray(target_drift)
    folds = np.full(m, -1, dtype=np.int64) if target_folds is None else target_folds
    kept = m if keep_weights else 0
    out = Solution(
        np.empty((m, n_variables)),
        np.empty(m),
        np.empty((m, 2)),
        np.empty(m, dtype=np.int64),
        np.empty((kept, k), dtype=np.int64),
        np.empty((kept, k)),
    )
    run_chunks(_worker(system, targets, drift, folds, out), m, CHUNK, n_jobs)
    return out


def _worker(
    system: LocalSystem, targets: Floats, drift: Floats, folds: Whole, out: Solution
) -> Callable[[int], None]:
    """Return the function that solves the chunk from a start and writes it into `out`."""
    keeps = len(out.weights) > 0

    def work(start: int) -> None:
        part = slice(start, start + CHUNK)
        found = find_neighbours(system.tree, targets[part], system.search, target_folds=folds[part])
        answer = solve_neighbours(system, targets[part], found, drift[part], keep_weights=keeps)
        out.estimates[part], out.variances[part] = answer.estimates, answer.variances
        out.moments[part], out.n_used[part] = answer.moments, answer.n_used
        if keeps:
            out.neighbours[part], out.weights[part] = found, answer.weights

    return work


def solve_neighbours(
    system: LocalSystem,
    targets: Floats,
    neighbours: Whole,
    target_drift: Floats,
    *,
    keep_weights: bool = False,
) -> Solution:
    """Return the solution at `targets` from given `neighbours` (m, k), padded with -1."""
    m, k = neighbours.shape
    places = in_three_dimensions(targets)
    answer = Answer(
        np.empty((m, system.data.values.shape[1])),
        np.empty(m),
        np.empty((m, k) if keep_weights else (0, 0)),
        np.empty((m, 2)),
        np.empty(m, dtype=np.int8),
    )
    solve_lanes(system.packed, system.data, system.aim, places, target_drift, neighbours, answer)
    for t in np.flatnonzero(answer.status == SINGULAR):
        _mend(system, places[t], target_drift[t], neighbours[t], answer, int(t))
    n_used = (neighbours >= 0).sum(axis=1)
    n_used[np.isnan(answer.variances)] = 0
    return Solution(
        answer.estimates + system.means,
        answer.variances,
        answer.moments,
        n_used,
        neighbours if keep_weights else neighbours[:0],
        answer.weights,
    )


def _mend(  # noqa: PLR0917
    system: LocalSystem, place: Floats, drift: Floats, row: Whole, answer: Answer, t: int
) -> None:
    """Solve one target with care, and write it into `answer`."""
    there = row[row >= 0]
    found = solve_carefully(system.packed, system.data, system.aim, place, drift, there)
    weights = np.zeros(len(row))
    if found is None:
        answer.estimates[t], answer.variances[t], answer.moments[t] = np.nan, np.nan, np.nan
    else:
        weights[: len(there)], answer.variances[t], answer.moments[t] = found
        answer.estimates[t] = weights[: len(there)] @ system.data.values[there]
    if answer.weights.size:
        answer.weights[t] = weights


def block_offsets(size: Sequence[float], n_points: Sequence[int]) -> Floats:
    """Return the centres of n_points cells a side (easting, northing[, elevation]) of a block."""
    axes = [
        (np.arange(n) + 0.5) / n * edge - edge / 2 for edge, n in zip(size, n_points, strict=True)
    ]
    grid = np.meshgrid(*axes, indexing="ij")
    return in_three_dimensions(np.column_stack([axis.ravel() for axis in grid]))
