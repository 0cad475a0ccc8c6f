"""Every score of a table of verdicts at once, for every bootstrap draw.

What each unit adds up to, and how often each draw holds it, come in; scores per draw go out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class UnitSums:
    """What each unit adds to the scores: with it a bootstrap is a matrix product."""

    names: NDArray  # (n_units,)
    group: NDArray[np.int64]  # (n_units,) group code
    label: NDArray[np.int64]  # (n_units,) true class
    verdict: NDArray[np.int64]  # (n_units,) pooled class
    confidence: NDArray[np.float64]
    n: NDArray  # analyses
    n_right: NDArray
    n_pooled_right: NDArray
    loss: NDArray  # summed log-loss

    @property
    def once(self) -> NDArray[np.float64]:
        """Each unit drawn once: the weights of the plain score."""
        return np.ones((1, len(self.n)))


def unit_scores(sums: UnitSums, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Every score for every row of `weights` (n_draws, n_units)."""
    n_units = weights.sum(axis=1)
    n = weights @ sums.n
    share = sums.n_right / sums.n
    is_right = (sums.verdict == sums.label).astype(float)
    recall = _mean_over_classes(sums.label, weights, share, np.ones_like(share))
    n_kinds = _n_classes_present(sums.label, weights)
    chance = np.where(n_kinds > 1, 1.0 / n_kinds, np.nan)  # no skill without a choice
    skill = 0.5 + 0.5 * (recall - chance) / (1.0 - chance)
    return {
        "accuracy": weights @ sums.n_right / n,
        "balanced_accuracy": _mean_over_classes(sums.label, weights, sums.n_right, sums.n),
        "log_loss": weights @ sums.loss / n,
        "group_recall": weights @ share / n_units,
        "verdict": weights @ is_right / n_units,
        "balanced_verdict": _mean_over_classes(sums.label, weights, is_right, np.ones_like(share)),
        "pooled_accuracy": weights @ sums.n_pooled_right / n,
        "pooled_recall": weights @ (sums.n_pooled_right / sums.n) / n_units,
        "confident_half": _confident_half(sums.confidence, weights, is_right),
        "skill": skill,
    }


def _mean_over_classes(
    label: NDArray, weights: NDArray, above: NDArray, below: NDArray
) -> NDArray[np.float64]:
    """Mean over the classes drawn of sum(above) / sum(below)."""
    kinds = np.unique(label)
    is_kind = (label[:, None] == kinds).astype(float)
    total = weights @ (below[:, None] * is_kind)
    right = weights @ (above[:, None] * is_kind)
    drawn = total > 0
    return np.where(drawn, right / np.where(drawn, total, 1.0), 0.0).sum(axis=1) / drawn.sum(axis=1)


def _n_classes_present(label: NDArray, weights: NDArray) -> NDArray[np.int64]:
    return ((weights @ (label[:, None] == np.unique(label)).astype(float)) > 0).sum(axis=1)


def _confident_half(
    confidence: NDArray, weights: NDArray, is_right: NDArray
) -> NDArray[np.float64]:
    """Share right among the most confident half (rounded up) of the units drawn."""
    order = np.argsort(-confidence, kind="stable")
    drawn = weights[:, order]
    half = np.ceil(drawn.sum(axis=1, keepdims=True) / 2.0)
    before = np.cumsum(drawn, axis=1) - drawn
    taken = np.clip(half - before, 0.0, drawn)
    return (taken @ is_right[order]) / half[:, 0]
