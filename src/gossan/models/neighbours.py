"""Nearest deposits instead of nearest analyses: a neighbour vote in which each deposit counts once.

Concentrations of shape (n, elements), class names and deposits go in; class probabilities come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from gossan import saving
from gossan.models._rows import check_above_zero, read_rows, read_training

__all__ = ["GroupNeighbours"]

NEIGHBOURHOOD = 4  # the kernel is as wide as the distance to the fourth nearest deposit
MOST_DISTANCES = 2**22  # held at once: 32 MiB


class GroupNeighbours(ClassifierMixin, BaseEstimator):
    """Vote of the deposits most like an analysis.

    The distance of an analysis to a deposit is the mean squared distance, in standardised log10, to
    its nearest analyses there, so that a deposit with a thousand analyses weighs no more than one
    with ten. Use it beside parametric models: it follows classes of any shape, and its nearest
    deposits can be named. Not for tables whose features are mostly noise.

    Parameters
    ----------
    n_nearest : int
        Analyses of a deposit that are compared; fewer where it has fewer. Three steady the nearest
        one, and still find the zone of a deposit that is like the analysis.
    bandwidth : float
        Width of the kernel exp(-D / (bandwidth h)), h the fourth smallest D of the analysis.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        Class names, sorted.
    names_ : list of str
        Names of the features.
    rows_ : float32 array of shape (n, n_features)
        Standardised log10 of the training rows, deposit by deposit.
    sizes_ : array of shape (n_units,)
        Analyses of each deposit; one of two classes counts as two.
    unit_codes_ : array of shape (n_units,)
        Class number of each deposit.

    Examples
    --------
    >>> X = [[1.0, 9.0], [2.0, 8.0], [1.5, 5.0], [9.0, 1.0], [8.0, 2.0], [5.0, 1.5]]
    >>> y = ["MVT"] * 3 + ["VMS"] * 3
    >>> model = GroupNeighbours().fit(X, y, groups=["a", "a", "b", "c", "c", "d"])
    >>> model.predict([[2.0, 7.0], [7.0, 2.0]]).tolist()
    ['MVT', 'VMS']
    """

    def __init__(self, *, n_nearest: int = 3, bandwidth: float = 0.5) -> None:
        self.n_nearest = n_nearest
        self.bandwidth = bandwidth

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> GroupNeighbours:
        """Keep the training rows, standardised.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Concentrations [any one unit a column], positive.
        y : array of shape (n,)
            Class names.
        groups : array of shape (n,), optional
            Deposit of each row. None: each row is a deposit of its own.

        Returns
        -------
        self : GroupNeighbours

        Raises
        ------
        ValueError
            If a value is missing, infinite or not positive, there is one class only, or a setting
            is out of its range.
        """
        self._check_settings()
        rows = read_training(self, X, y, groups)
        self.center_ = rows.values.mean(axis=0)
        spread = rows.values.std(axis=0)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        # Deposits of equal size stand together, so that they are compared in one array.
        sizes = np.bincount(rows.units)
        order = np.argsort(sizes, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        by_unit = np.argsort(rank[rows.units], kind="stable")
        scaled = (rows.values[by_unit] - self.center_) / self.scale_
        self.rows_ = scaled.astype(np.float32)
        self.sizes_, self.unit_codes_ = sizes[order], rows.unit_codes[order]
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities of each analysis, shape (n, n_classes)."""
        check_is_fitted(self, "rows_")
        values = (read_rows(self, X) - self.center_) / self.scale_
        trained = self.rows_.astype(np.float64)
        probabilities = np.empty((len(values), len(self.classes_)))
        step = max(1, MOST_DISTANCES // len(trained))
        for start in range(0, len(values), step):
            some = slice(start, start + step)
            probabilities[some] = self._votes(self._distances(values[some], trained))
        return probabilities

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable class of each row, shape (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "rows_")
        names = ("center_", "scale_", "rows_", "sizes_", "unit_codes_")
        return saving.settings_of(self), {name: getattr(self, name) for name in names}

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> GroupNeighbours:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = saving.blank(cls, settings)
        cls._check_settings(model)
        d = model.n_features_in_
        model.center_ = saving.take(arrays, "center_", (d,))
        model.scale_ = saving.take(arrays, "scale_", (d,))
        model.rows_ = saving.take(arrays, "rows_", (None, d), np.float32)
        model.sizes_ = saving.take(arrays, "sizes_", (None,), np.int64)
        model.unit_codes_ = saving.take(arrays, "unit_codes_", model.sizes_.shape, np.int64)
        sizes, codes, n = model.sizes_, model.unit_codes_, len(model.rows_)
        sound = (
            bool((model.scale_ > 0).all())
            and n > 0
            and bool(((sizes > 0) & (sizes <= n)).all())
            and len(sizes) <= n
            and int(sizes.sum()) == n
            and bool((np.diff(sizes) >= 0).all())
            and set(codes.tolist()) == set(range(len(model.classes_)))
        )
        if not sound:
            raise ValueError(
                f"The saved deposits do not fit their {n} rows or the classes. Save the model anew."
            )
        return model

    def _check_settings(self) -> None:
        if isinstance(self.n_nearest, bool) or int(self.n_nearest) != self.n_nearest:
            raise ValueError(f"n_nearest must be a whole number, got {self.n_nearest!r}. Pass 3.")
        check_above_zero("n_nearest", self.n_nearest)
        check_above_zero("bandwidth", self.bandwidth)

    def _distances(
        self, values: NDArray[np.float64], trained: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the distance of each row to each deposit, shape (m, n_units)."""
        # |v - t|^2 = |v|^2 + (|t|^2 - 2 v.t): what is in brackets ranks the rows of a deposit.
        lengths = np.einsum("ij,ij->i", trained, trained)
        ranks = np.column_stack([values, np.ones(len(values))]) @ np.vstack(
            [-2.0 * trained.T, lengths]
        )  # (m, n)
        distances, start = [], 0
        for size, count in zip(*np.unique(self.sizes_, return_counts=True), strict=True):
            block = ranks[:, start : start + size * count].reshape(len(values), count, size)
            nearest = min(int(self.n_nearest), int(size))
            if nearest < size:
                block = np.partition(block, nearest - 1, axis=2)[:, :, :nearest]
            distances.append(block.mean(axis=2))
            start += size * count
        own = np.einsum("ij,ij->i", values, values)[:, None]
        return np.maximum(np.hstack(distances) + own, 0.0)

    def _votes(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return class probabilities from distances to deposits, shape (m, n_classes)."""
        place = min(NEIGHBOURHOOD, distances.shape[1]) - 1
        width = np.partition(distances, place, axis=1)[:, place, None] * self.bandwidth
        nearest = distances.min(axis=1, keepdims=True)
        kernel = np.exp(-(distances - nearest) / np.maximum(width, np.finfo(float).tiny))
        n_units = np.bincount(self.unit_codes_, minlength=len(self.classes_))
        member = np.eye(len(self.classes_))[self.unit_codes_] / np.sqrt(n_units)
        scores = kernel @ member  # (m, n_classes)
        return scores / scores.sum(axis=1, keepdims=True)
