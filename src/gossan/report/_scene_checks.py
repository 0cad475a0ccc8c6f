"""Checks of the layers of a 3D view, at its door: each raises in three parts or is silent.

Arrays as the caller gave them come in; nothing goes out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gossan._checks import check_option

PLANES = ("elevation", "northing", "easting")


def check_layers(layers: Sequence[Any], kinds: tuple[type, ...]) -> None:
    """Refuse a scene with nothing to see, or with something that is no layer."""
    for layer in layers:
        if not isinstance(layer, kinds):
            known = ", ".join(kind.__name__ for kind in kinds)
            raise TypeError(
                f"A layer of a scene must be one of {known}, got {type(layer).__name__}. Make one"
                " of them from your arrays."
            )
    if not len(layers):
        raise ValueError("A scene needs a layer, got none. Give a Surface, Traces or Slices.")


def check_surface(name: str, vertices: ArrayLike, triangles: ArrayLike) -> None:
    """Refuse triangles without vertices."""
    places = _check_places(name, "vertices", vertices)
    _refuse_missing(name, "vertices", places)
    corners = np.asarray(triangles)
    if corners.ndim != 2 or corners.shape[1] != 3:
        raise ValueError(
            f"Triangles of {name!r} must have shape (m, 3), got {corners.shape}. Give three row"
            " numbers of vertices each."
        )
    if len(corners) and not np.issubdtype(corners.dtype, np.integer):
        raise ValueError(
            f"Triangles of {name!r} must be whole numbers, got {corners.dtype}. Give the row"
            " numbers of the vertices."
        )
    if len(corners) and (corners.min() < 0 or corners.max() >= len(places)):
        raise ValueError(
            f"A triangle of {name!r} names vertex {int(corners.max())} or {int(corners.min())}, but"
            f" there are {len(places)}, counted from 0. Check whether your file counts from 1."
        )


def check_traces(
    name: str,
    holes: ArrayLike,
    points: ArrayLike,
    values: ArrayLike | None,
    depths: ArrayLike | None,
) -> None:
    """Refuse columns of different length."""
    places = _check_places(name, "points", points)
    _check_length(name, "hole names", holes, len(places))
    _check_length(name, "values", values, len(places))
    _check_length(name, "depths", depths, len(places))


def check_points(
    name: str, points: ArrayLike, labels: Sequence[str], values: ArrayLike | None
) -> None:
    """Refuse columns of different length."""
    places = _check_places(name, "points", points)
    _refuse_missing(name, "points", places)
    _check_length(name, "labels", labels if len(labels) else None, len(places))
    _check_length(name, "values", values, len(places))


def check_boxes(
    name: str,
    lows: ArrayLike,
    highs: ArrayLike,
    labels: Sequence[str],
    facts: Sequence[Mapping[str, Any]],
) -> None:
    """Refuse boxes that are inside out."""
    low, high = _check_places(name, "lows", lows), _check_places(name, "highs", highs)
    _refuse_missing(name, "lows", low)
    _refuse_missing(name, "highs", high)
    _check_length(name, "highs", high, len(low))
    _check_length(name, "labels", labels, len(low))
    _check_length(name, "facts", facts if len(facts) else None, len(low))
    is_wrong = (low > high).any(axis=1)
    if is_wrong.any():
        row = int(np.argmax(is_wrong))
        raise ValueError(
            f"Box {row} of {name!r} is inside out: from {low[row]} to {high[row]} m. Give west,"
            " south, bottom as lows."
        )


def check_slices(
    name: str, values: ArrayLike, axes: tuple[ArrayLike, ...], shown: Sequence[str]
) -> None:
    """Refuse cells that do not fit their axes, and axes that are not even."""
    shape = np.shape(values)
    lengths = tuple(len(np.ravel(axis)) for axis in axes)
    if shape != lengths or 0 in lengths:
        raise ValueError(
            f"Values of {name!r} have shape {shape}, but its axes (elevation, northing, easting)"
            f" {lengths}. Transpose the values, or check the axes."
        )
    for axis_name, axis in zip(PLANES, axes, strict=True):
        steps = np.diff(np.ravel(np.asarray(axis, dtype=float)))
        if len(steps) and not (steps.min() > 0 and np.ptp(steps) <= 1e-3 * steps.mean()):
            raise ValueError(
                f"The {axis_name}s of {name!r} are not evenly spaced and ascending. Resample the"
                " block model to equal cells first."
            )
    for plane in shown:
        check_option("shown", plane, PLANES)


def check_colour(name: str, colour: str) -> None:
    """Refuse colours that are no code."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(colour)):
        raise ValueError(
            f"The colour of {name!r} must be a code like #0072B2, got {colour!r}. Take it from"
            " gossan.plot.class_colours."
        )


def check_unit_range(name: str, opacity: float) -> None:
    """Refuse opacities beyond 0 to 1."""
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(
            f"The opacity of {name!r} must lie between 0 and 1, got {opacity}. 1 hides what is"
            " behind."
        )


def _check_places(name: str, what: str, places: ArrayLike) -> np.ndarray:
    found = np.asarray(places, dtype=float)
    if found.ndim != 2 or found.shape[1] != 3:
        raise ValueError(
            f"The {what} of {name!r} must have shape (n, 3), got {found.shape}. Give easting,"
            " northing and elevation [m]."
        )
    return found


def _refuse_missing(name: str, what: str, places: np.ndarray) -> None:
    is_bad = ~np.isfinite(places).all(axis=1)
    if is_bad.any():
        raise ValueError(
            f"The {what} of {name!r} are missing or infinite in {int(is_bad.sum())} of"
            f" {len(places)} rows, first row {int(np.argmax(is_bad))}. Drop these rows."
        )


def _check_length(name: str, what: str, column: Any, n: int) -> None:
    if column is not None and len(column) != n:
        raise ValueError(
            f"{name!r} has {len(column)} {what} for {n} places. Take both from the same table."
        )
