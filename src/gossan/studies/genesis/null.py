"""The null test of a genesis study: what the protocol finds where types mean nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gossan.models.baselines import make_baseline
from gossan.studies.genesis.tables import LabelledTable
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.telling import sharer
from gossan.validation import null_test


def null_of_nearest(
    labelled: LabelledTable,
    folder: RunFolder,
    n_permutations: int,
    random_state: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Null test of the nearest neighbour: the model that shows a leak best, and cheaply.

    Parameters
    ----------
    labelled : LabelledTable
    folder : RunFolder
        Keeps what is done.
    n_permutations, random_state : int
        As of `gossan.validation.null_test`.
    say : callable
        Told the share that is done.

    Returns
    -------
    null : dict
        Score, mean and maximum under permuted types, p-value, and a sentence.
    """
    depends = {"table": fingerprint(labelled.table), "n": n_permutations, "seed": random_state}

    def compute() -> dict[str, np.ndarray]:
        filled = labelled.table[labelled.elements]
        result = null_test(
            make_baseline("nearest"),
            filled.fillna(filled.median()).to_numpy(),
            labelled.y,
            groups=labelled.groups,
            n_permutations=n_permutations,
            random_state=random_state,
            progress=sharer(say),
        )
        return {
            "score": np.array(result.grouped),
            "random": np.array(result.random),
            "null": result.null_grouped,
            "null_random": result.null_random,
            "p_value": np.array(result.p_value),
            "sentence": np.array(str(result)),
        }

    found = folder.part("null-test", depends, compute)
    return {
        "score": float(found["score"]),
        "mean": float(found["null"].mean()),
        "maximum": float(found["null"].max()),
        "p_value": float(found["p_value"]),
        "n": len(found["null"]),
        "metric": "skill of the nearest neighbour, whole deposits held out",
        "random_mean": float(found["null_random"].mean()),
        "sentence": str(found["sentence"]),
    }
