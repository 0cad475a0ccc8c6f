"""The page of a deposit study: where to drill, how far to trust that, and what the holes say.

The findings of a study of drill holes in three dimensions come in as plain tables and a grid; a
`Report` goes out. A part that was not found out is left off the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import xarray as xr

from gossan.report._checked import methods_section, quality_blocks, summary_table
from gossan.report._deposit_cards import target_cards
from gossan.report._deposit_evidence import evidence_section
from gossan.report._deposit_maps import target_section
from gossan.report._deposit_trust import trust_section
from gossan.report._deposit_words import conclusion_of, unit_of
from gossan.report._display_names import with_display_names
from gossan.report._order import in_order
from gossan.report._writing import count_of
from gossan.report.blocks import Block, Details, Finding, Table
from gossan.report.page import Report, Section


@dataclass(frozen=True, kw_only=True)
class DepositFindings:
    """What a deposit study found out; everything after `cutoff` may be missing.

    Parameters
    ----------
    title : str
        Title of the page.
    table_names : mapping
        Role ("collar", "survey", "assay", "lithology", "faults", "ground") to the file that was
        studied.
    n_holes, n_composites : int
        Drill holes, and samples of equal length made of their assays.
    elements : sequence of str
        Elements that were used.
    ore : str
        Element that is ore.
    cutoff : float
        Least grade of ore, in its unit.
    units : mapping
        Element to its unit; "ppm" for others.
    composite_length : float
        Of the samples of equal length [m].
    n_collars : int
        Holes that were drilled, with samples or without; 0 where it is not known.
    n_cells : int
        Cells of rock that were scored.
    cell : (elevation, northing, easting), optional
        Size of a cell [m].
    rule : str
        What counted as ore and as barren, in words: stands with every score.
    recommended : str
        Method that made the map, by its name in `scores`.
    advice : str
        Why it was chosen, a sentence or two.
    conclusion : sequence of str
        Sentences to print instead of the written ones.
    scores : DataFrame, optional
        One row a protocol and method: `protocol` ("paper", "holes", "blocks", "depth", "truth"),
        `method`, `kind` ("baseline" or "model"), `auc`, `auc_low`, `auc_high` (95 %, whole holes
        drawn again), `auc_sd` (over seeds), `ap`, `capture_0.2`, `capture_1`, `capture_5` (shares of
        the ore within the best 0.2, 1 and 5 % of the tested cells), `enrichment_1`, `prevalence`,
        `f1_all_ore`, `n` (cells tested), `n_ore`, `n_folds`, `n_seeds`; what is missing is left out.
    comparisons : DataFrame, optional
        `protocol`, `method`, `best_baseline`, `difference`, `low`, `high`: AUC of the method minus
        that of the best baseline.
    folds : DataFrame, optional
        Scores of each `protocol`, `fold`, `method` and `seed`.
    curves : DataFrame, optional
        Success rate: `protocol`, `method`, `share` of the tested cells, `captured` share of the ore.
    null : DataFrame, optional
        `protocol`, `method`, `auc`, `null_mean`, `null_max`, `p_value`, `n_nulls`: scores against
        ore that was moved to where it is not.
    leaks : mapping
        Protocol to sentences, each naming what leaks there.
    fractal : mapping
        Element to a mapping with "curve" (DataFrame of `value`, `volume` [m³], `fitted`), "breaks"
        (DataFrame of `name`, `value`, `low`, `high`), "unit", "on" ("cells" or "composites").
    zoning : DataFrame, optional
        `element`, `rank` (1 = top), `level` (elevation of the largest share [m]), `centre` (of mass
        [m]).
    zoning_note : str
        How to read it.
    loadings : DataFrame, optional
        `element` and a column for each factor.
    factor, factor_note : str
        Column of the factor that is an indicator, and how it was chosen.
    variogram : mapping
        Name to a mapping with "experimental", "model", "is_trusted", "reasons", "unit" and "map",
        as `TailingsFindings.variograms`.
    indicators : DataFrame, optional
        `name`, `meaning` and what else is known of each.
    notes : sequence of str
        What could not be made, and why.
    grid : Dataset, optional
        3D, with the layers "score" (0 to 1: share of the rock that scores lower), "spread",
        "target" (number, 0: none), "ore_grade", "fault_distance" [m], "sample_distance" [m],
        "is_extrapolated"; what is missing is not drawn.
    composites : DataFrame, optional
        `hole`, `easting`, `northing`, `elevation` [m] and the ore element.
    traces : DataFrame, optional
        `hole`, `depth`, `easting`, `northing`, `elevation` [m].
    targets : DataFrame, optional
        As `Targets.table` of `gossan.prospectivity.find_targets`.
    collars : DataFrame, optional
        As `gossan.prospectivity.suggest_collars` returns.
    targets_note : str
        Thresholds, and bodies that were left out as too small.
    scene : str
        File of the 3D page beside the report; empty without one.
    quality : optional
        Report of the check of the tables.
    changes : DataFrame, optional
        Rows that were mended.
    left_out : sequence of str
        What was left out, and why.
    summary : DataFrame, optional
        One row an element: `element`, `n`, `below_detection`, `mean`, `median`, `sd`, `cv`.
    truth : DataFrame, optional
        Of simulated deposits: `body`, `is_blind`, `is_hit`, `hit_by` (target), `volume` [m³].
    methods : str
        Paragraphs to paste.
    citations : sequence of str
        References.
    manifest : mapping
        Facts of the run.
    """

    title: str
    table_names: Mapping[str, str]
    n_holes: int
    n_composites: int
    elements: Sequence[str]
    ore: str
    cutoff: float
    units: Mapping[str, str] = field(default_factory=dict)
    composite_length: float = 0.0
    n_collars: int = 0
    n_cells: int = 0
    cell: tuple[float, float, float] | None = None
    rule: str = ""
    recommended: str = ""
    advice: str = ""
    conclusion: Sequence[str] = ()
    scores: pd.DataFrame | None = None
    comparisons: pd.DataFrame | None = None
    folds: pd.DataFrame | None = None
    curves: pd.DataFrame | None = None
    null: pd.DataFrame | None = None
    leaks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fractal: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    zoning: pd.DataFrame | None = None
    zoning_note: str = ""
    loadings: pd.DataFrame | None = None
    factor: str = ""
    factor_note: str = ""
    variogram: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    indicators: pd.DataFrame | None = None
    notes: Sequence[str] = ()
    grid: xr.Dataset | None = None
    composites: pd.DataFrame | None = None
    traces: pd.DataFrame | None = None
    targets: pd.DataFrame | None = None
    collars: pd.DataFrame | None = None
    targets_note: str = ""
    scene: str = ""
    quality: Any = None
    changes: pd.DataFrame | None = None
    left_out: Sequence[str] = ()
    summary: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    methods: str = ""
    citations: Sequence[str] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)


def deposit_report(findings: DepositFindings) -> Report:
    """Page of a deposit study: conclusion, targets, trust, evidence, data, methods.

    Parameters
    ----------
    findings : DepositFindings
        What was found out.

    Returns
    -------
    report : Report
        For `gossan.report.write_report`.

    Examples
    --------
    >>> scores = pd.DataFrame({"protocol": ["paper", "holes"], "method": "kriged ore",
    ...                        "kind": "baseline", "auc": [0.99, 0.78]})
    >>> found = DepositFindings(title="North ridge", table_names={"assay": "assay.csv"}, n_holes=72,
    ...                         n_composites=2400, elements=["Au", "As"], ore="Au", cutoff=1.0,
    ...                         recommended="kriged ore", scores=scores)
    >>> print(deposit_report(found).conclusion[-1])
    In drill holes that it never saw, kriged ore ranks ore above barren rock in 78 of 100 pairs (AUC \
0.78; a coin gets 50). Scored in the published way, kriged ore would claim 0.99; 0.21 of that is the \
test knowing the answer, not skill.
    """
    findings = with_display_names(findings)
    return Report(
        title=findings.title,
        subtitle=_subtitle(findings),
        conclusion=list(findings.conclusion) or conclusion_of(findings),
        cards=target_cards(findings),
        sections=in_order(
            target_section(findings),
            trust=[trust_section(findings)],
            why=[evidence_section(findings)],
            data=_data_section(findings),
            methods=methods_section(findings.methods, findings.citations),
        ),
        manifest=findings.manifest,
        kind="Drill targets in three dimensions",
    )


def _subtitle(findings: DepositFindings) -> str:
    length = f" of {findings.composite_length:g} m" if findings.composite_length else ""
    told = [
        _holes_words(findings),
        f"{count_of(findings.n_composites, 'sample')}{length}",
        count_of(len(findings.elements), "element"),
    ]
    ore = f"ore is {findings.ore} of {findings.cutoff:,g} {unit_of(findings, findings.ore)} or more"
    return f"{', '.join(told)}; {ore}"


def _holes_words(findings: DepositFindings) -> str:
    if findings.n_collars <= findings.n_holes:
        return count_of(findings.n_holes, "drill hole")
    return f"{findings.n_holes:,} of {count_of(findings.n_collars, 'drill hole')}"


def _cell_words(findings: DepositFindings) -> str:
    if not findings.n_cells:
        return ""
    size = " x ".join(f"{side:g}" for side in findings.cell[::-1]) if findings.cell else ""
    cells = count_of(findings.n_cells, "cell") + (f" of {size} m" if size else "")
    return f"The rock was scored in {cells}."


def _data_section(findings: DepositFindings) -> Section:
    blocks: list[Block] = []
    if findings.summary is not None and len(findings.summary):
        blocks.append(summary_table(findings.summary, findings.units))
    if findings.quality is not None:
        blocks += quality_blocks(findings.quality)
    blocks += [Finding("note", f"Left out: {told}") for told in findings.left_out]
    changes = findings.changes
    if changes is not None and len(changes):
        table = Table("Rows that were mended", changes, note="Your files are unchanged.")
        blocks.append(Details(f"{count_of(len(changes), 'row')} mended", [table]))
    files = ", ".join(f"{role} from {name}" for role, name in findings.table_names.items())
    told = [f"The tables, as read: {files}." if files else "", _cell_words(findings)]
    return Section("The data", " ".join(each for each in told if each), blocks)
