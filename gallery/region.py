"""Stream sediments to a prospectivity map, and what it finds of the deposits that nobody told it.

    python gallery/region.py [--out FOLDER] [--quick]

A made-up district of 32 x 32 km with 900 samples and thirty porphyry deposits, twenty of them known.
Methods are scored with whole blocks of ground held out and on fake occurrences; the simplest of the best
makes the map. The picture, region.svg, adds the ten deposits that were kept from it.
"""

from __future__ import annotations

import pandas as pd
from _study import options_of, run_in, save

from gossan.data import read_grid
from gossan.plot import new_axes, plot_prospectivity_map
from gossan.simulate import simulate_region

STUDY = """\
study = "region"
title = "Copper in the eastern district"

[samples]
table = "samples.csv"
crs = "EPSG:32650"

[occurrences]
table = "occurrences.csv"
crs = "EPSG:32650"

[grid]
spacing = 1000

[elements]
pathfinders = ["Cu", "Mo", "Au"]

[background]
n_draws = {n_draws}

[methods]
names = {names}
most_cells = 1000

[validate]
n_splits = 4
n_repeats = {n_repeats}
n_nulls = {n_nulls}
"""
FULL = {
    "n_draws": 5, "n_repeats": 3, "n_nulls": 20,
    "names": ["pathfinder index", "isolation forest", "mahalanobis", "logistic",
              "neighbourhood logistic", "forest", "cnn 3"],
}  # fmt: skip
QUICK = {
    "n_draws": 2, "n_repeats": 2, "n_nulls": 5,
    "names": ["pathfinder index", "logistic", "neighbourhood logistic"],
}  # fmt: skip


def main():
    options = options_of(__doc__, "region")
    made = simulate_region(
        "porphyry", signal="value", n_deposits=30, n_known=20, n_decoys=8, n_samples=900,
        shape=(64, 64), random_state=5,
    )  # fmt: skip
    made.write(options.out)  # what is known, as tables
    run = run_in(options.out, STUDY, QUICK if options.quick else FULL)
    is_known = made.occurrences["is_known"]
    sets = {"known": made.occurrences[is_known], "kept from it": made.occurrences[~is_known]}
    [ax] = new_axes(7, 6.2)
    plot_prospectivity_map(
        read_grid(run / "prospectivity.tif"), "percentile", occurrences=sets,
        targets=pd.read_csv(run / "targets.csv"), label="Percentile of the score", ax=ax,
    )  # fmt: skip
    save(ax, options.out / "region.svg")


if __name__ == "__main__":
    main()
