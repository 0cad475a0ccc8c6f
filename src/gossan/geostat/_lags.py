"""Directions and classes of distance for variograms: those given, checked, or sensible ones.

Points and what the user asked for come in; unit vectors and bounds of lags go out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]


def unit_vector(direction: float | tuple[float, float]) -> Floats:
    """Return easting, northing and elevation of one step along an azimuth, or (azimuth, dip).

    Examples
    --------
    >>> unit_vector((90.0, -30.0)).round(3) + 0.0
    array([ 0.866,  0.   , -0.5  ])
    """
    pair = np.atleast_1d(np.asarray(direction, dtype=float))
    if pair.shape not in ((1,), (2,)) or not np.isfinite(pair).all():
        raise ValueError(
            f"direction must be an azimuth, or (azimuth, dip) [degrees], got {direction!r}. North"
            " is 0, east 90; downwards is negative."
        )
    azimuth, dip = np.deg2rad([pair[0], pair[1] if len(pair) == 2 else 0.0])
    flat = math.cos(dip)
    return np.array([math.sin(azimuth) * flat, math.cos(azimuth) * flat, math.sin(dip)])


def lag_edges(
    points: Floats,
    *,
    lags: int | ArrayLike | None = None,
    direction: float | tuple[float, float] | None = None,
    groups: NDArray[np.int64] | None = None,
) -> Floats:
    """Return bounds of the classes of distance [m]: those given, or sensible ones."""
    if lags is not None and np.ndim(lags) == 1:
        edges = np.asarray(lags, dtype=float)
        if len(edges) < 2 or not (np.diff(edges) > 0).all() or not 0 <= edges[0] < np.inf:
            raise ValueError(
                f"lags must increase from 0 or more, got {edges}. Sort the bounds [m]."
            )
        return edges
    last = _last_lag(points, direction, groups)
    if lags is None:
        lags = int(np.clip(last // _spacing(points, last), 10, 20))
    if not isinstance(lags, (int, np.integer)) or lags < 1:
        raise ValueError(f"lags must be a number of classes, or their bounds [m], got {lags!r}.")
    return np.linspace(0.0, last, int(lags) + 1)


def _last_lag(
    points: Floats,
    direction: float | tuple[float, float] | None,
    groups: NDArray[np.int64] | None,
) -> float:
    if groups is not None:
        spans = np.array(
            [np.linalg.norm(np.ptp(points[groups == each], axis=0)) for each in np.unique(groups)]
        )
        last = 0.5 * float(np.median(spans[spans > 0])) if (spans > 0).any() else 0.0
    elif direction is not None:
        last = 0.5 * float(np.ptp(points @ unit_vector(direction)[: points.shape[1]]))
    else:
        last = float(np.linalg.norm(np.ptp(points, axis=0))) / 3
    if last <= 0:
        raise ValueError(
            f"The {len(points)} samples do not spread over any distance, so there is no pair. Check"
            " the coordinates, the direction and the groups."
        )
    return last


def _spacing(points: Floats, last: float) -> float:
    """Median distance to the nearest sample in another place."""
    places = np.unique(points, axis=0)
    if len(places) < 2:
        return last
    return float(np.median(cKDTree(places).query(places, k=2)[0][:, 1]))
