"""How far to trust each method: estimates of samples that it never saw, side by side, and the blend.

Samples and folds come in; held-out predictive quantiles, weights of the blend, calibrated intervals
and scores go out. All that is fitted (scores, variograms, networks, weights) is fitted inside a fold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan.geostat.normal_scores import NormalScores
from gossan.models.blending import blend_quantiles, blend_weights
from gossan.studies.run_folder import Arrays, RunFolder
from gossan.studies.tailings.methods import (
    LEVELS,
    METHODS,
    NAMES,
    REFERENCE,
    Training,
    applicable,
)
from gossan.studies.tailings.samples import Samples
from gossan.studies.telling import tell_share
from gossan.validation import block_labels, cluster_bootstrap, group_folds, random_folds
from gossan.validation.intervals import conformal_intervals, crps_quantiles, interval_coverage

Folds = Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]
LEAST_BLOCKS = 20  # fewer cannot calibrate intervals of 90 %


@dataclass(frozen=True)
class HeldOut:
    """Predictions of samples by methods that never saw them.

    Attributes
    ----------
    quantiles : dict of method to array of shape (n, n_levels, n_elements)
        In the unit of the values; NaN for samples that no fold tests. "blend" is among them.
    low, high : array of shape (n, n_elements)
        Calibrated intervals of the blend.
    weights : DataFrame
        Of the methods in the blend, a row a fold.
    groups : array of shape (n,)
        What was held out as a whole.
    """

    quantiles: dict[str, NDArray[np.float64]]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    weights: pd.DataFrame
    groups: NDArray


def hold_out_groups(
    samples: Samples, *, n_splits: int = 5, block_size: float = 0.0, random_state: int = 0
) -> tuple[NDArray, Folds, str]:
    """Whole holes, or blocks where there are none, and folds that hold them out.

    Parameters
    ----------
    samples : Samples
    n_splits : int
        Folds.
    block_size : float
        Edge of a block [m]; 0 takes the range of the variogram (median over the elements), so that
        most of a block has no near sample, or less where that leaves too few blocks.
    random_state : int
        Seed of the blocks' offset.

    Returns
    -------
    groups : array of shape (n,)
    folds : list of (train, test)
    name : {"hole", "block"}

    Raises
    ------
    ValueError
        If there are fewer holes or blocks than folds.
    """
    if samples.holes is not None:
        return samples.holes, group_folds(samples.holes, n_splits=n_splits, min_groups=1), "hole"
    plane = samples.coords[:, :2]
    size = block_size or _range(samples, random_state)
    groups = block_labels(plane, size, random_state=random_state)
    n_places = len(np.unique(plane, axis=0))
    while not block_size and len(np.unique(groups)) < min(LEAST_BLOCKS, n_places // 2):
        size /= 1.2
        groups = block_labels(plane, size, random_state=random_state)
    return groups, group_folds(groups, n_splits=n_splits, min_groups=1), "block"


def hold_out(
    samples: Samples,
    folds: Folds,
    *,
    groups: NDArray | None,
    names: Sequence[str] = tuple(METHODS),
    n_inner_splits: int = 4,
    coverage: float = 0.9,
    folder: RunFolder,
    key: Mapping[str, Any],
    random_state: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> HeldOut:
    """Estimate each test part by every method and by their blend, weighted on inner folds.

    Parameters
    ----------
    samples : Samples
    folds : sequence of (train, test)
        Row numbers.
    groups : array of shape (n,) or None
        Hole or block of each sample, for inner folds of the same kind; None: inner folds at random.
    names : sequence of str
        Methods, see `METHODS`; those that would be another one on these data are left out.
    n_inner_splits : int
        Inner folds in each training part.
    coverage : float
        Of the intervals.
    folder : RunFolder
        Keeps the predictions of each method.
    key : mapping
        What they depend on besides the method.
    random_state : int
        Seed.
    progress : callable
        Called with a line before each method.

    Returns
    -------
    held_out : HeldOut
    """
    outer = [training_of(samples, train, groups, random_state) for train, _ in folds]
    inner = [
        _inner_folds(each, n_inner_splits, random_state + number)
        for number, each in enumerate(outer)
    ]
    found: dict[str, Arrays] = {}
    n_elements, n_covariates = samples.values.shape[1], samples.covariates.shape[1]
    for name in applicable(names, n_elements=n_elements, n_covariates=n_covariates):
        n_fits = sum(1 + len(each) for each in inner)
        progress(f"{NAMES[name]}: {n_fits} fits")
        found[name] = folder.part(
            f"{key['protocol']}-{name}",
            {**key, "method": name},
            partial(
                _predictions, samples, folds, outer=outer, inner=inner, name=name, say=progress
            ),
        )
    return _blended(samples, folds, outer, found, coverage=coverage, groups=groups)


def training_of(
    samples: Samples, rows: NDArray, groups: NDArray | None, random_state: int = 0
) -> ScoredTraining:
    """What the methods learn from: normal scores of some rows, with the way back.

    Parameters
    ----------
    samples : Samples
    rows : array of int
        Training rows.
    groups : array of shape (n,) or None
        Hole or block of each sample.
    random_state : int
        Seed of the methods.

    Returns
    -------
    training : ScoredTraining
    """
    values = samples.values.to_numpy()[rows]
    scores = NormalScores(lower=0.0, random_state=random_state).fit(values)
    return ScoredTraining(
        samples.coords[rows],
        samples.covariates.to_numpy(dtype=float)[rows],
        np.asarray(scores.transform(values)),
        None if groups is None else groups[rows],
        None if samples.holes is None else samples.holes[rows],
        random_state,
        back=scores,
    )


def _range(samples: Samples, random_state: int) -> float:
    """Return the median range of the elements' variograms in the plane [m]."""
    models = training_of(samples, np.arange(len(samples.coords)), None, random_state).models()
    ranges = [max(each.ranges[:2]) for model in models for each in model.structures]
    half = 0.5 * float(np.hypot(*np.ptp(samples.coords[:, :2], axis=0)))
    return min(float(np.median(ranges)), half) if ranges else half


@dataclass(frozen=True)
class ScoredTraining(Training):
    """A training set that knows how its normal scores become values again."""

    back: Any = None

    def values_of(self, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values of normal scores whose last axis is the element."""
        flat = quantiles.reshape(-1, quantiles.shape[-1])
        return np.asarray(self.back.inverse_transform(flat)).reshape(quantiles.shape)

    def scores_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return normal scores of values whose last axis is the element."""
        flat = values.reshape(-1, values.shape[-1])
        return np.asarray(self.back.transform(flat)).reshape(values.shape)


def _inner_folds(training: Training, n_splits: int, seed: int) -> Folds:
    if training.groups is None:
        return random_folds(np.zeros(len(training.coords)), n_splits=n_splits, random_state=seed)
    n = min(n_splits, len(np.unique(training.groups)))
    return group_folds(training.groups, n_splits=n, min_groups=1)


def _part_of(training: ScoredTraining, rows: NDArray[np.int64]) -> ScoredTraining:
    """Return some rows of a training set, with the scores and variogram models of the whole."""
    return replace(
        training,
        whole=training,
        coords=training.coords[rows],
        covariates=training.covariates[rows],
        scores=training.scores[rows],
        groups=None if training.groups is None else training.groups[rows],
        holes=None if training.holes is None else training.holes[rows],
    )


def _predictions(
    samples: Samples,
    folds: Folds,
    *,
    outer: Sequence[ScoredTraining],
    inner: Sequence[Folds],
    name: str,
    say: Callable[[str], None],
) -> Arrays:
    """Return normal-score quantiles of each fold's test rows, and of its training rows held out."""
    parts = [
        _part_of(training, train)
        for training, inside in zip(outer, inner, strict=True)
        for train, _ in inside
    ]
    # Fitting takes most of the time: it is told as the first four fifths of the step.
    predictors = METHODS[name](
        [*outer, *parts], lambda done, total: tell_share(say, 4 * done, 5 * total)
    )
    covariates = samples.covariates.to_numpy(dtype=float)
    arrays: Arrays = {}
    own = iter(predictors[len(outer) :])
    for number, (training, (_, test)) in enumerate(zip(outer, folds, strict=True)):
        arrays[f"outer{number}"] = predictors[number](samples.coords[test], covariates[test])
        told = np.full((len(training.coords), len(LEVELS), training.scores.shape[1]), np.nan)
        for _, rows in inner[number]:
            told[rows] = next(own)(training.coords[rows], training.covariates[rows])
        arrays[f"inner{number}"] = told
        tell_share(say, 4 * len(outer) + number + 1, 5 * len(outer))
    return {place: array.astype(np.float32) for place, array in arrays.items()}


def _blended(
    samples: Samples,
    folds: Folds,
    outer: Sequence[ScoredTraining],
    found: Mapping[str, Arrays],
    *,
    coverage: float,
    groups: NDArray | None,
) -> HeldOut:
    n, n_elements = samples.values.shape
    empty = np.full((n, len(LEVELS), n_elements), np.nan)
    quantiles = {name: empty.copy() for name in (*found, "blend")}
    low, high = np.full((n, n_elements), np.nan), np.full((n, n_elements), np.nan)
    weights = []
    for number, (training, (_, test)) in enumerate(zip(outer, folds, strict=True)):
        inside = np.stack([each[f"inner{number}"] for each in found.values()]).astype(float)
        outside = np.stack([each[f"outer{number}"] for each in found.values()]).astype(float)
        shares = blend_weights(inside, training.scores, LEVELS)
        weights.append(dict(zip(found, shares, strict=True)))
        blend = blend_quantiles(outside, shares)
        for name, each in zip(quantiles, [*outside, blend], strict=True):
            quantiles[name][test] = training.values_of(each)
        low[test], high[test] = intervals_of(
            blend, training, blend_quantiles(inside, shares), coverage=coverage
        )
    labels = np.arange(n) if groups is None else groups
    return HeldOut(quantiles, low, high, pd.DataFrame(weights), labels)


def intervals_of(
    quantiles: NDArray[np.float64],
    training: ScoredTraining,
    held_out: NDArray[np.float64],
    *,
    coverage: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intervals [unit of the values] widened by what held-out training rows showed to be needed.

    Parameters
    ----------
    quantiles : array of shape (m, n_levels, n_elements)
        Normal-score quantiles of the places.
    training : ScoredTraining
        Its measured values.
    held_out : array of shape (n, n_levels, n_elements)
        Normal-score quantiles of the training rows, held out.
    coverage : float

    Returns
    -------
    low, high : arrays of shape (m, n_elements)
    """
    tail = 0.5 * (1.0 - coverage)
    ends = [int(np.argmin(np.abs(LEVELS - share))) for share in (tail, 1.0 - tail)]
    columns = []
    for element in range(quantiles.shape[2]):
        known = [np.ascontiguousarray(held_out[:, end, element]) for end in ends]
        columns.append(
            conformal_intervals(
                quantiles[:, ends[0], element],
                quantiles[:, ends[1], element],
                held_out_low=np.minimum(*known),
                held_out_high=np.maximum(*known),
                held_out_y=training.scores[:, element],
                groups=training.groups,
                coverage=coverage,
            )
        )
    both = np.clip(np.stack(columns, axis=2), -1e3, 1e3)  # (m, 2, n_elements)
    return training.values_of(both[:, 0]), training.values_of(both[:, 1])


def score_table(
    samples: Samples, held_out: HeldOut, *, split: str, coverage: float = 0.9
) -> pd.DataFrame:
    """Scores of each method and element, and their means, against ordinary kriging.

    Parameters
    ----------
    samples : Samples
    held_out : HeldOut
    split : str
        Name of the split.
    coverage : float
        Of the intervals.

    Returns
    -------
    scores : DataFrame
        `element` ("all": the mean), `method`, `split`, `n`, `crps` [unit of the values],
        `crps_ratio` to ordinary kriging with its 95 % interval over groups, `rmse`, `r2`,
        `coverage` of the intervals.
    """
    tested = np.flatnonzero(np.isfinite(held_out.quantiles[REFERENCE]).all(axis=(1, 2)))
    truth, groups = samples.values.to_numpy()[tested], held_out.groups[tested]
    crps = {name: _crps(truth, told[tested]) for name, told in held_out.quantiles.items()}
    columns = [*([e] for e in range(truth.shape[1])), list(range(truth.shape[1]))]
    rows = []
    for name, told in held_out.quantiles.items():
        mean = told[tested].mean(axis=1)
        low, high = _ends(held_out, name, tested, coverage)
        for element, e in zip([*samples.elements, "all"], columns, strict=True):
            row = {
                "element": element,
                "method": NAMES[name],
                "split": split,
                "n": len(truth),
                "crps": np.nan if element == "all" else float(crps[name][:, e].mean()),
                **_ratio(crps[name][:, e], crps[REFERENCE][:, e], groups),
                **_errors(truth[:, e], mean[:, e]),
                "coverage": _coverage(truth[:, e], low[:, e], high[:, e]),
            }
            rows.append(row | ({"rmse": np.nan} if element == "all" else {}))
    return pd.DataFrame(rows)


def _crps(truth: NDArray[np.float64], told: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the score of each row and element."""
    columns = zip(truth.T, np.moveaxis(told, 2, 0), strict=True)
    return np.column_stack([crps_quantiles(column, each, LEVELS) for column, each in columns])


def _errors(truth: NDArray[np.float64], mean: NDArray[np.float64]) -> dict[str, float]:
    """Return root mean square error, and R² averaged over elements."""
    squares = ((truth - mean) ** 2).sum(axis=0)
    around = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    return {
        "rmse": float(np.sqrt(squares.sum() / truth.size)),
        "r2": float(np.mean(1.0 - squares / around)),
    }


def _ends(
    held_out: HeldOut, name: str, tested: NDArray[np.intp], coverage: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if name == "blend":
        return held_out.low[tested], held_out.high[tested]
    tail = 0.5 * (1.0 - coverage)
    told = held_out.quantiles[name][tested]
    ends = [int(np.argmin(np.abs(LEVELS - share))) for share in (tail, 1.0 - tail)]
    return told[:, ends[0]], told[:, ends[1]]


def _coverage(truth: NDArray, low: NDArray, high: NDArray) -> float:
    columns = zip(truth.T, low.T, high.T, strict=True)
    return float(np.mean([interval_coverage(*column) for column in columns]))


def _ratio(crps: NDArray, reference: NDArray, groups: NDArray) -> dict[str, float]:
    """Return the ratio of mean scores, averaged over elements, and its interval over groups."""
    if crps is reference or np.array_equal(crps, reference):
        return {"crps_ratio": 1.0, "crps_ratio_low": 1.0, "crps_ratio_high": 1.0}

    def ratio(rows: NDArray[np.int64]) -> float:
        return float(np.mean(crps[rows].mean(axis=0) / reference[rows].mean(axis=0)))

    found = cluster_bootstrap(ratio, groups, n_resamples=500)
    return {
        "crps_ratio": found.value,
        "crps_ratio_low": found.low,
        "crps_ratio_high": found.high,
    }
