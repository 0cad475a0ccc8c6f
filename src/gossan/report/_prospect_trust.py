"""How far to trust a prospectivity map: five numbers side by side, fake patterns, simple methods.

The findings of the study come in; the section "How far to trust it" goes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.plot.regional import plot_capture_curves
from gossan.plot.style import new_axes, to_svg
from gossan.plot.trust import plot_protocol_scores
from gossan.report._checked import leak_finding
from gossan.report._prospect_box import further_facts, trust_box
from gossan.report._prospect_words import (
    FIT,
    PROTOCOLS,
    RANDOM,
    chosen_words,
    ground_words,
    honest_protocol,
    is_simple,
    null_sentence,
    protocol_words,
    random_sentence,
    recommended_of,
    score_row,
    tie_sentence,
    verdict_of,
    verdict_sentence,
)
from gossan.report._scored_words import columns_of, kinds_of, scored_under, signed
from gossan.report._writing import number_of
from gossan.report.blocks import Block, Details, Facts, Figure, Finding, Table
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.prospect import ProspectFindings

_SHARES = (0.01, 0.05, 0.1, 0.2)
_MOST_CURVES = 8  # as many colours tell apart
_COLUMNS = ("protocol", "method", "kind", "auc", "auc_low", "auc_high", "capture_1", "capture_5",
            "capture_10", "capture_20", "density_10")  # fmt: skip
_HEADINGS = {
    "auc": "AUC",
    "auc_low": "from",
    "auc_high": "to",
    "auc_sd": "sd over runs",
    "capture_1": "in the best 1 %",
    "capture_5": "best 5 %",
    "capture_10": "best 10 %",
    "capture_20": "best 20 %",
    "captured_10": "number in the best 10 %",
    "low_10": "its share from",
    "high_10": "its share to",
    "density_10": "times chance, best 10 %",
    "pa_captured": "P-A: captured",
    "pa_area": "P-A: area",
    "n": "occurrences",
    "n_runs": "runs",
    "against": "best simple method",
    "low": "from",
    "high": "to",
    "null_mean": "mean of the fakes",
    "null_max": "highest fake",
    "p_value": "p",
    "n_nulls": "fake patterns",
    "field": "cells along a side",
}
_SHARED = dict.fromkeys(
    (*(f"capture_{100 * share:g}" for share in _SHARES), "low_10", "high_10", "pa_captured",
     "pa_area"), "{:.0%}")  # fmt: skip
_THREE = dict.fromkeys(("auc", "auc_low", "auc_high", "auc_sd", "null_mean", "null_max"), "{:.3f}")
_SIGNED = dict.fromkeys(("difference", "low", "high"), "{:+.3f}")
_FORMATS = _SHARED | _THREE | _SIGNED | {"density_10": "{:.1f}", "p_value": "{:.2g}"}


def trust_section(findings: ProspectFindings) -> Section:
    """Build "How far to trust it" from whatever the study measured."""
    blocks: list[Block] = []
    further = further_facts(findings)
    blocks += [trust_box(findings), *([Facts(further)] if further else [])]
    blocks += [*_verdicts(findings), *(leak_finding(leak) for leak in findings.leaks)]
    if findings.scores is not None and len(findings.scores):
        blocks += _protocol_figure(findings, findings.scores)
    blocks += _curve_figure(findings) + _comparison_table(findings) + _field_blocks(findings)
    blocks += _folded_tables(findings)
    held = f" Held out: {findings.folds_words}." if findings.folds_words else ""
    intro = (
        "Each known occurrence was ranked among unlabelled ground by methods that never saw it, nor"
        f" anything near it.{held} AUC is the share of pairs, one occurrence and one unlabelled cell,"
        " that are ranked in the right order: 0.5 is a coin, 1 is perfect. Unlabelled is not barren:"
        " ore that nobody has found counts as a miss."
    )
    return Section("How far to trust it", intro, blocks)


def _verdicts(findings: ProspectFindings) -> list[Block]:
    """Return what the numbers mean, the worst first."""
    verdict, _ = verdict_of(findings)
    is_fair = verdict == "better" or is_simple(findings, recommended_of(findings))
    severity = "good" if verdict == "better" else "note" if is_fair else "warning"
    told = [
        ("warning", null_sentence(findings)),
        ("warning", random_sentence(findings)),
        (severity, verdict_sentence(findings)),
        ("note", f"{findings.advice} {tie_sentence(findings)}".strip()),
    ]
    return [Finding(grave, sentence) for grave, sentence in told if sentence]


# Figures


def _drawn_kinds(findings: ProspectFindings) -> dict[str, str]:
    """Return the kinds that figures know: what needs no labels is a baseline too."""
    return {
        name: "model" if kind == "model" else "baseline"
        for name, kind in kinds_of(findings).items()
    }


def _protocol_figure(findings: ProspectFindings, scores: pd.DataFrame) -> list[Block]:
    """Draw all methods, the best on what was held out on top; the fit is no score and is left out."""
    honest = scored_under(findings, honest_protocol(findings))
    best = dict(zip(honest["method"].astype(str), honest["auc"].astype(float), strict=True))
    shown = scores[scores["protocol"].astype(str) != FIT].dropna(subset=["auc"])
    if not len(shown):
        return []
    order = shown["method"].astype(str).map(best).fillna(-1.0)
    is_random = shown["protocol"].astype(str) == RANDOM
    shown = shown.assign(_worth=-order, _random=~is_random, _name=shown["method"].astype(str))
    shown = shown.sort_values(["_worth", "_name", "_random"], kind="stable")
    kinds = _drawn_kinds(findings)
    drawn = shown.assign(
        protocol=[protocol_words(str(name)) for name in shown["protocol"]],
        kind=[kinds.get(str(name), "model") for name in shown["method"]],
    )
    ax = new_axes(8, 1.0 + drawn["method"].nunique() * 0.32)[0]
    plot_protocol_scores(drawn, chosen=recommended_of(findings), published=protocol_words(RANDOM),
                         label="AUC; right is better, 1 is perfect", ax=ax)  # fmt: skip
    told = ", ".join(f"{name} {value:.2f}" for name, value in list(best.items())[:12])
    return [
        Figure(
            "Every method, by how it was tested",
            to_svg(ax),
            alt=f"AUC of each method, {protocol_words(honest_protocol(findings))}: {told}.",
            caption="Open grey: random cross-validation, the usual way, in which neighbours of what is"
            " tested teach. Lines: 95 % intervals, whole camps drawn again. Bold: the method"
            f" {chosen_words(findings)}. Below, shaded: simple methods; a model that does not reach"
            " beyond them has learned nothing that they do not know. Fitting rates are no test and are"
            " not drawn.",
            data=scores,
        )
    ]


def _curve_figure(findings: ProspectFindings) -> list[Block]:
    table = findings.curves
    if table is None or not len(table):
        return []
    protocols = table["protocol"].astype(str)
    honest = honest_protocol(findings)
    protocol = honest if honest in set(protocols) else protocols.iloc[0]
    own = table[protocols == protocol]
    shown = own[own["method"].astype(str).isin(_curves_to_draw(findings, own))]
    ax = new_axes(8, 3.7)[0]
    plot_capture_curves(shown.rename(columns={"share": "area"}), kinds=_drawn_kinds(findings),
                        chosen=recommended_of(findings), marks=_SHARES,
                        of="supported area" if findings.n_cells else "background", ax=ax)  # fmt: skip
    row = score_row(findings, protocol)
    held = [(share, number_of(row, f"capture_{share}")) for share in (1, 5, 10, 20)]
    told = [f"{100 * value:.0f} % in the best {share} %" for share, value in held
            if np.isfinite(value)]  # fmt: skip
    n_left = own["method"].nunique() - shown["method"].nunique()
    rest = f" {n_left} more in the CSV." if n_left else ""
    figure = Figure(
        f"How many occurrences the best ground holds, {protocol_words(protocol)}",
        to_svg(ax),
        alt=f"Capture curves of {shown['method'].nunique()} methods."
        f" {recommended_of(findings)}: {', '.join(told) or 'see the data'}.",
        caption=f"Thin lines: the best 1, 5, 10 and 20 % of the {ground_words(findings)}. Dashed: simple"
        f" methods. Strong: the method {chosen_words(findings)}{_band_words(shown)}.{rest}",
        data=own,
    )
    return [figure]


def _band_words(curves: pd.DataFrame) -> str:
    if not {"captured_low", "captured_high"} <= set(curves):
        return ""
    return ", with the 95 % interval of each share, occurrences taken as independent"


def _curves_to_draw(findings: ProspectFindings, curves: pd.DataFrame) -> list[str]:
    """Return the method that made the map, the baselines to beat, and the best of the others."""
    names = list(dict.fromkeys(curves["method"].astype(str)))
    ranked = scored_under(findings, honest_protocol(findings)).sort_values("auc", ascending=False)
    order = (recommended_of(findings), findings.label_free, findings.distance,
             *ranked["method"].astype(str), *names)  # fmt: skip
    return [name for name in dict.fromkeys(order) if name in names][:_MOST_CURVES]


# Tables


def _comparison_table(findings: ProspectFindings) -> list[Block]:
    table = findings.comparisons
    if table is None or not len(table):
        return []
    ranked = table.sort_values("difference", ascending=False, kind="stable")
    words = [_compared(row) for _, row in ranked.iterrows()]
    note = (
        "AUC of the method less that of the best simple one, paired by occurrence; whole camps drawn"
        " again. An interval that holds 0 is a tie."
    )
    return [Table("Against the best simple method", ranked.assign(verdict=words), note=note,
                  headings=_HEADINGS, formats=_FORMATS)]  # fmt: skip


def _compared(row: pd.Series) -> str:
    low, high = number_of(row, "low"), number_of(row, "high")
    if not np.isfinite([low, high]).all():
        return "not known"
    return "better" if low > 0 else "worse" if high < 0 else "tie"


def _field_blocks(findings: ProspectFindings) -> list[Block]:
    """Say whether reading more ground round a cell helps."""
    table = findings.field_table
    if table is None or not len(table):
        return []
    ranked = table.sort_values("field", kind="stable")
    told = (
        f"{field_sentence(ranked)} A larger window must earn its place: each of its cells is one"
        " more thing to fit."
    )
    return [Table("Does the window help?", ranked, note=told, headings=_HEADINGS, formats=_FORMATS)]


def field_sentence(table: pd.DataFrame) -> str:
    """Compare the smallest window with the best larger one.

    Examples
    --------
    >>> field_sentence(pd.DataFrame({"field": [1, 3, 9], "auc": [0.93, 0.85, 0.62]}))
    'No: a single cell does best (0.93); the best larger window, 3 x 3 cells, gets 0.85.'
    """
    smallest = table["field"].min()
    own = float(table.loc[table["field"] == smallest, "auc"].max())
    larger = table[table["field"] > smallest]
    if not len(larger):
        return ""
    best = larger.loc[larger["auc"].astype(float).idxmax()]
    auc, side = float(best["auc"]), int(best["field"])
    one = "a single cell" if smallest == 1 else f"{int(smallest)} x {int(smallest)} cells"
    if auc <= own:
        return (
            f"No: {one} does best ({own:.2f}); the best larger window, {side} x {side} cells, gets"
            f" {auc:.2f}."
        )
    return f"{side} x {side} cells get {auc:.2f}, {one} {own:.2f} ({signed(auc - own)})."


def _folded_tables(findings: ProspectFindings) -> list[Block]:
    found: list[Block] = []
    scores, null = findings.scores, findings.null
    if scores is not None and len(scores):
        place = {honest_protocol(findings): 0, RANDOM: 1, FIT: 2}
        ranked = scores.assign(_p=[place.get(str(p), 0) for p in scores["protocol"]],
                               _a=-scores["auc"].astype(float))  # fmt: skip
        ranked = ranked.sort_values(["_p", "_a"], kind="stable").drop(columns=["_p", "_a"])
        found.append(Table("All scores", ranked[columns_of(ranked, _COLUMNS)],
                           note=_protocol_note(ranked), headings=_HEADINGS,
                           formats=_FORMATS))  # fmt: skip
    if null is not None and len(null):
        note = findings.null_words or (
            "Patterns of the same number and clustering, turned and shifted over the map, tested in"
            " the same way. What they score is owed to clustering, not to ore."
        )
        found.append(Table("Against fake patterns", null, note=note, headings=_HEADINGS,
                           formats=_FORMATS))  # fmt: skip
    return [Details("All scores, all protocols, fake patterns", found)] if found else []


def _protocol_note(scores: pd.DataFrame) -> str:
    """Say what the short names of protocols mean, and where further columns are."""
    names = [name for name in PROTOCOLS if name in set(scores["protocol"].astype(str))]
    told = "; ".join(f"{name}: {PROTOCOLS[name]}" for name in names)
    drawn = set(scores["protocol"].astype(str)) - {FIT}
    rest = "The CSV of the figure of every method has all columns." if drawn else ""
    return " ".join(part for part in (f"{told}." if told else "", rest) if part)
