"""Vector files from strangers: told by their first bytes, and by what a database declares.

The path of a file comes in; nothing, or a ValueError, goes out. GDAL knows a format by its content,
and some formats are only a list of other files, databases or addresses: these are refused, and so
are rows that a database computes instead of holding.
"""

from __future__ import annotations

import re
import sqlite3
import struct
import zipfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from gossan.data._limits import check_unpacked
from gossan.data._xml import refuse_document_type

_DATABASE = b"SQLite format 3\0"
_HEAD = 1 << 16
# First elements of the XML formats that hold their own features.
_XML = re.compile(rb"<\s*(?:\w+:)?(?:kml|gpx)\b", flags=re.IGNORECASE)
_COMPUTED = re.compile(r"\bGENERATED\b|\)\s*AS\s*\(|\bAS\s*\(", flags=re.IGNORECASE)
_SUFFIXES = {
    ".gpkg", ".sqlite", ".shp", ".geojson", ".json", ".fgb", ".kml", ".kmz", ".gpx", ".tab",
    ".mif", ".dxf", ".dgn", ".gmt", ".csv", ".parquet", ".zip", ".shz", ".jsonl", ".geojsonl",
}  # fmt: skip
MOST_NESTED = 32
"""Collections within collections that a geometry may have."""

_HEADER = 9  # bytes: order, kind, number of members
_HAS_CRS = 0x20000000
_POLYGON, _COLLECTIONS = 3, {4, 5, 6, 7}


def check_vector_file(source: Path) -> None:
    """Raise if a file is no vector format that holds its own features.

    Raises
    ------
    ValueError
        If it is a list of other sources, a bomb, or a folder of an unknown kind.
    """
    if source.is_dir():
        return  # a folder of shapefiles or a file geodatabase
    with source.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_DATABASE):
        _check_database(source)
    elif head.startswith(b"PK\x03\x04"):
        _check_archive(source)
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or head[:2] in {
        b"\xff\xfe",
        b"\xfe\xff",
    }:
        _check_xml(head)
    elif source.suffix.lower() not in _SUFFIXES:
        raise ValueError(
            f"its ending {source.suffix!r} is none of {', '.join(sorted(_SUFFIXES))}. Save it as a"
            " GeoPackage"
        )


def _check_xml(head: bytes) -> None:
    refuse_document_type(head)
    first = re.search(rb"<\s*[A-Za-z]", head)
    if first is None or not _XML.match(head, first.start()):
        raise ValueError(
            "it is XML that names other files or services instead of holding features (or a format"
            " unknown here). Save it as a GeoPackage"
        )


def _check_archive(source: Path) -> None:
    """Weigh an archive of shapefiles, whose parts GDAL reads in place."""
    try:
        with zipfile.ZipFile(source) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ValueError(f"it is a damaged archive ({error})") from None
    check_unpacked("", sum(p.file_size for p in parts), source.stat().st_size)
    for part in parts:
        name = part.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or ":" in name:
            raise ValueError(f"a part of it is called {name[:60]!r}, a place outside the archive")
        if name.lower().endswith((".vrt", ".xml.vrt", ".ovf")):
            raise ValueError(f"it holds {name[:60]!r}, a list of other files. Unpack it first")


def _check_database(source: Path) -> None:
    """Refuse a database whose own lists are computed: reading them might never end."""
    for kind, name, _ in _schema(source):
        if kind == "view" and name.lower().startswith(("gpkg_", "rtree_", "sqlite_")):
            raise ValueError(f"its table {name[:60]!r} is a view, which no GeoPackage has")


def check_layer(source: Path, layer: str | None) -> None:
    """Raise if a layer of a GeoPackage is computed when it is read, as rows without end may be.

    Raises
    ------
    ValueError
        If it is a view, a virtual table, or has computed columns.
    """
    if source.is_dir():
        return
    with source.open("rb") as file:
        if not file.read(len(_DATABASE)).startswith(_DATABASE):
            return
    for kind, name, sql in _schema(source):
        if name.lower() != (layer or "").lower() or kind not in {"view", "table"}:
            continue
        words = re.sub(r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|`[^`]*`", "x", sql)
        is_virtual = words.lstrip().upper().startswith("CREATE VIRTUAL")
        if kind == "view" or is_virtual or _COMPUTED.search(words):
            raise ValueError(
                f"its layer {name[:60]!r} is computed when it is read (a view, or computed columns)."
                " Save it as a table of its own, in a GIS"
            )


def _schema(source: Path) -> list[tuple[str, str, str]]:
    """Return kind, name and definition of all that a database holds; nothing of it is run."""
    address = f"{source.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as file:
            told = file.execute("SELECT type, name, sql FROM sqlite_master LIMIT 100000").fetchall()
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        raise ValueError(f"its database is damaged ({error})") from None
    return [(str(kind), str(name), str(sql or "")) for kind, name, sql in told]


def check_nesting(shapes: Iterable[bytes | None]) -> None:
    """Raise if a geometry in WKB holds collections in collections too deep for the reader's stack.

    Raises
    ------
    ValueError
        If one does.

    Examples
    --------
    >>> check_nesting([bytes.fromhex("0101000000" + "00" * 16)])
    """
    for shape in shapes:
        if shape and len(shape) > _HEADER * MOST_NESTED and _depth(bytes(shape)) > MOST_NESTED:
            raise ValueError(
                f"a geometry holds collections in collections, more than {MOST_NESTED} deep. Take"
                " them apart in a GIS"
            )


def _depth(data: bytes) -> int:
    """Return how deep the collections of a geometry stand in one another, as far as it is whole."""
    left: list[int] = [1]  # members that are still to come, at each depth
    at = deepest = 0
    while left and len(data) >= at + _HEADER and deepest <= MOST_NESTED:
        if not left[-1]:
            left.pop()
            continue
        left[-1] -= 1
        order = "<" if data[at] else ">"
        kind, n = struct.unpack_from(f"{order}II", data, at + 1)
        if kind & _HAS_CRS:
            at += 4
            n = struct.unpack_from(f"{order}I", data, at + 5)[0] if len(data) >= at + _HEADER else 0
        shape, more = (kind & 0x0FFFFFFF) % 1000, (kind & 0x0FFFFFFF) // 1000
        width = 8 * (
            2 + bool(kind >> 31 or more in {1, 3}) + bool(kind >> 30 & 1 or more in {2, 3})
        )
        if shape in _COLLECTIONS:
            left.append(n)
            deepest = max(deepest, len(left) - 1)
            at += _HEADER
        elif shape == _POLYGON:
            at += _HEADER
            for _ in range(n):
                if len(data) < at + 4:
                    break
                at += 4 + width * struct.unpack_from(f"{order}I", data, at)[0]
        else:
            at += 5 + width if shape == 1 else _HEADER + width * n
    return deepest
