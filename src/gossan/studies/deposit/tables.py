"""Tables of the deposit study: composites, faults and ground, joined into what the study works on.

A checked study file comes in; a `Ground` of facts with its `Campaign` goes out.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gossan._checks import GossanWarning
from gossan._machine import check_room
from gossan.data.grids.grid import add_layer, make_grid
from gossan.data.grids.masking import grid_mask
from gossan.data.ground import ground_of_collars, read_ground
from gossan.data.surfaces.files import read_surfaces
from gossan.data.surfaces.record import Surface
from gossan.evidence.proximity import add_proximity
from gossan.studies.composites import AXES, Composites, read_composites
from gossan.studies.deposit.indicators import Settings
from gossan.studies.deposit.protocols import Drilled
from gossan.studies.deposit.trust import Campaign

MOST_CELLS = 2_500_000  # of a grid whose size is chosen here
LARGEST = 60_000_000  # cells, beyond which the machine is asked too much
BYTES_A_CELL = 300.0  # of memory that a run takes
LEAST_COMPOSITES, LEAST_HOLES = 60, 6
COMMON = 0.8  # share of the composites that an element must have, where none are named
SIZES = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 75.0, 100.0)  # of cells [m]


@dataclass(frozen=True, eq=False)
class Field:
    """All that was read.

    Attributes
    ----------
    campaign : Campaign
    composites : Composites
    faults : tuple of Surface
    ground : Dataset
        2D grid with the layer "elevation" [m].
    ground_note : str
        Where the ground comes from.
    files : dict of role to file name
    """

    campaign: Campaign
    composites: Composites
    faults: tuple[Surface, ...]
    ground: xr.Dataset
    ground_note: str
    files: dict[str, str]


def read_field(told: Mapping[str, Mapping[str, Any]], base: Path) -> Field:
    """Read all tables that a study names.

    Parameters
    ----------
    told : mapping of section to its checked arguments
        Of `sections`; "faults" may be missing.
    base : path
        Folder that file names are relative to.

    Returns
    -------
    field : Field

    Raises
    ------
    ValueError
        If a table is at fault, composites are too few, no composite is ore, or the grid is too
        large.
    """
    given = dict(told["holes"])
    files = given.pop("tables")
    named = {role: base / files[role] for role in _ROLES if files.get(role)}
    composites = read_composites(
        files | named,
        **given,
        **told["impute"],
        least_share=COMMON,
        ore=told["ore"]["element"],
    )
    _check_enough(composites, told)
    faults: tuple[Surface, ...] = ()
    fault_file = told.get("faults", {}).get("table", "")
    if fault_file:
        faults = read_surfaces(base / fault_file)
    grid, ground, note = _make_grid(composites, told, base)
    shown = {role: Path(str(path)).name for role, path in named.items()}
    shown |= {"faults": Path(fault_file).name} if fault_file else {}
    shown |= {"ground": Path(told["ground"]["table"]).name} if told["ground"]["table"] else {}
    settings = Settings(
        ore=told["ore"]["element"],
        buffer=told.get("faults", {}).get("buffer", Settings.buffer),
        **told["indicators"],
    )
    if faults:
        grid = add_proximity(grid, list(faults), buffer=settings.buffer)
    campaign = Campaign(
        composites.table,
        composites.elements,
        grid,
        settings,
        told["ore"]["cutoff"],
        told["ore"]["reach"],
        told["ore"]["buffer"],
    )
    _check_near(campaign, faults, fault_file)
    return Field(campaign, composites, faults, ground, note, shown)


_ROLES = ("collar", "survey", "assay", "lithology")


def choose_spacing(extent: NDArray[np.float64]) -> float:
    """Least size of cells [m], among round ones from 10 up, that keeps the grid within bounds.

    Parameters
    ----------
    extent : array of shape (3,)
        Of the grid [m].

    Returns
    -------
    spacing : float

    Examples
    --------
    >>> choose_spacing(np.array([1400.0, 1200.0, 1200.0]))
    10.0
    """
    for size in SIZES:
        if size >= 10.0 and np.prod(extent / size) <= MOST_CELLS:
            return size
    return float(np.ceil((np.prod(extent) / MOST_CELLS) ** (1.0 / 3.0)))


def _check_enough(composites: Composites, told: Mapping[str, Mapping[str, Any]]) -> None:
    table, ore = composites.table, told["ore"]["element"]
    n_holes = table["hole"].nunique()
    if len(table) < LEAST_COMPOSITES or n_holes < LEAST_HOLES:
        raise ValueError(
            f"{composites.source}: {len(table):,} composites of {n_holes} holes have a place and all"
            f" elements, and to hold out holes takes {LEAST_COMPOSITES} of {LEAST_HOLES}. Name fewer"
            " elements under [holes], or add holes."
        )
    is_rich = table[ore] >= told["ore"]["cutoff"]
    unit = composites.units.get(ore, "")
    in_holes = table.loc[is_rich, "hole"].nunique()
    if in_holes < 2 or is_rich.all():
        best = table[ore].max()
        raise ValueError(
            f"{int(is_rich.sum())} of {len(table):,} composites, in {in_holes} holes, have"
            f" {told['ore']['cutoff']:g} {unit} {ore} or more (the richest has {best:.4g}, the"
            f" poorest {table[ore].min():.4g}). Ore must be met in two holes at least, and some rock"
            f" must be barren: check cutoff under [ore]; it is in {unit or 'the unit of the table'}."
        )


def _make_grid(
    composites: Composites, told: Mapping[str, Mapping[str, Any]], base: Path
) -> tuple[xr.Dataset, xr.Dataset, str]:
    """Return the blocks with a layer "rock", the ground, and where that comes from."""
    wanted = told["grid"]
    coords = composites.table[list(AXES)].to_numpy(dtype=float)
    low, high = coords.min(axis=0), coords.max(axis=0)
    region = wanted["region"] or (
        low[0] - wanted["margin"], high[0] + wanted["margin"],
        low[1] - wanted["margin"], high[1] + wanted["margin"],
    )  # fmt: skip
    aside = float(np.ptp(coords[:, 2])) + wanted["depth"]  # planned holes may start there
    ground, note = _read_ground(
        told["ground"], base, composites.holes,
        (region[0] - aside, region[1] + aside, region[2] - aside, region[3] + aside),
    )  # fmt: skip
    top = float(np.nanmax(ground["elevation"]))
    elevations = wanted["elevations"] or (low[2] - wanted["depth"], max(top, high[2]))
    extent = np.array([elevations[1] - elevations[0], region[3] - region[2], region[1] - region[0]])
    if not (extent > 0).all():
        raise ValueError(
            f"The grid would have no extent: region {list(region)}, elevations {list(elevations)}."
            " Write region as [west, east, south, north], elevations as [lowest, highest]."
        )
    side = wanted["spacing"] or choose_spacing(extent)
    upright = wanted["vertical_spacing"] or side
    with np.errstate(over="ignore"):  # an absurd region is infinitely many, and refused below
        n_cells = float(np.prod(extent / [upright, side, side]))
    if n_cells > LARGEST:
        raise ValueError(
            f"The grid would have {n_cells:,.0f} cells of {side:g} x {side:g} x {upright:g} m, some"
            f" {n_cells * 300 / 1e9:,.0f} GB to work on. Take a larger spacing or a smaller region"
            " under [grid]."
        )
    check_room(BYTES_A_CELL * n_cells, "Take a larger spacing or a smaller region under [grid].")
    origin = np.floor(np.array([region[0], region[2], elevations[0]]) / [side, side, upright])
    west, south, bottom = origin * [side, side, upright]
    grid = make_grid(
        (west, region[1], south, region[3]), (upright, side, side),
        elevations=(bottom, elevations[1]),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        is_rock = grid_mask(grid, topography=ground[["elevation"]]).to_numpy()
    if not is_rock.any():
        raise ValueError(
            f"No cell of the grid lies below the ground ({note}; heights"
            f" {float(np.nanmin(ground['elevation'])):,.0f} to {top:,.0f} m, grid"
            f" {elevations[0]:,.0f} to {elevations[1]:,.0f} m). Check that both are in metres and in"
            " one system of coordinates, and region and elevations under [grid]."
        )
    return add_layer(grid, "rock", is_rock), ground, note


def _read_ground(
    wanted: Mapping[str, Any], base: Path, collars: Any, region: tuple[float, ...]
) -> tuple[xr.Dataset, str]:
    if wanted["table"]:
        return read_ground(base / wanted["table"]), f"ground from {Path(wanted['table']).name}"
    if wanted["level"] is not None:
        return read_ground(float(wanted["level"])), f"ground at {wanted['level']:g} m"
    spacing = max(region[1] - region[0], region[3] - region[2]) / 60.0
    return ground_of_collars(collars, region, spacing), "ground sketched from the collars"


def _check_near(campaign: Campaign, faults: tuple[Surface, ...], file: str) -> None:
    """Refuse labels of one kind only, and faults that lie in another place."""
    drilled: Drilled = campaign.drilled()
    labels = drilled.label(np.ones(len(drilled.coords), dtype=bool)).labels
    if not ((labels == 1).any() and (labels == 0).any()):
        raise ValueError(
            f"{int((labels == 1).sum())} cells are ore and {int((labels == 0).sum())} are barren:"
            " both are needed. Check that the ground lies above the holes, that region under [grid]"
            f" holds them, and reach under [ore] ({campaign.reach:g} m) against the size of cells."
        )
    if faults:
        nearest = float(np.nanmin(campaign.grid["fault_distance"]))
        if nearest > 1000.0:
            raise ValueError(
                f"{file}: the nearest fault is {nearest:,.0f} m from the grid. Check that faults and"
                " holes have one system of coordinates."
            )
