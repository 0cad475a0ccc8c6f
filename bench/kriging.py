"""Kriging: our time, memory and agreement, beside gstlearn, PyKrige, GSTools, krigekit and numpy.

Local ordinary kriging with 32 neighbours, estimate and variance, in 2D and 3D, from 5,000 and 50,000
samples: each tool in a process of its own, with one thread, its processor time a target once it has
taken in the samples, after a small call that loads and compiles what it needs.
Then the exact global form, 5,000 samples of 12 variables onto a million cells, and how the local
form grows over threads. `--cells 1e8` instead kriges one large 3D grid block by block into Zarr, and
watches the memory.

A peer that is not installed leaves its column empty: pip install "gossan[peers]". Those that hold a
system of all samples are run with few.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _table import Options, parse_options, report

Floats = NDArray[np.float64]
Answer = tuple[Floats, Floats | None]  # estimates, variances
Predict = Callable[[Floats], Answer]

SIDE, RANGE, SILL, NUGGET = 1000.0, 300.0, 0.9, 0.1
NEIGHBOURS = 32
N_COMPARED = 300  # targets whose estimates are compared
SECONDS = 900  # limit of one tool in one case
SMALL = 1000  # samples for those that solve for all of them at once, or cannot take more

# Tool -> targets timed in a full and in a quick run.
TARGETS = {
    "ours": (200_000, 5_000),
    "krigekit": (50_000, 2_000),
    "gstlearn": (4_000, 300),
    "PyKrige": (5_000, 500),
    "PyKrige in 3D": (40, 10),
    "numpy": (10_000, 1_000),
    "ours, all samples": (20_000, 1_000),
    "GSTools": (4_000, 300),
}
MODULES = {
    "krigekit": "krigekit",
    "gstlearn": "gstlearn",
    "PyKrige": "pykrige",
    "PyKrige in 3D": "pykrige",
    "GSTools": "gstools",
}
# Issue's bars, in 3D: how many times faster than a peer, and how near to it.
SPEED_GOALS = {"krigekit": ">=3", "gstlearn": ">=40"}
AGREEMENT_GOALS = {
    "gstlearn": "<=1e-8",
    "numpy": "<=1e-8",
    "PyKrige": "<=1e-8",
    "GSTools": "<=1e-8",
}


@dataclass(frozen=True)
class Case:
    """One tool on one problem."""

    tool: str
    n_dims: int
    n_samples: int
    n_targets: int

    def samples(self) -> tuple[Floats, Floats]:
        """Return coordinates [m] and values of the samples."""
        rng = np.random.default_rng(self.n_samples + self.n_dims)
        X = rng.uniform(0, SIDE, (self.n_samples, self.n_dims))
        waves = np.sin(X[:, 0] / 90) + np.cos(X[:, 1] / 70)
        return X, waves + rng.normal(0, 0.3, self.n_samples)

    def targets(self) -> Floats:
        """Return the targets: the first `N_COMPARED` are the same whatever their number."""
        rng = np.random.default_rng(1)
        first = rng.uniform(0, SIDE, (N_COMPARED, self.n_dims))
        return np.vstack([first, rng.uniform(0, SIDE, (self.n_targets, self.n_dims))])[
            : self.n_targets
        ]


# The tools: each takes samples and values, and gives a function from targets to estimates and, but
# for the global forms, variances.


def ours(X: Floats, y: Floats) -> Predict:
    from gossan.geostat import Kriging

    kriging = Kriging(our_model(), n_neighbours=NEIGHBOURS, n_jobs=1).fit(X, y)

    def predict(targets: Floats) -> Answer:
        estimate, std = kriging.predict(targets, return_std=True)
        return estimate, std**2

    return predict


def our_model() -> Any:
    from gossan.geostat import Structure, VariogramModel

    return VariogramModel(NUGGET, (Structure("spherical", SILL, (RANGE,)),))


def ours_of_all(X: Floats, y: Floats) -> Predict:
    from gossan.geostat import Kriging

    kriging = Kriging(our_model(), n_neighbours=None, n_jobs=1).fit(X, y)
    return lambda targets: (kriging.predict(targets), None)


def krigekit(X: Floats, y: Floats) -> Predict:
    from krigekit import ordinary_kriging

    ranges = {f"a_minor{i}": RANGE for i in range(1, X.shape[1])}
    model = {"vtype": "sph", "nugget": NUGGET, "sill": SILL, "a_major": RANGE, **ranges}
    return lambda targets: ordinary_kriging(X, y, targets, model, nmax=NEIGHBOURS, nthread=1)


def gstlearn(X: Floats, y: Floats) -> Predict:
    import gstlearn as gl

    n_dims = X.shape[1]
    names = [f"x{i}" for i in range(n_dims)]
    gl.defineDefaultSpace(gl.ESpaceType.RN, n_dims)

    def table(points: Floats) -> Any:
        db = gl.Db.create()
        for name, column in zip(names, points.T, strict=True):
            db[name] = column
        db.setLocators(names, gl.ELoc.X)
        return db

    data = table(X)
    data["z"] = y
    data.setLocator("z", gl.ELoc.Z)
    model = gl.Model(gl.CovContext(1, n_dims))
    model.addCovFromParam(gl.ECov.SPHERICAL, range=RANGE, sill=SILL)
    model.addCovFromParam(gl.ECov.NUGGET, sill=NUGGET)
    model.setDriftIRF(0)
    near = gl.NeighMoving.create(flag_xvalid=False, nmaxi=NEIGHBOURS, radius=1e6, useBallTree=True)

    def predict(targets: Floats) -> Answer:
        where = table(targets)
        gl.kriging(data, where, model, near)
        return where["Kriging.z.estim"], where["Kriging.z.stdev"] ** 2

    return predict


def pykrige(X: Floats, y: Floats) -> Predict:
    from pykrige.ok import OrdinaryKriging
    from pykrige.ok3d import OrdinaryKriging3D

    model = {"psill": SILL, "range": RANGE, "nugget": NUGGET}
    kind, backend = (OrdinaryKriging, "C") if X.shape[1] == 2 else (OrdinaryKriging3D, "loop")
    kriging = kind(*X.T, y, variogram_model="spherical", variogram_parameters=model)
    return lambda targets: kriging.execute(
        "points", *targets.T, backend=backend, n_closest_points=NEIGHBOURS
    )


def gstools(X: Floats, y: Floats) -> Predict:
    import gstools as gs

    model = gs.Spherical(dim=X.shape[1], var=SILL, len_scale=RANGE, nugget=NUGGET)
    kriging = gs.krige.Ordinary(model, list(X.T), y, exact=True)
    return lambda targets: (kriging(list(targets.T), return_var=False), None)


def with_numpy(X: Floats, y: Floats) -> Predict:
    from scipy.spatial import cKDTree

    tree, k = cKDTree(X), min(NEIGHBOURS, len(X))

    def predict(targets: Floats) -> Answer:
        parts = [
            solve_systems(X, y, part, tree.query(part, k)[1])
            for part in np.array_split(targets, max(1, len(targets) // 1000))
        ]
        estimates, variances = zip(*parts, strict=True)
        return np.concatenate(estimates), np.concatenate(variances)

    return predict


def solve_systems(X: Floats, y: Floats, targets: Floats, rows: NDArray[np.intp]) -> Answer:
    """Return ordinary kriging of targets from the samples `rows`, as the textbook writes it."""
    near, (m, k) = X[rows], rows.shape
    system, right = np.ones((m, k + 1, k + 1)), np.ones((m, k + 1))
    system[:, :k, :k] = covariance(np.linalg.norm(near[:, :, None] - near[:, None], axis=-1))
    system[:, k, k] = 0.0
    right[:, :k] = covariance(np.linalg.norm(near - targets[:, None], axis=-1))
    weights = np.linalg.solve(system, right[..., None])[..., 0]
    estimate = (weights[:, :k] * y[rows]).sum(axis=1)
    return estimate, SILL + NUGGET - (weights * right).sum(axis=1)


def covariance(distance: Floats) -> Floats:
    h = np.minimum(distance / RANGE, 1.0)
    return SILL * (1 - 1.5 * h + 0.5 * h**3) + NUGGET * (distance == 0)


TOOLS: dict[str, Callable[[Floats, Floats], Predict]] = {
    "ours": ours,
    "krigekit": krigekit,
    "gstlearn": gstlearn,
    "PyKrige": pykrige,
    "PyKrige in 3D": pykrige,
    "numpy": with_numpy,
    "ours, all samples": ours_of_all,
    "GSTools": gstools,
}


# Measuring, each in a process of its own


def work(case: Case, answers: Path) -> dict[str, float]:
    """Time a tool, here; save what it answers at the targets that are compared."""
    X, y = case.samples()
    targets, tool = case.targets(), TOOLS[case.tool]
    tool(X[:200], y[:200])(targets[:40])  # loads and compiles
    start = time.process_time()
    predict = tool(X, y)
    fitted, before = time.process_time(), peak_memory()
    estimate, variance = predict(targets)
    done = time.process_time()
    variance = np.zeros_like(estimate) if variance is None else variance
    some = slice(0, N_COMPARED)
    np.savez(answers, estimate=np.asarray(estimate)[some], variance=np.asarray(variance)[some])
    return {
        "fit": fitted - start,
        "predict": done - fitted,
        "microseconds": (done - fitted) / len(targets) * 1e6,
        "peak_memory_MB": peak_memory(),
        "before_MB": before,
    }


def measure(case: Case, folder: Path) -> dict[str, Any] | None:
    """Run `work` in a process of its own, with one thread; None where it fails or takes too long."""
    answers = folder / f"{case.tool} {case.n_dims} {case.n_samples}.npz"
    told = run_alone("work", {**asdict(case), "answers": str(answers)}, case.tool)
    if told is None:
        return None
    saved = np.load(answers)
    return {**told, "estimate": saved["estimate"], "variance": saved["variance"]}


def run_alone(task: str, settings: dict[str, Any], label: str, *, threads: int = 1) -> Any:
    """Run a task of this file in a process of its own and return what it tells, or None."""
    limits = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"),
        str(threads),
    )
    command = [sys.executable, __file__, "--task", json.dumps({"task": task, **settings})]
    try:
        done = subprocess.run(  # noqa: S603 - this file itself
            command, env={**os.environ, **limits}, capture_output=True, text=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{label}: not finished after {SECONDS} s")
        return None
    if done.returncode:
        print(f"{label}: failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def peak_memory() -> float:
    """Return the most memory the process has held [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# The table


@dataclass(frozen=True)
class Comparison:
    """Our tool and its peers on one problem."""

    own: str
    peers: tuple[str, ...]
    n_dims: int
    n_samples: int

    def rows(self, quick: bool, folder: Path) -> list[dict]:
        """Measure all, and return rows of time, speed, memory and difference."""
        what = f"{self.n_dims}D, {self.n_samples:,} samples"
        print(f"{what} ...", flush=True)
        mine = self._measure(self.own, quick, folder)
        if mine is None:
            raise SystemExit("our own kriging failed")
        is_bar = self.n_dims == 3 and self.n_samples >= 5_000
        given = {"seeds": 1, "samples": self.n_samples, "dimensions": self.n_dims}
        goal = "<=10" if is_bar else None
        rows = [row(f"{what}: {self.own}", mine["microseconds"], None, goal, "us/target", **given)]
        for peer in self.peers:
            theirs = self._measure(peer, quick, folder)
            for name, ours, their, goal, unit in _contrasts(mine, theirs, peer, is_bar):
                rows.append(row(f"{what}: {peer}, {name}", ours, their, goal, unit, **given))
        return rows

    def _measure(self, tool: str, quick: bool, folder: Path) -> dict[str, Any] | None:
        if not installed(tool):
            return None
        return measure(Case(tool, self.n_dims, self.n_samples, TARGETS[tool][quick]), folder)


def _contrasts(
    mine: dict[str, Any], theirs: dict[str, Any] | None, peer: str, is_bar: bool
) -> list[tuple[str, float, float | None, str | None, str]]:
    """Return (what, ours, theirs, goal, unit) of one peer; a single line if it did not run."""
    own_time = mine["microseconds"]
    if theirs is None:
        return [("time", own_time, None, None, "us/target")]
    n = min(len(mine["estimate"]), len(theirs["estimate"]))
    gap = max(np.abs(mine[key][:n] - theirs[key][:n]).max() for key in ("estimate", "variance"))
    time_, memory = theirs["microseconds"], theirs["peak_memory_MB"]
    goal = SPEED_GOALS.get(peer) if is_bar else None
    return [
        ("time", own_time, time_, None, "us/target"),
        ("our speed", time_ / own_time, 1.0, goal, "x"),
        ("peak memory", mine["peak_memory_MB"], memory, None, "MB"),
        ("difference", float(gap), None, AGREEMENT_GOALS.get(peer), ""),
    ]


def local_rows(options: Options, folder: Path) -> list[dict]:
    """Compare the local forms in 2D and 3D, with few and many samples."""
    always = ("krigekit", "gstlearn", "numpy")
    comparisons = []
    for n_dims in (2, 3):
        for n in (2_000,) if options.quick else (5_000, 50_000):
            # PyKrige holds all pairs of samples; its 3D form takes a thousand at most.
            peers = (*always, "PyKrige") if n_dims == 2 and n <= 5_000 else always
            comparisons.append(Comparison("ours", peers, n_dims, n))
    if not options.quick:
        comparisons.append(Comparison("ours", ("PyKrige in 3D",), 3, SMALL))
    comparisons.append(Comparison("ours, all samples", ("GSTools",), 2, SMALL))
    return [row for each in comparisons for row in each.rows(options.quick, folder)]


def thread_rows(options: Options) -> list[dict]:
    """Return how much faster the local form is on all threads, by wall time."""
    n_threads, n_targets = os.cpu_count() or 1, 20_000 if options.quick else 400_000
    told = run_alone("threads", {"n_targets": n_targets}, "threads", threads=n_threads)
    goal = None if options.quick else f">={0.8 * n_threads:g}"
    given = {"seeds": 1, **told}
    more = told["processor of all"] / told["processor of one"]
    return [
        row(f"speed on {n_threads} threads", told["one"] / told["all"], None, goal, "x", **given),
        row(f"processor time on {n_threads} threads", more, None, "<=1.15", "x one", **given),
    ]


def work_threads(n_targets: int) -> dict[str, float]:
    """Time the local form on one thread and on all."""
    from gossan.geostat import Kriging

    case = Case("ours", 3, 5_000, n_targets)
    X, y = case.samples()
    seconds: dict[str, float] = {}
    for name, n_jobs in (("one", 1), ("all", -1)):
        kriging = Kriging(our_model(), n_neighbours=NEIGHBOURS, n_jobs=n_jobs).fit(X, y)
        kriging.predict(case.targets()[:5000])
        start, processor = time.perf_counter(), time.process_time()
        kriging.predict(case.targets())
        seconds[name] = time.perf_counter() - start
        seconds[f"processor of {name}"] = time.process_time() - processor
    return seconds


def global_rows(options: Options) -> list[dict]:
    """Return time and agreement of the exact global form."""
    sizes = {"n_samples": 600, "side": 20} if options.quick else {"n_samples": 5000, "side": 100}
    told = run_alone("global", sizes, "global form", threads=os.cpu_count() or 1)
    what = f"{sizes['n_samples']:,} x 12 samples onto {sizes['side'] ** 3:,} cells, all samples"
    goal = None if options.quick else "<=3.5"
    given = {"seeds": 1, **told}
    return [
        row(f"{what}: fit and evaluation", told["fit"] + told["predict"], None, goal, "s", **given),
        row(f"{what}: difference from numpy", told["difference"], None, "<=1e-5", "", **given),
        row(f"{what}: peak memory", told["peak_memory_MB"], None, None, "MB", **given),
    ]


def work_global(n_samples: int, side: int) -> dict[str, float]:
    """Time the exact global form of 12 variables on a cube of cells, and check some cells."""
    from gossan.geostat import Kriging

    X, y = Case("ours", 3, n_samples, 1).samples()
    rng = np.random.default_rng(2)
    Y = y[:, None] * rng.uniform(0.5, 2.0, 12) + rng.normal(0, 0.1, (n_samples, 12))
    axis = (np.arange(side) + 0.5) * SIDE / side
    mesh = np.meshgrid(axis, axis, axis, indexing="ij")
    cells = np.column_stack([each.ravel() for each in mesh[::-1]])
    Kriging(our_model(), n_neighbours=None, n_jobs=-1).fit(X[:300], Y[:300]).predict(cells[:2000])
    start, processor = time.perf_counter(), time.process_time()
    kriging = Kriging(our_model(), n_neighbours=None, n_jobs=-1).fit(X, Y)
    fitted = time.perf_counter()
    estimate = kriging.predict(cells)
    done, processor = time.perf_counter(), time.process_time() - processor
    peak = peak_memory()
    some = rng.choice(len(cells), 500, replace=False)
    gap = np.abs(estimate[some] - dual_with_numpy(X, Y, cells[some])).max()
    return {
        "fit": fitted - start,
        "predict": done - fitted,
        "processor": processor,
        "difference": float(gap),
        "peak_memory_MB": peak,
    }


def dual_with_numpy(X: Floats, Y: Floats, targets: Floats) -> Floats:
    """Return exact global ordinary kriging by one dense system."""
    from scipy.spatial.distance import cdist

    n = len(X)
    system, right = np.ones((n + 1, n + 1)), np.zeros((n + 1, Y.shape[1]))
    system[:n, :n] = covariance(cdist(X, X))
    system[n, n], right[:n] = 0.0, Y
    weights = np.linalg.solve(system, right)
    return covariance(cdist(targets, X)) @ weights[:n] + weights[n]


# One large grid


def cells_rows(n_cells: float, n_samples: int) -> list[dict]:
    """Return time and memory of one large grid, kriged block by block into Zarr."""
    with tempfile.TemporaryDirectory(prefix="kriging") as folder:
        settings = {"n_cells": n_cells, "n_samples": n_samples, "out": f"{folder}/grid.zarr"}
        told = run_alone_shown("cells", settings)
    what = f"{told['cells']:,} cells, {n_samples:,} samples"
    given = {"seeds": 1, **told}
    return [
        row(f"{what}: wall time", told["wall"], None, None, "s", **given),
        row(f"{what}: processor", told["microseconds"], None, None, "us/cell", **given),
        row(f"{what}: peak memory", told["peak_memory_MB"], None, "<=4096", "MB", **given),
        row(f"{what}: not estimated", told["n_unestimated"], None, "<=0", "cells", **given),
        row(f"{what}: difference from the points", told["difference"], None, "<=1e-5", "", **given),
    ]


def run_alone_shown(task: str, settings: dict[str, Any]) -> Any:
    """As `run_alone`, without a time limit, and with its progress on the screen."""
    command = [sys.executable, __file__, "--task", json.dumps({"task": task, **settings})]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return json.loads(done.stdout.strip().splitlines()[-1])


def work_cells(n_cells: float, n_samples: int, out: str) -> dict[str, float]:
    """Krige a cube of cells into Zarr; compare some cells with the same points kriged alone."""
    import xarray as xr

    from gossan.geostat import Kriging, krige_grid

    X, y = Case("ours", 3, n_samples, 1).samples()
    side = min(1000, round(n_cells ** (1 / 3)))
    shape = {"elevation": round(n_cells / side**2), "northing": side, "easting": side}
    axes = {name: (np.arange(n) + 0.5) * SIDE / n for name, n in shape.items()}
    n_cells = int(np.prod([*shape.values()]))
    grid = xr.Dataset(coords=axes)
    kriging = Kriging(our_model(), n_neighbours=NEIGHBOURS, n_jobs=-1).fit(X, y)
    kriging.predict(X[:2000] + 1.0)
    start, wall, told = time.process_time(), time.perf_counter(), [0.0]

    def progress(done: int, total: int) -> None:
        if time.perf_counter() - told[0] > 20:
            told[0] = time.perf_counter()
            spent = told[0] - wall
            print(
                f"{done:,} of {total:,} cells, {spent:.0f} s, {peak_memory():.0f} MB",
                file=sys.stderr,
            )

    found = krige_grid(kriging, grid, out=out, return_std=True, progress=progress)
    spent, wall = time.process_time() - start, time.perf_counter() - wall
    peak = peak_memory()
    rng = np.random.default_rng(3)
    places = {name: rng.integers(0, n, 500) for name, n in shape.items()}
    points = np.column_stack([axes[name][places[name]] for name in reversed(shape)])
    picked = {name: xr.DataArray(each, dims="place") for name, each in places.items()}
    gap = np.abs(found.estimate.isel(picked).to_numpy() - kriging.predict(points)).max()
    return {
        "cells": n_cells,
        "wall": wall,
        "processor": spent,
        "microseconds": spent / n_cells * 1e6,
        "peak_memory_MB": peak,
        "n_unestimated": int(found.attrs["n_unestimated"]),
        "difference": float(gap),
    }


def row(
    name: str, ours: float, peer: float | None, goal: str | None, unit: str, **more: Any
) -> dict:
    return {"id": name, "ours": ours, "peer": peer, "goal": goal, "unit": unit, **more}


def installed(tool: str) -> bool:
    """Tell whether a peer can be run."""
    return tool not in MODULES or importlib.util.find_spec(MODULES[tool]) is not None


def do_task(settings: dict[str, Any]) -> None:
    """Do what this process was started for, and tell the result on the last line."""
    task = settings.pop("task")
    if task == "work":
        answers = Path(settings.pop("answers"))
        told = work(Case(**settings), answers)
    else:
        tasks = {"threads": work_threads, "global": work_global, "cells": work_cells}
        told = tasks[task](**settings)
    print(json.dumps(told))


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--task", type=json.loads)
    parser.add_argument("--cells", type=float)
    parser.add_argument("--samples", type=int, default=50_000)
    given, rest = parser.parse_known_args()
    if given.task:
        do_task(given.task)
        return
    options = parse_options(__doc__, seeds=1, argv=rest)
    if given.cells:
        report("kriging_cells", cells_rows(given.cells, given.samples), options)
        return
    for peer in ("krigekit", "gstlearn", "PyKrige", "GSTools"):
        if not installed(peer):
            print(f'{peer} is not installed, its column is empty: pip install "gossan[peers]"')
    with tempfile.TemporaryDirectory(prefix="kriging") as folder:
        rows = local_rows(options, Path(folder))
    rows += thread_rows(options) + global_rows(options)
    report("kriging", rows, options)


if __name__ == "__main__":
    main()
