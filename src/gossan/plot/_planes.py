"""A plane through a grid, as a map or a section shows it: its cells, its frame, the samples near.

A 2D grid, or a 3D one and the level, northing or easting to cut at, comes in; a `Plane` goes out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.data.grids.grid import (
    axes_of,
    check_grid,
    from_axes,
    own_corners,
    rotation_of,
    spacing_of,
)
from gossan.data.grids.grid import to_axes as onto_axes

_SIDES = {"easting": ("W", "E"), "northing": ("S", "N")}


@dataclass(frozen=True)
class Plane:
    """A plane through a grid.

    Attributes
    ----------
    grid : Dataset
        The whole grid.
    across, up : str
        Axes that run to the right and upwards on the figure.
    cut : str
        Axis that was cut, empty for a 2D grid.
    index : int
        Place of the cut along it.
    place, reach : float
        Coordinate of the cut, and how far from it samples are still shown [m].
    """

    grid: xr.Dataset
    across: str
    up: str
    cut: str = ""
    index: int = 0
    place: float = 0.0
    reach: float = math.inf

    @property
    def is_map(self) -> bool:
        """Whether north is up, as against a vertical section."""
        return self.up == "northing"

    @property
    def title(self) -> str:
        """What was cut ("Level 105 m"), empty for a 2D grid."""
        if not self.cut:
            return ""
        words = {"elevation": "Level", "northing": "Northing", "easting": "Easting"}
        return f"{words[self.cut]} {round(self.place, 1):,.10g} m"

    @property
    def labels(self) -> tuple[str, str]:
        """Labels of both axes, with their unit."""
        turned = " along the grid" if rotation_of(self.grid) and not self.is_map else ""
        name = self.across.capitalize()
        if self.is_map:
            return f"{name} [m]", f"{self.up.capitalize()} [m]"
        first, last = _SIDES[self.across]
        return f"{first} ← {name}{turned} [m] → {last}", "Elevation [m]"

    @property
    def own_extent(self) -> tuple[float, float, float, float]:
        """Outer edges (left, right, bottom, top) along the grid's own axes [m]."""
        steps = dict(zip(axes_of(self.grid), spacing_of(self.grid), strict=True))
        edges = []
        for axis in (self.across, self.up):
            ends = self.grid[axis].to_numpy()[[0, -1]].astype(float)
            edges += [float(ends[0]) - steps[axis] / 2, float(ends[1]) + steps[axis] / 2]
        return edges[0], edges[1], edges[2], edges[3]

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Outer edges on the figure [m]; of a turned map, those of its bounding box."""
        if not self.is_map:
            return self.own_extent
        corners = from_axes(self.grid, own_corners(self.grid))
        low, high = corners.min(axis=0), corners.max(axis=0)
        return float(low[0]), float(high[0]), float(low[1]), float(high[1])

    def cells(self, name: str) -> NDArray[np.float64]:
        """Values of a layer on the plane, the first row the lowest one."""
        if name not in self.grid:
            known = list(map(str, self.grid.data_vars))
            raise KeyError(
                f"The grid has no layer {name!r} to draw, only {', '.join(known) or 'none'}."
                f" {did_you_mean(name, known)}"
            )
        layer = self.grid[name]
        if self.cut:
            layer = layer.isel({self.cut: self.index})
        return layer.transpose(self.up, self.across).to_numpy().astype(float)

    def near(self, samples: pd.DataFrame) -> tuple[NDArray, NDArray, NDArray[np.bool_]]:
        """Place of each sample on the figure, across and up, and whether it is near the plane."""
        axes = ["easting", "northing", *(["elevation"] if "elevation" in self.grid.sizes else [])]
        missing = [axis for axis in axes if axis not in samples]
        if missing:
            raise KeyError(
                f"The samples have no column {missing[0]!r}, only {', '.join(map(str, samples))}."
                f" Give their places as {', '.join(axes)} [m]."
            )
        true = samples[axes].to_numpy(float)
        own = onto_axes(self.grid, true)
        shown = true if self.is_map else own
        is_near = np.isfinite(true).all(axis=1)
        if self.cut:
            is_near &= np.abs(own[:, axes.index(self.cut)] - self.place) <= self.reach
        return shown[:, axes.index(self.across)], shown[:, axes.index(self.up)], is_near


def cut_plane(
    grid: xr.Dataset, at: Mapping[str, float] | None = None, *, reach: float | None = None
) -> Plane:
    """Cut a plane out of a grid, or take a 2D grid as it is.

    Parameters
    ----------
    grid : Dataset
        2D or 3D.
    at : mapping, optional
        Where to cut a 3D grid: one of "elevation", "northing" or "easting" to its coordinate [m].
    reach : float, optional
        Distance from the cut within which samples are shown [m]; half a cell by default.

    Returns
    -------
    plane : Plane

    Raises
    ------
    ValueError
        If a 3D grid is not cut at one place within it, or a 2D grid is cut.
    """
    grid = check_grid(grid)
    if "elevation" not in grid.sizes:
        if at:
            raise ValueError(
                f"A 2D grid has nothing to cut at {dict(at)}. Leave `at` out, or pass a 3D grid."
            )
        return Plane(grid, "easting", "northing")
    if at is None or len(at) != 1 or next(iter(at)) not in grid.sizes:
        raise ValueError(
            f"A 3D grid is drawn at one place, got at={at!r}. Give a level such as"
            " {'elevation': 105.0}, or a section such as {'northing': 620.0}."
        )
    axis, place = next(iter(at.items()))
    step = dict(zip(axes_of(grid), spacing_of(grid), strict=True))[axis]
    centres = grid[axis].to_numpy().astype(float)
    index = int(np.abs(centres - place).argmin())
    if not abs(centres[index] - place) <= step / 2 * (1 + 1e-9):
        raise ValueError(
            f"The cut at {axis} {place:g} m lies outside the grid, whose cells reach from"
            f" {centres[0] - step / 2:g} to {centres[-1] + step / 2:g} m. Choose a place within."
        )
    across, up = _shown_axes(axis)
    own_reach = step / 2 if reach is None else float(reach)
    return Plane(grid, across, up, axis, index, float(centres[index]), own_reach)


def _shown_axes(cut: str) -> tuple[str, str]:
    if cut == "elevation":
        return "easting", "northing"
    return ("easting" if cut == "northing" else "northing"), "elevation"


def thin(cells: NDArray, most: int) -> tuple[NDArray, int]:
    """Every k-th cell both ways, so that at most about `most` are left, and k.

    Examples
    --------
    >>> thin(np.arange(36.0).reshape(6, 6), 9)
    (array([[ 7.,  9., 11.],
           [19., 21., 23.],
           [31., 33., 35.]]), 2)
    """
    step = max(1, math.ceil(math.sqrt(cells.size / most)))
    return cells[step // 2 :: step, step // 2 :: step], step
