"""Surfaces in text DXF: 3DFACE and polyface meshes, gathered by layer.

A path comes in and meshes go out. Source of the format: Autodesk, DXF Reference,
https://help.autodesk.com/view/OARX/2024/ENU/?guid=GUID-235B22E0-A567-4CF6-92D3-38A2306D73F3
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gossan.data.surfaces._lines import bad_line, read_lines, to_numbers, to_whole
from gossan.data.surfaces._mesh import Mesh, RefusedError, fan, mesh_of, soup_of

_BINARY = b"AutoCAD Binary DXF"
_POLYFACE = 64  # of a POLYLINE, code 70
_IS_PLACE, _IS_FACE = 64, 128  # of its VERTEX

Entity = tuple[str, int, dict[int, tuple[str, int]]]


@dataclass
class _Layer:
    """Faces of a layer: corners one by one, and whole polyface meshes."""

    corners: list[list[float]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    vertices: list[list[float]] = field(default_factory=list)
    vertex_lines: list[int] = field(default_factory=list)
    triangles: list[tuple[int, int, int]] = field(default_factory=list)

    def mesh(self, name: str) -> Mesh:
        """Return all faces of the layer as one mesh."""
        soup = soup_of(name, self.corners, self.lines)
        if not self.triangles:
            return soup
        moved = np.array(self.triangles) + len(self.corners)
        return mesh_of(
            name, [*self.corners, *self.vertices], [*soup.triangles.tolist(), *moved.tolist()],
            [*self.lines, *self.vertex_lines], is_soup=bool(self.corners),
        )  # fmt: skip


def read_dxf(path: Path) -> list[Mesh]:
    """Read the faces of each layer; lines, texts and blocks are passed over."""
    with path.open("rb") as file:
        if file.read(len(_BINARY)) == _BINARY:
            raise RefusedError("it is a binary DXF. Save it as text (ASCII) DXF")
    layers: dict[str, _Layer] = {}
    passed: Counter[str] = Counter()
    entities = _entities(read_lines(path))
    for entity in entities:
        kind, _, values = entity
        layer = layers.setdefault(_text(values, 8, "0"), _Layer())
        if kind == "3DFACE":
            _take_face(entity, layer)
        elif kind == "POLYLINE" and _flag(entity) & _POLYFACE:
            _take_polyface(entities, layer)
        else:
            passed[kind] += 1
    meshes = [layer.mesh(name) for name, layer in layers.items()]
    if not any(len(mesh.triangles) for mesh in meshes):
        held = ", ".join(f"{n} {kind}" for kind, n in passed.most_common(5)) or "no entities"
        raise RefusedError(
            f"it holds no 3DFACE and no polyface mesh, but {held}. Export triangles as 3DFACE, with"
            " blocks exploded"
        )
    return meshes


def _entities(lines: list[str]) -> Iterator[Entity]:
    """Give kind, line and values by code of what stands in the section of entities."""
    pairs = _pairs(lines)
    section, name, start = "", "", 0
    values: dict[int, tuple[str, int]] = {}
    is_whole = False
    for code, text, number in pairs:
        if code != 0:
            if name == "SECTION" and code == 2:
                section = text.upper()
            values.setdefault(code, (text, number))
            continue
        if section == "ENTITIES" and name not in {"", "SECTION", "ENDSEC"}:
            yield name, start, values
        name, start, values = text.upper(), number, {}
        is_whole = name == "EOF"
        if name in {"ENDSEC", "EOF"}:
            section = ""
    if not is_whole:
        raise RefusedError("it does not end with EOF: the file is cut short. Export it again")


def _pairs(lines: list[str]) -> Iterator[tuple[int, str, int]]:
    """Give code, value and line of each pair of lines."""
    while lines and not lines[-1].strip():
        lines.pop()
    for at in range(0, len(lines) - 1, 2):
        yield to_whole(lines[at].strip(), at + 1, lines[at]), lines[at + 1].strip(), at + 2
    if len(lines) % 2:
        raise bad_line(len(lines), "a code has no value: the file is cut short", lines[-1])


def _text(values: dict[int, tuple[str, int]], code: int, default: str) -> str:
    return values.get(code, (default, 0))[0] or default


def _flag(entity: Entity, code: int = 70) -> int:
    """Return a whole number of an entity, 0 if it has none."""
    text, number = entity[2].get(code, ("0", entity[1]))
    return to_whole(text, number, text)


def _place_at(entity: Entity, corner: int) -> list[float]:
    """Return a corner: codes 10, 20, 30 are the first, 11, 21, 31 the second."""
    kind, start, values = entity
    place = []
    for code in (10 + corner, 20 + corner, 30 + corner):
        if code not in values:
            raise bad_line(start, f"{kind} has no coordinate of code {code}", kind)
        text, number = values[code]
        place += to_numbers([text], 1, number, text)
    return place


def _take_face(entity: Entity, layer: _Layer) -> None:
    corners = [_place_at(entity, corner) for corner in range(3)]
    if 13 in entity[2] and (fourth := _place_at(entity, 3)) != corners[2]:
        corners.append(fourth)  # a triangle writes its third corner twice
    for triangle in fan(range(len(corners))):
        layer.corners += [corners[corner] for corner in triangle]
        layer.lines += [entity[1]] * 3


def _take_polyface(entities: Iterator[Entity], layer: _Layer) -> None:
    """Take the vertices and faces that follow a POLYLINE, up to its SEQEND."""
    before = len(layer.vertices)
    start = 0
    for entity in itertools.takewhile(lambda each: each[0] == "VERTEX", entities):
        start, flag = entity[1], _flag(entity)
        if flag & _IS_FACE and not flag & _IS_PLACE:
            # A negative number marks an edge that is not drawn.
            keys = [abs(_flag(entity, code)) for code in (71, 72, 73, 74)]
            corners = [key + before - 1 for key in keys if key]
            if any(corner >= len(layer.vertices) for corner in corners):
                raise bad_line(start, "a face names a vertex that is not there", str(keys))
            layer.triangles += fan(corners)
        else:
            layer.vertices.append(_place_at(entity, 0))
            layer.vertex_lines.append(start)
