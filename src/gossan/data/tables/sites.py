"""The columns beside the analyses: ids, labels of deposits and studies, coordinates.

Cells come in as they stand in the file; clean text and numbers go out.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gossan.data.tables.rawtable import RawTable
from gossan.data.tables.screening import Finding, make_finding


def read_sites(raw: RawTable, used: Collection[int]) -> tuple[pd.DataFrame, list[Finding]]:
    """Read every column that is no analysis: numbers as numbers, text without stray blanks.

    Parameters
    ----------
    raw : RawTable
    used : collection of int
        Places of the columns of analyses and of their flags and limits.

    Returns
    -------
    sites : DataFrame of n_rows
    findings : list of Finding
    """
    sites, findings = {}, []
    for place, header in enumerate(raw.headers):
        if place in used:
            continue
        cells = raw.columns[place]
        if isinstance(cells.dtype, pd.StringDtype) or pd.api.types.is_object_dtype(cells.dtype):
            cleaned = clean_text(cells)
            changed = _changed_cells(cells, cleaned)
            if changed.any():
                message = "blanks before or after the text are stripped"
                findings.append(
                    make_finding(
                        "stray blanks", "note", message, rows=raw.rows[changed], column=header.text
                    )
                )
            cells = _as_numbers(cleaned) if raw.separator else cleaned
        sites[header.text] = cells
    return pd.DataFrame(sites, index=raw.columns.index), findings


def clean_text(cells: pd.Series) -> pd.Series:
    """Return text without blanks around it, blank cells missing; other cells as they are."""
    if isinstance(cells.dtype, pd.StringDtype):
        texts = pc.utf8_trim_whitespace(pa.array(cells, pa.large_string(), from_pandas=True))
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.large_string()), texts)
        return pd.Series(texts.to_pandas(), index=cells.index, dtype=str)
    if not pd.api.types.is_object_dtype(cells.dtype):
        return cells
    stripped = [cell.strip() or None if isinstance(cell, str) else cell for cell in cells]
    is_text = all(
        cell is None or isinstance(cell, str) or pd.isna(cell) is True for cell in stripped
    )
    return pd.Series(stripped, index=cells.index, dtype=str if is_text else object)


def _changed_cells(before: pd.Series, after: pd.Series) -> NDArray[np.bool_]:
    """Mask of the cells whose text lost a blank (cells of blanks only do not count)."""
    if not isinstance(after.dtype, pd.StringDtype):
        return np.zeros(len(after), dtype=bool)
    old = pa.array(before.astype(str), pa.large_string(), from_pandas=True)
    new = pa.array(after, pa.large_string(), from_pandas=True)
    return np.asarray(pc.not_equal(old, new).fill_null(False))


def _as_numbers(cells: pd.Series) -> pd.Series:
    """Numbers, where every cell of a column of a text file is one and no zero leads ("007")."""
    if not isinstance(cells.dtype, pd.StringDtype):
        return cells
    texts = pa.array(cells, pa.large_string(), from_pandas=True)
    # An exponent needs a point: "12E3" is a name.
    pattern = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]*([eE][-+]?[0-9]{1,3})?)?$"
    is_number = pc.match_substring_regex(texts, pattern)
    if not pc.all(is_number, min_count=1).as_py():
        return cells
    numbers = pd.Series(np.asarray(pc.cast(texts, pa.float64())), index=cells.index)
    is_whole = pc.all(pc.match_substring_regex(texts, r"^-?[0-9]+$"), min_count=1).as_py()
    return numbers.astype(np.int64) if is_whole and texts.null_count == 0 else numbers
