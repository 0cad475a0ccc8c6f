"""Open Mining Format files from strangers: their packed arrays are measured before they are kept.

The path of a file comes in; nothing, or a ValueError, goes out. The package omf unpacks whatever an
array holds; here each is unpacked piece by piece first, and let go.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from gossan.data._limits import check_unpacked

_HEAD = struct.Struct("<4s32s16sQ")  # magic, version, id of the project, start of the JSON
_PIECE = 1 << 20


def check_omf(path: Path) -> None:
    """Raise if the arrays of a file lie outside it or unpack to far more than its size.

    Raises
    ------
    ValueError
        If they do; the message does not name the file.
    """
    packed = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise ValueError("it is cut short in its head")
        start = _HEAD.unpack(head)[3]
        if not _HEAD.size <= start < packed:
            raise ValueError("its index is said to begin outside the file")
        file.seek(start)
        try:
            index = json.loads(file.read())
        except RecursionError:
            raise ValueError("its index is nested too deeply") from None
        n_bytes = 0
        for at, length in _packed_arrays(index):
            if at < 0 or length < 0 or at + length > packed:
                raise ValueError("an array is said to lie outside the file")
            for more in _unpacked(file, at, length):
                n_bytes += more
                check_unpacked("", n_bytes, packed, what="its arrays take")


def _packed_arrays(index: Any) -> Iterator[tuple[int, int]]:
    """Give start and length of all that the index says is packed, however deep it stands."""
    left = [index]
    while left:
        thing = left.pop()
        if isinstance(thing, list):
            left += thing
        elif isinstance(thing, dict):
            left += thing.values()
            at, length = thing.get("start"), thing.get("length")
            if isinstance(at, int) and isinstance(length, int):
                yield at, length


def _unpacked(file: BinaryIO, at: int, length: int) -> Iterator[int]:
    """Give the bytes that a packed array unpacks to, piece by piece."""
    file.seek(at)
    unpacker = zlib.decompressobj()
    data = file.read(length)
    while data:
        piece = unpacker.decompress(data, _PIECE)
        yield len(piece)
        data = unpacker.unconsumed_tail
