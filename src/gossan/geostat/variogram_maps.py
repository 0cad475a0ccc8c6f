"""Variogram maps: semivariance by offset in a plane, where anisotropy shows as an ellipse.

Coordinates [m] and values come in; a square of semivariances about the centre goes out, symmetric,
as a pair counts in both directions.

Sources
-------
Isaaks & Srivastava (1989), An Introduction to Applied Geostatistics, Oxford University Press.
Deutsch & Journel (1998), GSLIB: Geostatistical Software Library, 2nd ed., Oxford University Press.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option, check_positive, check_random_state
from gossan.geostat._lags import lag_edges
from gossan.geostat._pairs import map_sums, plan_walk
from gossan.geostat.variogram import MAX_PAIRS, check_samples

__all__ = ["VariogramMap", "variogram_map"]

Floats = NDArray[np.float64]

PLANES = {"horizontal": (0, 1, 2), "east": (0, 2, 1), "north": (1, 2, 0)}
_AXES = ("easting", "northing", "elevation")


@dataclass(frozen=True, eq=False)
class VariogramMap:
    """Semivariance by offset.

    Attributes
    ----------
    semivariance : array of shape (n, n)
        In squared units of the values; rows go up or north, columns east (north in the plane
        "north"). NaN where there is no pair.
    n_pairs : int array of shape (n, n)
    offsets : array of shape (n,)
        Middle of the cells along either axis [m].
    axes : (str, str)
        What the columns and the rows are: ("easting", "northing").
    share : float
        Share of the samples at which pairs begin: below 1 where a random subset was taken.
    """

    semivariance: Floats
    n_pairs: NDArray[np.int64]
    offsets: Floats
    axes: tuple[str, str]
    share: float

    def major_azimuth(self) -> float:
        """Direction of the longest continuity [degrees from the row axis, clockwise, 0 to 180].

        From the inertia of the cells that vary less than is usual at their distance; in the
        horizontal plane the azimuth. It is a first guess: `fit_variogram` refines it.

        Returns
        -------
        azimuth : float

        Examples
        --------
        >>> x, y = np.meshgrid(np.arange(20.0), np.arange(20.0))
        >>> bands = np.sin((x + y) / 2)  # constant along north-west
        >>> variogram_map(np.column_stack([x.ravel(), y.ravel()]), bands.ravel()).major_azimuth()
        135.0
        """
        x, y = np.meshgrid(self.offsets, self.offsets)
        distance = np.hypot(x, y)
        used = (distance > 0) & (distance <= self.offsets[-1] * 1.001) & (self.n_pairs > 0)
        ring = np.round(distance[used] / (self.offsets[1] - self.offsets[0])).astype(int)
        gammas, counts = self.semivariance[used], self.n_pairs[used]
        sums = np.bincount(ring, weights=counts * gammas)
        usual = (sums / np.maximum(np.bincount(ring, weights=counts), 1))[ring]
        # twice the angle: an axis has no sign
        angles = 2 * np.arctan2(x[used], y[used])
        # near offsets speak loudest: far ones have lost their correlation
        less = counts * (usual - gammas) / distance[used] ** 2
        azimuth = 0.5 * np.arctan2((less * np.sin(angles)).sum(), (less * np.cos(angles)).sum())
        return float(np.round(np.rad2deg(azimuth) % 180.0, 6) % 180.0)


def variogram_map(
    coords: ArrayLike,
    values: ArrayLike,
    *,
    plane: str = "horizontal",
    n_cells: int = 10,
    max_distance: float | None = None,
    max_pairs: float | None = MAX_PAIRS,
    random_state: int | np.random.Generator | None = 0,
) -> VariogramMap:
    """Semivariance of pairs by their offset in a plane, to see in which direction values go on.

    Parameters
    ----------
    coords : array of shape (n, 2) or (n, 3)
        Easting, northing and, if given, elevation [m].
    values : array of shape (n,)
        Values; a missing one is NaN.
    plane : {"horizontal", "east", "north"}, default "horizontal"
        Vertical planes, in 3D: "east" runs along easting and elevation, "north" along northing and
        elevation. A pair may be half a cell apart across the plane.
    n_cells : int, default 10
        Cells from the centre to each side.
    max_distance : float, optional
        Offset of the last cell [m]. Default: a third of the diagonal of the field.
    max_pairs, random_state
        As in `experimental_variogram`.

    Returns
    -------
    map : VariogramMap

    Raises
    ------
    ValueError
        If coordinates or values cannot be used, the plane needs an elevation that is not there, or
        a size is out of range.
    """
    check_option("plane", plane, list(PLANES))
    points, table, _ = check_samples(coords, values, None)
    if table.ndim != 1 or (points.shape[1] == 2 and plane != "horizontal"):
        raise ValueError(
            f"A map is of one variable, and a vertical plane needs elevations, got values of shape"
            f" {table.shape} in {points.shape[1]}D and plane={plane!r}. Pass one column."
        )
    if n_cells < 1:
        raise ValueError(f"n_cells must be 1 or more, got {n_cells}. 10 are usual.")
    if max_distance is None:
        reach = float(lag_edges(points)[-1])
    else:
        reach = float(check_positive("max_distance", max_distance, unit="m"))
    width = reach / n_cells
    # the corner of the square is the farthest pair
    edges = np.array([0.0, np.sqrt(2 * (reach + width / 2) ** 2 + width**2 / 4)])
    most = np.inf if max_pairs is None else float(check_positive("max_pairs", max_pairs))
    order, walk = plan_walk(points, edges, check_random_state(random_state), max_pairs=most)
    columns = PLANES[plane]
    counts, sums = map_sums(walk, table[order], columns, width, n_cells)
    with np.errstate(invalid="ignore"):
        semivariance = 0.5 * sums / counts
    offsets = np.asarray(width * np.arange(-n_cells, n_cells + 1), dtype=np.float64)
    share = len(walk.origins) / len(points)
    axes = (_AXES[columns[0]], _AXES[columns[1]])
    return VariogramMap(semivariance, counts, offsets, axes, share)
