"""Estimates on whole grids, block by block: in memory, into a Zarr folder, or on a Dask cluster.

A fitted estimator and a grid (an xarray Dataset with dims (northing, easting) or (elevation,
northing, easting) whose coordinates are cell centres [m]) come in; a grid of estimates goes out. No
more than a few blocks are in memory at a time, and a run that was broken off goes on where it was.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import GossanWarning, check_option, check_positive
from gossan.cluster import run_jobs
from gossan.geostat._grid_store import NOT_DONE, Layout, MemoryStore, Slices, ZarrStore

__all__ = ["krige_grid"]

logger = logging.getLogger(__name__)

AXES = ("elevation", "northing", "easting")
IRRELEVANT = ("n_jobs", "n_unestimated_")  # of an estimator, for what it estimates

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Block:
    """Some cells of the grid, light enough to be sent to a worker."""

    axes: tuple[Floats, ...]  # cell centres, in the order of the dims
    features: Floats | None  # (n_cells, n_features), after the coordinates
    inside: NDArray[np.bool_] | None  # (n_cells,), cells to estimate
    rotation: float  # of the grid, clockwise [degrees]
    origin: tuple[float, float]


@dataclass(frozen=True)
class _Task:
    """What is done to each block."""

    n_layers: int
    dtype: str
    return_std: bool


def krige_grid(
    kriging: Any,
    grid: xr.Dataset,
    *,
    names: Sequence[str] | None = None,
    return_std: bool = False,
    features: Sequence[str] = (),
    where: str | None = None,
    client: Any = None,
    out: str | Path | None = None,
    block_cells: int = 1_000_000,
    dtype: str = "float32",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Grid of estimates, however large.

    Parameters
    ----------
    kriging : fitted estimator
        Anything with `predict(X)`, X the coordinates (easting, northing[, elevation]) and then
        `features`: `Kriging`, `InverseDistance`, `RegressionKriging`, `Cokriging`...
    grid : Dataset
        Its coordinates are the cell centres [m]; `attrs` may turn it by "rotation" [degrees,
        clockwise] about "origin". Layers may be Dask arrays.
    names : sequence of str, optional
        Names of the layers, one a variable. Default "estimate", or "estimate_0", "estimate_1"...
    return_std : bool, default False
        Add the standard deviation of each as "NAME_std".
    features : sequence of str
        Layers of the grid handed to the estimator after the coordinates. A cell where one is NaN is
        not estimated, but by `Cokriging`.
    where : str, optional
        Boolean layer of the grid: False cells are left NaN, and are not counted.
    client : str or dask.distributed.Client, optional
        Address of a Dask scheduler, such as "tcp://10.0.0.5:8786". Its workers need gossan
        installed, and no shared disk: blocks are sent back and written here. None: that of
        `gossan.on_cluster`, or this machine, in as many threads as the estimator takes.
    out : path, optional
        Zarr folder to write into, block by block. If it was begun by the same call, only what is
        missing is done. None: the grid is built in memory.
    block_cells : int, default 1 000 000
        Most cells of a block; each thread or worker holds some hundred bytes a cell.
    dtype : {"float32", "float64"}
        Of the layers.
    overwrite : bool
        Replace another grid of `krige_grid` at `out`.
    progress : function of (cells done, cells in all), optional
        Called after each block. A line a block also goes to the log.

    Returns
    -------
    estimates : Dataset
        The layers; read lazily if `out` is given. A cell that is not estimated is NaN, never zero;
        `attrs["n_unestimated"]` counts them, and a `GossanWarning` says so.

    Raises
    ------
    ValueError
        If the grid has other dims, a layer is not there, names do not suit the estimator, or `out`
        is something else.
    ImportError
        If Dask or Zarr are needed and not installed.

    Examples
    --------
    >>> from gossan.geostat.idw import InverseDistance
    >>> grid = xr.Dataset(coords={"northing": [5.0, 15.0], "easting": [5.0, 15.0, 25.0]})
    >>> idw = InverseDistance().fit([[5.0, 5.0], [25.0, 5.0]], [1.0, 3.0])
    >>> krige_grid(idw, grid, names=["Cu"]).Cu.values.round(2)
    array([[1.  , 2.  , 3.  ],
           [1.33, 2.  , 2.67]], dtype=float32)
    """
    check_option("dtype", dtype, ("float32", "float64"))
    most = int(check_positive("block_cells", block_cells))
    source = _Source(grid, _axes_of(grid), tuple(features), where)
    source.check()
    layers = _layer_names(kriging, source, names, return_std=return_std)
    kept = {key: grid.attrs[key] for key in ("crs", "rotation", "origin") if key in grid.attrs}
    block = _block_shape(tuple(len(axis) for axis in source.axes.values()), most)
    layout = Layout(source.axes, block, layers, dtype, kept)
    store: MemoryStore | ZarrStore
    if out is None:
        store = MemoryStore(layout)
    else:
        store = ZarrStore(layout, out, _fingerprint(kriging, source, layout), overwrite=overwrite)
    todo = [int(number) for number in np.flatnonzero(store.n_missing == NOT_DONE)]
    results = run_jobs(
        _krige_block, todo, shared=(kriging, _Task(len(layers), dtype, return_std)),
        load=lambda number: source.block(layout.slices(number)), scheduler=client,
    )  # fmt: skip
    _write(todo, results, store, progress)
    return _finished(store)


@dataclass(frozen=True)
class _Source:
    """The grid with what is wanted of it."""

    grid: xr.Dataset
    axes: dict[str, Floats]
    features: tuple[str, ...]
    where: str | None

    @property
    def layers(self) -> tuple[str, ...]:
        """Return the names of all layers that are read."""
        return (*self.features, self.where) if self.where else self.features

    def tokens(self) -> list[tuple[str, str]]:
        """Return a digest of what each layer holds, or of where it is read from."""
        if not self.layers:
            return []
        from dask.base import tokenize

        return [(name, tokenize(self.grid[name].variable)) for name in self.layers]

    def check(self) -> None:
        """Raise unless the layers are there and lie on the axes."""
        for name in self.layers:
            check_option("Layer", name, [str(key) for key in self.grid.data_vars])
            if set(self.grid[name].dims) != set(self.axes):
                raise ValueError(
                    f"Layer {name!r} has dims {self.grid[name].dims}, the grid {tuple(self.axes)}."
                    " Give it a value for each cell."
                )

    def block(self, slices: Slices) -> _Block:
        """Return the cells of a block with their features."""
        part = dict(zip(self.axes, slices, strict=True))

        def layer(name: str) -> NDArray:
            return self.grid[name].transpose(*self.axes).isel(part).to_numpy().ravel()

        features = [np.asarray(layer(name), dtype=float) for name in self.features]
        return _Block(
            tuple(axis[each] for axis, each in zip(self.axes.values(), slices, strict=True)),
            np.column_stack(features) if features else None,
            np.asarray(layer(self.where), dtype=bool) if self.where else None,
            float(self.grid.attrs.get("rotation", 0.0)),
            tuple(self.grid.attrs.get("origin", (0.0, 0.0))),
        )


def _krige_block(kriging: Any, task: _Task, block: _Block) -> tuple[list[NDArray], int]:
    """Return the layers of a block, and how many of its cells were wanted and not estimated."""
    targets, shape = _targets(block), tuple(len(axis) for axis in block.axes)
    wanted = np.ones(len(targets), dtype=bool) if block.inside is None else block.inside
    ready = wanted
    if not getattr(kriging, "takes_missing_features", False):
        ready = wanted & ~np.isnan(targets).any(axis=1)
    columns = np.full((len(targets), task.n_layers), np.nan, dtype=task.dtype)
    if ready.any():
        columns[ready] = _predict(kriging, targets[ready], return_std=task.return_std)
    n_missing = int((np.isnan(columns).any(axis=1) & wanted).sum())
    return [column.reshape(shape) for column in columns.T], n_missing


def _predict(kriging: Any, targets: Floats, *, return_std: bool) -> Floats:
    """Return estimates, then standard deviations, side by side."""
    with warnings.catch_warnings():
        # Cells that are not estimated are told of once, for the whole grid.
        warnings.simplefilter("ignore", GossanWarning)
        answer = (
            kriging.predict(targets, return_std=True) if return_std else kriging.predict(targets)
        )
    parts = answer if return_std else (answer,)
    return np.column_stack([np.asarray(part).reshape(len(targets), -1) for part in parts])


def _targets(block: _Block) -> Floats:
    """Return the rows of a block: easting, northing[, elevation], features."""
    mesh = np.meshgrid(*block.axes, indexing="ij")
    points = np.column_stack([axis.ravel() for axis in mesh[::-1]])
    if block.rotation % 360:
        angle = np.deg2rad(block.rotation)
        east, north = (points[:, i] - block.origin[i] for i in (0, 1))
        points[:, 0] = block.origin[0] + np.cos(angle) * east + np.sin(angle) * north
        points[:, 1] = block.origin[1] - np.sin(angle) * east + np.cos(angle) * north
    return points if block.features is None else np.column_stack([points, block.features])


def _write(
    todo: Sequence[int],
    results: Iterator[tuple[int, tuple[list[NDArray], int]]],
    store: MemoryStore | ZarrStore,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Write the blocks as they come, and tell how far it is."""
    layout, start = store.layout, time.monotonic()
    sizes = np.array([layout.size(number) for number in range(layout.n_blocks)])
    before = done = int(sizes[store.n_missing != NOT_DONE].sum())
    for place, (layers, n_missing) in results:
        number = todo[place]
        store.write(number, layers, n_missing)
        done += int(sizes[number])
        spent = time.monotonic() - start
        left = spent / (done - before) * (layout.n_cells - done)
        logger.info("%d of %d cells, %.0f s, %.0f s to go", done, layout.n_cells, spent, left)
        if progress is not None:
            progress(done, layout.n_cells)


def _finished(store: MemoryStore | ZarrStore) -> xr.Dataset:
    """Return the grid; warn of cells that were not estimated."""
    n_missing = int(store.n_missing.sum())
    if n_missing:
        warnings.warn(
            f"{n_missing} of {store.layout.n_cells} cells were not estimated and are NaN: too few"
            " samples near them, or a layer without a value there.",
            GossanWarning,
            stacklevel=3,
        )
    return store.dataset(n_missing)


def _axes_of(grid: xr.Dataset) -> dict[str, Floats]:
    """Return the coordinates of each dim, in the order of a grid."""
    axes = [axis for axis in AXES if axis in grid.dims]
    if axes not in (list(AXES), list(AXES[1:])) or set(grid.dims) != set(axes):
        raise ValueError(
            f"A grid has dims (northing, easting) or (elevation, northing, easting), got"
            f" {tuple(grid.dims)}. Rename them, or build it with make_grid."
        )
    found = {}
    for axis in axes:
        if axis not in grid.coords or not len(grid[axis]):
            raise ValueError(
                f"The grid has no coordinates along {axis}. Give it the centres of its cells [m]."
            )
        found[axis] = np.asarray(grid[axis].to_numpy(), dtype=float)
        if not np.isfinite(found[axis]).all():
            raise ValueError(f"Coordinates along {axis} are not all finite. Mend the grid.")
    return found


def _layer_names(
    kriging: Any, source: _Source, names: Sequence[str] | None, *, return_std: bool
) -> tuple[str, ...]:
    """Return the names of the layers; one cell is estimated to count them."""
    first = source.block(tuple(slice(0, 1) for _ in source.axes))
    target = np.nan_to_num(_targets(first))
    n = _predict(kriging, target, return_std=False).shape[1]
    if names is None:
        names = ["estimate"] if n == 1 else [f"estimate_{i}" for i in range(n)]
    if len(names) != n or isinstance(names, str):
        raise ValueError(f"The estimator has {n} variables, got names {names!r}. Name each.")
    if not return_std:
        return tuple(names)
    n_spreads = _predict(kriging, target, return_std=True).shape[1] - n
    return (*names, *(f"{name}_std" for name in (names if n_spreads == n else ["all"])))


def _fingerprint(kriging: Any, source: _Source, layout: Layout) -> str:
    """Return a digest of all that the estimates depend on."""
    state = kriging.__getstate__()
    if isinstance(state, dict):
        state = {key: value for key, value in state.items() if key not in IRRELEVANT}
    wanted = (layout.block, layout.names, layout.dtype, layout.attrs)
    made_of = (type(kriging).__name__, state, [*source.axes.items()], wanted, source.tokens())
    return str(joblib.hash(made_of))


def _block_shape(shape: tuple[int, ...], most: int) -> tuple[int, ...]:
    """Return the shape of a block: the longest side is halved until it holds few enough cells."""
    sides = list(shape)
    while np.prod(sides) > most and max(sides) > 1:
        longest = sides.index(max(sides))
        sides[longest] = -(-sides[longest] // 2)
    return tuple(sides)
