"""From depths along a hole to points in space: tangential, balanced tangential, minimum curvature.

Depths, azimuths and dips of the surveys come in; easting, northing and elevation of any depth go
out. Angles are in degrees, azimuth clockwise from north, dip negative downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option
from gossan.data.holes.alonghole import last_at_or_above, runs_of

METHODS = ("minimum_curvature", "balanced_tangential", "tangential")
_AXES = ("easting", "northing", "elevation")
MAX_TURN = 175.0  # degrees between two surveys; beyond it the plane of the arc is anyone's guess


def direction_vectors(azimuths: ArrayLike, dips: ArrayLike) -> NDArray[np.float64]:
    """Unit vector (easting, northing, elevation) of each azimuth and dip.

    Parameters
    ----------
    azimuths : array of shape (n,)
        Clockwise from north [degrees]; any number of turns.
    dips : array of shape (n,)
        Negative downwards [degrees].

    Returns
    -------
    directions : array of shape (n, 3)

    Examples
    --------
    >>> direction_vectors([90.0], [-30.0]).round(3) + 0.0
    array([[ 0.866,  0.   , -0.5  ]])
    """
    azimuth, dip = np.radians(np.asarray(azimuths, float)), np.radians(np.asarray(dips, float))
    flat = np.cos(dip)
    return np.stack([np.sin(azimuth) * flat, np.cos(azimuth) * flat, np.sin(dip)], axis=-1)


def turn_angles(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Angle between unit vectors [degrees], the dog-leg between two surveys.

    Parameters
    ----------
    first, second : array of shape (n, 3)

    Returns
    -------
    angles : array of shape (n,)
        From the half chord, which keeps small angles exact where the cosine loses them.

    Examples
    --------
    >>> turn_angles(direction_vectors([359.0], [0.0]), direction_vectors([1.0], [0.0])).round(9)
    array([2.])
    """
    chord = np.linalg.norm(np.asarray(second, float) - np.asarray(first, float), axis=-1)
    return np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1)))


def segment_offsets(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    lengths: NDArray[np.float64],
    fractions: ArrayLike = 1.0,
    *,
    method: str = "minimum_curvature",
) -> NDArray[np.float64]:
    """Vector from the upper survey of each segment to a point at a fraction of its length.

    Parameters
    ----------
    first, second : array of shape (n, 3)
        Directions at the upper and the lower survey.
    lengths : array of shape (n,)
        Distance along the hole between them [m].
    fractions : float or array of shape (n,)
        0 at the upper survey, 1 at the lower.
    method : "minimum_curvature", "balanced_tangential" or "tangential"
        A circular arc; half the length along either direction; all of it along the lower survey.

    Returns
    -------
    offsets : array of shape (n, 3)
        Easting, northing, elevation [m].

    Notes
    -----
    The arc from P1 over the dog-leg D is (L/D)·[((cos(D(1-f)) - cos D)/sin D)·t1 +
    ((1 - cos(D f))/sin D)·t2]; written with sinc(x) = sin(x)/x it needs no special case for a
    straight hole. For f = 1 it is L·(t1 + t2)/2·tan(D/2)/(D/2), as in Taylor & Mason (1972),
    A systematic approach to well surveying calculations, SPE J. 12, 474-488, doi:10.2118/3362-PA.

    Examples
    --------
    A quarter of a circle of radius 100 m, from straight down to north:

    >>> down, north = direction_vectors([0.0, 0.0], [-90.0, 0.0])
    >>> segment_offsets(down[None], north[None], np.array([50 * np.pi])).round(9) + 0.0
    array([[   0.,  100., -100.]])
    """
    check_option("method", method, METHODS)
    f = np.broadcast_to(np.asarray(fractions, dtype=float), np.shape(lengths))
    if method == "tangential":
        upper, lower = np.zeros_like(f), f
    elif method == "balanced_tangential":
        upper, lower = np.minimum(f, 0.5), np.maximum(f - 0.5, 0.0)
    else:
        upper, lower = _arc_weights(np.radians(turn_angles(first, second)), f)
    return np.asarray(lengths)[..., None] * (upper[..., None] * first + lower[..., None] * second)


def desurvey_hole(
    depths: ArrayLike,
    azimuths: ArrayLike,
    dips: ArrayLike,
    at: ArrayLike,
    *,
    collar: ArrayLike = (0.0, 0.0, 0.0),
    method: str = "minimum_curvature",
) -> NDArray[np.float64]:
    """Points of one hole at some depths.

    Above its first survey and below its last the hole is straight.

    Parameters
    ----------
    depths, azimuths, dips : array of shape (n_surveys,)
        Depth along the hole [m], azimuth and dip (negative downwards) [degrees], in any order.
    at : array of shape (n_depths,)
        Depths along the hole [m].
    collar : array of shape (3,)
        Easting, northing and elevation of the collar [m].
    method : "minimum_curvature", "balanced_tangential" or "tangential"

    Returns
    -------
    points : array of shape (n_depths, 3)
        Easting, northing, elevation [m]; NaN above the collar.

    Raises
    ------
    ValueError
        If there is no survey, a number is missing, two surveys of one depth disagree, or the hole
        turns back between two surveys.

    Examples
    --------
    >>> desurvey_hole([0, 100], [90, 90], [-60, -60], [10.0, 200.0], collar=(500, 0, 50)).round(3)
    array([[ 505.   ,    0.   ,   41.34 ],
           [ 600.   ,    0.   , -123.205]])
    """
    surveys = pd.DataFrame(
        {name: np.atleast_1d(np.asarray(numbers, dtype=float))
         for name, numbers in (("depth", depths), ("azimuth", azimuths), ("dip", dips))}
    )  # fmt: skip
    fault = survey_faults(np.zeros(len(surveys), dtype=np.int64), surveys, n_holes=1)[0]
    if fault or not np.isfinite(np.asarray(collar, dtype=float)).all():
        raise ValueError(
            f"The hole cannot be desurveyed: {fault or 'its collar has no coordinates'}. Correct"
            " its surveys."
        )
    codes = np.zeros(len(surveys), dtype=np.int64)
    path = trace_paths(codes, surveys, np.atleast_2d(np.asarray(collar, float)), method=method)
    places = np.atleast_1d(np.asarray(at, dtype=float))
    return path.at(np.zeros(len(places), dtype=np.int64), places)


@dataclass(frozen=True)
class Paths:
    """The stations of many holes, sorted by hole and depth: where they are and how they point.

    `codes` and `depths` [m] have the shape (n_stations,), `positions` [m] and `directions` (unit
    vectors) the shape (n_stations, 3).
    """

    codes: NDArray[np.int64]
    depths: NDArray[np.float64]
    positions: NDArray[np.float64]
    directions: NDArray[np.float64]
    method: str

    def at(self, codes: NDArray[np.int64], depths: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of shape (n, 3) at depths of holes; NaN for holes that have no stations."""
        points = np.full((len(codes), 3), np.nan)
        above = last_at_or_above(self.codes, self.depths, codes, depths)
        known = (above >= 0) & np.isfinite(depths)
        above = above[known]
        below = np.minimum(above + 1, len(self.codes) - 1)
        is_last = self.codes[below] != self.codes[above]
        below = np.where(is_last, above, below)
        beyond = depths[known] - self.depths[above]
        length = self.depths[below] - self.depths[above]
        # Below the last survey the "segment" is straight and as long as the depth asks for.
        straight = length == 0
        length = np.where(straight, beyond, length)
        share = np.divide(beyond, length, out=np.ones_like(beyond), where=~straight)
        points[known] = self.positions[above] + segment_offsets(
            self.directions[above], self.directions[below], length, share, method=self.method
        )
        return points


def trace_paths(
    codes: NDArray[np.int64],
    surveys: pd.DataFrame,
    collars: NDArray[np.float64],
    *,
    method: str = "minimum_curvature",
) -> Paths:
    """Paths of many holes from their surveys, without any check.

    Parameters
    ----------
    codes : int64 array of shape (n_surveys,)
        Row of `collars` that each survey belongs to.
    surveys : DataFrame of n_surveys
        Columns `depth`, `azimuth` and `dip`, complete.
    collars : array of shape (n_holes, 3)
        Easting, northing, elevation [m].
    method : str

    Returns
    -------
    paths : Paths
    """
    check_option("method", method, METHODS)
    order = np.lexsort((surveys["depth"].to_numpy(), codes))
    hole, depth = codes[order], surveys["depth"].to_numpy(dtype=float)[order]
    direction = direction_vectors(surveys["azimuth"], surveys["dip"])[order]
    is_first = np.diff(hole, prepend=-1) != 0
    lift = np.flatnonzero(is_first & (depth > 0))  # the first survey holds up to the collar
    hole, depth = np.insert(hole, lift, hole[lift]), np.insert(depth, lift, 0.0)
    direction = np.insert(direction, lift, direction[lift], axis=0)
    if not len(hole):
        return Paths(hole, depth, np.empty((0, 3)), direction, method)
    steps = segment_offsets(direction[:-1], direction[1:], np.diff(depth), method=method)
    position = np.empty_like(direction)
    for start, stop in runs_of(hole):
        position[start] = 0.0
        position[start + 1 : stop] = np.cumsum(steps[start : stop - 1], axis=0)
    return Paths(hole, depth, position + collars[hole], direction, method)


def survey_faults(
    codes: NDArray[np.int64], surveys: pd.DataFrame, *, n_holes: int
) -> dict[int, str]:
    """Why a hole cannot be desurveyed, by its code; an empty text where it can.

    Parameters
    ----------
    codes : int64 array of shape (n_surveys,)
        Hole of each survey, 0 to `n_holes` - 1.
    surveys : DataFrame of n_surveys
        Columns `depth`, `azimuth` and `dip`.
    n_holes : int

    Returns
    -------
    faults : dict of int to str
    """
    order = np.lexsort((surveys["depth"].to_numpy(), codes))
    hole = codes[order]
    numbers = surveys[["depth", "azimuth", "dip"]].to_numpy(dtype=float)[order]
    faults = dict.fromkeys(range(n_holes), "no survey")
    faults |= dict.fromkeys(np.unique(hole).tolist(), "")
    direction = direction_vectors(numbers[:, 1], numbers[:, 2])
    turn = turn_angles(direction[:-1], direction[1:])
    same_hole = hole[1:] == hole[:-1]
    clash = same_hole & (np.diff(numbers[:, 0]) == 0) & (turn > 1e-6)
    with np.errstate(invalid="ignore"):
        steep = np.abs(numbers[:, 2]) > 90
    for word, hit in (
        ("it turns back by more than 175° between two surveys", hole[1:][same_hole & (turn > MAX_TURN)]),
        ("two surveys of one depth disagree", hole[1:][clash]),
        ("a dip beyond 90°", hole[steep]),
        ("a survey above the collar", hole[numbers[:, 0] < 0]),
        ("a survey without depth, azimuth or dip", hole[~np.isfinite(numbers).all(axis=1)]),
    ):  # fmt: skip
        faults |= dict.fromkeys(np.unique(hit).tolist(), word)
    return faults


def place_holes(
    collars: pd.DataFrame, surveys: pd.DataFrame, *, method: str = "minimum_curvature"
) -> tuple[Paths, dict[str, str]]:
    """Paths of all holes that can be desurveyed, and why the others cannot.

    Parameters
    ----------
    collars : DataFrame
        Columns hole, easting, northing, elevation [m].
    surveys : DataFrame
        Columns hole, depth [m], azimuth and dip [degrees, negative downwards]; a vertical survey
        needs no azimuth.
    method : "minimum_curvature", "balanced_tangential" or "tangential"

    Returns
    -------
    paths : Paths
        Codes count the different holes of the collars from 0.
    faults : dict of hole to str
        Empty where there is none.
    """
    check_option("method", method, METHODS)
    places = collars.dropna(subset=["hole"]).groupby("hole", sort=False)[list(_AXES)]
    first = places.first(skipna=False)
    upright = (surveys["dip"].abs() == 90) & surveys["azimuth"].isna()
    surveys = surveys.assign(azimuth=surveys["azimuth"].where(~upright, 0.0))
    codes = first.index.get_indexer(pd.Index(surveys["hole"])).astype(np.int64)
    known, mine = surveys[codes >= 0], codes[codes >= 0]
    faults = survey_faults(mine, known, n_holes=len(first))
    moved = (places.max() - places.min()).reindex(first.index).gt(0).any(axis=1).to_numpy()
    faults |= dict.fromkeys(np.flatnonzero(moved).tolist(), "two collars that differ")
    lacking = first.isna().any(axis=1).to_numpy()
    faults |= dict.fromkeys(np.flatnonzero(lacking).tolist(), "no coordinates")
    is_sound = np.array([not faults[code] for code in mine.tolist()], dtype=bool)
    paths = trace_paths(mine[is_sound], known[is_sound], first.to_numpy(dtype=float), method=method)
    return paths, {hole: faults[code] for code, hole in enumerate(first.index)}


def _arc_weights(
    turns: NDArray[np.float64], fractions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights of the two directions, per length, at a fraction of a circular arc."""
    whole = _sinc(turns)
    part = _sinc(turns * fractions / 2)
    upper = fractions * (2 - fractions) / 2 * _sinc(turns * (2 - fractions) / 2) * part / whole
    return upper, fractions**2 / 2 * part**2 / whole


def _sinc(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sinc(angles / np.pi)
