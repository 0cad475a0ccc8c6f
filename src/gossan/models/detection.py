"""Detectors and classifiers of a deposit study by name, all fitted and asked alike.

Patches (n, channels, side, side, side) or tables (n, features) come in, with y = 0 for known barren
ground and 1 for ore; classifiers answer with `predict_proba`, detectors with `score_samples`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin, TransformerMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from gossan._checks import check_labels, check_option
from gossan.models.baselines import _lightgbm
from gossan.models.maxent import MaxEnt
from gossan.models.mixture import MixtureDetector

__all__ = ["DETECTORS", "NormalsOnly", "PatchTable", "make_detector"]

STATISTICS = ("centre", "mean", "std", "max")


class PatchTable(TransformerMixin, BaseEstimator):
    """Patches as rows of a table, for models that read tables: the centre voxel, means and so on.

    Use it as the first step of a pipeline. A table passes as it is.

    Parameters
    ----------
    statistics : sequence of {"centre", "mean", "std", "max"}
        What is taken of each channel; the columns of one statistic stand together.

    Attributes
    ----------
    n_features_in_ : int
        Channels of the patches, or columns of the table.

    Examples
    --------
    >>> patch = np.zeros((1, 2, 3, 3, 3))
    >>> patch[0, 1, 1, 1, 1] = 27.0
    >>> PatchTable(["centre", "mean"]).fit_transform(patch)
    array([[ 0., 27., 0., 1.]])
    """

    def __init__(self, statistics: Sequence[str] = ("centre",)) -> None:
        self.statistics = statistics

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> PatchTable:
        """Remember the number of channels.

        Parameters
        ----------
        X : array of shape (n, channels, side, side, side) or (n, features)
            Patches or a table; no missing values.
        y : ignored
            Present for scikit-learn.

        Returns
        -------
        self : PatchTable

        Raises
        ------
        ValueError
            If a value is missing or infinite, or the shape is neither.
        """
        for word in self.statistics:
            check_option("statistics", word, STATISTICS)
        rows = self._rows(X, reset=True)
        if y is not None:
            check_labels("y", y, len(rows))
        self.is_patch_ = rows.ndim == 5
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the table, shape (n, channels x statistics), or the table given."""
        check_is_fitted(self, "is_patch_")
        rows = self._rows(X, reset=False)
        if rows.ndim == 2:
            return rows
        return np.concatenate([_statistic(rows, word) for word in self.statistics], axis=1)

    def _rows(self, X: ArrayLike, *, reset: bool) -> NDArray[np.float64]:
        if np.ndim(X) != 5:
            return validate_data(self, X, dtype=np.float64, reset=reset)
        rows = check_array(X, dtype=np.float64, allow_nd=True, input_name="X")
        if reset:
            self.n_features_in_ = rows.shape[1]
        elif rows.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {rows.shape[1]} channels (features), expected {self.n_features_in_}. Cut"
                " the patches as in training."
            )
        return rows


class NormalsOnly(OutlierMixin, BaseEstimator):
    """A scikit-learn outlier detector that learns from the known normals (y = 0) only.

    Use it to fit an `IsolationForest` on the same rows and labels as the other models.

    Parameters
    ----------
    detector : scikit-learn outlier detector
        What is fitted; it is cloned.

    Attributes
    ----------
    detector_ : scikit-learn outlier detector
        The fitted clone.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.vstack([rng.normal(0, 1, (200, 2)), rng.normal(9, 1, (50, 2))])
    >>> model = NormalsOnly(IsolationForest(random_state=0)).fit(X, np.repeat([0, 1], [200, 50]))
    >>> model.predict([[0.0, 0.0], [9.0, 9.0]])
    array([ 1, -1])
    """

    def __init__(self, detector: Any) -> None:
        self.detector = detector

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> NormalsOnly:
        """Fit a clone on the normal rows.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Any numbers; no missing values.
        y : array of shape (n,), optional
            0 for normal rows, any other number for the rest. None: all rows are normal.

        Returns
        -------
        self : NormalsOnly

        Raises
        ------
        ValueError
            If a value is missing or infinite, or no row is normal.
        """
        table = validate_data(self, X, dtype=np.float64)
        if y is not None:
            is_normal = check_labels("y", y, len(table)) == 0
            if not is_normal.any():
                raise ValueError(
                    f"None of the {len(table)} rows is normal (y = 0). Write 0 for barren rows, or"
                    " pass y=None to take all for normal."
                )
            table = table[is_normal]
        self.detector_ = clone(self.detector).fit(table)
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how normal each row is (higher is more normal), shape (n,)."""
        table = self._table(X)
        return self.detector_.score_samples(table)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the score less the detector's own threshold: below zero is anomalous."""
        table = self._table(X)
        return self.detector_.decision_function(table)

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return -1 for each anomalous row and 1 for each normal one, shape (n,)."""
        table = self._table(X)
        return self.detector_.predict(table)

    def _table(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self, "detector_")
        return validate_data(self, X, dtype=np.float64, reset=False)


def _boosted(seed: int) -> Any:
    return HistGradientBoostingClassifier(
        max_iter=200,
        learning_rate=0.05,
        max_leaf_nodes=15,
        l2_regularization=5.0,
        class_weight="balanced",
        early_stopping=False,
        random_state=seed,
    )


_MAKERS: dict[str, Callable[[int], Any]] = {
    "isolation": lambda seed: NormalsOnly(IsolationForest(n_estimators=300, random_state=seed)),
    "mixture": lambda seed: MixtureDetector("normals", random_state=seed),
    "mixture_posterior": lambda seed: MixtureDetector("posterior", random_state=seed),
    "maxent": lambda seed: MaxEnt(random_state=seed),
    "boosted": _boosted,
    "lightgbm": _lightgbm,
}

DETECTORS = tuple(_MAKERS)


def make_detector(
    name: str,
    *,
    statistics: Sequence[str] = ("centre",),
    random_state: int | None = None,
) -> Pipeline:
    """Return a model of ore against barren ground by its name, not fitted.

    All take patches or tables and `fit(X, y)` with y = 0 for barren and 1 for ore. "isolation",
    "mixture" and "mixture_posterior" are detectors with `score_samples` (higher is more normal);
    "maxent", "boosted" and "lightgbm" are classifiers with `predict_proba`. The supervised ones are
    what any detector must beat.

    Parameters
    ----------
    name : str
        "isolation" (300 trees on the normals), "mixture", "mixture_posterior", "maxent", "boosted"
        (balanced classes) or "lightgbm" (an extra).
    statistics : sequence of {"centre", "mean", "std", "max"}
        What is taken of each channel of a patch, see `PatchTable`.
    random_state : int or None
        Seed of what is random in it.

    Returns
    -------
    model : Pipeline
        `PatchTable` and the model.

    Raises
    ------
    ValueError
        If the name is none of `DETECTORS`.
    ImportError
        If it is "lightgbm" and that is not installed.

    References
    ----------
    Isolation forest: Liu et al. (2008) [Liu2008]_, doi:10.1109/ICDM.2008.17.

    Examples
    --------
    >>> make_detector("mixture")[-1].form
    'normals'
    """
    check_option("name", name, DETECTORS)
    seed = int(np.random.default_rng(random_state).integers(2**31))
    return Pipeline([("table", PatchTable(statistics)), ("model", _MAKERS[name](seed))])


def _statistic(rows: NDArray[np.float64], word: str) -> NDArray[np.float64]:
    """Return one number a channel, shape (n, channels)."""
    if word == "centre":
        nz, ny, nx = rows.shape[2:]
        return rows[:, :, nz // 2, ny // 2, nx // 2]
    return getattr(rows, word)(axis=(2, 3, 4))
