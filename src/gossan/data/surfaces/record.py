"""The record of a triangulated surface: a fault, a contact, the ground.

Corners and triangles come in; a `Surface` goes out, turned to one side where that matters.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from gossan._checks import GossanWarning

__all__ = ["Surface", "as_surface", "has_no_area"]

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
        is_flat = has_no_area(corners)
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


def as_surface(given: Any) -> Surface:
    """Return a `Surface`: as it is, or made of anything with `vertices` and `triangles`.

    Parameters
    ----------
    given : Surface or other object

    Returns
    -------
    surface : Surface

    Raises
    ------
    TypeError
        If it has no vertices or triangles.
    ValueError
        If these make no surface.
    """
    if isinstance(given, Surface):
        return given
    if not (hasattr(given, "vertices") and hasattr(given, "triangles")):
        raise TypeError(
            f"A surface has vertices and triangles, got {type(given).__name__}. Make a Surface of"
            " them."
        )
    return Surface(given.vertices, given.triangles, getattr(given, "name", "surface"))


def has_no_area(corners: Floats) -> NDArray[np.bool_]:
    """Tell which triangles have no area but for rounding.

    Parameters
    ----------
    corners : array of shape (n_triangles, 3, 3)
        Easting, northing, elevation [m] of the three corners.

    Returns
    -------
    is_flat : bool array of shape (n_triangles,)

    Examples
    --------
    >>> has_no_area(np.array([[[0.0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 0, 0], [1, 0, 0], [0, 1, 0]]]))
    array([ True, False])
    """
    sides = corners[:, 1:] - corners[:, :1]
    doubled = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    return doubled <= 1e-12 * np.maximum((sides**2).sum(axis=(1, 2)), 1e-300)


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
