"""Gaussian random fields with a given covariance: sums of waves at any points, Fourier on grids.

A stationary `VariogramModel` and places come in; realisations with mean zero go out. The nugget is
left to the caller: it belongs to samples, not to places.

Sources
-------
Shinozuka & Jan (1972), Digital simulation of random processes and its applications, Journal of
Sound and Vibration 25, 111-128, doi:10.1016/0022-460X(72)90600-1 (waves).
Lantuejoul (2002), Geostatistical Simulation, Springer, doi:10.1007/978-3-662-04808-5 (spectra of
the models).
Dietrich & Newsam (1997), Fast and exact simulation of stationary Gaussian processes through
circulant embedding of the covariance matrix, SIAM Journal on Scientific Computing 18, 1088-1107,
doi:10.1137/S1064827592240555 (grids).
"""

from __future__ import annotations

import warnings
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fftn, next_fast_len

from gossan._checks import GossanWarning
from gossan.geostat.covariance import Structure, VariogramModel, correlation, matern_scale

Floats = NDArray[np.float64]

_CHUNK = 2_000_000  # cosines at a time
_MOST_NODES = 200_000_000  # of the torus around a grid
_CUBIC_WAVES = np.linspace(0.0, 400.0, 8001)  # beyond lies less than 1e-6 of the cubic spectrum


def check_simulable(model: VariogramModel) -> None:
    """Raise unless the model has a covariance to simulate from."""
    if not model.is_stationary:
        raise ValueError(
            f"A field can only be simulated from a model with a sill, got {model}. Replace the"
            " power structure by one with a range."
        )


def field_at_points(
    points: Floats, model: VariogramModel, rng: np.random.Generator, *, n_waves: int
) -> Floats:
    """One realisation (n,) of the structures of `model` at points (n, 2 or 3), as a sum of waves.

    The covariance is exact in the mean over realisations; the values are normal the better, the
    more waves there are.
    """
    field = np.zeros(len(points))
    for structure in model.structures:
        if structure.sill == 0:
            continue
        turned = points @ structure.transform(points.shape[1]).T
        waves = random_waves(structure, n_waves, rng)[:, : points.shape[1]]
        phases = rng.uniform(0.0, 2 * np.pi, n_waves)
        # a height and a phase as of Box and Muller: each wave alone is normal, and so is their sum
        heights = np.sqrt(-2 * structure.sill / n_waves * np.log1p(-rng.uniform(size=n_waves)))
        step = max(1, _CHUNK // n_waves)
        for start in range(0, len(points), step):
            angles = turned[start : start + step] @ waves.T
            angles += phases
            field[start : start + step] += np.cos(angles, out=angles) @ heights
    return field


def random_waves(structure: Structure, n: int, rng: np.random.Generator) -> Floats:
    """Wave vectors (n, 3) [radians per range], drawn from the spectrum of a structure in 3D."""
    normal = rng.standard_normal((n, 3))
    if structure.kind == "gaussian":
        return normal * np.sqrt(6.0)
    if structure.kind in ("exponential", "matern"):
        smoothness = 0.5 if structure.kind == "exponential" else structure.shape
        scale = 3.0 if structure.kind == "exponential" else matern_scale(smoothness)
        return normal * scale / np.sqrt(rng.chisquare(2 * smoothness, n))[:, None]
    lengths = {
        "spherical": _spherical_lengths,
        "cubic": _cubic_lengths,
        "hole_effect": lambda n, _: np.full(n, np.pi),
    }[structure.kind](n, rng)
    return normal / np.linalg.norm(normal, axis=1)[:, None] * lengths[:, None]


def _spherical_lengths(n: int, rng: np.random.Generator) -> Floats:
    """Draw wave numbers of the spherical model, whose density is that of j1(k / 2)².

    By rejection, below the smaller of 0.2 and 1.2 / b² (j1² stays under both).
    """
    kept: list[float] = []
    corner = np.sqrt(1.2 / 0.2)
    while len(kept) < n:
        # half of the mass under the bound lies before the corner, half behind it
        u = rng.uniform(size=2 * n)
        half = np.where(u < 0.5, 2 * u * corner, corner / np.maximum(2 * (1 - u), 1e-12))
        bound = np.minimum(0.2, 1.2 / np.maximum(half, 1e-12) ** 2)
        bessel = np.sin(half) / np.maximum(half, 1e-3) ** 2 - np.cos(half) / np.maximum(half, 1e-3)
        bessel = np.where(half < 1e-3, half / 3, bessel)
        kept += (2 * half[rng.uniform(size=2 * n) * bound < bessel**2]).tolist()
    return np.array(kept[:n])


def _cubic_lengths(n: int, rng: np.random.Generator) -> Floats:
    return np.interp(rng.uniform(size=n), _cubic_distribution(), _CUBIC_WAVES)


@lru_cache(maxsize=1)
def _cubic_distribution() -> Floats:
    """Distribution function of the wave numbers of the cubic model in 3D.

    Its density is 2 k / π times the integral of r C(r) sin(k r) from 0 to 1.
    """
    nodes, weights = np.polynomial.legendre.leggauss(400)
    r = (nodes + 1) / 2
    moments = weights / 2 * r * correlation("cubic", r)
    density = 2 * _CUBIC_WAVES / np.pi * (np.sin(np.outer(_CUBIC_WAVES, r)) @ moments)
    total = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.maximum.accumulate(total / total[-1])


def field_on_grid(
    shape: tuple[int, ...],
    spacing: tuple[float, ...],
    model: VariogramModel,
    rng: np.random.Generator,
) -> Floats:
    """One realisation of the structures of `model` on a grid, exact wherever a torus allows.

    `shape` and `spacing` [m] are of (northing, easting) or (elevation, northing, easting).
    """
    roots = torus_roots(shape, spacing, model)
    noise = rng.standard_normal((2, *roots.shape))
    field = fftn(roots * (noise[0] + 1j * noise[1])).real
    return field[tuple(slice(n) for n in shape)]


def torus_roots(
    shape: tuple[int, ...], spacing: tuple[float, ...], model: VariogramModel
) -> Floats:
    """Square roots of the eigenvalues of the covariance on a torus around the grid.

    The torus grows until none is negative; what is left of negative ones is set to zero, and
    warned of where it is more than a thousandth of the variance.
    """
    reach = max((max(each.ranges) for each in model.structures), default=0.0)
    for growth in (1.0, 2.0, 4.0):
        size = tuple(
            next_fast_len(int(np.ceil(n + growth * min(n + 1, reach / step + 2))))
            for n, step in zip(shape, spacing, strict=True)
        )
        if growth > 1 and np.prod(size, dtype=float) > _MOST_NODES:
            break
        eigenvalues = fftn(_torus_covariance(size, spacing, model)).real
        negative = -eigenvalues[eigenvalues < 0].sum() / np.abs(eigenvalues).sum()
        if negative < 1e-9:
            break
    if negative > 1e-3:
        warnings.warn(
            f"The grid is short beside the ranges: {negative:.1%} of the covariance on the torus"
            " around it is negative and was left out. Simulate at points instead, or on a larger"
            " grid.",
            GossanWarning,
            stacklevel=4,
        )
    return np.sqrt(np.maximum(eigenvalues, 0.0) / eigenvalues.size)


def _torus_covariance(
    size: tuple[int, ...], spacing: tuple[float, ...], model: VariogramModel
) -> Floats:
    steps = [np.fft.fftfreq(n) * n * step for n, step in zip(size, spacing, strict=True)]
    # axes are (elevation, northing, easting), offsets (easting, northing, elevation)
    offsets = np.stack(np.meshgrid(*steps, indexing="ij")[::-1], axis=-1)
    return np.asarray(sum(each.covariance(offsets) for each in model.structures), dtype=float)
