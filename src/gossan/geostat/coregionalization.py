"""How several variables vary together in space: the linear model of coregionalization.

Coordinates [m] and values of several variables at the samples come in; nested structures, each with
a positive semi-definite matrix of sills, go out.

Sources
-------
Goulard & Voltz (1992), Linear coregionalization model: tools for estimation and choice of
cross-variogram matrix, Mathematical Geology 24, 269-286, doi:10.1007/BF00893750 (the fit).
Wackernagel (2003), Multivariate Geostatistics, 3rd ed., Springer, doi:10.1007/978-3-662-05294-5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan._checks import check_positive, check_random_state
from gossan.geostat._columns import read_values
from gossan.geostat.covariance import Structure, VariogramModel

__all__ = ["Coregionalization", "fit_coregionalization"]

Floats = NDArray[np.float64]

MOST_SWEEPS = 500
N_RANGES = 10  # tried where no structures are given
ROUNDING = 1e-9  # eigenvalue below zero, over the largest, that is rounding


@dataclass(frozen=True, eq=False)
class Coregionalization:
    """A linear model of coregionalization: each structure has a matrix of sills.

    The cross-variogram of variables i and j is nugget[i, j] + sum of sills[u, i, j] g_u(h); as each
    matrix is positive semi-definite, so is the whole model in all directions.

    Parameters
    ----------
    nugget : array of shape (n_variables, n_variables)
        Sills at no distance, in products of the units of the values.
    structures : sequence of Structure
        Shapes; their own sills are set to one.
    sills : array of shape (n_structures, n_variables, n_variables)
        Sill matrix of each structure.
    fit_error : float
        Root mean square of the misfit over the variances; NaN if not fitted.

    Raises
    ------
    ValueError
        If a matrix has another shape, is not symmetric, or is not positive semi-definite.

    Examples
    --------
    >>> shape = Structure("spherical", 1.0, 100.0)
    >>> model = Coregionalization(np.zeros((2, 2)), (shape,), [[[1.0, 0.6], [0.6, 4.0]]])
    >>> model.covariance([50.0, 0.0])
    array([[0.3125, 0.1875],
           [0.1875, 1.25  ]])
    """

    nugget: Floats
    structures: tuple[Structure, ...]
    sills: Floats
    fit_error: float = float("nan")

    def __post_init__(self) -> None:
        shapes = tuple(replace(each, sill=1.0) for each in self.structures)
        nugget = np.array(self.nugget, dtype=float)
        n = len(nugget) if nugget.ndim else 0
        sills = np.array(self.sills, dtype=float).reshape(-1, *np.shape(self.sills)[1:])
        if nugget.shape != (n, n) or sills.shape != (len(shapes), n, n) or not n:
            raise ValueError(
                f"Sills must have shape ({len(shapes)}, {n}, {n}) and the nugget ({n}, {n}), got"
                f" {sills.shape} and {nugget.shape}. Give a square matrix for each structure."
            )
        for name, matrix in zip(["nugget", *map(str, shapes)], [nugget, *sills], strict=True):
            _check_semidefinite(name, matrix)
        object.__setattr__(self, "structures", shapes)
        object.__setattr__(self, "nugget", nugget)
        object.__setattr__(self, "sills", sills)

    @property
    def n_variables(self) -> int:
        """Number of variables."""
        return len(self.nugget)

    @property
    def sill(self) -> Floats:
        """Covariance matrix of the variables at one place, nugget included."""
        return self.nugget + self.sills.sum(axis=0)

    @property
    def correlation(self) -> Floats:
        """Correlation of the variables at one place; NaN for one without variance."""
        spread = np.sqrt(np.diag(self.sill))
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.sill / np.outer(spread, spread)

    def covariance(self, offsets: ArrayLike) -> Floats:
        """Covariances of all pairs of variables at two places, shape (..., p, p).

        `offsets` have shape (..., 2 or 3) [m]; at no offset the nugget is part of it.
        """
        steps = np.asarray(offsets, dtype=float)
        at_once = (steps == 0).all(axis=-1)[..., None, None]
        total = self.nugget * at_once
        for shape, sills in zip(self.structures, self.sills, strict=True):
            total = total + shape.covariance(steps)[..., None, None] * sills
        return np.asarray(total)

    def variogram(self, offsets: ArrayLike) -> Floats:
        """Direct and cross-variograms, shape (..., p, p), of places `offsets` (..., 2 or 3) apart."""
        steps = np.asarray(offsets, dtype=float)
        total = self.nugget * (steps != 0).any(axis=-1)[..., None, None]
        for shape, sills in zip(self.structures, self.sills, strict=True):
            total = total + shape.variogram(steps)[..., None, None] * sills
        return np.asarray(total)

    def model(self, variable: int) -> VariogramModel:
        """Variogram model of one variable alone, by its number."""
        own = zip(self.structures, self.sills[:, variable, variable], strict=True)
        return VariogramModel(
            float(self.nugget[variable, variable]),
            tuple(replace(shape, sill=float(sill)) for shape, sill in own),
        )


@dataclass(frozen=True)
class _Binned:
    """Means over the pairs of samples in each bin of distance and direction."""

    products: Floats  # (n_bins, p, p), half the mean products of increments
    shapes: Callable[[Sequence[Structure]], Floats]  # mean variogram in each bin, a row a structure
    weights: Floats  # (n_bins,)


def fit_coregionalization(
    coords: ArrayLike,
    values: ArrayLike,
    *,
    structures: Sequence[Structure] | VariogramModel | None = None,
    max_distance: float | None = None,
    n_lags: int = 15,
    max_pairs: int = 200_000,
    random_state: int | np.random.Generator | None = 0,
) -> Coregionalization:
    """Sill matrices, each positive semi-definite, that fit all direct and cross-variograms.

    The weighted least squares of Goulard and Voltz: the sills of one structure are fitted to what
    the others leave, negative eigenvalues are set to zero, and so on in turn until nothing moves.
    Values may be in any units: they are standardised for the fit, and the sills scaled back.

    Parameters
    ----------
    coords : array of shape (n, 2) or (n, 3)
        Easting, northing and, if given, elevation of the samples [m].
    values : array of shape (n, n_variables)
        Values; a missing one is NaN, and its row serves only pairs of samples where all are known.
    structures : sequence of Structure or VariogramModel, optional
        Shapes (kind, ranges, angles); their sills do not matter. None: the best of one and of two
        spherical structures over ranges from the sample spacing to `max_distance`.
    max_distance : float, optional
        Longest pair used [m]. Default: a third of the diagonal of the field.
    n_lags : int, default 15
        Classes of distance.
    max_pairs : int, default 200 000
        Where there are more pairs, a random subset of samples serves.
    random_state : int, Generator or None, default 0
        Seed of that subset.

    Returns
    -------
    model : Coregionalization

    Raises
    ------
    ValueError
        If there are fewer than 10 rows with all values known, a variable is constant, or no pair
        lies within `max_distance`.
    """
    points, table = _known_samples(coords, values)
    spread = table.std(axis=0)
    if not (spread > 0).all():
        raise ValueError(
            f"Variable {int(np.argmin(spread))} is constant, so that it has no variogram. Leave it"
            " out."
        )
    rng = check_random_state(random_state)
    reach = _reach(points, max_distance)
    pairs = _pairs(points, reach, max_pairs, rng)
    binned = _bin(points, table / spread, pairs, n_lags, reach)
    fits = [
        (shapes, *goulard_voltz(binned.products, binned.shapes(shapes), binned.weights))
        for shapes in _candidates(structures, points, reach)
    ]
    # A second structure must earn its place.
    shapes, error, sills = min(fits, key=lambda fit: fit[1] * (1.0 + 0.03 * len(fit[0])))
    scaled = sills * np.outer(spread, spread)
    return Coregionalization(scaled[0], tuple(shapes), scaled[1:], fit_error=error)


def goulard_voltz(products: Floats, shapes: Floats, weights: Floats) -> tuple[float, Floats]:
    """Root mean square misfit, and sill matrices that minimise it, by Goulard and Voltz (1992).

    Parameters
    ----------
    products : array of shape (n_lags, p, p)
        Experimental direct and cross-variograms.
    shapes : array of shape (n_structures, n_lags)
        Variogram of each structure with a sill of one, the nugget among them.
    weights : array of shape (n_lags,)
        Weight of each lag.

    Returns
    -------
    error : float
    sills : array of shape (n_structures, p, p)
        Each positive semi-definite.
    """
    share = weights / weights.sum()
    norms = (share * shapes**2).sum(axis=1)
    weighted = shapes * share / np.where(norms > 0, norms, 1.0)[:, None]
    start = np.einsum("ul,lij->uij", weighted, products) / len(shapes)
    sills = np.array([nearest_semidefinite(each) for each in start])
    misfit = products - np.einsum("ul,uij->lij", shapes, sills)
    before = np.inf
    for _ in range(MOST_SWEEPS):
        for u, shape in enumerate(shapes):
            fitted = nearest_semidefinite(sills[u] + np.einsum("l,lij->ij", weighted[u], misfit))
            misfit -= shape[:, None, None] * (fitted - sills[u])
            sills[u] = fitted
        error = float(np.sqrt((share[:, None, None] * misfit**2).sum() / products[0].size))
        if before - error <= 1e-6 * error:
            break
        before = error
    return error, sills


def nearest_semidefinite(matrix: Floats) -> Floats:
    """Nearest positive semi-definite matrix (Frobenius): negative eigenvalues are set to zero.

    Examples
    --------
    >>> nearest_semidefinite(np.array([[1.0, 2.0], [2.0, 1.0]]))
    array([[1.5, 1.5],
           [1.5, 1.5]])
    """
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, 0.0)) @ vectors.T


def _known_samples(coords: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    points = np.asarray(coords, dtype=float)
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not np.isfinite(points).all():
        raise ValueError(
            f"coords must be finite with 2 or 3 columns [m], got shape {points.shape}. Drop rows"
            " without coordinates."
        )
    table = read_values(values, len(points), name="values")
    table = table.reshape(len(points), -1)
    known = ~np.isnan(table).any(axis=1)
    if known.sum() < 10:
        raise ValueError(
            f"Only {int(known.sum())} of {len(table)} rows have all {table.shape[1]} values; at"
            " least 10 are needed. Fit fewer variables, or give the model."
        )
    return points[known], table[known]


def _reach(points: Floats, max_distance: float | None) -> float:
    if max_distance is not None:
        return float(check_positive("max_distance", max_distance, unit="m"))
    return float(np.linalg.norm(np.ptp(points, axis=0))) / 3


def _pairs(points: Floats, reach: float, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return pairs of samples within reach; of a random subset of samples if there are too many."""
    kept = np.arange(len(points))
    tree = cKDTree(points)
    n_pairs = (tree.count_neighbors(tree, reach) - len(points)) // 2
    if n_pairs > most:
        size = max(10, int(len(points) * np.sqrt(most / n_pairs)))
        kept = np.sort(rng.permutation(len(points))[:size])
        tree = cKDTree(points[kept])
    pairs = kept[tree.query_pairs(reach, output_type="ndarray")]
    apart = (points[pairs[:, 0]] != points[pairs[:, 1]]).any(axis=1)
    if not apart.any():
        raise ValueError(
            f"No two samples lie within {reach:g} m. Raise max_distance, or check the coordinates."
        )
    return pairs[apart]


def _bin(
    points: Floats, table: Floats, pairs: NDArray[np.int64], n_lags: int, reach: float
) -> _Binned:
    """Average the pairs in classes of distance, and of the axis that they follow most."""
    offsets = points[pairs[:, 0]] - points[pairs[:, 1]]
    distances = np.linalg.norm(offsets, axis=1)
    lag = np.minimum((distances / reach * n_lags).astype(int), n_lags - 1)
    codes = np.unique(lag * 8 + _directions(offsets), return_inverse=True)[1]
    counts = np.bincount(codes).astype(float)

    def means(each: Floats) -> Floats:
        return np.bincount(codes, weights=each) / counts

    steps = table[pairs[:, 0]] - table[pairs[:, 1]]
    p = table.shape[1]
    products = np.empty((len(counts), p, p))
    for i in range(p):
        for j in range(i + 1):
            products[:, i, j] = products[:, j, i] = means(steps[:, i] * steps[:, j]) / 2

    def shapes(structures: Sequence[Structure]) -> Floats:
        rows = [means(replace(each, sill=1.0).variogram(offsets)) for each in structures]
        return np.array([np.ones(len(counts)), *rows])

    return _Binned(products, shapes, counts / means(distances) ** 2)


def _directions(offsets: Floats) -> NDArray[np.int64]:
    """Return the sector of each offset: four of azimuth, and one more for the steep ones in 3D."""
    azimuth = np.arctan2(offsets[:, 0], offsets[:, 1])
    sector = np.floor(azimuth / (np.pi / 4) + 0.5).astype(int) % 4
    if offsets.shape[1] == 3:
        steep = np.abs(offsets[:, 2]) > np.hypot(offsets[:, 0], offsets[:, 1])
        sector = np.where(steep, 4, sector)
    return sector


def _candidates(
    structures: Sequence[Structure] | VariogramModel | None, points: Floats, reach: float
) -> Iterator[tuple[Structure, ...]]:
    """Yield the sets of structures to try, the simple ones first."""
    if isinstance(structures, VariogramModel):
        yield structures.structures
        return
    if structures is not None:
        yield tuple(structures)
        return
    spacing = float(np.median(cKDTree(points).query(points, k=2)[0][:, 1]))
    shortest = min(max(spacing, reach / 50), reach / 2)
    ranges = np.geomspace(shortest, reach, N_RANGES)
    single = [Structure("spherical", 1.0, (float(each),)) for each in ranges]
    yield from ((each,) for each in single)
    yield from combinations(single, 2)


def _check_semidefinite(name: str, matrix: Floats) -> None:
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T):
        raise ValueError(
            f"Sills of {name} must be a symmetric matrix, got {matrix.tolist()}. The sill of i and j"
            " is that of j and i."
        )
    values = np.linalg.eigvalsh(matrix)
    if values[0] < -ROUNDING * max(values[-1], np.finfo(float).tiny):
        raise ValueError(
            f"Sills of {name} are not positive semi-definite: smallest eigenvalue {values[0]:.4g}."
            " Fit them with fit_coregionalization."
        )
