"""From what a run has to the layers of its 3D view: shells of score, graded holes, slices, targets.

Grids, tables of traces and intervals, and tables of targets come in; layers of a `Scene` go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import did_you_mean
from gossan.plot.scales import colour_ramp
from gossan.plot.volumes import isosurface
from gossan.report._writing import write_number
from gossan.report.scene import Boxes, Slices, Surface, Traces

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["grade_traces", "grid_slices", "score_shells", "target_boxes"]

_PLACE = ("easting", "northing", "elevation")
_LOWS, _HIGHS = ("west", "south", "bottom"), ("east", "north", "top")
_TOLD = {
    "level": "Level",
    "score": "Mean score",
    "score_max": "Highest score",
    "spread": "Spread of the score",
    "agreement": "Agreement of methods",
    "volume": "Volume [m³]",
    "sample_distance": "Distance to samples [m]",
    "is_extrapolated": "Extrapolated",
    "why": "Why",
}


def score_shells(
    grid: xr.Dataset, layer: str, levels: Sequence[float], *, name: str = "", unit: str = ""
) -> list[Surface]:
    """Shells round the cells of a block model that reach each level, the highest one solid.

    Parameters
    ----------
    grid : Dataset
        3D grid.
    layer : str
        Layer of scores or grades.
    levels : sequence of float
        In its unit, in any order.
    name : str
        For the list; the layer's name by default.
    unit : str
        Of the layer, empty for a score.

    Returns
    -------
    shells : list of Surface
        The highest level first; levels that nothing reaches are left out.

    Raises
    ------
    KeyError
        If there is no such layer.
    ValueError
        If the grid is a map, or a level is not a number.
    """
    meshes = [(float(level), isosurface(grid, layer, level)) for level in sorted(levels)[::-1]]
    meshes = [(level, mesh) for level, mesh in meshes if len(mesh)]
    ramp = colour_ramp("grade", 6)
    shells = []
    for i, (level, mesh) in enumerate(meshes):
        is_core = i == 0 and len(meshes) > 1
        written = write_number(level)
        shells.append(
            Surface(
                f"{name or layer} ≥ {written}",
                mesh.vertices,
                mesh.triangles,
                colour=ramp[max(4 - i, 1)],
                opacity=1.0 if is_core else 0.35,
                note=f"{layer} {written}{f' {unit}' if unit else ''} or more",
            )
        )
    return shells


def grade_traces(
    traces: pd.DataFrame,
    intervals: pd.DataFrame | None = None,
    column: str = "",
    *,
    unit: str = "",
    name: str = "Drill holes",
    scale: str = "auto",
    limits: tuple[float, float] | None = None,
) -> Traces:
    """Drill holes along their true paths, each assayed interval in the colour of its grade.

    Parameters
    ----------
    traces : DataFrame
        `hole`, `depth`, `easting`, `northing`, `elevation` [m], down each hole: what
        `DrillHoles.traces` gives; a step of 10 m draws bends as bends.
    intervals : DataFrame, optional
        `hole`, `from`, `to` [m] and the grades. Where intervals overlap the later row counts;
        what lies between them is drawn as not known.
    column : str
        Column of grades.
    unit : str
        Of the grades.
    name : str
        For the list of layers.
    scale, limits
        As of `Traces`.

    Returns
    -------
    layer : Traces

    Raises
    ------
    KeyError
        If a column is missing.
    """
    _need(traces, ("hole", "depth", *_PLACE), "The traces")
    if intervals is None:
        points = traces[list(_PLACE)].to_numpy(float)
        return Traces(name, traces["hole"], points, depths=traces["depth"].to_numpy(float))
    _need(intervals, ("hole", "from", "to", column), "The table of intervals")
    by_hole = dict(iter(intervals.groupby(intervals["hole"].astype(str), sort=False)))
    none = intervals.iloc[:0]
    parts = [
        _graded_hole(str(hole), trace, by_hole.get(str(hole), none), column)
        for hole, trace in traces.groupby("hole", sort=False)
    ]
    line = pd.concat(parts, ignore_index=True)
    return Traces(
        name,
        line["hole"],
        line[list(_PLACE)].to_numpy(float),
        line["value"].to_numpy(float),
        line["depth"].to_numpy(float),
        quantity=column,
        unit=unit,
        scale=scale,
        limits=limits,
    )


def _graded_hole(
    hole: str, trace: pd.DataFrame, intervals: pd.DataFrame, column: str
) -> pd.DataFrame:
    """Cut a trace at the ends of its intervals; each point carries the grade of what follows."""
    at = trace["depth"].to_numpy(float)
    top, end, grades = (intervals[key].to_numpy(float) for key in ("from", "to", column))
    is_known = np.isfinite(top) & np.isfinite(end) & (end > top)
    top, end, grades = top[is_known], end[is_known], grades[is_known]
    cuts = np.concatenate([top, end])
    depths = np.unique(np.concatenate([at, cuts[(cuts >= at.min()) & (cuts <= at.max())]]))
    values = np.full(len(depths), np.nan)
    for first, last, grade in zip(
        np.searchsorted(depths, top), np.searchsorted(depths, end), grades, strict=True
    ):
        values[first:last] = grade
    places = {axis: np.interp(depths, at, trace[axis].to_numpy(float)) for axis in _PLACE}
    return pd.DataFrame({"hole": hole, "depth": depths, "value": values, **places})


def grid_slices(
    grid: xr.Dataset,
    layer: str,
    *,
    name: str = "",
    unit: str = "",
    scale: str = "auto",
    limits: tuple[float, float] | None = None,
    colours: str = "grade",
    shown: Sequence[str] = ("elevation",),
) -> Slices:
    """A level and two sections through a block model, to be moved by sliders.

    Parameters
    ----------
    grid : Dataset
        3D grid, also turned.
    layer : str
        Layer to show.
    name : str
        For the list; the layer's name by default.
    unit : str
        Of the layer.
    scale, limits, colours, shown
        As of `Slices`.

    Returns
    -------
    layer : Slices

    Raises
    ------
    KeyError
        If there is no such layer.
    ValueError
        If the grid is a map.
    """
    if "elevation" not in grid.sizes:
        raise ValueError(
            "Slices need a grid with elevations, got a map. Make the grid 3D, or draw the map with"
            " gossan.plot.plot_map."
        )
    known = list(map(str, grid.data_vars))
    if layer not in known:
        raise KeyError(
            f"The grid has no layer {layer!r}, only {', '.join(known) or 'none'}. Name one of them."
            f"{did_you_mean(layer, known)}"
        )
    pivot = grid.attrs.get("origin", (0.0, 0.0))
    return Slices(
        name or layer,
        grid[layer].transpose("elevation", "northing", "easting").to_numpy(),
        grid["elevation"].to_numpy(),
        grid["northing"].to_numpy(),
        grid["easting"].to_numpy(),
        rotation=float(grid.attrs.get("rotation", 0.0)),
        pivot=(float(pivot[0]), float(pivot[1])),
        quantity=layer,
        unit=unit,
        scale=scale,
        limits=limits,
        colours=colours,
        shown=shown,
    )


def target_boxes(
    table: pd.DataFrame,
    *,
    most: int = 20,
    name: str = "Targets",
    told: Mapping[str, str] | None = None,
) -> Boxes:
    """Boxes round the best targets, labelled by rank, with what speaks for each.

    Parameters
    ----------
    table : DataFrame
        Of 3D `Targets`: `target`, `west`, `east`, `south`, `north`, `bottom`, `top` [m] and facts.
    most : int
        How many; the rest would hide the view.
    name : str
        For the list of layers.
    told : mapping, optional
        Columns to tell, and their headings with unit. Default: those that `find_targets` writes.

    Returns
    -------
    layer : Boxes

    Raises
    ------
    KeyError
        If a column is missing.
    """
    _need(table, ("target", *_LOWS, *_HIGHS), "The table of targets")
    best = table.head(most)
    columns = {
        column: heading for column, heading in (told or _TOLD).items() if column in best.columns
    }
    facts = [
        {heading: row[column] for column, heading in columns.items()}
        for row in best.to_dict("records")
    ]
    return Boxes(
        name,
        _triples(best, _LOWS),
        _triples(best, _HIGHS),
        [f"Target {number}" for number in best["target"]],
        facts,
    )


def _triples(table: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    return table[list(columns)].to_numpy(dtype=float)


def _need(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        there = list(map(str, table.columns))
        raise KeyError(
            f"{what} lacks the column {missing[0]!r}; it has {', '.join(there) or 'none'}. Add or"
            f" rename it.{did_you_mean(missing[0], there)}"
        )
