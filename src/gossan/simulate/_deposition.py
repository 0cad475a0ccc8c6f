"""How tailings and dumps are laid down: the age, the grain and the bedding of every place.

Points [m] and the geometry of a scenario come in; what deposition made of each point goes out.

Sources
-------
Blight (2010), Geotechnical Engineering for Mine Waste Storage Facilities, CRC Press,
doi:10.1201/9780203859407 (beach slopes, particle segregation down the beach).
Vick (1990), Planning, Design, and Analysis of Tailings Dams, BiTech (spigots, beaches, slimes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_REPOSE = np.deg2rad(37.0)  # of rock that is tipped over an edge


@dataclass(frozen=True)
class Geometry:
    """Where the material lies and how it came there.

    Attributes
    ----------
    kind : {"impoundment", "dump"}
        Beaches built up from spigots along the south side, or rock tipped over a face that moves
        north.
    width, length : float
        East-west and north-south [m].
    height : float
        Of the deposit at the spigots, or of the dump [m].
    n_spigots : int
        Discharge points, used in turn in campaigns; 0 for a dump.
    slope : float
        Of the beach [m/m].
    sorting : float
        Distance down the beach over which the coarse grains settle [m]; for a dump, the share of
        its height.
    """

    kind: str
    width: float
    length: float
    height: float
    n_spigots: int
    slope: float
    sorting: float


@dataclass(frozen=True, eq=False)
class Deposition:
    """What deposition made of each of n points.

    Attributes
    ----------
    age : array of shape (n,)
        0 for the first material, 1 for the last; beyond where there is none.
    fineness : array of shape (n,)
        0 where the coarsest grains lie, 1 where only slimes do.
    distance : array of shape (n,)
        From the point of discharge in use [m].
    bedding : array of shape (n, n_dims)
        Coordinates along which the beds are flat [m].
    is_inside : bool array of shape (n,)
    """

    age: Floats
    fineness: Floats
    distance: Floats
    bedding: Floats
    is_inside: NDArray[np.bool_]


def spigots(geometry: Geometry) -> Floats:
    """Return easting and northing of the discharge points (n_spigots, 2) [m]."""
    n = max(geometry.n_spigots, 1)
    eastings = geometry.width * (np.arange(n) + 0.5) / n
    return np.column_stack([eastings, np.zeros(n)])


def deposit(points: Floats, geometry: Geometry, campaigns: NDArray[np.int64]) -> Deposition:
    """Age, grain and bedding of points (n, 2 or 3); `campaigns` name the spigot used in each."""
    if geometry.kind == "dump":
        return _tip(points, geometry)
    return _spread(points, geometry, campaigns)


def _spread(points: Floats, geometry: Geometry, campaigns: NDArray[np.int64]) -> Deposition:
    """Beaches: each bed falls away from the dam, and grains grow finer along it."""
    places = spigots(geometry)
    from_dam = points[:, 1]
    if points.shape[1] == 3:
        level = points[:, 2] + geometry.slope * from_dam
        age = level / geometry.height
        bedding = np.column_stack([points[:, :2], level])
    else:  # the surface of the day
        age, bedding = np.ones(len(points)), points
    campaign = np.clip((age * len(campaigns)).astype(int), 0, len(campaigns) - 1)
    source = places[campaigns[campaign]]
    distance = np.hypot(*(points[:, :2] - source).T)
    fineness = 1.0 - np.exp(-distance / geometry.sorting)
    is_inside = (age >= 0) & (age <= 1)
    if points.shape[1] == 3:
        is_inside &= points[:, 2] >= 0
    return Deposition(age, fineness, distance, bedding, is_inside)


def _tip(points: Floats, geometry: Geometry) -> Deposition:
    """End-tipped rock: beds at the angle of repose, the coarse pieces rolling to the foot."""
    reach = geometry.height / np.tan(_REPOSE)
    height = points[:, 2] if points.shape[1] == 3 else np.full(len(points), geometry.height)
    # a bed that leaves the crest at northing y meets the foot at y + reach
    crest = points[:, 1] - (geometry.height - height) / np.tan(_REPOSE)
    age = (crest + reach) / geometry.length
    distance = (geometry.height - height) / np.sin(_REPOSE)
    rolled = (geometry.height - height) / geometry.height
    fineness = np.exp(-rolled / geometry.sorting)
    along = distance[:, None] if points.shape[1] == 3 else np.zeros((len(points), 0))
    bedding = np.column_stack([points[:, 0], crest * np.sin(_REPOSE), along])
    # it leans on a wall in the south, and ends in its last face
    is_inside = (points[:, 1] >= 0) & (age <= 1) & (height >= 0) & (height <= geometry.height)
    return Deposition(age, fineness, distance, bedding, is_inside)
