"""Figures of how far to trust a map of scores: by protocol, by the rock that one must drill.

Scores of models and baselines that were computed elsewhere come in, with their intervals; baselines
stand apart from models in each figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from gossan.plot._columns import check_shares, need_columns
from gossan.plot.style import (
    ACCENT,
    FAINT,
    INK,
    LABEL_SIZE,
    QUIET,
    add_legend,
    axes_or_new,
    method_colours,
    plain,
)

BASELINE = "baseline"
_LOOKS = (("D", "#0072B2"), ("s", "#D55E00"), ("^", "#009E73"), ("v", "#CC79A7"), ("P", "#7a5f00"))
_PUBLISHED = ("o", QUIET)
_LEAST_SHARE = 0.1  # %, where the axis of a success-rate curve starts


def plot_protocol_scores(
    scores: pd.DataFrame,
    *,
    chosen: str = "",
    published: str = "",
    label: str = "AUC",
    chance: float | None = 0.5,
    ax: Axes | None = None,
) -> Axes:
    """Score of each method under each protocol, models above, baselines below on a shaded band.

    Parameters
    ----------
    scores : DataFrame
        Columns `method`, `protocol`, `auc`, optionally `kind` ("model" or "baseline"), `auc_low`
        and `auc_high`; methods and protocols in the order in which they first appear.
    chosen : str
        Method to set bold.
    published : str
        Protocol that leaks: drawn grey and open, as what it says counts less.
    label : str
        Name and unit of the score.
    chance : float, optional
        Score of guessing, drawn as a line.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, the first model on top.

    Raises
    ------
    KeyError
        If a column is missing.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> table = pd.DataFrame({"method": ["kriged ore", "maxent"], "protocol": "holes",
    ...                       "auc": [0.8, 0.78], "kind": ["baseline", "model"]})
    >>> ax = plot_protocol_scores(table, ax=new_axes()[0])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['maxent', 'kriged ore']
    """
    need_columns(scores, ("method", "protocol", "auc"), "The table of scores")
    kinds = _kinds(scores)
    models = [name for name, kind in kinds.items() if kind != BASELINE]
    methods = [*models, *(name for name in kinds if name not in models)]
    protocols = list(dict.fromkeys(scores["protocol"].astype(str)))
    looks = _looks_of(protocols, published)
    ax = axes_or_new(ax, (6.4, 1.0 + 0.36 * len(methods)))
    if len(models) < len(methods):
        _draw_band(ax, len(models), len(methods), has_models=bool(models))
    if chance is not None:
        ax.axvline(chance, color=QUIET, linewidth=0.9, linestyle=(0, (1, 1.5)), gid="chance")
    for row, method in enumerate(methods):
        for place, protocol in enumerate(protocols):
            own = scores[(scores["method"].astype(str) == method).to_numpy()
                         & (scores["protocol"].astype(str) == protocol).to_numpy()]  # fmt: skip
            y = row + (place - (len(protocols) - 1) / 2) * min(0.2, 0.72 / len(protocols))
            _draw_dot(ax, own, y, looks[protocol], is_open=protocol == published)
    ax.set_yticks(range(len(methods)), [plain(name, longest=30) for name in methods])
    for text, method in zip(ax.get_yticklabels(), methods, strict=True):
        text.set_fontweight("bold" if method == chosen else "normal")
    ax.set_ylim(len(methods) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="x")
    ax.margins(x=0.04)
    ax.set_xlabel(plain(label, longest=120))
    handles: list[Any] = [
        Line2D([], [], ls="", marker=marker, ms=5.5, mec=colour,
               mfc="white" if protocol == published else colour)
        for protocol, (marker, colour) in looks.items()
    ]  # fmt: skip
    words = [plain(name, longest=36) for name in protocols]
    if chance is not None:
        handles.append(Line2D([], [], color=QUIET, linestyle=(0, (1, 1.5))))
        words.append("guessing")
    add_legend(ax, handles, words)
    return ax


def _kinds(scores: pd.DataFrame) -> dict[str, str]:
    names = scores["method"].astype(str)
    kinds = scores["kind"].astype(str) if "kind" in scores else pd.Series("model", scores.index)
    first = ~names.duplicated().to_numpy()
    return dict(zip(names[first], kinds[first], strict=True))


def _looks_of(protocols: Sequence[str], published: str) -> dict[str, tuple[str, str]]:
    honest = [name for name in protocols if name != published]
    looks = {name: _LOOKS[place % len(_LOOKS)] for place, name in enumerate(honest)}
    return {name: looks.get(name, _PUBLISHED) for name in protocols}


def _draw_band(ax: Axes, first: int, end: int, *, has_models: bool) -> None:
    ax.axhspan(
        first - 0.5, end - 0.4, color=INK, alpha=0.05, linewidth=0, zorder=0, gid="baselines"
    )
    for row, word in ((first, "Baselines"), *([(0, "Models")] if has_models else [])):
        ax.annotate(word, (0.0, row - 0.5), xycoords=("axes fraction", "data"), xytext=(3, -3),
                    textcoords="offset points", ha="left", va="top", fontsize=LABEL_SIZE,
                    color=QUIET, zorder=1)  # fmt: skip


def _draw_dot(
    ax: Axes, rows: pd.DataFrame, y: float, look: tuple[str, str], *, is_open: bool
) -> None:
    marker, colour = look
    places = [y] * len(rows)
    if {"auc_low", "auc_high"} <= set(rows):
        ax.hlines(places, rows["auc_low"], rows["auc_high"], color=colour, linewidth=1.4)
    ax.scatter(rows["auc"], places, marker=marker, s=32, c="white" if is_open else colour,
               edgecolors=colour if is_open else "white", linewidths=1.2 if is_open else 0.6,
               zorder=3, gid="score")  # fmt: skip


def plot_success_rate(
    curves: pd.DataFrame,
    *,
    kinds: Mapping[str, str] | None = None,
    chosen: str = "",
    marks: Sequence[float] = (),
    ax: Axes | None = None,
) -> Axes:
    """Share of the ore that the best-scored rock holds, by how much of the rock one takes.

    The steeper at the left, the less must be drilled to find the same ore.

    Parameters
    ----------
    curves : DataFrame
        Columns `method`, `share` of the tested cells and `captured` share of their ore (0 to 1).
    kinds : mapping, optional
        Method to "model" or "baseline"; baselines are dashed.
    chosen : str
        Method to draw strong.
    marks : sequence of float
        Shares to mark with a thin line (0.01 for the best hundredth).
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, shares on a log scale.

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If a share is not between 0 and 1.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> points = pd.DataFrame({"method": "maxent", "share": [0.0, 0.05, 1.0],
    ...                        "captured": [0.0, 0.4, 1.0]})
    >>> plot_success_rate(points, ax=new_axes()[0]).get_ylabel()
    'Ore that it holds [%]'
    """
    need_columns(curves, ("method", "share", "captured"), "The table of curves")
    check_shares(curves, ("share", "captured"))
    ax = axes_or_new(ax, (6.0, 3.8))
    names = list(dict.fromkeys(curves["method"].astype(str)))
    is_base = {name: (kinds or {}).get(name) == BASELINE for name in names}
    colours = method_colours(names, is_base)
    ax.set_xscale("log")
    chance = np.geomspace(_LEAST_SHARE, 100, 60)
    ax.plot(chance, chance, color=QUIET, linewidth=0.9, linestyle=(0, (1, 1.5)), gid="chance")
    for mark in marks:
        ax.axvline(100 * mark, color=FAINT, linewidth=0.8, zorder=1, gid="mark")
    handles: list[Any] = []
    for name in names:
        own = curves[(curves["method"].astype(str) == name).to_numpy()].sort_values("share")
        is_chosen = name == chosen
        line = ax.plot(100 * own["share"], 100 * own["captured"], zorder=4 if is_chosen else 3,
                       color=ACCENT if is_chosen else colours[name], gid="curve",
                       linewidth=2.4 if is_chosen else 1.3,
                       linestyle=(0, (5, 2)) if is_base[name] else "-")  # fmt: skip
        handles += line
    words = [f"{plain(name, longest=28)}{' (baseline)' if is_base[name] else ''}" for name in names]
    handles.append(Line2D([], [], color=QUIET, linewidth=0.9, linestyle=(0, (1, 1.5))))
    ax.set(xlim=(_LEAST_SHARE, 100), ylim=(0, 101))
    ticks = sorted({0.1, 1.0, 10.0, 100.0} | {100 * mark for mark in marks})
    ax.set_xticks(ticks)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_xlabel("Best-scored rock [% of the tested cells, log scale]")
    ax.set_ylabel("Ore that it holds [%]")
    ax.grid(visible=True, axis="y")
    add_legend(ax, handles, [*words, "guessing"])
    return ax
