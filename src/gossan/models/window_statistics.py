"""Any tabular model on statistics of the window about a cell, for windows and whole maps alike.

Windows of layers and labels come in; probabilities of windows and of whole maps go out. The
statistics are sums and extremes over shifted maps, so that a map costs little more than a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from gossan import saving
from gossan._checks import check_option
from gossan.models._map_estimator import Array, Floats, MapEstimator
from gossan.models._parts import fit_each, fit_one, logit_of, members_of, spread_of
from gossan.models.logistic import PointLogistic

__all__ = ["WindowStatistics"]

STATISTICS = ("centre", "mean", "std", "max", "min", "ring")
USUAL = ("centre", "mean", "std", "max", "ring")
BLOCK = 4096  # windows whose statistics are taken at once


class WindowStatistics(MapEstimator):
    """A model of tables that reads, of each channel, statistics of the window about a cell.

    Use it where ore shows in the surroundings of a cell and occurrences are too few for a network.
    Where haloes are smaller than a cell, statistics blur them: compare fields, and the cell alone.

    Parameters
    ----------
    estimator : classifier or None
        A model of tables (n, features): `PointLogistic`, `Forest`, `BackgroundEnsemble` of these,
        or `BoostedTrees` with transform="none". It is cloned. None: a `PointLogistic`.
    field : int
        Cells along a side of the window, odd. Larger windows are used by their middle.
    statistics : sequence of {"centre", "mean", "std", "max", "min", "ring"}
        What is taken of each channel; "ring" is the mean of the outermost cells, at a field of 1
        the cell.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Class names, sorted; the second is the ore.
    names_ : list of str
        Names of the channels.
    field_ : int
        Cells along a side that it reads.
    background_ : array of shape (channels,)
        Median of each channel over the background rows.
    estimator_ : classifier
        The fitted clone; its columns are those of one statistic after the other.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 1, 3, 3))
    >>> X[:50] *= 3.0  # ore is unrest, not a high value
    >>> y = [1] * 50 + [0] * 50
    >>> bool((WindowStatistics(field=3).fit(X, y).predict(X) == y).mean() > 0.95)
    True
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        field: int = 5,
        statistics: Sequence[str] = USUAL,
    ) -> None:
        self.estimator = estimator
        self.field = field
        self.statistics = statistics

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> WindowStatistics:
        """Fit the model on the statistics of all windows.

        Parameters
        ----------
        X : array of shape (n, channels, size, size)
            Windows about n cells, size odd, at least `field`.
        y : array of shape (n,)
            Two classes; 1 for known occurrences and 0 for background.
        sample_weight : array of shape (n,), optional
            Weight of each row, for an estimator that takes it.
        groups : array of shape (n,), optional
            Deposit or block of each row, for an estimator that takes it.

        Returns
        -------
        self : WindowStatistics

        Raises
        ------
        ValueError
            If a value is missing or infinite, the windows are smaller than the field, there are not
            two classes, or a setting is wrong.
        """
        _, rows, labels, given = self._training(X, y, sample_weight, groups)
        self.estimator_ = fit_one(self._made(), rows, labels, **given)
        return self

    def fit_many(
        self,
        X: ArrayLike,
        y: ArrayLike,
        members: Sequence[tuple[NDArray[np.intp], int]],
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> list[WindowStatistics]:
        """Fit on many subsets of the windows, whose statistics are taken once.

        Parameters
        ----------
        X, y, groups, sample_weight
            As in `fit`.
        members : sequence of (train, seed)
            Row numbers of each training set, and its seed.

        Returns
        -------
        fitted : list of WindowStatistics
            One for each of `members`, the same as one fitted alone on its rows.
        """
        cells, rows, labels, given = self._training(X, y, sample_weight, groups)
        centres = cells[:, self.field_ // 2, self.field_ // 2]
        fitted = []
        for inner, (train, _) in zip(
            fit_each(self._made(), rows, labels, members, **given), members, strict=True
        ):
            model = clone(self)
            for key in ("names_", "n_features_in_", "feature_names_in_", "field_"):
                if hasattr(self, key):
                    setattr(model, key, getattr(self, key))
            is_ore = labels[train] == inner.classes_[1]
            model.classes_, model.estimator_ = inner.classes_, inner
            model.background_ = np.median(centres[train][~is_ore], axis=0).astype(np.float64)
            fitted.append(model)
        return fitted

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: the settings, and the parts of the inner model."""
        settings = self._settings(without=("estimator",))
        told, arrays = saving.pack(self.estimator_, "inner", inside="WindowStatistics")
        return settings | told, arrays | {"background_": self.background_}

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> WindowStatistics:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        inner = saving.unpack(settings, arrays, "inner", inside="WindowStatistics")
        model = cls._revived(settings, arrays, estimator=clone(inner))
        n_columns = len(check_statistics(model.statistics)) * model.n_features_in_
        same = inner.classes_.tolist() == model.classes_.tolist()
        if model.field_ != model.field or inner.n_features_in_ != n_columns or not same:
            raise ValueError("the inner model does not fit the channels, classes or statistics")
        model.estimator_ = inner
        return model

    def _training(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, groups: ArrayLike | None
    ) -> tuple[Array, Array, NDArray, dict[str, NDArray | None]]:
        """Return cells, statistics, labels, and weights and groups of the training windows."""
        check_statistics(self.statistics)
        windows = self._read(X, y, sample_weight)
        rows = self._features(windows.cells)[:, 0, 0]
        given = {
            "sample_weight": None if sample_weight is None else windows.weight,
            "groups": None if groups is None else np.asarray(groups),
        }
        return windows.cells, rows, self.classes_[windows.codes], given

    def _made(self) -> Any:
        return PointLogistic() if self.estimator is None else clone(self.estimator)

    def _wanted_field(self, size: int) -> int:
        return check_field(self.field, size)

    def _features(self, cells: Array) -> NDArray:
        return statistics_of(cells, self.field_, self.statistics)

    def _without_each(self, rows: NDArray) -> Iterator[NDArray]:
        return without_each(rows, self.background_, self.statistics)

    def _say(self, rows: NDArray) -> Floats:
        return spread_of(self.estimator_, rows)

    def _members(self, rows: NDArray) -> Floats:
        return members_of(self.estimator_, rows)

    def _logit(self, rows: NDArray) -> Floats:
        return logit_of(self.estimator_, rows)


def without_each(rows: NDArray, background: Floats, statistics: Sequence[str]) -> Iterator[NDArray]:
    """Yield rows of statistics with one channel after the other at its background everywhere."""
    c = len(background)
    less = rows.copy()
    for i, level in enumerate(background):
        for k, word in enumerate(statistics):
            less[:, k * c + i] = 0.0 if word == "std" else level
        yield less
        less[:, i::c] = rows[:, i::c]


def statistics_of(cells: NDArray, field: int, statistics: Sequence[str]) -> Array:
    """Return statistics of each channel over the field, one statistic after the other.

    Parameters
    ----------
    cells : array of shape (n, y, x, channels)
        Windows, or a map as one large window.
    field : int
        Cells along a side, odd.
    statistics : sequence of str
        See `WindowStatistics`.

    Returns
    -------
    rows : float32 array of shape (n, y - field + 1, x - field + 1, statistics x channels)
    """
    if len(cells) > BLOCK:
        blocks = (cells[i : i + BLOCK] for i in range(0, len(cells), BLOCK))
        return np.concatenate([statistics_of(each, field, statistics) for each in blocks])
    rim = field // 2
    _, ny, nx, _ = cells.shape
    values = cells.astype(np.float64)
    centre = values[:, rim : ny - rim, rim : nx - rim]
    total = _over(values, field, np.add) if field > 1 else centre
    mean = total / field**2

    def of(word: str) -> NDArray:
        if word == "centre":
            return centre
        if word == "mean":
            return mean
        if word == "std":
            squares = _over(values**2, field, np.add) / field**2 if field > 1 else centre**2
            return np.sqrt(np.maximum(squares - mean**2, 0.0))
        if word == "ring":
            if field == 1:
                return centre
            within = _over(values[:, 1 : ny - 1, 1 : nx - 1], field - 2, np.add)
            return (total - within) / (4 * field - 4)
        return _over(values, field, np.maximum if word == "max" else np.minimum)

    return np.concatenate([of(word).astype(np.float32) for word in statistics], axis=3)


def _over(values: NDArray, field: int, combine: Callable[..., NDArray]) -> NDArray:
    """Return sums or extremes over square fields, along one axis and then the other.

    The order of the terms is the same wherever a window lies: a map gives the numbers of its
    windows to the last bit.
    """
    for axis in (1, 2):
        n = values.shape[axis] - field + 1
        shifted = (values[(slice(None),) * axis + (slice(i, i + n),)] for i in range(field))
        values = reduce(combine, shifted)
    return values


def check_field(field: int, size: int) -> int:
    """Return a field that windows of this size hold, or raise."""
    if type(field) is not int or field < 1 or field % 2 == 0 or field > size:
        raise ValueError(
            f"field must be an odd number of cells that the windows hold, got {field!r} and windows"
            f" of size {size}. Take 1, 3, 5, 7 or 9, or cut larger windows."
        )
    return field


def check_statistics(statistics: Sequence[str]) -> Sequence[str]:
    """Return the statistics, or raise where one is unknown or stands twice."""
    for word in statistics:
        check_option("statistics", word, STATISTICS)
    if not statistics or len(set(statistics)) < len(statistics):
        raise ValueError(
            f"statistics must be different words, at least one, got {list(statistics)}. The usual"
            f" ones are {', '.join(USUAL)}."
        )
    return statistics
