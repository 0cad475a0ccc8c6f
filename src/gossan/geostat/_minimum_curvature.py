"""Surfaces of least bending through scattered samples, of many elements with one factorisation.

Samples come in; the surface that bends (and, with tension, tilts) least goes out on the cells of a
grid. The surface lives on nodes a third of the samples' spacing apart, where the energy is a sparse
matrix; between nodes it is a cubic spline.

Sources
-------
Briggs (1974), Machine contouring using minimum curvature, Geophysics 39, 39-48,
doi:10.1190/1.1440410.
Smith & Wessel (1990), Gridding with continuous curvature splines in tension, Geophysics 55, 293-305,
doi:10.1190/1.1442837.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_interp_spline
from scipy.sparse.linalg import splu

Floats = NDArray[np.float64]

NODES_PER_SPACING = 3.0  # so that samples seldom share the nodes around them
MOST_NODES = 250_000  # factorised in some ten seconds
MARGIN = 10.0  # spacings beyond the cells in which samples still count
STIFFNESS = 1e4  # of the samples against the bending: they are met to a ten-thousandth or so


@dataclass(frozen=True)
class Nodes:
    """Where the surface is solved for: places of the nodes along both axes [m], evenly spaced."""

    northing: Floats
    easting: Floats
    step: float

    @property
    def shape(self) -> tuple[int, int]:
        """Number of nodes along northing and easting."""
        return len(self.northing), len(self.easting)


def make_nodes(
    samples: Floats, axes: tuple[Floats, Floats], spacing: float, step: float | None
) -> Nodes:
    """Return the nodes under the cells (axes: northing, easting) and the samples near them."""
    lows, highs = [], []
    for axis, column in zip(axes, (1, 0), strict=True):
        low, high = axis.min() - MARGIN * spacing, axis.max() + MARGIN * spacing
        near = samples[(samples[:, column] >= low) & (samples[:, column] <= high), column]
        lows.append(min(axis.min(), near.min(initial=np.inf)))
        highs.append(max(axis.max(), near.max(initial=-np.inf)))
    sides = np.array(highs) - lows
    wanted = spacing / NODES_PER_SPACING if step is None else step
    least = float(np.sqrt(np.prod(np.maximum(sides, wanted)) / MOST_NODES))
    size = max(wanted, least)
    counts = np.maximum(np.ceil(sides / size).astype(int) + 3, 5)
    north, east = (
        low - (n * size - size - side) / 2 + size * np.arange(n)
        for low, side, n in zip(lows, sides, counts, strict=True)
    )
    return Nodes(north, east, size)


class CurvatureSolver:
    """The bending energy of one set of nodes; elements known at the same samples share a factor."""

    def __init__(self, nodes: Nodes, spacing: float, tension: float) -> None:
        self.nodes = nodes
        self.energy = _energy(nodes.shape, nodes.step / spacing, tension)

    def solve(self, samples: Floats, values: Floats) -> Floats:
        """Return the heights (n_northing, n_easting, n_elements) of the surfaces at the nodes.

        The mean and a plane are taken out first: they do not bend, and rounding stays small.
        """
        places = _bilinear(self.nodes, samples)
        plane = self._plane(samples)
        # With few samples the plane may not be told: then the smallest one serves.
        slopes = np.linalg.lstsq(plane, values, rcond=1e-10)[0]
        matrix = (self.energy + STIFFNESS * (places.T @ places)).tocsc()
        factor = splu(
            matrix,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        heights = factor.solve(STIFFNESS * (places.T @ (values - plane @ slopes)))
        north, east = np.meshgrid(self.nodes.northing, self.nodes.easting, indexing="ij")
        trend = self._plane(np.column_stack([east.ravel(), north.ravel()])) @ slopes
        return (heights + trend).reshape(*self.nodes.shape, -1)

    def _plane(self, points: Floats) -> Floats:
        """Return a constant and both coordinates, of the size of one."""
        middle = np.array([self.nodes.easting.mean(), self.nodes.northing.mean()])
        size = self.nodes.step * max(self.nodes.shape)
        return np.column_stack([np.ones(len(points)), (points - middle) / size])


def bend_some(
    solver: CurvatureSolver,
    points: Floats,
    values: Floats,
    axes: tuple[Floats, Floats],
    columns: list[int],
) -> list[NDArray[np.float32]]:
    """Return the maps of some elements that are known at the same samples."""
    rows = ~np.isnan(values[:, columns[0]])
    heights = solver.solve(points[rows], values[rows][:, columns])
    return [
        at_cells(solver.nodes, heights[..., i], axes).astype(np.float32)
        for i in range(len(columns))
    ]


def at_cells(nodes: Nodes, heights: Floats, axes: tuple[Floats, Floats]) -> Floats:
    """Return a surface (n_northing, n_easting) at the cells, a cubic spline between the nodes."""
    to_north = _spline_matrix(nodes.northing, axes[0])
    to_east = _spline_matrix(nodes.easting, axes[1])
    weights = make_interp_spline(nodes.northing, heights, k=3).c
    weights = make_interp_spline(nodes.easting, weights.T, k=3).c.T
    return np.asarray((to_north @ weights) @ to_east.T)


def _spline_matrix(nodes: Floats, places: Floats) -> Any:
    knots = make_interp_spline(nodes, np.zeros(len(nodes)), k=3).t
    inside = np.clip(places, nodes[0], nodes[-1])
    return BSpline.design_matrix(inside, knots, 3)


def _energy(shape: tuple[int, int], step: float, tension: float) -> Any:
    """Return the matrix of (1 - T) ∫ u_xx² + 2 u_xy² + u_yy² + T ∫ u_x² + u_y².

    Lengths are counted in spacings of the samples, so that the tension means the same at any scale.
    """
    (n, m), (first_n, first_m) = shape, (_differences(shape[0]), _differences(shape[1]))
    second_n, second_m = _differences(n - 1) @ first_n, _differences(m - 1) @ first_m
    on_n, on_m = sp.identity(n), sp.identity(m)
    bends = [
        (1.0, sp.kron(second_n, on_m)),
        (2.0, sp.kron(first_n, first_m)),
        (1.0, sp.kron(on_n, second_m)),
    ]
    tilts = [sp.kron(first_n, on_m), sp.kron(on_n, first_m)]
    bending = sum(weight * (each.T @ each) for weight, each in bends)
    tilting = sum(each.T @ each for each in tilts)
    return ((1.0 - tension) / step**2 * bending + tension * tilting).tocsr()


def _differences(n: int) -> Any:
    return sp.diags_array([-np.ones(n - 1), np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n))


def _bilinear(nodes: Nodes, samples: Floats) -> Any:
    """Return the matrix (n_samples, n_nodes) that reads the surface at the samples."""
    places = [
        (samples[:, 1] - nodes.northing[0]) / nodes.step,
        (samples[:, 0] - nodes.easting[0]) / nodes.step,
    ]
    low = [
        np.clip(np.floor(p).astype(int), 0, n - 2) for p, n in zip(places, nodes.shape, strict=True)
    ]
    part = [p - at for p, at in zip(places, low, strict=True)]
    rows, columns, weights = [], [], []
    for i in (0, 1):
        for j in (0, 1):
            rows.append(np.arange(len(samples)))
            columns.append((low[0] + i) * nodes.shape[1] + low[1] + j)
            weights.append((part[0] if i else 1 - part[0]) * (part[1] if j else 1 - part[1]))
    shape = (len(samples), nodes.shape[0] * nodes.shape[1])
    found = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    return sp.csr_array(found, shape=shape)
