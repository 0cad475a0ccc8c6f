"""The trust box of a prospectivity map, and the numbers that stand beside it.

The findings of the study come in; a `TrustBox` and facts go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.report._checked import leak_finding
from gossan.report._prospect_words import (
    FIT,
    RANDOM,
    ground_words,
    honest_protocol,
    is_beyond_null,
    is_label_free,
    is_simple,
    null_row,
    protocol_words,
    random_null_of,
    recommended_of,
    score_row,
)
from gossan.report._scored_words import interval_words, scored_under, signed, written_gap
from gossan.report._writing import number_of
from gossan.report.blocks import Fact
from gossan.report.trust import Answer, TrustBox, leak_answer, not_applicable

if TYPE_CHECKING:
    from gossan.report.prospect import ProspectFindings

_LARGE_GAP = 0.05  # AUC


def trust_box(findings: ProspectFindings) -> TrustBox:
    """Answers of the box from the scores of the method that is used."""
    return TrustBox(
        published=_published(findings),
        honest=_honest(findings),
        gap=_gap(findings),
        null=_null(findings),
        baseline=_baseline(findings),
        leaks=_leaks(findings),
        prevalence=_prevalence(findings),
    )


def further_facts(findings: ProspectFindings) -> list[Fact]:
    """Return the fitting rate, the simple guesses, what the best tenth holds, and the P-A point."""
    honest, method = honest_protocol(findings), recommended_of(findings)
    wanted = [
        (FIT, method, "AUC on what it was taught", "fitting rate, not evidence"),
        (honest, findings.distance, f"AUC of {findings.distance}", "the simplest guess"),
        (honest, findings.label_free, f"AUC of {findings.label_free}", "needs no labels"),
    ]
    facts: list[Fact] = []
    for protocol, of, label, detail in wanted:
        row = score_row(findings, protocol, of) if of and protocol else None
        is_fit = protocol == FIT
        if row is None or (is_fit and is_label_free(findings)) or (not is_fit and of == method):
            continue
        told = [detail, *([] if is_fit else interval_words(row))]
        ahead = not is_fit and number_of(row, "auc") >= number_of(
            score_row(findings, protocol), "auc"
        )
        facts.append(Fact(f"{number_of(row, 'auc'):.2f}", label, "; ".join(told),
                          "warning" if ahead else "plain"))  # fmt: skip
    row = score_row(findings, honest)
    return (
        facts + _capture_fact(row, ground_words(findings)) + _area_fact(row, ground_words(findings))
    )


def _published(findings: ProspectFindings) -> Answer:
    row = score_row(findings, RANDOM)
    if row is None:
        return not_applicable("The run has no random cross-validation.")
    words, tone = _random_words(findings)
    return Answer(f"{number_of(row, 'auc'):.2f}", f"AUC, {protocol_words(RANDOM)}",
                  "; ".join(words) or "neighbours of what is tested teach", tone)  # fmt: skip


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


def _honest(findings: ProspectFindings) -> Answer:
    protocol = honest_protocol(findings)
    row = score_row(findings, protocol)
    if row is None:
        return not_applicable("Nothing was tested on ground that was held out.")
    is_real = is_beyond_null(null_row(findings, protocol))
    tone = {True: "good", False: "error", None: "plain"}[is_real]
    told = ["this one counts", *interval_words(row), recommended_of(findings)]
    return Answer(
        f"{number_of(row, 'auc'):.2f}", f"AUC, {protocol_words(protocol)}", "; ".join(told), tone
    )


def _gap(findings: ProspectFindings) -> Answer:
    loose, honest = (
        number_of(score_row(findings, name), "auc") for name in (RANDOM, honest_protocol(findings))
    )
    if not np.isfinite([loose, honest]).all():
        return not_applicable("It needs both protocols.")
    gap = written_gap(loose, honest)
    told = "AUC owed to neighbours, not skill" if gap > 0 else "AUC: neighbours did not help"
    return Answer(signed(gap), "", told, "warning" if gap > _LARGE_GAP else "plain")


def _null(findings: ProspectFindings) -> Answer:
    protocol = honest_protocol(findings)
    row = null_row(findings, protocol)
    if row is None:
        return not_applicable("No fake patterns were tested: set n_nulls under [validate].")
    highest, p, n = (number_of(row, name) for name in ("null_max", "p_value", "n_nulls"))
    told = [f"highest {highest:.2f}"] if np.isfinite(highest) else []
    told += [f"p = {p:.2g}"] if np.isfinite(p) else []
    told += [f"{n:.0f} patterns"] if np.isfinite(n) else []
    is_bad = is_beyond_null(row) is False
    return Answer(f"{number_of(row, 'null_mean'):.2f}",
                  f"AUC of fake patterns, {protocol_words(protocol)}", "; ".join(told),
                  "error" if is_bad else "good")  # fmt: skip


def _baseline(findings: ProspectFindings) -> Answer:
    protocol, method = honest_protocol(findings), recommended_of(findings)
    own = scored_under(findings, protocol)
    names = own["method"].astype(str)
    others = [name != method and is_simple(findings, name) for name in names]
    simple = own[np.array(others, dtype=bool)]
    if not len(simple):
        return not_applicable("No other simple method was tested.")
    best = simple.loc[simple["auc"].astype(float).idxmax()]
    used = number_of(score_row(findings, protocol), "auc")
    told = [f"{best['method']}, {protocol_words(protocol)}", *interval_words(best)]
    if is_simple(findings, method):
        does = "made the map" if findings.n_cells else "is the one to use"
        told.append(f"{method}, which {does}, is simple too")
    return Answer(f"{number_of(best, 'auc'):.2f}", "AUC", "; ".join(told),
                  "warning" if number_of(best, "auc") >= used else "plain")  # fmt: skip


def _leaks(findings: ProspectFindings) -> Answer:
    grave = [leak_finding(leak).severity in {"warning", "error"} for leak in findings.leaks]
    return leak_answer(sum(grave), len(grave) - sum(grave))


def _prevalence(findings: ProspectFindings) -> Answer:
    n, among = findings.n_occurrences, findings.n_cells or findings.n_background
    if not n or not among:
        return not_applicable("No ground without a label was ranked.")
    told = f"{100 * n / among:.2g} %: what every score is to be read against"
    if findings.n_cells:
        return Answer(f"1 in {among / n:,.0f}", "Supported cells with a known occurrence", told)
    return Answer(f"1 to {among / n:,.0f}", "Labelled deposits to rows of the background",
                  "the rows are a choice, so that these are not the odds of finding ore")  # fmt: skip


def _capture_fact(row: pd.Series | None, ground: str) -> list[Fact]:
    n, inside = number_of(row, "n"), number_of(row, "captured_10")
    if not np.isfinite([n, inside]).all():
        return []
    low, high = number_of(row, "low_10"), number_of(row, "high_10")
    told = [f"{100 * inside / n:.0f} %"]
    if np.isfinite([low, high]).all():
        told.append(f"95 % interval {100 * low:.0f} to {100 * high:.0f} %")
    told.append(f"{10 * inside / n:.1f} times chance")
    return [Fact(f"{inside:.0f} of {n:.0f}", f"Held-out occurrences in the best 10 % of the {ground}",
                 "; ".join(told))]  # fmt: skip


def _area_fact(row: pd.Series | None, ground: str) -> list[Fact]:
    captured, area = (number_of(row, name) for name in ("pa_captured", "pa_area"))
    if not np.isfinite([captured, area]).all() or area <= 0:
        return []
    told = f"{100 * captured:.0f} % captured in {100 * area:.0f} % of the {ground}; 1 is chance"
    return [Fact(f"{captured / area:.1f}", "Normalised density at the P-A point", told)]
