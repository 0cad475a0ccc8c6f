"""Grids: one container for 2D rasters and 3D block models, an `xarray.Dataset` with a CRS.

A region and a spacing come in; a Dataset goes out whose dims are (northing, easting) or (elevation,
northing, easting), whose coordinates are the centres of the cells, ascending, and whose variables
are layers. `attrs` may hold `crs` (text) and, for a grid that is turned, `rotation` [°, clockwise]
about `origin` (easting, northing): the coordinates then run along the grid's own axes, and
`cell_centres` gives the true places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gossan._checks import did_you_mean
from gossan.data._crs import same_crs, short_crs
from gossan.data.grids._axes import (
    axes_of,
    from_axes,
    grid_shape,
    own_corners,
    rotation_of,
    south_west,
    spacing_of,
    to_axes,
    turn,
)
from gossan.data.grids._checks import (
    AXES,
    axis_values,
    check_axis,
    check_dims,
    check_layer,
    check_numbers,
    make_axis,
    placement,
)

__all__ = [
    "AXES",
    "add_layer",
    "axes_of",
    "cell_centres",
    "cell_volume",
    "check_grid",
    "check_same_grid",
    "from_axes",
    "grid_at",
    "grid_difference",
    "grid_shape",
    "layer_of",
    "make_grid",
    "own_corners",
    "region_of",
    "rotation_of",
    "same_grid",
    "south_west",
    "spacing_of",
    "to_axes",
]


def make_grid(
    region: Sequence[float],
    spacing: float | Sequence[float],
    *,
    elevations: tuple[float, float] | None = None,
    crs: Any = None,
    rotation: float = 0.0,
    origin: tuple[float, float] | None = None,
) -> xr.Dataset:
    """Return an empty grid that covers a region, ready to hold layers.

    Parameters
    ----------
    region : (west, east, south, north)
        Outer edges of the cells [m]. The last column and row may reach beyond east and north, so
        that every cell has its full size. A turned grid covers the region along its own axes.
    spacing : float, (northing, easting) or (elevation, northing, easting)
        Size of a cell [m].
    elevations : (low, high), optional
        Bottom and top [m], upwards; makes the grid 3D.
    crs : str, int or CRS object, optional
        Projected CRS in metres, such as "EPSG:32650". None: a local grid.
    rotation : float
        Clockwise turn of the grid [°]: the azimuth of its own north.
    origin : (easting, northing), optional
        Place that stays where it is in the turn [m]; default the south-west corner.

    Returns
    -------
    grid : Dataset without layers
        Coordinates are cell centres; `add_layer` fills it.

    Raises
    ------
    ValueError
        If the region is empty or upside down, a spacing is not positive, or the CRS is unreadable
        or in degrees.

    Examples
    --------
    >>> grid = make_grid((0, 100, 0, 50), 10, elevations=(200, 260))
    >>> dict(grid.sizes)
    {'elevation': 6, 'northing': 5, 'easting': 10}
    >>> [float(grid[axis][0]) for axis in ("elevation", "northing", "easting")]
    [205.0, 5.0, 5.0]
    """
    west, east, south, north = check_numbers("Region (west, east, south, north)", region, 4)
    edges = [(south, north), (west, east)]
    if elevations is not None:
        edges.insert(0, tuple(check_numbers("Elevations (low, high)", elevations, 2)))  # type: ignore[arg-type]
    steps = [spacing] * len(edges) if np.ndim(spacing) == 0 else list(spacing)  # type: ignore[arg-type]
    steps = check_numbers(f"Spacing ({', '.join(AXES[-len(edges) :])})", steps, len(edges))
    names = AXES[-len(edges) :]
    coords = {n: make_axis(n, *e, s) for n, e, s in zip(names, edges, steps, strict=True)}
    pivot = (west, south) if origin is None else check_numbers("Origin", origin, 2)
    return xr.Dataset(coords=coords, attrs=placement(crs, rotation, pivot))


def grid_at(
    corner: Sequence[float],
    spacing: Sequence[float],
    shape: Sequence[int],
    *,
    rotation: float = 0.0,
    crs: Any = None,
    origin: Sequence[float] | None = None,
) -> xr.Dataset:
    """Return an empty grid by its lowest south-west corner, spacing and shape.

    Parameters
    ----------
    corner : (easting, northing) or (easting, northing, elevation)
        True place of the outer corner [m].
    spacing, shape : in the order of the axes, (elevation,) northing, easting
        Size [m] and number of the cells.
    rotation : float
        Clockwise turn [°].
    crs : str, int or CRS object, optional
        Projected CRS.
    origin : (easting, northing), optional
        Pivot of the turn; default the corner.

    Returns
    -------
    grid : Dataset without layers

    Raises
    ------
    ValueError
        If a number is not finite, or a spacing or the shape is not positive.
    """
    place = check_numbers("Corner", corner, len(shape))
    steps = check_numbers("Spacing", spacing, len(shape))
    pivot = place[:2] if origin is None else check_numbers("Origin", origin, 2)
    attrs = placement(crs, rotation, pivot)
    own = turn(np.array([place[:2]]), -rotation, pivot)[0] if rotation else np.array(place[:2])
    lows = [*place[2:], own[1], own[0]]
    coords = {
        name: make_axis(name, low, low + n * step, step)
        for name, low, n, step in zip(AXES[-len(shape) :], lows, shape, steps, strict=True)
    }
    return xr.Dataset(coords=coords, attrs=attrs)


def check_grid(grid: Any, *, n_dims: int | None = None, name: str = "Grid") -> xr.Dataset:
    """Return a grid with its axes in order and ascending, or say what keeps it from being one.

    Swapped dims and descending axes are put right, as nothing is lost by that; everything else is
    refused.

    Parameters
    ----------
    grid : Dataset
        Layers of numbers with dims (northing, easting) or (elevation, northing, easting).
    n_dims : 2 or 3, optional
        How many axes are needed.
    name : str
        What it is, for messages.

    Returns
    -------
    grid : Dataset
        A new one where something was put right; data are not copied.

    Raises
    ------
    TypeError
        If it is no Dataset.
    ValueError
        If a dim or its coordinates are missing, irregular, repeated or not finite; a layer lacks a
        dim or holds no numbers; or the rotation or the CRS is unreadable.
    """
    if not isinstance(grid, xr.Dataset):
        hint = "take grid[['layer']] with two brackets" if isinstance(grid, xr.DataArray) else ""
        raise TypeError(
            f"{name} must be an xarray.Dataset, got {type(grid).__name__}."
            f" Build it with make_grid{f'; {hint}' if hint else ''}."
        )
    dims = check_dims(grid, name, n_dims)
    grid = grid.reset_coords(drop=True)
    for dim in dims:
        values = axis_values(grid, dim, name)
        if len(values) > 1 and values[0] > values[-1]:
            grid, values = grid.isel({dim: slice(None, None, -1)}), values[::-1]
        check_axis(values, grid[dim], dim, name)
    for layer, values in grid.data_vars.items():
        check_layer(values, str(layer), dims, name)
    attrs = grid.attrs
    placement(attrs.get("crs"), attrs.get("rotation", 0.0), attrs.get("origin", (0.0, 0.0)))
    return grid.transpose(*dims)


def add_layer(
    grid: xr.Dataset,
    name: str,
    values: ArrayLike,
    *,
    units: str | None = None,
    long_name: str | None = None,
) -> xr.Dataset:
    """Return the grid with one layer more (or replaced).

    Parameters
    ----------
    grid : Dataset
    name : str
        Name of the layer.
    values : array of the grid's shape, or of shape (n_cells,) in the order of `cell_centres`
        What the layer holds; kept in its type. A DataArray must have the grid's coordinates, in
        any order of its dims.
    units, long_name : str, optional
        Kept in the layer's attrs and in files.

    Returns
    -------
    grid : Dataset
        A new one.

    Raises
    ------
    ValueError
        If the number of values is not that of the cells, they are no numbers, or a DataArray lies
        on other cells.

    Examples
    --------
    >>> grid = make_grid((0, 20, 0, 20), 10)
    >>> grid = add_layer(grid, "Au", [1, 2, 3, 4], units="ppb")
    >>> float(grid["Au"].sel(easting=15, northing=5))
    2.0
    """
    grid = check_grid(grid)
    shape = grid_shape(grid)
    if isinstance(values, xr.DataArray):
        values = _on_cells(values, name, grid)
    array: Any = values if hasattr(values, "chunks") else np.asarray(values)
    if array.shape not in (shape, (math.prod(shape),)):
        raise ValueError(
            f"Layer {name!r} has the shape {array.shape} for a grid of {shape}. Give one value a"
            " cell, in the order of cell_centres(grid)."
        )
    said = {"units": units, "long_name": long_name}
    attrs = {key: text for key, text in said.items() if text is not None}
    layer = xr.Variable(axes_of(grid), array.reshape(shape), attrs)
    check_layer(xr.DataArray(layer, name=name), name, axes_of(grid), "Grid")
    return grid.assign({name: layer})


def layer_of(grid: xr.Dataset, name: str) -> xr.DataArray:
    """Return a layer, its dims in the order of the grid's; ValueError names those that are there."""
    if name not in grid:
        there = list(map(str, grid.data_vars))
        raise ValueError(
            f"The grid has no layer {name!r}; it has {', '.join(there) or 'none'}."
            f"{did_you_mean(name, there)}"
        )
    return grid[name].transpose(*axes_of(grid))


def cell_volume(grid: xr.Dataset) -> float:
    """Return the volume of a cell [m³], or its area [m²] in 2D.

    Parameters
    ----------
    grid : Dataset

    Returns
    -------
    volume : float

    Examples
    --------
    >>> cell_volume(make_grid((0, 100, 0, 50), 10, elevations=(0, 20)))
    1000.0
    """
    return math.prod(spacing_of(check_grid(grid)))


def cell_centres(grid: xr.Dataset) -> NDArray[np.float64]:
    """Return the true places of all cells, the turn of the grid included.

    Parameters
    ----------
    grid : Dataset

    Returns
    -------
    centres : float64 array of shape (n_cells, 2 or 3)
        Easting, northing (and elevation) [m]; easting runs fastest, as in ``values.ravel()``.

    Examples
    --------
    >>> cell_centres(make_grid((0, 20, 0, 20), 10, rotation=90)).round(6)
    array([[  5.,  -5.],
           [  5., -15.],
           [ 15.,  -5.],
           [ 15., -15.]])
    """
    grid = check_grid(grid)
    axes = [grid[axis].to_numpy().astype(float) for axis in axes_of(grid)]
    mesh = np.meshgrid(*axes, indexing="ij")
    return from_axes(grid, np.column_stack([each.ravel() for each in mesh[::-1]]))


def region_of(grid: xr.Dataset) -> tuple[float, float, float, float]:
    """Return the outer edges (west, east, south, north) [m]; of a turned grid, its bounding box.

    Parameters
    ----------
    grid : Dataset

    Returns
    -------
    region : (west, east, south, north)

    Examples
    --------
    >>> region_of(make_grid((0, 100, 0, 50), 10))
    (0.0, 100.0, 0.0, 50.0)
    """
    corners = from_axes(grid, own_corners(check_grid(grid)))
    low, high = corners.min(axis=0), corners.max(axis=0)
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def same_grid(first: xr.Dataset, second: xr.Dataset) -> bool:
    """Whether two grids have the same cells, whatever layers they hold.

    Parameters
    ----------
    first, second : Dataset
        An unknown CRS contradicts nothing.

    Returns
    -------
    is_same : bool

    Examples
    --------
    >>> same_grid(make_grid((0, 20, 0, 20), 10), make_grid((0, 20, 0, 20), 5))
    False
    """
    return not grid_difference(check_grid(first), check_grid(second))


def check_same_grid(first: xr.Dataset, second: xr.Dataset, *, name: str = "Grid") -> None:
    """Raise unless two grids have the same cells.

    Parameters
    ----------
    first, second : Dataset
    name : str
        What the second is, for the message.

    Raises
    ------
    ValueError
        If shape, coordinates, rotation or CRS differ; the message names the first difference.
    """
    difference = grid_difference(check_grid(first), check_grid(second))
    if difference:
        raise ValueError(f"{name} has other cells: {difference}. Bring it over with align_grids.")


def grid_difference(first: xr.Dataset, second: xr.Dataset) -> str:
    """Return what differs between the cells of two checked grids, "" if nothing does."""
    if grid_shape(first) != grid_shape(second):
        return f"shape {grid_shape(first)} against {grid_shape(second)}"
    one, other = first.attrs.get("crs"), second.attrs.get("crs")
    if not same_crs(one, other):
        return f"CRS {short_crs(one)} against {short_crs(other)}"
    if abs((rotation_of(first) - rotation_of(second) + 180) % 360 - 180) > 1e-6:
        return f"rotation {rotation_of(first):g}° against {rotation_of(second):g}°"
    gaps = np.abs(from_axes(first, own_corners(first)) - from_axes(second, own_corners(second)))
    if gaps.max() > 1e-3 * min(spacing_of(first)):
        return f"corners {gaps.max():.4g} m apart"
    for axis, step in zip(axes_of(first), spacing_of(first), strict=True):
        gap = float(np.abs(first[axis].to_numpy() - second[axis].to_numpy()).max())
        if gap > 1e-3 * step:
            return f"coordinates along {axis} {gap:.4g} m apart"
    return ""


def _on_cells(layer: xr.DataArray, name: str, grid: xr.Dataset) -> Any:
    """Return the data of a layer in the order of the grid's axes, if it lies on its cells."""
    own = check_grid(layer.to_dataset(name="layer"), name=f"Layer {name!r}")
    is_same = grid_shape(own) == grid_shape(grid)
    for axis, step in zip(axes_of(grid), spacing_of(grid), strict=True):
        if not is_same or np.abs(own[axis].to_numpy() - grid[axis].to_numpy()).max() > 1e-3 * step:
            raise ValueError(
                f"Layer {name!r} lies on other cells than the grid along {axis}. Bring it over with"
                " align_grids, or pass its values alone."
            )
    return own["layer"].data
