"""The look that all figures share: colours, markers, axes and the SVG that leaves the house.

Class names come in, colour-blind-safe colours and distinct markers go out, the same for the same
set of classes in every figure; `new_axes` and `to_svg` frame what `gossan.plot` draws.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import ArrayLike

INK = "#1d2733"
QUIET = "#5b6773"
FAINT = "#d5dade"
ACCENT = "#8f3f14"
NONE_OF_THESE = "none of these"
LABEL_SIZE = 7.5

# Okabe & Ito (2008), Color Universal Design, without black and yellow (too near ink and paper);
# two muted tones of Paul Tol's set follow for tables with more than six classes.
_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#882255",
    "#999933",
)
_EARTHS = (INK, ACCENT, "#5f7135", "#6f5c96", "#a87a1f", "#3f7f80", "#98506c", "#7d8388")
_STARS = ("*", (4, 1, 0), (6, 1, 0), (3, 1, 0), (8, 1, 0))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_RC: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": QUIET,
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 8.5,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "legend.fontsize": LABEL_SIZE,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "gossan",
    "text.color": INK,
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8,
    "xtick.major.width": 0.7,
    "xtick.minor.width": 0.4,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8,
    "ytick.major.width": 0.7,
    "ytick.minor.width": 0.4,
}


@contextmanager
def style() -> Iterator[None]:
    """Give the house style to every figure made inside the `with` block, and to nothing else.

    Text stays text in saved SVG, so that it can be searched and edited; the same drawing gives
    the same bytes.
    """
    with mpl.rc_context(_RC):  # type: ignore[arg-type]
        yield


def class_colours(classes: Iterable[Any]) -> dict[str, str]:
    """Colour of each class, the same whatever order the classes come in.

    Parameters
    ----------
    classes : iterable of str
        Class names, repeated or not; missing ones are left out. "none of these" is always grey.

    Returns
    -------
    colours : dict
        Class name to hexadecimal colour, sorted by name. From Okabe & Ito's palette [1]_,
        which people with colour-blindness can tell apart; from the ninth class on colours repeat
        and only the marker (`class_markers`) differs.

    References
    ----------
    .. [1] Wong B. (2011) Points of view: Color blindness. Nature Methods 8, 441.
       doi:10.1038/nmeth.1618

    Examples
    --------
    >>> class_colours(["VMS", "MVT", "VMS", "none of these"])
    {'MVT': '#0072B2', 'VMS': '#D55E00', 'none of these': '#7a7f85'}
    """
    names = _sorted_classes(classes)
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
    return colours | ({NONE_OF_THESE: "#7a7f85"} if _has_none(classes) else {})


def method_colours(names: Sequence[str], is_baseline: Mapping[str, bool]) -> dict[str, str]:
    """Colour of each method of a figure, its own while the palette lasts.

    Beyond eight methods, baselines (which are dashed) start the palette anew.

    Examples
    --------
    >>> method_colours(["net", "distance"], {"net": False, "distance": True})
    {'distance': '#0072B2', 'net': '#D55E00'}
    """
    if len(set(names)) <= len(_COLOURS):
        return class_colours(names)
    kinds = [[name for name in names if is_baseline[name] is which] for which in (True, False)]
    return class_colours(kinds[0]) | class_colours(kinds[1])


def class_markers(classes: Iterable[Any]) -> dict[str, str]:
    """Marker of each class, so that classes can be told apart without colour.

    Parameters
    ----------
    classes : iterable of str
        Class names, in any order.

    Returns
    -------
    markers : dict
        Class name to matplotlib marker. With `class_colours` 56 classes get distinct pairs.

    Examples
    --------
    >>> class_markers(["VMS", "MVT"])
    {'MVT': 'o', 'VMS': 's'}
    """
    names = _sorted_classes(classes)
    markers = {name: _MARKERS[i % len(_MARKERS)] for i, name in enumerate(names)}
    return markers | ({NONE_OF_THESE: "x"} if _has_none(classes) else {})


def deposit_looks(names: Iterable[Any]) -> dict[str, tuple[str, Any, Any]]:
    """Colour, marker and star of each of the user's deposits, apart from those of the classes.

    Parameters
    ----------
    names : iterable of str
        Deposit names in the order of the table; the first is drawn in ink.

    Returns
    -------
    looks : dict
        Name to (colour, marker, star). Earth tones; beyond eight deposits they repeat.

    Examples
    --------
    >>> deposit_looks(["Gunga", "Gunga", "Fankou"])["Gunga"]
    ('#1d2733', 'o', '*')
    """
    distinct = list(dict.fromkeys(str(name) for name in names if not pd.isna(name)))
    return {
        name: (_EARTHS[i % 8], _MARKERS[i % len(_MARKERS)], _STARS[i % len(_STARS)])
        for i, name in enumerate(distinct)
    }


def _sorted_classes(classes: Iterable[Any]) -> list[str]:
    names = {str(name) for name in classes if not pd.isna(name)}
    return sorted(names - {NONE_OF_THESE}, key=lambda name: (name.casefold(), name))


def _has_none(classes: Iterable[Any]) -> bool:
    return any(name == NONE_OF_THESE for name in classes if isinstance(name, str))


def new_axes(
    width: float = 8.0, height: float = 4.0, *, n_rows: int = 1, n_columns: int = 1
) -> np.ndarray:
    """Axes in the house style on a figure of their own, outside pyplot.

    Parameters
    ----------
    width, height : float
        Size of the whole figure [inch]. Eight inches fill the column of a report.
    n_rows, n_columns : int
        Panels.

    Returns
    -------
    axes : array of Axes of shape (n_rows * n_columns,)
        Row by row.

    Examples
    --------
    >>> len(new_axes(n_rows=2, n_columns=3))
    6
    """
    with style():
        figure = Figure(figsize=(width, height), layout="constrained")
        return np.ravel(figure.subplots(n_rows, n_columns, squeeze=False))


def axes_or_new(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Return `ax`, or for None those of a fresh pyplot figure, so that notebooks show it."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    with style():
        return plt.subplots(figsize=size, layout="constrained")[1]


def plain(text: object, *, longest: int = 60) -> str:
    r"""Return text from a user's table made safe to draw: no formula or control code, not endless.

    Examples
    --------
    >>> print(plain("Mt. $ Isa " + "a" * 80, longest=15))
    Mt. \$ Isa aaaa…
    """
    clean = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+", " ", str(text)).strip()
    short = clean if len(clean) <= longest else clean[: longest - 1].rstrip() + "…"
    return short.replace("$", r"\$")


def log_scale(ax: Axes, which: str) -> None:
    """Set the "x" or "y" axis of `ax` to a log scale with plain numbers (0.1, 1, 10, 1,000)."""
    getattr(ax, f"set_{which}scale")("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(_plain_number))


def _plain_number(value: float, _position: int | None = None) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:.10f}".rstrip("0")


def frame_logs(ax: Axes, which: str, *values: ArrayLike) -> None:
    """Set the limits of a log axis to the bulk of the positive values, a little room around."""
    numbers = np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in values])
    numbers = numbers[np.isfinite(numbers) & (numbers > 0)]
    if len(numbers):
        low, high = np.percentile(numbers, [0.1, 99.9])
        room = max(high / low, 10.0) ** 0.05
        getattr(ax, f"set_{which}lim")(low / room, high * room)


def add_legend(ax: Axes, handles: Sequence[Any], labels: Sequence[str], **where: Any) -> None:
    """Draw a quiet legend outside the data, right of the axes unless told otherwise."""
    place: dict[str, Any] = {
        "loc": "upper left",
        "bbox_to_anchor": (1.01, 1.0),
        "borderaxespad": 0.0,
        "frameon": False,
    } | where
    # matplotlib leaves out labels that start with an underscore; a deposit may be called so.
    shown = [re.sub("^_", "\u2007_", label) for label in labels]
    ax.legend(handles, shown, fontsize=LABEL_SIZE, handletextpad=0.5, labelcolor=INK,
              **place)  # fmt: skip


def to_svg(ax: Axes) -> str:
    """SVG of the figure that `ax` stands on: text as text, the same bytes each time.

    Parameters
    ----------
    ax : Axes
        Any axes of the figure.

    Returns
    -------
    svg : str
        A document that starts with ``<svg``, without dates, metadata or page-wide style rules,
        safe to set inside an HTML page beside others.

    Examples
    --------
    >>> to_svg(new_axes()[0])[:4]
    '<svg'
    """
    buffer = io.StringIO()
    with style(), warnings.catch_warnings():
        # A browser draws what DejaVu Sans lacks (Chinese deposit names); only widths are guessed.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message=".*does not natively support.*")
        ax.get_figure(root=True).savefig(  # type: ignore[union-attr]
            buffer, format="svg", dpi=200, metadata={"Date": None, "Creator": None}
        )
    return _compact(buffer.getvalue())


def _compact(svg: str) -> str:
    body = svg[svg.index("<svg") :]
    for part in (r"<metadata>.*?</metadata>", r"<style[^>]*>.*?</style>", r"<!--.*?-->"):
        body = re.sub(part, "", body, flags=re.DOTALL)
    body = re.sub(r"<defs>\s*</defs>", "", body)
    body = re.sub(r"(?<= d=\")[^\"]*", _round_numbers, body)
    body = body.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)
    return re.sub(r">\s+<", "><", body).strip()


def _round_numbers(path: re.Match[str]) -> str:
    numbers = re.sub(r"(\.\d\d)\d+", r"\1", path[0])
    return re.sub(r"\s+", " ", numbers).strip()
