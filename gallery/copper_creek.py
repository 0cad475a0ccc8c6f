"""Drill holes to a block model in one run: Copper Creek, Arizona, 545 holes and 67,321 assays.

    python gallery/copper_creek.py [--out FOLDER] [--quick]

Reads the three tables, reports on their quality, mends what it is told to mend (and lists each row),
composites, fits variograms to normal scores of copper and molybdenum, holds out whole holes, and
kriges blocks near the holes. Writes quality.txt, changes.csv, intercepts.csv, composites.csv and the
block model as CSV (Leapfrog, Vulcan) and VTI (ParaView).
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from gossan._checks import GossanWarning
from gossan.data import (
    add_layer,
    cell_centres,
    make_grid,
    read_drillholes,
    write_grid,
)
from gossan.datasets import find
from gossan.geostat import Kriging, NormalScores, fit_variogram, krige_grid, kriging_crossval

ELEMENTS = ["Cu", "Mo"]  # wt%
FIXES = ["long intervals", "duplicate intervals", "overlaps"]
LENGTH = 10.0  # m, of the composites
CELLS = (20.0, 25.0, 25.0)  # m, elevation, northing, easting
REACH = 100.0  # m from the nearest composite


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("runs/copper_creek"))
    parser.add_argument("--quick", action="store_true", help="coarse cells, a tenth of the holes")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", GossanWarning)  # each doubt is printed with its model
    started = time.perf_counter()

    def say(line):
        print(f"{time.perf_counter() - started:6.1f} s  {line}", flush=True)

    holes = read(options.out, quick=options.quick, say=say)
    composites, points = place(holes, options.out, say=say)
    grid = krige(points, options.out, quick=options.quick, say=say)
    balance = composites.balance["kept"] / composites.balance["total"]
    say(f"metal kept in composites: {balance.round(4).to_dict()}")
    for element in ELEMENTS:
        layer = grid[element]
        say(f"{element}: {int(layer.notnull().sum()):,} blocks, mean {float(layer.mean()):.4f} wt%,"
            f" composites {points[element].mean():.4f} wt%")  # fmt: skip


def read(out, *, quick, say):
    """Return the holes, checked and mended; the report and each mended row are written."""
    folder = find("copper_creek")
    files = {name: folder / f"{name}.csv" for name in ("collar", "survey", "assay")}
    holes = read_drillholes(**files, lithology=folder / "lithology.csv", dip="down_negative")
    say(str(holes).split("\n", maxsplit=1)[0])
    (out / "quality.txt").write_text(f"{holes.report}\n", encoding="utf-8")
    mended = holes.fixed(FIXES)
    mended.changes.to_csv(out / "changes.csv", index=False)
    say(f"{holes.report.headline()}; {len(mended.changes):,} rows mended, see changes.csv")
    return mended.select(mended.holes[::10]) if quick else mended


def place(holes, out, *, say):
    """Return composites, and those with all elements as points in space."""
    found = holes.intercepts("Cu", 0.5)
    found.table.to_csv(out / "intercepts.csv", index=False)
    best = found.table.iloc[0]
    say(f"{len(found.table):,} intercepts above 0.5 wt% Cu; first: hole {best['hole']}")
    made = holes.composite(LENGTH, columns=ELEMENTS)
    say(str(made))
    points = holes.points(made.table).dropna(subset=[*ELEMENTS, "easting"])
    points.to_csv(out / "composites.csv", index=False)
    return made, points


def krige(points, out, *, quick, say):
    """Return the block model; ranges from normal scores, where they are steadier than in grades."""
    coords = points[["easting", "northing", "elevation"]].to_numpy()
    grades, names = points[ELEMENTS].to_numpy(), points["hole"].to_numpy(dtype=str)
    scores = NormalScores(random_state=0).fit_transform(grades)
    models = []
    for place, element in enumerate(ELEMENTS):
        fitted = fit_variogram(coords, scores[:, place], anisotropy="vertical")
        say(f"{element}: {fitted}")
        models.append(fitted.model.scaled(grades[:, place].var() / fitted.model.sill))
    kriging = Kriging(models, n_neighbours=32, n_per_group=6, sectors=8)
    held_out = kriging_crossval(kriging, coords, grades, groups=names)
    r2 = 1 - np.nanmean(held_out.error**2, axis=0) / grades.var(axis=0)
    say(f"whole holes held out: R2 {dict(zip(ELEMENTS, r2.round(2).tolist(), strict=True))}")
    grid = cells_round(coords, quick=quick)
    say(f"{grid['near'].size:,} cells, {int(grid['near'].sum()):,} of them near a composite")
    fitted = kriging.fit(coords, grades, groups=names)
    told = krige_grid(fitted, grid, names=ELEMENTS, return_std=True, where="near")
    for name in told.data_vars:
        told[name].attrs["units"] = "wt%"
    write_grid(told, out / "blocks.csv", drop_empty=True)
    write_grid(told, out / "blocks.vti")
    return told


def cells_round(coords, *, quick):
    """Return a grid round the composites, with a layer that tells which cells are near one."""
    size = tuple(2 * edge for edge in CELLS) if quick else CELLS
    low, high = coords.min(axis=0) - REACH, coords.max(axis=0) + REACH
    region = (low[0], high[0], low[1], high[1])
    grid = make_grid(region, size, elevations=(low[2], high[2]), crs="EPSG:26912")
    distance, _ = cKDTree(coords).query(cell_centres(grid), distance_upper_bound=REACH)
    return add_layer(grid, "near", np.isfinite(distance).reshape(tuple(grid.sizes.values())))


if __name__ == "__main__":
    main()
