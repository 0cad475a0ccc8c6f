"""Check an installation without extras: every public name loads, a missing extra is named, commands run.

For the interpreter of a fresh virtual environment into which only the wheel was installed.
"""

import importlib.util
import inspect
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import gossan
from gossan.data import add_layer, make_grid, write_grid
from gossan.simulate import simulate_mineral_chemistry

EXTRAS = {".tif": "gis", ".zarr": "large", ".omf": "omf"}
OPTIONAL = ("rasterio", "geopandas", "zarr", "dask", "omf", "lightgbm")


def main():
    """Exit with the first thing that is not as it should be."""
    there = [name for name in OPTIONAL if importlib.util.find_spec(name)]
    if there:
        sys.exit(f"This is no bare installation: it has {', '.join(there)}.")
    if "site-packages" not in gossan.__file__:
        sys.exit(f"gossan was loaded from {gossan.__file__}, not from the wheel.")
    n_names = sum(map(count_names, gossan.__all__))
    with tempfile.TemporaryDirectory() as folder:
        for ending in EXTRAS:
            check_hint(ending, Path(folder))
        check_commands(Path(folder))
    print(
        f"Bare installation: {n_names} public names load, three missing extras are named, commands run."
    )


def count_names(name):
    """Return how many public names a room has, having loaded each."""
    thing = getattr(gossan, name)
    return len([getattr(thing, each) for each in thing.__all__]) if inspect.ismodule(thing) else 1


def check_hint(ending, folder):
    """Exit unless writing a file that needs an extra says how to install it."""
    grid = make_grid((0, 20, 0, 20), 10.0)
    if ending == ".omf":
        grid = make_grid((0, 20, 0, 20), (10.0, 10.0, 10.0), elevations=(0, 20))
    axes = [name for name in ("elevation", "northing", "easting") if name in grid.sizes]
    grid = add_layer(grid, "score", np.ones([grid.sizes[name] for name in axes]))
    try:
        write_grid(grid, folder / f"grid{ending}")
    except ImportError as error:
        if f'pip install "gossan[{EXTRAS[ending]}]"' not in str(error):
            sys.exit(f"The message about a missing extra does not name it: {error}")
    else:
        sys.exit(f"A {ending} was written without its extra.")


def check_commands(folder):
    """Exit unless the command line reads a messy table and writes its report."""
    made = simulate_mineral_chemistry(n_deposits=12, messy=True, random_state=1)
    made.table.to_csv(folder / "analyses.csv", index=False)
    for words in (["--help"], ["data"], ["classify", "analyses.csv", "--out", "result"]):
        done = subprocess.run(  # noqa: S603, our own command
            [Path(sys.executable).with_name("gossan"), *words],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"gossan {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    if "<svg" not in (folder / "result" / "report.html").read_text(encoding="utf-8"):
        sys.exit("The report holds no figure.")


if __name__ == "__main__":
    main()
