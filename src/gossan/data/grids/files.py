"""Grids to files and back, in the format that the ending of the path names.

A grid and a path come in and a file goes out, or the reverse: layers, missing values, CRS, turn,
units and names come back as they were, in every format.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from gossan._checks import did_you_mean
from gossan.data._crs import crs_text
from gossan.data._replacing import replacing
from gossan.data.grids._geotiff import read_geotiff, write_geotiff
from gossan.data.grids._meta import name_crs
from gossan.data.grids._omf import read_omf, write_omf
from gossan.data.grids._stores import read_parquet, read_zarr, write_parquet, write_zarr
from gossan.data.grids._vti import read_vti, write_vti
from gossan.data.grids.blockmodel import read_block_model, write_block_model
from gossan.data.grids.grid import check_grid
from gossan.data.grids.tables import choose_layers

# Whatever a damaged file makes the readers below us raise (rasterio's, pyarrow's and omf's errors
# are subclasses of these, or are ValueErrors).
_BROKEN = (ValueError, OSError, EOFError, KeyError, IndexError, TypeError, AttributeError)
_BROKEN += (
    struct.error,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    MemoryError,
    zlib.error,
    SyntaxError,
)


@dataclass(frozen=True)
class _Format:
    """How a format is read and written, and the options that it takes."""

    title: str
    read: Callable[..., xr.Dataset]
    write: Callable[..., None]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


_GEOTIFF = _Format("GeoTIFF", read_geotiff, write_geotiff, ("to_crs",), ("cog",))
_VTI = _Format("VTK image data", read_vti, write_vti)
_OMF = _Format("Open Mining Format", read_omf, write_omf, ("element",))
_ZARR = _Format("Zarr", read_zarr, write_zarr, ("chunks",), ("chunks",))
_PARQUET = _Format("Parquet", read_parquet, write_parquet, ("missing", "rotation"))
_CSV = _Format(
    "block-model CSV", read_block_model, write_block_model,
    ("missing", "rotation", "missing_values"), ("drop_empty",),
)  # fmt: skip
_FORMATS = {
    ".tif": _GEOTIFF, ".tiff": _GEOTIFF, ".vti": _VTI, ".csv": _CSV, ".omf": _OMF,
    ".parquet": _PARQUET, ".zarr": _ZARR,
}  # fmt: skip


def read_grid(
    path: str | Path, *, layers: Sequence[str] | None = None, crs: Any = None, **options: Any
) -> xr.Dataset:
    """Read a grid from a GeoTIFF, VTI, block-model CSV, OMF, Parquet file or a Zarr store.

    Parameters
    ----------
    path : path
        Its ending names the format: .tif, .vti, .csv, .omf, .parquet or .zarr.
    layers : sequence of str, optional
        Which layers; default all.
    crs : str, int or CRS object, optional
        Names the CRS where the file does not; refused where the file says another.
    **options
        GeoTIFF: ``to_crs`` reprojects, by nearest cell. CSV: ``missing`` ("error" or "nan", for
        blocks that no row fills), ``rotation`` [°], ``missing_values`` (numbers that mean
        "missing"; -99, -999, -9999 in files that gossan did not write). Parquet: ``missing``,
        ``rotation``. OMF: ``element``, the name of one of several grids. Zarr: ``chunks``, cells
        along each dim, which leaves the layers on disk until they are used (needs dask).

    Returns
    -------
    grid : Dataset
        Axes ascending, missing values NaN; see `gossan.data.grids.grid`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the ending names no format, the file is damaged or holds no regular grid, or its CRS
        counts degrees; the message names the file.
    TypeError
        If an option is none of the format's.
    ImportError
        If the format needs a package that is not installed; the message says which.
    """
    source = Path(path)
    form = _format_of(source)
    _check_options(options, form.reads, f"read_grid of {form.title}")
    if not source.exists():
        near = []
        if source.parent.is_dir():
            near = [file.name for file in source.parent.iterdir()]
        raise FileNotFoundError(
            f"There is no file {source}. Check the path.{did_you_mean(source.name, near)}"
        )
    named = crs_text(crs)
    try:
        grid = check_grid(name_crs(form.read(source, **options), named), name=source.name)
    except Exception as error:
        if not is_of_the_file(error):
            raise
        said = str(error).strip().removeprefix(f"{source.name} ").rstrip(".")
        raise ValueError(
            f"{source.name} cannot be read as {form.title}: {said or type(error).__name__}."
            " Check that the file is whole and of this format, or write it anew."
        ) from error
    return choose_layers(grid, layers)


def write_grid(grid: xr.Dataset, path: str | Path, **options: Any) -> Path:
    """Write a grid in the format that the ending of the path names.

    The file is written beside the old one and takes its place when it is whole.

    Parameters
    ----------
    grid : Dataset
        2D or 3D, turned or not, lazy or not.
    path : path
        Ending in .tif, .vti, .csv, .omf, .parquet or .zarr. GeoTIFF writes a 3D grid as one band
        a level and layer, lowest first.
    **options
        GeoTIFF: ``cog=True`` makes it cloud-optimised. CSV: ``drop_empty=True`` leaves out cells
        without any value. Zarr: ``chunks``, cells along each dim, ``{"elevation": 64}``.

    Returns
    -------
    path : Path

    Raises
    ------
    ValueError
        If the grid is none, has no layer, or does not fit the format.
    TypeError
        If it is no Dataset, or an option is none of the format's.
    FileNotFoundError
        If the folder is not there.
    ImportError
        If the format needs a package that is not installed.
    """
    target = Path(path)
    form = _format_of(target)
    _check_options(options, form.writes, f"write_grid to {form.title}")
    checked = check_grid(grid)
    if not checked.data_vars:
        raise ValueError(f"The grid has no layer to write to {target.name}. Add one: add_layer.")
    _check_target(target, form)
    if form is _CSV:  # two files, each replaced on its own
        write_block_model(checked, target, **options)
        return target
    with replacing(target) as temporary:
        try:
            form.write(checked, temporary, **options)
        except ValueError as error:
            said = str(error).rstrip(".")
            raise ValueError(f"{target.name} cannot be written: {said}.") from error
    return target


def _format_of(path: Path) -> _Format:
    ending = path.suffix.lower()
    if ending not in _FORMATS:
        known = list(_FORMATS)
        raise ValueError(
            f"A grid's file must end in one of {', '.join(known)}, got {path.name!r}. Choose the"
            f" format by the ending.{did_you_mean(ending, known)}"
        )
    return _FORMATS[ending]


def _check_options(options: dict[str, Any], known: tuple[str, ...], what: str) -> None:
    for name in options:
        if name not in known:
            raise TypeError(
                f"{what} takes {', '.join(known) or 'no options'}, got {name!r}."
                f" Leave it out.{did_you_mean(name, known)}"
            )


def _check_target(path: Path, form: _Format) -> None:
    """Refuse to put a file in the place of a folder, or a store in the place of anything else."""
    is_store = path.is_dir() and any((path / f).exists() for f in ("zarr.json", ".zgroup"))
    if path.is_dir() and not (form is _ZARR and is_store):
        raise ValueError(f"{path} is a folder, and not one to replace. Choose another name.")
    if form is _ZARR and path.is_file():
        raise ValueError(f"{path} is a file; a Zarr store is a folder. Choose another name.")


def is_of_the_file(error: BaseException) -> bool:
    """Whether an error comes from what a file holds, not from the user's other arguments."""
    if isinstance(error, ImportError):
        return False
    return isinstance(error, _BROKEN) or type(error).__module__.split(".")[0] in {
        "rasterio", "pyarrow", "properties", "zarr", "omf", "pandas",
    }  # fmt: skip
