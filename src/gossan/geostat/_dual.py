"""Exact global kriging in its dual form: every sample speaks for every target, at the cost of few.

Samples and a model come in; the system is factorised once, for all variables, and estimates at any
number of targets go out. Leaving out samples or whole holes costs no new factorisation.

Sources
-------
Chiles & Delfiner (2012), Geostatistics, 2nd ed., section 3.4.8, doi:10.1002/9781118136188.
Dubrule (1983), Cross validation of kriging in a unique neighborhood, Mathematical Geology 15,
687-699, doi:10.1007/BF01033232.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, lapack

from gossan._checks import GossanWarning
from gossan.geostat._local import Support, Trend
from gossan.geostat._packed import PackedModel, fill_covariances, in_three_dimensions, pack_model
from gossan.geostat._pivoted import monomials
from gossan.geostat._samples import Floats, Samples, Whole
from gossan.geostat._search import run_chunks
from gossan.geostat._tiles import Sources, sum_covariances
from gossan.geostat.covariance import COMPACT_KINDS, VariogramModel, correlation

MOST_SAMPLES = 20_000
_ROWS, _SLAB = 64, 1024  # rows of the covariance matrix filled, and of its inverse, at a time
_NEGLIGIBLE = 1e-10  # of the standard deviation: samples that add less are passed over
_JITTERS = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6)  # of the variance
_LEAST_DRIFT = 1e-10  # of the largest eigenvalue: below, a drift cannot be told from the others


@dataclass(frozen=True)
class DualSystem:
    """The factorised system, as what it needs at a target."""

    samples: Samples
    packed: PackedModel
    trend: Trend
    support: Support
    coefficients: Floats  # (n, n_variables)
    slopes: Floats  # (p, n_variables) of the drift functions
    unknown: Floats  # (p, r) combinations of drift functions that the samples cannot tell
    reach: Floats  # (s,)
    drift_centre: Floats  # (n_external,)
    drift_scale: Floats  # (n_external,)


@dataclass(frozen=True)
class LeftOut:
    """Estimates of the samples without their own fold."""

    estimates: Floats  # (n, n_variables)
    variances: Floats  # (n,) of the observed value


def dual_system(
    samples: Samples,
    model: VariogramModel,
    *,
    trend: Trend | None = None,
    support: Support | None = None,
    n_jobs: int = 1,
) -> DualSystem:
    """Return the factorised system of all `samples`.

    Raises
    ------
    ValueError
        If there are more than 20 000 samples, or their covariances cannot be factorised.
    """
    trend, support = trend or Trend(), support or Support()
    check_size(len(samples.rows))
    packed = pack_model(model, samples.n_dims, samples.extent)
    centre, scale = _drift_scale(samples.drift)
    functions = _functions(samples, trend, samples.coords, samples.drift, centre, scale)
    values = samples.values - (0.0 if trend.means is None else trend.means)
    factor = _factor(packed, samples, n_jobs)
    solved = cho_solve((factor, True), np.hstack([values, functions]), check_finite=False)
    n_variables = values.shape[1]
    on_values, on_drift = solved[:, :n_variables], solved[:, n_variables:]
    inverse, unknown = _pseudo_inverse(functions.T @ on_drift)
    slopes = inverse @ (functions.T @ on_values)
    coefficients = on_values - on_drift @ slopes
    reach = _reach(model, coefficients, samples.values)
    return DualSystem(
        samples,
        packed,
        trend,
        support,
        np.ascontiguousarray(coefficients),
        slopes,
        unknown,
        reach,
        centre,
        scale,
    )


def check_size(n: int) -> None:
    """Refuse more samples than the cube of their number allows."""
    if n > MOST_SAMPLES:
        raise ValueError(
            f"Exact global kriging of {n} samples would need {8e-9 * n * n:.0f} GB and the cube of"
            f" their number in time; the limit is {MOST_SAMPLES}. Composite the samples, or set"
            " n_neighbours."
        )


def evaluate(
    system: DualSystem, targets: Floats, target_drift: Floats | None = None, *, n_jobs: int = 1
) -> Floats:
    """Return the estimates (m, n_variables) at `targets` (m, n_dims), centred like the samples."""
    samples, support = system.samples, system.support
    block = np.zeros((1, 3)) if support.block is None else support.block
    is_exact = support.is_exact and support.block is None
    micro = samples.micro if is_exact else np.zeros_like(samples.micro)
    sources = Sources(
        samples.points, system.coefficients, micro, block, system.reach, samples.tolerance**2
    )
    places = in_three_dimensions(targets)
    estimates = sum_covariances(system.packed, sources, places, n_jobs=n_jobs)
    if system.trend.means is not None:
        estimates += system.trend.means
    drift = np.zeros((len(targets), 0)) if target_drift is None else target_drift
    functions = _target_functions(system, targets, drift, block)
    estimates += functions @ system.slopes
    if system.unknown.shape[1]:
        is_unknown = (np.abs(functions @ system.unknown) > 1e-6).any(axis=1)
        estimates[is_unknown] = np.nan
    return estimates


def leave_out(
    samples: Samples,
    model: VariogramModel,
    folds: Whole,
    *,
    trend: Trend | None = None,
    n_jobs: int = 1,
) -> LeftOut:
    """Return the estimate of each sample from those of the other folds (Dubrule 1983).

    With P the inverse of the covariances freed from the drift, the errors of a fold are
    P_ff⁻¹ (P y)_f and P_ff⁻¹ is their covariance: one inverse for all folds. A fold without which
    the drift is not known is NaN.
    """
    trend = trend or Trend()
    check_size(len(samples.rows))
    packed = pack_model(model, samples.n_dims, samples.extent)
    values = samples.values - (0.0 if trend.means is None else trend.means)
    functions = _functions(
        samples, trend, samples.coords, samples.drift, *_drift_scale(samples.drift)
    )
    precision = _precision(_factor(packed, samples, n_jobs), functions)
    raw = precision @ values
    estimates, variances = np.full_like(values, np.nan), np.full(len(values), np.nan)
    order = np.argsort(folds, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(folds[order])) + 1):
        part = precision[np.ix_(rows, rows)]
        if np.linalg.cond(part) < 1e11:
            estimates[rows] = samples.values[rows] - np.linalg.solve(part, raw[rows])
            variances[rows] = np.linalg.inv(part).diagonal()
    return LeftOut(estimates, variances)


def _precision(factor: Floats, functions: Floats) -> Floats:
    """Return the inverse of the covariances less what the drift functions take, full.

    Worked in place, some rows at a time: there may be gigabytes of it.
    """
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    n = len(inverse)
    for start in range(0, n, _SLAB):
        stop = min(start + _SLAB, n)
        own = np.tril(inverse[start:stop, start:stop])
        inverse[start:stop, start:stop] = own + np.tril(own, -1).T
        inverse[start:stop, stop:] = inverse[stop:, start:stop].T
    on_drift = inverse @ functions
    gram, _ = _pseudo_inverse(functions.T @ on_drift)
    for start in range(0, n, _SLAB):
        inverse[start : start + _SLAB] -= on_drift[start : start + _SLAB] @ gram @ on_drift.T
    return np.asarray(inverse)


def _factor(packed: PackedModel, samples: Samples, n_jobs: int) -> Floats:
    """Return the lower Cholesky factor; a matrix that is singular to rounding gets a warned jitter."""
    variance = packed.structural + packed.nugget
    for jitter in (0.0, *_JITTERS):
        matrix = _covariances(packed, samples, n_jobs)
        matrix[np.diag_indices_from(matrix)] += jitter * variance
        factor, failed = lapack.dpotrf(matrix.T, lower=1, overwrite_a=1, clean=0)
        if not failed and _is_sound(factor, variance):
            if jitter:
                warnings.warn(
                    "The covariances of the samples are singular to rounding; a nugget of"
                    f" {jitter:g} of the variance was added. Give the model a small nugget.",
                    GossanWarning,
                    stacklevel=6,
                )
            return np.asarray(factor)
    raise ValueError(
        f"The covariances of {len(samples.rows)} samples cannot be factorised, even with a nugget of"
        f" {_JITTERS[-1]:g} of the variance. Give the model a larger nugget, or set n_neighbours."
    )


def _is_sound(factor: Floats, variance: float) -> bool:
    """Tell whether the least pivot is far enough from rounding."""
    return bool(factor.diagonal().min() ** 2 > 1e-12 * variance)


def _covariances(packed: PackedModel, samples: Samples, n_jobs: int) -> Floats:
    n = len(samples.points)
    matrix = np.empty((n, n))

    def work(start: int) -> None:
        last = min(start + _ROWS, n)
        fill_covariances(
            packed, samples.points[start:last], samples.points, 0, last - start, matrix[start:last]
        )

    run_chunks(work, n, _ROWS, n_jobs)
    matrix[np.diag_indices(n)] += samples.micro + samples.noise
    return matrix


def _pseudo_inverse(gram: Floats) -> tuple[Floats, Floats]:
    """Return the inverse of a drift matrix on what is known, and the combinations that are not."""
    if not len(gram):
        return gram, gram
    size = np.sqrt(np.maximum(gram.diagonal(), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(gram / np.outer(size, size))
    known = values > _LEAST_DRIFT * values[-1]
    vectors = vectors / size[:, None]
    inverse = (vectors[:, known] / values[known]) @ vectors[:, known].T
    lost = vectors[:, ~known]
    return inverse, lost / np.sqrt((lost**2).sum(axis=0))


def _reach(model: VariogramModel, coefficients: Floats, values: Floats) -> Floats:
    """Return the distance over range beyond which a structure adds nothing worth a digit."""
    spread = values.std(axis=0)
    loudest = np.abs(coefficients).sum(axis=0) / np.where(spread > 0, spread, np.inf)
    h = np.linspace(0.0, 60.0, 6001)
    reach = np.full(len(model.structures), np.inf)
    for s, each in enumerate(model.structures):
        if each.kind in COMPACT_KINDS:
            reach[s] = 1.0
        elif each.kind in ("exponential", "gaussian", "matern"):
            left = each.sill * correlation(each.kind, h, each.shape) * loudest.max()
            quiet = np.flatnonzero(left <= _NEGLIGIBLE)
            reach[s] = h[quiet[0]] if len(quiet) else np.inf
    return reach


def _drift_scale(drift: Floats) -> tuple[Floats, Floats]:
    centre = drift.mean(axis=0)
    spread = np.abs(drift - centre).max(axis=0, initial=0.0)
    return centre, np.where(spread > 0, spread, 1.0)


def _functions(  # noqa: PLR0917
    samples: Samples, trend: Trend, coords: Floats, drift: Floats, centre: Floats, scale: Floats
) -> Floats:
    """Return the drift functions (m, p) at any coordinates; all are near one in size."""
    if trend.is_simple:
        return np.zeros((len(coords), 0))
    size = np.abs(samples.coords).max() or 1.0
    return np.hstack([monomials(coords / size, trend.order), (drift - centre) / scale])


def _target_functions(system: DualSystem, targets: Floats, drift: Floats, block: NDArray) -> Floats:
    """Return the drift functions at the targets, averaged over the points of a block."""
    parts = [
        _functions(
            system.samples,
            system.trend,
            targets + offset[: targets.shape[1]],
            drift,
            system.drift_centre,
            system.drift_scale,
        )
        for offset in (block if system.trend.order > 1 else block.mean(axis=0)[None])
    ]
    return np.asarray(sum(parts) / len(parts))
