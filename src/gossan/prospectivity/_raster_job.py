"""The tiles of rasters, read and scored one after another: here, in threads, or on a Dask cluster.

A map model, open rasters and numbers of tiles come in; score, spread and edge fraction of each go out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan.data.grids._windowed import RasterStack, Rectangle
from gossan.prospectivity.map_model import MapModel
from gossan.prospectivity.scoring import score_layers
from gossan.sampling.edges import MOST_EDGE, edge_fraction, fill_edges

Floats = NDArray[np.float32]
Results = Iterator[tuple[int, Floats]]

TILES_A_THREAD = 2  # in flight on a cluster
RETRIES = 2  # of a tile whose worker was lost


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

    def here(self, todo: Sequence[int], workers: int) -> Results:
        """Yield number and maps of each tile; files are read by this thread alone."""
        if workers == 1:
            for number in todo:
                yield number, score_tile(self.model, self.read(number), self.edges)
            return
        waiting = iter(todo)
        with ThreadPoolExecutor(workers) as pool:

            def send(number: int) -> tuple[int, Future]:
                return number, pool.submit(score_tile, self.model, self.read(number), self.edges)

            flying = [send(number) for number in islice(waiting, workers + 1)]
            while flying:
                number, future = flying.pop(0)
                yield number, future.result()
                flying += [send(number) for number in islice(waiting, 1)]

    def there(self, todo: Sequence[int], scheduler: str) -> Results:
        """As `here`, on the workers of a Dask cluster; few tiles are in flight at a time."""
        try:
            from dask.distributed import Client, as_completed
        except ImportError as error:
            raise ImportError(
                'A Dask cluster needs dask[distributed]. Run: pip install "gossan[large]"'
            ) from error
        with Client(scheduler) as cluster:
            model = cluster.scatter(self.model, broadcast=True, hash=False)
            numbers: dict[Any, int] = {}

            def send(number: int) -> Any:
                raw = self.read(number)
                future = cluster.submit(
                    score_tile, model, raw, self.edges, pure=False, retries=RETRIES
                )
                numbers[future.key] = number
                return future

            waiting = iter(todo)
            n_first = TILES_A_THREAD * sum(cluster.nthreads().values())
            flying = as_completed([send(number) for number in islice(waiting, n_first)])
            for future in flying:
                yield numbers.pop(future.key), future.result()
                for number in islice(waiting, 1):
                    flying.add(send(number))


def score_tile(model: MapModel, raw: Floats, edges: str) -> Floats:
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
