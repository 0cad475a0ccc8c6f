"""What a deposit study concludes, in sentences: targets, skill on unseen rock, model or baseline.

The findings of the study come in; sentences for the head of the page go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.report._scored_words import (
    auc_words,
    best_under,
    kinds_of,
    place_of,
    row_of,
    signed,
    written_gap,
)
from gossan.report._writing import capitalised, number_of

if TYPE_CHECKING:
    from gossan.report.deposit import DepositFindings

PAPER = "paper"
PROTOCOLS = {
    PAPER: "the published way",
    "holes": "whole holes held out",
    "blocks": "blocks held out",
    "depth": "learned above, tested below",
    "truth": "truth, far from samples",
}
SHORT = PROTOCOLS | {PAPER: "published", "blocks": "blocks", "holes": "holes", "depth": "depth",
                     "truth": "truth"}  # fmt: skip
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
_WORTH_TELLING = 0.02  # AUC, a gap that is more than rounding
_MUCH = 0.5  # share of extrapolation, beyond which the reader is told what to drill first


def unit_of(findings: DepositFindings, element: str) -> str:
    return str(findings.units.get(element, "ppm"))


def protocol_words(protocol: str) -> str:
    """Name of a protocol for people."""
    return PROTOCOLS.get(protocol, protocol)


def honest_protocol(findings: DepositFindings) -> str:
    """Return the protocol that conclusions rest on: held-out holes, or the first that is not paper."""
    table = findings.scores
    known = [] if table is None else list(dict.fromkeys(table["protocol"].astype(str)))
    order = (
        "holes",
        "blocks",
        "depth",
        *(name for name in known if name not in PROTOCOLS),
        "truth",
    )
    return next((name for name in order if name in known), "")


def recommended_of(findings: DepositFindings) -> str:
    """Return the method that made the map, or the best under the honest protocol."""
    return best_under(findings, honest_protocol(findings))


def score_row(findings: DepositFindings, protocol: str, method: str = "") -> pd.Series | None:
    """Return the scores of a method (the recommended one by default), None without them."""
    return row_of(findings, protocol, method or recommended_of(findings))


def conclusion_of(findings: DepositFindings) -> list[str]:
    told = [
        _target_sentence(findings),
        _extrapolation_sentence(findings),
        _joined(_skill_sentence(findings), _published_sentence(findings)),
        verdict_sentence(findings) or findings.advice,
        _truth_sentence(findings),
    ]
    found = [sentence for sentence in told if sentence]
    return found or ["Nothing was concluded: the run holds no targets and no scores."]


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _target_sentence(findings: DepositFindings) -> str:
    table = findings.targets
    if table is None:
        return ""
    if not len(table):
        return "No target stands out: no body of rock is large enough and scores high enough."
    n = len(table)
    many = _NUMBERS[n] if n < len(_NUMBERS) else f"{n:,}"
    best = table.iloc[0]
    return (
        f"{many} {'target stands' if n == 1 else 'targets stand'} out{_kind_words(table)};"
        f" {'it lies' if n == 1 else 'the best lies'} at {place_of(best)},"
        f" {heights_of(best)}{_distance_words(best)}."
    )


def _kind_words(table: pd.DataFrame) -> str:
    if "kind" not in table or table["kind"].nunique() < 2:
        return ""
    n_new = int((table["kind"] == "new ground").sum())
    return f", {n_new} of them in new ground"


def heights_of(row: pd.Series) -> str:
    """Elevations between which a target lies."""
    if not {"bottom", "top"} <= set(row.index):
        return f"at {number_of(row, 'elevation'):,.0f} m elevation".replace("-", "−")
    return f"{row['bottom']:,.0f} to {row['top']:,.0f} m elevation".replace("-", "−")


def _distance_words(row: pd.Series) -> str:
    distance = number_of(row, "sample_distance")
    return f", about {distance:,.0f} m from the nearest sample" if np.isfinite(distance) else ""


def write_volume(volume: float) -> str:
    """Write a volume for reading.

    Examples
    --------
    >>> write_volume(1_455_000.0), write_volume(35_000.0), write_volume(512.0)
    ('1.5 million m³', '35,000 m³', '510 m³')
    """
    if volume >= 999_500:
        millions = volume / 1e6
        return f"{millions:,.0f} million m³" if millions >= 99.5 else f"{millions:.2g} million m³"
    power = 10 ** max(int(np.floor(np.log10(max(volume, 1.0)))) - 1, 0)
    return f"{round(volume / power) * power:,.0f} m³"


def extrapolated_share(findings: DepositFindings) -> float:
    """Share of the volume of all targets that is extrapolation, NaN where it is not known."""
    table = findings.targets
    if table is None or not len(table) or "is_extrapolated" not in table:
        return float("nan")
    sizes = table["volume"].to_numpy(float) if "volume" in table else np.ones(len(table))
    return float(sizes[table["is_extrapolated"].to_numpy(bool)].sum() / sizes.sum())


def _extrapolation_sentence(findings: DepositFindings) -> str:
    table, share = findings.targets, extrapolated_share(findings)
    if table is None or not np.isfinite(share):
        return ""
    n = int(table["is_extrapolated"].to_numpy(bool).sum())
    if not n and len(table) == 1:
        return "It lies within reach of samples: it is no extrapolation alone."
    if not n:
        return "All of them lie within reach of samples: none is extrapolation alone."
    if n == len(table):
        return (
            "All of this is extrapolation: no sample is near, only the trend of what was drilled."
        )
    first = " Drill those near samples first; the others test the model." if share >= _MUCH else ""
    return (
        f"{n} of the {len(table)} ({100 * share:.0f} % of their volume) {'is' if n == 1 else 'are'}"
        f" extrapolation: no sample is near, only the trend of what was drilled.{first}"
    )


def _skill_sentence(findings: DepositFindings) -> str:
    protocol = honest_protocol(findings)
    row, below = score_row(findings, protocol), score_row(findings, "depth")
    if row is None:
        return "How good the map is was not tested on rock that it never saw." if _has_map(
            findings) else ""  # fmt: skip
    where = {"holes": "In drill holes", "blocks": "In blocks", "depth": "Below the drilling",
             "truth": "In the simulated truth, rock"}  # fmt: skip
    sentence = (
        f"{where.get(protocol, f'In rock ({protocol})')} that it never saw, {recommended_of(findings)}"
        f" ranks ore above barren rock in {pairs(row)} of 100 pairs (AUC {auc_words(row)}; a coin"
        " gets 50)"
    )
    if protocol == "depth" or below is None:
        return f"{sentence}."
    return f"{sentence}; below the drilling it learned from, in {pairs(below)}."


def pairs(row: pd.Series) -> str:
    return f"{100 * number_of(row, 'auc'):.0f}"


def _has_map(findings: DepositFindings) -> bool:
    return findings.grid is not None or (findings.targets is not None and len(findings.targets) > 0)


def gap_of(findings: DepositFindings) -> float:
    """AUC in the published way less the honest one, NaN without both."""
    honest = score_row(findings, honest_protocol(findings))
    return written_gap(number_of(score_row(findings, PAPER), "auc"), number_of(honest, "auc"))


def _published_sentence(findings: DepositFindings) -> str:
    gap, claimed = gap_of(findings), number_of(score_row(findings, PAPER), "auc")
    if not np.isfinite(gap):
        return ""
    method = recommended_of(findings)
    told = f"Scored in the published way, {method} would claim {claimed:.2f}"
    if gap <= _WORTH_TELLING:
        return f"{told}: here that way flatters little."
    return f"{told}; {gap:.2f} of that is the test knowing the answer, not skill."


def best_model(findings: DepositFindings, protocol: str = "") -> tuple[str, pd.Series | None]:
    """Verdict on models against the best baseline, and the row of the comparison that decides it.

    "better" if a model's interval lies above zero, "worse" if those of all lie below, else "tie";
    empty without a comparison under the protocol (the honest one by default).
    """
    table = findings.comparisons
    if table is None or not len(table):
        return "", None
    own = table[table["protocol"].astype(str) == (protocol or honest_protocol(findings))]
    kinds = kinds_of(findings)
    is_model = np.array([kinds.get(str(name)) != "baseline" for name in own["method"]], dtype=bool)
    own = own[is_model].dropna(subset=["difference"])
    own = own[own["method"].astype(str) != own["best_baseline"].astype(str)]
    if not len(own):
        return "", None
    ahead = own[own["low"] > 0]
    chosen = ahead[ahead["method"].astype(str) == recommended_of(findings)]
    ahead = chosen if len(chosen) else ahead
    ranked = (ahead if len(ahead) else own).sort_values("difference", ascending=False)
    verdict = "better" if len(ahead) else "worse" if (own["high"] < 0).all() else "tie"
    return verdict, ranked.iloc[0]


def verdict_sentence(findings: DepositFindings) -> str:
    """Say whether a model beats the best baseline beyond its interval, and what to use."""
    verdict, row = best_model(findings)
    if row is None:
        return ""
    model, baseline = str(row["method"]), str(row["best_baseline"])
    low, high = signed(row["low"]), signed(row["high"])
    used = recommended_of(findings)
    tested = protocol_words(honest_protocol(findings))
    if verdict == "better":
        told = (
            f"{capitalised(model)} beats the best simple baseline, {baseline}, by"
            f" {row['difference']:.2f} AUC with {tested} (95 % interval {low} to {high})"
        )
        return f"{told}; the map is that of {used}." if used and used != model else f"{told}."
    if verdict == "worse":
        told = (
            f"Every model does worse than the simple baseline {baseline}: the best of them, {model},"
            f" by {abs(row['difference']):.2f} AUC (95 % interval {low} to {high})"
        )
    else:
        told = (
            f"No model beats the best simple baseline, {baseline}, beyond its interval: {model}"
            f" differs by {signed(row['difference'])} AUC ({low} to {high})"
        )
    return f"{told}. {_what_to_use(baseline, used)}"


def _what_to_use(baseline: str, used: str) -> str:
    if used == baseline:
        return f"So {baseline} is what to use, and what made the map."
    made = f"; the map is that of {used}" if used else ""
    return f"{capitalised(baseline)} is enough{made}."


def _truth_sentence(findings: DepositFindings) -> str:
    table = findings.truth
    if table is None or not len(table):
        return ""
    hit, blind = table["is_hit"].to_numpy(bool), table["is_blind"].to_numpy(bool)
    told = f"Measured against the simulated truth, the targets hit {hit.sum()} of {len(table)} orebodies"
    if not blind.any():
        return f"{told}."
    n_hit = int((hit & blind).sum())
    if blind.sum() == 1:
        return f"{told}; the blind one was {'hit' if n_hit else 'missed'}."
    return f"{told}; of the {blind.sum()} blind ones, {n_hit}."
