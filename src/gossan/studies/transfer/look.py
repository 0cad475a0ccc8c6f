"""What a look at a transfer study finds before it runs: labels, ground, rasters, blocks and effort."""

from __future__ import annotations

from typing import Any

from gossan.studies.looking import FIXED_BYTES, Look, missing_columns
from gossan.studies.record import Study
from gossan.studies.transfer.mapping import read_grid_of
from gossan.studies.transfer.preparing import Prepared, Settings, prepare
from gossan.studies.transfer.run import settings_of
from gossan.studies.transfer.tables import Sites, read_sites
from gossan.studies.transfer.unlabelled import read_classes, read_ground, read_published

FILES = {
    "labels": ("table",),
    "background": ("table", "rasters"),
    "pretext": ("classes",),
    "validate": ("published",),
    "map": ("rasters",),
}
# Seconds that a method takes for all folds of one partition at a hundred labels.
SECONDS = {"net": 6.0, "pretrained net": 10.0, "gp": 1.5, "svm + gp": 2.0, "forest": 2.0,
           "published fde_ft": 12.0, "published gcp_ft": 12.0, "published scratch": 8.0}  # fmt: skip
USUAL_SECONDS = 0.3


def look_at(study: Study, look: Look, absent: set[tuple[str, str]]) -> None:
    """Look at the tables and rasters of a transfer study.

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
    if ("labels", "table") not in absent:
        told = settings["labels"]
        table = {"table": study.path.parent / told["table"]}
        given = study.sections["labels"]
        named = {
            key: told[key] for key in ("label", "easting", "northing", "evidence") if key in given
        }
        for fault in look.attempt(missing_columns, study, "labels", table, named) or []:
            look.add(fault)
            absent = absent | {("labels", "table")}  # read by the right columns only
    if len(look.problems) == n_before and not absent:
        prepared = look.attempt(prepare, study, settings)
        if prepared is not None:
            look.attempt(prepared.trial.partitions, "blocks")
            _describe(look, prepared, settings)
            return
    _look_at_files(study, look, settings, absent)


def _look_at_files(
    study: Study, look: Look, settings: Settings, absent: set[tuple[str, str]]
) -> None:
    """Look at each file by itself, so that one at fault hides no other."""
    folder = study.path.parent
    crs = None
    if "map" in settings and ("map", "rasters") not in absent:
        asked: dict[str, Any] = settings["map"]
        grid = look.attempt(
            lambda: read_grid_of(
                asked["rasters"], folder, resample=asked["resample"], nodata=asked["nodata"]
            )
        )
        crs = None if grid is None else grid.attrs.get("crs")
    sites: Sites | None = None
    if ("labels", "table") not in absent:
        sites = look.attempt(lambda: read_sites(settings["labels"], folder, to_crs=crs))
    if sites is None:
        return
    told = settings["background"]
    if told["table"] and ("background", "table") not in absent:
        look.attempt(read_ground, told, folder, sites)
    if settings["pretext"]["classes"] and ("pretext", "classes") not in absent:
        look.attempt(read_classes, settings["pretext"], folder, sites)
    published = settings["validate"]["published"]
    if published and ("validate", "published") not in absent:
        look.attempt(read_published, folder / published, sites, settings["labels"])


def _describe(look: Look, prepared: Prepared, settings: Settings) -> None:
    trial, layers = prepared.trial, prepared.layers
    sites, ground = trial.sites, trial.ground
    n_ore = len(sites.occurrences)
    look.found += [
        f"{sites.source}: {n_ore:,} deposits and {len(sites.y) - n_ore:,} barren sites",
        f"{len(sites.names)} columns of evidence: {', '.join(sites.names)}",
    ]
    if ground is not None:
        look.found.append(f"{ground.source}: {len(ground.X):,} rows of background")
    n_cells = 0 if layers is None else len(layers.cells)
    if layers is not None:
        sizes = " x ".join(f"{n:,}" for n in layers.shape)
        look.found.append(f"rasters of {sizes} cells, {n_cells:,} of them with all evidence")
    look.notes += [*sites.notes, *sites.left_out, *prepared.notes]
    if look.problems:
        return
    told, names = settings["validate"], settings["methods"]["names"]
    members = settings["methods"]["n_members"] / 10.0
    once = sum(
        SECONDS.get(name, USUAL_SECONDS) * (members if "net" in name else 1.0) for name in names
    )
    often = 2 * told["n_partitions"] * settings["methods"]["n_seeds"]
    size = max(len(sites.y) / 100.0, 0.3)
    look.found.append(f"{len(names)} methods, {told['n_partitions']} partitions into blocks")
    look.seconds = 15 + once * often * size + 2.0 * told["n_nulls"] + n_cells / 20_000.0
    look.n_bytes = FIXED_BYTES + 100.0 * n_cells * len(sites.names)
