"""Surfaces as a table of triangles: three rows each, with coordinates and the name of the surface.

A path comes in and meshes go out, or the reverse (CSV).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.data.surfaces._mesh import Mesh, RefusedError, soup_of
from gossan.data.surfaces._names import find_names, find_triangles
from gossan.data.surfaces.record import Surface
from gossan.data.tables.places import cells_of, read_places
from gossan.data.tables.rawtable import RawTable, read_raw


def read_table(path: Path) -> list[Mesh]:
    """Read triangles from CSV, Excel or Parquet, whatever the columns are called."""
    raw = read_raw(path)
    places, rest = read_places(raw)
    names = _names(raw, find_names(rest), path.stem)
    codes, words = pd.factorize(names)
    order = _by_triangle(raw, find_triangles(rest), codes)
    meshes = []
    for code, word in enumerate(words):
        rows = order[codes[order] == code]
        meshes.append(soup_of(str(word), places[rows], raw.rows[rows].tolist(), unit="row"))
    return meshes


def write_table(surfaces: Sequence[Surface], path: Path) -> None:
    """Write three rows a triangle: fault, triangle, easting, northing, elevation [m]."""
    tables = []
    for surface in surfaces:
        corners = surface.vertices[surface.triangles].reshape(-1, 3)
        table = pd.DataFrame(corners, columns=["easting", "northing", "elevation"])
        table.insert(0, "triangle", np.repeat(np.arange(len(surface.triangles)), 3))
        table.insert(0, "fault", surface.name)
        tables.append(table)
    pd.concat(tables, ignore_index=True).to_csv(path, index=False)


def _names(raw: RawTable, header: str | None, default: str) -> NDArray[np.object_]:
    """Return the name of the surface of each row, as it is written."""
    if header is None:
        return np.full(len(raw.rows), default, dtype=object)
    return np.array([_word(cell, default) for cell in cells_of(raw, header)], dtype=object)


def _word(cell: object, default: str) -> str:
    if cell is None or cell is pd.NA or (isinstance(cell, float) and not np.isfinite(cell)):
        return default
    return str(int(cell)) if isinstance(cell, float) and cell == int(cell) else str(cell)


def _by_triangle(raw: RawTable, header: str | None, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows in an order in which each three of a surface are a triangle."""
    cells = pd.Series(0, index=range(len(codes)))
    if header is not None:
        cells = cells_of(raw, header)
    numbers, _ = pd.factorize(cells, use_na_sentinel=False)
    keys = pd.Series(codes * (int(numbers.max()) + 1) + numbers)
    sizes = keys.map(keys.value_counts())
    is_bad = (sizes % 3 != 0) if header is None else (sizes != 3)
    if is_bad.any():
        at = int(np.argmax(is_bad.to_numpy()))
        what = f"triangle {cells.iloc[at]}" if header is not None else "a surface"
        raise RefusedError(
            f"row {raw.rows[at]}: {what} has {sizes.iloc[at]} rows, where each triangle needs three."
            " Write one row a corner, three a triangle"
        )
    return np.argsort(pd.factorize(keys)[0], kind="stable")
