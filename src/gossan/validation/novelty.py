"""Whether a sample or a deposit looks like anything in the training table: "none of these".

A training table with its groups comes in; scores, p-values calibrated on held-out groups, and the
elements that lie outside go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan._checks import GossanWarning, check_labels, check_option


class OutOfDistribution(OutlierMixin, BaseEstimator):
    """How far a sample or a pooled deposit lies from the training table, as a p-value.

    Three distances are taken in robustly scaled log space, every training group counting the
    same: Mahalanobis distance from the centre, distance to the nearest training groups, and the
    furthest single feature. Each group is measured with itself left out; the p-value is the share
    of these held-out groups that lie at least as far in the worst of the three distances. With G
    groups it cannot fall below 1 / (G + 1), and does not pretend to.

    Parameters
    ----------
    level : float
        `predict` gives −1 at a p-value of `level` or less: so many true members are turned away.
    transform : {"log", "none"}
        "log" for concentrations (all positive), "none" for values on a linear scale.
    n_neighbours : int
        Number of nearest groups whose mean distance counts.
    shrinkage : float
        Weight of the diagonal in the covariance; steadies it when groups are few.
    clip : float
        Robust z-score at which values are clipped for the covariance, so that a few odd analyses
        do not stretch it.
    max_folds : int
        Groups are left out one by one up to this number, in so many folds beyond it.

    Attributes
    ----------
    n_groups_ : int
        Training groups.
    n_edge_ : int
        Training groups that are beyond all the others in at least one feature.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : array of str
        Names, if fitted on a DataFrame.

    Notes
    -----
    Row scores promise that a new deposit's analyses are turned away at `level` on average;
    deposits differ much, so judge a deposit with `score_groups`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = rng.lognormal(size=(60, 3))
    >>> model = OutOfDistribution().fit(table)
    >>> model.predict([[1.0, 1.0, 1.0], [1.0, 1.0, 5000.0]])
    array([ 1, -1])
    """

    def __init__(
        self,
        level: float = 0.05,
        *,
        transform: str = "log",
        n_neighbours: int = 3,
        shrinkage: float = 0.1,
        clip: float = 4.0,
        max_folds: int = 100,
    ) -> None:
        self.level = level
        self.transform = transform
        self.n_neighbours = n_neighbours
        self.shrinkage = shrinkage
        self.clip = clip
        self.max_folds = max_folds

    def fit(
        self, X: Any, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> OutOfDistribution:
        """Learn where the training groups lie, and how far a held-out one lies from the others.

        Parameters
        ----------
        X : array or DataFrame of shape (n, n_features)
            Training table; NaN is missing.
        y : ignored
            Present for scikit-learn.
        groups : array of shape (n,), optional
            Deposit of each row; None when each row is its own group.

        Returns
        -------
        self : OutOfDistribution
            The fitted detector.

        Raises
        ------
        ValueError
            If there are fewer than 5 groups, a concentration is not positive under "log", or
            lengths differ.
        """
        del y
        check_option("transform", self.transform, ("log", "none"))
        Z = self._to_space(X, reset=True)
        names = np.arange(len(Z)) if groups is None else check_labels("groups", groups, len(Z))
        kinds, codes = np.unique(names, return_inverse=True)
        if len(kinds) < 5:
            raise ValueError(
                f"An out-of-distribution score needs at least 5 training groups, got {len(kinds)}."
                " Train on more deposits."
            )
        if 1.0 / (len(kinds) + 1) > self.level:
            warnings.warn(
                f"With {len(kinds)} groups no p-value is below {1 / (len(kinds) + 1):.2f}: nothing"
                f" can be turned away at level {self.level}. Raise level or add deposits.",
                GossanWarning,
                stacklevel=2,
            )
        self.n_groups_ = len(kinds)
        self._medians = _medians(Z, codes, len(kinds))
        self.n_edge_ = _count_edge(self._medians)
        weights, order = 1.0 / np.bincount(codes)[codes], np.argsort(Z, axis=0)
        self._geometry = _Geometry.of(
            Z, weights, order, medians=self._medians, options=self._options()
        )
        self._calibrate(Z, codes, weights, order)
        return self

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Minus the calibrated distance of each row, shape (n,); higher is more normal."""
        check_is_fitted(self)
        return -self._row_scale.worst(self._geometry.distances(self._to_space(X)))

    def p_values(self, X: Any) -> NDArray[np.float64]:
        """Share of held-out training groups whose rows lie at least as far, shape (n,)."""
        return self._row_scale.p_values(-self.score_samples(X))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log of the p-value over the level, shape (n,): negative or zero is turned away."""
        return np.log(self.p_values(X) / self.level)

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return 1 for rows like the training table, −1 for "none of these", shape (n,)."""
        return np.where(self.p_values(X) <= self.level, -1, 1)

    def score_groups(self, X: Any, groups: ArrayLike | None = None) -> pd.DataFrame:
        """Judge whole deposits by their medians, against held-out training deposits.

        Parameters
        ----------
        X : array or DataFrame of shape (n, n_features)
            Analyses.
        groups : array of shape (n,), optional
            Deposit of each row; None when each row is a deposit already (medians).

        Returns
        -------
        judged : DataFrame
            One row a deposit: `n_analyses`, `score` (higher is more normal), `p_value`,
            `is_outside` (p-value at or below `level`), `features_outside` (beyond every training
            group), `sentence`. A single feature outside is common (`n_edge_` training groups have
            one) and no proof by itself, but the answer is then an extrapolation.
        """
        check_is_fitted(self)
        Z = self._to_space(X)
        names = np.arange(len(Z)) if groups is None else check_labels("groups", groups, len(Z))
        kinds, codes, counts = np.unique(names, return_inverse=True, return_counts=True)
        medians = _medians(Z, codes, len(kinds))
        worst = self._group_scale.worst(self._geometry.distances(medians))
        p_values = self._group_scale.p_values(worst)
        low, high = np.nanmin(self._medians, axis=0), np.nanmax(self._medians, axis=0)
        columns = np.array(self._columns())
        outside = [", ".join(columns[beyond]) for beyond in (medians < low) | (medians > high)]
        frame = pd.DataFrame(
            {
                "n_analyses": counts,
                "score": -worst,
                "p_value": p_values,
                "is_outside": p_values <= self.level,
                "features_outside": outside,
            },
            index=pd.Index(kinds, name="group"),
        )
        frame["sentence"] = [
            self._sentence(p, beyond) for p, beyond in zip(p_values, outside, strict=True)
        ]
        return frame

    def outside_features(self, X: Any) -> pd.DataFrame:
        """Compare the median of all rows of one deposit with every training group, by feature.

        Parameters
        ----------
        X : array or DataFrame of shape (n, n_features)
            Analyses of one deposit.

        Returns
        -------
        table : DataFrame
            One row a feature, the most extreme first: `value` (median), `low` and `high` (range of
            the training group medians), `share_below` (of the training groups), `z` (robust),
            `p_value` (two-sided, alone: with 12 features one in 12 looks odd by chance at
            0.08), `is_outside` (beyond every training group).
        """
        check_is_fitted(self)
        Z = self._to_space(X)
        value = _medians(Z, np.zeros(len(Z), dtype=np.int64), 1)[0]
        known = self._medians
        n_known = (~np.isnan(known)).sum(axis=0)
        n_below, n_above = (known <= value).sum(axis=0), (known >= value).sum(axis=0)
        centre = np.nanmedian(known, axis=0)
        spread = 1.4826 * np.nanmedian(np.abs(known - centre), axis=0)
        tail = (1 + np.minimum(n_below, n_above)) / (n_known + 1)
        frame = pd.DataFrame(
            {
                "value": self._from_space(value),
                "low": self._from_space(np.nanmin(known, axis=0)),
                "high": self._from_space(np.nanmax(known, axis=0)),
                "share_below": (known < value).sum(axis=0) / n_known,
                "z": (value - centre) / np.where(spread > 0, spread, 1.0),
                "p_value": np.where(np.isnan(value), np.nan, np.minimum(1.0, 2.0 * tail)),
                "is_outside": (value < np.nanmin(known, axis=0))
                | (value > np.nanmax(known, axis=0)),
            },
            index=pd.Index(self._columns(), name="feature"),
        )
        return frame.sort_values("z", key=lambda z: -z.abs(), kind="stable")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _options(self) -> tuple[int, float, float]:
        return self.n_neighbours, self.shrinkage, self.clip

    def _columns(self) -> list[str]:
        default = [f"feature {j}" for j in range(self.n_features_in_)]
        return [str(name) for name in getattr(self, "feature_names_in_", default)]

    def _to_space(self, X: Any, *, reset: bool = False) -> NDArray[np.float64]:
        table = validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan")
        if self.transform == "none":
            return table
        if (table <= 0).any():
            row, column = (int(i) for i in np.argwhere(table <= 0)[0])
            raise ValueError(
                f"Concentrations must be positive, got {table[row, column]:g} at row {row}, column"
                f" {column}. Impute values below detection first, or use transform='none'."
            )
        return np.log(table)

    def _from_space(self, values: NDArray) -> NDArray[np.float64]:
        return np.exp(values) if self.transform == "log" else values

    def _calibrate(self, Z: NDArray, codes: NDArray, weights: NDArray, order: NDArray) -> None:
        """Distances of every group, rows and medians, from the groups of the other folds."""
        n_groups = self.n_groups_
        fold_of = np.arange(n_groups) % min(n_groups, self.max_folds)
        rows, medians = np.empty((len(Z), 3)), np.empty((n_groups, 3))
        for fold in range(fold_of.max() + 1):
            held = fold_of == fold
            is_test = held[codes]
            geometry = _Geometry.of(
                Z,
                np.where(is_test, 0.0, weights),
                order,
                medians=self._medians[~held],
                options=self._options(),
            )
            rows[is_test] = geometry.distances(Z[is_test])
            medians[held] = geometry.distances(self._medians[held])
        self._row_scale = _Scale.of(rows, codes)
        self._group_scale = _Scale.of(medians, np.arange(n_groups))

    def _sentence(self, p_value: float, outside: str) -> str:
        if np.isnan(p_value):
            return "no measured feature: nothing can be said"
        n = self.n_groups_
        n_nearer = round((1.0 - p_value) * (n + 1))
        further = "all" if n_nearer >= n else f"{n_nearer / n:.1%} of the"
        tail = (
            f"p = {p_value:.3f}: further from the training table than {further} {n} held-out groups"
        )
        if p_value <= self.level:
            where = f", beyond every training group in {outside}" if outside else ""
            return f"outside the training data{where} ({tail})"
        if outside:
            return (
                f"outside the training data in {outside}, as {self.n_edge_} of its {n} own groups"
                f" are in something ({tail})"
            )
        return f"like the training data ({tail})"


@dataclass(frozen=True, eq=False)
class _Geometry:
    """Centre, scale and shape of a training table, and where its groups lie."""

    centre: NDArray[np.float64]  # (p,)
    scale: NDArray[np.float64]  # (p,)
    root: NDArray[np.float64]  # (p, p), inverse square root of the correlation
    tree: cKDTree  # group medians, scaled
    n_neighbours: int

    @classmethod
    def of(
        cls,
        Z: NDArray,
        weights: NDArray,
        order: NDArray,
        *,
        medians: NDArray,
        options: tuple[int, float, float],
    ) -> _Geometry:
        """Learn from the rows of positive weight; `order` sorts the columns of `Z`."""
        n_neighbours, shrinkage, clip = options
        low, centre, high = _weighted_quantiles(Z, weights, (0.25, 0.5, 0.75), order=order)
        scale = (high - low) / 1.349  # the standard deviation, were it normal
        spread = np.sqrt(np.average(np.nan_to_num(Z - centre) ** 2, axis=0, weights=weights))
        scale = np.where(scale > 0, scale, np.where(spread > 0, spread, 1.0))
        scaled = np.clip(np.nan_to_num((Z - centre) / scale), -clip, clip)
        cov = (scaled * weights[:, None]).T @ scaled / weights.sum()
        cov = (1.0 - shrinkage) * cov + shrinkage * np.diag(np.diag(cov)) + 1e-6 * np.eye(len(cov))
        values, vectors = np.linalg.eigh(cov)
        root = vectors / np.sqrt(values)
        tree = cKDTree(np.nan_to_num((medians - centre) / scale))
        return cls(centre, scale, root, tree, min(n_neighbours, len(medians)))

    def distances(self, Z: NDArray) -> NDArray[np.float64]:
        """Mahalanobis, nearest groups, furthest feature: (n, 3); NaN where nothing is known."""
        z = (Z - self.centre) / self.scale
        n_known = (~np.isnan(z)).sum(axis=1)
        fill = np.nan_to_num(z)
        # Missing features stand at the centre; the distance grows to what all would give.
        stretch = np.sqrt(z.shape[1] / np.where(n_known > 0, n_known, np.nan))
        mahalanobis = np.linalg.norm(fill @ self.root, axis=1)
        near = self.tree.query(fill, k=self.n_neighbours)[0].reshape(len(z), -1).mean(axis=1)
        furthest = np.abs(fill).max(axis=1)
        return np.stack([mahalanobis, near, furthest], axis=1) * stretch[:, None] + 1e-12


@dataclass(frozen=True, eq=False)
class _Scale:
    """What distances held-out groups have, to read a new one against."""

    middle: NDArray[np.float64]  # (3,) of log distance
    spread: NDArray[np.float64]  # (3,)
    known: NDArray[np.float64]  # sorted worst distances of the held-out rows
    weight_from: NDArray[np.float64]  # summed group weight from each of them upward
    n_groups: int

    @classmethod
    def of(cls, distances: NDArray, codes: NDArray) -> _Scale:
        keep = ~np.isnan(distances).any(axis=1)
        logs, codes = np.log(distances[keep]), np.unique(codes[keep], return_inverse=True)[1]
        counts = np.bincount(codes)
        weights = 1.0 / counts[codes]
        middle, high = _weighted_quantiles(logs, weights, (0.5, 0.9))
        spread = np.maximum(high - middle, 1e-9)
        worst = ((logs - middle) / spread).max(axis=1)
        order = np.argsort(worst, kind="stable")
        weight_from = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
        return cls(middle, spread, worst[order], weight_from, len(counts))

    def worst(self, distances: NDArray) -> NDArray[np.float64]:
        return ((np.log(distances) - self.middle) / self.spread).max(axis=1)

    def p_values(self, worst: NDArray) -> NDArray[np.float64]:
        n_further = self.weight_from[np.searchsorted(self.known, worst)]
        p_values = (1.0 + n_further) / (1.0 + self.n_groups)
        return np.where(np.isnan(worst), np.nan, p_values)


def _count_edge(medians: NDArray) -> int:
    ranked = np.sort(medians, axis=0)  # NaN last
    last = (~np.isnan(medians)).sum(axis=0) - 1
    columns = np.arange(medians.shape[1])
    # Only a single lowest or highest group is beyond all the others.
    is_low = (medians == ranked[0]) & (ranked[0] < ranked[1])
    top, second = ranked[last, columns], ranked[np.maximum(last - 1, 0), columns]
    is_high = (medians == top) & (top > second)
    return int((is_low | is_high).any(axis=1).sum())


def _medians(Z: NDArray, codes: NDArray, n_groups: int) -> NDArray[np.float64]:
    """Median of each group and feature, NaN left out: (n_groups, n_features)."""
    return pd.DataFrame(Z).groupby(codes).median().reindex(range(n_groups)).to_numpy()


def _weighted_quantiles(
    values: NDArray,
    weights: NDArray,
    shares: Sequence[float],
    *,
    order: NDArray | None = None,
) -> list[NDArray[np.float64]]:
    """Weighted quantiles of each column, NaN left out; `order` sorts the columns, NaN last."""
    order = np.argsort(values, axis=0) if order is None else order
    ranked = np.take_along_axis(values, order, axis=0)
    gathered = np.cumsum(np.where(np.isnan(ranked), 0.0, weights[order]), axis=0)
    columns, last = np.arange(values.shape[1]), len(values) - 1
    places = [
        [np.searchsorted(gathered[:, j], share * gathered[-1, j]) for j in columns]
        for share in shares
    ]
    return [np.nan_to_num(ranked[np.minimum(place, last), columns]) for place in places]
