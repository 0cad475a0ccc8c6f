"""The 3D view at its limits: 300,000 triangles and 50,000 pieces of traces in a real browser.

    python bench/scene.py [--quick]

Prints the size of the file, the time to write it, to the first frame, and per frame while the view
turns: of our own script (what a machine with a graphics card waits for us) and of the whole frame
as drawn here, which without a card is the software rasteriser's time. Needs Chromium; without it
only what needs no browser is measured. A quick run has a tenth of all.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from _table import parse_options, report
from gossan.data.grids.grid import add_layer, make_grid
from gossan.report import Scene, grade_traces, grid_slices, score_shells, write_scene

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "report"))
from chromium import Chromium

N_FRAMES = 30
TURN = f"""(async () => {{
  const gl = scene3d.gl, pixel = new Uint8Array(4), script = [], whole = [];
  const sync = () => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  for (let i = 0; i < {N_FRAMES}; i++) {{
    scene3d.camera.azimuth = (scene3d.camera.azimuth + 4) % 360;
    const begun = performance.now();
    scene3d.draw();
    script.push(performance.now() - begun);
    sync();
    whole.push(performance.now() - begun);
    await new Promise(done => setTimeout(done));
  }}
  const middle = times => times.sort((a, b) => a - b)[times.length >> 1];
  const begun = performance.now();
  for (let i = 0; i < 10; i++) scene3d.pick(300 + 10 * i, 300, false);
  const hover = (performance.now() - begun) / 10, again = performance.now();
  for (let i = 0; i < 10; i++) scene3d.pick(300 + 10 * i, 300, true);
  return {{script: middle(script), whole: middle(whole), hover, click: (performance.now() - again) / 10,
           card: gl.getParameter(gl.RENDERER), ...scene3d.timings}};
}})()"""


BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Write the large view, open it, turn it, print the figures."""
    options = parse_options(__doc__, seeds=1)
    part = 10 if options.quick else 1
    with tempfile.TemporaryDirectory() as folder:
        scene = large_scene(50_000 // part)
        begun = time.perf_counter()
        path = write_scene(Path(folder) / "large.html", scene, most_triangles=300_000 // part)
        wall = time.perf_counter() - begun
        rows = [
            row("time to write", wall, "s"),
            row("size of the file", path.stat().st_size / 1e6, "MB"),
        ]
        if any(shutil.which(name) for name in BROWSERS):
            rows += drawn(Path(folder), path)
        else:
            print("No Chromium is installed: nothing was drawn.")
    report("scene", rows, options)


def drawn(folder: Path, path: Path) -> list[dict]:
    """Return what a browser took to draw the page, and to turn it."""
    window = Chromium(folder)
    try:
        window.open(path)
        print(
            "\n".join(window.run("scene3d.layers.map(layer => layer.name + ': ' + layer.content)"))
        )
        figures = window.run(TURN)
    finally:
        window.close()
    print(f"drawn by {figures['card']}")
    return [
        row("first frame after the script began", figures["first"], "ms"),
        row("a frame: our script", figures["script"], "ms", goal="<=16"),
        row("a frame: until drawn, without a graphics card", figures["whole"], "ms"),
        row("pointing", figures["hover"], "ms"),
        row("a click, surfaces too", figures["click"], "ms"),
    ]


def row(what: str, ours: float, unit: str, *, goal: str | None = None) -> dict:
    """Return a row of the results."""
    return {"id": what, "ours": float(ours), "peer": None, "goal": goal, "unit": unit, "seeds": 1}


def large_scene(n_pieces: int) -> Scene:
    """Return shells of some 300,000 triangles, 50,000 assayed pieces and 1 M cells, made up."""
    rng = np.random.default_rng(0)
    grid = make_grid((0, 1400, 0, 1200), 12, elevations=(2000, 3200), crs="EPSG:32648")
    shape = [grid.sizes[axis] for axis in ("elevation", "northing", "easting")]
    z, y, x = (np.linspace(0, 1, n) for n in shape)
    score = sum(
        np.multiply.outer(
            np.multiply.outer(np.sin(a * z + p), np.sin(b * y + q)), np.sin(c * x + r)
        )
        for a, b, c, p, q, r in rng.uniform(3, 26, (14, 6))
    )
    score = (score - score.min()) / np.ptp(score)
    grid = add_layer(grid, "score", score.astype("f4"))
    holes = [_hole(rng, f"DH{k:04d}", 250) for k in range(max(1, n_pieces // 250))]
    traces = pd.concat([hole for hole, _ in holes])
    intervals = pd.concat([table for _, table in holes])
    return Scene("At the limit", [
        *score_shells(grid, "score", np.quantile(score, [0.75, 0.93]).tolist()),
        grade_traces(traces, intervals, "Au", unit="ppm", scale="log"),
        grid_slices(grid, "score", shown=["northing"]),
    ])  # fmt: skip


def _hole(rng: np.random.Generator, name: str, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a hole of n intervals of 2 m, bending."""
    depth = np.arange(n + 1) * 2.0
    azimuth = rng.uniform(0, 2 * np.pi) + 2e-4 * depth
    dip = rng.uniform(1.0, 1.5) - 2e-4 * depth
    way = np.stack([np.sin(azimuth) * np.cos(dip), np.cos(azimuth) * np.cos(dip), -np.sin(dip)], 1)
    places = rng.uniform([100, 100, 3150], [1300, 1100, 3200]) + np.cumsum(2.0 * way, axis=0)
    trace = pd.DataFrame(places, columns=["easting", "northing", "elevation"])
    trace = trace.assign(hole=name, depth=depth)
    grades = np.exp(np.cumsum(rng.normal(0, 0.35, n)) * 0.5 + rng.normal(-2, 1))
    return trace, pd.DataFrame({"hole": name, "from": depth[:-1], "to": depth[1:], "Au": grades})


if __name__ == "__main__":
    main()
