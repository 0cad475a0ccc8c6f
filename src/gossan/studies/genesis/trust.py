"""The genesis study: a labelled table of mineral analyses to a model and its honest scores.

A labelled table comes in; every model's scores at random and with deposits held out, the leaks, the
null test and a fitted model go out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from gossan._checks import check_option
from gossan.cluster import is_on_cluster
from gossan.models.baselines import BASELINES, make_baseline
from gossan.models.boosting import BoostedTrees
from gossan.models.hierarchical import HierarchicalDiscriminant
from gossan.models.neighbours import GroupNeighbours
from gossan.nets.dense import DenseClassifier
from gossan.studies.genesis.deposit_types import (
    DepositTypeModel,
    pooled_by_unit,
    recommended_classifier,
)
from gossan.studies.genesis.null import null_of_nearest
from gossan.studies.genesis.tables import LEAST_DEPOSITS, LabelledTable
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.telling import sharer
from gossan.validation import (
    CrossValidation,
    LeakageReport,
    cross_validate,
    group_folds,
    group_units,
    leakage_report,
    random_folds,
)

logger = logging.getLogger(__name__)

PROTOCOLS = {
    "random": "random split",
    "deposit": "with each deposit held out",
    "reference": "with each reference held out",
}
SCORES = ("accuracy", "group_recall", "verdict", "balanced_verdict", "log_loss", "confident_half")


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
    check_option("name", name, (*MODELS, *BASELINES))
    if name in MODELS:
        return MODELS[name](random_state)
    return make_baseline(name, random_state=random_state)


# Models that can be saved and shipped; the baselines stand beside them only.
MODELS: dict[str, Callable[[int], BaseEstimator]] = {
    "recommended": recommended_classifier,
    "network": lambda seed: DenseClassifier(random_state=seed),
    "gul2025": lambda seed: DenseClassifier(preset="gul2025", random_state=seed),
    "discriminant": lambda _: HierarchicalDiscriminant(),
    "neighbours": lambda _: GroupNeighbours(),
    "trees": lambda seed: BoostedTrees(random_state=seed),
}


def able_to_miss(model: BaseEstimator, X: np.ndarray) -> BaseEstimator:
    """The model, behind medians of the training fold where values miss and it cannot take that."""
    if not np.isnan(X).any() or get_tags(model).input_tags.allow_nan:
        return model
    return Pipeline([("medians", SimpleImputer(strategy="median")), ("model", model)])


def check_gaps(labelled: LabelledTable, name: str) -> None:
    """Raise if the table has gaps and the model of that name takes none.

    Parameters
    ----------
    labelled : LabelledTable
        Training table.
    name : str
        See `make_model`.

    Raises
    ------
    ValueError
        If so; before anything slow.
    """
    model = make_model(name)
    if able_to_miss(model, labelled.X) is not model:
        raise ValueError(
            f"{labelled.assays.source} has missing values, and the model {name!r} takes none. Use "
            "'recommended' or 'discriminant', or lower max_missing to leave sparse elements out."
        )


def score_models(
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
    folds = protocol_folds(
        labelled, n_splits=n_splits, n_random_splits=n_random_splits, random_state=random_state
    )
    validations: dict[tuple[str, str], CrossValidation] = {}
    rows = []
    names = list(dict.fromkeys([*baselines, name]))
    planned = [f"{one}-{protocol}-{seed}" for one in names for protocol in folds for seed in seeds]
    folder.plan([*planned, *["null-test"] * bool(null_permutations), "importance"])
    for model in dict.fromkeys([*baselines, name]):
        for protocol, parts in folds.items():
            say(f"{model}, {PROTOCOLS[protocol]}: {len(parts)} folds")
            validation = validate_one(
                labelled, folder, model=model, protocol=protocol, folds=parts, seeds=seeds,
                progress=say,
            )  # fmt: skip
            validations[model, protocol] = validation
            rows.append(_score_row(model, protocol, validation))
    leaks = _leaks(labelled, folds["random"])
    null = None
    if null_permutations:
        say(f"null test: {null_permutations} permutations of the types between deposits")
        null = null_of_nearest(labelled, folder, null_permutations, random_state, say)
    return Trust(validations, pd.DataFrame(rows), leaks, null)


def protocol_folds(
    labelled: LabelledTable,
    *,
    n_splits: int = 0,
    n_random_splits: int = 5,
    random_state: int = 0,
) -> dict[str, Any]:
    """Folds of each protocol: random rows, whole deposits, and whole references where known.

    Parameters
    ----------
    labelled : LabelledTable
        Training table.
    n_splits : int
        Folds of whole deposits and references; 0 holds out one at a time.
    n_random_splits : int
        Folds of random rows.
    random_state : int
        Seed of the random rows.

    Returns
    -------
    folds : dict of protocol to list of (train, test)
    """
    folds = {
        "random": random_folds(labelled.y, n_random_splits, random_state=random_state),
        "deposit": group_folds(
            labelled.groups, labelled.y, n_splits=n_splits or None, min_groups=LEAST_DEPOSITS - 1
        ),
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


def validate_one(
    labelled: LabelledTable,
    folder: RunFolder,
    *,
    model: str,
    protocol: str,
    folds: Any,
    seeds: Sequence[int] = (0,),
    progress: Callable[[str], None] = logger.info,
) -> CrossValidation:
    """Cross-validate one model under one protocol; seeds that an earlier run did are taken over.

    Parameters
    ----------
    labelled : LabelledTable
        Training table.
    folder : RunFolder
        Keeps the held-out probabilities of each seed.
    model : str
        See `make_model`.
    protocol : str
        Word for the folds, part of the file's name.
    folds : list of (train, test)
        Row numbers.
    seeds : sequence of int
        Seeds of the model.
    progress : callable
        Told the share that is done, see `tell_share`.

    Returns
    -------
    validation : CrossValidation
    """
    depends = {
        "table": fingerprint(labelled.table),
        "elements": labelled.elements,
        "model": repr(make_model(model).get_params()),
        "folds": fingerprint([[test.tolist(), len(train)] for train, test in folds]),
    }

    def compute(seed: int) -> dict[str, np.ndarray]:
        estimator = able_to_miss(make_model(model), labelled.X)
        tells = hasattr(estimator, "fit_many") and "progress" in estimator.get_params(deep=False)
        tells = tells and not is_on_cluster()  # from there nobody hears an estimator
        if tells:  # all folds are trained at once, and epochs are what passes
            estimator.set_params(progress=sharer(progress))
        done = cross_validate(
            estimator,
            labelled.X,
            labelled.y,
            groups=labelled.groups,
            cv=folds,
            seeds=(seed,),
            progress=None if tells else sharer(progress),
        )
        return {"one": done.by_seed[0], "fold": done.fold, "seconds": np.array(done.seconds)}

    parts = [
        folder.part(f"{model}-{protocol}-{seed}", {**depends, "seed": seed}, partial(compute, seed))
        for seed in seeds
    ]
    by_seed = np.stack([part["one"] for part in parts])
    return CrossValidation(
        probabilities=by_seed.mean(axis=0),
        by_seed=by_seed,
        classes=np.unique(labelled.y),
        y=labelled.y,
        groups=labelled.groups,
        fold=parts[0]["fold"],
        folds=folds,
        seeds=tuple(seeds),
        protocol=protocol,
        seconds=float(sum(part["seconds"] for part in parts)),
    )


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
    check_gaps(labelled, name)
    model = make_model(name, random_state=random_state)
    return DepositTypeModel.train(
        model,
        labelled.table,
        elements=labelled.elements,
        validation=trust.validations[name, "deposit"],
        coverage=coverage,
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
