"""The report on drill holes: what the tables hold, and what is wrong, with hole and row.

Tables and the findings about them come in; a `HoleReport` goes out that prints itself.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gossan._checks import check_option
from gossan.data.tables.quality import summarise
from gossan.data.tables.screening import SEVERITIES, Finding, format_rows

COLUMNS = ["severity", "kind", "table", "hole", "row", "column", "message", "n_cells"]
_NOTHING = pd.DataFrame([], columns=COLUMNS)
_MAX_PRINTED = 3  # findings of one kind that are printed one by one


@dataclass(frozen=True, eq=False)
class HoleReport:
    """What was found in the tables of drill holes; `print` it to read it.

    Attributes
    ----------
    findings : DataFrame of shape (n_findings, 8)
        One line for each place: severity ("error", "warning", "note"), kind ("overlap"), table,
        hole, row (as numbered in the file, header = row 1; 0 where the hole as a whole is meant),
        column, message and n_cells. What was found cell by cell while reading ("below 0.01") has
        one line a column, with its first hole and row and the number of cells.
    contents : DataFrame
        One row a table: source, rows, holes, metres.
    reading : DataFrame
        The findings that come from reading the cells, which no repair of the tables changes.
    """

    findings: pd.DataFrame
    contents: pd.DataFrame = field(repr=False)
    reading: pd.DataFrame = field(repr=False)

    def of_kind(self, kind: str) -> pd.DataFrame:
        """Return the findings of one kind, such as ``"overlap"``."""
        return self.findings[self.findings["kind"] == kind]

    def of_severity(self, severity: str) -> pd.DataFrame:
        """Return the findings of one severity: ``"error"``, ``"warning"`` or ``"note"``."""
        check_option("severity", severity, SEVERITIES)
        return self.findings[self.findings["severity"] == severity]

    def counts(self) -> pd.DataFrame:
        """Return how often each kind was found in each table, errors first."""
        groups = self.findings.groupby(["severity", "kind", "table"], sort=False, observed=True)
        return groups.agg(n=("row", "size"), n_holes=("hole", "nunique")).reset_index()

    def headline(self) -> str:
        """Return the number of findings of each severity in words."""
        counts = [len(self.of_severity(severity)) for severity in SEVERITIES]
        words = zip(counts, SEVERITIES, strict=True)
        return ", ".join(f"{n:,} {word}{'s' * (n != 1)}" for n, word in words)

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the findings, to be written to a file."""
        return self.findings.copy()

    def __str__(self) -> str:
        parts = [f"Quality of the tables: {self.headline()}", format_table(self.contents)]
        parts += [_print_severity(self.of_severity(severity), severity) for severity in SEVERITIES]
        return "\n\n".join(part for part in parts if part)


def place_findings(
    table: str,
    frame: pd.DataFrame,
    hit: ArrayLike,
    *,
    kind: str,
    severity: str,
    message: str,
    column: str = "",
) -> pd.DataFrame:
    """One finding for each row of a table that a mask points at.

    Parameters
    ----------
    table : str
        Name of the table.
    frame : DataFrame of n_rows
        With a column `hole` and indexed by the rows of the file.
    hit : bool array of shape (n_rows,)
    kind, severity, column : str
    message : str
        A template that may name columns of the table: ``"a dip of {dip:g}°"``.

    Returns
    -------
    findings : DataFrame of shape (n_hits, 8)
    """
    mask = np.asarray(hit, dtype=bool)
    if not mask.any():
        return _NOTHING
    rows = frame[mask]
    words = [message] * len(rows)
    if "{" in message:
        words = [message.format(**record) for record in rows.to_dict("records")]
    names = rows["hole"].fillna("").astype(str).to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "severity": severity,
            "kind": kind,
            "table": table,
            "hole": names,
            "row": rows.index.to_numpy(),
            "column": column,
            "message": words,
            "n_cells": 1,
        },
        columns=COLUMNS,
    )


def cell_findings(table: str, frame: pd.DataFrame, findings: Sequence[Finding]) -> pd.DataFrame:
    """What was found while reading a table, one line a column.

    Parameters
    ----------
    table : str
    frame : DataFrame
        With a column `hole` and indexed by the rows of the file.
    findings : sequence of Finding

    Returns
    -------
    findings : DataFrame of shape (n_findings, 8)
    """
    records = []
    for found in findings:
        first = found.rows[0] if found.rows else 0
        name = frame["hole"].get(first, "") if found.rows else ""
        places = format_rows(found.rows, found.n_cells)
        message = f"{found.message}{'; ' if places else ''}{places}"
        hole = name if isinstance(name, str) else ""
        records.append(
            (found.severity, found.kind, table, hole, first, found.column, message, found.n_cells)
        )
    return pd.DataFrame(records, columns=COLUMNS)


def join_findings(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All findings in one table, errors first, otherwise in the order in which they came."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return _NOTHING.copy()
    table = pd.concat(filled, ignore_index=True)
    rank = table["severity"].map(SEVERITIES.index)
    return table.iloc[np.argsort(rank.to_numpy(), kind="stable")].reset_index(drop=True)


def describe_tables(tables: Mapping[str, tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """Source, number of rows and holes, and metres of each table.

    Parameters
    ----------
    tables : mapping of name to (source, frame)

    Returns
    -------
    contents : DataFrame with the columns table, source, rows, holes, metres
    """
    records = []
    for name, (source, frame) in tables.items():
        metres = np.nan
        if "from" in frame:
            metres = float((frame["to"] - frame["from"]).clip(lower=0).sum())
        elif "easting" in frame:
            metres = float(frame["depth"].sum()) or np.nan
        records.append((name, source, len(frame), frame["hole"].nunique(), metres))
    return pd.DataFrame(records, columns=["table", "source", "rows", "holes", "metres"])


def summarise_holes(
    collars: pd.DataFrame,
    surveys: pd.DataFrame,
    intervals: Mapping[str, pd.DataFrame],
    *,
    censored: Mapping[str, pd.DataFrame],
    units: Mapping[str, Mapping[str, str]],
    report: HoleReport,
) -> str:
    """What drill holes hold, on half a page: where they are, how they point, what was measured.

    Parameters
    ----------
    collars, surveys, intervals, censored, units, report
        As the attributes of `DrillHoles`.

    Returns
    -------
    text : str
    """
    names = collars["hole"].dropna().unique()
    spans = [f"{axis} {_span(collars[axis])} m" for axis in ("easting", "northing", "elevation")]
    lines = [
        f"{len(names):,} drill hole{'s' * (len(names) != 1)}: {', '.join(spans)}",
        f"  dips {_span(surveys['dip'])}° (negative downwards), {len(surveys):,} surveys",
        "",
        format_table(report.contents),
    ]
    for name, table in intervals.items():
        if units.get(name):
            columns = list(units[name])
            figures = summarise(table[columns], censored[name][columns], units[name])
            figures.insert(0, name, figures.index)
            lines += ["", format_table(figures.rename(columns={"censored": "below %"}))]
    return "\n".join([*lines, "", f"{report.headline()}: print(holes.report)"])


def _span(values: pd.Series) -> str:
    low, high = values.min(), values.max()
    if pd.isna(low):
        return "unknown"
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def format_table(table: pd.DataFrame, *, indent: int = 2) -> str:
    """A table as aligned text: words to the left, numbers to the right.

    Examples
    --------
    >>> print(format_table(pd.DataFrame({"hole": ["A", "B-12"], "metres": [1200.5, float("nan")]})))
      hole  metres
      A      1,200
      B-12       -
    """
    if table.empty:
        return ""
    is_word = [not pd.api.types.is_numeric_dtype(table[name]) for name in table.columns]
    lines = [list(map(str, table.columns))]
    lines += [[_cell(value) for value in row] for row in table.itertuples(index=False, name=None)]
    widths = [max(len(line[j]) for line in lines) for j in range(len(lines[0]))]
    return "\n".join(
        " " * indent
        + "  ".join(
            cell.ljust(width) if word else cell.rjust(width)
            for cell, width, word in zip(line, widths, is_word, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        number = float(value)
        return (
            "-"
            if np.isnan(number)
            else f"{number:,.0f}"
            if abs(number) >= 1000
            else f"{number:.4g}"
        )
    return f"{value:,}" if isinstance(value, int | np.integer) else str(value)


def _print_severity(findings: pd.DataFrame, severity: str) -> str:
    if findings.empty:
        return ""
    width = min(int(findings["kind"].str.len().max()), 22)
    lines = [f"{severity}s"]
    for (kind, table), group in findings.groupby(["kind", "table"], sort=False, observed=True):
        for place, text in enumerate(_kind_texts(str(table), group)):
            head = f"  {('' if place else str(kind)).ljust(width)}  "
            indent = " " * (width + 6)
            lines += textwrap.wrap(text, 100, initial_indent=head, subsequent_indent=indent)
    return "\n".join(lines)


def _kind_texts(table: str, group: pd.DataFrame) -> list[str]:
    texts = [_place_text(table, row) for row in group.head(_MAX_PRINTED).itertuples(index=False)]
    more = len(group) - _MAX_PRINTED
    if more > 0:
        n_holes = group["hole"].nunique()
        where = (
            f", {len(group):,} in {n_holes:,} holes" if n_holes > 1 and group["row"].all() else ""
        )
        texts.append(f"... and {more:,} more{where} (findings has them all)")
    return texts


def _place_text(table: str, found: Any) -> str:
    place = f"{table}"
    if found.hole and found.n_cells <= 1:
        place += f", {found.hole}"
    if found.row and found.n_cells <= 1:
        place += f", row {found.row}"
    column = f" {found.column}:" if found.column else ""
    return f"{place}:{column} {found.message}"
