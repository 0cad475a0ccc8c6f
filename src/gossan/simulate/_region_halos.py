"""Haloes on a map: cores, rings, and rings gathered to a patch, about deposits and about decoys.

Points and patches come in, what they add to the elements goes out; a decoy is a deposit whose ring
has been gathered beside it, so that as much ground has each value of each element.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gossan.simulate._region_plans import ELEMENTS, RegionPlan, region_effects

Floats = NDArray[np.float64]

_SPOT_RADIUS = 0.6  # [cells]
_FARTHEST = 12.0  # from the middle of a patch, beyond which it is less than a thousandth [cells]


@dataclass(frozen=True)
class Patch:
    """One raised place: where, which way it lies, how strong, its shape, and its elements.

    Attributes
    ----------
    easting, northing : float
        Of its middle [m].
    azimuth : float
        Of its long axis [degrees from north].
    strength : float
    profile : {"core", "ring", "gathered", "spot"}
    elements : tuple of str
    """

    easting: float
    northing: float
    azimuth: float
    strength: float
    profile: str
    elements: tuple[str, ...]


def core_profile(radius: Floats, plan: RegionPlan) -> Floats:
    """Share of its peak that a core has at a radius (n,) [cells]: exp(-½ (r / s)²)."""
    return np.exp(-0.5 * (radius / plan.core_radius) ** 2)


def ring_profile(radius: Floats, plan: RegionPlan) -> Floats:
    """Share of its peak that a ring has at a radius (n,) [cells]: exp(-½ ((r - q) / w)²)."""
    return np.exp(-0.5 * ((radius - plan.ring_radius) / plan.ring_width) ** 2)


def gathered_profile(radius: Floats, plan: RegionPlan) -> Floats:
    """Share of its peak at a radius (n,) [cells] of the ring's ground, gathered about a middle.

    The ring exceeds a value within δ of its radius q: on 4πqδ of ground, or π(q + δ)² once it
    reaches its own middle. A disc of the same area has the radius 2√(qδ), or q + δ.
    """
    q = plan.ring_radius
    distance = np.where(radius < 2 * q, radius**2 / (4 * q), radius - q)
    return np.exp(-0.5 * (distance / plan.ring_width) ** 2)


def spot_profile(radius: Floats, _: RegionPlan) -> Floats:
    """Share of its peak that an unzoned halo, smaller than a cell, has at a radius (n,) [cells]."""
    return np.exp(-0.5 * (radius / _SPOT_RADIUS) ** 2)


_PROFILES = {
    "core": core_profile,
    "ring": ring_profile,
    "gathered": gathered_profile,
    "spot": spot_profile,
}


def own_radius(
    points: Floats, middle: tuple[float, float], azimuth: float, aspect: float
) -> Floats:
    """Radius (n,) of points in an ellipse that is a circle stretched without a change of area."""
    along, across = along_and_across(points - middle, azimuth)
    return np.sqrt(along**2 / aspect + across**2 * aspect)


def along_and_across(offsets: Floats, azimuth: float) -> tuple[Floats, Floats]:
    """Parts of offsets (n, 2) along an azimuth [degrees] and to the right of it."""
    angle = np.deg2rad(azimuth)
    east, north = offsets.T
    along = east * np.sin(angle) + north * np.cos(angle)
    return along, east * np.cos(angle) - north * np.sin(angle)


def beside(
    middle: tuple[float, float], azimuth: float, plan: RegionPlan, *, turn: float, spacing: float
) -> tuple[float, float]:
    """Where the ring of a decoy is gathered, `turn` [radians] from its long axis.

    Two ring radii off, so that in the middle of a decoy it is as weak as a ring in that of a
    deposit.
    """
    reach = 2.0 * plan.ring_radius * spacing
    along = reach * np.cos(turn) * np.sqrt(plan.aspect)
    across = reach * np.sin(turn) / np.sqrt(plan.aspect)
    angle = np.deg2rad(azimuth)
    return (
        float(middle[0] + along * np.sin(angle) + across * np.cos(angle)),
        float(middle[1] + along * np.cos(angle) - across * np.sin(angle)),
    )


def sum_patches(
    points: Floats, patches: Sequence[Patch], plan: RegionPlan, spacing: float
) -> Floats:
    """What patches add (n, n_elements) to points (n, 2) [backgrounds]."""
    total = np.zeros((len(points), len(ELEMENTS)))
    if not len(points):
        return total
    # a halo of strength 1 raises the log by `contrast` spreads
    peaks = np.expm1(plan.contrast * region_effects()["spread"])
    tree = cKDTree(points)
    for patch in patches:
        middle = (patch.easting, patch.northing)
        near = np.array(tree.query_ball_point(middle, _FARTHEST * spacing), dtype=np.int64)
        radius = own_radius(points[near], middle, patch.azimuth, plan.aspect) / spacing
        share = patch.strength * _PROFILES[patch.profile](radius, plan)
        for name in patch.elements:
            total[near, ELEMENTS.index(name)] += peaks[name] * share
    return total
