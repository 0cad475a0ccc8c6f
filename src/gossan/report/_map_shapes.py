"""What lies on a map: points, lines and polygons with what is known of each, read from tables.

DataFrames with coordinates, or frames with geometries as geopandas has them, come in; the header of
each set goes out, its places counted from the middle of the map into a `ByteStore`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.report._map_outlines import outlines_of
from gossan.report._map_rasters import ByteStore
from gossan.report._writing import count_of, write_cell

_PLACE = ("easting", "northing")
_FRAME = ("west", "east", "south", "north", "easting", "northing")
_HIDDEN = {*_FRAME, "geometry", "why", "vertex", "score_p10", "score_p90", "score_sum", "n_cells"}
_MOST_FACTS = 14
_MOST_REASONS = 8
_TOLD = {
    "level": "Level",
    "area": "Area [km²]",
    "percentile": "Percentile",
    "score": "Mean score",
    "score_max": "Highest score",
    "spread": "Spread of the score",
    "stability": "Stability",
    "edge_fraction": "Edge fraction",
    "agreement": "Agreement of methods",
    "known_distance": "Distance to known [km]",
    "sample_distance": "Distance to samples [km]",
    "contains_known": "Holds a known occurrence",
    "is_extrapolated": "Extrapolated",
}
_PER_UNIT = {"known_distance": 1e-3, "sample_distance": 1e-3}
_SQUARE_METRE = 1e-6  # km²; areas of find_targets are in m², those of find_map_targets in km²
_SIGNED = re.compile(r"([+-])(.+) (\d[\d.]*(?:e[+-]?\d+)?)")
_NAMES = ("name", "label", "Name", "NAME", "target", "rank", "fault", "line", "id")

Rings = list[NDArray[np.float64]]


def pack_points(
    name: str, given: Any, *, crs: str | None, origin: Any, store: ByteStore
) -> dict[str, Any]:
    """Return the header of a set of points."""
    table = given.table
    places = _point_places(name, table, crs)
    is_known = np.isfinite(places).all(axis=1)
    table, places = table[is_known], places[is_known]
    return {
        "name": name,
        "symbol": given.symbol,
        "colour": given.colour,
        "filled": bool(given.is_filled),
        "visible": bool(given.is_visible),
        "places": store.add_floats(places - origin),
        "labels": _labels(table, given.label, name, is_numbered=False),
        "facts": facts_of(table, given.told, label=given.label),
        "content": count_of(len(places), "point"),
    }


def pack_lines(
    name: str, given: Any, *, crs: str | None, origin: Any, store: ByteStore
) -> dict[str, Any]:
    """Return the header of a set of lines."""
    parts = list(_line_parts(name, given, crs))
    lengths = [len(places) for _, places in parts]
    joined = np.concatenate([places for _, places in parts]) if parts else np.zeros((0, 2))
    return {
        "name": name,
        "colour": given.colour,
        "dash": given.dash,
        "visible": bool(given.is_visible),
        "places": store.add_floats(joined - origin),
        "lengths": lengths,
        "labels": [label for label, _ in parts],
        "content": count_of(len(parts), "line"),
    }


def pack_polygons(
    name: str,
    given: Any,
    grid: xr.Dataset,
    *,
    crs: str | None,
    origin: Any,
    store: ByteStore,
) -> dict[str, Any]:
    """Return the header of a set of polygons: rings, a place for the label, facts and reasons."""
    table = given.table
    shapes = _polygon_rings(name, given, grid, crs)
    is_there = np.array([bool(rings) for rings in shapes], dtype=bool)
    table, shapes = table[is_there], [rings for rings in shapes if rings]
    flat = [ring for rings in shapes for ring in rings]
    joined = np.concatenate(flat) if flat else np.zeros((0, 2))
    inner = np.array([_inner_place(rings) for rings in shapes]).reshape(-1, 2)
    numbers = _numbers(table)
    return {
        "name": name,
        "colour": given.colour,
        "dash": given.dash,
        "visible": bool(given.is_visible),
        "listed": bool(given.is_listed),
        "places": store.add_floats(joined - origin),
        "lengths": [[len(ring) for ring in rings] for rings in shapes],
        "middles": store.add_floats(inner - origin),
        "numbers": numbers,
        "labels": _labels(table, given.label, name, is_numbered=True),
        "facts": facts_of(table, given.told, label=given.label),
        "why": _reasons(table),
        "content": count_of(len(shapes), "polygon"),
    }


def facts_of(
    table: pd.DataFrame, told: Mapping[str, str] | None, *, label: str = ""
) -> list[list[Any]]:
    """Return heading and written cells of each column to tell."""
    columns = told or _told_by_default(table, label)
    missing = [column for column in columns if column not in table]
    if missing:
        there = list(map(str, table.columns))
        raise KeyError(
            f"There is no column {missing[0]!r} to tell, only {', '.join(there)}. Name one of them."
            f"{did_you_mean(missing[0], there)}"
        )
    facts: list[list[Any]] = []
    for column, heading in columns.items():
        cells = table[column]
        if not told:
            cells = _in_kilometres(cells, column, is_plain=not _has_geometry(table))
        facts.append([str(heading), [write_cell(value, "")[0] for value in cells]])
    return facts


def _in_kilometres(cells: pd.Series, column: str, *, is_plain: bool) -> pd.Series:
    """Return a column of metres or m² in the unit of its heading."""
    if column == "area" and is_plain:
        return cells.astype(float) * _SQUARE_METRE
    return cells.astype(float) * _PER_UNIT[column] if column in _PER_UNIT else cells


def _told_by_default(table: pd.DataFrame, label: str) -> dict[str, str]:
    there = [str(column) for column in table.columns]
    named = {column: heading for column, heading in _TOLD.items() if column in there}
    hidden = {*_HIDDEN, *named, label, "name", "target", "rank", _why_of(table)}
    rest = {column: column.replace("_", " ") for column in there if column not in hidden}
    return dict(list((named | rest).items())[:_MOST_FACTS])


def _labels(table: pd.DataFrame, column: str, name: str, *, is_numbered: bool) -> list[str]:
    """Return what each thing is called: by the column asked for, or the first that looks like one."""
    if column and column not in table:
        there = list(map(str, table.columns))
        raise KeyError(
            f"{name!r} has no column {column!r} of names, only {', '.join(there)}. Name one of them."
            f"{did_you_mean(column, there)}"
        )
    found = column or next((own for own in _NAMES if own in table), "")
    words = [] if not found else [write_cell(value, "{:g}")[0] for value in table[found]]
    if is_numbered and found in ("", "target", "rank", "id"):
        single = name[:-1] if name.endswith("s") else name
        return [f"{single} {number}" for number in words or _numbers(table)]
    return words or [f"{name} {i}" for i in range(1, len(table) + 1)]


def _numbers(table: pd.DataFrame) -> list[str]:
    found = next((own for own in ("rank", "target") if own in table), "")
    if not found:
        return [str(i) for i in range(1, len(table) + 1)]
    return [write_cell(value, "{:g}")[0] for value in table[found]]


def _reasons(table: pd.DataFrame) -> list[Any]:
    """Return why each one: words as they are, or names with signed numbers, the largest first."""
    column = _why_of(table)
    return [_reason(value) for value in table[column]] if column else [None] * len(table)


def _why_of(table: pd.DataFrame) -> str:
    return next((name for name in ("why", "elements") if name in table), "")


def _reason(value: Any) -> Any:
    signed = _signed_numbers(value) if isinstance(value, str) else None
    pairs = list(value.items()) if isinstance(value, Mapping) else signed or value
    if not isinstance(pairs, (list, tuple)):
        return write_cell(value, "")[0]
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        return ", ".join(map(str, pairs))
    numbered = [(str(name), float(number)) for name, number in pairs if np.isfinite(number)]
    largest = sorted(numbered, key=lambda pair: -abs(pair[1]))[:_MOST_REASONS]
    return [list(pair) for pair in largest]


def _signed_numbers(words: str) -> list[tuple[str, float]] | None:
    """Return what find_map_targets says of elements ("+Li 0.31, -K 0.05") as names and numbers."""
    found = [_SIGNED.fullmatch(part) for part in words.split(", ")]
    if not all(found):
        return None
    return [(own[2], float(own[1] + own[3])) for own in found if own]


def _point_places(name: str, table: pd.DataFrame, crs: str | None) -> NDArray[np.float64]:
    if _has_geometry(table):
        _check_crs(name, table, crs)
        kinds = set(table.geometry.geom_type.dropna()) - {"Point"}
        if kinds:
            raise ValueError(
                f"{name!r} must hold points, got {', '.join(sorted(kinds))}. Pass it as lines or"
                " polygons, or explode it into single points."
            )
        xy = [(np.nan, np.nan) if own is None else (own.x, own.y) for own in table.geometry]
        return np.array(xy, dtype=float).reshape(-1, 2)
    _need(name, table, _PLACE)
    return table[list(_PLACE)].to_numpy(dtype=float)


def _line_parts(name: str, given: Any, crs: str | None) -> Iterator[tuple[str, NDArray]]:
    table = given.table
    if _has_geometry(table):
        _check_crs(name, table, crs)
        labels = _labels(table, given.label, name, is_numbered=False)
        for label, shape in zip(labels, table.geometry, strict=True):
            for places in _coordinates(shape, ("LineString", "LinearRing"), name, "lines"):
                yield label, places
        return
    column = given.label or next((own for own in _NAMES if own in table), "")
    _need(name, table, (*_PLACE, *([column] if column else [])))
    groups = table.groupby(column, sort=False) if column else [(name, table)]
    for label, rows in groups:
        ordered = rows.sort_values("vertex", kind="stable") if "vertex" in rows else rows
        places = ordered[list(_PLACE)].to_numpy(dtype=float)
        places = places[np.isfinite(places).all(axis=1)]
        if len(places) > 1:
            yield str(label), places


def _polygon_rings(name: str, given: Any, grid: xr.Dataset, crs: str | None) -> list[Rings]:
    table = given.table
    if _has_geometry(table):
        _check_crs(name, table, crs)
        return [
            list(_coordinates(shape, ("Polygon",), name, "polygons")) for shape in table.geometry
        ]
    layer = given.layer or "target"
    if layer not in grid:
        raise ValueError(
            f"{name!r} has no geometries, and the grid no layer {layer!r} with the number of the"
            " polygon of each cell. Pass a GeoDataFrame, or the grid of find_targets."
        )
    column = next((own for own in (layer, "target", "rank") if own in table), "")
    _need(name, table, [column or layer])
    rings = outlines_of(grid, layer)
    return [rings.get(int(number), []) for number in table[column]]


def _coordinates(
    shape: Any, kinds: Sequence[str], name: str, wanted: str
) -> Iterator[NDArray[np.float64]]:
    """Yield each line or ring of a geometry, whatever it is made of."""
    if shape is None or getattr(shape, "is_empty", False):
        return
    said = shape if isinstance(shape, Mapping) else shape.__geo_interface__
    kind = said["type"]
    if kind == "GeometryCollection" or kind.startswith("Multi"):
        single = kind.removeprefix("Multi")
        for part in said.get("geometries", said.get("coordinates", ())):
            own = part if isinstance(part, Mapping) else {"type": single, "coordinates": part}
            yield from _coordinates(own, kinds, name, wanted)
        return
    if kind not in kinds:
        raise ValueError(
            f"{name!r} must hold {wanted}, got a {kind}. Pass it under points=, lines= or polygons=,"
            " whichever it is."
        )
    parts = said["coordinates"] if kind == "Polygon" else [said["coordinates"]]
    for part in parts:
        yield np.array([place[:2] for place in part], dtype=float)


def _inner_place(rings: Rings) -> NDArray[np.float64]:
    """Return a place inside: the middle of the longest stretch along a level through the shape."""
    outer = max(rings, key=lambda ring: abs(_area(ring)))
    low, high = outer[:, 1].min(), outer[:, 1].max()
    best, width = outer.mean(axis=0), -1.0
    for share in (0.5, 0.37, 0.63, 0.23, 0.77):  # never at a round place, where rings have corners
        level = low + (share + 0.0137) * (high - low)
        crossed = np.sort(np.concatenate([_crossings(ring, level) for ring in rings]))
        for left, right in zip(crossed[::2], crossed[1::2], strict=False):
            if right - left > width * (1.0 if width < 0 else 1.25):
                best, width = np.array([(left + right) / 2, level]), right - left
    return best


def _crossings(ring: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    after = np.roll(ring, -1, axis=0)
    is_crossed = (ring[:, 1] <= level) != (after[:, 1] <= level)
    first, last = ring[is_crossed], after[is_crossed]
    share = (level - first[:, 1]) / (last[:, 1] - first[:, 1])
    return np.asarray(first[:, 0] + share * (last[:, 0] - first[:, 0]))


def _area(ring: NDArray[np.float64]) -> float:
    x, y = (ring - ring.mean(axis=0)).T
    return 0.5 * float(x @ np.roll(y, -1) - np.roll(x, -1) @ y)


def _has_geometry(table: Any) -> bool:
    """Whether a frame holds geometries, as geopandas has them."""
    return "geometry" in table.columns and hasattr(table, "geometry")


def _check_crs(name: str, table: Any, crs: str | None) -> None:
    own = getattr(table, "crs", None)
    if own is not None and crs is not None and own != crs:
        raise ValueError(
            f"{name!r} is in {getattr(own, 'name', own)}, but the grid in {str(crs)[:40]}. Bring it"
            f" over with {name!r}.to_crs of the grid's CRS."
        )


def _need(name: str, table: Any, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in table]
    if missing:
        there = list(map(str, table.columns))
        raise KeyError(
            f"{name!r} has no column {missing[0]!r}, only {', '.join(there) or 'none'}. Add or rename"
            f" it.{did_you_mean(missing[0], there)}"
        )
