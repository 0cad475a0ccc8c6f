"""What several study files say alike: how values below detection are imputed, and bounds of numbers.

Keyword arguments as a study file gives them come in; the same, checked and complete, go out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gossan._checks import check_option
from gossan.geochem.censoring import IMPUTATION_METHODS


def impute(*, method: str = "0.65") -> dict[str, Any]:
    """How values below detection are imputed, see `gossan.geochem.impute_censored`."""
    check_option("method", method, IMPUTATION_METHODS)
    return {"method": method}


def check_range(name: str, value: float, low: float, high: float, hint: str) -> None:
    """Raise ValueError if a number of a study file lies outside its bounds.

    Parameters
    ----------
    name : str
        Of the key.
    value, low, high : float
    hint : str
        What is usual.

    Raises
    ------
    ValueError
        If the value is not between the bounds.
    """
    if not (low <= value <= high and np.isfinite(value)):
        upper = f" to {high:g}" if np.isfinite(high) else " or more"
        raise ValueError(f"{name} must be {low:g}{upper}, got {value:g}: {hint}.")
