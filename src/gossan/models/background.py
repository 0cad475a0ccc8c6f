"""Background is unlabelled, not barren: models over many draws of it, and how far they agree.

Windows of known occurrences and of unlabelled background come in; the mean over the draws, its
spread and the stability of the best ground go out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from gossan import saving
from gossan._fit_alone import fit_alone
from gossan._map_tiles import TILE, check_layers
from gossan.models._map_estimator import LEAST, Array, Floats, MapEstimator
from gossan.models._parts import (
    check_parts,
    fit_each,
    given_to_parts,
    members_of,
    spread_of,
    wanted_field,
)
from gossan.models._rows import check_above_zero
from gossan.models.logistic import PointLogistic
from gossan.models.stability import stability_of

__all__ = ["BackgroundEnsemble"]


class BackgroundEnsemble(MapEstimator):
    """Models trained on all occurrences and each on another draw of the background, averaged.

    Use it about any map estimator: some of the unlabelled cells hold ore that nobody found, and
    which of them a single draw takes for barren decides much of its map [Mordelet2014]_. The spread
    over draws and members is the uncertainty that comes with it.

    Parameters
    ----------
    estimator : map estimator or None
        Cloned for each draw; one with `fit_many` trains all draws at once. None: `PointLogistic`.
    n_draws : int
        Draws of the background; 10 leave little of the chance of a draw in the mean.
    per_positive : float
        Background rows in a draw for each occurrence; more cost time, fewer miss rocks.
    least : int
        Background rows in a draw at least, or all that there are.
    random_state : int or None
        Seed of the draws and of the models.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Class names, sorted; the second is the ore.
    names_ : list of str
        Names of the channels.
    field_ : int
        Cells along a side that the models read.
    background_ : array of shape (channels,)
        Median of each channel over all background rows.
    estimators_ : list of map estimators
        One for each draw.

    Notes
    -----
    Inside a `WindowStatistics` it takes the statistics of a map once; about one, once a draw.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1020, 2))
    >>> X[:20, 0] += 3.0
    >>> model = BackgroundEnsemble(random_state=0).fit(X, [1] * 20 + [0] * 1000)
    >>> len(model.estimators_), model.member_probabilities(X[:5]).shape
    (10, (10, 5))
    """

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_draws: int = 10,
        per_positive: float = 10.0,
        least: int = 200,
        random_state: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_draws = n_draws
        self.per_positive = per_positive
        self.least = least
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> BackgroundEnsemble:
        """Draw the background and fit a clone on each draw.

        Parameters
        ----------
        X : array of shape (n, channels, size, size) or (n, channels)
            Windows about n cells; all the background that may be drawn.
        y : array of shape (n,)
            Two classes; 1 for known occurrences and 0 for background.
        sample_weight : array of shape (n,), optional
            Weight of each row in its draw; zero leaves it out of all.
        groups : array of shape (n,), optional
            Deposit or block of each row, for an estimator that takes it.

        Returns
        -------
        self : BackgroundEnsemble

        Raises
        ------
        ValueError
            If a value is missing or infinite, there are not two classes, or a setting is wrong.
        """
        return fit_alone(self, X, y, groups=groups, sample_weight=sample_weight)

    def fit_many(
        self,
        X: ArrayLike,
        y: ArrayLike,
        members: Sequence[tuple[NDArray[np.intp], int]],
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> list[BackgroundEnsemble]:
        """Fit on many subsets of the windows: all folds, seeds and draws at once.

        Parameters
        ----------
        X, y, groups, sample_weight
            As in `fit`.
        members : sequence of (train, seed)
            Row numbers of each training set, and its seed.

        Returns
        -------
        fitted : list of BackgroundEnsemble
            One for each of `members`, the same as one fitted alone on its rows.
        """
        self._check_settings()
        windows = self._read(X, y, sample_weight)
        jobs: list[tuple[NDArray[np.intp], int]] = []
        for train, seed in members:
            jobs += self._draws(np.asarray(train), windows.codes, windows.weight, seed)
        cells = np.moveaxis(windows.cells, 3, 1)  # (n, channels, field, field)
        if self.field_ == 1:
            cells = cells[:, :, 0, 0]
        labels = self.classes_[windows.codes]
        fitted = fit_each(
            self._made(),
            cells,
            labels,
            jobs,
            sample_weight=None if sample_weight is None else windows.weight,
            groups=None if groups is None else np.asarray(groups),
        )
        centres = windows.cells[:, self.field_ // 2, self.field_ // 2]
        ensembles = []
        for i, (train, _) in enumerate(members):
            own = fitted[i * self.n_draws : (i + 1) * self.n_draws]
            barren = np.asarray(train)[windows.codes[np.asarray(train)] == 0]
            ensembles.append(self._of(own, np.median(centres[barren], axis=0)))
        return ensembles

    def probability_and_spread(self, X: ArrayLike) -> Floats:
        """Return the mean probability and the spread over draws and members, shape (2, n)."""
        windows = self._given(X)
        return _together([spread_of(each, windows) for each in self.estimators_])

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return the logit of the mean probability of each window, shape (n,)."""
        return _logit(self.probability_and_spread(X)[0])

    def member_probabilities(self, X: ArrayLike) -> Floats:
        """Return the probability by each member of each draw, shape (n_draws x members, n)."""
        windows = self._given(X)
        return np.concatenate([members_of(each, windows) for each in self.estimators_])

    def score_map(
        self,
        volume: ArrayLike,
        *,
        edges: str = "nan",
        return_std: bool = False,
        tile: tuple[int, int] = TILE,
    ) -> Array | tuple[Array, Array]:
        """Return the mean probability at every cell of a map, in bounded memory.

        Parameters
        ----------
        volume, edges, tile
            As in `PointLogistic.score_map`.
        return_std : bool
            Whether to return the standard deviation over draws and members too.

        Returns
        -------
        probability, std : float32 arrays of shape (ny, nx)
            What `predict_proba` says of each window; NaN where it touches no data.

        Raises
        ------
        ValueError
            If the shape does not suit or a value is infinite.
        """
        layers = self._layers(volume, edges)
        mean = np.zeros(layers.shape[1:])
        square = np.zeros_like(mean)
        for each in self.estimators_:
            own, std = each.score_map(layers, edges=edges, return_std=True, tile=tile)
            mean += own
            square += own.astype(np.float64) ** 2 + std.astype(np.float64) ** 2
        mean /= self.n_draws
        out = mean.astype(np.float32)
        if not return_std:
            return out
        variance = np.maximum(square / self.n_draws - mean**2, 0.0)
        return out, np.sqrt(variance).astype(np.float32)

    def logit_map(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int] = TILE
    ) -> Array:
        """Return the logit of `score_map`, float32 of shape (ny, nx)."""
        scores = np.asarray(self.score_map(volume, edges=edges, tile=tile))
        return _logit(scores.astype(np.float64)).astype(np.float32)

    def occlusion(self, X: ArrayLike) -> Floats:
        """Return what each channel adds to the logit, the mean over the draws, (n, channels)."""
        windows = self._given(X)
        return np.mean([each.occlusion(windows) for each in self.estimators_], axis=0)

    def occlusion_map(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int] = TILE
    ) -> Array:
        """Return `occlusion` at every cell of a map, float32 of shape (channels, ny, nx)."""
        layers = self._layers(volume, edges)
        out = np.zeros(layers.shape, dtype=np.float32)
        for each in self.estimators_:
            out += each.occlusion_map(layers, edges=edges, tile=tile)
        return out / np.float32(self.n_draws)

    def member_maps(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int] = TILE
    ) -> Iterator[Array]:
        """Yield the map of each draw, float32 of shape (ny, nx), one after the other."""
        layers = self._layers(volume, edges)
        for each in self.estimators_:
            yield each.score_map(layers, edges=edges, tile=tile)

    def stability_map(
        self,
        volume: ArrayLike,
        *,
        share: float = 0.1,
        edges: str = "nan",
        tile: tuple[int, int] = TILE,
    ) -> Array:
        """Return the share of draws that put a cell into their own best ground.

        Parameters
        ----------
        volume, edges, tile
            As in `score_map`.
        share : float
            Of the cells with a score that is best ground, in (0, 1).

        Returns
        -------
        stability : float32 array of shape (ny, nx)
            1 where all draws agree that the cell is among the best; NaN where there is no score.
        """
        return stability_of(list(self.member_maps(volume, edges=edges, tile=tile)), share=share)

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: the parts of the models, one after another."""
        settings = self._settings(without=("estimator",))
        arrays: dict[str, NDArray] = {"background_": self.background_}
        told, parts = saving.pack_all(self.estimators_, "draw", inside="BackgroundEnsemble")
        return settings | told, arrays | parts

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> BackgroundEnsemble:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        n_draws = settings["params"]["n_draws"]
        fitted = saving.unpack_all(settings, arrays, "draw", n_draws, inside="BackgroundEnsemble")
        model = cls._revived(settings, arrays, estimator=clone(fitted[0]))
        model._check_settings()  # noqa: SLF001 - its own
        check_parts(model, fitted)
        model.estimators_ = fitted
        return model

    def _check_settings(self) -> None:
        check_above_zero("per_positive", self.per_positive)
        for name in ("n_draws", "least"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} must be a whole number above 0, got {value!r}.")

    def _made(self) -> Any:
        return PointLogistic() if self.estimator is None else self.estimator

    def _wanted_field(self, size: int) -> int:
        return wanted_field(self._made(), size)

    def _draws(
        self, train: NDArray[np.intp], codes: NDArray, weight: Floats, seed: int
    ) -> list[tuple[NDArray[np.intp], int]]:
        """Return the rows and the seed of each draw."""
        rng = np.random.default_rng(seed)
        train = train[weight[train] > 0]
        ore, ground = train[codes[train] == 1], train[codes[train] == 0]
        n = min(len(ground), max(self.least, round(self.per_positive * len(ore))))
        if not n or not len(ore):
            raise ValueError(
                f"A training set of two classes is needed, got {len(ore)} occurrences and"
                f" {len(ground)} background rows. Check the labels or the split."
            )
        draws = []
        for _ in range(self.n_draws):
            drawn = rng.choice(ground, n, replace=False)
            draws.append((np.concatenate([ore, np.sort(drawn)]), int(rng.integers(2**31))))
        return draws

    def _of(self, estimators: list[Any], background: NDArray) -> BackgroundEnsemble:
        model = clone(self)
        for key in ("names_", "n_features_in_", "feature_names_in_", "field_", "classes_"):
            if hasattr(self, key):
                setattr(model, key, getattr(self, key))
        model.background_ = background.astype(np.float64)
        model.estimators_ = estimators
        return model

    estimators_: list[Any]

    def _given(self, X: ArrayLike) -> Array:
        check_is_fitted(self, "background_")
        return given_to_parts(self, X)

    def _layers(self, volume: ArrayLike, edges: str) -> NDArray:
        check_is_fitted(self, "background_")
        return check_layers(volume, self.n_features_in_, edges)


def _together(parts: Sequence[Floats]) -> Floats:
    """Return mean and standard deviation over all members from those of each part."""
    means, spreads = (np.stack([part[k] for part in parts]) for k in (0, 1))
    mean = means.mean(axis=0)
    variance = (means**2 + spreads**2).mean(axis=0) - mean**2
    return np.stack([mean, np.sqrt(np.maximum(variance, 0.0))])


def _logit(ore: NDArray) -> Floats:
    return logit(np.clip(ore, LEAST, 1.0 - LEAST))
