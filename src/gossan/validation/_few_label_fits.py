"""The fits of a hold-out of few labels: which rows each model learns from, and what it says.

An estimator, a table and the jobs come in; fitted models, one after the other, and scores go out.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from gossan.cluster import n_slots, run_jobs


@dataclass(frozen=True, eq=False)
class Fit:
    """One model that is to be fitted, and where its scores go."""

    level: int
    partition: int
    seed_number: int
    fold: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    seed: int


def label_levels(may_train: Any, n: int) -> tuple[list[NDArray[np.bool_]], bool]:
    """Return the masks of rows that may be learned from, and whether there were several."""
    if may_train is None:
        return [np.ones(n, dtype=bool)], False
    masks = np.atleast_2d(np.asarray(may_train))
    if masks.dtype != bool or masks.shape[1] != n:
        raise ValueError(
            f"may_train must be True or False for each of {n} rows, got shape {np.shape(may_train)}"
            f" of {masks.dtype}. Pass a mask."
        )
    return list(masks), np.ndim(may_train) == 2


def check_classes(jobs: Sequence[Fit], labels: NDArray) -> None:
    """Raise unless each model learns from both classes."""
    for job in jobs:
        kinds = np.unique(labels[job.train])
        if len(kinds) != 2:
            raise ValueError(
                f"Fold {job.fold} of partition {job.partition} learns from {len(job.train)} rows of"
                f" the classes {kinds.tolist()}; two are needed. Use fewer folds or more labels."
            )


@dataclass(frozen=True, eq=False)
class Table:
    """What all fits share."""

    estimator: Any
    X: NDArray
    y: NDArray
    background: NDArray
    fit_with: Mapping[str, Any] | None
    positive: Any


def held_out_scores(
    table: Table, jobs: Sequence[Fit]
) -> Iterator[tuple[Fit, NDArray[np.float64], bool]]:
    """Yield each job, its scores of the test rows and of the background, and if probabilities."""
    n_groups = min(n_slots(), len(jobs)) if hasattr(table.estimator, "fit_many") else len(jobs)
    groups = [
        [jobs[number] for number in some] for some in np.array_split(np.arange(len(jobs)), n_groups)
    ]
    for number, found in run_jobs(_score_some, groups, shared=(table,)):
        for job, (said, is_probability) in zip(groups[number], found, strict=True):
            yield job, said, is_probability


def _score_some(table: Table, jobs: Sequence[Fit]) -> list[tuple[NDArray[np.float64], bool]]:
    models = fitted_models(table.estimator, table.X, table.y, jobs, table.fit_with)
    return [
        scores_of(model, np.vstack([table.X[job.test], table.background]), table.positive)
        for job, model in zip(jobs, models, strict=True)
    ]


def fitted_models(
    estimator: Any, X: NDArray, y: NDArray, jobs: Sequence[Fit], fit_with: Mapping[str, Any] | None
) -> Iterator[Any]:
    """Yield the fitted estimator of each job."""
    more = dict(fit_with or {})
    if hasattr(estimator, "fit_many"):
        members = [(job.train, job.seed) for job in jobs]
        yield from estimator.fit_many(X, y, members, **more)
        return
    groups = more.pop("groups", None)
    takes_groups = "groups" in inspect.signature(estimator.fit).parameters
    for job in jobs:
        model = clone(estimator)
        seeds = [key for key in model.get_params() if key.split("__")[-1] == "random_state"]
        model.set_params(**dict.fromkeys(seeds, job.seed))
        own = (
            {"groups": np.asarray(groups)[job.train]} if takes_groups and groups is not None else {}
        )
        with threadpool_limits(1):  # on some hundred rows threads only wait for each other
            yield model.fit(X[job.train], y[job.train], **own, **more)


def scores_of(model: Any, rows: NDArray, positive: Any) -> tuple[NDArray[np.float64], bool]:
    """Return the score of each row, and whether it is a probability."""
    column = int(np.flatnonzero(model.classes_ == positive)[0])
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(rows), float)[:, column], True
    decision = np.asarray(model.decision_function(rows), float)
    return (decision if column == 1 else -decision), False
