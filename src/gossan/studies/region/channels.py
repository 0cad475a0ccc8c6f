"""What methods read: layers as logarithms or log-ratios, then as robust scores on one scale.

A grid of layers, which of them are concentrations, and the cells that count come in; channels and the
numbers that make them of other rasters go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import GossanWarning
from gossan._units import convert_unit, is_unit
from gossan.data.grids.grid import cell_centres
from gossan.geochem.robust_scores import RobustScores

LEAST_CELLS = 400
ONE_UNIT = "ppm"
SAME = "one value throughout"
LOG, CLR = "log10", "clr"  # words of `MapModel`

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Channels:
    """Layers on one scale.

    Attributes
    ----------
    names : tuple of str
        Of the channels, in order.
    scores : RobustScores
        How a transformed layer became a channel.
    transforms : dict of str to str
        Channel to "log10" or "clr"; others were taken as they are.
    floors : dict of str to float
        What a value at or below zero becomes before the logarithm, by channel.
    volume : float32 array of shape (channels, northing, easting)
        Robust scores, also off the supported cells.
    left_out : list of str
        What does not vary.
    """

    names: tuple[str, ...]
    scores: RobustScores
    transforms: dict[str, str]
    floors: dict[str, float]
    volume: NDArray[np.float32]
    left_out: list[str]


def make_channels(
    grid: xr.Dataset,
    elements: Sequence[str],
    others: Sequence[str],
    *,
    transform: str,
    clip: float,
    supported: NDArray[np.bool_],
) -> Channels:
    """Bring layers to robust scores over the supported cells.

    Parameters
    ----------
    grid : Dataset
    elements, others : sequence of str
        Layers that are concentrations, and those that are not.
    transform : {"log", "clr", "none"}
        Of the concentrations. "log": a value at or below zero becomes half the least above it.
        "clr": logarithm less the mean of the logarithms of all elements of the cell.
    clip : float
        Of the scores.
    supported : bool array of shape (northing, easting)

    Returns
    -------
    channels : Channels

    Raises
    ------
    ValueError
        If a concentration is not positive, log-ratios have one part only, or too few cells have all
        layers.
    """
    table = {name: np.asarray(grid[name], dtype=float).ravel() for name in (*elements, *others)}
    floors: dict[str, float] = {}
    if transform == "log":
        floors = {name: _floor(table[name], name) for name in elements}
        for name in elements:
            table[name] = _common_logs(table[name], floors[name])
    elif transform == "clr":
        for name in elements:
            _refuse_not_positive(grid, table[name], name, supported.ravel())
    inside = supported.ravel() & np.all([np.isfinite(own) for own in table.values()], axis=0)
    _check_cells(int(inside.sum()), len(table))
    left_out = []
    if transform == "clr":
        flat = [name for name in elements if not np.ptp(table[name][inside]) > 0]
        left_out = [f"{name} is left out: {SAME}." for name in flat]
        elements = [name for name in elements if name not in flat]
        table = {name: own for name, own in table.items() if name not in flat}
        table |= log_ratios({name: table[name] for name in elements})
    scores, values = _scored(pd.DataFrame(table), inside, clip)
    _refuse_lost_parts(scores, elements if transform == "clr" else ())
    names = tuple(str(name) for name in scores.get_feature_names_out())
    word = {"log": LOG, "clr": CLR}.get(transform, "")
    shape = (len(values), grid.sizes["northing"], grid.sizes["easting"])
    return Channels(
        names=names,
        scores=scores,
        transforms={name: word for name in elements if word and name in names},
        floors=floors,
        volume=values.reshape(shape).astype(np.float32),
        left_out=[
            *left_out,
            *(f"{name} is left out: {w}." for name, w in scores.left_out_.items()),
        ],
    )


def log_ratios(parts: dict[str, Floats]) -> dict[str, Floats]:
    """Centred log-ratios of concentrations, cell by cell; missing where a part is.

    A unit of its own only shifts the log-ratios of all parts alike in every cell, which the median
    takes off again.

    Examples
    --------
    >>> ratios = log_ratios({"Cu": np.array([np.e]), "Zn": np.array([np.e**3])})
    >>> ratios["Cu"].round(3), ratios["Zn"].round(3)
    (array([-1.]), array([1.]))
    """
    if len(parts) < 2:
        raise ValueError(
            f"Log-ratios need two elements or more, got {', '.join(parts) or 'none'} that vary. Name"
            ' more elements, or take transform = "log".'
        )
    with np.errstate(invalid="ignore", divide="ignore"):  # off the support a layer may be anything
        logs = {name: np.log(np.where(own > 0, own, np.nan)) for name, own in parts.items()}
    level = sum(logs.values()) / len(logs)
    return {name: own - level for name, own in logs.items()}


def in_one_unit(grid: xr.Dataset, elements: Sequence[str]) -> tuple[xr.Dataset, list[str]]:
    """The grid with its concentrations in one unit, and what was brought to it.

    Parameters
    ----------
    grid : Dataset
        Layers that do not tell their unit are left as they are.
    elements : sequence of str

    Returns
    -------
    grid : Dataset
    notes : list of str

    Raises
    ------
    ValueError
        If the unit of a layer is none of concentration.
    """
    units = {name: str(grid[name].attrs.get("units", "")).strip() for name in elements}
    strange = next((name for name, unit in units.items() if unit and not is_unit(unit)), None)
    if strange is not None:
        raise ValueError(
            f"Layer {strange!r} is in {units[strange]!r}, which is no concentration, and log-ratios"
            " need concentrations. Name the layers that are: elements = [...] under [layers]."
        )
    told = {name: unit for name, unit in units.items() if unit}
    if len({convert_unit(1.0, unit, ONE_UNIT) for unit in told.values()}) < 2:
        return grid, []
    notes = []
    for name, unit in told.items():
        factor = float(convert_unit(1.0, unit, ONE_UNIT))
        if factor != 1.0:
            layer = (grid[name] * np.float32(factor)).assign_attrs(grid[name].attrs)
            grid = grid.assign({name: layer.assign_attrs(units=ONE_UNIT)})
            notes.append(f"{name} was brought from {unit} to {ONE_UNIT}.")
    return grid, notes


def _common_logs(own: Floats, floor: float) -> Floats:
    return np.asarray(np.log10(np.where(own > 0, own, np.where(own <= 0, floor, own))))


def _floor(values: Floats, name: str) -> float:
    """Return half the least value above zero: what a concentration of zero becomes."""
    above = values[values > 0]
    if not len(above):
        raise ValueError(
            f"Layer {name!r} has no value above zero, so that it has no logarithm. Name the layers"
            " that are concentrations: elements = [...] under [layers]."
        )
    return float(above.min()) / 2.0


def _refuse_not_positive(
    grid: xr.Dataset, own: Floats, name: str, supported: NDArray[np.bool_]
) -> None:
    bad = np.flatnonzero(supported & (own <= 0))
    if len(bad):
        east, north = cell_centres(grid)[bad[0]]
        raise ValueError(
            f"Layer {name!r} is at or below zero in {len(bad):,} cells, first {own[bad[0]]:g} at"
            f" {east:.10g} E, {north:.10g} N, and log-ratios need positive concentrations. Name the"
            " value that means no data (nodata) or the layers that are concentrations (elements)"
            ' under [layers], or take transform = "log".'
        )


def _check_cells(n: int, n_layers: int) -> None:
    if n < LEAST_CELLS:
        raise ValueError(
            f"{n} cells have all {n_layers} layers, and {LEAST_CELLS} are the least. Leave out the"
            " layers with gaps, widen reach, or take a smaller spacing."
        )


def _scored(
    table: pd.DataFrame, inside: NDArray[np.bool_], clip: float
) -> tuple[RobustScores, Floats]:
    """Return robust scores, learned inside, of all rows, shape (channels, rows)."""
    scores = RobustScores("none", clip=clip)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)  # told among what is left out
        scores.fit(table[inside])
        return scores, scores.transform(table).T


def _refuse_lost_parts(scores: RobustScores, parts: Sequence[str]) -> None:
    """Raise where a log-ratio is constant: a saved model could not make the others without it."""
    lost = [name for name in parts if name in scores.left_out_]
    if lost:
        raise ValueError(
            f"The log-ratio of {lost[0]} is {scores.left_out_[lost[0]]}: the elements rise and fall"
            ' as one. Leave it out, or take transform = "log".'
        )
