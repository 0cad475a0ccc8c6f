"""Checks of a map at its door: each raises in three parts or is silent.

What the caller gave comes in; nothing goes out.
"""

from __future__ import annotations

import math
import re
from typing import Any

from gossan._checks import check_option, did_you_mean
from gossan.plot._planes import cut_plane

SYMBOLS = ("circle", "square", "triangle", "diamond", "star", "cross", "plus", "down")
DASHES = ("solid", "dashed", "dotted")


def check_options(scale: str, colours: str) -> None:
    """Refuse words that are none of the closed lists."""
    check_option("scale", scale, ("auto", "linear", "log", "percentile"))
    check_option("colours", colours, ("", "grade", "spread", "departure"))


def check_limits(layer: str, limits: Any) -> None:
    """Refuse ends of colours that are none."""
    if limits is None:
        return
    if len(limits) != 2 or not all(map(math.isfinite, limits)) or not limits[0] < limits[1]:
        raise ValueError(
            f"Limits of {layer!r} must be (low, high) with low < high, got {limits}. Leave them out"
            " for the 2nd and 98th percentile."
        )


def check_table(what: str, table: Any) -> None:
    """Refuse what is no table."""
    if not hasattr(table, "columns"):
        raise TypeError(
            f"{what} must be a DataFrame or a GeoDataFrame, got {type(table).__name__}. Read them"
            " with gossan.data.read_occurrences or read_vectors."
        )


def check_look(colour: str, *, symbol: str = "", dash: str = "") -> None:
    """Refuse a colour, symbol or dash that a page does not know."""
    if colour and not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"A colour must be a code like #0072B2, got {colour!r}. Write it so.")
    check_option("symbol", symbol, ("", *SYMBOLS))
    check_option("dash", dash, ("", *DASHES))


def check_grid_of_map(grid: Any, support: str, most_cells: int) -> None:
    """Refuse what is no 2D grid, and a mask that it does not have."""
    if "elevation" in getattr(grid, "sizes", {}):
        raise ValueError(
            f"A map needs a 2D grid, got one with {grid.sizes['elevation']} elevations. Take a level"
            " with .isel(elevation=0, drop=True), or show it with write_scene."
        )
    cut_plane(grid)
    known = list(map(str, grid.data_vars))
    if support and support not in known:
        raise ValueError(
            f"The grid has no layer {support!r} to tell supported ground, only"
            f" {', '.join(known) or 'none'}. Name one of them.{did_you_mean(support, known)}"
        )
    if most_cells < 1:
        raise ValueError(
            f"most_cells must be positive, got {most_cells}. Leave it out for the usual limit."
        )
