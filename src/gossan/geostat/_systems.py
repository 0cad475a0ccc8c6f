"""The kriging systems of a table: variables that share a model and their missing rows share one.

The checked arguments of `Kriging` and its table come in; a system for each set of variables goes
out, and solves any targets for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gossan.geostat._dual import DualSystem, check_size, dual_system, evaluate
from gossan.geostat._local import LocalSystem, Solution, Support, Trend, local_system, solve
from gossan.geostat._samples import Floats, Samples, Table, Whole, prepare_samples, warn_of_twins
from gossan.geostat._search import Search, find_neighbours, search_frame
from gossan.geostat.covariance import Structure, VariogramModel

_SLAB = 500_000  # targets evaluated at a time, so that scratch arrays stay small
MOST_ANISOTROPY = 10.0  # of the search ellipsoid taken from a model: zonal ranges are endless


@dataclass(frozen=True)
class Setup:
    """What holds for all variables."""

    search: Search
    trend: Trend
    support: Support
    ellipsoid: Structure | None  # of the search; None: that of the model
    is_global: bool
    keep_twins: bool
    n_jobs: int = 1


@dataclass(frozen=True)
class System:
    """The system of some variables."""

    columns: tuple[int, ...]
    model: VariogramModel
    local: LocalSystem  # also of a global system: it gives the variance
    dual: DualSystem | None
    setup: Setup

    @property
    def samples(self) -> Samples:
        """Return the samples, in the order of the system."""
        return self.local.samples


def build_systems(
    table: Table, models: Sequence[VariogramModel], setup: Setup, *, stacklevel: int
) -> list[System]:
    """Return a system for each set of variables with one model and the same rows known."""
    systems = []
    known = ~np.isnan(table.values)
    for columns in _sets(known, models):
        part = rows_of(table, columns, known[:, columns[0]])
        warn_of_twins(part, keep_twins=setup.keep_twins, stacklevel=stacklevel + 1)
        systems.append(_system(part, columns, models[columns[0]], setup))
    return systems


def _sets(known: NDArray[np.bool_], models: Sequence[VariogramModel]) -> list[tuple[int, ...]]:
    sets: dict[tuple[VariogramModel, bytes], list[int]] = {}
    for column, model in enumerate(models):
        sets.setdefault((model, known[:, column].tobytes()), []).append(column)
    return [tuple(columns) for columns in sets.values()]


def rows_of(table: Table, columns: Sequence[int], known: NDArray[np.bool_]) -> Table:
    """Return the known rows of some columns of the values."""
    return Table(
        table.coords[known],
        table.values[known][:, list(columns)],
        table.noise[known],
        table.drift[known],
        None if table.groups is None else table.groups[known],
        table.rows[known],
        table.tolerance,
    )


def trend_of(trend: Trend, columns: Sequence[int]) -> Trend:
    """Return the trend with the means of some variables only."""
    if trend.means is None:
        return trend
    return replace(trend, means=trend.means[list(columns)])


def frame_of(model: VariogramModel, ellipsoid: Structure | None, n_dims: int) -> Floats | None:
    """Return the frame of the search: its own, or that of the model's largest structure."""
    if ellipsoid is not None:
        return search_frame(ellipsoid.transform(n_dims))
    if not model.structures:
        return None
    main = max(model.structures, key=lambda each: each.sill)
    most = max(main.ranges)
    ranges = tuple(max(each, most / MOST_ANISOTROPY) for each in main.ranges)
    return search_frame(replace(main, ranges=ranges).transform(n_dims))


def _system(table: Table, columns: tuple[int, ...], model: VariogramModel, setup: Setup) -> System:
    if setup.is_global:
        check_size(len(table.coords))
    samples = prepare_samples(table, model.nugget, keep_twins=setup.keep_twins)
    trend = trend_of(setup.trend, columns)
    frame = frame_of(model, setup.ellipsoid, samples.n_dims)
    local = local_system(
        samples, model, setup.search, frame=frame, trend=trend, support=setup.support
    )
    dual = None
    if setup.is_global:
        dual = dual_system(samples, model, trend=trend, support=setup.support, n_jobs=setup.n_jobs)
    return System(columns, model, local, dual, setup)


def estimate(system: System, targets: Floats, drift: Floats, *, n_jobs: int) -> Floats:
    """Return the estimates (m, variables of the system) alone."""
    if system.dual is None:
        return solve(system.local, targets, target_drift=drift, n_jobs=n_jobs).estimates
    estimates = np.empty((len(targets), len(system.columns)))
    for start in range(0, len(targets), _SLAB):
        part = slice(start, start + _SLAB)
        estimates[part] = evaluate(system.dual, targets[part], drift[part], n_jobs=n_jobs)
    estimates[is_too_far(system, targets, n_jobs)] = np.nan
    return estimates


def solve_system(
    system: System, targets: Floats, drift: Floats, *, n_jobs: int, keep_weights: bool = False
) -> Solution:
    """Return estimates with variances; those of a global system are of the local one."""
    solution = solve(
        system.local, targets, target_drift=drift, keep_weights=keep_weights, n_jobs=n_jobs
    )
    if system.dual is None:
        return solution
    return replace(solution, estimates=estimate(system, targets, drift, n_jobs=n_jobs))


def is_too_far(system: System, targets: Floats, n_jobs: int) -> NDArray[np.bool_]:
    """Tell which targets have no sample within the search."""
    search = system.local.search
    if not np.isfinite(search.max_distance):
        return np.zeros(len(targets), dtype=bool)
    nearest = replace(search, n_neighbours=search.min_neighbours, sectors=1, n_per_group=None)
    found = find_neighbours(system.local.tree, targets, nearest, n_jobs=n_jobs)
    return np.asarray(found[:, 0] < 0)


def rows_of_neighbours(system: System, neighbours: Whole) -> Whole:
    """Return the rows of the user's table for places in the samples; -1 stays."""
    return np.where(neighbours >= 0, system.samples.rows[neighbours], -1)
