"""What a run survives: it is killed at random moments, and `gossan run` goes on from what it left.

Each of five tiny studies is run once undisturbed; then again and again in a fresh folder, stopped by
Ctrl-C (SIGINT) and by kill -9 (SIGKILL) at seeded random times, and finished. Its scores must be those
of the undisturbed run, to the byte, and no half-written file may be left.

`bench/robustness.py` counts and keeps them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from _small_studies import STUDIES, write_small_studies
from _table import Options

SIGNALS = (signal.SIGKILL, signal.SIGINT)
RUNS_A_SEED = 5
KILLS_A_RUN = 2  # before a run is left to finish
PATIENCE = 600.0  # s


@dataclass
class Kills:
    """What came of the kills of one study."""

    killed: int = 0
    too_late: int = 0  # the run had finished before the moment came
    resumed: int = 0
    equal: int = 0
    lost: int = 0  # files half-written or left over
    codes_wrong: int = 0  # Ctrl-C that did not end in 130


def killed_runs(options: Options) -> list[dict[str, Any]]:
    """Rows of the kills: a share of equal scores and a number of lost files for each study."""
    return kill_rows(RUNS_A_SEED * options.seeds, quick=options.quick)


def kill_rows(n_runs: int, *, quick: bool) -> list[dict[str, Any]]:
    """Rows of the table: kills of each study, and how many runs went on to the same scores."""
    rows = []
    for kind in STUDIES:
        found = kill_study(kind, 1 if quick else n_runs, random_state=0)
        print(f"{kind}: {found}", flush=True)
        counts = {"kills": found.killed, "too_late": found.too_late, "files_lost": found.lost}
        told = {
            "ours": found.equal / max(found.resumed, 1),
            "peer": None,
            "unit": "share",
            **counts,
        }
        rows.append(
            {"id": f"{kind}: runs that end in equal scores after kills", "goal": ">=1",
             "seeds": found.resumed, **told, "codes_wrong": found.codes_wrong}
        )  # fmt: skip
        rows.append(
            {"id": f"{kind}: files half-written or left over", "ours": found.lost, "peer": None,
             "goal": "<=0", "unit": "files", "seeds": found.resumed}
        )  # fmt: skip
    return rows


def kill_study(kind: str, n_runs: int, *, random_state: int, n_kills: int = KILLS_A_RUN) -> Kills:
    """Kill runs of a study at random moments, and let them finish."""
    rng = np.random.default_rng([random_state, list(STUDIES).index(kind)])
    found = Kills()
    with tempfile.TemporaryDirectory() as place:
        study = write_small_studies(Path(place), kinds=(kind,))[kind]
        whole = study.parent / "whole"
        started = time.perf_counter()
        _finish(study, whole)
        lasted = time.perf_counter() - started
        truth = (whole / "scores.csv").read_bytes()
        for number in range(n_runs):
            folder = study.parent / f"run{number}"
            for place_of in range(n_kills):
                sign = SIGNALS[(number + place_of + list(STUDIES).index(kind)) % 2]
                moment = float(rng.uniform(0.15, 0.95)) * lasted
                while not _kill(study, folder, sign, moment, found):  # it was through by then
                    shutil.rmtree(folder)
                    moment *= 0.6
            _finish(study, folder)
            found.resumed += 1
            found.equal += (folder / "scores.csv").read_bytes() == truth
            found.lost += len(damaged_files(folder))
            shutil.rmtree(folder)
    return found


def damaged_files(folder: Path) -> list[str]:
    """Files of a finished run that are left over, empty, or cannot be read whole."""
    bad = []
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        if any(part.startswith(".") for part in file.relative_to(folder).parts):
            bad += [name] * (name != ".lock")
        elif file.is_file() and not _is_whole(file):
            bad.append(name)
    return bad


def _is_whole(file: Path) -> bool:
    if file.suffix == ".npz":
        with zipfile.ZipFile(file) as archive:
            return archive.testzip() is None
    if file.suffix == ".json":
        return json.loads(file.read_text(encoding="utf-8")) is not None
    if file.suffix == ".html":
        return file.read_text(encoding="utf-8").rstrip().endswith("</html>")
    if file.suffix == ".csv":
        return file.read_bytes().endswith(b"\n")
    return file.stat().st_size > 0


def _command(study: Path, folder: Path) -> list[str]:
    return [sys.executable, "-m", "gossan.cli", "run", str(study), "--out", str(folder), "--quiet"]


def _finish(study: Path, folder: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        _command(study, folder), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{study} did not finish: {done.stderr[-2000:]}")


def _kill(study: Path, folder: Path, sign: signal.Signals, after: float, found: Kills) -> bool:
    """Start a run and end it after some seconds; return whether it was still running."""
    # A process group of its own, so that its workers die with it, as they do in a terminal.
    running = subprocess.Popen(  # noqa: S603 - our own command
        _command(study, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
        # In a job of the background a shell lets SIGINT be ignored, and that is inherited.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads
    )  # fmt: skip
    try:
        running.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, sign)
        code = running.wait(PATIENCE)
        found.killed += 1
        if sign == signal.SIGINT and code not in (130, -signal.SIGINT):
            found.codes_wrong += 1  # -SIGINT: still importing, before there is anything to keep
        return True
    found.too_late += 1
    return False
