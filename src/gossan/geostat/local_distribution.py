"""What a value may be at a place: a distribution function known at some thresholds.

Probabilities not to exceed each threshold come in; means, quantiles and probabilities of any cut-off
go out, all of one and the same distribution.

Sources
-------
Deutsch & Journel (1998), GSLIB, 2nd ed., Oxford University Press, sections IV.1.9 and V.1.6 (order
relations corrected up and down, power models within classes).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LocalDistributions", "correct_order_relations"]

Floats = NDArray[np.float64]


def correct_order_relations(probabilities: ArrayLike) -> Floats:
    """Distribution functions that rise from 0 to 1, nearest to those given.

    Indicator kriging gives probabilities that may fall from a threshold to the next or leave [0, 1].
    They are corrected once upwards and once downwards, and the two are averaged.

    Parameters
    ----------
    probabilities : array of shape (..., n_thresholds)
        Of not exceeding each threshold, thresholds rising; NaN stays NaN.

    Returns
    -------
    corrected : array of shape (..., n_thresholds)

    Examples
    --------
    >>> correct_order_relations([0.25, 0.75, 0.5, 1.25])
    array([0.25 , 0.625, 0.625, 1.   ])
    """
    clipped = np.clip(np.asarray(probabilities, dtype=float), 0.0, 1.0)
    upward = np.maximum.accumulate(clipped, axis=-1)
    downward = np.minimum.accumulate(clipped[..., ::-1], axis=-1)[..., ::-1]
    return (upward + downward) / 2


@dataclass(frozen=True, eq=False)
class LocalDistributions:
    """Distributions at m places, each given by its probabilities at common thresholds.

    Inside a class the distribution is ((z - lower) / (upper - lower)) ** power, with the power that
    gives the class the mean that the samples have there: one for a class whose mean is its middle.
    So long tails are not taken for flat ones, and mean, quantiles and exceedance agree.

    Parameters
    ----------
    edges : array of shape (n_classes + 1,)
        Smallest value, thresholds, largest value, rising [unit of the values].
    class_means : array of shape (n_classes,)
        Mean of the samples in each class.
    probabilities : array of shape (m, n_classes - 1)
        Of not exceeding each threshold; rising, NaN where not estimated.

    Examples
    --------
    >>> local = LocalDistributions(
    ...     np.array([0.0, 1.0, 3.0]), np.array([0.5, 1.5]), np.array([[0.5]])
    ... )
    >>> local.mean(), local.exceedance(1.0), local.quantile(0.25)
    (array([1.]), array([0.5]), array([0.5]))
    """

    edges: Floats
    class_means: Floats
    probabilities: Floats

    @property
    def powers(self) -> Floats:
        """Exponent of the distribution within each class, shape (n_classes,)."""
        share = (self.class_means - self.edges[:-1]) / np.diff(self.edges)
        share = np.clip(share, 0.02, 0.98)
        return np.asarray(share / (1.0 - share))

    def mean(self) -> Floats:
        """Mean of each distribution, the E-type estimate, shape (m,)."""
        return np.asarray((self._shares() * self._means()).sum(axis=1))

    def std(self) -> Floats:
        """Standard deviation of each distribution, shape (m,); unlike a kriging one it knows values."""
        power, width = self.powers, np.diff(self.edges)
        within = width**2 * power / (power + 2.0)  # mean of (z - lower)²
        squares = self.edges[:-1] ** 2 + 2 * self.edges[:-1] * width * power / (power + 1) + within
        variance = (self._shares() * squares).sum(axis=1) - self.mean() ** 2
        return np.sqrt(np.maximum(variance, 0.0))

    def exceedance(self, cutoff: float) -> Floats:
        """Probability that the value is above `cutoff`, shape (m,)."""
        heights = self._heights()
        k = int(
            np.clip(np.searchsorted(self.edges, cutoff, side="right") - 1, 0, len(self.powers) - 1)
        )
        part = np.clip((cutoff - self.edges[k]) / (self.edges[k + 1] - self.edges[k]), 0.0, 1.0)
        below = heights[:, k] + (heights[:, k + 1] - heights[:, k]) * part ** self.powers[k]
        return np.asarray(1.0 - below)

    def quantile(self, probability: float) -> Floats:
        """Value that is not exceeded with that probability, shape (m,).

        Raises
        ------
        ValueError
            If the probability is not between 0 and 1.
        """
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"A probability lies in [0, 1], got {probability}. For 90 % give 0.9.")
        heights = self._heights()
        n_classes = len(self.powers)
        k = np.clip((heights[:, 1:-1] < probability).sum(axis=1), 0, n_classes - 1)
        rows = np.arange(len(heights))
        low, high = heights[rows, k], heights[rows, k + 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(high > low, (probability - low) / (high - low), 0.0)
        part = np.clip(part, 0.0, 1.0) ** (1.0 / self.powers[k])
        value = self.edges[k] + part * (self.edges[k + 1] - self.edges[k])
        return np.where(np.isnan(high) | np.isnan(low), np.nan, value)

    def mean_above(self, cutoff: float) -> Floats:
        """Mean of what lies above `cutoff`, shape (m,); NaN where nothing does."""
        n_steps = 200
        values = np.linspace(max(cutoff, self.edges[0]), self.edges[-1], n_steps + 1)
        share = self.exceedance(cutoff)
        tail = np.array([self.exceedance(value) for value in values])  # (n_steps + 1, m)
        area = ((tail[1:] + tail[:-1]) / 2 * np.diff(values)[:, None]).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(share > 0, values[0] + area / share, np.nan)

    def _heights(self) -> Floats:
        """Distribution function at the edges, 0 and 1 at its ends, shape (m, n_classes + 1)."""
        m = len(self.probabilities)
        return np.column_stack([np.zeros(m), self.probabilities, np.ones(m)])

    def _shares(self) -> Floats:
        return np.diff(self._heights(), axis=1)

    def _means(self) -> Floats:
        """Mean of each class as its power model has it."""
        return self.edges[:-1] + np.diff(self.edges) * self.powers / (self.powers + 1.0)
