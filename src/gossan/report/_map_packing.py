"""A whole map as its page wants it: one header of words and numbers, and packed arrays.

A `MapView` and its sets of points, lines and polygons come in; the header, one text of compressed
arrays and the rows of the page's own table go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from gossan.plot._planes import Plane, cut_plane
from gossan.plot.scales import colour_ramp
from gossan.report._map_checks import DASHES, SYMBOLS
from gossan.report._map_degrees import degree_formula
from gossan.report._map_layers import ShownLayer, shown_layers
from gossan.report._map_rasters import ByteStore, block_step, cells_of, pack_raster
from gossan.report._map_shapes import pack_lines, pack_points, pack_polygons
from gossan.report._writing import write_number

_COLOURS = ("#D55E00", "#ffffff", "#CC79A7", "#1d2733", "#56B4E9", "#E69F00", "#009E73", "#882255")


@dataclass(frozen=True)
class PackedMap:
    """A map ready for its page.

    Attributes
    ----------
    header : dict
        Words and numbers, and where each array lies.
    payload : str
        The arrays, compressed and in base64.
    summary : list of tuple
        Name, group, unit, lowest, middle and highest value, precision and share of known cells of
        each layer, in words.
    alt : str
        The map in a sentence.
    """

    header: dict[str, Any]
    payload: str
    summary: list[tuple[str, ...]]
    alt: str


def pack_map(
    shown: Any, points: Mapping[str, Any], lines: Mapping[str, Any], polygons: Mapping[str, Any]
) -> PackedMap:
    """Pack a `MapView`, its layers thinned to the limit."""
    plane = cut_plane(shown.grid)
    grid, store = plane.grid, ByteStore()
    crs = grid.attrs.get("crs")
    left, right, bottom, top = plane.extent
    origin = np.array([(left + right) / 2, (bottom + top) / 2])
    place: dict[str, Any] = {"crs": crs, "origin": origin, "store": store}
    shape = grid.sizes["northing"], grid.sizes["easting"]
    step = block_step(shape, shown.most_cells)
    layers = shown_layers(grid, shown.layers, shown.units)
    packed = [pack_raster(layer, cells_of(plane, layer, step), store) for layer in layers]
    header = {
        "title": shown.title,
        "crs": _crs_name(crs),
        "origin": origin.tolist(),
        "frame": _frame(plane, step),
        "degrees": degree_formula(crs, (left, right, bottom, top)),
        "first": _first(shown.layers, layers),
        "layers": packed,
        "ramps": {kind: colour_ramp(kind, 256) for kind in ("grade", "spread", "departure")},
        "support": _pack_support(plane, shown.support, step, store),
        "points": [
            pack_points(name, _with_look(own, i), **place)
            for i, (name, own) in enumerate(points.items())
        ],
        "lines": [
            pack_lines(name, _with_dash(own, i), **place)
            for i, (name, own) in enumerate(lines.items())
        ],
        "polygons": [
            pack_polygons(name, _with_dash(own, i), grid, **place)
            for i, (name, own) in enumerate(polygons.items())
        ],
        "notes": [note for note in (shown.note, *_notes(grid, layers, step)) if note],
    }
    summary = [_told(layer, shape, step) for layer in packed]
    return PackedMap(header, store.payload(), summary, _alt(header, shape))


def _frame(plane: Plane, step: int) -> dict[str, Any]:
    """Return where the cells lie along the grid's own axes, and how these are turned."""
    grid = plane.grid
    left, right, bottom, top = plane.own_extent
    shape = grid.sizes["northing"], grid.sizes["easting"]
    pivot = grid.attrs.get("origin", (0.0, 0.0))
    return {
        "shape": [-(-n // step) for n in shape],
        "corner": [left, bottom],
        "size": [step * (right - left) / shape[1], step * (top - bottom) / shape[0]],
        "ends": [right, top],
        "rotation": float(grid.attrs.get("rotation", 0.0)),
        "pivot": [float(pivot[0]), float(pivot[1])],
    }


def _pack_support(plane: Plane, name: str, step: int, store: ByteStore) -> int | None:
    """Return the place of the mask of ground that samples do not support."""
    if not name:
        return None
    layer = ShownLayer(name, name, "", "", "", "auto", "", None, {}, is_fine=False)
    share = cells_of(plane, layer, step)
    return store.add_mask(~(np.nan_to_num(share) >= 0.5))


def _first(asked: Any, layers: list[ShownLayer]) -> int:
    """Return which layer is shown at first: the first that was named, or the first of the list."""
    if not asked:
        return 0
    key = asked[0] if isinstance(asked[0], str) else asked[0].layer
    return [layer.key for layer in layers].index(key)


def _with_look(points: Any, i: int) -> Any:
    return replace(
        points,
        symbol=points.symbol or SYMBOLS[i % len(SYMBOLS)],
        colour=points.colour or _COLOURS[i % len(_COLOURS)],
    )


def _with_dash(shapes: Any, i: int) -> Any:
    return replace(shapes, dash=shapes.dash or DASHES[i % len(DASHES)])


def _crs_name(crs: str | None) -> str:
    """Return the CRS in a word or two."""
    if crs is None or len(crs) <= 40:
        return crs or ""
    quoted = crs.split('"')
    return quoted[1] if len(quoted) > 1 else crs[:40]


def _notes(grid: xr.Dataset, layers: list[ShownLayer], step: int) -> list[str]:
    notes = []
    if step > 1:
        shape = f"{grid.sizes['northing']:,} x {grid.sizes['easting']:,}"
        kept = "; of classes, the middle cell" if any(layer.classes for layer in layers) else ""
        notes.append(
            f"Of {shape} cells, means of blocks of {step} x {step} are shown{kept}. A cell of this"
            " map is such a block."
        )
    if float(grid.attrs.get("rotation", 0.0)):
        notes.append(f"The grid is turned by {grid.attrs['rotation']:g}° clockwise; north is up.")
    return notes


def _told(layer: dict[str, Any], shape: tuple[int, int], step: int) -> tuple[str, ...]:
    n_cells = -(-shape[0] // step) * -(-shape[1] // step)
    known = f"{100 * (1 - layer['n_missing'] / n_cells):.4g} %"
    if "classes" in layer:
        return layer["name"], layer["group"], "", "", "classes", "", layer["precision"], known
    ends = layer.get("ends", [np.nan, np.nan])
    numbers = [
        write_number(value) if np.isfinite(value) else "–"
        for value in (ends[0], layer.get("median", np.nan), ends[1])
    ]
    return layer["name"], layer["group"], layer["unit"], *numbers, layer["precision"], known


def _alt(header: dict[str, Any], shape: tuple[int, int]) -> str:
    drawn = [
        f"{part['name']} ({part['content']})"
        for kind in ("points", "lines", "polygons")
        for part in header[kind]
    ]
    layers = header["layers"]
    return (
        f"Map of {layers[header['first']]['name']}, one of {len(layers)} layers of {shape[0]} x"
        f" {shape[1]} cells{'; with ' + ', '.join(drawn) if drawn else ''}. All layers and targets are"
        " also listed as text."
    )
