"""A model of another district used as it is: zero-shot transfer.

A fitted map estimator comes in; its own scores go out, whatever is known here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted


class FrozenSource(ClassifierMixin, BaseEstimator):
    """Another district's model, taken over without learning anything here.

    Use it where no occurrence is known, or to see what a source is worth before `StackedTransfer`
    mixes it with local evidence. A source of another type of deposit scores no better than chance.

    Parameters
    ----------
    source : map estimator
        Fitted on the same channels of another district, prepared alike. A clone keeps it.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Of the source.
    field_ : int
        Cells along a side that the source reads.
    names_ : list of str
        Names of the channels.

    Examples
    --------
    >>> from gossan.models.label_free import PathfinderIndex
    >>> source = PathfinderIndex([0]).fit([[0.0, 1.0], [2.0, 0.0]])
    >>> FrozenSource(source).fit([[9.0, 9.0], [0.0, 0.0]], [0, 1]).predict_proba([[0.0, 3.0]])
    array([[0.5, 0.5]])
    """

    def __init__(self, source: Any) -> None:
        self.source = source

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> FrozenSource:
        """Check that the channels are those of the source; nothing is learned.

        Parameters
        ----------
        X : array of shape (n, channels, size, size) or (n, channels)
            Windows.
        y : array of shape (n,), optional
            Not used.

        Returns
        -------
        self : FrozenSource

        Raises
        ------
        ValueError
            If there are other channels than those of the source.
        """
        del y
        check_is_fitted(self.source)
        self.n_features_in_ = int(np.shape(X)[1])
        if self.n_features_in_ != self.source.n_features_in_:
            raise ValueError(
                f"The source reads {self.source.n_features_in_} channels, got"
                f" {self.n_features_in_}. Prepare the same layers."
            )
        self.classes_, self.field_ = self.source.classes_, self.source.field_
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the class probabilities of the source, shape (n, 2)."""
        check_is_fitted(self, "field_")
        return self.source.predict_proba(X)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the more probable class of each window, shape (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def score_map(self, volume: ArrayLike, **options: Any) -> Any:
        """Return the score of the source at every cell of a map, see its `score_map`."""
        check_is_fitted(self, "field_")
        return self.source.score_map(volume, **options)

    def occlusion_map(self, volume: ArrayLike, **options: Any) -> NDArray[np.float32]:
        """Return what each channel adds to the logit of the source, (channels, ny, nx)."""
        check_is_fitted(self, "field_")
        return self.source.occlusion_map(volume, **options)

    def __sklearn_clone__(self) -> FrozenSource:
        """Return a clone with the same source: what was learned elsewhere is data."""
        return type(self)(self.source)
