"""What each sample of stream sediment drains: shares of rocks in its catchment, and its area.

Samples that name their catchments, with a table of catchments, or with polygons of them and a
geological map, come in; a row of shares and an area for each sample go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.data._coordinates import format_places
from gossan.data.tables.rawtable import RawTable, read_raw
from gossan.data.tables.sites import read_sites
from gossan.data.vectors import read_vectors
from gossan.studies.places import TABLES, Places
from gossan.studies.region.geology import rock_shares

MEASURED = "polygons"  # areas are those of the polygons
AREA = ""  # a column that no rock is called like
SLACK = 1e-3  # that shares may add up to more than 1

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Drained:
    """The ground that samples drain, a row a sample.

    Attributes
    ----------
    shares : DataFrame of shape (n, n_units)
        Share of each rock in the catchment, 0 to 1; what lacks to 1 is unmapped.
    areas : float64 array of shape (n,), optional
        Of the catchments, above zero, in the unit of the file; polygons in km2.
    n_catchments : int
        That have samples.
    """

    shares: pd.DataFrame
    areas: NDArray[np.float64] | None
    n_catchments: int


def read_drained(places: Places, settings: Settings, folder: Path) -> Drained:
    """Find the catchment of each sample, with its rocks and its area.

    Parameters
    ----------
    places : Places
        Of the samples, with the other columns of their table.
    settings : mapping of section to arguments
        With [catchments]; for polygons with [lithology], too.
    folder : Path
        Of the study file.

    Returns
    -------
    drained : Drained

    Raises
    ------
    ValueError
        If a column is not there, a sample or a catchment has no id or an unknown or repeated one, a
        share or an area is no number or out of bounds; with file, column and row.
    """
    told = settings["catchments"]
    path = folder / told["table"]
    if path.suffix.lower() in TABLES:
        known = _of_table(path, told)
    else:
        known = _of_polygons(path, told, settings["lithology"], folder, places.crs)
    source = Path(settings["samples"]["read"]["table"]).name
    ids = _ids_of(places.table, told["column"], source, places.rows)
    unknown = np.flatnonzero(~ids.isin(known.index))
    if len(unknown):
        name = ids.iloc[unknown[0]]
        raise ValueError(
            f"{source}, {format_places(places.rows[unknown])}: column {told['column']!r} names catchment"
            f" {name!r}, which {path.name} does not have.{did_you_mean(name, list(known.index))} Add"
            " it, or leave these samples out."
        )
    own = known.loc[ids].reset_index(drop=True)
    areas = own.pop(AREA) if AREA in own else None
    return Drained(own, None if areas is None else areas.to_numpy(dtype=float), ids.nunique())


def _of_table(path: Path, told: Mapping[str, Any]) -> pd.DataFrame:
    """Return shares of rocks by catchment, and the area as column `AREA`."""
    raw = read_raw(path)
    table = read_sites(raw, ())[0]
    names = [str(name) for name in table.columns]
    index = _ids_of(table, told["column"], path.name, np.arange(len(table)))
    twice = np.flatnonzero(index.duplicated().to_numpy())
    if len(twice):
        raise ValueError(
            f"{path.name}, {format_places(twice)}: column {told['column']!r} names catchment"
            f" {index.iloc[twice[0]]!r} again. Keep one row a catchment."
        )
    rocks = list(told["rocks"]) or [n for n in names if n not in (told["column"], told["area"])]
    for key, wanted in (("rocks", rocks), ("area", [told["area"]] if told["area"] else [])):
        _need_columns(wanted, names, path.name, key)
    shares = {rock: _numbers(table[rock].fillna(0), rock, raw) for rock in rocks}
    _check_shares(shares, path.name, raw)
    if told["area"]:
        shares[AREA] = _areas(_numbers(table[told["area"]], told["area"], raw), told["area"], raw)
    return pd.DataFrame(shares, index=index.to_numpy())


def _of_polygons(
    path: Path, told: Mapping[str, Any], lithology: Mapping[str, Any], folder: Path, crs: str | None
) -> pd.DataFrame:
    """Return shares of the rocks of the map by catchment, and the area [km2] as column `AREA`."""
    frame = read_vectors(path, "polygons", crs=told["crs"], to_crs=crs, invalid="repair")
    rows = np.arange(len(frame))
    frame = frame.assign(**{told["column"]: _ids_of(frame, told["column"], path.name, rows)})
    whole = frame.dissolve(told["column"], aggfunc="first")  # parts of one catchment
    shares = rock_shares(folder / lithology["table"], lithology, whole, crs)
    if told["area"] == MEASURED:
        shares[AREA] = whole.area.to_numpy() / 1e6
    elif told["area"]:
        _need_columns([told["area"]], [str(name) for name in frame.columns], path.name, "area")
        areas = pd.to_numeric(whole[told["area"]], errors="coerce")
        _refuse_areas(areas.to_numpy(dtype=float), told["area"], path.name, list(whole.index))
        shares[AREA] = areas.to_numpy(dtype=float)
    return shares


def _ids_of(table: pd.DataFrame, column: str, source: str, rows: NDArray[np.int64]) -> pd.Series:
    """Return ids as words: "7" for the 7 and the 7.0 of two files."""
    names = [str(name) for name in table.columns]
    if column not in names:
        raise ValueError(
            f"{source} has no column {column!r} of catchments; it has {', '.join(names[:20])}."
            f'{did_you_mean(column, names)} Name it: column = "..." under [catchments].'
        )
    own = table[column].astype(object)
    ids = pd.Series([_word(cell) for cell in own], index=table.index)
    blank = np.flatnonzero((ids == "").to_numpy())
    if len(blank):
        raise ValueError(
            f"{source}, {format_places(rows[blank])}: column {column!r} names no catchment. Fill it, or"
            " leave the row out."
        )
    return ids


def _word(cell: Any) -> str:
    if cell is None or pd.isna(cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _need_columns(wanted: Sequence[str], names: list[str], source: str, key: str) -> None:
    missing = [name for name in wanted if name not in names]
    if missing or (key == "rocks" and not wanted):
        name = missing[0] if missing else ""
        raise ValueError(
            f"{source} has no column {name!r}, as {key} under [catchments] asks; it has"
            f" {', '.join(names[:20])}.{did_you_mean(name, names)} Name the right one."
        )


def _numbers(cells: pd.Series, name: str, raw: RawTable) -> NDArray[np.float64]:
    """Return a column as numbers; a semicolon between columns leaves the comma for decimals."""
    texts = cells.astype(str).str.replace(",", ".") if raw.separator == ";" else cells
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        raise ValueError(
            f"{raw.source}, row {raw.rows[bad[0]]}: column {name!r} holds {_word(cells.iloc[bad[0]])!r},"
            " which is no number. Mend it; rocks under [catchments] names the columns of shares."
        )
    return numbers


def _check_shares(shares: Mapping[str, NDArray[np.float64]], source: str, raw: RawTable) -> None:
    for name, own in shares.items():
        bad = np.flatnonzero((own < 0) | (own > 1 + SLACK))
        if len(bad):
            raise ValueError(
                f"{source}, row {raw.rows[bad[0]]}: column {name!r} holds {own[bad[0]]:g}, which is no"
                " share between 0 and 1. Divide per cent by 100, areas of rock by that of the"
                " catchment; rocks under [catchments] names the columns of shares."
            )
    sums = np.sum(list(shares.values()), axis=0)
    bad = np.flatnonzero(sums > 1 + SLACK)
    if len(bad):
        raise ValueError(
            f"{source}, row {raw.rows[bad[0]]}: the shares of {', '.join(list(shares)[:12])} add up to"
            f" {sums[bad[0]]:g}, and 1 is the whole catchment. Mend them."
        )


def _areas(areas: NDArray[np.float64], name: str, raw: RawTable) -> NDArray[np.float64]:
    _refuse_areas(areas, name, raw.source, [f"row {row}" for row in raw.rows])
    return areas


def _refuse_areas(
    areas: NDArray[np.float64], name: str, source: str, places: Sequence[Any]
) -> None:
    bad = np.flatnonzero(~(areas > 0))
    if len(bad):
        raise ValueError(
            f"{source}, {places[bad[0]]}: column {name!r} holds {areas[bad[0]]:g}, and an area is above"
            " zero. Measure the catchment anew."
        )
