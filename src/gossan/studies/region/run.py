"""Run a region study file: each section's function, and the order in which they are called.

A checked `Study` and a folder come in; the run folder, report first, goes out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gossan.data.grids.grid import spacing_of
from gossan.prospectivity.map_targets import find_map_targets
from gossan.report.prospect import prospect_report
from gossan.studies.judged import Judged, judge_methods
from gossan.studies.map_files import summary_of_map_run, target_table, write_targets
from gossan.studies.record import Study
from gossan.studies.region import sections
from gossan.studies.region.findings import study_findings
from gossan.studies.region.mapping import Mapped, make_cells, map_region, with_layers
from gossan.studies.region.methods import INDEX, SILENT, SINGLE, Wishes, make_methods
from gossan.studies.region.outputs import (
    occurrence_points,
    write_map_page,
    write_maps,
    write_model,
)
from gossan.studies.region.plan import index_channels, make_plan, single_channel
from gossan.studies.region.source import learn_source, pretrainer
from gossan.studies.region.tables import Region, read_region
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.trials import Cells, Method, Plan

TOP_KEYS: tuple[str, ...] = ()
SECTIONS: Mapping[str, Callable[..., Any]] = {
    "samples": sections.samples,
    "layers": sections.layers,
    "occurrences": sections.occurrences,
    "faults": sections.faults,
    "lithology": sections.lithology,
    "catchments": sections.catchments,
    "grid": sections.grid,
    "elements": sections.elements,
    "background": sections.background,
    "methods": sections.methods,
    "source": sections.source,
    "validate": sections.validate,
    "targets": sections.targets,
}
CALLED = ("grid", "elements", "background", "methods", "validate", "targets", "occurrences")
ALWAYS = ("grid", "elements", "background", "methods", "validate", "targets")

Settings = dict[str, dict[str, Any]]


def settings_of(study: Study) -> Settings:
    """The arguments of each section, complete; a section that is not there has its defaults."""
    given = study.sections
    if "samples" not in given and "layers" not in given:
        raise ValueError(
            f"{study.path}: there is neither a section [samples] nor [layers]. Add one: samples with"
            ' table = "FILE", or layers with files = ["*.tif"].'
        )
    if "occurrences" not in given:
        raise ValueError(
            f'{study.path}: there is no section [occurrences]. Add it, with table = "FILE".'
        )
    named = [name for name in SECTIONS if name in given or name in ALWAYS]
    settings = {name: SECTIONS[name](**given.get(name, {})) for name in named}
    chosen = settings["methods"]
    if not chosen["names"]:
        has_source = "source" in settings
        chosen["names"] = sections.usual_methods(chosen["choose"], has_source=has_source)
    wanted = sections.needs_source(settings["methods"]["names"])
    if wanted and "source" not in settings:
        raise ValueError(
            f"{study.path}: {wanted[0]!r} learns from another district, and there is no section"
            " [source]. Add it, or leave the method out."
        )
    sections.check_levelling(study.path, settings)
    if settings["background"]["rocks"] and "lithology" not in settings:
        raise ValueError(f"{study.path}: rocks needs a section [lithology]. Add it.")
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
    say("reading and gridding")
    region = read_region(settings, study.path.parent)
    folder = opened(target, owner=f"run of {study.path.name}")
    methods, cells, plan = _prepared(region, settings, study, say)
    judged = _judged(region, settings, methods, cells, plan, folder=folder, say=say)
    say("the map")
    mapped = _mapped(region, cells, methods, judged, settings, folder=folder)
    grid = with_layers(region, mapped)
    say("targets")
    wanted = settings["targets"]
    found = find_map_targets(
        grid, share=wanted["share"], least=wanted["least"] or 4 * cell_km2(grid),
        support="is_supported", spread="spread" if "spread" in grid else None,
        stability="stability" if "stability" in grid else None,
        known=occurrence_points(region)[["easting", "northing"]].to_numpy(dtype=float),
        attribution=None if mapped.gains is None
        else dict(zip(region.channels, mapped.gains, strict=True)),
    )  # fmt: skip
    targets = target_table(found, wanted["most"])
    say("report")
    notes = [single_channel(region, settings, study)[1]]
    notes += write_maps(folder, region, mapped, grid)
    if mapped.model is not None:
        notes += write_model(
            folder, region, mapped, clip=settings["elements"]["clip"],
            card=_card(study, judged, region),
        )  # fmt: skip
    notes += write_targets(folder, found.head(wanted["most"]))
    page = write_map_page(
        folder, region, mapped, grid, found.head(wanted["most"]), title=study.title
    )
    findings = study_findings(
        region, cells, plan, judged, mapped, title=study.title, grid=grid, targets=targets,
        targets_note=_targets_note(found, wanted), label_free=INDEX, notes=notes,
        faults=region.faults, map_file=page, manifest={},
    )  # fmt: skip
    missed = findings.occurrence_table if findings.occurrence_table is not None else pd.DataFrame()
    _write_tables(
        folder, study, judged, region, targets=targets, missed=missed, names=list(methods)
    )
    manifest = json.loads((folder.path / "manifest.json").read_text(encoding="utf-8"))
    folder.write_report("report.html", prospect_report(replace(findings, manifest=manifest)))
    return folder.path


def _mapped(
    region: Region,
    cells: Cells,
    methods: dict[str, Method],
    judged: Judged,
    settings: Settings,
    *,
    folder: RunFolder,
) -> Mapped:
    """Return the map: made anew or, where only what is kept may be used, without its model."""
    chosen, wanted = judged.choice.method, settings["targets"]["attribution"]
    depends = {
        "windows": fingerprint(pd.DataFrame(cells.windows.reshape(len(cells.windows), -1))),
        "chosen": chosen,
        "methods": settings["methods"],
        "attribution": wanted,
    }
    if folder.only_kept:
        kept = folder.kept("map", depends)
        if kept is None:
            folder.refuse("map")
        return Mapped(None, kept, kept.pop("gains", None))
    mapped = map_region(
        region, cells, methods[chosen],
        label_free=methods[INDEX] if chosen != INDEX else None,
        random_state=settings["methods"]["random_state"], attribution=wanted,
    )  # fmt: skip
    gains = {} if mapped.gains is None else {"gains": mapped.gains}
    folder.keep_once("map", depends, {**mapped.layers, **gains})
    return mapped


def summarise(folder: Path) -> str:
    """The scores of a run and its first targets, a line each."""
    return summary_of_map_run(folder, known="occurrence")


def cell_km2(grid: xr.Dataset) -> float:
    """Area of a cell [km2]."""
    return float(np.prod(spacing_of(grid)) / 1e6)


def _prepared(
    region: Region, settings: Settings, study: Study, say: Callable[[str], None]
) -> tuple[dict[str, Method], Cells, Plan]:
    """Return the methods, the cells they learn from, and how is held out."""
    chosen, drawn = settings["methods"], settings["background"]
    seed = chosen["random_state"]
    pathfinders, against = index_channels(region, settings, study)
    source = None
    if "source" in settings:
        say("learning the source district")
        source, _ = learn_source(
            settings, region, study.path.parent, most_cells=chosen["most_cells"], random_state=seed
        )
    single, _ = single_channel(region, settings, study)
    wishes = Wishes(
        region.channels, pathfinders, against, single, n_draws=drawn["n_draws"],
        per_positive=drawn["per_positive"], random_state=seed, source=source,
        pretrained=pretrainer(
            region, seed, core=settings["elements"]["core"], ring=settings["elements"]["ring"]
        ),
    )  # fmt: skip
    methods = make_methods([n for n in chosen["names"] if single or n != SINGLE], wishes)
    field = max(method.field for method in methods.values())
    cells = cells_of(region, settings, field=field, n_patterns=settings["validate"]["n_nulls"])
    return methods, cells, make_plan(region, settings, field=field)


def cells_of(region: Region, settings: Settings, *, field: int, n_patterns: int) -> Cells:
    """Cells that are learnt from and ranked, as the study file asks."""
    told = settings["background"]
    return make_cells(
        region, field=field, most_cells=settings["methods"]["most_cells"], n_patterns=n_patterns,
        buffer=told["buffer"], rocks=told["rocks"],
        random_state=settings["methods"]["random_state"],
    )  # fmt: skip


def _judged(
    region: Region,
    settings: Settings,
    methods: dict[str, Method],
    cells: Cells,
    plan: Plan,
    *,
    folder: RunFolder,
    say: Callable[[str], None],
) -> Judged:
    depends = {
        "windows": fingerprint(pd.DataFrame(cells.windows.reshape(len(cells.windows), -1))),
        "y": fingerprint(pd.DataFrame({"y": cells.y, "teach": cells.may_teach})),
        "patterns": fingerprint(pd.DataFrame(cells.patterns)),
        "plan": str(plan),
        "settings": {
            name: settings[name]
            for name in ("elements", "background", "methods")
            if name in settings
        }
        | {"source": settings.get("source"), "words": settings["occurrences"]["words"]},
    }
    return judge_methods(
        cells, methods, plan, silent=SILENT, label_free=INDEX, area_km2=region.area,
        choose=settings["methods"]["choose"], folder=folder, depends=depends, say=say,
    )  # fmt: skip


def _targets_note(found: pd.DataFrame, wanted: Mapping[str, Any]) -> str:
    small = found.attrs.get("n_small", 0)
    told = (
        f"Targets are connected cells of the best {100 * wanted['share']:g} % of the supported area, in"
        " the order of their mean score, which is a rank and no chance of ore."
    )
    if len(found) > wanted["most"]:
        told += f" {len(found) - wanted['most']} lower ones are not shown."
    return told + (f" {small} smaller ones were left out." if small else "")


def _card(study: Study, judged: Judged, region: Region) -> dict[str, Any]:
    """What a reader of the model must know."""
    return {
        "title": study.title,
        "method": judged.choice.method,
        "trained_on": dict(region.files),
        "held_out": judged.sentence,
        "use": "Rasters of the same elements, units and cell size; a score is a rank, not a rate.",
    }


def _write_tables(
    folder: RunFolder,
    study: Study,
    judged: Judged,
    region: Region,
    *,
    targets: pd.DataFrame,
    missed: pd.DataFrame,
    names: list[str],
) -> None:
    tables = {
        "scores.csv": judged.scores,
        "comparisons.csv": judged.comparisons,
        "capture.csv": judged.curves,
        "null.csv": judged.null,
        "targets.csv": targets,
        "occurrences.csv": missed,
    }
    folder.write_tables(tables, also_empty=("targets.csv",))
    if region.quality is not None:
        folder.write_text("quality.txt", f"{region.quality}\n")
    folder.write_text("study.toml", study.text)
    folder.write_manifest(
        {
            "study": study.kind,
            "title": study.title,
            "tables": region.files,
            "crs": region.crs,
            "layers_sha256": fingerprint(
                pd.DataFrame(region.volume.reshape(len(region.volume), -1))
            ),
            "chosen": judged.choice.method,
            "why": judged.choice.why,
            "sentence": judged.sentence,
            "methods": names,
            "left_out": region.left_out,
        }
    )
