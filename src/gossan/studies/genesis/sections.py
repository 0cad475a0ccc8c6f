"""What each section of a genesis study file may say: its keys, their defaults and their bounds.

Keyword arguments as a study file gives them come in; the same, checked and complete, go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gossan._checks import check_option
from gossan.studies.genesis.trust import MODELS, make_model
from gossan.studies.shared_sections import check_range


def labels(
    *,
    deposit: str = "deposit",
    type: str = "type",  # noqa: A002 - the column's word in a study file
    reference: str | None = None,
) -> dict[str, Any]:
    """Columns of the labels: the deposit, its type, and the study or laboratory."""
    return {"deposit": deposit, "type": type, "reference": reference}


def model(
    *,
    name: str = "recommended",
    coverage: float = 0.9,
    max_missing: float = 0.5,
    random_state: int = 0,
) -> dict[str, Any]:
    """Which model, the coverage of its sets, and which elements are too sparse for it."""
    check_option("name", name, tuple(MODELS))
    check_range("coverage", coverage, 0.5, 0.99, "0.9 keeps the true type in nine of ten sets")
    check_range("max_missing", max_missing, 0.0, 1.0, "0.5 leaves out what is half empty")
    check_range("random_state", random_state, 0, 2**31 - 1, "any whole number will do")
    return {
        "name": name,
        "coverage": coverage,
        "max_missing": max_missing,
        "random_state": random_state,
    }


def validate(
    *,
    baselines: Sequence[str] = ("lda", "nearest", "extra_trees"),
    n_splits: int = 0,
    n_random_splits: int = 5,
    seeds: Sequence[int] = (0,),
    null_permutations: int = 20,
) -> dict[str, Any]:
    """Which simple models stand beside, the folds, the seeds and the null test."""
    for baseline in baselines:
        make_model(baseline)
    if n_splits == 1:
        raise ValueError(
            "n_splits must be 0 or 2 and more, got 1: one fold leaves nothing to learn from. Set 0 "
            "to hold out one deposit at a time."
        )
    check_range("n_splits", n_splits, 0, np.inf, "0 holds out one deposit at a time")
    check_range("n_random_splits", n_random_splits, 2, np.inf, "5 is usual")
    check_range("null_permutations", null_permutations, 0, 10_000, "0 leaves the null test out")
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"seeds must name one seed or several different ones, got {list(seeds)}. Set seeds = [0]."
        )
    for seed in seeds:
        check_range("seeds", seed, 0, 2**31 - 1, "any whole number will do")
    return {
        "baselines": tuple(baselines),
        "n_splits": n_splits,
        "n_random_splits": n_random_splits,
        "seeds": tuple(seeds),
        "null_permutations": null_permutations,
    }
