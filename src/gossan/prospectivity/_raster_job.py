"""The tiles of rasters, read and scored one after another: here, in threads, or on a Dask cluster.

A map model, open rasters and numbers of tiles come in; score, spread and edge fraction of each go out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gossan.cluster import is_on_cluster, run_jobs
from gossan.data.grids._windowed import RasterStack, Rectangle
from gossan.prospectivity.map_model import MapModel
from gossan.prospectivity.scoring import score_layers
from gossan.sampling.edges import MOST_EDGE, edge_fraction, fill_edges

Floats = NDArray[np.float32]
Results = Iterator[tuple[int, Floats]]


@dataclass(frozen=True)
class Job:
    """All that there is to do."""

    model: MapModel
    stack: RasterStack
    places: list[Rectangle]
    edges: str

    @cached_property
    def sizes(self) -> list[int]:
        """Cells of each tile."""
        return [(r.stop - r.start) * (c.stop - c.start) for r, c in self.places]

    @property
    def margin(self) -> int:
        """Cells read round a tile."""
        return self.model.field_ if self.edges == "nearest" else self.model.field_ // 2

    def read(self, number: int) -> Floats:
        """Return the raw layers of a tile with their margin."""
        return self.stack.read(self.places[number], self.margin)

    def scored(self, todo: Sequence[int], workers: int, scheduler: str | None) -> Results:
        """Yield number and maps of each tile; files are read by this thread alone."""
        if scheduler is None and workers > 1 and not is_on_cluster():
            yield from self._in_threads(todo, workers)
            return
        shared = (self.model, self.edges)
        found = run_jobs(score_tile, todo, shared=shared, load=self.read, scheduler=scheduler)
        for place, maps in found:
            yield todo[place], maps

    def _in_threads(self, todo: Sequence[int], workers: int) -> Results:
        waiting = iter(todo)
        with ThreadPoolExecutor(workers) as pool:

            def send(number: int) -> tuple[int, Future]:
                raw = self.read(number)
                return number, pool.submit(score_tile, self.model, self.edges, raw)

            flying = [send(number) for number in islice(waiting, workers + 1)]
            while flying:
                number, future = flying.pop(0)
                yield number, future.result()
                flying += [send(number) for number in islice(waiting, 1)]


def score_tile(model: MapModel, edges: str, raw: Floats) -> Floats:
    """Return score, spread and edge fraction (3, ny, nx) of raw layers that have their margin."""
    field = model.field_
    margin = field if edges == "nearest" else field // 2
    inner = slice(margin, -margin or None)
    channels = model.prepare(raw)
    if edges == "nearest":
        channels, share = fill_edges(channels, field)
    else:
        share = edge_fraction(~np.isnan(channels).any(axis=0), field)
    most = MOST_EDGE if edges == "nearest" else 0.0
    share = share[inner, inner]
    if not (share <= most).any():
        blank = np.full_like(share, np.nan)
        return np.stack([blank, blank, share])
    score, spread, _ = score_layers(model.estimator, channels, edges="nan")
    maps = np.stack([score[inner, inner], spread[inner, inner], share]).astype(np.float32)
    maps[:2, (share > most) | np.isnan(maps[0])] = np.nan
    return maps
