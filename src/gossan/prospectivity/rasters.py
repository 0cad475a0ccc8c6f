"""Rasters in, a map of prospectivity out, tile by tile: for regions larger than memory.

A saved or fitted map model and the rasters of its layers come in; a cloud-optimised GeoTIFF with
score, percentile, spread and edge fraction, and a QGIS style beside it, go out. A run that was broken
off goes on where it was, on one machine or on a Dask cluster.
"""

from __future__ import annotations

import logging
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from gossan import saving
from gossan._checks import GossanWarning, check_option
from gossan._machine import check_room
from gossan.data.grids._windowed import Rasters, RasterStack, Rectangle, tags_of, write_tiles
from gossan.data.grids.styles import write_percentile_style
from gossan.prospectivity._raster_job import Job
from gossan.prospectivity._tiles import AreaRanks, TileFolder
from gossan.prospectivity.map_model import MapModel

__all__ = ["ScoredRasters", "ScoringPlan", "plan_rasters", "score_rasters"]

logger = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Progress = Callable[[str, int, int], None]

EDGES = ("nearest", "nan")
BANDS = (("score", ""), ("percentile", "%"), ("spread", ""), ("edge_fraction", ""))
FINGERPRINT = "GOSSAN_FINGERPRINT"
VALUES_A_TILE = 8_000_000  # of all layers of a tile: 32 MB, of which some copies are made
SIDES = (256, 2048)  # cells
COPIES = 6  # of the layers of a tile while it is scored
FIXED_BYTES = 500_000_000  # Python, the libraries, GDAL's cache
ANOTHER_SIZE = 0.1  # of a cell, above which it is another one than in training


@dataclass(frozen=True)
class ScoringPlan:
    """What there is to do, told before it is begun.

    Attributes
    ----------
    n_cells, n_tiles : int
        Of the rasters.
    tile : int
        Cells along a side of a tile.
    n_layers, field : int
        Layers that are read, and cells along a side that the model sees.
    memory, disk : int
        Expected need [bytes]: memory at most, and disk for unfinished tiles and the file.
    """

    n_cells: int
    n_tiles: int
    tile: int
    n_layers: int
    field: int
    memory: int
    disk: int

    def __str__(self) -> str:
        return (
            f"{self.n_cells:,} cells of {self.n_layers} layers in {self.n_tiles} tiles of {self.tile}"
            f" x {self.tile} cells, field {self.field} x {self.field}; about"
            f" {self.memory / 1e9:.1f} GB of memory, {self.disk / 1e9:.1f} GB of disk"
        )


@dataclass(frozen=True)
class ScoredRasters:
    """A finished map.

    Attributes
    ----------
    path, style : Path
        The GeoTIFF and its QGIS style.
    n_cells, n_scored : int
        Cells of the map, and those with a score.
    area : float
        Of the scored cells [km²].
    """

    path: Path
    style: Path
    n_cells: int
    n_scored: int
    area: float

    def __str__(self) -> str:
        return (
            f"{self.n_scored:,} of {self.n_cells:,} cells scored, {self.area:,.6g} km²:"
            f" {self.path.name}"
        )


def plan_rasters(
    model: Any, rasters: Rasters, *, tile: int | None = None, workers: int = 1
) -> ScoringPlan:
    """Return what scoring some rasters will take; nothing but their headers is read.

    Parameters
    ----------
    model, rasters, tile, workers
        As in `score_rasters`.

    Returns
    -------
    plan : ScoringPlan

    Raises
    ------
    FileNotFoundError, ValueError
        As `score_rasters` does before work.
    """
    fitted = _as_model(model)
    with _stack(fitted, rasters) as stack:
        return _plan(fitted, stack, tile, workers)


def score_rasters(
    model: Any,
    rasters: Rasters,
    out: str | Path,
    *,
    tile: int | None = None,
    edges: str = "nearest",
    workers: int = 1,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> ScoredRasters:
    """Score rasters of any size by a map model, into a GeoTIFF that a GIS opens.

    Use it where the layers do not fit into memory, or lie as files anyway; `score_grid` does the same
    for a grid in memory. Memory is that of a few tiles whatever the size of the rasters. Finished
    tiles are kept in a folder beside `out` until it is whole: after a crash the same call goes on.

    Parameters
    ----------
    model : path, MapModel or fitted estimator
        Folder that `gossan.saving.save_model` wrote, or the model itself. Of a bare estimator the
        layers are its `names_`, taken as they are.
    rasters : sequence of path or (layer, path), or mapping of layer to path
        GeoTIFFs, or whatever rasterio opens, on the same cells in projected metres. Layers are found
        by the names of bands, or by that of a file with one band, whatever their case, unless
        they are named here. Bands that name a unit of concentration are converted to the model's.
    out : path
        Ends in .tif. Bands: score; percentile (share of the scored cells with a lower score, ties
        half [%]: an area rank); spread (standard deviation over the model's members, NaN where it has
        none); edge_fraction (share of the cell's field without data).
    tile : int, optional
        Cells along a side of a tile. Default: as many as keep the layers of a tile at 32 MB.
    edges : {"nearest", "nan"}
        Cells whose field is not whole take the nearest values and are scored if at least half of it
        has data, or have no score.
    workers : int
        Tiles scored at once in threads; each needs its memory.
    scheduler : str, optional
        Address of a Dask cluster, such as "tcp://10.0.0.5:8786", whose workers have gossan installed.
        They need no shared disk: tiles are sent to them and scores sent back.
    progress : function of (step, cells done, cells in all), optional
        Steps are "scoring", "ranking", "writing" and "finishing"; each ends with all cells done.

    Returns
    -------
    scored : ScoredRasters

    Raises
    ------
    FileNotFoundError
        If a raster or the folder of `out` is not there.
    ValueError
        If a layer is missing, rasters differ in their cells, a unit does not fit, or memory or disk
        will not do.
    ImportError
        If rasterio, or Dask for a scheduler, is not installed.
    """
    target, fitted = _checked_target(out), _as_model(model)
    check_option("edges", edges, EDGES)
    say = progress or _silence
    with _stack(fitted, rasters) as stack:
        plan = _plan(fitted, stack, tile, workers)
        _check_room(plan, target)
        _warn_of_cells(fitted, stack)
        logger.info("%s", plan)
        mark = _fingerprint(fitted, stack, plan.tile, edges)
        told = _finished_before(target, mark)
        if told is None:
            tiles = TileFolder(target.with_name(f".{target.name}.tiles"), mark)
            job = Job(fitted, stack, stack.map.tiles(plan.tile), edges)
            todo = [number for number in range(plan.n_tiles) if number not in tiles.done()]
            _keep(job.scored(todo, workers, scheduler), tiles, job, say)
            told = _write(target, tiles, job, mark, say)
            tiles.discard()
        style = write_percentile_style(target, band=2)
        size = stack.map.cell_size
        return ScoredRasters(target, style, plan.n_cells, told, told * size[0] * size[1] / 1e6)


def _as_model(model: Any) -> MapModel:
    if isinstance(model, str | Path):
        model = saving.load_model(model)[0]
    if isinstance(model, MapModel):
        return model
    if not hasattr(model, "names_"):
        raise ValueError(
            f"A {type(model).__name__} does not name its layers. Fit it, or wrap it:"
            " MapModel(estimator, layers)."
        )
    return MapModel(model, model.names_, clip=np.inf)


def _stack(model: MapModel, rasters: Rasters) -> RasterStack:
    stack = RasterStack(rasters)
    try:
        return stack.choose(model.layers, model.units_)
    except BaseException:
        stack.close()
        raise


def _plan(model: MapModel, stack: RasterStack, tile: int | None, workers: int) -> ScoringPlan:
    n, field = len(model.layers), model.field_
    if tile is None:
        side = int(np.sqrt(VALUES_A_TILE / n)) // SIDES[0] * SIDES[0]
        tile = min(max(side, SIDES[0]), SIDES[1])
    if int(tile) < 1 or int(workers) < 1:
        raise ValueError(f"tile and workers must be at least 1, got {tile} and {workers}.")
    widest = (min(tile, stack.map.shape[0]) + 2 * field) * (
        min(tile, stack.map.shape[1]) + 2 * field
    )
    return ScoringPlan(
        n_cells=stack.map.n_cells,
        n_tiles=len(stack.map.tiles(int(tile))),
        tile=int(tile),
        n_layers=n,
        field=field,
        memory=FIXED_BYTES + 4 * n * widest * (COPIES * int(workers) + 1),
        # Three maps in tiles, the scores sorted, then four bands plain and four in the file.
        disk=stack.map.n_cells * 4 * (3 + 1 + 4 + 4),
    )


def _check_room(plan: ScoringPlan, target: Path) -> None:
    """Raise where memory or disk cannot hold what the work needs."""
    check_room(
        plan.memory, f"Take smaller tiles, such as {max(64, plan.tile // 2)}, or fewer workers."
    )
    free = shutil.disk_usage(target.parent).free
    if plan.disk > free:
        raise ValueError(
            f"This needs about {plan.disk / 1e9:.1f} GB of disk in {target.parent}, where"
            f" {free / 1e9:.1f} are free. Write to another disk."
        )


def _checked_target(out: str | Path) -> Path:
    target = Path(out)
    if target.suffix.lower() not in {".tif", ".tiff"} or target.is_dir():
        raise ValueError(f"The map is a GeoTIFF, got {target.name!r}. Let it end in .tif.")
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {target.parent} to write {target.name} into. Make it first."
        )
    return target


def _warn_of_cells(model: MapModel, stack: RasterStack) -> None:
    size = stack.map.cell_size[1]
    known = model.cell_size
    if known is not None and model.field_ > 1 and abs(size - known) > ANOTHER_SIZE * known:
        warnings.warn(
            f"Cells of {size:.4g} m are given to a model of {known:.4g} m: its window spans another"
            " distance on the ground. Resample the rasters to its cells.",
            GossanWarning,
            stacklevel=3,
        )


def _fingerprint(model: MapModel, stack: RasterStack, tile: int, edges: str) -> str:
    """Return a digest of all that the tiles depend on."""
    try:
        made_of: Any = saving.pack(model, "model")
    except ValueError:  # of a class that is not saved
        made_of = vars(model)
    return str(joblib.hash((made_of, stack.fingerprint(), tile, edges)))


def _finished_before(target: Path, mark: str) -> int | None:
    """Return the number of scored cells of a file that the same call wrote, None if there is none."""
    tags = tags_of(target)
    return int(tags["N_SCORED"]) if tags.get(FINGERPRINT) == mark else None


def _keep(
    results: Iterator[tuple[int, Floats]],
    tiles: TileFolder,
    job: Job,
    say: Progress,
) -> None:
    """Keep the tiles as they come, and tell how far it is."""
    sizes = job.sizes
    total, start = sum(sizes), time.monotonic()
    before = done = sum(sizes[number] for number in tiles.done())
    say("scoring", done, total)
    for number, maps in results:
        tiles.write(number, maps)
        done += sizes[number]
        spent = time.monotonic() - start
        left = spent / (done - before) * (total - done)
        logger.info("%d of %d cells, %.0f s, %.0f s to go", done, total, spent, left)
        say("scoring", done, total)


def _write(target: Path, tiles: TileFolder, job: Job, mark: str, say: Progress) -> int:
    """Write the file from its finished tiles; return how many cells have a score."""
    total = sum(job.sizes)
    say("ranking", 0, total)
    ranks = AreaRanks(tiles, list(range(len(job.places))))
    say("ranking", total, total)
    tags = {
        FINGERPRINT: mark,
        "N_SCORED": str(ranks.n),
        "GOSSAN_MODEL": type(job.model.estimator).__name__,
        "GOSSAN_LAYERS": ", ".join(job.model.layers),
        "GOSSAN_FIELD": str(job.model.field_),
        "GOSSAN_EDGES": job.edges,
    }
    write_tiles(
        target, job.stack.map, BANDS, _all_bands(tiles, ranks, job, say), tags=tags,
        scratch=tiles.folder,
    )  # fmt: skip
    say("finishing", total, total)
    return ranks.n


def _all_bands(
    tiles: TileFolder, ranks: AreaRanks, job: Job, say: Progress
) -> Iterator[tuple[Rectangle, Floats]]:
    """Yield place and bands of each tile; after the last one the file is compressed."""
    done, total = 0, sum(job.sizes)
    for number, place in enumerate(job.places):
        score, spread, share = tiles.read(number)
        yield place, np.stack([score, ranks.percentile(score), spread, share])
        done += job.sizes[number]
        say("writing", done, total)
    say("finishing", 0, total)


def _silence(step: str, done: int, total: int) -> None:
    """Say nothing of the progress."""
