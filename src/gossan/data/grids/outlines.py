"""Outlines of numbered areas of a grid, as the polygons that a GIS draws.

A 2D grid and a number for each cell come in; a GeoDataFrame of the borders of the cells goes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gossan.data._crs import GIS_HINT
from gossan.data.grids._geotiff import _quiet_rasterio, _transform
from gossan.data.grids.grid import check_grid, grid_shape
from gossan.data.grids.rasterising import import_geopandas

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["distances_to", "outline_cells"]


def outline_cells(grid: xr.Dataset, numbers: ArrayLike) -> gpd.GeoDataFrame:
    """Return the outline of each numbered area: the outer borders of its cells, with its holes.

    Parameters
    ----------
    grid : Dataset
        In 2D, turned or not.
    numbers : int array of shape (northing, easting)
        Number of the area of each cell; 0 for none.

    Returns
    -------
    outlines : GeoDataFrame
        Column `number`, ascending, and the geometry; an area in several parts, or whose cells meet at
        corners alone, is a MultiPolygon.

    Raises
    ------
    ValueError
        If the numbers are not one a cell, or negative.
    ImportError
        If rasterio and geopandas are not installed.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> outline_cells(make_grid((0, 30, 0, 20), 10), [[0, 1, 1], [0, 0, 1]]).area.tolist()
    [300.0]
    """
    gpd = import_geopandas()
    checked = check_grid(grid, n_dims=2)
    areas = _checked(numbers, grid_shape(checked))
    pieces: dict[int, list[Any]] = {int(number): [] for number in np.unique(areas[areas > 0])}
    with _quiet_rasterio():
        from rasterio.features import shapes
        from shapely.geometry import shape

        rows = np.ascontiguousarray(areas[::-1])  # rows of a raster run southwards
        for outline, number in shapes(rows, mask=rows > 0, transform=_transform(checked)):
            pieces[int(number)].append(shape(outline))
    from shapely import MultiPolygon

    whole = [parts[0] if len(parts) == 1 else MultiPolygon(parts) for parts in pieces.values()]
    return gpd.GeoDataFrame({"number": list(pieces)}, geometry=whole, crs=checked.attrs.get("crs"))


def distances_to(outlines: gpd.GeoDataFrame, points: ArrayLike) -> NDArray[np.float64]:
    """Return the distance from each outline to the nearest of some points, 0 for one inside.

    Parameters
    ----------
    outlines : GeoDataFrame
    points : array of shape (n, 2)
        Easting and northing [m].

    Returns
    -------
    distances : float64 array of shape (n_outlines,)
        In metres; NaN where there are no points.
    """
    try:
        from shapely import STRtree
        from shapely import points as make_points
    except ImportError as error:
        raise ImportError(f"Distances to outlines need shapely. Install: {GIS_HINT}") from error
    places = np.asarray(points, dtype=float).reshape(-1, 2)
    distances = np.full(len(outlines), np.nan)
    if len(places) and len(outlines):
        near, found = STRtree(make_points(places)).query_nearest(
            outlines.geometry.to_numpy(), return_distance=True, all_matches=False
        )
        distances[near[0]] = found
    return distances


def _checked(numbers: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int32]:
    areas = np.asarray(numbers)
    if areas.shape != shape or areas.dtype.kind not in "iub" or areas.min(initial=0) < 0:
        raise ValueError(
            f"Numbers must be whole, not negative and one a cell of {shape}, got shape {areas.shape}"
            f" of {areas.dtype}. Label the areas first; 0 is none."
        )
    return areas.astype(np.int32)
