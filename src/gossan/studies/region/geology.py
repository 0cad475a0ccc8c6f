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


def rock_shares(path: Path, told: Mapping[str, Any], shapes: Any, crs: str | None) -> pd.DataFrame:
    """Share of each rock in each of some polygons; what lacks to 1 is unmapped.

    Parameters
    ----------
    path : Path
        Table of cells, which are counted, or vector file of polygons, which are cut.
    told : mapping
        `column` and `crs` of the section [lithology].
    shapes : GeoDataFrame
        Polygons, each with an index of its own; one between the cells of a table takes the rock of
        the nearest.
    crs : str or None
        Of the shapes.

    Returns
    -------
    shares : DataFrame of shape (n_shapes, n_rocks)

    Raises
    ------
    ValueError
        If the column is not there, or no rock lies in the shapes.
    """
    numbers = np.arange(len(shapes))
    whole = shapes[[shapes.geometry.name]].set_axis(numbers).assign(shape=numbers)
    parts = (_counted if _is_table(path) else _cut)(path, told, whole, crs)
    total = parts.pop("whole").groupby(parts["shape"]).first()
    parts = parts[parts["rock"] != ""]
    if not len(parts):
        raise ValueError(f"{path.name}: no rock lies in a catchment. Check the CRS of both.")
    sizes = parts.pivot_table(index="shape", columns="rock", values="size", aggfunc="sum")
    shares = sizes.div(total.reindex(sizes.index), axis=0).reindex(numbers).fillna(0.0)
    shares = shares.div(shares.sum(axis=1).clip(lower=1.0), axis=0)  # where polygons overlap
    return shares.set_axis(shapes.index.astype(str)).rename_axis(columns=None)


def _counted(path: Path, told: Mapping[str, Any], whole: Any, crs: str | None) -> pd.DataFrame:
    """Return the cells of a table within shapes: `shape`, `rock`, `size` and the `whole` of them."""
    gpd = import_geopandas()
    places, names = _rocks_of_table(path, told, crs)
    cells = gpd.GeoDataFrame(
        {"rock": names}, geometry=gpd.points_from_xy(*places.coords.T), crs=whole.crs
    )
    parts = gpd.sjoin(cells, whole, predicate="within")[["shape", "rock"]]
    small = whole[~whole["shape"].isin(parts["shape"])]
    inner = small.representative_point()
    spots = Places(small, np.column_stack([inner.x, inner.y]), small.index.to_numpy(), crs, [])
    if len(small):
        parts = pd.concat([parts, small[["shape"]].assign(rock=rocks_at(path, told, spots))])
    n = parts.groupby("shape")["rock"].transform("size")
    return pd.DataFrame(parts.assign(size=1.0, whole=n))


def _cut(path: Path, told: Mapping[str, Any], whole: Any, crs: str | None) -> pd.DataFrame:
    """Return the pieces of polygons within shapes, as `_counted` does, their sizes in m2."""
    gpd = import_geopandas()
    frame = read_vectors(path, "polygons", crs=told["crs"], to_crs=crs, invalid="repair")
    _need_column(list(frame.columns), told["column"], path.name)
    words = frame[told["column"]].fillna("").astype(str).str.strip()
    rocks = gpd.GeoDataFrame({"rock": words}, geometry=frame.geometry, crs=whole.crs)
    pieces = gpd.overlay(
        whole.assign(whole=whole.area), rocks, how="intersection", keep_geom_type=True
    )
    return pd.DataFrame(pieces[["shape", "rock", "whole"]].assign(size=pieces.area))


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
