"""The trust box of a deposit study, and the score below the drilling.

The findings of the study come in; a `TrustBox` and facts go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.report._deposit_words import (
    PAPER,
    gap_of,
    honest_protocol,
    protocol_words,
    recommended_of,
    score_row,
)
from gossan.report._scored_words import interval_words, kinds_of, scored_under, signed
from gossan.report._writing import number_of
from gossan.report.trust import Answer, TrustBox, leak_answer, not_applicable

if TYPE_CHECKING:
    from gossan.report.deposit import DepositFindings

_LARGE_GAP = 0.05  # AUC


def trust_box(findings: DepositFindings) -> TrustBox:
    """Answers of the box from the scores of the method that made the map."""
    return TrustBox(
        published=_published(findings),
        honest=_honest(findings),
        gap=_gap(findings),
        null=_null(findings),
        baseline=_baseline(findings),
        leaks=_leaks(findings),
        prevalence=_prevalence(findings),
    )


def _below(findings: DepositFindings) -> list[str]:
    """Tell the score of ore below the drilling that taught, where it was tested."""
    row = score_row(findings, "depth")
    if row is None or honest_protocol(findings) == "depth":
        return []
    low, high = number_of(row, "auc_low"), number_of(row, "auc_high")
    spread = f" ({low:.2f} to {high:.2f})" if np.isfinite([low, high]).all() else ""
    return [f"below the drilling {number_of(row, 'auc'):.2f}{spread}"]


def _published(findings: DepositFindings) -> Answer:
    row = score_row(findings, PAPER)
    if row is None:
        return not_applicable('The run did not score it: name "paper" among the protocols.')
    told = "lets what it tests take part; owed to the leaks below"
    tone = "warning" if gap_of(findings) > _LARGE_GAP else "plain"
    return Answer(f"{number_of(row, 'auc'):.2f}", f"AUC, {protocol_words(PAPER)}", told, tone)


def _honest(findings: DepositFindings) -> Answer:
    protocol = honest_protocol(findings)
    row = score_row(findings, protocol)
    if row is None:
        return not_applicable("Nothing was tested on rock that was held out.")
    told = ["this one counts", *interval_words(row), recommended_of(findings), *_below(findings)]
    return Answer(
        f"{number_of(row, 'auc'):.2f}", f"AUC, {protocol_words(protocol)}", "; ".join(told), "good"
    )


def _gap(findings: DepositFindings) -> Answer:
    gap = gap_of(findings)
    if not np.isfinite(gap):
        return not_applicable("It needs both protocols.")
    told = "AUC owed to the test knowing the answer, not to skill"
    return Answer(signed(gap), "", told, "warning" if gap > _LARGE_GAP else "plain")


def _null(findings: DepositFindings) -> Answer:
    table, method = findings.null, recommended_of(findings)
    if table is None or not len(table):
        return not_applicable("The ore was not moved elsewhere: set n_nulls under [validate].")
    own = table[table["protocol"].astype(str) == honest_protocol(findings)]
    if not len(own):
        return not_applicable("The null test ran under other protocols alone; see its table.")
    mine = own[own["method"].astype(str) == method]
    row = (mine if len(mine) else own).iloc[0]
    highest, p = number_of(row, "null_max"), number_of(row, "p_value")
    told = [f"highest {highest:.2f}"] if np.isfinite(highest) else []
    told += [f"p = {p:.2g}"] if np.isfinite(p) else []
    told += [] if len(mine) else [str(row["method"])]
    tone = "warning" if p > 0.05 else "good" if p <= 0.05 else "plain"
    return Answer(f"{number_of(row, 'null_mean'):.2f}", "AUC with the ore moved elsewhere",
                  "; ".join(told), tone)  # fmt: skip


def _baseline(findings: DepositFindings) -> Answer:
    protocol, method = honest_protocol(findings), recommended_of(findings)
    kinds, own = kinds_of(findings), scored_under(findings, protocol)
    names = own["method"].astype(str)
    others = [name != method and kinds.get(name) == "baseline" for name in names]
    simple = own[np.array(others, dtype=bool)]
    if not len(simple):
        return not_applicable("No other simple method was tested.")
    best = simple.loc[simple["auc"].astype(float).idxmax()]
    told = [f"{best['method']}, {protocol_words(protocol)}", *interval_words(best)]
    ahead = number_of(best, "auc") >= number_of(score_row(findings, protocol), "auc")
    return Answer(f"{number_of(best, 'auc'):.2f}", "AUC", "; ".join(told),
                  "warning" if ahead else "plain")  # fmt: skip


def _leaks(findings: DepositFindings) -> Answer:
    honest = honest_protocol(findings)
    known = {name: list(told) for name, told in findings.leaks.items()}
    if not any(known.values()):
        return leak_answer(0)
    told = [f"{protocol_words(name)}: {len(leaks)}" for name, leaks in known.items()]
    n_honest = len(known.get(honest, ()))
    n_leaks = len({str(leak) for leaks in known.values() for leak in leaks})
    detail = f"{'; '.join(told)}; named in the table below"
    answer = leak_answer(n_leaks, detail=detail)
    return answer if n_honest else Answer(answer.value, "none under the honest way", detail)


def _prevalence(findings: DepositFindings) -> Answer:
    row: pd.Series | None = score_row(findings, honest_protocol(findings))
    share, naive = number_of(row, "prevalence"), number_of(row, "f1_all_ore")
    if not np.isfinite(share):
        return not_applicable("No cells were tested.")
    told = f'"all is ore" would score F1 {naive:.2f}' if np.isfinite(naive) else ""
    return Answer(f"{100 * share:.2g} %", "Ore among the tested cells", told)
