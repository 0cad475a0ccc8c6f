"""Orebodies: lenses on a sheet, thick in the middle, with a ragged edge.

The coordinates of points on a sheet [m] come in; whether they lie in ore, and in which body, go
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RAGGED = 0.35  # weight of the field of shape in the thickness
_THINNEST = 2.0  # m
NO_BODY = -1


@dataclass(frozen=True)
class Body:
    """A lens of ore and its halo.

    Attributes
    ----------
    name : str
    sheet : int
        On which it lies, counted in the sheets of the world.
    u, v : float
        Its middle, along the strike and up the dip of the sheet [m].
    half_length, half_height, half_thickness : float
        Along strike, up the dip and across [m].
    grade : float
        Factor on its halo.
    breadth : float
        Standard deviation of its halo up the dip [half heights].
    is_blind : bool
        Deep, and hit by no hole.
    """

    name: str
    sheet: int
    u: float
    v: float
    half_length: float
    half_height: float
    half_thickness: float
    grade: float
    breadth: float
    is_blind: bool

    def frame(self, own: Floats) -> Floats:
        """r, t (1 at the ends of the body) and n [m] of places in coordinates of its sheet."""
        frame = own.copy()
        frame[:, 0] = (own[:, 0] - self.u) / self.half_length
        frame[:, 1] = (own[:, 1] - self.v) / self.half_height
        return frame


def ore_margin(body: Body, frame: Floats, shape: Floats) -> Floats:
    """How far (n,) points lie inside the body, across it [m]; negative outside.

    Inside is |n| < w sqrt(max(0, 1 - r² - t² + 0.35 G)), where the body is 2 m thick or more.
    """
    r, t, n = frame.T
    half = body.half_thickness * np.sqrt(np.maximum(0.0, 1.0 - r**2 - t**2 + _RAGGED * shape))
    return np.where(2.0 * half > _THINNEST, half, 0.0) - np.abs(n)


def body_index(
    bodies: Sequence[Body], frames: Sequence[Floats], shape: Floats
) -> NDArray[np.int64]:
    """Body (n,) in which each point lies deepest, or -1."""
    deepest = np.zeros(len(shape))
    index = np.full(len(shape), NO_BODY, dtype=np.int64)
    for k, (body, frame) in enumerate(zip(bodies, frames, strict=True)):
        margin = ore_margin(body, frame, shape)
        deeper = margin > deepest
        index[deeper], deepest[deeper] = k, margin[deeper]
    return index


def lattice(body: Body, steps: tuple[float, float, float]) -> Floats:
    """Coordinates (n, 3) on its sheet [m] of a lattice around a body."""
    reach = (1.5 * body.half_length, 1.5 * body.half_height, 1.8 * body.half_thickness)
    axes = [
        middle + step * (np.arange(-np.ceil(far / step), np.ceil(far / step)) + 0.5)
        for middle, far, step in zip((body.u, body.v, 0.0), reach, steps, strict=True)
    ]
    return np.column_stack([each.ravel() for each in np.meshgrid(*axes, indexing="ij")])
