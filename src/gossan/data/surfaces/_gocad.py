"""Surfaces as GOCAD TSurf (.ts): VRTX, ATOM and TRGL between GOCAD and END, one object or several.

A path comes in and meshes go out, or the reverse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gossan.data.surfaces._lines import bad_line, bare_name, read_lines, to_numbers, to_whole
from gossan.data.surfaces._mesh import Mesh, RefusedError, mesh_of
from gossan.data.surfaces.record import Surface

_METRES = {"", "m", "meter", "meters", "metre", "metres", "unitless", "none", "unknown"}


@dataclass
class _Object:
    """What one TSurf says, as far as it is read; `places` leads from an id to a vertex."""

    name: str
    vertices: list[list[float]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)
    triangles: list[list[int]] = field(default_factory=list)
    is_depth: bool = False

    def take(self, words: list[str], number: int, line: str) -> None:
        """Take one line, if it is one of vertices or triangles, or says which way is up."""
        kind = words[0].upper()
        if kind in {"VRTX", "PVRTX"} and len(words) > 1:
            self._name_vertex(to_whole(words[1], number, line), len(self.vertices), number, line)
            self.vertices.append(to_numbers(words[2:], 3, number, line))
            self.lines.append(number)
        elif kind in {"ATOM", "PATOM"} and len(words) > 2:
            place = self._place(to_whole(words[2], number, line), number, line)
            self._name_vertex(to_whole(words[1], number, line), place, number, line)
        elif kind == "TRGL" and len(words) > 3:
            ids = [to_whole(word, number, line) for word in words[1:4]]
            self.triangles.append([self._place(each, number, line) for each in ids])
        elif kind in {"VRTX", "PVRTX", "ATOM", "PATOM", "TRGL"}:
            raise bad_line(number, f"{kind} needs more numbers", line)
        elif kind == "ZPOSITIVE":
            self.is_depth = words[-1].strip('"').lower() == "depth"
        elif kind == "AXIS_UNIT":
            units = {word.strip("\"'").lower() for word in words[1:]}
            if not units <= _METRES:
                raise bad_line(number, "axes must count metres", line)

    def _name_vertex(self, key: int, place: int, number: int, line: str) -> None:
        if key in self.places:
            raise bad_line(number, f"vertex {key} is there already", line)
        self.places[key] = place

    def _place(self, key: int, number: int, line: str) -> int:
        if key not in self.places:
            raise bad_line(number, f"there is no vertex {key} above", line)
        return self.places[key]

    def mesh(self) -> Mesh:
        """Return what was read; elevations grow upwards."""
        vertices = [[x, y, -z] for x, y, z in self.vertices] if self.is_depth else self.vertices
        return mesh_of(self.name, vertices, self.triangles, self.lines)


def read_gocad(path: Path) -> list[Mesh]:
    """Read the TSurf objects of a file; those of other kinds (VSet, PLine) are passed over."""
    meshes: list[Mesh] = []
    current: _Object | None = None
    kinds: list[str] = []
    is_open = False  # from GOCAD to END, objects of other kinds too
    for number, line in enumerate(read_lines(path), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        kind = words[0].upper()
        if kind == "GOCAD":
            if is_open:
                raise bad_line(number, "an object begins before END of the one above", line)
            kinds.append(words[1] if len(words) > 1 else "nothing")
            is_open = True
            current = _Object(path.stem) if kinds[-1].upper() == "TSURF" else None
        elif kind == "END" and is_open:
            meshes += [current.mesh()] if current is not None else []
            current, is_open = None, False
        elif current is not None:
            current.name = _name_in(line) or current.name
            current.take(words, number, line)
    if is_open:
        raise RefusedError("its last object has no END: the file is cut short. Export it again")
    if not meshes:
        held = ", ".join(sorted(set(kinds))) or "no line that begins with GOCAD"
        raise RefusedError(f"it holds no TSurf, but {held}. Export surfaces as TSurf")
    return meshes


def write_gocad(surfaces: Sequence[Surface], path: Path) -> None:
    """Write one TSurf a surface."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for surface in surfaces:
            file.write(f"GOCAD TSurf 1\nHEADER {{\nname:{bare_name(surface.name)}\n}}\n")
            file.write("GOCAD_ORIGINAL_COORDINATE_SYSTEM\nNAME Default\n")
            file.write('AXIS_NAME "X" "Y" "Z"\nAXIS_UNIT "m" "m" "m"\nZPOSITIVE Elevation\n')
            file.write("END_ORIGINAL_COORDINATE_SYSTEM\nTFACE\n")
            for key, (x, y, z) in enumerate(surface.vertices.tolist(), 1):
                file.write(f"VRTX {key} {x!r} {y!r} {z!r}\n")
            for a, b, c in (surface.triangles + 1).tolist():
                file.write(f"TRGL {a} {b} {c}\n")
            file.write("END\n")


def _name_in(line: str) -> str:
    """Return the name that a line of a header gives, "" if none."""
    found = re.match(r"\s*(?:HEADER\s*\{|HDR)?\s*\*?name\s*:\s*([^}\n]*)", line, re.IGNORECASE)
    return found[1].strip().strip('"').strip() if found else ""
