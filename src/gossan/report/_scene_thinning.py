"""What is too much for a smooth 3D view, made less: triangles, pieces of traces, cells.

Arrays and a limit come in; fewer of them and a sentence that says so go out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan.plot.volumes import Mesh, simplify_mesh
from gossan.report._writing import metres


@dataclass(frozen=True, eq=False)
class Pieces:
    """Straight pieces of drill traces.

    Attributes
    ----------
    points : array of shape (n, 3)
        [m]
    starts, ends : array of shape (m,)
        Row numbers of the points at both ends of each piece.
    holes : array of shape (m,)
        Hole of each piece.
    values, from_depths, to_depths : array of shape (m,) or None
        Grade, and depths of both ends [m].
    """

    points: NDArray[np.float64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    holes: NDArray
    values: NDArray[np.float64] | None
    from_depths: NDArray[np.float64] | None
    to_depths: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.starts)


def pieces_of(layer: Any) -> Pieces:
    """Return the pieces between neighbouring points of one hole."""
    points = np.asarray(layer.points, dtype=float)
    holes = np.asarray(layer.holes).astype(str)
    is_known = np.isfinite(points).all(axis=1)
    starts = np.flatnonzero((holes[:-1] == holes[1:]) & is_known[:-1] & is_known[1:])
    used, renamed = np.unique(np.concatenate([starts, starts + 1]), return_inverse=True)
    values = None if layer.values is None else np.asarray(layer.values, dtype=float)[starts]
    depths = None if layer.depths is None else np.asarray(layer.depths, dtype=float)
    return Pieces(
        points[used],
        renamed[: len(starts)],
        renamed[len(starts) :],
        holes[starts],
        values,
        None if depths is None else depths[starts],
        None if depths is None else depths[starts + 1],
    )


def thin_meshes(meshes: list[Mesh], most: int) -> tuple[list[Mesh], str]:
    """Return surfaces with at most `most` triangles together, each with its share."""
    n_all = sum(map(len, meshes))
    if n_all <= most:
        return meshes, ""
    thinned = [
        simplify_mesh(mesh.vertices, mesh.triangles, max(1, int(most * len(mesh) / n_all)))
        if len(mesh)
        else mesh
        for mesh in meshes
    ]
    n_left, shift = sum(map(len, thinned)), max(mesh.shift for mesh in thinned)
    return thinned, (
        f"Surfaces are simplified from {n_all:,} to {n_left:,} triangles; no point of them moved by"
        f" more than {metres(shift)} m."
    )


def thin_pieces(traces: list[Pieces], most: int) -> tuple[list[Pieces], str]:
    """Return traces of at most about `most` pieces together, neighbours of a hole joined."""
    n_all = sum(map(len, traces))
    if n_all <= most:
        return traces, ""
    step = math.ceil(n_all / most)
    thinned = [_joined(pieces, step) for pieces in traces]
    while sum(map(len, thinned)) > most and step < n_all:  # short holes leave remainders
        step += max(1, step // 8)
        thinned = [_joined(pieces, step) for pieces in traces]
    return thinned, (
        f"Traces are drawn in {sum(map(len, thinned)):,} pieces instead of {n_all:,}: up to {step}"
        " neighbours of a hole share their length-weighted mean grade."
    )


def _joined(pieces: Pieces, step: int) -> Pieces:
    """Join runs of up to `step` pieces that follow one another in a hole."""
    if not len(pieces):
        return pieces
    is_new = np.ones(len(pieces), bool)
    is_new[1:] = pieces.starts[1:] != pieces.ends[:-1]
    is_new[1:] |= pieces.holes[1:] != pieces.holes[:-1]
    firsts = np.flatnonzero(is_new)
    along = np.arange(len(pieces)) - np.repeat(firsts, np.diff([*firsts, len(pieces)]))
    heads = np.flatnonzero(along % step == 0)
    tails = np.append(heads[1:], len(pieces)) - 1
    return replace(
        pieces,
        starts=pieces.starts[heads],
        ends=pieces.ends[tails],
        holes=pieces.holes[heads],
        values=_mean_grades(pieces, heads),
        from_depths=None if pieces.from_depths is None else pieces.from_depths[heads],
        to_depths=None if pieces.to_depths is None else pieces.to_depths[tails],
    )


def _mean_grades(pieces: Pieces, heads: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the length-weighted mean of what is known in each run."""
    if pieces.values is None:
        return None
    ends = pieces.points[pieces.ends] - pieces.points[pieces.starts]
    is_known = np.isfinite(pieces.values)
    lengths = np.where(is_known, np.maximum(np.linalg.norm(ends, axis=1), 1e-9), 0.0)
    weights = np.add.reduceat(lengths, heads)
    sums = np.add.reduceat(np.where(is_known, pieces.values, 0.0) * lengths, heads)
    with np.errstate(invalid="ignore"):
        return np.where(weights > 0, sums / weights, np.nan)


def cell_step(shape: tuple[int, ...], most: int, longest: int) -> int:
    """Return which cells of a block model to show: every one, every second, ...

    Examples
    --------
    >>> cell_step((100, 200, 200), 4_000_000, 2048), cell_step((100, 200, 201), 4_000_000, 2048)
    (1, 2)
    """
    step = max(1, math.ceil(max(shape) / longest))
    while math.prod(math.ceil(n / step) for n in shape) > most:
        step += 1
    return step
