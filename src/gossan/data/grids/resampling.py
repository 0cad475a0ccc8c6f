"""Grids brought onto other cells: aligned with another grid, cropped, turned.

One or two grids come in; a new one goes out. Nothing is ever extrapolated: a cell outside the
source is NaN, and so is one whose neighbours are missing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import check_option
from gossan.data._crs import same_crs, short_crs
from gossan.data.grids._axes import (
    axes_of,
    grid_shape,
    own_corners,
    rotation_of,
    south_west,
    spacing_of,
    to_axes,
    turn,
)
from gossan.data.grids._checks import check_numbers
from gossan.data.grids.grid import cell_centres, check_grid, make_grid, region_of, same_grid

_METHODS = ("nearest", "linear", "mean")


def align_grids(grid: xr.Dataset, target: xr.Dataset, *, method: str = "linear") -> xr.Dataset:
    """Return the layers of a grid on the cells of another.

    Parameters
    ----------
    grid : Dataset
        What is resampled; turned or not.
    target : Dataset
        Grid of the same number of dims and the same CRS whose cells are wanted; its own layers are
        not taken over.
    method : "linear", "nearest" or "mean"
        "linear" between cell centres suits smooth layers; "nearest" keeps the values as they are
        (codes, masks); "mean" averages the cells whose centres lie in each target cell, for going
        to larger cells. Layers with categories and Boolean ones are always taken by "nearest".

    Returns
    -------
    grid : Dataset
        NaN outside the source. Whole numbers become floats unless the grids have the same cells or
        "nearest" reaches everywhere.

    Raises
    ------
    ValueError
        If the grids have different CRS or numbers of dims.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> fine = add_layer(make_grid((0, 40, 0, 10), (10, 10)), "Au", [1.0, 3.0, 5.0, 9.0])
    >>> align_grids(fine, make_grid((0, 40, 0, 10), (10, 20)), method="mean")["Au"].values
    array([[2., 7.]])
    """
    check_option("method", method, _METHODS)
    grid, target = check_grid(grid), check_grid(target, name="Target")
    if axes_of(grid) != axes_of(target):
        raise ValueError(
            f"A {len(axes_of(grid))}D grid cannot be aligned with a {len(axes_of(target))}D one."
            " Select a level of the 3D grid, or build the target without elevations."
        )
    one, other = grid.attrs.get("crs"), target.attrs.get("crs")
    if not same_crs(one, other):
        raise ValueError(
            f"The grid is in {short_crs(one)}, the target in {short_crs(other)}. Reproject one of"
            " them first (read_grid(path, to_crs=...) does for a GeoTIFF)."
        )
    empty = target.drop_vars(list(target.data_vars))
    if "crs" not in empty.attrs and one is not None:
        empty = empty.assign_attrs(crs=one)
    if same_grid(grid, target):
        layers = {n: (layer.dims, layer.data, layer.attrs) for n, layer in grid.data_vars.items()}
        return empty.assign(layers)
    return empty.assign(_resample(grid, empty, method))


def rotate_grid(
    grid: xr.Dataset,
    rotation: float,
    *,
    origin: tuple[float, float] | None = None,
    method: str = "linear",
) -> xr.Dataset:
    """Return the same ground on a grid whose axes are turned to another azimuth.

    The content stays where it is; only the cells turn. 0 makes a turned grid north-up, for software
    that knows nothing else.

    Parameters
    ----------
    grid : Dataset
    rotation : float
        Clockwise turn of the new axes [°].
    origin : (easting, northing), optional
        Pivot of the new axes [m]; default the south-west corner of the area.
    method : "linear", "nearest" or "mean"
        How values are brought over; see `align_grids`.

    Returns
    -------
    grid : Dataset
        Covers the whole of the old one with cells of the same size; NaN in the new corners.

    Raises
    ------
    ValueError
        If the rotation is not finite.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> rotate_grid(make_grid((0, 40, 0, 20), 10), 90).sizes
    Frozen({'northing': 4, 'easting': 2})
    """
    grid = check_grid(grid)
    (angle,) = check_numbers("Rotation", [rotation], 1)
    west, _, south, _ = region_of(grid)
    pivot = (west, south) if origin is None else origin
    true_corners = turn(own_corners(grid), rotation_of(grid), grid.attrs.get("origin", pivot))
    corners = turn(true_corners, -angle, pivot)
    low, high = corners.min(axis=0), corners.max(axis=0)
    spacing = spacing_of(grid)
    elevations = None
    if "elevation" in grid.sizes:
        bottom = south_west(grid)[2]
        elevations = (bottom, bottom + spacing[0] * grid.sizes["elevation"])
    target = make_grid(
        (low[0], high[0], low[1], high[1]), spacing, elevations=elevations,
        crs=grid.attrs.get("crs"), rotation=angle, origin=pivot,
    )  # fmt: skip
    return align_grids(grid, target, method=method)


def crop(
    grid: xr.Dataset,
    region: Sequence[float] | None = None,
    *,
    elevations: tuple[float, float] | None = None,
) -> xr.Dataset:
    """Return the part of a grid whose cell centres lie in a region.

    Parameters
    ----------
    grid : Dataset
    region : (west, east, south, north), optional
        True coordinates [m]. Of a turned grid, the smallest block of rows and columns that holds
        all cells inside.
    elevations : (low, high), optional
        Of a 3D grid [m].

    Returns
    -------
    grid : Dataset

    Raises
    ------
    ValueError
        If no cell is left, or elevations are asked of a 2D grid.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> region_of(crop(make_grid((0, 100, 0, 100), 10), (20, 50, 0, 100)))
    (20.0, 50.0, 0.0, 100.0)
    """
    grid = check_grid(grid)
    keep = {}
    if elevations is not None:
        low, high = check_numbers("Elevations (low, high)", elevations, 2)
        check_grid(grid, n_dims=3)
        values = grid["elevation"].to_numpy()
        keep["elevation"] = np.flatnonzero((values >= low) & (values <= high))
    if region is not None:
        west, east, south, north = check_numbers("Region (west, east, south, north)", region, 4)
        plan = horizontal(grid)
        x, y = cell_centres(plan).T
        inside = ((x >= west) & (x <= east) & (y >= south) & (y <= north)).reshape(grid_shape(plan))
        keep["northing"] = np.flatnonzero(inside.any(axis=1))
        keep["easting"] = np.flatnonzero(inside.any(axis=0))
    if any(len(places) == 0 for places in keep.values()):
        raise ValueError(
            f"No cell centre lies in region {region}, elevations {elevations}; the grid covers"
            f" {tuple(float(f'{edge:.10g}') for edge in region_of(grid))}. Check the order (west,"
            " east, south, north) and the CRS."
        )
    spans = {axis: slice(places[0], places[-1] + 1) for axis, places in keep.items()}
    return _keep_spacing(grid).isel(spans)


def horizontal(grid: xr.Dataset) -> xr.Dataset:
    """Return the empty 2D grid under a 3D one."""
    bare = grid.drop_vars(list(grid.data_vars))
    return bare.drop_dims("elevation") if "elevation" in grid.sizes else bare


def _keep_spacing(grid: xr.Dataset) -> xr.Dataset:
    """Return the grid with the size of its cells noted, should one be left on an axis."""
    steps = zip(axes_of(grid), spacing_of(grid), strict=True)
    noted = {axis: (axis, grid[axis].data, {**grid[axis].attrs, "spacing": s}) for axis, s in steps}
    return grid.assign_coords(noted)


def _resample(
    grid: xr.Dataset, target: xr.Dataset, method: str
) -> dict[str, tuple[tuple[str, ...], NDArray, dict]]:
    steps = spacing_of(grid)
    shape = grid_shape(grid)
    points = to_axes(grid, cell_centres(target))[:, ::-1]  # columns in the order of the axes
    lows = [float(grid[axis][0]) for axis in axes_of(grid)]
    places = (points - lows) / steps  # places in cells, 0 at the first centre
    resampled = {}
    for name, layer in grid.data_vars.items():
        is_code = layer.dtype.kind == "b" or "categories" in layer.attrs
        values = layer.to_numpy()
        if is_code or method == "nearest":
            new = _take_nearest(values, places, shape)
        elif method == "linear":
            new = _interpolate(values, places, shape)
        else:
            new = _average(values, grid, target)
        resampled[str(name)] = (axes_of(target), new.reshape(grid_shape(target)), layer.attrs)
    return resampled


def _is_inside(places: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Return which places lie in a cell, a hair over the edge included."""
    highs = np.asarray(shape) - 0.5
    inside = (places >= -0.5 - 1e-6) & (places <= highs + 1e-6)
    return np.asarray(inside.all(axis=1))


def _take_nearest(values: NDArray, places: NDArray[np.float64], shape: Sequence[int]) -> NDArray:
    inside = _is_inside(places, shape)
    nearest = np.clip(np.floor(places + 0.5), 0, np.asarray(shape) - 1).astype(np.int64)
    taken = values[tuple(nearest.T)]
    if inside.all():
        return taken
    return np.where(inside, taken, np.nan)


def _interpolate(
    values: NDArray, places: NDArray[np.float64], shape: Sequence[int]
) -> NDArray[np.float64]:
    """Return multilinear values; in the half cell along the edge, those of the edge's centres."""
    clipped = np.clip(places, 0, np.asarray(shape) - 1)
    low = np.minimum(np.floor(clipped), np.maximum(np.asarray(shape) - 2, 0)).astype(np.int64)
    part = clipped - low
    part[part < 1e-9] = 0.0  # on a centre: a missing neighbour does not count
    part[part > 1 - 1e-9] = 1.0
    total = np.zeros(len(places))
    for corner in itertools.product((0, 1), repeat=len(shape)):
        weight = np.prod(np.where(corner, part, 1 - part), axis=1)
        at = np.minimum(low + np.array(corner), np.asarray(shape) - 1)
        value = values[tuple(at.T)].astype(float)
        total += np.where(weight > 0, weight * value, 0.0)
    return np.where(_is_inside(places, shape), total, np.nan)


def _average(values: NDArray, grid: xr.Dataset, target: xr.Dataset) -> NDArray[np.float64]:
    """Return the mean of the source cells whose centres lie in each target cell."""
    points = to_axes(target, cell_centres(grid))[:, ::-1]
    lows = [float(target[axis][0]) for axis in axes_of(target)]
    shape = grid_shape(target)
    places = (points - lows) / spacing_of(target)
    # A centre on the edge between two cells goes to the upper one, rounding notwithstanding.
    nearest = np.floor(places + 0.5 + 1e-9).astype(np.int64)
    flat = values.ravel().astype(float)
    keep = ((nearest >= 0) & (nearest < shape)).all(axis=1) & np.isfinite(flat)
    cells = np.ravel_multi_index(tuple(nearest[keep].T), shape)
    n_cells = math.prod(shape)
    counts = np.bincount(cells, minlength=n_cells)
    sums = np.bincount(cells, weights=flat[keep], minlength=n_cells)
    return np.divide(sums, counts, out=np.full(n_cells, np.nan), where=counts > 0)
