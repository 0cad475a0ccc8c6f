"""The genesis study: a labelled table of mineral analyses to a model, its honest scores, a report.

The sections of a study file come in as keyword arguments of the functions below; a run folder with
model, scores, verdicts and report goes out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from gossan._checks import check_option, did_you_mean
from gossan.data.assays import Assays, read_assays
from gossan.geochem import impute_censored
from gossan.models.baselines import BASELINES, make_baseline
from gossan.models.boosting import BoostedTrees
from gossan.models.hierarchical import HierarchicalDiscriminant
from gossan.models.neighbours import GroupNeighbours
from gossan.nets.dense import DenseClassifier
from gossan.studies.deposit_types import DepositTypeModel, pooled_by_unit, recommended_classifier
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.validation import (
    CrossValidation,
    LeakageReport,
    cross_validate,
    group_folds,
    group_units,
    leakage_report,
    null_test,
    random_folds,
)

logger = logging.getLogger(__name__)

PROTOCOLS = {
    "random": "random split",
    "deposit": "with each deposit held out",
    "reference": "with each reference held out",
}
SCORES = ("accuracy", "group_recall", "verdict", "balanced_verdict", "log_loss", "confident_half")
LEAST_DEPOSITS = 3
DEPOSIT_COLUMNS = ("deposit", "mine", "site")


@dataclass(frozen=True)
class LabelledTable:
    """Analyses with known deposit types, ready to learn from.

    Attributes
    ----------
    table : DataFrame
        Elements [ppm] (censored values imputed), `deposit`, `type` and, if known, `reference`.
    elements : list of str
        Features.
    assays : Assays
        What was read, with its quality report.
    left_out : list of str
        Sentences on rows and elements that were left out.
    """

    table: pd.DataFrame
    elements: list[str]
    assays: Assays
    left_out: list[str]

    @property
    def X(self) -> np.ndarray:
        """Concentrations of shape (n, n_elements) [ppm]."""
        return self.table[self.elements].to_numpy(dtype=float)

    @property
    def y(self) -> np.ndarray:
        """Deposit types, shape (n,)."""
        return self.table["type"].to_numpy()

    @property
    def groups(self) -> np.ndarray:
        """Deposits, shape (n,)."""
        return self.table["deposit"].to_numpy()


@dataclass(frozen=True)
class Trust:
    """What the validation found.

    Attributes
    ----------
    validations : dict of (model, protocol) to CrossValidation
        Held-out probabilities; protocols are the keys of `PROTOCOLS`.
    scores : DataFrame
        `model`, `protocol`, and each score with `_low` and `_high`.
    leaks : LeakageReport
        Of the random split.
    null : dict or None
        Facts of the null test.
    """

    validations: dict[tuple[str, str], CrossValidation]
    scores: pd.DataFrame
    leaks: LeakageReport
    null: dict[str, Any] | None


def read_labelled(
    read: Mapping[str, Any],
    *,
    deposit: str = "deposit",
    type: str = "type",
    reference: str | None = None,
    method: str = "0.65",
    max_missing: float = 0.5,
) -> LabelledTable:
    """Read the training table: analyses, labels, values below detection imputed.

    Parameters
    ----------
    read : mapping
        Arguments of `gossan.read_assays`, `table` among them.
    deposit, type, reference : str
        Columns of the labels; `reference` may be missing.
    method : str
        Imputation of values below detection, see `gossan.geochem.impute_censored`.
    max_missing : float
        Elements that are missing in a larger share of the analyses are left out.

    Returns
    -------
    labelled : LabelledTable

    Raises
    ------
    ValueError
        If a label column is not there, or there are too few types or deposits to validate.
    """
    assays = read_assays(**read)
    sites = _labels(assays, deposit=deposit, type=type, reference=reference)
    values, left_out = usable_values(assays, method=method, max_missing=max_missing)
    has_label = sites["deposit"].notna() & sites["type"].notna() & values.notna().any(axis=1)
    if not has_label.all():
        count = int((~has_label).sum())
        left_out.append(f"{count} analyses without deposit, type or any value were left out.")
    table = pd.concat([values, sites], axis=1)[has_label.to_numpy()].reset_index(drop=True)
    _check_enough(table, assays.source)
    return LabelledTable(table, list(values.columns), assays, left_out)


def usable_values(
    assays: Assays, *, method: str = "0.65", max_missing: float = 0.5
) -> tuple[pd.DataFrame, list[str]]:
    """Values [ppm] without censored cells or sparse elements, and sentences on what was left out.

    Parameters
    ----------
    assays : Assays
        As read.
    method : str
        Imputation of values below detection.
    max_missing : float
        Largest share of missing values of an element.

    Returns
    -------
    values : DataFrame
        Positive or NaN.
    left_out : list of str
    """
    share = assays.values.isna().mean()
    kept = [name for name in assays.values.columns if share[name] <= max_missing]
    left_out = [
        f"{name} is missing in {share[name]:.0%} of the analyses and was left out."
        for name in assays.values.columns
        if name not in kept
    ]
    if not kept:
        raise ValueError(
            f"{assays.source}: every element is missing in more than {max_missing:.0%} of the "
            "analyses. Check the columns, or raise max_missing."
        )
    values, censored = assays.values[kept], assays.censored[kept]
    if censored.to_numpy().any():
        values = impute_censored(values, censored, method=method)
    return values.where(values > 0), left_out


def make_model(name: str = "recommended", *, random_state: int = 0) -> BaseEstimator:
    """The classifier of a name.

    Parameters
    ----------
    name : str
        One that can be saved ("recommended", "network", "gul2025", "discriminant", "neighbours",
        "trees") or a baseline to compare with.
    random_state : int
        Seed.

    Returns
    -------
    model : classifier, not fitted
    """
    makers: dict[str, Callable[[], BaseEstimator]] = {
        "recommended": lambda: recommended_classifier(random_state),
        "network": lambda: DenseClassifier(random_state=random_state),
        "gul2025": lambda: DenseClassifier(preset="gul2025", random_state=random_state),
        "discriminant": HierarchicalDiscriminant,
        "neighbours": GroupNeighbours,
        "trees": lambda: BoostedTrees(random_state=random_state),
    }
    check_option("name", name, (*makers, *BASELINES))
    if name in makers:
        return makers[name]()
    return make_baseline(name, random_state=random_state)


def able_to_miss(model: BaseEstimator, X: np.ndarray) -> BaseEstimator:
    """The model, behind medians of the training fold where values miss and it cannot take that."""
    if not np.isnan(X).any() or get_tags(model).input_tags.allow_nan:
        return model
    return Pipeline([("medians", SimpleImputer(strategy="median")), ("model", model)])


def validate(
    labelled: LabelledTable,
    *,
    folder: RunFolder,
    name: str = "recommended",
    baselines: Sequence[str] = ("lda", "nearest", "extra_trees"),
    n_splits: int = 0,
    n_random_splits: int = 5,
    seeds: Sequence[int] = (0,),
    null_permutations: int = 20,
    random_state: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Trust:
    """Score the model and the baselines at random and honestly, side by side, with a null test.

    Parameters
    ----------
    labelled : LabelledTable
        Training table.
    folder : RunFolder
        Keeps what is done.
    name : str
        Of the model, see `make_model`.
    baselines : sequence of str
        Simple models to beat.
    n_splits : int
        Folds of whole deposits; 0 holds out one deposit at a time.
    n_random_splits : int
        Folds of the random protocol.
    seeds : sequence of int
        Seeds of the model, averaged.
    null_permutations : int
        Of the null test; 0 leaves it out.
    random_state : int
        Seed of the folds.
    progress : callable, optional
        Called with a line before each step.

    Returns
    -------
    trust : Trust
    """
    say = progress or logger.info
    folds = _protocol_folds(labelled, n_splits, n_random_splits, random_state)
    validations: dict[tuple[str, str], CrossValidation] = {}
    rows = []
    for model in dict.fromkeys([*baselines, name]):
        for protocol, parts in folds.items():
            say(f"{model}, {PROTOCOLS[protocol]}: {len(parts)} folds")
            validation = _cross_validate(labelled, folder, model, protocol, parts, seeds)
            validations[model, protocol] = validation
            rows.append(_score_row(model, protocol, validation))
    leaks = _leaks(labelled, folds["random"])
    null = None
    if null_permutations:
        say(f"null test: {null_permutations} permutations of the types between deposits")
        null = _null(labelled, folder, null_permutations, random_state)
    return Trust(validations, pd.DataFrame(rows), leaks, null)


def train(
    labelled: LabelledTable,
    trust: Trust,
    *,
    name: str = "recommended",
    coverage: float = 0.9,
    random_state: int = 0,
) -> DepositTypeModel:
    """Fit the model on all analyses and calibrate it on the held-out deposits.

    Parameters
    ----------
    labelled : LabelledTable
        Training table.
    trust : Trust
        Of the same model.
    name, coverage, random_state
        As in `make_model` and `DepositTypeModel`.

    Returns
    -------
    model : DepositTypeModel
    """
    model = make_model(name, random_state=random_state)
    if able_to_miss(model, labelled.X) is not model:
        raise ValueError(
            f"{labelled.assays.source} has missing values, and the model {name!r} takes none. Use "
            "'recommended' or 'discriminant', or lower max_missing to leave sparse elements out."
        )
    return DepositTypeModel.train(
        model,
        labelled.table,
        elements=labelled.elements,
        validation=trust.validations[name, "deposit"],
        coverage=coverage,
    )


def read_unknown(
    table: str | Path | pd.DataFrame,
    *,
    elements: Sequence[str],
    deposit: str | None = None,
    method: str = "0.65",
    **read: Any,
) -> tuple[pd.DataFrame, np.ndarray, Assays]:
    """Read analyses to classify: values of the model's elements, deposits, and what was read.

    Parameters
    ----------
    table : path or DataFrame
        Analyses.
    elements : sequence of str
        Elements of the model; those that are not in the table come out as NaN.
    deposit : str or None
        Column that names the deposit; None looks for one called deposit, mine or site, and takes
        the table as one deposit if there is none.
    method : str
        Imputation of values below detection.
    **read
        Other arguments of `gossan.read_assays`.

    Returns
    -------
    values : DataFrame of shape (n, n_elements)
        [ppm].
    deposits : array of shape (n,)
    assays : Assays

    Raises
    ------
    ValueError
        If fewer than half of the elements are there.
    """
    assays = read_assays(table, **read)
    there = [name for name in elements if name in assays.values.columns]
    if 2 * len(there) < len(elements):
        raise ValueError(
            f"{assays.source} has {len(there)} of the {len(elements)} elements that the model needs "
            f"({', '.join(there) or 'none'}); missing are "
            f"{', '.join(e for e in elements if e not in there)}. At least half must be there."
        )
    values = assays.values.select_dtypes("number").reindex(columns=list(elements))
    censored = assays.censored.reindex(columns=list(elements), fill_value=False).astype(bool)
    if censored[there].to_numpy().any():
        values[there] = impute_censored(values[there], censored[there], method=method)
    values = values.where(values > 0)
    deposits = _deposit_names(assays, deposit)
    return values, deposits, assays


def _deposit_names(assays: Assays, deposit: str | None) -> np.ndarray:
    if deposit is None:
        named = [c for c in assays.sites.columns if str(c).strip().lower() in DEPOSIT_COLUMNS]
        if not named:
            return np.full(assays.n_samples, "all analyses")
        deposit = named[0]
    if deposit not in assays.sites.columns:
        raise ValueError(_no_column(assays, "deposit", deposit))
    names = assays.sites[deposit].astype("string").str.strip()
    return names.fillna("(no deposit named)").to_numpy(dtype=str)


def _labels(assays: Assays, **columns: str | None) -> pd.DataFrame:
    """Return the label columns under their roles: deposit, type, and reference if named."""
    sites = pd.DataFrame(index=assays.sites.index)
    for role, column in columns.items():
        if column is None:
            continue
        if column not in assays.sites.columns:
            raise ValueError(_no_column(assays, role, column))
        text = assays.sites[column].astype("string").str.strip()
        sites[role] = text.where(text.str.len() > 0)
    return sites


def _no_column(assays: Assays, role: str, column: str) -> str:
    there = [str(name) for name in assays.sites.columns]
    return (
        f"{assays.source} has no column {column!r} for the {role}; it has {', '.join(there)}."
        f"{did_you_mean(column, there)} Name the right one with {role} = ..."
    )


def _check_enough(table: pd.DataFrame, source: str) -> None:
    counts = table.groupby("type")["deposit"].nunique()
    if len(counts) < 2:
        raise ValueError(
            f"{source} has one deposit type ({counts.index.tolist()}), and telling types apart needs "
            "two or more. Check the type column."
        )
    few = counts[counts < LEAST_DEPOSITS]
    if len(few):
        named = ", ".join(f"{name} ({count})" for name, count in few.items())
        raise ValueError(
            f"{source}: each type needs at least {LEAST_DEPOSITS} deposits to be learned and tested, "
            f"but there are too few of {named}. Merge types, or leave these rows out."
        )


def _protocol_folds(
    labelled: LabelledTable, n_splits: int, n_random_splits: int, random_state: int
) -> dict[str, Any]:
    folds = {
        "random": random_folds(labelled.y, n_random_splits, random_state=random_state),
        "deposit": group_folds(labelled.groups, labelled.y, n_splits=n_splits or None),
    }
    if "reference" in labelled.table and labelled.table["reference"].nunique() > LEAST_DEPOSITS:
        references = labelled.table["reference"].fillna("(none named)").to_numpy(dtype=str)
        # a deposit that two studies analysed must not stand on both sides
        folds["reference"] = [
            (train[~np.isin(labelled.groups[train], labelled.groups[test])], test)
            for train, test in group_folds(
                references, labelled.y, n_splits=n_splits or None, min_groups=0
            )
        ]
    return folds


def _cross_validate(
    labelled: LabelledTable,
    folder: RunFolder,
    model: str,
    protocol: str,
    folds: Any,
    seeds: Sequence[int],
) -> CrossValidation:
    """Cross-validate, or take the probabilities that an earlier run left in the folder."""
    depends = {
        "table": fingerprint(labelled.table),
        "elements": labelled.elements,
        "model": repr(make_model(model).get_params()),
        "folds": fingerprint([[test.tolist(), len(train)] for train, test in folds]),
        "seeds": list(seeds),
    }

    def compute() -> dict[str, np.ndarray]:
        done = cross_validate(
            able_to_miss(make_model(model), labelled.X),
            labelled.X,
            labelled.y,
            groups=labelled.groups,
            cv=folds,
            seeds=seeds,
        )
        return {"by_seed": done.by_seed, "fold": done.fold, "seconds": np.array(done.seconds)}

    arrays = folder.part(f"{model}-{protocol}", depends, compute)
    return CrossValidation(
        probabilities=arrays["by_seed"].mean(axis=0),
        by_seed=arrays["by_seed"],
        classes=np.unique(labelled.y),
        y=labelled.y,
        groups=labelled.groups,
        fold=arrays["fold"],
        folds=folds,
        seeds=tuple(seeds),
        protocol=protocol,
        seconds=float(arrays["seconds"]),
    )


def _score_row(model: str, protocol: str, validation: CrossValidation) -> dict[str, Any]:
    units = group_units(validation.groups, validation.y)
    table = validation.scores(units=units, method="log_mean").table
    row: dict[str, Any] = {"model": model, "protocol": PROTOCOLS[protocol]}
    for score in SCORES:
        row[score] = table.loc[score, "value"]
        row[f"{score}_low"], row[f"{score}_high"] = table.loc[score, ["low", "high"]]
    return row


def _leaks(labelled: LabelledTable, folds: Any) -> LeakageReport:
    shared = {}
    if "reference" in labelled.table:
        shared["reference"] = labelled.table["reference"].fillna("?").to_numpy(dtype=str)
    filled = labelled.table[labelled.elements].fillna(labelled.table[labelled.elements].median())
    return leakage_report(
        filled, labelled.y, groups=labelled.groups, folds=folds, shared=shared or None
    )


def _null(
    labelled: LabelledTable, folder: RunFolder, n_permutations: int, random_state: int
) -> dict[str, Any]:
    """Null test of the nearest neighbour: the model that shows a leak best, and cheaply."""
    depends = {"table": fingerprint(labelled.table), "n": n_permutations, "seed": random_state}

    def compute() -> dict[str, np.ndarray]:
        filled = labelled.table[labelled.elements]
        result = null_test(
            make_model("nearest"),
            filled.fillna(filled.median()).to_numpy(),
            labelled.y,
            groups=labelled.groups,
            n_permutations=n_permutations,
            random_state=random_state,
        )
        return {
            "score": np.array(result.grouped),
            "random": np.array(result.random),
            "null": result.null_grouped,
            "null_random": result.null_random,
            "p_value": np.array(result.p_value),
            "sentence": np.array(str(result)),
        }

    found = folder.part("null-test", depends, compute)
    return {
        "score": float(found["score"]),
        "mean": float(found["null"].mean()),
        "maximum": float(found["null"].max()),
        "p_value": float(found["p_value"]),
        "n": len(found["null"]),
        "metric": "skill of the nearest neighbour, whole deposits held out",
        "random_mean": float(found["null_random"].mean()),
        "sentence": str(found["sentence"]),
    }


def held_out_verdicts(validation: CrossValidation, model: DepositTypeModel) -> pd.DataFrame:
    """Verdict of each training deposit by models that never saw it.

    Parameters
    ----------
    validation : CrossValidation
        With whole deposits held out.
    model : DepositTypeModel
        Gives calibration and sets.

    Returns
    -------
    verdicts : DataFrame
        One row a deposit: `deposit`, `type`, `verdict`, `probability`, `conformal_set`,
        `n_analyses`, `n_disagree`, and the calibrated probability of each class.
    """
    table = pooled_by_unit(validation)
    calibrated = model.calibrator.predict_proba(table[model.classes].to_numpy())
    best = np.array(model.classes)[calibrated.argmax(axis=1)]
    own = np.array(model.classes)[validation.probabilities.argmax(axis=1)]
    units = group_units(validation.groups, validation.y)
    names = np.unique(units)
    out = pd.DataFrame(
        {
            "deposit": names,
            "type": table["type"].to_numpy(),
            "verdict": best,
            "probability": calibrated.max(axis=1),
            "conformal_set": [", ".join(s) for s in model.sets.predict_sets(calibrated)],
            "n_analyses": [int((units == name).sum()) for name in names],
            "n_disagree": [
                int((own[units == name] != kind).sum())
                for name, kind in zip(names, best, strict=True)
            ],
        }
    )
    return pd.concat([out, pd.DataFrame(calibrated, columns=model.classes)], axis=1)
