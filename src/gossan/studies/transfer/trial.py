"""What methods are tried on: labelled sites, the ground, folds, and scores of what was held out.

Sites and ground come in; folds, held-out scores and ranks of deposits among the ground go out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gossan._checks import GossanWarning
from gossan.studies.transfer.methods import Recipe
from gossan.studies.transfer.tables import Sites
from gossan.studies.transfer.unlabelled import Ground
from gossan.studies.trials import Cells, Plan
from gossan.validation.curves import occurrence_shares
from gossan.validation.few_labels import FewLabelScores, hold_out_blocks
from gossan.validation.splits import Folds, block_partitions, random_folds

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trial:
    """What every method is held out on.

    Attributes
    ----------
    sites : Sites
    ground : Ground or None
        None where the labelled negatives are all that deposits can be ranked among.
    as_components : callable
        Rows of evidence to principal components.
    plan : Plan
    """

    sites: Sites
    ground: Ground | None
    as_components: Callable[[Floats], Floats]
    plan: Plan

    def rows(self, reads: str) -> tuple[Floats, Floats | None]:
        """What a method reads of the sites and of the ground; None where the ground lacks it."""
        ground = self.ground
        if reads == "coords":
            return self.sites.coords, self.sites.coords if ground is None else ground.coords
        X = self.sites.X
        of_ground = X if ground is None else ground.X
        if reads == "components":
            return self.as_components(X), self.as_components(of_ground)
        return X, of_ground

    def partitions(self, protocol: str) -> list[Folds]:
        """Folds of a protocol; that of "fit" tests what it was taught."""
        return partitions_of(self.sites.y, self.sites.coords, self.plan, protocol)


def partitions_of(y: NDArray, coords: Floats, plan: Plan, protocol: str) -> list[Folds]:
    """Folds of a protocol.

    Parameters
    ----------
    y : int64 array of shape (n,)
    coords : array of shape (n, 2)
        [m].
    plan : Plan
    protocol : {"fit", "random", "blocks"}

    Returns
    -------
    partitions : list of list of (train, test)

    Raises
    ------
    ValueError
        If a fold lacks deposits or negatives.
    """
    if protocol == "fit":
        rows = np.arange(len(y))
        return [[(rows, rows)]]
    if protocol == "random":
        n = min(plan.n_splits, int((y == 1).sum()), int((y == 0).sum()))
        seeds = range(plan.random_state, plan.random_state + plan.n_repeats)
        return [random_folds(y, n, random_state=seed) for seed in seeds]
    partitions = _block_partitions(y, coords, plan)
    for number, folds in enumerate(partitions, start=1):
        if any((y[test] == 1).all() for _, test in folds):
            raise ValueError(
                f"Partition {number} into blocks of {plan.block_size:,.0f} m has a fold without barren"
                " sites. Set fewer n_splits or another block_size under [validate]."
            )
    return partitions


def _block_partitions(y: NDArray, coords: Floats, plan: Plan) -> list[Folds]:
    """Return partitions into blocks, or say in the words of a study file why there are none."""
    try:
        return block_partitions(
            coords, y, size=plan.block_size, n_partitions=plan.n_repeats, n_splits=plan.n_splits,
            random_state=plan.random_state,
        )  # fmt: skip
    except ValueError as error:
        why = str(error).split(". ", maxsplit=1)[0]
        told = f"{int((y == 1).sum()):,} deposits and {int((y == 0).sum()):,} barren sites"
        raise ValueError(
            f"The {told} cannot be held out in blocks of {plan.block_size:,.0f} m and {plan.n_splits}"
            f" folds: {why}. Add sites of the rarer kind, or set fewer n_splits, or another block_size,"
            " under [validate]."
        ) from None


def hold_out(
    trial: Trial,
    recipe: Recipe,
    protocol: str,
    *,
    seeds: Sequence[int],
    may_train: Sequence[NDArray[np.bool_]] | None = None,
) -> list[FewLabelScores]:
    """Held-out scores of a method under one protocol, one for each of `may_train`.

    Parameters
    ----------
    trial : Trial
    recipe : Recipe
    protocol : {"fit", "random", "blocks"}
    seeds : sequence of int
    may_train : sequence of bool arrays of shape (n,), optional
        Rows that may be learned from; default all.

    Returns
    -------
    held_out : list of FewLabelScores
    """
    X, ground = trial.rows(recipe.reads)
    levels = may_train or [np.ones(len(X), dtype=bool)]
    has_seed = any(key.split("__")[-1] == "random_state" for key in recipe.estimator.get_params())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GossanWarning)  # dead networks, told by their scores
        found = hold_out_blocks(
            recipe.estimator, X, trial.sites.y, trial.partitions(protocol),
            background=X[:1] if ground is None else ground,
            may_train=np.array(levels), seeds=seeds if has_seed else seeds[:1],
            fit_with=recipe.fit_with,
        )  # fmt: skip
    return list(found)


def shares_of(trial: Trial, held: FewLabelScores) -> Floats:
    """Share of the background, or of the fold's negatives, that outranks each deposit.

    Parameters
    ----------
    trial : Trial
    held : FewLabelScores

    Returns
    -------
    shares : float64 array of shape (n_runs, n_occurrences)
    """
    if trial.ground is not None:
        return held.shares().reshape(-1, int(held.is_ore.sum()))
    shares = np.full(held.scores.shape, np.nan)
    for p, seed, _, test in held.tests():
        ore, barren = test[held.is_ore[test]], test[~held.is_ore[test]]
        own = held.scores[p, seed]
        shares[p, seed, ore] = occurrence_shares(own[ore], own[barren])
    return shares[:, :, held.is_ore].reshape(-1, int(held.is_ore.sum()))


def as_cells(sites: Sites) -> Cells:
    """The sites as the cells that trials of maps know."""
    none = np.zeros((len(sites.y), 2), dtype=np.int64)
    return Cells(
        windows=sites.X.astype(np.float32)[:, :, None, None], y=sites.y, coords=sites.coords,
        places=none, may_teach=np.ones(len(sites.y), dtype=bool),
        patterns=np.zeros((0, len(sites.occurrences)), dtype=np.int64),
    )  # fmt: skip


def describe(plan: Plan) -> str:
    """How is held out, in words.

    Examples
    --------
    >>> describe(Plan(n_splits=5, n_repeats=5, block_size=20_000.0, dead_zone=0.0))
    'blocked 5-fold, 5 repeats, blocks of 20 km'
    """
    return plan.describe().split(", dead zone")[0]
