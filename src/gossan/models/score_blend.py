"""Several map estimators as one: their scores are brought to one scale and averaged, equally.

Windows of layers and labels come in; probabilities of windows and of whole maps, and their spread
over the members, go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from gossan import saving
from gossan._checks import check_option
from gossan._fit_alone import take_over
from gossan._map_tiles import TILE, check_layers
from gossan.models._map_estimator import Array, Floats, MapEstimator
from gossan.models._parts import (
    check_parts,
    fit_each,
    given_to_parts,
    logit_map_of,
    logit_of,
    wanted_field,
)

__all__ = ["ScoreBlend"]

RULES = ("logits", "ranks")
SURE = 0.999  # no member may be surer, or it alone would decide
LEVELS = np.linspace(0.0, 1.0, 201)  # at which the scores of the background are remembered


class ScoreBlend(MapEstimator):
    """Equal-weight average of the scores of map estimators that err differently.

    Use it over an index of pathfinders, a logistic regression, a forest on statistics and a small
    network; weights are not learned, because occurrences are too few to learn them.

    Parameters
    ----------
    estimators : list of (str, map estimator)
        Names and members, not fitted; they are cloned.
    rule : {"logits", "ranks"}
        "logits": each member's logit over its standard deviation on the background, so that a bold
        member counts no more than a shy one. "ranks": the share of the background that it puts
        below.
    random_state : int or None
        Seed for all members; None leaves each its own.

    Attributes
    ----------
    classes_ : array of shape (2,)
        Class names, sorted; the second is the ore.
    names_ : list of str
        Names of the channels.
    field_ : int
        Cells along a side of the widest member.
    background_ : array of shape (channels,)
        Median of each channel over the background rows.
    estimators_ : list of map estimators
        The fitted members, in the order of `estimators`.
    levels_ : array of shape (n_members, 201)
        Quantiles of each member's logit over the background rows.
    scale_ : array of shape (n_members,)
        Standard deviation of each member's logit over the background rows.

    Examples
    --------
    >>> from gossan.models import Forest, PathfinderIndex
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 3))
    >>> X[:40, 0] += 2.0
    >>> members = [("index", PathfinderIndex([0])), ("forest", Forest(n_estimators=50))]
    >>> model = ScoreBlend(members, random_state=0).fit(X, [1] * 40 + [0] * 260)
    >>> model.predict([[2.5, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    array([1, 0])
    """

    def __init__(
        self,
        estimators: Sequence[tuple[str, Any]],
        *,
        rule: str = "logits",
        random_state: int | None = None,
    ) -> None:
        self.estimators = estimators
        self.rule = rule
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> ScoreBlend:
        """Fit a clone of each member on all rows.

        Parameters
        ----------
        X : array of shape (n, channels, size, size) or (n, channels)
            Windows about n cells, of the field of the widest member at least.
        y : array of shape (n,)
            Two classes; 1 for known occurrences and 0 for background.
        sample_weight : array of shape (n,), optional
            Weight of each row, for all members.
        groups : array of shape (n,), optional
            Deposit or block of each row, for the members that take it.

        Returns
        -------
        self : ScoreBlend

        Raises
        ------
        ValueError
            If a value is missing or infinite, there are not two classes, or a setting is wrong.
        """
        everything = (np.arange(len(np.asarray(y))), self.random_state)
        # Its members take the seed as it stands, so that none is drawn from it.
        return take_over(self, self._fit_jobs(X, y, [everything], groups, sample_weight)[0])

    def fit_many(
        self,
        X: ArrayLike,
        y: ArrayLike,
        members: Sequence[tuple[NDArray[np.intp], int]],
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> list[ScoreBlend]:
        """Fit on many subsets of the windows: the folds and seeds of a cross-validation.

        Parameters
        ----------
        X, y, groups, sample_weight
            As in `fit`.
        members : sequence of (train, seed)
            Row numbers of each training set, and its seed.

        Returns
        -------
        fitted : list of ScoreBlend
            One for each of `members`. What can fit many at once does so.
        """
        return self._fit_jobs(X, y, members, groups, sample_weight)

    def probability_and_spread(self, X: ArrayLike) -> Floats:
        """Return the blended probability and its spread over the members, shape (2, n)."""
        return self._summary(self._member_scores(X))

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return the logit of the blended probability of each window, shape (n,)."""
        return self._blended(self._member_scores(X))

    def member_probabilities(self, X: ArrayLike) -> Floats:
        """Return the probability of each member alone on the common scale, shape (n_members, n)."""
        return self._chances(self._member_scores(X))

    def score_map(
        self,
        volume: ArrayLike,
        *,
        edges: str = "nan",
        return_std: bool = False,
        tile: tuple[int, int] = TILE,
    ) -> Array | tuple[Array, Array]:
        """Return the blended probability at every cell of a map.

        Parameters
        ----------
        volume, edges, tile
            As in `PointLogistic.score_map`.
        return_std : bool
            Whether to return the standard deviation over the members too.

        Returns
        -------
        probability, std : float32 arrays of shape (ny, nx)
            What `predict_proba` says of each window; NaN where it touches no data.

        Raises
        ------
        ValueError
            If the shape does not suit or a value is infinite.
        """
        mean, std = self._summary(self._member_maps(volume, edges, tile)).astype(np.float32)
        return (mean, std) if return_std else mean

    def logit_map(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int] = TILE
    ) -> Array:
        """Return `decision_function` at every cell of a map, float32 of shape (ny, nx)."""
        return self._blended(self._member_maps(volume, edges, tile)).astype(np.float32)

    def occlusion(self, X: ArrayLike) -> Floats:
        """Return what each channel adds to the logit: that of the members over their scales."""
        windows = self._given(X)
        parts = [each.occlusion(windows) for each in self.estimators_]
        return np.tensordot(self._shares(), np.stack(parts), axes=1)

    def occlusion_map(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int] = TILE
    ) -> Array:
        """Return `occlusion` at every cell of a map, float32 of shape (channels, ny, nx)."""
        layers = self._layers(volume, edges)
        out = np.zeros(layers.shape, dtype=np.float32)
        for share, each in zip(self._shares(), self.estimators_, strict=True):
            out += np.float32(share) * each.occlusion_map(layers, edges=edges, tile=tile)
        return out

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: the parts of the members, one after another."""
        settings = self._settings(without=("estimators",))
        settings["members"] = [name for name, _ in self.estimators]
        arrays = {k: getattr(self, k) for k in ("background_", "levels_", "scale_")}
        told, parts = saving.pack_all(self.estimators_, "member", inside="ScoreBlend")
        return settings | told, arrays | parts

    @classmethod
    def from_arrays(cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]) -> ScoreBlend:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        names = list(settings["members"])
        fitted = saving.unpack_all(settings, arrays, "member", len(names), inside="ScoreBlend")
        named = [(name, clone(part)) for name, part in zip(names, fitted, strict=True)]
        model = cls._revived(settings, arrays, estimators=named)
        model._check_settings()  # noqa: SLF001 - its own
        check_parts(model, fitted)
        model.levels_ = saving.take(arrays, "levels_", (len(fitted), len(LEVELS)))
        model.scale_ = saving.take(arrays, "scale_", (len(fitted),))
        if not (model.scale_ > 0).all() or (np.diff(model.levels_, axis=1) < 0).any():
            raise ValueError("a scale is not above zero, or the levels of a member are not sorted")
        model.estimators_ = fitted
        return model

    estimators_: list[Any]
    levels_: Floats
    scale_: Floats

    def _check_settings(self) -> None:
        check_option("rule", self.rule, RULES)
        names = [name for name, _ in self.estimators]
        if not names or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
            raise ValueError(
                f"estimators must be (name, map estimator) pairs of different names, got {names}."
                " Name each member once."
            )

    def _wanted_field(self, size: int) -> int:
        return max(wanted_field(each, size) for _, each in self.estimators)

    def _fit_jobs(
        self,
        X: ArrayLike,
        y: ArrayLike,
        jobs: Sequence[tuple[NDArray[np.intp], int | None]],
        groups: ArrayLike | None,
        sample_weight: ArrayLike | None,
    ) -> list[ScoreBlend]:
        self._check_settings()
        windows = self._read(X, y, sample_weight)
        cells = np.moveaxis(windows.cells, 3, 1)
        cells = cells[:, :, 0, 0] if self.field_ == 1 else cells
        labels = self.classes_[windows.codes]
        weight = None if sample_weight is None else windows.weight
        of_rows = None if groups is None else np.asarray(groups)
        fitted = [
            fit_each(each, cells, labels, jobs, sample_weight=weight, groups=of_rows)
            for _, each in self.estimators
        ]
        blends = []
        for own, (train, _) in zip(zip(*fitted, strict=True), jobs, strict=True):
            rows = np.asarray(train)
            ground = cells[rows[windows.codes[rows] == 0]]
            blends.append(self._of(list(own), ground))
        return blends

    def _of(self, members: list[Any], ground: Array) -> ScoreBlend:
        """Return the blend of fitted members, on the scale of the background."""
        model = clone(self)
        for key in ("names_", "n_features_in_", "feature_names_in_", "field_", "classes_"):
            if hasattr(self, key):
                setattr(model, key, getattr(self, key))
        rim = self.field_ // 2
        centre = ground if self.field_ == 1 else ground[:, :, rim, rim]
        model.background_ = np.median(centre, axis=0).astype(np.float64)
        scores = np.stack([_tamed(logit_of(each, ground)) for each in members])
        spread = scores.std(axis=1)
        model.scale_ = np.where(spread > 0, spread, 1.0)
        model.levels_ = np.quantile(scores, LEVELS, axis=1).T
        model.estimators_ = members
        return model

    def _given(self, X: ArrayLike) -> Array:
        check_is_fitted(self, "background_")
        return given_to_parts(self, X)

    def _layers(self, volume: ArrayLike, edges: str) -> NDArray:
        check_is_fitted(self, "background_")
        return check_layers(volume, self.n_features_in_, edges)

    def _member_scores(self, X: ArrayLike) -> Floats:
        """Return the tamed logit of each member at each window, shape (n_members, n)."""
        windows = self._given(X)
        return np.stack([_tamed(logit_of(each, windows)) for each in self.estimators_])

    def _member_maps(self, volume: ArrayLike, edges: str, tile: tuple[int, int]) -> Floats:
        """Return the tamed logit of each member at each cell, shape (n_members, ny, nx)."""
        layers = self._layers(volume, edges)
        options = {"edges": edges, "tile": tile}
        return np.stack(
            [_tamed(logit_map_of(each, layers, **options)) for each in self.estimators_]
        )

    def _shares(self) -> Floats:
        """Return the factor of each member's logit in the blend: their mean is that of the logits."""
        return self.scale_.mean() / self.scale_ / len(self.scale_)

    def _chances(self, scores: NDArray) -> Floats:
        """Return the probability of each member on the common scale."""
        if self.rule == "logits":
            factors = self._shares() * len(self.scale_)
            return expit(scores * factors.reshape(-1, *[1] * (scores.ndim - 1)))
        levels = zip(scores, self.levels_, self.scale_, strict=True)
        return np.stack([_rank(*each) for each in levels])

    def _blended(self, scores: NDArray) -> Floats:
        if self.rule == "logits":
            return np.tensordot(self._shares(), scores, axes=1)
        return logit(self._chances(scores).mean(axis=0))

    def _summary(self, scores: NDArray) -> Floats:
        return np.stack([expit(self._blended(scores)), self._chances(scores).std(axis=0)])


def _tamed(scores: NDArray) -> Floats:
    """Return logits that are not too sure, as maps hold them: a rank jumps where trees do."""
    most = float(logit(SURE))
    return np.clip(scores.astype(np.float32).astype(np.float64), -most, most)


def _rank(scores: NDArray, levels: Floats, scale: float) -> Floats:
    """Return the share of the background below a score; beyond all of it, it goes on to rise."""
    edge = LEVELS[1] / 2.0  # of the share that is left for what is beyond
    inside = edge + (1.0 - 2.0 * edge) * np.interp(scores, levels, LEVELS)
    above = np.exp(-np.maximum(scores - levels[-1], 0.0) / scale)
    below = np.exp(-np.maximum(levels[0] - scores, 0.0) / scale)
    ranks = np.where(scores > levels[-1], 1.0 - edge * above, inside)
    return np.where(scores < levels[0], edge * below, ranks)
