"""Text tables of any origin: the encoding, the separator and the head are found from the bytes.

The bytes of a CSV file come in; headers and columns of text go out, with the row numbers that a
spreadsheet would show.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from gossan.data.tables.headers import is_number_like, read_head
from gossan.data.tables.rawtable import MAX_COLUMNS, RawTable
from gossan.data.tables.screening import Finding, make_finding

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SEPARATORS = ("\t", ";", ",", "|")
_HEAD_ROWS = 60  # rows among which head, separator and first data row are looked for
_HEAD_CHARACTERS = 2_000_000


def read_text(data: bytes, source: str) -> RawTable:
    """Read a text table.

    Parameters
    ----------
    data : bytes
        Content of the file.
    source : str
        Name of the file, for messages.

    Returns
    -------
    table : RawTable
        All columns as text; blank cells are missing.

    Raises
    ------
    ValueError
        If the bytes are no text, hold no header or no data, or a row has more cells than the head.
    """
    text, encoding = decode_text(data, source)
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
    separator = find_separator(text)
    head, ends = _read_first_rows(text, separator, source)
    try:
        headers, first = read_head(head)
    except ValueError as error:
        raise ValueError(f"{source} {error}") from None
    headers = headers[: max(len(row) for row in head[:first])]
    if len(headers) > MAX_COLUMNS:
        raise ValueError(
            f"{source} has {len(headers)} columns, more than {MAX_COLUMNS}. Give a table with one"
            " row per analysis."
        )
    names = [header.text for header in headers]
    body = text[ends[first - 1] :]
    columns, findings = _read_body(body, names, separator, source, first_row=first + 1)
    if encoding == "cp1252":
        message = "the text is not UTF-8 and was read as Windows-1252 (Western European)"
        findings.append(make_finding("encoding", "note", message))
    rows = np.arange(len(columns)) + first + 1
    return RawTable.of(headers, columns, rows, source, findings=findings, separator=separator)


def decode_text(data: bytes, source: str) -> tuple[str, str]:
    """Return the text and the name of its encoding.

    Raises
    ------
    ValueError
        If the bytes are not text.
    """
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "")
    if not encoding and b"\0" in data[:4096]:
        half = len(data[:4096]) / 2
        odd, even = data[1:4096:2].count(0) / half, data[:4096:2].count(0) / half
        encoding = (
            "utf-16-le" if odd > 0.3 > even else "utf-16-be" if even > 0.3 > odd else "binary"
        )
    for name in [encoding] if encoding else ["utf-8", "cp1252", "latin-1"]:
        try:
            text = data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" in text or _share_of_controls(text) > 0.02:
            break
        return text, "cp1252" if name == "latin-1" else name
    raise ValueError(
        f"{source} is not a text table: it starts with the bytes {data[:8]!r}."
        " Give a CSV, Excel (.xlsx) or Parquet file."
    )


def find_separator(text: str) -> str:
    r"""Separator of the columns: the one that gives most columns, the same number in each row.

    Examples
    --------
    >>> find_separator("deposit;Fe\nA;1,5\nB;2,5\n")
    ';'
    """
    scores = {}
    for separator in _SEPARATORS:
        rows = [row for row in _take_rows(text, separator) if any(cell.strip() for cell in row)]
        width, count = Counter(len(row) for row in rows).most_common(1)[0] if rows else (1, 0)
        if width < 2:
            continue
        head = next(row for row in rows if len(row) == width)
        others = set(_SEPARATORS) - {separator}
        is_split = not any(other in cell for cell in head for other in others)
        scores[separator] = (width - 1) * count / len(rows) * (1 if is_split else 0.25)
    return max(scores, key=lambda separator: scores[separator]) if scores else ","


def _share_of_controls(text: str) -> float:
    sample = text[:4096]
    controls = re.findall(r"[\x00-\x08\x0e-\x1f\x7f]", sample)
    return len(controls) / max(len(sample), 1)


def _take_rows(text: str, separator: str) -> list[list[str]]:
    """First rows of a text, as far as they can be read."""
    rows = []
    try:
        for row in csv.reader(_lines(text[:_HEAD_CHARACTERS]), delimiter=separator):
            rows.append(row)
            if len(rows) == _HEAD_ROWS:
                break
    except csv.Error:
        pass
    return rows


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _read_first_rows(text: str, separator: str, source: str) -> tuple[list[list[str]], list[int]]:
    """First rows, and the place in the text where each of them ends."""
    place = 0

    def count() -> Iterator[str]:
        nonlocal place
        for line in _lines(text):
            place += len(line)
            yield line

    rows, ends = [], []
    try:
        for row in csv.reader(count(), delimiter=separator, strict=True):
            rows.append(row)
            ends.append(place)
            if len(rows) == _HEAD_ROWS:
                break
    except csv.Error as error:
        raise ValueError(
            f"{source} cannot be read at row {len(rows) + 1}: {error}. Look for a quotation mark"
            " that is never closed."
        ) from None
    return rows, ends


def _read_body(
    text: str, names: list[str], separator: str, source: str, *, first_row: int
) -> tuple[pd.DataFrame, list[Finding]]:
    """Columns of text: at once where every row has all its cells, row by row where not."""
    if not text.strip():
        return pd.DataFrame({j: pd.Series([], dtype=str) for j in range(len(names))}), []
    columns = [str(j) for j in range(len(names))]
    if text.count('"') % 2:  # a mark that is never closed would swallow the rest in silence
        return _read_ragged(text, len(names), separator, source, first_row=first_row)
    try:
        table = pacsv.read_csv(
            io.BytesIO(text.encode("utf-8")),
            read_options=pacsv.ReadOptions(column_names=columns, block_size=1 << 24),
            parse_options=pacsv.ParseOptions(
                delimiter=separator, newlines_in_values='"' in text, ignore_empty_lines=False
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.large_string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return _read_ragged(text, len(names), separator, source, first_row=first_row)
    frame = table.to_pandas()
    frame.columns = range(len(names))
    return frame, []


def _read_ragged(
    text: str, width: int, separator: str, source: str, *, first_row: int
) -> tuple[pd.DataFrame, list[Finding]]:
    """Read row by row: short rows are filled with blanks, long ones refused."""
    rows, short = [], []
    rows_of_text = csv.reader(_lines(text), delimiter=separator, strict=True)
    try:
        for number, row in enumerate(rows_of_text, first_row):
            if len(row) > width and any(cell.strip() for cell in row[width:]):
                _refuse_long_row(source, number, row, width)
            if len(row) < width and any(cell.strip() for cell in row):
                short.append(number)
            rows.append([*row[:width], *[""] * (width - len(row))])
    except csv.Error as error:
        raise ValueError(
            f"{source} cannot be read at row {first_row + len(rows)}: {error}. Look for a quotation"
            " mark that is never closed."
        ) from None
    frame = pd.DataFrame(
        {j: pd.Series([row[j] or None for row in rows], dtype=str) for j in range(width)}
    )
    findings = []
    if short:
        message = f"fewer cells than the header's {width}: filled with blanks"
        findings.append(make_finding("short rows", "warning", message, rows=short))
    return frame, findings


def _refuse_long_row(source: str, number: int, row: list[str], width: int) -> None:
    is_split = sum(is_number_like(cell) for cell in row) > width / 2
    hint = " or decimal commas in a comma-separated file" if is_split else ""
    raise ValueError(
        f"{source}, row {number} has {len(row)} cells where the header has {width}, such as"
        f" {row[width]!r} in the last. Look for a stray separator{hint}; put text that holds one"
        " in quotation marks."
    )
