"""Surfaces of faults and contacts: triangulated, a plane, or a mapped trace with a dip.

Corners and triangles, or a trace and its dip, come in; a `Surface` goes out, whose distance from
points or cells `gossan.evidence.proximity` measures.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from gossan._checks import GossanWarning

__all__ = ["Surface", "extrude_trace", "plane_surface"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Surface:
    """A triangulated surface.

    Attributes
    ----------
    vertices : array of shape (n_vertices, 3)
        Easting, northing, elevation [m].
    triangles : int array of shape (n_triangles, 3)
        Row numbers of the corners in `vertices`, from 0.
    name : str
        What it is, for messages.

    Raises
    ------
    ValueError
        If a vertex is not finite, or a triangle names a vertex that is not there.
    """

    vertices: Floats
    triangles: NDArray[np.int64]
    name: str = "surface"

    def __post_init__(self) -> None:
        vertices = np.asarray(self.vertices, dtype=float)
        triangles = np.asarray(self.triangles)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
            raise ValueError(
                f"Vertices of the {self.name} must be finite and have shape (n, 3), got shape"
                f" {vertices.shape}. Give easting, northing and elevation [m] of each."
            )
        if triangles.ndim != 2 or triangles.shape[1] != 3 or triangles.dtype.kind not in "iu":
            raise ValueError(
                f"Triangles of the {self.name} must be whole numbers of shape (n, 3), got"
                f" {triangles.dtype} of shape {triangles.shape}. Give three row numbers each."
            )
        if triangles.size == 0 or triangles.min() < 0 or triangles.max() >= len(vertices):
            held = f"{triangles.min()} to {triangles.max()}" if triangles.size else "no triangle"
            raise ValueError(
                f"Triangles of the {self.name} must name vertices 0 to {len(vertices) - 1}, got"
                f" {held}. Count from 0."
            )
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "triangles", triangles.astype(np.int64))

    def corners(self) -> Floats:
        """Corners of the triangles, those without area left out with a warning.

        Returns
        -------
        corners : array of shape (n_triangles, 3, 3)

        Raises
        ------
        ValueError
            If no triangle has an area.
        """
        corners = self.vertices[self.triangles]
        sides = corners[:, 1:] - corners[:, :1]
        doubled = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
        is_flat = doubled <= 1e-12 * np.maximum((sides**2).sum(axis=(1, 2)), 1e-300)
        if is_flat.all():
            raise ValueError(
                f"The {self.name} has no triangle with an area ({len(corners)} given). Check the"
                " units and the order of the vertices."
            )
        if is_flat.any():
            warnings.warn(
                f"{is_flat.sum()} of {len(corners)} triangles of the {self.name} have no area and"
                " were left out.",
                GossanWarning,
                stacklevel=3,
            )
        return corners[~is_flat]

    def facing_up(self) -> Surface:
        """The surface with all its triangles turned to one side: upwards on the whole.

        Neighbours are turned alike through their shared edges, so that a fault that steepens and
        overturns keeps one hanging wall. A vertical one faces east, or north if it strikes east.

        Returns
        -------
        surface : Surface
        """
        is_turned, labels = _turns(self.triangles)
        triangles = self.triangles.copy()
        triangles[is_turned] = triangles[is_turned][:, [0, 2, 1]]
        corners = self.vertices[triangles]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        for piece in range(labels.max() + 1):
            mean = normals[labels == piece].sum(axis=0)[[2, 0, 1]]  # up, then east, then north
            clear = mean[np.abs(mean) > 1e-9 * np.abs(mean).max()]
            if len(clear) and clear[0] < 0:
                members = labels == piece
                triangles[members] = triangles[members][:, [0, 2, 1]]
        return Surface(self.vertices, triangles, self.name)


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


def _turns(triangles: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Return which triangles to turn to agree with their neighbours, and the piece each is in."""
    n = len(triangles)
    starts = triangles[:, [0, 1, 2]].ravel()
    ends = triangles[:, [1, 2, 0]].ravel()
    owners = np.repeat(np.arange(n), 3)
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    order = np.lexsort((high, low))
    low, high, owners, is_up = low[order], high[order], owners[order], (starts < ends)[order]
    pairs = np.flatnonzero((low[1:] == low[:-1]) & (high[1:] == high[:-1]))
    first, second = owners[pairs], owners[pairs + 1]
    clash = is_up[pairs] == is_up[pairs + 1]  # neighbours that agree run along an edge both ways
    rows, columns = np.r_[first, second], np.r_[second, first]
    # The same two triangles may share two edges; either tells how they lie.
    keys, at = np.unique(rows * n + columns, return_index=True)
    marks = np.where(np.r_[clash, clash][at], 2, 1)
    graph = csr_array((marks, (keys // n, keys % n)), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    is_turned = np.zeros(n, dtype=bool)
    edges = dict(zip(keys.tolist(), marks.tolist(), strict=True))
    for piece in range(labels.max() + 1):
        root = int(np.argmax(labels == piece))
        path, parents = breadth_first_order(graph, root, directed=False)
        for node in path[1:].tolist():
            parent = int(parents[node])
            is_turned[node] = is_turned[parent] ^ (edges[parent * n + node] == 2)
    return is_turned, labels
