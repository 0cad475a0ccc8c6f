"""Simple models for few labelled occurrences, by name, and a blend of any models by rank.

Tables of evidence (n, features) with two classes come in; scores that can be ranked go out:
probabilities or decision values, never hard labels.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan._checks import check_option

__all__ = ["FEW_LABEL_MODELS", "RankBlend", "make_few_label_model"]

SCALINGS = ("standard", "none")


class RankBlend(ClassifierMixin, BaseEstimator):
    """Several classifiers as one: the mean of the ranks that each gives a place on the ground.

    Use it over models whose scores have no common scale, such as a support vector machine, a
    Gaussian process and a network. A place is as good as its mean rank among the background rows.
    The probabilities are an order with the right share of ore among the training rows, and are not
    calibrated otherwise.

    Parameters
    ----------
    estimators : list of (str, classifier)
        Names and members, not fitted; they are cloned. Members of a `fit` that takes `groups`,
        `background` or `background_classes` get them.
    random_state : int or None
        Seed for all members that take one; None leaves each its own.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Class names, sorted; the second is the ore.
    estimators_ : list of classifiers
        The fitted members.
    references_ : list of float64 arrays
        Sorted scores of the background rows (or, without any, of the training rows), by member.
    threshold_ : float
        Mean rank above which the share of the training rows is that of ore.

    Examples
    --------
    >>> X = [[0.0], [0.2], [0.4], [0.9], [1.0]]
    >>> members = [(name, make_few_label_model(name)) for name in ("balanced_svm", "logistic")]
    >>> model = RankBlend(members).fit(X, [0, 0, 0, 1, 1])
    >>> model.predict([[0.1], [0.95]]).tolist()
    [0, 1]
    """

    def __init__(
        self, estimators: Sequence[tuple[str, Any]], *, random_state: int | None = None
    ) -> None:
        self.estimators = estimators
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        background: ArrayLike | None = None,
        background_classes: ArrayLike | None = None,
    ) -> RankBlend:
        """Fit the members, and rank the background by each.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Evidence at the labelled places.
        y : array of shape (n,)
            Two classes.
        groups, background, background_classes
            As in `gossan.nets.PretextClassifier.fit`.

        Returns
        -------
        self : RankBlend

        Raises
        ------
        ValueError
            If a value is missing or infinite, or there are not two classes.
        """
        table, labels = validate_data(self, X, y, dtype=np.float64)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(
                f"A blend tells 2 classes apart, got {self.classes_.tolist()[:9]} in {len(table)}"
                " rows. Check the labels or the split."
            )
        offered = {
            "groups": groups,
            "background": background,
            "background_classes": background_classes,
        }
        self.estimators_ = [
            _seeded(clone(member), self.random_state).fit(table, codes, **_taken(member, offered))
            for _, member in self.estimators
        ]
        ground = table if background is None else np.asarray(background, dtype=np.float64)
        self.references_ = [np.sort(rankable_scores(model, ground)) for model in self.estimators_]
        ranks = self._mean_ranks(table)
        # In the middle between the last that is called ore and the first that is not.
        order = np.sort(ranks)[::-1]
        n_ore = int(codes.sum())
        self.threshold_ = float(np.clip(order[n_ore - 1 : n_ore + 1].mean(), 1e-6, 1.0 - 1e-6))
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the two shares of each row, shape (n, 2): the second rises with the mean rank."""
        check_is_fitted(self, "references_")
        table = validate_data(self, X, dtype=np.float64, reset=False)
        ranks = np.clip(self._mean_ranks(table), 1e-9, 1.0 - 1e-9)
        ore = expit(logit(ranks) - logit(self.threshold_))
        return np.column_stack([1.0 - ore, ore])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the more probable class of each row, shape (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _mean_ranks(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean over the members of the share of the background that scores lower."""
        shares = []
        for model, reference in zip(self.estimators_, self.references_, strict=True):
            own = rankable_scores(model, table)
            sides = [np.searchsorted(reference, own, side=side) for side in ("left", "right")]
            shares.append((sides[0] + sides[1]) / (2.0 * len(reference)))
        return np.mean(shares, axis=0)


def rankable_scores(model: Any, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a fitted classifier of two classes says, rising with the second class.

    Parameters
    ----------
    model : classifier
        With `decision_function` or `predict_proba`.
    X : array of shape (n, n_features)
        Rows to score.

    Returns
    -------
    scores : float64 array of shape (n,)
    """
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(X), dtype=float)
    return np.asarray(model.predict_proba(X), dtype=float)[:, 1]


def _svm(_: int, __: int) -> Any:
    return SVC(C=10.0, gamma=0.01)


def _balanced_svm(_: int, __: int) -> Any:
    return SVC(C=1.0, gamma=0.05, class_weight="balanced")


def _gp(_: int, __: int) -> Any:
    # A fixed kernel: the likelihood of some tens of labels chooses lengths by chance, and slowly.
    return GaussianProcessClassifier(ConstantKernel(9.0) * RBF(4.0), optimizer=None)


_MAKERS: dict[str, Callable[[int, int], Any]] = {
    "logistic": lambda _, __: LogisticRegression(max_iter=2000),
    "forest": lambda seed, trees: RandomForestClassifier(trees, random_state=seed),
    "svm": _svm,
    "balanced_svm": _balanced_svm,
    "gp": _gp,
}
FEW_LABEL_MODELS = (*_MAKERS, "svm_gp")


def make_few_label_model(
    name: str,
    *,
    scaling: str = "none",
    n_trees: int = 300,
    random_state: int | None = None,
) -> Any:
    """Return a simple model for few labels by its name, not fitted.

    Run several beside a network, on the same partitions. With some fifteen to seventy occurrences
    "balanced_svm" and "gp" are hard to beat.

    Parameters
    ----------
    name : str
        "logistic", "forest", "svm" (radial kernel, C 10, gamma 0.01, as published), "balanced_svm"
        (C 1, gamma 0.05, both classes with the same say), "gp" (Gaussian process, radial kernel of
        length 4 and variance 9) or "svm_gp" (`RankBlend` of the last two).
    scaling : {"none", "standard"}
        The lengths of the kernels are in units of standardised evidence. "none" for principal
        components of standardised variables, whose small components then stay small; "standard"
        for variables of any units.
    n_trees : int
        Of the forest; 2000 as published.
    random_state : int or None
        Seed of what is random in it.

    Returns
    -------
    estimator : classifier
        With `predict_proba`, or with `decision_function` alone ("svm", "balanced_svm").

    Raises
    ------
    ValueError
        If the name is none of `FEW_LABEL_MODELS`, or the scaling is unknown.

    References
    ----------
    "svm" and "forest": Mantilla-Dulcey et al. (2024) [Mantilla2024]_.

    Examples
    --------
    >>> make_few_label_model("svm").get_params()["gamma"]
    0.01
    """
    check_option("name", name, FEW_LABEL_MODELS)
    check_option("scaling", scaling, SCALINGS)
    if name == "svm_gp":
        members = [
            (each, make_few_label_model(each, scaling=scaling)) for each in ("balanced_svm", "gp")
        ]
        return RankBlend(members, random_state=random_state)
    seed = int(np.random.default_rng(random_state).integers(2**31))
    model = _MAKERS[name](seed, n_trees)
    return model if scaling == "none" else make_pipeline(StandardScaler(), model)


def _taken(member: Any, offered: dict[str, Any]) -> dict[str, Any]:
    """Return what of `offered` is there and the member's `fit` takes."""
    known = inspect.signature(member.fit).parameters
    return {key: each for key, each in offered.items() if each is not None and key in known}


def _seeded(member: Any, seed: int | None) -> Any:
    keys = [key for key in member.get_params() if key.split("__")[-1] == "random_state"]
    return member.set_params(**dict.fromkeys(keys, seed)) if seed is not None else member
