"""From a grid to a table with one row a cell, and back from points in any order.

A grid or a table of regular points comes in; a DataFrame or a grid goes out. Text becomes codes
whose words are kept in the layer's `attrs["categories"]`, and comes back as text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import check_option, did_you_mean
from gossan.data._coordinates import find_coordinates, format_places, list_words, read_numbers
from gossan.data.grids._axes import axes_of, from_axes, turn
from gossan.data.grids._checks import AXES, check_numbers, make_axis, placement
from gossan.data.grids.grid import cell_centres, check_grid

_OFF_GRID = 0.02  # of a cell: how far a point may lie from a centre (printed coordinates)
_MOST_EMPTY = 50.0  # cells a point; more and the points are no grid


def grid_to_table(
    grid: xr.Dataset, layers: Sequence[str] | None = None, *, drop_empty: bool = False
) -> pd.DataFrame:
    """Return a table with one row a cell: true coordinates, then the layers.

    Parameters
    ----------
    grid : Dataset
    layers : sequence of str, optional
        Which layers; default all.
    drop_empty : bool
        Leave out the cells in which every layer is missing.

    Returns
    -------
    table : DataFrame
        Columns easting, northing (and elevation) [m] and a column a layer; easting runs fastest.
        Layers with categories come as text.

    Raises
    ------
    ValueError
        If a layer is not there.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> grid_to_table(add_layer(make_grid((0, 20, 0, 10), 10), "Au", [1.5, 2.5]))
       easting  northing   Au
    0      5.0       5.0  1.5
    1     15.0       5.0  2.5
    """
    grid = choose_layers(check_grid(grid), layers)
    centres = cell_centres(grid)
    columns: dict[str, Any] = {
        axis: centres[:, place]
        for place, axis in enumerate(("easting", "northing", "elevation")[: centres.shape[1]])
    }
    for name, layer in grid.data_vars.items():
        columns[str(name)] = decode(layer.to_numpy().ravel(), layer.attrs.get("categories"))
    table = pd.DataFrame(columns)
    names = [str(name) for name in grid.data_vars]
    if drop_empty and names:
        table = table[table[names].notna().any(axis=1)].reset_index(drop=True)
    return table


def table_to_grid(
    table: pd.DataFrame,
    layers: Sequence[str] | None = None,
    *,
    spacing: float | Sequence[float] | None = None,
    easting: str | None = None,
    northing: str | None = None,
    elevation: str | None = None,
    n_dims: int | None = None,
    crs: Any = None,
    rotation: float = 0.0,
    origin: tuple[float, float] | None = None,
    missing: str = "error",
    source: str = "The table",
) -> xr.Dataset:
    """Return the grid of regular points in any order.

    Parameters
    ----------
    table : DataFrame
        One row a cell: coordinates of its centre, and a column a layer.
    layers : sequence of str, optional
        Columns that become layers; default all but the coordinates.
    spacing : float, or one a dim in the order (elevation,) northing, easting, optional
        Size of a cell [m]; default the smallest step between coordinates.
    easting, northing, elevation : str, optional
        Columns of the coordinates; found by their usual names otherwise ("X", "UTM_E", "RL" ...).
    n_dims : 2 or 3, optional
        2 takes a column of elevations for a layer. Default 3 where it holds several values and
        places have more than one.
    crs : str, int or CRS object, optional
        Projected CRS.
    rotation : float
        Clockwise turn of the rows of points [°].
    origin : (easting, northing), optional
        Pivot of the turn; default the centre of the first cell.
    missing : "error" or "nan"
        What to do with cells that no row fills.
    source : str
        Name of the table, for messages.

    Returns
    -------
    grid : Dataset

    Raises
    ------
    ValueError
        If there are no rows, coordinates are no numbers, points are not regular, two rows fill one
        cell, or cells are missing and `missing` is "error"; the message names rows and places.

    Examples
    --------
    >>> points = pd.DataFrame({"X": [15, 5, 5, 15], "Y": [5, 5, 15, 15], "Au": [2, 1, 3, 4]})
    >>> table_to_grid(points)["Au"].values
    array([[1, 2],
           [3, 4]])
    """
    check_option("missing", missing, ("error", "nan"))
    asked = {"easting": easting, "northing": northing, "elevation": elevation}
    found = find_coordinates(list(table.columns), asked, source=source)
    if not len(table):
        raise ValueError(f"{source} has no rows. Give one row a cell.")
    points = np.column_stack([read_numbers(table, c, source=source) for c in found.values()])
    if n_dims == 3 and points.shape[1] < 3:
        raise ValueError(f"{source} has no column of elevations. Name it: elevation='column'.")
    if points.shape[1] == 3 and (n_dims == 2 or (n_dims is None and _is_flat(points))):
        if elevation is None and np.ptp(points[:, -1]) > 0:
            found.pop("elevation", None)  # the height of a surface is a layer
        points = points[:, :2]
    names = _choose_columns(table, layers, found, source)
    pivot = tuple(float(x) for x in points[0, :2]) if origin is None else origin
    attrs = placement(crs, rotation, pivot)
    own = turn(points, -rotation, pivot)
    coords, cells = _find_cells(own, spacing, source)
    shape = tuple(len(axis) for axis in coords.values())
    grid = xr.Dataset(coords=coords, attrs=attrs)
    is_filled = _fill(cells, math.prod(shape), source)
    if missing == "error" and not is_filled.all():
        _refuse_missing(grid, is_filled, source)
    for name in names:
        _refuse_spoilt(table[name], name, source)
        values, said = encode(table[name])
        full = _spread(values, cells, is_filled).reshape(shape)
        grid[name] = xr.Variable(axes_of(grid), full, said)
    return check_grid(grid, name=source)


def choose_layers(grid: xr.Dataset, layers: Sequence[str] | None) -> xr.Dataset:
    """Return the grid with these layers only.

    Raises
    ------
    ValueError
        If one is not there.
    """
    if layers is None:
        return grid
    names = [layers] if isinstance(layers, str) else list(layers)
    for name in names:
        if name not in grid.data_vars:
            known = [str(each) for each in grid.data_vars]
            raise ValueError(
                f"The grid has no layer {name!r}; it has {list_words(known) or 'none'}. Choose"
                f" among these.{did_you_mean(str(name), known)}"
            )
    return grid[names] if names else grid.drop_vars(list(grid.data_vars))


def encode(cells: pd.Series) -> tuple[NDArray, dict[str, Any]]:
    """Return numbers and attrs of a column: text becomes codes from 0, with its words in attrs."""
    if pd.api.types.is_bool_dtype(cells.dtype) and not cells.isna().any():
        return cells.to_numpy(dtype=bool), {}
    if pd.api.types.is_numeric_dtype(cells.dtype):
        if cells.isna().any() or isinstance(cells.dtype, pd.api.extensions.ExtensionDtype):
            return cells.to_numpy(dtype=float, na_value=np.nan), {}
        return cells.to_numpy(), {}
    if cells.isna().all():
        return np.full(len(cells), np.nan), {}
    codes, words = pd.factorize(cells.astype(str).where(cells.notna()), sort=True)
    values = np.where(codes < 0, np.nan, codes) if (codes < 0).any() else codes.astype(np.int64)
    return values, {"categories": [str(word) for word in words]}


def decode(values: NDArray, categories: Any) -> NDArray | pd.Series:
    """Return the words of codes, or the values themselves where there are no categories."""
    if categories is None:
        return values
    words = [str(word) for word in np.atleast_1d(categories)]
    codes = np.where(np.isfinite(values), values, -1).astype(np.int64)
    codes[(codes < 0) | (codes >= len(words))] = -1
    texts = np.array([*words, None], dtype=object)[codes]
    return pd.Series(texts, dtype=str)


def _refuse_spoilt(cells: pd.Series, name: str, source: str) -> None:
    """Raise if a column of numbers holds a few cells of text, which would make it one of words."""
    if pd.api.types.is_numeric_dtype(cells.dtype) or pd.api.types.is_bool_dtype(cells.dtype):
        return
    filled = cells.notna().to_numpy()
    is_text = filled & pd.to_numeric(cells, errors="coerce").isna().to_numpy()
    if 0 < is_text.sum() < filled.sum() / 2:
        bad = np.flatnonzero(is_text)
        shown = cells.iloc[bad[:3]].tolist()
        raise ValueError(
            f"{source} has text among the numbers of column {name!r}, {format_places(bad)}:"
            f" {shown}. Mend the cells, or blank them if they are missing."
        )


def _is_flat(points: NDArray[np.float64]) -> bool:
    """Whether there is one elevation, or one a place, as of a surface."""
    if np.ptp(points[:, 2]) == 0:
        return True
    return len(np.unique(points[:, :2], axis=0)) == len(points)


def _choose_columns(
    table: pd.DataFrame, layers: Sequence[str] | None, found: Mapping[str, str], source: str
) -> list[str]:
    known = [str(name) for name in table.columns]
    twice = next((name for name in known if known.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{source} has two columns called {twice!r}. Rename one.")
    if layers is None:
        return [name for name in known if name not in found.values()]
    names = [layers] if isinstance(layers, str) else list(layers)
    for name in names:
        if name not in known:
            raise ValueError(
                f"{source} has no column {name!r}; it has {list_words(known)}. Choose among"
                f" these.{did_you_mean(name, known)}"
            )
    return names


def _find_cells(
    own: NDArray[np.float64], spacing: float | Sequence[float] | None, source: str
) -> tuple[dict[str, xr.Variable], NDArray[np.int64]]:
    """Return the axes, and the flat place of each point's cell."""
    n_dims = own.shape[1]
    names = AXES[-n_dims:]
    steps: list[float | None] = [None] * n_dims
    if spacing is not None:
        given = [spacing] * n_dims if np.ndim(spacing) == 0 else list(spacing)  # type: ignore[arg-type]
        steps = list(check_numbers(f"Spacing ({', '.join(names)})", given, n_dims))
    coords: dict[str, xr.Variable] = {}
    places: list[NDArray[np.int64]] = []
    n_cells = 1
    for name, values, step in zip(names, own.T[::-1], steps, strict=True):
        size = step or _smallest_step(values, name, source)
        low, place = _place_along(values, size, name, source)
        n = int(place.max()) + 1
        n_cells *= n
        if n_cells > _MOST_EMPTY * len(own) + 1e6:
            raise ValueError(
                _irregular(source, f"cells of {size:g} m along {name} leave most empty")
            )
        coords[name] = make_axis(name, low - size / 2, low + (n - 0.5) * size, size)
        places.append(place)
    shape = [len(axis) for axis in coords.values()]
    return coords, np.ravel_multi_index(places, shape)  # type: ignore[arg-type, return-value]


def _smallest_step(values: NDArray[np.float64], name: str, source: str) -> float:
    """Return the smallest step between coordinates that is not rounding."""
    levels = np.unique(values)
    gaps = np.diff(levels)
    gaps = gaps[gaps > 1e-6 * max(1.0, float(np.ptp(levels)), 1e-3 * float(np.abs(levels).max()))]
    if not len(gaps):
        raise ValueError(
            f"{source} has one coordinate only along {name}, {levels[0]:g}. Tell the size of a cell:"
            " spacing=(northing, easting), with the elevation first in 3D."
        )
    step = float(np.mean(gaps[gaps < 1.5 * gaps.min()]))
    extent = float(np.ptp(levels))
    return extent / max(1, round(extent / step))  # rounding of single coordinates evens out


def _place_along(
    values: NDArray[np.float64], step: float, name: str, source: str
) -> tuple[float, NDArray[np.int64]]:
    """Return the lowest centre and the place of each point along an axis."""
    low = float(values.min())
    exact = (values - low) / step
    place = np.rint(exact)
    # The lowest point may be off by rounding itself: centre the whole row of cells on all points.
    low += step * float(np.median(exact - place))
    off = np.abs((values - low) / step - place)
    worst = int(np.argmax(off))
    if off[worst] > _OFF_GRID:
        count = int(np.sum(off > _OFF_GRID))
        raise ValueError(
            _irregular(
                source,
                f"{count} rows lie off the centres of cells of {step:g} m along {name}, the worst"
                f" {format_places(np.array([worst]))} at {values[worst]:.10g}",
            )
        )
    return low, place.astype(np.int64)


def _irregular(source: str, what: str) -> str:
    return (
        f"{source} holds no regular grid: {what}. Give rotation= if the rows are turned, spacing="
        " if the size of a cell is known, or grid the points first (kriging)."
    )


def _fill(cells: NDArray[np.int64], n_cells: int, source: str) -> NDArray[np.bool_]:
    """Return which cells are filled; raise if two rows fill one."""
    counts = np.bincount(cells, minlength=n_cells)
    if counts.max() > 1:
        twice = np.flatnonzero(counts[cells] > 1)
        first = np.flatnonzero(cells == cells[twice[0]])
        raise ValueError(
            f"{source} fills {int(np.sum(counts > 1))} cells more than once, first by"
            f" {format_places(first)}. Drop duplicates, or check that sub-blocks are not mixed in."
        )
    return counts > 0


def _refuse_missing(grid: xr.Dataset, is_filled: NDArray[np.bool_], source: str) -> None:
    empty = np.flatnonzero(~is_filled)
    shape = tuple(grid.sizes[axis] for axis in axes_of(grid))
    places = np.unravel_index(empty[:3], shape)
    axes = [grid[axis].to_numpy()[p] for axis, p in zip(axes_of(grid), places, strict=True)]
    shown = [tuple(float(f"{x:.10g}") for x in point)
             for point in from_axes(grid, np.column_stack(axes[::-1]))]  # fmt: skip
    raise ValueError(
        f"{source} misses {len(empty)} of {math.prod(shape)} cells, first at {shown} (easting,"
        " northing[, elevation]). Pass missing='nan' to leave them empty."
    )


def _spread(values: NDArray, cells: NDArray[np.int64], is_filled: NDArray[np.bool_]) -> NDArray:
    """Return values in their cells; where cells are empty, whole numbers become floats with NaN."""
    if is_filled.all():
        full = np.empty(len(is_filled), values.dtype)
    else:
        dtype = values.dtype if values.dtype.kind == "f" else np.dtype(float)
        full = np.full(len(is_filled), np.nan, dtype)
    full[cells] = values
    return full
