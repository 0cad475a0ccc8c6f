"""Few labelled deposits and much unlabelled ground: what is lost with fewer labels.

    python gallery/transfer.py [--out FOLDER] [--quick]

Layers of eight elements are made from the samples of a made-up district; 24 deposits and 40 drilled
places without ore are its labels. Simple methods and networks that learned the ground before the labels
are scored with whole blocks held out, with all labels and with a third of them. The picture,
transfer.svg, is the map that the simplest of the best makes, with its targets.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from _study import options_of, run_in, save

from gossan.data import make_grid, read_grid, write_grid
from gossan.geostat import grid_points
from gossan.plot import new_axes, plot_prospectivity_map
from gossan.simulate import simulate_region

ELEMENTS = ["Cu_ppm", "Mo_ppm", "Au_ppb", "Pb_ppm", "Zn_ppm", "As_ppm", "Ni_ppm", "Li_ppm"]
STUDY = """\
study = "transfer"
title = "Where a few deposits point to"

[labels]
table = "labels.csv"
label = "deposit"
crs = "EPSG:32650"

[background]
rasters = ["log_*.tif"]
n = 600

[methods]
names = {names}
n_members = {n_members}
epochs = {epochs}

[validate]
block_size = 6000
n_splits = 3
n_partitions = {n_partitions}
n_nulls = {n_nulls}
label_levels = [8]

[map]
rasters = ["log_*.tif"]
"""
FULL = {
    "names": ["coordinates", "logistic", "forest", "balanced svm", "gp", "net", "pretrained net"],
    "n_members": 10, "epochs": 0, "n_partitions": 5, "n_nulls": 20,
}  # fmt: skip
QUICK = {
    "names": ["coordinates", "logistic", "balanced svm", "pretrained net"],
    "n_members": 2, "epochs": 8, "n_partitions": 2, "n_nulls": 3,
}  # fmt: skip


def main():
    options = options_of(__doc__, "transfer")
    made = simulate_region(
        "porphyry", signal="value", n_deposits=40, n_known=24, n_decoys=8, n_samples=800,
        shape=(64, 64), random_state=6,
    )  # fmt: skip
    grid = make_grid((0, 32_000, 0, 32_000), 1000, crs="EPSG:32650")
    logs = np.log10(made.samples[ELEMENTS]).set_axis([f"log {e[:2]}" for e in ELEMENTS], axis=1)
    layers = grid_points(made.samples[["easting", "northing"]], logs, grid=grid).grid
    for name in layers.data_vars:
        write_grid(layers[[name]], options.out / f"{name.replace(' ', '_')}.tif")
    labels = labelled(made, layers)
    labels.round(3).to_csv(options.out / "labels.csv", index=False, sep=";", decimal=",")
    run = run_in(options.out, STUDY, QUICK if options.quick else FULL)
    [ax] = new_axes(7, 6.2)
    plot_prospectivity_map(
        read_grid(run / "prospectivity.tif"), "percentile",
        occurrences={"deposits": labels[labels["deposit"] == 1]},
        targets=pd.read_csv(run / "targets.csv"), label="Percentile of the score", ax=ax,
    )  # fmt: skip
    save(ax, options.out / "transfer.svg")


def labelled(made, layers):
    """Return known deposits (1) and drilled places without ore (0) with the layers at each."""
    known = made.occurrences.loc[made.occurrences["is_known"], ["easting", "northing"]]
    rng = np.random.default_rng(0)
    barren = pd.DataFrame(rng.uniform(500, 31_500, (40, 2)), columns=["easting", "northing"])
    places = pd.concat([known.assign(deposit=1), barren.assign(deposit=0)], ignore_index=True)
    at = {axis: places[axis].to_xarray() for axis in ("easting", "northing")}
    read = layers.sel(at, method="nearest").to_dataframe()[list(layers.data_vars)]
    return places.join(read)


if __name__ == "__main__":
    main()
