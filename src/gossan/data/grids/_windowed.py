"""Rasters larger than memory: read window by window as one stack of layers, and written tile by tile.

Paths of rasters on the same cells come in; windows of layers (channels, northing, easting), running
north and east as in a grid, go out, or tiles come in and a cloud-optimised GeoTIFF goes out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan._units import convert_unit, is_unit
from gossan.data._crs import same_crs, short_crs
from gossan.data.grids._geotiff import _geometry_of, _quiet_rasterio, _refuse_degrees
from gossan.data.grids._raster_checks import check_raster, open_raster

__all__ = ["RasterStack", "Rasters", "Rectangle", "TileMap", "tags_of", "write_tiles"]

FARTHEST_VALUE = 1e30  # beyond it, -3.4e38 say, a number means "nothing" though none declared it
CACHE_MEGABYTES = 128
BLOCK = 512

Rectangle = tuple[slice, slice]  # northing, easting
Named = str | Path | tuple[str, str | Path]
Rasters = Sequence[Named] | Mapping[str, str | Path]


@dataclass(frozen=True)
class _Band:
    """A band of a file, and the names that it answers to."""

    path: Path
    number: int
    names: tuple[str, ...]
    units: str | None
    scale: float
    offset: float
    factor: float = 1.0  # to the unit that is wanted


@dataclass(frozen=True)
class TileMap:
    """Where the cells of a raster are, and how they fall into tiles."""

    shape: tuple[int, int]  # northing, easting
    transform: tuple[float, ...]
    crs: str | None
    is_flipped: bool  # rows of the file run against those of a grid

    @property
    def cell_size(self) -> tuple[float, float]:
        """Size of a cell along northing and easting [m]."""
        a, b, _, d, e, _ = self.transform
        return math.hypot(b, e), math.hypot(a, d)

    @property
    def n_cells(self) -> int:
        """Number of cells in all."""
        return self.shape[0] * self.shape[1]

    def tiles(self, side: int) -> list[Rectangle]:
        """Return the tiles of at most `side` cells along each axis, from the south-west."""
        ny, nx = self.shape
        return [
            (slice(y, min(y + side, ny)), slice(x, min(x + side, nx)))
            for y in range(0, ny, side)
            for x in range(0, nx, side)
        ]

    def window(self, rectangle: Rectangle) -> tuple[int, int, int, int]:
        """Return column, row, width and height of a rectangle in the file."""
        rows, columns = rectangle
        top = self.shape[0] - rows.stop if self.is_flipped else rows.start
        return columns.start, top, columns.stop - columns.start, rows.stop - rows.start


class RasterStack:
    """Bands of rasters on the same cells, open for reading; close it, or use it in a `with`.

    Parameters
    ----------
    rasters : sequence of path or (layer, path), or mapping of layer to path
        GeoTIFF, or another raster that holds its own cells. A band answers to its own name and, alone
        in its file, to the name of the file; where a layer is named, to that alone.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is not there, cannot be read, lies on other cells than the first, or counts degrees.
    """

    def __init__(self, rasters: Rasters) -> None:
        self._stack = ExitStack()
        self._files: dict[Path, Any] = {}
        self.bands: list[_Band] = []
        try:
            for title, path in _listed(rasters):
                self._add(title, Path(path))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> RasterStack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all files."""
        self._stack.close()

    @property
    def names(self) -> list[str]:
        """First name of each band."""
        return [band.names[0] for band in self.bands]

    def choose(self, layers: Sequence[str], units: Mapping[str, str] | None = None) -> RasterStack:
        """Keep the bands of some layers, in their order; `units` are those wanted of each.

        Raises
        ------
        ValueError
            If a layer is not there or there twice, or is in a unit that cannot be turned.
        """
        wanted = dict(units or {})
        self.bands = [_in_units(self._band(layer), layer, wanted.get(layer)) for layer in layers]
        return self

    def read(self, rectangle: Rectangle, margin: int = 0) -> NDArray[np.float32]:
        """Return the layers of a rectangle and some cells round it, NaN beyond the rasters.

        Parameters
        ----------
        rectangle : (slice, slice)
            Cells along northing and easting.
        margin : int
            Cells more on each side.

        Returns
        -------
        layers : float32 array of shape (n_bands, ny + 2 margin, nx + 2 margin)
            Rows run as in a grid, from south to north.
        """
        wide = [slice(each.start - margin, each.stop + margin) for each in rectangle]
        shape = tuple(each.stop - each.start for each in wide)
        near = tuple(
            slice(max(each.start, 0), min(each.stop, n))
            for each, n in zip(wide, self.map.shape, strict=True)
        )
        place = tuple(
            slice(a.start - b.start, a.stop - b.start) for a, b in zip(near, wide, strict=True)
        )
        out = np.full((len(self.bands), *shape), np.nan, dtype=np.float32)
        for path in dict.fromkeys(band.path for band in self.bands):
            mine = [i for i, band in enumerate(self.bands) if band.path == path]
            found = self._read_file(path, [self.bands[i] for i in mine], near)
            for i, values in zip(mine, found, strict=True):
                out[i][place] = values
        return out

    def fingerprint(self) -> list[list[Any]]:
        """Return what tells whether these are still the same bands of the same files."""
        told = []
        for band in self.bands:
            about = band.path.stat()
            told.append(
                [band.path.name, band.number, band.factor, about.st_size, about.st_mtime_ns]
            )
        return [*told, [*self.map.shape, *self.map.transform, self.map.crs]]

    def _add(self, title: str | None, path: Path) -> None:
        if path not in self._files:
            file = self._stack.enter_context(_open(path))
            self._files[path] = file
            found = _map_of(file, path)
            if not hasattr(self, "map"):
                self.map, self._first = found, path
            _check_same(self.map, found, self._first, path)
        file = self._files[path]
        if title is not None and file.count > 1:
            near = [
                i for i, text in enumerate(file.descriptions, 1) if _folded(text) == _folded(title)
            ]
            if not near:
                raise ValueError(
                    f"{path.name} has {file.count} bands and none is called {title!r}:"
                    f" {', '.join(map(str, file.descriptions))}. Name its bands in a GIS, or take"
                    " the band out of it."
                )
            self.bands.append(_band_of(file, path, near[0], (title,)))
            return
        for number in range(1, file.count + 1):
            names = (title,) if title is not None else _names_of(file, path, number)
            self.bands.append(_band_of(file, path, number, names))

    def _band(self, layer: str) -> _Band:
        fits = [b for b in self.bands if _folded(layer) in map(_folded, b.names)]
        if not fits:  # "Li" of a study whose files were Idw_Li.tif, Idw_Sn.tif, ...
            tail = f"_{_folded(layer)}"
            fits = [b for b in self.bands if any(_folded(n).endswith(tail) for n in b.names)]
        if len(fits) == 1:
            return fits[0]
        if fits:
            places = ", ".join(f"{band.path.name} band {band.number}" for band in fits)
            raise ValueError(
                f"Layer {layer!r} is there {len(fits)} times: {places}. Leave one out, or name the"
                f" raster of each layer: {layer}=FILE."
            )
        raise ValueError(
            f"No raster holds the layer {layer!r}; there are {', '.join(self.names)[:300] or 'none'}."
            f" Add it, or name it: {layer}=FILE.{did_you_mean(layer, self.names)}"
        )

    def _read_file(
        self, path: Path, bands: Sequence[_Band], near: Sequence[slice]
    ) -> Iterator[NDArray[np.float32]]:
        from rasterio.windows import Window

        if any(each.start >= each.stop for each in near):
            raise ValueError(f"The rectangle {near} lies beyond the raster. Take one of its tiles.")
        window = Window(*self.map.window((near[0], near[1])))
        with _quiet_rasterio():
            try:
                read = self._files[path].read(
                    [band.number for band in bands], window=window, masked=True
                )
            except Exception as error:
                raise ValueError(
                    f"{path.name} cannot be read at {window}: {error}. Fetch it again from its"
                    " source; what was finished is kept."
                ) from error
        for band, values in zip(bands, read, strict=True):
            yield _plain(band, values)[:: -1 if self.map.is_flipped else 1]


def write_tiles(
    path: Path,
    layout: TileMap,
    bands: Sequence[tuple[str, str]],
    tiles: Iterable[tuple[Rectangle, NDArray[np.float32]]],
    *,
    tags: Mapping[str, str],
    scratch: Path,
) -> Path:
    """Write a cloud-optimised GeoTIFF of float32 bands, tile by tile; it appears whole or not at all.

    Parameters
    ----------
    path : Path
        File to write; an old one is replaced.
    layout : TileMap
        Of its cells.
    bands : sequence of (name, unit)
    tiles : iterable of (rectangle, values of shape (n_bands, ny, nx))
        Rows run as in a grid; cells that no tile covers are missing.
    tags : mapping of str to str
        Metadata of the file.
    scratch : Path
        Folder on the same disk, for the raster before its overviews.

    Returns
    -------
    path : Path
    """
    plain, done = scratch / "plain.tif", scratch / "done.tif"
    with _quiet_rasterio() as rasterio, rasterio.Env(GDAL_CACHEMAX=CACHE_MEGABYTES):
        from rasterio.windows import Window

        with rasterio.open(plain, "w", **_profile(layout, len(bands))) as file:
            file.update_tags(**tags)
            for number, (name, unit) in enumerate(bands, 1):
                file.set_band_description(number, name)
                file.set_band_unit(number, unit)
            for rectangle, values in tiles:
                rows = values[:, :: -1 if layout.is_flipped else 1]
                file.write(rows, window=Window(*layout.window(rectangle)))
        from rasterio.shutil import copy

        copy(
            plain, done, driver="COG", compress="deflate", level=1, predictor="yes",
            blocksize=BLOCK, overview_resampling="average", bigtiff="if_safer",
            num_threads="all_cpus",
        )  # fmt: skip
    done.replace(path)
    return path


def _profile(layout: TileMap, n_bands: int) -> dict[str, Any]:
    from rasterio.crs import CRS
    from rasterio.transform import Affine

    return {
        "driver": "GTiff", "dtype": "float32", "count": n_bands, "nodata": math.nan,
        "height": layout.shape[0], "width": layout.shape[1], "transform": Affine(*layout.transform),
        "crs": None if layout.crs is None else CRS.from_user_input(layout.crs),
        "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "bigtiff": "if_safer",
        "interleave": "band", "sparse_ok": True,
    }  # fmt: skip


def _listed(rasters: Any) -> list[tuple[str | None, str | Path]]:
    """Return (layer or None, path) of each raster."""
    if isinstance(rasters, Mapping):
        rasters = list(rasters.items())
    given = [rasters] if isinstance(rasters, str | Path) else list(rasters)
    if not given:
        raise ValueError(
            "No raster was named. Pass one file a layer, or one with all as its bands."
        )
    return [each if isinstance(each, tuple) else (None, each) for each in given]


def _open(path: Path) -> Any:
    if not path.exists():
        near = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        raise FileNotFoundError(
            f"There is no file {path}. Check the path.{did_you_mean(path.name, near)}"
        )
    with _quiet_rasterio() as rasterio:
        try:
            file = open_raster(rasterio, path)
        except rasterio.errors.RasterioIOError as error:
            raise ValueError(
                f"{path.name} cannot be read as a raster: {error}. Check that it is whole, and a"
                " GeoTIFF or another raster that holds its own cells."
            ) from error
        try:
            check_raster(file, path, is_whole=False)
        except ValueError as error:
            file.close()
            raise ValueError(f"{path.name} cannot be read: {error}.") from error
        return file


def _map_of(file: Any, path: Path) -> TileMap:
    with _quiet_rasterio():
        crs = None if file.crs is None else file.crs.to_string()
        if file.transform.is_identity and crs is None:
            raise ValueError(
                f"{path.name} cannot be scored: it has no georeference. Add a world file, or"
                " georeference it in a GIS."
            )
        try:
            _refuse_degrees(crs, file)
            *_, is_flipped = _geometry_of(file.transform, file.height)
        except ValueError as error:
            raise ValueError(f"{path.name} cannot be scored: {error}.") from error
        return TileMap((file.height, file.width), tuple(file.transform)[:6], crs, is_flipped)


def _check_same(first: TileMap, other: TileMap, one: Path, path: Path) -> None:
    gap = _difference(first, other)
    if gap:
        raise ValueError(
            f"{path.name} lies on other cells than {one.name}: {gap}. Bring all rasters onto one grid"
            " first: warp them in a GIS, or run the study on them (resample under [layers]) and score"
            " its layers.tif."
        )


def _difference(first: TileMap, other: TileMap) -> str:
    """Return what differs between the cells of two rasters, "" if nothing does."""
    if first.shape != other.shape:
        return (
            f"{other.shape[0]} x {other.shape[1]} against {first.shape[0]} x {first.shape[1]} cells"
        )
    if not same_crs(first.crs, other.crs):
        return f"CRS {short_crs(other.crs)} against {short_crs(first.crs)}"
    sizes = [f"{each.cell_size[1]:.6g} x {each.cell_size[0]:.6g} m" for each in (other, first)]
    if sizes[0] != sizes[1]:
        return f"cells of {sizes[0]} against {sizes[1]}"
    (ny, nx), least = first.shape, min(first.cell_size)
    for row, column in ((0, 0), (0, nx), (ny, 0)):
        gaps = [
            abs((p - q) * column + (r - s) * row + t - u)
            for (p, r, t), (q, s, u) in (
                (first.transform[:3], other.transform[:3]),
                (first.transform[3:], other.transform[3:]),
            )
        ]
        if max(gaps) > 1e-3 * least:
            return f"corners {math.hypot(*gaps):.4g} m apart"
    return ""


def _names_of(file: Any, path: Path, number: int) -> tuple[str, ...]:
    title = (file.descriptions[number - 1] or "").strip()
    if file.count > 1:
        return (title or f"{path.stem}_{number}",)
    return tuple(dict.fromkeys(name for name in (title, path.stem) if name))


def _band_of(file: Any, path: Path, number: int, names: tuple[str, ...]) -> _Band:
    place = number - 1
    return _Band(path, number, names, file.units[place], file.scales[place], file.offsets[place])


def _in_units(band: _Band, layer: str, unit: str | None) -> _Band:
    """Return the band with the factor to the unit that is wanted, where both are known."""
    if not unit or not band.units or band.units.strip().casefold() == unit.strip().casefold():
        return band
    if not (is_unit(unit) and is_unit(band.units)):
        raise ValueError(
            f"Layer {layer!r} is in {band.units!r} in {band.path.name}, the model reads it in"
            f" {unit!r}. Convert the raster, or mend the unit that its band names."
        )
    return replace(band, factor=float(convert_unit(1.0, band.units, unit)))


def _plain(band: _Band, values: Any) -> NDArray[np.float32]:
    """Return a band as float32 in the unit wanted, NaN where it is masked or out of all bounds."""
    out: NDArray[Any] = np.array(values.data, dtype=float if band.scale != 1 else np.float32)
    out[np.ma.getmaskarray(values) | (np.abs(out) > FARTHEST_VALUE)] = np.nan
    if (band.scale, band.offset) != (1.0, 0.0):
        out = out * band.scale + band.offset
    if band.factor != 1.0:
        out *= band.factor
    return out.astype(np.float32, copy=False)


def _folded(text: str | None) -> str:
    return (text or "").strip().casefold()


def tags_of(path: Path) -> dict[str, str]:
    """Return the metadata of a raster, {} of what is no raster."""
    if not path.is_file():
        return {}
    with _quiet_rasterio() as rasterio:
        try:
            with open_raster(rasterio, path) as file:
                return dict(file.tags())
        except (rasterio.errors.RasterioIOError, ValueError):
            return {}
