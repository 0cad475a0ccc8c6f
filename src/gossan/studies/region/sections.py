"""What each section of a region study file may say: its keys, their defaults and their bounds.

Keyword arguments as a study file gives them come in; the same, checked and complete, go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gossan._checks import check_option
from gossan.studies.places import TABLES
from gossan.studies.region.catchments import MEASURED
from gossan.studies.region.levelling import CATCHMENT, ROCKS
from gossan.studies.region.methods import BASELINES, DEFAULT, METHODS, NEED_SOURCE, SILENT
from gossan.studies.shared_sections import check_range, target_section

GRIDDING = ("idw", "kriging", "minimum_curvature")
TRANSFORMS = ("log", "clr", "none")
RESAMPLING = ("refuse", "nearest", "linear", "mean")


def samples(
    *,
    table: str,
    crs: str | None = None,
    to_crs: str | None = None,
    easting: str | None = None,
    northing: str | None = None,
    elements: Sequence[str] | None = None,
    units: Mapping[str, str] | str | None = None,
    decimal: str | None = None,
    negatives: str = "limit",
    errors: str = "raise",
) -> dict[str, Any]:
    """Points with analyses: their table, coordinates and units."""
    told = {"table": table, "elements": elements, "units": units, "decimal": decimal,
            "negatives": negatives, "errors": errors}  # fmt: skip
    places = {"crs": crs, "to_crs": to_crs, "easting": easting, "northing": northing}
    return {"read": {key: value for key, value in told.items() if value is not None}, **places}


def layers(
    *,
    files: Sequence[str],
    elements: Sequence[str] | None = None,
    resample: str = "refuse",
    nodata: float | None = None,
) -> dict[str, Any]:
    """Rasters, which of them are concentrations, and what to do where their grids differ."""
    check_option("resample", resample, RESAMPLING)
    if not files:
        raise ValueError('files names no raster. Write files = ["*.tif"], or leave [layers] out.')
    return {"files": list(files), "elements": elements, "resample": resample,
            "nodata": nodata}  # fmt: skip


def occurrences(
    *,
    table: str,
    crs: str | None = None,
    easting: str | None = None,
    northing: str | None = None,
    column: str = "",
    words: Sequence[str] = (),
) -> dict[str, Any]:
    """Known occurrences, and which rows of their table count."""
    if bool(column) != bool(words):
        raise ValueError(
            f"column and words go together, got column = {column!r} and words = {list(words)}. Name"
            " the column and the words of the rows that count."
        )
    return {"table": table, "crs": crs, "easting": easting, "northing": northing,
            "column": column, "words": list(words)}  # fmt: skip


def faults(*, table: str, crs: str | None = None) -> dict[str, Any]:
    """Lines whose distance becomes a layer."""
    return {"table": table, "crs": crs}


def lithology(*, table: str, column: str = "lithology", crs: str | None = None) -> dict[str, Any]:
    """Geological map: polygons, or a table of cells with a column of rocks."""
    return {"table": table, "column": column, "crs": crs}


def catchments(
    *,
    table: str,
    column: str = "catchment",
    rocks: Sequence[str] = (),
    area: str = "",
    min_catchments: float = 10.0,
    crs: str | None = None,
) -> dict[str, Any]:
    """Ground that samples of stream sediment drain: a table with shares of rocks, or polygons."""
    check_range("min_catchments", min_catchments, 1.0, np.inf, "10 make a background firm")
    is_table = Path(table).suffix.lower() in TABLES
    if area == MEASURED and is_table:
        raise ValueError(
            f"area = {MEASURED!r} measures polygons, and {table} is a table. Name its column of areas."
        )
    if rocks and not is_table:
        raise ValueError(
            f"rocks names columns of shares of a table, and {table} holds polygons, whose rocks"
            " [lithology] tells. Leave it out."
        )
    return {"table": table, "column": column, "rocks": list(rocks), "area": area,
            "min_catchments": min_catchments, "crs": crs}  # fmt: skip


def grid(
    *,
    spacing: float = 0.0,
    method: str = "idw",
    n_neighbours: int = 12,
    support: int = 3,
    reach: float = 0.0,
    region: Sequence[float] = (),
) -> dict[str, Any]:
    """Cells that are scored, how samples are gridded, and where they support a cell."""
    check_option("method", method, GRIDDING)
    check_range("spacing", spacing, 0.0, np.inf, "0 chooses it from the samples")
    check_range("reach", reach, 0.0, np.inf, "0 chooses it from the samples")
    check_range("n_neighbours", n_neighbours, 1, 200, "12 is usual")
    check_range("support", support, 1, 50, "3 samples within reach are usual")
    if len(region) not in (0, 4) or not np.isfinite(list(region)).all():
        raise ValueError(
            f"region must be [west, east, south, north] in metres, got {list(region)}."
        )
    return {"spacing": spacing, "method": method, "n_neighbours": n_neighbours, "support": support,
            "reach": reach, "region": tuple(map(float, region))}  # fmt: skip


def elements(
    *,
    transform: str = "log",
    clip: float = 6.0,
    pathfinders: Sequence[str] = (),
    against: Sequence[str] = (),
    core: Sequence[str] = (),
    ring: Sequence[str] = (),
    most_censored: float = 0.5,
    level_by: str = "",
) -> dict[str, Any]:
    """How concentrations become robust scores, and which of them ore raises or lowers, and where."""
    check_option("transform", transform, TRANSFORMS)
    check_range("clip", clip, 1.0, 100.0, "6 is usual")
    check_range("most_censored", most_censored, 0.0, 1.0, "0.5 is usual")
    both = sorted(set(pathfinders) & set(against))
    if both:
        raise ValueError(f"{both[0]} stands among pathfinders and against. Keep it in one of them.")
    return {"transform": transform, "clip": clip, "pathfinders": list(pathfinders),
            "against": list(against), "core": list(core), "ring": list(ring),
            "most_censored": most_censored, "level_by": level_by}  # fmt: skip


def background(
    *,
    n_draws: int = 5,
    per_positive: float = 10.0,
    buffer: float = 0.0,
    rocks: Sequence[str] = (),
    barren: str = "",
) -> dict[str, Any]:
    """Which unlabelled cells stand for barren ground, and how often they are drawn."""
    check_range("n_draws", n_draws, 1, 100, "5 are usual")
    check_range("per_positive", per_positive, 1.0, 1000.0, "10 are usual")
    check_range("buffer", buffer, 0.0, np.inf, "0 allows background beside occurrences")
    return {"n_draws": n_draws, "per_positive": per_positive, "buffer": buffer,
            "rocks": list(rocks), "barren": barren}  # fmt: skip


def methods(
    *,
    names: Sequence[str] = (),
    choose: str = "",
    n_seeds: int = 1,
    n_members: int = 5,
    most_cells: int = 5000,
    random_state: int = 0,
) -> dict[str, Any]:
    """Which methods are compared, which one makes the map, and with how many seeds.

    Without names those of `usual_methods` are; those of `BASELINES` always.
    """
    for name in names:
        check_option("names", name, tuple(METHODS))
    if choose:
        check_option("choose", choose, tuple(METHODS))
        if choose in SILENT:
            raise ValueError(
                f"choose names {choose!r}, which paints what is known and makes no map. Name another."
            )
    check_range("n_seeds", n_seeds, 1, 20, "1 is usual: draws and members vary already")
    check_range("n_members", n_members, 1, 50, "5 tell a spread")
    check_range("most_cells", most_cells, 200, 10**6, "5000 are usual")
    check_range("random_state", random_state, 0, 2**31 - 1, "any whole number will do")
    wanted = {*BASELINES, *names, *([choose] if choose else [])}
    kept = tuple(name for name in METHODS if name in wanted) if names else ()
    return {"names": kept, "choose": choose, "n_seeds": n_seeds, "n_members": n_members,
            "most_cells": most_cells, "random_state": random_state}  # fmt: skip


def source(
    *,
    samples: str,
    occurrences: str,
    crs: str | None = None,
    to_crs: str | None = None,
    easting: str | None = None,
    northing: str | None = None,
    units: Mapping[str, str] | str | None = None,
) -> dict[str, Any]:
    """A well explored district of the same elements, and its occurrences."""
    return {"samples": samples, "occurrences": occurrences, "crs": crs, "to_crs": to_crs,
            "easting": easting, "northing": northing, "units": units}  # fmt: skip


def validate(
    *,
    n_splits: int = 5,
    n_repeats: int = 3,
    block_size: float = 0.0,
    dead_zone: float = 0.0,
    n_nulls: int = 20,
) -> dict[str, Any]:
    """Blocks that are held out, how often, and the fake patterns."""
    check_range("n_splits", n_splits, 2, 50, "5 is usual")
    check_range("n_repeats", n_repeats, 1, 100, "3 are usual")
    check_range("block_size", block_size, 0.0, np.inf, "0 chooses it from the variogram")
    check_range("dead_zone", dead_zone, 0.0, np.inf, "0 chooses it from the window")
    check_range("n_nulls", n_nulls, 0, 1000, "20 are usual; 0 leaves the test out")
    return {"n_splits": n_splits, "n_repeats": n_repeats, "block_size": block_size,
            "dead_zone": dead_zone, "n_nulls": n_nulls}  # fmt: skip


def targets(
    *, share: float = 0.05, least: float = 0.0, most: int = 30, attribution: bool = True
) -> dict[str, Any]:
    """Share of the area that makes targets, their least size, and how many are told."""
    return target_section(share=share, least=least, most=most) | {"attribution": attribution}


def check_levelling(path: Path, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ValueError where levelling lacks a section that it needs, or [catchments] lack it."""
    by = settings["elements"]["level_by"]
    if by and "samples" not in settings:
        raise ValueError(
            f"{path}: level_by levels samples, and this study has maps alone. Give the samples under"
            " [samples], or leave level_by out."
        )
    needed = {ROCKS: "lithology", CATCHMENT: "catchments"}.get(by, "")
    if needed and needed not in settings:
        raise ValueError(
            f'{path}: level_by = "{by}" needs a section [{needed}]. Add it, with table = FILE.'
        )
    if by != CATCHMENT and "catchments" in settings:
        raise ValueError(
            f'{path}: [catchments] is there for level_by = "{CATCHMENT}" under [elements]. Write that,'
            " or leave the section out."
        )
    if by == CATCHMENT and "lithology" not in settings:
        table = settings["catchments"]["table"]
        if Path(table).suffix.lower() not in TABLES:
            raise ValueError(
                f"{path}: {table} holds polygons of catchments, and their rocks need a section"
                " [lithology]. Add it, or give a table with shares of rocks."
            )


def usual_methods(choose: str, *, has_source: bool) -> tuple[str, ...]:
    """Return the methods that are compared where the study names none, the simplest first."""
    wanted = {*DEFAULT, *(NEED_SOURCE if has_source else ()), *([choose] if choose else [])}
    return tuple(name for name in METHODS if name in wanted)


def needs_source(names: Sequence[str]) -> list[str]:
    """Return the methods among `names` that learn from a source district."""
    return [name for name in names if name in NEED_SOURCE]
