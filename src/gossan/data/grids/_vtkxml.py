"""Files of the Visualization Toolkit in XML: arrays appended as raw bytes, read back from any form.

Arrays come in and XML elements go out, or the bytes of a file come in and its elements and arrays
go out. Source of the format: Kitware, VTK File Formats,
https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from gossan.data._limits import check_unpacked
from gossan.data._xml import refuse_document_type

_DTYPES = {
    f"{word}{8 * size}": f"{kind}{size}"
    for word, kind, sizes in (("Int", "i", (1, 2, 4, 8)), ("UInt", "u", (1, 2, 4, 8)),
                              ("Float", "f", (4, 8)))
    for size in sizes
}  # fmt: skip
_TYPES = {dtype: word for word, dtype in _DTYPES.items()}
_MOST_BYTES = 1 << 36  # of one array; a larger length is damage
_LITTLE = sys.byteorder == "little"


@dataclass
class Appended:
    """Arrays that follow the XML of a file, each known by its offset."""

    arrays: list[Any] = field(default_factory=list)
    offset: int = 0

    def add(self, name: str, values: Any, *, n_components: int = 1) -> str:
        """Note an array (NumPy, or lazy with dtype and size) and return its XML element."""
        kind = storable(values.dtype)
        self.arrays.append((values, kind))
        element = (
            f'<DataArray type="{_TYPES[f"{kind.kind}{kind.itemsize}"]}" Name={_quoted(name)}'
            f' NumberOfComponents="{n_components}" format="appended" offset="{self.offset}"/>'
        )
        self.offset += 8 + kind.itemsize * int(np.prod(values.shape))
        return element

    def add_texts(self, name: str, texts: Sequence[str]) -> str:
        """Note texts, each ended by a zero byte, and return their XML element."""
        data = b"".join(text.replace("\0", "").encode() + b"\0" for text in texts)
        values = np.frombuffer(data, np.uint8)
        self.arrays.append((values, values.dtype))
        element = (
            f'<Array type="String" Name={_quoted(name)} NumberOfTuples="{len(texts)}"'
            f' format="appended" offset="{self.offset}"/>'
        )
        self.offset += 8 + len(values)
        return element

    def write(self, file: BinaryIO) -> None:
        """Write the arrays one by one, each after its length."""
        file.write(b'<AppendedData encoding="raw">\n_')
        for values, kind in self.arrays:
            block = np.ascontiguousarray(values, dtype=kind)
            file.write(struct.pack("=Q", block.nbytes))
            file.write(block.data if block.size else b"")
        file.write(b"\n</AppendedData>\n")


def storable(dtype: np.dtype) -> np.dtype:
    """Return the type in which VTK holds an array."""
    small = {"bool": "uint8", "float16": "float32"}
    dtype = np.dtype(small.get(dtype.name, dtype))
    if f"{dtype.kind}{dtype.itemsize}" not in _TYPES:
        raise ValueError(f"VTK holds no numbers of type {dtype}. Turn the layer into float64")
    return dtype.newbyteorder("=")


def write_file(path: Path, kind: str, body: Sequence[str], appended: Appended) -> None:
    """Write a VTK file of the given kind ("ImageData", "PolyData")."""
    order = "LittleEndian" if _LITTLE else "BigEndian"
    head = (
        f'<?xml version="1.0"?>\n<VTKFile type="{kind}" version="1.0" byte_order="{order}"'
        ' header_type="UInt64">'
    )
    with path.open("wb") as file:
        file.write("\n".join([head, *body, ""]).encode())
        appended.write(file)
        file.write(b"</VTKFile>\n")


@dataclass(frozen=True)
class VtkFile:
    """A VTK file that was read: its XML and the bytes appended to it."""

    root: ET.Element
    appended: bytes
    is_base64: bool
    n_packed: int = 0
    unpacked: list[int] = field(default_factory=list)

    def find(self, path: str) -> ET.Element | None:
        """Return the element at a path below the data set, None if it is not there."""
        return self.root[0].find(path) if len(self.root) else None

    def arrays(self, path: str) -> dict[str, NDArray]:
        """Return the arrays of an element by name, shape (n,) or (n, n_components)."""
        parent = self.find(path)
        found: dict[str, NDArray] = {}
        for element in [] if parent is None else parent:
            if element.tag not in ("DataArray", "Array"):
                continue
            found[element.get("Name", f"array_{len(found) + 1}")] = self.decode(element)
        return found

    def decode(self, element: ET.Element) -> NDArray:
        """Return the array of an element, whichever way it is written."""
        word, form = element.get("type", ""), element.get("format", "ascii")
        if word != "String" and word not in _DTYPES:
            raise ValueError(f"an array has the unknown type {word!r}")
        order = "<" if self.root.get("byte_order", "LittleEndian") == "LittleEndian" else ">"
        dtype = np.dtype(order + _DTYPES.get(word, "u1"))
        if form == "ascii":
            values = np.array((element.text or "").split(), dtype=dtype)
        else:
            values = np.frombuffer(self._block(element, form, order), dtype)
        self._weigh(values.nbytes)
        if word == "String":
            return _texts(values.tobytes())
        n = int(element.get("NumberOfComponents", "1"))
        values = values.astype(dtype.newbyteorder("="))
        return values.reshape(-1, n) if n > 1 else values

    def _weigh(self, n_bytes: int) -> None:
        """Add to what was unpacked; many arrays may name the same few bytes."""
        self.unpacked.append(n_bytes)
        check_unpacked("", sum(self.unpacked), self.n_packed, what="its arrays take")

    def _block(self, element: ET.Element, form: str, order: str) -> bytes | memoryview:
        """Return the bytes of one array: after its length, or unpacked where compressed."""
        if form == "appended":
            offset = int(element.get("offset", "0"))
            if not 0 <= offset <= len(self.appended):
                raise ValueError("an array is said to begin outside the file")
            data, is_text = memoryview(self.appended)[offset:], self.is_base64
        elif form == "binary":
            data, is_text = memoryview((element.text or "").strip().encode()), True
        else:
            raise ValueError(f"an array has the unknown format {form!r}")
        header = np.dtype(order + {"UInt64": "u8"}.get(self.root.get("header_type", ""), "u4"))
        compressor = self.root.get("compressor")
        if compressor is None:
            return _plain_block(data, header, is_text)
        if compressor != "vtkZLibDataCompressor":
            raise ValueError(f"its arrays are packed by {compressor}; save it with zlib or none")
        return _packed_block(data, header, is_text, self.n_packed)


def read_file(path: Path, kind: str) -> VtkFile:
    """Read a VTK file of the given kind.

    Raises
    ------
    ValueError
        If it is no such file, or is damaged.
    """
    data = path.read_bytes()
    head, mark, tail = data.partition(b"<AppendedData")
    refuse_document_type(head)
    appended, is_base64 = b"", False
    if mark:
        attributes, _, rest = tail.partition(b">")
        is_base64 = b"base64" in attributes
        appended = rest[rest.find(b"_") + 1 :]
        head += b"</VTKFile>"
    try:
        root = ET.fromstring(head)  # noqa: S314, entities are refused above
    except ET.ParseError as error:
        raise ValueError(f"its XML is damaged ({error})") from None
    if root.tag != "VTKFile" or root.get("type") != kind:
        raise ValueError(f"it is {root.tag} {root.get('type')!r}, not a VTKFile of type {kind!r}")
    return VtkFile(root, appended, is_base64, len(data))


def _plain_block(data: memoryview, header: np.dtype, is_text: bool) -> memoryview:
    size = header.itemsize
    if not is_text:
        length = _length(data, header)
        return _checked(data[size : size + length], length)
    length = _length(_from_base64(data, size), header)
    return _checked(_from_base64(data, size + length)[size:], length)


def _packed_block(
    data: memoryview, header: np.dtype, is_text: bool, n_packed: int
) -> bytes | memoryview:
    """Unpack blocks: their number, size, last size and packed sizes stand before them."""
    size = header.itemsize
    n_blocks = _length(_from_base64(data, size) if is_text else data, header)
    n_head = (3 + n_blocks) * size
    if n_head > len(data):
        raise ValueError("an array ends too early")
    head = np.frombuffer(_from_base64(data, n_head) if is_text else data[:n_head], header)
    packed = head[3:].astype(np.int64)
    if n_blocks and packed.min() < 0:
        raise ValueError("an array has a block of impossible length")
    sizes = [int(head[1])] * n_blocks
    if n_blocks and head[2]:
        sizes[-1] = int(head[2])
    check_unpacked("", sum(sizes), n_packed, what="one of its arrays takes")
    body = data[4 * -(-n_head // 3) :] if is_text else data[n_head:]
    body = _from_base64(body, int(packed.sum())) if is_text else body
    ends = np.cumsum(packed)
    parts = [
        _unpacked(body[end - n : end], most)
        for end, n, most in zip(ends, packed, sizes, strict=True)
    ]
    return b"".join(parts)


def _unpacked(block: memoryview, size: int) -> bytes:
    """Unpack a block of known size, and no byte more."""
    data = zlib.decompressobj().decompress(block, size + 1)
    if len(data) != size:
        raise ValueError(f"a block of an array does not unpack to the {size} bytes that it names")
    return data


def _length(data: memoryview, header: np.dtype) -> int:
    if len(data) < header.itemsize:
        raise ValueError("an array ends too early")
    length = int(np.frombuffer(data[: header.itemsize], header)[0])
    if length > _MOST_BYTES:
        raise ValueError("an array has an impossible length")
    return length


def _from_base64(data: memoryview, n_bytes: int) -> memoryview:
    """Return the first bytes of base64 text."""
    try:
        return memoryview(base64.b64decode(data[: 4 * -(-n_bytes // 3)]))[:n_bytes]
    except binascii.Error as error:
        raise ValueError(f"an array is damaged ({error})") from None


def _checked(data: memoryview, length: int) -> memoryview:
    if len(data) != length:
        raise ValueError(f"an array ends too early, after {len(data)} of {length} bytes")
    return data


def _texts(data: bytes) -> NDArray:
    parts = data.split(b"\0")[:-1]
    return np.array([part.decode(errors="replace") for part in parts], dtype=object)


def _quoted(name: str) -> str:
    return quoteattr(re.sub(r"[\x00-\x1f]", " ", name))
