"""Conditional simulation: many equally likely fields that all pass through the samples.

Coordinates [m] and values come in; realisations at any places, and what they say together (mean,
quantiles, probability above a cut-off), go out.

Sources
-------
Journel (1974), Geostatistics for conditional simulation of ore bodies, Economic Geology 69,
673-687, doi:10.2113/gsecongeo.69.5.673 (conditioning by kriging the differences).
Lantuejoul (2002), Geostatistical Simulation, Springer, doi:10.1007/978-3-662-04808-5 (sums of waves).
Goovaerts (1997), Geostatistics for Natural Resources Evaluation, Oxford University Press (normal
scores, E-type estimate).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from gossan._checks import check_random_state
from gossan.geostat._columns import known_rows, read_columns, read_values
from gossan.geostat._random_fields import check_simulable, field_at_points
from gossan.geostat.covariance import VariogramModel
from gossan.geostat.fitting import fit_variogram
from gossan.geostat.kriging import Kriging
from gossan.geostat.normal_scores import NormalScores

__all__ = ["ConditionalSimulation", "Realisations"]

Floats = NDArray[np.float64]

_N_NODES = 40  # of the quadrature over a normal distribution
_SAME_PLACE = 1e-9  # of the extent of the field
_MOST_AT_ONCE = 10_000_000  # values of a batch of realisations


@dataclass(frozen=True, eq=False)
class Realisations:
    """Equally likely values at some places; each question is put to each realisation.

    Attributes
    ----------
    values : array of shape (n_realisations, n)
        In the units of the samples.
    """

    values: Floats

    @property
    def mean(self) -> Floats:
        """Mean of the realisations at each place (E-type estimate), of shape (n,)."""
        return self.values.mean(axis=0)

    @property
    def std(self) -> Floats:
        """Standard deviation of the realisations at each place, of shape (n,)."""
        return self.values.std(axis=0)

    def quantile(self, shares: ArrayLike) -> Floats:
        """Quantiles at each place.

        Parameters
        ----------
        shares : float or array of shape (n_shares,)
            Between 0 and 1.

        Returns
        -------
        quantiles : array of shape (n,) or (n_shares, n)
        """
        return np.quantile(self.values, np.asarray(shares, dtype=float), axis=0)

    def probability_above(self, cutoff: float) -> Floats:
        """Share of the realisations above a cut-off at each place.

        Parameters
        ----------
        cutoff : float
            In the units of the samples.

        Returns
        -------
        probability : array of shape (n,)
        """
        return (self.values > cutoff).mean(axis=0)


class ConditionalSimulation(RegressorMixin, BaseEstimator):
    """Realisations of a field that equal the samples at their places and vary like them elsewhere.

    Kriging is smooth: use it for the best estimate of each place, and simulation for any question
    about many places at once (tonnage above a cut-off, the chance of a connected layer). Each
    realisation is an unconditional one, a sum of waves, plus the kriged difference to the samples.

    Parameters
    ----------
    model : VariogramModel or None
        Of the normal scores (scaled to a sill of 1), or of the values if `normal_scores` is False.
        None: `fit_variogram`.
    normal_scores : bool, default True
        Simulate in normal scores, so that the histogram is that of the samples.
    lower, upper : float, optional
        Least and greatest value that can be; None: those of the samples.
    n_neighbours : int or None, default 32
        Samples that condition a place; None: all (up to 20,000).
    n_per_group : int, "auto" or None, default "auto"
        Most samples of one hole among them.
    n_waves : int, default 800
        Waves of each structure; more make a realisation more nearly normal, in proportion of time.
    nugget : bool, default True
        Realisations vary as samples do. False: the nugget is left out of the places (and the
        samples are no longer met exactly).
    random_state : int, Generator or None, default 0

    Attributes
    ----------
    model_ : VariogramModel
        Of the scores, or values, that are simulated.
    scores_ : NormalScores or None
    n_features_in_ : int

    Examples
    --------
    >>> from gossan.geostat.covariance import Structure
    >>> model = VariogramModel(0.0, Structure("spherical", 1.0, 50.0))
    >>> simulation = ConditionalSimulation(model)
    >>> simulation = simulation.fit([[0.0, 0.0], [30.0, 0.0], [90.0, 0.0]], [1.0, 2.0, 5.0])
    >>> places = [[0.0, 0.0], [90.0, 0.0], [60.0, 0.0]]
    >>> drawn = simulation.sample(places, 200)
    >>> drawn.quantile([0.1, 0.9])[:, :2].round(6)
    array([[1., 5.],
           [1., 5.]])
    """

    def __init__(
        self,
        model: VariogramModel | None = None,
        *,
        normal_scores: bool = True,
        lower: float | None = None,
        upper: float | None = None,
        n_neighbours: int | None = 32,
        n_per_group: int | str | None = "auto",
        n_waves: int = 800,
        nugget: bool = True,
        random_state: int | np.random.Generator | None = 0,
    ) -> None:
        self.model = model
        self.normal_scores = normal_scores
        self.lower = lower
        self.upper = upper
        self.n_neighbours = n_neighbours
        self.n_per_group = n_per_group
        self.n_waves = n_waves
        self.nugget = nugget
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Take in the samples, their distribution and their variogram.

        Parameters
        ----------
        X : array of shape (n, 2) or (n, 3)
            Easting, northing and, if given, elevation [m].
        y : array of shape (n,)
            Values; rows without one (NaN) are left out, with a warning.
        groups : array of shape (n,), optional
            Hole of each sample.
        sample_weight : array of shape (n,), optional
            Weights of a declustering, for the histogram.

        Returns
        -------
        self : ConditionalSimulation

        Raises
        ------
        ValueError
            If a coordinate or all values are missing, there is more than one variable, the model has
            no sill, or a setting is out of range.
        """
        coords, _ = read_columns(self, X, None, reset=True)
        values = read_values(y, len(coords))
        if values.ndim != 1 or self.n_waves < 1:
            raise ValueError(
                f"Simulation takes one variable and one wave or more, got y of shape"
                f" {values.shape} and n_waves={self.n_waves}. Simulate one element after the other."
            )
        known = known_rows(values)
        self._coords = coords[known]
        self._groups = None if groups is None else np.asarray(groups)[known]
        weights = None if sample_weight is None else np.asarray(sample_weight)[known]
        numbers = self._learn_histogram(values[known], weights)
        given = self.model
        if given is None:
            given = fit_variogram(self._coords, numbers).model
        check_simulable(given)
        self.model_ = given.scaled(1.0 / given.sill) if self.normal_scores else given
        self._centre = 0.0 if self.normal_scores else float(np.average(numbers, weights=weights))
        self._numbers = numbers - self._centre
        return self

    def _learn_histogram(self, values: Floats, weights: Floats | None) -> Floats:
        """Return what is simulated: the normal scores, or the values themselves."""
        self.scores_ = None
        if not self.normal_scores:
            return values
        self.scores_ = NormalScores(lower=self.lower, upper=self.upper, random_state=0)
        self.scores_.fit(values[:, None], sample_weight=weights)
        return self.scores_.transform(values[:, None])[:, 0]

    def sample(
        self,
        X: ArrayLike,
        n_realisations: int = 100,
        *,
        random_state: int | np.random.Generator | None = None,
    ) -> Realisations:
        """Realisations at the places, together: neighbours vary with one another.

        Parameters
        ----------
        X : array of shape (m, n_dims)
            Coordinates [m].
        n_realisations : int, default 100
        random_state : int, Generator or None
            None: that of the estimator.

        Returns
        -------
        realisations : Realisations
            Values of shape (n_realisations, m).

        Raises
        ------
        ValueError
            If `n_realisations` is below 1, or the columns are not those of `fit`.
        """
        check_is_fitted(self)
        targets, _ = read_columns(self, X, self._coords.shape[1], reset=False)
        if n_realisations < 1:
            raise ValueError(
                f"n_realisations must be 1 or more, got {n_realisations}. 100 are usual."
            )
        rng = check_random_state(self.random_state if random_state is None else random_state)
        out = np.empty((n_realisations, len(targets)))
        step = max(1, _MOST_AT_ONCE // (len(targets) + len(self._coords)))
        for start in range(0, n_realisations, step):
            stop = min(start + step, n_realisations)
            out[start:stop] = self._simulate(targets, stop - start, rng)
        return Realisations(self._to_values(out))

    def predict(self, X: ArrayLike, *, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """Mean of all realisations there could be, and their standard deviation.

        Parameters
        ----------
        X : array of shape (m, n_dims)
            Coordinates [m].
        return_std : bool, default False

        Returns
        -------
        mean : array of shape (m,)
        std : array of shape (m,)
            Only with `return_std`.

        Raises
        ------
        ValueError
            If the columns are not those of `fit`.
        """
        check_is_fitted(self)
        targets, _ = read_columns(self, X, self._coords.shape[1], reset=False)
        centres, spreads = (
            self._kriging()
            .fit(self._coords, self._numbers, self._groups)
            .predict(targets, return_std=True)
        )
        nodes, weights = np.polynomial.hermite_e.hermegauss(_N_NODES)
        values = self._to_values(centres[:, None] + spreads[:, None] * nodes)
        share = weights / weights.sum()
        mean = values @ share
        if not return_std:
            return mean
        return mean, np.sqrt(np.maximum((values - mean[:, None]) ** 2 @ share, 0.0))

    def _kriging(self) -> Kriging:
        return Kriging(
            self.model_,
            "simple",
            mean=0.0,
            n_neighbours=self.n_neighbours,
            n_per_group=self.n_per_group,
            exact=self.nugget,
        )

    def _simulate(self, targets: Floats, n: int, rng: np.random.Generator) -> Floats:
        """Return `n` realisations of scores at the targets, conditioned by kriging."""
        n_samples = len(self._coords)
        places = np.vstack([self._coords, targets])
        places -= places.mean(axis=0)
        fields = np.stack(
            [field_at_points(places, self.model_, rng, n_waves=self.n_waves) for _ in range(n)]
        )
        noise = np.sqrt(self.model_.nugget) * rng.standard_normal(fields.shape)
        if not self.nugget:
            noise[:, n_samples:] = 0.0
        else:  # a place that is a sample has the nugget of that sample
            at, sample = _coincident(places[n_samples:], places[:n_samples])
            noise[:, n_samples + at] = noise[:, sample]
        fields += noise
        differences = self._numbers - fields[:, :n_samples]
        kriging = self._kriging().fit(self._coords, differences.T, self._groups)
        return fields[:, n_samples:] + kriging.predict(targets).T

    def _to_values(self, numbers: Floats) -> Floats:
        """Return scores, or deviations from the mean, as values."""
        if self.scores_ is not None:
            return self.scores_.inverse_transform(numbers.reshape(-1, 1)).reshape(numbers.shape)
        values = numbers + self._centre
        if self.lower is None and self.upper is None:
            return values
        return np.clip(values, self.lower, self.upper)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = True
        return tags


def _coincident(targets: Floats, samples: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the targets that stand at a sample, and which."""
    reach = _SAME_PLACE * max(float(np.ptp(samples, axis=0).max()), 1e-300)
    distance, nearest = cKDTree(samples).query(targets)
    at = np.flatnonzero(distance <= reach)
    return at, nearest[at]
