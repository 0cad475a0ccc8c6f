"""The first targets of a deposit study, each as a card: where, how high, why, and the hole to test it.

The findings of the study come in; cards go out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.report._deposit_words import heights_of, write_volume
from gossan.report._scored_words import place_of
from gossan.report._writing import number_of
from gossan.report.blocks import Card, Finding

if TYPE_CHECKING:
    from gossan.report.deposit import DepositFindings

MOST_CARDS = 3  # one row of a wide screen: all targets are in the table
_MOST_REASONS = 2  # on a card; the table has all


def target_cards(findings: DepositFindings) -> list[Card]:
    """Return a card for each of the first targets."""
    table = findings.targets
    if table is None or not len(table):
        return []
    return [_card(findings, row) for _, row in table.head(MOST_CARDS).iterrows()]


def _card(findings: DepositFindings, row: pd.Series) -> Card:
    number = int(row["target"])
    level = str(row.get("kind", row.get("level", "")))
    heights, volume = heights_of(row).removesuffix(" elevation"), number_of(row, "volume")
    has_size = bool(np.isfinite(volume))
    told = {
        "Place": place_of(row),
        "Elevation": heights if has_size else "",
        "Sample": _distance_words(row),
        "Score": _score_words(row),
        "Methods": _agreement_words(row),
        "Why": _why_words(findings, row),
        "Hole": _collar_words(findings, number),
    }
    return Card(
        f"Target {number}{f' · {level}' if level else ''}",
        write_volume(volume) if has_size else heights,
        facts=[(word, said) for word, said in told.items() if said],
        findings=_cautions(row),
    )


def _score_words(row: pd.Series) -> str:
    score = number_of(row, "score")
    if not np.isfinite(score):
        return ""
    low, high = number_of(row, "score_p10"), number_of(row, "score_p90")
    known = np.isfinite([low, high]).all()
    return f"{score:.3f}" + (f" ({low:.3f} to {high:.3f})" if known else "")


def _agreement_words(row: pd.Series) -> str:
    share = number_of(row, "agreement")
    if not np.isfinite(share):
        return ""
    if share < 0.001:
        return "no other agrees"
    return "all agree" if share > 0.999 else f"{100 * share:.0f} % of the others"


def _why_words(findings: DepositFindings, row: pd.Series) -> str:
    why = row.get("why", "")
    if not isinstance(why, str) or not why:
        return ""
    return ", ".join(plain_reasons(why, findings.indicators).split(", ")[:_MOST_REASONS])


def plain_reasons(why: str, indicators: pd.DataFrame | None) -> str:
    """Write reasons with the meaning of each indicator instead of its name.

    Examples
    --------
    >>> table = pd.DataFrame({"name": ["near"], "meaning": ["near-ore elements"]})
    >>> plain_reasons("near above 98.0% of cells, fault_distance below 90.0% of cells", table)
    'near-ore elements (highest 2 %), fault distance (lowest 10 %)'
    """
    meanings: dict[str, str] = {}
    if indicators is not None and {"name", "meaning"} <= set(indicators):
        meanings = dict(
            zip(indicators["name"].astype(str), indicators["meaning"].astype(str), strict=True)
        )

    def write(found: re.Match[str]) -> str:
        name = meanings.get(found[2], found[2].replace("_", " "))
        end = "highest" if found[3] == "above" else "lowest"
        return f"{found[1]}{name} ({end} {100 - float(found[4]):.2g} %)"

    return re.sub(r"(^|, )(.+?) (above|below) ([\d.]+)% of cells", write, why)


def _distance_words(row: pd.Series) -> str:
    distance = number_of(row, "sample_distance")
    return f"{distance:,.0f} m away" if np.isfinite(distance) else ""


def _collar_words(findings: DepositFindings, number: int) -> str:
    collar = collar_of(findings, number)
    if collar is None:
        return ""
    azimuth, dip, length = (collar[name] for name in ("azimuth", "dip", "length"))
    return f"azimuth {azimuth % 360:03.0f}°, dip {dip:.0f}°, {length:,.0f} m".replace("-", "−")


def collar_of(findings: DepositFindings, number: int) -> pd.Series | None:
    """Return the hole suggested for a target, None without a whole one."""
    table = findings.collars
    if table is None or not len(table):
        return None
    own = table[table["target"] == number].dropna(subset=["easting", "northing", "length"])
    return own.iloc[0] if len(own) else None


def _cautions(row: pd.Series) -> list[Finding]:
    if bool(row.get("is_extrapolated", False)):
        return [Finding("warning", "Extrapolated")]
    return []
