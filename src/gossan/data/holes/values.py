"""What was measured along a hole: analyses, densities and other numbers, with their masks.

The columns of a table of intervals come in, unread; numbers, masks and findings go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gossan._checks import check_option
from gossan._units import convert_unit
from gossan.data.tables.cells import ReadColumn, known_limits, read_column
from gossan.data.tables.columns import AnalyteColumn, choose_columns
from gossan.data.tables.limits import MISSING, Kind, ParsedCells, find_decimal, parse_cells
from gossan.data.tables.rawtable import RawTable
from gossan.data.tables.screening import (
    Finding,
    find_impossible,
    make_finding,
    refuse_errors,
)

_MIN_NUMBERS = 0.9  # of the cells must be numbers before a column of text is one of numbers


@dataclass(frozen=True)
class ReadOptions:
    """How the cells of the tables are read; the words of `read_drillholes`."""

    units: Mapping[str, str] | str | None = None
    missing: tuple[float | str, ...] = MISSING
    limits: Mapping[str, float] | None = None
    decimal: str | None = None
    negatives: str = "limit"
    errors: str = "raise"
    convert: bool = False

    def __post_init__(self) -> None:
        check_option("negatives", self.negatives, ("limit", "auto", "error"))
        check_option("errors", self.errors, ("raise", "missing"))
        check_option("decimal", self.decimal, (None, ".", ","))
        check_option("convert", self.convert, (True, False))

    def unit_of(self, header: str) -> str:
        """Return the unit that the caller gives for a header, or an empty text."""
        return str(self.units.get(header, "")) if isinstance(self.units, Mapping) else ""


def decimal_of(raw: RawTable, places: Sequence[int], options: ReadOptions) -> str:
    """Decimal mark of some columns: the one that is given, or the one that the cells show.

    Raises
    ------
    ValueError
        If the cells leave it open.
    """
    if options.decimal is not None:
        return options.decimal
    try:
        return find_decimal([raw.columns[place] for place in places], separator=raw.separator)
    except ValueError as error:
        raise ValueError(f"{raw.source}: {error}") from None


def read_values(rest: RawTable, options: ReadOptions) -> tuple[list[ReadColumn], list[Finding]]:
    """Columns of analyses and of other numbers with their masks.

    Parameters
    ----------
    rest : RawTable
        The columns beside hole, from and to.
    options : ReadOptions

    Returns
    -------
    read : list of ReadColumn
    findings : list of Finding
        Errors among them, for the caller to raise.
    """
    columns, findings = _choose_analytes(rest, options.units)
    decimal = decimal_of(rest, [column.place for column in columns], options) if columns else "."
    others, found = _choose_numbers(rest, {c.place for c in columns}, decimal, options)
    columns, twins = _rename_twins([*columns, *others])
    words = {word for column in columns for word in (column.analyte, column.header)}
    limits = {name: limit for name, limit in (options.limits or {}).items() if name in words}
    read = []
    for column in columns:
        known = known_limits(rest, column, columns, limits, None)
        item = read_column(
            rest, column, known=known, labs=None, decimal=decimal, missing=options.missing,
            negatives=options.negatives,
        )  # fmt: skip
        read.append(_in_ppm(item) if options.convert else item)
    findings = [*findings, *found, *twins, *(finding for item in read for finding in item.findings)]
    return read, findings


def _choose_analytes(
    rest: RawTable, units: Mapping[str, str] | str | None
) -> tuple[list[AnalyteColumn], list[Finding]]:
    if not any(header.role == "value" for header in rest.headers):
        return [], []
    mine = units
    if isinstance(units, Mapping):  # a unit may be meant for another of the tables
        words = {word for header in rest.headers for word in (header.text, header.analyte)}
        mine = {name: unit for name, unit in units.items() if name in words}
    try:
        return choose_columns(rest, units=mine)
    except ValueError as error:
        # A log of rock types has headers such as "S" that name an element and hold none.
        if "is recognised" in str(error):
            return [], []
        raise


def _choose_numbers(
    rest: RawTable, taken: set[int], decimal: str, options: ReadOptions
) -> tuple[list[AnalyteColumn], list[Finding]]:
    """Columns of measured numbers that are no analyses: density, recovery, susceptibility."""
    columns, findings = [], []
    for place, header in enumerate(rest.headers):
        if place in taken or header.role in ("flag", "limit"):
            continue
        unit = options.unit_of(header.text)
        cells = rest.columns[place]
        parsed = parse_cells(cells, decimal=decimal, missing=options.missing)
        if not unit and not _is_measured(cells, parsed):
            continue
        bad = parsed.is_kind(Kind.BAD)
        if not bad.any() or unit or options.errors == "missing":
            columns.append(
                AnalyteColumn(place, header.text, header.text, unit, np.nan, is_concentration=False)
            )
            continue
        message = f"numbers but for {str(cells[bad].iloc[0])!r} and the like: kept as text"
        findings.append(
            make_finding(
                "mixed column", "warning", message, rows=rest.rows[bad], column=header.text
            )
        )
    return columns, findings


def _is_measured(cells: pd.Series, parsed: ParsedCells) -> bool:
    """Whether cells are numbers, some not whole or beside a code such as "NS": no ids, no labels."""
    if pd.api.types.is_bool_dtype(cells) or pd.api.types.is_datetime64_any_dtype(cells):
        return False
    n_numbers = int(parsed.is_kind(Kind.NUMBER, Kind.BELOW, Kind.ABOVE).sum())
    if not n_numbers or n_numbers < _MIN_NUMBERS * (parsed.kinds != Kind.MISSING).sum():
        return False
    texts = cells.dropna().astype(str).str.strip()
    if not pd.api.types.is_numeric_dtype(cells) and texts.str.match("0[0-9]").any():
        return False
    pattern = r"-?[0-9]+(\.0)?" if pd.api.types.is_numeric_dtype(cells) else r"-?[0-9]+"
    return not texts[texts != ""].str.fullmatch(pattern).all() or _has_codes(cells, parsed)


def _has_codes(cells: pd.Series, parsed: ParsedCells) -> bool:
    """Whether "missing" is written in a cell that is not blank: "NS", -9999."""
    is_filled = cells.notna() & (cells.astype(str).str.strip() != "")
    return bool((is_filled.to_numpy() & parsed.is_kind(Kind.MISSING)).any())


def _rename_twins(
    columns: Sequence[AnalyteColumn],
) -> tuple[list[AnalyteColumn], list[Finding]]:
    """Return the columns, a second one of one element as "Au_2", and a note on each."""
    seen: set[str] = set()
    named, findings = [], []
    for column in columns:
        name, count = column.analyte, 2
        while name in seen:
            name, count = f"{column.analyte}_{count}", count + 1
        seen.add(name)
        named.append(replace(column, analyte=name))
        if name != column.analyte:
            message = f"{column.header!r} holds {column.analyte} again and is called {name!r}"
            findings.append(make_finding("two columns", "note", message, column=name))
    return named, findings


def _in_ppm(item: ReadColumn) -> ReadColumn:
    if not item.column.is_concentration or not item.column.unit:
        return item
    values = convert_unit(item.values, item.column.unit, "ppm")
    return replace(item, values=values, column=replace(item.column, unit="ppm"))


def check_amounts(
    raw: RawTable, values: pd.DataFrame, units: Mapping[str, str], options: ReadOptions
) -> list[Finding]:
    """More than 100 % of one thing, which is a wrong unit.

    Raises
    ------
    ValueError
        If there is such a cell and errors are to be raised.
    """
    known = {}
    for name, unit in units.items():
        try:
            convert_unit(0.0, unit, "wt%")
        except ValueError:
            continue
        known[name] = unit
    found = find_impossible(values[list(known)], known, rows=raw.rows, cells_only=True)
    refuse_errors(raw.source, found, options.errors)
    return found
