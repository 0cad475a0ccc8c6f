"""How sure a tailings study is: methods under honest and random splits, intervals, held-out samples.

The findings of the study come in; the section "How sure" goes out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.plot.estimates import (
    plot_coverage,
    plot_crps_ratios,
    plot_interval_calibration,
    plot_measured,
)
from gossan.plot.maps import name_panel
from gossan.plot.style import new_axes, to_svg
from gossan.report._checked import leak_finding
from gossan.report._tailings_box import further_facts, trust_box
from gossan.report._tailings_words import (
    honest_split,
    named,
    overall,
    unit_of,
)
from gossan.report._writing import capitalised
from gossan.report.blocks import Block, Details, Facts, Figure, Table
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.tailings import TailingsFindings

_MOST_PANELS = 6
_HEADINGS = {
    "crps": "CRPS",
    "crps_ratio": "CRPS ratio",
    "crps_ratio_low": "from",
    "crps_ratio_high": "to",
    "rmse": "RMSE",
    "r2": "R²",
    "coverage": "share in the interval",
}
_FORMATS = {
    "crps_ratio": "{:.3f}",
    "crps_ratio_low": "{:.3f}",
    "crps_ratio_high": "{:.3f}",
    "r2": "{:.2f}",
    "coverage": "{:.2f}",
    "n": "{:,.0f}",
}


def trust_section(findings: TailingsFindings) -> Section:
    """Build "How sure" from whatever the study measured."""
    blocks: list[Block] = []
    blocks.append(trust_box(findings))
    facts = further_facts(findings)
    if facts:
        blocks.append(Facts(facts))
    if findings.published is None:
        blocks += [leak_finding(leak) for leak in findings.leaks]
    if findings.scores is not None and len(findings.scores):
        blocks += _score_blocks(findings, findings.scores)
    held_out = _chosen_predictions(findings)
    if held_out is not None:
        blocks += [_measured_figure(findings, held_out), _coverage_figure(findings, held_out)]
    if findings.calibration is not None and len(findings.calibration):
        blocks.append(_calibration_figure(findings.calibration))
    intro = (
        f"Every {findings.group_name} was predicted from the others alone, unless a row says"
        " random. CRPS weighs the whole predictive distribution; lower is better."
    )
    return Section("How far to trust it", intro, blocks)


def _score_blocks(findings: TailingsFindings, scores: pd.DataFrame) -> list[Block]:
    blocks: list[Block] = []
    own = scores[scores["element"].astype(str) == overall(findings)]
    split = honest_split(findings)
    honest = own[own["split"].astype(str) == split]
    if "crps_ratio" in own and len(own):
        honest = honest.sort_values("crps_ratio", kind="stable")
        blocks.append(_ratio_figure(findings, own, list(honest["method"].astype(str))))
    chosen = named(findings.chosen or findings.reference)
    shown = [name for name in ("method", "n", *_HEADINGS) if name in honest]
    if len(honest):
        blocks.append(
            Table(
                f"All methods, with {split}",
                honest[shown].dropna(axis=1, how="all"),
                note=f"The best first. {capitalised(chosen)} was chosen"
                " on inner folds, before these samples were looked at.",
                headings=_HEADINGS,
                formats=_FORMATS,
            )
        )
    full = Table("Scores", scores, headings=_HEADINGS, formats=_FORMATS)
    blocks.append(Details("Scores by element and split", [full]))
    return blocks


def _ratio_figure(findings: TailingsFindings, own: pd.DataFrame, order: list[str]) -> Figure:
    """Draw all methods, the best under the honest split on top."""
    methods = own["method"].astype(str)
    ranks = {method: rank for rank, method in enumerate(dict.fromkeys([*order, *methods]))}
    drawn = own.assign(_rank=methods.map(ranks)).sort_values("_rank", kind="stable")
    ax = new_axes(8, 1.1 + 0.17 * drawn["split"].nunique() * len(ranks) + 0.12 * len(ranks))[0]
    plot_crps_ratios(drawn, reference=findings.reference, chosen=findings.chosen, ax=ax)
    honest = own[own["split"].astype(str) == honest_split(findings)]
    told = ", ".join(f"{row['method']} {row['crps_ratio']:.3f}" for _, row in honest.iterrows())
    which = "Mean over elements" if overall(findings) == "all" else overall(findings)
    return Figure(
        "Every method against kriging",
        to_svg(ax),
        alt=f"Error of each method over {findings.reference}, with {honest_split(findings)}: {told}.",
        caption=f"{which}. A line that crosses 1 is a tie with {findings.reference} under the same"
        f" split. Shaded: what"
        " inner folds chose. Lines: 95 % intervals.",
        data=own.drop(columns="_rank", errors="ignore"),
    )


def _chosen_predictions(findings: TailingsFindings) -> pd.DataFrame | None:
    table = findings.predictions
    if table is None or not len(table):
        return None
    chosen = findings.chosen or findings.reference
    own = table[table["method"].astype(str) == chosen] if "method" in table else table
    own = own if len(own) else table
    return own.dropna(subset=["measured", "estimate"])


def _measured_figure(findings: TailingsFindings, held_out: pd.DataFrame) -> Figure:
    elements = [str(e) for e in findings.elements if (held_out["element"] == e).any()]
    drawn = elements[:_MOST_PANELS]
    n_columns = min(3, len(drawn)) if len(drawn) != 4 else 2
    n_rows = math.ceil(len(drawn) / n_columns)
    size = min(8 / n_columns, 3.9)
    panels = new_axes(size * n_columns, n_rows * (size + 0.1), n_rows=n_rows, n_columns=n_columns)
    for ax, element in zip(panels, drawn, strict=False):
        own = held_out[held_out["element"] == element]
        plot_measured(own, unit=unit_of(findings, element), ax=ax)
        name_panel(ax, f"{element} (n = {len(own):,})")
    for ax in panels[len(drawn) :]:
        ax.set_visible(False)
    more = f" Shown: the first {len(drawn)} elements." if len(elements) > len(drawn) else ""
    return Figure(
        "Held-out samples against their estimates",
        to_svg(panels[0]),
        alt=f"Scatter of measured against estimated {', '.join(drawn)} of {len(held_out):,}"
        " held-out values, with the line of equals.",
        caption=f"Faint bars: {100 * findings.level:g} % intervals; orange ones miss. A cloud"
        f" steeper than the dashed line: estimates that smooth too much.{more}",
        data=held_out,
        width="half" if len(drawn) == 1 else "wide",
    )


def coverage_table(held_out: pd.DataFrame, level: float) -> pd.DataFrame:
    """Share of held-out samples inside their interval by element, with a 95 % interval.

    The interval takes whole groups as drawn, as samples of one hole miss together (the ratio
    estimator of cluster sampling: Cochran 1977, Sampling Techniques, 3rd ed., section 9.6).

    Parameters
    ----------
    held_out : DataFrame
        `element`, `measured`, `low`, `high` and optionally `group`.
    level : float
        Coverage that is promised.

    Returns
    -------
    table : DataFrame
        `name`, `coverage`, `low`, `high`, `promised`, `n`.

    Examples
    --------
    >>> rows = pd.DataFrame({"element": "Cu", "measured": [1.0, 9.0], "low": 0.0, "high": 3.0,
    ...                      "group": ["a", "b"]})
    >>> float(coverage_table(rows, 0.9)["coverage"].iloc[0])
    0.5
    """
    rows = []
    for element, own in held_out.groupby("element", sort=False):
        hit = own["measured"].between(own["low"], own["high"]).to_numpy(float)
        groups = own["group"] if "group" in own else pd.Series(range(len(own)))
        share, error = float(hit.mean()), _clustered_error(hit, groups)
        rows.append(
            {
                "name": str(element),
                "coverage": share,
                "low": max(share - 1.96 * error, 0.0),
                "high": min(share + 1.96 * error, 1.0),
                "promised": level,
                "n": len(own),
            }
        )
    return pd.DataFrame(rows)


def _clustered_error(hit: np.ndarray, groups: pd.Series) -> float:
    codes = pd.factorize(groups)[0]
    sums = np.bincount(codes, hit - hit.mean())
    n_groups = len(sums)
    if n_groups < 2:
        return float("nan")
    return float(np.sqrt((sums**2).sum() * n_groups / (n_groups - 1)) / len(hit))


def _coverage_figure(findings: TailingsFindings, held_out: pd.DataFrame) -> Figure:
    table = coverage_table(held_out, findings.level)
    ax = new_axes(4.1 if len(table) < 9 else 8, 1.1 + 0.32 * max(len(table), 2))[0]
    plot_coverage(table, level=findings.level, label="Held-out samples inside", ax=ax)
    told = ", ".join(f"{row['name']} {100 * row['coverage']:.0f} %" for _, row in table.iterrows())
    return Figure(
        "Do the intervals hold what they promise?",
        to_svg(ax),
        alt=f"Share of held-out samples inside their {100 * findings.level:g} % interval: {told}.",
        caption=f"Left of the band: too narrow. Lines: 95 % intervals, whole"
        f" {findings.group_name}s taken together.",
        data=table,
        width="half" if len(table) < 9 else "wide",
    )


def _calibration_figure(points: pd.DataFrame) -> Figure:
    ax = new_axes(4.1, 3.7)[0]
    plot_interval_calibration(points, ax=ax)
    told = ", ".join(
        f"{100 * row['stated']:.0f} % promised, {100 * row['observed']:.0f} % held"
        for _, row in points.head(12).iterrows()
    )
    return Figure(
        "The intervals at every level",
        to_svg(ax),
        alt=f"Coverage promised and held on held-out samples: {told}.",
        caption="Below the dashed line intervals are too narrow.",
        data=points,
        width="half",
    )
