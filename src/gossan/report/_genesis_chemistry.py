"""Why the verdicts fell so, how the deposits formed, and the state of the data of a genesis study.

The findings of the study come in; three sections of figures, tables and findings go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.plot.chemistry import (
    plot_censored_shares,
    plot_element_by_class,
    plot_enrichment,
    plot_lead_isotopes,
    plot_temperatures,
)
from gossan.plot.curves import plot_dominance, plot_importance
from gossan.plot.discrimination import plot_discrimination, plot_embedding, plot_ternary
from gossan.plot.style import class_colours, new_axes, to_svg
from gossan.report._checked import quality_blocks
from gossan.report._writing import write_number
from gossan.report.blocks import Block, Details, Figure, Table
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.genesis import GenesisFindings

_MOST_LINES = 8


def reasons_section(findings: GenesisFindings) -> Section:
    """Build "Why": what the verdict leans on, and where the deposits fall among the known ones."""
    blocks: list[Block] = []
    if findings.importance is not None and len(findings.importance):
        blocks.append(_importance_figure(findings))
    if findings.discriminating is not None and len(findings.discriminating):
        blocks += _discriminating_blocks(_flat(findings.discriminating))
    if findings.attribution is not None and len(findings.attribution):
        blocks.append(Table("What moved each verdict", _flat(findings.attribution)))
    if findings.embedding is not None and len(findings.embedding):
        blocks.append(_embedding_figure(findings, findings.embedding))
    if findings.training is not None:
        blocks += _diagram_figures(findings, findings.training)
    intro = "What the verdicts lean on, and where the deposits fall among known ones."
    return Section("Why", intro, blocks)


def formation_section(findings: GenesisFindings) -> Section:
    """Build "How it formed": temperature, enrichment, lead and sulfur."""
    blocks: list[Block] = []
    if findings.formation is not None and len(findings.formation):
        blocks += _formation_blocks(findings, findings.formation)
    if findings.enrichment is not None and len(findings.enrichment):
        blocks += _enrichment_blocks(findings, findings.enrichment)
    if findings.lead_isotopes is not None and len(findings.lead_isotopes):
        blocks += _lead_blocks(findings, findings.lead_isotopes)
    if findings.sulfur is not None and len(findings.sulfur):
        blocks.append(Table("Sulfur isotopes", _flat(findings.sulfur)))
    return Section(
        "How it formed", "Estimates from the same analyses, each with its error.", blocks
    )


def data_section(findings: GenesisFindings) -> Section:
    """Build "The data": what the table's check found, and what lies below detection."""
    blocks: list[Block] = []
    if findings.quality is not None:
        blocks += quality_blocks(findings.quality)
    if findings.censored_shares is not None and len(findings.censored_shares):
        blocks.append(_censored_figure(findings.censored_shares))
    return Section("The data", "What the check of the table found before anything was computed.",
                   blocks)  # fmt: skip


def _importance_figure(findings: GenesisFindings) -> Figure:
    table = _flat(findings.importance)
    ax = new_axes(8, 0.9 + 0.25 * len(table))[0]
    plot_importance(table, label=findings.importance_label, ax=ax)
    ranked = table.sort_values("importance", ascending=False)
    told = ", ".join(f"{row['feature']} {row['importance']:.2g}" for _, row in ranked.iterrows())
    return Figure(
        "What the verdicts lean on",
        to_svg(ax),
        alt=f"Importance of each element, the greatest first: {told}.",
        caption="Measured on held-out deposits. Elements that vary together share their importance."
        " Lines: 95 % intervals.",
        data=table,
    )


def _discriminating_blocks(table: pd.DataFrame) -> list[Block]:
    blocks: list[Block] = []
    if {"class", "feature", "delta"} <= set(table):
        clear = table["delta"].where(table.get("direction", "") != "unclear")
        deltas = table.assign(delta=clear).pivot_table(
            index="class", columns="feature", values="delta", dropna=False, sort=False
        )
        order = deltas.abs().max().sort_values(ascending=False, kind="stable").index
        ax = new_axes(8, 1.0 + 0.4 * len(deltas))[0]
        plot_dominance(deltas[order], ax=ax)
        best = table.loc[table["delta"].abs().groupby(table["class"]).idxmax()]
        told = "; ".join(
            f"{row['class']} {'high' if row['delta'] > 0 else 'low'} in {row['feature']}"
            f" ({row['delta']:+.2f})".replace("-", "−")
            for _, row in best.iterrows()
        )
        blocks.append(
            Figure(
                "What sets each type apart",
                to_svg(ax),
                alt=f"Chart of high and low elements by type. Clearest: {told}.",
                caption="Orange: higher than in other types; purple: lower; blank: not clear."
                " Deposits count equally.",
                data=table,
            )
        )
    blocks.append(Details("The numbers behind it", [Table("Discriminating elements", table)]))
    return blocks


def _embedding_figure(findings: GenesisFindings, table: pd.DataFrame) -> Figure:
    is_new = table["new"].to_numpy(bool) if "new" in table else np.zeros(len(table), dtype=bool)
    x, y = table.columns[:2]
    ax = new_axes(8, 4.7)[0]
    plot_embedding(
        table.loc[~is_new, [x, y]],
        classes=table.loc[~is_new, "class"],
        points=table.loc[is_new, [x, y]] if is_new.any() else None,
        labels=table.loc[is_new, "deposit"] if is_new.any() else None,
        loadings=findings.loadings,
        ax=ax,
    )
    return Figure(
        "Map of all analyses",
        to_svg(ax),
        alt=f"Scatter of {int((~is_new).sum())} training analyses by type on {x} and {y}, with"
        f" {int(is_new.sum())} new ones as stars.",
        caption="Each outline holds 90 % of a type."
        + " Stars: your analyses." * bool(is_new.any()),
        data=table,
    )


def _diagram_figures(findings: GenesisFindings, training: pd.DataFrame) -> list[Figure]:
    """Draw the diagrams of the leading elements: two pairs, a ternary, four box rows."""
    names = _leading_elements(findings, training)
    blocks = []
    if len(names) >= 4:
        blocks.append(_pairs_figure(findings, training, names))
    if len(names) >= 3:
        corners = findings.ternary or (names[0], names[1], names[2])
        blocks.append(_ternary_figure(findings, training, corners))
    if names:
        blocks.append(_boxes_figure(findings, training, names[:4]))
    return blocks


def _leading_elements(findings: GenesisFindings, training: pd.DataFrame) -> list[str]:
    """Return elements of the table by importance, those with values for at least half the rows."""
    order = [str(name) for name in findings.elements]
    if findings.importance is not None:
        ranked = _flat(findings.importance).sort_values("importance", ascending=False)["feature"]
        order = [*ranked.astype(str), *order]
    usable = [
        name
        for name in dict.fromkeys(order)
        if name in training and (training[name] > 0).mean() >= 0.5
    ]
    points = findings.points
    return usable if points is None else [name for name in usable if name in points]


def _diagram_options(findings: GenesisFindings, training: pd.DataFrame) -> dict[str, Any]:
    points = findings.points
    return {
        "classes": training[findings.class_column],
        "censored": findings.training_censored,
        "points": points,
        "labels": None if points is None else points[findings.deposit_column],
        "points_censored": findings.points_censored,
    }


def _pairs_figure(findings: GenesisFindings, training: pd.DataFrame, names: list[str]) -> Figure:
    panels = new_axes(8, 3.7, n_columns=2)
    pairs = [(names[0], names[1]), (names[2], names[3])]
    for ax, pair in zip(panels, pairs, strict=True):
        options = _diagram_options(findings, training)
        plot_discrimination(training, pair, legend=ax is panels[1], ax=ax, **options)
    return Figure(
        "Discrimination diagrams of the leading elements",
        to_svg(panels[0]),
        alt=f"Log-log scatter of {pairs[0][0]} against {pairs[0][1]} and {pairs[1][0]} against"
        f" {pairs[1][1]}, with outlines of each type and the new analyses as stars."
        f" {_median_words(training, names[:4])}",
        caption="Inner and outer outlines hold 50 and 90 % of a type's analyses. Open: below the"
        " detection limit.",
        data=_diagram_data(findings, training, names[:4]),
    )


def _ternary_figure(
    findings: GenesisFindings, training: pd.DataFrame, corners: tuple[str, str, str]
) -> Figure:
    ax = new_axes(8, 4.9)[0]
    plot_ternary(training, corners, ax=ax, **_diagram_options(findings, training))
    return Figure(
        f"Ternary diagram {' – '.join(corners)}",
        to_svg(ax),
        alt=f"Ternary diagram of {', '.join(corners)} with outlines of each type and the new"
        f" analyses as stars. {_median_words(training, list(corners))}",
        caption="Each element is multiplied as written at its corner, so that the table fills the"
        " triangle. Outlines hold half of a type.",
        data=_diagram_data(findings, training, list(corners)),
    )


def _boxes_figure(findings: GenesisFindings, training: pd.DataFrame, names: list[str]) -> Figure:
    n_columns = min(len(names), 2)
    n_rows = -(-len(names) // n_columns)
    n_lines = training[findings.class_column].nunique() + 1
    panels = new_axes(8, n_rows * (0.7 + 0.3 * n_lines), n_rows=n_rows, n_columns=n_columns)
    for ax, name in zip(panels, names, strict=False):
        points, flags = _points_by_deposit(findings, name)
        hidden = findings.training_censored
        plot_element_by_class(
            training[name],
            training[findings.class_column],
            censored=None if hidden is None or name not in hidden else hidden[name],
            points=points,
            points_censored=flags,
            ax=ax,
        )
    for ax in panels[len(names) :]:
        ax.set_visible(False)
    return Figure(
        "The leading elements, type by type",
        to_svg(panels[0]),
        alt=f"Box and strip charts of {', '.join(names)} by type, the new deposits on top."
        f" {_median_words(training, names, by=findings.class_column)}",
        caption="Boxes hold the middle half, whiskers 5 to 95 %. Open marks lie below detection.",
        data=_diagram_data(findings, training, names),
    )


def _median_words(training: pd.DataFrame, names: list[str], *, by: str = "") -> str:
    """Write the medians of elements; with `by` those of the first element by type."""
    if by:
        medians = training.groupby(by, sort=True)[names[0]].median()
        told = ", ".join(f"{kind} {write_number(value)}" for kind, value in medians.items())
        return f"Medians of {names[0]} [ppm]: {told}."
    told = ", ".join(f"{name} {write_number(training[name].median())}" for name in names)
    return f"Medians of all types [ppm]: {told}."


def _points_by_deposit(
    findings: GenesisFindings, name: str
) -> tuple[dict[str, NDArray], dict[str, NDArray]]:
    points, hidden = findings.points, findings.points_censored
    if points is None:
        return {}, {}
    groups = points.groupby(points[findings.deposit_column].astype(str), sort=False)
    values, flags = {}, {}
    for deposit, rows in list(groups)[:6]:
        values[str(deposit)] = rows[name].to_numpy(float)
        if hidden is not None and name in hidden:
            flags[str(deposit)] = hidden.loc[rows.index, name].to_numpy(bool)
    return values, flags


def _diagram_data(
    findings: GenesisFindings, training: pd.DataFrame, names: list[str]
) -> pd.DataFrame:
    parts = [training[[findings.class_column, *names]]]
    if findings.points is not None:
        parts.append(findings.points[[findings.deposit_column, *names]])
    return pd.concat(parts, ignore_index=True)


def _formation_blocks(findings: GenesisFindings, table: pd.DataFrame) -> list[Block]:
    ranges = findings.class_temperatures
    drawn = table[np.isfinite(table["temperature"])].head(30)
    n_rows = len(drawn) + (0 if ranges is None else len(ranges))
    ax = new_axes(8, 0.9 + 0.27 * n_rows)[0]
    plot_temperatures(drawn, class_ranges=ranges, valid_range=findings.temperature_range, ax=ax)
    told = ", ".join(
        f"{row['deposit']} {row['temperature']:.0f} °C" for _, row in drawn.head(10).iterrows()
    )
    figure = Figure(
        "Formation temperature",
        to_svg(ax),
        alt=f"Temperature of each deposit with its error above the ranges of the types: {told}.",
        caption=findings.formation_note
        or "Lines: the estimate's error. Bands: the training table.",
        data=table,
    )
    degrees = {"temperature": "temperature [°C]", "low": "low [°C]", "high": "high [°C]"}
    formats = dict.fromkeys(degrees, "{:.0f}")
    return [figure, Table("Estimates", _flat(table), headings=degrees, formats=formats)]


def _enrichment_blocks(findings: GenesisFindings, ratios: pd.DataFrame) -> list[Block]:
    ax = new_axes(8, 3.8)[0]
    reference = findings.enrichment_reference or "the reference"
    plot_enrichment(ratios.head(_MOST_LINES), reference, ranges=findings.enrichment_ranges,
                    colours=class_colours(findings.classes), ax=ax)  # fmt: skip
    typical = ratios.median()
    told = ", ".join(f"{name} × {value:.2g}" for name, value in typical.items())
    table = ratios.rename_axis("deposit").reset_index()
    few = f" Shown: the first {_MOST_LINES} deposits." if len(ratios) > _MOST_LINES else ""
    return [
        Figure(
            "Enrichment",
            to_svg(ax),
            alt=f"Enrichment of each element over {reference}; medians: {told}.",
            caption=f"Above the dashed line: richer than {reference}.{few}",
            data=table,
        )
    ]


def _lead_blocks(findings: GenesisFindings, ratios: pd.DataFrame) -> list[Block]:
    blocks: list[Block] = []
    if {"206/204", "207/204"} <= set(ratios):
        ax = new_axes(8, 4.2)[0]
        plot_lead_isotopes(ratios, curves=findings.lead_curves, ax=ax)
        blocks.append(
            Figure(
                "Lead isotopes",
                to_svg(ax),
                alt=f"{len(ratios)} samples on the uranogenic lead diagram with growth curves.",
                caption="Dots on the curves are ages [Ma].",
                data=ratios,
            )
        )
    digits = {name: "{:.3f}" for name in ratios.columns if str(name).endswith("/204")}
    samples = Table("Lead isotopes, by sample", _flat(ratios), formats=digits)
    blocks.append(Details("Sample by sample", [samples]))
    return blocks


def _censored_figure(shares: pd.DataFrame) -> Figure:
    ax = new_axes(8, 2.9)[0]
    plot_censored_shares(shares, ax=ax)
    totals = shares.sum(axis=1).sort_values(ascending=False)
    told = ", ".join(f"{name} {100 * value:.0f} %" for name, value in totals.head(5).items())
    return Figure(
        "Values that are not plain measurements",
        to_svg(ax),
        alt=f"Share of values below detection or missing by element; most: {told}.",
        caption="Values below detection keep their flag to the end and are drawn open.",
        data=shares.rename_axis("element").reset_index(),
    )


def _flat(table: pd.DataFrame | None) -> pd.DataFrame:
    """Return the table with named index levels turned into columns."""
    if table is None:
        return pd.DataFrame()
    return table.reset_index() if any(table.index.names) else table
