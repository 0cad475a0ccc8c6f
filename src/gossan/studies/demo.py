"""The demo: the drill holes of a made-up gold deposit, as messy as real tables, with its study file.

A folder comes in; the tables of a drilling campaign, faults, topography and a study file that is ready
to run go into it.
"""

from __future__ import annotations

from pathlib import Path

from gossan.simulate import simulate_deposit
from gossan.studies.run_folder import RunFolder

__all__ = ["write_demo"]

STUDY = """\
# The study of `gossan demo`: 18 made-up drill holes into four gold bodies, two of them blind.
study = "deposit"
title = "Demo: a made-up gold deposit"

[holes]
collar = "collar.csv"
survey = "survey.csv"
assay = "assay.csv"
lithology = "lithology.csv"
dip = "down_negative"
# The tables have faults, as real ones do: gossan check names each, and nothing is mended unasked.
fix = [
    "names", "duplicate collars", "unknown holes", "azimuths", "missing surveys",
    "duplicate surveys", "reversed intervals", "duplicate intervals", "beyond depth", "overlaps",
]

[ore]
element = "Au"
cutoff = 1000            # ppb, the unit of the table

[faults]
table = "faults.csv"

[ground]
table = "ground.csv"

[grid]
spacing = 12.5

[methods]                # one seed and fewer models than a real study takes
names = ["held-out trees", "maxent", "DAE", "STOAD"]
n_seeds = 2
most_cells = 2000

[validate]
protocols = ["paper", "holes", "depth"]
n_splits = 4
"""


def write_demo(folder: str | Path, *, random_state: int = 0) -> Path:
    """Write the demo's tables and study file.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    random_state : int
        Seed of the made-up deposit.

    Returns
    -------
    study : Path
        The study file.
    """
    target = RunFolder(folder, owner="demo")
    made = simulate_deposit("small", messy=True, random_state=random_state)
    made.write(target.path)
    return target.write_text("study.toml", STUDY)
