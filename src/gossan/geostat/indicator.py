"""Indicator kriging: the whole distribution of a value at each place, whatever its histogram.

Coordinates [m] and values come in; probabilities at thresholds, their mean (E-type), quantiles and
probabilities above any cut-off go out.

Sources
-------
Journel (1983), Nonparametric estimation of spatial distributions, Mathematical Geology 15, 445-468,
doi:10.1007/BF01031292.
Deutsch & Journel (1998), GSLIB, 2nd ed., Oxford University Press, section IV.1.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from gossan._checks import check_labels
from gossan.geostat._columns import known_rows, read_columns, read_values
from gossan.geostat.local_distribution import LocalDistributions, correct_order_relations

__all__ = ["IndicatorKriging"]

Floats = NDArray[np.float64]

DECILES = np.arange(1, 10) / 10


class IndicatorKriging(RegressorMixin, BaseEstimator):
    """Local distributions by kriging whether each sample stays below each threshold.

    Take it for skewed grades whose high values behave unlike the rest, and for the probability to
    exceed a cut-off. Each indicator (1 at or below the threshold, 0 above) is kriged; what breaks
    the order of probabilities is corrected. `predict` gives the mean of the distribution.

    Parameters
    ----------
    kriging : estimator or sequence of estimators, optional
        An estimator with `fit(X, y)` and `predict(X)`. One: it is fitted to all indicators at once,
        so that they share their weights (median indicator kriging), which is fast and breaks the
        order least. As many as thresholds: each has its own variogram. None: `Kriging` with a
        variogram fitted to the indicator of the middle threshold.
    thresholds : sequence of float, optional
        Rising [unit of the values]. None: the deciles of the values.
    minimum, maximum : float, optional
        Limits of the distribution [unit of the values]. None: those of the samples.

    Attributes
    ----------
    thresholds_ : array of shape (n_thresholds,)
    edges_ : array of shape (n_thresholds + 2,)
        Minimum, thresholds, maximum.
    class_means_ : array of shape (n_thresholds + 1,)
        Mean of the samples between them.
    krigings_ : list of estimators
        One, or one a threshold; fitted.

    Examples
    --------
    >>> from gossan.geostat.idw import InverseDistance
    >>> X = [[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [30.0, 0.0]]
    >>> model = IndicatorKriging(InverseDistance(power=1.0), thresholds=[1.5])
    >>> model = model.fit(X, [1.0, 1.0, 2.0, 2.0])
    >>> model.predict_exceedance([[15.0, 0.0], [20.0, 0.0]], 1.5)
    array([0.5, 1. ])
    """

    def __init__(
        self,
        kriging: Any = None,
        *,
        thresholds: ArrayLike | None = None,
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> None:
        self.kriging = kriging
        self.thresholds = thresholds
        self.minimum = minimum
        self.maximum = maximum

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> IndicatorKriging:
        """Krige the indicators of the samples.

        Parameters
        ----------
        X : array of shape (n, 2) or (n, 3)
            Easting, northing[, elevation] [m].
        y : array of shape (n,)
            Values; NaN is left out, with a warning.
        groups : array of shape (n,), optional
            Drill hole of each sample, for estimators that limit the samples of a hole.

        Returns
        -------
        self : IndicatorKriging

        Raises
        ------
        ValueError
            If the thresholds do not rise within the values, or there is another number of
            estimators than of thresholds.
        """
        coords = read_columns(self, X, None, reset=True)[0]
        values = read_values(y, len(coords))
        if values.ndim != 1:
            raise ValueError(
                f"y must be one variable, got shape {values.shape}. Fit each on its own."
            )
        known = known_rows(values)
        coords, values = coords[known], values[known]
        self._set_classes(values)
        indicators = (values[:, None] <= self.thresholds_).astype(float)
        holes = None if groups is None else check_labels("groups", groups, len(known))[known]
        self.krigings_ = [
            _fitted(estimator, coords, indicator, holes)
            for estimator, indicator in self._jobs(coords, indicators)
        ]
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Mean of the local distribution (E-type estimate), shape (m,); NaN if not estimated."""
        return self.predict_distribution(X).mean()

    def predict_distribution(self, X: ArrayLike) -> LocalDistributions:
        """Local distributions at the targets.

        Parameters
        ----------
        X : array of shape (m, n_dims)
            Coordinates [m].

        Returns
        -------
        distributions : LocalDistributions
            With `mean`, `std`, `quantile`, `exceedance`, `mean_above`.
        """
        check_is_fitted(self, "krigings_")
        coords = read_columns(self, X, None, reset=False)[0]
        raw = [each.predict(coords).reshape(len(coords), -1) for each in self.krigings_]
        corrected = correct_order_relations(np.column_stack(raw))
        return LocalDistributions(self.edges_, self.class_means_, corrected)

    def predict_exceedance(self, X: ArrayLike, cutoff: float) -> Floats:
        """Probability that the value is above `cutoff`, shape (m,)."""
        return self.predict_distribution(X).exceedance(cutoff)

    def predict_quantiles(self, X: ArrayLike, probabilities: Sequence[float]) -> Floats:
        """Values not exceeded with each of the probabilities, shape (m, n_probabilities)."""
        local = self.predict_distribution(X)
        return np.column_stack([local.quantile(each) for each in probabilities])

    def _set_classes(self, values: Floats) -> None:
        """Set thresholds, edges and class means from the samples."""
        least = float(values.min() if self.minimum is None else self.minimum)
        most = float(values.max() if self.maximum is None else self.maximum)
        if self.thresholds is None:
            cuts = np.unique(np.quantile(values, DECILES))
            cuts = cuts[cuts < values.max()]
        else:
            cuts = np.atleast_1d(np.asarray(self.thresholds, dtype=float))
        _check_edges(least, cuts, most, values)
        # Samples that all lie at the minimum are a class of (nearly) no width.
        edges = np.r_[min(least, cuts[0] - 1e-9 * (most - cuts[0])), cuts, most]
        numbers = np.searchsorted(cuts, values, side="left")
        counts = np.bincount(numbers, minlength=len(edges) - 1)
        sums = np.bincount(numbers, weights=values, minlength=len(edges) - 1)
        middle = (edges[1:] + edges[:-1]) / 2
        self.thresholds_, self.edges_ = cuts, edges
        self.class_means_ = np.where(counts > 0, sums / np.maximum(counts, 1), middle)

    def _jobs(self, coords: Floats, indicators: Floats) -> list[tuple[Any, Floats]]:
        """Return pairs of an estimator and the indicators it is fitted to."""
        if self.kriging is None:
            return [(_default_kriging(coords, indicators), indicators)]
        if not isinstance(self.kriging, Sequence):
            return [(clone(self.kriging), indicators)]
        if len(self.kriging) != indicators.shape[1]:
            raise ValueError(
                f"{len(self.kriging)} estimators were given for {indicators.shape[1]} thresholds."
                " Give one for each, or one for all."
            )
        return [
            (clone(each), column) for each, column in zip(self.kriging, indicators.T, strict=True)
        ]


def _default_kriging(coords: Floats, indicators: Floats) -> Any:
    """Return ordinary kriging with a variogram of the indicator nearest to half and half."""
    from gossan.geostat.fitting import fit_variogram
    from gossan.geostat.kriging import Kriging

    middle = int(np.argmin(np.abs(indicators.mean(axis=0) - 0.5)))
    return Kriging(fit_variogram(coords, indicators[:, middle]).model)


def _fitted(estimator: Any, coords: Floats, indicators: Floats, groups: NDArray | None) -> Any:
    """Fit with the groups where there are any."""
    if groups is None:
        return estimator.fit(coords, indicators)
    return estimator.fit(coords, indicators, groups=groups)


def _check_edges(least: float, cuts: Floats, most: float, values: Floats) -> None:
    if values.min() == values.max():
        raise ValueError(
            f"All {len(values)} values are {values[0]:g}: there is no distribution to estimate."
            " Check the column."
        )
    inside = len(cuts) and least <= cuts[0] and cuts[-1] < most
    if cuts.ndim != 1 or not inside or (np.diff(cuts) <= 0).any():
        raise ValueError(
            f"thresholds must rise from {least:g} to below {most:g} (the limits of the values), got"
            f" {cuts.tolist()}. Leave them out for the deciles, or set minimum and maximum."
        )
    if least > values.min() or most < values.max():
        raise ValueError(
            f"minimum and maximum must hold all values, got {least:g} to {most:g} for values from"
            f" {values.min():g} to {values.max():g}. Widen them, or cap the values first."
        )
