"""What several study files say alike: drill holes, values below detection, and bounds of numbers.

Keyword arguments as a study file gives them come in; the same, checked and complete, go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gossan._checks import check_option
from gossan.geochem.censoring import IMPUTATION_METHODS


def impute(*, method: str = "0.65") -> dict[str, Any]:
    """How values below detection are imputed, see `gossan.geochem.impute_censored`."""
    check_option("method", method, IMPUTATION_METHODS)
    return {"method": method}


def hole_section(
    tables: Mapping[str, Any],
    *,
    elements: Sequence[str] | None,
    composite: float,
    min_coverage: float,
    fix: Sequence[str],
) -> dict[str, Any]:
    """Tables of drill holes and how they are composited, as `read_composites` takes them.

    Parameters
    ----------
    tables : mapping
        Arguments of `gossan.read_drillholes`.
    elements, composite, min_coverage, fix
        As of `gossan.studies.composites.read_composites`.

    Returns
    -------
    arguments : dict

    Raises
    ------
    ValueError
        If a number is out of its bounds.
    """
    check_range("composite", composite, 0.0, np.inf, "0 takes the median length of the samples")
    check_range("min_coverage", min_coverage, 0.0, 1.0, "0.5 is usual")
    return {
        "tables": dict(tables),
        "elements": elements,
        "composite": composite,
        "min_coverage": min_coverage,
        "fix": tuple(fix),
    }


def target_section(*, share: float, least: float, most: int) -> dict[str, Any]:
    """Share of a map that makes targets, their least size [km2], and how many are told."""
    check_range("share", share, 0.0001, 0.5, "0.05 is the best twentieth of the area")
    check_range("least", least, 0.0, np.inf, "0 takes four cells")
    check_range("most", most, 1, 10_000, "30 are usual")
    return {"share": share, "least": least, "most": most}


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
