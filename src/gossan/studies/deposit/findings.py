"""What a deposit study found out, gathered for its report.

The field, held-out scores, the map and its targets come in; `DepositFindings` go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gossan.data.grids.grid import cell_volume, spacing_of
from gossan.evidence.factors import VarimaxFactors
from gossan.evidence.fractal import FractalModel, fractal_thresholds
from gossan.evidence.halos import zoning_sequence
from gossan.geochem.compositional import clr
from gossan.geostat.fitting import FittedVariogram
from gossan.prospectivity.targets import Targets
from gossan.report.deposit import DepositFindings
from gossan.studies.composites import AXES
from gossan.studies.deposit.indicators import quietly
from gossan.studies.deposit.protocols import LEAKS, OF_PROTOCOL
from gossan.studies.deposit.tables import Field
from gossan.studies.deposit.trust import Campaign
from gossan.studies.variograms import experimental_along

NEAR_ORE = 60.0  # m from ore, within which zoning is read
LEAST_ZONED = 3  # elements that make a sequence: with two there is nothing to agree on
MOST_FRACTAL_CELLS = 300_000
CITATIONS = (
    "Yu et al. 2022, Minerals 12, 1382, doi:10.3390/min12111382 (the study that this one follows).",
    "Cheng et al. 1994, J. Geochem. Explor. 51, 109-130, doi:10.1016/0375-6742(94)90013-2 (fractals).",
    "Phillips et al. 2006, Ecol. Model. 190, 231-259, doi:10.1016/j.ecolmodel.2005.03.026 (MaxEnt).",
    "Geurts et al. 2006, Mach. Learn. 63, 3-42, doi:10.1007/s10994-006-6226-1 (forests).",
    "Wolpert 1992, Neural Netw. 5, 241-259, doi:10.1016/S0893-6080(05)80023-1 (held-out evidence).",
    "Airola et al. 2019, Data Min. Knowl. Discov. 33, 730-747, doi:10.1007/s10618-018-00607-x (ranks).",
)


@dataclass(frozen=True, eq=False)
class Trust:
    """Held-out scores of all protocols, as tables.

    Attributes
    ----------
    scores, comparisons, folds, curves, null : DataFrame
        See `judging`.
    chosen, advice : str
        Method that makes the map, and why.
    notes : list of str
        Protocols that could not be run, and why.
    """

    scores: pd.DataFrame
    comparisons: pd.DataFrame
    folds: pd.DataFrame
    curves: pd.DataFrame
    null: pd.DataFrame
    chosen: str
    advice: str
    notes: list[str]


def study_findings(
    field: Field,
    trust: Trust,
    *,
    title: str,
    grid: xr.Dataset,
    targets: Targets,
    collars: pd.DataFrame | None,
    fitted: FittedVariogram,
    indicator_notes: Sequence[str],
    traces: pd.DataFrame,
    scene: str,
    rule: str,
    reach: float,
) -> DepositFindings:
    """Gather what the report shows.

    Parameters
    ----------
    field : Field
    trust : Trust
    title : str
    grid : Dataset
        Of `mapping.make_map`, with "target".
    targets : Targets
    collars : DataFrame or None
    fitted : FittedVariogram
        Of the log of the ore element.
    indicator_notes : sequence of str
        Indicators that could not be made, and why.
    traces : DataFrame
        Of the holes.
    scene : str
        File of the 3D page.
    rule : str
        Of the labels.
    reach : float
        Where new ground begins [m from a composite].

    Returns
    -------
    findings : DepositFindings
    """
    campaign, composites = field.campaign, field.composites
    ore = campaign.settings.ore
    notes = [*indicator_notes, *trust.notes, f"The {field.ground_note}."]
    fractal, fractal_notes = fractal_curves(field, grid)
    zoning, zoning_note = zoning_table(campaign)
    loadings, factor, factor_note = factor_loadings(campaign)
    cell = spacing_of(grid)
    return DepositFindings(
        title=title,
        table_names=field.files,
        n_holes=int(campaign.composites["hole"].nunique()),
        n_composites=len(campaign.composites),
        n_collars=len(composites.holes.collars),
        elements=campaign.elements,
        ore=ore,
        cutoff=campaign.cutoff,
        units=dict(composites.units),
        composite_length=composites.length,
        n_cells=len(campaign.rock_cells()),
        cell=(cell[0], cell[1], cell[2]),
        rule=rule,
        recommended=trust.chosen,
        advice=trust.advice,
        scores=_if_any(trust.scores),
        comparisons=_if_any(trust.comparisons),
        folds=_if_any(trust.folds),
        curves=_if_any(trust.curves),
        null=_if_any(trust.null),
        leaks=leaks_of(trust.scores, has_faults=bool(field.faults)),
        fractal=fractal,
        zoning=zoning,
        zoning_note=zoning_note,
        loadings=loadings,
        factor=factor,
        factor_note=factor_note,
        variogram={f"ln {ore}": _variogram(campaign, fitted, ore)},
        indicators=indicator_meanings(campaign, grid),
        notes=[*notes, *fractal_notes],
        grid=grid,
        composites=campaign.composites[["hole", *AXES, ore]],
        traces=traces,
        targets=targets.table,
        collars=collars,
        targets_note=targets_note(targets, reach),
        scene=scene,
        quality=composites.report,
        changes=composites.holes.changes,
        left_out=composites.left_out,
        summary=summary_table(field),
        methods=_methods(field, trust),
        citations=CITATIONS,
    )


def leaks_of(scores: pd.DataFrame, *, has_faults: bool) -> dict[str, list[str]]:
    """Leaks in force under each protocol that was run, a sentence each."""
    there = scores["protocol"].unique() if len(scores) else []
    return {
        str(protocol): [
            f"{key}, {LEAKS[key]}" for key in OF_PROTOCOL[protocol] if has_faults or key != "L9"
        ]
        for protocol in there
    }


def fractal_curves(field: Field, grid: xr.Dataset) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Concentration-volume curves of the ore element: of composites, and of kriged cells."""
    ore, table = field.campaign.settings.ore, field.campaign.composites
    unit = field.composites.units.get(ore, "")
    cells = np.asarray(grid["ore_grade"], dtype=float).ravel()
    cells = cells[np.isfinite(cells)]
    step = -(-len(cells) // MOST_FRACTAL_CELLS)
    volume = cell_volume(grid) * len(cells)
    length = float((table["to"] - table["from"]).sum())
    told, notes = {}, []
    for name, on, values, sizes, groups, total in (
        (ore, "composites", table[ore].to_numpy(dtype=float),
         (table["to"] - table["from"]).to_numpy(dtype=float),
         table["hole"].to_numpy(dtype=str), length),
        (f"{ore}, kriged", "cells", cells[::step], None, None, volume),
    ):  # fmt: skip
        try:
            model = quietly(
                fractal_thresholds, values, sizes, groups=groups,
                n_bootstrap=200 if on == "composites" else 0,
            )  # fmt: skip
        except ValueError as error:
            notes.append(f"No fractal thresholds of {name}: {error}")
            continue
        told[name] = {
            "curve": _curve(model, total, "volume"),
            "breaks": _breaks(model),
            "unit": unit,
            "on": on,
        }
    return told, notes


def zoning_table(campaign: Campaign) -> tuple[pd.DataFrame | None, str]:
    """Elements from top to bottom in the mineralised zone, by elevation."""
    table, elements = campaign.composites, list(campaign.elements)
    if len(elements) < LEAST_ZONED:
        return None, ""
    coords = table[list(AXES)].to_numpy(dtype=float)
    is_rich = (table[campaign.settings.ore] >= campaign.cutoff).to_numpy()
    distance, _ = cKDTree(coords[is_rich]).query(coords)
    near = distance <= NEAR_ORE
    told = {}
    try:
        for method in ("grigorian", "centre_of_mass"):
            told[method] = quietly(
                zoning_sequence, table.loc[near, elements], coords[near, 2],
                (table["to"] - table["from"]).to_numpy(dtype=float)[near], method=method,
            )  # fmt: skip
    except ValueError as error:
        return None, f"No zoning: {error}"
    sequence = told["grigorian"].sequence
    if len(set(sequence) & set(told["centre_of_mass"].sequence)) < LEAST_ZONED:
        return None, ""
    rows = [
        {
            "element": element,
            "rank": rank,
            "level": float(told["grigorian"].placement[element]),
            "centre": float(told["centre_of_mass"].placement.get(element, np.nan)),
        }
        for rank, element in enumerate(sequence, start=1)
    ]
    agreement = told["grigorian"].agreement(told["centre_of_mass"].sequence)
    return pd.DataFrame(rows), (
        f"From the composites within {NEAR_ORE:g} m of ore, by elevation. Grigorian's index and the"
        f" centres of mass agree with a rank correlation of {agreement:.2f}. Several bodies at"
        " several levels blur it: read it where the ore has one frame."
    )


def factor_loadings(campaign: Campaign) -> tuple[pd.DataFrame | None, str, str]:
    """Loadings of the rotated factors, the one that is an indicator, and how it was chosen."""
    elements, settings = list(campaign.elements), campaign.settings
    wanted = [each for each in settings.factor if each in elements]
    if len(elements) < 4 or len(wanted) < 2:
        return None, "", ""
    model = VarimaxFactors(min(settings.n_factors, len(elements) - 1))
    try:
        quietly(model.fit, clr(campaign.composites[elements].astype(float)))
        chosen = model.factor_of(wanted)
    except ValueError as error:
        return None, "", f"No factor: {error}"
    table = model.loadings_.copy()
    table[chosen.name] = table[chosen.name] * chosen.sign
    words = " and ".join(wanted)
    return (
        table.rename_axis("element").reset_index(),
        chosen.name,
        f"{chosen.name} was chosen by its content: {words} weigh most in it, with one sign.",
    )


def indicator_meanings(campaign: Campaign, grid: xr.Dataset) -> pd.DataFrame:
    """Indicators that were made, in words."""
    settings = campaign.settings

    def held(group: Sequence[str]) -> str:
        return ", ".join(each for each in group if each in campaign.elements)

    words = {
        "ore_grade": f"Kriged {settings.ore}, of its logarithm.",
        "near": f"Balance of {held(settings.near)} over the other elements.",
        "front_tail": f"Balance of {held(settings.front)} (above ore) over {held(settings.tail)}"
        " (below it).",
        "factor": f"Factor that {held(settings.factor)} share.",
        "fault_distance": f"Distance to the nearest fault; the zone of {settings.buffer:g} m round"
        " faults for the published models.",
    }
    rows = [{"name": name, "meaning": word} for name, word in words.items() if name in grid]
    return pd.DataFrame(rows)


def targets_note(targets: Targets, reach: float) -> str:
    """What each kind of target is, and what was left out."""
    small = f" {targets.n_small} smaller bodies were left out." if targets.n_small else ""
    return (
        f"Extensions lie within {reach:,.0f} m of a sample, new ground beyond. Each list holds the"
        " best rock of its kind, and they take turns: all rock near samples scores higher, as a model"
        f" is surer there.{small}"
    )


def summary_table(field: Field) -> pd.DataFrame:
    """Number, share below detection, mean, median and spread of each element."""
    table, censored = field.campaign.composites, field.composites.censored
    rows = []
    for element in field.campaign.elements:
        values = table[element].to_numpy(dtype=float)
        rows.append(
            {
                "element": element,
                "n": len(values),
                "below_detection": int(censored[element].sum()),
                "mean": values.mean(),
                "median": float(np.median(values)),
                "sd": values.std(ddof=1),
                "cv": values.std(ddof=1) / values.mean(),
            }
        )
    return pd.DataFrame(rows)


def _if_any(table: pd.DataFrame) -> pd.DataFrame | None:
    return table if len(table) else None


def _curve(model: FractalModel, total: float, size: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "value": model.curve["value"],
            size: model.curve["size"] * total,
            "fitted": model.curve["fitted"] * total,
        }
    )


def _breaks(model: FractalModel) -> pd.DataFrame:
    intervals: NDArray[np.float64] = model.intervals
    return pd.DataFrame(
        {
            "name": model.names[1:],
            "value": model.thresholds,
            "low": intervals[:, 0],
            "high": intervals[:, 1],
        }
    )


def _variogram(campaign: Campaign, fitted: FittedVariogram, ore: str) -> Mapping[str, Any]:
    coords = campaign.composites[list(AXES)].to_numpy(dtype=float)
    logs = np.log(campaign.composites[ore].to_numpy(dtype=float))
    return {
        "experimental": quietly(experimental_along, coords, logs, fitted.model),
        "model": fitted.model,
        "is_trusted": fitted.is_trusted,
        "reasons": list(fitted.reasons),
        "unit": f"(ln {ore})²",
    }


def _methods(field: Field, trust: Trust) -> str:
    composites, settings = field.composites, field.campaign.settings
    protocols = ", ".join(map(str, trust.scores["protocol"].unique())) if len(trust.scores) else ""
    return (
        f"Assays of {composites.table['hole'].nunique()} holes were checked, values below detection"
        f" imputed, and composited to {composites.length:g} m. Indicators (the logarithm of"
        f" {settings.ore}, balances of log-ratios and a varimax factor, as far as the elements allow)"
        " were kriged with one variogram, fitted to the ore element, and scaled between the bounds"
        f" of the training cells. Under each protocol ({protocols}) everything that is fitted was"
        " fitted again without the test part: factors, variogram, kriging, scaling and models."
        " Scores pool the ranks of ore cells within each fold; intervals draw whole holes again."
        f" The map was made by {trust.chosen!r}, learned from all holes; a cell's score is the share"
        f" of the rock that scores lower. {' '.join(composites.left_out)}"
    ).strip()
