"""Copper left in a dump: a block model from drill holes, with intervals.

    python gallery/tailings.py [--out FOLDER] [--quick]

A made-up dump, drilled by some twenty vertical holes whose table is messy. Kriging, kriging with
directions and a forest estimate copper with whole holes held out, and are blended. The picture,
tailings.svg, shows each sample as it was estimated without its own hole.
"""

from __future__ import annotations

import pandas as pd
from _study import options_of, run_in, save

from gossan.plot import new_axes, plot_measured
from gossan.simulate import simulate_tailings

STUDY = """\
study = "tailings"
title = "Copper left in the old dump"

[read]
table = "samples.csv"
elements = ["Cu"]

[points]
hole = "Hole ID"

[methods]
names = {names}

[validate]
n_splits = {n_splits}
n_inner_splits = 2
published = false

[grid]
spacing = 10
vertical_spacing = 4
"""
FULL = {
    "names": ["kriging", "anisotropic_kriging", "forest", "process", "network"], "n_splits": 5,
}  # fmt: skip
QUICK = {"names": ["kriging", "anisotropic_kriging", "forest"], "n_splits": 3}


def main():
    options = options_of(__doc__, "tailings")
    made = simulate_tailings("dump", n_samples=240, messy=True, random_state=2)
    made.table.to_csv(options.out / "samples.csv", index=False)
    run = run_in(options.out, STUDY, QUICK if options.quick else FULL)
    [ax] = new_axes(6, 5)
    plot_measured(pd.read_csv(run / "predictions.csv"), ax=ax)
    save(ax, options.out / "tailings.svg")


if __name__ == "__main__":
    main()
