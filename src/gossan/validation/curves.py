"""How well a map ranks what it had not seen: capture curve, P-A point, ROC, all from ranks.

Scores of unlabelled cells and of held-out occurrences come in; everything follows from p_i, the
share of unlabelled cells that score at least as high as occurrence i (ties count half).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gossan.validation.uncertainty import clopper_pearson


def occurrence_shares(scores: ArrayLike, unlabelled: ArrayLike) -> NDArray[np.float64]:
    """Share of unlabelled cells that score at least as high as each occurrence: 0 is best.

    Scores of different folds are not on one scale: call this once per fold, with the scores of
    that fold's model, and pool the shares [1]_.

    Parameters
    ----------
    scores : array of shape (n_occurrences,)
        Scores of the held-out occurrences, higher is more prospective.
    unlabelled : array of shape (n_cells,)
        Scores of the unlabelled cells of the support, from the same model; NaN is off the map.

    Returns
    -------
    shares : float64 array of shape (n_occurrences,)
        p_i between 0 and 1; cells with the very same score count half.

    Raises
    ------
    ValueError
        If an occurrence has no score, or no unlabelled cell has one.

    References
    ----------
    .. [1] Airola, A. et al. 2019, The spatial leave-pair-out cross-validation method for reliable
       AUC estimation of spatial classifiers, Data Min. Knowl. Disc. 33, 730-747,
       doi:10.1007/s10618-018-00607-x.

    Examples
    --------
    >>> occurrence_shares([9.0, 2.0], [1.0, 2.0, 3.0, 4.0])
    array([0.   , 0.625])
    """
    found, cells = np.ravel(np.asarray(scores, float)), np.ravel(np.asarray(unlabelled, float))
    cells = np.sort(cells[~np.isnan(cells)])
    if not len(cells):
        raise ValueError("No unlabelled cell has a score, got none. Check the mask of the map.")
    if np.isnan(found).any():
        raise ValueError(
            f"Occurrence {int(np.argmax(np.isnan(found)))} has no score ({np.isnan(found).sum()} of"
            f" {len(found)}). Drop the occurrences that lie off the map."
        )
    n_above = len(cells) - np.searchsorted(cells, found, side="right")
    n_equal = np.searchsorted(cells, found, side="right") - np.searchsorted(cells, found)
    return (n_above + 0.5 * n_equal) / len(cells)


@dataclass(frozen=True, eq=False)
class CaptureCurve:
    """Share of occurrences captured against the share of the area looked at.

    Attributes
    ----------
    shares : float64 array of shape (n_occurrences,)
        Sorted p_i.
    """

    shares: NDArray[np.float64]

    @property
    def auc(self) -> float:
        """Area under the curve: chance that an occurrence outranks an unlabelled cell."""
        return float(1.0 - self.shares.mean())

    @property
    def area(self) -> NDArray[np.float64]:
        """Steps of the curve along the area axis, from 0 to 1."""
        return np.concatenate([[0.0], self.shares, [1.0]])

    @property
    def captured(self) -> NDArray[np.float64]:
        """Share captured at each step of `area`; draw with steps to the right (`where="post"`)."""
        n = len(self.shares)
        return np.concatenate([[0.0], np.arange(1, n + 1) / n, [1.0]])

    def capture(self, area: ArrayLike) -> NDArray[np.float64]:
        """Share of the occurrences inside the best `area` (share of the map, 0 to 1)."""
        return np.searchsorted(self.shares, np.asarray(area, float), side="right") / len(
            self.shares
        )

    def capture_interval(self, area: float, *, coverage: float = 0.95) -> tuple[float, float]:
        """Clopper-Pearson interval of the share captured in the best `area`."""
        n_inside = int(np.searchsorted(self.shares, area, side="right"))
        return clopper_pearson(n_inside, len(self.shares), coverage=coverage)

    def density(self, area: ArrayLike) -> NDArray[np.float64]:
        """Normalised density Nd: share captured over the share of the area; 1 is chance."""
        return self.capture(area) / np.asarray(area, float)

    @property
    def pa_point(self) -> tuple[float, float]:
        """(captured, area) where the capture curve meets 1 − area; their ratio is Nd [1]_.

        Where the curve jumps over the falling line the point on the line is taken.

        References
        ----------
        .. [1] Yousefi, M. & Carranza, E. J. M. 2015, Prediction-area (P-A) plot and C-A fractal
           analysis to classify and evaluate evidential maps for mineral prospectivity modeling,
           Comput. Geosci. 79, 69-81, doi:10.1016/j.cageo.2015.03.007.
        """
        n = len(self.shares)
        starts = np.concatenate([[0.0], self.shares])
        ends = np.concatenate([self.shares, [np.inf]])
        meets = np.maximum(starts, 1.0 - np.arange(n + 1) / n)
        is_here = (meets < ends) | (np.arange(n + 1) == n)
        area = float(meets[np.argmax(is_here)])
        return 1.0 - area, area

    @property
    def pa_density(self) -> float:
        """Normalised density Nd at the P-A point; infinite for a perfect map."""
        captured, area = self.pa_point
        return captured / area if area > 0 else float("inf")


def capture_curve(shares: ArrayLike) -> CaptureCurve:
    """Capture (success-rate) curve of a map from the shares p_i of its held-out occurrences.

    Parameters
    ----------
    shares : array of shape (n_occurrences,)
        p_i of `occurrence_shares`, pooled over the folds.

    Returns
    -------
    curve : CaptureCurve
        With `auc`, `capture(area)`, `density(area)`, `pa_point` and `pa_density`.

    Raises
    ------
    ValueError
        If there is no occurrence, or a share lies outside 0 to 1.

    Examples
    --------
    >>> cells = [s for s in range(1, 101) if s not in (100, 95, 90, 50, 1)]
    >>> curve = capture_curve(occurrence_shares([100, 95, 90, 50, 1], cells))
    >>> round(curve.auc, 4), curve.pa_point, round(curve.pa_density, 2)
    (0.6758, (0.6, 0.4), 1.5)
    """
    found = np.sort(np.ravel(np.asarray(shares, float)))
    if not len(found) or not ((found >= 0) & (found <= 1)).all():
        raise ValueError(
            f"Shares must lie between 0 and 1, got {found[:5]}. Compute them with"
            " occurrence_shares."
        )
    return CaptureCurve(found)


@dataclass(frozen=True, eq=False)
class PredictionArea:
    """Share of occurrences and of the area at or above each score: both curves of a P-A plot.

    Attributes
    ----------
    thresholds : float64 array of shape (n,)
        Scores, rising; the highest stands twice, as nothing lies above it.
    captured, area : float64 arrays of shape (n,)
        Share of the occurrences, and of the cells, that score at least as high: 0 to 1, falling.
    """

    thresholds: NDArray[np.float64]
    captured: NDArray[np.float64]
    area: NDArray[np.float64]

    @property
    def point(self) -> tuple[float, float, float]:
        """(threshold, captured, area) where both curves cross, so that captured + area = 1 [1]_.

        Between two thresholds both curves are taken as straight.

        References
        ----------
        .. [1] Yousefi, M. & Carranza, E. J. M. 2015, Prediction-area (P-A) plot and C-A fractal
           analysis to classify and evaluate evidential maps for mineral prospectivity modeling,
           Comput. Geosci. 79, 69-81, doi:10.1016/j.cageo.2015.03.007.
        """
        lead = self.captured + self.area - 1.0  # falls from 1 at the lowest score to -1
        below = int(np.argmax(lead <= 0))
        part = lead[below - 1] / (lead[below - 1] - lead[below])
        threshold, captured = (
            float(values[below - 1] + part * (values[below] - values[below - 1]))
            for values in (self.thresholds, self.captured)
        )
        return threshold, captured, 1.0 - captured

    @property
    def density(self) -> float:
        """Normalised density Nd at the point: captured over area; above 1 the map is of use."""
        _, captured, area = self.point
        return captured / area if area > 0 else float("inf")


def prediction_area(
    scores: ArrayLike, unlabelled: ArrayLike, *, n_thresholds: int = 256
) -> PredictionArea:
    """Prediction rate and area of a map by threshold of its score, for the P-A plot [1]_.

    The scores must be on one scale: those of one model, or of one map. For scores pooled over folds
    use `capture_curve`, whose `pa_point` needs ranks alone.

    Parameters
    ----------
    scores : array of shape (n_occurrences,)
        Scores of the occurrences, held out from the model.
    unlabelled : array of shape (n_cells,)
        Scores of the cells of the map; NaN is off the map.
    n_thresholds : int
        Quantiles of the map that are taken as thresholds, beside the scores of the occurrences.

    Returns
    -------
    found : PredictionArea
        With `point`, where the curves cross, and its `density`.

    Raises
    ------
    ValueError
        If an occurrence has no score, or there is none, or no cell has one.

    References
    ----------
    .. [1] Yousefi, M. & Carranza, E. J. M. 2015, Prediction-area (P-A) plot and C-A fractal
       analysis to classify and evaluate evidential maps for mineral prospectivity modeling,
       Comput. Geosci. 79, 69-81, doi:10.1016/j.cageo.2015.03.007.

    Examples
    --------
    >>> found = prediction_area([10.0, 9.0, 4.0], range(1, 11))
    >>> [round(value, 3) for value in found.point], round(found.density, 3)
    ([7.667, 0.667, 0.333], 2.0)
    """
    occurrence_shares(scores, unlabelled)  # the same demands on the same arrays
    found = np.sort(np.ravel(np.asarray(scores, float)))
    if not len(found):
        raise ValueError(
            "A P-A plot needs occurrences, got none. Pass the scores of the known ones."
        )
    cells = np.ravel(np.asarray(unlabelled, float))
    cells = np.sort(cells[~np.isnan(cells)])
    places = np.linspace(0, len(cells) - 1, min(n_thresholds, len(cells))).round().astype(int)
    levels = np.unique(np.concatenate([cells[places], found]))
    captured, area = (
        np.append(1.0 - np.searchsorted(held, levels) / len(held), 0.0) for held in (found, cells)
    )
    return PredictionArea(np.append(levels, levels[-1]), captured, area)


def roc_by_ranks(
    scores: ArrayLike, is_positive: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """ROC curve from ranks: false against true positive share, and the area under it.

    Parameters
    ----------
    scores : array of shape (n,)
        Higher is more positive.
    is_positive : bool array of shape (n,)
        The truth.

    Returns
    -------
    false_share, true_share : float64 arrays of shape (n_levels + 1,)
        One point per distinct score, from (0, 0) to (1, 1); ties make a slanted piece.
    auc : float
        Trapezoid area, equal to 1 − mean p_i.

    Raises
    ------
    ValueError
        If there is no positive or no negative.

    Examples
    --------
    >>> roc_by_ranks([3.0, 2.0, 1.0], [True, False, True])[2]
    0.5
    """
    values, truth = np.asarray(scores, float), np.asarray(is_positive, bool)
    if truth.all() or not truth.any():
        raise ValueError(
            f"A ROC curve needs positives and negatives, got {truth.sum()} positives of"
            f" {len(truth)}. Check the labels."
        )
    order = np.argsort(-values, kind="stable")
    is_last = np.append(np.diff(values[order]) != 0, True)
    n_true = np.cumsum(truth[order])[is_last]
    n_false = np.cumsum(~truth[order])[is_last]
    false_share = np.append(0.0, n_false / n_false[-1])
    true_share = np.append(0.0, n_true / n_true[-1])
    return false_share, true_share, float(np.trapezoid(true_share, false_share))
