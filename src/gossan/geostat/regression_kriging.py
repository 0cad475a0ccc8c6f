"""Regression kriging: any regressor for what explains the values, kriging for what is left.

Coordinates [m] with explaining variables behind them come in, at the samples and at the targets;
estimates and kriging errors go out.

Source
------
Hengl, Heuvelink & Rossiter (2007), About regression-kriging: from equations to case studies,
Computers & Geosciences 33, 1301-1315, doi:10.1016/j.cageo.2007.05.001.
"""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, KFold
from sklearn.utils.validation import check_is_fitted

from gossan._checks import check_labels, check_option
from gossan.geostat._columns import known_rows, read_columns, read_values

__all__ = ["RegressionKriging"]

Floats = NDArray[np.float64]

RESIDUALS = ("out_of_fold", "in_sample")


class RegressionKriging(RegressorMixin, BaseEstimator):
    """Trend by a regressor on explaining variables, plus kriging of its residuals.

    Take it where variables known at all targets (distance to a river, rock, geophysics) explain
    part of the values. A flexible regressor fits its own training rows too well, so that nothing is
    left to krige; therefore the residuals are by default those of rows that the regressor has not
    seen. `X` holds coordinates and then the explaining variables.

    Parameters
    ----------
    regressor : scikit-learn regressor, optional
        For the trend. Default: `LinearRegression`.
    kriging : estimator, optional
        For the residuals, with `fit(coords, y)` and `predict(coords)`. Default: `Kriging`.
    n_dims : {2, 3}, default 2
        Columns of `X` that are coordinates.
    residuals : {"out_of_fold", "in_sample"}, default "out_of_fold"
        "in_sample" returns the samples themselves at their places, if the kriging does; take it for
        a regressor with few parameters.
    n_folds : int, default 5
        Folds of the residuals; by groups where `fit` is given them.
    use_coordinates : bool, default False
        Give the regressor the coordinates too.

    Attributes
    ----------
    regressor_, kriging_ : estimators
        Fitted.
    residuals_ : array of shape (n,) or (n, n_variables)
        What was kriged.
    explained_ : float
        Share of the variance that the trend explains in rows it has not seen (in its training rows,
        for "in_sample").

    Examples
    --------
    >>> from gossan.geostat.idw import InverseDistance
    >>> X = [[0.0, 0.0, 1.0], [10.0, 0.0, 2.0], [20.0, 0.0, 3.0], [30.0, 0.0, 4.0]]
    >>> model = RegressionKriging(kriging=InverseDistance(), residuals="in_sample")
    >>> model.fit(X, [2.0, 4.0, 6.0, 8.0]).predict([[40.0, 0.0, 5.0]]).round(6)
    array([10.])
    """

    def __init__(
        self,
        regressor: Any = None,
        kriging: Any = None,
        *,
        n_dims: int = 2,
        residuals: str = "out_of_fold",
        n_folds: int = 5,
        use_coordinates: bool = False,
    ) -> None:
        self.regressor = regressor
        self.kriging = kriging
        self.n_dims = n_dims
        self.residuals = residuals
        self.n_folds = n_folds
        self.use_coordinates = use_coordinates

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> RegressionKriging:
        """Fit the trend, then krige what it leaves.

        Parameters
        ----------
        X : array of shape (n, n_dims + n_features)
            Easting, northing[, elevation] [m], then the explaining variables.
        y : array of shape (n,) or (n, n_variables)
            Values; a row with NaN is left out, with a warning.
        groups : array of shape (n,), optional
            Hole, block or catchment of each row: kept in one fold, and handed to the kriging.

        Returns
        -------
        self : RegressionKriging

        Raises
        ------
        ValueError
            If `X` has no explaining variable, a value in `X` is missing, or there are fewer rows
            (or groups) than folds.
        """
        check_option("residuals", self.residuals, RESIDUALS)
        check_option("n_dims", self.n_dims, (2, 3))
        coords, features = self._read(X, reset=True)
        values = read_values(y, len(coords))
        known = known_rows(values)
        coords, features, values = coords[known], features[known], values[known]
        holes = None if groups is None else check_labels("groups", groups, len(known))[known]
        trend = self._trends(features, values, holes)
        self.residuals_ = values - trend
        spread = ((values - values.mean(axis=0)) ** 2).sum()
        self.explained_ = float(1.0 - (self.residuals_**2).sum() / spread) if spread > 0 else np.nan
        kriging = _default_kriging() if self.kriging is None else clone(self.kriging)
        more = {} if holes is None else {"groups": holes}
        self.kriging_ = kriging.fit(coords, self.residuals_, **more)
        return self

    @overload
    def predict(self, X: ArrayLike, *, return_std: Literal[False] = ...) -> Floats: ...
    @overload
    def predict(self, X: ArrayLike, *, return_std: Literal[True]) -> tuple[Floats, Floats]: ...
    def predict(self, X: ArrayLike, *, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """Trend plus kriged residual at the targets.

        Parameters
        ----------
        X : array of shape (m, n_dims + n_features)
            Coordinates [m] and explaining variables.
        return_std : bool
            Return the kriging standard deviation of the residual too; the error of the trend's
            parameters is not in it, beyond what out-of-fold residuals show.

        Returns
        -------
        estimate : array of shape (m,) or (m, n_variables)
        std : array of the same shape
            Only with `return_std`.
        """
        check_is_fitted(self, "kriging_")
        coords, features = self._read(X, reset=False)
        trend = self.regressor_.predict(features)
        if return_std:
            residual, std = self.kriging_.predict(coords, return_std=True)
            return trend + residual, std
        return np.asarray(trend + self.kriging_.predict(coords))

    def _read(self, X: ArrayLike, *, reset: bool) -> tuple[Floats, Floats]:
        """Return coordinates, and what the regressor sees."""
        coords, features = read_columns(self, X, self.n_dims, reset=reset)
        if self.use_coordinates:
            features = np.column_stack([coords, features])
        if not features.shape[1]:
            raise ValueError(
                f"X has {coords.shape[1]} columns, all of them coordinates: nothing explains the"
                " values. Add features after the coordinates, or set use_coordinates=True."
            )
        return coords, features

    def _trends(self, features: Floats, values: Floats, groups: NDArray | None) -> Floats:
        """Fit the regressor to all rows; return its trend there, each row unseen if asked for."""
        regressor = LinearRegression() if self.regressor is None else self.regressor
        self.regressor_ = clone(regressor).fit(features, values)
        if self.residuals == "in_sample":
            return np.asarray(self.regressor_.predict(features)).reshape(values.shape)
        trend = np.empty_like(values)
        for train, test in self._folds(len(values), groups):
            fitted = clone(regressor).fit(features[train], values[train])
            trend[test] = np.asarray(fitted.predict(features[test])).reshape(values[test].shape)
        return trend

    def _folds(self, n: int, groups: NDArray | None) -> Any:
        n_units = n if groups is None else len(np.unique(groups))
        if not 2 <= self.n_folds <= n_units:
            raise ValueError(
                f"n_folds must lie between 2 and the {n_units} {'rows' if groups is None else 'groups'},"
                f" got {self.n_folds}. Take fewer folds, or residuals='in_sample'."
            )
        if groups is not None:
            return GroupKFold(self.n_folds).split(np.empty((n, 1)), groups=groups)
        return KFold(self.n_folds, shuffle=True, random_state=0).split(np.empty((n, 1)))


def _default_kriging() -> Any:
    from gossan.geostat.kriging import Kriging

    return Kriging()
