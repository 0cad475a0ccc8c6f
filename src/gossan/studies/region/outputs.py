"""What a region study leaves of its own beside targets: maps as GeoTIFF, a model, a map page.

The region, its map and its targets come in; files in the run folder go out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gossan.data.grids.grid import add_layer, spacing_of
from gossan.prospectivity.map_model import MapModel
from gossan.report.maps import MapLayer, MapLines, MapPoints, MapView, write_map
from gossan.saving import save_model
from gossan.studies.map_files import (
    MAP_PAGE,
    evidence_layer,
    plain_name,
    score_layers,
    target_polygons,
    write_raster,
    write_score_raster,
)
from gossan.studies.region.frozen import FrozenSource
from gossan.studies.region.mapping import Mapped
from gossan.studies.region.tables import Region
from gossan.studies.run_folder import RunFolder

NOTES = {
    "percentile": "Share of the supported area that scores lower.",
    "score": "A rank, not a rate: the background is unlabelled.",
    "label_free": "The pathfinder index, which no occurrence taught: share of the area that it ranks"
    " lower.",
    "spread": "Standard deviation over draws of the background.",
    "stability": "Share of the draws that put the cell in their best tenth.",
    "edge_fraction": "Share of the cell's window without data.",
    "sample_distance": "To the third nearest sample.",
}
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
    notes = write_score_raster(folder, grid[[name for name in BANDS if name in grid]])
    notes += write_raster(folder, "layers.tif", layer_bands(region, grid))
    if mapped.gains is not None:
        gains = grid.drop_vars(list(grid.data_vars))
        for name, layer in zip(region.channels, mapped.gains, strict=True):
            gains = add_layer(gains, name, layer)
        notes += write_raster(folder, "attribution.tif", gains)
    return notes


def layer_bands(region: Region, grid: xr.Dataset) -> xr.Dataset:
    """Layers that methods read, and those that only lie beside them, under the names of bands.

    Parameters
    ----------
    region : Region
    grid : Dataset
        With a layer for each channel.

    Returns
    -------
    bands : Dataset
        "Cu_levelled" and the raw "Cu" where samples were levelled, else "Cu"; from kriging the
        standard deviation of the common logarithm, "Cu_std". Blank off the supported cells, as for
        the methods: what `gossan score` makes of them is the map of the study, its rim aside.
    """
    read = grid[list(region.channels)].rename({name: region.band(name) for name in region.channels})
    bands = read.assign({str(name): layer for name, layer in region.beside.data_vars.items()})
    inside = grid["is_supported"] > 0
    return bands.map(lambda layer: layer.where(inside), keep_attrs=True)


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
    transforms = [region.transforms.get(name, "none") for name in region.channels]
    floors = [region.floors.get(name, 0.0) for name in region.channels]
    try:
        model = MapModel(
            mapped.model.source if isinstance(mapped.model, FrozenSource) else mapped.model,
            [region.band(name) for name in region.channels],
            transform=transforms,
            center=region.scores.centre_,
            scale=region.scores.spread_,
            floor=floors,
            clip=clip,
            cell_size=float(np.mean(spacing_of(region.grid))),
        )
        units = {
            region.band(name): str(region.grid[name].attrs.get("units", ""))
            for name in region.channels
        }
        save_model(model, folder.path / "model", card=card, units=units, overwrite=True)
    except (ValueError, TypeError) as error:
        return [f"The model was not saved, so that gossan score cannot use it: {error}"]
    return []


def write_map_page(
    folder: RunFolder,
    region: Region,
    mapped: Mapped,
    grid: xr.Dataset,
    found: Any,
    *,
    title: str,
) -> str:
    """Write the map to explore; return its file name.

    Parameters
    ----------
    folder : RunFolder
    region : Region
    mapped : Mapped
    grid : Dataset
        Of `with_layers`.
    found : GeoDataFrame
        Targets.
    title : str
    """
    layers = score_layers(grid, NOTES)
    layers += [channel_layer(region, name) for name in region.channels]
    shown = grid
    if mapped.gains is not None:
        for name, gain in zip(region.channels, mapped.gains, strict=True):
            shown = add_layer(shown, f"{name} adds", gain)
            layers.append(
                MapLayer(
                    f"{name} adds", name=f"What {plain_name(name)} adds", group="Attribution",
                    colours="departure", note="To the score: above zero for ore, below against it.",
                )
            )  # fmt: skip
    view = MapView(
        shown,
        layers,
        points={"Known occurrences": MapPoints(occurrence_points(region))},
        lines={} if region.faults is None else {"Faults": MapLines(region.faults)},
        polygons=target_polygons(found),
        title=title,
        support="is_supported",
        note="The rank of the ground is the share of the supported area that scores lower. Hatched"
        " ground has too few samples; grey ground none.",
    )
    write_map(folder.path / MAP_PAGE, view, report="report.html")
    return MAP_PAGE


def channel_layer(region: Region, name: str) -> MapLayer:
    """Concentrations under "Elements", distances and other layers under "Evidence"."""
    if name in region.elements:
        title = f"{name}, levelled" if name in region.levelled else name
        return MapLayer(name, name=title, group="Elements", unit=region.units.get(name, ""))
    return evidence_layer(name)


def occurrence_points(region: Region) -> pd.DataFrame:
    """All placed occurrences as points: `easting`, `northing`, `name`, `is_known`."""
    placed = region.occurrences
    names = np.full(len(region.points.coords), "", dtype=object)
    for rows, name in zip(
        placed.members, occurrence_names(region.points.table, placed.members), strict=True
    ):
        names[rows] = name
    kept = np.sort(np.concatenate(placed.members))
    coords = region.points.coords[kept]
    return pd.DataFrame(
        {"easting": coords[:, 0], "northing": coords[:, 1], "name": names[kept], "is_known": True}
    )


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
