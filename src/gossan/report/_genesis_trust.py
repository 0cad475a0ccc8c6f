"""How sure a genesis study is: protocols side by side, calibration, errors by name, leaks.

The findings of the study come in; the section "How sure" and the sentence that sums it up go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gossan.plot.curves import plot_calibration, plot_confusion, plot_protocols
from gossan.plot.style import new_axes, to_svg
from gossan.report._checked import leak_finding
from gossan.report.blocks import Block, Details, Fact, Facts, Figure, Table
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.genesis import GenesisFindings

_SCORES = {
    "accuracy": "Share of analyses right",
    "balanced_accuracy": "Mean recall over types, by analysis",
    "group_recall": "Mean share right per deposit",
    "verdict": "Share of deposits given the right type",
    "balanced_verdict": "Share of deposits right, types weighted equally",
    "pooled_accuracy": "Share of analyses right, deposits pooled",
    "pooled_recall": "Mean share right per deposit, pooled",
    "confident_half": "Share right among the surer half of deposits",
    "log_loss": "Log-loss per analysis (lower is better)",
    "skill": "Skill (0.5 is guessing)",
}
_PROTOCOLS = {
    "random": "on a random split",
    "random_split": "on a random split",
    "grouped": "with each deposit held out",
    "deposit_held_out": "with each deposit held out",
    "with_each_deposit_held_out": "with each deposit held out",
    "leave_one_deposit_out": "with each deposit held out",
    "leave_deposit_out": "with each deposit held out",
    "lodo": "with each deposit held out",
    "reference_held_out": "with each reference held out",
    "with_each_reference_held_out": "with each reference held out",
    "leave_one_reference_out": "with each reference held out",
    "leave_reference_out": "with each reference held out",
}


def score_label(name: str) -> str:
    """Write what a score is, in words."""
    return _SCORES.get(name, name.replace("_", " ").capitalize())


def headline_of(findings: GenesisFindings) -> str:
    """Sum the trust up in a sentence: the held-out score beside the random one, or nothing."""
    random, honest = _main_rows(findings)
    if honest is None:
        return ""
    how = f"Tested {_in_words(honest['protocol'])}"
    score, whose = findings.headline, "the shipped model" if findings.trained_on else "the model"
    if score == "verdict":
        told = f"{how}, {whose} gives {_percent(honest[score])} of deposits the right type"
    else:
        told = f"{how}, {whose} scores {_score(honest[score])} ({score_label(score).lower()})"
    interval = _interval(honest, score, as_percent=score == "verdict")
    told += f"; the 95 % interval is {interval}." if interval else "."
    if random is not None:
        value = _percent(random[score]) if score == "verdict" else _score(random[score])
        told += f" {_in_words(random['protocol']).capitalize()} it reaches {value}, which measures"
        told += " memory of the deposits and not skill."
    return told


def _in_words(protocol: object) -> str:
    """Write a protocol so that it can follow "Tested"."""
    name = str(protocol)
    return _PROTOCOLS.get(name.lower().replace("-", "_").replace(" ", "_"), f"under {name!r}")


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def trust_section(findings: GenesisFindings) -> Section:
    """Build "How sure" from whatever the study measured."""
    blocks: list[Block] = []
    facts = _facts(findings)
    if facts:
        blocks.append(Facts(facts))
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
    return Section("How sure", intro, blocks)


def _main_rows(findings: GenesisFindings) -> tuple[pd.Series | None, pd.Series | None]:
    """Return the random and the first held-out row of the main model, None where missing."""
    table = findings.protocols
    if table is None or not len(table) or findings.headline not in table:
        return None, None
    model = findings.main_model or str(table["model"].iloc[-1])
    own = table[table["model"].astype(str) == model]
    is_random = own["protocol"].astype(str).str.contains("random", case=False)
    random, honest = own[is_random], own[~is_random]
    return (
        random.iloc[0] if len(random) else None,
        honest.iloc[0] if len(honest) else None,
    )


def _score(value: float) -> str:
    return f"{value:.2f}"


def _interval(row: pd.Series, score: str, *, as_percent: bool = False) -> str:
    low, high = row.get(f"{score}_low", np.nan), row.get(f"{score}_high", np.nan)
    if as_percent and np.isfinite([low, high]).all():
        return f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{low:.2f} to {high:.2f}" if np.isfinite([low, high]).all() else ""


def _facts(findings: GenesisFindings) -> list[Fact]:
    facts = []
    random, honest = _main_rows(findings)
    score = findings.headline
    if honest is not None:
        interval = _interval(honest, score)
        detail = _in_words(honest["protocol"]) + (f"; 95 % interval {interval}" if interval else "")
        facts.append(Fact(_score(honest[score]), score_label(score), detail))
    if honest is not None and random is not None:
        gap = abs(random[score] - honest[score])
        detail = f"{_in_words(random['protocol'])} {_score(random[score])}: memory, not skill"
        tone = "warning" if gap > 0.05 else "good"
        facts.append(Fact(_score(gap), "Gap to the random split", detail, tone))
    if findings.conformal is not None:
        facts.append(_coverage_fact(findings.conformal))
    if findings.null is not None:
        facts.append(_null_fact(findings.null))
    if findings.class_counts is not None and "deposits" in findings.class_counts:
        facts.append(_prevalence_fact(findings.class_counts))
    return facts


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


def _null_fact(null: Mapping[str, Any]) -> Fact:
    p_value = float(null["p_value"])
    detail = f"{null.get('metric', 'score')} {_score(null['score'])} beside {_score(null['mean'])}"
    if "maximum" in null:
        detail += f" on average and {_score(null['maximum'])} at most"
    detail += f" in {null['n']} shuffles" if "n" in null else ""
    tone = "good" if p_value <= 0.05 else "error"
    return Fact(f"{p_value:.2g}", "p-value: types shuffled between deposits", detail, tone)


def _prevalence_fact(counts: pd.DataFrame) -> Fact:
    deposits = counts["deposits"].to_numpy(float)
    most = counts.iloc[int(deposits.argmax())]
    share = deposits.max() / deposits.sum()
    detail = f"always saying {most['class']} would score so"
    return Fact(_score(share), f"Share of the commonest type, {most['class']}", detail)


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
        f"{row['model']} {row['protocol']} {_score(row['score'])}" for _, row in drawn.iterrows()
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
    headings = {name: _SCORES[name] for name in names if name in _SCORES}
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
