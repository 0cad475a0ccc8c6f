"""A small made-up deposit, as a campaign and as the folder that a user would have."""

import pandas as pd
import pytest

from gossan.data.grids.grid import add_layer, cell_centres
from gossan.evidence.proximity import add_proximity
from gossan.simulate import simulate_deposit
from gossan.studies.deposit.indicators import Settings, quietly
from gossan.studies.deposit.run import settings_of
from gossan.studies.deposit.tables import read_field
from gossan.studies.deposit.trust import Campaign
from gossan.study import read_study

STUDY = """
study = "deposit"
title = "A small field"
[holes]
collar = "collar.csv"
survey = "survey.csv"
assay = "assay.csv"
dip = "down_negative"
[ore]
cutoff = 1000
[faults]
table = "faults.csv"
[ground]
table = "ground.csv"
[grid]
spacing = 30
margin = 40
depth = 40
[methods]
names = ["maxent"]
n_seeds = 1
most_cells = 200
[validate]
protocols = ["holes"]
n_splits = 3
n_nulls = 9
n_jobs = 1
"""


@pytest.fixture(scope="session")
def simulated():
    return simulate_deposit("small", random_state=0)


@pytest.fixture(scope="session")
def campaign(simulated):
    holes = simulated.drillholes()
    elements = tuple(simulated.elements)
    points = quietly(holes.points, quietly(holes.composite, 10.0).table)
    points = points.dropna(subset=[*elements, "easting"]).reset_index(drop=True)
    grid = simulated.grid(spacing=30.0)
    grid = add_layer(grid, "rock", simulated.truth.is_ground(cell_centres(grid)))
    grid = add_proximity(grid, list(simulated.faults))
    return Campaign(points, elements, grid, Settings(), cutoff=1000.0)


@pytest.fixture(scope="session")
def field(simulated, tmp_path_factory):
    """What a study reads from the tables of the small deposit."""
    folder = tmp_path_factory.mktemp("field")
    simulated.write(folder)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return quietly(read_field, settings_of(read_study(folder / "study.toml")), folder)


@pytest.fixture
def study(simulated, tmp_path):
    """Return a function that writes tables and a study file with some lines changed: its path."""

    def write(*changes, made=simulated):
        made.write(tmp_path)
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def edit(tmp_path):
    """Return a function that changes a table of the folder: its columns as text go in and out."""

    def change(name, how):
        path = tmp_path / f"{name}.csv"
        how(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False)

    return change
