"""Normal scores: values turned into ranks of a normal distribution, and back to the same values.

A table of values, and weights from declustering, come in; scores with mean 0 and variance 1 go out.

Sources
-------
Deutsch & Journel (1998), GSLIB: Geostatistical Software Library, 2nd ed., Oxford University Press
(the transform, weights, power models of the tails).
Goovaerts (1997), Geostatistics for Natural Resources Evaluation, Oxford University Press.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan._checks import check_random_state

__all__ = ["NormalScores"]

Floats = NDArray[np.float64]

_LEAST = 1e-7  # probability of a value at its limit: a score of 5.2


class NormalScores(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Transformer of each column to normal scores, exact both ways at the values it was fitted to.

    Use it before a variogram, simulation or any method that needs normal values. The scores are
    normal one by one; that they are so jointly is an assumption. A value that many samples share
    (a detection limit) has one score in `transform`, the middle of theirs; `scores_` spreads them.

    Parameters
    ----------
    lower, upper : float or array of shape (n_columns,), optional
        Least and greatest value that can be (0 for a grade). None: the tail ends at the data.
    lower_power, upper_power : float, default 1.0
        Shape of a tail between the data and its limit: the probability left goes as a power of the
        distance from the limit. 1 is uniform; greater than 1 keeps the values near the data.
    random_state : int, Generator or None, default 0
        Seed of the order of equal values in `scores_`.

    Attributes
    ----------
    values_ : list of arrays
        Distinct values of each column, increasing.
    middles_, starts_, ends_ : lists of arrays
        Middle, least and greatest score of each.
    scores_ : array of shape (n_samples, n_columns)
        Scores of the fitted table, equal values in random order; NaN where missing.
    n_features_in_ : int

    Examples
    --------
    >>> scores = NormalScores().fit_transform([[1.0], [10.0], [100.0]])
    >>> scores.round(3).ravel()
    array([-0.967,  0.   ,  0.967])
    """

    def __init__(
        self,
        *,
        lower: ArrayLike | None = None,
        upper: ArrayLike | None = None,
        lower_power: float = 1.0,
        upper_power: float = 1.0,
        random_state: int | np.random.Generator | None = 0,
    ) -> None:
        self.lower = lower
        self.upper = upper
        self.lower_power = lower_power
        self.upper_power = upper_power
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: object = None,  # noqa: ARG002
        sample_weight: ArrayLike | None = None,
    ) -> NormalScores:
        """Learn the distribution of each column.

        Parameters
        ----------
        X : array of shape (n_samples, n_columns)
            Values; a missing one is NaN.
        y : ignored
        sample_weight : array of shape (n_samples,), optional
            Weights from declustering, zero or more.

        Returns
        -------
        self : NormalScores

        Raises
        ------
        ValueError
            If a column has fewer than two known values, a weight is negative or missing, a limit
            lies inside the data, or a power is not positive.
        """
        table = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        weights = _check_weights(sample_weight, len(table))
        rng = check_random_state(self.random_state)
        self.scores_ = np.full(table.shape, np.nan)
        self.values_: list[Floats] = []
        self.middles_: list[Floats] = []
        self.starts_: list[Floats] = []
        self.ends_: list[Floats] = []
        for k, column in enumerate(table.T):
            known = ~np.isnan(column) & (weights > 0)
            if known.sum() < 2:
                raise ValueError(
                    f"Column {k} has {int(known.sum())} known values with a weight; two are needed."
                    " Leave it out."
                )
            scores = _spread_scores(column[known], weights[known], rng)
            values, starts, ends, middles = _distinct(column[known], scores)
            self.scores_[known, k] = scores
            for kept, part in (
                (self.values_, values),
                (self.starts_, starts),
                (self.ends_, ends),
                (self.middles_, middles),
            ):
                kept.append(part)
        self._check_limits()
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """Scores of values; between those fitted by interpolation, beyond them by the tails.

        Parameters
        ----------
        X : array of shape (n_samples, n_columns)

        Returns
        -------
        scores : array of shape (n_samples, n_columns)
            NaN where a value is missing.
        """
        check_is_fitted(self)
        table = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return self._by_column(table, self._score)

    def inverse_transform(self, X: ArrayLike) -> Floats:
        """Values of scores.

        Parameters
        ----------
        X : array of shape (n_samples, n_columns)
            Scores.

        Returns
        -------
        values : array of shape (n_samples, n_columns)
            NaN where a score is missing.

        Raises
        ------
        ValueError
            If the number of columns is another.
        """
        check_is_fitted(self)
        scores = np.asarray(X, dtype=float)
        if scores.ndim != 2 or scores.shape[1] != self.n_features_in_:
            raise ValueError(
                f"Scores must have {self.n_features_in_} columns, got shape {scores.shape}. Pass"
                " those of the fitted table."
            )
        return self._by_column(scores, self._value)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @staticmethod
    def _by_column(table: Floats, change: Callable[[int, Floats], Floats]) -> Floats:
        out = np.full(table.shape, np.nan)
        for k, column in enumerate(table.T):
            known = ~np.isnan(column)
            out[known, k] = change(k, column[known])
        return out

    def _score(self, k: int, column: Floats) -> Floats:
        values, middles = self.values_[k], self.middles_[k]
        scores = np.interp(column, values, middles)
        (lower, upper), (first, last) = self._limits(k), ndtr(middles[[0, -1]])
        below, above = column < values[0], column > values[-1]
        if lower < values[0]:
            share = np.maximum(column[below] - lower, 0.0) / (values[0] - lower)
            scores[below] = ndtri(np.maximum(first * share**self.lower_power, _LEAST))
        if upper > values[-1]:
            share = np.maximum(upper - column[above], 0.0) / (upper - values[-1])
            scores[above] = -ndtri(np.maximum((1 - last) * share**self.upper_power, _LEAST))
        return scores

    def _value(self, k: int, column: Floats) -> Floats:
        values, middles = self.values_[k], self.middles_[k]
        spread = np.stack([self.starts_[k], self.ends_[k]], axis=1).ravel()
        # equal values hold a stretch of scores: interpolation is flat there
        out = np.interp(column, spread, np.repeat(values, 2))
        (lower, upper), (first, last) = self._limits(k), ndtr(middles[[0, -1]])
        below, above = column < self.starts_[k][0], column > self.ends_[k][-1]
        if lower < values[0]:
            share = np.minimum(ndtr(column[below]) / first, 1.0)
            out[below] = lower + (values[0] - lower) * share ** (1 / self.lower_power)
        if upper > values[-1]:
            share = np.minimum(ndtr(-column[above]) / (1 - last), 1.0)
            out[above] = upper - (upper - values[-1]) * share ** (1 / self.upper_power)
        return out

    def _limits(self, k: int) -> tuple[float, float]:
        """Return the limits of a column; the data's own where none was given."""
        lower = self.values_[k][0] if self.lower is None else self.lower
        upper = self.values_[k][-1] if self.upper is None else self.upper
        at = [
            np.broadcast_to(np.asarray(each, dtype=float), self.n_features_in_)[k]
            for each in (lower, upper)
        ]
        return float(at[0]), float(at[1])

    def _check_limits(self) -> None:
        if not (self.lower_power > 0 and self.upper_power > 0):
            raise ValueError(
                f"Powers of the tails must be positive, got {self.lower_power} and"
                f" {self.upper_power}. 1 is uniform."
            )
        for k, values in enumerate(self.values_):
            lower, upper = self._limits(k)
            if not lower <= values[0] <= values[-1] <= upper:
                raise ValueError(
                    f"Limits of column {k} must lie outside of its data, {values[0]:g} to"
                    f" {values[-1]:g}, got {lower:g} and {upper:g}. Widen them."
                )


def _check_weights(weights: ArrayLike | None, n: int) -> Floats:
    if weights is None:
        return np.ones(n)
    given = np.asarray(weights, dtype=float)
    if given.shape != (n,) or not np.isfinite(given).all() or (given < 0).any():
        raise ValueError(
            f"sample_weight must be {n} numbers of zero or more, got shape {given.shape}. Pass the"
            " weights of a declustering."
        )
    return given


def _spread_scores(values: Floats, weights: Floats, rng: np.random.Generator) -> Floats:
    """Return scores of the middle of each sample's share, equal values in random order."""
    order = np.lexsort((rng.random(len(values)), values))
    ends = np.cumsum(weights[order])
    scores = np.empty(len(values))
    scores[order] = ndtri((ends - weights[order] / 2) / ends[-1])
    return scores


def _distinct(values: Floats, scores: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return distinct values with the least, greatest and middle score of each."""
    order = np.argsort(scores, kind="stable")
    distinct, first = np.unique(values[order], return_index=True)
    last = np.append(first[1:], len(values)) - 1
    starts, ends = scores[order][first], scores[order][last]
    return distinct, starts, ends, (starts + ends) / 2
