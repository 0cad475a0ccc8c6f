"""Figures of how good estimates are: against what was measured, by interval, by method.

Held-out predictions and scores come in; the line of perfect estimates, the promised coverage or the
reference method stands in each figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from gossan.plot.scales import grade_label, is_skewed
from gossan.plot.style import (
    ACCENT,
    INK,
    QUIET,
    add_legend,
    axes_or_new,
    log_scale,
    plain,
)

_BLUE = "#0072B2"
_MISS = "#D55E00"
_RANDOM = ("o", QUIET)
_HONEST = (("D", _BLUE), ("s", ACCENT), ("^", "#009E73"), ("v", "#CC79A7"))
_MANY = 800  # points beyond which an SVG keeps them as a picture


def plot_measured(
    predictions: pd.DataFrame,
    *,
    unit: str = "ppm",
    scale: str = "auto",
    censored: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Measured against estimated values of samples that were held out, with the line of equals.

    A cloud steeper than the line is an estimate that smooths too much, a flatter one exaggerates;
    bars are intervals, and those that miss the measured value (the line) are orange.

    Parameters
    ----------
    predictions : DataFrame
        Columns `measured` and `estimate`, optionally `low` and `high`.
    unit : str
        Of both.
    scale : {"auto", "linear", "log"}
        As of `gossan.plot.grade_norm`, decided by the measured values.
    censored : array of bool, optional
        True where the measured value is a detection limit: drawn open.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, of equal aspect.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_measured(pd.DataFrame({"measured": [1.0, 2.0], "estimate": [1.5, 1.6]}),
    ...                    ax=new_axes()[0])
    >>> ax.get_xlim() == ax.get_ylim()
    True
    """
    ax = axes_or_new(ax, (4.2, 4.0))
    estimate, measured = (predictions[name].to_numpy(float) for name in ("estimate", "measured"))
    known = np.isfinite(estimate) & np.isfinite(measured)
    is_log = scale == "log" or (scale == "auto" and is_skewed(measured[known]))
    low, high = _frame(measured[known], estimate[known], is_log=is_log)
    if is_log:
        known &= (estimate > 0) & (measured > 0)
        for which in ("x", "y"):
            log_scale(ax, which)
    ax.plot([low, high], [low, high], color=QUIET, linewidth=0.9, linestyle=(0, (4, 2)), zorder=2,
            gid="equal")  # fmt: skip
    is_open = np.zeros(len(known), bool) if censored is None else np.asarray(censored, bool)
    missed = np.zeros(len(known), bool)
    if {"low", "high"} <= set(predictions):
        missed = _draw_intervals(ax, predictions, known, floor=low)
    for is_miss, colour in ((False, _BLUE), (True, _MISS)):
        for flag, name in ((False, "measured"), (True, "censored")):
            here = known & (missed == is_miss) & (is_open == flag)
            ax.scatter(estimate[here], measured[here], s=9, facecolors="white" if flag else colour,
                       edgecolors=colour, linewidths=0.7 if flag else 0, alpha=0.8, zorder=3,
                       rasterized=bool(known.sum() > _MANY), gid=name)  # fmt: skip
    ax.set(xlim=(low, high), ylim=(low, high))
    ax.set_aspect("equal", adjustable="box")
    norm = LogNorm() if is_log else None
    ax.set_xlabel(grade_label("Estimated", unit, norm))
    ax.set_ylabel(grade_label("Measured", unit, norm))
    return ax


def _frame(measured: NDArray, estimate: NDArray, *, is_log: bool) -> tuple[float, float]:
    numbers = np.concatenate([measured, estimate])
    numbers = numbers[numbers > 0] if is_log else numbers
    if not len(numbers):
        return (0.1, 1.0) if is_log else (0.0, 1.0)
    low, high = float(numbers.min()), float(numbers.max())
    if is_log:
        room = max(high / low, 1.1) ** 0.04
        return low / room, high * room
    room = 0.04 * (high - low) or 1.0
    return (0.0 if low >= 0 and low < 0.3 * high else low - room), high + room


def _draw_intervals(
    ax: Axes, predictions: pd.DataFrame, known: NDArray[np.bool_], *, floor: float
) -> NDArray[np.bool_]:
    """Draw each interval as a faint bar along the estimate's axis; return which ones miss."""
    measured, low, high = (predictions[n].to_numpy(float) for n in ("measured", "low", "high"))
    has = known & np.isfinite(low) & np.isfinite(high)
    missed = has & ((measured < low) | (measured > high))
    for shown, colour in ((has & ~missed, _BLUE), (missed, _MISS)):
        ax.hlines(measured[shown], np.maximum(low[shown], floor), high[shown], color=colour,
                  linewidth=0.5, alpha=0.22 if colour == _BLUE else 0.45, zorder=1,
                  rasterized=bool(has.sum() > _MANY / 4), gid="interval")  # fmt: skip
    return missed


def plot_coverage(
    coverage: pd.DataFrame,
    *,
    level: float = 0.9,
    tolerance: float = 0.02,
    label: str = "Share of held-out samples inside their interval",
    ax: Axes | None = None,
) -> Axes:
    """Whether intervals hold as many samples as they promise, one row an element or method.

    Left of the band intervals are too narrow and the estimate boasts; right of it too wide.

    Parameters
    ----------
    coverage : DataFrame
        Columns `name` and `coverage` (0 to 1), optionally `low` and `high`; the first on top.
    level : float
        Coverage that was promised.
    tolerance : float
        Half-width of the band around it.
    label : str
        What was counted.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_coverage(pd.DataFrame({"name": ["Cd"], "coverage": [0.91]}), ax=new_axes()[0])
    >>> ax.get_xlabel()
    'Share of held-out samples inside their interval [%], 90 % promised'
    """
    ax = axes_or_new(ax, (6.4, 0.9 + 0.3 * len(coverage)))
    rows = np.arange(len(coverage))
    ax.axvspan(100 * (level - tolerance), 100 * (level + tolerance), color="#009E73", alpha=0.14,
               linewidth=0, gid="promised")  # fmt: skip
    ax.axvline(100 * level, color="#00795a", linewidth=0.9)
    if {"low", "high"} <= set(coverage):
        ax.hlines(rows, 100 * coverage["low"], 100 * coverage["high"], color=_BLUE, linewidth=1.4)
    ax.scatter(100 * coverage["coverage"], rows, marker="D", s=32, c=_BLUE, edgecolors="white",
               linewidths=0.6, zorder=3, gid="coverage")  # fmt: skip
    ends = [coverage[name].min() for name in ("coverage", "low") if name in coverage]
    lowest = float(np.nanmin([*ends, level - 0.1]))
    ax.set_xlim(max(0.0, 100 * lowest - 3), 101)
    ax.set_xlabel(f"{plain(label, longest=90)} [%], {100 * level:g} % promised")
    _name_rows(ax, [plain(name, longest=30) for name in coverage["name"]])
    return ax


def _name_rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="x")


def plot_interval_calibration(points: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Coverage that intervals of many levels promise, and what they held, on held-out samples.

    Below the diagonal intervals are too narrow.

    Parameters
    ----------
    points : DataFrame
        Columns `stated` and `observed` (0 to 1), optionally `low`, `high` and `method`.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, of equal aspect.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_interval_calibration(pd.DataFrame({"stated": [0.5], "observed": [0.45]}),
    ...                                ax=new_axes()[0])
    >>> ax.get_ylabel()
    'Samples inside [%]'
    """
    ax = axes_or_new(ax, (4.2, 4.0))
    ax.plot([0, 100], [0, 100], color=QUIET, linewidth=0.9, linestyle=(0, (4, 2)), gid="equal")
    methods = points["method"].astype(str) if "method" in points else pd.Series("", points.index)
    names = list(dict.fromkeys(methods))
    for place, name in enumerate(names):
        marker, colour = _HONEST[place % len(_HONEST)]
        own = points[(methods == name).to_numpy()].sort_values("stated")
        x, y = 100 * own["stated"], 100 * own["observed"]
        if {"low", "high"} <= set(own):
            ax.fill_between(x, 100 * own["low"], 100 * own["high"], color=colour, alpha=0.13,
                            linewidth=0)  # fmt: skip
        ax.plot(x, y, color=colour, linewidth=1.2, marker=marker, ms=4.5, mec="white", mew=0.5,
                gid="coverage")  # fmt: skip
    ax.set(xlim=(0, 101), ylim=(0, 101), aspect="equal")
    ax.set_xlabel("Coverage promised [%]")
    ax.set_ylabel("Samples inside [%]")
    ax.grid(visible=True)
    if len(names) > 1:
        handles = [Line2D([], [], color=c, marker=m, ms=4.5) for m, c in _HONEST[: len(names)]]
        add_legend(ax, handles, [plain(name, longest=28) for name in names], loc="upper left",
                   bbox_to_anchor=(0.02, 0.99))  # fmt: skip
    return ax


def plot_crps_ratios(
    scores: pd.DataFrame,
    *,
    reference: str = "ordinary kriging",
    chosen: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Error of each method over that of the reference under each split; left of one is better.

    Parameters
    ----------
    scores : DataFrame
        Columns `method`, `split`, `crps_ratio`, optionally `crps_ratio_low` and `crps_ratio_high`;
        rows of one element or of their mean. Methods stand in the order in which they appear.
    reference : str
        Method whose ratio is one, drawn as the line.
    chosen : str
        Method to set bold.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, the first method on top.

    Notes
    -----
    The continuous ranked probability score weighs a whole predictive distribution against what was
    measured, in the unit of the grade (Gneiting & Raftery 2007, doi:10.1198/016214506000001437).

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> scores = pd.DataFrame({"method": ["network"], "split": ["blocks held out"],
    ...                        "crps_ratio": [0.96]})
    >>> [t.get_text() for t in plot_crps_ratios(scores, ax=new_axes()[0]).get_yticklabels()]
    ['network']
    """
    methods = list(dict.fromkeys(scores["method"].astype(str)))
    splits = list(dict.fromkeys(scores["split"].astype(str)))
    ax = axes_or_new(ax, (6.4, 1.0 + 0.36 * len(methods)))
    ax.axvline(1, color=INK, linewidth=1.0, zorder=1, gid="reference")
    looks = looks_of_splits(splits)
    for row, method in enumerate(methods):
        if method == chosen:
            ax.axhspan(row - 0.5, row + 0.5, color=ACCENT, alpha=0.07, linewidth=0, zorder=0)
        for place, split in enumerate(splits):
            own = scores[(scores["method"].astype(str) == method).to_numpy()
                         & (scores["split"].astype(str) == split).to_numpy()]  # fmt: skip
            y = row + (place - (len(splits) - 1) / 2) * min(0.22, 0.6 / len(splits))
            _draw_ratio(ax, own, y, looks[split])
    _name_rows(ax, [plain(name, longest=34) for name in methods])
    for label, method in zip(ax.get_yticklabels(), methods, strict=True):
        label.set_fontweight("bold" if method == chosen else "normal")
    ax.margins(x=0.06)
    ax.set_xlabel(f"Error (CRPS) over that of {plain(reference)}; left of 1 is better")
    handles: list[Any] = [
        Line2D([], [], ls="", marker=marker, color=colour, ms=5)
        for marker, colour in looks.values()
    ]
    add_legend(ax, handles, [plain(name, longest=30) for name in splits])
    return ax


def looks_of_splits(splits: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Marker and colour of each split; random ones are grey, as what they say counts less.

    Examples
    --------
    >>> looks_of_splits(["random rows", "blocks held out"])["blocks held out"]
    ('D', '#0072B2')
    """
    honest = [split for split in splits if "random" not in split.lower()]
    looks = {split: _HONEST[place % len(_HONEST)] for place, split in enumerate(honest)}
    return {split: looks.get(split, _RANDOM) for split in splits}


def _draw_ratio(ax: Axes, rows: pd.DataFrame, y: float, look: tuple[str, str]) -> None:
    marker, colour = look
    places = [y] * len(rows)
    if {"crps_ratio_low", "crps_ratio_high"} <= set(rows):
        ax.hlines(places, rows["crps_ratio_low"], rows["crps_ratio_high"], color=colour,
                  linewidth=1.4)  # fmt: skip
    ax.scatter(rows["crps_ratio"], places, marker=marker, s=32, c=colour, edgecolors="white",
               linewidths=0.6, zorder=3, gid="ratio")  # fmt: skip
