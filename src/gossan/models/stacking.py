"""Transfer from a well explored district: its model's score beside what is known here.

A map estimator fitted on another district, windows of this one and its few labels come in;
probabilities of windows and of whole maps go out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted

from gossan import saving
from gossan._checks import check_labels
from gossan._map_tiles import TILE
from gossan.models._map_estimator import Array, Floats, MapEstimator
from gossan.models._parts import given_to_parts, logit_map_of, logit_of
from gossan.models._ridge import balanced_weights, fit_ridge, spread_of_columns
from gossan.models._rows import check_above_zero
from gossan.models.window_statistics import (
    USUAL,
    check_field,
    check_statistics,
    statistics_of,
    without_each,
)

__all__ = ["StackedTransfer"]

N_FOLDS = 5
TRUSTS = (0.0, 0.1, 1.0, 10.0)  # inverse penalties on the source's score; 0 leaves it out


class StackedTransfer(MapEstimator):
    """Ridge-penalised logistic regression on local statistics and the score of a source's model.

    Use it where a district of, it is hoped, the same type of deposit is well explored, and few
    occurrences are known here. The source is frozen, and how far its score is trusted is decided by
    the likelihood of local rows held out [Wolpert1992]_: one of another type is left aside, at
    little loss. Never less than zero: what the source calls ore is not made barren.

    Parameters
    ----------
    source : map estimator
        Fitted on the same layers of another district, prepared alike. A clone keeps it, and a saved
        model holds it.
    field : int
        Cells along a side of the local statistics, odd.
    statistics : sequence of str
        Local statistics of each channel, see `WindowStatistics`.
    C : float
        Inverse of the penalty on local statistics, as in `PointLogistic`.
    trust : "auto" or float
        Inverse of the penalty on the source's score. "auto": of 0 (left aside), 0.1, 1 and 10, that
        by which rows held out are most likely.
    random_state : int or None
        Seed of the folds of "auto".

    Attributes
    ----------
    classes_ : array of shape (2,)
        Class names, sorted; the second is the ore.
    names_ : list of str
        Names of the channels.
    field_ : int
        Cells along a side of the wider of the source and the local statistics.
    background_ : array of shape (channels,)
        Median of each channel over the background rows.
    center_, scale_ : arrays of shape (statistics x channels + 1,)
        Mean and standard deviation over the background rows; the last is the source's logit.
    intercept_ : float
    coef_ : array of shape (statistics x channels + 1,)
        Change of the logit with a standard deviation; the last is the source's, zero or more.
    trust_ : float
        In force.

    Examples
    --------
    >>> from gossan.models import PointLogistic
    >>> rng = np.random.default_rng(0)
    >>> elsewhere = rng.normal(size=(400, 6))
    >>> source = PointLogistic().fit(elsewhere, elsewhere[:, :3].sum(axis=1) > 3)
    >>> here = rng.normal(size=(400, 6))
    >>> is_ore = here[:, :3].sum(axis=1) > 3
    >>> few = np.flatnonzero(is_ore)[:8]
    >>> rows = np.append(few, np.flatnonzero(~is_ore)[:200])
    >>> model = StackedTransfer(source, field=1, statistics=["centre"], random_state=0)
    >>> model = model.fit(here[rows], is_ore[rows])
    >>> bool(model.coef_[-1] > 0)
    True
    """

    def __init__(
        self,
        source: Any,
        *,
        field: int = 5,
        statistics: Sequence[str] = USUAL,
        C: float = 0.03,
        trust: str | float = "auto",
        random_state: int | None = None,
    ) -> None:
        self.source = source
        self.field = field
        self.statistics = statistics
        self.C = C
        self.trust = trust
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> StackedTransfer:
        """Fit on the windows of this district.

        Parameters
        ----------
        X : array of shape (n, channels, size, size) or (n, channels)
            Windows about n cells, of the wider of the two fields at least.
        y : array of shape (n,)
            Two classes; 1 for known occurrences and 0 for background.
        sample_weight : array of shape (n,), optional
            Weight of each row inside its class; zero leaves it out.
        groups : array of shape (n,), optional
            Block of each row: held out together where trust is found. None: each row alone.

        Returns
        -------
        self : StackedTransfer

        Raises
        ------
        ValueError
            If a value is missing or infinite, the source has other channels, there are not two
            classes, or a setting is wrong.
        """
        self._check_settings()
        windows = self._read(X, y, sample_weight)
        if self.source.n_features_in_ != self.n_features_in_:
            raise ValueError(
                f"The source has {self.source.n_features_in_} channels (features), X has"
                f" {self.n_features_in_}. Stack the layers that the source was fitted on."
            )
        local = self._features(windows.cells)[:, 0, 0].astype(np.float64)
        rows = np.column_stack([local, logit_of(self.source, given_to_parts(self, X))])
        ground = windows.weight * (windows.codes == 0)
        self.center_, self.scale_ = spread_of_columns(rows, ground)
        scaled = (rows - self.center_) / self.scale_
        weight = balanced_weights(windows.codes, windows.weight)
        blocks = (
            np.arange(len(rows)) if groups is None else check_labels("groups", groups, len(rows))
        )
        if isinstance(self.trust, str):
            folds = self._folds(windows.codes, blocks)
            self.trust_ = self._likeliest(scaled, windows.codes, weight, folds)
        else:
            self.trust_ = self.trust
        self.intercept_, self.coef_ = self._solve(scaled, windows.codes, weight, self.trust_)
        return self

    def _likeliest(self, scaled: Floats, codes: NDArray, weight: Floats, folds: NDArray) -> float:
        """Return the trust by which rows held out are most likely."""
        losses = []
        for trust in TRUSTS:
            loss = 0.0
            for fold in np.unique(folds):
                out = folds == fold
                if len(set(codes[~out])) < 2:
                    continue
                a, beta = self._solve(scaled[~out], codes[~out], weight[~out], trust)
                score = a + scaled[out] @ beta
                loss += weight[out] @ (np.logaddexp(0.0, score) - codes[out] * score)
            losses.append(loss)
        return TRUSTS[int(np.argmin(losses))]

    def _folds(self, codes: NDArray, blocks: NDArray) -> NDArray[np.int64]:
        """Return the fold of each row: blocks dealt at random, those with ore apart."""
        rng = np.random.default_rng(self.random_state)
        number = np.unique(blocks, return_inverse=True)[1].ravel()
        n_blocks = int(number.max()) + 1
        has_ore = np.bincount(number, weights=codes, minlength=n_blocks) > 0
        fold = np.empty(n_blocks, dtype=np.int64)
        for kind in (True, False):
            own = rng.permutation(np.flatnonzero(has_ore == kind))
            fold[own] = np.arange(len(own)) % N_FOLDS
        return fold[number]

    def _solve(
        self, scaled: Floats, codes: NDArray, weight: Floats, trust: float
    ) -> tuple[float, Floats]:
        """Return intercept and coefficients; that of the source is not below zero."""
        p = scaled.shape[1] - 1
        if trust > 0:
            penalty = np.append(np.full(p, 1.0 / self.C), 1.0 / trust)
            intercept, beta = fit_ridge(scaled, codes, weight, penalty)
            if beta[-1] >= 0:
                return intercept, beta
        intercept, beta = fit_ridge(scaled[:, :-1], codes, weight, 1.0 / self.C)
        return intercept, np.append(beta, 0.0)

    def decision_function(self, X: ArrayLike) -> Floats:
        """Return the logit of ore at each window, shape (n,)."""
        local = self._on_windows(X, lambda rows: self._logit(rows)[None])[0]
        return local + self._of_source(logit_of(self.source, given_to_parts(self, X)))

    def probability_and_spread(self, X: ArrayLike) -> Floats:
        """Return the probability and, as there is one member, zeros, shape (2, n)."""
        ore = expit(self.decision_function(X))
        return np.stack([ore, np.zeros_like(ore)])

    def member_probabilities(self, X: ArrayLike) -> Floats:
        """Return the probability by the one member, shape (1, n)."""
        return self.probability_and_spread(X)[:1]

    def score_map(
        self,
        volume: ArrayLike,
        *,
        edges: str = "nan",
        return_std: bool = False,
        tile: tuple[int, int] = TILE,
    ) -> Array | tuple[Array, Array]:
        """Return the probability at every cell of a map.

        Parameters
        ----------
        volume, edges, tile
            As in `PointLogistic.score_map`.
        return_std : bool
            Whether to return a map of zeros too: there is one member.

        Returns
        -------
        probability, std : float32 arrays of shape (ny, nx)
            What `predict_proba` says of each window; NaN where it touches no data.

        Raises
        ------
        ValueError
            If the shape does not suit or a value is infinite.
        """
        logits = self._logit_map(volume, edges=edges, tile=tile)
        ore = expit(logits).astype(np.float32)
        return (ore, np.where(np.isnan(ore), ore, np.float32(0.0))) if return_std else ore

    def logit_map(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int] = TILE
    ) -> Array:
        """Return `decision_function` at every cell of a map, float32 of shape (ny, nx)."""
        return self._logit_map(volume, edges=edges, tile=tile).astype(np.float32)

    def occlusion(self, X: ArrayLike) -> Floats:
        """Return what each channel adds to the logit, by the local statistics and by the source."""
        local = self._on_windows(X, self._gains).T
        return local + self._slope() * self.source.occlusion(given_to_parts(self, X))

    def occlusion_map(
        self, volume: ArrayLike, *, edges: str = "nan", tile: tuple[int, int] = TILE
    ) -> Array:
        """Return `occlusion` at every cell of a map, float32 of shape (channels, ny, nx)."""
        n = self.n_features_in_
        out = self._on_map(volume, self._gains, n, edges=edges, tile=tile)
        if self._slope() > 0:
            gains = self.source.occlusion_map(volume, edges=edges, tile=tile)
            out += np.float32(self._slope()) * gains
        return out

    def to_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """Return what `gossan.saving` writes: settings and arrays, and those of the source."""
        settings = self._settings(without=("source",)) | {"trust": float(self.trust_)}
        names = ("background_", "center_", "scale_", "coef_")
        arrays = {name: getattr(self, name) for name in names}
        arrays["intercept_"] = np.array([self.intercept_])
        told, parts = saving.pack(self.source, "source", inside="StackedTransfer")
        return settings | told, arrays | parts

    @classmethod
    def from_arrays(
        cls, settings: Mapping[str, Any], arrays: dict[str, NDArray]
    ) -> StackedTransfer:
        """Return the fitted estimator that `to_arrays` took apart; raise ValueError if unsound."""
        source = saving.unpack(settings, arrays, "source", inside="StackedTransfer")
        model = cls._revived(settings, arrays, source=source)
        model._check_settings()  # noqa: SLF001 - its own
        p = len(model.statistics) * model.n_features_in_ + 1
        for name in ("center_", "scale_", "coef_"):
            setattr(model, name, saving.take(arrays, name, (p,)))
        model.intercept_ = float(saving.take(arrays, "intercept_", (1,))[0])
        model.trust_ = float(settings["trust"])
        wanted = max(check_field(model.field, model.field_), source.field_)
        same = source.n_features_in_ == model.n_features_in_ and model.field_ == wanted
        if not same or not (model.scale_ > 0).all():
            raise ValueError(
                "the source does not fit the channels or the field, or a scale is zero"
            )
        return model

    def __sklearn_clone__(self) -> StackedTransfer:
        """Return a clone with the same source: what was learned elsewhere is data."""
        copy = super().__sklearn_clone__()
        copy.source = self.source
        return copy

    def _check_settings(self) -> None:
        check_above_zero("C", self.C)
        check_statistics(self.statistics)
        check_is_fitted(self.source)
        trust = self.trust
        is_number = isinstance(trust, int | float) and not isinstance(trust, bool)
        if trust != "auto" and not (is_number and 0 <= float(trust) < np.inf):
            raise ValueError(
                f"trust must be 'auto' or a number of 0 or more, got {self.trust!r}. Leave it out:"
                " local rows held out decide."
            )

    def _wanted_field(self, size: int) -> int:
        return max(check_field(self.field, size), self.source.field_)

    def _features(self, cells: Array) -> NDArray:
        rim = (self.field_ - self.field) // 2
        inner = cells[:, rim : cells.shape[1] - rim, rim : cells.shape[2] - rim]
        return statistics_of(inner, self.field, self.statistics)

    def _without_each(self, rows: NDArray) -> Iterator[NDArray]:
        return without_each(rows, self.background_, self.statistics)

    def _logit(self, rows: NDArray) -> Floats:
        """Return the local part of the logit."""
        slopes = self.coef_[:-1] / self.scale_[:-1]
        return rows.astype(np.float64) @ slopes + (self.intercept_ - self.center_[:-1] @ slopes)

    def _slope(self) -> float:
        check_is_fitted(self, "coef_")
        return float(self.coef_[-1] / self.scale_[-1])

    def _of_source(self, logits: NDArray) -> Floats:
        """Return the source's part of the logit."""
        return self._slope() * (logits.astype(np.float64) - self.center_[-1])

    def _logit_map(self, volume: ArrayLike, *, edges: str, tile: tuple[int, int]) -> Floats:
        def say(rows: NDArray) -> Floats:
            return self._logit(rows)[None]

        local = self._on_map(volume, say, 1, edges=edges, tile=tile)[0].astype(np.float64)
        if self._slope() == 0:
            return local
        return local + self._of_source(logit_map_of(self.source, volume, edges=edges, tile=tile))
