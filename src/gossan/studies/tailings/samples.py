"""The record that a tailings study works on: samples in space with their concentrations.

Tables of points or drill holes, once read, come in; coordinates [m], concentrations, covariates and
holes go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

AXES = ("easting", "northing", "elevation")
LEAST_SAMPLES = 30  # fewer allow neither a variogram nor a held-out part


@dataclass(frozen=True)
class Samples:
    """Samples in space, ready to estimate from.

    Attributes
    ----------
    coords : array of shape (n, 2 or 3)
        Easting, northing and, in 3D, elevation [m].
    values : DataFrame of shape (n, n_elements)
        Concentrations, none missing, none below detection any more.
    covariates : DataFrame of shape (n, n_covariates)
        Numbers that are known at every place; words have become a column for each.
    holes : array of shape (n,) or None
        Hole of each sample.
    source : str
        Name of the table, or of the tables.
    units : mapping of element to unit
    quality : QualityReport or HoleReport
        What the check of the tables found.
    is_censored : DataFrame of shape (n, n_elements)
        Which concentrations were below detection.
    left_out : list of str
        Sentences on rows that were left out, or mended.
    changes : DataFrame, optional
        What was mended in tables of drill holes, row by row.
    """

    coords: NDArray[np.float64]
    values: pd.DataFrame
    covariates: pd.DataFrame
    holes: NDArray | None
    source: str
    units: Mapping[str, str]
    quality: Any
    is_censored: pd.DataFrame
    left_out: list[str]
    changes: pd.DataFrame | None = None

    @property
    def elements(self) -> list[str]:
        """Elements, in the order of the columns."""
        return list(self.values.columns)

    @property
    def n_dims(self) -> int:
        """2 or 3."""
        return self.coords.shape[1]

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return AXES[: self.n_dims]


def check_enough(source: str, n: int) -> None:
    """Raise ValueError if samples are too few to estimate from."""
    if n < LEAST_SAMPLES:
        raise ValueError(
            f"{source} has {n} samples with a place and all elements, and a variogram with a"
            f" held-out part needs {LEAST_SAMPLES}. Name fewer elements, or add samples."
        )
