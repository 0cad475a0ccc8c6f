"""The four tables of a drilling campaign, read from whatever a mine or a survey office sends.

A CSV, Excel or Parquet file or a DataFrame comes in; a `HoleTable` with our column names goes out:
collars, surveys, or intervals with values, the mask of what is below detection, and labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import GossanWarning, check_option
from gossan.data.holes.columns import (
    LABELS,
    KeyColumn,
    find_columns,
    read_names,
    read_number,
    without_columns,
)
from gossan.data.holes.values import (
    ReadOptions,
    check_amounts,
    decimal_of,
    read_values,
)
from gossan.data.tables.rawtable import RawTable, read_raw
from gossan.data.tables.screening import Finding, make_finding, refuse_errors
from gossan.data.tables.sites import read_sites

DIPS = ("down_negative", "down_positive", "from_vertical")
_MIN_SHARE = 0.8  # of the dips must have one sign before a convention is read from them


@dataclass(frozen=True, eq=False)
class HoleTable:
    """One table as read.

    `frame` has our column names and is indexed by the rows of the file (header = row 1);
    `censored` is the mask of the columns of analyses and `units` their units; `source` is the name
    of the file and `words` are the headers and elements by which its columns may be called.
    """

    frame: pd.DataFrame
    source: str
    findings: tuple[Finding, ...] = ()
    censored: pd.DataFrame = field(default_factory=pd.DataFrame)
    units: dict[str, str] = field(default_factory=dict)
    words: frozenset[str] = frozenset()


def read_collars(
    table: Any,
    options: ReadOptions,
    *,
    columns: Mapping[str, str] | None = None,
    sheet: str | int | None = None,
) -> HoleTable:
    """Read the table of collars: hole, easting, northing, elevation, depth (NaN: not given).

    Parameters
    ----------
    table : path or DataFrame
    options : ReadOptions
    columns : mapping of name to header, optional
    sheet : str or int, optional

    Returns
    -------
    collars : HoleTable
        With azimuth and dip as written if the table has both; other columns follow.

    Raises
    ------
    ValueError
        If the table cannot be read, a column is missing, or a number is none.
    """
    raw, keys, findings = _open(table, "collar", columns, sheet)
    if ("azimuth" in keys) != ("dip" in keys):
        keys = {role: key for role, key in keys.items() if role not in ("azimuth", "dip")}
    read = _read_keys(raw, keys, findings, options)
    if "depth" not in read.frame:
        read.frame.insert(4, "depth", np.nan)
    return _with_labels(raw, read, keys)


def read_surveys(
    table: Any,
    options: ReadOptions,
    *,
    columns: Mapping[str, str] | None = None,
    sheet: str | int | None = None,
) -> HoleTable:
    """Read the table of surveys: hole, depth, azimuth and dip as written, then other columns.

    Parameters, return and errors as for `read_collars`.
    """
    raw, keys, findings = _open(table, "survey", columns, sheet)
    return _with_labels(raw, _read_keys(raw, keys, findings, options), keys)


def read_intervals(
    table: Any,
    options: ReadOptions,
    *,
    columns: Mapping[str, str] | None = None,
    sheet: str | int | None = None,
) -> HoleTable:
    """Read a table of intervals: hole, from, to, then analyses, other numbers and labels.

    Parameters
    ----------
    table : path or DataFrame
    options : ReadOptions
    columns : mapping of name to header, optional
    sheet : str or int, optional

    Returns
    -------
    intervals : HoleTable
        Analyses have the names of their elements, as in `read_assays`; where two columns hold one
        element, the second is called "Au_2".

    Raises
    ------
    ValueError
        If the table cannot be read, a column is missing, or a number is none.
    """
    raw, keys, findings = _open(table, "interval", columns, sheet)
    read = _read_keys(raw, keys, findings, options)
    rest = without_columns(raw, {key.place for key in keys.values()})
    read_columns, found = read_values(rest, options)
    refuse_errors(raw.source, found, options.errors)
    values = pd.DataFrame({c.column.analyte: c.values for c in read_columns}, index=_row_index(raw))
    censored = pd.DataFrame(
        {c.column.analyte: c.censored for c in read_columns}, index=_row_index(raw)
    )
    used = {p for c in read_columns for p in (c.column.place, c.column.flag, c.column.limit)}
    labels, cleaned = _read_labels(rest, used)
    frame = _join(read.frame, values, labels)
    units = {c.column.analyte: c.column.unit for c in read_columns}
    found = [*read.findings, *found, *cleaned]
    found += check_amounts(raw, values, units, options)
    words = frozenset({*rest.names, *(header.analyte for header in rest.headers)})
    return replace(
        read, frame=frame, censored=censored, units=units, findings=tuple(found), words=words
    )


def to_our_dip(surveys: HoleTable, convention: str | None) -> HoleTable:
    """Surveys whose dips are negative downwards, from any convention.

    Parameters
    ----------
    surveys : HoleTable
        With a column `dip` as written.
    convention : "down_negative", "down_positive", "from_vertical" or None
        How the dips are written; None infers the sign from the bulk of them, with a warning.

    Returns
    -------
    surveys : HoleTable
        A new table.

    Raises
    ------
    ValueError
        If the convention is None and cannot be inferred.

    Warns
    -----
    GossanWarning
        If the convention was inferred.
    """
    check_option("dip", convention, (None, *DIPS))
    frame, findings = surveys.frame.copy(), surveys.findings
    if convention is None:
        convention, why = _infer_dip(surveys)
        message = f"dips are read as {convention}, since {why}; dip= says otherwise"
        findings += (make_finding("dip convention", "warning", message, column="dip"),)
        warnings.warn(f"{surveys.source}: {message}.", GossanWarning, stacklevel=3)
    dip = frame["dip"]
    turned = {"down_negative": dip, "down_positive": -dip, "from_vertical": dip - 90}
    frame["dip"] = turned[convention] + 0.0  # no negative zero
    return replace(surveys, frame=frame, findings=findings)


def _infer_dip(surveys: HoleTable) -> tuple[str, str]:
    """Sign of the bulk of the dips, and why it was believed."""
    dips = surveys.frame["dip"].dropna()
    n, n_down, n_up = len(dips), int((dips < 0).sum()), int((dips > 0).sum())
    ask = (
        f"Pass dip= with one of {', '.join(map(repr, DIPS))}: is 60 a hole 60° below the"
        " horizontal ('down_positive'), or 60° from the vertical ('from_vertical')?"
    )
    if not n_down + n_up:
        raise ValueError(f"{surveys.source}: no dip is other than 0 or missing ({n} dips). {ask}")
    span = f"{n} dips from {dips.min():g} to {dips.max():g}"
    if n_down >= _MIN_SHARE * (n_down + n_up):
        return "down_negative", f"{n_down} of {n} are negative"
    if n_up < _MIN_SHARE * (n_down + n_up):
        raise ValueError(
            f"{surveys.source}: the sign of the dips cannot be told from {span}. {ask}"
        )
    if dips.max() > 90 or dips.median() < 30:
        raise ValueError(f"{surveys.source}: {span} may be angles from the vertical. {ask}")
    return "down_positive", f"{n_up} of {n} are positive"


def _open(
    table: Any, kind: str, columns: Mapping[str, str] | None, sheet: str | int | None
) -> tuple[RawTable, dict[str, KeyColumn], list[Finding]]:
    raw = read_raw(table, sheet=sheet)
    keys, findings = find_columns(raw, kind, columns)
    return raw, keys, [*raw.findings, *findings]


def _read_keys(
    raw: RawTable, keys: Mapping[str, KeyColumn], findings: list[Finding], options: ReadOptions
) -> HoleTable:
    """Hole, depths, angles and coordinates under our names."""
    numbers = {role: key for role, key in keys.items() if role != "hole"}
    decimal = decimal_of(raw, [key.place for key in numbers.values()], options)
    data: dict[str, Any] = {"hole": read_names(raw, keys["hole"])}
    if data["hole"].isna().all():
        raise ValueError(
            f"{raw.source}, column {keys['hole'].header!r} names no hole in {len(raw.rows)} rows."
            " Name the column of the holes in columns=."
        )
    found: list[Finding] = []
    for role, key in numbers.items():
        data[LABELS.get(role, role)], more = read_number(raw, key, decimal=decimal)
        found += more
    refuse_errors(raw.source, found, options.errors)
    frame = pd.DataFrame(data, index=raw.columns.index).set_axis(_row_index(raw), axis="index")
    return HoleTable(frame, raw.source, (*findings, *found))


def _with_labels(raw: RawTable, read: HoleTable, keys: Mapping[str, KeyColumn]) -> HoleTable:
    """Return the table with every other column of the file."""
    rest = without_columns(raw, {key.place for key in keys.values()})
    labels, cleaned = _read_labels(rest, ())
    return replace(read, frame=_join(read.frame, labels), findings=(*read.findings, *cleaned))


def _read_labels(rest: RawTable, used: Collection[int]) -> tuple[pd.DataFrame, list[Finding]]:
    """Return all other columns; floats that are whole and complete are counts or ids."""
    labels, findings = read_sites(rest, used)
    for name in labels.columns:
        column = labels[name]
        if (
            pd.api.types.is_float_dtype(column)
            and (column % 1 == 0).all()
            and (column.abs() < 2**53).all()
        ):
            labels[name] = column.astype(np.int64)
    return labels.set_axis(_row_index(rest), axis="index"), findings


def _row_index(raw: RawTable) -> pd.Index:
    return pd.Index(raw.rows, name="row")


def _join(keys: pd.DataFrame, *others: pd.DataFrame) -> pd.DataFrame:
    """One table; a label that has the name of a column before it gets an underscore."""
    taken = set(keys.columns)
    parts = [keys]
    for other in others:
        names = []
        for name in map(str, other.columns):
            new = name
            while new in taken:
                new += "_"
            taken.add(new)
            names.append(new)
        parts.append(other.set_axis(names, axis="columns").set_axis(keys.index, axis="index"))
    return pd.concat(parts, axis=1)
