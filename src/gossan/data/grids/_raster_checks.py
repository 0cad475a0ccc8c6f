"""Rasters from strangers: opened by drivers that read that file alone, weighed before they are read.

The path of a raster comes in; an open file goes out, or an error. GDAL knows a format by its content,
and some formats are only a list of other files or addresses; those open nothing here that lies
outside their own folder.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from gossan.data._limits import check_unpacked, size_of
from gossan.data._xml import refuse_document_type

# Formats whose cells are in the file itself, or in one beside it of the same name.
DRIVERS = (
    "GTiff", "AAIGrid", "BT", "DTED", "EHdr", "ENVI", "ERS", "GRASSASCIIGrid", "GS7BG", "GSAG",
    "GSBG", "GXF", "HFA", "ISIS3", "JP2OpenJPEG", "JPEG", "netCDF", "NTv2", "NWT_GRD", "PCRaster",
    "PNG", "RST", "SAGA", "SRTMHGT", "USGSDEM", "XYZ", "ZMap",
)  # fmt: skip
_MOST_CELLS = 100_000_000_000  # that are read window by window
_SOURCES = ("SourceFilename", "SourceDataset", "SourceDatasetTBD")
_MOST_VRT = 50 << 20
_PLAIN_BANDS = (None, "VRTDataset", "VRTRasterBand")


def open_raster(rasterio: Any, path: Path, *, drivers: tuple[str, ...] = DRIVERS) -> Any:
    """Open a raster by these drivers alone; a .vrt also, if all its sources lie in its folder.

    Raises
    ------
    ValueError
        If a .vrt names what lies elsewhere.
    rasterio.errors.RasterioIOError
        If it is none of these formats.
    """
    if path.suffix.lower() == ".vrt" and len(drivers) > 1:
        _check_vrt(path)
        drivers = ("VRT",)
    first: Exception | None = None
    for driver in drivers:
        try:
            return rasterio.open(path, driver=driver)
        except rasterio.errors.RasterioIOError as error:
            first = first or error
    raise first or ValueError(f"{path.name} has no driver to be read by.")


def check_raster(file: Any, path: Path, *, is_whole: bool) -> None:
    """Raise if the cells of an open raster take far more than its size makes likely.

    Parameters
    ----------
    file : rasterio dataset
    path : Path
        The file on disk.
    is_whole : bool
        Whether it is to be read at once, or window by window.

    Raises
    ------
    ValueError
        If they do; the message does not name the file.
    """
    kinds = [np.dtype(word) for word in file.dtypes]
    block = max(
        math.prod(b) * kind.itemsize for b, kind in zip(file.block_shapes, kinds, strict=True)
    )
    check_unpacked("", block, _packed(path), what="a block of its cells takes")
    blocks = sum(
        math.prod(b) * kind.itemsize for b, kind in zip(file.block_shapes, kinds, strict=True)
    )
    what = f"a block of each of its {file.count:,} bands takes"  # one after the other
    check_unpacked("", blocks, _packed(path), what=what, times=8)
    n_cells = file.height * file.width
    if n_cells > _MOST_CELLS:
        raise ValueError(
            f"it has {file.height:,} x {file.width:,} cells, more than {_MOST_CELLS:,}. Check the file"
        )
    if is_whole:
        n_bytes = n_cells * sum(max(kind.itemsize, 4) for kind in kinds)
        what = f"its {file.count} bands of {file.height:,} x {file.width:,} cells take"
        check_unpacked("", n_bytes, _packed(path), what=what)


def _packed(path: Path) -> int:
    """Return the bytes of a raster and of the files of its name beside it."""
    if path.suffix.lower() == ".vrt":
        return size_of(path.parent)
    beside = path.parent.glob(f"{_escaped(path.stem)}.*")
    return sum(each.stat().st_size for each in beside if each.is_file())


def _escaped(stem: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in stem)


def _check_vrt(path: Path) -> None:
    """Refuse a list of rasters that names code, or what lies outside its own folder."""
    if path.stat().st_size > _MOST_VRT:
        raise ValueError(f"{path.name} is larger than any list of rasters. Check the file.")
    data = path.read_bytes()
    try:
        refuse_document_type(data)
        root = ET.fromstring(data)  # noqa: S314, entities are refused above
    except (ET.ParseError, ValueError) as error:
        raise ValueError(
            f"{path.name} is a damaged list of rasters: {error}. Make it anew."
        ) from None
    home = path.parent.resolve()
    for element in root.iter():
        is_code = element.tag.startswith("PixelFunction")
        if is_code or element.get("subClass") not in _PLAIN_BANDS:
            raise ValueError(
                f"{path.name} computes its cells ({element.tag}), which is not read. Write it as a"
                " GeoTIFF: gdal_translate."
            )
        if element.tag not in _SOURCES:
            continue
        name = (element.text or "").strip()
        target = (home / name).resolve()
        is_inside = element.get("relativeToVRT") == "1" and target.is_relative_to(home)
        if not is_inside or not target.is_file() or target.suffix.lower() == ".vrt":
            raise ValueError(
                f"{path.name} names {name[:80]!r}, which is no raster in its own folder. Put the"
                " rasters beside it, with relative names, or write it as a GeoTIFF."
            )
