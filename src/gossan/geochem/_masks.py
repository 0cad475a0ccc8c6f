"""A table and its censored mask at the door: of one shape, each censored cell with its limit.

What the user gave comes in; a 2-D array of numbers and one of Booleans go out, or a clear error.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan.geochem._parts import numbers_of, refuse_cells

FEWEST_OBSERVED = 3  # different values that a column needs before anything can be fitted to it


def check_pair(
    values: ArrayLike | pd.DataFrame, censored: ArrayLike | pd.DataFrame, *, positive: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers and mask as 2-D arrays in the same order, the limits and values checked."""
    numbers = numbers_of(values)
    if isinstance(values, pd.DataFrame) and isinstance(censored, pd.DataFrame):
        censored = _aligned(values, censored)
    mask = np.asarray(censored)
    if mask.shape != numbers.shape:
        raise ValueError(
            f"Values have shape {numbers.shape}, the censored mask {mask.shape}."
            " Take both from the same table."
        )
    if not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"The censored mask must be Boolean, got {mask.dtype}. Write True where a value is"
            " below the limit that stands in its cell."
        )
    mask = mask.astype(bool)
    above = np.isfinite(numbers) & (numbers > 0)
    refuse_cells(
        values,
        numbers,
        mask & ~above,
        "A censored cell needs its limit, a positive number",
        hint="Give the limit of that element and laboratory, or call the value missing.",
    )
    if positive:
        refuse_cells(
            values,
            numbers,
            ~above & ~np.isnan(numbers),
            "Logs need positive values",
            hint="A zero is mostly a value below detection: put its limit and set the mask.",
        )
    return numbers.reshape(len(numbers), -1), mask.reshape(len(mask), -1)


def _aligned(values: pd.DataFrame, censored: pd.DataFrame) -> pd.DataFrame:
    if set(values.columns) != set(censored.columns) or not values.index.equals(censored.index):
        stray = sorted(map(str, set(values.columns) ^ set(censored.columns)))
        fault = f"columns {stray} are in one only" if stray else "the rows are not the same"
        raise ValueError(
            f"Values and censored mask do not match: {fault}. Take both from the same table."
        )
    return censored[list(values.columns)]


def can_fit(
    numbers: NDArray[np.float64], mask: NDArray[np.bool_], *, coordinates: str = "log"
) -> NDArray[np.bool_]:
    """Columns with enough different observed values.

    A whole column that does not vary, such as a stoichiometric main component, says nothing in logs
    but is what log-ratios are taken to.
    """
    observed = np.where(mask, np.nan, numbers)
    varies = np.array([np.unique(x[~np.isnan(x)]).size >= FEWEST_OBSERVED for x in observed.T])
    return varies | ((coordinates == "logratio") & ~np.isnan(observed).any(axis=0))
