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

_MOST_CARDS = 6
_FEWER = 3  # of more than three but not six: whole rows on a wide screen


def target_cards(findings: DepositFindings) -> list[Card]:
    """Return a card for each of the first targets."""
    table = findings.targets
    if table is None or not len(table):
        return []
    most = _MOST_CARDS if len(table) >= _MOST_CARDS else _FEWER
    return [_card(findings, row) for _, row in table.head(most).iterrows()]


def _card(findings: DepositFindings, row: pd.Series) -> Card:
    number = int(row["target"])
    level = str(row.get("kind", row.get("level", "")))
    lines = [
        place_of(row),
        *_size_line(row),
        *_score_line(row),
        *_agreement_line(row),
        *_why_line(findings, row),
        *_distance_line(row),
        *_collar_line(findings, number),
    ]
    return Card(
        f"Target {number}{f' · {level}' if level else ''}",
        heights_of(row).removesuffix(" elevation"),
        lines=lines,
        findings=_cautions(row),
    )


def _size_line(row: pd.Series) -> list[str]:
    volume = number_of(row, "volume")
    return [write_volume(volume)] if np.isfinite(volume) else []


def _score_line(row: pd.Series) -> list[str]:
    score = number_of(row, "score")
    if not np.isfinite(score):
        return []
    low, high = number_of(row, "score_p10"), number_of(row, "score_p90")
    told = f"Score {score:.3f}"
    if np.isfinite([low, high]).all():
        told += f" (P10 to P90: {low:.3f} to {high:.3f})"
    spread = number_of(row, "spread")
    return [told + (f", spread {spread:.2g}" if np.isfinite(spread) else "")]


def _agreement_line(row: pd.Series) -> list[str]:
    share = number_of(row, "agreement")
    if not np.isfinite(share):
        return []
    who = "All" if share > 0.999 else "None" if share < 0.001 else f"{100 * share:.0f} %"
    return [f"{who} of the other methods {'agrees' if share < 0.001 else 'agree'}"]


def _why_line(findings: DepositFindings, row: pd.Series) -> list[str]:
    why = row.get("why", "")
    if not isinstance(why, str) or not why:
        return []
    return [f"Why, against all rock: {plain_reasons(why, findings.indicators)}"]


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


def _distance_line(row: pd.Series) -> list[str]:
    distance = number_of(row, "sample_distance")
    return [f"Nearest sample {distance:,.0f} m away (median)"] if np.isfinite(distance) else []


def _collar_line(findings: DepositFindings, number: int) -> list[str]:
    collar = collar_of(findings, number)
    if collar is None:
        return []
    place = f"{collar['easting']:,.0f} E, {collar['northing']:,.0f} N".replace("-", "−")
    return [
        f"Hole to test it: from {place}, {collar['elevation']:,.0f} m; azimuth"
        f" {collar['azimuth'] % 360:03.0f}°, dip {collar['dip']:.0f}°, {collar['length']:,.0f} m"
        " long".replace("-", "−")
    ]


def collar_of(findings: DepositFindings, number: int) -> pd.Series | None:
    """Return the hole suggested for a target, None without a whole one."""
    table = findings.collars
    if table is None or not len(table):
        return None
    own = table[table["target"] == number].dropna(subset=["easting", "northing", "length"])
    return own.iloc[0] if len(own) else None


def _cautions(row: pd.Series) -> list[Finding]:
    if bool(row.get("is_extrapolated", False)):
        return [Finding("warning", "Extrapolated: no sample is near enough to speak for it.")]
    return []
