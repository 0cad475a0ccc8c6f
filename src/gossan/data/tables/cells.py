"""One column of analyses from cells to numbers, with all that was found on the way.

An `AnalyteColumn` and its cells come in; values in the column's own unit, the censored mask and
findings with row numbers go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan._units import convert_unit
from gossan.data.tables.columns import AnalyteColumn
from gossan.data.tables.limits import Kind, ParsedCells, parse_cells, resolve_limits
from gossan.data.tables.rawtable import RawTable
from gossan.data.tables.screening import Finding, make_finding
from gossan.data.tables.sites import clean_text

_FLAG_WORDS = {"1": 1, "1.0": 1, "true": 1, "yes": 1, "y": 1, "<": 1, "bdl": 1, "b": 1, "l": 1}
_FLAG_WORDS |= {"2": 2, "2.0": 2, "0": 0, "0.0": 0, "false": 0, "no": 0, "n": 0, "": 0, "=": 0}
_UNSTATED = "cells are 0 or say 'below detection' without a limit: "
_ORIGINS = {
    1: ("known limit", "note", _UNSTATED + "the known one, {limit}, is used"),
    2: ("unknown limit", "warning", _UNSTATED + "the smallest one stated, {limit}, is used"),
    3: ("unknown limit", "warning", _UNSTATED + "the smallest value measured, {limit}, is used"),
    4: ("unknown limit", "warning", _UNSTATED + "none is known, so they are missing"),
}


@dataclass(frozen=True)
class ReadColumn:
    """A column as read: `values` and `censored` of shape (n_rows,), in `column.unit`."""

    column: AnalyteColumn
    values: NDArray[np.float64]
    censored: NDArray[np.bool_]
    findings: tuple[Finding, ...]


def read_column(
    raw: RawTable,
    column: AnalyteColumn,
    *,
    known: NDArray[np.float64],
    labs: NDArray[Any] | None,
    decimal: str,
    missing: Sequence[float | str],
    negatives: str,
) -> ReadColumn:
    """Read one column of analyses; errors are findings, for the caller to raise.

    Parameters
    ----------
    raw : RawTable
    column : AnalyteColumn
    known : array of shape (n_rows,)
        Limits known from the header or the caller, in the unit of the column; NaN where none.
    labs : array of shape (n_rows,) or None
        Laboratory of each row.
    decimal, missing, negatives
        As in `read_assays`.

    Returns
    -------
    read : ReadColumn
    """
    cells = raw.columns[column.place]
    parsed = parse_cells(cells, decimal=decimal, unit=column.unit, missing=missing)
    found = _Findings(raw.rows, column.analyte)
    known = _row_limits(raw, column, known, decimal=decimal)
    _report_cells(found, parsed, cells)
    parsed = _check_negatives(found, parsed, column, negatives)
    mode = "limit" if column.is_concentration else "keep"
    values, censored, origin = resolve_limits(parsed, known, labs=labs, negatives=mode)
    for number, (kind, severity, message) in _ORIGINS.items():
        hit = origin == number
        limit = f"{np.nanmin(values[hit]):g} {column.unit}" if hit.any() and number < 4 else ""
        advice = " (pass limits=)" if number > 1 else ""
        found.add(kind, severity, message.format(limit=limit) + advice, hit)
    _apply_flags(found, raw, column, values, censored, known=known)
    below = ~censored & (values < known) & (parsed.kinds == Kind.NUMBER)
    found.add("below its limit", "note", "values lie below the known limit: substitutes?", below)
    return ReadColumn(column, values, censored, tuple(found.findings))


def lab_of_rows(
    raw: RawTable, lab: str | None, limits: Mapping[str, Any] | None
) -> NDArray[Any] | None:
    """Laboratory of each row, or None where `lab` is None.

    Raises
    ------
    ValueError
        If there is no such column, or limits are given for a laboratory that is not in it.
    """
    by_lab = [name for name, limit in (limits or {}).items() if isinstance(limit, Mapping)]
    if lab is None:
        if by_lab:
            raise ValueError(
                f"Limits are given by laboratory ({', '.join(map(str, by_lab))}) but no column of"
                " laboratories. Pass lab= with the name of that column."
            )
        return None
    if lab not in raw.names:
        raise ValueError(
            f"{raw.source} has no column {lab!r} of laboratories; it has {', '.join(raw.names)}."
            f" Pass the name of a column.{did_you_mean(str(lab), raw.names)}"
        )
    labs = clean_text(raw.columns[raw.names.index(lab)]).to_numpy(dtype=object)
    present = sorted({str(name) for name in labs if not pd.isna(name)})
    for name in by_lab:
        if name not in present:
            raise ValueError(
                f"Limits are given for laboratory {name!r}, but column {lab!r} of {raw.source}"
                f" holds {', '.join(present[:12])}. Check the spelling."
                f"{did_you_mean(str(name), present)}"
            )
    return labs


def known_limits(
    raw: RawTable,
    column: AnalyteColumn,
    columns: Sequence[AnalyteColumn],
    limits: Mapping[str, Any] | None,
    labs: NDArray[Any] | None,
) -> NDArray[np.float64]:
    """Limit known for each row of a column from its header and from `limits`; NaN where none.

    Raises
    ------
    ValueError
        If a limit is given for no column, or is not positive.
    """
    known = np.full(len(raw.columns), column.header_limit)
    names = {word for other in columns for word in (other.analyte, other.header)}
    for key, limit in (limits or {}).items():
        mine = limit if isinstance(limit, Mapping) else {key: limit}
        for name, number in mine.items():
            _check_limit(raw, name, number, names)
            if name in (column.analyte, column.header):
                is_lab = isinstance(limit, Mapping) and labs is not None
                known[labs == key if is_lab else slice(None)] = float(number)
    return known


def _check_limit(raw: RawTable, name: str, number: Any, names: set[str]) -> None:
    if name not in names:
        raise ValueError(
            f"A limit is given for {name!r}, which is no analysis of {raw.source}; these are"
            f" {', '.join(sorted(names))}. Check the spelling."
            f"{did_you_mean(str(name), sorted(names))}"
        )
    is_number = isinstance(number, int | float | np.number) and not isinstance(number, bool)
    if not is_number or not 0 < number < np.inf:
        raise ValueError(
            f"The detection limit of {name} must be a positive number, got {number!r}. Give it in"
            " the unit of the column."
        )


class _Findings:
    """Findings of one column."""

    def __init__(self, rows: NDArray[np.int64], name: str) -> None:
        self.rows, self.name = rows, name
        self.findings: list[Finding] = []

    def add(self, kind: str, severity: str, message: str, hit: NDArray[np.bool_]) -> None:
        """Add a finding about the cells of a mask, if there are any."""
        if hit.any():
            self.findings.append(
                make_finding(kind, severity, message, rows=self.rows[hit], column=self.name)
            )


def _report_cells(found: _Findings, parsed: ParsedCells, cells: pd.Series) -> None:
    bad = parsed.is_kind(Kind.BAD)
    if bad.any():
        texts = list(dict.fromkeys(str(cell) for cell in cells[bad].iloc[:1000]))
        shown = ", ".join(repr(text[:30]) for text in texts[:4])
        more = f" and {len(texts) - 4} more texts" if len(texts) > 4 else ""
        found.add("not a number", "error", f"{shown}{more} cannot be read as a number", bad)
    above = parsed.is_kind(Kind.ABOVE)
    found.add("above limit", "warning", "above the upper limit: the limit is kept as value", above)
    message = "a thousands separator was read as such"
    found.add("thousands", "note", message, parsed.thousands)


def _check_negatives(
    found: _Findings, parsed: ParsedCells, column: AnalyteColumn, negatives: str
) -> ParsedCells:
    """Report the negative numbers, and mark them bad where they cannot be limits."""
    negative = parsed.is_kind(Kind.NUMBER) & (parsed.values < 0)
    if not negative.any() or not column.is_concentration:
        return parsed
    numbers = parsed.values[negative]
    few = len(np.unique(numbers)) <= max(3, 0.05 * len(numbers))
    if negatives == "error" or (negatives == "auto" and not few):
        why = "" if negatives == "error" else ", too varied to be detection limits"
        message = f"negative concentrations, such as {numbers[0]:g}{why}"
        found.add("negative", "error", message, negative)
        kinds, values = parsed.kinds.copy(), parsed.values.copy()
        kinds[negative], values[negative] = Kind.BAD, np.nan
        return ParsedCells(values, kinds, parsed.thousands)
    message = f"such as {numbers[0]:g}: read as below {-numbers[0]:g} {column.unit}"
    found.add("negative", "warning", message, negative)
    return parsed


def _row_limits(
    raw: RawTable, column: AnalyteColumn, known: NDArray[np.float64], *, decimal: str
) -> NDArray[np.float64]:
    """Limits of a twin column such as "Fe_LOD" where it has them, else the known ones."""
    if column.limit < 0:
        return known
    unit = raw.headers[column.limit].unit or column.unit
    parsed = parse_cells(raw.columns[column.limit], decimal=decimal, unit=unit)
    limits = convert_unit(parsed.values, unit, column.unit) if unit else parsed.values
    return np.where(limits > 0, limits, known)


def _apply_flags(
    found: _Findings,
    raw: RawTable,
    column: AnalyteColumn,
    values: NDArray[np.float64],
    censored: NDArray[np.bool_],
    *,
    known: NDArray[np.float64],
) -> None:
    """Honour a twin column of flags: 1 is below the value, 2 only a suspicion."""
    if column.flag < 0:
        return
    codes = _read_flags(raw.columns[column.flag])
    name = raw.headers[column.flag].text
    hit = (codes == 1) & ~(values < 0)
    empty = hit & np.isnan(values)
    values[empty] = known[empty]
    censored |= hit & ~np.isnan(values)
    lost = hit & np.isnan(values)
    found.add("unknown limit", "warning", f"flagged in {name!r} without a value: missing", lost)
    message = f"flagged 2 in {name!r}, a suspected substitute: kept as a value"
    found.add("suspected substitute", "note", message, codes == 2)
    message = f"flags in {name!r} are none of 0, 1, 2, true, false, '<': ignored"
    found.add("unknown flag", "warning", message, codes < 0)


def _read_flags(cells: pd.Series) -> NDArray[np.int64]:
    """0, 1 or 2 for each cell; -1 where it is no flag."""
    codes, words = pd.factorize(cells.map(str, na_action="ignore"), use_na_sentinel=True)
    read = [_FLAG_WORDS.get(str(word).strip().casefold(), -1) for word in words]
    return np.array([*read, 0], dtype=np.int64)[codes]  # a blank has the code -1: the last, 0
