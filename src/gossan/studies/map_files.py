"""Files that every study with a map leaves: rasters with their style, targets, and the map to explore.

A grid of layers, targets as polygons and a run folder come in; files, and notes on what could not be
written, go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from gossan.data.grids.files import write_grid
from gossan.data.grids.styles import write_percentile_style
from gossan.prospectivity.map_targets import write_map_targets
from gossan.report.maps import MapLayer, MapPolygons
from gossan.studies.run_folder import RunFolder, read_manifest

MAP_PAGE = "map.html"
# Layer to its group, name, and ends of its colours: one wording in all maps to explore.
LAYERS: dict[str, tuple[str, str, tuple[float, float] | None]] = {
    "percentile": ("Prospectivity", "Rank of the ground", (0.0, 100.0)),
    "score": ("Prospectivity", "Score", None),
    "label_free": ("Prospectivity", "Rank without labels", (0.0, 100.0)),
    "spread": ("Trust", "Spread of the score", None),
    "stability": ("Trust", "Stability", (0.0, 1.0)),
    "edge_fraction": ("Trust", "Window without data", (0.0, 1.0)),
    "sample_distance": ("Trust", "Distance to samples", None),
}
TOLD = {
    "area": "Area [km²]",
    "ground": "Ground",
    "known_distance": "To the nearest known occurrence [m]",
    "percentile": "Rank of its best cell [%]",
    "score": "Score, mean",
    "spread": "Spread of the score",
    "stability": "Stability",
    "edge_fraction": "Window without data",
    "why": "Why: what elements add",
}
AS_TOLD = {"rank": "target", "elements": "why"}  # columns of targets, in the words of the report


def write_raster(folder: RunFolder, name: str, grid: xr.Dataset) -> list[str]:
    """Write layers as a GeoTIFF, or as a table where that cannot be done.

    Parameters
    ----------
    folder : RunFolder
    name : str
        Of the file, such as "layers.tif".
    grid : Dataset
        A band a layer.

    Returns
    -------
    notes : list of str
        Why there is a table, if there is one.
    """
    try:
        write_grid(grid, folder.path / name, cog=True)
    except ImportError as error:
        write_grid(grid, folder.path / name.replace(".tif", ".csv"))
        return [f"{name} was not written: {error}"]
    return []


def write_score_raster(folder: RunFolder, grid: xr.Dataset) -> list[str]:
    """Write `prospectivity.tif` with the style of its layer "percentile"; return why not."""
    notes = write_raster(folder, "prospectivity.tif", grid)
    if not notes:
        band = list(grid.data_vars).index("percentile") + 1
        write_percentile_style(folder.path / "prospectivity.tif", band=band)
    return notes


def target_table(found: pd.DataFrame, most: int) -> pd.DataFrame:
    """Targets as a plain table, the words of the report for their columns.

    Parameters
    ----------
    found : GeoDataFrame
        Of `find_map_targets`.
    most : int
        Rows that are kept.

    Returns
    -------
    table : DataFrame
    """
    table = pd.DataFrame(found.drop(columns=found.geometry.name)).head(most)
    table = table.rename(columns=AS_TOLD).reset_index(drop=True)
    table.attrs = dict(found.attrs)  # the threshold tells which cells belong to a target
    return table


def write_targets(folder: RunFolder, found: Any) -> list[str]:
    """Write targets as GeoPackage with a style; return why not, if it cannot be done."""
    folder.remove("targets.gpkg", "targets.qml")
    if not len(found):
        return ["There is no target, so that no targets.gpkg was written."]
    try:
        write_map_targets(found, folder.path / "targets.gpkg")
    except (ImportError, ValueError) as error:
        return [f"targets.gpkg was not written: {error}"]
    return []


def score_layers(grid: xr.Dataset, notes: Mapping[str, str]) -> list[MapLayer]:
    """Layers of score and trust as the map to explore shows them.

    Parameters
    ----------
    grid : Dataset
    notes : mapping
        Layer, of `LAYERS`, to what it means in this study; in the order in which they are shown.
        Layers that the grid does not have are left out.

    Returns
    -------
    layers : list of MapLayer
    """
    shown = []
    for layer in notes:
        if layer in grid:
            group, name, limits = LAYERS[layer]
            shown.append(MapLayer(layer, name=name, group=group, note=notes[layer], limits=limits))
    return shown


def evidence_layer(name: str) -> MapLayer:
    """Return a layer of the group "Evidence", its name in plain words."""
    plain = plain_name(name)
    return MapLayer(name, name=plain[:1].upper() + plain[1:], group="Evidence")


def target_polygons(found: pd.DataFrame) -> dict[str, MapPolygons]:
    """Targets as the map to explore outlines and tells them.

    Parameters
    ----------
    found : GeoDataFrame
        Of `find_map_targets`.

    Returns
    -------
    polygons : dict
        Empty if there is no target.
    """
    if not len(found):
        return {}
    table = found.rename(columns=AS_TOLD)
    if "contains_known" in table:
        table["ground"] = ["known" if held else "new" for held in table["contains_known"]]
    if "why" in table:
        table["why"] = [plain_name(str(why)) for why in table["why"]]
    told = {name: heading for name, heading in TOLD.items() if name in table}
    return {"Targets": MapPolygons(table, told=told)}


def plain_name(name: str) -> str:
    """Return a name without underscores.

    Examples
    --------
    >>> plain_name("fault_distance")
    'fault distance'
    """
    return name.replace("_", " ")


def summary_of_map_run(folder: Path, *, known: str) -> str:
    """The scores of a run, why its method was chosen, and its first targets, a line each.

    Parameters
    ----------
    folder : Path
        Of a finished run; without `targets.csv`, none are told.
    known : {"occurrence", "deposit"}
        What a target may hold.

    Returns
    -------
    summary : str
    """
    scores = pd.read_csv(folder / "scores.csv")
    has_capture = "captured_10" in scores
    head = f"{'method':24s} {'protocol':8s} AUC (95 %)"
    lines = [head + "            in the best 10 %" * has_capture]
    for row in scores.itertuples():
        told = f"   {row.captured_10} of {row.n}" if has_capture else ""
        lines.append(
            f"{row.method:24s} {row.protocol:8s} {row.auc:.3f}"
            f" ({row.auc_low:.3f}-{row.auc_high:.3f}){told}"
        )
    manifest = read_manifest(folder)
    lines += ["", manifest["why"], manifest["sentence"]]
    if (folder / "targets.csv").exists():
        lines += ["", *_target_lines(pd.read_csv(folder / "targets.csv"), known)]
    return "\n".join(lines)


def _target_lines(targets: pd.DataFrame, known: str) -> list[str]:
    lines = [f"{len(targets)} targets" + (", the first:" if len(targets) else ".")]
    lines += [
        f"  {row.target}: {row.easting:,.0f} E {row.northing:,.0f} N, {row.area:,.1f} km²,"
        f" percentile {row.percentile:.1f}" + (f", holds a known {known}" * row.contains_known)
        for row in targets.head(5).itertuples()
    ]
    return lines
