"""Scores of cells that no model saw: each fold of each protocol, everything fitted again without them.

A campaign (composites, a grid, what is ore) and a fold come in; the scores of its test cells by every
method and seed go out. What they are worth is judged in `judging`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from gossan.data.grids.grid import add_layer, cell_centres, grid_shape
from gossan.sampling.cells import ORE, draw_cells
from gossan.studies.composites import AXES
from gossan.studies.deposit.held_out import Evidence, HeldOutRows, held_out_rows
from gossan.studies.deposit.indicators import Cube, Settings, make_cube, scaled
from gossan.studies.deposit.methods import METHODS, RANDOM, SIDE, Cells, Lesson
from gossan.studies.deposit.protocols import Drilled, Fold

MOST_CELLS = 4_000  # barren cells that train, of one fold


@dataclass(frozen=True, eq=False)
class Campaign:
    """What a deposit study works on.

    Attributes
    ----------
    composites : DataFrame
        `hole`, `easting`, `northing`, `elevation` [m] and the elements, imputed.
    elements : tuple of str
    grid : Dataset
        3D, with the layers "fault_distance" and "fault_buffer" if there are faults, and "rock",
        True below the ground.
    settings : Settings
    cutoff : float
        Least grade of ore, in the unit of the composites.
    reach, buffer : float
        Of the labels, see `gossan.sampling.label_cells` [m].
    """

    composites: pd.DataFrame
    elements: tuple[str, ...]
    grid: xr.Dataset
    settings: Settings
    cutoff: float
    reach: float = 15.0
    buffer: float = 0.0

    def rock_cells(self) -> NDArray[np.int64]:
        """Row numbers, in the order of `cell_centres`, of the cells below the ground."""
        return np.flatnonzero(self.grid["rock"].to_numpy().ravel())

    def drilled(self) -> Drilled:
        """What folds are made of."""
        return Drilled(
            cell_centres(self.grid)[self.rock_cells()],
            self.composites[list(AXES)].to_numpy(dtype=float),
            self.composites[self.settings.ore].to_numpy(dtype=float),
            self.composites["hole"].to_numpy(dtype=str),
            self.cutoff,
            self.reach,
            self.buffer,
        )


@dataclass(frozen=True, eq=False)
class FoldScores:
    """Scores of the test cells of one fold.

    Attributes
    ----------
    is_ore : bool array of shape (n_cells,)
    holes : array of shape (n_cells,)
        Hole whose composite labels each cell; where truth does, the nearest one.
    composites : int64 array of shape (n_cells,)
        Row of that composite.
    scores : float32 array of shape (n_runs, n_cells)
        Higher is more prospective, NaN where there is none.
    methods : array of shape (n_runs,)
    seeds : int64 array of shape (n_runs,)
    """

    is_ore: NDArray[np.bool_]
    holes: NDArray
    composites: NDArray[np.int64]
    scores: NDArray[np.float32]
    methods: NDArray
    seeds: NDArray[np.int64]

    def arrays(self) -> dict[str, NDArray]:
        """Return all as plain arrays, for a run folder."""
        return dict(vars(self))


def score_fold(
    campaign: Campaign,
    fold: Fold,
    *,
    protocol: str,
    names: Sequence[str] = tuple(METHODS),
    seeds: Sequence[int] = (0, 1, 2),
    most_cells: int = MOST_CELLS,
) -> FoldScores:
    """Scores of a fold's test cells by all methods, all that is fitted fitted without them.

    Parameters
    ----------
    campaign : Campaign
    fold : Fold
    protocol : str
        "paper" scales by all cells, as published; any other by the training cells.
    names : sequence of str
        See `METHODS`; "distance to fault" is left out where no faults are known.
    seeds : sequence of int
        Of the models that are random, and of the draw of their training cells.
    most_cells : int
        Barren cells that train, drawn evenly over the holes.

    Returns
    -------
    scores : FoldScores
        Empty where the fold has no ore to find.
    """
    drilled = campaign.drilled()
    told_by = np.arange(len(drilled.coords))
    if fold.held_out is not None:  # in a dead zone lie composites that tell nothing
        told_by = np.flatnonzero(fold.held_out)
    _, nearest = cKDTree(drilled.coords[told_by]).query(drilled.places[fold.test])
    nearest = told_by[nearest]
    cells = cells_of_rock(campaign, fold.test)
    runs: list[tuple[str, int, NDArray[np.float64]]] = []
    if len(cells):
        with warnings.catch_warnings():  # the report tells what the study does
            warnings.simplefilter("ignore")
            asked = np.concatenate([fold.train, fold.test])
            lessons = make_lessons(
                campaign, fold, asked=asked, is_published=protocol == "paper", seeds=seeds,
                most_cells=most_cells,
            )  # fmt: skip
            for seed, lesson in lessons.items():
                runs += [
                    (name, seed, METHODS[name](lesson, seed, cells))
                    for name in possible(names, lesson.layers)
                    if seed == seeds[0] or name in RANDOM
                ]
    return FoldScores(
        fold.labels[fold.test] == ORE,
        drilled.holes[nearest],
        nearest.astype(np.int64),
        np.array([scores for *_, scores in runs], dtype=np.float32).reshape(len(runs), len(cells)),
        np.array([name for name, *_ in runs], dtype=str),
        np.array([seed for _, seed, _ in runs], dtype=np.int64),
    )


def possible(names: Sequence[str], layers: Mapping[str, NDArray]) -> list[str]:
    """Methods that can run: without faults there is no distance to one.

    Examples
    --------
    >>> possible(["kriged ore", "distance to fault"], {"ore_grade": np.zeros(1)})
    ['kriged ore']
    """
    return [name for name in names if name != "distance to fault" or "fault_distance" in layers]


def cells_of_rock(campaign: Campaign, rows: NDArray[np.int64]) -> Cells:
    """Places along the axes of some rock cells, by their row among the rock cells."""
    shape = grid_shape(campaign.grid)
    return np.stack(np.unravel_index(campaign.rock_cells()[rows], shape), axis=1)


def make_lessons(
    campaign: Campaign,
    fold: Fold,
    *,
    asked: NDArray[np.int64] | None = None,
    is_published: bool = False,
    seeds: Sequence[int] = (0,),
    most_cells: int = MOST_CELLS,
) -> dict[int, Lesson]:
    """What models learn from in a fold: one lesson a seed, with its own draw of barren cells.

    Parameters
    ----------
    campaign : Campaign
    fold : Fold
    asked : int array, optional
        Rock cells that are needed, with the patches round them. Default: all.
    is_published : bool
        Scale by all these cells, not by the training cells.
    seeds : sequence of int
    most_cells : int

    Returns
    -------
    lessons : dict of seed to Lesson
    """
    shape, rock, drilled = grid_shape(campaign.grid), campaign.rock_cells(), campaign.drilled()
    needed = np.ones(shape, dtype=bool) if asked is None else _round(shape, rock[asked])
    composites = campaign.composites[fold.composites].reset_index(drop=True)
    cube = make_cube(
        composites,
        add_layer(campaign.grid, "needed", needed),
        elements=campaign.elements,
        settings=campaign.settings,
        where="needed",
    )
    bounds = np.zeros(int(np.prod(shape)), dtype=bool)
    bounds[rock if is_published else rock[fold.train]] = True
    volume = scaled(cube, bounds.reshape(shape))
    centres = cell_centres(campaign.grid)
    layers = _layers(cube, composites, centres, needed)
    holes = drilled.label(fold.composites).groups
    evidence = Evidence(composites, campaign.elements, campaign.settings, cube.model)
    lessons = {}
    for seed in seeds:
        (drawn,) = draw_cells(
            fold.labels[fold.train], None, most_cells, groups=holes[fold.train], spread="even",
            random_state=seed,
        )  # fmt: skip
        rows = fold.train[drawn]
        cells = np.stack(np.unravel_index(rock[rows], shape), axis=1)
        faults = layers.get("fault_distance")
        draw = _Draw(
            drilled.places[rows], fold.labels[rows], holes[rows],
            None if faults is None else faults[tuple(cells.T)],
        )  # fmt: skip
        lessons[seed] = Lesson(
            volume,
            cells,
            draw.labels,
            draw.holes,
            layers,
            lambda some: centres[np.ravel_multi_index(tuple(some.T), shape)],
            evidence,
            _when_asked(evidence, draw, seed),
        )
    return lessons


@dataclass(frozen=True, eq=False)
class _Draw:
    """Training cells of one seed."""

    places: NDArray[np.float64]
    labels: NDArray[np.int64]
    holes: NDArray
    faults: NDArray[np.float64] | None


def _when_asked(evidence: Evidence, draw: _Draw, seed: int) -> Callable[[], HeldOutRows]:
    """Return a function that makes the held-out rows when first called, and keeps them."""

    @cache
    def made() -> HeldOutRows:
        return held_out_rows(
            evidence, draw.places, draw.labels, draw.holes, draw.faults, random_state=seed
        )

    return made


def _round(shape: tuple[int, ...], cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark cells and the patches round them."""
    marked = np.zeros(shape, dtype=bool)
    marked.ravel()[cells] = True
    return np.asarray(ndimage.maximum_filter(marked, size=SIDE, mode="constant"))


def _layers(
    cube: Cube,
    composites: pd.DataFrame,
    centres: NDArray[np.float64],
    needed: NDArray[np.bool_],
) -> dict[str, NDArray[np.float64]]:
    """Return what the baselines read."""
    layers = {
        name: np.asarray(cube.grid[name], dtype=float)
        for name in ("ore_grade", "fault_distance")
        if name in cube.grid
    }
    distance = np.full(needed.shape, np.nan)
    coords = composites[list(AXES)].to_numpy(dtype=float)
    distance[needed] = cKDTree(coords).query(centres[needed.ravel()], workers=-1)[0]
    return {**layers, "sample_distance": distance}
