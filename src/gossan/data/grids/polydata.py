"""Points and lines for 3D viewers: samples, drill traces and faults as VTK poly data (.vtp).

A table with easting, northing and elevation comes in and a file goes out, or the reverse.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.data._coordinates import find_coordinates, format_places, list_words, read_numbers
from gossan.data._crs import crs_text
from gossan.data._replacing import replacing
from gossan.data.grids._vtkxml import Appended, read_file, write_file
from gossan.data.grids.tables import encode

_FIELD = "gossan"
_AXES = ("easting", "northing", "elevation")


def write_points(
    table: pd.DataFrame, path: str | Path, *, line: str | None = None, crs: Any = None
) -> Path:
    """Write points, or lines through them, for ParaView and its kin.

    Parameters
    ----------
    table : DataFrame
        One row a point, with columns of easting, northing and elevation (0 where there is none)
        under any usual name. Numbers and text of the other columns go with the points.
    path : path
        File to write, ending in .vtp.
    line : str, optional
        Column that names the line of each point ("hole", "fault"): rows of one name, in their
        order, make one line. Default: points only.
    crs : str, int or CRS object, optional
        Projected CRS, noted in the file.

    Returns
    -------
    path : Path

    Raises
    ------
    ValueError
        If coordinates are missing, the column `line` is not there or has blanks, or the file's
        ending is another.
    FileNotFoundError
        If the folder is not there.
    """
    target = _check_ending(path)
    found = find_coordinates(list(table.columns), {}, source="The table of points")
    if not len(table):
        raise ValueError("The table of points has no rows. Give one row a point.")
    points = np.zeros((len(table), 3))
    for place, axis in enumerate(_AXES):
        if axis in found:
            points[:, place] = read_numbers(table, found[axis], source="The table of points")
    order, sizes = _lines(table, line)
    said = {"crs": crs_text(crs), "line": line, "has_elevation": "elevation" in found}
    rest = table.drop(columns=list(found.values())).iloc[order]
    with replacing(target) as temporary:
        _write(points[order], sizes, rest, said, temporary)
    return target


def read_points(path: str | Path) -> pd.DataFrame:
    """Read points, or the points of lines, from a .vtp file.

    Parameters
    ----------
    path : path

    Returns
    -------
    table : DataFrame
        Columns easting, northing, elevation, then those of the file; a file with lines has the
        column that named them, or `line`, numbered from 0. ``table.attrs["crs"]`` tells the CRS
        if the file does.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no VTK poly data or is damaged; the message names the file.
    """
    source = _check_ending(path)
    if not source.is_file():
        raise FileNotFoundError(f"There is no file {source}. Check the path.")
    try:
        return _read(source)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(
            f"{source.name} cannot be read as VTK poly data: {error}. Save it anew from where it"
            " came."
        ) from error


def _check_ending(path: str | Path) -> Path:
    place = Path(path)
    if place.suffix.lower() != ".vtp":
        raise ValueError(f"Points are kept in a .vtp file, got {place.name!r}. Change the ending.")
    return place


def _lines(table: pd.DataFrame, line: str | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows line by line, and the number of points of each line."""
    if line is None:
        return np.arange(len(table)), np.empty(0, dtype=np.int64)
    if line not in table.columns:
        words = list_words([str(name) for name in table.columns])
        raise ValueError(
            f"The table of points has no column {line!r}; it has {words}. Name the column of holes."
        )
    names, _ = pd.factorize(table[line])
    if (names < 0).any():
        bad = np.flatnonzero(names < 0)
        raise ValueError(
            f"The table of points names no line in column {line!r} at {format_places(bad)}."
            " Fill or drop these rows."
        )
    return np.argsort(names, kind="stable"), np.bincount(names)


def _write(
    points: NDArray[np.float64],
    sizes: NDArray[np.int64],
    rest: pd.DataFrame,
    said: dict,
    path: Path,
) -> None:
    appended = Appended()
    field = appended.add_texts(_FIELD, [json.dumps(said)])
    place = appended.add("Points", points, n_components=3)
    arrays = [_column(appended, str(name), rest[name]) for name in rest.columns]
    n_verts = 0 if len(sizes) else len(points)
    ends = np.cumsum(sizes) if len(sizes) else np.arange(1, n_verts + 1)
    cells = appended.add("connectivity", np.arange(len(points), dtype=np.int64))
    offsets = appended.add("offsets", ends.astype(np.int64))
    body = [
        "<PolyData>",
        f"<FieldData>{field}</FieldData>",
        f'<Piece NumberOfPoints="{len(points)}" NumberOfVerts="{n_verts}"',
        f' NumberOfLines="{len(sizes)}" NumberOfStrips="0" NumberOfPolys="0">',
        *("<PointData>", *arrays, "</PointData>"),
        *("<Points>", place, "</Points>"),
        *(("<Lines>", cells, offsets, "</Lines>") if len(sizes) else
          ("<Verts>", cells, offsets, "</Verts>")),
        *("</Piece>", "</PolyData>"),
    ]  # fmt: skip
    write_file(path, "PolyData", body, appended)


def _column(appended: Appended, name: str, cells: pd.Series) -> str:
    values, attrs = encode(cells)
    if attrs:
        return appended.add_texts(name, ["" if pd.isna(cell) else str(cell) for cell in cells])
    return appended.add(name, values)


def _read(path: Path) -> pd.DataFrame:
    file = read_file(path, "PolyData")
    note = next(iter(file.arrays("FieldData").get(_FIELD, [])), "{}")
    said = json.loads(note)
    pieces = file.root[0].findall("Piece")
    if len(pieces) != 1:
        raise ValueError(f"it has {len(pieces)} pieces; save it as one")
    places = list(file.arrays("Piece/Points").values())
    if not places or places[0].ndim != 2 or places[0].shape[1] != 3:
        raise ValueError("it holds no points")
    n = len(places[0])
    columns: dict[str, Any] = dict(zip(_AXES, places[0].astype(float).T, strict=True))
    for name, values in file.arrays("Piece/PointData").items():
        if len(values) != n:
            raise ValueError(f"array {name!r} has {len(values)} values for {n} points")
        if values.ndim == 1:
            texts = pd.Series([text or None for text in values], dtype=str)
            columns[name] = texts if values.dtype == object else values
    rows, lines = _line_of_points(file.arrays("Piece/Lines"), n)
    table = pd.DataFrame(columns)
    if rows is not None:
        table = table.iloc[rows].reset_index(drop=True)
        name = str(said.get("line") or "line")
        if name not in table.columns:
            table[name] = lines
    if not said.get("has_elevation", True):
        table = table.drop(columns="elevation")
    if said.get("crs"):
        table.attrs["crs"] = said["crs"]
    return table


def _line_of_points(
    cells: dict[str, NDArray], n: int
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
    """Return the points in the order of the lines, and the line of each; None without lines."""
    places = np.asarray(cells.get("connectivity", []), dtype=np.int64)
    ends = np.asarray(cells.get("offsets", []), dtype=np.int64)
    if not len(places) or not len(ends):
        return None, ends
    sizes = np.diff(ends, prepend=0)
    if places.min() < 0 or places.max() >= n or (sizes < 0).any() or ends[-1] != len(places):
        raise ValueError("its lines name points that are not there")
    return places, np.repeat(np.arange(len(ends)), sizes)
