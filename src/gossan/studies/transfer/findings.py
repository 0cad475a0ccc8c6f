"""What a transfer study found out, gathered for its report.

Sites, ground, the verdict on all methods and the map come in; a `Report` goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from gossan.data.grids.grid import spacing_of
from gossan.report._writing import count_of, join_words
from gossan.report.page import Report
from gossan.report.prospect import ProspectFindings, prospect_report
from gossan.studies.judged import missed_table
from gossan.studies.map_files import MAP_PAGE
from gossan.studies.transfer.judging import Verdict
from gossan.studies.transfer.mapping import Layers, Mapped
from gossan.studies.transfer.methods import FLOOR, UNTAUGHT
from gossan.studies.transfer.outputs import site_points
from gossan.studies.transfer.trial import Trial, describe
from gossan.studies.transfer.trust import coordinate_sentence, label_section, level_section
from gossan.validation.few_labels import paired_gain
from gossan.validation.leakage import Leak

CITATIONS = (
    "Mantilla-Dulcey et al. 2024, Gondwana Research, doi:10.1016/j.gr.2024.09.004 (the method).",
    "Roberts et al. 2017, Ecography 40, 913-929, doi:10.1111/ecog.02881 (blocks).",
    (
        "Airola et al. 2019, Data Min. Knowl. Discov. 33, 730-747, doi:10.1007/s10618-018-00607-x"
        " (ranks of held-out places)."
    ),
)


@dataclass(frozen=True, eq=False)
class Found:
    """Everything that the report of a transfer study tells.

    Attributes
    ----------
    title : str
    trial : Trial
    verdict : Verdict
    leaks : list of Leak
    blocks, levels : DataFrame
        Of `trust`.
    pretext : str
        What networks learn first.
    files : mapping
        Role to file.
    notes : list of str
    layers : Layers or None
    mapped : Mapped or None
    targets : DataFrame or None
    targets_note : str
    """

    title: str
    trial: Trial
    verdict: Verdict
    leaks: Sequence[Leak]
    blocks: pd.DataFrame
    levels: pd.DataFrame
    pretext: str
    files: Mapping[str, str]
    notes: Sequence[str]
    layers: Layers | None = None
    mapped: Mapped | None = None
    targets: pd.DataFrame | None = None
    targets_note: str = ""


def study_report(found: Found, manifest: Mapping[str, Any]) -> Report:
    """The page of a transfer study.

    Parameters
    ----------
    found : Found
    manifest : mapping
        Facts of the run.

    Returns
    -------
    report : Report
    """
    page = prospect_report(study_findings(found, manifest))
    sites, ground = found.trial.sites, found.trial.ground
    told = [
        (
            f"{count_of(len(sites.occurrences), 'labelled deposit')} and"
            f" {count_of(int((sites.y == 0).sum()), 'barren site')}"
        ),
        f"{len(sites.names)} columns of evidence",
        "no background" if ground is None else f"{len(ground.X):,} background rows",
    ]
    if found.layers is not None:
        told.append(f"a map of {len(found.layers.cells):,} cells")
    return replace(page, subtitle=", ".join(told))


def study_findings(found: Found, manifest: Mapping[str, Any]) -> ProspectFindings:
    """Gather what the report shows.

    Parameters
    ----------
    found : Found
    manifest : mapping

    Returns
    -------
    findings : ProspectFindings
    """
    trial, judged, layers = found.trial, found.verdict.judged, found.layers
    sites, ground = trial.sites, trial.ground
    size = None if layers is None else spacing_of(layers.grid)
    missed = None
    if ground is not None:
        at = sites.occurrences
        missed = missed_table(
            judged, [sites.titles[row] for row in at], sites.coords[at], sites.counts[at]
        )
    return ProspectFindings(
        title=found.title,
        kind="Prospectivity with few labelled deposits",
        table_names=found.files,
        n_cells=0 if layers is None else len(layers.cells),
        area_km2=0.0 if layers is None else layers.area,
        cell=None if size is None else (size[0], size[1]),
        n_occurrences=len(sites.occurrences),
        n_background=0 if ground is None else len(ground.X),
        variables=list(sites.names),
        recommended=judged.choice.method,
        advice=judged.choice.why,
        ties=judged.choice.ties,
        label_free=UNTAUGHT,
        distance=FLOOR,
        sentence=" ".join(
            told
            for told in (judged.sentence, coordinate_sentence(found.blocks, trial.plan.block_size))
            if told
        ),
        null_words=null_words(found),
        scores=judged.scores,
        comparisons=judged.comparisons,
        curves=judged.curves,
        null=judged.null if len(judged.null) else None,
        folds_words=describe(trial.plan),
        leaks=[*found.leaks, *pretext_words(found)],
        occurrence_table=missed,
        extra=[label_section(found.verdict.labels, found.blocks), level_section(found.levels)],
        grid=None if found.mapped is None else found.mapped.grid,
        occurrences=site_points(sites).query("is_known"),
        targets=found.targets,
        targets_note=found.targets_note,
        map_file="" if found.mapped is None else MAP_PAGE,
        notes=[*sites.notes, *([] if ground is None else ground.notes), *found.notes],
        left_out=sites.left_out,
        methods=methods_text(found),
        citations=CITATIONS,
        manifest=manifest,
    )


def null_words(found: Found) -> str:
    """Say how fakes were made where the background has no coordinates to lay a pattern on."""
    ground = found.trial.ground
    if ground is not None and ground.coords is not None:
        return ""
    return (
        "Labels dealt anew to the sites, as often as the real ones, tested in the same way. What they"
        " score is owed to the test, not to ore."
    )


def pretext_words(found: Found) -> list[Leak]:
    """Say what pretraining saw, and what it adds, paired by partition; nothing is claimed beyond."""
    held = found.verdict.held
    told = []
    if found.trial.ground is not None and found.pretext in {"masked", "autoencoder"}:
        told.append(
            "Networks were pretrained on the background rows that deposits are ranked"
            " among, and blends rank by them (transductive). No label takes part in that."
        )
    if ("blocks", "pretrained net") in held and ("blocks", "net") in held:
        gain = paired_gain(held["blocks", "pretrained net"], held["blocks", "net"], measure="auc")
        sure = gain.n_better == gain.n_partitions and gain.n_partitions >= 5 and gain.mean > 0.01
        told.append(
            f"The pretext task ({found.pretext}) changes the AUC of the same network against labelled"
            f" negatives by {gain}" + ("." if sure else ": no gain that can be relied on.")
        )
    if found.pretext == "classes" or any("gcp" in name for _, name in held):
        told.append(
            "A pretext task of geological classes is not known to help: on the published data it did"
            " harm (AUC 0.59 to 0.66 in blocks)."
        )
    return [Leak("pretext task", "note", 0, sentence) for sentence in told]


def methods_text(found: Found) -> str:
    """Paragraph to paste."""
    trial, judged = found.trial, found.verdict.judged
    sites, ground = trial.sites, trial.ground
    among = (
        "negatives of the same fold" if ground is None
        else f"{len(ground.X):,} unlabelled rows of the background"
    )  # fmt: skip
    fakes = ""
    if len(judged.null):
        moved = ground is not None and ground.coords is not None
        how = (
            "the pattern of the deposits turned, shifted and laid on the background anew"
            if moved
            else "labels dealt anew to the sites"
        )
        fakes = f" Scores were held against {int(judged.null['n_nulls'].max())} fakes: {how}."
    return (
        f"{len(sites.rows.y)} labelled rows are {len(sites.y)} sites ({len(sites.occurrences)}"
        " deposits): rows of one place or of the same evidence count once. Evidence:"
        f" {join_words(list(sites.names))}. Methods were compared by random folds and"
        f" {describe(trial.plan)}; each held-out deposit was ranked among {among} by the one model that"
        " had not seen its block. Scores of different folds are never pooled. Intervals draw whole"
        f" camps again.{fakes} The method of choice is {judged.choice.method!r}: the simplest within"
        " 0.01 of the best held-out AUC."
    )
