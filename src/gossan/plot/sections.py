"""Vertical sections through drill holes and block models, along a line of any azimuth.

Placed intervals, traces, a block model and the ground come in; what lies in a corridor along the line
is drawn where it falls, and nothing is computed but that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Normalize, to_rgba_array
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from gossan._checks import check_option
from gossan.plot._cells import (
    add_colour_bar,
    colours_of,
    frame_plane,
    read_samples,
)
from gossan.plot._rocks import rock_looks, rock_patches
from gossan.plot._section_lines import (
    AXES,
    SectionLine,
    check_line,
    ground_along,
    need,
    section_line,
    slice_grid,
)
from gossan.plot.furniture import add_scale_bar
from gossan.plot.prospectivity import ORE, name_holes, outline_cells
from gossan.plot.scales import grade_label, grade_norm, is_log_scale
from gossan.plot.style import INK, LABEL_SIZE, QUIET, add_legend, axes_or_new, plain

__all__ = ["plot_section", "section_line"]

MOST_ACROSS = 600  # places along the line at which a block model is looked up
_LONGEST = 0.05  # of the section's length, for the bar of the highest grade
_GROUND = "#6b4a2b"
_ENDS = [f"{axis}_{end}" for end in ("from", "to") for axis in AXES]
_DRAWN = ("auto", "trace", "bars")


def plot_section(
    intervals: pd.DataFrame | None,
    name: str = "",
    *,
    line: Sequence[Sequence[float]],
    width: float,
    traces: pd.DataFrame | None = None,
    planned: pd.DataFrame | None = None,
    lithology: pd.DataFrame | None = None,
    column: str = "lithology",
    colours: Mapping[str, str] | None = None,
    ground: xr.Dataset | None = None,
    grid: xr.Dataset | None = None,
    layer: str = "",
    label: str = "",
    targets: str = "target",
    censored: pd.DataFrame | pd.Series | None = None,
    draw: str = "auto",
    unit: str = "ppm",
    norm: Normalize | None = None,
    scale: str = "auto",
    elevations: tuple[float, float] | None = None,
    exaggeration: float = 1.0,
    names: bool = True,
    colour_bar: bool = True,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Vertical section along a line: holes of a corridor with grades and rocks, ground, block model.

    Above the section stand its azimuth, the width of the corridor and the vertical exaggeration;
    below its ends their coordinates. What lies in the corridor is drawn as if it lay on the line,
    so keep the corridor narrower than the distance of the sections.

    Parameters
    ----------
    intervals : DataFrame or None
        Placed samples, as of `DrillHoles.points`: `easting_from` ... `elevation_to` and the middle
        `easting`, `northing`, `elevation` [m], and `name`. Drawn where the middle is within.
    name : str
        Column of grades; the layer of `grid` too, unless `layer` names another.
    line : ((easting, northing), (easting, northing))
        Left and right end [m]; see `section_line` for one by its azimuth.
    width : float
        Width of the corridor [m], half of it on each side.
    traces, planned : DataFrame, optional
        Holes that are drilled, and such as are suggested (dashed): `hole`, `easting`, `northing`,
        `elevation` [m] down each hole, as of `DrillHoles.traces`. Cut at the walls of the corridor.
    lithology : DataFrame, optional
        Placed intervals with `column`, drawn along the traces.
    column : str
        Column of rock names.
    colours : mapping, optional
        Rock to colour.
    ground : Dataset, optional
        2D grid with the layer "elevation" [m].
    grid : Dataset, optional
        3D grid, its cells drawn where the line passes through them.
    layer, label : str
        Layer of the grid to colour, and its label with the unit where it is not `name`.
    targets : str
        Layer of the grid with target numbers, outlined and numbered; missing: none are.
    censored : Boolean DataFrame or Series, optional
        True where a grade is a detection limit: drawn open.
    draw : {"auto", "trace", "bars"}
        Grades as the colour of the trace, or as bars at its right side. "auto" takes bars beside
        rocks or over a layer other than `name`, else the trace.
    unit, norm, scale
        Of the grades, as of `plot_map`; bars are as long as their colour is high on the scale.
    elevations : (low, high), optional
        Frame [m]; by default what is drawn, with some room.
    exaggeration : float
        How many times the section is stretched upwards.
    names : bool
        Name the holes at the upper end of what is shown of them.
    colour_bar, legend : bool
        Draw the colours beside the section, and what the symbols mean below it.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on: distance along the line [m] and elevation [m].

    Raises
    ------
    KeyError
        If a table lacks a column or the grid a layer.
    ValueError
        If the line has no length, the corridor no width, the grid is 2D, or nothing is given to
        draw.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> hole = pd.DataFrame({"hole": "A", "easting": [20.0, 60.0], "northing": 5.0,
    ...                      "elevation": [100.0, 40.0]})
    >>> ax = plot_section(None, line=section_line((50, 0), 90, 100), width=20, traces=hole,
    ...                   ax=new_axes()[0])
    >>> [text.get_text() for text in ax.texts if text.get_gid() == "section"]
    ['Section 090°, corridor ± 10 m, no vertical exaggeration']
    """
    check_option("draw", draw, _DRAWN)
    if intervals is None and traces is None and grid is None:
        raise ValueError(
            "A section needs something to draw, got neither intervals, traces nor a grid. Pass one."
        )
    section = check_line(line, width)
    ax = axes_or_new(ax, (7.6, 4.6))
    shown = layer or name
    is_own = name != "" and (grid is None or shown == name)
    grades = _grades(section, intervals, name, censored) if intervals is not None and name else {}
    cut = slice_grid(section, grid, most=MOST_ACROSS) if grid is not None else None
    cells = cut.cells(shown) if cut is not None and shown else None
    drawn = [part for part in (grades.get("values"), cells if is_own else None) if part is not None]
    norm = grade_norm(*drawn, scale=scale) if norm is None else norm
    cell_norm = norm if is_own or cells is None else grade_norm(cells)
    heights: list[NDArray] = [grades["ends"][:, :, 1].ravel()] if grades else []
    handles: list[Any] = []
    if cut is not None:
        heights.append(np.array(cut.extent[2:]))
        handles += _draw_slice(ax, cut, cells, cell_norm, targets)
    if ground is not None:
        handles.append(_draw_ground(ax, section, ground, heights))
    heights += _draw_traces(ax, section, traces, planned)
    looks: dict[str, tuple[str, str]] = {}
    if lithology is not None:
        looks, ends = _draw_rocks(ax, section, lithology, column, colours)
        heights.append(ends)
    as_bars = draw == "bars" or (draw == "auto" and (lithology is not None or not is_own))
    extent = _frame(section, heights, elevations, exaggeration)
    if grades and as_bars:
        _draw_bars(ax, grades, norm, section.length, exaggeration, is_coloured=is_own)
    elif grades:
        _draw_grades(ax, grades, norm)
    _frame_section(ax, section, extent, exaggeration)
    if names and traces is not None:
        _name_traces(ax, section, traces, extent)
    if colour_bar and (grades or cells is not None):
        words = (
            grade_label(plain(name), unit, norm) if is_own else plain(label or shown, longest=80)
        )
        add_colour_bar(ax, cell_norm, "grade", words, *(drawn if is_own else [cells]))
    if legend:
        handles += rock_patches(looks, hatched=False)
        handles += _words_of_grades(grades, name, unit, norm, as_bars=as_bars)
        handles += _words_of_traces(planned)
        add_legend(ax, handles, [str(own.get_label()) for own in handles], ncols=4,
                   loc="upper left", bbox_to_anchor=(0.0, 0.0), bbox_transform=_below(ax))  # fmt: skip
    return ax


def _below(ax: Axes) -> Transform:
    """Return the transform of places in the axes, moved below the label of the x axis."""
    figure: Any = ax.get_figure(root=True)
    return ax.transAxes + ScaledTranslation(0, -52 / 72, figure.dpi_scale_trans)


def _grades(
    section: SectionLine,
    intervals: pd.DataFrame,
    name: str,
    censored: pd.DataFrame | pd.Series | None,
) -> dict[str, NDArray]:
    """Return the ends (n, 2, 2), values and flags of samples with a grade in the corridor."""
    values, is_open = read_samples(intervals, name, censored)
    ends, is_near = _placed(section, intervals, "The table of intervals")
    keep = is_near & np.isfinite(values)
    return {"ends": ends[keep], "values": values[keep], "is_open": is_open[keep]}


def _placed(
    section: SectionLine, table: pd.DataFrame, what: str
) -> tuple[NDArray, NDArray[np.bool_]]:
    """Return both ends of intervals as (along, elevation), and which are in the corridor."""
    need(table, [*_ENDS, *AXES[:2]], what)
    is_near = section.holds(*section.place(*(table[axis].to_numpy(float) for axis in AXES[:2])))
    numbers = table[_ENDS].to_numpy(float)
    ends = [
        np.column_stack([section.place(part[:, 0], part[:, 1])[0], part[:, 2]])
        for part in (numbers[:, :3], numbers[:, 3:])
    ]
    return np.stack(ends, axis=1), is_near & np.isfinite(numbers).all(axis=1)


def _draw_slice(
    ax: Axes, cut: Any, cells: NDArray | None, norm: Normalize, targets: str
) -> list[Any]:
    if cells is not None:
        ax.imshow(np.ma.masked_invalid(cells), origin="lower", extent=cut.extent, norm=norm,
                  cmap=colours_of("grade"), interpolation="none", aspect="auto", zorder=1,
                  gid="cells")  # fmt: skip
    if not targets or targets not in cut.grid:
        return []
    numbers = cut.cells(targets)
    left, right, bottom, top = cut.extent
    x = np.linspace(left, right, numbers.shape[1] + 1)
    y = np.linspace(bottom, top, numbers.shape[0] + 1)
    outline_cells(ax, numbers, x, y, transform=ax.transData)
    if not (np.nan_to_num(numbers) > 0).any():
        return []
    return [Patch(facecolor="none", edgecolor=INK, linewidth=1.1, label="target")]


def _draw_ground(
    ax: Axes, section: SectionLine, ground: xr.Dataset, heights: list[NDArray]
) -> Line2D:
    along, height = ground_along(section, ground)
    heights.append(height)
    (drawn,) = ax.plot(along, height, color=_GROUND, linewidth=1.4, zorder=4, gid="ground")
    drawn.set_label("ground")
    return drawn


def _draw_traces(
    ax: Axes, section: SectionLine, traces: pd.DataFrame | None, planned: pd.DataFrame | None
) -> list[NDArray]:
    """Draw the pieces of all traces in the corridor and return their elevations."""
    heights: list[NDArray] = []
    looks = ((traces, QUIET, 0.8, "-", "traces"), (planned, ORE, 1.4, (0, (3, 1.4)), "planned"))
    for table, colour, thick, dashes, gid in looks:
        pieces = [piece for _, found in _pieces(section, table) for piece in found]
        heights += [piece[:, 1] for piece in pieces]
        ax.add_collection(LineCollection(pieces, colors=colour, linewidths=thick, linestyles=dashes,
                                         zorder=5 if gid == "planned" else 2, gid=gid),
                          autolim=False)  # fmt: skip
    return heights


def _pieces(section: SectionLine, traces: pd.DataFrame | None) -> list[tuple[str, list[NDArray]]]:
    """Return the name of each hole that comes into the corridor, and its pieces there."""
    if traces is None or not len(traces):
        return []
    need(traces, ("hole", *AXES), "The table of traces")
    points = traces[list(AXES)].to_numpy(float)
    groups = traces.groupby(traces["hole"].astype(str), sort=False).indices
    found = [(str(hole), section.cut(points[rows])) for hole, rows in groups.items()]
    return [(hole, pieces) for hole, pieces in found if pieces]


def _draw_rocks(
    ax: Axes, section: SectionLine, table: pd.DataFrame, column: str,
    colours: Mapping[str, str] | None,
) -> tuple[dict[str, tuple[str, str]], NDArray]:  # fmt: skip
    need(table, (column,), "The table of rocks")
    ends, is_near = _placed(section, table, "The table of rocks")
    keep = is_near & table[column].notna().to_numpy()
    rocks = table.loc[keep, column].astype(str)
    # All rocks of the table, not only those of this section, so that sections agree in colour.
    every = rock_looks(table[column], colours)
    for thick, shades in ((5.6, [QUIET] * len(rocks)), (4.8, [every[rock][0] for rock in rocks])):
        ax.add_collection(LineCollection(list(ends[keep]), colors=shades, linewidths=thick,
                                         zorder=3, capstyle="butt", gid="rocks"),
                          autolim=False)  # fmt: skip
    shown = set(rocks)
    return {name: look for name, look in every.items() if name in shown}, ends[keep][
        :, :, 1
    ].ravel()


def _draw_grades(ax: Axes, grades: dict[str, NDArray], norm: Normalize) -> None:
    """Colour the trace; a white core marks what lies below its limit."""
    ends, is_open = grades["ends"], grades["is_open"]
    shades = colours_of("grade")(norm(grades["values"]))
    rims = LineCollection(list(ends), colors=INK, linewidths=5.4, zorder=3, capstyle="butt")
    full = LineCollection(list(ends), colors=shades, linewidths=4.4, zorder=3, capstyle="butt",
                          gid="grades")  # fmt: skip
    core = LineCollection(list(ends[is_open]), colors="white", linewidths=2.4, zorder=3,
                          capstyle="butt", gid="censored")  # fmt: skip
    for lines in (rims, full, core):
        ax.add_collection(lines, autolim=False)


def _draw_bars(
    ax: Axes, grades: dict[str, NDArray], norm: Normalize, length: float, exaggeration: float,
    *, is_coloured: bool,
) -> None:  # fmt: skip
    """Draw a bar a sample, across the hole at its right side, long where the grade is high."""
    ends, is_open = grades["ends"], grades["is_open"]
    run = (ends[:, 1] - ends[:, 0]) * [1.0, exaggeration]
    across = np.column_stack([-run[:, 1], run[:, 0]])
    across /= np.maximum(np.hypot(*across.T), 1e-9)[:, None]
    across *= np.where(across[:, :1] < 0, -1.0, 1.0)
    share = np.clip(np.ma.filled(norm(grades["values"]), 0.0), 0.02, 1.0)[:, None]
    step = _LONGEST * length * share * across / [1.0, exaggeration]
    corners = np.stack([ends[:, 0], ends[:, 1], ends[:, 1] + step, ends[:, 0] + step], axis=1)
    shades = colours_of("grade")(norm(grades["values"])) if is_coloured else [INK] * len(corners)
    faces = np.where(is_open[:, None], 1.0, to_rgba_array(shades).reshape(-1, 4))
    ax.add_collection(PolyCollection(list(corners), facecolors=faces, edgecolors=INK,
                                     linewidths=0.35, zorder=4, gid="bars"),
                      autolim=False)  # fmt: skip


def _frame(
    section: SectionLine, heights: list[NDArray], elevations: tuple[float, float] | None,
    exaggeration: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    if elevations is not None:
        return 0.0, section.length, float(elevations[0]), float(elevations[1])
    known = np.concatenate([np.ravel(part) for part in heights]) if heights else np.zeros(0)
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, section.length, 0.0, section.length / 2 / exaggeration
    low, high = float(known.min()), float(known.max())
    room = max(0.06 * (high - low), 0.02 * section.length / exaggeration)
    return 0.0, section.length, low - room, high + 1.6 * room  # the names stand above the collars


def _frame_section(
    ax: Axes, section: SectionLine, extent: tuple[float, float, float, float], exaggeration: float
) -> None:
    labels = (f"Distance along {section.azimuth:03.0f}° [m]", "Elevation [m]")
    frame_plane(ax, extent, labels, is_map=False, coordinates=True, exaggeration=exaggeration)
    ax.patch.set(hatch=None, facecolor="white")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, min_n_ticks=2, steps=[1, 2, 5, 10]))
        axis.set_tick_params(labelsize=7)
    ax.xaxis.labelpad = 18  # below the coordinates of the ends, which a narrow section needs
    add_scale_bar(ax)
    words = (
        "no vertical exaggeration"
        if exaggeration == 1
        else f"vertical exaggeration × {exaggeration:g}"
    )
    ax.annotate(f"Section {section.azimuth:03.0f}°, corridor ± {section.width / 2:g} m, {words}",
                (0, 1), xytext=(0, 20), xycoords="axes fraction", textcoords="offset points",
                fontsize=LABEL_SIZE, color=INK, va="center", gid="section")  # fmt: skip
    for share, side, place in zip((0, 1), section.sides, (section.start, section.end), strict=True):
        ha = "left" if share == 0 else "right"
        ax.annotate(side, (share, 1), xytext=(4 - 8 * share, -5), xycoords="axes fraction", ha=ha,
                    va="top", textcoords="offset points", fontsize=10, fontweight="bold",
                    color=INK, zorder=8, gid="side")  # fmt: skip
        ax.annotate(f"{place[0]:,.0f} E\n{place[1]:,.0f} N", (share, 0), xytext=(0, -15), ha=ha,
                    va="top", xycoords="axes fraction", textcoords="offset points", fontsize=6.2,
                    color=QUIET, gid="end")  # fmt: skip


def _name_traces(
    ax: Axes, section: SectionLine, traces: pd.DataFrame, extent: tuple[float, float, float, float]
) -> None:
    found = _pieces(section, traces)
    places = [max((tuple(point) for piece in pieces for point in piece), key=lambda own: own[1])
              for _, pieces in found]  # fmt: skip
    name_holes(ax, extent, [hole for hole, _ in found], places)


def _words_of_grades(
    grades: dict[str, NDArray], name: str, unit: str, norm: Normalize, *, as_bars: bool
) -> list[Any]:
    """Say how long bars are, and what is open."""
    handles: list[Any] = []
    if grades and as_bars:
        note = ", log scale" if is_log_scale(norm) else ""
        words = f"{plain(name)}: bars from {_short(norm.vmin)} to {_short(norm.vmax)} {unit}{note}"
        handles.append(Patch(facecolor=INK, edgecolor=INK, label=words))
    if grades and grades["is_open"].any():
        handles.append(Patch(facecolor="white", edgecolor=INK, linewidth=0.8,
                             label="open: below the limit"))  # fmt: skip
    return handles


def _short(value: float | None) -> str:
    return f"{float(f'{value or 0.0:.3g}'):,.10g}"


def _words_of_traces(planned: pd.DataFrame | None) -> list[Line2D]:
    if planned is None or not len(planned):
        return []
    return [Line2D([], [], color=ORE, linewidth=1.4, linestyle=(0, (3, 1.4)), label="planned hole")]
