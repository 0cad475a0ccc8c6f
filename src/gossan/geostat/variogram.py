"""Experimental variograms: how unlike two samples are, by the distance between them.

Coordinates [m] and values of the samples come in; the semivariance of each class of distance, with
its number of pairs, goes out.

Sources
-------
Matheron (1962), Traite de geostatistique appliquee, Technip (the mean of squares).
Cressie & Hawkins (1980), Robust estimation of the variogram: I, Mathematical Geology 12, 115-125,
doi:10.1007/BF01035243.
Dowd (1984), The variogram and kriging: robust and resistant estimators, in: Geostatistics for
Natural Resources Characterization, 91-106, doi:10.1007/978-94-009-3699-7_6.
Genton (1998), Highly robust variogram estimation, Mathematical Geology 30, 213-221,
doi:10.1023/A:1021728614555.
Goovaerts (1997), Geostatistics for Natural Resources Evaluation, Oxford University Press (madogram,
cross-variogram).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_labels, check_option, check_positive, check_random_state
from gossan.geostat._columns import read_values
from gossan.geostat._lags import lag_edges, unit_vector
from gossan.geostat._pairs import Walk, cross_sums, plan_walk
from gossan.geostat._semivariance import (
    MOST_LISTED,
    SUMMED,
    semivariance_of_sums,
    semivariances,
)

__all__ = ["ESTIMATORS", "ExperimentalVariogram", "cross_variograms", "experimental_variogram"]

Floats = NDArray[np.float64]

ESTIMATORS = ("matheron", "cressie", "dowd", "genton", "madogram")
MAX_PAIRS = 50_000_000  # looked at in one or two seconds


@dataclass(frozen=True, eq=False)
class ExperimentalVariogram:
    """Semivariances of classes of distance, and what they were counted from.

    With several variables the arrays have a column for each; with cross-variograms, a matrix.

    Attributes
    ----------
    lag : array of shape (n_lags, ...)
        Mean distance of the pairs [m]; the middle of a class that has none.
    semivariance : array of shape (n_lags, ...)
        In squared units of the values (the madogram in their units); NaN where there is no pair.
    n_pairs : int array of shape (n_lags, ...)
    edges : array of shape (n_lags + 1,)
        Bounds of the classes [m].
    direction : (azimuth, dip) or None
        Degrees; None for all directions.
    estimator : str
    variance : float or array
        Variance of the values.
    n_dims : int
        2 or 3.
    share : float
        Share of the samples at which pairs begin: below 1 where a random subset was taken.
    """

    lag: Floats
    semivariance: Floats
    n_pairs: NDArray[np.int64]
    edges: Floats
    direction: tuple[float, float] | None
    estimator: str
    variance: float | Floats
    n_dims: int
    share: float = 1.0

    def table(self) -> pd.DataFrame:
        """Lag, semivariance and number of pairs side by side, for one variable.

        Returns
        -------
        table : DataFrame (n_lags; lag, semivariance, n_pairs)
        """
        columns = {"lag": self.lag, "semivariance": self.semivariance, "n_pairs": self.n_pairs}
        return pd.DataFrame(columns)

    def variable(self, *place: int) -> ExperimentalVariogram:
        """Return the variogram of one variable, or of a pair, of several.

        Parameters
        ----------
        *place : int
            Number of the variable; of both for cross-variograms.

        Returns
        -------
        variogram : ExperimentalVariogram
        """
        at: Any = (slice(None), *place)
        variance = float(np.asarray(self.variance)[place])
        return ExperimentalVariogram(
            self.lag[at],
            self.semivariance[at],
            self.n_pairs[at],
            self.edges,
            self.direction,
            self.estimator,
            variance,
            self.n_dims,
            self.share,
        )


def experimental_variogram(
    coords: ArrayLike,
    values: ArrayLike,
    *,
    lags: int | ArrayLike | None = None,
    direction: float | tuple[float, float] | None = None,
    tolerance: float = 22.5,
    bandwidth: float | None = None,
    estimator: str = "matheron",
    groups: ArrayLike | None = None,
    max_pairs: float | None = MAX_PAIRS,
    random_state: int | np.random.Generator | None = 0,
) -> ExperimentalVariogram:
    """Semivariance by distance, in all directions or along one.

    Look at it before a model is fitted. Skewed grades need a robust estimator, or normal scores
    first: one high value spoils the mean of squares of every class.

    Parameters
    ----------
    coords : array of shape (n, 2) or (n, 3)
        Easting, northing and, if given, elevation [m].
    values : array of shape (n,) or (n, n_variables)
        Values; a missing one is NaN.
    lags : int or array of shape (n_lags + 1,), optional
        Number of classes, or their bounds [m]. Default: classes as wide as the median distance to
        the nearest sample (10 to 20 of them), up to a third of the diagonal of the field; with
        `direction`, half its length that way; with `groups`, half the median length of a group.
    direction : float or (azimuth, dip), optional
        Degrees, clockwise from north and negative downwards. Default: all directions.
    tolerance : float, default 22.5
        Most angle between a pair and the direction [degrees].
    bandwidth : float, optional
        Most distance from the line through the first sample [m].
    estimator : {"matheron", "cressie", "dowd", "genton", "madogram"}, default "matheron"
        Mean of squares; the robust ones of Cressie and Hawkins, Dowd (medians), and Genton (order
        statistics of differences); half the mean absolute difference. All but the madogram have
        the same expectation for normal values.
    groups : array of shape (n,), optional
        Hole of each sample: only pairs inside a hole count (down-hole variogram, for the nugget).
    max_pairs : float or None, default 50 million
        Where more pairs would be looked at, a random subset of samples begins them; `share` of the
        result tells. None: all. "dowd" and "genton" list their pairs: 4 million at most.
    random_state : int, Generator or None, default 0
        Seed of that subset.

    Returns
    -------
    variogram : ExperimentalVariogram

    Raises
    ------
    ValueError
        If coordinates are not finite in 2D or 3D, lengths differ, fewer than two values are known,
        lags do not increase from 0 or more, an option is unknown, or no pair is found.

    Examples
    --------
    >>> line = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
    >>> variogram = experimental_variogram(line, [1.0, 3.0, 2.0, 4.0], lags=[0.5, 1.5, 2.5])
    >>> variogram.semivariance, variogram.n_pairs
    (array([1.5, 0.5]), array([3, 2]))
    """
    check_option("estimator", estimator, ESTIMATORS)
    points, table, labels = check_samples(coords, values, groups)
    order, walk = _walk(
        points,
        labels,
        lags=lags,
        direction=direction,
        tolerance=tolerance,
        bandwidth=bandwidth,
        max_pairs=_most(max_pairs, np.inf if estimator in SUMMED else MOST_LISTED),
        random_state=random_state,
    )
    numbers = table[order].reshape(len(points), -1)
    counts, distances, gammas = semivariances(walk, numbers, estimator)
    flat = table.ndim == 1
    variance = np.nanvar(numbers, axis=0)
    return _record(
        walk,
        (counts[:, 0], distances[:, 0], gammas[:, 0]) if flat else (counts, distances, gammas),
        direction=direction,
        estimator=estimator,
        variance=float(variance[0]) if flat else variance,
        n_dims=points.shape[1],
    )


def cross_variograms(
    coords: ArrayLike,
    values: ArrayLike,
    *,
    lags: int | ArrayLike | None = None,
    direction: float | tuple[float, float] | None = None,
    tolerance: float = 22.5,
    bandwidth: float | None = None,
    groups: ArrayLike | None = None,
    max_pairs: float | None = MAX_PAIRS,
    random_state: int | np.random.Generator | None = 0,
) -> ExperimentalVariogram:
    """Half the mean products of the differences of two variables, for all pairs of variables.

    Positive where both rise together over a distance; the diagonal holds the variograms. Scale the
    variables first if their units differ much.

    Parameters
    ----------
    coords : array of shape (n, 2) or (n, 3)
        Easting, northing and, if given, elevation [m].
    values : array of shape (n, n_variables)
        Values; a missing one is NaN.
    lags, direction, tolerance, bandwidth, groups, max_pairs, random_state
        As in `experimental_variogram`.

    Returns
    -------
    variogram : ExperimentalVariogram
        Arrays of shape (n_lags, n_variables, n_variables); ``variable(i, j)`` takes out one.

    Raises
    ------
    ValueError
        As `experimental_variogram`, and if there is one variable only.

    Examples
    --------
    >>> pairs = cross_variograms([[0.0, 0.0], [1.0, 0.0]], [[1.0, 5.0], [3.0, 4.0]], lags=[0, 1])
    >>> pairs.semivariance[0]
    array([[ 2. , -1. ],
           [-1. ,  0.5]])
    """
    points, table, labels = check_samples(coords, values, groups)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(
            f"Cross-variograms need two or more variables, got values of shape {table.shape}. Pass"
            " a column for each."
        )
    order, walk = _walk(
        points,
        labels,
        lags=lags,
        direction=direction,
        tolerance=tolerance,
        bandwidth=bandwidth,
        max_pairs=_most(max_pairs),
        random_state=random_state,
    )
    counts, distances, sums = cross_sums(walk, table[order])
    return _record(
        walk,
        (counts, distances, semivariance_of_sums(sums, counts, "matheron")),
        direction=direction,
        estimator="matheron",
        variance=pd.DataFrame(table).cov(ddof=0).to_numpy(),
        n_dims=points.shape[1],
    )


def check_samples(
    coords: ArrayLike, values: ArrayLike, groups: ArrayLike | None
) -> tuple[Floats, Floats, NDArray[np.int64] | None]:
    """Return finite coordinates, values and whole numbers for the groups, rows without values out.

    Raises
    ------
    ValueError
        If coordinates are not finite in 2D or 3D, lengths differ, or fewer than two are known.
    """
    points = np.asarray(coords, dtype=float)
    if points.ndim != 2 or points.shape[1] not in (2, 3) or not np.isfinite(points).all():
        raise ValueError(
            f"coords must be finite with 2 or 3 columns [m], got shape {points.shape}. Drop rows"
            " without coordinates."
        )
    table = read_values(values, len(points), name="values")
    known = ~np.isnan(table.reshape(len(points), -1)).all(axis=1)
    if known.sum() < 2:
        raise ValueError(
            f"A variogram needs two known values, got {int(known.sum())}. Check the column."
        )
    labels = None
    if groups is not None:
        labels = np.unique(check_labels("groups", groups, len(points)), return_inverse=True)[1]
        labels = labels[known].astype(np.int64)
    return points[known], table[known], labels


def _walk(
    points: Floats,
    groups: NDArray[np.int64] | None,
    *,
    lags: int | ArrayLike | None,
    direction: float | tuple[float, float] | None,
    tolerance: float,
    bandwidth: float | None,
    max_pairs: float,
    random_state: int | np.random.Generator | None,
) -> tuple[NDArray[np.int64], Walk]:
    """Return the order of the points and the walk over the pairs that were asked for."""
    edges = lag_edges(points, lags=lags, direction=direction, groups=groups)
    rng = check_random_state(random_state)
    order, walk = plan_walk(points, edges, rng, groups=groups, max_pairs=max_pairs)
    if direction is None:
        return order, walk
    if not 0 < tolerance <= 90:
        raise ValueError(
            f"tolerance must lie between 0 and 90 degrees, got {tolerance}. 22.5 gives four"
            " directions that do not overlap."
        )
    band = np.inf if bandwidth is None else float(check_positive("bandwidth", bandwidth, unit="m"))
    cosine = max(math.cos(math.radians(tolerance)), 0.0)
    return order, walk._replace(direction=unit_vector(direction), cosine=cosine, bandwidth=band)


def _most(max_pairs: float | None, limit: float = np.inf) -> float:
    if max_pairs is None:
        return limit
    return min(limit, float(check_positive("max_pairs", max_pairs)))


def _record(
    walk: Walk,
    counted: tuple[NDArray[np.int64], Floats, Floats],
    *,
    direction: float | tuple[float, float] | None,
    estimator: str,
    variance: float | Floats,
    n_dims: int,
) -> ExperimentalVariogram:
    counts, distances, gammas = counted
    if not counts.any():
        raise ValueError(
            f"No pair of samples lies {walk.edges[0]:g} to {walk.edges[-1]:g} m apart as asked."
            " Widen the lags, the tolerance or the bandwidth."
        )
    middles = 0.5 * (walk.edges[:-1] + walk.edges[1:])
    middles = np.broadcast_to(middles.reshape(-1, *[1] * (counts.ndim - 1)), counts.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        lag = np.where(counts > 0, distances / counts, middles)
    pair = None
    if direction is not None:
        given = np.atleast_1d(np.asarray(direction, dtype=float))
        pair = (float(given[0]), float(given[1]) if len(given) == 2 else 0.0)
    share = len(walk.origins) / len(walk.points)
    return ExperimentalVariogram(
        lag, gammas, counts, walk.edges, pair, estimator, variance, n_dims, share
    )
