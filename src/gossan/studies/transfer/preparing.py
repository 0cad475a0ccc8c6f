"""Everything that a transfer study reads, matched by name, and the methods made of it.

A study file and its settings come in; a `Prepared` and recipes, not fitted, go out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gossan.studies.record import Study
from gossan.studies.transfer.mapping import Layers, draw_ground, layers_of, read_grid_of
from gossan.studies.transfer.methods import Recipe, Wishes, make_recipes
from gossan.studies.transfer.tables import Floats, Sites, read_sites
from gossan.studies.transfer.trial import Trial
from gossan.studies.transfer.unlabelled import Ground, read_classes, read_ground, read_published
from gossan.studies.trials import Plan
from gossan.validation.splits import block_labels

Settings = dict[str, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything that methods need, read and matched.

    Attributes
    ----------
    trial : Trial
    layers : Layers or None
        Of the map.
    classed : (rows, classes) or None
    published : (X, y) or None
    notes : list of str
    """

    trial: Trial
    layers: Layers | None
    classed: Any
    published: tuple[Floats, Floats] | None
    notes: list[str]


def prepare(study: Study, settings: Settings) -> Prepared:
    """Read all tables and rasters that a study names, matched to the evidence by name.

    Parameters
    ----------
    study : Study
    settings : dict
        Of `settings_of`.

    Returns
    -------
    prepared : Prepared
    """
    folder, told = study.path.parent, settings["background"]
    grid = None
    if "map" in settings:
        asked = settings["map"]
        grid = read_grid_of(
            asked["rasters"], folder, resample=asked["resample"], nodata=asked["nodata"]
        )
    crs = None if grid is None else grid.attrs.get("crs")
    sites = read_sites(settings["labels"], folder, to_crs=crs)
    layers = None if grid is None else layers_of(grid, sites.names, source="[map] rasters")
    notes = [] if layers is None else _on_map(sites, layers)
    ground = _ground(told, folder, sites, layers, settings["methods"]["random_state"])
    if ground is None:
        notes.append(
            "There is no background: deposits are ranked among the labelled barren sites alone, and how"
            " much ground holds them cannot be told."
        )
    asked, seed = settings["validate"], settings["methods"]["random_state"]
    plan = Plan(
        n_splits=asked["n_splits"], n_repeats=asked["n_partitions"], block_size=asked["block_size"],
        dead_zone=0.0, random_state=seed,
    )  # fmt: skip
    reference = sites.X if ground is None else ground.X
    published = None
    if asked["published"]:
        published = read_published(folder / asked["published"], sites, settings["labels"])
    return Prepared(
        Trial(sites, ground, components_of(reference, settings["methods"]["scaling"]), plan),
        layers,
        read_classes(settings["pretext"], folder, sites),
        published,
        notes,
    )


def _ground(
    told: Mapping[str, Any], folder: Path, sites: Sites, layers: Layers | None, seed: int
) -> Ground | None:
    """Return the unlabelled ground: of a table, of rasters, or of the map's."""
    if told["table"]:
        return read_ground(told, folder, sites)
    if told["rasters"]:
        grid = read_grid_of(told["rasters"], folder, key="[background]")
        return draw_ground(
            layers_of(grid, sites.names, source="[background] rasters"), sites, told["n"], seed
        )
    return None if layers is None else draw_ground(layers, sites, told["n"], seed)


def components_of(reference: Floats, scaling: str) -> Callable[[Floats], Floats]:
    """Rows of evidence to principal components of the reference rows, as published networks read.

    Parameters
    ----------
    reference : array of shape (m, n_features)
        Rows without labels.
    scaling : {"standard", "none"}
        "none": the evidence is components already.

    Returns
    -------
    turn : callable
    """
    if scaling == "none":
        return lambda X: X
    made = make_pipeline(StandardScaler(), PCA()).fit(reference)
    return lambda X: np.asarray(made.transform(X), dtype=float)


def _on_map(sites: Sites, layers: Layers) -> list[str]:
    """Return how many sites lie off the map, or raise if none lies on it."""
    east, north = (layers.grid[axis].to_numpy() for axis in ("easting", "northing"))
    inside = np.ones(len(sites.y), dtype=bool)
    for values, own in ((east, sites.coords[:, 0]), (north, sites.coords[:, 1])):
        half = abs(values[1] - values[0]) / 2.0 if len(values) > 1 else 0.0
        inside &= (own >= values.min() - half) & (own <= values.max() + half)
    if not inside.any():
        raise ValueError(
            "No labelled site lies on the rasters: sites have eastings of"
            f" {sites.coords[:, 0].min():,.0f} to {sites.coords[:, 0].max():,.0f}, rasters of"
            f' {east.min():,.0f} to {east.max():,.0f}. Set crs = "EPSG:..." under [labels].'
        )
    n = int((~inside).sum())
    return [f"{n} labelled sites lie off the rasters; they teach and are tested all the same."] * (
        n > 0
    )


def recipes_of(prepared: Prepared, settings: Settings) -> dict[str, Recipe]:
    """The methods that a study names, not fitted."""
    trial, told = prepared.trial, settings["methods"]
    wishes = Wishes(
        scaling=told["scaling"], pretext=settings["pretext"]["method"], n_members=told["n_members"],
        epochs=told["epochs"], random_state=told["random_state"],
        background=None if trial.ground is None else trial.ground.X, classed=prepared.classed,
        groups=block_labels(trial.sites.coords, trial.plan.block_size, random_state=0),
        labelled=trial.as_components(trial.sites.X), as_components=trial.as_components,
    )  # fmt: skip
    return make_recipes(told["names"], wishes)
