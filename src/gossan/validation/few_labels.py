"""How well few occurrences are found: held out in blocks, ranked among the background.

A table of labelled places, background rows of the same ground and any estimator come in; held-out
scores, their measures by partition, paired gains and intervals over sites go out. Scores of
different folds are never pooled: each occurrence is ranked under the one model that had not seen
its block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score

from gossan._checks import check_labels, check_option, check_table
from gossan.validation._few_label_fits import (
    Fit,
    Table,
    check_classes,
    held_out_scores,
    label_levels,
)
from gossan.validation.curves import occurrence_shares, roc_by_ranks
from gossan.validation.splits import Folds
from gossan.validation.uncertainty import Interval, cluster_bootstrap

__all__ = [
    "FewLabelScores",
    "PairedGain",
    "blend_held_out",
    "hold_out_blocks",
    "paired_gain",
]

AREAS = (0.05, 0.10, 0.20)
MEASURES = ("capture_auc", "auc", "recall_05", "recall_10", "recall_20", "brier", "precision")


@dataclass(frozen=True, eq=False)
class FewLabelScores:
    """Held-out scores of every labelled row and, by the same models, of the background.

    Attributes
    ----------
    is_ore : bool array of shape (n,)
        Which rows are occurrences.
    partitions : list of list of (train, test)
        Row numbers.
    scores : float64 array of shape (n_partitions, n_seeds, n)
        Score of each row by the model that had not seen its block; higher is more prospective.
    background : float64 array of shape (n_partitions, n_seeds, n_folds, n_background)
        Scores of the background rows by the model of each fold.
    is_probability : bool
        Whether the scores are probabilities; the Brier score is missing if not.
    """

    is_ore: NDArray[np.bool_]
    partitions: list[Folds]
    scores: NDArray[np.float64]
    background: NDArray[np.float64]
    is_probability: bool = True

    def shares(self) -> NDArray[np.float64]:
        """Share of the background that scores at least as high as each occurrence.

        Returns
        -------
        shares : float64 array of shape (n_partitions, n_seeds, n_occurrences)
            p_i of `occurrence_shares`, each under the model of its fold.
        """
        n_partitions, n_seeds, n = self.scores.shape
        shares = np.full((n_partitions, n_seeds, n), np.nan)
        for p, seed, f, test in self.tests():
            ore, ground = test[self.is_ore[test]], self.background[p, seed, f]
            shares[p, seed, ore] = occurrence_shares(self.scores[p, seed, ore], ground)
        return shares[:, :, self.is_ore]

    def measures(self) -> pd.DataFrame:
        """One row a partition and seed, one column a measure.

        Returns
        -------
        table : DataFrame
            Index (partition, seed). `capture_auc`: 1 - mean share, the chance that a held-out
            occurrence outranks background; `recall_05` to `recall_20`: share of the occurrences in
            the best 5, 10 and 20 % of the background; `auc`, `precision` (average precision),
            `brier`: against the labelled negatives, mean over the folds.
        """
        shares, rows = self.shares(), {}
        for p, seed in np.ndindex(self.scores.shape[:2]):
            own, of_folds = shares[p, seed], self._fold_measures(p, seed)
            recalls = {f"recall_{round(100 * a):02d}": float((own <= a).mean()) for a in AREAS}
            rows[p, seed] = {"capture_auc": float(1.0 - own.mean()), **recalls, **of_folds}
        index = pd.MultiIndex.from_tuples(rows, names=["partition", "seed"])
        return pd.DataFrame(list(rows.values()), index=index)[list(MEASURES)]

    def summary(self) -> pd.DataFrame:
        """Mean of each measure, and its standard deviation over the partitions.

        Returns
        -------
        table : DataFrame
            One row a measure; columns `mean` and `sd` (of the means over seeds; luck of the
            partition, not the uncertainty, which `interval` tells).
        """
        by_partition = self.measures().groupby(level="partition").mean()
        return pd.DataFrame({"mean": by_partition.mean(), "sd": by_partition.std()})

    def interval(
        self, sites: ArrayLike, *, measure: str = "capture_auc", coverage: float = 0.95
    ) -> Interval:
        """Interval of a measure when sites are drawn with replacement.

        Parameters
        ----------
        sites : array of shape (n,)
            What is independent: deposit, camp or block of each row.
        measure : {"capture_auc", "auc"}
            "auc" counts pairs of an occurrence and a negative of the same fold.
        coverage : float
            Nominal coverage.

        Returns
        -------
        interval : Interval

        Raises
        ------
        ValueError
            If the measure is another one or lengths differ.
        """
        check_option("measure", measure, ("capture_auc", "auc"))
        labels = check_labels("sites", sites, len(self.is_ore))
        if measure == "capture_auc":
            shares = self.shares().mean(axis=(0, 1))
            return cluster_bootstrap(
                lambda rows: 1.0 - shares[rows].mean(), labels[self.is_ore], coverage=coverage
            )
        wins, pairs = self._pairs()

        def auc(rows: NDArray[np.int64]) -> float:
            drawn = np.ix_(rows[self.is_ore[rows]], rows[~self.is_ore[rows]])
            total = pairs[drawn].sum()
            return float(wins[drawn].sum() / total) if total else float("nan")

        return cluster_bootstrap(auc, labels, n_resamples=500, coverage=coverage)

    def tests(self) -> list[tuple[int, int, int, NDArray[np.int64]]]:
        """Return partition, seed, fold and test rows of each model."""
        n_seeds = self.scores.shape[1]
        return [
            (p, seed, f, test)
            for p, folds in enumerate(self.partitions)
            for seed in range(n_seeds)
            for f, (_, test) in enumerate(folds)
        ]

    def _fold_measures(self, p: int, seed: int) -> dict[str, float]:
        found = []
        for _, test in self.partitions[p]:
            own, truth = self.scores[p, seed, test], self.is_ore[test]
            brier = float(np.mean((own - truth) ** 2)) if self.is_probability else np.nan
            precision = float(average_precision_score(truth, own))
            found.append((roc_by_ranks(own, truth)[2], brier, precision))
        return dict(
            zip(("auc", "brier", "precision"), np.mean(found, axis=0).tolist(), strict=True)
        )

    def _pairs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return, for two rows of one fold, how often the first scored higher, and how often asked."""
        n = len(self.is_ore)
        wins, pairs = np.zeros((n, n)), np.zeros((n, n))
        for p, seed, _, test in self.tests():
            own = self.scores[p, seed, test]
            higher = (own[:, None] > own) + 0.5 * (own[:, None] == own)
            wins[np.ix_(test, test)] += higher
            pairs[np.ix_(test, test)] += 1.0
        return wins, pairs


def hold_out_blocks(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike,
    partitions: Sequence[Folds],
    *,
    background: ArrayLike,
    may_train: ArrayLike | Sequence[ArrayLike] | None = None,
    seeds: Sequence[int] = (0,),
    positive: Any = 1,
    fit_with: Mapping[str, Any] | None = None,
) -> Any:
    """Score every row, and the background, by models that never saw the row's block.

    An estimator with `fit_many` trains all partitions, folds and seeds at once.

    Parameters
    ----------
    estimator : classifier
        With `predict_proba`, or `decision_function` alone: hard labels are never ranked.
    X : array of shape (n, n_features)
        Labelled places.
    y : array of shape (n,)
        Two classes.
    partitions : list of list of (train, test)
        Of `gossan.validation.block_partitions`.
    background : array of shape (n_background, n_features)
        Unlabelled rows of the ground that is scored.
    may_train : bool array of shape (n,), or a sequence of them, optional
        Rows that may be learned from: with fewer labels all occurrences are still tested. Several
        give several results, trained at once.
    seeds : sequence of int
        Set as `random_state` where the estimator has one.
    positive : label
        The class of the occurrences.
    fit_with : mapping, optional
        Further arguments of `fit`, such as `background=` for a pretext task; `groups` too. They are
        handed over whole, so none may tell a held-out label.

    Returns
    -------
    held_out : FewLabelScores, or a list of them
        A list where several `may_train` were given.

    Raises
    ------
    ValueError
        If lengths differ, or a training part is left without one of the classes.
    """
    table, ground = check_table(X), check_table(background, name="background")
    labels = check_labels("y", y, len(table))
    allowed, is_several = label_levels(may_train, len(table))
    jobs = [
        Fit(level, p, s, f, train[can[train]], test, int(seed))
        for level, can in enumerate(allowed)
        for p, folds in enumerate(partitions)
        for s, seed in enumerate(seeds)
        for f, (train, test) in enumerate(folds)
    ]
    check_classes(jobs, labels)
    shape = (len(allowed), len(partitions), len(seeds))
    scores = np.full((*shape, len(table)), np.nan)
    n_folds = max(len(folds) for folds in partitions)
    of_ground = np.full((*shape, n_folds, len(ground)), np.nan)
    is_probability = True
    shared = Table(estimator, table, labels, ground, fit_with, positive)
    for job, said, is_one in held_out_scores(shared, jobs):
        is_probability = is_one
        place = (job.level, job.partition, job.seed_number)
        scores[(*place, job.test)] = said[: len(job.test)]
        of_ground[(*place, job.fold)] = said[len(job.test) :]
    found = [
        FewLabelScores(labels == positive, list(partitions), own, ground_scores, is_probability)
        for own, ground_scores in zip(scores, of_ground, strict=True)
    ]
    return found if is_several else found[0]


def blend_held_out(held_out: Sequence[FewLabelScores], *, how: str = "rank") -> FewLabelScores:
    """Held-out scores of a blend of methods, from those of each: no model is fitted again.

    Parameters
    ----------
    held_out : sequence of FewLabelScores
        Of the same rows, partitions, background and number of seeds; one with a single seed is
        used beside each seed of the others.
    how : {"rank", "probability"}
        "rank" takes the mean of the shares of the background that score lower, under each model:
        scores need no common scale. "probability" takes the mean of the scores.

    Returns
    -------
    held_out : FewLabelScores

    Raises
    ------
    ValueError
        If rows or partitions differ.
    """
    check_option("how", how, ("rank", "probability"))
    first = held_out[0]
    if any(
        each.partitions is not first.partitions and not _alike(each, first) for each in held_out
    ):
        raise ValueError(
            "A blend needs scores of the same rows and partitions, got others. Hold out all methods"
            " with one list of partitions."
        )
    n_seeds = max(each.scores.shape[1] for each in held_out)
    parts = [
        _ranked(each) if how == "rank" else (each.scores, each.background) for each in held_out
    ]
    widened = [
        (
            np.broadcast_to(own, (len(own), n_seeds, *own.shape[2:])),
            np.broadcast_to(ground, (len(ground), n_seeds, *ground.shape[2:])),
        )
        for own, ground in parts
    ]
    is_probability = how == "probability" and all(each.is_probability for each in held_out)
    return FewLabelScores(
        first.is_ore,
        first.partitions,
        np.mean([own for own, _ in widened], axis=0),
        np.mean([ground for _, ground in widened], axis=0),
        is_probability,
    )


@dataclass(frozen=True)
class PairedGain:
    """What one method adds to another on the same partitions.

    Attributes
    ----------
    mean, sd : float
        Of the differences by partition (means over seeds).
    n_better, n_partitions : int
        Partitions in which it is better, of how many.
    """

    mean: float
    sd: float
    n_better: int
    n_partitions: int

    def __str__(self) -> str:
        return (
            f"{self.mean:+.3f} ± {self.sd:.3f} (better in {self.n_better} of {self.n_partitions}"
            " partitions)"
        )


def paired_gain(
    ours: FewLabelScores, theirs: FewLabelScores, *, measure: str = "capture_auc"
) -> PairedGain:
    """Difference of a measure between two methods, partition by partition.

    Partitions move all methods alike; the difference is far surer than either score.

    Parameters
    ----------
    ours, theirs : FewLabelScores
        Held out on the same partitions.
    measure : str
        A column of `FewLabelScores.measures`; for "brier" less is better.

    Returns
    -------
    gain : PairedGain

    Raises
    ------
    ValueError
        If the partitions differ or the measure is unknown.
    """
    check_option("measure", measure, MEASURES)
    if not _alike(ours, theirs):
        raise ValueError(
            "A paired gain needs the same rows and partitions, got others. Hold out both methods"
            " with one list of partitions."
        )
    both = [each.measures()[measure].groupby(level="partition").mean() for each in (ours, theirs)]
    gains = (both[0] - both[1]).to_numpy()
    better = gains < 0 if measure == "brier" else gains > 0
    sd = float(gains.std(ddof=1)) if len(gains) > 1 else float("nan")
    return PairedGain(float(gains.mean()), sd, int(better.sum()), len(gains))


def _ranked(held: FewLabelScores) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scores as shares of the fold's background that score lower."""
    own, ground = np.full_like(held.scores, np.nan), np.full_like(held.background, np.nan)
    for p, seed, f, test in held.tests():
        cells = held.background[p, seed, f]
        own[p, seed, test] = 1.0 - occurrence_shares(held.scores[p, seed, test], cells)
        ground[p, seed, f] = 1.0 - occurrence_shares(cells, cells)
    return own, ground


def _alike(one: FewLabelScores, other: FewLabelScores) -> bool:
    """Tell whether two results are of the same rows and partitions."""
    if not np.array_equal(one.is_ore, other.is_ore) or len(one.partitions) != len(other.partitions):
        return False
    return all(
        len(a) == len(b) and all(np.array_equal(s[1], t[1]) for s, t in zip(a, b, strict=True))
        for a, b in zip(one.partitions, other.partitions, strict=True)
    )
