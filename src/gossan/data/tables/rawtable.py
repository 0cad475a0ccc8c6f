"""A table as it stands in its file: headers understood, cells not yet.

A path or a DataFrame comes in; a `RawTable` goes out, whichever the format.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.data._limits import TooLargeError
from gossan.data._parquet import check_parquet
from gossan.data.tables.headers import Header, parse_header, read_head
from gossan.data.tables.screening import Finding
from gossan.data.tables.workbook import MAX_COLUMNS, read_workbook


@dataclass(frozen=True)
class RawTable:
    """Columns of unread cells, as many as `headers`.

    `columns` is a DataFrame of shape (n_rows, n_columns) whose columns are 0, 1, 2 ...; `rows`
    holds the number of each row in the file (header = row 1), `separator` that of a text file.
    """

    headers: list[Header]
    columns: pd.DataFrame
    rows: NDArray[np.int64]
    source: str
    findings: tuple[Finding, ...] = ()
    separator: str = ""

    @classmethod
    def of(
        cls,
        headers: Sequence[Header],
        columns: pd.DataFrame,
        rows: NDArray[np.int64],
        source: str,
        *,
        findings: Iterable[Finding] = (),
        separator: str = "",
    ) -> RawTable:
        """Build a table without blank rows and nameless blank columns, each name made unique."""
        is_filled = _filled_cells(columns)
        if separator or not is_filled.size:
            keep = is_filled.any(axis=1)
            columns, rows, is_filled = columns.loc[keep], rows[keep], is_filled[keep]
            columns = columns.reset_index(drop=True)
        if not len(columns):
            raise ValueError(
                f"{source} holds a header and no data ({len(headers)} columns, 0 rows). Check that"
                " the table was exported with its rows."
            )
        used = [j for j, h in enumerate(headers) if h.text or is_filled[:, j].any()]
        columns = columns[used].set_axis(range(len(used)), axis="columns")
        named = _name_columns([headers[j] for j in used], used)
        return cls(named, columns, rows, source, tuple(findings), separator)

    @property
    def names(self) -> list[str]:
        """Header texts, each once."""
        return [header.text for header in self.headers]


def read_raw(table: Any, *, sheet: str | int | None = None) -> RawTable:
    """Read a table of any format.

    Parameters
    ----------
    table : path or DataFrame
        The format is known from the content, whatever the file's name says.
    sheet : str or int, optional
        Sheet of a workbook by name or place; default the first that holds cells.

    Returns
    -------
    raw : RawTable

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is a folder, empty, no table, or too large to be one.
    TypeError
        If `table` is neither a path nor a DataFrame.
    """
    if isinstance(table, pd.DataFrame):
        return _read_frame(table, "table")
    if not isinstance(table, str | os.PathLike):
        raise TypeError(
            f"A table must be a path or a DataFrame, got {type(table).__name__}. Pass the name of"
            " a CSV, Excel or Parquet file."
        )
    path = Path(table)
    data = _read_bytes(path)
    if data.startswith(b"PK\x03\x04"):
        return _read_workbook(data, path.name, sheet)
    if data.startswith(b"PAR1"):
        return _read_parquet(path)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise ValueError(
            f"{path.name} is a workbook of the old format (.xls) or is locked by a password."
            " Save it as .xlsx without a password, or as CSV."
        )
    from gossan.data.tables.textfile import read_text

    return read_text(data, path.name)


def _read_bytes(path: Path) -> bytes:
    try:
        is_folder = path.is_dir()
        if not is_folder and not path.exists():
            near = _nearest_file(path)
            raise FileNotFoundError(
                f"There is no file {path.name}, looked for in {path.parent}. Check the path.{near}"
            )
    except ValueError as error:  # a NUL in the name
        raise ValueError(f"{str(path)!r} is no path: {error}. Pass the name of a file.") from None
    if is_folder:
        raise ValueError(f"{path} is a folder, not a table. Name a file in it.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path.name} cannot be opened: {error.strerror}. Check its permissions, and that no"
            " other program holds it."
        ) from None
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise ValueError(f"{path.name} is empty ({len(data)} bytes). Export the table again.")
    return data


def _nearest_file(path: Path) -> str:
    try:
        return did_you_mean(path.name, [file.name for file in path.parent.iterdir()])
    except OSError:
        return ""


def _read_frame(frame: pd.DataFrame, source: str) -> RawTable:
    names = [
        " ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)
        for name in frame.columns
    ]
    if not names or not len(frame):
        raise ValueError(
            f"{source} has {len(frame)} rows and {len(names)} columns. Give one with a row per"
            " analysis."
        )
    if len(names) > MAX_COLUMNS:
        raise ValueError(
            f"{source} has {len(names)} columns, more than {MAX_COLUMNS}. Give a table with one"
            " row per analysis."
        )
    headers = [parse_header(name) for name in names]
    columns = frame.set_axis(range(len(names)), axis="columns")
    return RawTable.of(headers, columns, np.arange(len(frame)) + 2, source)


def _read_parquet(path: Path) -> RawTable:
    try:
        check_parquet(path, path.name)
        table = pq.read_table(path)
        table.validate(full=True)  # texts that are no UTF-8, among others
        frame = table.to_pandas()
    except TooLargeError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError) as error:
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ValueError(
            f"{path.name} is a broken Parquet file: {first}. Write it again."
        ) from None
    return _read_frame(frame.reset_index(drop=True), path.name)


def _read_workbook(data: bytes, source: str, sheet: str | int | None) -> RawTable:
    grid, name, findings = read_workbook(data, source, sheet)
    raw = _read_grid(grid, f"{source}, sheet {name}")
    return replace(raw, findings=(*raw.findings, *findings))


def _read_grid(grid: list[tuple[Any, ...]], source: str) -> RawTable:
    try:
        headers, first = read_head(grid[:60])
    except ValueError as error:
        raise ValueError(f"{source} {error}") from None
    width = max((len(row) for row in grid), default=0)
    headers += [Header("")] * (width - len(headers))
    body = [[*row, *[None] * (width - len(row))] for row in grid[first:]]
    columns = pd.DataFrame(
        {j: _as_column([row[j] for row in body]) for j in range(width)}, index=range(len(body))
    )
    rows = np.arange(len(body)) + first + 1
    return RawTable.of(headers, columns, rows, source, separator="cell")


def _as_column(cells: list[Any]) -> pd.Series:
    """Numbers as float64, texts as str, a mix as object."""
    filled = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in filled):
        try:
            return pd.Series([np.nan if cell is None else float(cell) for cell in cells])
        except OverflowError:
            pass
    return pd.Series(cells, dtype=str if all(isinstance(c, str) for c in filled) else object)


def _filled_cells(columns: pd.DataFrame) -> NDArray[np.bool_]:
    """Mask of shape (n_rows, n_columns) of the cells that hold something."""
    filled = np.empty(columns.shape, dtype=bool)
    for j in range(columns.shape[1]):
        column = columns.iloc[:, j]
        if isinstance(column.dtype, pd.StringDtype):
            texts = pa.array(column, type=pa.large_string(), from_pandas=True)
            filled[:, j] = np.asarray(pc.match_substring_regex(texts, r"[^\s]").fill_null(False))
        else:
            filled[:, j] = column.notna().to_numpy()
    return filled


def _name_columns(headers: Sequence[Header], places: Sequence[int]) -> list[Header]:
    """Give each nameless column a name, and each repeated one a number ("Au", "Au.1")."""
    seen: set[str] = {header.text for header in headers}
    taken: set[str] = set()
    named = []
    for header, place in zip(headers, places, strict=True):
        text = base = header.text or f"column {place + 1}"
        count = 1
        while text in taken or (text != header.text and text in seen):
            text, count = f"{base}.{count}", count + 1
        taken.add(text)
        named.append(replace(header, text=text))
    return named
