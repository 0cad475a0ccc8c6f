"""Balances that know the zoning of an ore: front halo, near-ore elements, tail halo.

A table of positive concentrations in one unit comes in; indicators, one column each, go out.
Log-ratio algebra is that of `gossan.geochem`; here are the groups of elements and what is missing.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import GossanWarning, check_option
from gossan.geochem.bases import partition_signs
from gossan.geochem.compositional import balance

__all__ = ["FRONT", "NEAR", "TAIL", "front_tail", "halo_balances", "halo_partition", "halo_ratio"]

Floats = NDArray[np.float64]

FRONT = ("As", "Sb", "Hg")
NEAR = ("Au", "Ag", "Cu", "Pb", "Zn")
TAIL = ("W", "Bi", "Co", "Mo")
KINDS = ("balance", "ratio", "quotient")


def halo_balances(
    values: pd.DataFrame,
    *,
    front: Sequence[str] = FRONT,
    near: Sequence[str] = NEAR,
    tail: Sequence[str] = TAIL,
) -> pd.DataFrame:
    """Balances of the halo groups: B1, B2, B3, each against the rest, and FT, front against tail.

    High FT speaks of the top of an ore, with more of it below; low FT of its root. B1, B2 and B3
    overlap, so they are correlated: indicators, not coordinates; see `halo_partition` for those.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_elements)
        Concentrations in one unit, positive; NaN is missing. Other columns do not take part.
    front, near, tail : sequence of str
        Elements of the groups, the default those of lode gold [Yu2022]_. An element that is no
        column is left out with a warning, and the balance is that of the rest.

    Returns
    -------
    balances : DataFrame of shape (n_samples, 4)
        "B1" (front against the rest), "B2" (near), "B3" (tail), "FT"; NaN in a row where an element
        that takes part is missing, which is counted in a warning.

    Raises
    ------
    ValueError
        If a group is empty, groups share an element, or a concentration is not positive.

    Examples
    --------
    >>> table = pd.DataFrame({"As": [40.0, 4.0], "Au": [1.0, 1.0], "W": [1.0, 4.0]})
    >>> with warnings.catch_warnings(action="ignore"):
    ...     halo_balances(table).round(3)
          B1     B2     B3     FT
    0  3.012 -1.506 -1.506  2.608
    1  0.566 -1.132  0.566  0.000
    """
    groups = _held(values, {"front": front, "near": near, "tail": tail})
    parts = [name for group in groups.values() for name in group]
    table, known = _known_rows(values, parts)
    answer = pd.DataFrame(np.nan, index=values.index, columns=["B1", "B2", "B3", "FT"])
    for column, group in zip(answer.columns, groups.values(), strict=False):
        answer.loc[known, column] = np.asarray(balance(table, group))
    answer.loc[known, "FT"] = np.asarray(balance(table, groups["front"], groups["tail"]))
    return answer


def front_tail(
    values: pd.DataFrame,
    *,
    front: Sequence[str] = FRONT,
    tail: Sequence[str] = TAIL,
    kind: str = "balance",
) -> pd.Series:
    """Front halo against tail halo, a guide to the level of erosion: high above ore, low below.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_elements)
        Concentrations in one unit, positive; NaN is missing.
    front, tail : sequence of str
        Elements of the groups; those that are no columns are left out with a warning.
    kind : {"balance", "ratio", "quotient"}, default "balance"
        "balance": sqrt(rs/(r+s))·ln(g(front)/g(tail)), r and s counts, g geometric means; with
        all elements the factor is sqrt(12/7). "ratio": `halo_ratio`. "quotient": B1/B3 taken
        literally, balances of each group against the other columns; it flips its sign where B3
        passes zero, so it is here to compare with published maps only.

    Returns
    -------
    indicator : Series of shape (n_samples,)

    Raises
    ------
    ValueError
        If a group is empty, groups share an element, a concentration is not positive, or the kind
        is unknown.

    Examples
    --------
    >>> table = pd.DataFrame(2.0, index=[0], columns=[*FRONT, *TAIL])
    >>> table[["As", "Sb", "Hg"]] *= np.e
    >>> float(front_tail(table).iloc[0].round(4)) == round((12 / 7) ** 0.5, 4)
    True
    """
    check_option("kind", kind, KINDS)
    groups = _held(values, {"front": front, "tail": tail})
    others = kind == "quotient"
    parts = [name for group in groups.values() for name in group]
    parts = [str(name) for name in values.columns] if others else parts
    table, known = _known_rows(values, parts)
    if kind == "balance":
        found = np.asarray(balance(table, groups["front"], groups["tail"]))
    elif kind == "ratio":
        found = halo_ratio(table[groups["front"]], table[groups["tail"]])
    else:
        found = np.asarray(balance(table, groups["front"])) / np.asarray(
            balance(table, groups["tail"])
        )
    answer = pd.Series(np.nan, index=values.index, name=f"front-tail {kind}")
    answer[known] = found
    return answer


def halo_ratio(front: ArrayLike, tail: ArrayLike) -> Floats:
    """Ratio of front-halo to tail-halo elements, multiplied up, each scaled by its median.

    Scaling by medians takes out the units, but makes the ratio depend on what was sampled: fit it
    inside folds, or use the balance, which does not.

    Parameters
    ----------
    front, tail : array of shape (n_samples, n_elements)
        Concentrations of the supra-ore and sub-ore elements, all positive.

    Returns
    -------
    ratio : array of shape (n_samples,)

    Raises
    ------
    ValueError
        If a concentration is not positive or the tables differ in length.

    Examples
    --------
    >>> halo_ratio([[2.0], [8.0]], [[4.0], [4.0]])
    array([0.4, 1.6])
    """
    tables = [np.asarray(front, dtype=float), np.asarray(tail, dtype=float)]
    if any(table.ndim != 2 for table in tables) or len(tables[0]) != len(tables[1]):
        raise ValueError(
            f"Front and tail must be tables of equal length, got shapes {tables[0].shape} and"
            f" {tables[1].shape}. Put samples in rows and elements in columns."
        )
    for name, table in zip(("Front", "Tail"), tables, strict=True):
        if not (table > 0).all():
            raise ValueError(
                f"{name} elements must be positive, got {(~(table > 0)).sum()} values that are not."
                " Impute what is below detection (impute_censored) and drop missing rows."
            )
    scaled = [np.log(table / np.median(table, axis=0)).sum(axis=1) for table in tables]
    return np.exp(scaled[0] - scaled[1])


def halo_partition(
    parts: Sequence[str],
    *,
    front: Sequence[str] = FRONT,
    near: Sequence[str] = NEAR,
    tail: Sequence[str] = TAIL,
) -> pd.DataFrame:
    """Sequential binary partition that follows the zoning, for `gossan.geochem.ilr`.

    First near-ore elements against the halos, then front against tail, then each group element by
    element. Unlike B1, B2 and B3 these coordinates are orthonormal: no information twice, none lost.

    Parameters
    ----------
    parts : sequence of str
        The elements, all of which must be in a group.
    front, near, tail : sequence of str
        Groups; elements that are no part are left out with a warning.

    Returns
    -------
    signs : DataFrame of shape (n_parts - 1, n_parts)

    Raises
    ------
    ValueError
        If a part is in no group, or a group is empty.

    Examples
    --------
    >>> halo_partition(["As", "Sb", "Au", "W"], front=["As", "Sb"], near=["Au"], tail=["W"])
                As  Sb  Au  W
    near|halos  -1  -1   1 -1
    front|tail   1   1   0 -1
    As|Sb        1  -1   0  0
    """
    frame = pd.DataFrame(columns=list(parts))
    groups = _held(frame, {"front": front, "near": near, "tail": tail})
    stray = set(parts) - {name for group in groups.values() for name in group}
    if stray:
        raise ValueError(
            f"{', '.join(sorted(stray))} belong to no group. Name them in front, near or tail, or"
            " leave them out of the parts."
        )
    splits: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        "near|halos": (groups["near"], [*groups["front"], *groups["tail"]]),
        "front|tail": (groups["front"], groups["tail"]),
    }
    for group in groups.values():
        for i, name in enumerate(group[:-1]):
            splits[f"{name}|{' '.join(group[i + 1 :])}"] = ([name], group[i + 1 :])
    return partition_signs(splits, list(parts))


def _held(values: pd.DataFrame, groups: dict[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the elements of each group that are columns; warn of the others."""
    held = {
        key: [name for name in group if name in values.columns] for key, group in groups.items()
    }
    absent = [name for group in groups.values() for name in group if name not in values.columns]
    empty = [key for key, group in held.items() if not group]
    if empty:
        raise ValueError(
            f"No element of the group {empty[0]!r} is a column; it has {list(groups[empty[0]])}, the"
            f" table {list(map(str, values.columns))}. Name the columns as elements, or the group."
        )
    names = [name for group in held.values() for name in group]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} stand in two groups. Put each element into one.")
    if absent:
        warnings.warn(
            f"{', '.join(absent)} are no columns; the balances are those of the other"
            f" {len(names)} elements.",
            GossanWarning,
            stacklevel=3,
        )
    return held


def _known_rows(values: pd.DataFrame, parts: list[str]) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return the parts of the rows in which none is missing, and which these are."""
    table = values[parts]
    known = table.notna().all(axis=1).to_numpy()
    if not known.all():
        warnings.warn(
            f"{(~known).sum()} of {len(known)} rows lack an element; their indicator is NaN.",
            GossanWarning,
            stacklevel=3,
        )
    return table[known], known
