"""How high held-out occurrences rank on a map whose background is unlabelled, fold by fold.

A map estimator, windows or a table, and folds come in; the share p_i of unlabelled held-out cells
that rank at least as high as each occurrence goes out, from models that never saw either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from gossan.cluster import n_slots, run_jobs
from gossan.validation.curves import CaptureCurve, capture_curve, occurrence_shares
from gossan.validation.splits import Folds

__all__ = ["RankedOccurrences", "rank_held_out"]


@dataclass(frozen=True, eq=False)
class RankedOccurrences:
    """Ranks of occurrences under models that never saw them.

    Attributes
    ----------
    shares : float64 array of shape (n_seeds, n_occurrences)
        p_i: share of the unlabelled cells of the fold that score at least as high; 0 is best. NaN
        for an occurrence in no test part.
    rows : int64 array of shape (n_occurrences,)
        Row of each occurrence in the table.
    fold : int64 array of shape (n_occurrences,)
        Fold that tested it; -1 for none.
    seconds : float
        Time of all fits and predictions.
    """

    shares: NDArray[np.float64]
    rows: NDArray[np.int64]
    fold: NDArray[np.int64]
    seconds: float

    @property
    def mean_shares(self) -> NDArray[np.float64]:
        """Mean p_i over the seeds, shape (n_occurrences,)."""
        return self.shares.mean(axis=0)

    @property
    def auc(self) -> float:
        """1 - mean p: chance that an occurrence outranks an unlabelled cell."""
        return float(1.0 - np.nanmean(self.shares))

    @property
    def curve(self) -> CaptureCurve:
        """Capture curve of the mean shares."""
        known = self.mean_shares
        return capture_curve(known[np.isfinite(known)])


def rank_held_out(
    estimator: Any,
    X: NDArray,
    y: ArrayLike,
    *,
    folds: Folds,
    seeds: Sequence[int] = (0,),
    groups: NDArray | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RankedOccurrences:
    """Train on each fold, rank its held-out occurrences among its held-out unlabelled cells.

    Neither side of the ranking was learnt from: a cell that a model was taught as background scores
    lower than one it never saw, which flatters. Shares of different folds may be pooled, raw scores
    never [1]_.

    Parameters
    ----------
    estimator : classifier
        With `predict_proba`; cloned. One with `fit_many` trains all folds and seeds at once.
    X : array of shape (n, ...)
        Windows or table; the first axis is the cell.
    y : array of shape (n,)
        1 for an occurrence, 0 for unlabelled.
    folds : list of (train, test)
        Row numbers, see `group_folds` with `positive=1`.
    seeds : sequence of int
        One model per fold and seed; one for all where the estimator has no `random_state`.
    groups : array of shape (n,), optional
        Handed to `fit_many`.
    progress : callable, optional
        Called with (done, total) fits.

    Returns
    -------
    ranked : RankedOccurrences

    Raises
    ------
    ValueError
        If there is no occurrence, or a test part has no unlabelled cell.

    References
    ----------
    .. [1] Airola, A. et al. 2019, The spatial leave-pair-out cross-validation method for reliable
       AUC estimation of spatial classifiers, Data Min. Knowl. Disc. 33, 730-747,
       doi:10.1007/s10618-018-00607-x.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> x = np.array([[3.0], [2.5], [2.8], [0.1], [0.2], [0.3], [0.0], [2.6]])
    >>> y = np.array([1, 1, 1, 0, 0, 0, 0, 0])
    >>> folds = [(np.array([1, 2, 5, 6]), np.array([0, 3, 4, 7]))]
    >>> rank_held_out(LogisticRegression(), x, y, folds=folds).shares
    array([[ 0., nan, nan]])
    """
    start = time.perf_counter()
    labels = np.asarray(y)
    rows = np.flatnonzero(labels == 1)
    if not len(rows):
        raise ValueError("No row is an occurrence (y = 1). Check the labels.")
    is_seeded = "random_state" in estimator.get_params()
    used = list(seeds) if is_seeded else list(seeds)[:1]
    shares = np.full((len(used), len(labels)), np.nan)
    fold_of = np.full(len(labels), -1, dtype=np.int64)
    plan = _Plan(estimator, X, labels, folds, tuple(used), groups)
    n = len(folds) * len(used)
    n_groups = min(n_slots(), n) if hasattr(estimator, "fit_many") else n
    jobs, n_done = np.array_split(np.arange(n), n_groups), 0
    for number, found in run_jobs(_rank_some, jobs, shared=(plan,)):
        for member, own in zip(jobs[number], found, strict=True):
            fold, place = divmod(int(member), len(used))
            test = folds[fold][1]
            shares[place, test[labels[test] == 1]] = own
            n_done += 1
            if progress is not None:
                progress(n_done, n)
    for number, (_, test) in enumerate(folds):
        fold_of[test] = number
    seconds = time.perf_counter() - start
    return RankedOccurrences(shares[:, rows], rows, fold_of[rows], seconds)


@dataclass(frozen=True, eq=False)
class _Plan:
    estimator: Any
    X: NDArray
    y: NDArray
    folds: Folds
    seeds: tuple[int, ...]
    groups: NDArray | None


def _rank_some(plan: _Plan, members: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """Return the shares of the tested occurrences of some members: folds, and seeds in a fold."""
    places = [divmod(int(member), len(plan.seeds)) for member in members]
    models = _fitted(plan, [(plan.folds[fold][0], plan.seeds[seed]) for fold, seed in places])
    shares = []
    for (fold, _), model in zip(places, models, strict=True):
        test = plan.folds[fold][1]
        scores = model.predict_proba(plan.X[test])[:, 1]
        is_own = plan.y[test] == 1
        shares.append(occurrence_shares(scores[is_own], scores[~is_own]))
    return shares


def _fitted(plan: _Plan, members: Sequence[tuple[NDArray[np.int64], int]]) -> Any:
    """Yield the model of each member."""
    if hasattr(plan.estimator, "fit_many"):
        yield from plan.estimator.fit_many(plan.X, plan.y, members, groups=plan.groups)
        return
    for train, seed in members:
        model = clone(plan.estimator)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        yield model.fit(plan.X[train], plan.y[train])
