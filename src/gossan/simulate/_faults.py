"""Faults: bent sheets in space, the distance from them, and how geologists drew them.

The plan of a sheet and points [m] come in; coordinates along it and across it, distances, and
triangulated surfaces go out. Orebodies and dykes lie on sheets, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_UNDULATION = 9.0  # amplitude [m]
_WAVELENGTHS = (240.0, 380.0)  # m
_N_WAVES = 3
_ANCHOR_ERROR, _ANGLE_ERROR = 8.0, 2.0  # of an interpretation: m, degrees
_BENDING = (0.6, 1.4)  # factor on the curvature


@dataclass(frozen=True, eq=False)
class Sheet:
    """A surface n = ½ κ v² + undulation, with u along strike, v up the dip and n across.

    Attributes
    ----------
    name : str
    anchor : (easting, northing, elevation)
        Where u = v = n = 0 [m].
    strike, dip : float
        [degrees]; the sheet dips to the right of its strike.
    curvature : float
        κ [1/m]; with a negative one the sheet is gentler above and steeper below its anchor.
    half_length, half_height : float
        How far it reaches from the anchor, along strike and along dip [m].
    is_mineralised : bool
    waves : array of shape (n_waves, 4)
        Amplitude [m], wave numbers along u and v [radians per m], and phase of the undulation.
    """

    name: str
    anchor: tuple[float, float, float]
    strike: float
    dip: float
    curvature: float = 0.0
    half_length: float = 700.0
    half_height: float = 700.0
    is_mineralised: bool = True
    waves: Floats | None = None

    @cached_property
    def axes(self) -> Floats:
        """Unit vectors (3, 3): along strike, up the dip, and the upward normal."""
        strike, dip = np.radians([self.strike, self.dip])
        down = np.array([np.cos(strike), -np.sin(strike)])  # direction of dip, on the map
        return np.array(
            [
                [np.sin(strike), np.cos(strike), 0.0],
                [*(-down * np.cos(dip)), np.sin(dip)],
                [*(down * np.sin(dip)), np.cos(dip)],
            ]
        )

    def own(self, points: Floats) -> Floats:
        """Coordinates (n, 3) of points (n, 3) [m]: u, v, and the offset n from the bent surface."""
        uvn = (points - np.asarray(self.anchor)) @ self.axes.T
        uvn[:, 2] -= self.height(uvn[:, 0], uvn[:, 1])
        return uvn

    def place(self, u: Floats, v: Floats, n: Floats | float = 0.0) -> Floats:
        """Points (n, 3) [m] at coordinates of the sheet: the inverse of `own`."""
        across = self.height(u, v) + n
        return np.asarray(self.anchor) + np.column_stack([u, v, across]) @ self.axes

    def height(self, u: Floats, v: Floats) -> Floats:
        """How far the surface lies above the plane through the anchor [m]."""
        height = 0.5 * self.curvature * np.asarray(v) ** 2
        for amplitude, along, up, phase in self.waves if self.waves is not None else ():
            height = height + amplitude * np.cos(along * u + up * v + phase)
        return height

    def slope(self, u: Floats, v: Floats) -> Floats:
        """Steepness of the surface against that plane [m/m]."""
        across, upwards = np.zeros_like(u), self.curvature * np.asarray(v)
        for amplitude, along, up, phase in self.waves if self.waves is not None else ():
            wave = -amplitude * np.sin(along * u + up * v + phase)
            across, upwards = across + along * wave, upwards + up * wave
        return np.hypot(across, upwards)

    def distance(self, own: Floats) -> Floats:
        """Distance (n,) from the sheet [m] of places in its own coordinates (n, 3).

        Exact for a plane; to first order where it bends, and beyond its edges.
        """
        u, v, n = own.T
        aside = np.maximum(np.abs(u) - self.half_length, 0.0)
        beyond = np.maximum(np.abs(v) - self.half_height, 0.0)
        across = n / np.sqrt(1.0 + self.slope(u, v) ** 2)
        return np.sqrt(across**2 + aside**2 + beyond**2)


@dataclass(frozen=True, eq=False)
class FaultSurface:
    """A fault as it was interpreted: a triangulated surface.

    Attributes
    ----------
    name : str
    vertices : array of shape (n_vertices, 3)
        Easting, northing, elevation [m].
    triangles : int64 array of shape (n_triangles, 3)
        Rows of `vertices`, counter-clockwise seen from the hanging wall.
    """

    name: str
    vertices: Floats
    triangles: NDArray[np.int64]


def undulate(sheet: Sheet, rng: np.random.Generator) -> Sheet:
    """Return the sheet with waves of some 300 m and an amplitude of 9 m."""
    lengths = rng.uniform(*_WAVELENGTHS, _N_WAVES)
    heading = rng.uniform(0.0, np.pi) + np.arange(_N_WAVES) * np.pi / _N_WAVES
    number = 2 * np.pi / lengths
    amplitude = np.full(_N_WAVES, _UNDULATION / np.sqrt(_N_WAVES))
    phase = rng.uniform(0.0, 2 * np.pi, _N_WAVES)
    waves = [amplitude, number * np.cos(heading), number * np.sin(heading), phase]
    return replace(sheet, waves=np.column_stack(waves))


def interpret(sheet: Sheet, rng: np.random.Generator) -> Sheet:
    """Return the sheet as a geologist draws it from outcrops and holes: smooth, and a little off."""
    return replace(
        sheet,
        anchor=tuple(np.asarray(sheet.anchor) + rng.uniform(-_ANCHOR_ERROR, _ANCHOR_ERROR, 3)),
        strike=sheet.strike + rng.uniform(-_ANGLE_ERROR, _ANGLE_ERROR),
        dip=min(89.5, sheet.dip + rng.uniform(-_ANGLE_ERROR, _ANGLE_ERROR)),
        curvature=sheet.curvature * rng.uniform(*_BENDING),
        waves=None,
    )


def mesh(sheet: Sheet, spacing: float) -> FaultSurface:
    """Triangles of about `spacing` [m] over all of the sheet."""
    half = (sheet.half_length, sheet.half_height)
    counts = [max(2, round(2 * each / spacing) + 1) for each in half]
    u, v = (np.linspace(-each, each, n) for each, n in zip(half, counts, strict=True))
    places = sheet.place(*(each.ravel() for each in np.meshgrid(u, v, indexing="ij")))
    corner = np.arange(counts[0] * counts[1]).reshape(counts)
    a, b, c, d = (
        part.ravel()
        for part in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:])
    )
    triangles = np.vstack([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    return FaultSurface(sheet.name, places, triangles)


def keep_triangles(surface: FaultSurface, is_kept: NDArray[np.bool_]) -> FaultSurface:
    """Return the surface of some of its triangles, without vertices that none of them needs."""
    triangles = surface.triangles[is_kept]
    used, fresh = np.unique(triangles, return_inverse=True)
    fresh = fresh.reshape(triangles.shape).astype(np.int64)
    return FaultSurface(surface.name, surface.vertices[used], fresh)


def nearest_distance(sheets: Sequence[Sheet], owns: Sequence[Floats]) -> Floats:
    """Distance (n,) [m] from the nearest of the sheets, given the coordinates of points on each."""
    nearest = np.full(len(owns[0]) if len(owns) else 0, np.inf)
    for sheet, own in zip(sheets, owns, strict=True):
        np.minimum(nearest, sheet.distance(own), out=nearest)
    return nearest
