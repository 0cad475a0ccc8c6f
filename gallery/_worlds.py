"""Worlds from which the page of figures is drawn, and the made-up scores of models on them.

Nothing comes in but the wish for small worlds; tables and grids go out, each made when first asked for.
"""

# The names of the worlds say what they are.

from __future__ import annotations

import re
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from gossan import plot
from gossan.data import add_layer, cell_centres
from gossan.simulate import simulate_deposit, simulate_mineral_chemistry, simulate_region

METHODS = {"network": 1.0, "forest": 0.55, "distance to faults": 0.25}  # share of signal
KINDS = {"distance to faults": "baseline"}


class Worlds:
    """Simulated worlds and the made-up scores of models on them, each made when first asked for."""

    def __init__(self, *, quick):
        self.quick = quick
        self.rng = np.random.default_rng(0)

    @cached_property
    def deposit(self):
        return simulate_deposit(n_holes=24 if self.quick else None, random_state=1)

    @cached_property
    def holes(self):
        return self.deposit.drillholes()

    @cached_property
    def assays(self):
        return self.holes.points("assay")

    @cached_property
    def blocks(self):
        grid = self.deposit.truth.on_grid(self.deposit.grid(50.0 if self.quick else 25.0))
        grid = add_layer(grid, "target", grid["body"].to_numpy() + 1)
        # A score that is high near ore, as that of a good model.
        return add_layer(grid, "score", np.exp(-grid["distance"].to_numpy() / 60))

    @cached_property
    def line(self):
        """Line of a section through the richest sample."""
        best = self.assays.loc[self.assays["Au"].idxmax()]
        return plot.section_line((best["easting"], best["northing"]), 40.0, 700.0)

    @cached_property
    def best_hole(self):
        return str(self.assays.loc[self.assays["Au"].idxmax(), "hole"])

    @cached_property
    def region(self):
        size = 48 if self.quick else 80
        return simulate_region(n_deposits=16, n_known=8, n_decoys=16, n_samples=500,
                               shape=(size, size))  # fmt: skip

    @cached_property
    def district(self):
        grid = self.region.truth.on_grid(self.region.grid())
        copper = grid["Cu"].to_numpy()
        places = cell_centres(grid)
        away, _ = cKDTree(self.samples[["easting", "northing"]]).query(places)
        unsure = (0.15 + 0.8 * away / away.max()).reshape(copper.shape)
        grid = add_layer(grid, "Cu_low", copper * np.exp(-unsure))
        grid = add_layer(grid, "Cu_high", copper * np.exp(unsure))
        wave = np.sin(places / 3000).prod(axis=1).reshape(copper.shape)
        grid = add_layer(grid, "Cu_departure", 0.3 * copper * wave)
        density = grid["deposit_density"].to_numpy()
        smooth = density / density.max() + 0.15 * np.log(copper / np.median(copper))
        score = 1 / (1 + np.exp(-4 * (smooth - np.quantile(smooth, 0.85))))
        grid = add_layer(grid, "score", score)
        far = grid["fault_distance"].to_numpy() < 6000
        return add_layer(grid, "supported", far)

    @cached_property
    def samples(self):
        return self.region.samples.rename(columns=lambda name: re.sub("_pp[mb]$", "", name))

    @cached_property
    def flags(self):
        return self.region.censored.rename(columns=lambda name: re.sub("_pp[mb]$", "", name))

    @cached_property
    def chemistry(self):
        count = 25 if self.quick else 50
        return simulate_mineral_chemistry(n_deposits=count, n_per_deposit=(5, 60))

    @cached_property
    def scores(self):
        """Scores of 60 occurrences and 2,000 cells by each method: two normal distributions."""
        return {
            name: (self.rng.normal(2.2 * signal, 1, 60), self.rng.normal(0, 1, 2000))
            for name, signal in METHODS.items()
        }

    def intervals(self, table, name, half=0.05):
        low, high = table[name] - half, table[name] + half
        return table.assign(**{f"{name}_low": low, f"{name}_high": high})
