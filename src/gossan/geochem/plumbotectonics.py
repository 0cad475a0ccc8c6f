"""The lead reservoirs of plumbotectonics: mantle, orogene, upper and lower crust through time.

Lead ratios come in; the nearest reservoir, its distance and its age on the curve go out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator
from scipy.spatial import cKDTree

from gossan._checks import check_option, check_positive
from gossan.geochem.lead_isotopes import RATIOS

STEP = 400.0  # Ma between the points of the published curves, the last of which is today
# Zartman & Doe (1981): 206Pb/204Pb, 207Pb/204Pb, 208Pb/204Pb, oldest first.
RESERVOIRS = {
    "mantle": (
        (10.36, 12.12, 30.55),
        (11.36, 13.21, 31.34),
        (12.30, 13.94, 32.11),
        (13.19, 14.44, 32.86),
        (14.02, 14.78, 33.59),
        (14.80, 15.00, 34.30),
        (15.54, 15.15, 35.00),
        (16.23, 15.26, 35.69),
        (16.88, 15.33, 36.37),
        (17.50, 15.38, 37.03),
        (18.08, 15.42, 37.68),
    ),
    "orogene": (
        (10.36, 12.12, 30.55),
        (11.42, 13.27, 31.40),
        (12.47, 14.09, 32.30),
        (13.50, 14.67, 33.20),
        (14.47, 15.06, 34.11),
        (15.35, 15.29, 34.95),
        (16.17, 15.44, 35.77),
        (16.92, 15.53, 36.56),
        (17.62, 15.58, 37.34),
        (18.27, 15.61, 38.09),
        (18.88, 15.63, 38.82),
    ),
    "upper crust": (
        (11.61, 13.48, 31.57),
        (12.69, 14.29, 32.46),
        (13.72, 14.83, 33.35),
        (14.70, 15.20, 34.23),
        (15.64, 15.44, 35.10),
        (16.51, 15.59, 35.94),
        (17.30, 15.67, 36.76),
        (18.04, 15.71, 37.55),
        (18.71, 15.73, 38.32),
        (19.33, 15.73, 39.06),
    ),
    "lower crust": (
        (10.98, 12.79, 31.41),
        (11.76, 13.46, 32.24),
        (12.52, 13.95, 33.06),
        (13.27, 14.33, 33.89),
        (14.00, 14.61, 34.70),
        (14.72, 14.83, 35.51),
        (15.40, 15.00, 36.29),
        (16.06, 15.13, 37.06),
        (16.69, 15.22, 37.82),
        (17.29, 15.30, 38.56),
    ),
}


def reservoir_curve(reservoir: str, age: ArrayLike) -> pd.DataFrame:
    """Lead of a reservoir at given ages, by monotone interpolation between the published points.

    Parameters
    ----------
    reservoir : {"mantle", "orogene", "upper crust", "lower crust"}
        The reservoir of plumbotectonics.
    age : array of shape (n,)
        Age [Ma].

    Returns
    -------
    curve : DataFrame of n rows
        206Pb/204Pb, 207Pb/204Pb and 208Pb/204Pb; NaN before 4000 Ma (crust: 3600 Ma) and in the
        future.

    Raises
    ------
    ValueError
        If the reservoir is not in the list.

    Notes
    -----
    [ZartmanDoe1981]_ (10.1016/0040-1951(81)90213-4); points every 400 Ma, which come from another
    program's tests: coefficients not checked against the paper.

    Examples
    --------
    >>> reservoir_curve("orogene", [400, 200]).round(2)
       206Pb/204Pb  207Pb/204Pb  208Pb/204Pb
    0        18.27        15.61        38.09
    1        18.58        15.62        38.46
    """
    check_option("reservoir", reservoir, RESERVOIRS)
    ages = np.atleast_1d(np.asarray(age, dtype=float)).ravel()
    points = np.array(RESERVOIRS[reservoir])[::-1]  # (points, 3), today first
    curve = PchipInterpolator(STEP * np.arange(len(points)), points, extrapolate=False)
    return pd.DataFrame(curve(ages), columns=list(RATIOS))


def nearest_reservoir(
    pb206: ArrayLike,
    pb207: ArrayLike,
    *,
    pb208: ArrayLike | None = None,
    age: ArrayLike | None = None,
) -> pd.DataFrame:
    """Reservoir of plumbotectonics whose curve passes nearest to each ore lead.

    A first word on the source, not a proof: ore lead is often a mixture, and the orogene is one.

    Parameters
    ----------
    pb206, pb207 : array of shape (n,)
        206Pb/204Pb and 207Pb/204Pb.
    pb208 : array of shape (n,), optional
        208Pb/204Pb; without it lower crust and mantle are hard to tell apart.
    age : array of shape (n,), optional
        Known age of the ore [Ma], at which the reservoirs are compared; None (the default) looks
        along the whole of each curve.

    Returns
    -------
    table : DataFrame of n rows, with the index of `pb206` where that is a Series
        ``reservoir``; ``distance``, in standard deviations of the four reservoirs of today (0.78,
        0.17 and 0.52 in the three ratios), so that each ratio counts alike; ``age`` on the curve
        [Ma]; ``next_reservoir`` and ``next_distance``; ``valid`` and ``reason``. Not valid where
        the nearest point is an end of the curve, or farther than 1.

    Raises
    ------
    ValueError
        If a ratio is zero or negative, or the lengths differ.

    Notes
    -----
    [ZartmanDoe1981]_ (10.1016/0040-1951(81)90213-4); coefficients not checked against the paper.

    Examples
    --------
    >>> nearest_reservoir([18.3, 17.5], [15.61, 15.37], pb208=[38.1, 37.0]).iloc[:, :3].round(2)
      reservoir  distance    age
    0   orogene      0.02  391.0
    1    mantle      0.05  416.0
    """
    leads = _check_leads(pb206, pb207, pb208)  # (n, 2 or 3)
    scale = _spread_today()[: leads.shape[1]]
    is_known = np.isfinite(leads).all(axis=1)
    safe = np.where(is_known[:, None], leads, 0.0) / scale
    if age is None:
        found = [_nearest_on(name, safe, scale) for name in RESERVOIRS]
    else:
        ages = np.broadcast_to(np.asarray(age, dtype=float), len(leads))
        found = [_distance_at(name, safe, scale, ages) for name in RESERVOIRS]
    distances = np.column_stack([distance for distance, _ in found])  # (n, reservoirs)
    ages_found = np.column_stack([on_curve for _, on_curve in found])
    distances[~is_known] = np.nan
    index = pb206.index if isinstance(pb206, pd.Series) else None
    return _rank(distances, ages_found, is_age_known=age is not None).set_index(
        pd.RangeIndex(len(leads)) if index is None else index
    )


def _check_leads(pb206: ArrayLike, pb207: ArrayLike, pb208: ArrayLike | None) -> NDArray:
    given = [pb206, pb207] if pb208 is None else [pb206, pb207, pb208]
    columns = [
        check_positive(name, part).ravel() for name, part in zip(RATIOS, given, strict=False)
    ]
    if len({len(column) for column in columns}) > 1:
        raise ValueError(
            f"The lead ratios must be of one length, got {[len(c) for c in columns]} for "
            f"206, 207 and 208. Pass columns of the same table."
        )
    return np.column_stack(columns)


def _spread_today() -> NDArray[np.float64]:
    """Return the standard deviation between the reservoirs of today, for each ratio."""
    return np.std([points[-1] for points in RESERVOIRS.values()], axis=0, ddof=1)


def _nearest_on(name: str, safe: NDArray, scale: NDArray) -> tuple[NDArray, NDArray]:
    """Distance to the whole curve of a reservoir, and the age there, to 1 Ma."""
    ages = np.arange(0.0, STEP * (len(RESERVOIRS[name]) - 1) + 1.0)
    curve = reservoir_curve(name, ages).to_numpy()[:, : len(scale)] / scale
    distance, nearest = cKDTree(curve).query(safe)
    return np.asarray(distance), ages[nearest]


def _distance_at(
    name: str, safe: NDArray, scale: NDArray, ages: NDArray
) -> tuple[NDArray, NDArray]:
    """Distance to a reservoir at known ages."""
    curve = reservoir_curve(name, ages).to_numpy()[:, : len(scale)] / scale
    return np.linalg.norm(safe - curve, axis=1), ages


def _rank(distances: NDArray, ages: NDArray, *, is_age_known: bool) -> pd.DataFrame:
    names = np.array(list(RESERVOIRS))
    order = np.argsort(distances, axis=1, kind="stable")  # NaN last
    rows = np.arange(len(distances))
    first, second = order[:, 0], order[:, 1]
    distance, age = distances[rows, first], ages[rows, first]
    oldest = np.array([STEP * (len(points) - 1) for points in RESERVOIRS.values()])[first]
    is_end = ((age <= 0) | (age >= oldest)) & (not is_age_known)
    is_missing = np.isnan(distance)
    reason = np.select(
        [is_missing, is_end & (distance > 0), distance > 1],
        ["missing", "beyond the end of the curve", "far from every reservoir"],
        default="",
    )
    return pd.DataFrame(
        {
            "reservoir": pd.Series(names[first], dtype="str").where(~is_missing).to_numpy(),
            "distance": distance,
            "age": np.where(is_missing, np.nan, age),
            "next_reservoir": pd.Series(names[second], dtype="str").where(~is_missing).to_numpy(),
            "next_distance": distances[rows, second],
            "valid": reason == "",
            "reason": reason.astype(str),
        }
    )
