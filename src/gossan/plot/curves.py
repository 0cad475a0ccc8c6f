"""Figures of how good and how sure a classifier is, and what it leans on.

Scores, counts and probabilities that were computed elsewhere come in, with their intervals; bars
of error are drawn wherever the table has `low` and `high`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from gossan.plot.style import (
    ACCENT,
    FAINT,
    INK,
    LABEL_SIZE,
    QUIET,
    add_legend,
    axes_or_new,
    class_colours,
    plain,
)

_RIGHT = LinearSegmentedColormap.from_list("right", ["#ffffff", "#0b5a80"])
_WRONG = LinearSegmentedColormap.from_list("wrong", ["#ffffff", "#b8500a"])
_PROTOCOL_LOOKS = (("o", QUIET), ("D", "#0072B2"), ("s", ACCENT), ("^", "#009E73"))


def plot_confusion(
    counts: pd.DataFrame, *, names: pd.DataFrame | None = None, ax: Axes | None = None
) -> Axes:
    """Confusion matrix of deposits: stated type in rows, verdict in columns.

    Parameters
    ----------
    counts : DataFrame of shape (types, verdicts)
        Numbers of deposits; a verdict that no row bears ("none of these") is a column of its own.
    names : DataFrame, optional
        Columns `deposit`, `type` and `verdict`; wrong deposits are named in their cells, as many
        as fit.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> counts = pd.DataFrame([[9, 1], [2, 8]], index=["MVT", "VMS"], columns=["MVT", "VMS"])
    >>> ax = plot_confusion(counts, ax=new_axes()[0])
    >>> [text.get_text() for text in ax.texts]
    ['9', '1', '2', '8']
    """
    ax = axes_or_new(ax, (6.4, 4.6))
    numbers = counts.to_numpy(float)
    is_right = np.equal.outer(counts.index.astype(str), counts.columns.astype(str))
    shares = numbers / np.maximum(numbers.sum(axis=1, keepdims=True), 1)
    for row, column in np.ndindex(*numbers.shape):
        colour = (_RIGHT if is_right[row, column] else _WRONG)(0.85 * shares[row, column] ** 0.7)
        ax.add_patch(_cell(row, column, colour))
        listed = [] if is_right[row, column] else _names_of(names, counts, row, column)
        _write_cell(
            ax, row, column, numbers[row, column], listed, is_dark=_luminance(colour) < 0.55
        )
    ax.set(xlim=(-0.5, numbers.shape[1] - 0.5), ylim=(numbers.shape[0] - 0.5, -0.5))
    ax.set_xticks(range(counts.shape[1]), [plain(name, longest=18) for name in counts.columns])
    totals = numbers.sum(axis=1).astype(int)
    ax.set_yticks(
        range(len(counts)),
        [f"{plain(n, longest=18)} (n = {t})" for n, t in zip(counts.index, totals, strict=True)],
    )
    ax.tick_params(length=0)
    ax.xaxis.set_label_position("top")
    ax.xaxis.tick_top()
    ax.set_xlabel("Verdict, the deposit held out", labelpad=9)
    ax.set_ylabel("Stated type [number of deposits]")
    ax.spines[:].set_visible(False)
    return ax


def _cell(row: int, column: int, colour: Any) -> Patch:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, edgecolor="white", lw=2)


def _names_of(names: pd.DataFrame | None, counts: pd.DataFrame, row: int, column: int) -> list[str]:
    if names is None:
        return []
    is_here = (names["type"].astype(str) == str(counts.index[row])) & (
        names["verdict"].astype(str) == str(counts.columns[column])
    )
    listed = [plain(name, longest=17) for name in names.loc[is_here, "deposit"]]
    return listed if len(listed) <= 4 else [*listed[:3], f"+ {len(listed) - 3} more"]


def _write_cell(
    ax: Axes, row: int, column: int, count: float, names: Sequence[str], *, is_dark: bool
) -> None:
    colour = "white" if is_dark else INK if count else "#9aa3ab"
    ax.text(column, row - (0.3 if names else 0), f"{count:.0f}", ha="center", va="center",
            fontsize=11, fontweight="bold" if count else "normal", color=colour)  # fmt: skip
    if names:
        ax.text(column, row - 0.14, "\n".join(names), ha="center", va="top", fontsize=6.2,
                color=colour, linespacing=1.15)  # fmt: skip


def _luminance(colour: Any) -> float:
    return float(np.dot(colour[:3], [0.2126, 0.7152, 0.0722]))


def plot_calibration(points: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """How often verdicts of a stated probability were right, with its interval, on held-out groups.

    On the diagonal a probability means what it says; below it the model boasts.

    Parameters
    ----------
    points : DataFrame
        Columns `stated` and `observed` (0 to 1), optionally `low`, `high` and `n`.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, of equal aspect.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_calibration(pd.DataFrame({"stated": [0.9], "observed": [0.8]}),
    ...                       ax=new_axes()[0])
    >>> ax.get_xlabel()
    'Stated probability'
    """
    ax = axes_or_new(ax, (4.4, 4.4))
    ax.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (4, 2)))
    ax.annotate("says what it means", (0.03, 0.055), rotation=45, rotation_mode="anchor",
                fontsize=6.8, color=QUIET)  # fmt: skip
    x, y = points["stated"].to_numpy(float), points["observed"].to_numpy(float)
    if {"low", "high"} <= set(points):
        ax.vlines(x, points["low"], points["high"], color="#0072B2", linewidth=1.4)
    ax.plot(x, y, color="#0072B2", linewidth=0.9, alpha=0.6)
    sizes = 18 + 90 * _share_of_largest(points["n"]) if "n" in points else 36
    ax.scatter(x, y, s=sizes, c="#0072B2", edgecolors="white", linewidths=0.7, zorder=3)
    if "n" in points:
        for place, n in enumerate(points["n"]):
            ax.annotate(f"{n:,.0f}", (x[place], y[place]), xytext=(6, -9), fontsize=6.8,
                        textcoords="offset points", color=QUIET)  # fmt: skip
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    ax.set_xlabel("Stated probability")
    ax.set_ylabel("Share that was right")
    ax.grid(visible=True)
    return ax


def _share_of_largest(counts: pd.Series) -> NDArray:
    numbers = counts.to_numpy(float)
    return numbers / max(float(numbers.max()), 1.0)


def plot_importance(
    importance: pd.DataFrame,
    *,
    label: str = "Drop in score when shuffled",
    colour: str = "#0072B2",
    ax: Axes | None = None,
) -> Axes:
    """How much the verdict leans on each element, largest on top, with intervals.

    Parameters
    ----------
    importance : DataFrame
        Columns `feature` and `importance`, optionally `low` and `high`, in any order of rows.
    label : str
        What the number is, with its unit.
    colour : str
        Colour of the bars.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_importance(pd.DataFrame({"feature": ["In", "Ge"], "importance": [0.02, 0.2]}),
    ...                      ax=new_axes()[0])
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['Ge', 'In']
    """
    ax = axes_or_new(ax, (6.4, 3.4))
    ranked = importance.sort_values("importance", ascending=False, kind="stable")
    places = np.arange(len(ranked))
    ax.barh(places, ranked["importance"], height=0.62, color=colour, alpha=0.85)
    if {"low", "high"} <= set(ranked):
        ax.hlines(places, ranked["low"], ranked["high"], color=INK, linewidth=1.2)
    ax.set_yticks(places, [plain(name, longest=28) for name in ranked["feature"]])
    ax.set_ylim(len(ranked) - 0.4, -0.6)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_xlabel(plain(label, longest=120))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="x")
    return ax


def plot_probabilities(
    probabilities: pd.DataFrame,
    *,
    conformal_sets: Mapping[str, Sequence[str]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Probability of each class for each deposit, stacked, with those that stay possible marked.

    Parameters
    ----------
    probabilities : DataFrame of shape (deposits, classes)
        Rows that sum to one, indexed by deposit.
    conformal_sets : mapping, optional
        Deposit name to the classes in its conformal set: underlined. Classes outside are pale. An
        empty set is "none of these".
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, the first deposit on top.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_probabilities(pd.DataFrame({"MVT": [0.75], "VMS": [0.25]}, index=["Mine"]),
    ...                         ax=new_axes()[0])
    >>> [text.get_text() for text in ax.texts]
    ['MVT 75 %', 'VMS 25 %']
    """
    ax = axes_or_new(ax, (6.4, 0.9 + 0.34 * len(probabilities)))
    colours = class_colours(probabilities.columns)
    left = np.zeros(len(probabilities))
    for name in map(str, probabilities.columns):
        widths = probabilities[name].to_numpy(float) * 100
        for row, deposit in enumerate(map(str, probabilities.index)):
            is_in = conformal_sets is None or name in conformal_sets.get(deposit, ())
            _draw_share(
                ax, row, left[row], widths[row], name=name, colour=colours[name], is_in=is_in
            )
            if is_in and conformal_sets is not None:
                ax.plot([left[row] + 0.4, left[row] + widths[row] - 0.4], [row + 0.41] * 2,
                        color=INK, linewidth=2, solid_capstyle="butt", gid="possible")  # fmt: skip
        left += widths
    ax.set_yticks(
        range(len(probabilities)), [plain(name, longest=28) for name in probabilities.index]
    )
    ax.set(xlim=(0, 100), ylim=(len(probabilities) - 0.4, -0.6))
    ax.set_xlabel("Probability of each type [%]")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    handles: list[Any] = [Patch(color=colours[str(name)]) for name in probabilities.columns]
    labels = [plain(name, longest=28) for name in probabilities.columns]
    if conformal_sets is not None:
        handles.append(Line2D([], [], color=INK, linewidth=2))
        labels.append("stays possible")
    add_legend(ax, handles, labels)
    return ax


def _draw_share(
    ax: Axes, row: int, left: float, width: float, *, name: str, colour: str, is_in: bool
) -> None:
    ax.barh(row, width, left=left, height=0.66, color=colour, alpha=0.92 if is_in else 0.3,
            edgecolor="white", linewidth=0.8)  # fmt: skip
    long, short = f"{plain(name, longest=14)} {width:.0f} %", f"{width:.0f} %"
    text = long if width >= 1.35 * len(long) else short
    if width >= 1.35 * len(text):
        dark = is_in and colour.upper() in {"#0072B2", "#882255", "#7A7F85"}
        ax.text(left + width / 2, row, text, ha="center", va="center", fontsize=LABEL_SIZE,
                color="white" if dark else INK)  # fmt: skip


def plot_protocols(
    scores: pd.DataFrame,
    *,
    label: str = "Score",
    chance: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Scores of the same models under each protocol side by side, the gap between them written out.

    The random split shares deposits between training and test; the held-out protocols do not.
    The gap is what the random split owes to memory.

    Parameters
    ----------
    scores : DataFrame
        Columns `model`, `protocol`, `score`, optionally `low` and `high`; protocols in the order
        in which they first appear, the first one taken as the one to compare with.
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

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> table = pd.DataFrame({"model": ["net", "net"], "protocol": ["random", "by deposit"],
    ...                       "score": [0.98, 0.79]})
    >>> ax = plot_protocols(table, ax=new_axes()[0])
    >>> [text.get_text() for text in ax.texts]
    ['gap 0.19']
    """
    models = list(dict.fromkeys(scores["model"].astype(str)))
    protocols = list(dict.fromkeys(scores["protocol"].astype(str)))
    ax = axes_or_new(ax, (6.4, 1.0 + 0.5 * len(models)))
    for row, model in enumerate(models):
        own = scores[scores["model"].astype(str) == model]
        _draw_gap(ax, row, own, protocols)
        for look, protocol in enumerate(protocols):
            here = own[own["protocol"].astype(str) == protocol]
            offset = (look - (len(protocols) - 1) / 2) * 0.2
            _draw_score(ax, row + offset, here, *_PROTOCOL_LOOKS[look % 4])
    if chance is not None:
        ax.axvline(chance, color=QUIET, linewidth=0.9, linestyle=(0, (1, 1.5)), gid="chance")
    ax.set_yticks(range(len(models)), [plain(name, longest=30) for name in models])
    ax.set_ylim(len(models) - 0.4, -0.6)
    ax.set_xlabel(plain(label, longest=120))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="x")
    ax.margins(x=0.14)  # the gaps stand at the right
    handles = [
        Line2D([], [], ls="", marker=marker, color=colour, ms=5.5)
        for marker, colour in (_PROTOCOL_LOOKS[i % 4] for i in range(len(protocols)))
    ]
    labels = [plain(name, longest=36) for name in protocols]
    if chance is not None:
        handles.append(Line2D([], [], color=QUIET, linestyle=(0, (1, 1.5))))
        labels.append("guessing")
    add_legend(ax, handles, labels)
    return ax


def _draw_score(ax: Axes, y: float, rows: pd.DataFrame, marker: str, colour: str) -> None:
    if {"low", "high"} <= set(rows):
        ax.hlines([y] * len(rows), rows["low"], rows["high"], color=colour, linewidth=1.5)
    ax.scatter(rows["score"], [y] * len(rows), marker=marker, s=34, c=colour, edgecolors="white",
               linewidths=0.6, zorder=3, gid="score")  # fmt: skip


def _draw_gap(ax: Axes, row: int, own: pd.DataFrame, protocols: Sequence[str]) -> None:
    best = own.groupby(own["protocol"].astype(str))["score"].mean()
    if len(protocols) < 2 or not set(protocols[:2]) <= set(best.index):
        return
    first, second = float(best[protocols[0]]), float(best[protocols[1]])
    ax.plot([first, second], [row, row], color=FAINT, linewidth=5, solid_capstyle="round", zorder=0)
    text = f"gap {first - second:.2f}".replace("-", "−")
    ends = [own[name].max() for name in ("score", "high") if name in own]  # right of all bars
    ax.annotate(text, (float(np.nanmax(ends)), row), xytext=(7, 0), va="center",
                textcoords="offset points", ha="left", fontsize=6.8, color=QUIET)  # fmt: skip


def plot_dominance(deltas: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Which elements are high or low in each class against all others, as a chart of Cliff's delta.

    Parameters
    ----------
    deltas : DataFrame of shape (classes, elements)
        Cliff's delta between -1 (every deposit of the class lies below every other) and 1; NaN
        where nothing is clear, left blank.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_dominance(pd.DataFrame({"Ge": [0.8], "In": [float("nan")]}, index=["MVT"]),
    ...                     ax=new_axes()[0])
    >>> [text.get_text() for text in ax.texts]
    ['+0.8', '']
    """
    ax = axes_or_new(ax, (6.4, 0.9 + 0.42 * len(deltas)))
    numbers = deltas.to_numpy(float)
    ax.imshow(np.ma.masked_invalid(numbers), cmap="PuOr_r", vmin=-1.1, vmax=1.1, aspect="auto")
    for row, column in np.ndindex(*numbers.shape):
        value = numbers[row, column]
        text = f"{value:+.1f}".replace("-", "−") if np.isfinite(value) else ""
        ax.text(column, row, text, ha="center", va="center", fontsize=LABEL_SIZE,
                color="white" if value > 0.85 or value < -0.55 else INK)  # fmt: skip
    ax.set_xticks(range(numbers.shape[1]), [plain(name, longest=12) for name in deltas.columns])
    ax.set_yticks(range(len(deltas)), [plain(name, longest=28) for name in deltas.index])
    ax.set_xticks(np.arange(-0.5, numbers.shape[1]), minor=True)
    ax.set_yticks(np.arange(-0.5, len(deltas)), minor=True)
    ax.grid(visible=True, which="minor", color="white", linewidth=2)
    ax.tick_params(which="both", length=0)
    ax.set_xlabel("Cliff's delta of deposit medians against all other classes [−1 low … +1 high]")
    ax.spines[:].set_visible(False)
    return ax
