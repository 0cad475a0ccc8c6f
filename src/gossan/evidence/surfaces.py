"""Surfaces of faults and contacts that no file holds: a plane, or a mapped trace with a dip.

A trace and its dip, or a plane, come in; a `Surface` goes out, whose distance from points or cells
`gossan.evidence.proximity` measures. `gossan.data.read_surfaces` reads triangulated ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gossan.data.surfaces.record import Surface

__all__ = ["extrude_trace", "plane_surface"]

Floats = NDArray[np.float64]


def extrude_trace(
    trace: ArrayLike,
    dip: float,
    *,
    depth: float,
    dip_direction: float | None = None,
    elevation: float = 0.0,
    height: float = 0.0,
    name: str = "fault",
) -> Surface:
    """Surface of a mapped fault trace carried down its dip.

    Parameters
    ----------
    trace : array of shape (n, 2) or (n, 3)
        Easting, northing and, if known, elevation [m] along the trace.
    dip : float
        Angle below the horizontal [°], above 0 and up to 90.
    depth : float
        How far below the trace the surface reaches, measured vertically [m].
    dip_direction : float, optional
        Azimuth of the dip [°, clockwise from north]. Default: square to the right of the line from
        the first to the last point (the right-hand rule).
    elevation : float, default 0
        Of a trace without elevations [m].
    height : float, default 0
        How far above the trace it reaches, for ground that was eroded [m].
    name : str
        What it is, for messages.

    Returns
    -------
    surface : Surface
        Two triangles for each step of the trace.

    Raises
    ------
    ValueError
        If the trace has fewer than two different points, or dip or depth is out of range.

    Examples
    --------
    >>> surface = extrude_trace([[0, 0], [0, 100]], 60, depth=100)
    >>> surface.vertices[2:].round(1)
    array([[  57.7,    0. , -100. ],
           [  57.7,  100. , -100. ]])
    """
    line = _check_trace(trace, elevation, name)
    if not 0 < dip <= 90:
        raise ValueError(
            f"Dip of the {name} must be above 0 and up to 90 degrees, got {dip:g}. Give the angle"
            " below the horizontal, and dip_direction for its side."
        )
    if not depth > 0 or not height >= 0:
        raise ValueError(
            f"Depth of the {name} must be positive and height not negative, got {depth:g} and"
            f" {height:g}. Give metres below and above the trace."
        )
    run = line[-1, :2] - line[0, :2]
    if dip_direction is None and not run.any():
        raise ValueError(
            f"The trace of the {name} ends where it begins, so its dip has no side. Give"
            " dip_direction."
        )
    right = np.arctan2(run[0], run[1]) + np.pi / 2
    azimuth = right if dip_direction is None else np.radians(dip_direction)
    flat = 0.0 if dip == 90 else 1 / np.tan(np.radians(dip))
    down = np.array([np.sin(azimuth) * flat, np.cos(azimuth) * flat, -1.0])
    vertices = np.vstack([line - height * down, line + depth * down])
    n = len(line)
    first = np.arange(n - 1)
    triangles = np.vstack(
        [
            np.column_stack([first, first + 1, first + n]),
            np.column_stack([first + 1, first + n + 1, first + n]),
        ]
    )
    return Surface(vertices, triangles, name)


def plane_surface(
    anchor: ArrayLike,
    dip_direction: float,
    dip: float,
    *,
    half_length: float,
    half_height: float,
    name: str = "fault",
) -> Surface:
    """Rectangle of a planar fault around an anchor point.

    Parameters
    ----------
    anchor : (easting, northing, elevation)
        Centre of the rectangle [m].
    dip_direction, dip : float
        Azimuth of the dip [°, clockwise from north] and angle below the horizontal [°].
    half_length, half_height : float
        Half of the extent along strike and along dip [m].
    name : str
        What it is, for messages.

    Returns
    -------
    surface : Surface
        Of two triangles.

    Raises
    ------
    ValueError
        If the anchor is not a finite point, an extent is not positive, or the dip is out of range.

    Examples
    --------
    >>> plane_surface((0, 0, 0), 90, 90, half_length=10, half_height=5).vertices.round(1) + 0.0
    array([[  0., -10.,   5.],
           [  0.,  10.,   5.],
           [  0.,  10.,  -5.],
           [  0., -10.,  -5.]])
    """
    centre = np.asarray(anchor, dtype=float)
    if centre.shape != (3,) or not np.isfinite(centre).all():
        raise ValueError(
            f"Anchor of the {name} must be (easting, northing, elevation), got {anchor!r}. Give"
            " three finite numbers [m]."
        )
    if not (half_length > 0 and half_height > 0):
        raise ValueError(
            f"Extents of the {name} must be positive, got {half_length:g} and {half_height:g}."
            " Give half of the length and of the height [m]."
        )
    strike, down, _ = plane_axes(dip_direction, dip, name=name)
    left, up = half_length * strike, -half_height * down
    vertices = centre + np.array([-left + up, left + up, left - up, -left - up])
    return Surface(vertices, np.array([[0, 1, 2], [0, 2, 3]]), name)


def plane_axes(dip_direction: float, dip: float, *, name: str = "plane") -> tuple[Floats, ...]:
    """Return unit vectors (east, north, up) along strike, down dip, and upwards from a plane."""
    if not (0 <= dip <= 90 and np.isfinite(dip_direction)):
        raise ValueError(
            f"Dip of the {name} must be between 0 and 90 degrees, got {dip:g} towards"
            f" {dip_direction:g}. Give the angle below the horizontal."
        )
    azimuth, angle = np.radians(dip_direction), np.radians(dip)
    down = np.array(
        [np.sin(azimuth) * np.cos(angle), np.cos(azimuth) * np.cos(angle), -np.sin(angle)]
    )
    strike = np.array([-np.cos(azimuth), np.sin(azimuth), 0.0])  # dips to the right of it
    return strike, down, np.cross(down, strike)


def _check_trace(trace: ArrayLike, elevation: float, name: str) -> Floats:
    """Return the points of a trace with elevations, repeated ones left out."""
    line = np.asarray(trace, dtype=float)
    if line.ndim != 2 or line.shape[1] not in {2, 3} or not np.isfinite(line).all():
        raise ValueError(
            f"The trace of the {name} must be finite and have shape (n, 2) or (n, 3), got shape"
            f" {line.shape}. Give easting and northing of its points [m]."
        )
    if line.shape[1] == 2:
        line = np.column_stack([line, np.full(len(line), float(elevation))])
    is_new = np.concatenate([[True], (np.diff(line, axis=0) != 0).any(axis=1)])
    if is_new.sum() < 2:
        raise ValueError(
            f"The trace of the {name} needs two different points or more, got"
            f" {int(is_new.sum())}. Leave it out, or measure the distance to a point."
        )
    return line[is_new]
