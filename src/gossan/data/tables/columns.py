"""Which columns of a table are analyses, and what belongs to each: unit, limits, flags.

A `RawTable` comes in; one `AnalyteColumn` per column of analyses goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import did_you_mean
from gossan._units import normalise_unit, oxide_element
from gossan.data.tables.headers import OXIDES, parse_header
from gossan.data.tables.limits import Kind, parse_cells
from gossan.data.tables.rawtable import RawTable
from gossan.data.tables.screening import Finding, make_finding

_PARTNERS = {"Y": "X", "N": "E"}  # coordinates come in pairs


@dataclass(frozen=True)
class AnalyteColumn:
    """A column of analyses: `place` in the table, its `analyte` and `unit` ("" if none is known).

    `is_concentration` is False for whatever is neither element nor oxide and has no unit of
    concentration; then negative numbers and zeros are numbers. `flag` and `limit` are the places
    of the columns of flags ("cens_Fe") and limits ("Fe_LOD") that belong to it, -1 for none.
    """

    place: int
    header: str
    analyte: str
    unit: str
    header_limit: float
    is_concentration: bool = True
    is_unit_assumed: bool = False
    flag: int = -1
    limit: int = -1


def rename_columns(raw: RawTable, rename: Mapping[str, str] | None) -> RawTable:
    """Return the table with new headers, read anew.

    Raises
    ------
    ValueError
        If a column to be renamed does not exist, or two columns would have one name.
    """
    if not rename:
        return raw
    for old in rename:
        if old not in raw.names:
            raise ValueError(
                f"{raw.source} has no column {old!r} to rename; it has {_list(raw.names)}."
                f" Give headers as written in the table.{did_you_mean(str(old), raw.names)}"
            )
    headers = [parse_header(rename[h.text]) if h.text in rename else h for h in raw.headers]
    names = [header.text for header in headers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(
            f"Renaming gives two columns the name {twice!r} in {raw.source}. Choose another name."
        )
    return replace(raw, headers=headers)


def choose_columns(
    raw: RawTable,
    elements: Sequence[str] | None = None,
    *,
    units: Mapping[str, str] | str | None = None,
) -> tuple[list[AnalyteColumn], list[Finding]]:
    """Columns of analyses, with what was found about them.

    Parameters
    ----------
    raw : RawTable
    elements : sequence of str, optional
        Elements, oxides or headers; an element that is there only as an oxide is taken from it.
        Default: every column whose header names an element or oxide and whose cells are numbers.
    units : str or mapping of analyte or header to unit, optional

    Returns
    -------
    columns : list of AnalyteColumn
        Several may hold one analyte.
    findings : list of Finding

    Raises
    ------
    ValueError
        If no column, or not each of `elements`, is found, or a unit is given for no column.
    """
    if isinstance(elements, str):
        elements = [elements]
    places = _recognise(raw) if elements is None else _find_named(raw, elements)
    if not places:
        raise ValueError(
            f"No column of analyses is recognised in {raw.source}; it has {_list(raw.names)}. Name"
            " columns as in 'Fe_ppm' or 'SiO2 (wt%)', or pass elements=[...]."
        )
    columns = [_describe(raw, place, units) for place in dict.fromkeys(places)]
    _check_units_used(raw, columns, units)
    return [_with_twins(raw, column) for column in columns], _report_columns(raw, columns)


def _recognise(raw: RawTable) -> list[int]:
    """Places of the columns whose header and cells both say "analysis"."""
    strong: list[int] = []
    weak: list[int] = []
    for place, header in enumerate(raw.headers):
        if header.role != "value":
            continue
        if not header.unit and not _is_numeric(raw.columns[place]):
            continue
        (weak if header.is_weak else strong).append(place)
    weak = [place for place in weak if not _is_coordinate(raw, place)]
    # "S" or "CU" alone may be anything; among other elements it is one of them.
    return sorted(strong + weak) if len(strong) + len(weak) >= 3 else strong


def _is_coordinate(raw: RawTable, place: int) -> bool:
    header = raw.headers[place]
    partner = _PARTNERS.get(header.analyte)
    return header.text in _PARTNERS and partner in raw.names


def _is_numeric(cells: pd.Series) -> bool:
    """Whether at least half of the filled cells (of the first 2,000) are numbers or limits."""
    filled = cells.dropna().iloc[:2000]
    kinds = [parse_cells(filled, decimal=mark).kinds for mark in ".,"]
    n_filled = min(np.count_nonzero(k != Kind.MISSING) for k in kinds)
    n_bad = min(np.count_nonzero(k == Kind.BAD) for k in kinds)
    return bool(n_bad <= n_filled / 2)


def _find_named(raw: RawTable, elements: Sequence[str]) -> list[int]:
    """Places of the columns that the user names: by header, analyte, or oxide."""
    values = {place: h.analyte for place, h in enumerate(raw.headers) if h.role == "value"}
    places: list[int] = []
    for name in map(str, elements):
        found = [raw.names.index(name)] if name in raw.names else []
        found = found or [place for place, analyte in values.items() if analyte == name]
        found = found or [p for p, analyte in values.items() if _oxide_of(analyte) == name]
        if not found:
            known = [*dict.fromkeys([*values.values(), *raw.names])]
            raise ValueError(
                f"{raw.source} has no column for {name!r}; its columns are {_list(raw.names)}."
                f" Check the spelling, or rename a column with rename=.{did_you_mean(name, known)}"
            )
        places += found
    return places


def _oxide_of(analyte: str) -> str:
    return oxide_element(analyte) if analyte in OXIDES else ""


def _describe(raw: RawTable, place: int, units: Mapping[str, str] | str | None) -> AnalyteColumn:
    header = raw.headers[place]
    analyte = header.analyte if header.role == "value" else ""
    given = units if isinstance(units, str) else None
    if isinstance(units, Mapping):
        given = units.get(header.text, units.get(analyte))
    unit = header.unit if given is None else _given_unit(given, is_analyte=bool(analyte))
    return AnalyteColumn(
        place=place,
        header=header.text,
        analyte=analyte or header.text,
        unit=unit or ("ppm" if analyte else ""),
        header_limit=header.limit,
        is_concentration=bool(analyte) or _is_concentration(unit),
        is_unit_assumed=bool(analyte) and not unit,
    )


def _given_unit(unit: str, *, is_analyte: bool) -> str:
    """Short name of a unit; what is no element may have a unit of its own, such as permil."""
    try:
        return normalise_unit(unit)
    except ValueError:
        if is_analyte:
            raise
        return str(unit)


def _is_concentration(unit: str) -> bool:
    try:
        return normalise_unit(unit) not in {"K", "degC"}
    except ValueError:
        return False


def _check_units_used(
    raw: RawTable, columns: Sequence[AnalyteColumn], units: Mapping[str, str] | str | None
) -> None:
    if not isinstance(units, Mapping):
        return
    known = {word for column in columns for word in (column.analyte, column.header)}
    for name in units:
        if name not in known and name not in raw.names:
            raise ValueError(
                f"A unit is given for {name!r}, which is no column of {raw.source}; the analyses"
                f" are {_list([c.analyte for c in columns])}. Check the spelling."
                f"{did_you_mean(str(name), sorted(known))}"
            )


def _with_twins(raw: RawTable, column: AnalyteColumn) -> AnalyteColumn:
    """Return the column with the places of its flags and limits."""
    for place, header in enumerate(raw.headers):
        if header.analyte == column.analyte and header.role == "flag":
            column = replace(column, flag=place)
        if header.analyte == column.analyte and header.role == "limit":
            column = replace(column, limit=place)
    return column


def _report_columns(raw: RawTable, columns: Sequence[AnalyteColumn]) -> list[Finding]:
    findings = []
    assumed = [column.analyte for column in columns if column.is_unit_assumed]
    if assumed:
        message = f"no unit is given for {_list(assumed)}: ppm is assumed (units= says otherwise)"
        findings.append(make_finding("unit assumed", "note", message))
    nameless = [column.analyte for column in columns if not column.unit]
    if nameless:
        message = f"no unit is known for {_list(nameless)}: numbers are kept as they are"
        findings.append(make_finding("no unit", "note", message))
    chosen = {column.place for column in columns}
    for place, header in enumerate(raw.headers):
        if place in chosen or header.role in {"flag", "limit"}:
            continue
        if header.role == "value" and not _is_coordinate(raw, place):
            message = "named like an analysis but not read as one; kept with the sites"
        elif header.unit == "at%":
            message = "counts atoms, which is no concentration by mass; kept with the sites"
        elif header.unit and pd.api.types.is_numeric_dtype(_guess(raw.columns[place])):
            message = "has a unit but names no element or oxide; kept with the sites"
        else:
            continue
        findings.append(make_finding("not an analysis", "note", message, column=header.text))
    return findings


def _guess(cells: pd.Series) -> Any:
    """Type of the cells, text that is numbers counting as a number."""
    return np.dtype(float) if _is_numeric(cells) else cells.dtype


def _list(words: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(map(str, words[:most]))
    return shown if len(words) <= most else f"{shown} ... ({len(words)} in all)"
