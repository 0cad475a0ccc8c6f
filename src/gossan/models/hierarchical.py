"""A linear discriminant that knows that analyses of one deposit resemble each other.

Concentrations of shape (n, elements), class names and deposits go in; class probabilities of single
analyses, or of all analyses of a deposit together, come out. Missing elements are no obstacle.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from gossan import saving
from gossan._checks import GossanWarning, check_labels, check_option
from gossan.models._rows import Training, check_share, read_rows, read_training

__all__ = ["HierarchicalDiscriminant"]

PRIORS = {"equal": 0.0, "sqrt": 0.5, "groups": 1.0}  # power of the number of deposits of a class
FLOOR = 1e-6  # dex squared: 0.001 dex, below the precision of any laboratory
FILL_ROUNDS = 10


class HierarchicalDiscriminant(ClassifierMixin, BaseEstimator):
    """Linear discriminant with random deposit effects, for analyses and for whole deposits.

    The log10 concentration of an analysis is the mean of its class, plus the effect of its deposit
    (covariance B, between deposits), plus noise inside the deposit (covariance W). A new deposit
    brings an effect of its own: a hundred analyses of it do not make a hundred witnesses, which an
    ordinary discriminant believes. Use it where deposits hold many analyses; without groups it is a
    regularised linear discriminant. Not for classes that form several clusters.

    Parameters
    ----------
    prior : {"sqrt", "equal", "groups"}
        Prior of a class: the square root of its number of deposits, the same for all, or its number
        of deposits. The square root stands between trust in the table and none.
    shrinkage : float
        Share of B that is replaced by its diagonal, in [0, 1]. Deposits are few: some dozens must
        not fix all correlations of a dozen elements.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        Class names, sorted.
    names_ : list of str
        Names of the features.
    means_ : array of shape (n_classes, n_features)
        Mean of the deposit means of each class, log10.
    between_, within_ : arrays of shape (n_features, n_features)
        Covariance of deposit means about their class (shrunk), and of analyses about their deposit.
    n_groups_ : array of shape (n_classes,)
        Deposits of each class.

    References
    ----------
    Random effects in discriminant analysis: Searle, Casella & McCulloch (1992), Variance
    Components, doi:10.1002/9780470316856.

    Examples
    --------
    >>> X = [[1.0, 9.0], [2.0, 8.0], [1.5, 5.0], [9.0, 1.0], [8.0, 2.0], [5.0, 1.5]]
    >>> y = ["MVT"] * 3 + ["VMS"] * 3
    >>> model = HierarchicalDiscriminant().fit(X, y, groups=["a", "a", "b", "c", "c", "d"])
    >>> model.predict([[2.0, 7.0], [7.0, float("nan")]]).tolist()
    ['MVT', 'VMS']
    """

    def __init__(self, *, prior: str = "sqrt", shrinkage: float = 0.2) -> None:
        self.prior = prior
        self.shrinkage = shrinkage

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that missing values are handled."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None
    ) -> HierarchicalDiscriminant:
        """Estimate class means and the two covariances.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Concentrations [any one unit a column], positive; NaN is missing and is replaced by
            what the analysis, its deposit and its class let expect, until that no longer changes.
        y : array of shape (n,)
            Class names.
        groups : array of shape (n,), optional
            Deposit of each row. None: each row is a deposit of its own.

        Returns
        -------
        self : HierarchicalDiscriminant

        Raises
        ------
        ValueError
            If a value is infinite or not positive, a feature is never measured, there is one class
            only, or a setting is out of its range.
        """
        self._check_settings()
        rows = read_training(self, X, y, groups, allow_nan=True)
        is_missing = np.isnan(rows.values)
        if is_missing.all(axis=0).any():
            name = self.names_[int(np.argmax(is_missing.all(axis=0)))]
            raise ValueError(
                f"Feature {name!r} is missing in all {len(is_missing)} rows. Leave it out."
            )
        if len(rows.unit_codes) == len(rows.classes):
            warnings.warn(
                f"No class has two deposits ({len(rows.classes)} classes, as many deposits): how "
                "deposits of one class differ stays unseen, and probabilities are too sure.",
                GossanWarning,
                stacklevel=2,
            )
        self.n_groups_ = rows.n_units
        values, spare = _first_fill(rows), np.zeros((rows.values.shape[1],) * 2)
        self._estimate(values, rows, spare)
        for _ in range(FILL_ROUNDS if is_missing.any() else 0):
            values, spare = self._refill(values, rows)
            self._estimate(values, rows, spare)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities of each analysis alone, shape (n, n_classes).

        A missing element is left out of the comparison, exactly as the normal law has it; a row
        without any value gets the prior.
        """
        check_is_fitted(self, "means_")
        values = read_rows(self, X, allow_nan=True)
        return softmax(self._scores(values), axis=1)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable class of each row, shape (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_group_proba(
        self, X: ArrayLike, groups: ArrayLike
    ) -> tuple[NDArray, NDArray[np.float64]]:
        """Return class probabilities of each deposit from all its analyses together.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Concentrations, positive; NaN is missing.
        groups : array of shape (n,)
            Deposit of each row.

        Returns
        -------
        names : array of shape (n_groups,)
            The deposits, sorted.
        probabilities : array of shape (n_groups, n_classes)
            The mean of n analyses has covariance B (1 + 1 / n_c) + W / n about the class mean.
        """
        check_is_fitted(self, "means_")
        values = read_rows(self, X, allow_nan=True)
        names, numbers = np.unique(check_labels("groups", groups, len(values)), return_inverse=True)
        scores = [self._group_scores(values[numbers == i]) for i in range(len(names))]
        return names, softmax(np.array(scores), axis=1)

    def conditional_fill(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the table with missing values replaced by what the measured ones let expect.

        The expectation is taken of log10, over all classes by their probability for the row.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Concentrations, positive; NaN is missing.

        Returns
        -------
        filled : array of shape (n, n_features)
            Concentrations; measured values are as they were.
        """
        check_is_fitted(self, "means_")
        values = read_rows(self, X, allow_nan=True)
        filled = np.array(X, dtype=float)
        shares = softmax(self._scores(values), axis=1)
        for seen, rows in _patterns(values):
            if seen.all():
                continue
            expected = np.zeros((len(rows), int((~seen).sum())))
            for k in range(len(self.classes_)):
                slopes = _slopes(self._covariance(k), seen)  # (missing, seen)
                of_class = self.means_[k, ~seen] + (
                    (values[rows][:, seen] - self.means_[k, seen]) @ slopes.T
                )
                expected += shares[rows, k, None] * of_class
            filled[np.ix_(rows, ~seen)] = 10.0**expected
        return filled

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "means_")
        names = ("means_", "between_", "within_", "n_groups_")
        arrays = {name: np.asarray(getattr(self, name)) for name in names}
        return saving.settings_of(self), arrays

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> HierarchicalDiscriminant:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = saving.blank(cls, settings)
        cls._check_settings(model)
        k, d = len(model.classes_), model.n_features_in_
        model.means_ = saving.take(arrays, "means_", (k, d))
        model.between_ = saving.take(arrays, "between_", (d, d))
        model.within_ = saving.take(arrays, "within_", (d, d))
        model.n_groups_ = saving.take(arrays, "n_groups_", (k,), np.int64)
        if (model.n_groups_ < 1).any():
            raise ValueError(
                f"n_groups_ must be at least 1, got {model.n_groups_.min()}. Save anew."
            )
        for matrix in (model.between_, model.within_ + FLOOR * np.eye(d)):
            if not np.array_equal(matrix, matrix.T):
                raise ValueError("A saved covariance is not symmetric. Save the model anew.")
            np.linalg.cholesky(matrix)  # raises LinAlgError, a ValueError
        return model

    def _check_settings(self) -> None:
        check_option("prior", self.prior, tuple(PRIORS))
        check_share("shrinkage", self.shrinkage)

    def _estimate(
        self, values: NDArray[np.float64], rows: Training, spare: NDArray[np.float64]
    ) -> None:
        """Set means and covariances from complete values; `spare` is what filling took from W."""
        unit_means = _means_by(values, rows.units)
        self.means_ = _means_by(unit_means, rows.unit_codes)
        effects = unit_means - self.means_[rows.unit_codes]
        spread = effects.T @ effects / max(len(unit_means) - len(self.means_), 1)
        diagonal = np.diag(np.diag(spread))
        shrunk = (1.0 - self.shrinkage) * spread + self.shrinkage * diagonal
        self.between_ = _symmetric(shrunk) + FLOOR * np.eye(len(spread))
        noise = values - unit_means[rows.units]
        weights = _row_shares(rows.units)
        self.within_ = _symmetric((noise * weights[:, None]).T @ noise + spare)

    def _refill(
        self, values: NDArray[np.float64], rows: Training
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Replace what is missing by its expectation given row and deposit; also return its spread.

        The mean of a deposit that never measured a feature is itself expected, from its class.
        """
        unit_means = _means_by(values, rows.units)
        unit_seen = _counts_by(~np.isnan(rows.values), rows.units) > 0
        for seen, which in _patterns(np.where(unit_seen, 0.0, np.nan)):
            centre = self.means_[rows.unit_codes[which]]
            away = (unit_means[which] - centre)[:, seen]
            unit_means[np.ix_(which, ~seen)] = (
                centre[:, ~seen] + away @ _slopes(self.between_, seen).T
            )
        filled, spare = rows.values.copy(), np.zeros_like(self.within_)
        weights, noise = _row_shares(rows.units), self.within_ + FLOOR * np.eye(len(self.within_))
        for seen, which in _patterns(rows.values):
            if seen.all():
                continue
            slopes = _slopes(noise, seen)
            centre = unit_means[rows.units[which]]
            away = (rows.values[which] - centre)[:, seen]
            filled[np.ix_(which, ~seen)] = centre[:, ~seen] + away @ slopes.T
            left = self.within_[np.ix_(~seen, ~seen)] - slopes @ self.within_[np.ix_(seen, ~seen)]
            spare[np.ix_(~seen, ~seen)] += weights[which].sum() * left
        return filled, spare

    def _covariance(self, k: int, share: NDArray[np.float64] | float = 1.0) -> NDArray[np.float64]:
        """Return the covariance about the estimated mean of class k; `share` of W per element."""
        return self.between_ * (1.0 + 1.0 / self.n_groups_[k]) + self.within_ * share

    def _log_prior(self) -> NDArray[np.float64]:
        return PRIORS[self.prior] * np.log(self.n_groups_)

    def _scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log prior plus log density of each row, shape (n, n_classes)."""
        scores = np.tile(self._log_prior(), (len(values), 1))
        for seen, rows in _patterns(values):
            for k in range(len(self.classes_)):
                covariance = self._covariance(k)[np.ix_(seen, seen)]
                scores[rows, k] += _log_density(
                    values[rows][:, seen] - self.means_[k, seen], covariance
                )
        return scores

    def _group_scores(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log prior plus log density of the mean of all rows, shape (n_classes,)."""
        has = (~np.isnan(values)).astype(float)
        seen = has.any(axis=0)
        counts = has.sum(axis=0)[seen]
        mean = np.where(has[:, seen] > 0, values[:, seen], 0.0).sum(axis=0) / counts
        both = has[:, seen].T @ has[:, seen]  # rows that have both elements
        share = both / np.outer(counts, counts)  # 1 / n where all rows have all elements
        scores = self._log_prior()
        for k in range(len(scores)):
            covariance = self.between_[np.ix_(seen, seen)] * (1.0 + 1.0 / self.n_groups_[k])
            covariance = covariance + self.within_[np.ix_(seen, seen)] * share
            scores[k] += _log_density((mean - self.means_[k, seen])[None], covariance)[0]
        return scores


def _log_density(away: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log of the normal density at rows `away` from its mean, but for a constant."""
    root = np.linalg.cholesky(covariance)
    scaled = solve_triangular(root, away.T, lower=True, check_finite=False)
    return -0.5 * np.einsum("ij,ij->j", scaled, scaled) - np.log(np.diag(root)).sum()


def _slopes(covariance: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how the missing features follow the seen ones, shape (n_missing, n_seen)."""
    if not seen.any():
        return np.zeros((len(seen), 0))
    factor = cho_factor(covariance[np.ix_(seen, seen)], check_finite=False)
    return cho_solve(factor, covariance[np.ix_(seen, ~seen)], check_finite=False).T


def _patterns(
    values: NDArray[np.float64],
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """Yield (features seen, row numbers) for each pattern of missing values."""
    is_seen = ~np.isnan(values)
    if is_seen.all():
        yield is_seen[0], np.arange(len(values))
        return
    patterns, which = np.unique(is_seen, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(which.ravel()))
    yield from zip(patterns, np.split(order, ends[:-1]), strict=True)


def _first_fill(rows: Training) -> NDArray[np.float64]:
    """Fill what is missing with the mean of the class, or of all where the class has no value."""
    known = np.isnan(rows.values)
    overall = np.nanmean(rows.values, axis=0)
    values = np.where(known, 0.0, rows.values)
    counts = _counts_by(~known, rows.codes)
    sums = np.zeros_like(counts, dtype=float)
    np.add.at(sums, rows.codes, values)
    of_class = np.where(counts > 0, sums / np.maximum(counts, 1), overall)
    return np.where(known, of_class[rows.codes], values)


def _counts_by(has: NDArray[np.bool_], codes: NDArray[np.int64]) -> NDArray[np.int64]:
    counts = np.zeros((codes.max() + 1, has.shape[1]), dtype=np.int64)
    np.add.at(counts, codes, has)
    return counts


def _means_by(values: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    sums = np.zeros((codes.max() + 1, values.shape[1]))
    np.add.at(sums, codes, values)
    return sums / np.bincount(codes)[:, None]


def _row_shares(units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights 1 / sqrt(analyses of the deposit), over the degrees of freedom they leave."""
    counts = np.bincount(units)
    weights = 1.0 / np.sqrt(counts)
    freedom = (weights * (counts - 1)).sum()
    return weights[units] / max(freedom, 1.0)


def _symmetric(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return (matrix + matrix.T) / 2.0
