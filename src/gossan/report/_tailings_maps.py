"""The maps of a tailings study: samples, estimate, uncertainty and departure of each element.

The findings of the study come in; the section "Maps" goes out: one figure an element in 2D, levels
and vertical sections in 3D.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import xarray as xr

from gossan.plot.maps import map_extent, name_panel, plot_samples
from gossan.plot.scales import grade_norm
from gossan.plot.style import new_axes, to_svg
from gossan.report._tailings_levels import (
    PANELS,
    Drawn,
    frame_words,
    levels_figures,
    sections_figure,
)
from gossan.report._tailings_words import percentiles, spread_words, unit_of
from gossan.report._writing import write_number
from gossan.report.blocks import Block, Details, Figure, Finding, Text
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.tailings import TailingsFindings

_MOST_DRAWN = 12  # elements whose maps are on the page
_MOST_PAGE_CELLS = 450_000  # cells drawn on all maps together: some 3 MB
_MOST_OPEN = 3  # elements whose maps stand open; the rest is behind a fold
_WIDTH = 8.0  # inch, of the column of a page
_TALLEST = 4.6  # inch, of one panel


def map_section(findings: TailingsFindings) -> Section:
    """Build "Maps" from the estimated grid."""
    grid = findings.estimate
    intro = (
        "Each map shares its colours with the samples; hatched cells have none. Where the"
        " interval is wide, the next sample is worth most."
    )
    if grid is None:
        return Section("Maps", intro, _sample_figures(findings))
    blocks: list[Block] = []
    if findings.n_unestimated:
        blocks.append(_blank_finding(findings, grid))
    held = [str(element) for element in findings.elements if element in grid]
    drawn = held[:_MOST_DRAWN]
    figures = {element: element_figures(findings, grid, element) for element in drawn}
    for element in drawn[:_MOST_OPEN]:
        blocks += figures[element]
    rest = drawn[_MOST_OPEN:]
    if rest:
        folded = [figure for element in rest for figure in figures[element]]
        blocks.append(Details(f"Maps of {len(rest)} more: {', '.join(rest)}", folded))
    if len(held) > len(drawn):
        blocks.append(Text(f"Not drawn, but in the grid: {', '.join(held[_MOST_DRAWN:])}."))
    return Section("Maps", intro, blocks)


def _blank_finding(findings: TailingsFindings, grid: xr.Dataset) -> Finding:
    total = math.prod(grid.sizes.values())
    n = findings.n_unestimated
    share = f" ({100 * n / total:.0f} %)" if total else ""
    return Finding(
        "note",
        f"{n:,} of {total:,} cells{share} were not estimated, as too few samples lie near. They are"
        " missing in the grid, never zero, and hatched here.",
    )


def element_figures(findings: TailingsFindings, grid: xr.Dataset, element: str) -> list[Figure]:
    """Return the figures of one element, on a colour scale that all its panels share."""
    cells = grid[element].to_numpy().astype(float)
    samples = findings.samples
    if samples is not None and element not in samples:
        samples = None
    values = cells if samples is None else samples[element].to_numpy(float)
    n_panels = min(len(findings.elements), _MOST_DRAWN) * (10 if "elevation" in grid.sizes else 3)
    most_cells = min(40_000, _MOST_PAGE_CELLS // n_panels)
    drawn = Drawn(findings, grid, element, grade_norm(values, cells), samples, most_cells)
    if "elevation" not in grid.sizes:
        return [_map_figure(drawn)]
    return [*levels_figures(drawn), sections_figure(drawn)]


def _map_figure(drawn: Drawn) -> Figure:
    kinds = [*(["samples"] if drawn.samples is not None else []), *drawn.kinds]
    region = map_extent(drawn.grid)
    shape = (region[3] - region[2]) / (region[1] - region[0])
    n_columns = panel_columns(shape, len(kinds))
    n_rows = math.ceil(len(kinds) / n_columns)
    has_room = n_columns == 2  # for numbers along the axes; long or tall maps say them below
    height = min((_WIDTH / n_columns - (1.25 if has_room else 0.85)) * shape, _TALLEST)
    panels = new_axes(_WIDTH, n_rows * (height + 0.75), n_rows=n_rows, n_columns=n_columns)
    for ax, kind in zip(panels, kinds, strict=False):
        if kind == "samples" and drawn.samples is not None:
            plot_samples(drawn.samples, drawn.element, censored=drawn.findings.censored,
                         norm=drawn.norm, unit=drawn.unit, region=region, coordinates=has_room,
                         legend=has_room, ax=ax)  # fmt: skip
        else:
            drawn.draw(kind, ax, samples=drawn.samples if kind == "spread" else None,
                       coordinates=has_room)  # fmt: skip
        name_panel(ax, PANELS.get(kind, "Samples"))
    for ax in panels[len(kinds) :]:
        ax.set_visible(False)
    return Figure(
        f"{drawn.element}: estimate and how sure it is",
        to_svg(panels[0]),
        alt=_alt(drawn, kinds),
        caption=f"{_caption(drawn, kinds)}{'' if has_room else f' {frame_words(drawn.grid)}'}",
        data=drawn.cells(),
    )


def panel_columns(shape: float, n_panels: int) -> int:
    """Columns of panels that suit maps of that height over width.

    Examples
    --------
    >>> [panel_columns(shape, 4) for shape in (0.2, 1.0, 3.0)], panel_columns(1.0, 3)
    ([1, 2, 4], 3)
    """
    if n_panels == 3 and shape >= 0.6:
        return 3  # no gap where a fourth would stand
    return min(1 if shape < 0.38 else 2 if shape < 1.9 else 4, n_panels)


def _alt(drawn: Drawn, kinds: list[str]) -> str:
    told = {"spread": "width of the interval", "departure": "network minus kriging"}
    low, high = (write_number(v) for v in percentiles(drawn.grid[drawn.element].to_numpy(), 5, 95))
    shown = ", ".join(told.get(kind, kind) for kind in kinds)
    return (
        f"Maps of {drawn.element}: {shown}. Estimates reach from {low} to {high} {drawn.unit}"
        " (5 to 95 %)."
    )


def _caption(drawn: Drawn, kinds: list[str]) -> str:
    told = []
    if "samples" in kinds and drawn.findings.censored is not None:
        told.append("Open samples lie below their detection limit.")
    if "spread" in kinds:
        told.append(spread_words(drawn.findings, is_relative=drawn.is_relative))
    if "departure" in kinds:
        told.append("Orange: the network says more than kriging; purple: less.")
    return " ".join(told)


def _sample_figures(findings: TailingsFindings) -> list[Block]:
    """Return a map of the samples of each element, for a study without a grid."""
    samples = findings.samples
    if samples is None or not {"easting", "northing"} <= set(samples):
        return []
    drawn = [str(e) for e in findings.elements if e in samples][: 2 * _MOST_OPEN]
    blocks: list[Block] = []
    for element in drawn:
        ax = new_axes(3.9, 3.5)[0]
        unit = unit_of(findings, element)
        plot_samples(samples, element, censored=findings.censored, unit=unit, ax=ax)
        low, high = (write_number(v) for v in percentiles(samples[element].to_numpy(), 5, 95))
        blocks.append(
            Figure(
                f"{element}: the samples",
                to_svg(ax),
                alt=f"Map of {len(samples):,} samples of {element}, from {low} to {high} {unit}.",
                data=samples[["easting", "northing", element]],
                width="half",
            )
        )
    return blocks
