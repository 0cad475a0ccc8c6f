"""A mesh as a file holds it, and the surface that is left when it is cleaned.

Corners, triangles and the lines on which they stand come in; a checked `Surface` goes out, with
what was merged and dropped counted.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan.data._coordinates import FARTHEST
from gossan.data.surfaces.record import Surface, has_no_area

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST_DEGREES = 1.0
"""No larger than this is a property in degrees; a mine grid of 1 m is unheard of."""


class RefusedError(ValueError):
    """A file that is refused in words of ours, with its line."""


@dataclass(frozen=True)
class Mesh:
    """One object of a file.

    `vertices` has shape (n, 3), `triangles` (m, 3); `lines` tells the line or row of each vertex,
    where the format has lines. The corners of a `is_soup` repeat for every triangle, by its format.
    """

    name: str
    vertices: Floats
    triangles: Whole
    lines: Sequence[int] = ()
    is_soup: bool = False
    unit: str = "line"


def mesh_of(
    name: str, vertices: Any, triangles: Any, lines: Sequence[int] = (), **more: Any
) -> Mesh:
    """Return a mesh of whatever sequences of numbers."""
    corners = _as_places(vertices)
    faces = np.asarray(triangles, dtype=np.int64).reshape(-1, 3)
    return Mesh(name, corners, faces, lines, **more)


def soup_of(name: str, corners: Any, lines: Sequence[int] = (), **more: Any) -> Mesh:
    """Return a mesh of triangles that are written corner by corner, three each."""
    places = _as_places(corners)
    faces = np.arange(len(places)).reshape(-1, 3)
    return Mesh(name, places, faces, lines, is_soup=True, **more)


def fan(corners: Sequence[int]) -> Iterable[tuple[int, int, int]]:
    """Give the triangles of a polygon, all from its first corner.

    Examples
    --------
    >>> list(fan([4, 5, 6, 7]))
    [(4, 5, 6), (4, 6, 7)]
    """
    return ((corners[0], b, c) for b, c in itertools.pairwise(corners[1:]))


def clean_meshes(meshes: Iterable[Mesh]) -> tuple[list[Surface], Counter[str]]:
    """Return the surfaces of the meshes that have triangles, and what was merged and dropped.

    Raises
    ------
    RefusedError
        If coordinates are no places, look like degrees, a triangle names a vertex that is not
        there, or no triangle has an area.
    """
    counts: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    surfaces = []
    for mesh in meshes:
        if not len(mesh.triangles):
            continue
        cleaned = _clean(mesh, counts)
        if cleaned is None:
            counts["lost"] += 1
        else:
            name = " ".join(mesh.name.split()) or "surface"
            taken[name] += 1
            unique = name if taken[name] == 1 else f"{name} ({taken[name]})"
            surfaces.append(Surface(*cleaned, unique))
    if not surfaces:
        raise RefusedError(
            f"none of its {counts['triangles']} triangles has an area. Check the units and the order"
            " of the corners"
        )
    _refuse_degrees(surfaces)
    return surfaces, counts


def _as_places(numbers: Any) -> Floats:
    with np.errstate(invalid="ignore"):  # damaged single floats, which are refused later
        return np.asarray(numbers, dtype=float).reshape(-1, 3)


def _clean(mesh: Mesh, counts: Counter[str]) -> tuple[Floats, Whole] | None:
    """Return vertices, each once and in use, and triangles with an area; None if there are none."""
    n = len(mesh.vertices)
    if mesh.triangles.min() < 0 or mesh.triangles.max() >= n:
        bad = mesh.triangles[(mesh.triangles < 0) | (mesh.triangles >= n)][0]
        raise RefusedError(
            f"{mesh.name!r} has {n} vertices, but a triangle names number {bad} from 0. Export the"
            " surface again"
        )
    used = np.unique(mesh.triangles)
    _check_places(mesh, used)
    is_flat = has_no_area(mesh.vertices[mesh.triangles])
    counts["triangles"] += len(is_flat)
    counts["flat"] += int(is_flat.sum())
    if is_flat.all():
        return None
    used, inverse = np.unique(mesh.triangles[~is_flat], return_inverse=True)
    # + 0.0: what was written as -0 is no other place than 0
    unique, first, place = np.unique(
        mesh.vertices[used] + 0.0, axis=0, return_index=True, return_inverse=True
    )
    if not mesh.is_soup:
        counts["vertices"] += len(used)
        counts["repeated"] += len(used) - len(unique)
    order = np.argsort(first)  # in the order of the file
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return unique[order], rank[place.ravel()][inverse.ravel()].reshape(-1, 3)


def _check_places(mesh: Mesh, used: Whole) -> None:
    is_bad = ~(np.abs(mesh.vertices[used]) < FARTHEST).all(axis=1)  # NaN is not less either
    if not is_bad.any():
        return
    at = int(used[np.argmax(is_bad)])
    where = f"{mesh.unit} {mesh.lines[at]}" if len(mesh.lines) else f"vertex {at} from 0"
    given = ", ".join(f"{x + 0.0:g}" for x in mesh.vertices[at])
    raise RefusedError(
        f"{where}: {int(is_bad.sum())} vertices of {mesh.name!r} are no places, the first is"
        f" ({given}). Mend or delete them where they were made"
    )


def _refuse_degrees(surfaces: Sequence[Surface]) -> None:
    """Raise if the surfaces lie on the globe in degrees, within one and far higher than wide."""
    low = np.min([s.vertices.min(axis=0) for s in surfaces], axis=0)
    high = np.max([s.vertices.max(axis=0) for s in surfaces], axis=0)
    most = np.maximum(np.abs(low), np.abs(high))
    width = float((high - low)[:2].max())
    if most[0] <= 180 and most[1] <= 90 and width < MOST_DEGREES and high[2] - low[2] > 20 * width:
        raise RefusedError(
            f"its eastings ({low[0]:g} to {high[0]:g}) and northings ({low[1]:g} to {high[1]:g})"
            f" look like degrees beside elevations of {low[2]:g} to {high[2]:g}. Export it in"
            " projected metres (UTM, say)"
        )
