"""Experimental variograms as reports draw them beside a fitted model.

Samples and their model come in; a table of semivariances along the model's axes goes out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.geostat.covariance import VariogramModel
from gossan.geostat.variogram import experimental_variogram


def experimental_along(
    coords: NDArray[np.float64], column: NDArray[np.float64], model: VariogramModel
) -> pd.DataFrame:
    """Semivariances along the axes of a model, or of all directions where it has none.

    Parameters
    ----------
    coords : array of shape (n, 2 or 3)
        [m]
    column : array of shape (n,)
    model : VariogramModel
        Fitted to them.

    Returns
    -------
    table : DataFrame
        Lag [m], semivariance, pairs and direction.
    """
    longest = max(model.structures, key=lambda each: each.sill, default=None)
    if longest is None or len(set(longest.ranges)) == 1:
        return experimental_variogram(coords, column).table().assign(direction="all")
    azimuth = longest.angles[0]
    ways = [(azimuth, 0.0), ((azimuth + 90.0) % 180.0, 0.0)]
    ways += [(0.0, -90.0)] * (coords.shape[1] == 3)
    parts = []
    for way in ways:
        try:
            found = experimental_variogram(coords, column, direction=way, tolerance=30.0)
        except ValueError:  # no pair lies that way
            continue
        table = found.table()
        parts.append(table.assign(direction=[way] * len(table)))
    return pd.concat(parts, ignore_index=True)
