"""Draw analyses of known classes with their outlines, and new points among them as stars.

Plane coordinates, class names and open flags come in; artists with the ids "measured", "censored",
"new measured" and "new censored" go onto the axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter

from gossan.plot.style import (
    INK,
    QUIET,
    add_legend,
    class_colours,
    class_markers,
    deposit_looks,
    plain,
)

_MANY = 800  # points beyond which an SVG keeps them as a picture
_FEWEST = 12  # analyses of a class that an outline needs
_MOST_DEPOSITS = 6  # that stars tell apart
_YOURS = "yours"


def draw_classes(
    ax: Axes,
    xy: NDArray,
    classes: Sequence[str] | pd.Series | None,
    is_open: NDArray,
    *,
    shares: Sequence[float],
    is_log: bool = False,
    inside: Patch | None = None,
) -> None:
    """Scatter the finite rows of `xy` and outline each class, clipped to the patch `inside`."""
    names = np.full(len(xy), "", dtype=object) if classes is None else as_names(classes)
    colours = {"": QUIET} if classes is None else class_colours(names)
    markers = {"": "o"} if classes is None else class_markers(names)
    finite = np.isfinite(xy).all(axis=1)
    many = int(finite.sum()) > _MANY
    common: dict[str, Any] = {"s": 6 if many else 11, "rasterized": many, "zorder": 2}
    for name, colour in colours.items():
        member = finite & (names == name)
        looks = common | {"marker": markers[name]}
        full, empty = xy[member & ~is_open], xy[member & is_open]
        ax.scatter(full[:, 0], full[:, 1], c=colour, alpha=0.45, linewidths=0, gid="measured",
                   **looks)  # fmt: skip
        ax.scatter(empty[:, 0], empty[:, 1], facecolors="none", edgecolors=colour, linewidths=0.5,
                   gid="censored", **looks)  # fmt: skip
        if classes is not None and member.sum() >= _FEWEST:
            _draw_outline(ax, xy[member], colour, shares, is_log=is_log, inside=inside)


def _draw_outline(
    ax: Axes,
    xy: NDArray,
    colour: str,
    shares: Sequence[float],
    *,
    is_log: bool,
    inside: Patch | None,
) -> None:
    flat = np.log10(xy) if is_log else xy
    x, y, density, levels = highest_density(*flat.T, shares=shares, is_isotropic=inside is not None)
    if is_log:
        x, y = 10**x, 10**y
    widths = np.linspace(0.8, 1.5, len(levels)) if len(levels) > 1 else [1.1]
    steps = sorted(set(levels))
    line = ax.contour(x, y, density, levels=steps, colors=colour, linewidths=widths, zorder=3)
    fill = ax.contourf(x, y, density, levels=[*steps, density.max() * 1.01], colors=colour,
                       alpha=0.07, zorder=1)  # fmt: skip
    if inside is not None:
        line.set_clip_path(inside)
        fill.set_clip_path(inside)


def draw_stars(
    ax: Axes, xy: NDArray, is_open: NDArray, labels: Sequence[str] | pd.Series | None
) -> None:
    """Draw new points as stars, each of up to six deposits in its own tone, censored ones open."""
    finite = np.isfinite(xy).all(axis=1)
    for name, (colour, _, star) in _new_looks(labels, len(xy)).items():
        member = (
            finite
            if name == _YOURS
            else finite & (as_names([] if labels is None else labels) == name)
        )
        common: dict[str, Any] = {"marker": star, "s": 130 if len(xy) <= 12 else 60, "zorder": 6}
        full, empty = xy[member & ~is_open], xy[member & is_open]
        ax.scatter(full[:, 0], full[:, 1], c=colour, edgecolors="white", linewidths=0.6,
                   gid="new measured", **common)  # fmt: skip
        ax.scatter(empty[:, 0], empty[:, 1], c="white", edgecolors=colour, linewidths=0.9,
                   gid="new censored", **common)  # fmt: skip


def _new_looks(labels: Sequence[str] | pd.Series | None, n: int) -> dict[str, tuple[str, Any, Any]]:
    looks = {} if labels is None else deposit_looks(as_names(labels))
    return looks if 0 < len(looks) <= _MOST_DEPOSITS else {_YOURS: (INK, "o", "*")} if n else {}


def legend_classes(
    ax: Axes,
    classes: Sequence[str] | pd.Series | None,
    *,
    labels: Sequence[str] | pd.Series | None = None,
    n_new: int = 0,
) -> None:
    """Name the user's deposits, the classes with their numbers, and what an open mark means."""
    handles, words = [], []
    deposits = as_names([] if labels is None else labels)
    for name, (colour, _, star) in _new_looks(labels, n_new).items():
        n = n_new if name == _YOURS else int(np.sum(deposits == name))
        handles.append(Line2D([], [], ls="", marker=star, color=colour, ms=7.5, mew=0))
        words.append(f"{plain(name, longest=28)} (n = {n:,})")
    names = as_names([] if classes is None else classes)
    markers = class_markers(names)
    for name, colour in class_colours(names).items():
        handles.append(Line2D([], [], ls="", marker=markers[name], color=colour, ms=4.5))
        words.append(f"{plain(name, longest=28)} (n = {int(np.sum(names == name)):,})")
    if any(_n_drawn(artist) for artist in ax.collections if "censored" in (artist.get_gid() or "")):
        handles.append(Line2D([], [], ls="", marker="o", mfc="none", color=QUIET, ms=4.5))
        words.append("open: below the limit")
    if handles:
        add_legend(ax, handles, words)


def _n_drawn(artist: Any) -> int:
    return len(artist.get_offsets())


def as_names(labels: Sequence[str] | pd.Series) -> NDArray:
    return np.array(["" if pd.isna(name) else str(name) for name in labels], dtype=object)


def highest_density(
    x: ArrayLike,
    y: ArrayLike,
    *,
    shares: Sequence[float] = (0.5, 0.9),
    n_cells: int = 90,
    is_isotropic: bool = False,
) -> tuple[NDArray, NDArray, NDArray, list[float]]:
    """Smoothed density of points, with the levels whose outlines hold the given shares of them.

    Parameters
    ----------
    x, y : array of shape (n,)
        Finite coordinates, n >= 3.
    shares : sequence of float
        Between 0 and 1.
    n_cells : int
        Cells along each side.
    is_isotropic : bool
        Smooth both axes alike and little, as a triangle of unit sides needs.

    Returns
    -------
    x_cells, y_cells : array of shape (n_cells,)
        Cell centres.
    density : array of shape (n_cells, n_cells)
        Share of points in each cell, rows along y.
    levels : list of float
        Density that each share of the points reaches, ascending.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y, density, levels = highest_density(*rng.normal(size=(2, 500)), shares=(0.5, 0.9))
    >>> density.shape, levels[0] < levels[1]  # the outline of 90 % lies lower than that of 50 %
    ((90, 90), True)
    """
    xy = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    spread = np.maximum(np.percentile(xy, 84, axis=0) - np.percentile(xy, 16, axis=0), 1e-9) / 2
    width = spread * len(xy) ** (-1 / 6)  # Scott's rule in two dimensions
    if is_isotropic:
        width = np.full(2, np.clip(float(width.max()), 0.012, 0.03))
    low, high = xy.min(axis=0) - 3 * width, xy.max(axis=0) + 3 * width
    counts, x_edges, y_edges = np.histogram2d(
        xy[:, 0], xy[:, 1], bins=n_cells, range=[(low[0], high[0]), (low[1], high[1])]
    )
    density = gaussian_filter(counts, width / (high - low) * n_cells, mode="constant").T
    density /= density.sum()
    cells = ((xy - low) / (high - low) * n_cells).astype(int).clip(0, n_cells - 1)
    own = density[cells[:, 1], cells[:, 0]]  # the points' own density: no bias of the smoothing
    levels = [float(np.quantile(own, 1 - share)) for share in shares]
    centres = [(edges[1:] + edges[:-1]) / 2 for edges in (x_edges, y_edges)]
    return centres[0], centres[1], density, sorted(levels)
