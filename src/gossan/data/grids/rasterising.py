"""Vectors on a grid: brought to its CRS, and burnt into its cells.

Shapes with a CRS and a grid come in; shapes in the grid's CRS, or a 2D layer, go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.data._coordinates import list_words
from gossan.data._crs import GIS_HINT, plain_crs, same_crs, short_crs
from gossan.data.grids._axes import axes_of, grid_shape, own_corners, spacing_of, to_axes
from gossan.data.grids.grid import check_grid
from gossan.data.grids.resampling import horizontal
from gossan.data.grids.tables import encode

if TYPE_CHECKING:
    import geopandas as gpd

KINDS = {
    "points": ("Point", "MultiPoint"),
    "lines": ("LineString", "MultiLineString", "LinearRing"),
    "polygons": ("Polygon", "MultiPolygon"),
}
"""Types of geometry by the word for their kind."""


def match_crs(frame: gpd.GeoDataFrame, grid: xr.Dataset, *, reproject: bool = False) -> Any:
    """Return vectors in the CRS of a grid, or say that they are not.

    Parameters
    ----------
    frame : GeoDataFrame
    grid : Dataset
        A grid without a CRS is local: nothing is compared.
    reproject : bool
        Reproject where the CRS differ, rather than refuse.

    Returns
    -------
    frame : GeoDataFrame
        The same one where the CRS are the same.

    Raises
    ------
    ValueError
        If the CRS differ and `reproject` is False, or the vectors have none and `reproject` is
        True.
    """
    own, other = plain_crs(frame.crs), check_grid(grid).attrs.get("crs")
    if same_crs(own, other) and not (reproject and own is None and other is not None):
        return frame
    if not reproject:
        raise ValueError(
            f"The vectors are in {short_crs(own)}, the grid in {short_crs(other)}. Reproject them:"
            " to_crs=grid.attrs['crs'], or match_crs(..., reproject=True)."
        )
    if own is None:
        raise ValueError(
            "The vectors have no CRS to reproject from. Name it: frame.set_crs('EPSG:...')."
        )
    return frame.to_crs(other)


def rasterise(
    frame: gpd.GeoDataFrame,
    grid: xr.Dataset,
    *,
    column: str | None = None,
    all_touched: bool | None = None,
    reproject: bool = False,
) -> xr.DataArray:
    """Return a 2D layer of what lies in each cell of a grid, turned grids included.

    Parameters
    ----------
    frame : GeoDataFrame
        Points, lines or polygons.
    grid : Dataset
        Of a 3D grid, the plan is used.
    column : str, optional
        What is burnt in: numbers as they are, text as codes with the words in
        ``attrs["categories"]``. Where shapes overlap, the last row wins. Default: True inside.
    all_touched : bool, optional
        Every cell that a shape touches, rather than those whose centre lies inside. Default: True
        for lines and points, which have no inside, False for polygons.
    reproject : bool
        Reproject where the CRS differ, rather than refuse.

    Returns
    -------
    layer : DataArray of shape (northing, easting)
        Boolean without `column`; else float64, NaN where nothing lies.

    Raises
    ------
    ValueError
        If there are no rows, the CRS differ, or the column is not there.
    ImportError
        If rasterio or geopandas is not installed.
    """
    gpd = import_geopandas()
    if not isinstance(frame, gpd.GeoDataFrame) or not len(frame):
        raise ValueError(
            f"Shapes to rasterise must be a GeoDataFrame with rows, got {type(frame).__name__} of"
            f" {len(frame)}. Read them with read_vectors."
        )
    plan = horizontal(check_grid(grid))
    shapes = match_crs(frame, plan, reproject=reproject)
    values, attrs = _burnt_values(shapes, column)
    own = _along_axes(shapes.geometry, plan)
    if all_touched is None:
        all_touched = not shapes.geom_type.isin(KINDS["polygons"]).all()
    burnt = _burn(own, values, plan, all_touched)
    data = burnt if column is not None else np.isfinite(burnt)
    coords = {axis: plan[axis] for axis in axes_of(plan)}
    return xr.DataArray(data, coords, axes_of(plan), name=column or "inside", attrs=attrs)


def import_geopandas() -> Any:
    """Return geopandas, or say how to install it."""
    try:
        import geopandas
    except ImportError as error:
        raise ImportError(f"Vector files need geopandas. Install: {GIS_HINT}") from error
    return geopandas


def _burnt_values(frame: Any, column: str | None) -> tuple[Sequence[float], dict[str, Any]]:
    if column is None:
        return [1.0] * len(frame), {}
    if column not in frame.columns or column == frame.geometry.name:
        known = [str(name) for name in frame.columns if name != frame.geometry.name]
        raise ValueError(
            f"The vectors have no column {column!r}; they have {list_words(known)}. Choose among"
            f" these.{did_you_mean(str(column), known)}"
        )
    values, attrs = encode(frame[column])
    return values.astype(float).tolist(), attrs


def _along_axes(shapes: Any, grid: xr.Dataset) -> list[Any]:
    """Return the geometries along the grid's own axes."""
    import shapely

    turned = shapely.transform(shapes.to_numpy(), lambda points: to_axes(grid, points))
    return list(turned)


def _burn(
    shapes: list[Any], values: Sequence[float], grid: xr.Dataset, all_touched: bool
) -> NDArray[np.float64]:
    """Return the value in each cell, rows from south to north; NaN where nothing lies."""
    try:
        from rasterio import features
        from rasterio.transform import Affine
    except ImportError as error:
        raise ImportError(f"Rasterising needs rasterio. Install: {GIS_HINT}") from error
    north, east = spacing_of(grid)
    west, top = own_corners(grid)[2]
    transform = Affine(east, 0.0, west, 0.0, -north, top)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Use `@` matmul", PendingDeprecationWarning)
        pairs = [
            (shape, value)
            for shape, value in zip(shapes, values, strict=True)
            if np.isfinite(value) and shape is not None and not shape.is_empty
        ]
        if not pairs:
            return np.full(grid_shape(grid), np.nan)
        burnt = features.rasterize(
            pairs, out_shape=grid_shape(grid), fill=np.nan, transform=transform,
            all_touched=all_touched, dtype="float64",
        )  # fmt: skip
    return burnt[::-1]
