"""A 3D estimate on a page: small maps of its levels, and two vertical sections.

The findings and a block model come in; figures whose panels share one colour scale go out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from gossan.plot.maps import (
    map_extent,
    name_panel,
    plot_departure,
    plot_map,
    plot_spread,
    spread_of,
)
from gossan.plot.scales import departure_norm, grade_norm, is_log_scale
from gossan.plot.style import new_axes, to_svg
from gossan.report._tailings_words import departure_label, percentiles, spread_words, unit_of
from gossan.report._takeaways import cells_table
from gossan.report._writing import metres, write_number
from gossan.report.blocks import Figure

if TYPE_CHECKING:
    from gossan.report.tailings import TailingsFindings

PANELS = {"estimate": "Estimate", "spread": "How unsure", "departure": "Where they differ"}
_MOST_LEVELS, _MOST_SPREADS = 6, 3
_WIDTH = 8.0  # inch, of the column of a page
_TALLEST = 3.2  # inch, of one panel
_REACH = 0.04  # of the field, within which a section shows samples


@dataclass(frozen=True)
class Drawn:
    """One element of the grid, with what all its panels share.

    Attributes
    ----------
    findings : TailingsFindings
    grid : Dataset
    element : str
    norm : Normalize
        Colours of its grades.
    samples : DataFrame or None
        Those with a column of the element.
    most_cells : int
        Cells drawn of one panel, so that the page stays light.
    """

    findings: TailingsFindings
    grid: xr.Dataset
    element: str
    norm: Any
    samples: pd.DataFrame | None
    most_cells: int = 40_000

    @property
    def unit(self) -> str:
        """Unit of the element."""
        return unit_of(self.findings, self.element)

    @property
    def is_relative(self) -> bool:
        """Whether spreads are drawn in percent of the estimate, as grades are skewed."""
        return is_log_scale(self.norm)

    @property
    def kinds(self) -> list[str]:
        """What the grid holds of the element: "estimate", "spread", "departure"."""
        has_spread = {f"{self.element}_low", f"{self.element}_high"} <= set(self.grid)
        has_departure = f"{self.element}_departure" in self.grid
        return ["estimate", *["spread"] * has_spread, *["departure"] * has_departure]

    def cells(
        self, *, with_spread: bool = True, places: Sequence[dict[str, float]] = ({},)
    ) -> pd.DataFrame:
        """Return the estimates that are drawn as a table, with their intervals or without."""
        ends = ("", "_low", "_high", "_departure") if with_spread else ("",)
        names = [f"{self.element}{end}" for end in ends if f"{self.element}{end}" in self.grid]
        return cells_table(self.grid, names, places=places, most=self.most_cells)

    def draw(self, kind: str, ax: Any, *, reach: float | None = None, **options: Any) -> None:
        """Draw the estimate, the spread or the departure on `ax`."""
        options = {"unit": self.unit, "ax": ax, "most_cells": self.most_cells} | options
        if kind == "estimate":
            options = {"norm": self.norm} | options
            plot_map(self.grid, self.element, reach=reach, censored=self.findings.censored,
                     **options)  # fmt: skip
        elif kind == "spread":
            plot_spread(self.grid, self.element, level=self.findings.level, reach=reach,
                        relative=self.is_relative, **options)  # fmt: skip
        else:
            options.pop("samples", None)
            norm = departure_norm(self.grid[f"{self.element}_departure"])
            shared: dict[str, Any] = {"norm": norm, "label": departure_label(self.findings)}
            plot_departure(self.grid, self.element, **shared | options)


def levels_figures(drawn: Drawn) -> list[Figure]:
    """Return the levels of the estimate, and fewer of them of its spread."""
    return [_levels_figure(drawn, kind) for kind in drawn.kinds if kind != "departure"]


def _levels_figure(drawn: Drawn, kind: str) -> Figure:
    levels = drawn_levels(drawn, _MOST_LEVELS if kind == "estimate" else _MOST_SPREADS)
    west, east, south, north = map_extent(drawn.grid)
    shape = (north - south) / (east - west)
    n_columns = min(len(levels), 2 if shape < 0.45 else 3 if shape < 1.6 else 6)
    n_rows = math.ceil(len(levels) / n_columns)
    height = min((_WIDTH / n_columns - 0.45) * shape, _TALLEST) + 0.55
    panels = new_axes(_WIDTH, n_rows * height, n_rows=n_rows, n_columns=n_columns)
    norm = (
        drawn.norm
        if kind == "estimate"
        else _shared_spread(drawn, [{"elevation": level} for level in levels])
    )
    for place, (ax, level) in enumerate(zip(panels, levels, strict=False)):
        is_last = place % n_columns == n_columns - 1 or place == len(levels) - 1
        drawn.draw(kind, ax, at={"elevation": level}, samples=drawn.samples, norm=norm,
                   coordinates=False, colour_bar=is_last)  # fmt: skip
        name_panel(ax, f"Level {metres(level)} m")
    for ax in panels[len(levels) :]:
        ax.set_visible(False)
    told = ", ".join(f"{metres(level)} m" for level in levels)
    low, high = (write_number(v) for v in percentiles(drawn.grid[drawn.element].to_numpy(), 5, 95))
    words = "estimate" if kind == "estimate" else "how unsure"
    return Figure(
        f"{drawn.element}: {words}, level by level",
        to_svg(panels[0]),
        alt=f"Maps of the {kind} of {drawn.element} at {told}; estimates from {low} to {high}"
        f" {drawn.unit} (5 to 95 %).",
        caption=_levels_caption(drawn, kind, len(levels)),
        data=drawn.cells(
            with_spread=kind == "spread", places=[{"elevation": level} for level in levels]
        ),
    )


def drawn_levels(drawn: Drawn, most: int) -> list[float]:
    """Return elevations of at most `most` levels that hold estimates, the highest first."""
    grid = drawn.grid
    cells = grid[drawn.element].transpose("elevation", ...).to_numpy().astype(float)
    has_cells = np.isfinite(cells).any(axis=(1, 2))
    held = np.flatnonzero(has_cells) if has_cells.any() else np.arange(len(has_cells))
    n = min(most, len(held))
    middle = (np.arange(n) + 0.5) * len(held) / n if n < len(held) else np.arange(n)
    chosen = held[middle.astype(int)]
    return [float(value) for value in grid["elevation"].to_numpy()[chosen][::-1]]


def _shared_spread(drawn: Drawn, places: Sequence[dict[str, float]]) -> Any:
    return grade_norm(
        *(spread_of(drawn.grid, drawn.element, at=at, relative=drawn.is_relative) for at in places),
        scale="linear",
    )


def _levels_caption(drawn: Drawn, kind: str, n_shown: int) -> str:
    n_levels = drawn.grid.sizes["elevation"]
    shown = f"{n_shown} of {n_levels} levels" if n_shown < n_levels else "All levels"
    if kind == "spread":
        return f"{shown}. {spread_words(drawn.findings, is_relative=drawn.is_relative)}"
    shown = f"{shown}, the highest first"
    hidden = " Open ones lie below their detection limit."
    return (
        f"{shown}. Circles: samples inside the level."
        f"{hidden if drawn.findings.censored is not None else ''} {frame_words(drawn.grid)}"
    )


def frame_words(grid: xr.Dataset) -> str:
    """Say what the frame of a map without numbers along its axes reaches over."""
    west, east, south, north = (metres(edge) for edge in map_extent(grid))
    return f"Frame: easting {west} to {east} m, northing {south} to {north} m."


def sections_figure(drawn: Drawn) -> Figure:
    """Return two vertical sections through the most samples, west to east and south to north."""
    grid, stretch = drawn.grid, exaggeration_of(drawn.grid)
    cuts = [(axis, *section_place(grid, drawn.samples, axis)) for axis in ("northing", "easting")]
    panel = (_WIDTH / 2 - 1.45) * min(_flatness(grid)) * stretch
    height = min(max(panel, 0.7), _TALLEST) + 0.8
    kinds = drawn.kinds
    panels = new_axes(_WIDTH, len(kinds) * height, n_rows=len(kinds), n_columns=2)
    for ax, (kind, (axis, place, reach)) in zip(panels, product(kinds, cuts), strict=True):
        drawn.draw(kind, ax, at={axis: place}, samples=drawn.samples, reach=reach,
                   exaggeration=stretch, colour_bar=axis == "easting",
                   **_short_options(drawn, kind, cuts))  # fmt: skip
        name_panel(ax, f"{PANELS[kind]}, {axis} {metres(place)} m")
    near = " and ".join(f"{reach:,.3g}" for reach in dict.fromkeys(cut[2] for cut in cuts))
    return Figure(
        f"{drawn.element}: vertical sections",
        to_svg(panels[0]),
        alt=f"Vertical sections of {drawn.element} at northing {metres(cuts[0][1])} m and easting"
        f" {metres(cuts[1][1])} m: {', '.join(kinds)}.",
        caption=f"Cut where most samples lie; those within {near} m are shown."
        f"{f' Heights are drawn {stretch:g} times.' if stretch != 1 else ''}",
        data=drawn.cells(places=[{axis: place} for axis, place, _ in cuts]),
    )


def _short_options(drawn: Drawn, kind: str, cuts: Sequence[Any]) -> dict[str, Any]:
    """Return the colours both sections share, and a label that a low panel has room for."""
    if kind == "estimate":
        return {}
    if kind == "departure":
        return {"label": "Difference"}
    norm = _shared_spread(drawn, [{axis: place} for axis, place, _ in cuts])
    return {"norm": norm, "label": f"Width [{'%' if drawn.is_relative else drawn.unit}]"}


def section_place(grid: xr.Dataset, samples: pd.DataFrame | None, axis: str) -> tuple[float, float]:
    """Return where a section passes most samples, and the reach within which they are shown [m]."""
    centres = grid[axis].to_numpy().astype(float)
    step = (centres[-1] - centres[0]) / max(len(centres) - 1, 1)
    reach = max(step, _REACH * (centres[-1] - centres[0])) or 1.0
    if samples is None or axis not in samples or not len(samples):
        return float(centres[len(centres) // 2]), reach
    places = samples[axis].to_numpy(float)
    counts = [(np.abs(places - centre) <= reach).sum() for centre in centres]
    best = np.flatnonzero(counts == np.max(counts))
    return float(centres[best[len(best) // 2]]), reach


def _flatness(grid: xr.Dataset) -> tuple[float, float]:
    """Return the height of both sections over their width."""
    west, east, south, north = map_extent(grid)
    levels = grid["elevation"].to_numpy().astype(float)
    step = float(np.diff(levels).mean()) if len(levels) > 1 else 1.0
    tall = float(np.ptp(levels)) + step
    return tall / (east - west), tall / (north - south)


def exaggeration_of(grid: xr.Dataset) -> float:
    """Return how many times sections are stretched upwards to be readable: 1, 2, 5, 10 or 20."""
    flatness = max(_flatness(grid))
    fitting = [times for times in (1, 2, 5, 10, 20) if flatness * times <= 0.62]
    return float(max(fitting, default=1))
