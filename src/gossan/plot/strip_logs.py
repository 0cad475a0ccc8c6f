"""Strip log of a drill hole: rocks as a patterned column, grades as bars beside it, depth downwards.

Tables of intervals of one hole come in; one axes whose tracks share the depth goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from gossan._checks import check_option
from gossan.plot._rocks import rock_looks, rock_patches
from gossan.plot.scales import SCALES, is_skewed
from gossan.plot.style import (
    ACCENT,
    FAINT,
    INK,
    LABEL_SIZE,
    QUIET,
    add_legend,
    axes_or_new,
    plain,
    style,
)

_BAR = "#0072B2"
_GAP = 0.035  # of the log's width, between two tracks
_ROCKS = 0.15  # of it, for the column of rocks


def plot_strip_log(
    intervals: pd.DataFrame,
    names: str | Sequence[str],
    *,
    hole: str = "",
    lithology: pd.DataFrame | None = None,
    column: str = "lithology",
    colours: Mapping[str, str] | None = None,
    censored: pd.DataFrame | None = None,
    units: str | Mapping[str, str] = "ppm",
    scale: str | Mapping[str, str] = "auto",
    cutoffs: Mapping[str, float] | None = None,
    intercepts: pd.DataFrame | None = None,
    depths: tuple[float, float] | None = None,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    r"""Log of one hole: rocks, then a track a grade with a bar a sample, all against depth.

    Open bars are detection limits, hatched ground was not sampled or not analysed. A log scale shows
    backgrounds and spikes at once; mind that its bars have no zero.

    Parameters
    ----------
    intervals : DataFrame
        Columns `from`, `to` [m down the hole] and `names`; of several holes, `hole` too.
    names : str or sequence of str
        Grades, a track each, from the left.
    hole : str
        Hole to draw, and the title; may be left out where the table has but one.
    lithology : DataFrame, optional
        Columns `from`, `to` and `column` (and `hole`).
    column : str
        Column of rock names.
    colours : mapping, optional
        Rock to colour; by default a pale one each, with a pattern, the same in every hole of the
        table.
    censored : Boolean DataFrame, optional
        True where a grade is a detection limit, in the rows of `intervals`.
    units : str or mapping
        Unit, or grade to unit (`DrillHoles.units["assay"]`).
    scale : {"auto", "linear", "log"} or mapping
        Of the tracks, or grade to scale; "auto" takes logarithms where grades are skewed.
    cutoffs : mapping, optional
        Grade to its cut-off: a line, with the bars that reach it in another colour.
    intercepts : DataFrame, optional
        Columns `from`, `to` and `grade` (and `hole`), as of `Intercepts.table`: brackets at the
        right side of the first track.
    depths : (top, bottom), optional
        Depths to show [m]; by default those of the tables.
    legend : bool
        Say beside the log what patterns and bars mean.
    ax : Axes, optional
        Axes to draw on; tall ones suit.

    Returns
    -------
    ax : Axes
        The axes drawn on, whose y axis is the depth, downwards. The tracks are its `child_axes`.

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If the hole is not in the table, several are and none is named, or a scale is unknown.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> table = pd.DataFrame({"from": [0.0, 10.0], "to": [10.0, 20.0], "Au": [0.1, 2.5]})
    >>> ax = plot_strip_log(table, "Au", units="g/t", ax=new_axes()[0])
    >>> ax.get_ylim(), ax.child_axes[0].get_xlabel()
    ((np.float64(20.0), np.float64(0.0)), 'Au\n[g/t]')
    """
    shown = [names] if isinstance(names, str) else list(names)
    rows, mask, hole = _rows_of(intervals, shown, hole, censored)
    width = 1.6 + 1.2 * len(shown) + (1.0 if lithology is not None else 0.0)
    ax = axes_or_new(ax, (width, 7.0))
    rocks = None if lithology is None else _own(lithology, ("from", "to", column), hole)
    top, bottom = _depths(depths, rows, rocks)
    _frame_host(ax, hole, top, bottom)
    left, handles = 0.0, []
    if lithology is not None and rocks is not None:
        looks = rock_looks(lithology[column], colours)
        _draw_rocks(_track(ax, 0.0, _ROCKS), rocks, column, looks)
        present = {
            name: look for name, look in looks.items() if name in set(rocks[column].astype(str))
        }
        handles += rock_patches(present)
        left = _ROCKS + _GAP
    wide = (1 - left - _GAP * (len(shown) - 1)) / len(shown)
    for place, name in enumerate(shown):
        track = _track(ax, left + place * (wide + _GAP), wide)
        _draw_grades(track, rows, mask[name], name, unit=_of(units, name, ""),
                     scale=_of(scale, name, "auto"), cutoff=(cutoffs or {}).get(name))  # fmt: skip
    if intercepts is not None and len(intercepts):
        found = _own(intercepts, ("from", "to", "grade"), hole)
        _draw_intercepts(ax.child_axes[1 if left else 0], found, _of(units, shown[0], ""))
    if legend:
        handles += _words(rows, mask, shown, has_cutoff=bool(cutoffs))
        add_legend(ax, handles, [str(own.get_label()) for own in handles], handleheight=1.4,
                   handlelength=1.8, bbox_to_anchor=(1.03, 1.0))  # fmt: skip
    return ax


def _rows_of(
    intervals: pd.DataFrame, names: Sequence[str], hole: str, censored: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return the rows of the hole, their flags by grade, and the hole's name."""
    if not hole and "hole" in intervals:
        found = [str(name) for name in pd.unique(intervals["hole"].dropna())]
        if len(found) != 1:
            listed = ", ".join(found[:5])
            raise ValueError(
                f"A strip log shows one hole, the table has {len(found)} ({listed}). Name one:"
                " hole=..."
            )
        hole = found[0]
    rows = _own(intervals, ("from", "to", *names), hole)
    mask = pd.DataFrame(False, index=rows.index, columns=list(names))
    for name in names:
        if censored is not None and name in censored:
            mask[name] = censored.loc[rows.index, name].astype(bool)
    return rows, mask, hole


def _own(table: pd.DataFrame, columns: Sequence[str], hole: str) -> pd.DataFrame:
    missing = [name for name in columns if name not in table]
    if missing:
        raise KeyError(
            f"A strip log needs a column {missing[0]!r}, got {', '.join(map(str, table)) or 'none'}."
            " Add or rename it."
        )
    if "hole" not in table or not hole:
        return table
    rows = table[(table["hole"].astype(str) == hole).to_numpy()]
    if not len(rows) and len(table):
        raise ValueError(
            f"There is no hole {hole!r} in the table, which begins with"
            f" {', '.join(map(str, pd.unique(table['hole'])[:5]))}. Write it as there."
        )
    return rows


def _of(given: str | Mapping[str, str], name: str, default: str) -> str:
    return given if isinstance(given, str) else given.get(name, default)


def _depths(
    depths: tuple[float, float] | None, rows: pd.DataFrame, rocks: pd.DataFrame | None
) -> tuple[float, float]:
    if depths is not None:
        return depths
    parts = [rows] if rocks is None else [rows, rocks]
    low = min((part["from"].min() for part in parts if len(part)), default=0.0)
    high = max((part["to"].max() for part in parts if len(part)), default=1.0)
    return low, high


def _frame_host(ax: Axes, hole: str, top: float, bottom: float) -> None:
    ax.set(xlim=(0, 1), ylim=(bottom, top), xticks=[])
    ax.spines[["left", "bottom", "top", "right"]].set_visible(False)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=12, steps=[1, 2, 2.5, 5, 10]))
    ax.set_ylabel("Depth down the hole [m]")
    if hole:
        ax.set_title(plain(hole), loc="left", pad=34, fontsize=9, fontweight="bold", color=INK)


def _track(ax: Axes, left: float, width: float) -> Axes:
    """Return axes for a track, as deep as the log."""
    with style():
        track = ax.inset_axes((left, 0.0, width, 1.0))
    track.set_ylim(ax.get_ylim())
    track.set_yticks([])
    track.spines[:].set_visible(True)
    track.spines[:].set_linewidth(0.6)
    track.xaxis.tick_top()
    track.xaxis.set_label_position("top")
    return track


def _draw_rocks(
    track: Axes, rocks: pd.DataFrame, column: str, looks: Mapping[str, tuple[str, str]]
) -> None:
    """Fill each stretch with the look of its rock."""
    track.set(xlim=(0, 1), xticks=[])
    track.set_xlabel("Rock", fontsize=LABEL_SIZE, labelpad=4)
    for row in rocks.to_dict("records"):
        if pd.isna(row[column]):
            continue
        fill, hatch = looks[str(row[column])]
        track.barh(row["from"], 1, row["to"] - row["from"], align="edge", facecolor=fill, hatch=hatch,
                   edgecolor=QUIET, linewidth=0.5, gid="rock")  # fmt: skip


def _draw_grades(
    track: Axes, rows: pd.DataFrame, mask: pd.Series, name: str, *, unit: str, scale: str,
    cutoff: float | None,
) -> None:  # fmt: skip
    check_option("scale", scale, SCALES)
    values = rows[name].to_numpy(float)
    is_log = scale == "log" or (scale == "auto" and is_skewed(values))
    low, high = _limits(values, cutoff, is_log=is_log)
    _scale_track(track, low, high, is_log=is_log)
    _hatch_unsampled(track, rows, np.isfinite(values), low, high)
    known = np.isfinite(values) & ((values > 0) | (not is_log))
    is_open = mask.to_numpy(bool)
    reaches = np.zeros(len(values), bool) if cutoff is None else (values >= cutoff) & ~is_open
    top, thick = rows["from"].to_numpy(float), (rows["to"] - rows["from"]).to_numpy(float)
    looks = ((is_open, "white", "censored"), (reaches, ACCENT, "at or above the cut-off"),
             (~is_open & ~reaches, _BAR, "measured"))  # fmt: skip
    for flag, face, gid in looks:
        here = known & flag
        track.barh(top[here], values[here] - low, thick[here], left=low, align="edge",
                   facecolor=face, edgecolor=_BAR if face == "white" else "white",
                   linewidth=0.6 if face == "white" else 0.25, gid=gid, zorder=2)  # fmt: skip
    if cutoff is not None:
        track.axvline(
            cutoff, color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=3, gid="cut-off"
        )
    note = f"{unit}, log" if is_log else unit
    track.set_xlabel(f"{plain(name, longest=16)}\n[{note}]", fontsize=LABEL_SIZE, labelpad=4)


def _limits(values: NDArray, cutoff: float | None, *, is_log: bool) -> tuple[float, float]:
    known = np.append(values[np.isfinite(values)], [] if cutoff is None else [cutoff])
    if is_log:
        known = known[known > 0]
        if not len(known):
            raise ValueError(
                "A log scale needs values above zero, got none. Take scale='linear', or check the"
                " column."
            )
        # Bars on a log scale start half below the least value, so that it shows as a bar too.
        return float(known.min()) / 2, float(known.max()) * 1.25
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return min(0.0, low), (high * 1.05 if high > 0 else 1.0)


def _scale_track(track: Axes, low: float, high: float, *, is_log: bool) -> None:
    if is_log:
        track.set_xscale("log")
        track.xaxis.set_major_locator(LogLocator(numticks=3))
    else:
        track.xaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 2.5, 5, 10]))
    track.xaxis.set_minor_locator(NullLocator())
    track.xaxis.set_major_formatter(FuncFormatter(_number))
    track.set_xlim(low, high)
    track.tick_params(axis="x", labelsize=6.8, length=2.5, pad=1.5)
    across = track.transScale.transform
    ends = across([(low, 0), (high, 0)])[:, 0]
    for label, place in zip(track.get_xticklabels(), track.get_xticks(), strict=True):
        share = (across((place, 0))[0] - ends[0]) / (ends[1] - ends[0])
        # Numbers at the ends stay over their own track.
        label.set_horizontalalignment(
            "left" if share < 0.15 else "right" if share > 0.8 else "center"
        )
    track.grid(visible=True, axis="x", color=FAINT, linewidth=0.5)


def _hatch_unsampled(
    track: Axes, rows: pd.DataFrame, is_known: NDArray[np.bool_], low: float, high: float
) -> None:
    """Hatch what lies between the samples and those without a value, from the top to the bottom."""
    bottom, top = track.get_ylim()
    done = top
    sampled = rows.loc[is_known, ["from", "to"]].sort_values("from").to_numpy(float)
    for start, stop in [*sampled, (bottom, bottom)]:
        if start - done > 1e-6:
            track.barh(done, high - low, min(start, bottom) - done, left=low, align="edge",
                       facecolor="#f2f3f5", edgecolor="#c3cad0", hatch="////", linewidth=0, zorder=1,
                       gid="not sampled")  # fmt: skip
        done = max(done, stop)


def _draw_intercepts(track: Any, intercepts: pd.DataFrame, unit: str) -> None:
    """Draw a bracket along each intercept, with its length and grade beside it."""
    for row in intercepts.to_dict("records"):
        top, end = float(row["from"]), float(row["to"])
        track.plot([0.985, 0.94, 0.94, 0.985], [top, top, end, end], color=INK, linewidth=1.0,
                   transform=track.get_yaxis_transform(), zorder=5, gid="intercept")  # fmt: skip
        if not row.get("including", False):
            words = f"{end - top:.1f} m\nat {_short(row['grade'])} {unit}".rstrip()
            track.annotate(words, (0.92, (top + end) / 2), ha="right", va="center",
                           xycoords=track.get_yaxis_transform(), fontsize=6.5,
                           color=INK, zorder=6, gid="intercept",
                           bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 0.8})  # fmt: skip


def _number(value: float, _position: int | None = None) -> str:
    """Write a number in little room, 25,000 as 25k."""
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:,.6g}"


def _short(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.10g}"


def _words(
    rows: pd.DataFrame, mask: pd.DataFrame, names: Sequence[str], *, has_cutoff: bool
) -> list[Any]:
    handles = [Patch(facecolor=_BAR, label="measured")]
    if has_cutoff:
        handles.append(Patch(facecolor=ACCENT, label="at or above the cut-off"))
    if mask.to_numpy().any():
        handles.append(Patch(facecolor="white", edgecolor=_BAR, linewidth=0.8,
                             label="open: below the limit"))  # fmt: skip
    spans = rows[["from", "to"]].sort_values("from").to_numpy(float)
    has_gaps = len(spans) > 1 and (spans[1:, 0] - spans[:-1, 1] > 1e-6).any()
    if has_gaps or rows[list(names)].isna().to_numpy().any():
        handles.append(Patch(facecolor="#f2f3f5", edgecolor="#c3cad0", hatch="////", linewidth=0,
                             label="not sampled"))  # fmt: skip
    return handles
