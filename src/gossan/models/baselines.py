"""The baselines that every network must beat, each by its name.

Concentrations of shape (n, elements), class names and deposits go in; class probabilities come out.
Logarithm, scaling and the weights of classes and deposits are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from gossan._checks import check_option
from gossan._weights import WEIGHTS, row_weights
from gossan.models._rows import read_rows, read_training
from gossan.models.boosting import BoostedTrees

__all__ = ["BASELINES", "WeightedClassifier", "make_baseline"]

STEEPNESS = 1.5  # of the softmax over the decision values of a machine without probabilities


class WeightedClassifier(ClassifierMixin, BaseEstimator):
    """A scikit-learn classifier on standardised log10, weighted by class and deposit.

    Use it to give any classifier the treatment of the baselines. One whose `fit` takes no
    `sample_weight` (neighbours, linear discriminant) is fitted without weights.

    Parameters
    ----------
    estimator : scikit-learn classifier
        What is fitted; it is cloned. One without `predict_proba` gets a softmax of its decision
        values: an order of the classes, not calibrated probabilities.
    weights : {"class_group", "group", "class", "none"}
        Weights of the rows; "class_group" gives each class, and each deposit in it, the same say.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        Class names, sorted.
    names_ : list of str
        Names of the features.
    estimator_ : scikit-learn classifier
        The fitted clone; its classes are numbers.
    center_, scale_ : arrays of shape (n_features,)
        Weighted mean and standard deviation of log10.

    Examples
    --------
    >>> X = [[1.0, 9.0], [2.0, 8.0], [9.0, 1.0], [8.0, 2.0]]
    >>> model = WeightedClassifier(LogisticRegression()).fit(X, ["MVT", "MVT", "VMS", "VMS"])
    >>> model.predict([[2.0, 7.0], [7.0, 2.0]]).tolist()
    ['MVT', 'VMS']
    """

    def __init__(self, estimator: Any, *, weights: str = "class_group") -> None:
        self.estimator = estimator
        self.weights = weights

    def fit(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None
    ) -> WeightedClassifier:
        """Scale the table and fit a clone of the classifier.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Concentrations [any one unit a column], positive.
        y : array of shape (n,)
            Class names.
        groups : array of shape (n,), optional
            Deposit of each row, for the weights.

        Returns
        -------
        self : WeightedClassifier

        Raises
        ------
        ValueError
            If a value is missing, infinite or not positive, or there is one class only.
        """
        check_option("weights", self.weights, WEIGHTS)
        rows = read_training(self, X, y, groups)
        deposits = None if groups is None else rows.groups
        weights = row_weights(rows.labels, deposits, weights=self.weights)
        self.center_ = np.average(rows.values, axis=0, weights=weights)
        variance = np.average((rows.values - self.center_) ** 2, axis=0, weights=weights)
        self.scale_ = np.where(variance > 0, np.sqrt(variance), 1.0)
        estimator = clone(self.estimator)
        takes = has_fit_parameter(estimator, "sample_weight")
        more = {"sample_weight": weights} if takes else {}
        self.estimator_ = estimator.fit(self._scaled(rows.values), rows.codes, **more)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities of each analysis, shape (n, n_classes)."""
        check_is_fitted(self, "estimator_")
        scaled = self._scaled(read_rows(self, X))
        if hasattr(self.estimator_, "predict_proba"):
            return np.asarray(self.estimator_.predict_proba(scaled), dtype=float)
        decision = np.asarray(self.estimator_.decision_function(scaled), dtype=float)
        if decision.ndim == 1:
            decision = np.column_stack([-decision, decision])
        return softmax(STEEPNESS * decision, axis=1)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable class of each row, shape (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def _scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return (values - self.center_) / self.scale_


def _trees(forest: Callable[..., Any]) -> Callable[[int], Any]:
    return lambda seed: forest(n_estimators=300, min_samples_leaf=3, random_state=seed)


def _lightgbm(seed: int) -> Any:
    try:
        from lightgbm import LGBMClassifier
    except ImportError as error:
        raise ImportError(
            "The baseline 'lightgbm' needs the package lightgbm, which is not installed. Install "
            "it with: pip install \"gossan[boosting]\", or take the baseline 'boosted'."
        ) from error
    return LGBMClassifier(
        n_estimators=150,
        learning_rate=0.05,
        num_leaves=15,
        min_child_samples=5,
        subsample=0.7,
        subsample_freq=1,
        colsample_bytree=0.6,
        reg_lambda=5.0,
        deterministic=True,
        n_jobs=1,
        random_state=seed,
        verbose=-1,
    )


_MAKERS: dict[str, Callable[[int], Any]] = {
    "logistic": lambda seed: LogisticRegression(C=0.1, max_iter=2000, random_state=seed),
    "lda": lambda _: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    "svm": lambda seed: SVC(C=1.0, gamma=0.05, random_state=seed),
    "knn": lambda _: KNeighborsClassifier(n_neighbors=15, weights="distance"),
    "nearest": lambda _: KNeighborsClassifier(n_neighbors=1),
    "forest": _trees(RandomForestClassifier),
    "extra_trees": _trees(ExtraTreesClassifier),
    "lightgbm": _lightgbm,
}

BASELINES = (*_MAKERS, "boosted")


def make_baseline(
    name: str, *, weights: str = "class_group", random_state: int | None = None
) -> WeightedClassifier | BoostedTrees:
    """Return a baseline by its name, not fitted.

    Use several: what the simplest can do needs no network. On tables whose rows come in deposits,
    "nearest" shows how much of a random split is memory of the deposit.

    Parameters
    ----------
    name : str
        "logistic" (C 0.1), "lda" (shrunk covariance), "svm" (radial kernel), "knn" (15
        neighbours), "nearest" (one), "forest", "extra_trees" (300 trees), "boosted"
        (`BoostedTrees`) or "lightgbm" (an extra). "lda", "knn" and "nearest" know no weights.
    weights : {"class_group", "group", "class", "none"}
        Weights of the rows.
    random_state : int or None
        Seed of what is random in it.

    Returns
    -------
    estimator : WeightedClassifier or BoostedTrees

    Raises
    ------
    ValueError
        If the name is none of `BASELINES`.
    ImportError
        If it is "lightgbm" and that is not installed.

    Examples
    --------
    >>> make_baseline("nearest").estimator
    KNeighborsClassifier(n_neighbors=1)
    """
    check_option("name", name, BASELINES)
    check_option("weights", weights, WEIGHTS)
    if name == "boosted":
        return BoostedTrees(weights=weights, random_state=random_state)
    seed = int(np.random.default_rng(random_state).integers(2**31))
    return WeightedClassifier(_MAKERS[name](seed), weights=weights)
