"""Compile the kernels of kriging before they are needed, as at the end of an installation.

Nothing comes in; the seconds it took go out. What is compiled is kept on disk: once a machine.
"""

from __future__ import annotations

import time

import numpy as np

from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.kriging import Kriging

__all__ = ["warm_up"]


def warm_up() -> float:
    """Compile all kernels of kriging, or load them if they have been compiled before.

    Without it the first estimate on a machine takes half a minute longer; later ones, in any
    session, do not.

    Returns
    -------
    seconds : float
        What it took: under a second if nothing was to be compiled.
    """
    start = time.perf_counter()
    coords = np.random.default_rng(0).uniform(size=(20, 2))
    model = VariogramModel(0.1, (Structure("spherical", 0.9, (1.0,)),))
    for n_neighbours in (8, None):
        kriging = Kriging(model, n_neighbours=n_neighbours, sectors=4)
        kriging.fit(coords, coords[:, 0]).predict(coords, return_std=True)
    return time.perf_counter() - start
