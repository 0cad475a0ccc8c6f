"""The map of a region: scores of every supported cell, how sure they are, and what made them.

A region, its cells and the chosen method come in; a fitted model and a grid of layers go out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sklearn.base import clone

from gossan.data.grids.grid import add_layer, cell_centres
from gossan.models.stability import stability_of
from gossan.prospectivity.scoring import area_rank
from gossan.sampling.edges import MOST_EDGE
from gossan.sampling.patches import patches_at
from gossan.studies.region.tables import Region
from gossan.studies.trials import Cells, Method
from gossan.validation.patterns import moved_patterns

Maps = NDArray[np.float32]

LEAST_BACKGROUND = 30  # cells: fewer do not stand for a district
BEST = 0.1  # share of the area whose stability is told
MOST_GAINS = 2_000_000_000  # cells x channels x members beyond which only targets are explained


@dataclass(frozen=True, eq=False)
class Mapped:
    """The chosen method learned from all occurrences, and its map.

    Attributes
    ----------
    model : map estimator
        Fitted.
    layers : dict of str to float32 array of shape (northing, easting)
        "score", "percentile" (share of the supported area that scores lower [%]), "spread",
        "stability", "edge_fraction", and "label_free" where that is another method.
    gains : float32 array of shape (channels, northing, easting), optional
        What each channel adds to the logit of each cell.
    """

    model: Any
    layers: dict[str, Maps]
    gains: Maps | None


def make_cells(
    region: Region,
    *,
    field: int,
    most_cells: int,
    n_patterns: int,
    buffer: float,
    rocks: list[str],
    random_state: int,
) -> Cells:
    """Cells that are learnt from and ranked: occurrences, fake patterns, unlabelled ones at random.

    Parameters
    ----------
    region : Region
    field : int
        Cells along the side of the widest window.
    most_cells : int
        Unlabelled cells at random; all if there are fewer.
    n_patterns : int
        Fake patterns.
    buffer : float
        No background within this distance of an occurrence [m].
    rocks : list of str
        Rocks of the background; empty for all.
    random_state : int

    Returns
    -------
    cells : Cells
    """
    rng = np.random.default_rng(random_state)
    filled, edge = region.filled(field)
    usable = region.is_supported & (edge <= MOST_EDGE)
    is_known = region.occurrences.layer
    usable |= is_known & region.is_supported
    flat = np.flatnonzero(usable.ravel())
    coords = cell_centres(region.grid)[flat]
    known = np.flatnonzero(is_known.ravel()[flat])
    free = np.setdiff1d(np.arange(len(flat)), known)
    patterns = np.zeros((0, len(known)), dtype=np.int64)
    if n_patterns:
        moved = moved_patterns(coords[known], coords[free], n_patterns=n_patterns, random_state=rng)
        patterns = free[moved]
    some = rng.choice(free, size=min(most_cells, len(free)), replace=False)
    if region.barren is not None:  # too few to be met by chance
        some = np.union1d(some, np.intersect1d(free, np.flatnonzero(region.barren.ravel()[flat])))
    pool = np.unique(np.concatenate([known, patterns.ravel(), some]))
    rows, columns = np.unravel_index(flat[pool], usable.shape)
    places = np.column_stack([rows, columns])
    half = field // 2
    padded = np.pad(filled, [(0, 0), (half, half), (half, half)], mode="edge")
    windows, is_whole = patches_at(padded, places + half, field)
    pool, places = pool[is_whole], places[is_whole]
    number = np.full(len(flat), -1, dtype=np.int64)
    number[pool] = np.arange(len(pool))
    own = number[patterns]
    y = np.isin(pool, known).astype(np.int64)
    return Cells(
        windows=windows,
        y=y,
        coords=coords[pool],
        places=places,
        may_teach=_may_teach(region, places, coords[pool], y, buffer=buffer, rocks=rocks),
        patterns=own[(own >= 0).all(axis=1)] if len(own) else own,
    )


def _may_teach(
    region: Region,
    places: NDArray[np.int64],
    coords: NDArray[np.float64],
    y: NDArray[np.int64],
    *,
    buffer: float,
    rocks: list[str],
) -> NDArray[np.bool_]:
    """Return the cells that may be learnt from."""
    allowed = np.ones(len(y), dtype=bool)
    if buffer > 0:
        allowed &= cKDTree(coords[y == 1]).query(coords)[0] > buffer
    if rocks and region.rocks is not None:
        allowed &= np.isin(region.rocks[tuple(places.T)], rocks)
    if region.barren is not None:
        allowed &= region.barren[tuple(places.T)]
    n_left = int((allowed & (y == 0)).sum())
    if n_left < LEAST_BACKGROUND:
        raise ValueError(
            f"The rules of [background] leave {n_left} cells to learn from, and {LEAST_BACKGROUND} are"
            " the least. Loosen buffer, rocks or barren."
        )
    return allowed | (y == 1)


def map_region(
    region: Region,
    cells: Cells,
    method: Method,
    *,
    label_free: Method | None,
    random_state: int,
    attribution: bool,
) -> Mapped:
    """Let the chosen method learn from all occurrences and score every supported cell.

    Parameters
    ----------
    region : Region
    cells : Cells
    method : Method
        That makes the map.
    label_free : Method or None
        Whose map stands beside it.
    random_state : int
    attribution : bool
        Whether to tell what each channel adds.

    Returns
    -------
    mapped : Mapped
    """
    model = fit_all(method, cells, random_state)
    filled, edge = region.filled(model.field_)
    padding = "reflect"
    score = model.score_map(filled, edges=padding)
    outside = ~region.is_supported | (edge > MOST_EDGE) | ~np.isfinite(score)
    layers = {"score": score, "edge_fraction": edge}
    members = _member_maps(model, filled, padding)
    if members is not None:
        for each in members:
            each[outside] = np.nan
        # Over the draws, not over the trees of a forest: those are made to disagree.
        layers["spread"] = np.std(members, axis=0)
        layers["stability"] = stability_of(members, share=BEST)
    layers = {name: np.where(outside, np.nan, each) for name, each in layers.items()}
    layers["percentile"] = area_rank(layers["score"])
    if label_free is not None:
        plain = fit_all(label_free, cells, random_state)
        own = plain.score_map(region.filled(plain.field_)[0], edges=padding)
        layers["label_free"] = area_rank(np.where(outside, np.nan, own))
    gains = None
    if attribution and filled.size * len(members or [0]) <= MOST_GAINS:
        gains = np.where(outside, np.nan, model.occlusion_map(filled, edges=padding))
    return Mapped(model, {name: each.astype(np.float32) for name, each in layers.items()}, gains)


def fit_all(method: Method, cells: Cells, random_state: int) -> Any:
    """Return a model of the method that learned from every cell that may teach."""
    model = clone(method.estimator)
    if "random_state" in model.get_params():
        model.set_params(random_state=random_state)
    taught = np.flatnonzero(cells.may_teach)
    return model.fit(cells.windows[taught], cells.y[taught])


def with_layers(region: Region, mapped: Mapped) -> xr.Dataset:
    """Return the grid of a region with the layers of its map, first."""
    order = ("score", "percentile", "spread", "stability", "edge_fraction", "label_free")
    grid = region.grid.drop_vars(list(region.grid.data_vars))
    for name in order:
        if name in mapped.layers:
            grid = add_layer(grid, name, mapped.layers[name])
            if name in ("percentile", "label_free"):
                grid[name].attrs["units"] = "%"
    return grid.assign({str(name): layer for name, layer in region.grid.data_vars.items()})


def _member_maps(model: Any, filled: Maps, padding: str) -> list[Maps] | None:
    """Return the score map of each draw of the background, None for a single model."""
    members = getattr(model, "estimators_", None)
    if not members or len(members) < 2:
        return None
    return [np.array(each.score_map(filled, edges=padding), dtype=np.float32) for each in members]
