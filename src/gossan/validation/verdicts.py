"""From analyses to a verdict per deposit, and the scores that count deposits.

Class probabilities of single analyses and the groups they belong to come in; pooled verdicts and
scores with intervals over groups go out. Scores count units, (group, label) pairs: a deposit with
two labels is two units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from gossan._checks import (
    check_class_codes,
    check_labels,
    check_option,
    check_probabilities,
    check_random_state,
)
from gossan.validation._groups import expanded_percentiles, group_draws
from gossan.validation._unit_scores import UnitSums, unit_scores
from gossan.validation.uncertainty import clopper_pearson

POOLING = ("mean", "log_mean", "median", "vote")


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The pooled opinion of all analyses of each group.

    Attributes
    ----------
    names : array of shape (n_groups,)
        Group names, sorted.
    classes : array of shape (n_classes,)
        Names of the probability columns.
    probabilities : float64 array of shape (n_groups, n_classes)
        Pooled class probabilities.
    n_analyses : int64 array of shape (n_groups,)
        Tested analyses of the group.
    agreement : float64 array of shape (n_groups,)
        Share of the analyses whose own best class is the verdict.
    method : str
        How they were pooled.
    """

    names: NDArray
    classes: NDArray
    probabilities: NDArray[np.float64]
    n_analyses: NDArray[np.int64]
    agreement: NDArray[np.float64]
    method: str

    @property
    def labels(self) -> NDArray:
        """Most probable class of each group."""
        return self.classes[self.probabilities.argmax(axis=1)]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of the verdict."""
        return self.probabilities.max(axis=1)

    def to_frame(self) -> pd.DataFrame:
        """One row a group: verdict, confidence, agreement, n, and a column per class."""
        frame = pd.DataFrame(
            {
                "verdict": self.labels,
                "confidence": self.confidence,
                "agreement": self.agreement,
                "n_analyses": self.n_analyses,
            },
            index=pd.Index(self.names, name="group"),
        )
        return frame.join(pd.DataFrame(self.probabilities, frame.index, self.classes.tolist()))


def pool_by_group(
    probabilities: ArrayLike,
    groups: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    method: str = "mean",
    prior: ArrayLike | None = None,
) -> Verdicts:
    """One verdict per deposit from the class probabilities of its analyses.

    Parameters
    ----------
    probabilities : array of shape (n, n_classes)
        Class probabilities of the analyses; NaN rows (untested) are left out.
    groups : array of shape (n,)
        Deposit of each analysis.
    classes : array of shape (n_classes,), optional
        Names of the columns; numbers if None.
    method : {"mean", "log_mean", "median", "vote"}
        "mean" is calm and hard to fool by one analysis. "log_mean" is the geometric mean: an
        analysis that rules a class out weighs heavily (floored at 0.001). "median" ignores up to
        half the analyses. "vote" counts best classes. None multiplies the analyses up as if they
        were independent: those of one deposit are not.
    prior : array of shape (n_classes,), optional
        Class shares that the model took in; they are divided out, so that the verdict answers
        "which type, were all equally common".

    Returns
    -------
    verdicts : Verdicts
        One row per group with a tested analysis.

    Raises
    ------
    ValueError
        If no analysis was tested, shapes do not fit, or a prior is not positive.

    Examples
    --------
    >>> pooled = pool_by_group([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], ["a", "a", "b"])
    >>> pooled.probabilities
    array([[0.65, 0.35],
           [0.2 , 0.8 ]])
    """
    check_option("method", method, POOLING)
    table = check_probabilities(probabilities)
    n_classes = table.shape[1]
    labels = check_labels("groups", groups, len(table))
    kinds = np.arange(n_classes) if classes is None else check_labels("classes", classes, n_classes)
    tested = ~np.isnan(table).any(axis=1)
    if not tested.any():
        raise ValueError("No analysis has a probability, all rows are NaN. Pool tested rows.")
    if prior is not None:
        table = _without_prior(table, np.asarray(prior, float))
    table = table[tested]
    names, codes, counts = np.unique(labels[tested], return_inverse=True, return_counts=True)
    pooled = _pool(table, codes, len(names), method)
    is_verdict = table.argmax(axis=1) == pooled.argmax(axis=1)[codes]
    agreement = np.bincount(codes, is_verdict) / counts
    return Verdicts(names, kinds, pooled, counts.astype(np.int64), agreement, method)


def group_units(groups: ArrayLike, y: ArrayLike) -> NDArray:
    """Name of the (group, label) unit of each row: "Yaojialing | Skarn" where labels are mixed.

    Parameters
    ----------
    groups, y : arrays of shape (n,)
        Group and label of each row.

    Returns
    -------
    units : array of str of shape (n,)
        The group's name where it has one label, else "group | label".

    Examples
    --------
    >>> group_units(["a", "b", "b"], ["VMS", "VMS", "Skarn"]).tolist()
    ['a', 'b | VMS', 'b | Skarn']
    """
    names, codes = np.unique(check_labels("groups", groups), return_inverse=True)
    kinds, labels = np.unique(check_labels("y", y, len(codes)), return_inverse=True)
    pairs, of_row = np.unique(codes * len(kinds) + labels, return_inverse=True)
    is_mixed = np.bincount(pairs // len(kinds)) > 1
    units = [
        f"{names[group]} | {kinds[label]}" if is_mixed[group] else str(names[group])
        for group, label in zip(pairs // len(kinds), pairs % len(kinds), strict=True)
    ]
    return np.array(units)[of_row]


@dataclass(frozen=True, eq=False)
class VerdictScores:
    """Scores at the level of analyses and of deposits, with intervals over deposits.

    Attributes
    ----------
    table : DataFrame
        Index: the score's name; columns `value`, `low`, `high`, `interval` (how it was made).
    units : DataFrame
        One row a unit: group, label, verdict, right, confidence, n_analyses, share_right.
    confusion : DataFrame
        Units by true label (rows) and verdict (columns).
    n_analyses, n_groups : int
        What the scores rest on.
    """

    table: pd.DataFrame
    units: pd.DataFrame
    confusion: pd.DataFrame
    n_analyses: int
    n_groups: int

    def __getitem__(self, score: str) -> float:
        return float(self.table.loc[score, "value"])

    def __str__(self) -> str:
        counts = ", ".join(f"{k} {n}" for k, n in self.units["label"].value_counts().items())
        head = f"{self.n_analyses} analyses, {self.n_groups} groups, {len(self.units)} units"
        lines = [f"{head} ({counts})"]
        for name, row in self.table.iterrows():
            lines.append(f"{name:<22}{row.value:8.3f}   ({row.low:.3f} to {row.high:.3f})")
        return "\n".join(lines)


def verdict_scores(
    y: ArrayLike,
    probabilities: ArrayLike,
    *,
    groups: ArrayLike,
    classes: ArrayLike | None = None,
    units: ArrayLike | None = None,
    method: str = "mean",
    n_resamples: int = 2000,
    coverage: float = 0.95,
    random_state: int | np.random.Generator | None = 0,
) -> VerdictScores:
    """Score held-out probabilities per analysis and per deposit, with honest intervals.

    Parameters
    ----------
    y : array of shape (n,)
        True classes (column numbers when `classes` is None).
    probabilities : array of shape (n, n_classes)
        Held-out probabilities; NaN rows (untested) are left out.
    groups : array of shape (n,)
        Deposit of each analysis: what the bootstrap draws.
    classes : array of shape (n_classes,), optional
        Names of the columns.
    units : array of shape (n,), optional
        What gets a verdict; (group, label) pairs by default.
    method : str
        Pooling, see `pool_by_group`.
    n_resamples : int
        Bootstrap draws over groups.
    coverage : float
        Nominal coverage of the intervals.
    random_state : int, Generator or None
        Seed of the draws.

    Returns
    -------
    scores : VerdictScores
        `accuracy` and `log_loss` per analysis; `balanced_accuracy` (mean recall over classes);
        `group_recall` (mean over units of the share right); `verdict` (V: share of units with the
        right verdict, Clopper-Pearson interval); `balanced_verdict` (Vb: mean over classes of V);
        `pooled_accuracy` and `pooled_recall` (each analysis given its whole group's verdict);
        `confident_half` (V of the most confident half of the units); `skill` (class- and
        unit-balanced recall on a scale where 0.5 is chance and 1 perfect).

    Raises
    ------
    ValueError
        If shapes do not fit, a label is unknown, or nothing was tested.

    Examples
    --------
    >>> p = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.6, 0.4]]
    >>> scores = verdict_scores([0, 0, 1, 1], p, groups=["a", "a", "b", "c"])
    >>> scores["accuracy"], scores["group_recall"].__round__(3), scores["verdict"].__round__(3)
    (0.5, 0.5, 0.667)
    """
    table = check_probabilities(probabilities)
    labels = check_labels("groups", groups, len(table))
    truth = check_class_codes(check_labels("y", y, len(table)), classes, table.shape[1])
    names = np.arange(table.shape[1]) if classes is None else np.asarray(classes)
    of_unit = group_units(labels, names[truth]) if units is None else check_labels("units", units)
    tested = ~np.isnan(table).any(axis=1)
    if len(of_unit) != len(table) or not tested.any():
        raise ValueError(
            f"{tested.sum()} tested rows of {len(table)}, {len(of_unit)} units. Pass held-out"
            " probabilities and one unit per row."
        )
    sums = _sums(table[tested], truth[tested], labels[tested], of_unit[tested], method)
    value = {name: score[0] for name, score in unit_scores(sums, sums.once).items()}
    rng = check_random_state(random_state)
    n_groups = int(sums.group.max()) + 1
    frame = _score_table(value, sums, n_groups, (n_resamples, coverage, rng))
    unit_frame = _unit_frame(sums, names, of_unit[tested], labels[tested])
    kinds = [name for i, name in enumerate(names.tolist()) if (sums.label == i).any()]
    confusion = pd.crosstab(unit_frame["label"], unit_frame["verdict"]).reindex(
        index=kinds, columns=names.tolist(), fill_value=0
    )
    return VerdictScores(frame, unit_frame, confusion, int(tested.sum()), n_groups)


def skill_score(y: ArrayLike, probabilities: ArrayLike, *, groups: ArrayLike) -> float:
    """Recall with classes and units equal, scaled so that chance is 0.5 and perfect 1.

    For two classes this is the balanced accuracy; for more the chance of 1 / n_classes is drawn
    to the same 0.5, so that one limit serves all tables. A constant answer scores 0.5.

    Parameters
    ----------
    y : array of shape (n,)
        True column numbers.
    probabilities : array of shape (n, n_classes)
        Held-out probabilities; NaN rows are left out.
    groups : array of shape (n,)
        Group of each row.

    Returns
    -------
    skill : float
        Below 0.5 is worse than a constant answer.

    Examples
    --------
    >>> skill_score([0, 1, 2], [[1, 0, 0], [1, 0, 0], [1, 0, 0]], groups=["a", "b", "c"])
    0.5
    """
    table = check_probabilities(probabilities)
    truth, labels = np.asarray(y), np.asarray(groups)
    tested = ~np.isnan(table).any(axis=1)
    truth, right = truth[tested], table[tested].argmax(axis=1) == truth[tested]
    codes = np.unique(labels[tested], return_inverse=True)[1]
    unit = codes * table.shape[1] + truth
    kinds, of_unit, counts = np.unique(unit, return_inverse=True, return_counts=True)
    share = np.bincount(of_unit, right) / counts
    label = kinds % table.shape[1]
    present = np.unique(label)
    recall = np.mean([share[label == k].mean() for k in present])
    chance = 1.0 / len(present)
    return float(0.5 + 0.5 * (recall - chance) / (1.0 - chance)) if len(present) > 1 else np.nan


def _sums(table: NDArray, truth: NDArray, groups: NDArray, units: NDArray, method: str) -> UnitSums:
    names, first, codes = np.unique(units, return_index=True, return_inverse=True)
    group_codes = np.unique(groups, return_inverse=True)[1]
    if (group_codes[first][codes] != group_codes).any() or (truth[first][codes] != truth).any():
        raise ValueError(
            "A unit holds rows of several groups or labels. A unit is one (group, label) pair:"
            " leave units out, or build them with group_units."
        )
    of_unit = pool_by_group(table, units, method=method)
    of_group = pool_by_group(table, groups, method=method)
    group_verdict = of_group.probabilities.argmax(axis=1)[group_codes]
    p_true = np.clip(table[np.arange(len(truth)), truth], np.finfo(float).eps, 1.0)
    return UnitSums(
        names=names,
        group=group_codes[first],
        label=truth[first],
        verdict=of_unit.probabilities.argmax(axis=1),
        confidence=of_unit.confidence,
        n=np.bincount(codes).astype(float),
        n_right=np.bincount(codes, table.argmax(axis=1) == truth),
        n_pooled_right=np.bincount(codes, group_verdict == truth),
        loss=np.bincount(codes, -np.log(p_true)),
    )


def _score_table(
    value: dict[str, float],
    sums: UnitSums,
    n_groups: int,
    bootstrap: tuple[int, float, np.random.Generator],
) -> pd.DataFrame:
    n_resamples, coverage, rng = bootstrap
    rows = {name: [v, np.nan, np.nan, "none"] for name, v in value.items()}
    if n_groups > 1:
        draws = group_draws(n_groups, n_resamples, rng)[:, sums.group]
        # With mixed groups left out a draw can hold no unit; it says nothing then.
        scores = unit_scores(sums, draws[draws.sum(axis=1) > 0])
        for name, drawn in scores.items():
            low, high = expanded_percentiles(drawn, n_groups, coverage=coverage)
            rows[name][1:] = [float(low), float(high), "cluster bootstrap"]
    n_right, n_units = int((sums.verdict == sums.label).sum()), len(sums.n)
    exact = clopper_pearson(n_right, n_units, coverage=coverage)
    rows["verdict"][1:] = [*exact, "Clopper-Pearson"]
    frame = pd.DataFrame.from_dict(
        rows, orient="index", columns=["value", "low", "high", "interval"]
    )
    return frame.rename_axis("score")


def _unit_frame(sums: UnitSums, names: NDArray, units: NDArray, groups: NDArray) -> pd.DataFrame:
    first = np.unique(units, return_index=True)[1]
    return pd.DataFrame(
        {
            "group": groups[first],
            "label": names[sums.label],
            "verdict": names[sums.verdict],
            "right": sums.verdict == sums.label,
            "confidence": sums.confidence,
            "n_analyses": sums.n.astype(int),
            "share_right": sums.n_right / sums.n,
        },
        index=pd.Index(sums.names, name="unit"),
    )


def _pool(table: NDArray, codes: NDArray, n_groups: int, method: str) -> NDArray[np.float64]:
    n_classes = table.shape[1]
    if method == "median":
        pooled = pd.DataFrame(table).groupby(codes).median().to_numpy(copy=True)
        # Medians of a group split three ways can all be 0: the mean decides then.
        empty = pooled.sum(axis=1) <= 0
        pooled[empty] = _pool(table, codes, n_groups, "mean")[empty]
        return pooled / pooled.sum(axis=1, keepdims=True)
    values = table
    if method == "vote":
        values = np.eye(n_classes)[table.argmax(axis=1)]
    elif method == "log_mean":
        values = np.log(np.maximum(table, 1e-3))
    counts = np.bincount(codes, minlength=n_groups)
    sums = np.stack([np.bincount(codes, column, n_groups) for column in values.T], axis=1)
    means = sums / counts[:, None]
    return special.softmax(means, axis=1) if method == "log_mean" else means


def _without_prior(table: NDArray, prior: NDArray) -> NDArray[np.float64]:
    if prior.shape != (table.shape[1],) or not (prior > 0).all():
        raise ValueError(
            f"prior must be one positive share per class, got {prior}. Leave it out for none."
        )
    lifted = table / prior
    return lifted / lifted.sum(axis=1, keepdims=True)
