"""Figure of what each element adds to a score, here and there, as paired bars.

Mean contributions with their signs come in, computed elsewhere; one group of bars an element goes out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from gossan.plot.style import INK, add_legend, axes_or_new, plain

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")


def plot_contributions(
    contributions: pd.DataFrame,
    series: Mapping[str, str],
    *,
    label: str = "Mean contribution to the score",
    ax: Axes | None = None,
) -> Axes:
    """What each element adds to a score or takes from it, for several places side by side.

    Parameters
    ----------
    contributions : DataFrame
        `element` and a column for each place; the first row is drawn on top. A missing value has no
        bar.
    series : mapping
        Column to its words in the legend, four at most.
    label : str
        What the number is, with its unit.
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
    ValueError
        If there is no series, or more than four.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> table = pd.DataFrame({"element": ["Li", "Ca"], "known": [0.8, -0.2]})
    >>> ax = plot_contributions(table, {"known": "at known occurrences"}, ax=new_axes()[0])
    >>> [round(float(bar.get_width()), 1) for bar in ax.patches]
    [0.8, -0.2]
    """
    if not 1 <= len(series) <= len(_COLOURS):
        raise ValueError(
            f"Give one to {len(_COLOURS)} series of bars, got {len(series)}. Leave some out."
        )
    missing = [name for name in ("element", *series) if name not in contributions]
    if missing:
        raise KeyError(
            f"The contributions have no column {missing[0]!r}, only"
            f" {', '.join(map(str, contributions))}. Add or rename it."
        )
    ax = axes_or_new(ax, (6.4, 0.9 + 0.3 * len(contributions)))
    places, height = np.arange(len(contributions)), 0.72 / len(series)
    handles = []
    for number, (column, colour) in enumerate(zip(series, _COLOURS, strict=False)):
        away = (number - (len(series) - 1) / 2) * height
        ax.barh(places + away, contributions[column].to_numpy(float), height=0.92 * height,
                color=colour, gid="bar")  # fmt: skip
        handles.append(Patch(color=colour))
    ax.set_yticks(places, [plain(name, longest=28) for name in contributions["element"]])
    ax.set_ylim(len(contributions) - 0.4, -0.6)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_xlabel(plain(label, longest=120))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="x")
    if len(series) > 1:
        add_legend(ax, handles, [plain(words, longest=36) for words in series.values()])
    return ax
