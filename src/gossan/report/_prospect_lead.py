"""What a prospectivity map concludes, in sentences: targets, skill, what simple methods do as well.

The findings of the study come in; sentences for the head of the page go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.report._prospect_words import (
    honest_protocol,
    is_beside,
    is_label_free,
    name_of,
    null_sentence,
    protocol_words,
    random_sentence,
    recommended_of,
    score_row,
    verdict_sentence,
    write_area,
    write_km,
)
from gossan.report._scored_words import auc_words, place_of
from gossan.report._writing import number_of

if TYPE_CHECKING:
    from gossan.report.prospect import ProspectFindings

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def conclusion_of(findings: ProspectFindings) -> list[str]:
    """Return what to do first, then how far to trust it."""
    told = [
        _plain_lead(findings),
        null_sentence(findings),  # targets of a map that is no better than chance come after that
        target_sentence(findings),
        _next_sentence(findings),
        findings.sentence or _skill_sentence(findings),
        verdict_sentence(findings) or findings.advice,
        random_sentence(findings),
    ]
    found = [sentence for sentence in told if sentence]
    return found or ["Nothing was concluded: the run holds no targets and no scores."]


def _plain_lead(findings: ProspectFindings) -> str:
    """Say in plain words what was found again, for a study without targets to tell first."""
    row = score_row(findings, honest_protocol(findings))
    n, inside = number_of(row, "n"), number_of(row, "captured_10")
    if findings.targets is not None or findings.conclusion or not np.isfinite([n, inside]).all():
        return ""
    times = 10 * inside / n
    where = "ground" if findings.n_cells else "background"
    chance = (
        f"{times:.1f} times as many as by chance" if times >= 1.05 else "no more than by chance"
    )
    return (
        f"Of {n:.0f} known occurrences, each hidden in turn, {inside:.0f} would have been found again in"
        f" the best 10 % of the {where}: {chance}."
    )


def target_sentence(findings: ProspectFindings) -> str:
    """Say how many targets are new ground, how much of it there is, and where the first lies."""
    table = findings.targets
    if table is None:
        return ""
    if not len(table):
        return "No target stands out: no ground is large enough and scores high enough."
    new, held = split_targets(table)
    if held is not None and not len(new):
        lead = "stands out, round" if len(held) == 1 else "stand out, each round"
        return (
            f"{_targets_words(held)} {lead} a known occurrence{_cover_words(findings, held)}; the map"
            " finds no new ground."
        )
    is_near = all(is_beside(row) for _, row in new.iterrows())
    ground = "" if held is None else " beside known ground" if is_near else " on new ground"
    lead = "deserves" if len(new) == 1 else "deserve"
    best = new.iloc[0]
    which = f"the first, target {name_of(best['target'])}," if len(new) > 1 else "it"
    return (
        f"{_targets_words(new)}{ground} {lead} a look{_cover_words(findings, new)}; {which} lies at"
        f" {place_of(best)}{_far_words(best)}."
    )


def split_targets(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return targets on new ground, and those that hold a known occurrence (None: not told)."""
    if "contains_known" not in table:
        return table, None
    is_known = table["contains_known"].to_numpy(bool)
    return table[~is_known], table[is_known]


def _many(n: int) -> str:
    return _NUMBERS[n] if n < len(_NUMBERS) else f"{n:,}"


def _targets_words(table: pd.DataFrame) -> str:
    return f"{_many(len(table))} {'target' if len(table) == 1 else 'targets'}"


def _cover_words(findings: ProspectFindings, table: pd.DataFrame) -> str:
    if "area" not in table:
        return ""
    covered = float(table["area"].sum())
    share = 100 * covered / findings.area_km2
    return (
        f": {write_area(covered)}, {share:.2g} % of the supported {write_area(findings.area_km2)}"
    )


def _far_words(row: pd.Series) -> str:
    distance = number_of(row, "known_distance")
    return f", {write_km(distance)} from the nearest known occurrence" if distance > 0 else ""


def _next_sentence(findings: ProspectFindings) -> str:
    """Say how many further targets hold a known occurrence, and whether that is a feat."""
    table = findings.targets
    if table is None or not len(table):
        return ""
    new, held = split_targets(table)
    if held is None or not len(held) or not len(new):
        return ""
    area = f" ({write_area(float(held['area'].sum()))})" if "area" in held else ""
    verb, told = ("holds", "it shows") if len(held) == 1 else ("hold", "they show")
    taught = (
        "which the map was not taught"
        if is_label_free(findings)
        else f"which the map was taught: {told} where it learned, not what it can find"
    )
    return f"{_many(len(held))} more{area} {verb} a known occurrence, {taught}."


def _skill_sentence(findings: ProspectFindings) -> str:
    protocol = honest_protocol(findings)
    row = score_row(findings, protocol)
    if row is None:
        has_map = findings.targets is not None and len(findings.targets) > 0
        return "How good the map is was not tested on ground that it never saw." if has_map else ""
    where = protocol_words(protocol)
    return (
        f"With {where}, {recommended_of(findings)} ranks a known occurrence above unlabelled ground in"
        f" {100 * number_of(row, 'auc'):.0f} of 100 pairs (AUC {auc_words(row)}; a coin gets 50)."
    )
