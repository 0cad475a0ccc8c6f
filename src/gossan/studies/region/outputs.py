"""What a region study leaves for a GIS: maps as GeoTIFF, targets as GeoPackage, a model, a map page.

The region, its map and its targets come in; files in the run folder go out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gossan.data.grids.files import write_grid
from gossan.data.grids.grid import add_layer, spacing_of
from gossan.data.grids.styles import write_percentile_style
from gossan.prospectivity.map_model import MapModel
from gossan.saving import save_model
from gossan.studies.region.mapping import Mapped
from gossan.studies.region.tables import Region
from gossan.studies.run_folder import RunFolder

BANDS = ("score", "percentile", "spread", "stability", "edge_fraction", "label_free",
         "sample_distance")  # fmt: skip


def write_maps(folder: RunFolder, region: Region, mapped: Mapped, grid: xr.Dataset) -> list[str]:
    """Write the maps: scores with their trust, attribution, and the layers that were read.

    Parameters
    ----------
    folder : RunFolder
    region : Region
    mapped : Mapped
    grid : Dataset
        Of `with_layers`, the percentile in percent.

    Returns
    -------
    notes : list of str
        What could not be written, and why.
    """
    folder.remove("prospectivity.tif", "prospectivity.qml", "attribution.tif", "layers.tif")
    notes = []
    bands = [name for name in BANDS if name in grid]
    sets = {"prospectivity.tif": grid[bands], "layers.tif": grid[list(region.channels)]}
    if mapped.gains is not None:
        gains = grid.drop_vars(list(grid.data_vars))
        for name, layer in zip(region.channels, mapped.gains, strict=True):
            gains = add_layer(gains, name, layer)
        sets["attribution.tif"] = gains
    for name, own in sets.items():
        try:
            write_grid(own, folder.path / name, cog=True)
        except ImportError as error:
            notes.append(f"{name} was not written: {error}")
            write_grid(own, folder.path / name.replace(".tif", ".csv"))
    if (folder.path / "prospectivity.tif").exists():
        write_percentile_style(
            folder.path / "prospectivity.tif", band=bands.index("percentile") + 1
        )
    return notes


def write_model(
    folder: RunFolder, region: Region, mapped: Mapped, *, clip: float, card: dict[str, Any]
) -> list[str]:
    """Write the model folder that `gossan score` reads.

    Parameters
    ----------
    folder : RunFolder
    region : Region
    mapped : Mapped
    clip : float
        Of the robust scores.
    card : dict
        What a reader must know of the model.

    Returns
    -------
    notes : list of str
        Why there is no model, if there is none.
    """
    transforms = ["log10" if name in region.logged else "none" for name in region.channels]
    floors = [region.floors.get(name, 0.0) for name in region.channels]
    try:
        model = MapModel(
            mapped.model,
            list(region.channels),
            transform=transforms,
            center=region.scores.center_,
            scale=region.scores.scale_,
            floor=floors,
            clip=clip,
            cell_size=float(np.mean(spacing_of(region.grid))),
        )
        units = {name: region.units.get(name, "1") for name in region.channels}
        save_model(model, folder.path / "model", card=card, units=units, overwrite=True)
    except (ValueError, TypeError) as error:
        return [f"The model was not saved, so that gossan score cannot use it: {error}"]
    return []


def occurrence_names(table: pd.DataFrame, members: tuple[np.ndarray, ...]) -> list[str]:
    """Name of the occurrences in each cell: of their table, else a number."""
    words = [name for name in table.columns if str(name).casefold() in NAMES]
    named = []
    for number, rows in enumerate(members, start=1):
        found = [str(table[words[0]].iloc[row]) for row in rows] if words else []
        found = [name for name in dict.fromkeys(found) if name and name != "nan"]
        shown = ", ".join(found[:2]) + (f" and {len(found) - 2} more" if len(found) > 2 else "")
        named.append(shown or f"occurrence {number}")
    return named


NAMES = ("name", "site", "site_name", "deposit", "occurrence", "prospect", "mine", "id", "ardf_num")
