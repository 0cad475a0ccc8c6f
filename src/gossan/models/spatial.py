"""Regressors of space without torch: a forest on distances, and a Gaussian process.

Tables whose first columns are coordinates [m], then covariates, come in; estimates and predictive
quantiles of one or several elements go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.special import ndtri
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan._checks import check_option, check_positive

__all__ = ["SpatialForest", "SpatialProcess"]

TREES = {"random": RandomForestRegressor, "extra": ExtraTreesRegressor}
ROWS_AT_ONCE = 2048


class SpatialForest(RegressorMixin, BaseEstimator):
    """Random forest on coordinates, distances to the samples, and covariates (RFsp).

    Use it where covariates matter or values jump at boundaries. It knows no variogram, cannot
    exceed the values it has seen, and is rough between samples that lie far apart.

    Parameters
    ----------
    n_coordinates : int
        How many of the first columns are coordinates [m]; the others are covariates.
    distances : {"samples", "corners", "none"}
        "samples": distance to each sample, or to `n_centres` of them; "corners": to the corners and
        the centre of the box round the samples; "none": coordinates alone.
    n_centres : int
        Most samples to which distances are taken; more are thinned to these, evenly in space.
    trees : {"random", "extra"}
        Random forest, or extremely randomised trees (smoother).
    n_estimators, min_samples_leaf, max_features
        As in scikit-learn.
    random_state : int or None
        Seed of the trees.
    n_jobs : int or None
        Threads.

    Attributes
    ----------
    centres_ : array of shape (n_centres, n_coordinates)
        Places to which distances are taken [m].
    forest_ : estimator
        The grown trees.
    y_ : array of shape (n, n_elements)
        Values of the samples.

    References
    ----------
    Hengl et al. (2018), doi:10.7717/peerj.5518 (RFsp); Meinshausen (2006), Quantile regression
    forests, J. Mach. Learn. Res. 7, 983-999.

    Examples
    --------
    >>> places = [[0.0, 0.0], [0.0, 100.0], [100.0, 0.0], [100.0, 100.0]] * 5
    >>> forest = SpatialForest(random_state=0, n_estimators=20, min_samples_leaf=1)
    >>> forest.fit(places, [1.0, 2.0, 1.0, 2.0] * 5).predict([[50.0, 90.0]]).round()
    array([2.])
    """

    def __init__(
        self,
        n_coordinates: int = 2,
        *,
        distances: str = "samples",
        n_centres: int = 300,
        trees: str = "random",
        n_estimators: int = 300,
        min_samples_leaf: int = 3,
        max_features: float = 0.33,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_coordinates = n_coordinates
        self.distances = distances
        self.n_centres = n_centres
        self.trees = trees
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: ArrayLike) -> SpatialForest:
        """Grow the trees.

        Parameters
        ----------
        X : array of shape (n, n_coordinates + n_covariates)
            Coordinates [m], then covariates.
        y : array of shape (n,) or (n, n_elements)
            Values; several elements share the trees.

        Returns
        -------
        self : SpatialForest

        Raises
        ------
        ValueError
            If a value is missing or infinite, or an option is unknown.
        """
        check_option("distances", self.distances, ("samples", "corners", "none"))
        check_option("trees", self.trees, TREES)
        table, self.y_, self._is_flat = _training(self, X, y)
        rng = np.random.default_rng(self.random_state)
        self.centres_ = self._choose_centres(table[:, : self.n_coordinates], rng)
        self.forest_ = TREES[self.trees](
            n_estimators=self.n_estimators,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            random_state=int(rng.integers(2**31)),
            n_jobs=self.n_jobs,
        )
        features = self._features(table)
        self.forest_.fit(features, self.y_ if self.y_.shape[1] > 1 else self.y_[:, 0])
        leaves = self.forest_.apply(features)  # (n, trees)
        self._width = int(leaves.max()) + 1
        members = self._one_hot(leaves)
        counts = np.maximum(np.asarray(members.sum(axis=0)).ravel(), 1.0)
        self._members = (members @ sparse.diags(1.0 / counts)).T.tocsr()  # (leaves, n)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the mean of the predictive distribution, shape (n,) or (n, n_elements)."""
        weights = self.weights(X)
        return _as_given(weights @ self.y_, self._is_flat)

    def predict_quantiles(self, X: ArrayLike, levels: ArrayLike) -> NDArray[np.float64]:
        """Return quantiles, shape (n, n_levels) or (n, n_levels, n_elements).

        Parameters
        ----------
        X : array of shape (n, n_features)
            As in `fit`.
        levels : array of shape (n_levels,)
            Probabilities in (0, 1).

        Returns
        -------
        quantiles : float64 array
            In the unit of `y`.
        """
        probabilities = check_levels(levels)
        weights = self.weights(X)
        order = np.argsort(self.y_, axis=0)
        out = np.empty((len(weights), len(probabilities), self.y_.shape[1]))
        for element, rows in enumerate(order.T):
            gathered = np.cumsum(weights[:, rows], axis=1)
            for i, level in enumerate(probabilities):
                place = (gathered < level - 1e-12).sum(axis=1)
                out[:, i, element] = self.y_[rows, element][np.minimum(place, len(rows) - 1)]
        return _as_given(out, self._is_flat)

    def weights(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the weight of each sample at each place, shape (n, n_samples); rows sum to 1."""
        check_is_fitted(self, "forest_")
        table = validate_data(self, X, dtype=np.float64, reset=False)
        blocks = [table[i : i + ROWS_AT_ONCE] for i in range(0, len(table), ROWS_AT_ONCE)]
        found = [
            self._one_hot(self.forest_.apply(self._features(b))) @ self._members for b in blocks
        ]
        return np.concatenate([each.toarray() for each in found]) / self.n_estimators

    def _one_hot(self, leaves: NDArray) -> sparse.csr_array:
        n, n_trees = leaves.shape
        columns = leaves + np.arange(n_trees) * self._width
        starts = np.arange(0, n * n_trees + 1, n_trees)
        shape = (n, n_trees * self._width)
        ok = columns < shape[1]
        return sparse.csr_array((ok.ravel().astype(float), columns.ravel(), starts), shape=shape)

    def _choose_centres(self, points: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
        if self.distances == "none":
            return points[:0]
        if self.distances == "corners":
            low, high = points.min(axis=0), points.max(axis=0)
            ends = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1)
            return np.vstack([ends.reshape(-1, points.shape[1]), (low + high) / 2.0])
        places = np.unique(points, axis=0)
        return places if len(places) <= self.n_centres else _spread(places, self.n_centres, rng)

    def _features(self, table: NDArray) -> NDArray[np.float64]:
        offsets = table[:, None, : self.n_coordinates] - self.centres_  # (n, centres, d)
        return np.hstack([table, np.sqrt((offsets**2).sum(axis=2))])


class SpatialProcess(RegressorMixin, BaseEstimator):
    """Gaussian process of coordinates and covariates, its parameters found by likelihood.

    The process is a sum: one part varies with the place, one with the covariates, and a nugget.
    Its cost grows with the cube of the samples: use it up to about two thousand.

    Parameters
    ----------
    n_coordinates : int
        How many of the first columns are coordinates [m]; the others are covariates.
    smoothness : {0.5, 1.5, 2.5}
        Of the Matern covariance; 0.5 is the exponential model.
    anisotropic : bool
        Whether each coordinate has a range of its own.
    n_restarts : int
        Further searches for the parameters from random starts.
    random_state : int or None
        Seed of the starts.

    Attributes
    ----------
    processes_ : list of GaussianProcessRegressor
        One for each element.
    center_, scale_ : arrays of shape (n_features,)
        Scaling of the columns; coordinates share one scale.

    References
    ----------
    Rasmussen & Williams (2006), Gaussian Processes for Machine Learning, MIT Press.

    Examples
    --------
    >>> places = np.linspace(0.0, 100.0, 21)[:, None] * [1.0, 0.0]
    >>> process = SpatialProcess().fit(places, np.sin(places[:, 0] / 20.0))
    >>> process.predict([[31.4, 0.0]]).round(2)
    array([0.99])
    """

    def __init__(
        self,
        n_coordinates: int = 2,
        *,
        smoothness: float = 0.5,
        anisotropic: bool = False,
        n_restarts: int = 0,
        random_state: int | None = None,
    ) -> None:
        self.n_coordinates = n_coordinates
        self.smoothness = smoothness
        self.anisotropic = anisotropic
        self.n_restarts = n_restarts
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> SpatialProcess:
        """Find the parameters of each element and factor its covariances.

        Parameters
        ----------
        X : array of shape (n, n_coordinates + n_covariates)
            Coordinates [m], then covariates.
        y : array of shape (n,) or (n, n_elements)
            Values, best as normal scores.

        Returns
        -------
        self : SpatialProcess

        Raises
        ------
        ValueError
            If a value is missing or infinite.
        """
        check_option("smoothness", self.smoothness, (0.5, 1.5, 2.5))
        table, values, self._is_flat = _training(self, X, y)
        self.center_, self.scale_ = table.mean(axis=0), table.std(axis=0)
        self.scale_[: self.n_coordinates] = self.scale_[: self.n_coordinates].max()
        self.scale_ = np.where(self.scale_ > 0, self.scale_, 1.0)
        seed = np.random.default_rng(self.random_state).integers(2**31)
        self.processes_ = []
        for element in values.T:
            process = GaussianProcessRegressor(
                self._kernel(table.shape[1]),
                alpha=1e-8,
                normalize_y=True,
                n_restarts_optimizer=self.n_restarts,
                random_state=int(seed),
            )
            with warnings.catch_warnings():  # a range at its bound is an answer: no structure
                warnings.simplefilter("ignore", ConvergenceWarning)
                process.fit((table - self.center_) / self.scale_, element)
            self.processes_.append(process)
        return self

    def predict(
        self, X: ArrayLike, *, return_std: bool = False
    ) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the estimate and, if asked, the standard deviation of a new sample.

        Parameters
        ----------
        X : array of shape (n, n_features)
            As in `fit`.
        return_std : bool
            Whether to return the standard deviation too.

        Returns
        -------
        estimate, std : float64 arrays of shape (n,) or (n, n_elements)
            In the unit of `y`.
        """
        check_is_fitted(self, "processes_")
        table = validate_data(self, X, dtype=np.float64, reset=False)
        scaled = (table - self.center_) / self.scale_
        if not return_std:
            means = np.column_stack([each.predict(scaled) for each in self.processes_])
            return _as_given(means, self._is_flat)
        both = [each.predict(scaled, return_std=True) for each in self.processes_]
        mean, std = (np.column_stack(part) for part in zip(*both, strict=True))
        return _as_given(mean, self._is_flat), _as_given(std, self._is_flat)

    def predict_quantiles(self, X: ArrayLike, levels: ArrayLike) -> NDArray[np.float64]:
        """Return quantiles, shape (n, n_levels) or (n, n_levels, n_elements), see `SpatialForest`.

        Parameters
        ----------
        X : array of shape (n, n_features)
            As in `fit`.
        levels : array of shape (n_levels,)
            Probabilities in (0, 1).

        Returns
        -------
        quantiles : float64 array
            In the unit of `y`.
        """
        z = ndtri(check_levels(levels))
        mean, std = self.predict(X, return_std=True)
        if self._is_flat:
            return mean[:, None] + std[:, None] * z
        return mean[:, None] + std[:, None] * z[:, None]

    def _kernel(self, n_features: int) -> Kernel:
        d = self.n_coordinates
        scale = [0.5] * d if self.anisotropic else 0.5
        kernel = ConstantKernel(0.5, (1e-3, 1e2)) * _ColumnMatern(scale, self.smoothness, 0, d)
        if n_features > d:
            each = [2.0] * (n_features - d)
            part = _ColumnMatern(each, 1.5, d, n_features)
            kernel = kernel + ConstantKernel(0.5, (1e-3, 1e2)) * part
        return kernel + WhiteKernel(0.4, (1e-4, 1e1))


class _ColumnMatern(Matern):
    """Matern covariance of some columns of the table."""

    def __init__(
        self,
        length_scale: float | Sequence[float] = 1.0,
        nu: float = 0.5,
        start: int = 0,
        stop: int = 2,
        length_scale_bounds: tuple[float, float] = (1e-2, 1e2),
    ) -> None:
        super().__init__(length_scale, length_scale_bounds, nu)
        self.start, self.stop = start, stop

    def __call__(self, X: NDArray, Y: NDArray | None = None, eval_gradient: bool = False) -> Any:
        other = None if Y is None else Y[:, self.start : self.stop]
        return super().__call__(X[:, self.start : self.stop], other, eval_gradient)


def check_levels(levels: ArrayLike) -> NDArray[np.float64]:
    probabilities = np.atleast_1d(np.asarray(levels, dtype=float))
    if probabilities.ndim != 1 or not ((probabilities > 0) & (probabilities < 1)).all():
        raise ValueError(f"levels must lie between 0 and 1, got {probabilities}. Use 0.05 for 5 %.")
    return probabilities


def _training(estimator: Any, X: ArrayLike, y: ArrayLike) -> tuple[NDArray, NDArray, bool]:
    """Return the checked table and values (n, n_elements), and whether y was one column."""
    table, values = validate_data(
        estimator, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2
    )
    check_positive("n_coordinates", estimator.n_coordinates, hint="Pass 2, or 3 with elevation.")
    if estimator.n_coordinates > table.shape[1]:
        raise ValueError(
            f"X has {table.shape[1]} columns, fewer than n_coordinates={estimator.n_coordinates}."
            " Put the coordinates first."
        )
    values = np.asarray(values, dtype=float)
    return table, values.reshape(len(values), -1), values.ndim == 1


def _as_given(values: NDArray, is_flat: bool) -> NDArray[np.float64]:
    return values[..., 0] if is_flat else values


def _spread(points: NDArray, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return `count` of the points, each the farthest from those before it."""
    chosen = [int(rng.integers(len(points)))]
    distance = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[np.sort(chosen)]
