"""Concentrations between samples: kriging and its variants, a forest, a process, the network, a blend.

Every method on every data set under honest splits (whole holes or blocks, or the published external
places), CRPS over that of ordinary kriging of normal scores, mean over the elements; and the network
as it was published, with its leak. Prints all scores with 95 % intervals over holes or blocks, then
ours (the blend, weighted on inner folds) beside the best figure known and the goal.

    python bench/tailings.py [--quick]

What is done is kept in runs/ and taken over by the next call.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from _table import parse_options, report
from gossan._checks import GossanWarning
from gossan.datasets import find
from gossan.simulate import simulate_roughness, simulate_tailings
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.tailings.methods import METHODS, NAMES
from gossan.studies.tailings.published import published_template
from gossan.studies.tailings.samples import Samples
from gossan.studies.tailings.tables import read_samples
from gossan.studies.tailings.trust import Folds, hold_out, hold_out_groups, score_table

FIELDS = (0, 1, 2)  # realisations of the roughness, of which the mean is judged
# Best known CRPS ratio, and the goal of the blend; coverage of 90 % intervals is asked of each.
BARS = {
    "Jura, external places": (0.958, "<=0.955"),
    "Jura, blocks": (0.950, "<=0.95"),
    "Meuse, blocks": (0.680, "<=0.68"),
    "copper dump, whole holes": (0.764, "<=0.76"),
    "simulated dump, whole holes": (None, None),
    "simulated surface, dense": (None, None),
    **{f"simulated roughness {seed}, dense": (None, None) for seed in FIELDS},
}
QUICK = ("kriging", "anisotropic_kriging", "forest")

Made = tuple[Samples, np.ndarray, Folds]


def main():
    options = parse_options(__doc__, seeds=1)
    folder = RunFolder(Path("runs") / f"bench-tailings{'-quick' * options.quick}")
    names = QUICK if options.quick else tuple(METHODS)
    rows, tables = [], []
    for title, make in DATA.items():
        if options.quick and title not in {"Jura, blocks", "simulated dump, whole holes"}:
            continue
        samples, groups, folds = make(options.quick)
        scores = scores_of(title, samples, groups, folds, names=names, folder=folder)
        tables.append(scores.assign(data=title))
        rows += rows_of(title, scores)
    shown = pd.concat(tables)
    print(shown[shown["element"] == "all"].drop(columns=["element", "crps", "rmse"])
          .set_index("data").to_string(float_format="{:.3f}".format))  # fmt: skip
    print()
    if not options.quick:
        rows += [mean_row(rows), *published_rows()]
    report("tailings", rows, options)


def scores_of(title, samples, groups, folds, *, names, folder):
    """Return the scores of all methods and the blend on a data set."""
    start = time.perf_counter()
    table = pd.concat([pd.DataFrame(samples.coords), samples.values, samples.covariates], axis=1)
    table.columns = [str(name) for name in table.columns]
    key = {"protocol": title.replace(", ", "-").replace(" ", "_"), "table": fingerprint(table),
           "folds": fingerprint([test.tolist() for _, test in folds])}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        found = hold_out(
            samples, folds, groups=groups, names=names, folder=folder, key=key,
            progress=lambda line: print(f"{title}: {line}", flush=True),
        )  # fmt: skip
        scores = score_table(samples, found, split=title)
    print(f"{title}: {time.perf_counter() - start:.0f} s, weights "
          f"{found.weights.mean().round(2).to_dict()}", flush=True)  # fmt: skip
    return scores


def rows_of(title, scores):
    """Return the rows of the results: ratio and coverage of the blend, and kriging's own."""
    means = scores[scores["element"] == "all"].set_index("method")
    blend, peer, goal = means.loc[NAMES["blend"]], *BARS[title]
    best = means["crps_ratio"].drop(NAMES["blend"])
    return [
        {"id": f"{title}: CRPS ratio", "ours": float(blend["crps_ratio"]), "peer": peer,
         "goal": goal, "unit": "of kriging", "seeds": 1, "low": float(blend["crps_ratio_low"]),
         "high": float(blend["crps_ratio_high"]), "best_single": best.idxmin(),
         "best_single_ratio": float(best.min()), "r2": float(blend["r2"])},
        {"id": f"{title}: coverage at 90 %", "ours": float(blend["coverage"]), "peer": 0.9,
         "goal": ">=0.88", "unit": "share", "seeds": 1},
    ]  # fmt: skip


def mean_row(rows):
    """Return the mean of the blend over the fields of roughness, beside the goal."""
    own = [row["ours"] for row in rows if "roughness" in row["id"] and "CRPS" in row["id"]]
    return {"id": "simulated roughness, mean: CRPS ratio", "ours": float(np.mean(own)), "peer": 0.960,
            "goal": "<=0.955", "unit": "of kriging", "seeds": len(own)}  # fmt: skip


def published_rows():
    """Return what the published template reports, and what it does at places without a sample."""
    samples, _, folds = jura_external(quick=False)
    table = published_template(samples, folds)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    print()
    peers = (None, -0.97, 0.008)
    return [
        {"id": f"template, {row.protocol}: R2", "ours": float(row.r2), "peer": peer, "goal": None,
         "unit": "", "seeds": 1}
        for row, peer in zip(table.itertuples(), peers, strict=True)
    ]  # fmt: skip


def jura_external(quick):  # noqa: ARG001
    """Seven metals of the Swiss Jura: 259 samples, 100 external places, rock and land use."""
    folder = find("jura")
    both = pd.concat(
        [pd.read_csv(folder / f"{name}.csv") for name in ("prediction", "validation")],
        ignore_index=True,
    )
    samples = read_samples({"table": both}, unit="km", kinds=["Rock", "Landuse"])
    n = len(pd.read_csv(folder / "prediction.csv"))
    rows = np.arange(len(both))
    return samples, None, [(rows[:n], rows[n:])]


def jura_blocks(quick):
    """The 259 samples of the Jura in blocks."""
    elements = ["Cd", "Cu"] if quick else None
    read = {"table": find("jura") / "prediction.csv", "elements": elements}
    samples = read_samples(read, unit="km", kinds=["Rock", "Landuse"])
    return in_groups(samples, quick)


def meuse_blocks(quick):
    """Four metals of the Meuse floodplain in blocks, with distance to the river."""
    table = pd.read_csv(find("meuse") / "meuse.csv")
    table["root of distance"] = np.sqrt(table["dist.m"])
    read = {"table": table, "elements": ["cadmium", "copper", "lead", "zinc"]}
    samples = read_samples(read, covariates=["root of distance", "elev"], kinds=["ffreq", "soil"])
    return in_groups(samples, quick)


def copper_dump(quick):
    """Copper of a stockpile drilled in 3D, whole holes held out."""
    read = {"table": find("clark_dump") / "copper_dump.csv", "elements": ["Z"],
            "units": {"Z": "wt%"}, "errors": "missing"}  # fmt: skip
    samples = read_samples(read, easting="x1", northing="x2", elevation="x3", hole="a")
    return in_groups(samples, quick)


def simulated_dump(quick):
    """Three elements of a simulated dump in 3D, whole holes held out."""
    made = simulate_tailings("dump", n_samples=240 if quick else 400, random_state=0)
    read = {"table": made.table, "elements": list(made.elements[: 2 if quick else 3])}
    return in_groups(read_samples(read), quick)


def simulated_surface(quick):  # noqa: ARG001
    """Three elements of a simulated impoundment's surface, sampled densely, every other held out."""
    made = simulate_tailings("surface", n_samples=900, random_state=0)
    samples = read_samples({"table": made.table, "elements": list(made.elements[:3])})
    rows = np.random.default_rng(0).permutation(len(samples.coords))
    return samples, None, [(np.sort(rows[:450]), np.sort(rows[450:]))]


def simulated_roughness(seed, quick):  # noqa: ARG001
    """A field made as Walker Lake was, 470 samples of 78,000 cells, 780 others asked for."""
    table = simulate_roughness(random_state=seed).to_dataframe().reset_index()
    rows = np.random.default_rng(seed).permutation(len(table))[:1250]
    read = {"table": table.iloc[rows], "elements": ["V"]}
    samples = read_samples(read)
    rows = np.arange(1250)
    return samples, None, [(rows[:470], rows[470:])]


def in_groups(samples, quick) -> Made:
    """Return the samples with their holes or blocks, and folds of these."""
    groups, folds, _ = hold_out_groups(samples, n_splits=3 if quick else 5)
    return samples, groups, folds


DATA: dict[str, Callable[[bool], Made]] = {
    "Jura, external places": jura_external,
    "Jura, blocks": jura_blocks,
    "Meuse, blocks": meuse_blocks,
    "copper dump, whole holes": copper_dump,
    "simulated dump, whole holes": simulated_dump,
    "simulated surface, dense": simulated_surface,
    **{f"simulated roughness {k}, dense": partial(simulated_roughness, k) for k in FIELDS},
}

if __name__ == "__main__":
    main()
