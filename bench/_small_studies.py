"""Five tiny studies with their tables, for benches that run each many times.

A folder comes in; study files that run in seconds, with tables beside them, go into it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from gossan.simulate import (
    simulate_deposit,
    simulate_mineral_chemistry,
    simulate_region,
    simulate_tailings,
)

GENESIS = """
study = "genesis"
title = "Made-up magnetite"
[read]
table = "magnetite.csv"
[model]
name = "discriminant"
[validate]
baselines = ["nearest"]
n_splits = 3
n_random_splits = 3
null_permutations = 3
"""
TAILINGS = """
study = "tailings"
[read]
table = "samples.csv"
elements = ["Cu"]
[methods]
names = ["kriging"]
[validate]
n_splits = 2
n_inner_splits = 2
random_split = false
published = false
"""
DEPOSIT = """
study = "deposit"
[holes]
collar = "collar.csv"
survey = "survey.csv"
assay = "assay.csv"
dip = "down_negative"
[ore]
cutoff = 1000
[ground]
table = "ground.csv"
[grid]
spacing = 30
margin = 40
depth = 40
[methods]
names = ["maxent"]
choose = "distance to sample"
n_seeds = 1
most_cells = 200
[validate]
protocols = ["holes"]
n_splits = 2
n_nulls = 3
n_jobs = 1
"""
REGION = """
study = "region"
[samples]
table = "samples.csv"
[occurrences]
table = "occurrences.csv"
[grid]
spacing = 1000
[background]
n_draws = 2
[methods]
names = ["logistic"]
choose = "logistic"
most_cells = 300
[validate]
n_splits = 3
n_repeats = 1
n_nulls = 2
block_size = 7000
dead_zone = 1500
"""
TRANSFER = """
study = "transfer"
[labels]
table = "labels.csv"
[background]
table = "ground.csv"
[methods]
names = ["logistic", "balanced svm"]
[validate]
block_size = 12000
n_splits = 3
n_partitions = 2
n_nulls = 2
"""


def write_small_studies(folder: Path, *, kinds: tuple[str, ...] = ()) -> dict[str, Path]:
    """Write the studies, each into a folder of its kind; return their files."""
    made = {}
    for kind, (text, write) in STUDIES.items():
        if not kinds or kind in kinds:
            place = folder / kind
            place.mkdir(parents=True, exist_ok=True)
            write(place)
            made[kind] = place / "study.toml"
            made[kind].write_text(text, encoding="utf-8")
    return made


def _genesis(place: Path) -> None:
    made = simulate_mineral_chemistry(
        mineral="magnetite", n_deposits=20, n_per_deposit=(4, 8), random_state=3
    )
    made.table.to_csv(place / "magnetite.csv", index=False)


def _tailings(place: Path) -> None:
    made = simulate_tailings("surface", n_samples=60, messy=False, random_state=2)
    made.table.to_csv(place / "samples.csv", index=False)


def _deposit(place: Path) -> None:
    simulate_deposit("small", random_state=0).write(place)


def _region(place: Path) -> None:
    simulate_region(
        signal="value", n_deposits=24, n_known=20, n_decoys=4, n_samples=600, shape=(44, 50),
        random_state=2,
    ).write(place)  # fmt: skip


def _transfer(place: Path) -> None:
    rng = np.random.default_rng(11)
    coords = rng.uniform(0.0, 60_000.0, size=(460, 2))
    belt = np.exp(-(((coords[:, 1] / 60e3 - 0.3 - 0.4 * coords[:, 0] / 60e3) / 0.12) ** 2))
    table = pd.DataFrame(
        {"X": coords[:, 0], "Y": coords[:, 1], "Mag": 60 * belt + rng.normal(0, 12, 460),
         "Cu": 1.5 + 0.4 * belt + rng.normal(0, 0.12, 460), "K": rng.normal(4, 0.3, 460)}
    )  # fmt: skip
    ore = np.argsort(-belt - 0.2 * rng.uniform(size=460))[:24]
    others = np.setdiff1d(np.arange(460), ore)
    labelled = np.concatenate([ore, others[:48]])
    labels = table.iloc[labelled].assign(label=np.repeat([1, 0], [24, 48]))
    labels.to_csv(place / "labels.csv", index=False)
    table.iloc[others[48:]].to_csv(place / "ground.csv", index=False)


STUDIES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "genesis": (GENESIS, _genesis),
    "tailings": (TAILINGS, _tailings),
    "deposit": (DEPOSIT, _deposit),
    "region": (REGION, _region),
    "transfer": (TRANSFER, _transfer),
}
