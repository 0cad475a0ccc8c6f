"""Median and robust spread of columns with gaps.

A table with NaN where nothing is known comes in; a median and a spread a column go out.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAD_TO_STD = 1.4826022185056018  # of a normal law: 1 / 0.6744897501960817


def median_and_spread(values: Floats) -> tuple[Floats, Floats]:
    """Return the median and 1.4826 MAD of each column (NaN: nothing known).

    Where more than half of the values are equal the MAD is zero; then the spread is that of the
    values that differ from the median, and zero only if none does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column of NaN
        centre = np.nanmedian(values, axis=0)
        away = np.abs(values - centre)
        away[away <= 1e-13 * np.nanmax(np.abs(values), axis=0, initial=0.0)] = 0.0  # rounding
        spread = MAD_TO_STD * np.nanmedian(away, axis=0)
        others = MAD_TO_STD * np.nanmedian(np.where(away > 0, away, np.nan), axis=0)
    spread = np.where(spread == 0, np.nan_to_num(others), spread)
    return centre, spread
