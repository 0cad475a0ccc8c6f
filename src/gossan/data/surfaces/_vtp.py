"""Surfaces as VTK poly data (.vtp): triangles, polygons and strips, named by a text for each cell.

A path comes in and meshes go out, or the reverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gossan.data.grids._vtkxml import Appended, VtkFile, read_file, write_file
from gossan.data.surfaces._mesh import Mesh, RefusedError, fan, mesh_of
from gossan.data.surfaces._names import is_name_header
from gossan.data.surfaces.record import Surface

_NAME = "surface"


def read_vtp(path: Path) -> list[Mesh]:
    """Read the polygons and strips of poly data; points and lines are passed over."""
    file = read_file(path, "PolyData")
    pieces = file.root[0].findall("Piece")
    if len(pieces) != 1:
        raise RefusedError(f"it has {len(pieces)} pieces. Save it as one")
    places = list(file.arrays("Piece/Points").values())
    if not places or places[0].ndim != 2 or places[0].shape[1] != 3:
        raise RefusedError("it holds no points of three coordinates. Save it anew")
    polygons = _cells(file, "Polys", len(places[0]))
    strips = _cells(file, "Strips", len(places[0]))
    triangles = [list(fan(cell)) for cell in polygons] + [_strip(cell) for cell in strips]
    if not any(triangles):
        raise RefusedError(
            "it holds no polygon and no strip, only points or lines. Read these with read_points"
        )
    names = _names(file, len(polygons), len(strips), path.stem)
    grouped: dict[str, list[tuple[int, int, int]]] = {}
    for name, some in zip(names, triangles, strict=True):
        grouped.setdefault(name, []).extend(some)
    return [mesh_of(name, places[0], some) for name, some in grouped.items()]


def write_vtp(surfaces: Sequence[Surface], path: Path) -> None:
    """Write all surfaces as one piece whose cells name their surface."""
    starts = np.cumsum([0, *(len(s.vertices) for s in surfaces)])[:-1]
    triangles = [s.triangles + n for s, n in zip(surfaces, starts, strict=True)]
    cells = np.concatenate(triangles)
    names = [s.name for s in surfaces for _ in range(len(s.triangles))]
    appended = Appended()
    points = np.concatenate([s.vertices for s in surfaces])
    place = appended.add("Points", points, n_components=3)
    named = appended.add_texts(_NAME, names)
    connectivity = appended.add("connectivity", cells.ravel())
    offsets = appended.add("offsets", 3 * np.arange(1, len(cells) + 1, dtype=np.int64))
    body = [
        "<PolyData>",
        f'<Piece NumberOfPoints="{len(points)}" NumberOfVerts="0" NumberOfLines="0"',
        f' NumberOfStrips="0" NumberOfPolys="{len(cells)}">',
        *("<CellData>", named, "</CellData>"),
        *("<Points>", place, "</Points>"),
        *("<Polys>", connectivity, offsets, "</Polys>"),
        *("</Piece>", "</PolyData>"),
    ]
    write_file(path, "PolyData", body, appended)


def _cells(file: VtkFile, kind: str, n_points: int) -> list[list[int]]:
    """Return the points of each cell of a kind."""
    arrays = file.arrays(f"Piece/{kind}")
    places = np.asarray(arrays.get("connectivity", []), dtype=np.int64).ravel()
    ends = np.asarray(arrays.get("offsets", []), dtype=np.int64).ravel()
    if not len(places) and not len(ends):
        return []
    is_rising = len(ends) > 0 and (np.diff(ends, prepend=0) >= 0).all() and ends[-1] == len(places)
    if not is_rising or places.min(initial=0) < 0 or places.max(initial=-1) >= n_points:
        raise RefusedError(
            f"its {kind} name {len(places)} of {n_points} points in {len(ends)} cells that do not"
            " agree. Save it anew"
        )
    return [cell.tolist() for cell in np.split(places, ends[:-1])]


def _strip(cell: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return the triangles of a strip, every other one turned."""
    return [
        (cell[i], cell[i + 1 + i % 2], cell[i + 2 - i % 2]) for i in range(max(0, len(cell) - 2))
    ]


def _names(file: VtkFile, n_polygons: int, n_strips: int, default: str) -> list[str]:
    """Return the name of each polygon and strip: the first text or code of cells that is one."""
    n = n_polygons + n_strips
    for title, values in file.arrays("Piece/CellData").items():
        # Cells stand in the order of vertices, lines, polygons and strips.
        if is_name_header(title) and values.ndim == 1 and len(values) >= n:
            return [str(word).strip() or default for word in _last(values, n)]
    return [default] * n


def _last(values: NDArray, n: int) -> list:
    return values[len(values) - n :].tolist()
