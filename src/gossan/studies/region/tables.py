"""From messy tables and rasters to one region: layers on one grid, its supported cells, occurrences.

The sections of a region study file and its folder come in; a `Region` goes out, with what was left
out and assumed on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan.data.grids.grid import add_layer, spacing_of
from gossan.geochem.robust_scores import RobustScores
from gossan.sampling.edges import fill_edges
from gossan.sampling.occurrences import PlacedOccurrences, place_occurrences
from gossan.studies.places import Places, place_points
from gossan.studies.region.channels import LEAST_CELLS, in_one_unit, make_channels
from gossan.studies.region.geology import fault_distance, rock_cells
from gossan.studies.region.layers import read_layers, refuse_labels
from gossan.studies.region.levelling import CATCHMENT
from gossan.studies.region.samples import LEVELLED, grid_samples

FAULT_DISTANCE = "fault_distance"

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Region:
    """A district, ready to learn from.

    Attributes
    ----------
    grid : Dataset
        Raw layers (concentrations, distances), "is_supported" and, from samples,
        "sample_distance" [m].
    beside : Dataset
        Layers that no method reads, under the names of their bands: raw concentrations where those
        of `grid` were levelled, and standard deviations of kriged common logarithms.
    levelled : tuple of str
        Elements whose layer in `grid` was levelled.
    channels : tuple of str
        Layers that models read, in order.
    scores : RobustScores
        How a raw layer became a channel.
    transforms : dict of str to str
        "log10" or "clr" of the channels that are no raw layers.
    floors : dict of str to float
        What a value at or below zero of a channel becomes before its logarithm.
    volume : float32 array of shape (channels, northing, easting)
        Robust scores; NaN outside the support.
    is_supported : bool array of shape (northing, easting)
    occurrences : PlacedOccurrences
        Cells of the known occurrences, and which were merged or lie outside.
    points : Places
        Occurrences as they were read.
    barren : bool array of shape (northing, easting), optional
        Cells of the points that are known to hold no ore: alone they are background.
    rocks : array of str of shape (northing, easting), optional
        Geological map.
    faults : DataFrame, optional
        One row a vertex: `fault`, `easting`, `northing` [m].
    reach : float
        Radius within which samples made a cell [m]; 0 where layers were given.
    crs : str or None
    elements : tuple of str
        Channels that are concentrations.
    units : dict of str to str
    files : dict of str to str
        Role to file.
    n_samples : int
    quality : QualityReport or None
    notes, left_out : list of str
    summary : DataFrame or None
        One row an element.
    """

    grid: xr.Dataset
    beside: xr.Dataset
    levelled: tuple[str, ...]
    channels: tuple[str, ...]
    scores: RobustScores
    transforms: dict[str, str]
    floors: dict[str, float]
    volume: NDArray[np.float32]
    is_supported: NDArray[np.bool_]
    occurrences: PlacedOccurrences
    points: Places
    barren: NDArray[np.bool_] | None
    rocks: NDArray | None
    faults: pd.DataFrame | None
    reach: float
    crs: str | None
    elements: tuple[str, ...]
    units: dict[str, str]
    files: dict[str, str]
    n_samples: int
    quality: Any
    notes: list[str]
    left_out: list[str]
    summary: pd.DataFrame | None

    @property
    def spacing(self) -> float:
        """Edge of a cell [m], the shorter."""
        return float(min(spacing_of(self.grid)))

    @property
    def area(self) -> float:
        """Supported area [km2]."""
        return float(self.is_supported.sum() * np.prod(spacing_of(self.grid)) / 1e6)

    def band(self, name: str) -> str:
        """Name of a channel in files: "Cu_levelled" beside the raw "Cu"."""
        return f"{name}{LEVELLED}" if name in self.levelled else name

    def filled(self, field: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Channels with their edges filled for a window of `field` cells, and the edge fraction."""
        return fill_edges(self.volume, field)


def read_region(settings: Settings, folder: Path) -> Region:
    """Read, grid and score what the study file names.

    Parameters
    ----------
    settings : mapping of section to arguments
        Complete, see `sections`.
    folder : Path
        Of the study file.

    Returns
    -------
    region : Region

    Raises
    ------
    ValueError, FileNotFoundError
        If a file cannot be read, layers do not lie on one grid, or too little is left.
    """
    files: dict[str, str] = {}
    notes: list[str] = []
    sampled = None
    if "samples" in settings:
        sampled = grid_samples(settings, folder)
        files["samples"] = sampled.assays.source
        notes += sampled.notes
        if settings["elements"]["level_by"] == CATCHMENT:
            files["catchments"] = settings["catchments"]["table"]
    others: tuple[str, ...] = ()
    if "layers" in settings:
        refuse_labels(settings, folder)
        grid, elements, others, told = read_layers(settings["layers"], folder, sampled)
        files["layers"] = ", ".join(settings["layers"]["files"])
        notes += told
    else:
        assert sampled is not None  # noqa: S101 - `settings_of` has seen to it
        grid, elements = sampled.grid, sampled.elements
    crs = grid.attrs.get("crs")
    faults = None
    if "faults" in settings:
        faults, distance = fault_distance(grid, settings["faults"], folder, crs)
        grid = add_layer(grid, FAULT_DISTANCE, distance, units="m")
        files["faults"] = settings["faults"]["table"]
        others = (*others, FAULT_DISTANCE)
    supported = np.ones(_shape(grid), dtype=bool) if sampled is None else sampled.supported
    told = settings["elements"]
    if told["transform"] == "clr":
        grid, brought = in_one_unit(grid, elements)
        notes += brought
    made = make_channels(
        grid, elements, others, transform=told["transform"], clip=told["clip"], supported=supported
    )
    left_out = [*([] if sampled is None else sampled.left_out), *made.left_out]
    elements = tuple(name for name in elements if name in made.names)
    supported = supported & np.isfinite(made.volume).all(axis=0)
    volume = np.where(supported, made.volume, np.float32(np.nan))
    _check_supported(supported, grid)
    points, placed = _occurrences(settings, folder, grid, supported, crs)
    files["occurrences"] = settings["occurrences"]["table"]
    rocks = None
    if "lithology" in settings:
        rocks = rock_cells(grid, settings["lithology"], folder)
        files["lithology"] = settings["lithology"]["table"]
    grid = add_layer(grid, "is_supported", supported.astype(np.float32))
    return Region(
        grid=grid,
        beside=xr.Dataset() if sampled is None else sampled.beside,
        levelled=sampled.elements if sampled is not None and sampled.is_levelled else (),
        channels=made.names,
        scores=made.scores,
        transforms=made.transforms,
        floors=made.floors,
        volume=volume,
        is_supported=supported,
        occurrences=placed,
        points=points,
        barren=_barren(settings, folder, grid, supported),
        rocks=rocks,
        faults=faults,
        reach=0.0 if sampled is None else sampled.reach,
        crs=crs,
        elements=elements,
        units=({} if sampled is None else dict(sampled.assays.units)) | _units(grid, elements),
        files=files,
        n_samples=0 if sampled is None else len(sampled.places.coords),
        quality=None if sampled is None else sampled.assays.report,
        notes=[*notes, *points.notes],
        left_out=left_out,
        summary=None if sampled is None else sampled.summary,
    )


def _occurrences(
    settings: Settings,
    folder: Path,
    grid: xr.Dataset,
    supported: NDArray[np.bool_],
    crs: str | None,
) -> tuple[Places, PlacedOccurrences]:
    told = settings["occurrences"]
    path = folder / told["table"]
    points = place_points(
        path, crs=told["crs"], to_crs=crs, easting=told["easting"], northing=told["northing"],
        column=told["column"], words=told["words"],
    )  # fmt: skip
    placed = place_occurrences(grid, points.coords, mask=supported)
    if len(placed.cells) < 4:
        raise ValueError(
            f"{path.name}: {len(placed.cells)} cells with a known occurrence lie in the supported"
            " area, and 4 are the least that can be held out. Add occurrences, or widen reach under"
            " [grid]; check the CRS if all lie outside."
        )
    return points, placed


def _barren(
    settings: Settings, folder: Path, grid: xr.Dataset, supported: NDArray[np.bool_]
) -> NDArray[np.bool_] | None:
    """Return the supported cells of the points that hold no ore, None if no file names them."""
    table = settings["background"]["barren"]
    if not table:
        return None
    own = settings["occurrences"]["crs"]
    points = place_points(folder / table, crs=own, to_crs=grid.attrs.get("crs"))
    return place_occurrences(grid, points.coords, mask=supported).layer


def _check_supported(supported: NDArray[np.bool_], grid: xr.Dataset) -> None:
    if supported.sum() < LEAST_CELLS:
        raise ValueError(
            f"{int(supported.sum())} of {supported.size:,} cells are supported, and {LEAST_CELLS} are"
            f" the least. Take a smaller spacing than {spacing_of(grid)[0]:g} m, or widen reach."
        )


def _units(grid: xr.Dataset, elements: Sequence[str]) -> dict[str, str]:
    """Return the units of the layers that tell them."""
    told = {name: str(grid[name].attrs.get("units", "")) for name in elements}
    return {name: unit for name, unit in told.items() if unit}


def _shape(grid: xr.Dataset) -> tuple[int, int]:
    return int(grid.sizes["northing"]), int(grid.sizes["easting"])
