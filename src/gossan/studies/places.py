"""Places of samples and occurrences in metres, whatever their table calls them.

A table with coordinates, or a file of points, and the CRS that the user names come in; coordinates
[m], the CRS and what was left out go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.data._coordinates import DEGREES, find_coordinates, format_places, plain_header
from gossan.data._crs import GIS_HINT, is_geographic, plain_crs, short_crs, utm_hint
from gossan.data.grids.files import read_grid
from gossan.data.grids.grid import cell_centres
from gossan.data.tables.rawtable import read_raw
from gossan.data.tables.sites import read_sites
from gossan.data.vectors import read_occurrences

TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".parquet")
RASTERS = (".tif", ".tiff", ".img", ".asc", ".vrt")
WORLD = "EPSG:4326"
MOST_MARKED = 0.5  # of the cells of a raster: more are no places, but the ground between them


@dataclass(frozen=True, eq=False)
class Places:
    """Rows of a table that have a place.

    Attributes
    ----------
    table : DataFrame
        Those rows, all columns.
    coords : float64 array of shape (n, 2)
        Easting and northing [m].
    rows : int64 array of shape (n,)
        Place of each row in the table that came in.
    crs : str or None
        Of the coordinates; None is a local grid.
    notes : list of str
        What was left out, or assumed.
    """

    table: pd.DataFrame
    coords: NDArray[np.float64]
    rows: NDArray[np.int64]
    crs: str | None
    notes: list[str]


def place_table(
    table: pd.DataFrame,
    *,
    source: str,
    crs: str | None = None,
    to_crs: str | None = None,
    easting: str | None = None,
    northing: str | None = None,
) -> Places:
    """Find the columns of coordinates and bring them to metres.

    Longitudes and latitudes without a CRS are taken for WGS 84; without `to_crs` they go to the UTM
    zone of their middle. Both are told.

    Parameters
    ----------
    table : DataFrame
    source : str
        Its file, for messages.
    crs, to_crs : str, optional
        Of the coordinates as they are, and as they are wanted.
    easting, northing : str, optional
        Columns, where they have unusual names.

    Returns
    -------
    places : Places

    Raises
    ------
    ValueError
        If a column is not found, no row has a place, or a CRS counts degrees.
    """
    found = find_coordinates(
        list(table.columns), {"easting": easting, "northing": northing}, source=source
    )
    east, north = found["easting"], found["northing"]
    numbers = _numbers(table[[east, north]])
    coords = numbers.to_numpy(dtype=float, na_value=np.nan)
    has_place = np.isfinite(coords).all(axis=1)
    notes = []
    if not has_place.any():
        raise ValueError(
            f"{source}: no row has numbers in {east!r} and {north!r}, where the first cells are"
            f" {_first(table[east])} and {_first(table[north])}. Name the columns of the"
            ' coordinates: easting = "...", northing = "...".'
        )
    if not has_place.all():
        lost = np.flatnonzero(~has_place)
        notes.append(
            f"{source}: {len(lost)} rows without coordinates are left out, {format_places(lost)}."
        )
    rows = np.flatnonzero(has_place)
    coords = coords[rows]
    own = plain_crs(crs, name=f"The CRS of {source}")
    is_degrees = {plain_header(east), plain_header(north)} <= set(DEGREES)
    if own is None and is_degrees:
        own = WORLD
        notes.append(f"{source}: longitudes and latitudes without a CRS are taken for WGS 84.")
    coords, now, told = _to_metres(coords, own, to_crs, source)
    return Places(table.iloc[rows].reset_index(drop=True), coords, rows, now, [*notes, *told])


def _numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return coordinates as numbers, also those with a decimal comma."""
    text = cells.astype("string")
    marks = pd.concat([text[name] for name in text], ignore_index=True).str
    # 512,345 may be thousands: a comma is a decimal mark only if some cell shows that it is none.
    shows = marks.fullmatch(r"\s*-?\d+,(?:\d{1,2}|\d{4,})\s*").any()
    if shows and marks.count(",").max() == 1 and not marks.contains(".", regex=False).any():
        cells = text.apply(lambda column: column.str.replace(",", ".", regex=False))
    return cells.apply(pd.to_numeric, errors="coerce")


def _first(cells: pd.Series) -> str:
    known = cells.dropna()
    return repr(str(known.iloc[0])) if len(known) else "blank"


def place_points(
    path: Path,
    *,
    crs: str | None,
    to_crs: str | None,
    easting: str | None = None,
    northing: str | None = None,
    column: str = "",
    words: Sequence[str] = (),
) -> Places:
    """Points of a table or a vector file, in metres, those rows that hold one of the words.

    Parameters
    ----------
    path : Path
        Table (CSV, Excel, Parquet), a file that geopandas opens, or a raster whose cells of 1 are
        the occurrences.
    crs, to_crs, easting, northing
        As of `place_table`.
    column : str
        Whose cells are looked at; "" takes all rows.
    words : sequence of str
        A row counts if its cell holds one of them as a word, in any case.

    Returns
    -------
    places : Places

    Raises
    ------
    ValueError
        If the file or column cannot be read, or no row is left.
    """
    if path.suffix.lower() in TABLES:
        table = read_sites(read_raw(path), ())[0]
        table, notes = _chosen(table, path.name, column, words)
        placed = place_table(
            table, source=path.name, crs=crs, to_crs=to_crs, easting=easting, northing=northing
        )
        return Places(placed.table, placed.coords, placed.rows, placed.crs, [*notes, *placed.notes])
    if path.suffix.lower() in RASTERS:
        return _places_of_raster(path, crs, to_crs)
    frame = read_occurrences(path, crs=crs, to_crs=to_crs, invalid="drop")
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    kept, notes = _chosen(table, path.name, column, words)
    frame = frame.loc[kept.index]
    coords = np.column_stack([frame.geometry.x, frame.geometry.y]).astype(float)
    crs_now = None if frame.crs is None else frame.crs.to_string()
    return Places(kept.reset_index(drop=True), coords, kept.index.to_numpy(), crs_now, notes)


def _places_of_raster(path: Path, crs: str | None, to_crs: str | None) -> Places:
    """Return the middles of the cells of a raster that hold 1."""
    grid = read_grid(path)
    layer = grid[next(iter(grid.data_vars))]
    is_one = np.asarray(layer, dtype=float).ravel() == 1.0
    if not is_one.any():
        raise ValueError(
            f"{path.name}: no cell holds 1. A raster of occurrences holds 1 where there is one."
        )
    if is_one.mean() > MOST_MARKED:
        raise ValueError(
            f"{path.name}: {is_one.sum():,} of {is_one.size:,} cells hold 1, which is most of the ground"
            " and no list of places. If its zeros are the places, write a raster with 1 there and 0"
            " elsewhere."
        )
    coords, now, notes = _to_metres(
        cell_centres(grid)[is_one], crs or grid.attrs.get("crs"), to_crs, path.name
    )
    table = pd.DataFrame({"easting": coords[:, 0], "northing": coords[:, 1]})
    return Places(table, coords, np.arange(len(coords)), now, notes)


def _chosen(
    table: pd.DataFrame, source: str, column: str, words: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows whose cell holds one of the words, and how many there are."""
    if not column:
        return table, []
    names = [str(name) for name in table.columns]
    if column not in names:
        raise ValueError(
            f"{source} has no column {column!r}; it has {', '.join(names[:20])}."
            f"{did_you_mean(column, names)} Name the right one."
        )
    wanted = {word.casefold().strip() for word in words}
    cells = table.iloc[:, names.index(column)].astype(object).fillna("").astype(str).str.casefold()
    parts = cells.str.split(r"[^\w%/-]+", regex=True)
    holds = np.array([bool(wanted & set(part)) for part in parts])
    holds |= cells.str.strip().isin(wanted).to_numpy()
    if not holds.any():
        some = ", ".join(map(repr, table.iloc[:, names.index(column)].dropna().unique()[:8]))
        raise ValueError(
            f"{source}: no row of column {column!r} holds {' or '.join(map(repr, words))}; it holds"
            f" {some}. Mend the words."
        )
    told = (
        f"{source}: {int(holds.sum())} of {len(table)} rows hold {' or '.join(words)} in {column}."
    )
    return table[holds], [told]


def _to_metres(
    coords: NDArray[np.float64], crs: str | None, to_crs: str | None, source: str
) -> tuple[NDArray[np.float64], str | None, list[str]]:
    """Return coordinates in metres, their CRS, and what was assumed."""
    wanted, notes = plain_crs(to_crs, name="to_crs"), []
    if crs is None:
        if wanted is not None:
            raise ValueError(
                f"{source} names no CRS, so that it cannot be brought to {short_crs(wanted)}. Name it:"
                ' crs = "EPSG:4326", say.'
            )
        if np.abs(coords).max() <= 180.0 and np.ptp(coords, axis=0).max() < 180.0:
            notes.append(
                f"{source}: all coordinates lie between -180 and 180. If they are degrees, set"
                ' crs = "EPSG:4326".'
            )
        return coords, None, notes
    if wanted is None and is_geographic(crs):
        wanted = utm_hint(float(np.median(coords[:, 0])), float(np.median(coords[:, 1])))
        notes.append(f"{source}: degrees are brought to {wanted}.")
    if wanted is None or wanted == crs:
        return coords, crs, notes
    try:
        import pyproj
    except ImportError as error:
        raise ImportError(f"Reprojecting {source} needs pyproj. {GIS_HINT}.") from error
    if is_geographic(wanted):
        raise ValueError(
            f"to_crs is {short_crs(wanted)}, which counts degrees. Name a projected one."
        )
    turn = pyproj.Transformer.from_crs(crs, wanted, always_xy=True)
    east, north = turn.transform(coords[:, 0], coords[:, 1])
    moved = np.column_stack([east, north])
    if not np.isfinite(moved).all():
        row = int(np.argmax(~np.isfinite(moved).all(axis=1)))
        raise ValueError(
            f"{source}, row {row + 2}: {coords[row].tolist()} cannot be brought from"
            f" {short_crs(crs)} to {short_crs(wanted)}. Check the order of the columns, and the CRS."
        )
    return moved, wanted, notes
