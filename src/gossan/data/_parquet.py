"""Parquet from strangers: weighed by what its columns hold before they are unpacked.

The path of a file comes in; nothing, or a ValueError, goes out. Run lengths and dictionaries make
a billion rows of a few bytes, so that neither the size of the file nor that of its pages tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gossan.data._limits import check_unpacked

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
_TEXT = 16  # bytes of a value whose text is counted on its own, as pandas keeps it
_REPEATS = ("DICTIONARY", "DELTA_BYTE_ARRAY")  # encodings that say a long text many times
_BATCH = 64 << 20


def check_parquet(path: Path, source: str = "") -> None:
    """Raise if a Parquet file holds far more than its size makes likely.

    Raises
    ------
    ValueError
        If it does; `source` is put before the message.
    pyarrow.ArrowException
        If it is damaged.
    """
    packed = path.stat().st_size
    with pq.ParquetFile(path) as file:
        about = file.metadata
        for i in range(about.num_row_groups):
            # What Arrow finds wrong in the metadata of a column it raises here; asked for them
            # directly, as below, it would end the program.
            next(file.iter_batches(batch_size=1, row_groups=[i], use_threads=False), None)
        chunks = [
            about.row_group(i).column(j)
            for i in range(about.num_row_groups)
            for j in range(about.row_group(i).num_columns)
        ]
        told = max(about.num_rows, 0) * max(about.num_columns, 1)
        n_bytes = max(told, sum(_width(chunk) * chunk.num_values for chunk in chunks))
        what = f"its {about.num_rows:,} rows of {about.num_columns:,} columns take"
        check_unpacked(source, n_bytes, packed, what=what)
        n_bytes += sum(max(c.total_uncompressed_size, 0) for c in chunks)
        check_unpacked(source, n_bytes, packed, what=what)
        for j in _repeating(chunks):
            for more in _text_bytes(path, j, chunks):
                n_bytes += more
                check_unpacked(source, n_bytes, packed, what=f"{what} at least")


def _width(chunk: Any) -> int:
    return _WIDTHS.get(chunk.physical_type, _TEXT)


def _repeating(chunks: list[Any]) -> list[str]:
    """Return the columns of text that may unpack to far more than their pages."""
    return list(
        dict.fromkeys(
            chunk.path_in_schema
            for chunk in chunks
            if chunk.physical_type.endswith("BYTE_ARRAY")
            and any(word in each for each in chunk.encodings for word in _REPEATS)
            and chunk.num_values * chunk.total_uncompressed_size > _BATCH
        )
    )


def _text_bytes(path: Path, column: str, chunks: list[Any]) -> Iterator[int]:
    """Give the bytes of the texts of a column, batch by batch; words said twice are read once."""
    mine = [chunk for chunk in chunks if chunk.path_in_schema == column]
    is_words = all(any("DICTIONARY" in e for e in chunk.encodings) for chunk in mine)
    is_nested = "." in column
    largest = max(chunk.total_uncompressed_size for chunk in mine)
    n_rows = 65_536 if is_words else max(1, min(65_536, _BATCH // (largest + 1)))
    n_rows = 1 if is_nested else n_rows
    words = [column] if is_words and not is_nested else []
    with pq.ParquetFile(path, read_dictionary=words) as file:
        for batch in file.iter_batches(batch_size=n_rows, columns=[column]):
            yield _decoded(batch.column(0))


def _decoded(values: Any) -> int:
    """Return the bytes that an array takes once its words are written out."""
    if not pa.types.is_dictionary(values.type):
        return int(values.nbytes)
    lengths = pc.binary_length(values.dictionary).fill_null(0).to_numpy(zero_copy_only=False)
    places = values.indices.drop_null().to_numpy(zero_copy_only=False)
    return int(lengths[places].sum(dtype=np.int64)) if len(places) else 0
