"""What makes a Dataset a grid, checked piece by piece: dims, axes, layers, placement.

Pieces of a grid come in; clean ones go out, or an error that says what is wrong with which.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.data._coordinates import FARTHEST
from gossan.data._crs import crs_text

AXES = ("elevation", "northing", "easting")
_SYNONYMS = {"x": "easting", "east": "easting", "y": "northing", "north": "northing"}
_SYNONYMS |= {"z": "elevation", "level": "elevation", "depth": "elevation", "height": "elevation"}
_SYNONYMS |= {"lon": "easting", "longitude": "easting", "lat": "northing", "latitude": "northing"}
_MOST_CELLS_AN_AXIS = 5_000_000  # centimetres over 50 km; more is a slip or an attack
_SMALLEST = 1e-6  # m of a cell
_REGULAR = 1e-3  # of a cell: what coordinates may be off


def check_numbers(name: str, values: Any, n: int) -> list[float]:
    """Return `n` finite numbers; a spacing must be positive, a region the right way round."""
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != n or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{name} must be {n} finite numbers, got {values!r}. Give them in metres.")
    if name.startswith("Spacing") and min(numbers) <= 0:
        raise ValueError(f"{name} must be positive, got {values!r}. Give the size of a cell in m.")
    pairs = zip(numbers[::2], numbers[1::2], strict=False)
    if name.startswith(("Region", "Elevations")) and not all(a < b for a, b in pairs):
        raise ValueError(f"{name} must run upwards in each pair, got {values!r}. Check the order.")
    return numbers


def make_axis(name: str, low: float, high: float, step: float) -> xr.Variable:
    """Return the centres of the cells from `low` that cover up to `high`."""
    n = max(1, math.ceil(min((high - low) / step, 2.0**62) - 1e-6))
    if n > _MOST_CELLS_AN_AXIS or step < _SMALLEST or max(abs(low), abs(high)) > FARTHEST:
        raise ValueError(
            f"The axis {name} would have {n} cells, from {low:g} to {high:g} by {step:g} m."
            " Check the units of region and spacing."
        )
    attrs = {"units": "m", "long_name": name.capitalize(), "spacing": float(step)}
    # Rounded, so that a grid has the same coordinates, bit by bit, after a file or a turn back.
    digits = 6 + max(0, math.ceil(-math.log10(step)))
    return xr.Variable((name,), np.round(low + step * (np.arange(n) + 0.5), digits), attrs)


def placement(crs: Any, rotation: Any, origin: Any) -> dict[str, Any]:
    """Return the attrs that place a grid: crs where known, rotation and origin where turned."""
    text = crs_text(crs, name="The grid's crs")
    try:
        angle = float(rotation)
    except (TypeError, ValueError):
        angle = math.nan
    if not math.isfinite(angle):
        raise ValueError(
            f"Rotation must be a finite angle [°, clockwise], got {rotation!r}. Give 0 for a"
            " north-up grid."
        )
    attrs: dict[str, Any] = {} if text is None else {"crs": text}
    if angle % 360:
        pivot = check_numbers("Origin (easting, northing)", origin, 2)
        attrs |= {"rotation": angle % 360, "origin": pivot}
    return attrs


def check_dims(grid: xr.Dataset, name: str, n_dims: int | None) -> tuple[str, ...]:
    """Return the dims of a grid in their order."""
    given = [str(dim) for dim in grid.sizes]
    dims = AXES if "elevation" in given else AXES[1:]
    if set(given) != set(dims):
        renames = {dim: _SYNONYMS.get(dim.casefold()) for dim in given}
        renames = {dim: axis for dim, axis in renames.items() if axis}
        hint = f" Rename them: grid.rename({renames})." if renames else ""
        near = next((dim for dim in given if dim not in AXES), "")
        raise ValueError(
            f"{name} must have the dims (northing, easting) or (elevation, northing, easting), got"
            f" {tuple(given)}. Build it with make_grid, or select one place of every other"
            f" dim.{hint or did_you_mean(near, AXES)}"
        )
    if n_dims is not None and len(dims) != n_dims:
        raise ValueError(
            f"{name} must be {n_dims}D, got {len(dims)}D with dims {dims}. "
            + ("Select a level: grid.sel(elevation=..., method='nearest')." if n_dims == 2 else "")
            + ("Give make_grid its elevations=(low, high)." if n_dims == 3 else "")
        )
    return dims


def axis_values(grid: xr.Dataset, dim: str, name: str) -> NDArray[np.float64]:
    """Return the coordinates of an axis as float64, at least one, all finite."""
    if dim not in grid.coords:
        raise ValueError(
            f"{name} has no coordinates along {dim}, only {grid.sizes[dim]} places. Assign the cell"
            f" centres: grid.assign_coords({dim}=...)."
        )
    try:
        values = grid[dim].to_numpy().astype(float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} has coordinates along {dim} of type {grid[dim].dtype}. Give cell centres in m."
        ) from None
    is_place = np.abs(values) < FARTHEST  # NaN is not
    if not len(values) or not is_place.all():
        raise ValueError(
            f"{name} needs finite coordinates along {dim}, got {len(values)} of which"
            f" {int(np.sum(~is_place))} are not finite or no place on Earth. Check the table or"
            " file."
        )
    return values


def check_axis(values: NDArray[np.float64], given: xr.DataArray, dim: str, name: str) -> None:
    """Raise unless ascending centres are one spacing apart, rounding aside."""
    spacing = given.attrs.get("spacing")
    if len(values) == 1:
        if not isinstance(spacing, int | float) or not 0 < float(spacing) < math.inf:
            raise ValueError(
                f"{name} has one cell along {dim} and its size is {spacing!r}. Set it:"
                f" grid.{dim}.attrs['spacing'] = 10.0, say."
            )
        return
    step = (values[-1] - values[0]) / (len(values) - 1)
    expected = values[0] + step * np.arange(len(values))
    off = np.abs(values - expected)
    worst = int(np.argmax(off))
    is_single = given.dtype == np.float32
    rounding = 2 * np.spacing(np.abs(values).max().astype(np.float32 if is_single else float))
    if step <= 0 or off[worst] > _REGULAR * step + rounding:
        raise ValueError(
            f"{name} is irregular along {dim}: {values[worst]:.10g} at place {worst}, where"
            f" {expected[worst]:.10g} is expected for cells of {step:.10g} m. Resample it onto a"
            " regular grid, or read the points with table_to_grid."
        )


def check_layer(layer: xr.DataArray, name: str, dims: Sequence[str], grid_name: str) -> None:
    """Raise unless a layer has every dim and holds numbers."""
    if set(layer.dims) != set(dims):
        raise ValueError(
            f"{grid_name} has a layer {name!r} with dims {layer.dims}; every layer needs"
            f" {tuple(dims)}. Broadcast it, or put it in a grid of its own."
        )
    if layer.dtype.kind not in "biuf":
        raise ValueError(
            f"{grid_name} has a layer {name!r} of type {layer.dtype}; layers hold numbers. Turn"
            " text into codes (table_to_grid does, and keeps the words in attrs['categories'])."
        )
