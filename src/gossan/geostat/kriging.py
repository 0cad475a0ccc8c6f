"""Kriging: the best linear estimate of a value anywhere, from samples and how they vary in space.

Coordinates [m] and values come in; estimates, their standard deviations, the neighbours used and
their weights go out. Local kriging is compiled: under ten microseconds a target; exact global kriging
uses every sample for every target.

Sources
-------
Chiles & Delfiner (2012), Geostatistics: Modeling Spatial Uncertainty, 2nd ed., Wiley,
doi:10.1002/9781118136188 (all systems, block support, filtered nugget).
Krige (1997), A practical analysis of the effects of spatial structure and of data available and
accessed, on conditional biases in ordinary kriging, Geostatistics Wollongong '96, 799-810 (slope of
regression, kriging efficiency).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, overload

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from gossan.geostat._columns import read_columns, read_values
from gossan.geostat._local import Solution
from gossan.geostat._samples import (
    Table,
    coordinate_tolerance,
    holes_of,
    read_groups,
    read_noise,
    rows_with_values,
)
from gossan.geostat._settings import read_setup
from gossan.geostat._systems import (
    System,
    build_systems,
    estimate,
    rows_of_neighbours,
    solve_system,
)
from gossan.geostat.covariance import VariogramModel

__all__ = ["Kriging", "KrigingResult"]

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KrigingResult:
    """Estimates with all that tells how far to trust them; NaN where there is none.

    Attributes
    ----------
    estimate : array of shape (m,) or (m, n_variables)
    variance : array of the same shape
        Kriging variance, in the units of the model.
    n_used : int64 array of the same shape
        Samples used; 0 where nothing is estimated.
    slope : array of the same shape
        Slope of the regression of the truth on the estimate: below one, high estimates are too
        high and low ones too low (conditional bias).
    efficiency : array of the same shape
        Kriging efficiency, one less the variance over that of the targets themselves; below zero,
        the mean of all samples would do better.
    """

    estimate: Floats
    variance: Floats
    n_used: NDArray[np.int64]
    slope: Floats
    efficiency: Floats

    @property
    def std(self) -> Floats:
        """Kriging standard deviation, of the same shape."""
        return np.sqrt(self.variance)

    @property
    def n_unestimated(self) -> int:
        """Number of estimates that are missing."""
        return int(np.isnan(self.estimate).sum())


class Kriging(RegressorMixin, BaseEstimator):
    """Kriging from the nearest samples, or from all of them, as a scikit-learn regressor.

    Columns of `y` that share a model and their missing rows share one system, so that many elements
    cost little more than one. A target without enough samples is NaN, never zero, and is counted.

    Parameters
    ----------
    model : VariogramModel, sequence of VariogramModel, or None
        One for all variables, or one a variable. None: `fit_variogram` fits one to each.
    method : {"ordinary", "simple", "universal", "external"}, default "ordinary"
        The mean is unknown; known (`mean`); a polynomial in the coordinates (order `drift`); or a
        linear function of the columns of `X` after the first `n_dims`.
    drift : {1, 2}, default 1
        Order of the polynomial of "universal".
    mean : float or array of shape (n_variables,), optional
        For "simple": the mean far from all samples.
    n_dims : {2, 3}, optional
        Columns of `X` that are coordinates; needed for "external". None: all.
    n_neighbours : int or None, default 32
        Most samples of a target. None: the exact global system of all samples (at most 20,000),
        whose estimates do not jump where neighbours change.
    min_neighbours : int, default 1
        With fewer samples in reach, a target is not estimated.
    max_distance : float, optional
        Reach along the major axis of the search ellipsoid [m]. None: endless.
    sectors : {4, 8}, optional
        Quadrants (about the vertical or third axis) or octants (in 2D wedges of 45 degrees) of the
        ellipsoid, each with room for `max_per_sector`. None: one.
    max_per_sector : int, optional
        None: an equal share of `n_neighbours`.
    n_per_group : int, "auto" or None, default "auto"
        Most samples of one hole. "auto": a quarter of `n_neighbours` if `fit` is given groups; if
        not, and most samples stand on vertical lines, these are taken for holes, with a warning.
        None: no cap, so that all neighbours may lie in one hole.
    search_ranges : tuple of float, optional
        Semi-axes of the search ellipsoid, of which only the proportions count, as the ranges of a
        `Structure`. None: those of the model's largest structure, at most 10 to 1.
    search_angles : tuple of three floats, default (0, 0, 0)
        Azimuth, dip and rake of that ellipsoid [degrees].
    block : float or tuple of float, optional
        Size of the block to estimate, along easting, northing[, elevation] [m]: the mean grade of
        a block whose centre is the target. None: points.
    block_points : int or tuple of int, default 4
        Points a side that stand for the block.
    exact : bool, default True
        The estimate at a sample is its value, and the variance elsewhere holds the nugget. False:
        the nugget is error of the samples and filtered out of both. Blocks have no nugget.
    duplicates : {"average", "replicates"}, default "average"
        Samples at one place are averaged, or kept, with the nugget as the error of each. Either
        way a warning names the rows.
    n_jobs : int, optional
        Threads, in which local kriging is linear; -1 takes all. None: one.

    Attributes
    ----------
    models_ : list of VariogramModel
        One a variable.
    n_samples_ : int
        Rows with at least one value.
    n_unestimated_ : int
        Targets of the last `predict` with a missing estimate.
    n_features_in_ : int
    feature_names_in_ : array
        Only if `X` had names.

    Examples
    --------
    >>> from gossan.geostat import Kriging, Structure, VariogramModel
    >>> model = VariogramModel(0.0, Structure("spherical", 1.0, 100.0))
    >>> kriging = Kriging(model).fit([[0.0, 0.0], [50.0, 0.0]], [1.0, 3.0])
    >>> kriging.predict([[0.0, 0.0], [25.0, 0.0], [500.0, 0.0]]).round(6)
    array([1., 2., 2.])
    """

    def __init__(
        self,
        model: VariogramModel | Sequence[VariogramModel] | None = None,
        method: str = "ordinary",
        *,
        drift: int = 1,
        mean: ArrayLike | None = None,
        n_dims: int | None = None,
        n_neighbours: int | None = 32,
        min_neighbours: int = 1,
        max_distance: float | None = None,
        sectors: int | None = None,
        max_per_sector: int | None = None,
        n_per_group: int | str | None = "auto",
        search_ranges: tuple[float, ...] | None = None,
        search_angles: tuple[float, float, float] = (0.0, 0.0, 0.0),
        block: float | tuple[float, ...] | None = None,
        block_points: int | tuple[int, ...] = 4,
        exact: bool = True,
        duplicates: str = "average",
        n_jobs: int | None = None,
    ) -> None:
        self.model = model
        self.method = method
        self.drift = drift
        self.mean = mean
        self.n_dims = n_dims
        self.n_neighbours = n_neighbours
        self.min_neighbours = min_neighbours
        self.max_distance = max_distance
        self.sectors = sectors
        self.max_per_sector = max_per_sector
        self.n_per_group = n_per_group
        self.search_ranges = search_ranges
        self.search_angles = search_angles
        self.block = block
        self.block_points = block_points
        self.exact = exact
        self.duplicates = duplicates
        self.n_jobs = n_jobs

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        error_variance: ArrayLike | None = None,
    ) -> Self:
        """Take in the samples; the global system is factorised here, once.

        Parameters
        ----------
        X : array of shape (n, n_dims) or (n, n_dims + n_drifts)
            Easting, northing[, elevation] [m], then external drifts. Projected, never degrees.
        y : array of shape (n,) or (n, n_variables)
            Values; NaN is missing. Each variable uses the rows where it is known.
        groups : array of shape (n,), optional
            Hole of each sample.
        error_variance : array of shape (n,), optional
            Variance of the measurement of each sample, in the units of the model; it is filtered
            out.

        Returns
        -------
        self : Kriging

        Raises
        ------
        ValueError
            If a coordinate is missing, a variable has no value, the model does not suit the
            coordinates or the method, or a setting is out of range.
        """
        coords, drift = read_columns(self, X, self.n_dims, reset=True)
        values = read_values(y, len(coords))
        self._is_flat = values.ndim == 1
        values = values.reshape(len(coords), -1)
        noise = read_noise(error_variance, len(coords))
        holes = read_groups(groups, len(coords))
        if holes is None and self._is_auto:
            holes = holes_of(coords)
        self.models_ = self._read_models(coords, values)
        setup = read_setup(self, coords.shape[1], drift.shape[1], self.models_, holes is not None)
        self._centre = (coords.min(axis=0) + coords.max(axis=0)) / 2.0
        known = rows_with_values(values)
        self.n_samples_ = int(known.sum())
        self._table = Table(
            coords[known] - self._centre,
            values[known],
            noise[known],
            drift[known],
            None if holes is None else holes[known],
            np.flatnonzero(known),
            coordinate_tolerance(coords),
        )
        self._setup = setup
        self._systems = build_systems(self._table, self.models_, setup, stacklevel=2)
        return self

    @overload
    def predict(self, X: ArrayLike, *, return_std: Literal[False] = ...) -> Floats: ...
    @overload
    def predict(self, X: ArrayLike, *, return_std: Literal[True]) -> tuple[Floats, Floats]: ...
    def predict(self, X: ArrayLike, *, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """Estimates at the targets, NaN where there is none.

        Parameters
        ----------
        X : array of shape (m, n_dims) or (m, n_dims + n_drifts)
            Coordinates [m] and external drifts, as in `fit`.
        return_std : bool
            Return the kriging standard deviation too. That of exact global kriging is of the 64
            nearest samples, with a cap per hole: it is never too small.

        Returns
        -------
        estimate : array of shape (m,) or (m, n_variables)
        std : array of the same shape
            Only with `return_std`.

        Raises
        ------
        ValueError
            If a coordinate or drift is missing, or the columns are not those of `fit`.
        """
        if return_std:
            result = self.krige(X)
            return result.estimate, result.std
        coords, drift = self._read(X)
        out = np.empty((len(coords), len(self.models_)))
        for system in self._systems:
            out[:, system.columns] = estimate(system, coords, drift, n_jobs=self._n_threads)
        self._count(out)
        return self._shaped(out)

    def krige(self, X: ArrayLike) -> KrigingResult:
        """Estimates with variance, number of samples, slope of regression and efficiency.

        Parameters
        ----------
        X : array of shape (m, n_dims) or (m, n_dims + n_drifts)

        Returns
        -------
        result : KrigingResult
        """
        coords, drift = self._read(X)
        shape = (len(coords), len(self.models_))
        columns = [np.empty(shape) for _ in range(4)]
        n_used = np.empty(shape, dtype=np.int64)
        for system in self._systems:
            solution = solve_system(system, coords, drift, n_jobs=self._n_threads)
            at = system.columns
            columns[0][:, at] = solution.estimates
            columns[1][:, at] = solution.variances[:, None]
            slope, efficiency = _quality(system, solution)
            columns[2][:, at], columns[3][:, at] = slope[:, None], efficiency[:, None]
            n_used[:, at] = solution.n_used[:, None]
        self._count(columns[0])
        missing = np.isnan(columns[0])
        for column in columns[1:]:
            column[missing] = np.nan
        n_used[missing] = 0
        first, variance, slopes, efficiencies = map(self._shaped, columns)
        return KrigingResult(first, variance, self._shaped(n_used), slopes, efficiencies)

    def weights(self, X: ArrayLike) -> tuple[NDArray[np.int64], Floats]:
        """Neighbours of each target and their weights.

        Parameters
        ----------
        X : array of shape (m, n_dims) or (m, n_dims + n_drifts)

        Returns
        -------
        rows : int64 array of shape (m, k)
            Row numbers in the table of `fit`, nearest first; -1 where there are fewer. For
            averaged duplicates the first row stands.
        weights : array of shape (m, k)
            They add up to one, but in simple kriging.

        Raises
        ------
        ValueError
            If the variables do not share one system, or the kriging is global.
        """
        coords, drift = self._read(X)
        if len(self._systems) > 1 or self._setup.is_global:
            what = "is global" if self._setup.is_global else f"has {len(self._systems)} systems"
            raise ValueError(
                f"Weights belong to one local system, but this kriging {what}. Set n_neighbours and"
                " fit variables that share a model and their missing rows."
            )
        system = self._systems[0]
        solution = solve_system(system, coords, drift, n_jobs=self._n_threads, keep_weights=True)
        return rows_of_neighbours(system, solution.neighbours), solution.weights

    @property
    def _n_threads(self) -> int:
        return int(joblib.effective_n_jobs(self.n_jobs))

    @property
    def _is_auto(self) -> bool:
        return self.n_per_group == "auto" and self.n_neighbours is not None

    def _read(self, X: ArrayLike) -> tuple[Floats, Floats]:
        """Return centred coordinates and external drifts of targets."""
        check_is_fitted(self, "models_")
        coords, drift = read_columns(self, X, self.n_dims, reset=False)
        return coords - self._centre, drift

    def _read_models(self, coords: Floats, values: Floats) -> list[VariogramModel]:
        n_variables = values.shape[1]
        if self.model is None:
            return [_fitted_model(coords, values[:, v]) for v in range(n_variables)]
        models = [self.model] if isinstance(self.model, VariogramModel) else list(self.model)
        for model in models:
            if not isinstance(model, VariogramModel):
                raise TypeError(
                    f"model must be a VariogramModel or a sequence of them, got {model!r}. Build"
                    " one, or pass None to fit it."
                )
        if len(models) == 1:
            return models * n_variables
        if len(models) != n_variables:
            raise ValueError(
                f"{len(models)} models were given for {n_variables} variables. Give one, or one a"
                " variable."
            )
        return models

    def _shaped(self, table: NDArray) -> NDArray:
        return table[:, 0] if self._is_flat else table

    def _count(self, estimates: Floats) -> None:
        self.n_unestimated_ = int(np.isnan(estimates).any(axis=1).sum())
        if self.n_unestimated_:
            logger.info("%d of %d targets not estimated", self.n_unestimated_, len(estimates))


def _quality(system: System, solution: Solution) -> tuple[Floats, Floats]:
    """Return the slope of regression and the kriging efficiency of each target."""
    with_truth, own = solution.moments.T
    variance = system.local.aim.variance
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(own > 0, with_truth / own, np.nan)
        efficiency = 1.0 - solution.variances / variance
    if system.local.packed.is_intrinsic or variance <= 0:
        return np.full_like(slope, np.nan), np.full_like(slope, np.nan)
    return slope, efficiency


def _fitted_model(coords: Floats, values: Floats) -> VariogramModel:
    from gossan.geostat.fitting import fit_variogram

    known = ~np.isnan(values)
    model: Any = fit_variogram(coords[known], values[known]).model
    return model
