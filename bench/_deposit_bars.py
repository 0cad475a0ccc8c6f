"""What bench/deposit.py measures of speed and memory: kriging, the detectors, and a whole study.

Sizes come in; rows of results go out, each figure beside its goal.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import detectors
import kriging
from _table import Options
from gossan.nets import DeepAutoencoder, StudentTeacherDetector
from gossan.simulate import simulate_deposit
from gossan.study import study_template

DETECTORS = {"DAE": DeepAutoencoder, "STOAD": StudentTeacherDetector}
NORMALS, ANOMALIES = 34_780, 39_306  # cells that the published networks learn from
FEW = {"epochs": 2}
COMMAND = "import sys; from gossan.cli import main; sys.exit(main())"
CUTOFF = "cutoff = 1000.0"
# The template's words that a simulated deposit needs otherwise, and those of a quick run.
EDITS = {
    r"cutoff = 1\.0 ": f"{CUTOFF} ",
    r'# lithology = "lithology\.csv"': 'lithology = "lithology.csv"',
    r"# \[faults\]": "[faults]",
    r'# table = "faults\.csv"': 'table = "faults.csv"',
    r'# table = "ground\.csv"': 'table = "ground.csv"',
}
QUICK_EDITS = {
    r"# spacing = 0": "spacing = 30",
    r"# n_seeds = 3": "n_seeds = 1",
    r"# most_cells = 4000": 'most_cells = 300\nnames = ["held-out trees"]',
    r'# protocols = \["paper".*': 'protocols = ["holes"]',
    r"# n_splits = 5": "n_splits = 2",
    r"# n_nulls = 99": "n_nulls = 9",
    r"# n_jobs = 2": "n_jobs = 1",  # a second process takes longer to start than to work
}


def speed_rows(options: Options) -> list[dict[str, Any]]:
    """Return the rows of bars 1 to 3."""
    with threadpool_limits(1):
        return [*kriging_rows(options), *volume_rows(options), *fit_rows(options)]


def kriging_rows(options: Options) -> list[dict[str, Any]]:
    """Twelve elements kriged from all samples with one variogram onto a cube of cells."""
    sizes = {"n_samples": 600, "side": 20} if options.quick else {"n_samples": 5000, "side": 100}
    told = kriging.run_alone("global", sizes, "kriging")
    if told is None:
        return []
    what = f"1 kriging, {sizes['n_samples']:,} x 12 samples onto {sizes['side'] ** 3:,} cells"
    return [
        _row(f"{what}: time", told["processor"], "CPU s", goal="<=5", **told),
        _row(f"{what}: off a dense system", told["difference"], "", goal="<=1e-4"),
    ]


def volume_rows(options: Options) -> list[dict[str, Any]]:
    """A volume scored by the student and its teacher: against its patches, speed and memory."""
    world = detectors.make_world(0, 40, 600)
    model = StudentTeacherDetector(epochs=2, teacher_epochs=2, random_state=0)
    model.fit(world.X, world.y)
    few = world.volume[:, :36, :36, :36]
    model.score_volume(few)  # loads and compiles
    start = time.process_time()
    scores = model.score_volume(few)
    speed = float(np.isfinite(scores).sum() / (time.process_time() - start))
    patches = detectors.cut(world.volume, np.argwhere(np.ones((10, 10, 10))))
    apart = model.score_samples(patches).reshape(10, 10, 10) - scores[3:13, 3:13, 3:13]
    side = 60 if options.quick else 216
    told = _in_own_process(side)
    what = "2 STOAD, whole volume"
    return [
        _row(f"{what}: off its patches", float(np.abs(apart).max()), "score", goal="<=1e-6"),
        _row(f"{what}: speed", speed, "voxels/s", goal=">=200000"),
        _row(f"{what}: speed, {side**3:,} voxels", told["speed"], "voxels/s", goal=">=200000"),
        _row(f"{what}: memory above it, {side**3:,} voxels", told["above"], "MB", goal="<=1024",
             volume_MB=told["volume"]),
    ]  # fmt: skip


def work_memory(side: int) -> dict[str, float]:
    """Score a random volume in this process; tell how much memory that took above the volume."""
    rng = np.random.default_rng(0)
    X = rng.random((400, 5, 7, 7, 7), dtype=np.float32)
    model = StudentTeacherDetector(epochs=2, teacher_epochs=2, random_state=0)
    model.fit(X, np.zeros(len(X), dtype=int))
    volume = rng.random((5, side, side, side), dtype=np.float32)
    model.score_volume(volume[:, :40, :40, :40])
    before, start = _resident(), time.process_time()
    scores = model.score_volume(volume)
    seconds = time.process_time() - start
    return {
        "above": max(_peak() - before, 0.0),
        "volume": volume.nbytes / 2**20,
        "speed": float(np.isfinite(scores).sum() / seconds),
    }


def fit_rows(options: Options) -> list[dict[str, Any]]:
    """Time of a default fit at the published size; bench/detectors.py has its AUC beside theirs."""
    n, n_barren = (28, 300) if options.quick else (72, 39_000)
    X, y = _published_size(n, n_barren, is_quick=options.quick)
    rows = []
    for name, kind in DETECTORS.items():
        few = (FEW | ({"teacher_epochs": 2} if name == "STOAD" else {})) if options.quick else {}
        start = time.process_time()
        kind(random_state=0, **few).fit(X, y)
        seconds = time.process_time() - start
        what = f"3 {name}, {int((y == 0).sum()):,} normals"
        if name == "STOAD":
            what += f" and {int((y == 1).sum()):,} anomalies"
        rows.append(_row(f"{what}: fit", seconds, "CPU s", goal="<=60"))
    return rows


def study_rows(options: Options) -> list[dict[str, Any]]:
    """Wall time of whole studies, tables to targets and report, with two processes."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="deposit") as folder:
        for plan, goal in (("small", "<=120") if options.quick else ("zaozigou", "<=600"),):
            simulate_deposit(plan, random_state=0).write(Path(folder) / plan)
            edits = EDITS | (QUICK_EDITS if options.quick else {})
            file = Path(folder) / plan / "study.toml"
            file.write_text(_edited(study_template("deposit"), edits), encoding="utf-8")
            load, what = os.getloadavg()[0], f"{plan}, {30 if options.quick else 10} m cells"
            seconds = _run("run", str(file), "--out", str(Path(folder) / plan / "run"))
            rows.append(
                _row(f"6 whole study, plan {what}: time", seconds, "s", goal=goal,
                     load_before=load)
            )  # fmt: skip
        if not options.quick:
            seconds = _run("demo", "--out", str(Path(folder) / "demo"))
            has_deposit = any((Path(folder) / "demo").rglob("targets.csv"))
            what = "with" if has_deposit else "without"
            rows.append(
                _row(f"6 gossan demo, {what} a deposit study: time", seconds, "s", goal="<=120")
            )
    return rows


def _edited(text: str, edits: dict[str, str]) -> str:
    for pattern, words in edits.items():
        text, n = re.subn(pattern, words, text, count=1)
        if not n:
            raise ValueError(f"The template has no {pattern!r} any more. Mend EDITS of this bench.")
    return text


def _run(*words: str) -> float:
    """Run the command line in a process of its own; return its wall time [s]."""
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this package itself
        [sys.executable, "-c", COMMAND, *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"gossan {' '.join(words)} failed: {done.stderr.strip()[-500:]}")
    return time.perf_counter() - start


def _in_own_process(size: int) -> Any:
    done = subprocess.run(  # noqa: S603 - this file itself
        [sys.executable, __file__, str(size)], stdout=subprocess.PIPE, text=True, check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return json.loads(done.stdout.strip().splitlines()[-1])


def _published_size(
    n: int, n_barren: int, *, is_quick: bool
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Patches in the published number; anomalies are repeated, which takes as long to learn from."""
    world = detectors.make_world(0, n, n_barren)
    normals, ore = world.X[world.y == 0], world.X[world.y == 1]
    n_normals, n_ore = (len(normals), len(ore)) if is_quick else (NORMALS, ANOMALIES)
    repeated = np.arange(n_ore) % len(ore)
    X = np.concatenate([normals[:n_normals], ore[repeated]])
    return X, (np.arange(len(X)) >= min(n_normals, len(normals))).astype(np.int64)


def _resident() -> float:
    return _of_status("VmRSS")


def _peak() -> float:
    return _of_status("VmHWM")


def _of_status(field: str) -> float:
    """Memory of this process [MB]: what getrusage tells is that of its parent where that is more."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (kilobytes,) = re.findall(rf"{field}:\s+(\d+) kB", status.read_text(encoding="utf-8"))
    return int(kilobytes) / 1024


def _row(
    name: str, ours: float, unit: str, *, peer: float | None = None, goal: str | None = None,
    seeds: int = 1, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    return {"id": name, "ours": float(ours), "peer": peer, "goal": goal, "unit": unit,
            "seeds": seeds, **more}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(work_memory(int(sys.argv[1]))))
