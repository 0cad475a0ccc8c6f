"""Figures of a region: a map of prospectivity with what is known and what is proposed, and its curves.

A 2D grid of scores with tables of occurrences, faults and targets comes in, or the capture curves of
maps that were validated elsewhere; nothing is computed but where it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from gossan._checks import check_option
from gossan.plot._cells import NO_ESTIMATE, add_colour_bar, data_of, draw_cells, frame_plane
from gossan.plot._columns import check_shares, need_columns
from gossan.plot._planes import Plane, cut_plane, thin
from gossan.plot.maps import MOST_CELLS
from gossan.plot.prospectivity import draw_outlines
from gossan.plot.scales import departure_norm, grade_norm
from gossan.plot.style import (
    ACCENT,
    FAINT,
    INK,
    QUIET,
    add_legend,
    axes_or_new,
    method_colours,
    plain,
)

BASELINE = "baseline"
_FAULT = "#2b2f36"
# Marker and face of each set of occurrences: told apart by shape as well as by colour. White with a
# dark rim stands out on bright and on dark ground.
_LOOKS = (("o", "white"), ("s", "#D55E00"), ("^", "#CC79A7"), ("D", INK), ("*", "#56B4E9"))
_LARGER = {"*": 1.8, "X": 1.8, "^": 1.2}  # symbols that look smaller than a dot of their area
_MANY = 60  # occurrences of a set beyond which symbols are smaller
_NUMBERED = 12  # targets given as points that bear their number
_PLATE: dict[str, Any] = {"fc": "white", "ec": INK, "lw": 0.6, "boxstyle": "round,pad=0.15"}
_NAMES = ("fault", "line", "name", "id")
_LEAST_AREA = 0.1  # %, where the axis of a capture curve starts


def plot_prospectivity_map(
    grid: xr.Dataset,
    layer: str = "score",
    *,
    occurrences: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
    targets: str | pd.DataFrame = "target",
    faults: pd.DataFrame | None = None,
    support: str = "",
    looks: Mapping[str, tuple[str, str]] | None = None,
    size: float = 22.0,
    kind: str = "grade",
    norm: Normalize | None = None,
    label: str = "Score",
    coordinates: bool = True,
    north: bool = True,
    scale_bar: bool = True,
    colour_bar: bool = True,
    legend: bool = True,
    most_cells: int = MOST_CELLS,
    ax: Axes | None = None,
) -> Axes:
    """Map of a score with occurrences, target outlines and faults; ground without support is hatched.

    North is up and a scale bar stands at the map. Cells without a score are grey and hatched the
    other way. For the map to explore see `gossan.report.map_view`.

    Parameters
    ----------
    grid : Dataset
        2D grid, also turned.
    layer : str
        Layer to colour.
    occurrences : DataFrame or mapping of str to DataFrame, optional
        Columns `easting`, `northing` [m]; several sets by their names, each with its own symbol.
    targets : str or GeoDataFrame
        Layer of target numbers, outlined and numbered, those first that `first` in its attrs names;
        missing or empty: none are. Or polygons; or a table of points (`target`, `easting`,
        `northing` [m]), the first twelve of which are numbered.
    faults : DataFrame or GeoDataFrame, optional
        One row a vertex: `easting`, `northing` [m] and a column of names (`fault`, `line`,
        `name` or `id`); or lines.
    support : str
        Layer that is true (not 0) where samples support the map.
    looks : mapping, optional
        Set of occurrences to its marker and colour; by default each has the next of five.
    size : float
        Area of a symbol [square points]; half of it for sets of more than sixty.
    kind : {"grade", "spread", "departure"}
        Colours.
    norm : Normalize, optional
        Colour scale of several panels; by default that of this map, linear.
    label : str
        Of the colours, with the unit.
    coordinates, north, scale_bar, colour_bar, most_cells
        As of `plot_map`.
    legend : bool
        Say below the map what symbols and hatches mean.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, of equal aspect.

    Raises
    ------
    KeyError
        If the grid lacks a layer, or a table a coordinate.
    ValueError
        If the grid is 3D, or the kind is unknown.

    Examples
    --------
    >>> from gossan.data.grids.grid import add_layer, make_grid
    >>> from gossan.plot.style import new_axes
    >>> grid = add_layer(make_grid((0, 20, 0, 10), 10), "score", [0.2, 0.9])
    >>> known = pd.DataFrame({"easting": [15.0], "northing": [5.0]})
    >>> ax = plot_prospectivity_map(grid, occurrences=known, ax=new_axes()[0])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Occurrences (1)']
    """
    check_option("kind", kind, ("grade", "spread", "departure"))
    ax = axes_or_new(ax, (6.4, 5.6))
    plane = cut_plane(grid)
    cells = plane.cells(layer)
    if norm is None:
        norm = departure_norm(cells) if kind == "departure" else grade_norm(cells, scale="linear")
    draw_cells(ax, plane, cells, norm, kind=kind, most_cells=most_cells)
    is_known = np.isfinite(cells)
    shown: list[Any] = [] if is_known.all() else [_no_data()]
    if support:
        shown += _hatch_unsupported(
            ax, plane, is_known & (np.nan_to_num(plane.cells(support)) == 0)
        )
    if faults is not None and len(faults):
        shown.append(_draw_faults(ax, faults))
    shown += _draw_targets(ax, plane, targets)
    shown += _draw_occurrences(ax, plane, occurrences, looks or {}, size)
    frame_plane(ax, plane.extent, plane.labels, is_map=True, coordinates=coordinates,
                north=north, scale_bar=scale_bar)  # fmt: skip
    if colour_bar:
        add_colour_bar(ax, norm, kind, label, cells)
    if legend and shown:
        add_legend(ax, shown, [str(own.get_label()) for own in shown], ncols=3, loc="upper left",
                   bbox_to_anchor=(0.0, -0.09 if coordinates else -0.05))  # fmt: skip
    return ax


def _no_data() -> Patch:
    return Patch(facecolor=NO_ESTIMATE, edgecolor="#b9c1c8", hatch="////", linewidth=0,
                 label="no data")  # fmt: skip


def _hatch_unsupported(ax: Axes, plane: Plane, is_bare: NDArray[np.bool_]) -> list[Patch]:
    """Hatch cells that no samples support."""
    if not is_bare.any():
        return []
    bare, step = thin(is_bare.astype(float), MOST_CELLS)
    left, right, bottom, top = plane.own_extent
    wide, high = (right - left) / is_bare.shape[1], (top - bottom) / is_bare.shape[0]
    # One cell more all round: contours join the middles of cells, the hatch must reach the rim.
    x = left + wide * step * (np.arange(-1, bare.shape[1] + 1) + 0.5)
    y = bottom + high * step * (np.arange(-1, bare.shape[0] + 1) + 0.5)
    drawn = ax.contourf(x, y, np.pad(bare, 1, mode="edge"), levels=[0.5, 1.5], colors="none",
                        hatches=["\\\\\\\\\\"], zorder=2)  # fmt: skip
    drawn.set_edgecolor(INK)
    drawn.set_linewidth(0.0)
    drawn.set_gid("unsupported")
    drawn.set_transform(data_of(ax, plane))
    return [Patch(facecolor="white", edgecolor=INK, hatch="\\\\\\\\", linewidth=0,
                  label="not supported by samples")]  # fmt: skip


def _draw_faults(ax: Axes, faults: pd.DataFrame) -> Line2D:
    lines = list(_lines_of(faults))
    for colour, width, alpha in (("white", 2.2, 0.7), (_FAULT, 0.9, 1.0)):
        ax.add_collection(
            LineCollection(lines, colors=colour, linewidths=width, alpha=alpha, zorder=3,
                           gid="faults"),
            autolim=False,
        )  # fmt: skip
    return Line2D([], [], color=_FAULT, linewidth=0.9, label=f"Faults ({len(lines)})")


def _lines_of(faults: pd.DataFrame) -> Iterator[NDArray[np.float64]]:
    if hasattr(faults, "geometry"):
        for shape in faults.geometry.explode():
            yield np.asarray(shape.coords, dtype=float)[:, :2]
        return
    need_columns(faults, ("easting", "northing"), "The table of faults")
    column = next((name for name in _NAMES if name in faults), "")
    groups = faults.groupby(column, sort=False) if column else [("", faults)]
    for _, rows in groups:
        ordered = rows.sort_values("vertex", kind="stable") if "vertex" in rows else rows
        yield ordered[["easting", "northing"]].to_numpy(dtype=float)


def _draw_targets(ax: Axes, plane: Plane, targets: str | pd.DataFrame) -> list[Any]:
    if isinstance(targets, str):
        if not targets or targets not in plane.grid:
            return []
        numbers = plane.cells(targets)
        draw_outlines(ax, plane, numbers, first=plane.grid[targets].attrs.get("first", ()))
        n_targets = len(np.unique(numbers[np.nan_to_num(numbers) > 0]))
    elif hasattr(targets, "geometry"):
        _outline_shapes(ax, targets)
        n_targets = len(targets)
    else:
        _number_points(ax, targets)
        return []  # a number on a plate explains itself
    word = Patch(facecolor="none", edgecolor=INK, linewidth=1.1, label=f"Targets ({n_targets})")
    return [word] if n_targets else []


def _outline_shapes(ax: Axes, targets: Any) -> None:
    rings = [
        np.asarray(ring.coords, dtype=float)[:, :2]
        for shape in targets.geometry.explode()
        for ring in (shape.exterior, *shape.interiors)
    ]
    for colour, width in (("white", 2.2), (INK, 1.1)):
        ax.add_collection(LineCollection(rings, colors=colour, linewidths=width, zorder=5,
                                         gid="outline"), autolim=False)  # fmt: skip


def _number_points(ax: Axes, targets: pd.DataFrame) -> None:
    need_columns(targets, ("target", "easting", "northing"), "The table of targets")
    for _, row in targets.head(_NUMBERED).iterrows():
        number = row["target"]
        is_whole = isinstance(number, (float, np.floating)) and float(number).is_integer()
        ax.text(row["easting"], row["northing"], plain(int(number) if is_whole else number, longest=8),
                fontsize=8, fontweight="bold", ha="center", va="center", color=INK, bbox=_PLATE,
                zorder=8, clip_on=True, gid="target")  # fmt: skip


def _draw_occurrences(
    ax: Axes,
    plane: Plane,
    occurrences: pd.DataFrame | Mapping[str, pd.DataFrame] | None,
    looks: Mapping[str, tuple[str, str]],
    size: float,
) -> list[Any]:
    if occurrences is None:
        return []
    sets = {"Occurrences": occurrences} if hasattr(occurrences, "columns") else occurrences
    shown: list[Any] = []
    for i, (name, table) in enumerate(sets.items()):
        marker, face = looks.get(name, _LOOKS[i % len(_LOOKS)])
        x, y, is_near = plane.near(_with_places(table))
        own = size * _LARGER.get(marker, 1.0) * (1.0 if is_near.sum() <= _MANY else 0.5)
        rim = INK if face == "white" else "white"
        ax.scatter(x[is_near], y[is_near], marker=marker, s=own, c=face, edgecolors=rim,
                   linewidths=0.04 * own**0.5 + 0.6, zorder=6 + 0.1 * i,
                   gid="occurrences")  # fmt: skip
        if is_near.any():
            words = f"{plain(name, longest=40)} ({int(is_near.sum())})"
            shown.append(Line2D([], [], ls="", marker=marker, ms=5.5, mfc=face, mec=INK, mew=0.7,
                                label=words))  # fmt: skip
    return shown


def _with_places(table: pd.DataFrame) -> pd.DataFrame:
    """Return the coordinates of a table, or those of its geometries."""
    if hasattr(table, "geometry") and not {"easting", "northing"} <= set(table.columns):
        return pd.DataFrame({"easting": table.geometry.x, "northing": table.geometry.y})
    return table


def plot_capture_curves(
    curves: pd.DataFrame,
    *,
    kinds: Mapping[str, str] | None = None,
    chosen: str = "",
    marks: Sequence[float] = (0.05, 0.1),
    log: bool = True,
    what: str = "occurrences",
    of: str = "cells",
    ax: Axes | None = None,
) -> Axes:
    """Share of held-out occurrences within the best-scored area, by how much area one takes.

    Parameters
    ----------
    curves : DataFrame
        Columns `method`, `area` (share of the cells, the best first) and `captured` (share of the
        occurrences), 0 to 1; optionally `captured_low` and `captured_high`, drawn as a band for the
        chosen method. `CaptureCurve.capture` gives them.
    kinds : mapping, optional
        Method to "model" or "baseline"; baselines are dashed.
    chosen : str
        Method to draw strong.
    marks : sequence of float
        Areas to mark with a thin line.
    log : bool
        Area on a log scale, as what counts lies at its left.
    what, of : str
        What is captured, and what the area is a share of.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If a share is not between 0 and 1.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> points = pd.DataFrame({"method": "CNN", "area": [0.0, 0.1, 1.0], "captured": [0, 0.7, 1]})
    >>> plot_capture_curves(points, ax=new_axes()[0]).get_ylabel()
    'Held-out occurrences within it [%]'
    """
    need_columns(curves, ("method", "area", "captured"), "The table of curves")
    check_shares(curves, ("area", "captured"))
    ax = axes_or_new(ax, (6.0, 3.8))
    areas = np.geomspace(_LEAST_AREA, 100, 60) if log else np.array([0.0, 100.0])
    for mark in marks:
        ax.axvline(100 * mark, color=FAINT, linewidth=0.8, zorder=1, gid="mark")
    handles, words = _draw_curves(ax, curves, kinds or {}, chosen)
    handles += ax.plot(areas, areas, color=QUIET, linewidth=0.9, linestyle=(0, (1, 1.5)),
                       gid="chance")  # fmt: skip
    _frame_curves(ax, marks, of, log=log)
    ax.set_ylabel(f"Held-out {plain(what)} within it [%]")
    add_legend(ax, handles, [*words, "guessing"])
    return ax


def _draw_curves(
    ax: Axes, curves: pd.DataFrame, kinds: Mapping[str, str], chosen: str
) -> tuple[list[Any], list[str]]:
    names = list(dict.fromkeys(curves["method"].astype(str)))
    is_base = {name: kinds.get(name) == BASELINE for name in names}
    colours = method_colours(names, is_base)
    handles: list[Any] = []
    for name in names:
        own = curves[(curves["method"].astype(str) == name).to_numpy()].sort_values("area")
        is_chosen = name == chosen
        if is_chosen and {"captured_low", "captured_high"} <= set(own):
            ax.fill_between(100 * own["area"], 100 * own["captured_low"],
                            100 * own["captured_high"], step="post", color=ACCENT, alpha=0.14,
                            linewidth=0, zorder=2, gid="band")  # fmt: skip
        # An occurrence is captured at once, at its own area: a step, not a slope.
        handles += ax.plot(100 * own["area"], 100 * own["captured"], drawstyle="steps-post",
                           color=ACCENT if is_chosen else colours[name], gid="curve",
                           linewidth=2.4 if is_chosen else 1.3, zorder=4 if is_chosen else 3,
                           linestyle=(0, (5, 2)) if is_base[name] else "-")  # fmt: skip
    words = [f"{plain(name, longest=28)}{' (baseline)' if is_base[name] else ''}" for name in names]
    return handles, words


def _frame_curves(ax: Axes, marks: Sequence[float], of: str, *, log: bool) -> None:
    ax.set(xlim=(_LEAST_AREA if log else 0, 100), ylim=(0, 101))
    if log:
        ax.set_xscale("log")
        ax.set_xticks(sorted({0.1, 1.0, 10.0, 100.0} | {100 * mark for mark in marks}))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.set_xlim(_LEAST_AREA, 100)
    ax.set_xlabel(f"Best-scored area [% of the {plain(of)}{', log scale' if log else ''}]")
    ax.grid(visible=True, axis="y")
