"""What the scripts on the five studies share: two options, a run told on the screen, a picture.

A study file with gaps and the settings that fill them come in; a run folder comes out.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

from gossan._checks import GossanWarning
from gossan.plot import to_svg
from gossan.study import run_study, summarise_run


def options_of(doc, name):
    """Return the folder to write and whether only a small run is asked for."""
    parser = argparse.ArgumentParser(description=doc.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("runs") / f"gallery-{name}")
    parser.add_argument("--quick", action="store_true", help="the small run of the tutorial")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", GossanWarning)  # the report tells them
    return options


def run_in(folder, text, settings):
    """Write the study file, its gaps filled, run it, say what came out; return the run folder."""
    filled = {key: str(value).replace("'", '"') for key, value in settings.items()}
    study = folder / "study.toml"
    study.write_text(text.format(**filled), encoding="utf-8")
    started = time.perf_counter()
    run = run_study(study, out=folder / "run", progress=lambda line: say(started, line))
    print(summarise_run(run))
    return run


def save(ax, path):
    """Write the picture that `ax` stands on."""
    path.write_text(to_svg(ax), encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def say(started, line):
    """Print a line with the time since the start."""
    print(f"{time.perf_counter() - started:6.1f} s  {line}", flush=True)
