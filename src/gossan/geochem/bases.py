"""Bases of log-ratio coordinates: pivot, sequential binary partition, or any orthonormal one.

The number or names of the parts come in; a matrix with one row for each coordinate goes out, by
which the logs of the parts are multiplied. Sources as in `gossan.geochem.compositional`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import did_you_mean


def pivot_basis(n_parts: int) -> NDArray[np.float64]:
    """Orthonormal basis whose coordinate i sets part i against all the parts after it.

    Parameters
    ----------
    n_parts : int
        Number of parts, at least 2.

    Returns
    -------
    basis : array of shape (n_parts - 1, n_parts)

    Raises
    ------
    ValueError
        If there are fewer than two parts.

    Examples
    --------
    >>> pivot_basis(3).round(4)
    array([[ 0.8165, -0.4082, -0.4082],
           [ 0.    ,  0.7071, -0.7071]])
    """
    if n_parts < 2:
        raise ValueError(f"A log-ratio needs 2 parts or more, got {n_parts}. Add a part.")
    return partition_basis(np.triu(-np.ones((n_parts - 1, n_parts)), 1) + np.eye(n_parts)[:-1])


def partition_basis(signs: ArrayLike | pd.DataFrame) -> NDArray[np.float64]:
    """Orthonormal basis of balances from a sequential binary partition.

    Parameters
    ----------
    signs : array or DataFrame of shape (n_parts - 1, n_parts)
        Each row splits one group: 1 above the line, -1 below it, 0 not in the group.

    Returns
    -------
    basis : array of shape (n_parts - 1, n_parts)
        Row r is sqrt(r·s/(r+s))·(1/r above, -1/s below), r and s being the counts of the two sides.

    Raises
    ------
    ValueError
        If the signs are not a sequential binary partition; the message says which row.

    Examples
    --------
    >>> partition_basis([[1, 1, -1], [1, -1, 0]]).round(4)
    array([[ 0.4082,  0.4082, -0.8165],
           [ 0.7071, -0.7071,  0.    ]])
    """
    matrix = np.asarray(signs, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] - 1 or not _is_signs(matrix):
        raise ValueError(
            f"A sign matrix has shape (n_parts - 1, n_parts) and holds -1, 0, 1; got shape"
            f" {matrix.shape}. Write one row for each split."
        )
    basis = np.zeros_like(matrix)
    for i, row in enumerate(matrix):
        above, below = row > 0, row < 0
        if not (above.any() and below.any()):
            raise ValueError(
                f"Split {i + 1} has nothing on one side: {row.astype(int).tolist()}."
                " Give it at least one 1 and one -1."
            )
        basis[i] = balance_row(above, below)
    overlap = np.argwhere(np.abs(np.tril(basis @ basis.T, -1)) > 1e-9)
    if len(overlap):
        late, early = (int(k) + 1 for k in overlap[0])
        raise ValueError(
            f"Split {late} cuts across split {early}: not a sequential binary partition."
            " Each split must lie within one side of an earlier one, or use `balances`."
        )
    return basis


def partition_signs(
    splits: Mapping[str, tuple[Sequence[Hashable], Sequence[Hashable]]], parts: Sequence[Hashable]
) -> pd.DataFrame:
    """Sign matrix of a sequential binary partition written with names.

    Parameters
    ----------
    splits : mapping of name to (numerator parts, denominator parts)
        One entry for each of the n_parts - 1 splits.
    parts : sequence of names
        All the parts, in the order of the columns.

    Returns
    -------
    signs : DataFrame of shape (n_splits, n_parts)
        Ready for `ilr(values, basis=signs)`, whose columns then carry the names of the splits.

    Raises
    ------
    KeyError
        If a part is not among `parts`.
    ValueError
        If a part is on both sides of a split.

    Examples
    --------
    >>> splits = {"front": (["As"], ["W", "Mo"]), "tail": (["W"], ["Mo"])}
    >>> partition_signs(splits, ["As", "W", "Mo"])
           As  W  Mo
    front   1 -1  -1
    tail    0  1  -1
    """
    names = list(parts)
    signs = np.zeros((len(splits), len(names)), dtype=int)
    for row, (numerator, denominator) in enumerate(splits.values()):
        above, below = sides_of(names, numerator, denominator)
        signs[row, above], signs[row, below] = 1, -1
    return pd.DataFrame(signs, index=list(splits), columns=names)


def balance_row(above: NDArray[np.bool_], below: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return sqrt(r·s/(r+s))·(1/r above, -1/s below): the contrast of one balance."""
    r, s = above.sum(), below.sum()
    return np.sqrt(r * s / (r + s)) * (above / r - below / s)


def alr_contrasts(
    names: Sequence[Hashable], denominator: Hashable
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the contrasts of additive log-ratios and their names."""
    place = place_of(names, denominator)
    contrasts = np.eye(len(names))
    contrasts[:, place] -= 1.0
    columns = [f"ln({name}/{names[place]})" for i, name in enumerate(names) if i != place]
    return np.delete(contrasts, place, axis=0), columns


def ilr_contrasts(
    basis: str | ArrayLike | pd.DataFrame, names: Sequence[Hashable]
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the orthonormal contrasts that `basis` stands for, and their names."""
    if isinstance(basis, str):
        if basis != "pivot":
            raise ValueError(
                f"basis must be 'pivot' or a matrix, got {basis!r}. Build one with partition_signs."
            )
        matrix = pivot_basis(len(names))
        return matrix, _contrast_names(matrix, names, rest="rest")
    labels = None
    if isinstance(basis, pd.DataFrame):
        labels = None if isinstance(basis.index, pd.RangeIndex) else [str(i) for i in basis.index]
        basis = _matched(basis, names)
    matrix = np.asarray(basis, dtype=float)
    if matrix.shape != (len(names) - 1, len(names)):
        raise ValueError(
            f"A basis of {len(names)} parts has shape ({len(names) - 1}, {len(names)}), got"
            f" {matrix.shape}. Use the basis of these parts."
        )
    if _is_signs(matrix):
        matrix = partition_basis(matrix)
    elif not _is_orthonormal(matrix):
        raise ValueError(
            "The basis is not orthonormal: its rows must have length 1, be at right angles and each"
            " sum to zero. Pass signs (-1, 0, 1) of a partition, or use `balances`."
        )
    return matrix, labels or _contrast_names(matrix, names)


def place_of(names: Sequence[Hashable], part: Hashable) -> int:
    """Return the position of a part given by name or position."""
    if part in names:
        return names.index(part)
    if isinstance(part, (int, np.integer)) and -len(names) <= part < len(names):
        return int(part) % len(names)
    hint = did_you_mean(str(part), [str(name) for name in names])
    raise KeyError(f"{part!r} is not among the {len(names)} parts {list(names)}.{hint}")


def sides_of(
    names: Sequence[Hashable],
    numerator: Sequence[Hashable],
    denominator: Sequence[Hashable] | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the two groups; None as denominator stands for all other parts."""
    above = np.array([place_of(names, part) for part in numerator], dtype=np.int64)
    if denominator is None:
        below = np.setdiff1d(np.arange(len(names)), above)
    else:
        below = np.array([place_of(names, part) for part in denominator], dtype=np.int64)
    both = [names[i] for i in np.intersect1d(above, below)]
    if both or not len(above) or not len(below):
        fault = f"share {both}" if both else "leave one side empty"
        raise ValueError(
            f"The two groups of a balance {fault}: got {list(numerator)} against {denominator}."
            " Give each side at least one part of its own."
        )
    return np.unique(above), np.unique(below)


def group_name(names: Sequence[Hashable], places: NDArray[np.int64]) -> str:
    """Return the names of a group, side by side."""
    return " ".join(str(names[i]) for i in places)


def _is_signs(matrix: NDArray[np.float64]) -> bool:
    return bool(np.isin(matrix, (-1.0, 0.0, 1.0)).all())


def _is_orthonormal(matrix: NDArray[np.float64]) -> bool:
    gram = matrix @ matrix.T
    return bool(
        np.allclose(gram, np.eye(len(matrix)), atol=1e-8)
        and np.allclose(matrix.sum(axis=1), 0.0, atol=1e-8)
    )


def _matched(basis: pd.DataFrame, names: Sequence[Hashable]) -> pd.DataFrame:
    if set(basis.columns) == set(names):
        return basis[list(names)]
    if all(isinstance(name, str) and name == f"x{i}" for i, name in enumerate(names)):
        return basis
    stray = sorted(map(str, set(basis.columns) ^ set(names)))
    raise ValueError(
        f"The columns of the basis are not those of the table: {', '.join(stray)} in one only."
        " Build the basis from the same parts."
    )


def _contrast_names(
    matrix: NDArray[np.float64], names: Sequence[Hashable], *, rest: str | None = None
) -> list[str]:
    """Names such as "ilr1: Fe | rest"; an unequal contrast, not a balance, is only numbered."""
    columns = []
    for i, row in enumerate(matrix):
        above, below = np.flatnonzero(row > 1e-12), np.flatnonzero(row < -1e-12)
        if np.ptp(row[above]) > 1e-9 or np.ptp(row[below]) > 1e-9:
            columns.append(f"ilr{i + 1}")
            continue
        right = rest if rest and len(below) > 1 else group_name(names, below)
        columns.append(f"ilr{i + 1}: {group_name(names, above)} | {right}")
    return columns
