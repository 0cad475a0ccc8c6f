"""Proximity: how far points or cells are from faults, contacts, lines and places.

Points [m] or a grid, and surfaces, planes, lines or places, come in; exact distances [m] go out, or
the grid with a layer of distances and one of the buffer.

Sources
-------
Ericson (2004), Real-Time Collision Detection, CRC Press, doi:10.1201/b14581 (nearest point of a
triangle, bounding volumes).
Baerentzen & Aanaes (2005), Signed distance computation using the angle weighted pseudonormal, IEEE
Transactions on Visualization and Computer Graphics 11, 243-253, doi:10.1109/TVCG.2005.49 (why the
nearest triangle alone does not tell the side).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan._checks import GossanWarning, check_option
from gossan.cluster import run_jobs
from gossan.data.grids.grid import add_layer, axes_of, cell_centres, check_grid
from gossan.data.surfaces.record import Surface, as_surface
from gossan.evidence._nearest import Segments, Shapes, Triangles, nearest
from gossan.evidence.surfaces import plane_axes

__all__ = [
    "add_proximity",
    "distance_to_lines",
    "distance_to_plane",
    "distance_to_points",
    "distance_to_surface",
]

Floats = NDArray[np.float64]

KINDS = ("surfaces", "lines", "points")
PLACES_AT_ONCE = 100_000  # a job for a cluster


def distance_to_surface(
    points: ArrayLike, surfaces: Surface | Sequence[Surface], *, signed: bool = False
) -> Floats:
    """Distance of points to the nearest of some triangulated surfaces, exact to rounding.

    Parameters
    ----------
    points : array of shape (n, 3)
        Easting, northing, elevation [m]; a row with NaN has distance NaN.
    surfaces : Surface or sequence of Surface
        Faults or contacts; anything with `vertices` and `triangles` will do. `extrude_trace` and
        `plane_surface` make them of traces and planes.
    signed : bool, default False
        Distances below the surface (in the footwall) are negative; a vertical surface counts
        as facing east, or north. Beyond the edge of a surface its side is that of its last
        triangle, carried on.

    Returns
    -------
    distances : array of shape (n,)
        [m].

    Raises
    ------
    ValueError
        If the points are not a table of three columns or there is no surface.
    TypeError
        If a surface has no triangles.

    Examples
    --------
    >>> fault = Surface([[0, 0, 0], [100, 0, 0], [0, 100, 0]], [[0, 1, 2]])
    >>> distance_to_surface([[20, 20, 7], [-3, 20, -4]], fault, signed=True)
    array([ 7., -5.])
    """
    given: Any = surfaces
    some = [as_surface(one) for one in ([given] if hasattr(given, "triangles") else given)]
    if not some:
        raise ValueError(
            "Distance needs a surface, got none. Give a Surface, or leave the layer out."
        )
    corners = np.concatenate([(s.facing_up() if signed else s).corners() for s in some])
    places = _check_points(points, (3,))
    return _measure(places, corners, Triangles, signed=signed)


def distance_to_plane(
    points: ArrayLike,
    anchor: ArrayLike,
    dip_direction: float,
    dip: float,
    *,
    signed: bool = False,
) -> Floats:
    """Distance of points to a plane without end.

    Parameters
    ----------
    points : array of shape (n, 3)
        Easting, northing, elevation [m].
    anchor : (easting, northing, elevation)
        A point of the plane [m].
    dip_direction, dip : float
        Azimuth of the dip [°, clockwise from north] and angle below the horizontal [°].
    signed : bool, default False
        Distances below the plane (in the footwall) are negative; of a vertical plane, those on the
        side away from its dip direction are.

    Returns
    -------
    distances : array of shape (n,)
        [m].

    Raises
    ------
    ValueError
        If the points are not a table of three columns or the dip is out of range.

    Examples
    --------
    >>> distance_to_plane([[30, 0, 0], [-5, 0, 99]], (10, 0, 0), 90, 90, signed=True).round(6)
    array([ 20., -15.])
    """
    places = _check_points(points, (3,))
    _, _, up = plane_axes(dip_direction, dip)
    heights = (places - np.asarray(anchor, dtype=float)) @ up
    return heights if signed else np.abs(heights)


def distance_to_lines(
    points: ArrayLike, lines: Sequence[ArrayLike], *, signed: bool = False
) -> Floats:
    """Distance of points to the nearest of some lines, in two or three dimensions.

    Parameters
    ----------
    points : array of shape (n, 2) or (n, 3)
        Easting, northing and, if given, elevation [m].
    lines : sequence of arrays of shape (k, 2) or (k, 3)
        Points along each line, of the dimension of `points`.
    signed : bool, default False
        In 2D only: distances on the right of a line's direction are negative.

    Returns
    -------
    distances : array of shape (n,)
        [m].

    Raises
    ------
    ValueError
        If a line has fewer than two points, or points and lines differ in dimension.

    Examples
    --------
    >>> distance_to_lines([[5, 3], [13, 4]], [[[0, 0], [10, 0]]])
    array([3., 5.])
    """
    places = _check_points(points, (2, 3))
    n_dims = places.shape[1]
    if signed and n_dims == 3:
        raise ValueError(
            "A line in 3D has no sides, got signed=True. Make it a surface with extrude_trace."
        )
    strings = [np.asarray(line, dtype=float) for line in lines]
    for i, line in enumerate(strings):
        if (
            line.ndim != 2
            or len(line) < 2
            or line.shape[1] != n_dims
            or not np.isfinite(line).all()
        ):
            raise ValueError(
                f"Line {i} must be finite and have shape (2 or more, {n_dims}), got shape"
                f" {line.shape}. Give its points in the dimension of what is measured."
            )
    if not strings:
        raise ValueError("Distance needs a line, got none. Give one, or leave the layer out.")
    ends = np.concatenate([np.stack([line[:-1], line[1:]], axis=1) for line in strings])
    return _measure(places, ends, Segments, signed=signed)


def distance_to_points(points: ArrayLike, targets: ArrayLike) -> Floats:
    """Distance of points to the nearest of some places, such as intrusions or known deposits.

    Distance to the known deposits is a baseline to beat, never evidence: it holds the labels.

    Parameters
    ----------
    points : array of shape (n, 2) or (n, 3)
        Easting, northing and, if given, elevation [m].
    targets : array of shape (m, 2) or (m, 3)
        Places, of the dimension of `points`.

    Returns
    -------
    distances : array of shape (n,)
        [m].

    Raises
    ------
    ValueError
        If the dimensions differ, there is no target, or one is not finite.

    Examples
    --------
    >>> distance_to_points([[0, 0], [3, 0]], [[3, 4]])
    array([5., 4.])
    """
    places = _check_points(points, (2, 3))
    aims = np.asarray(targets, dtype=float)
    if aims.ndim != 2 or aims.shape[1:] != places.shape[1:] or not len(aims):
        raise ValueError(
            f"Targets must have shape (1 or more, {places.shape[1]}), got {aims.shape}. Give them"
            " in the dimension of the points."
        )
    if not np.isfinite(aims).all():
        raise ValueError(
            f"{(~np.isfinite(aims)).any(axis=1).sum()} of {len(aims)} targets are not finite. Drop"
            " those without coordinates."
        )
    known = np.isfinite(places).all(axis=1)
    answer = np.full(len(places), np.nan)
    if known.any():
        answer[known] = cKDTree(aims).query(places[known])[0]
    return answer


def add_proximity(
    grid: xr.Dataset,
    features: Any,
    *,
    kind: str = "surfaces",
    name: str = "fault",
    buffer: float | None = 30.0,
    signed: bool = False,
) -> xr.Dataset:
    """Grid with the distance of each cell's centre to features, and the buffer around them.

    Parameters
    ----------
    grid : Dataset
        2D or 3D.
    features : Surface, sequence of Surface, sequence of lines, or array of places
        What `kind` says.
    kind : {"surfaces", "lines", "points"}, default "surfaces"
        Surfaces need a 3D grid; lines and places have the dimension of the grid.
    name : str, default "fault"
        The layers are called "<name>_distance" and "<name>_buffer".
    buffer : float or None, default 30
        Half width of the buffer [m], the published one; None leaves it out. The distance itself
        tells a model more, so both layers are made.
    signed : bool, default False
        Distances on one side are negative; see the functions that measure.

    Returns
    -------
    grid : Dataset
        With a float64 layer [m] and a layer of 0 and 1.

    Raises
    ------
    ValueError
        If the buffer is not positive, or the features do not suit the kind or the grid.

    Examples
    --------
    >>> from gossan.data.grids.grid import make_grid
    >>> grid = add_proximity(make_grid((0, 40, 0, 10), 10), [[[0, 0], [0, 9]]], kind="lines", buffer=20)
    >>> grid["fault_distance"].values.tolist(), grid["fault_buffer"].values.tolist()
    ([[5.0, 15.0, 25.0, 35.0]], [[1, 1, 0, 0]])
    """
    check_option("kind", kind, KINDS)
    if buffer is not None and not buffer > 0:
        raise ValueError(
            f"Buffer must be positive, got {buffer!r}. Give metres, or None for the distance alone."
        )
    grid = check_grid(grid)
    if kind == "surfaces" and len(axes_of(grid)) == 2:
        raise ValueError(
            "Distance to surfaces needs a 3D grid, got one of 2 dimensions. Make the grid with"
            " elevations, or measure the distance to traces with kind='lines'."
        )
    if kind == "points" and signed:
        raise ValueError("A place has no sides, got signed=True. Leave it out.")
    centres = cell_centres(grid)
    if kind == "surfaces":
        distances = distance_to_surface(centres, features, signed=signed)
    elif kind == "lines":
        distances = distance_to_lines(centres, features, signed=signed)
    else:
        distances = distance_to_points(centres, features)
    grid = add_layer(grid, f"{name}_distance", distances, units="m")
    if buffer is None:
        return grid
    is_near = (np.abs(distances) <= buffer).astype(np.int8)
    return add_layer(grid, f"{name}_buffer", is_near, long_name=f"within {buffer:g} m")


def _check_points(points: ArrayLike, n_dims: tuple[int, ...]) -> Floats:
    """Return points as a table of one of the given numbers of columns, missing ones counted."""
    places = np.asarray(points, dtype=float)
    if places.ndim != 2 or places.shape[1] not in n_dims:
        wanted = " or ".join(f"(n, {n})" for n in n_dims)
        raise ValueError(
            f"Points must have shape {wanted}, got {places.shape}. Give easting, northing"
            f"{' and elevation' if n_dims == (3,) else ''} [m] of each."
        )
    missing = ~np.isfinite(places).all(axis=1)
    if missing.any():
        warnings.warn(
            f"{missing.sum()} of {len(places)} points have no place; their distance is NaN.",
            GossanWarning,
            stacklevel=3,
        )
        places = np.where(np.isfinite(places), places, np.nan)
    return places


def _measure(places: Floats, corners: Floats, shape: type, *, signed: bool) -> Floats:
    """Return distances to shapes given by their corners (n_shapes, n_corners, n_dims)."""
    known = np.isfinite(places).all(axis=1)
    answer = np.full(len(places), np.nan)
    if known.any():
        # Large coordinates would cost digits; distances do not see where zero is.
        middle = corners.mean(axis=(0, 1))
        shapes: Shapes = shape(*_parts(corners - middle, shape))
        inside = places[known] - middle
        starts = range(0, len(inside), PLACES_AT_ONCE)
        found = dict(
            run_jobs(
                _to_nearest, starts, shared=(shapes, len(corners), signed),
                load=lambda start: inside[start : start + PLACES_AT_ONCE],
            )
        )  # fmt: skip
        answer[known] = np.concatenate([found[number] for number in range(len(starts))])
    return answer


def _to_nearest(shapes: Shapes, n_shapes: int, signed: bool, places: Floats) -> Floats:
    return nearest(places, shapes, n_shapes, signed=signed)[0]


def _parts(corners: Floats, shape: type) -> tuple[Floats, ...]:
    return (corners,) if shape is Triangles else (corners[:, 0], corners[:, 1])
