"""What the chemistry and the faults of a deposit say: thresholds, zoning, factor, variogram, indicators.

The findings of the study come in; the section "Evidence" goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gossan.plot.evidence import plot_fractal, plot_loadings, plot_zoning
from gossan.plot.style import new_axes, to_svg
from gossan.report._deposit_words import unit_of
from gossan.report._tailings_space import variogram_blocks
from gossan.report._writing import write_number
from gossan.report.blocks import Block, Details, Figure, Finding, Table, Text
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.deposit import DepositFindings

_MOST_CURVES = 4
_MOST_MARKED = 2  # elements that name a factor
_CLEAR = 0.5  # loadings of elements that name a factor


def evidence_section(findings: DepositFindings) -> Section:
    """Build "Evidence" from whatever the study worked out."""
    blocks: list[Block] = []
    if findings.indicators is not None and len(findings.indicators):
        note = "What the methods are given for each cell; all learned again in each fold."
        blocks.append(Table("Indicators", findings.indicators, note=note))
    blocks += [Finding("note", f"{told}") for told in findings.notes]
    curves = list(findings.fractal.items())[:_MOST_CURVES]
    has_pair = findings.loadings is not None and bool(findings.factor)
    blocks += [
        _fractal_figure(findings, str(name), parts, is_half=len(curves) > 1 or has_pair)
        for name, parts in curves
    ]
    blocks += _loading_blocks(findings, is_half=len(curves) % 2 == 1)
    blocks += _zoning_blocks(findings)
    numbers = [*_threshold_table(findings), *_loading_table(findings.loadings)]
    blocks += [Details("Thresholds and loadings as numbers", numbers)] if numbers else []
    if findings.variogram:
        blocks.append(Text("Variograms: how unlike two samples are, by the distance between them."
                           " Kriging sees as far as the curve rises."))  # fmt: skip
        blocks += variogram_blocks(findings.variogram, 3)
    intro = "What the score is made of, and what it says of the halo round the ore."
    return Section("Evidence", intro, blocks)


def _fractal_figure(
    findings: DepositFindings, name: str, parts: Mapping[str, Any], *, is_half: bool
) -> Figure:
    ax = new_axes(4.1 if is_half else 8, 3.7)[0]
    unit, breaks = str(parts.get("unit", unit_of(findings, name))), parts.get("breaks")
    of = str(parts.get("on", "cells"))
    plot_fractal(parts["curve"], breaks, name=name, unit=unit, ax=ax)
    known = [] if breaks is None else breaks.to_dict("records")
    told = ", ".join(f"{row['name']} {write_number(row['value'])} {unit}" for row in known)
    smooth = " Kriging smooths: these lie lower than those of samples." if of == "cells" else ""
    return Figure(
        f"{name}: volume by concentration",
        to_svg(ax),
        alt=f"Volume of {of} at or above each concentration of {name}. Thresholds: {told or 'none'}.",
        caption=f"Of {of}. Where the line bends, a richer population begins. Bands: bootstrap"
        f" intervals.{smooth}",
        data=parts["curve"],
        width="half" if is_half else "wide",
    )


def _loading_table(loadings: pd.DataFrame | None) -> list[Table]:
    if loadings is None or not len(loadings):
        return []
    formats = dict.fromkeys(map(str, loadings.columns.drop("element")), "{:+.2f}")
    return [Table("Loadings of all factors", loadings, formats=formats)]


def _threshold_table(findings: DepositFindings) -> list[Table]:
    tables = [
        parts["breaks"].assign(
            element=str(name), unit=str(parts.get("unit", unit_of(findings, name)))
        )
        for name, parts in findings.fractal.items()
        if parts.get("breaks") is not None and len(parts["breaks"])
    ]
    if not tables:
        return []
    table = pd.concat(tables, ignore_index=True)
    first = ["element", "name", "value", "low", "high", "unit"]
    table = table[[name for name in first if name in table]]
    headings = {"name": "anomaly begins", "value": "threshold", "low": "from", "high": "to"}
    return [Table("Thresholds", table, headings=headings)]


def _loading_blocks(findings: DepositFindings, *, is_half: bool) -> list[Block]:
    table, factor = findings.loadings, findings.factor
    if table is None or not len(table):
        return []
    blocks: list[Block] = []
    if factor in table:
        ax = new_axes(4.1 if is_half else 8, 3.7)[0]
        ranked = table.sort_values(factor, ascending=False, kind="stable")
        clear = ranked.loc[ranked[factor] >= _CLEAR, "element"].astype(str)
        plot_loadings(table, factor, marked=list(clear[:_MOST_MARKED]), ax=ax)
        told = ", ".join(f"{row['element']} {row[factor]:+.2f}".replace("-", "−")
                         for _, row in ranked.iterrows())  # fmt: skip
        blocks.append(
            Figure(
                f"The chosen factor: {factor.replace('_', ' ')}",
                to_svg(ax),
                alt=f"Loadings of {factor}: {told}.",
                caption=f"Elements that rise together are blue. {findings.factor_note}".strip(),
                data=table,
                width="half" if is_half else "wide",
            )
        )
    return blocks


def _zoning_blocks(findings: DepositFindings) -> list[Block]:
    table = findings.zoning
    if table is None or not len(table):
        return []
    ax = new_axes(8, 3.1)[0]
    plot_zoning(table, ax=ax)
    order = list(table.sort_values("rank")["element"].astype(str))
    deepest = table[[name for name in ("level", "centre") if name in table]].to_numpy(float)
    low, high = np.nanmin(deepest), np.nanmax(deepest)
    return [
        Figure(
            "Zoning: which elements peak where",
            to_svg(ax),
            alt=f"Elements from top to bottom: {', '.join(order)}; between {low:,.0f} and"
            f" {high:,.0f} m elevation.",
            caption=f"From top to bottom: {' '.join(order)}. {findings.zoning_note}".strip(),
            data=table,
        )
    ]
