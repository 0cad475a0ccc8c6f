"""The verdicts of a genesis study as sentences, as cards, and as a chart with a table.

The findings of the study come in; what stands at the top of the page goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gossan.plot.curves import plot_probabilities
from gossan.plot.style import NONE_OF_THESE, class_colours, new_axes, to_svg
from gossan.report._writing import capitalised, count_of, join_words, write_number, write_percent
from gossan.report.blocks import Block, Card, Details, Figure, Finding, Table
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.genesis import GenesisFindings

_MOST_CARDS = 9
_MOST_BARS = 30


def verdict_sentences(findings: GenesisFindings, verdicts: pd.DataFrame) -> list[str]:
    if "type" in verdicts:
        right = int((verdicts["type"].astype(str) == verdicts["verdict"].astype(str)).sum())
        sentence = (
            f"The stated type of {right} of {count_of(len(verdicts), 'deposit')} was found again"
            " by a model that had never seen the deposit."
        )
        return [sentence]
    rows = [row for _, row in verdicts.iterrows()]
    if len(rows) <= 3:
        return [" ".join(_verdict_sentence(findings, row) for row in rows)]
    outside = [str(row["deposit"]) for row in rows if is_outside(row)]
    single = [row for row in rows if not is_outside(row) and len(set_of(findings, row)) == 1]
    open_rows = len(rows) - len(outside) - len(single)
    parts = [f"{len(single)} of {len(rows)} deposits get a single type"]
    keep = "keeps" if open_rows == 1 else "keep"
    parts += [f"{open_rows} {keep} several types possible"] if open_rows else []
    lie = "lies" if len(outside) == 1 else "lie"
    parts += [f"{len(outside)} {lie} outside what the model has seen"] if outside else []
    named = [f"{row['deposit']} ({row['verdict']})" for row in single]
    return (
        [f"{join_words(parts)}."]
        + ([f"Settled: {join_words(named, longest=8)}."] if named else [])
        + ([f"Outside the training data: {join_words(outside, longest=8)}."] if outside else [])
    )


def _verdict_sentence(findings: GenesisFindings, row: pd.Series) -> str:
    name, verdict, percent = row["deposit"], str(row["verdict"]), _percent(row)
    if is_outside(row) or verdict == NONE_OF_THESE:
        nearest = row.get("nearest") or verdict
        return f"{name} lies outside what the model has seen; nearest is {nearest}{percent}."
    others = [other for other in set_of(findings, row) if other != verdict]
    if others:
        stays = "stays" if len(others) == 1 else "stay"
        return f"{name} is most like {verdict}{percent}; {join_words(others)} {stays} possible."
    article = "an" if verdict[:1].upper() in "AEIO" or _is_spelled_with_vowel(verdict) else "a"
    return f"{name} is {article} {verdict} deposit by its chemistry{percent}."


def _is_spelled_with_vowel(word: str) -> bool:
    """Whether an abbreviation is read as letters of which the first sounds like a vowel (MVT)."""
    return word.isupper() and word[0] in "FHLMNRSX" and not set(word[1:]) & set("AEIOU")


def _percent(row: pd.Series) -> str:
    probability = row.get("probability", np.nan)
    return f" ({write_percent(probability)} %)" if np.isfinite(probability) else ""


def is_outside(row: pd.Series) -> bool:
    """Whether the deposit was found to lie outside the training data."""
    flag = row.get("out_of_distribution")
    if flag is not None and not pd.isna(flag):
        return bool(flag)
    return bool(row.get("p_value", 1.0) < 0.05)


def set_of(findings: GenesisFindings, row: pd.Series) -> list[str]:
    """Classes of the conformal set of a verdict, in the order of the classes."""
    given = row.get("conformal_set", row["verdict"])
    parts = {str(given)} if isinstance(given, str) else set(map(str, given))
    parts |= {part.strip() for whole in list(parts) for part in whole.split(",")}
    return [str(name) for name in findings.classes if str(name) in parts]


def verdict_cards(findings: GenesisFindings) -> list[Card]:
    verdicts = findings.verdicts
    if verdicts is None or "type" in verdicts or len(verdicts) > _MOST_CARDS:
        return []
    colours = class_colours([*findings.classes, NONE_OF_THESE])
    return [_card(findings, row, colours) for _, row in verdicts.iterrows()]


def _card(findings: GenesisFindings, row: pd.Series, colours: Mapping[str, str]) -> Card:
    verdict = str(row["verdict"])
    lines, cautions = [], []
    others = [other for other in set_of(findings, row) if other != verdict]
    level = f"{findings.conformal_level:.0%}".replace("%", " %")
    if others:
        lines.append(f"At {level} coverage also possible: {', '.join(others)}")
    elif "conformal_set" in row and set_of(findings, row):
        lines.append(f"The only type left at {level} coverage")
    elif "conformal_set" in row:
        lines.append(f"No type is left at {level} coverage")
    if np.isfinite(row.get("n_analyses", np.nan)):
        disagree = row.get("n_disagree", np.nan)
        lines.append(
            count_of(int(row["n_analyses"]), "analysis", "analyses")
            + (f", {int(disagree)} of another opinion" if np.isfinite(disagree) else "")
        )
    lines += _temperature_line(findings, row["deposit"])
    if is_outside(row):
        cautions.append(Finding("warning", _outside_message(row)))
    return Card(
        title=str(row["deposit"]),
        verdict=capitalised(verdict),
        probability=row.get("probability"),
        colour=colours.get(verdict, "#5b6773"),
        lines=lines,
        findings=cautions,
    )


def _outside_message(row: pd.Series) -> str:
    elements = row.get("outside_elements", "")
    names = elements if isinstance(elements, str) else ", ".join(map(str, elements or []))
    p_value = row.get("p_value", np.nan)
    return (
        "Outside the training data"
        + (f" (p = {write_number(p_value)})" if np.isfinite(p_value) else "")
        + (f" in {names}" if names else "")
        + (f"; nearest is {row['nearest']}." if row.get("nearest") else ".")
    )


def _temperature_line(findings: GenesisFindings, deposit: str) -> list[str]:
    if findings.formation is None:
        return []
    own = findings.formation[findings.formation["deposit"] == deposit]
    if len(own) != 1 or not np.isfinite(own["temperature"].iloc[0]):
        return []
    row = own.iloc[0]
    return [f"{row['temperature']:.0f} °C ({row['low']:.0f} to {row['high']:.0f} °C)"]


def verdict_section(findings: GenesisFindings) -> Section | None:
    verdicts = findings.verdicts
    if verdicts is None or not len(verdicts):
        return None
    blocks: list[Block] = []
    if set(map(str, findings.classes)) <= set(map(str, verdicts.columns)):
        blocks.append(_probability_figure(findings, verdicts))
    shown = [name for name in verdicts.columns if str(name) not in set(map(str, findings.classes))]
    level = f"{findings.conformal_level:.0%}".replace("%", " %")
    blocks.append(
        Table(
            "Verdicts",
            verdicts[shown],
            note="A small p means that no training deposit looks like this one."
            if "p_value" in shown
            else "Stated: as in the table. Of another opinion: analyses whose own verdict differs.",
            headings={"conformal_set": f"possible at {level}", "n_disagree": "of another opinion",
                      "n_analyses": "analyses", "p_value": "p (like training data)",
                      "outside_elements": "outside in", "type": "stated type"},
            formats={"probability": "{:.2f}", "p_value": "{:.3f}"},
        )
    )  # fmt: skip
    if findings.predictions is not None and len(findings.predictions):
        blocks.append(
            Details("Analysis by analysis", [Table("Single analyses", findings.predictions)])
        )
    return Section(
        "Verdicts",
        f"All analyses of a deposit vote. The possible types hold the true one for {level} of"
        " deposits the model has not seen.",
        blocks,
    )


def _probability_figure(findings: GenesisFindings, verdicts: pd.DataFrame) -> Figure:
    names = [name for name in verdicts.columns if str(name) in set(map(str, findings.classes))]
    drawn = (
        verdicts.nsmallest(_MOST_BARS, "probability") if len(verdicts) > _MOST_BARS else verdicts
    )
    bars = drawn.set_index("deposit")[names]
    sets = None
    if "conformal_set" in drawn:
        sets = {str(row["deposit"]): set_of(findings, row) for _, row in drawn.iterrows()}
    ax = new_axes(8, 1.0 + 0.34 * len(bars))[0]
    plot_probabilities(bars, conformal_sets=sets, ax=ax)
    few = f" Shown: the {_MOST_BARS} least certain." if len(drawn) < len(verdicts) else ""
    best = ", ".join(f"{row['deposit']} {row['verdict']}" for _, row in drawn.head(12).iterrows())
    return Figure(
        "Probability of each type",
        to_svg(ax),
        alt=f"Stacked bars of the probability of each type for each deposit. Verdicts: {best}.",
        caption=f"Underlined types stay possible; pale ones are ruled out.{few}",
        data=verdicts[["deposit", *names]],
    )
