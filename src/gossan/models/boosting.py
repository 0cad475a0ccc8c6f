"""Boosted trees that give every deposit the same say, and that can be saved without a pickle.

Concentrations of shape (n, elements), class names and deposits go in; class probabilities come out.
Scikit-learn grows the trees; they are kept and walked as plain arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from gossan import saving
from gossan._checks import check_option
from gossan._weights import WEIGHTS, row_weights
from gossan.models._rows import TRANSFORMS, read_rows, read_training

__all__ = ["BoostedTrees"]

MOST_NODES = 509  # of 255 leaves
MOST_STEPS = 2**17  # rows times trees that are walked at once: they stay in the cache


class BoostedTrees(ClassifierMixin, BaseEstimator):
    """Gradient-boosted trees on log10 concentrations, weighted by class and deposit.

    Use them as the strong baseline of any table: they need no scaling and find thresholds and
    interactions. They extrapolate nothing: far from the training data they answer as at its edge.

    Parameters
    ----------
    max_iter : int
        Rounds of boosting; each adds a tree a class.
    learning_rate : float
        Share of each tree that is added.
    max_leaf_nodes : int
        Leaves of a tree, at most 255. Small trees, because deposits are few.
    min_samples_leaf : int
        Analyses that a leaf must hold.
    l2_regularization : float
        Shrinkage of the leaf values.
    max_features : float
        Share of the features tried at each split, in (0, 1].
    max_bins : int
        Bins of a feature, at most 255.
    weights : {"class_group", "group", "class", "none"}
        Weights of the rows; "class_group" gives each class, and each deposit in it, the same say.
    transform : {"log10", "none"}
        "log10" of concentrations, all positive; "none" for other numbers, such as z-scores or the
        statistics of a window.
    random_state : int or None
        Seed of the features tried.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        Class names, sorted.
    names_ : list of str
        Names of the features.
    feature_, threshold_, left_, right_, value_ : arrays of shape (n_trees, n_nodes)
        The trees: a row goes left where its log10 (or itself, see `transform`) is at most the
        threshold; a leaf is its own left and right. Trees stand round by round, one a class (one a
        round for two classes).
    baseline_ : array of shape (n_trees_a_round,)
        Raw score before the first tree.
    depth_ : int
        Steps to the deepest leaf.

    References
    ----------
    Friedman (2001), doi:10.1214/aos/1013203451; Ke et al. (2017), LightGBM, NeurIPS 30.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.exp(np.vstack([rng.normal(0, 1, (40, 2)), rng.normal(2, 1, (40, 2))]))
    >>> model = BoostedTrees(max_iter=20, random_state=0).fit(X, ["MVT"] * 40 + ["VMS"] * 40)
    >>> model.predict([[0.4, 0.5], [12.0, 9.0]]).tolist()
    ['MVT', 'VMS']
    """

    def __init__(
        self,
        *,
        max_iter: int = 120,
        learning_rate: float = 0.06,
        max_leaf_nodes: int = 12,
        min_samples_leaf: int = 8,
        l2_regularization: float = 5.0,
        max_features: float = 0.5,
        max_bins: int = 63,
        weights: str = "class_group",
        transform: str = "log10",
        random_state: int | None = None,
    ) -> None:
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.max_bins = max_bins
        self.weights = weights
        self.transform = transform
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> BoostedTrees:
        """Grow the trees.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Concentrations [any one unit a column], positive; with transform="none" any numbers.
        y : array of shape (n,)
            Class names.
        groups : array of shape (n,), optional
            Deposit of each row, for the weights.

        Returns
        -------
        self : BoostedTrees

        Raises
        ------
        ValueError
            If a value is missing, infinite or not positive, there is one class only, or a setting
            is out of its range.
        """
        check_option("weights", self.weights, WEIGHTS)
        check_option("transform", self.transform, TRANSFORMS)
        rows = read_training(self, X, y, groups, transform=self.transform)
        deposits = None if groups is None else rows.groups
        weights = row_weights(rows.labels, deposits, weights=self.weights)
        self._keep(self._grow(rows.values, rows.codes, weights))
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return class probabilities of each analysis, shape (n, n_classes)."""
        check_is_fitted(self, "value_")
        values = read_rows(self, X, transform=self.transform)
        raw = np.empty((len(values), len(self.baseline_)))
        step = max(1, MOST_STEPS // len(self.value_))
        for start in range(0, len(values), step):
            some = slice(start, start + step)
            leaves = self._walk(values[some])  # (rows, trees)
            rounds = leaves.reshape(len(leaves), -1, len(self.baseline_))
            raw[some] = self.baseline_ + rounds.sum(axis=1)
        if len(self.baseline_) > 1:
            return softmax(raw, axis=1)
        second = expit(raw[:, 0])
        return np.column_stack([1.0 - second, second])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable class of each row, shape (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "value_")
        names = ("feature_", "threshold_", "left_", "right_", "value_", "baseline_")
        return saving.settings_of(self), {name: getattr(self, name) for name in names}

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> BoostedTrees:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = saving.blank(cls, settings)
        check_option("weights", model.weights, WEIGHTS)
        check_option("transform", model.transform, TRANSFORMS)
        k = len(model.classes_)
        model.baseline_ = saving.take(arrays, "baseline_", (1 if k == 2 else k,))
        model.value_ = saving.take(arrays, "value_", (None, None))
        model.threshold_ = saving.take(arrays, "threshold_", model.value_.shape)
        for name in ("feature_", "left_", "right_"):
            setattr(model, name, saving.take(arrays, name, model.value_.shape, np.int32))
        cls._check_trees(model)
        return model

    def _grow(
        self, values: NDArray[np.float64], codes: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> HistGradientBoostingClassifier:
        settings = self.get_params(deep=False)
        del settings["weights"], settings["transform"]
        settings["random_state"] = int(np.random.default_rng(self.random_state).integers(2**31))
        grower = HistGradientBoostingClassifier(**settings, early_stopping=False)
        with threadpool_limits(1):  # threads cost more than they bring on trees so small
            return grower.fit(values, codes, sample_weight=weights)

    def _keep(self, grown: HistGradientBoostingClassifier) -> None:
        """Copy the trees into padded arrays; scikit-learn has no public way to read them."""
        trees = [tree.nodes for round_ in grown._predictors for tree in round_]  # noqa: SLF001
        self.baseline_ = np.array(grown._baseline_prediction, dtype=float).ravel()  # noqa: SLF001
        shape = (len(trees), max(len(nodes) for nodes in trees))
        self.left_ = np.tile(np.arange(shape[1], dtype=np.int32), (shape[0], 1))
        self.right_, self.feature_ = self.left_.copy(), np.zeros(shape, dtype=np.int32)
        self.threshold_, self.value_ = np.zeros(shape), np.zeros(shape)
        for i, nodes in enumerate(trees):
            at = np.arange(len(nodes))
            is_leaf = nodes["is_leaf"].astype(bool)
            self.value_[i, at] = nodes["value"]
            self.left_[i, at] = np.where(is_leaf, at, nodes["left"])
            self.right_[i, at] = np.where(is_leaf, at, nodes["right"])
            self.feature_[i, at] = np.where(is_leaf, 0, nodes["feature_idx"])
            self.threshold_[i, at] = np.where(is_leaf, 0.0, nodes["num_threshold"])
        self._check_trees()

    def _check_trees(self) -> None:
        """Raise unless every walk stays inside its tree and ends; set the longest one."""
        n_trees, n_nodes = self.value_.shape
        if not n_trees or not 0 < n_nodes <= MOST_NODES or n_trees % len(self.baseline_):
            raise ValueError(
                f"{n_trees} trees of {n_nodes} nodes do not fit {len(self.classes_)} classes and "
                f"the limit of {MOST_NODES} nodes. Save the model anew."
            )
        if ((self.feature_ < 0) | (self.feature_ >= self.n_features_in_)).any():
            raise ValueError(
                f"A tree asks for a feature beyond the {self.n_features_in_} there are. "
                "Save the model anew."
            )
        own = np.arange(n_nodes)
        is_leaf = (self.left_ == own) & (self.right_ == own)
        is_fork = (self.left_ > own) & (self.right_ > own)
        is_inside = (self.left_ < n_nodes) & (self.right_ < n_nodes)
        if not ((is_leaf | is_fork) & is_inside).all():
            raise ValueError(
                "A tree has a node whose child is outside the tree or before it (a walk would not "
                "end). Save the model anew."
            )
        self.depth_ = _longest_walk(self.left_, self.right_)

    def _walk(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the leaf value of each row in each tree, shape (rows, trees)."""
        n_trees, n_nodes = self.value_.shape
        first = np.arange(n_trees) * n_nodes
        children = np.stack([self.left_, self.right_], axis=2) + first[:, None, None]
        children, feature = children.ravel(), self.feature_.ravel()
        threshold = self.threshold_.ravel()
        flat, offset = values.ravel(), (np.arange(len(values)) * values.shape[1])[:, None]
        node = np.tile(first, (len(values), 1))  # (rows, trees)
        for _ in range(self.depth_):
            goes_right = flat.take(offset + feature.take(node)) > threshold.take(node)
            node = children.take(2 * node + goes_right)
        return self.value_.ravel().take(node)


def _longest_walk(left: NDArray[np.int32], right: NDArray[np.int32]) -> int:
    """Return the number of steps from any root to its deepest leaf; children follow parents."""
    depth = np.zeros(left.shape, dtype=np.int64)
    is_reached = np.zeros(left.shape, dtype=bool)
    is_reached[:, 0] = True
    trees = np.arange(len(left))
    for node in range(left.shape[1]):
        forks = trees[is_reached[:, node] & (left[:, node] != node)]
        for child in (left[forks, node], right[forks, node]):
            depth[forks, child] = np.maximum(depth[forks, child], depth[forks, node] + 1)
            is_reached[forks, child] = True
    return int(depth.max())
