"""What a transfer study leaves of its own: the model, and the map to explore.

A map with its sites comes in; files in the run folder, and notes on what could not be written, go out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gossan.data.grids.grid import spacing_of
from gossan.prospectivity.map_model import MapModel
from gossan.report.maps import MapPoints, MapView, write_map
from gossan.saving import save_model
from gossan.studies.map_files import MAP_PAGE, evidence_layer, score_layers, target_polygons
from gossan.studies.run_folder import RunFolder
from gossan.studies.transfer.mapping import Mapped
from gossan.studies.transfer.tables import Sites

MAPS = ("prospectivity.tif", "prospectivity.qml", "prospectivity.csv", MAP_PAGE, "targets.gpkg",
        "targets.csv")  # fmt: skip
BANDS = ("score", "percentile", "spread", "stability")
NOTES = {
    "percentile": "Share of the scored area that scores lower.",
    "score": "A rank, not a rate.",
    "spread": "Standard deviation of the score over models that each leave a fold of blocks out.",
    "stability": "Share of those models that put the cell in their best tenth.",
}


def write_model(
    folder: RunFolder, model: Any, sites: Sites, *, name: str, card: dict[str, Any],
    cell_size: float | None, reads: str,
) -> list[str]:  # fmt: skip
    """Write the model folder that `gossan score` reads.

    Parameters
    ----------
    folder : RunFolder
    model : classifier
        Fitted.
    sites : Sites
    name : str
        Of the method.
    card : dict
        What a reader must know of the model.
    cell_size : float, optional
        Of the map [m].
    reads : str
        What its rows are.

    Returns
    -------
    notes : list of str
        Why there is no model, if there is none.
    """
    if reads == "components":
        return [
            (
                f"{name!r} reads principal components that were made here, so that no model was saved;"
                " gossan score cannot use it."
            )
        ]
    try:
        kept = MapModel(model, list(sites.names), clip=np.inf, cell_size=cell_size)
        save_model(kept, folder.path / "model", card=card, units="1", overwrite=True)
    except (ValueError, TypeError) as error:
        why = str(error).split(". ", maxsplit=1)[0]
        told = f"The model of {name!r} was not saved, so that gossan score cannot use it: {why}."
        told += ' Networks ("net", "pretrained net") and "boosted trees" can be saved: set choose'
        told += " under [methods]."
        return [told]
    return []


def write_map_page(
    folder: RunFolder, mapped: Mapped, sites: Sites, found: Any, *, title: str
) -> str:
    """Write the map to explore; return its file name.

    Parameters
    ----------
    folder : RunFolder
    mapped : Mapped
    sites : Sites
    found : GeoDataFrame
        Targets.
    title : str
    """
    known = site_points(sites)
    view = MapView(
        mapped.grid,
        score_layers(mapped.grid, NOTES) + [evidence_layer(name) for name in sites.names],
        points={
            "Labelled deposits": MapPoints(known[known["is_known"]]),
            "Labelled barren sites": MapPoints(known[~known["is_known"]], is_visible=False),
        },
        polygons=target_polygons(found),
        title=title,
        support="is_supported",
        note="The percentile is the share of the scored area that scores lower.",
    )
    write_map(folder.path / MAP_PAGE, view, report="report.html")
    return MAP_PAGE


def site_points(sites: Sites) -> pd.DataFrame:
    """All sites as points: `easting`, `northing`, `name`, `is_known` (a deposit)."""
    return pd.DataFrame(
        {"easting": sites.coords[:, 0], "northing": sites.coords[:, 1], "name": sites.titles,
         "is_known": sites.y == 1}
    )  # fmt: skip


def cell_size_of(mapped: Mapped) -> float:
    """Mean edge of a cell [m]."""
    return float(np.mean(spacing_of(mapped.grid)))
