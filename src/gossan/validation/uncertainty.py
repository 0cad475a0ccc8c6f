"""How sure a score and a probability are: intervals over groups, and calibration.

Values per row with the groups they belong to come in; intervals, calibration curves and
calibrated probabilities go out. Groups, not rows, are what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from gossan._checks import (
    check_class_codes,
    check_labels,
    check_option,
    check_probabilities,
    check_random_state,
)
from gossan.validation._groups import check_coverage, expanded_percentiles


@dataclass(frozen=True)
class Interval:
    """A value with its interval.

    Attributes
    ----------
    value, low, high : float
        The statistic of all groups and the ends of its interval.
    coverage : float
        Nominal coverage, such as 0.95.
    n_groups : int
        Number of groups drawn.
    """

    value: float
    low: float
    high: float
    coverage: float
    n_groups: int

    def __str__(self) -> str:
        return (
            f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}, {100 * self.coverage:g} %"
            f" interval over {self.n_groups} groups)"
        )


def cluster_bootstrap(
    statistic: Callable[[NDArray[np.int64]], float],
    groups: ArrayLike,
    *,
    n_resamples: int = 2000,
    coverage: float = 0.95,
    random_state: int | np.random.Generator | None = 0,
) -> Interval:
    """Interval of a statistic when whole groups, not rows, are drawn with replacement.

    Rows of one deposit are no independent witnesses; an interval over rows is far too narrow.
    Percentiles are widened for few groups [1]_; below some ten groups it is still too narrow.

    Parameters
    ----------
    statistic : callable
        Takes row numbers (int64, with repeats), gives a number; NaN draws are left out.
    groups : array of shape (n,)
        Group of each row.
    n_resamples : int
        Number of draws; 2000 fixes the ends to about a tenth of the interval's width.
    coverage : float
        Nominal coverage.
    random_state : int, Generator or None
        Seed of the draws.

    Returns
    -------
    interval : Interval
        The statistic of all rows and its interval.

    Raises
    ------
    ValueError
        If there are fewer than two groups, or coverage is not between 0 and 1.

    References
    ----------
    .. [1] Hesterberg, T. C. 2015, What teachers should know about the bootstrap, Am. Stat. 69,
       371-386, doi:10.1080/00031305.2015.1089789.

    Examples
    --------
    >>> right = np.array([1, 1, 1, 0, 0, 1, 1, 1])
    >>> print(cluster_bootstrap(lambda rows: right[rows].mean(), list("aabbccdd")))
    0.750 (0.500 to 1.000, 95 % interval over 4 groups)
    """
    labels = check_labels("groups", groups)
    rng = check_random_state(random_state)
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.append(True, labels[order][1:] != labels[order][:-1]))
    rows = np.split(order, starts[1:])
    draws = np.empty(n_resamples)
    for i, drawn in enumerate(rng.integers(len(rows), size=(n_resamples, len(rows)))):
        draws[i] = statistic(np.concatenate([rows[g] for g in drawn]))
    low, high = expanded_percentiles(draws, len(rows), coverage=coverage)
    value = float(statistic(np.arange(len(labels))))
    return Interval(value, float(low), float(high), coverage, len(rows))


def clopper_pearson(n_right: int, n_total: int, *, coverage: float = 0.95) -> tuple[float, float]:
    """Exact interval of a share of independent trials: 81 of 97 verdicts right, say.

    Parameters
    ----------
    n_right, n_total : int
        Successes and trials.
    coverage : float
        Coverage that is reached at least, whatever the true share [1]_.

    Returns
    -------
    low, high : float
        Ends of the interval.

    Raises
    ------
    ValueError
        If the counts are impossible or coverage is not between 0 and 1.

    References
    ----------
    .. [1] Clopper, C. J. & Pearson, E. S. 1934, The use of confidence or fiducial limits
       illustrated in the case of the binomial, Biometrika 26, 404-413,
       doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> low, high = clopper_pearson(81, 97)
    >>> round(low, 3), round(high, 3)
    (0.746, 0.903)
    """
    check_coverage(coverage)
    if not 0 <= n_right <= n_total or n_total < 1:
        raise ValueError(
            f"{n_right} of {n_total} is no share. Pass a count between 0 and a positive total."
        )
    tail = 0.5 - coverage / 2.0
    low = stats.beta.ppf(tail, n_right, n_total - n_right + 1) if n_right else 0.0
    high = stats.beta.ppf(1 - tail, n_right + 1, n_total - n_right) if n_right < n_total else 1.0
    return float(low), float(high)


def calibration_curve(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    n_bins: int = 10,
    strategy: str = "quantile",
    weights: ArrayLike | None = None,
) -> pd.DataFrame:
    """Stated against observed confidence: how many of the verdicts given 80 % are right.

    Parameters
    ----------
    probabilities : array of shape (n, n_classes)
        Held-out probabilities, best one row per group; NaN rows are left out.
    labels : array of shape (n,)
        True classes, or class numbers when `classes` is None.
    classes : array of shape (n_classes,), optional
        Names of the columns.
    n_bins : int
        Number of bins of the top probability.
    strategy : {"quantile", "uniform"}
        Bins of equal weight, or of equal width.
    weights : array of shape (n,), optional
        Row weights, such as 1 / (analyses of the group), so that groups count equally.

    Returns
    -------
    curve : DataFrame
        One row a filled bin: `stated`, `observed`, `low`, `high` (Clopper-Pearson 95 %, on the
        effective number of rows), `n`, `weight` (shares that sum to 1).

    Raises
    ------
    ValueError
        If shapes do not fit, a label is unknown, or the strategy is.
    """
    check_option("strategy", strategy, ("quantile", "uniform"))
    table, truth, share = _tested(probabilities, labels, classes, weights)
    stated = table.max(axis=1)
    right = table.argmax(axis=1) == truth
    order = np.argsort(stated, kind="stable")
    if strategy == "uniform":
        bins = np.minimum((stated * n_bins).astype(int), n_bins - 1)
    else:
        # The middle of a row's weight decides its bin: equal weights give equal bins.
        middle = np.empty(len(stated))
        middle[order] = np.cumsum(share[order]) - 0.5 * share[order]
        bins = np.minimum((middle * n_bins).astype(int), n_bins - 1)
    rows = []
    for b in np.unique(bins):
        inside = bins == b
        weight, observed = share[inside].sum(), np.average(right[inside], weights=share[inside])
        n_effective = max(1, round(weight**2 / (share[inside] ** 2).sum()))
        low, high = clopper_pearson(round(observed * n_effective), n_effective)
        mean = np.average(stated[inside], weights=share[inside])
        rows.append((mean, observed, low, high, int(inside.sum()), weight))
    return pd.DataFrame(rows, columns=["stated", "observed", "low", "high", "n", "weight"])


def expected_calibration_error(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    n_bins: int = 10,
    strategy: str = "quantile",
    weights: ArrayLike | None = None,
) -> float:
    """Mean gap between stated and observed confidence (ECE, Guo et al. 2017).

    It is biased upward for few rows: with 97 verdicts in 10 bins a perfectly calibrated model
    gets some 0.08. Compare models on the same rows and bins only.

    Parameters
    ----------
    probabilities, labels, classes, n_bins, strategy, weights
        As in `calibration_curve`.

    Returns
    -------
    error : float
        Weighted mean of |observed − stated| over the bins.

    Examples
    --------
    >>> expected_calibration_error([[0.8, 0.2]] * 4, [0, 0, 0, 1], n_bins=1).__round__(3)
    0.05
    """
    curve = calibration_curve(
        probabilities, labels, classes=classes, n_bins=n_bins, strategy=strategy, weights=weights
    )
    return float((curve["weight"] * (curve["observed"] - curve["stated"]).abs()).sum())


class TemperatureCalibrator(BaseEstimator):
    """Probabilities made as sure as they are right, by one temperature.

    Fit it on held-out probabilities, best pooled per group: pooling many analyses, and training
    on the same deposit, both make a model too sure. The order of the classes never changes [1]_.

    Parameters
    ----------
    classes : sequence, optional
        Names of the probability columns; None when labels are column numbers.
    max_temperature : float
        Largest temperature; the least is its inverse.

    Attributes
    ----------
    temperature_ : float
        Above 1 the probabilities were too sure, below 1 too timid.
    classes_ : array of shape (n_classes,)
        Names of the columns.

    References
    ----------
    .. [1] Guo, C. et al. 2017, On calibration of modern neural networks, Proc. Mach. Learn. Res.
       70, 1321-1330, arXiv:1706.04599.

    Examples
    --------
    >>> sure = np.array([[0.99, 0.01]] * 4)
    >>> calibrator = TemperatureCalibrator().fit(sure, [0, 0, 0, 1])
    >>> calibrator.predict_proba(sure)[0].round(2)
    array([0.75, 0.25])
    """

    def __init__(self, classes: ArrayLike | None = None, *, max_temperature: float = 20.0) -> None:
        self.classes = classes
        self.max_temperature = max_temperature

    def fit(
        self, probabilities: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> TemperatureCalibrator:
        """Find the temperature with the least log-loss on held-out rows.

        Parameters
        ----------
        probabilities : array of shape (n, n_classes)
            Held-out probabilities; NaN rows are left out.
        y : array of shape (n,)
            True classes.
        sample_weight : array of shape (n,), optional
            Row weights.

        Returns
        -------
        self : TemperatureCalibrator
            The fitted calibrator.

        Raises
        ------
        ValueError
            If shapes do not fit or a label is unknown.
        """
        table, truth, share = _tested(probabilities, y, self.classes, sample_weight)
        logits = _safe_log(table)
        rows = np.arange(len(truth))

        def loss(log_temperature: float) -> float:
            scaled = logits * np.exp(-log_temperature)
            return float(-share @ (scaled[rows, truth] - special.logsumexp(scaled, axis=1)))

        bound = np.log(self.max_temperature)
        best = optimize.minimize_scalar(loss, bounds=(-bound, bound), method="bounded")
        self.temperature_ = float(np.exp(best.x))
        n_classes = table.shape[1]
        self.classes_ = np.arange(n_classes) if self.classes is None else np.asarray(self.classes)
        return self

    def predict_proba(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Return calibrated probabilities of the same shape; untested rows stay NaN."""
        check_is_fitted(self)
        table = check_probabilities(probabilities, len(self.classes_))
        return special.softmax(_safe_log(table) / self.temperature_, axis=1)


def held_out_temperature(
    probabilities: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike,
    *,
    classes: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Calibrated probabilities where each group's temperature was fitted without it.

    The honest input of a calibration curve after calibration: rows weigh 1 / (rows of the group).

    Parameters
    ----------
    probabilities : array of shape (n, n_classes)
        Held-out probabilities.
    labels : array of shape (n,)
        True classes.
    groups : array of shape (n,)
        Group of each row.
    classes : array of shape (n_classes,), optional
        Names of the columns.

    Returns
    -------
    calibrated : float64 array of shape (n, n_classes)
        Calibrated probabilities; untested rows stay NaN.

    Raises
    ------
    ValueError
        If there is only one group, or shapes do not fit.
    """
    table = check_probabilities(probabilities)
    truth = check_labels("labels", labels, len(table))
    names, codes, counts = np.unique(
        check_labels("groups", groups, len(table)), return_inverse=True, return_counts=True
    )
    if len(names) < 2:
        raise ValueError(f"Held-out calibration needs two groups, got {len(names)}. Pass more.")
    weights = 1.0 / counts[codes]
    calibrated = np.full(table.shape, np.nan)
    for code in range(len(names)):
        inside = codes == code
        model = TemperatureCalibrator(classes).fit(table[~inside], truth[~inside], weights[~inside])
        calibrated[inside] = model.predict_proba(table[inside])
    return calibrated


def _tested(
    probabilities: ArrayLike,
    labels: ArrayLike,
    classes: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return tested rows: probabilities, true column, and weights that sum to 1."""
    table = check_probabilities(probabilities)
    truth = check_class_codes(check_labels("labels", labels, len(table)), classes, table.shape[1])
    share = np.ones(len(table)) if weights is None else np.asarray(weights, float)
    keep = ~np.isnan(table).any(axis=1)
    if share.shape != truth.shape or not keep.any() or not share[keep].sum() > 0:
        raise ValueError(
            f"Nothing to calibrate: {keep.sum()} tested rows, weights of shape {share.shape}."
            " Pass held-out probabilities and one weight per row."
        )
    return table[keep], truth[keep], share[keep] / share[keep].sum()


def _safe_log(table: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.clip(table, 1e-12, None))
