"""Drill holes written as CSV files that read back to the last digit.

Tables come in; files go out, each written whole or not at all.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan._units import is_unit
from gossan.data._replacing import replacing
from gossan.data.tables.headers import parse_header


def table_text(
    table: pd.DataFrame,
    *,
    censored: pd.DataFrame | None = None,
    units: dict[str, str] | None = None,
) -> str:
    """A table as CSV text: all digits, "<0.01" below detection, blanks where missing.

    Parameters
    ----------
    table : DataFrame
    censored : bool DataFrame, optional
        Mask of some of its columns.
    units : dict of column to unit, optional
        Written behind the name: "Cu_wt%".

    Returns
    -------
    text : str

    Examples
    --------
    >>> table = pd.DataFrame({"hole": ["A", "A"], "Au": [0.01, 2.5]})
    >>> print(table_text(table, censored=pd.DataFrame({"Au": [True, False]}), units={"Au": "ppm"}))
    hole,Au_ppm
    A,<0.01
    A,2.5
    """
    units = units or {}
    masks = {} if censored is None else {name: censored[name].to_numpy() for name in censored}
    cells = [
        _column_cells(table[name], masks.get(name), is_measured=name in units)
        for name in table.columns
    ]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([header_of(str(name), units.get(str(name), "")) for name in table.columns])
    writer.writerows(zip(*cells, strict=True))
    return buffer.getvalue()


def reading_words(
    tables: Mapping[str, pd.DataFrame], units: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Arguments of `read_drillholes` that leave nothing in the written tables to be inferred.

    Parameters
    ----------
    tables : mapping of name to DataFrame
        "collar", "survey" and the tables of intervals.
    units : mapping of name to mapping of column to unit

    Returns
    -------
    words : dict
        columns, units and dip.
    """
    keys = ("hole", "easting", "northing", "elevation", "depth", "azimuth", "dip", "from", "to")
    own = {"collar": keys[:5], "survey": ("hole", *keys[4:7])}
    return {
        "columns": {name: {k: k for k in own.get(name, ("hole", "from", "to"))} for name in tables},
        "units": {
            header_of(column, unit): unit
            for table in units.values()
            for column, unit in table.items()
            if unit
        },
        "dip": "down_negative",
    }


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its place and rename it: a broken write leaves the old one.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    with replacing(path) as fresh, fresh.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def header_of(name: str, unit: str) -> str:
    """Name of a column with its unit, where it is one of concentration: "Cu_wt%"."""
    return f"{name}_{unit}" if unit and is_unit(unit) and not parse_header(name).unit else name


def _column_cells(column: pd.Series, mask: Any, *, is_measured: bool) -> list[str]:
    """Text of each cell of a column."""
    if pd.api.types.is_float_dtype(column):
        values = column.to_numpy(dtype=float)
        # A label that is a whole number beside blanks is written as one, a measurement never.
        is_whole = not is_measured and bool(np.all(np.isnan(values) | (values % 1 == 0)))
        cells = [_number(value, is_whole=is_whole) for value in values.tolist()]
        if mask is not None:
            cells = [f"<{cell}" if flag else cell for cell, flag in zip(cells, mask, strict=True)]
        return cells
    return ["" if value is None or value != value else str(value) for value in column.tolist()]  # noqa: PLR0124


def _number(value: float, *, is_whole: bool) -> str:
    if np.isnan(value):
        return ""
    if is_whole and abs(value) < 1e15:
        return str(int(value))
    text = repr(value)
    mantissa, mark, exponent = text.partition("e")
    # "1e-07" may be the name of something; "1.0e-07" is a number.
    return f"{mantissa}.0e{exponent}" if mark and "." not in mantissa else text
