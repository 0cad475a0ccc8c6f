"""Scores that need no known occurrence: an index of pathfinders, and how unusual a cell is.

Windows or tables of layers come in, best as robust z-scores; ranks of windows and of whole maps go
out. They are what every trained model must beat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import IsolationForest

from gossan import saving
from gossan.models._map_estimator import Floats, MapEstimator
from gossan.models._trees import Trees, take_trees, trees_of

__all__ = ["IsolationIndex", "MahalanobisIndex", "PathfinderIndex"]

RARE = 0.9  # share of the background whose score is below the logit 0
N_REWEIGHTED = 3  # rounds in which far rows are left out of mean and covariance
KEPT = 0.9  # share of the rows that stay
EULER = 0.5772156649015329


class PathfinderIndex(MapEstimator):
    """Mean of the pathfinder channels, each with its sign; it learns nothing.

    Use it beside every trained model: on coarse maps it is often as good. The layers are z-scores,
    so that each channel has the same say. One channel makes it a single-element map. The probability
    is the logistic of the index: a rank that grows with it, no more.

    Parameters
    ----------
    positive, negative : sequence of int or str
        Channels that ore raises and lowers, by number from 0 or, with `names`, by name. `positive`
        None: all channels that are not in `negative`.
    names : sequence of str or None
        Names of the channels, in their order. None: those of a table, or x0, x1 and so on.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The two labels, or 0 and 1 without labels.
    names_ : list of str
        Names of the channels of the layers.
    field_ : int
        Cells along a side that it reads: 1. Larger windows are used by their middle.
    background_ : array of shape (channels,)
        Median of each channel over the background rows, for `occlusion`.
    weights_ : array of shape (channels,)
        Of each channel: plus or minus one over the number of pathfinders, else zero.

    Examples
    --------
    >>> index = PathfinderIndex(["As", "Sb"], ["K"], names=["As", "Sb", "K", "Zr"])
    >>> index = index.fit([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
    >>> index.decision_function([[2.0, 1.5, -1.0, 9.0]])
    array([1.5])
    """

    def __init__(
        self,
        positive: Sequence[int | str] | None = None,
        negative: Sequence[int | str] = (),
        *,
        names: Sequence[str] | None = None,
    ) -> None:
        self.positive = positive
        self.negative = negative
        self.names = names

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> PathfinderIndex:
        """Look the channels up; labels tell the names of the classes alone.

        Parameters
        ----------
        X : array of shape (n, channels, size, size) or (n, channels)
            Windows about n cells; the cell in the middle is used.
        y : array of shape (n,), optional
            Two classes. The index is the same without them.
        sample_weight : array of shape (n,), optional
            Checked, and of no use here.

        Returns
        -------
        self : PathfinderIndex

        Raises
        ------
        ValueError
            If a value is missing or infinite, or a channel is not there or stands twice.
        """
        self._read(X, y, sample_weight)
        self.weights_ = self._signs() / np.count_nonzero(self._signs())
        return self

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        return self._settings(), {"background_": self.background_, "weights_": self.weights_}

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> PathfinderIndex:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = cls._revived(settings, arrays)
        model.weights_ = saving.take(arrays, "weights_", (model.n_features_in_,))
        if model.field_ != 1:
            raise ValueError(f"the field must be 1, got {model.field_}")
        return model

    def _signs(self) -> Floats:
        """Return +1, -1 or 0 for each channel."""
        names = self.names_ if self.names is None else [str(name) for name in self.names]
        if len(names) != self.n_features_in_:
            raise ValueError(
                f"names has {len(names)} names for {self.n_features_in_} channels (features). Give"
                " one for each layer, in their order."
            )
        lowered = [_place(channel, names) for channel in self.negative]
        raised = [i for i in range(len(names)) if i not in lowered]
        if self.positive is not None:
            raised = [_place(channel, names) for channel in self.positive]
        chosen = raised + lowered
        if not chosen or len(set(chosen)) < len(chosen):
            raise ValueError(
                "Each pathfinder must stand once in positive or negative, and there must be one,"
                f" got {self.positive} and {self.negative}. Name each channel once."
            )
        signs = np.zeros(len(names))
        signs[raised], signs[lowered] = 1.0, -1.0
        return signs

    def _say(self, rows: NDArray) -> Floats:
        ore = expit(self._logit(rows))
        return np.stack([ore, np.zeros_like(ore)])

    def _logit(self, rows: NDArray) -> Floats:
        return rows.astype(np.float64) @ self.weights_


class _Unusual(MapEstimator):
    """A score of how unusual a cell is, as a logit: 0 where a tenth of the background is above it.

    Parameters are those of the heirs, which tell the raw score of rows (`_raw`).
    """

    level_: float
    spread_: float

    def _set_level(self, rows: NDArray) -> None:
        raw = self._raw(rows)
        self.level_ = float(np.quantile(raw, RARE))
        self.spread_ = float(raw.std()) or 1.0

    def _raw(self, rows: NDArray) -> Floats:
        raise NotImplementedError

    def _logit(self, rows: NDArray) -> Floats:
        return (self._raw(rows) - self.level_) / self.spread_

    def _say(self, rows: NDArray) -> Floats:
        ore = expit(self._logit(rows))
        return np.stack([ore, np.zeros_like(ore)])

    def _scale_arrays(self) -> dict[str, NDArray]:
        return {
            "background_": self.background_,
            "level_spread_": np.array([self.level_, self.spread_]),
        }

    def _take_scale(self, arrays: dict[str, NDArray]) -> None:
        self.level_, self.spread_ = map(float, saving.take(arrays, "level_spread_", (2,)))
        if not self.spread_ > 0 or self.field_ != 1:
            raise ValueError("a spread is not above zero, or the field is not 1")


class MahalanobisIndex(_Unusual):
    """Distance of a cell from the background, in all channels at once.

    Use it where ore is unusual and nobody knows in which elements. Rare rocks are unusual too. Mean
    and covariance are those of the nine tenths of the rows that are nearest, found in three rounds
    [RousseeuwVanDriessen1999]_; the covariance is shrunk [LedoitWolf2004]_, so that it can be
    inverted with more channels than rows. The probability is a rank: the logistic of the log of the
    distance.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The two labels, or 0 and 1 without labels.
    names_ : list of str
        Names of the channels.
    field_ : int
        Cells along a side that it reads: 1. Larger windows are used by their middle.
    background_ : array of shape (channels,)
        Median of each channel over the background rows, for `occlusion`.
    location_ : array of shape (channels,)
        Mean of the background.
    precision_ : array of shape (channels, channels)
        Inverse of the covariance of the background.
    level_, spread_ : float
        Log of the distance at which the logit is 0, which a tenth of the background exceeds, and
        its standard deviation.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.multivariate_normal([0, 0], [[1.0, 0.9], [0.9, 1.0]], 500)
    >>> model = MahalanobisIndex().fit(X)
    >>> far, near = model.decision_function([[1.5, -1.5], [1.5, 1.5]])
    >>> bool(far > near)
    True
    """

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> MahalanobisIndex:
        """Find the mean and covariance of the background.

        Parameters
        ----------
        X : array of shape (n, channels, size, size) or (n, channels)
            Windows about n cells; the cell in the middle is used.
        y : array of shape (n,), optional
            Two classes: rows of the second are left out, all that is learned from labels. None: all
            rows are background.
        sample_weight : array of shape (n,), optional
            Checked, and of no use here.

        Returns
        -------
        self : MahalanobisIndex

        Raises
        ------
        ValueError
            If a value is missing or infinite, or y holds other than two classes.
        """
        windows = self._read(X, y, sample_weight)
        rows = windows.cells[windows.codes == 0, 0, 0].astype(np.float64)
        kept = rows
        for _ in range(N_REWEIGHTED + 1):
            scale = np.where(np.ptp(kept, axis=0) > 0, kept.std(axis=0), 1.0)
            shrunk = LedoitWolf().fit(kept / scale)  # scaled: shrinkage is towards equal variances
            self.location_ = kept.mean(axis=0)
            self.precision_ = shrunk.precision_ / np.outer(scale, scale)
            far = self._raw(rows)
            kept = rows[far <= np.quantile(far, KEPT)]
        self._set_level(rows)
        return self

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        arrays = {"location_": self.location_, "precision_": self.precision_}
        return self._settings(), self._scale_arrays() | arrays

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> MahalanobisIndex:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = cls._revived(settings, arrays)
        model._take_scale(arrays)  # noqa: SLF001 - its own
        c = model.n_features_in_
        model.location_ = saving.take(arrays, "location_", (c,))
        model.precision_ = saving.take(arrays, "precision_", (c, c))
        return model

    def _raw(self, rows: NDArray) -> Floats:
        away = rows.astype(np.float64) - self.location_
        squared = np.einsum("ij,ij->i", away @ self.precision_, away)
        return 0.5 * np.log(np.maximum(squared, 1e-12))


class IsolationIndex(_Unusual):
    """How few random cuts set a cell apart from the background: an isolation forest [Liu2008]_.

    Use it where the background has several rocks, which one mean and covariance do not tell. The
    probability is a rank: the logistic of the anomaly score.

    Parameters
    ----------
    n_estimators : int
        Trees.
    max_samples : int
        Rows that a tree is grown on; fewer blur less rare rocks.
    random_state : int or None
        Seed of the trees.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The two labels, or 0 and 1 without labels.
    names_ : list of str
        Names of the channels.
    field_ : int
        Cells along a side that it reads: 1. Larger windows are used by their middle.
    background_ : array of shape (channels,)
        Median of each channel over the background rows, for `occlusion`.
    trees_ : Trees
        Feature, threshold, left, right and path length of each node, of shape (n_trees, n_nodes).
    usual_ : float
        Mean path length among the rows of a tree.
    level_, spread_ : float
        Score at which the logit is 0, which a tenth of the background exceeds, and its standard
        deviation.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> model = IsolationIndex(random_state=0).fit(X)
    >>> far, near = model.decision_function([[5.0, -5.0], [0.0, 0.0]])
    >>> bool(far > 0 > near)
    True
    """

    def __init__(
        self,
        n_estimators: int = 300,
        *,
        max_samples: int = 256,
        random_state: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> IsolationIndex:
        """Grow the trees on the background.

        Parameters
        ----------
        X : array of shape (n, channels, size, size) or (n, channels)
            Windows about n cells; the cell in the middle is used.
        y : array of shape (n,), optional
            Two classes: rows of the second are left out, all that is learned from labels. None: all
            rows are background.
        sample_weight : array of shape (n,), optional
            Checked, and of no use here.

        Returns
        -------
        self : IsolationIndex

        Raises
        ------
        ValueError
            If a value is missing or infinite, or y holds other than two classes.
        """
        windows = self._read(X, y, sample_weight)
        rows = windows.cells[windows.codes == 0, 0, 0]
        seed = int(np.random.default_rng(self.random_state).integers(2**31))
        n_rows = min(self.max_samples, len(rows))
        grower = IsolationForest(
            n_estimators=self.n_estimators, max_samples=n_rows, random_state=seed
        )
        grown = [each.tree_ for each in grower.fit(rows).estimators_]
        self.trees_ = trees_of(grown, [_path_lengths(tree) for tree in grown])
        self.usual_ = float(_usual_path(np.array([n_rows]))[0]) or 1.0
        self._set_level(rows)
        return self

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        arrays = self.trees_.to_arrays() | {"usual_": np.array([self.usual_])}
        return self._settings(), self._scale_arrays() | arrays

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> IsolationIndex:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = cls._revived(settings, arrays)
        model._take_scale(arrays)  # noqa: SLF001 - its own
        model.trees_ = take_trees(arrays, model.n_features_in_)
        model.usual_ = float(saving.take(arrays, "usual_", (1,))[0])
        if not model.usual_ > 0:
            raise ValueError("the usual path is not above zero")
        return model

    trees_: Trees

    def _raw(self, rows: NDArray) -> Floats:
        return np.exp2(-self.trees_.summary(rows)[0] / self.usual_)


def _place(channel: int | str, names: Sequence[str]) -> int:
    """Return the number of a channel given by number or name."""
    if isinstance(channel, str) and channel in names:
        return list(names).index(channel)
    is_number = isinstance(channel, int | np.integer) and not isinstance(channel, bool)
    if is_number and 0 <= int(channel) < len(names):
        return int(channel)
    raise ValueError(
        f"There is no channel {channel!r} among {', '.join(names)} (0 to {len(names) - 1}). Take"
        " one of these, or pass names."
    )


def _path_lengths(tree: Any) -> Floats:
    """Return the length of the path to each node of a tree, with that below a leaf as it would be."""
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):  # children come after their parents
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1.0
    is_leaf = tree.children_left < 0
    return depth + np.where(is_leaf, _usual_path(tree.n_node_samples), 0.0)


def _usual_path(n: NDArray) -> Floats:
    """Return the mean path of an unsuccessful search among n rows: Eq. 1 of Liu et al. (2008)."""
    counts = np.asarray(n, dtype=float)
    harmonic = np.log(np.maximum(counts - 1.0, 1.0)) + EULER
    long = 2.0 * harmonic - 2.0 * (counts - 1.0) / np.maximum(counts, 1.0)
    return np.where(counts > 2, long, np.where(counts == 2, 1.0, 0.0))
