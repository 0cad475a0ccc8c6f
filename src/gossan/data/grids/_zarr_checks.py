"""Zarr stores from strangers: what their arrays declare is checked before any of it is opened.

The path of a store comes in; nothing, or a ValueError, goes out. A few hundred bytes of metadata can
name arrays of terabytes, codecs that run code (pickle), and links to other places of the disk.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gossan.data._limits import check_unpacked, size_of

# Whatever only turns bytes into numbers. Not here: pickle, and all that is not known.
CODECS = {
    "adler32", "astype", "bitround", "blosc", "bytes", "bz2", "crc32", "crc32c", "delta",
    "fixedscaleoffset", "fletcher32", "gzip", "lz4", "lzma", "packbits", "quantize",
    "sharding_indexed", "shuffle", "transpose", "vlen-utf8", "zfpy", "zlib", "zstd",
}  # fmt: skip
_MOST_METADATA = 20 << 20  # bytes of one file of metadata


def check_store(path: Path) -> None:
    """Raise if a store has links, unknown codecs or types, or arrays far beyond its size.

    Raises
    ------
    ValueError
        If it does; the message does not name the store.
    """
    if not path.is_dir():
        raise ValueError("it is no folder, as a Zarr store is")
    link = next((each for each in path.rglob("*") if each.is_symlink()), None)
    if link is not None:
        raise ValueError(f"{link.name} in it is a link to another place. Copy the file itself")
    n_bytes = 0
    for name, told in _arrays(path):
        _check_codecs(name, told)
        n_bytes += math.prod(_shape(told.get("shape"), name)) * _item_size(told)
        chunk = math.prod(_chunk_shape(told, name)) * _item_size(told)
        check_unpacked("", max(n_bytes, chunk), size_of(path), what="its arrays take")


def _arrays(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give name and metadata of each array, of format 2 and 3."""
    for file in [*path.rglob(".zarray"), *path.rglob("zarr.json")]:
        name = file.parent.relative_to(path).as_posix()
        if file.stat().st_size > _MOST_METADATA:
            raise ValueError(f"the metadata of {name} are larger than any sound ones")
        try:
            told = json.loads(file.read_bytes())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the metadata of {name} are damaged ({error})") from None
        if not isinstance(told, dict):
            raise ValueError(f"the metadata of {name} are damaged")  # noqa: TRY004
        if file.name == ".zarray" or told.get("node_type") == "array":
            yield name, told


def _check_codecs(name: str, told: Mapping[str, Any]) -> None:
    listed = [*_listed(told.get("filters")), *_listed(told.get("codecs"))]
    listed += _listed(told.get("compressor"))
    for codec in listed:
        word = str(codec.get("id", codec.get("name", "")) if isinstance(codec, dict) else codec)
        if word.removeprefix("numcodecs.") not in CODECS:
            raise ValueError(
                f"the array {name!r} is packed by {word[:40]!r}, which is none of"
                f" {', '.join(sorted(CODECS))}. Write it anew with one of these"
            )
        inner = codec.get("configuration", {}) if isinstance(codec, dict) else {}
        if isinstance(inner, dict):
            _check_codecs(name, {k: inner.get(k) for k in ("codecs",)})
            _check_codecs(name, {"codecs": inner.get("index_codecs")})


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _shape(value: Any, name: str) -> list[int]:
    """Return a shape of whole numbers."""
    sides = value if isinstance(value, list) else [-1]
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in sides):
        raise ValueError(f"the shape of the array {name!r} is {str(value)[:60]}, no whole numbers")
    return sides


def _chunk_shape(told: Mapping[str, Any], name: str) -> list[int]:
    grid = told.get("chunk_grid")
    inner = grid.get("configuration") if isinstance(grid, dict) else None
    value = inner.get("chunk_shape") if isinstance(inner, dict) else told.get("chunks", [])
    return _shape(value, name)


def _item_size(told: Mapping[str, Any]) -> int:
    """Return the bytes of a value; text is taken for eight."""
    word = str(told.get("dtype", told.get("data_type", "")))
    if word[:1] in "<>|=":
        digits = "".join(letter for letter in word[2:] if letter.isdigit())
        return max(1, min(int(digits or "8"), 1 << 20))
    digits = "".join(letter for letter in word if letter.isdigit())
    return max(1, min(int(digits or "64") // 8, 1 << 20))
