"""What a look at a region study finds before it runs: samples, layers, occurrences, blocks, effort."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from gossan.data.assays import read_assays
from gossan.data.grids.grid import spacing_of
from gossan.studies.looking import FIXED_BYTES, Look, missing_columns, missing_elements
from gossan.studies.places import place_points
from gossan.studies.record import Study
from gossan.studies.region.geology import fault_distance, rock_cells
from gossan.studies.region.layers import read_layers
from gossan.studies.region.plan import (
    index_channels,
    make_plan,
    single_channel,
    widest_field,
)
from gossan.studies.region.run import Settings, cells_of, settings_of
from gossan.studies.region.samples import BYTES_A_VALUE, grid_samples
from gossan.studies.region.tables import Region, read_region
from gossan.studies.trials import deal_blocks

FILES = {
    "samples": ("table",),
    "layers": ("files",),
    "occurrences": ("table",),
    "faults": ("table",),
    "lithology": ("table",),
    "catchments": ("table",),
    "background": ("barren",),
    "source": ("samples", "occurrences"),
}
# Seconds of one fit of all draws: at any size, and for each thousand rows that are learnt.
SECONDS = {
    "forest": (0.4, 0.8), "neighbourhood forest": (0.4, 1.0), "boosted trees": (0.4, 0.1),
    "isolation forest": (0.45, 0.0), "fine-tuned": (1.0, 2.0),
}  # fmt: skip
USUAL_SECONDS = (0.05, 0.1)
NET_SECONDS = (0.3, 1.0)  # of a window of three cells
FITS_OF_A_FAKE = 7  # of the few methods that are tried on fakes, the slow ones rarely among them


def look_at(study: Study, look: Look, absent: set[tuple[str, str]]) -> None:
    """Look at the tables and rasters of a region study.

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
    if settings is None:
        return
    n_before = len(look.problems)
    if "samples" in settings and ("samples", "table") not in absent:
        _look_at_samples(study, look, settings)
    if len(look.problems) == n_before and not absent:
        region = look.attempt(read_region, settings, study.path.parent)
        if region is not None:
            _look_at_folds(study, look, region, settings)
            return
    _look_at_files(study, look, settings, absent)


def _look_at_samples(study: Study, look: Look, settings: Settings) -> None:
    told = settings["samples"]
    read: dict[str, Any] = told["read"] | {"table": study.path.parent / told["read"]["table"]}
    named = {key: told[key] for key in ("easting", "northing")}
    faults = [
        *(look.attempt(missing_columns, study, "samples", read, named) or []),
        *(look.attempt(missing_elements, read) or []),
    ]
    for fault in faults:
        look.add(fault)
    if faults:
        look.attempt(lambda: read_assays(**{k: v for k, v in read.items() if k != "elements"}))


def _look_at_files(
    study: Study, look: Look, settings: Settings, absent: set[tuple[str, str]]
) -> None:
    """Look at each file by itself, so that one at fault hides no other."""
    folder = study.path.parent
    grid: xr.Dataset | None = None
    if "samples" in settings and ("samples", "table") not in absent:
        sampled = look.attempt(grid_samples, settings, folder)
        grid = None if sampled is None else sampled.grid
    elif "layers" in settings and ("layers", "files") not in absent:
        read = look.attempt(read_layers, settings["layers"], folder, None)
        grid = None if read is None else read[0]
    crs = None if grid is None else grid.attrs.get("crs")
    if ("occurrences", "table") not in absent:
        told = settings["occurrences"]
        look.attempt(
            lambda: place_points(
                folder / told["table"], crs=told["crs"], to_crs=crs, easting=told["easting"],
                northing=told["northing"], column=told["column"], words=told["words"],
            )
        )  # fmt: skip
    if grid is None:
        return
    if "faults" in settings and ("faults", "table") not in absent:
        look.attempt(fault_distance, grid, settings["faults"], folder, crs)
    if "lithology" in settings and ("lithology", "table") not in absent:
        look.attempt(rock_cells, grid, settings["lithology"], folder)


def _look_at_folds(study: Study, look: Look, region: Region, settings: Settings) -> None:
    field = widest_field(settings)
    look.attempt(index_channels, region, settings, study)
    look.attempt(single_channel, region, settings, study)
    cells = look.attempt(lambda: cells_of(region, settings, field=1, n_patterns=0))
    plan = look.attempt(lambda: make_plan(region, settings, field=field))
    dealt = None
    if cells is not None and plan is not None:
        dealt = look.attempt(deal_blocks, cells, plan, 0)
    _describe(look, region)
    if dealt is None or plan is None or cells is None:
        return
    names, chosen = settings["methods"]["names"], settings["methods"]
    often = plan.n_repeats * len(plan.seeds)
    look.found.append(f"{len(names)} methods; {plan.describe()}")
    draws = settings["background"]["n_draws"]
    n_known = int((cells.y == 1).sum())
    rows = n_known * (1.0 + settings["background"]["per_positive"]) / 1000.0
    once = sum(_seconds(name, rows, draws, chosen["n_members"]) for name in names)
    n_fits = 1 + plan.n_splits * (1 + often)
    fakes = FITS_OF_A_FAKE * settings["validate"]["n_nulls"]
    look.seconds = 15 + n_fits * once + fakes * _seconds("neighbourhood logistic", rows, draws, 1)
    n_values = float(region.volume.size)
    windows = len(cells.y) * len(region.channels) * field**2 * 4.0 * 4
    look.n_bytes = FIXED_BYTES + BYTES_A_VALUE * n_values + windows


def _seconds(name: str, rows: float, n_draws: int, n_members: int) -> float:
    is_net = any(word in name for word in ("cnn", "lenet", "head", "fine-tuned", "zero-shot"))
    if is_net:
        side = next((int(word) for word in name.split() if word.isdigit()), 3)
        return (NET_SECONDS[0] + NET_SECONDS[1] * rows) * max(side, 3) / 3.0 * n_members / 5.0
    fixed, more = SECONDS.get(name, USUAL_SECONDS)
    return (fixed + more * rows) * n_draws / 5.0


def _cell_words(region: Region) -> str:
    north, east = spacing_of(region.grid)
    return f"{east:,.5g} m" if east == north else f"{east:,.5g} x {north:,.5g} m"


def _describe(look: Look, region: Region) -> None:
    told = f"{region.files['samples']}: {region.n_samples:,} samples" if region.n_samples else ""
    sizes = " x ".join(f"{region.grid.sizes[axis]:,}" for axis in ("northing", "easting"))
    placed, source = region.occurrences, region.files["occurrences"]
    n = int(region.is_supported.sum())
    look.found += [told] * bool(told) + [
        f"{len(region.channels)} layers: {', '.join(region.channels)}",
        f"grid of {sizes} cells of {_cell_words(region)}, {n:,} supported ({region.area:,.0f} km²)",
        f"{source}: {len(region.points.coords):,} occurrences, in {len(placed.cells):,} supported cells",
    ]
    if region.barren is not None:
        look.found.append(
            f"barren ground: {int(region.barren.sum()):,} cells, alone the background"
        )
    if region.rocks is not None:
        look.found.append(f"{region.files['lithology']}: {len(np.unique(region.rocks)):,} rocks")
    look.notes += [*region.notes, *region.left_out]
