"""Models and baselines of the deposit study, all with one face: fit on cells, a score for every cell.

A scaled cube with labelled training cells comes in; a score for each cell of the volume, higher always
meaning more prospective, goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gossan.models.detection import make_detector
from gossan.nets.autoencoder import DeepAutoencoder
from gossan.nets.student_teacher import StudentTeacherDetector
from gossan.prospectivity.scoring import favourability
from gossan.sampling.patches import patches_at

SIDE = 7  # voxels along a patch
ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a model learns from in one fold.

    Attributes
    ----------
    volume : float32 array (channels, nz, ny, nx)
        Scaled indicators; NaN where they are missing.
    cells : int64 array (n, 3)
        Places of the training cells along the axes.
    labels : int64 array (n,)
        1 ore, 0 barren.
    groups : array (n,)
        Hole of each.
    layers : mapping of name to array (nz, ny, nx)
        What baselines read as it is: "ore_grade", "fault_distance", "sample_distance".
    """

    volume: NDArray[np.float32]
    cells: NDArray[np.int64]
    labels: NDArray[np.int64]
    groups: NDArray
    layers: Mapping[str, NDArray[np.float64]]

    def rows(self) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray]:
        """Indicators of the training cells as a table, their labels and groups."""
        table = self.volume[(slice(None), *self.cells.T)].T
        known = np.isfinite(table).all(axis=1)
        return table[known], self.labels[known], self.groups[known]


Scores = NDArray[np.float64]  # (nz, ny, nx), NaN where there is none
Method = Callable[[Lesson, int], Scores]


def table_model(name: str) -> Method:
    """A model that reads the indicators of a cell alone, see `gossan.models.make_detector`."""

    def score(lesson: Lesson, seed: int) -> Scores:
        X, y, _ = lesson.rows()
        model = make_detector(name, random_state=seed).fit(X, y)
        return _by_cell(model, lesson.volume)

    return score


def patch_model(make: Callable[[int], Any]) -> Method:
    """A network that reads the patch round a cell; where the volume ends it is repeated."""

    def score(lesson: Lesson, seed: int) -> Scores:
        half = SIDE // 2
        sides = [(0, 0), *[(half, half)] * 3]
        padded = np.pad(lesson.volume, sides, mode="edge")
        patches, is_whole = patches_at(padded, lesson.cells + half, SIDE)
        model = make(seed).fit(patches, lesson.labels[is_whole], groups=lesson.groups[is_whole])
        return -np.asarray(model.score_volume(lesson.volume, edges="pad"), dtype=float)

    return score


def layer(name: str, sign: int = 1) -> Method:
    """A baseline that learns nothing: a layer, or minus it."""

    def score(lesson: Lesson, seed: int) -> Scores:  # noqa: ARG001
        return sign * np.asarray(lesson.layers[name], dtype=float)

    return score


BASELINES: Mapping[str, Method] = {
    "kriged ore": layer("ore_grade"),
    "distance to fault": layer("fault_distance", -1),
    "distance to sample": layer("sample_distance", -1),
    "boosted trees": table_model("boosted"),
}
MODELS: Mapping[str, Method] = {
    "maxent": table_model("maxent"),
    "mixture": table_model("mixture"),
    "mixture posterior": table_model("mixture_posterior"),
    "isolation forest": table_model("isolation"),
    "DAE": patch_model(lambda seed: DeepAutoencoder(random_state=seed)),
    "STOAD": patch_model(lambda seed: StudentTeacherDetector(random_state=seed)),
}
METHODS: Mapping[str, Method] = {**BASELINES, **MODELS}
RANDOM = {"boosted trees", "mixture", "mixture posterior", "isolation forest", "DAE", "STOAD"}


def _by_cell(model: Any, volume: NDArray[np.float32]) -> Scores:
    """Score every cell with all its indicators known."""
    flat = volume.reshape(len(volume), -1).T
    scores = np.full(len(flat), np.nan)
    known = np.flatnonzero(np.isfinite(flat).all(axis=1))
    for start in range(0, len(known), ROWS_AT_ONCE):
        some = known[start : start + ROWS_AT_ONCE]
        scores[some] = favourability(model, flat[some])
    return scores.reshape(volume.shape[1:])
