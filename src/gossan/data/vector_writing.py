"""Points, lines and polygons to files that a GIS opens: GeoPackage and GeoJSON, with their style.

A GeoDataFrame and a path come in; a file goes out, whole or not at all.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gossan._checks import check_option
from gossan.data._replacing import replacing
from gossan.data.grids.rasterising import import_geopandas

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["write_vectors"]

DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON"}
STYLES = "layer_styles"  # the table of a GeoPackage in which QGIS keeps styles


def write_vectors(
    frame: gpd.GeoDataFrame, path: str | Path, *, layer: str | None = None, style: str | None = None
) -> Path:
    """Write points, lines or polygons as a GeoPackage or GeoJSON; the file appears whole or not at all.

    Parameters
    ----------
    frame : GeoDataFrame
        Columns of numbers, text, truth values or dates; the index is left out.
    path : path
        Ends in .gpkg or .geojson; an old file is replaced. GeoJSON is in longitude and latitude, as
        its standard (RFC 7946) has it, so that the frame needs a CRS.
    layer : str, optional
        Name of the layer; default that of the file.
    style : str, optional
        Text of a QGIS style (.qml): kept in the GeoPackage as the layer's default, or written beside
        the GeoJSON.

    Returns
    -------
    path : Path

    Raises
    ------
    TypeError
        If it is no GeoDataFrame.
    ValueError
        If the ending names no format, there are no rows, or a GeoJSON's CRS is not known.
    FileNotFoundError
        If the folder is not there.
    """
    gpd = import_geopandas()
    target = Path(path)
    check_option("The ending of a vector file", target.suffix.lower(), list(DRIVERS))
    if not isinstance(frame, gpd.GeoDataFrame):
        raise TypeError(
            f"Vectors must be a GeoDataFrame, got {type(frame).__name__}. Give the table its"
            " geometries: geopandas.GeoDataFrame(table, geometry=..., crs=...)."
        )
    if not len(frame):
        raise ValueError(f"There are no rows to write to {target.name}. Check what made them.")
    is_json = target.suffix.lower() == ".geojson"
    if is_json:
        frame = _in_degrees(frame, target)
    name = layer or target.stem
    with replacing(target) as temporary:
        driver = DRIVERS[target.suffix.lower()]
        with warnings.catch_warnings():
            if frame.crs is None:  # a local grid has none, which is no mistake
                warnings.filterwarnings("ignore", message="'crs' was not provided")
            frame.to_file(temporary, driver=driver, layer=name, engine="pyogrio", index=False)
        if style is not None and not is_json:
            _keep_style(temporary, name, frame.geometry.name, style)
    if style is not None and is_json:
        with replacing(target.with_suffix(".qml")) as beside:
            beside.write_text(style, encoding="utf-8")
    return target


def _in_degrees(frame: Any, target: Path) -> Any:
    if frame.crs is None:
        raise ValueError(
            f"{target.name} is GeoJSON, in longitude and latitude, and the frame names no CRS to come"
            " from. Name it (set_crs), or write a GeoPackage."
        )
    return frame.to_crs("EPSG:4326")


def _keep_style(path: Path, layer: str, geometry: str, style: str) -> None:
    """Put a style into a GeoPackage as QGIS does, as the default of its layer."""
    import sqlite3

    columns = (
        "id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT(256), f_table_schema TEXT(256),"
        " f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT,"
        " styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),"
        " update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))"
    )
    file = sqlite3.connect(path)
    try:
        (column,) = file.execute(
            "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (layer,)
        ).fetchone() or (geometry,)
        file.execute(f"CREATE TABLE {STYLES} ({columns})")
        file.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, ?, ?)",
            (STYLES, "attributes", STYLES),
        )
        file.execute(
            f"INSERT INTO {STYLES} (f_table_catalog, f_table_schema, f_table_name,"  # noqa: S608
            " f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner)"
            " VALUES ('', '', ?, ?, ?, ?, '', 1, '', '')",
            (layer, column, layer[:30], style),
        )
        file.commit()
    finally:
        file.close()
