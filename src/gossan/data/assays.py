"""Tables of chemical analyses, read from whatever a laboratory or a journal sends.

A CSV, Excel or Parquet file or a DataFrame comes in; an `Assays` record goes out: numbers in one
unit, the mask of what is below detection, everything else of the table, and a report of what was
found and done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option, did_you_mean
from gossan._units import convert_unit, oxide_element, oxide_to_element_factor
from gossan.data.tables.cells import ReadColumn, known_limits, lab_of_rows, read_column
from gossan.data.tables.columns import AnalyteColumn, choose_columns, rename_columns
from gossan.data.tables.headers import OXIDES
from gossan.data.tables.limits import MISSING, find_decimal
from gossan.data.tables.quality import QualityReport, quality_report
from gossan.data.tables.rawtable import RawTable, read_raw
from gossan.data.tables.screening import (
    Finding,
    find_impossible,
    make_finding,
    refuse_errors,
)
from gossan.data.tables.sites import read_sites


@dataclass(frozen=True, eq=False)
class Assays:
    """Chemical analyses of n samples: what was measured, what is below detection, and where.

    Attributes
    ----------
    values : float64 DataFrame of shape (n_samples, n_analytes)
        One column per element or oxide. Missing is NaN; a censored value is its detection limit.
    censored : bool DataFrame of shape (n_samples, n_analytes)
        True where the true value lies below `values`.
    units : dict of analyte to unit
    sites : DataFrame of n_samples
        Every other column of the table: ids, labels, coordinates.
    source : str
        Name of the file, for messages.
    report : QualityReport
        What was found and done; ``print(assays.report)``.
    rows : int64 array of shape (n_samples,)
        Number of each sample's row in the file (header = row 1).
    """

    values: pd.DataFrame
    censored: pd.DataFrame
    units: dict[str, str]
    sites: pd.DataFrame
    source: str
    report: QualityReport
    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64), repr=False)

    def __post_init__(self) -> None:
        same = self.values.columns.equals(self.censored.columns)
        if not same or not len(self.values) == len(self.censored) == len(self.sites):
            raise ValueError(
                f"Values {self.values.shape}, censored {self.censored.shape} and sites"
                f" {self.sites.shape} must have the same rows, the first two the same columns."
                " Build all three from one table."
            )
        if len(self.rows) != len(self.values):
            object.__setattr__(self, "rows", np.arange(len(self.values)) + 2)

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.values)

    @property
    def elements(self) -> list[str]:
        """Analytes, in the order of the columns."""
        return list(self.values.columns)

    def select(self, elements: Sequence[str]) -> Assays:
        """Return the assays with these analytes only, in this order.

        Raises
        ------
        ValueError
            If one is not among the analytes.
        """
        names = [elements] if isinstance(elements, str) else list(elements)
        for name in names:
            if name not in self.values.columns:
                raise ValueError(
                    f"{self.source} has no analyte {name!r}; it has {', '.join(self.elements)}."
                    f" Choose among these.{did_you_mean(str(name), self.elements)}"
                )
        return replace(
            self,
            values=self.values[names].copy(),
            censored=self.censored[names].copy(),
            units={name: self.units[name] for name in names},
        )

    def take(self, samples: ArrayLike) -> Assays:
        """Return the assays of some samples, by a Boolean mask or by their places (0 first)."""
        places = np.asarray(samples)
        places = np.flatnonzero(places) if places.dtype == bool else places.astype(np.int64)
        return replace(
            self,
            values=self.values.iloc[places],
            censored=self.censored.iloc[places],
            sites=self.sites.iloc[places],
            rows=self.rows[places],
        )

    def with_values(self, values: ArrayLike | pd.DataFrame) -> Assays:
        """Return the assays with other values (imputed ones, say); the mask stays.

        Parameters
        ----------
        values : DataFrame or array of shape (n_samples, n_analytes)
            In the units of these assays.

        Returns
        -------
        assays : Assays
            A new record.

        Raises
        ------
        ValueError
            If the shape or the columns differ.
        """
        names = list(values.columns) if isinstance(values, pd.DataFrame) else self.elements
        numbers = np.array(values, dtype=float)
        if numbers.shape != self.values.shape or names != self.elements:
            raise ValueError(
                f"New values must have the shape {self.values.shape} and the columns"
                f" {', '.join(self.elements)}, got {numbers.shape}. Use select() first."
            )
        frame = pd.DataFrame(numbers, index=self.values.index, columns=self.values.columns)
        return replace(self, values=frame)

    def to_frame(self) -> pd.DataFrame:
        """Return one table that `read_assays` reads back: sites, values, and `cens_` flags.

        Columns are named "Fe_ppm", and flags are added for analytes with a censored value.
        """
        parts = [self.sites]
        for name in self.elements:
            header = f"{name}_{self.units[name]}" if self.units.get(name) else name
            parts.append(self.values[name].rename(header).to_frame())
        flagged = [name for name in self.elements if self.censored[name].any()]
        flags = self.censored[flagged].astype(int).add_prefix("cens_")
        return pd.concat([*parts, flags], axis=1)


def read_assays(
    table: Any,
    *,
    elements: Sequence[str] | None = None,
    units: Mapping[str, str] | str | None = None,
    sheet: str | int | None = None,
    missing: Iterable[float | str] = MISSING,
    limits: Mapping[str, Any] | None = None,
    lab: str | None = None,
    convert: bool | str = True,
    rename: Mapping[str, str] | None = None,
    decimal: str | None = None,
    negatives: str = "limit",
    errors: str = "raise",
    duplicates: str = "error",
    reference: str | None = None,
    expected: Mapping[str, tuple[float, float]] | None = None,
) -> Assays:
    """Read a table of analyses: numbers in ppm, a mask of what is below detection, and a report.

    Columns are recognised by their headers ("Fe_ppm", "FeO wt%", "66Zn", "Au (g/t)"), detection
    limits in every form that laboratories write ("<0.5", negative numbers, 0, "bdl", limits in the
    header). Nothing is substituted: a value below detection is its limit with a flag, and imputing
    is a step of its own. Read ``print(assays.report)`` before trusting the numbers.

    Parameters
    ----------
    table : path or DataFrame
        CSV in any encoding, separator and decimal mark; Excel (.xlsx); Parquet; or a DataFrame.
    elements : sequence of str, optional
        Analytes to read: symbols, oxides or headers. "Fe" is computed from "FeO" if only that is
        there. Default: every column that is named and filled like one.
    units : str or mapping of analyte or header to unit, optional
        Overrides the headers; ppm is assumed, with a note, where neither says anything.
    sheet : str or int, optional
        Sheet of a workbook; default the first that holds cells.
    missing : iterable of numbers and words
        What stands for "missing" besides blanks and "n/a".
    limits : mapping, optional
        Detection limits in the unit of the column, ``{"Ga": 0.5}``, or by laboratory,
        ``{"LabA": {"Ga": 0.5}}``; used where a cell says "bdl" or 0 without a number.
    lab : str, optional
        Column that names the laboratory; unknown limits are then looked for in one laboratory.
    convert : bool or "element"
        True: every concentration comes out in ppm. "element": oxides become elements, too.
        False: units stay as they are.
    rename : mapping of header to header, optional
        Applied before anything is recognised.
    decimal : "." or ",", optional
        Decimal mark of text; default as the table shows.
    negatives : "limit", "auto" or "error"
        "limit": -0.5 is below 0.5 (the default, since most laboratories mean that; a warning
        tells). "auto": only where the negative numbers of a column are few different ones, as
        limits are. "error": refuse them.
    errors : "raise" or "missing"
        What to do with text that is no number and with impossible values.
    duplicates : "error" or "first"
        What to do where two columns hold one element and disagree.
    reference : str, optional
        Column that names the study of each row, for the search for substituted values; default
        "reference", "study" or "source" if there is one.
    expected : mapping of analyte to (low, high), optional
        Range of the median, in the unit that comes out; warns of "wrong unit?".

    Returns
    -------
    assays : Assays

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no table, no analyses are recognised, a cell holds text that is no number,
        a concentration is above 100 %, two columns of one element disagree, or an argument names
        what is not there.

    Examples
    --------
    >>> table = pd.DataFrame({"deposit": ["A", "A", "B"], "Fe_pct": [4.2, 1.5, 8.0],
    ...                       "Ga (ppm)": ["12", "<0.5", "bdl"]})
    >>> assays = read_assays(table)
    >>> assays.values
            Fe    Ga
    0  42000.0  12.0
    1  15000.0   0.5
    2  80000.0   0.5
    >>> assays.censored["Ga"].tolist()
    [False, True, True]
    """
    check_option("negatives", negatives, ("limit", "auto", "error"))
    check_option("errors", errors, ("raise", "missing"))
    check_option("duplicates", duplicates, ("error", "first"))
    check_option("convert", convert, (True, False, "element"))
    raw = rename_columns(read_raw(table, sheet=sheet), rename)
    columns, findings = choose_columns(raw, elements, units=units)
    findings = [*raw.findings, *findings]
    decimal = _check_decimal(decimal) or _find_decimal(raw, columns)
    labs = lab_of_rows(raw, lab, limits)
    read = [
        read_column(raw, column, known=known_limits(raw, column, columns, limits, labs), labs=labs,
                    decimal=decimal, missing=tuple(missing), negatives=negatives)
        for column in columns
    ]  # fmt: skip
    findings += [finding for item in read for finding in item.findings]
    has_commas = decimal == "," and any(
        f.kind == "not a number" and f.severity == "error" for f in findings
    )
    hint = "most of the table has decimal commas, so that all of it was read with them"
    refuse_errors(raw.source, findings, errors, hint=hint if has_commas else "")
    wanted = [] if elements is None else [str(name) for name in elements]
    read = [_convert(item, convert, wanted) for item in read]
    chosen, merged = _merge_duplicates(raw, read, duplicates)
    findings += merged
    return _assemble(raw, chosen, findings, errors, reference=reference, expected=expected)


def _check_decimal(decimal: str | None) -> str | None:
    return decimal if decimal is None else str(check_option("decimal", decimal, (".", ",")))


def _find_decimal(raw: RawTable, columns: Sequence[AnalyteColumn]) -> str:
    cells = [raw.columns[column.place] for column in columns]
    try:
        return find_decimal(cells, separator=raw.separator)
    except ValueError as error:
        raise ValueError(f"{raw.source}: {error}") from None


def _convert(item: ReadColumn, convert: bool | str, wanted: Sequence[str]) -> ReadColumn:
    """Return the column in ppm, and as its element where that is asked for."""
    column, values = item.column, item.values
    findings = list(item.findings)
    if column.analyte in OXIDES and column.is_concentration:
        element = oxide_element(column.analyte)
        is_named = column.analyte in wanted or column.header in wanted
        if convert == "element" or (element in wanted and not is_named):
            factor = oxide_to_element_factor(column.analyte)
            values = values * factor
            column = replace(column, analyte=element)
    if convert and column.is_concentration and column.unit:
        values = convert_unit(values, column.unit, "ppm")
        column = replace(column, unit="ppm")
    return replace(item, column=column, values=values, findings=tuple(findings))


def _merge_duplicates(
    raw: RawTable, read: Sequence[ReadColumn], duplicates: str
) -> tuple[list[ReadColumn], list[Finding]]:
    """Keep one column of each analyte: the first, if all agree or the user says so."""
    kept: dict[str, ReadColumn] = {}
    findings = []
    for item in read:
        name = item.column.analyte
        if name not in kept:
            kept[name] = item
            continue
        first = kept[name]
        agree = _agree(first, item)
        if not agree and duplicates == "error":
            raise ValueError(
                f"{raw.source} has two columns for {name} that disagree, {first.column.header!r}"
                f" and {item.column.header!r}. Name the one that counts in elements=, rename one"
                " with rename=, or pass duplicates='first' to take the first."
            )
        word = "agrees" if agree else "disagrees"
        message = (
            f"{first.column.header!r} is used; {item.column.header!r}, of the same element,"
            f" {word} and is kept with the sites"
        )
        severity = "note" if agree else "warning"
        findings.append(make_finding("two columns", severity, message, column=name))
    return list(kept.values()), findings


def _agree(first: ReadColumn, second: ReadColumn) -> bool:
    """Whether two columns hold the same numbers within 5 % (median), and share some rows."""
    a, b = (convert_unit(c.values, c.column.unit or "ppm", "ppm") for c in (first, second))
    both = ~np.isnan(a) & ~np.isnan(b) & ~first.censored & ~second.censored & (a > 0)
    if not both.any():
        return False
    return bool(np.median(np.abs(b[both] / a[both] - 1)) <= 0.05)


def _assemble(
    raw: RawTable,
    read: Sequence[ReadColumn],
    findings: list[Finding],
    errors: str,
    *,
    reference: str | None,
    expected: Mapping[str, tuple[float, float]] | None,
) -> Assays:
    index = raw.columns.index
    values = pd.DataFrame({i.column.analyte: i.values for i in read}, index=index)
    censored = pd.DataFrame({i.column.analyte: i.censored for i in read}, index=index)
    units = {item.column.analyte: item.column.unit for item in read}
    impossible = find_impossible(values, units, rows=raw.rows, cells_only=True)
    refuse_errors(raw.source, impossible, errors)
    findings += impossible
    if impossible:
        bad = pd.DataFrame(
            {n: convert_unit(values[n], u, "wt%") > 102 for n, u in units.items() if u}
        )
        values = values.mask(bad.reindex(columns=values.columns, fill_value=False))
        censored &= values.notna()
    used = {p for i in read for p in (i.column.place, i.column.flag, i.column.limit)}
    sites, cleaned = read_sites(raw, used)
    reference = reference or next((n for n in _REFERENCES if n in sites.columns), None)
    report = quality_report(
        values, censored, units=units, sites=sites, source=raw.source, rows=raw.rows,
        findings=[*findings, *cleaned], reference=reference, expected=expected,
    )  # fmt: skip
    return Assays(values, censored, units, sites, raw.source, report, raw.rows)


_REFERENCES = ("reference", "Reference", "study", "Study", "source", "Source")
