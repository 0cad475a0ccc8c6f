"""Layers of a map as the browser wants them: whole numbers, predicted from their neighbours, packed.

A grid and the layers to show come in; a header of words and numbers for each layer, and its codes in
a `ByteStore`, go out. A code stands for `low + step * code`, or for `low * exp(step * code)` where
values span decades, so that a precision can be named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan.plot._planes import Plane
from gossan.plot.scales import departure_norm, grade_norm, is_log_scale
from gossan.report._byte_planes import payload_of, planes_of
from gossan.report._map_layers import ShownLayer
from gossan.report._writing import write_number

FINE, COARSE = 16, 12  # bits of a code
_DECADES = 100.0  # between the ends, from which codes are logarithmic


class ByteStore:
    """Arrays one after the other; the methods return where each lies."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._places: dict[bytes, int] = {}
        self._size = 0

    def add_bytes(self, part: bytes) -> int:
        """Return the place of `part`; the same bytes are kept once."""
        if part not in self._places:
            self._places[part] = self._size
            self._parts.append(part)
            self._size += len(part)
        return self._places[part]

    def add_floats(self, values: NDArray) -> list[int]:
        """Return place and number of single-precision values."""
        array = np.ascontiguousarray(values, dtype="<f4")
        return [self.add_bytes(planes_of(array.reshape(-1).view(np.uint8), 4)), int(array.size)]

    def add_codes(self, codes: NDArray[np.uint16]) -> list[int]:
        """Return place, predictor (0: left neighbour, 1: plane through three) and bytes a code."""
        columns = codes.astype(np.int64)
        left = np.diff(columns, axis=1, prepend=0)
        both = np.diff(left, axis=0, prepend=0)
        is_smooth = int(np.abs(both).sum() < np.abs(left).sum())
        steps = (both if is_smooth else left).astype(np.int16).astype(np.int32)  # wraps, as there
        zigzag = ((steps << 1) ^ (steps >> 31)).astype("<u2")
        n_bytes = 1 if int(zigzag.max(initial=0)) < 256 else 2
        flat = zigzag.reshape(-1).view(np.uint8)
        part = planes_of(flat, 2)[: n_bytes * codes.size]
        return [self.add_bytes(part), is_smooth, n_bytes]

    def add_mask(self, mask: NDArray[np.bool_]) -> int:
        """Return the place of a mask, one bit a cell."""
        return self.add_bytes(np.packbits(mask.reshape(-1), bitorder="little").tobytes())

    def payload(self) -> str:
        """Return everything, compressed and in base64."""
        return payload_of(self._parts)


@dataclass(frozen=True)
class Coded:
    """Codes of a layer and what they stand for.

    Attributes
    ----------
    codes : uint16 array of shape (n_northing, n_easting)
        Of missing cells, that of the cell before.
    low, step : float
    is_log : bool
    """

    codes: NDArray[np.uint16]
    low: float
    step: float
    is_log: bool

    @property
    def values(self) -> NDArray[np.float64]:
        """What the codes stand for."""
        if self.is_log:
            return np.asarray(self.low * np.exp(self.step * self.codes), dtype=float)
        return np.asarray(self.low + self.step * self.codes, dtype=float)

    @property
    def precision(self) -> str:
        """Largest error of a value, in words."""
        if self.is_log:
            return f"± {100 * math.expm1(self.step / 2):.2g} %"
        return "exact" if self.step == 1 else f"± {write_number(self.step / 2)}"


def code_values(values: NDArray[np.float64], bits: int) -> Coded:
    """Return values as codes of so many bits, those of whole numbers exact."""
    is_known = np.isfinite(values)
    known = values[is_known]
    if not len(known):
        return Coded(np.zeros(values.shape, np.uint16), 0.0, 1.0, False)
    low, high, most = float(known.min()), float(known.max()), 2**bits - 1
    is_log = low > 0 and high / low > _DECADES
    if high - low <= most and bool((known == np.rint(known)).all()):
        step, is_log = 1.0, False
    elif is_log:
        step = math.log(high / low) / most
    else:
        step = (high - low) / most or 1.0
    shares = np.log(np.where(is_known, values, low) / low) if is_log else values - low
    codes = np.rint(np.where(is_known, shares, 0.0) / step).astype(np.uint16)
    return Coded(_fill_gaps(codes, is_known), low, step, is_log)


def _fill_gaps(codes: NDArray[np.uint16], is_known: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Give cells without a value the code of the cell before, which costs nothing to pack."""
    places = np.where(is_known.reshape(-1), np.arange(codes.size), 0)
    return codes.reshape(-1)[np.maximum.accumulate(places)].reshape(codes.shape)


def pack_raster(layer: ShownLayer, cells: NDArray[np.float64], store: ByteStore) -> dict[str, Any]:
    """Return the header of a layer; its codes go into the store."""
    is_known = np.isfinite(cells)
    coded = code_values(cells, FINE if layer.is_fine or layer.classes else COARSE)
    known = cells[is_known]
    header: dict[str, Any] = {
        "key": layer.key,
        "name": layer.name,
        "title": layer.title,
        "group": layer.group,
        "unit": layer.unit,
        "note": layer.note,
        "low": coded.low,
        "step": coded.step,
        "log": coded.is_log,
        "codes": store.add_codes(coded.codes),
        "missing": store.add_mask(~is_known),
        "n_missing": int((~is_known).sum()),
        "precision": coded.precision,
    }
    if len(known):
        ends = np.quantile(known, [0.0, 0.5, 1.0])
        header |= {"ends": [float(ends[0]), float(ends[2])], "median": float(ends[1])}
    if layer.classes:
        return header | {"classes": [[code, *look] for code, look in layer.classes.items()]}
    return header | {"ramp": layer.colours} | _stretches(layer, known)


def _stretches(layer: ShownLayer, known: NDArray[np.float64]) -> dict[str, Any]:
    """Return the ends of the colours for each stretch, those that the maps of a report have."""
    is_two_sided = layer.colours == "departure"
    plain = departure_norm(known) if is_two_sided else grade_norm(known, scale="linear")
    ends = layer.limits or (float(plain.vmin or 0.0), float(plain.vmax or 1.0))
    scales: dict[str, Any] = {"linear": [float(end) for end in ends]}
    if not is_two_sided and len(known) and (known > 0).any():
        is_given = layer.limits is not None and layer.limits[0] > 0
        log = grade_norm(known, scale="log", limits=layer.limits if is_given else None)
        scales["log"] = [float(log.vmin or 0.0), float(log.vmax or 1.0)]
    if layer.scale == "auto":
        auto = grade_norm(known, scale="auto", limits=layer.limits)
        stretch = "log" if is_log_scale(auto) and "log" in scales else "linear"
    else:
        stretch = layer.scale if layer.scale in (*scales, "percentile") else "linear"
    return {"scales": scales, "stretch": stretch}


def block_step(shape: tuple[int, ...], most: int) -> int:
    """Return how many cells each way become one, so that at most `most` are left.

    Examples
    --------
    >>> block_step((300, 300), 90_000), block_step((2000, 2000), 1_500_000)
    (1, 2)
    """
    step = 1
    while math.ceil(shape[0] / step) * math.ceil(shape[1] / step) > most:
        step += 1
    return step


def thin_blocks(cells: NDArray[np.float64], step: int, *, is_class: bool) -> NDArray[np.float64]:
    """Return means of blocks of step x step cells without the missing ones; of classes, the middle.

    Examples
    --------
    >>> thin_blocks(np.array([[1.0, 3.0, 5.0], [np.nan, 2.0, np.nan]]), 2, is_class=False)
    array([[2., 5.]])
    """
    if step == 1:
        return cells
    room = [(0, -n % step) for n in cells.shape]
    padded = np.pad(cells, room, constant_values=np.nan)
    blocks = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
    if is_class:
        return np.asarray(blocks[:, (step - 1) // 2, :, (step - 1) // 2])
    is_known = np.isfinite(blocks)
    n_known = is_known.sum(axis=(1, 3))
    sums = np.where(is_known, blocks, 0.0).sum(axis=(1, 3))
    return np.where(n_known > 0, sums / np.maximum(n_known, 1), np.nan)


def cells_of(plane: Plane, layer: ShownLayer, step: int) -> NDArray[np.float64]:
    """Return the cells of a layer, thinned."""
    cells = plane.cells(layer.key)
    cells = np.where(np.isfinite(cells), cells, np.nan)
    return thin_blocks(cells, step, is_class=bool(layer.classes))
