"""How a region is held out: blocks as long as the map is alike, a dead zone, channels of the indices.

A region and the settings of its study come in; a `Plan` and names of channels go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from gossan._checks import did_you_mean
from gossan.data.grids.grid import cell_centres, spacing_of
from gossan.geostat.fitting import fit_variogram
from gossan.geostat.variogram import experimental_variogram
from gossan.studies.record import Study
from gossan.studies.region.methods import SINGLE
from gossan.studies.region.tables import Region
from gossan.studies.trials import Plan

MOST_ZONE = 4.0  # of which a block is as many times as long
LEAST_BLOCKS_ACROSS = 4  # of the map: fewer, larger blocks could not be dealt into folds
MOST_CELLS = 1500  # of which the variogram is made

Settings = Mapping[str, Mapping[str, Any]]


def make_plan(region: Region, settings: Settings, *, field: int) -> Plan:
    """How is held out: blocks of the variogram's range, a dead zone of the window and the gridding.

    Parameters
    ----------
    region : Region
    settings : dict
    field : int
        Cells along the side of the widest window.

    Returns
    -------
    plan : Plan
    """
    told, chosen = settings["validate"], settings["methods"]
    window = field * region.spacing
    zone = told["dead_zone"] or (field - 1) * region.spacing + region.reach / 2.0
    size = told["block_size"] or _at_most(
        region, max(2.0 * window, MOST_ZONE * zone, variogram_range(region))
    )
    if not told["dead_zone"]:  # a small district: blocks would teach nothing inside a wider zone
        zone = min(zone, size / MOST_ZONE)
    seeds = tuple(chosen["random_state"] + number for number in range(chosen["n_seeds"]))
    return Plan(
        told["n_splits"], told["n_repeats"], size, zone, seeds=seeds,
        random_state=chosen["random_state"],
    )  # fmt: skip


def variogram_range(region: Region) -> float:
    """Range of the first principal component of the channels [m]: how far cells resemble another."""
    rows, columns = np.nonzero(region.is_supported)
    rng = np.random.default_rng(0)
    some = rng.choice(len(rows), size=min(MOST_CELLS, len(rows)), replace=False)
    table = region.volume[:, rows[some], columns[some]].T.astype(float)
    table = table - table.mean(axis=0)
    first = table @ np.linalg.svd(table, full_matrices=False)[2][0]
    centres = cell_centres(region.grid).reshape(*region.is_supported.shape, 2)
    coords = centres[rows[some], columns[some]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = fit_variogram(experimental_variogram(coords, first / first.std())).model
    return float(max((each.ranges[0] for each in model.structures), default=0.0))


def index_channels(
    region: Region, settings: Settings, study: Study
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Channels that ore raises and lowers; all elements where the study names none.

    Raises
    ------
    ValueError
        If a named element is no channel.
    """
    found = []
    for key in ("pathfinders", "against", "core", "ring"):
        named = settings["elements"][key]
        missing = [name for name in named if name not in region.channels]
        if missing:
            raise ValueError(
                f"{study.path}: [elements] {key} names {missing[0]!r}, and the layers are"
                f" {', '.join(region.channels)}.{_meant(missing[0], region)} Name those that are"
                " there."
            )
        found.append(tuple(named))
    return (found[0] or tuple(region.elements)), found[1]


def _meant(word: str, region: Region) -> str:
    """Return why a layer is not there, or which was meant: "Idw_Li" for "Li"."""
    why = next((told for told in region.left_out if told.startswith(f"{word} ")), "")
    if why:
        return f" {why}"
    tail = f"_{word}".casefold()
    near = [
        name for name in region.channels
        if name.casefold().endswith(tail) or word.casefold().endswith(f"_{name}".casefold())
    ]  # fmt: skip
    return f" Did you mean {near[0]!r}?" if near else did_you_mean(word, region.channels)


def single_channel(region: Region, settings: Settings, study: Study) -> tuple[str, str]:
    """Channel of the element that stands alone, and why it, in a sentence.

    It is told by the study, never by how well it ranks the occurrences: the first of the
    pathfinders, else the element by whose name the occurrences were kept.

    Raises
    ------
    ValueError
        If the study asks for the method, and tells no element.
    """
    named = settings["elements"]["pathfinders"]
    if named:
        return named[0], f"{SINGLE} is {named[0]}, the first of the pathfinders."
    channels = {name.casefold(): name for name in region.elements if name in region.channels}
    sought = [word.casefold().strip() for word in settings["occurrences"]["words"]]
    own = next((channels[word] for word in sought if word in channels), "")
    if own:
        return own, f"{SINGLE} is {own}, by which the occurrences were kept."
    asked = study.sections.get("methods", {})
    if SINGLE in (*asked.get("names", ()), asked.get("choose", "")):
        raise ValueError(
            f"{study.path}: [methods] asks for {SINGLE!r}, and no element is told. Name pathfinders"
            " under [elements], the best known first."
        )
    return "", (
        f"{SINGLE} was left out: no pathfinder is named, and the occurrences were not kept by the name"
        " of an element. To choose it by the occurrences would be to use labels."
    )


def widest_field(settings: Settings) -> int:
    """Cells along the side of the widest window among the methods, before any is made."""
    names = settings["methods"]["names"]
    wide = {"cnn 9": 9, "lenet": 9}
    usual = 5 if any("5" in name or "neighbourhood logistic" in name for name in names) else 3
    return max([wide.get(name, usual) for name in names], default=1)


def _at_most(region: Region, size: float) -> float:
    """Return a block size of which the supported area holds several along each side."""
    rows, columns = np.nonzero(region.is_supported)
    sides = np.array([np.ptp(rows) + 1, np.ptp(columns) + 1]) * np.array(spacing_of(region.grid))
    return float(min(size, np.sqrt(np.prod(sides)) / LEAST_BLOCKS_ACROSS))
