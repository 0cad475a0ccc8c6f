"""Known occurrences as cells of a grid: merged, counted, and those that fall outside named.

A grid, a mask and points come in; the numbers of the cells that hold an occurrence go out, with what
could not be placed and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gossan.data import check_grid, match_crs
from gossan.data.grids.grid import axes_of, grid_shape, region_of, spacing_of, to_axes

__all__ = ["PlacedOccurrences", "place_occurrences"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PlacedOccurrences:
    """Cells with known occurrences, and the points that are none.

    Attributes
    ----------
    cells : int64 array of shape (n_cells,)
        Numbers of the cells, ascending, as ``values.ravel()`` counts them; each once.
    counts : int64 array of shape (n_cells,)
        Points in each.
    members : tuple of int64 arrays
        Rows of the points in each cell.
    outside : int64 array
        Rows of the points beyond the grid.
    masked : int64 array
        Rows of the points in cells that the mask leaves out.
    unplaced : int64 array
        Rows of the points without coordinates.
    shape : (n_northing, n_easting)
        Of the grid.
    """

    cells: Rows
    counts: Rows
    members: tuple[Rows, ...]
    outside: Rows
    masked: Rows
    unplaced: Rows
    shape: tuple[int, int]

    @property
    def layer(self) -> NDArray[np.bool_]:
        """True in the cells with an occurrence, shape (n_northing, n_easting)."""
        flat = np.zeros(self.shape[0] * self.shape[1], dtype=bool)
        flat[self.cells] = True
        return flat.reshape(self.shape)

    def __str__(self) -> str:
        n_placed = int(self.counts.sum())
        shared = self.counts > 1
        lines = [f"{n_placed} occurrences in {len(self.cells)} cells."]
        if shared.any():
            lines.append(
                f"{int(shared.sum())} cells hold {int(self.counts[shared].sum())} of them."
            )
        reasons = {
            "beyond the grid": self.outside,
            "in cells that the mask leaves out": self.masked,
            "without coordinates": self.unplaced,
        }
        for reason, rows in reasons.items():
            if len(rows):
                shown = ", ".join(map(str, rows[:9])) + ("..." if len(rows) > 9 else "")
                lines.append(f"{len(rows)} {reason} (rows {shown}).")
        return " ".join(lines)


def place_occurrences(
    grid: xr.Dataset, points: Any, *, mask: ArrayLike | xr.DataArray | None = None
) -> PlacedOccurrences:
    """Cells of a grid that hold known occurrences.

    Parameters
    ----------
    grid : Dataset
        2D, turned or not.
    points : GeoDataFrame of points, or array of shape (n, 2)
        Easting, northing [m]. A GeoDataFrame must be in the grid's CRS.
    mask : bool array or DataArray of the grid's shape, optional
        Cells that count, such as `supported` of `support_mask` and `valid` of `stack_layers`.

    Returns
    -------
    placed : PlacedOccurrences

    Raises
    ------
    ValueError
        If coordinates look like degrees in a projected grid, CRS differ, shapes do not fit, or no
        point falls on the grid.

    Examples
    --------
    >>> from gossan.data import make_grid
    >>> grid = make_grid((0, 30, 0, 20), 10)
    >>> placed = place_occurrences(grid, [[5, 5], [7, 3], [25, 15], [90, 5]])
    >>> placed.cells, placed.counts, placed.outside
    (array([0, 5]), array([2, 1]), array([3]))
    """
    grid = check_grid(grid, n_dims=2)
    shape = grid_shape(grid)
    inside_mask = _read_mask(mask, shape)
    coords = _read_points(points, grid)
    has_place: NDArray[np.bool_] = np.asarray(np.isfinite(coords).all(axis=1))
    _refuse_degrees(coords[has_place], grid)
    places = np.full(coords.shape, np.nan)
    lows = [float(grid[axis][0]) for axis in axes_of(grid)]
    places[has_place] = (to_axes(grid, coords[has_place])[:, ::-1] - lows) / spacing_of(grid)
    whole = np.floor(np.where(has_place[:, None], places, -9.0) + 0.5).astype(np.int64)
    on_grid: NDArray[np.bool_] = np.asarray(((whole >= 0) & (whole < shape)).all(axis=1))
    if not on_grid.any():
        raise ValueError(
            f"None of {len(coords)} occurrences falls on the grid, which covers"
            f" {tuple(float(f'{edge:.10g}') for edge in region_of(grid))} (west, east, south, north)."
            " Check their CRS, and that easting comes first."
        )
    numbers = np.where(on_grid, whole[:, 0] * shape[1] + whole[:, 1], 0)
    counts_here = on_grid & inside_mask.ravel()[numbers]
    rows = np.flatnonzero(counts_here)
    cells, which = np.unique(numbers[rows], return_inverse=True)
    return PlacedOccurrences(
        cells,
        np.bincount(which, minlength=len(cells)),
        tuple(rows[which == i] for i in range(len(cells))),
        np.flatnonzero(has_place & ~on_grid),
        np.flatnonzero(on_grid & ~counts_here),
        np.flatnonzero(~has_place),
        (int(shape[0]), int(shape[1])),
    )


def _read_points(points: Any, grid: xr.Dataset) -> NDArray[np.float64]:
    """Return easting and northing; a row without a place is NaN."""
    if hasattr(points, "geometry"):
        frame = match_crs(points, grid)
        kinds = set(frame.geom_type.dropna())
        if kinds - {"Point"}:
            raise ValueError(
                f"Occurrences must be points, got {', '.join(sorted(kinds))}. Read them with"
                " read_occurrences, or take their centroids."
            )
        return np.column_stack([frame.geometry.x, frame.geometry.y]).astype(float)
    coords = np.asarray(points, dtype=float)
    if coords.ndim != 2 or coords.shape[1] != 2 or not len(coords):
        raise ValueError(
            f"Occurrences must have shape (n, 2), got {coords.shape}. Pass easting and northing."
        )
    return coords


def _refuse_degrees(coords: NDArray[np.float64], grid: xr.Dataset) -> None:
    """Raise if all places could be longitudes and latitudes and lie off the grid."""
    if not len(coords) or (np.abs(coords) > [180.0, 90.0]).any():
        return
    west, east, south, north = region_of(grid)
    is_on = (coords >= [west, south]).all(axis=1) & (coords <= [east, north]).all(axis=1)
    if not is_on.any():
        raise ValueError(
            f"The occurrences look like longitudes and latitudes (first {tuple(coords[0].tolist())}),"
            " but the grid is in metres. Read them with read_occurrences(..., crs='EPSG:4326',"
            " to_crs=grid.attrs['crs'])."
        )


def _read_mask(mask: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if mask is None:
        return np.ones(shape, dtype=bool)
    if isinstance(mask, xr.DataArray):
        mask = mask.transpose("northing", "easting")
    read = np.asarray(mask)
    if read.shape != shape or read.dtype != bool:
        raise ValueError(
            f"The mask must be Boolean and of the grid's shape {shape}, got {read.dtype} of"
            f" {read.shape}. Pass a layer such as supported."
        )
    return read
