"""How unusual a row of evidence is among the ground: what can be said of it without a label.

Evidence at labelled sites and unlabelled ground come in; scores that can be ranked go out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from gossan.models.label_free import MahalanobisIndex


class UnusualGround(ClassifierMixin, BaseEstimator):
    """Mahalanobis distance of a row from the ground, by which no label is looked at.

    Use it beside whatever was taught labels. It needs no signs of the evidence, which tables of
    anonymous columns do not tell; rare barren rocks are unusual too. See `MahalanobisIndex`.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Of the labels: their names, and nothing else of them.
    index_ : MahalanobisIndex
        Fitted to the ground, or to the labelled rows, all alike, where there is none.

    Examples
    --------
    >>> ground = np.random.default_rng(0).normal(size=(500, 2))
    >>> model = UnusualGround().fit([[0.0, 0.1], [0.2, 0.0]], [1, 0], background=ground)
    >>> near, far = model.decision_function([[0.0, 0.0], [4.0, -4.0]])
    >>> bool(far > 0 > near)
    True
    """

    def fit(self, X: ArrayLike, y: ArrayLike, background: ArrayLike | None = None) -> UnusualGround:
        """Find the mean and covariance of the ground.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Evidence at labelled sites.
        y : array of shape (n,)
            Two classes.
        background : array of shape (m, n_features), optional
            Unlabelled rows. None: the rows of X stand for the ground.

        Returns
        -------
        self : UnusualGround

        Raises
        ------
        ValueError
            If a value is missing or infinite.
        """
        self.classes_ = np.unique(np.asarray(y))
        self.index_ = MahalanobisIndex().fit(X if background is None else background)
        self.n_features_in_ = self.index_.n_features_in_
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how unusual each row is, shape (n,): above 0 beyond nine tenths of the ground."""
        check_is_fitted(self, "index_")
        return self.index_.decision_function(X)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the second class where a row is more unusual than nine tenths of the ground."""
        return self.classes_[(self.decision_function(X) > 0).astype(int)]
