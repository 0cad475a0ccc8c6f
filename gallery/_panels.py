"""The figures of the page one by one: a function of `gossan.plot` each, on a simulated world.

A `Worlds` and axes come in; the figure goes onto the axes.
"""

# ruff: noqa: ARG001
# A panel takes the worlds whether it draws them or a few made-up numbers.

from __future__ import annotations

import numpy as np
import pandas as pd
from _worlds import KINDS, METHODS

from gossan import plot
from gossan.data import significant_intercepts
from gossan.evidence import fractal_thresholds
from gossan.geochem import NORMALISING, ORDERS, enrichment_factors, lead_curve, normalise
from gossan.geostat import experimental_variogram, fit_variogram, variogram_map
from gossan.validation import capture_curve, occurrence_shares, prediction_area, roc_by_ranks

TYPES = ["MVT", "SEDEX", "VMS", "Skarn", "Epithermal"]
PANELS = {}  # function of gossan.plot -> (group, size, draw)


def panel(group, width=6.4, height=4.2):
    """Register a function `draw(worlds, ax)` under the name of the figure that it draws."""

    def keep(draw):
        PANELS[draw.__name__] = (group, (width, height), draw)
        return draw

    return keep


# Maps, sections and logs -------------------------------------------------------------------------


@panel("Maps, sections and logs")
def plot_map(w, ax):
    plot.plot_map(w.district, "Cu", samples=w.samples, censored=w.flags, ax=ax)
    plot.add_graticule(ax)


@panel("Maps, sections and logs")
def plot_samples(w, ax):
    plot.plot_samples(w.samples, "Au", censored=w.flags, unit="ppb", ax=ax)


@panel("Maps, sections and logs")
def plot_spread(w, ax):
    plot.plot_spread(w.district, "Cu", samples=w.samples, relative=True, ax=ax)


@panel("Maps, sections and logs")
def plot_departure(w, ax):
    plot.plot_departure(w.district, "Cu", ax=ax)


@panel("Maps, sections and logs", 6.4, 5.0)
def plot_prospectivity_map(w, ax):
    known = w.region.occurrences["is_known"].to_numpy()
    sets = {"Known": w.region.occurrences[known], "Hidden": w.region.occurrences[~known]}
    plot.plot_prospectivity_map(w.district, occurrences=sets, faults=w.region.faults,
                                support="supported", ax=ax)  # fmt: skip


@panel("Maps, sections and logs", 6.4, 5.0)
def plot_targets(w, ax):
    level = float(w.assays.loc[w.assays["Au"].idxmax(), "elevation"])
    plot.plot_targets(w.blocks, at={"elevation": level}, traces=w.holes.traces(step=10),
                      reach=40, ax=ax)  # fmt: skip


@panel("Maps, sections and logs", 7.6, 5.0)
def plot_section(w, ax):
    plot.plot_section(w.assays, "Au", line=w.line, width=150, traces=w.holes.traces(step=10),
                      lithology=w.holes.points("lithology"), ground=w.deposit.ground,
                      censored=w.holes.censored["assay"], unit="ppb", ax=ax)  # fmt: skip


@panel("Maps, sections and logs", 7.6, 5.6)
def plot_section_of_blocks(w, ax):
    start, end = w.line
    planned = pd.DataFrame({"hole": "planned", "elevation": [3060.0, 2760.0]})
    for place, axis in enumerate(("easting", "northing")):
        planned[axis] = [0.75 * start[place] + 0.25 * end[place], (start[place] + end[place]) / 2]
    top = float(w.deposit.ground["elevation"].max())
    plot.plot_section(None, "Au", line=w.line, width=80, traces=w.holes.traces(step=10),
                      planned=planned, grid=w.blocks, ground=w.deposit.ground, unit="ppb",
                      elevations=(top - 420, top + 30), ax=ax)  # fmt: skip


@panel("Maps, sections and logs", 7.0, 7.4)
def plot_strip_log(w, ax):
    found = significant_intercepts(w.assays, "Au", 500, max_dilution=4).table
    plot.plot_strip_log(w.assays, ["Au", "As", "Cu"], hole=w.best_hole, units=w.holes.units["assay"],
                        lithology=w.holes.points("lithology"), cutoffs={"Au": 500},
                        censored=w.holes.censored["assay"],
                        intercepts=found[found["hole"] == w.best_hole], ax=ax)  # fmt: skip


# How it varies in space --------------------------------------------------------------------------


def _log_copper(w):
    return w.samples[["easting", "northing"]].to_numpy(), np.log(w.samples["Cu"].to_numpy())


@panel("How it varies in space")
def plot_variogram(w, ax):
    found = experimental_variogram(*_log_copper(w))
    plot.plot_variogram(found.table(), model=fit_variogram(found).model, unit="ln ppm", ax=ax)


@panel("How it varies in space")
def plot_variogram_by_direction(w, ax):
    tables = [
        experimental_variogram(*_log_copper(w), direction=azimuth, tolerance=22.5).table()
        .assign(direction=azimuth)
        for azimuth in (0.0, 45.0, 90.0, 135.0)
    ]  # fmt: skip
    plot.plot_variogram(pd.concat(tables), unit="ln ppm", ax=ax)


@panel("How it varies in space")
def plot_variogram_map(w, ax):
    plot.plot_variogram_map(variogram_map(*_log_copper(w)), unit="ln ppm", ax=ax)


# What the chemistry says -------------------------------------------------------------------------


@panel("What the chemistry says")
def plot_discrimination(w, ax):
    table = w.chemistry.table
    plot.plot_discrimination(
        table, ("Ge", "In"), classes=table["type"], points=table.head(12), ax=ax
    )


@panel("What the chemistry says", 6.4, 5.0)
def plot_ternary(w, ax):
    table = w.chemistry.table
    table = table[table["type"].isin(["MVT", "VMS", "Epithermal"])]
    field = {"a field": [[1, 6, 3], [1, 3, 6], [3, 3.5, 3.5]]}
    plot.plot_ternary(table, ("Fe", "Mn", "Cd"), classes=table["type"], fields=field, ax=ax)


@panel("What the chemistry says")
def plot_embedding(w, ax):
    table = w.chemistry.table
    logs = np.log(table[list(w.chemistry.elements)])
    centred = (logs - logs.mean()).to_numpy()
    left, sizes, turned = np.linalg.svd(centred, full_matrices=False)
    shares = 100 * sizes**2 / (sizes**2).sum()
    names = [f"PC{i + 1} ({shares[i]:.0f} % of variance)" for i in range(2)]
    places = pd.DataFrame(left[:, :2] * sizes[:2], columns=names)
    loadings = pd.DataFrame(turned[:2].T, index=w.chemistry.elements, columns=names)
    plot.plot_embedding(places, classes=table["type"], loadings=loadings, ax=ax)


def _patterns(w, order, reference):
    """Return 60 made-up rocks of two suites: the crust, and a mantle melt, with scatter."""
    crust = pd.Series(NORMALISING["upper_crust"].concentrations)
    mantle = pd.Series(NORMALISING["primitive_mantle"].concentrations)
    melt = mantle * np.linspace(12, 3, len(mantle))
    rows = [base * w.rng.lognormal(0, 0.18, len(base)) for base in [crust] * 8 + [melt] * 8]
    table = pd.DataFrame(rows).reset_index(drop=True)
    table.loc[:7, "Eu"] *= 0.6  # plagioclase stayed behind
    table.loc[2, "Tb"] = np.nan
    return normalise(table, reference, order=order), ["granite"] * 8 + ["basalt"] * 8


@panel("What the chemistry says")
def plot_spider(w, ax):
    found, classes = _patterns(w, "rare_earths", "chondrite")
    plot.plot_spider(found.table, classes=classes, reference=found.reference, ax=ax)


@panel("What the chemistry says", 9.0, 4.2)
def plot_spider_as_bands(w, ax):
    found, classes = _patterns(w, ORDERS["incompatible"], "primitive_mantle")
    plot.plot_spider(found.table, classes=classes, reference=found.reference, draw="bands", ax=ax)


@panel("What the chemistry says")
def plot_element_by_class(w, ax):
    table = w.chemistry.table
    plot.plot_element_by_class(table["Ge"], table["type"], censored=w.chemistry.truth.censored["Ge"],
                               points={"Mine": table["Ge"].head(12)}, ax=ax)  # fmt: skip


@panel("What the chemistry says")
def plot_enrichment(w, ax):
    medians = w.chemistry.table.groupby("type")[list(w.chemistry.elements)].median()
    found = enrichment_factors(medians, "upper_crust")
    plot.plot_enrichment(found.factors, found.reference, ax=ax)


@panel("What the chemistry says")
def plot_temperatures(w, ax):
    mines = pd.DataFrame({"deposit": ["North", "South"], "temperature": [150.0, 265.0],
                          "low": [110.0, 220.0], "high": [190.0, 310.0],
                          "class": ["MVT", "VMS"]})  # fmt: skip
    bands = pd.DataFrame({"class": ["MVT", "VMS"], "low": [90.0, 220.0], "middle": [140.0, 270.0],
                          "high": [200.0, 330.0]})  # fmt: skip
    plot.plot_temperatures(mines, class_ranges=bands, valid_range=(100.0, 400.0), ax=ax)


@panel("What the chemistry says")
def plot_lead_isotopes(w, ax):
    ages = np.arange(0.0, 1001.0, 50.0)
    curve = lead_curve(ages).assign(age=ages)
    curve.columns = curve.columns.str.replace("Pb", "")
    middle = curve.loc[curve["age"] == 400].iloc[0]
    lead = pd.DataFrame({"deposit": np.repeat(["North", "South"], 8)})
    for name in ("206/204", "207/204"):
        lead[name] = middle[name] + w.rng.normal(0, 0.05 if name == "206/204" else 0.008, 16)
    plot.plot_lead_isotopes(lead, curves={"Stacey & Kramers 1975": curve}, ax=ax)


@panel("What the chemistry says")
def plot_censored_shares(w, ax):
    below = w.flags[["Au", "Ag", "Bi", "Sb", "W", "Mo"]].mean()
    plot.plot_censored_shares(pd.DataFrame({"below_limit": below, "missing": 0.02}), ax=ax)


# What may point to ore ---------------------------------------------------------------------------


@panel("What may point to ore")
def plot_fractal(w, ax):
    found = fractal_thresholds(w.blocks["Au"].to_numpy().ravel(), random_state=0)
    curve = found.curve.rename(columns={"size": "volume"}).copy()
    curve["volume"] *= 50.0**3
    curve = curve[["value", "volume"]]
    breaks = pd.DataFrame({"name": found.names[1:], "value": found.thresholds,
                           "low": found.intervals[:, 0], "high": found.intervals[:, 1]})  # fmt: skip
    plot.plot_fractal(curve, breaks, name="Au", unit="ppb", ax=ax)


@panel("What may point to ore")
def plot_zoning(w, ax):
    names = ["Hg", "Sb", "As", "Au", "Cu", "Bi", "Mo"]
    table = pd.DataFrame({"element": names, "rank": range(1, 8), "centre": np.linspace(3050, 2700, 7),
                          "level": np.linspace(3080, 2650, 7)})  # fmt: skip
    plot.plot_zoning(table, ax=ax)


@panel("What may point to ore")
def plot_loadings(w, ax):
    table = pd.DataFrame({"element": ["Au", "As", "Sb", "Hg", "Cu", "Mo", "W"],
                          "factor 1": [0.9, 0.86, 0.7, 0.55, 0.2, -0.3, -0.65]})  # fmt: skip
    plot.plot_loadings(table, "factor 1", marked=["Au", "As"], ax=ax)


@panel("What may point to ore")
def plot_contributions(w, ax):
    table = pd.DataFrame({"element": ["Cu", "Mo", "Au", "Ni", "Li"],
                          "known": [0.9, 0.5, 0.4, -0.1, -0.3],
                          "new": [0.7, 0.6, 0.1, 0.05, -0.1]})  # fmt: skip
    plot.plot_contributions(
        table, {"known": "at known occurrences", "new": "at new targets"}, ax=ax
    )


# How good the ranking is -------------------------------------------------------------------------


@panel("How good the ranking is", 5.2, 4.8)
def plot_roc(w, ax):
    curves, areas = [], {}
    for name, (found, cells) in w.scores.items():
        truth = np.repeat([True, False], [len(found), len(cells)])
        false, true, area = roc_by_ranks(np.concatenate([found, cells]), truth)
        curves.append(pd.DataFrame({"method": name, "false_share": false, "true_share": true}))
        areas[name] = (area, area - 0.06, min(area + 0.06, 1))
    plot.plot_roc(pd.concat(curves), aucs=areas, kinds=KINDS, chosen="network", ax=ax)


@panel("How good the ranking is")
def plot_prediction_area(w, ax):
    plot.plot_prediction_area(
        prediction_area(*w.scores["network"]), label="Score of the network", ax=ax
    )


@panel("How good the ranking is")
def plot_capture_curves(w, ax):
    tables = []
    for name, (found, cells) in w.scores.items():
        curve = capture_curve(occurrence_shares(found, cells))
        area = np.concatenate([[0], np.geomspace(0.001, 1, 80)])
        bounds = np.array([curve.capture_interval(own) for own in area])
        tables.append(pd.DataFrame({"method": name, "area": area, "captured": curve.capture(area),
                                    "captured_low": bounds[:, 0],
                                    "captured_high": bounds[:, 1]}))  # fmt: skip
    plot.plot_capture_curves(pd.concat(tables), kinds=KINDS, chosen="network", ax=ax)


@panel("How good the ranking is")
def plot_success_rate(w, ax):
    share = np.concatenate([[0], np.geomspace(0.001, 1, 80)])
    tables = [
        pd.DataFrame({"method": name, "share": share,
                      "captured": capture_curve(occurrence_shares(*held)).capture(share)})
        for name, held in w.scores.items()
    ]  # fmt: skip
    plot.plot_success_rate(pd.concat(tables), kinds=KINDS, chosen="network", marks=(0.01,), ax=ax)


def _protocols(name, low, high):
    table = pd.DataFrame([
        {"method": method, "protocol": protocol, name: 0.6 + 0.3 * signal + gain,
         "kind": KINDS.get(method, "model")}
        for method, signal in METHODS.items()
        for protocol, gain in (("random cells", 0.07), ("blocks held out", 0.0))
    ])  # fmt: skip
    return table.assign(**{low: table[name] - 0.04, high: table[name] + 0.04})


@panel("How good the ranking is", 6.8, 3.2)
def plot_protocol_scores(w, ax):
    plot.plot_protocol_scores(_protocols("auc", "auc_low", "auc_high"), chosen="network",
                              published="random cells", ax=ax)  # fmt: skip


@panel("How good the ranking is", 6.8, 3.2)
def plot_protocols(w, ax):
    table = _protocols("score", "low", "high").rename(columns={"method": "model"})
    plot.plot_protocols(table, label="AUC", chance=0.5, ax=ax)


# How sure, and why -------------------------------------------------------------------------------


@panel("How sure, and why", 6.4, 4.6)
def plot_confusion(w, ax):
    counts = pd.DataFrame(w.rng.poisson(0.7, (5, 5)) + 12 * np.eye(5, dtype=int), TYPES, TYPES)
    plot.plot_confusion(counts, ax=ax)


@panel("How sure, and why", 4.8, 4.6)
def plot_calibration(w, ax):
    stated = np.array([0.3, 0.5, 0.7, 0.9])
    points = pd.DataFrame({"stated": stated, "observed": stated**1.3, "n": [12, 30, 41, 60]})
    points = points.assign(low=points["observed"] - 0.08, high=points["observed"] + 0.08)
    plot.plot_calibration(points, ax=ax)


@panel("How sure, and why")
def plot_importance(w, ax):
    table = pd.DataFrame(
        {"feature": ["Ge", "In", "Cd", "Mn"], "importance": [0.21, 0.14, 0.05, 0.01]}
    )
    table = table.assign(low=table["importance"] - 0.02, high=table["importance"] + 0.02)
    plot.plot_importance(table, ax=ax)


@panel("How sure, and why", 6.8, 3.2)
def plot_probabilities(w, ax):
    rows = w.rng.dirichlet([0.6] * 5, 4)
    table = pd.DataFrame(rows, [f"Mine {i}" for i in "ABCD"], TYPES)
    sets = {mine: list(row[row > 0.15].index) for mine, row in table.iterrows()}
    plot.plot_probabilities(table, conformal_sets=sets, ax=ax)


@panel("How sure, and why")
def plot_dominance(w, ax):
    table = pd.DataFrame(w.rng.uniform(-1, 1, (5, 8)), TYPES, list(w.chemistry.elements[:8]))
    plot.plot_dominance(table, ax=ax)


@panel("How sure, and why", 4.8, 4.6)
def plot_measured(w, ax):
    measured = w.rng.lognormal(3, 0.8, 250)
    estimate = measured * w.rng.lognormal(0, 0.35, 250)
    table = pd.DataFrame({"measured": measured, "estimate": estimate, "low": estimate * 0.56,
                          "high": estimate * 1.78})  # fmt: skip
    plot.plot_measured(table, censored=measured < 6, ax=ax)


@panel("How sure, and why", 6.4, 2.6)
def plot_coverage(w, ax):
    table = pd.DataFrame({"name": ["Cu", "Mo", "Au"], "coverage": [0.91, 0.88, 0.83]})
    plot.plot_coverage(
        table.assign(low=table["coverage"] - 0.03, high=table["coverage"] + 0.03), ax=ax
    )


@panel("How sure, and why", 4.8, 4.6)
def plot_interval_calibration(w, ax):
    stated = np.tile(np.arange(0.1, 1, 0.1), 2)
    held = pd.DataFrame({"stated": stated, "observed": stated ** np.repeat([1.05, 1.4], 9),
                         "method": np.repeat(["network", "kriging"], 9)})  # fmt: skip
    held = held.assign(low=held["observed"] - 0.04, high=held["observed"] + 0.04)
    plot.plot_interval_calibration(held, ax=ax)


@panel("How sure, and why", 6.8, 2.8)
def plot_crps_ratios(w, ax):
    table = pd.DataFrame([
        {"method": method, "split": split, "crps_ratio": ratio + gain}
        for method, ratio in (("network", 0.93), ("inverse distance", 1.12))
        for split, gain in (("random rows", -0.04), ("blocks held out", 0.0))
    ])  # fmt: skip
    plot.plot_crps_ratios(w.intervals(table, "crps_ratio"), chosen="network", ax=ax)
