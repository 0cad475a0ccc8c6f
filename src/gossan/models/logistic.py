"""Logistic regression on the values of a cell: the plain model that others must beat.

Windows or tables of layers and labels come in; probabilities of windows and of whole maps go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from gossan import saving
from gossan.models._map_estimator import Floats, MapEstimator
from gossan.models._ridge import balanced_weights, fit_ridge, spread_of_columns
from gossan.models._rows import check_above_zero

__all__ = ["PointLogistic"]


class PointLogistic(MapEstimator):
    """Ridge-penalised logistic regression on the channels of the cell itself.

    Use it first: with tens of occurrences and haloes no wider than a cell it is hard to beat. Both
    classes weigh as much as there are rows of the rarer one, so that the penalty means the same
    whatever the number of background rows. Background is unlabelled, not barren: the probability is
    a rank, not a rate.

    Parameters
    ----------
    C : float
        Inverse of the penalty. 0.03 suits ten to a hundred occurrences and tens of channels, which
        are rarely independent; more of both bear more.

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
    center_, scale_ : arrays of shape (channels,)
        Mean and standard deviation over the background rows.
    intercept_ : float
    coef_ : array of shape (channels,)
        Change of the logit with a standard deviation of a channel.

    References
    ----------
    Ridge penalty of a logistic regression: le Cessie & van Houwelingen (1992) [LeCessie1992]_.

    Examples
    --------
    >>> X = [[0.1, 0.3], [-0.2, 0.1], [0.0, -0.4], [2.5, 0.2], [3.0, -0.1]]
    >>> model = PointLogistic().fit(X, [0, 0, 0, 1, 1])
    >>> model.predict([[2.0, 0.0], [-1.0, 0.0]])
    array([1, 0])
    """

    def __init__(self, C: float = 0.03) -> None:
        self.C = C

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> PointLogistic:
        """Fit on all rows.

        Parameters
        ----------
        X : array of shape (n, channels, size, size) or (n, channels)
            Windows about n cells; the cell in the middle is used.
        y : array of shape (n,)
            Two classes; 1 for known occurrences and 0 for background.
        sample_weight : array of shape (n,), optional
            Weight of each row inside its class; zero leaves it out.

        Returns
        -------
        self : PointLogistic

        Raises
        ------
        ValueError
            If a value is missing or infinite, there are not two classes, or a setting is wrong.
        """
        check_above_zero("C", self.C)
        windows = self._read(X, y, sample_weight)
        rows = windows.cells[:, 0, 0].astype(np.float64)
        self.center_, self.scale_ = spread_of_columns(rows, windows.weight * (windows.codes == 0))
        weight = balanced_weights(windows.codes, windows.weight)
        scaled = (rows - self.center_) / self.scale_
        self.intercept_, self.coef_ = fit_ridge(scaled, windows.codes, weight, 1.0 / self.C)
        return self

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        arrays = {k: getattr(self, k) for k in ("background_", "center_", "scale_", "coef_")}
        return self._settings(), arrays | {"intercept_": np.array([self.intercept_])}

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> PointLogistic:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = cls._revived(settings, arrays)
        for name in ("center_", "scale_", "coef_"):
            setattr(model, name, saving.take(arrays, name, (model.n_features_in_,)))
        model.intercept_ = float(saving.take(arrays, "intercept_", (1,))[0])
        if not (model.scale_ > 0).all() or model.field_ != 1:
            raise ValueError("a scale is not above zero, or the field is not 1")
        return model

    def _say(self, rows: NDArray) -> Floats:
        ore = expit(self._logit(rows))
        return np.stack([ore, np.zeros_like(ore)])

    def _logit(self, rows: NDArray) -> Floats:
        slopes = self.coef_ / self.scale_
        return rows.astype(np.float64) @ slopes + (self.intercept_ - self.center_ @ slopes)
