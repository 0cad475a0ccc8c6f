"""Targets on a map: the best areas as polygons, ranked, with how far to trust them and why.

A 2D grid with a score, and what else is known of its cells, comes in; a GeoDataFrame goes out, one row
an area, which `write_map_targets` turns into a GeoPackage with its style.

Sources
-------
Carranza (2009), Geochemical Anomaly and Mineral Prospectivity Mapping in GIS, Elsevier (ranking by
score within connected areas).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from gossan._checks import check_option
from gossan.data._coordinates import DEGREES, find_coordinates, plain_header, read_numbers
from gossan.data.grids.files import read_grid
from gossan.data.grids.grid import add_layer, cell_centres, cell_volume, check_grid, layer_of
from gossan.data.grids.marked_cells import read_marked_cells
from gossan.data.grids.outlines import distances_to, outline_cells
from gossan.data.grids.styles import fill_style
from gossan.data.tables.rawtable import read_raw
from gossan.data.tables.sites import read_sites
from gossan.data.vector_writing import write_vectors
from gossan.data.vectors import read_occurrences
from gossan.prospectivity.scoring import area_rank
from gossan.prospectivity.targets import share_threshold

__all__ = ["TargetsOnFile", "find_map_targets", "write_map_targets", "write_raster_targets"]

RANKS = ("mean", "max", "sum")
MOST_ELEMENTS = 5
TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".parquet")
RASTERS = (".tif", ".tiff", ".img", ".asc", ".vrt")
WORLD = "EPSG:4326"
EDGE_LAYER = "edge_fraction"
CLASSES = ((0.5, 5.5, "targets 1 to 5"), (5.5, 20.5, "targets 6 to 20"), (20.5, 1e9, "the others"))

Values = NDArray[np.float64]


def find_map_targets(
    grid: xr.Dataset,
    score: str = "score",
    *,
    share: float = 0.05,
    least: float = 0.0,
    support: str | None = None,
    rank_by: str = "mean",
    spread: str | None = None,
    stability: str | None = None,
    edges: str | None = None,
    known: ArrayLike | None = None,
    attribution: xr.Dataset | Mapping[str, ArrayLike] | None = None,
) -> Any:
    """Connected areas of the best scores of a map, ranked, as polygons with what is known of them.

        Cells belong together if they share a side or a corner. Shares and percentiles count supported
        cells only: an extrapolated cell is never a target and never part of the area.

    Parameters
    ----------
    grid : Dataset
        In 2D, as `score_grid` gives it or as read from the file of `score_rasters`.
    score : str
        Layer of favourability, higher = more prospective.
    share : float
        Share of the supported cells that are called prospective, in (0, 1). Where a plateau of one
        score would make it more than twice as much, the plateau is left out.
    least : float
        Least area [km²]; smaller ones are left out and counted in `attrs["n_small"]`.
    support : str, optional
        Layer that is true (not 0, not NaN) where samples carry the map. Default: all scored cells.
    rank_by : {"mean", "max", "sum"}
        By the mean or the largest score, or by the sum of the percentiles above the threshold (a
        large area before a small one).
    spread, stability : str, optional
        Layers of the score's standard deviation over models, and of the share of models that call
        the cell prospective.
    edges : str, optional
        Layer of the edge fraction. Default: "edge_fraction" if it is there.
    known : array of shape (n, 2) or GeoDataFrame of points, optional
        Known occurrences [m], in the CRS of the grid.
    attribution : Dataset or mapping of element to array of the grid's shape, optional
        What each element adds to the score of each cell, as from `occlusion_map`.

    Returns
    -------
    targets : GeoDataFrame
        The best first: `rank` (1, 2, ...), `area` [km²], `n_cells`, `percentile` (of the best cell
        [%]), `score` (mean), `score_max`, `easting` and `northing` of the best cell [m], and where
        they were given `spread`, `stability` and `edge_fraction` (means), `known_distance` (of the
        outline to the nearest known occurrence [m], 0 inside), `contains_known`, `elements` (the
        five that add most in absolute value, with sign: "+Li 0.31, -K 0.05"), and the polygon.
        `attrs`: `threshold` of the score, `n_small`, `share` and `area` [km²] of the prospective
        cells, `supported_area` [km²].

    Raises
    ------
    ValueError
        If a layer is not there, no supported cell has a score, the share is no share, or arrays do
        not suit the grid.
    ImportError
        If rasterio and geopandas are not installed.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> grid = make_grid((0, 5000, 0, 2000), 1000)
    >>> scores = [[0.1, 0.2, 0.3, 0.1, 0.9], [0.2, 0.1, 0.2, 0.8, 0.0]]
    >>> targets = find_map_targets(add_layer(grid, "score", scores), share=0.2)
    >>> targets[["rank", "area", "score", "easting", "northing"]]
       rank  area  score  easting  northing
    0     1   2.0   0.85   4500.0     500.0
    """
    checked = check_grid(grid, n_dims=2)
    check_option("rank_by", rank_by, RANKS)
    if not 0 < share < 1:
        raise ValueError(
            f"share must lie between 0 and 1, got {share}. 0.05 is the best twentieth."
        )
    values = _supported(checked, score, support)
    ranks = area_rank(values)
    threshold = share_threshold(values[np.isfinite(values)], share)
    is_best = np.nan_to_num(values, nan=-np.inf) >= threshold
    bodies = _Bodies(*ndimage.label(is_best, structure=np.ones((3, 3))))
    table = _measure(checked, values, ranks, bodies)
    for name, layer in _layers(checked, spread, stability, edges).items():
        table[name] = bodies.means(layer)
    if attribution is not None:
        table["elements"] = _top_elements(_attributions(checked, attribution), bodies)
    excess = bodies.sums(ranks - 100 * (1 - share))
    order_by = {"mean": table["score"], "max": table["score_max"], "sum": excess}[rank_by]
    order = np.lexsort((-table["n_cells"], -np.asarray(order_by)))
    order = order[(table["area"].to_numpy() >= least)[order]]
    targets = _outlined(checked, bodies, table, order)
    if known is not None:
        targets = _with_known(targets, known)
    n_supported, size = int(np.isfinite(values).sum()), cell_volume(checked) / 1e6
    targets.attrs |= {
        "threshold": threshold, "n_small": bodies.count - len(order),
        "share": float(is_best.sum() / n_supported), "area": float(is_best.sum() * size),
        "supported_area": float(n_supported * size),
    }  # fmt: skip
    return targets


def write_map_targets(targets: Any, path: str | Path) -> Path:
    """Write targets as a GeoPackage or GeoJSON with a QGIS style: coloured and labelled by rank.

    Parameters
    ----------
    targets : GeoDataFrame
        Of `find_map_targets`.
    path : path
        Ends in .gpkg or .geojson; an old file is replaced.

    Returns
    -------
    path : Path

    Raises
    ------
    ValueError
        If there are no targets.
    """
    return write_vectors(targets, path, layer="targets", style=fill_style("rank", CLASSES))


@dataclass(frozen=True)
class TargetsOnFile:
    """What `write_raster_targets` found, in a line.

    Attributes
    ----------
    n_targets, n_with_known : int
        Targets, and those of them that contain a known occurrence.
    share : float
        Share of the supported area that they and smaller ones make up.
    area : float
        Of the supported area [km²].
    """

    n_targets: int
    n_with_known: int
    share: float
    area: float

    def __str__(self) -> str:
        known = f", {self.n_with_known} of them with known occurrences" if self.n_with_known else ""
        return (
            f"{self.n_targets} targets{known} in the best {self.share:.1%} of {self.area:,.6g} km²"
        )


def write_raster_targets(
    raster: str | Path,
    path: str | Path,
    *,
    share: float = 0.05,
    known: str | Path | None = None,
    least: float = 0.0,
) -> TargetsOnFile:
    """Find the targets of a file of `score_rasters` and write them for a GIS.

    The four bands are read whole: 16 bytes a cell.

    Parameters
    ----------
    raster : path
        GeoTIFF of `score_rasters`.
    path : path
        Ends in .gpkg or .geojson.
    share, least : float
        As in `find_map_targets`.
    known : path, optional
        Known occurrences: a vector file, a raster of ones, or a table with columns of longitude
        and latitude (WGS 84), or of easting and northing in the CRS of the raster.

    Returns
    -------
    found : TargetsOnFile

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is not there, is damaged or does not fit.
    """
    grid, points = read_grid(raster), None
    if known is not None:
        points = read_known(Path(known), grid.attrs.get("crs"))
    targets = find_map_targets(
        grid, share=share, least=least, known=points, spread="spread" if "spread" in grid else None
    )
    write_map_targets(targets, path)
    n_with = int(targets["contains_known"].sum()) if known is not None else 0
    told = targets.attrs
    return TargetsOnFile(len(targets), n_with, told["share"], told["supported_area"])


def read_known(path: Path, crs: Any) -> Any:
    """Known occurrences in the CRS of a raster, which a local grid has not.

    A vector file, a raster of ones or a table; longitudes and latitudes of a table are taken for
    WGS 84, other coordinates for those of the raster.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is not there or cannot be read.
    """
    if path.suffix.lower() in RASTERS:
        points = read_marked_cells(path)
        return points.to_crs(crs) if crs is not None and points.crs is not None else points
    if path.suffix.lower() not in TABLES:
        return read_occurrences(path, to_crs=crs)
    table = read_sites(read_raw(path), ())[0]
    found = find_coordinates(list(table.columns), {}, source=path.name)
    columns = (found["easting"], found["northing"])
    if crs is not None:
        own = WORLD if {plain_header(name) for name in columns} <= set(DEGREES) else crs
        return read_occurrences(path, crs=own, to_crs=crs, invalid="drop")
    return np.column_stack([read_numbers(table, name, source=path.name) for name in columns])


def _supported(grid: xr.Dataset, score: str, support: str | None) -> Values:
    """Return the scores, NaN outside the support."""
    values = np.array(layer_of(grid, score), dtype=float)
    if support is not None:
        mask = np.asarray(layer_of(grid, support), dtype=float)
        values[~(np.nan_to_num(mask) != 0)] = np.nan
    values[np.isinf(values)] = np.nan
    if np.isnan(values).all():
        raise ValueError(
            f"No {'supported ' if support else ''}cell of {score!r} has a score. Score the grid first"
            " and check the mask."
        )
    return values


def _layers(
    grid: xr.Dataset, spread: str | None, stability: str | None, edges: str | None
) -> dict[str, Values]:
    if edges is None and EDGE_LAYER in grid:
        edges = EDGE_LAYER
    named = {"spread": spread, "stability": stability, EDGE_LAYER: edges}
    return {
        key: np.asarray(layer_of(grid, name), dtype=float) for key, name in named.items() if name
    }


@dataclass(frozen=True)
class _Bodies:
    """Number of the connected area of each cell (0: none), and how many there are."""

    numbers: NDArray[np.int32]
    count: int

    def sums(self, layer: Values) -> Values:
        """Return the sum of a layer in each body, its NaN left out."""
        has = (self.numbers > 0) & np.isfinite(layer)
        sums = np.bincount(self.numbers[has], layer[has], self.count + 1)[1:]
        return np.asarray(sums, dtype=float)

    def means(self, layer: Values) -> Values:
        """Return the mean of a layer in each body, NaN where it has no value at all."""
        counts = self.sums(np.where(np.isfinite(layer), 1.0, np.nan))
        out = np.full(self.count, np.nan)
        return np.divide(self.sums(layer), counts, out=out, where=counts > 0)


def _measure(grid: xr.Dataset, values: Values, ranks: Values, bodies: _Bodies) -> pd.DataFrame:
    """Return size, scores and best cell of each body."""
    counts = np.bincount(bodies.numbers.ravel(), minlength=bodies.count + 1)[1:]
    wanted = np.arange(1, bodies.count + 1)
    best = np.array(ndimage.maximum_position(values, bodies.numbers, wanted), dtype=int)
    rows, columns = best.reshape(bodies.count, 2).T
    easting, northing = cell_centres(grid)[rows * values.shape[1] + columns].T
    return pd.DataFrame(
        {
            "area": counts * cell_volume(grid) / 1e6,
            "n_cells": counts,
            "percentile": ranks[rows, columns],
            "score": bodies.means(values),
            "score_max": values[rows, columns],
            "easting": easting,
            "northing": northing,
        }
    )


def _attributions(
    grid: xr.Dataset, attribution: xr.Dataset | Mapping[str, ArrayLike]
) -> dict[str, Values]:
    found = {}
    for name, values in dict(attribution).items():
        # As a layer, so that other cells or another shape are refused.
        layered = add_layer(grid, str(name), values)
        found[str(name)] = np.asarray(layer_of(layered, str(name)), dtype=float)
    return found


def _top_elements(attributions: Mapping[str, Values], bodies: _Bodies) -> list[str]:
    """Return for each body the elements whose means are largest in absolute value, with sign."""
    names = list(attributions)
    means = np.column_stack([bodies.means(layer) for layer in attributions.values()])
    told = []
    for row in np.nan_to_num(means):
        order = np.argsort(-np.abs(row), kind="stable")[:MOST_ELEMENTS]
        words = [
            f"{'+' if row[i] > 0 else '-'}{names[i]} {abs(row[i]):.2g}" for i in order if row[i]
        ]
        told.append(", ".join(words))
    return told


def _outlined(
    grid: xr.Dataset, bodies: _Bodies, table: pd.DataFrame, order: NDArray[np.intp]
) -> Any:
    """Return the bodies in order, with their rank and outline."""
    ranks = np.zeros(bodies.count + 1, dtype=np.int32)
    ranks[order + 1] = np.arange(1, len(order) + 1)
    targets = outline_cells(grid, ranks[bodies.numbers]).rename(columns={"number": "rank"})
    rows = table.iloc[order].reset_index(drop=True)
    for place, name in enumerate(rows.columns, 1):
        targets.insert(place, name, rows[name].to_numpy())
    return targets


def _with_known(targets: Any, known: Any) -> Any:
    """Return the targets with their distance to the nearest known occurrence, and whether inside."""
    if hasattr(known, "geometry"):
        known = np.column_stack([known.geometry.x, known.geometry.y])
    points = np.asarray(known, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"known must have shape (n, 2), easting and northing, got {points.shape}. Pass their"
            " coordinates [m], or read_occurrences."
        )
    distance = distances_to(targets, points[np.isfinite(points).all(axis=1)])
    place = targets.columns.get_loc("geometry")
    targets.insert(place, "contains_known", distance == 0)
    targets.insert(place, "known_distance", distance)
    return targets
