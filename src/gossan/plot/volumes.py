"""Surfaces through block models: where a layer crosses a level, as triangles for 3D views.

A 3D grid and a level come in; vertices [m] and triangles go out, simplified to a number if asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gossan._checks import did_you_mean
from gossan.data.grids.grid import axes_of, check_grid, from_axes, spacing_of
from gossan.plot._surface_nets import surface_nets

__all__ = ["Mesh", "isosurface", "simplify_mesh"]

_TRIES = 18  # halvings of the search for the lattice: its step is then known to one part in 1e4


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles in space.

    Attributes
    ----------
    vertices : array of shape (n, 3)
        Easting, northing, elevation [m].
    triangles : array of shape (m, 3)
        Row numbers of their vertices, anticlockwise seen from outside.
    shift : float
        Most that a vertex was moved by `simplify_mesh` [m].
    """

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int64]
    shift: float = 0.0

    def __len__(self) -> int:
        return len(self.triangles)

    @property
    def area(self) -> float:
        """Area [m²]."""
        return float(np.linalg.norm(self._crosses(), axis=1).sum() / 2)

    @property
    def volume(self) -> float:
        """Volume inside [m³]; only of a closed surface does it mean something."""
        middle = self.vertices.mean(axis=0) if len(self.vertices) else np.zeros(3)
        corners = (self.vertices - middle)[self.triangles]
        return float(np.einsum("ij,ij->", corners[:, 0], self._crosses()) / 6)

    def _crosses(self) -> NDArray[np.float64]:
        first, second, third = np.moveaxis(self.vertices[self.triangles], 1, 0)
        return np.cross(second - first, third - first)


def isosurface(grid: xr.Dataset, layer: str, level: float, *, closed: bool = True) -> Mesh:
    """Surface on which a layer of a block model equals a level, the higher values inside.

    Cells are joined at their centres by surface nets [1]_: smoother than the blocks, and within a
    cell of them. For a picture and a first volume, too small by about the square of cell over
    radius; resources are summed from cells.

    Parameters
    ----------
    grid : Dataset
        3D grid, also turned, also with cells of unequal sides.
    layer : str
        Layer of scores or grades; NaN where unknown.
    level : float
        In the unit of the layer.
    closed : bool
        Close bodies by the outer faces of their cells where the grid ends or values are unknown.
        False: leave them open there, so that no face is drawn which no value supports.

    Returns
    -------
    mesh : Mesh
        Without triangles where nothing crosses the level.

    Raises
    ------
    KeyError
        If there is no such layer.
    ValueError
        If the grid is a map, or the level is not a number.

    References
    ----------
    .. [1] Gibson S.F.F. (1998) Constrained elastic surface nets. MICCAI 1998, Lecture Notes in
       Computer Science 1496, 888-898. doi:10.1007/BFb0056277

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, cell_centres, make_grid
    >>> grid = make_grid((0, 100, 0, 100), 5, elevations=(0, 100))
    >>> away = np.linalg.norm(cell_centres(grid) - 50.0, axis=1).reshape(20, 20, 20)
    >>> ball = isosurface(add_layer(grid, "depth", 30.0 - away), "depth", 0.0)
    >>> round(ball.volume / (4 / 3 * np.pi * 30.0**3), 2)
    0.97
    """
    grid = check_grid(grid)
    if "elevation" not in grid.sizes:
        raise ValueError(
            "An isosurface needs a grid with elevations, got a map. Draw contours of a map instead,"
            " or make the grid 3D."
        )
    if layer not in grid:
        known = list(map(str, grid.data_vars))
        raise KeyError(
            f"The grid has no layer {layer!r}, only {', '.join(known) or 'none'}. Name one of them."
            f"{did_you_mean(layer, known)}"
        )
    if not np.isfinite(level):
        raise ValueError(f"The level must be a number, got {level}. Choose one within the layer.")
    values = grid[layer].transpose(*axes_of(grid)).to_numpy()
    places, triangles = surface_nets(values, float(level), closed=closed)
    lows = [float(grid[axis][0]) for axis in axes_of(grid)]
    own = np.array(lows) + places * np.array(spacing_of(grid))
    return Mesh(from_axes(grid, own[:, ::-1].copy()), triangles)


def simplify_mesh(vertices: ArrayLike, triangles: ArrayLike, most: int) -> Mesh:
    """Surface with at most a number of triangles, by merging the vertices of each cell of a lattice.

    Fast and robust rather than best: sharp edges are rounded by up to `shift`, and parts smaller
    than the lattice may vanish [1]_.

    Parameters
    ----------
    vertices : array of shape (n, 3)
        [m]
    triangles : array of shape (m, 3)
        Row numbers of their vertices.
    most : int
        Triangles to keep at most.

    Returns
    -------
    mesh : Mesh
        Unchanged where it is small enough; its `shift` tells how far vertices were moved [m].

    Raises
    ------
    ValueError
        If `most` is below one.

    References
    ----------
    .. [1] Rossignac J., Borrel P. (1993) Multi-resolution 3D approximations for rendering complex
       scenes. Modeling in Computer Graphics, Springer, 455-465. doi:10.1007/978-3-642-78114-8_29

    Examples
    --------
    >>> square = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    >>> len(simplify_mesh(square, [[0, 1, 2], [0, 2, 3]], 5))
    2
    """
    if most < 1:
        raise ValueError(f"most must be at least one triangle, got {most}. Thousands are usual.")
    whole = Mesh(np.asarray(vertices, dtype=float), np.asarray(triangles, dtype=np.int64))
    if len(whole) <= most:
        return whole
    low, high = 0.0, float(np.ptp(whole.vertices, axis=0).max()) or 1.0
    kept = _clustered(whole, 2 * high)
    for _ in range(_TRIES):
        step = (low + high) / 2
        tried = _clustered(whole, step)
        if len(tried) > most:
            low = step
        else:
            kept, high = tried, step
            if len(tried) > 0.97 * most:
                break
    return kept


def _clustered(mesh: Mesh, step: float) -> Mesh:
    """Merge the vertices of each cell of a cubic lattice into their mean."""
    lattice = np.floor((mesh.vertices - mesh.vertices.min(axis=0)) / step).astype(np.int64)
    sizes = lattice.max(axis=0) + 1
    codes = (lattice[:, 0] * sizes[1] + lattice[:, 1]) * sizes[2] + lattice[:, 2]
    _, homes, counts = np.unique(codes, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(homes, column) for column in mesh.vertices.T], axis=1)
    merged = sums / counts[:, None]
    corners = homes[mesh.triangles]
    is_flat = (corners == np.roll(corners, 1, axis=1)).any(axis=1)
    corners = corners[~is_flat]
    # Two faces of a thin sheet may fall together: keep each set of three corners once.
    _, first = np.unique(np.sort(corners, axis=1), axis=0, return_index=True)
    triangles = corners[np.sort(first)]
    used, renamed = np.unique(triangles, return_inverse=True)
    moved = np.linalg.norm(merged[homes] - mesh.vertices, axis=1).max()
    return Mesh(merged[used], renamed.reshape(-1, 3), float(moved))
