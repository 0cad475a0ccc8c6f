"""All protocols of a deposit study run: folds dealt, scored in several processes, kept, and judged.

A campaign and what the study file asks for come in; `Trust` goes out. A fold that an earlier run
finished is not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import joblib
import numpy as np
import pandas as pd
import xarray as xr

from gossan.cluster import run_jobs
from gossan.data.grids.grid import axes_of, spacing_of
from gossan.report._writing import count_of
from gossan.studies.deposit.findings import Trust
from gossan.studies.deposit.indicators import ore_variogram, reach_of
from gossan.studies.deposit.judging import (
    advise,
    compare_to_baselines,
    fold_table,
    null_table,
    score_table,
    success_rates,
)
from gossan.studies.deposit.methods import BASELINES, RECOMMENDED, SIDE
from gossan.studies.deposit.protocols import (
    Drilled,
    Fold,
    block_folds,
    depth_folds,
    hole_folds,
    paper_folds,
)
from gossan.studies.deposit.trust import Campaign, FoldScores, score_fold
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.telling import tell_share

FAR = "blocks"  # tests far from all that was learned from
HONEST = ("holes", "depth")  # protocols that the choice of the map's method rests on
LEAST_LEARNED = 20  # composites, of two holes, that a fold must learn from
LEAST_OF_EACH = 2  # cells of ore, and of barren rock, that every method can learn from


def deal_folds(
    campaign: Campaign,
    protocols: Sequence[str],
    *,
    n_splits: int = 5,
    block_size: float = 0.0,
    random_state: int = 0,
) -> tuple[dict[str, list[Fold]], list[str]]:
    """Folds of each protocol that can be run.

    Parameters
    ----------
    campaign : Campaign
    protocols : sequence of str
    n_splits : int
        Folds of holes and of blocks; fewer where there are fewer holes with ore.
    block_size : float
        [m]; 0 takes the range of the variogram.
    random_state : int

    Returns
    -------
    folds : dict of protocol to list of Fold
    notes : list of str
        Protocols that could not be run, and why.
    """
    drilled = campaign.drilled()
    is_rich = drilled.grades >= drilled.cutoff
    rich_holes = len(np.unique(drilled.holes[is_rich]))
    n_splits = max(2, min(n_splits, rich_holes))
    folds: dict[str, list[Fold]] = {}
    notes: list[str] = []
    for protocol in protocols:
        try:
            if protocol == "paper":
                made = paper_folds(drilled, random_state=random_state)
            elif protocol == "holes":
                made = hole_folds(drilled, n_splits=n_splits)
            elif protocol == "blocks":
                size, zone = _block_sizes(campaign, block_size)
                made = block_folds(
                    drilled, size=size, dead_zone=zone, n_splits=n_splits, random_state=random_state
                )
            else:
                made = depth_folds(drilled, dead_zone=2.0 * campaign.reach)
        except ValueError as error:
            notes.append(f"The protocol {protocol!r} could not be run: {error}")
            continue
        kept = [fold for fold in made if len(fold.test) and _can_learn(drilled, fold)]
        if kept:
            folds[protocol] = kept
            if len(kept) < len(made):
                notes.append(
                    f"{protocol}: {len(made) - len(kept)} of {len(made)} folds have no ore to find,"
                    " or none to learn from, and are not scored."
                )
        else:
            notes.append(
                f"The protocol {protocol!r} could not be run: no fold has ore on both sides."
            )
    return folds, notes


def validate(
    campaign: Campaign,
    folds: Mapping[str, Sequence[Fold]],
    *,
    names: Sequence[str],
    choose: str,
    seeds: Sequence[int],
    most_cells: int,
    n_nulls: int,
    n_jobs: int,
    folder: RunFolder | None = None,
    notes: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Trust:
    """Score all folds, and judge.

    Parameters
    ----------
    campaign : Campaign
    folds : mapping of protocol to folds
    names : sequence of str
        Methods.
    choose : str
        Method to make the map; "" takes the recommended one, or a baseline that beats it.
    seeds : sequence of int
    most_cells : int
        Barren cells that train.
    n_nulls : int
        Null tests.
    n_jobs : int
        Processes.
    folder : RunFolder, optional
        Where finished folds are kept.
    notes : sequence of str
        Handed on.
    progress : callable

    Returns
    -------
    trust : Trust
    """
    told = score_folds(
        campaign, folds, names=names, seeds=seeds, most_cells=most_cells, n_jobs=n_jobs,
        folder=folder, progress=progress,
    )  # fmt: skip
    is_rich = (campaign.composites[campaign.settings.ore] >= campaign.cutoff).to_numpy()
    holes = campaign.composites["hole"].to_numpy(dtype=str)
    compared = {
        protocol: compare_to_baselines(protocol, found)
        for protocol, found in told.items()
        if protocol in HONEST
    }
    chosen, advice = _choice(choose, compared)
    advice += _caution(chosen, told)
    tried = [name for name in dict.fromkeys((chosen, *BASELINES)) if name in names]
    progress("judging")

    def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
        kept = [table for table in tables if len(table)]
        return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()

    return Trust(
        joined([score_table(protocol, found) for protocol, found in told.items()]),
        joined([compare_to_baselines(protocol, found) for protocol, found in told.items()]),
        joined([fold_table(protocol, found) for protocol, found in told.items()]),
        joined([success_rates(protocol, found) for protocol, found in told.items()]),
        joined(
            [
                null_table(protocol, found, is_rich, holes, names=tried, n_nulls=n_nulls)
                for protocol, found in told.items()
                if protocol in HONEST
            ]
        ),
        chosen,
        advice,
        list(notes),
    )


def score_folds(
    campaign: Campaign,
    folds: Mapping[str, Sequence[Fold]],
    *,
    names: Sequence[str],
    seeds: Sequence[int],
    most_cells: int,
    n_jobs: int = 1,
    folder: RunFolder | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, list[FoldScores]]:
    """Scores of the test cells of all folds, several folds at a time.

    Parameters
    ----------
    campaign, folds, names, seeds, most_cells, n_jobs, folder, progress
        As of `validate`.

    Returns
    -------
    told : dict of protocol to list of FoldScores
    """
    jobs = [
        (protocol, number, fold)
        for protocol, some in folds.items()
        for number, fold in enumerate(some)
    ]
    settings = {"names": list(names), "seeds": list(seeds), "most_cells": most_cells}
    if folder:
        folder.plan([*(f"{protocol}_{number}" for protocol, number, _ in jobs), "map"])
    found: dict[tuple[str, int], FoldScores] = {}
    keys = {}
    for protocol, number, fold in jobs:
        keys[protocol, number] = _key(campaign, fold, protocol, settings)
        kept = folder.kept(f"{protocol}_{number}", keys[protocol, number]) if folder else None
        if kept:
            found[protocol, number] = FoldScores(**kept)
    left = [job for job in jobs if job[:2] not in found]
    if left and folder and folder.only_kept:
        folder.refuse("{}_{}".format(*left[0][:2]))
    if left:
        progress(f"{count_of(len(left), 'fold')} to score, everything fitted again in each")
    work = run_jobs(
        _score, [job[:2] for job in left], shared=(campaign, settings),
        load=lambda job: (job[0], folds[job[0]][job[1]]), n_jobs=n_jobs,
    )  # fmt: skip
    for done, (place, scores) in enumerate(work, start=1):
        protocol, number, _ = left[place]
        found[protocol, number] = scores
        if folder:
            folder.keep(f"{protocol}_{number}", keys[protocol, number], scores.arrays())
        tell_share(progress, done, len(left))
    return {
        protocol: [found[protocol, number] for number in range(len(some))]
        for protocol, some in folds.items()
    }


def fingerprint_grid(grid: xr.Dataset) -> str:
    """Short hash of the axes and layers of a grid: rock, and the distance to faults.

    Parameters
    ----------
    grid : Dataset

    Returns
    -------
    hash : str
    """
    axes = {str(axis): grid[axis].to_numpy().tolist() for axis in axes_of(grid)}
    layers = {str(name): layer.to_numpy().ravel() for name, layer in grid.items()}
    return fingerprint({**axes, "layers": fingerprint(pd.DataFrame(layers))})


def _score(campaign: Campaign, settings: Mapping[str, Any], job: tuple[str, Fold]) -> FoldScores:
    protocol, fold = job
    return score_fold(campaign, fold, protocol=protocol, **settings)


def _key(
    campaign: Campaign, fold: Fold, protocol: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    parts = {"train": fold.train, "test": fold.test, "labels": fold.labels}
    return {
        "protocol": protocol,
        "composites": fingerprint(campaign.composites),
        "grid": fingerprint_grid(campaign.grid),
        "fold": {name: joblib.hash(part) for name, part in parts.items()},
        "hidden": joblib.hash(fold.composites),
        "settings": str(campaign.settings),
        **settings,
    }


def _choice(choose: str, compared: Mapping[str, pd.DataFrame]) -> tuple[str, str]:
    if choose:
        return choose, f"{choose!r} makes the map, as the study file asks."
    if not any(len(table) for table in compared.values()):
        return RECOMMENDED, f"{RECOMMENDED!r} makes the map; nothing was held out to try it on."
    return advise(compared, RECOMMENDED)


def _caution(chosen: str, told: Mapping[str, Sequence[FoldScores]]) -> str:
    """Return a sentence where a baseline beats the chosen method far from all that it learned from."""
    if not told.get(FAR):
        return ""
    table = compare_to_baselines(FAR, told[FAR])
    row = table[(table["method"] == chosen) & (table["high"] < 0)] if len(table) else table
    if not len(row):
        return ""
    best = row.iloc[0]
    return (
        f" With whole blocks of ground held out, {best['best_baseline']!r} ranks better by"
        f" {-best['difference']:.3f} of AUC: in new ground, look at it first."
    )


def _can_learn(drilled: Drilled, fold: Fold) -> bool:
    labels, kept = fold.labels[fold.train], fold.composites
    is_enough = kept.sum() >= LEAST_LEARNED and len(np.unique(drilled.holes[kept])) > 1
    counts = [(labels == 1).sum(), (labels == 0).sum()]
    return bool(is_enough and min(counts) >= LEAST_OF_EACH)


def _block_sizes(campaign: Campaign, size: float) -> tuple[float, float]:
    """Return the edge of blocks and their dead zone [m]: the range of the variogram, and a patch."""
    coords = campaign.composites[["easting", "northing"]].to_numpy(dtype=float)
    extent = float(np.ptp(coords, axis=0).max())
    cell = spacing_of(campaign.grid)[-1]
    reach = reach_of(ore_variogram(campaign.composites, campaign.settings.ore).model)
    return size or max(min(reach, extent / 4.0), 2.0 * SIDE * cell), min(reach, extent / 8.0) + (
        SIDE // 2
    ) * cell
