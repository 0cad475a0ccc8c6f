"""Halos: the order in which elements follow each other above, in and below an ore.

Assays with their length and their place along an axis (elevation, or up the dip of the ore) come
in; productivity by level, zoning index and the zoning sequence go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import spearmanr

from gossan._checks import GossanWarning, check_option
from gossan.evidence.surfaces import plane_axes

__all__ = ["Zoning", "sequence_agreement", "up_dip_distance", "zoning_sequence"]

Floats = NDArray[np.float64]

METHODS = ("grigorian", "centre_of_mass")
SCALES = ("decade", "sum")
_LEAST_INDEX = 1e-3  # of the largest: an element absent from a level counts as that rare there


@dataclass(frozen=True, eq=False)
class Zoning:
    """The zoning of the halo of an ore along an axis.

    Attributes
    ----------
    sequence : tuple of str
        Elements from the high end of the axis (the top) to the low end.
    placement : Series
        Place of each element along the axis: its level by "grigorian", its centre of mass else.
    gradient : Series
        Variability gradient, which orders elements of one level: greater is deeper.
    levels : array of shape (n_levels,)
        Middle of each level along the axis, from high to low.
    productivity : DataFrame of shape (n_levels, n_elements)
        Sum of (concentration - background) x length of the anomalous samples.
    lengths : array of shape (n_levels,)
        Length sampled in each level [m].
    zoning_index : DataFrame of shape (n_levels, n_elements)
        Share of each element in the scaled productivity of a level; rows add up to 1.
    background, threshold : Series
        Of each element, in the unit of the values.
    n_missing : Series
        Missing values of each element.
    """

    sequence: tuple[str, ...]
    placement: pd.Series
    gradient: pd.Series
    levels: Floats
    productivity: pd.DataFrame
    lengths: Floats
    zoning_index: pd.DataFrame
    background: pd.Series
    threshold: pd.Series
    n_missing: pd.Series

    def agreement(self, reference: Sequence[str]) -> float:
        """Spearman correlation of the sequence with another, over the elements in both.

        Parameters
        ----------
        reference : sequence of str
            Elements from top to bottom.

        Returns
        -------
        rho : float
            1 where both have one order, -1 where one is the other upside down.
        """
        return sequence_agreement(self.sequence, reference)


def zoning_sequence(
    values: pd.DataFrame,
    places: ArrayLike,
    lengths: ArrayLike | None = None,
    *,
    n_levels: int = 8,
    edges: ArrayLike | None = None,
    background: Mapping[str, float] | None = None,
    threshold: Mapping[str, float] | None = None,
    method: str = "grigorian",
    scale: str = "decade",
    min_length: float = 0.0,
) -> Zoning:
    """Zoning of elements along an axis, by Grigorian's index or by centres of mass.

    Linear productivity M of an element in a level is the sum of (concentration - background) x
    length over its anomalous samples. Scaled by powers of ten to one order of magnitude, its share
    D in the sum over elements is the zoning index; the level of the largest D places the element,
    ties are broken by the variability gradient [Grigorian1974]_. As D compares elements within a
    level, it does not mind that levels are drilled unequally. The centre of mass takes the mean
    productivity of a sampled metre instead, and needs no tie-break.

    Give the samples of the mineralised zone alone, within some 60 m of the ore, along its own dip:
    halos of barren faults, intrusions and regional fields elsewhere are anomalous too, know nothing
    of the ore, and turn the order about.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_elements)
        Concentrations, each element in a unit of its own; NaN is missing.
    places : array of shape (n_samples,)
        Along the axis [m], growing upwards: elevation, or `up_dip_distance`. Axial zoning shows
        best along the ore's own dip.
    lengths : array of shape (n_samples,), optional
        Of the samples [m]. Default: 1 each.
    n_levels : int, default 8
        Levels of equal height.
    edges : array, optional
        Bounds of the levels instead; samples outside are left out.
    background, threshold : mapping of element to concentration, optional
        A sample above the threshold is anomalous. Default: the median of the samples given, for
        both. `fractal_thresholds` gives others.
    method : {"grigorian", "centre_of_mass"}, default "grigorian"
    scale : {"decade", "sum"}, default "decade"
        Productivity times a power of ten, as published, or divided by its sum over levels, which
        leaves no element louder than others.
    min_length : float, default 0
        Levels with less sampled [m] are left out.

    Returns
    -------
    zoning : Zoning

    Raises
    ------
    ValueError
        If lengths differ, there are fewer than two levels with samples, or no element has an
        anomalous sample.

    Examples
    --------
    >>> columns = {"W": [1, 1, 1, 9, 30], "Au": [1, 1, 30, 9, 1], "Hg": [30, 9, 1, 1, 1]}
    >>> table = pd.DataFrame(columns)
    >>> zoning = zoning_sequence(table, [500, 400, 300, 200, 100], n_levels=5)
    >>> zoning.sequence
    ('Hg', 'Au', 'W')
    >>> zoning.agreement(["Hg", "Sb", "Au", "W"])
    1.0
    """
    check_option("method", method, METHODS)
    check_option("scale", scale, SCALES)
    table, heights, metres = _check_samples(values, places, lengths)
    bounds = _edges(heights, n_levels, edges)
    base = _per_element(background, table.median(), "background")
    least = _per_element(threshold, base, "threshold")
    level = np.searchsorted(bounds, heights, side="right") - 1
    level[heights == bounds[-1]] = len(bounds) - 2
    inside = (level >= 0) & (level < len(bounds) - 1)
    n = len(bounds) - 1
    sampled = np.bincount(level[inside], metres[inside], n).astype(float)
    excess = np.where(table.gt(least), table - base, 0.0) * metres[:, None]
    masses = np.column_stack([np.bincount(level[inside], column[inside], n) for column in excess.T])
    keep = np.flatnonzero((sampled > 0) & (sampled >= min_length))[::-1]  # from high to low
    if len(keep) < 2:
        raise ValueError(
            f"Zoning needs samples in two levels or more, got {len(keep)} of {n}. Give more levels,"
            " or other edges."
        )
    has = masses[keep].sum(axis=0) > 0
    if not has.any():
        raise ValueError(
            "No element has a sample above its threshold. Give lower thresholds, or check the units."
        )
    if not has.all():
        silent = ", ".join(table.columns[~has])
        warnings.warn(
            f"{silent} have no anomalous sample and are left out of the sequence.",
            GossanWarning,
            stacklevel=2,
        )
    elements = table.columns[has]
    middles = ((bounds[1:] + bounds[:-1]) / 2)[keep]
    productivity = pd.DataFrame(masses[np.ix_(keep, has)], middles, elements)
    index = zoning_index(productivity, scale=scale)
    gradient = variability_gradient(index)
    if method == "grigorian":
        placement = index.idxmax(axis=0).astype(float)
    else:
        per_metre = productivity.div(sampled[keep], axis=0)
        placement = per_metre.mul(middles, axis=0).sum() / per_metre.sum()
    order = np.lexsort([gradient.to_numpy(), -placement.to_numpy()])
    return Zoning(
        sequence=tuple(elements[order]),
        placement=placement,
        gradient=gradient,
        levels=middles,
        productivity=productivity,
        lengths=sampled[keep],
        zoning_index=index,
        background=base,
        threshold=least,
        n_missing=table.isna().sum(),
    )


def zoning_index(productivity: pd.DataFrame, *, scale: str = "decade") -> pd.DataFrame:
    """Share of each element in the scaled productivity of a level.

    Parameters
    ----------
    productivity : DataFrame of shape (n_levels, n_elements)
        None negative.
    scale : {"decade", "sum"}, default "decade"
        As in `zoning_sequence`.

    Returns
    -------
    index : DataFrame of shape (n_levels, n_elements)
        Rows add up to 1; a level without any productivity is zero throughout.

    Examples
    --------
    >>> masses = pd.DataFrame({"Au": [300.0, 100.0], "Hg": [0.1, 0.6]})
    >>> zoning_index(masses).round(3)
          Au     Hg
    0  0.750  0.250
    1  0.143  0.857
    """
    check_option("scale", scale, SCALES)
    most = productivity.max()
    if scale == "decade":
        decades = np.floor(np.log10(most.where(most > 0, 1.0)))
        scaled = productivity * 10.0 ** (decades.max() - decades)
    else:
        total = productivity.sum()
        scaled = productivity / total.where(total > 0, 1.0)
    sums = scaled.sum(axis=1)
    return scaled.div(sums.where(sums > 0, 1.0), axis=0)


def variability_gradient(index: pd.DataFrame) -> pd.Series:
    """How much faster the zoning index falls upwards than downwards from its largest value.

    G = sum of D_max/D over the levels above, less the same over the levels below: an element whose
    index fades fast upwards has its bulk below, and is placed deeper than others of its level.

    Parameters
    ----------
    index : DataFrame of shape (n_levels, n_elements)
        Zoning index, levels from high to low.

    Returns
    -------
    gradient : Series of shape (n_elements,)
    """
    table = index.to_numpy(dtype=float)
    most = table.max(axis=0)
    ratios = most / np.maximum(table, np.maximum(_LEAST_INDEX * most, np.finfo(float).tiny))
    top = table.argmax(axis=0)
    rows = np.arange(len(table))[:, None]
    above, below = (np.where(side, ratios, 0.0).sum(axis=0) for side in (rows < top, rows > top))
    return pd.Series(above - below, index=index.columns)


def sequence_agreement(sequence: Sequence[str], reference: Sequence[str]) -> float:
    """Spearman correlation of two zoning sequences, over the elements in both.

    Parameters
    ----------
    sequence, reference : sequence of str
        Elements from top to bottom.

    Returns
    -------
    rho : float

    Raises
    ------
    ValueError
        If fewer than three elements are in both, or one stands twice.

    Examples
    --------
    >>> sequence_agreement(["Hg", "As", "Sb", "Au"], ["Hg", "Sb", "As", "Au", "W"])
    0.8
    """
    for given in (sequence, reference):
        if len(set(given)) < len(given):
            raise ValueError(f"An element stands twice in {list(given)}. Name each once.")
    common = [element for element in reference if element in set(sequence)]
    if len(common) < 3:
        raise ValueError(
            f"The sequences share {len(common)} elements ({', '.join(common)}). Compare three or"
            " more."
        )
    own = [list(sequence).index(element) for element in common]
    return round(float(spearmanr(np.arange(len(common)), own).statistic), 12)


def up_dip_distance(
    points: ArrayLike, anchor: ArrayLike, dip_direction: float, dip: float
) -> Floats:
    """Place of points along the dip of an ore, growing upwards, for zoning in the ore's own frame.

    Parameters
    ----------
    points : array of shape (n, 3)
        Easting, northing, elevation [m].
    anchor : (easting, northing, elevation)
        Where the distance is 0 [m].
    dip_direction, dip : float
        Azimuth of the dip [°, clockwise from north] and angle below the horizontal [°].

    Returns
    -------
    distances : array of shape (n,)
        [m].

    Raises
    ------
    ValueError
        If the points are not a table of three columns or the dip is out of range.

    Examples
    --------
    >>> up_dip_distance([[0, 0, 0], [60, 0, -80]], (0, 0, 0), 90, 53.130102).round(3)
    array([   0., -100.])
    """
    places = np.asarray(points, dtype=float)
    if places.ndim != 2 or places.shape[1] != 3:
        raise ValueError(
            f"Points must have shape (n, 3), got {places.shape}. Give easting, northing and"
            " elevation [m] of each."
        )
    _, down, _ = plane_axes(dip_direction, dip, name="ore")
    return -((places - np.asarray(anchor, dtype=float)) @ down) + 0.0


def _check_samples(
    values: pd.DataFrame, places: ArrayLike, lengths: ArrayLike | None
) -> tuple[pd.DataFrame, Floats, Floats]:
    """Return the samples with a place and a positive length; warn of the others."""
    table = pd.DataFrame(values).astype(float)
    table.columns = [str(name) for name in table.columns]
    heights = np.asarray(places, dtype=float)
    metres = np.ones(len(table)) if lengths is None else np.asarray(lengths, dtype=float)
    if heights.shape != (len(table),) or metres.shape != (len(table),):
        raise ValueError(
            f"There are {len(table)} samples, places of shape {heights.shape} and lengths of"
            f" {metres.shape}. Give one of each for a sample."
        )
    keep = np.isfinite(heights) & (metres > 0)
    if not keep.all():
        warnings.warn(
            f"{(~keep).sum()} of {len(keep)} samples have no place or no length; they are left out.",
            GossanWarning,
            stacklevel=3,
        )
    return table[keep], heights[keep], metres[keep]


def _edges(heights: Floats, n_levels: int, edges: ArrayLike | None) -> Floats:
    if edges is not None:
        bounds = np.asarray(edges, dtype=float)
        if bounds.ndim != 1 or len(bounds) < 3 or not (np.diff(bounds) > 0).all():
            raise ValueError(
                f"Edges must be three or more ascending numbers, got {edges!r}. Sort them."
            )
        return bounds
    if n_levels < 2 or not len(heights) or not np.ptp(heights) > 0:
        raise ValueError(
            f"Zoning needs two levels or more and samples at different places, got {n_levels} levels"
            f" and {len(np.unique(heights))} places. Check the axis."
        )
    return np.linspace(heights.min(), heights.max(), n_levels + 1)


def _per_element(given: Mapping[str, float] | None, default: pd.Series, what: str) -> pd.Series:
    """Return what was given for each element, the default for the others."""
    if given is None:
        return default
    stray = [name for name in given if name not in default.index]
    if stray:
        raise ValueError(
            f"The {what} names {', '.join(map(str, stray))}, no column of the table"
            f" ({', '.join(map(str, default.index))}). Use the names of the columns."
        )
    return pd.Series({**default.to_dict(), **dict(given)}, dtype=float)[default.index]
