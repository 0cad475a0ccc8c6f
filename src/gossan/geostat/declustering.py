"""Declustering: weights that give crowded samples less say, so that a mean is that of the field.

Coordinates [m], and values to choose a cell size by, come in; a weight for each sample goes out.

Sources
-------
Journel (1983), Nonparametric estimation of spatial distributions, Mathematical Geology 15, 445-468,
doi:10.1007/BF01031292 (cells).
Deutsch (1989), DECLUS: a Fortran 77 program for determining optimum spatial declustering weights,
Computers & Geosciences 15, 325-332, doi:10.1016/0098-3004(89)90043-5 (search of the size, offsets).
Isaaks & Srivastava (1989), An Introduction to Applied Geostatistics, Oxford University Press
(polygons of influence).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import ConvexHull, Voronoi, cKDTree

from gossan._checks import check_option, check_positive, check_random_state
from gossan.geostat._columns import read_values

__all__ = ["Declustering", "decluster_cells", "decluster_polygons"]

Floats = NDArray[np.float64]

TARGETS = ("auto", "minimum", "maximum")
_N_SIZES = 24


@dataclass(frozen=True, eq=False)
class Declustering:
    """Weights of the samples, and how they were found.

    Attributes
    ----------
    weights : array of shape (n,)
        Mean 1; below 1 where samples crowd.
    method : {"cells", "polygons"}
    size : float
        Edge of a cell [m]; NaN for polygons.
    curve : DataFrame
        Size [m] and declustered mean of each size tried; empty for polygons.
    """

    weights: Floats
    method: str
    size: float
    curve: pd.DataFrame

    def mean(self, values: ArrayLike) -> float:
        """Weighted mean of values (n,); missing ones (NaN) are left out.

        Parameters
        ----------
        values : array of shape (n,)

        Returns
        -------
        mean : float
        """
        numbers = read_values(values, len(self.weights), name="values")
        known = ~np.isnan(numbers)
        return float(np.average(numbers[known], weights=self.weights[known]))


def decluster_cells(
    coords: ArrayLike,
    values: ArrayLike | None = None,
    *,
    size: float | None = None,
    target: str = "auto",
    n_offsets: int = 25,
    random_state: int | np.random.Generator | None = 0,
) -> Declustering:
    """Weights by cells: the samples in a cell share one vote; averaged over shifted grids.

    The size should be the spacing of the samples where they are sparse. Where that is not known,
    it is the one whose mean is the least (crowds in rich ground) or the greatest (in poor).

    Parameters
    ----------
    coords : array of shape (n, 2) or (n, 3)
        Easting, northing and, if given, elevation [m].
    values : array of shape (n,), optional
        Values, to find a size by; a missing one is NaN.
    size : float, optional
        Edge of a cell [m]. Default: searched, between the spacing of the samples and half of the
        field.
    target : {"auto", "minimum", "maximum"}, default "auto"
        Of the declustered mean; "auto" is the one farther from the plain mean.
    n_offsets : int, default 25
        Random shifts of the grid.
    random_state : int, Generator or None, default 0
        Seed of the shifts.

    Returns
    -------
    declustering : Declustering

    Raises
    ------
    ValueError
        If coordinates are not finite in 2D or 3D, neither size nor values are given, or an option
        is out of range.

    Examples
    --------
    >>> crowded = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [100.0, 100.0]]
    >>> decluster_cells(crowded, size=20.0, random_state=1).weights.round(2)
    array([0.67, 0.69, 0.75, 1.89])
    """
    points = _check_points(coords)
    check_option("target", target, TARGETS)
    if n_offsets < 1:
        raise ValueError(f"n_offsets must be 1 or more, got {n_offsets}. 25 are enough.")
    offsets = check_random_state(random_state).random((n_offsets, points.shape[1]))
    if size is not None:
        edge = float(check_positive("size", size, unit="m"))
        curve = pd.DataFrame(columns=["size", "mean"], dtype=float)
        return Declustering(_cell_weights(points, edge, offsets), "cells", edge, curve)
    if values is None:
        raise ValueError(
            "decluster_cells needs a size or values to find one by, got neither. Give the spacing"
            " of the sparse samples."
        )
    numbers = read_values(values, len(points), name="values")
    known = ~np.isnan(numbers)
    if numbers.ndim != 1 or not known.any():
        raise ValueError(
            f"values must be one column with known values, got shape {numbers.shape}. Pass one"
            " element."
        )
    sizes = _sizes(points)
    tried = [_cell_weights(points, float(edge), offsets) for edge in sizes]
    means = np.array([np.average(numbers[known], weights=each[known]) for each in tried])
    best = _best_size(means, float(numbers[known].mean()), target)
    curve = pd.DataFrame({"size": sizes, "mean": means})
    return Declustering(tried[best], "cells", float(sizes[best]), curve)


def decluster_polygons(
    coords: ArrayLike, *, region: tuple[float, ...] | None = None
) -> Declustering:
    """Weights by area of influence: of each sample, the part of the region nearest to it.

    Needs no size, but the samples at the rim get what the region gives them: state one that is not
    wider than the data can speak for.

    Parameters
    ----------
    coords : array of shape (n, 2) or (n, 3)
        Easting, northing and, if given, elevation [m]. Samples in one place share its area.
    region : (west, east, south, north[, bottom, top]), optional
        Where areas (volumes in 3D) are cut off [m]. Default: the box around the samples, wider by
        half the median distance to the nearest sample.

    Returns
    -------
    declustering : Declustering

    Raises
    ------
    ValueError
        If coordinates are not finite in 2D or 3D, or the region does not hold all samples.

    Examples
    --------
    >>> line = [[1.0, 5.0], [3.0, 5.0], [9.0, 5.0]]
    >>> decluster_polygons(line, region=(0.0, 10.0, 0.0, 10.0)).weights  # widths 2, 4 and 4
    array([0.6, 1.2, 1.2])
    """
    points = _check_points(coords)
    places, place_of, counts = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    place_of = place_of.reshape(-1)
    low, high = _box(places, region)
    sizes = np.ones(1) if len(places) == 1 else _influence(places, low, high)
    weights = sizes[place_of] / counts[place_of]
    curve = pd.DataFrame(columns=["size", "mean"], dtype=float)
    return Declustering(weights / weights.mean(), "polygons", float("nan"), curve)


def _check_points(coords: ArrayLike) -> Floats:
    points = np.asarray(coords, dtype=float)
    if (
        points.ndim != 2
        or points.shape[1] not in (2, 3)
        or not len(points)
        or not np.isfinite(points).all()
    ):
        raise ValueError(
            f"coords must be finite with 2 or 3 columns [m], got shape {points.shape}. Drop rows"
            " without coordinates."
        )
    return points


def _cell_weights(points: Floats, size: float, offsets: Floats) -> Floats:
    """Mean over the shifts of one over the number of samples in a cell, scaled to mean 1."""
    total = np.zeros(len(points))
    for shift in offsets:
        cells = np.floor((points - points.min(axis=0)) / size + shift).astype(np.int64)
        _, cell_of, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
        weights = 1.0 / counts[cell_of.reshape(-1)]
        total += weights / weights.mean()
    return total / total.mean()


def _sizes(points: Floats) -> Floats:
    """Sizes to try [m], from the spacing of the samples to half of the field."""
    places = np.unique(points, axis=0)
    longest = 0.5 * float(np.ptp(points, axis=0).max())
    if len(places) < 2:
        raise ValueError(
            f"Declustering needs samples in two places or more, got {len(places)}. Check the"
            " coordinates."
        )
    spacing = float(np.median(cKDTree(places).query(places, k=2)[0][:, 1]))
    return np.geomspace(min(spacing, longest / 2), longest, _N_SIZES)


def _best_size(means: Floats, plain: float, target: str) -> int:
    least, most = int(means.argmin()), int(means.argmax())
    if target == "auto":
        target = "minimum" if plain - means[least] >= means[most] - plain else "maximum"
    return least if target == "minimum" else most


def _box(places: Floats, region: tuple[float, ...] | None) -> tuple[Floats, Floats]:
    """Return the lower and upper corner of the region."""
    n_dims = places.shape[1]
    if region is None:
        margin = 1.0
        if len(places) > 1:
            margin = 0.5 * float(np.median(cKDTree(places).query(places, k=2)[0][:, 1]))
        return places.min(axis=0) - margin, places.max(axis=0) + margin
    bounds = np.asarray(region, dtype=float)
    if bounds.shape != (2 * n_dims,) or not (bounds[::2] < bounds[1::2]).all():
        raise ValueError(
            f"region must be (west, east, south, north{', bottom, top' * (n_dims == 3)}) [m], got"
            f" {region}. Give the lower bound first."
        )
    low, high = bounds[::2], bounds[1::2]
    if (places < low).any() or (places > high).any():
        raise ValueError(
            f"region {region} does not hold all samples, which reach from {places.min(axis=0)} to"
            f" {places.max(axis=0)}. Widen it, or drop the samples outside."
        )
    return low, high


def _influence(places: Floats, low: Floats, high: Floats) -> Floats:
    """Area or volume of the Voronoi cell of each place, within a box.

    Mirror images of the places behind each side of the box make that side a border of the cells.
    """
    scale = (high - low).max()
    sides = (high - low) / scale
    # a place on a side is moved in by a hair: it must differ from its image
    own = np.clip((places - low) / scale, 1e-7, sides - 1e-7)
    images = [own]
    for axis in range(own.shape[1]):
        for wall in (0.0, sides[axis]):
            image = own.copy()
            image[:, axis] = 2 * wall - image[:, axis]
            images.append(image)
    diagram = Voronoi(np.vstack(images))
    sizes = np.empty(len(own))
    for i in range(len(own)):
        corners = diagram.vertices[diagram.regions[diagram.point_region[i]]]
        sizes[i] = ConvexHull(np.clip(corners, 0.0, sides)).volume
    return sizes
