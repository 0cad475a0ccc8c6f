"""Gridding of many elements at once: seconds, accuracy on a known field, and how much is extrapolated.

    python bench/gridding.py [--quick]

39 elements are mixed from eight random fields of known truth, with a nugget, and sampled at 5,000
places of a map of 1000 x 1000 cells. The peers: the loop that many toolkits run (all points for each
cell, element after element; timed on some cells of two elements and scaled, as it would take a
quarter of an hour), and scipy's triangulation. Seconds are those of one processor (wall time goes
into the results file beside them), so that a busy machine tells the same; compiled kernels are loaded
before anything is timed.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CloughTocher2DInterpolator, LinearNDInterpolator
from scipy.spatial.distance import cdist

from _table import parse_options, report
from gossan._checks import GossanWarning
from gossan.data import make_grid
from gossan.geostat import grid_points, support_mask

N_ELEMENTS, N_FIELDS = 39, 8
SIDE = 1000  # cells along a side
CELL = 100.0  # [m]
RANGES = (4_000.0, 30_000.0)  # of the fields [m]
NUGGET = 0.1  # standard deviation of the samples' own noise; that of the elements is 1
LOOP_CELLS = 1000  # on which the loop is timed

Floats = NDArray[np.float64]


class World:
    """A map of known truth and its samples."""

    def __init__(self, n_samples: int, side: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.grid = make_grid((0, side * CELL, 0, side * CELL), CELL)
        ranges = np.geomspace(*RANGES, N_FIELDS)
        fields = np.stack([random_field(side, each / CELL, rng) for each in ranges])
        shares = rng.normal(size=(N_ELEMENTS, N_FIELDS))
        self.shares = shares / np.linalg.norm(shares, axis=1, keepdims=True)
        self.fields = fields
        places = rng.choice(side * side, n_samples, replace=False)
        rows, columns = np.divmod(places, side)
        self.coords = np.column_stack([columns + 0.5, rows + 0.5]) * CELL
        self.values = (self.shares @ fields[:, rows, columns]).T
        self.values += rng.normal(0, NUGGET, self.values.shape)

    def error(self, layers: xr.Dataset) -> float:
        """Return the root mean square error over all elements and supported cells."""
        supported = support_mask(self.coords, self.grid)["supported"].values
        squares = []
        for i, mix in enumerate(self.shares):
            gap = layers[f"element_{i}"].values - np.tensordot(mix, self.fields, 1)
            squares.append(np.nanmean(gap[supported] ** 2))
        return float(np.sqrt(np.mean(squares)))


def random_field(side: int, reach: float, rng: np.random.Generator) -> Floats:
    """Return a Gaussian field of unit variance with an exponential covariance, by its spectrum."""
    frequency = np.hypot(
        *np.meshgrid(np.fft.fftfreq(2 * side), np.fft.rfftfreq(2 * side), indexing="ij")
    )
    spectrum = (1.0 + (2 * np.pi * frequency * reach / 3.0) ** 2) ** -0.75
    noise = np.fft.rfft2(rng.normal(size=(2 * side, 2 * side)))
    field = np.fft.irfft2(noise * spectrum)[:side, :side]
    return (field - field.mean()) / field.std()


def timed(work: Callable[[], xr.Dataset]) -> tuple[float, float, xr.Dataset]:
    """Return processor and wall seconds of some work, and its answer."""
    start, wall = time.process_time(), time.perf_counter()
    answer = work()
    return time.process_time() - start, time.perf_counter() - wall, answer


def loop_seconds(world: World, n_cells: int) -> float:
    """Return what the loop over elements and all points would take, from a part of one element."""
    rng = np.random.default_rng(0)
    targets = rng.uniform(0, world.coords.max(), (LOOP_CELLS, 2))
    start = time.process_time()
    for column in world.values.T[:2]:
        for part in np.split(targets, LOOP_CELLS // 50):  # small enough for the processor's cache
            weights = 1.0 / np.maximum(cdist(part, world.coords, "sqeuclidean"), 1e-12)
            _ = (weights @ column) / weights.sum(axis=1)
    return (time.process_time() - start) / 2 * N_ELEMENTS * n_cells / LOOP_CELLS


def triangulated(world: World, kind: type) -> xr.Dataset:
    """Return scipy's interpolation over triangles; cells beyond the samples are NaN."""
    north, east = np.meshgrid(world.grid.northing, world.grid.easting, indexing="ij")
    values = kind(world.coords, world.values)(east, north)
    dims = ("northing", "easting")
    return world.grid.assign({f"element_{i}": (dims, values[..., i]) for i in range(N_ELEMENTS)})


def with_gaps(values: Floats) -> Floats:
    """Return values of which a twentieth is missing, other samples for each element."""
    rng = np.random.default_rng(1)
    return np.where(rng.random(values.shape) < 0.05, np.nan, values)


def warm_up() -> None:
    world = World(200, 30, 0)
    grid_points(world.coords, with_gaps(world.values), grid=world.grid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        grid_points(world.coords, world.values, grid=world.grid, method="kriging")


def extrapolated_share(seed: int) -> float:
    """Return the share of a raster over the box of three surveys that no samples support."""
    rng = np.random.default_rng(seed)
    centres = np.array([[20_000, 25_000], [70_000, 30_000], [45_000, 75_000]])
    coords = np.concatenate([rng.uniform(-16_000, 16_000, (1500, 2)) + each for each in centres])
    (west, south), (east, north) = coords.min(axis=0), coords.max(axis=0)
    grid = make_grid((west, east, south, north), 500.0)
    return 1.0 - float(support_mask(coords, grid)["supported"].mean())


def method_rows(world: World, side: int, seeds: int) -> list[dict]:
    """Return seconds and errors of each method and of its peers."""
    size = f"{N_ELEMENTS} x {len(world.coords):,} -> {side * side:,} cells"
    peers = {
        "linear": timed(lambda: triangulated(world, LinearNDInterpolator)),
        "cubic": timed(lambda: triangulated(world, CloughTocher2DInterpolator)),
    }
    linear, cubic = world.error(peers["linear"][2]), world.error(peers["cubic"][2])
    loop = loop_seconds(world, side * side)
    plans = [
        ("IDW", {"method": "idw"}, world.values, loop, "loop, scaled", "<=5"),
        ("IDW, 5 % gaps", {"method": "idw"}, with_gaps(world.values), loop, "loop, scaled", "<=5"),
        ("kriging with deviation", {"method": "kriging"}, world.values, peers["linear"][0],
         "scipy linear", None),
        ("minimum curvature", {"method": "minimum_curvature"}, world.values, peers["cubic"][0],
         "scipy cubic", None),
    ]  # fmt: skip
    rows = []
    for name, how, values, peer, who, goal in plans:
        spent, wall, found = timed(
            lambda how=how, values=values: (
                grid_points(world.coords, values, grid=world.grid, **how).grid
            )
        )
        more = {"seeds": seeds, "peer_name": who, "wall": wall}
        rows.append(
            {
                "id": f"{name}: {size}",
                "ours": spent,
                "peer": peer,
                "goal": goal,
                "unit": "s",
                **more,
            }
        )
        rival, label = (
            (cubic, "scipy cubic") if name == "minimum curvature" else (linear, "scipy linear")
        )
        error = {"ours": world.error(found), "peer": rival, "goal": None, "unit": "std", **more}
        rows.append({"id": f"{name}: error in supported cells", **error, "peer_name": label})
    return rows


def main() -> None:
    options = parse_options(__doc__, seeds=1)
    side, n_samples = (200, 1000) if options.quick else (SIDE, 5000)
    warm_up()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)
        rows = method_rows(World(n_samples, side, 0), side, 1)
    share = np.mean([extrapolated_share(seed) for seed in range(options.seeds)])
    told = {"peer": 0.0, "goal": ">=0.3", "unit": "share", "seeds": options.seeds}
    name = "extrapolated cells of a raster over three surveys, found by the support mask"
    rows.append({"id": name, "ours": float(share), **told, "peer_name": "raster called valid"})
    report("gridding", rows, options)


if __name__ == "__main__":
    main()
