"""Where to put the hole: a collar, azimuth and dip for each target.

Targets in 3D and the height of the ground come in; planned holes go out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from gossan.data.grids.grid import cell_centres, to_axes
from gossan.prospectivity.targets import Targets

__all__ = ["suggest_collars"]

Ground = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # places (n, 2) -> heights (n,)

BEYOND = 0.1  # of the hole's length, drilled past the target
N_STEPS = 60  # tries of the search for the ground


def suggest_collars(
    targets: Targets,
    topography: xr.Dataset | float,
    *,
    layer: str = "elevation",
    dip: float = -60.0,
    most: int | None = None,
) -> pd.DataFrame:
    """A hole through the middle of each target, across its longer side.

    A sketch for the desk: access, permits and the drill's reach are for the geologist.

    Parameters
    ----------
    targets : Targets
        In 3D.
    topography : Dataset or float
        2D grid with the height of the ground [m], or one height for all.
    layer : str
        Of that grid.
    dip : float
        Of the holes [degrees], negative downwards, above -90; -90 drills straight down.
    most : int, optional
        Only for the first targets.

    Returns
    -------
    collars : DataFrame
        `target`, `easting`, `northing`, `elevation` [m], `azimuth`, `dip` [degrees], `length` [m]
        to the target's far side and a tenth more. NaN for a target above the ground.

    Raises
    ------
    ValueError
        If the targets lie in a plane, or the dip is not between -90 and -20.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> from gossan.prospectivity.targets import find_targets
    >>> grid = make_grid((0, 90, 0, 30), 10, elevations=(0, 30))
    >>> score = np.zeros((3, 3, 9))
    >>> score[1, 1, 2:7] = 1.0  # a bar along easting
    >>> found = find_targets(add_layer(grid, "score", score), medium=0.5, high=0.9)
    >>> suggest_collars(found, 115.0, dip=-45.0).round(1)[["easting", "northing", "azimuth"]]
       easting  northing  azimuth
    0     45.0     -85.0      0.0
    """
    if "elevation" not in targets.grid.dims:
        raise ValueError("Targets of a map have no depth to drill to. Pass those of a 3D grid.")
    if not -90.0 <= dip <= -20.0:
        raise ValueError(f"dip must lie between -90 and -20 degrees, got {dip:g}. -60 is usual.")
    ground = _ground(topography, layer)
    places = cell_centres(targets.grid)
    numbers = targets.grid["target"].to_numpy().ravel()
    rows = [
        {"target": int(target), **_hole(places[numbers == target], ground, dip)}
        for target in targets.table["target"].to_numpy()[:most]
    ]
    names = ["target", "easting", "northing", "elevation", "azimuth", "dip", "length"]
    return pd.DataFrame(rows, columns=names)


def _ground(topography: xr.Dataset | float, layer: str) -> Ground:
    """Return the height of the ground as a function of places (n, 2)."""
    if not isinstance(topography, xr.Dataset):
        return lambda places: np.full(len(places), float(topography))
    if layer not in topography:
        there = ", ".join(map(str, topography.data_vars)) or "none"
        raise ValueError(f"The topography has no layer {layer!r}; it has {there}. Name it: layer=.")
    axes = topography["northing"].to_numpy(), topography["easting"].to_numpy()
    heights = topography[layer].transpose("northing", "easting").to_numpy().astype(float)
    look = RegularGridInterpolator(axes, heights, bounds_error=False, fill_value=np.nan)
    return lambda places: look(to_axes(topography, np.asarray(places, dtype=float))[:, ::-1])


def _hole(own: NDArray[np.float64], ground: Ground, dip: float) -> dict[str, float]:
    middle = own.mean(axis=0)
    height = float(ground(middle[None, :2])[0])
    if not height > middle[2]:
        blank = dict.fromkeys(("easting", "northing", "elevation", "length"), np.nan)
        return {**blank, "azimuth": np.nan, "dip": dip}
    across = _across(own[:, :2])
    tries = [
        _collar(middle, ground, azimuth, dip) for azimuth in (across, (across + 180.0) % 360.0)
    ]
    known = [each for each in tries if np.isfinite(each["elevation"])]
    if not known:
        return {**tries[0], "length": np.nan}
    best = min(known, key=lambda each: each["length"])
    way = _direction(best["azimuth"], dip)
    start = np.array([best["easting"], best["northing"], best["elevation"]])
    far = float(((own - start) @ way).max())
    return {**best, "length": far * (1.0 + BEYOND)}


def _across(plane: NDArray[np.float64]) -> float:
    """Azimuth of the shorter side [degrees], 0 to 180."""
    if len(plane) < 2 or np.ptp(plane, axis=0).max() == 0:
        return 0.0
    values, vectors = np.linalg.eigh(np.cov(plane.T))
    east, north = vectors[:, int(np.argmin(values))]
    return float(np.rad2deg(np.arctan2(east, north)) % 180.0)


def _direction(azimuth: float, dip: float) -> NDArray[np.float64]:
    a, d = np.deg2rad([azimuth, dip])
    return np.array([np.sin(a) * np.cos(d), np.cos(a) * np.cos(d), np.sin(d)])


def _collar(
    middle: NDArray[np.float64], ground: Ground, azimuth: float, dip: float
) -> dict[str, float]:
    """Go back from the middle along the hole until the ground is reached."""
    way = _direction(azimuth, dip)
    length = (float(ground(middle[None, :2])[0]) - middle[2]) / -way[2]
    for _ in range(N_STEPS):  # the ground is nearly flat beside the hole's slope
        start = middle - way * length
        height = float(ground(start[None, :2])[0])
        if not np.isfinite(height):
            start = np.full(3, np.nan)
            break
        step = (height - start[2]) / -way[2]
        length += 0.5 * step
        if abs(step) < 0.01:
            break
    told = dict(zip(("easting", "northing", "elevation"), map(float, start), strict=True))
    return {**told, "azimuth": azimuth, "dip": dip, "length": float(length)}
