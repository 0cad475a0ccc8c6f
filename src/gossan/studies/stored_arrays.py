"""Arrays of a part of a run (.npz), weighed by what they declare before they are unpacked.

The path of a file comes in; its arrays go out, or a ValueError that says why it is no sound one. No
object is unpickled, and no array is larger than the bytes that stand for it.
"""

from __future__ import annotations

import math
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from gossan.data._limits import check_unpacked

_MOST_ARRAYS = 100_000
_KINDS = "biufcSUMm"  # numbers, texts and dates; objects would be pickles
# Whatever a damaged archive makes zipfile and numpy raise.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, KeyError, TypeError)
_BROKEN += (ArithmeticError, RuntimeError, SyntaxError, MemoryError, IndexError, ValueError)
_BROKEN += (tokenize.TokenError,)  # of numpy, for a header cut short


def read_arrays(file: Path) -> dict[str, NDArray]:
    """Return the arrays of an .npz file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, holds objects, or unpacks to far more than its size.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if len(parts) > _MOST_ARRAYS:
                raise ValueError(f"it holds {len(parts):,} arrays")
            check_unpacked("", sum(p.file_size for p in parts), file.stat().st_size)
            return {p.filename.removesuffix(".npy"): _read(archive, p) for p in parts}
    except FileNotFoundError:
        raise
    except _BROKEN as error:
        said = str(error) or type(error).__name__
        raise ValueError(
            f"{file.name} is no sound file of arrays: {said}. Delete it, and the part is computed again."
        ) from error


def _read(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> NDArray:
    with archive.open(part) as stream:
        shape, is_fortran, dtype = _header(stream)
        start = stream.tell()
        if dtype.kind not in _KINDS or dtype.hasobject:
            raise ValueError(f"its array {part.filename[:60]!r} holds objects ({dtype})")
        if math.prod(shape) * dtype.itemsize != part.file_size - start:
            raise ValueError(
                f"its array {part.filename[:60]!r} declares the shape {str(shape)[:60]} and has"
                f" {part.file_size - start} bytes"
            )
        data = bytearray(stream.read())
    return np.ndarray(shape, dtype, buffer=data, order="F" if is_fortran else "C")


def _header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy.read_magic(stream)
    if version == (1, 0):
        return npy.read_array_header_1_0(stream)
    if version == (2, 0):
        return npy.read_array_header_2_0(stream)
    raise ValueError(f"an array is of the unknown version {version}")
