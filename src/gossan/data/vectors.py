"""Points, lines and polygons with a CRS: occurrences, faults, geological units.

A file that geopandas opens, or a table with coordinates, comes in; a GeoDataFrame in projected
metres goes out, each geometry checked and named by its row.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import GossanWarning, check_option, did_you_mean
from gossan.data._coordinates import (
    DEGREES,
    find_coordinates,
    format_places,
    list_words,
    plain_header,
    read_numbers,
)
from gossan.data._crs import is_geographic, plain_crs, same_crs, short_crs, utm_hint
from gossan.data._parquet import check_parquet
from gossan.data._vector_checks import check_layer, check_nesting, check_vector_file
from gossan.data.grids.rasterising import KINDS, import_geopandas, match_crs
from gossan.data.vector_writing import STYLES

if TYPE_CHECKING:
    import geopandas as gpd

_TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".parquet")
_REPAIRS = ("error", "repair", "drop")


def read_vectors(
    path: str | Path | gpd.GeoDataFrame,
    kind: str | None = None,
    *,
    crs: Any = None,
    to_crs: Any = None,
    grid: xr.Dataset | None = None,
    layer: str | None = None,
    invalid: str = "error",
) -> gpd.GeoDataFrame:
    """Read faults, geological units or any other vector layer, in metres, every row checked.

    Parameters
    ----------
    path : path or GeoDataFrame
        GeoPackage, Shapefile, GeoJSON, GeoParquet or another format that holds its own features.
    kind : "points", "lines" or "polygons", optional
        What the geometries must be; default whatever they are.
    crs : str, int or CRS object, optional
        Names the CRS where the file does not; refused where the file says another.
    to_crs : str, int or CRS object, optional
        Reprojects; needed where coordinates are degrees.
    grid : Dataset, optional
        Grid to go with: another CRS than the grid's is refused unless `to_crs` brings it there.
    layer : str, optional
        Which layer, of a file that holds several.
    invalid : "error", "repair" or "drop"
        What to do with invalid geometries (a polygon that crosses itself). Missing and empty ones
        are dropped with a warning unless "error" is asked, which refuses them too.

    Returns
    -------
    frame : GeoDataFrame
        Rows of the file with a fresh index; exact duplicates are kept and warned of.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file cannot be read, no CRS is known, the CRS counts degrees or is not the grid's,
        geometries are invalid, empty or of another kind; the message names the rows.
    ImportError
        If geopandas is not installed.
    """
    check_option("kind", kind, (None, *KINDS))
    check_option("invalid", invalid, _REPAIRS)
    frame, source = _open(path, layer)
    frame = _place(frame, crs, to_crs, grid, source)
    frame = _check_shapes(frame, invalid, source)
    return _check_kind(frame, kind, source)


def read_occurrences(
    path: str | Path | pd.DataFrame,
    *,
    crs: Any = None,
    to_crs: Any = None,
    grid: xr.Dataset | None = None,
    easting: str | None = None,
    northing: str | None = None,
    layer: str | None = None,
    invalid: str = "error",
) -> gpd.GeoDataFrame:
    """Read mineral occurrences: points from a table with coordinates, or from a vector file.

    Parameters
    ----------
    path : path, DataFrame or GeoDataFrame
        CSV, Excel or Parquet table with a column each of easting and northing ("X", "UTM_E",
        "Longitude" ...), or any file that geopandas opens.
    crs : str, int or CRS object, optional
        CRS of the coordinates; a table never says it, so that it must be named here.
    to_crs, grid, layer, invalid
        As in `read_vectors`; rows without coordinates are invalid ("drop" leaves them out).
    easting, northing : str, optional
        Columns of the coordinates, where they have unusual names.

    Returns
    -------
    frame : GeoDataFrame of points
        A multipoint row becomes one row a point. Points in one place are kept and warned of.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `read_vectors`, or if columns of coordinates are not found.
    ImportError
        If geopandas is not installed.
    """
    check_option("invalid", invalid, _REPAIRS)
    import_geopandas()
    is_table = isinstance(path, pd.DataFrame) and not hasattr(path, "to_crs")
    if not is_table and (hasattr(path, "to_crs") or Path(path).suffix.lower() not in _TABLES):  # type: ignore[arg-type]
        frame, source = _open(path, layer)  # type: ignore[arg-type]
    else:
        frame, source, crs = _points_of(path, crs, (easting, northing), invalid)
    frame = _place(frame, crs, to_crs, grid, source)
    frame = _check_shapes(frame, invalid, source)
    frame = _check_kind(frame, "points", source)
    return frame.explode(ignore_index=True)


def _open(path: Any, layer: str | None) -> tuple[Any, str]:
    """Return the rows of a file and its name."""
    gpd = import_geopandas()
    if isinstance(path, gpd.GeoDataFrame):
        return path.reset_index(drop=True), "The vectors"
    source = Path(_check_path(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # GDAL's remarks on odd drivers
            frame = _read_file(source, layer)
    except Exception as error:
        if isinstance(error, ImportError):
            raise
        raise ValueError(
            f"{source.name} cannot be read as a vector file: {str(error).rstrip('.')}. Check that it"
            " is whole (a Shapefile needs its .shx and .dbf), and the name of the layer."
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.geometry.name not in frame:
        raise ValueError(
            f"{source.name} has no geometries, only the columns {list_words(list(frame.columns))}."
            " Read points of a table with read_occurrences."
        )
    return frame.reset_index(drop=True), source.name


def _read_file(source: Path, layer: str | None) -> Any:
    """Return the rows of a file that holds its own features, and of no other."""
    gpd = import_geopandas()
    check_vector_file(source)
    if source.suffix.lower() == ".parquet":
        check_parquet(source)
        _check_shapes_of(source)
        return gpd.read_parquet(source)
    chosen = _choose_layer(source, layer)
    check_layer(source, chosen)
    return gpd.read_file(source, layer=chosen)


def _check_shapes_of(source: Path) -> None:
    """Refuse geometries nested so deep that reading them would end the program."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:
        told = json.loads((file.schema_arrow.metadata or {}).get(b"geo", b"{}"))
        known = set(file.schema_arrow.names)
        for name in set(told.get("columns", {})) & known:
            for batch in file.iter_batches(columns=[name]):
                check_nesting(batch.column(0).to_pylist())


def _choose_layer(source: Path, layer: str | None) -> str | None:
    """Return the layer to read; of several, one must be named."""
    names = [str(name) for name in import_geopandas().list_layers(source)["name"]]
    names = [name for name in names if name != STYLES]
    if (layer is None and len(names) > 1) or (layer is not None and layer not in names):
        near = did_you_mean(str(layer), names) if layer else ""
        raise ValueError(f"its layers are {list_words(names)}. Name one: layer=...{near}")
    return names[0] if names else None


def _check_path(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"Vectors must be a path or a GeoDataFrame, got {type(path).__name__}. Pass the name of"
            " a file."
        )
    source = Path(path)
    if not source.exists():
        near = [f.name for f in source.parent.iterdir()] if source.parent.is_dir() else []
        raise FileNotFoundError(
            f"There is no file {source}. Check the path.{did_you_mean(source.name, near)}"
        )
    return source


def _points_of(
    path: Any, crs: Any, columns: tuple[str | None, str | None], invalid: str
) -> tuple[Any, str, Any]:
    """Return the points of a table with coordinates, its name, and their CRS."""
    gpd = import_geopandas()
    if isinstance(path, pd.DataFrame):
        table, source = path.reset_index(drop=True), "The table of occurrences"
    else:
        source = _check_path(path).name
        table = _read_table(Path(path))
    given = {"easting": columns[0], "northing": columns[1]}
    found = find_coordinates(list(table.columns), given, source=source)
    east, north = found["easting"], found["northing"]
    if invalid == "drop":
        numbers = table[[east, north]].apply(pd.to_numeric, errors="coerce")
        is_placed = np.isfinite(numbers.to_numpy(dtype=float, na_value=np.nan)).all(axis=1)
        _warn_dropped(source, "have no coordinates", np.flatnonzero(~is_placed))
        table = table[is_placed].reset_index(drop=True)
    x, y = (read_numbers(table, column, source=source) for column in (east, north))
    if crs is None and {plain_header(east), plain_header(north)} <= set(DEGREES):
        raise ValueError(
            f"{source} has longitudes and latitudes but no CRS. Name it: crs='EPSG:4326', say, with"
            f" to_crs={_utm_of(x, y)!r} for metres."
        )
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x, y)), source, crs


def _read_table(path: Path) -> pd.DataFrame:
    from gossan.data.tables.rawtable import read_raw
    from gossan.data.tables.sites import read_sites

    raw = read_raw(path)
    return read_sites(raw, ())[0]


def _utm_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    return utm_hint(float(np.median(x)), float(np.median(y))) if len(x) else "EPSG:..."


def _place(frame: Any, crs: Any, to_crs: Any, grid: xr.Dataset | None, source: str) -> Any:
    """Return the rows in metres, in the CRS that is wanted."""
    named, own = plain_crs(crs), plain_crs(frame.crs, name=f"The CRS of {source}")
    if own is None and named is None:
        raise ValueError(
            f"{source} names no CRS. Name it: crs='EPSG:32650', say, as its maker tells; an area"
            " cannot be guessed from numbers."
        )
    if not same_crs(own, named):
        raise ValueError(
            f"{source} is in {short_crs(own)}, but crs={short_crs(named)} is given. Leave crs out;"
            " to reproject, pass to_crs."
        )
    if own is None:
        frame, own = frame.set_crs(named), named
    with _refusing(source):
        frame = frame if to_crs is None else frame.to_crs(plain_crs(to_crs, name="to_crs"))
    _refuse_degrees(frame, source)
    return frame if grid is None else match_crs(frame, grid)


@contextmanager
def _refusing(source: str) -> Iterator[None]:
    """Name the file in what pyproj says of coordinates that it cannot bring over."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.split(".")[0] != "pyproj":
            raise
        raise ValueError(f"{source} cannot be reprojected: {error}. Check its CRS.") from error


def _refuse_degrees(frame: Any, source: str) -> None:
    text = plain_crs(frame.crs)
    if not is_geographic(text):
        return
    west, south, east, north = frame.total_bounds
    zone = utm_hint((west + east) / 2, (south + north) / 2) if np.isfinite(west) else "EPSG:..."
    raise ValueError(
        f"{source} is in {short_crs(text)}, whose coordinates are degrees; distances need metres."
        f" Reproject as it is read: to_crs={zone!r}."
    )


def _check_shapes(frame: Any, invalid: str, source: str) -> Any:
    """Return the rows whose geometries are there, finite and valid."""
    shapes = frame.geometry
    if not len(frame):
        raise ValueError(f"{source} has no rows. Check the layer and the filter of the export.")
    has_place = np.isfinite(shapes.bounds.to_numpy()).all(axis=1)
    is_empty = (shapes.isna() | shapes.is_empty).to_numpy() | ~has_place
    if is_empty.any() and invalid == "error":
        raise ValueError(
            f"{source} has {int(is_empty.sum())} missing or empty geometries, first at"
            f" {format_places(np.flatnonzero(is_empty))}. Mend them, or pass invalid='drop'."
        )
    _warn_dropped(source, "have missing or empty geometries", np.flatnonzero(is_empty))
    frame = frame[~is_empty]
    is_bad = ~frame.geometry.is_valid.to_numpy()
    if is_bad.any():
        frame = _mend(frame, is_bad, invalid, source)
    twice = frame.geometry.to_wkb().duplicated().to_numpy()
    if twice.any():
        warnings.warn(
            f"{source} has {int(twice.sum())} geometries that repeat an earlier one, first at"
            f" {format_places(frame.index.to_numpy()[twice])}; they are kept. Drop duplicates if"
            " they are one thing.",
            GossanWarning,
            stacklevel=3,
        )
    if not len(frame):
        raise ValueError(f"{source} has no valid geometry left. Mend the file.")
    return frame.reset_index(drop=True)


def _mend(frame: Any, is_bad: NDArray[np.bool_], invalid: str, source: str) -> Any:
    bad = frame.index.to_numpy()[is_bad]
    if invalid == "error":
        why = frame.geometry[is_bad].is_valid_reason().iloc[0]
        raise ValueError(
            f"{source} has {len(bad)} invalid geometries, first at {format_places(bad)} ({why})."
            " Mend them, or pass invalid='repair' or 'drop'."
        )
    if invalid == "drop":
        _warn_dropped(source, "have invalid geometries", bad, stacklevel=6)
        return frame[~is_bad]
    warnings.warn(
        f"{source}: {len(bad)} invalid geometries are repaired, first at {format_places(bad)}."
        " Look at them on a map.",
        GossanWarning,
        stacklevel=4,
    )
    mended = frame.copy()
    mended[frame.geometry.name] = frame.geometry.make_valid()
    return mended


def _check_kind(frame: Any, kind: str | None, source: str) -> Any:
    if kind is None:
        return frame
    is_other = ~frame.geom_type.isin(KINDS[kind]).to_numpy()
    if is_other.any():
        words = ", ".join(sorted(set(frame.geom_type[is_other])))
        raise ValueError(
            f"{source} must hold {kind}, got {words} at {format_places(np.flatnonzero(is_other))}."
            " Choose another layer, or filter these rows."
        )
    return frame


def _warn_dropped(
    source: str, what: str, places: NDArray[np.int64], *, stacklevel: int = 5
) -> None:
    if len(places):
        message = f"{source}: {len(places)} rows {what} and are left out, {format_places(places)}."
        warnings.warn(f"{message} Mend them if they matter.", GossanWarning, stacklevel=stacklevel)
