"""How far to trust a deposit study: protocols beside one another, baselines, leaks, null test.

The findings of the study come in; the section "How far to trust it" goes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.plot.style import new_axes, to_svg
from gossan.plot.trust import plot_protocol_scores, plot_success_rate
from gossan.report._deposit_box import trust_box
from gossan.report._deposit_words import (
    PAPER,
    SHORT,
    best_model,
    honest_protocol,
    protocol_words,
    recommended_of,
    score_row,
    verdict_sentence,
)
from gossan.report._scored_words import columns_of, kinds_of, scored_under
from gossan.report._writing import number_of
from gossan.report.blocks import Block, Details, Figure, Finding, Table
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.deposit import DepositFindings

_SHARES = (0.002, 0.01, 0.05)
_LARGE_GAP = 0.05  # AUC
_LOUD_NULL = 0.6  # mean AUC of a null test, beyond which the protocol is not valid
_COLUMNS = ("protocol", "method", "auc", "auc_low", "auc_high", "capture_1", "capture_5",
            "enrichment_1", "prevalence")  # fmt: skip
_HEADINGS = {
    "auc": "AUC",
    "auc_low": "from",
    "auc_high": "to",
    "auc_sd": "sd over seeds",
    "ap": "average precision",
    "capture_0.2": "ore in the best 0.2 %",
    "capture_1": "ore in the best 1 %",
    "capture_5": "ore in the best 5 %",
    "enrichment_1": "times richer, best 1 %",
    "prevalence": "ore among tested cells",
    "f1_all_ore": 'F1 of "all is ore"',
    "n": "cells tested",
    "n_ore": "of them ore",
    "n_folds": "folds",
    "n_seeds": "seeds",
    "best_baseline": "best baseline",
    "low": "from",
    "high": "to",
    "null_mean": "mean of the null",
    "null_max": "highest null",
    "p_value": "p",
    "n_nulls": "nulls",
}
_SHARED = dict.fromkeys(("capture_0.2", "capture_1", "capture_5", "prevalence"), "{:.1%}")
_FORMATS = _SHARED | {
    "auc": "{:.3f}",
    "auc_low": "{:.3f}",
    "auc_high": "{:.3f}",
    "auc_sd": "{:.3f}",
    "ap": "{:.3f}",
    "enrichment_1": "{:.1f}",
    "f1_all_ore": "{:.2f}",
    "difference": "{:+.3f}",
    "low": "{:+.3f}",
    "high": "{:+.3f}",
    "null_mean": "{:.3f}",
    "null_max": "{:.3f}",
    "p_value": "{:.3g}",
    "n": "{:,.0f}",
    "n_ore": "{:,.0f}",
}


def trust_section(findings: DepositFindings) -> Section:
    """Build "How far to trust it" from whatever the study measured."""
    blocks: list[Block] = []
    blocks.append(trust_box(findings))
    blocks += _verdict(findings)
    if findings.scores is not None and len(findings.scores):
        blocks.append(_protocol_figure(findings, findings.scores))
    blocks += _curve_figure(findings)
    if findings.scores is not None and len(findings.scores):
        blocks += _score_tables(findings, findings.scores)
    if any(findings.leaks.values()):
        blocks.append(_leak_table(findings))
    intro = (
        "Each method was scored on rock that was held out, everything being fitted again without it;"
        " only the published way lets what it tests take part."
        " AUC is the share of pairs, one cell of ore and one of barren rock, that the score puts in"
        " the right order: 0.5 is a coin, 1 is perfect."
    )
    return Section("How far to trust it", intro, blocks)


def _null_warning(findings: DepositFindings) -> list[Block]:
    """Warn where a protocol scores high although the ore was moved to where it is not."""
    table = findings.null
    if table is None or not len(table):
        return []
    high = table[table["null_mean"].astype(float) > _LOUD_NULL]
    return [
        Finding(
            "warning",
            f"Even with the ore moved elsewhere, {row['method']} scores {row['null_mean']:.2f}"
            f" ({protocol_words(str(row['protocol']))}): that way of testing cannot tell skill from"
            " none here.",
        )
        for _, row in high.iterrows()
    ]


def _verdict(findings: DepositFindings) -> list[Block]:
    verdict, _ = best_model(findings)
    told = findings.advice or verdict_sentence(findings)
    blocks: list[Block] = [Finding("good" if verdict == "better" else "note", told)] if told else []
    blocks += _null_warning(findings)
    if findings.rule:
        blocks.append(Finding("note", f"What counted as ore: {findings.rule}"))
    return blocks


def _protocol_figure(findings: DepositFindings, scores: pd.DataFrame) -> Figure:
    """Draw all methods, the best under the honest protocol on top."""
    honest = scored_under(findings, honest_protocol(findings))
    best = dict(zip(honest["method"].astype(str), honest["auc"].astype(float), strict=True))
    order = scores["method"].astype(str).map(best).fillna(-1.0)
    shown = scores.dropna(subset=["auc"]).assign(_order=order)
    shown = shown.sort_values("_order", ascending=False, kind="stable").drop(columns="_order")
    rank = list(dict.fromkeys(scores["protocol"].astype(str)))
    shown = shown.assign(_rank=shown["protocol"].astype(str).map(rank.index))
    methods = list(dict.fromkeys(shown["method"]))
    shown = pd.concat([shown[shown["method"] == name].sort_values("_rank") for name in methods])
    drawn = shown.assign(protocol=[protocol_words(str(name)) for name in shown["protocol"]])
    n_protocols = drawn["protocol"].nunique()
    height = 1.0 + len(methods) * max(0.3, 0.135 * n_protocols)
    ax = new_axes(8, height)[0]
    plot_protocol_scores(drawn, chosen=recommended_of(findings), published=protocol_words(PAPER),
                         label="AUC; right is better, 1 is perfect", ax=ax)  # fmt: skip
    told = ", ".join(f"{name} {value:.2f}" for name, value in list(best.items())[:12])
    return Figure(
        "Every method under every protocol",
        to_svg(ax),
        alt=f"AUC of each method, {protocol_words(honest_protocol(findings))}: {told}.",
        caption="Open grey: the published way, whose test knows the answer. Lines: 95 % intervals,"
        " whole holes drawn again. Bold: the method that made the map. A model that does not reach"
        " beyond the baselines has learned nothing that they do not know.",
        data=scores,
    )


def _curve_figure(findings: DepositFindings) -> list[Block]:
    table = findings.curves
    if table is None or not len(table):
        return []
    protocols = list(dict.fromkeys(table["protocol"].astype(str)))
    honest = honest_protocol(findings)
    protocol = honest if honest in protocols else protocols[0]
    own = table[table["protocol"].astype(str) == protocol]
    ax = new_axes(8, 3.7)[0]
    plot_success_rate(own, kinds=kinds_of(findings), chosen=recommended_of(findings),
                      marks=_SHARES, ax=ax)  # fmt: skip
    row = score_row(findings, protocol)
    held = {"1": number_of(row, "capture_1"), "5": number_of(row, "capture_5")}
    told = [f"{100 * value:.0f} % in the best {share} %" for share, value in held.items()
            if np.isfinite(value)]  # fmt: skip
    figure = Figure(
        f"How much ore the best rock holds, {protocol_words(protocol)}",
        to_svg(ax),
        alt=f"Success-rate curves of {own['method'].nunique()} methods."
        f" {recommended_of(findings)}: {', '.join(told) or 'see the data'}.",
        caption=f"Thin lines: the best 0.2, 1 and 5 %. Dashed: baselines. Strong: the method that made"
        f" the map.{_ceiling(number_of(row, 'prevalence'))}",
        data=own,
    )
    return [figure]


def _ceiling(prevalence: float) -> str:
    """Say how much ore the best hundredth can hold at most, where that is not all."""
    if not 0.01 < prevalence < 1:
        return ""
    return (
        f" As {100 * prevalence:.2g} % of the tested cells are ore, the best 1 % cannot hold more than"
        f" {1 / prevalence:.2g} % of it."
    )


def _score_tables(findings: DepositFindings, scores: pd.DataFrame) -> list[Block]:
    named = _honest_first(findings, scores, "auc")
    rule = f": {findings.rule}" if findings.rule else "."
    blocks: list[Block] = [
        Table(
            "All scores",
            named[columns_of(named, _COLUMNS)],
            note="Read each against the ore among the tested cells, and the rule for what is ore"
            f"{rule}",
            headings=_HEADINGS,
            formats=_FORMATS,
        )
    ]
    table = findings.comparisons
    if table is not None and len(table):
        compared = _honest_first(findings, table, "difference")
        blocks.append(
            Table(
                "Against the best baseline",
                compared,
                note="AUC of the method minus that of the best baseline. An interval that holds 0 is a"
                " tie.",
                headings=_HEADINGS,
                formats=_FORMATS,
            )
        )
    more = [("Scores, all columns", scores), ("Scores of each fold and seed", findings.folds),
            ("Null test: the ore moved elsewhere", findings.null)]  # fmt: skip
    folded = [
        Table(title, frame, headings=_HEADINGS, formats=_FORMATS)
        for title, frame in more
        if frame is not None and len(frame)
    ]
    return [*blocks, Details("All columns, folds and seeds, null test", folded)]


def _honest_first(findings: DepositFindings, table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return the rows of the honest protocol first, the best of each on top, protocols in words."""
    protocols = table["protocol"].astype(str)
    order = list(dict.fromkeys([honest_protocol(findings), *protocols]))
    ranked = table.assign(_place=protocols.map(order.index), _worth=-table[by].astype(float))
    ranked = ranked.sort_values(["_place", "_worth"], kind="stable").drop(
        columns=["_place", "_worth"]
    )
    return ranked.assign(protocol=[protocol_words(str(name)) for name in ranked["protocol"]])


def _leak_table(findings: DepositFindings) -> Table:
    """Return a row a leak, and whether it is in force under each protocol."""
    known = {name: [str(leak) for leak in told] for name, told in findings.leaks.items()}
    sentences = dict.fromkeys(leak for told in known.values() for leak in told)
    rows = [
        {"leak": sentence}
        | {
            SHORT.get(name, name): "leaks" if sentence in told else "–"
            for name, told in known.items()
        }
        for sentence in sentences
    ]
    return Table(
        "What leaks, and where",
        pd.DataFrame(rows),
        note="A leak lets the test know what it asks. It flatters every method that can use it.",
    )
