"""A district drawn from settings and a seed: faults, rocks, fields, deposits and decoys.

Settings and a generator come in; everything that the truth is a function of goes out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.simulate._bands import BandFields, draw_bands
from gossan.simulate._region_faults import draw_faults, nearest_segment, strikes_of
from gossan.simulate._region_halos import Patch, beside
from gossan.simulate._region_plans import (
    ELEMENTS,
    FAVOUR,
    LONG,
    N_COMMON,
    REGION_PLANS,
    ROCKS,
    SHORT,
    RegionPlan,
)

Floats = NDArray[np.float64]

EDGE = 5.0  # from the edge of the region to the middle of a deposit, at least [cells]
_APART = {"pattern": 8.0, "value": 2.0}  # between middles, at most [cells]
_CROWDING = 0.6  # and at most this share of an even spacing: more would undo their density
_STRENGTH_SPREAD = 0.3  # of the log of the strength of a halo
_FAULT_REACH, _AWAY = 3.0, 0.1  # of the density [cells]; its share far from faults
_FERTILITY_RANGE = 7.0  # [cells]
_FERTILITY_PULL = 1.7  # change of the log of the density with fertility
_OUTCROP = 900.0  # ground of one body of rock [cells]
_WARP_RANGE, _WARP = 18.0, 4.0  # of the contacts of rocks [cells]


@dataclass(frozen=True)
class RegionSettings:
    """What was asked for: the arguments of `simulate_region`, and the number of the seed family."""

    plan: str
    signal: str
    shape: tuple[int, int]
    spacing: float
    n_deposits: int
    n_known: int
    n_decoys: int
    n_samples: int
    discovery_bias: float
    halo_factor: float
    error_factor: float
    limit_factor: float
    family: int

    @property
    def region(self) -> tuple[float, float, float, float]:
        """West, east, south and north edge [m]."""
        return (0.0, self.shape[1] * self.spacing, 0.0, self.shape[0] * self.spacing)


@dataclass(frozen=True, eq=False)
class RegionWorld:
    """All that is drawn once.

    Attributes
    ----------
    settings : RegionSettings
    faults : DataFrame (fault, vertex, easting, northing)
    outcrops : DataFrame (easting, northing, code)
        Middles of bodies of rock, before their contacts are warped.
    warp, fertility : BandFields
    common, own : BandFields
        Of the scatter of the elements.
    deposits, decoys : DataFrame (easting, northing, azimuth, strength)
    patches : tuple of Patch
        Their haloes.
    """

    settings: RegionSettings
    faults: pd.DataFrame
    outcrops: pd.DataFrame
    warp: BandFields
    fertility: BandFields
    common: BandFields
    own: BandFields
    deposits: pd.DataFrame
    decoys: pd.DataFrame
    patches: tuple[Patch, ...]

    @property
    def plan(self) -> RegionPlan:
        return REGION_PLANS[self.settings.plan]


def make_region(settings: RegionSettings, rng: np.random.Generator) -> RegionWorld:
    """Draw a district."""
    plan, spacing = REGION_PLANS[settings.plan], settings.spacing
    extent = np.array([settings.shape[1], settings.shape[0], 1]) * spacing

    def fields(reach: float, n: int, kind: str) -> BandFields:
        return draw_bands((reach * spacing,) * 3, n, extent, rng, kind=kind)

    faults = draw_faults(settings.shape, spacing, plan.strikes, rng)
    outcrops = _draw_outcrops(settings, rng)
    warp = fields(_WARP_RANGE, 2, "gaussian")
    fertility = fields(_FERTILITY_RANGE, 1, "gaussian")
    common = fields(LONG, N_COMMON, "exponential")
    own = fields(SHORT, len(ELEMENTS), "exponential")
    bare = RegionWorld(
        settings, faults, outcrops, warp, fertility, common, own,
        pd.DataFrame(), pd.DataFrame(), (),
    )  # fmt: skip
    deposits, decoys = _place(bare, rng)
    patches = (*_deposit_patches(deposits, bare), *_decoy_patches(decoys, bare, rng))
    return RegionWorld(
        settings, faults, outcrops, warp, fertility, common, own, deposits, decoys, patches
    )


def deposit_weight(world: RegionWorld, points: Floats) -> Floats:
    """Density (n,) of deposits, up to a factor: near faults, in fertile rocks; 0 near the edge."""
    weight = decoy_weight(world, points)
    if world.settings.signal == "value":
        weight = weight * np.exp(_FERTILITY_PULL * field_at(world.fertility, points)[:, 0])
    return weight


def decoy_weight(world: RegionWorld, points: Floats) -> Floats:
    """Density (n,) of decoys, up to a factor: that of deposits, but for fertility."""
    spacing = world.settings.spacing
    distance = nearest_segment(points, world.faults)[0] / spacing
    west, east, south, north = world.settings.region
    edge = np.min(np.column_stack([points - (west, south), (east, north) - points]), axis=1)
    near = _AWAY + np.exp(-distance / _FAULT_REACH)
    return np.where(edge >= EDGE * spacing, near * np.array(FAVOUR)[rock_codes(world, points)], 0.0)


def rock_codes(world: RegionWorld, points: Floats) -> NDArray[np.int64]:
    """Rock (n,) at points, a number of `ROCKS`: that of the nearest outcrop, contacts warped."""
    warped = points + _WARP * world.settings.spacing * field_at(world.warp, points)
    middles = world.outcrops[["easting", "northing"]].to_numpy()
    squares = ((warped[:, None] - middles) ** 2).sum(axis=2)
    return world.outcrops["code"].to_numpy()[squares.argmin(axis=1)]


def field_at(fields: BandFields, points: Floats) -> Floats:
    """Fields (n, n_fields) at points (n, 2) of the map."""
    return fields.at(np.column_stack([points, np.zeros(len(points))]))


def lattice_of(settings: RegionSettings) -> Floats:
    """Middles (n, 2) of the cells of the map [m]."""
    rows, columns = np.indices(settings.shape)
    return settings.spacing * (np.column_stack([columns.ravel(), rows.ravel()]).astype(float) + 0.5)


def _draw_outcrops(settings: RegionSettings, rng: np.random.Generator) -> pd.DataFrame:
    """Middles of bodies of rock, every rock about as often."""
    n = max(2 * len(ROCKS), round(settings.shape[0] * settings.shape[1] / _OUTCROP))
    _, east, _, north = settings.region
    places = rng.uniform(0.0, 1.0, (n, 2)) * (east, north)
    codes = rng.permutation(np.arange(n) % len(ROCKS)).astype(np.int64)
    return pd.DataFrame({"easting": places[:, 0], "northing": places[:, 1], "code": codes})


def _place(bare: RegionWorld, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Deposits and decoys: their places along faults, directions and strengths."""
    settings = bare.settings
    cells = lattice_of(settings)
    n = settings.n_deposits
    ground = np.prod([side - 2 * EDGE for side in settings.shape]) / (n + settings.n_decoys)
    apart = min(_APART[settings.signal], _CROWDING * np.sqrt(ground)) * settings.spacing
    ore = _choose_cells(cells, deposit_weight(bare, cells), n, taken=[], apart=apart, rng=rng)
    false = _choose_cells(
        cells, decoy_weight(bare, cells), settings.n_decoys, taken=ore, apart=apart, rng=rng
    )
    # a decoy must not be known by having come second, so where their density is one they mix
    both = np.array(ore + false, dtype=np.int64)
    if settings.signal == "pattern":
        both = rng.permutation(both)
    jitter = rng.uniform(-0.5, 0.5, (len(both), 2)) * settings.spacing
    places = cells[both] + jitter
    azimuths = strikes_of(bare.faults)[nearest_segment(places, bare.faults)[1]]
    table = pd.DataFrame(
        {
            "easting": places[:, 0].round(1),
            "northing": places[:, 1].round(1),
            "azimuth": azimuths,
            "strength": np.exp(rng.normal(0.0, _STRENGTH_SPREAD, len(both))),
        }
    )
    return table.iloc[:n].reset_index(drop=True), table.iloc[n:].reset_index(drop=True)


def _choose_cells(
    cells: Floats,
    weights: Floats,
    n: int,
    *,
    taken: list[int],
    apart: float,
    rng: np.random.Generator,
) -> list[int]:
    """Draw n cells by weight, each so far from the others as there is room for."""
    # Gumbel's trick: the order of a weighted draw without replacement
    with np.errstate(divide="ignore"):
        order = np.argsort(-(np.log(weights) + rng.gumbel(size=len(weights))))
    order = order[weights[order] > 0]
    gaps = np.full(len(cells), np.inf)
    for cell in taken:
        gaps = np.minimum(gaps, _gaps(cells, cell))
    chosen: list[int] = []
    while len(chosen) < n:
        free = gaps[order] >= apart
        if not free.any():
            apart *= 0.9
            continue
        chosen.append(int(order[np.argmax(free)]))
        gaps = np.minimum(gaps, _gaps(cells, chosen[-1]))
    return chosen


def _gaps(cells: Floats, one: int) -> Floats:
    """Distance (n,) of cells from one of them [m]."""
    return np.hypot(*(cells - cells[one]).T)


def _deposit_patches(deposits: pd.DataFrame, world: RegionWorld) -> list[Patch]:
    """Zoned haloes; where single values shall do, unzoned and narrow ones."""
    plan, factor = world.plan, world.settings.halo_factor
    patches = []
    for at in deposits.itertuples(index=False):
        where = (at.easting, at.northing, at.azimuth, factor * at.strength)
        if world.settings.signal == "pattern":
            patches.append(Patch(*where, "core", plan.core))
            patches.append(Patch(*where, "ring", plan.ring))
        else:
            patches.append(Patch(*where, "spot", plan.pathfinders))
    return patches


def _decoy_patches(
    decoys: pd.DataFrame, world: RegionWorld, rng: np.random.Generator
) -> list[Patch]:
    """The core of a deposit with its ring gathered beside it; or one pathfinder alone."""
    plan, settings = world.plan, world.settings
    patches = []
    for at in decoys.itertuples(index=False):
        where = (at.easting, at.northing, at.azimuth, settings.halo_factor * at.strength)
        if settings.signal == "pattern":
            turn = rng.uniform(0.0, 2 * np.pi)
            aside = beside(where[:2], at.azimuth, plan, turn=turn, spacing=settings.spacing)
            patches.append(Patch(*where, "core", plan.core))
            patches.append(Patch(*aside, *where[2:], "gathered", plan.ring))
        else:
            alone = plan.pathfinders[int(rng.integers(len(plan.pathfinders)))]
            patches.append(Patch(*where, "spot", (alone,)))
    return patches
