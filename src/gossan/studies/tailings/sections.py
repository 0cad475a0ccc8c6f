"""What each section of a tailings study file may say: its keys, their defaults and their bounds.

Keyword arguments as a study file gives them come in; the same, checked and complete, go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gossan._checks import check_option
from gossan.studies.shared_sections import check_range, hole_section
from gossan.studies.tailings.methods import METHODS, REFERENCE
from gossan.studies.tailings.tables import METRES


def points(
    *,
    easting: str | None = None,
    northing: str | None = None,
    elevation: str | None = None,
    hole: str | None = None,
    covariates: Sequence[str] = (),
    kinds: Sequence[str] = (),
    unit: str = "m",
) -> dict[str, Any]:
    """Columns of places, drill holes and covariates, and the unit of the coordinates."""
    check_option("unit", unit, METRES)
    both = sorted(set(covariates) & set(kinds))
    if both:
        raise ValueError(f"{both[0]!r} is named in covariates and in kinds. Name it once.")
    return {
        "easting": easting,
        "northing": northing,
        "elevation": elevation,
        "hole": hole,
        "covariates": tuple(covariates),
        "kinds": tuple(kinds),
        "unit": unit,
    }


def holes(
    *,
    collar: str,
    assay: str,
    survey: str | None = None,
    elements: Sequence[str] | None = None,
    composite: float = 0.0,
    min_coverage: float = 0.5,
    fix: Sequence[str] = (),
    dip: str | None = None,
    units: Mapping[str, str] | str | None = None,
    decimal: str | None = None,
    negatives: str = "limit",
    errors: str = "raise",
    columns: Mapping[str, Mapping[str, str]] | None = None,
    sheets: Mapping[str, str | int] | None = None,
) -> dict[str, Any]:
    """Tables of drill holes, in place of [read], and how they are composited."""
    tables = {
        "collar": collar, "survey": survey, "assay": assay, "dip": dip, "units": units,
        "decimal": decimal, "negatives": negatives, "errors": errors,
        "columns": columns, "sheets": sheets,
    }  # fmt: skip
    return hole_section(
        tables, elements=elements, composite=composite, min_coverage=min_coverage, fix=fix
    )


def methods(
    *,
    names: Sequence[str] = tuple(METHODS),
    coverage: float = 0.9,
    random_state: int = 0,
) -> dict[str, Any]:
    """Which methods are compared and blended, and the coverage of the intervals."""
    for name in names:
        check_option("names", name, tuple(METHODS))
    check_range("coverage", coverage, 0.5, 0.98, "0.9 holds nine of ten new values")
    check_range("random_state", random_state, 0, 2**31 - 1, "any whole number will do")
    kept = tuple(dict.fromkeys([REFERENCE, *names]))  # all are compared with it
    return {"names": kept, "coverage": coverage, "random_state": random_state}


def validate(
    *,
    n_splits: int = 5,
    n_inner_splits: int = 4,
    block_size: float = 0.0,
    random_split: bool = True,
    published: bool = True,
) -> dict[str, Any]:
    """Folds of whole holes or blocks, inner folds of the blend, and what stands beside."""
    check_range("n_splits", n_splits, 2, 100, "5 is usual")
    check_range("n_inner_splits", n_inner_splits, 2, 20, "4 is usual")
    check_range("block_size", block_size, 0.0, np.inf, "0 chooses it from the variogram")
    return {
        "n_splits": n_splits,
        "n_inner_splits": n_inner_splits,
        "block_size": block_size,
        "random_split": random_split,
        "published": published,
    }


def grid(
    *,
    table: str = "",
    spacing: float = 0.0,
    vertical_spacing: float = 0.0,
    max_distance: float = 0.0,
) -> dict[str, Any]:
    """Cells to estimate: a table of places, or a grid round the samples [m]."""
    for name, value in (("spacing", spacing), ("vertical_spacing", vertical_spacing),
                        ("max_distance", max_distance)):  # fmt: skip
        check_range(name, value, 0.0, np.inf, "0 chooses it from the samples")
    if table and (spacing or vertical_spacing):
        raise ValueError(
            f"table names the places ({table}), and spacing would make others. Leave one out."
        )
    return {
        "table": table,
        "spacing": spacing,
        "vertical_spacing": vertical_spacing,
        "max_distance": max_distance,
    }
