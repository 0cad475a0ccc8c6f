"""Gaussian fields that are functions of position: turning bands, drawn once, read anywhere.

Ranges and a seed come in; a record goes out that gives its fields at any points, the same value at
the same place however the points are grouped.

Sources
-------
Mantoglou & Wilson (1982), The turning bands method for simulation of random fields using line
generation by a spectral method, Water Resources Research 18, 1379-1394,
doi:10.1029/WR018i005p01379.
Lantuejoul (2002), Geostatistical Simulation, Springer, doi:10.1007/978-3-662-04808-5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEP = 0.05  # between the nodes of a band, of the distance over which the covariance falls by e
_CHUNK = 16_384  # points at a time, so that they stay in the cache
_N_BANDS = 64
_PRACTICAL = {"exponential": 3.0, "gaussian": np.sqrt(3.0)}  # range over that distance


@dataclass(frozen=True, eq=False)
class BandFields:
    """Fields of one covariance, independent of one another, of mean 0 and variance 1.

    Attributes
    ----------
    directions : array of shape (n_bands, 3)
        Unit vectors.
    scales : array of shape (3,)
        Along easting, northing and elevation, over which the covariance falls by e [m].
    tables : float32 array of shape (n_bands, n_nodes, 2 * n_fields)
        Values at the nodes of each band, and the differences to the next; periodic.
    """

    directions: Floats
    scales: Floats
    tables: NDArray[np.float32]

    def at(self, points: Floats) -> Floats:
        """Fields (n, n_fields) at points (n, 3) [m]."""
        n_fields = self.tables.shape[2] // 2
        fields = np.empty((len(points), n_fields))
        lines = (self.directions / self.scales / _STEP).T
        for start in range(0, len(points), _CHUNK):
            part = slice(start, start + _CHUNK)
            fields[part] = self._at_chunk(points[part] @ lines)
        return fields

    def _at_chunk(self, along: Floats) -> NDArray[np.float32]:
        """Sum of all bands at the places (n, n_bands) along them [nodes]."""
        n_fields, n_nodes = self.tables.shape[2] // 2, self.tables.shape[1]
        below = np.floor(along)
        past = (along - below).astype(np.float32)
        nodes = below.astype(np.int64) % n_nodes
        total = np.zeros((len(along), n_fields), dtype=np.float32)
        for band, table in enumerate(self.tables):
            rows = table.take(nodes[:, band], axis=0)
            total += rows[:, :n_fields]
            rows[:, n_fields:] *= past[:, band, None]
            total += rows[:, n_fields:]
        return total


def draw_bands(
    ranges: tuple[float, float, float],
    n_fields: int,
    extent: Floats,
    rng: np.random.Generator,
    *,
    kind: str = "exponential",
    n_bands: int = _N_BANDS,
) -> BandFields:
    """Draw `n_fields` fields with practical `ranges` [m] for a box of an extent (3,) [m]."""
    scales = np.asarray(ranges) / _PRACTICAL[kind]
    # a period longer than the box, so that no field meets itself
    n_nodes = 2 ** int(np.ceil(np.log2(1.2 * np.linalg.norm(extent / scales) / _STEP)))
    values = _draw_lines(kind, (n_bands, n_fields), n_nodes, rng) / np.sqrt(n_bands)
    values = values.transpose(0, 2, 1)
    tables = np.concatenate([values, np.roll(values, -1, axis=1) - values], axis=2)
    return BandFields(_directions(n_bands, rng), scales, tables.astype(np.float32))


def line_covariance(kind: str, lag: Floats) -> Floats:
    """Covariance along a band whose turning gives the wanted one in 3D: d(h C(h)) / dh."""
    if kind == "exponential":
        return (1.0 - lag) * np.exp(-lag)
    return (1.0 - 2.0 * lag**2) * np.exp(-(lag**2))


def _draw_lines(
    kind: str, shape: tuple[int, int], n_nodes: int, rng: np.random.Generator
) -> Floats:
    """Draw processes (*shape, n_nodes) on circles, by Fourier.

    Between two nodes a mean of both is read, whose variance is less. A little noise of each node
    makes good for it, so that the variance is 1 and nothing changes at longer lags.
    """
    lag = _STEP * np.minimum(np.arange(n_nodes), n_nodes - np.arange(n_nodes))
    noise = (1.0 - line_covariance(kind, np.array(_STEP))) / 2.0
    power = np.maximum(np.fft.rfft(line_covariance(kind, lag)).real, 0.0) + noise
    white = np.fft.rfft(rng.standard_normal((*shape, n_nodes)))
    return np.fft.irfft(white * np.sqrt(power), n_nodes)


def _directions(n: int, rng: np.random.Generator) -> Floats:
    """Directions (n, 3) spread evenly over a half sphere (Fibonacci's lattice), turned at random."""
    rank = np.arange(n) + 0.5
    height = rank / n
    angle = np.pi * (1.0 + np.sqrt(5.0)) * rank
    flat = np.sqrt(1.0 - height**2)
    lattice = np.column_stack([flat * np.cos(angle), flat * np.sin(angle), height])
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return lattice @ turn
