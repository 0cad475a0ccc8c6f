"""Which cells of a grid count: inside a polygon, below the topography, near the samples.

A grid and what limits it come in; a Boolean layer, or the grid with NaN elsewhere, goes out.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan._checks import GossanWarning
from gossan.data._crs import GIS_HINT, plain_crs, same_crs, short_crs
from gossan.data.grids._axes import axes_of, grid_shape
from gossan.data.grids.grid import cell_centres, check_grid
from gossan.data.grids.resampling import align_grids, horizontal


def grid_mask(
    grid: xr.Dataset,
    *,
    polygon: Any = None,
    topography: xr.Dataset | None = None,
    points: ArrayLike | None = None,
    distance: float | None = None,
) -> xr.DataArray:
    """Return which cells count: those that meet every condition given.

    Parameters
    ----------
    grid : Dataset
    polygon : GeoDataFrame, GeoSeries or shapely geometry, optional
        The cell's centre must lie in one of these polygons (true coordinates); needs geopandas.
    topography : Dataset with one layer, optional
        2D grid of the elevation of the ground [m], on any cells, such as `read_ground` gives; the
        centre of a 3D cell must not lie above it. Where the topography is missing (NaN) or does
        not reach, cells do not count, and a `GossanWarning` says over how many columns of cells
        that the other conditions keep.
    points : array of shape (n, 2 or 3), optional
        Easting, northing (and elevation) of samples [m], with `distance`. Two columns measure the
        horizontal distance, in 3D grids too.
    distance : float, optional
        The centre must not be farther than this from the nearest of `points` [m].

    Returns
    -------
    mask : bool DataArray of the grid's shape
        True where the cell counts; a `GossanWarning` says so where none does.

    Raises
    ------
    ValueError
        If no condition is given, CRS differ, `distance` is not positive or is given without
        `points` (or the reverse), or `topography` is not 2D with one layer.
    ImportError
        If a polygon is given and shapely is not installed.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> grid_mask(make_grid((0, 40, 0, 10), 10), points=[(5, 5)], distance=12).values
    array([[ True,  True, False, False]])
    """
    grid = check_grid(grid)
    if polygon is None and topography is None and points is None and distance is None:
        raise ValueError(
            "A mask needs a condition, got none. Give polygon=, topography= or points= with"
            " distance=."
        )
    keep = np.ones(grid_shape(grid), dtype=bool)
    if polygon is not None:
        keep &= _inside_polygon(grid, polygon)
    if points is not None or distance is not None:
        keep &= _near_points(grid, points, distance)
    if topography is not None:
        keep &= _below_ground(grid, topography, keep)
    if not keep.any():
        warnings.warn(
            "No cell of the grid meets the conditions of the mask. Check that all coordinates are"
            " in one CRS and in metres.",
            GossanWarning,
            stacklevel=2,
        )
    coords = {axis: grid[axis] for axis in axes_of(grid)}
    return xr.DataArray(keep, coords, axes_of(grid), name="mask")


def mask_grid(
    grid: xr.Dataset,
    mask: xr.DataArray | ArrayLike | None = None,
    *,
    polygon: Any = None,
    topography: xr.Dataset | None = None,
    points: ArrayLike | None = None,
    distance: float | None = None,
) -> xr.Dataset:
    """Return the grid with every layer missing (NaN) where a cell does not count.

    Parameters
    ----------
    grid : Dataset
    mask : bool array of the grid's shape, optional
        True where the cell counts, from `grid_mask` or your own.
    polygon, topography, points, distance
        Further conditions; see `grid_mask`.

    Returns
    -------
    grid : Dataset
        Layers of whole numbers and Boolean ones become floats.

    Raises
    ------
    ValueError
        If the mask has another shape or is not Boolean, or as in `grid_mask`.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> grid = add_layer(make_grid((0, 30, 0, 10), 10), "Au", [1.0, 2.0, 3.0])
    >>> mask_grid(grid, [[True, False, True]])["Au"].values
    array([[ 1., nan,  3.]])
    """
    grid = check_grid(grid)
    conditions = {"polygon": polygon, "topography": topography}
    conditions |= {"points": points, "distance": distance}
    keep = np.ones(grid_shape(grid), dtype=bool)
    if mask is not None:
        keep = np.asarray(mask)
        if keep.shape != grid_shape(grid) or keep.dtype != bool:
            raise ValueError(
                f"A mask must be Boolean of shape {grid_shape(grid)}, got {keep.dtype} of shape"
                f" {keep.shape}. Compare something: layer > 0, say."
            )
    if mask is None or any(value is not None for value in conditions.values()):
        keep = keep & grid_mask(grid, **conditions).to_numpy()  # type: ignore[arg-type]
    flags = {n: layer.astype(float) for n, layer in grid.data_vars.items() if layer.dtype == bool}
    return grid.assign(flags).where(xr.DataArray(keep, dims=axes_of(grid)))


def _inside_polygon(grid: xr.Dataset, polygon: Any) -> NDArray[np.bool_]:
    try:
        import shapely
    except ImportError as error:
        raise ImportError(f"Polygons need geopandas and shapely. Install: {GIS_HINT}") from error
    crs = plain_crs(getattr(polygon, "crs", None), name="The polygon's crs")
    if not same_crs(crs, grid.attrs.get("crs")):
        raise ValueError(
            f"The polygon is in {short_crs(crs)}, the grid in {short_crs(grid.attrs['crs'])}."
            " Reproject the polygon: polygon.to_crs(grid.attrs['crs'])."
        )
    shapes = np.atleast_1d(getattr(polygon, "geometry", polygon))
    if not all(isinstance(s, shapely.Polygon | shapely.MultiPolygon) for s in shapes):
        kinds = sorted({getattr(s, "geom_type", type(s).__name__) for s in shapes})
        raise ValueError(f"A mask needs polygons, got {', '.join(kinds)}. Pass areas.")
    if not shapely.is_valid(shapes).all():
        bad = np.flatnonzero(~shapely.is_valid(shapes))
        raise ValueError(
            f"{len(bad)} polygons of the mask are invalid, first number {bad[0]} from 0. Read them"
            " with read_vectors(..., invalid='repair')."
        )
    area = shapely.union_all(shapes)
    shapely.prepare(area)
    plan = horizontal(grid)
    inside = shapely.contains_xy(area, cell_centres(plan)).reshape(grid_shape(plan))
    return np.broadcast_to(inside, grid_shape(grid))


def _below_ground(
    grid: xr.Dataset, topography: xr.Dataset, keep: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return which cells lie below the ground; tell of columns in `keep` whose ground is unknown."""
    check_grid(grid, n_dims=3)
    ground = check_grid(topography, n_dims=2, name="Topography")
    if len(ground.data_vars) != 1:
        raise ValueError(
            f"Topography must have one layer, got {[str(n) for n in ground.data_vars]}. Choose it:"
            " topography[['elevation of the ground']]."
        )
    (height,) = align_grids(ground, horizontal(grid)).data_vars.values()
    centres = grid["elevation"].to_numpy()[:, None, None]
    is_kept = keep.any(axis=0)
    is_unknown = np.isnan(height.to_numpy()) & is_kept
    if is_unknown.any():
        warnings.warn(
            f"The topography is unknown over {int(is_unknown.sum())} of {int(is_kept.sum())} columns"
            " of cells, which do not count. Give one that covers the grid.",
            GossanWarning,
            stacklevel=3,
        )
    return centres <= height.to_numpy()  # False where the height is NaN


def _near_points(
    grid: xr.Dataset, points: ArrayLike | None, distance: float | None
) -> NDArray[np.bool_]:
    if points is None or distance is None or not 0 < float(distance) < np.inf:
        given = "no points" if points is None else f"distance={distance!r}"
        raise ValueError(
            f"A mask by distance needs points and a positive distance [m], got {given}."
            " Give both points= and distance=."
        )
    places = np.asarray(points, dtype=float)
    n_dims = len(axes_of(grid))
    if places.ndim != 2 or places.shape[1] not in (2, 3) or not np.isfinite(places).all():
        raise ValueError(
            f"Points must be finite and of shape (n, 2 or 3), got shape {places.shape}. Drop rows"
            " without coordinates."
        )
    if not len(places):
        raise ValueError("Points must be at least one, got none. Pass the samples' coordinates.")
    cells = grid if min(n_dims, places.shape[1]) == 3 else horizontal(grid)
    width = len(axes_of(cells))
    tree = cKDTree(places[:, :width])
    gaps, _ = tree.query(cell_centres(cells), distance_upper_bound=float(distance) * (1 + 1e-12))
    return np.broadcast_to(np.isfinite(gaps).reshape(grid_shape(cells)), grid_shape(grid))
