"""Drill holes to targets on a made-up gold deposit, whose blind orebodies are known.

    python gallery/deposit.py [--out FOLDER] [--quick]

Eighteen holes into four gold bodies, two of them blind, in tables with the faults of real ones. Methods
are scored as published and with whole holes held out; held-out trees make the map. The picture,
deposit.svg, is the level of the first target, with the drill holes and the rock that is ore in truth.
"""

from __future__ import annotations

import pandas as pd
from _study import options_of, run_in, save

from gossan.data import read_grid
from gossan.plot import new_axes, plot_targets
from gossan.simulate import simulate_deposit

STUDY = """\
study = "deposit"
title = "Where next, round the old holes"

[holes]
collar = "collar.csv"
survey = "survey.csv"
assay = "assay.csv"
dip = "down_negative"
fix = [
    "names", "duplicate collars", "unknown holes", "azimuths", "missing surveys",
    "duplicate surveys", "reversed intervals", "duplicate intervals", "beyond depth", "overlaps",
]

[ore]
element = "Au"
cutoff = 1000        # ppb, the unit of the table

[faults]
table = "faults.csv"

[ground]
table = "ground.csv"

[grid]
spacing = {spacing}

[methods]
names = {names}
n_seeds = 1
most_cells = {most_cells}

[validate]
protocols = {protocols}
n_splits = 3
n_nulls = 9
"""
FULL = {
    "spacing": 15, "most_cells": 2000, "names": ["held-out trees", "maxent", "DAE", "STOAD"],
    "protocols": ["paper", "holes", "depth"],
}  # fmt: skip
QUICK = {
    "spacing": 25, "most_cells": 400, "names": ["held-out trees"], "protocols": ["paper", "holes"],
}  # fmt: skip


def main():
    options = options_of(__doc__, "deposit")
    made = simulate_deposit("small", messy=True, random_state=4)
    made.write(options.out)
    run = run_in(options.out, STUDY, QUICK if options.quick else FULL)
    blocks = read_grid(run / "blocks.vti")
    level = pd.read_csv(run / "targets.csv")["elevation"].iloc[0]
    level = float(blocks["elevation"].sel(elevation=level, method="nearest"))
    truth = made.truth.on_grid(blocks)["is_ore"].sel(elevation=level)
    ore = truth.where(truth > 0).to_series().dropna().reset_index().assign(elevation=level)
    traces = made.drillholes().points(made.assay[["hole", "from", "to"]])
    [ax] = new_axes(7, 5.6)
    plot_targets(
        blocks, "score", at={"elevation": level}, traces=traces, ore=ore, reach=20,
        label="Score; dots: ore in truth", ax=ax,
    )  # fmt: skip
    save(ax, options.out / "deposit.svg")


if __name__ == "__main__":
    main()
