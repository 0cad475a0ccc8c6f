"""Factors: the few directions in which many elements vary together, each tied to few elements.

A table of log-ratios (clr) or other numbers comes in; loadings, and the scores of each sample on
each factor, go out; a factor is then chosen by what it holds, such as Sb and Hg.

Sources
-------
Kaiser (1958), The varimax criterion for analytic rotation in factor analysis, Psychometrika 23,
187-200, doi:10.1007/BF02289233 (rotation and its normalisation).
Horn (1965), A rationale and test for the number of factors in factor analysis, Psychometrika 30,
179-185, doi:10.1007/BF02289447 (parallel analysis).
Boudt, Cornelissen & Croux (2012), The Gaussian rank correlation estimator: robustness properties,
Statistics and Computing 22, 471-483, doi:10.1007/s11222-011-9237-0 (robust correlation).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gossan._checks import check_option, check_random_state, check_table, did_you_mean

__all__ = ["ChosenFactor", "ParallelAnalysis", "VarimaxFactors", "parallel_analysis", "varimax"]

Floats = NDArray[np.float64]

METHODS = ("components", "principal_axis")
SCALINGS = ("standard", "robust")


@dataclass(frozen=True, eq=False)
class ParallelAnalysis:
    """How many factors are more than chance.

    Attributes
    ----------
    n_factors : int
        Eigenvalues above those of chance, counted from the largest; at least 1.
    eigenvalues : array of shape (n_features,)
        Of the correlations, descending.
    by_chance : array of shape (n_features,)
        Quantile of those of shuffled columns.
    """

    n_factors: int
    eigenvalues: Floats
    by_chance: Floats


@dataclass(frozen=True, eq=False)
class ChosenFactor:
    """A factor chosen by its elements.

    Attributes
    ----------
    number : int
        Column of the scores, from 0.
    name : str
        Such as "factor4".
    sign : int
        1 or -1: what the scores are multiplied by, so that the first element is positive.
    loadings : Series
        Of all elements, with that sign, from high to low.
    """

    number: int
    name: str
    sign: int
    loadings: pd.Series


class VarimaxFactors(TransformerMixin, BaseEstimator):
    """Varimax-rotated factors of standardised columns, as a step of a scikit-learn pipeline.

    For chemistry, give centred log-ratios (`gossan.geochem.clr`), so that closure does not make
    factors of its own. Fit it inside each fold: its loadings are learned from all its rows.

    Parameters
    ----------
    n_factors : int or "parallel", default 5
        "parallel" takes what `parallel_analysis` suggests.
    method : {"components", "principal_axis"}, default "components"
        Principal components, or principal axes with communalities iterated, which leave out what an
        element shares with no other.
    scaling : {"standard", "robust"}, default "standard"
        Mean and standard deviation with product-moment correlations; or median and median absolute
        deviation with the correlations of normal scores of ranks, which outliers cannot pull.
    normalise : bool, default True
        Kaiser's normalisation: in the rotation all elements weigh alike.
    max_iter : int, default 500
        Of the rotation, and of the communalities.
    tol : float, default 1e-8
        When the rotation or the communalities have settled.
    random_state : int, Generator or None, default 0
        Of "parallel".

    Attributes
    ----------
    loadings_ : DataFrame of shape (n_features, n_factors)
        Correlations of elements with factors; factors in the order of the variance they explain,
        each with the sign of its sum.
    explained_ : array of shape (n_factors,)
        Share of the total variance.
    communalities_ : array of shape (n_features,)
        Share of each element's variance.
    coefficients_ : array of shape (n_features, n_factors)
        The scores are the standardised columns times these.
    center_, scale_ : array of shape (n_features,)
        Of the standardisation.
    n_factors_ : int
        Number of factors.
    names_ : list of str
        Of the columns seen by `fit`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> common = rng.normal(size=(5000, 2))
    >>> values = common[:, [0, 0, 1, 1]] + 0.3 * rng.normal(size=(5000, 4))
    >>> table = pd.DataFrame(values, columns=["Sb", "Hg", "W", "Bi"])
    >>> model = VarimaxFactors(2).fit(table)
    >>> model.factor_of(("Sb", "Hg")).loadings[["Sb", "Hg", "W", "Bi"]].round(1) + 0.0
    Sb    1.0
    Hg    1.0
    W     0.0
    Bi    0.0
    Name: factor1, dtype: float64
    """

    def __init__(
        self,
        n_factors: int | str = 5,
        *,
        method: str = "components",
        scaling: str = "standard",
        normalise: bool = True,
        max_iter: int = 500,
        tol: float = 1e-8,
        random_state: int | np.random.Generator | None = 0,
    ) -> None:
        self.n_factors = n_factors
        self.method = method
        self.scaling = scaling
        self.normalise = normalise
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: ArrayLike | pd.DataFrame, y: Any = None) -> VarimaxFactors:  # noqa: ARG002
        """Learn standardisation, loadings and score coefficients from `X`; `y` is ignored.

        Raises
        ------
        ValueError
            If `X` holds fewer than three rows, a missing value or a constant column, or there are
            not that many factors in it.
        """
        check_option("method", self.method, METHODS)
        check_option("scaling", self.scaling, SCALINGS)
        names = [str(name) for name in getattr(X, "columns", [])]
        table = validate_data(self, X, dtype=float, ensure_min_samples=3, ensure_min_features=2)
        self.names_ = names or [f"x{i}" for i in range(table.shape[1])]
        self.center_, self.scale_ = _standards(table, self.scaling)
        is_flat = self.scale_ <= 1e-12 * np.abs(table).max(axis=0)
        if is_flat.any():
            flat = [self.names_[i] for i in np.flatnonzero(is_flat)]
            raise ValueError(
                f"Columns {', '.join(flat)} do not vary (by scaling={self.scaling!r}), got a spread"
                " of 0. Leave them out."
            )
        correlations = _correlations(table, self.scaling)
        rank = int((np.linalg.eigvalsh(correlations) > 1e-8 * len(correlations)).sum())
        n = self.n_factors
        if n == "parallel":
            n = parallel_analysis(
                table, scaling=self.scaling, random_state=self.random_state
            ).n_factors
        if not isinstance(n, (int, np.integer)) or not 1 <= n <= rank:
            raise ValueError(
                f"n_factors must be 'parallel' or 1 to {rank} for these {len(correlations)} columns,"
                f" got {self.n_factors!r}. Log-ratios hold one factor fewer than columns."
            )
        raw = _extract(correlations, int(n), self.method, self.max_iter, self.tol)
        turn = varimax(raw, normalise=self.normalise, max_iter=self.max_iter, tol=self.tol)[1]
        loadings = raw @ turn
        order = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
        sign = np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
        loadings = (loadings * sign)[:, order]
        self.n_factors_ = int(n)
        self.explained_ = (loadings**2).sum(axis=0) / len(loadings)
        self.communalities_ = (loadings**2).sum(axis=1)
        # Regression scores; the pseudo-inverse, as the correlations of log-ratios are singular.
        self.coefficients_ = np.linalg.pinv(correlations, rcond=1e-8, hermitian=True) @ loadings
        self.loadings_ = pd.DataFrame(loadings, self.names_, self.get_feature_names_out())
        return self

    def transform(self, X: ArrayLike | pd.DataFrame) -> Floats:
        """Scores of each row on each factor, shape (n_samples, n_factors); near unit variance."""
        check_is_fitted(self)
        table = validate_data(self, X, dtype=float, reset=False)
        return ((table - self.center_) / self.scale_) @ self.coefficients_

    def factor_of(self, elements: Sequence[str] = ("Sb", "Hg")) -> ChosenFactor:
        """Factor that holds the given elements together, signed so that the first is positive.

        Factors have no fixed order or sign: ask for them by content. Of the factors on which the
        elements have one sign, it is that with the largest product of their loadings.

        Parameters
        ----------
        elements : sequence of str, default ("Sb", "Hg")
            Columns seen by `fit`; "Sb" also finds "clr(Sb)".

        Returns
        -------
        factor : ChosenFactor

        Raises
        ------
        KeyError
            If an element is not among the columns.
        ValueError
            If they have different signs on every factor.
        """
        check_is_fitted(self)
        rows = [_row_of(element, self.names_) for element in elements]
        held = self.loadings_.to_numpy()[rows]
        alike = (held > 0).all(axis=0) | (held < 0).all(axis=0)
        if not rows or not alike.any():
            raise ValueError(
                f"No factor holds {', '.join(elements) or 'nothing'} with one sign. Look at"
                " loadings_, take other elements or another number of factors."
            )
        number = int(np.where(alike, np.abs(held).prod(axis=0), -1.0).argmax())
        sign = 1 if held[0, number] > 0 else -1
        name = str(self.loadings_.columns[number])
        loadings = (sign * self.loadings_.iloc[:, number]).sort_values(ascending=False)
        return ChosenFactor(number, name, sign, loadings)

    def scores_of(
        self, X: ArrayLike | pd.DataFrame, elements: Sequence[str] = ("Sb", "Hg")
    ) -> Floats:
        """Scores on the factor that holds the given elements, high where the first is high.

        Parameters
        ----------
        X : array or DataFrame of shape (n_samples, n_features)
        elements : sequence of str, default ("Sb", "Hg")
            As for `factor_of`.

        Returns
        -------
        scores : array of shape (n_samples,)
        """
        chosen = self.factor_of(elements)
        return chosen.sign * self.transform(X)[:, chosen.number]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names of the factors: factor1, factor2 ..."""
        check_is_fitted(self, "n_factors_")
        return np.array([f"factor{i + 1}" for i in range(self.n_factors_)], dtype=object)


def parallel_analysis(
    X: ArrayLike | pd.DataFrame,
    *,
    n_draws: int = 100,
    quantile: float = 0.95,
    scaling: str = "standard",
    random_state: int | np.random.Generator | None = 0,
) -> ParallelAnalysis:
    """Number of factors whose eigenvalues are larger than those of columns shuffled each by itself.

    Rows of centred log-ratios add up to zero; so do the shuffled ones, centred again.

    Parameters
    ----------
    X : array or DataFrame of shape (n_samples, n_features)
    n_draws : int, default 100
    quantile : float, default 0.95
        Of the eigenvalues by chance.
    scaling : {"standard", "robust"}, default "standard"
        As in `VarimaxFactors`.
    random_state : int, Generator or None, default 0

    Returns
    -------
    analysis : ParallelAnalysis

    Raises
    ------
    ValueError
        If a value is missing, a column does not vary, or an option is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> common = rng.normal(size=(300, 2))
    >>> parallel_analysis(common[:, [0, 0, 0, 1, 1, 1]] + rng.normal(size=(300, 6))).n_factors
    2
    """
    check_option("scaling", scaling, SCALINGS)
    table = check_table(X)
    if np.isnan(table).any() or len(table) < 3 or n_draws < 1 or not 0 < quantile < 1:
        raise ValueError(
            f"Parallel analysis needs 3 rows or more without missing values, a draw and a quantile"
            f" between 0 and 1; got {len(table)} rows, {np.isnan(table).sum()} missing, {n_draws}"
            f" draws, quantile {quantile:g}. Fill or drop what is missing."
        )
    if not (np.ptp(table, axis=0) > 0).all():
        raise ValueError(
            f"Column {int(np.argmin(np.ptp(table, axis=0)))} does not vary. Leave it out."
        )
    rng = check_random_state(random_state)
    sums = table.sum(axis=1)
    is_centred = bool(np.abs(sums).max() <= 1e-6 * np.abs(table).max())
    draws = np.empty((n_draws, table.shape[1]))
    for i in range(n_draws):
        shuffled = rng.permuted(table, axis=0)
        if is_centred:
            shuffled -= shuffled.mean(axis=1, keepdims=True)
        draws[i] = np.linalg.eigvalsh(_correlations(shuffled, scaling))[::-1]
    eigenvalues = np.asarray(np.linalg.eigvalsh(_correlations(table, scaling))[::-1], dtype=float)
    by_chance = np.quantile(draws, quantile, axis=0)
    is_chance = eigenvalues <= by_chance
    n_factors = int(np.argmax(is_chance)) if is_chance.any() else len(eigenvalues)
    return ParallelAnalysis(max(n_factors, 1), eigenvalues, by_chance)


def varimax(
    loadings: ArrayLike, *, normalise: bool = True, max_iter: int = 500, tol: float = 1e-8
) -> tuple[Floats, Floats]:
    """Loadings turned so that each factor has few large ones and many near zero.

    Parameters
    ----------
    loadings : array of shape (n_features, n_factors)
    normalise : bool, default True
        Rows scaled to one length while turning (Kaiser).
    max_iter : int, default 500
    tol : float, default 1e-8
        Largest angle [radians] still turned when it stops.

    Returns
    -------
    rotated : array of shape (n_features, n_factors)
    rotation : array of shape (n_factors, n_factors)
        Orthonormal; ``rotated = loadings @ rotation``.

    Examples
    --------
    >>> varimax([[0.7, 0.7], [0.7, -0.7]])[0].round(2) + 0.0
    array([[ 0.99,  0.  ],
           [ 0.  , -0.99]])
    """
    table = check_table(loadings, name="loadings")
    lengths = np.sqrt((table**2).sum(axis=1, keepdims=True))
    rows = table / np.where(lengths > 0, lengths, 1.0) if normalise else table.copy()
    n_factors = table.shape[1]
    turn = np.eye(n_factors)
    pairs = [(i, j) for i in range(n_factors) for j in range(i + 1, n_factors)]
    for _ in range(max_iter):
        angles = [0.0]
        for pair in map(list, pairs):
            angle = _best_angle(*rows[:, pair].T)
            sine, cosine = np.sin(angle), np.cos(angle)
            step = np.array([[cosine, -sine], [sine, cosine]])
            rows[:, pair], turn[:, pair] = rows[:, pair] @ step, turn[:, pair] @ step
            angles.append(abs(angle))
        if max(angles) <= tol:
            break
    return table @ turn, turn


def _best_angle(x: Floats, y: Floats) -> float:
    """Return the angle in the plane of two factors at which the criterion is greatest.

    Turning plane by plane as Kaiser does cannot stop at a saddle, as steps by gradient do.
    """
    u, v = x**2 - y**2, 2 * x * y
    sine = 2 * (u @ v) - 2 * u.sum() * v.sum() / len(u)
    cosine = u @ u - v @ v - (u.sum() ** 2 - v.sum() ** 2) / len(u)
    if np.hypot(sine, cosine) <= 1e-14 * (u @ u + v @ v):
        return 0.0
    return float(np.arctan2(sine, cosine) / 4)


def _standards(table: Floats, scaling: str) -> tuple[Floats, Floats]:
    """Return centre and spread of each column."""
    if scaling == "standard":
        return table.mean(axis=0), table.std(axis=0)
    center = np.median(table, axis=0)
    return center, np.median(np.abs(table - center), axis=0) / norm.ppf(0.75)


def _correlations(table: Floats, scaling: str) -> Floats:
    """Return correlations of the columns, or of the normal scores of their ranks."""
    if scaling == "robust":
        table = norm.ppf(rankdata(table, axis=0) / (len(table) + 1))
    return np.atleast_2d(np.corrcoef(table, rowvar=False))


def _extract(correlations: Floats, n: int, method: str, max_iter: int, tol: float) -> Floats:
    """Return loadings before rotation, shape (n_features, n)."""
    if method == "components":
        return _leading(correlations, n)
    # Principal axes: the diagonal holds what an element shares, found by iteration.
    reduced = correlations.copy()
    shared = np.abs(correlations - np.eye(len(correlations))).max(axis=1)
    for _ in range(max_iter):
        np.fill_diagonal(reduced, shared)
        loadings = _leading(reduced, n)
        now = np.minimum((loadings**2).sum(axis=1), 1.0)
        if np.abs(now - shared).max() < tol:
            break
        shared = now
    return loadings


def _leading(matrix: Floats, n: int) -> Floats:
    """Return the leading eigenvectors, each as long as the root of its eigenvalue."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors[:, ::-1][:, :n] * np.sqrt(np.maximum(values[::-1][:n], 0.0))


def _row_of(element: str, names: list[str]) -> int:
    """Return the row of an element, also under a name such as clr(Sb)."""
    for i, name in enumerate(names):
        if element == name or re.fullmatch(rf"\w+\({re.escape(element)}\)", name):
            return i
    raise KeyError(f"{element!r} is not among the columns {names}.{did_you_mean(element, names)}")
