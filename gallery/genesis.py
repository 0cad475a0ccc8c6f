"""Deposit types from a messy table: how far the usual split flatters.

    python gallery/genesis.py [--out FOLDER] [--quick]

Forty made-up zinc deposits of five types, measured in fifteen laboratories, in a table with decimal
commas, limits as text and a deposit spelt in two ways. Models are scored on a random split, with whole
deposits held out, and with whole laboratories held out; the picture, genesis.svg, shows the gap.
"""

from __future__ import annotations

import pandas as pd
from _study import options_of, run_in, save

from gossan.plot import new_axes, plot_protocols
from gossan.simulate import simulate_mineral_chemistry

STUDY = """\
study = "genesis"
title = "Zinc deposits of the northern belt"
mineral = "sphalerite"

[read]
table = "analyses.csv"

[labels]
deposit = "deposit"
type = "type"
reference = "reference"

[model]
name = "{name}"

[validate]
baselines = {baselines}
n_splits = {n_splits}
n_random_splits = 2
null_permutations = 3
"""
FULL = {"name": "recommended", "baselines": ["lda", "nearest", "extra_trees"], "n_splits": 0}
QUICK = {"name": "discriminant", "baselines": ["lda", "nearest"], "n_splits": 10}


def main():
    options = options_of(__doc__, "genesis")
    made = simulate_mineral_chemistry(
        n_deposits=40, n_per_deposit=(5, 25), n_unknown=1, messy=True, random_state=3
    )
    table = made.table.replace({"deposit": {"Barronnica": "Baronnica"}})
    is_new = table["deposit"].isin(["Wenikopje", "Kevepata", "Madonvik"])
    table[~is_new].to_csv(options.out / "analyses.csv", index=False)
    run = run_in(options.out, STUDY, QUICK if options.quick else FULL)
    scores = pd.read_csv(run / "scores.csv")
    columns = {"verdict": "score", "verdict_low": "low", "verdict_high": "high"}
    [ax] = new_axes(8, 3.6)
    plot_protocols(
        scores.rename(columns=columns)[["model", "protocol", *columns.values()]],
        label="Share of deposits with the right type", chance=0.2, ax=ax,
    )  # fmt: skip
    save(ax, options.out / "genesis.svg")


if __name__ == "__main__":
    main()
