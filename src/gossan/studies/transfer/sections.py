"""What each section of a transfer study file may say: its keys, their defaults and their bounds.

Keyword arguments as a study file gives them come in; the same, checked and complete, go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gossan._checks import check_option
from gossan.studies.shared_sections import check_range, target_section
from gossan.studies.transfer.methods import BASELINES, DEFAULT, FLOOR, METHODS
from gossan.studies.transfer.unlabelled import MOST_GROUND

PRETEXTS = ("masked", "autoencoder", "classes", "none")
SCALINGS = ("standard", "none")
RESAMPLING = ("refuse", "nearest", "linear", "mean")
DECIMALS = (".", ",")


def labels(
    *,
    table: str,
    label: str = "label",
    evidence: Sequence[str] | None = None,
    easting: str | None = None,
    northing: str | None = None,
    crs: str | None = None,
    to_crs: str | None = None,
    decimal: str | None = None,
) -> dict[str, Any]:
    """Labelled places: 1 for a deposit, 0 for barren ground, with coordinates and evidence."""
    _check_decimal(decimal)
    if evidence is not None and not len(evidence):
        raise ValueError("evidence names no column. Name some, or leave the line out for all.")
    return {"table": table, "label": label, "evidence": evidence, "easting": easting,
            "northing": northing, "crs": crs, "to_crs": to_crs, "decimal": decimal}  # fmt: skip


def background(
    *,
    table: str = "",
    rasters: Sequence[str] = (),
    n: int = 3000,
    easting: str | None = None,
    northing: str | None = None,
    crs: str | None = None,
    decimal: str | None = None,
) -> dict[str, Any]:
    """Unlabelled ground: a table of rows, or rasters from which rows are drawn."""
    _check_decimal(decimal)
    check_range("n", n, 20, MOST_GROUND, "3000 are usual")
    return {"table": table, "rasters": list(rasters), "n": n, "easting": easting,
            "northing": northing, "crs": crs, "decimal": decimal}  # fmt: skip


def pretext(*, method: str = "masked", classes: str = "", column: str = "") -> dict[str, Any]:
    """What networks learn from the background before the labels."""
    check_option("method", method, PRETEXTS)
    if bool(classes) != bool(column):
        raise ValueError(
            f"classes and column go together, got classes = {classes!r} and column = {column!r}. Name"
            " the table, and the column of its classes."
        )
    if method == "classes" and not classes:
        raise ValueError(
            'method = "classes" needs a table: classes = "FILE" and column = "...". Or take "masked",'
            " which needs none."
        )
    return {"method": method, "classes": classes, "column": column}


def methods(
    *,
    names: Sequence[str] = (),
    choose: str = "",
    n_members: int = 10,
    n_seeds: int = 1,
    epochs: int = 0,
    scaling: str = "standard",
    random_state: int = 0,
) -> dict[str, Any]:
    """Which methods are compared, which one is used, and with how many networks and seeds.

    Without names those of `DEFAULT` are; those of `BASELINES` always.
    """
    for name in names:
        check_option("names", name, tuple(METHODS))
    if choose:
        check_option("choose", choose, tuple(METHODS))
        if choose == FLOOR:
            raise ValueError(
                f"choose names {FLOOR!r}, which paints what is known and makes no map. Name another."
            )
    check_option("scaling", scaling, SCALINGS)
    check_range("n_members", n_members, 1, 100, "10 are usual")
    check_range("n_seeds", n_seeds, 1, 20, "1 is usual: members vary already")
    check_range("epochs", epochs, 0, 100_000, "0 takes those of the recipe")
    check_range("random_state", random_state, 0, 2**31 - 1, "any whole number will do")
    wanted = {*BASELINES, *(names or DEFAULT), *([choose] if choose else [])}
    kept = tuple(name for name in METHODS if name in wanted)
    return {"names": kept, "choose": choose, "n_members": n_members, "n_seeds": n_seeds,
            "epochs": epochs, "scaling": scaling, "random_state": random_state}  # fmt: skip


def validate(
    *,
    block_size: float = 20_000.0,
    n_splits: int = 5,
    n_partitions: int = 5,
    n_nulls: int = 20,
    label_levels: Sequence[int] = (),
    published: str = "",
) -> dict[str, Any]:
    """Blocks that are held out, how often, fake labels, and levels of fewer deposits."""
    check_range("block_size", block_size, 1e-3, 1e9, "20000, the edge in metres, is usual")
    check_range("n_splits", n_splits, 2, 50, "5 is usual")
    check_range("n_partitions", n_partitions, 1, 100, "5 are usual")
    check_range("n_nulls", n_nulls, 0, 1000, "20 are usual; 0 leaves the test out")
    for level in label_levels:
        check_range("label_levels", level, 3, 1_000_000, "such as [15, 35]")
    return {"block_size": block_size, "n_splits": n_splits, "n_partitions": n_partitions,
            "n_nulls": n_nulls, "label_levels": sorted(set(label_levels)),
            "published": published}  # fmt: skip


def map_rasters(
    *, rasters: Sequence[str], resample: str = "refuse", nodata: float | None = None
) -> dict[str, Any]:
    """Rasters of the evidence whose cells are scored."""
    check_option("resample", resample, RESAMPLING)
    if not rasters:
        raise ValueError('rasters names no file. Write rasters = ["*.tif"], or leave [map] out.')
    return {"rasters": list(rasters), "resample": resample, "nodata": nodata}


def targets(*, share: float = 0.05, least: float = 0.0, most: int = 30) -> dict[str, Any]:
    """Share of the area that makes targets, their least size, and how many are told."""
    return target_section(share=share, least=least, most=most)


def _check_decimal(decimal: str | None) -> None:
    if decimal is not None:
        check_option("decimal", decimal, DECIMALS)
