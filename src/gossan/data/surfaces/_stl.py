"""Surfaces as STL, text or binary: triangles written corner by corner.

A path comes in and meshes go out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gossan.data.surfaces._lines import bad_line, read_lines, to_numbers
from gossan.data.surfaces._mesh import Mesh, RefusedError, soup_of

_HEAD = 84  # bytes before the first triangle
_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("mark", "<u2")])


def read_stl(path: Path) -> list[Mesh]:
    """Read the triangles of each solid; a binary file has one, called as the file."""
    data = path.read_bytes()
    if len(data) > _HEAD and (b"\0" in data or not data.lstrip().startswith(b"solid")):
        return [_read_binary(data, path.stem)]
    return _read_text(path)


def _read_binary(data: bytes, name: str) -> Mesh:
    n = int(np.frombuffer(data, "<u4", 1, 80)[0])
    if len(data) != _HEAD + n * _RECORD.itemsize:
        raise RefusedError(
            f"its head tells {n} triangles, which take {_HEAD + n * _RECORD.itemsize} bytes, but it"
            f" has {len(data)}: it is cut short or no STL. Export it again"
        )
    return soup_of(name, np.frombuffer(data, _RECORD, n, _HEAD)["corners"])


def _read_text(path: Path) -> list[Mesh]:
    corners: dict[str, list[list[float]]] = {}
    lines: dict[str, list[int]] = {}
    name, n_loop, is_open = path.stem, 0, False
    for number, line in enumerate(read_lines(path), 1):
        words = line.split()
        kind = words[0].lower() if words else ""
        if kind == "solid":
            name, is_open = " ".join(words[1:]) or path.stem, True
        elif kind == "endsolid":
            is_open = False
        elif kind == "vertex":
            corners.setdefault(name, []).append(to_numbers(words[1:], 3, number, line))
            lines.setdefault(name, []).append(number)
            n_loop += 1
        elif kind == "endloop":
            if n_loop != 3:
                raise bad_line(number, f"a triangle has {n_loop} corners", line)
            n_loop = 0
    if is_open or n_loop:
        raise RefusedError("it does not end with endsolid: the file is cut short. Export it again")
    if not corners:
        raise RefusedError("it holds no triangle. Export it again as STL")
    return [soup_of(key, corners[key], lines[key]) for key in corners]
