"""What each section of a deposit study file may say: its keys, their defaults and their bounds.

Keyword arguments as a study file gives them come in; the same, checked and complete, go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gossan._checks import check_option
from gossan.evidence.balances import FRONT, NEAR, TAIL
from gossan.prospectivity.targets import RANKS
from gossan.studies.deposit.mapping import REACH
from gossan.studies.deposit.methods import BASELINES, METHODS, RECOMMENDED
from gossan.studies.shared_sections import check_range, hole_section

PROTOCOLS = ("paper", "holes", "blocks", "depth")


def holes(
    *,
    collar: str,
    assay: str,
    survey: str | None = None,
    lithology: str | None = None,
    elements: Sequence[str] | None = None,
    composite: float = 10.0,
    min_coverage: float = 0.5,
    contacts: str = "",
    fix: Sequence[str] = (),
    dip: str | None = None,
    units: Mapping[str, str] | str | None = None,
    decimal: str | None = None,
    negatives: str = "limit",
    errors: str = "raise",
    columns: Mapping[str, Mapping[str, str]] | None = None,
    sheets: Mapping[str, str | int] | None = None,
) -> dict[str, Any]:
    """Tables of drill holes, and how they are composited."""
    if contacts and not lithology:
        raise ValueError(
            f"contacts names a column of the lithology ({contacts!r}), but no lithology is given. Name"
            ' its table: lithology = "FILE".'
        )
    tables = {
        "collar": collar, "survey": survey, "assay": assay, "lithology": lithology, "dip": dip,
        "units": units, "decimal": decimal, "negatives": negatives, "errors": errors,
        "columns": columns, "sheets": sheets,
    }  # fmt: skip
    told = hole_section(
        tables, elements=elements, composite=composite, min_coverage=min_coverage, fix=fix
    )
    return {**told, "contacts": contacts}


def ore(
    *, cutoff: float, element: str = "Au", reach: float = 15.0, buffer: float = 0.0
) -> dict[str, Any]:
    """What is ore, and how far a composite speaks for the rock round it [m]."""
    if not cutoff > 0:
        raise ValueError(
            f"cutoff must be above 0, got {cutoff:g}: the least grade of ore, in the unit of the"
            " table."
        )
    check_range("reach", reach, 0.1, np.inf, "15 m is usual")
    check_range("buffer", buffer, 0.0, np.inf, "the wider, the easier the task and the scores")
    return {"element": element, "cutoff": cutoff, "reach": reach, "buffer": buffer}


def faults(*, table: str, buffer: float = 30.0) -> dict[str, Any]:
    """File of triangulated faults, and the half width of the zone round them [m]."""
    check_range("buffer", buffer, 0.1, np.inf, "30 m is usual")
    return {"table": table, "buffer": buffer}


def ground(*, table: str = "", level: float | None = None) -> dict[str, Any]:
    """The ground: a raster or a table of points, one level [m], or by default the collars."""
    if table and level is not None:
        raise ValueError("table and level both say where the ground is. Keep one.")
    if level is not None:
        check_range("level", level, -1e5, 1e5, "the height of the ground [m]")
    return {"table": table, "level": level}


def indicators(
    *,
    front: Sequence[str] = FRONT,
    near: Sequence[str] = NEAR,
    tail: Sequence[str] = TAIL,
    factor: Sequence[str] = ("Sb", "Hg"),
    n_factors: int = 5,
) -> dict[str, Any]:
    """Groups of elements above, at and below ore, and the elements of the factor that counts."""
    check_range("n_factors", n_factors, 1, 50, "5 is usual")
    return {
        "front": tuple(front),
        "near": tuple(near),
        "tail": tuple(tail),
        "factor": tuple(factor),
        "n_factors": n_factors,
    }


def grid(
    *,
    spacing: float = 0.0,
    vertical_spacing: float = 0.0,
    margin: float = 100.0,
    depth: float = 100.0,
    region: Sequence[float] = (),
    elevations: Sequence[float] = (),
) -> dict[str, Any]:
    """Blocks that are scored: their size, and how far beyond the samples they go [m]."""
    for name, value in (("spacing", spacing), ("vertical_spacing", vertical_spacing)):
        check_range(name, value, 0.0, np.inf, "0 chooses it from the samples")
    for name, value in (("margin", margin), ("depth", depth)):
        check_range(name, value, 0.0, np.inf, "how far beyond the samples blocks go")
    if len(region) not in (0, 4):
        raise ValueError(f"region must be [west, east, south, north], got {list(region)}.")
    if len(elevations) not in (0, 2):
        raise ValueError(f"elevations must be [lowest, highest], got {list(elevations)}.")
    for name, bounds in (("region", region), ("elevations", elevations)):
        if not np.isfinite(list(bounds)).all():
            raise ValueError(f"{name} must be finite numbers [m], got {list(bounds)}.")
    return {
        "spacing": spacing,
        "vertical_spacing": vertical_spacing,
        "margin": margin,
        "depth": depth,
        "region": tuple(map(float, region)),
        "elevations": tuple(map(float, elevations)),
    }


def methods(
    *,
    names: Sequence[str] = tuple(METHODS),
    choose: str = "",
    n_seeds: int = 3,
    most_cells: int = 4000,
    random_state: int = 0,
) -> dict[str, Any]:
    """Which methods are compared, which one makes the map, and with how many seeds."""
    for name in names:
        check_option("names", name, tuple(METHODS))
    if choose:
        check_option("choose", choose, tuple(METHODS))
    check_range("n_seeds", n_seeds, 1, 20, "3 tell a spread")
    check_range("most_cells", most_cells, 100, 10**7, "barren cells that train; 4000 are usual")
    check_range("random_state", random_state, 0, 2**31 - 1, "any whole number will do")
    wanted = {*BASELINES, *names, choose or RECOMMENDED}  # what makes the map faces the baselines
    kept = tuple(name for name in METHODS if name in wanted)
    return {
        "names": kept,
        "choose": choose,
        "n_seeds": n_seeds,
        "most_cells": most_cells,
        "random_state": random_state,
    }


def validate(
    *,
    protocols: Sequence[str] = PROTOCOLS,
    n_splits: int = 5,
    block_size: float = 0.0,
    n_nulls: int = 99,
    n_jobs: int = 2,
) -> dict[str, Any]:
    """Ways to hold out, folds of each, null tests, and processes that work at once."""
    for name in protocols:
        check_option("protocols", name, PROTOCOLS)
    check_range("n_splits", n_splits, 2, 100, "5 is usual")
    check_range("block_size", block_size, 0.0, np.inf, "0 chooses it from the variogram")
    check_range("n_nulls", n_nulls, 0, 10_000, "99 are usual, 0 leaves the test out")
    check_range("n_jobs", n_jobs, 1, 256, "as many as the machine has cores")
    return {
        "protocols": tuple(name for name in PROTOCOLS if name in protocols),
        "n_splits": n_splits,
        "block_size": block_size,
        "n_nulls": n_nulls,
        "n_jobs": n_jobs,
    }


def targets(
    *,
    medium: float = 0.99,
    high: float = 0.998,
    new_ground: float = 0.98,
    reach: float = REACH,
    least: float = 0.0,
    rank_by: str = "sum",
    dip: float = -60.0,
    most: int = 20,
) -> dict[str, Any]:
    """Ranks that make a target, where new ground begins [m], and holes into the first targets."""
    if not 0 < medium <= high < 1:
        raise ValueError(
            f"medium and high must be ranks with 0 < medium <= high < 1, got {medium:g} and {high:g}:"
            " 0.99 is the best hundredth of the rock."
        )
    if not 0 < new_ground < 1:
        raise ValueError(
            f"new_ground must be a rank between 0 and 1, got {new_ground:g}: as medium."
        )
    check_range("reach", reach, 0.1, np.inf, "100 m is usual")
    check_range("least", least, 0.0, np.inf, "0 takes eight cells")
    check_option("rank_by", rank_by, RANKS)
    check_range("dip", dip, -90.0, -20.0, "-60 is usual, -90 drills straight down")
    check_range("most", most, 1, 1000, "holes are suggested for that many targets")
    return {
        "medium": medium,
        "high": high,
        "new_ground": new_ground,
        "reach": reach,
        "least": least,
        "rank_by": rank_by,
        "dip": dip,
        "most": most,
    }
