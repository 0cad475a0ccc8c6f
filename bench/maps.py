"""The map to explore: 50 layers of a simulated district in a real browser.

    python bench/maps.py [--quick]

Prints the size of the file, the time to write it, to open it, and per frame while the map moves, is
read and changes its layer. Half of the layers are noise on purpose, which packs worst. Needs Chromium;
without it only what needs no browser is measured. A quick run has a third of the cells each way.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from _table import parse_options, report
from gossan.data.grids.grid import add_layer
from gossan.report import MapView, write_map
from gossan.simulate import simulate_region

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "report"))
from chromium import BROWSERS, Chromium

N_LAYERS = 50
MOVE = """(async () => {
  const map = document.querySelector('.gmap').map, keys = map.layers.map(own => own.key);
  const middle = times => times.sort((a, b) => a - b)[times.length >> 1];
  const time = async (work, n) => {
    const found = [];
    for (let i = 0; i < n; i++) {
      const begun = performance.now();
      work(i);
      found.push(performance.now() - begun);
      await new Promise(done => setTimeout(done));
    }
    return middle(found);
  };
  return {
    move: await time(i => { map.view.x += map.view.scale; map.draw(); }, 30),
    change: await time(i => { map.show(keys[i + 1]); map.draw(); }, 20),
    read: await time(i => map.choose(map.pick(300 + i, 300, 9)), 20),
  };
})()"""


def main() -> None:
    """Write the map, open it, move it, print the figures."""
    options = parse_options(__doc__, seeds=1)
    view = map_of(100 if options.quick else 300)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        path = write_map(Path(folder) / "map.html", view)
        wall = time.perf_counter() - begun
        rows = [
            row("time to write", wall, "s"),
            row("size of the file", path.stat().st_size / 1e6, "MB", goal="<=10"),
        ]
        if any(shutil.which(name) for name in BROWSERS):
            rows += drawn(Path(folder), path)
        else:
            print("No Chromium is installed: nothing was drawn.")
    report("maps", rows, options)


def drawn(folder: Path, path: Path) -> list[dict]:
    """Return what a browser took to open the map, to move it and to read it."""
    window = Chromium(folder)
    try:
        begun = time.perf_counter()
        window.open(path)
        opened = time.perf_counter() - begun
        figures = window.run(MOVE)
    finally:
        window.close()
    return [
        row("opened and drawn", opened, "s"),
        row("a frame while it moves", figures["move"], "ms", goal="<=16"),
        row("another layer", figures["change"], "ms"),
        row("a click that reads all layers of scores and elements", figures["read"], "ms"),
    ]


def row(what: str, ours: float, unit: str, *, goal: str | None = None) -> dict:
    """Return a row of the results."""
    return {"id": what, "ours": float(ours), "peer": None, "goal": goal, "unit": unit, "seeds": 1}


def map_of(n: int) -> MapView:
    """Return a district of n x n cells: its elements, noise, scores and what is known of them."""
    simulated = simulate_region(shape=(n, n), n_deposits=n // 2, n_known=n // 10, n_decoys=n)
    grid = simulated.truth.on_grid(simulated.grid())
    rng = np.random.default_rng(0)
    for name in ("score", "percentile", "spread", "stability", "edge_fraction"):
        grid = add_layer(grid, name, rng.random((n, n)))
    for i in range(N_LAYERS - len(grid.data_vars)):
        grid = add_layer(grid, f"attribution_{i + 1}", rng.normal(size=(n, n)))
    known = simulated.occurrences[simulated.occurrences["is_known"]]
    return MapView(
        grid, points={"Occurrences": known}, lines={"Faults": simulated.faults}, title="District"
    )


if __name__ == "__main__":
    main()
