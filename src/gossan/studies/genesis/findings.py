"""What a genesis study or a classification tells its reader, gathered for the report.

A labelled table, its validation and a model come in; a `GenesisFindings` record goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gossan.data.assays import Assays
from gossan.geochem import enrichment_factors, summarise_formation
from gossan.report.genesis import GenesisFindings
from gossan.studies.genesis.deposit_types import DepositTypeModel
from gossan.studies.genesis.tables import LabelledTable
from gossan.studies.genesis.trust import Trust, held_out_verdicts, make_model
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.validation import (
    balanced_median,
    calibration_curve,
    conformal_coverage,
    cross_validate,
    discriminating_elements,
    group_attribution,
    group_folds,
    group_units,
    permutation_importance,
)

MOST_DRAWN = 4000  # new analyses in a figure; a published table is rarely larger
THERMOMETER = ("Fe", "Mn", "Ga", "Ge", "In")
FORMATION_NOTE = (
    "GGIMFis thermometer of sphalerite (Frenzel et al. 2016, doi:10.1016/j.oregeorev.2015.12.017), "
    "median of the analyses of each deposit; the bar is its scatter of 50 °C and the error of the "
    "coefficients. It is calibrated from 100 to 400 °C on deposit means and is reset by metamorphism."
)
CITATIONS = (
    "Gul, M. A. et al. 2025. J. Geochem. Explor. 275, 107771. doi:10.1016/j.gexplo.2025.107771",
    "Frenzel, M. et al. 2016. Ore Geol. Rev. 76, 52-78. doi:10.1016/j.oregeorev.2015.12.017",
    (
        "Angelopoulos, A. N. & Bates, S. 2023. Conformal prediction: a gentle introduction. "
        "Found. Trends Mach. Learn. 16, 494-591. doi:10.1561/2200000101"
    ),
)


def study_findings(
    labelled: LabelledTable,
    trust: Trust,
    model: DepositTypeModel,
    *,
    folder: RunFolder,
    title: str,
    name: str,
    mineral: str,
) -> GenesisFindings:
    """Findings of a study on the user's own training table.

    Parameters
    ----------
    labelled, trust, model
        Of the study.
    folder : RunFolder
        Keeps what is slow.
    title : str
        Of the page.
    name : str
        Of the model.
    mineral : str
        "sphalerite" adds the thermometer.

    Returns
    -------
    findings : GenesisFindings
    """
    validation = trust.validations[name, "deposit"]
    verdicts = held_out_verdicts(validation, model)
    right = verdicts["verdict"] == verdicts["type"]
    table, elements = labelled.table, labelled.elements
    calibrated = verdicts[model.classes].to_numpy()
    coverage = conformal_coverage(calibrated, verdicts["type"].to_numpy(), classes=model.classes)
    embedding, loadings = _embedding(table, elements, None, None)
    return GenesisFindings(
        title=title,
        table_name=labelled.assays.source,
        n_analyses=len(table),
        n_deposits=int(table["deposit"].nunique()),
        classes=model.classes,
        elements=elements,
        verdicts=verdicts,
        conformal_level=model.coverage,
        protocols=trust.scores,
        main_model=name,
        confusion=pd.crosstab(verdicts["type"], verdicts["verdict"]).reindex(
            index=model.classes, columns=model.classes, fill_value=0
        ),
        wrong=verdicts.loc[~right, ["deposit", "type", "verdict", "probability", "n_analyses"]],
        class_counts=_class_counts(table),
        calibration=calibration_curve(
            calibrated, verdicts["type"].to_numpy(), classes=model.classes, n_bins=6
        ),
        conformal={
            "asked": coverage.asked,
            "observed": coverage.observed,
            "low": coverage.low,
            "high": coverage.high,
            "mean_size": coverage.mean_size,
        },
        null=trust.null,
        leaks=trust.leaks.findings,
        importance=_importance(labelled, folder, name),
        discriminating=discriminating_elements(
            table[elements], labelled.y, groups=group_units(labelled.groups, labelled.y)
        ),
        embedding=embedding,
        loadings=loadings,
        training=table[[*elements, "type", "deposit"]],
        formation=_formation(table[elements], labelled.groups, mineral),
        class_temperatures=_class_temperatures(model, mineral),
        temperature_range=(100.0, 400.0) if _has_thermometer(elements, mineral) else None,
        formation_note=FORMATION_NOTE if _has_thermometer(elements, mineral) else "",
        quality=labelled.assays.report,
        censored_shares=_censored_shares(labelled.assays, elements),
        methods=_methods(labelled, name, model, trust),
        citations=CITATIONS,
    )


def classification_findings(
    model: DepositTypeModel,
    card: Mapping[str, Any],
    *,
    values: pd.DataFrame,
    deposits: np.ndarray,
    assays: Assays,
    verdicts: pd.DataFrame,
    title: str,
    mineral: str,
) -> GenesisFindings:
    """Findings on new deposits, judged by a model that was trained before.

    Parameters
    ----------
    model : DepositTypeModel
        The model.
    card : mapping
        Its model card.
    values : DataFrame of shape (n, n_elements)
        The new analyses [ppm].
    deposits : array of shape (n,)
        Deposit of each.
    assays : Assays
        What was read.
    verdicts : DataFrame
        Result of `model.verdicts`.
    title : str
        Of the page.
    mineral : str
        "sphalerite" adds the thermometer.

    Returns
    -------
    findings : GenesisFindings
    """
    drawn = drawn_rows(deposits)
    complete = values.notna().all(axis=1).to_numpy() & drawn
    embedding, loadings = _embedding(
        model.training, model.elements, values[complete], deposits[complete]
    )
    there = [name for name in model.elements if values[name].notna().any()]
    reference = model.training[model.elements].groupby(model.training["deposit"]).median().median()
    medians = values[there].groupby(deposits).median()
    factors = enrichment_factors(medians, reference[there].to_dict())
    points = values.assign(deposit=deposits)[drawn]
    return GenesisFindings(
        title=title,
        table_name=assays.source,
        n_analyses=len(values),
        n_deposits=len(verdicts),
        classes=model.classes,
        elements=model.elements,
        trained_on=str(card.get("trained_on", "the training table of the model")),
        verdicts=verdicts,
        conformal_level=model.coverage,
        attribution=_attribution(model, values, deposits, verdicts),
        embedding=embedding,
        loadings=loadings,
        training=model.training,
        points=points,
        formation=_formation(values, deposits, mineral),
        class_temperatures=_class_temperatures(model, mineral),
        temperature_range=(100.0, 400.0) if _has_thermometer(there, mineral) else None,
        formation_note=FORMATION_NOTE if _has_thermometer(there, mineral) else "",
        enrichment=factors.factors,
        enrichment_reference="the median of the deposit medians of the training table",
        quality=assays.report,
        censored_shares=_censored_shares(assays, there),
        citations=CITATIONS,
        model_card=card,
    )


def drawn_rows(deposits: np.ndarray, *, most: int = MOST_DRAWN) -> np.ndarray:
    """Mask of the analyses that the figures show: all of a table of common size.

    Of a larger one, the same number of each deposit as far as it has them, evenly through its rows,
    so that the page stays a page: each mark is a line of the file.

    Parameters
    ----------
    deposits : array of shape (n,)
        Deposit of each analysis.
    most : int
        Number of analyses beyond which some are left out.

    Returns
    -------
    is_drawn : bool array of shape (n,)

    Examples
    --------
    >>> drawn_rows(np.array(["A", "A", "A", "A", "A", "A", "B"]), most=4).tolist()
    [True, False, True, False, True, False, True]
    """
    if len(deposits) <= most:
        return np.ones(len(deposits), dtype=bool)
    codes = pd.factorize(deposits)[0]
    counts = np.bincount(codes)
    ranked = np.sort(counts)
    room = (most - np.cumsum(ranked) + ranked) / np.arange(len(ranked), 0, -1)
    each = max(1.0, float(room[ranked >= room][0]))
    place = pd.Series(codes).groupby(codes).cumcount().to_numpy()
    step = np.maximum(counts / each, 1.0)[codes]
    is_drawn = np.floor(place / step) != np.floor((place - 1) / step)
    is_drawn[np.flatnonzero(is_drawn)[most:]] = False  # more deposits than marks
    return is_drawn


def _importance(labelled: LabelledTable, folder: RunFolder, name: str) -> pd.DataFrame:
    depends = {"table": fingerprint(labelled.table), "model": repr(make_model(name).get_params())}

    def compute() -> dict[str, np.ndarray]:
        n_splits = min(10, labelled.table["deposit"].nunique())
        folds = group_folds(labelled.groups, labelled.y, n_splits=n_splits, min_groups=0)
        done = cross_validate(
            make_model(name), labelled.X, labelled.y, groups=labelled.groups, cv=folds,
            keep_estimators=True,
        )  # fmt: skip
        table = permutation_importance(
            done.estimators, labelled.X, labelled.y, groups=labelled.groups, folds=folds,
            n_repeats=3,
        )  # fmt: skip
        order = np.array([int(str(name).split()[-1]) for name in table.index])
        return {"order": order, "values": table[["importance", "low", "high"]].to_numpy()}

    found = folder.part("importance", depends, compute)
    frame = pd.DataFrame(found["values"], columns=["importance", "low", "high"])
    frame.insert(0, "feature", [labelled.elements[i] for i in found["order"]])
    return frame


def _attribution(
    model: DepositTypeModel, values: pd.DataFrame, deposits: np.ndarray, verdicts: pd.DataFrame
) -> pd.DataFrame | None:
    """Shapley values of the nearest type of each deposit; at most 40 analyses of each."""
    picked = values.assign(_deposit=deposits).groupby("_deposit", sort=False).head(40).index
    filled = values.loc[picked, model.elements].fillna(model.training[model.elements].median())
    names = pd.Series(deposits, index=values.index)[picked].to_numpy()
    if len(np.unique(names)) > 30:
        return None
    training = model.training
    table = group_attribution(
        model.classifier,
        filled.to_numpy(),
        names,
        reference=balanced_median(
            training[model.elements].to_numpy(), training["type"], training["deposit"]
        ),
        classes=np.array(model.classes),
        labels=dict(zip(verdicts["deposit"], verdicts["nearest"], strict=True)),
        n_draws=8,
    )
    return table.rename(columns={f"feature {i}": name for i, name in enumerate(model.elements)})


def _class_counts(table: pd.DataFrame) -> pd.DataFrame:
    counts = table.groupby("type").agg(deposits=("deposit", "nunique"), analyses=("type", "size"))
    return counts.rename_axis("class").reset_index()


def _embedding(
    training: pd.DataFrame,
    elements: list[str],
    values: pd.DataFrame | None,
    deposits: np.ndarray | None,
) -> tuple[pd.DataFrame, pd.DataFrame] | tuple[None, None]:
    """Principal components of log concentrations of the analyses, and their arrows, if two exist."""
    if len(elements) < 2:
        return None, None
    logs = np.log10(training[elements].fillna(training[elements].median()).to_numpy())
    center, scale = logs.mean(axis=0), logs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    _, singular, axes = np.linalg.svd((logs - center) / scale, full_matrices=False)
    share = singular**2 / (singular**2).sum()
    names = [f"PC{i + 1} ({share[i]:.0%} of variance)" for i in range(2)]

    def place(table: np.ndarray, kind: Any, deposit: Any, *, new: bool) -> pd.DataFrame:
        frame = pd.DataFrame(((table - center) / scale) @ axes[:2].T, columns=names)
        return frame.assign(**{"class": kind, "deposit": deposit, "new": new})

    parts = [place(logs, training["type"].to_numpy(), training["deposit"].to_numpy(), new=False)]
    if values is not None and len(values):
        parts.append(place(np.log10(values.to_numpy()), "", deposits, new=True))
    return pd.concat(parts, ignore_index=True), pd.DataFrame(axes[:2].T, elements, names)


def _has_thermometer(elements: list[str], mineral: str) -> bool:
    return mineral == "sphalerite" and set(THERMOMETER) <= set(elements)


def _formation(values: pd.DataFrame, deposits: np.ndarray, mineral: str) -> pd.DataFrame | None:
    """Temperature and sulfur fugacity of each deposit that has the five elements."""
    if not _has_thermometer(list(values.columns), mineral):
        return None
    has_all = values[list(THERMOMETER)].notna().all(axis=1).to_numpy()
    if not has_all.any():
        return None
    summary = summarise_formation(values[has_all], np.asarray(deposits)[has_all])
    summary = summary.rename_axis("deposit").reset_index()
    spread = np.hypot(summary["temperature_uncertainty"], 50.0)
    summary["low"], summary["high"] = (
        summary["temperature"] - spread,
        summary["temperature"] + spread,
    )
    return summary


def _class_temperatures(model: DepositTypeModel, mineral: str) -> pd.DataFrame | None:
    training = model.training
    summary = _formation(training[model.elements], training["deposit"].to_numpy(), mineral)
    if summary is None:
        return None
    kinds = training.drop_duplicates("deposit").set_index("deposit")["type"]
    quantiles = summary.groupby(summary["deposit"].map(kinds))["temperature"].quantile(
        [0.1, 0.5, 0.9]
    )
    table = quantiles.unstack()  # noqa: PD010 - one value a cell
    table.columns = ["low", "middle", "high"]
    return table.rename_axis("class").reset_index()


def _censored_shares(assays: Assays, elements: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "below_limit": assays.censored[elements].mean(),
            "missing": assays.values[elements].isna().mean(),
        }
    )


def _methods(labelled: LabelledTable, name: str, model: DepositTypeModel, trust: Trust) -> str:
    validation = trust.validations[name, "deposit"]
    return (
        f"Deposit types were learned from {len(labelled.table)} analyses of "
        f"{labelled.table['deposit'].nunique()} deposits ({len(labelled.elements)} elements: "
        f"{', '.join(labelled.elements)}) with gossan's model '{name}'. Each deposit was judged by "
        f"models trained without it ({len(validation.folds)} folds of whole deposits); the verdict of "
        "a deposit pools the log-probabilities of its analyses, calibrated by one temperature fitted "
        f"on held-out deposits. Sets of types are conformal at {model.coverage:.0%}, calibrated on "
        "held-out deposits. Intervals are 95 % cluster bootstraps over deposits. Scores of the random "
        "split are shown beside and measure how well deposits are remembered, not how well new ones "
        "are told."
    )
