"""Figures of how grades vary in space: experimental variograms with their model, variogram maps.

Classes of distance that were counted elsewhere and a model come in; each point is as large as its
pairs are many, each direction has a colour and a marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from gossan.geostat.covariance import VariogramModel
from gossan.plot._cells import add_colour_bar, write_number
from gossan.plot.scales import grade_norm
from gossan.plot.style import FAINT, INK, LABEL_SIZE, QUIET, add_legend, axes_or_new, plain

if TYPE_CHECKING:
    from gossan.geostat.variogram_maps import VariogramMap

ALL_DIRECTIONS = "all directions"
FEW_PAIRS = 30  # Journel & Huijbregts (1978), p. 194: fewer do not carry a point of a variogram
_LOOKS = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#E69F00", "v"))
_N_DIRECTIONS = 200  # over which a model is averaged where no direction is asked for
_SIDES = {"easting": "east", "northing": "north", "elevation": "up"}
_LARGEST = 90.0  # points², of the class with the most pairs


def plot_variogram(
    experimental: pd.DataFrame,
    *,
    model: VariogramModel | None = None,
    n_dims: int = 2,
    unit: str = "normal scores",
    pairs: bool | None = None,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Experimental semivariances as points, sized by their pairs, with the model as lines.

    Look whether the line passes through the large points at short distances: those decide what
    kriging does. Open points rest on fewer than 30 pairs [1]_.

    Parameters
    ----------
    experimental : DataFrame
        Columns `lag` [m], `semivariance`, and optionally `n_pairs` and `direction`: missing for
        all directions, an azimuth or (azimuth, dip) [degrees], or words ("azimuth 45, dip -10").
    model : VariogramModel, optional
        Drawn along each direction; for all directions its mean over them.
    n_dims : int
        2 or 3, for that mean.
    unit : str
        Of the values; the axis is its square.
    pairs : bool, optional
        Write the number of pairs at each point; by default where there is but one direction.
    legend : bool
        Name the directions, and say how many pairs the largest point has.
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

    References
    ----------
    .. [1] Journel A.G., Huijbregts C.J. (1978) Mining Geostatistics, Academic Press, London.

    Examples
    --------
    >>> from gossan.geostat.covariance import Structure
    >>> from gossan.plot.style import new_axes
    >>> model = VariogramModel(0.2, Structure("spherical", 0.8, 100.0))
    >>> points = pd.DataFrame({"lag": [50.0, 150.0], "semivariance": [0.8, 1.1]})
    >>> ax = plot_variogram(points, model=model, ax=new_axes()[0])
    >>> curve = [line for line in ax.lines if line.get_gid() == "model"][0]
    >>> float(curve.get_ydata()[0].round(3)), float(curve.get_ydata()[-1].round(3))
    (0.203, 1.0)
    """
    ax = axes_or_new(ax, (5.0, 3.4))
    missing = [name for name in ("lag", "semivariance") if name not in experimental]
    if missing:
        raise KeyError(
            f"A variogram needs a column {missing[0]!r}, got {', '.join(map(str, experimental))}."
            " Pass the table of an ExperimentalVariogram."
        )
    known = experimental[np.isfinite(experimental["semivariance"].to_numpy(float))]
    farthest = float(known["lag"].max()) * 1.05 if len(known) else 1.0
    most = float(known["n_pairs"].max()) if "n_pairs" in known and len(known) else 0.0
    looks = list(_by_direction(known))
    for (name, angles, points), (colour, marker) in zip(looks, _looks_of(looks), strict=True):
        _draw_points(ax, points, colour, marker, most=most)
        if most > 0 and (len(looks) == 1 if pairs is None else pairs):
            _write_pairs(ax, points)
        if model is not None:
            _draw_model(ax, model, angles, farthest, colour=colour, n_dims=n_dims, name=name)
    if model is not None and np.isfinite(model.sill):
        ax.axhline(model.sill, color=QUIET, linewidth=0.8, linestyle=(0, (4, 2)), gid="sill")
    tops = [known["semivariance"].max() if len(known) else 0.0]
    tops += [model.sill] if model is not None and np.isfinite(model.sill) else []
    ax.set(xlim=(0, farthest), ylim=(0, 1.12 * float(max(tops)) or 1.0))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(write_number))
    ax.set_xlabel("Distance [m]")
    ax.set_ylabel(f"Semivariance [{_squared(unit)}]")
    ax.grid(visible=True, axis="y")
    if legend:
        _legend(ax, [name for name, *_ in looks], _looks_of(looks), has_model=model is not None,
                most=most)  # fmt: skip
    return ax


def _squared(unit: str) -> str:
    return f"({unit})²" if " " in unit or "/" in unit else f"{unit}²"


def _by_direction(
    table: pd.DataFrame,
) -> Iterator[tuple[str, tuple[float, float] | None, pd.DataFrame]]:
    """Yield the name, the (azimuth, dip) and the rows of each direction, in order."""
    if "direction" not in table:
        yield ALL_DIRECTIONS, None, table
        return
    angles = [direction_of(value) for value in table["direction"]]
    for wanted in dict.fromkeys(angles):
        is_it = np.array([angle == wanted for angle in angles])
        yield direction_name(wanted), wanted, table[is_it]


def direction_of(value: Any) -> tuple[float, float] | None:
    """Azimuth and dip [degrees] of what a table says of a direction, None for all.

    Examples
    --------
    >>> direction_of(45), direction_of((90.0, -10.0)), direction_of("azimuth 45, dip -10")
    ((45.0, 0.0), (90.0, -10.0), (45.0, -10.0))
    >>> direction_of(None) is direction_of("omnidirectional") is None
    True
    """
    if isinstance(value, str):
        numbers = [float(part) for part in re.findall(r"-?\d+(?:\.\d+)?", value.replace("−", "-"))]
    elif value is None or value is pd.NA:
        numbers = []
    else:
        numbers = [float(part) for part in np.ravel(np.asarray(value, dtype=float))]
    if not numbers or not np.isfinite(numbers[0]):
        return None
    return numbers[0], (numbers[1] if len(numbers) > 1 else 0.0)


def direction_name(angles: tuple[float, float] | None) -> str:
    """Words for a direction.

    Examples
    --------
    >>> direction_name((45.0, -10.0)), direction_name((0.0, -90.0)), direction_name((45.0, 0.0))
    ('azimuth 45°, dip −10°', 'vertical', 'azimuth 45°')
    """
    if angles is None:
        return ALL_DIRECTIONS
    azimuth, dip = angles
    if abs(dip) == 90:
        return "vertical"
    tilt = f", dip {dip:g}°" if dip else ""
    return f"azimuth {azimuth:g}°{tilt}".replace("-", "−")


def _looks_of(looks: list[Any]) -> list[tuple[str, str]]:
    coloured = iter(range(len(looks)))
    return [
        (INK, "o") if angles is None else _LOOKS[next(coloured) % len(_LOOKS)]
        for _, angles, _ in looks
    ]


def _draw_points(ax: Axes, points: pd.DataFrame, colour: str, marker: str, *, most: float) -> None:
    lags, gammas = (points[name].to_numpy(float) for name in ("lag", "semivariance"))
    pairs = points["n_pairs"].to_numpy(float) if "n_pairs" in points else np.full(len(lags), np.inf)
    sizes = 8 + _LARGEST * (pairs / most if most > 0 else np.full(len(lags), 0.25))
    few = pairs < FEW_PAIRS
    for flag, face, name in ((~few, colour, "enough pairs"), (few, "white", "few pairs")):
        ax.scatter(lags[flag], gammas[flag], s=sizes[flag], marker=marker, facecolors=face,
                   edgecolors=colour if face == "white" else "white", linewidths=0.8, zorder=3,
                   gid=name)  # fmt: skip


def _write_pairs(ax: Axes, points: pd.DataFrame) -> None:
    for row in points.to_dict("records"):
        ax.annotate(f"{row['n_pairs']:,.0f}", (row["lag"], row["semivariance"]), xytext=(0, -6),
                    textcoords="offset points", ha="center", va="top", fontsize=6.2, color=QUIET,
                    zorder=4, gid="pairs",
                    path_effects=[withStroke(linewidth=2, foreground="white")])  # fmt: skip


def _draw_model(
    ax: Axes,
    model: VariogramModel,
    angles: tuple[float, float] | None,
    farthest: float,
    *,
    colour: str,
    n_dims: int,
    name: str,
) -> None:
    lags = np.linspace(farthest / 600, farthest, 160)
    curve = model_curve(model, lags, angles, n_dims=n_dims)
    ax.plot(lags, curve, color=colour, linewidth=1.5, zorder=2, gid="model", label=f"_{name}")


def model_curve(
    model: VariogramModel,
    lags: NDArray[np.float64],
    angles: tuple[float, float] | None = None,
    *,
    n_dims: int = 2,
) -> NDArray[np.float64]:
    """Variogram of a model at distances along a direction, or averaged over all of them.

    Parameters
    ----------
    model : VariogramModel
    lags : array of shape (n,)
        Distances [m].
    angles : (azimuth, dip), optional
        Degrees; None: the mean over directions spread evenly over the circle or the sphere.
    n_dims : int
        2 or 3. A dip needs 3.

    Returns
    -------
    semivariance : array of shape (n,)

    Examples
    --------
    >>> from gossan.geostat.covariance import Structure
    >>> model = VariogramModel(0.0, Structure("spherical", 1.0, (100.0, 50.0), (90.0, 0.0, 0.0)))
    >>> model_curve(model, np.array([50.0]), (90.0, 0.0)).round(4)
    array([0.6875])
    """
    if angles is None:
        units = _even_directions(n_dims)
    else:
        azimuth, dip = np.deg2rad(angles)
        units = np.array(
            [[np.sin(azimuth) * np.cos(dip), np.cos(azimuth) * np.cos(dip), np.sin(dip)]]
        )
    dims = 3 if n_dims == 3 or (angles is not None and angles[1] != 0) else 2
    offsets = lags[:, None, None] * units[None, :, :dims]
    return model.variogram(offsets).mean(axis=1)


def _even_directions(n_dims: int) -> NDArray[np.float64]:
    """Return unit vectors spread over half the circle, or by the golden angle over the sphere."""
    steps = np.arange(_N_DIRECTIONS) + 0.5
    if n_dims == 2:
        angle = np.pi * steps / _N_DIRECTIONS
        return np.column_stack([np.sin(angle), np.cos(angle)])
    height = 1 - 2 * steps / _N_DIRECTIONS
    turn, flat = np.pi * (1 + 5**0.5) * steps, np.sqrt(1 - height**2)
    return np.column_stack([flat * np.sin(turn), flat * np.cos(turn), height])


def _legend(
    ax: Axes, names: list[str], looks: list[tuple[str, str]], *, has_model: bool, most: float
) -> None:
    handles: list[Any] = [
        Line2D([], [], color=colour, marker=marker, ms=4.5, lw=1.4 if has_model else 0)
        for colour, marker in looks
    ]
    words = list(names)
    if has_model and any(line.get_gid() == "sill" for line in ax.lines):
        handles.append(Line2D([], [], color=QUIET, lw=0.8, ls=(0, (4, 2))))
        words.append("sill")
    if any(len(np.asarray(c.get_offsets())) for c in ax.collections if c.get_gid() == "few pairs"):
        handles.append(Line2D([], [], ls="", marker="o", mfc="white", mec=QUIET, ms=4.5))
        words.append(f"open: under {FEW_PAIRS} pairs")
    if most > 0:
        handles.append(
            Line2D([], [], ls="", marker="o", color=QUIET, mec="white", ms=_LARGEST**0.5)
        )
        words.append(f"largest: {most:,.0f} pairs")
    place = {"loc": "lower right", "bbox_to_anchor": (1.0, 0.0)}
    add_legend(ax, handles, words, **place)


def plot_variogram_map(
    found: VariogramMap, *, unit: str = "normal scores", ax: Axes | None = None
) -> Axes:
    """Semivariance by offset in a plane: dark along the direction of the longest range.

    Parameters
    ----------
    found : VariogramMap
        From `gossan.geostat.variogram_maps`; offsets without pairs stay grey.
    unit : str
        Of the values; the colours are its square.
    ax : Axes, optional
        Axes to draw on.

    Returns
    -------
    ax : Axes
        The axes drawn on, of equal aspect, north or elevation up.

    Raises
    ------
    ValueError
        If the map is of several variables.

    Examples
    --------
    >>> from gossan.geostat.variogram_maps import VariogramMap
    >>> from gossan.plot.style import new_axes
    >>> found = VariogramMap(np.ones((3, 3)), np.full((3, 3), 50), np.array([-10.0, 0.0, 10.0]),
    ...                      ("easting", "northing"), 1.0)
    >>> ax = plot_variogram_map(found, ax=new_axes()[0])
    >>> ax.get_xlabel(), float(ax.get_xlim()[0])
    ('Offset east [m]', -15.0)
    """
    ax = axes_or_new(ax, (4.6, 4.0))
    values = np.asarray(found.semivariance, dtype=float)
    if values.ndim != 2:
        raise ValueError(
            f"A variogram map is drawn of one variable, got semivariances of shape {values.shape}."
            " Make a map of each."
        )
    norm = grade_norm(values, scale="linear")
    low, high = _edges(np.asarray(found.offsets, dtype=float))
    ax.imshow(np.ma.masked_invalid(values), origin="lower", extent=(low, high, low, high),
              norm=norm, cmap="viridis", interpolation="none", gid="cells")  # fmt: skip
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal", facecolor=FAINT)
    for line in (ax.axhline, ax.axvline):
        line(0, color="white", linewidth=0.7)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(write_number))
    across, up = (_SIDES[axis] for axis in found.axes)
    ax.set_xlabel(f"Offset {across} [m]", fontsize=LABEL_SIZE)
    ax.set_ylabel(f"Offset {up} [m]", fontsize=LABEL_SIZE)
    add_colour_bar(ax, norm, "grade", f"Semivariance [{_squared(plain(unit))}]", values)
    return ax


def _edges(centres: NDArray[np.float64]) -> tuple[float, float]:
    half = (centres[-1] - centres[0]) / max(len(centres) - 1, 1) / 2 or 0.5
    return float(centres[0] - half), float(centres[-1] + half)
