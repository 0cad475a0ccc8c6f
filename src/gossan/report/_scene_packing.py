"""A 3D view as the browser wants it: a small header of words and numbers, and packed arrays.

Layers come in; a header that is written as JSON, one text of compressed arrays, and the rows of
the page's own table go out. Places are 16-bit steps within each layer's box; arrays are written as
differences, byte plane by byte plane, which compresses meshes three to five times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan.plot.scales import colour_ramp, grade_norm, is_log_scale
from gossan.plot.volumes import Mesh
from gossan.report._byte_planes import payload_of, planes_of
from gossan.report._scene_thinning import Pieces, cell_step, pieces_of, thin_meshes, thin_pieces
from gossan.report._writing import count_of, write_cell

_STEPS = 65_535  # of 16 bits
_LONGEST = 2048  # cells along an axis that every WebGL 2 takes as a texture in practice
_COLOURS = 255  # steps of a scale in a byte; 0 is missing
_ORDINALS = {2: "2nd", 3: "3rd"}


@dataclass(frozen=True)
class Packed:
    """A scene ready for its page.

    Attributes
    ----------
    header : dict
        Words and numbers, and where each array lies.
    payload : str
        The arrays, compressed and in base64.
    summary : list of tuple
        Name and content of each layer, in words.
    """

    header: dict[str, Any]
    payload: str
    summary: list[tuple[str, str]]


class _Store:
    """Arrays one after the other; `add` returns where and how an array lies."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, values: NDArray, kind: str, *, is_delta: bool = False) -> list[Any]:
        array = np.ascontiguousarray(values, dtype=kind)
        columns = array.shape[1] if array.ndim == 2 else 1
        if is_delta:
            table = array.reshape(-1, columns)
            array = np.concatenate([table[:1], table[1:] - table[:-1]])  # wraps, as in the browser
        part = planes_of(array.reshape(-1).view(np.uint8), array.itemsize)
        place = [self._size, int(values.size), kind.lstrip("<"), columns, int(is_delta)]
        self._parts.append(part)
        self._size += len(part)
        return place

    def payload(self) -> str:
        return payload_of(self._parts)


@dataclass(frozen=True, eq=False)
class _Frame:
    """Middle of the scene, from which places are counted so that single precision is enough."""

    origin: NDArray[np.float64]

    def places(self, store: _Store, points: NDArray[np.float64]) -> dict[str, Any]:
        low = points.min(axis=0) if len(points) else np.zeros(3)
        size = np.ptp(points, axis=0) if len(points) else np.ones(3)
        steps = np.rint((points - low) / np.where(size > 0, size, 1.0) * _STEPS)
        return {
            "low": _numbers(low - self.origin if len(points) else low),
            "size": _numbers(size),
            "places": store.add(steps.astype(np.uint16), "<u2", is_delta=True),
        }


def pack_scene(scene: Any, most_triangles: int, most_segments: int, most_cells: int) -> Packed:
    """Pack the layers of a scene, thinned to the limits."""
    thinned, notes = _thinned(scene.layers, most_triangles, most_segments)
    low, high = _reach(scene.layers)
    frame, store, layers = _Frame((low + high) / 2), _Store(), []
    for i, layer in enumerate(scene.layers):
        kind = _kind_of(layer)
        if kind == "Slices":
            packed, about = _slices(layer, most_cells, frame, store)
            notes.append(about)
        elif kind == "Boxes":
            packed = _boxes(layer, frame)
        elif kind == "Points":
            packed = _points(layer, frame, store)
        else:
            packed = (_surface if kind == "Surface" else _traces)(layer, thinned[i], frame, store)
        named = {"name": layer.name, "kind": kind.lower(), "visible": bool(layer.is_visible)}
        layers.append(named | packed)
    header = {
        "notes": [note for note in (scene.note, *notes) if note],
        "crs": scene.crs,
        "origin": _numbers(frame.origin),
        "low": _numbers(low - frame.origin),
        "high": _numbers(high - frame.origin),
        "layers": layers,
    }
    summary = [(layer["name"], layer["content"]) for layer in layers]
    return Packed(header, store.payload(), summary)


def _kind_of(layer: Any) -> str:
    return type(layer).__name__


def _thinned(
    layers: Any, most_triangles: int, most_segments: int
) -> tuple[dict[int, Any], list[str]]:
    """Return the surfaces and traces, by their place in the list, and what was done to them."""
    surfaces = [i for i, layer in enumerate(layers) if _kind_of(layer) == "Surface"]
    traces = [i for i, layer in enumerate(layers) if _kind_of(layer) == "Traces"]
    meshes, about_meshes = thin_meshes([_mesh_of(layers[i]) for i in surfaces], most_triangles)
    pieces, about_pieces = thin_pieces([pieces_of(layers[i]) for i in traces], most_segments)
    found: dict[int, Any] = dict(zip(surfaces, meshes, strict=True))
    return found | dict(zip(traces, pieces, strict=True)), [about_meshes, about_pieces]


def _reach(layers: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest easting, northing and elevation of all layers."""
    corners = np.concatenate([_corners(layer) for layer in layers])
    corners = corners[np.isfinite(corners).all(axis=1)]
    if not len(corners):
        return np.zeros(3), np.zeros(3)
    return corners.min(axis=0), corners.max(axis=0)


def _mesh_of(layer: Any) -> Mesh:
    triangles = np.asarray(layer.triangles, dtype=np.int64).reshape(-1, 3)
    return Mesh(np.asarray(layer.vertices, dtype=float), triangles)


def _corners(layer: Any) -> NDArray[np.float64]:
    """Return points that reach as far as a layer does."""
    kind = _kind_of(layer)
    if kind == "Boxes":
        return np.concatenate([np.asarray(layer.lows, float), np.asarray(layer.highs, float)])
    if kind == "Slices":
        corner, edges = _axes_of(layer)
        shares = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1).T
        return corner + shares @ edges
    places = np.asarray(layer.vertices if kind == "Surface" else layer.points, dtype=float)
    return places if len(places) else np.full((1, 3), np.nan)


def _surface(layer: Any, mesh: Mesh, frame: _Frame, store: _Store) -> dict[str, Any]:
    return frame.places(store, mesh.vertices) | {
        "triangles": store.add(mesh.triangles.astype(np.uint32).ravel(), "<u4", is_delta=True),
        "colour": layer.colour,
        "opacity": float(layer.opacity),
        "note": layer.note,
        "content": count_of(len(mesh), "triangle") + (f", {layer.note}" if layer.note else ""),
    }


def _traces(layer: Any, pieces: Pieces, frame: _Frame, store: _Store) -> dict[str, Any]:
    names, codes = np.unique(pieces.holes, return_inverse=True)
    packed = frame.places(store, pieces.points) | {
        "starts": store.add(pieces.starts, "<u4", is_delta=True),
        "ends": store.add(pieces.ends, "<u4", is_delta=True),
        "holes": [str(name) for name in names],
        "codes": store.add(codes, "<u4", is_delta=True),
        "colour": layer.colour,
        "content": f"{count_of(len(names), 'hole')}, {count_of(len(pieces), 'piece')}",
    }
    if pieces.from_depths is not None and pieces.to_depths is not None:
        depths = np.stack([pieces.from_depths, pieces.to_depths], axis=1)
        packed["depths"] = store.add(depths, "<f4")
    return packed | _graded(layer, pieces.values, store)


def _points(layer: Any, frame: _Frame, store: _Store) -> dict[str, Any]:
    points = np.asarray(layer.points, dtype=float)
    values = None if layer.values is None else np.asarray(layer.values, dtype=float)
    return (
        frame.places(store, points)
        | {
            "labels": [str(label) for label in layer.labels],
            "colour": layer.colour,
            "diameter": float(layer.size),
            "content": count_of(len(points), "point"),
        }
        | _graded(layer, values, store)
    )


def _boxes(layer: Any, frame: _Frame) -> dict[str, Any]:
    lows = np.asarray(layer.lows, dtype=float) - frame.origin
    highs = np.asarray(layer.highs, dtype=float) - frame.origin
    facts = layer.facts or [{} for _ in layer.labels]
    return {
        "lows": [_numbers(row) for row in lows],
        "highs": [_numbers(row) for row in highs],
        "labels": [str(label) for label in layer.labels],
        "facts": [
            [[str(name), write_cell(value, "")[0]] for name, value in own.items()] for own in facts
        ],
        "colour": layer.colour,
        "content": count_of(len(lows), "box", "boxes"),
    }


def _slices(layer: Any, most: int, frame: _Frame, store: _Store) -> tuple[dict[str, Any], str]:
    values = np.asarray(layer.values, dtype=float)
    step = cell_step(values.shape, most, _LONGEST)
    shown = values[::step, ::step, ::step]
    corner, edges = _axes_of(layer)
    # Thinned cells are `step` cells wide; the last may reach beyond the model.
    shares = [step * n / own for n, own in zip(shown.shape, values.shape, strict=True)]
    packed = {
        "corner": _numbers(corner - frame.origin),
        "edges": [_numbers(edge * share) for edge, share in zip(edges, shares[::-1], strict=True)],
        "shape": list(shown.shape),
        "starts": [
            [float(np.ravel(axis)[0]), _step_of(axis) * step]
            for axis in (layer.eastings, layer.northings, layer.elevations)
        ],
        "turned": bool(layer.rotation % 360),
        "shown": list(layer.shown),
        "content": f"block model of {values.size:,} cells",
    }
    nth = _ORDINALS.get(step, f"{step}th")
    about = f"Of the block model {layer.name}, every {nth} cell each way is drawn."
    return packed | _graded(layer, shown.ravel(), store, with_values=False), about * (step > 1)


def _axes_of(layer: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest outer corner of a block model and its edges east, north and up."""
    axes = [
        np.ravel(np.asarray(axis, dtype=float))
        for axis in (layer.eastings, layer.northings, layer.elevations)
    ]
    steps = np.array([_step_of(axis) for axis in axes])
    low = np.array([axis[0] for axis in axes]) - steps / 2
    lengths = steps * [len(axis) for axis in axes]
    angle = math.radians(layer.rotation)
    turn = np.array(
        [
            [math.cos(angle), -math.sin(angle), 0.0],  # own east
            [math.sin(angle), math.cos(angle), 0.0],  # own north
            [0.0, 0.0, 1.0],
        ]
    )
    pivot = np.array([*layer.pivot, 0.0])
    return (low - pivot) @ turn + pivot, turn * lengths[:, None]


def _step_of(axis: Any) -> float:
    values = np.ravel(np.asarray(axis, dtype=float))
    return float((values[-1] - values[0]) / (len(values) - 1)) if len(values) > 1 else 1.0


def _graded(
    layer: Any, values: NDArray[np.float64] | None, store: _Store, *, with_values: bool = True
) -> dict[str, Any]:
    """Return the scale of a layer and a byte of colour for each value, 0 for a missing one."""
    if values is None:
        return {}
    norm = grade_norm(values, scale=layer.scale, limits=layer.limits)
    is_known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.ma.filled(norm(np.where(is_known, values, norm.vmin or 0.0)), 0.0)
    share = np.where(np.isfinite(share), np.clip(share, 0.0, 1.0), 0.0)
    colours = np.where(is_known, 1 + np.rint(share * (_COLOURS - 1)), 0)
    known = values[is_known]
    graded: dict[str, Any] = {
        "shades": store.add(colours.astype(np.uint8), "<u1"),
        "scale": {
            "quantity": layer.quantity,
            "unit": layer.unit,
            "low": float(norm.vmin or 0.0),
            "high": float(norm.vmax or 1.0),
            "log": is_log_scale(norm),
            "below": bool(len(known) and known.min() < (norm.vmin or 0.0)),
            "above": bool(len(known) and known.max() > (norm.vmax or 1.0)),
            "missing": bool((~is_known).any()),
            "ramp": colour_ramp(layer.colours),
        },
    }
    if with_values:
        graded["values"] = store.add(values, "<f4")
    return graded


def _numbers(values: Any) -> list[float]:
    return [round(float(value), 6) for value in values]
