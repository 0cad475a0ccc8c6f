"""Figures of what the chemistry says of ore: fractal thresholds, zoning, factor loadings.

Tables that were computed elsewhere come in; concentrations stand on a log scale, elevations upwards.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from gossan.plot._columns import need_columns
from gossan.plot.style import (
    INK,
    LABEL_SIZE,
    QUIET,
    add_legend,
    axes_or_new,
    log_scale,
    plain,
)

_BLUE, _RED = "#0072B2", "#D55E00"
_CLEAR = 0.5  # Hair et al. (2019): a loading that is practically significant


def plot_fractal(
    curve: pd.DataFrame,
    breaks: pd.DataFrame | None = None,
    *,
    name: str = "Concentration",
    unit: str = "ppm",
    label: str = "Volume at or above it [m³]",
    ax: Axes | None = None,
) -> Axes:
    """Concentration-volume curve: where it bends, one population gives way to a richer one.

    Parameters
    ----------
    curve : DataFrame
        Columns `value` and `volume`, all positive, optionally `fitted`: the straight segments.
    breaks : DataFrame, optional
        Columns `name` and `value`, optionally `low` and `high`: the interval of each threshold.
    name : str
        Element.
    unit : str
        Of the values.
    label : str
        Of the other axis, with its unit.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, both on a log scale.

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If no value and volume is positive.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> curve = pd.DataFrame({"value": [1.0, 10.0], "volume": [1e6, 1e4]})
    >>> plot_fractal(curve, name="Au", unit="ppb", ax=new_axes()[0]).get_xlabel()
    'Au [ppb, log scale]'
    """
    need_columns(curve, ("value", "volume"), "A fractal curve")
    shown = curve[(curve["value"] > 0) & (curve["volume"] > 0)]
    if not len(shown):
        raise ValueError(
            "A fractal curve needs positive values and volumes, got none. Check the unit, or that"
            " cells have been estimated."
        )
    ax = axes_or_new(ax, (5.0, 3.6))
    for which in ("x", "y"):
        log_scale(ax, which)
    ax.xaxis.set_major_locator(LogLocator(subs=_subs(shown["value"]), numticks=8))
    ax.scatter(shown["value"], shown["volume"], s=9, c=_BLUE, linewidths=0, zorder=3, gid="curve")
    if "fitted" in shown:
        ax.plot(shown["value"], shown["fitted"], color=INK, linewidth=1.1, zorder=2, gid="fitted")
    low, high = float(shown["value"].min()), float(shown["value"].max())
    room = (high / low) ** 0.04
    ax.set_xlim(low / room, high * room)
    if breaks is not None and len(breaks):
        _draw_breaks(ax, breaks)
    ax.set_xlabel(f"{plain(name)} [{unit}, log scale]")
    ax.set_ylabel(plain(label, longest=90).replace("]", ", log scale]"))
    return ax


def _subs(values: pd.Series) -> tuple[float, ...]:
    decades = np.log10(values.max() / values.min())
    return (1.0,) if decades > 3 else (1.0, 3.0) if decades > 1.5 else (1.0, 2.0, 5.0)


def _draw_breaks(ax: Axes, breaks: pd.DataFrame) -> None:
    """Draw each threshold with its interval, its name and value upright beside it."""
    for row in breaks.sort_values("value").to_dict("records"):
        if {"low", "high"} <= set(row) and np.isfinite([row["low"], row["high"]]).all():
            ax.axvspan(row["low"], row["high"], color=_RED, alpha=0.13, linewidth=0, zorder=0,
                       gid="interval")  # fmt: skip
        ax.axvline(row["value"], color=_RED, linewidth=1.1, zorder=1, gid="break")
        ax.annotate(f"{plain(row['name'], longest=16)} {_write(row['value'])}",
                    (row["value"], 0.98), xycoords=("data", "axes fraction"), xytext=(2, 0),
                    textcoords="offset points", rotation=90, ha="left", va="top",
                    fontsize=LABEL_SIZE, color=INK, gid="break",
                    bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.6})  # fmt: skip


def _write(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.10g}"


def plot_zoning(zoning: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Elements by the elevation at which they peak, the one that lies highest at the left.

    Elements that peak above the others point down at ore, those that peak below say that it has been
    passed.

    Parameters
    ----------
    zoning : DataFrame
        Columns `element` and `rank` (1 = top), and one or both of `level` (of the largest share)
        and `centre` (of mass), elevations [m].
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

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> table = pd.DataFrame({"element": ["W", "Hg"], "rank": [2, 1], "centre": [2900.0, 3050.0]})
    >>> [text.get_text() for text in plot_zoning(table, ax=new_axes()[0]).get_xticklabels()]
    ['Hg', 'W']
    """
    need_columns(zoning, ("element", "rank"), "A zoning sequence")
    drawn = [name for name in ("level", "centre") if name in zoning]
    if not drawn:
        need_columns(zoning, ("level",), "A zoning sequence")
    ax = axes_or_new(ax, (6.4, 3.2))
    ranked = zoning.sort_values("rank", kind="stable")
    x = np.arange(len(ranked))
    looks = {"level": ("s", _BLUE, "level of its largest share"),
             "centre": ("o", _RED, "centre of mass")}  # fmt: skip
    if len(drawn) == 2:
        ax.vlines(x, ranked["level"], ranked["centre"], color=QUIET, linewidth=0.8, zorder=1)
    for name in drawn:
        marker, colour, _ = looks[name]
        ax.scatter(x, ranked[name], marker=marker, s=34, c=colour, edgecolors="white",
                   linewidths=0.6, zorder=3, gid=name)  # fmt: skip
    ax.set_xticks(x, [plain(name, longest=10) for name in ranked["element"]])
    ax.set_xlim(-0.6, len(ranked) - 0.4)
    ax.margins(y=0.1)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace("-", "−"))
    ax.set_xlabel("Top of the sequence → its foot")
    ax.set_ylabel("Elevation [m]")
    ax.tick_params(axis="x", length=0)
    ax.grid(visible=True, axis="y")
    if len(drawn) == 2:
        handles = [
            Line2D([], [], ls="", marker=looks[name][0], color=looks[name][1], ms=5)
            for name in drawn
        ]
        add_legend(ax, handles, [looks[name][2] for name in drawn], loc="lower right",
                   bbox_to_anchor=(1.0, 1.0), ncols=2)  # fmt: skip
    return ax


def plot_loadings(
    loadings: pd.DataFrame, factor: str, *, marked: Sequence[str] = (), ax: Axes | None = None
) -> Axes:
    """How each element goes with a factor, from the most alike to the most opposed.

    Parameters
    ----------
    loadings : DataFrame
        Columns `element` and one for each factor, between -1 and 1.
    factor : str
        Column to draw.
    marked : sequence of str
        Elements by which the factor was chosen: set bold.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, the largest loading on top; those weaker than 0.5 are pale.

    Raises
    ------
    KeyError
        If a column is missing.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> table = pd.DataFrame({"element": ["W", "Sb"], "factor_1": [-0.4, 0.9]})
    >>> [t.get_text() for t in plot_loadings(table, "factor_1", ax=new_axes()[0]).get_yticklabels()]
    ['Sb', 'W']
    """
    need_columns(loadings, ("element", factor), "A table of loadings")
    ranked = loadings.sort_values(factor, ascending=False, kind="stable")
    values = ranked[factor].to_numpy(float)
    ax = axes_or_new(ax, (4.4, 0.9 + 0.22 * len(ranked)))
    places = np.arange(len(ranked))
    for is_clear in (True, False):
        here = (np.abs(values) >= _CLEAR) == is_clear
        ax.barh(places[here], values[here], height=0.66, alpha=0.9 if is_clear else 0.35,
                color=np.where(values[here] > 0, _BLUE, _RED))  # fmt: skip
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(places, [plain(name, longest=10) for name in ranked["element"]])
    for text, element in zip(ax.get_yticklabels(), ranked["element"].astype(str), strict=True):
        text.set_fontweight("bold" if element in marked else "normal")
    ax.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1", "−0.5", "0", "0.5", "1"])
    ax.set(xlim=(-1, 1), ylim=(len(ranked) - 0.4, -0.6))
    ax.set_xlabel("Loading [correlation, −1 to 1]")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="x")
    return ax
