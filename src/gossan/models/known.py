"""The baseline that knows no geology: how far the nearest known occurrence lies.

Coordinates [m] and labels come in; a probability that falls with the distance goes out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan.models._map_estimator import read_classes

__all__ = ["DistanceToKnown"]


class DistanceToKnown(ClassifierMixin, BaseEstimator):
    """Ore is where ore is known: minus the distance to the nearest training occurrence.

    Always run it: what a model scores above it is geology, the rest is the clustering of deposits.
    It makes no map, as it would paint what is known.

    Attributes
    ----------
    classes_ : array of shape (2,)
        The two labels; the second is ore.
    occurrences_ : float64 array of shape (n_occurrences, n_features)
        Coordinates of the training occurrences [m].
    scale_ : float
        Half the median distance of the training background [m], where the probability is one half.

    Examples
    --------
    >>> model = DistanceToKnown().fit([[0, 0], [100, 0], [300, 0]], [1, 0, 0])
    >>> model.predict_proba([[0, 0], [200, 0], [800, 0]])[:, 1].round(2)
    array([1.  , 0.33, 0.11])
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> DistanceToKnown:
        """Remember the occurrences.

        Parameters
        ----------
        X : array of shape (n, 2 or 3)
            Easting, northing and, if given, elevation [m].
        y : array of shape (n,)
            Two classes; 1 for occurrences and 0 for the rest.

        Returns
        -------
        self : DistanceToKnown

        Raises
        ------
        ValueError
            If a coordinate is missing, or there are not two classes.
        """
        places = validate_data(self, X, dtype=np.float64)
        self.classes_, codes = read_classes(y, len(places))
        self.occurrences_ = places[codes == 1]
        far = cKDTree(self.occurrences_).query(places[codes == 0])[0]
        self.scale_ = float(np.median(far)) / 2.0 or 1.0
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities that fall from 1 at an occurrence, shape (n, 2): a rank, no rate."""
        check_is_fitted(self, "occurrences_")
        places = validate_data(self, X, dtype=np.float64, reset=False)
        ore = 1.0 / (1.0 + cKDTree(self.occurrences_).query(places)[0] / self.scale_)
        return np.column_stack([1.0 - ore, ore])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the more probable class of each place, shape (n,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that there are two classes."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
