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
from gossan.report._prospect_words import (
    FIT,
    PROTOCOLS,
    RANDOM,
    honest_protocol,
    is_beyond_null,
    is_label_free,
    is_simple,
    null_row,
    null_sentence,
    protocol_words,
    random_null_of,
    random_sentence,
    recommended_of,
    score_row,
    tie_sentence,
    verdict_of,
    verdict_sentence,
)
from gossan.report._scored_words import columns_of, interval_words, kinds_of, scored_under, signed
from gossan.report._writing import number_of
from gossan.report.blocks import Block, Details, Fact, Facts, Figure, Finding, Table
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
    five, more = five_facts(findings), _more_facts(findings)
    blocks += [Facts(five)] if five else []
    blocks += [*_verdicts(findings), *(leak_finding(leak) for leak in findings.leaks)]
    blocks += [Facts(more)] if more else []
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


# Numbers


def five_facts(findings: ProspectFindings) -> list[Fact]:
    """Return the numbers to read beside one another: fit, random, blocks, and the two baselines."""
    honest, method = honest_protocol(findings), recommended_of(findings)
    wanted = [
        (FIT, method, "AUC on what it was taught", "fitting rate, not evidence"),
        (RANDOM, method, "AUC, random cross-validation", ""),
        (honest, method, f"AUC, {protocol_words(honest)}", ""),
        (honest, findings.distance, f"AUC of {findings.distance}", "the simplest guess"),
        (honest, findings.label_free, f"AUC of {findings.label_free}", "needs no labels"),
    ]
    facts, told = [], set()
    for protocol, of, label, detail in wanted:
        row = score_row(findings, protocol, of) if of and protocol else None
        is_taught = protocol != FIT or not is_label_free(findings)
        if row is None or (protocol, of) in told or not is_taught:
            continue
        told.add((protocol, of))
        words, tone = _fact_words(findings, protocol, of, row)
        against = "; ".join(word for word in (detail, *words) if word)
        facts.append(Fact(f"{number_of(row, 'auc'):.2f}", label, against, tone))
    return facts


def _fact_words(
    findings: ProspectFindings, protocol: str, method: str, row: pd.Series
) -> tuple[list[str], str]:
    """Return what to hold against a number, and its tone."""
    if protocol == FIT:
        return [], "plain"
    if protocol == RANDOM:
        return _random_words(findings)
    if method != recommended_of(findings):
        own = score_row(findings, protocol)
        ahead = number_of(row, "auc") >= number_of(own, "auc")
        return interval_words(row), "warning" if ahead else "plain"
    is_real = is_beyond_null(null_row(findings, protocol))
    tone = {True: "good", False: "error", None: "plain"}[is_real]
    return ["this one counts", *interval_words(row), method], tone


def _random_words(findings: ProspectFindings) -> tuple[list[str], str]:
    """Return what fake patterns score by random folds: with this method, or with another."""
    own, loud = null_row(findings, RANDOM), random_null_of(findings)
    if loud is None:
        told = f"fake patterns score {number_of(own, 'null_mean'):.2f}"
        return ([told] if own is not None else []), "plain"
    highest = f"{number_of(loud, 'null_mean'):.2f}"
    if str(loud["method"]) == recommended_of(findings):
        return [f"invalid here: fake patterns score {highest}"], "error"
    return [f"invalid here: fake patterns score {highest} with {loud['method']}"], "warning"


def _more_facts(findings: ProspectFindings) -> list[Fact]:
    """Return capture, fake patterns, the P-A point and the prevalence."""
    row = score_row(findings, honest_protocol(findings))
    facts = _capture_fact(row)
    for protocol in (honest_protocol(findings), RANDOM):
        facts += _null_fact(findings, protocol)
    captured, area = (number_of(row, name) for name in ("pa_captured", "pa_area"))
    if np.isfinite([captured, area]).all() and area > 0:
        told = f"{100 * captured:.0f} % captured in {100 * area:.0f} % of the area; 1 is chance"
        facts.append(Fact(f"{captured / area:.1f}", "Normalised density at the P-A point", told))
    if facts and findings.n_occurrences and findings.n_cells:
        share = 100 * findings.n_occurrences / findings.n_cells
        facts.append(Fact(f"1 in {findings.n_cells / findings.n_occurrences:,.0f}",
                          "Supported cells with a known occurrence",
                          f"{share:.2g} %: what every score is to be read against"))  # fmt: skip
    return facts


def _capture_fact(row: pd.Series | None) -> list[Fact]:
    n, inside = number_of(row, "n"), number_of(row, "captured_10")
    if not np.isfinite([n, inside]).all():
        return []
    low, high = number_of(row, "low_10"), number_of(row, "high_10")
    told = [f"{100 * inside / n:.0f} %"]
    if np.isfinite([low, high]).all():
        told.append(f"95 % interval {100 * low:.0f} to {100 * high:.0f} %")
    told.append(f"{10 * inside / n:.1f} times chance")
    return [Fact(f"{inside:.0f} of {n:.0f}", "Held-out occurrences in the best 10 % of the area",
                 "; ".join(told))]  # fmt: skip


def _null_fact(findings: ProspectFindings, protocol: str) -> list[Fact]:
    loud = random_null_of(findings) if protocol == RANDOM else None
    row = null_row(findings, protocol) if loud is None else loud
    if row is None:
        return []
    highest, p, n = (number_of(row, name) for name in ("null_max", "p_value", "n_nulls"))
    told = [f"highest {highest:.2f}"] if np.isfinite(highest) else []
    told += [f"p = {p:.2g}"] if np.isfinite(p) and protocol != RANDOM else []
    told += [f"{n:.0f} patterns"] if np.isfinite(n) else []
    told += [str(row["method"])] if str(row["method"]) != recommended_of(findings) else []
    is_bad = loud is not None if protocol == RANDOM else is_beyond_null(row) is False
    return [Fact(f"{number_of(row, 'null_mean'):.2f}",
                 f"AUC of fake patterns, {protocol_words(protocol)}", "; ".join(told),
                 "error" if is_bad else "plain")]  # fmt: skip


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
            " tested teach. Lines: 95 % intervals, whole camps drawn again. Bold: the method that made"
            " the map. Below, shaded: simple methods; a model that does not reach beyond them has"
            " learned nothing that they do not know. Fitting rates are no test and are not drawn.",
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
                        chosen=recommended_of(findings), marks=_SHARES, of="supported area",
                        ax=ax)  # fmt: skip
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
        caption="Thin lines: the best 1, 5, 10 and 20 % of the area. Dashed: simple methods. Strong:"
        f" the method that made the map{_band_words(shown)}.{rest}",
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
        note = (
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
