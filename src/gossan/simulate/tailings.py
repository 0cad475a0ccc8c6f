"""Tailings and dumps with known truth: layers, grain sorting, changing feed, holes and assays.

The name of a scenario and a few sizes come in; a table of samples such as a drilling campaign
brings home, and everything that went into it, come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import check_option, check_random_state
from gossan.data.grids.grid import add_layer, cell_centres, make_grid
from gossan.geostat._random_fields import field_at_points
from gossan.geostat.coregionalization import Coregionalization
from gossan.geostat.covariance import Structure
from gossan.simulate._deposition import Deposition, Geometry, deposit, spigots
from gossan.simulate._sampling import (
    Assayed,
    assay,
    drill,
    sample_surface,
    write_messy,
)
from gossan.simulate.fields import draw_variables

__all__ = ["SCENARIOS", "SimulatedTailings", "TailingsTruth", "simulate_tailings"]

Floats = NDArray[np.float64]

_N_CAMPAIGNS = 24
_AGES = (np.arange(_N_CAMPAIGNS) + 0.5) / _N_CAMPAIGNS  # middle of each campaign
_N_WAVES = 200
_TOGETHER = 0.6  # correlation of the residuals of two elements of one group


@dataclass(frozen=True)
class Element:
    """How one element behaves.

    Attributes
    ----------
    median : float
        [ppm]
    fineness : float
        Change of the log from the coarsest grains to the slimes.
    feed : float
        Change of the log when the feed changes by one standard deviation.
    spread : float
        Standard deviation of the rest, of the log.
    limit : float
        Limit of detection [ppm].
    error : float
        Relative standard deviation of an analysis.
    """

    median: float
    fineness: float
    feed: float
    spread: float
    limit: float
    error: float


@dataclass(frozen=True)
class Scenario:
    """A kind of deposit.

    Attributes
    ----------
    geometry : Geometry
    elements : mapping of name to Element
    ranges : (short, long) of (along beds, along beds, across) [m]
        Practical ranges of the two structures of the residuals.
    shares : (nugget, short, long)
        Of the residual variance.
    is_surface : bool
        Samples of the surface alone: 2D.
    cell : tuple of floats
        Spacing of the truth grid, (elevation, northing, easting) [m].
    """

    geometry: Geometry
    elements: Mapping[str, Element]
    ranges: tuple[tuple[float, float, float], tuple[float, float, float]]
    shares: tuple[float, float, float]
    is_surface: bool
    cell: tuple[float, ...]


_SULFIDE = MappingProxyType(
    {
        "Cu": Element(900.0, -0.7, 0.45, 0.45, 5.0, 0.05),
        "Zn": Element(2500.0, -0.4, 0.60, 0.50, 10.0, 0.05),
        "As": Element(350.0, 0.5, 0.30, 0.60, 150.0, 0.08),
        "Ga": Element(18.0, 0.8, 0.10, 0.30, 15.0, 0.10),
        "In": Element(1.2, -0.3, 0.50, 0.70, 0.5, 0.15),
    }
)
_COPPER = MappingProxyType(
    {
        "Cu": Element(3200.0, 0.6, 0.50, 0.45, 10.0, 0.05),
        "Mo": Element(60.0, 0.3, 0.50, 0.70, 20.0, 0.10),
        "As": Element(120.0, 0.4, 0.20, 0.60, 50.0, 0.08),
    }
)
_BEACH = Geometry("impoundment", 1000.0, 800.0, 30.0, 5, 0.01, 250.0)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "impoundment": Scenario(
            _BEACH,
            _SULFIDE,
            ((120.0, 120.0, 2.5), (450.0, 450.0, 8.0)),
            (0.15, 0.45, 0.4),
            is_surface=False,
            cell=(2.0, 25.0, 25.0),
        ),
        "dump": Scenario(
            Geometry("dump", 300.0, 400.0, 30.0, 0, 0.0, 0.4),
            _COPPER,
            ((40.0, 12.0, 25.0), (150.0, 40.0, 60.0)),
            (0.25, 0.4, 0.35),
            is_surface=False,
            cell=(3.0, 10.0, 10.0),
        ),
        "surface": Scenario(
            _BEACH,
            _SULFIDE,
            ((120.0, 120.0, 1.0), (450.0, 450.0, 1.0)),
            (0.15, 0.45, 0.4),
            is_surface=True,
            cell=(10.0, 10.0),
        ),
    }
)


@dataclass(frozen=True, eq=False)
class TailingsTruth:
    """What a simulated deposit was made of; logs are natural, of ppm.

    ln(value) = ln(median) + fineness effect * fineness + feed effect * feed(age) + residual.

    Attributes
    ----------
    grid : Dataset
        Concentrations [ppm] without error, and age, fineness and distance [m] to the discharge; NaN
        where there is no material.
    model : Coregionalization
        Of the residuals, along the beds: in 3D its third coordinate runs across them.
    effects : DataFrame (elements; median, fineness, feed, spread, limit, error)
    feed : DataFrame (age, feed, spigot)
        Of each campaign.
    spigots : DataFrame (easting, northing)
        Points of discharge [m].
    values : DataFrame (rows, elements)
        Concentrations of the samples without error, row by row as in the table.
    residuals : DataFrame (rows, elements)
        Their residuals.
    bedding : array of shape (rows, 2 or 3)
        Coordinates of the samples along and across the beds, in which `model` holds [m].
    deposition : DataFrame (rows; age, fineness, distance)
    censored : DataFrame (rows, elements)
        True where the table shows a limit.
    headers : dict
        Plain name of each column of a messy table.
    """

    grid: xr.Dataset
    model: Coregionalization
    effects: pd.DataFrame
    feed: pd.DataFrame
    spigots: pd.DataFrame
    values: pd.DataFrame
    residuals: pd.DataFrame
    bedding: Floats
    deposition: pd.DataFrame
    censored: pd.DataFrame
    headers: dict[str, str]


@dataclass(frozen=True, eq=False)
class SimulatedTailings:
    """A simulated campaign and its truth.

    Attributes
    ----------
    table : DataFrame
        Columns hole, from, to [m], easting, northing, elevation [m] (2D: sample, easting,
        northing), then the elements [ppm]; a censored cell holds its limit.
    truth : TailingsTruth
    elements : tuple of str
    """

    table: pd.DataFrame
    truth: TailingsTruth
    elements: tuple[str, ...]


def simulate_tailings(
    scenario: str = "impoundment",
    *,
    n_samples: int = 400,
    sample_length: float = 2.0,
    n_clustered: int = 0,
    error_factor: float = 1.0,
    limit_factor: float = 1.0,
    messy: bool = False,
    random_state: int | np.random.Generator | None = 0,
) -> SimulatedTailings:
    """Samples of a tailings impoundment or a dump with several elements, and the truth.

    Beds follow the beach, grains grow finer away from the discharge, the mill's feed drifts, and
    what is left varies as a linear model of coregionalization along the beds. A method that knows
    the distance to the discharge, or follows the beds, can therefore do better than plain kriging.

    Parameters
    ----------
    scenario : {"impoundment", "dump", "surface"}, default "impoundment"
        A beached impoundment and an end-tipped dump drilled in 3D; the surface of the first in 2D.
    n_samples : int, default 400
        About how many samples: of vertical holes on a rough grid, or of the surface.
    sample_length : float, default 2.0
        Of a sample along its hole [m].
    n_clustered : int, default 0
        Further holes (or samples) that crowd: before a spigot, where the coarse grains are rich, or
        on the crest of the dump.
    error_factor, limit_factor : float, default 1.0
        Factors on analytical errors and on limits of detection; 0 for none.
    messy : bool, default False
        Write the table as it arrives: headers such as "Cu (ppm)", limits as "<5", -9999.
    random_state : int, Generator or None, default 0

    Returns
    -------
    simulated : SimulatedTailings

    Raises
    ------
    ValueError
        If the scenario is unknown, or a count, length or factor is out of range.

    Examples
    --------
    >>> simulated = simulate_tailings("surface", n_samples=50)
    >>> simulated.elements, len(simulated.table)
    (('Cu', 'Zn', 'As', 'Ga', 'In'), 50)
    """
    check_option("scenario", scenario, list(SCENARIOS))
    _check_sizes(n_samples, sample_length, n_clustered, error_factor, limit_factor)
    rng = check_random_state(random_state)
    world = _make_world(SCENARIOS[scenario], rng)
    places = _sample_places(world, n_samples, sample_length, n_clustered, rng)
    coords = places[world.axes].to_numpy()
    grid = _empty_grid(world.scenario)
    # one draw for the cells and the samples: the grid is the truth of the samples too
    drawn = _draw(world, np.vstack([coords, cell_centres(grid)]), rng)
    n = len(coords)
    values = pd.DataFrame(drawn.values[:n], columns=world.names)
    assayed = assay(values, world.effects, error_factor, limit_factor, rng)
    table = pd.concat([places, assayed.table], axis=1)
    headers = {name: name for name in table.columns}
    if messy:
        table, headers = write_messy(table, assayed.censored, rng)
    truth = _truth(world, grid, drawn, n=n, assayed=assayed, headers=headers)
    return SimulatedTailings(table, truth, world.names)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Truth at some points: concentrations and residuals (n, n_elements), and how they were laid."""

    values: Floats
    residuals: Floats
    laid: Deposition


@dataclass(frozen=True, eq=False)
class _World:
    """A scenario with its feed, its campaigns and its model: all that is drawn once."""

    scenario: Scenario
    effects: pd.DataFrame
    model: Coregionalization
    campaigns: NDArray[np.int64]  # spigot in use in each
    feed: Floats

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.scenario.elements)

    @property
    def axes(self) -> list[str]:
        return ["easting", "northing", "elevation"][: 2 if self.scenario.is_surface else 3]


def _make_world(scenario: Scenario, rng: np.random.Generator) -> _World:
    n_spigots = max(scenario.geometry.n_spigots, 1)
    return _World(
        scenario,
        pd.DataFrame({name: vars(each) for name, each in scenario.elements.items()}).T,
        _residual_model(scenario),
        rng.integers(n_spigots, size=_N_CAMPAIGNS),
        _draw_feed(rng),
    )


def _draw(world: _World, points: Floats, rng: np.random.Generator) -> _Drawn:
    """Draw the truth at points (n, n_dims)."""
    laid = deposit(points, world.scenario.geometry, world.campaigns)
    own = laid.bedding - laid.bedding.mean(axis=0)
    residuals = draw_variables(
        world.model,
        lambda model: field_at_points(own, model, rng, n_waves=_N_WAVES),
        (len(points),),
        rng,
    ).T
    logs = (
        np.log(world.effects["median"].to_numpy())
        + np.outer(laid.fineness, world.effects["fineness"])
        + np.outer(np.interp(laid.age, _AGES, world.feed), world.effects["feed"])
        + residuals
    )
    return _Drawn(np.exp(logs), residuals, laid)


def _residual_model(scenario: Scenario) -> Coregionalization:
    """Sills of the residuals: elements go together, the more so over long distances."""
    spreads = np.array([each.spread for each in scenario.elements.values()])
    n_dims = 2 if scenario.is_surface else 3
    nugget, short, long = scenario.shares

    def sills(share: float, together: float) -> Floats:
        correlation = np.full((len(spreads), len(spreads)), together)
        np.fill_diagonal(correlation, 1.0)
        return share * correlation * np.outer(spreads, spreads)

    structures = tuple(
        Structure("spherical", 1.0, each[:n_dims], (90.0, 0.0, 0.0)) for each in scenario.ranges
    )
    return Coregionalization(
        sills(nugget, 0.0), structures, np.stack([sills(short, 0.3), sills(long, _TOGETHER)])
    )


def _draw_feed(rng: np.random.Generator) -> Floats:
    """Feed of the mill in each campaign, of mean 0 and variance 1, drifting from one to the next."""
    feed = np.cumsum(rng.standard_normal(_N_CAMPAIGNS))
    return (feed - feed.mean()) / feed.std()


def _sample_places(
    world: _World, n_samples: int, length: float, n_clustered: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Where the samples are taken: on a rough grid, and crowded about one place."""
    geometry = world.scenario.geometry
    if world.scenario.is_surface:
        return sample_surface(geometry, n_samples, n_clustered, rng)

    def is_inside(points: Floats) -> NDArray[np.bool_]:
        return deposit(points, geometry, world.campaigns).is_inside

    return drill(
        geometry, is_inside, n_samples=n_samples, length=length, n_clustered=n_clustered, rng=rng
    )


def _empty_grid(scenario: Scenario) -> xr.Dataset:
    geometry = scenario.geometry
    region = (0.0, geometry.width, 0.0, geometry.length)
    if scenario.is_surface:
        return make_grid(region, scenario.cell)
    return make_grid(region, scenario.cell, elevations=(0.0, geometry.height))


def _truth(
    world: _World,
    grid: xr.Dataset,
    drawn: _Drawn,
    *,
    n: int,
    assayed: Assayed,
    headers: dict[str, str],
) -> TailingsTruth:
    laid = drawn.laid
    columns = {"age": laid.age, "fineness": laid.fineness, "distance": laid.distance}
    for k, name in enumerate(world.names):
        layer = np.where(laid.is_inside, drawn.values[:, k], np.nan)[n:]
        grid = add_layer(grid, name, layer, units="ppm")
    for name, column in columns.items():
        layer = np.where(laid.is_inside, column, np.nan)[n:]
        grid = add_layer(grid, name, layer, units="m" if name == "distance" else "1")
    return TailingsTruth(
        grid=grid,
        model=world.model,
        effects=world.effects,
        feed=pd.DataFrame({"age": _AGES, "feed": world.feed, "spigot": world.campaigns}),
        spigots=pd.DataFrame(spigots(world.scenario.geometry), columns=["easting", "northing"]),
        values=assayed.values,
        residuals=pd.DataFrame(drawn.residuals[:n], columns=world.names),
        bedding=laid.bedding[:n],
        deposition=pd.DataFrame({name: column[:n] for name, column in columns.items()}),
        censored=assayed.censored,
        headers=headers,
    )


def _check_sizes(
    n_samples: int, length: float, n_clustered: int, error_factor: float, limit_factor: float
) -> None:
    if n_samples < 10 or n_clustered < 0 or not length > 0:
        raise ValueError(
            "n_samples must be 10 or more, n_clustered 0 or more and sample_length positive, got"
            f" {n_samples}, {n_clustered} and {length}. Use the defaults."
        )
    if not (error_factor >= 0 and limit_factor >= 0):
        raise ValueError(
            f"error_factor and limit_factor must be 0 or more, got {error_factor} and"
            f" {limit_factor}. 1 is usual."
        )
