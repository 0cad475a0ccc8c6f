"""Sets of types, and intervals, that hold the truth as often as they say for a new deposit.

Held-out probabilities (or predictions) with their groups come in; sets, intervals and their
measured coverage go out. Calibration counts groups: rows of one deposit are not exchangeable
with those of another.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from gossan._checks import (
    GossanWarning,
    check_class_codes,
    check_labels,
    check_option,
    check_probabilities,
)
from gossan.validation._groups import expanded_percentiles, group_draws, group_quantile
from gossan.validation.uncertainty import clopper_pearson

SCORES = ("lac", "aps", "raps")


class ConformalSets(BaseEstimator):
    """Sets of classes that hold the true one with a stated probability.

    Fit on held-out probabilities, best one pooled row per deposit. With several rows per group
    each group counts once (hierarchical conformal [4]_), so that the promise is for a row of a
    new group. The promise is marginal: easy types are covered more often than hard ones, unless
    `per_class` is set.

    Parameters
    ----------
    coverage : float
        Share of new deposits whose set holds the truth.
    score : {"lac", "aps", "raps"}
        "lac" takes the classes above one threshold: the smallest sets [1]_. "aps" adds classes in
        the order of probability until enough is gathered: even coverage, larger sets [2]_.
        "raps" also penalises long sets [3]_. None is randomised: a row's set never varies.
    per_class : bool
        Calibrate each class on its own (Mondrian): the promise holds within each type, at the
        price of larger sets; a class with fewer than coverage / (1 − coverage) groups is always in.
    allow_empty : bool
        Let a set be empty when no class is likely enough; else it holds the best class.
    penalty : float
        Penalty of "raps" per class beyond the first.

    Attributes
    ----------
    thresholds_ : float64 array of shape (n_classes,)
        Largest nonconformity score that is still in the set.
    classes_ : array of shape (n_classes,)
        Names of the columns.

    References
    ----------
    .. [1] Sadinle, M., Lei, J. & Wasserman, L. 2019, Least ambiguous set-valued classifiers with
       bounded error levels, J. Am. Stat. Assoc. 114, 223-234, doi:10.1080/01621459.2017.1395341.
    .. [2] Romano, Y., Sesia, M. & Candès, E. 2020, Classification with valid and adaptive
       coverage, arXiv:2006.02544.
    .. [3] Angelopoulos, A. et al. 2021, Uncertainty sets for image classifiers using conformal
       prediction, arXiv:2009.14193.
    .. [4] Lee, Y., Barber, R. F. & Willett, R. 2023, Distribution-free inference with hierarchical
       data, arXiv:2306.06342.

    Examples
    --------
    >>> calibration = np.repeat([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1]], 10, axis=0)
    >>> sets = ConformalSets(0.9).fit(calibration, [0] * 8 + [1] * 12)
    >>> sets.predict([[0.5, 0.35, 0.15], [0.34, 0.33, 0.33]])
    array([[ True,  True, False],
           [ True,  True,  True]])
    """

    def __init__(
        self,
        coverage: float = 0.9,
        *,
        score: str = "lac",
        per_class: bool = False,
        allow_empty: bool = False,
        penalty: float = 0.1,
    ) -> None:
        self.coverage = coverage
        self.score = score
        self.per_class = per_class
        self.allow_empty = allow_empty
        self.penalty = penalty

    def fit(
        self,
        probabilities: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> ConformalSets:
        """Calibrate the thresholds on held-out rows.

        Parameters
        ----------
        probabilities : array of shape (n, n_classes)
            Held-out probabilities; NaN rows are left out.
        y : array of shape (n,)
            True classes (column numbers when `classes` is None).
        groups : array of shape (n,), optional
            Group of each row; None when each row is a group.
        classes : array of shape (n_classes,), optional
            Names of the columns.

        Returns
        -------
        self : ConformalSets
            The calibrated sets.

        Raises
        ------
        ValueError
            If an option is unknown, shapes do not fit, or nothing was tested.
        """
        table, truth, codes = _calibration_rows(probabilities, y, groups, classes)
        scores = _nonconformity(self, table)
        self.thresholds_ = _calibrate(self, scores, truth, codes)
        n_classes = table.shape[1]
        self.classes_ = np.arange(n_classes) if classes is None else np.asarray(classes)
        if np.isinf(self.thresholds_).any():
            few = self.classes_[np.isinf(self.thresholds_)].tolist()
            warnings.warn(
                f"Too few calibration groups for {self.coverage:.0%} coverage of {few}: always in"
                " the set. Take a lower coverage, more deposits, or per_class=False.",
                GossanWarning,
                stacklevel=2,
            )
        return self

    def predict(self, probabilities: ArrayLike) -> NDArray[np.bool_]:
        """Return True where a class is in a row's set: (n, n_classes); untested rows are full."""
        check_is_fitted(self)
        table = check_probabilities(probabilities, len(self.classes_))
        return _members(self, _nonconformity(self, table), table, self.thresholds_)

    def predict_sets(self, probabilities: ArrayLike) -> list[tuple]:
        """Return the set of each row as a tuple of class names, the most probable first."""
        members = self.predict(probabilities)
        order = np.argsort(-np.asarray(probabilities, float), axis=1, kind="stable")
        return [
            tuple(self.classes_[k].item() for k in row if inside[k])
            for row, inside in zip(order, members, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class ConformalCoverage:
    """Coverage of conformal sets on groups that neither trained nor calibrated them.

    Attributes
    ----------
    asked : float
        Coverage asked for.
    observed, low, high : float
        Share of groups (rows of a group share its weight) whose set holds the truth, with its
        interval (Clopper-Pearson for one row per group, else cluster bootstrap).
    mean_size, share_single, share_empty : float
        Mean number of classes per set, and shares of sets with one and with no class.
    per_class : DataFrame
        Coverage, mean size and number of groups per true class.
    members : bool array of shape (n, n_classes)
        The set of each row; untested rows are full.
    """

    asked: float
    observed: float
    low: float
    high: float
    mean_size: float
    share_single: float
    share_empty: float
    per_class: pd.DataFrame
    members: NDArray[np.bool_]

    def __str__(self) -> str:
        return (
            f"Asked {self.asked:.0%}, observed {self.observed:.1%} ({self.low:.1%} to"
            f" {self.high:.1%}); mean size {self.mean_size:.2f}, one type in"
            f" {self.share_single:.0%}"
        )


def conformal_coverage(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    classes: ArrayLike | None = None,
    sets: ConformalSets | None = None,
) -> ConformalCoverage:
    """Measure coverage honestly: each group's set is calibrated on all the other groups.

    Parameters
    ----------
    probabilities : array of shape (n, n_classes)
        Held-out probabilities, best one pooled row per unit.
    labels : array of shape (n,)
        True classes (column numbers when `classes` is None).
    groups : array of shape (n,), optional
        Group of each row; None when each row is a group.
    classes : array of shape (n_classes,), optional
        Names of the columns.
    sets : ConformalSets, optional
        Unfitted sets with the wished options; 90 % "lac" by default.

    Returns
    -------
    coverage : ConformalCoverage
        Coverage, set sizes and members.

    Raises
    ------
    ValueError
        If there are fewer than two groups, or shapes do not fit.

    Examples
    --------
    >>> p = np.repeat([[0.7, 0.3], [0.2, 0.8]], 20, axis=0)
    >>> print(conformal_coverage(p, [0] * 18 + [1] * 22))
    Asked 90%, observed 95.0% (83.1% to 99.4%); mean size 1.00, one type in 100%
    """
    model = ConformalSets() if sets is None else sets
    whole = check_probabilities(probabilities)
    tested = ~np.isnan(whole).any(axis=1)
    table, truth, codes = _calibration_rows(whole, labels, groups, classes)
    n_groups = int(codes.max()) + 1
    if n_groups < 2:
        raise ValueError(f"Held-out coverage needs two groups, got {n_groups}. Pass more deposits.")
    scores = _nonconformity(model, table)
    members = np.ones(whole.shape, dtype=bool)
    inside = np.empty(table.shape, dtype=bool)
    for code in range(n_groups):
        rows = codes == code
        kept = np.unique(codes[~rows], return_inverse=True)[1]
        thresholds = _calibrate(model, scores[~rows], truth[~rows], kept)
        inside[rows] = _members(model, scores[rows], table[rows], thresholds)
    members[tested] = inside
    names = np.arange(whole.shape[1]) if classes is None else np.asarray(classes)
    return _coverage_result(model.coverage, inside, truth, codes, names=names, members=members)


class ConformalIntervals(BaseEstimator):
    """Intervals round a prediction that hold the measured value with a stated probability.

    Parameters
    ----------
    coverage : float
        Share of values of new groups that fall inside.

    Attributes
    ----------
    margin_ : float
        Half width, in the unit of the prediction, or in multiples of `scale` where given.

    Examples
    --------
    >>> model = ConformalIntervals(0.8).fit(np.zeros(9), np.arange(1.0, 10.0))
    >>> model.predict([100.0])
    array([[ 92., 108.]])
    """

    def __init__(self, coverage: float = 0.9) -> None:
        self.coverage = coverage

    def fit(
        self,
        predictions: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        scale: ArrayLike | None = None,
    ) -> ConformalIntervals:
        """Calibrate the margin on held-out predictions.

        Parameters
        ----------
        predictions, y : arrays of shape (n,)
            Held-out predictions and measured values, in one unit.
        groups : array of shape (n,), optional
            Group of each row; each group counts once. None when each row is a group.
        scale : array of shape (n,), optional
            Expected error of each row (kriging or ensemble standard deviation), positive.

        Returns
        -------
        self : ConformalIntervals
            The calibrated intervals.

        Raises
        ------
        ValueError
            If lengths differ, values are missing, or a scale is not positive.
        """
        guess, truth = np.asarray(predictions, float), np.asarray(y, float)
        if guess.shape != truth.shape or guess.ndim != 1 or not np.isfinite(guess - truth).all():
            raise ValueError(
                f"Predictions and values must be finite and of one length, got {guess.shape} and"
                f" {truth.shape}. Drop the rows without a measurement."
            )
        codes = _group_codes(groups, len(guess))
        errors = np.abs(truth - guess) / _check_scale(scale, len(guess))
        self.margin_ = group_quantile(errors, codes, self.coverage)
        if np.isinf(self.margin_):
            warnings.warn(
                f"{codes.max() + 1} groups are too few for {self.coverage:.0%} coverage: the"
                " interval is infinite. Take a lower coverage or more groups.",
                GossanWarning,
                stacklevel=2,
            )
        return self

    def predict(
        self, predictions: ArrayLike, *, scale: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return lower and upper ends, shape (n, 2), of the intervals round `predictions`."""
        check_is_fitted(self)
        guess = np.asarray(predictions, float)
        half = self.margin_ * _check_scale(scale, len(guess))
        return np.stack([guess - half, guess + half], axis=1)


def _nonconformity(model: ConformalSets, table: NDArray[np.float64]) -> NDArray[np.float64]:
    check_option("score", model.score, SCORES)
    if model.score == "lac":
        return 1.0 - table
    order = np.argsort(-table, axis=1, kind="stable")
    gathered = np.cumsum(np.take_along_axis(table, order, axis=1), axis=1)
    if model.score == "raps":
        gathered = gathered + model.penalty * np.arange(table.shape[1])
    scores = np.empty_like(table)
    np.put_along_axis(scores, order, gathered, axis=1)
    return scores


def _calibrate(
    model: ConformalSets, scores: NDArray, truth: NDArray, codes: NDArray
) -> NDArray[np.float64]:
    own = scores[np.arange(len(truth)), truth]
    if not model.per_class:
        return np.full(scores.shape[1], group_quantile(own, codes, model.coverage))
    return np.array(
        [
            group_quantile(own[truth == k], codes[truth == k], model.coverage)
            for k in range(scores.shape[1])
        ]
    )


def _members(
    model: ConformalSets, scores: NDArray, table: NDArray, thresholds: NDArray
) -> NDArray[np.bool_]:
    members = ~(scores > thresholds + 1e-12)  # NaN stays in: nothing is known
    if not model.allow_empty:
        members[np.arange(len(table)), np.nan_to_num(table).argmax(axis=1)] = True
    return members


def _calibration_rows(
    probabilities: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike | None,
    classes: ArrayLike | None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    table = check_probabilities(probabilities)
    truth = check_class_codes(check_labels("labels", labels, len(table)), classes, table.shape[1])
    names = np.arange(len(table)) if groups is None else check_labels("groups", groups, len(table))
    tested = ~np.isnan(table).any(axis=1)
    if not tested.any():
        raise ValueError("Nothing to calibrate on: all rows are NaN. Pass held-out probabilities.")
    codes = np.unique(names[tested], return_inverse=True)[1]
    return table[tested], truth[tested], codes


def _group_codes(groups: ArrayLike | None, n: int) -> NDArray[np.int64]:
    if groups is None:
        return np.arange(n)
    return np.unique(check_labels("groups", groups, n), return_inverse=True)[1]


def _check_scale(scale: ArrayLike | None, n: int) -> NDArray[np.float64]:
    values = np.ones(n) if scale is None else np.asarray(scale, float)
    if values.shape != (n,) or not (values > 0).all():
        raise ValueError(
            f"scale must be positive with one value per row ({n}), got shape {values.shape}."
            " Pass the expected error of each row, or None."
        )
    return values


def _coverage_result(
    asked: float,
    inside: NDArray[np.bool_],
    truth: NDArray[np.int64],
    codes: NDArray[np.int64],
    *,
    names: NDArray,
    members: NDArray[np.bool_],
) -> ConformalCoverage:
    counts = np.bincount(codes)
    n_groups = len(counts)
    weights = 1.0 / counts[codes]
    hit = inside[np.arange(len(truth)), truth].astype(float)
    sizes = inside.sum(axis=1)
    share = np.bincount(codes, hit) / counts
    if n_groups == len(truth):
        low, high = clopper_pearson(int(hit.sum()), n_groups)
    else:
        draws = group_draws(n_groups, 2000, np.random.default_rng(0)) @ share / n_groups
        low, high = (float(end) for end in expanded_percentiles(draws, n_groups))
    rows = {}
    for k in np.unique(truth):
        own = truth == k
        rows[names[k]] = {
            "coverage": np.average(hit[own], weights=weights[own]),
            "mean_size": np.average(sizes[own], weights=weights[own]),
            "n_groups": len(np.unique(codes[own])),
        }
    return ConformalCoverage(
        asked=asked,
        observed=float(share.mean()),
        low=low,
        high=high,
        mean_size=float(np.average(sizes, weights=weights)),
        share_single=float(np.average(sizes == 1, weights=weights)),
        share_empty=float(np.average(sizes == 0, weights=weights)),
        per_class=pd.DataFrame.from_dict(rows, orient="index").astype({"n_groups": int}),
        members=members,
    )
