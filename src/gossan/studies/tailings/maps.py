"""The map of the tailings study: cells round the samples, estimated by the blend.

Samples and fitted methods come in; a grid with an estimate, an interval and the network's departure
from kriging for each element goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gossan._machine import check_room
from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.models.blending import blend_quantiles
from gossan.report._writing import count_of
from gossan.studies.tailings.methods import METHODS, REFERENCE
from gossan.studies.tailings.samples import Samples
from gossan.studies.tailings.trust import ScoredTraining, intervals_of
from gossan.studies.telling import tell_share

AT_ONCE = 4096  # cells
MOST_CELLS = 20_000  # near samples, of the grid that is made where no spacing is given
MOST_IN_BOX = 2_000_000  # of that grid in all
MOST_TO_HOLD = 20_000_000  # of any grid
BYTES_A_CELL = 80.0  # of any grid, for each element
MOST_LEVELS = 40
MOST_EMPTY = 20  # cells for each named place, in a grid that is drawn of them
REACH = 3.0  # cells farther from a sample than this many spacings of the samples are left empty


def grid_of(samples: Samples, *, spacing: float = 0.0, vertical_spacing: float = 0.0) -> xr.Dataset:
    """A grid round the samples, its cells half as wide as the samples, or holes, lie apart.

    Where that would be too many cells near samples they are made wider.

    Parameters
    ----------
    samples : Samples
    spacing, vertical_spacing : float
        Edges of the cells [m]; 0 chooses them.

    Returns
    -------
    grid : Dataset
        Without layers.

    Raises
    ------
    ValueError
        If the grid would have more cells than memory holds.
    """
    low, high = samples.coords.min(axis=0), samples.coords.max(axis=0)
    extent = np.maximum(high - low, 1.0)
    rise = 0.0
    if samples.n_dims == 3:
        levels = np.unique(samples.coords[:, 2])
        apart = float(np.median(np.diff(levels))) if len(levels) > 1 else 1.0
        rise = vertical_spacing or max(apart, extent[2] / MOST_LEVELS)
    half = 0.5 * sample_spacing(samples)
    edge = spacing or round_edge(_affordable(samples, half, extent, rise))
    _check_size(edge, extent, rise, samples.values.shape[1])
    low[:2], high[:2] = np.floor(low[:2] / edge) * edge, np.ceil(high[:2] / edge) * edge
    region = (low[0], high[0], low[1], high[1])
    elevations = None if samples.n_dims == 2 else (low[2] - rise / 2, high[2] + rise / 2)
    steps = edge if samples.n_dims == 2 else (rise, edge, edge)
    return make_grid(region, steps, elevations=elevations)


def sample_spacing(samples: Samples) -> float:
    """Median distance in the plane of a sample, or of the middle of a hole, to the nearest one [m].

    Parameters
    ----------
    samples : Samples

    Returns
    -------
    spacing : float
    """
    plane = pd.DataFrame(samples.coords[:, :2])
    if samples.holes is not None:
        plane = plane.groupby(samples.holes).mean()
    places = np.unique(np.round(plane.to_numpy(), 1), axis=0)
    if len(places) < 2:
        return 1.0
    return float(np.median(cKDTree(places).query(places, k=2)[0][:, 1]))


def round_edge(edge: float) -> float:
    """The next round number above: 1, 2, 2.5 or 5 times a power of ten.

    Examples
    --------
    >>> round_edge(33.6), round_edge(2.0), round_edge(0.7), round_edge(210.0)
    (50.0, 2.0, 1.0, 250.0)
    """
    power = 10.0 ** np.floor(np.log10(edge))
    steps = np.array([1.0, 2.0, 2.5, 5.0, 10.0]) * power
    return float(steps[np.searchsorted(steps, edge * (1 - 1e-9))])


def _affordable(samples: Samples, edge: float, extent: NDArray[np.float64], rise: float) -> float:
    """Return the edge, widened until few enough cells are near a sample."""
    rng = np.random.default_rng(0)
    probes = samples.coords.min(axis=0) + rng.uniform(size=(20_000, samples.n_dims)) * extent
    distance = cKDTree(samples.coords).query(probes)[0]
    share = max(float((distance <= REACH * sample_spacing(samples)).mean()), 1e-3)
    layers = np.ceil(extent[2] / rise) + 1 if samples.n_dims == 3 else 1.0
    area = extent[0] * extent[1] * layers * share
    whole = extent[0] * extent[1] * layers
    return max(edge, float(np.sqrt(area / MOST_CELLS)), float(np.sqrt(whole / MOST_IN_BOX)))


def _check_size(edge: float, extent: NDArray[np.float64], rise: float, n_elements: int) -> None:
    layers = extent[2] / rise + 1 if len(extent) == 3 else 1.0
    n = (extent[0] / edge + 2) * (extent[1] / edge + 2) * layers
    if n > MOST_TO_HOLD:
        raise ValueError(
            f"Cells of {edge:g} m{f' by {rise:g} m' if rise else ''} would be {n:.2g}, more than"
            f" {MOST_TO_HOLD:.0e}. Give a wider spacing under [grid], or krige with"
            " gossan.geostat.krige_grid, which keeps the grid on disk."
        )
    check_room(
        n * BYTES_A_CELL * n_elements,
        "Give a wider spacing under [grid], or krige with gossan.geostat.krige_grid, which keeps the"
        " grid on disk.",
    )


def estimate(
    training: ScoredTraining,
    weights: Mapping[str, float],
    *,
    held_out: NDArray[np.float64],
    places: NDArray[np.float64],
    covariates: NDArray[np.float64],
    coverage: float,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, NDArray[np.float64]]:
    """Estimate places by the methods that have a weight.

    Parameters
    ----------
    training : ScoredTraining
        All samples.
    weights : mapping of method to float
        Of the blend.
    held_out : array of shape (n, n_levels, n_elements)
        Normal-score quantiles of the samples by the blend, held out: they calibrate the intervals.
    places : array of shape (m, 2 or 3)
    covariates : array of shape (m, n_covariates)
    coverage : float
        Of the intervals.
    progress : callable
        Called with a line before each part.

    Returns
    -------
    layers : dict of array of shape (m, n_elements)
        "estimate", "low", "high" [unit of the values], and "departure", the network's estimate minus
        that of kriging, if both take part.
    """
    used = [name for name, share in weights.items() if share > 0]
    needed = list(dict.fromkeys([*used, REFERENCE]))
    fitted = {}
    progress(f"fitting {count_of(len(needed), 'method')} to all samples")
    for number, name in enumerate(needed):
        fitted[name] = METHODS[name]([training])[0]
        tell_share(progress, number + 1, len(needed))
    shares = np.array([weights[name] for name in used])
    parts = []
    progress(f"estimating {len(places):,} places")
    for start in range(0, len(places), AT_ONCE):
        tell_share(progress, start, len(places))
        some = slice(start, start + AT_ONCE)
        told = {name: each(places[some], covariates[some]) for name, each in fitted.items()}
        blend = blend_quantiles(np.stack([told[name] for name in used]), shares)
        low, high = intervals_of(blend, training, held_out, coverage=coverage)
        part = {"estimate": training.values_of(blend).mean(axis=1), "low": low, "high": high}
        if "network" in told:
            means = [training.values_of(told[name]).mean(axis=1) for name in ("network", REFERENCE)]
            part["departure"] = means[0] - means[1]
        parts.append(part)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def fill_grid(
    grid: xr.Dataset, layers: Mapping[str, NDArray], samples: Samples, is_near: NDArray[np.bool_]
) -> xr.Dataset:
    """The grid with a layer for each element and quantity; cells that are not near stay NaN."""
    endings = {"estimate": "", "low": "_low", "high": "_high", "departure": "_departure"}
    for name in layers:
        for place, element in enumerate(samples.elements):
            cells = np.full(is_near.shape, np.nan, dtype=np.float32)
            cells[is_near] = layers[name][:, place]
            unit = samples.units.get(element, "")
            grid = add_layer(grid, f"{element}{endings[name]}", cells, units=unit)
    return grid


def grid_of_places(
    places: NDArray[np.float64], layers: Mapping[str, NDArray], samples: Samples
) -> xr.Dataset | None:
    """Estimates of named places as a grid, if they are the cells of one; None if they are scattered.

    Parameters
    ----------
    places : array of shape (m, 2 or 3)
        [m]; places in 3D are not drawn.
    layers : mapping of quantity to array of shape (m, n_elements)
        As of `estimate`.
    samples : Samples

    Returns
    -------
    grid : Dataset or None
        Cells that were not named are NaN.
    """
    steps = [np.diff(np.unique(np.round(axis, 3))) for axis in places.T]
    if places.shape[1] != 2 or not all(map(len, steps)):
        return None
    edge = float(min(step.min() for step in steps))
    low, high = places.min(axis=0), places.max(axis=0)
    number = (places - low) / edge
    n_cells = float(np.prod(np.round((high - low) / edge) + 1))
    if np.abs(number - np.round(number)).max() > 0.01 or n_cells > MOST_EMPTY * len(places):
        return None
    half = 0.5 * edge
    grid = make_grid((low[0] - half, high[0] + half, low[1] - half, high[1] + half), edge)
    cells = cKDTree(cell_centres(grid)).query(places)[1]
    if len(np.unique(cells)) < len(cells):
        return None
    is_named = np.zeros(len(cell_centres(grid)), dtype=bool)
    is_named[cells] = True
    order = np.argsort(cells)
    return fill_grid(grid, {name: each[order] for name, each in layers.items()}, samples, is_named)


def cells_near(
    grid: xr.Dataset, samples: Samples, max_distance: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Centres of all cells, and which of them lie near enough to a sample to be estimated."""
    centres = cell_centres(grid)
    reach = max_distance or REACH * sample_spacing(samples)
    distance = cKDTree(samples.coords).query(centres, distance_upper_bound=reach)[0]
    is_near = np.isfinite(distance)
    if not is_near.any():
        raise ValueError(
            f"No cell lies within {reach:g} m of a sample. Give a larger max_distance, or a smaller"
            " spacing, under [grid]."
        )
    return centres, is_near


def table_of(
    places: NDArray[np.float64], layers: Mapping[str, NDArray], samples: Samples
) -> pd.DataFrame:
    """Estimates of named places as a table: coordinates, then element by element."""
    columns: dict[str, NDArray] = dict(zip(samples.axes, places.T, strict=True))
    for place, element in enumerate(samples.elements):
        for name, ending in (("estimate", ""), ("low", "_low"), ("high", "_high")):
            columns[f"{element}{ending}"] = layers[name][:, place]
    return pd.DataFrame(columns)
