"""Cokriging: estimate one variable from its own samples and from others that vary with it.

Coordinates [m] with secondary variables behind them come in, at the samples and at the targets;
estimates of the primary variable and their errors go out.

Sources
-------
Goovaerts (1997), Geostatistics for Natural Resources Evaluation, Oxford University Press, section
6.2 (simple, ordinary and standardised ordinary cokriging, collocated cokriging).
Wackernagel (2003), Multivariate Geostatistics, 3rd ed., Springer, doi:10.1007/978-3-662-05294-5.
Xu et al. (1992), Integrating seismic data in reservoir modeling: the collocated cokriging
alternative, SPE 24742, doi:10.2118/24742-MS.
"""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from gossan._checks import GossanWarning, check_option
from gossan.geostat._columns import hole_cap, read_columns, read_values
from gossan.geostat._samples import holes_of, read_groups
from gossan.geostat._search import Search, SearchTree, build_tree, find_neighbours
from gossan.geostat.coregionalization import Coregionalization, fit_coregionalization

__all__ = ["Cokriging"]

Floats = NDArray[np.float64]

METHODS = ("standardised", "ordinary", "simple")
SECONDARY = ("full", "collocated")
MOST_NUMBERS = 2**22  # of all systems solved at once: 32 MiB
JITTER = 1e-10  # on the diagonal, over the variance: variables may be copies of each other


class _Side(NamedTuple):
    """Rows that are searched together."""

    tree: SearchTree
    origin: Floats  # (n_dims,) subtracted from the coordinates of the tree
    coords: Floats  # (n, n_dims)
    table: Floats  # (n + 1, p); a row of NaN stands at its end


class Cokriging(RegressorMixin, BaseEstimator):
    """Estimates of a primary variable from its samples and from secondary variables.

    Take it where a secondary variable is known at more places than the primary one, best at the
    targets themselves, as cheap analyses are. Where all variables are known at the same samples
    alone, kriging is as good. For a secondary variable known everywhere that acts as a trend, see
    `RegressionKriging`.

    `X` holds coordinates and then the secondary variables, so that cross-validation and pipelines
    work as ever; NaN where a secondary variable is not known. A row whose `y` is NaN gives its
    secondary variables alone.

    Parameters
    ----------
    model : Coregionalization, optional
        Of the primary variable (first) and the secondary ones, in the order of the columns. None:
        fitted to the samples by `fit_coregionalization`.
    n_dims : {2, 3}, default 2
        Columns of `X` that are coordinates.
    method : {"standardised", "ordinary", "simple"}, default "standardised"
        "ordinary": weights of the primary sum to one, those of each secondary variable to zero, so
        that only its local differences count. "standardised": one constraint on all weights of the
        variables, each centred by its mean and scaled by its spread, so that the level of the
        secondary variable counts too. "simple": all means are taken as known.
    secondary : {"full", "collocated"}, default "full"
        "full": secondary values at the neighbours and at the target; "collocated": at the target
        alone, which is fast and asks little of the cross-variograms.
    n_neighbours : int, default 24
        Nearest rows used.
    max_distance : float, optional
        Rows farther away are not used [m].
    n_per_group : int, "auto" or None, default "auto"
        Most rows of one hole. "auto": a quarter of `n_neighbours` if `fit` is given groups; if not,
        and most rows stand on vertical lines, these are taken for holes, with a warning.

    Attributes
    ----------
    model_ : Coregionalization
        The model used, in the units of the values.
    means_, scales_ : array of shape (n_variables,)
        Mean of the known values of each variable, and square root of its sill.
    n_samples_ : int
        Rows kept.

    Examples
    --------
    >>> from gossan.geostat.covariance import Structure
    >>> shape = Structure("spherical", 1.0, 10.0)
    >>> model = Coregionalization(np.zeros((2, 2)), (shape,), [[[1.0, 0.9], [0.9, 1.0]]])
    >>> X = [[0.0, 0.0, 1.0], [20.0, 0.0, 3.0], [40.0, 0.0, 2.0]]
    >>> cokriging = Cokriging(model, method="simple").fit(X, [1.0, 3.0, 2.0])
    >>> cokriging.predict([[60.0, 0.0, 3.0], [60.0, 0.0, np.nan]])  # mean + 0.9 x (3 - mean)
    array([2.9, 2. ])
    """

    takes_missing_features = True  # which `krige_grid` asks

    def __init__(
        self,
        model: Coregionalization | None = None,
        *,
        n_dims: int = 2,
        method: str = "standardised",
        secondary: str = "full",
        n_neighbours: int = 24,
        max_distance: float | None = None,
        n_per_group: int | str | None = "auto",
    ) -> None:
        self.model = model
        self.n_dims = n_dims
        self.method = method
        self.secondary = secondary
        self.n_neighbours = n_neighbours
        self.max_distance = max_distance
        self.n_per_group = n_per_group

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Cokriging:
        """Keep the samples and, without a model, fit one.

        Parameters
        ----------
        X : array of shape (n, n_dims + n_secondary)
            Easting, northing[, elevation] [m], then the secondary variables; NaN where not known.
        y : array of shape (n,)
            Primary variable; NaN where not known.
        groups : array of shape (n,), optional
            Hole of each row.

        Returns
        -------
        self : Cokriging

        Raises
        ------
        ValueError
            If a coordinate is missing, `y` is known nowhere, the model has another number of
            variables, or an option is none of its list.
        """
        self._check_settings()
        coords, others = read_columns(self, X, self.n_dims, reset=True, allow_nan=True)
        primary = read_values(y, len(coords))
        if primary.ndim != 1:
            raise ValueError(
                f"y must be the primary variable alone, got shape {primary.shape}. Put the others"
                " into X, after the coordinates."
            )
        table = np.column_stack([primary, others])
        self._check_known(table)
        holes = read_groups(groups, len(coords))
        if holes is None and self.n_per_group == "auto":
            holes = holes_of(coords)
        self._cap = hole_cap(self.n_per_group, int(self.n_neighbours), has_holes=holes is not None)
        coords, table, holes = _merged(coords, table, holes)
        self.model_ = self.model or fit_coregionalization(coords, table)
        if self.model_.n_variables != table.shape[1]:
            raise ValueError(
                f"The model has {self.model_.n_variables} variables, X and y have"
                f" {table.shape[1]}. Give one for the primary and each secondary variable."
            )
        self.means_ = np.nanmean(table, axis=0)
        self.scales_ = np.sqrt(np.diag(self.model_.sill))
        if not (self.scales_ > 0).all():
            raise ValueError(
                f"Variable {int(np.argmin(self.scales_))} of the model has no variance. Leave it out."
            )
        self._sides = _sides(coords, (table - self.means_) / self.scales_, holes, self.secondary)
        self.n_samples_ = len(coords)
        return self

    @overload
    def predict(self, X: ArrayLike, *, return_std: Literal[False] = ...) -> Floats: ...
    @overload
    def predict(self, X: ArrayLike, *, return_std: Literal[True]) -> tuple[Floats, Floats]: ...
    def predict(self, X: ArrayLike, *, return_std: bool = False) -> Floats | tuple[Floats, Floats]:
        """Primary variable at the targets.

        Parameters
        ----------
        X : array of shape (m, n_dims + n_secondary)
            Coordinates [m] and the secondary variables, NaN where not known.
        return_std : bool
            Return the cokriging standard deviation too.

        Returns
        -------
        estimate : array of shape (m,)
            NaN where no primary sample lies near enough.
        std : array of shape (m,)
            Only with `return_std`.

        Raises
        ------
        ValueError
            If a coordinate is missing or infinite, or `X` has other columns.
        """
        check_is_fitted(self, "model_")
        coords, others = read_columns(self, X, self.n_dims, reset=False, allow_nan=True)
        others = (others - self.means_[1:]) / self.scales_[1:]
        p = len(self.means_)
        rows = sum(min(self.n_neighbours, len(side.coords)) for side in self._sides)
        size = (rows + 1) * p + p
        step = max(1, MOST_NUMBERS // size**2)
        parts = [
            self._solve(coords[start : start + step], others[start : start + step])
            for start in range(0, len(coords), step)
        ]
        estimate, variance = (np.concatenate(each) for each in zip(*parts, strict=True))
        estimate = self.means_[0] + self.scales_[0] * estimate
        std = self.scales_[0] * np.sqrt(np.maximum(variance, 0.0))
        return (estimate, std) if return_std else estimate

    def _check_settings(self) -> None:
        check_option("method", self.method, METHODS)
        check_option("secondary", self.secondary, SECONDARY)
        check_option("n_dims", self.n_dims, (2, 3))
        if self.method == "ordinary" and self.secondary == "collocated":
            raise ValueError(
                "Ordinary collocated cokriging gives the one secondary value a weight of zero. Take"
                " method='standardised', or secondary='full'."
            )
        for name in ("n_neighbours", "max_distance"):
            value = getattr(self, name)
            if not (value is None and name == "max_distance") and not 0 < value < np.inf:
                raise ValueError(
                    f"{name} must be above zero, got {value!r}. Leave it out for its default."
                )

    def _check_known(self, table: Floats) -> None:
        empty = np.isnan(table).all(axis=0)
        if empty.any():
            column = int(np.argmax(empty))
            name = "y" if column == 0 else f"secondary variable {column}"
            raise ValueError(f"{name} is missing (NaN) in all {len(table)} rows. Leave it out.")

    def _solve(self, coords: Floats, others: Floats) -> tuple[Floats, Floats]:
        """Return standardised estimates and variances of some targets."""
        places, data = self._neighbourhood(coords, others)
        known = ~np.isnan(data)
        known[:, :-1] &= ~(known[:, -1:] & _coincide(places)[..., None])  # not the same twice
        used = self._used(data.shape[1])
        known = known.reshape(len(coords), -1)[:, used]
        scale = np.outer(self.scales_, self.scales_)
        between = self.model_.covariance(places[:, :, None] - places[:, None]) / scale
        n = data.shape[1] * data.shape[2]
        between = between.transpose(0, 1, 3, 2, 4).reshape(len(coords), n, n)
        right = between[:, used, n - data.shape[2]]  # with the primary variable at the target
        left = between[:, used[:, None], used]
        system, right = self._constrained(left, right, known, used % data.shape[2])
        weights = np.linalg.solve(system, right[..., None])[..., 0]
        values = np.nan_to_num(data).reshape(len(coords), n)[:, used]
        estimate = np.einsum("mq,mq->m", weights[:, : len(used)], values * known)
        variance = 1.0 - np.einsum("mq,mq->m", weights, right)
        needed = known if self.method == "simple" else known[:, used % data.shape[2] == 0]
        enough = needed.any(axis=1)
        return np.where(enough, estimate, np.nan), np.where(enough, variance, np.nan)

    def _neighbourhood(self, coords: Floats, others: Floats) -> tuple[Floats, Floats]:
        """Return places (m, k, n_dims) and data (m, k, p) around targets; the last is the target.

        Rows without the primary variable are searched on their own, so that many of them do not
        crowd out the primary.
        """
        search = Search(
            n_neighbours=int(self.n_neighbours),
            max_distance=np.inf if self.max_distance is None else float(self.max_distance),
            n_per_group=self._cap,
        )
        places, data = [], []
        for side in self._sides:
            rows = find_neighbours(side.tree, coords - side.origin, search)
            places.append(side.coords[rows])
            data.append(side.table[rows])  # where none is found, row -1: NaN throughout
        own = np.column_stack([np.full(len(coords), np.nan), others])
        places.append(coords[:, None])
        data.append(own[:, None])
        return np.concatenate(places, axis=1), np.concatenate(data, axis=1)

    def _used(self, n_places: int) -> NDArray[np.intp]:
        """Return the numbers (place times n_variables plus variable) of the data that may serve."""
        p = len(self.means_)
        if self.secondary == "full":
            return np.delete(np.arange(n_places * p), (n_places - 1) * p)
        return np.r_[np.arange(n_places - 1) * p, (n_places - 1) * p + np.arange(1, p)]

    def _constrained(
        self, left: Floats, right: Floats, known: NDArray[np.bool_], variable: NDArray[np.intp]
    ) -> tuple[Floats, Floats]:
        """Add the constraints on the weights; what is not known gets a weight of zero."""
        m, q = known.shape
        if self.method == "simple":
            sums = np.zeros((0, q))
        elif self.method == "ordinary":
            sums = (variable == np.arange(len(self.means_))[:, None]).astype(float)
        else:
            sums = np.ones((1, q))
        c = len(sums)
        system, aim = np.zeros((m, q + c, q + c)), np.zeros((m, q + c))
        system[:, :q, :q] = left * (known[:, :, None] & known[:, None])
        system[:, np.arange(q), np.arange(q)] += np.where(known, JITTER, 1.0)
        system[:, q:, :q] = sums * known[:, None]
        system[:, :q, q:] = system[:, q:, :q].transpose(0, 2, 1)
        idle = ~system[:, q:, :q].any(axis=2)  # no data of the variable: no constraint
        system[:, np.arange(q, q + c), np.arange(q, q + c)] = idle
        aim[:, :q] = right * known
        aim[:, q : q + 1] = 1.0
        return system, aim


def _coincide(places: Floats) -> NDArray[np.bool_]:
    """Return True for the neighbours (m, k - 1) that lie where the target does."""
    return np.asarray((places[:, :-1] == places[:, -1:]).all(axis=2))


def _sides(coords: Floats, table: Floats, holes: NDArray | None, secondary: str) -> list[_Side]:
    """Return the rows with, and those without the primary variable."""
    has_primary = ~np.isnan(table[:, 0])
    parts = [has_primary] if secondary == "collocated" else [has_primary, ~has_primary]
    nothing, origin = np.full((1, table.shape[1]), np.nan), coords.mean(axis=0)
    return [
        _Side(
            build_tree(coords[part] - origin, groups=None if holes is None else holes[part]),
            origin,
            coords[part],
            np.vstack([table[part], nothing]),
        )
        for part in parts
        if part.any()
    ]


def _merged(
    coords: Floats, table: Floats, holes: NDArray | None
) -> tuple[Floats, Floats, NDArray | None]:
    """Return the rows with those at one place averaged, variable by variable, and a warning."""
    places, first, codes = np.unique(coords, axis=0, return_index=True, return_inverse=True)
    if len(places) == len(coords):
        return coords, table, holes
    warnings.warn(
        f"{len(coords) - len(places)} of {len(coords)} rows lie at the place of another; their"
        " values are averaged.",
        GossanWarning,
        stacklevel=3,
    )
    merged = np.full((len(places), table.shape[1]), np.nan)
    for j, column in enumerate(table.T):
        has = ~np.isnan(column)
        counts = np.bincount(codes[has], minlength=len(places))
        sums = np.bincount(codes[has], weights=column[has], minlength=len(places))
        merged[counts > 0, j] = sums[counts > 0] / counts[counts > 0]
    return places, merged, None if holes is None else holes[first]
