"""How far a fitted variogram moves when a part of the field is left out: a jackknife over blocks.

Samples and the shape of the fitted model come in; standard errors of range, sill and nugget go out.

Sources
-------
Shafer & Varljen (1990), Approximation of confidence limits on sample semivariograms from single
realizations of spatially correlated random fields, Water Resources Research 26, 1787-1802,
doi:10.1029/WR026i008p01787.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gossan.geostat.covariance import VariogramModel

Floats = NDArray[np.float64]

N_STRIPS = 3  # along each of the two longest sides: nine blocks


def jackknife(
    points: Floats, fit: Callable[[NDArray[np.bool_]], VariogramModel]
) -> dict[str, float]:
    """Standard errors by leaving out one block after the other.

    `fit` returns the model of the samples that are kept. Errors of the longest range and of the
    sill are relative, that of the nugget is a share of the sill.
    """
    labels = block_numbers(points)
    found = []
    for block in np.unique(labels):
        model = fit(labels != block)
        ranges = [max(each.ranges) for each in model.structures]
        found.append([np.log(max(ranges)), np.log(model.sill), model.nugget / model.sill])
    table = np.array(found)
    n = len(table)
    errors = np.sqrt((n - 1) / n * ((table - table.mean(axis=0)) ** 2).sum(axis=0))
    return dict(zip(("range", "sill", "nugget"), errors.tolist(), strict=True))


def block_numbers(points: Floats) -> NDArray[np.int64]:
    """Number of the block of each point: strips of equal count along the two longest sides."""
    numbers = np.zeros(len(points), np.int64)
    for axis in np.argsort(-np.ptp(points, axis=0), kind="stable")[:2]:
        ranks = np.argsort(np.argsort(points[:, axis], kind="stable"), kind="stable")
        numbers = numbers * N_STRIPS + ranks * N_STRIPS // len(points)
    return numbers
