"""The samples of one kriging system: centred, in a fixed order, without twins.

Coordinates, values, holes and errors come in, with the missing rows left out already; a `Samples`
record that the kernels take goes out. The order is that of the coordinates, so that the answer does
not depend on the order of the rows.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gossan._checks import GossanWarning, check_labels
from gossan.geostat._packed import in_three_dimensions

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """What a system knows of n places.

    Attributes
    ----------
    points : array of shape (n, 3)
        Coordinates less the centre [m]; elevation 0 in 2D.
    values : array of shape (n, n_variables)
    micro : array of shape (n,)
        Nugget that a target at the very place shares.
    noise : array of shape (n,)
        Variance that it does not share: of the measurement.
    drift : array of shape (n, n_drifts)
    groups : int64 array of shape (n,) or None
        Number of the hole.
    rows : int64 array of shape (n,)
        Row of the user's table; of twins, the first.
    n_dims : int
    tolerance : float
        Distance within which two places are one [m].
    """

    points: Floats
    values: Floats
    micro: Floats
    noise: Floats
    drift: Floats
    groups: Whole | None
    rows: Whole
    n_dims: int
    tolerance: float

    @property
    def coords(self) -> Floats:
        """Return the centred coordinates, (n, n_dims)."""
        return self.points[:, : self.n_dims]

    @property
    def extent(self) -> float:
        """Return the diagonal of the box around the samples [m]."""
        return float(np.sqrt((np.ptp(self.points, axis=0) ** 2).sum()))


@dataclass(frozen=True)
class Table:
    """Rows as given, none missing."""

    coords: Floats  # (n, n_dims), centred
    values: Floats  # (n, n_variables)
    noise: Floats  # (n,)
    drift: Floats  # (n, n_drifts)
    groups: Whole | None
    rows: Whole  # (n,)
    tolerance: float


def prepare_samples(table: Table, nugget: float, *, keep_twins: bool) -> Samples:
    """Return the samples in the order of their coordinates, twins averaged or kept.

    Kept twins cannot share their nugget, or the system would have two equal rows: it counts as
    noise of each.
    """
    micro = np.full(len(table.coords), nugget)
    noise, values, drift, first = table.noise, table.values, table.drift, np.arange(len(micro))
    twins = twin_labels(table.coords, table.tolerance)
    if twins is not None and keep_twins:
        shared = np.bincount(twins)[twins] > 1
        noise = np.where(shared, noise + nugget, noise)
        micro = np.where(shared, 0.0, micro)
    elif twins is not None:
        counts, first = np.bincount(twins), np.unique(twins, return_index=True)[1]
        noise = np.bincount(twins, noise) / counts**2
        values, drift = _means(values, twins, counts), _means(drift, twins, counts)
        micro = micro[first]
    places = table.coords[first]
    order = np.lexsort(places.T[::-1])
    return Samples(
        in_three_dimensions(places[order]),
        np.ascontiguousarray(values[order]),
        micro[order],
        noise[order],
        np.ascontiguousarray(drift[order]),
        None if table.groups is None else table.groups[first][order],
        table.rows[first][order],
        places.shape[1],
        table.tolerance,
    )


def twin_labels(coords: Floats, tolerance: float) -> Whole | None:
    """Return the number of the place of each row, or None if all places differ."""
    pairs = cKDTree(coords).query_pairs(tolerance, output_type="ndarray")
    if not len(pairs):
        return None
    n = len(coords)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def warn_of_twins(table: Table, *, keep_twins: bool, stacklevel: int) -> None:
    """Say which rows lie at one place, and what is done with them."""
    twins = twin_labels(table.coords, table.tolerance)
    if twins is None:
        return
    counts = np.bincount(twins)
    shared = np.flatnonzero(counts > 1)
    rows = ["/".join(str(row) for row in table.rows[twins == place][:4]) for place in shared[:3]]
    more = ", ..." if len(shared) > 3 else ""
    done = "kept as replicates" if keep_twins else "averaged"
    warnings.warn(
        f"{int(counts[shared].sum())} samples lie at {len(shared)} places with more than one (rows"
        f" {', '.join(rows)}{more}); they are {done}. Check for double entries.",
        GossanWarning,
        stacklevel=stacklevel + 1,
    )


def coordinate_tolerance(*tables: Floats) -> float:
    """Return what rounding may have done to the coordinates: eight units in the last place [m]."""
    largest = max((float(np.abs(table).max()) for table in tables if table.size), default=0.0)
    return 8.0 * float(np.spacing(largest))


def vertical_lines(coords: Floats) -> Whole | None:
    """Return the number of the vertical line of each sample if most lie on lines of five or more."""
    if coords.shape[1] < 3:
        return None
    _, line, counts = np.unique(
        coords[:, :2].round(3), axis=0, return_inverse=True, return_counts=True
    )
    line = line.reshape(-1).astype(np.int64)
    if (counts[line] >= 5).mean() <= 0.5:
        return None
    return line


def rows_with_values(values: Floats) -> NDArray[np.bool_]:
    """Return True for rows with any value; warn of the others, and refuse an empty variable."""
    known = ~np.isnan(values)
    if not known.any(axis=0).all():
        column = int(np.argmin(known.any(axis=0)))
        raise ValueError(
            f"Variable {column} of y has no value: all {len(values)} rows are missing (NaN). Drop"
            " the column or mend it."
        )
    rows: NDArray[np.bool_] = np.asarray(known.any(axis=1))
    if not rows.all():
        warnings.warn(
            f"{int((~rows).sum())} of {len(rows)} rows have no value (NaN) and are left out, first"
            f" row {int(np.argmin(rows))}.",
            GossanWarning,
            stacklevel=3,
        )
    return rows


def read_noise(error_variance: ArrayLike | None, n: int) -> Floats:
    if error_variance is None:
        return np.zeros(n)
    noise = np.asarray(error_variance, dtype=float)
    if noise.shape != (n,) or not (np.isfinite(noise) & (noise >= 0)).all():
        raise ValueError(
            f"error_variance must be {n} numbers of zero or more, one a row, got shape"
            f" {noise.shape} with least {noise.min(initial=np.inf):g}. Square standard deviations."
        )
    return noise


def read_groups(groups: ArrayLike | None, n: int) -> Whole | None:
    if groups is None:
        return None
    labels = check_labels("groups", groups, n)
    return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)


def holes_of(coords: Floats) -> Whole | None:
    """Return vertical lines as holes, with a warning, if most samples stand on some."""
    lines = vertical_lines(coords)
    if lines is not None:
        warnings.warn(
            f"Most of {len(coords)} samples stand on vertical lines and no groups were given: each"
            " of these is taken for a hole, and capped. Pass groups (the hole of each sample), or"
            " n_per_group=None for no cap.",
            GossanWarning,
            stacklevel=3,
        )
    return lines


def _means(values: Floats, labels: Whole, counts: Whole) -> Floats:
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, labels, values)
    return sums / counts[:, None]
