"""Compositional data: closure, log-ratios (clr, alr, ilr), balances, and the way back.

Tables of positive parts in one unit come in (samples in rows); tables of real coordinates go out,
as a DataFrame with telling column names for a DataFrame, as an array for an array.

Sources
-------
Aitchison (1986), The Statistical Analysis of Compositional Data, Chapman & Hall,
doi:10.1007/978-94-009-4109-0 (closure, alr, clr).
Egozcue et al. (2003), Isometric logratio transformations for compositional data analysis,
Mathematical Geology 35, 279-300, doi:10.1023/A:1023818214614 (ilr).
Egozcue & Pawlowsky-Glahn (2005), Groups of parts and their balances in compositional data
analysis, Mathematical Geology 37, 795-828, doi:10.1007/s11004-005-7381-9 (balances).
Fiserova & Hron (2011), On the interpretation of orthonormal coordinates for compositional data,
Mathematical Geosciences 43, 455-468, doi:10.1007/s11004-011-9333-x (pivot coordinates).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan.geochem._parts import (
    Table,
    close_exp,
    finite_of,
    like,
    logs_of,
    names_of,
    numbers_of,
    refuse_cells,
)
from gossan.geochem.bases import (
    alr_contrasts,
    balance_row,
    group_name,
    ilr_contrasts,
    place_of,
    sides_of,
)
from gossan.geochem.logratios import LogRatioTransformer

__all__ = [
    "LogRatioTransformer",
    "alr",
    "alr_inverse",
    "balance",
    "balances",
    "closure",
    "clr",
    "clr_inverse",
    "ilr",
    "ilr_inverse",
]


def closure(values: ArrayLike | pd.DataFrame, *, total: float = 1.0) -> Table:
    """Each composition rescaled so that its parts add up to `total`.

    Parameters
    ----------
    values : array or DataFrame of shape (n_samples, n_parts)
        Parts in one unit, none negative; a zero is allowed, a row of zeros is not.
    total : float, default 1.0
        Sum of each row afterwards (100 for per cent, 1e6 for ppm).

    Returns
    -------
    closed : array or DataFrame of shape (n_samples, n_parts)

    Raises
    ------
    ValueError
        If a part is negative, missing or infinite, or a row is zero throughout; the message names
        the cells.

    Examples
    --------
    >>> closure([[1.0, 3.0], [2.0, 2.0]], total=100)
    array([[25., 75.],
           [50., 50.]])
    """
    parts = numbers_of(values)
    refuse_cells(values, parts, ~(np.isfinite(parts) & (parts >= 0)), "closure needs parts >= 0")
    sums = parts.sum(axis=-1, keepdims=True)
    refuse_cells(
        values,
        parts,
        np.broadcast_to(sums == 0, parts.shape),
        "closure needs a part above zero in each row",
    )
    return like(values, total * parts / sums)


def clr(values: ArrayLike | pd.DataFrame) -> Table:
    """Centred log-ratios: the natural log of each part over the geometric mean of its row.

    Use them for factors, biplots and maps, where each element should keep its own coordinate. The
    coordinates of a row add up to zero, so their covariance is singular: use `ilr` where a method
    inverts it.

    Parameters
    ----------
    values : array or DataFrame of shape (n_samples, n_parts)
        Parts in one unit, all positive.

    Returns
    -------
    coordinates : array or DataFrame of shape (n_samples, n_parts)
        Columns are named "clr(Fe)".

    Raises
    ------
    ValueError
        If a part is zero, negative, missing or infinite; the message names the cells.

    Examples
    --------
    >>> clr([[1.0, 10.0, 100.0]]).round(4)
    array([[-2.3026,  0.    ,  2.3026]])
    """
    logs = logs_of(values, "clr")
    coordinates = logs - logs.mean(axis=-1, keepdims=True)
    return like(values, coordinates, [f"clr({name})" for name in names_of(values)])


def clr_inverse(
    coordinates: ArrayLike | pd.DataFrame,
    *,
    total: float = 1.0,
    parts: Sequence[Hashable] | None = None,
) -> Table:
    """Compositions that have the centred log-ratios `coordinates`, closed to `total`.

    Parameters
    ----------
    coordinates : array or DataFrame of shape (n_samples, n_parts)
    total : float, default 1.0
        Sum of each row; log-ratios do not know the amount.
    parts : sequence of names, optional
        Column names of the answer for a DataFrame; by default read from "clr(Fe)".

    Returns
    -------
    values : array or DataFrame of shape (n_samples, n_parts)
    """
    numbers = finite_of(coordinates, "clr_inverse")
    names = [re.sub(r"^clr\((.*)\)$", r"\1", str(name)) for name in names_of(coordinates)]
    return like(coordinates, close_exp(numbers, total), list(parts or names))


def alr(values: ArrayLike | pd.DataFrame, *, denominator: Hashable = -1) -> Table:
    """Additive log-ratios: the natural log of each part over one part that is left out.

    Simple to read and to invert, but distances depend on the denominator: choose an element that
    is measured well, and prefer `clr` or `ilr` for clustering and nearest neighbours.

    Parameters
    ----------
    values : array or DataFrame of shape (n_samples, n_parts)
        Parts in one unit, all positive.
    denominator : column name or index, default -1
        The part to divide by (a name for a DataFrame, a position for either).

    Returns
    -------
    coordinates : array or DataFrame of shape (n_samples, n_parts - 1)
        Columns are named "ln(Fe/Zn)".

    Raises
    ------
    ValueError
        If a part is not positive (the message names the cells).
    KeyError
        If the denominator is not among the columns.

    Examples
    --------
    >>> alr([[1.0, 10.0, 100.0]]).round(4)
    array([[-4.6052, -2.3026]])
    """
    logs, names = logs_of(values, "alr"), names_of(values)
    contrasts, columns = alr_contrasts(names, denominator)
    return like(values, logs @ contrasts.T, columns)


def alr_inverse(
    coordinates: ArrayLike | pd.DataFrame,
    *,
    denominator: Hashable = -1,
    total: float = 1.0,
    parts: Sequence[Hashable] | None = None,
) -> Table:
    """Compositions that have the additive log-ratios `coordinates`, closed to `total`.

    Parameters
    ----------
    coordinates : array or DataFrame of shape (n_samples, n_parts - 1)
    denominator : part name or index, default -1
        Where the part that was left out belongs; a name needs `parts`.
    total : float, default 1.0
        Sum of each row.
    parts : sequence of names, optional
        Names of all parts, the denominator among them, in the order of the answer.

    Returns
    -------
    values : array or DataFrame of shape (n_samples, n_parts)

    Raises
    ------
    KeyError
        If the denominator is not among the parts.
    """
    numbers = finite_of(coordinates, "alr_inverse")
    n_parts = numbers.shape[-1] + 1
    names = list(parts) if parts is not None else _alr_parts(coordinates, denominator, n_parts)
    place = place_of(names, denominator)
    logs = np.insert(numbers, place, 0.0, axis=-1)
    return like(coordinates, close_exp(logs, total), names)


def ilr(
    values: ArrayLike | pd.DataFrame, *, basis: str | ArrayLike | pd.DataFrame = "pivot"
) -> Table:
    """Isometric log-ratios: orthonormal coordinates, in which ordinary statistics are allowed.

    Parameters
    ----------
    values : array or DataFrame of shape (n_samples, n_parts)
        Parts in one unit, all positive.
    basis : "pivot", a sign matrix, or an orthonormal matrix, default "pivot"
        "pivot": coordinate i sets part i against the geometric mean of the parts after it, so the
        first carries all that is relative about the first column. A matrix of shape
        (n_parts - 1, n_parts) of -1, 0, 1 is taken as a sequential binary partition (see
        `partition_signs`); any other must have orthonormal rows that each sum to zero. The
        columns of a DataFrame are matched to those of `values` by name.

    Returns
    -------
    coordinates : array or DataFrame of shape (n_samples, n_parts - 1)
        Columns are named "ilr1: Fe | rest", or by the index of the basis.

    Raises
    ------
    ValueError
        If a part is not positive (the message names the cells) or the basis is not one.

    Examples
    --------
    >>> ilr([[1.0, 10.0, 100.0]]).round(4)
    array([[-2.8201, -1.6282]])
    """
    logs = logs_of(values, "ilr")
    matrix, columns = ilr_contrasts(basis, names_of(values))
    return like(values, logs @ matrix.T, columns)


def ilr_inverse(
    coordinates: ArrayLike | pd.DataFrame,
    *,
    basis: str | ArrayLike | pd.DataFrame = "pivot",
    total: float = 1.0,
    parts: Sequence[Hashable] | None = None,
) -> Table:
    """Compositions that have the isometric log-ratios `coordinates`, closed to `total`.

    Parameters
    ----------
    coordinates : array or DataFrame of shape (n_samples, n_parts - 1)
    basis : "pivot", a sign matrix, or an orthonormal matrix, default "pivot"
        The one used by `ilr`.
    total : float, default 1.0
        Sum of each row.
    parts : sequence of names, optional
        Names of the parts for a DataFrame; by default the columns of a DataFrame basis.

    Returns
    -------
    values : array or DataFrame of shape (n_samples, n_parts)

    Raises
    ------
    ValueError
        If the basis is not one, or does not fit the number of coordinates.
    """
    numbers = finite_of(coordinates, "ilr_inverse")
    n_parts = numbers.shape[-1] + 1
    if parts is None:
        parts = [f"part{i + 1}" for i in range(n_parts)]
        if isinstance(basis, pd.DataFrame):
            parts = list(basis.columns)
    matrix, _ = ilr_contrasts(basis, list(parts))
    if len(matrix) != numbers.shape[-1]:
        raise ValueError(
            f"The basis has {len(matrix)} coordinates, the table {numbers.shape[-1]}."
            " Pass the basis and the parts that made these coordinates."
        )
    return like(coordinates, close_exp(numbers @ matrix, total), list(parts))


def balance(
    values: ArrayLike | pd.DataFrame,
    numerator: Sequence[Hashable],
    denominator: Sequence[Hashable] | None = None,
) -> pd.Series | NDArray[np.float64]:
    """Balance of two groups of elements: high where the first outweighs the second.

    b = sqrt(r·s/(r+s))·ln(g(numerator)/g(denominator)), g the geometric mean of a group, r and s
    the counts of parts [1]_. Scale-free; one balance says nothing of the parts outside it.

    Parameters
    ----------
    values : array or DataFrame of shape (n_samples, n_parts)
        Parts in one unit; those of the two groups all positive.
    numerator, denominator : sequences of column names (DataFrame) or positions
        The two groups; ``denominator=None`` stands for all other columns.

    Returns
    -------
    balance : Series or array of shape (n_samples,)

    Raises
    ------
    ValueError
        If a group is empty, a part is in both, or a part used is not positive.
    KeyError
        If a part is not among the columns.

    References
    ----------
    .. [1] Egozcue & Pawlowsky-Glahn (2005), doi:10.1007/s11004-005-7381-9

    Examples
    --------
    >>> balance([[8.0, 2.0, 1.0]], [0, 1], [2]).round(4)
    array([1.1319])
    """
    names = names_of(values)
    above, below = sides_of(names, numerator, denominator)
    used = np.sort(np.concatenate([above, below]))
    table = values.iloc[:, used] if isinstance(values, pd.DataFrame) else np.asarray(values)
    if not isinstance(table, pd.DataFrame):
        table = pd.DataFrame(np.atleast_2d(table)).iloc[:, used]
    logs = logs_of(table, "balance")
    row = balance_row(np.isin(used, above), np.isin(used, below))
    answer = logs @ row
    if not isinstance(values, pd.DataFrame):
        return answer
    against = "rest" if denominator is None else group_name(names, below)
    return pd.Series(answer, index=values.index, name=f"{group_name(names, above)} | {against}")


def balances(
    values: ArrayLike | pd.DataFrame,
    groups: Mapping[str, tuple[Sequence[Hashable], Sequence[Hashable] | None]],
) -> pd.DataFrame:
    """Several balances side by side, each named; they need not form a basis.

    Balances of groups against the rest overlap, so they are correlated and not orthonormal: use
    them as indicators, and `ilr` with a sequential binary partition as coordinates.

    Parameters
    ----------
    values : array or DataFrame of shape (n_samples, n_parts)
    groups : mapping of name to (numerator, denominator)
        ``None`` as denominator stands for all other columns.

    Returns
    -------
    balances : DataFrame of shape (n_samples, n_groups)

    Raises
    ------
    ValueError, KeyError
        As `balance`.
    """
    answers = {name: balance(values, *sides) for name, sides in groups.items()}
    index = values.index if isinstance(values, pd.DataFrame) else None
    return pd.DataFrame({name: np.asarray(b) for name, b in answers.items()}, index=index)


def _alr_parts(
    coordinates: ArrayLike | pd.DataFrame, denominator: Hashable, n_parts: int
) -> list[Hashable]:
    """Names of all parts, read from column names such as "ln(Fe/Zn)" where they are such."""
    found = [re.match(r"^ln\((.*)/(.*)\)$", str(name)) for name in names_of(coordinates)]
    matches = [match for match in found if match]
    if len(matches) == n_parts - 1 and len({match[2] for match in matches}) == 1:
        names: list[Hashable] = [match[1] for match in matches]
        named = matches[0][2]
    else:
        names, named = [f"part{i + 1}" for i in range(n_parts - 1)], "denominator"
    if denominator == named:
        return [*names, named]
    place = place_of([*names, named], denominator)
    return [*names[:place], named, *names[place:]]
