"""How far to trust each model: scored on cells that it never saw, under each protocol, beside baselines.

A campaign (composites, faults, a grid) and folds come in; scores of every model, fold and seed go out,
everything that is fitted being fitted again without the held-out part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sklearn.metrics import average_precision_score, roc_auc_score

from gossan.data.grids.grid import cell_centres, grid_shape
from gossan.sampling.cells import ORE, draw_cells
from gossan.studies.deposit.indicators import AXES, Cube, Settings, make_cube, scaled
from gossan.studies.deposit.methods import METHODS, RANDOM, Lesson
from gossan.studies.deposit.protocols import Drilled, Fold

CAPTURES = (0.002, 0.01, 0.05)  # shares of the tested volume
MOST_CELLS = 12_000  # barren cells that train, of one fold


@dataclass(frozen=True, eq=False)
class Campaign:
    """What a deposit study works on.

    Attributes
    ----------
    composites : DataFrame
        `hole`, `easting`, `northing`, `elevation` [m] and the elements, imputed, in one unit.
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
            self.composites[AXES].to_numpy(dtype=float),
            self.composites[self.settings.ore].to_numpy(dtype=float),
            self.composites["hole"].to_numpy(dtype=str),
            self.cutoff,
            self.reach,
            self.buffer,
        )


def score_protocol(
    campaign: Campaign,
    folds: Sequence[Fold],
    *,
    protocol: str,
    names: Sequence[str] = tuple(METHODS),
    seeds: Sequence[int] = (0, 1, 2),
    most_cells: int = MOST_CELLS,
    progress: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """Scores of all models under one protocol.

    Parameters
    ----------
    campaign : Campaign
    folds : sequence of Fold
    protocol : str
        "paper" scales by all cells, as published; any other by the training cells.
    names : sequence of str
        See `METHODS`.
    seeds : sequence of int
        Of the models that are random, and of the draw of their training cells.
    most_cells : int
        Barren cells that train, drawn evenly over the holes.
    progress : callable
        Called with a line before each fold.

    Returns
    -------
    scores : DataFrame
        `protocol`, `fold`, `method`, `seed`, `n` (cells tested), `prevalence`, `auc`, `ap` (average
        precision), `f1_all_ore` (what "all is ore" would score), `capture_0.2`, `capture_1`,
        `capture_5` [% of the tested cells] and `enrichment_1`.
    """
    rows: list[dict[str, Any]] = []
    drilled = campaign.drilled()
    for number, fold in enumerate(folds):
        if not len(fold.test):
            progress(f"{protocol}, fold {number + 1}: no ore to find, not scored")
            continue
        progress(
            f"{protocol}, fold {number + 1} of {len(folds)}: kriging without the held-out part"
        )
        cube = make_cube(
            campaign.composites[fold.composites],
            campaign.grid,
            elements=campaign.elements,
            settings=campaign.settings,
        )
        for name, seed, scores in _fold_scores(
            campaign,
            drilled,
            fold,
            cube,
            protocol=protocol,
            names=names,
            seeds=seeds,
            most=most_cells,
        ):
            told = scores.ravel()[campaign.rock_cells()][fold.test]
            found = judge(fold.labels[fold.test] == ORE, told)
            rows.append(
                {"protocol": protocol, "fold": number, "method": name, "seed": seed, **found}
            )
    return pd.DataFrame(rows)


def judge(is_ore: NDArray[np.bool_], scores: NDArray[np.float64]) -> dict[str, float]:
    """Scores of one ranking of cells; a cell without a score ranks last.

    Parameters
    ----------
    is_ore : bool array of shape (n,)
    scores : array of shape (n,)

    Returns
    -------
    found : dict
        See `score_protocol`.

    Examples
    --------
    >>> found = judge(np.array([True, False, False, False]), np.array([3.0, 1.0, 2.0, np.nan]))
    >>> found["auc"], found["ap"], found["prevalence"], found["f1_all_ore"]
    (1.0, 1.0, 0.25, 0.4)
    """
    least = np.nanmin(scores, initial=0.0) - 1.0
    ranked = np.where(np.isfinite(scores), scores, least)
    share = float(is_ore.mean())
    order = np.argsort(-ranked, kind="stable")
    captures = {}
    for part in CAPTURES:
        best = order[: max(1, round(part * len(order)))]
        captures[f"capture_{100 * part:g}"] = float(is_ore[best].sum() / is_ore.sum())
    mixed = 0.0 < share < 1.0
    return {
        "n": len(is_ore),
        "prevalence": share,
        "auc": float(roc_auc_score(is_ore, ranked)) if mixed else float("nan"),
        "ap": float(average_precision_score(is_ore, ranked)),
        "f1_all_ore": 2.0 * share / (1.0 + share),
        **captures,
        "enrichment_1": captures["capture_1"] / 0.01,
    }


def _fold_scores(
    campaign: Campaign,
    drilled: Drilled,
    fold: Fold,
    cube: Cube,
    *,
    protocol: str,
    names: Sequence[str],
    seeds: Sequence[int],
    most: int,
) -> Iterator[tuple[str, int, NDArray[np.float64]]]:
    """Yield method, seed and the scores of the whole volume."""
    shape, rock = grid_shape(campaign.grid), campaign.rock_cells()
    bounds = np.zeros(int(np.prod(shape)), dtype=bool)
    bounds[rock if protocol == "paper" else rock[fold.train]] = True
    volume = scaled(cube, bounds.reshape(shape))
    layers = _layers(campaign, cube, fold)
    holes = drilled.label(fold.composites).groups
    for seed in seeds:
        (drawn,) = draw_cells(
            fold.labels[fold.train], None, most, groups=holes[fold.train], spread="even",
            random_state=seed,
        )  # fmt: skip
        rows = fold.train[drawn]
        cells = np.stack(np.unravel_index(rock[rows], shape), axis=1)
        lesson = Lesson(volume, cells, fold.labels[rows], holes[rows], layers)
        for name in names:
            is_possible = name != "distance to fault" or "fault_distance" in layers
            if is_possible and (seed == seeds[0] or name in RANDOM):
                yield name, seed, METHODS[name](lesson, seed)


def _layers(campaign: Campaign, cube: Cube, fold: Fold) -> dict[str, NDArray[np.float64]]:
    """Return what the baselines read."""
    layers = {
        name: np.asarray(cube.grid[name], dtype=float)
        for name in ("ore_grade", "fault_distance")
        if name in cube.grid
    }
    coords = campaign.composites.loc[fold.composites, AXES].to_numpy(dtype=float)
    distance, _ = cKDTree(coords).query(cell_centres(campaign.grid))
    return {**layers, "sample_distance": distance.reshape(grid_shape(campaign.grid))}
