"""A Dask cluster against this process alone: the four heavy paths on one and on two workers.

    python bench/scale.py [--quick]

Each worker is a process with one thread, on this machine, and so is the work here. Prints how many
times faster a cluster is by the clock, and how much processor time it takes in all its processes and
here, over that of the work here alone: what the cluster itself costs. Times are the least of some
rounds in turns, as other work on the machine only adds to them; those by the clock mean little while
the machine is busy, so the file tells its load. All results must be equal to the bit. Workers start as
docs/scale.md advises. A quick run takes a small part of the work and one round.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
# Else Dask has its workers hand back memory at once, see docs/scale.md.
os.environ["MALLOC_TRIM_THRESHOLD_"] = str(2**28)
os.environ["MALLOC_MMAP_THRESHOLD_"] = str(2**25)

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from _table import parse_options, report
from gossan import cross_validate, krige_grid, make_baseline, make_grid, on_cluster
from gossan.evidence import add_proximity, plane_surface
from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.kriging import Kriging
from gossan.prospectivity import MapModel, score_rasters

WORKERS = (1, 2)
CRS = "EPSG:32650"


def main() -> None:
    """Run every path here and on clusters; print the ratios."""
    from dask.distributed import LocalCluster

    options = parse_options(__doc__, seeds=3)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clusters = [
            stack.enter_context(
                LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=":0")
            ).scheduler_address
            for n in WORKERS
        ]
        rows = []
        for name, work in paths(folder, is_quick=options.quick).items():
            rows += compared(name, work, clusters, options.seeds)
    load = {"load_average": round(os.getloadavg()[1], 1)}
    report("scale", rows, options, cores=len(os.sched_getaffinity(0)), **load)


def compared(
    name: str, work: Callable[[], Any], clusters: list[str], n_rounds: int
) -> list[dict[str, Any]]:
    """Return two rows for each number of workers."""
    places = [None, *clusters]
    times: dict[str | None, list[float]] = {place: [] for place in places}
    costs: dict[str | None, list[float]] = {place: [] for place in places}
    answers = set()
    for number in range(n_rounds + 1):
        for place in places:
            with on_cluster(place):
                before, begun = processor_time(place), time.perf_counter()
                answers.add(joblib.hash(work()))
                if number:  # the first round loads modules and compiles
                    times[place].append(time.perf_counter() - begun)
                    costs[place].append(processor_time(place) - before)
    if len(answers) > 1:
        sys.exit(f"{name}: {len(answers)} different results")
    least = {place: min(own) for place, own in times.items()}
    cost = {place: min(own) for place, own in costs.items()}
    shared = {"peer": 1.0, "goal": None, "unit": "x", "seeds": n_rounds}
    rows = []
    for n, place in zip(WORKERS, clusters, strict=True):
        on = f"{name}, {n} worker{'s' * (n > 1)}"
        rows += [
            {"id": f"{on}: times faster", "ours": least[None] / least[place], **shared,
             "seconds_here": least[None], "seconds_on_cluster": least[place]},
            {"id": f"{on}: processor time", "ours": cost[place] / cost[None], **shared,
             "seconds_here": cost[None], "seconds_on_cluster": cost[place]},
        ]  # fmt: skip
    return rows


def processor_time(place: str | None) -> float:
    """Return the processor time so far of this process and of the workers at an address [s]."""
    if place is None:
        return time.process_time()
    from dask.distributed import Client

    with Client(place, set_as_default=False) as client:
        return time.process_time() + sum(client.run(time.process_time).values())


def paths(folder: Path, *, is_quick: bool) -> dict[str, Callable[[], Any]]:
    """Return the four heavy paths, each a call without arguments that returns its result."""
    size = 0.1 if is_quick else 0.4
    return {
        "kriging": kriging(size),
        "evidence": evidence(size),
        "dense scores": dense_scores(size, folder),
        "cross-validation": cross_validation(size),
    }


def kriging(size: float) -> Callable[[], Any]:
    """A block model from drill-hole samples."""
    rng = np.random.default_rng(0)
    X = rng.uniform([0, 0, -500], [2000, 2000, 0], (20_000, 3))
    model = VariogramModel(0.1, Structure("spherical", 0.9, 150.0))
    fitted = Kriging(model, n_neighbours=24, n_jobs=1).fit(X, rng.normal(size=(len(X), 4)))
    grid = make_grid((0, 2000, 0, 2000 * size), 10.0, elevations=(-150, 0))
    return lambda: krige_grid(fitted, grid, block_cells=40_000).to_dataframe()


def evidence(size: float) -> Callable[[], Any]:
    """Distances of a block model to faults."""
    rng = np.random.default_rng(0)
    faults = [
        plane_surface((*rng.uniform(0, 2000, 2), -200.0), rng.uniform(0, 360), 70.0,
                      half_length=600.0, half_height=400.0)
        for _ in range(400)
    ]  # fmt: skip
    grid = make_grid((0, 2000, 0, 2000 * size), 10.0, elevations=(-300, 0))
    return lambda: add_proximity(grid, faults)["fault_distance"].to_numpy().copy()


def dense_scores(size: float, folder: Path) -> Callable[[], Any]:
    """Rasters scored tile by tile by a model with a window."""
    import rasterio

    rng = np.random.default_rng(0)
    side, names = int(1600 * size**0.5), [f"element {i}" for i in range(8)]
    for name in names:
        with rasterio.open(
            folder / f"{name}.tif", "w", driver="GTiff", width=side, height=side, count=1,
            dtype="float32", crs=CRS, transform=rasterio.Affine(100.0, 0, 5e5, 0, -100.0, 4e6),
        ) as file:  # fmt: skip
            file.write(rng.normal(size=(1, side, side)).astype(np.float32))
    windows = rng.normal(size=(200, 8, 3, 3)).astype(np.float32)
    net = window_net().fit(windows, np.arange(200) % 2)
    files = [(name, folder / f"{name}.tif") for name in names]

    def work() -> bytes:
        out = folder / "out.tif"
        out.unlink(missing_ok=True)
        score_rasters(MapModel(net, names), files, out, tile=200)
        return out.read_bytes()

    return work


def window_net() -> Any:
    """Return the network of windows of three cells."""
    from gossan.nets import WindowCNN

    return WindowCNN(epochs=2, n_members=3, random_state=0)


def cross_validation(size: float) -> Callable[[], Any]:
    """Each of many deposits held out in turn."""
    rng = np.random.default_rng(0)
    n_deposits = int(64 * size)
    groups = np.repeat(np.arange(n_deposits), 30)
    logs = rng.normal(size=(len(groups), 12))
    y = np.where(logs[:, 0] + 0.5 * logs[:, 1] ** 2 + rng.normal(size=len(logs)) > 0.5, "a", "b")
    model = make_baseline("extra_trees")
    return partial(_held_out, model, np.exp(logs), y, groups)


def _held_out(model: Any, X: Any, y: Any, groups: Any) -> Any:
    return cross_validate(model, X, y, groups=groups).probabilities


if __name__ == "__main__":
    main()
