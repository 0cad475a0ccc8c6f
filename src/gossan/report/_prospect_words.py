"""Words of a page on a prospectivity map: numbers, places, scores, and what they come to.

The findings of the study come in; words and sentences go out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gossan.report._scored_words import best_under, kinds_of, row_of, signed
from gossan.report._writing import capitalised, join_words, number_of, write_number

if TYPE_CHECKING:
    from gossan.report.prospect import ProspectFindings

FIT, RANDOM, BLOCKS = "fit", "random", "blocks"
PROTOCOLS = {
    FIT: "fitted, not evidence",
    RANDOM: "random cross-validation",
    BLOCKS: "whole blocks held out",
}
LOUD_NULL = 0.6  # mean AUC of fake patterns, beyond which a protocol is not valid
SIGNIFICANT = 0.05
_MOST_REASONS = 5


# Numbers and places


def write_area(km2: float) -> str:
    """Write an area for reading.

    Examples
    --------
    >>> write_area(159_000.0), write_area(35.28), write_area(0.25)
    ('159,000 km²', '35.3 km²', '0.25 km²')
    """
    return f"{write_number(km2)} km²"


def write_km(metres: float) -> str:
    """Write a distance in m below 1 km, else in km.

    Examples
    --------
    >>> write_km(250.0), write_km(4200.0), write_km(18_432.0)
    ('250 m', '4.2 km', '18 km')
    """
    if metres < 999.5:
        return f"{metres:.3g} m"
    return f"{metres / 1000:.2g} km" if metres < 99_500 else f"{metres / 1000:,.0f} km"


def write_best(percentile: float) -> str:
    """Write in which best share of the area a percentile lies.

    Examples
    --------
    >>> write_best(99.62), write_best(87.0), write_best(100.0)
    ('best 0.38 %', 'best 13 %', 'best 0.1 %')
    """
    return f"best {max(100.0 - percentile, 0.1):.2g} %"


def in_percent(values: Any) -> np.ndarray:
    """Return percentiles from 0 to 100; shares, none of which exceeds 1, are brought to it.

    The best cell of a map has a percentile near the top of its scale, so that the highest tells.

    Examples
    --------
    >>> in_percent([0.25, 0.995]).tolist(), in_percent([0.4, 99.5]).tolist()
    ([25.0, 99.5], [0.4, 99.5])
    """
    numbers = np.asarray(values, dtype=float)
    known = numbers[np.isfinite(numbers)]
    return numbers * 100.0 if len(known) and known.max() <= 1.0 else numbers


def name_of(target: Any) -> str:
    """Write the number or name of a target.

    Examples
    --------
    >>> name_of(3.0), name_of("B")
    ('3', 'B')
    """
    is_whole = isinstance(target, (float, np.floating)) and float(target).is_integer()
    return str(int(target)) if is_whole else str(target)


def write_reasons(why: Any) -> str:
    """Write why a target scores high: text as it is, contributions with their signs.

    Examples
    --------
    >>> write_reasons({"Li": 1.234, "Ca": -0.4}), write_reasons("+Li -fault_distance")
    ('Li +1.2, Ca −0.4', '+Li −fault distance')
    """
    if isinstance(why, Mapping):
        ranked = sorted(why.items(), key=lambda part: -abs(float(part[1])))[:_MOST_REASONS]
        told = ", ".join(f"{name} {value:+.1f}" for name, value in ranked)
        return told.replace("-", "−").replace("_", " ")
    if not isinstance(why, str):
        return ""
    return re.sub(r"(^|[\s,(])-(?=\w)", r"\1−", why).replace("_", " ")


# Scores


def protocol_words(protocol: str) -> str:
    """Name of a protocol for people."""
    return PROTOCOLS.get(protocol, protocol)


def honest_protocol(findings: ProspectFindings) -> str:
    """Return the protocol that conclusions rest on: blocks, or one that is neither fit nor random."""
    table = findings.scores
    known = [] if table is None else list(dict.fromkeys(table["protocol"].astype(str)))
    others = [name for name in known if name not in PROTOCOLS]
    return next((name for name in (BLOCKS, *others) if name in known), "")


def recommended_of(findings: ProspectFindings) -> str:
    """Return the method that made the map, or the best under the honest protocol."""
    return best_under(findings, honest_protocol(findings))


def score_row(findings: ProspectFindings, protocol: str, method: str = "") -> pd.Series | None:
    """Return the scores of a method (the recommended one by default), None without them."""
    return row_of(findings, protocol, method or recommended_of(findings))


def is_simple(findings: ProspectFindings, method: str) -> bool:
    """Tell whether a method is a baseline, with labels or without."""
    return kinds_of(findings).get(method, "model") != "model"


def is_label_free(findings: ProspectFindings) -> bool:
    """Tell whether the method that made the map was taught no occurrence."""
    return kinds_of(findings).get(recommended_of(findings)) == "label-free"


def null_row(findings: ProspectFindings, protocol: str, method: str = "") -> pd.Series | None:
    """Return the null test of a method (the recommended one by default), None without it."""
    table = findings.null
    if table is None or not len(table):
        return None
    own = table[table["protocol"].astype(str) == protocol]
    own = own[own["method"].astype(str) == (method or recommended_of(findings))]
    return own.iloc[0] if len(own) else None


def random_null_of(findings: ProspectFindings) -> pd.Series | None:
    """Return the null test that makes random cross-validation invalid, None where none does."""
    table = findings.null
    if table is None or not len(table):
        return None
    means = table["null_mean"].astype(float)
    loud = table[(table["protocol"].astype(str) == RANDOM) & (means > LOUD_NULL)]
    if not len(loud):
        return None
    own = loud[loud["method"].astype(str) == recommended_of(findings)]
    return own.iloc[0] if len(own) else loud.loc[loud["null_mean"].astype(float).idxmax()]


def is_beyond_null(row: pd.Series | None) -> bool | None:
    """Tell whether real occurrences score above fake patterns; None where it was not tested.

    Few patterns cannot reach p = 0.05: then all of them must score lower.
    """
    auc, highest, p = (number_of(row, name) for name in ("auc", "null_max", "p_value"))
    if np.isfinite(p) and p <= SIGNIFICANT:
        return True
    if np.isfinite([auc, highest]).all():
        return bool(auc > highest)
    return False if np.isfinite(p) else None


# Sentences


def null_sentence(findings: ProspectFindings) -> str:
    """Say so where fake patterns do as well as the real occurrences; else nothing."""
    row = null_row(findings, honest_protocol(findings))
    if is_beyond_null(row) is not False:
        return ""
    p = number_of(row, "p_value")
    told = f" (p = {p:.2g})" if np.isfinite(p) else ""
    return (
        "The map cannot be told from chance: fake occurrences of the same clustering score up to"
        f" {number_of(row, 'null_max'):.2f} where the real ones score {number_of(row, 'auc'):.2f}{told}."
        " Do not drill on it alone."
    )


def random_sentence(findings: ProspectFindings) -> str:
    """Say so where random cross-validation is invalid; else nothing."""
    row = random_null_of(findings)
    if row is None:
        return ""
    return (
        "Random cross-validation is invalid here: fake patterns of the same clustering score"
        f" {number_of(row, 'null_mean'):.2f} under it with {row['method']}, where 0.5 is right. Do not"
        " quote its figures."
    )


def verdict_of(findings: ProspectFindings) -> tuple[str, pd.Series | None]:
    """Verdict on models against the best simple method, and the row of the comparison that decides.

    "better" if the interval of the method that made the map (of any model, where that is a simple
    one) lies above zero, "worse" if it lies below, "unknown" where it has none, else "tie"; empty
    without a comparison.
    """
    table = findings.comparisons
    if table is None or not len(table):
        return "", None
    used = recommended_of(findings)
    names = table["method"].astype(str)
    own = table[names == used]
    if is_simple(findings, used) or not len(own):
        is_model = np.array([not is_simple(findings, name) for name in names], dtype=bool)
        own = table[is_model].dropna(subset=["difference"])
        if not len(own):
            return "", None
        own = own.sort_values("difference", ascending=False)
        ahead = own[own["low"] > 0]
        own = ahead if len(ahead) else own
    row = own.iloc[0]
    low, high = number_of(row, "low"), number_of(row, "high")
    if not np.isfinite([low, high]).all():
        return "unknown", row
    return "better" if low > 0 else "worse" if high < 0 else "tie", row


def verdict_sentence(findings: ProspectFindings) -> str:
    """Say whether a model beats the best simple method beyond its interval, and what to use."""
    verdict, row = verdict_of(findings)
    if row is None:
        return ""
    used, model, simple = recommended_of(findings), str(row["method"]), str(row["against"])
    by = difference_words(row)
    what = f"{simple}{_label_words(findings, simple)}"
    if used == model:
        return {
            "better": f"{capitalised(model)} beats the best simple method, {what}, {by}.",
            "worse": f"A simple method wins: {what} does better than {model}"
            f" {difference_words(-row[['difference', 'high', 'low']].astype(float))}. Use its map.",
            "tie": f"A simple method ties: {model} cannot be told from {what}; it differs {by}.",
            "unknown": f"{capitalised(model)} differs from the simple {what} {by}; whether that is more"
            " than luck is not known.",
        }[verdict]
    made = _made_words(findings, used, simple)
    return {
        "better": f"{capitalised(model)} beats the best simple method, {what}, {by}. {made}",
        "worse": f"A simple method wins: no model reaches {what}; the best of them, {model}, differs"
        f" {by}. {made}",
        "tie": f"A simple method is enough: no model beats {what} beyond the interval; the best of"
        f" them, {model}, differs {by}. {made}",
        "unknown": f"{capitalised(model)} differs from the simple {what} {by}; whether that is more than"
        f" luck is not known. {made}",
    }[verdict]


def _made_words(findings: ProspectFindings, used: str, simple: str) -> str:
    """Say which simple method made the map, and whether it is as good as the best of them."""
    does = "makes the map" if findings.n_cells else "is the one to use"  # a study without a map
    if used == simple:
        return f"So it {does}."
    table = findings.comparisons
    own = None if table is None else table[table["method"].astype(str) == used]
    what = f"{capitalised(used)}{_label_words(findings, used)}"
    if own is None or not len(own) or not number_of(own.iloc[0], "high") >= 0:
        return f"{what} {does}."
    return f"{what} cannot be told from {simple} and {does}."


def chosen_words(findings: ProspectFindings) -> str:
    """Say of a method that it was chosen: for the map, where there is one."""
    return "that made the map" if findings.n_cells else "of choice"


def ground_words(findings: ProspectFindings) -> str:
    """Name what deposits are ranked among: the area of a map, or rows of background."""
    return "area" if findings.n_cells else "background"


def is_beside(row: pd.Series) -> bool:
    """Whether a target lies so near a known occurrence that it may be part of it.

    Nearer than the target is wide: the edge of a square of its area.
    """
    distance, area = number_of(row, "known_distance"), number_of(row, "area")
    return bool(0 < distance < 1000.0 * np.sqrt(area))


def difference_words(row: pd.Series) -> str:
    """Write a difference in AUC with its interval."""
    told = f"by {signed(number_of(row, 'difference'))} AUC"
    low, high = sorted((number_of(row, "low"), number_of(row, "high")))
    if not np.isfinite([low, high]).all():
        return told
    return f"{told}, 95 % interval {signed(low)} to {signed(high)}"


def tie_sentence(findings: ProspectFindings) -> str:
    """Name the methods that cannot be told from the one that made the map."""
    used, advice = recommended_of(findings), findings.advice
    others = [str(name) for name in findings.ties if str(name) not in (used, *_quoted(advice))]
    if not others:
        return ""
    return f"{capitalised(join_words(others))} cannot be told from {used} on what was held out."


def _quoted(text: str) -> list[str]:
    """Return the names that a text has in quotes."""
    return re.findall(r"'([^']+)'", text)


def _label_words(findings: ProspectFindings, method: str) -> str:
    is_free = kinds_of(findings).get(method) == "label-free"
    return " (which needs no labels)" if is_free else ""
