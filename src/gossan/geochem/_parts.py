"""Tables of parts at the door: numbers and names out of a DataFrame or array, and back again.

Whatever was given comes in with what was computed from it; the same kind of thing goes out.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Table: TypeAlias = "pd.DataFrame | NDArray[np.float64]"
"""A DataFrame if a DataFrame was given, else an array."""

_SHOWN = 5  # cells named in a message


def numbers_of(values: ArrayLike | pd.DataFrame, *, name: str = "The table") -> NDArray[np.float64]:
    """Return `values` as a float64 array of one or two dimensions, or raise in three parts."""
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must hold numbers only ({error}). Keep the analyte columns, and turn text such"
            " as '<0.5' into a number and a mask first (gossan.read_assays does)."
        ) from error
    if numbers.ndim not in {1, 2} or numbers.shape[-1] == 0:
        raise ValueError(
            f"{name} must have rows and columns, got shape {numbers.shape}."
            " Put samples in rows and parts in columns."
        )
    return numbers


def logs_of(values: ArrayLike | pd.DataFrame, task: str) -> NDArray[np.float64]:
    """Return the natural logs of a table of positive parts, or raise and name the cells."""
    parts = numbers_of(values)
    refuse_cells(values, parts, ~(np.isfinite(parts) & (parts > 0)), f"{task} needs positive parts")
    return np.log(parts)


def finite_of(coordinates: ArrayLike | pd.DataFrame, task: str) -> NDArray[np.float64]:
    """Return a table of finite coordinates, or raise and name the cells."""
    numbers = numbers_of(coordinates)
    refuse_cells(coordinates, numbers, ~np.isfinite(numbers), f"{task} needs finite coordinates")
    return numbers


def close_exp(logs: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """Return the composition with these logs, closed to `total`."""
    # Shifting by the row's maximum changes no ratio and keeps exp from overflowing.
    parts = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return total * parts / parts.sum(axis=-1, keepdims=True)


def refuse_cells(
    values: ArrayLike | pd.DataFrame,
    numbers: NDArray[np.float64],
    is_bad: NDArray[np.bool_],
    need: str,
    *,
    hint: str = "Impute values below detection (impute_censored), fill or drop missing ones.",
) -> None:
    """Raise and name the cells where `is_bad` is True, by row and column names if there are any."""
    if not is_bad.any():
        return
    places = np.argwhere(np.atleast_2d(is_bad))
    rows: Sequence[Hashable] = range(len(np.atleast_2d(numbers)))
    columns: Sequence[Hashable] = range(numbers.shape[-1])
    if isinstance(values, pd.DataFrame):
        rows, columns = values.index.tolist(), values.columns.tolist()
    cells = [
        f"{np.atleast_2d(numbers)[row, column]:g} at row {rows[row]!r}, column {columns[column]!r}"
        for row, column in places[:_SHOWN].tolist()
    ]
    more = f"; and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    raise ValueError(
        f"{need}, got {'; '.join(cells)}{more} ({len(places)} of {numbers.size} cells). {hint}"
    )


def names_of(values: ArrayLike | pd.DataFrame) -> list[Hashable]:
    """Return the column names, or x0, x1 ... for an array."""
    if isinstance(values, pd.DataFrame):
        return values.columns.tolist()
    return [f"x{i}" for i in range(np.shape(values)[-1])]


def like(
    values: ArrayLike | pd.DataFrame,
    answer: NDArray[np.float64],
    columns: Sequence[Hashable] | None = None,
) -> Table:
    """Return `answer` as a DataFrame on the index of `values` if that is one, else as it is."""
    if not isinstance(values, pd.DataFrame):
        return answer
    names = values.columns if columns is None else list(columns)
    return pd.DataFrame(answer, index=values.index, columns=names)
