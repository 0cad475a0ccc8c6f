"""The map of a transfer study: every cell of the rasters scored by the method that was chosen.

Rasters matched to the evidence by name, sites and a recipe come in; a grid of layers goes out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.base import clone

from gossan._checks import GossanWarning
from gossan._machine import check_room
from gossan.data.grids.grid import add_layer, cell_centres, spacing_of
from gossan.data.grids.stacking import stack_layers
from gossan.models.few_labels import rankable_scores
from gossan.models.stability import stability_of
from gossan.prospectivity.scoring import area_rank
from gossan.studies.transfer.cells import match_names
from gossan.studies.transfer.methods import Recipe
from gossan.studies.transfer.tables import Sites
from gossan.studies.transfer.trial import Trial
from gossan.studies.transfer.unlabelled import Ground, without_known

Floats = NDArray[np.float64]
Maps = NDArray[np.float32]

MOST_CELLS = 4_000_000  # of rasters; larger ones are for `gossan score`, which reads them in tiles
MADE = ("score", "percentile", "spread", "stability", "is_supported")  # layers of a map
BYTES_A_VALUE = 100.0  # of memory that a run takes for each cell and layer
CHUNK = 200_000  # rows scored at once
BEST = 0.1  # share of the area whose stability is told


@dataclass(frozen=True, eq=False)
class Layers:
    """Rasters of the evidence on one grid.

    Attributes
    ----------
    grid : Dataset
        One variable a column of evidence, in its order and by its name.
    X : float64 array of shape (n_cells, n_features)
        Cells where all layers have data.
    cells : int64 array of shape (n_cells,)
        Flat numbers of these.
    files : str
        For messages.
    """

    grid: xr.Dataset
    X: Floats
    cells: NDArray[np.int64]
    files: str

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.grid.sizes["northing"], self.grid.sizes["easting"]

    @property
    def coords(self) -> Floats:
        """Centres of the cells with data [m]."""
        return cell_centres(self.grid)[self.cells]

    @property
    def area(self) -> float:
        """Area with data [km2]."""
        return float(len(self.cells) * np.prod(spacing_of(self.grid)) / 1e6)


def read_grid_of(
    files: Sequence[str],
    folder: Path,
    *,
    resample: str = "refuse",
    nodata: float | None = None,
    key: str = "[map]",
) -> xr.Dataset:
    """Stack rasters on one grid.

    Parameters
    ----------
    files : sequence of str
        Names, or patterns such as "*.tif".
    folder : Path
    resample : {"refuse", "nearest", "linear", "mean"}
    nodata : float, optional
    key : str
        Section, for messages.

    Returns
    -------
    grid : Dataset

    Raises
    ------
    ValueError, FileNotFoundError
        If a file is not there, grids differ, or there are too many cells.
    """
    grid = stack_layers(_paths(files, folder, key), resample=resample, nodata=nodata)
    n = int(np.prod([grid.sizes[axis] for axis in ("northing", "easting")]))
    if n > MOST_CELLS:
        raise ValueError(
            f"{key} rasters have {n:,} cells, and {MOST_CELLS:,} are the most that are held at once."
            " Run the study without them, and score them with gossan score."
        )
    check_room(
        BYTES_A_VALUE * n * len(grid.data_vars),
        "Run the study without [map], and score the rasters by tiles: gossan score.",
    )
    return grid


def layers_of(grid: xr.Dataset, names: Sequence[str], *, source: str) -> Layers:
    """The layers of the evidence, matched by name.

    Parameters
    ----------
    grid : Dataset
    names : sequence of str
        Of the evidence.
    source : str

    Returns
    -------
    layers : Layers

    Raises
    ------
    ValueError
        If a layer is missing, or no cell has all of them.
    """
    there = [str(name) for name in grid.data_vars if name != "valid"]
    found = match_names(names, _short(there), source=source, bad={}, what="layer")
    of_short = dict(zip(_short(there), there, strict=True))
    old = [of_short[name] for name in found]
    own = grid[old].rename(dict(zip(old, names, strict=True)))
    table = np.stack([own[name].to_numpy().astype(float).ravel() for name in names], axis=1)
    cells = np.flatnonzero(np.isfinite(table).all(axis=1))
    if not len(cells):
        raise ValueError(
            f"{source}: no cell has all of {', '.join(names)}. Check that the rasters cover the same"
            " ground, and nodata."
        )
    return Layers(own, table[cells], cells, source)


def draw_ground(layers: Layers, sites: Sites, n: int, random_state: int) -> Ground:
    """Unlabelled rows of the rasters, drawn at random.

    Parameters
    ----------
    layers : Layers
    sites : Sites
    n : int
    random_state : int

    Returns
    -------
    ground : Ground
    """
    rng = np.random.default_rng(random_state)
    some = np.sort(rng.choice(len(layers.cells), size=min(n, len(layers.cells)), replace=False))
    told = (
        f"{len(some):,} background rows were drawn from {len(layers.cells):,} cells of the rasters."
    )
    return without_known(Ground(layers.X[some], layers.coords[some], layers.files, [told]), sites)


@dataclass(frozen=True, eq=False)
class Mapped:
    """The chosen method learned from all sites, and its map.

    Attributes
    ----------
    model : classifier
        Fitted.
    grid : Dataset
        "score", "percentile" [%], "spread" (standard deviation of the score over models that each
        leave a fold of blocks out), "stability" (share of them that put the cell into their
        best tenth), "is_supported", and the evidence.
    """

    model: Any
    grid: xr.Dataset


def make_map(trial: Trial, recipe: Recipe, layers: Layers, *, random_state: int) -> Mapped:
    """Let a method learn from all sites and score every cell.

    Parameters
    ----------
    trial : Trial
    recipe : Recipe
    layers : Layers
    random_state : int

    Returns
    -------
    mapped : Mapped
    """
    turn = trial.as_components if recipe.reads == "components" else _as_is
    rows = np.arange(len(trial.sites.y))
    model = fit_on(trial, recipe, rows, random_state)
    score = _flat(layers, scores_of(model, layers.X, turn))
    others = [
        _flat(layers, scores_of(fit_on(trial, recipe, train, random_state), layers.X, turn))
        for train, _ in trial.partitions("blocks")[0]
    ]
    made = {
        "score": score,
        "percentile": area_rank(score),
        "spread": np.std(others, axis=0).astype(np.float32),
        "stability": stability_of(others, share=BEST),
        "is_supported": np.isfinite(score).astype(np.float32),
    }
    return Mapped(model, with_layers(layers, made))


def with_layers(layers: Layers, made: Mapping[str, Maps]) -> xr.Dataset:
    """Grid of the layers of a map, and below them the evidence.

    Parameters
    ----------
    layers : Layers
    made : mapping of str to array
        Those of `MADE`.

    Returns
    -------
    grid : Dataset
    """
    grid = layers.grid.drop_vars(list(layers.grid.data_vars))
    for name in MADE:
        grid = add_layer(grid, name, made[name])
    grid["percentile"].attrs["units"] = "%"
    return grid.assign({str(k): v for k, v in layers.grid.data_vars.items()})


def fit_on(trial: Trial, recipe: Recipe, rows: NDArray[np.int64], random_state: int) -> Any:
    """Return the method's classifier, fitted to some of the sites.

    Parameters
    ----------
    trial : Trial
    recipe : Recipe
    rows : int64 array
    random_state : int

    Returns
    -------
    model : classifier
    """
    X, _ = trial.rows(recipe.reads)
    model = clone(recipe.estimator)
    if "random_state" in model.get_params():
        model.set_params(random_state=random_state)
    told: Mapping[str, Any] = recipe.fit_with
    more = {key: each[rows] if key == "groups" else each for key, each in told.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        return model.fit(X[rows], trial.sites.y[rows], **more)


def scores_of(model: Any, X: Floats, turn: Callable[[Floats], Floats]) -> NDArray[np.float32]:
    """Score of each row, some rows at a time."""
    parts = [
        rankable_scores(model, turn(X[first : first + CHUNK])) for first in range(0, len(X), CHUNK)
    ]
    return np.concatenate(parts).astype(np.float32)


def _as_is(X: Floats) -> Floats:
    return X


def _flat(layers: Layers, values: NDArray[np.float32]) -> Maps:
    out = np.full(int(np.prod(layers.shape)), np.nan, dtype=np.float32)
    out[layers.cells] = values
    return out.reshape(layers.shape)


def _short(names: Sequence[str]) -> list[str]:
    """Return names without what all of them begin with up to a mark, such as "Yukon_"."""
    head = names[0].rpartition("_")[0] + "_" if len(names) > 2 else "_"
    return (
        [name.removeprefix(head) for name in names]
        if all(name.startswith(head) and len(name) > len(head) for name in names)
        else list(names)
    )


def _paths(patterns: Sequence[str], folder: Path, key: str) -> list[Path]:
    found: list[Path] = []
    for pattern in patterns:
        own = [Path(pattern)] if Path(pattern).is_absolute() else sorted(folder.glob(pattern))
        if not own:
            raise FileNotFoundError(
                f"No file is called {pattern} in {folder.resolve()}. Mend rasters under {key}."
            )
        found += [path for path in own if path not in found]
    return found
