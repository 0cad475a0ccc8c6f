"""Mixtures of normal distributions as detectors: the ore-rich part of all, or what fits no normal.

A table of shape (n, features), and marks of the known normals if there are any, come in; scores go
out, higher for more normal.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from gossan import saving
from gossan._checks import check_labels, check_option
from gossan.models._rows import check_above_zero

__all__ = ["MixtureDetector"]

FORMS = ("normals", "posterior")
COVARIANCES = ("full", "tied", "diag", "spherical")
ARRAYS = ("center_", "scale_", "means_", "covariances_", "shares_", "bic_")


class MixtureDetector(OutlierMixin, BaseEstimator):
    """Mixture of normal distributions that tells how unlike barren ground, or how like ore, a row is.

    Use form "normals" where barren ground is known: rows that are unlikely under it are anomalous.
    Use "posterior" where nothing is known: one part of a mixture of all rows is taken for ore. It
    fails where ore is too rare to be a part of its own.

    Parameters
    ----------
    form : {"normals", "posterior"}
        "normals": the score is the log density under a mixture of the normal rows. "posterior": the
        log odds that a row does not belong to the ore-rich part of a mixture of all rows.
    n_components : int or None
        Parts of the mixture. None: the number up to `max_components` with the lowest BIC.
    max_components : int
        Largest number tried.
    covariance : {"full", "tied", "diag", "spherical"}
        Shape of the parts, see `sklearn.mixture.GaussianMixture`.
    ore_features : sequence of int or str, or None
        Columns whose mean, in standard deviations, tells the ore-rich part. None: the part that
        takes the largest share of its rows from y = 1; without `y`, all columns.
    regularisation : float
        Added to the variances of the standardised columns; keeps binary columns from collapsing.
    n_starts : int
        Starts of the fit, of which the best is kept.
    false_positive_rate : float
        Share of the normal training rows that are called anomalous, with "normals".
    random_state : int or None
        Seed of the starts.

    Attributes
    ----------
    names_ : list of str
        Names of the features.
    n_components_ : int
        Parts of the mixture.
    bic_ : array of shape (n_tried,)
        Bayesian information criterion of each number tried.
    means_, covariances_, shares_ : arrays of shape (k, d), (k, d, d), (k,)
        The mixture of the standardised columns.
    center_, scale_ : arrays of shape (d,)
        Mean and standard deviation of the columns.
    ore_part_ : int
        Number of the ore-rich part; -1 with "normals".
    offset_ : float
        Score below which a row is anomalous: with "posterior" 0, even odds.

    References
    ----------
    McLachlan & Peel (2000) [McLachlanPeel2000]_, doi:10.1002/0471721182; BIC: Schwarz (1978)
    [Schwarz1978]_, doi:10.1214/aos/1176344136.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.vstack([rng.normal(0, 1, (300, 2)), rng.normal(6, 1, (40, 2))])
    >>> model = MixtureDetector("posterior", random_state=0).fit(X)
    >>> model.n_components_, model.predict([[0.0, 0.0], [6.0, 6.0]]).tolist()
    (2, [1, -1])
    """

    def __init__(
        self,
        form: str = "normals",
        *,
        n_components: int | None = None,
        max_components: int = 6,
        covariance: str = "full",
        ore_features: Sequence[int | str] | None = None,
        regularisation: float = 1e-3,
        n_starts: int = 2,
        false_positive_rate: float = 0.05,
        random_state: int | None = None,
    ) -> None:
        self.form = form
        self.n_components = n_components
        self.max_components = max_components
        self.covariance = covariance
        self.ore_features = ore_features
        self.regularisation = regularisation
        self.n_starts = n_starts
        self.false_positive_rate = false_positive_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> MixtureDetector:
        """Fit the mixture.

        Parameters
        ----------
        X : array of shape (n, n_features)
            Any numbers; no missing values.
        y : array of shape (n,), optional
            0 for what is known to be normal (barren), any other number for the rest. "normals" fits
            the normals only; "posterior" fits all and may use it to name the ore-rich part.

        Returns
        -------
        self : MixtureDetector

        Raises
        ------
        ValueError
            If a value is missing or infinite, there are fewer than two rows to fit, or a setting is
            wrong.
        """
        self._check_settings()
        table = validate_data(self, X, dtype=np.float64)
        default = [f"x{i}" for i in range(table.shape[1])]
        self.names_ = [str(name) for name in getattr(self, "feature_names_in_", default)]
        is_normal = np.ones(len(table), dtype=bool)
        if y is not None:
            is_normal = check_labels("y", y, len(table)) == 0
        own = table[is_normal] if self.form == "normals" else table
        if len(own) < 2:
            raise ValueError(
                f"A mixture needs at least 2 rows, got {len(own)} (y = 0) of {len(table)}. Write 0"
                " for normal rows, or pass y=None to take all for normal."
            )
        self.center_, self.scale_ = own.mean(axis=0), own.std(axis=0)
        self.scale_ = np.where(self.scale_ > 0, self.scale_, 1.0)
        self._keep(self._best_mixture((own - self.center_) / self.scale_))
        self.ore_part_, self.offset_ = -1, 0.0
        if self.form == "posterior":
            self.ore_part_ = self._find_ore_part(table, None if y is None else ~is_normal)
        else:
            scores = logsumexp(self._log_parts(own), axis=1)
            self.offset_ = float(np.quantile(scores, self.false_positive_rate))
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return how normal each row is (higher is more normal), shape (n,).

        With "normals" the log density of the standardised row; with "posterior" the log odds
        against the ore-rich part.
        """
        check_is_fitted(self, "means_")
        parts = self._log_parts(validate_data(self, X, dtype=np.float64, reset=False))
        if self.form == "normals":
            return logsumexp(parts, axis=1)
        rest = np.delete(parts, self.ore_part_, axis=1)
        return logsumexp(rest, axis=1) - parts[:, self.ore_part_]

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return `score_samples` less the threshold `offset_`: below zero is anomalous."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return -1 for each anomalous row and 1 for each normal one, shape (n,)."""
        return np.where(self.decision_function(X) < 0.0, -1, 1)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: plain settings and arrays."""
        check_is_fitted(self, "means_")
        arrays = {name: getattr(self, name) for name in ARRAYS} | {"offset_": [self.offset_]}
        told = saving.settings_of(self) | {"ore_part": self.ore_part_}
        return told, {name: np.asarray(value) for name, value in arrays.items()}

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> MixtureDetector:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        model = saving.blank(cls, settings)
        cls._check_settings(model)
        d = model.n_features_in_
        model.shares_, model.bic_ = (saving.take(arrays, n, (None,)) for n in ("shares_", "bic_"))
        k = len(model.shares_)
        model.n_components_, model.ore_part_ = k, int(settings["ore_part"])
        model.means_ = saving.take(arrays, "means_", (k, d))
        model.covariances_ = saving.take(arrays, "covariances_", (k, d, d))
        model.center_, model.scale_ = (saving.take(arrays, n, (d,)) for n in ("center_", "scale_"))
        model.offset_ = float(saving.take(arrays, "offset_", (1,))[0])
        least = 0 if model.form == "posterior" else -1
        if not (model.scale_ > 0).all() or not (model.shares_ > 0).all():
            raise ValueError("a scale or a share is not above zero")
        if k < 2 + least or not least <= model.ore_part_ < k or (least and model.ore_part_ > -1):
            raise ValueError(f"part {model.ore_part_} of {k} cannot be the ore-rich one")
        np.linalg.cholesky(model.covariances_)  # raises LinAlgError, a ValueError
        return model

    def _check_settings(self) -> None:
        check_option("form", self.form, FORMS)
        check_option("covariance", self.covariance, COVARIANCES)
        check_above_zero("regularisation", self.regularisation)
        check_above_zero("n_starts", self.n_starts)
        if not 0.0 < self.false_positive_rate < 1.0:
            raise ValueError(
                "false_positive_rate must lie between 0 and 1, got"
                f" {self.false_positive_rate}. Use 0.05 for 5 %."
            )
        least = 2 if self.form == "posterior" else 1
        for name in ("n_components", "max_components"):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(
                    f"{name} must be at least {least} for form={self.form!r}, got {value}."
                    " Leave it out for its default."
                )

    def _best_mixture(self, rows: NDArray[np.float64]) -> GaussianMixture:
        """Return the mixture with the lowest BIC among the numbers of parts tried."""
        rng = np.random.default_rng(self.random_state)
        least = 2 if self.form == "posterior" else 1
        counts = range(least, min(self.max_components, len(rows)) + 1)
        counts = [self.n_components] if self.n_components is not None else list(counts)
        fitted = []
        for count in counts:
            mixture = GaussianMixture(
                count,
                covariance_type=self.covariance,
                reg_covar=self.regularisation,
                n_init=int(self.n_starts),
                random_state=int(rng.integers(2**31)),
            )
            with threadpool_limits(1), warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the best start is good enough
                fitted.append(mixture.fit(rows))
        self.bic_ = np.array([mixture.bic(rows) for mixture in fitted])
        return fitted[int(np.argmin(self.bic_))]

    def _keep(self, mixture: GaussianMixture) -> None:
        """Copy the mixture with its covariances written out in full."""
        self.n_components_, d = mixture.means_.shape
        self.means_, self.shares_ = mixture.means_.copy(), mixture.weights_.copy()
        given = mixture.covariances_
        if self.covariance == "full":
            self.covariances_ = given.copy()
        elif self.covariance == "tied":
            self.covariances_ = np.repeat(given[None], self.n_components_, axis=0)
        else:
            diagonal = given if self.covariance == "diag" else np.repeat(given[:, None], d, axis=1)
            self.covariances_ = diagonal[:, :, None] * np.eye(d)

    def _log_parts(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log of share times density of each part, shape (n, k)."""
        rows = (table - self.center_) / self.scale_
        out = np.empty((len(rows), self.n_components_))
        for part in range(self.n_components_):
            root = np.linalg.cholesky(self.covariances_[part])
            away = solve_triangular(root, (rows - self.means_[part]).T, lower=True)
            log_volume = np.log(np.diag(root)).sum() + 0.5 * rows.shape[1] * np.log(2 * np.pi)
            out[:, part] = np.log(self.shares_[part]) - log_volume - 0.5 * (away**2).sum(axis=0)
        return out

    def _find_ore_part(self, table: NDArray[np.float64], is_ore: NDArray[np.bool_] | None) -> int:
        """Return the part that is richest in the ore features, or in known ore."""
        if self.ore_features is None and is_ore is not None and is_ore.any():
            parts = self._log_parts(table)
            belongs = np.exp(parts - logsumexp(parts, axis=1, keepdims=True))
            return int(np.argmax(belongs[is_ore].sum(axis=0) / belongs.sum(axis=0)))
        columns = range(len(self.names_)) if self.ore_features is None else self.ore_features
        for column in columns:
            if isinstance(column, str):
                check_option("ore_features", column, self.names_)
        numbers = [self.names_.index(c) if isinstance(c, str) else int(c) for c in columns]
        return int(np.argmax(self.means_[:, numbers].mean(axis=1)))
