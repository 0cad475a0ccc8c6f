"""The indicator cube: what composites say of ore, between the holes, and the distance to faults.

Composites of some holes and an empty grid come in; a grid with one layer an indicator goes out. All
that is learned from composites (factors, thresholds, variograms, kriging) is learned from those that
were given, so that a fold without some holes has a cube without them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import GossanWarning
from gossan.data.grids.grid import add_layer, check_grid
from gossan.evidence.balances import FRONT, NEAR, TAIL, halo_balances
from gossan.evidence.factors import VarimaxFactors
from gossan.evidence.proximity import add_proximity
from gossan.geochem.compositional import clr
from gossan.geostat.chunked import krige_grid
from gossan.geostat.covariance import VariogramModel
from gossan.geostat.fitting import FittedVariogram, fit_variogram
from gossan.geostat.kriging import Kriging
from gossan.studies.composites import AXES

MOST_GLOBAL = 8000  # composites up to which kriging uses all of them, exactly
N_NEIGHBOURS, N_PER_HOLE = 32, 6
BLOCK_CELLS = 100_000  # kriged at once: a cube is some ten jobs for a cluster
# No Gaussian model: without a nugget its exact kriging swings far beyond the data.
KINDS = ("spherical", "exponential")


@dataclass(frozen=True)
class Settings:
    """What the cube is made of.

    Attributes
    ----------
    ore : str
        Element that is ore.
    front, near, tail : tuple of str
        Groups of the balances; elements that were not analysed drop out.
    factor : tuple of str
        Elements whose common factor is an indicator; fewer than two: none.
    n_factors : int
        Factors that are rotated.
    buffer : float
        Half width of the zone round faults [m].
    """

    ore: str = "Au"
    front: tuple[str, ...] = FRONT
    near: tuple[str, ...] = NEAR
    tail: tuple[str, ...] = TAIL
    factor: tuple[str, ...] = ("Sb", "Hg")
    n_factors: int = 5
    buffer: float = 30.0


@dataclass(frozen=True, eq=False)
class Cube:
    """Indicators on a grid.

    Attributes
    ----------
    grid : Dataset
        A layer for each of `names`, kriged from the composites or measured to the faults, and
        "ore_grade", the kriged log of the ore element.
    names : tuple of str
        Of the indicators, in the order of the channels.
    fitted : FittedVariogram
        Of the log of the ore element; its model is what all share.
    notes : tuple of str
        What could not be made, and why.
    """

    grid: xr.Dataset
    names: tuple[str, ...]
    fitted: FittedVariogram
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> VariogramModel:
        """Variogram that all indicators share."""
        return self.fitted.model


def indicator_table(
    composites: pd.DataFrame, elements: Sequence[str], settings: Settings
) -> tuple[pd.DataFrame, list[str]]:
    """Indicators of each composite: log of the ore element, balances, and a factor.

    Parameters
    ----------
    composites : DataFrame of n_composites
        Positive concentrations, each element in a unit of its own: it shifts log-ratios by a
        constant, which scaling takes away.
    elements : sequence of str
    settings : Settings

    Returns
    -------
    table : DataFrame of shape (n_composites, n_indicators)
        "ore", then "near" and "front_tail" where their groups have elements, and "factor".
    notes : list of str
        What could not be made.

    Raises
    ------
    ValueError
        If the ore element is not among the elements.
    """
    if settings.ore not in elements:
        raise ValueError(
            f"The ore element {settings.ore!r} is none of those analysed"
            f" ({', '.join(elements)}). Name one of them: ore =."
        )
    values = composites[list(elements)].astype(float)
    table = pd.DataFrame({"ore": np.log(values[settings.ore])}, index=values.index)
    notes = []
    groups = {
        name: [each for each in getattr(settings, name) if each in elements]
        for name in ("front", "near", "tail")
    }
    if all(groups.values()):
        balances = quietly(halo_balances, values, **groups)
        table["near"], table["front_tail"] = balances["B2"], balances["FT"]
    else:
        lacking = ", ".join(name for name, held in groups.items() if not held)
        notes.append(f"No balances: no element of the group {lacking} was analysed.")
    wanted = [each for each in settings.factor if each in elements]
    if len(wanted) >= 2 and len(elements) >= 4:
        try:
            table["factor"] = _factor(values, wanted, settings)
        except ValueError as error:
            notes.append(f"No factor: {error}")
    else:
        notes.append("No factor: it needs two of its elements and four in all.")
    return table, notes


def make_cube(
    composites: pd.DataFrame,
    grid: xr.Dataset,
    *,
    elements: Sequence[str],
    settings: Settings,
    faults: Sequence[Any] = (),
    where: str | None = None,
) -> Cube:
    """Krige the indicators of composites onto a grid, and add the faults.

    Parameters
    ----------
    composites : DataFrame
        `hole`, `easting`, `northing`, `elevation` [m] and the elements, none missing, all positive.
    grid : Dataset
        3D; layers "fault_distance" and "fault_buffer" are taken if they are there.
    elements : sequence of str
    settings : Settings
    faults : sequence of Surface
        None: no indicator of faults.
    where : str, optional
        Boolean layer: other cells stay empty.

    Returns
    -------
    cube : Cube

    Raises
    ------
    ValueError
        If the ore element was not analysed, or composites are too few for a variogram.
    """
    table, notes = indicator_table(composites, elements, settings)
    coords = composites[list(AXES)].to_numpy(dtype=float)
    holes = composites["hole"].to_numpy(dtype=str)
    fitted = ore_variogram(composites, settings.ore)
    kriging = kriging_of(coords, table.to_numpy(), holes=holes, model=fitted.model)
    made = quietly(
        krige_grid, kriging, check_grid(grid), names=list(table.columns), where=where,
        block_cells=BLOCK_CELLS,
    )  # fmt: skip
    names = tuple(table.columns)
    made = made.rename({"ore": "ore_grade"})
    made = add_layer(made, "ore", made["ore_grade"].to_numpy())
    if len(faults) or "fault_buffer" in grid:
        if "fault_buffer" in grid:
            for layer in ("fault_distance", "fault_buffer"):
                made = add_layer(made, layer, grid[layer].to_numpy())
        else:
            made = add_proximity(made, list(faults), buffer=settings.buffer)
        names = ("fault_buffer", *names)
    else:
        notes.append("No faults were given.")
    return Cube(made, names, fitted, tuple(notes))


def scaled(cube: Cube, cells: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Indicators between 0 and 1 by the bounds of some cells, one array (channels, *shape).

    Parameters
    ----------
    cube : Cube
    cells : bool array of the grid's shape
        Training cells, whose least and greatest value become 0 and 1; others may lie beyond and are
        cut off there.

    Returns
    -------
    volume : float32 array
        NaN where an indicator is missing.

    Raises
    ------
    ValueError
        If no cell is chosen.
    """
    if not np.any(cells):
        raise ValueError("No cell gives the bounds of the indicators. Check the labels.")
    layers = []
    for name in cube.names:
        values = np.asarray(cube.grid[name], dtype=float)
        known = values[cells & np.isfinite(values)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        layers.append(np.clip((values - low) / max(high - low, 1e-12), 0.0, 1.0))
    return np.stack(layers).astype(np.float32)


def _factor(values: pd.DataFrame, wanted: Sequence[str], settings: Settings) -> NDArray[np.float64]:
    ratios = clr(values)
    n_factors = min(settings.n_factors, values.shape[1] - 1)
    return VarimaxFactors(n_factors).fit(ratios).scores_of(ratios, wanted)


def ore_variogram(composites: pd.DataFrame, ore: str) -> FittedVariogram:
    """Variogram of the log of the ore element, which all share: a range in the plane, one upright.

    Parameters
    ----------
    composites : DataFrame
    ore : str

    Returns
    -------
    fitted : FittedVariogram
    """
    coords = composites[list(AXES)].to_numpy(dtype=float)
    logs = np.log(composites[ore].to_numpy(dtype=float))
    fitted: FittedVariogram = quietly(
        fit_variogram, coords, logs, kinds=KINDS, anisotropy="vertical"
    )
    return fitted


def reach_of(model: VariogramModel) -> float:
    """Distance beyond which samples say nothing of a place: the longest range in the plane [m]."""
    return max((max(each.ranges[:2]) for each in model.structures), default=0.0)


def kriging_of(
    coords: NDArray[np.float64],
    table: NDArray[np.float64],
    *,
    holes: NDArray,
    model: VariogramModel,
) -> Kriging:
    """Kriging of all columns at once, as they share one model: exact, or of the nearest samples.

    Parameters
    ----------
    coords : array of shape (n, 3)
        [m]
    table : array of shape (n, n_columns)
    holes : array of shape (n,)
    model : VariogramModel

    Returns
    -------
    kriging : Kriging
        Fitted.
    """
    if len(coords) <= MOST_GLOBAL:
        kriging = Kriging(model, n_neighbours=None, exact=False)
    else:
        kriging = Kriging(model, n_neighbours=N_NEIGHBOURS, n_per_group=N_PER_HOLE, exact=False)
    fitted: Kriging = quietly(kriging.fit, coords, table, groups=holes)
    return fitted


def quietly(function: Any, *arguments: Any, **keywords: Any) -> Any:
    """Call without the warnings that the report tells once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        return function(*arguments, **keywords)
