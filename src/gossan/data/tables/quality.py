"""The report on a table of analyses: what it holds, and what is wrong, doubtful or worth knowing.

Values, masks and labels come in; a `QualityReport` goes out that prints itself.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option
from gossan.data.tables.screening import (
    SEVERITIES,
    Finding,
    find_duplicates,
    find_flat_columns,
    find_impossible,
    find_similar_names,
    find_substitutes,
    find_wrong_units,
    format_rows,
    make_finding,
)

_MAX_PRINTED = 4  # findings of one kind that are printed one by one


@dataclass(frozen=True)
class QualityReport:
    """What was found in a table and what was done about it; `print` it to read it.

    Parameters
    ----------
    source : str
        Name of the file or table.
    n_rows, n_columns : int
        Size of the table, columns of analyses and of labels together.
    analytes : DataFrame
        One row per analyte: unit, n (values, censored ones included), missing, censored [%], min,
        median, max.
    findings : tuple of Finding
        Sorted, errors first.
    """

    source: str
    n_rows: int
    n_columns: int
    analytes: pd.DataFrame = field(repr=False, compare=False)
    findings: tuple[Finding, ...] = ()

    def of_kind(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of one kind, such as ``"negative"``."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def of_severity(self, severity: str) -> tuple[Finding, ...]:
        """Return the findings of one severity: ``"error"``, ``"warning"`` or ``"note"``."""
        check_option("severity", severity, SEVERITIES)
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a table: severity, kind, column, n_cells, rows (text), message."""
        records = [
            (f.severity, f.kind, f.column, f.n_cells, format_rows(f.rows, f.n_cells), f.message)
            for f in self.findings
        ]
        names = ["severity", "kind", "column", "n_cells", "rows", "message"]
        return pd.DataFrame(records, columns=names)

    def __str__(self) -> str:
        parts = [_print_head(self), _print_analytes(self.analytes)]
        parts += [_print_findings(self.of_severity(severity), severity) for severity in SEVERITIES]
        return "\n\n".join(part for part in parts if part)


def quality_report(
    values: pd.DataFrame,
    censored: pd.DataFrame,
    *,
    units: Mapping[str, str],
    sites: pd.DataFrame | None = None,
    source: str = "table",
    rows: ArrayLike | None = None,
    findings: Iterable[Finding] = (),
    expected: Mapping[str, tuple[float, float]] | None = None,
    reference: str | None = None,
) -> QualityReport:
    """Check a table of analyses and report what is wrong or doubtful.

    Parameters
    ----------
    values, censored : DataFrame of shape (n_rows, n_analytes)
        Analyses (missing NaN, censored value = its limit) and the mask of the censored ones.
    units : mapping of analyte to unit
    sites : DataFrame of n_rows, optional
        Labels and ids: looked through for duplicate ids and near-duplicate names.
    source : str
        Name of the table for the head of the report.
    rows : array of shape (n_rows,), optional
        Row numbers as the user sees them; default 2, 3, ... (header = row 1).
    findings : iterable of Finding
        What was found before (while reading), kept in the report.
    expected : mapping of analyte to (low, high), optional
        Range in which the median should lie, in the unit of `units`; a median that a slip between
        ppb, ppm and wt% would bring inside is reported as ``"wrong unit?"``.
    reference : str, optional
        Column of `sites` that names the study or laboratory; repeated values are judged study by
        study. Default: the whole table is one study.

    Returns
    -------
    report : QualityReport

    Raises
    ------
    ValueError
        If `reference` is no column of `sites`, or an expected range is not low < high.
    """
    numbers = np.arange(len(values)) + 2 if rows is None else np.asarray(rows, dtype=np.int64)
    sites = pd.DataFrame(index=values.index) if sites is None else sites
    if reference is not None and reference not in sites.columns:
        raise ValueError(
            f"The reference column must be one of {', '.join(map(str, sites.columns))},"
            f" got {reference!r}. Name the column that holds the study of each row."
        )
    groups = None if reference is None else sites[reference]
    found = [*findings]
    found += find_impossible(values, units, rows=numbers)
    found += find_wrong_units(values, units, expected or {})
    found += find_flat_columns(values, censored)
    found += find_duplicates(values, sites, rows=numbers)
    found += find_similar_names(sites, rows=numbers)
    found += _report_substitutes(values, censored, groups, rows=numbers)
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    width = values.shape[1] + sites.shape[1]
    return QualityReport(
        source, len(values), width, summarise(values, censored, units), tuple(found)
    )


def summarise(
    values: pd.DataFrame, censored: pd.DataFrame, units: Mapping[str, str]
) -> pd.DataFrame:
    """One row per analyte: unit, n, missing, censored [%], min, median, max of the values.

    A censored value counts as its limit, so that a median under many censored values is an upper
    bound.
    """
    numbers = values.to_numpy(dtype=float)
    n = np.count_nonzero(~np.isnan(numbers), axis=0)
    filled = values.dropna(axis="columns", how="all")
    table = pd.DataFrame(
        {
            "unit": [units.get(name, "") for name in values.columns],
            "n": n,
            "missing": len(values) - n,
            "censored": 100 * censored.to_numpy(dtype=bool).sum(axis=0) / np.maximum(n, 1),
        },
        index=values.columns,
    )
    for name in ("min", "median", "max"):
        table[name] = getattr(filled, name)().reindex(values.columns)
    return table


def _report_substitutes(
    values: pd.DataFrame,
    censored: pd.DataFrame,
    groups: pd.Series | None,
    *,
    rows: NDArray[np.int64],
) -> list[Finding]:
    mask = find_substitutes(values, groups).to_numpy() & ~censored.to_numpy(dtype=bool)
    where = "of one study" if groups is not None else "of the table"
    findings = []
    for j, name in enumerate(values.columns):
        hit = mask[:, j]
        if hit.any():
            distinct = len(np.unique(values[name].to_numpy(dtype=float)[hit]))
            message = (
                f"{hit.sum()} cells hold {distinct} low value{'s' * (distinct > 1)} repeated in 5"
                f" or more rows and 10 % {where}: rounded, or put in for values below detection"
            )
            findings.append(
                make_finding("repeated value", "note", message, rows=rows[hit], column=name)
            )
    return findings


def _print_head(report: QualityReport) -> str:
    counts = [len(report.of_severity(severity)) for severity in SEVERITIES]
    words = [f"{n} {word}{'s' * (n != 1)}" for n, word in zip(counts, SEVERITIES, strict=True)]
    return (
        f"{report.source}: {report.n_rows:,} rows, {report.n_columns} columns,"
        f" {len(report.analytes)} analytes; {', '.join(words)}"
    )


def _print_analytes(table: pd.DataFrame) -> str:
    if table.empty:
        return ""
    lines: list[tuple[str, ...]] = [
        ("analyte", "unit", "n", "missing", "censored", "min", "median", "max")
    ]
    for name, row in table.iterrows():
        figures = [_short(row[key]) for key in ("min", "median", "max")]
        censored = _percent(row["censored"])
        missing = f"{row['missing']:,}" if row["missing"] else "-"
        lines.append((str(name), str(row["unit"]), f"{row['n']:,}", missing, censored, *figures))
    widths = [max(len(line[j]) for line in lines) for j in range(len(lines[0]))]
    return "\n".join(
        "  "
        + "  ".join(
            cell.ljust(width) if j < 2 else cell.rjust(width)
            for j, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _print_findings(findings: tuple[Finding, ...], severity: str) -> str:
    if not findings:
        return ""
    kinds = dict.fromkeys(finding.kind for finding in findings)
    width = min(max(len(kind) for kind in kinds), 20)
    lines = [f"{severity}s"]
    for kind in kinds:
        texts = _kind_texts([finding for finding in findings if finding.kind == kind])
        for place, text in enumerate(texts):
            head = f"  {('' if place else kind).ljust(width)}  "
            indent = " " * (width + 6)
            lines += textwrap.wrap(text, 100, initial_indent=head, subsequent_indent=indent)
    return "\n".join(lines)


def _kind_texts(findings: list[Finding]) -> list[str]:
    """One text per finding; where a kind fills many columns, one text for all of them."""
    if len(findings) <= _MAX_PRINTED:
        return [_finding_text(finding) for finding in findings]
    columns = dict.fromkeys(finding.column for finding in findings)
    if len(columns) < len(findings):
        rest = f"... and {len(findings) - _MAX_PRINTED} more (to_frame() has all)"
        return [*(_finding_text(finding) for finding in findings[:_MAX_PRINTED]), rest]
    counts = ", ".join(f"{f.column} {f.n_cells:,}" if f.n_cells else f.column for f in findings)
    total = sum(finding.n_cells for finding in findings)
    first = findings[0]
    example = f"{counts} ({total:,} cells in {len(findings)} columns)" if total else counts
    return [example, f"as in {_finding_text(first)}"]


def _finding_text(finding: Finding) -> str:
    places = format_rows(finding.rows, finding.n_cells)
    column = f"{finding.column}: " if finding.column else ""
    return f"{column}{finding.message}{'; ' if places else ''}{places}"


def _percent(share: float) -> str:
    return "-" if share == 0 else "<0.1 %" if share < 0.05 else f"{share:.1f} %"


def _short(number: float) -> str:
    return "-" if pd.isna(number) else f"{number:.4g}" if abs(number) < 1e4 else f"{number:,.0f}"
