"""The trust box of a genesis study, and how its scores are called.

The findings of the study come in; a `TrustBox`, rows of scores and words go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gossan.report._checked import leak_finding
from gossan.report._scored_words import written_gap
from gossan.report.trust import Answer, TrustBox, leak_answer, not_applicable

if TYPE_CHECKING:
    from gossan.report.genesis import GenesisFindings

_LARGE_GAP = 0.05
_MEMORY = "memory of the deposits, not skill"
SCORES = {
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
    return SCORES.get(name, name.replace("_", " ").capitalize())


def trust_box(findings: GenesisFindings) -> TrustBox:
    """Answers of the box from the scores of the model that gave the verdicts."""
    grave = [leak_finding(leak).severity in {"warning", "error"} for leak in findings.leaks]
    random, honest = main_rows(findings)
    return TrustBox(
        published=_published(findings, random),
        honest=_honest(findings, honest),
        gap=_gap(findings, random, honest),
        null=_null(findings),
        baseline=_baseline(findings, honest),
        leaks=leak_answer(sum(grave), len(grave) - sum(grave)),
        prevalence=_prevalence(findings),
    )


def _untested(findings: GenesisFindings, why: str) -> Answer:
    if findings.trained_on:
        why = "A shipped model: its scores stand in the model card, and in the report of its study."
    return not_applicable(why)


def _published(findings: GenesisFindings, row: pd.Series | None) -> Answer:
    if row is None:
        return _untested(findings, "The run has no random split.")
    told = f"{in_words(row['protocol'])}; {_MEMORY}"
    return Answer(score_words(row[findings.headline]), score_label(findings.headline), told)


def _honest(findings: GenesisFindings, row: pd.Series | None) -> Answer:
    if row is None:
        return _untested(findings, "No deposits were held out.")
    interval = interval_of(row, findings.headline)
    told = ["this one counts", in_words(row["protocol"])]
    told += [f"95 % interval {interval}"] if interval else []
    null = findings.null
    tone = (
        "plain"
        if null is None or _shows_nothing(null)
        else "good"
        if float(null["p_value"]) <= 0.05
        else "error"
    )
    return Answer(score_words(row[findings.headline]), score_label(findings.headline),
                  "; ".join(told), tone)  # fmt: skip


def _gap(findings: GenesisFindings, random: pd.Series | None, honest: pd.Series | None) -> Answer:
    if random is None or honest is None:
        return _untested(findings, "It needs both protocols.")
    gap = abs(written_gap(float(random[findings.headline]), float(honest[findings.headline])))
    return Answer(score_words(gap), "", _MEMORY, "warning" if gap > _LARGE_GAP else "good")


def _null(findings: GenesisFindings) -> Answer:
    null = findings.null
    if null is None:
        return _untested(findings, "Types were not shuffled between deposits.")
    p_value = float(null["p_value"])
    detail = f"{null.get('metric', 'score')} {score_words(null['score'])} beside"
    detail += f" {score_words(null['mean'])}"
    if "maximum" in null:
        detail += f" on average and {score_words(null['maximum'])} at most"
    detail += f" in {null['n']} shuffles" if "n" in null else ""
    if _shows_nothing(null):
        detail += "; no fewer than 19 shuffles can show p = 0.05"
        return Answer(f"p ≤ {p_value:.2g}", "types shuffled between deposits", detail, "warning")
    tone = "good" if p_value <= 0.05 else "error"
    return Answer(f"p = {p_value:.2g}", "types shuffled between deposits", detail, tone)


def _shows_nothing(null: Mapping[str, Any]) -> bool:
    """Return whether the score beat all shuffles, which were too few to show that it is none of them."""
    least = 1.0 / (float(null["n"]) + 1.0) if "n" in null else 0.0
    return 0.05 < float(null["p_value"]) <= 1.001 * least


def better_baseline(findings: GenesisFindings) -> pd.Series | None:
    """Return the scores of the best other model, if it does as well as the one of the verdicts.

    Its row of `protocols`, with deposits held out; None if there is no such model.
    """
    table, honest = findings.protocols, main_rows(findings)[1]
    if table is None or honest is None or findings.headline == "log_loss":
        return None
    same = table["protocol"].astype(str) == str(honest["protocol"])
    own = table[same & (table["model"].astype(str) != str(honest["model"]))]
    own = own.dropna(subset=[findings.headline])
    best = own.loc[own[findings.headline].astype(float).idxmax()] if len(own) else None
    is_ahead = best is not None and float(best[findings.headline]) >= float(
        honest[findings.headline]
    )
    return best if is_ahead else None


def _baseline(findings: GenesisFindings, honest: pd.Series | None) -> Answer:
    table, score = findings.protocols, findings.headline
    if table is None or honest is None:
        return _untested(findings, "No other model was tested.")
    same = table["protocol"].astype(str) == str(honest["protocol"])
    own = table[same & (table["model"].astype(str) != str(honest["model"]))].dropna(subset=[score])
    if not len(own):
        return not_applicable("No other model was tested.")
    best = own.loc[own[score].astype(float).idxmin() if score == "log_loss" else
                   own[score].astype(float).idxmax()]  # fmt: skip
    interval = interval_of(best, score)
    told = [f"{best['model']}, {in_words(best['protocol'])}"]
    told += [f"95 % interval {interval}"] if interval else []
    ahead = float(best[score]) >= float(honest[score])
    return Answer(score_words(best[score]), "the best of the other models", "; ".join(told),
                  "warning" if ahead and score != "log_loss" else "plain")  # fmt: skip


def _prevalence(findings: GenesisFindings) -> Answer:
    counts = findings.class_counts
    if counts is None or "deposits" not in counts:
        return _untested(findings, "The types of the training table were not counted.")
    deposits = counts["deposits"].to_numpy(float)
    most = counts.iloc[int(deposits.argmax())]
    shares = ", ".join(
        f"{row['class']} {100 * row['deposits'] / deposits.sum():.0f} %"
        for _, row in counts.sort_values("deposits", ascending=False).iterrows()
    )
    told = f"always saying {most['class']} would score so; {shares}"
    return Answer(score_words(deposits.max() / deposits.sum()), "Share of the commonest type", told)


def main_rows(findings: GenesisFindings) -> tuple[pd.Series | None, pd.Series | None]:
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


def score_words(value: float) -> str:
    return f"{value:.2f}"


def interval_of(row: pd.Series, score: str, *, aspercent: bool = False) -> str:
    low, high = row.get(f"{score}_low", np.nan), row.get(f"{score}_high", np.nan)
    if aspercent and np.isfinite([low, high]).all():
        return f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{low:.2f} to {high:.2f}" if np.isfinite([low, high]).all() else ""


def in_words(protocol: object) -> str:
    """Write a protocol so that it can follow "Tested"."""
    name = str(protocol)
    return _PROTOCOLS.get(name.lower().replace("-", "_").replace(" ", "_"), f"under {name!r}")


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"
