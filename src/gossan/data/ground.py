"""The ground: topography from rasters, points, triangles or collars, as a grid of elevations.

A file, a number or a table of collars comes in; a 2D grid with the layer "elevation" [m] goes out,
which `grid_mask` takes as topography.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from scipy.spatial import ConvexHull, QhullError, cKDTree

from gossan._checks import GossanWarning, did_you_mean
from gossan.data._coordinates import FARTHEST, find_coordinates, list_words
from gossan.data._crs import crs_text
from gossan.data.grids.files import read_grid
from gossan.data.grids.grid import add_layer, cell_centres, check_grid, grid_shape, make_grid
from gossan.data.grids.tables import table_to_grid
from gossan.data.surfaces.files import MESHES, read_surfaces
from gossan.data.tables.places import read_places
from gossan.data.tables.rawtable import read_raw

__all__ = ["ground_of_collars", "read_ground"]

Floats = NDArray[np.float64]

_TABLES = (".csv", ".txt", ".tsv", ".xlsx", ".parquet")
_RASTERS = (".tif", ".tiff", ".vti", ".zarr")
_MISSING = (-9999.0, -99999.0, -32767.0, -32768.0)
_HIGHEST = 20_000.0  # m; beyond it a height is some package's word for "missing"
_EVERYWHERE = 1e8  # m: half the side of the grid of a constant height
_FINEST = 0.25  # of the mean distance of points: no finer cells
_MOST_CELLS = 50_000_000
_MOST_ALONE = 0.1  # of the points of a regular grid without neighbours


def read_ground(
    source: str | Path | float,
    *,
    spacing: float | None = None,
    surface: str | None = None,
    crs: Any = None,
    to_crs: Any = None,
) -> xr.Dataset:
    """Elevation of the ground as a 2D grid, from a raster, points, triangles or one number.

    Parameters
    ----------
    source : path or float
        A raster (.tif, .tiff, .vti, .zarr): the layer "elevation", or the first band. A table of
        points (.csv, .txt, .tsv, .xlsx, .parquet) with easting, northing and
        elevation under any usual words. A triangulated surface (.dxf, .ts, .obj, .stl, .vtp, .omf),
        taken as its corners. Or a constant height [m]: a grid of four cells that covers any site.
    spacing : float, optional
        Size of the cells [m] for points. Default: points on a regular grid keep it and are taken
        exactly; others get about their median distance to the nearest other one, but no less than a
        quarter of the mean distance, as points along contours lie close together.
    surface : str, optional
        Name of the surface to take, of a file of several.
    crs : str, int or CRS object, optional
        Names the CRS where the file does not.
    to_crs : str, int or CRS object, optional
        Reprojects a GeoTIFF.

    Returns
    -------
    ground : Dataset
        Layer "elevation" [m], float64. Scattered points are joined by triangles, linear between
        them; outside of their convex hull, and where a raster says so, it is NaN.

    Warns
    -----
    GossanWarning
        If heights such as -9999 mean "missing" and are left empty, several points lie in one place
        (their mean is taken), or a raster has more layers.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file cannot be read, the coordinates are degrees or no numbers, there are fewer than
        three points or all on one line, or a file of several surfaces is not told which.

    Examples
    --------
    >>> from gossan.data.grids.masking import grid_mask
    >>> blocks = make_grid((0, 20, 0, 10), 10, elevations=(1_180, 1_220))
    >>> grid_mask(blocks, topography=read_ground(1_200.0)).values[:, 0, 0]
    array([ True,  True, False, False])
    """
    crs = crs_text(crs)
    if isinstance(source, Real) and not isinstance(source, bool):
        return _level(float(source), crs)
    path = Path(source)  # type: ignore[arg-type]
    ending = path.suffix.lower()
    if ending in _RASTERS:
        return _read_raster(path, crs, to_crs)
    if ending not in (*_TABLES, *MESHES):
        known = [*_RASTERS, *_TABLES, *MESHES]
        raise ValueError(
            f"A file of the ground must end in one of {', '.join(known)}, got {path.name!r}. Choose"
            f" the format by the ending.{did_you_mean(ending, known)}"
        )
    if to_crs is not None:
        raise ValueError(
            f"{path.name} cannot be reprojected, got to_crs={to_crs!r}. Reproject it in a GIS; only"
            " a GeoTIFF is reprojected as it is read."
        )
    if ending in MESHES:
        points = _corners(path, surface)
    else:
        points, _ = read_places(read_raw(path), elevation="nan")
    return _grid_points(points, spacing, crs, path.name)


def ground_of_collars(
    collars: Any, region: Sequence[float], spacing: float | Sequence[float], *, crs: Any = None
) -> xr.Dataset:
    """Sketch of the ground through the collars of drill holes, where there is no topography.

    Linear on triangles between collars, and the height of the nearest collar outside of them, so
    that it jumps at their edge. It knows neither hill nor valley between two holes: good enough to
    leave the air out of a block model near the holes, and for nothing else. Use `read_ground` where
    there is any survey.

    Parameters
    ----------
    collars : DrillHoles, DataFrame or array of shape (n_holes, 3)
        Easting, northing, elevation [m] of each collar; rows without all three are left out with a
        `GossanWarning`.
    region : (west, east, south, north)
        Of the grid [m].
    spacing : float or (northing, easting)
        Size of its cells [m].
    crs : str, int or CRS object, optional
        Projected CRS of the collars.

    Returns
    -------
    ground : Dataset
        Layer "elevation" [m], known everywhere.

    Raises
    ------
    ValueError
        If no collar has a place and an elevation, or region or spacing is no such thing.

    Examples
    --------
    >>> collars = [[0, 0, 100], [100, 0, 110], [0, 100, 100]]
    >>> ground = ground_of_collars(collars, (-40, 80, 0, 20), (20, 40))
    >>> ground["elevation"].values
    array([[100., 102., 106.]])
    """
    places = _merge(_places_of(collars), "The collar table")
    grid = make_grid(region, spacing, crs=crs)
    centres = cell_centres(grid)
    heights = _interpolate(places, centres)
    outside = np.isnan(heights)
    if outside.any():
        heights[outside] = NearestNDInterpolator(places[:, :2], places[:, 2])(centres[outside])
    return _with_elevation(grid, heights, "Elevation of the ground, sketched through collars")


def _level(height: float, crs: Any) -> xr.Dataset:
    if not abs(height) < FARTHEST:
        raise ValueError(f"The height of the ground must be finite, got {height}. Give metres.")
    half = _EVERYWHERE
    grid = make_grid((-half, half, -half, half), half, crs=crs)
    return _with_elevation(grid, np.full(grid_shape(grid), height))


def _read_raster(path: Path, crs: Any, to_crs: Any) -> xr.Dataset:
    options = {} if to_crs is None else {"to_crs": to_crs}
    grid = check_grid(read_grid(path, crs=crs, **options), n_dims=2, name=path.name)
    names = [str(name) for name in grid.data_vars]
    if not names:
        raise ValueError(f"{path.name} has no layer, got an empty grid. Give one of elevations.")
    chosen = "elevation" if "elevation" in names else names[0]
    if len(names) > 1:
        warnings.warn(
            f"{path.name} has {len(names)} layers, {list_words(names)}; {chosen!r} is taken for the"
            " ground. Leave only that if it is another.",
            GossanWarning,
            stacklevel=3,
        )
    heights = _without_codes(grid[chosen].to_numpy().astype(float), path.name)
    return _with_elevation(grid.drop_vars(names), heights)


def _with_elevation(
    grid: xr.Dataset, heights: ArrayLike, title: str = "Elevation of the ground"
) -> xr.Dataset:
    return add_layer(grid, "elevation", heights, units="m", long_name=title)


def _without_codes(heights: Floats, source: str) -> Floats:
    """Return heights in which numbers that mean "missing" are NaN; tell how many."""
    with np.errstate(invalid="ignore"):
        is_code = np.isin(heights, _MISSING) | (np.abs(heights) > _HIGHEST)
    if is_code.any():
        warnings.warn(
            f"{source}: {int(is_code.sum())} of {heights.size} heights are no heights but mean"
            f' "missing", such as {heights[is_code].flat[0]:g}; they are left empty.',
            GossanWarning,
            stacklevel=4,
        )
    heights = np.where(is_code, np.nan, heights)
    if not np.isfinite(heights).any():
        raise ValueError(f"{source} holds no height, got {heights.size} missing. Check the layer.")
    return heights


def _corners(path: Path, surface: str | None) -> Floats:
    """Return the corners of the one surface that is the ground."""
    surfaces = read_surfaces(path)
    names = [each.name for each in surfaces]
    if surface is not None and surface not in names:
        raise ValueError(
            f"{path.name} has no surface {surface!r}; it has {list_words(names)}. Choose among"
            f" these.{did_you_mean(surface, names)}"
        )
    if surface is None and len(names) > 1:
        raise ValueError(
            f"{path.name} holds {len(names)} surfaces, {list_words(names)}. Tell which is the"
            " ground: surface=..."
        )
    return surfaces[0 if surface is None else names.index(surface)].vertices


def _grid_points(points: Floats, spacing: float | None, crs: Any, source: str) -> xr.Dataset:
    """Return the grid of points: their own if they are regular, else triangles between them."""
    heights = _without_codes(points[:, 2], source)
    places = _merge(np.column_stack([points[:, :2], heights]), source)
    if np.abs(places).max() >= FARTHEST:
        raise ValueError(
            f"{source} has coordinates up to {np.abs(places).max():g} m, farther than any place."
            " Mend or delete these rows."
        )
    regular = None if spacing is not None else _regular(places, crs)
    if regular is not None:
        return regular
    area = _area(places, source)
    step = _usual_step(places, area) if spacing is None else float(spacing)
    low, high = places[:, :2].min(axis=0), places[:, :2].max(axis=0)
    if not step > 0 or np.prod((high - low) / step + 1) > _MOST_CELLS:
        raise ValueError(
            f"{source} spans {high[0] - low[0]:g} x {high[1] - low[1]:g} m, which no"
            f" {_MOST_CELLS:,} cells of {step:g} m cover. Check the coordinates, or give spacing=."
        )
    low, high = np.floor(low / step) * step, np.ceil(high / step) * step
    grid = make_grid((low[0], high[0], low[1], high[1]), step, crs=crs)
    return _with_elevation(grid, _interpolate(places, cell_centres(grid)))


def _merge(points: Floats, source: str) -> Floats:
    """Return the points with a height, one a place: the mean where there are several."""
    points = points[np.isfinite(points).all(axis=1)]
    places, at, counts = np.unique(points[:, :2], axis=0, return_inverse=True, return_counts=True)
    sums = np.bincount(at.ravel(), weights=points[:, 2], minlength=len(places))
    means = sums / counts
    off = np.abs(points[:, 2] - means[at.ravel()])
    if off.max(initial=0) > 1e-6:
        n_twice = int((counts > 1).sum())
        warnings.warn(
            f"{source}: {n_twice} places have several heights, up to {off.max():.2f} m off their"
            " mean, which is taken. Leave out what is not the ground.",
            GossanWarning,
            stacklevel=4,
        )
    return np.column_stack([places, means])


def _regular(places: Floats, crs: Any) -> xr.Dataset | None:
    """Return the grid on whose cells all points lie, None if there is none."""
    table = pd.DataFrame(places, columns=["easting", "northing", "height"])
    try:
        grid = table_to_grid(table, ["height"], missing="nan", crs=crs)
    except ValueError:
        return None
    is_filled = np.pad(np.isfinite(grid["height"].to_numpy()), 1)
    inner = is_filled[1:-1, 1:-1]
    for beside in (
        is_filled[1:-1, :-2] | is_filled[1:-1, 2:],
        is_filled[:-2, 1:-1] | is_filled[2:, 1:-1],
    ):
        if (inner & ~beside).sum() > _MOST_ALONE * inner.sum():
            return None  # scattered points in whole metres lie on a grid of 1 m, too
    return _with_elevation(grid.drop_vars("height"), grid["height"].to_numpy())


def _area(places: Floats, source: str) -> float:
    """Return the area between the points [m²]."""
    try:
        hull = ConvexHull(places[:, :2] - places[:, :2].mean(axis=0))
    except (QhullError, ValueError):
        raise ValueError(
            f"{source} spans no area: {len(places)} places, fewer than three or all on one line."
            " Give more points, or a constant height."
        ) from None
    return float(hull.volume)


def _usual_step(places: Floats, area: float) -> float:
    """Return a size of cells for scattered points [m], to two digits."""
    gaps, _ = cKDTree(places[:, :2]).query(places[:, :2], k=2)
    step = max(float(np.median(gaps[:, 1])), _FINEST * float(np.sqrt(area / len(places))))
    return float(f"{step:.2g}")


def _interpolate(places: Floats, centres: Floats) -> Floats:
    """Return heights on triangles between places, NaN outside and where there are no triangles."""
    middle = places[:, :2].mean(axis=0)  # small numbers make sound triangles
    try:
        look = LinearNDInterpolator(places[:, :2] - middle, places[:, 2])
    except (QhullError, ValueError):
        return np.full(len(centres), np.nan)
    return np.asarray(look(centres - middle), dtype=float)


def _places_of(collars: Any) -> Floats:
    """Return easting, northing and elevation of the collars that have all three."""
    table = getattr(collars, "collars", collars)
    if isinstance(table, pd.DataFrame):
        found = find_coordinates(
            list(table.columns), {}, source="The collar table", need_elevation=True
        )
        columns = [pd.to_numeric(table[name], errors="coerce") for name in found.values()]
        points = np.column_stack([c.to_numpy(dtype=float, na_value=np.nan) for c in columns])
    else:
        points = np.asarray(table, dtype=float)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(
            f"Collars must be a table or have shape (n, 3), got shape {points.shape}. Give easting,"
            " northing and elevation [m] of each."
        )
    is_known = (np.abs(points) < FARTHEST).all(axis=1)
    if not is_known.any():
        raise ValueError(
            f"No collar has a place and an elevation, got {len(points)} without. Give elevations, or"
            " a constant height to read_ground."
        )
    if not is_known.all():
        warnings.warn(
            f"{int((~is_known).sum())} of {len(points)} collars have no place or elevation and are"
            " left out of the ground.",
            GossanWarning,
            stacklevel=3,
        )
    return points[is_known]
