"""What bench/deposit.py measures on one simulated deposit: held-out scores, targets, zoning, fractals.

A plan, a seed and whether faults bind the ore come in; a `Told` of plain numbers and tables goes out.
Held-out scores and maps are kept in a folder, and taken over by the next call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan.data.grids.grid import add_layer, cell_centres, cell_volume, grid_shape
from gossan.evidence.factors import VarimaxFactors
from gossan.evidence.fractal import fractal_thresholds
from gossan.evidence.halos import zoning_sequence
from gossan.geochem.compositional import clr
from gossan.simulate.deposit import SimulatedDeposit, simulate_deposit
from gossan.studies.composites import AXES
from gossan.studies.deposit import sections
from gossan.studies.deposit.indicators import quietly
from gossan.studies.deposit.judging import compare_to_baselines, score_table
from gossan.studies.deposit.mapping import (
    Scores,
    as_ranks,
    make_map,
    rank_targets,
    sample_distance,
    score_rock,
)
from gossan.studies.deposit.methods import BASELINES, RECOMMENDED
from gossan.studies.deposit.protocols import Fold, truth_folds
from gossan.studies.deposit.tables import Field, read_field
from gossan.studies.deposit.trust import Campaign
from gossan.studies.deposit.validation import deal_folds, score_folds
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.shared_sections import impute

CUTOFF = 1000.0  # ppb of gold
CLEARANCE = 60.0  # m from any sample, beyond which rock counts as not drilled
MOST_TESTED = 60_000  # cells of rock that is not drilled, drawn with equal chance
LONGEST = "blocks"
TOP = 10  # targets that would be drilled
ZONING = {"grigorian": "Grigorian's index", "centre_of_mass": "centre of mass"}
PAIR = ("Sb", "Hg")  # whose factor rises above ore
N_HALVINGS = 20  # of the holes, for thresholds


@dataclass(frozen=True)
class Site:
    """One deposit, and how closely it is looked at."""

    plan: str
    seed: int
    is_fault_bound: bool
    spacing: float = 20.0
    n_splits: int = 5
    most_cells: int = 4000

    @property
    def name(self) -> str:
        return f"{self.plan}-{self.seed}-{'faults' if self.is_fault_bound else 'anywhere'}"


@dataclass(frozen=True)
class Told:
    """What a deposit told: tables with a row a method and protocol, and single figures."""

    site: Site
    scores: pd.DataFrame
    gains: pd.DataFrame
    targets: pd.DataFrame
    evidence: dict[str, float]


def study_site(site: Site, methods: Sequence[str], cache: Path) -> Told:
    """Return what a deposit told an earlier call, or study it and keep that."""
    file = cache / site.name / "told.joblib"
    if file.exists():
        told: Told = joblib.load(file)
        if told.site == site:
            return told
    told = _study(site, methods, RunFolder(cache / site.name))
    joblib.dump(told, file.with_suffix(".part"))
    file.with_suffix(".part").replace(file)  # whole, or not there
    return told


def _study(site: Site, methods: Sequence[str], folder: RunFolder) -> Told:
    """Score all folds of a deposit, rank its targets, and read its zoning and thresholds."""
    made = simulate_deposit(
        site.plan, is_fault_bound=site.is_fault_bound, random_state=site.seed
    )  # fmt: skip
    campaign = read_site(site, made, folder.path / "tables").campaign
    folds, notes = site_folds(site, campaign, made)

    def say(line: str) -> None:
        print(f"{site.name}: {line}", flush=True)

    for note in notes:
        say(note)
    found = score_folds(
        campaign, folds, names=methods, seeds=[0], most_cells=site.most_cells, folder=folder,
        progress=say,
    )  # fmt: skip
    told = Told(
        site,
        pd.concat([score_table(name, own) for name, own in found.items()]),
        pd.concat([compare_to_baselines(name, own) for name, own in found.items()]),
        target_table(campaign, made, folder, site),
        evidence_figures(campaign, made),
    )
    say("done")
    return told


def read_site(site: Site, made: SimulatedDeposit, tables: Path) -> Field:
    """Write the tables of a deposit and read them as the study does, over its whole box."""
    made.write(tables)
    box = made.truth.world.plan
    return read_field(
        {
            "holes": sections.holes(collar="collar.csv", survey="survey.csv", assay="assay.csv"),
            "ore": sections.ore(cutoff=CUTOFF),
            "faults": sections.faults(table="faults.csv"),
            "ground": sections.ground(table="ground.csv"),
            "impute": impute(),
            "indicators": sections.indicators(),
            "grid": sections.grid(
                spacing=site.spacing, region=box.region, elevations=box.elevations
            ),
        },
        tables,
    )


def site_folds(
    site: Site, campaign: Campaign, made: SimulatedDeposit
) -> tuple[dict[str, list[Fold]], list[str]]:
    """Deal the folds of all protocols; `truth` is tested on some of the rock not drilled.

    Blocks, which no choice rests on and which take as long as holes, are held out of the first seed's
    deposits alone.
    """
    asked = [name for name in sections.PROTOCOLS if name != LONGEST or site.seed == 0]
    folds, notes = deal_folds(campaign, asked, n_splits=site.n_splits)
    (truth,) = truth_folds(campaign.drilled(), made.truth.is_ore, clearance=CLEARANCE)
    drawn = np.random.default_rng(0).permutation(truth.test)[:MOST_TESTED]
    return {**folds, "truth": [replace(truth, test=np.sort(drawn))]}, notes


def target_table(
    campaign: Campaign, made: SimulatedDeposit, folder: RunFolder, site: Site
) -> pd.DataFrame:
    """Blind bodies that the first targets of the recommended model and each baseline hit.

    Once by the study's list, in which extensions of ore and new ground take turns, and once by as
    many targets in new ground alone.
    """
    grid, ranks = maps_of(campaign, folder, site)
    shape, rock = grid_shape(campaign.grid), campaign.rock_cells()
    body = made.truth.body_index(cell_centres(campaign.grid)).reshape(shape)
    blind = np.flatnonzero(made.truth.bodies["is_blind"])
    rows = []
    for method, own in ranks.items():
        layer = np.full(body.size, np.nan, dtype=np.float32)
        layer[rock] = as_ranks(own)
        judged = add_layer(grid, "score", layer.reshape(shape))
        targets = rank_targets(campaign, judged, Scores(own[None], {}))
        numbers, table = targets.grid["target"].to_numpy(), targets.table
        is_new = table["kind"] == "new ground"
        for asked, chosen in (("the list", table), ("new ground", table[is_new])):
            inside = np.isin(numbers, chosen["target"].head(TOP))
            rows.append(
                {
                    "asked": asked,
                    "method": method,
                    "n_targets": len(chosen),
                    "n_blind": len(blind),
                    "blind_hit": int(np.isin(blind, body[inside]).sum()),
                    "volume": float(inside.sum() * cell_volume(campaign.grid) / 1e6),
                    "blind_share": float(np.isin(body[inside], blind).mean())
                    if inside.any()
                    else 0.0,
                }
            )
    return pd.DataFrame(rows)


def maps_of(
    campaign: Campaign, folder: RunFolder, site: Site
) -> tuple[xr.Dataset, dict[str, NDArray[np.float32]]]:
    """Return the study's map, and ranks of all rock by each method."""
    depends = {
        "composites": fingerprint(campaign.composites), "spacing": site.spacing,
        "most_cells": site.most_cells,
    }  # fmt: skip

    def compute() -> dict[str, NDArray]:
        made = score_rock(
            campaign, RECOMMENDED, names=tuple(BASELINES), seeds=[0], most_cells=site.most_cells
        )
        return {RECOMMENDED: made.chosen[0], **made.others}

    ranks = folder.part("maps", depends, compute)
    ranks["distance to sample"] = as_ranks(-sample_distance(campaign))
    grid, _ = quietly(make_map, campaign, Scores(ranks[RECOMMENDED][None], {}))
    return grid, {name: ranks[name] for name in (RECOMMENDED, *BASELINES)}


def evidence_figures(campaign: Campaign, made: SimulatedDeposit) -> dict[str, float]:
    """Agreement of zoning with the truth, thresholds of halves of the holes, and the Sb-Hg factor."""
    table, truth = campaign.composites, made.truth
    values = table[list(campaign.elements)]
    lengths = (table["to"] - table["from"]).to_numpy(dtype=float)
    r, t, n = np.array(
        [truth.ore_frame(table[list(AXES)].to_numpy(), i) for i in range(len(truth.bodies))]
    ).transpose(2, 0, 1)
    near = (np.abs(r) < 1) & (np.abs(t) < 2) & (np.abs(n) < 60)
    nearest = np.where(near, np.abs(n), np.inf).argmin(axis=0)
    zone, height = near.any(axis=0), t[nearest, np.arange(len(nearest))]
    figures = {
        f"zoning, {words}": quietly(
            zoning_sequence, values[zone], height[zone], lengths[zone], n_levels=6, method=method
        ).agreement(truth.zoning)
        for method, words in ZONING.items()
    }
    return figures | _fractal_figures(table, lengths) | _factor_figures(values)


def _fractal_figures(table: pd.DataFrame, lengths: NDArray[np.float64]) -> dict[str, float]:
    gold, holes = table["Au"].to_numpy(dtype=float), table["hole"].to_numpy(dtype=str)
    models = [
        quietly(fractal_thresholds, gold, lengths, groups=holes, random_state=seed)
        for seed in (0, 1)
    ]
    low, high = models[0].intervals.T
    names = np.unique(holes)
    apart = []
    for seed in range(N_HALVINGS):
        half = np.random.default_rng(seed).permutation(names)[: len(names) // 2]
        is_first = np.isin(holes, half)
        logs = [
            np.log(quietly(fractal_thresholds, gold[own], lengths[own], n_bootstrap=0).thresholds)
            for own in (is_first, ~is_first)
        ]
        apart.append(float(np.abs(logs[0] - logs[1]).max()))
    thresholds = models[0].thresholds
    return {
        "breaks, by another seed": float(np.abs(models[1].thresholds / thresholds - 1).max()),
        "breaks, inside their interval": float(((low <= thresholds) & (thresholds <= high)).mean()),
        "breaks, half width of the interval": float(np.exp(np.log(high / low).max() / 2)),
        "breaks, halves of the holes apart": float(np.exp(np.median(apart))),
    }


def _factor_figures(values: pd.DataFrame) -> dict[str, float]:
    chosen = VarimaxFactors(5).fit(clr(values)).factor_of(PAIR)
    pair = [f"clr({element})" for element in PAIR]
    return {
        "factor, Sb and Hg lead": float(set(chosen.loadings.index[:2]) == set(pair)),
        "factor, lesser loading of the two": float(chosen.loadings[pair].min()),
    }
