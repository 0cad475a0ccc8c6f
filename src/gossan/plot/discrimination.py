"""Diagrams on which analyses of known classes part, and where new points fall among them.

Tables of concentrations (or coordinates of an embedding) and class names come in; scatter, density
outlines that hold stated shares of each class, and the new points as stars go onto the axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_option
from gossan.plot._classes import draw_classes, draw_stars, legend_classes
from gossan.plot.style import (
    FAINT,
    INK,
    LABEL_SIZE,
    QUIET,
    axes_or_new,
    frame_logs,
    log_scale,
    plain,
)

_HALF_HEIGHT = np.sqrt(3) / 2


def plot_discrimination(
    values: pd.DataFrame,
    axes: tuple[str, str],
    *,
    classes: Sequence[str] | pd.Series | None = None,
    points: pd.DataFrame | None = None,
    labels: Sequence[str] | pd.Series | None = None,
    censored: pd.DataFrame | None = None,
    points_censored: pd.DataFrame | None = None,
    shares: Sequence[float] = (0.5, 0.9),
    unit: str = "ppm",
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Two elements (or ratios) on log axes, with the outline of each class and new points as stars.

    For a first look at which pair parts the classes; the verdict itself uses all elements.

    Parameters
    ----------
    values : DataFrame of shape (n, elements)
        Concentrations of the analyses of known class [unit]; rows that are missing or not
        positive on either axis are not drawn.
    axes : tuple of two str
        Columns for x and y. "Ga/In" means the ratio of two columns.
    classes : sequence of shape (n,), optional
        Class of each row.
    points : DataFrame of shape (m, elements), optional
        New analyses, drawn as stars.
    labels : sequence of shape (m,), optional
        Deposit of each new analysis; up to six are told apart by their stars.
    censored, points_censored : Boolean DataFrame, optional
        True where a value is a detection limit: drawn open.
    shares : sequence of float
        Shares of a class that its outlines hold. The default draws its heart and its reach.
    unit : str
        Unit of `values`, for the labels.
    legend : bool
        Write the classes beside the axes; one of several panels is enough.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Raises
    ------
    KeyError
        If an axis names a column that the table lacks.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> table = pd.DataFrame({"Ge": [1.0, 100.0], "In": [50.0, 0.1]})
    >>> ax = plot_discrimination(table, ("Ge", "In"), classes=["VMS", "MVT"], ax=new_axes()[0])
    >>> ax.get_xlabel()
    'Ge [ppm, log scale]'
    """
    ax = axes_or_new(ax, (6.4, 4.6))
    log_scale(ax, "x")
    log_scale(ax, "y")
    ax.set_xlabel(_axis_label(axes[0], unit))
    ax.set_ylabel(_axis_label(axes[1], unit))
    known = np.column_stack([_read_axis(values, name) for name in axes])
    open_known = _any_censored(censored, axes, len(values))
    new, open_new = None, None
    if points is not None:
        new = np.column_stack([_read_axis(points, name) for name in axes])
        open_new = _any_censored(points_censored, axes, len(points))
    drawable = np.where(known > 0, known, np.nan)
    draw_classes(ax, drawable, classes, open_known, shares=shares, is_log=True)
    if new is not None and open_new is not None:
        draw_stars(ax, np.where(new > 0, new, np.nan), open_new, labels)
    for place, which in enumerate("xy"):
        frame_logs(ax, which, drawable[:, place], [] if new is None else new[:, place])
    if legend:
        legend_classes(ax, classes, labels=labels, n_new=0 if points is None else len(points))
    return ax


def plot_ternary(
    values: pd.DataFrame,
    elements: tuple[str, str, str],
    *,
    classes: Sequence[str] | pd.Series | None = None,
    points: pd.DataFrame | None = None,
    labels: Sequence[str] | pd.Series | None = None,
    censored: pd.DataFrame | None = None,
    points_censored: pd.DataFrame | None = None,
    scale: str | Mapping[str, float] = "centred",
    shares: Sequence[float] = (0.5,),
    fields: Mapping[str, ArrayLike] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Ternary diagram of three elements, each multiplied so that the table fills the triangle.

    Traces differ by orders of magnitude; unscaled, all points stick to one corner. Multiplying
    each element by a constant (a perturbation of the simplex [1]_) keeps straight lines straight
    and is the field's own "Ga x 10 - Ge x 50 - In"; the multipliers stand at the corners.

    Parameters
    ----------
    values : DataFrame of shape (n, elements)
        Concentrations in one unit; rows with a missing or negative part are not drawn.
    elements : tuple of three str
        Columns for the top, left and right corner.
    classes, labels, censored, points_censored, shares
        As in `plot_discrimination`.
    points : DataFrame of shape (m, elements), optional
        New analyses in the same unit, drawn as stars.
    scale : {"centred", "amount"} or mapping
        "centred" brings the geometric mean of the table near the middle with multipliers of the
        form 1, 2 or 5 times a power of ten; "amount" multiplies by one; a mapping gives the
        multipliers by element.
    fields : mapping, optional
        Name to the corners of a published field, shape (k, 3): parts in the order of `elements`,
        of the multiplied values (as they are read off the diagram), of any sum.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, of equal aspect.

    Raises
    ------
    KeyError
        If the table lacks an element.
    ValueError
        If `scale` is an unknown word, or a field has fewer than three corners.

    References
    ----------
    .. [1] von Eynatten H., Pawlowsky-Glahn V., Egozcue J.J. (2002) Understanding perturbation on
       the simplex. Mathematical Geology 34, 249-257. doi:10.1023/A:1014826205533

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> table = pd.DataFrame({"Ga": [4.0, 9.0], "Ge": [2.0, 2.0], "Fe": [2e4, 4e4]})
    >>> ax = plot_ternary(table, ("Fe", "Ga", "Ge"), ax=new_axes()[0])
    >>> [text.get_text() for text in ax.texts][:3]
    ['Fe / 500', 'Ga × 10', 'Ge × 50']
    """
    ax = axes_or_new(ax, (6.4, 5.2))
    known = _parts(values, elements)
    factors = _multipliers(known, elements, scale)
    outline = _draw_triangle(
        ax, [_corner_label(e, f) for e, f in zip(elements, factors, strict=True)]
    )
    for name, corners in (fields or {}).items():
        _draw_field(ax, name, np.asarray(corners, dtype=float))
    open_known = _any_censored(censored, elements, len(values))
    draw_classes(ax, _to_plane(known * factors), classes, open_known, shares=shares,
                 inside=outline)  # fmt: skip
    if points is not None:
        new = _to_plane(_parts(points, elements) * factors)
        open_new = _any_censored(points_censored, elements, len(points))
        draw_stars(ax, new, open_new, labels)
    legend_classes(ax, classes, labels=labels, n_new=0 if points is None else len(points))
    return ax


def plot_embedding(
    coordinates: pd.DataFrame,
    *,
    classes: Sequence[str] | pd.Series | None = None,
    points: pd.DataFrame | None = None,
    labels: Sequence[str] | pd.Series | None = None,
    loadings: pd.DataFrame | None = None,
    shares: Sequence[float] = (0.9,),
    ax: Axes | None = None,
) -> Axes:
    """Map of all analyses on two axes that were computed elsewhere (PCA, t-SNE), new ones as stars.

    Distances on a t-SNE map mean little beyond the nearest neighbours; a PCA map keeps them.

    Parameters
    ----------
    coordinates : DataFrame of shape (n, 2)
        Coordinates; the column names become the axis labels ("PC1 (43 % of variance)").
    classes : sequence of shape (n,), optional
        Class of each row.
    points : DataFrame of shape (m, 2), optional
        Coordinates of the new analyses.
    labels : sequence of shape (m,), optional
        Deposit of each new analysis.
    loadings : DataFrame of shape (elements, 2), optional
        Arrows of a biplot, indexed by element; scaled to the map, so only their direction and
        relative length are meant.
    shares : sequence of float
        Shares of a class that its outlines hold.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on.

    Examples
    --------
    >>> from gossan.plot.style import new_axes
    >>> ax = plot_embedding(pd.DataFrame({"PC1 (60 %)": [0.0, 1.0], "PC2 (20 %)": [1.0, 0.0]}),
    ...                     ax=new_axes()[0])
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('PC1 (60 %)', 'PC2 (20 %)')
    """
    ax = axes_or_new(ax, (6.4, 4.8))
    names = [str(name) for name in coordinates.columns[:2]]
    ax.set_xlabel(plain(names[0]))
    ax.set_ylabel(plain(names[1]))
    known = coordinates.iloc[:, :2].to_numpy(dtype=float)
    draw_classes(ax, known, classes, np.zeros(len(known), dtype=bool), shares=shares)
    if loadings is not None and len(known):
        _draw_loadings(ax, loadings, known)
    if points is not None:
        new = points.iloc[:, :2].to_numpy(dtype=float)
        draw_stars(ax, new, np.zeros(len(new), dtype=bool), labels)
    legend_classes(ax, classes, labels=labels, n_new=0 if points is None else len(points))
    return ax


def _draw_loadings(ax: Axes, loadings: pd.DataFrame, known: NDArray) -> None:
    arrows = loadings.iloc[:, :2].to_numpy(dtype=float)
    reach = np.nanpercentile(np.abs(known), 97, axis=0)
    longest = np.abs(arrows).max(axis=0)
    factor = 0.9 * np.min(reach / np.where(longest > 0, longest, 1.0))
    for element, (x, y) in zip(loadings.index, arrows * factor, strict=True):
        ax.annotate("", (x, y), (0, 0), zorder=4,
                    arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 0.8})  # fmt: skip
        ax.annotate(plain(element), (x * 1.08, y * 1.08), ha="center", va="center", zorder=5,
                    fontsize=LABEL_SIZE, bbox={"boxstyle": "round,pad=0.1", "fc": "white",
                                               "ec": "none", "alpha": 0.75})  # fmt: skip


def _draw_triangle(ax: Axes, corners: Sequence[str]) -> Polygon:
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_xlim(-0.12, 1.12)
    ax.set_ylim(-0.13, _HALF_HEIGHT + 0.09)
    places = [(0.5, _HALF_HEIGHT + 0.03), (0.0, -0.07), (1.0, -0.07)]
    for text, (x, y), va in zip(corners, places, ("bottom", "top", "top"), strict=True):
        ax.text(x, y, text, ha="center", va=va, fontsize=9, fontweight="bold", color=INK)
    for share in (0.2, 0.4, 0.6, 0.8):
        for corner in range(3):
            _draw_grid_line(ax, share, corner)
    outline = Polygon(_to_plane(np.eye(3)), fill=False, edgecolor=QUIET, linewidth=0.9, zorder=4)
    ax.add_patch(outline)
    return outline


def _draw_grid_line(ax: Axes, share: float, corner: int) -> None:
    """Draw the line on which the part of `corner` is `share`, with its number at the side."""
    ends = np.zeros((2, 3))
    ends[:, corner] = share
    ends[0, (corner + 1) % 3] = ends[1, (corner + 2) % 3] = 1 - share
    line = _to_plane(ends)
    ax.plot(*line.T, color=FAINT, linewidth=0.6, zorder=0)
    along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    ax.plot(*np.array([line[1], line[1] + 0.014 * along]).T, color=QUIET, linewidth=0.7, zorder=4,
            gid="tick")  # fmt: skip
    x, y = line[1] + 0.045 * along
    # The number leans along its own line, so that the eye follows the right one of the three.
    angle = np.degrees(np.arctan2(along[1], along[0]))
    ax.text(x, y, f"{100 * share:.0f} %", fontsize=6.5, color=QUIET,
            ha="center", va="center", rotation=(angle + 90) % 180 - 90, rotation_mode="anchor",
            gid="number")  # fmt: skip


def _draw_field(ax: Axes, name: str, corners: NDArray) -> None:
    if corners.ndim != 2 or corners.shape[1] != 3 or len(corners) < 3:
        raise ValueError(
            f"A field has three corners or more of three parts each, {name!r} has the shape"
            f" {corners.shape}. Give rows of (top, left, right)."
        )
    outline = _to_plane(corners)
    x, y = outline.mean(axis=0)
    ax.add_patch(Polygon(outline, facecolor=FAINT, alpha=0.35, edgecolor="none", zorder=0))
    ax.add_patch(Polygon(outline, fill=False, edgecolor=QUIET, linewidth=0.9, linestyle=(0, (4, 2)),
                         zorder=1, gid="field"))  # fmt: skip
    ax.text(x, y, plain(name, longest=24), ha="center", va="center", color=QUIET,
            fontsize=LABEL_SIZE, style="italic", zorder=1, gid="field")  # fmt: skip


def _to_plane(parts: NDArray) -> NDArray:
    """Turn (top, left, right) parts of any sum into plane coordinates of a unit triangle."""
    total = parts.sum(axis=1, keepdims=True)
    shares = parts / np.where(total > 0, total, np.nan)
    return np.column_stack([shares[:, 2] + shares[:, 0] / 2, shares[:, 0] * _HALF_HEIGHT])


def _parts(values: pd.DataFrame, elements: Sequence[str]) -> NDArray:
    parts = np.column_stack([_column(values, name) for name in elements])
    return np.where((parts >= 0).all(axis=1, keepdims=True), parts, np.nan)


def _multipliers(
    parts: NDArray, elements: Sequence[str], scale: str | Mapping[str, float]
) -> NDArray:
    if not isinstance(scale, str):
        return np.array([float(scale.get(name, 1.0)) for name in elements])
    if check_option("scale", scale, ("centred", "amount")) == "amount":
        return np.ones(3)
    positive = parts[(parts > 0).all(axis=1)]
    if not len(positive):
        return np.ones(3)
    logs = np.log10(positive).mean(axis=0)
    return np.array([_one_two_five(10**exponent) for exponent in logs.mean() - logs])


def _one_two_five(value: float) -> float:
    """Return the nearest 1, 2 or 5 times a power of ten, on a log scale."""
    steps = np.array([m * 10.0**k for k in range(-9, 10) for m in (1, 2, 5)])
    return float(steps[np.argmin(np.abs(np.log(steps / value)))])


def _corner_label(element: str, factor: float) -> str:
    if factor == 1:
        return plain(element)
    sign, number = ("×", factor) if factor > 1 else ("/", 1 / factor)
    return f"{plain(element)} {sign} {number:,.0f}"


def _column(values: pd.DataFrame, name: str) -> NDArray:
    if name not in values.columns:
        known = ", ".join(map(str, values.columns))
        raise KeyError(f"No column {name!r} to draw. The table has: {known}. Choose one of them.")
    return values[name].to_numpy(dtype=float)


def _read_axis(values: pd.DataFrame, name: str) -> NDArray:
    if name in values.columns or "/" not in name:
        return _column(values, name)
    over, under = (_column(values, part.strip()) for part in name.split("/", 1))
    return over / np.where(under > 0, under, np.nan)


def _axis_label(name: str, unit: str) -> str:
    return f"{plain(name)} [{'ratio' if '/' in name else unit}, log scale]"


def _any_censored(
    censored: pd.DataFrame | None, names: Sequence[str], n_rows: int
) -> NDArray[np.bool_]:
    if censored is None:
        return np.zeros(n_rows, dtype=bool)
    parts = [part.strip() for name in names for part in name.split("/")]
    present = [part for part in parts if part in censored.columns]
    return censored[present].to_numpy(dtype=bool).any(axis=1)
