"""Rasters of a region study: which files they are, what their layers are called, what they must not be.

The section [layers] and the folder of its study file come in; layers on one grid go out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gossan._checks import did_you_mean
from gossan.data.grids.grid import cell_centres
from gossan.data.grids.stacking import stack_layers
from gossan.studies.region.samples import Sampled

LEAST_SHARING = 3  # files of a pattern: what fewer names begin with is no prefix
MOST_NAMES = 30
SAME_AS_PLACE = 0.05  # of a layer's variance that its coordinates leave unexplained

Settings = Mapping[str, Mapping[str, Any]]


def read_layers(
    told: Mapping[str, Any], folder: Path, sampled: Sampled | None
) -> tuple[xr.Dataset, tuple[str, ...], tuple[str, ...], list[str]]:
    """The grid with the rasters, which layers are concentrations, which are not, and notes."""
    paths = find_rasters(told["files"], folder)
    target = None if sampled is None else sampled.grid
    short = _short_names(paths)
    stacked = stack_layers(
        list(dict.fromkeys(path for own in paths.values() for path in own)), target=target,
        resample=told["resample"], nodata=told["nodata"], names=short,
    )  # fmt: skip
    names = [str(name) for name in stacked.data_vars if name != "valid"]
    wanted = _matched(told["elements"], names, {new: old for old, new in short.items()})
    if wanted is None:  # beside samples, rasters are rather geophysics than more elements
        wanted = names if sampled is None else []
    others = tuple(name for name in names if name not in wanted)
    n_files = len({path for own in paths.values() for path in own})
    notes = [*_resampled(stacked, names), *_told_places(stacked, names)]
    if sampled is None:
        notes.insert(0, f"{len(names)} layers were read from {n_files} rasters.")
        return stacked[names], tuple(wanted), others, notes
    twice = [name for name in names if name in sampled.grid]
    if twice:
        raise ValueError(
            f"[layers] and [samples] both have a layer {twice[0]!r}. Rename the raster, or leave it or"
            " the element out."
        )
    grid = sampled.grid.assign({name: stacked[name] for name in names})
    notes.insert(0, f"{len(names)} layers were added from rasters.")
    return grid, (*sampled.elements, *wanted), others, notes


def find_rasters(patterns: Sequence[str], folder: Path) -> dict[str, list[Path]]:
    """The files of each pattern, each file once.

    Raises
    ------
    FileNotFoundError
        If a pattern finds none.
    """
    found: dict[str, list[Path]] = {}
    taken: set[Path] = set()
    for pattern in patterns:
        own = sorted(folder.glob(pattern)) if not Path(pattern).is_absolute() else [Path(pattern)]
        if not own:
            raise FileNotFoundError(
                f"No file is called {pattern} in {folder.resolve()}. Mend files under [layers]."
            )
        found.setdefault(pattern, []).extend(path for path in own if path not in taken)
        taken |= set(own)
    return found


def refuse_labels(settings: Settings, folder: Path) -> None:
    """Raise where a raster of occurrences or of barren ground is also a layer to learn from.

    Raises
    ------
    ValueError
        If a pattern of [layers] finds the answer.
    """
    found = find_rasters(settings["layers"]["files"], folder)
    layers = {path.resolve(): path for own in found.values() for path in own}
    answers = {
        "[occurrences] table": settings["occurrences"]["table"],
        "[background] barren": settings["background"]["barren"],
    }
    for key, name in answers.items():
        path = layers.get((folder / name).resolve()) if name else None
        if path is not None:
            raise ValueError(
                f"[layers] files finds {path.name}, which is {key}: methods would read the answer off"
                " it. Name the rasters that are evidence, such as"
                f' files = ["{_narrower(found)}"].'
            )


def _narrower(found: Mapping[str, Sequence[Path]]) -> str:
    """Return a pattern of what most files begin with, to show how one is written."""
    stems = [path.stem for own in found.values() for path in own]
    heads = [stem[: stem.find("_") + 1] for stem in stems if "_" in stem]
    return f"{max(heads, key=heads.count)}*.tif" if heads else "Cu.tif"


def _short_names(found: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """Return a shorter name of each file: without what all files of its pattern begin with.

    "Idw_Li" and "Idw_Sn" of one pattern are "Li" and "Sn", and files that are named one by one
    count as one pattern; where two files would then have one name, all keep their own.
    """
    groups = [paths for pattern, paths in found.items() if "*" in pattern or "?" in pattern]
    groups.append([path for paths in found.values() if paths not in groups for path in paths])
    short: dict[str, str] = {}
    for paths in groups:
        stems = [path.stem for path in paths]
        shared = os.path.commonprefix(stems) if len(stems) >= LEAST_SHARING else ""  # noqa: RUF071
        prefix = shared[: shared.rfind("_") + 1]
        short |= {stem: stem.removeprefix(prefix) or stem for stem in stems}
    return short if len(set(short.values())) == len(short) else {}


def _matched(
    wanted: Sequence[str] | None, names: Sequence[str], stems: Mapping[str, str]
) -> list[str] | None:
    """Return the layers that are named, by themselves or their files, or that fit a pattern."""
    if wanted is None:
        return None
    found: list[str] = []
    for word in wanted:
        both = {name: {name, stems.get(name, name)} for name in names}
        own = [name for name in names if any(fnmatchcase(each, word) for each in both[name])]
        own = [word] if word in names else own
        if not own:
            raise ValueError(
                f"[layers] elements names {word!r}, and the rasters hold"
                f" {', '.join(names[:MOST_NAMES])}{' ...' * (len(names) > MOST_NAMES)}."
                f"{did_you_mean(word, names)} Name a layer, or several by a pattern."
            )
        found += [name for name in own if name not in found]
    return found


def _resampled(stacked: xr.Dataset, names: Sequence[str]) -> list[str]:
    """Say which layers were brought from other cells, and how."""
    ways: dict[str, list[str]] = {}
    for name in names:
        if "resampled" in stacked[name].attrs:
            ways.setdefault(stacked[name].attrs["resampled"], []).append(name)
    return [f"Brought to this grid ({way}): {', '.join(own)}." for way, own in ways.items()]


def _told_places(stacked: xr.Dataset, names: Sequence[str]) -> list[str]:
    """Say which layers are coordinates by another name: evidence that only tells where a cell is."""
    centres = cell_centres(stacked)
    design = np.column_stack([np.ones(len(centres)), centres - centres.mean(axis=0)])
    found = []
    for name in names:
        own = np.asarray(stacked[name], dtype=float).ravel()
        known = np.isfinite(own)
        if known.sum() < len(design[0]) + 1 or not np.ptp(own[known]) > 0:
            continue
        rest = np.linalg.lstsq(design[known], own[known], rcond=None)[1]
        total = ((own[known] - own[known].mean()) ** 2).sum()
        if len(rest) and rest[0] < SAME_AS_PLACE * total:
            found.append(name)
    if not found:
        return []
    sentence = (
        f"{' and '.join(found)}: values that rise evenly across the map, as coordinates do. Methods"
        " that read them learn where the known occurrences lie, and not why. Leave such rasters out of"
        " [layers] files."
    )
    return [sentence]
