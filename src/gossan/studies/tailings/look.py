"""What a look at a tailings study finds before it runs: samples or holes, places, folds and effort."""

from __future__ import annotations

from typing import Any

import numpy as np

from gossan.data.assays import read_assays
from gossan.report._writing import count_of
from gossan.studies.composites import hole_problems
from gossan.studies.looking import FIXED_BYTES, Look, hole_notes, missing_columns, missing_elements
from gossan.studies.record import Study
from gossan.studies.tailings import sections
from gossan.studies.tailings.maps import cells_near, grid_of
from gossan.studies.tailings.methods import applicable
from gossan.studies.tailings.run import Settings, folds_of, places_of, samples_of, settings_of
from gossan.studies.tailings.samples import Samples

FILES = {"read": ("table",), "holes": ("collar", "survey", "assay"), "grid": ("table",)}
# Seconds that a fit of a method takes on a hundred samples and one element, and how it grows.
SECONDS = {"network": 2.0, "process": 0.6, "cokriging": 0.2}
USUAL_SECONDS = 0.08


def look_at(study: Study, look: Look, absent: set[tuple[str, str]]) -> None:
    """Look at the tables of a tailings study.

    Parameters
    ----------
    study : Study
        As it was meant.
    look : Look
        What is found is added to it.
    absent : set of (section, key)
        Files that are not there.
    """
    settings = look.attempt(settings_of, study)
    if settings is None or {section for section, _ in absent} & {"read", "holes"}:
        return
    n_before = len(look.problems)
    if "holes" in study.sections and "read" not in study.sections:
        _look_at_holes(study, look)
    elif "table" in study.sections.get("read", {}) and "holes" not in study.sections:
        _look_at_points(study, look, settings)
    if len(look.problems) > n_before:
        return
    samples = look.attempt(samples_of, study, settings)
    if samples is None:
        return
    folds = look.attempt(folds_of, samples, settings)
    if ("grid", "table") not in absent:
        look.attempt(places_of, study, settings, samples)
    _describe(look, samples)
    n_cells = _look_at_grid(look, samples, settings)
    if folds is not None and not look.problems:
        _effort(look, samples, settings, n_folds=len(folds[1]), n_cells=n_cells)


def _look_at_points(study: Study, look: Look, settings: Settings) -> None:
    read = study.sections["read"]
    there: dict[str, Any] = read | {"table": study.path.parent / read["table"]}
    named = {key: value for key, value in settings.points.items() if key != "unit"}
    faults = [
        *(look.attempt(missing_columns, study, "points", there, named) or []),
        *(look.attempt(missing_elements, there) or []),
    ]
    for fault in faults:
        look.add(fault)
    if faults:
        left = {key: value for key, value in there.items() if key != "elements"}
        look.attempt(lambda: read_assays(**left))


def _look_at_holes(study: Study, look: Look) -> None:
    told = sections.holes(**study.sections["holes"])
    files = told["tables"]
    base = study.path.parent
    named = {role: base / files[role] for role in ("collar", "survey", "assay") if files[role]}
    found = look.attempt(
        lambda: hole_problems(files | named, elements=told["elements"], fix=told["fix"])
    )
    for problem in found[0] if found else ():
        look.add(problem)
    if found:
        look.notes += hole_notes(found[1])


def _describe(look: Look, samples: Samples) -> None:
    holes = "" if samples.holes is None else f" in {len(np.unique(samples.holes)):,} holes"
    n_known = samples.covariates.shape[1]
    known = f", {n_known} columns of covariates" if n_known else ""
    names = ", ".join(samples.elements)
    low = int(samples.is_censored.to_numpy().sum())
    look.found += [
        f"{samples.source}: {len(samples.coords):,} samples{holes}, {samples.n_dims}D{known}",
        _extent(samples),
        f"{count_of(len(samples.elements), 'element')}: {names}; {low:,} values below detection",
    ]
    look.notes += samples.left_out


def _extent(samples: Samples) -> str:
    """Return the span of each coordinate, in which a wrong column or unit is seen at once."""
    low, high = samples.coords.min(axis=0), samples.coords.max(axis=0)
    spans = [
        f"{axis} {a:,.0f} to {b:,.0f} m" for axis, a, b in zip(samples.axes, low, high, strict=True)
    ]
    return ", ".join(spans)


def _look_at_grid(look: Look, samples: Samples, settings: Settings) -> int:
    """Return the number of cells to estimate."""
    if settings.grid["table"]:
        return 0
    if samples.covariates.shape[1]:
        look.notes.append(
            "no map will be made: covariates are not known between the samples. Name places with"
            ' their covariates, [grid] table = "cells.csv", to have one.'
        )
        return 0
    asked = {key: settings.grid[key] for key in ("spacing", "vertical_spacing")}
    grid = look.attempt(lambda: grid_of(samples, **asked))
    if grid is None:
        return 0
    found = look.attempt(cells_near, grid, samples, settings.grid["max_distance"])
    n_near = 0 if found is None else int(found[1].sum())
    sizes = " x ".join(f"{grid.sizes[axis]:,}" for axis in grid.sizes)
    look.found.append(f"grid of {sizes} cells, {n_near:,} of them near a sample")
    return n_near


def _effort(
    look: Look, samples: Samples, settings: Settings, *, n_folds: int, n_cells: int
) -> None:
    n, n_elements = samples.values.shape
    names = applicable(
        settings.methods["names"], n_elements=n_elements, n_covariates=samples.covariates.shape[1]
    )
    once = sum(SECONDS.get(name, USUAL_SECONDS) for name in names) * n_elements
    grown = (n / 100.0) ** 1.3
    n_fits = n_folds * (1 + settings.validate["n_inner_splits"])
    n_fits += n_folds * 3 * settings.validate["random_split"] / max(len(names), 1) * 2
    look.found.append(f"{n_folds} folds, {len(names)} methods")
    published = 30.0 * n_elements * n_folds * (n / 200.0) * settings.validate["published"]
    look.seconds = 10 + once * grown * n_fits + published + once * n_cells / 5000.0
    look.n_bytes = FIXED_BYTES + 24.0 * n * n * n_elements + 4000.0 * n_cells * n_elements
