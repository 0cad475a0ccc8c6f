"""Occurrences that come as a raster: the cells that hold a mark, as points.

A raster of zeros and ones comes in; a GeoDataFrame of points, one a marked cell, goes out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from gossan.data.grids.files import read_grid
from gossan.data.grids.grid import cell_centres, check_grid, layer_of
from gossan.data.grids.rasterising import import_geopandas

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["read_marked_cells"]


def read_marked_cells(
    raster: str | Path | xr.Dataset, *, value: float = 1.0, layer: str | None = None
) -> gpd.GeoDataFrame:
    """Points at the centres of the cells that hold a mark: occurrences published as a raster.

    Two occurrences in one cell are one point, and the place is known to half a cell only.

    Parameters
    ----------
    raster : path or Dataset
        2D.
    value : float, default 1
        The mark. Some rasters mark by 0: look at the counts.
    layer : str, optional
        Which layer, of several.

    Returns
    -------
    points : GeoDataFrame
        In the raster's CRS, from south to north.

    Raises
    ------
    ValueError
        If no cell holds the mark (the values that are there are told), or more than one layer is
        there and none is named.
    ImportError
        If geopandas is not installed.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> raster = add_layer(make_grid((0, 30, 0, 10), 10), "ore", [0, 1, 0])
    >>> read_marked_cells(raster).geometry[0].coords[0]
    (15.0, 5.0)
    """
    is_grid = isinstance(raster, xr.Dataset)
    label = "The raster" if is_grid else Path(raster).name  # type: ignore[arg-type]
    grid = check_grid(raster if is_grid else read_grid(raster), n_dims=2, name=label)  # type: ignore[arg-type]
    names = [str(name) for name in grid.data_vars]
    if layer is None and len(names) != 1:
        raise ValueError(
            f"{label} has the layers {', '.join(names) or 'none'}. Name one: layer=..."
        )
    values = layer_of(grid, layer or names[0]).to_numpy().ravel()
    marked = values == value
    if not marked.any():
        there = np.unique(values[np.isfinite(values.astype(float))])
        told = ", ".join(f"{each:g}" for each in there[:9].astype(float))
        raise ValueError(
            f"No cell of {label} holds {value:g}; it holds {told or 'nothing'}"
            f"{'...' if len(there) > 9 else ''}. Pass the mark as value=."
        )
    gpd = import_geopandas()
    points = gpd.points_from_xy(*cell_centres(grid)[marked].T)
    return gpd.GeoDataFrame(geometry=points, crs=grid.attrs.get("crs"))
