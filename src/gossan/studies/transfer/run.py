"""Run a transfer study file: each section's function, and the order in which they are called.

A checked `Study` and a folder come in; the run folder, report first, goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan.prospectivity.map_targets import find_map_targets
from gossan.studies.map_files import (
    summary_of_map_run,
    target_table,
    write_score_raster,
    write_targets,
)
from gossan.studies.record import Study
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.transfer import sections
from gossan.studies.transfer.findings import Found, study_report
from gossan.studies.transfer.judging import judge
from gossan.studies.transfer.keeping import Keeper
from gossan.studies.transfer.mapping import (
    MADE,
    Layers,
    Mapped,
    fit_on,
    make_map,
    with_layers,
)
from gossan.studies.transfer.methods import NEED_CLASSES, NEED_PRETEXT, Recipe
from gossan.studies.transfer.outputs import (
    BANDS,
    MAPS,
    cell_size_of,
    write_map_page,
    write_model,
)
from gossan.studies.transfer.preparing import Prepared, Settings, prepare, recipes_of
from gossan.studies.transfer.trial import Trial
from gossan.studies.transfer.trust import block_table, leaks_of, level_table

TOP_KEYS: tuple[str, ...] = ()
SECTIONS: Mapping[str, Callable[..., Any]] = {
    "labels": sections.labels,
    "background": sections.background,
    "pretext": sections.pretext,
    "methods": sections.methods,
    "validate": sections.validate,
    "map": sections.map_rasters,
    "targets": sections.targets,
}
CALLED = tuple(SECTIONS)
ALWAYS = ("background", "pretext", "methods", "validate", "targets")


def settings_of(study: Study) -> Settings:
    """The arguments of each section, complete; a section that is not there has its defaults."""
    given = study.sections
    if "labels" not in given:
        raise ValueError(
            f'{study.path}: there is no section [labels]. Add it, with table = "FILE" and label ='
            ' "COLUMN".'
        )
    named = [name for name in SECTIONS if name in given or name in ALWAYS]
    settings: Settings = {name: SECTIONS[name](**given.get(name, {})) for name in named}
    ground = settings["background"]
    if ground["table"] and ground["rasters"]:
        raise ValueError(
            f"{study.path}: [background] names a table, {ground['table']!r}, and rasters. Keep one of"
            " the two: rows of the ground are read, or drawn."
        )
    names, told = settings["methods"]["names"], settings["pretext"]
    wanted = [name for name in names if name in NEED_CLASSES]
    if wanted and not told["classes"]:
        raise ValueError(
            f"{study.path}: {wanted[0]!r} learns geological classes first, and [pretext] names no table"
            ' of them. Add classes = "FILE" and column = "...", or leave the method out.'
        )
    if told["method"] == "none":
        settings["methods"]["names"] = tuple(n for n in names if n not in NEED_PRETEXT)
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
    say("reading")
    prepared = prepare(study, settings)
    folder = opened(target, owner=f"run of {study.path.name}")
    folder.remove(*MAPS)
    trial, chosen = prepared.trial, settings["methods"]
    recipes = recipes_of(prepared, settings)
    seeds = tuple(chosen["random_state"] + i for i in range(chosen["n_seeds"]))
    keeper = Keeper(folder, trial, seeds, _depends(prepared, settings))
    verdict = judge(
        keeper, recipes, n_nulls=settings["validate"]["n_nulls"], choose=chosen["choose"],
        has_map=prepared.layers is not None, say=say,
    )  # fmt: skip
    say("what leaks")
    leaks = leaks_of(
        trial, scaling=chosen["scaling"], published=prepared.published,
        name=Path(settings["validate"]["published"]).name,
    )  # fmt: skip
    blocks = block_table(trial, scaling=chosen["scaling"])
    levels = pd.DataFrame()
    if settings["validate"]["label_levels"]:
        say("fewer labels")
        levels = level_table(keeper, recipes, settings["validate"]["label_levels"])
    name = verdict.judged.choice.method
    mapped, targets, note, notes = _mapped(
        folder,
        study,
        prepared,
        recipes[name],
        settings,
        name=name,
        sentence=verdict.judged.sentence,
        say=say,
    )
    say("report")
    found = Found(
        title=study.title, trial=trial, verdict=verdict, leaks=leaks, blocks=blocks, levels=levels,
        pretext=settings["pretext"]["method"], files=_files(settings),
        notes=[*prepared.notes, *notes], layers=prepared.layers, mapped=mapped, targets=targets,
        targets_note=note,
    )  # fmt: skip
    manifest = _write_tables(folder, study, found, names=list(recipes))
    folder.write_report("report.html", study_report(found, manifest))
    return folder.path


def _mapped(
    folder: RunFolder,
    study: Study,
    prepared: Prepared,
    recipe: Recipe,
    settings: Settings,
    *,
    name: str,
    sentence: str,
    say: Callable[[str], None],
) -> tuple[Mapped | None, pd.DataFrame | None, str, list[str]]:
    """Make and write the map with its targets, and save the model; without rasters the model alone."""
    trial, layers, seed = prepared.trial, prepared.layers, settings["methods"]["random_state"]
    card = {"title": study.title, "method": name, "trained_on": trial.sites.source,
            "held_out": sentence, "use": "Rasters of the same evidence; a score is a rank."}  # fmt: skip
    if layers is None and folder.only_kept:
        return None, None, "", []
    if layers is None:
        model = fit_on(trial, recipe, np.arange(len(trial.sites.y)), seed)
        notes = write_model(
            folder, model, trial.sites, name=name, card=card, cell_size=None, reads=recipe.reads
        )
        return None, None, "", notes
    say("the map")
    depends = {**_depends(prepared, settings), "method": name, "seed": seed,
               "layers": fingerprint(pd.DataFrame(layers.X))}  # fmt: skip
    mapped = _map_of(folder, depends, trial, recipe, layers, random_state=seed)
    wanted, known = settings["targets"], trial.sites.coords[trial.sites.occurrences]
    cell = layers.area / len(layers.cells)
    found = find_map_targets(
        mapped.grid, share=wanted["share"], least=wanted["least"] or 4 * cell,
        support="is_supported", spread="spread", stability="stability", known=known,
    )  # fmt: skip
    shown = found.head(wanted["most"])
    notes = write_score_raster(folder, mapped.grid[list(BANDS)]) + write_targets(folder, shown)
    if mapped.model is not None:
        notes += write_model(
            folder, mapped.model, trial.sites, name=name, card=card,
            cell_size=cell_size_of(mapped), reads=recipe.reads,
        )  # fmt: skip
    write_map_page(folder, mapped, trial.sites, shown, title=study.title)
    note = f"Targets are connected cells of the best {wanted['share']:.0%} of the scored area."
    if len(found) > wanted["most"]:
        note += f" {len(found) - wanted['most']} lower ones are not shown."
    return mapped, target_table(found, wanted["most"]), note, notes


def _map_of(
    folder: RunFolder,
    depends: Mapping[str, Any],
    trial: Trial,
    recipe: Recipe,
    layers: Layers,
    *,
    random_state: int,
) -> Mapped:
    """Return the map: made anew or, where only what is kept may be used, without its model."""
    if folder.only_kept:
        kept = folder.kept("map", depends)
        if kept is None:
            folder.refuse("map")
        return Mapped(None, with_layers(layers, kept))
    mapped = make_map(trial, recipe, layers, random_state=random_state)
    folder.keep_once("map", depends, {name: mapped.grid[name].to_numpy() for name in MADE})
    return mapped


def summarise(folder: Path) -> str:
    """The scores of a run and its first targets, a line each."""
    return summary_of_map_run(folder, known="deposit")


def _depends(prepared: Prepared, settings: Settings) -> dict[str, Any]:
    """Return all that kept parts depend on."""
    trial, classed = prepared.trial, prepared.classed
    sites, ground = trial.sites, trial.ground
    return {
        "sites": fingerprint(pd.DataFrame(np.column_stack([sites.X, sites.y, sites.coords]))),
        "ground": "" if ground is None else fingerprint(pd.DataFrame(ground.X)),
        "places": ""
        if ground is None or ground.coords is None
        else fingerprint(pd.DataFrame(ground.coords)),
        "classes": ""
        if classed is None
        else fingerprint(pd.DataFrame(classed[0]).assign(kind=classed[1])),
        "plan": str(trial.plan),
        "settings": {
            "pretext": settings["pretext"]["method"],
            **{key: settings["methods"][key] for key in ("scaling", "epochs", "n_members")},
        },
    }


def _files(settings: Settings) -> dict[str, str]:
    """Return role to file."""
    found = {"labels": settings["labels"]["table"]}
    told = settings["background"]
    found["background"] = told["table"] or ", ".join(told["rasters"])
    found["classes"] = settings["pretext"]["classes"]
    found["map"] = ", ".join(settings.get("map", {}).get("rasters", []))
    found["published validation"] = settings["validate"]["published"]
    return {role: name for role, name in found.items() if name}


def _write_tables(
    folder: RunFolder, study: Study, found: Found, *, names: list[str]
) -> dict[str, Any]:
    """Write tables, the study file and the manifest; return the latter."""
    judged, sites = found.verdict.judged, found.trial.sites
    tables = {
        "scores.csv": judged.scores,
        "label_scores.csv": found.verdict.labels,
        "comparisons.csv": judged.comparisons,
        "capture.csv": judged.curves,
        "null.csv": judged.null,
        "blocks.csv": found.blocks,
        "levels.csv": found.levels,
        "leaks.csv": pd.DataFrame([vars(leak) for leak in found.leaks]),
        "held_out.csv": held_out_table(found),
        "targets.csv": pd.DataFrame() if found.targets is None else found.targets,
    }
    folder.write_tables(tables, also_empty=() if found.targets is None else ("targets.csv",))
    folder.write_text("study.toml", study.text)
    return folder.write_manifest(
        {
            "study": study.kind,
            "title": study.title,
            "tables": dict(found.files),
            "crs": sites.crs,
            "evidence": list(sites.names),
            "n_deposits": len(sites.occurrences),
            "n_barren": int((sites.y == 0).sum()),
            "chosen": judged.choice.method,
            "why": judged.choice.why,
            "sentence": judged.sentence,
            "methods": names,
            "notes": [*sites.notes, *found.notes],
            "left_out": sites.left_out,
        }
    )


def held_out_table(found: Found) -> pd.DataFrame:
    """Sites with the mean rank of each deposit when its block was held out.

    Parameters
    ----------
    found : Found

    Returns
    -------
    table : DataFrame
        `name`, `easting`, `northing` [m], `label`, `rows`, and for deposits `camp` and `share` (of the
        ground that ranks above).
    """
    sites, judged = found.trial.sites, found.verdict.judged
    table = pd.DataFrame(
        {"name": sites.titles, "easting": sites.coords[:, 0], "northing": sites.coords[:, 1],
         "label": sites.y, "rows": sites.counts}
    )  # fmt: skip
    at = sites.occurrences
    table.loc[at, "camp"] = judged.camps + 1
    table.loc[at, "share"] = judged.held_out(judged.choice.method)
    return table
