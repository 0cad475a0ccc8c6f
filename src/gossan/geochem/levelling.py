"""Stream sediments levelled: what catchments, rocks and laboratories add is taken off.

Concentrations or their logarithms come in, with the rocks of each catchment, the rock unit or the
batch of each sample; residuals or scores go out beside the raw values, which are never changed.

Sources
-------
Hawkes (1976), The downstream dilution of stream sediment anomalies, Journal of Geochemical
Exploration 6, 345-358, doi:10.1016/0375-6742(76)90023-9.
Bonham-Carter & Goodfellow (1986), Background corrections to stream geochemical data using digitized
drainage and geological maps: application to Selwyn Basin, Yukon and Northwest Territories, Journal
of Geochemical Exploration 25, 139-155.
Carranza (2009), Geochemical Anomaly and Mineral Prospectivity Mapping in GIS, Elsevier, chapter 5
(both, with worked figures).
Huber (1964), Robust estimation of a location parameter, Annals of Mathematical Statistics 35,
73-101, doi:10.1214/aoms/1177703732.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_labels, check_positive
from gossan.geochem._parts import Table, like, names_of, numbers_of, refuse_cells
from gossan.geochem._robust import median_and_spread

__all__ = [
    "CatchmentResiduals",
    "Levelled",
    "level_batches",
    "level_by_catchment",
    "level_by_unit",
    "source_concentration",
]

Floats = NDArray[np.float64]

HUBER = 1.345  # standard deviations: 95 % as sharp as least squares on normal errors
MOST_ROUNDS = 50
POOL = "other"


@dataclass(frozen=True, eq=False)
class CatchmentResiduals:
    """What a catchment's rocks do not explain.

    Attributes
    ----------
    residuals : table of shape (n, n_elements)
        log10 of the concentration less that of the background; +0.3 is twice the background.
    background : table of the same shape
        Concentration expected of the rocks alone.
    productivity : table of the same shape, or None
        (C - C_background) times the area of the catchment: what the sources upstream deliver,
        whatever dilutes it. In the unit of the concentration times that of the area.
    raw : table of the same shape
        The concentrations as given.
    coefficients : DataFrame of shape (n_units, n_elements)
        log10 of the concentration over a catchment of that unit alone.
    explained : array of shape (n_elements,)
        Share of the robust variance of the logarithms that the rocks explain.
    pooled : tuple of str
        Units too rare for a coefficient of their own, together as "other".
    """

    residuals: Table
    background: Table
    productivity: Table | None
    raw: Table
    coefficients: pd.DataFrame
    explained: Floats
    pooled: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Levelled:
    """Values with the level of their group taken off.

    Attributes
    ----------
    values : table of shape (n, n_elements)
    raw : table of the same shape
        As given.
    levels : DataFrame (group, element; n, centre, spread)
        What was taken off (and, for scores, divided by), and the samples it rests on.
    fallback : tuple of str
        Groups with too few samples for a level of their own.
    rule : str
        What was done, in words.
    """

    values: Table
    raw: Table
    levels: pd.DataFrame
    fallback: tuple[str, ...]
    rule: str

    def __str__(self) -> str:
        told = f" Too few samples: {', '.join(self.fallback)}." if self.fallback else ""
        return f"{self.rule}{told}"


def level_by_catchment(
    concentrations: ArrayLike | pd.DataFrame,
    shares: ArrayLike | pd.DataFrame,
    *,
    areas: ArrayLike | None = None,
    min_catchments: float = 10.0,
) -> CatchmentResiduals:
    """Residuals of stream sediments after the rocks of their catchments [BonhamCarter1986]_.

    The logarithm of each element is regressed on the shares of the rock units in the catchment
    (Huber's robust regression, so that anomalies do not raise the background they are measured
    against). With areas, the dilution of what lies upstream is corrected too [Hawkes1976]_.

    Parameters
    ----------
    concentrations : array or DataFrame of shape (n, n_elements)
        Above zero; NaN where not measured.
    shares : array or DataFrame of shape (n, n_units)
        Share of each rock unit in the catchment of each sample, 0 to 1; what a row lacks to 1 is
        unmapped ground, counted as "other".
    areas : array of shape (n,), optional
        Of the catchments, in any unit (km², say).
    min_catchments : float, default 10
        Units whose shares add up to less, over all samples, are pooled as "other".

    Returns
    -------
    levelled : CatchmentResiduals

    Raises
    ------
    ValueError
        If a concentration or area is not positive, shares do not lie between 0 and 1 or add up to
        more than 1, shapes differ, or an element is known in fewer catchments than there are units.

    Examples
    --------
    >>> shares = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    >>> values = [[10.0], [10.0], [1000.0], [200.0]]
    >>> levelled = level_by_catchment(values, shares, areas=[1.0, 2.0, 1.0, 4.0], min_catchments=1)
    >>> levelled.coefficients.round(2)["x0"].tolist()
    [1.0, 3.0]
    >>> float(levelled.residuals[3, 0].round(2))
    0.3
    >>> float(levelled.productivity[3, 0].round(1))  # four times 200 less 100
    400.0
    """
    table = _table(concentrations)
    refuse_cells(concentrations, table, table <= 0, "Logarithms need positive concentrations")
    rocks, units, pooled = _read_shares(shares, len(table), min_catchments)
    sizes = None if areas is None else _read_areas(areas, len(table))
    logs = np.log10(table)
    fitted, coefficients = np.full_like(logs, np.nan), np.empty((len(units), logs.shape[1]))
    for column, name in enumerate(names_of(concentrations)):
        known = ~np.isnan(logs[:, column]) & ~np.isnan(rocks).any(axis=1)
        _check_enough(int(known.sum()), len(units), str(name))
        coefficients[:, column] = _huber(rocks[known], logs[known, column])
        fitted[:, column] = rocks @ coefficients[:, column]
    residuals, background = logs - fitted, 10.0**fitted
    left, total = median_and_spread(residuals)[1], median_and_spread(logs)[1]
    explained = 1.0 - np.divide(left, total, out=np.zeros_like(left), where=total > 0) ** 2
    delivered = (
        None if sizes is None else like(concentrations, (table - background) * sizes[:, None])
    )
    return CatchmentResiduals(
        like(concentrations, residuals),
        like(concentrations, background),
        delivered,
        like(concentrations, table.copy()),
        pd.DataFrame(coefficients, index=units, columns=names_of(concentrations)),
        explained,
        pooled,
    )


def source_concentration(
    concentrations: ArrayLike,
    background: ArrayLike,
    areas: ArrayLike,
    *,
    source_area: float = 1.0,
) -> Floats:
    """Concentration that a source of some area must have to raise its catchment so [Hawkes1976]_.

    C_source = (A / A_source) (C - C_background) + C_background: what is mixed downstream, unmixed.

    Parameters
    ----------
    concentrations, background : arrays of shape (n,) or (n, n_elements)
        In one unit.
    areas : array of shape (n,)
        Of the catchments.
    source_area : float, default 1
        Of the source, in the same unit; 1 km² is the convention of Bonham-Carter and Goodfellow.

    Returns
    -------
    source : array of the shape of `concentrations`
        Below the background where the sample is.

    Raises
    ------
    ValueError
        If an area is not positive, or the source is larger than a catchment.

    Examples
    --------
    >>> source_concentration([30.0], [20.0], [50.0], source_area=0.5)
    array([1020.])
    """
    values, normal = np.asarray(concentrations, float), np.asarray(background, float)
    sizes = _read_areas(areas, len(values))
    check_positive("source_area", source_area)
    if (sizes < source_area).any():
        raise ValueError(
            f"A source of {source_area:g} does not fit into a catchment of {np.nanmin(sizes):g}. Give"
            " both in one unit."
        )
    ratio = sizes / source_area
    return ratio.reshape(-1, *[1] * (values.ndim - 1)) * (values - normal) + normal


def level_by_unit(
    values: ArrayLike | pd.DataFrame, units: ArrayLike, *, min_count: int = 20
) -> Levelled:
    """Robust scores within each rock unit: high for its rock, not high because of its rock.

    Parameters
    ----------
    values : array or DataFrame of shape (n, n_elements)
        Logarithms, or residuals; NaN where not measured.
    units : array of shape (n,)
        Rock unit of each sample.
    min_count : int, default 20
        Units with fewer known values take the median and spread of all samples, and are named.

    Returns
    -------
    levelled : Levelled
        Values less the median of their unit, over 1.4826 times its median absolute deviation.

    Raises
    ------
    ValueError
        If a unit is missing, shapes differ, a count is below 2, or an element has one value
        throughout.

    Examples
    --------
    >>> levelled = level_by_unit([[1.0], [2.0], [3.0], [11.0], [12.0], [13.0]], list("aaabbb"),
    ...                          min_count=3)
    >>> levelled.values.ravel().round(3)
    array([-0.674,  0.   ,  0.674, -0.674,  0.   ,  0.674])
    """
    table, labels = _table(values), check_labels("units", units, len(_table(values)))
    _check_count(min_count)
    middle, width = median_and_spread(table)
    if not (width > 0).all():
        flat = names_of(values)[int(np.argmin(width > 0))]
        raise ValueError(f"{flat} has one value throughout, or none. Leave the column out.")
    levels = _levels(values, table, labels)
    poor = (levels["n"] < min_count) | ~(levels["spread"] > 0)
    whole = levels.index.get_level_values("element").map(
        dict(zip(names_of(values), range(len(middle)), strict=True))
    )
    levels.loc[poor, "centre"] = middle[whole[poor]]
    levels.loc[poor, "spread"] = width[whole[poor]]
    centre, spread = (
        _spread_out(levels[key], labels, table.shape[1]) for key in ("centre", "spread")
    )
    rule = (
        f"Scores within {len(np.unique(labels))} rock units; those with fewer than {min_count}"
        " samples, or with equal values, take the level of all."
    )
    return Levelled(
        like(values, (table - centre) / spread),
        like(values, table.copy()),
        levels,
        _groups_of(levels[poor]),
        rule,
    )


def level_batches(
    values: ArrayLike | pd.DataFrame, batches: ArrayLike, *, min_count: int = 20
) -> Levelled:
    """Values with each batch, survey or map sheet brought to one median.

    It takes off what a laboratory or a season added to all samples of a batch. It also takes off
    what is real where batches lie on different ground: level by rock first, and compare.

    Parameters
    ----------
    values : array or DataFrame of shape (n, n_elements)
        Logarithms (a factor between laboratories is a shift there); NaN where not measured.
    batches : array of shape (n,)
    min_count : int, default 20
        Batches with fewer known values are left as they are, and named.

    Returns
    -------
    levelled : Levelled
        `centre` of its `levels` is the shift taken off; the median of all values stays.

    Raises
    ------
    ValueError
        If a batch is missing, shapes differ, or a count is below 2.

    Examples
    --------
    >>> levelled = level_batches([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]], list("aaabbb"),
    ...                          min_count=3)
    >>> levelled.values.ravel()
    array([2.5, 3.5, 4.5, 2.5, 3.5, 4.5])
    """
    table = _table(values)
    labels = check_labels("batches", batches, len(table))
    _check_count(min_count)
    levels = _levels(values, table, labels)
    poor = levels["n"] < min_count
    whole = np.tile(median_and_spread(table)[0], len(levels) // table.shape[1])
    levels["centre"] = np.where(poor, 0.0, levels["centre"] - whole)
    shift = _spread_out(levels["centre"], labels, table.shape[1])
    rule = (
        f"{len(np.unique(labels))} batches brought to the median of all; those with fewer than"
        f" {min_count} samples are left as they are."
    )
    return Levelled(
        like(values, table - shift),
        like(values, table.copy()),
        levels,
        _groups_of(levels[poor]),
        rule,
    )


def _table(values: ArrayLike | pd.DataFrame) -> Floats:
    table = numbers_of(values, name="values")
    if table.ndim != 2:
        raise ValueError(
            f"values must have shape (n, n_elements), got {table.shape}. One element is"
            " values[:, None]."
        )
    refuse_cells(values, table, np.isinf(table), "Values must be finite or NaN")
    return table


def _check_count(min_count: int) -> None:
    if not min_count >= 2:
        raise ValueError(f"min_count must be 2 or more, got {min_count!r}. 20 makes a median firm.")


def _levels(values: ArrayLike | pd.DataFrame, table: Floats, labels: NDArray) -> pd.DataFrame:
    """Return count, median and spread of each element in each group, groups sorted."""
    groups, parts = np.unique(labels), []
    for group in groups:
        part = table[labels == group]
        parts.append(np.stack([(~np.isnan(part)).sum(axis=0), *median_and_spread(part)], axis=1))
    index = pd.MultiIndex.from_product([groups, names_of(values)], names=["group", "element"])
    levels = pd.DataFrame(np.concatenate(parts), index=index, columns=["n", "centre", "spread"])
    return levels.astype({"n": int})


def _spread_out(levels: pd.Series, labels: NDArray, n_elements: int) -> Floats:
    """Return the level of each sample and element."""
    return levels.to_numpy().reshape(-1, n_elements)[np.unique(labels, return_inverse=True)[1]]


def _groups_of(levels: pd.DataFrame) -> tuple[str, ...]:
    return tuple(str(group) for group in dict.fromkeys(levels.index.get_level_values("group")))


def _read_areas(areas: ArrayLike, n: int) -> Floats:
    sizes = check_positive("areas", areas, hint="Measure the catchments anew.")
    if sizes.shape != (n,):
        raise ValueError(f"areas must be one a sample ({n}), got shape {sizes.shape}.")
    return sizes


def _read_shares(
    shares: ArrayLike | pd.DataFrame, n: int, least: float
) -> tuple[Floats, list[str], tuple[str, ...]]:
    """Return shares that add up to one, names of their units, and the units pooled."""
    rocks = numbers_of(shares, name="shares")
    names = [str(name) for name in names_of(shares)]
    if rocks.ndim != 2 or len(rocks) != n:
        raise ValueError(f"shares must have a row for each of {n} samples, got {rocks.shape}.")
    sums = rocks.sum(axis=1)
    if (rocks < -1e-6).any() or (sums > 1.0 + 1e-3).any():
        raise ValueError(
            f"Shares of a catchment lie between 0 and 1 and add up to 1 at most, got"
            f" {np.nanmin(rocks):g} and a sum of {np.nanmax(sums):g}. Divide areas of rock by the area"
            " of the catchment."
        )
    is_rare = np.nansum(rocks, axis=0) < least
    rest = np.clip(1.0 - rocks[:, ~is_rare].sum(axis=1), 0.0, None)
    kept = [name for name, rare in zip(names, is_rare, strict=True) if not rare]
    pooled = tuple(name for name, rare in zip(names, is_rare, strict=True) if rare)
    if np.nansum(rest) > 1e-3 * n or not kept:
        return np.column_stack([rocks[:, ~is_rare], rest]), [*kept, POOL], pooled
    return rocks[:, ~is_rare], kept, pooled


def _check_enough(n_known: int, n_units: int, name: str) -> None:
    if n_known <= n_units:
        raise ValueError(
            f"{name} is known in {n_known} catchments, too few for {n_units} rock units. Leave it"
            " out, or join units."
        )


def _huber(design: Floats, values: Floats) -> Floats:
    """Return coefficients of Huber's regression, by reweighted least squares from the median's side."""
    weights = np.ones(len(values))
    found: Floats = np.zeros(design.shape[1])
    for _ in range(MOST_ROUNDS):
        root = np.sqrt(weights)
        before = found
        found = np.asarray(np.linalg.lstsq(design * root[:, None], values * root, rcond=None)[0])
        errors = np.abs(values - design @ found)
        scale = float(median_and_spread((values - design @ found)[:, None])[1][0])
        if scale <= 1e-12 * max(1.0, float(np.abs(values).max())):
            break  # more than half of the samples are met exactly
        weights = np.minimum(1.0, HUBER * scale / np.maximum(errors, 1e-300))
        if np.abs(found - before).max() < 1e-10:
            break
    return found
