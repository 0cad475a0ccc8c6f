"""Where a map is more than extrapolation: cells with samples near enough to speak for them.

Coordinates of samples [m] and a grid come in; the distance to the k-th nearest sample and a mask
go out, as layers.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan.geostat._samples import coordinate_tolerance, twin_labels
from gossan.geostat.gridding import along_axes, axes_of_map

__all__ = ["sample_reach", "support_mask"]

Floats = NDArray[np.float64]

SPACINGS = 2.0  # of the samples, to which one of them speaks


def sample_reach(coords: ArrayLike, *, k: int = 3) -> float:
    """How far samples speak, from their own spacing: twice their median distance to the k-th next.

    In an even or a random pattern nearly every cell between the samples lies within it (99.8 % of a
    random one with k = 3); a gap of the survey and the ground beyond its edge do not.

    Parameters
    ----------
    coords : array of shape (n, 2)
        Easting, northing [m]; samples at one place count once, a row with NaN not at all.
    k : int, default 3
        Which neighbour: with 1, a lone sample would support its surroundings.

    Returns
    -------
    reach : float
        [m]

    Raises
    ------
    ValueError
        If there are not more than k places.

    Examples
    --------
    >>> sample_reach([[0, 0], [10, 0], [20, 0], [30, 0]], k=1)
    20.0
    """
    places = _places(coords, k)
    return SPACINGS * float(np.median(cKDTree(places).query(places, [k + 1])[0]))


def support_mask(
    coords: ArrayLike, grid: xr.Dataset, *, k: int = 3, reach: float | None = None
) -> xr.Dataset:
    """Distance to the k-th nearest sample, and which cells lie within reach of as many.

    A cell that is not supported is extrapolated, whatever the raster holds there: leave it out of
    every area and every share.

    Parameters
    ----------
    coords : array of shape (n, 2)
        Easting, northing [m]; samples at one place count once. For one element, those that know it.
    grid : Dataset
        With dims (northing, easting), turned or not; its layers are not taken over.
    k : int, default 3
        Samples that must be near.
    reach : float, optional
        Most distance to the k-th [m]. Default `sample_reach`.

    Returns
    -------
    support : Dataset
        Layers `support_distance` (float32) [m] and `supported` (bool); `attrs` of the mask hold
        `reach` [m] and `k`.

    Raises
    ------
    ValueError
        If there are not more than k places, the reach is not positive, or the grid is not 2D.

    Examples
    --------
    >>> grid = xr.Dataset(coords={"northing": [0.0], "easting": [5.0, 15.0, 45.0, 90.0]})
    >>> support = support_mask([[0, 0], [10, 0], [20, 0], [30, 0]], grid, k=1)
    >>> support["supported"].values
    array([[ True,  True,  True, False]])
    """
    places = _places(coords, k)
    if reach is not None and not 0 < reach < np.inf:
        raise ValueError(
            f"reach must be above zero [m], got {reach!r}. Leave it out for its default."
        )
    most = sample_reach(places, k=k) if reach is None else float(reach)
    own = along_axes(grid, places)
    northing, easting = axes_of_map(grid)
    north, east = np.meshgrid(northing, easting, indexing="ij")
    cells = np.column_stack([east.ravel(), north.ravel()])
    far = cKDTree(own).query(cells, [k])[0].reshape(north.shape)
    said = {"reach": most, "k": int(k)}
    layers = {
        "support_distance": (far.astype(np.float32), {"units": "m", "k": int(k)}),
        "supported": (far <= most, said),
    }
    empty = grid.drop_vars(list(grid.data_vars))
    return empty.assign({name: (("northing", "easting"), *layer) for name, layer in layers.items()})


def _places(coords: ArrayLike, k: int) -> Floats:
    """Return the different places of samples, more than `k` of them."""
    points = np.asarray(coords, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"coords must have shape (n, 2), got {points.shape}. Pass easting, northing."
        )
    points = points[np.isfinite(points).all(axis=1)]
    if len(points):
        labels = twin_labels(points, coordinate_tolerance(points))
        if labels is not None:
            points = points[np.unique(labels, return_index=True)[1]]
    if len(points) <= k or k < 1:
        raise ValueError(
            f"Support by {k} samples needs more than {k} different places, got {len(points)}. Take a"
            " smaller k (1 or more), or check the coordinates."
        )
    return points
