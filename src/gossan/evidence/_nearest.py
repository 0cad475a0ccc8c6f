"""Exact distances from many points to many triangles or segments.

Points and shapes come in; for each point the distance to the nearest shape and its number go out.
Boxes of points are cut up; with each box go only the shapes that can be nearest to a point in it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_MOST_PAIRS = 200_000  # point-shape pairs computed at once, small enough for the cache
_FEW_POINTS = 256  # in a box: cutting it costs more than it saves
_FEW_SHAPES = 8
_TIE = 1e-9  # relative: shapes that meet at an edge are equally near


class Shapes(Protocol):
    """What can be asked how far it is from points; `corners` has shape (n_shapes, k, n_dims)."""

    corners: Floats

    def foot(self, point: Floats, shape: int) -> Floats:
        """Point of one shape that is nearest to a point."""

    def squared(self, points: Floats, chosen: Places) -> Floats:
        """Squared distances of points to the chosen shapes, shape (n_points, n_chosen)."""

    def heights(self, points: Floats, chosen: Places) -> Floats:
        """Signed distances of points from the planes of the shapes, shape (n_points, n_chosen)."""


class Triangles:
    """Triangles with corners (n, 3, 3), each in the frame of its own plane."""

    def __init__(self, corners: Floats) -> None:
        self.corners = corners
        origin, second, third = corners[:, 0], corners[:, 1], corners[:, 2]
        base, side = second - origin, third - origin
        self.width = np.linalg.norm(base, axis=1)
        self.along = base / self.width[:, None]
        normal = np.cross(base, side)
        self.normal = normal / np.linalg.norm(normal, axis=1)[:, None]
        self.across = np.cross(self.normal, self.along)
        self.origin = origin
        axes = (self.along, self.across, self.normal)
        self.frame = [(axis, np.einsum("ij,ij->i", origin, axis)) for axis in axes]
        self.apex = np.einsum("ij,ij->i", side, self.along)
        self.top = np.einsum("ij,ij->i", side, self.across)

    def foot(self, point: Floats, shape: int) -> Floats:
        """Point of one triangle that is nearest to a point."""
        one = np.array([shape])
        u, v = (float(self._place(axis, point[None], one)[0, 0]) for axis in (0, 1))
        b, c, d = self.width[shape], self.apex[shape], self.top[shape]
        edges = ((0.0, 0.0, b, 0.0), (0.0, 0.0, c, d), (b, 0.0, c - b, d))
        if not (v >= 0 and u * d >= v * c and (u - b) * d <= v * (c - b)):
            feet = [_foot_on_edge(u, v, edge) for edge in edges]
            u, v = min(feet, key=lambda foot: (foot[0] - u) ** 2 + (foot[1] - v) ** 2)
        return self.origin[shape] + u * self.along[shape] + v * self.across[shape]

    def squared(self, points: Floats, chosen: Places) -> Floats:
        """Squared distances of points to the chosen triangles."""
        u, v = self._place(0, points, chosen), self._place(1, points, chosen)
        b, c, d = self.width[chosen], self.apex[chosen], self.top[chosen]
        inside = (v >= 0) & (u * d >= v * c) & ((u - b) * d <= v * (c - b))
        flat = (u - np.minimum(np.maximum(u, 0.0), b)) ** 2 + v**2
        np.minimum(flat, _to_edge(u, v, c, d), out=flat)
        np.minimum(flat, _to_edge(u - b, v, c - b, d), out=flat)
        flat[inside] = 0.0
        return flat + self.heights(points, chosen) ** 2

    def heights(self, points: Floats, chosen: Places) -> Floats:
        """Signed distances of points from the planes of the chosen triangles."""
        return self._place(2, points, chosen)

    def _place(self, number: int, points: Floats, chosen: Places) -> Floats:
        """Coordinates of points on one axis of the frames: along, across or normal."""
        axis, zero = self.frame[number]
        answer = points @ axis[chosen].T
        answer -= zero[chosen]
        return answer


class Segments:
    """Straight segments from starts (n, d) to ends (n, d), in two or three dimensions."""

    def __init__(self, starts: Floats, ends: Floats) -> None:
        self.corners = np.stack([starts, ends], axis=1)
        self.starts, self.steps = starts, ends - starts
        self.squares = np.maximum((self.steps**2).sum(axis=1), np.finfo(float).tiny)

    def foot(self, point: Floats, shape: int) -> Floats:
        """Point of one segment that is nearest to a point."""
        start, step = self.starts[shape], self.steps[shape]
        return start + np.clip((point - start) @ step / self.squares[shape], 0.0, 1.0) * step

    def squared(self, points: Floats, chosen: Places) -> Floats:
        """Squared distances of points to the chosen segments."""
        starts, steps = self.starts[chosen], self.steps[chosen]
        share = points @ steps.T - np.einsum("ij,ij->i", starts, steps)
        share = np.clip(share / self.squares[chosen], 0.0, 1.0)
        answer = np.zeros_like(share)
        for axis in range(points.shape[1]):
            answer += (points[:, axis, None] - starts[:, axis] - share * steps[:, axis]) ** 2
        return answer

    def heights(self, points: Floats, chosen: Places) -> Floats:
        """Signed distances from the lines in the plane: positive on the left of the direction."""
        starts, steps = self.starts[chosen], self.steps[chosen]
        east = points[:, 0, None] - starts[:, 0]
        north = points[:, 1, None] - starts[:, 1]
        return (steps[:, 0] * north - steps[:, 1] * east) / np.sqrt(self.squares[chosen])


def nearest(
    points: Floats, shapes: Shapes, n_shapes: int, *, signed: bool = False
) -> tuple[Floats, Places]:
    """Return the distance of each point to the nearest shape, and which that is.

    `signed` gives the distance the sign of the side of the nearest shape's plane on which the point
    lies. Where several shapes meet, the one seen most squarely decides, which is right at folds.
    """
    distances, which = np.empty(len(points)), np.empty(len(points), dtype=np.int64)
    boxes = [(np.arange(len(points)), np.arange(n_shapes))]
    while boxes:
        rows, chosen = boxes.pop()
        inside = points[rows]
        low, high = inside.min(axis=0), inside.max(axis=0)
        centre, half = (low + high) / 2, (high - low) / 2
        if len(chosen) > 1:
            chosen = _within_reach(centre, half, shapes, chosen)
        pieces = [rows]
        if len(rows) > _FEW_POINTS and len(chosen) > _FEW_SHAPES:
            pieces = _cut(inside, rows, centre, half)
        if len(pieces) == 1:  # few, or all in one place
            _measure(inside, rows, chosen, shapes, (distances, which), signed=signed)
        else:
            boxes += [(piece, chosen) for piece in pieces]
    return distances, which


def _cut(points: Floats, rows: Places, centre: Floats, half: Floats) -> list[Places]:
    """Return the rows of the points in each of the boxes into which a box is cut."""
    # Eight boxes at once far up, two near the end, so that the last are neither small nor large.
    axes = np.flatnonzero(half > 0.6 * half.max())
    axes = axes if len(rows) > 8 * _FEW_POINTS else np.array([half.argmax()])
    corner = (points[:, axes] > centre[axes]) @ (1 << np.arange(len(axes)))
    order = np.argsort(corner, kind="stable")
    return np.split(rows[order], np.flatnonzero(np.diff(corner[order])) + 1)


def _within_reach(centre: Floats, half: Floats, shapes: Shapes, chosen: Places) -> Places:
    """Return the shapes that can be the nearest to a point of the box with these half sides.

    For points q of a shape and the foot f of the centre c, the difference |p-q|² - |p-f|² changes
    linearly with p, by at most 2·half·|q-f| within the box: where it is more than that at c, the
    shape is nowhere nearer than f. Far from the surface this leaves far fewer than a sphere does.
    """
    gaps = shapes.squared(centre[None], chosen)[0]
    best = int(gaps.argmin())
    foot = shapes.foot(centre, int(chosen[best]))
    slack = 2 * (np.abs(shapes.corners[chosen] - foot) @ half).max(axis=1)
    return chosen[gaps - gaps[best] <= slack + 1e-9 * (gaps + 1.0)]


def _measure(
    points: Floats,
    rows: Places,
    chosen: Places,
    shapes: Shapes,
    answers: tuple[Floats, Places],
    *,
    signed: bool,
) -> None:
    """Write distance and nearest shape of each point into `answers`."""
    distances, which = answers
    step = max(1, _MOST_PAIRS // len(chosen))
    for start in range(0, len(rows), step):
        part, some = rows[start : start + step], points[start : start + step]
        squared = shapes.squared(some, chosen)
        best = squared.argmin(axis=1)
        least = np.sqrt(squared[np.arange(len(part)), best])
        if signed:
            heights = shapes.heights(some, chosen)
            is_tied = squared <= (least * (1 + _TIE) + _TIE)[:, None] ** 2
            best = np.where(is_tied, np.abs(heights), -1.0).argmax(axis=1)
            least = np.where(heights[np.arange(len(part)), best] < 0, -least, least)
        distances[part], which[part] = least, chosen[best]


def _to_edge(u: Floats, v: Floats, width: Floats, height: Floats) -> Floats:
    """Return squared distances in a plane from (u, v) to the segment (0, 0)-(width, height)."""
    share = u * (width / (width**2 + height**2))
    share += v * (height / (width**2 + height**2))
    np.minimum(np.maximum(share, 0.0, out=share), 1.0, out=share)
    across = v - share * height
    share *= width
    np.subtract(u, share, out=share)
    return share * share + across * across


def _foot_on_edge(
    u: float, v: float, edge: tuple[float, float, float, float]
) -> tuple[float, float]:
    """Return the point of an edge (start, step) in a plane that is nearest to (u, v)."""
    start_u, start_v, width, height = edge
    share = ((u - start_u) * width + (v - start_v) * height) / (width**2 + height**2)
    share = min(max(share, 0.0), 1.0)
    return start_u + share * width, start_v + share * height
