"""How alike two places are: nested, anisotropic variogram and covariance models.

The nugget, kinds, sills, ranges and angles of a model come in; variograms and covariances of any
offsets between two points go out.

Sources
-------
Chiles & Delfiner (2012), Geostatistics: Modeling Spatial Uncertainty, 2nd ed., Wiley,
doi:10.1002/9781118136188 (the models, where each is valid, generalised covariances).
Goovaerts (1997), Geostatistics for Natural Resources Evaluation, Oxford University Press (nested
anisotropic structures, practical ranges).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, kv

from gossan._checks import check_option

__all__ = ["KINDS", "Structure", "VariogramModel"]

KINDS = ("spherical", "exponential", "gaussian", "matern", "cubic", "power", "hole_effect")
COMPACT_KINDS = ("spherical", "cubic")  # no covariance beyond the range
LEAST_SMOOTHNESS, MOST_SMOOTHNESS = 0.05, 50.0  # rougher: a nugget; smoother: the Gaussian


@dataclass(frozen=True)
class Structure:
    """One structure of a variogram: its kind, the variance it adds, its ranges and directions.

    Parameters
    ----------
    kind : str
        One of "spherical", "exponential", "gaussian", "matern", "cubic", "power", "hole_effect".
        All are valid in one to three dimensions. With h the distance over the range: spherical
        1 - 1.5 h + 0.5 h³ and cubic 1 - 7 h² + 8.75 h³ - 3.5 h⁵ + 0.75 h⁷ to h = 1 and 0 beyond;
        exponential exp(-3 h); gaussian exp(-3 h²), so smooth that it needs a nugget; matern of
        smoothness `shape`, 0.05 at h = 1; hole_effect sin(πh)/(πh), whose variogram first crosses
        the sill at the range. "power" is a variogram h**shape without a sill (intrinsic only): it
        serves ordinary and universal, never simple kriging.
    sill : float
        Variance the structure adds, in squared units of the values; of "power", its variogram at
        the range.
    ranges : float or tuple of 1, 2 or 3 floats
        Practical ranges [m]: one for all directions, (major, minor) in 2D, or (major, semi, minor)
        in 3D. For zonal anisotropy give a range far longer than the field.
    angles : tuple of three floats, default (0, 0, 0)
        Azimuth (clockwise from north) and dip (negative downwards) of the major axis, and rake
        about it [degrees].
    shape : float, default 1.0
        Smoothness of "matern" (above 0.05, where 0.5 is exponential, to 50), exponent of "power"
        (0 to 2, exclusive); others ignore it.

    Raises
    ------
    ValueError
        If the kind is unknown, a range is not positive, the sill negative, an angle not finite, or
        the shape outside of what is valid.

    Examples
    --------
    >>> along = Structure("spherical", 2.0, (100.0, 50.0), angles=(90.0, 0.0, 0.0))
    >>> along.covariance([[50.0, 0.0], [0.0, 50.0]])  # the major axis points east
    array([0.625, 0.   ])
    """

    kind: str
    sill: float
    ranges: tuple[float, ...]
    angles: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shape: float = 1.0

    def __post_init__(self) -> None:
        check_option("kind", self.kind, KINDS)
        object.__setattr__(self, "sill", _check_variance(f"Sill of the {self.kind}", self.sill))
        object.__setattr__(self, "ranges", _check_ranges(self.ranges))
        object.__setattr__(self, "angles", _check_angles(self.angles))
        object.__setattr__(self, "shape", _check_shape(self.kind, self.shape))

    def transform(self, n_dims: int) -> NDArray[np.float64]:
        """Matrix that turns offsets into distances over the ranges: `norm(offsets @ matrix.T)`.

        Parameters
        ----------
        n_dims : int
            2 for (easting, northing), 3 for (easting, northing, elevation).

        Returns
        -------
        matrix : array of shape (n_dims, n_dims) [1/m]
            Rows are the unit vectors of the major, (semi) and minor axes over their ranges.

        Raises
        ------
        ValueError
            If the ranges or the dip do not suit that number of dimensions.
        """
        ranges = _ranges_in(self.ranges, self.angles, n_dims)
        return anisotropy_axes(self.angles, n_dims) / np.array(ranges)[:, None]

    def reduced_distance(self, offsets: ArrayLike) -> NDArray[np.float64]:
        """Distances over the ranges of the structure; `offsets` have shape (..., 2 or 3) [m]."""
        steps = _check_offsets(offsets)
        return np.sqrt(((steps @ self.transform(steps.shape[-1]).T) ** 2).sum(axis=-1))

    def covariance(self, offsets: ArrayLike) -> NDArray[np.float64]:
        """Covariance of two places that lie `offsets` (..., 2 or 3) [m] apart.

        Raises
        ------
        ValueError
            If the structure has no covariance ("power").
        """
        if self.kind == "power":
            raise ValueError(
                f"A power structure has no covariance, got {self}. Use its variogram, or fit a model"
                " with a sill."
            )
        return self.sill * correlation(self.kind, self.reduced_distance(offsets), self.shape)

    def variogram(self, offsets: ArrayLike) -> NDArray[np.float64]:
        """Half the mean squared difference of two places `offsets` (..., 2 or 3) [m] apart."""
        distance = self.reduced_distance(offsets)
        if self.kind == "power":
            return self.sill * distance**self.shape
        return self.sill * (1.0 - correlation(self.kind, distance, self.shape))

    def __str__(self) -> str:
        ranges = " x ".join(f"{value:g}" for value in self.ranges)
        words = f"{self.sill:.4g} {self.kind} ({ranges} m"
        if len(self.ranges) > 1:
            words += ", azimuth {:g}, dip {:g}, rake {:g}".format(*self.angles)
        if self.kind in ("matern", "power"):
            words += f", shape {self.shape:g}"
        return words + ")"


@dataclass(frozen=True)
class VariogramModel:
    """A nugget and nested structures: the whole model of how a variable varies in space.

    Parameters
    ----------
    nugget : float
        Variance at no distance: of the samples, and of what is finer than their spacing, in
        squared units of the values.
    structures : Structure or sequence of Structure, default ()
        They add up; none is a pure nugget.

    Raises
    ------
    ValueError
        If the nugget is negative, or nothing has a variance.
    TypeError
        If a structure is not a `Structure`.

    Examples
    --------
    >>> model = VariogramModel(0.2, (Structure("spherical", 0.8, 100.0),))
    >>> print(model)
    0.2 nugget + 0.8 spherical (100 m)
    >>> model.variogram([[0.0, 0.0], [0.0, 50.0], [0.0, 500.0]])
    array([0.  , 0.75, 1.  ])
    """

    nugget: float
    structures: tuple[Structure, ...] = ()

    def __post_init__(self) -> None:
        given: Structure | Iterable[Structure] = self.structures
        structures = (given,) if isinstance(given, Structure) else tuple(given)
        for structure in structures:
            if not isinstance(structure, Structure):
                raise TypeError(
                    f"Structures must be Structure records, got {structure!r}."
                    " Write Structure('spherical', sill, ranges)."
                )
        object.__setattr__(self, "nugget", _check_variance("Nugget", self.nugget))
        object.__setattr__(self, "structures", structures)
        if self.nugget + sum(structure.sill for structure in structures) <= 0:
            raise ValueError(
                f"The model has no variance: nugget {self.nugget:g}, {len(structures)} structures"
                " without a sill. Give the nugget or a sill above zero."
            )

    @property
    def sill(self) -> float:
        """Variance far away: the nugget and all sills; infinite with a power structure."""
        if not self.is_stationary:
            return math.inf
        return self.nugget + sum(structure.sill for structure in self.structures)

    @property
    def is_stationary(self) -> bool:
        """Whether the model has a covariance (no power structure)."""
        return all(structure.kind != "power" for structure in self.structures)

    @property
    def is_compact(self) -> bool:
        """Whether covariances are exactly zero beyond the longest range."""
        return all(structure.kind in COMPACT_KINDS for structure in self.structures)

    def variogram(self, offsets: ArrayLike) -> NDArray[np.float64]:
        """Half the mean squared difference of two samples `offsets` (..., 2 or 3) [m] apart.

        Zero at no offset, at least the nugget at any other.
        """
        steps = _check_offsets(offsets)
        total = self.nugget * (steps != 0).any(axis=-1)
        return np.asarray(total + sum(each.variogram(steps) for each in self.structures))

    def covariance(self, offsets: ArrayLike) -> NDArray[np.float64]:
        """Covariance of two samples `offsets` (..., 2 or 3) [m] apart; the sill at no offset.

        Raises
        ------
        ValueError
            If a structure has no covariance ("power").
        """
        steps = _check_offsets(offsets)
        total = self.nugget * (steps == 0).all(axis=-1)
        return np.asarray(total + sum(each.covariance(steps) for each in self.structures))

    def scaled(self, factor: float) -> VariogramModel:
        """Same shape with all variances times `factor` (> 0), as for values in another unit."""
        if not (math.isfinite(factor) and factor > 0):
            raise ValueError(
                f"factor must be positive, got {factor}. Pass the new variance over the old one."
            )
        structures = tuple(replace(each, sill=each.sill * factor) for each in self.structures)
        return VariogramModel(self.nugget * factor, structures)

    def __str__(self) -> str:
        parts = [f"{self.nugget:.4g} nugget"] if self.nugget or not self.structures else []
        return " + ".join([*parts, *map(str, self.structures)])


def anisotropy_axes(angles: Iterable[float], n_dims: int) -> NDArray[np.float64]:
    """Unit vectors of the major, (semi) and minor axes as rows (easting, northing[, elevation]).

    Parameters
    ----------
    angles : three floats
        Azimuth clockwise from north, dip (negative downwards) of the major axis, rake about it
        [degrees]. In 2D only the azimuth counts.
    n_dims : int
        2 or 3.

    Examples
    --------
    >>> anisotropy_axes((0.0, 0.0, 0.0), 3)
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 1.]])
    """
    azimuth, dip, rake = np.deg2rad(np.array(tuple(angles), dtype=float))
    if n_dims == 2:
        north, east = np.cos(azimuth), np.sin(azimuth)
        return np.array([[east, north], [north, -east]]) + 0.0
    flat = np.cos(dip)
    major = np.array([np.sin(azimuth) * flat, np.cos(azimuth) * flat, np.sin(dip)])
    across = np.array([np.cos(azimuth), -np.sin(azimuth), 0.0])
    above = np.cross(across, major)
    semi = np.cos(rake) * across + np.sin(rake) * above
    minor = -np.sin(rake) * across + np.cos(rake) * above
    return np.array([major, semi, minor]) + 0.0  # no negative zeros


def correlation(kind: str, distance: NDArray, shape: float = 1.0) -> NDArray[np.float64]:
    """Correlation of a `kind` other than "power" at distances over the range."""
    if kind == "matern":
        return matern_correlation(matern_scale(shape) * distance, shape)
    return _CORRELATIONS[kind](distance)


def matern_correlation(x: NDArray, smoothness: float) -> NDArray[np.float64]:
    """Matern correlation 2^(1-s)/Γ(s) x^s K_s(x) at `x`, distances over the scale."""
    x = np.asarray(x, dtype=float)
    safe = np.where(x > 0, x, 1.0)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        logs = (1 - smoothness) * math.log(2) - gammaln(smoothness) + smoothness * np.log(safe)
        values = np.exp(logs) * kv(smoothness, safe)
    # kv overflows only where the correlation is one to the last digit
    return np.where((x > 0) & np.isfinite(values), np.minimum(values, 1.0), 1.0)


@lru_cache(maxsize=256)
def matern_scale(smoothness: float) -> float:
    """Number by which a distance over the practical range is multiplied: 0.05 is left at 1."""

    def excess(x: float) -> float:
        return float(matern_correlation(np.array(x), smoothness)) - 0.05

    return float(brentq(excess, 1e-6, 200.0, xtol=1e-13))


def _spherical(h: NDArray) -> NDArray:
    h = np.minimum(h, 1.0)
    return 1.0 - h * (1.5 - 0.5 * h * h)


def _cubic(h: NDArray) -> NDArray:
    h = np.minimum(h, 1.0)
    return 1.0 - h * h * (7.0 - h * (8.75 - h * h * (3.5 - 0.75 * h * h)))


_CORRELATIONS: dict[str, Callable[[NDArray], NDArray]] = {
    "spherical": _spherical,
    "cubic": _cubic,
    "exponential": lambda h: np.exp(-3.0 * h),
    "gaussian": lambda h: np.exp(-3.0 * h * h),
    "hole_effect": np.sinc,
}


def _check_variance(name: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(
            f"{name} must be zero or more, got {value}. Check the units of the values or fit it."
        )
    return float(value)


def _check_ranges(ranges: float | Iterable[float]) -> tuple[float, ...]:
    given = np.atleast_1d(np.asarray(ranges, dtype=float))
    if given.ndim != 1 or not 1 <= len(given) <= 3:
        raise ValueError(
            f"Ranges must be one to three numbers, got {ranges!r}. Write (major,),"
            " (major, minor) in 2D or (major, semi, minor) in 3D."
        )
    if not (np.isfinite(given) & (given > 0)).all():
        raise ValueError(
            f"Ranges must be positive [m], got {tuple(given.tolist())}. For zonal anisotropy give a"
            " range far longer than the field."
        )
    return tuple(given.tolist())


def _check_angles(angles: Iterable[float]) -> tuple[float, float, float]:
    given = tuple(float(angle) for angle in angles)
    if len(given) != 3 or not all(map(math.isfinite, given)):
        raise ValueError(
            f"Angles must be azimuth, dip and rake [degrees], got {given}. Write 0.0 for those not"
            " needed."
        )
    return given[0], given[1], given[2]


def _check_shape(kind: str, shape: float) -> float:
    least = LEAST_SMOOTHNESS if kind == "matern" else 0.0
    most = {"power": 2.0, "matern": MOST_SMOOTHNESS}.get(kind, math.inf)
    if not least < shape < most:
        raise ValueError(
            f"Shape of a {kind} structure must lie between {least:g} and {most:g}, got {shape}. Take"
            " 1.0, or the gaussian kind for a very smooth variable."
        )
    return float(shape)


def _check_offsets(offsets: ArrayLike) -> NDArray[np.float64]:
    steps = np.asarray(offsets, dtype=float)
    if steps.ndim < 1 or steps.shape[-1] not in (2, 3):
        raise ValueError(
            f"Offsets must have shape (..., 2) or (..., 3) [m], got {steps.shape}. Subtract the"
            " coordinates of the two points; for a distance h write (h, 0)."
        )
    return steps


def _ranges_in(
    ranges: tuple[float, ...], angles: tuple[float, float, float], n_dims: int
) -> tuple[float, ...]:
    """Return a range for each of `n_dims` axes, or say why the model does not suit the data."""
    if len(ranges) == 1:
        return ranges * n_dims
    if len(ranges) != n_dims:
        raise ValueError(
            f"A structure with ranges {ranges} does not suit coordinates in {n_dims}D. Give one"
            f" range, or {n_dims}."
        )
    if n_dims == 2 and (angles[1] or angles[2]):
        raise ValueError(f"Dip and rake must be 0 in 2D, got {angles[1:]}. Give the azimuth alone.")
    return ranges
