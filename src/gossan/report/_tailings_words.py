"""What a tailings study concluded, in sentences and as a card an element.

The findings of the study come in; what stands at the top of the page goes out, kriging named
plainly where it is as good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.report._writing import capitalised, number_of, write_number
from gossan.report.blocks import Card, Finding

if TYPE_CHECKING:
    from gossan.report.tailings import TailingsFindings

_MOST_CARDS = 9
_EQUAL = 0.02  # ratios closer to one than this are noise with some hundred samples
_SLACK = 0.03  # of coverage, before intervals are called too narrow or too wide
# Kriging in its richer forms, and what each knows that ordinary kriging does not.
PLAIN = {
    "kriging with directions": "directions",
    "regression kriging": "covariates",
    "cokriging": "the other elements",
}
_NETWORK_WORDS = ("network", "rnn", "hybrid", "lstm")


def unit_of(findings: TailingsFindings, element: str) -> str:
    return str(findings.units.get(element, "ppm"))


def honest_split(findings: TailingsFindings) -> str:
    """Return the split that conclusions rest on: the one named, or the first not random."""
    if findings.split or findings.scores is None:
        return findings.split
    splits = list(dict.fromkeys(findings.scores["split"].astype(str)))
    return next((s for s in splits if not is_random(s)), splits[0] if splits else "")


def is_random(split: str) -> bool:
    return "random" in split.lower()


def random_split(findings: TailingsFindings) -> str:
    """Return the first random split that is not the honest one, empty without one."""
    if findings.scores is None:
        return ""
    splits = dict.fromkeys(findings.scores["split"].astype(str))
    return next((s for s in splits if is_random(s) and s != honest_split(findings)), "")


def network_of(findings: TailingsFindings) -> str:
    """Return the name of the network in the scores, empty without one."""
    if findings.network or findings.scores is None:
        return findings.network
    methods = dict.fromkeys(findings.scores["method"].astype(str))
    return next((m for m in methods if any(w in m.lower() for w in _NETWORK_WORDS)), "")


def overall(findings: TailingsFindings) -> str:
    """Return the element whose rows stand for all: "all", or the first there is."""
    if findings.scores is None or not len(findings.scores):
        return "all"
    names = list(findings.scores["element"].astype(str))
    return "all" if "all" in names else names[0]


def score_row(
    findings: TailingsFindings, method: str, *, split: str = "", element: str = ""
) -> pd.Series | None:
    """Return the row of a method under a split (the honest one by default), None without it."""
    table = findings.scores
    if table is None or not method:
        return None
    is_it = (
        (table["method"].astype(str) == method)
        & (table["split"].astype(str) == (split or honest_split(findings)))
        & (table["element"].astype(str) == (element or overall(findings)))
    )
    return table[is_it].iloc[0] if is_it.any() else None


def compare(row: pd.Series | None) -> str:
    """Tell a method from the reference: "better", "worse", "equal", or empty without a ratio."""
    ratio = number_of(row, "crps_ratio")
    low, high = number_of(row, "crps_ratio_low"), number_of(row, "crps_ratio_high")
    if not np.isfinite(ratio):
        return ""
    if np.isfinite([low, high]).all():
        return "better" if high < 1 else "worse" if low > 1 else "equal"
    return "equal" if abs(ratio - 1) < _EQUAL else "better" if ratio < 1 else "worse"


def conclusion_of(findings: TailingsFindings) -> list[str]:
    sentences = _method_sentences(findings)
    sentences += [told for told in (_coverage_sentence(findings), _random_sentence(findings),
                                    _blank_sentence(findings)) if told]  # fmt: skip
    return sentences or ["Nothing was concluded: the run holds no scores and no estimate."]


def _method_sentences(findings: TailingsFindings) -> list[str]:
    chosen = findings.chosen or findings.reference
    row, network = score_row(findings, chosen), network_of(findings)
    net_row = score_row(findings, network)
    if chosen == findings.reference:
        if compare(net_row) == "equal":
            return [_network_sentence(findings, network)]
        if findings.scores is None:
            return []
        told = f"{capitalised(named(chosen))} is the method for these samples."
        return [told, *([_network_sentence(findings, network)] if compare(net_row) else [])]
    verdict = compare(row)
    if not verdict:
        return []
    if chosen == network and verdict != "better":
        return [_network_sentence(findings, network), *_best_sentence(findings, chosen)]
    told = [_chosen_sentence(findings, chosen, verdict), *_best_sentence(findings, chosen)]
    has_network = bool(compare(net_row)) and network != chosen
    return told + ([_network_sentence(findings, network)] if has_network else [])


def _chosen_sentence(findings: TailingsFindings, chosen: str, verdict: str) -> str:
    row, name, reference = score_row(findings, chosen), named(chosen), findings.reference
    tested = f"with {honest_split(findings)}"
    if verdict == "equal":
        words = _error_words(row, f"{name}'s")
        return f"{capitalised(reference)} is as good as {name} here: {words}, {tested}."
    words = _error_words(row, "its")
    return f"{capitalised(name)} predicts {verdict} than {reference}: {words}, {tested}."


def _network_sentence(findings: TailingsFindings, network: str) -> str:
    row = score_row(findings, network)
    words, tested = _error_words(row, "the network's"), f"with {honest_split(findings)}"
    verdict = compare(row)
    if verdict == "equal":
        return f"Kriging is as good as the network here: {words}, {tested}."
    if verdict == "worse":
        return f"Kriging is better than the network here: {words}, {tested}."
    told = f"The network alone predicts better than {findings.reference}: {words}, {tested}."
    return " ".join([told, *_plain_sentence(findings, number_of(row, "crps_ratio"))])


def _plain_sentence(findings: TailingsFindings, ratio: float) -> list[str]:
    """Say if a method without a network does as well, and what then makes the difference."""
    found = [(number_of(score_row(findings, name), "crps_ratio"), name) for name in PLAIN]
    known = [each for each in found if np.isfinite(each[0])]
    best, name = min(known, default=(np.inf, ""))
    if best > ratio + _EQUAL:
        return []
    which = "better still" if best < ratio - _EQUAL else "as well"
    change = change_words(best)
    return [
        f"{capitalised(name)} does {which} without any network ({change}): {PLAIN[name]} count here."
    ]


def _error_words(row: pd.Series | None, whose: str) -> str:
    ratio = number_of(row, "crps_ratio")
    low, high = number_of(row, "crps_ratio_low"), number_of(row, "crps_ratio_high")
    told = f"{whose} error is {change_words(ratio)}"
    if not np.isfinite([low, high]).all():
        return told
    if (low < 1) == (high < 1):
        ends = sorted([abs(1 - low), abs(1 - high)])
        return f"{told} (95 % interval: {_percent(ends[0])} to {_percent(ends[1])} %)"
    return f"{told} (95 % interval: {change_words(low)} to {change_words(high)})"


def change_words(ratio: float) -> str:
    """Write a ratio to one as a change.

    Examples
    --------
    >>> change_words(0.958), change_words(1.012), change_words(1.0)
    ('4.2 % lower', '1.2 % higher', 'the same')
    """
    if abs(ratio - 1) < 5e-4:
        return "the same"
    return f"{_percent(abs(1 - ratio))} % {'lower' if ratio < 1 else 'higher'}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g}" if share < 0.1 else f"{100 * share:.0f}"


def _best_sentence(findings: TailingsFindings, chosen: str) -> list[str]:
    """Say which method scored best, if it is another than inner folds chose."""
    table = findings.scores
    if table is None or "crps_ratio" not in table:
        return []
    own = table[(table["split"].astype(str) == honest_split(findings))
                & (table["element"].astype(str) == overall(findings))].dropna(
                    subset=["crps_ratio"])  # fmt: skip
    if not len(own):
        return []
    best = own.loc[own["crps_ratio"].idxmin()]
    ours = number_of(score_row(findings, chosen), "crps_ratio")
    if str(best["method"]) == chosen or not best["crps_ratio"] < ours - 0.005:
        return []
    told = f"{best['crps_ratio']:.3f} against {ours:.3f} of the error of {findings.reference}"
    sentence = (
        f"Inner folds chose {named(chosen)}; on the samples held out {named(str(best['method']))} did"
        f" best ({told}), which nobody could know beforehand."
    )
    return [sentence]


def _coverage_sentence(findings: TailingsFindings) -> str:
    row = score_row(findings, findings.chosen or findings.reference)
    coverage = number_of(row, "coverage")
    if not np.isfinite(coverage):
        return ""
    n = number_of(row, "n")
    of = f"the {n:,.0f} samples held out" if np.isfinite(n) else "samples held out"
    whose = named(findings.chosen or findings.reference)
    told = (
        f"The {100 * findings.level:g} % intervals of {whose} hold {100 * coverage:.0f} % of {of}"
    )
    if coverage < findings.level - _SLACK:
        return f"{told}: they are too narrow, so take the uncertainty as larger than drawn."
    if coverage > findings.level + _SLACK:
        return f"{told}: they are wider than they need be."
    return f"{told}: they mean what they say."


def _random_sentence(findings: TailingsFindings) -> str:
    chosen = findings.chosen or findings.reference
    split = random_split(findings)
    honest, loose = score_row(findings, chosen), score_row(findings, chosen, split=split)
    if not split or loose is None or honest is None:
        return ""
    first, second = number_of(loose, "r2"), number_of(honest, "r2")
    if not (np.isfinite([first, second]).all() and first - second > 0.02):
        return ""
    return (
        f"Scored on {split}, {named(chosen)} would claim R² {signed(first)}; with"
        f" {honest_split(findings)} it is {signed(second)}. The difference is the neighbours of"
        f" the same {findings.group_name}, not skill."
    )


def signed(value: float) -> str:
    """Write a score with two decimals and a true minus."""
    return f"{value:.2f}".replace("-", "−")


def _blank_sentence(findings: TailingsFindings) -> str:
    if not findings.n_unestimated:
        return ""
    total = 0
    if findings.estimate is not None:
        total = int(np.prod(list(findings.estimate.sizes.values())))
    of = f" of {total:,}" if total else ""
    blank = "cell is" if findings.n_unestimated == 1 else "cells are"
    return (
        f"{findings.n_unestimated:,}{of} {blank} left blank: no sample is near enough to say"
        " anything."
    )


def named(method: str) -> str:
    """Write a method inside a sentence.

    Examples
    --------
    >>> named("ordinary kriging"), named("network"), named("RFsp")
    ('ordinary kriging', 'the network', 'RFsp')
    """
    has_article = "kriging" not in method.lower() and method[:1].islower()
    return f"the {method}" if has_article else method


def element_cards(findings: TailingsFindings) -> list[Card]:
    """Return a card an element: its mean grade, its range, the gain over kriging, its caution."""
    if len(findings.elements) > _MOST_CARDS:
        return []
    cards = [_card(findings, str(element)) for element in findings.elements]
    return [card for card in cards if card.verdict]


def _card(findings: TailingsFindings, element: str) -> Card:
    unit, title, verdict, lines = unit_of(findings, element), element, "", []
    grid = findings.estimate
    if grid is not None and element in grid:
        cells = grid[element].to_numpy().astype(float)
        cells = cells[np.isfinite(cells)]
        if len(cells):
            low, high = np.percentile(cells, [5, 95])
            title, verdict = f"{element}, mean of the cells", f"{write_number(cells.mean())} {unit}"
            lines.append(
                f"Cells from {write_number(low)} to {write_number(high)} {unit} (5 to 95 %)"
            )
    lines += _sample_line(findings, element, unit)
    row = score_row(findings, findings.chosen, element=element)
    told = {"better": "better than", "equal": "as good as", "worse": "worse than"}.get(compare(row))
    if told and findings.chosen != findings.reference:
        words = change_words(number_of(row, "crps_ratio"))
        name = capitalised(named(findings.chosen))
        lines.append(f"{name} {told} {findings.reference} (error {words})")
        verdict = verdict or capitalised(told.split(" than")[0])
    coverage = number_of(row, "coverage")
    if np.isfinite(coverage):
        lines.append(f"Intervals hold {100 * coverage:.0f} % of held-out samples")
    return Card(title, verdict, lines=lines, findings=_variogram_caution(findings, element))


def departure_label(findings: TailingsFindings) -> str:
    return f"{(network_of(findings) or 'network').capitalize()} − kriging"


def spread_words(findings: TailingsFindings, *, is_relative: bool) -> str:
    of = " in percent of the estimate, as grades are skewed" if is_relative else ""
    return f"Dark: a wide {100 * findings.level:g} % interval{of}."


def percentiles(values: NDArray, *shares: float) -> list[float]:
    """Return percentiles of the finite values, NaN without any."""
    numbers = np.asarray(values, dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    return [float(np.percentile(numbers, share)) if len(numbers) else np.nan for share in shares]


def _sample_line(findings: TailingsFindings, element: str, unit: str) -> list[str]:
    summary = findings.summary
    if summary is None:
        return []
    table = summary.reset_index() if summary.index.name else summary
    own = table[table["element"].astype(str) == element] if "element" in table else table[:0]
    if not len(own):
        return []
    mean = number_of(own.iloc[0], "mean")
    fair = number_of(own.iloc[0], "declustered_mean")
    if not np.isfinite(mean):
        return []
    told = f"Samples: mean {write_number(mean)}"
    return [
        told + (f", declustered {write_number(fair)} {unit}" if np.isfinite(fair) else f" {unit}")
    ]


def _variogram_caution(findings: TailingsFindings, element: str) -> list[Finding]:
    found = findings.variograms.get(element)
    if found is None or found.get("is_trusted", True):
        return []
    return [Finding("warning", "Its variogram is not to be trusted; see Variograms.")]
