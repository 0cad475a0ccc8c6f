"""Run every script of the gallery, one after the other, each into a folder of its own.

    python gallery/_all.py [--out FOLDER] [--quick]

A script whose real data are not on this machine is named and left out. The exit code is 1 if another
fails.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
# Script to the data set that it shows; the others make their own.
REAL = {"copper_creek": "copper_creek", "copper_creek_targets": "copper_creek"}
# A picture that needs a browser; a model that is trained for minutes and goes into the package.
BY_HAND = ("report_picture", "shipped_model")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("build/gallery"))
    parser.add_argument("--quick", action="store_true", help="the small run of each")
    options = parser.parse_args(arguments)
    failed = [path.stem for path in scripts() if not runs(path, options)]
    if failed:
        sys.exit(f"These failed: {', '.join(failed)}.")


def scripts():
    """Return the scripts that can run without a hand, by name."""
    paths = sorted(HERE.glob("[!_]*.py"))
    return [path for path in paths if path.stem not in BY_HAND]


def runs(path, options):
    """Run a script and tell how long it took; its output is shown only if it fails."""
    if not has_data(path.stem):
        print(f"{path.name}: left out, its data are not here", flush=True)
        return True
    words = [sys.executable, path, "--out", options.out / path.stem]
    words += ["--quick"] if options.quick else []
    started = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    told = "done" if done.returncode == 0 else "failed"
    print(f"{path.name}: {told} in {time.perf_counter() - started:.0f} s", flush=True)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", flush=True)
    return done.returncode == 0


def has_data(name):
    """Tell whether the data that a script shows are on this machine."""
    from gossan.datasets import find

    try:
        return name not in REAL or bool(find(REAL[name], download=False))
    except (FileNotFoundError, KeyError, ValueError):
        return False


if __name__ == "__main__":
    main()
