"""The page of a genesis study: what type each deposit is, how sure that is, why, and how it formed.

The findings of a study, or of a classification with the shipped model, come in as plain tables; a
`Report` goes out. A part that was not found out is left off the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from gossan.report._checked import methods_section
from gossan.report._display_names import with_display_names
from gossan.report._genesis_box import better_baseline
from gossan.report._genesis_chemistry import data_section, formation_section, reasons_section
from gossan.report._genesis_trust import headline_of, trust_section
from gossan.report._genesis_verdicts import (
    verdict_cards,
    verdict_section,
    verdict_sentences,
)
from gossan.report._order import in_order
from gossan.report._writing import count_of, join_words, write_number, write_percent
from gossan.report.blocks import Table
from gossan.report.page import Report


@dataclass(frozen=True, kw_only=True)
class GenesisFindings:
    """What a genesis study found out, as plain tables; everything after `elements` may be missing.

    Parameters
    ----------
    title : str
        Title of the page.
    table_name : str
        File that was classified or studied.
    n_analyses, n_deposits : int
        Its size.
    classes, elements : sequence of str
        Deposit types and elements of the model.
    trained_on : str
        Table that a shipped model learned from; empty when the study trained its own.
    conclusion : sequence of str
        Sentences to print instead of the written ones.
    verdicts : DataFrame, optional
        One row a deposit: `deposit`, `verdict`, `probability` (0 to 1), `conformal_set` ("MVT,
        SEDEX" or "none of these"), `n_analyses`, `n_disagree`, `p_value` (of belonging to the
        training data), `outside_elements` (list or string), `nearest`; optionally
        `out_of_distribution` (bool, else p_value < 0.05), `type` (as stated beforehand) and a
        column of probability for each class.
    predictions : DataFrame, optional
        One row an analysis, any columns.
    conformal_level : float
        Coverage that the conformal sets promise.
    protocols : DataFrame, optional
        One row a model and protocol: `model`, `protocol`, and for each score a column with its
        name and two with `_low` and `_high`; the first protocol is the random split.
    headline : str
        Score of `protocols` that is drawn and quoted.
    main_model : str
        Model of `protocols` that gave the verdicts; the last by default.
    confusion : DataFrame, optional
        Counts of deposits, index stated type, columns verdict, each deposit held out.
    wrong : DataFrame, optional
        Deposits with a wrong verdict: `deposit`, `type`, `verdict`, and more.
    class_counts : DataFrame, optional
        `class`, `deposits`, `analyses` of the training table.
    calibration : DataFrame, optional
        `stated`, `observed`, `low`, `high`, `n` on held-out deposits.
    conformal : mapping, optional
        `asked`, `observed`, `low`, `high`, `mean_size` of the sets on held-out deposits.
    null : mapping, optional
        `score`, `mean`, `maximum`, `p_value`, `n` of the null test, `metric` its score.
    leaks : sequence
        Findings of the leakage report (`severity`, and `sentence` or `message`), or sentences.
    importance : DataFrame, optional
        `feature`, `importance`, `low`, `high`.
    importance_label : str
        What its number is.
    discriminating : DataFrame, optional
        `class`, `feature`, `delta`, `direction`, `median`, `rest_median` and more.
    attribution : DataFrame, optional
        Why each deposit got its verdict, one row a deposit.
    embedding : DataFrame, optional
        Two columns of coordinates whose names label the axes, then `class`, `deposit` and `new`
        (bool: the user's).
    loadings : DataFrame, optional
        Arrows of a PCA map, indexed by element.
    training, training_censored : DataFrame, optional
        Training table with elements [ppm] and `class_column`; twin of flags.
    points, points_censored : DataFrame, optional
        The user's analyses with elements [ppm] and `deposit_column`; twin of flags.
    class_column, deposit_column : str
        Their names in `training` and `points`.
    ternary : tuple of three str, optional
        Elements of the ternary diagram; the three that the verdicts lean on most by default.
    formation : DataFrame, optional
        `deposit`, `temperature`, `low`, `high` [°C] and more.
    class_temperatures : DataFrame, optional
        `class`, `low`, `middle`, `high` [°C].
    temperature_range : (float, float), optional
        Calibration range of the thermometer [°C].
    formation_note : str
        The thermometer, its source and its caution.
    enrichment : DataFrame, optional
        Ratios, deposits in rows, elements in columns.
    enrichment_reference : str
        What they were divided by.
    enrichment_ranges : mapping, optional
        Class to a table indexed by element with `low` and `high`.
    lead_isotopes, sulfur : DataFrame, optional
        Isotope tables (`deposit`, "206/204", "207/204"; any columns).
    lead_curves : mapping, optional
        Growth curves, see `gossan.plot.plot_lead_isotopes`.
    quality : optional
        Report of `read_assays`: `.findings` with `severity`, `message`, `rows`, `column`.
    censored_shares : DataFrame, optional
        Shares (0 to 1) indexed by element, columns "below_limit", "missing" and the like.
    methods : str
        Paragraphs to paste.
    citations : sequence of str
        References.
    model_card : mapping
        Facts of the model.
    manifest : mapping
        Facts of the run.
    """

    title: str
    table_name: str
    n_analyses: int
    n_deposits: int
    classes: Sequence[str]
    elements: Sequence[str]
    trained_on: str = ""
    conclusion: Sequence[str] = ()
    verdicts: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None
    conformal_level: float = 0.9
    protocols: pd.DataFrame | None = None
    headline: str = "verdict"
    main_model: str = ""
    confusion: pd.DataFrame | None = None
    wrong: pd.DataFrame | None = None
    class_counts: pd.DataFrame | None = None
    calibration: pd.DataFrame | None = None
    conformal: Mapping[str, float] | None = None
    null: Mapping[str, Any] | None = None
    leaks: Sequence[Any] = ()
    importance: pd.DataFrame | None = None
    importance_label: str = "Rise of log-loss when the element is shuffled between deposits"
    discriminating: pd.DataFrame | None = None
    attribution: pd.DataFrame | None = None
    embedding: pd.DataFrame | None = None
    loadings: pd.DataFrame | None = None
    training: pd.DataFrame | None = None
    training_censored: pd.DataFrame | None = None
    points: pd.DataFrame | None = None
    points_censored: pd.DataFrame | None = None
    class_column: str = "type"
    deposit_column: str = "deposit"
    ternary: tuple[str, str, str] | None = None
    formation: pd.DataFrame | None = None
    class_temperatures: pd.DataFrame | None = None
    temperature_range: tuple[float, float] | None = None
    formation_note: str = ""
    enrichment: pd.DataFrame | None = None
    enrichment_reference: str = ""
    enrichment_ranges: Mapping[str, pd.DataFrame] | None = None
    lead_isotopes: pd.DataFrame | None = None
    lead_curves: Mapping[str, pd.DataFrame] | None = None
    sulfur: pd.DataFrame | None = None
    quality: Any = None
    censored_shares: pd.DataFrame | None = None
    methods: str = ""
    citations: Sequence[str] = ()
    model_card: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)


def genesis_report(findings: GenesisFindings) -> Report:
    """Page of a genesis study or classification: conclusion, trust, reasons, formation, data.

    Parameters
    ----------
    findings : GenesisFindings
        What was found out.

    Returns
    -------
    report : Report
        For `gossan.report.write_report`.

    Examples
    --------
    >>> verdicts = pd.DataFrame({"deposit": ["Gunga"], "verdict": ["MVT"], "probability": [0.94],
    ...                          "conformal_set": ["MVT"]})
    >>> found = GenesisFindings(title="Gunga", table_name="gunga.csv", n_analyses=40, n_deposits=1,
    ...                         classes=["MVT", "VMS"], elements=["Ge", "In"], verdicts=verdicts)
    >>> genesis_report(found).conclusion[0]
    'Gunga is an MVT deposit by its chemistry (94 %).'
    """
    findings = with_display_names(findings)
    return Report(
        title=findings.title,
        subtitle=_subtitle(findings),
        conclusion=list(findings.conclusion) or _conclusion(findings),
        cards=verdict_cards(findings),
        sections=in_order(
            verdict_section(findings),
            trust=[trust_section(findings)],
            why=[reasons_section(findings), formation_section(findings)],
            data=data_section(findings),
            methods=methods_section(findings.methods, findings.citations, *_card_blocks(findings)),
        ),
        manifest=findings.manifest,
        kind="Ore genesis from mineral chemistry",
    )


def _subtitle(findings: GenesisFindings) -> str:
    learned = f", classified by a model trained on {findings.trained_on}"
    return (
        f"{findings.table_name}: {count_of(findings.n_analyses, 'analysis', 'analyses')} of "
        f"{count_of(findings.n_deposits, 'deposit')}, {count_of(len(findings.elements), 'element')}"
        f"{learned if findings.trained_on else ''}"
    )


def _conclusion(findings: GenesisFindings) -> list[str]:
    sentences = []
    if findings.verdicts is not None and len(findings.verdicts):
        sentences += verdict_sentences(findings, findings.verdicts)
    headline = headline_of(findings)
    if headline:
        sentences.append(headline)
    ahead = better_baseline(findings)
    if ahead is not None:
        sentences.append(
            f"A simpler model does as well or better: {ahead['model']}, with"
            f" {write_percent(float(ahead[findings.headline]))} % on the same deposits."
        )
    if findings.formation is not None and 0 < len(findings.formation) <= 3:
        told = [
            f"{row['deposit']} at about {row['temperature']:.0f} °C ({row['low']:.0f} to "
            f"{row['high']:.0f} °C)"
            for _, row in findings.formation.iterrows()
            if np.isfinite(row["temperature"])
        ]
        sentences += [f"Chemistry puts the formation of {join_words(told)}."] if told else []
    return sentences or ["Nothing was concluded: the run holds no verdicts and no scores."]


def _card_blocks(findings: GenesisFindings) -> list[Table]:
    if not findings.model_card:
        return []
    rows = [(str(k).replace("_", " "), _written(v)) for k, v in findings.model_card.items()]
    return [Table("Model card", pd.DataFrame(rows, columns=["what", "value"]))]


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_written(inner)}" for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return write_number(value) if isinstance(value, float) else str(value)
