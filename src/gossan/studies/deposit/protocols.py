"""Ways to hold out part of a deposit, from the published one to the one that answers the question.

Composites with holes and the places of cells come in; folds go out, each with the composites that
everything is learned from, the cells that train and test, and the leaks that the way has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gossan.sampling.cells import BARREN, ORE, UNKNOWN, CellLabels, label_cells
from gossan.validation import block_labels, group_folds

LEAKS: Mapping[str, str] = {
    "L1": "support: cells near one another share the samples that they were kriged from",
    "L2": "circular label: ore is drawn from the ore element, which is an indicator too",
    "L3": "anomalies in the teacher: it is trained on all cells, those of the test among them",
    "L4": "scaling over the test part: bounds and min-max use cells that are tested",
    "L5": "threshold or epoch chosen on the test part",
    "L6": "overlap: patches of training and test cells share cells",
    "L7": "negatives near holes, positives anywhere: the label tells where was drilled",
    "L8": "preparation fitted on all: factors, thresholds and variograms saw the test holes",
    "L9": "faults interpreted from the same intercepts that are tested",
    "L10": "answers seen: supervised models are taught the ore cells that they are tested on",
}
OF_PROTOCOL: Mapping[str, tuple[str, ...]] = {
    "paper": ("L1", "L2", "L3", "L4", "L6", "L7", "L8", "L9", "L10"),
    "holes": ("L7", "L9"),
    "blocks": ("L7", "L9"),
    "depth": ("L9",),
    "truth": ("L9",),
}
TRAINED_SHARE = 0.7  # of the barren cells, in the published way


@dataclass(frozen=True, eq=False)
class Fold:
    """One hiding.

    Attributes
    ----------
    composites : bool array of shape (n_composites,)
        What everything is learned from.
    train, test : int64 arrays
        Row numbers of cells.
    labels : int64 array of shape (n_cells,)
        1 ore, 0 barren, -1 unknown: in the training cells by the composites above, in the test cells
        by those that were held out.
    held_out : bool array of shape (n_composites,), optional
        What labels the test cells. None: all composites.
    """

    composites: NDArray[np.bool_]
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    labels: NDArray[np.int64]
    held_out: NDArray[np.bool_] | None = None

    @property
    def prevalence(self) -> float:
        """Share of ore in the test cells."""
        return float((self.labels[self.test] == ORE).mean())


@dataclass(frozen=True, eq=False)
class Drilled:
    """What folds are made of.

    Attributes
    ----------
    places : array of shape (n_cells, 3)
        Centres of the cells below the ground [m].
    coords, grades, holes : arrays of n_composites
        Centres [m], grade of the ore element, hole.
    cutoff, reach, buffer : float
        Of `gossan.sampling.label_cells`.
    """

    places: NDArray[np.float64]
    coords: NDArray[np.float64]
    grades: NDArray[np.float64]
    holes: NDArray
    cutoff: float
    reach: float = 15.0
    buffer: float = 0.0

    def label(self, chosen: NDArray[np.bool_]) -> CellLabels:
        """Return labels by some of the composites; of cells far from all, only that."""
        near = self._near
        found = label_cells(
            self.places[near],
            self.coords[chosen],
            self.grades[chosen],
            self.holes[chosen],
            cutoff=self.cutoff,
            reach=self.reach,
            buffer=self.buffer,
        )
        n = len(self.places)
        labels, distance = np.full(n, UNKNOWN, dtype=np.int64), np.full(n, np.inf)
        groups = np.zeros(n, dtype=found.groups.dtype)  # of names: empty
        labels[near], distance[near], groups[near] = found.labels, found.distance, found.groups
        return CellLabels(labels, groups, distance, found.rule)

    @cached_property
    def _near(self) -> NDArray[np.int64]:
        """Cells that a composite may speak for; the first cell where there is none."""
        reach = 1.001 * self.reach
        distance, _ = cKDTree(self.coords).query(self.places, distance_upper_bound=reach)
        near = np.flatnonzero(np.isfinite(distance))
        return near if len(near) else np.zeros(1, dtype=np.int64)


def paper_folds(drilled: Drilled, *, random_state: int = 0) -> list[Fold]:
    """The published way: all holes make the cube; 70 % of the barren cells train, the rest tests."""
    every = np.ones(len(drilled.coords), dtype=bool)
    labels = drilled.label(every).labels
    barren, ore = np.flatnonzero(labels == BARREN), np.flatnonzero(labels == ORE)
    shuffled = np.random.default_rng(random_state).permutation(barren)
    n_train = int(TRAINED_SHARE * len(barren))
    test = np.sort(np.concatenate([shuffled[n_train:], ore]))
    # Supervised models need ore to learn from: they are given all of it, and the leak is named.
    train = np.sort(np.concatenate([shuffled[:n_train], ore]))
    return [Fold(every, train, test, labels)]


def hole_folds(drilled: Drilled, *, n_splits: int = 5) -> list[Fold]:
    """Whole holes held out, ore in each fold if it lasts: all is learned again from the others."""
    is_rich = drilled.grades >= drilled.cutoff
    folds = group_folds(drilled.holes, is_rich, n_splits=n_splits, min_groups=1)
    return [_fold(drilled, np.isin(np.arange(len(is_rich)), train)) for train, _ in folds]


def block_folds(
    drilled: Drilled, *, size: float, dead_zone: float, n_splits: int = 5, random_state: int = 0
) -> list[Fold]:
    """Blocks in the plane held out, with a dead zone round them in which nothing is learned."""
    blocks = block_labels(drilled.coords[:, :2], size, random_state=random_state)
    folds = []
    is_rich = drilled.grades >= drilled.cutoff
    for _, test in group_folds(blocks, is_rich, n_splits=n_splits, min_groups=1):
        distance, _ = cKDTree(drilled.coords[test, :2]).query(drilled.coords[:, :2])
        folds.append(_fold(drilled, distance > dead_zone, held_out=test))
    return folds


def depth_folds(drilled: Drilled, *, share: float = 0.5, dead_zone: float = 0.0) -> list[Fold]:
    """Learned above, tested below: the question of every deeper hole.

    The level lies so that a share of the ore composites is below; what lies within the dead zone above
    it is neither learned from nor tested.
    """
    heights = drilled.coords[:, 2]
    rich = heights[drilled.grades >= drilled.cutoff]
    level = float(np.quantile(rich if len(rich) else heights, share))
    return [_fold(drilled, heights >= level + dead_zone, held_out=np.flatnonzero(heights < level))]


def truth_folds(
    drilled: Drilled, is_ore: Callable[[NDArray[np.float64]], NDArray], *, clearance: float = 60.0
) -> list[Fold]:
    """Learned from all holes, tested on the truth of a simulated deposit far from any sample."""
    every = np.ones(len(drilled.coords), dtype=bool)
    labels = drilled.label(every).labels
    distance, _ = cKDTree(drilled.coords).query(drilled.places)
    test = np.flatnonzero(distance > clearance)
    known = np.flatnonzero(labels >= 0)
    told = labels.copy()
    told[test] = np.asarray(is_ore(drilled.places[test])).astype(np.int64)
    return [Fold(every, np.setdiff1d(known, test), test, told)]


def _fold(
    drilled: Drilled, kept: NDArray[np.bool_], held_out: NDArray[np.int64] | None = None
) -> Fold:
    """Return the fold that learns from some composites and is tested by the others."""
    hidden = ~kept if held_out is None else np.isin(np.arange(len(kept)), held_out)
    if not kept.any() or not hidden.any():
        raise ValueError(
            f"A fold has {int(kept.sum())} composites to learn from and {int(hidden.sum())} to test"
            " with. Take fewer folds, smaller blocks or a narrower dead zone."
        )
    seen, asked = drilled.label(kept), drilled.label(hidden)
    nearer = asked.distance < seen.distance  # a cell is tested by the holes that were hidden
    test = np.flatnonzero(nearer & (asked.labels >= 0))
    train = np.flatnonzero(~nearer & (seen.labels >= 0))
    labels = np.where(nearer, asked.labels, seen.labels)
    if len(np.unique(labels[test])) < 2:
        test = test[:0]  # nothing to find, or nothing to tell it from: the fold is not scored
    return Fold(kept, train, test, labels, hidden)
