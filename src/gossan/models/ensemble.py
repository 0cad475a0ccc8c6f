"""Several classifiers of different kinds as one: their probabilities are averaged, equally.

Concentrations of shape (n, elements), class names and deposits go in; class probabilities of the
ensemble, and of each member, come out.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from gossan import saving
from gossan._checks import check_option
from gossan.models._rows import read_rows, read_training
from gossan.models.hierarchical import HierarchicalDiscriminant

__all__ = ["EnsembleClassifier"]

RULES = ("geometric", "mean")
LEAST = 1e-6  # of a member's probability, so that no member alone can veto a class
MOST_MISSING = 0.5  # share of a row's features


class EnsembleClassifier(ClassifierMixin, BaseEstimator):
    """Equal-weight average of the probabilities of its members.

    Use it over models that err differently (a discriminant, neighbours, trees, a network); weights
    are not learned, because deposits are too few to learn them. If a `HierarchicalDiscriminant` is
    among the members, rows may miss up to half of their values: it fills them for the others.

    Parameters
    ----------
    estimators : list of (str, classifier)
        Names and members, not fitted; they are cloned.
    rule : {"geometric", "mean"}
        "geometric" averages log probabilities, so that doubts multiply; "mean" averages
        probabilities.
    random_state : int or None
        Seed for all members; None leaves each its own.
    n_jobs : int or None
        Processes in which `fit_many` fits the members that cannot be fitted many at once.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        Class names, sorted.
    names_ : list of str
        Names of the features.
    estimators_ : list of classifiers
        The fitted members, in the order of `estimators`.

    Examples
    --------
    >>> from gossan.models.neighbours import GroupNeighbours
    >>> members = [("lda", HierarchicalDiscriminant()), ("near", GroupNeighbours())]
    >>> X = [[1.0, 9.0], [2.0, 8.0], [1.5, 5.0], [9.0, 1.0], [8.0, 2.0], [5.0, 1.5]]
    >>> y = ["MVT"] * 3 + ["VMS"] * 3
    >>> model = EnsembleClassifier(members).fit(X, y, groups=["a", "a", "b", "c", "c", "d"])
    >>> model.predict([[2.0, 7.0], [7.0, float("nan")]]).tolist()
    ['MVT', 'VMS']
    """

    def __init__(
        self,
        estimators: Sequence[tuple[str, Any]],
        *,
        rule: str = "geometric",
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimators = estimators
        self.rule = rule
        self.random_state = random_state
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn whether missing values are handled."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._can_fill()
        return tags

    def fit(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None
    ) -> EnsembleClassifier:
        """Fit a clone of each member on all rows.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Concentrations [any one unit a column], positive.
        y : array of shape (n,)
            Class names.
        groups : array of shape (n,), optional
            Deposit of each row, for the members that take it.

        Returns
        -------
        self : EnsembleClassifier

        Raises
        ------
        ValueError
            If a value is infinite or not positive, or missing without a member that can fill it or
            in more than half of a row; if there is one class only, or a setting is wrong.
        """
        table, labels, deposits = self._read(X, y, groups)
        everything = np.arange(len(table))
        job = (everything, self.random_state)
        self.estimators_ = self._fit_members(table, labels, [job], deposits, at_once=False)[0]
        return self

    def fit_many(
        self,
        X: ArrayLike,
        y: ArrayLike,
        members: Sequence[tuple[NDArray[np.intp], int]],
        groups: ArrayLike | None = None,
    ) -> list[EnsembleClassifier]:
        """Fit on many subsets of the rows: the folds and seeds of a cross-validation.

        Parameters
        ----------
        X, y, groups
            As in `fit`.
        members : sequence of (train, seed)
            Row numbers of each training set, and its seed.

        Returns
        -------
        fitted : list of EnsembleClassifier
            One for each of `members`. What can fit many at once does so; the rest is fitted one by
            one, or in `n_jobs` processes.
        """
        table, labels, deposits = self._read(X, y, groups)
        jobs = [(np.asarray(train), seed) for train, seed in members]
        fitted = []
        for own in self._fit_members(table, labels, jobs, deposits, at_once=True):
            ensemble = type(self)(**self.get_params(deep=False))
            for key in ("names_", "n_features_in_", "feature_names_in_"):
                if hasattr(self, key):
                    setattr(ensemble, key, getattr(self, key))
            ensemble.estimators_ = own
            ensemble.classes_ = np.unique(np.concatenate([each.classes_ for each in own]))
            fitted.append(ensemble)
        return fitted

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities of each analysis, shape (n, n_classes)."""
        members = np.stack(list(self.predict_members(X).values()))  # (members, n, n_classes)
        if self.rule == "mean":
            return members.mean(axis=0)
        scores = np.exp(np.log(np.maximum(members, LEAST)).mean(axis=0))
        return scores / scores.sum(axis=1, keepdims=True)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable class of each row, shape (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_members(self, X: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Return the class probabilities of each member by its name, shape (n, n_classes) each."""
        check_is_fitted(self, "estimators_")
        read_rows(self, X, allow_nan=self._can_fill())
        table = np.asarray(X, dtype=float)
        filled = self._fill(table, self.estimators_)
        probabilities = {}
        for (name, _), member in zip(self.estimators, self.estimators_, strict=True):
            given = table if isinstance(member, HierarchicalDiscriminant) else filled
            aligned = np.zeros((len(table), len(self.classes_)))
            places = np.searchsorted(self.classes_, member.classes_)
            aligned[:, places] = member.predict_proba(given)
            probabilities[name] = aligned
        return probabilities

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: the parts of the members, one after another."""
        check_is_fitted(self, "estimators_")
        settings = saving.settings_of(self, without=("estimators", "n_jobs"))
        settings["members"] = [name for name, _ in self.estimators]
        told, arrays = saving.pack_all(self.estimators_, "member", inside="EnsembleClassifier")
        return settings | told, arrays

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> EnsembleClassifier:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        names = list(settings["members"])
        fitted = saving.unpack_all(
            settings, arrays, "member", len(names), inside="EnsembleClassifier"
        )
        named = [(name, clone(part)) for name, part in zip(names, fitted, strict=True)]
        model = saving.blank(cls, settings, estimators=named)
        cls._check_settings(model)
        for part in fitted:
            same = getattr(part, "n_features_in_", 0) == model.n_features_in_
            same = same and not hasattr(part, "feature_names_in_")  # members are fitted on arrays
            if not same or not set(part.classes_.tolist()) <= set(model.classes_.tolist()):
                raise ValueError(
                    "A member of the saved ensemble has other features or classes than the "
                    "ensemble. Save the model anew."
                )
        model.estimators_ = fitted
        return model

    def _can_fill(self) -> bool:
        members = self.estimators if isinstance(self.estimators, list | tuple) else []
        pairs = [pair for pair in members if isinstance(pair, list | tuple) and len(pair) == 2]
        return any(isinstance(member, HierarchicalDiscriminant) for _, member in pairs)

    def _check_settings(self) -> None:
        check_option("rule", self.rule, RULES)
        names = [name for name, _ in self.estimators]
        if not names or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
            raise ValueError(
                f"estimators must be (name, classifier) pairs of different names, got {names}. "
                "Name each member once."
            )

    def _read(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None
    ) -> tuple[NDArray[np.float64], NDArray, NDArray | None]:
        """Check settings and table; return concentrations, labels and deposits."""
        self._check_settings()
        rows = read_training(self, X, y, groups, allow_nan=self._can_fill())
        table = np.asarray(X, dtype=float)
        self._check_missing(table)
        return table, rows.labels, None if groups is None else rows.groups

    def _check_missing(self, table: NDArray[np.float64]) -> None:
        shares = np.isnan(table).mean(axis=1)
        if (shares > MOST_MISSING).any():
            row = int(np.argmax(shares > MOST_MISSING))
            raise ValueError(
                f"More than half of the features are missing in {(shares > MOST_MISSING).sum()} of "
                f"{len(table)} rows, first in row {row} ({np.isnan(table[row]).sum()} of "
                f"{table.shape[1]}). Drop these rows, or ask the HierarchicalDiscriminant alone."
            )

    def _fill(self, table: NDArray[np.float64], fitted: Sequence[Any]) -> NDArray[np.float64]:
        """Return the table with what is missing filled by the first discriminant."""
        if not np.isnan(table).any():
            return table
        self._check_missing(table)
        fillers = [member for member in fitted if isinstance(member, HierarchicalDiscriminant)]
        return fillers[0].conditional_fill(table)

    def _fit_members(
        self,
        table: NDArray[np.float64],
        labels: NDArray,
        jobs: Sequence[tuple[NDArray[np.intp], int | None]],
        groups: NDArray | None,
        *,
        at_once: bool,
    ) -> list[list[Any]]:
        """Return the fitted members of each job; those that fill what is missing come first."""
        fitted: list[list[Any]] = [[None] * len(self.estimators) for _ in jobs]
        is_filler = [isinstance(member, HierarchicalDiscriminant) for _, member in self.estimators]
        for place in np.argsort(np.logical_not(is_filler), kind="stable"):
            if not is_filler[place] and np.isnan(table).any():
                known = [[each for each in row if each is not None] for row in fitted]
                table, labels, groups, jobs = self._filled_jobs(table, labels, groups, jobs, known)
            member = self.estimators[place][1]
            if at_once and hasattr(member, "fit_many"):
                many = clone(member).fit_many(table, labels, list(jobs), groups=groups)
            else:
                many = Parallel(n_jobs=self.n_jobs)(
                    delayed(_fit_one)(member, table, labels, groups, job=job) for job in jobs
                )
            for row, one in zip(fitted, many, strict=True):
                row[place] = one
        return fitted

    def _filled_jobs(
        self,
        table: NDArray[np.float64],
        labels: NDArray,
        groups: NDArray | None,
        jobs: Sequence[tuple[NDArray[np.intp], int | None]],
        known: list[list[Any]],
    ) -> tuple[NDArray[np.float64], NDArray, NDArray | None, list[tuple[NDArray, int | None]]]:
        """Stack the training sets of all jobs, each filled by its own discriminant."""
        tables = [
            self._fill(table[train], own) for (train, _), own in zip(jobs, known, strict=True)
        ]
        chosen = np.concatenate([train for train, _ in jobs])
        ends = np.cumsum([len(train) for train, _ in jobs])
        stacked = [
            (np.arange(end - len(train), end), seed)
            for end, (train, seed) in zip(ends, jobs, strict=True)
        ]
        of_rows = None if groups is None else groups[chosen]
        return np.vstack(tables), labels[chosen], of_rows, stacked


def _fit_one(
    member: Any,
    table: NDArray[np.float64],
    labels: NDArray,
    groups: NDArray | None,
    *,
    job: tuple[NDArray[np.intp], int | None],
) -> Any:
    """Fit a clone of a member on the rows, and with the seed, of a job."""
    train, seed = job
    estimator = clone(member)
    if seed is not None:
        keys = [k for k in estimator.get_params() if k.split("__")[-1] == "random_state"]
        estimator.set_params(**dict.fromkeys(keys, int(seed)))
    more: dict[str, Any] = {}
    if groups is not None and "groups" in inspect.signature(estimator.fit).parameters:
        more["groups"] = groups[train]
    return estimator.fit(table[train], labels[train], **more)
