"""The first targets of a prospectivity map, each as a card: where, how large, why, how sure.

The findings of the study come in; cards go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.report._prospect_words import (
    in_percent,
    is_beside,
    is_label_free,
    name_of,
    write_area,
    write_best,
    write_km,
    write_reasons,
)
from gossan.report._scored_words import place_of
from gossan.report._writing import capitalised, number_of
from gossan.report.blocks import Card, Finding

if TYPE_CHECKING:
    from gossan.report.prospect import ProspectFindings

_MOST_CARDS = 6
_FEWER = 3  # of more than three but not six: whole rows on a wide screen
_MUCH_EDGE = 0.25  # share of a field without data, that the reader is warned of
_UNSTABLE = 0.5  # share of the runs that agree


def target_cards(findings: ProspectFindings) -> list[Card]:
    """Return a card for each of the first targets, new ground before what is known."""
    table = findings.targets
    if table is None or not len(table):
        return []
    if "percentile" in table:
        table = table.assign(percentile=in_percent(table["percentile"]))
    if "contains_known" in table:
        table = table.sort_values("contains_known", kind="stable")
    most = _MOST_CARDS if len(table) >= _MOST_CARDS else _FEWER
    return [
        _card(row, is_taught=not is_label_free(findings)) for _, row in table.head(most).iterrows()
    ]


def _card(row: pd.Series, *, is_taught: bool) -> Card:
    area, percentile = number_of(row, "area"), number_of(row, "percentile")
    size = write_area(area) if np.isfinite(area) else ""
    rank = f"{write_best(percentile)} of the area" if np.isfinite(percentile) else ""
    why = write_reasons(row.get("why"))
    top = f"Its best cell ranks in the {rank}" if rank else ""
    lines = [place_of(row), top if size else "", f"Why: {why}" if why else "", *_trust_lines(row),
             _known_line(row)]  # fmt: skip
    return Card(
        f"Target {name_of(row['target'])}{_ground(row)}",
        size or rank or "high score",
        lines=[capitalised(line) for line in lines if line],
        findings=_cautions(row, is_taught=is_taught),
    )


def _ground(row: pd.Series) -> str:
    if "contains_known" not in row:
        return ""
    if bool(row["contains_known"]):
        return " · known ground"
    return " · beside known ground" if is_beside(row) else " · new ground"


def _trust_lines(row: pd.Series) -> list[str]:
    score, spread = number_of(row, "score"), number_of(row, "spread")
    stability = number_of(row, "stability")
    told = []
    if np.isfinite(score):
        told.append(f"Score {score:.2f}" + (f" ± {spread:.1g}" if np.isfinite(spread) else ""))
    if np.isfinite(stability):
        runs = "every run" if stability >= 0.995 else f"{100 * stability:.0f} % of the runs"
        told.append(f"Among the best ground in {runs}")
    return told


def _known_line(row: pd.Series) -> str:
    distance = number_of(row, "known_distance")
    if bool(row.get("contains_known", False)) or not np.isfinite(distance):
        return ""
    return f"Nearest known occurrence {write_km(distance)} away"


def _cautions(row: pd.Series, *, is_taught: bool) -> list[Finding]:
    """Return what to hold against a target, as one finding."""
    doubts = []
    if number_of(row, "stability") < _UNSTABLE:
        doubts.append("Most runs of the method put other ground first.")
    if number_of(row, "edge_fraction") > _MUCH_EDGE:
        share = 100 * number_of(row, "edge_fraction")
        doubts.append(f"{share:.0f} % of what the method reads here had no data.")
    told = list(doubts)
    if is_taught and bool(row.get("contains_known", False)):
        told.insert(0, "Holds an occurrence that the map was taught: its rank is no test.")
    return [Finding("warning" if doubts else "note", " ".join(told))] if told else []
