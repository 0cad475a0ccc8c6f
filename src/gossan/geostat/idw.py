"""Inverse-distance weighting: the simple estimate that kriging has to beat.

Coordinates [m] and values come in; weighted means of the nearest samples go out.

Source
------
Shepard (1968), A two-dimensional interpolation function for irregularly-spaced data, Proceedings of
the 23rd ACM National Conference, 517-524, doi:10.1145/800186.810616.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from gossan.geostat._columns import hole_cap, known_rows, read_columns, read_values
from gossan.geostat._samples import holes_of, read_groups
from gossan.geostat._search import Search, build_tree, find_neighbours, search_frame
from gossan.geostat.covariance import Structure

__all__ = ["InverseDistance"]

Floats = NDArray[np.float64]

MOST_ROWS = 100_000  # targets weighed at once


class InverseDistance(RegressorMixin, BaseEstimator):
    """Mean of the nearest samples, each weighted by one over a power of its distance.

    Take it as a baseline and for a quick look. It knows nothing of clusters of samples or of their
    errors, and gives no variance: kriging does.

    Parameters
    ----------
    power : float, default 2
        Exponent of the distance; the higher, the more the nearest sample counts.
    n_neighbours : int, default 16
        Nearest samples used.
    max_distance : float, optional
        Samples farther away are not used [m, along the major axis].
    min_neighbours : int, default 1
        A target with fewer samples is NaN.
    n_per_group : int, "auto" or None, default "auto"
        Most samples of one hole. "auto": a quarter of `n_neighbours` if `fit` is given groups; if
        not, and most samples stand on vertical lines, these are taken for holes, with a warning.
    anisotropy : Structure, optional
        Its ranges and angles stretch distances: twice the range, half the distance.

    Attributes
    ----------
    n_samples_ : int
        Samples kept; those at the place of a target are averaged.

    Examples
    --------
    >>> X, y = [[0.0, 0.0], [30.0, 0.0]], [1.0, 4.0]
    >>> InverseDistance().fit(X, y).predict([[0.0, 0.0], [10.0, 0.0], [15.0, 0.0]])
    array([1. , 1.6, 2.5])
    """

    def __init__(
        self,
        power: float = 2.0,
        *,
        n_neighbours: int = 16,
        max_distance: float | None = None,
        min_neighbours: int = 1,
        n_per_group: int | str | None = "auto",
        anisotropy: Structure | None = None,
    ) -> None:
        self.power = power
        self.n_neighbours = n_neighbours
        self.max_distance = max_distance
        self.min_neighbours = min_neighbours
        self.n_per_group = n_per_group
        self.anisotropy = anisotropy

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> InverseDistance:
        """Keep the samples.

        Parameters
        ----------
        X : array of shape (n, 2) or (n, 3)
            Easting, northing[, elevation] [m].
        y : array of shape (n,) or (n, n_variables)
            Values; a row with NaN is left out, with a warning.
        groups : array of shape (n,), optional
            Hole of each sample.

        Returns
        -------
        self : InverseDistance

        Raises
        ------
        ValueError
            If a coordinate is missing, no value is known, or a setting is out of its range.
        """
        self._check_settings()
        coords = read_columns(self, X, None, reset=True)[0]
        values = read_values(y, len(coords))
        known = known_rows(values)
        holes = read_groups(groups, len(coords))
        if holes is None and self.n_per_group == "auto":
            holes = holes_of(coords)
        self._cap = hole_cap(self.n_per_group, int(self.n_neighbours), has_holes=holes is not None)
        n_dims = coords.shape[1]
        frame = np.eye(n_dims)
        if self.anisotropy is not None:
            frame = search_frame(self.anisotropy.transform(n_dims))
        self._origin = coords[known].mean(axis=0)  # keeps digits where coordinates are huge
        self._frame = frame
        self._samples, self._values = coords[known] - self._origin, values[known]
        self._tree = build_tree(
            self._samples, frame, groups=None if holes is None else holes[known]
        )
        self.n_samples_ = int(known.sum())
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Weighted means at the targets.

        Parameters
        ----------
        X : array of shape (m, n_dims)
            Coordinates [m].

        Returns
        -------
        estimate : array of shape (m,) or (m, n_variables)
            NaN where there are too few samples within `max_distance`. At a sample: its value.
        """
        check_is_fitted(self, "n_samples_")
        coords = read_columns(self, X, None, reset=False)[0]
        points = coords - self._origin
        starts = range(0, len(points), MOST_ROWS)
        return np.concatenate([self._predict(points[i : i + MOST_ROWS]) for i in starts])

    def _check_settings(self) -> None:
        for name in ("power", "n_neighbours", "min_neighbours", "max_distance"):
            value = getattr(self, name)
            if not (value is None and name == "max_distance") and not 0 < value < np.inf:
                raise ValueError(
                    f"{name} must be above zero, got {value!r}. Leave it out for its default."
                )

    def _predict(self, points: Floats) -> Floats:
        """Return weighted means at some targets."""
        rows = find_neighbours(self._tree, points, self._search(), n_jobs=1)
        found = rows >= 0
        steps = (self._samples[rows] - points[:, None]) @ self._frame.T
        distances = np.where(found, np.linalg.norm(steps, axis=2), np.inf)
        nearest = distances[:, :1]
        with np.errstate(divide="ignore", invalid="ignore"):
            # Over the nearest distance: no overflow, whatever the power.
            weights = np.where(found, (nearest / distances) ** self.power, 0.0)
            weights = np.where(nearest == 0, distances == 0, weights)
            weights /= weights.sum(axis=1, keepdims=True)
        weights[~found[:, 0]] = np.nan  # too few samples
        return np.einsum("mk,mk...->m...", weights, self._values[rows])

    def _search(self) -> Search:
        reach = np.inf if self.max_distance is None else float(self.max_distance)
        return Search(
            n_neighbours=int(self.n_neighbours),
            min_neighbours=int(self.min_neighbours),
            max_distance=reach,
            n_per_group=self._cap,
        )
