"""Where a prospectivity map points: the map, how sure it is, the targets as a table.

The findings of the study come in; the section "Where" goes out, and the one function by which every
map of the page is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from gossan.plot.maps import map_extent, name_panel
from gossan.plot.regional import plot_prospectivity_map
from gossan.plot.scales import grade_norm
from gossan.plot.style import new_axes, to_svg
from gossan.report._prospect_words import (
    in_percent,
    is_label_free,
    name_of,
    recommended_of,
    write_reasons,
)
from gossan.report._scored_words import columns_of
from gossan.report._takeaways import cells_table
from gossan.report._writing import count_of, write_number
from gossan.report.blocks import Block, Details, Figure, SceneLink, Table, Text
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.prospect import ProspectFindings

MISSED = "#D55E00"
_WIDTH = 8.0  # inch, of the column of a page
_TALLEST = 5.6  # inch, of the large map
_TALLEST_SMALL = 3.4
_BAR = 1.1  # inch, that axis and colour bar take beside a map
_MOST_SMALL = 3
_SMALL_DOT = 8.0
KNOWN, HIDDEN = "Known occurrences", "Hidden from all methods"
_LOOKS = {KNOWN: ("o", "white"), HIDDEN: ("^", "#CC79A7")}
_NUMBERED = 12  # targets that bear their number
_SMALL = {
    "spread": ("Spread of the score", "Spread [score]", "spread"),
    "stability": ("Stability", "Share of the runs", "grade"),
    "edge_fraction": ("Field without data", "Share of the field", "spread"),
    "sample_distance": ("Distance to samples", "Distance [km]", "spread"),
}
_COLUMNS = ("target", "easting", "northing", "area", "best", "score", "spread", "stability",
            "known_distance", "contains_known")  # fmt: skip
_NO_MAP = (
    "There is no map: the study was given tables, and no rasters whose cells could be scored. What"
    " follows tells how far the method can be trusted, not where to go.\n\nTo get a map, give the"
    " evidence as rasters of one grid (GeoTIFF), a layer a column of the table of labels under the same"
    ' name, and name the files in the study file: rasters = ["evidence/*.tif"] under [map]. Run it'
    " again: what is done is not done again."
)
_REASONS = ("target", "why", "edge_fraction")
_HEADINGS = {
    "easting": "easting [m]",
    "northing": "northing [m]",
    "area": "area [km²]",
    "best": "best cell in the top [%]",
    "edge_fraction": "field without data",
    "known_distance": "nearest known [km]",
    "contains_known": "holds a known one",
}
_FORMATS = {
    "easting": "{:,.0f}", "northing": "{:,.0f}", "best": "{:.2g}", "score": "{:.3f}",
    "spread": "{:.3f}", "stability": "{:.0%}", "edge_fraction": "{:.0%}",
    "known_distance": "{:,.1f}"}  # fmt: skip


def where_section(findings: ProspectFindings) -> Section:
    """Build "Where": the map to explore, the map of ranks, how sure it is, the table of targets."""
    if not findings.n_cells and findings.grid is None and not findings.map_file:
        return Section("Where", "", [Text(_NO_MAP)])
    blocks: list[Block] = []
    if findings.map_file:
        note = "Zoom, switch layers, ask each cell, occurrence and target. It needs no network."
        blocks.append(SceneLink(findings.map_file, note, "Open the map"))
    grid = shown_grid(findings)
    if grid is not None:
        blocks += [_rank_figure(findings, grid), *_doubt_figure(findings, grid),
                   *_label_free_figure(findings, grid)]  # fmt: skip
    if findings.targets is not None and len(findings.targets):
        blocks += _target_tables(findings, findings.targets)
    elif findings.targets_note:
        blocks.append(Text(findings.targets_note))
    method = recommended_of(findings)
    intro = (
        "The rank of a cell is the share of the supported area that scores lower; hatched ground has"
        " no data to rank it by."
    )
    taught = "which needs no labels" if is_label_free(findings) else "taught all known occurrences"
    made = f" The map is that of {method}, {taught}." if method else ""
    return Section("Where", intro + made, blocks)


def shown_grid(findings: ProspectFindings) -> xr.Dataset | None:
    """Return the grid with what lies off the support blank, None without a layer of ranks or scores.

    Ranks are brought to percent; without them the scores are ranked.
    """
    grid = findings.grid
    if grid is None or not {"percentile", "score"} & set(grid.data_vars):
        return None
    if "is_supported" in grid:
        inside = grid["is_supported"].fillna(0).astype(bool)
        drawn = [name for name in ("percentile", "score", "label_free", *_SMALL) if name in grid]
        grid = grid.assign({name: grid[name].where(inside) for name in drawn})
    if "percentile" in grid:
        layer = grid["percentile"]
        ranks = layer.copy(data=in_percent(layer.to_numpy()))
    else:
        ranks = _ranked(grid["score"])
    if "sample_distance" in grid:
        grid = grid.assign(sample_distance=grid["sample_distance"] / 1000)
    return grid.assign(percentile=ranks)


def _ranked(layer: xr.DataArray) -> xr.DataArray:
    """Return the rank of each cell among those that have a value [%]."""
    values = layer.to_numpy()
    ranks = 100 * pd.Series(values.ravel()).rank(pct=True).to_numpy()
    return layer.copy(data=ranks.reshape(values.shape))


def draw_map(
    findings: ProspectFindings,
    grid: xr.Dataset,
    name: str,
    ax: Any,
    *,
    targets: bool = True,
    occurrences: Mapping[str, pd.DataFrame] | None = None,
    **options: Any,
) -> None:
    """Draw a layer with faults, known occurrences (or the sets given) and numbered targets.

    All maps of the page pass here: the place to change how they are drawn.
    """
    numbered: str | pd.DataFrame = "target"
    if not targets:
        numbered = ""
    elif "target" not in grid and findings.targets is not None:
        numbered = findings.targets
    sets = known_sets(findings) if occurrences is None else occurrences
    options = {"looks": _LOOKS} | options
    plot_prospectivity_map(grid, name, occurrences=sets, targets=numbered, faults=findings.faults,
                           ax=ax, **options)  # fmt: skip


def known_sets(findings: ProspectFindings) -> dict[str, pd.DataFrame]:
    """Return the occurrences that are known, and those that were hidden from all methods."""
    table = findings.occurrences
    if table is None or not len(table):
        return {}
    is_known = (
        table["is_known"].to_numpy(bool) if "is_known" in table else np.ones(len(table), bool)
    )
    return {KNOWN: table[is_known], HIDDEN: table[~is_known]}


def rank_norm() -> Any:
    """Colours of ranks: the upper half, where targets are told apart."""
    return grade_norm([], scale="linear", limits=(50.0, 100.0))


def shape_of(grid: xr.Dataset) -> float:
    """Height of the map over its width."""
    west, east, south, north = map_extent(grid)
    return (north - south) / (east - west)


def map_axes(grid: xr.Dataset, n_columns: int = 1, *, tallest: float = _TALLEST) -> Any:
    """Axes for maps side by side, as high as their shape asks for."""
    height = min((_WIDTH / n_columns - _BAR) * shape_of(grid), tallest)
    return new_axes(_WIDTH, height + 0.75, n_columns=n_columns)


def _rank_figure(findings: ProspectFindings, grid: xr.Dataset) -> Figure:
    ax = map_axes(grid)[0]
    draw_map(
        findings, grid, "percentile", ax, norm=rank_norm(), label="Ground that scores lower [%]"
    )
    n = 0 if findings.targets is None else len(findings.targets)
    first = ""
    if n and findings.targets is not None:
        best = findings.targets.iloc[0]
        first = (
            f" Target {name_of(best['target'])} lies at easting {best['easting']:,.0f} m, northing"
            f" {best['northing']:,.0f} m."
        )
    return Figure(
        "Rank of the ground",
        to_svg(ax),
        alt=f"Map of the rank of each cell with {count_of(n, 'target')} and"
        f" {count_of(_n_known(findings), 'known occurrence')}.{first}",
        caption=f"The lower half of the area is one colour.{_mark_words(findings, grid)}"
        f"{own_words(findings)}",
        data=cells_table(
            grid, [name for name in ("percentile", "score", "target") if name in grid]
        ),
    )


def own_words(findings: ProspectFindings) -> str:
    """Say whether the occurrences that are drawn took part in the map."""
    if is_label_free(findings):
        return " No occurrence was used to draw it."
    return " Known occurrences score high on the map that they taught: that is no test."


def _n_known(findings: ProspectFindings) -> int:
    table = findings.occurrences
    if table is None:
        return findings.n_occurrences
    return int(table["is_known"].sum()) if "is_known" in table else len(table)


def _mark_words(findings: ProspectFindings, grid: xr.Dataset) -> str:
    """Say what the numbers are; symbols, lines and hatches stand in the legend."""
    if findings.targets is None or not len(findings.targets):
        return ""
    outlined = "Outlines with numbers" if "target" in grid else "Numbers"
    most = (
        f", {_NUMBERED} of them numbered, new ground first"
        if len(findings.targets) > _NUMBERED
        else ""
    )
    return f" {outlined}: targets{most}."


def _doubt_figure(findings: ProspectFindings, grid: xr.Dataset) -> list[Block]:
    """Draw the small maps of spread, stability and support that there are."""
    names = [name for name in _SMALL if name in grid and _varies(grid[name])][:_MOST_SMALL]
    if not names:
        return []
    axes = map_axes(grid, len(names), tallest=_TALLEST_SMALL)
    for ax, name in zip(axes, names, strict=True):
        title, label, kind = _SMALL[name]
        limits = (0.0, 1.0) if name == "stability" else None
        norm = grade_norm(grid[name].to_numpy(), scale="linear", limits=limits)
        draw_map(findings, grid, name, ax, targets=False, kind=kind, norm=norm, label=label,
                 coordinates=False, legend=False, size=_SMALL_DOT)  # fmt: skip
        name_panel(ax, title)
    medians = {name: float(np.nanmedian(grid[name].to_numpy())) for name in names}
    told = " and ".join(
        f"{_SMALL[name][0].lower()}, median {write_number(medians[name])}" for name in names
    )
    return [
        Figure(
            "How sure the map is of itself",
            to_svg(axes[0]),
            alt=f"Small maps of the same ground: {told}.",
            caption=_doubt_caption(names),
            data=cells_table(grid, names),
        )
    ]


def _varies(layer: xr.DataArray) -> bool:
    """Tell whether a layer says more than one thing: an edge without any gap is no map."""
    values = layer.to_numpy()
    known = values[np.isfinite(values)]
    return bool(len(known)) and bool(np.ptp(known) > 0)


def _doubt_caption(names: list[str]) -> str:
    words = {
        "spread": "Spread: how far the members of the method disagree, dark where most.",
        "stability": "Stability: share of the runs, each with other seeds and other background, that"
        " put a cell among the best.",
        "edge_fraction": "Field without data: share of what the method reads round a cell that had to"
        " be filled.",
        "sample_distance": "Distance to samples: dark where they are far.",
    }
    told = " ".join(words[name] for name in names)
    return f"{told} That runs agree does not make them right: only held-out occurrences tell."


def _label_free_figure(findings: ProspectFindings, grid: xr.Dataset) -> list[Block]:
    """Draw the map without labels beside that of the chosen method, where it is another."""
    if "label_free" not in grid or recommended_of(findings) == findings.label_free:
        return []
    both = grid.assign(label_free=_ranked(grid["label_free"]))
    axes = map_axes(grid, 2, tallest=_TALLEST_SMALL + 0.6)
    method, plainly = (
        recommended_of(findings) or "the method",
        findings.label_free or "without labels",
    )
    for ax, name, title in zip(axes, ("percentile", "label_free"), (method, plainly), strict=True):
        draw_map(findings, both, name, ax, targets=False, norm=rank_norm(), coordinates=False,
                 legend=False, size=_SMALL_DOT, label="Ground that scores lower [%]",
                 colour_bar=name == "label_free")  # fmt: skip
        name_panel(ax, title)
    return [
        Figure(
            "Beside a map without labels",
            to_svg(axes[0]),
            alt=f"Ranks of {method} at the left, of {plainly}, which needs no known occurrence, at the"
            f" right; {_shared_words(both)}.",
            caption="Ground that is bright in both does not hang on which occurrences are known."
            " Bright at the left only: what was learned from them.",
            data=cells_table(both, ["percentile", "label_free"]),
        )
    ]


def _shared_words(grid: xr.Dataset) -> str:
    """Say how much of the best tenth of one map is in the best tenth of the other."""
    first, second = (grid[name].to_numpy() for name in ("percentile", "label_free"))
    best = first >= 90
    n_best = int(best.sum())
    if not n_best:
        return "0 cells in the best tenth"
    return f"{100 * (best & (second >= 90)).sum() / n_best:.0f} % of the best tenth is in both"


def _target_tables(findings: ProspectFindings, targets: pd.DataFrame) -> list[Block]:
    """Return the table of targets, and their reasons behind a fold."""
    table = targets.copy()
    if "percentile" in table:
        table["best"] = 100.0 - in_percent(table["percentile"])
    if "known_distance" in table:
        table["known_distance"] = table["known_distance"].astype(float) / 1000
        if "contains_known" in table:  # no distance to what lies within
            is_new = ~table["contains_known"].to_numpy(bool)
            table["known_distance"] = table["known_distance"].where(is_new)
    if "why" in table:
        table["why"] = [write_reasons(why) for why in table["why"]]
    told: dict[str, Any] = {"headings": _HEADINGS, "formats": _FORMATS}
    shown = table[columns_of(table, _COLUMNS)]
    found: list[Block] = [Table("All targets", shown, note=findings.targets_note, **told)]
    reasons = columns_of(table, _REASONS)
    if "why" in reasons:
        why = Table("Why each target scores high", table[reasons], **told)
        found.append(Details("Why each target scores high", [why]))
    return found
