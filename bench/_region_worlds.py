"""Hidden deposits of simulated districts: what a window network, pretraining and transfer find.

Districts with zoned haloes and decoys of the same elements are gridded from their samples; of a
hundred known deposits 10, 30 or 100 are told, and the hundred hidden ones are ranked among cells
away from any. Rows of measurements go out, for the bench of the region study. The districts that
the defaults of `WindowCNN` were chosen on have seeds of 100 and more, and are not among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, maximum_filter, uniform_filter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from gossan.data.grids.grid import cell_centres
from gossan.geostat.idw import InverseDistance
from gossan.models import PointLogistic, StackedTransfer, WindowStatistics
from gossan.nets import WindowCNN, pretrain_windows
from gossan.sampling import patches_at
from gossan.simulate import SimulatedRegion, simulate_region
from gossan.simulate._region_plans import ELEMENTS, REGION_PLANS

Array = NDArray[np.float32]
Scores = NDArray[np.float64]

FIELD, BUFFER = 9, 3.0  # of the network, and between background and what is told [cells]
KINDS = ("same", "other")
C_POINTS, C_AROUND, C_STACK = 0.1, 0.01, 0.3  # inverse penalties, of regressions and of the stack
PORPHYRY = REGION_PLANS["porphyry"]
ZONING = {
    "core": [ELEMENTS.index(name) for name in PORPHYRY.core],
    "ring": [ELEMENTS.index(name) for name in PORPHYRY.ring],
}
PRETEXTS: dict[str, tuple[str, dict[str, Any]]] = {
    "masked": ("masked", {}),
    "haloes": ("haloes", {}),
    "zoned haloes": ("haloes", ZONING),  # the elements of core and ring are told, not their shape
}


class Size(NamedTuple):
    """How large the districts are, and how long is trained."""

    side: int
    n_deposits: int  # half of them known, and as many decoys as deposits
    n_known: tuple[int, ...]
    n_background: int
    settings: dict[str, Any]
    pretraining: dict[str, Any]


FULL = Size(
    160,
    200,
    (10, 30, 100),
    2000,
    {"n_members": 3},
    {"n_members": 3, "epochs": 10, "n_windows": 3000},
)
QUICK = Size(
    80, 40, (10,), 500, {"n_members": 2, "epochs": 10}, {"n_members": 2, "epochs": 3, "n_windows": 800}
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class District:
    """Layers of a simulated district, and the cells of its deposits (row, column).

    Attributes
    ----------
    layers : float32 array of shape (14, ny, nx)
        Logs of gridded samples as robust standard scores.
    known, hidden : int64 arrays of shape (n, 2)
    """

    layers: Array
    known: NDArray[np.int64]
    hidden: NDArray[np.int64]

    def far(self, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return the cells away from some, whose field lies inside, shape (ny, nx)."""
        free = np.ones(self.layers.shape[1:], dtype=bool)
        free[cells[:, 0], cells[:, 1]] = False
        inside = np.zeros_like(free)
        rim = FIELD // 2
        inside[rim:-rim, rim:-rim] = True
        return inside & (distance_transform_edt(free) > BUFFER)


class Task(NamedTuple):
    """What is told of a district, and what is asked: cells (n, 2)."""

    district: District
    ore: NDArray[np.int64]
    background: NDArray[np.int64]
    asked: NDArray[np.int64]
    others: NDArray[np.int64]

    @property
    def rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Cells that are told, and their labels: 1 ore, 0 background."""
        cells = np.concatenate([self.ore, self.background])
        return cells, (np.arange(len(cells)) < len(self.ore)).astype(np.int64)

    def auc(self, scores: NDArray) -> float:
        """Return how often a hidden deposit scores above a cell away from all (ties: half)."""
        cells = np.concatenate([self.asked, self.others])
        is_ore = np.arange(len(cells)) < len(self.asked)
        return float(roc_auc_score(is_ore, scores[cells[:, 0], cells[:, 1]]))


def rows(quick: bool = False, *, seeds: int = 3) -> list[dict[str, Any]]:
    """Return the rows of bar 5 of the region study: means over districts, with their spread."""
    size, n_seeds = (QUICK, 1) if quick else (FULL, seeds)
    return told_in_rows([measure(seed, size) for seed in range(n_seeds)], quick=quick)


def told_in_rows(found: list[dict[str, float]], *, quick: bool) -> list[dict[str, Any]]:
    """Return a row for each method, and for each difference that has a goal."""
    n_seeds = len(found)
    told = {name: np.array([each[name] for each in found]) for name in found[0]}
    goals = {"n = 100: window network": ">=0.95", "n = 10, same type: stacked": ">=0.94"}
    out = []
    for name, values in told.items():
        peer = told.get(_peer_of(name))
        out.append(
            {
                "id": name,
                "ours": float(values.mean()),
                "peer": None if peer is None else float(peer.mean()),
                "goal": None if quick else goals.get(name),
                "unit": "AUC",
                "seeds": n_seeds,
                "sd": float(values.std()),
            }
        )
    return [*out, *_differences(told, quick=quick, n_seeds=n_seeds)]


def _peer_of(name: str) -> str:
    """Return which row stands beside one: no pretraining, or the regression of what is local."""
    n, method = name.split(": ")
    if method.startswith("pretrained"):
        return f"{n}: window network"
    return f"{n.split(',')[0]}: neighbourhood regression" if "regression" not in method else ""


def _differences(told: dict[str, Scores], *, quick: bool, n_seeds: int) -> Iterator[dict[str, Any]]:
    """Yield the rows whose goal is a difference."""
    pairs = (
        ("n = 100: network less regression", "n = 100: window network",
         "n = 100: neighbourhood regression", ">=0"),
        ("n = 10, other type: loss by stacking", "n = 10: regression of the stack",
         "n = 10, other type: stacked", "<=0.01"),
    )  # fmt: skip
    for name, first, second, goal in pairs:
        if first in told and second in told:
            apart = told[first] - told[second]
            common = {"peer": None, "unit": "AUC", "seeds": n_seeds, "sd": float(apart.std())}
            goal_in_force = None if quick else goal
            yield {"id": name, "ours": float(apart.mean()), "goal": goal_in_force, **common}


def measure(seed: int, size: Size) -> dict[str, float]:
    """Return the AUC of each method on one district."""
    region = simulated(seed, size)
    district = gridded(region)
    found: dict[str, float] = {}
    starts = {
        name: pretrain_windows(
            district.layers, method, field=FIELD, random_state=seed, **more, **size.pretraining
        )
        for name, (method, more) in PRETEXTS.items()
    }
    for n in size.n_known:
        task = drawn(district, n, size.n_background, seed)
        for name, scores in local_maps(task, starts, size, seed):
            found[f"n = {n}: {name}"] = task.auc(scores)
    task = drawn(district, size.n_known[0], size.n_background, seed)
    zoned = starts["zoned haloes"]
    found["n = 0: zoned haloes, zero-shot"] = task.auc(
        zoned.score_map(district.layers, edges="reflect")
    )
    n = len(task.ore)
    found[f"n = {n}: zoned haloes, stacked"] = task.auc(stacked(task, zoned, seed))
    for kind in KINDS:
        for name, scores in transferred_maps(task, region, kind, size, seed):
            found[f"n = {n}, {kind} type: {name}"] = task.auc(scores)
    return found


def local_maps(
    task: Task, starts: dict[str, WindowCNN], size: Size, seed: int
) -> Iterator[tuple[str, NDArray]]:
    """Yield the name and the map of each method that learns from this district alone."""
    points = task.district.layers.reshape(len(task.district.layers), -1).T.astype(float)
    yield "point regression", regression(task, points, C=C_POINTS)
    statistics = neighbourhood(task.district.layers)
    yield "neighbourhood regression", regression(task, statistics, C=C_AROUND)
    if len(task.ore) == size.n_known[0]:
        plain = WindowStatistics(PointLogistic(C=C_STACK))
        yield "regression of the stack", mapped(plain, task)
    yield "window network", network(task, size, seed)
    for method, start in starts.items():
        yield f"pretrained, {method}", network(task, size, seed, start=start)


def transferred_maps(
    task: Task, region: SimulatedRegion, kind: str, size: Size, seed: int
) -> Iterator[tuple[str, NDArray]]:
    """Yield the name and the map of each way to use a well explored district."""
    elsewhere = gridded(region.source(kind))
    lesson = drawn(elsewhere, len(elsewhere.known), size.n_background * 3 // 2, seed)
    X, y = windows_of(lesson)
    source = WindowCNN(random_state=seed, **size.settings).fit(X, y)
    yield "zero-shot", source.score_map(task.district.layers, edges="reflect")
    for name, tune in (("head tuned", "head"), ("fine-tuned", "all")):
        yield name, network(task, size, seed, start=source, tune=tune)
    yield "stacked", stacked(task, source, seed)


def stacked(task: Task, source: WindowCNN, seed: int) -> Array:
    """Return the map of a regression on what is local and the score of a source."""
    return mapped(StackedTransfer(source, C=C_STACK, random_state=seed), task)


def mapped(model: Any, task: Task) -> Array:
    """Return the map of a model fitted on what is told."""
    scores: Array = model.fit(*windows_of(task)).score_map(task.district.layers, edges="reflect")
    return scores


def simulated(seed: int, size: Size) -> SimulatedRegion:
    """Return a district with a sample for each cell, and as many decoys as deposits."""
    return simulate_region(
        "porphyry",
        signal="pattern",
        n_deposits=size.n_deposits,
        n_known=size.n_deposits // 2,
        n_decoys=size.n_deposits,
        n_samples=size.side**2,
        shape=(size.side, size.side),
        random_state=seed,
    )


def gridded(region: SimulatedRegion) -> District:
    """Return the layers of a district by inverse distances, and the cells of its deposits."""
    places = region.samples[["easting", "northing"]].to_numpy()
    logs = np.log(region.samples.iloc[:, 4:].to_numpy(dtype=float))
    estimator = InverseDistance(n_neighbours=8, n_per_group=None).fit(places, logs)
    found = estimator.predict(cell_centres(region.grid())).T
    low, middle, high = np.quantile(found, (0.25, 0.5, 0.75), axis=1, keepdims=True)
    scores = np.clip((found - middle) / ((high - low) / 1.349), -6.0, 6.0)
    at = region.occurrences[["northing", "easting"]].to_numpy() / region.settings.spacing
    cells, is_known = at.astype(np.int64), region.occurrences["is_known"].to_numpy()
    layers = scores.reshape(len(scores), *region.settings.shape).astype(np.float32)
    return District(layers, known=cells[is_known], hidden=cells[~is_known])


def drawn(district: District, n: int, n_background: int, seed: int) -> Task:
    """Return a task with some known deposits, and background away from them (not from hidden ones)."""
    rng = np.random.default_rng([seed, n])
    ore = rng.permutation(district.known)[:n]
    background = rng.permutation(np.argwhere(district.far(ore)))[:n_background]
    is_other = district.far(np.concatenate([district.known, district.hidden]))
    is_other[background[:, 0], background[:, 1]] = False
    return Task(district, ore, background, district.hidden, np.argwhere(is_other))


def windows_of(task: Task) -> tuple[Array, NDArray[np.int64]]:
    """Return the windows of what is told, (n, 14, field, field), and their labels."""
    cells, labels = task.rows
    windows, is_whole = patches_at(task.district.layers, cells, FIELD)
    return windows, labels[is_whole]


def network(task: Task, size: Size, seed: int, **more: Any) -> Array:
    """Return the map of a window network trained on what is told."""
    return mapped(WindowCNN(random_state=seed, **size.settings, **more), task)


def regression(task: Task, columns: Scores, *, C: float) -> Scores:
    """Return the map of a ridge-penalised regression on columns (n_cells, n), scaled by what is told."""
    nx = task.district.layers.shape[2]
    cells, labels = task.rows
    told = cells[:, 0] * nx + cells[:, 1]
    scaled = (columns - columns[told].mean(axis=0)) / columns[told].std(axis=0)
    model = LogisticRegression(C=C, class_weight="balanced", max_iter=500)
    return model.fit(scaled[told], labels).decision_function(scaled).reshape(-1, nx)


def neighbourhood(layers: Array) -> Scores:
    """Return values, means, maxima and spreads in 3 and 5 cells, and rims less the middle."""
    columns = []
    for layer in layers.astype(float):
        mean = {k: uniform_filter(layer, k) for k in (3, 5, 7)}
        columns.append(layer)
        for k in (3, 5):
            variance = np.maximum(uniform_filter(layer**2, k) - mean[k] ** 2, 0.0)
            columns += [mean[k], maximum_filter(layer, k), np.sqrt(variance)]
        for inner, outer in ((3, 5), (5, 7)):
            rim = (outer**2 * mean[outer] - inner**2 * mean[inner]) / (outer**2 - inner**2)
            columns.append(rim - mean[3])
    return np.stack(columns).reshape(len(columns), -1).T
