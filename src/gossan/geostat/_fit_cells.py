"""What a model is fitted to: semivariances of cells of distance and, where asked for, direction.

Experimental variograms, or samples, come in; one flat table of cells goes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gossan.geostat._lags import unit_vector
from gossan.geostat._pairs import pair_sums, plan_walk, sector_sums
from gossan.geostat.variogram import MAX_PAIRS, ExperimentalVariogram

Floats = NDArray[np.float64]

N_LAGS = 18
N_AZIMUTHS, N_AXES = 12, 37  # sectors in 2D, axes spread over half of a sphere in 3D


@dataclass(frozen=True, eq=False)
class Cells:
    """Mean offsets (n, n_dims) [m], semivariances and numbers of pairs; no cell is empty."""

    offsets: Floats
    gammas: Floats
    n_pairs: Floats
    variance: float
    n_dims: int

    @property
    def distances(self) -> Floats:
        """Length of each mean offset [m]."""
        return np.linalg.norm(self.offsets, axis=1)


def cells_of_variograms(variograms: Sequence[ExperimentalVariogram]) -> Cells:
    """Return the cells of one omnidirectional variogram, or of directional ones together."""
    for each in variograms:
        if each.semivariance.ndim != 1 or each.estimator == "madogram":
            raise ValueError(
                f"A model is fitted to the semivariance of one variable, got {each.estimator} of"
                f" shape {each.semivariance.shape}. Take .variable(0), or another estimator."
            )
    n_dims = variograms[0].n_dims
    offsets, gammas, counts = [], [], []
    for each in variograms:
        kept = (each.n_pairs > 0) & np.isfinite(each.semivariance)
        step = unit_vector(each.direction or (90.0, 0.0))[:n_dims]
        offsets.append(each.lag[kept, None] * step)
        gammas.append(each.semivariance[kept])
        counts.append(each.n_pairs[kept].astype(float))
    return Cells(
        np.concatenate(offsets),
        np.concatenate(gammas),
        np.concatenate(counts),
        float(variograms[0].variance),
        n_dims,
    )


def cells_of_samples(
    points: Floats,
    values: Floats,
    groups: NDArray[np.int64] | None = None,
    *,
    edges: Floats | None,
    by_direction: bool,
    rng: np.random.Generator,
    max_pairs: float = MAX_PAIRS,
) -> Cells:
    """Return cells of the samples: by distance, or by distance and direction."""
    n_dims = points.shape[1]
    edges = growing_edges(points) if edges is None else edges
    order, walk = plan_walk(points, edges, rng, groups=groups, max_pairs=max_pairs)
    if by_direction:
        counts, sums, squares = sector_sums(walk, values[order], sector_axes(n_dims))
        kept = counts > 0
        offsets = sums[kept][:, :n_dims] / counts[kept][:, None]
    else:
        counts, distances, squares = pair_sums(walk, values[order, None], 0)
        kept = counts > 0
        offsets = np.zeros((int(kept.sum()), n_dims))
        offsets[:, 0] = distances[kept] / counts[kept]
    if not kept.any():
        raise ValueError(
            f"No pair of samples lies within {edges[-1]:g} m. Widen the lags, or check the groups."
        )
    gammas = 0.5 * squares[kept] / counts[kept]
    return Cells(offsets, gammas, counts[kept].astype(float), float(values.var()), n_dims)


def growing_edges(points: Floats) -> Floats:
    """Lags that grow with distance, from the sample spacing to a third of the field's diagonal.

    Short distances, where the model is decided, get narrow classes, whatever the range is.
    """
    places = np.unique(points, axis=0)
    last = float(np.linalg.norm(np.ptp(points, axis=0))) / 3
    if len(places) < 3 or last <= 0:
        raise ValueError(
            f"A variogram needs samples in three places, got {len(places)}. Check the coordinates."
        )
    first = float(np.median(cKDTree(places).query(places, k=2)[0][:, 1]))
    first = min(max(first, last / 100), last / 3)
    return np.concatenate([[0.0], np.geomspace(first, last, N_LAGS)])


def sector_axes(n_dims: int) -> Floats:
    """Unit vectors (n, 3) spread evenly over half of a circle, or half of a sphere."""
    if n_dims == 2:
        azimuths = np.pi * np.arange(N_AZIMUTHS) / N_AZIMUTHS
        return np.stack([np.sin(azimuths), np.cos(azimuths), np.zeros(N_AZIMUTHS)], axis=1)
    # a spiral from the vertical to the horizontal, each turn by the golden angle
    turns = np.arange(N_AXES)
    height = 1.0 - turns / (N_AXES - 0.5)
    angle = np.pi * (3.0 - np.sqrt(5.0)) * turns
    flat = np.sqrt(1.0 - height**2)
    return np.stack([flat * np.sin(angle), flat * np.cos(angle), height], axis=1)
