"""Rocks and ground: slate, stocks of diorite porphyrite and granodiorite, dykes, and the surface.

Points [m] come in; their rock, their distance from an intrusion, and the height of the ground go
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gossan.simulate._faults import Sheet
from gossan.simulate._halos import ROCKS

Floats = NDArray[np.float64]

_DYKE_THICKNESS = (6.0, 13.0)  # m


@dataclass(frozen=True)
class Stock:
    """An intrusion, an ellipsoid with axes along the coordinates.

    Attributes
    ----------
    rock : str
    centre, semi_axes : (easting, northing, elevation)
        [m]
    is_barren : bool
        With a halo of W, Bi and Mo of its own, and no ore.
    """

    rock: str
    centre: tuple[float, float, float]
    semi_axes: tuple[float, float, float]
    is_barren: bool = False

    def radius(self, points: Floats) -> Floats:
        """Distance (n,) from the centre, 1 on the contact."""
        return np.linalg.norm((points - np.asarray(self.centre)) / self.semi_axes, axis=1)

    def distance(self, points: Floats) -> Floats:
        """Distance (n,) from the contact [m], to first order."""
        own = (points - np.asarray(self.centre)) / self.semi_axes
        radius = np.maximum(np.linalg.norm(own, axis=1), 1e-9)
        slope = np.linalg.norm(own / self.semi_axes, axis=1) / radius
        return np.abs(radius - 1.0) / np.maximum(slope, 1.0 / max(self.semi_axes))


@dataclass(frozen=True)
class Dyke:
    """A dyke: a sheet and its thickness [m]."""

    sheet: Sheet
    thickness: float


def ground_level(easting: Floats, northing: Floats, base: float) -> Floats:
    """Elevation of the ground [m]: hills of some 80 m about `base`."""
    e, n = np.asarray(easting), np.asarray(northing)
    hills = 55.0 * np.sin(e / 310.0 + 0.4) * np.cos(n / 270.0)
    return base + hills + 25.0 * np.sin((e + n) / 150.0)


def draw_dykes(n: int, low: Floats, high: Floats, rng: np.random.Generator) -> tuple[Dyke, ...]:
    """Draw steep dykes in a box, most of them of one direction."""
    main = rng.uniform(0.0, 180.0)
    dykes = []
    for k in range(n):
        sheet = Sheet(
            f"Dyke {k + 1}",
            tuple(low + rng.uniform(0.15, 0.85, 3) * (high - low)),
            strike=(main + rng.normal(0.0, 25.0)) % 360.0,
            dip=rng.uniform(68.0, 88.0),
            half_length=rng.uniform(0.35, 0.7) * float(np.max(high - low)),
            half_height=float(np.max(high - low)),
        )
        dykes.append(Dyke(sheet, rng.uniform(*_DYKE_THICKNESS)))
    return tuple(dykes)


def rock_codes(points: Floats, stocks: Sequence[Stock], dykes: Sequence[Dyke]) -> NDArray[np.int64]:
    """Rock (n,) of each point, a row of `ROCKS`; what comes later cuts what came before."""
    codes = np.zeros(len(points), dtype=np.int64)
    for stock in stocks:
        codes[stock.radius(points) < 1.0] = ROCKS.index(stock.rock)
    for dyke in dykes:
        u, v, n = dyke.sheet.own(points).T
        inside = (np.abs(u) < dyke.sheet.half_length) & (np.abs(v) < dyke.sheet.half_height)
        codes[inside & (np.abs(n) < dyke.thickness / 2)] = ROCKS.index("dyke")
    return codes


def intrusion_distance(points: Floats, stocks: Sequence[Stock]) -> Floats:
    """Distance (n,) from the contact of the nearest barren intrusion [m]."""
    nearest = np.full(len(points), np.inf)
    for stock in stocks:
        if stock.is_barren:
            np.minimum(nearest, stock.distance(points), out=nearest)
    return nearest
