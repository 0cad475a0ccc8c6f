"""Drill holes to targets on a real deposit: Copper Creek, Arizona, copper with molybdenum and silver.

    python gallery/copper_creek_targets.py [--out FOLDER] [--quick]

Writes a study file and runs it: 545 holes are checked and mended as it says, composited, and their
copper, a silver-over-molybdenum balance (silver above, molybdenum below copper) and the distance to
samples become evidence in blocks of the main field. Whole holes and the deeper half are held out.
There is no fault file, and no topography: the ground is sketched through the collars.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

from gossan._checks import GossanWarning
from gossan.datasets import find
from gossan.study import run_study, summarise_run

STUDY = """\
study = "deposit"
title = "Copper Creek, Arizona: copper"

[holes]
collar = "{folder}/collar.csv"
survey = "{folder}/survey.csv"
assay = "{folder}/assay.csv"
lithology = "{folder}/lithology.csv"
elements = ["Cu", "Mo", "Ag"]    # gold was analysed in 11 % of the rows
composite = {composite}          # m; 0: the median length of the samples
dip = "down_negative"
fix = ["long intervals", "duplicate intervals", "overlaps"]

[ore]
element = "Cu"
cutoff = 0.4                     # wt%

[indicators]                     # what three elements allow
front = ["Ag"]
near = ["Cu"]
tail = ["Mo"]

[grid]                           # the main field
spacing = {spacing}
region = [547400, 549600, 3622700, 3625000]
elevations = [200, 1450]

[methods]
names = {names}
n_seeds = {n_seeds}
most_cells = {most_cells}

[validate]
protocols = {protocols}
n_splits = {n_splits}
"""
FULL = {
    "composite": 10, "spacing": 20, "n_seeds": 2, "most_cells": 4000, "n_splits": 4,
    "names": ["held-out trees", "maxent", "isolation forest", "DAE", "STOAD"],
    "protocols": ["paper", "holes", "depth"],
}  # fmt: skip
QUICK = {
    "composite": 30, "spacing": 60, "n_seeds": 1, "most_cells": 400, "n_splits": 2,
    "names": ["held-out trees"], "protocols": ["holes"],
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("runs/copper_creek_targets"))
    parser.add_argument("--quick", action="store_true", help="coarse blocks, one model, two folds")
    options = parser.parse_args()
    warnings.simplefilter("ignore", GossanWarning)  # the report tells them
    options.out.mkdir(parents=True, exist_ok=True)
    study = options.out / "study.toml"
    settings = {key: _as_toml(value) for key, value in (QUICK if options.quick else FULL).items()}
    folder = find("copper_creek").resolve().as_posix()
    study.write_text(STUDY.format(folder=folder, **settings), encoding="utf-8")
    started = time.perf_counter()

    def say(line):
        print(f"{time.perf_counter() - started:6.1f} s  {line}", flush=True)

    run = run_study(study, out=options.out / "run", progress=say)
    say("done")
    print(summarise_run(run))


def _as_toml(value):
    return str(value).replace("'", '"')


if __name__ == "__main__":
    main()
