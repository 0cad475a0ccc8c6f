"""Where the targets of a deposit study are: plan, level and sections with holes, and the 3D view.

The findings of the study come in; the section "Targets" goes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import label

from gossan.plot.maps import map_extent, name_panel
from gossan.plot.prospectivity import plot_targets
from gossan.plot.scales import grade_norm
from gossan.plot.style import new_axes, to_svg
from gossan.report._deposit_cards import plain_reasons
from gossan.report._deposit_words import recommended_of, unit_of
from gossan.report._scored_words import columns_of
from gossan.report._takeaways import cells_table
from gossan.report._writing import count_of, metres
from gossan.report.blocks import Block, Details, Figure, SceneLink, Table, Text
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.deposit import DepositFindings

_WIDTH = 8.0  # inch, of the column of a page
_TALLEST = 4.4  # inch, of one panel
_REACH = 0.04  # of the deposit, within which a section shows holes
_STEPS = 40  # points along a planned hole
_CRUMB = 4  # cells: smaller pieces of a target only litter the plan
_MOST_PLANNED = 5  # targets whose suggested holes are drawn
_COLUMNS = ("target", "kind", "level", "easting", "northing", "bottom", "top", "volume", "score",
            "spread", "sample_distance")  # fmt: skip
_HEADINGS = {
    "easting": "easting [m]",
    "northing": "northing [m]",
    "bottom": "from [m]",
    "top": "to [m]",
    "volume": "volume [m³]",
    "score_p10": "P10",
    "score_p90": "P90",
    "sample_distance": "nearest sample [m]",
    "is_extrapolated": "no sample near",
    "elevation": "elevation [m]",
    "agreement": "methods that agree",
    "n_cells": "cells",
    "score_max": "highest score",
    "score_sum": "score above the threshold",
    "west": "west [m]",
    "east": "east [m]",
    "south": "south [m]",
    "north": "north [m]",
    "azimuth": "azimuth [°]",
    "dip": "dip [°]",
    "length": "length [m]",
}
_METRES = ("easting", "northing", "elevation", "west", "east", "south", "north", "bottom", "top",
           "sample_distance", "azimuth", "dip", "length", "n_cells", "volume")  # fmt: skip
_FORMATS = dict.fromkeys(_METRES, "{:,.0f}") | {
    "score": "{:.3f}", "score_p10": "{:.3f}", "score_p90": "{:.3f}", "score_max": "{:.3f}",
    "spread": "{:.2g}", "agreement": "{:.0%}"}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What all panels share.

    Attributes
    ----------
    findings : DepositFindings
    grid : Dataset
    places : mapping of axis to coordinate
        Where the sections and the level are cut [m].
    planned : DataFrame or None
        Paths of the holes suggested for the first targets.
    """

    findings: DepositFindings
    grid: xr.Dataset
    places: dict[str, float]
    planned: pd.DataFrame | None

    def cut(self, axis: str, name: str, ax: Any, **options: Any) -> None:
        """Draw the plane through the best target that holds one axis."""
        reach = self.reach(axis)
        faults = "fault_distance" if "fault_distance" in self.grid else ""
        given: dict[str, Any] = {"ore": ore_samples(self.findings), "faults": faults, "reach": reach,
                 "names": axis != "elevation"}  # fmt: skip
        at = {axis: self.places[axis]}
        plot_targets(
            self.grid, name, at=at, traces=self.findings.traces, planned=self.planned_in(axis),
            ax=ax, **given | options,
        )  # fmt: skip

    def planned_in(self, axis: str) -> pd.DataFrame | None:
        """Return the suggested holes of those targets that the plane passes through."""
        if self.planned is None or "target" not in self.grid:
            return self.planned
        plane = self.grid["target"].sel({axis: self.places[axis]}, method="nearest")
        return self.planned[self.planned["target"].isin(np.unique(plane))]

    def reach(self, axis: str) -> float:
        """Distance from a plane within which holes are shown [m]."""
        centres = self.grid[axis].to_numpy().astype(float)
        step = (centres[-1] - centres[0]) / max(len(centres) - 1, 1)
        return float(max(step, _REACH * (centres[-1] - centres[0])))


def target_section(findings: DepositFindings) -> Section:
    """Build "Targets": the 3D view, plan, level and sections, how unsure they are, the table."""
    blocks: list[Block] = []
    if findings.scene:
        blocks.append(SceneLink(findings.scene, "Turn it, slice it, ask each target and hole."))
    if findings.grid is not None and "score" in findings.grid:
        blocks += _figures(findings, findings.grid)
    if findings.targets is not None and len(findings.targets):
        blocks += _target_tables(findings, findings.targets)
    elif findings.targets_note:
        blocks.append(Text(findings.targets_note))
    if findings.truth is not None and len(findings.truth):
        blocks.append(_truth_table(findings.truth))
    return Section("Targets", "", blocks)


def _figures(findings: DepositFindings, grid: xr.Dataset) -> list[Block]:
    planned = planned_traces(_first_collars(findings))
    shown = Shown(findings, grid, best_place(grid), planned)
    figures: list[Block] = [_plan_figure(shown), _sections_figure(shown)]
    unsure = [name for name in ("spread", "sample_distance") if name in grid]
    return figures + ([_unsure_figure(shown, unsure)] if unsure else [])


def _first_collars(findings: DepositFindings) -> pd.DataFrame | None:
    """Holes suggested for the first targets: those of all would hide the map."""
    table = findings.collars
    return None if table is None else table[table["target"] <= _MOST_PLANNED]


def best_place(grid: xr.Dataset) -> dict[str, float]:
    """Elevation, northing and easting of planes that cut most of the best target.

    Parameters
    ----------
    grid : Dataset
        With "score", and "target" if there are any.

    Returns
    -------
    place : dict
        Along the grid's own axes [m]; of the best cell where there is no target.

    Examples
    --------
    >>> axes = ("elevation", "northing", "easting")
    >>> score = xr.DataArray(np.arange(8.0).reshape(2, 2, 2), dims=axes,
    ...                      coords={axis: [5.0, 15.0] for axis in axes})
    >>> best_place(xr.Dataset({"score": score}))
    {'elevation': 15.0, 'northing': 15.0, 'easting': 15.0}
    """
    axes = ("elevation", "northing", "easting")
    scores = grid["score"].transpose(*axes).to_numpy().astype(float)
    is_best = np.nan_to_num(scores, nan=-np.inf) == np.nanmax(scores, initial=-np.inf)
    if "target" in grid:
        numbers = np.nan_to_num(grid["target"].transpose(*axes).to_numpy())
        if (numbers > 0).any():
            is_best = numbers == numbers[numbers > 0].min()
    place = {}
    for number, axis in enumerate(axes):
        others = tuple(other for other in range(3) if other != number)
        place[axis] = float(grid[axis].to_numpy()[int(is_best.sum(axis=others).argmax())])
    return place


def planned_traces(collars: pd.DataFrame | None) -> pd.DataFrame | None:
    """Straight paths of the suggested holes, as traces are given; None without any."""
    if collars is None or not len(collars):
        return None
    known = collars.dropna(subset=["easting", "northing", "elevation", "length"])
    if not len(known):
        return None
    parts = []
    for row in known.to_dict("records"):
        azimuth, dip = np.deg2rad([row["azimuth"], row["dip"]])
        way = np.array([np.sin(azimuth) * np.cos(dip), np.cos(azimuth) * np.cos(dip), np.sin(dip)])
        start = np.array([row["easting"], row["northing"], row["elevation"]], dtype=float)
        path = start + np.linspace(0, row["length"], _STEPS)[:, None] * way
        part = pd.DataFrame(path, columns=["easting", "northing", "elevation"])
        parts.append(part.assign(hole=f"to target {row['target']}", target=row["target"]))
    return pd.concat(parts, ignore_index=True)


def ore_samples(findings: DepositFindings) -> pd.DataFrame | None:
    """Return the samples that are ore, None where their grades are not given."""
    table = findings.composites
    if table is None or findings.ore not in table:
        return None
    return table[table[findings.ore] >= findings.cutoff]


def score_norm(values: NDArray[np.float64]) -> Any:
    """Colours of ranks between 0 and 1: the upper half, where targets are told apart."""
    known = values[np.isfinite(values)]
    is_rank = bool(len(known)) and known.min() >= 0 and known.max() <= 1
    return grade_norm(known, scale="linear", limits=(0.5, 1.0) if is_rank else None)


def _plan_figure(shown: Shown) -> Figure:
    grid = shown.grid
    west, east, south, north = map_extent(grid)
    shape = (north - south) / (east - west)
    plan = _from_above(grid)
    panels = new_axes(_WIDTH, min((_WIDTH / 2 - 1.3) * shape, _TALLEST) + 0.95, n_columns=2)
    cuts = {axis: shown.places[axis] for axis in ("northing", "easting")}
    is_turned = bool(grid.attrs.get("rotation", 0.0))
    best = plan["score"].to_numpy()
    known = best[np.isfinite(best)]
    low = float(np.quantile(known, 0.25)) if len(known) else 0.0
    norm = grade_norm(known, scale="linear", limits=(low, float(known.max(initial=low))))
    plot_targets(
        plan, "score", traces=shown.findings.traces, planned=shown.planned, ax=panels[0],
        label="Best score down the column", norm=norm, cuts=None if is_turned else cuts,
    )  # fmt: skip
    name_panel(panels[0], "Seen from above")
    shown.cut("elevation", "score", panels[1], label="Score",
              norm=score_norm(grid["score"].to_numpy()))  # fmt: skip
    name_panel(panels[1], f"Level {metres(shown.places['elevation'])} m")
    n = 0 if shown.findings.targets is None else len(shown.findings.targets)
    holes = "" if shown.findings.traces is None else " White: drill holes, their collars as dots."
    lines = "" if is_turned else " Dashed black: the sections below."
    return Figure(
        "Targets from above",
        to_svg(panels[0]),
        alt=f"Plan of the best score down each column with the outlines of {count_of(n, 'target')}"
        f" and the drill holes, and the level at {metres(shown.places['elevation'])} m.",
        caption=f"Score: the share of the rock that scores lower{_by_method(shown.findings)}. Black"
        " outlines with numbers: targets; from above, the best of those that lie over one another;"
        f" pieces of fewer than {_CRUMB} cells are not drawn."
        f"{holes}{lines}{_hole_words(shown)}",
        data=_plan_table(shown, plan),
    )


def _by_method(findings: DepositFindings) -> str:
    method = recommended_of(findings)
    return f", by {method}" if method else ""


def _plan_table(shown: Shown, plan: xr.Dataset) -> pd.DataFrame:
    """Return the cells of both panels; those seen from above have no level."""
    level = {"elevation": shown.places["elevation"]}
    panels = {
        "seen from above": cells_table(plan, _drawn_layers(plan)),
        "level": cells_table(shown.grid, _drawn_layers(shown.grid), places=[level]),
    }
    parts = [table.assign(panel=name) for name, table in panels.items()]
    table = pd.concat(parts, ignore_index=True)
    table.attrs["step"] = max(part.attrs["step"] for part in panels.values())
    return table


def _drawn_layers(grid: xr.Dataset) -> list[str]:
    return [name for name in ("score", "target") if name in grid]


def _from_above(grid: xr.Dataset) -> xr.Dataset:
    """Return the best score down each column, and the best target there."""
    plan = grid[["score"]].max("elevation", keep_attrs=True)
    if "target" not in grid:
        return plan
    numbers = grid["target"].where(grid["target"] > 0).min("elevation").fillna(0)
    return plan.assign(target=numbers.copy(data=without_crumbs(numbers.to_numpy())))


def without_crumbs(numbers: NDArray[np.float64], fewest: int = _CRUMB) -> NDArray[np.float64]:
    """Numbered cells without pieces, and gaps, of few cells; the largest piece always stays.

    Parameters
    ----------
    numbers : array of shape (n_rows, n_columns)
        Of targets, 0 between them.
    fewest : int
        Cells of a piece that is drawn, and of a gap within one.

    Returns
    -------
    kept : array of shape (n_rows, n_columns)

    Examples
    --------
    >>> without_crumbs(np.array([[1.0, 1, 0, 0, 1], [1, 1, 0, 2, 0]]), fewest=3)
    array([[1., 1., 0., 0., 0.],
           [1., 1., 0., 2., 0.]])
    """
    kept = np.zeros_like(numbers)
    for number in np.unique(numbers[numbers > 0])[::-1]:  # the first target lies on top
        pieces, n_pieces = label(numbers == number)
        sizes = np.bincount(pieces.ravel(), minlength=n_pieces + 1)
        sizes[0] = 0
        large = (sizes >= fewest) | (sizes == sizes.max())
        gaps, n_gaps = label(~large[pieces])
        is_filled = np.bincount(gaps.ravel(), minlength=n_gaps + 1) < fewest
        is_filled[0] = True
        kept[is_filled[gaps]] = number
    return kept


def _hole_words(shown: Shown) -> str:
    findings = shown.findings
    told = ""
    if shown.planned is not None:
        told = f" Orange, dashed: holes suggested for the first {_MOST_PLANNED} targets."
    if ore_samples(findings) is not None:
        unit = unit_of(findings, findings.ore)
        told += f" Orange dots: samples of {findings.cutoff:,g} {unit} {findings.ore} or more."
    return told


def _sections_figure(shown: Shown) -> Figure:
    tall, wide, deep = _sides(shown.grid)
    height = min((_WIDTH - 2.0) * tall / (wide + deep), _TALLEST)
    panels = new_axes(_WIDTH, height + 0.75, n_columns=2)
    panels[0].get_gridspec().set_width_ratios([wide, deep])  # one scale for both
    norm = score_norm(shown.grid["score"].to_numpy())
    for ax, axis in zip(panels, ("northing", "easting"), strict=True):
        shown.cut(axis, "score", ax, norm=norm, label="Score", colour_bar=axis == "easting")
        name_panel(ax, f"{axis.capitalize()} {metres(shown.places[axis])} m")
    near = " and ".join(
        dict.fromkeys(f"{shown.reach(axis):,.0f}" for axis in ("northing", "easting"))
    )
    faults = " Grey bands: faults." if "fault_distance" in shown.grid else ""
    has_target = "target" in shown.grid and bool((shown.grid["target"] > 0).any())
    return Figure(
        f"Sections through the best {'target' if has_target else 'score'}",
        to_svg(panels[0]),
        alt=f"Vertical sections of the score west to east at northing {metres(shown.places['northing'])}"
        f" m and south to north at easting {metres(shown.places['easting'])} m, with drill holes and"
        " targets.",
        caption=f"Left west to east, right south to north; holes and samples within {near} m of the"
        f" plane.{faults}{_hole_words(shown)} The lower half of all scores is one colour.",
        data=cells_table(
            shown.grid,
            _drawn_layers(shown.grid),
            places=[{axis: shown.places[axis]} for axis in ("northing", "easting")],
        ),
    )


def _sides(grid: xr.Dataset) -> tuple[float, float, float]:
    """Return how tall, wide and deep the grid is [m]."""
    west, east, south, north = map_extent(grid)
    levels = grid["elevation"].to_numpy().astype(float)
    tall = float(np.ptp(levels)) * len(levels) / max(len(levels) - 1, 1)
    return tall, east - west, north - south


def _unsure_figure(shown: Shown, layers: list[str]) -> Figure:
    """Draw the spread of the score and the distance to samples on the section west to east."""
    words = {"spread": ("Spread of the score", "Spread [score]"),
             "sample_distance": ("Distance to the nearest sample", "Distance [m]")}  # fmt: skip
    tall, wide, _ = _sides(shown.grid)
    height = min((_WIDTH / 2 - 1.35) * tall / wide, _TALLEST)
    panels = new_axes(_WIDTH / 2 * len(layers), height + 0.75, n_columns=len(layers))
    for ax, name in zip(panels, layers, strict=True):
        title, label = words[name]
        shown.cut(
            "northing", name, ax, kind="spread", label=label, faults="", ore=None, names=False
        )
        name_panel(ax, title)
    return Figure(
        "How unsure the score is",
        to_svg(panels[0]),
        alt=f"Section at northing {metres(shown.places['northing'])} m:"
        f" {' and '.join(words[name][0].lower() for name in layers)}.",
        caption=f"Northing {metres(shown.places['northing'])} m. Dark: runs of the model disagree, or no"
        " sample is near. A high score in the dark is a trend, not a finding.",
        width="wide" if len(layers) == 2 else "half",
        data=cells_table(shown.grid, layers, places=[{"northing": shown.places["northing"]}]),
    )


def _target_tables(findings: DepositFindings, targets: pd.DataFrame) -> list[Block]:
    blocks: list[Block] = [
        Table("All targets", targets[columns_of(targets, _COLUMNS)], headings=_HEADINGS,
              formats=_FORMATS, note=findings.targets_note)
    ]  # fmt: skip
    collars = findings.collars
    if collars is not None and len(collars):
        note = "A sketch: access, permits and the rig's reach are yours to judge."
        blocks.append(
            Table("Holes to test them", collars, headings=_HEADINGS, formats=_FORMATS, note=note)
        )
    told = targets
    if "why" in told:
        reasons = [plain_reasons(str(why), findings.indicators) for why in told["why"]]
        told = told.assign(why=reasons)
    full = Table("Targets, all columns", told, headings=_HEADINGS, formats=_FORMATS)
    return [*blocks, Details("Targets, all columns, with the reasons", [full])]


def _truth_table(truth: pd.DataFrame) -> Table:
    headings = {
        "is_blind": "blind",
        "is_hit": "hit",
        "hit_by": "by target",
        "volume": "volume [m³]",
    }
    return Table(
        "The orebodies of the simulation",
        truth,
        note="Blind: no hole had met it. A real deposit has no such table.",
        headings=headings,
        formats={"volume": "{:,.0f}", "hit_by": "{:.0f}"},
        width="wide",
    )
