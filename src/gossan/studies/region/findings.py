"""What a region study found out, gathered for its report.

The region, the verdict on all methods, the map and its targets come in; `ProspectFindings` go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from gossan.data.grids.grid import add_layer, spacing_of
from gossan.report.blocks import Finding
from gossan.report.prospect import ProspectFindings
from gossan.studies.judged import Judged, field_table, missed_table
from gossan.studies.region.channels import CLR, LOG
from gossan.studies.region.mapping import Mapped
from gossan.studies.region.methods import DISTANCE, FIELDS
from gossan.studies.region.outputs import occurrence_names, occurrence_points
from gossan.studies.region.samples import STD
from gossan.studies.region.tables import Region
from gossan.studies.trials import Cells, Plan

CITATIONS = (
    (
        "Li et al. 2020, Appl. Geochem. 122, 104747, doi:10.1016/j.apgeochem.2020.104747 (the method"
        " described in its abstract)."
    ),
    (
        "Airola et al. 2019, Data Min. Knowl. Discov. 33, 730-747, doi:10.1007/s10618-018-00607-x (ranks"
        " pooled over folds)."
    ),
    "Roberts et al. 2017, Ecography 40, 913-929, doi:10.1111/ecog.02881 (blocks).",
    "Yousefi & Carranza 2015, Comput. Geosci. 79, 69-81, doi:10.1016/j.cageo.2015.03.007 (P-A plot).",
    (
        "Lakshminarayanan et al. 2017, Adv. Neural Inf. Process. Syst. 30, 6402-6413 (spread of"
        " ensembles)."
    ),
)
LEAKS = {
    "random": "Random folds: a held-out occurrence has its camp, and the very samples that were"
    " gridded into its cell, among what was learnt.",
    "fit": "Fitting rate: the occurrences that are counted were learnt. It is no evidence.",
    "gridding": "Gridding, robust scores and the map's layers were made once, of all samples: no label"
    " takes part in them (transductive).",
}


def study_findings(
    region: Region,
    cells: Cells,
    plan: Plan,
    judged: Judged,
    mapped: Mapped,
    *,
    title: str,
    grid: xr.Dataset,
    targets: pd.DataFrame,
    targets_note: str,
    label_free: str,
    notes: list[str],
    faults: pd.DataFrame | None,
    map_file: str,
    manifest: Mapping[str, Any],
) -> ProspectFindings:
    """Gather what the report shows.

    Parameters
    ----------
    region : Region
    cells : Cells
    plan : Plan
    judged : Judged
    mapped : Mapped
    title : str
    grid : Dataset
        Of the maps.
    targets : DataFrame
    targets_note : str
    label_free : str
        Name of the method without labels.
    notes : list of str
    faults : DataFrame or None
    map_file : str
    manifest : mapping

    Returns
    -------
    findings : ProspectFindings
    """
    placed, size = region.occurrences, spacing_of(grid)
    coords = cells.coords[cells.occurrences]
    names = occurrence_names(region.points.table, placed.members)
    return ProspectFindings(
        title=title,
        kind="Prospectivity map from geochemistry",
        table_names=region.files,
        n_samples=region.n_samples,
        n_cells=int(region.is_supported.sum()),
        area_km2=region.area,
        cell=(size[0], size[1]),
        n_occurrences=len(placed.cells),
        n_merged=int((placed.counts - 1).sum()),
        n_outside=len(placed.outside) + len(placed.masked),
        data_notes=[*region.notes, *unscored_notes(region, mapped), *layer_notes(region)],
        elements=region.elements,
        variables=[name for name in region.channels if name not in region.elements],
        units=region.units,
        recommended=judged.choice.method,
        advice=judged.choice.why,
        ties=judged.choice.ties,
        label_free=label_free,
        distance=DISTANCE,
        sentence=judged.sentence,
        scores=judged.scores,
        comparisons=judged.comparisons,
        curves=judged.curves,
        null=judged.null if len(judged.null) else None,
        folds_words=plan.describe(),
        leaks=[Finding("note", told) for told in LEAKS.values()],
        occurrence_table=missed_table(judged, names, coords, placed.counts),
        field_table=field_table(judged, FIELDS),
        grid=with_targets(grid, targets),
        occurrences=occurrence_points(region),
        faults=faults,
        targets=targets,
        targets_note=targets_note,
        map_file=map_file,
        attribution=attribution_table(region, mapped, targets, grid),
        notes=[*judged.notes, *notes],
        left_out=region.left_out,
        quality=region.quality,
        summary=region.summary,
        methods=methods_text(region, judged, plan),
        citations=CITATIONS,
        manifest=manifest,
    )


def with_targets(grid: xr.Dataset, targets: pd.DataFrame) -> xr.Dataset:
    """The grid with a layer "target": the number of the target that a cell belongs to, 0 for none.

    Cells at or above the threshold belong together if they share a side or a corner, as for
    `find_map_targets`; a table that does not tell its threshold leaves the grid as it is.
    """
    threshold = targets.attrs.get("threshold")
    if threshold is None or not len(targets) or "is_supported" not in grid:
        return grid
    score = np.where(grid["is_supported"].to_numpy() > 0, grid["score"].to_numpy(), -np.inf)
    areas, _ = ndimage.label(np.nan_to_num(score, nan=-np.inf) >= threshold, np.ones((3, 3)))
    number = np.zeros(areas.max() + 1)
    number[areas.ravel()[_cells_of(targets, grid)]] = targets["target"]
    number[0] = 0.0
    numbered = add_layer(grid, "target", number[areas])
    numbered["target"].attrs["first"] = _first_numbers(targets)
    return numbered


def _first_numbers(targets: pd.DataFrame) -> list[int]:
    """Return the numbers of targets, those that hold no known occurrence first, as on the cards."""
    held = targets.get("contains_known", pd.Series(data=False, index=targets.index)).astype(bool)
    return [int(number) for number in targets["target"][held.sort_values(kind="stable").index]]


def attribution_table(
    region: Region, mapped: Mapped, targets: pd.DataFrame, grid: xr.Dataset
) -> pd.DataFrame | None:
    """What each channel adds to the score, on average, at known occurrences and at targets."""
    if mapped.gains is None:
        return None
    flat = mapped.gains.reshape(len(mapped.gains), -1)
    rows = {"known": region.occurrences.cells, "targets": _target_cells(targets, grid)}
    table = pd.DataFrame({"element": list(region.channels)})
    for name, numbers in rows.items():
        own = flat[:, numbers]
        own = own[:, np.isfinite(own).all(axis=0)]
        table[name] = own.mean(axis=1) if own.shape[1] else np.nan
    return table


def unscored_notes(region: Region, mapped: Mapped) -> list[str]:
    """Say how many supported cells have no score, and why."""
    n = int((region.is_supported & ~np.isfinite(mapped.layers["score"])).sum())
    if not n:
        return []
    sentence = (
        f"{n:,} of {int(region.is_supported.sum()):,} supported cells have no score: more than half of"
        " what the method reads round them has no data. Ranks are among the others."
    )
    return [sentence]


def layer_notes(region: Region) -> list[str]:
    """Say what lies in layers.tif beside the layers that methods read."""
    levelled = next((name for name in region.elements if name in region.levelled), "")
    spread = next((str(name) for name in region.beside if str(name).endswith(STD)), "")
    notes = []
    if levelled:
        notes.append(
            f"Methods read the levelled layers, {region.band(levelled)} and so on in layers.tif; the"
            f" raw ones, gridded alike, lie beside them as {levelled} and so on."
        )
    if spread:
        notes.append(
            f"Kriging standard deviations lie in layers.tif as {spread} and so on: of the common"
            " logarithm, so that 0.3 is a factor of two."
        )
    return notes


def methods_text(region: Region, judged: Judged, plan: Plan) -> str:
    """Paragraph to paste."""
    size = spacing_of(region.grid)
    cell = f"{size[1]:,.5g} x {size[0]:,.5g} m"
    made = (
        f"{region.n_samples:,} samples were gridded to cells of {cell}; a cell counts where enough"
        f" samples lie within {region.reach:,.0f} m. {' '.join(region.notes)}"
        if region.n_samples
        else f"Rasters with cells of {cell} were stacked."
    )
    others = [name.replace("_", " ") for name in region.channels if name not in region.elements]
    beside = f" Methods read {', '.join(region.elements)} and {', '.join(others)}."
    made = made.rstrip() + (beside if others and region.elements else "")
    null = (
        f" Scores were held against {int(judged.null['n_nulls'].max())} fake patterns: the known"
        " occurrences turned, shifted and laid on the map anew."
        if len(judged.null)
        else ""
    )
    return (
        f"{made} {_transform_words(region)} were turned into robust z-scores (median, MAD)."
        f" {region.occurrences!s}"
        " Background is unlabelled: several draws of it were learnt against all known occurrences and"
        f" averaged. Methods were compared under random folds and {plan.describe()}; under both, ranks"
        " of held-out occurrences among held-out unlabelled cells were pooled. Intervals draw whole"
        f" camps again.{null} The map was made by {judged.choice.method!r}, learned from all"
        " occurrences; the percentile of a cell is the share of the supported area that scores lower."
    )


def _transform_words(region: Region) -> str:
    """Say of what robust z-scores were taken."""
    words = set(region.transforms.values())
    if CLR in words:
        parts = [name for name in region.channels if region.transforms.get(name) == CLR]
        return (
            "Centred log-ratios of the concentrations (the logarithm of each less the mean of those of"
            f" {', '.join(parts)})"
        )
    return "Logarithms of concentrations" if LOG in words else "Layers"


def _target_cells(targets: pd.DataFrame, grid: xr.Dataset) -> NDArray[np.int64]:
    """Return the flat cell numbers of the best cells of targets that hold no known occurrence."""
    if not len(targets):
        return np.zeros(0, dtype=np.int64)
    own = targets
    if "contains_known" in targets:
        new = targets[~targets["contains_known"].astype(bool)]
        own = new if len(new) else targets
    return _cells_of(own, grid)


def _cells_of(own: pd.DataFrame, grid: xr.Dataset) -> NDArray[np.int64]:
    """Return the flat numbers of the cells in which points lie."""
    rows = np.abs(grid["northing"].to_numpy()[:, None] - own["northing"].to_numpy()).argmin(axis=0)
    columns = np.abs(grid["easting"].to_numpy()[:, None] - own["easting"].to_numpy()).argmin(axis=0)
    return (rows * grid.sizes["easting"] + columns).astype(np.int64)
