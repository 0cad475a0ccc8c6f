"""Random beside grouped folds, and what either finds where there is nothing to find.

Any classifiers and a grouped table come in; the two scores with their gap, and a null test, go
out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_labels, check_random_state
from gossan.validation.crossval import cross_validate
from gossan.validation.leakage import leakage_report
from gossan.validation.splits import group_folds, random_folds
from gossan.validation.verdicts import group_units, skill_score

logger = logging.getLogger(__name__)


def compare_protocols(
    estimators: Mapping[str, Any],
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike,
    names: Sequence[str] | None = None,
    n_splits: int | None = None,
    n_random_splits: int = 5,
    seeds: Sequence[int] = (0,),
    scores: Sequence[str] = ("accuracy", "group_recall", "verdict", "balanced_verdict", "log_loss"),
    random_state: int = 0,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Each model under random and under grouped folds, side by side, and the gap between them.

    Parameters
    ----------
    estimators : mapping of name to classifier
        What is compared.
    X, y, groups : array of shape (n, n_features), arrays of shape (n,)
        As in `cross_validate`.
    names : sequence of str, optional
        Feature names for the leakage report; taken from a DataFrame.
    n_splits : int, optional
        Grouped folds; each group in turn by default.
    n_random_splits : int
        Random folds.
    seeds : sequence of int
        Seeds of the estimators.
    scores : sequence of str
        Rows of `verdict_scores` to report.
    random_state : int
        Seed of the random folds.
    n_jobs : int, optional
        Parallel processes.

    Returns
    -------
    table : DataFrame
        Index (model, score); columns `random`, `grouped`, `low`, `high` (interval of the grouped
        score), `gap` (random − grouped) and `leaks` (those in force under random folds).
        `attrs["leakage"]` holds the two printed leakage reports.
    """
    common: dict[str, Any] = {
        "groups": groups,
        "seeds": seeds,
        "n_jobs": n_jobs,
        "random_state": random_state,
    }
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    reports: dict[str, str] = {}
    leaks = ""
    for model, estimator in estimators.items():
        runs = {
            "random": cross_validate(
                estimator, X, y, cv="random", n_splits=n_random_splits, **common
            ),
            "grouped": cross_validate(estimator, X, y, n_splits=n_splits, **common),
        }
        if not reports:
            found = {
                protocol: leakage_report(X, y, groups=groups, folds=run.folds, names=names)
                for protocol, run in runs.items()
            }
            reports = {protocol: str(report) for protocol, report in found.items()}
            leaks = "; ".join(f.name for f in found["random"].findings if f.severity != "note")
        tables = {protocol: run.scores().table for protocol, run in runs.items()}
        for score in scores:
            honest = tables["grouped"].loc[score]
            lenient = float(tables["random"].loc[score, "value"])
            rows[model, score] = {
                "random": lenient,
                "grouped": honest["value"],
                "low": honest["low"],
                "high": honest["high"],
                "gap": lenient - honest["value"],
                "leaks": leaks,
            }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(list(rows), names=["model", "score"])
    table.attrs["leakage"] = reports
    return table


@dataclass(frozen=True, eq=False)
class NullTest:
    """Skill on labels permuted between groups, under both protocols; 0.5 is chance.

    Attributes
    ----------
    grouped, random : float
        Skill on the true labels.
    null_grouped, null_random : float64 arrays of shape (n_permutations,)
        Skill on permuted labels: there is nothing to learn but the groups themselves.
    """

    grouped: float
    random: float
    null_grouped: NDArray[np.float64]
    null_random: NDArray[np.float64]

    @property
    def p_value(self) -> float:
        """Share of permutations (the truth counted in) with at least the true grouped skill."""
        n_above = int((self.null_grouped >= self.grouped - 1e-12).sum())
        return (1 + n_above) / (1 + len(self.null_grouped))

    @property
    def is_random_invalid(self) -> bool:
        """Whether random folds find skill (mean above 0.6) where there is none."""
        return bool(self.null_random.mean() > 0.6)

    def __str__(self) -> str:
        lines = [
            f"Skill (0.5 chance, 1 perfect), {len(self.null_grouped)} permutations between groups",
            f"held-out groups: {_beside(self.grouped, self.null_grouped)}; p = {self.p_value:.3f}",
            f"random folds: {_beside(self.random, self.null_random)}",
        ]
        if self.is_random_invalid:
            lines.append(
                "Random CV is invalid here: it finds skill in labels that mean nothing,"
                " by knowing the groups again."
            )
        return "\n".join(lines)


def null_test(
    estimator: Any,
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike,
    n_permutations: int = 20,
    n_splits: int = 5,
    seed: int = 0,
    random_state: int | np.random.Generator | None = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NullTest:
    """Permute labels between groups and score again: what does the protocol find in nothing.

    Each (group, label) unit gets the label of another, so that rows of a unit keep one label:
    the clustering stays, the meaning goes.

    Parameters
    ----------
    estimator : classifier
        As in `cross_validate`; take a quick one.
    X, y, groups : array of shape (n, n_features), arrays of shape (n,)
        As in `cross_validate`.
    n_permutations : int
        At least 20; the smallest possible p-value is 1 / (1 + n_permutations).
    n_splits : int
        Folds, for both protocols.
    seed : int
        Seed of the estimator.
    random_state : int, Generator or None
        Seed of the permutations and of the random folds.
    n_jobs : int, optional
        Parallel processes.
    progress : callable, optional
        Called with the number of permutations done and their total.

    Returns
    -------
    test : NullTest
        Printing it gives mean, maximum, p-value and the warning about random CV.

    Raises
    ------
    ValueError
        If no permutation is asked for, or the lengths differ.
    """
    if n_permutations < 1:
        raise ValueError(
            f"n_permutations must be at least 1, got {n_permutations}. Use 20 or more."
        )
    rng = check_random_state(random_state)
    truth = check_labels("y", y)
    labels = check_labels("groups", groups, len(truth))
    folds = {
        "grouped": group_folds(labels, truth, n_splits=n_splits, min_groups=1),
        "random": random_folds(truth, n_splits, random_state=rng),
    }
    first, of_unit = np.unique(group_units(labels, truth), return_index=True, return_inverse=True)[
        1:
    ]
    of_each = truth[first]
    skills: dict[str, list[float]] = {"grouped": [], "random": []}
    for i in range(n_permutations + 1):
        labelled = truth if i == 0 else rng.permutation(of_each)[of_unit]
        codes = np.unique(labelled, return_inverse=True)[1]
        for protocol, parts in folds.items():
            run = cross_validate(
                estimator, X, labelled, groups=labels, cv=parts, seeds=(seed,), n_jobs=n_jobs
            )
            skills[protocol].append(skill_score(codes, run.probabilities, groups=labels))
        logger.info("null test: %s of %s permutations", i, n_permutations)
        if progress is not None:
            progress(i, n_permutations)
    nulls = {name: np.array(values[1:]) for name, values in skills.items()}
    return NullTest(skills["grouped"][0], skills["random"][0], nulls["grouped"], nulls["random"])


def _beside(skill: float, null: NDArray[np.float64]) -> str:
    return f"{skill:.3f}; null mean {null.mean():.3f}, maximum {null.max():.3f}"
