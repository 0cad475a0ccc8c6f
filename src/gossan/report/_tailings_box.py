"""The trust box of a tailings study, and the numbers that stand beside it.

The findings of the study come in; a `TrustBox` and facts go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.report._checked import leak_finding
from gossan.report._scored_words import signed, written_gap
from gossan.report._tailings_words import (
    PLAIN,
    change_words,
    compare,
    honest_split,
    named,
    random_split,
    score_row,
)
from gossan.report._writing import number_of
from gossan.report.blocks import Fact
from gossan.report.trust import Answer, TrustBox, leak_answer, not_applicable

if TYPE_CHECKING:
    from gossan.report.tailings import TailingsFindings

_LARGE_GAP = 0.05  # R²


def trust_box(findings: TailingsFindings) -> TrustBox:
    """Answers of the box from the scores of the method that made the map."""
    n_leaks = [leak_finding(leak).severity in {"warning", "error"} for leak in findings.leaks]
    return TrustBox(
        published=_published(findings),
        honest=_honest(findings),
        gap=_gap(findings),
        null=not_applicable(
            "An R² of 0 is the null here: saying the mean everywhere. No labels could be shuffled."
        ),
        baseline=_baseline(findings),
        leaks=leak_answer(sum(n_leaks), len(n_leaks) - sum(n_leaks)),
        prevalence=_prevalence(findings),
    )


def further_facts(findings: TailingsFindings) -> list[Fact]:
    """Return the error over that of kriging, and what the intervals hold."""
    facts: list[Fact] = []
    chosen, split = chosen_of(findings), honest_split(findings)
    row = score_row(findings, chosen)
    ratio = number_of(row, "crps_ratio")
    if np.isfinite(ratio) and chosen != findings.reference:
        low, high = number_of(row, "crps_ratio_low"), number_of(row, "crps_ratio_high")
        span = f"; 95 % interval {low:.3f} to {high:.3f}" if np.isfinite([low, high]).all() else ""
        tone = {"better": "good", "worse": "warning"}.get(compare(row), "plain")
        facts.append(Fact(f"{ratio:.3f}", f"Error of {named(chosen)} over {findings.reference}",
                          f"{change_words(ratio)}, with {split}{span}", tone))  # fmt: skip
    coverage = number_of(row, "coverage")
    return [*facts, *([_coverage_fact(findings, coverage)] if np.isfinite(coverage) else [])]


def _r2(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _coverage_fact(findings: TailingsFindings, coverage: float) -> Fact:
    level = findings.level
    holds = abs(coverage - level) <= 0.03
    detail = "they mean what they say" if holds else (
        "too narrow: take the uncertainty as larger" if coverage < level else "wider than needed"
    )  # fmt: skip
    return Fact(f"{100 * coverage:.0f} %", f"Held-out samples inside their {100 * level:g} %"
                " interval", detail, "good" if holds else "warning")  # fmt: skip


def chosen_of(findings: TailingsFindings) -> str:
    """Return the method that made the map."""
    return findings.chosen or findings.reference


def _template_r2(findings: TailingsFindings) -> list[float]:
    """Return the R² of the published network as written, and without its leak, as far as known."""
    table = findings.published
    if table is None or len(table) < 2 or "r2" not in table:
        return []
    told = [number_of(table.iloc[place], "r2") for place in (0, -1)]
    return told if np.isfinite(told).all() else []


def _published(findings: TailingsFindings) -> Answer:
    split, template = random_split(findings), _template_r2(findings)
    r2 = number_of(score_row(findings, chosen_of(findings), split=split), "r2") if split else np.nan
    if np.isfinite(r2):
        return Answer(_r2(r2), f"R², {split}", "neighbours of what is tested teach")
    if template:
        told = "its own target is among its inputs; another method than the honest one"
        return Answer(_r2(template[0]), "R² of the published network, as written",
                      told, "warning")  # fmt: skip
    return not_applicable("The run has no random split.")


def _honest(findings: TailingsFindings) -> Answer:
    chosen = chosen_of(findings)
    r2 = number_of(score_row(findings, chosen), "r2")
    if not np.isfinite(r2):
        return not_applicable("No samples were held out.")
    told = f"this one counts; {named(chosen)}"
    return Answer(_r2(r2), f"R², {honest_split(findings)}", told,
                  "good" if r2 > 0 else "error")  # fmt: skip


def _gap(findings: TailingsFindings) -> Answer:
    chosen, split, template = chosen_of(findings), random_split(findings), _template_r2(findings)
    loose = score_row(findings, chosen, split=split) if split else None
    honest = number_of(score_row(findings, chosen), "r2")
    gap = written_gap(number_of(loose, "r2"), honest)
    if np.isfinite(gap):
        tone = "warning" if gap > _LARGE_GAP else "plain"
        return Answer(signed(gap), "", "R² owed to neighbours, not skill", tone)
    if template and np.isfinite(honest):
        told = f"R² that nobody gets: without its leak the published network has {_r2(template[1])}"
        return Answer(signed(written_gap(template[0], honest)), "", told, "warning")
    return not_applicable("It needs both protocols.")


def _baseline(findings: TailingsFindings) -> Answer:
    """Return the best kriging other than what was chosen, ordinary or a richer one."""
    chosen, split = chosen_of(findings), honest_split(findings)
    known = {
        name: number_of(score_row(findings, name), "r2")
        for name in (findings.reference, *PLAIN)
        if name != chosen
    }
    simple = {name: r2 for name, r2 in known.items() if np.isfinite(r2)}
    if not simple:
        return not_applicable("No other kriging was scored.")
    best = max(simple, key=lambda name: simple[name])
    ahead = simple[best] >= number_of(score_row(findings, chosen), "r2")
    return Answer(_r2(simple[best]), "R²", f"{best}, {split}", "warning" if ahead else "plain")


def _prevalence(findings: TailingsFindings) -> Answer:
    table: pd.DataFrame | None = findings.summary
    told = "Grades are numbers, not classes"
    if table is None or not {"n", "below_detection"} <= set(table):
        return not_applicable(f"{told}.")
    n, hidden = float(table["n"].sum()), float(table["below_detection"].sum())
    return not_applicable(f"{told}; {100 * hidden / max(n, 1):.2g} % of them lie below detection.")
