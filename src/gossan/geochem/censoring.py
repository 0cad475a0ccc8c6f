"""Values below detection: put a number in their place, or summarise a table without one.

Concentrations and a mask come in, a masked value being its limit of detection; a completed table
or a table of estimates goes out. Fit on training rows only: imputation belongs inside the fold.

Sources
-------
Helsel (2012), Statistics for Censored Environmental Data Using Minitab and R, 2nd ed., Wiley,
doi:10.1002/9781118162729. Others at the method that they belong to.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import GossanWarning, check_labels, check_option, check_random_state
from gossan.geochem import _lognormal_em as em
from gossan.geochem._lognormal_em import CensoredLognormal
from gossan.geochem._masks import FEWEST_OBSERVED, can_fit, check_pair
from gossan.geochem._order_statistics import regress_order_statistics
from gossan.geochem._parts import Table, like, names_of
from gossan.geochem.summaries import censored_summary

__all__ = [
    "IMPUTATION_METHODS",
    "CensoredLognormal",
    "censored_summary",
    "fit_censored_lognormal",
    "impute_censored",
]

_FACTORS = {"none": 1.0, "half": 0.5, "0.65": 0.65, "sqrt2": 1 / np.sqrt(2)}
IMPUTATION_METHODS = (*_FACTORS, "ros", "lognormal_em")
_COORDINATES = ("log", "logratio")
_MOST_CENSORED = 0.8  # Helsel (2012), chapter 6: beyond it report shares, not means


def impute_censored(
    values: ArrayLike | pd.DataFrame,
    censored: ArrayLike | pd.DataFrame,
    *,
    method: str = "lognormal_em",
    coordinates: str = "log",
    groups: ArrayLike | None = None,
    draw: bool = False,
    model: CensoredLognormal | None = None,
    random_state: int | np.random.Generator | None = 0,
) -> Table:
    """Table with a number in place of each value below detection.

    Use "lognormal_em" where elements are correlated and later steps need whole rows; add
    ``draw=True`` and repeat with several seeds where spread and correlation matter, because any
    single best guess narrows both. Where only means are wanted, impute nothing: `censored_summary`.

    Parameters
    ----------
    values : array, Series or DataFrame of shape (n_samples, n_parts) or (n_samples,)
        Concentrations in any one unit a column; where `censored`, the limit. NaN is missing and
        stays so.
    censored : Boolean, of the same shape
        True where the value is below the limit that stands in `values`. Each cell has its own.
    method : str, default "lognormal_em"
        - "none": the limit itself. Biased high; leaves a spike at the limit.
        - "half", "0.65", "sqrt2": DL/2, 0.65 DL, DL/√2. One number for all: biased, and it
          writes the laboratory into the data.
        - "ros": read off the lognormal line through the observed order statistics, several limits
          allowed [1]_, each column by itself. Which of the values below one limit is the lowest
          is unknown: the ranks are dealt out at random.
        - "lognormal_em": conditional mean of ln(value), given the rest of the row and that it is
          below its limit, under a multivariate lognormal fitted to the whole table [2]_ [3]_.
    coordinates : {"log", "logratio"}, default "log"
        For "lognormal_em": normal in ln(value), or in log-ratios for data that close to a whole
        (alr, ilr and clr give the same model and the same answer). "log" also draws on the level
        of the row.
    groups : array of shape (n_samples,), optional
        For "lognormal_em" in "log": deposit, hole or laboratory of each row. Each group then has a
        level of its own, drawn from a common distribution: a table of many deposits is not one
        lognormal, and taking it for one biases what is hidden.
    draw : bool, default False
        For "lognormal_em": draw from the conditional distribution instead of taking its mean.
    model : CensoredLognormal, optional
        From `fit_censored_lognormal` on other (training) rows; by default fitted to these.
    random_state : None, int or Generator, default 0
        Seed of the ranks, of the sampler inside the fit, and of the draws.

    Returns
    -------
    imputed : as `values`
        Censored cells hold a number at or below their limit; all others are as they were.

    Raises
    ------
    ValueError
        If shapes or columns differ, a limit is missing or not positive, an observed value is not
        positive under "ros" or "lognormal_em" (the cells are named), or an option is unknown.

    Warns
    -----
    GossanWarning
        If a column has fewer than three different observed values, or a row none at all under
        "logratio": 0.65 DL stands there. If over 80 % of a column is censored.

    References
    ----------
    .. [1] Helsel & Cohn (1988), Water Resour. Res. 24, 1997-2004, doi:10.1029/WR024i012p01997
    .. [2] Palarea-Albaladejo & Martin-Fernandez (2008), doi:10.1016/j.cageo.2007.09.015
    .. [3] Delyon, Lavielle & Moulines (1999), doi:10.1214/aos/1018031103

    Examples
    --------
    >>> impute_censored([1.0, 0.5, 4.0, 2.0], [False, True, False, False], method="half")
    array([1.  , 0.25, 4.  , 2.  ])
    >>> impute_censored([1.0, 1.5, 4.0, 2.0], [False, True, False, False], method="ros").round(3)
    array([1.   , 0.951, 4.   , 2.   ])
    """
    check_option("method", method, IMPUTATION_METHODS)
    if (draw or model is not None or groups is not None) and method != "lognormal_em":
        raise ValueError(
            f"draw, groups and model belong to method 'lognormal_em', got method {method!r}."
            " Leave them out, or change the method."
        )
    numbers, mask = check_pair(values, censored, positive=method not in _FACTORS)
    if method in _FACTORS:
        answer = np.where(mask, numbers * _FACTORS[method], numbers)
    elif method == "ros":
        answer = _impute_by_order(values, numbers, mask, check_random_state(random_state))
    else:
        rng = check_random_state(random_state)
        codes = _group_codes(groups, len(numbers), coordinates)
        answer = _impute_by_model(
            values,
            numbers,
            mask,
            coordinates=coordinates,
            groups=codes,
            draw=draw,
            model=model,
            rng=rng,
        )
    return _shaped(values, answer)


def fit_censored_lognormal(
    values: ArrayLike | pd.DataFrame,
    censored: ArrayLike | pd.DataFrame,
    *,
    coordinates: str = "log",
    groups: ArrayLike | None = None,
    n_sweeps: int = 120,
    random_state: int | np.random.Generator | None = 0,
) -> CensoredLognormal:
    """Mean and covariance of the logs of a table with values below detection.

    The maximum-likelihood lognormal: each censored cell counts as the chance of lying below its own
    limit given the rest of its row. ``impute_censored(..., model=...)`` imputes test rows with what
    was learned here on training rows.

    Parameters
    ----------
    values, censored : arrays or DataFrames of shape (n_samples, n_parts)
        As for `impute_censored`; a missing cell (NaN) counts as unknown.
    coordinates : {"log", "logratio"}, default "log"
        As for `impute_censored`.
    groups : array of shape (n_samples,), optional
        As for `impute_censored`.
    n_sweeps : int, default 120
        Passes over the table: half to settle, half to average. The error of sampling falls with
        the root of the second half; 120 makes it small beside that of 100 rows.
    random_state : None, int or Generator, default 0

    Returns
    -------
    model : CensoredLognormal

    Raises
    ------
    ValueError
        As `impute_censored`, and if a column has fewer than three different observed values.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ppm = np.exp(rng.multivariate_normal([1.0, 2.0], [[1.0, 0.8], [0.8, 1.0]], size=2000))
    >>> limits = np.array([2.0, 5.0])
    >>> model = fit_censored_lognormal(np.maximum(ppm, limits), ppm < limits)
    >>> model.mean.round(1)
    array([1., 2.])
    """
    check_option("coordinates", coordinates, _COORDINATES)
    if n_sweeps < 2:
        raise ValueError(f"n_sweeps must be 2 or more, got {n_sweeps}. Leave it at its default.")
    numbers, mask = check_pair(values, censored, positive=True)
    names = names_of(values)
    thin = [names[i] for i in np.flatnonzero(~can_fit(numbers, mask, coordinates=coordinates))]
    if thin:
        raise ValueError(
            f"Columns {thin} have fewer than {FEWEST_OBSERVED} different observed values: nothing"
            " can be fitted. Drop them, or impute them by a factor of the limit."
        )
    rows = _usable_rows(numbers, mask, coordinates, stacklevel=3)
    logs, hidden = _bounds(numbers[rows], mask[rows])
    rng = check_random_state(random_state)
    codes = _group_codes(groups, len(numbers), coordinates)
    return _fit(logs, hidden, tuple(names), coordinates, codes, n_sweeps=n_sweeps, rng=rng)[0]


def _impute_by_order(
    values: Any, numbers: NDArray[np.float64], mask: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    answer = np.where(mask, 0.65 * numbers, numbers)
    is_fit = can_fit(numbers, mask)
    _warn(values, numbers, mask, is_fit)
    for column in np.flatnonzero(is_fit & mask.any(axis=0)):
        known = ~np.isnan(numbers[:, column])
        answer[known, column] = regress_order_statistics(
            numbers[known, column], mask[known, column], rng
        )
    return answer


def _impute_by_model(
    values: Any,
    numbers: NDArray[np.float64],
    mask: NDArray[np.bool_],
    *,
    coordinates: str,
    groups: NDArray[np.int64] | None,
    draw: bool,
    model: CensoredLognormal | None,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Conditional means or draws where the model reaches, 0.65 DL where it does not."""
    check_option("coordinates", coordinates, _COORDINATES)
    if model is not None:
        coordinates = model.coordinates
        _check_model(model, names_of(values), is_grouped=groups is not None)
    columns = np.ones(numbers.shape[1], dtype=bool)
    if model is None:
        columns = can_fit(numbers, mask, coordinates=coordinates)
        _warn(values, numbers, mask, columns)
    answer = np.where(mask, 0.65 * numbers, numbers)
    if not columns.any() or not mask.any():
        return answer
    rows = _usable_rows(numbers[:, columns], mask[:, columns], coordinates)
    place = np.ix_(rows, columns)
    logs, hidden = _bounds(numbers[place], mask[place])
    state = None
    if model is None:
        names = tuple(np.array(names_of(values), dtype=object)[columns])
        model, state = _fit(logs, hidden, names, coordinates, groups, n_sweeps=120, rng=rng)
    filled = np.exp(
        em.complete(model, logs, hidden, rng=rng, draw=draw, state=state, groups=groups)
    )
    # exp(log(limit)) may exceed the limit by one rounding.
    answer[place] = np.where(mask[place], np.minimum(filled, numbers[place]), numbers[place])
    return answer


def _fit(
    logs: NDArray[np.float64],
    hidden: NDArray[np.bool_],
    names: tuple[Any, ...],
    coordinates: str,
    groups: NDArray[np.int64] | None,
    *,
    n_sweeps: int,
    rng: np.random.Generator,
) -> tuple[CensoredLognormal, NDArray[np.float64]]:
    if groups is not None:
        return em.fit_grouped(logs, hidden, groups, names=names, n_sweeps=n_sweeps, rng=rng)
    return em.fit(logs, hidden, names=names, coordinates=coordinates, n_sweeps=n_sweeps, rng=rng)


def _group_codes(
    groups: ArrayLike | None, n_rows: int, coordinates: str
) -> NDArray[np.int64] | None:
    """Return the number of each row's group, from 0; None where there are no groups."""
    if groups is None:
        return None
    if coordinates != "log":
        raise ValueError(
            f"groups need coordinates 'log', got {coordinates!r}. Leave out one of the two."
        )
    labels = check_labels("groups", groups, n_rows)
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _check_model(model: CensoredLognormal, names: list[Any], *, is_grouped: bool) -> None:
    if is_grouped and model.between is None:
        raise ValueError(
            "groups were given, but the model was fitted without groups. Fit it with groups, or"
            " leave them out."
        )
    if list(model.names) != names:
        raise ValueError(
            f"The model was fitted to columns {list(model.names)}, got {names}."
            " Pass the same columns in the same order."
        )


def _usable_rows(
    numbers: NDArray[np.float64],
    mask: NDArray[np.bool_],
    coordinates: str,
    *,
    stacklevel: int = 4,
) -> NDArray[np.int64]:
    """Rows that the model can speak of: log-ratios need one observed part to be ratios to."""
    if coordinates == "log":
        return np.arange(len(numbers))
    known = np.asarray((~mask & ~np.isnan(numbers)).any(axis=1))
    if not known.all():
        warnings.warn(
            f"{(~known).sum()} of {known.size} rows have no observed value to form log-ratios with:"
            " 0.65 of the limit stands there.",
            GossanWarning,
            stacklevel=stacklevel,
        )
    return np.flatnonzero(known)


def _bounds(
    numbers: NDArray[np.float64], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return logs, in hidden cells of the upper bound (infinite where the value is missing)."""
    missing = np.isnan(numbers)
    return np.where(missing, np.inf, np.log(numbers)), mask | missing


def _warn(
    values: Any,
    numbers: NDArray[np.float64],
    mask: NDArray[np.bool_],
    is_fit: NDArray[np.bool_],
) -> None:
    names = names_of(values) if np.ndim(values) == 2 else ["the column"]
    known = np.maximum((~np.isnan(numbers)).sum(axis=0), 1)
    touched = mask.any(axis=0)
    thin = [names[i] for i in np.flatnonzero(touched & ~is_fit)]
    if thin:
        warnings.warn(
            f"Fewer than {FEWEST_OBSERVED} different observed values in {thin}: 0.65 of the limit"
            " stands there.",
            GossanWarning,
            stacklevel=4,
        )
    is_rare = is_fit & (mask.sum(axis=0) > _MOST_CENSORED * known)
    rare = [names[i] for i in np.flatnonzero(is_rare)]
    if rare:
        warnings.warn(
            f"Over {_MOST_CENSORED:.0%} of {rare} is below detection: the imputed values rest on"
            " the lognormal model more than on data.",
            GossanWarning,
            stacklevel=4,
        )


def _shaped(values: Any, answer: NDArray[np.float64]) -> Table:
    if isinstance(values, pd.Series):
        return pd.Series(answer[:, 0], index=values.index, name=values.name)
    if np.ndim(values) == 1:
        return answer[:, 0]
    return like(values, answer)
