"""What a map must say about itself: where north is, how long a kilometre is, where the grid lines run.

Axes whose data are in metres (or in another unit of length, said so) come in; a scale bar of a round
length, a north arrow and the crosses of a graticule go onto them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D, ScaledTranslation, Transform

from gossan._checks import check_option, check_positive
from gossan.plot.style import INK

# Where a thing stands: place in the axes (0 to 1), its offset [points], and how it is aligned.
_PLACES = {
    "above": (1.0, 1.0, 0, 7, "right"),
    "below": (0.0, 0.0, 0, -8, "left"),
    "upper left": (0.0, 1.0, 10, -13, "left"),
    "upper right": (1.0, 1.0, -10, -13, "right"),
    "lower left": (0.0, 0.0, 10, 12, "left"),
    "lower right": (1.0, 0.0, -10, 12, "right"),
}
_SHARE = 0.25  # of the map's width that a scale bar takes at most
_LETTER = 4.3  # points, of a figure as wide as those of the label
_ARROW = Path([(-0.36, -0.5), (0.0, 0.5), (0.36, -0.5), (0.0, -0.24), (-0.36, -0.5)], closed=True)
_TEXT: dict[str, Any] = {"fontsize": 7, "color": INK, "va": "center", "zorder": 9}


def add_scale_bar(
    ax: Axes,
    *,
    length: float | None = None,
    where: str = "above",
    metres: float = 1.0,
    north: bool = False,
) -> Axes:
    """Draw a scale bar of a round length, in m or km, with north beside it if asked for.

    Call it last: the bar is as long as it must be for the limits that the axes have then. Maps of
    gossan draw one by themselves.

    Parameters
    ----------
    ax : Axes
        A map, of equal aspect.
    length : float, optional
        Length of the bar [m]; by default the longest of 1, 2 or 5 times a power of ten that takes
        at most a quarter of the map.
    where : {"above", "below", "upper left", "upper right", "lower left", "lower right"}
        Outside the frame, which hides no data, or in one of its corners.
    metres : float
        Length of one unit of the axes [m]: 1000 for axes in km. Axes in degrees have no scale;
        project their data first.
    north : bool
        Draw a north arrow beside the bar; north is up.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If the place is unknown, or a length is not positive.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = new_axes()[0]
    >>> _ = ax.set(xlim=(0, 9000), ylim=(0, 4000), aspect="equal")
    >>> [text.get_text() for text in add_scale_bar(ax, north=True).texts]
    ['2 km', 'N']
    """
    check_option("where", where, _PLACES)
    check_positive("metres", metres, hint="Give the length of one unit of the axes in metres.")
    left, right = ax.get_xlim()
    width = abs(right - left) * metres
    long = round_length(width * _SHARE) if length is None else float(length)
    check_positive("length", long, unit="m", hint="Leave it out for a round one.")
    share, text = long / width, f"{long / 1000:g} km" if long >= 1000 else f"{long:g} m"
    x, y, _, _, side = _PLACES[where]
    start = x - share if side == "right" else x
    away = _away(ax, where)
    for stop, colour, thick, name in ((1.0, INK, 4.2, "scale bar"), (0.5, "white", 2.4, "half")):
        ax.plot([start, start + share * stop], [y, y], color=colour, linewidth=thick, zorder=9,
                solid_capstyle="butt", transform=away, clip_on=False, gid=name,
                path_effects=_halo(where) if name == "scale bar" else None)  # fmt: skip
    sign = -1 if side == "right" else 1
    end = start if side == "right" else start + share
    _write(ax, text, (end, y), away, 5 * sign, side=side, where=where)
    if north:
        _draw_north(ax, (end, y), away, sign * (15 + _LETTER * len(text)), side=side,
                    where=where)  # fmt: skip
    return ax


def add_north(ax: Axes, *, where: str = "upper right", azimuth: float = 0.0) -> Axes:
    """Draw a north arrow in a corner of a map, turned where north is not up.

    Parameters
    ----------
    ax : Axes
        A map, of equal aspect.
    where : str
        As of `add_scale_bar`.
    azimuth : float
        Direction that is up on the map, clockwise from north [degrees]: 30 for a map whose upper
        edge looks to N30°E.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If the place is unknown.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> [text.get_text() for text in add_north(new_axes()[0]).texts]
    ['N']
    """
    check_option("where", where, _PLACES)
    x, y, _, _, side = _PLACES[where]
    sign = -1 if side == "right" else 1
    _draw_north(ax, (x, y), _away(ax, where), 4.0 * sign, side=side, where=where,
                azimuth=azimuth)  # fmt: skip
    return ax


def add_graticule(ax: Axes) -> Axes:
    """Draw a small cross wherever the ticks of both axes meet, to read coordinates within a map.

    Parameters
    ----------
    ax : Axes
        A map with numbered axes; call this after their limits are set.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = new_axes()[0]
    >>> _ = ax.set(xlim=(0, 10), ylim=(0, 10), xticks=[0, 5, 10], yticks=[0, 5, 10])
    >>> add_graticule(ax).lines[-1].get_xydata().tolist()
    [[5.0, 5.0]]
    """
    within = [
        [tick for tick in axis.get_majorticklocs() if min(ends) < tick < max(ends)]
        for axis, ends in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim()))
    ]
    x, y = (np.ravel(part) for part in np.meshgrid(*within))
    ax.plot(x, y, ls="", marker="+", ms=7, mew=0.8, color=INK, zorder=5, gid="graticule",
            path_effects=[withStroke(linewidth=2.0, foreground="white", alpha=0.7)])  # fmt: skip
    return ax


def round_length(length: float) -> float:
    """Return the next lower 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> round_length(173.0), round_length(0.6)
    (100.0, 0.5)
    """
    power = 10.0 ** math.floor(math.log10(length))
    return max(step * power for step in (1, 2, 5) if step * power <= length * (1 + 1e-9))


def _away(ax: Axes, where: str) -> Transform:
    """Return the transform of places in the axes, moved by the points of `where`."""
    _, _, right, up, _ = _PLACES[where]
    figure: Any = ax.get_figure(root=True)
    return ax.transAxes + ScaledTranslation(right / 72, up / 72, figure.dpi_scale_trans)


def _halo(where: str) -> list[Any] | None:
    """Set what stands on the map apart from it by a white rim."""
    is_inside = where not in ("above", "below")
    return [withStroke(linewidth=6.6, foreground="white", alpha=0.85)] if is_inside else None


def _write(
    ax: Axes, text: str, place: tuple[float, float], away: Transform, shift: float, *,
    side: str, where: str,
) -> None:  # fmt: skip
    rim = None if where in ("above", "below") else [withStroke(linewidth=2.2, foreground="white")]
    ax.annotate(text, place, xytext=(shift, 0), ha=side, xycoords=away, annotation_clip=False,
                textcoords="offset points", path_effects=rim, **_TEXT)  # fmt: skip


def _draw_north(
    ax: Axes, place: tuple[float, float], away: Transform, shift: float, *, side: str,
    where: str, azimuth: float = 0.0,
) -> None:  # fmt: skip
    """Draw an arrow `shift` points from the place, its letter on the side away from the bar."""
    figure: Any = ax.get_figure(root=True)
    there = away + ScaledTranslation(shift / 72, 0, figure.dpi_scale_trans)
    # Up looks to the azimuth, so north lies as far to the left of up.
    arrow = _ARROW.transformed(Affine2D().rotate_deg(azimuth))
    rim = None if where in ("above", "below") else [withStroke(linewidth=2.2, foreground="white")]
    ax.plot(*([value] for value in place), marker=arrow, ms=11, mew=0, color=INK, ls="", zorder=9,
            transform=there, clip_on=False, gid="north", path_effects=rim)  # fmt: skip
    _write(ax, "N", place, there, -6 if side == "right" else 6, side=side, where=where)
