"""Trials of every method: fitted, by random folds, with whole blocks held out, and on fake patterns.

Cells with their windows and labels, and methods come in; ranks of the occurrences go out, by protocol
and method, with the folds that they rest on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.base import clone

from gossan._checks import GossanWarning
from gossan.cluster import run_jobs
from gossan.studies.telling import tell_share
from gossan.validation.curves import occurrence_shares
from gossan.validation.ranking import rank_held_out
from gossan.validation.splits import Folds, block_labels, group_folds, random_folds

Floats = NDArray[np.float64]
Say = Callable[[str], None]

FEW = 15  # below, each camp is held out in turn
PROTOCOLS = ("fit", "random", "blocks")


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells that are learnt from and ranked; the first axis is the cell.

    Attributes
    ----------
    windows : float32 array of shape (n, channels, field, field)
        Prepared layers round each cell, whole (see `gossan.sampling.fill_edges`).
    y : int64 array of shape (n,)
        1 for a known occurrence, 0 for unlabelled.
    coords : float64 array of shape (n, 2)
        Easting and northing of the centres [m].
    places : int64 array of shape (n, 2)
        Row and column on the grid.
    may_teach : bool array of shape (n,)
        Cells that may be learnt from: occurrences, and background that the rules allow.
    patterns : int64 array of shape (n_patterns, n_occurrences)
        Rows of the cells of each fake pattern.
    """

    windows: NDArray[np.float32]
    y: NDArray[np.int64]
    coords: Floats
    places: NDArray[np.int64]
    may_teach: NDArray[np.bool_]
    patterns: NDArray[np.int64]

    @property
    def occurrences(self) -> NDArray[np.int64]:
        """Rows of the known occurrences."""
        return np.flatnonzero(self.y == 1)

    def as_fake(self, pattern: NDArray[np.int64]) -> Cells:
        """Return the cells with a fake pattern for occurrences, the real ones left out."""
        kept = np.flatnonzero(self.y == 0)
        y = np.isin(kept, pattern).astype(np.int64)
        parts = {name: getattr(self, name)[kept] for name in ("windows", "coords", "places")}
        teach = self.may_teach[kept] | (y == 1)
        return replace(self, **parts, y=y, may_teach=teach, patterns=self.patterns[:0])


@dataclass(frozen=True)
class Plan:
    """How is held out.

    Attributes
    ----------
    n_splits : int or None
        Folds of whole blocks; None holds out each camp in turn.
    n_repeats : int
        Partitions, each with another offset of the blocks.
    block_size, dead_zone : float
        [m].
    seeds : tuple of int
        Of the models.
    random_state : int
        Of the partitions.
    """

    n_splits: int
    n_repeats: int
    block_size: float
    dead_zone: float
    seeds: tuple[int, ...] = (0,)
    random_state: int = 0

    def describe(self) -> str:
        """Return how was held out, in words."""
        return (
            f"blocked {self.n_splits}-fold, {self.n_repeats} repeat{'s' * (self.n_repeats > 1)},"
            f" blocks of {self.block_size / 1000:,.3g} km, dead zone {self.dead_zone / 1000:,.3g} km"
        )


@dataclass(frozen=True)
class Method:
    """A method of the study: its estimator, and what it reads.

    Attributes
    ----------
    estimator : map estimator
    kind : {"baseline", "label-free", "model"}
    reads : {"windows", "coords"}
    field : int
        Cells along the side of its window.
    """

    estimator: Any
    kind: str
    reads: str = "windows"
    field: int = 1


def deal_blocks(cells: Cells, plan: Plan, repeat: int) -> tuple[Folds, NDArray[np.int64]]:
    """Folds of whole blocks of one partition, and the block of each cell.

    Parameters
    ----------
    cells : Cells
    plan : Plan
    repeat : int
        Number of the partition.

    Returns
    -------
    folds : list of (train, test)
        Training rows are cells that may teach, none within the dead zone of a test cell.
    blocks : int64 array of shape (n,)

    Raises
    ------
    ValueError
        If a fold has no occurrence to test, or fewer than three to learn from.
    """
    blocks = block_labels(cells.coords, plan.block_size, random_state=plan.random_state + repeat)
    if len(cells.occurrences) < FEW:
        blocks = _camps_apart(blocks, cells.y)
    folds = group_folds(
        blocks, cells.y, n_splits=n_splits_for(blocks, cells.y, plan), min_groups=1, positive=1,
        coords=cells.coords, buffer=plan.dead_zone,
    )  # fmt: skip
    return [(train[cells.may_teach[train]], test) for train, test in folds], blocks


def n_splits_for(blocks: NDArray[np.int64], y: NDArray[np.int64], plan: Plan) -> int:
    """Return the number of folds: no more than blocks with an occurrence; all of them if few."""
    n_camps = len(np.unique(blocks[y == 1]))
    if n_camps < 2:
        raise ValueError(
            f"All {int((y == 1).sum())} occurrences lie in one block of {plan.block_size:,.0f} m, so"
            " that none can be held out. Set a smaller block_size under [validate]."
        )
    return n_camps if (y == 1).sum() < FEW else min(plan.n_splits, n_camps)


def try_method(
    method: Method,
    cells: Cells,
    plan: Plan,
    *,
    protocols: Sequence[str] = PROTOCOLS,
    say: Say | None = None,
) -> dict[str, Floats]:
    """Ranks p_i of the occurrences under each protocol.

    Parameters
    ----------
    method : Method
    cells : Cells
    plan : Plan
    protocols : sequence of {"fit", "random", "blocks"}
    say : callable, optional
        Told the share that is done, see `tell_share`.

    Returns
    -------
    shares : dict of protocol to float64 array of shape (n_runs, n_occurrences)
        A run is a partition and a seed.
    """
    jobs = [
        (protocol, repeat)
        for protocol in protocols
        for repeat in range(1 if protocol == "fit" else plan.n_repeats)
    ]
    runs: dict[int, Floats] = {}
    for number, shares in run_jobs(_try_once, jobs, shared=(method, cells, plan)):
        runs[number] = shares
        if say is not None:
            tell_share(say, len(runs), len(jobs))
    return {
        protocol: np.concatenate([runs[i] for i, (own, _) in enumerate(jobs) if own == protocol])
        for protocol in protocols
    }


def _try_once(method: Method, cells: Cells, plan: Plan, job: tuple[str, int]) -> Floats:
    """Return the ranks of one partition of a protocol, a row a seed."""
    protocol, repeat = job
    X = cells.coords if method.reads == "coords" else cells.windows
    if protocol == "fit":
        return _fitted_shares(method.estimator, X, cells, plan.seeds[0])
    folds = _random(cells, plan, repeat) if protocol == "random" else None
    folds = deal_blocks(cells, plan, repeat)[0] if folds is None else folds
    return rank_held_out(method.estimator, X, cells.y, folds=folds, seeds=plan.seeds).shares


def try_fakes(
    method: Method, cells: Cells, plan: Plan, *, say: Say | None = None
) -> dict[str, Floats]:
    """Ranks of fake patterns, by random folds and by blocks; one partition and one seed each.

    Parameters
    ----------
    method, cells, plan
        As of `try_method`.
    say : callable, optional
        Told the share that is done, see `tell_share`.

    Returns
    -------
    shares : dict of protocol to float64 array of shape (n_patterns, n_occurrences)
        A pattern that cannot be held out (all in one block) is left out.
    """
    n, found = len(cells.patterns), {}
    for number, shares in run_jobs(_try_fake, range(n), shared=(method, cells, plan)):
        found[number] = shares
        if say is not None:
            tell_share(say, len(found), n)
    kept = [found[number] for number in range(n) if found[number] is not None]
    n_lost = n - len(kept)
    if n_lost:
        warnings.warn(
            f"{n_lost} of {len(cells.patterns)} fake patterns could not be held out in blocks and"
            " were left out.",
            GossanWarning,
            stacklevel=2,
        )
    return {name: np.stack([each[name] for each in kept]) for name in kept[0]} if kept else {}


def _try_fake(method: Method, cells: Cells, plan: Plan, number: int) -> dict[str, Floats] | None:
    """Return the ranks of a fake pattern by protocol; None if it cannot be held out."""
    own = replace(plan, n_repeats=1, seeds=plan.seeds[:1], random_state=plan.random_state + number)
    fake = cells.as_fake(cells.patterns[number])
    try:
        shares = try_method(method, fake, own, protocols=("random", "blocks"))
    except ValueError:
        return None
    return {protocol: runs[0] for protocol, runs in shares.items()}


def camps_of(cells: Cells, plan: Plan) -> NDArray[np.int64]:
    """Camp of each occurrence: groups no wider than a block, the nearest joined first.

    Intervals draw whole camps; their number is that of independent witnesses. Chains of occurrences
    are cut: joined by their nearest neighbours, a belt of a hundred would be one witness.
    """
    coords = cells.coords[cells.occurrences]
    if len(coords) < 2:
        return np.zeros(len(coords), dtype=np.int64)
    tree = linkage(coords, method="complete")
    return fcluster(tree, plan.block_size, criterion="distance").astype(np.int64) - 1


def _random(cells: Cells, plan: Plan, repeat: int) -> Folds:
    n = min(plan.n_splits, len(cells.occurrences))
    folds = random_folds(cells.y, n, random_state=plan.random_state + repeat)
    return [(train[cells.may_teach[train]], test) for train, test in folds]


def _fitted_shares(estimator: Any, X: NDArray, cells: Cells, seed: int) -> Floats:
    """Return the ranks of the occurrences under a model that was taught them."""
    model = clone(estimator)
    if "random_state" in model.get_params():
        model.set_params(random_state=seed)
    taught = np.flatnonzero(cells.may_teach)
    model.fit(X[taught], cells.y[taught])
    scores = model.predict_proba(X)[:, 1]
    return occurrence_shares(scores[cells.y == 1], scores[cells.y == 0])[None]


def _camps_apart(blocks: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return blocks such that those without an occurrence are dealt with those that have one."""
    with_one = np.unique(blocks[y == 1])
    others = np.setdiff1d(np.unique(blocks), with_one)
    joined = {int(block): int(block) for block in with_one}
    joined |= {int(b): int(with_one[i % len(with_one)]) for i, b in enumerate(others)}
    return np.array([joined[int(block)] for block in blocks], dtype=np.int64)


def kinds_of(methods: Mapping[str, Method]) -> dict[str, str]:
    """Return the kind of each method."""
    return {name: method.kind for name, method in methods.items()}
