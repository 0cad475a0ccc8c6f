"""Run a region study file: each section's function, and the order in which they are called.

A checked `Study` and a folder come in; the run folder, report first, goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import did_you_mean
from gossan.geostat.fitting import fit_variogram
from gossan.geostat.variogram import experimental_variogram
from gossan.prospectivity.map_targets import find_map_targets
from gossan.report import write_report
from gossan.report.prospect import prospect_report
from gossan.studies.judged import Judged, judge_methods
from gossan.studies.record import Study
from gossan.studies.region import sections
from gossan.studies.region.findings import occurrence_points, study_findings
from gossan.studies.region.mapping import make_cells, map_region, with_layers
from gossan.studies.region.methods import INDEX, SILENT, Wishes, make_methods
from gossan.studies.region.outputs import write_maps, write_model
from gossan.studies.region.source import learn_source, pretrainer
from gossan.studies.region.tables import Region, read_region
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.trials import Cells, Method, Plan, deal_blocks

TOP_KEYS: tuple[str, ...] = ()
SECTIONS: Mapping[str, Callable[..., Any]] = {
    "samples": sections.samples,
    "layers": sections.layers,
    "occurrences": sections.occurrences,
    "faults": sections.faults,
    "lithology": sections.lithology,
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
MAP_PAGE = "map.html"
MOST_BLOCKS_ACROSS = 5  # of the map: fewer, larger blocks could not be dealt into folds

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
    wanted = sections.needs_source(settings["methods"]["names"])
    if wanted and "source" not in settings:
        raise ValueError(
            f"{study.path}: {wanted[0]!r} learns from another district, and there is no section"
            " [source]. Add it, or leave the method out."
        )
    if settings["elements"]["level_by"] == "lithology" and "lithology" not in settings:
        raise ValueError(
            f'{study.path}: level_by = "lithology" needs a section [lithology]. Add it, with table ='
            " FILE."
        )
    if settings["background"]["rocks"] and "lithology" not in settings:
        raise ValueError(f"{study.path}: rocks needs a section [lithology]. Add it.")
    return settings


def check(study: Study) -> list[str]:
    """Problems that would stop the study before anything slow runs, a sentence each."""
    try:
        settings = settings_of(study)
        region = read_region(settings, study.path.parent)
        _index_channels(region, settings, study)
        cells = _cells(region, settings, field=1, n_patterns=0)
        deal_blocks(cells, make_plan(region, settings, field=_widest(settings)), 0)
    except (ValueError, OSError, ImportError) as error:
        return [str(error)]
    return []


def run(study: Study, target: Path, *, progress: Callable[[str], None] | None = None) -> Path:
    """Run the study into `target`; parts that an earlier run finished are not done again."""
    say = progress or (lambda _: None)
    settings = settings_of(study)
    say("reading and gridding")
    region = read_region(settings, study.path.parent)
    folder = RunFolder(target, owner=f"run of {study.path.name}")
    methods, cells, plan = _prepared(region, settings, study, say)
    judged = _judged(region, settings, methods, cells, plan, folder, say)
    say("the map")
    label_free = INDEX
    mapped = map_region(
        region, cells, methods[judged.choice.method],
        label_free=methods[label_free] if label_free != judged.choice.method else None,
        random_state=settings["methods"]["random_state"],
        attribution=settings["targets"]["attribution"],
    )  # fmt: skip
    grid = with_layers(region, mapped)
    for name in ("percentile", "label_free"):
        if name in grid:
            grid[name] = 100.0 * grid[name]
            grid[name].attrs["units"] = "%"
    say("targets")
    wanted = settings["targets"]
    found = find_map_targets(
        grid, share=wanted["share"], least=wanted["least"] or None, most=wanted["most"],
        known=region.occurrences.layer, gains=mapped.gains, names=region.channels,
    )  # fmt: skip
    say("report")
    notes = write_maps(folder, region, mapped, found.grid)
    notes += write_model(
        folder, region, mapped, clip=settings["elements"]["clip"], card=_card(study, judged, region)
    )
    _write_tables(folder, study, judged, region, found, settings)
    page = _write_map_page(folder, study, region, found, mapped)
    findings = study_findings(
        region, cells, plan, judged, mapped, title=study.title, grid=found.grid,
        targets=pd.DataFrame(found.table), targets_note=found.note, label_free=label_free,
        notes=notes, faults=None, map_file=page, manifest=_facts(folder),
    )  # fmt: skip
    write_report(folder.path / "report.html", prospect_report(findings))
    return folder.path
