"""The truth about a simulated district, as functions of position: any map can be evaluated.

Points [m] come in; concentrations, rocks, distances and the density of deposits go out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from gossan.data.grids.grid import add_layer, cell_centres, check_grid, spacing_of
from gossan.geostat.coregionalization import Coregionalization
from gossan.simulate._region_faults import nearest_segment
from gossan.simulate._region_halos import sum_patches
from gossan.simulate._region_plans import (
    ELEMENTS,
    ROCKS,
    UNITS,
    RegionPlan,
    mixing_of_elements,
    region_effects,
    scatter_model,
)
from gossan.simulate._region_world import (
    RegionWorld,
    deposit_weight,
    field_at,
    lattice_of,
    rock_codes,
)

Floats = NDArray[np.float64]

_FAULT_REACH = 1.0  # of the rise of elements about faults [cells]
_FERTILITY_RISE = 0.9  # of the log of a pathfinder, over its spread


@dataclass(frozen=True, eq=False)
class RegionTruth:
    """What a simulated district is made of, at any place.

    Methods take points as an array of shape (n, 2): easting and northing [m].

    Attributes
    ----------
    world : RegionWorld
        Everything that was drawn.
    elements : tuple of str
    units : dict of element to unit
        ppm; ppb of gold and silver.
    plan : RegionPlan
        Elements and sizes [cells] of the haloes.
    model : Coregionalization
        Of the scatter of the natural logs of the elements, without any nugget.
    effects : DataFrame (elements; properties)
        Backgrounds, spreads, limits, errors, shifts of rocks and faults.
    deposits, decoys : DataFrame (easting, northing, azimuth, strength)
        Middles [m], long axes [degrees from north] and strengths of the haloes.
    rocks : tuple of str
        By their codes.
    """

    world: RegionWorld

    @property
    def elements(self) -> tuple[str, ...]:
        return ELEMENTS

    @property
    def units(self) -> dict[str, str]:
        return dict(UNITS)

    @property
    def plan(self) -> RegionPlan:
        return self.world.plan

    @property
    def rocks(self) -> tuple[str, ...]:
        return ROCKS

    @property
    def deposits(self) -> pd.DataFrame:
        return self.world.deposits

    @property
    def decoys(self) -> pd.DataFrame:
        return self.world.decoys

    @cached_property
    def model(self) -> Coregionalization:
        return scatter_model(self.world.settings.spacing)

    @cached_property
    def effects(self) -> pd.DataFrame:
        return region_effects()

    def concentrations(self, points: ArrayLike) -> Floats:
        """Concentrations (n, 14) of the elements, each in its unit, without nugget or error."""
        places = check_places(points)
        effects, spacing = self.effects, self.world.settings.spacing
        shifts = effects[list(ROCKS)].to_numpy().T[rock_codes(self.world, places)]
        faulted = np.exp(-self.fault_distance(places) / (_FAULT_REACH * spacing))
        logs = np.log(effects["background"].to_numpy()) + shifts + self.scatter(places)
        logs += faulted[:, None] * effects["fault"].to_numpy()
        return np.exp(logs + np.log1p(self.halos(places)))

    def scatter(self, points: ArrayLike) -> Floats:
        """Scatter (n, 14) of the natural logs of the elements, as `model` says, and fertility.

        Fertility, where there is any (``signal="value"``), raises all pathfinders together; it is
        not part of `model`.
        """
        places = check_places(points)
        loadings, own = mixing_of_elements()
        fields = field_at(self.world.common, places) @ loadings.T
        fields += field_at(self.world.own, places) * own
        if self.world.settings.signal == "value":
            rise = _FERTILITY_RISE * np.isin(ELEMENTS, self.plan.pathfinders)
            fields += self.fertility(places)[:, None] * rise
        return fields * self.effects["spread"].to_numpy()

    def halos(self, points: ArrayLike) -> Floats:
        """What deposits and decoys add (n, 14) to the elements [backgrounds]."""
        return sum_patches(
            check_places(points), self.world.patches, self.plan, self.world.settings.spacing
        )

    def fertility(self, points: ArrayLike) -> Floats:
        """Fertility (n,) of the ground: a smooth field of mean 0 and variance 1.

        It matters where ``signal="value"``: there deposits and pathfinders follow it.
        """
        return field_at(self.world.fertility, check_places(points))[:, 0]

    def rock_codes(self, points: ArrayLike) -> NDArray[np.int64]:
        """Rock (n,) of each point, a number of `rocks`."""
        return rock_codes(self.world, check_places(points))

    def lithology(self, points: ArrayLike) -> NDArray[np.object_]:
        """Rock (n,) of each point by its name."""
        return np.array(ROCKS, dtype=object)[self.rock_codes(points)]

    def fault_distance(self, points: ArrayLike) -> Floats:
        """Distance (n,) from the nearest fault [m]."""
        return nearest_segment(check_places(points), self.world.faults)[0]

    def deposit_density(self, points: ArrayLike) -> Floats:
        """Deposits (n,) expected on a square kilometre, by faults, rocks and fertility.

        Of the draw of places, before deposits are kept apart; 0 near the edge of the district.
        """
        return deposit_weight(self.world, check_places(points)) * self._deposits_by_weight

    def deposit_distance(self, points: ArrayLike) -> Floats:
        """Distance (n,) from the middle of the nearest deposit, known or not [m]."""
        middles = self.deposits[["easting", "northing"]].to_numpy()
        return cKDTree(middles).query(check_places(points))[0]

    def on_grid(self, grid: xr.Dataset) -> xr.Dataset:
        """Truth at the centres of the cells of a 2D grid.

        Parameters
        ----------
        grid : Dataset
            From `make_grid`, or `SimulatedRegion.grid`; its layers are kept.

        Returns
        -------
        grid : Dataset
            With a layer for each element, without nugget or error; `lithology`, a code;
            `fault_distance` and `deposit_distance` [m]; `deposit_density` [1/km²], and
            `deposit_probability`, that of one or more in the cell, 1 - exp(-density area).
        """
        centres = cell_centres(check_grid(grid, n_dims=2))
        for name, values in zip(ELEMENTS, self.concentrations(centres).T, strict=True):
            grid = add_layer(grid, name, values, units=UNITS[name])
        density = self.deposit_density(centres)
        area = float(np.prod(spacing_of(grid))) / 1e6  # km²
        grid = add_layer(grid, "lithology", self.rock_codes(centres), long_name=", ".join(ROCKS))
        grid = add_layer(grid, "fault_distance", self.fault_distance(centres), units="m")
        grid = add_layer(grid, "deposit_distance", self.deposit_distance(centres), units="m")
        grid = add_layer(grid, "deposit_density", density, units="1/km²")
        return add_layer(grid, "deposit_probability", -np.expm1(-density * area), units="1")

    @cached_property
    def _deposits_by_weight(self) -> float:
        """Deposits on a square kilometre where the weight is one."""
        settings = self.world.settings
        weights = deposit_weight(self.world, lattice_of(settings))
        return settings.n_deposits / float(weights.sum() * (settings.spacing / 1000.0) ** 2)


def check_places(points: ArrayLike) -> Floats:
    """Return points as a float64 array (n, 2), or raise."""
    places = np.asarray(points, dtype=float)
    if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
        raise ValueError(
            "Points must be finite, one row of easting and northing [m] each, got shape"
            f" {places.shape}. Take cell_centres(grid) of a 2D grid."
        )
    return places
