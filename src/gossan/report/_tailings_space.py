"""How grades vary in space, and what the published network template owes to its leak.

The findings of a tailings study come in; the sections "Variograms" and "The published template" go
out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gossan.plot.maps import name_panel
from gossan.plot.style import new_axes, to_svg
from gossan.plot.variograms import direction_of, plot_variogram, plot_variogram_map
from gossan.report._checked import leak_finding
from gossan.report._tailings_words import signed
from gossan.report._writing import join_words, number_of
from gossan.report.blocks import Block, Fact, Facts, Figure, Finding, Table
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.tailings import TailingsFindings

_MOST_PANELS = 8
_MOST_FACTS = 4
_LONGER = 3.0  # times, beyond which steep directions get a panel of their own


def variogram_section(findings: TailingsFindings) -> Section:
    """Build "Variograms": points, models, and which of them are not to be trusted."""
    intro = (
        "How unlike two samples are, by the distance between them. A model that rises late and"
        " starts low lets kriging see far; one that starts near the sill leaves it little."
    )
    return Section("Variograms", intro, variogram_blocks(findings.variograms, findings.n_dims))


def variogram_blocks(variograms: Mapping[str, Mapping[str, Any]], n_dims: int) -> list[Block]:
    """Return warnings, figures and models of variograms, for the page of any study."""
    found = {str(element): parts for element, parts in variograms.items()}
    blocks: list[Block] = [*_distrusted(found)]
    drawn = {name: parts for name, parts in found.items() if parts.get("experimental") is not None}
    if drawn:
        blocks.append(_variogram_figure(drawn, n_dims))
    blocks += [_map_figure(name, parts) for name, parts in found.items() if parts.get("map")]
    models = [_model_row(name, parts) for name, parts in found.items() if parts.get("model")]
    if models:
        blocks.append(
            Table(
                "Models",
                pd.DataFrame(models),
                note="Ranges are practical ranges; azimuths run clockwise from north, dips are"
                " negative downwards.",
            )
        )
    return blocks


def _distrusted(found: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Return a warning for each set of reasons, with the elements it concerns."""
    by_reasons: dict[str, list[str]] = {}
    for element, parts in found.items():
        if not parts.get("is_trusted", True):
            reasons = "; ".join(str(reason).rstrip(".") for reason in parts.get("reasons", ()))
            by_reasons.setdefault(reasons, []).append(element)
    return [
        Finding(
            "warning",
            f"The variogram{'s' if len(elements) > 1 else ''} of {join_words(elements)}"
            f" {'are' if len(elements) > 1 else 'is'} not to be trusted"
            f"{f': {reasons}' if reasons else ''}.",
        )
        for reasons, elements in by_reasons.items()
    ]


def _model_row(element: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    reasons = "; ".join(str(reason) for reason in parts.get("reasons", ()))
    row = {"element": element, "model": str(parts["model"])}
    return row | {"trusted": bool(parts.get("is_trusted", True)), "why not": reasons or None}


def _variogram_figure(drawn: Mapping[str, Mapping[str, Any]], n_dims: int) -> Figure:
    found = dict(list(drawn.items())[:_MOST_PANELS])
    panels = [(*panel, found[panel[0]]) for panel in _panels(found)]
    n_columns = min(len(panels), 2)
    n_rows = math.ceil(len(panels) / n_columns)
    axes = new_axes(8, 2.9 * n_rows, n_rows=n_rows, n_columns=n_columns)
    for ax, (element, title, table, parts) in zip(axes, panels, strict=False):
        unit = str(parts.get("unit", "normal scores"))
        plot_variogram(table, model=parts.get("model"), n_dims=n_dims, unit=unit, ax=ax)
        name_panel(ax, f"{element}{title}")
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    few = len(drawn) > len(found)
    return Figure(
        "Variograms and their models",
        to_svg(axes[0]),
        alt=f"Experimental variograms with fitted models: {_model_words(found)}.",
        caption="Points are as large as their pairs are many; lines are the models that kriging"
        f" used.{f' Shown: the first {len(found)}.' if few else ''}",
        data=pd.concat(
            [table.assign(element=element) for element, _, table, _ in panels], ignore_index=True
        ),
    )


def _model_words(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the model of each variogram, or how many points there are where it has none."""
    return "; ".join(
        f"{name} {parts['model']}"
        if parts.get("model")
        else f"{name} without a model, {len(parts['experimental'])} points"
        for name, parts in found.items()
    )


def _panels(found: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, pd.DataFrame]]:
    """Return element, addition to its title and points of each panel; steep directions apart."""
    panels = []
    for element, parts in found.items():
        table = parts["experimental"]
        is_steep = _steep(table)
        level, steep = table[~is_steep], table[is_steep]
        # Down the hole, distances are so short that one axis for both would hide them.
        if len(steep) and len(level) and level["lag"].max() > _LONGER * steep["lag"].max():
            panels += [(element, ", across", level), (element, ", up and down", steep)]
        else:
            panels.append((element, "", table))
    return panels


def _steep(table: pd.DataFrame) -> np.ndarray:
    if "direction" not in table:
        return np.zeros(len(table), dtype=bool)
    angles = [direction_of(value) for value in table["direction"]]
    return np.array([each is not None and abs(each[1]) > 45 for each in angles], dtype=bool)


def _map_figure(element: str, parts: Mapping[str, Any]) -> Figure:
    ax = new_axes(4.1, 3.4)[0]
    plot_variogram_map(parts["map"], unit=str(parts.get("unit", "normal scores")), ax=ax)
    return Figure(
        f"{element}: variogram map",
        to_svg(ax),
        alt=f"Map of the semivariance of {element} by the offset of pairs along both axes, up to"
        f" {np.max(parts['map'].offsets):,.0f} m; continuity is longest along"
        f" {_azimuth_words(parts['map'])}.",
        caption="Dark far from the middle: alike in that direction over a long way.",
        data=_offset_table(parts["map"]),
        width="half",
    )


def _azimuth_words(found: Any) -> str:
    azimuth = float(found.major_azimuth())
    return f"azimuth {azimuth:.0f}°" if np.isfinite(azimuth) else "no clear direction"


def _offset_table(found: Any) -> pd.DataFrame:
    """Return the cells of a variogram map that hold pairs."""
    rows, columns = np.meshgrid(found.offsets, found.offsets, indexing="ij")
    table = pd.DataFrame(
        {
            f"offset_{found.axes[0]}": columns.ravel(),
            f"offset_{found.axes[1]}": rows.ravel(),
            "semivariance": np.asarray(found.semivariance, dtype=float).ravel(),
            "n_pairs": np.asarray(found.n_pairs).ravel(),
        }
    )
    return table.dropna(subset=["semivariance"]).reset_index(drop=True)


def published_section(findings: TailingsFindings) -> Section:
    """Build "The published template": its score as written, and without its leak."""
    table = findings.published
    intro = (
        "The GCNN-RNN as published is given the concentration that it is asked to predict. Where"
        " there is no sample that input is 0, and the skill is gone. The network scored above"
        " never sees the sample itself."
    )
    blocks: list[Block] = []
    if table is None or not len(table):
        return Section("The published template", intro, blocks)
    facts = [_published_fact(row) for _, row in table.head(_MOST_FACTS).iterrows()]
    blocks.append(Facts(facts))
    blocks += [leak_finding(leak) for leak in findings.leaks]
    blocks.append(
        Table(
            "As published, and with the leak removed",
            table,
            note=f"CRPS ratio: error over {findings.reference}; above 1 is worse. R² below 0 is"
            " worse than saying the mean everywhere.",
            headings={"r2": "R²", "crps_ratio": "CRPS ratio", "coverage": "share in the interval"},
            formats={"r2": "{:.3f}", "crps_ratio": "{:.2f}", "coverage": "{:.2f}"},
        )
    )
    return Section("The published template", intro, blocks)


def _published_fact(row: pd.Series) -> Fact:
    r2, coverage = number_of(row, "r2"), number_of(row, "coverage")
    told = [f"{100 * coverage:.0f} % inside the interval"] if np.isfinite(coverage) else []
    ratio = number_of(row, "crps_ratio")
    told += [f"error {ratio:.2f} of kriging's"] if np.isfinite(ratio) else []
    value = f"R² {signed(r2)}" if np.isfinite(r2) else "–"
    tone = "error" if r2 < 0 else "plain"
    return Fact(value, str(row.get("protocol", "")), "; ".join(told), tone)
