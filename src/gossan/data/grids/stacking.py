"""Rasters of many sources as one stack: one grid, one CRS, one name and unit a layer.

Files or grids come in; one grid with all their layers goes out, with a layer that tells where all
of them have data. Layers on other cells are refused with what differs, or brought over as asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import check_option, did_you_mean
from gossan.data._crs import same_crs, short_crs
from gossan.data.grids._axes import (
    axes_of,
    grid_shape,
    rotation_of,
    south_west,
    spacing_of,
    to_axes,
)
from gossan.data.grids.files import read_grid
from gossan.data.grids.grid import cell_centres, check_grid, region_of, same_grid
from gossan.data.grids.resampling import _interpolate, _take_nearest, align_grids

__all__ = ["grid_differences", "stack_layers"]

Source = str | Path | xr.Dataset
Names = Mapping[str, str] | Callable[[str], str]

WAYS = ("refuse", "linear", "nearest", "mean")
VALID = "valid"


def stack_layers(
    sources: Sequence[Source] | Mapping[str, Source],
    target: Source | None = None,
    *,
    resample: str | Mapping[str, str] = "refuse",
    names: Names | None = None,
    units: str | Mapping[str, str] | None = None,
    nodata: float | Mapping[str, float] | None = None,
    crs: Any = None,
) -> xr.Dataset:
    """All layers of several rasters on the cells of one.

    Parameters
    ----------
    sources : sequence of paths or Datasets, or mapping of name to either
        A mapping names sources of one layer. Layers keep the names of bands, where a file has
        them, or take that of the file.
    target : path or Dataset, optional
        The cells that are wanted; its layers are not taken over. Default: those of the first source.
    resample : str or mapping of layer to str, default "refuse"
        What is done with a layer on other cells: "refuse" raises and says how they differ;
        "linear" for smooth layers, "nearest" for codes, "mean" of the source cells in each target
        cell for going to larger cells. Codes and masks are always taken by "nearest". Another CRS
        is reprojected on the way. A mapping may leave layers out: these are refused.
    names : mapping of old name to new, or function of the old name, optional
    units : str or mapping of (new) name to unit, optional
        Kept in the attrs of the layers.
    nodata : float or mapping of (new) name to number, optional
        A value that means "missing", where the file does not say so itself.
    crs : str, int or CRS object, optional
        Names the CRS of files that do not.

    Returns
    -------
    stack : Dataset
        Each layer with `source` and, if brought over, `resampled` in its attrs; missing values NaN.
        The Boolean layer "valid" is True where every layer has data.

    Raises
    ------
    ValueError
        If a layer lies on other cells and is refused (all such layers are named, with differences
        in CRS, spacing, origin and extent), two layers have one name, "mean" is asked for smaller
        cells, or a named layer is not there.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> lithium = add_layer(make_grid((0, 40, 0, 40), 20), "Li", [1.0, 2.0, 3.0, np.nan])
    >>> granite = add_layer(make_grid((0, 40, 0, 40), 10), "granite", np.arange(16.0))
    >>> stack = stack_layers([lithium, granite], resample={"granite": "mean"})
    >>> stack["granite"].values
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    >>> stack["valid"].values
    array([[ True,  True],
           [ True, False]])
    """
    given = (
        [(None, each) for each in sources]
        if not isinstance(sources, Mapping)
        else [*sources.items()]
    )
    if not given or isinstance(sources, str | Path | xr.Dataset):
        raise ValueError(
            f"Sources must be a list of rasters, got {sources!r}. Pass paths or grids."
        )
    opened = [(*_open(source, crs), name) for name, source in given]
    cells = opened[0][0] if target is None else _open(target, crs)[0]
    cells = cells.drop_vars(list(cells.data_vars))
    layers = _named_layers(opened, names)
    ways = {
        name: resample if isinstance(resample, str) else resample.get(name, "refuse")
        for name in layers
    }
    _check_ways(ways, resample, units, nodata)
    _refuse_others(layers, cells, ways)
    for name, (layer, label) in layers.items():
        brought = _bring(layer, cells, ways[name], name).to_array().isel(variable=0, drop=True)
        values = _without_nodata(brought.to_numpy(), _said(nodata, name))
        attrs = {**layer[name].attrs, "source": label}
        if not same_grid(layer, cells):
            attrs["resampled"] = f"{_way(layer[name], ways[name])}, from cells of {_sizes(layer)}"
        if _said(units, name) is not None:
            attrs["units"] = _said(units, name)
        cells = cells.assign({name: (axes_of(cells), values, attrs)})
    return _with_validity(cells, list(layers))


def grid_differences(first: xr.Dataset, second: xr.Dataset) -> str:
    """All that differs between the cells of two grids, in words; "" if nothing does.

    Parameters
    ----------
    first, second : Dataset

    Returns
    -------
    differences : str

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> grid_differences(make_grid((0, 40, 0, 40), 20), make_grid((5, 45, 0, 40), 20))
    'south-west corner 5 m east and 0 m north; extent (5, 45, 0, 40) against (0, 40, 0, 40)'
    """
    first, second = check_grid(first), check_grid(second)
    if same_grid(first, second):
        return ""
    parts = []
    one, other = (grid.attrs.get("crs") for grid in (first, second))
    if not same_crs(one, other):
        parts.append(f"CRS {short_crs(other)} against {short_crs(one)}")
    if abs(rotation_of(first) - rotation_of(second)) > 1e-6:
        parts.append(f"turned by {rotation_of(second):g}° against {rotation_of(first):g}°")
    if not np.allclose(spacing_of(first), spacing_of(second), rtol=1e-6):
        parts.append(f"cells of {_sizes(second)} against {_sizes(first)}")
    east, north = np.subtract(south_west(second)[:2], south_west(first)[:2])
    if max(abs(east), abs(north)) > 1e-3 * min(spacing_of(first)):
        parts.append(f"south-west corner {east:.6g} m east and {north:.6g} m north")
    if grid_shape(first) != grid_shape(second):
        shapes = [" x ".join(map(str, grid_shape(grid))) for grid in (second, first)]
        parts.append(f"{shapes[0]} rows and columns against {shapes[1]}")
    extents = [
        f"({', '.join(f'{edge:.10g}' for edge in region_of(grid))})" for grid in (second, first)
    ]
    if extents[0] != extents[1]:
        parts.append(f"extent {extents[0]} against {extents[1]}")
    return "; ".join(parts)


def _open(source: Source, crs: Any) -> tuple[xr.Dataset, str]:
    """Return a 2D grid and what to call it."""
    if isinstance(source, xr.Dataset):
        return check_grid(source, n_dims=2), "grid"
    path = Path(source)
    return check_grid(read_grid(path, crs=crs), n_dims=2, name=path.name), path.name


def _named_layers(
    opened: Sequence[tuple[xr.Dataset, str, str | None]], names: Names | None
) -> dict[str, tuple[xr.Dataset, str]]:
    """Return name -> (grid of that one layer, its file), each name once."""
    layers: dict[str, tuple[xr.Dataset, str]] = {}
    for grid, label, given in opened:
        own = [str(name) for name in grid.data_vars]
        if given is not None and len(own) != 1:
            raise ValueError(
                f"{given} ({label}) must have one layer to be named so, got {len(own)}: {own[:9]}."
                " Pass sources as a list, and names=."
            )
        for old in own:
            new = given or (names(old) if callable(names) else (names or {}).get(old, old))
            if new in layers or new == VALID:
                other = layers[new][1] if new in layers else "the validity of the stack"
                raise ValueError(
                    f"Layer {new!r} of {label} has the name of one of {other}. Rename it with names=."
                )
            layers[new] = (grid[[old]].rename({old: new}), label)
    if not layers:
        raise ValueError("The sources hold no layer. Add one with add_layer, or pass other files.")
    return layers


def _check_ways(ways: Mapping[str, str], *told: Any) -> None:
    for way in ways.values():
        check_option("resample", way, WAYS)
    for each in told:
        for name in each if isinstance(each, Mapping) else ():
            if name not in ways:
                raise ValueError(
                    f"There is no layer {name!r}; there are {', '.join(ways)}. Use the names that"
                    f" the stack has.{did_you_mean(str(name), list(ways))}"
                )


def _refuse_others(
    layers: Mapping[str, tuple[xr.Dataset, str]], cells: xr.Dataset, ways: Mapping[str, str]
) -> None:
    """Raise with all layers that lie on other cells and are not to be brought over."""
    refused: dict[str, list[str]] = {}
    for name, (layer, _) in layers.items():
        if ways[name] == "refuse":
            refused.setdefault(grid_differences(cells, layer), []).append(name)
    refused.pop("", None)
    if refused:
        told = " ".join(f"{', '.join(who)}: {what}." for what, who in refused.items())
        raise ValueError(
            f"{sum(map(len, refused.values()))} of {len(layers)} layers lie on other cells than"
            f' {_first_words(layers, cells)}. {told} Bring them over with resample = "linear",'
            ' "nearest" or "mean".'
        )


def _first_words(layers: Mapping[str, tuple[xr.Dataset, str]], cells: xr.Dataset) -> str:
    """Return what the cells of a stack are those of."""
    name, (layer, _) = next(iter(layers.items()))
    return f"{name}, the first" if same_grid(layer, cells) else "the grid"


def _bring(layer: xr.Dataset, cells: xr.Dataset, way: str, name: str) -> xr.Dataset:
    """Return the layer on the cells of the stack."""
    if way == "refuse" or same_grid(layer, cells):
        return align_grids(layer, cells)
    way = _way(layer[name], way)
    if way == "mean" and min(spacing_of(cells)) < 0.999 * max(spacing_of(layer)):
        raise ValueError(
            f"{name} cannot be averaged from cells of {_sizes(layer)} to smaller ones of"
            f" {_sizes(cells)}. Take 'linear' or 'nearest'."
        )
    if same_crs(layer.attrs.get("crs"), cells.attrs.get("crs")):
        return align_grids(layer, cells, method=way)
    return cells.assign({name: (axes_of(cells), _reproject(layer, cells, way, name))})


def _reproject(layer: xr.Dataset, cells: xr.Dataset, way: str, name: str) -> NDArray:
    """Return the values of a layer in another CRS; the mean is taken of points spread over a cell."""
    values, shape = layer[name].to_numpy(), grid_shape(layer)
    take = _interpolate if way == "linear" else _take_nearest
    if way != "mean":
        return take(values, _places(layer, cells, cell_centres(cells)), shape).reshape(
            grid_shape(cells)
        )
    n = math.ceil(2 * max(spacing_of(cells)) / min(spacing_of(layer)))
    shifts = (np.arange(n) + 0.5) / n - 0.5
    total, count = (np.zeros(math.prod(grid_shape(cells))) for _ in range(2))
    for up in shifts:
        for right in shifts:
            shift = np.multiply([right, up], spacing_of(cells)[::-1])
            points = cell_centres(cells) + shift
            found = take(values, _places(layer, cells, points), shape).astype(float)
            total += np.nan_to_num(found)
            count += np.isfinite(found)
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean.reshape(grid_shape(cells))


def _places(
    layer: xr.Dataset, cells: xr.Dataset, points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return points of the stack's CRS as places in the cells of a layer, 0 at the first centre."""
    import pyproj

    move = pyproj.Transformer.from_crs(cells.attrs["crs"], layer.attrs["crs"], always_xy=True)
    moved = to_axes(layer, np.column_stack(move.transform(*points.T)))[:, ::-1]
    lows = [float(layer[axis][0]) for axis in axes_of(layer)]
    places = (moved - lows) / spacing_of(layer)
    return np.where(np.isfinite(places), places, -1e9)  # what cannot be brought over lies outside


def _way(layer: xr.DataArray, way: str) -> str:
    is_code = layer.dtype.kind == "b" or "categories" in layer.attrs
    return "nearest" if is_code else way


def _without_nodata(values: NDArray, blank: float | None) -> NDArray:
    if blank is None or values.dtype.kind == "b":
        return values
    return np.where(values == blank, np.nan, values)


def _said(told: Any, name: str) -> Any:
    return told.get(name) if isinstance(told, Mapping) else told


def _sizes(grid: xr.Dataset) -> str:
    return f"{' x '.join(f'{step:.6g}' for step in spacing_of(grid))} m"


def _with_validity(stack: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """Return the stack with a layer that is True where every layer has data."""
    valid = np.ones(grid_shape(stack), dtype=bool)
    for name in names:
        valid &= ~np.isnan(stack[name].to_numpy().astype(float))
    return stack.assign({VALID: (axes_of(stack), valid, {"long_name": "every layer has data"})})
