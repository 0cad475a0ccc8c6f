"""Multi-element diagrams: patterns of normalised concentrations, known to the field as spiders.

A table that was normalised elsewhere comes in; one line a sample or one band a class goes onto the
axes, on a log scale, the elements in the order of the table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from gossan._checks import check_option
from gossan.plot.style import (
    INK,
    QUIET,
    add_legend,
    axes_or_new,
    class_colours,
    class_markers,
    log_scale,
    plain,
)

_MANY = 25  # samples of a class beyond which a band is drawn instead of lines
_DRAWN = ("auto", "lines", "bands")
_ALL = "samples"


def plot_spider(
    normalised: pd.DataFrame,
    *,
    classes: Sequence[str] | pd.Series | None = None,
    censored: pd.DataFrame | None = None,
    reference: str = "chondrite",
    draw: str = "auto",
    share: float = 0.8,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Multi-element diagram: normalised concentrations on a log scale, a line a sample.

    A missing element leaves a gap of its marker; the line goes on to the next known one, dashed, so
    that nothing is read between them.

    Parameters
    ----------
    normalised : DataFrame of shape (n, elements)
        Ratios to a composition, the elements in the order of the diagram: the `table` of
        `gossan.geochem.normalise`. What is not positive is not drawn.
    classes : sequence of shape (n,), optional
        Class of each row, for colour and marker.
    censored : Boolean DataFrame, optional
        True where a value is a detection limit: its marker is open.
    reference : str
        What it was normalised by, for the label: `Normalised.reference`.
    draw : {"auto", "lines", "bands"}
        Lines, or the median of each class within the band that holds `share` of its samples; "auto"
        takes bands from 26 samples of a class on.
    share : float
        Share of the samples that a band holds at each element.
    legend : bool
        Name the classes.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If nothing is positive, or classes and rows differ in number.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> table = pd.DataFrame({"La": [100.0], "Ce": [80.0], "Eu": [9.0]})
    >>> ax = plot_spider(table, reference="CI chondrite", ax=new_axes()[0])
    >>> ax.get_ylabel(), [text.get_text() for text in ax.get_xticklabels()]
    ('Sample / CI chondrite [ratio, log scale]', ['La', 'Ce', 'Eu'])
    """
    check_option("draw", draw, _DRAWN)
    ratios = normalised.to_numpy(float)
    ratios = np.where(ratios > 0, ratios, np.nan)
    if not np.isfinite(ratios).any():
        raise ValueError(
            "A spider diagram needs ratios above zero, got none. Pass the table of"
            " gossan.geochem.normalise."
        )
    names = _classes(classes, len(ratios))
    ax = axes_or_new(ax, (0.9 + 0.32 * max(ratios.shape[1], 12), 3.8))
    log_scale(ax, "y")
    ax.axhline(1, color=INK, linewidth=0.8, zorder=1, gid="reference")
    distinct = list(dict.fromkeys(names))
    colours = {_ALL: "#0072B2"} if classes is None else class_colours(distinct)
    markers = {_ALL: "o"} if classes is None else class_markers(distinct)
    handles, words = [], []
    flags = _flags(censored, normalised)
    for name in sorted(distinct, key=str.casefold):
        own = names == name
        as_band = draw == "bands" or (draw == "auto" and own.sum() > _MANY)
        look = (colours[name], markers[name])
        (_draw_band if as_band else _draw_lines)(ax, ratios[own], flags[own], look, share)
        handles.append(Line2D([], [], color=look[0], marker=look[1], ms=4.5, linewidth=1.3))
        words.append(f"{plain(name, longest=28)} (n = {own.sum()}"
                     f"{f', median and {100 * share:g} %' if as_band else ''})")  # fmt: skip
    if flags.any():
        handles.append(Line2D([], [], ls="", marker="o", mfc="white", mec=QUIET, ms=4.5))
        words.append("open: below the limit")
    _frame(ax, ratios, [str(name) for name in normalised.columns])
    ax.set_ylabel(f"Sample / {plain(reference)} [ratio, log scale]")
    if legend:
        add_legend(ax, handles, words)
    return ax


def _classes(classes: Sequence[str] | pd.Series | None, n_rows: int) -> NDArray:
    if classes is None:
        return np.full(n_rows, _ALL, dtype=object)
    names = np.asarray(pd.Series(list(classes), dtype=object).fillna("no class").astype(str))
    if len(names) != n_rows:
        raise ValueError(
            f"Classes have length {len(names)} for {n_rows} rows. Pass the class of each row."
        )
    return names


def _flags(censored: pd.DataFrame | None, normalised: pd.DataFrame) -> NDArray[np.bool_]:
    flags = np.zeros(normalised.shape, dtype=bool)
    if censored is not None:
        for place, name in enumerate(normalised.columns):
            if name in censored:
                flags[:, place] = censored[name].to_numpy(bool)
    return flags


def _draw_lines(
    ax: Axes, ratios: NDArray, flags: NDArray[np.bool_], look: tuple[str, str], _share: float
) -> None:
    colour, marker = look
    pale = 0.9 if len(ratios) <= 6 else 0.55
    places = np.arange(ratios.shape[1])
    for row, is_open in zip(ratios, flags, strict=True):
        known = np.isfinite(row)
        if not known.all():
            ax.plot(places[known], row[known], color=colour, linewidth=0.8, alpha=pale, zorder=2,
                    linestyle=(0, (2, 2)), gid="bridge")  # fmt: skip
        ax.plot(places, row, color=colour, linewidth=1.1, alpha=pale, zorder=2, gid="pattern")
        for flag, face in ((known & ~is_open, colour), (known & is_open, "white")):
            ax.plot(places[flag], row[flag], ls="", marker=marker, ms=4.2, mfc=face, mec=colour,
                    mew=0.7, alpha=pale if face != "white" else 1.0, zorder=3,
                    gid="censored" if face == "white" else "measured")  # fmt: skip


def _draw_band(
    ax: Axes, ratios: NDArray, _flags: NDArray[np.bool_], look: tuple[str, str], share: float
) -> None:
    colour, marker = look
    known = np.isfinite(ratios).any(axis=0)
    places = np.arange(ratios.shape[1])[known]
    ends = (50 - 50 * share, 50, 50 + 50 * share)
    low, middle, high = np.nanpercentile(ratios[:, known], ends, axis=0)
    ax.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0, zorder=2, gid="band")
    ax.plot(places, middle, color=colour, linewidth=1.6, marker=marker, ms=4.2, mec="white", mew=0.5,
            zorder=3, gid="median")  # fmt: skip


def _frame(ax: Axes, ratios: NDArray, names: Sequence[str]) -> None:
    known = ratios[np.isfinite(ratios)]
    low, high = min(float(known.min()), 1.0), max(float(known.max()), 1.0)
    # Whole decades, so that the slope of a pattern can be read.
    ax.set_ylim(10 ** np.floor(np.log10(low)), 10 ** max(np.ceil(np.log10(high)), 1))
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.set_xticks(range(len(names)), [plain(name, longest=8) for name in names])
    ax.tick_params(axis="x", length=2, labelsize=8 if len(names) <= 20 else 7)
    ax.yaxis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=40))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.tick_params(axis="y", which="minor", length=2)
    ax.grid(visible=True, axis="y")
