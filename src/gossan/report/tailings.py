"""The page of a tailings study: what the grades are, how sure that is, and what kriging could do.

The findings of a study of samples in two or three dimensions come in as plain tables and a grid; a
`Report` goes out. A part that was not found out is left off the page.
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
from gossan.report._tailings_maps import map_section
from gossan.report._tailings_space import published_section, variogram_section
from gossan.report._tailings_trust import trust_section
from gossan.report._tailings_words import conclusion_of, element_cards
from gossan.report._writing import count_of
from gossan.report.blocks import Block
from gossan.report.page import Report, Section

_WHY = "An estimate between samples is worth as much as grades hang together over distance."
_DECLUSTERED = (
    "The declustered mean gives crowded samples less weight: compare it with the mean of the cells."
)


@dataclass(frozen=True, kw_only=True)
class TailingsFindings:
    """What a tailings study found out; everything after `elements` may be missing.

    Parameters
    ----------
    title : str
        Title of the page.
    table_name : str
        File that was studied.
    n_samples, n_groups : int
        Samples, and the holes or blocks that were held out.
    group_name : str
        What a group is: "hole" or "block".
    elements : sequence of str
        Elements that were estimated.
    units : mapping
        Element to its unit; "ppm" for others.
    n_dims : int
        2 or 3.
    conclusion : sequence of str
        Sentences to print instead of the written ones.
    chosen : str
        Method that inner folds chose, by its name in `scores`.
    reference : str
        Method whose CRPS is one.
    network : str
        Name of the network in `scores`; by default the first whose name says so.
    scores : DataFrame, optional
        Columns `element` ("all": mean over elements), `method`, `split` ("random rows", "whole
        holes held out"), `n`, `crps`, `crps_ratio`, `crps_ratio_low`, `crps_ratio_high`, `rmse`,
        `r2`, `coverage`; what is missing is left out.
    split : str
        Split that the conclusion rests on; by default the first that is not random.
    level : float
        Coverage that the intervals promise.
    predictions : DataFrame, optional
        Held-out predictions under that split: `element`, `method`, `easting`, `northing`,
        (`elevation`), `group`, `measured`, `estimate`, `low`, `high`.
    calibration : DataFrame, optional
        Coverage at many levels: `stated`, `observed`, optionally `low`, `high`, `method`.
    variograms : mapping
        Element to a mapping with "experimental" (DataFrame of lag, semivariance, n_pairs,
        direction), "model" (VariogramModel), "is_trusted", "reasons" (sequence of str), and
        optionally "unit" and "map" (VariogramMap).
    estimate : Dataset, optional
        Grid with dims (northing, easting) or (elevation, northing, easting) and the layers "E",
        "E_low", "E_high" and "E_departure" (network minus kriging) of elements E.
    samples, censored : DataFrame, optional
        `easting`, `northing`, (`elevation`), `group` and the elements; twin of flags.
    published : DataFrame, optional
        The published GCNN-RNN as written and with its leak removed: `protocol`, `r2`,
        `crps_ratio`, `coverage`, `note`.
    leaks : sequence
        Findings of the leakage report on it, or sentences.
    summary : DataFrame, optional
        One row an element: `element`, `n`, `below_detection`, `mean`, `declustered_mean`,
        `median`, `sd`, `cv`.
    n_unestimated : int
        Cells too far from any sample; they are NaN.
    quality : optional
        Report of the check of the table.
    methods : str
        Paragraphs to paste.
    citations : sequence of str
        References.
    manifest : mapping
        Facts of the run.
    """

    title: str
    table_name: str
    n_samples: int
    n_groups: int
    group_name: str
    elements: Sequence[str]
    units: Mapping[str, str] = field(default_factory=dict)
    n_dims: int = 2
    conclusion: Sequence[str] = ()
    chosen: str = ""
    reference: str = "ordinary kriging"
    network: str = ""
    scores: pd.DataFrame | None = None
    split: str = ""
    level: float = 0.9
    predictions: pd.DataFrame | None = None
    calibration: pd.DataFrame | None = None
    variograms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    estimate: xr.Dataset | None = None
    samples: pd.DataFrame | None = None
    censored: pd.DataFrame | None = None
    published: pd.DataFrame | None = None
    leaks: Sequence[Any] = ()
    summary: pd.DataFrame | None = None
    n_unestimated: int = 0
    quality: Any = None
    methods: str = ""
    citations: Sequence[str] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)


def tailings_report(findings: TailingsFindings) -> Report:
    """Page of a tailings study: conclusion, maps, trust, variograms, the template, data, methods.

    Parameters
    ----------
    findings : TailingsFindings
        What was found out.

    Returns
    -------
    report : Report
        For `gossan.report.write_report`.

    Examples
    --------
    >>> scores = pd.DataFrame({"element": "all", "method": ["ordinary kriging", "network"],
    ...                        "split": "whole holes held out", "crps_ratio": [1.0, 1.01],
    ...                        "crps_ratio_low": [1.0, 0.98], "crps_ratio_high": [1.0, 1.04]})
    >>> found = TailingsFindings(title="Dump", table_name="dump.csv", n_samples=439, n_groups=26,
    ...                          group_name="hole", elements=["Cu"], scores=scores,
    ...                          chosen="ordinary kriging")
    >>> print(tailings_report(found).conclusion[0])
    Kriging is as good as the network here: the network's error is 1 % higher (95 % interval: 2 % \
lower to 4 % higher), with whole holes held out.
    """
    findings = with_display_names(findings)
    return Report(
        title=findings.title,
        subtitle=_subtitle(findings),
        conclusion=list(findings.conclusion) or conclusion_of(findings),
        cards=element_cards(findings),
        sections=in_order(
            map_section(findings),
            trust=[trust_section(findings), published_section(findings)],
            why=[Section("", _WHY), variogram_section(findings)],
            data=_data_section(findings),
            methods=methods_section(findings.methods, findings.citations),
        ),
        manifest=findings.manifest,
        kind="Grades in tailings, dumps and soils",
    )


def _subtitle(findings: TailingsFindings) -> str:
    groups = count_of(findings.n_groups, findings.group_name) if findings.n_groups else ""
    return (
        f"{findings.table_name}: {count_of(findings.n_samples, 'sample')}"
        f"{f' of {groups}' if groups else ''}, {count_of(len(findings.elements), 'element')}, in"
        f" {findings.n_dims}D"
    )


def _data_section(findings: TailingsFindings) -> Section:
    blocks: list[Block] = []
    if findings.summary is not None and len(findings.summary):
        blocks.append(summary_table(findings.summary, findings.units, note=_DECLUSTERED))
    if findings.quality is not None:
        blocks += quality_blocks(findings.quality)
    return Section("The data", "The samples, and what the check of the table found.", blocks)
