"""Surfaces as Wavefront .obj: objects or groups that share one list of vertices.

A path comes in and meshes go out, or the reverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gossan.data.surfaces._lines import bad_line, bare_name, read_lines, to_numbers, to_whole
from gossan.data.surfaces._mesh import Mesh, RefusedError, fan, mesh_of
from gossan.data.surfaces.record import Surface

_NAMELESS = {"", "default", "off", "(null)"}


def read_wavefront(path: Path) -> list[Mesh]:
    """Read the faces of each object or group; curves, textures and materials are passed over."""
    vertices: list[list[float]] = []
    lines: list[int] = []
    faces: dict[str, list[tuple[int, int, int]]] = {}
    name = path.stem
    for number, line in _joined(read_lines(path)):
        words = line.split()
        if not words:
            continue
        if words[0] == "v":
            vertices.append(to_numbers(words[1:], 3, number, line))
            lines.append(number)
        elif words[0] in {"o", "g"}:
            given = " ".join(words[1:])
            name = name if given.lower() in _NAMELESS else given
        elif words[0] == "f":
            corners = [_place(word, len(vertices), number, line) for word in words[1:]]
            if len(corners) < 3:
                raise bad_line(number, "a face needs three corners or more", line)
            faces.setdefault(name, []).extend(fan(corners))
    if not faces:
        raise RefusedError(
            f"it holds {len(vertices)} vertices and no face. Export a triangulated surface"
        )
    shared = np.array(vertices)
    return [mesh_of(key, shared, each, lines) for key, each in faces.items()]


def write_wavefront(surfaces: Sequence[Surface], path: Path) -> None:
    """Write one object a surface."""
    n_before = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for surface in surfaces:
            file.write(f"o {bare_name(surface.name)}\n")
            for x, y, z in surface.vertices.tolist():
                file.write(f"v {x!r} {y!r} {z!r}\n")
            for a, b, c in (surface.triangles + 1 + n_before).tolist():
                file.write(f"f {a} {b} {c}\n")
            n_before += len(surface.vertices)


def _joined(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Give number and text of each line, without comments, those that end in a backslash joined."""
    held, start = "", 0
    for number, raw in enumerate(lines, 1):
        line = raw.partition("#")[0].rstrip() if not raw.startswith(("o ", "g ")) else raw.rstrip()
        start = start or number
        if line.endswith("\\"):
            held += f"{line[:-1]} "
            continue
        yield start, held + line
        held, start = "", 0
    if held:
        yield start, held


def _place(word: str, n: int, number: int, line: str) -> int:
    """Return the vertex of a corner such as 3, 3/1/2 or -1 (the last so far), from 0."""
    key = to_whole(word.partition("/")[0], number, line)
    place = key - 1 if key > 0 else n + key
    if key == 0 or not 0 <= place < n:
        raise bad_line(number, f"there is no vertex {key} among the {n} above", line)
    return place
