"""Figures of how well a score ranks what was held out: the ROC curve and the prediction-area plot.

Curves that `gossan.validation` computed come in; guessing, and the figure that sums each curve up,
stand in the plot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from gossan.plot.style import (
    ACCENT,
    INK,
    LABEL_SIZE,
    QUIET,
    add_legend,
    axes_or_new,
    method_colours,
    plain,
)
from gossan.validation.curves import PredictionArea

BASELINE = "baseline"
_CHANCE = (0, (1, 1.5))
_CAPTURED, _AREA = "#0072B2", "#D55E00"


def plot_roc(
    curves: pd.DataFrame,
    *,
    aucs: Mapping[str, float | Sequence[float]] | None = None,
    kinds: Mapping[str, str] | None = None,
    chosen: str = "",
    positives: str = "occurrences",
    negatives: str = "background",
    ax: Axes | None = None,
) -> Axes:
    """ROC curve of each method, its area with the interval in the legend, guessing as a diagonal.

    With few occurrences on a large map the left edge is what counts and a ROC curve hides it: see
    `plot_capture_curves`. Against background that is not known to be barren the area under the
    curve is a rank, not a rate of error.

    Parameters
    ----------
    curves : DataFrame
        Columns `method`, `false_share` and `true_share` (0 to 1), as `gossan.validation.roc_by_ranks`
        gives them; optionally `true_low` and `true_high`, drawn as a band for the chosen method.
    aucs : mapping, optional
        Method to the area under its curve, or to (area, low, high).
    kinds : mapping, optional
        Method to "model" or "baseline"; baselines are dashed.
    chosen : str
        Method to draw strong.
    positives, negatives : str
        What is found, and what is taken for it.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, of equal aspect.

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If a share is not between 0 and 1.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> curve = pd.DataFrame({"method": "CNN", "false_share": [0, 0.2, 1], "true_share": [0, 0.8, 1]})
    >>> ax = plot_roc(curve, aucs={"CNN": (0.8, 0.71, 0.88)}, ax=new_axes()[0])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['CNN: AUC 0.80 (0.71–0.88)', 'guessing: 0.50']
    """
    _check_curves(curves)
    ax = axes_or_new(ax, (4.6, 4.4))
    names = list(dict.fromkeys(curves["method"].astype(str)))
    is_base = {name: (kinds or {}).get(name) == BASELINE for name in names}
    colours = method_colours(names, is_base)
    handles: list[Any] = []
    for name in names:
        own = curves[(curves["method"].astype(str) == name).to_numpy()]
        own = own.sort_values(["false_share", "true_share"], kind="stable")
        is_chosen = name == chosen
        if is_chosen and {"true_low", "true_high"} <= set(own):
            ax.fill_between(own["false_share"], own["true_low"], own["true_high"], color=ACCENT,
                            alpha=0.14, linewidth=0, zorder=2, gid="band")  # fmt: skip
        handles += ax.plot(own["false_share"], own["true_share"], gid="curve",
                           color=ACCENT if is_chosen else colours[name],
                           linewidth=2.4 if is_chosen else 1.4, zorder=4 if is_chosen else 3,
                           linestyle=(0, (5, 2)) if is_base[name] else "-")  # fmt: skip
    handles += ax.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=_CHANCE, gid="chance")
    ax.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
    ax.set_xlabel(f"Share of the {plain(negatives)} taken with them")
    ax.set_ylabel(f"Share of the {plain(positives)} found")
    ax.grid(visible=True)
    words = [_name(name, (aucs or {}).get(name), is_base=is_base[name]) for name in names]
    add_legend(ax, handles, [*words, "guessing: 0.50"], loc="lower right", bbox_to_anchor=(1, 0.01),
               frameon=True, facecolor="white", edgecolor="none", framealpha=0.85)  # fmt: skip
    return ax


def _check_curves(curves: pd.DataFrame) -> None:
    missing = [name for name in ("method", "false_share", "true_share") if name not in curves]
    if missing:
        raise KeyError(
            f"The table of curves has no column {missing[0]!r}, only"
            f" {', '.join(map(str, curves)) or 'none'}. Add or rename it."
        )
    shares = curves[["false_share", "true_share"]].to_numpy(float)
    if ((shares < 0) | (shares > 1)).any():
        raise ValueError(
            f"Shares lie between 0 and 1, got {np.nanmin(shares):g} to {np.nanmax(shares):g}. Divide"
            " percentages by 100."
        )


def _name(name: str, auc: float | Sequence[float] | None, *, is_base: bool) -> str:
    who = f"{plain(name, longest=28)}{' (baseline)' if is_base else ''}"
    if auc is None:
        return who
    parts = np.ravel(np.asarray(auc, dtype=float))
    interval = f" ({parts[1]:.2f}–{parts[2]:.2f})" if len(parts) == 3 else ""
    return f"{who}: AUC {parts[0]:.2f}{interval}"


def plot_prediction_area(
    found: PredictionArea,
    *,
    label: str = "Score",
    what: str = "occurrences",
    of: str = "area",
    ax: Axes | None = None,
) -> Axes:
    """P-A plot: share of occurrences above each score, and of the area on an axis that hangs down.

    Where the curves cross, the share found and the share of the area sum to one. The higher the
    crossing, the more is found in less: at half height the map is worth no more than guessing
    [1]_.

    Parameters
    ----------
    found : PredictionArea
        From `gossan.validation.prediction_area`.
    label : str
        Of the score, with its unit.
    what, of : str
        What is found, and what the area is.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on; the axis of the area stands at its right, with zero on top.

    References
    ----------
    .. [1] Yousefi, M. & Carranza, E. J. M. 2015, Prediction-area (P-A) plot and C-A fractal
       analysis to classify and evaluate evidential maps for mineral prospectivity modeling,
       Comput. Geosci. 79, 69-81, doi:10.1016/j.cageo.2015.03.007.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> from gossan.validation.curves import prediction_area
    >>> found = prediction_area([10.0, 9.0, 4.0], range(1, 11))
    >>> print(plot_prediction_area(found, ax=new_axes()[0]).texts[0].get_text())
    67 % of the occurrences in 33 % of the area
    density 2.0, at 7.67 or above
    """
    ax = axes_or_new(ax, (5.6, 3.8))
    scores = np.asarray(found.thresholds, dtype=float)
    captured, hanging = 100 * found.captured, 100 * (1 - found.area)
    ax.axhspan(0, 50, color=INK, alpha=0.04, linewidth=0, zorder=0, gid="no better than guessing")
    ax.plot(scores, captured, color=_CAPTURED, linewidth=1.8, zorder=3, gid="captured")
    ax.plot(scores, hanging, color=_AREA, linewidth=1.8, linestyle=(0, (5, 2)), zorder=3,
            gid="area")  # fmt: skip
    low, high = float(scores[0]), float(scores[-1])
    ax.set(xlim=(low, high if high > low else low + 1), ylim=(0, 101))
    _mark_crossing(ax, found, what, of)
    ax.set_xlabel(plain(label))
    ax.set_ylabel(f"{plain(what).capitalize()} at or above it [%]", color=_CAPTURED)
    right = ax.secondary_yaxis("right", functions=(_turned, _turned))
    right.set_ylabel(f"{plain(of).capitalize()} at or above it [%]", color=_AREA, rotation=270,
                     labelpad=12, fontsize=8.5)  # fmt: skip
    right.tick_params(labelsize=8)
    right.set_gid("area axis")
    ax.grid(visible=True, axis="y")
    handles = [
        Line2D([], [], color=_CAPTURED, linewidth=1.8),
        Line2D([], [], color=_AREA, linewidth=1.8, linestyle=(0, (5, 2))),
    ]
    add_legend(ax, handles, [f"{plain(what)} (left axis)", f"{plain(of)} (right axis)"], ncols=2,
               loc="lower left", bbox_to_anchor=(0.0, 1.01))  # fmt: skip
    return ax


def _turned(share: Any) -> Any:
    return 100 - share


def _mark_crossing(ax: Axes, found: PredictionArea, what: str, of: str) -> None:
    threshold, captured, area = found.point
    ax.plot([threshold] * 2, [0, 100 * captured], color=INK, linewidth=0.8, linestyle=_CHANCE,
            zorder=2, gid="crossing")  # fmt: skip
    ax.scatter([threshold], [100 * captured], s=42, c=INK, edgecolors="white", linewidths=0.9,
               zorder=5, gid="crossing")  # fmt: skip
    left, right = ax.get_xlim()
    is_left = threshold > (left + right) / 2
    text = (
        f"{100 * captured:.0f} % of the {plain(what)} in {100 * area:.0f} % of the {plain(of)}\n"
        f"density {found.density:.1f}, at {threshold:.3g} or above"
    )
    ax.annotate(text, (threshold, 100 * captured), xytext=(-9 if is_left else 9, 0),
                textcoords="offset points", ha="right" if is_left else "left", va="center",
                fontsize=LABEL_SIZE, color=INK, zorder=6,
                bbox={"fc": "white", "ec": "none", "alpha": 0.85, "pad": 1.5})  # fmt: skip
