"""Maximum entropy: where conditions are like those at the known occurrences, against a background.

Presences and background (n, variables) come in; a relative likelihood of occurrence goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan import saving
from gossan._checks import check_labels, check_option
from gossan.models._maxent_features import (
    FEATURES,
    Features,
    classes_for,
    make_features,
    penalties,
)
from gossan.models._rows import check_above_zero

__all__ = ["MaxEnt"]

OUTPUTS = ("cloglog", "logistic")
ADDED = 40  # features that enter the working set at once
ROUNDS = 200
SLACK = 1e-4  # of a penalty: a feature whose gradient exceeds it by less stays out
PARTS = ("kind_", "first_", "second_", "low_", "high_")


class MaxEnt(ClassifierMixin, BaseEstimator):
    """Maximum-entropy model of occurrences against a background (MaxEnt).

    Use it where occurrences are known and barren places are not: background rows are a sample of
    the ground, ore or not. Its answer is relative; `predict` at one half is a convention.

    Parameters
    ----------
    features : "auto" or sequence of {"linear", "quadratic", "product", "hinge"}
        Functions of the variables. "auto": linear below 10 presences, with quadratic below 15, with
        hinges below 80, all from there.
    regularization : float
        Factor on the penalty of every feature; larger is smoother.
    output : {"cloglog", "logistic"}
        Scale of the answer, see Notes.
    n_knots : int
        Knots of the hinges of a variable.
    n_background : int or None
        Background rows drawn if there are more; 10,000 as in the original program. None: all.
    add_presences : bool
        Whether presences count as background too, so that the model cannot run away from them.
    clamp : bool
        Whether new values are drawn back into the range of training.
    random_state : int or None
        Seed of the background drawn.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Background, then presence: the labels, sorted.
    names_ : list of str
        Names of the variables.
    coef_ : array of shape (n_features,)
        Coefficients that are not zero.
    kind_, first_, second_, low_, high_ : arrays of shape (n_features,)
        Their features: kind (0 linear, 1 quadratic, 2 product, 3 hinge), variables, ends of a ramp.
    alpha_, entropy_ : float
        Log normaliser over the background, and entropy of the fitted distribution.
    minimum_, maximum_ : arrays of shape (n_variables,)
        Ranges of training.

    Notes
    -----
    The distribution q(x) proportional to exp(λ·f(x)) over the background maximises the mean log q of
    the presences less sum(β_j |λ_j|), with the β of Phillips & Dudík. This is the limit of a
    logistic regression with infinitely heavy background. With H the entropy and η = log q,
    "cloglog" is 1 - exp(-exp(H + η)) and "logistic" 1 / (1 + exp(-H - η)).

    References
    ----------
    Phillips et al. (2017) [Phillips2017]_, doi:10.1111/ecog.03049; penalties: Phillips & Dudík
    (2008) [PhillipsDudik2008]_, doi:10.1111/j.0906-7590.2008.5203.x; limit of logistic regression:
    Fithian & Hastie (2013) [FithianHastie2013]_, doi:10.1214/13-AOAS667.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> distance = np.concatenate([rng.uniform(0, 200, 60), rng.uniform(0, 2000, 500)])
    >>> y = np.repeat([1, 0], [60, 500])
    >>> model = MaxEnt().fit(distance[:, None], y)
    >>> model.predict_proba([[50.0], [1500.0]])[:, 1].round(1)
    array([0.7, 0. ])
    """

    def __init__(
        self,
        features: str | Sequence[str] = "auto",
        *,
        regularization: float = 1.0,
        output: str = "cloglog",
        n_knots: int = 50,
        n_background: int | None = 10_000,
        add_presences: bool = True,
        clamp: bool = True,
        random_state: int | None = None,
    ) -> None:
        self.features = features
        self.regularization = regularization
        self.output = output
        self.n_knots = n_knots
        self.n_background = n_background
        self.add_presences = add_presences
        self.clamp = clamp
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that there are two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> MaxEnt:
        """Fit the distribution.

        Parameters
        ----------
        X : array of shape (n, n_variables)
            Any numbers; no missing values.
        y : array of shape (n,)
            1 for presence and 0 for background; of two other labels the one that sorts last is
            presence.

        Returns
        -------
        self : MaxEnt

        Raises
        ------
        ValueError
            If there are not two classes, fewer than two presences, a value is missing or infinite,
            or a setting is out of its range.
        """
        self._check_settings()
        table = validate_data(self, X, dtype=np.float64)
        labels = check_labels("y", y, len(table))
        self.classes_ = np.unique(labels)
        if len(self.classes_) != 2:
            raise ValueError(
                f"MaxEnt needs two classes, presence and background, got {self.classes_.tolist()}."
                " Check the label column or the split."
            )
        default = [f"x{i}" for i in range(table.shape[1])]
        self.names_ = [str(name) for name in getattr(self, "feature_names_in_", default)]
        presences, background = self._split(table, labels == self.classes_[1])
        self._fit_features(presences, background)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return H + log q of each row, shape (n,): above 0 it is likelier than is typical."""
        check_is_fitted(self, "coef_")
        table = validate_data(self, X, dtype=np.float64, reset=False)
        if self.clamp:
            table = np.clip(table, self.minimum_, self.maximum_)
        features = Features(*(getattr(self, name) for name in PARTS))
        return features.values(table) @ self.coef_ + self.alpha_ + self.entropy_

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return background's and presence's share on the scale of `output`, shape (n, 2)."""
        raw = self.decision_function(X)
        if self.output == "logistic":
            return np.column_stack([expit(-raw), expit(raw)])
        rest = np.exp(-np.exp(np.minimum(raw, 700.0)))
        return np.column_stack([rest, 1.0 - rest])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return presence where its share is above one half, shape (n,)."""
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "coef_")
        arrays = {name: getattr(self, name) for name in ("coef_", "minimum_", "maximum_", *PARTS)}
        arrays["scalars"] = np.array([self.alpha_, self.entropy_])
        return saving.settings_of(self), arrays

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> MaxEnt:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = saving.blank(cls, settings)
        cls._check_settings(model)
        d = model.n_features_in_
        model.coef_ = saving.take(arrays, "coef_", (None,))
        for name in ("minimum_", "maximum_"):
            setattr(model, name, saving.take(arrays, name, (d,)))
        for name in PARTS:
            dtype = np.float64 if name in ("low_", "high_") else np.int64
            setattr(model, name, saving.take(arrays, name, model.coef_.shape, dtype))
        model.alpha_, model.entropy_ = (float(x) for x in saving.take(arrays, "scalars", (2,)))
        variables = np.concatenate([model.first_, model.second_])
        if len(variables) and not 0 <= variables.min() <= variables.max() < d:
            raise ValueError(f"a feature asks for a variable beyond the {d} there are")
        if not (model.high_ > model.low_).all() or len(model.classes_) != 2:
            raise ValueError("a ramp has no length, or there are not two classes")
        return model

    def _check_settings(self) -> None:
        check_option("output", self.output, OUTPUTS)
        check_above_zero("regularization", self.regularization)
        check_above_zero("n_knots", self.n_knots)
        words = [self.features] if isinstance(self.features, str) else list(self.features)
        for word in words:
            check_option("features", word, ("auto", *FEATURES))
        if not words or ("auto" in words and self.features != "auto"):
            raise ValueError(
                f"features must be 'auto' or some of {', '.join(FEATURES)}, got {words}."
            )

    def _split(
        self, table: NDArray[np.float64], is_presence: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return presences and background, drawn if there is more than is wanted."""
        presences, background = table[is_presence], table[~is_presence]
        if len(presences) < 2:
            raise ValueError(
                f"MaxEnt needs at least 2 rows of the class {self.classes_[1]} (presence), got"
                f" {len(presences)} of {len(table)}. Pass more occurrences."
            )
        if self.n_background is not None and len(background) > self.n_background:
            rng = np.random.default_rng(self.random_state)
            drawn = rng.choice(len(background), size=int(self.n_background), replace=False)
            background = background[np.sort(drawn)]
        if self.add_presences:
            background = np.concatenate([presences, background])
        return presences, background

    def _fit_features(
        self, presences: NDArray[np.float64], background: NDArray[np.float64]
    ) -> None:
        everywhere = np.concatenate([presences, background])
        self.minimum_, self.maximum_ = everywhere.min(axis=0), everywhere.max(axis=0)
        auto = self.features == "auto"
        classes = classes_for(len(presences)) if auto else self.features
        classes = [classes] if isinstance(classes, str) else list(classes)
        features = make_features(everywhere, classes, int(self.n_knots))
        of_all = features.values(everywhere)
        at_presences, of_background = of_all[: len(presences)], of_all[len(presences) :]
        beta = self.regularization * penalties(features, at_presences, of_all)
        varies = np.ptp(of_all, axis=0) > 0
        coef = np.zeros(len(beta))
        coef[varies] = fit_coefficients(
            of_background[:, varies], at_presences[:, varies].mean(axis=0), beta[varies]
        )
        used = np.flatnonzero(coef)
        self.coef_, kept = coef[used], features.chosen(used)
        for name in PARTS:
            setattr(self, name, getattr(kept, name.rstrip("_")))
        raw = of_background[:, used] @ self.coef_
        self.alpha_ = float(-logsumexp(raw))
        share = softmax(raw)
        self.entropy_ = float(-(share * (raw + self.alpha_)).sum())


def fit_coefficients(
    background: NDArray[np.float64], mean: NDArray[np.float64], beta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the λ that minimise log sum exp(f λ) - mean·λ + sum(β |λ|), shape (n_features,).

    Parameters
    ----------
    background : array of shape (n, n_features)
        Features of the background.
    mean : array of shape (n_features,)
        Their means over the presences.
    beta : array of shape (n_features,)
        Penalties, all above zero.

    Returns
    -------
    coefficients : array of shape (n_features,)
        Most are zero. Exact to 1e-4 of the penalties: only the features that matter are handed to
        the solver (L-BFGS-B on positive and negative parts), and all others are checked after.
    """
    # In units of their penalties all features are alike; a shift by the mean changes nothing.
    scaled = (background - mean) / beta
    coef, active = np.zeros(len(beta)), np.zeros(len(beta), dtype=bool)
    for _ in range(ROUNDS):
        slope = softmax(scaled[:, active] @ coef[active]) @ scaled
        excess = np.where(active, 0.0, np.abs(slope) - 1.0)
        if excess.max() <= SLACK:
            break
        worst = np.argsort(excess)[-ADDED:]
        active[worst[excess[worst] > SLACK]] = True
        coef[active] = _solve(np.ascontiguousarray(scaled[:, active]), coef[active])
        active &= coef != 0.0
    return coef / beta


def _solve(scaled: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the minimum of log sum exp(f w) + sum |w| over a few features."""
    k = scaled.shape[1]

    def loss(parts: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        raw = scaled @ (parts[:k] - parts[k:])
        total = logsumexp(raw)
        slope = np.exp(raw - total) @ scaled
        return float(total + parts.sum()), np.concatenate([slope + 1.0, 1.0 - slope])

    found = minimize(
        loss,
        np.concatenate([np.maximum(start, 0.0), np.maximum(-start, 0.0)]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * (2 * k),
        options={"maxiter": 3000, "maxfun": 6000, "ftol": 1e-13, "gtol": 1e-6, "maxcor": 20},
    )
    return found.x[:k] - found.x[k:]
