"""What a deposit study leaves for other programs: targets, block models, traces, faults, a 3D view.

The field and the targets come in; files in the run folder go out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan.data.grids.files import write_grid
from gossan.data.grids.grid import add_layer
from gossan.data.grids.polydata import write_points
from gossan.data.surfaces.files import write_surfaces
from gossan.plot.volumes import isosurface
from gossan.prospectivity.targets import Targets
from gossan.report.scene import Layer, Scene, Surface, write_scene
from gossan.report.scene_layers import grade_traces, grid_slices, target_boxes
from gossan.studies.deposit.tables import Field
from gossan.studies.run_folder import RunFolder

SCENE = "view3d.html"
BEST = 0.9  # rank above which cells go into the table of blocks
BODIES = {
    "extension": ("#c8401a", "within reach of samples"),
    "new ground": ("#e0a030", "no sample near"),
}
PLANNED = "#b5179e"  # unlike drilled holes, bodies and grades
FAULT_COLOURS = ("#5b6773", "#3a6ea5", "#7a5195", "#2f7d6b")
MOST_FAULTS = 40


def write_map(
    folder: RunFolder,
    field: Field,
    targets: Targets,
    collars: pd.DataFrame | None,
    traces: pd.DataFrame,
) -> list[str]:
    """Write targets and blocks in the formats of mine packages and of GIS.

    Parameters
    ----------
    folder : RunFolder
    field : Field
    targets : Targets
    collars : DataFrame or None
        Planned holes.
    traces : DataFrame
        Of the drilled holes.

    Returns
    -------
    notes : list of str
        Formats that could not be written, and what to install.
    """
    folder.remove("planned_holes.csv", "faults.vtp", "blocks.omf", "score_levels.tif")
    folder.write_table("targets.csv", target_table(targets, collars))
    if collars is not None:
        folder.write_table("planned_holes.csv", collars)
    grid = targets.grid
    write_grid(best_blocks(grid), folder.path / "blocks.csv", drop_empty=True)
    write_grid(grid, folder.path / "blocks.vti")
    write_points(traces, folder.path / "holes.vtp", line="hole")
    if field.faults:
        write_surfaces(list(field.faults), folder.path / "faults.vtp")
    notes = []
    for name, layers in (("blocks.omf", list(grid.data_vars)), ("score_levels.tif", ["score"])):
        try:
            write_grid(grid[layers], folder.path / name)
        except ImportError as error:
            notes.append(f"{name} was not written: {error}")
    return notes


def target_table(targets: Targets, collars: pd.DataFrame | None) -> pd.DataFrame:
    """Targets with the collar, azimuth, dip and length of a hole through each."""
    if collars is None or not len(targets):
        columns = ["easting", "northing", "bottom", "top", "volume", "why"]
        return targets.table if len(targets) else targets.table.reindex(
            columns=[*targets.table.columns, *columns]
        )  # fmt: skip
    named = {name: f"collar_{name}" for name in ("easting", "northing", "elevation")}
    named |= {name: f"hole_{name}" for name in ("azimuth", "dip", "length")}
    return targets.table.merge(collars.rename(columns=named), on="target", how="left")


def best_blocks(grid: xr.Dataset) -> xr.Dataset:
    """Blocks of the best tenth of the rock, all else missing: a table that a mine package opens."""
    is_best = grid["score"] >= BEST
    kept = {
        name: layer.where(is_best) for name, layer in grid.data_vars.items() if name != "target"
    }
    return grid.assign(kept).assign(target=grid["target"].astype(float).where(is_best))


def write_view(
    folder: RunFolder,
    field: Field,
    targets: Targets,
    collars: pd.DataFrame | None,
    traces: pd.DataFrame,
    *,
    title: str,
) -> None:
    """Write the 3D view: holes by grade, bodies of targets, faults, targets, planned holes, slices.

    Parameters
    ----------
    folder : RunFolder
    field : Field
    targets : Targets
    collars : DataFrame or None
    traces : DataFrame
    title : str
        Of the page.
    """
    ore = field.campaign.settings.ore
    unit = field.composites.units.get(ore, "")
    table = field.composites.table
    holes = traces[traces["hole"].isin(table["hole"])]
    layers: list[Layer] = [grade_traces(holes, table, ore, unit=unit, scale="log")]
    layers += target_bodies(targets)
    layers += [
        Surface(
            fault.name,
            fault.vertices,
            fault.triangles,
            colour=FAULT_COLOURS[number % len(FAULT_COLOURS)],
            opacity=0.3,
            note="Fault, as given",
        )
        for number, fault in enumerate(field.faults[:MOST_FAULTS])
    ]
    if len(targets):
        layers.append(target_boxes(targets.table))
    if collars is not None and collars["length"].notna().any():
        planned = grade_traces(planned_traces(collars), name="Planned holes")
        layers.append(replace(planned, colour=PLANNED))
    layers.append(grid_slices(targets.grid, "score", name="Score, slices", shown=()))
    kriged = targets.grid[["ore_grade"]].rename(ore_grade=f"kriged {ore}")
    name = f"Kriged {ore}, slices"
    layers.append(
        grid_slices(
            kriged, f"kriged {ore}", name=name, unit=unit, scale="log", shown=(),
            limits=rich_limits(kriged[f"kriged {ore}"].to_numpy()),
        )
    )  # fmt: skip
    note = (
        "Bodies are targets: extensions lie near samples, new ground lies far from any and is an"
        " extrapolation. See how far to trust them in the report."
    )
    write_scene(folder.path / SCENE, Scene(title, layers, note=note), report="report.html")


def rich_limits(grades: NDArray[np.float32]) -> tuple[float, float] | None:
    """Ends of colours that tell rich rock apart: the median and the highest grade.

    Examples
    --------
    >>> rich_limits(np.array([1.0, 1.0, 2.0, 3.0, 900.0, np.nan], dtype=np.float32))
    (2.0, 900.0)
    """
    known = grades[np.isfinite(grades)]
    if not len(known) or not 0 < np.median(known) < known.max():
        return None
    return float(np.median(known)), float(known.max())


def target_bodies(targets: Targets) -> list[Layer]:
    """Surfaces round the blocks of the targets, one layer for each kind.

    Parameters
    ----------
    targets : Targets

    Returns
    -------
    layers : list of Surface
    """
    bodies: list[Layer] = []
    for kind, (colour, note) in BODIES.items():
        if not len(targets):
            break
        numbers = targets.table.loc[targets.table["kind"] == kind, "target"]
        inside = np.isin(targets.grid["target"].to_numpy(), numbers)
        if inside.any():
            mesh = isosurface(
                add_layer(targets.grid, "inside", inside.astype(float)), "inside", 0.5
            )
            name = f"Targets, {kind}"
            bodies.append(
                Surface(name, mesh.vertices, mesh.triangles, colour=colour, opacity=0.75, note=note)
            )
    return bodies


def planned_traces(collars: pd.DataFrame) -> pd.DataFrame:
    """Straight traces of planned holes, two points each."""
    known = collars.dropna(subset=["length"])
    azimuth, dip = np.deg2rad(known["azimuth"]), np.deg2rad(known["dip"])
    way = {
        "easting": np.sin(azimuth) * np.cos(dip),
        "northing": np.cos(azimuth) * np.cos(dip),
        "elevation": np.sin(dip),
    }
    ends = [
        pd.DataFrame(
            {
                "hole": [f"planned {target}" for target in known["target"]],
                "depth": known["length"] * share,
                **{axis: known[axis] + way[axis] * known["length"] * share for axis in way},
            }
        )
        for share in (0.0, 1.0)
    ]
    return pd.concat(ends).sort_values(["hole", "depth"], kind="stable").reset_index(drop=True)
