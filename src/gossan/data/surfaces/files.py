"""Faults and other triangulated surfaces to files and back, in the format of the path's ending.

A path comes in and surfaces go out, or the reverse, whatever package wrote them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gossan._checks import GossanWarning, did_you_mean
from gossan.data._replacing import replacing
from gossan.data.grids.files import is_of_the_file
from gossan.data.surfaces._dxf import read_dxf
from gossan.data.surfaces._gocad import read_gocad, write_gocad
from gossan.data.surfaces._mesh import Mesh, RefusedError, clean_meshes
from gossan.data.surfaces._omf import read_omf, write_omf
from gossan.data.surfaces._stl import read_stl
from gossan.data.surfaces._tables import read_table, write_table
from gossan.data.surfaces._vtp import read_vtp, write_vtp
from gossan.data.surfaces._wavefront import read_wavefront, write_wavefront
from gossan.data.surfaces.record import Surface, as_surface

__all__ = ["MESHES", "read_surfaces", "write_surfaces"]


@dataclass(frozen=True)
class _Format:
    """How a format is called, read and, where gossan does, written."""

    title: str
    read: Callable[[Path], list[Mesh]]
    write: Callable[[Sequence[Surface], Path], None] | None = None


_TABLE = _Format("a table of triangles", read_table)
_MESHES = {
    ".ts": _Format("GOCAD TSurf", read_gocad, write_gocad),
    ".obj": _Format("Wavefront OBJ", read_wavefront, write_wavefront),
    ".dxf": _Format("DXF", read_dxf),
    ".vtp": _Format("VTK poly data", read_vtp, write_vtp),
    ".stl": _Format("STL", read_stl),
    ".omf": _Format("Open Mining Format", read_omf, write_omf),
}
_FORMATS = {
    ".csv": _Format(_TABLE.title, read_table, write_table),
    **dict.fromkeys((".txt", ".tsv", ".xlsx", ".parquet"), _TABLE),
    **_MESHES,
}
MESHES = tuple(_MESHES)
"""Endings of the files that hold triangles as such."""


def read_surfaces(path: str | Path) -> tuple[Surface, ...]:
    """Read faults, contacts or any triangulated surfaces from what a mine package exports.

    Parameters
    ----------
    path : path
        Its ending names the format. .csv, .txt, .tsv, .xlsx, .parquet: three rows a triangle, with
        columns of easting, northing and elevation and, if there are several, of the name of the
        surface and the number of the triangle, under any usual words; without numbers, each three
        rows in turn are a triangle. .ts: GOCAD TSurf, depths turned into elevations. .obj: objects
        or groups. .dxf (text): 3DFACE and polyface meshes, by layer. .vtp: VTK poly data, named by
        an array of cells such as "surface". .stl: solids. .omf: surface elements; needs omf.

    Returns
    -------
    surfaces : tuple of Surface
        One an object, layer or name, in the order of the file; a second object of a name is called
        "name (2)". Easting, northing and elevation [m] as the file says them: no CRS is known.
        Polygons are split into triangles from their first corner; vertices in the same place are
        one, and those of no triangle are left out.

    Warns
    -----
    GossanWarning
        If triangles without area were left out, or repeated vertices merged; it counts them. (A
        table, DXF faces and STL repeat corners by their nature, which is not counted.)

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the ending names no format, the file is damaged or holds no triangle, a coordinate is
        missing or not finite, or lengths are no metres: feet where the file says so, degrees by
        its headers or where it is less than one wide and far higher. The message names file and
        line.
    ImportError
        If the format needs a package that is not installed; the message says which.

    Examples
    --------
    >>> import tempfile
    >>> fault = Surface([[0, 0, 0], [100, 0, 0], [0, 100, -80]], [[0, 1, 2]], "F1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_surfaces([fault], Path(folder) / "faults.ts")
    ...     (again,) = read_surfaces(path)
    >>> again.name, again.vertices[2].tolist()
    ('F1', [0.0, 100.0, -80.0])
    """
    source = Path(path)
    form = _format_of(source, list(_FORMATS))
    if not source.is_file():
        near = [f.name for f in source.parent.iterdir()] if source.parent.is_dir() else []
        raise FileNotFoundError(
            f"There is no file {source}. Check the path.{did_you_mean(source.name, near)}"
        )
    try:
        surfaces, counts = clean_meshes(form.read(source))
    except Exception as error:
        if not is_of_the_file(error) or str(error).startswith(source.name):
            raise  # tables say all themselves
        said = str(error).strip().rstrip(".")
        hint = " Check that the file is whole and of this format, or export it again."
        raise ValueError(
            f"{source.name} cannot be read as {form.title}: {said or type(error).__name__}."
            + ("" if isinstance(error, RefusedError) else hint)
        ) from error
    _tell(source.name, counts)
    return tuple(surfaces)


def write_surfaces(surfaces: Surface | Sequence[Surface], path: str | Path) -> Path:
    """Write surfaces in the format that the ending of the path names.

    The file is written beside the old one and takes its place when it is whole.

    Parameters
    ----------
    surfaces : Surface or sequence of Surface
        Each with a name of its own; anything with `vertices` and `triangles` will do.
    path : path
        Ending in .csv (fault, triangle, easting, northing, elevation; three rows a triangle), .ts,
        .obj, .vtp or .omf.

    Returns
    -------
    path : Path

    Raises
    ------
    ValueError
        If there is no surface, two have one name, or the ending names no format that is written.
    TypeError
        If one has no vertices and triangles.
    FileNotFoundError
        If the folder is not there.
    ImportError
        If the format needs a package that is not installed.
    """
    target = Path(path)
    form = _format_of(target, [ending for ending, each in _FORMATS.items() if each.write])
    given: Any = surfaces
    checked = [as_surface(one) for one in ([given] if hasattr(given, "triangles") else given)]
    if not checked:
        raise ValueError(f"There is no surface to write to {target.name}, got none. Give one.")
    checked = [Surface(s.vertices, s.triangles, _plain(s.name)) for s in checked]
    name, n = Counter(s.name for s in checked).most_common(1)[0]
    if n > 1:
        raise ValueError(
            f"Each surface needs a name of its own, got {n} called {name!r}. Rename them:"
            " Surface(s.vertices, s.triangles, 'F1')."
        )
    if target.is_dir():
        raise ValueError(f"{target} is a folder, and not one to replace. Choose another name.")
    with replacing(target) as temporary:
        form.write(checked, temporary)  # type: ignore[misc]
    return target


def _format_of(path: Path, endings: list[str]) -> _Format:
    ending = path.suffix.lower()
    if ending not in endings:
        raise ValueError(
            f"A file of surfaces must end in one of {', '.join(endings)}, got {path.name!r}. Choose"
            f" the format by the ending.{did_you_mean(ending, endings)}"
        )
    return _FORMATS[ending]


def _plain(name: Any) -> str:
    """Return a name that every format holds: one line, single blanks, never empty."""
    return " ".join(str(name).split()) or "surface"


def _tell(source: str, counts: Counter[str]) -> None:
    """Warn of what was left out and merged."""
    said = []
    if counts["flat"]:
        said.append(f"{counts['flat']} of {counts['triangles']} triangles have no area: left out")
    if counts["lost"]:
        said.append(f"{counts['lost']} surfaces consist of such triangles only")
    if counts["repeated"]:
        said.append(f"{counts['repeated']} of {counts['vertices']} vertices repeat another: merged")
    if said:
        warnings.warn(
            f"{source}: {'; '.join(said)}. Mend them where they were made if they matter.",
            GossanWarning,
            stacklevel=3,
        )
