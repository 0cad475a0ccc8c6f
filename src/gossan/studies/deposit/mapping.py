"""The map of a deposit study: every cell of rock scored by all holes, and the targets in it.

A campaign and the method that was chosen come in; a grid with score, spread and evidence, and ranked
targets, go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import rankdata

from gossan._checks import GossanWarning
from gossan.cluster import is_on_cluster, run_jobs
from gossan.data.grids.grid import add_layer, cell_volume, grid_shape
from gossan.prospectivity.collars import suggest_collars
from gossan.prospectivity.targets import Targets, find_targets
from gossan.sampling.cells import UNKNOWN
from gossan.studies.composites import AXES
from gossan.studies.deposit.indicators import Cube, make_cube
from gossan.studies.deposit.methods import METHODS, RANDOM, SILENT
from gossan.studies.deposit.protocols import Fold
from gossan.studies.deposit.trust import Campaign, cells_of_rock, make_lessons, possible

REACH = 100.0  # m from a composite, beyond which is new ground
LEAST_CELLS = 8  # of a target, where no volume is asked for


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of all cells of rock, as ranks between 0 and 1.

    Attributes
    ----------
    chosen : float32 array of shape (n_seeds, n_rock)
        Of the method that makes the map, once a seed.
    others : dict of method to float32 array of shape (n_rock,)
    """

    chosen: NDArray[np.float32]
    others: dict[str, NDArray[np.float32]]


def score_rock(
    campaign: Campaign,
    chosen: str,
    *,
    names: Sequence[str],
    seeds: Sequence[int],
    most_cells: int,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> Scores:
    """Score every cell of rock, learning from all holes.

    Parameters
    ----------
    campaign : Campaign
    chosen : str
        Method that makes the map.
    names : sequence of str
        Methods that are asked besides, once.
    seeds : sequence of int
        Of the chosen method, if it is random.
    most_cells : int
        Barren cells that train.
    n_jobs : int
        Processes: with two, one makes the map and one asks the other methods.
    progress : callable
        Called with a line.

    Returns
    -------
    scores : Scores
    """
    own = list(seeds) if chosen in RANDOM else [seeds[0]]
    layers = ("fault_distance",) if "fault_distance" in campaign.grid else ()
    others = [
        name
        for name in possible(names, dict.fromkeys(layers, np.empty(0)))
        if name != chosen and name not in SILENT
    ]
    often = "once" if len(own) == 1 else f"with {len(own)} seeds"
    progress(f"map: {chosen}, {often}; beside it {', '.join(others) or 'nothing'}")
    runs = [*((chosen, seed) for seed in own), *((name, own[0]) for name in others)]
    # Runs of one seed share their evidence; on a cluster each may have a worker of its own.
    parts = [runs[: len(own)], runs[len(own) :]]
    if is_on_cluster():
        parts = [[run] for run in runs]
    jobs = [part for part in parts if part]
    found = dict(run_jobs(_maps, jobs, shared=(campaign, most_cells), n_jobs=min(n_jobs, 2)))
    maps = [each for number in range(len(jobs)) for each in found[number]]
    return Scores(np.stack(maps[: len(own)]), dict(zip(others, maps[len(own) :], strict=True)))


def _maps(
    campaign: Campaign, most_cells: int, runs: Sequence[tuple[str, int]]
) -> list[NDArray[np.float32]]:
    """Return ranks of all rock by each method and seed."""
    drilled = campaign.drilled()
    every = np.ones(len(drilled.coords), dtype=bool)
    labels = drilled.label(every).labels
    known = np.flatnonzero(labels != UNKNOWN)
    rock = cells_of_rock(campaign, np.arange(len(drilled.places)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lessons = make_lessons(
            campaign,
            Fold(every, known, known[:0], labels),
            seeds=sorted({seed for _, seed in runs}),
            most_cells=most_cells,
        )
        return [as_ranks(METHODS[name](lessons[seed], seed, rock)) for name, seed in runs]


def as_ranks(scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """Share of the scored cells that score lower, ties counting half; NaN stays.

    Examples
    --------
    >>> as_ranks(np.array([5.0, 1.0, np.nan, 9.0, 7.0]))
    array([0.375, 0.125,   nan, 0.875, 0.625], dtype=float32)
    """
    known = np.isfinite(scores)
    ranks = np.full(len(scores), np.nan, dtype=np.float32)
    if known.any():
        ranks[known] = (rankdata(scores[known]) - 0.5) / known.sum()
    return ranks


def make_map(
    campaign: Campaign, scores: Scores, *, reach: float = REACH
) -> tuple[xr.Dataset, Cube]:
    """Grid with the score, its spread, what it rests on and how far samples are.

    Parameters
    ----------
    campaign : Campaign
    scores : Scores
    reach : float
        Distance from the nearest composite beyond which a cell is extrapolated [m].

    Returns
    -------
    grid : Dataset
        "score" (share of the rock that scores lower, mean over seeds ranked again), "spread" (its
        standard deviation over seeds, where there are several), "ore_grade" (kriged, in the unit of
        the composites), the other indicators, "fault_distance", "sample_distance" [m] and
        "is_extrapolated"; missing above the ground.
    cube : Cube
        What it was made from.
    """
    rock = campaign.rock_cells()
    cube = make_cube(
        campaign.composites, campaign.grid, elements=campaign.elements, settings=campaign.settings,
        where="rock",
    )  # fmt: skip
    made = campaign.grid.drop_vars(list(campaign.grid.data_vars))

    def put(name: str, values: NDArray, **attributes: str) -> None:
        nonlocal made
        full = np.full(int(np.prod(grid_shape(campaign.grid))), np.nan, dtype=np.float32)
        full[rock] = values
        made = add_layer(made, name, full.reshape(grid_shape(campaign.grid)), **attributes)

    put("score", as_ranks(scores.chosen.mean(axis=0)), long_name="share of the rock scoring lower")
    if len(scores.chosen) > 1:
        put("spread", scores.chosen.std(axis=0, ddof=1), long_name="spread over seeds")
    grades = np.exp(np.asarray(cube.grid["ore_grade"], dtype=float).ravel()[rock])
    put("ore_grade", grades, long_name=f"kriged {campaign.settings.ore}, median")
    for name in cube.names:
        if name not in ("ore", "fault_buffer"):
            put(name, np.asarray(cube.grid[name], dtype=float).ravel()[rock])
    if "fault_distance" in campaign.grid:
        put("fault_distance", campaign.grid["fault_distance"].to_numpy().ravel()[rock], units="m")
    distance = sample_distance(campaign)
    put("sample_distance", distance, units="m")
    put("is_extrapolated", (distance > reach).astype(np.float32))
    return made, cube


def sample_distance(campaign: Campaign) -> NDArray[np.float64]:
    """Distance of each rock cell to the nearest composite [m]."""
    coords = campaign.composites[list(AXES)].to_numpy(dtype=float)
    return np.asarray(cKDTree(coords).query(campaign.drilled().places, workers=-1)[0])


def rank_targets(
    campaign: Campaign,
    grid: xr.Dataset,
    scores: Scores,
    *,
    medium: float = 0.99,
    high: float = 0.998,
    new_ground: float = 0.98,
    reach: float = REACH,
    least: float = 0.0,
    rank_by: str = "sum",
) -> Targets:
    """Targets of a map, ranked, each with spread, agreement of methods and why.

    Rock near samples outranks all rock far from them, as any model is surer there: targets of one
    list would all lie in drilled ore. So there are two lists, each of the best rock of its kind: an
    "extension" lies near samples, "new ground" does not. They take turns in the ranking.

    Parameters
    ----------
    campaign : Campaign
    grid : Dataset
        Of `make_map`.
    scores : Scores
    medium, high : float
        Ranks among the rock of one kind that make a target; `medium` that of extensions.
    new_ground : float
        The same as `medium`, of new ground.
    reach : float
        Distance from the nearest composite where new ground begins [m].
    least : float
        Least volume [m³]; 0 takes eight cells.
    rank_by : str
        See `gossan.prospectivity.find_targets`.

    Returns
    -------
    targets : Targets
        Its table has a column `kind`; its grid is `grid` with the layer "target"; its thresholds
        are those of the extensions.
    """
    words = reason_words(campaign, grid)
    judged = grid.rename({name: word for name, (word, _) in words.items()})
    judged, others = _with_others(judged, campaign, scores)
    distance = grid["sample_distance"].to_numpy()
    found = {}
    for kind, share, inside in (
        ("extension", medium, distance <= reach),
        ("new ground", new_ground, distance > reach),
    ):
        own = judged.assign({name: judged[name].where(inside) for name in ("score", *others)})
        if np.isfinite(own["score"].to_numpy()).any():
            found[kind] = find_targets(
                own,
                shares=(1.0 - share, 1.0 - max(high, share)),
                least=least or LEAST_CELLS * cell_volume(grid),
                rank_by=rank_by,
                spread="spread" if "spread" in grid else None,
                others=others,
                reasons=dict(words.values()),
                samples=campaign.composites[list(AXES)].to_numpy(dtype=float),
                reach=reach,
            )
    return _merged(grid, found)


def _with_others(
    judged: xr.Dataset, campaign: Campaign, scores: Scores
) -> tuple[xr.Dataset, list[str]]:
    """Return the grid with a layer of ranks of each other method, and their names."""
    shape, rock = grid_shape(judged), campaign.rock_cells()
    names = []
    for name, ranks in scores.others.items():
        full = np.full(int(np.prod(shape)), np.nan, dtype=np.float32)
        full[rock] = ranks
        judged = add_layer(judged, f"by {name}", full.reshape(shape))
        names.append(f"by {name}")
    return judged, names


def _merged(grid: xr.Dataset, found: Mapping[str, Targets]) -> Targets:
    """Return the targets of both kinds as one list, in turns."""
    tables = [
        each.table.assign(kind=kind, turn=each.table["target"]) for kind, each in found.items()
    ]
    table = pd.concat([own for own in tables if len(own)] or tables[:1], ignore_index=True)
    table = table.sort_values(["turn", "kind"], kind="stable").reset_index(drop=True)
    numbers = np.zeros(grid_shape(grid), dtype=np.int32)
    for row, (kind, turn) in enumerate(zip(table["kind"], table["turn"], strict=True), start=1):
        numbers[found[kind].cells(int(turn))] = row
    table["target"] = np.arange(1, len(table) + 1)
    table.insert(1, "kind", table.pop("kind"))
    first = next(iter(found.values()))
    return Targets(
        table.drop(columns="turn"),
        add_layer(grid, "target", numbers),
        first.medium,
        first.high,
        sum(each.n_small for each in found.values()),
    )


def plan_holes(
    targets: Targets, ground: xr.Dataset, *, dip: float, most: int
) -> pd.DataFrame | None:
    """Holes through the first targets; None where there is no target."""
    if not len(targets):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        return suggest_collars(targets, ground[["elevation"]], dip=dip, most=most)


def reason_words(campaign: Campaign, grid: xr.Dataset) -> Mapping[str, tuple[str, int]]:
    """Layers that speak for a target, in a geologist's words, and which way."""
    settings = campaign.settings
    factor = "-".join(each for each in settings.factor if each in campaign.elements)
    words = {
        "ore_grade": (f"kriged {settings.ore}", 1),
        "near": ("near-ore balance", 1),
        "front_tail": ("front-tail balance", 1),
        "factor": (f"{factor} factor", 1),
        "fault_distance": ("distance to fault", -1),
    }
    return {name: word for name, word in words.items() if name in grid}
