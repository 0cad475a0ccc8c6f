"""The truth about a simulated deposit, as functions of position: any block size can be evaluated.

Points [m] come in; concentrations, ore, bodies, rocks and distances from true faults go out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gossan._checks import did_you_mean
from gossan.data.grids.grid import add_layer, cell_centres, check_grid
from gossan.simulate._faults import Sheet, nearest_distance
from gossan.simulate._halos import (
    ELEMENTS,
    ORE_MEDIAN,
    ORE_SPREAD,
    ROCKS,
    UNITS,
    combine,
    effects_table,
    loadings_table,
    sum_halos,
)
from gossan.simulate._orebodies import body_index, lattice
from gossan.simulate._rocks import ground_level, intrusion_distance, rock_codes
from gossan.simulate._world import World

Floats = NDArray[np.float64]

_CHUNK = 65_536  # points at a time
_LATTICE = (12.0, 12.0, 4.0)  # m, to measure bodies


@dataclass(frozen=True, eq=False)
class DepositTruth:
    """What a simulated deposit is made of, at any place.

    All methods take points as an array of shape (n, 3): easting, northing and elevation [m]. They
    are single points of rock: average several of them for a block. Above the ground there is
    nothing: NaN, False, -1 or "".

    Attributes
    ----------
    world : World
        Everything that was drawn.
    elements : tuple of str
    units : dict of element to unit
        ppm; ppb of gold and mercury.
    zoning : tuple of str
        Elements in the order of the middles of their halos, from above the ore to below it.
    effects : DataFrame (elements; properties)
        Backgrounds, spreads, limits, errors, halos: everything that distinguishes the elements.
    loadings : DataFrame (elements; common fields and own)
        Of the scatter of the background.
    """

    world: World

    @property
    def elements(self) -> tuple[str, ...]:
        return ELEMENTS

    @property
    def units(self) -> dict[str, str]:
        return dict(UNITS)

    @cached_property
    def effects(self) -> pd.DataFrame:
        return effects_table()

    @cached_property
    def loadings(self) -> pd.DataFrame:
        return loadings_table()

    @cached_property
    def zoning(self) -> tuple[str, ...]:
        return tuple(self.effects["level"].sort_values(ascending=False).index)

    @cached_property
    def bodies(self) -> pd.DataFrame:
        """The orebodies: name, fault, is_blind, centre [m], extents [m] and volume [m³].

        One row a body, in the order of `body_index`. "fault" is "" where no fault binds it; centre
        and volume are of the ore inside the box, measured on a lattice of 12 x 12 x 4 m.
        """
        rows = []
        for k, body in enumerate(self.world.bodies):
            sheet = self.world.sheets[body.sheet]
            places = lattice(body, _LATTICE)
            # how the lattice was displaced since does not change its volume
            today, _ = self.world.displace(sheet.place(*places.T))
            ore = today[(self.body_index(today) == k) & self._is_in_box(today)]
            centre = ore.mean(axis=0) if len(ore) else np.full(3, np.nan)
            rows.append(
                {
                    "name": body.name,
                    "fault": sheet.name if body.sheet < self.world.n_faults else "",
                    "is_blind": body.is_blind,
                    **dict(zip(("easting", "northing", "elevation"), centre, strict=True)),
                    "half_length": body.half_length,
                    "half_height": body.half_height,
                    "half_thickness": body.half_thickness,
                    "volume": len(ore) * float(np.prod(_LATTICE)),
                }
            )
        return pd.DataFrame(rows)

    def concentrations(self, points: ArrayLike) -> Floats:
        """Concentrations (n, 12) of the elements, each in its unit, without any error."""
        values = np.full((len(places := check_points(points)), len(ELEMENTS)), np.nan)
        for rows, old, owns in self._below_ground(places):
            shape = self.world.shape.at(old)[:, 0]
            frames = [body.frame(owns[body.sheet]) for body in self.world.bodies]
            found = combine(
                common=self.world.common.at(old),
                own=self.world.own.at(old),
                halos=sum_halos(self.world.bodies, frames, shape),
                fault_distance=nearest_distance(self.world.faults, owns[: self.world.n_faults]),
                intrusion_distance=intrusion_distance(old, self.world.plan.stocks),
                rocks=rock_codes(old, self.world.plan.stocks, self.world.dykes),
            )
            ore = np.flatnonzero(body_index(self.world.bodies, frames, shape) >= 0)
            gold = ORE_MEDIAN * np.exp(ORE_SPREAD * self.world.ore.at(old[ore])[:, 0])
            column = ELEMENTS.index("Au")
            found[ore, column] = np.maximum(found[ore, column], gold)
            values[rows] = found
        return values

    def body_index(self, points: ArrayLike) -> NDArray[np.int64]:
        """Body (n,) that each point lies in, a row of `bodies`; -1 outside of ore."""
        index = np.full(len(places := check_points(points)), -1, dtype=np.int64)
        for rows, old, owns in self._below_ground(places):
            frames = [body.frame(owns[body.sheet]) for body in self.world.bodies]
            index[rows] = body_index(self.world.bodies, frames, self.world.shape.at(old)[:, 0])
        return index

    def is_ore(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Whether each point (n,) lies in ore."""
        return self.body_index(points) >= 0

    def lithology(self, points: ArrayLike) -> NDArray[np.object_]:
        """Rock (n,) of each point: slate, diorite porphyrite, granodiorite or dyke."""
        rocks = np.full(len(places := check_points(points)), "", dtype=object)
        names = np.array(ROCKS, dtype=object)
        stocks, dykes = self.world.plan.stocks, self.world.dykes
        ground = self.is_ground(places)
        rocks[ground] = names[rock_codes(self.world.restore(places[ground]), stocks, dykes)]
        return rocks

    def distance_to_faults(
        self, points: ArrayLike, *, is_mineralised: bool | None = None
    ) -> Floats:
        """Distance (n,) [m] from the nearest true fault, or of those mineralised, or those not."""
        places = self.world.restore(check_points(points))
        chosen = [
            fault
            for fault in self.world.faults
            if is_mineralised is None or fault.is_mineralised == is_mineralised
        ]
        return nearest_distance(chosen, [fault.own(places) for fault in chosen])

    def distance_to_fault(self, points: ArrayLike, name: str) -> Floats:
        """Distance (n,) [m] from one true fault by its name."""
        fault = self._fault(name)
        return fault.distance(fault.own(self.world.restore(check_points(points))))

    def ore_frame(self, points: ArrayLike, body: int) -> Floats:
        """Coordinates (n, 3) about a body: r along strike and t up the dip, 1 at its ends; n [m]."""
        one = self.world.bodies[body]
        places = self.world.restore(check_points(points))
        return one.frame(self.world.sheets[one.sheet].own(places))

    def ground_level(self, easting: ArrayLike, northing: ArrayLike) -> Floats:
        """Elevation of the ground [m] at places of any shape."""
        return ground_level(np.asarray(easting), np.asarray(northing), self.world.plan.base)

    def is_ground(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Whether each point (n,) lies below the ground."""
        places = check_points(points)
        return places[:, 2] <= self.ground_level(places[:, 0], places[:, 1])

    def on_grid(self, grid: xr.Dataset) -> xr.Dataset:
        """Truth at the centres of the cells of a 3D grid.

        Parameters
        ----------
        grid : Dataset
            From `make_grid`, or `SimulatedDeposit.grid`; its layers are kept.

        Returns
        -------
        grid : Dataset
            With a layer for each element, NaN above the ground; `body` (-1 outside of ore),
            `is_ore`, `is_ground`, and `distance`, from the nearest true fault [m].
        """
        centres = cell_centres(check_grid(grid, n_dims=3))
        for name, values in zip(ELEMENTS, self.concentrations(centres).T, strict=True):
            grid = add_layer(grid, name, values, units=UNITS[name])
        body = self.body_index(centres)
        grid = add_layer(grid, "body", body)
        grid = add_layer(grid, "is_ore", body >= 0)
        grid = add_layer(grid, "is_ground", self.is_ground(centres))
        return add_layer(grid, "distance", self.distance_to_faults(centres), units="m")

    def _fault(self, name: str) -> Sheet:
        names = [fault.name for fault in self.world.faults]
        if name not in names:
            raise ValueError(
                f"There is no fault {name!r}; the faults are {', '.join(names)}. Name one of"
                f" them.{did_you_mean(name, names)}"
            )
        return self.world.faults[names.index(name)]

    def _is_in_box(self, points: Floats) -> NDArray[np.bool_]:
        plan = self.world.plan
        return np.all((points >= plan.low) & (points <= plan.high), axis=1)

    def _below_ground(
        self, points: Floats
    ) -> Iterator[tuple[NDArray[np.int64], Floats, list[Floats]]]:
        """Rows of the points below the ground, where these once lay, and where on each sheet."""
        ground = np.flatnonzero(self.is_ground(points))
        for start in range(0, len(ground), _CHUNK):
            rows = ground[start : start + _CHUNK]
            old = self.world.restore(points[rows])
            yield rows, old, [sheet.own(old) for sheet in self.world.sheets]


def check_points(points: ArrayLike) -> Floats:
    """Return points as a float64 array (n, 3), or raise."""
    places = np.asarray(points, dtype=float)
    if places.ndim != 2 or places.shape[1] != 3 or not np.isfinite(places).all():
        raise ValueError(
            "Points must be finite, one row of easting, northing and elevation [m] each, got shape"
            f" {places.shape}. Take cell_centres(grid) of a 3D grid."
        )
    return places
