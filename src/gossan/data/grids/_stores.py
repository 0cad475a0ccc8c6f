"""Grids as Parquet (a table with one row a cell) and as Zarr (chunked, for what outgrows memory).

A grid and a path come in and a file or folder goes out, or the reverse.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from gossan.data._crs import plain_crs
from gossan.data._parquet import check_parquet
from gossan.data.grids._axes import axes_of
from gossan.data.grids._checks import placement
from gossan.data.grids._meta import PLACING, pack, plain, rebuild, restore_layer, unpack
from gossan.data.grids._zarr_checks import check_store
from gossan.data.grids.blockmodel import slabs
from gossan.data.grids.grid import cell_centres, check_grid
from gossan.data.grids.tables import grid_to_table, table_to_grid

_KEY = b"gossan"
_ORDER = "gossan_layers"  # a store lists its arrays in no order
_ZARR_HINT = 'pip install "gossan[large]"'


def write_parquet(grid: xr.Dataset, path: Path) -> None:
    """Write a checked grid: true coordinates, then the layers; slab by slab, so that it may be lazy."""
    writer = None
    try:
        for part in slabs(grid):
            table = pa.Table.from_pandas(grid_to_table(part), preserve_index=False)
            if writer is None:
                note = {**(table.schema.metadata or {}), _KEY: pack(grid).encode()}
                writer = pq.ParquetWriter(path, table.schema.with_metadata(note))
            writer.write_table(table.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()


def read_parquet(
    path: Path, *, missing: str | None = None, rotation: float | None = None
) -> xr.Dataset:
    """Read a table of regular points in any order; ours are placed as their note says."""
    check_parquet(path)
    file = pq.read_table(path)
    told = unpack((file.schema.metadata or {}).get(_KEY))
    table = file.to_pandas()
    if told:
        grid = _as_noted(table, told)
        if grid is not None:
            return grid
    attrs = told.get("attrs", {})
    return table_to_grid(
        table, crs=attrs.get("crs"), origin=attrs.get("origin"), source=path.name,
        rotation=attrs.get("rotation", 0.0) if rotation is None else rotation,
        spacing=told.get("spacing"), missing=missing or "error",
    )  # fmt: skip


def _as_noted(table: pd.DataFrame, told: Mapping[str, Any]) -> xr.Dataset | None:
    """Return the grid as it was written, None if rows were dropped, added or put in another order."""
    attrs = told["attrs"]
    grid = rebuild(
        tuple(told["corner"]), tuple(told["spacing"]), tuple(told["shape"]),
        rotation=attrs.get("rotation", 0.0), crs=attrs.get("crs"), told=told,
    )  # fmt: skip
    axes = ["easting", "northing", "elevation"][: len(told["dims"])]
    centres = cell_centres(grid)
    if len(table) != len(centres) or not set(axes) <= set(table.columns):
        return None
    if np.abs(table[axes].to_numpy() - centres).max() > 1e-3 * min(told["spacing"]):
        return None
    for name in table.columns.difference(axes, sort=False):
        values = _codes(table[name], told["layers"].get(name, {}))
        layer, said = restore_layer(str(name), values, told)
        grid[name] = (axes_of(grid), layer.reshape(told["shape"]), said)
    return grid


def _codes(cells: pd.Series, said: Mapping[str, Any]) -> Any:
    """Return numbers; words become the codes that the note tells."""
    words = said.get("attrs", {}).get("categories")
    if words is None:
        return cells.to_numpy()
    place = {word: float(code) for code, word in enumerate(words)}
    return np.array([place.get(cell, np.nan) for cell in cells])


def write_zarr(grid: xr.Dataset, path: Path, *, chunks: Mapping[str, int] | None = None) -> None:
    """Write a checked grid chunk by chunk; a lazy one is computed so, never as a whole."""
    _import_zarr()
    bare = grid.assign_attrs({**plain(grid.attrs), _ORDER: [str(name) for name in grid.data_vars]})
    encoding = {}
    for name, layer in bare.data_vars.items():
        bare[name].attrs = plain(layer.attrs)
        bare[name].encoding = {}
        if chunks is not None:
            sizes = [min(int(chunks.get(str(d), n)), n) for d, n in layer.sizes.items()]
            encoding[str(name)] = {"chunks": tuple(sizes)}
    bare.to_zarr(path, mode="w-", consolidated=False, encoding=encoding)


def read_zarr(path: Path, *, chunks: Mapping[str, int] | str | None = None) -> xr.Dataset:
    """Read a Zarr store; with `chunks`, layers stay on disk until they are asked for."""
    _import_zarr()
    if chunks is not None and importlib.util.find_spec("dask") is None:
        raise ImportError(f"Lazy layers (chunks=) need the package dask. Install: {_ZARR_HINT}")
    check_store(path)
    wanted: Any = dict(chunks) if isinstance(chunks, Mapping) else chunks
    found = xr.open_zarr(path, chunks=wanted, consolidated=False)
    if chunks is None:
        with found:
            found = found.load()
    order = [name for name in found.attrs.get(_ORDER, []) if name in found.data_vars]
    found = found[[*order, *(name for name in found.data_vars if name not in order)]]
    attrs = {k: v for k, v in found.attrs.items() if k not in (*PLACING, _ORDER)}
    crs = plain_crs(found.attrs.get("crs"), name="The store's crs")
    turned = placement(crs, found.attrs.get("rotation", 0.0), found.attrs.get("origin", (0.0, 0.0)))
    found.attrs = {**turned, **attrs}
    for name in found.data_vars:
        found[name].encoding = {}
    return check_grid(found)


def _import_zarr() -> None:
    try:
        import zarr  # noqa: F401
    except ImportError as error:
        raise ImportError(f"Zarr stores need the package zarr. Install: {_ZARR_HINT}") from error
