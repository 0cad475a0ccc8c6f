"""The place of each row of a table: easting, northing and elevation, however they are called.

A `RawTable` comes in; an array of coordinates [m] goes out, or an error that names the row.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.data._coordinates import DEGREES, SYNONYMS, list_words, plain_header
from gossan.data.tables.rawtable import RawTable
from gossan.data.tables.sites import clean_text

FEET = frozenset({"ft", "feet", "foot", "us-ft", "usft", "us ft", "ftus"})
"""Words for lengths that are no metres."""

_BLANK = {"nan", "na", "n/a", "null", "none", "-", "*"}


def read_places(
    raw: RawTable, *, elevation: str = "error"
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the place of each row, and the headers of the columns that are no coordinates.

    Parameters
    ----------
    raw : RawTable
    elevation : "error" or "nan"
        What to do with a blank elevation.

    Returns
    -------
    places : array of shape (n_rows, 3)
        Easting, northing, elevation [m].
    rest : list of str

    Raises
    ------
    ValueError
        If a column of coordinates is not there, counts degrees, or holds no number in a row.
    """
    columns = _columns(raw)
    places = [
        _numbers(raw, header, may_be_blank=axis == "elevation" and elevation == "nan")
        for axis, header in columns.items()
    ]
    return np.column_stack(places), [name for name in raw.names if name not in columns.values()]


def cells_of(raw: RawTable, header: str) -> pd.Series:
    """Return the cells of a column, without blanks around text."""
    return clean_text(raw.columns[raw.names.index(header)])


def _columns(raw: RawTable) -> dict[str, str]:
    """Return the header of each coordinate."""
    plain = {name: plain_header(name) for name in raw.names}
    columns = {}
    for axis, words in SYNONYMS.items():
        found = [name for word in words.split() for name in raw.names if plain[name] == word]
        if not found:
            raise ValueError(
                f"{raw.source} has no column of {axis}; it has {list_words(raw.names)}. Call the"
                " columns easting, northing and elevation, or X, Y and Z."
            )
        columns[axis] = found[0]
    if {plain[columns["easting"]], plain[columns["northing"]]} <= set(DEGREES):
        raise ValueError(
            f"{raw.source} has longitudes and latitudes ({columns['easting']},"
            f" {columns['northing']}), which are degrees. Export it in projected metres (UTM, say)."
        )
    for header in columns.values():
        unit = re.search(r"[\[(]\s*([^\])]*?)\s*[\])]", header)
        if unit and unit[1].lower() in FEET:
            raise ValueError(
                f"{raw.source} has coordinates in feet ({header}). Export it in metres."
            )
    return columns


def _numbers(raw: RawTable, header: str, *, may_be_blank: bool) -> NDArray[np.float64]:
    cells = cells_of(raw, header)
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    is_bad = ~np.isfinite(numbers)
    if may_be_blank:
        is_blank = cells.isna() | cells.astype(str).str.lower().isin(_BLANK)
        is_bad &= ~is_blank.to_numpy()
    if is_bad.any():
        at = int(np.argmax(is_bad))
        raise ValueError(
            f"{raw.source}, row {raw.rows[at]}: column {header!r} holds no number in"
            f" {int(is_bad.sum())} rows, the first is {cells.iloc[at]!r}. Mend or delete these rows"
            " (decimals need a point)."
        )
    return numbers
