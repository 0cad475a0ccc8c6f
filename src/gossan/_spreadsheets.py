"""Cells that a spreadsheet would run as formulas: made harmless where a table is written as CSV.

A table comes in; one that Excel and its kin show as it stands goes out.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula (OWASP, CSV injection)."""


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts and headers no spreadsheet runs: an apostrophe stands before them.

    Examples
    --------
    >>> without_formulas(pd.DataFrame({"=A1": ["@x", "Mt Isa"], "Au": [-1.0, 2.0]}))
       '=A1   Au
    0   '@x -1.0
    1  Mt Isa  2.0
    """
    safe = table.copy()
    for place in range(safe.shape[1]):
        if not pd.api.types.is_numeric_dtype(safe.dtypes.iloc[place]):
            safe.isetitem(place, safe.iloc[:, place].map(without_formula))
    safe.columns = safe.columns.map(without_formula)
    if not isinstance(safe.index, pd.RangeIndex):
        safe.index = safe.index.map(without_formula)
    return safe


def without_formula(cell: Any) -> Any:
    """Return a cell with an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(STARTS) else cell
