"""A drilling campaign: where the holes start, how they bend, and where they are sampled.

The truth comes in; collars, true paths and the stops between samples go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.data.holes.desurvey import Paths, direction_vectors, trace_paths
from gossan.simulate._sample_stops import Stretch, find_stretches
from gossan.simulate._truth import DepositTruth

Floats = NDArray[np.float64]

_DIPS = (62.0, 86.0)  # below the horizontal [degrees]
_ACROSS = np.sin(np.radians(20.0))  # least angle between a hole and the ore it is aimed at
_TURN = 28.0  # by which an aimed hole strays from the normal of the ore, on the map [degrees]
_BEYOND = (40.0, 220.0)  # length behind the target [m]
_STATION = 10.0  # between the bends of a hole [m]
_WANDER = (0.25, 0.12)  # of azimuth and dip from station to station [degrees]
_FLATTEN = 0.03  # mean change of dip [degrees]
_EDGE = 15.0  # kept to the sides of the box [m]
_TRIES = 400
_LOOK = 2.0  # m between the looks for ore along a path


@dataclass(frozen=True, eq=False)
class Hole:
    """A hole as it truly runs.

    Attributes
    ----------
    name : str
    kind : {"aimed", "wildcat", "deep"}
    collar : array of shape (3,)
        [m]
    length : float
        [m]
    depths, azimuths, dips : arrays of shape (n_stations,)
        True directions; dips negative downwards [degrees].
    stretches : tuple of Stretch
        Near ore or not, one below the other.
    """

    name: str
    kind: str
    collar: Floats
    length: float
    depths: Floats
    azimuths: Floats
    dips: Floats
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class _Start:
    """Collar, direction and length that a hole is planned with."""

    collar: Floats
    azimuth: float
    dip: float
    length: float


def drill_holes(
    truth: DepositTruth,
    *,
    n_holes: int,
    aimed_share: float,
    has_deep_hole: bool,
    rng: np.random.Generator,
) -> list[Hole]:
    """Drill holes: some aimed at shallow ore, the others wildcats, none of which finds a blind body."""
    n_deep = int(has_deep_hole)
    n_aimed = round(aimed_share * (n_holes - n_deep))
    kinds = ["aimed"] * n_aimed + ["wildcat"] * (n_holes - n_deep - n_aimed) + ["deep"] * n_deep
    shallow = [k for k, body in enumerate(truth.world.bodies) if not body.is_blind]
    holes = []
    for number, kind in enumerate(kinds):
        body = shallow[number % len(shallow)]
        holes.append(_drill_one(truth, f"ZK{number + 1:03d}", kind, body, rng))
    return holes


def paths_of(holes: Sequence[Hole]) -> Paths:
    """Return the true paths of holes, counted as in the list."""
    codes = np.repeat(np.arange(len(holes)), [len(hole.depths) for hole in holes])
    surveys = pd.DataFrame(
        {
            "depth": np.concatenate([hole.depths for hole in holes]),
            "azimuth": np.concatenate([hole.azimuths for hole in holes]),
            "dip": np.concatenate([hole.dips for hole in holes]),
        }
    )
    return trace_paths(codes, surveys, np.array([hole.collar for hole in holes]))


def _drill_one(
    truth: DepositTruth, name: str, kind: str, body: int, rng: np.random.Generator
) -> Hole:
    """Plan holes until one stays in the box and misses the blind bodies (a deep one may hit)."""
    is_blind = np.array([each.is_blind for each in truth.world.bodies])
    for _ in range(_TRIES):
        start = _plan_hole(truth, kind, body, rng)
        if start is None:
            continue
        hole = _bend(name, kind, start, rng)
        looks = np.arange(_LOOK / 2, hole.length, _LOOK)
        places = paths_of([hole]).at(np.zeros(len(looks), dtype=np.int64), looks)
        if not _stays(truth, places):
            continue
        found = truth.body_index(places)
        if kind == "deep" or not is_blind[found[found >= 0]].any():
            stretches = find_stretches(found >= 0, _LOOK, hole.length)
            return Hole(**{**vars(hole), "stretches": stretches})
    raise ValueError(
        f"No hole {name} ({kind}) fits into this deposit after {_TRIES} tries. Ask for fewer holes,"
        " another plan or another seed."
    )


def _plan_hole(
    truth: DepositTruth, kind: str, body: int, rng: np.random.Generator
) -> _Start | None:
    """Where a hole starts and ends, or None if the ground or the box does not allow it."""
    shortest, longest = truth.world.plan.hole_lengths
    low, high = truth.world.plan.low, truth.world.plan.high
    if kind == "aimed":
        return _aim(truth, body, rng)
    west, south = low[:2] + 4 * _EDGE
    east, north = high[:2] - 4 * _EDGE
    easting, northing = rng.uniform(west, east), rng.uniform(south, north)
    dip, length = rng.uniform(*_DIPS), rng.uniform(shortest, longest)
    ground = float(truth.ground_level(easting, northing))
    if kind == "deep":
        dip = rng.uniform(84.0, 88.0)
        length = (ground - low[2] - 2 * _EDGE) / np.sin(np.radians(dip))
    collar = np.array([easting, northing, ground])
    return _Start(collar, rng.uniform(0.0, 360.0), dip, round(length, 1))


def _aim(truth: DepositTruth, number: int, rng: np.random.Generator) -> _Start | None:
    """Plan a hole through a place in a body, from either wall."""
    body = truth.world.bodies[number]
    sheet = truth.world.sheets[body.sheet]
    r, t = np.clip(rng.normal(0.0, 0.45, 2), -1.0, 1.0)
    u, v = body.u + r * body.half_length, body.v + t * body.half_height
    target = truth.world.displace(sheet.place(np.array([u]), np.array([v])))[0][0]
    side = rng.choice([0.0, 180.0])
    azimuth = (sheet.strike + 90.0 + side + rng.normal(0.0, _TURN)) % 360.0
    dip = rng.uniform(*_DIPS)
    shortest, longest = truth.world.plan.hole_lengths
    direction = direction_vectors([azimuth], [-dip])[0]
    if abs(direction @ sheet.axes[2]) < _ACROSS:
        return None
    back = np.arange(0.0, longest, 1.0)
    places = target - back[:, None] * direction
    out = np.flatnonzero(places[:, 2] >= truth.ground_level(places[:, 0], places[:, 1]))
    if not len(out) or out[0] == 0:
        return None
    collar = places[out[0]]
    collar[2] = float(truth.ground_level(collar[0], collar[1]))
    far = np.linalg.norm(target - collar) + rng.uniform(*_BEYOND) * longest / 900.0
    return _Start(collar, azimuth, dip, round(float(np.clip(far, shortest, longest)), 1))


def _bend(name: str, kind: str, start: _Start, rng: np.random.Generator) -> Hole:
    """Let the direction of a hole wander at random as it goes down."""
    depths = np.append(np.arange(0.0, start.length, _STATION), start.length)
    steps = rng.standard_normal((2, len(depths))) * np.array(_WANDER)[:, None]
    steps[:, 0] = 0.0
    azimuths = (start.azimuth + np.cumsum(steps[0])) % 360.0
    dips = -start.dip + np.cumsum(steps[1]) + _FLATTEN * np.arange(len(depths))
    return Hole(
        name, kind, start.collar, start.length, depths, azimuths, np.clip(dips, -89.5, -40.0), ()
    )


def _stays(truth: DepositTruth, places: Floats) -> bool:
    """Whether a path stays in the box and below the ground."""
    plan = truth.world.plan
    inside = (places > plan.low + _EDGE) & (places < plan.high - [_EDGE, _EDGE, 0.0])
    return bool(inside.all() and truth.is_ground(places).all())
