"""How sure a genesis study is: protocols side by side, calibration, errors by name, leaks.

The findings of the study come in; the section "How sure" and the sentence that sums it up go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.plot.curves import plot_calibration, plot_confusion, plot_protocols
from gossan.plot.style import new_axes, to_svg
from gossan.report._checked import leak_finding
from gossan.report._genesis_box import (
    SCORES,
    in_words,
    interval_of,
    main_rows,
    percent,
    score_label,
    score_words,
    trust_box,
)
from gossan.report.blocks import Block, Details, Fact, Facts, Figure, Table
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.genesis import GenesisFindings


def headline_of(findings: GenesisFindings) -> str:
    """Sum the trust up in a sentence: the held-out score beside the random one, or nothing."""
    random, honest = main_rows(findings)
    if honest is None:
        return ""
    how = f"Tested {in_words(honest['protocol'])}"
    score, whose = findings.headline, "the shipped model" if findings.trained_on else "the model"
    if score == "verdict":
        told = f"{how}, {whose} gives {percent(honest[score])} of deposits the right type"
    else:
        told = f"{how}, {whose} scores {score_words(honest[score])} ({score_label(score).lower()})"
    interval = interval_of(honest, score, aspercent=score == "verdict")
    told += f"; the 95 % interval is {interval}." if interval else "."
    if random is not None:
        value = percent(random[score]) if score == "verdict" else score_words(random[score])
        told += f" {in_words(random['protocol']).capitalize()} it reaches {value}, which measures"
        told += " memory of the deposits and not skill."
    return told


def trust_section(findings: GenesisFindings) -> Section:
    """Build "How sure" from whatever the study measured."""
    blocks: list[Block] = []
    blocks.append(trust_box(findings))
    if findings.conformal is not None:
        blocks.append(Facts([_coverage_fact(findings.conformal)]))
    blocks += [leak_finding(leak) for leak in findings.leaks]
    if findings.protocols is not None and findings.headline in findings.protocols:
        blocks += _protocol_blocks(findings, findings.protocols)
    if findings.confusion is not None:
        blocks.append(_confusion_figure(findings, findings.confusion))
    if findings.wrong is not None and len(findings.wrong):
        blocks.append(Table("Deposits with a wrong verdict", findings.wrong))
    if findings.calibration is not None and len(findings.calibration):
        blocks.append(_calibration_figure(findings.calibration))
    if findings.class_counts is not None:
        blocks.append(Table("Training table", findings.class_counts, width="half"))
    intro = "Every score here was taken on deposits that the model had not seen, unless it says so."
    if findings.trained_on:
        intro = f"The scores of the model's card, from {findings.trained_on}. {intro}"
    return Section("How far to trust it", intro, blocks)


def _coverage_fact(conformal: Mapping[str, float]) -> Fact:
    asked, observed = float(conformal["asked"]), float(conformal["observed"])
    low, high = conformal.get("low", np.nan), conformal.get("high", np.nan)
    size = f"{conformal['mean_size']:.1f} types on average" if "mean_size" in conformal else ""
    holds = bool(low <= asked <= high) if np.isfinite([low, high]).all() else observed >= asked
    return Fact(
        f"{100 * observed:.0f} %",
        f"Sets that held the true type, promised {100 * asked:.0f} %",
        size,
        "good" if holds else "warning",
    )


def _protocol_blocks(findings: GenesisFindings, table: pd.DataFrame) -> list[Block]:
    score = findings.headline
    renamed = {score: "score", f"{score}_low": "low", f"{score}_high": "high"}
    drawn = table.rename(columns=renamed)
    chance = None
    if findings.class_counts is not None and score in {"verdict", "accuracy"}:
        column = "deposits" if score == "verdict" else "analyses"
        if column in findings.class_counts:
            chance = float(
                (findings.class_counts[column] / findings.class_counts[column].sum()).max()
            )
    ax = new_axes(8, 1.2 + 0.46 * drawn["model"].nunique())[0]
    plot_protocols(drawn, label=f"{score_label(score)} [0 to 1]", chance=chance, ax=ax)
    told = ", ".join(
        f"{row['model']} {row['protocol']} {score_words(row['score'])}"
        for _, row in drawn.iterrows()
    )
    figure = Figure(
        "The same models, tested three ways" if drawn["protocol"].nunique() == 3
        else "The same models under each protocol",
        to_svg(ax),
        alt=f"Scores with intervals by model and protocol: {told}.",
        caption="A random split puts analyses of one deposit into both training and test. The gap"
        " is what a score owes to that. Lines: 95 % intervals.",
        data=table,
    )  # fmt: skip
    names = [n for n in table.columns if not str(n).endswith(("_low", "_high"))]
    headings = {name: SCORES[name] for name in names if name in SCORES}
    formats = dict.fromkeys([n for n in names if n not in {"model", "protocol"}], "{:.3f}")
    scores = Table("All scores", table[names], headings=headings,
                   formats={k: v for k, v in formats.items() if table[k].dtype.kind == "f"},
                   note="The CSV of the figure above holds the intervals.")  # fmt: skip
    return [figure, Details("All scores", [scores])]


def _confusion_figure(findings: GenesisFindings, counts: pd.DataFrame) -> Figure:
    ax = new_axes(8, 1.1 + 0.78 * len(counts))[0]
    names = findings.wrong
    has_names = names is not None and {"deposit", "type", "verdict"} <= set(names)
    plot_confusion(counts, names=names if has_names else None, ax=ax)
    shared = [name for name in counts.index if name in counts.columns]
    right = int(sum(counts.loc[name, name] for name in shared))
    total = int(counts.to_numpy().sum())
    return Figure(
        "Stated type against verdict, deposit by deposit",
        to_svg(ax),
        alt=f"Confusion matrix: {right} of {total} deposits on the diagonal.",
        caption=f"{right} of {total} deposits are right. Wrong ones are named where they fell; it"
        " is worth asking whether the label or the verdict is wrong.",
        data=counts,
    )


def _calibration_figure(points: pd.DataFrame) -> Figure:
    ax = new_axes(4.1, 3.9)[0]
    plot_calibration(points, ax=ax)
    told = ", ".join(
        f"{row['stated']:.2f} stated, {row['observed']:.2f} right" for _, row in points.iterrows()
    )
    return Figure(
        "Does a probability mean what it says?",
        to_svg(ax),
        alt=f"Calibration curve on held-out deposits: {told}.",
        caption="Below the diagonal the model is too sure of itself, above it too modest."
        " Lines: 95 % intervals; numbers: how many verdicts.",
        data=points,
        width="half",
    )
