"""Geology of a region as layers: the distance to faults, and the rock of each cell.

Files of lines, polygons or tables of cells come in; arrays on the grid go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gossan._checks import did_you_mean
from gossan.data.grids.grid import cell_centres, spacing_of
from gossan.data.grids.rasterising import import_geopandas, rasterise
from gossan.data.tables.rawtable import read_raw
from gossan.data.tables.sites import read_sites
from gossan.data.vectors import read_vectors
from gossan.evidence.proximity import distance_to_lines
from gossan.studies.places import TABLES, Places, place_table

LINE_WORDS = ("fault", "line", "name", "id")


def fault_distance(
    grid: xr.Dataset, told: Mapping[str, Any], folder: Path, crs: str | None
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """The faults, and the distance of each cell to the nearest [m].

    Parameters
    ----------
    grid : Dataset
    told : mapping
        `table` and `crs` of the section [faults].
    folder : Path
        Of the study file.
    crs : str or None
        Of the grid.

    Returns
    -------
    faults : DataFrame
        One row a vertex: `fault`, `easting`, `northing` [m].
    distance : float64 array of shape (northing, easting)

    Raises
    ------
    ValueError
        If the file holds no lines.
    """
    path = folder / told["table"]
    lines = (
        _lines_of_table(path, told["crs"], crs) if _is_table(path) else _lines_of(path, told, crs)
    )
    if not lines:
        raise ValueError(
            f"{path.name} holds no line of two or more vertices. Write one row a vertex, with the"
            " columns fault, easting and northing, or name a vector file of lines."
        )
    shape = grid.sizes["northing"], grid.sizes["easting"]
    parts = [
        pd.DataFrame({"fault": number, "easting": line[:, 0], "northing": line[:, 1]})
        for number, line in enumerate(lines, start=1)
    ]
    return pd.concat(parts, ignore_index=True), distance_to_lines(
        cell_centres(grid), lines
    ).reshape(shape)


def rock_cells(grid: xr.Dataset, told: Mapping[str, Any], folder: Path) -> NDArray[np.str_]:
    """Rock of each cell, "" where the map has none, shape (northing, easting).

    Parameters
    ----------
    grid : Dataset
    told : mapping
        `table`, `column` and `crs` of the section [lithology].
    folder : Path
        Of the study file.

    Returns
    -------
    rocks : array of str of shape (northing, easting)

    Raises
    ------
    ValueError
        If the column is not there, or nothing of it lies on the grid.
    """
    path = folder / told["table"]
    crs = grid.attrs.get("crs")
    shape = (grid.sizes["northing"], grid.sizes["easting"])
    if _is_table(path):
        places, names = _rocks_of_table(path, told, crs)
        far, near = cKDTree(places.coords).query(cell_centres(grid))
        reach = 1.5 * max(_step(places.coords), *spacing_of(grid))
        rocks = np.where(far <= reach, names[near], "").reshape(shape)
    else:
        frame = read_vectors(path, "polygons", crs=told["crs"], to_crs=crs, invalid="repair")
        _need_column(list(frame.columns), told["column"], path.name)
        layer = rasterise(frame.assign(rock=frame[told["column"]].astype(str)), grid, column="rock")
        words = np.array([*layer.attrs["categories"], ""])
        codes = np.asarray(layer, dtype=float)
        rocks = words[np.where(np.isfinite(codes), codes, len(words) - 1).astype(int)]
    if not (rocks != "").any():
        raise ValueError(f"{path.name}: none of it lies on the grid. Check its CRS.")
    return rocks


def rocks_at(path: Path, told: Mapping[str, Any], points: Places) -> NDArray[np.str_]:
    """Rock at each point, "" where the map has none.

    Parameters
    ----------
    path : Path
        Table of cells, or vector file of polygons.
    told : mapping
        `column` and `crs` of the section [lithology].
    points : Places

    Returns
    -------
    rocks : array of str of shape (n,)
    """
    if _is_table(path):
        places, names = _rocks_of_table(path, told, points.crs)
        far, near = cKDTree(places.coords).query(points.coords)
        return np.where(far <= 1.5 * _step(places.coords), names[near], "")
    gpd = import_geopandas()
    frame = read_vectors(path, "polygons", crs=told["crs"], to_crs=points.crs, invalid="repair")
    _need_column(list(frame.columns), told["column"], path.name)
    spots = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points.coords.T), crs=frame.crs)
    found = gpd.sjoin(spots, frame[[told["column"], frame.geometry.name]], how="left")
    own = found[~found.index.duplicated()][told["column"]]
    return own.fillna("").astype(str).to_numpy(dtype=str)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in TABLES


def _lines_of(path: Path, told: Mapping[str, Any], crs: str | None) -> list[NDArray[np.float64]]:
    frame = read_vectors(path, "lines", crs=told["crs"], to_crs=crs, invalid="drop")
    parts = frame.geometry.explode(index_parts=False)
    return [np.asarray(line.coords, dtype=float)[:, :2] for line in parts if len(line.coords) > 1]


def _lines_of_table(path: Path, own: str | None, crs: str | None) -> list[NDArray[np.float64]]:
    table = read_sites(read_raw(path), ())[0]
    placed = place_table(table, source=path.name, crs=own or (crs or None), to_crs=crs)
    names = {str(name).casefold(): str(name) for name in placed.table.columns}
    key = next((names[word] for word in LINE_WORDS if word in names), None)
    if key is None:
        raise ValueError(
            f"{path.name} has no column that tells its faults apart; it has"
            f" {', '.join(map(str, placed.table.columns))}. Add a column called fault."
        )
    groups = placed.table.groupby(key, sort=False).indices.values()
    return [placed.coords[rows] for rows in groups if len(rows) > 1]


def _rocks_of_table(
    path: Path, told: Mapping[str, Any], crs: str | None
) -> tuple[Places, NDArray[np.str_]]:
    table = read_sites(read_raw(path), ())[0]
    _need_column([str(name) for name in table.columns], told["column"], path.name)
    places = place_table(table, source=path.name, crs=told["crs"] or (crs or None), to_crs=crs)
    names = pd.Series(places.table[told["column"]]).fillna("").astype(str).str.strip()
    return places, names.to_numpy(dtype=str)


def _need_column(names: list[str], column: str, source: str) -> None:
    if column not in names:
        raise ValueError(
            f"{source} has no column {column!r} of rocks; it has {', '.join(names[:20])}."
            f'{did_you_mean(column, names)} Name it: column = "..." under [lithology].'
        )


def _step(coords: NDArray[np.float64]) -> float:
    """Return the typical distance between neighbours [m]."""
    some = coords[:: max(1, len(coords) // 2000)]
    return float(np.median(cKDTree(coords).query(some, k=2)[0][:, 1]))
