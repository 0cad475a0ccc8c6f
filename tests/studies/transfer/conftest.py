"""Made-up labelled places and ground as messy tables and rasters, and study files of them."""

import numpy as np
import pandas as pd
import pytest

from gossan.data.grids.files import write_grid
from gossan.data.grids.grid import add_layer, make_grid

SIDE = 60  # cells of 1 km
STUDY = """
study = "transfer"
title = "Few deposits"
[labels]
table = "labels.csv"
label = "DEP"
[background]
table = "ground.csv"
[methods]
names = ["logistic", "balanced svm", "gp", "svm + gp", "net", "pretrained net", "blend"]
n_members = 2
epochs = 8
[validate]
block_size = 12000
n_splits = 3
n_partitions = 2
n_nulls = 2
"""


def evidence_of(rng):
    """Return three layers of a map, the first two of which rise toward ore, and its favourability."""
    row, column = np.mgrid[:SIDE, :SIDE] / SIDE
    belt = np.exp(-(((row - 0.3 - 0.4 * column) / 0.12) ** 2))
    layers = {
        "Mag nT": 60.0 * belt + rng.normal(0.0, 12.0, belt.shape),
        "log Cu": 1.5 + 0.4 * belt + rng.normal(0.0, 0.12, belt.shape),
        "K": rng.normal(4.0, 0.3, belt.shape),
    }
    return layers, belt


@pytest.fixture(scope="session")
def world():
    """Return the grid of the evidence, labelled sites and ground rows as DataFrames."""
    rng = np.random.default_rng(11)
    layers, belt = evidence_of(rng)
    grid = make_grid((0, SIDE * 1000, 0, SIDE * 1000), 1000, crs="EPSG:32611")
    for name, values in layers.items():
        grid = add_layer(grid, name, values.astype(np.float32))
    flat = {name: grid[name].to_numpy().ravel().astype(float) for name in layers}
    chance = belt.ravel() ** 2 + 0.001
    n = belt.size
    ore = rng.choice(n, size=26, replace=False, p=chance / chance.sum())
    others = np.setdiff1d(np.arange(n), ore)
    barren = rng.choice(others, size=50, replace=False)
    east, north = (grid[a].to_numpy() for a in ("easting", "northing"))
    table = pd.DataFrame(flat)
    table.insert(0, "X", np.tile(east, SIDE))
    table.insert(1, "Y", np.repeat(north, SIDE))
    labels = table.iloc[np.concatenate([ore, barren])].reset_index(drop=True)
    labels.insert(0, "DEP", np.repeat([1, 0], [26, 50]))
    ground = table.iloc[rng.choice(others, size=400, replace=False)].reset_index(drop=True)
    return grid, labels, ground


def messy(labels):
    """Return the labels with duplicated pixels, rows without coordinates and odd headers, as text."""
    table = pd.concat([labels, labels.iloc[[0, 0, 3, 40]]], ignore_index=True)
    table = table.rename(columns={"X": " UTM_E (m)", "Y": "UTM_N (m)"})
    table["Comment"] = "ok"
    text = table.map(lambda cell: str(cell).replace(".", ",")).astype(object)
    text.iloc[5, 1] = ""
    text.iloc[60, 1:3] = "0"
    return text


@pytest.fixture
def study(tmp_path, world):
    """Return a function that writes the tables and a study file, and returns the path of the latter."""

    def write(text=STUDY, *, labels=messy, ground=lambda table: table, rasters=False):
        grid, sites, rows = world
        labels(sites).to_csv(tmp_path / "labels.csv", sep=";", index=False)
        # Other order of the columns: evidence is matched by name.
        shuffled = rows[["K", "Y", "log Cu", "X", "Mag nT"]]
        ground(shuffled).to_csv(tmp_path / "ground.csv", index=False)
        if rasters:
            for name in grid.data_vars:
                write_grid(grid[[name]], tmp_path / f"Idw_{name}.tif")
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return path

    write.text, write.messy = STUDY, messy
    return write
