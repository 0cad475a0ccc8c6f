"""Cross-validation that trains every fold and seed at once if the estimator can, and keeps track.

A table, labels, groups and any classifier come in; held-out probabilities per row and seed go out.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from gossan._checks import check_labels, check_option
from gossan.cluster import n_slots, run_jobs
from gossan.validation.splits import Folds, group_folds, random_folds
from gossan.validation.verdicts import VerdictScores, verdict_scores

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Held-out probabilities of every row, and how they came about.

    Attributes
    ----------
    probabilities : float64 array of shape (n, n_classes)
        Mean over seeds; NaN rows were in no test part.
    by_seed : float64 array of shape (n_seeds, n, n_classes)
        The same for each seed.
    classes : array of shape (n_classes,)
        Names of the columns, sorted.
    y, groups : arrays of shape (n,)
        True class and group (deposit) of each row.
    fold : int64 array of shape (n,)
        Fold that tested the row last; -1 for none.
    folds : list of (train, test)
        Row numbers.
    seeds : tuple of int
        Seeds of the estimators.
    protocol : str
        "group", "random" or "given".
    seconds : float
        Time of all fits and predictions.
    estimators : tuple of tuple
        `estimators[fold][seed]`, empty unless `keep_estimators` was set.
    """

    probabilities: NDArray[np.float64]
    by_seed: NDArray[np.float64]
    classes: NDArray
    y: NDArray
    groups: NDArray
    fold: NDArray[np.int64]
    folds: Folds
    seeds: tuple[int, ...]
    protocol: str
    seconds: float
    estimators: tuple[tuple[Any, ...], ...] = field(default=(), repr=False)

    def scores(self, **options: Any) -> VerdictScores:
        """Scores of the mean over seeds; options go to `verdict_scores`."""
        options.setdefault("groups", self.groups)
        return verdict_scores(self.y, self.probabilities, classes=self.classes, **options)

    def scores_by_seed(self, **options: Any) -> pd.DataFrame:
        """One row a seed, one column a score: the spread of luck, not the uncertainty."""
        options.setdefault("groups", self.groups)
        options.setdefault("n_resamples", 2)
        rows = [
            verdict_scores(self.y, p, classes=self.classes, **options).table["value"]
            for p in self.by_seed
        ]
        return pd.DataFrame(rows, index=pd.Index(self.seeds, name="seed"))


def cross_validate(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike,
    cv: str | Any = "group",
    held_out: ArrayLike | None = None,
    n_splits: int | None = None,
    seeds: Sequence[int] = (0,),
    weights: str | ArrayLike | None = None,
    random_state: int | np.random.Generator | None = 0,
    n_jobs: int | None = None,
    keep_estimators: bool = False,
    progress: Progress | None = None,
) -> CrossValidation:
    """Probabilities of every row from models that never saw its group, for every seed.

    An estimator with `fit_many(X, y, members, groups=None)` trains all folds and seeds at once;
    any other is cloned and fitted one by one. `groups` reaches a `fit` that accepts it, and the
    last step of a pipeline. Inside `gossan.on_cluster` the fits are dealt to its workers; networks
    with convolutions or a pretext task, trained in smaller sets there, differ by rounding (1e-8).

    Parameters
    ----------
    estimator : classifier
        With `fit` and `predict_proba`; never changed.
    X : array or DataFrame of shape (n, n_features)
        The table; scaling and imputation belong inside the estimator.
    y : array of shape (n,)
        Classes.
    groups : array of shape (n,)
        Deposit of each row: what weights and verdicts count.
    cv : {"group", "random"}, splitter or list of (train, test)
        "group" holds out whole groups, "random" deals single rows (for comparison only).
    held_out : array of shape (n,), optional
        What "group" holds out if not the deposits, such as the reference of each row.
    n_splits : int, optional
        Number of folds; by default each group in turn for "group", 5 for "random".
    seeds : sequence of int
        One model per fold and seed; one fit serves all for an estimator without `random_state`.
    weights : {"group", "class_group"} or array of shape (n,), optional
        Sample weights for estimators that accept them, see `group_weights`; made inside the fold.
    random_state : int, Generator or None
        Seed of the random folds.
    n_jobs : int, optional
        Parallel processes for estimators without `fit_many`.
    keep_estimators : bool
        Keep the fitted models, for explanation.
    progress : callable, optional
        Called with (done, total) fits.

    Returns
    -------
    result : CrossValidation
        With `.scores()`.

    Raises
    ------
    TypeError
        If the estimator has no `predict_proba`, or accepts no weights though some are asked for.
    ValueError
        If lengths differ, there is one class only, a fold is empty, or has a row on both sides.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> x = np.array([[1.0], [1.2], [1.1], [1.3], [3.0], [3.2], [3.1], [2.9]])
    >>> result = cross_validate(LogisticRegression(), x, [0, 0, 0, 0, 1, 1, 1, 1],
    ...                         groups=list("aabbccdd"), n_splits=2, cv="random")
    >>> result.scores()["accuracy"]
    1.0
    """
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    X = X if hasattr(X, "shape") else np.asarray(X)
    truth, labels = check_labels("y", y, n), check_labels("groups", groups, n)
    classes, codes = np.unique(truth, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y holds one class only ({classes[0]}). A classifier needs at least two.")
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict_proba. Wrap it in scikit-learn's"
            " CalibratedClassifierCV, or choose a classifier that gives probabilities."
        )
    split_by = labels if held_out is None else check_labels("held_out", held_out, n)
    folds = _make_folds(cv, X, truth, split_by, n_splits=n_splits, random_state=random_state)
    protocol = cv if isinstance(cv, str) else "given"
    started = time.perf_counter()
    plan = _Plan(estimator, X, truth, labels, classes, folds, tuple(int(s) for s in seeds), weights)
    logger.info("%s folds x %s seeds of %s", len(folds), len(plan.seeds), type(estimator).__name__)
    fitted = _run(plan, n_jobs, keep_estimators, progress)
    by_seed, fold = _gather(plan, [answer for answer, _ in fitted], n)
    models: tuple[tuple[Any, ...], ...] = ()
    if keep_estimators:
        width = len(plan.seeds)
        kept = [model for _, model in fitted]
        models = tuple(tuple(kept[i : i + width]) for i in range(0, len(kept), width))
    return CrossValidation(
        probabilities=by_seed.mean(axis=0),
        by_seed=by_seed,
        classes=classes,
        y=classes[codes],
        groups=labels,
        fold=fold,
        folds=folds,
        seeds=plan.seeds,
        protocol=protocol,
        seconds=time.perf_counter() - started,
        estimators=models,
    )


def group_weights(
    y: ArrayLike, groups: ArrayLike, *, balance: str = "class_group"
) -> NDArray[np.float64]:
    """Row weights that let every deposit, and every class, count the same; their mean is 1.

    Parameters
    ----------
    y, groups : arrays of shape (n,)
        Class and deposit of each row.
    balance : {"class_group", "group"}
        "class_group": classes weigh the same, and within a class its deposits; "group": every
        (deposit, class) unit weighs the same.

    Returns
    -------
    weights : float64 array of shape (n,)
        All positive.

    Raises
    ------
    ValueError
        If the option is unknown or the lengths differ.

    Examples
    --------
    >>> group_weights(["A", "A", "A", "B"], ["a", "a", "b", "c"])
    array([0.5, 0.5, 1. , 2. ])
    """
    check_option("balance", balance, ("class_group", "group"))
    labels = check_labels("groups", groups)
    kinds, codes = np.unique(check_labels("y", y, len(labels)), return_inverse=True)
    unit = np.unique(labels, return_inverse=True)[1] * len(kinds) + codes
    names, of_unit, counts = np.unique(unit, return_inverse=True, return_counts=True)
    weights = 1.0 / counts[of_unit]
    if balance == "class_group":
        weights /= np.bincount(names % len(kinds))[codes]
    return weights / weights.mean()


def aligned_probabilities(model: Any, X: Any, classes: NDArray) -> NDArray[np.float64]:
    """Probabilities of a fitted model in the columns of `classes`; unseen classes get 0.

    Parameters
    ----------
    model : fitted classifier or callable
        A callable must answer in the order of `classes`.
    X : array or DataFrame of shape (n, n_features)
        Rows to predict.
    classes : array of shape (n_classes,)
        Wished columns.

    Returns
    -------
    probabilities : float64 array of shape (n, n_classes)
        Rows sum to 1.
    """
    if not hasattr(model, "predict_proba"):
        return np.asarray(model(X), dtype=float)
    answer = np.asarray(model.predict_proba(X), dtype=float)
    own = np.asarray(model.classes_)
    if np.array_equal(own, classes):
        return answer
    aligned = np.zeros((len(answer), len(classes)))
    aligned[:, np.searchsorted(classes, own.astype(classes.dtype))] = answer
    return aligned


@dataclass(frozen=True, eq=False)
class _Plan:
    estimator: Any
    X: Any
    y: NDArray
    groups: NDArray
    classes: NDArray
    folds: Folds
    seeds: tuple[int, ...]
    weights: str | ArrayLike | None

    @property
    def members(self) -> list[tuple[NDArray[np.int64], int]]:
        """(training rows, seed) of every fit, seeds of a fold side by side."""
        return [(train, seed) for train, _ in self.folds for seed in self.seeds]


def _make_folds(
    cv: Any,
    X: Any,
    y: NDArray,
    groups: NDArray,
    *,
    n_splits: int | None,
    random_state: int | np.random.Generator | None,
) -> Folds:
    if isinstance(cv, str):
        check_option("cv", cv, ("group", "random"))
        if cv == "group":
            return group_folds(groups, y, n_splits=n_splits)
        return random_folds(y, n_splits or 5, random_state=random_state)
    parts: Iterable[Any] = cv.split(X, y, groups) if hasattr(cv, "split") else cv
    folds = [(_rows(train, len(y)), _rows(test, len(y))) for train, test in parts]
    if not folds:
        raise ValueError("cv holds no fold. Pass 'group', 'random', a splitter, or (train, test)s.")
    for i, (train, test) in enumerate(folds):
        shared = np.intersect1d(train, test)
        if len(shared) or not len(train) or not len(test):
            raise ValueError(
                f"Fold {i} has {len(train)} training and {len(test)} test rows, {len(shared)} of"
                " them the same. Each row is either learnt from or tested: mend the folds."
            )
    return folds


def _rows(part: ArrayLike, n: int) -> NDArray[np.int64]:
    rows = np.asarray(part)
    if rows.dtype == bool:
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or (len(rows) and (rows.min() < 0 or rows.max() >= n)):
        raise ValueError(
            f"A fold holds row numbers outside 0 to {n - 1}. Number the rows of this table from 0."
        )
    return rows.astype(np.int64)


def _run(
    plan: _Plan, n_jobs: int | None, keep: bool, progress: Progress | None
) -> list[tuple[NDArray, Any]]:
    """(probabilities of the test rows, model) of every fold and seed, in the order of members."""
    n, n_seeds = len(plan.members), len(plan.seeds)
    at_once = hasattr(plan.estimator, "fit_many")
    if at_once and plan.weights is not None:
        raise TypeError(
            f"{type(plan.estimator).__name__} fits many members at once and weighs by groups"
            " itself. Leave weights out and set the estimator's own option."
        )
    is_seeded = at_once or any(_is_seed(name) for name in _parameters(plan.estimator))
    if at_once:  # together they cost little more than one; on a cluster, a share for each worker
        jobs = np.array_split(np.arange(n), min(n_slots(), n))
    else:
        jobs = [np.array([member]) for member in range(0, n, 1 if is_seeded else n_seeds)]
    answers: list[Any] = [None] * n
    n_done = 0
    for number, fitted in run_jobs(_fit_some, jobs, shared=(plan, keep), n_jobs=n_jobs):
        found = fitted if is_seeded else fitted * n_seeds  # else one fit serves all seeds
        first = int(jobs[number][0])
        answers[first : first + len(found)] = found
        for _ in found:
            n_done += 1
            _tell(progress, n_done, n)
    return answers


def _fit_some(plan: _Plan, keep: bool, members: NDArray[np.int64]) -> list[tuple[NDArray, Any]]:
    """(probabilities, model) of some members, by their numbers."""
    pairs = [plan.members[member] for member in members]
    tests = [plan.folds[member // len(plan.seeds)][1] for member in members]
    if not hasattr(plan.estimator, "fit_many"):
        return [
            _fit_one(plan, train, test, seed, keep)
            for (train, seed), test in zip(pairs, tests, strict=True)
        ]
    models = plan.estimator.fit_many(plan.X, plan.y, pairs, groups=plan.groups)
    return [
        (aligned_probabilities(model, _take(plan.X, test), plan.classes), model if keep else None)
        for model, test in zip(models, tests, strict=True)
    ]


def _fit_one(
    plan: _Plan, train: NDArray, test: NDArray, seed: int, keep: bool
) -> tuple[NDArray, Any]:
    model = clone(plan.estimator)
    seeds = {name: seed for name in _parameters(model) if _is_seed(name)}
    if seeds:
        model.set_params(**seeds)
    y, groups = plan.y[train], plan.groups[train]
    extra = {}
    for name, values in (("groups", groups), ("sample_weight", _weights(plan, train))):
        prefix = _fit_prefix(model, name)
        if prefix is not None and values is not None:
            extra[prefix + name] = values
        elif values is not None and name == "sample_weight":
            raise TypeError(
                f"{type(model).__name__} accepts no sample weights. Leave weights out, or choose an"
                " estimator whose fit takes sample_weight."
            )
    try:
        model.fit(_take(plan.X, train), y, **extra)
        answer = aligned_probabilities(model, _take(plan.X, test), plan.classes)
    except Exception as error:
        held = np.unique(plan.groups[test])
        error.add_note(f"while {held[:3]} ({len(held)} groups) were held out, seed {seed}")
        raise
    return answer, model if keep else None


def _weights(plan: _Plan, train: NDArray) -> NDArray[np.float64] | None:
    if plan.weights is None:
        return None
    if isinstance(plan.weights, str):
        return group_weights(plan.y[train], plan.groups[train], balance=plan.weights)
    weights = np.asarray(plan.weights, float)
    if weights.shape != plan.y.shape:
        raise ValueError(
            f"weights must have one value per row ({len(plan.y)}), got shape {weights.shape}."
            " Pass a column of the same table."
        )
    return weights[train]


def _fit_prefix(model: Any, name: str) -> str | None:
    """'' if fit takes `name`, 'step__' if the last step of a pipeline does, else None."""
    if hasattr(model, "steps"):
        step, last = model.steps[-1]
        inner = _fit_prefix(last, name)
        return None if inner is None else f"{step}__{inner}"
    return "" if name in inspect.signature(model.fit).parameters else None


def _parameters(estimator: Any) -> list[str]:
    return list(estimator.get_params(deep=True)) if hasattr(estimator, "get_params") else []


def _is_seed(name: str) -> bool:
    return name == "random_state" or name.endswith("__random_state")


def _take(X: Any, rows: NDArray) -> Any:
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def _tell(progress: Progress | None, done: int, total: int) -> None:
    logger.debug("%s of %s fits", done, total)
    if progress is not None:
        progress(done, total)


def _gather(
    plan: _Plan, answers: list[NDArray], n: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities (n_seeds, n, n_classes), a mean where a row is tested more than once."""
    total = np.zeros((len(plan.seeds), n, len(plan.classes)))
    n_tested = np.zeros(n)
    fold = np.full(n, -1, dtype=np.int64)
    for i, (_, test) in enumerate(plan.folds):
        n_tested[test] += 1
        fold[test] = i
        for s in range(len(plan.seeds)):
            total[s, test] += answers[i * len(plan.seeds) + s]
    counted = np.where(n_tested > 0, n_tested, np.nan)
    return total / counted[None, :, None], fold
