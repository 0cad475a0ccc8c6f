"""The demo: made-up analyses as messy as real ones, with a study file that is ready to run.

A folder comes in; a training table, a table of new deposits and a study file go into it.
"""

from __future__ import annotations

from pathlib import Path

from gossan.simulate import simulate_mineral_chemistry
from gossan.studies.run_folder import RunFolder

__all__ = ["write_demo"]

N_NEW = 3
STUDY = """\
# The study of `gossan demo`: 60 made-up deposits of five types, and four new ones.
study = "genesis"
title = "Demo: made-up sphalerite analyses"
mineral = "sphalerite"

[read]
table = "analyses.csv"

[labels]
deposit = "deposit"
type = "type"
reference = "reference"

[validate]
baselines = ["lda", "nearest", "extra_trees"]
n_splits = 10            # 0 would hold out one deposit at a time
null_permutations = 10

[classify]
table = "new_deposits.csv"
"""


def write_demo(folder: str | Path, *, random_state: int = 0) -> Path:
    """Write the demo's tables and study file.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    random_state : int
        Seed of the made-up deposits.

    Returns
    -------
    study : Path
        The study file.
    """
    simulated = simulate_mineral_chemistry(
        n_deposits=60, n_per_deposit=(5, 60), n_unknown=1, messy=True, random_state=random_state
    )
    table = simulated.table
    names = table["deposit"].astype(str).str.strip()
    kinds = table["type"].astype(str).str.strip()
    unseen = names[kinds == "Unseen"].unique().tolist()
    counts = names[kinds != "Unseen"].groupby(kinds).agg(lambda own: sorted(own.unique()))
    rich = counts[counts.map(len) > 5].index[:N_NEW]
    new = [counts[kind][0] for kind in rich] + unseen
    target = RunFolder(folder, owner="demo")
    target.write_text("analyses.csv", table[~names.isin(new)].to_csv(index=False))
    unknown = table[names.isin(new)].drop(columns=["type"])
    target.write_text("new_deposits.csv", unknown.to_csv(index=False))
    return target.write_text("study.toml", STUDY)
