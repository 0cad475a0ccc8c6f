"""Models and baselines of the deposit study, all with one face: learn from cells, score any cells.

A `Lesson` (a scaled cube, labelled training cells, evidence) comes in; a score for each cell asked
about, higher always meaning more prospective, goes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gossan.models.detection import make_detector
from gossan.models.pooled import PooledTrees
from gossan.nets.autoencoder import DeepAutoencoder
from gossan.nets.student_teacher import StudentTeacherDetector
from gossan.prospectivity.scoring import favourability
from gossan.sampling.patches import patches_at
from gossan.studies.deposit.held_out import Evidence, HeldOutRows, near_columns

SIDE = 7  # voxels along a patch
ROWS_AT_ONCE = 20_000
WIDE_ROWS_AT_ONCE = 500_000
SHOWN = 20_000  # patches that a network is shown: longer training lowers what it finds
EPOCHS = (2, 60)  # at least and at most


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
    places : callable
        Cells (m, 3) to their centres (m, 3) [m].
    evidence : Evidence
        Of the composites that may be learned from.
    held_out : callable
        Rows of evidence without the hole beside each training cell, made when first asked for.
    """

    volume: NDArray[np.float32]
    cells: NDArray[np.int64]
    labels: NDArray[np.int64]
    groups: NDArray
    layers: Mapping[str, NDArray[np.float64]]
    places: Callable[[NDArray[np.int64]], NDArray[np.float64]]
    evidence: Evidence
    held_out: Callable[[], HeldOutRows]

    def rows(self) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray]:
        """Indicators of the training cells as a table, their labels and groups."""
        table = self.volume[(slice(None), *self.cells.T)].T
        known = np.isfinite(table).all(axis=1)
        return table[known], self.labels[known], self.groups[known]


Cells = NDArray[np.int64]  # (m, 3), along the axes
Scores = NDArray[np.float64]  # (m,), NaN where there is none
Method = Callable[[Lesson, int, Cells], Scores]


def table_model(name: str) -> Method:
    """A model that reads the indicators of a cell alone, see `gossan.models.make_detector`."""

    def score(lesson: Lesson, seed: int, cells: Cells) -> Scores:
        X, y, _ = lesson.rows()
        with threadpool_limits(1):  # few rows: threads cost more than they bring
            model = make_detector(name, random_state=seed).fit(X, y)
        asked = lesson.volume[(slice(None), *cells.T)].T
        return _by_row(lambda rows: favourability(model, rows), asked, ROWS_AT_ONCE)

    return score


def patch_model(make: Callable[[int, int], Any]) -> Method:
    """A network that reads the patch round a cell; where the volume ends it is repeated."""

    def score(lesson: Lesson, seed: int, cells: Cells) -> Scores:
        half = SIDE // 2
        sides = [(0, 0), *[(half, half)] * 3]
        padded = np.pad(lesson.volume, sides, mode="edge")
        patches, is_whole = patches_at(padded, lesson.cells + half, SIDE)
        labels = lesson.labels[is_whole]
        epochs = int(np.clip(SHOWN // max((labels == 0).sum(), 1), *EPOCHS))
        model = make(seed, epochs).fit(patches, labels, groups=lesson.groups[is_whole])
        if len(cells) > lesson.volume[0].size // 4:
            everywhere = model.score_volume(lesson.volume, edges="pad")
            return -np.asarray(everywhere, dtype=float)[tuple(cells.T)]
        scores = np.full(len(cells), np.nan)
        for start in range(0, len(cells), ROWS_AT_ONCE):
            some = cells[start : start + ROWS_AT_ONCE]
            asked, known = patches_at(padded, some + half, SIDE)
            if known.any():
                scores[start + np.flatnonzero(known)] = -model.score_samples(asked)
        return scores

    return score


def layer(name: str, sign: int = 1) -> Method:
    """A baseline that learns nothing: a layer, or minus it."""

    def score(lesson: Lesson, seed: int, cells: Cells) -> Scores:  # noqa: ARG001
        return sign * np.asarray(lesson.layers[name], dtype=float)[tuple(cells.T)]

    return score


def held_out_trees(lesson: Lesson, seed: int, cells: Cells) -> Scores:
    """Trees that learned from evidence without the hole beside each cell; log-odds of ore."""
    learned = lesson.held_out()
    near = near_columns(list(learned.table))
    columns = [*near, *(name for name in learned.table if name not in near)]
    X, y = learned.table[columns].to_numpy(), lesson.labels[learned.rows]
    known = np.isfinite(X).all(axis=1)
    model = PooledTrees(len(near), random_state=seed).fit(X[known], y[known])
    faults = lesson.layers.get("fault_distance")
    scores = np.full(len(cells), np.nan)
    for start in range(0, len(cells), WIDE_ROWS_AT_ONCE):
        some = cells[start : start + WIDE_ROWS_AT_ONCE]
        table = lesson.evidence.at(
            lesson.places(some), None if faults is None else faults[tuple(some.T)]
        )
        ore = _by_row(lambda rows: model.predict_proba(rows)[:, 1], table[columns].to_numpy())
        scores[start : start + len(some)] = np.log(ore / (1.0 - ore))
    return scores


RECOMMENDED = "held-out trees"
BASELINES: Mapping[str, Method] = {
    "kriged ore": layer("ore_grade"),
    "distance to fault": layer("fault_distance", -1),
    "distance to sample": layer("sample_distance", -1),
    "boosted trees": table_model("boosted"),
}
MODELS: Mapping[str, Method] = {
    RECOMMENDED: held_out_trees,
    "maxent": table_model("maxent"),
    "mixture": table_model("mixture"),
    "mixture posterior": table_model("mixture_posterior"),
    "isolation forest": table_model("isolation"),
    "DAE": patch_model(lambda seed, n: DeepAutoencoder(epochs=n, random_state=seed)),
    "STOAD": patch_model(
        lambda seed, n: StudentTeacherDetector(epochs=n, teacher_epochs=n, random_state=seed)
    ),
}
METHODS: Mapping[str, Method] = {**BASELINES, **MODELS}
SILENT = ("distance to sample",)  # knows where was drilled, and nothing of ore: makes no map
RANDOM = {*MODELS, "boosted trees"} - {"maxent"}


def _by_row(
    score: Callable[[NDArray], NDArray[np.float64]],
    table: NDArray,
    rows_at_once: int = WIDE_ROWS_AT_ONCE,
) -> Scores:
    """Score the rows that are whole, some at a time; NaN for the others."""
    scores = np.full(len(table), np.nan)
    known = np.flatnonzero(np.isfinite(table).all(axis=1))
    for start in range(0, len(known), rows_at_once):
        some = known[start : start + rows_at_once]
        scores[some] = score(table[some])
    return scores
