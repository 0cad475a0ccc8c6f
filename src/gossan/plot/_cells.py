"""Draw what all maps share: coloured cells, samples on them, scale bar, north, colour bar.

A plane of a grid, its values and a colour scale come in; artists go onto the axes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Affine2D, Transform
from numpy.typing import ArrayLike, NDArray

from gossan.data.grids.grid import rotation_of
from gossan.plot._planes import Plane, thin
from gossan.plot.furniture import add_north, add_scale_bar
from gossan.plot.style import INK, LABEL_SIZE, QUIET, plain, style

NO_ESTIMATE = "#eceef0"  # cells without an estimate are this grey, never a grade
_MANY = 1500  # samples beyond which an SVG keeps them as a picture


def colours_of(kind: str) -> Colormap:
    """Colours of a map: perceptual, and told apart by those who are colour-blind.

    Grades are viridis, dark to bright; spread pale (sure) to dark (unsure); departures purple
    (lower), white and orange (higher).
    """
    import matplotlib as mpl

    if kind == "grade":
        return mpl.colormaps["viridis"]
    if kind == "departure":
        return mpl.colormaps["PuOr_r"]
    pale_to_dark = mpl.colormaps["magma_r"](np.linspace(0.02, 0.8, 256))
    return LinearSegmentedColormap.from_list("spread", pale_to_dark)


def draw_cells(
    ax: Axes, plane: Plane, cells: NDArray, norm: Normalize, *, kind: str, most_cells: int
) -> None:
    """Colour the cells; in an SVG they are one small picture, a pixel a cell."""
    shown, step = thin(cells, most_cells)
    left, right, bottom, top = plane.own_extent
    wide, high = (right - left) / cells.shape[1], (top - bottom) / cells.shape[0]
    extent = (
        left,
        left + shown.shape[1] * step * wide,
        bottom,
        bottom + shown.shape[0] * step * high,
    )
    image = ax.imshow(np.ma.masked_invalid(shown), origin="lower", extent=extent, norm=norm,
                      cmap=colours_of(kind), interpolation="none", aspect="auto", zorder=1,
                      gid="cells")  # fmt: skip
    image.set_transform(data_of(ax, plane))


def data_of(ax: Axes, plane: Plane) -> Transform:
    """Return the transform from the grid's own axes onto the figure; it turns a turned map."""
    angle = rotation_of(plane.grid) if plane.is_map else 0.0
    if not angle:
        return ax.transData
    pivot = plane.grid.attrs.get("origin", (0.0, 0.0))
    turned = Affine2D().rotate_deg_around(float(pivot[0]), float(pivot[1]), -angle)
    return turned + ax.transData


def draw_samples(
    ax: Axes, x: NDArray, y: NDArray, *, values: NDArray, is_open: NDArray, norm: Normalize
) -> None:
    """Mark samples in the colours of the grades, those below their limit open."""
    known = np.isfinite(values) & np.isfinite(x) & np.isfinite(y)
    size = 26 if known.sum() <= 150 else 13 if known.sum() <= 500 else 7
    colours = colours_of("grade")(norm(np.ma.masked_invalid(values)))
    common: dict[str, Any] = {"s": size, "zorder": 4, "rasterized": bool(known.sum() > _MANY)}
    full, empty = known & ~is_open, known & is_open
    ax.scatter(x[full], y[full], c=colours[full], edgecolors=INK, linewidths=0.35, gid="measured",
               **common)  # fmt: skip
    ax.scatter(x[empty], y[empty], c="white", edgecolors=colours[empty], linewidths=1.0,
               gid="censored", **common)  # fmt: skip


def draw_places(ax: Axes, x: NDArray, y: NDArray) -> None:
    """Mark where samples lie, small and without their values."""
    ax.scatter(x, y, s=3 if len(x) > 150 else 6, c="white", edgecolors=INK, linewidths=0.4,
               zorder=4, rasterized=len(x) > _MANY, gid="places")  # fmt: skip


def frame_plane(
    ax: Axes,
    extent: tuple[float, float, float, float],
    labels: tuple[str, str],
    *,
    is_map: bool,
    coordinates: bool,
    exaggeration: float = 1.0,
    north: bool = True,
    scale_bar: bool = True,
) -> None:
    """Set equal aspect (or a stated exaggeration), limits, a scale bar and north."""
    left, right, bottom, top = extent
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.set_aspect(exaggeration, adjustable="box")
    ax.set_facecolor(NO_ESTIMATE)
    ax.patch.set(hatch="////", edgecolor="#ced4d9", linewidth=0)
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color(QUIET)
    ax.spines[:].set_linewidth(0.6)
    if coordinates or not is_map:
        _number_axes(ax, labels, is_upright=is_map, exaggeration=exaggeration)
    else:
        ax.set(xticks=[], yticks=[])
    where = "above" if coordinates else "below"
    if is_map and scale_bar:
        add_scale_bar(ax, where=where, north=north)
    elif is_map and north:
        add_north(ax, where=where)


def _number_axes(
    ax: Axes, labels: tuple[str, str], *, is_upright: bool, exaggeration: float
) -> None:
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=3, min_n_ticks=2, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(write_number))
        axis.set_tick_params(labelsize=6.5, length=2.5, color=QUIET, labelcolor=QUIET, width=0.6)
    if is_upright:  # numbers of seven digits would push the map aside
        low, high = ax.get_ylim()
        for label, place in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True):
            share = (place - low) / (high - low)  # none reaches beyond the ends of its axis
            label.set_verticalalignment(
                "bottom" if share < 0.1 else "top" if share > 0.9 else "center"
            )
        ax.tick_params(axis="y", labelrotation=90)
    stretched = "" if exaggeration == 1 else f", drawn × {exaggeration:g}"
    ax.set_xlabel(labels[0], fontsize=LABEL_SIZE, color=QUIET)
    ax.set_ylabel(labels[1].replace("]", f"{stretched}]"), fontsize=LABEL_SIZE, color=QUIET)


def write_number(value: float, _position: int | None = None) -> str:
    """Write a tick with a comma at each thousand and a true minus."""
    return f"{value:,.10g}".replace("-", "−")


def name_panel(ax: Axes, title: str) -> None:
    """Write what a panel shows above it, at its left."""
    ax.set_title(plain(title), loc="left", fontsize=8.5, fontweight="bold", color=INK)


def add_colour_bar(ax: Axes, norm: Normalize, kind: str, label: str, *values: ArrayLike) -> None:
    """Draw the colours right of the axes, with arrows where values lie beyond them."""
    numbers = np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in values])
    numbers = numbers[np.isfinite(numbers)]
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 1.0)
    below, above = bool((numbers < low).any()), bool((numbers > high).any())
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
    with style():
        bar_ax = ax.inset_axes((1.025, 0.0, 0.035, 1.0))
        bar = ax.get_figure(root=True).colorbar(  # type: ignore[union-attr]
            ScalarMappable(norm, colours_of(kind)),
            cax=bar_ax,
            extend=extend.get((below, above), "neither"),
            extendfrac=0.03,
        )
        bar.outline.set_linewidth(0.4)  # type: ignore[operator]
        _number_colours(bar_ax, norm)
        bar_ax.set_ylabel(_in_two_lines(plain(label, longest=80)), fontsize=LABEL_SIZE, color=INK)
    bar_ax.set_gid("colours")


def _in_two_lines(label: str) -> str:
    """Break a long label before its unit, so that it is no longer than a small map is high."""
    return label.replace(" [", "\n[") if len(label) > 30 else label


def _number_colours(ax: Axes, norm: Normalize) -> None:
    axis = ax.yaxis
    if isinstance(norm, LogNorm):
        decades = math.log10(float(norm.vmax or 1.0) / float(norm.vmin or 1.0))
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,), numticks=12))
    else:
        axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(write_number))
    ax.tick_params(axis="y", labelsize=6.8, length=2.5, width=0.6)


def read_samples(
    samples: pd.DataFrame, name: str, censored: pd.DataFrame | pd.Series | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the values of an element and whether each lies below its limit."""
    if name not in samples:
        raise KeyError(
            f"The samples have no column {name!r} to draw, only {', '.join(map(str, samples))}."
            " Choose one of them."
        )
    values = samples[name].to_numpy(float)
    flags = censored
    if isinstance(censored, pd.DataFrame):
        flags = censored.get(name)
    is_open = np.zeros(len(values), bool) if flags is None else np.asarray(flags, dtype=bool)
    if len(is_open) != len(values):
        raise ValueError(
            f"Flags of censored samples have length {len(is_open)} for {len(values)} samples. Pass"
            " one flag a sample, in the same order."
        )
    return values, is_open
