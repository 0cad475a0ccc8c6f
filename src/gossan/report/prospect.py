"""The page of a prospectivity map: where to look, how far to trust that, and what was missed.

The findings of a study on a map (of a region, or of transfer between districts) come in as plain
tables and a grid; a `Report` goes out. A part that was not found out is left off the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import xarray as xr

from gossan.report._checked import methods_section, quality_blocks, summary_table
from gossan.report._display_names import with_display_names
from gossan.report._order import in_order
from gossan.report._prospect_cards import target_cards
from gossan.report._prospect_evidence import evidence_section, missed_section
from gossan.report._prospect_lead import conclusion_of
from gossan.report._prospect_maps import where_section
from gossan.report._prospect_trust import trust_section
from gossan.report._prospect_words import random_null_of, write_area, write_km
from gossan.report._writing import count_of
from gossan.report.blocks import Block, Finding
from gossan.report.page import Report, Section


@dataclass(frozen=True, kw_only=True)
class ProspectFindings:
    """What a study of a map found out; everything after `n_occurrences` may be missing.

    Parameters
    ----------
    title : str
        Title of the page.
    table_names : mapping
        Role ("samples", "occurrences", "faults" ...) to the file that was studied.
    n_cells : int
        Supported cells, each of which has a score.
    area_km2 : float
        Of the supported cells [km²].
    n_occurrences : int
        Supported cells with a known occurrence.
    kind : str
        Line above the title.
    n_samples : int
        Samples; 0 where only rasters came in.
    null_words : str
        How fakes were made, where their pattern was not moved over the map.
    n_background : int
        Unlabelled rows among which occurrences are ranked, for a study without a map.
    cell : float or (northing, easting), optional
        Size of a cell [m].
    n_merged : int
        Occurrences that shared a cell with another and count once with it.
    n_outside : int
        Occurrences off the supported area, left out.
    data_notes : sequence of str
        How the tables became layers.
    elements, variables : sequence of str
        Elements, and other layers, that were used.
    units : mapping
        Element to its unit; "ppm" for others.
    recommended : str
        Method that made the map, by its name in `scores`.
    advice : str
        Why it was chosen (`Choice.why`).
    ties : sequence of str
        Methods that cannot be told from it.
    label_free, distance : str
        Names in `scores` of the baseline without labels, and of distance to a known occurrence.
    sentence : str
        The figure to quote, with all that keeps it honest.
    conclusion : sequence of str
        Sentences to print instead of the written ones.
    scores : DataFrame, optional
        One row a protocol ("fit", "random", "blocks") and method: `protocol`, `method`, `kind`
        ("baseline", "label-free" or "model"), `auc`, `auc_low`, `auc_high` (95 %, camps drawn
        again), `auc_sd` (over runs), `capture_1`, `capture_5`, `capture_10`, `capture_20` (shares
        of the occurrences in the best 1 to 20 % of the area), `captured_10`, `low_10`, `high_10`,
        `density_10`, `pa_captured`, `pa_area`, `n`, `n_runs`; what is missing is left out.
    comparisons : DataFrame, optional
        `method`, `against` (the best simple method), `difference` in AUC, `low`, `high`; blocks
        held out.
    curves : DataFrame, optional
        `protocol`, `method`, `share` of the supported area, `captured` share of the occurrences.
    null : DataFrame, optional
        `protocol`, `method`, `auc`, `null_mean`, `null_max`, `p_value`, `n_nulls`: against fake
        patterns of the same clustering.
    folds_words : str
        How was held out ("blocked 5-fold, 3 repeats, blocks of 80 km").
    leaks : sequence
        Sentences or findings of the leakage report.
    occurrence_table : DataFrame, optional
        One row a known occurrence: `name`, `easting`, `northing` [m], `camp`, `share` (of the area
        that scores higher than it when it is held out, 0 to 1), `rank` (the same in words; written
        where it is missing), `n_merged` (occurrences of its cell).
    field_table : DataFrame, optional
        Whether the window helps: `field` (cells along a side) and `auc`, with `auc_low`, `auc_high`
        and `method` where known; blocks held out.
    extra : sequence of Section
        Further parts of the section on trust.
    grid : Dataset, optional
        2D: "percentile" (share of the supported area that scores lower [%]), "score", "spread",
        "stability", "edge_fraction", "sample_distance" [m], "is_supported", "label_free", "target"
        (number, 0: none); what is missing is not drawn.
    occurrences : DataFrame, optional
        `easting`, `northing` [m], `name`, `is_known`; one that is not known was hidden from all
        methods.
    faults : DataFrame, optional
        One row a vertex: `fault`, `easting`, `northing` [m].
    targets : DataFrame, optional
        The best first: `target`, `easting`, `northing` [m], `area` [km²], `percentile`, `score`,
        `spread`, `stability` (0 to 1), `edge_fraction` (0 to 1), `known_distance` [m],
        `contains_known`, `why` (text, or a mapping of elements to contributions).
    targets_note : str
        Thresholds, and what was left out as too small.
    map_file : str
        File of the map to explore, beside the report; empty without one.
    attribution : DataFrame, optional
        Mean contribution to the score: `element`, `known` (at known occurrences), `targets`.
    importance : DataFrame, optional
        `feature`, `importance` and, where known, `low` and `high`.
    importance_label : str
        What the importance is, with its unit.
    notes : sequence of str
        What could not be made, and why.
    left_out : sequence of str
        What was left out, and why.
    quality : optional
        Report of the check of the tables.
    summary : DataFrame, optional
        One row an element: `element`, `n`, `below_detection`, `mean`, `median`, `sd`, `cv`.
    methods : str
        Paragraphs to paste.
    citations : sequence of str
        References.
    manifest : mapping
        Facts of the run.

    Raises
    ------
    ValueError
        If the targets cover more than the supported area.
    """

    title: str
    table_names: Mapping[str, str]
    n_cells: int
    area_km2: float
    n_occurrences: int
    kind: str = "Prospectivity map"
    n_samples: int = 0
    n_background: int = 0
    null_words: str = ""
    cell: float | tuple[float, float] | None = None
    n_merged: int = 0
    n_outside: int = 0
    data_notes: Sequence[str] = ()
    elements: Sequence[str] = ()
    variables: Sequence[str] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    recommended: str = ""
    advice: str = ""
    ties: Sequence[str] = ()
    label_free: str = ""
    distance: str = ""
    sentence: str = ""
    conclusion: Sequence[str] = ()
    scores: pd.DataFrame | None = None
    comparisons: pd.DataFrame | None = None
    curves: pd.DataFrame | None = None
    null: pd.DataFrame | None = None
    folds_words: str = ""
    leaks: Sequence[Any] = ()
    occurrence_table: pd.DataFrame | None = None
    field_table: pd.DataFrame | None = None
    extra: Sequence[Section] = ()
    grid: xr.Dataset | None = None
    occurrences: pd.DataFrame | None = None
    faults: pd.DataFrame | None = None
    targets: pd.DataFrame | None = None
    targets_note: str = ""
    map_file: str = ""
    attribution: pd.DataFrame | None = None
    importance: pd.DataFrame | None = None
    importance_label: str = "Drop in score when shuffled"
    notes: Sequence[str] = ()
    left_out: Sequence[str] = ()
    quality: Any = None
    summary: pd.DataFrame | None = None
    methods: str = ""
    citations: Sequence[str] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        table = self.targets
        if table is None or "area" not in table:
            return
        covered = float(table["area"].sum())
        if covered > 1.001 * self.area_km2:
            raise ValueError(
                f"Targets cover more than the supported area, got {covered:,.6g} of"
                f" {self.area_km2:,.6g} km². Give their `area` in km², not in m²."
            )

    @property
    def random_null_invalid(self) -> bool:
        """Whether fake patterns score so high that random cross-validation says nothing here."""
        return random_null_of(self) is not None


def prospect_report(findings: ProspectFindings) -> Report:
    """Page of a prospectivity map: conclusion, where, how far to trust it, why, data, methods.

    Parameters
    ----------
    findings : ProspectFindings
        What was found out.

    Returns
    -------
    report : Report
        For `gossan.report.write_report`.

    Examples
    --------
    >>> scores = pd.DataFrame({"protocol": ["random", "blocks"], "method": "forest",
    ...                        "kind": "model", "auc": [0.97, 0.88]})
    >>> null = pd.DataFrame({"protocol": ["random"], "method": "forest", "auc": 0.97,
    ...                      "null_mean": 0.76, "null_max": 0.83, "p_value": 0.05, "n_nulls": 20})
    >>> found = ProspectFindings(title="Nanling", table_names={"occurrences": "li.csv"},
    ...                          n_cells=9000, area_km2=159_000.0, n_occurrences=21,
    ...                          recommended="forest", scores=scores, null=null)
    >>> for told in prospect_report(found).conclusion:
    ...     print(told)
    With whole blocks held out, forest ranks a known occurrence above unlabelled ground in 88 of 100 \
pairs (AUC 0.88; a coin gets 50).
    Random cross-validation is invalid here: fake patterns of the same clustering score 0.76 under it \
with forest, where 0.5 is right. Do not quote its figures.
    """
    findings = with_display_names(findings)
    return Report(
        title=findings.title,
        subtitle=_subtitle(findings),
        conclusion=list(findings.conclusion) or conclusion_of(findings),
        cards=target_cards(findings),
        sections=in_order(
            where_section(findings),
            trust=[trust_section(findings), missed_section(findings), *findings.extra],
            why=[evidence_section(findings)],
            data=_data_section(findings),
            methods=methods_section(findings.methods, findings.citations),
        ),
        manifest=findings.manifest,
        kind=findings.kind,
    )


def _subtitle(findings: ProspectFindings) -> str:
    told = [count_of(findings.n_samples, "sample")] if findings.n_samples else []
    told += [count_of(len(findings.elements), "element")] if findings.elements else []
    if findings.variables:
        told.append(count_of(len(findings.variables), "other layer"))
    told.append(f"{count_of(findings.n_cells, 'supported cell')}{_size_words(findings.cell)}")
    where = f" in {count_of(findings.n_occurrences, 'cell')}" if findings.n_merged else ""
    n_known = findings.n_occurrences + findings.n_merged
    told.append(f"{count_of(n_known, 'known occurrence')}{where}")
    return f"{', '.join(told)}; {write_area(findings.area_km2)}"


def _size_words(cell: float | tuple[float, float] | None) -> str:
    if cell is None:
        return ""
    north, east = cell if isinstance(cell, tuple) else (cell, cell)
    if north == east:
        return f" of {write_km(north)}"
    return f" of {write_km(east)} x {write_km(north)}"


def _data_section(findings: ProspectFindings) -> Section:
    left_out = [f"Left out: {told}" for told in findings.left_out]
    told = [*_occurrence_words(findings), *findings.data_notes, *findings.notes, *left_out]
    blocks: list[Block] = [Finding("note", str(sentence)) for sentence in told]
    if findings.summary is not None and len(findings.summary):
        blocks.append(summary_table(findings.summary, findings.units))
    if findings.quality is not None:
        blocks += quality_blocks(findings.quality)
    files = ", ".join(f"{role} from {name}" for role, name in findings.table_names.items())
    return Section("The data", f"The tables, as read: {files}." if files else "", blocks)


def _occurrence_words(findings: ProspectFindings) -> list[str]:
    """Say which occurrences do not count, or not on their own."""
    told = []
    if findings.n_merged:
        shares = "shares" if findings.n_merged == 1 else "share"
        told.append(
            f"{count_of(findings.n_merged, 'occurrence')} {shares} a cell with another: a cell counts"
            f" once, so that {findings.n_occurrences:,} are left."
        )
    if findings.n_outside:
        lies = "lies" if findings.n_outside == 1 else "lie"
        told.append(
            f"{count_of(findings.n_outside, 'occurrence')} {lies} off the supported area and neither"
            " taught nor tested anything."
        )
    return told
