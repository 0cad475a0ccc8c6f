"""Forests of decision trees for tens of occurrences among much background, kept as plain arrays.

Windows or tables of layers and labels come in; probabilities of windows and of whole maps, and their
spread over the trees, go out. Scikit-learn grows the trees; compiled code walks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from gossan._checks import check_option
from gossan.models._map_estimator import Floats, MapEstimator
from gossan.models._trees import Trees, take_trees, trees_of

__all__ = ["Forest"]

TREES = {"random": RandomForestClassifier, "extra": ExtraTreesClassifier}


class Forest(MapEstimator):
    """Forest of decision trees on the channels of the cell itself, both classes of equal weight.

    Use it where thresholds and combinations of channels tell ore, inside `WindowStatistics` on the
    surroundings too. It extrapolates nothing: values beyond those of training count as the extreme
    ones. The probability is a rank, not a rate.

    Parameters
    ----------
    trees : {"random", "extra"}
        A random forest [Breiman2001]_, whose trees seek the best threshold, or extremely randomised
        trees [Geurts2006]_, which are smoother.
    n_estimators : int
        Trees.
    min_samples_leaf : int
        Rows that a leaf must hold. 3, so that no occurrence has a leaf to itself.
    max_features : {"sqrt", "log2"} or float
        Channels tried at each split, as in scikit-learn.
    random_state : int or None
        Seed of the trees.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Class names, sorted; the second is the ore.
    names_ : list of str
        Names of the channels.
    field_ : int
        Cells along a side that it reads: 1. Larger windows are used by their middle.
    background_ : array of shape (channels,)
        Median of each channel over the background rows.
    trees_ : Trees
        Feature, threshold, left, right and value of each node, all of shape (n_trees, n_nodes).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = (np.abs(X[:, 0]) > 1.5).astype(int)  # both extremes: no line tells them
    >>> Forest(n_estimators=50, random_state=0).fit(X, y).predict([[2.0, 0.0], [0.0, 0.0]])
    array([1, 0])
    """

    def __init__(
        self,
        trees: str = "random",
        *,
        n_estimators: int = 300,
        min_samples_leaf: int = 3,
        max_features: str | float = "sqrt",
        random_state: int | None = None,
    ) -> None:
        self.trees = trees
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Forest:
        """Grow the trees.

        Parameters
        ----------
        X : array of shape (n, channels, size, size) or (n, channels)
            Windows about n cells; the cell in the middle is used.
        y : array of shape (n,)
            Two classes; 1 for known occurrences and 0 for background.
        sample_weight : array of shape (n,), optional
            Weight of each row inside its class.

        Returns
        -------
        self : Forest

        Raises
        ------
        ValueError
            If a value is missing or infinite, there are not two classes, or a setting is wrong.
        """
        check_option("trees", self.trees, TREES)
        windows = self._read(X, y, sample_weight)
        settings = self.get_params(deep=False)
        del settings["trees"]
        settings["random_state"] = int(np.random.default_rng(self.random_state).integers(2**31))
        balance = "balanced_subsample" if self.trees == "random" else "balanced"
        grower = TREES[self.trees](**settings, class_weight=balance)
        weight = None if sample_weight is None else windows.weight
        grower.fit(windows.cells[:, 0, 0], windows.codes, sample_weight=weight)
        grown = [each.tree_ for each in grower.estimators_]
        shares = [tree.value[:, 0, :] / tree.value[:, 0, :].sum(axis=1)[:, None] for tree in grown]
        self.trees_ = trees_of(grown, [share[:, 1] for share in shares])
        return self

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        return self._settings(), {"background_": self.background_} | self.trees_.to_arrays()

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> Forest:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = cls._revived(settings, arrays)
        check_option("trees", model.trees, TREES)
        model.trees_ = take_trees(arrays, model.n_features_in_)
        if model.field_ != 1 or ((model.trees_.value < 0) | (model.trees_.value > 1)).any():
            raise ValueError("a leaf holds no share of ore, or the field is not 1")
        return model

    trees_: Trees

    def _say(self, rows: NDArray) -> Floats:
        return self.trees_.summary(rows)

    def _members(self, rows: NDArray) -> Floats:
        return self.trees_.values(rows)
