"""Surroundings: what samples say on average round a place, or above it, at a scale beyond kriging's.

Places and values of samples come in, and places to ask about; weighted means go out. An orebody's halo
reaches farther than the grade itself: a front halo above tells of ore that no sample has met.

Sources
-------
Nadaraya (1964), On estimating regression, Theory of Probability & Its Applications 9, 141-142,
doi:10.1137/1109020 (kernel means).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from gossan._checks import check_positive

__all__ = ["mean_around"]

Floats = NDArray[np.float64]

STEPS = 3.0  # cells a radius
MOST_CELLS = 3_000_000  # of the helping grid; beyond, its cells grow
REACH = 4.0  # radii, beyond which a sample says nothing


def mean_around(
    coords: ArrayLike,
    values: ArrayLike,
    places: ArrayLike,
    *,
    radius: float,
    offset: Sequence[float] = (0.0, 0.0, 0.0),
    prior: float = 0.5,
) -> Floats:
    """Means of samples round each place, weighted by a Gaussian of their distance.

    Where samples are few the mean is drawn to that of all samples: a place without any nearby has
    the mean of all, not a missing value.

    Parameters
    ----------
    coords : array of shape (n, 3)
        Easting, northing, elevation of the samples [m].
    values : array of shape (n,) or (n, n_values)
        None missing; logs of concentrations, as a rule.
    places : array of shape (m, 3)
        Where to ask [m].
    radius : float
        Standard deviation of the Gaussian [m].
    offset : (easting, northing, elevation)
        Asks that far from each place [m]: (0, 0, 120) asks what lies above it.
    prior : float
        Samples that the mean of all counts for.

    Returns
    -------
    means : array of shape (m,) or (m, n_values)

    Raises
    ------
    ValueError
        If lengths or dimensions do not fit, a number is missing, or the radius is not positive.

    Notes
    -----
    Samples are gathered in the cells of a helping grid, a third of the radius wide, whose sums are
    smoothed once and read off by linear interpolation: a million places take a second, at an error
    of a few percent of the values' spread.

    Examples
    --------
    >>> means = mean_around([[0, 0, 0], [0, 0, 300]], [1.0, 3.0], [[0, 0, 0], [0, 0, 300]],
    ...                     radius=50, prior=1.0)
    >>> means.round(1)
    array([1.5, 2.5])
    """
    samples, told, asked = _checked(coords, values, places)
    check_positive("radius", radius, unit="m")
    low = samples.min(axis=0) - REACH * radius
    extent = np.ptp(samples, axis=0) + 2.0 * REACH * radius
    step = max(radius / STEPS, float((np.prod(extent) / MOST_CELLS) ** (1.0 / 3.0)))
    shape = np.ceil(extent / step).astype(int) + 1
    columns = np.column_stack([np.ones(len(samples)), told - told.mean(axis=0)])
    at = (asked + np.asarray(offset, dtype=float) - low) / step
    # A Gaussian whose filter weights sum to one, made one whose peak is one.
    peak = (np.sqrt(2.0 * np.pi) * radius / step) ** 3
    sums = [
        _smooth_sum((samples - low) / step, column, shape, at, radius / step) * peak
        for column in columns.T
    ]
    weights = np.maximum(sums[0], 0.0) + prior
    means = np.column_stack([total / weights for total in sums[1:]]) + told.mean(axis=0)
    return means[:, 0] if np.ndim(values) == 1 else means


def _smooth_sum(
    cells: Floats, column: Floats, shape: NDArray[np.int64], at: Floats, radius: float
) -> Floats:
    """Spread values over the eight nearest nodes, smooth, and interpolate."""
    grid = np.zeros(tuple(shape))
    floor = np.minimum(cells.astype(int), shape - 2)
    part = cells - floor
    for corner in np.ndindex(2, 2, 2):
        share = np.prod(np.where(corner, part, 1.0 - part), axis=1)
        np.add.at(grid, tuple((floor + corner).T), column * share)
    smooth = ndimage.gaussian_filter(grid, radius, mode="constant", truncate=REACH)
    return np.asarray(ndimage.map_coordinates(smooth, at.T, order=1, mode="constant"))


def _checked(
    coords: ArrayLike, values: ArrayLike, places: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    samples, asked = np.asarray(coords, dtype=float), np.asarray(places, dtype=float)
    told = np.asarray(values, dtype=float)
    told = told[:, None] if told.ndim == 1 else told
    is_table = samples.ndim == asked.ndim == 2 and samples.shape[1] == asked.shape[1] == 3
    if not is_table or told.ndim != 2 or len(told) != len(samples) or not len(samples):
        raise ValueError(
            f"coords {samples.shape}, values {told.shape} and places {asked.shape} do not fit one"
            " another. Pass (n, 3), (n, n_values) and (m, 3)."
        )
    if not (np.isfinite(samples).all() and np.isfinite(told).all() and np.isfinite(asked).all()):
        raise ValueError(
            "A coordinate or value is missing. Impute or drop it before means are taken."
        )
    return samples, told, asked
