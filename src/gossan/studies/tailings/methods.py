"""Methods of estimating concentrations between samples, all with one face: fit here, quantiles there.

Normal scores of samples in space come in; quantiles of normal scores at any place go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from gossan._checks import GossanWarning
from gossan.geostat.cokriging import Cokriging
from gossan.geostat.covariance import VariogramModel
from gossan.geostat.fitting import FittedVariogram, fit_variogram
from gossan.geostat.idw import InverseDistance
from gossan.geostat.kriging import Kriging
from gossan.geostat.regression_kriging import RegressionKriging
from gossan.models.spatial import SpatialForest, SpatialProcess
from gossan.nets.neighbour_rnn import NeighbourRegressor
from gossan.sampling.neighbours import neighbour_sequences

LEVELS = (np.arange(40) + 0.5) / 40  # of the predictive quantiles
MOST_LIKELIHOOD = 3000  # samples up to which variograms are fitted by likelihood
MOST_GLOBAL = 2000  # samples up to which kriging uses all of them, exactly
MOST_PROCESS = 1500  # samples that a Gaussian process can take in reasonable time
N_NEIGHBOURS, N_PER_HOLE = 32, 6
ANISOTROPY_GAIN = 6.0  # of log-likelihood: log n of some hundred samples, as in BIC
STEPS = 16  # samples that the network reads at each place

Quantiles = NDArray[np.float64]  # (n_places, n_levels, n_elements)


@dataclass(frozen=True)
class Training:
    """What a method learns from.

    Attributes
    ----------
    coords : array of shape (n, 2 or 3)
    covariates : array of shape (n, n_covariates)
    scores : array of shape (n, n_elements)
        Normal scores of the concentrations.
    groups : array of shape (n,) or None
        Holes or blocks: what validation holds out.
    holes : array of shape (n,) or None
        Drill holes, of which no neighbourhood takes too many samples.
    random_state : int
    whole : Training or None
        What it is an inner fold of: then the variogram models are those of the whole, whose fit
        costs most. The outer held-out part has no say in them.
    """

    coords: NDArray[np.float64]
    covariates: NDArray[np.float64]
    scores: NDArray[np.float64]
    groups: NDArray | None
    holes: NDArray | None
    random_state: int = 0
    whole: Training | None = None

    @cached_property
    def isotropic(self) -> list[FittedVariogram]:
        """A model for each element, alike in all directions."""
        return self.whole.isotropic if self.whole else self._fit("none")

    @cached_property
    def anisotropic(self) -> list[FittedVariogram]:
        """A model for each element: with an azimuth in 2D, with a range of its own upright in 3D."""
        if self.whole:
            return self.whole.anisotropic
        return self._fit("full" if self.coords.shape[1] == 2 else "vertical")

    @cached_property
    def usual(self) -> list[FittedVariogram]:
        """A model for each element: with directions in 3D, and in 2D where they clearly fit better."""
        if self.coords.shape[1] == 3:
            return self.anisotropic
        pairs = zip(self.isotropic, self.anisotropic, strict=True)
        return [_clearly_better(plain, directed) for plain, directed in pairs]

    def models(self) -> list[VariogramModel]:
        """Return the usual model of each element."""
        return [each.model for each in self.usual]

    def stretched(self, coords: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return coordinates turned and stretched until all directions are alike [m].

        For methods that know distances alone, of all elements together.
        """
        return (self.coords if coords is None else coords) @ self.stretch.T

    @cached_property
    def stretch(self) -> NDArray[np.float64]:
        """Return the matrix of `stretched`: upright in 3D; in 2D if most elements have directions."""
        if self.whole:
            return self.whole.stretch
        n_dims = self.coords.shape[1]
        ranges = [each.ranges for model in self.models() for each in model.structures]
        if n_dims == 3:
            ratio = np.median([each[0] / each[-1] for each in ranges]) if ranges else 1.0
            return np.diag([1.0, 1.0, float(ratio)])
        directed = [
            fit for fit in self.usual if any(len(s.ranges) > 1 for s in fit.model.structures)
        ]
        if len(directed) <= len(self.usual) / 2:
            return np.eye(n_dims)
        steepest = max(
            (s for fit in directed for s in fit.model.structures),
            key=lambda s: s.ranges[0] / s.ranges[-1],
        )
        return steepest.transform(n_dims) * steepest.ranges[0]

    def _fit(self, anisotropy: str) -> list[FittedVariogram]:
        return [self.fit(column, anisotropy) for column in self.scores.T]

    def fit(self, column: NDArray[np.float64], anisotropy: str) -> FittedVariogram:
        """Return a model of some values at the samples."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GossanWarning)  # told once, in the report
            return fit_variogram(self.coords, column, anisotropy=anisotropy, method=self._method())

    @cached_property
    def residual_models(self) -> list[VariogramModel]:
        """A model for each element, of what a linear trend on the covariates leaves."""
        if self.whole:
            return self.whole.residual_models
        X = np.hstack([self.coords, self.covariates])
        left = [
            RegressionKriging(_trend(), InverseDistance(), n_dims=self.coords.shape[1])
            .fit(X, column, groups=self.groups)
            .residuals_
            for column in self.scores.T
        ]
        if self.coords.shape[1] == 3:
            return [self.fit(column, "vertical").model for column in left]
        both = [(self.fit(column, "none"), self.fit(column, "full")) for column in left]
        return [_clearly_better(*each).model for each in both]

    def _method(self) -> str:
        """Return likelihood, which is sharper, where it is quick."""
        return "likelihood" if len(self.coords) <= MOST_LIKELIHOOD else "least_squares"


# What a fitted method is: coordinates and covariates of places -> quantiles.
Predictor = Callable[[NDArray[np.float64], NDArray[np.float64]], Quantiles]


def _clearly_better(plain: FittedVariogram, directed: FittedVariogram) -> FittedVariogram:
    """Return the model with directions if its likelihood pays for its two more parameters."""
    if plain.method != "likelihood":
        return plain
    gain = plain.candidates["loss"].min() - directed.candidates["loss"].min()
    return directed if gain > ANISOTROPY_GAIN else plain


def _trend() -> Pipeline:
    return make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 13)))


def ordinary_kriging(training: Training, *, is_anisotropic: bool = False) -> Predictor:
    """Kriging of each element's normal scores, with all samples or those of the neighbourhood.

    Parameters
    ----------
    training : Training
    is_anisotropic : bool
        Whether the models have directions.

    Returns
    -------
    predictor : callable
    """
    fits = training.anisotropic if is_anisotropic else training.isotropic
    models = [each.model for each in fits]
    fitted = [
        _kriging(model, training).fit(training.coords, column, **_groups(training))
        for model, column in zip(models, training.scores.T, strict=True)
    ]

    def predict(coords: NDArray, _: NDArray) -> Quantiles:
        found = [each.predict(coords, return_std=True) for each in fitted]
        return _normal([mean for mean, _ in found], [std for _, std in found], models)

    return predict


def anisotropic_kriging(training: Training) -> Predictor:
    """Kriging with models that have directions."""
    return ordinary_kriging(training, is_anisotropic=True)


def cokriging(training: Training) -> Predictor:
    """Kriging of each element with the others at the samples, by a model of coregionalisation."""
    n_dims, n_elements = training.coords.shape[1], training.scores.shape[1]
    fitted = []
    for element in range(n_elements):
        others = np.delete(training.scores, element, axis=1)
        X = np.hstack([training.stretched(), others])
        fitted.append(Cokriging(n_dims=n_dims).fit(X, training.scores[:, element]))
    models = training.models()

    def predict(coords: NDArray, _: NDArray) -> Quantiles:
        unknown = np.full((len(coords), n_elements - 1), np.nan)
        X = np.hstack([training.stretched(coords), unknown])
        found = [each.predict(X, return_std=True) for each in fitted]
        return _normal([mean for mean, _ in found], [std for _, std in found], models)

    return predict


def regression_kriging(training: Training) -> Predictor:
    """A linear trend on the covariates, and kriging of what it leaves."""
    X = np.hstack([training.coords, training.covariates])
    n_dims = training.coords.shape[1]
    models = training.residual_models
    fitted = [
        RegressionKriging(_trend(), _kriging(model, training), n_dims=n_dims).fit(
            X, column, groups=training.groups
        )
        for model, column in zip(models, training.scores.T, strict=True)
    ]

    def predict(coords: NDArray, covariates: NDArray) -> Quantiles:
        places = np.hstack([coords, covariates])
        found = [each.predict(places, return_std=True) for each in fitted]
        return _normal([mean for mean, _ in found], [std for _, std in found], models)

    return predict


def forest(training: Training) -> Predictor:
    """Random forest on coordinates, distances to the samples and covariates."""
    X = np.hstack([training.stretched(), training.covariates])
    n_dims = training.coords.shape[1]
    grown = SpatialForest(n_dims, random_state=training.random_state).fit(X, training.scores)

    def predict(coords: NDArray, covariates: NDArray) -> Quantiles:
        places = np.hstack([training.stretched(coords), covariates])
        return grown.predict_quantiles(places, LEVELS)

    return predict


def process(training: Training) -> Predictor:
    """Gaussian process of coordinates and covariates; of a random part of very many samples."""
    X = np.hstack([training.stretched(), training.covariates])
    n_dims = training.coords.shape[1]
    rng = np.random.default_rng(training.random_state)
    rows = np.sort(rng.permutation(len(X))[:MOST_PROCESS])
    is_layered = n_dims == 3  # each coordinate has a range of its own
    seed = training.random_state
    fitted = SpatialProcess(n_dims, anisotropic=is_layered, random_state=seed)
    fitted.fit(X[rows], training.scores[rows])

    def predict(coords: NDArray, covariates: NDArray) -> Quantiles:
        places = np.hstack([training.stretched(coords), covariates])
        mean, std = fitted.predict(places, return_std=True)
        shape = (len(coords), -1)
        return _normal(np.reshape(mean, shape).T, np.reshape(std, shape).T)

    return predict


def network(trainings: Sequence[Training], share: Share | None = None) -> list[Predictor]:
    """Conv1D and BiLSTM over the nearest samples, as a correction of kriging; all folds at once.

    Parameters
    ----------
    trainings : sequence of Training
    share : callable, optional
        Called with the epochs done and their number.

    Returns
    -------
    predictors : list of callable
    """
    told = [_sequences(each) for each in trainings]
    starts = np.cumsum([0, *(len(each) for each in told)])
    members = [
        (np.arange(start, end), training.random_state)
        for start, end, training in zip(starts[:-1], starts[1:], trainings, strict=True)
    ]
    has_groups = all(each.groups is not None for each in trainings)
    groups = np.concatenate([each.groups for each in trainings]) if has_groups else None
    model = NeighbourRegressor(random_state=0, progress=share)
    scores = np.concatenate([each.scores for each in trainings])
    fitted = model.fit_many(np.concatenate(told), scores, members, groups=groups)
    return [_network_predictor(*each) for each in zip(fitted, trainings, strict=True)]


def _sequences(
    training: Training,
    coords: NDArray | None = None,
    covariates: NDArray | None = None,
) -> NDArray[np.float32]:
    """Return the sequences of the samples themselves, each left out with its group, or of places."""
    has_covariates = training.covariates.shape[1] > 0
    is_place = coords is not None
    is_capped = training.holes is not None and training.groups is not None
    return neighbour_sequences(
        training.coords,
        training.scores,
        model=training.models(),
        places=coords,
        groups=training.groups,
        steps=STEPS,
        n_per_group=N_PER_HOLE if is_capped else None,
        covariates=training.covariates if has_covariates else None,
        place_covariates=covariates if has_covariates and is_place else None,
    ).X


def _network_predictor(fitted: NeighbourRegressor, training: Training) -> Predictor:
    def predict(coords: NDArray, covariates: NDArray) -> Quantiles:
        X = _sequences(training, coords, covariates)
        return fitted.predict_quantiles(X, LEVELS).reshape(len(coords), len(LEVELS), -1)

    return predict


def applicable(names: Sequence[str], *, n_elements: int, n_covariates: int) -> list[str]:
    """The methods that are not another one in disguise on such data.

    Cokriging of one element, and regression kriging without covariates, are kriging.

    Parameters
    ----------
    names : sequence of str
    n_elements, n_covariates : int

    Returns
    -------
    names : list of str

    Examples
    --------
    >>> applicable(["kriging", "cokriging", "regression_kriging"], n_elements=2, n_covariates=0)
    ['kriging', 'cokriging']
    """
    needs = {"cokriging": n_elements > 1, "regression_kriging": n_covariates > 0}
    return [name for name in names if needs.get(name, True)]


Share = Callable[[int, int], None]  # told how many trainings of how many are done


def _each(fit: Callable[[Training], Predictor]) -> Callable[..., list[Predictor]]:
    """Return the method for many trainings, one after another, each told when it is done."""

    def fit_each(trainings: Sequence[Training], share: Share | None = None) -> list[Predictor]:
        predictors = []
        for training in trainings:
            predictors.append(fit(training))
            if share is not None:
                share(len(predictors), len(trainings))
        return predictors

    return fit_each


REFERENCE = "kriging"
METHODS: Mapping[str, Callable[..., list[Predictor]]] = {
    "kriging": _each(ordinary_kriging),
    "anisotropic_kriging": _each(anisotropic_kriging),
    "cokriging": _each(cokriging),
    "regression_kriging": _each(regression_kriging),
    "forest": _each(forest),
    "process": _each(process),
    "network": network,
}
NAMES = {
    "kriging": "ordinary kriging",
    "anisotropic_kriging": "kriging with directions",
    "cokriging": "cokriging",
    "regression_kriging": "regression kriging",
    "forest": "random forest on distances",
    "process": "Gaussian process",
    "network": "kriging + Conv1D-BiLSTM",
    "blend": "blend",
}


def _kriging(model: VariogramModel, training: Training) -> Kriging:
    if len(training.coords) <= MOST_GLOBAL:
        return Kriging(model, n_neighbours=None)
    return Kriging(
        model,
        n_neighbours=N_NEIGHBOURS,
        n_per_group=None if training.holes is None else N_PER_HOLE,
    )


def _groups(training: Training) -> dict[str, NDArray]:
    return {} if training.holes is None else {"groups": training.holes}


def _normal(
    means: Sequence[NDArray] | NDArray,
    stds: Sequence[NDArray] | NDArray,
    models: Sequence[VariogramModel] | None = None,
) -> Quantiles:
    """Return quantiles of normal distributions; where nothing is near, those of the whole."""
    mean, std = np.stack(list(means), axis=1), np.stack(list(stds), axis=1)  # (n, elements)
    if models is not None:
        sill = np.sqrt([model.sill for model in models])
        std = np.where(np.isnan(mean), sill, std)
        mean = np.nan_to_num(mean)
    return mean[:, None] + std[:, None] * ndtri(LEVELS)[:, None]
