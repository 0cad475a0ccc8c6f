"""Grids as GeoTIFF, plain or cloud-optimised: north up, one band a layer, or a band a level.

A grid and a path come in and a file goes out, or the reverse. A turned grid has a turned transform.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan.data._crs import GIS_HINT, is_geographic, plain_crs, short_crs, utm_hint
from gossan.data.grids._axes import axes_of
from gossan.data.grids._meta import geometry, pack, rebuild, restore_layer, unpack
from gossan.data.grids._raster_checks import check_raster, open_raster

_MOST_BANDS = 65_535
_TAG = "GOSSAN"


def write_geotiff(grid: xr.Dataset, path: Path, *, cog: bool = False) -> None:
    """Write a checked grid; of a 3D one, the bands are layer by layer, from the lowest level up."""
    n_bands = len(grid.data_vars) * grid.sizes.get("elevation", 1)
    if not 0 < n_bands <= _MOST_BANDS:
        raise ValueError(
            f"a GeoTIFF holds 1 to {_MOST_BANDS} bands, got {n_bands}. Choose layers, or write"
            " a .vti or .zarr"
        )
    dtype = np.result_type(*(_storable(layer.dtype) for layer in grid.data_vars.values()))
    with _quiet_rasterio() as rasterio:
        profile = _profile(grid, dtype, cog=cog) | {"count": n_bands}
        with rasterio.open(path, "w", **profile) as file:
            _write_bands(file, grid, dtype)


def _profile(grid: xr.Dataset, dtype: np.dtype, *, cog: bool) -> dict[str, Any]:
    profile: dict[str, Any] = {
        "driver": "COG" if cog else "GTiff", "dtype": dtype.name,
        "height": grid.sizes["northing"], "width": grid.sizes["easting"],
        "transform": _transform(grid), "crs": _rasterio_crs(grid.attrs.get("crs")),
        "compress": "deflate", "bigtiff": "if_safer",
    }  # fmt: skip
    if dtype.kind == "f":
        profile["nodata"] = math.nan
    if not cog:
        profile |= {"tiled": True, "blockxsize": 256, "blockysize": 256, "interleave": "band"}
    return profile


def _write_bands(file: Any, grid: xr.Dataset, dtype: np.dtype) -> None:
    file.update_tags(**{_TAG: pack(grid)})
    for number, (title, layer) in enumerate(_bands(grid), 1):
        file.write(layer.to_numpy()[::-1].astype(dtype), number)  # rows run southwards
        file.set_band_description(number, title)
        if layer.attrs.get("units"):
            file.set_band_unit(number, str(layer.attrs["units"]))


def read_geotiff(path: Path, *, to_crs: Any = None) -> xr.Dataset:
    """Read a GeoTIFF; `to_crs` reprojects it first."""
    with (
        _quiet_rasterio() as rasterio,
        open_raster(rasterio, path, drivers=("GTiff",)) as file,
    ):
        check_raster(file, path, is_whole=True)
        told = unpack(file.tags().get(_TAG))
        if not told and file.transform.is_identity:
            raise ValueError(
                "it has no georeference (its transform is the identity). Add a world file, or"
                " georeference it in a GIS"
            )
        crs = None if file.crs is None else file.crs.to_string()
        wanted = plain_crs(to_crs, name="to_crs")
        if wanted is None:
            _refuse_degrees(crs, file)
            return _read_bands(file, told)
        if crs is None:
            raise ValueError(f"it names no CRS to reproject from to {wanted}. Name it in a GIS")
        if len(told.get("dims", ())) == 3:
            raise ValueError("it is a block model, which is not reprojected; reproject the samples")
        from rasterio.vrt import WarpedVRT

        blank = _nodata(file)
        # By nearest cell. Where no number means "nothing", a mask of its own says so.
        with WarpedVRT(file, crs=wanted, nodata=blank, add_alpha=blank is None) as warped:
            check_raster(warped, path, is_whole=True)
            return _read_bands(warped, {}, n_bands=file.count)


@contextmanager
def _quiet_rasterio() -> Iterator[Any]:
    """Give rasterio; what it says of its own parts is no user's concern."""
    try:
        import rasterio
    except ImportError as error:
        raise ImportError(f"GeoTIFF needs rasterio. Install: {GIS_HINT}") from error
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Use `@` matmul", PendingDeprecationWarning)
        # A corner at (0, 0) and cells of 1 m are a place like any other.
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        yield rasterio


def _bands(grid: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    for name, layer in grid.data_vars.items():
        if "elevation" not in grid.sizes:
            yield str(name), layer
            continue
        for level, height in enumerate(grid["elevation"].to_numpy()):
            yield f"{name} @ {height:.10g} m", layer.isel(elevation=level)


def _storable(dtype: np.dtype) -> np.dtype:
    """Return the type in which GDAL holds a layer."""
    return np.dtype({"bool": "uint8", "float16": "float32"}.get(dtype.name, dtype))


def _transform(grid: xr.Dataset) -> Any:
    """Return the transform from (column, row) to true (easting, northing), rows running south."""
    from rasterio.transform import Affine

    corner, steps, rotation = geometry(grid)
    south, east = steps[-2], steps[-1]
    cosine, sine = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    height = south * grid.sizes["northing"]
    top = corner[0] + height * sine, corner[1] + height * cosine
    if rotation == 0:
        return Affine(east, 0.0, top[0], 0.0, -south, top[1])
    return Affine(east * cosine, -south * sine, top[0], -east * sine, -south * cosine, top[1])


def _rasterio_crs(text: str | None) -> Any:
    from rasterio.crs import CRS

    return None if text is None else CRS.from_user_input(text)


def _refuse_degrees(crs: str | None, file: Any) -> None:
    if is_geographic(crs):
        zone = utm_hint(*_corner(file.transform, file.width / 2, file.height / 2))
        raise ValueError(
            f"it is in {short_crs(crs)}, whose cells are degrees. Reproject as it is read:"
            f" read_grid(path, to_crs={zone!r})"
        )


def _corner(transform: Any, column: float, row: float) -> tuple[float, float]:
    """Return the place of a corner of cells, counted from the first."""
    return (
        transform.a * column + transform.b * row + transform.c,
        transform.d * column + transform.e * row + transform.f,
    )


def _nodata(file: Any) -> float | None:
    if file.nodata is not None:
        return file.nodata
    return math.nan if np.dtype(file.dtypes[0]).kind == "f" else None


def _read_bands(file: Any, told: dict[str, Any], *, n_bands: int | None = None) -> xr.Dataset:
    corner, spacing, rotation, is_flipped = _geometry_of(file.transform, file.height)
    heights = told["shape"][0] if len(told.get("dims", ())) == 3 else None
    n_bands = n_bands or file.count
    if heights is not None and not (isinstance(heights, int) and 0 < heights <= n_bands):
        raise ValueError(f"{n_bands} bands do not make {str(heights)[:40]} levels")
    shape: tuple[int, ...] = (file.height, file.width)
    if heights is not None:
        corner, spacing = (*corner, told["corner"][2]), (told["spacing"][0], *spacing)
        shape = (heights, *shape)
    crs = None if file.crs is None else file.crs.to_string()
    grid = rebuild(corner, spacing, shape, rotation=rotation, crs=crs, told=told)
    names = list(told["layers"]) if told else _band_names(file, n_bands)
    n_each = heights or 1
    if len(names) * n_each != n_bands:
        raise ValueError(f"{n_bands} bands do not make {len(names)} layers of {n_each} levels")
    for place, name in enumerate(names):
        numbers = range(place * n_each + 1, (place + 1) * n_each + 1)
        levels = [_read_band(file, number, is_flipped) for number in numbers]
        values = np.stack(levels) if heights is not None else levels[0]
        values, attrs = restore_layer(name, values, told)
        if not told and file.units[place]:
            attrs["units"] = file.units[place]
        grid[name] = (axes_of(grid), values, attrs)
    return grid


def _read_band(file: Any, number: int, is_flipped: bool) -> NDArray:
    """Return a band from south to north, missing where the file says so."""
    band = file.read(number, masked=True)
    values, hidden = np.asarray(band.data), np.ma.getmaskarray(band)
    scale, offset = file.scales[number - 1], file.offsets[number - 1]
    if (scale, offset) != (1.0, 0.0):
        values = values * scale + offset
    if hidden.any():
        if values.dtype.kind != "f":
            values = values.astype(np.float32 if values.dtype.itemsize <= 2 else float)
        values = np.where(hidden, values.dtype.type(np.nan), values)
    return values[::-1] if is_flipped else values


def _geometry_of(
    transform: Any, height: int
) -> tuple[tuple[float, ...], tuple[float, ...], float, bool]:
    """Return the south-west corner, spacing (northing, easting), turn, and whether rows run south."""
    east, south = math.hypot(transform.a, transform.d), math.hypot(transform.b, transform.e)
    if east == 0 or south == 0:
        raise ValueError("its transform has cells of no size")
    rotation = math.degrees(math.atan2(-transform.d, transform.a))
    if abs(transform.a * transform.b + transform.d * transform.e) > 1e-6 * east * south:
        raise ValueError("its cells are sheared, no rectangles. Warp it in a GIS first")
    # Own north is a quarter turn left of own east; rows that run against it start in the north.
    is_flipped = transform.a * transform.e - transform.d * transform.b < 0
    corner = _corner(transform, 0, height if is_flipped else 0)
    return corner, (south, east), rotation, is_flipped


def _band_names(file: Any, n_bands: int) -> list[str]:
    """Return a name for each band, each once."""
    if n_bands == 1 and not file.descriptions[0]:
        return [Path(file.name).stem]
    names: list[str] = []
    for number, title in enumerate(file.descriptions[:n_bands], 1):
        name = str(title or f"band_{number}").strip()
        names.append(name if name not in names else f"{name}_{number}")
    return names
