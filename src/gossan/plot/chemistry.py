"""Figures of what the chemistry says: elements by class, enrichment, temperature, lead, limits.

Tables that were computed elsewhere come in, one row a line or mark; units stand on every axis, and
values below their detection limit are drawn open.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from gossan.plot._classes import as_names
from gossan.plot.style import (
    ACCENT,
    FAINT,
    INK,
    LABEL_SIZE,
    QUIET,
    add_legend,
    axes_or_new,
    class_colours,
    class_markers,
    deposit_looks,
    frame_logs,
    log_scale,
    plain,
)

_MANY = 300  # points beyond which an SVG keeps them as a picture


def plot_element_by_class(
    values: pd.Series,
    classes: Sequence[str] | pd.Series,
    *,
    censored: Sequence[bool] | pd.Series | None = None,
    points: Mapping[str, ArrayLike] | None = None,
    points_censored: Mapping[str, ArrayLike] | None = None,
    unit: str = "ppm",
    ax: Axes | None = None,
) -> Axes:
    """One element in each class, as box and strip on a log axis, with the user's deposits on top.

    The box holds the middle half, the whiskers 5 to 95 %, the strip every analysis.

    Parameters
    ----------
    values : Series of shape (n,)
        Concentrations [unit]; its name is the axis label. Values that are missing or not positive
        are not drawn.
    classes : sequence of shape (n,)
        Class of each value.
    censored : Boolean sequence of shape (n,), optional
        True where the value is a detection limit: drawn open.
    points : mapping, optional
        Deposit name to its analyses [unit], each deposit a row of stars.
    points_censored : mapping, optional
        Deposit name to flags as in `censored`.
    unit : str
        Unit of the values.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, the first deposit on top.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> germanium = pd.Series([1.0, 3.0, 200.0], name="Ge")
    >>> ax = plot_element_by_class(germanium, ["VMS", "VMS", "MVT"], points={"Mine": [240.0]},
    ...                            ax=new_axes()[0])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['Mine', 'MVT (n = 1)', 'VMS (n = 2)']
    """
    ax = axes_or_new(ax, (6.4, 3.6))
    log_scale(ax, "x")
    ax.set_xlabel(f"{plain(values.name)} [{unit}, log scale]")
    numbers = values.to_numpy(dtype=float)
    is_open = np.zeros(len(numbers), bool) if censored is None else np.asarray(censored, bool)
    names = as_names(classes)
    rows: list[str] = []
    looks = deposit_looks(points or {})
    frame_logs(ax, "x", numbers, *(points or {}).values())
    for deposit, given in (points or {}).items():
        row = np.asarray(given, float)
        flags = (points_censored or {}).get(deposit, np.zeros(len(row), bool))
        _draw_star_row(ax, row, np.asarray(flags, bool), len(rows), looks[str(deposit)])
        rows.append(plain(deposit, longest=28))
    colours, markers = class_colours(names), class_markers(names)
    for name, colour in colours.items():
        member = (names == name) & (numbers > 0)
        _draw_strip(
            ax, numbers[member], is_open[member], len(rows), colour=colour, marker=markers[name]
        )
        rows.append(f"{plain(name, longest=28)} (n = {int(member.sum()):,})")
    _name_rows(ax, rows)
    return ax


def _draw_star_row(
    ax: Axes, values: NDArray, is_open: NDArray, row: int, look: tuple[str, Any, Any]
) -> None:
    ax.axhspan(row - 0.5, row + 0.5, color=ACCENT, alpha=0.06, linewidth=0, zorder=0)
    shown = values > 0
    colour, _, star = look
    for flag, face, name in ((False, colour, "new measured"), (True, "white", "new censored")):
        x = values[shown & (is_open == flag)]
        ax.scatter(x, row + _jitter(len(x), 0.18), marker=star, s=55 if len(x) < 40 else 25, c=face,
                   edgecolors=colour, linewidths=0.6, zorder=4, gid=name)  # fmt: skip


def _draw_strip(
    ax: Axes, values: NDArray, is_open: NDArray, row: int, *, colour: str, marker: str
) -> None:
    for flag, face in ((False, colour), (True, "none")):
        x = values[is_open == flag]
        ax.scatter(x, row + _jitter(len(x), 0.3), marker=marker, s=6, facecolors=face, alpha=0.35,
                   edgecolors=colour, linewidths=0.5 if flag else 0, rasterized=len(x) > _MANY,
                   zorder=1, gid="censored" if flag else "measured")  # fmt: skip
    if len(values):
        low, q1, middle, q3, high = np.percentile(values, [5, 25, 50, 75, 95])
        ax.plot([low, high], [row, row], color=INK, linewidth=0.8, zorder=2)
        ax.barh(row, q3 - q1, left=q1, height=0.42, facecolor="white", edgecolor=INK,
                linewidth=0.8, alpha=0.85, zorder=3)  # fmt: skip
        ax.plot([middle, middle], [row - 0.21, row + 0.21], color=colour, linewidth=2.4, zorder=4,
                solid_capstyle="butt")  # fmt: skip


def _jitter(n: int, reach: float) -> NDArray:
    """Even, repeatable spread of n points: the golden-ratio sequence."""
    return (np.arange(1, n + 1) * 0.6180339887 % 1 - 0.5) * 2 * reach


def _name_rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=True, axis="x", zorder=0)
    ax.spines["left"].set_visible(False)


def plot_enrichment(
    ratios: pd.DataFrame,
    reference: str,
    *,
    ranges: Mapping[str, pd.DataFrame] | None = None,
    colours: Mapping[str, str] | None = None,
    censored: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Spider diagram: concentration over a named reference, one line a deposit, on a log axis.

    Parameters
    ----------
    ratios : DataFrame of shape (deposits, elements)
        Enrichment over the reference, from `gossan.geochem`; the index names the lines (at most
        eight are told apart by colour).
    reference : str
        What the concentrations were divided by; written on the axis.
    ranges : mapping, optional
        Class name to a table indexed by element with columns `low` and `high`, drawn as bands.
    colours : mapping, optional
        Colour of each class, from `class_colours` of all classes, so that figures agree.
    censored : Boolean DataFrame of the same shape, optional
        True where a ratio rests on values below the limit: drawn open.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_enrichment(pd.DataFrame({"Ga": [2.0], "Ge": [90.0]}, index=["Mine"]),
    ...                      "upper crust", ax=new_axes()[0])
    >>> ax.get_ylabel()
    'Enrichment over upper crust\n[ratio, log scale]'
    """
    ax = axes_or_new(ax, (6.4, 3.6))
    log_scale(ax, "y")
    named = "\n".join(textwrap.wrap(f"Enrichment over {plain(reference)}", 34))
    ax.set_ylabel(f"{named}\n[ratio, log scale]")
    places = np.arange(ratios.shape[1])
    ax.set_xticks(places, [plain(name) for name in ratios.columns])
    ax.set_xlim(-0.4, len(places) - 0.6)
    ax.grid(visible=True, axis="both")
    ax.axhline(1, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
    handles, labels = _draw_bands(ax, ranges or {}, list(ratios.columns), colours)
    looks = deposit_looks(ratios.index)
    for row, name in enumerate(map(str, ratios.index)):
        y = np.where(ratios.iloc[row] > 0, ratios.iloc[row], np.nan).astype(float)
        is_open = np.zeros(len(y), bool) if censored is None else censored.iloc[row].to_numpy(bool)
        colour, marker, _ = looks[name]
        ax.plot(places, y, color=colour, linewidth=1.6, zorder=4)
        for flag, face in ((False, colour), (True, "white")):
            keep = is_open == flag
            ax.scatter(places[keep], y[keep], marker=marker, s=26, facecolors=face,
                       edgecolors=colour, linewidths=1.0, zorder=5,
                       gid="censored" if flag else "measured")  # fmt: skip
        handles.append(Line2D([], [], color=colour, marker=marker, ms=4.5))
        labels.append(plain(name, longest=28))
    add_legend(ax, handles, labels)
    return ax


def _draw_bands(
    ax: Axes,
    ranges: Mapping[str, pd.DataFrame],
    elements: list[str],
    colours: Mapping[str, str] | None,
) -> tuple[list, list[str]]:
    handles, labels = [], []
    colours = class_colours(ranges) if colours is None else colours
    for name, band in ranges.items():
        inside = band.reindex(elements)
        low, high = inside["low"].to_numpy(float), inside["high"].to_numpy(float)
        ax.fill_between(range(len(elements)), low, high, color=colours[str(name)], alpha=0.13,
                        linewidth=0, zorder=1)  # fmt: skip
        handles.append(Patch(color=colours[str(name)], alpha=0.3, linewidth=0))
        labels.append(plain(name, longest=28))
    return handles, labels


def plot_temperatures(
    temperatures: pd.DataFrame,
    *,
    class_ranges: pd.DataFrame | None = None,
    valid_range: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Temperature at which each deposit formed with its error, above the ranges of the classes.

    Parameters
    ----------
    temperatures : DataFrame
        Columns `deposit`, `temperature`, `low`, `high` [°C], and optionally `class`.
    class_ranges : DataFrame, optional
        Columns `class`, `low`, `middle`, `high` [°C]: what the training table gives.
    valid_range : (float, float), optional
        Calibration range of the thermometer [°C]; outside it the ground is hatched.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, the first deposit on top.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> mine = pd.DataFrame({"deposit": ["Mine"], "temperature": [144.0], "low": [94.0],
    ...                      "high": [194.0]})
    >>> plot_temperatures(mine, ax=new_axes()[0]).get_xlabel()
    'Temperature [°C]'
    """
    ax = axes_or_new(ax, (6.4, 3.6))
    bands = pd.DataFrame(columns=["class"]) if class_ranges is None else class_ranges
    own = temperatures["class"] if "class" in temperatures else [None] * len(temperatures)
    colours = class_colours([*bands["class"], *own])
    markers = class_markers(colours)
    rows: list[str] = []
    for (_, row), name in zip(temperatures.iterrows(), own, strict=True):
        colour, marker = colours.get(str(name), INK), markers.get(str(name), "o")
        ax.plot([row["low"], row["high"]], [len(rows)] * 2, color=colour, linewidth=1.6, zorder=3)
        ax.scatter(row["temperature"], len(rows), marker=marker, s=48, c=colour, zorder=4,
                   edgecolors="white", linewidths=0.7, gid="temperature")  # fmt: skip
        rows.append(plain(row["deposit"], longest=28))
    for _, band in bands.iterrows():
        colour = colours[str(band["class"])]
        ax.barh(len(rows), band["high"] - band["low"], left=band["low"], height=0.5, color=colour,
                alpha=0.25, linewidth=0, gid="class range")  # fmt: skip
        ax.plot([band["middle"]] * 2, [len(rows) - 0.25, len(rows) + 0.25], color=colour, lw=2.2)
        rows.append(f"{plain(band['class'], longest=28)} (table)")
    if len(bands) and len(temperatures):
        ax.axhline(len(temperatures) - 0.5, color=QUIET, linewidth=0.6)
    _name_rows(ax, rows)
    ax.set_xlabel("Temperature [°C]")
    _hatch_outside(ax, valid_range)
    return ax


def _hatch_outside(ax: Axes, valid_range: tuple[float, float] | None) -> None:
    if valid_range is None:
        return
    left, right = ax.get_xlim()
    for start, stop in ((left, valid_range[0]), (valid_range[1], right)):
        if stop > start:
            ax.axvspan(start, stop, facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0,
                       zorder=0, gid="outside calibration")  # fmt: skip
    ax.set_xlim(left, right)


def plot_lead_isotopes(
    ratios: pd.DataFrame,
    *,
    curves: Mapping[str, pd.DataFrame] | None = None,
    against: str = "207/204",
    ax: Axes | None = None,
) -> Axes:
    """Lead-isotope diagram: samples against growth curves that were computed elsewhere.

    Parameters
    ----------
    ratios : DataFrame
        Columns "206/204" and `against`; optionally `deposit` for the colours and `error_x`,
        `error_y` for bars.
    curves : mapping, optional
        Name of a curve to a table with the same two columns and optionally `age` [Ma], of which
        round ones are marked.
    against : {"207/204", "208/204"}
        Ratio of the y axis: uranogenic or thorogenic diagram.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, framed to the samples.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> lead = pd.DataFrame({"206/204": [18.5], "207/204": [15.65]})
    >>> plot_lead_isotopes(lead, ax=new_axes()[0]).get_ylabel()
    '²⁰⁷Pb/²⁰⁴Pb [ratio]'
    """
    ax = axes_or_new(ax, (6.4, 4.2))
    ax.set_xlabel("²⁰⁶Pb/²⁰⁴Pb [ratio]")
    ax.set_ylabel(f"{'²⁰⁷' if against == '207/204' else '²⁰⁸'}Pb/²⁰⁴Pb [ratio]")
    names = as_names(ratios["deposit"] if "deposit" in ratios else ["samples"] * len(ratios))
    handles: list[Artist] = []
    labels: list[str] = []
    for name, (colour, marker, _) in deposit_looks(names).items():
        x, y = ratios.loc[names == name, ["206/204", against]].to_numpy(float).T
        handles.append(ax.scatter(x, y, marker=marker, s=28, c=colour, edgecolors="white",
                                  linewidths=0.5, zorder=4, gid="samples"))  # fmt: skip
        labels.append(f"{plain(name, longest=28)} (n = {len(x)})")
    if {"error_x", "error_y"} <= set(ratios):
        ax.errorbar(ratios["206/204"], ratios[against], xerr=ratios["error_x"], zorder=3,
                    yerr=ratios["error_y"], fmt="none", ecolor=QUIET, elinewidth=0.7)  # fmt: skip
    frame = _frame_of(ratios[["206/204", against]].to_numpy(float))
    for dash, (name, curve) in enumerate((curves or {}).items()):
        handles.append(_draw_growth_curve(ax, curve, against, dash, frame))
        labels.append(plain(name, longest=36))
    (left, right), (bottom, top) = frame
    ax.set(xlim=(left, right), ylim=(bottom, top))
    add_legend(ax, handles, labels)
    return ax


def _frame_of(xy: NDArray) -> list[tuple[float, float]]:
    low, high = np.nanmin(xy, axis=0), np.nanmax(xy, axis=0)
    margin = np.maximum((high - low) * 0.35, [0.25, 0.08])
    return [(float(a), float(b)) for a, b in zip(low - margin, high + margin, strict=True)]


def _draw_growth_curve(
    ax: Axes, curve: pd.DataFrame, against: str, dash: int, frame: list[tuple[float, float]]
) -> Line2D:
    styles = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
    x, y = curve["206/204"].to_numpy(float), curve[against].to_numpy(float)
    (line,) = ax.plot(x, y, color=INK, linewidth=1.0, linestyle=styles[dash % 4], zorder=2)
    (left, right), (bottom, top) = frame
    shown = (x > left) & (x < right) & (y > bottom) & (y < top)
    marked = shown & _round_ages(curve, shown)
    ax.scatter(x[marked], y[marked], s=9, c=INK, zorder=2)
    for place in np.flatnonzero(marked):
        ax.annotate(f"{curve['age'].iloc[place]:,.0f} Ma", (x[place], y[place]), xytext=(4, -8),
                    textcoords="offset points", fontsize=6.5, color=QUIET)  # fmt: skip
    return line


def _round_ages(curve: pd.DataFrame, shown: NDArray) -> NDArray[np.bool_]:
    """Pick the ages to mark: multiples of the greatest step that gives three in the frame."""
    if "age" not in curve:
        return np.zeros(len(shown), dtype=bool)
    ages = curve["age"].to_numpy(float)
    picks = [np.isclose(ages % step, 0) for step in (1000, 500, 250, 200, 100, 50)]
    return next((pick for pick in picks if (pick & shown).sum() >= 3), picks[-1])


def plot_censored_shares(shares: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of each element's values that are below the limit, suspected substitutes, or missing.

    Parameters
    ----------
    shares : DataFrame of shape (elements, kinds)
        Shares between 0 and 1, indexed by element, a column a kind ("below_limit",
        "suspected_substitute", "missing"), stacked in their order.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_censored_shares(pd.DataFrame({"below_limit": [0.25]}, index=["In"]),
    ...                           ax=new_axes()[0])
    >>> float(ax.patches[0].get_height())
    25.0
    """
    ax = axes_or_new(ax, (6.4, 2.8))
    looks = [(ACCENT, None), ("#e3b48f", None), ("white", "////"), (QUIET, None)]
    places, bottom = np.arange(len(shares)), np.zeros(len(shares))
    for kind, (colour, hatch) in zip(shares.columns, looks, strict=False):
        heights = shares[kind].to_numpy(float) * 100
        ax.bar(places, heights, bottom=bottom, width=0.66, color=colour, hatch=hatch, linewidth=0.5,
               edgecolor="white" if hatch is None else QUIET,
               label=plain(str(kind).replace("_", " ")))  # fmt: skip
        bottom += np.nan_to_num(heights)
    for place, total in enumerate(bottom):
        ax.text(place, total, f"{total:.0f}" if total >= 1 or total == 0 else "<1", ha="center",
                va="bottom", fontsize=LABEL_SIZE, color=QUIET)  # fmt: skip
    ax.set_xticks(places, [plain(name) for name in shares.index])
    ax.set_ylabel("Share of analyses [%]")
    ax.set_ylim(0, min(100.0, max(5.0, float(bottom.max(initial=0)) * 1.15)))
    ax.tick_params(axis="x", length=0)
    ax.grid(visible=True, axis="y")
    handles, labels = ax.get_legend_handles_labels()
    add_legend(ax, handles, labels)
    return ax
