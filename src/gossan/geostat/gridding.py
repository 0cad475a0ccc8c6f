"""From scattered samples of many elements to one map each, on one grid.

Coordinates [m] and a table of values with gaps come in; a layer for each element goes out, with what
was merged, left out or left empty. Searches, weights and factorisations are done once for all
elements that were measured at the same samples.

Sources
-------
Shepard (1968), doi:10.1145/800186.810616 (inverse distances).
Smith & Wessel (1990), doi:10.1190/1.1442837 (minimum curvature with tension).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan._checks import GossanWarning, check_option
from gossan.cluster import run_jobs
from gossan.geostat._inverse_weights import Weighing, weighted_means
from gossan.geostat._minimum_curvature import CurvatureSolver, bend_some, make_nodes
from gossan.geostat._samples import coordinate_tolerance, twin_labels
from gossan.geostat.chunked import krige_grid
from gossan.geostat.covariance import VariogramModel
from gossan.geostat.fitting import fit_variogram
from gossan.geostat.kriging import Kriging
from gossan.geostat.variogram import ExperimentalVariogram, experimental_variogram

__all__ = ["GriddedPoints", "grid_points"]

Floats = NDArray[np.float64]

METHODS = ("idw", "kriging", "minimum_curvature")
BLOCK_CELLS = 100_000  # kriged at once: a job for a cluster
LEAST_SAMPLES = 3


@dataclass(frozen=True, eq=False)
class GriddedPoints:
    """Maps of elements, and what became of the samples on the way.

    Attributes
    ----------
    grid : Dataset
        Dims (northing, easting), in the order of the grid given; a float32 layer for each element
        and, from kriging, its standard deviation as "NAME_std". NaN where nothing is estimated.
    rule : str
        How the maps were made, in words.
    n_samples : int
        Rows with coordinates and at least one value.
    n_places : int
        Different places among them; samples at one place are averaged, element by element.
    n_left_out : int
        Rows without coordinates or without any value.
    most_at_one_place : int
        Samples at the place that has most.
    elements : DataFrame
        One row an element: places where it is `known`, cells that are `empty`.
    models : dict
        From kriging: the variogram model of each element, in units of its variance.
    """

    grid: xr.Dataset
    rule: str
    n_samples: int
    n_places: int
    n_left_out: int
    most_at_one_place: int
    elements: pd.DataFrame
    models: dict[str, VariogramModel]

    def __str__(self) -> str:
        merged = self.n_samples - self.n_places
        first = (
            f"{len(self.elements)} elements of {self.n_samples:,} samples on"
            f" {self.grid.sizes['northing']} x {self.grid.sizes['easting']} cells. {self.rule}"
        )
        lines = [first]
        if merged:
            lines.append(
                f"{self.n_samples:,} samples lie at {self.n_places:,} places, up to"
                f" {self.most_at_one_place} at one; each place is the mean of its samples."
            )
        if self.n_left_out:
            lines.append(f"{self.n_left_out:,} rows without coordinates or values are left out.")
        sparse = self.elements[self.elements["known"] < 0.5 * self.n_places]
        if len(sparse):
            told = ", ".join(f"{name} {known:,}" for name, known in sparse["known"].items())
            lines.append(f"Known at less than half of the places: {told}.")
        return "\n".join(lines)


def grid_points(
    coords: ArrayLike,
    values: ArrayLike | pd.DataFrame,
    *,
    grid: xr.Dataset,
    names: Sequence[str] | None = None,
    method: str = "idw",
    power: float = 2.0,
    n_neighbours: int = 16,
    min_neighbours: int = 1,
    max_distance: float | None = None,
    model: VariogramModel | Sequence[VariogramModel] | None = None,
    tension: float = 0.25,
    step: float | None = None,
    n_jobs: int | None = None,
) -> GriddedPoints:
    """Maps of many elements from samples at scattered places.

    Give logarithms or scores rather than raw concentrations: one high value spoils the mean, the
    variogram and the bending alike. Every method reaches beyond the samples; `support_mask` tells
    which cells are more than extrapolation.

    Parameters
    ----------
    coords : array of shape (n, 2)
        Easting, northing [m], projected.
    values : array or DataFrame of shape (n, n_elements)
        NaN where an element was not measured. A gap in one element changes no other.
    grid : Dataset
        With dims (northing, easting) and coordinates at the centres of the cells [m], such as
        `make_grid` gives; rows from south to north stay so. `attrs` may turn it by "rotation"
        [degrees] about "origin". Its layers are not taken over.
    names : sequence of str, optional
        Names of the layers. Default: the columns of a DataFrame, else "element_0"...
    method : {"idw", "kriging", "minimum_curvature"}, default "idw"
        "idw": inverse distances, quick and within the range of the samples. "kriging": ordinary,
        with a standard deviation; each set of elements known at the same samples costs some seconds
        a million cells. "minimum_curvature": the smoothest surface through the samples, which may
        overshoot them and is not defined by neighbours.
    power : float, default 2
        Of the distance, for "idw".
    n_neighbours : int, default 16
        Nearest samples that know the element, for "idw" and "kriging".
    min_neighbours : int, default 1
        With fewer, a cell is NaN ("idw", "kriging").
    max_distance : float, optional
        Samples farther away are not used [m] ("idw", "kriging").
    model : VariogramModel or sequence of them, optional
        For "kriging": one for all elements, or one each, of values divided by their standard
        deviation. Default: one for all, fitted to the mean of their variograms, so that one system
        serves all; elements that vary at other scales deserve their own.
    tension : float, default 0.25
        For "minimum_curvature": 0 bends least and overshoots most, 1 is a stretched membrane.
    step : float, optional
        For "minimum_curvature": distance of the nodes [m]. Default a third of the samples' spacing;
        larger where there would be too many nodes. Samples nearer than that are averaged by it.
    n_jobs : int, optional
        Threads; -1 takes all. None: one.

    Returns
    -------
    gridded : GriddedPoints

    Raises
    ------
    ValueError
        If shapes differ, the grid is not 2D, an element has fewer than three known places, or a
        setting is out of range.

    Examples
    --------
    >>> grid = xr.Dataset(coords={"northing": [5.0, 15.0], "easting": [5.0, 15.0, 25.0]})
    >>> coords = [[5.0, 5.0], [25.0, 5.0], [5.0, 15.0], [25.0, 15.0]]
    >>> gridded = grid_points(coords, [[1.0], [3.0], [1.0], [3.0]], grid=grid, names=["Cu"])
    >>> gridded.grid["Cu"].values
    array([[1., 2., 3.],
           [1., 2., 3.]], dtype=float32)
    """
    check_option("method", method, METHODS)
    how = _Settings(
        power, n_neighbours, min_neighbours, max_distance, model, tension, step,
        int(joblib.effective_n_jobs(n_jobs)),
    )  # fmt: skip
    how.check()
    axes, (points, table, labels) = axes_of_map(grid), _read(coords, values, names)
    known_rows = np.isfinite(points).all(axis=1) & ~np.isnan(table).all(axis=1)
    places, means, counts = _merge(points[known_rows], table[known_rows])
    _check_known(means, labels)
    job = _Job(places, means, labels, grid, axes, how)
    layers, rule, models = {"idw": _idw, "kriging": _krige, "minimum_curvature": _bend}[method](job)
    return GriddedPoints(
        _dataset(grid, layers),
        rule,
        int(known_rows.sum()),
        len(places),
        int((~known_rows).sum()),
        int(counts.max()),
        pd.DataFrame(
            {
                "known": (~np.isnan(means)).sum(axis=0),
                "empty": [int(np.isnan(layers[name]).sum()) for name in labels],
            },
            index=pd.Index(labels, name="element"),
        ),
        models,
    )


@dataclass(frozen=True)
class _Settings:
    power: float
    n_neighbours: int
    min_neighbours: int
    max_distance: float | None
    model: Any
    tension: float
    step: float | None
    n_threads: int

    def check(self) -> None:
        for name in ("power", "n_neighbours", "min_neighbours", "max_distance", "step"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise ValueError(
                    f"{name} must be above zero, got {value!r}. Leave it out for its default."
                )
        if not 0 <= self.tension <= 1:
            raise ValueError(
                f"tension must lie between 0 and 1, got {self.tension!r}. 0.25 suits most maps."
            )


@dataclass(frozen=True)
class _Job:
    places: Floats  # (n, 2) easting, northing
    values: Floats  # (n, n_elements)
    names: list[str]
    grid: xr.Dataset
    axes: tuple[Floats, Floats]  # northing, easting, along the grid's own axes
    how: _Settings


Answer = tuple[dict[str, NDArray[np.float32]], str, dict[str, VariogramModel]]


def _idw(job: _Job) -> Answer:
    how, shape = job.how, tuple(len(axis) for axis in job.axes)
    reach = np.inf if how.max_distance is None else float(how.max_distance)
    weighing = Weighing(
        float(how.power), int(how.n_neighbours), int(how.min_neighbours), reach, how.n_threads
    )
    own = along_axes(job.grid, job.places)
    centre = own.mean(axis=0)  # keeps digits where coordinates are huge
    north, east = np.meshgrid(*job.axes, indexing="ij")
    targets = np.column_stack([east.ravel(), north.ravel()]) - centre
    maps = weighted_means(own - centre, job.values, targets, weighing)
    rule = (
        f"Inverse distances to the power {how.power:g}, {how.n_neighbours} nearest known samples"
        f"{'' if how.max_distance is None else f' within {how.max_distance:g} m'}."
    )
    return {name: each.reshape(shape) for name, each in zip(job.names, maps, strict=True)}, rule, {}


def _krige(job: _Job) -> Answer:
    how = job.how
    centre, spread = np.nanmean(job.values, axis=0), np.nanstd(job.values, axis=0)
    if not (spread > 0).all():
        flat = job.names[int(np.argmin(spread))]
        raise ValueError(
            f"{flat} has one value throughout and cannot be kriged. Leave it out, or grid it with"
            " method='idw'."
        )
    scores = (job.values - centre) / spread
    model = _shared_model(job.places, scores) if how.model is None else how.model
    kriging = Kriging(
        model,
        n_neighbours=int(how.n_neighbours),
        min_neighbours=int(how.min_neighbours),
        max_distance=how.max_distance,
        n_jobs=how.n_threads,
    ).fit(job.places, scores)
    empty = job.grid.drop_vars(list(job.grid.data_vars))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)  # empty cells are told in the record
        kriged = krige_grid(
            kriging, empty, names=job.names, return_std=True, block_cells=BLOCK_CELLS
        )
    layers = {}
    for name, middle, scale in zip(job.names, centre, spread, strict=True):
        layers[name] = (kriged[name].to_numpy() * scale + middle).astype(np.float32)
    for name, scale in zip(job.names, spread, strict=True):
        layers[f"{name}_std"] = (kriged[f"{name}_std"].to_numpy() * scale).astype(np.float32)
    shared = "one variogram for all elements" if _is_one(how.model) else "a variogram each"
    rule = f"Ordinary kriging from the {how.n_neighbours} nearest known samples, {shared}."
    return layers, rule, dict(zip(job.names, kriging.models_, strict=True))


def _bend(job: _Job) -> Answer:
    how = job.how
    own = along_axes(job.grid, job.places)
    spacing = _spacing(own)
    nodes = make_nodes(own, job.axes, spacing, how.step)
    inside = np.ones(len(own), dtype=bool)
    for axis, column in ((nodes.northing, 1), (nodes.easting, 0)):
        inside &= (own[:, column] >= axis[0]) & (own[:, column] <= axis[-1])
    values, points = job.values[inside], own[inside]
    _check_known(values, job.names)
    solver = CurvatureSolver(nodes, spacing, float(how.tension))
    layers: dict[str, NDArray[np.float32]] = dict.fromkeys(job.names, np.empty(0, np.float32))
    alike = _same_gaps(values)
    for number, maps in run_jobs(bend_some, alike, shared=(solver, points, values, job.axes)):
        layers |= {job.names[column]: own for column, own in zip(alike[number], maps, strict=True)}
    rule = (
        f"Least curvature with tension {how.tension:g}, solved on {nodes.shape[0]} x"
        f" {nodes.shape[1]} nodes {nodes.step:.4g} m apart."
    )
    return layers, rule, {}


def _shared_model(places: Floats, scores: Floats) -> VariogramModel:
    """Return the model of the mean variogram of all elements, each of unit variance."""
    found = experimental_variogram(places, scores)
    pairs = found.n_pairs.sum(axis=1)
    weights = found.n_pairs / np.maximum(pairs, 1)[:, None]
    lag = np.nansum(found.lag * weights, axis=1)
    gamma = np.nansum(found.semivariance * weights, axis=1)
    there = pairs > 0
    edges = found.edges
    mean = ExperimentalVariogram(
        np.where(there, lag, (edges[1:] + edges[:-1]) / 2),
        np.where(there, gamma, np.nan),
        pairs // scores.shape[1],
        edges,
        found.direction,
        found.estimator,
        1.0,
        found.n_dims,
        found.share,
    )
    return fit_variogram(mean).model


def _is_one(model: Any) -> bool:
    return model is None or isinstance(model, VariogramModel)


def _same_gaps(values: Floats) -> list[list[int]]:
    """Return the columns that are known at the same rows, set by set."""
    known = ~np.isnan(values)
    sets: dict[bytes, list[int]] = {}
    for column in range(values.shape[1]):
        sets.setdefault(known[:, column].tobytes(), []).append(column)
    return list(sets.values())


def _spacing(points: Floats) -> float:
    """Return the median distance of a sample to its nearest [m]."""
    return float(np.median(cKDTree(points).query(points, 2)[0][:, 1]))


def _merge(points: Floats, values: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return places, the mean of each element over what is known there, and samples a place."""
    labels = None if not len(points) else twin_labels(points, coordinate_tolerance(points))
    if labels is None:
        return points, values, np.ones(max(len(points), 1), dtype=np.int64)
    counts = np.bincount(labels)
    known = ~np.isnan(values)
    sums, n_known = (np.zeros((len(counts), values.shape[1])) for _ in range(2))
    np.add.at(sums, labels, np.where(known, values, 0.0))
    np.add.at(n_known, labels, known)
    means = np.divide(sums, n_known, out=np.full_like(sums, np.nan), where=n_known > 0)
    first = np.unique(labels, return_index=True)[1]
    return points[first], means, counts


def _read(
    coords: ArrayLike, values: ArrayLike | pd.DataFrame, names: Sequence[str] | None
) -> tuple[Floats, Floats, list[str]]:
    points, table = np.asarray(coords, dtype=float), np.asarray(values, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or table.ndim != 2 or len(table) != len(points):
        raise ValueError(
            f"Samples need coords (n, 2) and values (n, n_elements), got {points.shape} and"
            f" {table.shape}. Take both from the same table; one element is values[:, None]."
        )
    if np.isinf(table).any():
        row, column = (int(i) for i in np.argwhere(np.isinf(table))[0])
        raise ValueError(
            f"Values are infinite at row {row}, column {column}. Mark them missing (NaN): the"
            " logarithm of zero, perhaps."
        )
    if names is None and isinstance(values, pd.DataFrame):
        names = [str(column) for column in values.columns]
    labels = [f"element_{i}" for i in range(table.shape[1])] if names is None else list(names)
    if len(labels) != table.shape[1] or len(set(labels)) < len(labels):
        raise ValueError(
            f"{table.shape[1]} elements need a name each, all different, got {labels[:9]}."
            " Name the columns anew."
        )
    return points, table, labels


def _check_known(values: Floats, names: list[str]) -> None:
    known = (~np.isnan(values)).sum(axis=0)
    if (known < LEAST_SAMPLES).any():
        poor = [f"{name} ({n})" for name, n in zip(names, known, strict=True) if n < LEAST_SAMPLES]
        raise ValueError(
            f"A map needs {LEAST_SAMPLES} places where the element is known near the grid, got"
            f" fewer for {', '.join(poor[:9])}. Leave these columns out."
        )


def axes_of_map(grid: xr.Dataset) -> tuple[Floats, Floats]:
    if not isinstance(grid, xr.Dataset) or set(grid.dims) != {"northing", "easting"}:
        given = tuple(grid.dims) if isinstance(grid, xr.Dataset) else type(grid).__name__
        raise ValueError(
            f"grid must be a Dataset with dims (northing, easting), got {given}. Build it with"
            " make_grid."
        )
    north, east = (
        np.asarray(grid[axis].to_numpy(), dtype=float) for axis in ("northing", "easting")
    )
    return north, east


def along_axes(grid: xr.Dataset, points: Floats) -> Floats:
    """Return the places along the grid's own axes, where its coordinates run."""
    rotation = float(grid.attrs.get("rotation", 0.0))
    if not rotation % 360:
        return points
    origin, angle = np.asarray(grid.attrs.get("origin", (0.0, 0.0)), float), np.deg2rad(rotation)
    east, north = (points - origin).T
    turned = [
        np.cos(angle) * east - np.sin(angle) * north,
        np.sin(angle) * east + np.cos(angle) * north,
    ]
    return np.column_stack(turned) + origin


def _dataset(grid: xr.Dataset, layers: dict[str, NDArray[np.float32]]) -> xr.Dataset:
    empty = grid.drop_vars(list(grid.data_vars))
    return empty.assign({name: (("northing", "easting"), each) for name, each in layers.items()})
