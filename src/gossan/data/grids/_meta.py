"""What a grid says beside its numbers, as one line of JSON that travels in every file format.

A grid comes in and JSON goes out, or JSON and a bare grid come in and the grid as it was goes out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from gossan.data._crs import plain_crs, same_crs, short_crs
from gossan.data.grids._axes import axes_of, rotation_of, south_west, spacing_of
from gossan.data.grids._checks import placement
from gossan.data.grids.grid import grid_at

_LISTS = ("dims", "spacing", "corner", "shape")
PLACING = ("crs", "rotation", "origin")


def pack(grid: xr.Dataset, names: Mapping[str, str] | None = None, **more: Any) -> str:
    """Return CRS, turn, axes and the attrs of all layers as JSON.

    `names` maps a layer to what it is called in the file, where that differs.
    """
    layers = {
        str(name): {"dtype": layer.dtype.str, "attrs": plain(layer.attrs)}
        for name, layer in grid.data_vars.items()
    }
    for name, short in (names or {}).items():
        layers[name]["column"] = short
    told = {
        "format": "gossan grid 1",
        "dims": list(axes_of(grid)),
        "spacing": list(spacing_of(grid)),
        "corner": list(south_west(grid)),
        "shape": [int(grid.sizes[axis]) for axis in axes_of(grid)],
        "attrs": plain(grid.attrs),
        "layers": layers,
    }
    return json.dumps({**told, **more})


def unpack(text: str | bytes | None) -> dict[str, Any]:
    """Return what `pack` wrote, {} for None.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    if text is None:
        return {}
    try:
        told = json.loads(text)
        kinds = {"attrs": dict, "layers": dict, **dict.fromkeys(_LISTS, list)}
        is_whole = all(isinstance(told[key], kind) for key, kind in kinds.items())
    except (ValueError, KeyError, TypeError):
        is_whole = False
    if not is_whole or not all(isinstance(said, dict) for said in told["layers"].values()):
        raise ValueError("what gossan noted of the grid (JSON) is damaged")
    return told


def plain(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Return attrs as JSON can hold them; what it cannot becomes text."""

    def turn(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [turn(each) for each in value.tolist()]
        if isinstance(value, np.generic):
            return turn(value.item())
        if isinstance(value, Mapping):
            return {str(key): turn(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [turn(each) for each in value]
        return value if value is None or isinstance(value, bool | int | float | str) else str(value)

    return {str(key): turn(value) for key, value in attrs.items()}


def rebuild(
    corner: tuple[float, ...],
    spacing: tuple[float, ...],
    shape: tuple[int, ...],
    *,
    rotation: float = 0.0,
    crs: str | None = None,
    told: Mapping[str, Any],
) -> xr.Dataset:
    """Return the empty grid that a file's own geometry places, with the pivot and attrs it had."""
    attrs = told.get("attrs", {})
    known = attrs.get("crs")
    if known is not None and same_crs(known, crs):
        crs = known  # as it was written, not as the format spells it
    noted = float(attrs.get("rotation", 0.0))
    if abs((rotation - noted + 180) % 360 - 180) < 1e-9:
        rotation = noted  # without the rounding of a matrix
    grid = grid_at(corner, spacing, shape, rotation=rotation, crs=crs, origin=attrs.get("origin"))
    return grid.assign_attrs({k: v for k, v in attrs.items() if k not in PLACING})


def restore_layer(name: str, values: Any, told: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a layer in the type it had and with the attrs it had."""
    said = told.get("layers", {}).get(name, {})
    kind = np.dtype(said.get("dtype", values.dtype.str))
    is_narrower = kind.kind in "biu" and values.dtype.kind == "f"
    if is_narrower and not bool((np.isfinite(values) & (values == np.rint(values))).all()):
        kind = values.dtype  # someone put missing values or fractions into whole numbers
    return values.astype(kind), dict(said.get("attrs", {}))


def name_crs(grid: xr.Dataset, crs: Any) -> xr.Dataset:
    """Return the grid with the CRS that the user names, unless the file says another.

    Raises
    ------
    ValueError
        If the file says another.
    """
    if crs is None:
        return grid
    known, named = grid.attrs.get("crs"), plain_crs(crs)
    if not same_crs(known, named):
        raise ValueError(
            f"the file is in {short_crs(known)}, but crs={short_crs(named)} is given. Leave crs"
            " out, or reproject (to_crs= for a GeoTIFF)."
        )
    return grid if known else grid.assign_attrs(placement(named, 0.0, (0.0, 0.0)))


def geometry(grid: xr.Dataset) -> tuple[tuple[float, ...], tuple[float, ...], float]:
    """Return the south-west corner, the spacing and the rotation of a checked grid."""
    return south_west(grid), spacing_of(grid), rotation_of(grid)
