"""Cross-validation of kriging without fitting it again: each sample from those of other folds.

A `Kriging` and its table come in; what it would have estimated at each sample without its hole, fold
or itself goes out, with its standard deviation. Local systems leave samples out of the search; the
global system leaves them out by algebra (Dubrule 1983, doi:10.1007/BF01033232). The model of the
variogram is that of all samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from sklearn.base import clone

from gossan._checks import check_labels, check_random_state
from gossan.geostat._dual import leave_out
from gossan.geostat._local import Support, local_system, solve
from gossan.geostat._samples import Table, Whole, prepare_samples, twin_labels
from gossan.geostat._systems import Setup, frame_of, rows_of, trend_of
from gossan.geostat.covariance import VariogramModel
from gossan.geostat.kriging import Kriging

__all__ = ["KrigingCrossval", "kriging_crossval"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KrigingCrossval:
    """What kriging makes of each sample without its fold; NaN where nothing is estimated.

    Attributes
    ----------
    observed, estimate, std : arrays of shape (n,) or (n, n_variables)
        Values, estimates, and standard deviations of the error of a measured value.
    folds : int64 array of shape (n,)
        Fold of each row.
    """

    observed: Floats
    estimate: Floats
    std: Floats
    folds: NDArray[np.int64]

    def __str__(self) -> str:
        n_known, n = int(np.isfinite(self.estimate).sum()), self.estimate.size
        told = [("mean error", self.mean_error), ("RMSE", self.rmse), ("R²", self.r2)]
        words = [f"{name} {np.array2string(value, precision=4)}" for name, value in told]
        return f"{n_known:,} of {n:,} values estimated without their fold: {', '.join(words)}"

    @property
    def error(self) -> Floats:
        """Estimate less observed value."""
        return self.estimate - self.observed

    @property
    def mean_error(self) -> Floats:
        """Mean error of each variable: near zero."""
        return np.asarray(np.nanmean(self.error, axis=0))

    @property
    def rmse(self) -> Floats:
        """Root mean square error of each variable."""
        return np.asarray(np.sqrt(np.nanmean(self.error**2, axis=0)))

    @property
    def r2(self) -> Floats:
        """Share of the variance of each variable that the estimates explain."""
        missing = np.isnan(self.error)
        observed = np.where(missing, np.nan, self.observed)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1.0 - self.rmse**2 / np.nanvar(observed, axis=0))

    @property
    def mean_squared_standardised_error(self) -> Floats:
        """Mean of (error / std)²: one if the sill and the nugget are right."""
        return np.asarray(np.nanmean((self.error / self.std) ** 2, axis=0))


def kriging_crossval(
    kriging: Kriging,
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    folds: str | int | ArrayLike | None = None,
    error_variance: ArrayLike | None = None,
    random_state: int | np.random.Generator | None = None,
) -> KrigingCrossval:
    """Estimates of the samples by kriging from the other folds, for the cost of one fit.

    Parameters
    ----------
    kriging : Kriging
        Not fitted here and not changed; blocks and filtering are left aside, since values are
        compared. A model that is None is fitted once, to all samples.
    X, y, groups, error_variance
        As in `Kriging.fit`.
    folds : "loo", "groups", int, or array of shape (n,), optional
        Each sample alone, each group, so many random folds, or a label for each row. None: the
        groups if there are any, else "loo". Beside down-hole neighbours, "loo" flatters.
    random_state : int, Generator or None
        Of random folds.

    Returns
    -------
    result : KrigingCrossval

    Raises
    ------
    ValueError
        If the groups are missing, or there are fewer than two folds.

    Examples
    --------
    >>> from gossan.geostat import Kriging, Structure, VariogramModel
    >>> model = VariogramModel(0.0, Structure("spherical", 1.0, 100.0))
    >>> X = [[0.0, 0.0], [50.0, 0.0], [100.0, 0.0]]
    >>> kriging_crossval(Kriging(model), X, [1.0, 2.0, 3.0]).estimate.round(3)
    array([2.273, 2.   , 1.727])
    """
    fitted = clone(kriging).set_params(block=None, exact=True)
    n_neighbours = fitted.n_neighbours
    fitted.set_params(n_neighbours=n_neighbours or 1)  # a global fit would factorise for nothing
    fitted.fit(X, y, groups, error_variance=error_variance)
    observed = np.asarray(y, dtype=float)
    labels = _folds(folds, groups, len(observed), random_state)
    table, setup = fitted._table, fitted._setup  # noqa: SLF001 - the other half of the estimator
    values = observed.reshape(len(observed), -1)
    estimate, std = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    for system in fitted._systems:  # noqa: SLF001
        columns = list(system.columns)
        known = ~np.isnan(table.values[:, columns[0]])
        part = rows_of(table, columns, known)
        found = (_leave_out_globally if n_neighbours is None else _leave_out_locally)(
            part, system.model, setup, columns, labels[part.rows]
        )
        estimate[np.ix_(part.rows, columns)] = found[0]
        std[np.ix_(part.rows, columns)] = np.sqrt(found[1])[:, None]
    std[np.isnan(estimate)] = np.nan
    shape = observed.shape
    return KrigingCrossval(observed, estimate.reshape(shape), std.reshape(shape), labels)


def _folds(
    folds: str | int | ArrayLike | None,
    groups: ArrayLike | None,
    n: int,
    random_state: int | np.random.Generator | None,
) -> Whole:
    """Return the number of the fold of each row."""
    if folds is None:
        folds = "loo" if groups is None else "groups"
    if isinstance(folds, str) and folds == "loo":
        labels = np.arange(n)
    elif isinstance(folds, str):
        if folds != "groups" or groups is None:
            raise ValueError(
                f"folds={folds!r} with {'no ' if groups is None else ''}groups. Write 'loo', or"
                " 'groups' and pass groups, or a number of folds, or a label for each row."
            )
        labels = check_labels("groups", groups, n)
    elif isinstance(folds, (int, np.integer)):
        rng = check_random_state(random_state)
        labels = rng.permutation(np.arange(n) % max(int(folds), 1))
    else:
        labels = check_labels("folds", folds, n)
    numbers = np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)
    if numbers.max() < 1:
        raise ValueError(
            f"Cross-validation needs at least two folds, got {numbers.max() + 1} of {n} rows. Pass"
            " more samples or other folds."
        )
    return numbers


def _of_places(table: Table, folds: Whole) -> Whole:
    """Return the folds, the same for all samples of one place (twins would tell of each other)."""
    twins = twin_labels(table.coords, table.tolerance)
    if twins is None:
        return folds
    return folds[np.unique(twins, return_index=True)[1]][twins]


def _leave_out_locally(
    table: Table, model: VariogramModel, setup: Setup, columns: list[int], folds: Whole
) -> tuple[Floats, Floats]:
    """Return estimates and variances of the rows: samples of the same fold are not searched."""
    folds = _of_places(table, folds)
    samples = prepare_samples(table, model.nugget, keep_twins=setup.keep_twins)
    of_samples = folds[np.searchsorted(table.rows, samples.rows)]
    system = local_system(
        samples,
        model,
        setup.search,
        frame=frame_of(model, setup.ellipsoid, samples.n_dims),
        trend=trend_of(setup.trend, columns),
        support=Support(),
        folds=of_samples,
    )
    solution = solve(
        system, table.coords, target_drift=table.drift, target_folds=folds, n_jobs=setup.n_jobs
    )
    return solution.estimates, solution.variances + table.noise


def _leave_out_globally(
    table: Table, model: VariogramModel, setup: Setup, columns: list[int], folds: Whole
) -> tuple[Floats, Floats]:
    """Return estimates and variances of the rows, from one inverse of the covariances."""
    folds = _of_places(table, folds)
    samples = prepare_samples(table, model.nugget, keep_twins=setup.keep_twins)
    of_samples = folds[np.searchsorted(table.rows, samples.rows)]
    left = leave_out(
        samples, model, of_samples, trend=trend_of(setup.trend, columns), n_jobs=setup.n_jobs
    )
    place = cKDTree(samples.coords).query(table.coords)[1]
    return left.estimates[place], left.variances[place]
