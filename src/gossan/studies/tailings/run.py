"""Run a tailings study file: each section's function, and the order in which they are called.

A checked `Study` and a folder come in; the run folder, report first, goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from gossan.data.assays import read_assays
from gossan.data.grids.files import write_grid
from gossan.models.blending import blend_quantiles, blend_weights
from gossan.report.tailings import tailings_report
from gossan.studies.record import Study
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.shared_sections import impute
from gossan.studies.tailings import sections
from gossan.studies.tailings.findings import study_findings
from gossan.studies.tailings.holes import read_hole_samples
from gossan.studies.tailings.maps import (
    cells_near,
    estimate,
    fill_grid,
    grid_of,
    grid_of_places,
    table_of,
)
from gossan.studies.tailings.methods import LEVELS, NAMES, applicable
from gossan.studies.tailings.published import published_template
from gossan.studies.tailings.samples import Samples
from gossan.studies.tailings.tables import read_places, read_samples
from gossan.studies.tailings.trust import (
    Folds,
    HeldOut,
    ScoredTraining,
    hold_out,
    hold_out_groups,
    score_table,
    training_of,
)
from gossan.studies.telling import Led, sharer
from gossan.validation import random_folds

TOP_KEYS: tuple[str, ...] = ()
SECTIONS: Mapping[str, Callable[..., Any]] = {
    "read": read_assays,
    "holes": sections.holes,
    "points": sections.points,
    "impute": impute,
    "methods": sections.methods,
    "validate": sections.validate,
    "grid": sections.grid,
}
CALLED = ("points", "impute", "methods", "validate", "grid")
RANDOM_METHODS = ("kriging", "network")  # shown on a random split, to tell what it flatters


@dataclass(frozen=True)
class Settings:
    """What the study file asks for, defaults filled in."""

    points: dict[str, Any]
    impute: dict[str, Any]
    methods: dict[str, Any]
    validate: dict[str, Any]
    grid: dict[str, Any]


def settings_of(study: Study) -> Settings:
    """The arguments of each section, complete."""
    told = {name: SECTIONS[name](**study.sections.get(name, {})) for name in CALLED}
    return Settings(**told)


def samples_of(study: Study, settings: Settings) -> Samples:
    """The samples that a study names, paths taken from the study file."""
    told, base = study.sections, study.path.parent
    if "holes" in told:
        if "read" in told:
            raise ValueError(
                f"{study.path}: [read] names a table of points and [holes] the tables of drill holes."
                " Keep one of the two."
            )
        given = sections.holes(**told["holes"])
        files = given.pop("tables")
        named = {role: base / files[role] for role in ("collar", "survey", "assay") if files[role]}
        return read_hole_samples(files | named, **given, **settings.impute)
    read = dict(told.get("read", {}))
    if "table" not in read:
        raise ValueError(
            f'{study.path}: [read] needs table = "FILE", the samples; or name the tables of drill'
            " holes in [holes]."
        )
    read["table"] = base / read["table"]
    return read_samples(read, **settings.points, **settings.impute)


def places_of(
    study: Study, settings: Settings, samples: Samples
) -> tuple[NDArray[np.float64], pd.DataFrame] | None:
    """The places that [grid] names with their covariates; None where a grid is made."""
    given = settings.grid["table"]
    names = {key: settings.points[key] for key in ("covariates", "kinds")}
    if not given:
        if samples.covariates.shape[1] and settings.grid["spacing"]:
            raise ValueError(
                f"{study.path}: covariates are not known in the cells of a grid that is made. Name"
                ' the places with their covariates: [grid] table = "FILE".'
            )
        return None
    columns = {key: settings.points[key] for key in (*samples.axes, "unit")}
    return read_places(study.path.parent / given, like=samples, columns=columns, **names)


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
    told = study.sections.get("read", {}) | study.sections.get("holes", {})
    say(f"reading {told.get('table') or told.get('assay')}")
    samples = samples_of(study, settings)
    places = places_of(study, settings, samples)
    groups, folds, group_name = folds_of(samples, settings)
    folder = opened(target, owner=f"run of {study.path.name}")
    _plan(folder, samples, settings, group_name, has_places=places is not None)
    honest = _held_out(
        samples, folds, settings, groups=groups, group_name=group_name, folder=folder, say=say
    )
    split = f"whole {group_name}s held out"
    coverage = settings.methods["coverage"]
    scores = [score_table(samples, honest, split=split, coverage=coverage)]
    if settings.validate["random_split"]:
        scores.append(_random_scores(samples, settings, folder, say))
    published = None
    if settings.validate["published"]:
        say("the published template, as written")
        published = _published(samples, folds, settings, folder, say)
    training, weights, inside = _final(samples, groups, honest, settings)
    grid, table = _estimated(
        samples, training, settings, weights=weights, inside=inside, places=places, say=say,
        folder=folder,
    )  # fmt: skip
    say("report")
    findings = study_findings(
        samples, honest, pd.concat(scores, ignore_index=True), title=study.title,
        group_name=group_name, split=split, weights=weights, training=training, grid=grid,
        is_named=table is not None,
        published=published, coverage=coverage,
    )  # fmt: skip
    manifest = _write(folder, study, samples, findings, grid=grid, table=table, settings=settings)
    folder.write_report("report.html", tailings_report(replace(findings, manifest=manifest)))
    return folder.path


def summarise(folder: Path) -> str:
    """The scores of a run, means over the elements, a line a method and split."""
    table = pd.read_csv(folder / "scores.csv")
    lines = [f"{'method':28s} {'split':26s} CRPS over kriging     R2      coverage"]
    lines += [
        f"{row.method:28s} {row.split:26s} {row.crps_ratio:.3f} ({row.crps_ratio_low:.3f}-"
        f"{row.crps_ratio_high:.3f})  {row.r2:6.2f}  {row.coverage:.2f}"
        for row in table[table["element"] == "all"].itertuples()
    ]
    return "\n".join(lines)


def _plan(
    folder: RunFolder, samples: Samples, settings: Settings, group_name: str, *, has_places: bool
) -> None:
    """Leave the names of the parts that the run will make."""
    told, n_known = settings.validate, samples.covariates.shape[1]
    names = applicable(
        settings.methods["names"], n_elements=len(samples.elements), n_covariates=n_known
    )
    planned = [f"{group_name}s-{name}" for name in names]
    planned += [
        f"random-{name}" for name in names if name in RANDOM_METHODS and told["random_split"]
    ]
    planned += ["published"] * told["published"]
    folder.plan(planned + ["estimates"] * (has_places or not n_known))


def folds_of(samples: Samples, settings: Settings) -> tuple[NDArray, Folds, str]:
    """Hole or block of each sample, folds that hold them out, and which of the two it is."""
    return hold_out_groups(
        samples,
        n_splits=settings.validate["n_splits"],
        block_size=settings.validate["block_size"],
        random_state=settings.methods["random_state"],
    )


def _key(samples: Samples, settings: Settings, protocol: str) -> dict[str, Any]:
    table = pd.concat([pd.DataFrame(samples.coords), samples.values, samples.covariates], axis=1)
    return {
        "protocol": protocol,
        "table": fingerprint(table.set_axis([str(name) for name in table.columns], axis=1)),
        "holes": None if samples.holes is None else fingerprint(samples.holes.tolist()),
        "validate": settings.validate,
        "random_state": settings.methods["random_state"],
    }


def _held_out(
    samples: Samples,
    folds: Folds,
    settings: Settings,
    *,
    groups: NDArray,
    group_name: str,
    folder: RunFolder,
    say: Callable[[str], None],
) -> HeldOut:
    return hold_out(
        samples,
        folds,
        groups=groups,
        names=settings.methods["names"],
        n_inner_splits=settings.validate["n_inner_splits"],
        coverage=settings.methods["coverage"],
        folder=folder,
        key=_key(samples, settings, f"{group_name}s"),
        random_state=settings.methods["random_state"],
        progress=say,
    )


def _random_scores(
    samples: Samples, settings: Settings, folder: RunFolder, say: Callable[[str], None]
) -> pd.DataFrame:
    """Return the scores of kriging and network where neighbours of a sample stay in training."""
    seed, names = settings.methods["random_state"], settings.methods["names"]
    folds = random_folds(
        np.zeros(len(samples.coords)), n_splits=settings.validate["n_splits"], random_state=seed
    )
    found = hold_out(
        samples,
        folds,
        groups=None,
        names=[name for name in RANDOM_METHODS if name in names],
        n_inner_splits=2,
        coverage=settings.methods["coverage"],
        folder=folder,
        key=_key(samples, settings, "random"),
        random_state=seed,
        progress=Led(say, "random split, "),
    )
    table = score_table(samples, found, split="random rows held out")
    return table[table["method"] != NAMES["blend"]]


def _published(
    samples: Samples,
    folds: Folds,
    settings: Settings,
    folder: RunFolder,
    say: Callable[[str], None],
) -> pd.DataFrame:
    found: list[pd.DataFrame] = []

    def compute() -> dict[str, NDArray]:
        seed = settings.methods["random_state"]
        found.append(published_template(samples, folds, random_state=seed, share=sharer(say)))
        return {name: found[0][name].to_numpy() for name in found[0].columns}

    def as_text(column: NDArray) -> NDArray:
        return column if column.dtype.kind == "f" else column.astype(str)

    arrays = folder.part(
        "published",
        _key(samples, settings, "published"),
        lambda: {name: as_text(column) for name, column in compute().items()},
    )
    return pd.DataFrame(arrays)


def _final(
    samples: Samples, groups: NDArray, honest: HeldOut, settings: Settings
) -> tuple[ScoredTraining, dict[str, float], NDArray[np.float64]]:
    """Return all samples as a training set, the blend's weights, and its held-out quantiles."""
    training = training_of(
        samples, np.arange(len(samples.coords)), groups, settings.methods["random_state"]
    )
    names = [name for name in honest.quantiles if name != "blend"]
    told = np.stack([training.scores_of(honest.quantiles[name]) for name in names])
    shares = blend_weights(told, training.scores, LEVELS)
    return training, dict(zip(names, shares, strict=True)), blend_quantiles(told, shares)


def _estimated(
    samples: Samples,
    training: ScoredTraining,
    settings: Settings,
    *,
    weights: Mapping[str, float],
    inside: NDArray[np.float64],
    places: tuple[NDArray[np.float64], pd.DataFrame] | None,
    say: Callable[[str], None],
    folder: RunFolder,
) -> tuple[xr.Dataset | None, pd.DataFrame | None]:
    """Return the grid of estimates, and the table of the places if they were named."""
    coverage = settings.methods["coverage"]

    def at(places: NDArray[np.float64], covariates: NDArray[np.float64]) -> dict[str, NDArray]:
        depends = _key(samples, settings, "estimates") | {
            "weights": {name: float(share) for name, share in weights.items()},
            "coverage": coverage,
            "places": fingerprint(pd.DataFrame(np.column_stack([places, covariates]))),
        }
        return folder.part(
            "estimates", depends,
            lambda: estimate(
                training, weights, held_out=inside, places=places, coverage=coverage,
                covariates=covariates, progress=say,
            ),
        )  # fmt: skip

    if places is not None:
        coords, covariates = places
        layers = at(coords, covariates.to_numpy(dtype=float))
        return grid_of_places(coords, layers, samples), table_of(coords, layers, samples)
    if samples.covariates.shape[1]:
        return None, None
    chosen = {key: settings.grid[key] for key in ("spacing", "vertical_spacing")}
    grid = grid_of(samples, **chosen)
    centres, is_near = cells_near(grid, samples, settings.grid["max_distance"])
    layers = at(centres[is_near], np.empty((int(is_near.sum()), 0)))
    return fill_grid(grid, layers, samples, is_near), None


def _write(
    folder: RunFolder,
    study: Study,
    samples: Samples,
    findings: Any,
    *,
    grid: xr.Dataset | None,
    table: pd.DataFrame | None,
    settings: Settings,
) -> dict[str, Any]:
    folder.write_table("scores.csv", findings.scores)
    folder.write_table("predictions.csv", findings.predictions)
    folder.write_text("quality.txt", f"{samples.quality}\n")
    if samples.changes is not None and len(samples.changes):
        folder.write_table("changes.csv", samples.changes)
    folder.write_text("study.toml", study.text)
    if table is not None:
        folder.write_table("estimates.csv", table)
    elif grid is not None:
        write_grid(grid, folder.path / "estimates.csv", drop_empty=True)
        if samples.n_dims == 3:
            write_grid(grid, folder.path / "estimates.vti")
    return folder.write_manifest(
        {
            "study": study.kind,
            "title": study.title,
            "table": {"file": samples.source, "sha256": fingerprint(samples.values)},
            "methods": list(settings.methods["names"]),
            "left_out": samples.left_out,
        }
    )
