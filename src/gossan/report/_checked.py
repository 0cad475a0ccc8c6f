"""What every study's page shows alike: what checks found, the samples, and the methods to paste.

The report of a check, a finding of the leakage report, a summary of samples or a text of methods comes
in; facts, findings and tables go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gossan.report.blocks import Block, Details, Fact, Facts, Finding, Table
from gossan.report.citing import Methods
from gossan.report.page import Section

_MOST_FINDINGS = 12
_SEVERITIES = {"refused": "error", "leak": "warning", "critical": "error", "info": "note"}


def quality_blocks(quality: Any) -> list[Block]:
    """Return facts, findings (the worst first) and the analytes of a report on a table."""
    found = [_quality_finding(finding) for finding in _findings_of(quality)]
    order = ("error", "warning", "note", "good")
    found.sort(key=lambda finding: order.index(finding.severity))
    blocks: list[Block] = [_quality_facts(found), *found[:_MOST_FINDINGS]]
    if len(found) > _MOST_FINDINGS:
        rest = found[_MOST_FINDINGS:]
        blocks.append(Details(f"{len(rest)} more findings", rest))
    return blocks + _analyte_table(quality)


def summary_table(summary: pd.DataFrame, units: Mapping[str, str], *, note: str = "") -> Table:
    """Table of the samples, an element a row, each with its unit ("ppm" where none is known)."""
    table = summary.reset_index() if summary.index.name else summary
    if "element" in table and "unit" not in table:
        known = [str(units.get(str(name), "ppm")) for name in table["element"]]
        table = table.assign(unit=known)[["element", "unit", *table.columns.drop("element")]]
    return Table(
        "The samples",
        table,
        note=note,
        headings={"sd": "standard deviation", "cv": "variation (sd / mean)",
                  "below_detection": "below detection"},
        formats={"cv": "{:.2f}"},
    )  # fmt: skip


def methods_section(methods: str, citations: Sequence[str], *more: Block) -> Section:
    """Build "Methods": paragraphs to paste with their references; no block where all is empty."""
    told: list[Block] = [Methods(methods, citations)] if methods or citations else []
    intro = "To paste into a report or a paper, with the references it rests on."
    return Section("Methods", intro, [*told, *more])


def _findings_of(quality: Any) -> list[Any]:
    """Return the findings of a table; of drill holes, one of each kind with their number."""
    findings = getattr(quality, "findings", ())
    if not isinstance(findings, pd.DataFrame):
        return list(findings)
    found = []
    for (severity, kind, table), rows in findings.groupby(
        ["severity", "kind", "table"], sort=False, observed=True
    ):
        first = rows.iloc[0]
        more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
        where = " ".join(f"{first[name]}" for name in ("hole", "column") if first[name])
        message = f"{str(kind).capitalize()}, {table}: {where}: {first['message']}{more}"
        found.append(Finding(str(severity), message, f"row {first['row']}" if first["row"] else ""))
    return found


def _quality_finding(finding: Any) -> Finding:
    if isinstance(finding, Finding):
        return finding
    severity = str(getattr(finding, "severity", "note"))
    rows = getattr(finding, "rows", None)
    rows = (
        list(rows)
        if isinstance(rows, (list, tuple, np.ndarray))
        else []
        if rows is None
        else [rows]
    )
    column = getattr(finding, "column", None)
    where = [f"column {column}"] if column else []
    if rows:
        shown = ", ".join(str(row) for row in rows[:8])
        where.append(f"row{'s' if len(rows) > 1 else ''} {shown}{' …' if len(rows) > 8 else ''}")
    known = severity if severity in {"error", "warning", "note", "good"} else "note"
    return Finding(known, str(getattr(finding, "message", finding)), ", ".join(where))


def _analyte_table(quality: Any) -> list[Block]:
    analytes = getattr(quality, "analytes", None)
    if analytes is None or not len(analytes):
        return []
    table = analytes.rename_axis(analytes.index.name or "analyte").reset_index()
    return [Details("Analyte by analyte", [Table("Analytes", table)])]


def _quality_facts(found: list[Finding]) -> Facts:
    def count(severity: str) -> int:
        return sum(finding.severity == severity for finding in found)

    n_errors, n_warnings = count("error"), count("warning")
    return Facts(
        [
            Fact(str(n_errors), "Errors", "values left out or refused" if n_errors else "none",
                 "error" if n_errors else "good"),
            Fact(str(n_warnings), "Warnings", "worth a look" if n_warnings else "none",
                 "warning" if n_warnings else "good"),
            Fact(str(count("note")), "Notes", "what was done to the table"),
        ]
    )  # fmt: skip


def leak_finding(leak: Any) -> Finding:
    """Return a finding of the leakage report, or a sentence, as a finding of the page."""
    if isinstance(leak, Finding):
        return leak
    if isinstance(leak, str):
        return Finding("warning", leak)
    severity = str(getattr(leak, "severity", "warning"))
    message = str(getattr(leak, "sentence", "") or getattr(leak, "message", leak))
    return Finding(_SEVERITIES.get(severity, severity), message, str(getattr(leak, "name", "")))
