"""Run a deposit study file: each section's function, and the order in which they are called.

A checked `Study` and a folder come in; the run folder, report first, goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan.report.deposit import deposit_report
from gossan.studies.composites import AXES
from gossan.studies.deposit import sections
from gossan.studies.deposit.findings import Trust, study_findings
from gossan.studies.deposit.indicators import quietly
from gossan.studies.deposit.mapping import (
    Scores,
    make_map,
    plan_holes,
    rank_targets,
    score_rock,
)
from gossan.studies.deposit.methods import SILENT
from gossan.studies.deposit.outputs import SCENE, write_map, write_view
from gossan.studies.deposit.tables import Field, read_field
from gossan.studies.deposit.validation import deal_folds, fingerprint_grid, validate
from gossan.studies.record import Study
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.shared_sections import impute

TOP_KEYS: tuple[str, ...] = ()
SECTIONS: Mapping[str, Callable[..., Any]] = {
    "holes": sections.holes,
    "ore": sections.ore,
    "faults": sections.faults,
    "ground": sections.ground,
    "impute": impute,
    "indicators": sections.indicators,
    "grid": sections.grid,
    "methods": sections.methods,
    "validate": sections.validate,
    "targets": sections.targets,
}
CALLED = ("ore", "ground", "impute", "indicators", "grid", "methods", "validate", "targets")
NEEDED = {"holes": 'collar = "FILE" and assay = "FILE"', "ore": "cutoff = NUMBER"}
TRACE_STEP = 10.0  # m
RANKED_BY = ("medium", "high", "new_ground", "reach", "least", "rank_by")

Settings = dict[str, dict[str, Any]]


def settings_of(study: Study) -> Settings:
    """The arguments of each section, complete; a section that is not there has its defaults."""
    for name, keys in NEEDED.items():
        if name not in study.sections:
            raise ValueError(f"{study.path}: there is no section [{name}]. Add it, with {keys}.")
    named = [name for name in SECTIONS if name in study.sections or name in CALLED]
    settings = {name: SECTIONS[name](**study.sections.get(name, {})) for name in named}
    if settings["methods"]["choose"] == "distance to fault" and "faults" not in settings:
        raise ValueError(
            f'{study.path}: [methods] choose = "distance to fault" needs faults, and there is no'
            " section [faults]. Add it, with table = FILE, or choose another method."
        )
    return settings


def run(
    study: Study,
    target: Path,
    *,
    progress: Callable[[str], None] | None = None,
    opened: Callable[..., RunFolder] = RunFolder,
) -> Path:
    """Run the study into `target`; parts that an earlier run finished are not done again."""
    say = progress or (lambda _: None)
    settings = settings_of(study)
    say("reading the tables")
    field = read_field(settings, study.path.parent)
    folder = opened(target, owner=f"run of {study.path.name}")
    trust = _trust(field, settings, folder, say)
    scores = _scores(field, settings, trust, folder, say)
    say("targets")
    wanted = settings["targets"]
    grid, cube = make_map(field.campaign, scores, reach=wanted["reach"])
    targets = rank_targets(field.campaign, grid, scores, **{key: wanted[key] for key in RANKED_BY})
    collars = plan_holes(targets, field.ground, dip=wanted["dip"], most=wanted["most"])
    traces = quietly(field.composites.holes.traces, step=TRACE_STEP).dropna(subset=list(AXES))
    say("report")
    notes = write_map(folder, field, targets, collars, traces)
    write_view(folder, field, targets, collars, traces, title=study.title)
    findings = study_findings(
        field, trust, title=study.title, grid=targets.grid, targets=targets, collars=collars,
        fitted=cube.fitted, indicator_notes=[*cube.notes, *notes], traces=traces, scene=SCENE,
        rule=_rule(field), reach=wanted["reach"],
    )  # fmt: skip
    manifest = _write(folder, study, field, trust, settings)
    folder.write_report("report.html", deposit_report(replace(findings, manifest=manifest)))
    return folder.path


def summarise(folder: Path) -> str:
    """The scores of a run and its first targets, a line each."""
    lines = ["Nothing was held out: no method was tried."]
    if (folder / "scores.csv").exists():
        scores = pd.read_csv(folder / "scores.csv")
        lines = [f"{'method':20s} {'protocol':9s} AUC (95 %)             AP    ore in the best 1 %"]
        lines += [
            f"{row.method:20s} {row.protocol:9s} {row.auc:.3f}"
            f" ({row.auc_low:.3f}-{row.auc_high:.3f})   {row.ap:.2f}  {row.capture_1:.0%}"
            for row in scores.itertuples()
        ]
    targets = pd.read_csv(folder / "targets.csv")
    lines.append(f"{len(targets)} targets" + (", the first:" if len(targets) else "."))
    lines += [
        f"  {row.target}, {row.kind}: {row.easting:,.0f} E {row.northing:,.0f} N, {row.bottom:,.0f} to"
        f" {row.top:,.0f} m, {row.volume / 1e6:.2f} million m³, {row.why}"
        for row in targets.head(4).itertuples()
    ]
    return "\n".join(lines)


def _seeds(settings: Settings) -> list[int]:
    first = settings["methods"]["random_state"]
    return [first + number for number in range(settings["methods"]["n_seeds"])]


def _trust(
    field: Field, settings: Settings, folder: RunFolder, say: Callable[[str], None]
) -> Trust:
    told, chosen = settings["validate"], settings["methods"]
    folds, notes = deal_folds(
        field.campaign, told["protocols"], n_splits=told["n_splits"],
        block_size=told["block_size"], random_state=chosen["random_state"],
    )  # fmt: skip
    return validate(
        field.campaign, folds, names=chosen["names"], choose=chosen["choose"],
        seeds=_seeds(settings), most_cells=chosen["most_cells"], n_nulls=told["n_nulls"],
        n_jobs=told["n_jobs"], folder=folder, notes=notes, progress=say,
    )  # fmt: skip


def _scores(
    field: Field,
    settings: Settings,
    trust: Trust,
    folder: RunFolder,
    say: Callable[[str], None],
) -> Scores:
    """Return the scores of all rock, from the folder if an earlier run left them there."""
    chosen = settings["methods"]
    campaign = field.campaign
    names = [name for name in chosen["names"] if name not in SILENT]
    depends = {
        "composites": fingerprint(campaign.composites),
        "grid": fingerprint_grid(campaign.grid),
        "settings": str(campaign.settings),
        "ore": settings["ore"],
        "chosen": trust.chosen,
        "names": names,
        "seeds": _seeds(settings),
        "most_cells": chosen["most_cells"],
    }

    def compute() -> dict[str, np.ndarray]:
        made = score_rock(
            campaign, trust.chosen, names=names, seeds=_seeds(settings),
            most_cells=chosen["most_cells"], n_jobs=settings["validate"]["n_jobs"], progress=say,
        )  # fmt: skip
        return {"chosen": made.chosen, **{f"by {name}": each for name, each in made.others.items()}}

    arrays = folder.part("map", depends, compute)
    others = {name[3:]: each for name, each in arrays.items() if name.startswith("by ")}
    return Scores(arrays["chosen"], others)


def _rule(field: Field) -> str:
    drilled = field.campaign.drilled()
    labels = drilled.label(np.ones(len(drilled.coords), dtype=bool))
    return str(labels)


def _write(
    folder: RunFolder, study: Study, field: Field, trust: Trust, settings: Settings
) -> dict[str, Any]:
    tables = {
        "scores.csv": trust.scores,
        "comparisons.csv": trust.comparisons,
        "folds.csv": trust.folds,
        "null.csv": trust.null,
        "composites.csv": field.composites.table,
        "changes.csv": field.composites.holes.changes,
    }
    folder.write_tables(tables)
    folder.write_text("quality.txt", f"{field.composites.report}\n")
    folder.write_text("study.toml", study.text)
    return folder.write_manifest(
        {
            "study": study.kind,
            "title": study.title,
            "tables": field.files,
            "composites_sha256": fingerprint(field.composites.table),
            "chosen": trust.chosen,
            "methods": list(settings["methods"]["names"]),
            "left_out": field.composites.left_out,
        }
    )
